"""Predictions beside what is measured: none falsified, intervals that mean something."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import halfnorm, norm

from interohm.device_models import HalfSpace, apparent_activation_energy_eV
from interohm.prediction.barrier_prior import (
    CalculatedExcess,
    MeasuredPair,
    calculated_excesses,
    fit_scale,
    measured_pairs,
)
from interohm.prediction.contact_barrier import EXCESS_BARRIER_SCALE_EV
from interohm.prediction.impedance import impedance_result
from interohm.prediction.sampling import FieldSamples
from interohm.prediction.validation import (
    RESISTANCE,
    ComparedRow,
    Validation,
    solve_experiment,
    spectrum_samples,
    validate,
)
from interohm.records import Metal, Quantity
from interohm.records.cell_config import Contact
from interohm.records.experiment import (
    EXPERIMENTS_FOLDER,
    Experiment,
    Measurement,
    shipped_experiments,
)
from interohm.records.shipped import shipped_interfaces

SAMPLES = 400
#: What was damaged, contaminated or badly joined: told, and never compared.
DEGRADED = ["lcmo-li3po4-5v-nakayama-2021", "lco-li3po4-water-kobayashi-2022"]
DEGRADED += ["lco-llzo-before-sastre-2020", "li-llczn-bare-han-2017", "li-llzo-bare-germanium"]


@pytest.fixture(scope="module")
def found() -> Validation:
    return validate(shipped_experiments(), samples=SAMPLES)


def experiment(name: str) -> Experiment:
    (one,) = [each for each in shipped_experiments() if each.name == name]
    return one


def test_nothing_is_falsified_and_most_values_are_inside(found: Validation) -> None:
    assert len(found.comparable) >= 13
    assert found.falsified == 0
    assert found.inside_fraction is not None
    assert found.inside_fraction >= 0.9
    # the two-sided ones alone, which a wide interval does not get for nothing
    both = [row for row in found.comparable if row.measurement.comparison == "two_sided"]
    assert len(both) >= 5
    assert sum(row.verdict == "inside" for row in both) >= 0.9 * len(both)


def test_no_interval_exceeds_nine_decades(found: Validation) -> None:
    """With as many samples as the program draws, as a twentieth of fewer scatters."""
    rows = [row for row in found.comparable if row.measurement.quantity == RESISTANCE]
    pairs = {row.pair: row.experiment for row in rows}
    assert len(pairs) >= 5
    for row in validate(list(pairs.values())).comparable:
        if row.measurement.quantity == RESISTANCE:
            assert row.p05 is not None
            assert row.p95 is not None
            assert math.log10(row.p95 / row.p05) <= 9, row.experiment.name


def test_every_experiment_says_where_it_was_read() -> None:
    files = {path.stem for path in EXPERIMENTS_FOLDER.glob("*.yaml")}
    assert files == {one.name for one in shipped_experiments()}
    assert set(DEGRADED) <= files
    for one in shipped_experiments():
        assert one.remarks
        if one.name in DEGRADED:
            assert {row.comparison for row in one.measured} == {"told"}


@pytest.mark.parametrize(
    ("value", "comparison", "verdict"),
    [
        (1e-12, "upper_bound", "falsified"),
        (1e-12, "two_sided", "falsified"),
        (1e12, "two_sided", "above"),
        (1e12, "upper_bound", "inside"),
        (1e-12, "told", "not comparable"),
    ],
)
def test_verdicts_of_a_resistance(value: float, comparison: str, verdict: str) -> None:
    measured = Measurement(quantity=RESISTANCE, value=value, comparison=comparison)
    one = experiment("li-llzo-sharafi-2017").model_copy(update={"measured": [measured]})
    (row,) = validate([one], samples=100).rows
    assert row.verdict == verdict


def test_a_barrier_that_is_too_high_is_falsified() -> None:
    """What the shipped records pass is not passed by every model."""
    high = Contact(barrier_eV=Quantity(value=0.9))
    one = experiment("lco-lipon-haruta-2015").model_copy(update={"contact": high})
    (row,) = validate([one], samples=100).rows
    assert row.verdict == "falsified"


def test_a_width_below_its_interval_is_below() -> None:
    measured = Measurement(quantity="thickness_nm", value=1e-3, comparison="two_sided")
    one = experiment("lco-llzo-model-de-klerk-2018").model_copy(update={"measured": [measured]})
    assert validate([one], samples=100).rows[0].verdict == "below"


def test_published_models_come_out(found: Validation) -> None:
    predicted = {(r.experiment.name, r.measurement.quantity): r.p50 for r in found.rows}

    def energy(name: str) -> float | None:
        return predicted[name, "activation_energy_eV"]

    assert energy("v2o5-lagp-no-space-charge-cheng-2020") == pytest.approx(0.315, abs=1e-3)
    # E_m + z·drop − kT
    assert energy("v2o5-lagp-space-charge-cheng-2020") == pytest.approx(0.515, abs=0.006)
    # a vanishing drop already adds some 1.5 kT; measured 0.42 eV
    assert energy("licgc-au-katzenmeier") == pytest.approx(0.42, abs=0.02)
    # sqrt(2·eps·drop/(e·c)) is the limit of low temperatures
    width = predicted["becker-steinberger-2021", "thickness_nm"]
    assert width == pytest.approx(27.8, rel=0.1)


@pytest.mark.parametrize("name", ["de-klerk-2018-llzo", "de-klerk-2018-latp"])
def test_a_published_model_has_a_narrow_layer_that_resists_where_it_is_empty(
    found: Validation, name: str
) -> None:
    """What de Klerk and Wagemaker say, with their parameters in place of the shipped records'."""
    width, resistance = (row for row in found.rows if row.experiment.name == name)
    assert width.p50 is not None
    assert 0.1 < width.p50 < 1.5
    assert resistance.p50 is not None
    assert resistance.p50 < 1e-2
    model = experiment(name)
    electrode, electrolyte = model.phases() or pytest.fail("no records")
    assert isinstance(electrode, Metal)
    (state,) = electrode.states
    # 0.8 V more empties one of the two sides
    higher = state.model_copy(update={"voltage_V": Quantity(value=state.voltage_V.value + 0.8)})
    emptied = electrode.model_copy(update={"states": [higher]})
    solved = solve_experiment(model, (emptied, electrolyte), FieldSamples(1))
    assert float(np.squeeze(solved.interface_resistance_ohm_cm2)) > 1e5


def test_a_comparison_needs_records_and_a_number() -> None:
    document = experiment("li-llzo-sharafi-2017").model_dump(mode="json")
    with pytest.raises(ValidationError, match="electrode or electrolyte is missing"):
        Experiment.model_validate({**document, "electrode": None})
    with pytest.raises(ValidationError, match="compares a number"):
        Measurement(quantity=RESISTANCE, comparison="two_sided")
    ratio = {"quantity": "interface_resistance_ratio", "value": 2, "comparison": "two_sided"}
    with pytest.raises(ValidationError, match="cannot be compared"):
        Experiment.model_validate({**document, "measured": [ratio]})


def test_samples_of_another_scale_are_those_of_the_model() -> None:
    """The fit moves ΔE_c by arithmetic; solving again gives the same samples."""
    one = experiment("lco-lipon-haruta-2015")
    (pair,) = measured_pairs([one], samples=50)
    phases = one.phases()
    assert phases is not None
    solved = solve_experiment(one, phases, FieldSamples(50), scale_eV=0.2)
    expected = np.log10(solved.interface_resistance_ohm_cm2)
    assert pair.log10_resistance(0.2) == pytest.approx(expected, abs=1e-9)


def test_the_fit_finds_the_scale_that_made_its_data() -> None:
    random = np.random.default_rng(3)
    excess = np.abs(random.standard_normal(400))
    kT = 0.0257
    truth = 0.1 * np.abs(random.standard_normal(300)) / kT / np.log(10) - 2.0
    pairs = [
        MeasuredPair(
            str(place),
            float(value + 0.3 * random.standard_normal()),
            False,
            np.full(400, 1e-2),
            np.zeros(400),
            excess,
            kT,
        )
        for place, value in enumerate(truth)
    ]
    fit = fit_scale(pairs)
    assert fit.scale_eV == pytest.approx(0.1, abs=0.015)
    assert fit.lowest_eV <= 0.1 <= fit.highest_eV
    # a uniform density knows less than the distribution that made the data
    assert fit.log_score > fit.uniform_log_score


def test_upper_limits_alone_ask_for_no_barrier() -> None:
    """They are the more likely the lower the prediction: such a table cannot set the scale."""
    pairs = [
        MeasuredPair("a", 1.0, True, np.full(9, 0.1), np.zeros(9), np.linspace(0, 2, 9), 0.0257)
    ] * 3
    assert fit_scale(pairs).scale_eV == 0.0


@pytest.mark.parametrize("excess", [-0.3, 0.0, 0.02, 0.4])
@pytest.mark.parametrize("scale", [0.0, 0.05, 0.3])
def test_a_calculated_excess_scores_as_its_integral(excess: float, scale: float) -> None:
    one = CalculatedExcess("a | b", excess, 0.1)
    if scale == 0.0:
        expected = norm.pdf(excess, 0.0, 0.1)
    else:
        true = np.linspace(0.0, 10.0 * scale, 20001)
        density = halfnorm.pdf(true, scale=scale) * norm.pdf(excess, true, 0.1)
        expected = np.trapezoid(density, true)
    assert float(one.log_score(scale)) == pytest.approx(np.log(expected), rel=1e-5)


def test_calculated_barriers_alone_give_the_scale_that_made_them() -> None:
    random = np.random.default_rng(4)
    true = 0.1 * np.abs(random.standard_normal(300))
    seen = true + 0.05 * random.standard_normal(300)
    calculated = [CalculatedExcess(str(place), value, 0.05) for place, value in enumerate(seen)]
    pairs = [MeasuredPair("a", 2.0, True, np.full(9, 0.1), np.zeros(9), np.ones(9), 0.0257)]
    fit = fit_scale(pairs, calculated)
    assert fit.scale_eV == pytest.approx(0.1, abs=0.015)
    assert fit.lowest_eV <= 0.1 <= fit.highest_eV


def test_an_interface_of_a_crystal_with_itself_widens_the_others() -> None:
    (known, *_) = [one for one in shipped_interfaces() if one.excess_barrier_eV is not None]
    excess = Quantity(value=0.2, uncertainty=0.03, source="here", method="assumed")
    update = {"left": "a", "right": "b", "excess_barrier_eV": excess}
    pair = known.model_copy(update=update)
    control = known.model_copy(
        update={
            **update,
            "right": "a",
            "excess_barrier_eV": excess.model_copy(update={"value": -0.04}),
        }
    )
    assert calculated_excesses([pair]) == [CalculatedExcess("a | b", 0.2, pytest.approx(0.03))]
    assert calculated_excesses([pair, control]) == [
        CalculatedExcess("a | b", 0.2, pytest.approx(0.05))
    ]


def test_the_shipped_scale_is_what_the_table_gives_and_beats_a_uniform_density() -> None:
    calculated = calculated_excesses(shipped_interfaces())
    fit = fit_scale(measured_pairs(shipped_experiments(), samples=SAMPLES), calculated)
    assert len(fit.held_out) >= 5
    assert fit.lowest_eV <= EXCESS_BARRIER_SCALE_EV <= fit.highest_eV
    assert fit.scale_eV == pytest.approx(EXCESS_BARRIER_SCALE_EV, abs=0.03)
    assert fit.log_score > fit.uniform_log_score
    # left out, each two-sided pair is likelier than by the range alone, too
    for one in fit.held_out:
        assert one.log_score > one.pair.uniform_log_score, one.pair.name


def rows_of(found: Validation, name: str) -> list[ComparedRow]:
    return [row for row in found.rows if row.experiment.name == name]


def test_electrons_that_pass_blocked_contacts_make_a_real_tail(found: Validation) -> None:
    """Of the bulk's 50 Ω·cm² at the plateau to a thousand times of it at low frequency."""
    (cell,) = {row.pair for row in rows_of(found, "lipon-metal-tail-liu")}
    assert cell == "metal-model | LiPON-model | metal-model"
    one = experiment("lipon-metal-tail-liu")
    plateau, tail = (spectrum_samples(one, each, 0) for each in one.measured)
    assert plateau is not None
    assert tail is not None
    assert plateau == pytest.approx(49.8, rel=0.01)
    assert tail[0] > 1000 * plateau[0]


def test_a_space_charge_has_its_own_activation_energy(found: Validation) -> None:
    bulk, space_charge = rows_of(found, "licgc-au-impedance-katzenmeier")
    assert bulk.p50 == pytest.approx(0.39, abs=0.002)
    # 0.42 was measured; as the drop vanishes the model has 1.5 kT more than the bulk
    assert space_charge.p50 == pytest.approx(0.42, abs=0.015)
    assert space_charge.verdict == "inside"
    assert space_charge.p05 is not None
    assert space_charge.p95 is not None
    # an interval of no more than kT to either side
    assert space_charge.p95 - space_charge.p05 < 0.05
    # as one contact of the cell by itself
    (contact,) = rows_of(found, "licgc-au-katzenmeier")
    assert space_charge.p50 == pytest.approx(contact.p50, abs=5e-3)


def test_a_width_that_goes_with_the_root_of_the_temperature_excludes_a_depletion() -> None:
    """The two statements of the source belong together: small drops have both, others neither."""
    one = experiment("licgc-au-katzenmeier")
    phases = one.phases()
    assert phases is not None
    gold, glass = phases
    assert isinstance(gold, Metal)
    kelvin = one.temperature_K * np.array([0.99, 1.0, 1.01])
    found = []
    for more_V in (0.0, -0.3):
        (state,) = gold.states
        work = Quantity(value=state.work_function_eV.value + more_V)
        moved = gold.model_copy(
            update={"states": (state.model_copy(update={"work_function_eV": work}),)}
        )
        solved = [
            solve_experiment(one, (moved, glass), FieldSamples(1), temperature_K=float(each))
            for each in kelvin
        ]
        sides = [each.sides["left"] for each in solved]
        widths = [float(np.ravel(each.x90_nm)[0]) for each in sides if isinstance(each, HalfSpace)]
        excess = np.array(
            [float(np.ravel(each.interface_resistance_ohm_cm2)[0]) for each in solved]
        )
        slope = np.log(widths[2] / widths[0]) / np.log(kelvin[2] / kelvin[0])
        found.append((slope, float(apparent_activation_energy_eV(excess, kelvin)[1]) - 0.39))
    small, depleted = found
    assert small[0] == pytest.approx(0.5, abs=0.05)
    assert small[1] == pytest.approx(0.03, abs=0.015)
    assert depleted[0] < 0.25
    assert depleted[1] > 0.15


def test_a_multilayers_resistance_is_the_sum_of_its_parts(found: Validation) -> None:
    one = experiment("peo-latp-multilayer-isaac")
    assert one.cell is not None
    (state,) = impedance_result(one.cell, one.layers(), samples=0).states
    parts = {
        name: sum(each.resistance_ohm_cm2 or 0.0 for each in state.processes if each.name == name)
        for name in ("bulk", "charge transfer", "space charge")
    }
    el, el_ct, whole = (float(spectrum_samples(one, each, 0)[0]) for each in one.measured)  # type: ignore[index]
    assert whole == pytest.approx(sum(parts.values()), rel=1e-3)
    assert state.dc_resistance_ohm_cm2 == pytest.approx(whole, rel=1e-3)
    # both carriers in parallel; in direct current the ions alone
    ceramic = sum(
        each.resistance_ohm_cm2 or 0.0
        for each in state.processes
        if (each.name, each.where) == ("bulk", "LATP-model")
    )
    assert ceramic < el < ceramic + 0.4 * (parts["bulk"] - ceramic)
    # what the polymer has less at high frequency is its diffusion resistance
    diffusion = parts["bulk"] - el
    transfer = 2 * max(
        each.resistance_ohm_cm2 or 0.0 for each in state.processes if each.name == "charge transfer"
    )
    assert el_ct - el == pytest.approx(transfer, rel=0.1)
    assert whole - el_ct == pytest.approx(diffusion, rel=0.1)
    assert state.circuit is not None
    assert all(np.isfinite(pole.resistance_ohm_cm2) for pole in state.circuit.poles)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"quantity": "z_real_ohm_cm2"}, "frequency_Hz belongs to z_real_ohm_cm2: give it"),
        ({"quantity": "thickness_nm", "process": "bulk"}, "leave it out"),
        ({"quantity": "process_activation_energy_eV"}, "process belongs to"),
    ],
)
def test_numbers_of_a_spectrum_say_where(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Measurement.model_validate(fields)


def test_numbers_of_a_spectrum_need_a_cell() -> None:
    document = experiment("lipon-metal-tail-liu").model_dump(exclude={"cell"})
    with pytest.raises(ValidationError, match="give cell, with one state of charge"):
        Experiment.model_validate(document)
