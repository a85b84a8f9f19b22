"""Cost of a calculation: a rough power law, fitted to timed calculations."""

from __future__ import annotations

import math

from .campaign import PlannedCalculation

# t = start + seconds · k^a · (bands · plane waves)^b for each geometry, k half the points of the
# mesh (time reversal; symmetry takes more, hence a < 1). Least squares over 65 GPAW calculations of
# crystals, slabs and supercells of Li, LiF, LiH, LiCl and Li2O on one core of two busy ones; the
# 34 that took longer than 25 s scatter by a factor of 1.5, at most 3.
_START_S = 2.0
_SECONDS, _KPOINTS_POWER, _SIZE_POWER = 3.8e-4, 0.58, 0.85
# Two spins, and slower convergence: four calculations of LiCoO2 took 6 to 10 times as long.
_MAGNETIC = 7.0
# The medians of the same calculations.
_GEOMETRIES = {"static": 1, "cell": 3, "relax": 5}
_OTHER_GEOMETRIES = 10  # assumed
# Plane waves per Å³ below 1 eV: (2m/ħ²)^(3/2)/(6π²).
_WAVES_A3_EV = 0.2624682**1.5 / (6 * math.pi**2)


def core_seconds(planned: PlannedCalculation) -> float:
    """Return about how long a calculation takes on one core; mostly good to a factor of three.

    Parameters
    ----------
    planned : PlannedCalculation
        The calculation.

    Returns
    -------
    float
        Core seconds with GPAW; VASP is usually faster.
    """
    settings = planned.request.settings
    volume = planned.request.initial_structure.volume
    points = math.prod(planned.kpoints)
    waves = _WAVES_A3_EV * volume * settings["cutoff_eV"] ** 1.5
    bands = planned.electrons / 2 + settings.get("empty_bands", 0)
    geometry = _SECONDS * max(1.0, points / 2) ** _KPOINTS_POWER * (bands * waves) ** _SIZE_POWER
    if settings.get("magnetic_moments_muB"):
        geometry *= _MAGNETIC
    return float(_START_S + _GEOMETRIES.get(planned.kind, _OTHER_GEOMETRIES) * geometry)
