from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from interohm.database import COLLECTIONS, Database
from interohm.errors import InputError
from interohm.records import material_from
from interohm.settings import Settings

LITHIUM = material_from(
    {
        "name": "Li",
        "kind": "metal",
        "mobile_ion": "Li",
        "states": [
            {
                "ion_content": 1,
                "voltage_V": 0,
                "work_function_eV": {"value": 3.1, "uncertainty": 0.1, "source": "x"},
            }
        ],
        "provenance": {"nested": {"list": [1, 2.5, None, "text"]}},
    },
    where="test",
)


def contact_document(**changes):
    return {
        "left": "Li",
        "right": "LiF",
        "temperature_K": 300.0,
        "potential_drop_V": 1.9,
        "resistance": {"interface_resistance_ohm_cm2": 12.5, "reason": None},
        "profile": {"x_nm": [0.0, 0.1], "concentrations_cm3": {"Li_i": [1e22, 2e22]}},
        **changes,
    }


def cell_document():
    state = {
        "state_of_charge": 0.0,
        "area_specific_resistance_ohm_cm2": None,
        "contacts": [contact_document(), contact_document(left="LiF", right="LLZO")],
        "profile": {"x_nm": [0.0, 1.0], "phi_V": [0.5, None]},
    }
    return {"cell": "half", "temperature_K": 300.0, "states": [state, state]}


def test_material_comes_back_identical(settings):
    with Database.open(settings, write=True) as database:
        database.save_material(LITHIUM)
    with Database.open(settings) as database:
        assert database.material("Li") == LITHIUM
        assert database.material("Na") is None
        assert database.materials() == [LITHIUM]
        assert database.material_names() == ["Li"]


def test_saving_again_replaces(settings):
    with Database.open(settings, write=True) as database:
        for energy in (1.0, 2.0):
            database.save_calculation({"hash": "abc", "energy_eV": energy})
        database.save_calculation({"hash": "def", "energy_eV": 3.0})
        assert database.count("calculations") == 2
        assert database.find_calculation("abc") == {"hash": "abc", "energy_eV": 2.0}
        assert database.find_calculation("nope") is None
        assert set(database.find_calculations(["abc", "def", "nope"])) == {"abc", "def"}


def test_contacts_differ_by_their_conditions(settings):
    with Database.open(settings, write=True) as database:
        database.save_contact(contact_document())
        database.save_contact(contact_document(potential_drop_V=2.0))
        database.save_contact(contact_document(temperature_K=400.0))
        database.save_contact(contact_document(thickness_nm=5.0))
        drops = [document["potential_drop_V"] for document in database.query("contacts")]
    assert sorted(drops) == [1.9, 1.9, 2.0]


@pytest.mark.parametrize(
    ("collection", "make"), [("contacts", contact_document), ("cells", cell_document)]
)
def test_profiles_lie_apart_and_come_back(settings, collection, make):
    with Database.open(settings, write=True) as database:
        getattr(database, f"save_{collection[:-1]}")(make())
        [slim] = database.query(collection)
        assert '"profile"' not in json.dumps(slim)
        assert database.with_profiles(slim) == make()


def test_old_profiles_do_not_pile_up(tmp_path):
    with Database.open(Settings(data=tmp_path), write=True) as database:
        for place in range(3):
            database.save_contact(contact_document(profile={"x_nm": [float(place)]}))
        [slim] = database.query("contacts")
        assert database.with_profiles(slim)["profile"] == {"x_nm": [2.0]}
        assert database._backend.execute("SELECT count(*) FROM blobs").fetchall() == [(1,)]


def test_no_nan_in_a_result(tmp_path):
    with Database.open(Settings(data=tmp_path), write=True) as database:
        with pytest.raises(ValueError, match="JSON compliant"):
            database.save_contact(contact_document(profile={"x_nm": [float("nan")]}))
        with pytest.raises(ValueError, match="JSON compliant"):
            database.save_contact(contact_document(potential_drop_V=float("inf")))
        assert database.count("contacts") == 0


def test_queries_in_mongodbs_language(settings):
    with Database.open(settings, write=True) as database:
        for kelvin, ohm in ((300.0, 12.5), (350.0, 4.0), (400.0, None)):
            resistance = {"interface_resistance_ohm_cm2": ohm, "reason": None}
            database.save_contact(contact_document(temperature_K=kelvin, resistance=resistance))
        criteria = {"left": "Li", "resistance.interface_resistance_ohm_cm2": {"$lt": 10}}
        [found] = database.query("contacts", criteria)
        assert found["temperature_K"] == 350.0
        hottest = database.query("contacts", {}, sort=[("temperature_K", -1)], limit=2)
        assert [document["temperature_K"] for document in hottest] == [400.0, 350.0]


@pytest.mark.parametrize(
    "criteria",
    [{"a": {"$nonsense": 1}}, {"$and": 5}, {"$where": "1"}, {"a": {"$regex": "("}}],
)
def test_criteria_that_are_not_understood(settings, criteria):
    with Database.open(settings, write=True) as database:
        database.save_contact(contact_document(a="text"))
        with pytest.raises(InputError, match=r"not understood|refuses"):
            database.query("contacts", criteria)


def test_unknown_collection(settings):
    with Database.open(settings) as database, pytest.raises(InputError, match="contacts"):
        database.query("wires")


def test_reading_creates_nothing(tmp_path):
    folder = tmp_path / "data"
    for _ in range(2):
        with Database.open(Settings(data=folder)) as database:
            assert database.query("contacts", {"left": "Li"}) == []
            assert database.material("Li") is None
            assert not any(database.count(name) for name in COLLECTIONS)
        assert list(tmp_path.rglob("*")) == ([folder] if folder.exists() else [])
        folder.mkdir(exist_ok=True)


def test_a_folder_without_permission_to_write_is_read(tmp_path):
    with Database.open(Settings(data=tmp_path / "data"), write=True) as database:
        database.save_material(LITHIUM)
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    with Database.open(Settings(data=tmp_path / "data")) as database:
        assert database.material("Li") == LITHIUM
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_what_was_opened_for_reading_is_not_written(tmp_path):
    with Database.open(Settings(data=tmp_path)) as database, pytest.raises(RuntimeError):
        database.save_material(LITHIUM)


HOLD = """
import sys, time
from pathlib import Path
from interohm.database import Database
from interohm.settings import Settings
with Database.open(Settings(data=Path(sys.argv[1])), write=True) as database:
    database.save_calculation({"hash": "first", "energy_eV": 1.0})
    print("open", flush=True)
    time.sleep(60)
"""


def test_one_writing_process_at_a_time(tmp_path):
    settings = Settings(data=tmp_path / "data")
    command = [sys.executable, "-c", HOLD, str(settings.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "open\n"
            with pytest.raises(InputError) as caught, Database.open(settings, write=True):
                pass
            assert f"process {holder.pid}" in str(caught.value)
            with Database.open(settings) as database:
                assert database.find_calculation("first") is not None
        finally:
            holder.kill()
    # The lock dies with its process, and what was saved before is there.
    with Database.open(settings, write=True) as database:
        assert database.find_calculation("first") is not None


def test_many_threads_write_and_read_at_once(settings):
    def work(number):
        try:
            for step in range(10):
                document = {"hash": f"{number}-{step}", "values": [number, step]}
                database.save_calculation(document)
                assert database.find_calculation(document["hash"]) == document
        except Exception as error:
            failures.append(error)

    failures = []
    with Database.open(settings, write=True) as database:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert database.count("calculations") == 80


def test_a_thousand_calculations_are_found_fast(tmp_path):
    with Database.open(Settings(data=tmp_path), write=True) as database:
        collection = database._backend.collection("calculations")
        collection.insert_many(
            [{"_id": f"h{n}", "hash": f"h{n}", "potential": [0.1 * n] * 200} for n in range(1000)]
        )
        start = time.perf_counter()
        assert database.find_calculation("h999")["hash"] == "h999"
        database.save_calculation({"hash": "h999", "energy_eV": 1.0})
        assert database.find_calculation("h999") == {"hash": "h999", "energy_eV": 1.0}
        # 0.15 s on one core; a calculation takes minutes.
        assert time.perf_counter() - start < 3


@pytest.mark.parametrize("damage", ["garbage", "cut", "document"])
def test_damaged_file_is_named(tmp_path, damage):
    settings = Settings(data=tmp_path)
    with Database.open(settings, write=True) as database:
        for number in range(30):
            database.save_calculation({"hash": str(number), "text": "x" * 1000})
        database.save_material(LITHIUM)
    path = tmp_path / "interohm.sqlite"
    if damage == "garbage":
        path.write_bytes(b"this is no database" * 1000)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        import sqlite3

        with sqlite3.connect(path) as file:
            file.execute(
                "UPDATE documents SET content = X'0102030405' WHERE collection = 'calculations'"
            )
    with pytest.raises(InputError) as caught, Database.open(settings) as database:
        database.find_calculation("1")
    assert str(path) in str(caught.value)
    if damage == "document":
        with Database.open(settings) as database:  # the others are there
            assert database.material("Li") == LITHIUM


def test_interrupted_creation_is_mended(tmp_path):
    settings = Settings(data=tmp_path)
    (tmp_path / "interohm.sqlite").touch()
    with Database.open(settings) as database:
        assert database.count("calculations") == 0
    with Database.open(settings, write=True) as database:
        database.save_calculation({"hash": "a"})
        assert database.find_calculation("a") == {"hash": "a"}


def test_data_folder_that_is_a_file(tmp_path):
    (tmp_path / "data").write_text("x")
    with (
        pytest.raises(InputError, match="data"),
        Database.open(Settings(data=tmp_path / "data"), write=True),
    ):
        pass


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://me:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=200",
        "mongodb://me:hunter2@",
        "mongodb://me:hunt:er2@x@127.0.0.1:notaport/",
    ],
)
def test_unreachable_server_is_named_without_its_password(uri, monkeypatch):
    monkeypatch.setattr("interohm.database.storage._SERVER_TIMEOUT_MS", 200)
    with pytest.raises(InputError) as caught, Database.open(Settings(mongodb_uri=uri)):
        pass
    assert "hunter2" not in str(caught.value)
    assert "er2" not in str(caught.value)
    assert "INTEROHM_MONGODB_URI" in str(caught.value)
    if "@127" in uri:
        assert "127.0.0.1" in str(caught.value)


def test_jobs_run_on_the_job_store(settings):
    from jobflow import Flow, job, run_locally

    @job
    def add(a, b):
        return a + b

    first = add(1, 2)
    second = add(first.output, 10)
    with Database.open(settings, write=True) as database:
        store = database.job_store()
        run_locally(Flow([first, second]), store=store, ensure_success=True, log=False)
        assert store.get_output(second.uuid) == 13
        assert "@" not in store.name
    with Database.open(settings, write=True) as database, database.job_store() as store:
        assert store.count() == 2
        assert store.query_one({"uuid": second.uuid})["output"] == 13


def test_settings_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "here"))
    with Database.open(write=True) as database:
        database.save_material(LITHIUM)
    assert (tmp_path / "here").is_dir()
    assert not Path("interohm-data").exists()
