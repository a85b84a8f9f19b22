"""Every kind of file that users write, with faults in it: it is taken, or an error says why not."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutated

from interohm.database import Database
from interohm.database.shipped_calculations import shipped_calculation
from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.records import load_material, material_document, material_from
from interohm.records.cell_config import load_cell
from interohm.records.shipped import shipped_material
from interohm.screening.config import load_screen
from interohm.settings import Settings
from interohm.workflows import launchpad
from interohm.workflows.calculations import find_calculation
from interohm.workflows.campaign import dry_run
from interohm.workflows.campaign_config import load_campaign
from interohm.workflows.presets import load_preset
from interohm.workflows.vasp_import_config import load_import
from interohm.yaml_io import dump_yaml, load_yaml

CONFIGS = Path(__file__).parents[2] / "configs"
EXAMPLES = 2000 if os.environ.get("INTEROHM_TEST_FAULTS") == "long" else 60

FAULTY = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


def preset(path: Path) -> object:
    return load_preset(str(path))


def import_config(path: Path) -> object:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, Path(folder) / "import.yaml")
        return load_import(Path(folder))


#: Which function reads which shipped file.
READERS: dict[str, Callable[[Path], object]] = {
    "examples/cell.yaml": load_cell,
    "examples/lithium-LiF-LLZO-LCO.yaml": load_cell,
    "examples/lithium-LiPON-LCO.yaml": load_cell,
    "examples/campaign.yaml": load_campaign,
    "campaigns/electrodes.yaml": load_campaign,
    "examples/screen.yaml": load_screen,
    "examples/record.yaml": load_material,
    "examples/record_metal.yaml": load_material,
    "examples/import.yaml": import_config,
    "presets/quick.yaml": preset,
    "presets/vasp.yaml": preset,
}


def check(reader: Callable[[Path], object], document: dict[str, Any]) -> None:
    """Read a document from a file: it is taken, or refused in the one way."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "faulty.yaml"
        path.write_text(dump_yaml(document), encoding="utf-8")
        with contextlib.suppress(InputError):
            reader(path)


def faults_of(name: str) -> Callable[[], None]:
    """Return the property of one kind of file, for Hypothesis or a fuzzer to refute."""
    reader = READERS[name]

    @FAULTY
    @given(mutated(load_yaml(CONFIGS / name)))
    def faulty(document: dict[str, Any]) -> None:
        check(reader, document)

    return faulty


@pytest.mark.parametrize("name", READERS)
def test_configs(name: str) -> None:
    READERS[name](CONFIGS / name)
    faults_of(name)()


def test_campaigns_are_planned() -> None:
    """Past the reading: structures, facets, defects and settings that fit together or do not."""
    document = load_yaml(CONFIGS / "campaigns" / "demo.yaml")

    def plan(path: Path) -> object:
        config = load_campaign(path)
        config._folder = CONFIGS / "campaigns"
        with Database.open(Settings(data=path.parent / "data")) as database:
            return dry_run(config, database)

    @settings(FAULTY, max_examples=EXAMPLES // 4)
    @given(mutated(document))
    def faulty(document: dict[str, Any]) -> None:
        check(plan, document)

    faulty()


def test_launchpads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launchpad, "PATIENCE_MS", 1)
    document = load_yaml(CONFIGS / "cluster" / "my_launchpad.yaml") | {"port": 1}

    def reader(path: Path) -> None:
        monkeypatch.setattr(launchpad, "launchpad_file", lambda: path)
        with launchpad.open_launchpad():
            pass

    @settings(FAULTY, max_examples=EXAMPLES // 4)
    @given(mutated(document))
    def faulty(document: dict[str, Any]) -> None:
        check(reader, document)

    faulty()


@FAULTY
@given(data=st.data())
def test_records_of_a_database(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["LLZO", "LiF_001", "Li", "LiC6"]))
    document = data.draw(mutated(material_document(shipped_material(name))))
    with contextlib.suppress(InputError):
        material_from(document, where="test")


BULK = shipped_material("LiF_001").provenance["calculations"]["bulk"]


@settings(FAULTY, max_examples=EXAMPLES // 2)
@given(mutated(json.loads(json.dumps(shipped_calculation(BULK)))))
def test_calculations_of_a_database(document: dict[str, Any]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Database.open(Settings(data=Path(folder)), write=True) as database,
    ):
        database._backend.collection("calculations").insert_one({**document, "_id": BULK})
        with contextlib.suppress(InputError):
            found = find_calculation(database, BULK)
            assert found is None or isinstance(found, Calculation)
