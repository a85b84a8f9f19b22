"""`interohm materials new`, `rename`, `edit`, and what `show` and `add` imply."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from interohm.near_names import near_names
from interohm.records import load_material
from interohm.records.shipped import shipped_names

STRUCTURES = Path(__file__).parents[3] / "configs" / "structures"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _new(interohm, *more):
    return interohm("materials", "new", "mine", "--structure", STRUCTURES / "LiF.cif", *more)


def test_a_record_from_a_structure_predicts_at_once(interohm, here):
    ran = _new(
        interohm,
        *("--conductivity", "5e-4", "--activation", "0.40", "--gap", "6.0", "--dielectric", "10"),
        *("--window", "0.6:4.2", "--source", "doi 10.1/x"),
    )
    assert ran.code == 0, ran.err
    assert "conductivity 5.00e-04 S/cm" in ran.out
    assert "kind: insulator, since no transition metal" in ran.err
    assert "neutral_potential_V" in ran.err
    record = load_material(here / "mine.yaml")
    assert record.stability_window_V is not None
    assert [limit.value for limit in record.stability_window_V] == [0.6, 4.2]
    predicted = interohm("contact", "Li", "mine.yaml", "--samples", "0", "--json")
    assert json.loads(predicted.out)["right"] == "mine"


def test_an_electrode_is_told_by_its_formula(interohm, refused, here):
    cobaltate = ("--structure", STRUCTURES / "LiCoO2.cif")
    ran = interohm("materials", "new", "mine", *cobaltate, "--voltage", "3.9")
    assert ran.code == 0, ran.err
    assert "kind: metal, since the d shell of Co is partly filled; --kind overrides this" in ran.err
    assert load_material(here / "mine.yaml").kind == "metal"
    predicted = interohm("contact", "mine.yaml", "LLZO", "--samples", "0", "--json")
    assert predicted.code == 0, predicted.err
    text = refused("materials", "new", "other", *cobaltate, "--conductivity", "1e-4")
    assert "the d shell of Co is partly filled" in text
    assert "--kind insulator" in text
    ran = interohm("materials", "new", "other", *cobaltate, "--kind", "insulator")
    assert ran.code == 0, ran.err
    assert load_material(here / "other.yaml").kind == "insulator"


def test_a_file_is_never_overwritten(interohm, refused, here):
    (here / "mine.yaml").write_text("mine\n", encoding="utf-8")
    text = refused("materials", "new", "mine", "--structure", STRUCTURES / "LiF.cif")
    assert "already exists" in text
    assert (here / "mine.yaml").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--window", "4"), "not a window"),
        (("--window", "4.2:0.6"), "is not below"),
        (("--mobile-ion", "Na"), "has no Na"),
        (("--mobile-ion", "Xx"), "charge of Xx is not known"),
        (("--convert", "V_Li"), "not a name and a number"),
        (("--convert", "V_Li=1.1, E_F=1"), "mu is missing"),
        (("--convert", "V_Li=1.1"), "E_F and mu is missing"),
        (("--convert", "V_Li=1.1, E_F=1, mu=2"), "above the metal"),
        (
            ("--convert", "V_Li=1.1, E_F=1, mu=-1", "--neutral-potential", "1.5"),
            "imply a neutral potential",
        ),
        (("--structure", STRUCTURES / "Li.cif"), "is an element"),
        (("--gap", "-1"), "--gap: -1 is not a positive number"),
        (("--conductivity", "-1e-3"), "--conductivity: -0.001 is not a positive number"),
        (("--conductivity", "1e-4", "--temperature", "-5"), "--temperature: -5 is not a positive"),
        (("--saturation", "nan"), "--saturation: nan is not a positive"),
        (("--formation", "-1"), "--formation: -1 eV is no formation energy"),
        (("--window", "4.2:0.6"), "--window: the reduction limit of 4.2 V is not below"),
        (("--carriers", "V_Na"), "names no defects of Li"),
        (("--voltage", "3.9"), "belongs to records of kind metal"),
        (("--kind", "metal", "--gap", "5"), "belongs to records of kind insulator"),
        (("--activation", "0.2", "--formation", "0.3"), "leaves nothing for the hop"),
        (
            ("--convert", "V_Li=1.1, Li_i=0.9, E_F=1, mu=0", "--activation", "0.3"),
            "--formation instead of --convert",
        ),
        (
            ("--convert", "V_Li=1.1, Li_i=0.9, E_F=1, mu=0", "--conductivity", "1e-3"),
            "--conductivity: an activation energy",
        ),
    ],
)
def test_what_makes_no_record_writes_nothing(refused, here, options, message):
    text = refused("materials", "new", "mine", "--structure", STRUCTURES / "LiF.cif", *options)
    assert message in text
    assert not (here / "mine.yaml").exists()


def test_published_energies_are_converted(interohm, here):
    ran = _new(interohm, "--convert", "V_Li=1.1, Li_i=0.6, E_F=1.5, mu=-1.0")
    assert ran.code == 0, ran.err
    defects = {one.name: one for one in load_material(here / "mine.yaml").defects}
    assert defects["V_Li"].formation_energy_eV.value == pytest.approx(1.1 + 1.5 + 1.0)
    assert defects["Li_i"].formation_energy_eV.value == pytest.approx(0.6 - 1.5 - 1.0)


def test_show_and_add_tell_what_a_record_implies(interohm, here):
    shown = interohm("materials", "show", "LLZO")
    for words in (
        "at 298 K 5.10e-04, stated 5.10e-04",
        "phi_0 1.62",
        "Debye length",
        "field at Li",
    ):
        assert words in shown.out
    _new(interohm, "--conductivity", "5e-4", "--activation", "0.4")
    added = interohm("materials", "add", "mine.yaml")
    assert added.code == 0
    assert "conductivity 5.00e-04 S/cm" in added.out


def test_show_keeps_json_alone(interohm):
    assert json.loads(interohm("materials", "show", "LLZO", "--json").out)["name"] == "LLZO"


def test_a_record_is_renamed(interohm, refused, here):
    _new(interohm)
    interohm("materials", "add", "mine.yaml")
    assert interohm("materials", "rename", "mine", "yours").code == 0
    assert "yours" in interohm("materials", "list").out
    assert "no record 'mine'" in refused("materials", "rename", "mine", "other")
    interohm("materials", "add", "mine.yaml")
    assert "there is already a record yours" in refused("materials", "rename", "mine", "yours")
    assert "shipped record" in refused("materials", "rename", "LLZO", "mine2")


def _editor(folder, script):
    path = folder / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_record_is_edited(interohm, refused, here, monkeypatch):
    _new(interohm)
    interohm("materials", "add", "mine.yaml")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", _editor(here, "true"))
    assert "is unchanged" in interohm("materials", "edit", "mine").err
    monkeypatch.setenv("EDITOR", _editor(here, 'sed -i "s/value: 5.33/value: 6.9/" "$1"'))
    assert interohm("materials", "edit", "mine").code == 0
    stored = json.loads(interohm("materials", "show", "mine", "--json").out)
    assert stored["ionization_potential_eV"]["value"] == 6.9
    monkeypatch.setenv("EDITOR", _editor(here, 'echo "nonsense: 1" >> "$1"'))
    assert "stays as it was" in refused("materials", "edit", "mine")
    monkeypatch.setenv("EDITOR", _editor(here, "exit 3"))
    assert "failed" in refused("materials", "edit", "mine")
    monkeypatch.delenv("EDITOR")
    assert "names an editor" in refused("materials", "edit", "mine")
    assert "shipped record" in refused("materials", "edit", "LLZO")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("LZO", ["LLZO"]),
        ("licoo2", ["LiCoO2"]),
        ("LiCl", ["LiCl_001"]),
        ("Li3PS5Cl", ["Li6PS5Cl"]),
        ("LiNbO2", ["LiNbO3"]),
        ("LiCL", ["LiCl_001"]),
        ("LICOO2", ["LiCoO2"]),
        ("Lithium", ["Li"]),
        ("LCO", ["LiCoO2"]),
        ("NMC", ["NMC811"]),
        ("ncm811", ["NMC811"]),
        ("LFP", ["LiFePO4"]),
        ("LMO", ["LiMn2O4"]),
        ("LPSCl", ["Li6PS5Cl"]),
        ("LPS", ["Li3PS4"]),
        ("LGPS", ["Li10GeP2S12"]),
        ("llzo", ["LLZO"]),
        ("LAGP", ["LATP"]),
        ("LLTO", ["LLZO"]),
        ("LNO", ["LiNbO3"]),
        ("LiNiO2", ["LiCoO2"]),
        ("argyrodite", ["Li6PS5Cl"]),
        ("Li_11O", ["Li_110"]),
        ("LiNb03", ["LiNbO3"]),
        ("LiC002", ["LiCoO2"]),
        ("Al203", ["Al2O3"]),
        ("Li20_111", ["Li2O_111"]),
        ("LiSb03", ["LiNbO3"]),
        ("Li10GeP2S11", ["Li10GeP2S12"]),
        ("Li0.5CoO2", ["LiCoO2"]),
        ("0", []),
    ],
)
def test_near_names_are_those_of_the_same_elements(typed, meant):
    assert near_names(typed, shipped_names())[:1] == meant


def test_a_halide_is_nearer_to_a_halide():
    """Where there is no chloride, another salt of lithium is meant before an oxide."""
    known = [name for name in shipped_names() if name != "LiCl_001"]
    assert near_names("LiCl", known)[0] in {"LiF", "LiF_001", "LiBr_001", "LiI_001"}
    assert "LiCoO2" not in near_names("LiCl", known)


def test_the_same_names_are_suggested_everywhere(interohm, refused, here):
    for command in (
        ("materials", "show", "LCO"),
        ("contact", "LCO", "LLZO"),
        ("contact", "Li", "LLZO", "--coating", "LCO:5"),
        ("why", "LCO"),
        ("materials", "remove", "LCO"),
        ("materials", "rename", "LCO", "mine"),
        ("materials", "edit", "LCO"),
    ):
        assert "did you mean LiCoO2" in refused(*command), command


@pytest.mark.parametrize("typed", ["NaCl", "KF", "Na3PS4", "MgF"])
def test_another_ion_is_no_slip(typed):
    ion = typed[:2].rstrip("F")
    assert all(other.startswith(ion) for other in near_names(typed, shipped_names()))
