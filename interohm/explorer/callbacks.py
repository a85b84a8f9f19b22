"""What the explorer's page asks for: rows, the heat map, details, a comparison, a download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from interohm.database import Database
from interohm.database.export import encoded
from interohm.database.rows import COLUMNS
from interohm.database.schema import well_formed
from interohm.errors import InputError
from interohm.explorer import layout
from interohm.explorer.figures import comparison, heat_map
from interohm.explorer.selection import band_diagram, budget, key_of, parts_of, selected
from interohm.report.plots import nothing

if TYPE_CHECKING:
    from interohm.database.rows import Row
    from interohm.settings import Settings

#: So many rows are compared at most.
_MOST_COMPARED = 8


def register(app: Dash, settings: Settings) -> None:
    """Connect the page with the database that the settings name; every answer opens it anew."""

    @app.callback(
        Output("where", "value"),
        Output("where", "placeholder"),
        Input("collection", "value"),
        prevent_initial_call=True,
    )
    def ask_anew(collection: str) -> tuple[str, str]:
        # the columns of another collection are others
        return "", layout.EXAMPLES.get(collection, "")

    @app.callback(
        Output("table", "columnDefs"),
        Output("table", "rowData"),
        Output("message", "children"),
        Output("conditions", "options"),
        Output("conditions", "value"),
        Output("map-section", "hidden"),
        Input("collection", "value"),
        Input("where", "n_submit"),
        Input("where", "n_blur"),
        Input("reload", "n_clicks"),
        State("where", "value"),
        State("conditions", "value"),
    )
    def show_rows(
        collection: str, _: int, __: int, ___: int, where: str, condition: str | None
    ) -> tuple[Any, ...]:
        if ctx.triggered_id == "collection":
            where = ""
        try:
            rows = _rows(settings, collection, where)
        except InputError as error:
            known = layout.columns(collection) if collection in COLUMNS else no_update
            return (known, [], _explained(error), [], None, collection != "contacts")
        shown = [layout.table_row(row, key_of(collection, row)) for row in rows[: layout.MOST_ROWS]]
        options = _conditions(rows) if collection == "contacts" else []
        chosen = condition if condition in options else next(iter(options), None)
        message = f"{len(rows)} rows"
        if len(rows) > len(shown):
            message += f", the first {len(shown)} of them shown: narrow the condition"
        is_map = collection == "contacts"
        return (layout.columns(collection), shown, message, options, chosen, not is_map)

    @app.callback(
        Output("map", "figure"),
        Input("conditions", "value"),
        Input("quantity", "value"),
        Input("table", "virtualRowData"),
        Input("collection", "value"),
    )
    def show_map(
        condition: str | None, quantity: str, shown: list[Row] | None, collection: str
    ) -> Any:
        if collection != "contacts" or quantity not in COLUMNS["contacts"]:
            return no_update
        fitting = [row for row in shown or [] if _condition(row) == condition]
        if not fitting:
            return nothing("no contact under these conditions is in the table")
        return heat_map(fitting, [row["key"] for row in fitting], quantity)

    @app.callback(
        Output("table", "selectedRows"),
        Input("map", "clickData"),
        Input("collection", "value"),
        prevent_initial_call=True,
    )
    def choose(click: dict[str, Any] | None, _: str) -> Any:
        if ctx.triggered_id == "collection" or not click:
            return []
        key = click["points"][0].get("customdata")
        return {"ids": [key]} if key else no_update

    @app.callback(
        Output("details", "children"),
        Input("table", "selectedRows"),
        State("collection", "value"),
        State("table", "rowData"),
    )
    def show_details(chosen: Any, collection: str, rows: list[Row]) -> Any:
        keys = _keys(chosen)
        if collection not in ("contacts", "cells") or not keys:
            return _hint(collection)
        if len(keys) > _MOST_COMPARED:
            return html.P(f"More than {_MOST_COMPARED} rows are not compared.", className="note")
        by_key = {row["key"]: row for row in rows}
        try:
            return _details(settings, collection, keys, [by_key.get(key, {}) for key in keys])
        except InputError as error:
            return html.P(_explained(error), className="note")

    @app.callback(
        Output("download", "data"),
        Input("csv", "n_clicks"),
        Input("json", "n_clicks"),
        State("collection", "value"),
        State("where", "value"),
        State("table", "virtualRowData"),
        prevent_initial_call=True,
    )
    def download(_: int, __: int, collection: str, where: str, shown: list[Row] | None) -> Any:
        format: Literal["csv", "json"] = "csv" if ctx.triggered_id == "csv" else "json"
        try:
            rows = _rows(settings, collection, where)
        except InputError:
            return no_update  # the message beside the condition says why
        by_key = {key_of(collection, row): row for row in rows}
        # in the table's order, without what its own filters hide
        kept = [by_key[row["key"]] for row in shown or [] if row.get("key") in by_key]
        content = encoded(kept, list(COLUMNS[collection]), format)
        return dcc.send_bytes(content, f"interohm-{collection}.{format}")


def _rows(settings: Settings, collection: str, where: str | None) -> list[Row]:
    with Database.open(settings) as database:
        return database.rows(collection, (where or "").strip() or None)


def _details(
    settings: Settings, collection: str, keys: Sequence[str], rows: Sequence[Row]
) -> list[Any]:
    with Database.open(settings) as database:
        chosen = [selected(database, collection, key) for key in keys]
        location = database.location
    with well_formed(f"{location}, {collection}"):
        if len(chosen) == 1:
            [one] = chosen
            return layout.details(one.name, rows[0], band_diagram(one), budget(one))
        names = [one.name for one in chosen]
        figure = comparison(names, [parts_of(one) for one in chosen])
        return layout.compared(names, rows, figure)


def _keys(chosen: Any) -> list[str]:
    """Return the keys of the chosen rows, which come as rows or, set from here, as keys."""
    if isinstance(chosen, dict):
        return list(chosen.get("ids", ()))
    return [row["key"] for row in chosen or []]


def _condition(row: Row) -> str:
    """Return the conditions of a contact in words."""
    said = [f"{row['temperature_K']:g} K"] if row.get("temperature_K") is not None else []
    if row.get("state_of_charge") is not None:
        said.append(f"state of charge {row['state_of_charge']:g}")
    if row.get("thickness_nm") is not None:
        said.append(f"layer of {row['thickness_nm']:g} nm")
    return ", ".join(said) or "no conditions"


def _conditions(rows: Sequence[Row]) -> list[str]:
    """Return the conditions that contacts are under, the most frequent first."""
    from collections import Counter

    return [condition for condition, _ in Counter(map(_condition, rows)).most_common()]


def _hint(collection: str) -> Any:
    if collection not in ("contacts", "cells"):
        return html.P(
            "Contacts and cells have diagrams; the other tables do not.", className="note"
        )
    return html.P(
        "Choose a row for its band diagram and resistance budget, or several to compare them."
        + (" A click into the heat map chooses a contact." if collection == "contacts" else ""),
        className="note",
    )


def _explained(error: InputError) -> str:
    where = f"{error.where}: " if error.where and error.where != "--where" else ""
    return f"{where}{error.what}. {error.fix or ''}"
