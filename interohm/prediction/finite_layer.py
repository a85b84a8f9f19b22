"""A layer that is solved whole, as one side of its contacts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.device_models import Bulk, LayerSolution


_PROFILE_POINTS = 400
_LARGEST_STEP = 0.01


@dataclass(frozen=True)
class ThinLayer:
    """One side of a contact that is a layer solved whole."""

    bulk: Bulk
    solution: LayerSolution

    def profile(self) -> models.Profile:
        """Return the layer's profile from its left to its right end, x from 0.

        Between the solver's own points, potentials and the logarithms of all else are
        interpolated (PCHIP), so that no step exceeds 1 % of the potential's range.
        """
        from scipy.interpolate import PchipInterpolator

        x, phi = self.solution.x_nm, self.solution.phi_V
        largest = _LARGEST_STEP * max(float(np.ptp(phi)), 1e-12)
        parts = np.maximum(
            np.ceil(_PROFILE_POINTS / (x.size - 1)), np.ceil(1.2 * np.abs(np.diff(phi)) / largest)
        ).astype(int)
        between = [
            np.linspace(left, right, count, endpoint=False)
            for (left, right), count in zip(pairwise(x), parts, strict=True)
        ]
        places = np.concatenate([*between, x[-1:]])

        def through(values: Array) -> Array:
            with np.errstate(divide="ignore"):
                logarithms = np.maximum(np.log(values), -700.0)
            return np.asarray(np.exp(PchipInterpolator(x, logarithms)(places)))

        return models.Profile(
            x_nm=places,
            phi_V=np.asarray(PchipInterpolator(x, phi)(places)),
            concentrations_cm3=through(self.solution.concentrations_cm3),
            electrons_cm3=through(self.solution.electrons_cm3),
            holes_cm3=through(self.solution.holes_cm3),
            conductivity_S_cm=through(self.solution.conductivity_S_cm),
        )
