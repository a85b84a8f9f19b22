"""Plan of a phase's defects: which ones, in which charges, and the ions that they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import NamedTuple

from pymatgen.core import Composition, Element, Structure

from interohm.errors import InputError
from interohm.postprocess.reservoirs import ion_change, tied_elements
from interohm.slab_builders.defects import (
    DefectSite,
    interstitial_sites,
    substitution_sites,
    vacancy_sites,
)
from interohm.slab_builders.oxidation_states import known_oxidation_states

from .campaign_config import DopantConfig, InsulatorPhase
from .engines.vasp_distortions import distorted_neighbours


@dataclass(frozen=True)
class PlannedDefect:
    """One defect supercell to calculate.

    Parameters
    ----------
    name : str
        In the record; the site's, with the charge where there are several.
    site : DefectSite
        Site of the defect.
    charge : int
        Charge of the defect, in elementary charges.
    ionic : bool
        Whether the charge is that of the ions that are added and removed.
    ion_change : float
        dn of the mobile ion, equilibrium with the compounds included.
    dopant : bool
        Whether the crystal does not have its element.
    missing_electrons : int
        Against those with which every ion has its formal charge; negative for extra ones.
    bond_distortion : float, optional
        With which the relaxation begins by ShakeNBreak, if it does.
    """

    name: str
    site: DefectSite
    charge: int
    ionic: bool
    ion_change: float
    dopant: bool
    missing_electrons: int = 0
    bond_distortion: float | None = None

    def as_dict(self) -> dict[str, object]:
        """Return plain values, for a job's arguments."""
        return {**vars(self), "site": self.site.as_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> PlannedDefect:
        """Undo `as_dict`."""
        return cls(**{**data, "site": DefectSite(**data["site"])})  # type: ignore[arg-type]


def planned_defects(
    phase: InsulatorPhase,
    conventional: Structure,
    mobile_ion: str,
    ion_charge: int,
    coexisting: Sequence[Composition] = (),
) -> list[PlannedDefect]:
    """Return the defects to calculate.

    The mobile ion's vacancies and interstitials; vacancies of the other elements whose chemical
    potentials follow from the compounds in equilibrium (in a binary, from the compound itself);
    antisites and dopants where the phase asks for them.

    Parameters
    ----------
    phase : InsulatorPhase
        Its description in the campaign.
    conventional : Structure
        The standardized conventional cell.
    mobile_ion : str
        Its element.
    ion_charge : int
        Charge of the mobile ion, in elementary charges.
    coexisting : sequence of Composition
        Compositions of the compounds with which the phase is in equilibrium.

    Raises
    ------
    InputError
        The phase does not contain the mobile ion, an ion has a fractional charge, or the chemical
        potential of an element is not tied to the mobile ion's.
    """
    return list(
        _with_charges(
            phase,
            (
                (site, kind)
                for kind in defect_kinds(phase, conventional, mobile_ion, ion_charge, coexisting)
                for site in _sites(kind, conventional, phase)
            ),
        )
    )


class DefectKind(NamedTuple):
    """A kind of defect, wherever in the crystal it may be.

    Parameters
    ----------
    name : str
        As `DefectSite.name`.
    added : dict of str to int
        Atoms added by element, negative where removed.
    charge : int
        That of the ions that are added and removed, in elementary charges.
    ion_change : float
        dn of the mobile ion, equilibrium with the compounds included.
    dopant : bool
        Whether the crystal does not have its element.
    """

    name: str
    added: dict[str, int]
    charge: int
    ion_change: float
    dopant: bool


def defect_kinds(
    phase: InsulatorPhase,
    structure: Structure,
    mobile_ion: str,
    ion_charge: int,
    coexisting: Sequence[Composition] = (),
) -> list[DefectKind]:
    """Return the kinds of defects to calculate, as far as they follow without their sites.

    Parameters
    ----------
    phase, structure, mobile_ion, ion_charge, coexisting
        As `planned_defects`; any cell of the crystal.

    Raises
    ------
    InputError
        As `planned_defects`; or the phase has a hop of none of these defects.
    """
    composition = structure.composition.element_composition
    if mobile_ion not in composition.get_el_amt_dict():
        raise InputError(
            f"{phase.name} does not contain {mobile_ion}", where="structure, mobile_ion"
        )
    try:
        slopes = tied_elements([composition, *coexisting], mobile_ion)
    except ValueError as error:
        raise InputError(str(error), where=f"{phase.name}: equilibrium_with") from None
    ions = {mobile_ion: ion_charge}
    others = [el for el in composition.get_el_amt_dict() if el != mobile_ion]
    if any(element in slopes for element in others) or phase.antisites or phase.dopants:
        ions = _ion_charges(phase, structure, mobile_ion, ion_charge)
    found = [
        (f"V_{mobile_ion}", {mobile_ion: -1}, -ion_charge, False),
        (f"{mobile_ion}_i", {mobile_ion: 1}, ion_charge, False),
    ]
    found += [(f"V_{el}", {el: -1}, -ions[el], False) for el in others if el in slopes]
    if phase.antisites:
        for element, replaced in permutations([mobile_ion, *others], 2):
            charge = ions[element] - ions[replaced]
            found.append((f"{element}_{replaced}", {element: 1, replaced: -1}, charge, False))
    for dopant in phase.dopants:
        charge = _dopant_charge(phase.name, dopant, ions)
        exchanged = {dopant.element: 1, dopant.replaces: -1}
        found.append((f"{dopant.element}_{dopant.replaces}", exchanged, charge, True))
    kinds = []
    for name, added, charge, is_dopant in found:
        if free := sorted(added.keys() - slopes.keys()):
            raise InputError(
                f"the chemical potential of {' and '.join(free)} does not follow from that of the "
                "mobile ion",
                where=f"{phase.name}: {name}",
                fix=f"name a compound of {' and of '.join(free)} in `equilibrium_with`",
            )
        kinds.append(DefectKind(name, added, charge, ion_change(added, slopes), is_dopant))
    _check_hops(phase, [name for kind in kinds if not kind.dopant for name in _names(phase, kind)])
    return kinds


def _sites(kind: DefectKind, conventional: Structure, phase: InsulatorPhase) -> list[DefectSite]:
    element, *replaced = kind.added
    if replaced:
        return substitution_sites(conventional, element, *replaced)
    if kind.added[element] < 0:
        return vacancy_sites(conventional, element)
    return interstitial_sites(conventional, element, phase.interstitial_sites)


def with_distortions(
    planned: Sequence[PlannedDefect], bond_distortions: Sequence[float]
) -> list[PlannedDefect]:
    """Return each defect once for each distortion of its bonds that ShakeNBreak would try.

    One without bonds to distort is there once: its atoms are rattled, no more.
    """
    return [
        replace(defect, bond_distortion=distortion)
        for defect in planned
        for distortion in (
            bond_distortions if distorted_neighbours(defect.missing_electrons) else (0.0,)
        )
    ]


def check_hops(phase: InsulatorPhase, planned: Sequence[PlannedDefect]) -> None:
    """Refuse a hop of a defect that the record will not have.

    Raises
    ------
    InputError
        The defect is not one of the planned ones.
    """
    moving = [one for one in planned if not one.dopant]
    _check_hops(
        phase, [one.name for one in moving] + [one.site.name for one in moving if one.ionic]
    )


def _check_hops(phase: InsulatorPhase, known: Sequence[str]) -> None:
    if unknown := sorted(phase.hops.keys() - set(known)):
        raise InputError(
            f"{' and '.join(unknown)}: the phase has no such defect",
            where=f"{phase.name}: hops",
            fix=f"one of {', '.join(sorted(set(known)))}",
        )


def _charges(phase: InsulatorPhase, ionic: int) -> list[int]:
    window = set(range(phase.charges[0], phase.charges[1] + 1)) if phase.charges else set()
    return sorted(window | {ionic})


def _names(phase: InsulatorPhase, kind: DefectKind) -> list[str]:
    """Return the names that a hop may give the defect."""
    charges = _charges(phase, kind.charge)
    return [kind.name, *(_name(kind.name, charge, charges) for charge in charges)]


def _name(name: str, charge: int, charges: Sequence[int]) -> str:
    return name if len(charges) == 1 else f"{name}_{charge:+d}"


def _with_charges(
    phase: InsulatorPhase, sites: Iterable[tuple[DefectSite, DefectKind]]
) -> Iterator[PlannedDefect]:
    for site, kind in sites:
        charges = _charges(phase, kind.charge)
        for charge in charges:
            yield PlannedDefect(
                name=_name(site.name, charge, charges),
                site=site,
                charge=charge,
                ionic=charge == kind.charge,
                ion_change=kind.ion_change,
                dopant=kind.dopant,
                missing_electrons=charge - kind.charge,
            )


def _ion_charges(
    phase: InsulatorPhase, conventional: Structure, mobile_ion: str, ion_charge: int
) -> dict[str, int]:
    """Return the elements' formal charges, which add up to zero."""
    given = {mobile_ion: ion_charge, **(phase.oxidation_states or {})}
    states: dict[str, set[float]] = {}
    for site, state in zip(conventional, known_oxidation_states(conventional, given), strict=True):
        states.setdefault(site.specie.symbol, set()).add(round(state, 6))
    for element, charges in states.items():
        several = len(charges) > 1
        if several or not min(charges).is_integer():
            said = " and ".join(f"{charge:+g}" for charge in sorted(charges))
            raise InputError(
                f"{phase.name}: {element} would have the charge{'s' if several else ''} {said}",
                where="structure",
                fix="give a compound of ions with whole charges, one for each element",
            )
    return {element: int(min(charges)) for element, charges in states.items()}


def _dopant_charge(name: str, dopant: DopantConfig, ions: Mapping[str, int]) -> int:
    where = f"{name}: dopants, {dopant.element}"
    if dopant.replaces not in ions:
        raise InputError(
            f"the crystal has no {dopant.replaces} to be replaced",
            where=where,
            fix=f"`replaces` one of {', '.join(ions)}",
        )
    if dopant.element in ions:
        raise InputError(
            f"{dopant.element} is one of the crystal's own elements",
            where=where,
            fix="write `antisites: true`",
        )
    if dopant.charge is not None:
        return dopant.charge
    usual = Element(dopant.element).common_oxidation_states
    if len(usual) != 1:
        raise InputError(
            f"{dopant.element} has no single usual oxidation state",
            where=where,
            fix="give the `charge` of the defect",
        )
    return int(usual[0]) - ions[dopant.replaces]
