"""A record from a crystal structure and what a paper says: text in YAML that loads at once.

Sites, sublattices and hop distances come from the structure. What nobody gave is assumed, with a
wide uncertainty, and said to be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import gcd, log
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from interohm.errors import InputError
from interohm.records.kind_of import ANIONS
from interohm.records.material import ION_CHARGES, material_from
from interohm.records.shipped import shipped_material
from interohm.records.uncertainty import quantities
from interohm.yaml_io import parse_yaml

if TYPE_CHECKING:
    from pymatgen.core import Composition, Structure

#: cm⁻³ in Å⁻³.
_PER_A3 = 1e24

#: Assumed where nothing is given: value, uncertainty, and why.
_LEVEL = (6.3, 1.0, "assumed: near LLZO's and LiPON's records")
_GAP = (5.0, 1.5, "assumed: an insulator")
_DIELECTRIC = (12.0, 6.0, "assumed: as oxides and sulfides of lithium have")
_NEUTRAL = (1.5, 0.5, "assumed: shipped electrolytes have 1.2 to 1.9 V")
#: The published model's 0.1, which the shipped records have with ± 0.03, here within a factor of
#: about 2: with more, the densities next to a metal, and the field there, are beyond the model.
_SATURATION = (
    0.1,
    0.1,
    "assumed: as published for LLZO and LiF (doi 10.1038/s43588-021-00041-y) and as in shipped "
    "electrolytes, wider",
)
_COST = (0.3, 0.2, "assumed: between a glass and a crystal")
#: The neutral Fermi level is assumed this far from both bands: electrons and holes are fewer then.
_FROM_BAND_EV = 0.8
#: No gap is assumed to be wider.
_LARGEST_GAP_EV = 12.0
_BARRIER = (0.4, 0.15, "assumed: as solid electrolytes have")
_FREQUENCY = (1.0e13, 3.0e12, "assumed: a lithium ion's vibration")


@dataclass(frozen=True)
class GivenNumbers:
    """Known properties of a phase beside its structure; None where unknown.

    Parameters
    ----------
    conductivity_S_cm : float, optional
        Conductivity of the ion at `temperature_K`, of the bulk.
    activation_eV : float, optional
        Activation energy of sigma·T.
    temperature_K : float
        Temperature of the conductivity.
    gap_eV, dielectric, ionization_eV, neutral_potential_V : float, optional
        As in the fields of the record.
    formation_eV : float, optional
        Formation energy of a defect in the neutral phase.
    saturation : float, optional
        Largest fraction of its sites that a defect may take.
    carriers : tuple of str
        Defects that carry the current; empty if nobody knows.
    window_V : (float, float), optional
        Reduction and oxidation limit.
    formation_energies_eV : mapping
        E0 by defect, at the valence band and mu = 0 (see `converted_energies`).
    conversion : str
        How these were converted, for their source.
    source : str, optional
        Source of all these numbers.
    """

    conductivity_S_cm: float | None = None
    activation_eV: float | None = None
    temperature_K: float = 300.0
    gap_eV: float | None = None
    dielectric: float | None = None
    ionization_eV: float | None = None
    neutral_potential_V: float | None = None
    formation_eV: float | None = None
    saturation: float | None = None
    carriers: tuple[str, ...] = ()
    window_V: tuple[float, float] | None = None
    formation_energies_eV: Mapping[str, float] = field(default_factory=dict)
    conversion: str = ""
    source: str | None = None


@dataclass(frozen=True)
class Sublattice:
    """Sites of the mobile ion in a crystal, all of them together."""

    count: int
    site_density_cm3: float
    orbits: int
    nearest_nm: float
    occupied: float


def mobile_sublattice(structure: Structure, mobile_ion: str) -> Sublattice:
    """Return how many sites of the mobile ion there are, and how far apart they lie.

    Raises
    ------
    InputError
        The structure has none.
    """
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    sites = [
        index
        for index, site in enumerate(structure)
        if any(_symbol(species) == mobile_ion for species in site.species)
    ]
    if not sites:
        raise InputError(
            f"{structure.composition.reduced_formula} has no {mobile_ion}",
            where="--mobile-ion",
            fix="name the ion that moves, or give the structure that holds it",
        )
    occupied = sum(
        float(amount)
        for index in sites
        for species, amount in structure[index].species.items()
        if _symbol(species) == mobile_ion
    )
    shortest = min(
        float(neighbour.nn_distance)
        for index in sites
        for neighbour in structure.get_neighbors(structure[index], _radius_A(structure, sites))
        if any(_symbol(species) == mobile_ion for species in neighbour.species)
        # two halves of a split site are no hop
        and float(neighbour.nn_distance) > 1.0
    )
    try:
        symmetrized = SpacegroupAnalyzer(structure, symprec=0.01).get_symmetrized_structure()
        orbits = sum(1 for group in symmetrized.equivalent_indices if group[0] in sites)
    except Exception:  # spglib gives up on some structures
        orbits = len(sites)
    return Sublattice(
        count=len(sites),
        site_density_cm3=len(sites) / float(structure.volume) * _PER_A3,
        orbits=orbits,
        nearest_nm=shortest / 10.0,
        occupied=occupied / len(sites),
    )


def _reduced(composition: Composition) -> tuple[Composition, str]:
    """Return a composition per formula unit, and its formula with amounts to two decimals.

    Of partly occupied sites, too: the elements with whole amounts decide.
    """
    from pymatgen.core import Composition

    amounts = composition.get_el_amt_dict()
    whole = [round(amount) for amount in amounts.values() if abs(amount - round(amount)) < 1e-6]
    units = gcd(*whole) or 1
    reduced = {symbol: amount / units for symbol, amount in amounts.items()}
    rounded = Composition({symbol: round(amount, 2) for symbol, amount in reduced.items()})
    return Composition(reduced), rounded.reduced_formula


def _symbol(species: object) -> str:
    return re.sub(r"[^A-Za-z]", "", str(getattr(species, "symbol", species)))


def _radius_A(structure: Structure, sites: list[int]) -> float:
    """Return a radius within which every site has neighbours of its kind."""
    mean = (float(structure.volume) / len(sites)) ** (1.0 / 3.0)
    longest = float(max(structure.lattice.abc))
    return float(max(3.0 * mean, 1.01 * longest))


def converted_energies(
    published_eV: Mapping[str, float],
    *,
    fermi_level_eV: float,
    mu_eV: float,
    mobile_ion: str,
    ion_charge: int,
) -> dict[str, float]:
    """Return formation energies as records have them: E0 at the valence band and mu = 0.

    ``E = E0 + q·E_F − dn·mu``: a published energy holds at a Fermi level above the valence band
    maximum and at a chemical potential of the neutral mobile element against its metal (0 in
    equilibrium with the metal, −V·z at a voltage V).

    Parameters
    ----------
    published_eV : mapping
        By defect: ``V_Li`` or ``Li_i`` of the mobile ion.
    fermi_level_eV, mu_eV : float
        At which they hold.
    mobile_ion, ion_charge : str, int
        Mobile ion and its charge, as in the record.

    Raises
    ------
    InputError
        A defect is neither the vacancy nor the interstitial of the mobile ion.
    """
    found = {}
    for name, energy in published_eV.items():
        sign = {f"V_{mobile_ion}": -1, f"{mobile_ion}_i": 1}.get(name)
        if sign is None:
            raise InputError(
                f"{name!r} is not a defect of {mobile_ion}",
                where="--convert",
                fix=f"name V_{mobile_ion} and {mobile_ion}_i; add others to the record by hand",
            )
        found[name] = energy - sign * ion_charge * fermi_level_eV + sign * mu_eV
    return found


def parsed_conversion(text: str) -> tuple[dict[str, float], float, float]:
    """Return energies, Fermi level and mu of ``"V_Li=1.1, Li_i=0.6, E_F=3.2, mu=-1.5"``.

    Raises
    ------
    InputError
        A part is no name and number, or what the energies hold at is missing or no such value.
    """
    energies: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (word.strip() for word in part.partition("="))
        try:
            value = float(number)
        except ValueError:
            value = float("nan")
        if not name or not equals or value != value:
            raise InputError(
                f"{part.strip()!r} is not a name and a number",
                where="--convert",
                fix='write as "V_Li=1.1, Li_i=0.6, E_F=3.2, mu=-1.5"',
            )
        energies[name] = value
    missing = [name for name in ("E_F", "mu") if name not in energies]
    if missing:
        raise InputError(
            f"{' and '.join(missing)} is missing",
            where="--convert",
            fix="say at which Fermi level above the valence band (E_F) and at which potential of "
            "the mobile ion's element against its metal (mu) the energies hold, even if it is 0",
        )
    level, mu = energies.pop("E_F"), energies.pop("mu")
    if mu > 0.0:
        raise InputError(
            f"mu={mu:g} is above the metal, which would precipitate",
            where="--convert",
            fix="give mu against the metal, at most 0; -2.0 is 2 V above lithium for lithium",
        )
    return energies, level, mu


@dataclass(frozen=True)
class _Levels:
    """Levels that do not contradict the given ones, for those that are not given."""

    ionization_eV: float
    gap_eV: float
    neutral_potential_V: float
    cost_eV: float
    fitted: bool


def _levels(
    given: GivenNumbers, activation_eV: float | None, mobile_ion: str, ion_charge: int
) -> _Levels:
    """Return levels with the neutral Fermi level in the gap and the window within it.

    ``E_F = I − W + phi_0 + mu/z`` above the valence band, in equilibrium with the metal of work
    function W or, where the window begins above it, at the window's reduction limit.
    """
    metal = shipped_material(mobile_ion)
    work_function = (
        3.0 if metal is None or metal.kind != "metal" else (metal.states[0].work_function_eV.value)
    )
    lowest, highest = 0.0, 0.0
    if given.window_V is not None:
        lowest, highest = max(given.window_V[0], 0.0), given.window_V[1]
    cost = _COST[0] if given.formation_eV is None else given.formation_eV
    if given.formation_eV is None and activation_eV is not None:
        cost = min(cost, 0.5 * activation_eV)
    potential, ionization = given.neutral_potential_V, given.ionization_eV
    level = None
    if given.formation_energies_eV:
        # of equal densities of both
        signed = {1: 0.0, -1: 0.0}
        for name, energy in given.formation_energies_eV.items():
            signed[1 if name.endswith("_i") else -1] = energy
        level = (signed[-1] - signed[1]) / (2.0 * ion_charge) - lowest
        cost = 0.5 * (signed[-1] + signed[1])
    elif potential is not None and ionization is not None:
        level = ionization - work_function + potential - lowest
    wished = level
    if wished is None:
        wished = (_LEVEL[0] if ionization is None else ionization) - work_function
        wished += (_NEUTRAL[0] if potential is None else potential) - lowest
    # at either end of the window, electrons and holes are fewer than the defects
    margin = cost + _FROM_BAND_EV
    gap = given.gap_eV
    if gap is None:
        # what is given decides, not what is assumed
        decided = level is not None or ionization is not None
        above = wished + lowest + _FROM_BAND_EV if decided else 0.0
        within = highest - lowest + 2.0 * margin
        gap = min(max(_GAP[0], highest + 1.0, within, above), _LARGEST_GAP_EV)
    fitted = False
    if level is None:
        low, high = highest - lowest + margin, gap - margin
        if low > high:
            # the gap is too narrow for that: within it at the lower limit and beside the metal,
            # where the level is higher by that limit
            room = max(gap - lowest, 0.1)
            edge = min(_FROM_BAND_EV, 0.5 * room)
            low, high = edge, room - edge
        level = min(max(wished, low), high)
        fitted = level != wished
        if ionization is None:
            ionization = level + work_function - (potential or _NEUTRAL[0]) + lowest
        elif potential is None:
            potential = min(max(level + work_function - ionization + lowest, -2.5), 7.5)
    return _Levels(
        _LEVEL[0] if ionization is None else ionization,
        gap,
        _NEUTRAL[0] if potential is None else potential,
        cost,
        fitted,
    )


def _activation_eV(
    conductivity_S_cm: float, temperature_K: float, sites: Sublattice, ion_charge: int
) -> float:
    """Return the activation energy of sigma·T with which hops attempt `_FREQUENCY` times a second.

    ``sigma = N z² e² a² nu / (6 k T) exp(−E_a / kT)`` of N sites with hops of length a; where some
    are empty, neutrality makes N the geometric mean of those of vacancies and interstitials.
    """
    from scipy.constants import Boltzmann, elementary_charge

    if conductivity_S_cm <= 0.0:
        return _BARRIER[0]  # what reads the record refuses it
    kT = Boltzmann * temperature_K / elementary_charge
    a_cm = sites.nearest_nm * 1e-7
    prefactor = ion_charge**2 * elementary_charge * sites.site_density_cm3
    if sites.occupied < 0.999:
        prefactor *= (sites.occupied * (1.0 - sites.occupied)) ** 0.5
    prefactor *= a_cm**2 * _FREQUENCY[0] / (6.0 * kT)
    return float(min(max(kT * log(prefactor / conductivity_S_cm), 0.05), 3.0))


#: What stands for the source of a number that is given without one.
_WITHOUT_SOURCE = "given without a source: name it"


def _told(source: str | None) -> tuple[str, str]:
    """Return source and method of what is given."""
    return source or _WITHOUT_SOURCE, "as published" if source else "assumed"


def _quoted(text: str) -> str:
    """Return a text as YAML and JSON quote it."""
    return json.dumps(text, ensure_ascii=False)


def _file_name(file: str) -> str:
    """Return what a source calls a file: where it lies differs from machine to machine."""
    return PurePosixPath(file).name


def _quantity(value: float, uncertainty: float, source: str, how: str) -> str:
    return (
        f"{{value: {value:.6g}, uncertainty: {uncertainty:.3g}, source: {_quoted(source)}, "
        f"method: {_quoted(how)}}}"
    )


@dataclass(frozen=True)
class GivenElectrode:
    """Known properties of an electrode beside its structure; None where unknown.

    Parameters
    ----------
    voltage_V : float, optional
        Against the mobile metal, at the structure's ion content.
    work_function_eV : float, optional
        Work function of the surface that is meant.
    source : str, optional
        Source of both numbers.
    """

    voltage_V: float | None = None
    work_function_eV: float | None = None
    source: str | None = None


#: Assumed of an electrode with an anion, and of one without: voltage and work function.
_COMPOUND = ((3.5, 0.7), (5.0, 0.5))
_ALLOY = ((0.3, 0.3), (3.5, 0.5))


def new_electrode_text(
    name: str, structure: Structure, file: str, mobile_ion: str, given: GivenElectrode
) -> tuple[str, list[str]]:
    """Return an electrode's record as commented YAML, and every number in it that is assumed.

    It has one state, that of the structure; more of them are a curve of voltage and work function.

    Raises
    ------
    InputError
        The structure has no such ion, or a number makes no record.
    """
    sites = mobile_sublattice(structure, mobile_ion)
    told, method = _told(given.source)
    composition, formula = _reduced(structure.composition)
    content = float(composition[mobile_ion])
    full = content / sites.occupied
    alloy = not ANIONS & {element.symbol for element in composition.elements}
    voltage, work_function = _ALLOY if alloy else _COMPOUND

    def known_or(value: float | None, uncertainty: float, default: tuple[float, float]) -> str:
        if value is not None:
            return _quantity(value, uncertainty, told, method)
        why = "assumed: as alloys of the ion have" if alloy else "assumed: as cathodes have"
        return _quantity(*default, why, "assumed")

    density = sites.site_density_cm3
    lines = [
        f"# {formula}, from its structure and the numbers given. Check whatever is assumed.",
        f"name: {name}",
        "kind: metal",
        f"mobile_ion: {mobile_ion}",
        f"structure: {_quoted(file)}",
        f"# One state, that of the structure; add others with less {mobile_ion} for its charge.",
        "states:",
        f"  - ion_content: {content:.6g}   # {mobile_ion} in {formula}",
        "    voltage_V: " + known_or(given.voltage_V, 0.05, voltage),
        "    # Of the neutral phase, of the surface that is meant.",
        "    work_function_eV: " + known_or(given.work_function_eV, 0.2, work_function),
        f"sites_per_formula: {full:.6g}",
        "# With the next lines, its bands bend at a contact; without, it holds its potential.",
        "# space_charge:",
        "#   dielectric_constant: {value: 13, uncertainty: 5, source: assumed, method: assumed}",
        f"#   site_density_cm3: {density:.4g}   # of {_file_name(file)}",
        "#   holes_cm3: {value: 1.0e+20, uncertainty: 1.0e+20, source: assumed, method: assumed}",
    ]
    text, missing = _finished(lines, name, formula)
    return text, [*missing, "space_charge (unknown)"]


def new_record_text(
    name: str, structure: Structure, file: str, mobile_ion: str, given: GivenNumbers
) -> tuple[str, list[str]]:
    """Return a record as commented YAML, and every number in it that is assumed or unknown.

    Parameters
    ----------
    name : str
        Name of the record.
    structure : Structure
        Its crystal.
    file : str
        Path of the structure's file, relative to the record's.
    mobile_ion : str
        Its element.
    given : GivenNumbers
        Known properties.

    Raises
    ------
    InputError
        The structure has no such ion, or a number makes no record.
    """
    sites = mobile_sublattice(structure, mobile_ion)
    z = ION_CHARGES.get(mobile_ion, 1)
    activation = given.activation_eV
    if activation is None and given.conductivity_S_cm is not None:
        activation = _activation_eV(given.conductivity_S_cm, given.temperature_K, sites, z)
    levels = _levels(given, activation, mobile_ion, z)
    fitting = "; moved so that the neutral Fermi level lies in the gap" if levels.fitted else ""
    told, method = _told(given.source)
    quoted, quantity = _quoted, _quantity

    def known_or(value: float | None, share: float, default: tuple[float, float, str]) -> str:
        if value is not None:
            return quantity(value, share, told, method)
        return quantity(*default, "assumed")

    _, formula = _reduced(structure.composition)
    lines = [
        f"# {formula}, from its structure and the numbers given. Check whatever is assumed.",
        f"name: {name}",
        "kind: insulator",
        f"mobile_ion: {mobile_ion}",
        f"structure: {quoted(file)}",
        "# Vacuum level minus valence band maximum, of the surface that is meant.",
        "ionization_potential_eV: "
        + known_or(
            given.ionization_eV, 0.3, (levels.ionization_eV, _LEVEL[1], _LEVEL[2] + fitting)
        ),
        "band_gap_eV: " + known_or(given.gap_eV, 0.4, (levels.gap_eV, *_GAP[1:])),
        "# Static, ions included.",
        "dielectric_constant: "
        + known_or(given.dielectric, 0.2 * (given.dielectric or 1), _DIELECTRIC),
        "# Largest fraction of its sites that a defect may take.",
        "saturation: " + known_or(given.saturation, 0.3 * (given.saturation or 1), _SATURATION),
    ]
    if given.window_V is None:
        lines.append("# stability_window_V: [0.6, 4.2]   # reduction and oxidation; unknown")
    else:
        lines.append("stability_window_V:")
        lines += [f"  - {quantity(limit, 0.2, told, method)}" for limit in given.window_V]
    if given.formation_energies_eV:
        names = {f"V_{mobile_ion}", f"{mobile_ion}_i"}
        lacking = sorted(names - set(given.formation_energies_eV))
        if lacking:
            raise InputError(
                f"{lacking[0]} has no formation energy",
                where="--convert",
                fix="give the vacancy's and the interstitial's: neutrality needs both",
            )
    else:
        spread = min(_COST[1], 0.5 * levels.cost_eV)
        lines += [
            "# Of the neutral phase: its potential against the metal, and what a defect costs.",
            "neutral_potential_V: "
            + known_or(
                given.neutral_potential_V,
                0.2,
                (
                    levels.neutral_potential_V,
                    _NEUTRAL[1],
                    _NEUTRAL[2] + (fitting if given.ionization_eV is not None else ""),
                ),
            ),
            "neutral_formation_energy_eV: "
            + known_or(given.formation_eV, 0.1, (levels.cost_eV, spread, _COST[2])),
        ]
    barrier = quantity(*_BARRIER, "assumed")
    if activation is not None:
        if activation <= levels.cost_eV:
            fix = "check both energies; of a doped phase, a defect costs less (--formation)"
            if given.formation_energies_eV:
                fix = (
                    "a pure crystal with these energies conducts less: give either --convert "
                    "without --conductivity and --activation, and dope the layer of a cell "
                    "(acceptors_cm3, donors_cm3), or --formation instead of --convert"
                )
            raise InputError(
                f"an activation energy of {activation:.3g} eV leaves nothing for the hop, since a "
                f"defect costs {levels.cost_eV:.3g} eV",
                where="--conductivity" if given.activation_eV is None else "--activation",
                fix=fix,
            )
        barrier = quantity(
            activation - levels.cost_eV,
            0.1,
            f"{told}; activation energy {activation:g} eV less what a defect costs",
            "derived" if given.source else "assumed",
        )
    if given.conductivity_S_cm is not None:
        choices = (
            [given.carriers]
            if given.carriers
            else [
                (f"{mobile_ion}_i", f"V_{mobile_ion}"),
                (f"{mobile_ion}_i",),
                (f"V_{mobile_ion}",),
            ]
        )
        which = told if given.carriers else "assumed"
        lines += [
            "# Of the ion in the undoped bulk; migration energies follow from it.",
            "conductivity:",
            "  value_S_cm: "
            + quantity(given.conductivity_S_cm, 0.5 * given.conductivity_S_cm, told, method),
            f"  temperature_K: {given.temperature_K:g}",
            "  # of sigma·T, not of sigma",
            "  activation_energy_eV: "
            + (
                quantity(given.activation_eV, 0.05, told, method)
                if given.activation_eV is not None
                else quantity(
                    activation or _BARRIER[0],
                    0.1,
                    "assumed: gives 1e13 hop attempts per second",
                    "assumed",
                )
            ),
            "carriers:" + ("" if given.carriers else "   # unknown: all choices weigh the same"),
            *(
                f"  - {{defects: [{', '.join(chosen)}], weight: 1, source: {quoted(which)}}}"
                for chosen in choices
            ),
        ]
    counted = (
        f"{sites.count} sites of {mobile_ion} in {float(structure.volume):.1f} Å3 of "
        f"{_file_name(file)}, of {sites.orbits} kind{'s' * (sites.orbits != 1)}"
    )
    # of each defect: density of its sites, uncertainty as a share of it, source and method
    densities = {
        1: (sites.site_density_cm3, 0.5, "assumed: as many as sites of the ion", "assumed"),
        -1: (sites.site_density_cm3, 0.02, counted, "derived"),
    }
    if sites.occupied < 0.999:
        for sign, share, which in (
            # halves of a split site are not empty at the same time
            (1, 1.0 - sites.occupied, "empty"),
            (-1, sites.occupied, "occupied"),
        ):
            densities[sign] = (
                share * sites.site_density_cm3,
                0.3 if sign > 0 else 0.02,
                f"the {share * sites.count:.3g} {which} ones of the {counted}",
                "derived",
            )
    lines.append("defects:")
    for defect, sign in ((f"{mobile_ion}_i", 1), (f"V_{mobile_ion}", -1)):
        density, share, density_source, how = densities[sign]
        lines += [
            f"  - name: {defect}",
            f"    charge: {sign * z}",
            f"    ion_change: {sign}",
            "    site_density_cm3: " + quantity(density, density * share, density_source, how),
            f"    sublattice: {defect}",
        ]
        if defect in given.formation_energies_eV:
            energy = given.formation_energies_eV[defect]
            source = f"{told}; {given.conversion}"
            lines.append(f"    formation_energy_eV: {quantity(energy, 0.2, source, method)}")
        if given.conductivity_S_cm is None:
            lines.append(f"    migration_energy_eV: {barrier}")
        lines += [
            f"    attempt_frequency_Hz: {quantity(*_FREQUENCY, 'assumed')}",
            "    hop_distance_nm: "
            + quantity(
                sites.nearest_nm,
                0.1 * sites.nearest_nm,
                f"nearest sites of {mobile_ion} in {_file_name(file)}",
                "derived",
            ),
        ]
    text, missing = _finished(lines, name, formula)
    if given.window_V is None:
        missing.append("stability_window_V (unknown)")
    if given.conductivity_S_cm is None:
        missing.append("conductivity (unknown)")
    elif not given.carriers:
        missing.append("carriers")
    return text, missing


def _finished(lines: list[str], name: str, formula: str) -> tuple[str, list[str]]:
    """Return the text of a record with its provenance, which loads, and what it assumes."""
    text = "\n".join([*lines, "provenance:", "  record: user", f"  formula: {formula}"]) + "\n"
    # it loads, but for the structure, which lies in a file beside it
    document = parse_yaml(text, where=name)
    document["structure"] = None
    made = material_from(document, where=f"the new record {name}")
    missing = [
        field
        for field, known in quantities(made)
        if known.assumed and not (known.source or "").startswith(_WITHOUT_SOURCE)
    ]
    return text, missing
