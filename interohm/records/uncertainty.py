"""Each number of a record with its field, and whether any of them is uncertain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interohm.records.material import (
    Conductivity,
    Insulator,
    Metal,
    Quantity,
    SharedError,
    SpaceCharge,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from interohm.records.interface import Interface

#: A measurement that leaves at most this share of an assumed number's uncertainty determines it.
DETERMINED_SHARE = 0.5


def quantities(material: Insulator | Metal | Interface) -> Iterator[tuple[str, Quantity]]:
    """Yield each number of a record with its field, as ``defects[Li_i].charge``."""
    for field in type(material).model_fields:
        item = getattr(material, field)
        if field == "others_slower_eV" and not others_hop(material):
            continue
        if isinstance(item, Quantity):
            yield field, item
        elif isinstance(item, (Conductivity, SpaceCharge)):
            for name in type(item).model_fields:
                if isinstance(getattr(item, name), Quantity):
                    yield f"{field}.{name}", getattr(item, name)
        elif field == "stability_window_V" and item is not None:
            yield "stability_window_V[reduction]", item[0]
            yield "stability_window_V[oxidation]", item[1]
        elif field == "defects":
            for defect in item:
                for name in type(defect).model_fields:
                    if isinstance(getattr(defect, name), Quantity):
                        yield f"defects[{defect.name}].{name}", getattr(defect, name)
        elif field == "states":
            for state in item:
                prefix = f"states[{state.ion_content:g}]"
                yield f"{prefix}.voltage_V", state.voltage_V
                yield f"{prefix}.work_function_eV", state.work_function_eV


def assumed_fields(materials: Iterable[Insulator | Metal]) -> list[str]:
    """Return every number that nobody measured or calculated, as ``LLZO.band_gap_eV``."""
    return [
        f"{name}.{field}"
        for name, material in {one.name: one for one in materials}.items()
        for field, quantity in quantities(material)
        if quantity.assumed
    ]


def is_uncertain(material: Insulator | Metal) -> bool:
    """Return whether any of the record's numbers has an uncertainty to propagate."""
    if isinstance(material, Insulator) and len(material.carriers) > 1:
        return True
    return any(error.uncertainty_eV for error in material.shared_errors) or any(
        quantity.uncertainty for _, quantity in quantities(material)
    )


def others_hop(material: Insulator | Metal | Interface) -> bool:
    """Return whether a defect may hop without being one of those that carry the current."""
    if not isinstance(material, Insulator):
        return False
    hopping = {defect.name for defect in material.defects if defect.hops}
    return any(hopping - set(choice.defects) for choice in material.carriers)


def moves_text(error: SharedError) -> str:
    """Describe which fields a shared error moves, and by how many times it."""
    return "moves " + ", ".join(
        f"{field} by {times:+g}".replace("-", "−") for field, times in error.moves.items()
    )


def updated_quantity(
    before: Mapping[str, Any] | float,
    value: float,
    uncertainty: float,
    *,
    share: float,
    source: str,
    method: str,
) -> dict[str, Any]:
    """Return a number of a record's document after a measurement has moved it.

    A number that was assumed stays assumed, and its method says so, unless the measurement
    determines it: otherwise most of its value is still the assumption.

    Parameters
    ----------
    before : mapping or float
        The number as the document had it.
    value, uncertainty : float
        After the measurement.
    share : float
        Standard deviation after the measurement over that before it, of what is normal (a
        positive number's logarithm).
    source, method : str
        The measurement, and how it updates numbers.
    """
    known = {} if isinstance(before, (int, float)) else before
    was = Quantity(value=value, source=known.get("source"), method=known.get("method"))
    if was.assumed and share > DETERMINED_SHARE:
        method = f"assumed, {method}"
    return {"value": value, "uncertainty": uncertainty, "source": source, "method": method}
