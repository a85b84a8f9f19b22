"""Layout of the explorer's page, and the columns of its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dash_ag_grid
from dash import dcc, html

from interohm.database.columns import name_and_unit
from interohm.explorer.figures import QUANTITIES
from interohm.explorer.selection import KEYS
from interohm.explorer.tables import columns_of, kind_in

if TYPE_CHECKING:
    from interohm.database.rows import Row

#: The table holds so many rows; a condition finds the others.
MOST_ROWS = 20_000

#: Conditions that show how they are written.
EXAMPLES = {
    "contacts": "resistance < 1 and electron_barrier > 1",
    "cells": "resistance < 100 and open_circuit_voltage > 3.5 and not outside_of_model",
    "materials": "kind == 'insulator' and band_gap > 4 and 'Co' not in elements",
    "calculations": "engine == 'gpaw' and formula == 'LiF'",
    "failures": "engine == 'gpaw'",
    "impedances": "dc_resistance < 100 and temperature == 300",
    "validation": "quantity == 'interface_resistance_ohm_cm2' and verdict == 'inside'",
}

#: What a row is about stays in sight.
_NAMES = frozenset({"left", "right", "cell", "name", "experiment"})

#: What the tabs are called.
_TABS = {"impedances": "spectra"}

#: Headings that a column's name does not make.
_HEADINGS = {
    "p05": "predicted, 5\N{NO-BREAK SPACE}%",
    "p50": "predicted, median",
    "p95": "predicted, 95\N{NO-BREAK SPACE}%",
}

#: Widths of columns with texts that are longer than most; a tooltip has the longest ones whole.
_WIDTHS = {
    "experiment": 270,
    "quantity": 250,
    "layers": 220,
    "surface": 240,
    "preset": 220,
    **dict.fromkeys(("reason", "validity", "title", "source", "remarks"), 400),
}

_NUMBER_FORMAT = {"function": "params.value == null ? '' : d3.format('.4~g')(params.value)"}


def page(location: str) -> html.Div:
    """Return the page; ``location`` names the database, without credentials."""
    return html.Div(
        [
            # what the browser prefers, by which figures are drawn
            dcc.Store(id="theme"),
            html.Header([html.H1("interohm"), html.Span(location, id="location")]),
            dcc.Tabs(
                id="collection",
                value="contacts",
                # side by side on a narrow page, too
                mobile_breakpoint=0,
                children=[dcc.Tab(label=_TABS.get(name, name), value=name) for name in KEYS],
            ),
            html.Div(
                [
                    html.Label("Condition", htmlFor="where"),
                    # asked on Enter and on leaving; debounce would move the cursor under the hands
                    dcc.Input(
                        id="where",
                        type="text",
                        value="",
                        placeholder=EXAMPLES["contacts"],
                        spellCheck=False,
                    ),
                    html.Button("Reload", id="reload"),
                    html.Button("CSV", id="csv", title="Download the rows of the table as CSV"),
                    html.Button("JSON", id="json", title="Download the rows of the table as JSON"),
                ],
                className="controls",
            ),
            html.P("loading", id="message", className="loading", role="status"),
            dash_ag_grid.AgGrid(
                id="table",
                getRowId="params.data.key",
                columnDefs=columns("contacts"),
                rowData=[],
                defaultColDef={
                    "sortable": True,
                    "resizable": True,
                    "filter": True,
                    "floatingFilter": True,
                    "wrapHeaderText": True,
                    "autoHeaderHeight": True,
                },
                dashGridOptions={
                    "rowSelection": {
                        "mode": "multiRow",
                        "enableClickSelection": True,
                        "headerCheckbox": False,
                    },
                    "selectionColumnDef": {"pinned": "left", "width": 44},
                    "rowHeight": 30,
                    "pagination": True,
                    "paginationPageSize": 100,
                    "animateRows": False,
                    "tooltipShowMode": "whenTruncated",
                },
                style={"height": "360px"},
            ),
            html.Div(
                [
                    html.Section(
                        [
                            html.H2("Heat map of the contacts"),
                            html.Div(
                                [
                                    _choice("quantity", "Quantity of the heat map", _quantities()),
                                    _choice("conditions", "Conditions of the heat map", []),
                                ],
                                className="controls",
                            ),
                            _graph("map"),
                        ],
                        id="map-section",
                        hidden=True,
                    ),
                    html.Section(
                        [
                            html.H2("Measured and predicted resistances"),
                            _graph("comparison-with-measured"),
                        ],
                        id="validation-section",
                        hidden=True,
                    ),
                    html.Section(id="details"),
                ],
                className="panels",
            ),
            dcc.Download(id="download"),
            # asks for the predictions while they are computed
            dcc.Interval(id="pending", interval=1000, disabled=True),
        ],
        id="page",
    )


def _choice(id: str, label: str, options: Sequence[dict[str, str]]) -> dcc.Dropdown:
    value = options[0]["value"] if options else None
    return dcc.Dropdown(
        id=id,
        options=list(options),
        value=value,
        clearable=False,
        searchable=False,
        placeholder=label,
    )


def _quantities() -> list[dict[str, str]]:
    options = []
    for column in QUANTITIES:
        name, unit = name_and_unit(column)
        options.append({"label": f"{name} ({unit})", "value": column})
    return options


def _graph(id: str, figure: dict[str, Any] | None = None) -> dcc.Graph:
    return dcc.Graph(
        id=id,
        figure=figure or {},
        config={"displaylogo": False, "modeBarButtons": [["toImage", "resetScale2d"]]},
    )


def columns(collection: str) -> list[dict[str, Any]]:
    """Return the table's columns for a collection."""
    made: list[dict[str, Any]] = []
    for column in columns_of(collection):
        name, unit = name_and_unit(column)
        heading = _HEADINGS.get(column, name if unit is None else f"{name} ({unit})")
        numeric = kind_in(column) in (int, float)
        definition: dict[str, Any] = {
            "field": column,
            "headerName": heading,
            "headerTooltip": column,
            "filter": "agNumberColumnFilter" if numeric else "agTextColumnFilter",
            "width": 130 if numeric else _WIDTHS.get(column, 150),
        }
        if numeric:
            definition["type"] = "rightAligned"
            definition["valueFormatter"] = _NUMBER_FORMAT
        else:
            definition["tooltipField"] = column
        made.append(definition)
    for definition in made:
        if definition["field"] in _NAMES:
            definition["pinned"] = "left"
    return made


def table_row(row: Row, key: str) -> Row:
    """Return a row as the table shows it: lists and truth values as text."""
    shown: Row = {"key": key}
    for column, value in row.items():
        if isinstance(value, list):
            shown[column] = " | ".join(value)
        elif isinstance(value, bool):
            shown[column] = "yes" if value else "no"
        else:
            shown[column] = value
    return shown


def details(
    name: str, collection: str, numbers: Row, diagram: Any, second_diagram: Any
) -> list[Any]:
    """Return the panel of one chosen row."""
    headings = ("Band diagram", "Resistance budget")
    if collection == "impedances":
        headings = ("Nyquist plot", "Bode plot")
    return [
        html.H2(name),
        html.H3(headings[0]),
        _graph("band-diagram", diagram),
        html.H3(headings[1]),
        _graph("budget", second_diagram),
        html.H3("Numbers"),
        _numbers_table([numbers], None),
    ]


def compared(
    names: Sequence[str], rows: Sequence[Row], diagrams: Sequence[Any], figure: Any
) -> list[Any]:
    """Return the panel of several chosen rows, their diagrams side by side."""
    beside = [
        html.Div([html.H3(name), _graph(f"diagram-{index}", diagram)])
        for index, (name, diagram) in enumerate(zip(names, diagrams, strict=True))
    ]
    parts = [] if figure is None else [html.H3("Resistances"), _graph("comparison", figure)]
    return [
        html.H2(f"{len(names)} compared"),
        html.Div(beside, className="side-by-side"),
        *parts,
        _numbers_table(rows, names),
    ]


def _numbers_table(rows: Sequence[Row], names: Sequence[str] | None) -> html.Div:
    """Return the rows' values, a column for each; what none of them has is left out."""
    head = [] if names is None else [html.Thead(html.Tr([html.Th(""), *map(html.Th, names)]))]
    body = []
    for column in rows[0]:
        values = [row[column] for row in rows]
        if column == "key" or all(value is None for value in values):
            continue
        name, unit = name_and_unit(column)
        label = name if unit is None else f"{name} ({unit})"
        body.append(html.Tr([html.Th(label), *(html.Td(_shown(value)) for value in values)]))
    return html.Div(html.Table([*head, html.Tbody(body)]), className="scroll")


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
