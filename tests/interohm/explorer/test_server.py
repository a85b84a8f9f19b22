"""The explorer's server: this machine alone, no writing, no secrets, no foreign code."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from interohm.errors import InputError
from interohm.explorer.figures import comparison, heat_map
from interohm.explorer.layout import table_row
from interohm.explorer.selection import key_of, selected
from interohm.explorer.server import explorer, listen
from interohm.report.budget import Part
from interohm.results.cell import CellResult
from interohm.settings import Settings


class Served(NamedTuple):
    """A page by its address."""

    address: str
    port: int


def get(page, path=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=30)
    connection.putrequest(
        "GET", urlsplit(page.address).path if path is None else path, skip_host=True
    )
    for name, value in {"Host": f"127.0.0.1:{page.port}", **headers}.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    response = connection.getresponse()
    return response, response.read().decode()


def test_the_page_has_its_address_alone(page):
    response, text = get(page)
    assert response.status == 200
    assert "interohm" in text
    assert get(page, "/")[0].status == 404
    assert get(page, "/_dash-layout")[0].status == 404
    assert len(urlsplit(page.address).path) > 20


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:9000", 200),  # through a tunnel
        ("127.0.0.1", 200),
        ("[::1]:8050", 200),
        ("evil.example:8050", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:80", 403),
        ("[::1].evil.example", 403),
        ("", 403),
    ],
)
def test_other_hosts_names_are_refused(page, host, status):
    assert get(page, Host=host)[0].status == status


def test_other_sites_are_refused(page):
    assert get(page, Sec_Fetch_Site="cross-site")[0].status == 403
    assert get(page, Sec_Fetch_Site="same-origin")[0].status == 200


def test_nothing_is_loaded_from_elsewhere(page):
    response, text = get(page)
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert "https://" not in text
    assert "http://" not in text


def test_it_listens_on_the_loopback_interface_alone(settings):
    server, _ = listen(explorer(settings), 0)
    try:
        assert server.socket.getsockname()[0] == "127.0.0.1"
        assert server.app.debug is False
    finally:
        server.server_close()


def test_a_port_that_is_taken(settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="--port"):
            listen(explorer(settings), taken.getsockname()[1])


def test_the_command_says_where_and_ends_by_ctrl_c(settings):
    with subprocess.Popen(
        [sys.executable, "-m", "interohm", "explore", "--port", "0", "--no-browser"],
        env={**os.environ, "INTEROHM_DATA": str(settings.data)},
        stderr=subprocess.PIPE,
        text=True,
        # What shells start in the background ignores Ctrl-C, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as ran:
        try:
            address = ran.stderr.readline().split()[4]
            connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
            connection.request("GET", urlsplit(address).path)
            assert connection.getresponse().status == 200
        finally:
            ran.send_signal(signal.SIGINT)
        assert "Traceback" not in ran.stderr.read()
    assert ran.returncode == 0


def test_a_password_is_nowhere(monkeypatch):
    monkeypatch.setattr("interohm.database.storage._SERVER_TIMEOUT_MS", 200)
    unreachable = Settings(mongodb_uri="mongodb://me:hunter2@127.0.0.1:1/")
    with pytest.raises(InputError) as caught:
        explorer(unreachable)
    assert "hunter2" not in str(caught.value)


def test_what_the_uri_says_is_nowhere_on_the_page(server_uri):
    uri = f"{server_uri.rstrip('/')}/?appname=hunter2"
    app = explorer(Settings(mongodb_uri=uri, mongodb_database="interohm_test_nothing"))
    server, address = listen(app, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        page = Served(address, server.server_port)
        texts = [get(page)[1], get(page, f"{urlsplit(address).path}_dash-layout")[1]]
        assert "interohm_test_nothing" in texts[1]  # where it is, is said
        texts.append(callback(page, *rows_of("contacts"))[1])
        assert "0 rows" in texts[2]
        assert not [text for text in texts if "hunter2" in text or "appname" in text]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def callback(page, output, inputs, state=()):
    """Ask for one of the page's answers as the browser does."""
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    body = {
        "output": output,
        "outputs": [
            dict(zip(("id", "property"), part.split(".", 1), strict=True))
            for part in output.strip(".").split("...")
        ]
        if output.startswith("..")
        else dict(zip(("id", "property"), output.split(".", 1), strict=True)),
        "inputs": [{"id": i, "property": p, "value": v} for i, p, v in inputs],
        "state": [{"id": i, "property": p, "value": v} for i, p, v in state],
        "changedPropIds": [f"{inputs[0][0]}.{inputs[0][1]}"],
    }
    path = f"{urlsplit(page.address).path}_dash-update-component"
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, response.read().decode()


@pytest.mark.parametrize(
    "key",
    [
        json.dumps([{"$gt": ""}, "LLZO", 300.0, 0.0, None]),
        json.dumps(["Li", "LLZO", 300.0, 0.0]),
        json.dumps("Li"),
        "no json",
        None,
        json.dumps(["Li", "nowhere", 300.0, 0.0, None]),
    ],
)
def test_keys_that_no_row_has(page, key):
    status, text = callback(
        page,
        "details.children",
        [("table", "selectedRows", [{"key": key}]), ("theme", "data", "light")],
        [("collection", "value", "contacts"), ("table", "rowData", [])],
    )
    assert status == 200
    assert "Reload the table" in text or "Choose one in the table" in text


def rows_of(collection):
    """Return what the browser asks for to fill the table."""
    output = (
        "..table.columnDefs...table.rowData...message.children...message.className..."
        "conditions.options...conditions.value...map-section.hidden..."
        "validation-section.hidden...pending.disabled.."
    )
    inputs = [
        ("collection", "value", collection),
        ("where", "n_submit", 0),
        ("where", "n_blur", 0),
        ("reload", "n_clicks", 0),
        ("pending", "n_intervals", 0),
    ]
    return output, inputs, [("where", "value", ""), ("conditions", "value", None)]


def test_collections_that_are_none(page):
    status, text = callback(page, *rows_of("wires"))
    assert status == 200
    assert "There is no collection 'wires'" in json.loads(text)["response"]["message"]["children"]


def test_every_row_is_found_by_its_key(settings):
    from interohm.database import Database

    with Database.open(settings) as database:
        for collection in ("contacts", "cells"):
            for row in database.rows(collection):
                found = selected(database, collection, key_of(collection, row))
                assert isinstance(found.result, CellResult) == (collection == "cells")
                assert f"{row['temperature_K']:g} K" in found.name


def contact_row(left, right, ohm, **more):
    return {"left": left, "right": right, "resistance_ohm_cm2": ohm, "reason": None, **more}


def test_the_heat_map_tells_negative_unknown_and_missing_apart():
    rows = [
        contact_row("Li", "LLZO", 100.0),
        contact_row("Li", "<b>x</b>", -1.0),
        contact_row("LLZO", "LiF", None, reason="not thick"),
        contact_row("LLZO", "LLZO", 1e-4, outside_of_model=True),
    ]
    keys = ["a", "b", "c", "d"]
    figure = heat_map(rows, keys, "resistance_ohm_cm2")
    # the page sends rows as its table has them
    shown = [
        table_row({"outside_of_model": False, **row}, key)
        for row, key in zip(rows, keys, strict=True)
    ]
    assert heat_map(shown, keys, "resistance_ohm_cm2") == figure
    [trace, plain] = figure["data"]
    assert trace["y"] == ["LLZO", "Li"]
    assert trace["x"] == ["&lt;b&gt;x&lt;/b&gt;", "LLZO", "LiF"]
    # the lowest resistance, of phases that react, is not the best colour of the scale
    assert trace["z"] == [[None, None, None], [None, 2.0, None]]
    assert plain["z"] == [[None, 0.0, 0.0], [0.0, None, None]]
    assert plain["colorscale"][0][1] == plain["colorscale"][1][1]
    assert trace["text"] == [["", "", ""], ["", "100", ""]]
    assert plain["text"] == [["", "0.0001 ✕", "–"], ["-1", "", ""]]
    assert trace["customdata"] == plain["customdata"] == [["", "d", "c"], ["b", "a", ""]]
    assert "outside of this model" in trace["hovertext"][0][1]
    assert "negative" in trace["hovertext"][1][0]
    assert "not thick" in trace["hovertext"][0][2]
    assert "not in the database" in trace["hovertext"][0][0]


def test_a_comparison_sums_parts_by_what_they_are():
    one = [
        Part("Li | LLZO: depletion in LLZO", "depletion", 1.0, None),
        Part("LLZO, 20 nm", "layer", 10.0, None),
        Part("LLZO | LCO: depletion in LLZO", "depletion", 2.0, None),
        Part("accumulation at all contacts", "accumulation", -2.0, None),
        Part("cell (ASR)", "total", None, None),
    ]
    other = [Part("LiF, 5 nm", "layer", 2.0, None), Part("LLZO, 20 nm", "layer", 5.0, None)]
    figure = comparison(["one", "<i>other</i>"], [one, other])
    first, second = figure["data"]
    assert first["y"] == ["layers", "depletion", "accumulation"]
    assert first["x"] == [10.0, 3.0, 2.0]
    assert first["customdata"] == ["10", "3", "-2"]
    assert first["marker"]["pattern"]["shape"] == ["", "", "/"]
    assert (second["y"], second["x"]) == (["layers"], [7.0])
    assert second["name"] == "&lt;i&gt;other&lt;/i&gt;"
    assert "var(" not in json.dumps(figure)
    unknown = comparison(["one"], [[Part("total", "total", None, None)]])
    assert "no part" in unknown["layout"]["annotations"][0]["text"]
