"""Oxidation states of the atoms of a crystal, molecular anions among them.

What is cut from a crystal is neutral where its oxidation states add up to zero. Those of elements
follow from the composition alone as long as no two anions are bonded to each other; peroxides,
disulfides, borohydrides and the like are found by their bonds.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pymatgen.analysis.molecule_structure_comparator import CovalentRadius
from pymatgen.core import Composition, Element, Structure

from interohm.errors import InputError

#: Elements between which bonds make molecules.
_NONMETALS = frozenset(
    ("H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "As", "Se", "Br", "Te", "I")
)

#: Longer ones than that are no molecules but parts of a framework, or it.
_LARGEST = 40

#: Oxidation states of the elements of molecular ions, by formula in alphabetical order. Boranes
#: have hydridic hydrogen, and their boron what remains.
_IONS: Mapping[str, Mapping[str, float]] = {
    "H1": {"H": -1},  # bonded to metals alone: hydrides, alanates
    "B1 H4": {"B": 3, "H": -1},
    "B3 H8": {"B": 7 / 3, "H": -1},
    "B10 H10": {"B": 8 / 10, "H": -1},
    "B12 H12": {"B": 10 / 12, "H": -1},
    "B9 C1 H10": {"B": 5 / 9, "C": 4, "H": -1},
    "B11 C1 H12": {"B": 7 / 11, "C": 4, "H": -1},
    "C1 N1": {"C": 2, "N": -3},
    "C1 N2": {"C": 4, "N": -3},  # cyanamide
    "C2 N3": {"C": 4, "N": -3},  # dicyanamide
    "C1 N1 O1": {"C": 4, "N": -3, "O": -2},
    "C1 N1 S1": {"C": 4, "N": -3, "S": -2},
    "C2": {"C": -1},  # acetylide
    "N2": {"N": -1},  # diazenide
    "N3": {"N": -1 / 3},
    "O3": {"O": -1 / 3},
    "I3": {"I": -1 / 3},
    "H2 N1": {"H": 1, "N": -3},
    "H1 N1": {"H": 1, "N": -3},
    "H4 N1": {"H": 1, "N": -3},
    "H1 O1": {"H": 1, "O": -2},
    "H2 O1": {"H": 1, "O": -2},
    "H3 N1": {"H": 1, "N": -3},
    "H1 S1": {"H": 1, "S": -2},
    "C2 O4": {"C": 3, "O": -2},
    "O3 S2": {"S": 2, "O": -2},
    "P2 S6": {"P": 4, "S": -2},
    "P2 Se6": {"P": 4, "Se": -2},
}

#: Å and charge of each oxygen: the molecule, superoxide, peroxide. The bond grows by 0.1 Å and
#: more with each electron, which is all that matters here.
_OXYGEN_PAIRS = ((1.21, 0.0), (1.33, -0.5), (1.49, -1.0))

#: Elements whose chains are ions of charge −2.
_CHALCOGENS = frozenset({"O", "S", "Se", "Te"})


def molecules(structure: Structure) -> list[tuple[int, ...]]:
    """Return the molecules of nonmetals in a structure, as the sites of each.

    Frameworks that have no end are none.
    """
    bonds = _bonds(structure)
    found: list[tuple[int, ...]] = []
    done: set[int] = set()
    for start, site in enumerate(structure):
        if start in done or site.specie.symbol not in _NONMETALS:
            continue
        reached, ends = _reached(start, bonds)
        done |= reached
        if ends:
            found.append(tuple(sorted(reached)))
    return found


def formula_of(structure: Structure, sites: Sequence[int]) -> str:
    """Return ``B1 H4`` for the sites of a borohydride."""
    counts = Counter(structure[site].specie.symbol for site in sites)
    return " ".join(f"{element}{counts[element]}" for element in sorted(counts))


def oxidation_states(
    structure: Structure, given: Mapping[str, float] | None = None
) -> list[float] | None:
    """Return the oxidation state of each site, or None where they cannot be told.

    Molecular ions have those of a table, what remains the usual ones of its elements that make the
    whole neutral; an element's atoms have their mean.

    Parameters
    ----------
    structure : Structure
        Ordered.
    given : mapping of str to float, optional
        By element; instead of the table and of guesses.
    """
    given = given or {}
    symbols = [site.specie.symbol for site in structure]
    if len(set(symbols)) == 1 and not given:
        return [0.0] * len(structure)
    for ions in _choices(structure):
        states = dict(ions)
        for index, symbol in enumerate(symbols):
            if symbol in given:
                states[index] = given[symbol]
        rest = [index for index in range(len(structure)) if index not in states]
        charge = -sum(states.values())
        usual = _usual([symbols[index] for index in rest], charge, bool(given))
        if usual is not None:
            return [
                float(states.get(index, usual.get(symbol, 0.0)))
                for index, symbol in enumerate(symbols)
            ]
    return None


def known_oxidation_states(
    structure: Structure, given: Mapping[str, float] | None = None
) -> list[float]:
    """Return the oxidation state of each site; they add up to zero.

    Raises
    ------
    InputError
        They cannot be told, or the given ones leave a charge.
    """
    formula = structure.composition.element_composition.reduced_formula
    elements = {site.specie.symbol for site in structure}
    if unknown := sorted(set(given or {}) - elements):
        raise InputError(
            f"{formula} contains no {' and no '.join(unknown)}",
            where="oxidation_states",
            fix=f"give those of {', '.join(sorted(elements))}",
        )
    states = oxidation_states(structure, given)
    if states is None and not given:
        raise InputError(
            f"{formula}: the oxidation states of its elements cannot be determined",
            where="structure",
            fix="give them in the campaign, as `oxidation_states: {"
            + ", ".join(f"{element}: …" for element in sorted(elements))
            + "}`",
        )
    if states is None:
        written = ", ".join(f"{element}: {state:g}" for element, state in (given or {}).items())
        raise InputError(
            f"{formula} is not neutral with {{{written}}}",
            where="oxidation_states",
            fix="give states of all elements that add up to zero",
        )
    return states


def _choices(structure: Structure) -> Iterator[dict[int, float]]:
    """Yield the states of the sites in molecular ions, the likeliest first, then without them."""
    states: dict[int, float] = {}
    pairs: list[tuple[int, ...]] = []
    bonds: dict[int, list[tuple[int, tuple[int, ...]]]] | None = None
    for sites in molecules(structure):
        formula = formula_of(structure, sites)
        if formula == "O2":
            pairs.append(sites)
        elif formula in _IONS:
            ion = _IONS[formula]
            states |= {site: ion[structure[site].specie.symbol] for site in sites}
        elif len(sites) > 1 and {structure[site].specie.symbol for site in sites} <= _CHALCOGENS:
            # The octet rule: each bond to another one saves an electron.
            bonds = bonds or _bonds(structure)
            states |= {site: float(len(bonds[site]) - 2) for site in sites}
    if not pairs:
        yield states
    else:
        length = np.mean([structure.get_distance(*pair) for pair in pairs])
        for _, charge in sorted(_OXYGEN_PAIRS, key=lambda one: abs(one[0] - length)):
            yield states | {site: charge for pair in pairs for site in pair}
    if states or pairs:
        yield {}


def _usual(symbols: Sequence[str], charge: float, sure: bool) -> dict[str, float] | None:
    """Return usual states of atoms that add up to a charge, by element; None without.

    Where the others are ``sure``, one element alone takes what they leave.
    """
    counts = Counter(symbols)
    if not counts:
        return {} if abs(charge) < 1e-3 else None
    common = functools.reduce(math.gcd, counts.values())
    if len(counts) == 1:
        ((symbol, count),) = counts.items()
        state = charge / count
        known = (-4, 8) if sure else (*Element(symbol).common_oxidation_states, 0)
        whole = abs(state - round(state)) < 1e-3 or len(known) > 2  # or of mixed valence
        return {symbol: state} if whole and min(known) <= state <= max(known) else None
    target = charge / common
    if abs(target - round(target)) < 1e-6:
        target = round(target)
    return _guessed(tuple((symbol, n // common) for symbol, n in counts.items()), target)


@functools.cache
def _guessed(counts: tuple[tuple[str, int], ...], charge: float) -> dict[str, float] | None:
    """Return pymatgen's likeliest states; a list of structures has a formula again and again."""
    guesses = Composition(dict(counts)).oxi_state_guesses(target_charge=charge)
    return dict(guesses[0]) if guesses else None


def _bonds(structure: Structure) -> dict[int, list[tuple[int, tuple[int, ...]]]]:
    """Return the covalent bonds of each nonmetal: the other site, and its cell's steps."""
    radius = np.array(
        [
            CovalentRadius.radius[site.specie.symbol]
            if site.specie.symbol in _NONMETALS
            else -np.inf
            for site in structure
        ]
    )
    bonds: dict[int, list[tuple[int, tuple[int, ...]]]] = {
        index: [] for index in range(len(structure))
    }
    if not np.isfinite(radius).any():
        return bonds
    longest = 2.4 * float(radius.max()) + 0.05
    for first, second, cell, distance in zip(*structure.get_neighbor_list(r=longest), strict=True):
        if distance < 1.2 * (radius[first] + radius[second]) + 0.05:
            bonds[int(first)].append((int(second), tuple(int(step) for step in cell)))
    return bonds


def _reached(
    start: int, bonds: Mapping[int, Sequence[tuple[int, tuple[int, ...]]]]
) -> tuple[set[int], bool]:
    """Return the sites that bonds lead to, and whether they end."""
    cells: dict[int, tuple[int, ...]] = {start: (0, 0, 0)}
    waiting, ends = [start], True
    while waiting:
        site = waiting.pop()
        for other, step in bonds[site]:
            cell = tuple(a + b for a, b in zip(cells[site], step, strict=True))
            if other not in cells:
                cells[other] = cell
                waiting.append(other)
            elif cells[other] != cell:
                ends = False
    return set(cells), ends and len(cells) <= _LARGEST
