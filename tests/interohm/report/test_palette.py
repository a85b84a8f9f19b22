"""The colours of pages and figures: legible, and told apart by all eyes."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from interohm.report.palette import SCALE, colours

THEMES = ("light", "dark")

#: Text and lines of figures and pages.
_INK = (
    *("text", "muted", "warn", "accent", "conduction", "valence", "fermi", "vacuum", "drop"),
    *("space-charge", "charge-transfer", "layer", "total"),
    *(f"series-{place}" for place in range(1, 7)),
)

# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, IEEE Trans. Vis. Comput. Graph. 15, 1291
# (2009), severity 1.
_VISIONS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2."""
    dark, light = sorted(linear(each) @ [0.2126, 0.7152, 0.0722] for each in (one, other))
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    axes = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.array(axes) @ np.cbrt(np.array(cones) @ np.clip(rgb, 0, 1))


@pytest.mark.parametrize("theme", THEMES)
def test_text_and_lines_are_legible(theme):
    named = colours(theme)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for name in _INK:
        for ground in ("page", "panel"):
            assert contrast(named[name], named[ground]) >= 4.5, (name, ground)
    assert contrast(named["warn"], named["warn-page"]) >= 4.5
    assert contrast(named["text"], named["warn-page"]) >= 4.5


@pytest.mark.parametrize("vision", _VISIONS)
@pytest.mark.parametrize("theme", THEMES)
def test_all_eyes_tell_the_colours_of_a_series_apart(theme, vision):
    """A difference of 2 in OKLab (times 100) is just noticed; ours are four times that."""
    seen = {
        name: oklab(np.array(_VISIONS[vision]) @ linear(colours(theme)[name]))
        for name in (f"series-{place}" for place in range(1, 7))
    }
    for one, other in combinations(seen, 2):
        assert 100 * np.linalg.norm(seen[one] - seen[other]) > 8, (one, other)


@pytest.mark.parametrize("theme", THEMES)
def test_numbers_of_a_heat_map_are_legible_everywhere(theme):
    named = colours(theme)
    ends = [named[colour.removeprefix("var(--").removesuffix(")")] for _, colour in SCALE]
    for low, high in pairwise(ends):
        channels = [[int(end[i : i + 2], 16) for i in (1, 3, 5)] for end in (low, high)]
        for share in np.linspace(0, 1, 21):
            mixed = (1 - share) * np.array(channels[0]) + share * np.array(channels[1])
            colour = "#" + "".join(f"{round(channel):02x}" for channel in mixed)
            assert contrast(named["on-map"], colour) >= 4.5


def test_colours_are_defined_nowhere_else():
    package = Path(__file__).parents[3] / "interohm"
    for folder in ("report", "explorer"):
        for path in [*(package / folder).rglob("*.py"), *(package / folder).rglob("*.css")]:
            if path.name != "palette.css":
                found = re.findall(r"#[0-9a-fA-F]{6}\b", path.read_text(encoding="utf-8"))
                assert not found, path


def test_the_library_that_draws_is_that_of_plotly():
    """Figures are checked by plotly for Python, and drawn by the bundle that is shipped."""
    from importlib.resources import files

    from plotly.offline import get_plotlyjs_version

    shipped = files("interohm.report").joinpath("plotly_js")
    banner = shipped.joinpath("plotly-cartesian.min.js").read_text(encoding="utf-8")[:200]
    assert f"v{get_plotlyjs_version()}\n" in banner
    assert "MIT" in shipped.joinpath("LICENSE").read_text(encoding="utf-8")
