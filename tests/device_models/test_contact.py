"""Contacts of two phases, coatings between them, their resistances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models import (
    BOLTZMANN_EV_K,
    LIMITING_STEPS,
    Bulk,
    HalfSpace,
    Metal,
    Reason,
    coated_contact,
    coated_resistance,
    conductivity_S_cm,
    contact,
    contact_resistance,
    exchange_current_A_cm2,
    half_space,
    is_thick,
    layer,
    neutral_bulk,
)
from interohm.device_models.constants import CAPACITANCE_UF_CM2

from .phases import METAL_eV, reference_bulk, symmetric


def test_metal_contact_is_a_half_space() -> None:
    llzo = reference_bulk("LLZO")
    found = contact(Metal(0.0), llzo, dipole_V=0.2)
    assert isinstance(found.right, HalfSpace)
    assert found.right_potential_V == pytest.approx(0.2)
    assert found.sheet_charge_e_nm2 == pytest.approx(
        float(half_space(llzo, 0.2).sheet_charge_e_nm2)
    )
    mirrored = contact(llzo, Metal(0.0), dipole_V=-0.2)
    assert mirrored.sheet_charge_e_nm2 == pytest.approx(-float(found.sheet_charge_e_nm2))
    assert mirrored.left_potential_V == pytest.approx(0.2)
    expected = abs(found.sheet_charge_e_nm2 / (found.potential_drop_V - 0.2)) * CAPACITANCE_UF_CM2
    assert found.capacitance_uF_cm2 == pytest.approx(float(expected))


@settings(deadline=None, max_examples=40)
@given(
    potential=st.floats(-1.0, 4.0),
    energy=st.floats(0.0, 1.5),
    dipole=st.floats(-1.0, 1.0),
    given_charge=st.sampled_from([0.0, 0.3, -2.0]),
)
def test_charges_of_a_contact_add_up(
    potential: float, energy: float, dipole: float, given_charge: float
) -> None:
    llzo = reference_bulk("LLZO")
    other = neutral_bulk(
        symmetric(energy, neutral_potential_V=potential),
        temperature_K=300.0,
        metal_work_function_eV=METAL_eV,
    )
    found = contact(llzo, other, dipole_V=dipole, sheet_charge_e_nm2=given_charge)
    assert isinstance(found.left, HalfSpace)
    assert isinstance(found.right, HalfSpace)
    left, right = found.left.sheet_charge_e_nm2, found.right.sheet_charge_e_nm2
    scale = max(abs(left), abs(right), abs(given_charge))
    assert left + right + given_charge == pytest.approx(0.0, abs=1e-8 * scale + 1e-14)
    assert found.right_potential_V - found.left_potential_V == pytest.approx(dipole, abs=1e-12)
    mirrored = contact(other, llzo, dipole_V=-dipole, sheet_charge_e_nm2=given_charge)
    assert mirrored.left_potential_V == pytest.approx(float(found.right_potential_V), abs=1e-10)


def test_differential_capacitance_is_a_slope() -> None:
    llzo, lif = reference_bulk("LLZO"), reference_bulk("LiF")
    found = contact(llzo, lif, dipole_V=0.1)
    step = 1e-5
    low, high = (contact(llzo, lif, dipole_V=0.1 + s).sheet_charge_e_nm2 for s in (-step, step))
    slope = abs(high - low) / (2.0 * step) * CAPACITANCE_UF_CM2
    assert found.differential_capacitance_uF_cm2 == pytest.approx(float(slope), rel=1e-5)
    without_drop = contact(llzo, lif, dipole_V=found.potential_drop_V)
    assert without_drop.capacitance_uF_cm2 == pytest.approx(
        float(without_drop.differential_capacitance_uF_cm2)
    )
    assert without_drop.sheet_charge_e_nm2 == 0.0


def test_charge_transfer_by_hand() -> None:
    llzo = reference_bulk("LLZO")
    found = contact_resistance(contact(Metal(0.0), llzo))
    kT = BOLTZMANN_EV_K * 300.0
    # next to lithium the sublattice of the interstitials is as full as saturation lets it be
    hop = 1e13 / 6.0 * np.exp(-0.3 / kT)
    current = 1.602176634e-19 * hop * 3.27455e22 * 0.25e-7 * np.sqrt(0.1 * 0.9)
    assert found.exchange_current_A_cm2 == pytest.approx(current, rel=1e-6)
    assert found.charge_transfer_ohm_cm2 == pytest.approx(kT / current, rel=1e-6)
    assert found.total_ohm_cm2 == pytest.approx(
        float(found.space_charge_right_ohm_cm2 + found.charge_transfer_ohm_cm2)
    )
    given_sites = contact_resistance(contact(Metal(0.0), llzo), areal_site_density_cm2=1e14)
    assert given_sites.exchange_current_A_cm2 == pytest.approx(
        current * 1e14 / (3.27455e22 * 0.25e-7), rel=1e-6
    )
    assert LIMITING_STEPS[int(found.limiting_step)] == "space charge"


def test_two_planes_take_the_geometric_mean() -> None:
    first = neutral_bulk(
        symmetric(0.3, migration_energy_eV=0.2, attempt_frequency_Hz=4e12),
        temperature_K=350.0,
        metal_work_function_eV=METAL_eV,
    )
    second = neutral_bulk(
        symmetric(0.3, migration_energy_eV=0.4, attempt_frequency_Hz=9e12),
        temperature_K=350.0,
        metal_work_function_eV=METAL_eV,
    )
    potential = float(first.neutral_potential_V)
    found = exchange_current_A_cm2(first, potential, second, potential)
    kT = BOLTZMANN_EV_K * 350.0
    theta = float(first.concentrations_cm3[0]) / 3e22
    rate = 1e12 * np.exp(-0.3 / kT) * theta * (1.0 - theta)
    assert found == pytest.approx(1.602176634e-19 * rate * 3e22 * 0.25e-7, rel=1e-9)
    assert np.isnan(exchange_current_A_cm2(None, 0.0, None, 0.0))


def test_the_sparser_plane_is_that_of_fewer_sites_times_hop_distance() -> None:
    """By the product: neither the smaller density nor the shorter hop decides."""
    density_cm3, hop_nm = [2e22, 2e22, 5e22, 1e22], [0.5, 0.3, 0.2, 0.2]
    other = {"site_density_cm3": 3e22, "hop_distance_nm": 0.25}
    sites_cm2 = [7.5e14, 6e14, 7.5e14, 2e14]
    sides = [
        neutral_bulk(symmetric(0.3, **fields), temperature_K=350.0, metal_work_function_eV=METAL_eV)
        for fields in (
            other,
            {
                "site_density_cm3": np.array(density_cm3),
                "hop_distance_nm": np.array(hop_nm)[:, None],
            },
        )
    ]
    kT = BOLTZMANN_EV_K * 350.0
    weight = np.exp(-0.3 / kT)
    theta = weight / (1.0 + weight / 0.1)
    rate = 1e13 / 6.0 * np.exp(-0.3 / kT) * theta * (1.0 - theta)
    expected = 1.602176634e-19 * rate * np.array(sites_cm2)
    potential_V = np.full(4, 1.5)
    for left, right in (sides, sides[::-1]):
        found = exchange_current_A_cm2(left, potential_V, right, potential_V)
        assert found == pytest.approx(expected, rel=1e-9)
    # where a record gives a density, it counts instead, the larger one too
    given_cm2 = np.array([np.nan, 1e15, np.nan, 1e13])
    expected *= np.where(np.isnan(given_cm2), 1.0, given_cm2 / sites_cm2)
    found = exchange_current_A_cm2(
        sides[0], 1.5, sides[1], potential_V, areal_site_density_cm2=given_cm2
    )
    assert found == pytest.approx(expected, rel=1e-9)


def test_reasons() -> None:
    llzo, lif = reference_bulk("LLZO"), reference_bulk("LiF")
    thick = contact_resistance(contact(Metal(0.0), llzo))
    assert Reason(int(thick.reason)).text == ""
    wide = contact_resistance(contact(Metal(0.0), lif))
    assert "right phase is not thick" in Reason(int(wide.reason)).text
    assert np.isnan(wide.total_ohm_cm2)
    assert np.isnan(wide.space_charge_ohm_cm2)
    assert wide.charge_transfer_ohm_cm2 > 0.0
    thin = contact_resistance(contact(llzo, Metal(3.0)), left_thickness_nm=2.0)
    assert "left phase is not thick" in Reason(int(thin.reason)).text
    both = contact_resistance(contact(lif, lif, dipole_V=0.1))
    assert "neither" in Reason(int(both.reason)).text
    mute = neutral_bulk(
        symmetric(0.1, migration_energy_eV=np.nan), temperature_K=300.0,
        metal_work_function_eV=METAL_eV,
    )  # fmt: skip
    silent = contact_resistance(contact(Metal(0.0), mute))
    assert "no defect of the right phase" in Reason(int(silent.reason)).text
    metals = contact_resistance(contact(Metal(0.0), Metal(1.0)))
    assert "no insulating phase" in Reason(int(metals.reason)).text
    assert bool(is_thick(1.0, 2.0, 0.5, 8.0))
    assert not bool(is_thick(1.0, 2.0, 0.5, 7.9))


def test_a_phase_of_unknown_thickness_may_need_ten_micrometres() -> None:
    def needing(length_um: float) -> Bulk:
        # at no drop x99 is lambda·ln(100), and lambda² grows with the dielectric constant
        given = {"temperature_K": 300.0, "metal_work_function_eV": METAL_eV}
        one = neutral_bulk(symmetric(0.8), **given)
        needed_nm = float(one.debye_length_nm) * (np.log(100.0) + 10.0)
        constant = 10.0 * (1e3 * length_um / needed_nm) ** 2
        return neutral_bulk(symmetric(0.8, dielectric_constant=constant), **given)

    for length_um, reasons in ((9.99, ("", "")), (10.01, ("the left", "the right"))):
        bulk = needing(length_um)
        metal = Metal(bulk.neutral_potential_V)
        for sides, side in (((bulk, metal), 0), ((metal, bulk), 1)):
            found = contact_resistance(contact(*sides))
            assert Reason(int(found.reason)).text.partition(" phase")[0] == reasons[side]
            assert bool(np.isnan(found.total_ohm_cm2)) == bool(reasons[side])
        known = contact_resistance(contact(bulk, metal), left_thickness_nm=1e3 * length_um + 1.0)
        assert known.reason == 0


def test_conductivity_from_concentrations() -> None:
    llzo = reference_bulk("LLZO")
    found = conductivity_S_cm(llzo, llzo.concentrations_cm3[None])
    assert found[0] == pytest.approx(float(llzo.conductivity_S_cm), rel=1e-12)
    kT = BOLTZMANN_EV_K * 300.0
    diffusivity = (0.25e-7) ** 2 * 1e13 * np.exp(-0.3 / kT) / 6.0
    density = float(llzo.concentrations_cm3[0])
    by_hand = 2.0 * 1.602176634e-19 * diffusivity * density / kT * (1.0 - density / 3.27455e22)
    assert found[0] == pytest.approx(by_hand, rel=1e-9)


def test_coating_between_metal_and_half_space() -> None:
    llzo, lif = reference_bulk("LLZO"), reference_bulk("LiF")
    found = coated_contact(Metal(0.0), [lif], llzo, thickness_nm=[5.0], dipole_V=[0.0, 0.1])
    coating = layer(lif, 0.0, found.potentials_V[1], 5.0)
    assert isinstance(found.right, HalfSpace)
    total = coating.sheet_charge_e_nm2[1] - found.right.sheet_charge_e_nm2
    assert total == pytest.approx(0.0, abs=1e-9)
    assert found.sheet_charge_e_nm2[0] == pytest.approx(coating.sheet_charge_e_nm2[0])
    parts = coated_resistance(found)
    assert parts.layers_ohm_cm2[0] == pytest.approx(float(coating.resistance_ohm_cm2), rel=1e-6)
    transfer = sum(float(one) for one in parts.charge_transfer_ohm_cm2)
    assert parts.total_ohm_cm2 == pytest.approx(
        float(parts.layers_ohm_cm2[0] + parts.space_charge_right_ohm_cm2) + transfer
    )


def test_thick_coating_is_two_contacts() -> None:
    first = reference_bulk("LLZO")
    second = neutral_bulk(
        symmetric(0.1, neutral_potential_V=1.0), temperature_K=300.0,
        metal_work_function_eV=METAL_eV,
    )  # fmt: skip
    found = coated_contact(Metal(0.0), [first], second, thickness_nm=[200.0])
    single = contact(first, second)
    assert found.potentials_V[1] == pytest.approx(float(single.left_potential_V), abs=1e-9)
    assert found.sheet_charge_e_nm2[1] == pytest.approx(float(single.sheet_charge_e_nm2), rel=1e-7)


def test_vanishing_coatings_change_nothing() -> None:
    llzo = reference_bulk("LLZO")
    other = neutral_bulk(
        symmetric(0.2, neutral_potential_V=0.7), temperature_K=300.0,
        metal_work_function_eV=METAL_eV,
    )  # fmt: skip
    lif = reference_bulk("LiF")
    found = coated_contact(
        llzo, [lif, lif], other, thickness_nm=[1e-4, 1e-4], sheet_charge_e_nm2=[0.0, 0.2, 0.0]
    )
    single = contact(llzo, other, sheet_charge_e_nm2=0.2)
    assert found.sheet_charge_e_nm2[2] == pytest.approx(float(single.sheet_charge_e_nm2), rel=1e-3)
    balance = found.left.sheet_charge_e_nm2 + 0.2 + found.right.sheet_charge_e_nm2
    own = sum(float(one.sheet_charge_e_nm2[0] - one.sheet_charge_e_nm2[1]) for one in found.layers)
    assert balance + own == pytest.approx(0.0, abs=1e-8)


@settings(deadline=None, max_examples=40)
@given(
    barrier=st.floats(0.05, 1.2),
    temperature=st.floats(250.0, 500.0),
    charge=st.sampled_from([1, 2]),
)
def test_a_given_barrier_without_space_charge_by_hand(
    barrier: float, temperature: float, charge: int
) -> None:
    """R = kT/(z i0), with the prefactor of a lattice hop and exp(−E_b/kT)."""
    bulk = neutral_bulk(
        symmetric(0.1, 2e22, saturation=1.0, charge=float(charge)),
        temperature_K=temperature,
        metal_work_function_eV=METAL_eV,
        ion_charge=charge,
    )
    flat = contact(Metal(0.0), bulk, dipole_V=bulk.neutral_potential_V)
    found = contact_resistance(flat, barrier_eV=barrier)
    kT = BOLTZMANN_EV_K * temperature
    theta = 1.0 / (1.0 + np.exp(0.1 / kT))
    current = (
        charge
        * 1.602176634e-19
        * 1e13
        / 6.0
        * np.exp(-barrier / kT)
        * 2e22
        * 0.25e-7
        * np.sqrt(theta * (1.0 - theta))
    )
    assert found.charge_transfer_ohm_cm2 == pytest.approx(kT / (charge * current), rel=1e-9)
    assert found.contact_barrier_eV == pytest.approx(barrier)
    assert found.interface_ohm_cm2 == pytest.approx(float(found.charge_transfer_ohm_cm2), rel=1e-9)
    lower = contact_resistance(flat, barrier_eV=barrier - 0.05)
    fall = lower.charge_transfer_ohm_cm2 / found.charge_transfer_ohm_cm2
    assert fall == pytest.approx(np.exp(-0.05 / kT), rel=1e-9)


def test_without_its_own_barrier_a_contact_is_one_lattice_hop() -> None:
    """Two equal phases: R_ct is kT/(z e² D c/a) of a plane within the phase."""
    bulk = neutral_bulk(
        symmetric(0.1, 2e22, saturation=1.0), temperature_K=300.0, metal_work_function_eV=METAL_eV
    )
    found = contact_resistance(contact(bulk, bulk))
    # both defects conduct alike, the hop is that of one of them
    one_nm = 0.25e-7 / (0.5 * float(bulk.conductivity_S_cm))
    assert found.charge_transfer_ohm_cm2 == pytest.approx(one_nm, rel=1e-6)
    raised = contact_resistance(contact(bulk, bulk), excess_barrier_eV=0.2)
    assert raised.contact_barrier_eV == pytest.approx(0.5)
    ratio = raised.charge_transfer_ohm_cm2 / found.charge_transfer_ohm_cm2
    assert ratio == pytest.approx(np.exp(0.2 / (BOLTZMANN_EV_K * 300.0)))
    given_too = contact_resistance(
        contact(bulk, bulk), excess_barrier_eV=0.2, barrier_eV=np.array([0.1, np.nan])
    )
    assert given_too.contact_barrier_eV == pytest.approx([0.1, 0.5])


@settings(deadline=None, max_examples=60)
@given(
    drop=st.floats(-0.8, 0.8),
    energy=st.floats(-0.05, 0.6),
    barriers=st.tuples(st.sampled_from([0.2, 0.5, np.nan]), st.sampled_from([0.2, 0.4, np.nan])),
)
def test_the_interface_is_positive_and_its_parts_add_up(
    drop: float, energy: float, barriers: tuple[float, float]
) -> None:
    bulk = neutral_bulk(
        symmetric(energy, migration_energy_eV=np.array(barriers)),
        temperature_K=300.0,
        metal_work_function_eV=METAL_eV,
    )
    found = contact_resistance(contact(Metal(float(bulk.neutral_potential_V) + drop), bulk))
    assert found.interface_ohm_cm2 > 0.0
    if not np.isfinite(barriers).any():
        assert found.interface_ohm_cm2 == 1e300
        return
    depletions = found.depletion_left_ohm_cm2 + found.depletion_right_ohm_cm2
    assert found.interface_ohm_cm2 == pytest.approx(
        float(found.charge_transfer_ohm_cm2 + depletions), rel=1e-12
    )
    if found.reason == 0:
        accumulation = found.space_charge_ohm_cm2 - depletions
        total = found.interface_ohm_cm2 + accumulation
        assert total == pytest.approx(
            float(found.total_ohm_cm2), rel=1e-9, abs=1e-9 * float(found.interface_ohm_cm2)
        )


def test_a_phase_that_is_not_thick_counts_to_its_middle() -> None:
    bulk = neutral_bulk(
        symmetric(0.5, migration_energy_eV=np.array([0.3, np.nan])),
        temperature_K=300.0,
        metal_work_function_eV=METAL_eV,
    )
    found = contact(Metal(float(bulk.neutral_potential_V) + 0.4), bulk)
    assert isinstance(found.right, HalfSpace)
    parts = contact_resistance(found, right_thickness_nm=30.0)
    assert np.isnan(parts.total_ohm_cm2)
    within = float(found.right.depletion_within_ohm_cm2(15.0))
    assert parts.depletion_right_ohm_cm2 == pytest.approx(within)
    assert 0.0 < within < found.right.depletion_ohm_cm2
