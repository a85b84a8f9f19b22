"""The HTML report: complete, one file, safe whatever a record says."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser

import plotly.graph_objects as go
import pytest
from report_pages import figures_of

from interohm.errors import InputError
from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.records import Quantity
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.records.uncertainty import quantities
from interohm.report import write_contact_report, write_report
from interohm.report.page import page as page_of
from interohm.results.contact import grouped

SAMPLES = 40
LAYERS = [
    {"material": "Li", "thickness_nm": 20000},
    {"material": "LiF", "thickness_nm": 5},
    {"material": "LLZO", "thickness_nm": 20000},
    {"material": "LiCoO2", "thickness_nm": 20000},
]


class Page(HTMLParser):
    """Elements, what they would load, and text outside of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: dict[str, str] = {}
        self._inside: str | None = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = dict(attrs).get("id") or tag

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._inside = None

    def handle_data(self, data):
        if self._inside is None:
            self.text += data
        else:
            self.scripts[self._inside] = data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def materials():
    return [shipped_material(layer["material"]) for layer in LAYERS]


@pytest.fixture(scope="module")
def cell():
    return Cell(name="test cell", states_of_charge=[0.0, 0.4, 1.0], layers=LAYERS)


@pytest.fixture(scope="module")
def document(cell, materials):
    return cell_document(cell, materials, samples=SAMPLES)


@pytest.fixture(scope="module")
def html(cell, materials, document, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "cell.html"
    write_report(path, cell, materials, document, remarks=["LiF hides the shipped LiF"])
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_the_report_loads_nothing(page):
    for tag, attributes in page.elements:
        assert "src" not in attributes, tag
        assert "href" not in attributes, tag
    assert "@import" not in page.scripts["style"]
    assert "url(" not in page.scripts["style"]
    (policy,) = [m["content"] for m in page.named("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'")


def test_slider_has_a_step_for_each_state_of_charge(page, cell, html):
    (slider,) = page.named("input")
    steps = int(slider["max"]) - int(slider["min"]) + 1
    assert steps == len(page.named("option")) == len(cell.states_of_charge)
    # the discharged cell would show ΔCPD as zero everywhere
    assert cell.states_of_charge[int(slider["value"])] == max(cell.states_of_charge) > 0
    for name, figure in figures_of(html).items():
        assert len(figure["frames"]) == steps, name


def test_every_figure_has_its_place_and_is_what_plotly_knows(page, html):
    figures = figures_of(html)
    places = [a["data-figure"] for _, a in page.elements if "data-figure" in a]
    assert sorted(places) == sorted(figures)
    for figure in figures.values():
        for frame in figure["frames"]:
            go.Figure(data=[*figure.get("always", []), *frame], layout=figure["layout"])


def test_colours_are_in_the_style_sheet(page):
    style = page.scripts["style"]
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", page.scripts["figures"]))
    assert len(used) > 5
    for name in used:
        assert style.count(f"{name}:") == 2, f"{name} needs a light and a dark colour"


def test_report_names_every_contact_input_and_source(page, materials, document):
    for contact in document["states"][0]["contacts"]:
        assert f"{contact['left']} | {contact['right']}" in page.text
    for material in materials:
        assert material.name in page.text
        for field, quantity in quantities(material):
            assert field in page.text
            if quantity.source:
                assert quantity.source in page.text
    assert "record Li, surface (110)" in page.text
    assert "LiF hides the shipped LiF" in page.text


def test_assumed_and_unknown_are_said(html, materials):
    numbers, defaults, assumed = [], [], []
    for material in materials:
        for field, quantity in quantities(material):
            numbers.append(quantity)
            if re.split(r"[.\[]", field)[0] not in material.model_fields_set:
                defaults.append(quantity)
            elif quantity.assumed:
                assumed.append(quantity)
    assert html.count('<span class="assumed">assumed</span>') == len(assumed) > 0
    assert html.count('<span class="assumed">default</span>') == len(defaults) > 0
    unknown = [q for q in numbers if q.uncertainty is None]
    assert html.count('<span class="unknown">unknown</span>') == len(unknown) > 0


def test_results_stand_in_the_tables(page, document):
    for state in document["states"]:
        assert f"{state['open_circuit_voltage_V']:.2f}" in page.text
    assert f"{SAMPLES} samples" in page.text


def test_stability_violations_are_reported(page, document):
    violated = {v["material"] for s in document["states"] for v in s["stability_violations"]}
    for name in violated:
        assert f"{name} leaves its stability window" in page.text
    assert ("leaves its stability window" in page.text) == bool(violated)


def test_cautions_of_one_kind_are_one_line(document, html):
    box = re.search(r'<div class="findings".*?</div>', html, re.DOTALL)[0]
    lines = [unescape(line) for line in re.findall("<li>(.*?)</li>", box)]
    assert len(lines) <= 12
    contacts = [contact for state in document["states"] for contact in state["contacts"]]
    assumed = {
        f"{one['left']} | {one['right']}" for one in contacts if one["contact_barrier_assumed"]
    }
    (barriers,) = [line for line in lines if "barrier of the hop" in line]
    assert set(barriers.partition(":")[0].split(", ")) == assumed
    assert len(assumed) > 1


def test_numbers_that_matter_have_one_form_of_intervals(html):
    tiles = re.findall(r'<div class="key">(.*?)</div>', html)
    resistances = [tile for tile in tiles if "Ω·cm²</b>" in tile and "5 to 95 %" in tile]
    labels = {re.search("<span>(.*?)</span>", tile)[1] for tile in resistances}
    assert labels == {"interfaces, all of them", "area-specific resistance"}
    assert all(tile.endswith("Ω·cm²</span>") for tile in resistances)


def test_intervals_of_the_parts_are_drawn(page, html):
    names = {trace["name"] for trace in figures_of(html)["budget"]["frames"][0]}
    assert {"value", "5 to 95 %", "median of the samples"} <= names


def test_what_is_repeated_stands_once_and_is_what_it_was():
    """Places and curves are those that were given, to the last digit."""
    places = [0.0, 0.1, 0.1 + 1e-9, 0.30000000000000004, 1e5]
    style = {"line": {"color": "var(--series-1)", "dash": "solid", "width": 2.2}}
    frames = [
        [{"name": "a", "x": places, "y": [1.0, 2.0, None, 3.0, state], **style}, {"x": places}]
        for state in (0.5, 0.7, 0.5)
    ]
    figures = {"one": {"layout": {}, "frames": frames}, "two": {"frames": [[{"x": places}]]}}
    html = page_of("test", [], figures, [0.0, 0.5, 1.0])
    assert figures_of(html) == figures
    for text in (json.dumps(places, separators=(",", ":")), "series-1", "[1.0,2.0,null,3.0,0.5]"):
        assert html.split("</style>")[1].split("<script>")[0].count(text) == 1


def test_no_number_is_nan_or_infinite(page):
    def refuse(constant):
        raise AssertionError(constant)

    for name in ("figures", "repeated"):
        json.loads(page.scripts[name], parse_constant=refuse)
    assert not re.search(r"\b(nan|inf|infinity)\b", page.text, re.IGNORECASE)


def test_text_from_records_stays_text(cell, materials, tmp_path):
    attack = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"
    insulator = materials[2]
    defects = [
        insulator.defects[0].model_copy(update={"name": "<b>Li_i</b>", "sublattice": attack}),
        *insulator.defects[1:],
    ]
    hostile = insulator.model_copy(
        update={
            "name": "<script>alert(1)",
            "surface": attack,
            "ionization_potential_eV": Quantity(value=5.3, source=attack, method=attack),
            "provenance": {attack: {"inner": [attack]}},
            "defects": defects,
        }
    )
    records = [*materials[:2], hostile, materials[3]]
    named = cell.model_copy(update={"name": attack, "states_of_charge": [0.0]})
    document = cell_document(named, records, samples=SAMPLES)
    path = tmp_path / "hostile.html"
    write_report(path, named, records, document, remarks=[attack])
    written = Page(path.read_text(encoding="utf-8"))
    assert not written.named("img")
    assert len(written.named("script")) == 5
    assert written.text.count(attack) >= 6
    figures = figures_of(path.read_text(encoding="utf-8"))
    drawn = [note["text"] for note in figures["bands"]["layout"]["annotations"]]
    assert any("&lt;script&gt;alert(1)" in text for text in drawn)

    contact = contact_document(records[0], hostile, samples=SAMPLES)
    write_contact_report(path, [records[0], hostile], contact)
    written = Page(path.read_text(encoding="utf-8"))
    assert not written.named("img")
    assert len(written.named("script")) == 5


def test_band_edges_are_those_of_the_document(page, document, html):
    frame = figures_of(html)["bands"]["frames"][1]
    (trace,) = [trace for trace in frame if trace.get("name") == "valence band edge"]
    drawn = [value for value in trace["y"] if value is not None]
    profile = document["states"][1]["profile"]["valence_band_eV"]
    expected = [value for value in profile if value is not None]
    assert min(drawn) == pytest.approx(min(expected), abs=2e-3)
    assert max(drawn) == pytest.approx(max(expected), abs=2e-3)
    # LiF and LLZO are apart.
    assert trace["y"].count(None) == 1


@pytest.mark.parametrize(("left", "right"), [("Li", "LLZO"), ("LLZO", "LiCoO2"), ("LiPON", "LLZO")])
def test_contact_report(left, right, tmp_path):
    pair = [shipped_material(left), shipped_material(right)]
    document = contact_document(*pair, samples=SAMPLES)
    path = tmp_path / "contact.html"
    write_contact_report(path, pair, document)
    html = path.read_text(encoding="utf-8")
    page = Page(html)
    assert not page.named("input")
    figures = figures_of(html)
    for figure in figures.values():
        go.Figure(data=figure["frames"][0], layout=figure["layout"])
    drawn = figures["concentrations"]["frames"][0]
    defects = set(document["profile"]["concentrations_cm3"])
    assert {trace["name"] for trace in drawn if "fill" not in trace} == defects
    shades = {trace["name"] for trace in drawn if "fill" in trace}
    assert shades == {f"{defect}, 5 to 95 %" for defect in defects}
    for material in pair:
        for _, quantity in quantities(material):
            assert (quantity.source or "") in page.text
    assert document["reference"] in page.text
    doubts = [(f"{left} | {right}", doubt["text"]) for doubt in document["validity"]]
    for _, text in grouped(doubts):
        assert text in page.text
    assert "likely below" in page.text
    # forty samples do not always tell one input from the others
    learn = document["next"]
    assert ("to learn next" in page.text) == (learn is not None)
    assert learn is None or learn["text"] in page.text


def test_a_contact_of_an_earlier_version_has_what_it_had(tmp_path):
    pair = [shipped_material("LLZO"), shipped_material("LiCoO2")]
    document = contact_document(*pair, samples=SAMPLES)
    for field in ("temperature_sweep", "polarization", "over_state_of_charge"):
        del document[field]
    for field in ("validity", "next", "contact_barrier_assumed"):
        del document[field]
    del document["resistance"]["interface_resistance_ohm_cm2"]
    del document["resistance"]["contact_barrier_eV"]
    del document["quantiles"]["profile"]
    path = tmp_path / "contact.html"
    write_contact_report(path, pair, document)
    figures = figures_of(path.read_text(encoding="utf-8"))
    assert {"bands", "ion", "concentrations", "budget"} <= set(figures)
    assert not {"arrhenius", "polarization", "states"} & set(figures)
    names = [trace.get("name", "") for trace in figures["bands"]["frames"][0]]
    assert not any("95 %" in name for name in names)


def test_layer_of_given_thickness_is_shown_whole(tmp_path):
    pair = [shipped_material("Li"), shipped_material("LiF")]
    document = contact_document(*pair, thickness_nm=5, samples=SAMPLES)
    path = tmp_path / "contact.html"
    write_contact_report(path, pair, document)
    figures = figures_of(path.read_text(encoding="utf-8"))
    assert figures["bands"]["layout"]["xaxis"]["ticktext"][-1] == "5"
    assert document["differential_capacitance_uF_cm2"] is not None
    assert "one, without an interval" in path.read_text(encoding="utf-8")


def test_collectors_in_the_profile_are_layers_of_their_own(cell, materials, document, tmp_path):
    states = []
    for state in document["states"]:
        total = sum(layer["thickness_nm"] for layer in state["layers"])
        ends = {"x_nm": ([-500.0, 0.0], [total, total + 300.0])}
        for name in ("vacuum_level_eV", "fermi_level_eV"):
            ends[name] = ([-1.0, -1.0], [-2.0, -2.0])
        profile = {
            name: [
                *ends.get(name, ([None] * 2, []))[0],
                *column,
                *ends.get(name, ([], [None] * 2))[1],
            ]
            for name, column in state["profile"].items()
        }
        collectors = [
            {"side": "negative", "material": "Cu"},
            {"side": "positive", "material": "Al"},
        ]
        spreads = {**state["quantiles"], "profile": None}
        states.append({**state, "profile": profile, "collectors": collectors, "quantiles": spreads})
    path = tmp_path / "cell.html"
    write_report(path, cell, materials, {**document, "states": states})
    bands = figures_of(path.read_text(encoding="utf-8"))["bands"]
    names = [note["text"] for note in bands["layout"]["annotations"]]
    assert [name for name in names if "Cu" in name] == ["<b>Cu</b><br>500 nm"]
    assert [name for name in names if "Al" in name] == ["<b>Al</b><br>300 nm"]
    (fermi,) = [t for t in bands["frames"][0] if t.get("name") == "Fermi level"]
    assert fermi["y"][:3] == [-1.0, -1.0, None]
    assert fermi["y"][-3:] == [None, -2.0, -2.0]


def test_records_that_differ_but_share_a_name_are_named(cell, materials, document, tmp_path):
    other = materials[2].model_copy(update={"surface": "(011) zirconium-terminated"})
    path = tmp_path / "cell.html"
    write_report(path, cell, [materials[0], other, materials[2], materials[3]], document)
    assert "mixed facets: 2 different records are called LLZO" in path.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_is_an_input_error(cell, materials, document, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_report(tmp_path / "missing" / "cell.html", cell, materials, document)
    assert not list(tmp_path.iterdir())


def test_the_dipole_of_a_contact_stands_among_the_inputs(tmp_path):
    layers = [{"material": name, "thickness_nm": 500} for name in ("Li", "LLZO", "LiCoO2")]
    contacts = [{"dipole_V": {"value": 0.125, "uncertainty": 0.05}}, {}]
    described = Cell.model_validate(
        {"name": "dipole", "states_of_charge": [0.0], "layers": layers, "contacts": contacts}
    )
    records = [shipped_material(layer["material"]) for layer in layers]
    path = tmp_path / "cell.html"
    write_report(path, described, records, cell_document(described, records, samples=0))
    assert "0.125" in Page(path.read_text(encoding="utf-8")).text
