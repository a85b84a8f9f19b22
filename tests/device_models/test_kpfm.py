"""Potential maps: identities, collectors, and measured maps taken apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interohm.device_models.kpfm import (
    collector_work_function_eV,
    cpd_V,
    decompose,
    delta_cpd_V,
    equilibrium_cpd_V,
)

METAL_EV = 2.93
LEVEL = st.floats(-6.0, 1.0)
WORK = st.floats(1.0, 8.0)


@given(work=WORK, mu=LEVEL, tip=WORK, charge=st.integers(1, 3))
def test_both_forms_agree_at_equilibrium(work: float, mu: float, tip: float, charge: int) -> None:
    # phi_0 and E_F of physics.md, section 3
    phi = METAL_EV - work - mu / charge
    fermi = mu / charge - METAL_EV
    assert cpd_V(work, fermi, tip) == pytest.approx(equilibrium_cpd_V(phi, tip), abs=1e-12)


@given(
    mu=st.tuples(LEVEL, LEVEL, LEVEL, LEVEL),
    electrodes=st.tuples(WORK, WORK, WORK, WORK),
    collectors=st.tuples(WORK, WORK),
    charge=st.integers(1, 3),
)
def test_collectors_show_the_change_of_the_voltage(
    mu: tuple[float, ...],
    electrodes: tuple[float, ...],
    collectors: tuple[float, float],
    charge: int,
) -> None:
    """ΔCPD(neg) − ΔCPD(pos) = −[V_OC(s) − V_OC(0)], whatever the electrodes' work functions do."""
    negative = np.array([mu[0], mu[1]])
    positive = np.array([mu[2], mu[3]])
    voltage = -(positive - negative) / charge
    fermi = np.stack([negative, positive], axis=-1) / charge - METAL_EV
    at_collectors = cpd_V(np.array(collectors), fermi, 5.0)
    base = cpd_V(np.array(electrodes[:2]), fermi[:, 0], 5.0)
    delta = delta_cpd_V(at_collectors[1], base[1], at_collectors[0], base[0])
    assert delta[0] - delta[1] == pytest.approx(-(voltage[1] - voltage[0]), abs=1e-9)


def test_lithiated_silicon_raises_cpd_and_the_collector_behind_the_front_does_not() -> None:
    """Figure 5 of the perspective: lithiation lowers Phi of silicon and raises its ΔCPD."""
    depth = np.array([10.0, 40.0, 60.0, 200.0])
    fermi = np.array([-0.6, -0.2]) - METAL_EV
    silicon = np.array([4.8, 3.3])
    front = np.array([0.0, 50.0])
    work = collector_work_function_eV(depth, front, silicon, np.array([4.65, 4.65]))
    assert work.tolist() == [[4.65] * 4, [3.3, 3.3, 4.65, 4.65]]
    cpd = cpd_V(work, fermi[:, None])
    base = cpd_V(np.full(2, 4.85), np.full(2, -METAL_EV - 3.0))
    delta = delta_cpd_V(cpd[1], base[1], cpd[0], base[0])
    # within the front the fall of the work function outpaces the rise of the Fermi level
    assert delta == pytest.approx([0.95, 0.95, -0.4, -0.4])


def test_the_base_has_no_delta() -> None:
    rng = np.random.default_rng(0)
    cpd, discharged = rng.normal(size=(2, 4, 7))
    delta = delta_cpd_V(cpd, cpd[:, 0], discharged, discharged[:, 0])
    assert np.all(delta[:, 0] == 0.0)
    assert delta_cpd_V(cpd, cpd[:, 0], cpd, cpd[:, 0]) == pytest.approx(np.zeros((4, 7)))


def test_a_map_is_taken_apart() -> None:
    # two layers, one of whose work functions the model has wrong by 0.3 eV
    model_x = np.array([0.0, 50.0, 50.0, 100.0])
    model_work = np.array([4.0, 4.0, 5.0, 5.0])
    model_fermi = np.array([-3.0, -3.2, -3.2, -4.0])
    x = np.array([-5.0, 10.0, 30.0, 49.0, 51.0, 70.0, 95.0, 120.0])
    true_work = np.where(x < 50.0, 4.0, 5.3)
    true_fermi = np.interp(x, model_x, model_fermi)
    measured = cpd_V(true_work, true_fermi, 4.7)
    parts = decompose(
        x,
        measured,
        model_x_nm=model_x,
        work_function_eV=model_work,
        fermi_level_eV=model_fermi,
    )
    assert np.all(np.isnan(parts.residual_V[[0, -1]]))
    # half of the six places are off by 0.3 V: aligned, the misfit is 0.15 V on each side
    assert parts.rms_V == pytest.approx(0.15)
    assert parts.residual_V[1:-1] == pytest.approx([0.15] * 3 + [-0.15] * 3)
    assert parts.work_function_eV[1:-1] == pytest.approx(true_work[1:-1] - 0.15)
    rebuilt = cpd_V(parts.work_function_eV, true_fermi)[1:-1]
    assert np.ptp(measured[1:-1] - rebuilt) == pytest.approx(0.0, abs=1e-12)
    rebuilt = cpd_V(np.interp(x, model_x, model_work), parts.fermi_level_eV)[1:-1]
    assert np.ptp(measured[1:-1] - rebuilt) == pytest.approx(0.0, abs=1e-12)


def test_the_constant_of_a_map_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(0.0, 10.0, 20))
    model = {
        "model_x_nm": np.array([0.0, 10.0]),
        "work_function_eV": np.array([4.0, 4.5]),
        "fermi_level_eV": np.array([-3.0, -3.0]),
    }
    maps = rng.normal(size=(3, 20))
    maps[:, 4] = np.nan
    parts, moved = decompose(x, maps, **model), decompose(x, maps + 1.7, **model)
    assert moved.residual_V == pytest.approx(parts.residual_V, abs=1e-12, nan_ok=True)
    assert parts.rms_V.shape == (3,)
    # no other constant lies closer
    for shift in (-0.01, 0.01):
        assert np.all(np.nanmean((parts.residual_V + shift) ** 2, axis=-1) > parts.rms_V**2)
