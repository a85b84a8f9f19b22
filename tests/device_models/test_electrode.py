"""Electrodes with a space charge of their own: their bulk, their limits, their lattice gas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models import (
    BOLTZMANN_EV_K,
    HalfSpace,
    Metal,
    contact,
    contact_resistance,
    electrode_bulk,
    exchange_current_A_cm2,
    half_space,
    lattice_gas_factor,
)
from interohm.device_models.constants import CM3_PER_NM3, VACUUM_PERMITTIVITY_E_V_NM
from interohm.device_models.electrode import reduced_level
from interohm.device_models.numerics.fermi_dirac import fermi_dirac

from .phases import METAL_eV, reference_bulk

kT = BOLTZMANN_EV_K * 300.0


def electrode(**fields: Any) -> Any:
    common: dict[str, Any] = {
        "work_function_eV": 5.1,
        "mu_eV": -3.9,
        "metal_work_function_eV": METAL_eV,
        "temperature_K": 300.0,
        "occupation": 0.7,
        "site_density_cm3": 3.08e22,
        "dielectric_constant": 13.0,
    }
    return electrode_bulk(**(common | fields))


@settings(deadline=None, max_examples=60)
@given(
    theta=st.floats(0.0, 1.0),
    carriers=st.sampled_from(["holes_cm3", "electrons_cm3", None]),
    density=st.floats(14.0, 22.5),
    temperature=st.floats(200.0, 600.0),
    charge=st.sampled_from([1.0, 2.0]),
)
def test_the_neutral_electrode_is_what_was_given(
    theta: float, carriers: str | None, density: float, temperature: float, charge: float
) -> None:
    given_carriers = {} if carriers is None else {carriers: 10.0**density}
    bulk = electrode(
        occupation=theta,
        temperature_K=temperature,
        ion_charge=charge,
        conductivity_S_cm=2e-8,
        **given_carriers,
    )
    kept = min(max(theta, 1e-3), 1.0 - 1e-3)
    assert bulk.neutral_potential_V == pytest.approx(METAL_eV - 5.1 + 3.9 / charge, abs=1e-9)
    assert bulk.concentrations_cm3[0] == pytest.approx(3.08e22 * kept, rel=1e-9)
    assert bulk.conductivity_S_cm == pytest.approx(2e-8, rel=1e-9)
    found = {"holes_cm3": bulk.holes_cm3, "electrons_cm3": bulk.electrons_cm3}
    for name, value in found.items():
        expected = 10.0**density if name == carriers else 0.0
        assert value == pytest.approx(expected, rel=1e-9, abs=1.0)


@pytest.mark.parametrize("theta", [0.02, 0.5, 0.95])
def test_charge_of_the_lattice_gas(theta: float) -> None:
    """rho = z e N [1/(1 + (1/theta − 1) exp(z u)) − theta], by its integral over phi."""
    bulk = electrode(occupation=theta)
    for drop in (-0.4, -0.05, 0.1, 0.3):
        u = drop / kT
        density = 3.08e22 * CM3_PER_NM3
        # Π = kT N {ln[1 − theta + theta exp(−u)] + theta u}
        pressure = kT * density * (np.log(1.0 - theta + theta * np.exp(-u)) + theta * u)
        field = np.sqrt(2.0 * pressure / (13.0 * VACUUM_PERMITTIVITY_E_V_NM))
        found = half_space(bulk, bulk.neutral_potential_V + drop)
        assert found.field_V_nm == pytest.approx(field, rel=1e-9)


def test_an_intrinsic_electrode_has_as_many_holes_as_electrons() -> None:
    bulk = electrode(band_gap_eV=0.8)
    assert bulk.holes_cm3 == pytest.approx(float(bulk.electrons_cm3), rel=1e-9)
    assert bulk.holes_cm3 == pytest.approx(2.509e19 * np.exp(-0.4 / kT), rel=1e-3)


@given(st.floats(-30.0, 4.0))
def test_filling_of_a_band_has_its_level(log10_filling: float) -> None:
    eta = reduced_level(10.0**log10_filling)
    assert fermi_dirac(0.5, eta) == pytest.approx(10.0**log10_filling, rel=1e-11)


def test_a_held_potential_is_the_limit_of_many_carriers() -> None:
    llzo = reference_bulk("LLZO")
    held = contact(Metal(METAL_eV - 5.1 + 3.9), llzo)
    assert isinstance(held.right, HalfSpace)
    differences = []
    for factor in (1.0, 1e3, 1e6, 1e9):
        bent = contact(electrode(site_density_cm3=3e22 * factor), llzo)
        assert isinstance(bent.right, HalfSpace)
        differences.append(
            abs(float(bent.right_potential_V) - float(held.right_potential_V))
            + abs(float(bent.right.space_charge_ohm_cm2 / held.right.space_charge_ohm_cm2) - 1.0)
        )
    assert np.all(np.diff(differences) < 0.0)
    assert differences[-1] < 1e-4
    # a band of free holes screens ever better, too, though slowly (Thomas and Fermi's n^(−1/6))
    shifts = [
        abs(float(contact(electrode(holes_cm3=holes), llzo).right_potential_V) - 1.73)
        for holes in (1e18, 1e20, 1e22, 1e24, 1e27, 1e30)
    ]
    assert np.all(np.diff(shifts) < 0.0)
    assert shifts[-1] < 0.03


def test_both_sides_share_the_drop_and_the_charge() -> None:
    llzo = reference_bulk("LLZO")
    bent = contact(electrode(holes_cm3=1e20), llzo)
    assert isinstance(bent.left, HalfSpace)
    assert isinstance(bent.right, HalfSpace)
    assert bent.left.sheet_charge_e_nm2 == pytest.approx(-float(bent.right.sheet_charge_e_nm2))
    between = (bent.left_potential_V - bent.left.bulk.neutral_potential_V) / bent.potential_drop_V
    assert 0.0 < between < 1.0


def test_an_electrode_without_a_conductivity_adds_none() -> None:
    llzo = reference_bulk("LLZO")
    found = contact_resistance(contact(electrode(), llzo))
    assert found.space_charge_left_ohm_cm2 == 0.0
    assert found.depletion_left_ohm_cm2 == 0.0
    assert found.reason == 0
    known = contact_resistance(contact(electrode(conductivity_S_cm=1e-8), llzo))
    side = contact(electrode(conductivity_S_cm=1e-8), llzo).left
    assert isinstance(side, HalfSpace)
    assert known.space_charge_left_ohm_cm2 == pytest.approx(float(side.space_charge_ohm_cm2))
    assert known.charge_transfer_ohm_cm2 == pytest.approx(float(found.charge_transfer_ohm_cm2))


def test_lithium_cobalt_oxide_shares_the_depletion_of_LATP() -> None:
    """+0.5 V across both, as lattice gases: 1.9e3 Ω·cm² where LiCoO2 holds its potential.

    Dielectric constants, 5.37 ions per nm³ in LATP and both diffusivities are those of de Klerk
    and Wagemaker's model; 0.4 of the sites of LATP and 0.96 of those of LiCoO2 are filled. With
    half-spaces next to nothing is left in LATP, and what blocks is LiCoO2 that is full of ions.
    """

    def lattice_gas(sites: float, theta: float, epsilon: float, D_cm2_s: float, phi: float) -> Any:
        mobile = 1.602176634e-19 * sites * theta * (1.0 - theta) / kT
        return electrode_bulk(
            work_function_eV=METAL_eV - phi,
            mu_eV=0.0,
            metal_work_function_eV=METAL_eV,
            temperature_K=300.0,
            occupation=theta,
            site_density_cm3=sites,
            dielectric_constant=epsilon,
            conductivity_S_cm=mobile * D_cm2_s,
        )

    latp = lattice_gas(5.37e21 / 0.4, 0.4, 15.0, 3e-9, 0.0)
    oxide = lattice_gas(3.1e22, 0.96, 12.9, 2e-10, 0.5)
    held = half_space(latp, 0.5)
    assert held.space_charge_ohm_cm2 == pytest.approx(1.9e3, rel=0.2)
    both = contact(oxide, latp)
    assert isinstance(both.left, HalfSpace)
    assert isinstance(both.right, HalfSpace)
    assert both.right.space_charge_ohm_cm2 == pytest.approx(1e-3, rel=0.3)
    assert both.left.space_charge_ohm_cm2 == pytest.approx(6e3, rel=0.3)


@settings(deadline=None, max_examples=40)
@given(theta=st.floats(0.0, 1.0))
def test_occupation_of_the_host_enters_once(theta: float) -> None:
    """sqrt(theta(1 − theta)) in i0, kept within [1e-3, 1 − 1e-3]; 1 of the mobile metal."""
    llzo = reference_bulk("LLZO")
    bare = exchange_current_A_cm2(Metal(0.0), 0.0, llzo, 0.0)
    factor = float(lattice_gas_factor(theta))
    kept = min(max(theta, 1e-3), 1.0 - 1e-3)
    assert factor == pytest.approx(np.sqrt(kept * (1.0 - kept)))
    hosted = exchange_current_A_cm2(Metal(0.0, hop_factor=factor), 0.0, llzo, 0.0)
    assert hosted == pytest.approx(float(bare) * factor)
    assert exchange_current_A_cm2(None, 0.0, llzo, 0.0) == pytest.approx(float(bare))


def test_a_bending_host_has_the_occupation_at_its_plane() -> None:
    llzo = reference_bulk("LLZO")
    host = electrode(occupation=0.7)
    bare = exchange_current_A_cm2(None, 0.0, llzo, 1.0)
    for shift in (0.0, 0.05, -0.1):
        theta = 1.0 / (1.0 + (1.0 / 0.7 - 1.0) * np.exp(shift / kT))
        found = exchange_current_A_cm2(host, host.neutral_potential_V + shift, llzo, 1.0)
        expected = float(bare) * np.sqrt(theta * (1.0 - theta))
        assert found == pytest.approx(expected, rel=1e-9)
