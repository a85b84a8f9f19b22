"""VASP's files, plain or compressed, and what is said of one that is cut off."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interohm.errors import InputError

#: What OUTCAR says at the end of a self-consistency loop; before VASP 6 also where NELM ended it.
_LOOP_ENDED = "aborting loop because EDIFF is reached"


def find_file(folder: Path, name: str) -> Path | None:
    """Return a file of VASP's, plain or compressed with gzip; None if there is none."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def file_content(path: Path) -> bytes:
    """Return what a file holds, decompressed.

    Raises
    ------
    InputError
        The compressed file is cut off.
    """
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise cut_off(path) from None


def cut_off(path: Path) -> InputError:
    """Return the error of a file that is not whole."""
    return InputError(
        "the file is cut off or damaged",
        where=str(path),
        fix="copy it again, or let VASP finish the calculation",
    )


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


def functional_name(parameters: Mapping[str, Any]) -> str:
    """Return the functional that INCAR's tags ask for, as it is called in print."""
    if parameters.get("LHFCALC"):
        screening = float(parameters.get("HFSCREEN") or 0)
        share = float(parameters.get("AEXX") or 0.25)
        base = {0.0: "PBE0", 0.2: "HSE06"}.get(round(screening, 2), f"HSE(omega={screening:g})")
        return base if abs(share - 0.25) < 1e-6 else f"{base}(a={share:g})"
    meta = str(parameters.get("METAGGA") or "").strip().strip("-")
    if meta and meta.lower() not in ("none", "f"):
        return meta
    gga = str(parameters.get("GGA") or "PE").strip().strip("-").upper()
    known = {"PE": "PBE", "PS": "PBEsol", "": "PBE", "RP": "RPBE", "RE": "revPBE", "CA": "LDA"}
    return known.get(gga, gga)
