"""Stability windows of a campaign's phases, from its own calculations or from a file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from interohm.cli import main
from interohm.database import Database
from interohm.errors import InputError
from interohm.records import Insulator
from interohm.workflows.campaign import CampaignConfig, campaign_flow, dry_run, load_campaign
from interohm.workflows.campaign_config import PhaseDiagramConfig
from interohm.workflows.local import run_campaign
from interohm.workflows.phase_diagram import entries_of_file
from interohm.workflows.reference_elements import missing_elements
from interohm.yaml_io import dump_yaml

ROOT = Path(__file__).parents[2]
FINISHED = ROOT / "tests" / "data" / "calculations" / "quick"
#: Formation enthalpy of LiF, −616 kJ/mol, as total energies of lithium and fluorine of zero.
MEASURED = [
    {"composition": {"Li": 1}, "energy": 0.0},
    {"composition": {"F": 2}, "energy": 0.0},
    {"composition": {"Li": 4, "F": 4}, "energy": 4 * -6.38, "correction": 0.0},
]


def fluoride(entries: str, *competing: str, window: bool = False) -> CampaignConfig:
    """LiF of the demo, without the window that it is given there."""
    campaign = load_campaign(ROOT / "configs" / "campaigns" / "demo.yaml")
    phase = campaign.phases[1]
    if not window:
        phase = phase.model_copy(update={"stability_window_V": None})
    diagram = PhaseDiagramConfig(entries=entries, competing=list(competing))
    config = campaign.model_copy(update={"phases": [phase], "phase_diagram": diagram})
    config._folder = campaign.folder
    return config


@pytest.fixture
def finished(database: Database) -> Database:
    """With all calculations of the demo."""
    for path in FINISHED.glob("*.json.gz"):
        database.save_calculation(json.loads(gzip.decompress(path.read_bytes())))
    return database


def made(config: CampaignConfig, database: Database) -> Insulator:
    record = run_campaign(config, database, progress=False)["LiF"]
    assert isinstance(record, Insulator)
    return record


def test_a_window_from_a_file(finished: Database, tmp_path: Path) -> None:
    path = tmp_path / "measured.json"
    path.write_text(json.dumps(MEASURED))
    record = made(fluoride(str(path)), finished)
    assert record.stability_window_V is not None
    assert [limit.value for limit in record.stability_window_V] == pytest.approx([0, 6.38])
    assert record.stability_window_V[1].source == f"phase diagram: {path}; beyond: F2"
    assert record.provenance["phase_diagram"]["oxidized_to"] == ["F2"]


def test_a_window_that_is_given_stays(finished: Database, tmp_path: Path) -> None:
    record = made(fluoride(str(tmp_path / "not_there.json"), window=True), finished)
    assert record.stability_window_V is not None
    assert record.stability_window_V[1].value == 6.38
    assert "phase_diagram" not in record.provenance


def test_own_calculations_say_what_they_lack(finished: Database) -> None:
    record = made(fluoride("calculations"), finished)
    assert record.stability_window_V is None
    diagram = record.provenance["phase_diagram"]
    assert diagram["no_window"] == "the phase diagram lacks the element F"
    bulk, metal = (record.provenance["calculations"][role] for role in ("bulk", "metal"))
    assert diagram["entries"] == {"Li": [metal], "LiF": [bulk]}


def test_a_missing_element_is_said_before_anything_is_calculated(database: Database) -> None:
    bare = fluoride("calculations")
    assert missing_elements(bare, database) == {"LiF": ["F"]}
    molecules = PhaseDiagramConfig(entries="calculations", molecules=["F2"])
    assert missing_elements(bare.model_copy(update={"phase_diagram": molecules}), database) == {}
    assert missing_elements(fluoride("calculations", window=True), database) == {}
    assert missing_elements(fluoride("not_there.json"), database) == {}
    # A crystal of the element in the database does, if it was calculated alike.
    metal = next(
        one
        for path in FINISHED.glob("*.json.gz")
        if (one := json.loads(gzip.decompress(path.read_bytes())))["kind"] == "static"
        and len(one["structure"]["sites"]) == 1
    )
    fluorine = json.loads(json.dumps(metal).replace('"Li"', '"F"')) | {"hash": "f" * 64}
    database.save_calculation(
        fluorine | {"settings": {**fluorine["settings"], "cutoff_eV": 300}, "hash": "e" * 64}
    )
    assert missing_elements(bare, database) == {"LiF": ["F"]}
    database.save_calculation(fluorine)
    assert missing_elements(bare, database) == {}


def test_the_command_says_what_windows_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    with Database.open(write=True) as database:
        for path in FINISHED.glob("*.json.gz"):
            database.save_calculation(json.loads(gzip.decompress(path.read_bytes())))
    config = fluoride("calculations").model_dump(mode="json", exclude_none=True)
    folder = ROOT / "configs" / "structures"
    config["metal_structure"] = str(folder / "Li.cif")
    config["phases"][0]["structure"] = str(folder / "LiF.cif")
    (tmp_path / "campaign.yaml").write_text(dump_yaml(config))
    with pytest.raises(SystemExit) as caught:
        main(["run", str(tmp_path / "campaign.yaml"), "--dry-run"])
    assert caught.value.code in (0, None)
    warning = "LiF: no stability window can be computed without the energy of F"
    assert warning in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main(["run", str(tmp_path / "campaign.yaml")])
    assert caught.value.code in (0, None)
    said = capsys.readouterr().err
    assert warning in said
    assert "LiF: no stability window: the phase diagram lacks the element F" in said


def test_competing_phases_are_planned(finished: Database) -> None:
    """Those of the phase's own elements only."""
    structures = ROOT / "configs" / "structures"
    config = fluoride("calculations", f"{structures}/Li.cif", f"{structures}/Li2O.cif")
    labels = [row.label for row in dry_run(config, finished)]
    assert not [label for label in labels if label.startswith("Li2O")]
    jobs = [job.name for job, _ in campaign_flow(config).iterflow()]
    assert "Li: bulk" in jobs


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"composition": {"Li": 1}}]', "cannot be read as entries"),
        ('{"@module": "os", "@class": "system"}', "cannot be read as entries"),
        ("[1, 2]", "cannot be read as entries"),
        (json.dumps(MEASURED[:1]), "lacks the element F"),
        (json.dumps([*MEASURED[:2], {**MEASURED[2], "energy": 1.0}]), "LiF is not stable"),
    ],
)
def test_a_file_that_does_not_do(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "entries.json"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        campaign_flow(fluoride(str(path)))


def test_entries_as_pymatgen_writes_them() -> None:
    path = ROOT / "tests" / "data" / "vasp" / "stable_entries_Mg_Ga_N.json"
    entries = entries_of_file(path, where="test")
    assert len(entries) == 10
    assert min(e.energy_per_atom for e in entries) == pytest.approx(-8.336, abs=1e-3)


def test_the_materials_project_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MP_API_KEY", "INTEROHM_MATERIALS_PROJECT_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=r"phase diagram of F-Li.*no key is set"):
        campaign_flow(fluoride("materials_project"))


def test_phases_compete_among_own_calculations_only() -> None:
    with pytest.raises(ValueError, match="leave them out"):
        PhaseDiagramConfig(entries="materials_project", competing=["F2.cif"])
