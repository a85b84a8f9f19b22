"""Apparent resistances, which an experiment would measure (physics.md, section 10).

Nothing here enters an intrinsic resistance: the functions take solutions, and return what stands
beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from interohm import device_models as models
from interohm.device_models import GradedProfile, StackLayer, StackNotConverged, Unmixing
from interohm.device_models import extrinsic as physics
from interohm.errors import InputError
from interohm.prediction.contact_barrier import pair_name
from interohm.records import Conductivity, Insulator, Quantity
from interohm.results.json_values import log10_quantiles, number, quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.device_models import Bulk
    from interohm.prediction.sampling import FieldSamples
    from interohm.prediction.solved_cell import SolvedLayer, SolvedState
    from interohm.prediction.solved_contact import SolvedContact
    from interohm.records.cell_config import Layer
    from interohm.records.extrinsic import (
        ContactExtrinsic,
        GrainBoundary,
        GrainBoundaryCore,
        Growth,
        Interphase,
        LayerExtrinsic,
        RoughContact,
    )

    Array = NDArray[np.float64]

Part = TypeVar("Part")

#: kappa, numerical contacts of self-affine surfaces: 2.0 to 2.4, Persson's theory 1.6.
_CONTACT_SLOPE = Quantity(value=physics.CONTACT_SLOPE, uncertainty=0.25)

#: How many Debye lengths of grain stand beside a boundary's core.
_DEBYE_LENGTHS = 20.0


@dataclass(frozen=True)
class ExtrinsicContact:
    """Extrinsic parts of one contact's resistance; arrays () or (samples,)."""

    contact_fraction: Array
    constriction_ohm_cm2: Array
    interphase_thickness_nm: Array
    interphase_ohm_cm2: Array
    apparent_resistance_ohm_cm2: Array


@dataclass(frozen=True)
class ExtrinsicLayer:
    """Resistance that grain boundaries add to a layer; arrays () or (samples,)."""

    boundary_resistance_ohm_cm2: Array
    apparent_resistance_ohm_cm2: Array


@dataclass(frozen=True)
class _Reader:
    """Numbers of what is given, nominal or sampled."""

    name: str
    field_samples: FieldSamples | None

    def positive(self, field: str, quantity: Quantity) -> Array:
        if self.field_samples is None:
            return np.asarray(quantity.value)
        return self.field_samples.positive(self.name, f"extrinsic.{field}", quantity)

    def energy(self, field: str, quantity: Quantity) -> Array:
        if self.field_samples is None:
            return np.asarray(quantity.value)
        return self.field_samples.value(self.name, f"extrinsic.{field}", quantity)


def extrinsic_contact(
    given: ContactExtrinsic,
    solved: SolvedContact,
    temperature_K: float,
    field_samples: FieldSamples | None,
) -> ExtrinsicContact:
    """Return what an experiment would measure of a contact.

    Parameters
    ----------
    given : ContactExtrinsic
        Real contact, interphase, age.
    solved : SolvedContact
        The intrinsic contact, nominal or sampled by `field_samples`.
    temperature_K : float
        Temperature of the contact.
    field_samples : FieldSamples, optional
        Sample the uncertainties.
    """
    read = _Reader(pair_name(solved.left, solved.right), field_samples)
    fraction = np.asarray(1.0)
    if given.contact_fraction is not None:
        fraction = np.minimum(read.positive("contact_fraction", given.contact_fraction), 1.0)
    elif given.rough_contact is not None:
        fraction = _rough_fraction(given.rough_contact, read)
    constriction = np.asarray(0.0)
    if given.spot_radius_um is not None:
        radius_um = read.positive("spot_radius_um", given.spot_radius_um)
        for phase, side in (
            (solved.left, solved.left_side),
            (solved.right, solved.right_side),
        ):
            # in an electrode the electrons spread the current
            if isinstance(phase, Insulator) and not isinstance(side, models.Metal):
                sigma = side.bulk.conductivity_S_cm
                constriction = constriction + physics.constriction_ohm_cm2(
                    fraction, radius_um, sigma
                )
    thickness, film = np.asarray(0.0), np.asarray(0.0)
    if given.interphase is not None:
        thickness = _thickness_nm(given.interphase, given.hours, temperature_K, read)
        sigma = _conductivity_S_cm(given.interphase.conductivity, temperature_K, read)
        film = physics.film_ohm_cm2(thickness, sigma)
    return ExtrinsicContact(
        fraction,
        constriction,
        thickness,
        film,
        np.minimum(
            physics.apparent_ohm_cm2(
                solved.interface_resistance_ohm_cm2,
                contact_fraction=fraction,
                constriction_ohm_cm2=constriction,
                interphase_ohm_cm2=film,
            ),
            models.LARGEST_OHM_CM2,
        ),
    )


def _rough_fraction(given: RoughContact, read: _Reader) -> Array:
    def positive(field: str) -> Array:
        return read.positive(f"rough_contact.{field}", getattr(given, field))

    def poisson(side: str) -> Array:
        field = f"{side}_poisson"
        return np.clip(read.energy(f"rough_contact.{field}", getattr(given, field)), -1.0, 0.5)

    modulus_GPa = physics.effective_modulus_GPa(
        positive("left_modulus_GPa"),
        poisson("left"),
        positive("right_modulus_GPa"),
        poisson("right"),
    )
    return physics.contact_fraction(
        positive("pressure_MPa"),
        modulus_GPa,
        positive("rms_slope"),
        hardness_GPa=np.inf if given.hardness_GPa is None else positive("hardness_GPa"),
        slope=read.positive("rough_contact.kappa", _CONTACT_SLOPE),
    )


def _thickness_nm(given: Interphase, hours: float, temperature_K: float, read: _Reader) -> Array:
    initial = np.asarray(0.0)
    if given.initial_nm is not None:
        initial = read.positive("interphase.initial_nm", given.initial_nm)
    growth = given.growth
    if growth is None:
        return initial
    factor = _growth_factor(growth, temperature_K, read)
    rates = {
        field: np.asarray(np.inf)
        if rate is None
        else factor * read.positive(f"interphase.growth.{field}", rate)
        for field, rate in (
            ("parabolic_nm2_h", growth.parabolic_nm2_h),
            ("linear_nm_h", growth.linear_nm_h),
        )
    }
    return physics.interphase_thickness_nm(hours, initial_nm=initial, **rates)


def _growth_factor(growth: Growth, temperature_K: float, read: _Reader) -> Array:
    """Return by what the rates at the contact's temperature exceed those that are given."""
    if growth.activation_energy_eV is None or growth.temperature_K is None:
        return np.asarray(1.0)
    energy = read.energy("interphase.growth.activation_energy_eV", growth.activation_energy_eV)
    return physics.arrhenius_factor(np.maximum(energy, 0.0), temperature_K, growth.temperature_K)


def _conductivity_S_cm(given: Conductivity, temperature_K: float, read: _Reader) -> Array:
    field = "interphase.conductivity"
    energy = read.energy(f"{field}.activation_energy_eV", given.activation_energy_eV)
    return np.asarray(
        read.positive(f"{field}.value_S_cm", given.value_S_cm)
        * (given.temperature_K / temperature_K)
        * physics.arrhenius_factor(np.maximum(energy, 0.0), temperature_K, given.temperature_K)
    )


def extrinsic_layer(
    layer: Layer,
    solved: SolvedLayer,
    intrinsic_ohm_cm2: Array,
    field_samples: FieldSamples | None,
) -> ExtrinsicLayer:
    """Return what boundaries of grains add to a layer (bricks, whose boundaries are in series).

    Parameters
    ----------
    layer : Layer
        Its description, with `extrinsic`.
    solved : SolvedLayer
        Its phase, an insulator.
    intrinsic_ohm_cm2 : array () or (samples,)
        Its resistance without grains.
    field_samples : FieldSamples, optional
        Sample the uncertainties.

    Raises
    ------
    InputError
        A core has no solution.
    """
    given = layer.extrinsic
    assert given is not None
    assert solved.bulks is not None
    bulk = solved.bulks[2]
    read = _Reader(solved.material.name, field_samples)
    size_nm = read.positive("grain_size_nm", given.grain_size_nm)
    if given.boundary is not None:
        each = _boundary_ohm_cm2(given.boundary, bulk, read)
    else:
        each = _core_ohm_cm2(given, solved, bulk)
    boundaries = np.asarray(layer.thickness_nm / size_nm * each)
    return ExtrinsicLayer(boundaries, np.asarray(intrinsic_ohm_cm2 + boundaries))


def _boundary_ohm_cm2(given: GrainBoundary, bulk: Bulk, read: _Reader) -> Array:
    """Return the resistance of one boundary whose conductivity is known."""
    width_nm = read.positive("boundary.width_nm", given.width_nm)
    energy = read.energy("boundary.activation_energy_eV", given.activation_energy_eV)
    temperature = bulk.temperature_K
    lower = np.asarray(energy) - models.bulk_activation_energy_eV(bulk)
    factor = np.exp(-lower / (models.BOLTZMANN_EV_K * temperature))
    return physics.film_ohm_cm2(width_nm, bulk.conductivity_S_cm * factor)


def _core_ohm_cm2(given: LayerExtrinsic, solved: SolvedLayer, bulk: Bulk) -> Array:
    """Return the excess of one core with its space charges, between two grains."""
    core = given.core
    assert isinstance(solved.material, Insulator)
    assert core is not None
    grain_nm = given.grain_size_nm.value - core.width_nm
    debye_nm = np.asarray(bulk.debye_length_nm)
    longest = float(np.max(debye_nm[np.isfinite(debye_nm)], initial=0.0))
    # beyond their space charges grains are as they are
    beside_nm = min(0.5 * grain_nm, max(_DEBYE_LENGTHS * longest, core.width_nm))
    length_nm = 2.0 * beside_nm + core.width_nm
    names = [defect.name for defect in solved.material.defects]
    ends = models.Metal(bulk.neutral_potential_V)
    stacked = StackLayer(
        bulk,
        length_nm,
        energy_shift_eV=[_along(core, name, beside_nm, length_nm) for name in names],
    )
    try:
        stack = models.solve_stack(ends, [stacked], ends)
    except (StackNotConverged, Unmixing, ValueError) as error:
        raise InputError(
            f"a grain boundary of {solved.material.name} has no solution: {error}",
            where="layers: extrinsic.core",
            fix="check width_nm and energy_eV, or give a boundary by its activation energy",
        ) from None
    whole = stack.layers[0].resistance_ohm_cm2
    return np.asarray(whole - physics.film_ohm_cm2(length_nm, bulk.conductivity_S_cm))


def _along(
    core: GrainBoundaryCore, defect: str, beside_nm: float, length_nm: float
) -> GradedProfile:
    energy = core.energy_eV.get(defect, 0.0)
    inside = [beside_nm, beside_nm + core.width_nm]
    return GradedProfile(
        np.array([0.0, inside[0], inside[0], inside[1], inside[1], length_nm]),
        np.array([0.0, 0.0, energy, energy, 0.0, 0.0]),
    )


@dataclass(frozen=True)
class Seen(Generic[Part]):
    """Apparent resistance of a contact or a layer, nominal and sampled."""

    nominal: Part
    sampled: Part | None

    def of(self, sampled: bool) -> Part | None:
        """Return one of the two."""
        return self.sampled if sampled else self.nominal


def seen_contact(
    given: ContactExtrinsic | None,
    nominal: SolvedContact,
    sampled: SolvedContact | None,
    temperature_K: float,
    field_samples: FieldSamples | None,
) -> Seen[ExtrinsicContact] | None:
    """Return what an experiment would measure of a contact; None where nothing is given."""
    if given is None:
        return None
    many = None
    if sampled is not None and field_samples is not None:
        many = extrinsic_contact(given, sampled, temperature_K, field_samples)
    return Seen(extrinsic_contact(given, nominal, temperature_K, None), many)


def contact_extrinsic_fields(
    given: ContactExtrinsic | None, seen: Seen[ExtrinsicContact] | None
) -> dict[str, Any] | None:
    """Return what a document says of an experiment on a contact; None where nothing is given."""
    if given is None or seen is None:
        return None
    return {"hours": given.hours, **_fields(seen)}


def seen_layer(
    layer: Layer,
    nominal: SolvedLayer,
    sampled: SolvedLayer | None,
    resistances: tuple[Array | None, Array | None],
    field_samples: FieldSamples | None,
) -> Seen[ExtrinsicLayer] | None:
    """Return what an experiment would measure of a layer's grains; None where nothing is given.

    Parameters
    ----------
    layer : Layer
        Its description.
    nominal, sampled : SolvedLayer
        Its phase.
    resistances : pair of array
        The intrinsic resistance, nominal and sampled.
    field_samples : FieldSamples, optional
        Fields of the samples.
    """
    if layer.extrinsic is None or resistances[0] is None:
        return None
    many = None
    if sampled is not None and field_samples is not None and resistances[1] is not None:
        many = extrinsic_layer(layer, sampled, resistances[1], field_samples)
    return Seen(extrinsic_layer(layer, nominal, resistances[0], None), many)


def layer_extrinsic_fields(
    layer: Layer, seen: Seen[ExtrinsicLayer] | None
) -> dict[str, Any] | None:
    """Return what a document says of a layer's grains; None where nothing is given."""
    if layer.extrinsic is None or seen is None:
        return None
    return {"grain_size_nm": layer.extrinsic.grain_size_nm.value, **_fields(seen)}


def _fields(seen: Seen[Any]) -> dict[str, Any]:
    def each(solved: Any, of: Callable[[Any], Any]) -> dict[str, Any]:
        return {name: of(getattr(solved, name)) for name in type(solved).__dataclass_fields__}

    return {
        **each(seen.nominal, number),
        "quantiles": None
        if seen.sampled is None
        else {
            **each(seen.sampled, quantiles),
            "log10_apparent_resistance": log10_quantiles(seen.sampled.apparent_resistance_ohm_cm2),
        },
    }


def apparent_cell_ohm_cm2(
    state: SolvedState,
    contacts: Sequence[Seen[ExtrinsicContact] | None],
    layers: Sequence[Seen[ExtrinsicLayer] | None],
    *,
    sampled: bool,
) -> Array | None:
    """Return the area-specific resistance that an experiment sees, nominal or of the samples.

    The intrinsic one, and what each contact and each layer has beside it; None where nothing is
    given.
    """
    added: list[Array] = []
    for seen, solved in zip(contacts, state.contacts, strict=True):
        if seen is not None and (contact := seen.of(sampled)) is not None:
            added.append(contact.apparent_resistance_ohm_cm2 - solved.interface_resistance_ohm_cm2)
    for grains in layers:
        if grains is not None and (layer := grains.of(sampled)) is not None:
            added.append(layer.boundary_resistance_ohm_cm2)
    if not added:
        return None
    return np.asarray(state.area_specific_resistance_ohm_cm2 + sum(added))
