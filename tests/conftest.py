"""What the tests of all folders share."""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from interohm.cli import main

# No test fails because a machine is slow. In CI, Hypothesis has such a profile of its own.
if settings.get_current_profile_name() == "default":
    settings.register_profile(
        "slow machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("slow machine")

# Where tests find what writes VASP's files, what plans in a process of its own, what reads a
# report's figures, and the script of a page's tables.
sys.path.insert(0, str(Path(__file__).parent / "vasp_files"))
sys.path.insert(0, str(Path(__file__).parent / "workflows"))
sys.path.insert(0, str(Path(__file__).parent / "interohm" / "report"))
sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))


class Ran(NamedTuple):
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True, scope="session")
def plans_of_these_tests(tmp_path_factory):
    """Keep plans apart from those of the user who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def interohm(capfd, monkeypatch):
    """Return a function that runs a command line in this process."""
    # what a command prints does not hang on how fast the machine is
    monkeypatch.setattr("interohm.cli.output._FIRST_LINE_S", 3600.0)

    def run(*arguments: object) -> Ran:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return Ran(ended.value.code or 0, *capfd.readouterr())

    return run


@pytest.fixture
def few_samples(monkeypatch):
    """Let predictions of cells draw few samples: for tests of what does not hang on how many."""
    from interohm.prediction import sampling
    from interohm.prediction.cell import cell_result

    monkeypatch.setitem(cell_result.__kwdefaults__, "samples", 50)
    monkeypatch.setattr(sampling, "DEFAULT_SAMPLES", 50)  # what commands ask for


@pytest.fixture
def server_uri() -> str:
    """Return the address of a MongoDB server that may be written to."""
    uri = os.environ.get("INTEROHM_TEST_MONGODB_URI")
    if uri is None:
        pytest.skip("INTEROHM_TEST_MONGODB_URI names no server")
    return uri


@pytest.fixture
def server_database(server_uri) -> Iterator[str]:
    """Yield the name of a database that does not exist yet on the server; it is dropped."""
    from pymongo import MongoClient

    name = f"interohm_test_{os.getpid()}_{time.time_ns()}"
    yield name
    with MongoClient(server_uri) as client:
        client.drop_database(name)


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest, so that no processor ends with one alone."""
    long = {item.path for item in items if any(map(item.get_closest_marker, ("dft", "slow")))}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(autouse=True)
def no_calculation_unasked(request, monkeypatch):
    """Let calculations start in tests that are about them, and on the tests' cluster."""
    about_them = any(request.node.get_closest_marker(name) for name in ("dft", "calculates"))
    if not about_them and "cluster" not in request.path.parts:
        monkeypatch.setenv("INTEROHM_FORBID_CALCULATIONS", "1")


def pytest_sessionfinish(session):
    """Count GPAW's calculations; one that is stored and was calculated anew is a failure."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is None or hasattr(session.config, "workerinput"):
        return
    folders = [log.parent for log in factory.getbasetemp().rglob("gpaw.txt")]
    anew = _stored_before(folders)
    session.config.stash[_CALCULATIONS] = (len(folders), anew)
    if anew and session.exitstatus == 0:
        session.exitstatus = 1


_CALCULATIONS = pytest.StashKey[tuple[int, list[Path]]]()
_STORED = Path(__file__).parent / "data" / "calculations"


def _stored_before(folders: list[Path]) -> list[Path]:
    """Return the folders of calculations that the program or the tests' data have."""
    if not folders:
        return []
    from interohm.database.shipped_calculations import shipped_calculation, shipped_hashes
    from interohm.postprocess.calculation import Calculation
    from interohm.workflows.engines.request import CalculationRequest
    from interohm.workflows.equivalents import request_of_calculation, setting_of

    stored: dict[str, list[CalculationRequest]] = {}
    documents = [shipped_calculation(hash) for hash in shipped_hashes()]
    documents += [json.loads(gzip.decompress(p.read_bytes())) for p in _STORED.rglob("*.json.gz")]
    for document in documents:
        known = request_of_calculation(Calculation.model_validate(document))
        stored.setdefault(known.key, []).append(known)
    anew = []
    for folder in folders:
        if not (folder / "request.json").is_file():
            continue
        asked = CalculationRequest.model_validate_json((folder / "request.json").read_bytes())
        if any(setting_of(asked, known) is not None for known in stored.get(asked.key, [])):
            anew.append(folder)
    return anew


def pytest_terminal_summary(terminalreporter, config):
    """Say how many calculations the tests ran."""
    count, anew = config.stash.get(_CALCULATIONS, (0, []))
    terminalreporter.write_line(f"{count} GPAW calculations were run by these tests")
    for folder in anew:
        terminalreporter.write_line(f"calculated anew although it is stored: {folder}", red=True)
