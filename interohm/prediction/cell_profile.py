"""The band diagram of a cell: levels against the distance from the negative electrode's back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.results.json_values import column_quantiles, numbers

if TYPE_CHECKING:
    from interohm.prediction.layer_diagram import LayerDiagram

_COLUMNS = (
    "x_nm",
    "phi_V",
    "vacuum_level_eV",
    "conduction_band_eV",
    "valence_band_eV",
    "fermi_level_eV",
    "mu_eV",
    "electrochemical_potential_eV",
)


def cell_profile(diagrams: list[LayerDiagram]) -> dict[str, list[float | None]]:
    """Return x, phi and the levels of all layers; what a phase has not is None.

    Parameters
    ----------
    diagrams : list of LayerDiagram
        Of the layers from left to right, and of collectors around them.

    Returns
    -------
    dict
        ``x_nm`` (0 at the first layer's left edge), ``phi_V``, ``vacuum_level_eV``,
        ``conduction_band_eV``, ``valence_band_eV``, ``fermi_level_eV``, ``mu_eV`` (of the
        neutral mobile element), ``electrochemical_potential_eV`` (of the mobile ion).
    """
    return {
        name: numbers(np.concatenate([getattr(diagram, name) for diagram in diagrams]))
        for name in _COLUMNS
    }


def level_bands(diagram: LayerDiagram) -> dict[str, Any]:
    """Return x (P,) and the quantiles there of potential and levels of samples (samples, P)."""
    return {
        "x_nm": numbers(diagram.x_nm),
        **{
            name: column_quantiles(getattr(diagram, name))
            for name in (*_COLUMNS[1:], "work_function_eV")
        },
    }
