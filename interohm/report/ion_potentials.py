"""The mobile ion's potentials across all layers: chemical, electrostatic, electrochemical."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from interohm.report.band_diagram import (
    break_marks,
    layer_names,
    layer_shapes,
    level_bands,
    level_trace,
    x_axis,
)
from interohm.report.curves import DASHES, SERIES
from interohm.report.display_axis import DisplayAxis
from interohm.report.levels import LayerLevels, thinned

if TYPE_CHECKING:
    Figure = dict[str, Any]

#: Column, name and unit of each curve.
POTENTIALS = (
    ("electrochemical_eV", "electrochemical potential of the ion", "eV"),
    ("mu_eV", "chemical potential of its element", "eV"),
    ("phi_V", "electrostatic potential", "V"),
)


def ion_figure(
    axis: DisplayAxis, names: Sequence[str], diagrams: Sequence[Sequence[LayerLevels]]
) -> Figure:
    """Return the potentials of the mobile ion, one frame per state.

    Parameters
    ----------
    axis : DisplayAxis
        Axis of the band diagram.
    names : sequence of str
        Names of the layers.
    diagrams : sequence of sequences of LayerLevels
        For each state the levels of each layer.
    """
    drawn = [[thinned(layer, axis) for layer in diagram] for diagram in diagrams]
    frames = [
        [
            *(
                shade
                for number, (column, name, _) in enumerate(POTENTIALS)
                for shade in level_bands(axis, diagram, column, name, SERIES[number])
            ),
            *(
                level_trace(axis, diagram, column, name, SERIES[number], DASHES[number], unit)
                for number, (column, name, unit) in enumerate(POTENTIALS)
            ),
        ]
        for diagram in drawn
    ]
    values = [y for frame in frames for trace in frame for y in trace["y"] if y is not None]
    margin = 0.06 * (max(values) - min(values))
    layout: Figure = {
        "xaxis": x_axis(axis),
        "yaxis": {
            "title": {"text": "energy (eV), potential (V)"},
            "range": [min(values) - margin, max(values) + margin],
            "zeroline": False,
            "gridcolor": "var(--grid)",
        },
        "shapes": layer_shapes(axis),
        "annotations": [*layer_names(axis, names, [None] * len(names)), *break_marks(axis)],
        "legend": {"orientation": "h", "x": 0, "y": -0.32, "yanchor": "top"},
        "margin": {"l": 70, "r": 36, "t": 36, "b": 115},
        "hovermode": "x unified",
        "height": 415,
    }
    return {"layout": layout, "frames": frames}
