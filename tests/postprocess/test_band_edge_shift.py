"""Band edges that move, and defect levels that stay below the vacuum."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure

from interohm.postprocess.band_edge_shift import BandEdgeShift, shift_between, with_band_edges
from interohm.prediction.contact import contact_document
from interohm.records import Insulator, Metal, Quantity, material_document, material_from
from interohm.records.shipped import shipped_material

SHIFT = BandEdgeShift(
    valence_band_eV=Quantity(value=-1.5, uncertainty=0.3, source="a paper"),
    conduction_band_eV=Quantity(value=0.9, uncertainty=0.4, source="a paper"),
)


def fluoride() -> Insulator:
    record = shipped_material("LiF_001")
    assert isinstance(record, Insulator)
    return record


def test_the_gap_opens_and_levels_stay_below_vacuum() -> None:
    before, after = fluoride(), with_band_edges(fluoride(), SHIFT)
    old, new = before.ionization_potential_eV, after.ionization_potential_eV
    assert new.value == pytest.approx(old.value + 1.5)
    # its error moves the levels together
    assert new.uncertainty == old.uncertainty
    errors = [
        {error.name: error for error in one.shared_errors}["valence_band"]
        for one in (before, after)
    ]
    total = (errors[0].uncertainty_eV ** 2 + 0.3**2) ** 0.5
    assert errors[1].uncertainty_eV == pytest.approx(total, abs=1e-4)
    assert errors[1].moves == errors[0].moves
    assert after.band_gap_eV.value == pytest.approx(before.band_gap_eV.value + 2.4)
    affinities = [
        one.ionization_potential_eV.value - one.band_gap_eV.value for one in (before, after)
    ]
    assert affinities[1] == pytest.approx(affinities[0] - 0.9)
    for defect, moved in zip(before.defects, after.defects, strict=True):
        levels = [
            one.formation_energy_eV.value + one.charge * record.ionization_potential_eV.value
            for one, record in ((defect, before), (moved, after))
        ]
        assert levels[1] == pytest.approx(levels[0], abs=1e-6)
        assert moved.formation_energy_eV.uncertainty == defect.formation_energy_eV.uncertainty
    assert "a paper" in (new.source or "")
    assert after.provenance["band_edge_shift"]["valence_band_eV"]["value"] == -1.5
    assert material_from(material_document(after), where="test") == after


def test_levels_in_the_provenance_move_with_the_edges() -> None:
    record = fluoride()
    (surface,) = record.provenance["surfaces"]
    dopant = record.defects[0].model_dump(mode="json", exclude_none=True)
    level = {"from_charge": 1, "to_charge": 0, "level_eV": 5.0}
    added = {
        "surfaces": [{**surface, "series": [{"level_eV": surface["level_eV"]}]}],
        "dopants": [dopant],
        "transition_levels": {"V_F": [level]},
    }
    made = record.model_copy(update={"provenance": {**record.provenance, **added}})
    after = with_band_edges(made, SHIFT)
    (moved,) = after.provenance["surfaces"]
    assert moved["level_eV"] == after.ionization_potential_eV.value
    assert moved["series"][0]["level_eV"] == moved["level_eV"]
    assert after.provenance["dopants"] == [
        after.defects[0].model_dump(mode="json", exclude_none=True)
    ]
    # Above the VBM, which is 1.5 eV lower.
    assert after.provenance["transition_levels"]["V_F"][0]["level_eV"] == 6.5
    assert made.provenance["surfaces"][0]["level_eV"] == surface["level_eV"]


def test_the_ionic_level_at_a_contact_stays_and_the_barrier_moves() -> None:
    metal = shipped_material("Li_110")
    assert isinstance(metal, Metal)
    found = [
        contact_document(metal, one) for one in (fluoride(), with_band_edges(fluoride(), SHIFT))
    ]
    potential = [one["neutral_potential_V"]["right"] for one in found]
    assert potential[1] == pytest.approx(potential[0], abs=1e-4)
    barrier = [one["electrons"]["electron_barrier_eV"] for one in found]
    assert barrier[1] == pytest.approx(barrier[0] + 0.9, abs=1e-3)


def test_what_does_not_make_sense_is_refused() -> None:
    closing = Quantity(value=-12.0, source="a test")
    with pytest.raises(ValueError, match="cross"):
        with_band_edges(fluoride(), SHIFT.model_copy(update={"conduction_band_eV": closing}))
    with pytest.raises(ValidationError, match="give the source"):
        BandEdgeShift.model_validate({"valence_band_eV": -1, "conduction_band_eV": 1})


def test_the_shift_between_two_functionals(make_calculation) -> None:  # type: ignore[no-untyped-def]
    crystal = Structure(Lattice.cubic(4), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    local = make_calculation(crystal, vbm_eV=1.0, cbm_eV=9.0, settings={"xc": "PBE"})
    hybrid = make_calculation(crystal, vbm_eV=-0.4, cbm_eV=10.1, settings={"xc": "HSE06"})
    shift = shift_between(local, hybrid)
    assert shift.valence_band_eV.value == pytest.approx(-1.4)
    assert shift.conduction_band_eV.value == pytest.approx(1.1)
    assert shift.valence_band_eV.method == "calculated: gpaw, HSE06 minus PBE"
    with pytest.raises(ValueError, match="no gap"):
        shift_between(local, hybrid.model_copy(update={"cbm_eV": None}))
    with pytest.raises(ValueError, match="two engines"):
        shift_between(local, hybrid.model_copy(update={"engine": "vasp"}))
