"""`interohm interfaces`: what is known of the contacts of two phases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interohm.cli.grouped_help import GroupedHelp
from interohm.cli.saving import WAIT_S

if TYPE_CHECKING:
    from interohm.database import Database
    from interohm.records.interface import Interface

app = typer.Typer(
    cls=GroupedHelp,
    help="List, show, add and remove interfaces: known barriers, dipoles and sites of contacts.",
    epilog="Example: interohm interfaces show LiF-LLZO",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="One JSON value, for programs.")]

_QUANTITIES = ("dipole_V", "barrier_eV", "excess_barrier_eV", "areal_site_density_cm2")


@app.command("list", epilog="Example: interohm interfaces list")
def list_interfaces(as_json: Json = False) -> None:
    """List all interfaces.

    Interfaces in the project's database take precedence over shipped ones.
    """
    from interohm.cli.output import console, print_json, table
    from interohm.database import Database
    from interohm.records.interface import interface_document

    with Database.open() as database:
        found = _all(database)
    if as_json:
        print_json([{**interface_document(one), "from": source} for one, source in found])
        return
    made = table("name", "left", "right", "dipole (V)#", "barrier (eV)#", "from")
    for one, source in found:
        made.add_row(
            one.name,
            _side(one.left, one.left_surface),
            _side(one.right, one.right_surface),
            *(
                "–" if quantity is None else f"{quantity.value:.4g}"
                for quantity in (one.dipole_V, one.barrier_eV)
            ),
            source,
        )
    console().print(made)
    if not found:
        console().print("none yet: add one with `interohm interfaces add FILE`")


@app.command("show", epilog="Example: interohm interfaces show LiF-LLZO")
def show(
    name: Annotated[str, typer.Argument(help="An interface's name.")], as_json: Json = False
) -> None:
    """Show one interface.

    Shows every number with its uncertainty, method and source.
    """
    from interohm.cli.output import console, print_json, table
    from interohm.database import Database
    from interohm.errors import InputError
    from interohm.records.interface import interface_document

    with Database.open() as database:
        found = {one.name: one for one, _ in reversed(_all(database))}
        location = database.location
    if name not in found:
        raise InputError(
            f"no interface {name!r} in the database ({location}) or among the shipped ones",
            where="interfaces",
            fix="`interohm interfaces list` shows what is there",
        )
    interface = found[name]
    if as_json:
        print_json(interface_document(interface))
        return
    title = (
        f"{interface.name}: {_side(interface.left, interface.left_surface)} | "
        f"{_side(interface.right, interface.right_surface)}"
    )
    made = table("field", "value#", "± #", "method", "source", title=title)
    for field in _QUANTITIES:
        quantity = getattr(interface, field)
        if quantity is not None:
            unknown = "unknown" if quantity.uncertainty is None else f"{quantity.uncertainty:.3g}"
            made.add_row(
                field,
                f"{quantity.value:.6g}",
                unknown,
                quantity.method or "",
                quantity.source or "",
            )
    console().print(made)


@app.command("add", epilog="Example: interohm interfaces add configs/examples/interface.yaml")
def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Interfaces in YAML.")],
) -> None:
    """Save interfaces in the database.

    All files are checked first: if one is wrong, none is added. Interfaces of the same name are
    replaced.
    """
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.errors import InputError
    from interohm.records.interface import load_interface

    found: dict[str, tuple[Path, Interface]] = {}
    for file in files:
        interface = load_interface(file)
        if interface.name in found:
            raise InputError(
                f"the name {interface.name} is already used in {found[interface.name][0]}",
                where=str(file),
                fix="give each interface a different name",
            )
        found[interface.name] = file, interface
    with Database.open(write=True, shared=True, wait_s=WAIT_S) as database:
        known = {one.name for one in database.interfaces()}
        for _, interface in found.values():
            database.save_interface(interface)
        location = database.location
    for name in found:
        remark(f"{name} {'replaced in' if name in known else 'added to'} {location}")


@app.command("remove", epilog="Example: interohm interfaces remove LiF-LLZO")
def remove(name: Annotated[str, typer.Argument(help="An interface's name.")]) -> None:
    """Remove an interface from the database, even one that cannot be read.

    Results that were made with it stay. Shipped interfaces cannot be removed.
    """
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.errors import InputError
    from interohm.records.shipped import shipped_interfaces

    with Database.open(write=True, shared=True, wait_s=WAIT_S) as database:
        removed = database.remove_interface(name)
        location = database.location
    if not removed:
        shipped = name in {one.name for one in shipped_interfaces()}
        raise InputError(
            f"{name} is a shipped interface: it cannot be removed"
            if shipped
            else f"there is no interface {name!r} in {location}",
            where="interfaces remove",
            fix="one of yours with the same name hides it: interohm interfaces add FILE"
            if shipped
            else "`interohm interfaces list` shows what is there",
        )
    remark(f"{name} removed from {location}")


def _all(database: Database) -> list[tuple[Interface, str]]:
    """Return all interfaces in the order in which a contact asks them."""
    from interohm.records.shipped import shipped_interfaces

    kept = [(one, "database") for one in database.interfaces()]
    return [*kept, *((one, "shipped") for one in shipped_interfaces())]


def _side(name: str, surface: str | None) -> str:
    return name if surface is None else f"{name} {surface}"
