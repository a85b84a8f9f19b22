"""Requests that the explorer's page sends; all others are refused."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

_Rows = list[dict[str, Any]]

#: What the browser sends of each element, as pydantic reads it.
_PROPERTIES: dict[str, Any] = {
    "collection.value": str,
    "where.value": str | None,
    "where.n_submit": int | None,
    "where.n_blur": int | None,
    "reload.n_clicks": int | None,
    "pending.n_intervals": int | None,
    "pending.disabled": bool,
    "csv.n_clicks": int | None,
    "json.n_clicks": int | None,
    "conditions.value": str | None,
    "quantity.value": str,
    "theme.data": Literal["light", "dark"] | None,
    "table.rowData": _Rows | None,
    "table.virtualRowData": _Rows | None,
    "table.selectedRows": _Rows | dict[str, list[str]] | None,
    "map.clickData": dict[str, Any] | None,
}


def is_request(body: Any) -> bool:
    """Return whether the body of a request is one that the page sends.

    Parameters
    ----------
    body : any
        Parsed JSON.
    """
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return False
    outputs = body.get("outputs")
    outputs = outputs if isinstance(outputs, list) else [outputs]
    if not all(isinstance(each, dict) and {"id", "property"} <= each.keys() for each in outputs):
        return False
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(each, str) for each in changed):
        return False
    given = [body.get("inputs"), body.get("state", [])]
    return all(isinstance(part, list) and all(map(_is_property, part)) for part in given)


def _is_property(item: Any) -> bool:
    from pydantic import ValidationError

    if not isinstance(item, dict):
        return False
    adapter = _adapters().get(f"{item.get('id')}.{item.get('property')}")
    if adapter is None:
        return False
    try:
        adapter.validate_python(item.get("value"), strict=True)
    except ValidationError:
        return False
    return True


@cache
def _adapters() -> dict[str, Any]:
    from pydantic import TypeAdapter

    return {name: TypeAdapter(kind) for name, kind in _PROPERTIES.items()}
