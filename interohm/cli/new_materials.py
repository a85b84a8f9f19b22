"""`interohm materials new`, `rename` and `edit`: records of one's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from interohm.database import Database
    from interohm.records import Insulator, Metal


class RecordKind(StrEnum):
    """Kinds of phases that a record describes."""

    insulator = "insulator"
    metal = "metal"


NEW_EXAMPLE = (
    "Example: interohm materials new Li6PS5Br --structure br.cif --conductivity 1e-3 "
    '--activation 0.35 --source "doi 10.1000/example"'
)


def new(
    name: Annotated[
        str, typer.Argument(help="Name of the record; NAME.yaml is written to the current folder.")
    ],
    structure: Annotated[
        Path, typer.Option("--structure", metavar="FILE", help="Crystal structure: CIF or POSCAR.")
    ],
    conductivity: Annotated[
        float | None, typer.Option(metavar="S_CM", help="Ionic conductivity of the bulk, in S/cm.")
    ] = None,
    activation: Annotated[
        float | None, typer.Option(metavar="EV", help="Activation energy of sigma·T, in eV.")
    ] = None,
    temperature: Annotated[
        float, typer.Option(metavar="K", help="Temperature of the conductivity, in kelvin.")
    ] = 300.0,
    gap: Annotated[float | None, typer.Option(metavar="EV", help="Band gap, in eV.")] = None,
    dielectric: Annotated[
        float | None, typer.Option(metavar="EPS", help="Static dielectric constant.")
    ] = None,
    ionization: Annotated[
        float | None,
        typer.Option(metavar="EV", help="Vacuum level minus valence band maximum, in eV."),
    ] = None,
    neutral_potential: Annotated[
        float | None,
        typer.Option(
            "--neutral-potential",
            metavar="V",
            help="Neutral potential phi_0 against the mobile metal.",
        ),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(metavar="V:V", help="Stability window against the mobile metal: 0.6:4.2."),
    ] = None,
    convert: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Published formation energies, with the Fermi level above the valence band and "
            'the mu for which they hold: "V_Li=1.1, Li_i=0.6, E_F=3.2, mu=-1.5" (eV).',
        ),
    ] = None,
    formation: Annotated[
        float | None,
        typer.Option(metavar="EV", help="Formation energy of a defect in the neutral phase."),
    ] = None,
    saturation: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Largest fraction of its sites that a defect may fill."),
    ] = None,
    carriers: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help='Which defects carry the conductivity: "V_Li", "Li_i" or "V_Li,Li_i".',
        ),
    ] = None,
    kind: Annotated[
        RecordKind | None,
        typer.Option(
            help="insulator (an electrolyte or a coating) or metal (an electrode); default: "
            "decided by the formula."
        ),
    ] = None,
    voltage: Annotated[
        float | None,
        typer.Option(metavar="V", help="Voltage of an electrode against the mobile metal."),
    ] = None,
    work_function: Annotated[
        float | None,
        typer.Option("--work-function", metavar="EV", help="Work function of an electrode."),
    ] = None,
    mobile_ion: Annotated[
        str, typer.Option("--mobile-ion", metavar="ION", help="Mobile ion.")
    ] = "Li",
    source: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Source of these numbers, such as a DOI.")
    ] = None,
) -> None:
    """Write a record from a crystal structure and the numbers of a paper.

    Writes a commented NAME.yaml to the current folder, which can be used at once. Sites and hops
    come from the structure; what is missing is assumed, with a wide uncertainty. A compound with a
    partly filled d shell becomes an electrode, any other an insulator. An existing file is never
    overwritten.
    """
    from interohm.cli.output import remark
    from interohm.errors import InputError
    from interohm.records import ION_CHARGES, load_material
    from interohm.records.kind_of import kind_of
    from interohm.records.new_record import (
        GivenElectrode,
        GivenNumbers,
        converted_energies,
        new_electrode_text,
        new_record_text,
        parsed_conversion,
    )
    from interohm.records.shipped import shipped_names
    from interohm.slab_builders.structure_files import read_structure
    from interohm.yaml_io import write_text

    path = Path(f"{name}.yaml")
    if path.exists():
        raise InputError(
            f"{path} already exists", where="materials new", fix="choose another name, or remove it"
        )
    if not os.path.isfile(structure):
        raise InputError(
            f"there is no file {structure}", where="--structure", fix="give a CIF or POSCAR"
        )
    if mobile_ion not in ION_CHARGES:
        raise InputError(
            f"the charge of {mobile_ion} is not known",
            where="--mobile-ion",
            fix=f"name one of {', '.join(ION_CHARGES)}",
        )
    found = read_structure(structure, where="--structure")
    if len(found.structure.composition.elements) == 1:
        raise InputError(
            f"{found.structure.composition.reduced_formula} is an element, not an electrolyte",
            where="--structure",
            fix="write the record of an electrode after configs/examples/record_metal.yaml",
        )
    if name in shipped_names():
        remark(
            f"warning: {name} is also the name of a shipped record, which other folders will use"
        )
    for text in found.remarks:
        remark(f"note: {text}")
    _require_positive(
        {
            "--conductivity": conductivity,
            "--activation": activation,
            "--temperature": temperature,
            "--gap": gap,
            "--dielectric": dielectric,
            "--ionization": ionization,
            "--saturation": saturation,
            "--work-function": work_function,
        }
    )
    if formation is not None and not 0.0 <= formation < inf:
        raise InputError(
            f"{formation:g} eV is no formation energy in the neutral phase: it would be full of "
            "defects",
            where="--formation",
            fix="give a number of at least 0",
        )
    composition = found.structure.composition.get_el_amt_dict()
    decided, why = kind_of(composition, mobile_ion)
    chosen = decided if kind is None else kind.value
    if kind is None:
        remark(f"kind: {chosen}, since {why}; --kind overrides this")
    # relative to the record, which lies in the current folder
    beside = Path(os.path.relpath(structure)).as_posix()
    of_insulators = {
        "--conductivity": conductivity,
        "--activation": activation,
        "--gap": gap,
        "--dielectric": dielectric,
        "--ionization": ionization,
        "--neutral-potential": neutral_potential,
        "--window": window,
        "--convert": convert,
        "--formation": formation,
        "--saturation": saturation,
        "--carriers": carriers,
    }
    of_metals = {"--voltage": voltage, "--work-function": work_function}
    _refuse_options(
        of_insulators if chosen == "metal" else of_metals, chosen, name, why, told=kind is None
    )
    if chosen == "metal":
        electrode = GivenElectrode(voltage, work_function, source)
        text, missing = new_electrode_text(name, found.structure, beside, mobile_ion, electrode)
    else:
        energies: dict[str, float] = {}
        conversion = ""
        if convert is not None:
            published, level, mu = parsed_conversion(convert)
            if neutral_potential is not None or formation is not None:
                raise InputError(
                    "the converted energies imply a neutral potential",
                    where="--convert",
                    fix="give --convert alone, without --neutral-potential and --formation",
                )
            energies = converted_energies(
                published,
                fermi_level_eV=level,
                mu_eV=mu,
                mobile_ion=mobile_ion,
                ion_charge=ION_CHARGES[mobile_ion],
            )
            conversion = f"converted from E_F = {level:g} eV and mu = {mu:g} eV"
        given = GivenNumbers(
            conductivity_S_cm=conductivity,
            activation_eV=activation,
            temperature_K=temperature,
            gap_eV=gap,
            dielectric=dielectric,
            ionization_eV=ionization,
            neutral_potential_V=neutral_potential,
            formation_eV=formation,
            saturation=saturation,
            carriers=_carriers(carriers, mobile_ion),
            window_V=None if window is None else _window(window),
            formation_energies_eV=energies,
            conversion=conversion,
            source=source,
        )
        text, missing = new_record_text(name, found.structure, beside, mobile_ion, given)
    write_text(path, text)
    try:
        material = load_material(path)
    except InputError:
        path.unlink()
        raise
    remark(f"{path} written")
    print_implied(material)
    if missing:
        remark(f"assumed, since no value was given: {', '.join(missing)}")
    if source is None:
        remark("no --source was given: the numbers count as assumed until the record names one")


def _refuse_options(
    options: Mapping[str, object], kind: str, name: str, why: str, *, told: bool
) -> None:
    """Refuse what does not go with a kind of record."""
    from interohm.errors import InputError

    given = [option for option, value in options.items() if value is not None]
    if given:
        other = "insulator" if kind == "metal" else "metal"
        reason = f" ({why})" if told else ""
        raise InputError(
            f"{', '.join(given)} {'belongs' if len(given) == 1 else 'belong'} to records of kind "
            f"{other}, but {name} is of kind {kind}{reason}",
            where="materials new",
            fix=f"leave it out, or give --kind {other}",
        )


def _carriers(text: str | None, mobile_ion: str) -> tuple[str, ...]:
    from interohm.errors import InputError

    if text is None:
        return ()
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    known = (f"V_{mobile_ion}", f"{mobile_ion}_i")
    if any(name not in known for name in names):
        raise InputError(
            f"{text!r} names no defects of {mobile_ion}",
            where="--carriers",
            fix=f"write {known[0]}, {known[1]} or both with a comma between",
        )
    return names


def _require_positive(numbers: Mapping[str, float | None]) -> None:
    from interohm.errors import InputError

    for option, number in numbers.items():
        if number is not None and not 0.0 < number < inf:
            raise InputError(
                f"{number:g} is not a positive number", where=option, fix="give a number above 0"
            )


def _window(text: str) -> tuple[float, float]:
    from interohm.errors import InputError

    low, colon, high = text.partition(":")
    try:
        found = float(low), float(high)
    except ValueError:
        found = None
    if not colon or found is None:
        raise InputError(
            f"{text!r} is not a window", where="--window", fix="write two voltages: 0.6:4.2"
        )
    if not found[0] < found[1]:
        raise InputError(
            f"the reduction limit of {found[0]:g} V is not below the oxidation limit of "
            f"{found[1]:g} V",
            where="--window",
            fix="write the lower voltage first: 0.6:4.2",
        )
    return found


def print_implied(material: Insulator | Metal) -> None:
    """Print what a record implies beside what it states, and where it contradicts itself."""
    from interohm.cli.output import print_line, remark
    from interohm.prediction.implied import implied
    from interohm.records import Metal

    found = implied(material)
    if found.lines:
        beside = "" if isinstance(material, Metal) else ", in contact with its mobile metal"
        print_line(f"{material.name} at 300 K{beside}:")
    for label, value in found.lines:
        print_line(f"  {label} {value}")
    for text in found.warnings:
        remark(f"warning: {material.name} contradicts itself: {text}")
    for text in found.doubts:
        remark(f"note: {text}")
    if not isinstance(material, Metal) and not (
        material.stability_window_V or material.phase_energies
    ):
        remark(
            f"note: {material.name} has no stability window: its stability at contacts is unknown"
        )


def rename(
    name: Annotated[str, typer.Argument(help="A record of the database.")],
    to: Annotated[str, typer.Argument(help="Its new name.")],
) -> None:
    """Give a record of the database another name.

    Results made with it keep the old name.
    """
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.records import material_document, material_from

    with Database.open(write=True) as database:
        material = _kept(name, database)
        _refuse_taken(to, database.material_names())
        document = {**material_document(material), "name": to}
        database.save_material(material_from(document, where=f"the record {to}"))
        database.remove_material(name)
        remark(f"{name} renamed to {to} in {database.location}")


def edit(
    name: Annotated[str, typer.Argument(help="A record of the database.")],
) -> None:
    """Edit a record of the database as YAML, with the editor of $VISUAL or $EDITOR.

    Your changes are checked before they are saved; if they are wrong, the record stays as it was.
    """
    import tempfile

    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.errors import InputError
    from interohm.records import load_material, material_hash, save_material

    with Database.open() as database:
        material = _kept(name, database)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yaml"
        save_material(material, path)
        _open_editor(path)
        try:
            changed = load_material(path)
        except InputError as error:
            raise InputError(
                error.what,
                where=f"the record {name}, which stays as it was",
                fix=error.fix,
            ) from None
    if changed.name != name:
        raise InputError(
            f"the name was changed to {changed.name}",
            where=f"the record {name}, which stays as it was",
            fix=f"interohm materials rename {name} {changed.name}",
        )
    if material_hash(changed) == material_hash(material):
        remark(f"{name} is unchanged")
        return
    with Database.open(write=True) as database:
        database.save_material(changed)
        remark(f"{name} saved in {database.location}")
    print_implied(changed)


def _open_editor(path: Path) -> None:
    import shlex
    import subprocess

    from interohm.errors import InputError

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise InputError(
            "neither VISUAL nor EDITOR names an editor",
            where="materials edit",
            fix="set one, for example EDITOR=nano; or export, change and add the record",
        )
    try:
        done = subprocess.run([*shlex.split(editor), str(path)], check=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the editor {editor!r} does not start: {error}",
            where="materials edit",
            fix="set EDITOR to one that does",
        ) from None
    if done.returncode != 0:
        raise InputError(
            f"the editor {editor!r} failed",
            where="materials edit",
            fix="the record stays as it was; try again",
        )


def _kept(name: str, database: Database) -> Insulator | Metal:
    from interohm.errors import InputError
    from interohm.near_names import meant_text
    from interohm.records.shipped import shipped_names

    material, location = database.material(name), database.location
    if material is None:
        shipped = name in shipped_names()
        raise InputError(
            f"{name} is a shipped record: it is not in {location}"
            if shipped
            else f"there is no record {name!r} in {location}",
            where="materials",
            fix=f"interohm materials export {name} --output {name}.yaml, change it, add it"
            if shipped
            else meant_text(name, [*database.material_names(), *shipped_names()])
            or "`interohm materials list` shows what is there",
        )
    return material


def _refuse_taken(name: str, kept: list[str]) -> None:
    from interohm.errors import InputError

    if name in kept:
        raise InputError(
            f"there is already a record {name}",
            where="materials rename",
            fix="choose another name, or remove that one first",
        )
