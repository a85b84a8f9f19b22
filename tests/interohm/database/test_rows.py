"""Flat rows of the database: columns, conditions, order, and documents of other versions."""

from __future__ import annotations

import json

import pytest

import interohm
from interohm.database import COLLECTIONS, Database, schema
from interohm.database.rows import COLUMNS, rows_of
from interohm.errors import InputError
from interohm.prediction.contact import contact_document
from interohm.records import material_document, material_hash
from interohm.records.shipped import shipped_material, shipped_names
from interohm.settings import Settings


def contact(left="Li", right="LLZO", *, ohm=1.0, barrier=2.0, kelvin=300.0):
    return {
        "left": left,
        "right": right,
        "temperature_K": kelvin,
        "potential_drop_V": 1.5,
        "resistance": {"interface_resistance_ohm_cm2": ohm, "space_charge_ohm_cm2": ohm},
        "electrons": {"electron_barrier_eV": barrier},
        "quantiles": None,
        "profile": {"x_nm": [0.0]},
    }


def cell(name="full", *, ohms=(5.0, 50.0), volts=(3.0, 4.0)):
    states = [
        {
            "state_of_charge": float(place),
            "open_circuit_voltage_V": volt,
            "area_specific_resistance_ohm_cm2": ohm,
            "layers": [{"material": "Li"}, {"material": "LLZO"}, {"material": "LiCoO2"}],
            "stability_violations": [{"material": "LLZO"}] if place else [],
        }
        for place, (ohm, volt) in enumerate(zip(ohms, volts, strict=True))
    ]
    return {"cell": name, "temperature_K": 300.0, "states": states}


def test_contacts_by_condition_and_order(settings):
    with Database.open(settings, write=True) as database:
        database.save_contact(contact("Li", "LLZO", ohm=0.5, barrier=3.6))
        database.save_contact(contact("Li", "LiF", ohm=20.0, barrier=5.6))
        database.save_contact(contact("LiF", "LLZO", ohm=0.1, barrier=None))
        database.save_contact(contact("LLZO", "LiCoO2", ohm=None, barrier=1.2))
    with Database.open(settings) as database:
        fitting = database.rows("contacts", "space_charge < 1 and electron_barrier_eV > 1")
        assert [(row["left"], row["right"]) for row in fitting] == [("Li", "LLZO")]
        ordered = database.rows("contacts", sort="resistance")
        assert [row["resistance_ohm_cm2"] for row in ordered] == [0.1, 0.5, 20.0, None]
        first = database.rows("contacts", sort="-resistance_ohm_cm2", limit=1)
        assert [row["right"] for row in first] == ["LiF"]
        assert all(list(row) == list(COLUMNS["contacts"]) for row in ordered)


def test_a_condition_on_a_cell_is_about_one_state_of_charge(settings):
    with Database.open(settings, write=True) as database:
        database.save_cell(cell())
        found = database.rows("cells", "resistance < 10")
        assert [row["state_of_charge"] for row in found] == [0.0]
        # each part holds at some state of charge, both at none
        assert database.rows("cells", "resistance < 10 and open_circuit_voltage > 3.5") == []
        [row] = database.rows("cells", "not mu_within_windows and 'LLZO' in layers")
        assert row["state_of_charge"] == 1.0
        assert row["layers"] == ["Li", "LLZO", "LiCoO2"]


def test_a_cell_beyond_a_window_is_nowhere_called_stable(settings):
    """Both electrodes are beyond LiPON's window, while mu in LiPON is held within it."""
    layers = [{"material": name, "thickness_nm": 1000.0} for name in ("Li", "LiPON", "LiCoO2")]
    found = interohm.predict_cell({"name": "film", "layers": layers}, samples=0)
    with Database.open(settings, write=True) as database:
        database.save_cell(found.document())
        row = database.rows("cells")[0]
    assert row["outside_of_model"] is True
    assert row["mu_within_windows"] is True
    assert not any("stable" in column for columns in COLUMNS.values() for column in columns)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"where": "resistence < 1"}, "did you mean resistance_ohm_cm2"),
        ({"where": "resistance <"}, "not understood"),
        ({"sort": "-resistence"}, "did you mean resistance_ohm_cm2"),
    ],
)
def test_names_that_are_no_columns(tmp_path, asked, says):
    with Database.open(Settings(data=tmp_path)) as database, pytest.raises(InputError) as caught:
        database.rows("contacts", **asked)
    assert says in str(caught.value)


def test_materials_say_elements_limits_and_what_is_assumed(settings):
    with Database.open(settings, write=True) as database:
        for name in shipped_names():
            database.save_material(shipped_material(name))
        found = {row["name"]: row for row in database.rows("materials")}
        assert set(found) == set(shipped_names())
        assert found["LiF_001"]["elements"] == ["F", "Li"]
        assert found["LiCoO2"]["elements"] == ["Co", "Li", "O"]
        assert found["LLZO"]["elements"] is None  # neither a structure nor a formula
        assert found["LiF"]["reduction_limit_V"] < found["LiF"]["oxidation_limit_V"]
        assert 3 < found["LiCoO2"]["lowest_voltage_V"] < found["LiCoO2"]["highest_voltage_V"] < 5
        with_cobalt = database.rows("materials", "'Co' in elements")
        assert "LiCoO2" in [row["name"] for row in with_cobalt]
        insulators = database.rows("materials", "kind == 'insulator' and band_gap > 8")
        assert "LiF" in [row["name"] for row in insulators]


def test_calculations_have_a_formula(tmp_path):
    from interohm.workflows.calculations import find_calculation

    slab = shipped_material("LiF_001").provenance["calculations"]["slab"]
    with Database.open(Settings(data=tmp_path), write=True) as database:
        calculation = find_calculation(database, slab)
        database.save_calculation(calculation.model_dump())
        [row] = database.rows("calculations", "formula == 'LiF' and engine == 'gpaw'")
        assert row["energy_eV"] == calculation.energy_eV
        # what the database adds does not reach whoever asks for the calculation
        assert find_calculation(database, calculation.hash) == calculation
        assert database.find_calculation(calculation.hash) == calculation.model_dump()


def test_a_prediction_knows_the_records_it_was_made_from(settings):
    lithium, llzo = shipped_material("Li"), shipped_material("LLZO")
    document = contact_document(lithium, llzo, samples=10)
    assert document["records"] == {"Li": material_hash(lithium), "LLZO": material_hash(llzo)}
    other = llzo.model_copy(update={"surface": "another"})
    assert material_hash(other) != material_hash(llzo)
    assert material_hash(type(llzo).model_validate(material_document(llzo))) == material_hash(llzo)
    [row] = rows_of("contacts", document)
    assert row["resistance_ohm_cm2"] == document["resistance"]["interface_resistance_ohm_cm2"]
    assert row["electron_barrier_eV"] == document["electrons"]["electron_barrier_eV"]
    missing = [column for column, value in row.items() if value is None]
    assert missing == [
        "thickness_nm",
        # nothing extrinsic is given, and LLZO has no energies of its phase diagram
        "reaction",
        "apparent_resistance_ohm_cm2",
        "layer_ohm_cm2",
        "reason",
        "conduction_band_step_eV",
        "valence_band_step_eV",
    ]


def save_as_first_version(database):
    """Write documents as the first version of the program did."""
    collection = database._backend.collection
    old = {"_id": "old", **contact("Li", "LiF", ohm=0.2)}
    collection("contacts").replace_one({"_id": "old"}, old, upsert=True)
    lithium = material_document(shipped_material("Li"))
    collection("materials").replace_one({"_id": "Li"}, {"_id": "Li", **lithium}, upsert=True)


def test_the_first_versions_documents_are_read_and_migrated(settings):
    with Database.open(settings, write=True) as database:
        save_as_first_version(database)
        database.save_contact(contact("Li", "LLZO", ohm=0.5))
    for migrated in (False, True):
        with Database.open(settings, write=migrated) as database:
            if migrated:
                done = database.migrate()
                assert {name: count for name, count in done.items() if count} == {
                    "materials": 1,
                    "contacts": 1,
                }
                assert sum(database.migrate().values()) == 0
            assert database.material("Li") == shipped_material("Li")
            rows = database.rows("contacts", "resistance < 1", sort="resistance")
            assert [row["right"] for row in rows] == ["LiF", "LLZO"]
            assert len(database.query("contacts")) == 2
            assert database.query("contacts", {"right": "LiF"})[0]["potential_drop_V"] == 1.5


def test_a_migration_goes_past_malformed_documents(settings):
    with Database.open(settings, write=True) as database:
        save_as_first_version(database)
        odd = {"_id": "odd", "cell": "odd", "states": [{"layers": "Li"}]}
        database._backend.collection("cells").insert_one(odd)
        with pytest.raises(InputError, match="cells, odd"):
            database.migrate()
        contact, record = database.query("contacts"), database.material("Li")
        assert len(contact) == 1
        assert record == shipped_material("Li")
        left = {"schema_version": None}
        counts = [database._backend.collection(name).count_documents(left) for name in COLLECTIONS]
        assert sum(counts) == 1  # the odd one


def test_later_versions_are_refused(settings):
    with Database.open(settings, write=True) as database:
        database.save_contact(contact())
        database.save_material(shipped_material("Li"))
        database.save_calculation({"hash": "abc", "energy_eV": 1.0})
        for name in COLLECTIONS:
            opened = database._backend.collection(name)
            for document in list(opened.find({})):
                later = {**document, schema.VERSION_FIELD: schema.VERSION + 1}
                opened.replace_one({"_id": document["_id"]}, later)
        for ask in (
            lambda: database.query("contacts"),
            lambda: database.rows("contacts", "resistance > 0"),
            lambda: database.material("Li"),
            lambda: database.find_calculation("abc"),
        ):
            with pytest.raises(InputError, match="update interohm"):
                ask()
        # and a migration leaves them alone
        assert sum(database.migrate().values()) == 0


def test_profiles_that_are_gone_or_damaged(tmp_path):
    with Database.open(Settings(data=tmp_path), write=True) as database:
        database.save_contact(contact())
        [before] = database.query("contacts")
        database.save_contact(contact())
        with pytest.raises(InputError, match="replaced meanwhile"):
            database.with_profiles(before)
        [found] = database.query("contacts")
        blob = found["profiles_blob"]
        whole = database._backend.get_blob(blob)
        for damage in (b"", b"no gzip", whole[:20]):
            database._backend.put_blob(blob, damage)
            with pytest.raises(InputError, match="damaged"):
                database.with_profiles(found)


def test_rows_are_plain_json(settings):
    with Database.open(settings, write=True) as database:
        database.save_contact(contact())
        database.save_cell(cell())
        for name in COLLECTIONS:
            json.dumps(database.rows(name), allow_nan=False)
