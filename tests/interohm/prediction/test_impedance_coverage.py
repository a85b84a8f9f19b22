"""Fits of whole spectra to records hold what the spectra were made with as often as they say.

Truths are drawn from the records' own uncertainties, spectra made by the model, with noise, and
fitted as `interohm impedance --measured --fit all` does: Kramers–Kronig test, noise from it, all
numbers together. The 200 fits run side by side, so that each of their steps is one batch of static
solutions.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from interohm.device_models import impedance_gradient
from interohm.device_models.spectra import (
    GaussianFit,
    Observation,
    fit_gaussian,
    kramers_kronig,
)
from interohm.measured_spectra import MeasuredSpectrum
from interohm.prediction.impedance_fit import (
    SMALLEST_NOISE,
    CellModel,
    UsedSpectrum,
    fit_records,
)
from interohm.records import material_from
from interohm.records.cell_config import Cell

COUNT = 200
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


Array = np.ndarray[Any, Any]


def used(z: Array) -> UsedSpectrum:
    test = kramers_kronig(FREQUENCY, z)
    spectrum = MeasuredSpectrum(FREQUENCY, z, 1.0, "s.csv", "0" * 64, ())
    return UsedSpectrum(spectrum, CELL, test.usable, max(test.noise, SMALLEST_NOISE))


STEP = 1e-3


class Together:
    """Predictions for fits in threads of their own: made as soon as all of them wait for one."""

    def __init__(self, model: CellModel, count: int) -> None:
        self.model, self.running = model, count
        self.asked: dict[int, Array] = {}
        self.found: dict[int, tuple[Array, Array]] = {}
        self.changed = threading.Condition()

    def predict(self, fit: int, place: Array) -> tuple[Array, Array]:
        with self.changed:
            self.asked[fit] = place
            self._answer()
            self.changed.wait_for(lambda: fit in self.found)
            return self.found.pop(fit)

    def leave(self) -> None:
        with self.changed:
            self.running -= 1
            self._answer()

    def _answer(self) -> None:
        if not self.asked or len(self.asked) < self.running:
            return
        keys = self.model.keys
        moved = STEP * np.eye(len(keys))
        offsets = np.concatenate([np.zeros((1, len(keys))), moved, -moved])
        order = sorted(self.asked)
        rows = np.concatenate([self.asked[fit] + offsets for fit in order])
        chain = self.model._solved(rows, keys)[1].chain
        for place, fit in enumerate(order):
            own = slice(place * len(offsets), (place + 1) * len(offsets))
            z, slopes = impedance_gradient(chain.take(own), STEP, self.model.frequency_Hz)
            self.found[fit] = z, slopes.T
        self.asked.clear()
        self.changed.notify_all()


@pytest.fixture(scope="module")
def model() -> CellModel:
    return CellModel(used(1.0 / (1.0 + 1e-6j * FREQUENCY)), MATERIALS)


@pytest.fixture(scope="module")
def truths(model: CellModel) -> Array:
    return np.random.default_rng(200).standard_normal((COUNT, len(model.keys)))


@pytest.fixture(scope="module")
def spectra(model: CellModel, truths: Array) -> Array:
    rng = np.random.default_rng(201)
    z = model.spectra(truths, model.keys, FREQUENCY)[0]
    return z + NOISE * abs(z) * (rng.normal(size=z.shape) + 1j * rng.normal(size=z.shape))


@pytest.fixture(scope="module")
def fits(model: CellModel, spectra: Array) -> list[GaussianFit]:
    together = Together(model, COUNT)
    size = len(model.keys)

    def fitted(number: int) -> GaussianFit:
        one = used(spectra[number])

        def predict(place: Array) -> tuple[Array, Array]:
            z, slopes = together.predict(number, place)
            return z[one.usable], slopes[one.usable]

        z = spectra[number][one.usable]
        try:
            observation = Observation(predict, z, one.noise * abs(z))
            return fit_gaussian([observation], np.zeros(size), np.eye(size))
        finally:
            together.leave()

    with ThreadPoolExecutor(COUNT) as threads:
        return list(threads.map(fitted, range(COUNT)))


def test_90_percent_intervals_hold_the_truth(fits: list[GaussianFit], truths: Array) -> None:
    inside, learned = [], []
    for truth, fit in zip(truths, fits, strict=True):
        deviation = np.sqrt(np.diag(fit.covariance))
        inside.append(abs(fit.mean - truth) < 1.6449 * deviation)
        learned.append(fit.variance_share < 0.9)
    share = np.mean(inside)
    print(f"{100 * share:.1f} % of {np.size(inside)}, {np.mean(inside, axis=0)} of each field")
    assert 0.85 <= share <= 0.95
    # most of it is of what the spectra teach, not of what they leave as it was
    assert np.mean(learned) > 0.7


def test_a_charge_transfer_is_found_within_2_percent(
    fits: list[GaussianFit], truths: Array, model: CellModel
) -> None:
    """Of at least a fifth of the resistance at frequency 0, with noise of 0.3 %."""
    both = np.concatenate([truths, [fit.mean for fit in fits]])
    z, state = model.spectra(both, model.keys, np.array([1e-4, 1e-3]))
    compared = 0
    for contact in state.contacts:
        true, found = np.broadcast_to(contact.charge_transfer_ohm_cm2, 2 * COUNT).reshape(2, -1)
        large = true >= 0.2 * z[:COUNT, 0].real
        assert found[large] == pytest.approx(true[large], rel=0.02)
        compared += int(np.count_nonzero(large))
    assert compared >= COUNT // 3


def test_a_fit_by_itself_is_one_of_these(
    fits: list[GaussianFit], model: CellModel, spectra: Array
) -> None:
    alone = fit_records([used(spectra[0])], MATERIALS, ["all"], samples=2)
    assert alone.keys == model.keys
    np.testing.assert_allclose(alone.fit.mean, fits[0].mean, atol=1e-3)
    np.testing.assert_allclose(alone.fit.covariance, fits[0].covariance, rtol=0.01, atol=1e-4)
