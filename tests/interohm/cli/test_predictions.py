from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from interohm.cli import main
from interohm.database import Database
from interohm.records.shipped import SHIPPED_FOLDER
from interohm.yaml_io import dump_yaml, load_yaml

CELL = """
name: small
states_of_charge: [0.0, 1.0]
layers:
  - {material: Li, thickness_nm: 20000}
  - {material: LLZO, thickness_nm: 20000}
  - {material: LiCoO2, thickness_nm: 20000}
"""


@pytest.fixture
def cell(tmp_path):
    """Return the path of a valid cell."""
    path = tmp_path / "cells" / "small.yaml"
    path.parent.mkdir()
    path.write_text(CELL)
    return path


def numbers(value):
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, float) else []


def test_contact_json_has_every_field(interohm):
    ran = interohm("contact", "Li", "LLZO", "--temperature", 350, "--json")
    assert ran.code == 0, ran.err
    document = json.loads(ran.out)
    assert ran.out.count("\n") == 1
    assert {
        "left",
        "right",
        "temperature_K",
        "potential_drop_V",
        "dipole_V",
        "sheet_charge_e_nm2",
        "capacitance_uF_cm2",
        "differential_capacitance_uF_cm2",
        "debye_length_nm",
        "profile",
        "resistance",
        "quantiles",
        "reference",
    } <= document.keys()
    assert (document["left"], document["right"], document["temperature_K"]) == ("Li", "LLZO", 350)
    assert {"space_charge_ohm_cm2", "charge_transfer_ohm_cm2", "total_ohm_cm2", "reason"} <= (
        document["resistance"].keys()
    )
    assert {"x_nm", "phi_V", "concentrations_cm3"} <= document["profile"].keys()
    assert all(math.isfinite(number) for number in numbers(document))
    assert not Path("interohm-data").exists()


def test_contact_table_names_reference_limit_and_assumptions(interohm):
    ran = interohm("contact", "Li", "LLZO")
    assert ran.code == 0, ran.err
    for words in (
        "Li | LLZO",
        "potential drop (V)",
        "sheet charge",
        "Debye length, LLZO",
        "activation energy (eV)",
        "without space charge (eV)",
        "90 % of the drop, LLZO",
        "charge transfer",
        "limited by",
        "record Li",
        "samples",
        "assumed",
    ):
        assert words in ran.out, words
    assert ran.err == ""


def test_contact_table_has_an_interval_in_every_row(interohm):
    ran = interohm("contact", "Li", "LLZO")
    _, _, table = ran.out.partition("Li | LLZO   (300 K)")
    table, _, _ = table.partition("intervals:")
    rows = [line for line in table.splitlines() if "²)" in line or "V)" in line or "nm)" in line]
    assert len(rows) == 13
    assert all("…" in row for row in rows), table
    parts = [line for line in ran.out.splitlines() if line.startswith("  charge transfer")]
    assert len(parts) == 1
    assert "…" in parts[0]


def test_a_contact_without_samples_is_the_nominal_one(interohm):
    whole = json.loads(interohm("contact", "Li", "LLZO", "--json").out)
    ran = interohm("contact", "Li", "LLZO", "--json", "--samples", 0)
    assert ran.code == 0, ran.err
    alone = json.loads(ran.out)
    assert alone["quantiles"] is None
    assert alone["resistance"] == whole["resistance"]
    few = json.loads(interohm("contact", "Li", "LLZO", "--json", "--samples", 10).out)
    assert few["quantiles"]["samples"] == 10
    # and it prints
    assert interohm("contact", "Li", "LLZO", "--samples", 0).code == 0
    assert interohm("contact", "Li", "LLZO", "--samples", -1).code == 2


def test_intervals_of_an_interface_are_of_all_samples(interohm):
    quantiles = json.loads(interohm("contact", "Li", "LLZO", "--json").out)["quantiles"]
    assert quantiles["log10_interface_resistance"]["samples"] == quantiles["samples"]
    # the excess over the undisturbed bulk is negative in some
    assert quantiles["log10_samples"] < quantiles["samples"]
    ran = interohm("contact", "Li", "LLZO")
    [interface] = [line for line in ran.out.splitlines() if line.startswith("  interface ")]
    assert "…" in interface
    assert "limited by charge transfer" in interface
    unknown = interohm("contact", "Li", "LiF").out
    assert "excess over the undisturbed bulk: the right phase is not thick" in unknown


def test_accumulation_is_told_apart_from_a_resistance_that_is_positive(interohm):
    ran = interohm("contact", "LLZO", "LiPON", "--soc", 1)
    [interface] = [line for line in ran.out.splitlines() if line.startswith("  interface ")]
    assert float(interface.split()[1]) > 0
    [accumulation] = [line for line in ran.out.splitlines() if "accumulation" in line]
    assert float(accumulation.split()[1]) < 0
    [energy] = [line for line in ran.out.splitlines() if "activation energy" in line]
    assert "…" in energy


def test_contact_of_a_path(interohm, tmp_path):
    (tmp_path / "mine.yaml").write_text((SHIPPED_FOLDER / "LLZO.yaml").read_text())
    by_path = json.loads(interohm("contact", "Li", "mine.yaml", "--json").out)
    assert by_path == json.loads(interohm("contact", "Li", "LLZO", "--json").out)


def test_saved_contact_answers_queries(interohm):
    ran = interohm("contact", "Li", "LLZO", "--save", "--json")
    assert "saved in interohm-data" in ran.err
    document = json.loads(ran.out)
    [found] = json.loads(interohm("query", "contacts", '{"left": "Li"}', "--json").out)
    assert found["potential_drop_V"] == document["potential_drop_V"]
    with Database.open() as database:
        [slim] = database.query("contacts")
        assert database.with_profiles(slim) == document
    interohm("contact", "Li", "LLZO", "--save")
    assert len(json.loads(interohm("query", "contacts", "--json").out)) == 1
    interohm("contact", "Li", "LLZO", "--save", "--thickness-nm", 50)
    assert len(json.loads(interohm("query", "contacts", "--json").out)) == 2


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--temperature", -5),
        ("--temperature", 0),
        ("--temperature", "nan"),
        ("--temperature", "inf"),
        ("--temperature", 1e9),
        ("--temperature", "warm"),
        ("--soc", 1.5),
        ("--soc", "nan"),
        ("--thickness-nm", 0),
        ("--thickness-nm", -1),
        ("--thickness-nm", "nan"),
    ],
)
def test_bad_options_are_named(refused, option, value):
    assert option in refused("contact", "Li", "LLZO", option, value)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "\udcff", "[bold]Li", "a" * 5000, "a" * 5000 + ".yaml"]
)
def test_names_of_nothing(refused, name):
    refused("contact", name, "LLZO")


def test_contacts_that_make_no_sense(refused):
    assert "Lii" in refused("contact", "Lii", "LLZO")
    assert "metals" in refused("contact", "Li", "LiCoO2")


def test_phase_without_neutral_bulk(refused, tmp_path):
    from interohm.records import save_material
    from interohm.records.shipped import shipped_material

    lone = shipped_material("LiF_001")
    alone = {"defects": lone.defects[:1], "electrons": False, "shared_errors": []}
    one = lone.model_copy(update={"name": "lone", **alone})
    save_material(one, tmp_path / "lone.yaml")
    message = refused("contact", "Li", "lone.yaml")
    assert "no neutral bulk" in message
    assert "lone" in message


@pytest.mark.usefixtures("few_samples")
def test_cell_json_has_every_field(interohm, cell):
    ran = interohm("cell", cell, "--json")
    assert ran.code == 0, ran.err
    document = json.loads(ran.out)
    assert (document["cell"], document["temperature_K"]) == ("small", 300)
    assert [state["state_of_charge"] for state in document["states"]] == [0.0, 1.0]
    for state in document["states"]:
        assert {
            "open_circuit_voltage_V",
            "area_specific_resistance_ohm_cm2",
            "contacts",
            "layers",
            "profile",
        } <= state.keys()
        assert len(state["contacts"]) == 2
        assert [layer["material"] for layer in state["layers"]] == ["Li", "LLZO", "LiCoO2"]
        assert {
            "x_nm",
            "phi_V",
            "vacuum_level_eV",
            "conduction_band_eV",
            "valence_band_eV",
            "fermi_level_eV",
        } <= state["profile"].keys()
    assert all(math.isfinite(number) for number in numbers(document))


def test_a_contact_that_blocks_is_the_worst(interohm, cell, tmp_path):
    """It has no resistance, which must not name another one."""
    text = cell.read_text() + "contacts: [{ion_transfer: blocked}, {}]\n"
    blocked = tmp_path / "blocked.yaml"
    blocked.write_text(text, encoding="utf-8")
    report = tmp_path / "blocked.html"
    ran = interohm("cell", blocked, "--samples", "0", "--report", report)
    assert ran.code == 0, ran.err
    assert re.search(r" 0 .* Li \| LLZO +ion transfer is blocked", ran.out)
    page = report.read_text(encoding="utf-8")
    assert "<span>limited by</span><b>Li | LLZO</b><span>ion transfer is blocked" in page


def test_of_several_contacts_that_block_all_are_named(interohm, cell, tmp_path):
    """In the table and in the report; their common reason once."""
    block = "{ion_transfer: blocked}"
    blocked = tmp_path / "blocked.yaml"
    blocked.write_text(f"{cell.read_text()}contacts: [{block}, {block}]\n", encoding="utf-8")
    report = tmp_path / "blocked.html"
    ran = interohm("cell", blocked, "--samples", "0", "--report", report)
    assert ran.code == 0, ran.err
    both = "Li | LLZO, LLZO | LiCoO2"
    assert re.search(rf" 0 .* {re.escape(both)} +ion transfer is blocked", ran.out)
    page = report.read_text(encoding="utf-8")
    assert f"<span>limited by</span><b>{both}</b><span>ion transfer is blocked: no ion" in page
    assert page.count("no ion crosses this contact; ion transfer") == 0


def test_cell_table(interohm, cell, request):
    ran = interohm("cell", cell)
    assert ran.code == 0, ran.err
    for words in ("small", "V_OC (V)", "ASR (Ω·cm²)", "Li | LLZO", "LLZO | LiCoO2", "assumed"):
        assert words in ran.out, words
    first, _, rest = ran.out.partition("next: ")
    assert "likely below (Ω·cm²)" in first
    assert "V_OC (V)" in rest
    assert "experiment" not in ran.out
    spots = "{extrinsic: {contact_fraction: 0.1, spot_radius_um: 10}}"
    grains = "{grain_size_nm: 1000, boundary: {activation_energy_eV: 0.5}}"
    text = CELL.replace(
        "LLZO, thickness_nm: 20000", f"LLZO, thickness_nm: 20000, extrinsic: {grains}"
    )
    cell.write_text(f"{text}contacts: [{spots}, {{}}]\n")
    request.getfixturevalue("few_samples")
    ran = interohm("cell", cell)
    assert ran.code == 0, ran.err
    for words in ("an experiment would measure", "0.1 of the area in contact", "grains of 1000 nm"):
        assert words in ran.out, words


@pytest.mark.usefixtures("few_samples")
def test_saved_cell_answers_queries(interohm, cell):
    document = json.loads(interohm("cell", cell, "--save", "--json").out)
    [found] = json.loads(interohm("query", "cells", '{"cell": "small"}', "--json").out)
    assert len(found["states"]) == 2
    with Database.open() as database:
        [slim] = database.query("cells")
        assert database.with_profiles(slim) == document
    assert "small" in interohm("query", "cells").out


@pytest.mark.usefixtures("few_samples")
def test_materials_of_a_cell_are_relative_to_its_file(interohm, cell):
    mine = (SHIPPED_FOLDER / "LLZO.yaml").read_text()
    (cell.parent / "mine.yaml").write_text(mine)
    cell.write_text(CELL.replace("material: LLZO", "material: mine.yaml"))
    assert interohm("cell", cell, "--json").code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--figure", "bands.txt"), ".pdf, .png or .svg"),
        (("--figure", "bands"), "a file without an ending"),
        (("--figure", "nowhere/bands.png"), "there is no folder nowhere"),
        (("--report", "nowhere/report.html"), "there is no folder nowhere"),
        (("--report", "."), "is a folder"),
    ],
)
def test_files_that_cannot_be_written_are_refused_before_the_computation(
    refused, cell, monkeypatch, options, said
):
    def computed(*_, **__):
        raise AssertionError("the prediction was computed")

    monkeypatch.setattr("interohm.prediction.cell.cell_document", computed)
    monkeypatch.setattr("interohm.prediction.contact.contact_document", computed)
    assert said in refused("cell", cell, *options)
    assert said in refused("contact", "Li", "LLZO", *options)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("thickness_nm: 20000", "thickness_nm: -1", "layers[0].thickness_nm"),
        ("thickness_nm: 20000", "thickness_nm: 0", "layers[0].thickness_nm"),
        ("thickness_nm: 20000", "thickness_um: 20", "layers[0].thickness_um"),
        ("[0.0, 1.0]", "[0.0, 1.5]", "states_of_charge[1]"),
        ("[0.0, 1.0]", "[.nan]", "states_of_charge"),
        ("name: small", "name: small\ntemperature_K: -3", "temperature_K"),
        ("name: small", "name: small\ncontacts: [{}]", "contacts"),
        ("material: LLZO", "material: nowhere.yaml", "nowhere.yaml"),
        ("material: LLZO", "material: LLZ0", "LLZO"),
        ("material: LLZO", "material: Li", "layers[1]"),
        (
            "{material: LiCoO2, thickness_nm: 20000}",
            "{material: LiCoO2, thickness_nm: 20000, ion_content: {discharged: 1.0, charged: 0.1}}",
            "ion_content",
        ),
    ],
)
def test_bad_cells_are_refused(refused, cell, old, new, names):
    assert old in CELL
    cell.write_text(CELL.replace(old, new, 1))
    message = refused("cell", cell, "--save", "--report", "report.html")
    assert names in message
    assert not Path("report.html").exists()
    assert not Path("interohm-data").exists()


@pytest.mark.usefixtures("few_samples")
@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    cut=st.integers(0, len(CELL)),
    insert=st.one_of(
        st.text(max_size=12),
        st.sampled_from(["- {}", "[]", "!!set {a}", "*x", "1e400", "material: "]),
    ),
    keep=st.integers(0, len(CELL)),
)
def test_garbled_cells_never_reach_a_traceback(tmp_path, capfd, cut, insert, keep):
    path = tmp_path / "garbled.yaml"
    path.write_bytes((CELL[:cut] + insert + CELL[keep:]).encode("utf-8", "surrogatepass"))
    with pytest.raises(SystemExit) as ended:
        main(["cell", str(path), "--json"])
    ran = capfd.readouterr()
    assert ended.value.code in (0, None, 2), ran.err
    if ended.value.code == 2:
        assert ran.out == ""
        assert "fix: " in ran.err
    else:
        json.loads(ran.out)


def test_contact_imports_nothing_heavy():
    code = (
        "import sys; from interohm.cli import main\n"
        "try: main(['contact', 'Li', 'LLZO', '--json'])\n"
        "except SystemExit as ended: assert not ended.code\n"
        "heavy = {'pymatgen', 'ase', 'jobflow', 'maggma', 'fireworks', 'plotly', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stderr == "[]\n"


def test_a_held_potential_is_the_limit_of_many_carriers(interohm, tmp_path):
    """Of a record's own numbers, all within what a record may have."""
    record = load_yaml(SHIPPED_FOLDER / "LiCoO2.yaml")

    def predicted(**space_charge):
        record["space_charge"] = space_charge or None
        if not space_charge:
            del record["space_charge"]
            record.pop("chemical_diffusivity_cm2_s", None)  # diffusion into it has no meaning then
        (tmp_path / "host.yaml").write_text(dump_yaml(record))
        asked = ("contact", tmp_path / "host.yaml", "LATP", "--soc", 0.5, "--samples", 0, "--json")
        ran = interohm(*asked)
        assert ran.code == 0, ran.err
        document = json.loads(ran.out)
        codes = [doubt["code"] for doubt in document["validity"]]
        assert ("held_electrode" in codes) == (not space_charge)
        return document["resistance"]["interface_resistance_ohm_cm2"], document[
            "sheet_charge_e_nm2"
        ]

    held = predicted()
    shares = [
        predicted(dielectric_constant=epsilon, site_density_cm3=density, holes_cm3=holes)
        for epsilon, density, holes in ((13, 3e22, 1e20), (13, 1e24, 1e24), (1e5, 1e24, 1e24))
    ]
    for field in (0, 1):
        misses = [abs(share[field] / held[field] - 1.0) for share in shares]
        assert misses == sorted(misses, reverse=True)
        assert misses[-1] < 1e-3


def test_two_phases_and_cautions_are_said_in_words(interohm):
    """In the table and in the report, which warns of no negative resistance: there is none."""
    asked = ("contact", "LiPON", "LiFePO4", "--soc", 0.5, "--samples", 0, "--report", "two.html")
    printed = interohm(*asked).out
    assert "two phases of LiFePO4 conduct side by side: 48 % of the area" in printed
    page = Path("two.html").read_text(encoding="utf-8")
    assert "two phases of LiFePO4 conduct side by side" in page
    assert "<p>Caution</p>" in page
    document = json.loads(interohm(*asked[:-2], "--json").out)
    shares = {one["ion_content"]: one["share"] for one in document["coexisting_phases"]}
    assert list(shares) == [0.05, 0.89]
    assert sum(shares.values()) == pytest.approx(1.0)
    # where carriers accumulate, which takes nothing off the interface
    asked = ("contact", "Li", "LiPON", "--samples", 0, "--json", "--report", "one.html")
    assert "accumulate" in json.loads(interohm(*asked).out)["resistance"]["reason"]
    assert "has no logarithm" not in Path("one.html").read_text(encoding="utf-8")
