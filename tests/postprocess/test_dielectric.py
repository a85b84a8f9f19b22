"""The static dielectric constant from its parts."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from interohm.postprocess.calculation import Calculation
from interohm.postprocess.dielectric import (
    calculated_constant,
    mean_dielectric_constant,
    static_dielectric_tensor,
)
from interohm.postprocess.materials import RelativeUncertainty

LATTICE_CONSTANT_A = 4.06
RESPONSE = Path(__file__).parents[1] / "data" / "calculations" / "response"


def diatomic(charge: float, stiffness_eV_A2: float, **changes: Any) -> Calculation:
    """Two ions on springs: the textbook's rock salt."""
    structure = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(LATTICE_CONSTANT_A), ["Li", "F"], [[0, 0, 0], [0.5] * 3]
    ).get_primitive_structure()
    constants = np.einsum("ab,ij->aibj", [[1, -1], [-1, 1]], stiffness_eV_A2 * np.eye(3))
    document = {
        "hash": "0" * 64,
        "engine": "gpaw",
        "kind": "dielectric",
        "charge": 0,
        "settings": {"xc": "PBE", "cutoff_eV": 500, "kpoints": [4, 4, 4]},
        "initial_structure": structure.as_dict(),
        "structure": structure.as_dict(),
        "energy_eV": -9.0,
        "electrons": 8,
        "fermi_level_eV": 0.0,
        "max_force_eV_A": 0.0,
        "site_potentials_eV": [],
        "ionic_steps": 3,
        "wall_time_s": 1.0,
        "versions": {},
        "response": {
            "electronic": (1.95 * np.eye(3)).tolist(),
            "born_charges": [(sign * charge * np.eye(3)).tolist() for sign in (1, -1)],
            "force_constants_eV_A2": constants.tolist(),
        },
    }
    return Calculation.model_validate(document | changes)


def test_two_ions_on_springs_follow_the_textbook() -> None:
    charge, stiffness = 1.05, 1.84
    tensor = static_dielectric_tensor(diatomic(charge, stiffness))
    # Z²e²/(eps_0 V k) for one mode of reduced mass and force constant k; e/eps_0 = 180.951 V Å.
    ions = 180.9513 * charge**2 / (LATTICE_CONSTANT_A**3 / 4 * stiffness)
    assert np.allclose(tensor, (1.95 + ions) * np.eye(3), atol=1e-3)
    assert mean_dielectric_constant(tensor) == pytest.approx(1.95 + ions, rel=1e-5)


def test_lithium_fluoride_screens_as_measured() -> None:
    (file,) = RESPONSE.glob("*.json.gz")
    calculation = Calculation.model_validate_json(gzip.decompress(file.read_bytes()))
    assert calculation.response is not None
    # Measured: 1.93 at optical frequencies, 9.0 at rest.
    assert np.trace(calculation.response.electronic) / 3 == pytest.approx(1.948, abs=1e-3)
    constant = mean_dielectric_constant(static_dielectric_tensor(calculation))
    assert constant == pytest.approx(8.887, abs=1e-3)
    assert constant == pytest.approx(9.0, rel=0.1)  # the preset's uncertainty


def test_an_error_common_to_all_charges_does_not_count() -> None:
    calculation = diatomic(1.0, 2.0)
    assert calculation.response is not None
    charges = np.array(calculation.response.born_charges) + 0.01 * np.eye(3)
    shifted = calculation.response.model_copy(update={"born_charges": charges.tolist()})
    assert np.allclose(
        static_dielectric_tensor(calculation.model_copy(update={"response": shifted})),
        static_dielectric_tensor(calculation),
    )


def test_the_record_says_what_electrons_contribute() -> None:
    constant = calculated_constant(
        diatomic(1.05, 1.84),
        uncertainty=RelativeUncertainty(fraction=0.1, source="a test"),
        provenance={},
    )
    assert constant.uncertainty == pytest.approx(0.1 * constant.value, abs=1e-3)
    assert "1.950 of it by electrons" in str(constant.source)


def test_an_unstable_crystal_and_another_calculation_are_refused() -> None:
    with pytest.raises(ValueError, match="unstable"):
        static_dielectric_tensor(diatomic(1.0, -0.1))
    with pytest.raises(ValueError, match="no dielectric response"):
        static_dielectric_tensor(diatomic(1.0, 1.0, kind="static", response=None))
