"""Where predictions come from: from a cell back to every number and calculation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interohm.database import Database
from interohm.database.shipped_calculations import shipped_calculation, shipped_hashes
from interohm.prediction.contact import contact_document
from interohm.records import material_hash, save_material
from interohm.records.shipped import shipped_material

CALCULATIONS = shipped_material("LiF_001").provenance["calculations"]
SLAB, BULK = CALCULATIONS["slab"], CALCULATIONS["bulk"]

CELL = """
name: small
states_of_charge: [0.0, 1.0]
layers:
  - {material: Li, thickness_nm: 1000}
  - {material: LLZO, thickness_nm: 10000}
  - {material: LiCoO2, thickness_nm: 1000}
"""


def parts(origin, kind):
    return {part["name"]: part for part in origin["parts"] if part["kind"] == kind}


def asked(interohm, name):
    ran = interohm("why", name, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def keep_contact(left, right):
    with Database.open(write=True) as database:
        database.save_contact(contact_document(left, right, samples=10))


@pytest.mark.usefixtures("few_samples")
def test_from_a_cell_to_its_contacts_and_records(interohm):
    Path("cell.yaml").write_text(CELL)
    assert interohm("cell", "cell.yaml", "--save").code == 0
    [origin] = asked(interohm, "small")
    assert origin["kind"] == "cell"
    contacts = parts(origin, "contact")
    assert list(contacts) == ["Li | LLZO", "LLZO | LiCoO2"]
    assert [state["state_of_charge"] for state in contacts["Li | LLZO"]["states"]] == [0.0, 1.0]
    records = parts(origin, "record")
    assert list(records) == ["Li", "LLZO", "LiCoO2"]
    assert {record["status"] for record in records.values()} == {"the one that was used"}
    tree = interohm("why", "small").out
    assert "cell small at 300 K: Li | LLZO | LiCoO2" in tree
    # the voltages of all states of the electrode stand in one line, with their one source
    assert "(16 states)" in tree


def test_every_number_of_a_calculated_record_leads_to_its_calculation(interohm):
    [origin] = asked(interohm, "LiF_001")
    numbers, calculations = parts(origin, "number"), parts(origin, "calculation")
    assert numbers["ionization_potential_eV"]["calculation"] == SLAB
    assert calculations[SLAB]["role"] == "slab"
    assert calculations[SLAB]["found"] == "shipped"
    assert calculations[SLAB]["functional"] == "PBE"
    assert calculations[SLAB]["energy_eV"] == shipped_calculation(SLAB)["energy_eV"]
    assert origin["preset"] == "production_relaxed"
    # A barrier may be what others calculated.
    ours = [n for n in numbers.values() if (n["method"] or "").startswith("calculated: gpaw")]
    assert len(ours) >= 7
    assert all(number["calculation"] in calculations for number in ours)
    roles = {each["role"] for each in calculations.values()}
    assert roles >= {"bulk", "slab", "supercell", "metal", "V_Li", "Li_i", "V_F", "F2"}
    assert f"calculation {SLAB[:12]} (slab): shipped; gpaw PBE" in interohm("why", "LiF_001").out


def test_a_calculation_of_the_database_comes_first_and_a_lost_one_is_said(interohm):
    record = shipped_material("LiF_001")
    lost = "0" * 64
    said = {**record.provenance, "calculations": {"slab": SLAB, "bulk": lost}}
    said.pop("phase_diagram")
    mine = record.model_copy(update={"name": "mine", "provenance": said})
    with Database.open(write=True) as database:
        database.save_material(mine)
        database.save_calculation(shipped_calculation(SLAB))
    [origin] = asked(interohm, "mine")
    calculations = parts(origin, "calculation")
    assert calculations[SLAB]["found"] == "database"
    assert calculations[lost]["found"] is None
    assert "(bulk): NOT FOUND" in interohm("why", "mine").out
    # a source that names a calculation which the provenance does not list
    named = parts(origin, "number")["band_gap_eV"]["calculation"]
    assert BULK.startswith(named)
    assert calculations[named]["found"] is None


def test_a_record_that_changed_since_is_said(interohm):
    lithium, llzo = shipped_material("Li"), shipped_material("LLZO")
    keep_contact(lithium, llzo)
    [origin] = asked(interohm, "Li|LLZO")
    assert parts(origin, "record")["LLZO"]["status"] == "the one that was used"
    other = llzo.model_copy(update={"surface": "another"})
    with Database.open(write=True) as database:
        database.save_material(other)
    # the one that was used is still there, shipped
    [origin] = asked(interohm, "Li | LLZO")
    assert parts(origin, "record")["LLZO"]["source"] == "shipped"
    keep_contact(lithium, other)
    with Database.open(write=True) as database:
        database.save_material(other.model_copy(update={"surface": "a third"}))
    [origin] = asked(interohm, "Li|LLZO")
    changed = parts(origin, "record")["LLZO"]
    assert changed["status"] == "changed since this was predicted"
    assert changed["used_hash"] == material_hash(other)
    assert "changed since" in interohm("why", "Li|LLZO").out


def test_records_from_files_and_of_old_predictions(interohm):
    lithium = shipped_material("Li")
    mine = shipped_material("LLZO").model_copy(update={"name": "mine"})
    save_material(mine, "mine.yaml")
    assert interohm("contact", "Li", "mine.yaml", "--save").code == 0
    [origin] = asked(interohm, "Li|mine")
    assert parts(origin, "record")["mine"]["status"].startswith("not found")
    with Database.open(write=True) as database:
        document = contact_document(lithium, shipped_material("LLZO"), samples=10)
        del document["records"]
        database.save_contact(document)
    [origin] = asked(interohm, "Li|LLZO")
    assert parts(origin, "record")["Li"]["status"].startswith("unknown whether")


def test_a_calculation_by_the_beginning_of_its_hash(interohm):
    [origin] = asked(interohm, SLAB[:12])
    assert origin["name"] == SLAB
    assert set(shipped_hashes()) >= {SLAB}
    with Database.open(write=True) as database:
        database.save_calculation({**shipped_calculation(SLAB), "hash": "abcdef01" * 8})
    [origin] = asked(interohm, "abcdef0123"[:8])
    assert origin["found"] == "database"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("LLZP", "did you mean LLZO"),
        ("Li|Nix", "interohm contact Li Nix --save"),
        ("0123456789abcdef", "there is no cell, contact, record or calculation"),
        ("", "there is no"),
    ],
)
def test_names_of_nothing(refused, name, says):
    assert says in refused("why", name)


@pytest.mark.parametrize(
    "document",
    [
        {"cell": "odd", "temperature_K": 300.0, "states": []},
        {"cell": "odd", "temperature_K": "hot", "states": [{"contacts": 5, "layers": "x"}]},
        {"cell": "odd", "states": [{"contacts": [{"left": "Li"}], "layers": [[]]}]},
        {"cell": "odd", "states": "none"},
    ],
)
def test_malformed_cells_are_refused_or_shown(interohm, document):
    with Database.open(write=True) as database:
        database._backend.collection("cells").insert_one({"_id": "odd", **document})
    for command in (("why", "odd"), ("query", "cells", "--sort", "cell"), ("query", "cells")):
        ran = interohm(*command)
        assert ran.code in (0, 2), ran
        assert "fault of the program" not in ran.err
