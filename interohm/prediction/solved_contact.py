"""A contact as the device model solved it, and the fields that it has in every document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from interohm import device_models as models
from interohm.device_models import FiniteLayer
from interohm.errors import InputError
from interohm.records import Insulator, Metal
from interohm.results.json_values import (
    interface_quantiles,
    log10_fields,
    number,
    numbers,
    quantiles,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array
    from interohm.device_models import Bulk, HalfSpace
    from interohm.prediction.contact_barrier import Hop

    Side = HalfSpace | FiniteLayer | models.Metal


_ACCUMULATION = (
    "carriers accumulate: the space charge conducts better than the bulk that it replaces, so its "
    "excess resistance is negative and has no logarithm"
)


@dataclass(frozen=True, kw_only=True)
class ContactSolution:
    """A contact as the device model solved it; arrays have the shape (), (samples,) or (pairs,).

    ``left_side`` and ``right_side`` are what carries the profile: a half space, a layer whose far
    end is elsewhere, or a metal, which has none. A resistance is NaN where it is undefined.
    ``depletion`` is the part of a side's excess resistance from where it conducts worse than its
    bulk, never negative; of a layer that is solved as a whole it reaches to the middle.
    """

    left_side: Side
    right_side: Side
    potential_drop_V: Array
    dipole_V: Array
    sheet_charge_e_nm2: Array
    capacitance_uF_cm2: Array
    differential_capacitance_uF_cm2: Array
    space_charge_left_ohm_cm2: Array
    space_charge_right_ohm_cm2: Array
    depletion_left_ohm_cm2: Array
    depletion_right_ohm_cm2: Array
    charge_transfer_ohm_cm2: Array
    contact_barrier_eV: Array
    layer_ohm_cm2: Array
    reason: str
    blocked: bool = False

    def of(self, left: Insulator | Metal, right: Insulator | Metal) -> SolvedContact:
        """Return it as the contact of two records."""
        values = {field.name: getattr(self, field.name) for field in fields(ContactSolution)}
        return SolvedContact(left=left, right=right, **values)

    def with_transfer(self, *, blocked: bool) -> Self:
        """Return the contact as it is where no ion crosses it."""
        if not blocked:
            return self
        none = np.full_like(self.charge_transfer_ohm_cm2, np.nan)
        return replace(
            self,
            charge_transfer_ohm_cm2=none,
            reason="ion transfer is blocked: no ion crosses this contact",
            blocked=True,
        )

    @property
    def sides(self) -> dict[str, Side]:
        """Return what carries the profile, by the name of the side."""
        return {"left": self.left_side, "right": self.right_side}

    @property
    def space_charge_ohm_cm2(self) -> Array:
        """Space-charge resistance of thick sides: 0 of a metal and of a layer solved as a whole."""
        parts = [
            part
            for side, part in self._space_charges
            if not isinstance(side, (FiniteLayer, models.Metal))
        ]
        return np.asarray(sum(parts)) if parts else np.asarray(np.nan)

    @property
    def interface_resistance_ohm_cm2(self) -> Array:
        """R_if: charge transfer and depletion, always positive; capped where nothing conducts."""
        total = self.charge_transfer_ohm_cm2 + self.depletion_ohm_cm2
        if self.blocked:
            return np.full_like(total, np.nan)
        return models.positive_resistance(total, ~self.has_no_solution)

    @property
    def depletion_ohm_cm2(self) -> Array:
        """Depletion of both sides."""
        return np.asarray(self.depletion_left_ohm_cm2 + self.depletion_right_ohm_cm2)

    @property
    def accumulation_ohm_cm2(self) -> Array:
        """Difference of a sum along the cell from the interface resistance, at most 0."""
        parts = [
            (0.0 if isinstance(side, FiniteLayer) else part) - depletion
            for (side, part), depletion in zip(
                self._space_charges,
                (self.depletion_left_ohm_cm2, self.depletion_right_ohm_cm2),
                strict=True,
            )
        ]
        return np.asarray(parts[0] + parts[1])

    @property
    def _space_charges(self) -> list[tuple[Side, Array]]:
        return [
            (self.left_side, self.space_charge_left_ohm_cm2),
            (self.right_side, self.space_charge_right_ohm_cm2),
        ]

    def without_space_charge(self) -> Self:
        """Return a flat contact with R_scl = 0, of which rounding leaves a potential of 1e-16 V.

        Times the Debye length and the resistivity of an insulator, that would be a resistance.
        """
        none = np.zeros(())
        return replace(
            self,
            space_charge_left_ohm_cm2=none,
            space_charge_right_ohm_cm2=none,
            depletion_left_ohm_cm2=none,
            depletion_right_ohm_cm2=none,
        )

    @property
    def has_no_solution(self) -> NDArray[np.bool_]:
        """Samples without a neutral bulk, or for which the grid solver did not converge."""
        return ~np.isfinite(np.asarray(self.sheet_charge_e_nm2))

    @property
    def total_ohm_cm2(self) -> Array:
        """R_int of thick phases; with a layer, R_layer instead of that side's space charge."""
        total = self.charge_transfer_ohm_cm2
        for side, part in self._space_charges:
            total = total + (self.layer_ohm_cm2 if isinstance(side, FiniteLayer) else part)
        return total


@dataclass(frozen=True, kw_only=True)
class SolvedContact(ContactSolution):
    """The contact of two records."""

    left: Insulator | Metal
    right: Insulator | Metal


def shown_side(side: Side) -> Side:
    """Return a side as diagrams show it: an electrode that bends by its neutral potential alone."""
    if isinstance(side, models.HalfSpace) and np.all(side.bulk.phase.electrode):
        return models.Metal(side.bulk.neutral_potential_V)
    return side


def require_neutral_bulk(insulator: Insulator, bulk: Bulk) -> None:
    """Raise `InputError` where the phase's charges cannot compensate each other."""
    if not bool(np.all(bulk.has_neutral_bulk)):
        raise InputError(
            "no neutral bulk: the phase's defects cannot compensate each other's charge",
            where=f"material {insulator.name}",
            fix="give defects of both signs (and fewer dopants than the sublattice takes), or "
            "make it a thin layer of a cell",
        )


def between_half_spaces(
    left_model: Bulk | models.Metal,
    right_model: Bulk | models.Metal,
    *,
    dipole_V: Array | float = 0.0,
    hop: Hop,
    sheet_charge_e_nm2: float = 0.0,
    left_thickness_nm: float | None = None,
    right_thickness_nm: float | None = None,
    blocked: bool = False,
) -> ContactSolution:
    """Solve a contact whose insulating sides are thick, and say so where they are not."""
    contact = models.contact(
        left_model, right_model, dipole_V=dipole_V, sheet_charge_e_nm2=sheet_charge_e_nm2
    )
    parts = models.contact_resistance(
        contact,
        left_thickness_nm=left_thickness_nm,
        right_thickness_nm=right_thickness_nm,
        areal_site_density_cm2=hop.areal_site_density_cm2,
        barrier_eV=hop.barrier_eV,
        excess_barrier_eV=hop.excess_barrier_eV,
    )
    return ContactSolution(
        left_side=contact.left,
        right_side=contact.right,
        potential_drop_V=contact.potential_drop_V,
        dipole_V=np.asarray(dipole_V),
        sheet_charge_e_nm2=contact.sheet_charge_e_nm2,
        capacitance_uF_cm2=contact.capacitance_uF_cm2,
        differential_capacitance_uF_cm2=contact.differential_capacitance_uF_cm2,
        space_charge_left_ohm_cm2=parts.space_charge_left_ohm_cm2,
        space_charge_right_ohm_cm2=parts.space_charge_right_ohm_cm2,
        depletion_left_ohm_cm2=parts.depletion_left_ohm_cm2,
        depletion_right_ohm_cm2=parts.depletion_right_ohm_cm2,
        charge_transfer_ohm_cm2=parts.charge_transfer_ohm_cm2,
        contact_barrier_eV=parts.contact_barrier_eV,
        layer_ohm_cm2=np.asarray(np.nan),
        reason=models.Reason(int(np.ravel(parts.reason)[0])).text,
    ).with_transfer(blocked=blocked)


def contact_fields(nominal: SolvedContact, sampled: SolvedContact | None) -> dict[str, Any]:
    """Return the fields that a contact has in every document, alone or within a cell."""
    return {
        "left": nominal.left.name,
        "right": nominal.right.name,
        **prediction_fields(nominal, sampled),
        "profile": _profile(nominal),
    }


def prediction_fields(nominal: SolvedContact, sampled: SolvedContact | None) -> dict[str, Any]:
    """Return what is predicted of a contact but for its profile, with the quantiles of samples."""
    total = number(nominal.total_ohm_cm2)
    return {
        **_summary(nominal, number),
        "dipole_V": number(nominal.dipole_V),
        "resistance": {
            **_resistances(nominal, number),
            "limiting_step": _limiting_step(nominal),
            "reason": nominal.reason or (_ACCUMULATION if (total or 0.0) < 0 else None),
        },
        "quantiles": None
        if sampled is None
        else {
            **_summary(sampled, quantiles),
            "resistance_ohm_cm2": _resistances(sampled, quantiles),
            **log10_fields(total, sampled.total_ohm_cm2),
            **interface_quantiles(sampled.interface_resistance_ohm_cm2),
            "samples": int(np.size(sampled.potential_drop_V)),
            "lost_samples": int(np.count_nonzero(sampled.has_no_solution)),
        },
    }


def _summary(solved: SolvedContact, of: Callable[[Any], Any]) -> dict[str, Any]:
    """Return potential, charge and lengths, each as one number or as one set of quantiles."""
    return {
        **{
            field: of(getattr(solved, field))
            for field in (
                "potential_drop_V",
                "sheet_charge_e_nm2",
                "capacitance_uF_cm2",
                "differential_capacitance_uF_cm2",
            )
        },
        "debye_length_nm": {
            name: None if isinstance(side, models.Metal) else of(side.bulk.debye_length_nm)
            for name, side in solved.sides.items()
        },
        # where 50, 90 and 99 % of the drop have happened
        "distance_nm": {
            name: {"x50": of(side.x50_nm), "x90": of(side.x90_nm), "x99": of(side.x99_nm)}
            if isinstance(side, models.HalfSpace)
            else None
            for name, side in solved.sides.items()
        },
    }


def _resistances(solved: SolvedContact, of: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the resistance and its parts, each as one number or as one set of quantiles."""
    return {
        field: of(getattr(solved, field))
        for field in (
            "space_charge_ohm_cm2",
            "charge_transfer_ohm_cm2",
            "total_ohm_cm2",
            "interface_resistance_ohm_cm2",
            "accumulation_ohm_cm2",
            "depletion_left_ohm_cm2",
            "depletion_right_ohm_cm2",
            "contact_barrier_eV",
            "space_charge_left_ohm_cm2",
            "space_charge_right_ohm_cm2",
            "layer_ohm_cm2",
        )
    }


def _limiting_step(solved: SolvedContact) -> str | None:
    """Name the largest part of the interface resistance, or of a layer solved as a whole."""
    steps = {
        "space charge": number(solved.depletion_ohm_cm2),
        "charge transfer": number(solved.charge_transfer_ohm_cm2),
        "layer": number(solved.layer_ohm_cm2),
    }
    known = {step: value for step, value in steps.items() if value is not None}
    if known.get("charge transfer") is None:
        return None
    return max(known, key=lambda step: known[step])


def _profile(solved: SolvedContact) -> dict[str, Any]:
    """Merge the profiles of the insulating sides, from left to right; x = 0 is the contact."""
    sides = [
        (material, side, sign)
        for material, side, sign in (
            (solved.left, solved.left_side, -1.0),
            (solved.right, solved.right_side, 1.0),
        )
        if isinstance(material, Insulator) and not isinstance(side, models.Metal)
    ]
    names = list(dict.fromkeys(d.name for material, _, _ in sides for d in material.defects))
    x: list[float | None] = []
    phi: list[float | None] = []
    conductivity: list[float | None] = []
    electrochemical: list[float | None] = []
    concentrations: dict[str, list[float | None]] = {name: [] for name in names}
    for material, side, sign in sides:
        profile = side.profile()
        position_nm, potential, defects = profile.x_nm, profile.phi_V, profile.concentrations_cm3
        conducting = profile.conductivity_S_cm
        if sign < 0:
            # A half space counts x from the contact into the phase, a layer from its left end.
            position_nm = (
                position_nm - position_nm[-1]
                if isinstance(side, FiniteLayer)
                else -position_nm[::-1]
            )
            if not isinstance(side, FiniteLayer):
                potential, defects = potential[::-1], defects[::-1]
                conducting = conducting[::-1]
        x += numbers(position_nm)
        phi += numbers(potential)
        conductivity += numbers(conducting)
        bulk = side.bulk
        level = bulk.level_at(potential) - bulk.phase.ionization_potential_eV - potential
        electrochemical += numbers(
            models.ion_electrochemical_potential_eV(bulk.mu_eV, level, material.ion_charge)
        )
        own = [defect.name for defect in material.defects]
        for name in names:
            missing: list[float | None] = [None] * len(position_nm)
            concentrations[name] += numbers(defects[:, own.index(name)]) if name in own else missing
    return {
        "x_nm": x,
        "phi_V": phi,
        "concentrations_cm3": concentrations,
        "conductivity_S_cm": conductivity,
        "electrochemical_potential_eV": electrochemical,
    }
