"""What is worth calculating, as a campaign: it runs as it stands, and says what it leaves out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from interohm.cli.next_campaign import write_next_campaign
from interohm.database import Database
from interohm.errors import InputError
from interohm.records import material_document, material_from
from interohm.records.shipped import shipped_material
from interohm.results.design import NextCalculation
from interohm.workflows.campaign import dry_run, load_campaign
from interohm.workflows.next_campaign import next_campaign
from interohm.workflows.reference_elements import missing_elements
from interohm.yaml_io import dump_yaml, parse_yaml

STRUCTURES = Path(__file__).parents[2] / "configs" / "structures"


def _step(calculation: str, material: str) -> NextCalculation:
    return NextCalculation(
        calculation=calculation,
        material=material,
        fields=["band_gap_eV"],
        gain_decades=0.1,
        core_hours=None if calculation == "measurement" else 1.0,
        text=f"{calculation} of {material}",
    )


def _with_structure(name: str, structure: Structure):
    document = {
        **material_document(shipped_material("LiF")),
        "name": name,
        "structure": json.loads(structure.to_json()),
        "provenance": {"formula": "LiF"},
    }
    return material_from(document, where=name)


@pytest.fixture
def records():
    salt = Lattice.cubic(4.1)
    sites = [[0, 0, 0], [0.5, 0.5, 0.5]]
    whole = Structure.from_spacegroup("Fm-3m", salt, ["Li", "F"], sites)
    partly = Structure.from_spacegroup("Fm-3m", salt, [{"Li": 0.5}, "F"], sites)
    own = [_with_structure("own", whole), _with_structure("partly", partly)]
    shipped = [shipped_material(name) for name in ("LiBr_001", "LLZO")]
    return {one.name: one for one in (*own, *shipped)}


STEPS = [
    _step("band gap", "LiBr_001"),
    _step("defects", "LLZO"),
    _step("surface", "own"),
    _step("surface", "partly"),
    _step("contact barrier", "LLZO | own"),
    _step("measurement", "LLZO"),
]


def test_it_runs_as_it_stands_and_says_what_it_leaves_out(tmp_path, monkeypatch, capsys, records):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "next.yaml"
    write_next_campaign(path, "my design", STEPS, records, {})
    config = load_campaign(path)
    assert [phase.name for phase in config.phases] == ["LiBr_001_calculated", "own_calculated"]
    # the crystal that the record holds, not the shipped one of its formula
    own = Structure.from_file(tmp_path / "own.cif")
    assert own.volume / own.composition["Li"] == pytest.approx(4.1**3 / 4, rel=1e-4)
    with Database.open() as database:
        assert dry_run(config, database)
    said = capsys.readouterr().err
    assert "calculates LiBr_001, own, with own.cif next to it" in said
    assert "left out of it: LLZO, no crystal structure of it is known" in said
    assert "structures: {LLZO: FILE.cif}" in said
    assert "left out of it: partly, its crystal cannot be planned" in said
    assert "contact barrier of LLZO | own; measurement of LLZO" in said


def test_planning_says_how_far_it_is(tmp_path, monkeypatch, records):
    monkeypatch.chdir(tmp_path)
    told = []
    with Database.open() as database:
        next_campaign(
            "x",
            STEPS[:2],
            records,
            structures={},
            folder=tmp_path,
            database=database,
            progress=lambda done, total: told.append((done, total)),
        )
    assert told == [(0, 2), (1, 2)]


def test_what_is_left_out_is_completed_in_the_file(tmp_path, monkeypatch, records):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "next.yaml"
    write_next_campaign(path, "my design", STEPS[:2], records, {})
    text = path.read_text(encoding="utf-8")
    before, mark, after = text.partition("# LEFT OUT: LLZO")
    assert mark
    lines = [
        line.removeprefix("#") for line in after.splitlines() if line.startswith(("#-", "#  "))
    ]
    lines = [line for line in lines if not line.startswith("   defects of")]
    completed = before + "\n".join(lines).replace("FILE.cif", "LiF") + "\n"
    path.write_text(completed, encoding="utf-8")
    names = [phase.name for phase in load_campaign(path).phases]
    assert names == ["LiBr_001_calculated", "LLZO_calculated"]


@pytest.mark.parametrize("lacking", ["LLZO", "partly"])
def test_a_file_is_written_if_no_phase_has_a_crystal(
    tmp_path, monkeypatch, capfd, interohm, records, lacking
):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "next.yaml"
    steps = [_step("defects", lacking), _step("measurement", "LLZO")]
    write_next_campaign(path, "my design", steps, records, {})
    said = capfd.readouterr().err
    assert f"campaign: {path} calculates nothing yet" in said
    assert f"left out of it: {lacking}, " in said
    assert f"structures: {{{lacking}: FILE.cif}}" in said
    text = path.read_text(encoding="utf-8")
    assert f"defects of {lacking}" in text
    assert "measurement of LLZO" in text
    ran = interohm("run", path, "--dry-run")
    assert ran.code == 2
    assert "there is nothing to calculate" in ran.err
    assert "remove the leading #" in ran.err
    # its lines as they stand are a phase once the crystal is named
    before, _, after = text.partition(f"# LEFT OUT: {lacking}")
    lines = [
        line.removeprefix("#")
        for line in after.splitlines()
        if line.startswith(("#-", "#  ")) and f"defects of {lacking}" not in line
    ]
    crystal = {"FILE.cif": "LiF", "partly.cif": "LiF"}
    completed = before + "\n".join(lines) + "\n"
    for old, new in crystal.items():
        completed = completed.replace(old, new)
    path.write_text(completed, encoding="utf-8")
    assert interohm("run", path, "--dry-run").code == 0
    assert [phase.name for phase in load_campaign(path).phases] == [f"{lacking}_calculated"]


def test_nothing_to_calculate_is_said(tmp_path, monkeypatch, records):
    monkeypatch.chdir(tmp_path)
    with Database.open() as database:

        def of(steps):
            return next_campaign(
                "x", steps, records, structures={}, folder=tmp_path, database=database
            )

        with pytest.raises(InputError, match="no calculation was found to help"):
            of([])
        with pytest.raises(
            InputError, match=r"no calculation of an electrolyte .* would help .* of LLZO"
        ):
            of([_step("measurement", "LLZO")])
        given = next_campaign(
            "x",
            [_step("defects", "LLZO")],
            records,
            structures={"LLZO": STRUCTURES / "LiF.cif"},
            folder=tmp_path,
            database=database,
        )
        assert given.phases == ["LLZO"]


def test_a_wanted_window_is_calculated_where_all_energies_are_known(tmp_path, monkeypatch):
    """Of Al2O3 as the lithium aluminate; of the tantalate, no energy of tantalum is at hand."""
    monkeypatch.chdir(tmp_path)
    records = {name: shipped_material(name) for name in ("Al2O3", "LiTaO3", "Li2CO3")}
    steps = [
        _step(kind, name) for name in ("Al2O3", "LiTaO3") for kind in ("phase diagram", "surface")
    ]
    steps.append(_step("phase diagram", "Li2CO3"))
    structures = {"Al2O3": STRUCTURES / "LiAlO2.cif"}

    def made(steps):
        with Database.open() as database:
            return next_campaign(
                "x", steps, records, structures=structures, folder=tmp_path, database=database
            )

    given = made(steps)
    assert given.phases == ["Al2O3", "LiTaO3"]
    assert given.apart == [
        "phase diagram of LiTaO3, since no energy of Ta is known",
        "phase diagram of Li2CO3, since no energy of C is known",
    ]
    given.write(tmp_path / "next.yaml")
    config = load_campaign(tmp_path / "next.yaml")
    assert config.phase_diagram.competing == ["Al", "Al2O3", "Li2O", "Li2O2"]
    assert config.phase_diagram.molecules == ["O2"]
    aluminate, tantalate = config.phases
    assert aluminate.stability_window_V is None
    assert tantalate.stability_window_V == records["LiTaO3"].stability_window_V
    with Database.open() as database:
        assert missing_elements(config, database) == {}
        labels = {one.label for one in dry_run(config, database)}
    assert {"Al: bulk", "Al2O3: bulk", "O2: molecule"} <= labels
    with pytest.raises(InputError, match="phase diagram of Li2CO3, since no energy of C"):
        made(steps[-1:])


def test_a_phase_without_any_window_is_said_to_have_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = shipped_material("LiTaO3").model_copy(update={"stability_window_V": None})
    steps = [_step(kind, "LiTaO3") for kind in ("phase diagram", "surface")]
    with Database.open() as database:
        made = next_campaign(
            "x", steps, {"LiTaO3": record}, structures={}, folder=tmp_path, database=database
        )
    assert "LiTaO3_calculated has no window meanwhile. To calculate it here, name the" in made.text
    assert "remove its stability_window_V" not in made.text


def test_a_window_without_energies_is_calculated_as_the_file_says(tmp_path, monkeypatch):
    """Phases of Ta and P: with the element's crystal named, no energy is missing any more."""
    monkeypatch.chdir(tmp_path)
    records = {name: shipped_material(name) for name in ("LiTaO3", "Li2CO3")}
    steps = [_step(kind, "LiTaO3") for kind in ("phase diagram", "surface")]
    with Database.open() as database:

        def cost(steps):
            made = next_campaign(
                "x", steps, records, structures={}, folder=tmp_path, database=database
            )
            made.write(tmp_path / "next.yaml")
            [line] = [one for one in made.text.splitlines() if "LiTaO3_calculated: " in one]
            return line

        alone = cost(steps)
        text = (tmp_path / "next.yaml").read_text(encoding="utf-8")
        assert "since no energy of Ta is known" in text
        assert "LiTaO3_calculated has the window of its record meanwhile" in text
        assert "name the CIF files of Ta and of all compounds that may form" in text
        # what a phase that is not part of the campaign would take is counted nowhere
        assert cost([_step("phase diagram", "Li2CO3"), *steps]) == alone
        assert "Li2CO3_calculated" not in (tmp_path / "next.yaml").read_text(encoding="utf-8")
        Structure.from_spacegroup("Im-3m", Lattice.cubic(3.31), ["Ta"], [[0, 0, 0]]).to(
            filename="Ta.cif"
        )
        document = parse_yaml(text, where="next.yaml")
        del document["phases"][0]["stability_window_V"]
        document["phase_diagram"] = {
            "entries": "calculations",
            "competing": ["Ta.cif", "Li2O"],
            "molecules": ["O2"],
        }
        (tmp_path / "next.yaml").write_text(dump_yaml(document), encoding="utf-8")
        config = load_campaign(tmp_path / "next.yaml")
        assert missing_elements(config, database) == {}
        assert "Ta: bulk" in {one.label for one in dry_run(config, database)}
