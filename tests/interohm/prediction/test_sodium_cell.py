"""The shipped sodium cell: another ion, with its own metal as zero, from records to resistances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import interohm.configs
from interohm.prediction.cell import cell_document
from interohm.records import Insulator, Metal
from interohm.records.cell_config import load_cell
from interohm.records.shipped import shipped_material

EXAMPLE = Path(interohm.configs.__file__).parent / "examples" / "sodium-NaF-NASICON-NVP.yaml"


def record(name: str) -> Insulator | Metal:
    material = shipped_material(name)
    assert material is not None
    return material


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    cell = load_cell(EXAMPLE)
    materials = [record(layer.material) for layer in cell.layers]
    return cell_document(cell, materials, samples=20, where=str(EXAMPLE))


def test_its_voltage_is_the_electrode_s(document: dict[str, Any]) -> None:
    voltages = [state["open_circuit_voltage_V"] for state in document["states"]]
    assert voltages == pytest.approx([3.4] * 3)


def test_the_zero_is_the_sodium_of_the_cell(document: dict[str, Any]) -> None:
    """Electrodes' levels differ by their work functions and the voltage, lithium nowhere in it."""
    sodium, positive = record("Na_110"), record("Na3V2P3O12")
    assert isinstance(sodium, Metal)
    assert isinstance(positive, Metal)
    work_functions = [one.states[0].work_function_eV.value for one in (sodium, positive)]
    for state in document["states"]:
        drops = sum(contact["potential_drop_V"] for contact in state["contacts"])
        assert drops == pytest.approx(work_functions[0] - work_functions[1] + 3.4)
        assert [(c["left"], c["right"]) for c in state["contacts"]] == [
            ("Na_110", "NaF_001"),
            ("NaF_001", "Na3Zr2Si2PO12"),
            ("Na3Zr2Si2PO12", "Na3V2P3O12"),
        ]


def test_every_layer_conducts(document: dict[str, Any]) -> None:
    """Sodium passes its fluoride by vacancies, whose number sets what 5 nm of it cost."""
    fluoride = record("NaF_001")
    assert isinstance(fluoride, Insulator)
    (vacancy,) = (defect for defect in fluoride.defects if defect.charge < 0)
    assert vacancy.migration_energy_eV is not None
    for state in document["states"]:
        resistance = state["area_specific_resistance_ohm_cm2"]
        assert resistance is not None
        assert resistance > 0
