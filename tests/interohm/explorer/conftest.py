"""A database with contacts and cells, its page, and Chromium where there is one."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from interohm.database import Database
from interohm.explorer.server import explorer, listen
from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.settings import Settings


class Page(NamedTuple):
    """A running explorer: its address, the port, and the settings of its database."""

    address: str
    port: int
    settings: Settings


@pytest.fixture(scope="session")
def settings(tmp_path_factory) -> Settings:
    """Return the settings of a folder with four contacts, a cell and a record."""
    made = Settings(data=tmp_path_factory.mktemp("explored") / "data", mongodb_uri=None)
    records = {name: shipped_material(name) for name in ("Li", "LiF", "LLZO", "LiPON", "LiCoO2")}
    pairs = (("Li", "LLZO"), ("Li", "LiPON"), ("LLZO", "LiCoO2"), ("LiPON", "LiCoO2"))
    layers = [{"material": name, "thickness_nm": 10_000} for name in ("Li", "LLZO", "LiCoO2")]
    cell = Cell(name="full", states_of_charge=[0.0, 1.0], layers=layers)
    with Database.open(made, write=True) as database:
        for left, right in pairs:
            database.save_contact(contact_document(records[left], records[right], samples=50))
        materials = [records[layer.material] for layer in cell.layers]
        database.save_cell(cell_document(cell, materials, samples=20))
        database.save_material(records["LiF"])
    return made


@pytest.fixture(scope="session")
def page(settings) -> Iterator[Page]:
    """Serve the page until the tests are done."""
    server, address = listen(explorer(settings), 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Page(address, server.server_port, settings)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Start Chromium without a window; skip where there is none (Debian's chromium-driver)."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("there is no Chromium with its driver here")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1500,1450",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    yield started
    started.quit()
