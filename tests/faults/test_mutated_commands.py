"""Command lines with faults end in order: no fault of the program, no traceback, no hanging."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from mutated_commands import COMMANDS, prepared

from interohm.cli import main
from interohm.database import Database
from interohm.prediction.cell import cell_result
from interohm.prediction.contact import contact_document, contact_result
from interohm.records.shipped import shipped_material
from interohm.settings import Settings

#: One of each command in the suite, the whole by `make test-faults`.
CASES = 500 if os.environ.get("INTEROHM_TEST_FAULTS") == "long" else len(COMMANDS)
FIRST = int(os.environ.get("INTEROHM_TEST_FIRST_CASE", "0"))

#: Of processor time; a case takes a second or two.
_LONGEST_S = 120


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Parquet table and, beside it, a database with a contact."""
    folder = tmp_path_factory.mktemp("kept")
    with Database.open(Settings(data=folder / "data"), write=True) as database:
        contact = contact_document(shipped_material("Li"), shipped_material("LiF_001"), samples=10)
        database.save_contact(contact)
    path = folder / "table.parquet"
    from interohm.database.export import encoded
    from interohm.database.rows import COLUMNS

    with Database.open(Settings(data=folder / "data")) as database:
        rows = database.rows("contacts")
    path.write_bytes(encoded(rows, list(COLUMNS["contacts"]), "parquet"))
    return path


@pytest.mark.parametrize("number", range(FIRST, FIRST + CASES))
def test_mutated(
    number: int,
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    import shutil

    for name in [name for name in os.environ if name.startswith(("INTEROHM_", "JOBFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("INTEROHM_FORBID_CALCULATIONS", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copytree(table.parent / "data", tmp_path / "interohm-data")
    monkeypatch.chdir(tmp_path)
    # what a command does with its input, not how many samples it draws
    monkeypatch.setattr("interohm.prediction.sampling.DEFAULT_SAMPLES", 50)
    for predicts in (cell_result, contact_result):
        monkeypatch.setitem(predicts.__kwdefaults__, "samples", 50)
    words, done = prepared(number, tmp_path, table)

    def too_long(*_: object) -> None:
        raise AssertionError(f"longer than {_LONGEST_S} s: {words}, {done}")

    before = signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, _LONGEST_S)
    try:
        with pytest.raises(SystemExit) as ended:
            main(words)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    said = capfd.readouterr()
    told = f"{words}\n{done}\n{said.out[-500:]}\n{said.err[-3000:]}"
    assert "internal error" not in said.err, told
    assert "Traceback" not in said.err or "--debug" in words, told
    assert ended.value.code in (0, 1, 2, None), told
    if ended.value.code == 2:
        assert "fix: " in said.err or "Usage: " in said.err or "Error" in said.err, told
    assert "\x1b" not in said.out + said.err, told
