"""MongoDB's criteria on documents of a folder, which has no server to ask.

Those operators are known that answer a question about a document's own values. None of them runs
code: ``$where``, ``$expr`` and the like are refused.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

Test: TypeAlias = Callable[[Any], bool]

#: Stands for the value of a field that is not there.
_MISSING = object()

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}

#: BSON's types by name and by number; the order of values of different types.
_TYPES: dict[str, tuple[int, int, Callable[[Any], bool]]] = {
    "null": (10, 0, lambda value: value is None),
    "double": (1, 1, lambda value: isinstance(value, float)),
    "int": (16, 1, lambda value: type(value) is int and -(2**31) <= value < 2**31),
    "long": (18, 1, lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "string": (2, 2, lambda value: isinstance(value, str)),
    "object": (3, 3, lambda value: isinstance(value, Mapping)),
    "array": (4, 4, lambda value: isinstance(value, list)),
    "binData": (5, 5, lambda value: isinstance(value, bytes)),
    "objectId": (7, 6, lambda value: type(value).__name__ == "ObjectId"),
    "bool": (8, 7, lambda value: isinstance(value, bool)),
    "date": (9, 8, lambda value: isinstance(value, datetime)),
}
_OTHER_TYPE = 9
_DEPTH = 50


def matcher(criteria: Mapping[str, Any], *, depth: int = 0) -> Test:
    """Return the test of a document that MongoDB's criteria mean.

    Raises
    ------
    ValueError
        An operator that is not known, or what it cannot take.
    """
    if not isinstance(criteria, Mapping):
        raise ValueError(f"criteria are an object, not {_shown(criteria)}")
    if depth > _DEPTH:
        raise ValueError("criteria are nested too deeply")
    tests = [_clause(field, asked, depth + 1) for field, asked in criteria.items()]
    return lambda document: all(test(document) for test in tests)


def sort_key(field: str, direction: int) -> Callable[[Mapping[str, Any]], tuple[int, Any]]:
    """Return the key by which documents are sorted, in BSON's order of types.

    Parameters
    ----------
    field : str
        A dotted path.
    direction : {1, -1}
        In a list, the smallest member (1) or the largest (-1) counts.
    """
    chosen = min if direction > 0 else max

    def key(document: Mapping[str, Any]) -> tuple[int, Any]:
        found = [
            _ordered(each)
            for value in _values(document, field.split("."))
            for each in (value if isinstance(value, list) and value else [value])
        ]
        return chosen(found)

    return key


def _clause(field: str, asked: Any, depth: int) -> Test:
    if field in ("$and", "$or", "$nor"):
        if not isinstance(asked, Sequence) or isinstance(asked, str) or not asked:
            raise ValueError(f"{field} takes a list of criteria, not {_shown(asked)}")
        parts = [matcher(part, depth=depth) for part in asked]
        if field == "$and":
            return lambda document: all(part(document) for part in parts)
        if field == "$or":
            return lambda document: any(part(document) for part in parts)
        return lambda document: not any(part(document) for part in parts)
    if not isinstance(field, str) or field.startswith("$"):
        raise ValueError(f"unknown operator {field!r}")
    test, steps = _test_of(asked, depth), field.split(".")
    return lambda document: test(_values(document, steps))


def _test_of(asked: Any, depth: int) -> Test:
    """Return the test of the values at a field: of a plain value, or by operators."""
    if isinstance(asked, re.Pattern):
        return _operator("$regex", asked, depth)
    if not _has_operators(asked):
        return _operator("$eq", asked, depth)
    operators = dict(asked)
    if "$options" in operators:
        if "$regex" not in operators:
            raise ValueError("$options needs a $regex")
        operators["$regex"] = _pattern(operators["$regex"], operators.pop("$options"))
    tests = [_operator(name, value, depth) for name, value in operators.items()]
    return lambda values: all(test(values) for test in tests)


def _operator(name: str, asked: Any, depth: int) -> Test:
    if depth > _DEPTH:
        raise ValueError("criteria are nested too deeply")
    if name == "$eq":
        return lambda values: any(_equal(each, asked) for each in _with_members(values))
    if name in ("$ne", "$nin"):
        opposite = _operator({"$ne": "$eq", "$nin": "$in"}[name], asked, depth)
        return lambda values: not opposite(values)
    if name == "$in":
        tests = [_test_of(each, depth + 1) for each in _list(name, asked)]
        return lambda values: any(test(values) for test in tests)
    if name in _ORDER:
        compare, kind = _ORDER[name], _rank(asked)
        return lambda values: any(
            _rank(each) == kind and compare(_ordered(each), _ordered(asked))
            for each in _with_members(values)
        )
    if name == "$exists":
        return lambda values: any(each is not _MISSING for each in values) == bool(asked)
    if name == "$not":
        if not (_has_operators(asked) or isinstance(asked, re.Pattern)):
            raise ValueError("$not takes operators or a regular expression")
        inner = _test_of(asked, depth + 1)
        return lambda values: not inner(values)
    if name == "$regex":
        pattern = _pattern(asked, "")
        return lambda values: any(
            isinstance(each, str) and pattern.search(each) is not None
            for each in _with_members(values)
        )
    if name == "$all":
        every = [_test_of(each, depth + 1) for each in _list(name, asked)]
        return lambda values: bool(every) and all(test(values) for test in every)
    if name == "$elemMatch":
        return _of_a_member(asked, depth)
    if name == "$size":
        return lambda values: any(isinstance(each, list) and len(each) == asked for each in values)
    if name == "$type":
        types = [_type(each) for each in (asked if isinstance(asked, list) else [asked])]
        return lambda values: any(test(each) for each in _with_members(values) for test in types)
    if name == "$mod":
        divisor, remainder = _list(name, asked)
        if int(divisor) == 0:
            raise ValueError("$mod takes no divisor of zero")
        return lambda values: any(
            _rank(each) == 1 and int(each) % int(divisor) == int(remainder)
            for each in _with_members(values)
        )
    raise ValueError(f"unknown operator {name!r}")


def _of_a_member(asked: Any, depth: int) -> Test:
    """Return the test whether a member of a list fits: by operators, or as a document."""
    if not isinstance(asked, Mapping):
        raise ValueError("$elemMatch takes criteria")
    if _has_operators(asked) and not {"$and", "$or", "$nor"} & set(asked):
        of_a_value = _test_of(asked, depth + 1)
        return lambda values: any(
            of_a_value([member]) for each in values if isinstance(each, list) for member in each
        )
    of_a_document = matcher(asked, depth=depth + 1)
    return lambda values: any(
        isinstance(member, Mapping) and of_a_document(member)
        for each in values
        if isinstance(each, list)
        for member in each
    )


def _values(value: Any, steps: Sequence[str]) -> list[Any]:
    """Return what stands at a path; of a list of documents that of each."""
    if not steps:
        return [value]
    step, rest = steps[0], steps[1:]
    if isinstance(value, Mapping):
        return _values(value[step], rest) if step in value else [_MISSING]
    if not isinstance(value, list):
        return [_MISSING]
    found = [each for one in value if isinstance(one, Mapping) for each in _values(one, steps)]
    if step.isdecimal() and int(step) < len(value):
        found += _values(value[int(step)], rest)
    return found or [_MISSING]


def _with_members(values: list[Any]) -> list[Any]:
    return [*values, *(member for each in values if isinstance(each, list) for member in each)]


def _equal(value: Any, asked: Any) -> bool:
    if asked is None:
        return value is None or value is _MISSING
    return _rank(value) == _rank(asked) and bool(value == asked)


def _rank(value: Any) -> int:
    if value is _MISSING:
        return 0
    return next((rank for _, rank, is_it in _TYPES.values() if is_it(value)), _OTHER_TYPE)


def _ordered(value: Any) -> tuple[int, Any]:
    """Return what orders a value among others, of its type or another."""
    rank = _rank(value)
    if rank == 0:
        return rank, 0
    return rank, (str(value) if isinstance(value, (Mapping, list)) or rank > 8 else value)


def _has_operators(asked: Any) -> bool:
    return isinstance(asked, Mapping) and any(str(name).startswith("$") for name in asked)


def _list(name: str, asked: Any) -> Sequence[Any]:
    if not isinstance(asked, (list, tuple)):
        raise ValueError(f"{name} takes a list, not {_shown(asked)}")
    return asked


def _pattern(asked: Any, options: Any) -> re.Pattern[str]:
    if isinstance(asked, re.Pattern):
        return asked
    flags = {"i": re.I, "m": re.M, "x": re.X, "s": re.S}
    if not isinstance(asked, str) or not isinstance(options, str) or set(options) - set(flags):
        raise ValueError("$regex takes a text, and $options letters of i, m, x and s")
    return re.compile(asked, sum(flags[letter] for letter in set(options)))


def _type(asked: Any) -> Test:
    if asked == "number":
        return lambda value: _rank(value) == 1
    for name, (number, _, is_it) in _TYPES.items():
        if asked in (name, number) and not isinstance(asked, bool):
            return is_it
    raise ValueError(f"$type does not know {_shown(asked)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
