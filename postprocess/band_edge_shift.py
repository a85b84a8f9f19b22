"""Band edges of a better functional, or of literature, on the levels of a calculated record.

The edges move against the average electrostatic potential, and with it against the vacuum; defect
levels stay where they are (Alkauskas, Broqvist, Pasquarello, Phys. Rev. Lett. 101, 046405 (2008)):
formation energies, which are counted at E_F = VBM, follow the valence band by the charge times its
shift, so that neither E0_d + q_d·IP nor the neutral potential changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from interohm.records import Defect, Insulator, Quantity, SharedError

from .calculation import Calculation

#: Name of the error that ionization potential, gap and formation energies share.
VALENCE_BAND = "valence_band"


class BandEdgeShift(BaseModel):
    """Shift of the band edges relative to those of the calculation; upwards is positive.

    Parameters
    ----------
    valence_band_eV, conduction_band_eV : Quantity
        Shift of this band edge, with its source. Where the functional underestimates the gap, the
        valence band moves down (negative) and the conduction band up (positive).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    valence_band_eV: Quantity
    conduction_band_eV: Quantity

    @field_validator("valence_band_eV", "conduction_band_eV")
    @classmethod
    def _has_a_source(cls, shift: Quantity) -> Quantity:
        if shift.source is None:
            raise ValueError("give the source of the shift, as {value: -1.5, source: ...}")
        return shift


def shift_between(reference: Calculation, corrected: Calculation) -> BandEdgeShift:
    """Return what another functional does to the band edges of a crystal.

    Parameters
    ----------
    reference, corrected : Calculation
        Static, of one structure, by one engine: both refer to the cell's average potential, whose
        place among the levels the data sets decide.

    Raises
    ------
    ValueError
        One of them has no gap, or they do not belong together.
    """
    edges = [reference.vbm_eV, reference.cbm_eV, corrected.vbm_eV, corrected.cbm_eV]
    if any(edge is None for edge in edges):
        raise ValueError("a calculation of the band edges' shift has no gap")
    if reference.engine != corrected.engine:
        raise ValueError("the band edges' shift is between calculations of two engines")
    names = [one.settings["xc"] for one in (reference, corrected)]

    def moved(before: float, after: float) -> Quantity:
        return Quantity(
            value=round(after - before, 4),
            source=f"calculations {reference.hash[:12]} and {corrected.hash[:12]}",
            method=f"calculated: {corrected.engine}, {names[1]} minus {names[0]}",
        )

    return BandEdgeShift(
        valence_band_eV=moved(reference.vbm_eV, corrected.vbm_eV),  # type: ignore[arg-type]
        conduction_band_eV=moved(reference.cbm_eV, corrected.cbm_eV),  # type: ignore[arg-type]
    )


def with_band_edges(record: Insulator, shift: BandEdgeShift) -> Insulator:
    """Return a record with its band edges moved and its defect levels where they were.

    The uncertainty of the valence band's shift moves ionization potential, gap and formation
    energies together, as a shared error of the record, so that the neutral potential keeps its own;
    that of the conduction band's shift is added in quadrature to the gap's.

    Raises
    ------
    ValueError
        The band edges cross.
    """
    valence, conduction = shift.valence_band_eV, shift.conduction_band_eV
    gap = record.band_gap_eV.value + conduction.value - valence.value
    if gap <= 0:
        raise ValueError(f"the shifted band edges cross: the gap would be {gap:.2f} eV")
    # its uncertainty is shared
    bare = valence.model_copy(update={"uncertainty": None})
    potential = _moved(record.ionization_potential_eV, -valence.value, bare)
    provenance = {
        **_followed(record.provenance, valence),
        "band_edge_shift": shift.model_dump(mode="json"),
    }
    return record.model_copy(
        update={
            "ionization_potential_eV": potential,
            "band_gap_eV": _moved(
                record.band_gap_eV, conduction.value - valence.value, bare, conduction
            ),
            "defects": [_follows(defect, valence) for defect in record.defects],
            "shared_errors": _with_error(record, valence),
            "provenance": provenance,
        }
    )


def _with_error(record: Insulator, valence: Quantity) -> list[SharedError]:
    """Return the shared errors with that of the valence band's shift among them."""
    known = {error.name: error for error in record.shared_errors}
    before = known.get(VALENCE_BAND)
    total = hypot(0.0 if before is None else before.uncertainty_eV, valence.uncertainty or 0.0)
    if not total:
        return record.shared_errors
    known[VALENCE_BAND] = SharedError(
        name=VALENCE_BAND,
        uncertainty_eV=round(total, 4),
        moves=valence_band_moves(record.defects),
    )
    return list(known.values())


def valence_band_moves(defects: Sequence[Defect]) -> dict[str, float]:
    """Return what moves with the valence band's energy, and by how many times its error.

    Total energies do not: a higher one lowers ionization potential and gap, and a formation energy
    at E_F = VBM rises by q times it.
    """
    return {
        "ionization_potential_eV": -1.0,
        "band_gap_eV": -1.0,
        **{
            f"defects[{defect.name}].formation_energy_eV": float(defect.charge)
            for defect in defects
            if defect.charge
        },
    }


def _follows(defect: Defect, valence: Quantity) -> Defect:
    energy = defect.formation_energy_eV
    assert energy is not None  # a calculated defect has one
    step = defect.charge * valence.value
    said = f"{step:+.3g} eV with the VBM"
    method = said if energy.method is None else f"{energy.method}; {said}"
    changed = {"value": round(energy.value + step, 4), "method": method}
    return defect.model_copy(update={"formation_energy_eV": energy.model_copy(update=changed)})


def _followed(provenance: Mapping[str, Any], valence: Quantity) -> dict[str, Any]:
    """Return the provenance with its levels moved: of surfaces, of dopants and between charges."""
    step = valence.value

    def moved(entry: Mapping[str, Any], by: float) -> dict[str, Any]:
        return {**entry, "level_eV": round(entry["level_eV"] + by, 4)}

    followed = dict(provenance)
    if "surfaces" in provenance:
        followed["surfaces"] = [
            moved(
                {**one, "series": [moved(size, -step) for size in one["series"]]}
                if "series" in one
                else one,
                -step,
            )
            for one in provenance["surfaces"]
        ]
    if "transition_levels" in provenance:
        followed["transition_levels"] = {
            name: [moved(level, -step) for level in levels]
            for name, levels in provenance["transition_levels"].items()
        }
    if "dopants" in provenance:
        dopants = [Defect.model_validate(dopant) for dopant in provenance["dopants"]]
        followed["dopants"] = [
            _follows(dopant, valence).model_dump(mode="json", exclude_none=True)
            for dopant in dopants
        ]
    return followed


def _moved(quantity: Quantity, step: float, *shifts: Quantity) -> Quantity:
    uncertainties = [one.uncertainty for one in (quantity, *shifts) if one.uncertainty is not None]
    sources = [quantity.source, *dict.fromkeys(one.source for one in shifts)]
    methods = [quantity.method, f"{step:+.3g} eV by moved band edges"]
    return Quantity(
        value=round(quantity.value + step, 4),
        uncertainty=round(hypot(*uncertainties), 4) if uncertainties else None,
        source="; ".join(source for source in sources if source),
        method="; ".join(method for method in methods if method),
    )
