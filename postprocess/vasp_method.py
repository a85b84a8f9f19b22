"""VASP's settings that change a total energy, and the name of the functional in print.

INCAR's tags count before the complete list that VASP writes: of METAGGA and IVDW this list has
nothing, so that a run with r2SCAN looks like one with PBE in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

#: By GGA.
_GGA = {
    "PE": "PBE",
    "PS": "PBEsol",
    "RP": "RPBE",
    "RE": "revPBE",
    "91": "PW91",
    "AM": "AM05",
    "CA": "LDA",
    "PZ": "LDA",
    "VW": "LDA",
    "HL": "LDA",
    "WI": "LDA",
    "B3": "B3LYP",
    "B5": "B3LYP5",
    "OR": "optPBE",
    "BO": "optB88",
    "MK": "optB86b",
    "ML": "rPW86",
}
#: By METAGGA.
_META = {
    "R2SCAN": "r2SCAN",
    "RSCAN": "rSCAN",
    "SCAN": "SCAN",
    "TPSS": "TPSS",
    "RTPSS": "revTPSS",
    "M06L": "M06-L",
    "MBJ": "mBJ",
    "R2SCA": "r2SCAN",  # OUTCAR has room for five letters
}
#: By IVDW.
_DISPERSION = {
    1: "D2",
    10: "D2",
    11: "D3",
    12: "D3(BJ)",
    13: "D4",
    15: "libMBD",
    2: "TS",
    20: "TS",
    21: "TS/HI",
    202: "MBD",
    263: "MBD-NL",
    3: "dDsC",
    4: "dDsC",
}
#: By the beginning of a data set's title: what it was made with, which VASP takes without GGA.
_OF_DATA_SETS = {"PAW_PBE": "PBE", "PAW_GGA": "PW91", "PAW": "LDA", "US": "LDA", "NC": "LDA"}
_NOTHING = ("", "--", "-", "NONE", "F", "FALSE", ".FALSE.")
_VDW = ("VDW_S6", "VDW_S8", "VDW_SR", "VDW_A1", "VDW_A2", "VDW_D", "BPARAM", "CPARAM")
#: Of a nonlocal functional, which its exchange goes with.
_NONLOCAL = ("BPARAM", "CPARAM", "ZAB_VDW", "PARAM1", "PARAM2", "AGGAC")
#: By the first letter, which is all that VASP reads.
_PRECISION = {"A": "Accurate", "N": "Normal", "S": "Single", "H": "High", "M": "Medium", "L": "Low"}
#: What adds an energy of its own: fields, dipole corrections, constrained moments.
_EXTRA = {
    "EFIELD": 0.0,
    "LDIPOL": False,
    "IDIPOL": 0,
    "I_CONSTRAINED_M": 0,
    "IVDW_CHARGED": 0,
    "LSOL": False,
    "PSTRESS": 0.0,
}


def tags_of_vasprun(content: bytes) -> dict[str, Any]:
    """Return the tags of a vasprun.xml, those of INCAR before those that VASP completes.

    Parameters
    ----------
    content : bytes
        May be cut off: what of both lists is not whole is left out.
    """
    tags: dict[str, Any] = {}
    for part in ("parameters", "incar"):
        found = re.search(rf"<{part}>.*?</{part}>".encode(), content, re.DOTALL)
        if found is None:
            continue
        try:
            root = ElementTree.fromstring(found[0].decode("latin-1"))
        except ElementTree.ParseError:  # names the file better where it is read as a whole
            continue
        for element in root.iter():
            if element.tag in ("i", "v") and (name := element.get("name")):
                text = (element.text or "").strip()
                words = text.split() if element.tag == "v" else [text]
                values = [_value(word, element.get("type")) for word in words]
                tags[name.upper()] = values if element.tag == "v" else values[0]
    return tags


def _value(text: str, kind: str | None) -> Any:
    if kind == "logical":
        return text.upper().startswith(("T", ".T"))
    if kind == "string":
        return text
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError:  # stars where a number has no room
        return text


def functional_name(
    tags: Mapping[str, Any], titles: Sequence[str] = (), *, dispersion: bool = False
) -> str:
    """Return the functional of a run as it is called in print, dispersion included.

    Parameters
    ----------
    tags : mapping
        INCAR's, with what VASP completes them by.
    titles : sequence of str
        Titles of the data sets, as ``PAW_PBE Li_sv 10Sep2004``; without GGA they determine the
        functional.
    dispersion : bool
        Whether the total energy has one that no tag tells (VASP 5.3 leaves IVDW out).
    """
    name = _local_name(tags, titles)
    found = _dispersion_name(tags)
    if name in ("SCAN", "r2SCAN", "PBE") and found == "vdW-DF" and _number(tags, "BPARAM"):
        found = "rVV10"
    if found is None and dispersion:
        found = "dispersion"
    if found == "vdW-DF":
        return _nonlocal_name(tags, name)
    return name if found is None else f"{name}+{found}"


def _local_name(tags: Mapping[str, Any], titles: Sequence[str]) -> str:
    meta = _text(tags, "METAGGA")
    semilocal = _META.get(meta, meta) if meta else _gga_name(tags, titles)
    if not _flag(tags, "LHFCALC"):
        return semilocal
    screening = _number(tags, "HFSCREEN")
    share = _number(tags, "AEXX", 0.25)
    if share == 1 and not screening:
        return "Hartree-Fock"
    if meta or semilocal not in ("PBE", "PBEsol"):
        name = semilocal if semilocal.startswith("B3LYP") else f"hybrid {semilocal}"
        base = name + (f"(omega={screening:g})" if screening else "")
    else:
        known = {0.0: "PBE0", 0.2: "HSE06", 0.21: "HSE06", 0.3: "HSE03"}
        base = known.get(round(screening, 2), f"HSE(omega={screening:g})")
        if semilocal == "PBEsol":
            base = {"HSE06": "HSEsol", "PBE0": "PBEsol0"}.get(base, f"{base} of PBEsol")
    usual = 0.2 if semilocal.startswith("B3LYP") else 0.25
    return base if abs(share - usual) < 1e-6 else f"{base}(a={share:g})"


def _gga_name(tags: Mapping[str, Any], titles: Sequence[str]) -> str:
    gga = _text(tags, "GGA")
    if gga == "LIBXC":
        return " ".join(["libxc", *(str(tags[tag]) for tag in ("LIBXC1", "LIBXC2") if tag in tags)])
    if gga:
        return _GGA.get(gga, gga)
    names = dict.fromkeys(
        _OF_DATA_SETS.get(title.split()[0].upper(), title.split()[0]) for title in titles
    )
    return " and ".join(names) if names else "PBE"


def _dispersion_name(tags: Mapping[str, Any]) -> str | None:
    if _flag(tags, "LUSE_VDW"):
        return "vdW-DF"
    number = int(_number(tags, "IVDW"))
    if number:
        return _DISPERSION.get(number, f"IVDW={number}")
    return "D2" if _flag(tags, "LVDW") else None


def _nonlocal_name(tags: Mapping[str, Any], exchange: str) -> str:
    """Return the nonlocal functional by its exchange and its Zab."""
    if exchange == "rPW86":
        return "rVV10" if _number(tags, "BPARAM") else "vdW-DF2"
    second = _number(tags, "ZAB_VDW", -0.8491) < -1
    if exchange == "optB86b" and second:
        return "rev-vdW-DF2"
    return {"revPBE": "vdW-DF", "optPBE": "optPBE-vdW", "optB88": "optB88-vdW"}.get(
        exchange, "optB86b-vdW" if exchange == "optB86b" else f"{exchange}+vdW-DF"
    )


def energy_settings(
    tags: Mapping[str, Any], titles: Sequence[str] = (), *, dispersion: bool = False
) -> dict[str, Any]:
    """Return all that changes a total energy but cutoff, k-points, data sets and +U.

    Two runs whose energies are subtracted have to agree in every entry. Parameters are those of
    `functional_name`.
    """
    method: dict[str, Any] = {
        "functional": functional_name(tags, titles, dispersion=dispersion),
        "spin-orbit coupling": _flag(tags, "LSORBIT") or _flag(tags, "LNONCOLLINEAR"),
        "PREC": _PRECISION.get((_text(tags, "PREC") or "N")[0], _text(tags, "PREC")),
        "LASPH": _flag(tags, "LASPH"),
    }
    if _flag(tags, "LHFCALC"):
        share = _number(tags, "AEXX", 0.25)
        method["AEXX"] = round(share, 6)
        usual = {"AGGAX": 1 - share, "AGGAC": share < 1, "ALDAC": share < 1, "HFSCREEN": 0.0}
        usual |= {"LMODELHF": 0.0, "NKRED": 1.0, "NKREDX": 1.0, "NKREDY": 1.0, "NKREDZ": 1.0}
        own = {name: round(_number(tags, name, value), 6) for name, value in usual.items()}
        method |= {name: value for name, value in own.items() if abs(value - usual[name]) > 1e-6}
    if _dispersion_name(tags) is not None:
        names = _NONLOCAL if _flag(tags, "LUSE_VDW") else _VDW
        method |= {name: _number(tags, name) for name in names if name in tags}
    for name, default in _EXTRA.items():
        value = tags.get(name, default)
        if value != default and _number(tags, name) != float(default):
            method[name] = value
    return method


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the entries of `energy_settings` that differ, with both values."""
    names = dict.fromkeys([*one, *other])
    return {
        name: (one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)
    }


def _text(tags: Mapping[str, Any], name: str) -> str:
    text = str(tags.get(name) or "").strip().upper()
    return "" if text in _NOTHING else text


def _number(tags: Mapping[str, Any], name: str, usual: float = 0.0) -> float:
    value = tags.get(name)
    try:
        return usual if value is None else float(value)
    except (TypeError, ValueError):
        return usual


def _flag(tags: Mapping[str, Any], name: str) -> bool:
    value = tags.get(name)
    return value.upper().lstrip(".").startswith("T") if isinstance(value, str) else bool(value)
