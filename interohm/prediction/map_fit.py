"""A measured potential map fitted by a cell: where it lies, what it says of the records.

The map's places may be off by a shift and its values by an offset (of tip and ground); both are
fitted within bounds. The model is shown as a probe of finite resolution shows it. Records are
updated as Gaussian variables of which the map is a linear function.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.device_models import resolution_weights
from interohm.errors import InputError
from interohm.prediction.contact_barrier import with_known_interfaces
from interohm.prediction.kpfm import MeasuredMap, PotentialMap, check_span, potential_map
from interohm.prediction.layer_diagram import SampledPoints
from interohm.prediction.sampled_curves import band_places, cell_curves
from interohm.prediction.sampling import FieldSamples
from interohm.prediction.sensitivity import RecordedFieldSamples, field_path
from interohm.prediction.solved_cell import SolvedState, check_cell, solve_state
from interohm.records import Insulator, Metal, material_document, material_from, material_hash
from interohm.records.reference import reference_metal
from interohm.records.uncertainty import quantities, updated_quantity
from interohm.results.json_values import numbers
from interohm.results.kpfm import KpfmResult

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.records.cell_config import Cell
    from interohm.records.interface import Interface

#: V; of tip, ground and feedback together.
LARGEST_OFFSET_V = 10.0

#: Of the cell's length, if not given.
_SHIFT_SHARE = 0.05

#: Shifts that are tried before one is refined, on a model that is known at so many places.
_SHIFTS, _PLACES_OF_SCAN = 81, 2001

#: V; no map is better than this.
_LEAST_NOISE_V = 0.005

#: V; of a point whose uncertainty says less.
_LEAST_OWN_V = 1e-3

#: Points around each contact at which the model is drawn, so many resolutions to either side, and
#: in between; besides its own.
_DRAWN_AT_CONTACT, _DRAWN_RESOLUTIONS, _DRAWN = 81, 4.0, 401

#: Without a probe the model steps at contacts: at these it is on the left, and so far beyond on the
#: right.
_BESIDE_NM = 1e-6

#: How many samples say what other numbers leave open, and at how many places a layer is shown.
_OTHERS, _PLACES = 60, 65

#: V; assumed: work functions and neutral potentials are known better than that.
_POOR_MISFIT_V = 0.5

#: A map that fits so much better the other way round, as a share of the misfit, is in doubt.
_BETTER_REVERSED = 0.5

#: States of charge whose misfit is within this factor of the best fit as well.
_AS_GOOD = 1.1

#: How often records are updated, each time with the misfit that the last update left as noise.
_UPDATES = 3

#: Fields that a map may tell something of; of others it says nothing, or only by these.
_TOLD = ("work_function_eV", "neutral_potential_V", "voltage_V", "dipole_V")

#: Standard deviations of a number of which nothing is known, in those of its prior.
_UNKNOWN = 100.0

#: Correlations beyond this are reported.
_TOGETHER = 0.9

#: Share of a standard deviation; records do not change for less.
LEAST_LEARNED = 0.05

METHOD = "updated from a potential map"


@dataclass(frozen=True)
class _ChosenSamples(FieldSamples):
    """Samples that are chosen for some fields, and drawn for the others in the last rows alone.

    Parameters
    ----------
    keys : tuple of (str, str)
        Record and field of the K chosen ones.
    design : array (samples, K)
        Their values in standard deviations.
    drawn : int
        So many rows at the end are drawn in all other fields.
    """

    keys: tuple[tuple[str, str], ...] = ()
    design: Array = dataclass_field(default_factory=lambda: np.zeros((0, 0)))
    drawn: int = _OTHERS

    def normal(self, record: str, field: str) -> Array:
        """Return the chosen or drawn values of one number, shape (samples,)."""
        if (record, field) in self.keys:
            return np.asarray(self.design[:, self.keys.index((record, field))])
        values = np.zeros(self.samples)
        if self.drawn:
            values[-self.drawn :] = FieldSamples(self.drawn, self.seed).normal(record, field)
        return values


@dataclass(frozen=True)
class _Model:
    """A map with its values beyond the ends: x (P,), values (..., P)."""

    x_nm: Array
    cpd_V: Array
    work_function_eV: Array
    fermi_level_eV: Array


def fit_map(
    cell: Cell,
    materials: list[Insulator | Metal],
    measured: MeasuredMap,
    *,
    resolution_nm: float = 0.0,
    largest_shift_nm: float | None = None,
    state_of_charge: float | None = None,
    interfaces: Sequence[Interface] = (),
    where: str = "cell",
    progress: Callable[[int], None] | None = None,
) -> KpfmResult:
    """Fit a measured map by a cell.

    Parameters
    ----------
    cell : Cell
        The description.
    materials : list of Insulator or Metal
        The record of each layer.
    measured : MeasuredMap
        The map; x = 0 is about the left edge of the first layer.
    resolution_nm : float
        Full width at half maximum of the probe's response.
    largest_shift_nm : float, optional
        Bound of the shift, either way; a twentieth of the cell unless given, at least the
        resolution.
    state_of_charge : float, optional
        One of the cell's; the one that fits best unless given.
    interfaces : sequence of Interface
        Interfaces of the user's database.
    where : str
        Place to name in errors: the cell's file.
    progress : callable, optional
        Told how many of the states of charge, and then of the samples' one, are done.

    Raises
    ------
    InputError
        The layers make no cell, or the map cannot be of it.
    """
    check_cell(cell, materials, where=where)
    cell = with_known_interfaces(cell, materials, interfaces)
    charges = list(cell.states_of_charge)
    if state_of_charge is not None and state_of_charge not in charges:
        raise InputError(
            f"the cell has no state of charge {state_of_charge:g}",
            where="--soc",
            fix=f"name one of its states_of_charge: {', '.join(f'{one:g}' for one in charges)}",
        )
    report_progress = progress or (lambda done: None)
    states, maps = [], []
    for index in range(len(charges)):
        states.append(solve_state(cell, materials, index))
        maps.append(potential_map(cell, states[-1]))
        report_progress(index + 1)
    length_nm = float(maps[0].x_nm[-1] - maps[0].x_nm[0])
    check_span(measured, length_nm)
    bound = largest_shift_nm
    if bound is None:
        bound = max(_SHIFT_SHARE * length_nm, resolution_nm)
    fits = [_fit(cell, one, measured, resolution_nm, bound) for one in maps]
    best = int(np.argmin([fit.rms_V for fit in fits]))
    if state_of_charge is not None:
        best = charges.index(state_of_charge)
    fit, model = fits[best], _extended(cell, maps[best])
    points = fit.x_nm
    parts = [
        fit.weights @ values
        for values in (model.cpd_V, model.work_function_eV, model.fermi_level_eV)
    ]
    residual = fit.cpd_V - parts[0]
    sigma = _own_V(measured)
    own = None if sigma is None else sigma[fit.inside]
    contacts = _contacts_nm(cell, maps[best])
    drawn = _drawn_nm(model.x_nm, points, contacts, resolution_nm)
    learned, together, noise, updated = _learned(
        cell, materials, states[best], maps, best, fit, resolution_nm, own, drawn
    )
    report_progress(len(charges) + 1)
    path = Path(measured.source)
    return KpfmResult.model_validate(
        {
            "cell": cell.name,
            "map": measured.source,
            "map_hash": hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            "columns": list(measured.columns),
            "resolution_nm": resolution_nm,
            "largest_shift_nm": bound,
            "points": int(points.size),
            "left_out": int(measured.x_nm.size - points.size),
            "gaps": measured.gaps,
            "doubts": _doubts(
                cell,
                maps,
                fits,
                best,
                measured,
                resolution_nm,
                bound,
                chosen=state_of_charge is None,
            ),
            "state_of_charge": charges[best],
            "states": [
                {
                    "state_of_charge": charge,
                    "shift_nm": one.shift_nm,
                    "shift_at_bound": bool(abs(one.shift_nm) > 0.999 * bound > 0.0),
                    "offset_V": one.offset_V,
                    "rms_V": one.rms_V,
                }
                for charge, one in zip(charges, fits, strict=True)
            ],
            "noise_V": float(np.sqrt(np.mean(noise**2))),
            "x_nm": points.tolist(),
            "measured_cpd_V": fit.cpd_V.tolist(),
            "uncertainty_V": None if own is None else own.tolist(),
            "model_cpd_V": parts[0].tolist(),
            "profile_x_nm": maps[best].x_nm.tolist(),
            "profile_cpd_V": maps[best].cpd_V.tolist(),
            "probe_x_nm": drawn.tolist(),
            "probe_cpd_V": _shown(model, drawn, resolution_nm).tolist(),
            "updated_cpd_V": None if updated is None else updated.tolist(),
            "contacts_nm": contacts,
            "layers": _layer_names(cell, materials),
            "inferred_work_function_eV": numbers(parts[1] - residual),
            "inferred_fermi_level_eV": numbers(parts[2] - residual),
            "learned": learned,
            "together": together,
            "records": {
                one.name: material_hash(one) for one in [*materials, reference_metal(materials)]
            },
        }
    )


def _doubts(
    cell: Cell,
    maps: Sequence[PotentialMap],
    fits: Sequence[_Fit],
    best: int,
    measured: MeasuredMap,
    resolution_nm: float,
    bound: float,
    *,
    chosen: bool,
) -> list[str]:
    """Return why the map may not be what the fit takes it for."""
    found = []
    fit = fits[best]
    if abs(fit.shift_nm) > 0.999 * bound > 0.0:
        found.append(
            f"the shift is at its bound of {bound:.3g} nm: the map may begin elsewhere (allow more "
            "with --shift-nm), or show another cell"
        )
    if fit.rms_V > _POOR_MISFIT_V:
        found.append(
            f"the map is {fit.rms_V:.2g} V from the model (root mean square), farther than "
            "records usually deviate: it may begin elsewhere (--shift-nm), or show another cell"
        )
    ends = float(np.min(measured.x_nm) + np.max(measured.x_nm))
    reversals = {
        "with its sign reversed": (
            replace(measured, cpd_V=-measured.cpd_V),
            "call its column minus_cpd_V if it was measured so, or work_function_eV",
        ),
        "read from right to left": (
            replace(measured, x_nm=ends - measured.x_nm),
            "count its positions from the other end",
        ),
    }
    for words, (other, fix) in reversals.items():
        reversed_fit = _fit(cell, maps[best], other, resolution_nm, bound)
        if reversed_fit.rms_V < _BETTER_REVERSED * fit.rms_V:
            found.append(
                f"{words}, the map would be {reversed_fit.rms_V:.2g} V from the model instead of "
                f"{fit.rms_V:.2g} V ({fix})"
            )
    if chosen:
        alike = [
            f"{charge:g}"
            for charge, one in zip(cell.states_of_charge, fits, strict=True)
            if one is not fit and one.rms_V < _AS_GOOD * fit.rms_V
        ]
        if alike:
            found.append(
                "the map does not determine the state of charge: the fit is about as good at "
                f"{' and at '.join(alike)} (give it with --soc)"
            )
    return found


def _layer_names(cell: Cell, materials: Sequence[Insulator | Metal]) -> list[str]:
    names = [one.name for one in materials]
    if cell.collectors is not None:
        names = [cell.collectors.negative.material, *names, cell.collectors.positive.material]
    return names


def _contacts_nm(cell: Cell, potential: PotentialMap) -> list[float]:
    """Return where layers and collectors meet, also those whose thickness is not given."""
    starts = [float(one.x_nm[0]) for one in potential.diagrams]
    found = starts[1:]
    ends = cell.collectors
    if ends is not None and ends.negative.thickness_nm is None:
        found = [starts[0], *found]
    if ends is not None and ends.positive.thickness_nm is None:
        found = [*found, float(potential.x_nm[-1])]
    return found


def _extended(cell: Cell, potential: PotentialMap) -> _Model:
    """Return a map that goes on beyond its ends in collectors whose thickness is not given."""
    x, cpd = potential.x_nm, potential.cpd_V
    surface = np.concatenate([one.work_function_eV for one in potential.diagrams], axis=-1)
    level = np.concatenate([one.fermi_level_eV for one in potential.diagrams], axis=-1)
    collectors = cell.collectors
    if collectors is not None:
        for side, at_start in (("negative", True), ("positive", False)):
            collector = getattr(collectors, side)
            if collector.thickness_nm is not None:
                continue
            own = np.asarray(potential.collectors_V[side] - potential.base_V)[..., None]
            fermi = level[..., :1] if at_start else level[..., -1:]
            # CPD = −Phi − E_F on the map's own zero
            zero = np.asarray(potential.base_V)[..., None]
            columns = (own, -(own + zero) - fermi, fermi)
            place = x[:1] if at_start else x[-1:]
            rows = []
            for values, column in zip((cpd, surface, level), columns, strict=True):
                wide = np.broadcast_to(column, (*values.shape[:-1], 1))
                rows.append(np.concatenate([wide, values] if at_start else [values, wide], axis=-1))
            cpd, surface, level = rows
            x = np.concatenate([place, x] if at_start else [x, place])
    return _Model(x, cpd, surface, level)


def _shown(model: _Model, x_nm: Array, resolution_nm: float) -> Array:
    """Return the map (..., M) that a probe shows at positions (M,)."""
    return np.asarray(model.cpd_V @ resolution_weights(x_nm, model.x_nm, resolution_nm).T)


def _drawn_nm(
    model_nm: Array, measured_nm: Array, contacts_nm: Sequence[float], resolution_nm: float
) -> Array:
    """Return ascending positions whose polyline is what the probe shows.

    The model's own points are dense where it varies. What the probe makes of its steps varies over
    the resolution around them; without a probe, a step has a position on either side.
    """
    places = [*model_nm, *measured_nm]
    around = np.array([0.0, _BESIDE_NM])
    if resolution_nm > 0.0:
        reach = _DRAWN_RESOLUTIONS * resolution_nm
        around = np.linspace(-reach, reach, _DRAWN_AT_CONTACT)
    even = np.linspace(min(places), max(places), _DRAWN)
    every = np.concatenate([model_nm, measured_nm, even, *(x + around for x in contacts_nm)])
    return np.unique(np.clip(every, min(places), max(places)))


@dataclass(frozen=True)
class _Fit:
    shift_nm: float
    offset_V: float
    rms_V: float
    inside: Any
    x_nm: Array
    cpd_V: Array
    weights: Array


def _fit(
    cell: Cell, potential: PotentialMap, measured: MeasuredMap, resolution_nm: float, bound: float
) -> _Fit:
    """Return the shift and the offset with the lowest weighted square of the misfit."""
    from scipy.optimize import minimize_scalar

    model = _extended(cell, potential)
    # a collector without a thickness goes on; beyond other ends nothing is known
    ends = cell.collectors
    first_nm, last_nm = float(model.x_nm[0]), float(model.x_nm[-1])
    if ends is not None:
        first_nm = -np.inf if ends.negative.thickness_nm is None else first_nm
        last_nm = np.inf if ends.positive.thickness_nm is None else last_nm
    sigma = _own_V(measured)
    weight = np.ones_like(measured.x_nm) if sigma is None else 1.0 / sigma**2
    everywhere = np.linspace(
        np.min(measured.x_nm) - bound, np.max(measured.x_nm) + bound, _PLACES_OF_SCAN
    )
    coarse = resolution_weights(everywhere, model.x_nm, resolution_nm) @ model.cpd_V

    def at(shift: float, *, exact: bool = True) -> _Fit:
        x = measured.x_nm + shift
        inside = np.isfinite(measured.cpd_V) & (x >= first_nm) & (x <= last_nm)
        if np.count_nonzero(inside) < 2:
            raise InputError(
                "fewer than two points lie within the cell",
                where=measured.source,
                fix="count positions from the left edge of the first layer, or name the "
                "cell's collectors",
            )
        weights = np.zeros((0, 0))
        if exact:
            weights = resolution_weights(x[inside], model.x_nm, resolution_nm)
            shown = weights @ model.cpd_V
        else:
            shown = np.interp(x[inside], everywhere, coarse)
        apart = shown - measured.cpd_V[inside]
        own = weight[inside] / np.sum(weight[inside])
        offset = float(np.clip(np.sum(own * apart), -LARGEST_OFFSET_V, LARGEST_OFFSET_V))
        rms = float(np.sqrt(np.sum(own * (apart - offset) ** 2)))
        return _Fit(shift, offset, rms, inside, x[inside], measured.cpd_V[inside] + offset, weights)

    if bound <= 0.0:
        return at(0.0)
    shifts = np.linspace(-bound, bound, _SHIFTS)
    misfits = [at(float(shift), exact=False).rms_V for shift in shifts]
    # of shifts that fit alike, the smallest
    lowest = min(misfits)
    near = [index for index, one in enumerate(misfits) if one <= lowest * (1 + 1e-6) + 1e-12]
    first = min(near, key=lambda index: abs(shifts[index]))
    step = shifts[1] - shifts[0]
    found = minimize_scalar(
        lambda shift: at(float(shift)).rms_V,
        bounds=(max(shifts[first] - step, -bound), min(shifts[first] + step, bound)),
        method="bounded",
        options={"xatol": 1e-4 * bound},
    )
    refined, unrefined = at(float(found.x)), at(float(shifts[first]))
    return refined if refined.rms_V < unrefined.rms_V else unrefined


def _own_V(measured: MeasuredMap) -> Array | None:
    """Return the map's own uncertainty: where a point has none, the largest; no point is exact."""
    sigma = measured.uncertainty_V
    if sigma is None or not np.any(np.isfinite(sigma)):
        return None
    filled = np.where(np.isfinite(sigma), sigma, np.nanmax(sigma))
    return np.maximum(filled, _LEAST_OWN_V)


def _noise_V(rms_V: float, own: Array | None, x_nm: Array, resolution_nm: float) -> Array:
    """Return the standard deviation of each point, for the update.

    The map's own where it has one, but never less than the misfit: what the model cannot follow is
    no information. Points closer than the probe resolves count once.
    """
    noise = np.full(x_nm.shape, max(rms_V, _LEAST_NOISE_V))
    if own is not None:
        noise = np.maximum(noise, own)
    resolved = max(1.0, float(np.ptp(x_nm)) / resolution_nm) if resolution_nm > 0.0 else x_nm.size
    return np.asarray(noise * np.sqrt(max(1.0, x_nm.size / resolved)))


def _learned(
    cell: Cell,
    materials: list[Insulator | Metal],
    nominal: SolvedState,
    maps: Sequence[PotentialMap],
    index: int,
    fit: _Fit,
    resolution_nm: float,
    own_V: Array | None,
    drawn_nm: Array,
) -> tuple[list[dict[str, Any]], list[str], Array, Array | None]:
    """Return numbers of records before and after the map, and pairs that it cannot tell apart.

    Then follow the noise (M,) that was counted, which is that of the map, or what the updated model
    cannot follow, whichever is more; and what the probe shows of the updated model at positions
    (D,), None if nothing is learned.
    """
    noise = _noise_V(fit.rms_V, own_V, fit.x_nm, resolution_nm)
    around = cell.collectors is not None and cell.collectors.negative.thickness_nm is not None
    places = [
        band_places([one.diagrams[layer + around].x_nm for one in maps], _PLACES)
        for layer in range(len(materials))
    ]

    def sampled_model(field_samples: FieldSamples) -> _Model:
        """Return the map of samples (S, P)."""
        sampled = solve_state(
            cell, materials, index, field_samples=field_samples, thick=nominal.thick
        )
        at = SampledPoints(places, cell_curves(sampled.contacts))
        return _extended(cell, potential_map(cell, sampled, at, field_samples))

    def shown(field_samples: FieldSamples) -> Array:
        """Return what the probe shows of samples (S, M)."""
        return _shown(sampled_model(field_samples), fit.x_nm, resolution_nm)

    recorded = RecordedFieldSamples(_OTHERS)
    try:
        shown(recorded)
        keys = [key for key in recorded.asked if key[1].endswith(_TOLD)]
        design = np.zeros((2 * len(keys) + 1 + _OTHERS, len(keys)))
        for place in range(len(keys)):
            design[2 * place : 2 * place + 2, place] = (1.0, -1.0)
        chosen = _ChosenSamples(len(design), keys=tuple(keys), design=design)
        many = shown(chosen)
    except InputError:
        # the map is fitted all the same
        return [], [], noise, None
    count = 2 * len(keys)
    if not keys or not np.all(np.isfinite(many[: count + 1])):
        return [], [], noise, None
    by_name = {each.name: each for each in [*materials, reference_metal(materials)]}
    # what all other numbers leave open adds to the noise
    rest = np.nan_to_num(np.nanvar(many[count + 1 :] - many[count], axis=0))
    for _ in range(_UPDATES):
        # the offset is free: constants are no information
        weight = 1.0 / noise**2
        weight = weight / weight.sum()
        y = many[: count + 1] - (many[: count + 1] @ weight)[:, None]
        observed = fit.cpd_V - fit.cpd_V @ weight
        slopes = (y[0:count:2] - y[1:count:2]) / 2.0
        known = slopes / (noise**2 + rest)
        covariance = np.linalg.inv(np.eye(len(keys)) + known @ slopes.T)
        mean = covariance @ known @ (observed - y[count])
        left = observed - y[count] - mean @ slopes
        noise = _noise_V(float(np.sqrt(weight @ left**2)), own_V, fit.x_nm, resolution_nm)
    deviation = np.sqrt(np.diag(covariance))
    alone = _remaining_alone(known @ slopes.T)
    found: list[dict[str, Any]] = []
    for place, (name, drawn) in enumerate(keys):
        quantity = _quantity(cell, by_name.get(name), name, drawn)
        if quantity is None:
            continue
        value, spread = quantity
        found.append(
            {
                "material": name,
                "field": field_path(drawn, by_name.get(name)),
                "value": value,
                "uncertainty": spread,
                "updated_value": value + spread * float(mean[place]),
                "updated_uncertainty": spread * float(deviation[place]),
                "learned": max(1.0 - float(deviation[place]), 0.0),
                "remaining_alone": float(alone[place]),
            }
        )
    together = _together(keys, covariance / np.outer(deviation, deviation))
    updated = None
    if any(one["learned"] >= LEAST_LEARNED for one in found):
        # solved anew: the map is linear in most numbers, not in all
        model = sampled_model(_ChosenSamples(1, keys=tuple(keys), design=mean[None, :], drawn=0))
        offset = weight @ (fit.cpd_V - _shown(model, fit.x_nm, resolution_nm)[0])
        curve = _shown(model, drawn_nm, resolution_nm)[0] + offset
        updated = curve if np.all(np.isfinite(curve)) else None
    return sorted(found, key=lambda each: -each["learned"]), together, noise, updated


def _remaining_alone(information: Array) -> Array:
    """Return the deviation (K,) of each standard normal number if the others were unknown.

    Parameters
    ----------
    information : array (K, K)
        Contribution of the map to the inverse of the covariance.
    """
    count = len(information)
    found = np.ones(count)
    for place in range(count):
        prior = np.full(count, _UNKNOWN**-2)
        prior[place] = 1.0
        found[place] = np.sqrt(np.linalg.inv(information + np.diag(prior))[place, place])
    return found


def _together(keys: Sequence[tuple[str, str]], correlation: Array) -> list[str]:
    """Return groups of numbers whose combinations alone are determined, each in words."""
    from scipy.sparse.csgraph import connected_components

    count, group = connected_components(np.abs(correlation) > _TOGETHER, directed=False)
    groups = [
        [key for key, label in zip(keys, group, strict=True) if label == one]
        for one in range(count)
    ]
    return [
        "; ".join(
            f"{field} of {', '.join(name for name, other in members if other == field)}"
            for field in dict.fromkeys(field for _, field in members)
        )
        for members in groups
        if len(members) > 1
    ]


def _quantity(
    cell: Cell, material: Insulator | Metal | None, name: str, drawn: str
) -> tuple[float, float] | None:
    """Return value and uncertainty of a field that was drawn."""
    if material is None:
        ends = cell.collectors
        for collector in () if ends is None else (ends.negative, ends.positive):
            if name == f"collector {collector.material}":
                own = collector.work_function_eV
                return own.value, own.uncertainty or 0.0
        return None
    if isinstance(material, Metal):
        # one draw shifts the whole curve: the mean of what it moves
        found = [
            quantity
            for path, quantity in quantities(material)
            if path.startswith("states[") and path.endswith(f".{drawn}")
        ]
        if not found:
            return None
        values = [one.value for one in found]
        return float(np.mean(values)), float(np.mean([one.uncertainty or 0.0 for one in found]))
    for path, quantity in quantities(material):
        if path == drawn and quantity.uncertainty:
            return quantity.value, quantity.uncertainty
    return None


def updated_records(
    result: KpfmResult, materials: Sequence[Insulator | Metal], *, least: float = LEAST_LEARNED
) -> list[Insulator | Metal]:
    """Return the records that a map told something of, as new versions.

    The value, its uncertainty and where they are from change, and the provenance names the record
    before; of an electrode, the whole curve moves. What was assumed stays so unless the map alone
    determines it (see `updated_quantity`).

    Parameters
    ----------
    result : KpfmResult
        Result of `fit_map`.
    materials : sequence of Insulator or Metal
        The records that were used.
    least : float
        Least share that must be learned of a number.
    """
    source = f"{Path(result.map).name}, sha256 {result.map_hash[:12]}, cell {result.cell}"
    changed = []
    for material in {one.name: one for one in materials}.values():
        told = [
            one for one in result.learned if one.material == material.name and one.learned >= least
        ]
        if not told:
            continue
        document = material_document(material)
        for one in told:
            if one.field.startswith("states."):
                name = one.field.removeprefix("states.")
                moved = (one.updated_value - one.value) / one.uncertainty if one.uncertainty else 0
                # a map shows one state of charge: that the others follow is an assumption
                share = one.remaining_alone if len(document["states"]) == 1 else 1.0
                for state in document["states"]:
                    before = _as_quantity(state[name])
                    spread = before.get("uncertainty") or 0.0
                    state[name] = updated_quantity(
                        before,
                        before["value"] + moved * spread,
                        spread * (1.0 - one.learned),
                        share=share,
                        source=source,
                        method=METHOD,
                    )
            else:
                document[one.field] = updated_quantity(
                    document[one.field],
                    one.updated_value,
                    one.updated_uncertainty,
                    share=one.remaining_alone,
                    source=source,
                    method=METHOD,
                )
        document["provenance"] = {
            **document.get("provenance", {}),
            "updated_from": {"record": material_hash(material), "map": result.map_hash},
        }
        changed.append(material_from(document, where=f"the updated record {material.name}"))
    return changed


def _as_quantity(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {"value": value}
