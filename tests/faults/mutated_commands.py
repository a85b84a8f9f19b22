"""Command lines with faults, in their words and in the files that they name.

Each number stands for one case, on every machine the same.
"""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mutations import ODD

from interohm.yaml_io import dump_yaml, load_yaml

CONFIGS = Path(__file__).parents[2] / "configs"
DATA = Path(__file__).parents[1] / "data"
VASP = DATA / "vasp"

#: What people and programs put where something else belongs.
WORDS = (
    *("", " ", "-", "--", "-1", "0", "1e999", "nan", "-inf", "1e-400", "9" * 400, "٣", "1,5"),
    *("Li", "LLZO", "nothing", "..", "../..", "/", ".", "/dev/null", "/etc/passwd", "~", "$HOME"),
    *("\x1b[2J", "\u202e", "\x00".replace("\x00", "\x01"), "é" * 300, "a\nb", "\udc80", "=1+1"),
    *("*", "[", "{}", "[]", "null", '{"$where": "1"}', '{"a": {"$gt": {}}}', "' OR 1=1 --"),
    *("--json", "--debug", "--help", "--where", "x < 1", "left ==", "not", "((((", "a.b.c > 1"),
    *("report.html", "folder/report.html", "x.pdf", "x.unknown", "x.parquet", "records"),
)

#: What stands in the files of programs and of attackers.
BYTES = (
    *(b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\t", b"\x1b[31m", b"\x85", b"%"),
    *(
        b"NaN",
        b"1e999",
        b"-",
        b"0",
        b": ",
        b"- ",
        b"'",
        b'"',
        b"{",
        b"]",
        b"&a *a",
        b"!!python/none",
    ),
    *(b"<<: *a", b"\xe2\x80\xae", b"---\n", b"# ", b"9" * 30, b"\xf0\x9f\x94\x8b", b"<a>", b"||"),
)


@dataclass(frozen=True)
class Command:
    """A command line that works, and what it reads.

    Parameters
    ----------
    words : tuple of str
        ``{}`` stands for the file's name.
    source : Path, optional
        The file, or the folder, that is copied beside; its copy may be changed.
    name : str
        Of the copy.
    options : tuple of tuple of str
        Of which some are added.
    """

    words: tuple[str, ...]
    source: Path | None = None
    name: str = ""
    options: tuple[tuple[str, ...], ...] = field(default_factory=tuple)


_OUTPUT = (("--json",), ("--save",), ("--report", "report.html"), ("--figure", "bands.svg"))
_ASKED = (
    *(("--where", "temperature > 1"), ("--where", "left == 'Li'"), ("--sort", "-temperature")),
    *(("--limit", "1"), ("--sort", "left"), ("--where", "space_charge")),
)
_EXAMPLES = CONFIGS / "examples"

COMMANDS: tuple[Command, ...] = (
    Command(
        ("contact", "Li", "{}"),
        _EXAMPLES / "record.yaml",
        "record.yaml",
        (
            *_OUTPUT,
            ("--temperature", "350"),
            ("--soc", "0.5"),
            ("--thickness-nm", "20"),
            ("--barrier-eV", "0.4"),
        ),
    ),
    Command(("cell", "{}"), _EXAMPLES / "lithium-LiF-LLZO-LCO.yaml", "cell.yaml", _OUTPUT),
    Command(("cell", "{}"), _EXAMPLES / "cell.yaml", "cell.yaml", _OUTPUT[:1]),
    Command(
        ("impedance", "{}", "--samples", "20"),
        _EXAMPLES / "lithium-LiPON-LCO.yaml",
        "cell.yaml",
        (*_OUTPUT, ("--soc", "0.5"), ("--temperature", "350"), ("--frequencies", "1:1e6:5")),
    ),
    Command(
        ("screen", "{}"),
        _EXAMPLES / "screen.yaml",
        "screen.yaml",
        (("--json",), ("--table",), ("--save",), ("--workers", "1"), ("--report", "report.html")),
    ),
    Command(("run", "--dry-run", "{}"), CONFIGS / "campaigns" / "demo.yaml", "demo.yaml"),
    Command(("run", "{}"), DATA / "campaigns" / "tiny.yaml", "tiny.yaml", (("--workers", "1"),)),
    Command(("submit", "{}"), CONFIGS / "campaigns" / "demo.yaml", "demo.yaml"),
    Command(("materials", "add", "{}"), _EXAMPLES / "record.yaml", "record.yaml"),
    Command(("materials", "add", "{}"), _EXAMPLES / "record_metal.yaml", "metal.json"),
    Command(("materials", "show", "{}"), _EXAMPLES / "record_metal.yaml", "m.yaml", (("--json",),)),
    Command(("materials", "export", "LiF_001"), options=(("-o", "out.yaml"),)),
    Command(("materials", "remove", "LiF_001")),
    Command(("materials", "list"), options=(("--json",),)),
    Command(("interfaces", "add", "{}"), _EXAMPLES / "interface.yaml", "interface.yaml"),
    Command(("interfaces", "show", "LiH_001-LiF_001"), options=(("--json",),)),
    Command(("query", "contacts"), options=(*_ASKED, ("--json",))),
    Command(("query", "contacts", '{"left": "Li", "potential_drop_V": {"$lt": 1}}')),
    Command(("query", "{}"), None, "table.parquet", (*_ASKED, ("--json",))),
    Command(("export", "contacts"), options=(*_ASKED, ("--format", "json"), ("-o", "c.parquet"))),
    Command(("why", "Li|LiF_001"), options=(("--json",),)),
    Command(("schema", "cell")),
    Command(("import", "{}"), _EXAMPLES / "import.yaml", "import.yaml"),
    Command(("import", "{}"), VASP / "slabs", "runs"),
    Command(("import", "{}"), VASP / "real", "runs"),
    Command(("status",)),
    Command(("rerun",)),
    Command(("migrate",)),
    Command(("init-cluster", "cluster"), options=(("--scheduler", "slurm"),)),
)


def prepared(number: int, folder: Path, table: Path) -> tuple[list[str], list[str]]:
    """Make the files of a case in a folder; return its command line, and what was done."""
    chosen = random.Random(f"case {number}")
    command = COMMANDS[number % len(COMMANDS)]
    words = list(command.words)
    for option in command.options:
        if chosen.random() < 0.4:
            words += option
    done: list[str] = []
    copied = _copy(command, folder, table)
    words = [word.format(command.name) if word == "{}" else word for word in words]
    if copied is not None and chosen.random() < 0.75:
        done.append(_change_file(chosen, copied))
    if not done or chosen.random() < 0.4:
        for _ in range(chosen.randint(1, 2)):
            done.append(_change_words(chosen, words))
    return words, done


def _copy(command: Command, folder: Path, table: Path) -> Path | None:
    if not command.name:
        return None
    target = folder / command.name
    source = table if command.source is None else command.source
    if source.is_dir():
        # some of its folders, as all take long
        shutil.copytree(source, target)
        return target
    if target.name == "import.yaml":
        shutil.copytree(VASP / "slabs", folder, dirs_exist_ok=True)
    shutil.copy(source, target)
    if source.suffix == ".yaml":
        text = source.read_text(encoding="utf-8")
        text = text.replace("../../../configs", str(CONFIGS))
        target.write_text(text.replace("../presets", str(DATA / "presets")), encoding="utf-8")
    for named in ("record.yaml", "screen48.yaml"):
        beside = command.source.with_name(named) if command.source is not None else None
        if beside is not None and beside.is_file() and not (folder / named).exists():
            shutil.copy(beside, folder / named)
    return target


def _change_words(chosen: random.Random, words: list[str]) -> str:
    if not words:
        words.append(chosen.choice(WORDS))
    place = chosen.randrange(1, len(words)) if len(words) > 1 else 0
    fault: Callable[[], object] = chosen.choice(
        [
            lambda: words.__setitem__(place, chosen.choice(WORDS)),
            lambda: words.__setitem__(place, chosen.choice(WORDS)),
            lambda: words.insert(place, chosen.choice(WORDS)),
            lambda: words.pop(place),
            lambda: words.append(words[place]),
            lambda: words.__setitem__(place, _spoilt(chosen, words[place])),
        ]
    )
    fault()
    return f"words {words!r}"


def _spoilt(chosen: random.Random, text: str) -> str:
    place = chosen.randrange(len(text) + 1)
    return text[:place] + chosen.choice(WORDS) + text[place + chosen.randrange(3) :]


def _change_file(chosen: random.Random, path: Path) -> str:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        file = chosen.choice(files)
        kind = chosen.choice(["bytes", "bytes", "cut", "gone", "folder", "empty", "twice"])
        if kind == "gone":
            file.unlink()
        elif kind == "folder":
            file.unlink()
            file.mkdir()
        elif kind == "twice":
            file.write_bytes(chosen.choice(files).read_bytes())
        elif kind == "empty":
            file.write_bytes(b"")
        else:
            _change_bytes(chosen, file, kind)
        return f"{kind} {file.relative_to(path)}"
    kind = chosen.choice(["document", "document", "document", "bytes", "cut", "bytes"])
    if kind == "document" and path.suffix in (".yaml", ".json"):
        return _change_document(chosen, path)
    _change_bytes(chosen, path, kind)
    return f"{kind} {path.name}"


def _change_bytes(chosen: random.Random, file: Path, kind: str) -> None:
    content = bytearray(file.read_bytes())
    if kind == "cut":
        file.write_bytes(content[: chosen.randrange(len(content) + 1)])
        return
    for _ in range(chosen.randint(1, 6)):
        place = chosen.randrange(len(content) + 1)
        content[place : place + chosen.choice([0, 1, 5])] = chosen.choice(BYTES)
    file.write_bytes(content)


def _change_document(chosen: random.Random, path: Path) -> str:
    document = load_yaml(path)
    said = []
    for _ in range(chosen.randint(1, 3)):
        places = list(_places(document))
        *above, last = chosen.choice(places)
        holder: Any = document
        for step in above:
            holder = holder[step]
        fault = chosen.choice(["odd", "odd", "gone", "elsewhere", "unknown"])
        if fault == "gone":
            del holder[last]
        elif fault == "unknown" and isinstance(holder, dict):
            holder[f"{last}x"] = copy.deepcopy(holder[last])
        elif fault == "elsewhere":
            value: Any = document
            for step in chosen.choice(places):
                value = value[step]
            holder[last] = copy.deepcopy(value)
        else:
            holder[last] = copy.deepcopy(chosen.choice(ODD))
        said.append(f"{fault} at {'.'.join(map(str, [*above, last]))}")
        if not document:
            break
    text = json.dumps(document) if path.suffix == ".json" else dump_yaml(document)
    path.write_text(text, encoding="utf-8")
    return ", ".join(said)


def _places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in items:
        found.append((*above, key))
        if isinstance(item, (dict, list)):
            found += _places(item, (*above, key))
    return found
