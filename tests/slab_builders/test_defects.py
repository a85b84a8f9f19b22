from __future__ import annotations

import numpy as np
import pytest

from interohm.slab_builders.cells import Crystal, supercell
from interohm.slab_builders.defects import (
    defect_position,
    defect_supercell,
    interstitial_sites,
    substitution_sites,
    vacancy_sites,
)

pytestmark = pytest.mark.filterwarnings("ignore:Issues encountered")

MULTIPLES = (2, 2, 2)


@pytest.mark.parametrize("crystal", ["LiF"], indirect=True)
def test_rock_salt_has_a_tetrahedral_interstitial(crystal: Crystal) -> None:
    (site,) = interstitial_sites(crystal.conventional, "Li")
    assert site.sites_per_cell == 8
    assert np.abs(np.array(site.position) % 0.5) == pytest.approx([0.25] * 3)
    structure = defect_supercell(crystal.conventional, site, MULTIPLES)
    assert structure.composition.formula == "Li33 F32"
    near = structure.get_neighbors(structure[-1], 2.0)
    assert sorted(n.specie.symbol for n in near) == ["F"] * 4 + ["Li"] * 4


@pytest.mark.parametrize("crystal", ["Li2O"], indirect=True)
def test_further_candidates_join_unless_they_are_the_same_site(crystal: Crystal) -> None:
    own = interstitial_sites(crystal.conventional, "Li")
    image = np.add(own[0].position, [0.0, 0.0, 1.0])
    assert interstitial_sites(crystal.conventional, "Li", [image]) == own
    more = interstitial_sites(crystal.conventional, "Li", [(0.5, 0.5, 0.25)])
    assert more[:-1] == own
    assert more[-1].sites_per_cell == 24


@pytest.mark.parametrize(
    ("crystal", "element", "sites"), [("LiF", "F", 4), ("Li2O", "Li", 8)], indirect=["crystal"]
)
def test_a_vacancy_takes_one_atom(crystal: Crystal, element: str, sites: int) -> None:
    (site,) = vacancy_sites(crystal.conventional, element)
    assert site.sites_per_cell == sites
    perfect = supercell(crystal.conventional, MULTIPLES)
    flawed = defect_supercell(crystal.conventional, site, MULTIPLES)
    assert len(flawed) == len(perfect) - 1
    assert perfect.composition[element] - flawed.composition[element] == 1
    hole = defect_position(site, MULTIPLES)
    assert flawed.lattice.get_all_distances(hole, flawed.frac_coords).min() > 1.0


@pytest.mark.parametrize("crystal", ["Li3N"], indirect=True)
def test_distinct_sites_of_one_element_are_all_found(crystal: Crystal) -> None:
    assert sorted(s.sites_per_cell for s in vacancy_sites(crystal.conventional, "Li")) == [1, 2]


@pytest.mark.parametrize("crystal", ["LiF"], indirect=True)
def test_a_substitution_takes_a_place(crystal: Crystal) -> None:
    (site,) = substitution_sites(crystal.conventional, "Mg", "Li")
    assert (site.name, site.added, site.sites_per_cell) == ("Mg_Li", {"Mg": 1, "Li": -1}, 4)
    structure = defect_supercell(crystal.conventional, site, MULTIPLES)
    assert structure.composition.formula == "Li31 Mg1 F32"
    place = next(one for one in structure if one.specie.symbol == "Mg").frac_coords
    assert place == pytest.approx(defect_position(site, MULTIPLES))
