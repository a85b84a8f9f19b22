"""The tables of docs/phases.md: the shipped calculated records beside what others published.

``python docs/phase_table.py PAGE`` puts them between the page's marks; without a page
they are printed. Ours come from ``configs/materials`` and ``configs/calculations``, the others from
``configs/published/phases.yaml``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.database.shipped_calculations import shipped_calculation
from interohm.device_models import neutral_bulk
from interohm.errors import InputError
from interohm.prediction.sampling import phase_of
from interohm.records import Defect, Insulator, Metal
from interohm.records.shipped import SHIPPED_FOLDER, shipped_material, shipped_names
from interohm.yaml_io import load_yaml, validated, write_text

PUBLISHED = SHIPPED_FOLDER.parent / "published" / "phases.yaml"
#: The record whose vacuum level is the zero of potentials: calculated like the others.
ZERO = "Li_110"
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->"
_TEMPERATURE_K = 300.0


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PublishedValue(_Config):
    """A number, with the digits that are printed, and the key of its source."""

    value: Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$")]
    source: str


class PublishedPair(_Config):
    """What others calculated and what was measured."""

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
    text = tables()
    if len(sys.argv) < 2:
        sys.stdout.write(text)
        return 0
    page = Path(sys.argv[1])
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"lacks the lines {BEGIN.strip()} and {END}", where=str(page))
    write_text(page, before + begin + text + end + after)
    return 0


def tables() -> str:
    """Return all tables and the list of their sources, as Markdown."""
    published = validated(Published, load_yaml(PUBLISHED), where=str(PUBLISHED))
    records = calculated_records()
    # A formula's crystal and defects are the same in the records of all its surfaces; an
    # electrode's record has the structure that its states were made from.
    relaxed = [record for record in records if "plateaus" not in record.provenance]
    crystals = {_formula(record): record for record in reversed(relaxed)}
    crystals = {name: crystals[name] for name in dict.fromkeys(map(_formula, relaxed))}
    insulators = [record for record in records if isinstance(record, Insulator)]
    solids = [record for record in crystals.values() if isinstance(record, Insulator)]
    parts = [
        _table(
            "Lattice constants (Å)",
            ["ours"],
            [row for record in crystals.values() for row in _lattice_rows(record)],
            published,
            "lattice_constant_A",
        ),
        _table(
            "Band gaps (eV)",
            ["ours"],
            [
                Row(name=n, key=n, ours=[f"{_gap(r):.2f}"])
                for n, r in zip(map(_formula, solids), solids, strict=True)
            ],
            published,
            "band_gap_eV",
        ),
        _table(
            "Ionization potentials and work functions (eV)",
            ["level", "ours"],
            [row for record in records for row in _level_rows(record)],
            published,
            "level_eV",
        ),
        _table(
            "Surface energies (J/m²)",
            ["ours"],
            [row for record in records for row in _surface_rows(record)],
            published,
            "surface_energy_J_m2",
        ),
        _table(
            "Mean voltages against lithium (V)",
            ["ours"],
            [row for record in records for row in _voltage_rows(record)],
            published,
            "voltage_V",
        ),
        _table(
            "Stability windows against lithium (V)",
            ["from", "to", "decomposes to"],
            [row for record in solids for row in _window_rows(record)],
            published,
            "stability_limit_V",
        ),
        _table(
            "Formation energies of neutral groups of defects (eV)",
            ["ours", "per defect"],
            [row for record in solids for row in _group_rows(record)],
            published,
            "pair_energy_eV",
        ),
        _table(
            "Formation energy at neutrality (eV)",
            ["neutral by", "preset", "ours"],
            [_neutral_row(record) for record in insulators],
            published,
            "formation_energy_neutral_eV",
        ),
        _table(
            "Neutral potential above lithium (V)",
            ["ours"],
            [Row(name=_surface(r), key=r.name, ours=[f"{_neutral(r)[0]:.2f}"]) for r in insulators],
            published,
            "neutral_potential_V",
        ),
        _table(
            "Migration energies (eV)",
            ["ours"],
            [row for record in solids for row in _migration_rows(record)],
            published,
            "migration_energy_eV",
        ),
        "### Energy of the defects' supercell less the crystal's (eV per formula unit)\n\n"
        "| phase | atoms | difference |\n| --- | ---: | ---: |\n"
        + "".join(_supercell_line(record) for record in solids),
        "### Sources\n\n"
        + "".join(f"- **{key}**: {text}.\n" for key, text in published.sources.items()),
    ]
    return "\n".join(parts)


def calculated_records() -> list[Insulator | Metal]:
    """Return the shipped records that this program calculated, metals first, in order of name."""
    found = [record for name in shipped_names() if (record := shipped_material(name)) is not None]
    ours = [record for record in found if "preset" in record.provenance]
    return sorted(ours, key=lambda record: (record.kind != "metal", record.name))


def _table(
    title: str, columns: list[str], rows: list[Row], published: Published, quantity: str
) -> str:
    """Return a Markdown table with our columns and the two published ones."""
    of_phase = published.values[quantity]
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
            value = f"{level.value:.2f} ± {level.uncertainty:.1f}"
            yield Row(name=_surface(record) + state, key=record.name, ours=[kind, value])


def _voltage_rows(record: Insulator | Metal) -> Iterator[Row]:
    for plateau in record.provenance.get("plateaus", []):
        name = f"{_formula(record)} {plateau['from']:g} to {plateau['to']:g}"
        yield Row(name=name, key=name, ours=[f"{plateau['voltage_V']:.2f}"])


def _window_rows(record: Insulator) -> Iterator[Row]:
    """One line for a window of our own; what others have is its upper limit."""
    if record.stability_window_V is None or "phase_diagram" not in record.provenance:
        return
    low, high = record.stability_window_V
    beyond = ", ".join(record.provenance["phase_diagram"]["oxidized_to"])
    ours = [f"{low.value:.2f}", f"{high.value:.2f} ± {high.uncertainty:.1f}", beyond]
    yield Row(name=_formula(record), key=_formula(record), ours=ours)


def _migration_rows(record: Insulator) -> Iterator[Row]:
    """One line for a defect that moves; ours is empty where the record has another's number."""
    for defect in record.defects:
        if (energy := defect.migration_energy_eV) is not None:
            name = f"{_formula(record)} {defect.name}"
            ours = f"{energy.value:.2f}" if (energy.source or "").startswith("calculation ") else ""
            yield Row(name=name, key=name, ours=[ours])


def _surface_rows(record: Insulator | Metal) -> Iterator[Row]:
    for surface in record.provenance.get("surfaces", [])[:1]:
        if "surface_energy_J_m2" in surface:
            energy = f"{surface['surface_energy_J_m2']:.2f}"
            yield Row(name=_surface(record), key=record.name, ours=[energy])


def _group_rows(record: Insulator) -> Iterator[Row]:
    """One line for each positive defect with as many ion vacancies as make it neutral."""
    (vacancy,) = (d for d in record.defects if d.charge == -1 and d.ion_change == -1)
    for positive in record.defects:
        if positive.charge <= 0:
            continue
        number = positive.charge
        energy = positive.formation_energy_eV.value + number * vacancy.formation_energy_eV.value
        many = f"{number} " if number > 1 else ""
        name = f"{_formula(record)} {many}{vacancy.name} + {positive.name}"
        ours = [f"{energy:.2f}", f"{energy / (number + 1):.2f}"]
        yield Row(name=name, key=name, ours=ours)


def _neutral(record: Insulator) -> tuple[float, Defect, Defect, float]:
    """Return phi_0, the neutralizing defects (−, +), and their formation energy there.

    Electrons and holes are left out: PBE's gap would let them in where the crystal's does not.
    """
    zero = shipped_material(ZERO)
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


def _supercell_line(record: Insulator) -> str:
    """Say what the supercell's few k-points cost: their mesh is not the crystal's."""
    hashes = record.provenance["calculations"]
    energies = {}
    for name in ("bulk", "supercell"):
        document = shipped_calculation(hashes[name])
        if document is None:
            raise InputError(f"the calculation {hashes[name]} is not shipped", where=record.name)
        atoms = Structure.from_dict(document["structure"])
        units = len(atoms) / atoms.composition.reduced_composition.num_atoms
        energies[name] = document["energy_eV"] / units
    difference = energies["supercell"] - energies["bulk"]
    return f"| {_formula(record)} | {len(atoms)} | {difference:.3f} |\n"


if __name__ == "__main__":
    raise SystemExit(main())
