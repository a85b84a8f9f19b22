"""Space charges of cells after a step, against the impedance and the static solution."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from interohm.errors import InputError
from interohm.prediction.dynamics import dynamics_result
from interohm.prediction.formation import cell_stack
from interohm.prediction.solved_cell import solve_state
from interohm.records import Insulator, Metal, material_document, material_from
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.results.dynamics import Formation

THICK = (("Li", 200.0), ("LiPON", 1000.0), ("LiCoO2", 300.0))
COATED = (("Li", 200.0), ("LLZO", 2000.0), ("Li3PO4", 0.8), ("LiCoO2", 300.0))


def made(
    layers: tuple[tuple[str, float], ...], *, blocked: bool = False
) -> tuple[Cell, list[Insulator | Metal]]:
    contacts = [{"ion_transfer": "blocked"}] * (len(layers) - 1) if blocked else None
    cell = Cell.model_validate(
        {
            "name": "test",
            "states_of_charge": [0.5],
            "contacts": contacts,
            "layers": [{"material": name, "thickness_nm": nm} for name, nm in layers],
        }
    )
    materials = [shipped_material(name) for name, _ in layers]
    return cell, [one for one in materials if one is not None]


@cache
def formed(
    layers: tuple[tuple[str, float], ...], step: str, by: float, blocked: bool = False
) -> Formation:
    cell, materials = made(layers, blocked=blocked)
    found = dynamics_result(cell, materials, step=step, by=by).formation  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("layers", [THICK, COATED])
def test_the_volumes_have_the_static_profile(layers: tuple[tuple[str, float], ...]) -> None:
    cell, materials = made(layers)
    state = solve_state(cell, materials, 0)
    found = cell_stack(cell, state)
    for place, contact in enumerate(state.contacts):
        # all charge right of each contact
        q = found.stack.first[place]
        right = -float(found.static.displacement_e_nm2[q])
        assert right == pytest.approx(float(contact.sheet_charge_e_nm2), rel=1e-2, abs=1e-2)
    assert found.stack.voltage_V(found.static.displacement_e_nm2) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("layers", [THICK, COATED])
def test_a_small_step_ends_in_the_current_of_the_cells_resistance(
    layers: tuple[tuple[str, float], ...],
) -> None:
    cell, materials = made(layers)
    state = solve_state(cell, materials, 0)
    found = formed(layers, "potential", -1e-3)
    expected = 1e-3 / float(state.area_specific_resistance_ohm_cm2)
    assert found.current_A_cm2[-1] == pytest.approx(expected, rel=1e-2)
    # a lower voltage discharges the cell
    assert found.voltage_V[-1] == pytest.approx(found.open_circuit_voltage_V - 1e-3, abs=1e-6)


def test_a_blocked_cell_charges_by_the_zero_of_its_impedance() -> None:
    found = formed(THICK, "potential", -1e-3, blocked=True)
    main = max(found.relaxations, key=lambda one: one.share)
    for side in found.space_charges:
        assert side.relaxation_time_s == pytest.approx(main.time_s, rel=5e-2)
    assert abs(found.current_A_cm2[-1] or 0.0) < 1e-5 * (found.current_A_cm2[0] or 0.0)
    # what one side takes up the other gives
    changes = [
        np.array(one.charge_e_nm2, dtype=float) - (one.charge_e_nm2[0] or 0.0)
        for one in found.space_charges
    ]
    assert changes[0] == pytest.approx(-changes[1], abs=1e-9)


def test_after_a_step_of_the_temperature_the_cell_is_that_of_the_new_one() -> None:
    found = formed(THICK, "temperature", 20.0)
    cell, materials = made(THICK)
    warm = cell.model_copy(update={"temperature_K": 320.0})
    static = cell_stack(warm, solve_state(warm, materials, 0)).static
    assert np.array(found.profiles[-1].phi_V, dtype=float) == pytest.approx(static.psi_V, abs=2e-4)
    assert found.voltage_V[-1] == pytest.approx(found.open_circuit_voltage_V, abs=1e-4)
    assert set(found.current_A_cm2) == {0.0}
    assert (found.temperature_before_K, found.temperature_after_K) == (300.0, 320.0)
    # without a current the poles of the impedance are the times
    times = [one.time_s for one in found.relaxations]
    for side in found.space_charges:
        assert side.relaxation_time_s is not None
        assert min(abs(np.log(side.relaxation_time_s / time)) for time in times) < 0.2


@pytest.mark.parametrize(("step", "by"), [("potential", 0.0), ("potential", 9.0)])
def test_a_step_that_is_none_or_too_large_is_refused(step: str, by: float) -> None:
    cell, materials = made(THICK)
    with pytest.raises(InputError, match="potential step"):
        dynamics_result(cell, materials, step=step, by=by)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="temperature step"):
        dynamics_result(cell, materials, step="temperature", by=-280.0)


def test_diffusion_in_an_electrode_is_no_relaxation_of_a_step() -> None:
    cell, materials = made(THICK)
    fields = {"chemical_diffusivity_cm2_s": 1e-12}
    slow = material_from({**material_document(materials[-1]), **fields}, where="test")
    result = dynamics_result(cell, [*materials[:-1], slow], step="temperature", by=20.0)
    found, following = result.formation, result.quasi_equilibrium
    assert found is not None
    assert following is not None
    # no relaxation after the step is slower than the time in which space charges form then
    assert following.relaxation_time_s is not None
    assert max(one.time_s for one in found.relaxations) < 1.01 * following.relaxation_time_s
    assert result.following_at == "state of charge 0.5, 320 K"
    plain = formed(THICK, "temperature", 20.0)
    assert [one.time_s for one in found.relaxations] == pytest.approx(
        [one.time_s for one in plain.relaxations], rel=1e-6
    )
