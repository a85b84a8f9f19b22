"""Reports in headless Chromium, at the widths of a telephone, a laptop and a large screen."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from interohm.prediction.cell import cell_document
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.report import write_report
from interohm.report.impedance import nyquist_figure
from interohm.report.page import figure, page
from interohm.yaml_io import dump_yaml

_SCREEN = {
    "name": "two by three",
    "negative_electrodes": ["Li", "LiC6"],
    # of moderate, of doubtful, and of so high a resistance that its numbers are long
    "electrolytes": ["LLZO", "LiPON", "LiF"],
    "positive_electrodes": ["LiCoO2"],
    "count": 6,
    "survivors": 6,
    "samples": 50,
}
#: One row of fields under long names.
_COATED = {
    **_SCREEN,
    "negative_electrodes": ["Li"],
    "electrolytes": ["LLZO", "Li6PS5Cl"],
    "positive_coatings": [{"material": "LiNbO3", "thickness_nm": [1, 2, 5, 10]}],
    "samples": 10,
}
CONFIGS = Path(__file__).parents[3] / "configs"
_DESIGN = {
    "name": "design",
    "between": ["LiCoO2", "Li6PS5Cl"],
    "coatings": ["LiNbO3", "LiTaO3", "Li3PO4", "Al2O3", "Li2CO3", "LiCl_001"],
    "thickness_nm": {"from": 1, "to": 20},
    "states_of_charge": [0.5],
    "limits": {"stability_margin_V": -1.0},
    "samples": 30,
}
_CONFIGS = {
    "screen": ("screen", _SCREEN),
    "coated screen": ("screen", _COATED),
    "design": ("design", _DESIGN),
}
_COMMANDS = {
    "impedance": ("impedance", CONFIGS / "examples" / "impedance_cell.yaml", "--samples", 10),
    "dynamics": (
        *("dynamics", CONFIGS / "examples" / "dynamics_cell.yaml"),
        *("--c-rate", 2, "--samples", 10),
    ),
    "kpfm": (
        *("kpfm", CONFIGS / "maps" / "lithium-LiPON-LCO.csv"),
        *("--cell", CONFIGS / "maps" / "lithium-LiPON-LCO.yaml", "--resolution-nm", 30),
    ),
}
#: Tables that do not fit; figures whose toolbar is over what is drawn, whose titles are over other
#: texts or beyond the figure, the labels of whose axes are over each other, and maps whose numbers
#: are not legible.
_FAULTS = """
const cut = [...document.querySelectorAll(".scroll")].filter(e => e.scrollWidth > e.clientWidth + 1)
  .map(e => e.closest("section").querySelector("h2").textContent);
const apart = (a, b) => a.left >= b.right - 1 || b.left >= a.right - 1
  || a.top >= b.bottom - 1 || b.top >= a.bottom - 1;
const drawn = ".bglayer rect, .plot path, .annotation, .legend, .gtitle, [class*=colorbar] rect";
const covered = [...document.querySelectorAll(".figure")].filter(figure => {
  const bar = figure.querySelector(".modebar").getBoundingClientRect();
  return [...figure.querySelectorAll(drawn)].map(e => e.getBoundingClientRect())
    .some(box => box.width > 0 && !apart(bar, box));
}).map(figure => figure.dataset.figure);
const texts = ".xaxislayer-above text, .yaxislayer-above text, .legend text, .xdivider";
const titled = [...document.querySelectorAll(".figure")].filter(figure => {
  const boxes = [...figure.querySelectorAll(texts)].map(e => e.getBoundingClientRect());
  return [...figure.querySelectorAll(".gtitle, .xtitle")].map(e => e.getBoundingClientRect())
    .some(title => boxes.some(box => box.height > 0 && !apart(title, box)));
}).map(figure => figure.dataset.figure);
const turned = e => /rotate\\((?!0,)/.test(e.getAttribute("transform") || "");
const axes = [".xaxislayer-above", ".yaxislayer-above", ".cbaxis"];
const crowded = [...document.querySelectorAll(".figure")].filter(figure =>
  [...figure.querySelectorAll(axes)].some(axis => {
    const ticks = [...axis.querySelectorAll("[class*=tick] text")].filter(e => !turned(e));
    const boxes = ticks.map(e => e.getBoundingClientRect()).filter(box => box.width > 0);
    return boxes.some((box, k) => boxes.slice(k + 1).some(other => !apart(box, other)));
  })).map(figure => figure.dataset.figure);
const tiny = [...document.querySelectorAll(".figure")].filter(figure =>
  [...figure.querySelectorAll(".heatmaplayer text")].some(text =>
    parseFloat(getComputedStyle(text).fontSize) < 9)).map(figure => figure.dataset.figure);
const outside = [...document.querySelectorAll(".figure")].filter(figure => {
  const whole = figure.querySelector(".main-svg").getBoundingClientRect();
  return [...figure.querySelectorAll(".xtitle, .ytitle")].map(e => e.getBoundingClientRect())
    .some(box => box.width > 0 && (box.left < whole.left - 1 || box.right > whole.right + 1
      || box.top < whole.top - 1 || box.bottom > whole.bottom + 1));
}).map(figure => figure.dataset.figure);
return {page: document.documentElement.scrollWidth, cut, covered, titled, crowded, tiny, outside,
  figures: document.querySelectorAll(".figure .main-svg").length};
"""


@pytest.fixture
def opened(chromium):
    """Return a function that opens a report at a width and says what is wrong with it."""

    def open_at(path, width):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        chromium.get(path.as_uri())
        ends = time.monotonic() + 3600  # fails only what never comes
        script = (
            "return document.querySelectorAll('.modebar').length"
            " === document.querySelectorAll('.figure').length"
        )
        while not chromium.execute_script(script):
            assert time.monotonic() < ends, "the figures are not drawn"
            time.sleep(0.1)
        return chromium.execute_script(_FAULTS)

    yield open_at
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert [e for e in chromium.get_log("browser") if e["level"] == "SEVERE"] == []


@pytest.mark.parametrize("report", ["cell"], indirect=True)
def test_figures_keep_their_place_when_the_window_changes(report, opened, chromium):
    """Each as tall as what is drawn in it: none over the text below."""
    opened(report, 1280)
    script = """
    return [...document.querySelectorAll(".figure")].map(figure => [
      figure.getBoundingClientRect().height,
      figure.querySelector(".main-svg").getBoundingClientRect().height]);
    """
    drawn = chromium.execute_script(script)
    for width, height in ((1000, 900), (1000, 1200)):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        time.sleep(1.0)
        assert chromium.execute_script(script) == drawn


@pytest.mark.parametrize("inductive", [0.0, -12.0])
def test_a_nyquist_plot_has_the_range_of_its_data_and_one_scale(
    inductive, opened, chromium, tmp_path
):
    """No empty part below zero, and no point cut."""
    points = {"x": [29.0, 36.0, 38.0, 41.0, 78.0], "y": [14.0, inductive, 2.0, 1.0, 38.0]}
    drawn = nyquist_figure([])
    drawn["frames"] = [[{"type": "scatter", "mode": "lines+markers", **points}]]
    path = tmp_path / "nyquist.html"
    body = [figure("nyquist", "a spectrum")]
    path.write_text(page("spectrum", body, {"nyquist": drawn}, [0.0]), encoding="utf-8")
    script = """
    const {xaxis, yaxis} = document.querySelector(".figure")._fullLayout;
    return [xaxis, yaxis].map(axis => [...axis.range, axis._length]);
    """
    for width in (600, 1280):
        opened(path, width)
        scales = []
        for (low, high, length), values in zip(
            chromium.execute_script(script), points.values(), strict=True
        ):
            room = 0.2 * (max(values) - min(values))
            assert min(values) - room < low < min(values)
            assert max(values) < high < max(values) + room
            scales.append(length / (high - low))
        assert scales[0] == pytest.approx(scales[1], rel=0.01)


@pytest.fixture
def report(request, interohm, tmp_path):
    """Return the report of a cell, of a screening, of a design or of a command, of few samples."""
    path = tmp_path / "report.html"
    if request.param in _COMMANDS:
        ran = interohm(*_COMMANDS[request.param], "--report", path)
        assert ran.code == 0, ran.err
        return path
    if request.param in _CONFIGS:
        command, described = _CONFIGS[request.param]
        config = tmp_path / "config.yaml"
        config.write_text(dump_yaml(described))
        ran = interohm(command, config, "--report", path)
        assert ran.code == 0, ran.err
        return path
    layers = [{"material": name, "thickness_nm": 1e4} for name in ("Li", "LLZO", "LiCoO2")]
    cell = Cell(name="full", states_of_charge=[0.0, 1.0], layers=layers)
    materials = [shipped_material(layer.material) for layer in cell.layers]
    write_report(path, cell, materials, cell_document(cell, materials, samples=10))
    return path


@pytest.mark.parametrize("report", ["cell", *_CONFIGS, *_COMMANDS], indirect=True)
def test_nothing_is_cut_or_covered(report, opened):
    for width in (600, 1280, 1920):
        found = opened(report, width)
        assert found["figures"] >= 2
        assert found["page"] <= width
        assert found["covered"] == []
        assert found["titled"] == []
        assert found["crowded"] == []
        assert found["tiny"] == []
        assert found["outside"] == []
        if width >= 1280:
            assert found["cut"] == []
    assert report.stat().st_size < 2e6
