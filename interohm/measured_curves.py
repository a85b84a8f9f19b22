"""Curves that people measured, read from tables of text.

One column is found for each axis, by its name where columns have names. Units in headings, in a
row below them or in cells are understood; a table that can be read in two ways is refused with the
line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interohm.errors import InputError
from interohm.text_tables import COMMA_NUMBER, MISSING, NUMBER, read_text, split_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Of one unit, in nm or in V.
LENGTHS_NM: Mapping[str, float] = {
    "nm": 1.0,
    **dict.fromkeys(("µm", "μm", "um", "micron", "microns"), 1e3),
    "mm": 1e6,
    "cm": 1e7,
    "m": 1e9,
    **dict.fromkeys(("Å", "Å", "A", "angstrom", "Angstrom"), 0.1),
    "pm": 1e-3,
}
POTENTIALS_V: Mapping[str, float] = {
    **dict.fromkeys(("V", "volt", "volts", "Volt"), 1.0),
    "eV": 1.0,
    **dict.fromkeys(("mV", "meV"), 1e-3),
    **dict.fromkeys(("µV", "μV", "uV"), 1e-6),
}

#: Words that end a heading, in lower case: units that are not converted. Without them ``x_inch``
#: would be a name, and its numbers nm.
_OTHER_UNITS = frozenset(
    (
        *("in", "inch", "inches", "mil", "mils", "thou", "ft", "feet", "foot", "yd"),
        *("km", "dm", "fm", "bohr", "px", "pixel", "pixels"),
        *("kv", "nv", "pv", "kev", "ev/e", "ry", "rydberg", "ha", "hartree"),
        *("j", "kj", "mj", "kj/mol", "kcal/mol", "a.u.", "arb", "arb.", "%", "deg", "rad"),
        *("ms", "us", "ns", "hz", "khz", "mhz", "pa", "ua", "ma", "nn"),
    )
)

_COMMENTS = "#%!"
_UNCERTAINTIES = frozenset(
    (
        "err",
        "error",
        "errors",
        "sigma",
        "σ",
        "std",
        "stdev",
        "sd",
        "se",
        "sem",
        "uncertainty",
        "unc",
    )
)


@dataclass(frozen=True)
class Axis:
    """Quantity and unit of one column.

    Parameters
    ----------
    name : str
        In messages.
    names : tuple of str
        Names of columns, lower case, without units.
    units : mapping of str to float
        Each in that of the result.
    unit : str
        Unit of the result, and of a column that names none.
    opposite : mapping of str to str
        Names of columns that hold a constant minus the quantity, each with the reason in words:
        their values change sign.
    unlike : mapping of str to str
        Words in the name of a column that is something else, each with what to do about it.
    ambiguous_units, ambiguous : tuple of str
        Units, and words in the names of columns without a unit, that do not tell the quantity from
        its opposite.
    """

    name: str
    names: tuple[str, ...]
    units: Mapping[str, float]
    unit: str
    opposite: Mapping[str, str] = field(default_factory=dict)
    unlike: Mapping[str, str] = field(default_factory=dict)
    ambiguous_units: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """Return all names by which a column is found."""
        return (*self.names, *self.opposite)


@dataclass(frozen=True)
class MeasuredCurve:
    """A curve in the units of its axes.

    Parameters
    ----------
    x, y : array (points,)
    y_uncertainty : array (points,), optional
        Standard uncertainty; None where the table has none.
    source : str
        The file.
    columns : tuple of str
        Interpretation of each column of the table, in words.
    y_reversed : bool
        Whether the table has the opposite of y, whose sign was changed.
    gaps : int
        Number of lines that are left out, since a number is missing.
    """

    x: Array
    y: Array
    y_uncertainty: Array | None
    source: str
    columns: tuple[str, ...] = ()
    y_reversed: bool = False
    gaps: int = 0


@dataclass(frozen=True)
class _Row:
    line: int
    cells: list[str]


@dataclass(frozen=True)
class _Column:
    place: int
    unit: str | None
    opposite: str | None = None


def read_curve(path: Path, x: Axis, y: Axis) -> MeasuredCurve:
    """Read a measured curve from a table of text.

    Columns are separated by commas, semicolons, tabs or blanks; with anything but commas between
    columns, numbers may have decimal commas. The text is UTF-8, UTF-16 or Latin-1. Rows with a
    value ``nan`` are gaps, and counted.

    Parameters
    ----------
    path : Path
    x, y : Axis

    Raises
    ------
    InputError
        The file cannot be read, holds fewer than two points or more gaps than points, or is
        ambiguous; with its line.
    """
    return _Reader(path, x, y).curve()


class _Reader:
    """One table, while it is read."""

    def __init__(self, path: Path, x: Axis, y: Axis) -> None:
        self.path, self.x, self.y = path, x, y
        self.units = {**x.units, **y.units}
        self.example = f"{x.names[0]}_{x.unit},{y.names[0]}_{y.unit}"
        self.decimal_comma = False
        #: The first row with a decimal comma, and with a point.
        self.marks: dict[str, _Row] = {}
        #: Of columns without a unit of their own: the first cell without one, and in another one
        #: than usual.
        self.bare: dict[int, _Row] = {}
        self.scaled: dict[int, _Row] = {}

    def curve(self) -> MeasuredCurve:
        lines = [
            (number, line.strip())
            for number, line in enumerate(self._text().splitlines(), start=1)
            if line.strip()
        ]
        content = [
            (number, bare)
            for number, line in lines
            if line[0] not in _COMMENTS and (bare := line.split("#")[0].strip())
        ]
        separator = self._separator([line for _, line in content])
        self.decimal_comma = separator != ","
        if separator != " " and all(line.endswith(separator) for _, line in content):
            content = [(number, line.removesuffix(separator)) for number, line in content]
        rows = [_Row(number, split_cells(line, separator)) for number, line in content]
        first = next((index for index, row in enumerate(rows) if self._is_data(row)), len(rows))
        above, data = rows[:first], rows[first:]
        if not data:
            raise self._too_short()
        comments = [
            _Row(number, split_cells(line.lstrip(_COMMENTS + " \t"), separator))
            for number, line in lines
            if line[0] in _COMMENTS and number < data[0].line
        ]
        width = len(data[0].cells)
        for row in data:
            if len(row.cells) != width:
                raise self._error(
                    row,
                    f"{len(row.cells)} column{'s' * (len(row.cells) != 1)} where the first line of "
                    f"numbers has {width}",
                )
        names, units = self._headings(above, comments, width)
        columns = self._columns(names, units, data[0])
        points = [point for row in data if (point := self._point(row, columns)) is not None]
        self._check_whole()
        if (gaps := len(data) - len(points)) > len(points):
            first_gap = next(row for row in data if self._point(row, columns) is None)
            raise self._error(
                first_gap,
                f"{gaps} of {len(data)} lines have no number (this is the first): "
                f"{','.join(first_gap.cells)[:60]!r}",
                "write the missing numbers, or remove these lines",
            )
        if len(points) < 2:
            raise self._too_short()
        found = np.array(points, dtype=float)
        uncertainty = found[:, 2] if found.shape[1] > 2 else None
        y = -found[:, 1] if columns[1].opposite else found[:, 1]
        return MeasuredCurve(
            found[:, 0],
            y,
            uncertainty,
            str(self.path),
            self._taken(names, columns),
            y_reversed=columns[1].opposite is not None,
            gaps=gaps,
        )

    def _taken(self, names: _Row | None, columns: Sequence[_Column]) -> tuple[str, ...]:
        """Return what each column was taken for, and its unit."""
        told = []
        kinds = (self.x.name, self.y.name, "uncertainty")
        for kind, axis, column in zip(kinds, (self.x, self.y, self.y), columns, strict=False):
            heading = f"column {column.place + 1}" if names is None else names.cells[column.place]
            if column.unit is not None:
                unit = f"in {column.unit}"
            elif column.place in self.bare:
                unit = f"in {axis.unit}, since it names no unit"
            else:
                unit = "in the units of its cells"
            if column.opposite:
                unit += f", with its sign reversed ({column.opposite})"
            told.append(f"{kind}: {heading!r}, {unit}")
        return tuple(told)

    def _error(self, row: _Row, what: str, fix: str | None = None) -> InputError:
        return InputError(
            what,
            where=f"{self.path}, line {row.line}",
            fix=fix or f"give a heading such as {self.example}, and a number in each column",
        )

    def _too_short(self) -> InputError:
        return InputError(
            "the table has fewer than two points",
            where=str(self.path),
            fix=f"give a heading such as {self.example}, and two numbers in each line",
        )

    def _text(self) -> str:
        return read_text(self.path, fix=f"give a text file with a heading such as {self.example}")

    def _separator(self, lines: Sequence[str]) -> str:
        for separator in (";", "\t"):
            if any(separator in line for line in lines):
                return separator
        if not any("," in line for line in lines):
            return " "
        # 50,0 1,95 has decimal commas and blanks; 50, 1.95 has commas.
        numbers = [split_cells(line, " ") for line in lines if re.match(r'"?[+\-−]?[\d,]', line)]
        decimal = numbers and all(
            len(cells) > 1
            and all(re.fullmatch(COMMA_NUMBER, cell) and not cell.endswith(",") for cell in cells)
            for cells in numbers
        )
        return " " if decimal else ","

    def _is_data(self, row: _Row) -> bool:
        """Return whether every cell is a number, with or without a unit, or missing."""
        numbers = [self._number(cell) is not None for cell in row.cells]
        return any(numbers) and all(
            number or not cell or cell.lower() in MISSING
            for number, cell in zip(numbers, row.cells, strict=True)
        )

    def _number(self, cell: str) -> tuple[float, str] | None:
        """Return a cell's number and its unit, empty where it has none."""
        pattern = f"{NUMBER}|{COMMA_NUMBER}" if self.decimal_comma else NUMBER
        match = re.fullmatch(rf"({pattern})\s*([^\d\s.,;+\-]*)", cell.replace("−", "-"))
        if match is None or (match[2] and match[2] not in self.units):
            return None
        return float(match[1].replace(",", ".")), match[2]

    def _headings(
        self, above: Sequence[_Row], comments: Sequence[_Row], width: int
    ) -> tuple[_Row | None, _Row | None]:
        """Return the row of names and that of units, of those above the numbers."""
        names: _Row | None = None
        units: _Row | None = None
        for row in above:
            if len(row.cells) != width:
                self._check_remark(row)
            elif any(row.cells) and all(
                not cell or self._is_unit(cell.strip("()[] ")) for cell in row.cells
            ):
                units = row
            else:
                names = row
        for row in comments:
            if names is None and len(row.cells) == width and self._names_in(row.cells):
                names = row
            elif row is not names:
                self._check_remark(row)
        return names, units

    def _names_in(self, cells: Sequence[str]) -> bool:
        known = (*self.x.known, *self.y.known)
        return any(self._heading(cell)[0] in known for cell in cells)

    def _check_remark(self, row: _Row) -> None:
        """Refuse a line above the numbers that may be their heading, or speaks of units."""
        cells = [cell for text in row.cells for cell in re.split(r"[,;\t]", text)]
        if len(cells) > 1 and self._names_in(cells):
            raise self._error(
                row, "the heading and the numbers below it have different numbers of columns"
            )
        for word in re.findall(r"[^\W_]+", " ".join(row.cells)):
            if len(word) > 1 and self.units.get(word, 1.0) != 1.0:
                raise self._error(
                    row,
                    f"{word!r} is above the table, not in the heading of a column",
                    f"name units in the columns' heading: {self.example}",
                )

    def _heading(self, cell: str) -> tuple[str, str | None]:
        """Return a heading's name, and its unit."""
        text = cell.strip()
        for pattern in (r"(.*?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]", r"(.*?)\s*/\s*(\S+)"):
            if match := re.fullmatch(pattern, text):
                return _plain(match[1]), match[2]
        for mark in ("_", " "):
            name, _, unit = text.rpartition(mark)
            if name and self._is_unit(unit):
                return _plain(name), unit
        return _plain(text), None

    def _is_unit(self, word: str) -> bool:
        return word in self.units or word.lower() in _OTHER_UNITS

    def _columns(self, names: _Row | None, units: _Row | None, first: _Row) -> list[_Column]:
        """Return the columns of x and y, and that of y's uncertainty where there is one."""
        below = [cell.strip("()[] ") or None for cell in units.cells] if units is not None else []
        if names is None and units is None:
            if len(first.cells) != 2:
                raise self._error(
                    first,
                    f"{len(first.cells)} columns without names"
                    if len(first.cells) > 1
                    else "only one column",
                    f"give a heading such as {self.example}; decimal commas need semicolons "
                    "between columns",
                )
            return [_Column(place, None) for place in range(2)]
        row = names or units
        assert row is not None
        headings = (
            [self._heading(cell) for cell in names.cells]
            if names is not None
            else [("", unit) for unit in below]
        )
        for place, unit in enumerate(below):
            name, own = headings[place]
            if own is not None and unit is not None and own != unit:
                raise self._error(row, f"the units {own!r} and {unit!r} stand above one column")
            headings[place] = (name, own or unit)
        columns = self._found(row, headings)
        for axis, column in zip((self.x, self.y, self.y), columns, strict=False):
            if column.unit is not None and column.unit not in axis.units:
                raise self._error(
                    row,
                    f"{column.unit!r} is not a known unit of a {axis.name}",
                    f"one of {', '.join(axis.units)}",
                )
        return columns

    def _found(self, row: _Row, headings: Sequence[tuple[str, str | None]]) -> list[_Column]:
        errors = [
            column
            for column, (name, _) in enumerate(headings)
            if _UNCERTAINTIES.intersection(name.split())
        ]
        rest = [column for column in range(len(headings)) if column not in errors]
        found: list[int | None] = []
        for axis in (self.x, self.y):
            by_name = [column for column in rest if headings[column][0] in axis.known]
            canonical = [column for column in rest if headings[column][0] == axis.names[0]]
            if any(headings[column][0] in axis.opposite for column in by_name) and canonical:
                by_name = canonical
            by_unit = [column for column in rest if headings[column][1] in axis.units]
            likely = [column for column in by_name if column in by_unit] or by_name or by_unit
            if len(likely) > 1:
                raise self._error(
                    row,
                    f"{' and '.join(repr(row.cells[column]) for column in likely)} may both be the "
                    f"{axis.name}",
                    f"call one of them {axis.names[0]}_{axis.unit}",
                )
            found.append(likely[0] if likely else None)
        for one, other in ((0, 1), (1, 0)):
            left = [column for column in rest if column != found[other]]
            if found[one] is None and found[other] is not None and len(left) == 1:
                # a known unit that only the other quantity has: it is not this one
                of_other = self.units.keys() - (self.x, self.y)[one].units.keys()
                if headings[left[0]][1] not in of_other:
                    found[one] = left[0]
        for axis, column in zip((self.x, self.y), found, strict=True):
            if column is None:
                there = ", ".join(repr(cell) for cell in row.cells)
                raise self._error(
                    row, f"no column is known as the {axis.name}; the columns are {there}"
                )
        x, y = (column for column in found if column is not None)
        if x == y:
            raise self._error(row, f"{row.cells[x]!r} may be both the position and the value")
        columns = []
        for axis, place in ((self.x, x), (self.y, y)):
            name, unit = headings[place]
            self._check_meant(row, axis, place, name, unit)
            columns.append(_Column(place, unit, opposite=axis.opposite.get(name)))
        of_y = [
            column
            for column in errors
            if headings[column][1] is None or headings[column][1] in self.y.units
        ]
        named = [column for column in of_y if set(headings[column][0].split()) & set(self.y.names)]
        own = named or of_y
        if len(own) > 1:
            raise self._error(
                row,
                f"{' and '.join(repr(row.cells[column]) for column in own)} may both be the "
                "uncertainty",
                "keep one",
            )
        if own:
            columns.append(_Column(own[0], headings[own[0]][1] or columns[1].unit))
        return columns

    def _check_meant(self, row: _Row, axis: Axis, place: int, name: str, unit: str | None) -> None:
        """Refuse a column that was found by its unit or its place, and is likely something else."""
        # a single letter tells no more than a unit
        if name in axis.known and len(name) > 1:
            return
        words = name.split()
        for word in words:
            if fix := axis.unlike.get(word):
                raise self._error(row, f"{row.cells[place]!r} is not the {axis.name}", fix)
        unclear = unit is None and any(word in axis.ambiguous for word in words)
        if unclear or unit in axis.ambiguous_units:
            opposite = next(iter(axis.opposite))
            other = opposite.replace(" ", "_")
            raise self._error(
                row,
                f"{row.cells[place]!r} may be the {axis.name} or a {opposite}, whose signs differ",
                f"call it {axis.names[0]}_{axis.unit} or {other}_{axis.ambiguous_units[0]}",
            )

    def _point(self, row: _Row, columns: Sequence[_Column]) -> list[float] | None:
        cells = [row.cells[column.place] for column in columns]
        if any(cell.lower() in MISSING for cell in cells):
            return None
        values = []
        for axis, column, cell in zip((self.x, self.y, self.y), columns, cells, strict=False):
            parsed = self._number(cell)
            if parsed is None:
                raise self._error(row, f"no number: {cell[:60]!r}")
            number, unit = parsed
            for mark in ",.":
                if mark in cell:
                    self.marks.setdefault(mark, row)
            if unit and unit not in axis.units:
                raise self._error(
                    row,
                    f"{unit!r} is not a known unit of a {axis.name}",
                    f"one of {', '.join(axis.units)}",
                )
            if unit and column.unit is not None and axis.units[unit] != axis.units[column.unit]:
                raise self._error(row, f"{cell!r} is not in {column.unit}, as its column is")
            if column.unit is None:
                if not unit:
                    self.bare.setdefault(column.place, row)
                elif axis.units[unit] != 1.0:
                    self.scaled.setdefault(column.place, row)
            value = number * axis.units[unit or column.unit or axis.unit]
            if not np.isfinite(value):
                raise self._error(row, f"no finite number: {cell[:60]!r}")
            values.append(value)
        if len(values) > 2 and values[2] < 0:
            raise self._error(
                row,
                f"the uncertainty {values[2]:g} is negative",
                "give standard uncertainties, which are never below 0",
            )
        return values

    def _check_whole(self) -> None:
        """Refuse numbers whose marks or units are not those of the others."""
        if len(self.marks) == 2:
            raise self._error(
                max(self.marks.values(), key=lambda row: row.line),
                "decimal commas and decimal points are mixed in one table",
                "write all numbers with points",
            )
        for column in self.bare.keys() & self.scaled.keys():
            raise self._error(
                max(self.bare[column], self.scaled[column], key=lambda row: row.line),
                "some numbers of this column have a unit, others none",
                f"name the unit in the heading: {self.example}",
            )


def _plain(name: str) -> str:
    signed = re.sub(r"^\s*[-−–]\s*(?=[^\W\d])", "minus ", name.lower())
    return " ".join(re.sub(r"[\W_]+", " ", signed, flags=re.UNICODE).split())
