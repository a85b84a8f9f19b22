"""VASP's files, plain or compressed, and the errors of incomplete ones."""

from __future__ import annotations

import gzip
import lzma
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from interohm.errors import InputError
from interohm.unpacking import PACKINGS, unpacked

#: What reading and unpacking a damaged file raises.
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)

#: What OUTCAR says at the end of a self-consistency loop; before VASP 6 also where NELM ended it.
_LOOP_ENDED = "aborting loop because EDIFF is reached"


def find_file(folder: Path, name: str, stage: str | None = None) -> Path | None:
    """Return a file of VASP's in a folder, plain or compressed; None if there is none.

    Upper and lower case count the same. custodian adds ``.relax1``, ``.relax2``, … to the files of
    runs one after the other.

    Parameters
    ----------
    folder : Path
        Folder of the files.
    name : str
        As ``OUTCAR``.
    stage : str, optional
        Stage of another file (see `stage_of`), so that both belong to one run; default: the last
        one.

    Raises
    ------
    InputError
        It is a link to a file that is not there.
    """
    found: list[tuple[float, int, Path]] = []
    broken: Path | None = None
    packings = ["", *PACKINGS]
    for path in folder.iterdir() if folder.is_dir() else ():
        parts = _parts(path, name)
        if parts is None or (stage is not None and parts[0] != stage):
            continue
        if path.is_file():
            own, packing = parts
            number = float(own.removeprefix(".relax")) if own else float("inf")
            found.append((number, -packings.index(packing), path))
        elif path.is_symlink():
            broken = path
    if found:
        return max(found)[2]
    if broken is not None:
        raise InputError(
            "it is a link to a file that is not there",
            where=str(broken),
            fix="mount or copy what it points to",
        )
    return None


def stage_of(path: Path, name: str) -> str:
    """Return what custodian added to a file's name, as ``.relax2``; empty if nothing."""
    parts = _parts(path, name)
    return parts[0] if parts else ""


def _parts(path: Path, name: str) -> tuple[str, str] | None:
    pattern = rf"{re.escape(name)}(\.relax\d+)?({'|'.join(map(re.escape, PACKINGS))})?"
    match = re.fullmatch(pattern, path.name, re.IGNORECASE)
    return None if match is None else ((match[1] or "").lower(), (match[2] or "").lower())


def file_content(path: Path) -> bytes:
    """Return what a file holds, decompressed.

    Raises
    ------
    InputError
        The compressed file is cut off, or unfolds without end.
    """
    try:
        data = path.read_bytes()
        packing = path.suffix.lower()
        return unpacked(data, packing, where=str(path)) if packing in PACKINGS else data
    except InputError:
        raise
    except DAMAGED:
        raise cut_off(path) from None
    except OSError as error:
        # bz2 has no error of its own for what is no archive.
        if error.errno is None:
            raise cut_off(path) from None
        raise InputError(
            f"it cannot be read: {error.strerror}", where=str(path), fix="check its permissions"
        ) from None
    except ValueError:  # bz2: cut off
        raise cut_off(path) from None


def cut_off(path: Path) -> InputError:
    """Return the error of a file that is not whole."""
    return InputError(
        "the file is cut off or damaged",
        where=str(path),
        fix="copy it again, or let VASP finish the calculation",
    )


@contextmanager
def as_input_errors(folder: Path) -> Iterator[None]:
    """Turn whatever a reader trips over in files of others into an error that names their place."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"its files cannot be read ({type(error).__name__}: {error})",
            where=str(folder),
            fix="copy them again, or leave the folder out with `ignore`",
        ) from error


def outcar_text(path: Path) -> str:
    """Return the text of an OUTCAR, which VASP wrote to its end.

    Raises
    ------
    InputError
        It is cut off.
    """
    text = file_content(path).decode(errors="replace")
    if "Elapsed time (sec)" not in text:
        raise cut_off(path)
    return text


def converged_loops(outcar: str, path: Path) -> list[bool]:
    """Return for each self-consistency loop of an OUTCAR whether it converged.

    Those of linear response, which have iterations of their own, are loops like the others.

    Raises
    ------
    InputError
        NELM is not in it.
    """
    limit = re.search(r"\bNELM\s*=\s*(\d+)", outcar)
    if limit is None:
        raise cut_off(path)
    _, *pieces = re.split(r"-+ Iteration +[\d*]+\( *(\d+)\)", outcar)
    numbers, texts = [int(number) for number in pieces[::2]], pieces[1::2]
    last = [after == 1 for after in [*numbers[1:], 1]]
    return [
        number < int(limit[1]) and _LOOP_ENDED in text
        for number, text, is_last in zip(numbers, texts, last, strict=True)
        if is_last
    ]


def elapsed_time_s(outcar: str) -> float:
    """Return the wall time that an OUTCAR ends with."""
    found = re.search(r"Elapsed time \(sec\):\s*([\d.]+)", outcar)
    return float(found[1]) if found else 0.0


def core_potentials_eV(outcar: str, sites: int, path: Path) -> list[float]:
    """Return the last potentials at the cores; empty where VASP wrote none.

    Raises
    ------
    InputError
        There are not as many as sites.
    """
    _, heading, block = outcar.rpartition("average (electrostatic) potential at core")
    if not heading:
        return []
    values = re.match(
        r".*?norm of the test charge[^\n]*\n((?:\s*\d+\s*-?\d+\.\d{4})+)", block, re.S
    )
    potentials = [] if values is None else re.findall(r"\d+\s*(-?\d+\.\d{4})", values[1])
    if len(potentials) != sites:
        raise InputError(
            f"it has potentials at {len(potentials)} of {sites} cores",
            where=str(path),
            fix="give the OUTCAR of this very calculation",
        )
    return [float(value) for value in potentials]
