"""Documents that somebody else wrote into a shared database: never imported, never run."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

import pytest

from interohm.database import Database
from interohm.database.shipped_calculations import shipped_calculation, shipped_hashes
from interohm.errors import InputError
from interohm.explorer.selection import key_of, selected
from interohm.prediction.contact import contact_document
from interohm.records import material_document
from interohm.records.shipped import shipped_interfaces, shipped_material, shipped_names
from interohm.safe_documents import refuse_foreign_code
from interohm.workflows.calculations import find_calculation

BULK = shipped_material("LiF_001").provenance["calculations"]["bulk"]

#: What monty's decoder would import, as a class or as a function.
POISON = [
    {"@module": "poison", "@class": "Poison"},
    {"@module": "poison.inner", "@callable": "run"},
    {"@module": "os", "@callable": "system"},
    {"@module": ["poison"], "@class": "Poison"},
]


@pytest.fixture(autouse=True)
def trap(tmp_path, monkeypatch):
    """Put a module on the path that says when it is imported; it never is."""
    folder = tmp_path / "path"
    folder.mkdir()
    sprung = tmp_path / "sprung"
    (folder / "poison.py").write_text(
        f"open({str(sprung)!r}, 'w').close()\nclass Poison:\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    yield
    assert not sprung.exists()
    assert "poison" not in sys.modules


def poisoned_calculation(poison):
    document = copy.deepcopy(shipped_calculation(BULK))
    document["structure"]["sites"][0]["properties"] = {"spin": poison}
    return document


def test_the_trap_works(tmp_path):
    """Without the check, a structure's site does import what it names."""
    from pymatgen.core import Structure

    (tmp_path / "path" / "bait.py").write_text("class Bait:\n    pass\n")
    bait = {"@module": "bait", "@class": "Bait"}
    Structure.from_dict(poisoned_calculation(bait)["structure"])
    assert sys.modules.pop("bait")


@pytest.mark.parametrize("poison", POISON)
def test_calculations(settings, poison, interohm):
    with Database.open(settings, write=True) as database:
        collection = database._backend.collection("calculations")
        collection.insert_one({"_id": BULK, **poisoned_calculation(poison)})
        with pytest.raises(InputError, match="refers to code of"):
            find_calculation(database, BULK)
    for command, code in (
        (("query", "calculations", "--json"), 0),
        (("query", "calculations"), 0),
        (("export", "calculations"), 0),
        (("why", "LiF_001"), 2),
        (("why", BULK[:12]), 2),
        (("migrate",), 2),
    ):
        ran = interohm(*command)
        assert ran.code == code, command
        assert "refers to code of" in ran.err
        if code == 0:  # left out, and named
            assert BULK not in ran.out
            assert BULK in ran.err


@pytest.mark.parametrize("poison", POISON[:2])
def test_records_contacts_and_cells(settings, poison, interohm):
    lithium, llzo = shipped_material("Li"), shipped_material("LLZO")
    contact = contact_document(lithium, llzo, samples=10)
    record = {**material_document(llzo), "structure": {"sites": [poison]}}
    with Database.open(settings, write=True) as database:
        database.save_contact({**contact, "sensitivity": poison})
        database.save_contact({**contact, "temperature_K": 310.0, "profile": poison})
        database.save_cell({"cell": "x", "temperature_K": 300.0, "states": [], "remarks": [poison]})
        record_key = {"_id": "LLZO"}
        database._backend.collection("materials").insert_one({**record_key, **record})
    for command, code in (
        (("materials", "show", "LLZO"), 2),
        (("materials", "list"), 0),
        (("contact", "Li", "LLZO"), 2),
        (("query", "contacts", "--json"), 0),
        (("query", "cells", "--json"), 0),
        (("why", "x"), 2),
    ):
        ran = interohm(*command)
        assert ran.code == code, command
        assert "refers to code of" in ran.err, command
    # of two contacts of these phases one is left out; what it names besides is seen in its profile
    assert len(json.loads(interohm("query", "contacts", "--json").out)) == 1
    with Database.open(settings) as database:
        for row in database.rows("contacts"):
            with pytest.raises(InputError, match="refers to code of"):
                selected(database, "contacts", key_of("contacts", row))


@pytest.mark.parametrize("poison", POISON)
def test_outputs_of_jobs(settings, poison):
    from jobflow import job, run_locally

    @job
    def make():
        return {"kept": [1, 2]}

    made = make()
    with Database.open(settings, write=True) as database:
        store = database.job_store()
        run_locally(made, store=store, ensure_success=True, log=False)
        assert store.get_output(made.uuid, load=True) == {"kept": [1, 2]}
        jobs = database._backend.collection("jobs")
        stored = jobs.find_one({"uuid": made.uuid})
        jobs.replace_one({"uuid": made.uuid}, {**stored, "output": {"kept": [poison]}})
        with pytest.raises(InputError, match="refers to code of"):
            store.get_output(made.uuid, load=True)


STRUCTURE = {"@module": "pymatgen.core.structure", "@class": "Structure"}


def test_what_the_program_writes_is_listed():
    for name in shipped_names():
        refuse_foreign_code(material_document(shipped_material(name)), where="test")
    for hash in shipped_hashes():
        refuse_foreign_code(shipped_calculation(hash), where="test")
    refuse_foreign_code(STRUCTURE, where="test")


@pytest.mark.parametrize(
    "near",
    [
        *({"@module": module} for module in ("pymatgenx.core", "os", "", "jobflow_evil", 5)),
        {"@module": "pymatgen.core.structure"},
        {"@module": "pymatgen.core.structure", "@class": "os"},
        {"@module": "pymatgen.core.structure", "@class": ["Structure"]},
        {**STRUCTURE, "@callable": "Structure.from_file"},
        {"@module": "interohm.__main__", "@class": "x"},
        {"@module": "pathlib", "@class": "Path"},
        {"@module": "monty.json", "@class": "MontyDecoder"},
    ],
)
def test_what_is_near_to_it_is_not(near):
    for deep in (near, [near], [{"deep": ({"deeper": near},)}]):
        with pytest.raises(InputError, match="refers to code of"):
            refuse_foreign_code(deep, where="test")


def poisoned_record(name, poison):
    record = material_document(shipped_material("LiF_001"))
    atom = {"species": [{"element": "Li", "occu": 1}], "abc": [0, 0, 0]}
    structure = {
        **STRUCTURE,
        "lattice": {"matrix": [[4, 0, 0], [0, 4, 0], [0, 0, 4]]},
        "sites": [{**atom, "properties": {"m": poison}}],
    }
    return {**record, "name": name, "structure": structure}


@pytest.mark.parametrize("poison", [*POISON, {"@module": "interohm.__main__", "@class": "x"}])
def test_a_record_that_names_code_is_refused_and_can_be_removed(
    settings, poison, interohm, refused, tmp_path
):
    file = tmp_path / "poisoned.json"
    file.write_text(json.dumps(poisoned_record("bad", poison)))
    assert "refers to code of" in refused("materials", "add", file)
    file.write_text(json.dumps({**poisoned_record("bad", 1), "provenance": {"by": [poison]}}))
    assert "refers to code of" in refused("materials", "add", file)
    with Database.open(settings, write=True) as database:
        database.save_material(shipped_material("LiF_001").model_copy(update={"name": "good"}))
        kept = poisoned_record("bad", poison)
        opened = database._backend.collection("materials")
        opened.replace_one({"_id": "bad"}, {"_id": "bad", **kept}, upsert=True)
    for command in (("materials", "list", "--json"), ("query", "materials", "--json")):
        ran = interohm(*command)
        assert ran.code == 0
        assert {"good"} <= {record["name"] for record in json.loads(ran.out)}
        assert "bad" not in ran.out
        assert ran.err.count("'bad' is left out: a document refers to code of") == 1
    file.write_text(json.dumps(poisoned_record("new", 1)))
    assert interohm("materials", "add", file).code == 0
    assert "refers to code of" in refused("materials", "show", "bad")
    assert interohm("materials", "remove", "bad").code == 0
    assert "left out" not in interohm("materials", "list").err


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("records/names_code", "refers to code of 'subprocess.getoutput'"),
        ("records/names_main", "refers to code of 'interohm.__main__.x'"),
        ("records/names_callable", "refers to code of 'pathlib.os.system'"),
        ("yaml/merge", "expanding without end"),
    ],
)
def test_files_that_went_wrong(refused, case, reason):
    cases = Path(__file__).parents[2] / "data" / "cases"
    assert reason in refused("materials", "add", cases / f"{case}.yaml")


def test_removing_records(settings, interohm, refused):
    """Results that used a record stay; shipped ones are refused, and come to light again."""
    lithium, llzo = shipped_material("Li"), shipped_material("LLZO")
    with Database.open(settings, write=True) as database:
        database.save_material(llzo.model_copy(update={"surface": "(100)"}))
        database.save_contact(contact_document(lithium, llzo, samples=10))
    assert "the shipped record" in interohm("materials", "remove", "LLZO").err
    assert "it cannot be removed" in refused("materials", "remove", "LLZO")
    assert "there is no record 'nothing'" in refused("materials", "remove", "nothing")
    assert len(json.loads(interohm("query", "contacts", "--json").out)) == 1
    assert "(100)" not in interohm("materials", "show", "LLZO").out


def test_removing_interfaces(settings, interohm, refused):
    with Database.open(settings, write=True) as database:
        kept = {"_id": "bad", "name": "bad", "provenance": POISON[0]}
        database._backend.collection("interfaces").insert_one(kept)
    ran = interohm("interfaces", "list")
    assert ran.code == 0
    assert "'bad' is left out" in ran.err
    assert interohm("interfaces", "remove", "bad").code == 0
    assert "there is no interface" in refused("interfaces", "remove", "bad")
    assert "it cannot be removed" in refused("interfaces", "remove", shipped_interfaces()[0].name)


def test_the_command_line_does_not_run_when_it_is_imported(capfd):
    import importlib

    importlib.import_module("interohm.__main__")
    assert capfd.readouterr() == ("", "")
