"""The profiles of samples, at places that all samples share: what intervals along x are made of.

A sample has its own drop and its own Debye length, so that each is solved at its own points, few of
them, and interpolated: an interval's own statistical error is larger than what that costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm import device_models as models
from interohm.device_models import FiniteLayer
from interohm.prediction.solved_contact import shown_side
from interohm.records import Metal
from interohm.results.json_values import column_quantiles, numbers

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.device_models import HalfSpace
    from interohm.prediction.solved_contact import Side, SolvedContact


#: Points of one sample's half space, and about half of those of its layer.
_HALF_SPACE_POINTS, _LAYER_POINTS = 33, 49

#: Places at which one space charge has intervals.
_PLACES = 33


@dataclass(frozen=True)
class SampledSide:
    """One insulating side of a contact, in every sample.

    Parameters
    ----------
    x_nm, phi_V, conductivity_S_cm : array (samples, points)
        Distance from the contact (of a layer: from its left end), potential, conductivity.
    concentrations_cm3 : array (samples, points, defects)
        In the phase's order.
    """

    x_nm: Array
    phi_V: Array
    concentrations_cm3: Array
    conductivity_S_cm: Array

    def phi_at(self, x_nm: Array) -> Array:
        """Return the potential at places (P,), shape (samples, P)."""
        return _interpolated(x_nm, self.x_nm, self.phi_V)

    def concentration_at(self, x_nm: Array, defect: int) -> Array:
        """Return the concentration of one defect at places (P,), shape (samples, P)."""
        return _by_logarithm(x_nm, self.x_nm, self.concentrations_cm3[..., defect])

    def conductivity_at(self, x_nm: Array) -> Array:
        """Return the conductivity at places (P,), shape (samples, P)."""
        return _by_logarithm(x_nm, self.x_nm, self.conductivity_S_cm)


def sampled_side(side: Side) -> SampledSide | None:
    """Return the curves of a side; a metal has none."""
    side = shown_side(side)
    if isinstance(side, models.Metal):
        return None
    if isinstance(side, FiniteLayer):
        found = side.profile(_LAYER_POINTS)
    else:
        found = side.profile(points=_HALF_SPACE_POINTS)
    return SampledSide(found.x_nm, found.phi_V, found.concentrations_cm3, found.conductivity_S_cm)


def band_places(x_nm: Sequence[Array], most: int = _PLACES) -> Array:
    """Return at most that many places, spread as the points of the nominal curves are.

    Parameters
    ----------
    x_nm : sequence of array
        The points of one space charge or layer, in one state or in several.
    most : int
        How many.
    """
    every = np.unique(np.concatenate(list(x_nm)))
    few = np.unique(np.linspace(0, every.size - 1, min(every.size, most)).astype(int))
    return np.asarray(every[few])


def contact_curves(sampled: SolvedContact) -> dict[str, SampledSide | None]:
    """Return the curves of both sides of a contact."""
    return {name: sampled_side(side) for name, side in sampled.sides.items()}


def cell_curves(sampled: Sequence[SolvedContact]) -> list[dict[str, SampledSide | None]]:
    """Return the curves of both sides of each of a cell's contacts, from left to right."""
    found: list[dict[str, SampledSide | None]] = []
    for contact in sampled:
        before = found[-1]["right"] if found else None
        # a layer that is solved as a whole is a side of both its contacts
        shared = isinstance(contact.left_side, FiniteLayer)
        left = before if shared else sampled_side(contact.left_side)
        found.append({"left": left, "right": sampled_side(contact.right_side)})
    return found


def contact_bands(
    nominal: SolvedContact, curves: dict[str, SampledSide | None]
) -> dict[str, dict[str, Any] | None]:
    """Return the intervals along x within both sides of a contact.

    Parameters
    ----------
    nominal : SolvedContact
        Contact at the records' values.
    curves : dict
        Curves of the samples.

    Returns
    -------
    dict
        For ``left`` and ``right``, of which a metal has none: ``x_nm`` from left to right, 0 at the
        contact, and the quantiles of ``phi_V``, ``concentrations_cm3`` by defect and
        ``conductivity_S_cm`` there.
    """
    found: dict[str, dict[str, Any] | None] = {"left": None, "right": None}
    for name, material in (("left", nominal.left), ("right", nominal.right)):
        side, curve = nominal.sides[name], curves[name]
        if isinstance(side, models.Metal) or curve is None or isinstance(material, Metal):
            continue
        x_nm, own_nm = contact_places(side, name)
        found[name] = {
            "x_nm": numbers(x_nm),
            "phi_V": column_quantiles(curve.phi_at(own_nm)),
            "concentrations_cm3": {
                defect.name: column_quantiles(curve.concentration_at(own_nm, index))
                for index, defect in enumerate(material.defects)
            },
            "conductivity_S_cm": column_quantiles(curve.conductivity_at(own_nm)),
        }
    return found


def contact_places(side: HalfSpace | FiniteLayer, name: str) -> tuple[Array, Array]:
    """Return places with intervals from left to right, 0 at the contact; and as the side counts."""
    extent = side.profile().x_nm
    own_nm = band_places([extent])
    if isinstance(side, FiniteLayer):
        return (own_nm - extent[-1] if name == "left" else own_nm), own_nm
    # a half space counts from the contact into the phase
    return (0.0 - own_nm[::-1], own_nm[::-1]) if name == "left" else (own_nm, own_nm)


def _by_logarithm(x_nm: Array, own_nm: Array, values: Array) -> Array:
    return np.exp(_interpolated(x_nm, own_nm, np.log(np.maximum(values, 1e-300))))


def _interpolated(x_nm: Array, own_nm: Array, values: Array) -> Array:
    """Return values (samples, Q) at own places (samples, Q) at places (P,); constant beyond."""
    return np.stack([np.interp(x_nm, one, row) for one, row in zip(own_nm, values, strict=True)])
