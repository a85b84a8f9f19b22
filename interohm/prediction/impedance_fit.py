"""Fit of the records to measured spectra: all uncertain numbers, from their priors.

The parameters are the standard normal coordinates that samples are drawn by (physics.md, section
8), so that their prior is normal with unit covariance, whatever a number's own distribution is. All
uncertain numbers of the records take part, those that nobody asked for as well: what they leave
open is part of the answer.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.device_models import impedance_gradient, solve_chain
from interohm.device_models.spectra import (
    UNDETERMINED_SHARE,
    GaussianFit,
    Observation,
    Reweighted,
    fit_gaussian,
    reweighted,
)
from interohm.errors import InputError
from interohm.prediction.contact_barrier import pair_name
from interohm.prediction.impedance_chain import CellChain, Process, cell_chain
from interohm.prediction.sampling import FieldSamples
from interohm.prediction.sensitivity import RecordedFieldSamples
from interohm.prediction.solved_cell import SolvedState, solve_state
from interohm.records import (
    Insulator,
    Metal,
    material_document,
    material_from,
    material_hash,
    save_material,
)
from interohm.records.cell_config import Contact
from interohm.records.interface import Interface, interface_from, save_interface
from interohm.records.uncertainty import updated_quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array
    from interohm.measured_spectra import MeasuredSpectrum
    from interohm.records.cell_config import Cell

    ComplexArray = NDArray[np.complex128]
    Key = tuple[str, str]

#: What the covariance in a record's provenance is of, as the record says it.
COVARIANCE_OF = (
    "the fields' standard normal coordinates, in their order: 1 is the variance before the fit"
)

#: Step of the standard normal coordinates for derivatives.
_STEP = 1e-3
#: Of what is a choice, not a number: the first one, which is the nominal.
_CHOICE, _FIRST = "carriers", -40.0
#: Standard deviation of an error of this kind; no instrument is better (relative to |Z|).
SMALLEST_NOISE = 1e-3
#: Samples that check a fit.
CHECK_SAMPLES = 300
METHOD = "updated from impedance"


@dataclass(frozen=True)
class UsedSpectrum:
    """A measured spectrum, the conditions it was measured at, and which of its points count.

    Parameters
    ----------
    spectrum : MeasuredSpectrum
    cell : Cell
        At its temperature and one state of charge, the contacts completed.
    usable : array of bool (points,)
    noise : float
        Standard deviation of each part, relative to |Z|.
    """

    spectrum: MeasuredSpectrum
    cell: Cell
    usable: NDArray[np.bool_]
    noise: float


@dataclass(frozen=True)
class FieldUpdate:
    """One number before and after.

    Attributes
    ----------
    record, field : str
        Record, or pair of phases, and what samples of the number are drawn by.
    prior_value, prior_uncertainty, value, uncertainty : float
        In the field's unit; medians of positive quantities, as records have them. NaN for the
        coordinates of a shared error.
    variance_share : float
        Posterior over prior variance of the coordinate.
    positive : bool
        Whether the logarithm is normal.
    """

    record: str
    field: str
    prior_value: float
    prior_uncertainty: float
    value: float
    uncertainty: float
    variance_share: float
    positive: bool

    @property
    def learned(self) -> bool:
        """Return whether the data determine it in part."""
        return self.variance_share <= UNDETERMINED_SHARE

    @property
    def name(self) -> str:
        """Record and field, as ``--fit`` takes them."""
        return f"{self.record}:{self.field}"


@dataclass(frozen=True)
class RecordFit:
    """A fit of the records' uncertain numbers.

    Attributes
    ----------
    keys : list of (str, str)
        Record and field of each coordinate.
    asked : list of int
        Which of them the user wants to learn.
    fit : GaussianFit
        Fit of the coordinates.
    check : Reweighted
    updates : list of FieldUpdate
        One for each coordinate.
    contact_barrier_eV : dict of str to (float, float)
        Value and uncertainty of the barrier of each contact, by the pair's name.
    """

    keys: list[Key]
    asked: list[int]
    fit: GaussianFit
    check: Reweighted
    updates: list[FieldUpdate]
    contact_barrier_eV: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class _At(FieldSamples):
    """Samples at given coordinates; those of other numbers are nominal."""

    places: dict[Key, Array] = field(default_factory=dict)

    def normal(self, record: str, field: str) -> Array:
        if field == _CHOICE:
            return np.full(self.samples, _FIRST)
        given = self.places.get((record, field))
        return np.zeros(self.samples) if given is None else given


@dataclass(frozen=True)
class _Seen(RecordedFieldSamples):
    """Samples that remember what each number is a function of."""

    quantities: dict[Key, tuple[bool, float, float]] = field(default_factory=dict)

    def value(self, record: str, field: str, quantity: Any) -> Array:
        self._see(record, field, quantity, False)
        return super().value(record, field, quantity)

    def positive(self, record: str, field: str, quantity: Any) -> Array:
        self._see(record, field, quantity, True)
        return super().positive(record, field, quantity)

    def _see(self, record: str, field: str, quantity: Any, positive: bool) -> None:
        known = (positive, float(quantity.value), float(quantity.uncertainty or 0.0))
        self.quantities.setdefault((record, field), known)


class CellModel:
    """The spectrum of a cell as a function of its records' coordinates.

    Parameters
    ----------
    used : UsedSpectrum
    materials : list of Insulator or Metal
        The record of each layer.
    """

    def __init__(self, used: UsedSpectrum, materials: list[Insulator | Metal]) -> None:
        self.cell, self.materials = used.cell, materials
        self.frequency_Hz = used.spectrum.frequency_Hz[used.usable]
        self.thick = solve_state(self.cell, materials, 0).thick
        seen = _Seen(1)
        state = solve_state(self.cell, materials, 0, field_samples=seen, thick=self.thick)
        cell_chain(self.cell, state, field_samples=seen)
        self.quantities = seen.quantities
        self.keys = [key for key in seen.asked if key[1] != _CHOICE]

    def observation(self, used: UsedSpectrum, keys: Sequence[Key]) -> Observation:
        """Return the measured points with this model of them."""
        z = used.spectrum.z_ohm_cm2[used.usable]

        def predict(place: Array) -> tuple[ComplexArray, ComplexArray]:
            count = len(keys)
            rows = np.tile(place, (1 + 2 * count, 1))
            rows[1 : 1 + count] += _STEP * np.eye(count)
            rows[1 + count :] -= _STEP * np.eye(count)
            try:
                _, solved = self._solved(rows, keys)
                found, slopes = impedance_gradient(solved.chain, _STEP, self.frequency_Hz)
            except (InputError, np.linalg.LinAlgError):
                nothing = np.full(len(z), np.nan + 0j)
                return nothing, np.tile(nothing[:, None], count)
            return np.asarray(found, dtype=complex), np.asarray(slopes, dtype=complex).T

        return Observation(predict, z, np.asarray(used.noise * abs(z), dtype=np.float64))

    def spectra(
        self, places: Array, keys: Sequence[Key], frequency_Hz: Array | None = None
    ) -> tuple[ComplexArray, SolvedState]:
        """Return the spectra (samples, F) at coordinates (samples, P), and the static states."""
        frequency = self.frequency_Hz if frequency_Hz is None else frequency_Hz
        state, found = self._solved(places, keys)
        return _impedance(found, frequency), state

    def at(
        self, place: Array, keys: Sequence[Key], frequency_Hz: Array
    ) -> tuple[ComplexArray, list[Process]]:
        """Return the spectrum (F,) at coordinates (P,), and the processes in it."""
        _, found = self._solved(place[None], keys)
        return _impedance(found, frequency_Hz)[0], found.processes

    def state(self, places: Array, keys: Sequence[Key]) -> SolvedState:
        """Return the static states at coordinates (samples, P)."""
        return self._state(_at(places, keys))

    def _solved(self, places: Array, keys: Sequence[Key]) -> tuple[SolvedState, CellChain]:
        at = _at(places, keys)
        state = self._state(at)
        return state, cell_chain(self.cell, state, field_samples=at)

    def _state(self, at: _At) -> SolvedState:
        return solve_state(self.cell, self.materials, 0, field_samples=at, thick=self.thick)


def _at(places: Array, keys: Sequence[Key]) -> _At:
    return _At(len(places), places=dict(zip(keys, places.T, strict=True)))


def _impedance(found: CellChain, frequency_Hz: Array) -> ComplexArray:
    ends = float(frequency_Hz.min()), float(frequency_Hz.max())
    return np.asarray(solve_chain(found.chain, *ends).impedance_ohm_cm2(frequency_Hz))


def chosen(keys: Sequence[Key], wanted: Sequence[str]) -> list[int]:
    """Return which coordinates ``--fit`` names.

    ``RECORD:FIELD``, a field of all records, or the end of a field's name (``migration_energy_eV``
    of all defects); ``all`` is everything.

    Raises
    ------
    InputError
        A name is not one of them; the message lists them.
    """
    found: list[int] = []
    for name in wanted:
        places = [
            place
            for place, (record, field) in enumerate(keys)
            if name in ("all", f"{record}:{field}", field) or field.endswith(f".{name}")
        ]
        if not places:
            known = ", ".join(f"{record}:{field}" for record, field in keys) or "none"
            raise InputError(
                f"{name!r} is not an uncertain number of the cell's records",
                where="--fit",
                fix=f"one of {known}; or a field's name alone, or all",
            )
        found += [place for place in places if place not in found]
    return found


def fit_records(
    used: Sequence[UsedSpectrum],
    materials: list[Insulator | Metal],
    wanted: Sequence[str],
    *,
    samples: int = CHECK_SAMPLES,
) -> RecordFit:
    """Fit the records' uncertain numbers to one or several spectra of a cell.

    Parameters
    ----------
    used : sequence of UsedSpectrum
        At different temperatures or states of charge, fitted together.
    materials : list of Insulator or Metal
        The record of each layer.
    wanted : sequence of str
        See `chosen`.
    samples : int
        That check the fit.

    Raises
    ------
    InputError
        A name is unknown, no number is uncertain, or the cell has no solution.
    """
    models = [CellModel(one, materials) for one in used]
    keys = list(dict.fromkeys(key for model in models for key in model.keys))
    if not keys:
        raise InputError(
            "no number of the cell's records has an uncertainty: nothing can be learned",
            where="--fit",
            fix="give the numbers to be fitted an uncertainty",
        )
    asked = chosen(keys, wanted)
    observations = [model.observation(one, keys) for model, one in zip(models, used, strict=True)]
    try:
        fit = fit_gaussian(observations, np.zeros(len(keys)), np.eye(len(keys)))
    except ValueError as error:
        raise InputError(
            str(error), where="--fit", fix="see what `interohm cell` reports"
        ) from None

    def predict_many(places: Array) -> list[ComplexArray]:
        return [model.spectra(places, keys)[0] for model in models]

    check = reweighted(fit, observations, predict_many=predict_many, samples=samples)
    barriers = {
        pair_name(one.left, one.right): (
            float(np.nanmean(one.contact_barrier_eV)),
            float(np.nanstd(one.contact_barrier_eV)),
        )
        for one in models[0].state(fit.samples(samples), keys).contacts
    }
    quantities = {key: known for model in models for key, known in model.quantities.items()}
    updates = [_update(key, quantities.get(key), fit, place) for place, key in enumerate(keys)]
    return RecordFit(keys, asked, fit, check, updates, barriers)


def _update(
    key: Key, quantity: tuple[bool, float, float] | None, fit: GaussianFit, place: int
) -> FieldUpdate:
    share = float(fit.variance_share[place])
    if quantity is None:
        return FieldUpdate(*key, np.nan, np.nan, np.nan, np.nan, share, False)
    positive, value, uncertainty = quantity
    found = _moved(value, uncertainty, float(fit.mean[place]), share, positive)
    return FieldUpdate(*key, value, uncertainty, *found, share, positive)


def _moved(
    value: float, uncertainty: float, coordinate: float, share: float, positive: bool
) -> tuple[float, float]:
    """Return value and uncertainty of a number after a measurement of its coordinate."""
    if not positive:
        return value + uncertainty * coordinate, uncertainty * float(np.sqrt(share))
    width = float(np.sqrt(np.log1p((uncertainty / value) ** 2)))
    after = value * float(np.exp(width * coordinate))
    return after, after * float(np.sqrt(np.expm1(width**2 * share)))


def updated_records(
    found: RecordFit, used: Sequence[UsedSpectrum], materials: Sequence[Insulator | Metal]
) -> tuple[list[Insulator | Metal], list[Interface], list[str]]:
    """Return new versions of the records of which something was learned.

    A number of which the data say nothing stays as it is, and one that was assumed stays so unless
    they determine it (see `updated_quantity`). The covariance of the coordinates (and that it is
    theirs), the files and the record before stand in the provenance.

    Returns
    -------
    records : list of Insulator or Metal
    interfaces : list of Interface
        With the barriers of contacts.
    remarks : list of str
        Learned numbers that no record can hold.
    """
    learned = [place for place in found.asked if found.updates[place].learned]
    source = "; ".join(f"{one.spectrum.source} (sha256 {one.spectrum.sha256[:16]})" for one in used)
    provenance = _provenance(found, learned, used)
    records: list[Insulator | Metal] = []
    remarks = []
    unique = {material.name: material for material in materials}
    for material in unique.values():
        document = copy.deepcopy(material_document(material))
        changed = False
        for place in learned:
            update = found.updates[place]
            if update.record != material.name:
                continue
            quantities = list(_quantities(document, update.field))
            for holder, name in quantities:
                coordinate = float(found.fit.mean[place])
                of_curve = holder in document.get("states", []) and len(document["states"]) > 1
                _write(holder, name, coordinate, update, source, of_curve=of_curve)
                changed = True
            if not quantities:
                remarks.append(
                    f"{update.name} was learned, and no field of the record holds it by itself"
                )
        if changed:
            before = {"prior_record": material_hash(material)}
            document.setdefault("provenance", {})
            document["provenance"]["impedance_update"] = {**before, **provenance}
            records.append(material_from(document, where=f"the new record of {material.name}"))
    interfaces = []
    pairs = {pair_name(left, right): (left, right) for left, right in itertools.pairwise(materials)}
    contacts = used[0].cell.contacts or [Contact()] * (len(materials) - 1)
    given = {
        pair_name(*both): one.barrier_eV
        for both, one in zip(itertools.pairwise(materials), contacts, strict=True)
    }
    for place in learned:
        update = found.updates[place]
        if update.record not in pairs:
            continue
        if update.field not in ("barrier_eV", "excess_barrier_eV"):
            remarks.append(f"{update.name} was learned; write it into the cell's contact")
            continue
        left, right = pairs[update.record]
        stated = given[update.record]
        # the barrier itself is a number of the fit; of an excess, the samples have the barrier
        value, uncertainty = (
            (update.value, update.uncertainty)
            if update.field == "barrier_eV"
            else found.contact_barrier_eV[update.record]
        )
        interfaces.append(
            interface_from(
                {
                    "name": f"{left.name}_{right.name}",
                    "left": left.name,
                    "right": right.name,
                    "mobile_ion": left.mobile_ion,
                    "barrier_eV": updated_quantity(
                        {} if stated is None else stated.model_dump(),
                        value,
                        uncertainty,
                        share=float(np.sqrt(update.variance_share)),
                        source=source,
                        method=METHOD,
                    ),
                    "provenance": {"impedance_update": provenance},
                },
                where=f"the new interface of {update.record}",
            )
        )
    return records, interfaces, remarks


def write_updated_records(
    folder: str | Path,
    found: RecordFit,
    used: Sequence[UsedSpectrum],
    materials: Sequence[Insulator | Metal],
) -> tuple[list[Path], list[str]]:
    """Write new versions of records (see `updated_records`); overwrite none.

    Returns
    -------
    files : list of Path
    remarks : list of str

    Raises
    ------
    InputError
        A file exists, or cannot be written.
    """
    records, interfaces, remarks = updated_records(found, used, materials)
    files = [Path(folder) / f"{one.name}.yaml" for one in (*records, *interfaces)]
    for path in files:
        if path.exists():
            raise InputError(
                "exists, and is not overwritten", where=str(path), fix="name another folder"
            )
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder cannot be created: {error.strerror}",
            where=str(folder),
            fix="name another folder",
        ) from None
    for path, material in zip(files, records, strict=False):
        save_material(material, path)
    for path, interface in zip(files[len(records) :], interfaces, strict=True):
        save_interface(interface, path)
    return files, remarks


def _provenance(
    found: RecordFit, learned: Sequence[int], used: Sequence[UsedSpectrum]
) -> dict[str, Any]:
    spectra = [
        {
            "file": one.spectrum.source,
            "sha256": one.spectrum.sha256,
            "area_cm2": one.spectrum.area_cm2,
            "temperature_K": one.cell.temperature_K,
            "state_of_charge": one.cell.states_of_charge[0],
            "points": int(one.usable.sum()),
            "noise": round(one.noise * found.fit.noise_factor, 6),
        }
        for one in used
    ]
    rows = np.asarray(learned, dtype=int)
    return {
        "method": METHOD,
        "spectra": spectra,
        "fields": [found.updates[place].name for place in learned],
        "covariance_of": COVARIANCE_OF,
        "covariance": np.round(found.fit.covariance[np.ix_(rows, rows)], 9).tolist(),
    }


def _quantities(document: dict[str, Any], field: str) -> list[tuple[dict[str, Any], str]]:
    """Return where a record's document has the number that samples draw as ``field``."""
    head, _, rest = field.rpartition(".")
    holders: list[dict[str, Any]] = []
    if not head:
        states = document.get("states", [])
        holders = [document, *(state for state in states if isinstance(state, dict))]
    elif isinstance(document.get(head), dict):
        holders = [document[head]]
    else:
        holders = [
            defect
            for defect in document.get("defects", [])
            if head == defect["name"]
            or (head == defect["sublattice"] and rest == "site_density_cm3")
        ]
    return [(holder, rest) for holder in holders if holder.get(rest) is not None]


def _write(
    holder: dict[str, Any],
    name: str,
    coordinate: float,
    update: FieldUpdate,
    source: str,
    *,
    of_curve: bool,
) -> None:
    """Move one quantity of a document as its coordinate has moved."""
    known = holder[name] if isinstance(holder[name], dict) else {"value": holder[name]}
    own = float(known.get("uncertainty") or 0.0)
    if own == 0.0:
        return
    tensor = known.get("tensor")
    before = float(known["value"] if "value" in known else np.trace(np.array(tensor)) / 3)
    # states of a curve share one draw, each with an uncertainty of its own
    value, uncertainty = _moved(before, own, coordinate, update.variance_share, update.positive)
    # spectra show few states of charge: that a whole curve follows is an assumption
    share = 1.0 if of_curve else float(np.sqrt(update.variance_share))
    holder[name] = updated_quantity(
        known,
        value,
        uncertainty,
        share=share,
        source=source,
        method=METHOD,
    )
