"""A password in an address shows nowhere: not in errors, tracebacks, files or reports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from interohm.cli import main

SECRET = "hunter2-in-the-address"
CONFIGS = Path(__file__).parents[2] / "configs"

#: Nobody listens there, or nobody could.
ADDRESSES = (
    f"mongodb://me:{SECRET}@127.0.0.1:1/",
    f"mongodb://me:{SECRET}@127.0.0.1:99999999/",
    f"mongodb://me:{SECRET}%zz@127.0.0.1:1/",
    f"mongodb://me:{SECRET}@@127.0.0.1:1/?appName={SECRET}",
    f"mongodb://me:{SECRET}@/{SECRET}?serverSelectionTimeoutMS={SECRET}",
    f"mongodb+srv://me:{SECRET}@nowhere.invalid/",
    f"http://me:{SECRET}@127.0.0.1/",
    # what people write who know no better
    f"mongodb://me:{SECRET}",
    f"mongodb://me:{SECRET}%40127.0.0.1:1/",
    f"mongodb://127.0.0.1:1;password={SECRET}",
    f"mongodb://me:x@{SECRET}/x@127.0.0.1:1/",
    f"mongodb://127.0.0.1:1/?authMechanismProperties=TOKEN_RESOURCE:a@{SECRET}",
    f"mongodb://me:{SECRET}/@127.0.0.1:1/",
    f"mongodb:/me:{SECRET}@127.0.0.1:1/",
    f"MONGODB://me:{SECRET}@127.0.0.1:1/",
)

COMMANDS = (
    ("query", "contacts"),
    ("contact", "Li", "LLZO", "--save", "--report", "report.html"),
    ("cell", CONFIGS / "examples" / "lithium-LiF-LLZO-LCO.yaml", "--save"),
    ("run", CONFIGS / "campaigns" / "demo.yaml"),
    ("submit", CONFIGS / "campaigns" / "demo.yaml"),
    ("screen", CONFIGS / "campaigns" / "screen48.yaml"),
    ("status",),
    ("rerun",),
    ("why", "Li|LLZO"),
    ("export", "materials"),
    ("migrate",),
)


@pytest.fixture(autouse=True)
def _own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("INTEROHM_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("interohm.database.storage._SERVER_TIMEOUT_MS", 20)
    monkeypatch.setattr("interohm.workflows.launchpad.PATIENCE_MS", 20)


def run(*arguments: object) -> int:
    """Run a command line in this process; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def shown(capfd: pytest.CaptureFixture[str], folder: Path) -> str:
    """Return all that was printed, and all that was written."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    kept = [path.read_bytes().decode(errors="replace") for path in files]
    return "".join([*capfd.readouterr(), *map(str, files), *kept])


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_that_lead_nowhere(
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.setenv("INTEROHM_MONGODB_URI", address)
    launchpad = tmp_path_factory.mktemp("cluster") / "my_launchpad.yaml"
    launchpad.write_text(f"host: '{address}'\nname: x\nuri_mode: true\n")
    monkeypatch.setattr("fireworks.fw_config.LAUNCHPAD_LOC", str(launchpad))
    for command in COMMANDS:
        assert run(*command, "--debug") == 2, command
    assert run("doctor", "--json", "--debug") == 1
    said = shown(capfd, tmp_path)
    assert "fix: " in said
    assert "Traceback" in said  # of --debug
    assert SECRET not in said
