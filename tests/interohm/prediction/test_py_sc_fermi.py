"""Neutral bulks against py-sc-fermi (Buckeridge, Comput. Phys. Commun. 244, 329 (2019); JOSS 2023).

It knows neither site exclusion nor the mobile ion's potential: the records here are dilute, and
formation energies are handed over at the potential at hand.
"""

from __future__ import annotations

import numpy as np
import pytest
from py_sc_fermi.defect_charge_state import DefectChargeState
from py_sc_fermi.defect_species import DefectSpecies
from py_sc_fermi.defect_system import DefectSystem
from py_sc_fermi.dos import DOS

from interohm.device_models import neutral_bulk
from interohm.prediction.sampling import phase_of
from interohm.records import Insulator, Quantity, material_from
from interohm.records.shipped import shipped_material

from .stated_energies import stated_energies

VOLUME_A3 = 1000.0
#: Parabolic band of a free electron: states per eV^(3/2) in VOLUME_A3, both spins.
BAND = (2 * 9.1093837015e-31) ** 1.5 / (2 * np.pi**2 * 1.054571817e-34**3)
BAND *= 1.602176634e-19**1.5 * VOLUME_A3 * 1e-30


def theirs(
    record: Insulator, temperature_K: float, mu_eV: float, frozen_cm3: float = 0.0
) -> dict[str, float]:
    """The same phase in py-sc-fermi: levels, carriers and concentrations by defect."""
    per_cell = VOLUME_A3 * 1e-24
    species = [
        DefectSpecies(
            defect.name,
            # Per site: they count whole sites, we their density.
            1,
            {
                defect.charge: DefectChargeState(
                    defect.charge,
                    degeneracy=defect.degeneracy * defect.site_density_cm3.value * per_cell,
                    energy=defect.formation_energy_eV.value - defect.ion_change * mu_eV,
                )
            },
        )
        for defect in record.defects
    ]
    if frozen_cm3:
        charge = int(np.sign(frozen_cm3))
        fixed = DefectChargeState(charge, fixed_concentration=abs(frozen_cm3) * per_cell)
        species.append(DefectSpecies("frozen", 1, {charge: fixed}))
    gap = record.band_gap_eV.value
    energies = np.arange(-5.0, gap + 5.0, 5e-4)
    states = BAND * np.sqrt(np.maximum(np.maximum(-energies, energies - gap), 0.0))
    filled = float(np.trapezoid(states[energies <= 0], energies[energies <= 0]))
    dos = DOS(states, energies, bandgap=gap, nelect=filled)
    return DefectSystem(species, dos, VOLUME_A3, temperature_K).concentration_dict()


def record(name: str) -> Insulator:
    material = shipped_material(name)
    assert isinstance(material, Insulator)
    if material.neutral_potential_V is not None:
        material = material_from(stated_energies(material), where=name)
        assert isinstance(material, Insulator)
    return material


@pytest.mark.parametrize("name", ["LiF", "LiF_001", "Li2O_111"])
@pytest.mark.parametrize("temperature_K", [300.0, 700.0])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_neutral_bulk_of_a_record(name: str, temperature_K: float, share: float) -> None:
    """Between the limits at which electrons matter, at two chemical potentials."""
    insulator = record(name)
    mu = -share * insulator.band_gap_eV.value / 2
    ours = neutral_bulk(
        phase_of(insulator), temperature_K=temperature_K, metal_work_function_eV=3.0, mu_eV=mu
    )
    reference = theirs(insulator, temperature_K, mu)
    assert float(ours.fermi_level_eV) == pytest.approx(reference["Fermi Energy"], abs=1e-6)
    for defect, concentration in zip(insulator.defects, ours.concentrations_cm3, strict=True):
        assert float(concentration) == pytest.approx(reference[defect.name], rel=1e-6)


@pytest.mark.parametrize("frozen_cm3", [1e17, -1e17])
def test_dopants(frozen_cm3: float) -> None:
    insulator = record("LiF_001")
    ours = neutral_bulk(
        phase_of(insulator, frozen_charge_cm3=frozen_cm3),
        temperature_K=500.0,
        metal_work_function_eV=3.0,
        mu_eV=-1.0,
    )
    reference = theirs(insulator, 500.0, -1.0, frozen_cm3)
    assert float(ours.fermi_level_eV) == pytest.approx(reference["Fermi Energy"], abs=1e-6)


def test_electrons_and_holes() -> None:
    """Where they outnumber the ions: a gap of 1 eV; their density of states is on a grid."""
    insulator = record("LiF_001")
    narrow = insulator.model_copy(update={"band_gap_eV": Quantity(value=1.0)})
    ours = neutral_bulk(
        phase_of(narrow), temperature_K=600.0, metal_work_function_eV=3.0, mu_eV=-5.0
    )
    assert not ours.neutral_by_ions
    reference = theirs(narrow, 600.0, -5.0)
    assert float(ours.fermi_level_eV) == pytest.approx(reference["Fermi Energy"], abs=1e-4)
    assert float(ours.electrons_cm3) == pytest.approx(reference["n0"], rel=2e-3)
    assert float(ours.holes_cm3) == pytest.approx(reference["p0"], rel=2e-3)
