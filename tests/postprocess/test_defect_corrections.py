"""The finite-size correction against what is known exactly."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from interohm.postprocess.calculation import Calculation
from interohm.postprocess.defect_corrections import (
    point_charge_correction,
    point_charge_potential,
    screened_potential,
    site_alignment,
)
from interohm.postprocess.orientation import along_normal, tensor_in
from interohm.records import DielectricQuantity, Insulator, load_material

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


TENSOR = np.array([[4.0, 0.5, 0.0], [0.5, 6.0, -1.0], [0.0, -1.0, 12.0]])


def test_a_tensor_of_a_constant_is_the_constant() -> None:
    lattice = np.array([[6.0, 0, 0], [1.5, 5.0, 0], [0, -1.0, 7.0]])
    places = np.array([[1.0, 0.5, 2.0], [3.0, 3.0, -1.0]])
    plain = screened_potential(lattice, places, 7.0)
    assert screened_potential(lattice, places, 7.0 * np.eye(3)) == pytest.approx(plain, rel=1e-9)
    assert plain == pytest.approx(point_charge_potential(lattice, places) / 7.0)


@pytest.mark.parametrize("edges_A", [(10.0, 12.0, 14.0), (12.0, 12.0, 18.0)])
def test_a_tensor_gives_the_isolated_charge_in_cells_of_all_shapes(
    make_calculation: Make, edges_A: tuple[float, float, float]
) -> None:
    """A smeared charge, its potential summed over waves that the tensor screens one by one."""
    width, charge = 0.9, 1
    integers = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 3, indexing="ij"), -1).reshape(-1, 3)
    waves = integers[np.any(integers != 0, axis=1)] * 2 * np.pi / np.array(edges_A)
    square = (waves**2).sum(axis=1)
    screened = np.einsum("ij,jk,ik->i", waves, TENSOR, waves)
    kernel = COULOMB * 4 * np.pi / (np.prod(edges_A) * screened)
    energy = 0.5 * charge**2 * float((kernel * np.exp(-square * width**2)).sum())
    grid = np.stack(np.meshgrid(*[np.arange(4) / 4] * 3, indexing="ij"), -1).reshape(-1, 3)
    structure = Structure(Lattice.orthorhombic(*edges_A), ["Li"] * len(grid), grid)
    phase = np.cos(structure.cart_coords @ waves.T)
    potential = -charge * phase @ (kernel * np.exp(-square * width**2 / 2))
    perfect = make_calculation(structure)
    flawed = make_calculation(structure, charge=charge, site_potentials_eV=potential.tolist())
    alignment = site_alignment(perfect, flawed, np.zeros(3), TENSOR)
    lattice = structure.lattice.matrix
    corrected = (
        energy + point_charge_correction(lattice, charge, TENSOR) + charge * alignment.shift_eV
    )
    # Alone: 1/eps over all directions of the waves.
    axes = np.random.default_rng(1).normal(size=(400_000, 3))
    axes /= np.linalg.norm(axes, axis=1)[:, None]
    mean = float((1 / np.einsum("ij,jk,ik->i", axes, TENSOR, axes)).mean())
    isolated = charge**2 * COULOMB * mean / (2 * width * np.sqrt(np.pi))
    assert corrected == pytest.approx(isolated, abs=3e-3)
    assert alignment.radius_A == max(edges_A) / 2


@pytest.mark.parametrize(
    ("facet", "expected"),
    [((0, 0, 1), 170.0), ((1, 0, 0), 90.0), ((1, 1, 0), 90.0), ((1, 0, 1), None)],
)
def test_a_contact_sees_the_component_along_its_normal(
    facet: tuple[int, int, int], expected: float | None
) -> None:
    rutile = Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.6, 2.96), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )
    if expected is None:  # the normal of (101): by the angle between the plane and the axis
        slope = 2.96 / 4.6
        expected = (90 * slope**2 + 170) / (slope**2 + 1)
    # A cell that lies otherwise: its longest axis first.
    turn = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
    turned = Structure(Lattice(rutile.lattice.matrix @ turn), rutile.species, rutile.frac_coords)
    constant = DielectricQuantity(
        tensor=(turn.T @ np.diag([90.0, 90.0, 170.0]) @ turn).tolist(),
        uncertainty=7.0,
        method="perturbation theory; a third of the trace",
    )
    found = along_normal(constant, turned, rutile, facet)
    assert found.value == pytest.approx(expected, abs=1e-3)
    assert found.uncertainty == pytest.approx(7 * expected / (350 / 3), abs=1e-3)
    assert found.method.startswith("perturbation theory; along the normal of (")
    assert found.tensor == constant.tensor
    # What was given for itself, or is the same on all sides, stays.
    given_value = constant.model_copy(update={"value": 100.0})
    assert along_normal(given_value, turned, rutile, facet) == given_value
    for same in (DielectricQuantity(value=9.0), DielectricQuantity(tensor=[9.0, 9.0, 9.0])):
        assert along_normal(same, turned, rutile, facet) == same


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_tensor_is_turned_with_its_crystal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rutile = Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.6, 2.96), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    other = Structure(
        Lattice(rutile.lattice.matrix @ turn), rutile.species, rutile.frac_coords
    ) * tuple(int(n) for n in rng.integers(1, 3, size=3))
    tensor = np.diag([90.0, 90.0, 170.0])
    assert tensor_in(tensor, rutile, other) == pytest.approx(turn.T @ tensor @ turn, abs=1e-6)
    assert tensor_in(7.0, rutile, other) == 7.0
    salt = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.07), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    assert tensor_in(np.eye(3) * 9.0, salt, rutile) == pytest.approx(9.0)
    with pytest.raises(ValueError, match="tensor's cell is not that of the supercell"):
        tensor_in(tensor, salt, other)


def test_an_added_atom_is_where_it_relaxed_to(make_calculation: Make) -> None:
    _, perfect, _ = gaussian_cell(make_calculation, 12.0, 1, 0.9, 8.0)
    structure = perfect.final_structure
    added = structure.copy()
    added.append("F", [0.15, 0.13, 0.12])
    potential = [0.0] * len(added)
    cells = [
        make_calculation(added, charge=1, site_potentials_eV=potential),
        make_calculation(perfect.final_structure, charge=1, site_potentials_eV=potential[:-1]),
    ]
    planned, moved = np.array([0.125] * 3), np.array([0.15, 0.13, 0.12])
    own, fixed = (
        site_alignment(perfect, cell, center, 8.0)
        for cell, center in zip(cells, (planned, moved), strict=True)
    )
    assert own == fixed


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
    ("name", "pair", "positive", "apart"),
    [
        ("LiF_001", "Li31F31 relax 0", "V_F", (0.5, 0.5, 0.25)),
        ("LiCl_001", "Li31Cl31 relax 0", "V_Cl", (0.5, 0.5, 0.25)),
        ("Li2S_111", "Li64S32 relax 0", "Li_i", (0.375, 0.375, 0.375)),
    ],
)
def test_a_neutral_cell_with_both_defects_gives_their_corrected_sum(
    calculations: dict[str, Calculation],
    name: str,
    pair: str,
    positive: str,
    apart: tuple[float, float, float],
) -> None:
    """An independent way to the energy of a pair: no charged cell, no alignment.

    Both defects stand as far apart as the supercell lets them; what is left is the point charges'
    attraction in the dielectric.
    """
    record = load_material(CONFIGS / "materials" / f"{name}.yaml")
    assert isinstance(record, Insulator)
    hash = record.provenance["calculations"]["supercell"]
    path = CONFIGS / "calculations" / f"{hash}.json.gz"
    perfect = Calculation.model_validate_json(gzip.decompress(path.read_bytes()))
    both = calculations[pair]
    share = len(both.final_structure) / len(perfect.final_structure)
    energy = both.energy_eV - perfect.energy_eV * share
    lattice = perfect.final_structure.lattice.matrix
    own, other = point_charge_potential(lattice, np.stack([np.zeros(3), np.array(apart) @ lattice]))
    isolated = energy + (other - own) / record.dielectric_constant.value
    by_name = {defect.name: defect.formation_energy_eV.value for defect in record.defects}
    # Without the correction the sum of the charged cells is 0.2 (LiCl) to 0.5 eV (LiF) lower.
    assert by_name["V_Li"] + by_name[positive] == pytest.approx(isolated, abs=0.07)
