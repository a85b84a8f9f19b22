"""Whether space charges follow: the times of the criterion against those of the impedance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from interohm.device_models import BOLTZMANN_EV_K, Relaxations, solve_chain
from interohm.prediction.cell import cell_result
from interohm.prediction.impedance_chain import cell_chain
from interohm.prediction.quasi_equilibrium import quasi_equilibrium_fields
from interohm.prediction.solved_cell import solve_state
from interohm.records import Insulator, Metal, material_document, material_from
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.results.cell import QuasiEquilibrium


def shipped(name: str, **fields: Any) -> Any:
    record = shipped_material(name)
    assert record is not None
    return material_from({**material_document(record), **fields}, where="test")


def still(name: str) -> Any:
    """Return a record without diffusion in its host, which the criterion is not about."""
    record = shipped(name)
    if isinstance(record, Metal):
        return record.model_copy(update={"chemical_diffusivity_cm2_s": None})
    return record


def cell_of(layers: list[tuple[str, float]], **fields: Any) -> tuple[Cell, list[Insulator | Metal]]:
    given = [{"material": name, "thickness_nm": nm} for name, nm in layers]
    cell = Cell.model_validate(
        {"name": "test", "states_of_charge": [0.5], "layers": given, **fields}
    )
    return cell, [still(name) for name, _ in layers]


def relaxations_of(cell: Cell, materials: list[Insulator | Metal]) -> Relaxations:
    return solve_chain(cell_chain(cell, solve_state(cell, materials, 0)).chain, 1e-6, 1e9)


def slowest_s(cell: Cell, materials: list[Insulator | Metal]) -> float:
    """The longest relaxation that takes a visible share of the impedance."""
    found = relaxations_of(cell, materials)
    r, tau = found.resistance_ohm_cm2[0], found.time_s[0]
    return float(np.max(tau[r > 1e-9 * np.sum(r)]))


@pytest.mark.parametrize(
    "layers",
    [
        [("Li", 200.0), ("LiPON", 1000.0), ("LiCoO2", 300.0)],
        [("Li", 200.0), ("LLZO", 2e5), ("LiCoO2", 300.0)],
        [("Li", 200.0), ("LiPON", 300.0), ("LLZO", 2000.0), ("LiCoO2", 300.0)],
    ],
)
def test_no_relaxation_is_slower_than_the_time_of_the_criterion(
    layers: list[tuple[str, float]],
) -> None:
    cell, materials = cell_of(layers)
    found = quasi_equilibrium_fields(cell, solve_state(cell, materials, 0))
    # the product is that of two processes in series with all capacitance in one of them
    assert slowest_s(cell, materials) < 1.01 * found["relaxation_time_s"]


def test_a_blocked_cell_charges_within_the_time_of_its_layer() -> None:
    blocked = {"ion_transfer": "blocked"}
    cell, materials = cell_of(
        [("Li", 200.0), ("LLZO", 2e5), ("LiCoO2", 300.0)], contacts=[blocked, blocked]
    )
    found = quasi_equilibrium_fields(cell, solve_state(cell, materials, 0))
    # two capacitors in series charge through the layer: R·C1·C2/(C1 + C2) < R·max(C)
    relaxations = relaxations_of(cell, materials)
    charging = float((relaxations.dc_ohm_cm2 / relaxations.inverse_capacitance_cm2_F)[0])
    assert 0.1 * found["relaxation_time_s"] < charging < found["relaxation_time_s"]
    for one in (found, *found["layers"]):
        assert one["follows_up_to_c_rate"] is None
        assert not one["follows"]
        assert "blocked" in QuasiEquilibrium.model_validate(found).verdict


def test_by_hand() -> None:
    cell, materials = cell_of([("Li", 200.0), ("LiPON", 1000.0), ("LiCoO2", 300.0)])
    state = solve_state(cell, materials, 0)
    found = quasi_equilibrium_fields(cell, state)
    [layer] = found["layers"]
    resistance = state.layer_resistance_ohm_cm2[1]
    assert resistance is not None
    whole = float(resistance) + sum(float(one.charge_transfer_ohm_cm2) for one in state.contacts)
    capacitance = max(
        float(side.differential_capacitance_uF_cm2)  # type: ignore[union-attr]
        for side in (state.contacts[0].right_side, state.contacts[1].left_side)
    )
    assert layer["relaxation_time_s"] == pytest.approx(whole * capacitance * 1e-6, rel=1e-12)
    assert found["relaxation_time_s"] == layer["relaxation_time_s"]
    # dV/dSOC by a difference of the cell's own voltage
    voltages = [
        float(
            solve_state(
                cell.model_copy(update={"states_of_charge": [charge]}), materials, 0
            ).open_circuit_voltage_V
        )
        for charge in (0.49999, 0.50001)
    ]
    slope = (voltages[1] - voltages[0]) / 0.00002
    assert found["voltage_slope_V"] == pytest.approx(slope, rel=1e-3)
    time = BOLTZMANN_EV_K * 300.0 * 3600.0 / slope
    assert found["state_of_charge_time_s"] == pytest.approx(time, rel=1e-3)
    limit = time / (10.0 * whole * capacitance * 1e-6)
    assert found["follows_up_to_c_rate"] == pytest.approx(limit, rel=1e-3)
    assert found["follows"] is True


def test_a_coating_that_hardly_conducts_does_not_follow() -> None:
    cell, materials = cell_of([("Li", 200.0), ("LiF", 10.0), ("LLZO", 2000.0), ("LiCoO2", 300.0)])
    found = quasi_equilibrium_fields(cell, solve_state(cell, materials, 0))
    coating = found["layers"][0]
    assert coating["material"] == "LiF"
    # eps/L where nothing screens within it
    epsilon = 0.0552634936 * materials[1].dielectric_constant.value  # type: ignore[union-attr]
    assert coating["capacitance_uF_cm2"] == pytest.approx(16.02177 * epsilon / 10.0, rel=1e-4)
    assert coating["follows"] is False
    assert found["follows"] is False


def test_a_defect_that_does_not_move_within_a_day_is_frozen() -> None:
    cell, materials = cell_of([("Li", 200.0), ("LiPON", 1000.0), ("LiCoO2", 300.0)])
    record = material_document(materials[1])
    slow = [{**one, "migration_energy_eV": 1.5} for one in record["defects"]]
    record.pop("conductivity", None)
    materials[1] = material_from({**record, "defects": slow}, where="test")
    [layer] = quasi_equilibrium_fields(cell, solve_state(cell, materials, 0))["layers"]
    assert [one["defect"] for one in layer["frozen_defects"]] == [one["name"] for one in slow]
    assert all(one["time_s"] > 1e5 for one in layer["frozen_defects"])


def test_an_electrode_of_one_voltage_is_followed_at_any_rate() -> None:
    cell, materials = cell_of([("Li", 200.0), ("LLZO", 2000.0), ("LiIn", 300.0)])
    found = cell_result(cell, materials, samples=0).states[0].quasi_equilibrium
    assert found is not None
    assert found.state_of_charge_time_s is None
    assert found.follows
    assert found.rows()[0][1].verdict == "yes, at any rate"
