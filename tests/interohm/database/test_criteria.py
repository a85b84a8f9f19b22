"""MongoDB's criteria on a folder: the documents that a server finds."""

from __future__ import annotations

import re

import pytest

from interohm.database.criteria import matcher
from interohm.database.folder import Folder

DOCUMENTS = [
    {"a": 1, "b": {"c": [1, 2, 3], "d": "text"}, "e": [{"f": 1, "g": 1}, {"f": 2, "g": 2}]},
    {"a": 2.5, "b": {"c": [], "d": "Other"}, "e": [{"f": 2, "g": 1}]},
    {"a": None, "b": {"c": 7}, "e": []},
    {"b": None, "t": True, "l": ["x", "y"]},
    {"a": "1", "t": False, "l": ["y"], "n": 2**40},
    {"a": [1, "1", None], "b": [{"d": "text"}, {"c": 5}]},
]

CASES = [
    {},
    {"a": 1},
    {"a": 1.0},
    {"a": None},
    {"a": "1"},
    {"a": {"$eq": [1, "1", None]}},
    {"a": {"$ne": 1}},
    {"a": {"$ne": None}},
    {"a": {"$gt": 1}},
    {"a": {"$gte": 1, "$lt": 2.5}},
    {"a": {"$lt": "2"}},
    {"a": {"$in": [1, "1"]}},
    {"a": {"$in": [None, 2.5]}},
    {"a": {"$nin": [1, None]}},
    {"a": {"$exists": True}},
    {"a": {"$exists": False}},
    {"a": {"$not": {"$gt": 1}}},
    {"a": {"$type": "string"}},
    {"t": True},
    {"t": {"$ne": True}},
    {"t": {"$gte": False}},
    {"b.c": 2},
    {"b.c": {"$gt": 2}},
    {"b.c": {"$size": 3}},
    {"b.c": {"$size": 0}},
    {"b.c": {"$all": [1, 3]}},
    {"b.c": {"$elemMatch": {"$gt": 1, "$lt": 3}}},
    {"b.c": {"$exists": True}},
    {"b.c.1": 2},
    {"b.d": {"$regex": "^t"}},
    {"b.d": {"$regex": "^T", "$options": "i"}},
    {"b.d": {"$not": {"$regex": "^O"}}},
    {"b.1.c": 5},
    {"e.f": 2},
    {"e.f": 2, "e.g": 1},
    {"e": {"$elemMatch": {"f": 2, "g": 1}}},
    {"e": {"$elemMatch": {"f": {"$gt": 1}, "$or": [{"g": 1}, {"g": 5}]}}},
    {"l": "x"},
    {"l": ["y"]},
    {"l": {"$in": ["x", "q"]}},
    {"l": {"$nin": ["x"]}},
    {"n": {"$gt": 2**39}},
    {"n": {"$mod": [1024, 0]}},
    {"$or": [{"a": 1}, {"t": True}]},
    {"$and": [{"a": {"$gt": 0}}, {"b.d": "text"}]},
    {"$nor": [{"a": 1}, {"t": True}]},
    {"$or": [{"$and": [{"a": 1}, {"b.c": 1}]}, {"l": "y"}]},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = Folder(tmp_path_factory.mktemp("folder"), write=True)
    made.collection("any").insert_many([{"_id": n, **one} for n, one in enumerate(DOCUMENTS)])
    yield made
    made.close()


def test_the_documents_that_a_server_finds(folder, use_server, server_uri, server_database):
    from pymongo import MongoClient

    asked = folder.collection("any")
    with MongoClient(server_uri) as client:
        server = client[server_database]["any"]
        server.insert_many([{"_id": n, **one} for n, one in enumerate(DOCUMENTS)])
        for criteria in CASES:
            expected = [one["_id"] for one in server.find(criteria, sort=[("_id", 1)])]
            assert [one["_id"] for one in asked.find(criteria)] == expected, criteria
            assert asked.count_documents(criteria) == len(expected), criteria
        for field in ("n", "t"):
            for way in (1, -1):
                order = [(field, way), ("_id", 1)]
                expected = [one["_id"] for one in server.find({}, sort=order)]
                assert [one["_id"] for one in asked.find({}, sort=order)] == expected, order
        for fields in ({"a": 1}, {"b.d": 1, "_id": 0}, {"a": 0}):
            assert list(asked.find({"_id": 0}, fields)) == list(server.find({"_id": 0}, fields))


def test_by_hand():
    """What MongoDB's manual says, without a server."""
    assert matcher({"a": {"$mod": [4, 1]}})({"a": 5})
    assert not matcher({"a": {"$mod": [4, 1]}})({"a": 6})
    assert matcher({"a": re.compile("b")})({"a": "abc"})
    assert not matcher({"a": True})({"a": 1})
    assert matcher({"e": {"$elemMatch": {"f": 1, "g": 1}}})(DOCUMENTS[0])
    assert not matcher({"e": {"$elemMatch": {"f": 1, "g": 2}}})(DOCUMENTS[0])
    assert matcher({"e.f": 1, "e.g": 2})(DOCUMENTS[0])


@pytest.mark.parametrize(
    "criteria",
    [
        {"$where": "1"},
        {"$expr": {"$gt": ["$a", 1]}},
        {"$and": 5},
        {"$or": []},
        {"a": {"$nonsense": 1}},
        {"a": {"$gt": 1, "b": 2}},
        {"a": {"$in": 1}},
        {"a": {"$regex": "a", "$options": "q"}},
        {"a": {"$options": "i"}},
        {"a": {"$mod": [0, 1]}},
        {"a": {"$mod": [1]}},
        {"a": {"$type": "nonsense"}},
        {"a": {"$not": 1}},
        {"a": {"$elemMatch": 1}},
        {"$where": {"$where": 1}},
        5,
    ],
)
def test_what_is_refused(criteria):
    with pytest.raises(ValueError, match=r"."):
        matcher(criteria)


def test_criteria_without_end_are_refused():
    criteria: dict = {"a": 1}
    for _ in range(1000):
        criteria = {"$and": [criteria]}
    with pytest.raises(ValueError, match="too deeply"):
        matcher(criteria)
