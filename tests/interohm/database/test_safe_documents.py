"""Documents that somebody else wrote into a shared database: never imported, never run."""

from __future__ import annotations

import copy
import sys

import pytest

from interohm.database import Database
from interohm.database.safe_documents import refuse_foreign_code
from interohm.database.shipped_calculations import shipped_calculation
from interohm.errors import InputError
from interohm.explorer.selection import key_of, selected
from interohm.prediction.contact import contact_document
from interohm.records import material_document
from interohm.records.shipped import shipped_material
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
        with pytest.raises(InputError, match="names code of"):
            find_calculation(database, BULK)
    for command in (
        ("query", "calculations", "--json"),
        ("query", "calculations"),
        ("export", "calculations"),
        ("why", "LiF_001"),
        ("why", BULK[:12]),
        ("migrate",),
    ):
        ran = interohm(*command)
        assert ran.code == 2, command
        assert "names code of" in ran.err


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
    for command in (
        ("materials", "show", "LLZO"),
        ("contact", "Li", "LLZO"),
        ("query", "contacts", "--json"),
        ("query", "cells", "--json"),
        ("why", "x"),
        ("why", "Li|LLZO"),
    ):
        ran = interohm(*command)
        assert ran.code == 2, command
        assert "names code of" in ran.err, command
    with Database.open(settings) as database:
        for row in database.rows("contacts"):
            with pytest.raises(InputError, match="names code of"):
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
        jobs.update_one({"uuid": made.uuid}, {"$set": {"output": {"kept": [poison]}}})
        with pytest.raises(InputError, match="names code of"):
            store.get_output(made.uuid, load=True)


def test_what_the_program_writes_is_trusted():
    for name in ("LiF_001", "LLZO"):
        refuse_foreign_code(material_document(shipped_material(name)), where="test")
    refuse_foreign_code(shipped_calculation(BULK), where="test")
    for near in ("pymatgenx.core", "os", "", "jobflow_evil", 5):
        with pytest.raises(InputError):
            refuse_foreign_code([{"deep": ({"@module": near},)}], where="test")
