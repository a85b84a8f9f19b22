"""Potential maps of cells: the identity of the collectors, fronts, and measured maps."""

from __future__ import annotations

import numpy as np
import pytest

from interohm.errors import InputError
from interohm.prediction.kpfm import (
    MeasuredMap,
    load_measured_map,
    map_fields,
    measured_beside,
    measured_fields,
    potential_map,
)
from interohm.prediction.solved_cell import solve_state
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material

STATES = [0.0, 0.3, 1.0]


def described(**fields):
    return Cell.model_validate(
        {
            "name": "map",
            "states_of_charge": STATES,
            "layers": [
                {"material": "Li", "thickness_nm": 200.0},
                {"material": "LiPON", "thickness_nm": 1000.0},
                {"material": "LiCoO2", "thickness_nm": 200.0},
            ],
            "collectors": {
                "negative": {"material": "Cu", "work_function_eV": 4.65},
                "positive": {"material": "Pt", "work_function_eV": 5.6},
            },
            **fields,
        }
    )


def maps(cell):
    materials = [shipped_material(layer.material) for layer in cell.layers]
    states = [solve_state(cell, materials, place) for place in range(len(STATES))]
    return states, [potential_map(cell, state) for state in states]


def test_collectors_show_the_change_of_the_voltage():
    cell = described()
    states, solved = maps(cell)
    for state, one in zip(states, solved, strict=True):
        _, (negative, positive) = map_fields(cell, one, solved[0])
        change = state.open_circuit_voltage_V - states[0].open_circuit_voltage_V
        assert negative["delta_cpd_V"] - positive["delta_cpd_V"] == pytest.approx(-change, abs=1e-9)
        assert (negative["side"], negative["material"]) == ("negative", "Cu")


def test_the_map_is_phi_and_jumps_at_contacts_only():
    cell = described()
    states, solved = maps(cell)
    fields, _ = map_fields(cell, solved[2], solved[0])
    layers = len(states[2].layers)
    x, phi = solved[2].x_nm, np.concatenate([one.phi_V for one in solved[2].diagrams])
    assert np.ptp(np.array(fields["cpd_V"]) - phi) == pytest.approx(0.0, abs=1e-12)
    assert np.count_nonzero(np.diff(x) == 0.0) == layers - 1
    assert np.all(np.diff(x) >= 0.0)
    # discharged against itself
    start, collectors = map_fields(cell, solved[0], solved[0])
    assert np.array(start["delta_cpd_V"]) == pytest.approx(0.0, abs=1e-12)
    assert [one["delta_cpd_V"] for one in collectors] == [0.0, 0.0]


def test_without_a_discharged_state_there_is_no_difference():
    cell = described(collectors=None)
    _, solved = maps(cell)
    fields, collectors = map_fields(cell, solved[1], None)
    assert set(fields["delta_cpd_V"]) == {None}
    assert None not in fields["cpd_V"]
    assert collectors == []


def test_an_electrode_shows_work_function_and_fermi_level():
    """ΔCPD of an electrode: −ΔPhi − ΔE_F, against the base's −ΔE_F."""
    cell = described()
    _, solved = maps(cell)
    fields, _ = map_fields(cell, solved[2], solved[0])
    cobalt = [one.diagrams[-1].work_function_eV[0] for one in solved]
    assert fields["delta_cpd_V"][-1] == pytest.approx(-(cobalt[2] - cobalt[0]), abs=1e-9)
    # the work function that the diagram implies is the record's
    assert cobalt[0] == pytest.approx(5.1, abs=1e-9)
    assert cobalt[2] == pytest.approx(5.3, abs=1e-9)


def test_measured_map_of_the_model_itself_fits(tmp_path):
    _, solved = maps(described())
    x = np.linspace(-50.0, 1400.0, 300)
    measured = np.interp(x, solved[1].x_nm, solved[1].cpd_V) + 0.8
    path = tmp_path / "map.csv"
    rows = "\n".join(f"{a!r},{b!r}" for a, b in zip(x.tolist(), measured.tolist(), strict=True))
    path.write_text(f"x_nm,CPD (V)\n# a scan\n{rows}\n")
    read = load_measured_map(path)
    assert np.array_equal(read.x_nm, x)
    fits = [measured_fields(one, read)["rms_V"] for one in solved]
    assert fits[1] == pytest.approx(0.0, abs=1e-9)
    assert min(fits[0], fits[2]) > 0.01
    fields = measured_fields(solved[1], read)
    assert fields["measured_cpd_V"] == pytest.approx(fields["model_cpd_V"], abs=1e-9)
    assert min(fields["x_nm"]) >= 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2\n3,four\n", "line 3"),
        ("1,2,3\n4,5,6\n", "line 1"),
        ("x,y\n1,2\n", "fewer than two"),
        ("", "fewer than two"),
    ],
)
def test_a_bad_map_is_refused(tmp_path, text, message):
    path = tmp_path / "map.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as refused:
        load_measured_map(path)
    assert refused.value.fix
    with pytest.raises(InputError, match="cannot read"):
        load_measured_map(tmp_path / "none.csv")


def test_a_map_beside_the_cell_is_refused():
    _, solved = maps(described())
    with pytest.raises(InputError, match="no point lies within"):
        measured_fields(solved[0], MeasuredMap(np.array([1e6, 2e6]), np.zeros(2), "map.csv"))


def test_a_front_in_the_collector_has_the_electrodes_work_function():
    collectors = {
        "negative": {
            "material": "Cu",
            "work_function_eV": 4.65,
            "thickness_nm": 100.0,
            "ion_front_nm": [0.0, 0.0, 40.0],
        },
        "positive": {"material": "Pt", "work_function_eV": 5.6, "thickness_nm": 50.0},
    }
    cell = described(collectors=collectors)
    states, solved = maps(cell)
    fields, (negative, positive) = map_fields(cell, solved[2], solved[0])
    x, cpd = solved[2].x_nm, np.array(fields["cpd_V"])
    assert (x[0], x[-1]) == (-100.0, 1450.0)
    assert np.all(np.diff(x) >= 0.0)
    within = (x > -40.0) & (x <= 0.0)
    electrode = np.array([cpd[(x > 0.0) & (x <= 200.0)][0]])
    assert cpd[within] == pytest.approx(np.broadcast_to(electrode, cpd[within].shape), abs=1e-9)
    assert cpd[x < -40.0 - 1e-9] == pytest.approx(negative["cpd_V"], abs=1e-9)
    assert cpd[x > 1400.0] == pytest.approx(positive["cpd_V"], abs=1e-9)
    # behind the front the voltage shows, within it the change of the work function on top
    delta = np.array(fields["delta_cpd_V"])
    change = states[2].open_circuit_voltage_V - states[0].open_circuit_voltage_V
    assert delta[0] == pytest.approx(-change, abs=1e-9)
    lithium = shipped_material("Li").states[0].work_function_eV.value
    entered = (x > -40.0) & (x < 0.0)
    assert delta[entered] == pytest.approx(-change + 4.65 - lithium, abs=1e-9)


@pytest.mark.parametrize(
    ("length", "volts", "fix"),
    [
        (1e-3, 1, "may be in um: name the column x_um"),
        (10, 1, "may be in A: name the column x_A"),
        (1e-6, 1, "may be in mm"),
        (1, 1e3, "may be in mV: name the column cpd_mV"),
        (0.05, 1, "at least a tenth of the cell"),
    ],
)
def test_a_map_in_other_units_is_refused(length, volts, fix):
    _, solved = maps(described())
    x = np.linspace(10.0, 1390.0, 200)
    cpd = np.interp(x, solved[1].x_nm, solved[1].cpd_V)
    right = measured_beside(solved, MeasuredMap(x, cpd, "map.csv", np.full(200, 0.01)))
    assert [one["rms_V"] < 1e-9 for one in right] == [False, True, False]
    assert right[1]["uncertainty_V"] == pytest.approx(np.full(200, 0.01))
    with pytest.raises(InputError, match=r"nm long, the cell 1400 nm|V from the model") as caught:
        measured_beside(solved, MeasuredMap(x * length, cpd * volts, "map.csv"))
    assert fix in caught.value.fix
    assert caught.value.where == "map.csv"


def test_swapped_columns_are_told():
    _, solved = maps(described())
    x = np.linspace(10.0, 1390.0, 200)
    cpd = np.interp(x, solved[1].x_nm, solved[1].cpd_V)
    with pytest.raises(InputError, match="long, the cell") as caught:
        measured_beside(solved, MeasuredMap(cpd, x, "map.csv"))
    assert "the other way around" in caught.value.fix
