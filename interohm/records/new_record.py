"""A record from a crystal structure and what a paper says: text in YAML that loads at once.

Sites, sublattices and hop distances come from the structure. What nobody gave is assumed, with a
wide uncertainty, and said to be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interohm.errors import InputError
from interohm.records.material import ION_CHARGES, material_from
from interohm.yaml_io import parse_yaml

if TYPE_CHECKING:
    from pymatgen.core import Structure

#: cm⁻³ in Å⁻³.
_PER_A3 = 1e24

#: Assumed where nothing is given: value, uncertainty, and why.
_LEVEL = (6.3, 1.0, "assumed: near LLZO's and LiPON's records")
_GAP = (5.0, 1.5, "assumed: an insulator")
_DIELECTRIC = (12.0, 6.0, "assumed: as oxides and sulfides of lithium have")
_NEUTRAL = (1.5, 0.5, "assumed: shipped electrolytes have 1.2 to 1.9 V")
_COST = (0.3, 0.2, "assumed: between a glass and a crystal")
_BARRIER = (0.4, 0.15, "assumed: as solid electrolytes have")
_FREQUENCY = (1.0e13, 3.0e12, "assumed: a lithium ion's vibration")


@dataclass(frozen=True)
class GivenNumbers:
    """What is known beside the structure; None where it is not.

    Parameters
    ----------
    conductivity_S_cm : float, optional
        Of the ion at `temperature_K`, of the bulk.
    activation_eV : float, optional
        Of sigma·T.
    temperature_K : float
        Of the conductivity.
    gap_eV, dielectric, ionization_eV, neutral_potential_V : float, optional
        As the record's fields.
    window_V : (float, float), optional
        Reduction and oxidation limit.
    formation_energies_eV : mapping
        E0 by defect, at the valence band and mu = 0 (see `converted_energies`).
    conversion : str
        How these were converted, for their source.
    source : str, optional
        Where all of these are from.
    """

    conductivity_S_cm: float | None = None
    activation_eV: float | None = None
    temperature_K: float = 300.0
    gap_eV: float | None = None
    dielectric: float | None = None
    ionization_eV: float | None = None
    neutral_potential_V: float | None = None
    window_V: tuple[float, float] | None = None
    formation_energies_eV: Mapping[str, float] = field(default_factory=dict)
    conversion: str = ""
    source: str | None = None


@dataclass(frozen=True)
class Sublattice:
    """Sites of the mobile ion in a crystal, all of them together."""

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
        site_density_cm3=len(sites) / float(structure.volume) * _PER_A3,
        orbits=orbits,
        nearest_nm=shortest / 10.0,
        occupied=occupied / len(sites),
    )


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
        Of the record.

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


def new_record_text(
    name: str, structure: Structure, file: str, mobile_ion: str, given: GivenNumbers
) -> tuple[str, list[str]]:
    """Return a record as commented YAML, and what it lacks.

    Parameters
    ----------
    name : str
        Of the record.
    structure : Structure
        Its crystal.
    file : str
        What the record calls the structure's file.
    mobile_ion : str
        Its element.
    given : GivenNumbers
        What is known.

    Raises
    ------
    InputError
        The structure has no such ion, or a number makes no record.
    """
    sites = mobile_sublattice(structure, mobile_ion)
    z = ION_CHARGES.get(mobile_ion, 1)
    missing: list[str] = []
    told = given.source or "given without a source: name it"
    method = "as published" if given.source else "assumed"

    def quoted(text: str) -> str:
        """Return a text as YAML and JSON quote it."""
        return json.dumps(text, ensure_ascii=False)

    def quantity(value: float, uncertainty: float, source: str, how: str) -> str:
        return (
            f"{{value: {value:.6g}, uncertainty: {uncertainty:.3g}, source: {quoted(source)}, "
            f"method: {quoted(how)}}}"
        )

    def known_or(
        what: str, value: float | None, share: float, default: tuple[float, float, str]
    ) -> str:
        if value is not None:
            return quantity(value, share, told, method)
        missing.append(what)
        return quantity(*default, "assumed")

    formula = structure.composition.reduced_formula
    lines = [
        f"# {formula}: what was given beside a structure. Look at every number that says assumed.",
        f"name: {name}",
        "kind: insulator",
        f"mobile_ion: {mobile_ion}",
        f"structure: {quoted(file)}",
        "# Vacuum level minus valence band maximum, of the surface that is meant.",
        "ionization_potential_eV: "
        + known_or("ionization potential (eV)", given.ionization_eV, 0.3, _LEVEL),
        "band_gap_eV: " + known_or("band gap (eV)", given.gap_eV, 0.4, _GAP),
        "# Static, ions included.",
        "dielectric_constant: "
        + known_or(
            "static dielectric constant",
            given.dielectric,
            0.2 * (given.dielectric or 1),
            _DIELECTRIC,
        ),
        "# Largest fraction of its sites that a defect may take.",
        "saturation: " + quantity(0.3, 0.3, "assumed", "assumed"),
    ]
    if given.window_V is None:
        missing.append("stability window (V, reduction and oxidation against the metal)")
        lines.append("# stability_window_V: [0.6, 4.2]   # reduction and oxidation; unknown")
    else:
        lines.append("stability_window_V:")
        lines += [f"  - {quantity(limit, 0.2, told, method)}" for limit in given.window_V]
    activation = given.activation_eV
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
        cost, spread, why = _COST
        if activation is not None and cost > 0.5 * activation:
            cost, spread = 0.5 * activation, 0.25 * activation
        lines += [
            "# Of the neutral phase: its potential against the metal, and a defect's cost there.",
            "neutral_potential_V: "
            + known_or("neutral potential phi_0 (V)", given.neutral_potential_V, 0.2, _NEUTRAL),
            f"neutral_formation_energy_eV: {quantity(cost, spread, why, 'assumed')}",
        ]
        missing.append("formation energies of the vacancy and the interstitial (eV)")
    if given.conductivity_S_cm is not None:
        if activation is None:
            missing.append("activation energy of sigma·T (eV)")
        lines += [
            "# Of the ion in the undoped bulk; migration energies follow from it.",
            "conductivity:",
            "  value_S_cm: "
            + quantity(given.conductivity_S_cm, 0.5 * given.conductivity_S_cm, told, method),
            f"  temperature_K: {given.temperature_K:g}",
            "  # of sigma·T, not of sigma",
            "  activation_energy_eV: "
            + (
                quantity(activation, 0.05, told, method)
                if activation is not None
                else quantity(*_BARRIER, "assumed")
            ),
            "carriers:   # nothing says which: all three weigh alike",
            *(
                f'  - {{defects: [{", ".join(chosen)}], weight: 1, source: "assumed"}}'
                for chosen in (
                    (f"{mobile_ion}_i", f"V_{mobile_ion}"),
                    (f"{mobile_ion}_i",),
                    (f"V_{mobile_ion}",),
                )
            ),
        ]
    else:
        missing.append("conductivity of the ion (S/cm at 300 K) and its activation energy (eV)")
    counted = (
        f"{len(structure)} sites in {float(structure.volume):.1f} Å3 of {file}, "
        f"{sites.orbits} kinds of {mobile_ion}"
    )
    if sites.occupied < 0.999:
        counted += f", {sites.occupied:.0%} of them occupied"
    lines.append("defects:")
    for defect, sign in ((f"{mobile_ion}_i", 1), (f"V_{mobile_ion}", -1)):
        vacancy = sign < 0
        density_source = counted if vacancy else "assumed: as many as sites of the ion"
        lines += [
            f"  - name: {defect}",
            f"    charge: {sign * z}",
            f"    ion_change: {sign}",
            "    site_density_cm3: "
            + quantity(
                sites.site_density_cm3,
                sites.site_density_cm3 * (0.02 if vacancy else 0.5),
                density_source,
                "derived" if vacancy else "assumed",
            ),
            f"    sublattice: {defect}",
        ]
        if defect in given.formation_energies_eV:
            energy = given.formation_energies_eV[defect]
            source = f"{told}; {given.conversion}"
            lines.append(f"    formation_energy_eV: {quantity(energy, 0.2, source, method)}")
        if given.conductivity_S_cm is None:
            lines.append(f"    migration_energy_eV: {quantity(*_BARRIER, 'assumed')}")
        lines += [
            f"    attempt_frequency_Hz: {quantity(*_FREQUENCY, 'assumed')}",
            "    hop_distance_nm: "
            + quantity(
                sites.nearest_nm,
                0.1 * sites.nearest_nm,
                f"nearest sites of {mobile_ion} in {file}",
                "derived",
            ),
        ]
    lines += ["provenance:", "  record: user", f"  formula: {formula}"]
    text = "\n".join(lines) + "\n"
    # it loads, but for the structure, which lies in a file beside it
    document = parse_yaml(text, where=name)
    document["structure"] = None
    material_from(document, where=f"the new record {name}")
    return text, missing
