"""Results as pandas' tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    """Return one row for each result: its single numbers and texts, by their paths."""
    import pandas

    return pandas.DataFrame([_flat(row) for row in rows])


def _flat(value: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, item in value.items():
        if name in ("profile", "temperature_sweep", "polarization", "records"):
            continue
        if isinstance(item, Mapping):
            found |= _flat(item, f"{path}{name}.")
        elif not isinstance(item, list):
            found[f"{path}{name}"] = item
    return found


def curves_frame(curves: Mapping[str, Any]) -> pandas.DataFrame:
    """Return one row for each point of a profile."""
    import pandas

    columns: dict[str, Any] = {}
    for name, item in curves.items():
        if isinstance(item, Mapping):
            columns |= {f"{name}.{key}": curve for key, curve in item.items()}
        elif item is not None:
            columns[name] = item
    return pandas.DataFrame(columns, dtype=float)
