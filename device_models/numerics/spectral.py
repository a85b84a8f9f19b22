"""Gauss–Lobatto–Legendre elements: the polynomials on which the grid solver stands.

On each element the potential is a polynomial of degree p through the p + 1 zeros of
``(1 − ξ²) P_p'(ξ)``; the same points with the weights ``2 / (p (p + 1) P_p(ξ)²)`` integrate
polynomials of degree 2p − 1 exactly. Potentials at the ends of elements and the displacements
there converge with order h^2p (Canuto, Hussaini, Quarteroni, Zang, Spectral Methods, ch. 2, 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import legendre

from ..phase import Array


@dataclass(frozen=True)
class Element:
    """The reference element [−1, 1] of degree p, with p + 1 nodes.

    Attributes
    ----------
    nodes, weights : array (p + 1,)
        Ascending places, and weights of the quadrature.
    derivative : array (p + 1, p + 1)
        Row i takes nodal values to the slope at node i.
    stiffness : array (p + 1, p + 1)
        Matrix of −d²/dξ²: derivative^T · diag(weights) · derivative; its rows sum to zero.
    spectrum : array (p + 1, p + 1)
        Takes nodal values to Legendre coefficients.
    """

    degree: int
    nodes: Array
    weights: Array
    derivative: Array
    stiffness: Array
    spectrum: Array

    def to_places(self, places: Array) -> Array:
        """Matrix (P, p + 1) that takes nodal values to values at `places` (P,) in [−1, 1]."""
        return np.asarray(legendre.legvander(places, self.degree) @ self.spectrum)


@cache
def element(degree: int) -> Element:
    """Return the reference element of a degree of at least 2."""
    top = np.zeros(degree + 1)
    top[degree] = 1.0
    inner = np.sort(legendre.legroots(legendre.legder(top)).real)
    nodes = np.concatenate([[-1.0], inner, [1.0]])
    values = legendre.legval(nodes, top)
    weights = 2.0 / (degree * (degree + 1) * values**2)
    spread = nodes[:, None] - nodes
    np.fill_diagonal(spread, 1.0)
    derivative = values[:, None] / values / spread
    np.fill_diagonal(derivative, 0.0)
    # a constant has no slope, to the last digit
    np.fill_diagonal(derivative, -np.sum(derivative, axis=1))
    return Element(
        degree=degree,
        nodes=nodes,
        weights=weights,
        derivative=derivative,
        stiffness=(derivative.T * weights) @ derivative,
        spectrum=np.linalg.inv(legendre.legvander(nodes, degree)),
    )
