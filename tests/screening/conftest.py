"""Settings of every test: a database of its own, nothing from the user's environment."""

from __future__ import annotations

import os

import numpy as np
import pytest

from interohm.screening.cells import Cells, FullySolvedCells
from interohm.screening.contacts import OF_PAIRS, SideContacts


@pytest.fixture(autouse=True)
def _own_project(tmp_path, monkeypatch):
    """Run in an empty folder, with a database that does not exist yet."""
    for name in list(os.environ):
        if name.startswith("INTEROHM_") and not name.startswith("INTEROHM_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _side(rng, electrolytes: int, sides: int, *, coarse: bool) -> SideContacts:
    table = {name: rng.normal(size=(electrolytes, sides)) for name in OF_PAIRS}
    for name in OF_PAIRS:
        if name.endswith("_ohm_cm2"):
            table[name] = np.exp(3 * table[name]) + 10.0 ** rng.integers(0, 5, (electrolytes, 1))
    voltage = rng.normal(size=sides)
    if coarse:
        # few different values: many cells are equal
        table = {name: np.round(values) for name, values in table.items()}
        voltage = np.round(voltage)
    table["needed_nm"] = rng.uniform(0, 600, (electrolytes, sides))
    table["resistance_ohm_cm2"][rng.random((electrolytes, sides)) < 0.02] = np.nan
    table["stability_margin_V"][rng.random((electrolytes, sides)) < 0.02] = np.nan
    level = rng.normal(size=sides)
    outside = rng.choice([0.0, 1.0, np.nan], (electrolytes, sides), p=[0.6, 0.2, 0.2])
    return SideContacts(**table, voltage_V=voltage, fermi_level_eV=level, outside_of_model=outside)


@pytest.fixture(params=[False, True], ids=["all different", "many equal"])
def made_cells(request) -> Cells:
    """Return 7 x 23 x 31 cells of random contacts, some of them solved whole."""
    rng = np.random.default_rng(3)
    negative, positive = (_side(rng, 7, sides, coarse=request.param) for sides in (23, 31))
    cells = Cells(negative, positive, 1000.0)
    indices, _ = cells.not_separable(at_most=40)
    whole = FullySolvedCells(
        indices,
        {name: rng.normal(size=indices.size) for name in ("resistance_ohm_cm2", "bulk_ohm_cm2")},
    )
    return Cells(negative, positive, 1000.0, whole)
