"""Voltages of an electrode from total energies, and its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from interohm.records import Metal, MetalState, Quantity

from .calculation import Calculation
from .levels import band_edges, work_function
from .materials import Uncertainties, Uncertainty, calculated_quantity, method_of


@dataclass(frozen=True)
class Plateau:
    """A range of ion contents over which two orders of the electrode coexist, at one voltage."""

    low: float
    high: float
    voltage_V: float


def voltage_plateaus(
    energies_eV: Mapping[float, float], ion_energy_eV: float, ion_charge: int
) -> list[Plateau]:
    """Return the steps of the equilibrium voltage, in ascending ion content.

    ``V = −[E(x2) − E(x1) − (x2 − x1)·E_metal]/[(x2 − x1)·z]`` between neighbours on the lower
    convex hull (M. K. Aydinol et al., Phys. Rev. B 56, 1354 (1997)). An order above the hull
    decomposes into its neighbours and has no plateau of its own: the voltage never rises with the
    content.

    Parameters
    ----------
    energies_eV : mapping of float to float
        Total energies per formula unit of the host, by ion content; at least two.
    ion_energy_eV : float
        Total energy per atom of the mobile ion's metal.
    ion_charge : int
        Charge of the mobile ion, in elementary charges.
    """
    hull: list[tuple[float, float]] = []
    for point in sorted(energies_eV.items()):
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) >= _slope(hull[-1], point):
            hull.pop()
        hull.append(point)
    return [
        Plateau(left[0], right[0], -(_slope(left, right) - ion_energy_eV) / ion_charge)
        for left, right in pairwise(hull)
    ]


def _slope(left: tuple[float, float], right: tuple[float, float]) -> float:
    return (right[1] - left[1]) / (right[0] - left[0])


def voltage_at(plateaus: Sequence[Plateau], ion_content: float) -> tuple[float, float]:
    """Return the voltage at an ion content, and half of the step that the curve makes there."""
    beside = [p.voltage_V for p in plateaus if p.low <= ion_content <= p.high]
    return sum(beside) / len(beside), (max(beside) - min(beside)) / 2


@dataclass(frozen=True)
class ElectrodeState:
    """Calculated properties at one ion content.

    Parameters
    ----------
    ion_content : float
        Mobile ions per formula unit of the host.
    host_units : int
        Formula units in the cell of ``bulk``.
    bulk : Calculation
        The order of lowest energy.
    slab : Calculation, optional
        The slab that gave the work function, if there is one.
    period_A : float, optional
        Repeat distance of the crystal along the slab's normal.
    work_function_eV : Quantity, optional
        Given where there is no slab.
    """

    ion_content: float
    host_units: int
    bulk: Calculation
    slab: Calculation | None
    period_A: float | None
    work_function_eV: Quantity | None


def electrode_record(
    states: Sequence[ElectrodeState],
    metal: Calculation,
    *,
    name: str,
    mobile_ion: str,
    ion_charge: int,
    surface: str | None,
    uncertainties: Uncertainties,
    provenance: Mapping[str, Any],
) -> Metal:
    """Assemble the record of an electrode along its state of charge.

    Parameters
    ----------
    states : sequence of ElectrodeState
        At least two.
    metal : Calculation
        Bulk metal of the mobile ion.
    """
    plateaus = voltage_plateaus(
        {state.ion_content: state.bulk.energy_eV / state.host_units for state in states},
        metal.energy_per_atom_eV,
        ion_charge,
    )
    ordered = sorted(states, key=lambda state: state.ion_content)
    return Metal(
        name=name,
        mobile_ion=mobile_ion,
        ion_charge=ion_charge,
        surface=surface,
        states=[
            MetalState(
                ion_content=state.ion_content,
                voltage_V=_voltage(state, plateaus, uncertainties, provenance),
                work_function_eV=_work_function(state, uncertainties, provenance),
            )
            for state in ordered
        ],
        structure=ordered[-1].bulk.structure,
        provenance={
            **provenance,
            **{
                setting: ordered[-1].bulk.settings[setting]
                for setting in ("hubbard_U_eV", "magnetic_moments_muB")
                if setting in ordered[-1].bulk.settings
            },
            "versions": metal.versions,
            "plateaus": [
                {"from": p.low, "to": p.high, "voltage_V": round(p.voltage_V, 4)} for p in plateaus
            ],
            "calculations": {
                "metal": metal.hash,
                **{f"bulk_{state.ion_content:g}": state.bulk.hash for state in ordered},
                **{
                    f"slab_{state.ion_content:g}": state.slab.hash
                    for state in ordered
                    if state.slab is not None
                },
            },
        },
    )


def _voltage(
    state: ElectrodeState,
    plateaus: Sequence[Plateau],
    uncertainties: Uncertainties,
    provenance: Mapping[str, Any],
) -> Quantity:
    assert uncertainties.voltage is not None  # the preset has steps for electrodes
    voltage_V, half_step_V = voltage_at(plateaus, state.ion_content)
    known = uncertainties.voltage
    return Quantity(
        value=round(voltage_V, 4),
        uncertainty=round((known.value_eV**2 + half_step_V**2) ** 0.5, 4),
        source=(
            f"calculation {state.bulk.hash[:12]} and those at the ion contents beside it; "
            f"uncertainty: {known.source}"
            + (f"; half of the step of {2 * half_step_V:.2f} V here" if half_step_V else "")
        ),
        method=method_of(state.bulk, provenance),
    )


def _work_function(
    state: ElectrodeState, uncertainties: Uncertainties, provenance: Mapping[str, Any]
) -> Quantity:
    if state.slab is None or state.period_A is None:
        assert state.work_function_eV is not None  # the campaign gives what is not calculated
        return state.work_function_eV
    known = uncertainties.work_function
    if state.bulk.vbm_eV is None:
        return calculated_quantity(work_function(state.slab), known, state.slab, provenance)
    # Vacancies of the mobile ion make such a host a p-type conductor.
    edge = band_edges(state.bulk, state.slab, state.period_A).ionization_potential_eV
    return calculated_quantity(
        edge,
        Uncertainty(
            value_eV=known.value_eV,
            source=f"{known.source}; the Fermi level at the valence band, whose ionization "
            "potential this is",
        ),
        state.slab,
        provenance,
    )
