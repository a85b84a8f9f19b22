"""Callbacks of the explorer: rows, heat map, details, a comparison, a download."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from interohm.database import Database
from interohm.database.export import encoded
from interohm.database.rows import COLUMNS
from interohm.database.schema import well_formed
from interohm.errors import InputError
from interohm.explorer import layout
from interohm.explorer.figures import comparison, heat_map, measured_beside_predicted
from interohm.explorer.selection import (
    KEYS,
    diagram,
    key_of,
    parts_of,
    second_diagram,
    selected,
)
from interohm.explorer.tables import columns_of, rows_in
from interohm.report.plots import nothing

if TYPE_CHECKING:
    from interohm.database.rows import Row
    from interohm.explorer.measured import MeasuredValues
    from interohm.report.palette import Theme
    from interohm.settings import Settings

#: Whose rows have diagrams.
_DRAWN = ("contacts", "cells", "impedances")

#: So many rows are compared at most.
_MOST_COMPARED = 8


def register(app: Dash, settings: Settings, measured: MeasuredValues) -> None:
    """Connect the page with the database that the settings name; each answer opens it again."""
    app.clientside_callback(
        """
        () => {
          const dark = matchMedia("(prefers-color-scheme: dark)");
          const theme = () => {
            const name = dark.matches ? "dark" : "light";
            document.body.dataset.agThemeMode = name;
            return name;
          };
          dark.onchange = () => dash_clientside.set_props("theme", {data: theme()});
          return theme();
        }
        """,
        Output("theme", "data"),
        Input("page", "id"),
    )

    # until the answer is there, nothing of the tab before is seen
    app.clientside_callback(
        f"""
        name => [
          "", ({json.dumps(layout.EXAMPLES)})[name] ?? "",
          [], [], [], "loading", "loading", true, true, true, []
        ]
        """,
        Output("where", "value"),
        Output("where", "placeholder"),
        Output("table", "columnDefs", allow_duplicate=True),
        Output("table", "rowData", allow_duplicate=True),
        Output("table", "selectedRows", allow_duplicate=True),
        Output("message", "children", allow_duplicate=True),
        Output("message", "className", allow_duplicate=True),
        Output("map-section", "hidden", allow_duplicate=True),
        Output("validation-section", "hidden", allow_duplicate=True),
        Output("pending", "disabled", allow_duplicate=True),
        Output("details", "children", allow_duplicate=True),
        Input("collection", "value"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("table", "columnDefs"),
        Output("table", "rowData"),
        Output("message", "children"),
        Output("message", "className"),
        Output("conditions", "options"),
        Output("conditions", "value"),
        Output("map-section", "hidden"),
        Output("validation-section", "hidden"),
        Output("pending", "disabled"),
        Input("collection", "value"),
        Input("where", "n_submit"),
        Input("where", "n_blur"),
        Input("reload", "n_clicks"),
        Input("pending", "n_intervals"),
        State("where", "value"),
        State("conditions", "value"),
    )
    def show_rows(
        collection: str, _: int, __: int, ___: int, ____: int, where: str, condition: str | None
    ) -> tuple[Any, ...]:
        # leaving the field for another tab asks for both at once
        another = "collection" in ctx.triggered_prop_ids.values()
        if another:
            where = ""
        sections = (collection != "contacts", collection != "validation")
        try:
            rows = rows_in(settings, measured, collection, where)
        except InputError as error:
            said = (_explained(error), "wrong")
            if not another and collection in KEYS:
                # the table stays as it was
                return (no_update, no_update, *said, *[no_update] * 5)
            known = layout.columns(collection) if collection in KEYS else no_update
            return (known, [], *said, [], None, *sections, True)
        shown = [layout.table_row(row, key_of(collection, row)) for row in rows[: layout.MOST_ROWS]]
        options = _conditions(rows) if collection == "contacts" else []
        chosen = condition if condition in options else next(iter(options), None)
        message = f"{len(rows)} row{'s' * (len(rows) != 1)}"
        if len(rows) > len(shown):
            message += f", the first {len(shown)} of them shown: narrow the condition"
        pending = collection == "validation" and measured.pending
        if collection == "validation" and measured.progress:
            message += f"; {measured.progress}"
        if pending and ctx.triggered_id == "pending":
            # the table stays as it was until all predictions are there
            return (no_update, no_update, message, "", *[no_update] * 5)
        definitions = layout.columns(collection)
        return (definitions, shown, message, "", options, chosen, *sections, not pending)

    @app.callback(
        Output("map", "figure"),
        Input("conditions", "value"),
        Input("quantity", "value"),
        Input("table", "virtualRowData"),
        Input("collection", "value"),
        Input("theme", "data"),
    )
    def show_map(
        condition: str | None,
        quantity: str,
        shown: list[Row] | None,
        collection: str,
        theme: Theme | None,
    ) -> Any:
        if collection != "contacts" or quantity not in COLUMNS["contacts"]:
            return no_update
        # rows of the tab before may still be on their way
        contacts = [row for row in shown or [] if "left" in row]
        fitting = [row for row in contacts if _condition(row) == condition]
        if not fitting:
            # where the table is empty, more rows may be on their way
            why = "no contact under these conditions is in the table" if contacts else ""
            return nothing(why, theme or "light")
        return heat_map(fitting, [row["key"] for row in fitting], quantity, theme or "light")

    @app.callback(
        Output("comparison-with-measured", "figure"),
        Input("table", "virtualRowData"),
        Input("collection", "value"),
        Input("pending", "disabled"),
        Input("theme", "data"),
    )
    def show_measured(
        shown: list[Row] | None, collection: str, _: bool, theme: Theme | None
    ) -> Any:
        if collection != "validation":
            return no_update
        # rows of the tab before may still be on their way
        rows = [row for row in shown or [] if "experiment" in row]
        if all(row["p50"] is None for row in rows):
            # rows, or those with predictions, may be on their way
            why = "predictions are being computed" if measured.pending else measured.progress
            return nothing(why, theme or "light")
        return measured_beside_predicted(rows, theme or "light")

    @app.callback(
        Output("table", "selectedRows"),
        Input("map", "clickData"),
        prevent_initial_call=True,
    )
    def choose(click: dict[str, Any] | None) -> Any:
        key = click["points"][0].get("customdata") if click else None
        return {"ids": [key]} if key else no_update

    @app.callback(
        Output("details", "children"),
        Input("table", "selectedRows"),
        Input("theme", "data"),
        State("collection", "value"),
        State("table", "rowData"),
    )
    def show_details(chosen: Any, theme: Theme | None, collection: str, rows: list[Row]) -> Any:
        keys = _keys(chosen)
        if collection not in _DRAWN or not keys:
            return _hint(collection)
        if len(keys) > _MOST_COMPARED:
            return html.P(f"More than {_MOST_COMPARED} rows are not compared.", className="note")
        by_key = {row["key"]: row for row in rows}
        try:
            numbers = [by_key.get(key, {}) for key in keys]
            return _details(settings, collection, keys, numbers, theme or "light")
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
            rows = rows_in(settings, measured, collection, where)
        except InputError:
            return no_update  # the message beside the condition says why
        by_key = {key_of(collection, row): row for row in rows}
        # in the table's order, without what its own filters hide
        kept = [by_key[row["key"]] for row in shown or [] if row.get("key") in by_key]
        content = encoded(kept, list(columns_of(collection)), format)
        return dcc.send_bytes(content, f"interohm-{collection}.{format}")


def _details(
    settings: Settings, collection: str, keys: Sequence[str], rows: Sequence[Row], theme: Theme
) -> list[Any]:
    with Database.open(settings) as database:
        chosen = [selected(database, collection, key) for key in keys]
        location = database.location
    with well_formed(f"{location}, {collection}"):
        diagrams = [diagram(one, theme) for one in chosen]
        if len(chosen) == 1:
            [one] = chosen
            second = second_diagram(one, theme)
            return layout.details(one.name, collection, rows[0], diagrams[0], second)
        names = [one.name for one in chosen]
        figure = None
        if collection != "impedances":
            figure = comparison(names, [parts_of(one) for one in chosen], theme)
        return layout.compared(names, rows, diagrams, figure)


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
    if collection == "validation":
        return html.P(
            "Bars are predicted intervals from 5 to 95 %, lines are medians. A measured value that "
            "may contain extrinsic parts is an upper limit: it rules out a prediction that lies "
            "above it. Values that are not comparable belong to contacts that are not clean, or "
            "were used to set the records.",
            className="note",
        )
    if collection not in _DRAWN:
        return html.P("Only contacts, cells and spectra have diagrams.", className="note")
    diagrams = "Nyquist and Bode plot"
    if collection != "impedances":
        diagrams = "band diagram and resistance budget"
    return html.P(
        f"Choose a row for its {diagrams}, or several to compare them: by a click, or with the "
        "arrow keys and Space."
        + (
            " A click into the heat map chooses a contact. Grey contacts are outside of this model "
            "(✕: the phases react or decompose), or have no value (–)."
            if collection == "contacts"
            else ""
        ),
        className="note",
    )


def _explained(error: InputError) -> str:
    where = f"{error.where}: " if error.where and error.where != "--where" else ""
    return f"{where}{_sentence(error.what)} {_sentence(error.fix or '')}".strip()


def _sentence(text: str) -> str:
    """Return a text as a sentence; a field's name at its beginning stays as it is."""
    first = text.partition(" ")[0]
    begun = text[:1].upper() + text[1:] if first.isalpha() else text
    return begun if not begun or begun[-1] in ".?!" else f"{begun}."
