"""Measured impedance spectra: checks of the data, and fits of a model to them."""

from .gaussian_fit import (
    UNDETERMINED_SHARE,
    Direction,
    GaussianFit,
    Observation,
    fit_gaussian,
)
from .kramers_kronig import KramersKronig, kramers_kronig
from .relaxation_times import Peak, RelaxationTimes, relaxation_times
from .reweighting import Reweighted, reweighted

__all__ = [
    "UNDETERMINED_SHARE",
    "Direction",
    "GaussianFit",
    "KramersKronig",
    "Observation",
    "Peak",
    "RelaxationTimes",
    "Reweighted",
    "fit_gaussian",
    "kramers_kronig",
    "relaxation_times",
    "reweighted",
]
