"""Suggestions for an unknown name: records that are similar in chemistry, then in spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Usual abbreviations and names of the field, in lower case: a record's name, or else a formula.
_ABBREVIATIONS = {
    "lithium": "Li",
    "sodium": "Na",
    "magnesium": "Mg",
    "aluminium": "Al",
    "aluminum": "Al",
    "graphite": "LiC6",
    "silicon": "LiSi",
    "indium": "LiIn",
    "lco": "LiCoO2",
    "lno": "LiNiO2",
    "lmo": "LiMn2O4",
    "lfp": "LiFePO4",
    "nmc": "NMC811",
    "ncm": "NMC811",
    "nca": "NMC811",
    "ncm811": "NMC811",
    "lto": "Li4Ti5O12",
    "nvp": "Na3V2P3O12",
    "lps": "Li3PS4",
    "lpscl": "Li6PS5Cl",
    "lpsc": "Li6PS5Cl",
    "argyrodite": "Li6PS5Cl",
    "lgps": "Li10GeP2S12",
    "lic": "Li3InCl6",
    "lyc": "Li3YCl6",
    "garnet": "LLZO",
    "lagp": "Li3Al1Ge3P6O24",
    "llto": "LiLaTi2O6",
    "nzsp": "Na3Zr2Si2PO12",
    "nasicon": "Na3Zr2Si2PO12",
    "lnbo": "LiNbO3",
    "ltao": "LiTaO3",
    "lpo": "Li3PO4",
    "alumina": "Al2O3",
}

#: Names of records that are no formulas.
_FORMULAS = {
    "llzo": "Li7La3Zr2O12",
    "latp": "Li3AlTi3P6O24",
    "lipon": "LiPON",
    "nmc811": "LiNiMnCoO2",
}

#: Elements that move in the records that are shipped: to take one for another is no slip.
_MOBILE = frozenset({"Li", "Na", "K", "Mg", "Ca", "Zn", "Al", "Ag", "Cu"})

#: What makes compounds alike: their anion.
_ANIONS = {
    **dict.fromkeys(("F", "Cl", "Br", "I"), "halide"),
    **dict.fromkeys(("S", "Se", "Te"), "sulfide"),
    "O": "oxide",
    "N": "nitride",
    "H": "hydride",
}

#: Share of their elements that compounds of the same anion have in common, at least.
_ALIKE = 0.33


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """Return the names, at most three, that somebody may have meant.

    Usual abbreviations and names of elements stand for what they mean. Of a formula, in any case of
    its letters, records of the same elements come first; else those of the same anion that share
    the most elements; spelling decides among equals, and leads never to another element that moves:
    NaF is no slip for LiF. A zero may be a slip for oxygen: LiNb03.
    """
    from difflib import SequenceMatcher, get_close_matches

    names = list(known)
    name = _with_oxygen(name, {other.partition("_")[0].lower() for other in names})
    typed_base = name.partition("_")[0].lower()
    meant = _ABBREVIATIONS.get(typed_base, "")

    def likeness(other: str) -> float:
        return SequenceMatcher(None, name.lower(), other.lower()).ratio()

    for target in (typed_base, meant.lower()):
        exact = [other for other in names if other.partition("_")[0].lower() == target]
        if target and exact:
            surface = "_" in name
            return sorted(exact, key=lambda other: (-surface * likeness(other), other))[:3]
    typed = elements_of(meant or name)
    close = set(get_close_matches(name.lower(), {other.lower() for other in names}, n=8))
    found: list[tuple[tuple[bool, bool, bool, float, float], str]] = []
    for other in names:
        elements = elements_of(other)
        if typed is None or elements is None:
            if other.lower() in close and not meant:
                found.append(((False, False, False, 0.0, -likeness(other)), other))
            continue
        same = typed == elements
        shared = len(typed & elements) / len(typed | elements)
        anion = _anion(typed) == _anion(elements)
        if not same and _MOBILE & (typed ^ elements):
            continue
        if same or (other.lower() in close and not meant) or (anion and shared >= _ALIKE):
            fewer = len(typed) != len(elements)
            found.append(((not same, not anion, fewer, -shared, -likeness(other)), other))
    found.sort()
    if found and not found[0][0][0]:
        # those of the same elements alone
        found = [one for one in found if not one[0][0]]
    return [other for _, other in found[:3]]


def _with_oxygen(name: str, bases: set[str]) -> str:
    """Return a name with O for the zeros that are one: all, if a record is called so.

    Else those that begin a number, as no stoichiometry does.
    """
    base, separator, surface = name.partition("_")
    leading = re.sub(r"(?<![\d.])0+(?!\.)", lambda zeros: "O" * len(zeros[0]), base)
    for read in (base, leading, base.replace("0", "O")):
        if read.lower() in bases:
            return read + separator + surface
    return leading + separator + surface


def meant_text(name: str, known: Iterable[str]) -> str | None:
    """Return the question whether somebody meant other names; None without any."""
    meant = near_names(name, known)
    return f"did you mean {' or '.join(meant)}?" if meant else None


def _anion(elements: frozenset[str]) -> str | None:
    """Return the kind of a compound: a halide with sulfur or oxygen is of the latter."""
    kinds = {_ANIONS[symbol] for symbol in elements if symbol in _ANIONS}
    for kind in ("sulfide", "oxide", "nitride", "halide", "hydride"):
        if kind in kinds:
            return kind
    return None


def elements_of(name: str) -> frozenset[str] | None:
    """Return the elements of a name that is a formula, with or without a surface behind it."""
    base = name.partition("_")[0]
    formula = _FORMULAS.get(base.lower(), base)
    return _parsed(formula, exact=True) or _parsed(formula, exact=False)


def _parsed(formula: str, *, exact: bool) -> frozenset[str] | None:
    """Return the elements of a formula; not ``exact``: in any case of its letters."""
    if not formula:
        return frozenset()
    for length in (2, 1):
        symbol = formula[:length]
        if len(symbol) < length or not symbol.isalpha():
            continue
        if not exact:
            symbol = symbol.capitalize()
        if symbol in _SYMBOLS:
            rest = re.sub(r"^\d*\.?\d*", "", formula[length:])
            others = _parsed(rest, exact=exact)
            if others is not None:
                return others | {symbol}
    return None


_SYMBOLS = frozenset(
    re.findall(
        "[A-Z][a-z]?",
        "HHeLiBeBCNOFNeNaMgAlSiPSClArKCaScTiVCrMnFeCoNiCuZnGaGeAsSeBrKrRbSrYZrNbMoTcRuRhPdAgCd"
        "InSnSbTeIXeCsBaLaCePrNdPmSmEuGdTbDyHoErTmYbLuHfTaWReOsIrPtAuHgTlPbBi",
    )
)
