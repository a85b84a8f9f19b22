"""Kramers–Kronig test: which points of a measured spectrum obey the relations.

What is linear, causal and stable obeys them, and a series of RC elements does exactly: what no such
series fits cannot be used. A sample that changes while it is measured, an outlier or an amplifier's
limit show in the residuals (B. A. Boukamp, J. Electrochem. Soc. 142, 1885 (1995); M. Schönleber,
D. Klotz and E. Ivers-Tiffée, Electrochim. Acta 131, 20 (2014)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: Of Schönleber's mu: below it, further RC elements fit noise.
MU_LIMIT = 0.85
#: A residual beyond it, relative to |Z|, excludes a point, and so many standard deviations.
RESIDUAL_LIMIT = 0.03
_RESIDUAL_DEVIATIONS = 4.0
#: How much better, by the Bayesian information criterion, a fit with a series capacitor has to be.
_BETTER = 10.0


@dataclass(frozen=True)
class KramersKronig:
    """Agreement of a spectrum with the Kramers–Kronig relations.

    Attributes
    ----------
    fitted : complex array (points,)
        The series of RC elements, in the unit of the impedance.
    residual : complex array (points,)
        ``(Z − fitted)/|Z|``.
    usable : array of bool (points,)
        False where either part of the residual is beyond 3 %, and beyond four standard deviations
        of the others.
    elements : int
        How many RC elements the series has.
    mu : float
        Schönleber's criterion, 1 minus the ratio of the negative to the positive resistances.
    noise : float
        Standard deviation of each part of the residual at usable points, relative to |Z|; of the
        measurement, since the parameters of the fit are allowed for.
    series_capacitor : bool
        Whether the fit has one, as where the direct current is blocked.
    """

    fitted: ComplexArray
    residual: ComplexArray
    usable: NDArray[np.bool_]
    elements: int
    mu: float
    noise: float
    series_capacitor: bool

    @property
    def largest_residual(self) -> Array:
        """Larger of both parts of the residual, absolute, of each point."""
        return np.maximum(abs(self.residual.real), abs(self.residual.imag))


@dataclass(frozen=True)
class _Fit:
    elements: int
    parameters: int
    mu: float
    capacitor: float
    fitted: ComplexArray
    residual: ComplexArray
    criterion: float

    @property
    def largest(self) -> Array:
        return np.maximum(abs(self.residual.real), abs(self.residual.imag))


def kramers_kronig(frequency_Hz: ArrayLike, z: ArrayLike) -> KramersKronig:
    """Test a spectrum by the linear fit of a series of RC elements.

    Their time constants lie evenly on a logarithmic axis between those of the largest and the
    smallest frequency; with a resistance, an inductance and, where it helps, a capacitance in
    series. Of the numbers of elements from the first at which mu falls below 0.85, that with the
    best Bayesian information criterion is taken: mu alone stops too early where a process is
    narrower than the distance of the time constants. Points beyond the limit are excluded, the
    worst first, and the rest is fitted again.

    Parameters
    ----------
    frequency_Hz : array (points,)
        Distinct, above 0.
    z : complex array (points,)
        In any unit.

    Returns
    -------
    KramersKronig
    """
    omega = 2 * np.pi * np.asarray(frequency_Hz, dtype=np.float64)
    z = np.asarray(z, dtype=np.complex128)
    usable = np.ones(len(z), dtype=np.bool_)
    fit, series_capacitor = _best_fit(omega, z, usable)
    for _ in range(2):
        if not _exclude(omega, z, usable, fit, series_capacitor):
            break
        fit, series_capacitor = _best_fit(omega, z, usable)
    return KramersKronig(
        fit.fitted,
        fit.residual,
        fit.largest <= _limit(fit, usable),
        fit.elements,
        fit.mu,
        _noise(fit, usable),
        series_capacitor,
    )


def _noise(fit: _Fit, usable: NDArray[np.bool_]) -> float:
    count = 2 * int(usable.sum())
    free = max(count - fit.parameters, 1)
    return float(np.sqrt(np.sum(abs(fit.residual[usable]) ** 2) / free))


def _limit(fit: _Fit, usable: NDArray[np.bool_]) -> float:
    """Return the largest residual of a usable point; by the median, which outliers do not move."""
    parts = np.concatenate([fit.residual[usable].real, fit.residual[usable].imag])
    return float(max(RESIDUAL_LIMIT, _RESIDUAL_DEVIATIONS * 1.4826 * np.median(abs(parts))))


def _exclude(
    omega: Array, z: ComplexArray, usable: NDArray[np.bool_], fit: _Fit, series_capacitor: bool
) -> bool:
    """Take the worst points out of ``usable`` until none is beyond the limit; say if there were."""
    found = False
    while 2 * usable.sum() > len(z):
        largest = np.where(usable, fit.largest, 0.0)
        if largest.max() <= _limit(fit, usable):
            break
        # a bad point spoils the fit of its neighbours: they have another chance
        usable &= largest <= max(_limit(fit, usable), 0.5 * float(largest.max()))
        fit = _fit(omega, z, usable, min(fit.elements, int(usable.sum())), series_capacitor)
        found = True
    return found


def _best_fit(omega: Array, z: ComplexArray, usable: NDArray[np.bool_]) -> tuple[_Fit, bool]:
    without = _numbered_fit(omega, z, usable, False)
    with_capacitor = _numbered_fit(omega, z, usable, True)
    better = with_capacitor.criterion < without.criterion - _BETTER
    if better and with_capacitor.capacitor > 0:
        return with_capacitor, True
    return without, False


def _numbered_fit(
    omega: Array, z: ComplexArray, usable: NDArray[np.bool_], series_capacitor: bool
) -> _Fit:
    """Return the fit of the number of elements that mu and the information criterion choose."""
    most = max(int(usable.sum()), 3)
    count = 2
    fits: list[_Fit] = []
    while count < most:
        count = min(count + max(1, count // 10 if fits else 1), most)
        fit = _fit(omega, z, usable, count, series_capacitor)
        if fits or fit.mu < MU_LIMIT or count == most:
            fits.append(fit)
    return min(fits, key=lambda fit: fit.criterion)


def _fit(
    omega: Array,
    z: ComplexArray,
    usable: NDArray[np.bool_],
    elements: int,
    series_capacitor: bool,
) -> _Fit:
    tau = np.geomspace(1 / omega.max(), 1 / omega.min(), elements)
    # scaled, so that all columns are of the order of 1
    series = [np.ones_like(omega), 1j * omega / omega.max()]
    if series_capacitor:
        series.append(omega.min() / (1j * omega))
    columns = np.concatenate(
        [np.stack(series, axis=1), 1 / (1 + 1j * omega[:, None] * tau)], axis=1
    )
    size = abs(z[usable])
    weighted, target = columns[usable] / size[:, None], z[usable] / size
    solution = np.linalg.lstsq(
        np.concatenate([weighted.real, weighted.imag]),
        np.concatenate([target.real, target.imag]),
        rcond=None,
    )[0]
    resistances = solution[len(series) :]
    positive = resistances[resistances > 0].sum()
    mu = 1 + resistances[resistances < 0].sum() / positive if positive > 0 else -np.inf
    fitted = columns @ solution
    residual = (z - fitted) / abs(z)
    count = 2 * int(usable.sum())
    squares = max(float(np.sum(abs(residual[usable]) ** 2)), 1e-24)
    return _Fit(
        elements,
        len(solution),
        float(mu),
        float(solution[2]) if series_capacitor else 0.0,
        fitted,
        residual,
        count * np.log(squares / count) + len(solution) * np.log(count),
    )
