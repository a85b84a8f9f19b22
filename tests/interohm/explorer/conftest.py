"""A database with contacts and cells, and its page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import pytest

from interohm.database import Database
from interohm.explorer.server import explorer, listen
from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.prediction.impedance import impedance_result
from interohm.prediction.validation import row_fields, validate
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
        database.save_impedance(impedance_result(cell, materials, samples=0))
        database.save_material(records["LiF"])
    return made


def predicted(experiments, progress) -> list[dict]:
    """Return the real predictions, of few samples."""
    return row_fields(validate(experiments, samples=20, progress=progress).rows)


@contextmanager
def served(settings, predict) -> Iterator[Page]:
    """Serve a page."""
    server, address = listen(explorer(settings, predict), 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Page(address, server.server_port, settings)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def page(settings) -> Iterator[Page]:
    """Serve the page until the tests are done."""
    with served(settings, predicted) as page:
        yield page


@pytest.fixture
def page_of(settings) -> Iterator[Callable[..., Page]]:
    """Serve pages with predictions of their own until the test is done."""
    with ExitStack() as stack:
        yield lambda predict: stack.enter_context(served(settings, predict))
