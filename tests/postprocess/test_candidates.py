"""Which site a defect takes, in which charge, and what a larger supercell says of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Structure

from interohm.postprocess.calculation import Calculation
from interohm.postprocess.candidates import (
    Comparison,
    DefectCandidate,
    LargerCell,
    choose,
    levels_between,
    require_relaxed,
)
from interohm.postprocess.reservoirs import chemical_potentials


@pytest.fixture(scope="module")
def against(calculations: dict[str, Calculation]) -> Comparison:
    bulk = calculations["Li1F1 static 0"]
    return Comparison(
        bulk=bulk,
        supercell=calculations["Li32F32 static 0"],
        chemical_potentials_eV=chemical_potentials(bulk, calculations["Li1 static 0"], "Li"),
        dielectric_constant=9.0,
    )


@pytest.fixture(scope="module")
def vacancy(calculations: dict[str, Calculation]) -> DefectCandidate:
    """The lithium vacancy in 64 atoms, and the same in 128."""
    perfect, flawed = calculations["Li64F64 static 0"], calculations["Li63F64 relax -1"]
    small = calculations["Li31F32 relax -1"]
    return DefectCandidate(
        name="V_Li",
        element="Li",
        change=-1,
        ion_change=-1,
        sites_per_cell=4,
        conventional_volume_A3=67.0,
        position=hole(calculations["Li32F32 static 0"], small),
        calculation=small,
        larger=LargerCell(perfect, flawed, hole(perfect, flawed)),
    )


def hole(perfect: Calculation, flawed: Calculation) -> np.ndarray:
    """The site that the unrelaxed vacancy lacks."""
    whole, rest = perfect.final_structure, Structure.from_dict(flawed.initial_structure)
    away = whole.lattice.get_all_distances(whole.frac_coords, rest.frac_coords).min(axis=1)
    return whole.frac_coords[int(away.argmax())]


def test_the_larger_supercell_counts(vacancy: DefectCandidate, against: Comparison) -> None:
    (chosen,), tried = choose([vacancy], against)
    (entry,) = tried["V_Li"]
    small, large = entry["formation_energy_eV"], entry["larger_supercell"]["formation_energy_eV"]
    assert chosen.energy_eV == pytest.approx(large, abs=1e-4)
    assert chosen.size_error_eV == pytest.approx(abs(large - small), abs=2e-4)
    assert 0.001 < chosen.size_error_eV < 0.03
    assert entry["larger_supercell"]["atoms"] == 128
    (alone,), _ = choose([replace(vacancy, larger=None)], against)
    assert alone.size_error_eV == 0
    assert alone.energy_eV == pytest.approx(small, abs=1e-4)


def test_a_step_of_size_is_that_of_the_site_that_was_repeated(
    vacancy: DefectCandidate, against: Comparison
) -> None:
    """If another site comes out lowest, it moves by what the repeated one moved."""
    lower = vacancy.calculation.model_copy(
        update={"energy_eV": vacancy.calculation.energy_eV - 0.1}
    )
    rival = replace(vacancy, calculation=lower, larger=None)
    (alone,), _ = choose([vacancy], against)
    (chosen,), tried = choose([vacancy, rival], against)
    assert len(tried["V_Li"]) == 2
    assert chosen.candidate is rival
    assert chosen.energy_eV == pytest.approx(alone.energy_eV - 0.1, abs=1e-6)


def test_forces_above_the_tolerance_make_no_defect(
    vacancy: DefectCandidate, against: Comparison
) -> None:
    tolerance = vacancy.calculation.settings["relaxation"]["force_tolerance_eV_A"]
    require_relaxed(vacancy.calculation)
    restless = vacancy.calculation.model_copy(update={"max_force_eV_A": 1.5 * tolerance})
    with pytest.raises(ValueError, match="not relaxed"):
        choose([replace(vacancy, calculation=restless)], against)
    assert vacancy.larger is not None
    larger = replace(
        vacancy.larger,
        calculation=vacancy.larger.calculation.model_copy(update={"max_force_eV_A": 1.0}),
    )
    with pytest.raises(ValueError, match="not relaxed"):
        choose([replace(vacancy, larger=larger)], against)


def test_an_element_without_a_reservoir(vacancy: DefectCandidate, against: Comparison) -> None:
    unknown = replace(vacancy, element="Mg", change=1, replaced="Li")
    with pytest.raises(ValueError, match="chemical potential of Mg"):
        choose([unknown], against)


def test_levels_of_several_charge_states(vacancy: DefectCandidate, against: Comparison) -> None:
    """The crossing of two straight lines; the neutral one is the same cell without its charge."""
    ionic = replace(vacancy, name="V_Li_-1", sublattice="V_Li", larger=None)
    (charged,), _ = choose([ionic], against)
    bare = replace(
        ionic,
        name="V_Li_+0",
        calculation=vacancy.calculation.model_copy(update={"charge": 0}),
    )
    (neutral,), _ = choose([bare], against)
    chosen, _ = choose([ionic, bare], against)
    (level,) = levels_between(chosen)["V_Li"]
    assert (level["from_charge"], level["to_charge"]) == (0, -1)
    assert level["level_eV"] == pytest.approx(charged.energy_eV - neutral.energy_eV, abs=1e-4)
    assert levels_between([charged]) == {}
