"""What commands print: nothing that a terminal acts on, in order whatever the stream is."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from interohm.cli.output import console, cut, table
from interohm.database import Database
from interohm.database.export import encoded

ESCAPES = "\x1b[2J\x1b]0;title\x07\x9b31m\u202e\x08"


def odd_contact(text):
    return {
        "left": text,
        "right": "LLZO",
        "temperature_K": 300.0,
        "resistance": {"interface_resistance_ohm_cm2": 1.0, "reason": text},
    }


def acts(text):
    return [c for c in text if (ord(c) < 32 and c not in "\n\t") or c in "\x7f\x9b\u202e\u200b"]


@pytest.mark.parametrize(
    "command",
    [
        ("query", "contacts", "--sort", "reason"),
        ("query", "contacts", "--json"),
        ("export", "contacts"),
        ("materials", "show", ESCAPES),
        ("materials", "add", f"{ESCAPES}.yaml"),
        ("query", "contacts", "--where", f"left == '{ESCAPES}'"),
        ("why", ESCAPES),
        ("query", f"{ESCAPES}.parquet"),
    ],
)
def test_escape_sequences_of_others(settings, interohm, command):
    with Database.open(settings, write=True) as database:
        database.save_contact(odd_contact(f"Li{ESCAPES}"))
    ran = interohm(*command)
    assert ran.code in (0, 2)
    assert ran.out + ran.err
    assert not acts(ran.out + ran.err)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "' =1"),
        ("\r=1", "\\r=1"),
        (" =1", "' =1"),
        ("＝1", "'＝1"),
        ("Li", "Li"),
        ("a=b", "a=b"),
    ],
)
def test_csv_has_no_formulas(text, shown):
    content = encoded(
        [{"left": text, "potential_drop_V": -1.5}], ["left", "potential_drop_V"], "csv"
    )
    [_, row] = csv.reader(io.StringIO(content.decode()))
    assert row == [shown, "-1.5"]  # a number stays one


def test_long_messages_are_cut():
    assert cut("\n".join(map(str, range(30)))) == "\n".join(map(str, range(30)))
    lines = cut("\n".join(map(str, range(31)))).splitlines()
    assert len(lines) == 31
    assert lines[-1] == "... and 1 more lines"
    assert cut("x" * 10_000) == "x" * 3000 + " ... and 7000 more characters"


def test_a_file_with_a_thousand_faults_gets_a_short_message(refused, tmp_path):
    file = tmp_path / "bad.json"
    file.write_text('{"kind": "insulator", ' + ", ".join(f'"f{i}": 1' for i in range(1000)) + "}")
    said = refused("materials", "add", file)
    assert "unknown field" in said
    assert len(said) < 4000
    assert "more problems" in said


PROGRAM = [sys.executable, "-m", "interohm"]


def run(*words, **kwargs):
    environment = {**os.environ, **kwargs.pop("environment", {})}
    return subprocess.run(
        [*PROGRAM, *words], env=environment, capture_output=True, timeout=120, **kwargs
    )


def test_a_terminal_without_unicode():
    ascii_alone = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    ran = run("materials", "show", "LiF_001", environment=ascii_alone)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.isascii()
    assert b"+-" in ran.stdout
    # what programs read is what it is elsewhere
    exported = run("materials", "export", "LLZO", environment=ascii_alone)
    assert exported.stdout == run("materials", "export", "LLZO").stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "| (exec <&-; sleep 4)"])
def test_streams_that_are_closed(closed):
    ran = subprocess.run(
        ["bash", "-c", f"{' '.join(PROGRAM)} materials show LiF_001 {closed}"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in ran.stderr
    assert "fault" not in ran.stderr
    assert "Error" not in ran.stderr


def test_ctrl_c_while_it_begins():
    """From when the program's own first line runs to after its imports."""
    begin = "import interohm.__main__ as m; print(flush=True); m.main()"
    for place in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", begin, "contact", "Li", "LLZO"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as ran:
            ran.stdout.readline()
            time.sleep(0.01 + 0.2 * place)
            ran.send_signal(signal.SIGINT)
            _, said = ran.communicate(timeout=120)
        assert "Traceback" not in said, said
        assert ran.returncode in (0, 130, -signal.SIGINT)


@pytest.mark.parametrize(("given", "threads"), [(None, "1"), ("3", "3")])
def test_linear_algebra_has_one_thread_unless_told_otherwise(given, threads):
    """The variable must be there before any library reads it."""
    show = (
        "import atexit, os, sys, interohm.__main__ as m; print('numpy' in sys.modules);"
        "atexit.register(lambda: print(os.environ['OMP_NUM_THREADS'])); m.main()"
    )
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    if given is not None:
        environment["OMP_NUM_THREADS"] = given
    ran = subprocess.run(
        [sys.executable, "-c", show, "--version"],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )
    assert ran.stdout.split()[0] == "False"
    assert ran.stdout.split()[-1] == threads


WIDE_CELLS = ("1", "Li10GeP2S12", "LiNi0.8Mn0.1Co0.1O2 (110)", *["1.234e+05"] * 9)


def wide_table(repeats=1):
    headings = ["resistance (Ω·cm²)", "electron barrier (eV)", "margin negative (V)"] * 3
    made = table("#", "electrolyte", "positive", *headings, title="best")
    for _ in range(repeats):
        made.add_row(*WIDE_CELLS)
    return made


def test_a_table_gets_the_width_it_needs_where_the_output_is_no_terminal(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    out = console()
    out.print(wide_table())
    out.print("word " * 100)
    printed = stream.getvalue().splitlines()
    assert any(all(cell in line for cell in WIDE_CELLS) for line in printed)
    assert any(line.count("electron barrier (eV)") == 3 for line in printed)
    # what follows is as wide as ever
    assert max(len(line) for line in printed if line.startswith("word")) <= 160


@pytest.mark.parametrize("columns", [60, 80, 130, 170, 400])
def test_a_terminal_shows_whole_words_and_all_columns(monkeypatch, columns):
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    out = console()
    assert out.width == columns
    out.print(wide_table())
    printed = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    assert max(len(line) for line in printed.splitlines()) <= columns
    words = printed.split()
    expected = [word for cell in WIDE_CELLS[1:] for word in cell.split()]
    expected += ["resistance", "(Ω·cm²)", "electron", "barrier", "negative"] * 3
    assert {word: words.count(word) for word in expected} == {
        word: expected.count(word) for word in expected
    }
    assert words.count("best") == 1
