"""Measured impedance spectra of a cell: tested, laid beside the prediction, and fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.device_models.spectra import KramersKronig, kramers_kronig, relaxation_times
from interohm.errors import InputError
from interohm.prediction.contact_barrier import with_known_interfaces
from interohm.prediction.impedance import at_conditions, process_fields
from interohm.prediction.impedance_fit import (
    CHECK_SAMPLES,
    SMALLEST_NOISE,
    CellModel,
    RecordFit,
    UsedSpectrum,
    fit_records,
)
from interohm.prediction.solved_cell import check_cell
from interohm.records import Insulator, Metal, material_hash
from interohm.records.cell_config import Cell
from interohm.results.measured_impedance import MeasuredImpedanceResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array
    from interohm.measured_spectra import MeasuredSpectrum
    from interohm.records.interface import Interface

#: Loadings below this part of the largest are not named.
_WORTH_NAMING = 0.1
#: With fewer effective samples the normal posterior is not checked.
_FEWEST_EFFECTIVE = 30


@dataclass(frozen=True)
class Measurement:
    """A measured spectrum and the conditions it was measured at.

    Parameters
    ----------
    spectrum : MeasuredSpectrum
    temperature_K : float, optional
        Temperature; default: that of the cell.
    state_of_charge : float, optional
        State of charge; may be omitted if the cell has only one.
    """

    spectrum: MeasuredSpectrum
    temperature_K: float | None = None
    state_of_charge: float | None = None


@dataclass(frozen=True)
class MeasuredCell:
    """The result, and what new records are made of.

    Attributes
    ----------
    result : MeasuredImpedanceResult
    used : list of UsedSpectrum
    fit : RecordFit, optional
        None where nothing was to be fitted.
    """

    result: MeasuredImpedanceResult
    used: list[UsedSpectrum]
    fit: RecordFit | None


def measured_impedance(
    cell: Cell,
    materials: list[Insulator | Metal],
    measurements: Sequence[Measurement],
    *,
    fit: Sequence[str] = (),
    interfaces: Sequence[Interface] = (),
    where: str = "cell",
    samples: int = CHECK_SAMPLES,
    progress: Callable[[int], None] | None = None,
) -> MeasuredCell:
    """Test measured spectra, lay the prediction beside them, and fit the records to them.

    Parameters
    ----------
    cell : Cell
        The description.
    materials : list of Insulator or Metal
        The record of each of its layers.
    measurements : sequence of Measurement
        Fitted together.
    fit : sequence of str
        Which numbers are to be learned (see `interohm.prediction.impedance_fit.chosen`).
    interfaces : sequence of Interface
        Interfaces of the user's database, which take precedence over the shipped ones.
    where : str
        Place to name in errors: the cell's file.
    samples : int
        That check the fit.
    progress : callable, optional
        Told how many of the spectra are tested and predicted; at last, that the fit is done.

    Raises
    ------
    InputError
        The layers make no cell, the state of charge is not given, fewer than half of a spectrum's
        points can be used, or a name to be fitted is unknown.
    """
    check_cell(cell, materials, where=where)
    cell = with_known_interfaces(cell, materials, interfaces)
    told = progress or (lambda done: None)
    used, tests, documents = [], [], []
    for place, one in enumerate(measurements):
        described = _at(cell, one, where)
        test = kramers_kronig(one.spectrum.frequency_Hz, one.spectrum.z_ohm_cm2)
        counts = _usable(one.spectrum, test)
        if fit and 2 * int(counts.sum()) < len(counts):
            raise InputError(
                f"{int((~counts).sum())} of {len(counts)} points violate the Kramers–Kronig "
                "relations: the sample or the instrument changed while it was measured",
                where=one.spectrum.source,
                fix="measure again, or leave out --fit to look at the residuals",
            )
        noise = max(test.noise, SMALLEST_NOISE)
        used.append(UsedSpectrum(one.spectrum, described, counts, noise))
        tests.append(test)
        documents.append(_points(used[-1], test, materials))
        told(place + 1)
    found = fit_records(used, materials, fit, samples=samples) if fit else None
    if found is not None:
        for document, spectrum in zip(documents, used, strict=True):
            z, processes = CellModel(spectrum, materials).at(
                found.fit.mean, found.keys, spectrum.spectrum.frequency_Hz
            )
            document |= {
                "fitted_real_ohm_cm2": z.real.tolist(),
                "fitted_imag_ohm_cm2": z.imag.tolist(),
                "processes": [process_fields(one) for one in processes],
            }
        told(len(measurements) + 1)
    result = MeasuredImpedanceResult.model_validate(
        {
            "cell": cell.name,
            "records": {each.name: material_hash(each) for each in materials},
            "spectra": documents,
            "fit": None if found is None else _fit(found),
            "remarks": [] if found is None else _remarks(found),
        }
    )
    return MeasuredCell(result, used, found)


def _at(cell: Cell, one: Measurement, where: str) -> Cell:
    if one.state_of_charge is None and len(cell.states_of_charge) > 1:
        raise InputError(
            f"the cell has {len(cell.states_of_charge)} states of charge; it is not known at "
            f"which of them {one.spectrum.source} was measured",
            where=where,
            fix="give --soc (in Python state_of_charge)",
        )
    return at_conditions(cell, one.state_of_charge, one.temperature_K)


def _usable(spectrum: MeasuredSpectrum, test: KramersKronig) -> NDArray[np.bool_]:
    """Points that obey the relations, and are not those of the leads' inductance."""
    size = abs(spectrum.z_ohm_cm2)
    return np.asarray(test.usable & (spectrum.z_ohm_cm2.imag < 3 * test.noise * size))


def _points(
    one: UsedSpectrum, test: KramersKronig, materials: list[Insulator | Metal]
) -> dict[str, Any]:
    spectrum = one.spectrum
    z, processes = CellModel(one, materials).at(np.zeros(0), [], spectrum.frequency_Hz)
    predicted = [
        [float(value) if np.isfinite(value) else None for value in part]
        for part in (z.real, z.imag)
    ]
    return {
        "source": spectrum.source,
        "sha256": spectrum.sha256,
        "area_cm2": spectrum.area_cm2,
        "temperature_K": one.cell.temperature_K,
        "state_of_charge": one.cell.states_of_charge[0],
        "frequency_Hz": spectrum.frequency_Hz.tolist(),
        "z_real_ohm_cm2": spectrum.z_ohm_cm2.real.tolist(),
        "z_imag_ohm_cm2": spectrum.z_ohm_cm2.imag.tolist(),
        "usable": one.usable.tolist(),
        "residual_real": test.residual.real.tolist(),
        "residual_imag": test.residual.imag.tolist(),
        "elements": test.elements,
        "noise": test.noise,
        "verdict": _verdict(spectrum, test, one.usable),
        "predicted_real_ohm_cm2": predicted[0],
        "predicted_imag_ohm_cm2": predicted[1],
        "processes": [process_fields(each) for each in processes],
        "relaxation_times": _distribution(one, test),
        "remarks": list(spectrum.remarks),
    }


def _distribution(one: UsedSpectrum, test: KramersKronig) -> dict[str, Any] | None:
    usable = one.usable
    if 2 * int(usable.sum()) < len(usable):
        return None
    found = relaxation_times(
        one.spectrum.frequency_Hz[usable],
        one.spectrum.z_ohm_cm2[usable],
        noise=one.noise,
        series_capacitor=test.series_capacitor,
    )
    return {
        "time_constant_s": found.time_constant_s.tolist(),
        "gamma_p05_ohm_cm2": found.gamma[0].tolist(),
        "gamma_p50_ohm_cm2": found.gamma[1].tolist(),
        "gamma_p95_ohm_cm2": found.gamma[2].tolist(),
        "high_frequency_resistance_ohm_cm2": _quantiles(found.high_frequency_resistance),
        "polarization_resistance_ohm_cm2": _quantiles(found.polarization_resistance),
        "peaks": [
            {
                "time_constant_s": peak.time_constant_s,
                "resistance_ohm_cm2": _quantiles(peak.resistance),
            }
            for peak in found.peaks
        ],
    }


def _quantiles(values: Array) -> dict[str, float]:
    return dict(zip(("p05", "p50", "p95"), values.tolist(), strict=True))


def _verdict(spectrum: MeasuredSpectrum, test: KramersKronig, usable: NDArray[np.bool_]) -> str:
    noise = f"the noise is {100 * test.noise:.2g} % of |Z|"
    bad = spectrum.frequency_Hz[~test.usable]
    parts = []
    if len(bad):
        parts.append(
            f"{len(bad)} of {len(usable)} points violate the Kramers–Kronig relations "
            f"({_ranges(bad)}) and are left out"
        )
    inductive = int(np.count_nonzero(test.usable & ~usable))
    if inductive:
        parts.append(f"{inductive} points show the inductance of the leads and are left out")
    if not parts:
        parts.append("all points obey the Kramers–Kronig relations")
    return "; ".join([*parts, noise])


def _ranges(frequency_Hz: NDArray[np.float64]) -> str:
    low, high = float(frequency_Hz.min()), float(frequency_Hz.max())
    if len(frequency_Hz) <= 3:
        return ", ".join(f"{one:.3g} Hz" for one in frequency_Hz)
    return f"between {low:.3g} and {high:.3g} Hz"


def _fit(found: RecordFit) -> dict[str, Any]:
    def known(value: float) -> float | None:
        return value if np.isfinite(value) else None

    names = [one.name for one in found.updates]
    undetermined = []
    for one in found.fit.undetermined:
        largest = float(abs(one.loadings).max())
        loadings = {
            name: round(float(loading), 3)
            for name, loading in zip(names, one.loadings, strict=True)
            if abs(loading) > _WORTH_NAMING * largest
        }
        undetermined.append({"variance_share": one.variance_share, "loadings": loadings})
    fields = [
        {
            "record": one.record,
            "field": one.field,
            "prior_value": known(one.prior_value),
            "prior_uncertainty": known(one.prior_uncertainty),
            "value": known(one.value),
            "uncertainty": known(one.uncertainty),
            "variance_share": one.variance_share,
            "learned": one.learned,
        }
        for one in (found.updates[place] for place in found.asked)
    ]
    return {
        "fields": fields,
        "undetermined": undetermined,
        "covariance": found.fit.covariance[np.ix_(found.asked, found.asked)].tolist(),
        "contact_barrier_eV": {name: list(pair) for name, pair in found.contact_barrier_eV.items()},
        "chi2_reduced": found.fit.chi2_reduced,
        "noise_factor": found.fit.noise_factor,
        "converged": found.fit.converged,
        "effective_samples": found.check.effective_samples,
        "samples": found.check.samples,
        "largest_shift": float(abs(found.check.shift).max()),
    }


def _remarks(found: RecordFit) -> list[str]:
    remarks = []
    if not found.fit.converged:
        remarks.append("the fit has not converged: its numbers are not the best ones")
    if found.fit.noise_factor > 1:
        remarks.append(
            f"the model does not describe the data (reduced chi² {found.fit.chi2_reduced:.3g}): "
            "the "
            f"noise is taken {found.fit.noise_factor:.2g} times larger, and uncertainties with it"
        )
    if found.check.effective_samples < _FEWEST_EFFECTIVE:
        remarks.append(
            "the normal posterior could not be checked: only "
            f"{found.check.effective_samples:.0f} of {found.check.samples} samples are effective, "
            "even after they were drawn again; take the uncertainties as orders of "
            "magnitude"
        )
    elif abs(found.check.shift).max() > 0.5:
        worst = found.updates[int(np.argmax(abs(found.check.shift)))]
        remarks.append(
            f"the posterior of {worst.name} is not normal: its samples' mean lies "
            f"{abs(found.check.shift).max():.1f} standard deviations off"
        )
    moved = [
        one
        for one, coordinate in zip(found.updates, found.fit.mean, strict=True)
        if abs(coordinate) > 3
    ]
    if moved:
        names = ", ".join(one.name for one in moved)
        remarks.append(
            f"more than three standard deviations from what the records say: {names}; the records' "
            "uncertainties are too small, or the model lacks a process"
        )
    return remarks
