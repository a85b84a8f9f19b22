"""Panels of the cell report: temperature, current, potential maps, electrons, ranking."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from html import escape
from math import log10

import numpy as np
import plotly.graph_objects as go
import pytest
from report_pages import figures_of

from interohm.device_models import BOLTZMANN_EV_K
from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.prediction.kpfm import MeasuredMap
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.report import write_contact_report, write_report
from interohm.report.arrhenius import activation_table, arrhenius_figure, swept_parts
from interohm.report.budget import cell_parts, contact_parts, interface_part
from interohm.report.current import polarization_figure, polarization_table
from interohm.report.curve_points import with_nodes
from interohm.report.display_axis import display_axis, electrode
from interohm.report.electrons import electrons_table
from interohm.report.levels import cell_axis
from interohm.report.potential_map import decomposed_figure, delta_figure, measured_figure
from interohm.report.ranking import ranking_figure
from interohm.report.tables import contacts_table, fixed, interval, shown, states_table
from interohm.results.cell import CellResult, CellState
from interohm.results.sweeps import TemperatureSweep

ATTACK = "</script><img src=x onerror=alert(1)>"
LAYERS = [
    {"material": "Li", "thickness_nm": 200},
    {"material": "LLZO", "thickness_nm": 1000},
    {"material": "LiCoO2", "thickness_nm": 300},
]
CELL = Cell.model_validate(
    {
        "name": "panels",
        "states_of_charge": [0.0, 0.5, 1.0],
        "layers": LAYERS,
        "collectors": {
            "negative": {
                "material": "Cu",
                "work_function_eV": 4.65,
                "thickness_nm": 100.0,
                "ion_front_nm": [0.0, 20.0, 40.0],
            },
            "positive": {"material": ATTACK, "work_function_eV": 5.6},
        },
    }
)
MEASURED = MeasuredMap(np.linspace(5.0, 1495.0, 40), np.linspace(0.0, 1.0, 40), "map.csv")


@pytest.fixture(scope="module")
def materials():
    return [shipped_material(layer["material"]) for layer in LAYERS]


@pytest.fixture(scope="module")
def document(materials):
    return cell_document(CELL, materials, samples=200, measured=MEASURED)


@pytest.fixture(scope="module")
def states(document):
    return document["states"]


@pytest.fixture(scope="module")
def axis(document):
    return cell_axis(CellResult.read(document))


def written(path, document, materials, cell=CELL):
    write_report(path, cell, materials, document)
    html = path.read_text(encoding="utf-8")
    return html, figures_of(html)


def typed(states):
    return [CellState.read(state) for state in states]


def lines(frame):
    """The curves of a frame without the shades around them."""
    return [trace for trace in frame if "fill" not in trace]


def test_every_panel_stands_in_the_report(document, materials, tmp_path):
    html, figures = written(tmp_path / "cell.html", document, materials)
    assert {"delta", "measured", "arrhenius", "polarization", "ranking"} < set(figures)
    assert {"work-function", "fermi-level"} < set(figures)
    for name, figure in figures.items():
        assert f'data-figure="{name}"' in html
        assert len(figure["frames"]) == 3
        for frame in figure["frames"]:
            go.Figure(data=[*figure.get("always", []), *frame], layout=figure["layout"])
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", json.dumps(figures)))
    for name in used:
        assert html.count(f" {name}:") == 2, name
    assert "<img" not in html


def test_panels_without_numbers_are_left_out(document, materials, tmp_path):
    bare = deepcopy(document)
    for state in bare["states"]:
        state.update(temperature_sweep=None, measured_map=None, sensitivity=None)
        state["profile"]["delta_cpd_V"] = [None] * len(state["profile"]["x_nm"])
        currents = state["polarization"]
        nothing = [None] * len(currents["current_A_cm2"])
        currents["overpotential_V"] = nothing
        for contact in currents["contacts"]:
            contact.update(law=None, overpotential_V=nothing)
    html, figures = written(tmp_path / "cell.html", bare, materials)
    assert not {"delta", "measured", "arrhenius", "polarization", "ranking"} & set(figures)
    assert not {"work-function", "fermi-level"} & set(figures)
    for heading in ("Potential map", "Over the temperature", "At finite current", "Sources of the"):
        assert f"{heading}</h2>" not in html
        assert f"<h2>{heading}" not in html
    assert "<h2>Electrons</h2>" in html


def test_the_space_charge_of_every_contact_at_every_state(document, materials, tmp_path):
    html, figures = written(tmp_path / "cell.html", document, materials)
    assert "<h2>Space charge</h2>" in html
    # the electrolyte is right of the first contact and left of the second one
    for place, end in enumerate((0, -1)):
        drawn = figures[f"concentrations-{place + 1}"]
        flow = figures[f"conductivity-{place + 1}"]
        for number, state in enumerate(document["states"]):
            profile = state["contacts"][place]["profile"]
            columns = profile["concentrations_cm3"]
            curves = lines(drawn["frames"][number])
            assert [trace["name"] for trace in curves] == list(columns)
            plane = int(np.argmin(np.abs(profile["x_nm"])))
            for trace in curves:
                assert trace["y"][end] == pytest.approx(columns[trace["name"]][plane], rel=1e-3)
            (trace,) = lines(flow["frames"][number])
            assert trace["y"][end] == pytest.approx(profile["conductivity_S_cm"][plane], rel=1e-3)
    first, last = (frame[0]["y"] for frame in (drawn["frames"][0], drawn["frames"][-1]))
    assert first != last


def test_the_axis_holds_the_top_of_every_shade(document, materials, tmp_path):
    wide = deepcopy(document)
    for state in wide["states"]:
        band = state["contacts"][0]["quantiles"]["profile"]["right"]["conductivity_S_cm"]
        band["p95"] = [1e12 * value for value in band["p95"]]
        band["p05"] = [1e-12 * value for value in band["p05"]]
    html, figures = written(tmp_path / "cell.html", wide, materials)
    drawn = figures["conductivity-1"]
    shades = [
        value
        for frame in drawn["frames"]
        for trace in frame
        if "fill" in trace
        for value in trace["y"]
        if value
    ]
    bottom, top = drawn["layout"]["yaxis"]["range"]
    assert log10(max(shades)) < top
    # a lower end that is cut off is said
    assert log10(min(shades)) < bottom
    assert "continues below it" in html


def test_the_ions_potentials_are_those_of_the_document(document, materials, tmp_path):
    _, figures = written(tmp_path / "cell.html", document, materials)
    for state, frame in zip(document["states"], figures["ion"]["frames"], strict=True):
        electrochemical, chemical, electrostatic = lines(frame)
        level = [y for y in electrochemical["y"] if y is not None]
        assert level == pytest.approx([2.93] * len(level))
        # a collector has the potential alone
        assert electrochemical["x"][0] > electrostatic["x"][0]
        for trace, column in ((chemical, "mu_eV"), (electrostatic, "phi_V")):
            given = [value for value in state["profile"][column] if value is not None]
            drawn = [value for value in trace["y"] if value is not None]
            assert [min(drawn), max(drawn)] == pytest.approx([min(given), max(given)], abs=2e-3)


def test_a_document_without_the_ions_level_has_its_other_potentials(document, materials, tmp_path):
    earlier = deepcopy(document)
    for state in earlier["states"]:
        del state["profile"]["electrochemical_potential_eV"]
        del state["quantiles"]["profile"]
        for contact in state["contacts"]:
            del contact["profile"]["electrochemical_potential_eV"]
    _, figures = written(tmp_path / "cell.html", earlier, materials)
    electrochemical, *others = figures["ion"]["frames"][0]
    assert electrochemical["y"] == []
    assert all(trace["y"] for trace in others)


def test_a_contacts_ion_level_is_flat_across_both_phases(tmp_path):
    pair = [shipped_material("Li"), shipped_material("LLZO")]
    path = tmp_path / "contact.html"
    write_contact_report(path, pair, contact_document(*pair, samples=10))
    figures = figures_of(path.read_text(encoding="utf-8"))
    electrochemical, chemical, _ = lines(figures["ion"]["frames"][0])
    assert electrochemical["y"].count(None) == chemical["y"].count(None) == 1
    level = [y for y in electrochemical["y"] if y is not None]
    assert level == pytest.approx([2.93] * len(level))


def test_arrhenius_slopes_are_the_activation_energies_of_the_table(states):
    figure = arrhenius_figure(typed(states))
    (cell,) = [t for t in figure["frames"][1] if t["name"] == "cell (ASR)"]
    inverse = np.array(cell["x"]) / 1000
    slope = np.gradient(np.log(np.array(cell["y"]) * inverse), inverse)
    swept = states[1]["temperature_sweep"]["area_specific"]["activation_energy_eV"]
    middle = len(swept) // 2
    assert slope[middle] * BOLTZMANN_EV_K == pytest.approx(swept[middle], rel=1e-6)
    table = activation_table(typed(states), 300.0)
    assert fixed(swept[middle], 3) in table
    # every number has the decimals of its column
    numbers = re.findall(r'class="number">(.*?)</td>', table)
    assert {len(digits) for one in numbers for digits in re.findall(r"\.(\d+)", one)} == {3}
    for part in swept_parts(TemperatureSweep.read(states[1]["temperature_sweep"])):
        assert f"<td>{escape(part.label)}</td>" in table
    flat = [t for t in lines(figure["frames"][1]) if "without space charge" in t["name"]]
    assert flat
    assert all(trace["line"]["dash"] == "dot" for trace in flat)


def test_the_cells_interval_lies_around_its_line(materials):
    # so long that all samples' space charges fit in, also at the lowest temperature
    layers = [
        layer.model_copy(update={"thickness_nm": 5e4}) if layer.material == "LLZO" else layer
        for layer in CELL.layers
    ]
    cell = CELL.model_copy(update={"layers": layers, "states_of_charge": [0.5]})
    states = cell_document(cell, materials, samples=200)["states"]
    frame = arrhenius_figure(typed(states))["frames"][0]
    (shade,) = [t for t in frame if t["name"] == "cell (ASR), 5 to 95 %"]
    quantiles = states[0]["quantiles"]["log10_resistance"]
    found = [log10(y) for x, y in zip(shade["x"], shade["y"], strict=True) if x == 3.33333]
    assert sorted(found) == pytest.approx([quantiles["p05"], quantiles["p95"]], abs=5e-3)
    # the intervals stand in the table below their energies
    sweep = states[0]["temperature_sweep"]["area_specific"]
    small = f"<small>{interval(sweep['quantiles']['activation_energy_eV'], 3)}</small>"
    assert small in activation_table(typed(states), 300.0)
    bare = deepcopy(states)
    for state in bare:
        for part in state["temperature_sweep"]["contacts"]:
            for one in (part["charge_transfer"], part["depletion"], part["space_charge"]):
                one["quantiles"] = None
        for part in state["temperature_sweep"]["layers"]:
            part["quantiles"] = None
        state["temperature_sweep"]["area_specific"]["quantiles"] = None
    assert all("fill" not in t for frame in arrhenius_figure(typed(bare))["frames"] for t in frame)


def test_a_cells_log10_says_of_how_many_samples_it_is(states):
    quantiles = {**states[0]["quantiles"], "log10_samples": 7, "samples": 9}
    table = states_table(typed([{**states[0], "quantiles": quantiles}]))
    assert "<small>(7 of 9)</small>" in table
    assert "(m of n)" in table
    all_of_them = {**quantiles, "log10_samples": 9}
    assert "(m of n)" not in states_table(typed([{**states[0], "quantiles": all_of_them}]))


def test_budgets_add_up_and_only_accumulation_is_negative():
    """It takes off a cell's sum, off no contact's parts: here carriers accumulate everywhere."""
    layers = [("Li", 200), ("LiPON", 3), ("LiPON", 900), ("LiCoO2", 300)]
    cell = Cell.model_validate(
        {
            "name": "accumulates",
            "states_of_charge": [0.0, 0.5],
            "layers": [{"material": name, "thickness_nm": nm} for name, nm in layers],
        }
    )
    records = [shipped_material(name) for name, _ in layers]
    for state in typed(cell_document(cell, records, samples=50)["states"]):
        *parts, total = cell_parts(state)
        known = [part.value_ohm_cm2 for part in parts if part.value_ohm_cm2 is not None]
        assert sum(known) == pytest.approx(total.value_ohm_cm2, rel=1e-9)
        negative = [part for part in parts if (part.value_ohm_cm2 or 0.0) < 0.0]
        assert [part.label for part in negative] == ["accumulation at all contacts"]
        for contact in state.contacts:
            found = contact_parts(contact, (contact.left, contact.right))
            assert all((part.value_ohm_cm2 or 0.0) >= 0.0 for part in found)
            assert all((part.interval_ohm_cm2 or {"p05": 0.0})["p05"] >= 0.0 for part in found)
            resistance = contact.resistance.interface_resistance_ohm_cm2
            assert sum(part.value_ohm_cm2 or 0.0 for part in found) == pytest.approx(resistance)
            assert interface_part(contact).value_ohm_cm2 == resistance


def test_a_part_that_is_negative_everywhere_has_no_curve(states):
    sweep = deepcopy(states[0]["temperature_sweep"])
    nothing = [None] * len(sweep["temperature_K"])
    for part in (sweep["contacts"][0]["charge_transfer"], sweep["contacts"][0]["depletion"]):
        part.update(resistance_ohm_cm2=[-1.0] * len(nothing), activation_energy_eV=nothing)
        part["without_space_charge"] = None
    labels = [part.label for part in swept_parts(TemperatureSweep.read(sweep))]
    assert not any(label.startswith("Li | LLZO") for label in labels)
    assert "cell (ASR)" in labels


def test_one_curve_of_the_map_for_each_state_of_charge(axis, states):
    figure = delta_figure(axis, typed(states))
    assert [curve["name"] for curve in figure["always"]] == [
        f"state of charge {charge}" for charge in ("0", "0.5", "1")
    ]
    assert not any(figure["always"][0]["y"])
    for state, curve, frame in zip(states, figure["always"], figure["frames"], strict=True):
        (marked,) = lines(frame)
        assert marked["y"] == curve["y"]
        assert curve["x"] == sorted(curve["x"])
        # both collectors stand at the ends: one in the profile, one without a scale
        ends = [one["delta_cpd_V"] for one in state["collectors"]]
        assert [curve["y"][0], curve["y"][-1]] == pytest.approx(ends, abs=1e-3)
        assert curve["customdata"][-1] == "the collector"
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert "<b>Cu</b>" in texts
    assert f"<b>{escape(ATTACK, quote=False)}</b>" in texts


def test_no_differences_without_a_discharged_state(axis, states):
    later = [deepcopy(state) for state in states[1:]]
    for state in later:
        state["profile"]["delta_cpd_V"] = [None] * len(state["profile"]["x_nm"])
    assert delta_figure(axis, typed(later)) is None


def test_the_front_of_the_ion_is_a_step(axis, states):
    curve = delta_figure(axis, typed(states))["always"][2]
    front = float(axis.place(-40.0))
    near = [
        y
        for x, y in zip(curve["x"], curve["y"], strict=True)
        if x == pytest.approx(front, abs=1e-4)
    ]
    assert max(near) - min(near) > 0.5


def test_a_jump_stays_where_the_scale_changes():
    axis = display_axis([electrode(3.0), electrode(7.0)])
    x, (y,) = with_nodes(np.array([0.0, 2.0, 2.0, 10.0]), [np.array([0.0, 0, 1, 1])], axis)
    assert x.tolist() == [0.0, 2.0, 2.0, 3.0, 10.0]
    assert y.tolist() == [0.0, 0.0, 1.0, 1.0, 1.0]


def test_measured_points_lie_at_their_places(axis, states):
    figure = measured_figure(axis, typed(states))
    for state, frame in zip(states, figure["frames"], strict=True):
        shade, model, points = frame
        assert shade["name"].endswith("5 to 95 %")
        assert points["y"] == state["measured_map"]["measured_cpd_V"]
        assert points["x"] == pytest.approx(axis.place(MEASURED.x_nm), abs=1e-5)
        drawn = np.interp(points["x"], model["x"], model["y"])
        assert drawn == pytest.approx(np.array(state["measured_map"]["model_cpd_V"]), abs=2e-3)


@pytest.mark.parametrize(
    ("part", "field"), [("work function", "work_function_eV"), ("Fermi level", "fermi_level_eV")]
)
def test_a_measured_map_is_taken_apart(axis, states, part, field):
    """Each part is off its model by the map's whole residual, upside down."""
    figure = decomposed_figure(axis, typed(states), part)
    for state, frame in zip(states, figure["frames"], strict=True):
        shade, model, points = frame
        assert shade["name"].endswith("5 to 95 %")
        measured = state["measured_map"]
        assert points["y"] == measured[field]
        x, y = (
            np.array(model[name], dtype=float)[[value is not None for value in model["y"]]]
            for name in ("x", "y")
        )
        residual = np.array(measured["measured_cpd_V"]) - np.array(measured["model_cpd_V"])
        off = np.array(points["y"]) - np.interp(points["x"], x, y)
        assert off == pytest.approx(-residual, abs=4e-3)
        assert np.ptp(residual) > 0.1


def test_the_parts_of_the_polarization_add_up(states):
    figure = polarization_figure(typed(states))
    for state, frame in zip(states, figure["frames"], strict=True):
        curves = [trace for trace in frame if trace["mode"] == "lines+markers"]
        cell, *parts = curves
        assert cell["name"] == "cell"
        total = np.sum([[value or 0.0 for value in part["y"]] for part in parts], axis=0)
        assert total == pytest.approx(np.array(cell["y"]), rel=1e-6)
        (line,) = [trace for trace in frame if trace["name"] == "open-circuit voltage"]
        assert line["y"] == [state["open_circuit_voltage_V"]] * 2
    assert "Butler–Volmer" in polarization_table(typed(states))


def test_the_whole_is_told_from_a_part_that_equals_it(document, materials, tmp_path):
    html, figures = written(tmp_path / "cell.html", document, materials)
    for name, whole in (
        ("states", "cell (ASR)"),
        ("arrhenius", "cell (ASR)"),
        ("polarization", "cell"),
    ):
        traces = [*figures[name].get("always", []), *figures[name]["frames"][-1]]
        traces = [trace for trace in traces if trace.get("yaxis") in (None, "y2")]
        curves = [trace for trace in traces if "fill" not in trace and trace.get("line")]
        (first, *parts) = [trace for trace in curves if trace["hovertemplate"]]
        # a part lies over the whole, which is seen on both sides of it
        assert first["name"] == whole
        assert all(
            first["line"]["width"] > 2 * trace["line"]["width"]
            for trace in parts
            if not trace["name"].startswith(whole)
        )
        shades = {trace["name"]: trace for trace in traces if "fill" in trace}
        assert shades[f"{whole}, 5 to 95 %"]["fillcolor"] == "rgba(0,0,0,0)"
        assert len({trace["fillcolor"] for trace in shades.values()}) > 1
    assert html.count("reaches zero: some samples have no depletion") == 3


def test_the_ranking_orders_the_inputs(states):
    figure = ranking_figure(typed(states))
    labels = figure["layout"]["yaxis"]["categoryarray"]
    shares = {
        f"{share['material']}: {share['field']}": share["variance_share"]
        for ranked in states[0]["sensitivity"].values()
        for share in ranked
    }
    assert set(shares) <= set(labels)
    for trace, name in zip(
        figure["frames"][0],
        ("open_circuit_voltage_V", "log10_interface_resistance", "log10_resistance"),
        strict=True,
    ):
        assert trace["x"] == [100 * s["variance_share"] for s in states[0]["sensitivity"][name]]


def test_text_in_the_ranking_is_escaped():
    share = {"material": ATTACK, "field": "states.voltage_V", "variance_share": 0.5}
    figure = ranking_figure(typed([{"sensitivity": {"log10_resistance": [share]}}]))
    assert "<img" not in json.dumps(figure)
    assert ranking_figure(typed([{"sensitivity": None}])) is None


def test_electrons_of_each_contact_and_of_the_cell(states):
    table = electrons_table(typed(states))
    for state in states:
        assert shown(state["electronic_leakage"]["current_A_cm2"], 2) in table
        for contact in state["contacts"]:
            assert shown(contact["electrons"]["electron_barrier_eV"]) in table
    assert table.count("cell at open circuit") == len(states)
    hostile = deepcopy(states[:1])
    hostile[0]["contacts"][0]["left"] = ATTACK
    assert "<img" not in electrons_table(typed(hostile))


def test_numbers_of_contacts_stand_over_their_intervals(states):
    """Of leakage the interval is that of its log10."""
    contact = states[0]["contacts"][0]
    spreads = contact["quantiles"]
    table = contacts_table(typed(states))
    for spread in (
        spreads["sheet_charge_e_nm2"],
        spreads["capacitance_uF_cm2"],
        spreads["debye_length_nm"]["right"],
        spreads["distance_nm"]["right"]["x50"],
    ):
        assert f"<br><small>{interval(spread)}</small>" in table
    table = electrons_table(typed(states))
    assert f"<small>{interval(spreads['electrons']['electron_barrier_eV'])}</small>" in table
    log10_leakage = states[0]["quantiles"]["electronic_leakage"]["log10_current_A_cm2"]
    ends = " … ".join(shown(10 ** log10_leakage[name], 3) for name in ("p05", "p95"))
    assert f"<small>{ends}</small>" in table
    bare = [{**state, "quantiles": None} for state in deepcopy(states)]
    for state in bare:
        state["contacts"] = [{**one, "quantiles": None} for one in state["contacts"]]
    assert "<small>" not in electrons_table(typed(bare))
    assert "<small>" not in contacts_table(typed(bare))


def test_a_contact_report_has_electrons_and_ranking(tmp_path):
    pair = [shipped_material("LiPON"), shipped_material("LLZO")]
    document = contact_document(*pair, samples=200)
    path = tmp_path / "contact.html"
    write_contact_report(path, pair, document)
    html = path.read_text(encoding="utf-8")
    assert document["electrons"]["class"] in html
    assert "cell at open circuit" not in html
    assert ('data-figure="ranking"' in html) == bool(
        document["sensitivity"]["potential_drop_V"]
        or document["sensitivity"]["log10_interface_resistance"]
    )
