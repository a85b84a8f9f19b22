"""Documents that changed on their way, and documents that are too large."""

from __future__ import annotations

import copy
import json

import pytest

from interohm.database import Database
from interohm.database.profiles import packed, with_profiles, without_large_parts
from interohm.database.shipped_calculations import shipped_calculation
from interohm.errors import InputError
from interohm.prediction.contact import contact_document
from interohm.records import material_document
from interohm.records.shipped import shipped_material

BULK = shipped_material("LiF_001").provenance["calculations"]["bulk"]


def damage(database, collection, key, *path, value):
    """Change one value where the program does not see it."""
    opened = database._backend.collection(collection)
    document = opened.find_one({"_id": key})
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    assert holder[path[-1]] != value
    holder[path[-1]] = value
    opened.replace_one({"_id": key}, document)


def test_a_calculation_with_another_energy(settings, interohm):
    calculation = shipped_calculation(BULK)
    with Database.open(settings, write=True) as database:
        database.save_calculation(calculation)
        assert database.find_calculation(BULK) == calculation
        damage(database, "calculations", BULK, "energy_eV", value=-9.86)
        with pytest.raises(InputError, match=f"{BULK}: a document is damaged"):
            database.find_calculation(BULK)
        # calculated anew, it is as it should be
        database.save_calculation(calculation)
        assert database.find_calculation(BULK) == calculation


def test_damage_is_named_and_the_others_are_found(settings, interohm):
    with Database.open(settings, write=True) as database:
        for name in ("LiF_001", "LLZO"):
            database.save_material(shipped_material(name))
        gap = shipped_material("LLZO").band_gap_eV.value + 0.1
        damage(database, "materials", "LLZO", "band_gap_eV", value=gap)
    ran = interohm("query", "materials", "--json")
    assert [document["name"] for document in json.loads(ran.out)] == ["LiF_001"]
    assert "'LLZO' is left out: a document is damaged" in ran.err
    assert interohm("materials", "show", "LLZO").code == 2


@pytest.mark.parametrize("collection", ["contacts", "materials"])
def test_a_row_with_another_number(settings, interohm, collection):
    lithium, llzo = shipped_material("Li"), shipped_material("LLZO")
    with Database.open(settings, write=True) as database:
        database.save_material(llzo)
        database.save_contact(contact_document(lithium, llzo, samples=10))
        [document] = database._backend.collection(collection).find({})
        column = {"contacts": "potential_drop_V", "materials": "band_gap_eV"}[collection]
        damage(database, collection, document["_id"], "rows", 0, column, value=0.125)
    ran = interohm("query", collection, "--where", f"{column} > -9")
    assert ran.code == 0
    assert "is left out: a document is damaged" in ran.err


def test_documents_of_before_there_were_checksums_are_read(settings):
    with Database.open(settings, write=True) as database:
        database.save_material(shipped_material("LLZO"))
        opened = database._backend.collection("materials")
        document = opened.find_one({"_id": "LLZO"})
        for row in document["rows"]:
            del row["document_checksum"], row["row_checksum"]
        opened.replace_one({"_id": "LLZO"}, document)
        assert database.material("LLZO") == shipped_material("LLZO")
        assert database.rows("materials")[0]["name"] == "LLZO"


def large_record(size):
    record = shipped_material("LiF_001")
    notes = {"log": [0.1 * number for number in range(size)], "who": "me"}
    return record.model_copy(update={"provenance": {**record.provenance, "notes": notes}})


def test_large_parts_lie_apart_and_come_back(settings):
    record = large_record(300_000)
    with Database.open(settings, write=True) as database:
        database.save_material(record)
        stored = database._backend.collection("materials").find_one({"_id": "LiF_001"})
        assert stored["provenance"]["notes"] == {"who": "me"}
        assert len(json.dumps(stored)) < 100_000
        assert database.material("LiF_001") == record
        [document] = database.query("materials", {"name": "LiF_001"})
        assert document == material_document(record)
        blob = stored["large_parts_blob"]
        assert database._backend.get_blob(blob) is not None
        database.save_material(shipped_material("LiF_001"))
        assert database._backend.get_blob(blob) is None
        database.save_material(record)
        database.remove_material("LiF_001")
        if settings.mongodb_uri is None:
            assert database._backend.execute("SELECT count(*) FROM blobs").fetchall() == [(0,)]


#: Numbers whose BSON, 17 bytes each, is exceeds the 16 MB that a server takes.
BEYOND_A_DOCUMENT = [1.0] * 1_200_000


def test_results_and_calculations_beyond_what_a_server_takes(settings):
    numbers = BEYOND_A_DOCUMENT if settings.mongodb_uri else BEYOND_A_DOCUMENT[:300_000]
    calculation = shipped_calculation(BULK) | {"site_potentials_eV": numbers}
    lithium, fluoride = shipped_material("Li"), shipped_material("LiF_001")
    contact = dict(contact_document(lithium, fluoride, samples=10))
    contact["notes"] = {"log": numbers}
    state = {"state_of_charge": 0.5, "log": numbers, "profile": {"x_nm": [1.0, 2.0]}}
    cell = {"cell": "large", "temperature_K": 300.0, "states": [state]}
    with Database.open(settings, write=True) as database:
        for _ in range(2):  # the second one replaces the first
            database.save_calculation(calculation)
            database.save_contact(contact)
            database.save_cell(cell)
        assert database.find_calculation(BULK) == calculation
        [found] = database.query("contacts", {"left": "Li"})
        assert database.with_profiles(found) == contact
        [row] = database.rows("contacts", "left == 'Li'")
        assert row["potential_drop_V"] == contact["potential_drop_V"]
        [found] = database.query("cells")
        assert database.with_profiles(found) == cell
        if settings.mongodb_uri is not None:
            blobs = database._backend.collection("blobs.files").count_documents({})
            assert blobs == 5  # a part of each, and the profiles of two


def test_a_migration_keeps_what_lies_apart(settings):
    state = {"state_of_charge": 0.5, "log": [0.1] * 300_000, "profile": {"x_nm": [1.0, 2.0]}}
    cell = {"cell": "large", "temperature_K": 300.0, "states": [state]}
    with Database.open(settings, write=True) as database:
        database.save_cell(cell)
        opened = database._backend.collection("cells")
        document = opened.find_one({})
        opened.replace_one({"_id": document["_id"]}, {**document, "schema_version": 2})
        assert database.rows("cells")[0]["cell"] == "large"
        assert database.migrate()["cells"] == 1
        assert opened.find_one({})["schema_version"] == 3
        [found] = database.query("cells")
        assert database.with_profiles(found) == cell


def test_a_large_part_that_another_writer_replaced_is_read_anew(settings):
    with Database.open(settings, write=True) as database:
        database.save_material(large_record(300_000))
        before = database._backend.collection("materials").find_one({"_id": "LiF_001"})
        database.save_material(large_record(200_000))
        assert database._given("materials", before) == material_document(large_record(200_000))


def test_a_large_part_that_is_gone_is_said(settings):
    with Database.open(settings, write=True) as database:
        database.save_material(large_record(300_000))
        stored = database._backend.collection("materials").find_one({"_id": "LiF_001"})
        database._backend.drop_blob(stored["large_parts_blob"])
        with pytest.raises(InputError, match="a document is damaged"):
            database.material("LiF_001")


def test_only_what_is_too_large_leaves_a_document():
    document = copy.deepcopy(shipped_calculation(BULK))
    assert without_large_parts(document) == (document, {})
    document["a"] = {"b": {"c": list(range(200_000)), "d": 1}, "e": 2}
    document["many"] = {"names": {f"x{number}": number for number in range(50_000)}, "small": 3}
    document["g"] = {"h": {"i.j": list(range(50_000))}, "k": 4}
    slim, parts = without_large_parts(document)
    assert set(parts) == {"a.b.c", "many.names", "g.h"}
    assert slim["a"] == {"b": {"d": 1}, "e": 2}
    assert slim["many"] == {"small": 3}
    assert with_profiles(slim, packed(parts), where="test") == document


def test_a_document_that_a_server_does_not_take(tmp_path):
    """The driver's own error, without a server."""
    from pymongo.errors import DocumentTooLarge

    from interohm.database.storage import Server
    from interohm.settings import Settings

    own = Settings(mongodb_uri="mongodb://me:hunter2@db.example/", data=tmp_path)
    server = Server(own, {"interohm": None})
    with (
        pytest.raises(InputError, match=r"db\.example/interohm: .* exceeds the 16 MB") as caught,
        server.errors(),
    ):
        raise DocumentTooLarge("BSON document too large (17 MB)")
    assert "hunter2" not in str(caught.value)
