from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys

import pytest
import typer
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from interohm.cli import app, main
from interohm.database import Database
from interohm.errors import InputError
from interohm.records import load_material
from interohm.settings import Settings

RECORD = """
name: mine
kind: insulator
mobile_ion: Li
ionization_potential_eV: {value: 5.3, uncertainty: 0.2, source: a paper, method: measured}
band_gap_eV: 6.4
dielectric_constant: {value: 50, uncertainty: 10, source: assumed, method: assumed}
defects:
  - {name: Li_i, charge: 1, ion_change: 1, formation_energy_eV: -1.5, site_density_cm3: 3e22,
     sublattice: Li_i, migration_energy_eV: 0.3, attempt_frequency_Hz: 1.0e13, hop_distance_nm: 0.2}
  - {name: V_Li, charge: -1, ion_change: -1, formation_energy_eV: 2.5, site_density_cm3: 3e22,
     sublattice: V_Li}
"""


@pytest.fixture
def record(tmp_path):
    """Return the path of a valid record."""
    path = tmp_path / "mine.yaml"
    path.write_text(RECORD)
    return path


def commands(group, before=()):
    """Yield every command and group with the words that call it."""
    yield before, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*before, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_has_an_example(interohm, command):
    ran = interohm(*command, "--help")
    assert ran.code == 0
    last = ran.out.rstrip().rpartition("\n\n  Example: ")[2]
    assert last.startswith(" ".join(("interohm", *command)))
    assert ran.err == ""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_help_is_cut(interohm, command):
    """Every command below is listed with its whole first sentence."""
    out = " ".join(interohm(*command, "--help").out.split())
    assert not re.search(r"[a-z,]\.\.\.(?!\w)", out)
    for name, below in getattr(COMMANDS[command], "commands", {}).items():
        paragraph = " ".join(below.help.partition("\n\n")[0].split())
        assert f"{name} {paragraph}" in out


def test_help_groups_commands(interohm):
    """By what they are for, in the order of work; as ASCII."""
    out = interohm("--help").out
    places = [
        out.index(f"\n{heading}:\n")
        for heading in ("Predict", "Calculate", "Database", "Cluster", "Help")
    ]
    assert places == sorted(places)
    assert "\nCommands:\n" not in out
    assert out.isascii()


def test_examples_are_copied_with_what_they_refer_to(interohm, tmp_path):
    ran = interohm("examples", "configs")
    assert ran.code == 0
    copied = [tmp_path / line for line in ran.out.splitlines()]
    assert tmp_path / "configs/examples/cell.yaml" in copied
    named = re.compile(r"(?<![\w/])((?:\.\./)+[\w./-]+\.(?:cif|xyz|csv|yaml))\b")
    found = [
        (path.parent / name).resolve()
        for path in copied
        if path.suffix == ".yaml"
        for name in named.findall(path.read_text(encoding="utf-8"))
    ]
    assert len(found) > 30
    assert all(path.is_file() for path in found)


def test_examples_never_overwrite(interohm, tmp_path):
    own = tmp_path / "configs/examples/cell.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    ran = interohm("examples", "configs")
    assert ran.code == 2
    assert "cell.yaml already exists" in ran.err
    assert own.read_text() == "mine"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [own]


def test_version(interohm):
    from interohm import __version__

    assert interohm("--version").out == f"interohm {__version__}\n"


@pytest.mark.parametrize("arguments", [("nonsense",), ("contact",), ("contact", "Li", "--what")])
def test_usage_errors(refused, arguments):
    assert "Usage" in refused(*arguments)


@pytest.mark.parametrize(
    ("of", "field"),
    [
        ("record", "work_function_eV"),
        ("cell", "temperature_K"),
        ("campaign", "facet"),
        ("preset", "cutoff_eV"),
        ("screen", "rank_by"),
        ("experiment", "comparison"),
        ("import", "response"),
    ],
)
def test_schema(interohm, of, field):
    assert field in json.dumps(json.loads(interohm("schema", of).out))


def test_materials_from_file_to_database_and_back(interohm, record, tmp_path):
    assert not (tmp_path / "interohm-data").exists()
    ran = interohm("materials", "add", record)
    assert ran.code == 0
    assert "mine added to interohm-data" in ran.err
    assert "mine replaced in interohm-data" in interohm("materials", "add", record).err

    out = tmp_path / "out.yaml"
    assert interohm("materials", "export", "mine", "--output", out).code == 0
    assert load_material(out) == load_material(record)
    out.write_text(interohm("materials", "export", "mine").out)
    assert load_material(out) == load_material(record)

    names = {item["name"]: item for item in json.loads(interohm("materials", "list", "--json").out)}
    assert names["mine"]["source"] == "database"
    assert names["LLZO"]["source"] == "shipped"


def test_show_marks_what_is_assumed_and_what_is_unknown(interohm, record):
    interohm("materials", "add", record)
    lines = interohm("materials", "show", "mine").out.splitlines()
    [assumed] = [line for line in lines if line.strip().startswith("dielectric_constant")]
    assert "assumed" in assumed
    [plain] = [line for line in lines if line.strip().startswith("band_gap_eV")]
    assert "unknown" in plain
    shown = json.loads(interohm("materials", "show", "mine", "--json").out)
    assert shown["ionization_potential_eV"]["source"] == "a paper"


def test_a_record_that_hides_a_shipped_one_is_named(interohm, record, tmp_path):
    record.write_text(RECORD.replace("name: mine", "name: LLZO"))
    assert "hides the shipped" in interohm("materials", "add", record).err
    ran = interohm("materials", "show", "LLZO")
    assert "hides the shipped LLZO" in ran.err
    assert "hides the shipped one" in interohm("materials", "list").out


def test_a_record_is_shown_with_its_carriers_and_its_sites(interohm):
    assert "carriers[V_Li], weight" in interohm("materials", "show", "LLZO").out
    assert "sites_per_formula" in interohm("materials", "show", "LiCoO2").out


def test_reading_commands_create_nothing(interohm, record, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    for command in (
        ("materials", "list"),
        ("materials", "show", "LLZO"),
        ("query", "materials"),
        ("doctor",),
        ("schema", "cell"),
    ):
        assert interohm(*command).code == 0, command
    assert sorted(tmp_path.rglob("*")) == before


def contact(left, ohm):
    return {
        "left": left,
        "right": "LLZO",
        "temperature_K": 300.0,
        "potential_drop_V": 1.0,
        "resistance": {"interface_resistance_ohm_cm2": ohm, "limiting_step": "space charge"},
        "profile": {"x_nm": [0.0]},
    }


def test_query_in_mongodbs_language(interohm):
    with Database.open(write=True) as database:
        database.save_contact(contact("Li", 3.5))
        database.save_contact(contact("LiF", 1e6))
        database.save_contact(contact("LiPON", None))
    criteria = (
        '{"left": {"$in": ["Li", "LiF"]}, "resistance.interface_resistance_ohm_cm2": {"$lt": 10}}'
    )
    [found] = json.loads(interohm("query", "contacts", criteria, "--json").out)
    assert found["left"] == "Li"
    table = interohm("query", "contacts", criteria).out
    assert "Li " in table
    assert "LiF" not in table
    assert len(json.loads(interohm("query", "contacts", "--json", "--limit", 2).out)) == 2
    nothing = interohm("query", "contacts", '{"left": "Na"}')
    assert nothing.code == 0
    assert nothing.out == ""
    assert "no document" in nothing.err


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("query", "wires"), "materials, contacts, cells, interfaces, calculations"),
        (("query", "contacts", "{left: Li}"), "criteria"),
        (("query", "contacts", "[1]"), "criteria"),
        (("query", "contacts", '{"left": {"$nonsense": 1}}'), "nonsense"),
        (("query", "contacts", '{"a": ' * 100_000), "criteria"),
    ],
)
def test_queries_that_are_refused(refused, arguments, names):
    with Database.open(write=True) as database:
        database.save_contact(contact("Li", 3.5))
    assert names in refused(*arguments)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("band_gap_eV", "bandgap_eV", "bandgap_eV"),
        ("band_gap_eV: 6.4\n", "", "band_gap_eV"),
        ("site_density_cm3: 3e22", "site_density_cm3: 1e28", "site_density_cm3"),
        ("band_gap_eV: 6.4", "band_gap_eV: .nan", "band_gap_eV"),
        ("band_gap_eV: 6.4", "band_gap_eV: .inf", "band_gap_eV"),
        ("band_gap_eV: 6.4", "band_gap_eV: '6.4'", "band_gap_eV"),
        ("band_gap_eV: 6.4", "band_gap_eV: 6.4\nband_gap_eV: 6.5", "band_gap_eV"),
        ("charge: -1", "charge: -0.5", "defects[1].charge"),
        ("kind: insulator", "kind: liquid", "kind"),
        ("name: mine", "name: ../mine", "name"),
        ("name: mine", "name: mine\nstability_window_V: [3, 1]", "stability_window_V"),
        ("band_gap_eV: 6.4", "band_gap_eV: !!python/object/apply:os.system ['touch no']", "line"),
        ("mobile_ion: Li\n", "mobile_ion: Li\n\tx: 1\n", "line"),
        (RECORD, "", "empty"),
        (RECORD, "- 1\n- 2\n", "mapping"),
        (RECORD, "\0\1\2", "mine.yaml"),
        (RECORD[200:], "", "mine.yaml"),
    ],
)
def test_bad_records_are_refused_whole(refused, record, tmp_path, old, new, names):
    assert old in RECORD
    record.write_text(RECORD.replace(old, new, 1))
    message = refused("materials", "add", record)
    assert "mine.yaml" in message
    assert names in message
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine.yaml"]


def test_binary_file(refused, record):
    record.write_bytes(bytes(range(256)))
    assert "binary" in refused("materials", "add", record)


def test_missing_file_folder_and_unwritable_output(refused, record, tmp_path):
    assert "nowhere.yaml" in refused("materials", "add", "nowhere.yaml")
    assert str(tmp_path) in refused("materials", "add", tmp_path)
    assert "no/where.yaml" in refused("materials", "export", record, "--output", "no/where.yaml")


def test_unknown_material_gets_a_suggestion(refused):
    message = refused("materials", "show", "LLZ0")
    assert "LLZO" in message


@hypothesis_settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    cut=st.integers(0, len(RECORD)),
    insert=st.one_of(
        st.text(max_size=20),
        st.sampled_from(
            ["&a [*a]", "!!binary x", "? ", "- ", "{", "]", "%YAML 9", "---\n", "<<: "]
        ),
    ),
    keep=st.integers(0, len(RECORD)),
)
def test_garbled_records_never_reach_a_traceback(tmp_path, capfd, cut, insert, keep):
    path = tmp_path / "garbled.yaml"
    path.write_bytes((RECORD[:cut] + insert + RECORD[keep:]).encode("utf-8", "surrogatepass"))
    with pytest.raises(SystemExit) as ended:
        main(["materials", "show", str(path), "--json"])
    ran = capfd.readouterr()
    assert ended.value.code in (0, None, 2), ran.err
    assert "Traceback" not in ran.err
    if ended.value.code == 2:
        assert "garbled.yaml" in ran.err
        assert ran.out == ""
    else:
        json.loads(ran.out)


@hypothesis_settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["left", "$and", "$or", "$expr", "a.b", "$not", "profile", ""]),
        st.recursive(
            st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(
                        ["$lt", "$in", "$regex", "$elemMatch", "$size", "$mod", "$type"]
                    ),
                    inner,
                    max_size=2,
                )
            ),
            max_leaves=4,
        ),
        max_size=2,
    )
)
def test_garbled_criteria_never_reach_a_traceback(queried_folder, criteria):
    refused = contextlib.suppress(InputError)
    with Database.open(Settings(data=queried_folder)) as database, refused:
        assert len(database.query("contacts", criteria)) <= 2


@pytest.fixture(scope="module")
def queried_folder(tmp_path_factory):
    """Return a data folder with two contacts."""
    folder = tmp_path_factory.mktemp("queried") / "data"
    with Database.open(Settings(data=folder), write=True) as database:
        database.save_contact(contact("Li", 3.5))
        database.save_contact(contact("LiF", None))
    return folder


def process(*arguments, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "interohm", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        **kwargs,
    )


def test_debug_shows_the_traceback_anywhere_on_the_line():
    assert "Traceback" in process("--debug", "materials", "show", "nowhere.yaml").stderr
    ran = process("materials", "show", "nowhere.yaml", "--debug")
    assert ran.returncode == 2
    assert "Traceback" in ran.stderr


def test_unreachable_database_is_an_input_error_without_the_password():
    environment = {
        **os.environ,
        "INTEROHM_MONGODB_URI": "mongodb://me:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=100",
    }
    ran = process("--debug", "query", "contacts", env=environment)
    assert ran.returncode == 2
    assert "127.0.0.1:1" in ran.stderr
    assert "hunter2" not in ran.stderr + ran.stdout


def test_a_reader_that_leaves_early_is_no_error():
    with subprocess.Popen(
        [sys.executable, "-m", "interohm", "schema", "cell"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as ran:
        ran.stdout.close()
        assert ran.stderr.read() == ""
        assert ran.wait(60) == 1


def test_output_to_a_full_disk_is_told(record):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "interohm", "schema", "cell"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert ran.returncode == 2
    assert "space" in ran.stderr
    assert "Traceback" not in ran.stderr
