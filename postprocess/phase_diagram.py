"""Between which voltages a compound is stable, and beside which others, from total energies.

At the limits the compound decomposes into the phases that it coexists with there; convex hull and
chemical potentials are pymatgen's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pymatgen.core import Composition, Element

from .calculation import Calculation
from .comparison import energy_differences

if TYPE_CHECKING:
    from pymatgen.entries.computed_entries import ComputedEntry

#: eV per atom; a compound this far above the hull counts as on it.
_NUMERICAL_NOISE_EV = 1e-6


@dataclass(frozen=True)
class TieLine:
    """Compounds that coexist with the phase over a range of voltages.

    Parameters
    ----------
    compounds : tuple of str
        Their reduced formulas.
    low_V, high_V : float
        Against the mobile ion's metal.
    """

    compounds: tuple[str, ...]
    low_V: float
    high_V: float


@dataclass(frozen=True)
class StabilityWindow:
    """Between which voltages a compound is stable.

    Parameters
    ----------
    reduction_V, oxidation_V : float
        Against the mobile ion's metal.
    reduced_to, oxidized_to : tuple of str
        Phases beside it at the limits, into which it decomposes beyond.
    tie_lines : tuple of TieLine
        Each leaves the mobile ion's chemical potential free, as `reservoirs` needs it.
    """

    reduction_V: float
    oxidation_V: float
    reduced_to: tuple[str, ...]
    oxidized_to: tuple[str, ...]
    tie_lines: tuple[TieLine, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for a record's provenance."""
        # Adding zero turns −0.0 into 0.0.
        return {
            "reduction_V": round(self.reduction_V, 4) + 0.0,
            "reduced_to": list(self.reduced_to),
            "oxidation_V": round(self.oxidation_V, 4) + 0.0,
            "oxidized_to": list(self.oxidized_to),
            "coexists_with": [
                {
                    "compounds": list(line.compounds),
                    "from_V": round(line.low_V, 4) + 0.0,
                    "to_V": round(line.high_V, 4) + 0.0,
                }
                for line in self.tie_lines
            ],
        }


@dataclass(frozen=True)
class EnergyCorrection:
    """Correction of a total energy, per atom.

    Parameters
    ----------
    value_eV, uncertainty_eV : float
        The correction that is added, and its standard deviation.
    source : str
        Source of the numbers.
    """

    value_eV: float
    uncertainty_eV: float
    source: str


def entry_of(calculation: Calculation, correction_eV: float = 0.0) -> ComputedEntry:
    """Return a calculation as pymatgen's diagrams take it, with a correction per atom."""
    # brings all of pymatgen's corrections along
    from pymatgen.entries.computed_entries import ComputedEntry

    composition = calculation.final_structure.composition.element_composition
    return ComputedEntry(
        composition,
        calculation.energy_eV,
        correction=correction_eV * composition.num_atoms,
        entry_id=calculation.hash,
    )


def comparable(one: Calculation, other: Calculation) -> bool:
    """Return whether total energies of two calculations may be subtracted from each other."""
    return not energy_differences(one, other)


def stability_window(
    compound: Composition,
    entries: Sequence[ComputedEntry],
    mobile_ion: str,
    ion_charge: int,
) -> StabilityWindow:
    """Return the voltages between which a compound is stable.

    Parameters
    ----------
    compound : Composition
        Contains the mobile ion; one of the entries has it.
    entries : sequence of ComputedEntry
        All phases to compare with, the elements among them; others are ignored.
    mobile_ion : str
        Its element.
    ion_charge : int
        Charge of the mobile ion, in elementary charges.

    Raises
    ------
    ValueError
        An element's own energy is missing, or the compound is not stable at any voltage.
    """
    from pymatgen.analysis.phase_diagram import PhaseDiagram  # brings Matplotlib along

    elements = {element.symbol for element in compound.elements}
    own = [e for e in entries if {el.symbol for el in e.composition.elements} <= elements]
    alone = {e.composition.elements[0].symbol for e in own if len(e.composition.elements) == 1}
    if missing := sorted(elements - alone):
        raise ValueError(f"the phase diagram lacks the element {' and '.join(missing)}")
    formula = compound.reduced_formula
    same = [entry for entry in own if entry.composition.reduced_formula == formula]
    if not same:
        raise ValueError(f"the phase diagram has no {formula}")
    diagram = PhaseDiagram(own)
    lowest = min(same, key=lambda entry: entry.energy_per_atom)
    above = diagram.get_e_above_hull(lowest)
    if above > _NUMERICAL_NOISE_EV:
        parts = ", ".join(
            sorted(e.composition.reduced_formula for e in diagram.get_decomposition(compound))
        )
        raise ValueError(f"{formula} is not stable: {above:.3f} eV per atom above {parts}")
    metal = diagram.el_refs[Element(mobile_ion)].energy_per_atom
    corners = {
        frozenset(name.split("-")) - {formula}: -(float(potentials[Element(mobile_ion)]) - metal)
        / ion_charge
        for name, potentials in diagram.get_all_chempots(compound).items()
    }
    reduced, oxidized = (pick(corners, key=lambda c: corners[c]) for pick in (min, max))
    return StabilityWindow(
        reduction_V=corners[reduced],
        oxidation_V=corners[oxidized],
        reduced_to=tuple(sorted(reduced)),
        oxidized_to=tuple(sorted(oxidized)),
        tie_lines=tuple(_tie_lines(corners, len(elements))),
    )


def limit_uncertainties(
    compound: Composition,
    entries: Sequence[ComputedEntry],
    mobile_ion: str,
    ion_charge: int,
    uncertainties_eV: Mapping[str, float],
) -> tuple[float, float]:
    """Return how far uncertain energies may move the two limits, in V.

    Parameters
    ----------
    compound : Composition
        The phase.
    entries : sequence of ComputedEntry
        All phases of the diagram.
    mobile_ion : str
        Its element.
    ion_charge : int
        Charge of the mobile ion, in elementary charges.
    uncertainties_eV : mapping
        One standard deviation per atom, by the entries' ids; of one formula fully correlated, of
        different ones independent.

    Raises
    ------
    ValueError
        As of `stability_window`.
    """
    from pymatgen.entries.computed_entries import ComputedEntry

    window = stability_window(compound, entries, mobile_ion, ion_charge)
    low, high = [0.0], [0.0]
    formulas = dict.fromkeys(
        e.composition.reduced_formula for e in entries if uncertainties_eV.get(e.entry_id)
    )
    for formula in formulas:
        # The way in which the compound stays stable: itself downwards, others upwards.
        sign = -1 if formula == compound.reduced_formula else 1
        shifted = [
            ComputedEntry(
                e.composition,
                e.energy + sign * uncertainties_eV.get(e.entry_id, 0.0) * e.composition.num_atoms,
            )
            if e.composition.reduced_formula == formula
            else e
            for e in entries
        ]
        moved = stability_window(compound, shifted, mobile_ion, ion_charge)
        low.append(moved.reduction_V - window.reduction_V)
        high.append(moved.oxidation_V - window.oxidation_V)
    return math.hypot(*low), math.hypot(*high)


def _tie_lines(corners: Mapping[frozenset[str], float], elements: int) -> list[TieLine]:
    """Return the edges of the stability range along which the voltage changes."""
    lines = []
    for (one, first), (other, second) in itertools.combinations(corners.items(), 2):
        shared = one & other
        if len(shared) == elements - 2 and abs(first - second) > 1e-6:
            lines.append(TieLine(tuple(sorted(shared)), min(first, second), max(first, second)))
    return sorted(lines, key=lambda line: (line.low_V, line.compounds))
