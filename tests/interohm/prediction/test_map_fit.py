"""Measured potential maps: found where they were put, and what they say of records."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interohm.device_models import resolution_weights
from interohm.errors import InputError
from interohm.prediction.kpfm import MeasuredMap, load_measured_map, map_fields, potential_map
from interohm.prediction.map_fit import _extended, fit_map, updated_records
from interohm.prediction.solved_cell import solve_state
from interohm.records import material_document, material_from
from interohm.records.cell_config import Cell, load_cell
from interohm.records.shipped import shipped_material

MAPS = Path(__file__).parents[3] / "configs" / "maps"
_RESOLUTION_NM = 30.0


def _cell(**fields: Any) -> Cell:
    return Cell.model_validate(
        {
            "name": "cell",
            "states_of_charge": [0.5],
            "electrons": False,
            "layers": [
                {"material": "Li", "thickness_nm": 500},
                {"material": "LiPON", "thickness_nm": 1000},
                {"material": "LiCoO2", "thickness_nm": 500},
            ],
            "collectors": {
                "negative": {
                    "material": "Cu",
                    "work_function_eV": {"value": 4.65, "uncertainty": 0.1},
                    "thickness_nm": 200,
                },
                "positive": {
                    "material": "Al",
                    "work_function_eV": {"value": 4.28, "uncertainty": 0.1},
                },
            },
            **fields,
        }
    )


def _materials(phi_0: float | None = None) -> list[Any]:
    found = []
    for name in ("Li", "LiPON", "LiCoO2"):
        material = shipped_material(name)
        assert material is not None
        if name == "LiPON" and phi_0 is not None:
            document = material_document(material)
            document["neutral_potential_V"] = {
                **document["neutral_potential_V"],
                "value": phi_0,
            }
            material = material_from(document, where="test")
        found.append(material)
    return found


def _scan(
    cell: Cell,
    materials: list[Any],
    index: int = 0,
    *,
    noise_V: float = 0.0,
    moved_nm: float = 0.0,
    offset_V: float = 0.0,
    places: np.ndarray | None = None,
) -> MeasuredMap:
    """A map that a probe would take of a cell."""
    model = _extended(cell, potential_map(cell, solve_state(cell, materials, index)))
    x = np.arange(-180.0, 2150.0, 10.0) if places is None else places
    cpd = resolution_weights(x, model.x_nm, _RESOLUTION_NM) @ model.cpd_V
    noise = noise_V * np.random.default_rng(5).standard_normal(x.size)
    return MeasuredMap(x - moved_nm, cpd + noise - offset_V, "map.csv", None)


def test_a_map_is_found_where_it_was_put() -> None:
    cell, materials = _cell(states_of_charge=[0.25, 0.75]), _materials()
    measured = _scan(cell, materials, 1, noise_V=0.005, moved_nm=17.0, offset_V=0.7)
    found = fit_map(cell, materials, measured, resolution_nm=_RESOLUTION_NM)
    assert found.state_of_charge == 0.75
    state = found.states[1]
    assert state.shift_nm == pytest.approx(17.0, abs=0.5)
    assert state.offset_V == pytest.approx(0.7, abs=0.005)
    assert state.rms_V == pytest.approx(0.005, rel=0.2)
    assert state.rms_V < found.states[0].rms_V
    assert not state.shift_at_bound


def test_a_shift_beyond_its_bound_is_told() -> None:
    cell, materials = _cell(), _materials()
    measured = _scan(cell, materials, moved_nm=40.0)
    found = fit_map(cell, materials, measured, resolution_nm=_RESOLUTION_NM, largest_shift_nm=10.0)
    assert found.states[0].shift_at_bound
    assert found.states[0].shift_nm == pytest.approx(10.0, rel=1e-2)


def test_points_on_collectors_are_kept() -> None:
    cell, materials = _cell(), _materials()
    found = fit_map(cell, materials, _scan(cell, materials), resolution_nm=_RESOLUTION_NM)
    assert found.left_out == 0
    assert min(found.x_nm) < 0.0
    assert max(found.x_nm) > 2000.0
    assert found.layers == ["Cu", "Li", "LiPON", "LiCoO2", "Al"]
    assert found.contacts_nm == pytest.approx([0.0, 500.0, 1500.0, 2000.0])


def test_without_collectors_points_beside_the_cell_are_counted() -> None:
    cell, materials = _cell(), _materials()
    bare = cell.model_copy(update={"collectors": None})
    found = fit_map(
        bare,
        materials,
        _scan(cell, materials),
        resolution_nm=_RESOLUTION_NM,
        largest_shift_nm=0.0,
    )
    assert found.left_out == 18 + 14
    assert found.layers == ["Li", "LiPON", "LiCoO2"]


def test_beyond_a_collector_of_given_thickness_nothing_is_known() -> None:
    cell, materials = _cell(), _materials()
    assert cell.collectors is not None
    thin = cell.collectors.negative.model_copy(update={"thickness_nm": 100.0})
    ends = cell.collectors.model_copy(update={"negative": thin})
    found = fit_map(
        cell.model_copy(update={"collectors": ends}),
        materials,
        _scan(cell, materials),
        resolution_nm=_RESOLUTION_NM,
        largest_shift_nm=0.0,
    )
    assert found.left_out == 8  # −180 to −110 nm; the other collector goes on
    assert max(found.x_nm) > 2000.0


def test_a_neutral_potential_is_learned_and_a_common_shift_is_not() -> None:
    """The map of another record: its phi_0 comes back, what only differences would tell stays."""
    cell = _cell()
    measured = _scan(cell, _materials(1.40), noise_V=0.005)
    found = fit_map(
        cell, _materials(), measured, resolution_nm=_RESOLUTION_NM, largest_shift_nm=0.0
    )
    learned = {(one.material, one.field): one for one in found.learned}
    phi_0 = learned["LiPON", "neutral_potential_V"]
    assert phi_0.value == 1.24
    assert phi_0.updated_value == pytest.approx(1.40, abs=4.0 * phi_0.updated_uncertainty)
    assert phi_0.updated_uncertainty < 0.02
    assert phi_0.learned > 0.9
    for name in ("Li", "LiCoO2"):
        work_function = learned[name, "states.work_function_eV"]
        # the same shift of all metals shows nowhere: their values stay, and they go together
        assert work_function.updated_value == pytest.approx(work_function.value, abs=0.02)
        assert work_function.updated_uncertainty > 0.04
    (group,) = (one for one in found.together if "work_function_eV of" in one)
    assert {"Li", "LiCoO2"} <= set(group.partition(" of ")[2].split(", "))


def test_updated_records_explain_the_map() -> None:
    cell = _cell()
    measured = _scan(cell, _materials(1.40), noise_V=0.005)
    options: dict[str, Any] = {"resolution_nm": _RESOLUTION_NM, "largest_shift_nm": 0.0}
    before = fit_map(cell, _materials(), measured, **options)
    updated = {one.name: one for one in updated_records(before, _materials())}
    assert "LiPON" in updated
    told = updated["LiPON"].neutral_potential_V
    assert told.method == "updated from a potential map"
    assert updated["LiPON"].provenance["updated_from"]["record"] == before.records["LiPON"]
    again = [updated.get(one.name, one) for one in _materials()]
    after = fit_map(cell, again, measured, **options)
    assert after.states[0].rms_V < 0.2 * before.states[0].rms_V
    assert not told.assumed
    # of work functions, only differences are determined: what was assumed still is
    new = updated["LiCoO2"]
    for was, now in zip(shipped_material("LiCoO2").states, new.states, strict=True):
        assert now.work_function_eV.assumed == was.work_function_eV.assumed
        assert now.work_function_eV.uncertainty < 0.95 * was.work_function_eV.uncertainty
        assert now.work_function_eV.method.endswith("updated from a potential map")
    assert any(state.work_function_eV.assumed for state in new.states)
    alone = {(one.material, one.field): one.remaining_alone for one in before.learned}
    assert alone["LiPON", "neutral_potential_V"] < 0.1
    assert alone["LiCoO2", "states.work_function_eV"] > 0.9
    # an electrode's curve moves as a whole
    if "LiCoO2" in updated:
        old, new = shipped_material("LiCoO2"), updated["LiCoO2"]
        assert [state.voltage_V.value for state in new.states] == [
            state.voltage_V.value for state in old.states
        ]


def test_between_the_points_of_a_map_the_models_are_drawn_as_the_tip_shows_them() -> None:
    """The points of a map are as far apart as the tip resolves; the model is drawn on its own."""
    cell = _cell()
    options: dict[str, Any] = {"resolution_nm": _RESOLUTION_NM, "largest_shift_nm": 0.0}
    measured = _scan(cell, _materials(1.40), noise_V=0.005)
    found = fit_map(cell, _materials(), measured, **options)
    drawn = np.array(found.probe_x_nm)
    assert np.all(np.diff(drawn) > 0.0)
    at = np.interp(found.x_nm, drawn, found.probe_cpd_V)
    assert at == pytest.approx(np.array(found.model_cpd_V), abs=1e-4)
    for contact_nm in found.contacts_nm:
        near = np.abs(drawn - contact_nm) < _RESOLUTION_NM
        assert np.max(np.diff(drawn[near])) < 0.2 * _RESOLUTION_NM
    # what the records of this map show, through an offset of its own
    exact = fit_map(cell, _materials(1.40), measured, **options)
    assert found.updated_cpd_V is not None
    truth = np.interp(drawn, exact.probe_x_nm, exact.probe_cpd_V)
    apart = np.array(found.updated_cpd_V) - truth
    assert np.std(apart) < 0.01
    assert np.std(np.array(found.probe_cpd_V) - truth) > 0.05
    updated = np.interp(found.x_nm, drawn, found.updated_cpd_V)
    assert np.std(updated - np.array(found.measured_cpd_V)) < 0.3 * found.states[0].rms_V


def test_where_nothing_is_learned_nothing_is_drawn_as_updated() -> None:
    cell = _cell()
    measured = _scan(cell, _materials())
    vague = replace(measured, uncertainty_V=np.full(measured.x_nm.shape, 30.0))
    found = fit_map(cell, _materials(), vague, resolution_nm=0.0, largest_shift_nm=0.0)
    assert all(one.learned < 0.05 for one in found.learned)
    assert found.updated_cpd_V is None
    # without a tip, the model steps at a contact within the width of a line
    drawn, cpd = np.array(found.probe_x_nm), np.array(found.probe_cpd_V)
    step = np.abs(drawn - found.contacts_nm[0]) < 1e-3
    assert np.ptp(cpd[step]) > 0.5


def test_an_own_uncertainty_counts_as_noise() -> None:
    cell, materials = _cell(), _materials()
    measured = _scan(cell, materials, noise_V=0.005)
    vague = MeasuredMap(measured.x_nm, measured.cpd_V, "map.csv", np.full(measured.x_nm.size, 0.1))
    options: dict[str, Any] = {"resolution_nm": _RESOLUTION_NM, "largest_shift_nm": 0.0}
    sharp = fit_map(cell, materials, measured, **options)
    wide = fit_map(cell, materials, vague, **options)
    assert wide.noise_V >= 0.1 > sharp.noise_V
    assert wide.learned[0].updated_uncertainty > sharp.learned[0].updated_uncertainty


def test_a_state_that_the_cell_does_not_list_is_refused() -> None:
    cell, materials = _cell(), _materials()
    with pytest.raises(InputError, match=r"no state of charge 0\.3"):
        fit_map(cell, materials, _scan(cell, materials), state_of_charge=0.3)


def test_a_map_of_other_units_is_refused() -> None:
    cell, materials = _cell(), _materials()
    measured = _scan(cell, materials)
    with pytest.raises(InputError, match="may be in um"):
        fit_map(cell, materials, MeasuredMap(measured.x_nm / 1e3, measured.cpd_V, "map.csv"))


def test_a_front_in_silicon_shows_what_was_published() -> None:
    """Behind the front ΔCPD follows the voltage; where lithium is, the work function adds.

    E. J. Fuller et al., ACS Energy Lett. 6, 3944, doi 10.1021/acsenergylett.1c01960.
    """
    cell = load_cell(MAPS / "silicon-LiPON-LCO.yaml")
    materials = [shipped_material(layer.material) for layer in cell.layers]
    states = [solve_state(cell, materials, index) for index in range(5)]  # type: ignore[arg-type]
    maps = [potential_map(cell, state) for state in states]
    for index in (1, 2, 4):
        fields, _ = map_fields(cell, maps[index], maps[0])
        x, delta = maps[index].x_nm, np.array(fields["delta_cpd_V"], dtype=float)
        voltage = float(states[index].open_circuit_voltage_V - states[0].open_circuit_voltage_V)
        front = cell.collectors.negative.front_at(cell, cell.states_of_charge[index])  # type: ignore[union-attr]
        behind = x < -front - 1e-6
        assert np.any(behind)
        assert delta[behind] == pytest.approx(-voltage, abs=1e-9)
        entered = (x > -front) & (x < 0.0)
        # lithiated silicon has a lower work function than silicon
        assert np.all(delta[entered] > -voltage + 0.5)


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("phi_mV", "with the sign of a CPD"),
        ("cpd_V", "with the sign of a CPD"),
        ("minus_cpd_V", "with its sign reversed"),
        ("work_function_eV", "with its sign reversed"),
    ],
)
def test_the_sign_of_the_potential_is_said(tmp_path: Path, heading: str, words: str) -> None:
    path = tmp_path / "map.csv"
    path.write_text(f"x_nm,{heading}\n0,1\n1,2\n")
    assert words in load_measured_map(path).columns[1]
