"""Impedance spectra that people measured, read from tables and from the files of instruments.

One reader takes them all: a heading that names a frequency and an impedance, wherever it stands in
the file, and the numbers below it. That is how Gamry (.DTA), BioLogic (.mpt), ZView (.z) and most
other programs write text, and how people write .csv and .xlsx. Corrections are reported.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.errors import InputError
from interohm.text_tables import COMMA_NUMBER, MISSING, NUMBER, read_text, split_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array

    ComplexArray = NDArray[np.complex128]

#: Remarks on what is as good afterwards as it was before.
NOT_IN_ORDER = "the frequencies were not in order; they are sorted"
DESCENDING = "the frequencies descend; they are sorted in ascending order"
#: Fewer points say nothing about processes, nor whether the points can be trusted.
FEWEST_POINTS = 6

#: Im Z beyond this part of |Z| is more than noise.
_INDUCTIVE = 0.01

_EXAMPLE = "frequency_Hz,z_real_ohm,z_imag_ohm"
_COMMENTS = "#%!"
_SEPARATORS = ("\t", ";", ",", "  ", " ")
_PREFIXES = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}
_OHMS = r"(?:[Oo]hms?|OHMS?|Ω)"
_CM2 = r"(?:cm\s?(?:2|\^2|\*\*2))"
_IMPEDANCE_UNIT = rf"([numkKMG]?)\s?{_OHMS}(?:[\s.·*_×]*({_CM2}))?"
_FREQUENCY_UNIT = r"([numkKMG]?)(?:Hz|HZ|hz)"
_ANGLES = {
    **dict.fromkeys(("deg", "degree", "degrees", "°"), np.pi / 180),
    **dict.fromkeys(("rad", "radian", "radians"), 1.0),
}
#: Names of columns in lower case, without blanks and underscores.
_NAMES: Mapping[str, str] = {
    "frequency": "f freq freq. frequency frequencies",
    "angular frequency": "ω omega w angularfrequency",
    "real": "z' zre zreal z.real zr rez re(z) real(z) realz re real realpart realimpedance",
    "imaginary": 'z" zim zimag zimg z.imag zi imz im(z) imag(z) imagz im imag imaginary '
    "imaginarypart imaginaryimpedance",
    "modulus": "|z| zmod modz mod(z) absz abs(z) zabs modulus magnitude",
    "phase": "phase phase(z) zphz zphase phasez phaseangle theta θ arg(z) angle",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
#: Which kinds of columns make an impedance, the preferred one first.
_PAIRS = (("real", "imaginary"), ("modulus", "phase"))
#: Excel's own number of rows is larger; a spectrum has hundreds.
_LARGEST_ROWS = 100_000
_LARGEST_XLSX_BYTES = 64 * 2**20


@dataclass(frozen=True)
class MeasuredSpectrum:
    """An impedance spectrum per area of the electrode.

    Parameters
    ----------
    frequency_Hz : array (points,)
        Ascending, each once.
    z_ohm_cm2 : complex array (points,)
        The imaginary part of a capacitor is negative.
    area_cm2 : float, optional
        That the file's resistances were multiplied by; None where the file has them per area.
    source : str
        The file.
    sha256 : str
        Hash of the file's bytes.
    remarks : tuple of str
        Repairs and assumptions.
    """

    frequency_Hz: Array
    z_ohm_cm2: ComplexArray
    area_cm2: float | None
    source: str
    sha256: str
    remarks: tuple[str, ...]


def read_spectra(path: str | Path, *, area_cm2: float | None = None) -> list[MeasuredSpectrum]:
    """Read the measured impedance spectra of one file: one for every sweep of the frequency.

    Text may be separated by tabs, semicolons, commas or blanks, may have decimal commas (with
    anything but commas between columns), and may be UTF-8, UTF-16 or Latin-1. The impedance is
    given by real and imaginary part or by modulus and phase; a heading ``-Im(Z)`` or ``-Z''``
    changes the sign. Three columns without heading are frequency, real and imaginary part in Hz
    and ohm.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.txt``, ``.xlsx``, Gamry ``.DTA``, BioLogic ``.mpt``, ZView ``.z``, and
        whatever has a heading that names frequency and impedance.
    area_cm2 : float, optional
        Area of the electrode; needed where the file has resistances in ohm.

    Returns
    -------
    list of MeasuredSpectrum

    Raises
    ------
    InputError
        There is no spectrum in the file, it is ambiguous or has a wrong unit (with its line), the
        area is missing, or a sweep has fewer than six points.
    """
    return _Reader(Path(path), area_cm2).spectra()


def read_spectrum(path: str | Path, *, area_cm2: float | None = None) -> MeasuredSpectrum:
    """Read the measured impedance spectrum of a file that holds one; see `read_spectra`.

    Raises
    ------
    InputError
        As `read_spectra`, or the file holds several sweeps.
    """
    spectra = read_spectra(path, area_cm2=area_cm2)
    if len(spectra) > 1:
        raise InputError(
            f"the file has {len(spectra)} sweeps of the frequency",
            where=str(path),
            fix="move one of them to a separate file",
        )
    return spectra[0]


@dataclass(frozen=True)
class _Column:
    """Meaning of a heading: the quantity, its column, and the factor to Hz, ohm or rad.

    ``unit`` is ``Hz``, ``ohm``, ``ohm cm2`` or ``rad``, None where the heading names none.
    """

    kind: str
    place: int
    sign: float
    factor: float
    unit: str | None


@dataclass(frozen=True)
class _Block:
    """A heading and the points below it: line, frequency in Hz, impedance."""

    columns: dict[str, _Column]
    points: list[tuple[int, float, complex]]

    @property
    def per_area(self) -> bool:
        return any(column.unit == "ohm cm2" for column in self.columns.values())


class _Reader:
    """One file, while it is read."""

    def __init__(self, path: Path, area_cm2: float | None) -> None:
        if area_cm2 is not None and not (np.isfinite(area_cm2) and area_cm2 > 0):
            raise InputError(
                f"the area is {area_cm2:g} cm²", where="area_cm2", fix="give an area above 0"
            )
        self.path, self.area_cm2 = path, area_cm2
        self.remarks: list[str] = []
        #: Signs as the program writes them, not as a person typed them.
        self.from_instrument = False
        self.area_in_file: str | None = None
        #: The first line with a decimal comma, and with a point.
        self.marks: dict[str, int] = {}
        #: Lines where a number is missing.
        self.missing: list[int] = []
        #: The line of what looks like a heading, and what it lacks.
        self.lacks: tuple[int, str] | None = None
        #: The line of what would be a heading but for a unit: kind of the column, unit.
        self.unknown_unit: tuple[int, str, str] | None = None

    def spectra(self) -> list[MeasuredSpectrum]:
        lines = self._xlsx() if zipfile.is_zipfile(self.path) else self._text()
        blocks = self._blocks(lines)
        if not blocks and self.unknown_unit is not None:
            raise self._wrong_unit(*self.unknown_unit)
        if not blocks and self.lacks is not None:
            raise self._error(
                self.lacks[0],
                f"no column of the heading is known as the {self.lacks[1]}",
                f"give a heading such as {_EXAMPLE}",
            )
        if not blocks:
            raise InputError(
                "the file has no spectrum: no heading names a frequency and an impedance, with "
                "numbers below",
                where=str(self.path),
                fix=f"give a heading such as {_EXAMPLE}, and a number in each column",
            )
        if self.missing:
            count = len(self.missing)
            self.remarks.append(
                f"{count} {'line' if count == 1 else 'lines'} without a number (the first is line "
                f"{self.missing[0]}) {'is' if count == 1 else 'are'} left out"
            )
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        found = []
        for block in blocks:
            area = self._area(block)
            for sweep in _sweeps(block.points):
                frequency, z, remarks = self._mended(block, sweep)
                found.append(
                    MeasuredSpectrum(
                        frequency,
                        z * (area or 1.0),
                        area,
                        str(self.path),
                        digest,
                        (*self.remarks, *remarks),
                    )
                )
        return found

    def _error(self, line: int, what: str, fix: str) -> InputError:
        return InputError(what, where=f"{self.path}, line {line}", fix=fix)

    # -- lines

    def _text(self) -> list[str | list[str]]:
        text = read_text(self.path, fix=f"give a table with a heading such as {_EXAMPLE}")
        lines = text.replace("\0", "").splitlines()
        head = "\n".join(lines[:3])
        self.from_instrument = bool(
            re.search(r"^\W*(EXPLAIN|EC-Lab ASCII|Z\w* ?Data File|ZPLOT)", head, re.I | re.M)
        )
        for line in lines:
            if match := re.match(r"AREA\tQUANT\t([^\t]+)|Electrode surface area : (.*)", line):
                self.area_in_file = f"{match[1]} cm²" if match[1] else match[2]
        return list(lines)

    def _xlsx(self) -> list[str | list[str]]:
        import openpyxl

        with zipfile.ZipFile(self.path) as packed:
            if sum(info.file_size for info in packed.infolist()) > _LARGEST_XLSX_BYTES:
                raise InputError(
                    f"the workbook decompresses to more than {_LARGEST_XLSX_BYTES // 2**20} MiB",
                    where=str(self.path),
                    fix="move the spectrum to a separate workbook",
                )
        with self.path.open("rb") as file:
            try:
                book = openpyxl.load_workbook(file, read_only=True, data_only=True)
                sheets = [_cells_of(sheet) for sheet in book.worksheets]
            # what a damaged workbook raises depends on where it is damaged
            except Exception as error:
                raise InputError(
                    f"cannot read the workbook: {error}",
                    where=str(self.path),
                    fix="save it as .xlsx or .csv",
                ) from None
        with_spectrum = [rows for rows in sheets if self._heading_in(rows)]
        if len(with_spectrum) > 1:
            raise InputError(
                f"{len(with_spectrum)} sheets of the workbook have a spectrum",
                where=str(self.path),
                fix="move one of them to a separate workbook",
            )
        return with_spectrum[0] if with_spectrum else (sheets[0] if sheets else [])

    def _heading_in(self, rows: Sequence[str | list[str]]) -> bool:
        return any(self._columns(number, row) for number, row in enumerate(rows, start=1))

    # -- headings

    def _columns(
        self, number: int, line: str | list[str]
    ) -> tuple[list[str], dict[str, _Column]] | None:
        """Return a heading's cells and its columns, or None where the line is none."""
        for cells in _splits(line):
            if _numbers_in(cells) > 1:
                continue
            named = [
                column
                for place, cell in enumerate(cells)
                if (column := _named(cell, place)) is not None
            ]
            kinds = {column.kind for column in named}
            frequency = {"frequency", "angular frequency"} & kinds
            pair = next((pair for pair in _PAIRS if kinds.issuperset(pair)), None)
            if pair is None or not frequency:
                self.unknown_unit = self.unknown_unit or _unknown_unit(number, cells)
                # prose may read like this: it counts where nothing better is found
                if pair is not None:
                    self.lacks = (number, "frequency")
                elif frequency and len(kinds) > 1:
                    self.lacks = (number, "other part of the impedance")
                continue
            columns: dict[str, _Column] = {}
            for column in named:
                if column.kind not in {*frequency, *pair}:
                    continue
                if (other := columns.get(column.kind)) is not None:
                    raise self._error(
                        number,
                        f"{cells[other.place]!r} and {cells[column.place]!r} may both be the "
                        f"{column.kind} column",
                        f"keep one of them, in a heading such as {_EXAMPLE}",
                    )
                columns[column.kind] = column
            return cells, columns
        return None

    def _with_units(self, number: int, cells: Sequence[str], columns: dict[str, _Column]) -> None:
        """Take the units that stand in a row below the heading."""
        for kind, column in columns.items():
            unit = cells[column.place].strip().strip("()[]")
            if not unit or unit in "-#":
                continue
            known = _unit(kind, unit)
            if known is None:
                raise self._wrong_unit(number, kind, unit)
            if column.unit is not None and (column.factor, column.unit) != known:
                raise self._error(
                    number, f"two units stand above the {kind} column", "keep the right one"
                )
            columns[kind] = _Column(kind, column.place, column.sign, *known)

    def _wrong_unit(self, number: int, kind: str, unit: str) -> InputError:
        known = {
            "frequency": "Hz, kHz, MHz, mHz",
            "angular frequency": "rad/s",
            "phase": "deg, rad",
        }.get(kind, "ohm, mohm, kohm, Mohm, or these times cm² (ohm cm2)")
        return self._error(
            number, f"{unit!r} is not a known unit of the {kind} column", f"one of {known}"
        )

    # -- numbers

    def _blocks(self, lines: Sequence[str | list[str]]) -> list[_Block]:
        blocks: list[_Block] = []
        width, indented = 0, False
        open_block: _Block | None = None
        #: The first line of text below the numbers.
        closed: int | None = None
        for number, line in enumerate(lines, start=1):
            if not (line.strip() if isinstance(line, str) else any(line)):
                continue
            if (heading := self._columns(number, line)) is not None:
                cells, columns = heading
                width, indented = len(cells), not cells[0]
                for kind, column in columns.items():
                    if column.factor == 0.0:
                        raise self._wrong_unit(number, kind, str(column.unit))
                open_block, closed = _Block(columns, []), None
                blocks.append(open_block)
                continue
            if open_block is None:
                continue
            # blanks between numbers below a heading that begins with a tab: Gamry, edited by hand
            row = next(
                (
                    cells
                    for found in _splits(line)
                    for cells in (found, ["", *found] if indented else found)
                    if len(cells) == width and _numbers_in(cells) > 0
                ),
                None,
            )
            if row is None:
                if not open_block.points:
                    for cells in _splits(line):
                        if len(cells) == width and _units_in(cells, open_block.columns):
                            self._with_units(number, cells, open_block.columns)
                            break
                elif isinstance(line, str) and line.lstrip()[0] in _COMMENTS:
                    continue
                elif all(_numbers_in(cells) == 0 for cells in _splits(line)):
                    closed = closed or number
                    if "ABORT" in str(line):
                        self._once("the measurement was aborted, as the file says")
                elif closed is None:
                    raise self._error(
                        number,
                        f"the line does not have the {width} columns of the heading",
                        "complete the line, or remove it",
                    )
                continue
            if closed is not None:
                raise self._error(
                    closed,
                    "there is text between lines of numbers",
                    "remove it, or put # before it",
                )
            point = self._point(number, row, open_block.columns)
            if point is not None:
                open_block.points.append(point)
        for block in blocks:
            self._check_units(block)
        if not blocks and self.unknown_unit is None:
            bare = self._without_heading(lines)
            if bare is not None:
                blocks.append(bare)
        return [block for block in blocks if block.points]

    def _check_units(self, block: _Block) -> None:
        """Refuse an impedance in two units; tell of columns that have none."""
        parts = [
            column
            for kind, column in block.columns.items()
            if kind in ("real", "imaginary", "modulus")
        ]
        if len({column.unit for column in parts}) > 1:
            raise InputError(
                "the real and the imaginary part have different units",
                where=str(self.path),
                fix=f"give a heading such as {_EXAMPLE}",
            )
        if not self.from_instrument and all(column.unit is None for column in parts):
            self._once("no unit of the impedance in the heading: read as ohm")
        phase = block.columns.get("phase")
        if not self.from_instrument and phase is not None and phase.unit is None:
            self._once("no unit of the phase in the heading: read as degrees")

    def _without_heading(self, lines: Sequence[str | list[str]]) -> _Block | None:
        """Read three columns of numbers without a heading; only comments may stand beside them."""
        columns = {
            kind: _Column(kind, place, 1.0, 1.0, None)
            for place, kind in enumerate(("frequency", "real", "imaginary"))
        }
        points = []
        for number, line in enumerate(lines, start=1):
            if isinstance(line, str) and (not line.strip() or line.lstrip()[0] in _COMMENTS):
                continue
            cells = next(
                (cells for cells in _splits(line) if _numbers_in(cells) == len(cells) == 3), None
            )
            if cells is None:
                return None
            point = self._point(number, cells, columns)
            if point is not None:
                points.append(point)
        self.remarks.append("no heading: read as frequency in Hz, real and imaginary part in ohm")
        return _Block(columns, points)

    def _point(
        self, line: int, cells: Sequence[str], columns: Mapping[str, _Column]
    ) -> tuple[int, float, complex] | None:
        values = {}
        for kind, column in columns.items():
            cell = cells[column.place]
            if cell.lower() in MISSING:
                self.missing.append(line)
                return None
            number = _number(cell)
            if number is None or not np.isfinite(number):
                raise self._error(
                    line, f"no number: {cell[:60]!r}", "write the number, or remove the line"
                )
            for mark in ",.":
                if mark in cell:
                    self.marks.setdefault(mark, line)
            if len(self.marks) == 2:
                raise self._error(
                    max(self.marks.values()),
                    "decimal commas and decimal points are mixed in one table",
                    "write all numbers with points",
                )
            values[kind] = number * column.sign * column.factor
        frequency = values.get("frequency", values.get("angular frequency", 0.0) / (2 * np.pi))
        if "real" in values:
            z = complex(values["real"], values["imaginary"])
        else:
            z = values["modulus"] * np.exp(1j * values["phase"])
        if frequency < 0:
            raise self._error(
                line, f"the frequency {frequency:g} Hz is negative", "give positive frequencies"
            )
        if frequency == 0 or z == 0:
            self._once("lines without a frequency or an impedance (0) are left out")
            return None
        return line, frequency, z

    def _once(self, remark: str) -> None:
        if remark not in self.remarks:
            self.remarks.append(remark)

    # -- whole spectra

    def _area(self, block: _Block) -> float | None:
        if block.per_area:
            if self.area_cm2 is not None:
                raise InputError(
                    "the impedance is per area already, and an area is given",
                    where=str(self.path),
                    fix="leave the area out, or write the unit of the columns as ohm",
                )
            return None
        if self.area_cm2 is None:
            says = f"; the file says {self.area_in_file}" if self.area_in_file else ""
            raise InputError(
                "the impedance is in ohm, and the area of the electrode is not known" + says,
                where=str(self.path),
                fix="give --area-cm2 A (in Python area_cm2=A), or columns in ohm_cm2",
            )
        return self.area_cm2

    def _mended(
        self, block: _Block, points: Sequence[tuple[int, float, complex]]
    ) -> tuple[Array, ComplexArray, list[str]]:
        """Return a sweep in order, with the sign of a capacitor, and what was done."""
        remarks = []
        frequency = np.array([point[1] for point in points])
        z = np.array([point[2] for point in points], dtype=complex)
        distinct: Array
        distinct, group = np.unique(frequency, return_inverse=True)
        if len(distinct) < FEWEST_POINTS:
            raise InputError(
                f"the spectrum has {len(distinct)} points, which are too few to show its processes",
                where=f"{self.path}, lines {points[0][0]} to {points[-1][0]}",
                fix=f"give at least {FEWEST_POINTS} frequencies",
            )
        if len(distinct) < len(frequency):
            counts = np.bincount(group)
            sums = np.bincount(group, z.real) + 1j * np.bincount(group, z.imag)
            means = np.asarray(sums / counts, dtype=np.complex128)
            spread = _spread_percent(z, means[group])
            z = means
            remarks.append(
                f"{np.count_nonzero(counts > 1)} frequencies were measured repeatedly: the means "
                f"are taken; single values are up to {spread:.2g} % of |Z| from them"
            )
        else:
            z = z[np.argsort(frequency)]
        steps = np.diff(frequency)
        if np.any(steps > 0) and np.any(steps < 0):
            remarks.append(NOT_IN_ORDER)
        elif np.any(steps < 0) and not self.from_instrument:
            remarks.append(DESCENDING)
        if np.all(z.real < 0):
            raise InputError(
                "all real parts are negative",
                where=str(self.path),
                fix="the current's sign or the leads are reversed: change the sign of both parts",
            )
        column = block.columns.get("imaginary") or block.columns["phase"]
        positive = np.count_nonzero(z.imag > 0)
        # Leads are inductive at high frequencies; a wrong sign shows at the low ones, too.
        slowest = z[: max(3, len(z) // 5)]
        mostly = 2 * positive > len(z) and np.median(slowest.imag) > 0
        slower = z[: len(z) // 2]
        inverted = mostly and np.mean(slower.imag / abs(slower)) > _INDUCTIVE  # more than noise
        if mostly and column.sign > 0 and not self.from_instrument:
            z = z.conj()
            remarks.append(
                "the imaginary parts are positive: read as −Im Z, since a cell is capacitive"
            )
        elif positive == len(z) or inverted:
            many = "all" if positive == len(z) else f"{positive} of {len(z)}"
            raise InputError(
                f"{many} imaginary parts are positive, as for an inductor",
                where=str(self.path),
                fix="check the sign in the heading, and whether the leads are short",
            )
        elif inductive := np.count_nonzero(z.imag > _INDUCTIVE * abs(z)):
            remarks.append(
                f"{inductive} of {len(z)} points are inductive (Im Z > 0), as leads are and no cell"
            )
        return distinct, z, remarks


def _cells_of(sheet: Any) -> list[str | list[str]]:
    rows = sheet.iter_rows(max_row=_LARGEST_ROWS, values_only=True)
    return [["" if cell is None else str(cell).strip() for cell in row] for row in rows]


def _sweeps(
    points: Sequence[tuple[int, float, complex]],
) -> Iterator[Sequence[tuple[int, float, complex]]]:
    """Part the points where the frequency turns; unordered points are one sweep."""
    turns = [0]
    direction = 0.0
    for index in range(1, len(points)):
        step = float(np.sign(points[index][1] - points[index - 1][1]))
        if step and direction and step != direction:
            # where it turns at a frequency measured twice, each sweep has one of the two
            repeated = points[index - 1][1] == points[index - 2][1]
            turns.append(index - 1 if repeated else index)
            # the jump back to the start of the next sweep says nothing about its direction
            direction = 0.0
        else:
            direction = step or direction
    parts = [points[a:b] for a, b in zip(turns, [*turns[1:], len(points)], strict=True)]
    if len(parts) > 1 and min(len(part) for part in parts) < FEWEST_POINTS:
        parts = [points]
    yield from parts


def _spread_percent(z: ComplexArray, means: ComplexArray) -> float:
    """Return the largest distance of a value from the mean of its frequency, in percent of it."""
    return 100.0 * float(np.max(np.abs(z - means) / np.maximum(np.abs(means), 1e-300)))


def _splits(line: str | list[str]) -> Iterator[list[str]]:
    """Return a line's cells in each way that it may be parted."""
    if not isinstance(line, str):
        cells = list(line)
        while cells and not cells[-1]:
            cells.pop()
        yield cells
        return
    # a comment may hold the heading, in quotes or not
    text = line.strip("\r\n").strip(" ").lstrip(_COMMENTS).strip(" ")
    for mark in _SEPARATORS:
        if mark == "  ":
            cells = re.split(r"\s{2,}", text.strip("\"' \t"))
        elif mark not in text:
            continue
        elif mark == " ":
            cells = text.strip('"').split()
        elif mark == "\t":
            cells = [
                cell.strip(' "') if cell.strip(" ") != '"' else "" for cell in text.split("\t")
            ]
        else:
            # quotes around cells, but also Z" for the imaginary part
            cells = (
                [cell.strip() for cell in text.split(mark)]
                if text.count('"') % 2
                or (re.search(r'\w"', text) and not re.search(r'(^|[,;])\s*"', text))
                else split_cells(text, mark)
            )
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > 1:
            yield cells


def _number(cell: str) -> float | None:
    text = cell.replace("−", "-").strip()
    if re.fullmatch(NUMBER, text):
        return float(text)
    return float(text.replace(",", ".")) if re.fullmatch(COMMA_NUMBER, text) else None


def _numbers_in(cells: Sequence[str]) -> int:
    return sum(_number(cell) is not None for cell in cells)


def _units_in(cells: Sequence[str], columns: Mapping[str, _Column]) -> bool:
    return all(
        re.fullmatch(r"[^\d\s]{1,8}(?:\s?cm[2²^]+)?", cells[one.place].strip())
        for one in columns.values()
    )


def _named(cell: str, place: int) -> _Column | None:
    """Return what a heading's cell says, or None where it is neither frequency nor impedance.

    A unit that is none has the factor 0.
    """
    text = cell.strip().strip("'\" ") if cell.count('"') == 2 else cell.strip()
    text = re.sub(r"''|″|”|’’|′′", '"', text)
    text = re.sub(r"[′’]", "'", text).replace("−", "-").replace("–", "-")
    sign = 1.0
    if match := re.match(r"(?:-|neg(?:ative)?[ _.]|minus[ _.])\s*", text, re.I):
        sign, text = -1.0, text[match.end() :]
    for name, unit in _parted(text):
        plain = re.sub(r"[\s_]+", "", name).lower()
        if plain.startswith("-"):
            continue
        kind = _KINDS.get(plain)
        if kind is None:
            continue
        if unit is None or unit in ("a", "b"):
            return _Column(kind, place, sign, 1.0 if kind != "phase" else np.pi / 180, None)
        known = _unit(kind, unit)
        return _Column(kind, place, sign, *(known or (0.0, unit)))
    return None


def _unknown_unit(number: int, cells: Sequence[str]) -> tuple[int, str, str] | None:
    """Return line, kind of the column and unit where only unknown units keep cells from a heading.

    Units after a blank or an underscore (``z_real_V``): elsewhere the same may be a column that is
    not wanted (``z_real_std``).
    """
    kinds, unknown = set(), None
    for place, cell in enumerate(cells):
        if (column := _named(cell, place)) is not None:
            kinds.add(column.kind)
            continue
        for match in reversed(list(re.finditer(r"[\s_]", cell.strip()))):
            name, unit = match.string[: match.start()], match.string[match.end() :]
            plain = re.sub(r"^(?:-|neg(?:ative)?[ _.]|minus[ _.])|[\s_]+", "", name.lower())
            if (kind := _KINDS.get(plain)) is not None and not re.search(r"\s", unit):
                kinds.add(kind)
                unknown = unknown or (number, kind, unit)
                break
    whole = any(kinds.issuperset(pair) for pair in _PAIRS)
    return unknown if whole and kinds & {"frequency", "angular frequency"} else None


def _parted(text: str) -> Iterator[tuple[str, str | None]]:
    """Return a heading's name and unit, in each way that people write them."""
    for pattern in (
        r"(.+?)\s*[\[(]\s*([^()\[\]]+?)\s*[\])]",
        r"(.+?)\s*/\s*(.+)",
        rf"(.+?)[\s_]({_IMPEDANCE_UNIT.replace('(', '(?:', 1)})",
        rf"(.+?)[\s_]({_FREQUENCY_UNIT})",
        r"(.+?)[\s_](deg|rad|rad/s)",
    ):
        if match := re.fullmatch(pattern, text):
            yield match[1], match[2]
    yield text, None


def _unit(kind: str, unit: str) -> tuple[float, str] | None:
    """Return the factor to Hz, ohm or rad, and the unit's name, or None."""
    text = unit.replace("µ", "u").replace("μ", "u").replace("²", "2").replace("Ω", "Ω").strip()
    if kind == "frequency":
        match = re.fullmatch(_FREQUENCY_UNIT, text)
        return (_PREFIXES[match[1]], "Hz") if match else None
    if kind == "angular frequency":
        return (1.0, "Hz") if text in ("rad/s", "rad s-1", "1/s", "s-1", "rad s^-1") else None
    if kind == "phase":
        # Gamry's degree sign is one of several bytes
        plain = "°" if len(text) == 1 and not text.isalnum() else text
        return (_ANGLES[plain], "rad") if plain in _ANGLES else None
    match = re.fullmatch(_IMPEDANCE_UNIT, text)
    if match is None:
        return None
    return _PREFIXES[match[1]], "ohm cm2" if match[2] else "ohm"
