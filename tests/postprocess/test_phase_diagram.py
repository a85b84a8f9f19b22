"""Stability windows from total energies: magnesium, gallium and nitrogen, and lithium fluoride."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from pymatgen.analysis.phase_diagram import PhaseDiagram
from pymatgen.core import Composition, Element, Lattice, Structure
from pymatgen.entries.computed_entries import ComputedEntry

from interohm.postprocess.calculation import Calculation
from interohm.postprocess.phase_diagram import (
    comparable,
    entry_of,
    limit_uncertainties,
    stability_window,
)

STABLE = Path(__file__).parents[1] / "data" / "vasp" / "stable_entries_Mg_Ga_N.json"
Make = Callable[..., Calculation]


@pytest.fixture(scope="module")
def entries() -> list[ComputedEntry]:
    return [ComputedEntry.from_dict(entry) for entry in json.loads(STABLE.read_text())]


def energy(entries: list[ComputedEntry], formula: str) -> float:
    """Per formula unit."""
    (entry,) = (e for e in entries if e.composition.reduced_formula == formula)
    units = entry.composition.get_reduced_formula_and_factor()[1]
    return float(entry.energy / units)


def test_a_binary_from_its_metal_to_its_other_element(entries: list[ComputedEntry]) -> None:
    window = stability_window(Composition("Mg3N2"), entries, "Mg", 2)
    formation = energy(entries, "Mg3N2") - 3 * energy(entries, "Mg") - energy(entries, "N2")
    assert window.reduction_V == pytest.approx(0, abs=1e-9)
    assert window.oxidation_V == pytest.approx(-formation / (3 * 2))
    assert (window.reduced_to, window.oxidized_to) == (("Mg",), ("N2",))
    # Nothing has to coexist with a binary for its potentials to be tied.
    (line,) = window.tie_lines
    assert line.compounds == ()
    theirs = PhaseDiagram(
        [e for e in entries if "Ga" not in e.composition]
    ).get_chempot_range_stability_phase(Composition("Mg3N2"), Element("Mg"))[Element("Mg")]
    metal = energy(entries, "Mg")
    ours = sorted(metal - 2 * volts for volts in (window.reduction_V, window.oxidation_V))
    assert sorted(float(mu) for mu in theirs) == pytest.approx(ours)


def test_a_ternary_and_what_it_coexists_with(entries: list[ComputedEntry]) -> None:
    """A ternary put 0.2 eV below MgGa + Mg3N2, as the hull has none."""
    stable = energy(entries, "Mg3N2") + energy(entries, "GaN") - 0.2
    ternary = Composition("Mg3GaN3")
    every = [*entries, ComputedEntry(ternary, stable)]
    window = stability_window(ternary, every, "Mg", 2)
    assert 0 < window.reduction_V < window.oxidation_V
    low = min(line.low_V for line in window.tie_lines)
    high = max(line.high_V for line in window.tie_lines)
    assert (low, high) == pytest.approx((window.reduction_V, window.oxidation_V))
    assert ("Mg3N2",) in [line.compounds for line in window.tie_lines]
    for line in window.tie_lines:
        assert len(line.compounds) == 1
        assert line.low_V < line.high_V
    assert window.oxidized_to[0] in ("GaN", "Mg3N2")
    assert "N2" in window.oxidized_to
    described = window.as_dict()
    assert described["reduced_to"] == list(window.reduced_to)


def test_uncertain_elements_move_the_limits_that_they_set(entries: list[ComputedEntry]) -> None:
    named = [ComputedEntry(e.composition, e.energy, entry_id=e.reduced_formula) for e in entries]
    compound = Composition("Mg3N2")
    low, high = limit_uncertainties(compound, named, "Mg", 2, {"N2": 0.3})
    # Two atoms of nitrogen against three ions of charge two.
    assert (low, high) == pytest.approx((0, 0.3 * 2 / 6))
    # The metal is where voltages count from: at one limit it cancels.
    low, high = limit_uncertainties(compound, named, "Mg", 2, {"N2": 0.3, "Mg": 0.4})
    assert low == pytest.approx(0)
    assert high == pytest.approx(math.hypot(0.1, 0.4 / 2))


def test_an_uncertain_compound_that_is_barely_stable_keeps_its_window() -> None:
    """Li2O2 between Li2O and O2: 0.1 eV per atom upwards, and there would be none."""
    metal, gas = ComputedEntry("Li", 0.0), ComputedEntry("O2", 0.0)
    oxide, peroxide = ComputedEntry("Li2O", -5.9), ComputedEntry("Li2O2", -6.2, entry_id="own")
    every = [metal, gas, oxide, peroxide]
    window = stability_window(Composition("Li2O2"), every, "Li", 1)
    assert (window.reduction_V, window.oxidation_V) == pytest.approx((2.8, 3.1))
    limits = limit_uncertainties(Composition("Li2O2"), every, "Li", 1, {"own": 0.1})
    # The 0.4 eV of its four atoms over the two lithium that it takes up, or gives off.
    assert limits == pytest.approx((0.4 / 2, 0.4 / 2))


def test_two_calculations_of_one_formula_are_uncertain_together(
    entries: list[ComputedEntry],
) -> None:
    """The second one, as low as the first, would otherwise hold the limit where it is."""
    named = [ComputedEntry(e.composition, e.energy, entry_id=e.reduced_formula) for e in entries]
    gas = next(e for e in named if e.entry_id == "N2")
    both = [*named, ComputedEntry(gas.composition, gas.energy, entry_id="twice")]
    uncertain = {"N2": 0.3, "twice": 0.3}
    limits = limit_uncertainties(Composition("Mg3N2"), both, "Mg", 2, uncertain)
    assert limits == pytest.approx((0, 0.1))


@pytest.mark.parametrize(
    ("compound", "added", "message"),
    [
        ("Mg3GaN3", [], "has no Mg3GaN3"),
        ("MgN", [ComputedEntry("MgN", -5.0)], "MgN is not stable: .* eV per atom above Mg3N2, N2"),
        ("MgO", [ComputedEntry("MgO", -12.0)], "lacks the element O"),
    ],
)
def test_no_window(
    entries: list[ComputedEntry], compound: str, added: list[ComputedEntry], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        stability_window(Composition(compound), [*entries, *added], "Mg", 2)


def test_only_like_energies_are_subtracted(make_calculation: Make) -> None:
    structure = Structure(Lattice.cubic(3), ["Li"], [[0, 0, 0]])
    settings = {"xc": "PBE", "cutoff_eV": 500}
    one = make_calculation(structure, settings=settings)
    assert comparable(one, one)
    for change in ({"xc": "LDA"}, {"cutoff_eV": 400}):
        other = make_calculation(structure, settings={**settings, **change})
        assert not comparable(one, other)
    sets = [
        make_calculation(structure, settings={**settings, "potcars": [title]})
        for title in ("PAW_PBE Li_sv 10Sep2004", "PAW_PBE Li 17Jan2003")
    ]
    assert comparable(sets[0], sets[0])
    assert not comparable(*sets)
    assert entry_of(one).energy == one.energy_eV
    assert entry_of(one, 0.25).energy == pytest.approx(one.energy_eV + 0.25)


def test_an_element_has_the_same_U_in_both(make_calculation: Make) -> None:
    lattice = Lattice.cubic(4)
    oxide = Structure(lattice, ["O", "Co"], [[0.5, 0.5, 0.5], [0, 0, 0]])
    cobalt, lithium = (Structure(lattice, [element], [[0, 0, 0]]) for element in ("Co", "Li"))
    settings = {"xc": "PBE", "cutoff_eV": 520}
    # As a preset's VASP calculation has it, in the order of POSCAR; as an imported one; as GPAW's.
    tags = {"LDAU": True, "LDAUL": [2, 0], "LDAUU": [3.32, 0], "LDAUJ": [0, 0]}
    read, other = ({"hubbard_U_eV": {"Co": {"d": U}}} for U in (3.32, 4.0))
    flow = make_calculation(oxide, settings=settings | {"incar": tags})
    plain = make_calculation(oxide, settings=settings | {"incar": {}})
    assert comparable(flow, make_calculation(oxide, settings=settings | read))
    for unlike in (
        plain,
        make_calculation(oxide, settings=settings | other),
        make_calculation(cobalt, settings=settings | {"incar": {"LDAU": False}}),
    ):
        assert not comparable(flow, unlike)
        assert not comparable(unlike, flow)
    assert comparable(flow, make_calculation(lithium, settings=settings))
    assert comparable(plain, make_calculation(cobalt, settings=settings))
