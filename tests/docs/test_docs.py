"""The documentation is true: its examples run, and what it names exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/python.md", "docs/python-api.md")


def examples() -> Iterator[tuple[str, str]]:
    """Every block of Python with the page and line where it begins."""
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for block in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, block.start()) + 1
            yield f"{page}:{line}", block[1]


EXAMPLES = dict(examples())


@pytest.mark.parametrize("place", EXAMPLES)
def test_examples_run(
    place: str,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    # a flow makes the folder of its results
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path_factory.mktemp("data")))
    exec(compile(EXAMPLES[place], place, "exec"), {"__name__": "example"})
    printed = capsys.readouterr().out
    assert printed
    assert "nan" not in printed
    assert not list(tmp_path.iterdir())


def test_public_names_exist_and_every_part_has_an_example() -> None:
    from interohm import device_models

    assert all(hasattr(device_models, name) for name in device_models.__all__)
    shown = set(re.findall(r"\w+", "".join(EXAMPLES.values()))) & set(device_models.__all__)
    parts = {"half_space", "contact", "layer", "coated_contact", "solve_stack", "ButlerVolmer"}
    parts |= {"MarcusHushChidsey", "layer_leakage", "delta_cpd_V", "decompose"}
    parts |= {"first_order_sensitivity", "minimum_interface_mu", "apparent_activation_energy_eV"}
    assert shown >= parts


@cache
def names_in(path: Path) -> frozenset[str]:
    """Functions and classes of a file, methods as ``Class.method``, and its constants."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{m.name}" for m in node.body if isinstance(m, ast.FunctionDef)}
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(found)


PHYSICS = (ROOT / "docs/physics.md").read_text(encoding="utf-8")
ENTRIES = {
    entry[1]: entry[0]
    for entry in re.finditer(
        r"^\*\*(\d+\.\d+) .*?(?=^\*\*\d|^## )", PHYSICS, re.MULTILINE | re.DOTALL
    )
}


def test_what_the_physics_page_names_exists() -> None:
    named = re.findall(r"`([\w/]+\.py)::([\w.]+)`", PHYSICS)
    assert len(named) > 200
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file() or name not in names_in(ROOT / file)
    ]
    assert missing == []


@pytest.mark.parametrize("number", ENTRIES)
def test_every_equation_has_source_code_and_test(number: str) -> None:
    lines = {
        kind: re.search(rf"^- {kind}:(.*?)(?=^- |^$|\Z)", ENTRIES[number], re.MULTILINE | re.DOTALL)
        for kind in ("Source", "Code", "Test")
    }
    assert all(lines.values()), number
    code, test = (re.findall(r"`([\w/]+)\.py::", lines[kind][1]) for kind in ("Code", "Test"))
    assert code
    assert not any(file.startswith("tests/") for file in code)
    assert all(file.startswith("tests/") for file in test)
    assert test or re.search(r"as (\d+\.\d+)", lines["Test"][1])


def test_every_source_of_the_physics_page_is_in_its_list() -> None:
    listed = set(re.findall(r"^\| ([\w ]+ \d{4}) \|", PHYSICS, re.MULTILINE))
    text = PHYSICS.partition("\n## Sources\n")[0]
    used = set(re.findall(r"\b((?:de )?[A-Z]\w+ (?:19|20)\d\d)\b", text))
    assert used == listed


def test_commands_of_the_pages_exist_and_name_files_that_the_examples_have() -> None:
    """Each command line of README and docs: a command that there is, files that can be copied."""
    import typer

    from interohm.cli import app
    from interohm.cli.examples import FOLDERS

    group = typer.main.get_command(app)
    lines = [
        (page.name, line)
        for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
        for line in re.findall(
            r"^    (interohm .*)$", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert len(lines) > 40
    for page, line in lines:
        word = line.split()[1]
        assert word in group.commands or word.startswith("-"), f"{page}: {line}"
        for name in re.findall(r"\bconfigs/[\w./-]+\.\w+", line):
            assert (ROOT / name).is_file(), f"{page}: {line}"
            assert name.split("/")[1] in FOLDERS, f"{page}: {line}"
