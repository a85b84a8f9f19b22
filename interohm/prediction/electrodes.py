"""Electrodes and the zero of potential: what a metal's record says at one state of charge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm import device_models as models
from interohm.errors import InputError
from interohm.prediction.coexisting_phases import PhaseShare
from interohm.prediction.sampling import FieldSamples, Numbers
from interohm.records import Insulator, Metal, Quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array


@dataclass(frozen=True)
class ElectrodeState:
    """An electrode at one ion content; arrays have the shape () or (samples,)."""

    ion_content: float
    voltage_V: NDArray[np.float64]
    work_function_eV: NDArray[np.float64]


def electrode_state(
    metal: Metal, ion_content: float, *, field_samples: FieldSamples | None = None
) -> ElectrodeState:
    """Interpolate an electrode's curve (PCHIP), never beyond its ends.

    Raises
    ------
    InputError
        The ion content lies outside of the record's curve.

    Notes
    -----
    A curve's error is taken as one shift of the whole curve (the same draw for every state), since
    measurement and functional err alike along it.
    """
    contents = np.array([state.ion_content for state in metal.states])
    if not contents[0] <= ion_content <= contents[-1]:
        raise InputError(
            f"ion_content {ion_content:g} is outside of the record's curve, "
            f"{contents[0]:g} to {contents[-1]:g}",
            where=f"material {metal.name}",
            fix="stay within the curve, or extend `states` in the record",
        )

    numbers = Numbers(metal, field_samples)

    def at_content(field: str) -> NDArray[np.float64]:
        rows = []
        for state in metal.states:
            quantity: Quantity = getattr(state, field)
            # one draw shifts the whole curve
            rows.append(numbers.energy(f"states.{field}", quantity, drawn_as=field))
        if len(rows) == 1:
            return rows[0]
        from scipy.interpolate import PchipInterpolator

        return np.asarray(PchipInterpolator(contents, np.stack(rows), axis=0)(ion_content))

    return ElectrodeState(ion_content, at_content("voltage_V"), at_content("work_function_eV"))


def ion_content_at(
    metal: Metal,
    state_of_charge: float,
    *,
    positive: bool,
    discharged: float | None = None,
    charged: float | None = None,
) -> float:
    """Return an electrode's ion content: linear in the state of charge.

    Discharged (0), the positive electrode is at its highest ion content and the negative one at its
    lowest, those of the record's curve unless ``discharged`` and ``charged`` are given.
    """
    low, high = metal.states[0].ion_content, metal.states[-1].ion_content
    if discharged is None:
        discharged = high if positive else low
    if charged is None:
        charged = low if positive else high
    if state_of_charge == 1:
        return charged  # the sum below may miss it by a rounding error and leave the curve
    return discharged + state_of_charge * (charged - discharged)


def reference_work_function_eV(reference: Metal, field_samples: FieldSamples | None) -> Array:
    """Return Phi_metal, the work function that fixes the zero of potential."""
    state = electrode_state(reference, reference.states[0].ion_content, field_samples=field_samples)
    return state.work_function_eV


def host_occupations(metal: Metal, ion_content: float) -> list[tuple[float, float]]:
    """Return theta of the phases that an electrode consists of, each with its share.

    One phase, or two where the ion content lies between those that coexist; none where the record
    does not give the sites.
    """
    sites = metal.sites_per_formula
    if sites is None:
        return []
    if metal.two_phase_range is not None:
        low, high = metal.two_phase_range
        if low < ion_content < high:
            share = (ion_content - low) / (high - low)
            return [(low / sites, 1.0 - share), (high / sites, share)]
    return [(ion_content / sites, 1.0)]


def coexisting_fields(
    sides: Mapping[str, tuple[Insulator | Metal, float | None]],
) -> list[dict[str, Any]]:
    """Return the phases that coexist on the sides of a contact, as a document says them.

    Parameters
    ----------
    sides : mapping
        Record and ion content of each side; None of an insulator.
    """
    found = []
    for side, (material, content) in sides.items():
        if not isinstance(material, Metal) or content is None:
            continue
        phases = host_occupations(material, content)
        if len(phases) > 1:
            sites = material.sites_per_formula or 1.0
            found += [
                {"side": side, "ion_content": theta * sites, "share": share}
                for theta, share in phases
            ]
    return found


def occupation_is_cut(metal: Metal, ion_content: float) -> bool:
    """Return whether theta lies so close to 0 or 1 that it is kept off them."""
    least = models.HOST_OCCUPATION
    return any(
        not least <= theta <= 1.0 - least for theta, _ in host_occupations(metal, ion_content)
    )


def host_factor(metal: Metal, ion_content: float) -> float:
    """Return sqrt(theta(1 − theta)) of an electrode, the mean over its phases; 1 without sites."""
    phases = host_occupations(metal, ion_content)
    if not phases:
        return 1.0
    return float(sum(share * models.lattice_gas_factor(theta) for theta, share in phases))


def electrode_phases(
    metal: Metal,
    state: ElectrodeState,
    metal_work_function_eV: Array,
    *,
    temperature_K: float | Array,
    field_samples: FieldSamples | None = None,
) -> list[PhaseShare]:
    """Return the phases of an electrode at its neutral potential, the largest share first.

    They bend beside a contact where the record has a `space_charge`. Without one the electrode
    holds its potential, all of its phases as one.
    """
    z = metal.ion_charge
    mu_eV = -z * state.voltage_V
    bends = metal.space_charge
    if bends is None:
        neutral_V = models.metal_neutral_potential_V(
            state.work_function_eV, mu_eV, metal_work_function_eV, z
        )
        factor = np.asarray(host_factor(metal, state.ion_content))
        return [PhaseShare(1.0, models.Metal(neutral_V, factor))]
    numbers = Numbers(metal, field_samples)

    def positive(name: str) -> Array | None:
        quantity = getattr(bends, name)
        return None if quantity is None else numbers.positive(f"space_charge.{name}", quantity)

    epsilon, density = positive("dielectric_constant"), positive("site_density_cm3")
    assert epsilon is not None
    assert density is not None
    return [
        PhaseShare(
            share,
            models.electrode_bulk(
                work_function_eV=state.work_function_eV,
                mu_eV=mu_eV,
                metal_work_function_eV=metal_work_function_eV,
                temperature_K=temperature_K,
                occupation=theta,
                site_density_cm3=density,
                dielectric_constant=np.maximum(epsilon, 1.0),
                ion_charge=float(z),
                holes_cm3=positive("holes_cm3"),
                electrons_cm3=positive("electrons_cm3"),
                band_gap_eV=positive("band_gap_eV"),
                conductivity_S_cm=positive("conductivity_S_cm"),
            ),
        )
        for theta, share in sorted(
            host_occupations(metal, state.ion_content), key=lambda phase: -phase[1]
        )
    ]


def clipped_mu_eV(insulator: Insulator, mu_eV: Array | float) -> Array:
    """Return mu within the phase's stability window (physics.md, section 2)."""
    if insulator.stability_window_V is None:
        return np.asarray(mu_eV)
    reduction, oxidation = (bound.value for bound in insulator.stability_window_V)
    z = insulator.ion_charge
    return np.asarray(np.clip(mu_eV, -z * oxidation, -z * reduction))


def neutrality_level_eV(material: Insulator | Metal, field_samples: FieldSamples | None) -> Array:
    """Return Phi_CNL below the vacuum level; a metal's is its work function when discharged.

    Raises
    ------
    InputError
        An insulator's record has no charge-neutrality level.
    """
    if isinstance(material, Metal):
        return electrode_state(
            material, material.states[-1].ion_content, field_samples=field_samples
        ).work_function_eV
    level = material.charge_neutrality_level_eV
    if level is None:
        raise InputError(
            "no charge_neutrality_level_eV, which pinning needs",
            where=f"material {material.name}",
            fix="add it to the record, or leave out pinning_factor",
        )
    return Numbers(material, field_samples).energy("charge_neutrality_level_eV", level)
