"""Conditions that people write, ``resistance < 1 and electron_barrier_eV > 1``.

One text is read once, by Python's own parser, into a tree of comparisons of fields with constants;
the tree becomes MongoDB criteria, SQL with parameters (DuckDB's or SQLite's), or is evaluated on a
mapping. Nothing of the text but names of known fields reaches SQL, and nothing of it is ever
executed.

A field that is missing or null makes every comparison with it unknown, and an unknown condition
does not hold, negated or not, as in SQL: ``not x < 1`` means ``x >= 1``. Whether a field is there
asks ``x is None``. All readings of a tree agree.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from interohm.database.columns import resolve_column, unknown_column
from interohm.errors import InputError

Constant: TypeAlias = str | int | float | bool

_MAX_LENGTH = 10_000
_MAX_DEPTH = 50
_INT64 = 2**63

_GRAMMAR = (
    "compare fields with numbers or texts by < <= > >= == != in, and join with and, or, not, as in "
    "\"space_charge < 1 and left in ['Li', 'LiC6']\""
)

_SYMBOLS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
#: The same comparison with its sides exchanged.
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_NEGATED = {
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
    "==": "!=",
    "!=": "==",
    "in": "not in",
    "not in": "in",
    "contains": "lacks",
    "lacks": "contains",
    "is null": "is not null",
    "is not null": "is null",
}
_MONGODB = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "==": "$eq", "in": "$in"}
_IN_WORDS: dict[type | None, str] = {
    float: "numbers",
    str: "texts",
    bool: "truth values",
    None: "values of this kind",
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Comparison:
    """One field against a constant.

    Parameters
    ----------
    column : str
        The known column that was meant.
    place : str
        Place of the value: the column itself, or a dotted path into a document.
    relation : str
        One of ``< <= > >= == !=``, ``in``, ``not in`` (a list of constants), ``contains``,
        ``lacks`` (the field is a list), ``is null``, ``is not null``.
    value : constant, tuple of constants, or None
        None where the relation has no right side.
    """

    column: str
    place: str
    relation: str
    value: Constant | tuple[Constant, ...] | None = None

    def mongodb(self) -> dict[str, Any]:
        """Return MongoDB's criteria."""
        if self.relation == "is null":
            return {self.place: None}
        if self.relation == "is not null":
            return {self.place: {"$ne": None}}
        if self.relation == "contains":
            return {self.place: {"$eq": self.value}}
        if self.relation in ("!=", "lacks"):
            return {self.place: {"$nin": [self.value, None]}}
        if self.relation == "not in":
            return {self.place: {"$nin": [*_tuple(self.value), None]}}
        value = list(_tuple(self.value)) if self.relation == "in" else self.value
        return {self.place: {_MONGODB[self.relation]: value}}

    def sql(self) -> tuple[str, list[Constant]]:
        """Return DuckDB's condition and its parameters."""
        name = '"' + self.place.replace('"', '""') + '"'
        if self.relation in ("is null", "is not null"):
            return f"{name} {self.relation.upper()}", []
        values = list(_tuple(self.value))
        if self.relation in ("contains", "lacks"):
            negated = "NOT " if self.relation == "lacks" else ""
            return f"{negated}list_contains({name}, ?)", values
        if isinstance(self.value, bool):
            # DuckDB would turn a number or a text into a truth value, or fail at it
            is_it = f"(typeof({name}) = 'BOOLEAN' AND CAST({name} AS VARCHAR) = ?)"
            negated = "NOT " if self.relation == "!=" else ""
            return f"{name} IS NOT NULL AND {negated}{is_it}", [str(self.value).lower()]
        if self.relation in ("in", "not in"):
            if not values:
                # nothing is in an empty list; a null is not outside of it either
                return ("FALSE" if self.relation == "in" else f"{name} IS NOT NULL"), []
            return f"{name} {self.relation.upper()} ({', '.join('?' * len(values))})", values
        symbol = {"==": "=", "!=": "<>"}.get(self.relation, self.relation)
        return f"{name} {symbol} ?", values

    def sqlite(self, lists: Collection[str]) -> tuple[str, list[Constant]]:
        """Return SQLite's condition and its parameters.

        Parameters
        ----------
        lists : collection of str
            The columns that hold lists, as JSON's text.
        """
        name = '"' + self.place.replace('"', '""') + '"'
        if self.relation in ("is null", "is not null"):
            return f"{name} {self.relation.upper()}", []
        values = list(_tuple(self.value))
        compared = "value" if self.column in lists else name
        if self.relation in _ORDER:
            text = f"{compared} {self.relation} ?"
        else:
            text = f"{compared} IN ({', '.join('?' * len(values))})"
        if self.column in lists:
            text = f"EXISTS (SELECT 1 FROM json_each({name}) WHERE {text})"
        if self.relation in ("!=", "not in", "lacks"):
            text = f"{name} IS NOT NULL AND NOT {text}"
        return text, values

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Return whether the condition is true of a mapping; of a list, one member must fit."""
        value = _value_at(row, self.place)
        if self.relation in ("is null", "is not null"):
            return (value is None) == (self.relation == "is null")
        if value is None:
            return False
        members = value if isinstance(value, (list, tuple)) else [value]
        constants = _tuple(self.value)
        if self.relation in ("==", "in", "contains"):
            return any(_equal(member, constant) for member in members for constant in constants)
        if self.relation in ("!=", "not in", "lacks"):
            return not any(_equal(member, constant) for member in members for constant in constants)
        order = _ORDER[self.relation]
        return any(_kind(m) is _kind(self.value) and order(m, self.value) for m in members)

    def columns(self) -> set[str]:
        """Return the columns that it asks."""
        return {self.column}


@dataclass(frozen=True)
class Junction:
    """Conditions joined by ``and`` (all of them) or ``or`` (any)."""

    every: bool
    parts: tuple[Condition, ...]

    def mongodb(self) -> dict[str, Any]:
        """Return MongoDB's criteria."""
        return {"$and" if self.every else "$or": [part.mongodb() for part in self.parts]}

    def sql(self) -> tuple[str, list[Constant]]:
        """Return DuckDB's condition and its parameters."""
        written = [part.sql() for part in self.parts]
        joined = (" AND " if self.every else " OR ").join(f"({text})" for text, _ in written)
        return joined, [value for _, values in written for value in values]

    def sqlite(self, lists: Collection[str]) -> tuple[str, list[Constant]]:
        """Return SQLite's condition and its parameters."""
        written = [part.sqlite(lists) for part in self.parts]
        joined = (" AND " if self.every else " OR ").join(f"({text})" for text, _ in written)
        return joined, [value for _, values in written for value in values]

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Return whether the condition is true of a mapping."""
        return (all if self.every else any)(part.holds(row) for part in self.parts)

    def columns(self) -> set[str]:
        """Return the columns that it asks."""
        return set().union(*(part.columns() for part in self.parts))


Condition: TypeAlias = Comparison | Junction


def parse_where(
    text: str,
    known: Mapping[str, str] | Collection[str],
    *,
    kinds: Callable[[str], type | None] = lambda column: None,
    where: str = "--where",
) -> Condition:
    """Read a condition.

    Parameters
    ----------
    text : str
        As ``"space_charge < 1 and 300 <= temperature <= 350 and 'Co' not in elements"``.
    known : mapping or collection of str
        The columns that may be asked, or their places in a document by column. A name fits a
        column without its unit, too.
    kinds : callable, optional
        Says of a column what it holds: str, list (of str), bool, int or float; None: unknown. What
        is compared with something else is refused.
    where : str
        Place to name in errors.

    Returns
    -------
    Comparison or Junction
        With the methods ``mongodb()``, ``sql()``, ``sqlite(lists)`` and ``holds(mapping)``.

    Raises
    ------
    InputError
        With the position in the text, and the fields that there are.
    """
    columns = dict(known) if isinstance(known, Mapping) else {name: name for name in known}
    line = " ".join(text.splitlines()).strip()
    if not line:
        raise InputError("the condition is empty", where=where, fix=_GRAMMAR)
    if len(line) > _MAX_LENGTH:
        raise InputError(
            f"the condition has more than {_MAX_LENGTH} characters", where=where, fix=_GRAMMAR
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(line, mode="eval").body
    except SyntaxError as error:
        position = f" at character {error.offset}" if error.offset else ""
        raise InputError(
            f"not understood{position}: {error.msg}", where=where, fix=_GRAMMAR
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise InputError("not understood", where=where, fix=_GRAMMAR) from None
    return _Reader(line, columns, where, kinds).condition(tree, negated=False, depth=0)


class _Reader:
    """Translator of Python's syntax tree into conditions; everything else is refused."""

    def __init__(
        self,
        text: str,
        columns: Mapping[str, str],
        where: str,
        kinds: Callable[[str], type | None],
    ) -> None:
        self.text, self.columns, self.where, self.kinds = text, columns, where, kinds
        self._by_place = {path: column for column, path in columns.items()}

    def condition(self, node: ast.expr, *, negated: bool, depth: int) -> Condition:
        if depth > _MAX_DEPTH:
            raise self.refused(node, "conditions are nested too deeply")
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.condition(node.operand, negated=not negated, depth=depth + 1)
        if isinstance(node, ast.BoolOp):
            parts = [
                self.condition(value, negated=negated, depth=depth + 1) for value in node.values
            ]
            return Junction(isinstance(node.op, ast.And) != negated, tuple(parts))
        if isinstance(node, ast.Compare):
            return self.comparisons(node, negated=negated)
        if isinstance(node, (ast.Name, ast.Attribute)):
            # a field alone asks whether it is true
            column, path = self.field(node)
            if self.kinds(column) not in (bool, None):
                raise self.refused(node, f"{column} is neither true nor false: compare it")
            return Comparison(column, path, "!=" if negated else "==", True)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
            word = "and" if isinstance(node.op, ast.BitAnd) else "or"
            raise self.refused(node, f"conditions are joined by the word {word!r}")
        raise self.refused(node, f"{self.source(node)!r} is not a comparison")

    def comparisons(self, node: ast.Compare, *, negated: bool) -> Condition:
        """Read a comparison, or a chain of them, ``1 < x < 2``."""
        sides = [node.left, *node.comparators]
        found: list[Condition] = []
        for left, relation, right in zip(sides[:-1], node.ops, sides[1:], strict=True):
            read = self.comparison(left, _SYMBOLS[type(relation)], right, node)
            if negated:
                read = Comparison(read.column, read.place, _NEGATED[read.relation], read.value)
            found.append(read)
        return found[0] if len(found) == 1 else Junction(not negated, tuple(found))

    def comparison(
        self, left: ast.expr, symbol: str, right: ast.expr, whole: ast.Compare
    ) -> Comparison:
        left_is_field, right_is_field = _is_name(left), _is_name(right)
        if left_is_field == right_is_field:
            what = "two fields are compared" if left_is_field else "no field is compared"
            raise self.refused(whole, f"{what} in {self.source(whole)!r}")
        column, path = self.field(left if left_is_field else right)
        other = right if left_is_field else left
        if symbol in ("is", "is not"):
            if not (isinstance(other, ast.Constant) and other.value is None):
                raise self.refused(other, f"None cannot be compared by {symbol!r}; write == or !=")
            return Comparison(column, path, f"{symbol} null")
        if symbol in ("in", "not in"):
            if right_is_field:
                contains = "contains" if symbol == "in" else "lacks"
                return Comparison(column, path, contains, self.fitting(column, other, list))
            if not isinstance(other, (ast.List, ast.Tuple, ast.Set)):
                raise self.refused(other, f"a list in brackets was expected after {symbol!r}")
            constants = tuple(self.fitting(column, each) for each in other.elts)
            return Comparison(column, path, symbol, constants)
        return Comparison(
            column,
            path,
            symbol if left_is_field else _MIRRORED[symbol],
            self.fitting(column, other),
        )

    def fitting(self, column: str, node: ast.expr, asked: type | None = None) -> Constant:
        """Return a constant that a column's values can be compared with."""
        constant, kind = self.constant(node), self.kinds(column)
        if kind is None:
            return constant
        if asked is list and kind is not list:
            raise self.refused(node, f"{column} is not a list")
        holds = {int: float, list: str}.get(kind, kind)
        if _kind(constant) is not holds:
            raise self.refused(
                node, f"{column} holds {_IN_WORDS[holds]}, not {_IN_WORDS[_kind(constant)]}"
            )
        return constant

    def field(self, node: ast.expr) -> tuple[str, str]:
        """Return the column that a name means, and its place."""
        name = self.dotted(node)
        column = resolve_column(name, self.columns) or self._by_place.get(name)
        if column is None:
            at = f" at character {self.character(node)}"
            raise unknown_column(name, self.columns, where=self.where, at=at)
        return column, self.columns[column]

    def dotted(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute):
            return f"{self.dotted(node.value)}.{node.attr}"
        raise self.refused(node, f"{self.source(node)!r} is not the name of a field")

    def constant(self, node: ast.expr) -> Constant:
        sign = 1
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            sign = -1 if isinstance(node.op, ast.USub) else 1
            node = node.operand
            if not isinstance(node, ast.Constant) or _kind(node.value) is not float:
                raise self.refused(node, "a number was expected")
        if isinstance(node, ast.Constant):
            value = node.value
            if isinstance(value, str) and value.isprintable():
                return value
            if isinstance(value, bool):
                return value
            if isinstance(value, float):
                return sign * value
            if isinstance(value, int):
                # no database has larger integers
                return sign * value if value < _INT64 else sign * _float(value)
            if value is None:
                raise self.refused(node, "whether a field is missing is asked by 'is None'")
        raise self.refused(node, f"a number or a text was expected, not {self.source(node)!r}")

    def source(self, node: ast.expr) -> str:
        segment = ast.get_source_segment(self.text, node) or ""
        return segment if len(segment) <= 60 else f"{segment[:57]}..."

    def character(self, node: ast.expr) -> int:
        """Return where a part begins, counted from 1 (the parser counts bytes)."""
        return len(self.text.encode()[: node.col_offset].decode()) + 1

    def refused(self, node: ast.expr, what: str) -> InputError:
        return InputError(
            f"{what}, at character {self.character(node)}", where=self.where, fix=_GRAMMAR
        )


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, (ast.Name, ast.Attribute))


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _tuple(value: Any) -> Sequence[Constant]:
    return value if isinstance(value, tuple) else (value,)


def _kind(value: Any) -> type | None:
    """Return what a value compares with: numbers, texts and truth values only with their like."""
    if isinstance(value, bool):
        return bool
    if isinstance(value, (int, float)):
        return float
    return str if isinstance(value, str) else None


def _equal(value: Any, constant: Constant) -> bool:
    return _kind(value) is _kind(constant) and bool(value == constant)


def _value_at(row: Mapping[str, Any], path: str) -> Any:
    """Return the value at a place; None where there is none, or a NaN."""
    value: Any = row
    if path in row:
        value = row[path]
    else:
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    return None if isinstance(value, float) and math.isnan(value) else value
