"""The explorer as a person uses it, in headless Chromium."""

from __future__ import annotations

import csv
import json
import threading

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from interohm.errors import InputError
from interohm.explorer.tables import rows_in
from interohm.records.experiment import shipped_experiments
from interohm.records.shipped import shipped_names
from interohm.report.palette import colours

_ROWS = ".ag-center-cols-container .ag-row"

#: An hour, in seconds: only what never happens fails, on a loaded machine, too.
_SLOWEST = 3600


class Opened:
    """The page in the browser, and what one looks for in it."""

    def __init__(self, chromium, address):
        self.chromium = chromium
        chromium.get(address)
        self.until(lambda: len(self.rows()) == 4)

    def until(self, condition, seconds=_SLOWEST):
        return WebDriverWait(
            self.chromium, seconds, poll_frequency=0.1, ignored_exceptions=(Exception,)
        ).until(lambda _: condition())

    def rows(self):
        return self.chromium.find_elements(By.CSS_SELECTOR, _ROWS)

    def parts_of_table(self, selector):
        return self.chromium.find_elements(By.CSS_SELECTOR, f"#table {selector}")

    def headings(self):
        # that of the boxes to choose rows has no text
        texts = [heading.text for heading in self.parts_of_table(".ag-header-cell-text")]
        return [text for text in texts if text]

    def text(self, id):
        return self.chromium.find_element(By.ID, id).text

    def tab(self, name):
        for tab in self.chromium.find_elements(By.CSS_SELECTOR, "[role=tab], .tab"):
            if tab.text == name:
                tab.click()
                return
        raise AssertionError(name)

    def ask(self, condition):
        field = self.chromium.find_element(By.ID, "where")
        keys = ActionChains(self.chromium).click(field).key_down(Keys.CONTROL).send_keys("a")
        keys.key_up(Keys.CONTROL).send_keys(Keys.DELETE, condition, Keys.ENTER).perform()

    def size(self, width):
        size = {"width": width, "height": 1450, "deviceScaleFactor": 1, "mobile": False}
        self.chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def traces(self, id):
        """Return the names of what plotly drew in a figure."""
        return self.chromium.execute_script(
            "const f = document.querySelector(`#${arguments[0]} .js-plotly-plot`);"
            "return f && f.data ? f.data.map(t => t.name || t.type) : [];",
            id,
        )


@pytest.fixture
def opened(chromium, page):
    """Open the page anew; whatever the browser complains of fails the test."""
    chromium.get_log("browser")
    shown = Opened(chromium, page.address)
    yield shown
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    complaints = [entry["message"] for entry in chromium.get_log("browser")]
    assert complaints == []
    elsewhere = chromium.execute_script(
        "return performance.getEntriesByType('resource').map(e => e.name)"
        ".filter(n => !n.startsWith(location.origin) && !n.startsWith('data:'))"
    )
    assert elsewhere == []


def test_a_click_into_the_heat_map_shows_the_contact(opened):
    opened.until(lambda: len(opened.traces("map")) == 2)
    drag = opened.chromium.find_element(By.CSS_SELECTOR, "#map .nsewdrag")
    # left phases LLZO, Li, LiPON from the top; right ones LLZO, LiCoO2, LiPON: Li is in the middle
    to_the_left = -int(drag.size["width"] / 3)
    ActionChains(opened.chromium).move_to_element_with_offset(
        drag, to_the_left, 0
    ).click().perform()
    opened.until(lambda: "300 K" in opened.text("details"))
    assert "Li | LLZO" in opened.text("details")
    names = opened.until(lambda: opened.traces("band-diagram"))
    assert {"vacuum level", "conduction band edge", "Fermi level"} <= set(names)
    assert opened.until(lambda: opened.traces("budget"))
    chosen = opened.chromium.find_elements(By.CSS_SELECTOR, f"{_ROWS}.ag-row-selected")
    assert len(chosen) == 1


def test_conditions_and_their_errors(opened):
    opened.ask("resistance < 1 and left == 'LLZO'")
    opened.until(lambda: opened.text("message") == "1 row")
    assert len(opened.rows()) == 1
    opened.ask("resistanse < 1")
    opened.until(lambda: "Did you mean resistance_ohm_cm2?" in opened.text("message"))
    # the table stays, and what is wrong is marked
    assert len(opened.rows()) == 1
    assert opened.chromium.find_element(By.ID, "message").get_attribute("class") == "wrong"
    opened.ask("")
    opened.until(lambda: len(opened.rows()) == 4)


def test_cells_are_compared(opened):
    opened.tab("cells")
    opened.until(lambda: len(opened.rows()) == 2)
    assert not opened.chromium.find_element(By.ID, "map-section").is_displayed()
    opened.rows()[0].click()
    opened.until(lambda: "full, 300 K, state of charge 0" in opened.text("details"))
    assert opened.until(lambda: opened.traces("band-diagram"))
    # each layer of the cell is named in its band diagram
    assert "LiCoO2" in opened.text("band-diagram")
    hold = ActionChains(opened.chromium).key_down(Keys.CONTROL)
    hold.click(opened.rows()[1]).key_up(Keys.CONTROL).perform()
    opened.until(lambda: "2 compared" in opened.text("details"))
    names = opened.until(lambda: opened.traces("comparison"))
    assert names == ["full, 300 K, state of charge 0", "full, 300 K, state of charge 1"]
    for index in range(2):
        assert "Fermi level" in opened.until(lambda index=index: opened.traces(f"diagram-{index}"))
    # on a laptop they stand side by side
    opened.size(1280)
    places = [opened.chromium.find_element(By.ID, f"diagram-{index}").rect for index in range(2)]
    assert places[0]["y"] == places[1]["y"]
    assert places[0]["x"] + places[0]["width"] <= places[1]["x"]


def test_every_collection_has_its_table(opened):
    for name, rows in (("calculations", 0), ("failures", 0), ("spectra", 2), ("contacts", 4)):
        opened.tab(name)
        opened.until(lambda rows=rows: opened.text("message") == f"{rows} rows")
        assert len(opened.rows()) == rows


def test_shipped_records_and_measured_values_have_their_tabs(opened):
    opened.tab("materials")
    opened.until(lambda: opened.text("message") == f"{len(shipped_names())} rows")
    opened.ask("name == 'LiF' or name == 'LiCl_001'")
    opened.until(lambda: opened.text("message") == "2 rows")
    shown = {row.text.split()[0] for row in opened.rows()}
    assert shown == {"database", "shipped"}
    opened.tab("validation")
    measured = sum(len(one.measured) for one in shipped_experiments())
    opened.until(lambda: opened.text("message").startswith(f"{measured} rows"))
    # measured values are there at once, predictions when they are computed
    opened.until(lambda: opened.text("message") == f"{measured} rows", seconds=_SLOWEST)
    drawn = opened.until(lambda: opened.traces("comparison-with-measured"))
    assert {"predicted, inside", "measured", "measured, an upper limit"} <= set(drawn)
    assert not opened.chromium.find_element(By.ID, "map-section").is_displayed()
    opened.ask("electrolyte == 'LLZO' and p50 < 1 and verdict == 'inside'")
    opened.until(lambda: 0 < int(opened.text("message").split()[0]) < measured)
    opened.tab("contacts")
    opened.until(lambda: opened.text("message") == "4 rows")
    assert not opened.chromium.find_element(By.ID, "validation-section").is_displayed()


def test_nothing_of_the_tab_before_is_seen_while_another_loads(opened, monkeypatch):
    answered = threading.Event()

    def held(*arguments):
        answered.wait(_SLOWEST)
        return rows_in(*arguments)

    opened.ask("resistanse < 1")
    opened.until(lambda: "Did you mean" in opened.text("message"))
    opened.rows()[0].click()
    opened.until(lambda: opened.traces("band-diagram"))
    monkeypatch.setattr("interohm.explorer.callbacks.rows_in", held)
    # the first column of each tab, and the beginning of its hint
    for name, first, hint in (
        ("cells", "cell", "Choose a row for its band diagram"),
        ("validation", "experiment", "Bars are predicted intervals"),
        ("contacts", "left", "Choose a row for its band diagram"),
    ):
        answered.clear()
        opened.tab(name)
        try:
            opened.until(lambda: opened.text("message") == "loading")
            opened.until(lambda hint=hint: opened.text("details").startswith(hint))
            opened.until(lambda: not opened.headings() and not opened.rows())
            # not even that there are no rows
            for part in (".ag-overlay", ".ag-paging-panel"):
                assert not any(one.is_displayed() for one in opened.parts_of_table(part))
            assert opened.chromium.find_element(By.ID, "where").get_property("value") == ""
            assert opened.text("message") == "loading"
            assert opened.chromium.find_element(By.ID, "message").get_attribute("class") != "wrong"
            for section in ("map-section", "validation-section"):
                assert not opened.chromium.find_element(By.ID, section).is_displayed()
        finally:
            answered.set()
        opened.until(lambda: "row" in opened.text("message") and opened.rows())
        opened.until(lambda first=first: opened.headings()[0] == first)
        assert opened.text("details").startswith(hint)
    opened.until(lambda: len(opened.traces("map")) == 2)


@pytest.mark.parametrize("fails", [False, True])
def test_predictions_under_way_are_not_called_missing(chromium, page_of, fails):
    computed = threading.Event()

    def predict(experiments, _):
        computed.wait(_SLOWEST)
        if fails:
            raise InputError("the records are gone")
        known = {"p05": 1.0, "p50": 2.0, "p95": 3.0, "verdict": "inside"}
        return [known for one in experiments for _ in one.measured]

    opened = Opened(chromium, page_of(predict).address)
    chromium.execute_script(
        "window.said = []; const figure = document.getElementById('comparison-with-measured');"
        "new MutationObserver(() => said.push(figure.textContent))"
        ".observe(figure, {childList: true, characterData: true, subtree: true});"
    )
    try:
        opened.tab("validation")
        figure = "comparison-with-measured"
        opened.until(lambda: "predictions are being computed" in opened.text(figure))
    finally:
        computed.set()
    if fails:
        opened.until(lambda: "without predictions: the records are gone" in opened.text(figure))
    else:
        opened.until(lambda: "predicted, inside" in opened.traces(figure))
    said = chromium.execute_script("return window.said")
    assert said
    assert not [text for text in said if "no measured" in text]


def test_names_and_quantities_of_experiments_are_not_cut(opened):
    opened.size(1280)
    opened.tab("validation")
    opened.until(lambda: opened.headings()[:2] == ["experiment", "quantity"])
    opened.until(opened.rows)
    cut = opened.chromium.execute_script(
        "return [...document.querySelectorAll('#table :is(.ag-header-cell-text, "
        "[col-id=experiment] .ag-cell-value, [col-id=quantity] .ag-cell-value, "
        ".ag-cell[col-id=experiment], .ag-cell[col-id=quantity])')]"
        ".filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)"
    )
    assert cut == []
    assert "interface_resistance_ohm_cm2" in opened.text("table")


def test_a_spectrum_has_its_plots(opened):
    opened.tab("spectra")
    opened.until(lambda: len(opened.rows()) == 2)
    opened.rows()[1].click()
    opened.until(lambda: "Nyquist plot" in opened.text("details"))
    assert opened.until(lambda: opened.traces("band-diagram"))
    assert "Re Z" in opened.until(lambda: " ".join(opened.traces("budget")))


def test_rows_are_chosen_by_keys(opened):
    first = opened.chromium.find_element(By.CSS_SELECTOR, f"{_ROWS} .ag-cell")
    first.click()  # where the keys begin
    opened.until(lambda: "300 K" in opened.text("details"))
    before = opened.text("details")
    keys = ActionChains(opened.chromium)
    keys.send_keys(Keys.SPACE, Keys.ARROW_DOWN, Keys.SPACE).perform()
    opened.until(lambda: "300 K" in opened.text("details") and opened.text("details") != before)


@pytest.mark.parametrize("width", [600, 1280, 1920])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_fits_in_light_and_dark(opened, width, theme):
    prefers = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    opened.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", prefers)
    opened.size(width)
    named = colours(theme)
    assert opened.chromium.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
    opened.rows()[0].click()
    opened.until(lambda: opened.traces("band-diagram"))
    drawn = "return document.querySelector('#band-diagram .js-plotly-plot').layout.font.color"
    opened.until(lambda: opened.chromium.execute_script(drawn) == named["text"])
    page = opened.chromium.execute_script(
        "return [document.documentElement.scrollWidth, document.body.dataset.agThemeMode]"
    )
    assert page[0] <= width
    assert page[1] == theme


def test_what_the_table_shows_is_downloaded(opened, chromium):
    opened.ask("left == 'Li'")
    opened.until(lambda: opened.text("message") == "2 rows")
    found = {}
    for format in ("csv", "json"):
        chromium.execute_script(
            "window.kept = null; const make = URL.createObjectURL;"
            "URL.createObjectURL = blob => { blob.text().then(t => { window.kept = t; });"
            " return make.call(URL, blob); };"
        )
        chromium.find_element(By.ID, format).click()
        found[format] = opened.until(lambda: chromium.execute_script("return window.kept"))
    rows = json.loads(found["json"])
    assert {row["right"] for row in rows} == {"LLZO", "LiPON"}
    table = list(csv.DictReader(found["csv"].splitlines()))
    assert [row["right"] for row in table] == [row["right"] for row in rows]
    assert float(table[0]["potential_drop_V"]) == rows[0]["potential_drop_V"]


def test_the_page_is_there_again_after_a_reload(opened):
    opened.chromium.refresh()
    opened.until(lambda: len(opened.rows()) == 4)
