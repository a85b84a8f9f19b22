"""Draw the pictures of the documentation: ``python docs/images/draw.py`` (needs Chromium).

The cell is the demo's, whose calculations are in the tests' data; the rest is shipped records.
Arguments draw some of them: ``cell``, ``screen``, ``explorer``, ``fit``.
"""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from interohm.database import Database
from interohm.explorer.server import explorer, listen
from interohm.prediction.contact import contact_result
from interohm.records.shipped import shipped_material
from interohm.screening.config import load_screen
from interohm.settings import load_settings

IMAGES = Path(__file__).parent
ROOT = IMAGES.parents[1]
DEMO = ROOT / "configs" / "campaigns" / "demo.yaml"
CELL = ROOT / "configs" / "examples" / "lithium-LiPON-LCO.yaml"
SPECTRA_OF = ROOT / "configs" / "examples" / "impedance_cell.yaml"
SCREEN = ROOT / "configs" / "campaigns" / "screen48.yaml"

#: From the first to the last of some elements, in the page's pixels.
_AREA = """
const found = [...arguments].map(selector => document.querySelector(selector));
const boxes = found.map(element => element.getBoundingClientRect());
const [x, y] = ['left', 'top'].map(edge => Math.min(...boxes.map(box => box[edge])) - 8);
const [r, b] = ['right', 'bottom'].map(edge => Math.max(...boxes.map(box => box[edge])) + 8);
return {x: x + scrollX, y: y + scrollY, width: r - x, height: b - y};
"""

#: Whether all figures that are seen have the height that they ask for.
_SETTLED = """[...document.querySelectorAll('.figure')].filter(one => one.offsetParent).every(
  one => one._fullLayout
    && Math.abs(one.getBoundingClientRect().height - one._fullLayout.height) < 2
    && (!one.layout.height || one.layout.height === one._fullLayout.height))"""


def interohm(*arguments: object) -> None:
    """Run a command of the program."""
    command = [sys.executable, "-m", "interohm", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def make_demo() -> None:
    """Save the demo's records in the database, from existing calculations."""
    with Database.open(write=True) as database:
        for path in (ROOT / "tests" / "data" / "calculations" / "quick").glob("*.json.gz"):
            database.save_calculation(json.loads(gzip.decompress(path.read_bytes())))
    interohm("run", DEMO)


def save_contacts() -> None:
    """Save the contacts of the 48 cells in the database."""
    config = load_screen(SCREEN)
    pairs = [
        *itertools.product(config.negative_electrodes.names, config.electrolytes.names),
        *itertools.product(config.electrolytes.names, config.positive_electrodes.names),
    ]
    with Database.open(write=True) as database:
        for left, right in pairs:
            contact = contact_result(shipped_material(left), shipped_material(right))
            database.save_contact(contact)


class Browser:
    """Chromium without a window.

    Parameters
    ----------
    profile : Path
        A folder of its own.
    """

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for argument in ("--headless=new", "--disable-gpu", f"--user-data-dir={profile}"):
            options.add_argument(argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        self.driver = webdriver.Chrome(
            options=options, service=Service(shutil.which("chromedriver"))
        )

    def open(self, address: str, width: int, height: int) -> None:
        """Show a page, without Plotly's buttons on its figures and the page's scroll bar."""
        self.driver.set_window_size(width, height)
        self.driver.get(address)
        self.driver.execute_script(
            "const style = document.createElement('style');"
            "style.textContent = '.modebar-container {display: none !important}"
            "html {scrollbar-width: none}';"
            "document.head.append(style);"
        )

    def until(self, condition: str) -> None:
        """Wait until a condition in JavaScript holds."""
        WebDriverWait(self.driver, 120, poll_frequency=0.2).until(
            lambda driver: driver.execute_script(f"return {condition}")
        )

    def save(self, name: str, *figures: str) -> None:
        """Save what is seen, or the area from the first to the last of some elements.

        Parameters
        ----------
        name : str
            Name of the file.
        figures : str
            CSS selectors.
        """
        area = {"x": 0, "y": 0, "scale": 1}
        if figures:
            area |= self.driver.execute_script(_AREA, *figures)
        else:
            area |= self.driver.execute_script("return {width: innerWidth, height: innerHeight}")
        # a capture beyond the window resizes the page and catches figures on their way
        bottom = self.driver.execute_script("return innerHeight")
        beyond = area["y"] + area["height"] > bottom
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"clip": area, "captureBeyondViewport": beyond}
        )
        picture = Image.open(BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
        few = picture.quantize(256, Image.Quantize.MAXCOVERAGE, 2, dither=Image.Dither.NONE)
        few.save(IMAGES / name, optimize=True)


def draw_fit() -> None:
    """Draw the measured spectra of docs/impedance.md with the model before and after the fit."""
    spectra = [
        part
        for name in ("impedance_300K.csv", "impedance_330K.csv,temperature_K=330")
        for part in ("--measured", SPECTRA_OF.parent / name)
    ]
    figure = IMAGES / "impedance_fit.png"
    interohm(
        "impedance", SPECTRA_OF, *spectra, "--area-cm2", 0.785, "--fit", "all", "--figure", figure
    )


def draw_report(browser: Browser, report: Path) -> None:
    """Draw the most important parts of a cell's report: the band diagram and the budget."""
    browser.open(report.as_uri(), 1060, 2900)
    browser.driver.execute_script(
        "const kept = ['Band diagram', 'Resistance budget'];"
        "const sections = [...document.querySelectorAll('section')];"
        "sections.forEach(s => s.hidden = !kept.includes(s.querySelector('h2').textContent));"
        "sections.filter(s => !s.hidden).pop().id = 'last';"
    )
    browser.until(_SETTLED)
    browser.save("report.png", "h1", ".findings", "#last .figure")


def draw_screening(browser: Browser, report: Path) -> None:
    """Draw the maps of the cells' and of their interfaces' resistances."""
    browser.open(report.as_uri(), 1200, 3000)
    browser.until("document.querySelectorAll('.heatmaplayer').length >= 2")
    browser.until(_SETTLED)
    browser.driver.execute_script(
        "document.querySelectorAll('.figure')[1].classList.add('second');"
        # the title below
        "document.querySelectorAll('.above')[2].style.visibility = 'hidden';"
    )
    browser.save("screen48.png", ".above", ".second")


@contextmanager
def served() -> Iterator[str]:
    """Serve the explorer; give its address."""
    server, address = listen(explorer(load_settings()), 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def draw_explorer(browser: Browser, address: str) -> None:
    """Draw the contacts under a condition, their map, and the details of Li | LLZO."""
    browser.open(address, 1500, 1240)
    browser.until(
        "document.querySelector('#map .heatmaplayer .hm image, #map .heatmaplayer image')"
    )
    field = browser.driver.find_element(By.ID, "where")
    condition = "electron_barrier > 1 or electron_barrier is None"
    ActionChains(browser.driver).click(field).send_keys(condition, Keys.ENTER).perform()
    browser.until("document.querySelector('#message').textContent.endsWith('rows')")
    row = "//div[contains(@class, 'ag-row')][.//*[text()='Li']][.//*[text()='LLZO']]"
    browser.driver.find_element(By.XPATH, row).click()
    browser.until("document.querySelector('#band-diagram .main-svg') !== null")
    browser.save("explore.png")


def main(names: Collection[str]) -> None:
    """Draw some of them, or all without names, in a project folder that is not kept."""
    wanted = names or ("screen", "fit", "explorer", "cell")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in [name for name in os.environ if name.startswith("INTEROHM_")]:
            del os.environ[name]
        if "fit" in wanted:
            draw_fit()
        if "screen" in wanted:
            interohm("screen", SCREEN, "--report", "screen.html")  # by shipped records alone
        if "explorer" in wanted:
            save_contacts()
        if "cell" in wanted:
            make_demo()
            figure = IMAGES / "band_diagram.png"
            interohm("cell", CELL, "--report", "cell.html", "--figure", figure)
        browser = Browser(Path(folder) / "chromium")
        try:
            if "cell" in wanted:
                draw_report(browser, Path("cell.html").absolute())
            if "screen" in wanted:
                draw_screening(browser, Path("screen.html").absolute())
            if "explorer" in wanted:
                with served() as address:
                    draw_explorer(browser, address)
        finally:
            browser.driver.quit()


if __name__ == "__main__":
    main(sys.argv[1:])
