"""Names that are what they look like, and text that no terminal acts on."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interohm.errors import InputError
from interohm.plain_text import check_name, printable
from interohm.records import material_document, material_from
from interohm.records.shipped import shipped_material, shipped_names

NAMES = {
    "": False,
    "-rf": False,
    "--help": False,
    "..": False,
    "a..b": False,
    "a/b": False,
    "a b": False,
    "Li\x1b[31m": False,
    "Li\x00": False,
    "Li\n": False,
    "Li\u202eFiL": False,
    "Li\u200b": False,
    "Li\u200d": False,
    "\ufeffLi": False,
    "Li\u00ad": False,
    "Li\ufe0f": False,
    "Li\u3164": False,
    "Li\u2800": False,
    "Li\ud800": False,
    "LiF_001": True,
    "β-Al₂O₃": True,
    "Li(110)": True,
    "LiNi0.8Mn0.1Co0.1O2": True,
    "锂": True,
    "a.b": True,
    "a-b": True,
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_records(name: str) -> None:
    document = {**material_document(shipped_material("Li")), "name": name}
    if NAMES[name]:
        assert material_from(document, where="test").name == name
    else:
        with pytest.raises(InputError, match="name: "):
            material_from(document, where="test")


@pytest.mark.parametrize("field", ["name", "sublattice"])
def test_names_within_records(field: str) -> None:
    document = material_document(shipped_material("LiF_001"))
    document["defects"][0][field] = "V\u202e"
    with pytest.raises(InputError, match=r"invisible character U\+202E \(right-to-left override\)"):
        material_from(document, where="test")


def test_shipped_names_are_names() -> None:
    assert [check_name(name) for name in shipped_names()] == shipped_names()


@given(st.text())
def test_nothing_is_left_that_acts_and_nothing_visible_is_lost(text: str) -> None:
    shown = printable(text)
    assert not [
        character
        for character in shown
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and character not in "\n\t"
    ]
    shown.encode()  # no lone surrogate
    visible = [character for character in text if character.isprintable()]
    left = iter(shown)
    assert all(character in left for character in visible)
