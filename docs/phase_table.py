"""The tables of docs/phases.md: the shipped calculated records beside what others published.

``python docs/phase_table.py PAGE`` puts them between the page's marks; without a page
they are printed. Ours come from ``configs/materials`` and ``configs/calculations``, the others from
``configs/published/phases.yaml``; energies with more k-points from ``docs/supercell_kpoints.yaml``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from page_tables import print_or_write
from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Element, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.database.shipped_calculations import shipped_calculation
from interohm.device_models import neutral_bulk
from interohm.errors import InputError
from interohm.prediction.sampling import phase_of
from interohm.records import Defect, Insulator, Metal
from interohm.records.shipped import SHIPPED_FOLDER, shipped_material, shipped_names
from interohm.yaml_io import load_yaml, validated

PUBLISHED = SHIPPED_FOLDER.parent / "published" / "phases.yaml"
#: By mobile ion, in the page's order: the record whose vacuum level is the zero of potentials,
#: calculated like the others.
ZEROS = {"Li": "Li_110", "Na": "Na_110", "K": "K_110", "Mg": "Mg_001"}
#: By pair: supercell, negative and positive defect, each with its shipped calculation and its
#: energy with more k-points.
MORE = load_yaml(Path(__file__).with_name("supercell_kpoints.yaml"))
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->"
_TEMPERATURE_K = 300.0


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PublishedValue(_Config):
    """A number, with the digits that are printed, and the key of its source."""

    value: Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$")]
    source: str


class PublishedPair(_Config):
    """One property as others calculated and measured it."""

    calculated: list[PublishedValue] = Field(default_factory=list)
    measured: list[PublishedValue] = Field(default_factory=list)


class Published(_Config):
    """All published values: by quantity, then by phase, defects or surface."""

    sources: dict[str, str]
    values: dict[str, dict[str, PublishedPair]]


class Row(_Config):
    """One line of a table: its name, the key of the published value, and our own cells."""

    name: str
    key: str
    ours: list[str]


def main() -> int:
    """Print the tables, or put them into a page."""
    return print_or_write(tables(), BEGIN, END)


def tables() -> str:
    """Return all tables, a part for each mobile ion, and the list of their sources, as Markdown."""
    published = validated(Published, load_yaml(PUBLISHED), where=str(PUBLISHED))
    records = calculated_records()
    parts = [
        part
        for ion in ZEROS
        if (own := [record for record in records if record.mobile_ion == ion])
        for part in _of_ion(_metal_name(ion), own, published)
    ]
    sources = "".join(f"- **{key}**: {text}.\n" for key, text in published.sources.items())
    return "\n".join([*parts, f"## Sources\n\n{sources}"])


def _metal_name(ion: str) -> str:
    return str(Element(ion).long_name).lower()


def _of_ion(
    metal: str, records: Sequence[Insulator | Metal], published: Published
) -> Iterator[str]:
    """Yield the tables of one mobile ion's phases; what no phase has is left out."""
    # A formula's crystal and defects are the same in the records of all its surfaces; an
    # electrode's record has the structure that its states were made from.
    relaxed = [record for record in records if "plateaus" not in record.provenance]
    crystals = {_formula(record): record for record in reversed(relaxed)}
    crystals = {name: crystals[name] for name in dict.fromkeys(map(_formula, relaxed))}
    insulators = [record for record in records if isinstance(record, Insulator)]
    solids = [record for record in crystals.values() if isinstance(record, Insulator)]
    yield f"## {metal.capitalize()}\n"

    def table(title: str, columns: list[str], rows: Iterable[Row], quantity: str) -> Iterator[str]:
        if found := list(rows):
            yield _table(title, columns, found, published, quantity)

    yield from table(
        "Lattice constants (Å)",
        ["ours"],
        (row for record in crystals.values() for row in _lattice_rows(record)),
        "lattice_constant_A",
    )
    yield from table(
        "Band gaps (eV)",
        ["ours"],
        (Row(name=_formula(r), key=_formula(r), ours=[f"{_gap(r):.2f}"]) for r in solids),
        "band_gap_eV",
    )
    yield from table(
        "Ionization potentials and work functions (eV)",
        ["level", "ours", "as cut"],
        (row for record in records for row in _level_rows(record)),
        "level_eV",
    )
    yield from table(
        "Surface energies (J/m²)",
        ["ours", "as cut"],
        (row for record in records for row in _surface_rows(record)),
        "surface_energy_J_m2",
    )
    yield from table(
        f"Mean voltages against {metal} (V)",
        ["ours"],
        (row for record in records for row in _voltage_rows(record)),
        "voltage_V",
    )
    yield from table(
        f"Stability windows against {metal} (V)",
        ["from", "to", "decomposes to"],
        (row for record in solids for row in _window_rows(record)),
        "stability_limit_V",
    )
    yield from table(
        "Formation energies of neutral groups of defects (eV)",
        ["ours", "per defect"],
        (row for record in solids for row in _group_rows(record)),
        "pair_energy_eV",
    )
    yield from table(
        "Formation energy at neutrality (eV)",
        ["neutral by", "preset", "ours"],
        (_neutral_row(record) for record in insulators),
        "formation_energy_neutral_eV",
    )
    yield from table(
        f"Neutral potential above {metal} (V)",
        ["ours", "as cut"],
        (_potential_row(record) for record in insulators),
        "neutral_potential_V",
    )
    yield from table(
        "Migration energies (eV)",
        ["ours"],
        (row for record in solids for row in _migration_rows(record)),
        "migration_energy_eV",
    )
    yield from table(
        "Dielectric constants",
        ["ours"],
        (row for record in solids for row in _dielectric_rows(record)),
        "dielectric_constant",
    )
    if solids:
        yield (
            "### Energy of the defects' supercell less the crystal's (eV per formula unit)\n\n"
            "| phase | atoms | difference |\n| --- | ---: | ---: |\n"
            + "".join(_supercell_line(record) for record in solids)
        )
        if pairs := [row for record in solids for row in _group_rows(record) if row.key in MORE]:
            yield (
                "### Neutral pairs with more k-points in the supercells (eV)\n\n"
                "| pair | Γ | 2 × 2 × 2 points without Γ |\n| --- | ---: | ---: |\n"
                + "".join(_kpoints_line(row) for row in pairs)
            )


def calculated_records() -> list[Insulator | Metal]:
    """Return the shipped records that this program calculated, metals first, in order of name."""
    found = [record for name in shipped_names() if (record := shipped_material(name)) is not None]
    ours = [record for record in found if "preset" in record.provenance]
    return sorted(ours, key=lambda record: (record.kind != "metal", record.name))


def _table(
    title: str, columns: list[str], rows: list[Row], published: Published, quantity: str
) -> str:
    """Return a Markdown table with our columns and the two published ones."""
    of_phase = published.values.get(quantity, {})
    heads = ["phase", *columns, "calculated elsewhere", "measured"]
    lines = [f"### {title}", "", _line(heads), _line(["---", *["---:"] * (len(heads) - 1)])]
    for row in rows:
        other = of_phase.get(row.key, PublishedPair())
        lines.append(_line([row.name, *row.ours, _cell(other.calculated), _cell(other.measured)]))
    return "\n".join([*lines, ""])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(values: list[PublishedValue]) -> str:
    return ", ".join(f"{one.value} ({one.source})" for one in values)


def _structure(record: Insulator | Metal) -> Structure:
    return Structure.from_dict(record.structure)


def _formula(record: Insulator | Metal) -> str:
    return _structure(record).composition.reduced_formula


def _surface(record: Insulator | Metal) -> str:
    facet = re.match(r"\([^)]*\)", record.surface or "")
    return f"{_formula(record)} {facet[0]}" if facet else _formula(record)


def _lattice_rows(record: Insulator | Metal) -> Iterator[Row]:
    cell = SpacegroupAnalyzer(
        _structure(record), symprec=1e-3
    ).get_conventional_standard_structure()
    axes = dict(zip("abc", cell.lattice.abc, strict=True))
    different = {axis: a for axis, a in axes.items() if axis == "a" or abs(a - axes["a"]) > 1e-3}
    for axis, length in different.items():
        name = _formula(record) if len(different) == 1 else f"{_formula(record)} {axis}"
        yield Row(name=name, key=name, ours=[f"{length:.3f}"])


def _gap(record: Insulator) -> float:
    return record.band_gap_eV.value


def _level_rows(record: Insulator | Metal) -> Iterator[Row]:
    if isinstance(record, Insulator):
        levels = [("ionization potential", "", record.ionization_potential_eV)]
    else:
        several = len(record.states) > 1
        levels = [
            ("work function", f", x = {s.ion_content:g}" if several else "", s.work_function_eV)
            for s in record.states
        ]
    for kind, state, level in levels:
        if (level.method or "").startswith("calculated"):
            value = f"{level.value:.2f} ± {level.uncertainty:.2g}"
            before = _as_cut(record).get("level_eV")
            ours = [kind, value, "" if before is None else f"{before:.2f}"]
            yield Row(name=_surface(record) + state, key=record.name, ours=ours)


def _voltage_rows(record: Insulator | Metal) -> Iterator[Row]:
    for plateau in record.provenance.get("plateaus", []):
        name = f"{_formula(record)} {plateau['from']:g} to {plateau['to']:g}"
        yield Row(name=name, key=name, ours=[f"{plateau['voltage_V']:.2f}"])


def _window_rows(record: Insulator) -> Iterator[Row]:
    """Return one line for each of our windows; published values give its upper limit."""
    if record.stability_window_V is None or "phase_diagram" not in record.provenance:
        return
    low, high = record.stability_window_V
    beyond = ", ".join(record.provenance["phase_diagram"]["oxidized_to"])
    ours = [f"{low.value:.2f}", f"{high.value:.2f} ± {high.uncertainty:.1f}", beyond]
    yield Row(name=_formula(record), key=_formula(record), ours=ours)


def _migration_rows(record: Insulator) -> Iterator[Row]:
    """Return one line for each mobile defect; ours is empty where the record cites another."""
    for defect in record.defects:
        if (energy := defect.migration_energy_eV) is not None:
            name = f"{_formula(record)} {defect.name}"
            ours = f"{energy.value:.2f}" if (energy.source or "").startswith("calculation ") else ""
            yield Row(name=name, key=name, ours=[ours])


def _as_cut(record: Insulator | Metal) -> dict[str, float]:
    """Return level and energy of the surface before it was relaxed; of one as cut they are its own.

    Empty where the record names no surface or more than one.
    """
    surfaces = record.provenance.get("surfaces", [])
    if len(surfaces) != 1:
        return {}
    own: dict[str, float] = surfaces[0].get("as_cut", surfaces[0])
    return own


def _surface_rows(record: Insulator | Metal) -> Iterator[Row]:
    for surface in record.provenance.get("surfaces", [])[:1]:
        if "surface_energy_J_m2" in surface:
            before = _as_cut(record).get("surface_energy_J_m2")
            energies = [surface["surface_energy_J_m2"], before]
            ours = ["" if energy is None else f"{energy:.2f}" for energy in energies]
            yield Row(name=_surface(record), key=record.name, ours=ours)


def _group_rows(record: Insulator) -> Iterator[Row]:
    """Return one line for each positive defect with the ion vacancies that make it neutral."""
    charge = record.ion_charge
    (vacancy,) = (d for d in record.defects if d.charge == -charge and d.ion_change == -1)
    for positive in record.defects:
        if positive.charge <= 0:
            continue
        common = math.gcd(positive.charge, charge)
        counts = {vacancy: positive.charge // common, positive: charge // common}
        energy = sum(n * defect.formation_energy_eV.value for defect, n in counts.items())
        group = " + ".join(f"{n} {d.name}" if n > 1 else d.name for d, n in counts.items())
        name = f"{_formula(record)} {group}"
        ours = [f"{energy:.2f}", f"{energy / sum(counts.values()):.2f}"]
        yield Row(name=name, key=name, ours=ours)


def _neutral(record: Insulator) -> tuple[float, Defect, Defect, float]:
    """Return phi_0, the neutralizing defects (−, +), and their formation energy there.

    Electrons and holes are left out: PBE's gap would let them in where the crystal's does not.
    """
    zero = shipped_material(ZEROS[record.mobile_ion])
    assert isinstance(zero, Metal)
    bulk = neutral_bulk(
        phase_of(record, electrons=False),
        temperature_K=_TEMPERATURE_K,
        metal_work_function_eV=zero.states[-1].work_function_eV.value,
    )
    charges = np.array([defect.charge for defect in record.defects])
    density = charges * bulk.concentrations_cm3
    negative, positive = record.defects[density.argmin()], record.defects[density.argmax()]
    level = float(bulk.fermi_level_eV)
    energy = negative.formation_energy_eV.value + negative.charge * level
    return float(bulk.neutral_potential_V), negative, positive, energy


def _neutral_row(record: Insulator) -> Row:
    _, negative, positive, energy = _neutral(record)
    ours = [f"{negative.name}, {positive.name}", record.provenance["preset"], f"{energy:.2f}"]
    return Row(name=_surface(record), key=record.name, ours=ours)


def _potential_row(record: Insulator) -> Row:
    """Return our neutral potential, and what it would be at the surface as cut."""
    potential = _neutral(record)[0]
    ours = [f"{potential:.2f}", ""]
    if (before := _as_cut(record).get("level_eV")) is not None:
        ours[1] = f"{potential + record.ionization_potential_eV.value - before:.2f}"
    return Row(name=_surface(record), key=record.name, ours=ours)


def _dielectric_rows(record: Insulator) -> Iterator[Row]:
    """Return one line for each dielectric constant that was calculated here."""
    constant = record.dielectric_constant
    if (constant.source or "").startswith("calculation "):
        yield Row(name=_formula(record), key=_formula(record), ours=[f"{constant.value:.2f}"])


def _supercell_line(record: Insulator) -> str:
    """Describe the effect of the supercell's few k-points: their mesh is not the crystal's."""
    hashes = record.provenance["calculations"]
    energies = {}
    for name in ("bulk", "supercell"):
        document = _shipped(hashes[name], record.name)
        atoms = Structure.from_dict(document["structure"])
        units = len(atoms) / atoms.composition.reduced_composition.num_atoms
        energies[name] = document["energy_eV"] / units
    difference = energies["supercell"] - energies["bulk"]
    return f"| {_formula(record)} | {len(atoms)} | {difference:.3f} |\n"


def _kpoints_line(row: Row) -> str:
    """Describe what more k-points in all supercells change in the energy of a pair."""
    changes = {
        what: given["energy_eV"] - _shipped(given["calculation"], row.name)["energy_eV"]
        for what, given in MORE[row.key].items()
    }
    change = changes["negative"] + changes["positive"] - 2 * changes["supercell"]
    return f"| {row.name} | {row.ours[0]} | {float(row.ours[0]) + change:.2f} |\n"


def _shipped(hash: str, name: str) -> dict[str, Any]:
    document = shipped_calculation(hash)
    if document is None:
        raise InputError(f"the calculation {hash} is not shipped", where=name)
    return document


if __name__ == "__main__":
    raise SystemExit(main())
