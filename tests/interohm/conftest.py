"""Settings of every test, nothing from the user's environment; Chromium where there is one."""

from __future__ import annotations

import os
import shutil

import pytest

from interohm.settings import Settings


@pytest.fixture(autouse=True)
def _own_project(tmp_path, monkeypatch):
    """Run in an empty folder, with a database that does not exist yet."""
    for name in list(os.environ):
        if name.startswith("INTEROHM_") and not name.startswith("INTEROHM_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("MP_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def refused(interohm):
    """Return a function that runs a command line which must be refused as bad input."""

    def run(*arguments: object) -> str:
        ran = interohm(*arguments)
        assert ran.code == 2, ran
        assert ran.out == ""
        assert "Traceback" not in ran.err
        assert "fix: " in ran.err or "Usage" in ran.err
        return ran.err

    return run


@pytest.fixture(params=["folder", "server"])
def settings(request, tmp_path, monkeypatch):
    """Settings of an empty database, a folder or on a server, which commands use as well."""
    if request.param == "folder":
        monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    else:
        request.getfixturevalue("use_server")
    return Settings()


@pytest.fixture
def use_server(server_uri, server_database, monkeypatch):
    """Let commands and settings name an empty database on the server."""
    monkeypatch.setenv("INTEROHM_MONGODB_URI", server_uri)
    monkeypatch.setenv("INTEROHM_MONGODB_DATABASE", server_database)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Start Chromium without a window; skip where there is none (Debian's chromium-driver)."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("there is no Chromium with its driver here")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1500,1450",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    yield started
    started.quit()
