"""Each number of a record with its field, and whether any of them is uncertain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interohm.records.material import Insulator, Metal, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator


def quantities(material: Insulator | Metal) -> Iterator[tuple[str, Quantity]]:
    """Yield each number of a record with its field, as ``defects[Li_i].charge``."""
    for field in type(material).model_fields:
        item = getattr(material, field)
        if isinstance(item, Quantity):
            yield field, item
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
                place = f"states[{state.ion_content:g}]"
                yield f"{place}.voltage_V", state.voltage_V
                yield f"{place}.work_function_eV", state.work_function_eV


def is_uncertain(material: Insulator | Metal) -> bool:
    """Return whether any of the record's numbers has an uncertainty to propagate."""
    return any(quantity.uncertainty for _, quantity in quantities(material))
