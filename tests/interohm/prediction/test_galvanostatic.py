"""Discharge and charge: limits, sums, capacities and what ends a run."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from interohm.api import predict_dynamics
from interohm.errors import InputError
from interohm.prediction import galvanostatic
from interohm.prediction.dynamics import dynamics_result
from interohm.prediction.galvanostatic import _kept_at_cut_off
from interohm.prediction.solved_cell import solve_state
from interohm.records import Insulator, Metal, material_document, material_from
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.results.dynamics import Galvanostatic

RANGE = {"discharged": 0.98, "charged": 0.5}


def cell_of(nm: float = 3000.0, **fields: Any) -> Cell:
    layers = [
        {"material": "Li", "thickness_nm": 2000.0},
        {"material": "LiPON", "thickness_nm": 1000.0},
        {"material": "LiCoO2", "thickness_nm": nm, "ion_content": RANGE},
    ]
    return Cell.model_validate({"name": "film", "layers": layers, **fields})


@cache
def records(diffusivity_cm2_s: float | None) -> tuple[Insulator | Metal, ...]:
    found = []
    for name in ("Li", "LiPON", "LiCoO2"):
        record = shipped_material(name)
        assert record is not None
        found.append(record)
    fields = {**material_document(found[2]), "chemical_diffusivity_cm2_s": diffusivity_cm2_s}
    fields.pop("diffusivity_activation_energy_eV", None)
    if diffusivity_cm2_s is None:
        del fields["chemical_diffusivity_cm2_s"]
    found[2] = material_from(fields, where="test")
    return tuple(found)


@pytest.fixture(autouse=True)
def _few_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solve fewer states of charge; between them the resistances are smooth."""
    monkeypatch.setattr(galvanostatic, "_SOLVED", 9)


@cache
def run_of(
    c_rate: float = 1.0,
    direction: Any = "discharge",
    diffusivity: float | None = 1e-10,
    cut_off_V: float | None = None,
    samples: int = 0,
) -> Galvanostatic:
    result = dynamics_result(
        cell_of(),
        list(records(diffusivity)),
        c_rate=c_rate,
        direction=direction,
        cut_off_V=cut_off_V,
        samples=samples,
    )
    assert result.galvanostatic is not None
    return result.galvanostatic


def curve(values: Any) -> Any:
    return np.array(values, dtype=float)


@pytest.mark.parametrize("direction", ["discharge", "charge"])
def test_a_slow_run_is_the_open_circuit_voltage(direction: str) -> None:
    run = run_of(1e-3, direction)
    # the curve ends where the cell is charged, and the surface is there a little earlier
    assert run.ended_by == ("capacity" if direction == "discharge" else "surface")
    for place in (0, 60, 120, -1):
        cell = cell_of(states_of_charge=[float(np.clip(run.state_of_charge[place], 0.0, 1.0))])
        expected = float(solve_state(cell, list(records(1e-10)), 0).open_circuit_voltage_V)
        assert run.voltage_V[place] == pytest.approx(expected, abs=1e-3)
    assert run.capacity_mAh_cm2 == pytest.approx(run.nominal_capacity_mAh_cm2, rel=1e-3)


def test_capacity_by_hand() -> None:
    record = records(None)[2]
    assert isinstance(record, Metal)
    assert record.space_charge is not None
    sites = record.space_charge.site_density_cm3.value / (record.sites_per_formula or 0.0)
    coulombs = 1.602176634e-19 * sites * 3e-4 * 0.48
    assert run_of().nominal_capacity_mAh_cm2 == pytest.approx(coulombs / 3.6, rel=1e-12)
    assert run_of().current_A_cm2 == pytest.approx(coulombs / 3600.0, rel=1e-12)


@pytest.mark.parametrize("direction", ["discharge", "charge"])
def test_overpotentials_add_up_to_what_the_voltage_lacks(direction: str) -> None:
    run = run_of(2.0, direction)
    sign = 1.0 if direction == "discharge" else -1.0
    total = np.sum([curve(one.overpotential_V) for one in run.overpotentials], axis=0)
    lost = sign * (curve(run.open_circuit_voltage_V) - curve(run.voltage_V))
    assert total == pytest.approx(lost, abs=1e-12)
    names = [one.name for one in run.overpotentials]
    assert names.count("charge transfer") == 2
    assert names.count("bulk") == names.count("solid diffusion") == 1


def test_ohmic_parts_are_those_of_the_cell() -> None:
    run = run_of(1.0, diffusivity=None)
    place = len(run.time_s) // 2
    cell = cell_of(states_of_charge=[run.state_of_charge[place]])
    state = solve_state(cell, list(records(None)), 0)
    lost = curve(run.open_circuit_voltage_V)[place] - curve(run.voltage_V)[place]
    # all of it is linear at this current
    ohmic = float(state.area_specific_resistance_ohm_cm2) * run.current_A_cm2
    assert lost == pytest.approx(ohmic, rel=1e-4)


def test_diffusion_leaves_the_share_that_the_diffusion_number_says() -> None:
    # with S the diffusion number below 1, the surface is full when 1 − S/3 has passed
    run = run_of(4.0)
    [electrode] = [one for one in run.electrodes if one.side == "positive"]
    assert electrode.diffusion_number == pytest.approx(4.0 * 900.0 / 3600.0, rel=1e-6)
    slower = run_of(2.0)
    assert slower.ended_by == "surface"
    record = records(1e-10)[2]
    assert isinstance(record, Metal)
    # the curve goes on beyond the contents of the cell
    room = (record.states[-1].ion_content - 0.5) / 0.48
    share = slower.capacity_mAh_cm2 / slower.nominal_capacity_mAh_cm2
    assert share == pytest.approx(min(1.0, room - 0.5 / 3.0), rel=2e-3)
    assert electrode.control == "diffusion"
    assert electrode.biot_number is not None
    assert electrode.biot_number > 10.0


def test_a_cut_off_ends_the_run_at_that_voltage() -> None:
    run = run_of(1.0, cut_off_V=3.85)
    assert run.ended_by == "cut-off voltage"
    assert run.voltage_V[-1] == pytest.approx(3.85, abs=1e-6)
    assert run.capacity_mAh_cm2 < run.nominal_capacity_mAh_cm2
    faster = run_of(2.0, cut_off_V=3.85)
    assert faster.capacity_mAh_cm2 < run.capacity_mAh_cm2


def test_a_cut_off_beyond_the_open_circuit_voltage_is_refused() -> None:
    full, empty = run_of(1.0), run_of(1.0, "charge")
    for run, direction, option in ((full, "discharge", "--charge"), (empty, "charge", "without")):
        rest = run.open_circuit_voltage_V[0]
        assert rest is not None
        beyond = 1e-3 if direction == "discharge" else -1e-3
        with pytest.raises(InputError, match=f"{rest:.4g} V with which the {direction}") as caught:
            run_of(1.0, direction, cut_off_V=rest + beyond)
        assert caught.value.where is not None
        assert "--cut-off (cut_off_V)" in caught.value.where
        assert option in str(caught.value.fix)
        # just within, it is the current that ends the run at once
        options: Any = {"direction": direction, "cut_off_V": rest - beyond, "samples": 0}
        within = dynamics_result(cell_of(), list(records(1e-10)), **options)
        assert within.galvanostatic is not None
        assert within.galvanostatic.ended_by == "cut-off voltage"
        assert any("overpotentials take the voltage" in one for one in within.remarks)


def test_surface_and_mean_contents_keep_the_ions_that_passed() -> None:
    run = run_of(2.0)
    [electrode] = [one for one in run.electrodes if one.side == "positive"]
    mean, surface = curve(electrode.mean_content), curve(electrode.surface_content)
    passed = curve(run.capacity_passed_mAh_cm2) / run.nominal_capacity_mAh_cm2
    assert mean == pytest.approx(0.5 + 0.48 * passed, abs=1e-12)
    assert np.all(surface >= mean - 1e-12)
    late = surface[-1] - mean[-1]
    assert late == pytest.approx(0.48 * 0.5 / 3.0, rel=1e-2)


def test_intervals_hold_the_nominal_run() -> None:
    run = run_of(1.0, samples=20)
    assert run.quantiles is not None
    assert run.quantiles.samples == 20
    assert run.quantiles.voltage_V is not None
    low, high = (curve(run.quantiles.voltage_V[key]) for key in ("p05", "p95"))
    middle = len(run.time_s) // 2
    assert low[middle] < curve(run.voltage_V)[middle] < high[middle] + 0.05


@pytest.mark.parametrize(("direction", "cut_off_V"), [("discharge", 3.8), ("charge", 4.1)])
def test_samples_stay_at_the_cut_off(direction: str, cut_off_V: float) -> None:
    sign = 1.0 if direction == "discharge" else -1.0
    random = np.random.default_rng(1)
    voltage = cut_off_V + sign * (1.0 - np.cumsum(random.random((5, 9)), axis=1))
    kept = _kept_at_cut_off(voltage, cut_off_V, direction)  # type: ignore[arg-type]
    assert np.all(sign * (kept - cut_off_V) >= 0.0)
    assert np.all(kept[:, -1] == cut_off_V)
    within = sign * (voltage - cut_off_V) >= 0.0
    assert np.array_equal(kept[within], voltage[within])


def test_what_has_no_charge_to_give_is_said() -> None:
    layers = [
        {"material": "Li", "thickness_nm": 2000.0},
        {"material": "LiPON", "thickness_nm": 1000.0},
        {"material": "LiIn", "thickness_nm": 2000.0},
    ]
    cell = Cell.model_validate({"name": "test", "layers": layers})
    materials = [shipped_material(one["material"]) for one in layers]  # type: ignore[arg-type]
    with pytest.raises(InputError, match="how many ions"):
        dynamics_result(cell, materials, samples=0)  # type: ignore[arg-type]
    blocked = cell_of(contacts=[{"ion_transfer": "blocked"}, {}])
    with pytest.raises(InputError, match="blocks ions"):
        dynamics_result(blocked, list(records(None)), samples=0)
    with pytest.raises(InputError, match="C-rate"):
        dynamics_result(cell_of(), list(records(None)), c_rate=-1.0, samples=0)


def test_a_run_has_no_state_of_charge() -> None:
    cell = cell_of().model_dump(exclude_defaults=True)
    with pytest.raises(InputError, match="a run at constant current covers all states of charge"):
        predict_dynamics(cell, state_of_charge=0.5, samples=0)
