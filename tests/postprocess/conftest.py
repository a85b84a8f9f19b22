"""Calculations: a document to vary, and the finished ones of tests/data."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from pymatgen.core import Structure

from interohm.postprocess.calculation import Calculation, PlanarPotential

FOLDER = Path(__file__).parents[1] / "data" / "calculations"


@pytest.fixture
def make_calculation() -> Callable[..., Calculation]:
    """Return a function of a structure and of the fields that matter to a test."""

    def make(structure: Structure, **changes: object) -> Calculation:
        document = {
            "hash": "0" * 64,
            "engine": "gpaw",
            "kind": "static",
            "charge": 0,
            "settings": {},
            "initial_structure": structure.as_dict(),
            "structure": structure.as_dict(),
            "energy_eV": -1.0,
            "electrons": 8.0,
            "fermi_level_eV": 0.5,
            "max_force_eV_A": 0.0,
            "planar_potential": PlanarPotential(height_A=1.0, potential_eV=[0.0, 0.0]),
            "site_potentials_eV": [0.0] * len(structure),
            "ionic_steps": 1,
            "wall_time_s": 1.0,
            "versions": {},
        }
        return Calculation.model_validate({**document, **changes})

    return make


@pytest.fixture(scope="session")
def calculations() -> dict[str, Calculation]:
    """By formula, kind and charge: ``Li31F32 relax -1``."""
    found = {}
    for path in sorted(FOLDER.glob("*/*.json.gz")):
        calculation = Calculation.model_validate_json(gzip.decompress(path.read_bytes()))
        formula = calculation.final_structure.composition.formula.replace(" ", "")
        found[f"{formula} {calculation.kind} {calculation.charge}"] = calculation
    return found
