"""Results of the grid solver: potential, displacement, concentrations, resistance by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..constants import CM3_PER_NM3, NM_CM, VACUUM_PERMITTIVITY_E_V_NM
from ..numerics.spectral import Element
from ..phase import Array, BoolArray, IntArray
from ..profile import Profile
from .equations import GridProblem, take
from .layer_charge import ChargeModel

_LARGEST_STEP = 0.01
_BLOCK = 8_000
"""Nodes treated together, so that memory does not grow with the batch."""


class StackNotConverged(RuntimeError):
    """The grid solver gave up.

    Attributes
    ----------
    stacks : array of int
        Their indices in the (flattened) batch.
    error : array
        Estimated relative error of their displacements (NaN where Newton's method failed).
    elements : int
        Elements per layer when it gave up (the last of them).
    layer : int
        Layer in which that stack is least resolved.
    """

    def __init__(self, stacks: IntArray, error: Array, elements: int, layer: int) -> None:
        self.stacks, self.error, self.elements, self.layer = stacks, error, elements, layer
        known = error[np.isfinite(error)]
        reached = f"an error of {known.max():.1e}" if known.size == error.size else "no solution"
        super().__init__(
            f"{stacks.size} stacks did not converge (the first is number {int(stacks[0])}): "
            f"{reached} with {elements} elements per layer, worst in layer {layer}"
        )

    @classmethod
    def of_all(cls, parts: Sequence[StackNotConverged]) -> StackNotConverged:
        """Combine those that were given up at different times."""
        stacks = np.concatenate([part.stacks for part in parts])
        error = np.concatenate([part.error for part in parts])
        order = np.argsort(stacks)
        return cls(stacks[order], error[order], parts[-1].elements, parts[-1].layer)


def resistance_ohm_cm2(
    charge: ChargeModel, element: Element, potential_V: Array, width_nm: Array
) -> Array:
    """``∫ dx/sigma`` over elements (..., E, B) with φ at nodes (p + 1, ..., E, B), in (..., B).

    The potential is a polynomial, sigma is exponential in it: the quadrature takes more points
    than the polynomial has. NaN where nothing conducts.
    """
    batch = potential_V.shape[-1]
    size = max(1, _BLOCK // potential_V[..., 0].size)
    blocks = [slice(first, first + size) for first in range(0, batch, size)]
    return np.concatenate(
        [
            _resistance_of_block(
                take(charge, block), element, potential_V[..., block], width_nm[..., block]
            )
            for block in blocks
        ],
        axis=-1,
    )


def _resistance_of_block(
    charge: ChargeModel, element: Element, potential_V: Array, width_nm: Array
) -> Array:
    places, weights = np.polynomial.legendre.leggauss(4 * element.degree)
    between = element.to_places(places)
    potential = np.tensordot(between, potential_V, axes=1)
    sigma = charge.between_nodes(between, potential.ndim).conductivity_S_cm(potential)
    with np.errstate(divide="ignore", over="ignore"):
        sheets = np.tensordot(weights, 1.0 / sigma, axes=1) * width_nm
    total = np.sum(sheets, axis=-2) * NM_CM / 2.0
    return np.asarray(np.where(np.any(sigma > 0.0, axis=(0, -2)), total, np.nan))


@dataclass(frozen=True)
class LayerSolution:
    """One layer of a solved stack; everything else is computed when it is asked for.

    Attributes
    ----------
    shape : tuple of int
        The batch shape (...).
    element : Element
        The polynomials of the grid.
    ends_nm : array (E + 1, B)
        Ends of elements from the layer's left end.
    potential_V, fixed_polarization_e_nm2, susceptibility, permittivity_e_V_nm : array (p + 1, E, B)
        φ, the part of P that does not follow the field, chi of the part that does, and eps with
        it, at the nodes.
    charge : ChargeModel
        Arrays that broadcast against the nodes.
    slots : list of int
        Slots of the phase's defects in `charge`.
    left_displacement_e_nm2, right_displacement_e_nm2 : array (...)
        D inside the layer at its two ends.
    """

    shape: tuple[int, ...]
    element: Element
    ends_nm: Array
    potential_V: Array
    fixed_polarization_e_nm2: Array
    susceptibility: Array
    permittivity_e_V_nm: Array
    charge: ChargeModel
    slots: list[int]
    left_displacement_e_nm2: Array
    right_displacement_e_nm2: Array

    @cached_property
    def x_nm(self) -> Array:
        """Nodes (..., P), from the layer's left end."""
        share = (1.0 + self.element.nodes)[:, None, None] / 2.0
        return self._profile(self.ends_nm[:-1] + share * self._width_nm)

    @cached_property
    def phi_V(self) -> Array:
        """Potential (..., P)."""
        return self._profile(self.potential_V)

    @cached_property
    def field_V_nm(self) -> Array:
        """Field −dφ/dx (..., P)."""
        return self._profile(self._field_V_nm)

    @cached_property
    def polarization_e_nm2(self) -> Array:
        """P (..., P): the fixed part and ``eps_0 chi E``, beside the phase's own eps_r."""
        follows = VACUUM_PERMITTIVITY_E_V_NM * self.susceptibility * self._field_V_nm
        return self._profile(self.fixed_polarization_e_nm2 + follows)

    @cached_property
    def charge_density_e_nm3(self) -> Array:
        """Charge density (..., P) of defects, carriers and fixed charge, without −dP/dx."""
        return self._profile(self.charge.charge(self.potential_V)[0])

    @cached_property
    def concentrations_cm3(self) -> Array:
        """Concentrations of the defects (..., P, D), in the phase's order."""
        found = self._concentrations[0]
        return np.stack([self._profile(found[d]) / CM3_PER_NM3 for d in self.slots], axis=-1)

    @cached_property
    def electrons_cm3(self) -> Array:
        """Electrons (..., P)."""
        return self._profile(self._concentrations[1]) / CM3_PER_NM3

    @cached_property
    def holes_cm3(self) -> Array:
        """Holes (..., P)."""
        return self._profile(self._concentrations[2]) / CM3_PER_NM3

    @cached_property
    def conductivity_S_cm(self) -> Array:
        """Conductivity of the mobile ion (..., P)."""
        return self._profile(self.charge.conductivity_S_cm(self.potential_V))

    @cached_property
    def resistance_ohm_cm2(self) -> Array:
        """``R_layer = ∫ dx/sigma`` (...); NaN where nothing conducts."""
        total = resistance_ohm_cm2(self.charge, self.element, self.potential_V, self._width_nm)
        return total.reshape(self.shape)

    @cached_property
    def charge_e_nm2(self) -> Array:
        """Integrated charge density (...)."""
        density = self.charge.charge(self.potential_V)[0]
        total = np.einsum("i,ieb,eb->b", self.element.weights, density, self._width_nm)
        return np.asarray(total.reshape(self.shape) / 2.0)

    @cached_property
    def left_field_V_nm(self) -> Array:
        """Field at the left end (...), from the displacement."""
        return self._end_field(self.left_displacement_e_nm2, (0, 0))

    @cached_property
    def right_field_V_nm(self) -> Array:
        """Field at the right end (...), from the displacement."""
        return self._end_field(self.right_displacement_e_nm2, (-1, -1))

    def profile(self, points: int = 401) -> Profile:
        """Profile from the left to the right end.

        Parameters
        ----------
        points : int
            About how many. One layer is interpolated (PCHIP) between the grid's points, of all
            but the potential the logarithms, so that no step exceeds 1 % of the potential's range;
            of a batch some of these points are taken.
        """
        if self.potential_V.shape[-1] == 1:
            return self._interpolated(points)
        count = self.x_nm.shape[-1]
        few = np.unique(np.linspace(0, count - 1, min(count, 2 * points - 1)).astype(int))
        return Profile(
            x_nm=self.x_nm[..., few],
            phi_V=self.phi_V[..., few],
            concentrations_cm3=self.concentrations_cm3[..., few, :],
            electrons_cm3=self.electrons_cm3[..., few],
            holes_cm3=self.holes_cm3[..., few],
            conductivity_S_cm=self.conductivity_S_cm[..., few],
        )

    def _interpolated(self, points: int) -> Profile:
        from scipy.interpolate import PchipInterpolator

        x, phi = self.x_nm.ravel(), self.phi_V.ravel()
        largest = _LARGEST_STEP * max(float(np.ptp(phi)), 1e-12)
        parts = np.maximum(
            np.ceil(points / (x.size - 1)), np.ceil(1.2 * np.abs(np.diff(phi)) / largest)
        ).astype(int)
        between = [
            np.linspace(left, right, count, endpoint=False)
            for (left, right), count in zip(pairwise(x), parts, strict=True)
        ]
        places = np.concatenate([*between, x[-1:]])

        def through(values: Array) -> Array:
            rows = values.reshape((x.size, *values.shape[len(self.shape) + 1 :]))
            with np.errstate(divide="ignore"):
                logarithms = np.maximum(np.log(rows), -700.0)
            found = np.exp(PchipInterpolator(x, logarithms)(places))
            return np.asarray(found.reshape((*self.shape, *found.shape)))

        return Profile(
            x_nm=places.reshape((*self.shape, -1)),
            phi_V=np.asarray(PchipInterpolator(x, phi)(places)).reshape((*self.shape, -1)),
            concentrations_cm3=through(self.concentrations_cm3),
            electrons_cm3=through(self.electrons_cm3),
            holes_cm3=through(self.holes_cm3),
            conductivity_S_cm=through(self.conductivity_S_cm),
        )

    @cached_property
    def _concentrations(self) -> tuple[list[Array], Array, Array]:
        return self.charge.concentrations_nm3(self.potential_V)

    @cached_property
    def _width_nm(self) -> Array:
        return np.diff(self.ends_nm, axis=0)

    @cached_property
    def _field_V_nm(self) -> Array:
        slope = np.tensordot(self.element.derivative, self.potential_V, axes=1)
        return np.asarray(-2.0 * slope / self._width_nm)

    def _end_field(self, displacement: Array, node: tuple[int, int]) -> Array:
        polarization = self.fixed_polarization_e_nm2[node].reshape(self.shape)
        permittivity = self.permittivity_e_V_nm[node].reshape(self.shape)
        return np.asarray((displacement - polarization) / permittivity)

    def _profile(self, values: Array) -> Array:
        """Nodal values (p + 1, E, B) as a profile (..., P); shared nodes appear once."""
        ordered = np.moveaxis(np.broadcast_to(values, self.potential_V.shape), 2, 0)
        ordered = np.moveaxis(ordered, 1, 2)
        rest = ordered[:, :, 1:].reshape(ordered.shape[0], -1)
        return np.concatenate([ordered[:, 0, :1], rest], axis=1).reshape(*self.shape, -1)


@dataclass(frozen=True)
class Stack:
    """A solved stack of n layers, or a batch of them.

    Attributes
    ----------
    layers : n LayerSolution
        From left to right.
    left_displacement_e_nm2, right_displacement_e_nm2 : array (..., n + 1)
        D just left and right of each contact; all charge left of a contact is the former, all
        charge right of it is minus the latter.
    relative_error : array (...)
        Change of D between the last two approximations, relative to its largest value (or a
        hundredth of the change of a resistance, if that is more).
    failure : StackNotConverged, optional
        Stacks of a batch that did not converge; the other arrays are NaN there.
    problem : GridProblem, optional
        The equations on the mesh of the solution.
    """

    layers: Sequence[LayerSolution]
    left_displacement_e_nm2: Array
    right_displacement_e_nm2: Array
    relative_error: Array
    failure: StackNotConverged | None = None
    problem: GridProblem | None = None

    @cached_property
    def converged(self) -> BoolArray:
        """Return whether each stack (...) reached the tolerance."""
        converged = np.ones(self.relative_error.shape, dtype=bool)
        if self.failure is not None:
            converged.reshape(-1)[self.failure.stacks] = False
        return converged

    @property
    def sheet_charge_e_nm2(self) -> Array:
        """Total charge right of each contact (..., n + 1), without the given charge on it."""
        return -self.right_displacement_e_nm2

    @property
    def resistance_ohm_cm2(self) -> Array:
        """R_layer of every layer (..., n)."""
        return np.stack([layer.resistance_ohm_cm2 for layer in self.layers], axis=-1)

    @cached_property
    def x_nm(self) -> Array:
        """Nodes of the whole stack (..., P) from its left end; each inner contact appears twice."""
        parts = [self.layers[0].x_nm]
        for layer in self.layers[1:]:
            parts.append(parts[-1][..., -1:] + layer.x_nm)
        return np.concatenate(parts, axis=-1)

    @cached_property
    def phi_V(self) -> Array:
        """Potential (..., P) at `x_nm`."""
        return np.concatenate([layer.phi_V for layer in self.layers], axis=-1)
