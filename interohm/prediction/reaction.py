"""Reactions of two phases in contact, from total energies, open to the mobile element.

Reactions along the mixing of two phases are pymatgen's (W. D. Richards et al., Chem. Mater. 28, 266
(2015), doi 10.1021/acs.chemmater.5b04082); physics.md, section 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from interohm.records import Insulator, Metal
from interohm.records.reference import is_reference

if TYPE_CHECKING:
    from pymatgen.analysis.phase_diagram import PhaseDiagram
    from pymatgen.core import Composition

#: eV per atom (of the mobile element none counts): less is no driving force beside the energies'
#: own errors, more makes phases react.
STABLE_EV, REACTS_EV = 0.02, 0.05


def reaction_fields(
    left: Insulator | Metal, right: Insulator | Metal, voltage_V: float | None
) -> dict[str, Any] | None:
    """Return whether two phases react, as plain JSON values.

    Parameters
    ----------
    left, right : Insulator or Metal
        The records. The metal of the mobile ion needs no energies of its own.
    voltage_V : float, optional
        Potential of the mobile element at the contact, against its metal; None closes the contact
        to it.

    Returns
    -------
    dict or None
        ``verdict`` (``does not react``, ``may react`` or ``reacts``), ``driving_force_eV`` per atom
        that is not of the mobile element (never negative), ``products``, ``conducts_electrons`` (a
        metal is among them, so that the reaction goes on), ``voltage_V``, ``compared_with`` (all
        phases) and
        ``text``. None where energies are missing or of two methods.
    """
    energies = _energies(left, right)
    if energies is None:
        return None
    formulas = [_formula(material) for material in (left, right)]
    found = _reaction(
        tuple(sorted(energies.items())),
        (formulas[0], formulas[1]),
        left.mobile_ion,
        None if voltage_V is None else -left.ion_charge * round(voltage_V, 6),
        tuple(isinstance(material, Insulator) for material in (left, right)),
    )
    if found is None:
        return None
    force, products, metallic = found
    verdict = "reacts"
    if force < REACTS_EV:
        verdict = "does not react" if force < STABLE_EV else "may react"
    return {
        "verdict": verdict,
        "driving_force_eV": force,
        "products": products if verdict != "does not react" else [],
        "conducts_electrons": metallic and verdict != "does not react",
        "voltage_V": voltage_V,
        "compared_with": sorted(energies),
        "text": _text(left, right, verdict, force, products, metallic, voltage_V, len(energies)),
    }


def _text(
    left: Insulator | Metal,
    right: Insulator | Metal,
    verdict: str,
    force: float,
    products: list[str],
    metallic: bool,
    voltage_V: float | None,
    phases: int,
) -> str:
    pair = f"{left.name} and {right.name}"
    state = "closed to" if voltage_V is None else f"at {voltage_V:.3g} V of"
    beside = f"{state} {left.mobile_ion}, among {phases} phases"
    if verdict == "does not react":
        return f"{pair} do not react ({beside})"
    said = "react" if verdict == "reacts" else "may react"
    grows = "; a metal is among them, so the reaction continues" if metallic else ""
    outside = "; what forms is outside of this model" if verdict == "reacts" else ""
    products_text = ", ".join(products)
    return f"{pair} {said} to {products_text}, {force:.2g} eV per atom ({beside}){grows}{outside}"


def _formula(material: Insulator | Metal) -> str:
    if material.phase_energies is None:
        return material.mobile_ion
    return material.phase_energies.composition


def _energies(left: Insulator | Metal, right: Insulator | Metal) -> Mapping[str, float] | None:
    """Return the lowest energy of each phase that is known of two records; None if of too few."""
    known = [one.phase_energies for one in (left, right) if one.phase_energies is not None]
    without = [one for one in (left, right) if one.phase_energies is None]
    if not known or len({one.method for one in known}) > 1:
        return None
    if any(not isinstance(one, Metal) or not is_reference(one) for one in without):
        return None
    found: dict[str, float] = {}
    for one in known:
        for formula, energy in one.energies_eV.items():
            found[formula] = min(energy, found.get(formula, energy))
    return found


@lru_cache(maxsize=512)
def _reaction(
    energies: tuple[tuple[str, float], ...],
    formulas: tuple[str, str],
    mobile_ion: str,
    mu_eV: float | None,
    insulators: tuple[bool, ...],
) -> tuple[float, list[str], bool] | None:
    """Return driving force and products; None where an element's energy is missing."""
    # pymatgen takes a second to import, and most contacts have no energies
    from pymatgen.analysis.phase_diagram import GrandPotentialPhaseDiagram, PhaseDiagram
    from pymatgen.core import Composition, Element
    from pymatgen.entries.computed_entries import ComputedEntry

    entries = [
        ComputedEntry(composition, energy * composition.num_atoms)
        for composition, energy in ((Composition(formula), energy) for formula, energy in energies)
    ]
    one, other = (Composition(formula) for formula in formulas)
    alone = {
        entry.composition.elements[0] for entry in entries if len(entry.composition.elements) == 1
    }
    ion = Element(mobile_ion)
    needed = {*one.elements, *other.elements, ion}
    if not needed <= alone:
        return None
    within = [entry for entry in entries if set(entry.composition.elements) <= needed]
    diagram = PhaseDiagram(within)
    if mu_eV is None:
        return _mixed(one, other, diagram, None)
    level = diagram.el_refs[ion].energy_per_atom + mu_eV
    grand = GrandPotentialPhaseDiagram(within, {ion: level})
    # an electrode has the composition that its potential asks for, an insulator its own
    found = [
        _decomposed(phase, ion, grand, diagram)
        for phase, insulates in zip((one, other), insulators, strict=True)
        if insulates
    ]
    if all(set(phase.elements) != {ion} for phase in (one, other)):
        # else the metal of the mobile ion is the reservoir itself
        found.append(_mixed(one, other, diagram, grand))
    return max(found, key=lambda each: each[0])


def _mixed(
    one: Composition, other: Composition, diagram: PhaseDiagram, grand: Any | None
) -> tuple[float, list[str], bool]:
    """Return the lowest reaction along the mixing of two phases."""
    from pymatgen.analysis.interface_reactions import (
        GrandPotentialInterfacialReactivity,
        InterfacialReactivity,
    )

    if grand is None:
        reactions = InterfacialReactivity(one, other, diagram, use_hull_energy=True)
    else:
        reactions = GrandPotentialInterfacialReactivity(
            one, other, grand, pd_non_grand=diagram, use_hull_energy=True
        )
    kinks = list(reactions.get_kinks())
    _, _, energy, reaction, _ = min(kinks, key=lambda kink: kink[2])
    open_to = [] if grand is None else list(grand.chempots)
    products = sorted(
        {
            composition.reduced_formula
            for composition in reaction.products
            # what leaves for the reservoir is no product
            if not set(composition.elements) <= set(open_to)
        }
    )
    return max(-float(energy), 0.0), products, _metallic(products, diagram)


def _decomposed(
    phase: Composition, ion: Any, grand: Any, diagram: PhaseDiagram
) -> tuple[float, list[str], bool]:
    """Return what a phase becomes in contact with a reservoir of the mobile element."""
    from pymatgen.core import Composition

    rest = Composition({el: count for el, count in phase.items() if el != ion})
    level = grand.chempots[ion]
    own = diagram.get_hull_energy(phase) - float(phase[ion]) * level
    force = (own - grand.get_hull_energy(rest)) / rest.num_atoms
    products = sorted(
        {
            entry.original_entry.composition.reduced_formula
            for entry in grand.get_decomposition(rest)
        }
    )
    return max(float(force), 0.0), products, _metallic(products, diagram)


def _metallic(products: list[str], diagram: PhaseDiagram) -> bool:
    """Return whether a product is a metal: an element or an alloy of elements that are."""
    from pymatgen.core import Composition

    return any(
        all(element.is_metal or element.is_metalloid for element in Composition(name).elements)
        for name in products
    )
