"""Contacts that an earlier version kept without levels are drawn as they were predicted."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from interohm.database import Database
from interohm.explorer.selection import diagram, key_of, selected
from interohm.prediction.contact import contact_document
from interohm.records import Quantity
from interohm.records.shipped import shipped_material
from interohm.report.levels import contact_view
from interohm.results.contact import ContactResult
from interohm.results.earlier import has_levels, with_levels

COLUMNS = ("vacuum_level_eV", "conduction_band_eV", "valence_band_eV", "fermi_level_eV", "mu_eV")


def records(*names: str) -> list[Any]:
    return [shipped_material(name) for name in names]


def without_levels(document: dict[str, Any]) -> dict[str, Any]:
    """The document as versions before this one made it."""
    old = copy.deepcopy(document)
    for name in ("fermi_level_eV", "electrochemical_potential_eV"):
        del old[name]
    for name in COLUMNS:
        del old["profile"][name]
    old["mu_eV"] = {
        side: mu for side, mu in old["mu_eV"].items() if old["ion_content"][side] is None
    }
    return old


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("Li", "LLZO"), {}),
        (("LLZO", "LiCoO2"), {"state_of_charge": 0.7}),
        (("LiF", "LLZO"), {}),
        (("LiC6", "LLZO"), {}),
        (("Li", "LiF"), {"thickness_nm": 20.0}),
    ],
)
def test_levels_follow_from_what_was_kept(names: tuple[str, str], options: dict[str, Any]) -> None:
    materials = records(*names)
    document = contact_document(*materials, samples=0, **options)
    old = without_levels(document)
    assert has_levels(document)
    assert not has_levels(old)
    completed = with_levels(old, materials)
    assert completed is not None
    for name in ("mu_eV", "fermi_level_eV", "electrochemical_potential_eV"):
        for side in ("left", "right"):
            assert completed[name][side] == pytest.approx(document[name][side], abs=1e-9), name
    for name in COLUMNS:
        assert completed["profile"][name] == pytest.approx(document["profile"][name], abs=1e-9)


def test_a_document_that_says_too_little_has_no_levels() -> None:
    materials = records("Li", "LLZO")
    old = without_levels(contact_document(*materials, samples=0))
    del old["profile"]["electrochemical_potential_eV"]
    assert with_levels(old, materials) is None


def test_the_drawn_levels_are_those_of_the_mobile_metal_that_was_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    materials = records("LLZO", "LiCoO2")
    document = contact_document(*materials, samples=0)
    before = contact_view(ContactResult.read(document)).levels
    lithium = shipped_material("Li")
    state = lithium.states[0]
    lifted = state.model_copy(
        update={"work_function_eV": Quantity(value=state.work_function_eV.value + 0.5)}
    )
    other = lithium.model_copy(update={"states": [lifted]})
    monkeypatch.setattr(
        "interohm.records.reference.shipped_material",
        lambda name: other if name == "Li" else shipped_material(name),
    )
    anew = contact_document(*materials, samples=0)
    assert anew["fermi_level_eV"]["right"] == pytest.approx(
        document["fermi_level_eV"]["right"] - 0.5
    )
    old = with_levels(without_levels(document), materials)
    assert old is not None
    for view in (contact_view(ContactResult.read(document)), contact_view(ContactResult.read(old))):
        for drawn, expected in zip(view.levels, before, strict=True):
            assert drawn.fermi_eV == pytest.approx(expected.fermi_eV, abs=1e-9)


def test_the_explorer_draws_documents_of_both_kinds() -> None:
    llzo, lithium = records("LLZO", "Li")
    document = contact_document(lithium, llzo, samples=0)
    with Database.open(write=True) as database:
        drawn = []
        for kept in (document, without_levels(document)):
            database.save_contact(kept)
            [row] = database.rows("contacts")
            chosen = selected(database, "contacts", key_of("contacts", row))
            drawn.append(diagram(chosen, "light"))
        first, second = (
            [np.array(trace["y"], dtype=float) for trace in figure["data"] if "y" in trace]
            for figure in drawn
        )
        assert first
        for one, other in zip(first, second, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
        # the record of then is gone, and nothing is made up
        changed = {**without_levels(document), "records": {"LLZO": "0" * 64}}
        database.save_contact(changed)
        [row] = database.rows("contacts")
        figure = diagram(selected(database, "contacts", key_of("contacts", row)), "light")
        assert "predict it again" in str(figure)
