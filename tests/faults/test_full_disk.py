"""A disk that is full: said so, nothing torn, and gone on with once there is space."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interohm.database import Database
from interohm.errors import InputError
from interohm.records.shipped import shipped_material
from interohm.settings import Settings

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("file systems may not be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Leave no block free; return what takes the place."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    assert os.statvfs(disk).f_bavail == 0
    return ballast


def contact(number: int) -> dict[str, object]:
    """A result with profiles of some size."""
    return {
        "left": "Li",
        "right": f"phase{number}",
        "temperature_K": 300.0,
        "resistance": {"interface_resistance_ohm_cm2": 1.0},
        "profile": {"x_nm": [number + 0.1 * point for point in range(2000)]},
    }


def test_results_until_it_is_full(disk: Path) -> None:
    own = Settings(data=disk / "data")
    saved = 0
    with Database.open(own, write=True) as database:
        try:
            while saved < 1000:
                database.save_contact(contact(saved))
                saved += 1
        except InputError as error:
            refused = error
    assert "the database cannot be used" in refused.what
    assert refused.fix
    assert saved > 5
    # Reading goes on, and finds each one whole.
    with Database.open(own) as database:
        found = database.query("contacts")
        assert sorted(one["right"] for one in found) == sorted(f"phase{n}" for n in range(saved))
        for one in found:
            assert len(database.with_profiles(one)["profile"]["x_nm"]) == 2000
        assert not list((disk / "data" / "blobs").glob("tmp*"))


@pytest.mark.calculates
def test_commands_on_a_full_disk(disk: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "INTEROHM_DATA": str(disk / "data"), "OMP_NUM_THREADS": "1"}
    environment.pop("INTEROHM_MONGODB_URI", None)

    def interohm(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "interohm", *map(str, arguments)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )

    with Database.open(Settings(data=disk / "data"), write=True) as database:
        database.save_material(shipped_material("Li"))
    ballast = fill(disk)
    for command in (
        ("run", CONFIGS / "campaigns" / "demo.yaml"),
        ("contact", "Li", "LLZO", "--save"),
        ("contact", "Li", "LLZO", "--report", disk / "report.html"),
        ("screen", CONFIGS / "campaigns" / "screen48.yaml"),
        ("export", "materials", "-o", disk / "materials.json"),
    ):
        ran = interohm(*command)
        assert ran.returncode == 2, (command, ran)
        assert "fix: " in ran.stderr, (command, ran)
        assert "Traceback" not in ran.stderr
    assert json.loads(interohm("query", "materials", "--json").stdout)[0]["name"] == "Li"
    left = {path.name for path in disk.rglob("*") if path.is_file() and path != ballast}
    assert not {name for name in left if name.startswith((".report", ".materials", "tmp"))}
    ballast.unlink()
    assert interohm("contact", "Li", "LLZO", "--save").returncode == 0
