"""The finite-size correction against what is known exactly."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from interohm.postprocess.calculation import Calculation
from interohm.postprocess.corrections import (
    point_charge_correction,
    point_charge_potential,
    site_alignment,
)
from interohm.records import Insulator, load_material

CONFIGS = Path(__file__).parents[2] / "configs"
COULOMB = 14.399645478
Make = Callable[..., Calculation]


@pytest.mark.parametrize(
    ("lattice", "constant"),
    [
        (Lattice.cubic(1.0), 2.837297),  # Wigner's constants: simple, face- and body-centred
        (Lattice([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]), 4.584862),
        (Lattice([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]), 3.639233),
    ],
)
def test_madelung_constants(lattice: Lattice, constant: float) -> None:
    own = point_charge_potential(lattice.matrix * 7.0, np.zeros((1, 3)))[0]
    assert own == pytest.approx(-constant * COULOMB / 7.0, rel=1e-6)


def test_the_potential_averages_to_zero_and_repeats() -> None:
    lattice = np.array([[6.0, 0, 0], [1.5, 5.0, 0], [0, -1.0, 7.0]])
    counts = 14
    shifted = (np.indices((counts,) * 3).reshape(3, -1).T + 0.5) / counts
    potential = point_charge_potential(lattice, shifted @ lattice)
    # The midpoint rule leaves the curvature around the singular point.
    assert abs(potential.mean()) < 0.01 * np.abs(potential).max()
    moved = point_charge_potential(lattice, (shifted[:5] + np.array([1, -2, 3])) @ lattice)
    assert moved == pytest.approx(potential[:5], abs=1e-9)


def test_correction_falls_as_one_over_length_and_is_positive() -> None:
    values = [point_charge_correction(np.eye(3) * length, 1, 9.0) for length in (8.0, 16.0, 32.0)]
    assert values[0] == pytest.approx(2.837297 * COULOMB / (2 * 9 * 8), rel=1e-6)
    assert values[0] / values[1] == pytest.approx(2)
    assert values[1] / values[2] == pytest.approx(2)
    assert point_charge_correction(np.eye(3) * 8, -2, 9.0) == pytest.approx(4 * values[0])


def gaussian_cell(
    make: Make, length_A: float, charge: int, width_A: float, eps: float
) -> tuple[float, Calculation, Calculation]:
    """A smeared charge in a dielectric cube: its energy, and the cells without and with it."""
    integers = np.stack(np.meshgrid(*[np.arange(-14, 15)] * 3, indexing="ij"), -1).reshape(-1, 3)
    waves = integers[np.any(integers != 0, axis=1)] * 2 * np.pi / length_A
    square = (waves**2).sum(axis=1)
    kernel = COULOMB * 4 * np.pi / (length_A**3 * square * eps)
    energy = 0.5 * charge**2 * float((kernel * np.exp(-square * width_A**2)).sum())
    grid = np.stack(np.meshgrid(*[np.arange(4) / 4] * 3, indexing="ij"), -1).reshape(-1, 3)
    structure = Structure(Lattice.cubic(length_A), ["Li"] * len(grid), grid)
    phase = np.cos(structure.cart_coords @ waves.T)
    potential = -charge * phase @ (kernel * np.exp(-square * width_A**2 / 2))
    perfect = make(structure)
    flawed = make(structure, charge=charge, site_potentials_eV=potential.tolist())
    return energy, perfect, flawed


@pytest.mark.parametrize("charge", [1, -1, 2])
def test_every_cell_size_gives_the_isolated_charge(make_calculation: Make, charge: int) -> None:
    width, eps = 0.9, 5.0
    isolated = charge**2 * COULOMB / (2 * eps * width * np.sqrt(np.pi))
    bare, corrected = [], []
    for length in (10.0, 12.0, 14.0):
        energy, perfect, flawed = gaussian_cell(make_calculation, length, charge, width, eps)
        shift = site_alignment(perfect, flawed, np.zeros(3), eps).shift_eV
        lattice = perfect.final_structure.lattice.matrix
        bare.append(energy)
        corrected.append(energy + point_charge_correction(lattice, charge, eps) + charge * shift)
    assert corrected == pytest.approx([isolated] * 3, abs=2e-3)
    # Without the correction the largest cell is still far off, and without the alignment's sign
    # the smallest one would be.
    assert isolated - bare[-1] > 0.25 * charge**2


def test_a_constant_offset_is_the_alignment(make_calculation: Make) -> None:
    _, perfect, flawed = gaussian_cell(make_calculation, 12.0, -1, 0.5, 8.0)
    before = site_alignment(perfect, flawed, np.zeros(3), 8.0)
    moved = flawed.model_copy(
        update={"site_potentials_eV": [value + 0.3 for value in flawed.site_potentials_eV]}
    )
    after = site_alignment(perfect, moved, np.zeros(3), 8.0)
    assert after.shift_eV - before.shift_eV == pytest.approx(0.3)
    assert after.sites == before.sites > 10


def test_cells_of_different_size_do_not_compare(make_calculation: Make) -> None:
    _, perfect, _ = gaussian_cell(make_calculation, 12.0, 1, 0.9, 8.0)
    _, _, flawed = gaussian_cell(make_calculation, 12.1, 1, 0.9, 8.0)
    with pytest.raises(ValueError, match="differ"):
        site_alignment(perfect, flawed, np.zeros(3), 8.0)


@pytest.mark.parametrize(
    ("name", "pair", "anion_vacancy"),
    [("LiF_001", "Li31F31 relax 0", "V_F"), ("LiCl_001", "Li31Cl31 relax 0", "V_Cl")],
)
def test_a_neutral_cell_with_both_vacancies_gives_their_corrected_sum(
    calculations: dict[str, Calculation], name: str, pair: str, anion_vacancy: str
) -> None:
    """An independent way to the Schottky energy: no charged cell, no alignment.

    Both vacancies stand as far apart as 64 atoms let them; what is left is the point charges'
    attraction in the dielectric.
    """
    record = load_material(CONFIGS / "materials" / f"{name}.yaml")
    assert isinstance(record, Insulator)
    hash = record.provenance["calculations"]["supercell"]
    path = CONFIGS / "calculations" / f"{hash}.json.gz"
    perfect = Calculation.model_validate_json(gzip.decompress(path.read_bytes()))
    units = len(perfect.final_structure) // 2
    energy = calculations[pair].energy_eV - perfect.energy_eV * (1 - 1 / units)
    lattice = perfect.final_structure.lattice.matrix
    apart = np.array([0.5, 0.5, 0.25]) @ lattice
    own, other = point_charge_potential(lattice, np.stack([np.zeros(3), apart]))
    isolated = energy + (other - own) / record.dielectric_constant.value
    by_name = {defect.name: defect.formation_energy_eV.value for defect in record.defects}
    # Without the correction the sum of the charged cells is 0.2 (LiCl) to 0.5 eV (LiF) lower.
    assert by_name["V_Li"] + by_name[anion_vacancy] == pytest.approx(isolated, abs=0.07)
