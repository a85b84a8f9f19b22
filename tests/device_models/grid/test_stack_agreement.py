"""The grid solver and the solvers without a grid agree where they overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models.bulk import Bulk, neutral_bulk
from interohm.device_models.coated import coated_contact
from interohm.device_models.contact import contact
from interohm.device_models.first_integral.layer import layer
from interohm.device_models.grid.stack import solve_stack
from interohm.device_models.grid.stack_layer import StackLayer
from interohm.device_models.phase import Metal, Phase

METAL_eV = 3.0
VOLTS = st.floats(-2.0, 2.0)


@st.composite
def bulks(draw: st.DrawFn) -> Bulk:
    count = draw(st.integers(1, 3))
    charges = st.sampled_from([-2.0, -1.0, 1.0, 2.0])
    charge = np.array(draw(st.lists(charges, min_size=count, max_size=count)))
    charge = np.concatenate([charge, -charge[:1]])
    energies = draw(st.lists(st.floats(0.0, 1.5), min_size=charge.size, max_size=charge.size))
    phase = Phase(
        ionization_potential_eV=5.0,
        band_gap_eV=draw(st.floats(2.0, 8.0)),
        dielectric_constant=draw(st.floats(3.0, 60.0)),
        charge=charge,
        ion_change=charge,
        formation_energy_eV=np.array(energies) - charge * draw(st.floats(1.0, 3.0)),
        site_density_cm3=10.0 ** draw(st.floats(20.0, 23.0)),
        saturation=draw(st.floats(0.05, 1.0)),
        migration_energy_eV=0.3,
        hop_distance_nm=0.3,
        electrons=draw(st.booleans()),
        frozen_charge_cm3=draw(st.sampled_from([0.0, 1e17, -1e18])),
    )
    return neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=METAL_eV)


def assert_same(ours: Any, theirs: Any, scale: float, relative: float = 1e-6) -> None:
    assert np.max(np.abs(np.asarray(ours) - np.asarray(theirs))) < relative * scale


@settings(max_examples=40, deadline=None)
@given(bulk=bulks(), left_V=VOLTS, right_V=VOLTS, log_thickness=st.floats(-0.5, 3.0))
def test_one_layer(bulk: Bulk, left_V: float, right_V: float, log_thickness: float) -> None:
    thickness = 10.0**log_thickness
    exact = layer(bulk, left_V, right_V, thickness)
    solved = solve_stack(Metal(left_V), [StackLayer(bulk, thickness)], Metal(right_V))
    scale = float(np.max(np.abs(exact.sheet_charge_e_nm2))) + 1e-9
    assert_same(solved.sheet_charge_e_nm2, exact.sheet_charge_e_nm2, scale)
    assert solved.resistance_ohm_cm2[0] == pytest.approx(exact.resistance_ohm_cm2, rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(left=bulks(), right=bulks(), dipole=VOLTS)
def test_a_contact_of_thick_phases(left: Bulk, right: Bulk, dipole: float) -> None:
    """A slice of each phase between the two thick ones changes nothing."""
    exact = contact(left, right, dipole_V=dipole, sheet_charge_e_nm2=0.1)
    solved = solve_stack(
        left,
        [StackLayer(left, 0.7), StackLayer(right, 1.1)],
        right,
        dipole_V=[0.0, dipole, 0.0],
        sheet_charge_e_nm2=[0.0, 0.1, 0.0],
    )
    scale = abs(float(exact.sheet_charge_e_nm2)) + 0.1
    assert_same(solved.sheet_charge_e_nm2[1], exact.sheet_charge_e_nm2, scale)
    assert solved.layers[1].phi_V[0] == pytest.approx(float(exact.right_potential_V), abs=1e-5)


@settings(max_examples=5, deadline=None)
@given(
    phases=st.lists(bulks(), min_size=4, max_size=4),
    thickness=st.lists(st.floats(0.5, 30.0), min_size=2, max_size=2),
    dipole=st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=3),
    sheet=st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=3),
    end_V=st.one_of(st.none(), VOLTS),
)
def test_coatings(
    phases: list[Bulk],
    thickness: list[float],
    dipole: list[float],
    sheet: list[float],
    end_V: float | None,
) -> None:
    left = phases[0]
    right = phases[3] if end_V is None else Metal(end_V)
    contacts = {"dipole_V": dipole, "sheet_charge_e_nm2": sheet}
    exact = coated_contact(left, phases[1:3], right, thickness_nm=thickness, **contacts)
    solved = solve_stack(
        left,
        [StackLayer(bulk, length) for bulk, length in zip(phases[1:3], thickness, strict=True)],
        right,
        **contacts,
    )
    expected = np.array([float(charge) for charge in exact.sheet_charge_e_nm2])
    assert_same(solved.sheet_charge_e_nm2, expected, float(np.max(np.abs(expected))) + 0.2, 2e-6)
    inner = [float(potential) for potential in exact.potentials_V[1:]]
    ours = [float(one.phi_V[-1]) for one in solved.layers]
    assert ours == pytest.approx(inner, abs=1e-5)
