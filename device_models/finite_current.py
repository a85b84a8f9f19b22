r"""Charge transfer at finite current: Butler–Volmer and Marcus–Hush–Chidsey.

Both give the current density of a contact from its exchange current density i0 (physics.md,
section 5) and the overpotential eta; positive drives the ion from the left to the right phase.
With the reduced overpotential ``y = z·eta/kT`` (the z charges of an ion cross in one event):

- Butler–Volmer: ``i/i0 = exp((1 − a)·y) − exp(−a·y)``, a the transfer coefficient.
- Marcus–Hush–Chidsey (C. E. D. Chidsey, Science 251, 919 (1991)), with the reorganization energy
  lambda in units of kT: ``i/i0 = (1 − e^{−y})·F(y)/F(0)``,
  ``F(y) = ∫ exp(−(x − lambda + y)²/4lambda)/(1 + e^x) dx``.

Completing the square makes the integral a bell convolved with a Gaussian: ``i/i0 =
2 sinh(y/2)·K(y)/K(0)`` with ``K(y) = ∫ exp(−w²)/(2 cosh(u/2)) dw``, ``u = y + 2·sqrt(lambda)·w``.
On both sides of u = 0 the bell is ``sqrt(x)/(1 + x)``, ``x = e^{−|u|}`` between 0 and 1, where a
polynomial in x of degree 22 equals 1/(1 + x) to double precision (Chebyshev; its error falls by
5.83 per degree). Each power of x gives an error function, so that the integral has a closed form
whose relative error is that of the polynomial, for every lambda and y. (The one of Y. Zeng,
R. B. Smith, P. Bai, M. Z. Bazant, J. Electroanal. Chem. 735, 77 (2014) is off by 4 to 12 % for
lambda between 1 and 20 kT and by a factor of two at 150 kT.) The current tends to Butler–Volmer
with a = 1/2 for large lambda, to 2 tanh(y/2) for small lambda, and to a limit for large y.

At small eta both are ohmic with ``R_ct = kT/(z·i0)``: detailed balance makes the slope at zero
the exchange current, whatever lambda.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cache, cached_property

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from .constants import BOLTZMANN_EV_K
from .numerics.roots import bracketed_newton
from .phase import Array


@dataclass(frozen=True)
class _Kinetics(ABC):
    """Current and overpotential of a contact; a subclass says what one reduced curve is.

    Parameters
    ----------
    exchange_current_A_cm2, temperature_K : array (...)
        i0 and the temperature of the contact.
    ion_charge : array (...)
        Charge number of the mobile ion.
    """

    exchange_current_A_cm2: Array
    temperature_K: Array
    ion_charge: Array = 1.0  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for field in fields(self):
            value = np.asarray(getattr(self, field.name), dtype=np.float64)
            object.__setattr__(self, field.name, value)

    @abstractmethod
    def _curve(self, y: Array) -> tuple[Array, Array]:
        """Return i/i0 and its derivative at the reduced overpotential y."""

    @abstractmethod
    def _bracket(self, ratio: Array) -> tuple[Array, Array]:
        """Return two reduced overpotentials with the one of i/i0 = ratio between them."""

    @property
    def _volt(self) -> Array:
        return np.asarray(BOLTZMANN_EV_K * self.temperature_K / self.ion_charge)

    def current_A_cm2(self, overpotential_V: Array) -> Array:
        """Return the current density at an overpotential, shape (...)."""
        ratio, _ = self._curve(np.asarray(overpotential_V / self._volt))
        return np.asarray(self.exchange_current_A_cm2 * ratio)

    def differential_resistance_ohm_cm2(self, overpotential_V: Array) -> Array:
        """Return d eta/d i at an overpotential; kT/(z·i0) at zero. Shape (...)."""
        _, slope = self._curve(np.asarray(overpotential_V / self._volt))
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(self._volt / (self.exchange_current_A_cm2 * slope))

    def overpotential_V(self, current_A_cm2: Array) -> Array:
        """Return the overpotential that drives a current density, shape (...).

        NaN where no overpotential drives it: at and beyond the limiting current.
        """
        ratio = np.asarray(current_A_cm2 / self.exchange_current_A_cm2)
        shape = np.broadcast_shapes(
            ratio.shape, *(getattr(self, f.name).shape for f in fields(self))
        )
        flat = type(self)(
            *(np.broadcast_to(getattr(self, f.name), shape).ravel() for f in fields(self))
        )
        wanted = np.broadcast_to(ratio, shape).ravel()
        low, high = flat._bracket(wanted)
        reachable = np.isfinite(low) & np.isfinite(high) & np.isfinite(wanted)
        low, high = np.where(reachable, low, 0.0), np.where(reachable, high, 0.0)
        goal = np.arcsinh(wanted / 2.0)

        def missing(y: Array) -> tuple[Array, Array]:
            # arcsinh straightens the curve: for Butler–Volmer with a = 1/2 it is y/2
            value, slope = flat._curve(y)
            return goal - np.arcsinh(value / 2.0), -slope / np.sqrt(4.0 + value**2)

        start = np.clip(2.0 * goal, low, high)
        y = bracketed_newton(missing, low, high, start, absolute=1e-15, relative=1e-14)
        return np.asarray(np.where(reachable, y * flat._volt, np.nan).reshape(shape))

    def chord_resistance_ohm_cm2(self, current_A_cm2: Array) -> Array:
        """Return eta/i at a current density; kT/(z·i0) at zero. Shape (...)."""
        current = np.asarray(current_A_cm2, dtype=np.float64)
        eta = self.overpotential_V(current)
        with np.errstate(divide="ignore", invalid="ignore"):
            chord = eta / current
            ohmic = self._volt / self.exchange_current_A_cm2
        return np.where(current == 0.0, ohmic, chord)


@dataclass(frozen=True)
class ButlerVolmer(_Kinetics):
    """Charge transfer over a barrier that a fixed part of the overpotential lowers.

    Parameters
    ----------
    exchange_current_A_cm2, temperature_K : array (...)
        i0 and the temperature of the contact.
    ion_charge : array (...)
        Charge number of the mobile ion.
    transfer_coefficient : array (...)
        The part a of the overpotential, 0 < a < 1, that raises the backward barrier.
    """

    transfer_coefficient: Array = 0.5  # type: ignore[assignment]

    def _curve(self, y: Array) -> tuple[Array, Array]:
        a = self.transfer_coefficient
        with np.errstate(over="ignore"):
            ratio = np.expm1((1.0 - a) * y) - np.expm1(-a * y)
            slope = (1.0 - a) * np.exp((1.0 - a) * y) + a * np.exp(-a * y)
        return ratio, slope

    def _bracket(self, ratio: Array) -> tuple[Array, Array]:
        a = self.transfer_coefficient
        # the weaker exponential is at most one: |i/i0| + 1 bounds the stronger one
        size = np.log1p(np.abs(ratio))
        return np.where(ratio < 0.0, -size / a, 0.0), np.where(ratio > 0.0, size / (1.0 - a), 0.0)


@dataclass(frozen=True)
class MarcusHushChidsey(_Kinetics):
    """Charge transfer of an ion to the electrons of a metal.

    Parameters
    ----------
    exchange_current_A_cm2, temperature_K : array (...)
        i0 and the temperature of the contact.
    ion_charge : array (...)
        Charge number of the mobile ion.
    reorganization_energy_eV : array (...)
        lambda, at least 0.
    """

    reorganization_energy_eV: Array = 0.0  # type: ignore[assignment]

    @property
    def _reduced_energy(self) -> Array:
        return np.asarray(self.reorganization_energy_eV / (BOLTZMANN_EV_K * self.temperature_K))

    @cached_property
    def _bell_0(self) -> Array:
        energy = self._reduced_energy
        return _bell(np.zeros_like(energy), energy)

    @property
    def limiting_current_A_cm2(self) -> Array:
        """Return the current density that no overpotential exceeds, shape (...).

        ``i0·sqrt(4·pi·lambda)/F(0)`` (lambda in kT); twice i0 for lambda = 0.
        """
        with np.errstate(over="ignore"):
            ratio = np.sqrt(np.pi) * np.exp(self._reduced_energy / 4.0) / self._bell_0
        return np.asarray(self.exchange_current_A_cm2 * ratio)

    def _curve(self, y: Array) -> tuple[Array, Array]:
        size, energy = np.broadcast_arrays(np.abs(y), self._reduced_energy)
        with np.errstate(over="ignore"):
            half = np.exp(size / 2.0) / self._bell_0
        # dK/dy = −(K − beyond)/2, and the slope below is a sum of positive terms
        bell, beyond = _bell(size, energy), _bell_beyond(size, energy)
        slope = 0.5 * half * (beyond + np.exp(-size) * (2.0 * bell - beyond))
        return np.sign(y) * -np.expm1(-size) * half * bell, slope

    def _bracket(self, ratio: Array) -> tuple[Array, Array]:
        # at this y the current has its limit to double precision
        energy = self._reduced_energy
        far = energy + 13.0 * np.sqrt(energy) + 40.0
        most, _ = self._curve(far)
        far = np.where(np.abs(ratio) < most, far, np.nan)
        return np.where(ratio < 0.0, -far, 0.0 * far), np.where(ratio > 0.0, far, 0.0 * far)


def apparent_activation_energy_eV(resistance_ohm_cm2: Array, temperature_K: Array) -> Array:
    """Return the slope of an Arrhenius plot, ``k·d ln(R/T)/d(1/T)``.

    Parameters
    ----------
    resistance_ohm_cm2 : array (..., T)
        A resistance over a sweep of the temperature.
    temperature_K : array (T,)
        At least three, ascending or descending.

    Returns
    -------
    array (..., T)
        By central differences in 1/T (one-sided of the same order at the ends); NaN where a
        resistance that it needs is negative, zero, infinite or unknown.
    """
    resistance = np.asarray(resistance_ohm_cm2, dtype=np.float64)
    resistance = np.where(np.isfinite(resistance), resistance, np.nan)
    temperature = np.asarray(temperature_K, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.where(resistance > 0.0, np.log(np.abs(resistance) / temperature), np.nan)
    slope = np.gradient(logarithm, 1.0 / temperature, axis=-1, edge_order=2)
    return np.asarray(BOLTZMANN_EV_K * np.where(resistance > 0.0, slope, np.nan))


def _bell(y: Array, energy: Array) -> Array:
    """Return K(y) for y >= 0; `energy` is lambda in kT."""
    return _exponential_sum(_power_series(1), 0, y, energy) + _exponential_sum(
        _power_series(1), 0, -y, energy
    )


def _bell_beyond(y: Array, energy: Array) -> Array:
    """Return the integral of K(y) with the factor 1 − tanh(u/2), u the argument of its cosh."""
    right = _exponential_sum(_power_series(2), 1, y, energy)
    return 2.0 * (right + _exponential_sum(_power_series(2), 0, -y, energy))


def _exponential_sum(series: Array, shift: int, y: Array, energy: Array) -> Array:
    """Return ``∫ exp(−w²) Σ_n series_n·e^{−b_n·u} dw`` over u = y + 2·sqrt(lambda)·w > 0.

    ``b_n = n + shift + 1/2``; each term is
    ``(sqrt(pi)/2)·exp(b²·lambda − b·y)·erfc(b·sqrt(lambda) − y/(2·sqrt(lambda)))``.
    """
    from scipy.special import erfc, erfcx

    root = np.maximum(np.sqrt(energy), 1e-100)
    total = np.zeros_like(y)
    for n, coefficient in enumerate(series):
        b = n + shift + 0.5
        argument = b * root - y / (2.0 * root)
        below = argument < 0.0
        # either factor alone may overflow: the scaled function on one side of zero
        power = np.where(below, b * (b * energy - y), -((y / (2.0 * root)) ** 2))
        tail = np.where(below, erfc(np.minimum(argument, 0.0)), erfcx(np.maximum(argument, 0.0)))
        total = total + coefficient * np.exp(power) * tail
    return np.asarray(0.5 * np.sqrt(np.pi) * total)


@cache
def _power_series(power: int) -> Array:
    """Return the polynomial that is 1/(1 + x)^power on 0 <= x <= 1 to double precision."""
    fit = Chebyshev.interpolate(lambda x: (1.0 + x) ** -power, 22, domain=[0.0, 1.0])
    return np.asarray(fit.convert(kind=Polynomial, domain=[-1.0, 1.0]).coef)
