"""`interohm why`: where a prediction or a record comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.tree import Tree

    from interohm.lineage import Origin

WHY_EXAMPLE = 'Example: interohm why "Li|LLZO"'

_SHORT_HASH = 12


def why(
    name: Annotated[
        str, typer.Argument(help="A saved cell, a contact as 'Li|LLZO', a record or a calculation.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON list, one for each found.")
    ] = False,
) -> None:
    """Trace a prediction back to its sources.

    Goes from a saved cell to its contacts, their records, and the source of each number: who
    measured it, why it is assumed, or which calculation gave it and whether that is still in the
    database.
    """
    from interohm.cli.output import console, print_json
    from interohm.database import Database
    from interohm.lineage import origins

    with Database.open() as database:
        found = origins(database, name)
    if as_json:
        print_json([origin.document() for origin in found])
        return
    out = console()
    for origin in found:
        out.print(_tree(origin))


def _tree(origin: Origin, parent: Tree | None = None) -> Tree:
    from rich.tree import Tree

    text = _LABELS[origin.kind](origin)
    tree = Tree(text) if parent is None else parent.add(text)
    numbers = [part for part in origin.parts if part.kind == "number"]
    for line in _number_lines(numbers):
        tree.add(line)
    for part in origin.parts:
        if part.kind != "number":
            _tree(part, tree)
    return tree


def _cell(origin: Origin) -> str:
    states = origin.facts["states"]
    voltages = _range([state["open_circuit_voltage_V"] for state in states], "V")
    resistances = _range([state["resistance_ohm_cm2"] for state in states], "Ω·cm²")
    layers = " | ".join(origin.facts["layers"])
    return (
        f"cell {origin.name} at {origin.facts['temperature_K']:g} K: {layers}; {voltages}; "
        f"{resistances}"
    )


def _contact(origin: Origin) -> str:
    facts = origin.facts
    states = facts.get("states") or [facts]
    parts = []
    if "temperature_K" in facts:
        parts.append(f"{facts['temperature_K']:g} K")
    if facts.get("thickness_nm") is not None:
        parts.append(f"layer of {facts['thickness_nm']:g} nm")
    parts.append(f"drop {_range([state['potential_drop_V'] for state in states], 'V')}")
    parts.append(_range([state["resistance_ohm_cm2"] for state in states], "Ω·cm²"))
    steps = dict.fromkeys(state["limiting_step"] for state in states if state["limiting_step"])
    if steps:
        parts.append(f"limited by {', '.join(steps)}")
    reasons = dict.fromkeys(state["reason"] for state in states if state["reason"])
    return f"contact {origin.name}: {'; '.join([*parts, *reasons])}"


def _record(origin: Origin) -> str:
    facts = origin.facts
    said = [facts["status"]]
    if facts.get("source"):
        surface = f", {facts['surface']}" if facts["surface"] else ""
        said = [f"{facts['material_kind']}{surface}", f"{facts['source']}: {facts['status']}"]
        made = [facts[key] for key in ("engine", "functional") if key in facts]
        if "preset" in facts:
            made.append(f"preset {facts['preset']}")
        said += [" ".join(map(str, made))] if made else []
    if facts.get("hash"):
        said.append(f"hash {facts['hash'][:_SHORT_HASH]}")
    return f"record {origin.name}: {'; '.join(said)}"


def _calculation(origin: Origin) -> str:
    facts = origin.facts
    name = f"calculation {origin.name[:_SHORT_HASH]}"
    if facts["role"]:
        name += f" ({facts['role']})"
    if facts["found"] is None:
        return f"{name}: NOT FOUND in this database, nor shipped"
    charge = f", charge {facts['charge']:+d}" if facts["charge"] else ""
    what = f"{facts['calculation_kind']} of {facts['formula']}, {facts['atoms']} atoms{charge}"
    made = f"{facts['engine']} {facts['functional']}"
    return f"{name}: {facts['found']}; {made}, {what}; {facts['energy_eV']:.4f} eV"


_LABELS = {"cell": _cell, "contact": _contact, "record": _record, "calculation": _calculation}


def _number_lines(numbers: Sequence[Origin]) -> Iterator[str]:
    """Yield a line for each number; those of an electrode's states that share a source, one."""
    groups: dict[tuple[str, ...], list[Origin]] = {}
    for number in numbers:
        facts = number.facts
        states, _, quantity = number.name.partition("].")
        field = quantity if states.startswith("states[") else number.name
        key = (field, str(facts["method"]), str(facts["source"]), str(facts["calculation"]))
        groups.setdefault(key, []).append(number)
    for (field, *_), group in groups.items():
        facts = group[0].facts
        if len(group) > 1:
            values = [number.facts["value"] for number in group]
            value = f"{min(values):.5g} … {max(values):.5g} ({len(group)} states)"
        else:
            uncertainty = facts["uncertainty"]
            spread = "" if uncertainty is None else f" ± {uncertainty:.2g}"
            field, value = group[0].name, f"{facts['value']:.5g}{spread}"
        said = [text for text in (facts["method"], facts["source"]) if text]
        yield f"{field} = {value}: {'; '.join(said) or 'no source'}"


def _range(values: Sequence[Any], unit: str) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return f"unknown {unit}"
    low, high = min(known), max(known)
    numbers = f"{low:.4g}" if f"{low:.4g}" == f"{high:.4g}" else f"{low:.4g} … {high:.4g}"
    return f"{numbers} {unit}"
