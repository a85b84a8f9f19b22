"""The inputs of a prediction as tables: every number with uncertainty, source and method."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from interohm.records import Insulator, Metal, Quantity
from interohm.records.cell_config import Cell, ExtrinsicControl, Layer
from interohm.records.extrinsic import quantities_within
from interohm.records.uncertainty import moves_text, quantities
from interohm.report.display_axis import nanometres
from interohm.report.tables import NONE, Markup, shown, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interohm.results.contact import CellContact

_HEADS = ("input", "value", "uncertainty (1σ)", "source", "method", "")

ASSUMED = Markup('<span class="assumed">assumed</span>')
_DEFAULT = Markup('<span class="assumed">default</span>')
_UNKNOWN = Markup('<span class="unknown">unknown</span>')
_NOT_GIVEN = Markup('<span class="unknown">not given</span>')


def different_materials(
    materials: Sequence[Insulator | Metal],
) -> list[Insulator | Metal]:
    """Return each record once."""
    found: list[Insulator | Metal] = []
    for material in materials:
        if material not in found:
            found.append(material)
    return found


def assumed_count(material: Insulator | Metal) -> tuple[int, int]:
    """Return how many numbers of a record are assumed (defaults count), and how many there are."""
    numbers = list(quantities(material))
    return sum(_mark(material, field, q) != "" for field, q in numbers), len(numbers)


def _mark(material: Insulator | Metal, field: str, quantity: Quantity) -> Markup | str:
    # the field of `defects[Li_i].hop_distance_nm` and of `conductivity.value_S_cm`
    if re.split(r"[.\[]", field)[0] not in material.model_fields_set:
        return _DEFAULT
    return ASSUMED if quantity.assumed else ""


def material_inputs(material: Insulator | Metal) -> Markup:
    """Return one record: its numbers, its defects, and where it comes from."""
    rows = [
        _row(field, quantity, _mark(material, field, quantity))
        for field, quantity in quantities(material)
    ]
    rows += [
        (
            f"shared_errors[{error.name}]",
            NONE,
            shown(error.uncertainty_eV, 3),
            f"{moves_text(error)}; in addition to their own",
            "one draw for all",
            "",
        )
        for error in material.shared_errors
    ]
    assumed, count = assumed_count(material)
    facts = [f"{material.kind}, mobile ion {material.mobile_ion} (charge {material.ion_charge})"]
    if material.surface:
        facts.append(f"surface {material.surface}")
    facts.append(f"{assumed} of {count} numbers assumed or default")
    parts = [
        "<details open><summary>",
        f"<b>{escape(material.name)}</b> <span>{escape('; '.join(facts))}</span></summary>",
        table(_HEADS, rows, numeric=(1, 2)),
    ]
    if isinstance(material, Insulator):
        parts.append(_defects(material))
    if material.provenance:
        parts.append(
            "<details><summary>provenance of the record</summary>"
            f"<dl>{_tree(material.provenance)}</dl></details>"
        )
    parts.append("</details>")
    return Markup("".join(parts))


def _row(field: str, quantity: Quantity, mark: Markup | str) -> tuple[object, ...]:
    return (
        field,
        shown(quantity.value, 7),
        _UNKNOWN if quantity.uncertainty is None else shown(quantity.uncertainty, 3),
        quantity.source or _NOT_GIVEN,
        quantity.method or _NOT_GIVEN,
        mark,
    )


def _defects(insulator: Insulator) -> Markup:
    return table(
        ("defect", "charge", "mobile ions added", "sublattice", "degeneracy", "conducts"),
        [
            (
                defect.name,
                f"{defect.charge:+d}".replace("-", "−"),
                f"{defect.ion_change:+g}".replace("-", "−"),
                defect.sublattice,
                shown(defect.degeneracy),
                "no, screens alone" if defect.migration_energy_eV is None else "yes",
            )
            for defect in insulator.defects
        ],
        numeric=(1, 2, 4),
    )


def _tree(values: Mapping[str, Any]) -> str:
    """Return a nested mapping as definition lists."""
    lines = []
    for key, value in values.items():
        inner = f"<dl>{_tree(value)}</dl>" if isinstance(value, dict) else escape(_text(value))
        lines.append(f"<dt>{escape(str(key))}</dt><dd>{inner}</dd>")
    return "".join(lines)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return str(value)


def interface_inputs(contacts: Sequence[CellContact]) -> Markup:
    """Return what known interfaces say of contacts; nothing if they say nothing."""
    rows = [
        (
            f"{contact.name}: {one.field}",
            shown(one.value, 7),
            _UNKNOWN if one.uncertainty is None else shown(one.uncertainty, 3),
            one.source or _NOT_GIVEN,
            one.method or _NOT_GIVEN,
            f"interface {one.interface}, hash {one.hash[:12]}",
        )
        for contact in contacts
        for one in contact.interface_numbers
    ]
    if not rows:
        return Markup("")
    return Markup(
        "<details open><summary><b>Interfaces</b> <span>known of these contacts</span></summary>"
        f"{table(_HEADS, rows, numeric=(1, 2))}</details>"
    )


def cell_inputs(cell: Cell, materials: Sequence[Insulator | Metal]) -> Markup:
    """Return the description of the cell, whose layers are of these materials."""
    layers = []
    for layer, material in zip(cell.layers, materials, strict=True):
        content = layer.ion_content
        metal = isinstance(material, Metal)
        layers.append(
            (
                material.name,
                nanometres(layer.thickness_nm),
                "electrode" if metal else _ion_potential(layer),
                NONE if metal else shown(layer.donors_cm3, 3),
                NONE if metal else shown(layer.acceptors_cm3, 3),
                NONE
                if not metal
                else "range of the record"
                if content is None
                else f"{shown(content.discharged)} … {shown(content.charged)}",
            )
        )
    facts = [
        f"{shown(cell.temperature_K)} K",
        "with electrons and holes" if cell.electrons else "without electrons and holes",
    ]
    heads = (
        "layer",
        "thickness (nm)",
        "ion potential",
        "donors (cm⁻³)",
        "acceptors (cm⁻³)",
        "ion content, discharged … charged",
    )
    parts = [
        f"<details open><summary><b>Cell</b> <span>{escape('; '.join(facts))}</span></summary>",
        table(heads, layers, numeric=(1, 3, 4)),
    ]
    given = [
        quantity
        for name, described in (("layers", cell.layers), ("contacts", cell.contacts or ()))
        for index, one in enumerate(described)
        for quantity in quantities_within(one, f"{name}[{index}]")
    ]
    if given:
        rows = [_row(field, one, ASSUMED if one.assumed else "") for field, one in given]
        parts.append(table(_HEADS, rows, numeric=(1, 2)))
    if cell.collectors is not None:
        rows = []
        for side in ("negative", "positive"):
            collector = getattr(cell.collectors, side)
            quantity = collector.work_function_eV
            field = f"collectors.{side}.work_function_eV, {collector.material}"
            rows.append(_row(field, quantity, ASSUMED if quantity.assumed else ""))
        parts.append(table(_HEADS, rows, numeric=(1, 2)))
    return Markup("".join([*parts, "</details>"]))


def _ion_potential(layer: Layer) -> str:
    control = layer.fermi_level
    if not isinstance(control, ExtrinsicControl):
        return "minimum interface"
    given = control.extrinsic_mu_eV
    values = given if isinstance(given, list) else [given]
    return f"extrinsic control, mu = {', '.join(shown(value) for value in values)} eV"
