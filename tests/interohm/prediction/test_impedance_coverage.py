"""Fits of whole spectra to records hold what the spectra were made with as often as they say.

Truths are drawn from the records' own uncertainties, spectra made by the model, with noise, and
fitted as `interohm impedance --measured --fit all` does: Kramers–Kronig test, noise from it, all
numbers together. ``INTEROHM_TEST_FAULTS=long`` (`make test-faults`) takes 200 of them.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from interohm.device_models.spectra import kramers_kronig
from interohm.measured_spectra import MeasuredSpectrum
from interohm.prediction.impedance_fit import (
    SMALLEST_NOISE,
    CellModel,
    RecordFit,
    UsedSpectrum,
    fit_records,
)
from interohm.records import material_from
from interohm.records.cell_config import Cell

LONG = os.environ.get("INTEROHM_TEST_FAULTS") == "long"
COUNT = 200 if LONG else 16
NOISE = 0.003
FREQUENCY = np.logspace(-1, 7, 33)


def quantity(value: float, uncertainty: float) -> dict[str, Any]:
    return {"value": value, "uncertainty": uncertainty, "source": "test", "method": "assumed"}


METAL = material_from(
    {
        "name": "metal",
        "kind": "metal",
        "mobile_ion": "Li",
        "states": [{"ion_content": 0, "voltage_V": 0.0, "work_function_eV": 2.9}],
    },
    where="test",
)
ELECTROLYTE = material_from(
    {
        "name": "electrolyte",
        "kind": "insulator",
        "mobile_ion": "Li",
        "ionization_potential_eV": 6.0,
        "band_gap_eV": 12.0,
        "dielectric_constant": quantity(20, 4),
        "electrons": False,
        "defects": [
            {
                "name": "V_Li",
                "charge": -1,
                "ion_change": -1,
                "formation_energy_eV": quantity(3.0, 0.05),
                "site_density_cm3": 1e22,
                "sublattice": "Li",
                "migration_energy_eV": quantity(0.35, 0.02),
                "attempt_frequency_Hz": 1e13,
                "hop_distance_nm": 0.3,
            },
            {
                "name": "donor",
                "charge": 1,
                "ion_change": 0,
                "formation_energy_eV": -10.0,
                "site_density_cm3": 1e20,
                "sublattice": "donor",
            },
        ],
    },
    where="test",
)
MATERIALS = [METAL, ELECTROLYTE, METAL]
CELL = Cell.model_validate(
    {
        "name": "symmetric",
        "temperature_K": 300,
        "states_of_charge": [0.5],
        "layers": [{"material": one.name, "thickness_nm": 2e4} for one in MATERIALS],
        # so that each contact has a quarter of the resistance
        "contacts": [{"barrier_eV": quantity(0.70, 0.02)}] * 2,
    }
)


def used(z: np.ndarray[Any, Any]) -> UsedSpectrum:
    test = kramers_kronig(FREQUENCY, z)
    spectrum = MeasuredSpectrum(FREQUENCY, z, 1.0, "s.csv", "0" * 64, ())
    return UsedSpectrum(spectrum, CELL, test.usable, max(test.noise, SMALLEST_NOISE))


@pytest.fixture(scope="module")
def fits() -> list[tuple[np.ndarray[Any, Any], RecordFit]]:
    model = CellModel(used(1.0 / (1.0 + 1e-6j * FREQUENCY)), MATERIALS)
    rng = np.random.default_rng(200)
    found = []
    for _ in range(COUNT):
        truth = rng.standard_normal(len(model.keys))
        z = model.spectra(truth[None], model.keys, FREQUENCY)[0][0]
        z = z + NOISE * abs(z) * (rng.normal(size=z.shape) + 1j * rng.normal(size=z.shape))
        fit = fit_records([used(z)], MATERIALS, ["all"], samples=2)
        assert fit.keys == model.keys
        found.append((truth, fit))
    return found


def test_90_percent_intervals_hold_the_truth(
    fits: list[tuple[np.ndarray[Any, Any], RecordFit]],
) -> None:
    inside, learned = [], []
    for truth, found in fits:
        deviation = np.sqrt(np.diag(found.fit.covariance))
        inside.append(abs(found.fit.mean - truth) < 1.6449 * deviation)
        learned.append(found.fit.variance_share < 0.9)
    share = np.mean(inside)
    print(f"{100 * share:.1f} % of {np.size(inside)}, {np.mean(inside, axis=0)} of each field")
    # of 16 spectra with 4 numbers each chance alone makes 0.9 ± 0.04
    low, high = (0.85, 0.95) if LONG else (0.8, 0.98)
    assert low <= share <= high
    # most of it is of what the spectra teach, not of what they leave as it was
    assert np.mean(learned) > 0.7


def test_a_charge_transfer_is_found_within_2_percent(
    fits: list[tuple[np.ndarray[Any, Any], RecordFit]],
) -> None:
    """Of at least a fifth of the resistance at frequency 0, with noise of 0.3 %."""
    compared = 0
    model = CellModel(used(1.0 / (1.0 + 1e-6j * FREQUENCY)), MATERIALS)
    for truth, found in fits:
        both = np.array([truth, found.fit.mean])
        z, state = model.spectra(both, found.keys, np.array([1e-4, 1e-3]))
        for contact in state.contacts:
            transfer = np.broadcast_to(contact.charge_transfer_ohm_cm2, (2,))
            if transfer[0] < 0.2 * z[0, 0].real:
                continue
            compared += 1
            assert transfer[1] == pytest.approx(transfer[0], rel=0.02)
    assert compared >= COUNT // 3
