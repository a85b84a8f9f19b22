"""`interohm materials`: the records of phases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interohm.cli import new_materials
from interohm.cli.grouped_help import GroupedHelp
from interohm.cli.saving import WAIT_S

if TYPE_CHECKING:
    from interohm.records import Insulator, Metal, Quantity

app = typer.Typer(
    cls=GroupedHelp,
    help="List, show, make, change, add, remove and export the records of phases.",
    epilog="Example: interohm materials show LLZO",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command("new", epilog=new_materials.NEW_EXAMPLE)(new_materials.new)
app.command("rename", epilog="Example: interohm materials rename my-electrolyte Li6PS5Br")(
    new_materials.rename
)
app.command("edit", epilog="Example: interohm materials edit my-electrolyte")(new_materials.edit)

Json = Annotated[bool, typer.Option("--json", help="One JSON value, for programs.")]
Name = Annotated[str, typer.Argument(help="A record's name, or a path to its YAML.")]


@app.command("list", epilog="Example: interohm materials list")
def list_materials(as_json: Json = False) -> None:
    """List all records.

    Lists the records of the project's database, and the shipped records that they do not hide.
    """
    from interohm.cli.output import console, print_json, table
    from interohm.database import Database
    from interohm.lookup import all_materials
    from interohm.records.uncertainty import quantities

    with Database.open() as database:
        found = all_materials(database)
    if as_json:
        print_json(
            [
                {
                    "name": item.material.name,
                    "kind": item.material.kind,
                    "mobile_ion": item.material.mobile_ion,
                    "source": item.source,
                    "hides_shipped": item.hides_shipped,
                }
                for item in found
            ]
        )
        return
    made = table("name", "kind", "ion", "surface", "from", "assumed numbers (of all)")
    for item in found:
        numbers = [quantity for _, quantity in quantities(item.material)]
        assumed = sum(quantity.assumed for quantity in numbers)
        source = item.source + (" (hides the shipped one)" if item.hides_shipped else "")
        material = item.material
        made.add_row(
            material.name,
            material.kind,
            material.mobile_ion,
            material.surface or "",
            source,
            f"{assumed} ({len(numbers)})",
        )
    console().print(made)


@app.command("show", epilog="Example: interohm materials show LLZO")
def show(name: Name, as_json: Json = False) -> None:
    """Show one record.

    Shows every number with its uncertainty, method and source, and what the record implies.
    """
    from interohm.cli.output import console, print_json, table
    from interohm.records import Metal, material_document
    from interohm.records.uncertainty import moves_text, quantities

    material = _found(name)
    if as_json:
        print_json(material_document(material))
        return
    title = f"{material.name}: {material.kind}, {material.mobile_ion}"
    if material.surface:
        title += f", surface {material.surface}"
    made = table("field", "value#", "± #", "method", "source", title=title)
    for field, quantity in quantities(material):
        made.add_row(field, *_shown(quantity))
    if isinstance(material, Metal):
        if material.sites_per_formula is not None:
            made.add_row("sites_per_formula", f"{material.sites_per_formula:g}", "", "", "")
    else:
        for choice in material.carriers:
            field = f"carriers[{', '.join(choice.defects)}], weight"
            made.add_row(field, f"{choice.weight:g}", "", "", choice.source or "")
    for error in material.shared_errors:
        spread = f"{error.uncertainty_eV:.3g}"
        made.add_row(f"shared_errors[{error.name}]", "", spread, "", moves_text(error))
    console().print(made)
    new_materials.print_implied(material)


def _shown(quantity: Quantity) -> tuple[str, str, str, str]:
    unknown = "unknown" if quantity.uncertainty is None else f"{quantity.uncertainty:.3g}"
    return f"{quantity.value:.6g}", unknown, quantity.method or "", quantity.source or ""


@app.command(
    "add", epilog="Example: interohm materials add my-electrolyte.yaml their-records/*.yaml"
)
def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Records in YAML or JSON.")],
) -> None:
    """Add records to the database, your own or those of others.

    All files are checked first: if one is wrong, none is added. Records of the same name are
    replaced.
    """
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.errors import InputError
    from interohm.records import load_material
    from interohm.records.shipped import shipped_names
    from interohm.records.uncertainty import quantities

    found: dict[str, tuple[Path, Insulator | Metal]] = {}
    for file in files:
        material = load_material(file)
        if material.name in found:
            raise InputError(
                f"the name {material.name} is already used in {found[material.name][0]}",
                where=str(file),
                fix="give each record a different name",
            )
        found[material.name] = file, material
    with Database.open(write=True, shared=True, wait_s=WAIT_S) as database:
        known = set(database.material_names())
        for _, material in found.values():
            database.save_material(material)
        location = database.location
    for name, (_, material) in found.items():
        done = "replaced in" if name in known else "added to"
        hides = "; it hides the shipped record" if name in shipped_names() else ""
        numbers = [quantity for _, quantity in quantities(material)]
        unsourced = sum(number.source is None and number.method is None for number in numbers)
        assumed = sum(number.assumed for number in numbers)
        said = f"; of {len(numbers)} numbers {assumed} assumed, {unsourced} without a source"
        remark(f"{name} {done} {location}{hides}{said}")
        new_materials.print_implied(material)


@app.command("remove", epilog="Example: interohm materials remove my-electrolyte")
def remove(name: Annotated[str, typer.Argument(help="The name of a record.")]) -> None:
    """Remove a record from the database, even one that cannot be read.

    Results that were made with it stay. Shipped records cannot be removed.
    """
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.errors import InputError
    from interohm.near_names import meant_text
    from interohm.records.shipped import shipped_names

    shipped = name in shipped_names()
    with Database.open(write=True, shared=True, wait_s=WAIT_S) as database:
        removed = database.remove_material(name)
        known = database.material_names()
        location = database.location
    if not removed:
        raise InputError(
            f"{name} is a shipped record: it cannot be removed"
            if shipped
            else f"there is no record {name!r} in {location}",
            where="materials remove",
            fix="a record of yours with the same name hides it: interohm materials add FILE"
            if shipped
            else meant_text(name, [*known, *shipped_names()])
            or "`interohm materials list` shows what is there",
        )
    again = "; the shipped record of this name is used again" if shipped else ""
    remark(f"{name} removed from {location}{again}")


@app.command("export", epilog="Example: interohm materials export LLZO --output llzo.yaml")
def export(
    name: Name,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; default: standard output.")
    ] = None,
) -> None:
    """Write a record as YAML."""
    from interohm.cli.output import print_text
    from interohm.records import material_document, save_material
    from interohm.yaml_io import dump_yaml

    material = _found(name)
    if output is None:
        print_text(dump_yaml(material_document(material)))
    else:
        save_material(material, output)


def _found(name: str) -> Insulator | Metal:
    from interohm.cli.named_materials import find_materials

    [material], _ = find_materials([name])
    return material
