"""Layers at the ends of what the solver tells apart: flat, empty, out of carriers; Gauss' law."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models import (
    REASONS,
    Bulk,
    Metal,
    coated_contact,
    contact,
    contact_resistance,
    layer,
    layer_depletion_ohm_cm2,
    neutral_bulk,
)
from interohm.device_models.constants import VACUUM_PERMITTIVITY_E_V_NM
from interohm.device_models.first_integral.layer import end_charges_e_nm2

from ..phases import METAL_eV, symmetric


def bulk_of(energy: float, temperature_K: float, **fields: object) -> Bulk:
    phase = symmetric(energy, **fields)
    return neutral_bulk(phase, temperature_K=temperature_K, metal_work_function_eV=METAL_eV)


@settings(deadline=None, max_examples=60)
@given(
    energy=st.floats(0.0, 2.0),
    temperature=st.floats(120.0, 1000.0),
    end=st.floats(-0.4, 0.4),
    log_apart=st.floats(-15.0, -8.0),
    log_thickness=st.floats(-1.0, 2.0),
)
def test_equal_ends_are_the_limit_of_ends_that_differ(
    energy: float, temperature: float, end: float, log_apart: float, log_thickness: float
) -> None:
    bulk, thickness = bulk_of(energy, temperature), 10.0**log_thickness
    place = float(bulk.neutral_potential_V) + end
    apart = 10.0**log_apart
    equal = layer(bulk, place, place, thickness)
    low, high = place - apart / 2.0, place + apart / 2.0
    nearly = layer(bulk, [low, high], [high, low], thickness)
    relative = 1e-7 + 2.0 * apart / float(bulk.kT_eV)
    assert nearly.resistance_ohm_cm2 == pytest.approx(
        np.full(2, equal.resistance_ohm_cm2), rel=relative
    )
    # what the layer carries, half of it seen from each end
    own = nearly.sheet_charge_e_nm2[:, 0] - nearly.sheet_charge_e_nm2[:, 1]
    scale = np.max(np.abs(nearly.sheet_charge_e_nm2))
    charge = equal.sheet_charge_e_nm2
    assert charge[0] == pytest.approx(-charge[1], rel=1e-9, abs=1e-28)
    assert 2.0 * charge[0] == pytest.approx(own[0], rel=10.0 * relative, abs=1e-8 * scale)


@settings(deadline=None, max_examples=40)
@given(
    energy=st.floats(0.8, 2.0),
    temperature=st.floats(80.0, 250.0),
    end=st.floats(-0.3, 0.3),
    thickness=st.floats(0.1, 50.0),
)
def test_an_insulating_layer_with_equal_ends_is_flat(
    energy: float, temperature: float, end: float, thickness: float
) -> None:
    """R = L/sigma and a charge of rho·L, as long as the layer is far thinner than it screens."""
    bulk = bulk_of(energy, temperature)
    place = float(bulk.neutral_potential_V) + end
    state = bulk.ravel().thermodynamics()
    u = (np.array([place]) - bulk.neutral_potential_V) / state.kT_eV
    density, sigma = state.evaluate(u)[1], state.evaluate_conduction(u)[1]
    bend = np.abs(density) * thickness**2 / (8.0 * state.permittivity_e_V_nm * state.kT_eV)
    if bend[0] > 1e-8:
        return
    found = layer(bulk, place, place, thickness)
    assert found.resistance_ohm_cm2 == pytest.approx(thickness * 1e-7 / sigma[0], rel=1e-6)
    assert found.sheet_charge_e_nm2[0] == pytest.approx(density[0] * thickness / 2.0, rel=1e-6)
    assert found.profile(21).phi_V == pytest.approx(place, abs=1e-6)


def test_the_known_case() -> None:
    """It came out a hundred times too large: the turning point lay beyond the bracket."""
    bulk = bulk_of(1.25, 150.0)
    found = layer(bulk, 1.51, 1.51, 1.0)
    assert found.resistance_ohm_cm2 == pytest.approx(
        layer(bulk, 1.51, 1.51 + 1e-13, 1.0).resistance_ohm_cm2, rel=1e-8
    )


@pytest.mark.parametrize(("left", "right"), [(0.0, 1.0), (1.0, 0.3), (0.7, 0.7)])
def test_a_layer_without_any_charge_is_a_capacitor(left: float, right: float) -> None:
    bulk = bulk_of(0.3, 300.0, site_density_cm3=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = layer(bulk, left, right, 5.0)
        depletion = layer_depletion_ohm_cm2(found)
        profile = found.profile(11)
    expected = 10.0 * VACUUM_PERMITTIVITY_E_V_NM * (right - left) / 5.0
    assert found.sheet_charge_e_nm2 == pytest.approx([expected, expected], rel=1e-12, abs=1e-300)
    assert np.isnan(found.resistance_ohm_cm2)
    assert np.all(np.isnan(depletion))
    assert profile.phi_V == pytest.approx(
        left + (right - left) * profile.x_nm / 5.0, rel=1e-9, abs=1e-12
    )


def test_an_empty_phase_with_electrons_does_not_warn() -> None:
    phase = replace(symmetric(0.3, site_density_cm3=0.0), electrons=np.array(True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bulk = neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=METAL_eV)
        found = layer(bulk, [1.0, 0.2], [1.0, 1.0], 5.0)
    assert np.all(np.isnan(found.resistance_ohm_cm2))


@pytest.mark.parametrize("temperature", [4.0, 6.0, 10.0])
@pytest.mark.parametrize("drop", [0.5, -2.0])
def test_thousands_of_kT_are_no_short_circuit(temperature: float, drop: float) -> None:
    """Where the one carrier has run out, a resistance exceeds every number; it is not 0."""
    moving = np.array([0.3, np.nan])
    bulk = bulk_of(0.01, temperature, migration_energy_eV=moving, site_density_cm3=1e21)
    place = float(bulk.neutral_potential_V)
    with np.errstate(all="ignore"):
        found = layer(bulk, place + drop, place + drop, 0.5)
        parts = contact_resistance(contact(Metal(np.asarray(place + drop)), bulk))
    assert found.resistance_ohm_cm2 != 0.0
    # a tenth of the sites, all taken, half of them seen from each end
    charge = -np.sign(drop) * 0.5 * 0.5 * 0.1
    assert found.sheet_charge_e_nm2 == pytest.approx([charge, -charge], rel=1e-9)
    if not np.isfinite(parts.total_ohm_cm2):
        assert "migration energy" not in REASONS[int(parts.reason)]


@settings(deadline=None, max_examples=25)
@given(
    energies=st.tuples(*[st.floats(0.1, 0.8)] * 3),
    neutral=st.tuples(*[st.floats(0.0, 3.0)] * 3),
    debye_lengths=st.floats(-1.0, 2.0).map(lambda power: 10.0**power),
    metal=st.booleans(),
    fixed=st.sampled_from([0.0, 0.05]),
)
def test_gauss_holds_at_every_contact(
    energies: tuple[float, ...],
    neutral: tuple[float, ...],
    debye_lengths: float,
    metal: bool,
    fixed: float,
) -> None:
    one, coating, two = (
        bulk_of(energy, 300.0, neutral_potential_V=potential)
        for energy, potential in zip(energies, neutral, strict=True)
    )
    thickness = debye_lengths * float(coating.debye_length_nm)
    outer: Bulk | Metal = Metal(np.asarray(neutral[0])) if metal else one
    found = coated_contact(
        outer, [coating], two, thickness_nm=[thickness], sheet_charge_e_nm2=[0.0, fixed]
    )
    ends = found.layers[0].sheet_charge_e_nm2
    assert not isinstance(found.right, Metal)
    right = float(found.right.sheet_charge_e_nm2)
    largest = max(float(np.max(np.abs(ends))), abs(right), fixed)
    assert float(ends[1]) - right - fixed == pytest.approx(0.0, abs=1e-7 * largest + 1e-15)
    if not isinstance(found.left, Metal):
        left = -float(found.left.sheet_charge_e_nm2)
        assert left - float(ends[0]) == pytest.approx(0.0, abs=1e-7 * largest + 1e-15)


@settings(deadline=None, max_examples=40)
@given(
    left=st.floats(-0.5, 0.5),
    right=st.floats(-0.5, 0.5),
    log_thickness=st.floats(-1.5, 1.5),
    energy=st.floats(0.1, 0.8),
)
def test_slopes_of_the_end_charges(
    left: float, right: float, log_thickness: float, energy: float
) -> None:
    """Against central differences, however little charge one of the ends has."""
    bulk = bulk_of(energy, 300.0).ravel()
    neutral = float(bulk.neutral_potential_V[0])
    thickness = np.array([10.0**log_thickness * float(bulk.debye_length_nm[0])])
    ends = np.array([neutral + left]), np.array([neutral + right])
    first, second, between = end_charges_e_nm2(bulk, *ends, thickness)
    step = 1e-5
    for which, own in ((0, first), (1, second)):
        moved = []
        for sign in (-1.0, 1.0):
            shifted = list(ends)
            shifted[which] = ends[which] + sign * step
            moved.append(end_charges_e_nm2(bulk, shifted[0], shifted[1], thickness))
        scale = float(first[1][0] + second[1][0])
        differences = [(moved[1][k][0][0] - moved[0][k][0][0]) / (2.0 * step) for k in (0, 1)]
        assert own[1][0] == pytest.approx(differences[which], rel=1e-3, abs=1e-4 * scale)
        assert -between[0] == pytest.approx(differences[1 - which], rel=1e-3, abs=1e-4 * scale)
