"""Ordered vacancies: what an independent count finds, and what is known of LixCoO2."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.errors import InputError
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.electrodes import ion_content_of, ordered_vacancies

STRUCTURES = Path(__file__).parents[2] / "configs" / "structures"


@pytest.fixture(scope="module")
def layered() -> Structure:
    return Crystal.from_structure(Structure.from_file(STRUCTURES / "LiCoO2.cif")).primitive


def test_half_filled_layers_come_as_rows_and_as_every_other_layer(layered: Structure) -> None:
    rows, shifted_rows, every_other_layer = ordered_vacancies(layered, "Li", 0.5, most_units=2)
    # Rows within the layers, the monoclinic cell of Li0.5CoO2 (Reimers and Dahn, 1992: 4.87, 2.81,
    # 5.06 Å, 108.7°), keep the ions farthest apart.
    assert SpacegroupAnalyzer(rows).get_space_group_symbol() == "P2/m"
    assert rows.lattice.abc == pytest.approx((2.816, 4.877, 4.958), abs=1e-3)
    assert rows.lattice.alpha == pytest.approx(109.1, abs=0.1)
    assert SpacegroupAnalyzer(shifted_rows).get_space_group_symbol() == "C2/m"
    assert SpacegroupAnalyzer(every_other_layer).get_space_group_symbol() == "R-3m"
    assert {ion_content_of(rows, "Li"), ion_content_of(every_other_layer, "Li")} == {0.5}
    assert rows.composition.get_el_amt_dict() == {"Li": 1, "Co": 2, "O": 4}


@pytest.mark.parametrize(("ion_content", "sites"), [(1.0, 4), (0.0, 3)])
def test_a_full_and_an_empty_host_have_one_structure(
    layered: Structure, ion_content: float, sites: int
) -> None:
    (only,) = ordered_vacancies(layered, "Li", ion_content, most_units=2)
    assert len(only) == sites


def test_orders_on_a_face_centred_lattice_are_as_many_as_published() -> None:
    # One site of two, three and four: as many as superlattices that differ, 2, 3 and 7
    # (Hart and Forcade, Phys. Rev. B 77, 224115 (2008)).
    rock_salt = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.0), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    ).get_primitive_structure()
    counts = {
        content: len(ordered_vacancies(rock_salt, "Li", content, most_units=units))
        for content, units in ((1 / 2, 2), (1 / 3, 3), (1 / 4, 4))
    }
    assert counts == {1 / 2: 2, 1 / 3: 3, 1 / 4: 7}


def test_an_ion_content_that_no_small_cell_has_is_refused(layered: Structure) -> None:
    with pytest.raises(InputError, match=r"no cell of up to 2 formula units"):
        ordered_vacancies(layered, "Li", 0.3, most_units=2)
    with pytest.raises(InputError, match="outside"):
        ordered_vacancies(layered, "Li", 1.5, most_units=2)


def test_metal_is_no_host() -> None:
    metal = Structure(Lattice.cubic(3.4), ["Li"], [[0, 0, 0]])
    with pytest.raises(InputError, match="not Li in a host"):
        ion_content_of(metal, "Li")
