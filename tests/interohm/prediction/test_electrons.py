"""Barriers for electrons in a cell, and what leaks over them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from interohm.device_models import BOLTZMANN_EV_K, RICHARDSON_A_CM2_K2
from interohm.prediction.contact import contact_document
from interohm.prediction.electrons import cell_leakage, contact_electrons
from interohm.prediction.layer_diagram import layer_diagrams
from interohm.prediction.solved_cell import solve_state
from interohm.records import material_document, material_from
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material

LAYERS = [
    {"material": "Li", "thickness_nm": 1e4},
    {"material": "LiF", "thickness_nm": 5.0},
    {"material": "LLZO", "thickness_nm": 2e4},
    {"material": "LiCoO2", "thickness_nm": 1e4},
]


def solved(layers, contacts=None):
    cell = Cell.model_validate(
        {"name": "levels", "states_of_charge": [1.0], "layers": layers, "contacts": contacts}
    )
    materials = [shipped_material(layer.material) for layer in cell.layers]
    state = solve_state(cell, materials, 0)
    return state, layer_diagrams(state)


def electrons(state, diagrams):
    return [
        contact_electrons(contact, *pair, 300.0)
        for contact, pair in zip(state.contacts, pairwise(diagrams), strict=True)
    ]


def test_without_space_charge_the_barrier_is_work_function_minus_affinity():
    """Physics.md, section 3: an identity."""
    thick = [LAYERS[0], *LAYERS[2:]]
    state, _ = solved(thick)
    drops = [float(contact.potential_drop_V) for contact in state.contacts]
    flat, diagrams = solved(thick, [{"dipole_V": drop} for drop in drops])
    first, last = electrons(flat, diagrams)
    garnet = shipped_material("LLZO")
    affinity = garnet.ionization_potential_eV.value - garnet.band_gap_eV.value
    # vacuum levels aligned but for the dipole, which lowers the right side's by Delta
    lithium, cobaltate = 2.93, 5.3
    assert first["electron_barrier_eV"] == pytest.approx(lithium - affinity - drops[0], abs=1e-9)
    assert last["electron_barrier_eV"] == pytest.approx(cobaltate - affinity + drops[1], abs=1e-9)
    for one in (first, last):
        gap = one["electron_barrier_eV"] + one["hole_barrier_eV"]
        assert gap == pytest.approx(garnet.band_gap_eV.value, abs=1e-9)
        assert one["class"] is None


def test_insulators_have_a_class_and_band_steps():
    state, diagrams = solved(LAYERS)
    _, inner, _ = electrons(state, diagrams)
    left, right = shipped_material("LiF"), shipped_material("LLZO")
    step = -(right.ionization_potential_eV.value - left.ionization_potential_eV.value)
    assert inner["valence_band_step_eV"] == pytest.approx(step, abs=1e-6)
    gap = right.band_gap_eV.value - left.band_gap_eV.value
    assert inner["conduction_band_step_eV"] == pytest.approx(step + gap, abs=1e-6)
    # LiF's gap spans LLZO's or they are staggered: by the signs of the two steps
    straddles = inner["valence_band_step_eV"] * inner["conduction_band_step_eV"] < 0
    assert inner["class"].startswith("I (") == straddles
    assert inner["electron_barrier_eV"] is None


def test_leakage_goes_over_the_highest_point():
    state, diagrams = solved(LAYERS)
    fields = electrons(state, diagrams)
    levels = fields[0]
    thermal = BOLTZMANN_EV_K * 300.0
    over_contact = RICHARDSON_A_CM2_K2 * 9e4 * np.exp(-levels["electron_barrier_eV"] / thermal)
    assert levels["leakage_A_cm2"] <= over_contact * (1 + 1e-9)
    whole = cell_leakage(state, diagrams, 300.0)
    top = max(np.nanmax(one.conduction_band_eV) for one in diagrams[1:-1])
    assert whole["electron_barrier_eV"] == pytest.approx(top - diagrams[0].fermi_level_eV[0])
    assert whole["electron_barrier_eV"] >= levels["electron_barrier_eV"] - 1e-12
    assert whole["current_A_cm2"] > 0.0
    lowest = min(np.nanmin(one.valence_band_eV) for one in diagrams[1:-1])
    assert whole["hole_barrier_eV"] == pytest.approx(diagrams[-1].fermi_level_eV[0] - lowest)


def test_electrons_and_holes_leak_through_a_cell_by_their_own_barriers_and_masses():
    """Flat bands, so narrow that both count: the barriers add up to the gap less the voltage."""
    own = {"band_gap_eV": 5.82, "electron_effective_mass": 0.3, "hole_effective_mass": 0.7}
    garnet = material_from(material_document(shipped_material("LLZO")) | own, where="test")

    def leakage(positive, dipoles_V):
        names = ("Li", "LLZO", positive)
        fields = {
            "name": "flat",
            "states_of_charge": [1.0],
            "electrons": False,
            "layers": [{"material": name, "thickness_nm": 2e4} for name in names],
            "contacts": [{"dipole_V": value} for value in dipoles_V],
        }
        materials = [shipped_material("Li"), garnet, shipped_material(positive)]
        state = solve_state(Cell.model_validate(fields), materials, 0)
        return cell_leakage(state, layer_diagrams(state), 300.0)

    neutral_V, voltage_V = 1.62163634225, 4.1615
    # phi of the positive electrode, Phi_neg − Phi_pos + V_OC, less the garnet's
    other_V = 2.93 - 5.3 + voltage_V - neutral_V
    found = leakage("LiCoO2", [neutral_V, other_V])
    electron_eV = 2.93 - (6.3 - 5.82) - neutral_V
    hole_eV = 5.82 - voltage_V - electron_eV
    assert found["electron_barrier_eV"] == pytest.approx(electron_eV, abs=1e-6)
    assert found["hole_barrier_eV"] == pytest.approx(hole_eV, abs=1e-6)
    thermal = BOLTZMANN_EV_K * 300.0
    shares = 0.3 * np.exp(-electron_eV / thermal), 0.7 * np.exp(-hole_eV / thermal)
    assert min(shares) > 0.2 * max(shares)
    assert found["current_A_cm2"] == pytest.approx(120.173229 * 9e4 * sum(shares), rel=1e-4)
    # the same electrode twice: no voltage, and nothing leaks in sum
    idle = leakage("Li", [neutral_V, -neutral_V])
    assert idle["electron_barrier_eV"] == pytest.approx(electron_eV, abs=1e-6)
    assert idle["current_A_cm2"] == 0.0


def test_a_single_contact_meets_the_same_barriers_as_in_a_cell():
    thick = [LAYERS[0], *LAYERS[2:]]
    state, diagrams = solved(thick)
    in_cell = electrons(state, diagrams)
    garnet, cobaltate = shipped_material("LLZO"), shipped_material("LiCoO2")
    first = contact_document(shipped_material("Li"), garnet, samples=0)["electrons"]
    last = contact_document(garnet, cobaltate, state_of_charge=1.0, samples=0)["electrons"]
    for alone, within in zip((first, last), in_cell, strict=True):
        for field in ("electron_barrier_eV", "hole_barrier_eV"):
            assert alone[field] == pytest.approx(within[field], abs=1e-9)
        assert alone["leakage_A_cm2"] == pytest.approx(within["leakage_A_cm2"], rel=1e-6)
    fluoride = shipped_material("LiF")
    pair = contact_document(fluoride, garnet, thickness_nm=5.0, samples=0)["electrons"]
    assert pair["class"] == electrons(*solved(LAYERS))[1]["class"]
