"""Surface energies and levels of the shipped slabs of lithium."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from interohm.postprocess.calculation import Calculation, PlanarPotential
from interohm.postprocess.levels import work_function
from interohm.postprocess.surfaces import (
    SlabSize,
    Surface,
    next_size,
    surface_energy,
    survey,
    with_survey,
)
from interohm.records import Insulator, Metal, load_material
from interohm.records.shipped import shipped_material, shipped_names

CONFIGS = Path(__file__).parents[2] / "configs"
LATTICE = Lattice.cubic(3.4367)
Make = Callable[..., Calculation]


def shipped(name: str) -> tuple[Metal, Calculation, Calculation]:
    """A record of lithium with its bulk and its slab."""
    record = load_material(CONFIGS / "materials" / f"{name}.yaml")
    assert isinstance(record, Metal)
    bulk, slab = (read(record.provenance["calculations"][role]) for role in ("bulk", "slab"))
    return record, bulk, slab


def read(hash: str) -> Calculation:
    path = CONFIGS / "calculations" / f"{hash}.json.gz"
    return Calculation.model_validate_json(gzip.decompress(path.read_bytes()))


def surface(facet: tuple[int, int, int], *slabs: Calculation, termination: str = "Li") -> Surface:
    series = [SlabSize(20 + 3 * place, 15, slab) for place, slab in enumerate(slabs)]
    return Surface(facet, termination, "I", 2.43, series)


# Tran et al., Sci. Data 3, 160080 (2016), PBE: (100) 0.46, (110) 0.50 J/m2.
@pytest.mark.parametrize(("name", "published"), [("Li_100", 0.46), ("Li_110", 0.50)])
def test_surface_energy_of_lithium(name: str, published: float) -> None:
    _, bulk, slab = shipped(name)
    assert surface_energy(slab, bulk) == pytest.approx(published, abs=0.04)
    other = bulk.model_copy(update={"settings": {**bulk.settings, "cutoff_eV": 400}})
    assert surface_energy(slab, other) is None


def test_excess_atoms_come_from_their_reservoir(make_calculation: Make) -> None:
    settings = {"xc": "PBE", "cutoff_eV": 500}
    pair = Structure(Lattice.cubic(4), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    bulk = make_calculation(pair, energy_eV=-10.0, settings=settings)
    slab = pair.copy()
    slab.append("Li", [0.5, 0.5, 0])
    rich = make_calculation(slab, energy_eV=-11.0, settings=settings)
    assert surface_energy(rich, bulk) is None
    energy = surface_energy(rich, bulk, {"Li": -2.0, "F": -8.0})
    assert energy == pytest.approx((-11.0 + 12.0) / 32 * 16.02176634)


def test_the_stable_surface_and_the_mean_over_the_crystal() -> None:
    record, bulk, cube = shipped("Li_100")
    _, _, rhomb = shipped("Li_110")
    seen = survey([surface((1, 0, 0), cube), surface((1, 1, 0), rhomb)], bulk, LATTICE)
    assert sum(seen.area_fractions) == pytest.approx(1)
    assert min(seen.area_fractions) > 0.1
    assert seen.stable.slab is cube
    same = with_survey(record, seen, level="stable", tolerance_eV=None)
    assert same.states == record.states
    rows = {tuple(entry["facet"]): entry for entry in same.provenance["surfaces"]}
    for facet, slab in (((1, 0, 0), cube), ((1, 1, 0), rhomb)):
        assert rows[facet]["level_eV"] == pytest.approx(work_function(slab), abs=1e-4)
    mean = with_survey(record, seen, level="wulff", tolerance_eV=None).states[0].work_function_eV
    levels = np.array([work_function(cube), work_function(rhomb)])
    weights = np.array(seen.area_fractions)
    assert mean.value == pytest.approx(weights @ levels, abs=1e-3)
    spread = np.sqrt(weights @ (levels - weights @ levels) ** 2)
    assert mean.uncertainty == pytest.approx(np.hypot(0.1, spread), abs=1e-3)
    assert "Wulff" in (mean.method or "")


def test_a_worse_termination_of_a_facet_has_no_area() -> None:
    _, bulk, cube = shipped("Li_100")
    _, _, rhomb = shipped("Li_110")
    worse = rhomb.model_copy(update={"energy_eV": rhomb.energy_eV + 0.3})
    three = [surface((1, 0, 0), cube), surface((1, 1, 0), worse), surface((1, 1, 0), rhomb)]
    seen = survey(three, bulk, LATTICE)
    assert seen.area_fractions[1] == 0
    assert seen.energies_J_m2[1] > seen.energies_J_m2[2]


def test_a_crystal_that_would_fall_apart() -> None:
    _, bulk, cube = shipped("Li_100")
    sunk = cube.model_copy(update={"energy_eV": cube.energy_eV - 2.0})
    with pytest.raises(ValueError, match="do not belong together"):
        survey([surface((1, 0, 0), sunk)], bulk, LATTICE)


def test_a_series_that_did_not_settle_says_so() -> None:
    record, bulk, cube = shipped("Li_100")
    assert cube.planar_potential is not None
    potential = PlanarPotential(
        height_A=cube.planar_potential.height_A,
        potential_eV=[v + 0.05 for v in cube.planar_potential.potential_eV],
    )
    moved = cube.model_copy(update={"planar_potential": potential})
    seen = survey([surface((1, 0, 0), cube, moved)], bulk, LATTICE)
    assert seen.stable.last_change_eV(metal=True) == pytest.approx(0.05)
    steady = with_survey(record, seen, level="stable", tolerance_eV=0.06)
    assert steady.states[0].work_function_eV.uncertainty == 0.1
    assert steady.provenance["surfaces"][0]["converged"] is True
    loose = with_survey(record, seen, level="stable", tolerance_eV=0.02)
    assert loose.states[0].work_function_eV.uncertainty == pytest.approx(
        np.hypot(0.1, 0.05), abs=1e-3
    )
    assert "50 meV in the last step" in (loose.states[0].work_function_eV.method or "")
    series = loose.provenance["surfaces"][0]["series"]
    assert [row["thickness_A"] for row in series] == [20, 23]
    assert series[1]["level_eV"] - series[0]["level_eV"] == pytest.approx(0.05, abs=1e-4)


def test_first_the_slab_grows_then_the_vacuum() -> None:
    def run(levels: list[float | None], tolerance_eV: float = 0.02) -> list[tuple[float, float]]:
        history: list[tuple[float, float, float | None]] = [(10.0, 12.0, levels[0])]
        for level in [*levels[1:], None]:
            size = next_size(history, tolerance_eV, 2.0)
            if size is None:
                break
            history.append((*size, level))
        return [(thickness, vacuum) for thickness, vacuum, _ in history]

    # Settled at the first try: one more layer, one wider vacuum, and the end.
    assert run([3.0, 3.01, 3.0]) == [(10, 12), (12, 12), (12, 16)]
    # Each waits for the one before.
    assert run([3.0, 3.1, 3.11, 3.2, 3.21]) == [(10, 12), (12, 12), (14, 12), (14, 16), (14, 20)]
    # A series that has ended repeats its last slab, and stays ended.
    assert next_size([(12, 16, 3.0), (12, 16, 3.0)], 0.02, 2.0) is None
    # Unknown levels count as moving.
    assert run([None, None]) == [(10, 12), (12, 12), (14, 12)]


def test_a_relaxed_surface_keeps_the_one_as_cut() -> None:
    """Both levels and energies stand in the record; the relaxed one counts."""
    record, bulk, cube = shipped("Li_100")
    relaxed = cube.model_copy(
        update={
            "hash": "f" * 64,
            "energy_eV": cube.energy_eV - 0.02,
            "fermi_level_eV": cube.fermi_level_eV + 0.05,
        }
    )
    both = replace(surface((1, 0, 0), relaxed), as_cut=cube)
    seen = survey([both], bulk, LATTICE)
    (entry,) = with_survey(record, seen, level="stable", tolerance_eV=None).provenance["surfaces"]
    assert entry["calculation"] == relaxed.hash
    assert entry["as_cut"]["calculation"] == cube.hash
    assert entry["as_cut"]["level_eV"] - entry["level_eV"] == pytest.approx(0.05, abs=1e-4)
    gain = entry["as_cut"]["surface_energy_J_m2"] - entry["surface_energy_J_m2"]
    area_A2 = LATTICE.a**2
    assert gain == pytest.approx(0.02 / (2 * area_A2) * 16.02176634, abs=2e-4)


RELAXED = [
    record
    for name in shipped_names()
    if "as_cut" in (record := shipped_material(name)).provenance.get("surfaces", [{}])[0]
]


@pytest.mark.parametrize("record", RELAXED, ids=lambda record: record.name)
def test_relaxing_costs_no_energy(record: Insulator) -> None:
    (entry,) = record.provenance["surfaces"]
    before = entry["as_cut"]
    assert 0 < entry["surface_energy_J_m2"] <= before["surface_energy_J_m2"]
    # Atoms move by tenths of an ångström, and the level by less than the gap.
    assert abs(entry["level_eV"] - before["level_eV"]) < record.band_gap_eV.value
    assert record.provenance["calculations"]["slab"] == entry["calculation"]
