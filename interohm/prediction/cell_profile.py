"""The band diagram as columns of a document: levels against the distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.results.json_values import column_quantiles, number, numbers

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
        Diagrams of the layers from left to right, and of the collectors at both ends.

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


def contact_levels(left: LayerDiagram, right: LayerDiagram) -> dict[str, dict[str, float | None]]:
    """Return what stands at a contact on its two sides, the one that is a metal included.

    Parameters
    ----------
    left, right : LayerDiagram
        Diagrams of the two phases.

    Returns
    -------
    dict
        ``mu_eV``, ``fermi_level_eV`` and ``electrochemical_potential_eV`` by side.
    """
    return {
        name: {
            "left": number(getattr(left, name)[-1]),
            "right": number(getattr(right, name)[0]),
        }
        for name in ("mu_eV", "fermi_level_eV", "electrochemical_potential_eV")
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
