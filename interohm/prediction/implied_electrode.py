"""Quantities that an electrode's record implies, and contradictions with what it states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.errors import InputError
from interohm.prediction.electrodes import (
    electrode_phases,
    electrode_state,
    reference_work_function_eV,
)
from interohm.records.reference import is_reference, reference_metal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interohm.arrays import Array
    from interohm.records import Metal

#: Two phases that coexist have one voltage; curves are measured with some current.
_PLATEAU_V = 0.1

#: Factor between two numbers of the same thing that is no contradiction.
_SAME_WITHIN = 1.5


def electrode_lines(metal: Metal, temperature_K: float) -> list[tuple[str, str]]:
    """Return what an electrode's record implies, as names with values and their units.

    Parameters
    ----------
    metal : Metal
        The record.
    temperature_K : float
        At which its space charge screens.
    """
    if is_reference(metal):
        work_function = metal.states[0].work_function_eV.value
        return [
            ("voltage", "0 V, by definition: it is the zero of potential"),
            ("neutral potential phi_0", "0 V, by definition"),
            ("work function", f"{work_function:.3f} eV"),
        ]
    last, first = metal.states[-1], metal.states[0]
    states = [last] if len(metal.states) == 1 else [last, first]
    lines = [_state_line(metal, state.ion_content, temperature_K) for state in states]
    if len(states) > 1:
        contents, volts = _curve(metal)
        mean = float(np.trapezoid(volts, contents) / (contents[-1] - contents[0]))
        lines.append(("mean voltage of the curve", f"{mean:.3f} V"))
    bends = metal.space_charge
    if bends is None:
        lines.append(
            ("carriers", "unknown (no space_charge): it holds its potential up to a contact")
        )
        return lines
    for name, quantity in (
        ("holes", bends.holes_cm3),
        ("electrons", bends.electrons_cm3),
    ):
        if quantity is not None:
            lines.append((name, f"{quantity.value:.2e} cm⁻³"))
    density = bends.site_density_cm3.value
    lines.append((f"sites of {metal.mobile_ion}", f"{density:.2e} cm⁻³"))
    if len(states) > 1 and metal.sites_per_formula is not None:
        share = (last.ion_content - first.ion_content) / metal.sites_per_formula
        capacity = density * share * metal.ion_charge * models.ELEMENTARY_CHARGE_C / 3.6
        lines.append(("capacity of the curve", f"{capacity:.0f} mAh/cm³"))
    if bends.conductivity_S_cm is None:
        lines.append(("ionic conductivity", "unknown: its space charge adds no resistance"))
    return lines


def _state_line(metal: Metal, ion_content: float, temperature_K: float) -> tuple[str, str]:
    """Return one end of the curve: levels, and over which length the electrode screens."""
    state = electrode_state(metal, ion_content)
    zero = reference_work_function_eV(reference_metal([metal]), None)
    phases = electrode_phases(metal, state, zero, temperature_K=temperature_K)
    said = (
        f"voltage {float(state.voltage_V):.3f} V, work function "
        f"{float(state.work_function_eV):.3f} eV, neutral potential phi_0 "
        f"{float(phases[0].model.neutral_potential_V):.3f} V"
    )
    lengths = [
        f"{float(phase.model.debye_length_nm):.2g} nm"
        for phase in phases
        if isinstance(phase.model, models.Bulk)
    ]
    if lengths:
        said += f", screening length {' and '.join(lengths)}"
    return f"at ion content {ion_content:g}:", said


def electrode_warnings(metal: Metal) -> list[str]:
    """Return where an electrode's record contradicts itself."""
    return [*_curve_warnings(metal), *_density_warnings(metal)]


def _curve(metal: Metal) -> tuple[Array, Array]:
    contents = np.array([state.ion_content for state in metal.states])
    return contents, np.array([state.voltage_V.value for state in metal.states])


def _curve_warnings(metal: Metal) -> Iterator[str]:
    contents, volts = _curve(metal)
    if volts.min() < -1e-6:
        yield (
            f"its voltage of {volts.min():g} V is below the mobile metal's, which would be plated"
        )
    if metal.two_phase_range is not None:
        low, high = np.interp(metal.two_phase_range, contents, volts)
        if abs(low - high) > _PLATEAU_V:
            yield (
                "two phases coexist within two_phase_range, where its voltage changes by "
                f"{abs(low - high):.2g} V: two phases in equilibrium have one voltage"
            )


def _density_warnings(metal: Metal) -> Iterator[str]:
    """Compare the density of sites with the crystal's, where the record has one."""
    if metal.space_charge is None or metal.structure is None:
        return
    from pymatgen.core import Structure

    from interohm.records.new_record import mobile_sublattice

    try:
        sites = mobile_sublattice(Structure.from_dict(metal.structure), metal.mobile_ion)
    except (InputError, ValueError, KeyError, TypeError):
        return  # the crystal of the host, without the ion, or none that can be read
    stated, counted = metal.space_charge.site_density_cm3.value, sites.site_density_cm3
    # the crystal is that of some state of the curve, whose empty sites nobody sees
    lowest = min(state.ion_content for state in metal.states) / (metal.sites_per_formula or 1.0)
    if not 1 / _SAME_WITHIN < stated / counted < _SAME_WITHIN / max(lowest, 0.01):
        yield (
            f"it states {stated:.2e} sites of {metal.mobile_ion} per cm³, and its structure has "
            f"{counted:.2e}"
        )
