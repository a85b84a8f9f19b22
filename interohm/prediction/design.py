"""Choice of a coating, its thickness and the next calculation: candidates on common samples.

All candidates are solved with the same samples of all records' uncertainties, so that what they
share moves them together. The states of charge of the electrode all count by the worst of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.errors import InputError
from interohm.prediction.coated_gradient import log_resistance_gradient
from interohm.prediction.coated_stack import (
    CoatedRow,
    CoatingLayer,
    check_between,
    stack_row,
)
from interohm.prediction.contact_stability import (
    contacts_react,
    nominal_margin_V,
    nominal_windows_V,
    stability_fields,
    without_window,
)
from interohm.prediction.design_variables import DOPING, SEARCHED, Variable
from interohm.prediction.electrodes import electrode_state
from interohm.prediction.eligibility import limited_by, margin_decision, verdict_fields
from interohm.prediction.sampling import phase_of
from interohm.prediction.sensitivity import RecordedFieldSamples
from interohm.prediction.single_contact import Conditions, contact_ion_content, solve_contact
from interohm.prediction.value_of_calculations import next_calculations
from interohm.records import Insulator, Metal, material_hash
from interohm.records.design import (
    Coating,
    Design,
    Thicknesses,
)
from interohm.records.reference import check_same_ion, reference_metal
from interohm.records.shipped import shipped_interfaces
from interohm.results.design import ELIGIBLE, OUTSIDE, UNKNOWN, DesignResult, best_first
from interohm.results.json_values import column_quantiles, number, numbers, quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array
    from interohm.records.interface import Interface

    BoolArray = NDArray[np.bool_]

#: Points of the grid over a single thickness, over each of two, and over a concentration.
_POINTS, _POINTS_OF_TWO, _POINTS_OF_DOPANTS = 7, 5, 4

#: The same over a gradient of doping, whose middle is often none.
_POINTS_OF_GRADIENTS = 5

#: Slopes of log10 R per unit of ln p below this are none.
_FLAT_DECADES = 1e-3

#: What a broken limit costs, in decades of the resistance, where calculations are compared.
_BROKEN_DECADES = 3.0

_Progress = Callable[[int], None]


@dataclass(frozen=True)
class _Layer:
    coating: Coating
    material: Insulator
    thickness_nm: Thicknesses


@dataclass(frozen=True)
class _Outcome:
    """Results of a candidate at P points for S samples (P, S), at the worst state of charge."""

    points: Array
    interface_ohm_cm2: Array
    coating_ohm_cm2: Array
    charge_transfer_ohm_cm2: Array
    depletion_ohm_cm2: Array
    electron_barrier_eV: Array
    hole_barrier_eV: Array
    leakage_A_cm2: Array

    def at(self, index: int) -> _Outcome:
        """Return one of the points."""
        return _Outcome(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    @property
    def objective(self) -> Array:
        """Return the mean of log10 R (P,) over the samples that have a solution."""
        return _mean_log10(self.interface_ohm_cm2)


def _mean_log10(resistance_ohm_cm2: Array) -> Array:
    """Return the mean of log10 R over the last axis, of the samples that have a solution."""
    with np.errstate(invalid="ignore"):
        logs = np.log10(resistance_ohm_cm2)
    known = np.isfinite(logs)
    count = np.maximum(known.sum(axis=-1), 1)
    mean = np.where(known, logs, 0.0).sum(axis=-1) / count
    return np.asarray(np.where(known.any(axis=-1), mean, np.inf))


class _Problem:
    """A design with its records, and the samples that all candidates share."""

    def __init__(
        self,
        design: Design,
        left: Insulator | Metal,
        right: Insulator | Metal,
        materials: Mapping[str, Insulator],
        interfaces: Sequence[Interface],
    ) -> None:
        self.design, self.left, self.right = design, left, right
        self.materials = materials
        every = [left, right, *materials.values()]
        self.reference = reference_metal(every)
        self.records = {one.name: one for one in [*every, self.reference]}
        self.interfaces = [*interfaces, *shipped_interfaces()]
        self.samples = RecordedFieldSamples(design.samples)
        # a sample without a possible hop is drawn again here, before anything is solved with it
        for one in self.records.values():
            if isinstance(one, Insulator):
                phase_of(one, field_samples=self.samples)
        self.electrode = next((one for one in (left, right) if isinstance(one, Metal)), None)

    def voltages_V(self, *, nominal: bool) -> list[Array | None]:
        """Return the electrode's potential at each state of charge; None without one."""
        metal = self.electrode
        if metal is None:
            return [None] * len(self.design.states_of_charge)
        return [
            electrode_state(
                metal,
                contact_ion_content(metal, charge, on_the_right=metal is self.right),
                field_samples=None if nominal else self.samples,
            ).voltage_V
            for charge in self.design.states_of_charge
        ]

    def window_V(self, material: Insulator) -> tuple[Array, Array] | None:
        """Return reduction and oxidation limit; None where they are unknown."""
        if material.stability_window_V is None:
            return None
        names = ("stability_window_V[reduction]", "stability_window_V[oxidation]")
        low, high = (
            self.samples.value(material.name, name, one)
            for name, one in zip(names, material.stability_window_V, strict=True)
        )
        return low, high

    def margin_V(self, one: Insulator | Metal, other: Insulator | Metal) -> Array | None:
        """Return the sampled `nominal_margin_V` of a contact."""
        windows = [self.window_V(phase) for phase in (one, other) if isinstance(phase, Insulator)]
        if any(window is None for window in windows):
            return None
        known = [window for window in windows if window is not None]
        if len(known) == 2:
            (low, high), (other_low, other_high) = known
            return np.asarray(np.minimum(high, other_high) - np.maximum(low, other_low))
        ((low, high),) = known
        margins = [
            np.minimum(high - voltage, voltage - low)
            for voltage in self.voltages_V(nominal=False)
            if voltage is not None
        ]
        return np.asarray(np.min(np.broadcast_arrays(*margins), axis=0))

    def nominal_voltages_V(self) -> list[float]:
        """Return the electrode's potential at each state of charge; none without one."""
        return [float(one) for one in self.voltages_V(nominal=True) if one is not None]

    def nominal_margin_V(self, one: Insulator | Metal, other: Insulator | Metal) -> float | None:
        """Return the margin of a contact that the records state, at the worst state of charge."""
        return nominal_margin_V(one, other, self.nominal_voltages_V())

    def limited_by(self, one: Insulator | Metal, other: Insulator | Metal) -> str | None:
        """Return what limits the nominal margin of a contact, in words."""
        windows = nominal_windows_V(one, other)
        return None if windows is None else limited_by(windows, self.nominal_voltages_V())


class _Candidate:
    """One coating, or two, between the phases of a problem."""

    def __init__(self, problem: _Problem, layers: Sequence[_Layer]) -> None:
        self.problem, self.layers = problem, layers
        self.name = " + ".join(layer.material.name for layer in layers)
        self.variables: list[Variable] = []
        for index, layer in enumerate(layers):
            for field in ("thickness_nm", *SEARCHED):
                whole = field == "thickness_nm"
                given = layer.thickness_nm if whole else getattr(layer.coating, field)
                variable = Variable.of(index, field, given)
                if variable is not None:
                    self.variables.append(variable)

    @property
    def searched(self) -> list[int]:
        """Return which variables lie in a range; the others have a few values."""
        return [k for k, one in enumerate(self.variables) if one.values is None]

    def grid(self) -> Array:
        """Return the points (P, V) at which everything is solved first."""
        axes = []
        for variable in self.variables:
            count = _POINTS if len(self.layers) == 1 else _POINTS_OF_TWO
            if variable.field != "thickness_nm":
                count = _POINTS_OF_GRADIENTS if variable.is_linear else _POINTS_OF_DOPANTS
            axes.append(variable.axis(count))
        return np.array(list(product(*axes)))

    def value(self, points: Array, layer: int, field: str) -> Array:
        """Return one field of a layer at points (P, V): searched, or as it is given."""
        for column, variable in enumerate(self.variables):
            if (variable.layer, variable.field) == (layer, field):
                return np.asarray(points[..., column])
        given = getattr(self.layers[layer].coating, field)
        return np.full(points.shape[:-1], float(given))

    def thickness_nm(self, points: Array) -> Array:
        """Return the thickness of all layers together."""
        columns = [v.field == "thickness_nm" for v in self.variables]
        return np.asarray(points[..., columns].sum(axis=-1))

    @property
    def is_doped(self) -> bool:
        """Return whether dopants are given or searched in a layer."""
        return any(getattr(layer.coating, name) != 0.0 for layer in self.layers for name in DOPING)

    def _rows(self, points: Array, *, doped: bool = True) -> list[CoatedRow]:
        """Return the contact at points (P, V), before the axis of the samples, by charge."""
        problem, design = self.problem, self.problem.design
        share = 1.0 if doped else 0.0

        def of(index: int, field: str) -> Array:
            return self.value(points, index, field)[:, None]

        coatings = [
            CoatingLayer(
                layer.material,
                of(index, "thickness_nm"),
                share * (of(index, "donors_cm3") - of(index, "acceptors_cm3")),
                share * of(index, "doping_gradient_cm3"),
                of(index, "susceptibility"),
            )
            for index, layer in enumerate(self.layers)
        ]
        return [
            stack_row(
                problem.left,
                coatings,
                problem.right,
                problem.reference,
                temperature_K=design.temperature_K,
                state_of_charge=charge,
                electrons=design.electrons,
                interfaces=problem.interfaces,
                field_samples=problem.samples,
            )
            for charge in design.states_of_charge
        ]

    def solve(self, points: Array, *, doped: bool = True) -> _Outcome:
        """Solve the candidate at points (P, V), or without dopants, at every state of charge."""
        states = []
        for row in self._rows(points, doped=doped):
            solved = row.solve()
            states.append(
                [
                    np.broadcast_to(value, (len(points), self.problem.design.samples))
                    for value in (
                        solved.interface_resistance_ohm_cm2,
                        solved.coating_ohm_cm2,
                        solved.charge_transfer_ohm_cm2,
                        solved.depletion_ohm_cm2,
                        solved.electron_barrier_eV,
                        solved.hole_barrier_eV,
                        solved.leakage_A_cm2,
                    )
                ]
            )
        total, layer, transfer, depletion, electron, hole, leakage = (
            np.stack(values) for values in zip(*states, strict=True)
        )
        worst = np.argmax(np.nan_to_num(total, nan=-np.inf), axis=0)[None]

        def at_worst(values: Array) -> Array:
            return np.asarray(np.take_along_axis(values, worst, axis=0)[0])

        return _Outcome(
            points,
            interface_ohm_cm2=np.where(np.isnan(total).any(axis=0), np.nan, at_worst(total)),
            coating_ohm_cm2=at_worst(layer),
            charge_transfer_ohm_cm2=at_worst(transfer),
            depletion_ohm_cm2=at_worst(depletion),
            electron_barrier_eV=electron.min(axis=0),
            hole_barrier_eV=hole.min(axis=0),
            leakage_A_cm2=leakage.max(axis=0),
        )

    def objective_and_slope(self, point: Array) -> tuple[float, Array]:
        """Return the mean of log10 R at a point (V,), and its slopes (V,) with the coordinates.

        The slopes are exact: those of the worst state of charge of each sample.
        """
        found = [log_resistance_gradient(one.row) for one in self._rows(point[None])]
        with np.errstate(divide="ignore"):
            logs = np.stack([np.log10(one.interface_ohm_cm2[0]) for one in found])
        worst = np.argmax(np.nan_to_num(logs, nan=-np.inf), axis=0)
        samples = np.arange(logs.shape[1])
        known = np.all(np.isfinite(logs), axis=0)
        if not np.any(known):
            return np.inf, np.zeros(point.size)
        slopes = []
        for variable, value in zip(self.variables, point, strict=True):
            rows = np.stack([variable.log_slope(one.log_gradient, float(value)) for one in found])[
                worst, samples
            ]
            counted = np.where(np.isfinite(rows), rows, 0.0)[known]
            slopes.append(np.mean(counted) / np.log(10.0))
        return float(np.mean(logs[worst, samples][known])), np.array(slopes)

    def refined(self, points: Array, objective: Array) -> Array | None:
        """Return the point (V,) of the lowest objective; None where the grid has it.

        By L-BFGS-B with exact slopes, between the grid's neighbours of its best point. The samples
        are the same everywhere: the objective is smooth.
        """
        from scipy.optimize import minimize

        best: Array = np.asarray(points[int(np.argmin(objective))])
        start, bounds = [], []
        for k in self.searched:
            variable, places = self.variables[k], np.unique(points[:, k])
            at = int(np.argmin(np.abs(places - best[k])))
            ends = places[max(at - 1, 0)], places[min(at + 1, places.size - 1)]
            bounds.append(tuple(float(variable.coordinate(end)) for end in ends))
            start.append(float(variable.coordinate(best[k])))
        if not bounds:
            return None

        def place(coordinates: Array) -> Array:
            point = best.copy()
            for k, x in zip(self.searched, coordinates, strict=True):
                point[k] = self.variables[k].value(x)
            return point

        def with_slope(coordinates: Array) -> tuple[float, Array]:
            try:
                value, slopes = self.objective_and_slope(place(coordinates))
            except InputError:
                # no solution so far away
                return np.inf, np.zeros(coordinates.size)
            return value, slopes[self.searched]

        found = minimize(
            with_slope,
            start,
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
            options={"maxiter": 12, "maxfun": 15, "ftol": 1e-6, "gtol": _FLAT_DECADES},
        )
        return place(found.x) if np.any(found.x != start) else None


def design_result(
    design: Design,
    left: Insulator | Metal,
    right: Insulator | Metal,
    materials: Mapping[str, Insulator],
    *,
    interfaces: Sequence[Interface] = (),
    progress: _Progress | None = None,
) -> DesignResult:
    """Compare coatings between two phases.

    Parameters
    ----------
    design : Design
        The description.
    left, right : Insulator or Metal
        The records of ``design.between``.
    materials : mapping of str to Insulator
        The record of each coating, by what the description calls it.
    interfaces : sequence of Interface
        Interfaces of the user's database, which take precedence over the shipped ones.
    progress : callable, optional
        Told how many candidates (`candidates_of`) are solved.

    Raises
    ------
    InputError
        The phases do not fit together, or a phase has no neutral bulk.
    """
    check_between(left, right)
    check_same_ion([left, right, *materials.values()])
    problem = _Problem(design, left, right, materials, interfaces)
    candidates = [
        _Candidate(
            problem,
            [_Layer(coating, materials[coating.material], thick) for coating, thick in layers],
        )
        for layers in candidates_of(design)
    ]
    solved: list[tuple[_Candidate, _Outcome, int]] = []
    for done, candidate in enumerate(candidates, start=1):
        solved.append((candidate, *_searched(candidate)))
        if progress is not None:
            progress(done)
    uncoated, uncoated_logs = _uncoated(problem)
    documents: list[dict[str, Any]] = []
    losses, resistances = [], []
    consists_of: list[set[str]] = []
    compared: list[str] = []
    others, margins = [], []
    unknown, unjudged = [], []
    for candidate, outcome, best in solved:
        chosen = outcome.at(best)
        others.append(_electron_limits(problem, chosen))
        margins.append(_side_margins_V(problem, _phases(candidate)))
        unknown.append(_unknown_windows(problem, _phases(candidate)))
        holds = {**others[-1], **_margin_limits(problem, margins[-1])}
        document = _candidate_document(candidate, outcome, best, holds, margins[-1], unknown[-1])
        documents.append(document)
        # what is not known to keep a limit does not
        judged = document["verdict"] != UNKNOWN
        keeps = np.all([np.full(design.samples, judged), *holds.values()], axis=0)
        with np.errstate(invalid="ignore"):
            logs = np.log10(chosen.interface_ohm_cm2)
        if not _react(document["contacts"]):
            losses.append(logs + _BROKEN_DECADES * ~keeps)
            consists_of.append({one.name for one in _phases(candidate)})
            compared.append(candidate.name)
            if not judged:
                unjudged.append((_asked_windows(problem, unknown[-1]), logs))
        inside = keeps & np.isfinite(logs) & (not document["outside_of_model"])
        resistances.append(np.where(inside, logs, np.inf))
    resistances.append(uncoated_logs)
    lowest = np.argmin(resistances, axis=0)
    none = ~np.isfinite(np.min(resistances, axis=0))
    for index, document in enumerate([*documents, uncoated]):
        document["best_probability"] = float(np.mean((lowest == index) & ~none))
    best_one = min(
        (
            one
            for one in [*documents, uncoated]
            if one["verdict"] == ELIGIBLE and one["best_probability"] > 0.0
        ),
        key=lambda one: best_first(one["best_probability"], one["interface_resistance_ohm_cm2"]),
        default=None,
    )
    result = DesignResult.model_validate(
        {
            "design": design.name,
            "between": [left.name, right.name],
            "temperature_K": design.temperature_K,
            "states_of_charge": list(design.states_of_charge),
            "samples": design.samples,
            "limits": design.limits.model_dump(),
            "records": {name: material_hash(one) for name, one in problem.records.items()},
            "coatings": documents,
            "uncoated": uncoated,
            "best": None if best_one is None else best_one["name"],
            "none_probability": float(np.mean(none)),
            "margin": margin_decision(
                design.limits,
                [one["name"] for one in documents],
                others,
                margins,
                [_react(one["contacts"]) for one in documents],
                unknown,
            ),
            "front": _front(problem, solved, {one["name"]: one["verdict"] for one in documents}),
            "next": next_calculations(
                problem.samples,
                np.array(losses),
                problem.records,
                holds=consists_of,
                electrodes=[one.name for one in (left, right)],
                names=compared,
                without_window=unjudged,
            )
            if losses
            else [],
        }
    )
    return result.model_copy(update={"best_remark": result.resistance_remark()})


def candidates_of(design: Design) -> list[list[tuple[Coating, Thicknesses]]]:
    """Return every candidate of a design: its layers, each with what its thickness may be."""
    first = [(one, one.thickness_nm or design.thickness_nm) for one in design.coatings]
    if design.second_layer is None:
        return [[one] for one in first]
    second = [
        (one, one.thickness_nm or design.second_layer.thickness_nm)
        for one in design.second_layer.coatings
    ]
    pairs = [
        [one, other] for one in first for other in second if one[0].material != other[0].material
    ]
    if not pairs:
        raise InputError(
            "every second layer would be the same material as the coating next to it",
            where="second_layer.coatings",
            fix="name materials that are not in coatings",
        )
    return pairs


def _searched(candidate: _Candidate) -> tuple[_Outcome, int]:
    """Return a candidate solved on its grid and at its optimum, and which point that is."""
    points = candidate.grid()
    outcome = candidate.solve(points)
    objective = outcome.objective
    if not np.any(np.isfinite(objective)):
        raise InputError(
            f"{candidate.name} has no solution at any thickness",
            where=f"coatings: {candidate.name}",
            fix="check its dopants, and its record with `interohm contact`",
        )
    best = int(np.argmin(objective))
    refined = candidate.refined(points, objective)
    if refined is None:
        return outcome, best
    other = candidate.solve(refined[None])
    if not other.objective[0] < objective[best]:
        return outcome, best
    whole = _Outcome(
        *(
            np.concatenate([getattr(outcome, name), getattr(other, name)])
            for name in _Outcome.__dataclass_fields__
        )
    )
    return whole, len(points)


def _uncoated(problem: _Problem) -> tuple[dict[str, Any], Array]:
    """Return the contact without any coating, and log10 R of the samples that keep the limits."""
    design, left, right = problem.design, problem.left, problem.right
    totals = []
    for charge in design.states_of_charge:
        conditions = Conditions(design.temperature_K, charge, None, design.electrons)
        single = solve_contact(left, right, problem.reference, conditions, problem.samples)
        totals.append(single.solved.interface_resistance_ohm_cm2)
    total = np.max(np.broadcast_arrays(*totals), axis=0)
    contact = _contact(problem, left, right)
    margin = problem.margin_V(left, right)
    limits = design.limits.stability_margin_V
    holds: dict[str, BoolArray] = {}
    if margin is not None:
        # the contact of both sides; what coatings are allowed beyond their windows it is not
        least = max(limits.left or 0.0, limits.right or 0.0, 0.0)
        holds["stability_margin_V"] = _for_all(problem, margin >= least)
    margins = {} if margin is None else {"stability_margin_V": margin}
    # without a coating, the margin is a limit in any case
    unknown = without_window([left, right]) if contact["verdict"] is None else []
    verdict = _verdict(holds, margins, [contact], unknown)
    with np.errstate(invalid="ignore"):
        logs = np.log10(total)
    inside = np.all([np.full(design.samples, not unknown), *holds.values()], axis=0)
    kept = np.isfinite(logs) & inside & (not verdict["outside_of_model"])
    return {
        "name": "uncoated",
        "interface_resistance_ohm_cm2": _median(total),
        "mean_log10_resistance": number(_mean_log10(total)),
        "quantiles": {"interface_resistance_ohm_cm2": quantiles(total)},
        "reacts": contacts_react([contact]),
        "contacts": [contact],
        "windows_unknown": unknown,
        **verdict,
        "without_solution": int(np.count_nonzero(~np.isfinite(logs))),
    }, np.where(kept, logs, np.inf)


def _for_all(problem: _Problem, holds: BoolArray) -> BoolArray:
    return np.asarray(np.broadcast_to(holds, (problem.design.samples,)))


def _electron_limits(problem: _Problem, chosen: _Outcome) -> dict[str, BoolArray]:
    """Return which samples keep which limit of electrons; none without an electrode."""
    limits = problem.design.limits
    found: dict[str, BoolArray] = {}
    if problem.electrode is not None:
        if limits.electron_barrier_eV is not None:
            found["electron_barrier_eV"] = chosen.electron_barrier_eV >= limits.electron_barrier_eV
        if limits.hole_barrier_eV is not None:
            found["hole_barrier_eV"] = chosen.hole_barrier_eV >= limits.hole_barrier_eV
        if limits.leakage_A_cm2 is not None:
            found["leakage_A_cm2"] = chosen.leakage_A_cm2 <= limits.leakage_A_cm2
    return {name: _for_all(problem, holds) for name, holds in found.items()}


def _side_margins_V(problem: _Problem, phases: Sequence[Insulator | Metal]) -> dict[str, Array]:
    """Return the sampled margin by the limit that asks for it, where it is known.

    Contacts within, of two coatings, count with the right side.
    """
    found: dict[str, Array] = {}
    for name, pair in _pairs_by_limit(phases):
        margin = problem.margin_V(*pair)
        if margin is not None:
            found[name] = np.asarray(np.minimum(found.get(name, np.inf), margin))
    return found


def _pairs_by_limit(
    phases: Sequence[Insulator | Metal],
) -> Iterator[tuple[str, tuple[Insulator | Metal, Insulator | Metal]]]:
    """Yield the phases of each contact with the limit on its margin."""
    for index, pair in enumerate(pairwise(phases)):
        yield f"stability_margin_V.{'left' if index == 0 else 'right'}", pair


def _margin_limits(problem: _Problem, margins_V: Mapping[str, Array]) -> dict[str, BoolArray]:
    return {
        name: _for_all(problem, margin >= least)
        for name, margin in margins_V.items()
        if (least := _least_margin_V(problem, name)) is not None
    }


def _least_margin_V(problem: _Problem, name: str) -> float | None:
    """Return the limit of a margin by its name; None for no limit."""
    limits = problem.design.limits.stability_margin_V
    return limits.left if name.endswith(".left") else limits.right


def _unknown_windows(
    problem: _Problem, phases: Sequence[Insulator | Metal]
) -> dict[str, list[str]]:
    """Return the records without a window, by the limit on a contact that nothing else judges."""
    found: dict[str, list[str]] = {}
    for name, pair in _pairs_by_limit(phases):
        if _contact(problem, *pair)["verdict"] is None:
            found[name] = [*found.get(name, []), *without_window(pair)]
    return found


def _asked_windows(problem: _Problem, unknown: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the records without a window that a limit asks for."""
    asked = (names for side, names in unknown.items() if _least_margin_V(problem, side) is not None)
    return list(dict.fromkeys(name for names in asked for name in names))


def _react(contacts: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a contact reacts by the energies of its phase diagram."""
    return any(one["verdict"] == "reacts" for one in contacts)


def _verdict(
    holds: Mapping[str, BoolArray],
    margins_V: Mapping[str, Array],
    contacts: Sequence[Mapping[str, Any]],
    unknown: Sequence[str],
) -> dict[str, Any]:
    text = next((one["text"] for one in contacts if one["verdict"] == "reacts"), None)
    return verdict_fields(holds, margins_V, reacts=_react(contacts), text=text, unknown=unknown)


def _phases(candidate: _Candidate) -> list[Insulator | Metal]:
    problem = candidate.problem
    return [problem.left, *(layer.material for layer in candidate.layers), problem.right]


def _contact(
    problem: _Problem, left: Insulator | Metal, right: Insulator | Metal
) -> dict[str, Any]:
    """Return whether two phases bear each other, at the worst state of charge."""
    voltages: list[float | None] = [None]
    if any(isinstance(one, Metal) for one in (left, right)):
        voltages = list(problem.nominal_voltages_V())
    return stability_fields(left, right, voltages)


def _median(values: Array) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else None


def _candidate_document(
    candidate: _Candidate,
    outcome: _Outcome,
    best: int,
    holds: Mapping[str, BoolArray],
    margins_V: Mapping[str, Array],
    unknown: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    problem = candidate.problem
    chosen = outcome.at(best)
    layers = [
        {
            "material": layer.material.name,
            **{
                field: float(candidate.value(chosen.points, index, field))
                for field in ("thickness_nm", *SEARCHED)
            },
            "at_ends": [
                one.field
                for one, value in zip(candidate.variables, chosen.points, strict=True)
                if one.layer == index and one.field != "thickness_nm" and one.ends_at(value)
            ],
        }
        for index, layer in enumerate(candidate.layers)
    ]
    contacts = [_contact(problem, *pair) for pair in pairwise(_phases(candidate))]
    curve, largest, largest_interval = _over_thickness(candidate, outcome, best)
    resistance = chosen.interface_ohm_cm2
    lower, _, upper = sampled_median(resistance[np.isfinite(resistance)])
    undoped = None
    if candidate.is_doped:
        plain = candidate.solve(chosen.points[None], doped=False)
        undoped = _median(plain.interface_ohm_cm2[0])
    first = candidate.variables[0]
    bound = None
    if first.low == first.high:
        pass
    elif np.isclose(chosen.points[0], first.low):
        bound = "thinnest"
    elif np.isclose(chosen.points[0], first.high):
        bound = "thickest"
    sampled = {
        name: getattr(chosen, field)
        for name, field in (
            ("interface_resistance_ohm_cm2", "interface_ohm_cm2"),
            ("electron_barrier_eV", "electron_barrier_eV"),
            ("hole_barrier_eV", "hole_barrier_eV"),
            ("leakage_A_cm2", "leakage_A_cm2"),
        )
    }
    return {
        "name": candidate.name,
        "layers": layers,
        "optimum_nm": float(candidate.thickness_nm(chosen.points)),
        "at_bound": bound,
        "largest_nm": largest,
        "largest_nm_interval": largest_interval,
        "quantiles": {name: quantiles(values) for name, values in sampled.items()},
        **{name: _median(values) for name, values in sampled.items()},
        "median_interval_ohm_cm2": None if np.isnan(lower) else [lower, upper],
        "mean_log10_resistance": number(chosen.objective),
        "undoped_ohm_cm2": undoped,
        "reacts": contacts_react(contacts),
        "contacts": contacts,
        "sides": _sides(candidate),
        "windows_unknown": list(dict.fromkeys(name for one in unknown.values() for name in one)),
        **_verdict(holds, margins_V, contacts, _asked_windows(problem, unknown)),
        "without_solution": int(np.count_nonzero(~np.isfinite(chosen.interface_ohm_cm2))),
        "curve": curve,
    }


def _sides(candidate: _Candidate) -> list[dict[str, Any]]:
    problem, phases = candidate.problem, _phases(candidate)
    bare = problem.nominal_margin_V(problem.left, problem.right)
    found = []
    for phase, pair in ((phases[0], phases[:2]), (phases[-1], phases[-2:])):
        nominal = problem.nominal_margin_V(*pair)
        sampled = problem.margin_V(*pair)
        found.append(
            {
                "phase": phase.name,
                "margin_V": nominal,
                "margin_quantiles_V": None if sampled is None else quantiles(sampled),
                "uncoated_margin_V": bare,
                "limited_by": problem.limited_by(*pair),
            }
        )
    return found


def _over_thickness(
    candidate: _Candidate, outcome: _Outcome, best: int
) -> tuple[dict[str, Any], float | None, list[float | None]]:
    """Return the resistance over the first layer's thickness, and the largest within the limit.

    The last is the interval of the largest, from that of the median at each thickness.
    """
    points = outcome.points
    others = points[:, 1:]
    # the refined optimum is on no line of the grid: that through the nearest point is shown
    grid = len(candidate.grid())
    near = best
    if best >= grid:
        distance = np.zeros(grid)
        for variable, column in zip(candidate.variables, points.T, strict=True):
            if variable.values is None:
                step = variable.coordinate(column[:grid]) - variable.coordinate(column[best])
                distance += step**2
            else:
                distance[column[:grid] != column[best]] = np.inf
        near = int(np.argmin(distance))
    line = np.all(np.isclose(others, others[near]), axis=1)
    if points.shape[1] == 1:
        line[:] = True
    rows = np.flatnonzero(line)
    rows = rows[np.argsort(points[rows, 0], kind="stable")]
    thickness = points[rows, 0]
    spread = column_quantiles(outcome.interface_ohm_cm2[rows].T)
    medians = np.array([sampled_median(outcome.interface_ohm_cm2[row]) for row in rows])
    parts = {
        name: numbers([_median(getattr(outcome, name)[row]) or 0.0 for row in rows])
        for name in ("coating_ohm_cm2", "charge_transfer_ohm_cm2", "depletion_ohm_cm2")
    }
    curve = {
        "thickness_nm": numbers(thickness),
        "interface_resistance_ohm_cm2": spread or {},
        **parts,
    }
    limit = candidate.problem.design.limits.interface_resistance_ohm_cm2
    # the lower a curve, the thicker the layer
    high, largest, low = (largest_within(thickness, one, limit) for one in medians.T)
    # curves that are not steep may cross between their points, by the interpolation alone
    if largest is not None and low is not None and high is not None:
        low, high = min(low, largest), max(high, largest)
    return curve, largest, [low, high]


def sampled_median(samples: Array) -> tuple[float, float, float]:
    """Return the median of samples (S,) between the ends of its 68 % interval.

    Its ends are the samples of the ranks S/2 ± sqrt(S)/2: so many of S samples are below the true
    median. Infinite ones are above all others, NaN are left out.
    """
    known = np.sort(samples[~np.isnan(samples)])
    if not known.size:
        return np.nan, np.nan, np.nan
    rank = round(0.5 * (known.size - 1 - known.size**0.5))
    return float(known[rank]), float(np.median(known)), float(known[-1 - rank])


def largest_within(thickness_nm: Array, resistance_ohm_cm2: Array, limit: float) -> float | None:
    """Return the largest thickness at which a curve is at most a limit; None if it never is.

    Between its points the curve is monotonic on logarithmic axes (PCHIP).
    """
    from scipy.interpolate import PchipInterpolator
    from scipy.optimize import brentq

    known = np.isfinite(resistance_ohm_cm2)
    x, y = np.log(thickness_nm[known]), np.log(resistance_ohm_cm2[known] / limit)
    below = np.flatnonzero(y <= 0.0)
    if below.size == 0:
        return None
    last = int(below[-1])
    if last == x.size - 1:
        return float(np.exp(x[-1]))
    curve = PchipInterpolator(x, y)
    return float(np.exp(brentq(lambda log: float(curve(log)), x[last], x[last + 1])))


def _front(
    problem: _Problem,
    solved: Sequence[tuple[_Candidate, _Outcome, int]],
    verdicts: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Return the points that no other beats in resistance, barrier, margin and thickness."""
    rows, outputs = [], []
    for candidate, outcome, _ in solved:
        if verdicts[candidate.name] in (OUTSIDE, UNKNOWN):
            continue
        contacts = [_contact(problem, *pair) for pair in pairwise(_phases(candidate))]
        margins = [one["margin_V"] for one in contacts if one["margin_V"] is not None]
        # one that is not known may be lower
        unknown = any(one["verdict"] is None for one in contacts)
        margin = min(margins) if margins and not unknown else None
        for index in range(len(outcome.points)):
            resistance = _median(outcome.interface_ohm_cm2[index])
            if resistance is None:
                continue
            barrier = _median(outcome.electron_barrier_eV[index])
            thickness = float(candidate.thickness_nm(outcome.points[index]))
            rows.append(
                {
                    "name": candidate.name,
                    "thickness_nm": thickness,
                    "interface_resistance_ohm_cm2": resistance,
                    "electron_barrier_eV": barrier,
                    "stability_margin_V": margin,
                }
            )
            # finer differences than these are none
            outputs.append(
                [
                    float(f"{resistance:.2g}"),
                    -np.inf if barrier is None else -round(barrier, 1),
                    np.inf if margin is None else -round(margin, 2),
                    thickness,
                ]
            )
    return [row for row, kept in zip(rows, nondominated(np.array(outputs)), strict=True) if kept]


def nondominated(outputs: Array) -> list[bool]:
    """Return which rows (N, M) no other row is as low as in all columns and lower in one."""
    return [
        not bool(np.any(np.all(outputs <= row, axis=1) & np.any(outputs < row, axis=1)))
        for row in outputs
    ]
