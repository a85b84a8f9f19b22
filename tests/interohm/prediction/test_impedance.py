"""The impedance of cells: its limits, its documents, its intervals and its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from interohm.errors import InputError
from interohm.prediction.cell import cell_document
from interohm.prediction.impedance import (
    at_conditions,
    checked_frequencies,
    frequencies_Hz,
    impedance_result,
)
from interohm.prediction.impedance_gradient import record_gradient
from interohm.records import Insulator, Metal, material_document, material_from
from interohm.records.cell_config import Cell, Contact
from interohm.records.shipped import shipped_material

FREQUENCIES = frequencies_Hz(1e-3, 1e7, 5)


def shipped(name: str, **fields: Any) -> Any:
    record = shipped_material(name)
    assert record is not None
    if not fields:
        return record
    return material_from({**material_document(record), **fields}, where="test")


def cell_of(layers: list[tuple[str, float]], **fields: Any) -> Cell:
    given = fields.pop("given", {})
    return Cell.model_validate(
        {
            "name": "test",
            "states_of_charge": [0.6],
            "layers": [
                {"material": name, "thickness_nm": nm, **given.get(name, {})} for name, nm in layers
            ],
            **fields,
        }
    )


def records_of(cell: Cell, **own: Any) -> list[Insulator | Metal]:
    return [own.get(layer.material) or shipped(layer.material) for layer in cell.layers]


GARNET = [("Li", 200.0), ("LLZO", 2000.0), ("LiCoO2", 300.0)]

CELLS = {
    "thick": cell_of(GARNET),
    "two thick": cell_of([("Li", 200), ("LiPON", 300), ("LLZO", 2000), ("LiCoO2", 300)]),
    "thin": cell_of([("Li", 200), ("LLZO", 2.0), ("LiCoO2", 300)]),
    "coated": cell_of([("Li", 200), ("LLZO", 2000), ("Li3PO4", 0.8), ("LiCoO2", 300)]),
    "holds its potential": cell_of([("Li", 200), ("LLZO", 2000), ("LiIn", 300)]),
    "two phases": cell_of([("Li", 200), ("LiPON", 1000), ("LiFePO4", 300)]),
    "two phases beside a thin layer": cell_of(
        [("LiIn", 200), ("LLZO", 8), ("LiNbO3", 0.7), ("LiFePO4", 300)], temperature_K=250.0
    ),
    "ends that conduct differently": cell_of(
        [("Li", 200), ("LiI_001", 1080), ("LiBr_001", 129), ("LiIn", 300)], temperature_K=500.0
    ),
    "doped": cell_of(
        GARNET,
        given={
            "LLZO": {
                "thickness_nm": 20,
                "doping_profile": {
                    "distance_nm": [0, 20],
                    "donors_minus_acceptors_cm3": [0, 1e20],
                },
            }
        },
    ),
    "polar": cell_of(GARNET, given={"LLZO": {"thickness_nm": 20, "polarization_uC_cm2": 3}}),
    "susceptible": cell_of(GARNET, given={"LLZO": {"thickness_nm": 20, "susceptibility": 30}}),
    "core": cell_of(
        GARNET,
        given={
            "LLZO": {
                "thickness_nm": 20,
                "core_layers": [{"contact": "left", "width_nm": 1, "energy_eV": {"V_Li": 0.1}}],
            }
        },
    ),
    "interacting": cell_of(
        GARNET, given={"LLZO": {"thickness_nm": 20, "interaction_eV": {"V_Li": 0.2}}}
    ),
    "sheet charge and dipole": cell_of(
        GARNET, contacts=[{"dipole_V": 0.3}, {"sheet_charge_e_nm2": 0.5}]
    ),
}


@pytest.mark.parametrize("kind", CELLS)
def test_the_direct_current_meets_the_cells_resistance(kind: str) -> None:
    """Layers of every kind that the cell solver takes, electrons off."""
    cell = CELLS[kind]
    # no diffusion, which has no end in a finite host
    materials = records_of(cell, LiCoO2=shipped("LiCoO2", chemical_diffusivity_cm2_s=None))
    (state,) = impedance_result(cell, materials, samples=0, frequency_Hz=FREQUENCIES).states
    (whole,) = cell_document(cell, materials, samples=0)["states"]
    expected = whole["area_specific_resistance_ohm_cm2"]
    assert state.dc_resistance_ohm_cm2 == pytest.approx(expected, rel=1e-5)
    parts = [one.resistance_ohm_cm2 for one in state.processes]
    assert sum(part for part in parts if part is not None) == pytest.approx(expected, rel=1e-5)
    # the spectrum ends there, as far as its lowest frequency lies below all relaxations
    slowest = max((pole.time_constant_s for pole in state.circuit.poles), default=0.0)
    if state.circuit.series_capacitance_uF_cm2 is None and slowest < 1e-2 / FREQUENCIES[0]:
        assert state.z_real_ohm_cm2[0] == pytest.approx(expected, rel=1e-4)
    assert min(state.z_real_ohm_cm2) >= 0.0
    assert max(state.z_imag_ohm_cm2) <= 0.0


def test_a_blocked_contact_is_a_capacitor() -> None:
    """The differential capacitances of all space charges, in series, at low frequency."""
    cell = cell_of(
        [("Li", 200), ("LLZO", 2000), ("LiIn", 300)],
        contacts=[{"ion_transfer": "blocked"}, {"ion_transfer": "blocked"}],
    )
    materials = records_of(cell)
    (state,) = impedance_result(cell, materials, samples=0, frequency_Hz=FREQUENCIES).states
    assert state.dc_resistance_ohm_cm2 is None
    assert state.dc_reason is not None
    assert "blocked" in state.dc_reason
    sides = [one for one in state.processes if one.name == "space charge"]
    assert len(sides) == 2
    series = 1.0 / sum(1.0 / (one.capacitance_uF_cm2 or np.nan) for one in sides)
    assert state.circuit.series_capacitance_uF_cm2 == pytest.approx(series, rel=1e-4)
    reactance = -1e6 / (2.0 * np.pi * FREQUENCIES[0] * series)
    assert state.z_imag_ohm_cm2[0] == pytest.approx(reactance, rel=1e-4)


def _of_circuit(state: Any) -> np.ndarray:
    s = 2j * np.pi * np.array(state.frequency_Hz)
    total = np.zeros(s.shape, dtype=complex)
    for pole in state.circuit.poles:
        capacitance = pole.capacitance_uF_cm2 * 1e-6
        total += 1.0 / (1.0 / pole.resistance_ohm_cm2 + s * capacitance)
    if state.circuit.series_capacitance_uF_cm2 is not None:
        total += 1.0 / (s * state.circuit.series_capacitance_uF_cm2 * 1e-6)
    return total


@pytest.mark.parametrize("kind", ["thick", "coated", "two phases"])
def test_the_circuit_is_the_model(kind: str) -> None:
    cell = CELLS[kind]
    (state,) = impedance_result(cell, records_of(cell), samples=0, frequency_Hz=FREQUENCIES).states
    z = np.array(state.z_real_ohm_cm2) + 1j * np.array(state.z_imag_ohm_cm2)
    assert np.max(np.abs(_of_circuit(state) / z - 1.0)) < 1e-4
    circuit = state.circuit
    count = len(circuit.poles)
    series = circuit.series_capacitance_uF_cm2 is not None
    assert circuit.impedance_py.count("p(R") == circuit.pyimpspec.count("(R{R=") == count
    assert len(circuit.impedance_py_parameters) == 2 * count + series
    titles = {f"{one.name}, {one.where}" for one in state.processes}
    assert {pole.process for pole in circuit.poles} <= titles
    largest = max(circuit.poles, key=lambda pole: pole.resistance_ohm_cm2)
    whole = max(state.processes, key=lambda one: one.resistance_ohm_cm2 or 0.0)
    if not series:
        assert largest.process == f"{whole.name}, {whole.where}"


MOBILE = {"electron_mobility_cm2_Vs": 1e5, "hole_mobility_cm2_Vs": 1e5, "band_gap_eV": 1.9}


def test_electrons_conduct_beside_the_ions() -> None:
    """1/Z(0) = 1/R_ion + 1/R_el; without mobilities they only screen."""
    cell = cell_of([("Li", 200), ("LLZO", 2000), ("LiIn", 300)], temperature_K=400.0)
    plain = shipped("LLZO", band_gap_eV=1.9, ionization_potential_eV=4.2)
    moving = shipped("LLZO", ionization_potential_eV=4.2, **MOBILE)
    ions, both = (
        impedance_result(cell, records_of(cell, LLZO=one), samples=0).states[0]
        for one in (plain, moving)
    )
    assert ions.dc_resistance_ohm_cm2 is not None
    assert both.dc_resistance_ohm_cm2 is not None
    (leak,) = [one for one in both.processes if one.name == "electrons"]
    assert leak.resistance_ohm_cm2 is not None
    together = 1.0 / ions.dc_resistance_ohm_cm2 + 1.0 / leak.resistance_ohm_cm2
    assert 1.0 / both.dc_resistance_ohm_cm2 == pytest.approx(together, rel=1e-6)
    assert both.dc_resistance_ohm_cm2 < 0.99 * ions.dc_resistance_ohm_cm2
    assert both.z_real_ohm_cm2[0] == pytest.approx(both.dc_resistance_ohm_cm2, rel=1e-4)
    # where the contacts block ions, the electrons alone carry a direct current
    held = [Contact(ion_transfer="blocked")] * 2
    blocked = impedance_result(
        cell.model_copy(update={"contacts": held}), records_of(cell, LLZO=moving), samples=0
    ).states[0]
    assert blocked.dc_resistance_ohm_cm2 == pytest.approx(leak.resistance_ohm_cm2, rel=1e-6)
    # cells without electrons have none
    off = impedance_result(
        cell.model_copy(update={"electrons": False}), records_of(cell, LLZO=moving), samples=0
    ).states[0]
    assert all(one.name != "electrons" for one in off.processes)


def test_diffusion_in_an_electrode() -> None:
    cell = cell_of(GARNET)
    diffusing = shipped(
        "LiCoO2",
        chemical_diffusivity_cm2_s=1e-12,
        diffusivity_activation_energy_eV=0.3,
    )
    without, found, warm = (
        impedance_result(one, records_of(one, LiCoO2=record), samples=0).states[0]
        for one, record in (
            (cell, shipped("LiCoO2", chemical_diffusivity_cm2_s=None)),
            (cell, diffusing),
            (at_conditions(cell, None, 350.0), diffusing),
        )
    )
    assert found.dc_resistance_ohm_cm2 == pytest.approx(without.dc_resistance_ohm_cm2, rel=1e-9)
    (process,) = [one for one in found.processes if one.name == "solid diffusion"]
    assert process.resistance_ohm_cm2 is not None
    assert process.capacitance_uF_cm2 is not None
    time = 3.0 * process.resistance_ohm_cm2 * process.capacitance_uF_cm2 * 1e-6
    assert time == pytest.approx((300e-7) ** 2 / 1e-12, rel=1e-9)
    # what it takes up: dQ/dV of its curve, of 3.11e22 ions per cm3 and formula
    slope = -(shipped_voltage(0.7005) - shipped_voltage(0.6995)) / 0.001
    charge = 1.602176634e-19 * 3.11e22 * 300e-7
    assert process.capacitance_uF_cm2 * 1e-6 == pytest.approx(charge / slope, rel=3e-3)
    s = 2j * np.pi * np.array(found.frequency_Hz)
    root = np.sqrt(s * time)
    warburg = 3.0 * process.resistance_ohm_cm2 / np.tanh(root) / root
    z, plain = (
        np.array(one.z_real_ohm_cm2) + 1j * np.array(one.z_imag_ohm_cm2) for one in (found, without)
    )
    # in series, but for the share that the double layer takes
    slow = np.array(found.frequency_Hz) < 0.01
    assert np.max(np.abs(z / (plain + warburg) - 1.0)[slow]) < 3e-3
    (faster,) = [one for one in warm.processes if one.name == "solid diffusion"]
    assert faster.resistance_ohm_cm2 is not None
    kelvin = 8.617333262e-5
    assert process.resistance_ohm_cm2 / faster.resistance_ohm_cm2 == pytest.approx(
        np.exp(0.3 / kelvin * (1 / 300 - 1 / 350)), rel=1e-6
    )


def shipped_voltage(content: float) -> float:
    from interohm.prediction.electrodes import electrode_state

    return float(electrode_state(shipped("LiCoO2"), content).voltage_V)


def test_a_diffusivity_needs_to_know_how_many_ions_there_are() -> None:
    with pytest.raises(InputError, match="needs space_charge"):
        shipped("LiIn", chemical_diffusivity_cm2_s=1e-9)
    with pytest.raises(InputError, match="needs chemical_diffusivity_cm2_s"):
        shipped("LiCoO2", chemical_diffusivity_cm2_s=None, diffusivity_activation_energy_eV=0.3)


def test_intervals_are_those_of_the_cells_samples() -> None:
    cell = cell_of(GARNET)
    materials = records_of(cell)
    (state,) = impedance_result(cell, materials, samples=60, frequency_Hz=FREQUENCIES).states
    (whole,) = cell_document(cell, materials, samples=60)["states"]
    assert state.quantiles is not None
    expected = whole["quantiles"]["area_specific_resistance_ohm_cm2"]
    for name, value in (state.quantiles.dc_resistance_ohm_cm2 or {}).items():
        assert value == pytest.approx(expected[name], rel=1e-4)
    for sign, curve, spread in (
        (1.0, state.z_real_ohm_cm2, state.quantiles.z_real_ohm_cm2),
        (-1.0, state.z_imag_ohm_cm2, state.quantiles.z_imag_ohm_cm2),
    ):
        assert spread is not None
        low, high = (np.array(spread[name], dtype=float) for name in ("p05", "p95"))
        assert len(low) == len(curve)
        assert np.all(low <= high)
        assert np.all(sign * low >= 0.0)
    assert len(state.quantiles.process_resistance_ohm_cm2) == len(state.processes)
    (alone,) = impedance_result(cell, materials, samples=0, frequency_Hz=FREQUENCIES).states
    assert alone.quantiles is None
    assert alone.z_real_ohm_cm2 == pytest.approx(state.z_real_ohm_cm2, rel=1e-12)


def test_a_coating_that_hardly_conducts_is_a_capacitor() -> None:
    """Its resistance is beyond all others', whose digits must not go with it."""
    cell = cell_of([("Li", 2e4), ("LiF", 5), ("LLZO", 2e4), ("LiCoO2", 5e4)])
    positive = shipped("LiCoO2", chemical_diffusivity_cm2_s=None)
    (state,) = impedance_result(cell, records_of(cell, LiCoO2=positive), samples=0).states
    assert state.dc_resistance_ohm_cm2 is not None
    assert state.dc_resistance_ohm_cm2 > 1e40
    (bulk,) = [one for one in state.processes if one.name == "bulk"]
    place = int(np.argmin(np.abs(np.log(np.array(state.frequency_Hz) / 1e3))))
    assert state.z_real_ohm_cm2[place] == pytest.approx(bulk.resistance_ohm_cm2, rel=5e-3)
    assert state.circuit.series_capacitance_uF_cm2 == pytest.approx(1.58, rel=0.02)
    largest = max(state.circuit.poles, key=lambda pole: pole.resistance_ohm_cm2)
    assert largest.process == "bulk, LLZO"


def test_derivatives_with_the_numbers_of_the_records() -> None:
    cell = cell_of([("Li", 200), ("LLZO", 2000), ("LiIn", 300)])
    materials = records_of(cell)
    frequency = np.geomspace(1e-1, 1e7, 9)
    cell = cell.model_copy(update={"contacts": [Contact(), Contact()]})
    found = record_gradient(cell, materials, 0, frequency)
    assert ("LLZO", "dielectric_constant") in found.fields
    (nominal,) = impedance_result(cell, materials, samples=0, frequency_Hz=frequency).states
    z = np.array(nominal.z_real_ohm_cm2) + 1j * np.array(nominal.z_imag_ohm_cm2)
    assert found.impedance_ohm_cm2 == pytest.approx(z, rel=1e-5)
    llzo = materials[1]
    assert isinstance(llzo, Insulator)
    document = material_document(llzo)

    def moved(path: str, value: float) -> np.ndarray:
        changed = {**document, path: {**document[path], "value": value}}
        record = material_from(changed, where="test")
        (state,) = impedance_result(
            cell, [materials[0], record, materials[2]], samples=0, frequency_Hz=frequency
        ).states
        return np.array(state.z_real_ohm_cm2) + 1j * np.array(state.z_imag_ohm_cm2)

    for path in ("neutral_potential_V", "neutral_formation_energy_eV", "dielectric_constant"):
        quantity = getattr(llzo, path)
        step = 3e-4 if path.startswith("neutral") else 1e-3 * quantity.value
        ends = (moved(path, quantity.value + sign * step) for sign in (1.0, -1.0))
        slope = np.subtract(*ends) / (2.0 * step)
        width = quantity.uncertainty
        if path == "dielectric_constant":
            width = quantity.value * np.sqrt(np.log1p((width / quantity.value) ** 2))
        own = found.gradient_ohm_cm2[found.fields.index(("LLZO", path))]
        assert np.max(np.abs(own - slope * width) / np.abs(z)) < 2e-4


def test_conditions_and_frequencies() -> None:
    cell = cell_of(GARNET, states_of_charge=[0.2, 0.8])
    assert at_conditions(cell, 0.5, 350.0).states_of_charge == [0.5]
    assert at_conditions(cell, None, 350.0).temperature_K == 350.0
    control = {"LLZO": {"fermi_level": {"extrinsic_mu_eV": [-1.0, -2.0]}}}
    controlled = cell_of(GARNET, states_of_charge=[0.2, 0.8], given=control)
    level = at_conditions(controlled, 0.8, None).layers[1].fermi_level
    assert level.extrinsic_mu_eV == -2.0  # type: ignore[union-attr]
    with pytest.raises(InputError, match="not one of them"):
        at_conditions(controlled, 0.5, None)
    assert frequencies_Hz(1e-3, 1e7, 10).size == 101
    for wrong in ((1.0, 1.0, 10), (1e3, 1.0, 10), (1.0, 1e3, 0), (1.0, 1e3, 1e9), (0.0, 1.0, 10)):
        with pytest.raises(InputError, match="LOW:HIGH:PER_DECADE"):
            frequencies_Hz(*wrong)
    for given in ([3.0, 1.0], [1.0], ["a", "b"], [[1.0, 2.0]], [1.0, 1e20], [1.0, np.nan]):
        with pytest.raises(InputError, match="give at least two"):
            checked_frequencies(given)  # type: ignore[arg-type]
