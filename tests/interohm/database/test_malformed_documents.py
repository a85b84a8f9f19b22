"""Documents of any shape: rows, provenance and pages, or a clear error."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interohm.database import COLLECTIONS, Database, schema
from interohm.database.rows import COLUMNS, kind_of
from interohm.database.schema import well_formed
from interohm.errors import InputError
from interohm.explorer.selection import diagram, key_of, parts_of, selected
from interohm.lineage import origins
from interohm.settings import Settings

FIELDS = (
    *("cell", "left", "right", "name", "kind", "hash", "states", "layers", "contacts", "profile"),
    *("temperature_K", "state_of_charge", "resistance", "quantiles", "electrons", "structure"),
    *("material", "sites", "species", "element", "occu", "records", "value", "rows"),
    *(
        "schema_version",
        "stability_window_V",
        "interface_resistance_ohm_cm2",
        "reason",
        "profiles_blob",
    ),
)


def shapes():
    plain = st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from(["Li", "LLZO", "", "metal", "insulator"]),
        st.integers(-3, 3),
        st.floats(-5, 500, allow_nan=False),
    )
    return st.recursive(
        plain,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
        ),
        max_leaves=12,
    )


def documents():
    return st.dictionaries(st.sampled_from(FIELDS), shapes(), max_size=8)


@settings(max_examples=150, deadline=None)
@given(document=documents(), collection=st.sampled_from(COLLECTIONS))
def test_rows_are_of_their_kind_or_the_document_is_refused(document, collection):
    with contextlib.suppress(InputError):
        for row in schema.stored_rows(collection, document, where="test"):
            assert list(row) == list(COLUMNS[collection])
            for column, value in row.items():
                kind = (int, float) if kind_of(column) is float else kind_of(column)
                assert value is None or isinstance(value, kind)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(document=documents(), collection=st.sampled_from(["contacts", "cells"]))
def test_questions_about_any_document(folder, document, collection):
    names = {"contacts": {"left": "Li", "right": "LLZO"}, "cells": {"cell": "Li"}}[collection]
    stored = {**document, **names, "_id": "odd"}
    with Database.open(folder, write=True) as database:
        database._backend.collection(collection).replace_one({"_id": "odd"}, stored, upsert=True)
        with contextlib.suppress(InputError):
            origins(database, "Li" if collection == "cells" else "Li|LLZO")
        with contextlib.suppress(InputError):
            for row in database.rows(collection):
                chosen = selected(database, collection, key_of(collection, row))
                with well_formed("page"):
                    diagram(chosen, "light")
                    parts_of(chosen)
        with contextlib.suppress(InputError):
            database.migrate()
        database._backend.collection(collection).delete_one({"_id": "odd"})


@pytest.fixture
def folder(tmp_path):
    return Settings(data=tmp_path / "data")
