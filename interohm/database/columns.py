"""Names of columns: with the unit at the end, and what people write of them."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from interohm.errors import InputError

#: Units at the end of column names, and how people write them. A question may leave them out:
#: ``space_charge`` for ``space_charge_ohm_cm2``.
UNITS = {
    "A": "Å",
    "A_cm2": "A/cm²",
    "GB": "GB",
    "GPa": "GPa",
    "Hz": "Hz",
    "K": "K",
    "MPa": "MPa",
    "S_cm": "S/cm",
    "V": "V",
    "cm2": "cm⁻²",
    "cm2_Vs": "cm²/(V·s)",
    "cm2_s": "cm²/s",
    "cm3": "cm⁻³",
    "e_nm2": "e/nm²",
    "e_nm3": "e/nm³",
    "eV": "eV",
    "eV_A": "eV/Å",
    "eV_A2": "eV/Å²",
    "h": "h",
    "mAh_cm2": "mAh/cm²",
    "meV": "meV",
    "muB": "µB",
    "nm": "nm",
    "nm2_h": "nm²/h",
    "nm_h": "nm/h",
    "ohm_cm2": "Ω·cm²",
    "s": "s",
    "uC_cm2": "µC/cm²",
    "uF_cm2": "µF/cm²",
    "um": "µm",
}


def resolve_column(name: str, columns: Collection[str]) -> str | None:
    """Return the column that a name means: itself, or the one that only adds a unit to it."""
    if name in columns:
        return name
    fitting = [
        column
        for column in columns
        if column.startswith(f"{name}_") and column[len(name) + 1 :] in UNITS
    ]
    return fitting[0] if len(fitting) == 1 else None


def name_and_unit(column: str) -> tuple[str, str | None]:
    """Return a column's name in words, and its unit as people write it, if it has one."""
    for unit in sorted(UNITS, key=len, reverse=True):
        if _ends(column, unit):
            return column[: -len(unit) - 1].replace("_", " "), UNITS[unit]
    return column.replace("_", " "), None


def unknown_column(name: str, columns: Collection[str], *, where: str, at: str = "") -> InputError:
    """Return the error for a name that is no column: what there is, and what was meant."""
    short = {column: column for column in columns}
    for column in columns:
        short.update({column[: -len(unit) - 1]: column for unit in UNITS if _ends(column, unit)})
    close = dict.fromkeys(short[near] for near in get_close_matches(name, short, n=3, cutoff=0.7))
    meant = f"did you mean {' or '.join(close)}? " if close else ""
    return InputError(
        f"there is no field {name!r}{at}",
        where=where,
        fix=f"{meant}The fields are {', '.join(sorted(columns))}",
    )


def _ends(column: str, unit: str) -> bool:
    return column.endswith(f"_{unit}")
