r"""Potential, charges and resistances of a stack of layers, on an adaptive grid.

Physics.md section 4: Poisson's equation in every layer, φ continuous but for the dipoles Δ of the
contacts, the displacement ``D = −eps φ' + P`` continuous but for their sheet charges, and beside
the stack electrodes that hold their potential or thick phases with their own space charge. The
equations are in `stack_equations`, Newton's method in `stack_newton`, the charge density in
`layer_charge`, the mesh in `stack_mesh`.

The solution chooses the mesh: every layer is solved with polynomials of degree 4, then of degree 6
on the same elements; where the displacement between any two elements changes by more than the
tolerance, elements move to where the charge density is rough, or are doubled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..bulk import Bulk
from ..numerics.spectral import element
from ..phase import Array, IntArray, Metal
from .equations import GridProblem, Reservoir
from .layer_charge import ChargeModel
from .mesh import (
    equidistribute,
    first_mesh,
    halve,
    interpolate,
    node_places,
    roughness,
    snap,
)
from .newton import NewtonResult, solve
from .solution import LayerSolution, Stack, StackNotConverged, resistance_ohm_cm2
from .stack_layer import LayerStack, StackLayer, layer_stack

_COARSE, _FINE = 4, 6
_COARSE_KT = 1e-4
_ELEMENTS = 24
"""Elements of each layer to begin with."""

_MAX_ELEMENTS = 1536
_RESISTANCE_SHARE = 1e-2
"""A resistance may have a hundred times the error of a displacement."""

_KT_PER_ELEMENT = 3.0
"""Of potential, so that concentrations and resistances are resolved as well as charges."""

_SCALE_SHARE = 0.3
_ROUNDING = 2e-14
_NEGLIGIBLE_KT = 1e-7
"""A drop that nobody asks about: the smallest against which an error is measured."""


def solve_stack(
    left: Bulk | Metal,
    layers: Sequence[StackLayer],
    right: Bulk | Metal,
    *,
    dipole_V: ArrayLike | Sequence[ArrayLike] = 0.0,
    sheet_charge_e_nm2: ArrayLike | Sequence[ArrayLike] = 0.0,
    tolerance: float = 1e-6,
    mesh_nm: ArrayLike | None = None,
    guess_V: ArrayLike | None = None,
) -> Stack:
    """Solve a stack of layers, or a batch of stacks.

    Parameters
    ----------
    left, right : Metal or Bulk
        Electrodes that hold their neutral potential, or thick phases.
    layers : sequence of n StackLayer
        From left to right.
    dipole_V, sheet_charge_e_nm2 : n + 1 arrays (...), or one number for all contacts
        Δ = φ(right) − φ(left) and the given charge of each contact.
    tolerance : float
        Largest error of the displacement, relative to its largest value in the stack: that of
        polynomials of degree 4; those of degree 6, which are returned, are far better. A
        resistance may have a hundred times this error.
    mesh_nm, guess_V : array (..., n, E + 1), optional
        Starting point: ends of elements, in nm from each layer's left end, and φ there.

    Returns
    -------
    Stack
        Of the batch shape (...); `converged` tells which of a batch reached the tolerance, and
        `failure` how far the others got. They are NaN.

    Raises
    ------
    StackNotConverged
        If none of the stacks reaches the tolerance: always when only one was asked for.
    ValueError
        If the input is not finite, a thick phase beside the stack has no neutral bulk, or the
        defects of a layer unmix in all stacks (where only in some, these are NaN).
    """
    if not layers:
        raise ValueError("a stack needs at least one layer")
    count = len(layers) + 1
    steps = _per_contact(dipole_V, count, "dipole_V")
    sheets = _per_contact(sheet_charge_e_nm2, count, "sheet_charge_e_nm2")
    shape = np.broadcast_shapes(
        left.shape,
        right.shape,
        *(layer.shape for layer in layers),
        *(np.shape(value) for value in (*steps, *sheets)),
    )
    offsets = np.cumsum(_flat(steps, shape), axis=0)
    task = _Task(
        stack=layer_stack(layers, shape),
        left=_end(left, shape, np.zeros_like(offsets[0]), "left"),
        right=_end(right, shape, offsets[-1], "right"),
        offset_V=offsets[:-1, None],
        right_offset_V=offsets[-1],
        sheet_charge_e_nm2=_flat(sheets, shape),
    )
    ends, potential = task.start(mesh_nm, guess_V)
    return task.adapt(ends, potential, tolerance)


def _per_contact(given: ArrayLike | Sequence[ArrayLike], count: int, name: str) -> list[Array]:
    if isinstance(given, Sequence):
        values = [np.asarray(value, dtype=np.float64) for value in given]
    else:
        array = np.asarray(given, dtype=np.float64)
        values = list(array) if array.ndim else [array] * count
    if len(values) != count:
        raise ValueError(f"{name} has {len(values)} values for {count} contacts")
    if not all(np.all(np.isfinite(value)) for value in values):
        raise ValueError(f"{name} must be finite")
    return values


def _flat(values: list[Array], shape: tuple[int, ...]) -> Array:
    return np.stack([np.broadcast_to(value, shape).reshape(-1) for value in values])


def _end(
    side: Bulk | Metal, shape: tuple[int, ...], offset_V: Array, name: str
) -> Array | Reservoir:
    potential = np.broadcast_to(side.neutral_potential_V, shape).reshape(-1)
    if not np.all(np.isfinite(potential)):
        raise ValueError(f"the {name} phase has no neutral bulk: give it as a layer, with an end")
    if isinstance(side, Metal):
        return potential - offset_V
    return Reservoir(potential, side.ravel(shape).thermodynamics())


@dataclass(frozen=True)
class _Task:
    """A batch of stacks without a mesh; shapes as in `GridProblem`."""

    stack: LayerStack
    left: Array | Reservoir
    right: Array | Reservoir
    offset_V: Array
    right_offset_V: Array
    sheet_charge_e_nm2: Array

    @cached_property
    def uniform_charge(self) -> ChargeModel:
        """Charge density where it does not depend on the node; arrays (n, 1, B)."""
        return self.stack.charge(np.zeros((1, len(self.stack.layers), 1, self.batch)))

    @property
    def batch(self) -> int:
        return int(self.right_offset_V.size)

    def charge(self, ends_nm: Array, degree: int) -> ChargeModel:
        """Charge density at the nodes of a mesh."""
        if self.stack.is_uniform:
            return self.uniform_charge
        return self.stack.charge(node_places(ends_nm, element(degree), inside=True))

    def problem(self, ends_nm: Array, degree: int, index: IntArray) -> GridProblem:
        """Return the stacks at `index` on their mesh."""
        places_nm = node_places(ends_nm, element(degree), inside=True)
        whole = GridProblem(
            element=element(degree),
            charge=self.charge(ends_nm, degree),
            width_nm=np.diff(ends_nm, axis=1),
            permittivity_e_V_nm=self.stack.permittivity_e_V_nm(places_nm),
            offset_V=self.offset_V,
            polarization_e_nm2=self.stack.polarization(places_nm),
            sheet_charge_e_nm2=self.sheet_charge_e_nm2 if np.any(self.sheet_charge_e_nm2) else None,
            left=self.left,
            right=self.right,
            right_offset_V=self.right_offset_V,
        )
        return whole if index.size == self.batch else whole.take(index)

    def start(self, mesh_nm: ArrayLike | None, guess_V: ArrayLike | None) -> tuple[Array, Array]:
        """First mesh (n, E + 1, B) and nodal potentials on it."""
        if mesh_nm is None:
            ends = first_mesh(self.stack.thickness_nm, self._scale_nm(), _ELEMENTS)
            ends = self._snap(ends)
        else:
            ends = self._given(mesh_nm)
        if guess_V is None:
            flat = self._neutral_V()
            return ends, np.broadcast_to(flat, (_COARSE + 1, *np.diff(ends, axis=1).shape))
        guess = self._given(guess_V)
        if guess.shape != ends.shape:
            raise ValueError("guess_V needs the shape of mesh_nm")
        share = ((1.0 + element(_COARSE).nodes) / 2.0)[:, None, None, None]
        return ends, guess[:, :-1] + share * np.diff(guess, axis=1)

    def adapt(self, ends: Array, start: Array, tolerance: float) -> Stack:
        """Solve, and refine the mesh of those stacks that need it until all are done."""
        index = np.arange(self.batch)
        coarse, fine = element(_COARSE), element(_FINE)
        widths = ends[:, 1:].shape
        potential = np.empty((_FINE + 1, *widths))
        contact_D = np.empty((2, len(self.stack.layers), self.batch))
        error = np.empty(self.batch)
        given_up: list[StackNotConverged] = []
        prolong = coarse.to_places(fine.nodes)
        moved = False
        while True:
            rough, problem = (self.problem(ends, degree, index) for degree in (_COARSE, _FINE))
            first = solve(rough, start, converged_kT=_COARSE_KT)
            second = solve(problem, np.tensordot(prolong, first.potential_V, axes=1))
            error[index] = np.maximum(
                _error(problem, first, second),
                _RESISTANCE_SHARE * _resistance_error((rough, problem), (first, second)),
            )
            potential[..., index] = second.potential_V
            contact_D[0][:, index] = second.left_displacement[:, 0]
            contact_D[1][:, index] = second.right_displacement[:, -1]
            failed = ~(error[index] <= tolerance)
            if not np.any(failed):
                break
            going = np.nonzero(failed)[0]
            index, problem, found = (
                index[going],
                problem.take(going),
                second.potential_V[..., going],
            )
            elements = ends.shape[1] - 1
            wanted = _density(problem, found)
            hopeless = ~np.all(np.isfinite(wanted), axis=(0, 1)) | (elements >= _MAX_ELEMENTS)
            if np.any(hopeless):
                lost = index[hopeless]
                share = np.max(wanted * problem.width_nm, axis=1)[:, hopeless][:, 0]
                worst = int(np.argmax(share))
                given_up.append(StackNotConverged(lost, error[lost], elements, worst))
                if np.all(hopeless):
                    break
                index = index[~hopeless]
                found, wanted = found[..., ~hopeless], wanted[..., ~hopeless]
            old = ends[..., index]
            if moved:
                finer = halve(ends)
                potential = interpolate(ends, fine, potential, finer, fine)
                ends, elements = finer, 2 * elements
            ends = ends.copy()
            ends[..., index] = self._snap(equidistribute(old, wanted, elements))
            start = interpolate(old, fine, found, ends[..., index], coarse)
            moved = True
        failure = StackNotConverged.of_all(given_up) if given_up else None
        if failure is not None:
            if failure.stacks.size == self.batch:
                raise failure
            potential[..., failure.stacks] = np.nan
            contact_D[..., failure.stacks] = np.nan
        return self._solution(ends, potential, contact_D, error, failure)

    def _solution(
        self,
        ends: Array,
        potential: Array,
        contact_D: Array,
        error: Array,
        failure: StackNotConverged | None,
    ) -> Stack:
        shape = self.stack.shape
        problem = self.problem(ends, _FINE, np.arange(self.batch))
        charge, polarization = problem.charge, problem.polarization_e_nm2
        permittivity = problem.permittivity_e_V_nm
        if polarization is None:
            polarization = np.zeros((1, len(self.stack.layers), 1, self.batch))
        places_nm = node_places(ends, element(_FINE), inside=True)
        susceptibility = self.stack.susceptibility(places_nm)

        def by_contact(inner: Array, left: bool) -> Array:
            # the missing side of the outermost contact follows from its given charge
            sheet = self.sheet_charge_e_nm2
            if left:
                whole = np.concatenate([contact_D[0][:1] - sheet[:1], inner])
            else:
                whole = np.concatenate([inner, contact_D[1][-1:] + sheet[-1:]])
            return whole.T.reshape(*shape, -1)

        layers = [
            LayerSolution(
                shape=shape,
                element=element(_FINE),
                ends_nm=ends[i],
                potential_V=potential[:, i],
                fixed_polarization_e_nm2=np.broadcast_to(polarization[:, i], potential[:, i].shape),
                susceptibility=np.broadcast_to(susceptibility[..., i, :, :], potential[:, i].shape),
                permittivity_e_V_nm=np.broadcast_to(
                    permittivity[..., i, :, :], potential[:, i].shape
                ),
                charge=charge.layer(i),
                slots=self.stack.slots[i],
                left_displacement_e_nm2=contact_D[0][i].reshape(shape),
                right_displacement_e_nm2=contact_D[1][i].reshape(shape),
            )
            for i in range(len(self.stack.layers))
        ]
        return Stack(
            layers=layers,
            left_displacement_e_nm2=by_contact(contact_D[1], left=True),
            right_displacement_e_nm2=by_contact(contact_D[0], left=False),
            relative_error=error.reshape(shape),
            failure=failure,
            problem=problem,
        )

    def _given(self, values: ArrayLike) -> Array:
        array = np.asarray(values, dtype=np.float64)
        full = np.broadcast_to(array, (*self.stack.shape, *array.shape[-2:]))
        return np.ascontiguousarray(np.moveaxis(full.reshape(-1, *array.shape[-2:]), 0, 2))

    def _snap(self, ends: Array) -> Array:
        return snap(ends, [layer.breaks_nm for layer in self.stack.layers])

    def _scale_nm(self) -> Array:
        """Shortest screening length that the sites of each layer allow, (n, B)."""
        ends_nm = self.stack.thickness_nm[:, None] * np.array([0.0, 1.0])[:, None]
        charge = self.charge(ends_nm, _COARSE)
        permittivity = self.stack.permittivity_e_V_nm(
            node_places(ends_nm, element(_COARSE), inside=True)
        )
        if permittivity.ndim == 4:
            permittivity = np.min(permittivity, axis=0)
        density = np.full_like(permittivity, 1e-12)
        for site in charge.sites:
            density = density + site.capacity_nm3 * np.max(np.square(site.charge), axis=0)
        scale = np.sqrt(permittivity * charge.kT_eV / density)[:, 0]
        return np.minimum(_SCALE_SHARE * scale, self.stack.thickness_nm)

    def _neutral_V(self) -> Array:
        """Return each layer's neutral potential (n, 1, B), or else the mean of its ends."""
        ends = [
            side.neutral_potential_V if isinstance(side, Reservoir) else side
            for side in (self.left, self.right)
        ]
        flat = self.stack.neutral_potential_V
        return np.where(np.isfinite(flat), flat, (ends[0] + ends[1]) / 2.0 + self.offset_V)


def _error(problem: GridProblem, first: NewtonResult, second: NewtonResult) -> Array:
    """Change of the displacements between two approximations, (B,); NaN if either failed."""
    pairs = [
        (first.left_displacement, second.left_displacement),
        (first.right_displacement, second.right_displacement),
    ]
    change = np.max([np.max(np.abs(a - b), axis=(0, 1)) for a, b in pairs], axis=0)
    largest = np.max([np.max(np.abs(b), axis=(0, 1)) for _, b in pairs], axis=0)
    # the displacement of a drop far below kT: that of the linear Debye layer or of a capacitor
    kT, permittivity = problem.charge.kT_eV, problem.permittivity_e_V_nm
    if permittivity.ndim == 4:
        permittivity = np.max(permittivity, axis=0)
    slope = np.max(-problem.charge.charge(second.potential_V)[1], axis=0)
    per_volt = np.sqrt(permittivity * slope) + permittivity / np.sum(
        problem.width_nm, axis=1, keepdims=True
    )
    smallest = _NEGLIGIBLE_KT * np.max(per_volt * kT, axis=(0, 1))
    # what rounding makes of the potentials' differences inside an element cannot be refined away
    steepest = permittivity * np.abs(second.potential_V[0]) / problem.width_nm
    change = np.maximum(change - _ROUNDING * np.max(steepest, axis=(0, 1)), 0.0)
    error = change / np.maximum(largest, smallest)
    return np.where(first.converged & second.converged, error, np.nan)


def _resistance_error(
    problems: Sequence[GridProblem], results: Sequence[NewtonResult]
) -> Array | float:
    """Change of the layers' resistances between two approximations, (B,)."""
    if all(mobility is None for mobility in problems[0].charge.mobility):
        return 0.0
    first, second = (
        resistance_ohm_cm2(problem.charge, problem.element, result.potential_V, problem.width_nm)
        for problem, result in zip(problems, results, strict=True)
    )
    with np.errstate(over="ignore", invalid="ignore"):
        change = np.abs(first / second - 1.0)
    return np.asarray(np.max(np.where(np.isfinite(change), change, 0.0), axis=0))


def _density(problem: GridProblem, potential_V: Array) -> Array:
    """Density of elements (n, E, B) that charge and potential ask for."""
    width = problem.width_nm
    charge = problem.charge.charge(potential_V)[0]
    scale = np.sum(np.abs(charge[0]) * width, axis=(0, 1)) + 1e-300
    wanted = roughness(problem.element, charge, width, scale)
    wanted = wanted / np.sum(wanted * width, axis=1, keepdims=True)
    drops = np.max(potential_V, axis=0) - np.min(potential_V, axis=0)
    needed = drops / (_KT_PER_ELEMENT * problem.charge.kT_eV)
    share = needed / np.maximum(np.sum(needed, axis=1, keepdims=True), width.shape[1])
    return np.asarray(wanted + share / width)
