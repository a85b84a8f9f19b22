"""Wild but physical inputs: everything converges, finite and without a warning."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from interohm.device_models import (
    Metal,
    Phase,
    coated_contact,
    coated_resistance,
    contact,
    contact_resistance,
    half_space,
    layer,
    neutral_bulk,
)

from .phases import IP_eV, METAL_eV, symmetric

COUNT = 200


def wild_phases(rng: np.random.Generator, count: int, z: float) -> Phase:
    """Formation energies of 0–2 eV, sites of 1e18–1e23 per cm³, any saturation and doping."""
    energy = rng.uniform(0.0, 2.0, count)
    level = z * (IP_eV - METAL_eV + rng.uniform(-2.0, 5.0, count))
    frozen = 10.0 ** rng.uniform(10.0, 19.0, count) * rng.choice([-1.0, 1.0], count)
    return Phase(
        ionization_potential_eV=IP_eV,
        band_gap_eV=rng.uniform(0.3, 8.0, count),
        dielectric_constant=rng.uniform(3.0, 80.0, count),
        charge=[z, -z],
        ion_change=[1.0, -1.0],
        formation_energy_eV=np.stack([energy - level, energy + level], axis=-1),
        site_density_cm3=10.0 ** rng.uniform(18.0, 23.0, (count, 2)),
        saturation=np.stack([10.0 ** rng.uniform(-3.0, 0.0, count)] * 2, axis=-1),
        migration_energy_eV=rng.uniform(0.1, 1.0, (count, 2)),
        hop_distance_nm=0.25,
        electrons=rng.random(count) < 0.5,
        frozen_charge_cm3=np.where(rng.random(count) < 0.3, frozen, 0.0),
    )


@pytest.mark.parametrize("z", [1.0, 2.0, 3.0])
def test_everything_converges(z: float) -> None:
    rng = np.random.default_rng(int(z))
    temperature = rng.uniform(200.0, 1500.0, COUNT)
    conditions = {
        "temperature_K": temperature,
        "metal_work_function_eV": METAL_eV,
        "ion_charge": z,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = neutral_bulk(
            wild_phases(rng, COUNT, z), mu_eV=rng.uniform(-5.0, 0.0, COUNT), **conditions
        )
        two = neutral_bulk(wild_phases(rng, COUNT, z), **conditions)
        drop = rng.choice([-1.0, 1.0], COUNT) * 10.0 ** rng.uniform(-7.0, 0.7, COUNT)
        alone = half_space(one, one.neutral_potential_V + drop)
        charge = np.where(rng.random(COUNT) < 0.3, rng.normal(0.0, 1.0, COUNT), 0.0)
        both = contact(one, two, dipole_V=rng.normal(0.0, 0.5, COUNT), sheet_charge_e_nm2=charge)
        parts = contact_resistance(both)
        thin = layer(
            one,
            rng.uniform(-2.0, 5.0, COUNT),
            rng.uniform(-2.0, 5.0, COUNT),
            10.0 ** rng.uniform(-1.0, 6.0, COUNT),
        )
    good = one.has_neutral_bulk
    assert np.mean(good) > 0.9
    for name in ("sheet_charge_e_nm2", "x50_nm", "x99_nm", "differential_capacitance_uF_cm2"):
        assert np.all(np.isfinite(getattr(alone, name)[good])), name
        assert np.all(np.isnan(getattr(alone, name)[~good])), name
    good &= two.has_neutral_bulk
    assert np.all(np.isfinite(both.sheet_charge_e_nm2[good]))
    assert np.all(np.isfinite(parts.charge_transfer_ohm_cm2[good]))
    assert np.all(np.isfinite(parts.total_ohm_cm2) == (parts.reason == 0))
    # layers need no neutral bulk
    assert np.all(np.isfinite(thin.sheet_charge_e_nm2))
    assert np.all(thin.resistance_ohm_cm2 > 0.0)


def test_coatings_converge() -> None:
    rng = np.random.default_rng(5)
    conditions = {"temperature_K": 320.0, "metal_work_function_eV": METAL_eV}
    coatings = [neutral_bulk(wild_phases(rng, 8, 1.0), **conditions) for _ in range(2)]
    base = neutral_bulk(symmetric(rng.uniform(0.0, 0.4, 8)), **conditions)
    found = coated_contact(
        Metal(0.0),
        coatings,
        base,
        thickness_nm=[10.0 ** rng.uniform(0.0, 3.0, 8), 5.0],
        dipole_V=[0.0, 0.2, -0.3],
        sheet_charge_e_nm2=[0.0, 0.1, 0.0],
    )
    first, second = found.layers
    # between the two sides of a contact lies what is fixed there
    ends = first.sheet_charge_e_nm2[:, 1], second.sheet_charge_e_nm2[:, 0]
    inner = ends[0] - ends[1]
    outer = second.sheet_charge_e_nm2[:, 1] - found.right.sheet_charge_e_nm2
    scale = np.abs(ends[0]) + np.abs(ends[1]) + 0.1
    assert inner == pytest.approx(0.1, abs=1e-6 * float(np.max(scale)))
    assert outer == pytest.approx(0.0, abs=1e-6 * float(np.max(scale)))
    assert np.all(coated_resistance(found).total_ohm_cm2 > 0.0)


def test_batches_do_not_depend_on_their_size() -> None:
    rng = np.random.default_rng(9)
    bulk = neutral_bulk(
        wild_phases(rng, 3000, 1.0), temperature_K=300.0, metal_work_function_eV=METAL_eV
    )
    whole = half_space(bulk, 0.0)
    part = half_space(bulk[2500:2510], 0.0)
    for name in ("sheet_charge_e_nm2", "x90_nm", "space_charge_ohm_cm2"):
        assert getattr(part, name) == pytest.approx(
            getattr(whole, name)[2500:2510], rel=1e-8, nan_ok=True
        )
    one = half_space(bulk[2500], 0.0)
    assert one.sheet_charge_e_nm2.shape == ()
    assert one.sheet_charge_e_nm2 == pytest.approx(
        whole.sheet_charge_e_nm2[2500], rel=1e-10, nan_ok=True
    )


def test_divalent_ions_feel_twice_the_potential() -> None:
    # charges ±2 at half the drop are charges ±1 of twice the density of charge
    single, double = (
        neutral_bulk(
            symmetric(0.3, charge=z, neutral_potential_V=1.0, dielectric_constant=10.0 * z * z),
            temperature_K=400.0,
            metal_work_function_eV=METAL_eV,
            ion_charge=z,
        )
        for z in (1.0, 2.0)
    )
    assert double.neutral_potential_V == pytest.approx(1.0)
    at_single = half_space(single, 1.4)
    at_double = half_space(double, 1.2)
    assert double.debye_length_nm == pytest.approx(float(single.debye_length_nm))
    assert at_double.x90_nm == pytest.approx(float(at_single.x90_nm), rel=1e-9)
    assert at_double.sheet_charge_e_nm2 == pytest.approx(
        2.0 * float(at_single.sheet_charge_e_nm2), rel=1e-9
    )
