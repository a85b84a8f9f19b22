"""Quantities that a record implies, and contradictions with what it states."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from interohm import device_models as models
from interohm.errors import InputError
from interohm.prediction.electrodes import clipped_mu_eV, reference_work_function_eV
from interohm.prediction.implied_electrode import electrode_lines, electrode_warnings
from interohm.prediction.sampling import phase_of
from interohm.prediction.single_contact import Conditions, solve_contact
from interohm.prediction.solved_contact import require_neutral_bulk
from interohm.prediction.validity import contact_validity, fast_hops
from interohm.records import Conductivity, Insulator, Metal
from interohm.records.reference import reference_metal

#: Temperature of everything that is reported.
TEMPERATURE_K = 300.0

#: Largest difference of a conductivity from the stated one without a warning.
_CONDUCTIVITY_TOLERANCE = 0.01


@dataclass(frozen=True)
class Implied:
    """Implied quantities of a record, its contradictions, and what the model cannot describe."""

    lines: list[tuple[str, str]]
    warnings: list[str]
    doubts: list[str] = field(default_factory=list)


def implied(material: Insulator | Metal) -> Implied:
    """Return what a record implies at 300 K.

    An insulator is in equilibrium with the mobile metal: mu of the mobile element is the metal's,
    within the stability window. An electrode is told at both ends of its curve.

    Parameters
    ----------
    material : Insulator or Metal
        The record.

    Returns
    -------
    Implied
        Names with values and their units; a record without a neutral bulk has a warning instead.
    """
    if isinstance(material, Metal):
        return Implied(electrode_lines(material, TEMPERATURE_K), electrode_warnings(material))
    return _of_insulator(material)


def _of_insulator(insulator: Insulator) -> Implied:
    try:
        reference = reference_metal([insulator])
        work_function = reference_work_function_eV(reference, None)
        bulk = models.neutral_bulk(
            phase_of(insulator),
            temperature_K=TEMPERATURE_K,
            metal_work_function_eV=work_function,
            mu_eV=clipped_mu_eV(insulator, 0.0),
            ion_charge=insulator.ion_charge,
        )
        require_neutral_bulk(insulator, bulk)
    except InputError as error:
        said = f"{error.what}: {error.fix}" if error.fix else error.what
        return Implied([], [said, *_wide_window(insulator)])
    stated = insulator.conductivity
    said = energy_said = potential_said = ""
    if stated is not None:
        kelvin = stated.temperature_K
        there = _bulk_at(bulk, kelvin)
        said = (
            f" (at {kelvin:g} K {float(there.conductivity_S_cm):.2e}, stated "
            f"{stated.value_S_cm.value:.2e})"
        )
        energy_said = (
            f" (at {kelvin:g} K {float(models.bulk_activation_energy_eV(there)):.3f}, stated "
            f"{stated.activation_energy_eV.value:.3f})"
        )
    if insulator.neutral_potential_V is not None:
        potential_said = f" (stated: {insulator.neutral_potential_V.value:.3f})"
    conductivity = float(bulk.conductivity_S_cm)
    lines = [("conductivity", f"{conductivity:.2e} S/cm{said}")]
    if conductivity > 0.0:
        activation = float(models.bulk_activation_energy_eV(bulk))
        lines.append(
            ("activation energy at 300 K", f"{activation:.3f} eV, of sigma·T{energy_said}")
        )
    lines += [
        (
            "neutral potential phi_0",
            f"{float(bulk.neutral_potential_V):.3f} V{potential_said}",
        ),
        ("Fermi level", f"{float(bulk.fermi_level_eV):.3f} eV above the valence band"),
        *(
            (f"{defect.name}", f"{float(density):.2e} cm⁻³")
            for defect, density in zip(
                insulator.defects, np.ravel(bulk.concentrations_cm3), strict=True
            )
        ),
        ("electrons, holes", f"{float(bulk.electrons_cm3):.1e}, {float(bulk.holes_cm3):.1e} cm⁻³"),
        ("Debye length", f"{float(bulk.debye_length_nm):.3g} nm"),
    ]
    warnings = _contradictions(insulator, bulk)
    try:
        contact = solve_contact(
            reference, insulator, reference, Conditions(TEMPERATURE_K, 0.0, None, True), None
        ).solved
    except InputError as error:
        warnings.append(f"no contact with {reference.name}: {error.what}")
        return Implied(lines, warnings)
    side = contact.right_side
    assert isinstance(side, models.HalfSpace)
    name = reference.name
    lines += [
        (f"field at {name}", f"{float(side.field_V_nm):.3g} V/nm"),
        (f"potential drop at {name}", f"{float(contact.potential_drop_V):.3f} V"),
    ]
    found = contact_validity(
        contact,
        ion_content={"left": 1.0, "right": None},
        voltage_V={"left": None, "right": None},
    )
    warnings += [one["text"] for one in found if one["code"] == "frequency"]
    doubts = [one["text"] for one in found if one["code"] in ("coupling", "field")]
    if (remark := fast_hops(insulator, bulk)) is not None:
        doubts.append(remark)
    return Implied(lines, warnings, doubts)


def _contradictions(insulator: Insulator, bulk: models.Bulk) -> list[str]:
    warnings = []
    gap = insulator.band_gap_eV.value
    level = float(bulk.fermi_level_eV)
    if not 0.0 < level < gap:
        warnings.append(
            f"the neutral Fermi level, {level:.2f} eV above the valence band, is outside of the "
            f"band gap of {gap:g} eV: formation energies and gap are not consistent"
        )
    if not bool(bulk.neutral_by_ions):
        warnings.append(
            "electrons or holes, rather than ions, keep the phase neutral: it is not an electrolyte"
        )
    warnings += _wide_window(insulator)
    stated = insulator.conductivity
    if stated is not None:
        warnings += _other_conductivities(insulator, stated, bulk)
    return warnings


def _other_conductivities(
    insulator: Insulator, stated: Conductivity, bulk: models.Bulk
) -> list[str]:
    """Return where the phase conducts otherwise than it states: at the ends of its window, or at 0.

    Its ions, as it was prepared, have the stated conductivity (physics.md, section 5).
    """
    window = insulator.stability_window_V
    voltages = [0.0] if window is None else [limit.value for limit in window]
    z = insulator.ion_charge
    by_ions = all(defect.charge == z * defect.ion_change for defect in insulator.defects)
    cause = "electrons or holes" if by_ions else "the potential, electrons or holes"
    fix = "look at the ionization potential, the band gap and the formation energies"
    if window is None:
        fix = f"give its stability_window_V if it does not withstand this, or {fix}"
    found = []
    for voltage in voltages:
        conducts = float(_bulk_at(bulk, stated.temperature_K, -z * voltage).conductivity_S_cm)
        if not abs(conducts / stated.value_S_cm.value - 1.0) <= _CONDUCTIVITY_TOLERANCE:
            found.append(
                f"it states {stated.value_S_cm.value:.2e} S/cm at {stated.temperature_K:g} K and "
                f"implies {conducts:.2e} S/cm at {voltage:g} V against {insulator.mobile_ion}, "
                f"where {cause} change how many defects it has: {fix}"
            )
    return found


def _bulk_at(bulk: models.Bulk, temperature_K: float, mu_eV: float | None = None) -> models.Bulk:
    """Return the same phase in other conditions."""
    return models.neutral_bulk(
        bulk.phase,
        temperature_K=temperature_K,
        metal_work_function_eV=bulk.metal_work_function_eV,
        mu_eV=bulk.mu_eV if mu_eV is None else mu_eV,
        ion_charge=bulk.ion_charge,
    )


def _wide_window(insulator: Insulator) -> list[str]:
    """Return what is wrong of a stability window that does not fit into the gap."""
    if insulator.stability_window_V is None:
        return []
    # at mu, the level of electrons in equilibrium moves by as much
    low, high = (limit.value for limit in insulator.stability_window_V)
    gap = insulator.band_gap_eV.value
    if high - low <= gap + 1e-9:
        return []
    return [
        f"the stability window is {high - low:.2f} V wide, more than the band gap of {gap:g} "
        "eV: electrons or holes would conduct within it"
    ]
