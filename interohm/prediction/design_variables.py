"""Variables of a design's coating: the axes on which it is searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.records.design import (
    DopantRange,
    DopingGradientRange,
    SusceptibilityRange,
    ThicknessRange,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from interohm.arrays import Array
    from interohm.device_models import StackGradient

#: What may be searched beside the thickness.
DOPING = ("donors_cm3", "acceptors_cm3", "doping_gradient_cm3")
SEARCHED = (*DOPING, "susceptibility")

_RANGES = ThicknessRange | DopantRange | DopingGradientRange | SusceptibilityRange


@dataclass(frozen=True)
class Variable:
    """One number of a candidate, which is searched between two ends or has a few values.

    Its axis is logarithmic; that of a gradient, which may have either sign, is not.
    """

    layer: int
    field: str
    low: float
    high: float
    values: tuple[float, ...] | None = None

    @classmethod
    def of(cls, layer: int, field: str, given: Any) -> Variable | None:
        """Return what is to be chosen of a field; None where it is given."""
        if isinstance(given, _RANGES):
            return cls(layer, field, given.low, given.high)
        if isinstance(given, list) or field == "thickness_nm":
            values = sorted(set(given if isinstance(given, list) else [given]))
            return cls(layer, field, values[0], values[-1], tuple(values))
        return None

    @property
    def is_linear(self) -> bool:
        """Return whether the axis is linear."""
        return self.field == "doping_gradient_cm3"

    def ends_at(self, value: float) -> bool:
        """Return whether a value other than 0 is an end, beyond which a better one may lie."""
        ends = self.low != self.high and value != 0.0
        return ends and bool(np.any(np.isclose(value, [self.low, self.high], rtol=1e-6, atol=0.0)))

    def axis(self, count: int) -> Array:
        """Return its values, or so many places between its ends."""
        if self.values is not None:
            return np.array(self.values)
        if self.is_linear:
            return np.linspace(self.low, self.high, count)
        return np.geomspace(self.low, self.high, count)

    def coordinate(self, values: ArrayLike) -> Array:
        """Return where values are on an axis on which steps are comparable."""
        if self.is_linear:
            return np.asarray(values) / self._unit
        return np.log(values)

    def value(self, coordinate: ArrayLike) -> Array:
        """Return what stands at a coordinate."""
        if self.is_linear:
            return np.asarray(coordinate) * self._unit
        return np.exp(coordinate)

    def log_slope(self, gradient: StackGradient, value: float) -> Array:
        """Return d ln R of one point, (1, S, n) of it, with the coordinate (S,)."""
        # how the value grows with its coordinate
        per = self._unit if self.is_linear else value
        found = {
            # with ln L
            "thickness_nm": (gradient.thickness, 1.0),
            "donors_cm3": (gradient.fixed_charge_cm3, per),
            "acceptors_cm3": (gradient.fixed_charge_cm3, -per),
            "doping_gradient_cm3": (gradient.charge_gradient_cm3, per),
            "susceptibility": (gradient.susceptibility, per),
        }
        slopes, factor = found[self.field]
        return np.asarray(slopes[0, :, self.layer] * factor)

    @property
    def _unit(self) -> float:
        return max(abs(self.low), abs(self.high))
