"""Measured spectra beside the model of a cell: tested, fitted, and what records learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from interohm.errors import InputError
from interohm.measured_spectra import MeasuredSpectrum
from interohm.prediction.impedance_fit import (
    METHOD,
    CellModel,
    RecordFit,
    UsedSpectrum,
    chosen,
    updated_records,
)
from interohm.prediction.measured_impedance import MeasuredCell, Measurement, measured_impedance
from interohm.records import Insulator, Metal, material_document, material_from, material_hash
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material

FREQUENCY = np.logspace(1, 8, 36)
#: Numbers of LLZO that stay uncertain.
KEPT = ("value_S_cm", "activation_energy_eV", "dielectric_constant", "band_gap_eV")
NOISE = 0.003


def certain(value: Any, kept: tuple[str, ...], name: str = "") -> Any:
    """Return a record's document without uncertainties but those of some fields."""
    if isinstance(value, dict):
        return {
            key: certain(each, kept, key)
            for key, each in value.items()
            if key != "uncertainty" or name in kept
        }
    return [certain(each, kept, name) for each in value] if isinstance(value, list) else value


def record(name: str, kept: tuple[str, ...] = ()) -> Insulator | Metal:
    shipped = shipped_material(name)
    assert shipped is not None
    document = certain(material_document(shipped), kept)
    if isinstance(shipped, Insulator):
        document["others_slower_eV"] = 0.2
        document.pop("shared_errors", None)
    return material_from(document, where="test")


MATERIALS = [record("Li"), record("LLZO", KEPT), record("LiCoO2")]
#: Cold, so that a barrier of 0.65 eV makes a contact of the size of the layer.
CELL = Cell.model_validate(
    {
        "name": "garnet",
        "states_of_charge": [0.6],
        "temperature_K": 300,
        "layers": [
            {"material": "Li", "thickness_nm": 200},
            {"material": "LLZO", "thickness_nm": 20000},
            {"material": "LiCoO2", "thickness_nm": 300},
        ],
        "contacts": [
            {"barrier_eV": {"value": 0.62, "uncertainty": 0.03}},
            {"barrier_eV": {"value": 0.4}},
        ],
    }
)


def used(cell: Cell, z: np.ndarray[Any, Any] | None = None) -> UsedSpectrum:
    spectrum = MeasuredSpectrum(
        FREQUENCY, np.ones(len(FREQUENCY), complex) if z is None else z, 1.0, "s.csv", "0" * 64, ()
    )
    return UsedSpectrum(spectrum, cell, np.ones(len(FREQUENCY), bool), NOISE)


def synthetic(
    temperature_K: float, truth: dict[tuple[str, str], float], seed: int
) -> MeasuredSpectrum:
    """A spectrum of the cell with its numbers moved by so many standard deviations."""
    model = CellModel(used(CELL.model_copy(update={"temperature_K": temperature_K})), MATERIALS)
    place = np.array([[truth[key] for key in model.keys]])
    z = model.spectra(place, model.keys)[0][0]
    rng = np.random.default_rng(seed)
    z = z + NOISE * abs(z) * (rng.normal(size=z.shape) + 1j * rng.normal(size=z.shape))
    return MeasuredSpectrum(FREQUENCY, z, 0.5, f"{temperature_K:g}K.csv", "0" * 64, ())


KEYS = CellModel(used(CELL), MATERIALS).keys
TRUTH = dict(zip(KEYS, np.random.default_rng(5).standard_normal(len(KEYS)), strict=True))


@pytest.fixture(scope="module")
def single() -> MeasuredCell:
    return measured_impedance(
        CELL, MATERIALS, [Measurement(synthetic(300, TRUTH, 1))], fit=["all"], samples=200
    )


@pytest.fixture(scope="module")
def joint() -> MeasuredCell:
    return measured_impedance(
        CELL,
        MATERIALS,
        [
            Measurement(synthetic(kelvin, TRUTH, seed), temperature_K=kelvin)
            for seed, kelvin in enumerate((280.0, 330.0))
        ],
        fit=["conductivity.activation_energy_eV", "LLZO:dielectric_constant", "barrier_eV"],
        samples=200,
    )


def share(found: MeasuredCell, field: str) -> float:
    assert found.fit is not None
    return next(one.variance_share for one in found.fit.updates if one.field == field)


def test_the_uncertain_numbers_are_found() -> None:
    # the neutral potential of LLZO refers to the shipped lithium
    assert set(KEYS) == {
        ("Li", "work_function_eV"),
        ("LLZO", "conductivity.value_S_cm"),
        ("LLZO", "conductivity.activation_energy_eV"),
        ("LLZO", "dielectric_constant"),
        ("LLZO", "band_gap_eV"),
        ("Li | LLZO", "barrier_eV"),
    }


@pytest.mark.parametrize("which", ["single", "joint"])
def test_the_truth_is_within_what_is_left_open(which: str, request: pytest.FixtureRequest) -> None:
    found: MeasuredCell = request.getfixturevalue(which)
    fit = found.fit
    assert isinstance(fit, RecordFit)
    assert fit.fit.converged
    assert fit.fit.chi2_reduced == pytest.approx(1, abs=0.4)
    deviation = np.sqrt(np.diag(fit.fit.covariance))
    for place, key in enumerate(fit.keys):
        assert abs(fit.fit.mean[place] - TRUTH[key]) < 3.5 * deviation[place]
    assert fit.check.effective_samples > 20


def test_one_temperature_leaves_energies_open(single: MeasuredCell) -> None:
    assert share(single, "conductivity.activation_energy_eV") > 0.2
    assert share(single, "barrier_eV") > 0.2
    assert share(single, "conductivity.value_S_cm") < 0.01
    assert share(single, "dielectric_constant") < 0.01


def test_two_temperatures_tell_them(joint: MeasuredCell) -> None:
    assert share(joint, "conductivity.activation_energy_eV") < 0.05
    assert share(joint, "barrier_eV") < 0.05


def test_what_the_data_do_not_say_is_named(single: MeasuredCell) -> None:
    assert share(single, "band_gap_eV") > 0.99
    fit = single.result.fit
    assert fit is not None
    assert {one.field for one in fit.fields if not one.learned} >= {"band_gap_eV"}
    assert any(abs(one.loadings.get("LLZO:band_gap_eV", 0)) > 0.9 for one in fit.undetermined)
    assert single.fit is not None
    records, _, _ = updated_records(single.fit, single.used, MATERIALS)
    (llzo,) = (one for one in records if one.name == "LLZO")
    assert isinstance(llzo, Insulator)
    assert isinstance(MATERIALS[1], Insulator)
    assert llzo.band_gap_eV == MATERIALS[1].band_gap_eV


def test_values_follow_their_coordinates(single: MeasuredCell) -> None:
    assert single.fit is not None
    llzo = MATERIALS[1]
    assert isinstance(llzo, Insulator)
    place = single.fit.keys.index(("LLZO", "dielectric_constant"))
    update, coordinate = single.fit.updates[place], single.fit.fit.mean[place]
    prior = llzo.dielectric_constant
    assert prior.uncertainty is not None
    width = np.sqrt(np.log1p((prior.uncertainty / prior.value) ** 2))
    assert update.value == pytest.approx(prior.value * np.exp(width * coordinate))
    # a small uncertainty is a width of the logarithm
    deviation = np.sqrt(single.fit.fit.covariance[place, place])
    assert update.uncertainty == pytest.approx(update.value * width * deviation, rel=0.01)


def test_new_records(joint: MeasuredCell) -> None:
    assert joint.fit is not None
    records, interfaces, remarks = updated_records(joint.fit, joint.used, MATERIALS)
    assert remarks == []
    (llzo,) = records
    assert isinstance(llzo, Insulator)
    before = MATERIALS[1]
    assert isinstance(before, Insulator)
    assert llzo.dielectric_constant.method == METHOD
    assert "280K.csv" in (llzo.dielectric_constant.source or "")
    assert llzo.conductivity is not None
    assert before.conductivity is not None
    activation = llzo.conductivity.activation_energy_eV
    assert activation.method == METHOD
    assert (activation.uncertainty or 1) < 0.3 * (
        before.conductivity.activation_energy_eV.uncertainty or 0
    )
    # not asked for, and so not changed, though it was learned
    assert llzo.conductivity.value_S_cm == before.conductivity.value_S_cm
    assert llzo.band_gap_eV == before.band_gap_eV
    said = llzo.provenance["impedance_update"]
    assert said["prior_record"] == material_hash(before)
    assert len(said["covariance"]) == len(said["fields"]) == 3
    assert "standard normal coordinates" in said["covariance_of"]
    assert [one["temperature_K"] for one in said["spectra"]] == [280, 330]
    (interface,) = interfaces
    assert (interface.left, interface.right) == ("Li", "LLZO")
    assert interface.barrier_eV is not None
    truth = 0.62 + 0.03 * TRUTH["Li | LLZO", "barrier_eV"]
    assert abs(interface.barrier_eV.value - truth) < 4 * (interface.barrier_eV.uncertainty or 0)
    # the new record predicts what was measured
    again = material_from(material_document(llzo), where="test")
    assert again == llzo


def test_points_that_cannot_be_used(single: MeasuredCell) -> None:
    spectrum = synthetic(300, TRUTH, 1)
    z = spectrum.z_ohm_cm2.copy()
    z[10] *= 1.2
    wrong = MeasuredSpectrum(FREQUENCY, z, 0.5, "s.csv", "0" * 64, ())
    found = measured_impedance(CELL, MATERIALS, [Measurement(wrong)])
    (points,) = found.result.spectra
    assert [k for k, usable in enumerate(points.usable) if not usable] == [10]
    assert "1 of 36 points violate" in points.verdict
    assert found.fit is None
    assert points.relaxation_times is not None
    assert points.relaxation_times.peaks
    assert single.result.spectra[0].usable.count(False) == 0


def test_what_is_refused() -> None:
    spectrum = synthetic(300, TRUTH, 1)
    with pytest.raises(InputError, match=r"'bandgap' is not an uncertain number.*LLZO:band_gap_eV"):
        measured_impedance(CELL, MATERIALS, [Measurement(spectrum)], fit=["bandgap"])
    several = CELL.model_copy(update={"states_of_charge": [0.2, 0.6]})
    with pytest.raises(InputError, match="give --soc"):
        measured_impedance(several, MATERIALS, [Measurement(spectrum)])
    rng = np.random.default_rng(0)
    z = 10 ** rng.uniform(0, 3, len(FREQUENCY)) * (1 - 0.5j)
    noise = MeasuredSpectrum(FREQUENCY, z, 0.5, "noise.csv", "0" * 64, ())
    found = measured_impedance(CELL, MATERIALS, [Measurement(noise)])
    assert found.result.spectra[0].noise > 0.1 or "violate" in found.result.spectra[0].verdict


def test_names_of_fields() -> None:
    keys = [("A", "V_Li.migration_energy_eV"), ("A", "saturation"), ("B", "saturation")]
    assert chosen(keys, ["saturation"]) == [1, 2]
    assert chosen(keys, ["B:saturation", "migration_energy_eV", "B:saturation"]) == [2, 0]
    assert chosen(keys, ["all"]) == [0, 1, 2]
