"""The page where others had a hand in it: texts that are markup, requests that are none of it."""

from __future__ import annotations

import http.client
import json
import os
import stat
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from interohm.database import Database
from interohm.explorer.server import explorer, listen, page_that_leads_to
from interohm.prediction.contact import contact_document
from interohm.records.shipped import shipped_material
from interohm.settings import Settings

MARKUP = "<img/src=x/onerror=document.title='hacked'>"


@pytest.fixture(scope="module")
def odd_page(tmp_path_factory):
    """Serve a database of which the place and a contact's phases are markup."""
    folder = tmp_path_factory.mktemp("odd") / "<title>x" / "<script>document.title='hacked'<"
    settings = Settings(data=folder, mongodb_uri=None)
    contact = contact_document(shipped_material("Li"), shipped_material("LLZO"), samples=10)
    text = json.dumps(contact).replace('"LLZO"', json.dumps(MARKUP))
    with Database.open(settings, write=True) as database:
        database.save_contact(json.loads(text))
    server, address = listen(explorer(settings), 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield address
    server.shutdown()
    thread.join()
    server.server_close()


def test_texts_are_texts(odd_page, chromium):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    chromium.get(odd_page)
    WebDriverWait(chromium, 60).until(
        lambda browser: browser.find_elements(By.CSS_SELECTOR, "#table .ag-row")
    )
    chromium.find_elements(By.CSS_SELECTOR, "#table .ag-row .ag-cell")[1].click()
    WebDriverWait(chromium, 60).until(
        lambda browser: browser.find_elements(By.CSS_SELECTOR, "#budget .main-svg")
    )
    assert "<script>document.title='hacked'<" in chromium.title
    assert not chromium.find_elements(By.CSS_SELECTOR, "img[src='x']")
    assert MARKUP in chromium.find_element(By.CSS_SELECTOR, "#details h2").text


def test_a_browser_is_led_to_the_page_by_a_file_of_its_user(odd_page, chromium):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    with page_that_leads_to(odd_page) as address:
        file = Path(url2pathname(urlsplit(address).path))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert urlsplit(odd_page).path not in address
        chromium.get(address)
        WebDriverWait(chromium, 60).until(
            lambda browser: browser.find_elements(By.CSS_SELECTOR, "#table .ag-row")
        )
        assert chromium.current_url == odd_page
    assert not file.exists()


def test_the_command_gives_no_process_the_address(settings, monkeypatch, capfd):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    from interohm.cli.explore import explore

    class Once(BaseException):
        """End the server."""

    def serve(self):
        raise Once

    monkeypatch.setattr("socketserver.BaseServer.serve_forever", serve)
    monkeypatch.setattr("werkzeug.serving.BaseWSGIServer.serve_forever", serve)
    monkeypatch.setenv("INTEROHM_DATA", str(settings.data))
    with pytest.raises(Once):
        explore(port=0, browser=True)
    address = capfd.readouterr().err.split()[4]
    [given] = opened
    assert given.startswith("file://")
    assert urlsplit(address).path.strip("/") not in given


PROPER = {
    "output": "map.figure",
    "outputs": {"id": "map", "property": "figure"},
    "inputs": [
        {"id": "conditions", "property": "value", "value": None},
        {"id": "quantity", "property": "value", "value": "resistance_ohm_cm2"},
        {"id": "table", "property": "virtualRowData", "value": []},
        {"id": "collection", "property": "value", "value": "contacts"},
        {"id": "theme", "property": "data", "value": "dark"},
    ],
    "state": [],
    "changedPropIds": ["conditions.value"],
}


def post(address, body, kind="application/json"):
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    content = body if isinstance(body, (str, bytes)) else json.dumps(body)
    connection.request(
        "POST", f"{parts.path}_dash-update-component", content, {"Content-Type": kind}
    )
    response = connection.getresponse()
    return response.status, response.read().decode()


def with_value(place, value):
    inputs = [dict(item) for item in PROPER["inputs"]]
    inputs[place]["value"] = value
    return {**PROPER, "inputs": inputs}


def test_a_proper_request(odd_page):
    assert post(odd_page, PROPER)[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        *("", "no json", "[]", "5", "null", b"\xff\xfe", "{}", "[" * 5000),
        *({**PROPER, "inputs": wrong} for wrong in (None, 5, "x", {}, [5], [[]], [{}])),
        *({**PROPER, "output": wrong} for wrong in (None, 5, [], "nothing.here", "..", "x")),
        *({**PROPER, "changedPropIds": wrong} for wrong in (5, [5], "x")),
        *(with_value(0, wrong) for wrong in (5, [], {"a": 1}, True)),
        *(with_value(1, wrong) for wrong in (None, 5, ["left"])),
        *(with_value(2, wrong) for wrong in (5, "x", [5], [["a"]], {"a": {}})),
        *(
            with_value(2, [row])
            for row in ({"left": "Li", "temperature_K": wrong} for wrong in ("x", {}))
        ),
        *(with_value(3, wrong) for wrong in (None, 5, [], {})),
        *(with_value(4, wrong) for wrong in ("blue", 5, [], {})),
        {**PROPER, "inputs": PROPER["inputs"][:1]},
        {key: value for key, value in PROPER.items() if key != "outputs"},
    ],
    ids=lambda body: str(body)[:40],
)
def test_requests_of_wrong_types(odd_page, body, capfd):
    status, text = post(odd_page, body)
    assert status == 400
    assert "Traceback" not in text
    time.sleep(0.05)
    assert "Traceback" not in capfd.readouterr().err


def test_only_the_page_itself_is_opened_from_elsewhere(odd_page):
    parts = urlsplit(odd_page)

    def status(path, **headers):
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers={"Sec-Fetch-Site": "cross-site", **given})
        return connection.getresponse().status

    opening = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert status(parts.path, **opening) == 200
    assert status(f"{parts.path}_dash-layout", **opening) == 403
    assert status(parts.path, **{**opening, "Sec_Fetch_Dest": "iframe"}) == 403
    assert status(parts.path, Sec_Fetch_Mode="cors", Sec_Fetch_Dest="empty") == 403
    assert os.sep in parts.path
