"""Figures for print."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from interohm.errors import InputError
from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.report.figures import write_cell_figure, write_contact_figure
from interohm.report.space_charge import RAREST_CM3

NAMES = ["Li", "LLZO", "LiCoO2"]


@pytest.fixture(scope="module")
def document():
    layers = [{"material": name, "thickness_nm": 20000} for name in NAMES]
    cell = Cell(name="cell", states_of_charge=[0.0, 1.0], layers=layers)
    return cell_document(cell, [shipped_material(name) for name in NAMES], samples=10)


@pytest.mark.parametrize(
    ("suffix", "beginning"), [("pdf", b"%PDF"), ("png", b"\x89PNG"), ("svg", b"<?xml")]
)
def test_cell_figure(document, tmp_path, suffix, beginning):
    path = tmp_path / f"bands.{suffix}"
    write_cell_figure(path, document)
    assert path.read_bytes().startswith(beginning)
    assert list(tmp_path.iterdir()) == [path]


def test_figure_names_layers_and_levels(document, tmp_path):
    path = tmp_path / "bands.svg"
    write_cell_figure(path, document)
    drawn = path.read_text(encoding="utf-8")
    for text in (
        *NAMES,
        "Fermi level",
        "vacuum level",
        "energy (eV)",
        "state of charge 1",
        "electrochemical",
    ):
        assert text in drawn


def test_contact_figure_draws_names_as_they_are(tmp_path):
    pair = [shipped_material("Li"), shipped_material("LLZO").model_copy(update={"name": "$a_b$"})]
    path = tmp_path / "contact.svg"
    write_contact_figure(path, contact_document(*pair, samples=10))
    drawn = path.read_text(encoding="utf-8")
    assert "$a_b$" in drawn
    assert "Li_i" in drawn


def test_intervals_are_shaded(document, tmp_path):
    path, bare = tmp_path / "bands.svg", tmp_path / "bare.svg"
    write_cell_figure(path, document)
    states = [{**state, "quantiles": None} for state in document["states"]]
    write_cell_figure(bare, {**document, "states": states})
    shades = [one.read_text(encoding="utf-8").count("PolyCollection") for one in (path, bare)]
    # in each state: four levels and three potentials in LLZO, two and three in each electrode
    assert shades[0] - shades[1] == 2 * (7 + 2 * 5)


def test_concentrations_end_at_the_rarest_that_is_drawn(tmp_path, monkeypatch):
    pair = [shipped_material("Li"), shipped_material("LLZO")]
    contact = contact_document(*pair, samples=50)
    band = contact["quantiles"]["profile"]["right"]["concentrations_cm3"]["V_Li"]
    band["p05"] = [1e-30] * len(band["p05"])
    drawn = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure,
        "savefig",
        lambda self, *args, **fields: drawn.append(self) or save(self, *args, **fields),
    )
    write_contact_figure(tmp_path / "contact.png", contact)
    bottom, top = drawn[0].axes[2].get_ylim()
    assert bottom == RAREST_CM3
    assert top > 1e20


@pytest.mark.parametrize("name", ["bands", "bands.jpg", "bands.html"])
def test_other_formats_are_refused(document, tmp_path, name):
    with pytest.raises(InputError, match=r"end the name in \.pdf"):
        write_cell_figure(tmp_path / name, document)
    assert not list(tmp_path.iterdir())
