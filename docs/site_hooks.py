"""Pages that `make docs` generates (commands, fields, the Python API), and copied files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]

#: Files outside of docs/ that are pages of the site.
_PAGES = {
    "benchmarks.md": "benchmarks/README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
}

#: The commented file that shows the fields of each schema.
EXAMPLES = {
    "record": "examples/record.yaml",
    "interface": "examples/interface.yaml",
    "cell": "examples/cell.yaml",
    "campaign": "examples/campaign.yaml",
    "preset": "presets/quick.yaml",
    "screen": "examples/screen.yaml",
    "design": "examples/design.yaml",
    "import": "examples/import.yaml",
    "experiment": "validation/lco-lipon-haruta-2015.yaml",
}

#: Where links to other files of the repository lead.
_COPIES = "files"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, those from the root, and the files that pages link to."""
    pages = {
        "reference/commands.md": commands_page(),
        "reference/fields.md": fields_page(results=False),
        "reference/results.md": fields_page(results=True),
        "reference/python.md": python_page(),
        "reference/device_model.md": device_model_page(),
    }
    for name, source in _PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        pages[name] = re.sub(r"\]\((\.\./)?docs/", "](", text)
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    copied = set()
    for page in list(files.documentation_pages()):
        if page.src_uri.endswith(".md"):
            copied |= {target for _, target in _outside(page.content_string, page.src_uri)}
    for target in sorted(copied - set(_PAGES.values())):
        source = ROOT / target
        if source.is_file():
            name = f"{_COPIES}/{target}"
            files.append(File.generated(config, name, content=source.read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point links out of docs/ to the copies; a folder's name stays without a link."""
    uri = page.file.src_uri
    up = "../" * uri.count("/")
    for link, target in _outside(markdown, uri):
        if target in _PAGES.values():
            page_of = {source: name for name, source in _PAGES.items()}
            markdown = markdown.replace(f"]({link}", f"]({up}{page_of[target]}")
        elif (ROOT / target).is_file():
            markdown = markdown.replace(f"]({link}", f"]({up}{_COPIES}/{target}")
        else:
            markdown = re.sub(rf"\[([^]]*)\]\({re.escape(link)}(#[^)]*)?\)", r"\1", markdown)
    return markdown


def _outside(markdown: str, uri: str) -> Iterator[tuple[str, str]]:
    """Yield the links of a page that leave docs/, with the paths that they mean from the root."""
    for link in set(re.findall(r"\]\((\.\.?/[^)#\s]+)", markdown)):
        target = (ROOT / "docs" / uri).parent.joinpath(link).resolve()
        if target.is_relative_to(ROOT) and not target.is_relative_to(ROOT / "docs"):
            if not target.exists():
                raise FileNotFoundError(f"{uri}: {link}")
            yield link, target.relative_to(ROOT).as_posix()


def commands_page() -> str:
    """Return what `--help` says of every command, by its headings."""
    import typer

    from interohm.cli import app

    lines = ["# Commands", "", "Every command, as `interohm COMMAND --help` shows it.", ""]

    def add(command: Any, words: tuple[str, ...], parent: Any, level: int) -> None:
        context = typer.Context(command, info_name=words[-1], parent=parent)
        lines.extend([f"{'#' * level} {' '.join(words)}", ""])
        lines.extend(f"    {line}".rstrip() for line in command.get_help(context).splitlines())
        lines.append("")
        for name, below in getattr(command, "commands", {}).items():
            add(below, (*words, name), context, level + 1)

    group: Any = typer.main.get_command(app)
    root = typer.Context(group, info_name="interohm")
    headings: dict[str, list[str]] = {}
    for name, command in group.commands.items():
        headings.setdefault(command.rich_help_panel, []).append(name)
    for heading, names in headings.items():
        lines.extend([f"## {heading}", ""])
        for name in names:
            add(group.commands[name], (name,), root, 3)
    return "\n".join(lines)


def fields_page(*, results: bool) -> str:
    """Return the tables of every field of the files, or of the results."""
    from interohm.cli.schema import Schema, json_schema

    title, what = (
        ("Results", "what commands print with `--json`")
        if results
        else ("Configuration fields", "the files that interohm reads")
    )
    lines = [f"# {title}", ""]
    lines.append(f"Every field of {what}. `interohm schema NAME` prints the same as JSON schema.")
    if not results:
        lines.append(
            "A `Quantity` is a plain number, or a mapping with `value`, `uncertainty`, `source` "
            "and `method`; its range is that of the value."
        )
    shown: dict[str, Any] = {}
    # an experiment repeats records and cells, which stand with their own files
    for name in sorted(Schema, key=lambda name: name == Schema.experiment):
        if name.endswith("-result") == results:
            schema = json_schema(name)
            lines.extend(["", f"## {name}", ""])
            if "properties" in schema:
                lines.extend(_object(schema))
            example = ROOT / "configs" / EXAMPLES.get(str(name), "")
            if example.is_file():
                text = example.read_text(encoding="utf-8").rstrip()
                lines.extend(["", f"A commented example ({example.name}):", ""])
                lines.extend(["```yaml", text, "```"])
            parts = {
                part: described
                for part, described in schema.get("$defs", {}).items()
                if "properties" in described
            }
            above = [part for part, described in parts.items() if shown.get(part) == described]
            for part in parts.keys() - set(above):
                shown[part] = parts[part]
            for part in parts:
                if part not in above:
                    lines.extend(["", f"### {part}", "", *_object(parts[part])])
            if above:
                lines.extend(["", f"Described above: {', '.join(f'`{part}`' for part in above)}."])
    return "\n".join([*lines, ""])


def _object(schema: dict[str, Any]) -> list[str]:
    """Return the description of an object and the table of its fields."""
    from interohm.database.columns import name_and_unit

    text = schema.get("description", "")
    rows = [text.strip(), ""] if text.strip() else []
    rows += [
        "| field | type and range | unit | default | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        unit = _UNITS.get(name, name_and_unit(name)[1]) or ""
        meaning = field["description"].removeprefix(f"{unit}; ")
        default = "required" if name in required else _default(field)
        if re.match(r"[a-z]+\b(?!\d)", meaning):  # a word, no symbol of a unit
            meaning = meaning[0].upper() + meaning[1:]
        cells = (f"`{name}`", _type(field), unit, default, meaning)
        rows.append(
            f"| {' | '.join(' '.join(c.split()).replace('|', chr(92) + '|') for c in cells)} |"
        )
    return rows


#: Units of fields whose names do not end in them.
_UNITS = {
    "area_cm2": "cm²",
    "c_rate": "1/h",
    "core_hours": "h",
    "density_per_electron": "",
    "hours": "h",
    "mu_eV": "eV",
    "spot_radius_um": "µm",
    "x50": "nm",
    "x90": "nm",
    "x99": "nm",
}


def _default(field: dict[str, Any]) -> str:
    """Return a field's default as a user writes it in YAML."""
    default = field.get("default")
    if default is None:
        return "none" if "default" in field else "empty" if "type" in field else ""
    if isinstance(default, dict) and "uncertainty" in default:
        return f"{default['value']:g} ± {default['uncertainty']:g}"
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _type(field: dict[str, Any]) -> str:
    """Return a field's type in words: alternatives, items, choices and bounds."""
    for several in ("anyOf", "oneOf", "allOf"):
        if several in field:
            return " or ".join(dict.fromkeys(_type(one) for one in field[several]))
    if "$ref" in field:
        return f"{str(field['$ref']).rpartition('/')[2]} {_limits(field)}".strip()
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    kind = str(field.get("type", "any"))
    if "prefixItems" in field:
        return f"list of {len(field['prefixItems'])}: {', '.join(map(_type, field['prefixItems']))}"
    if kind == "array":
        return f"list of {_type(field.get('items', {}))}"
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"mapping of {_type(field['additionalProperties'])}"
    return f"{kind} {_limits(field)}".strip()


def _limits(field: dict[str, Any]) -> str:
    """Return the bounds of a number or of the length of a list or a text."""
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return ", ".join(f"{sign} {field[word]:g}" for word, sign in bounds.items() if word in field)


def python_page() -> str:
    """Return the directives for all names of `import interohm`, and for the Makers."""
    import interohm
    from interohm import workflows

    names = _directives("Python", "The names of `import interohm`.", interohm)
    text = "Makers for single phases ([how they compose](../clusters.md#flows-that-compose))."
    return names + "\n" + _directives("Makers", text, workflows).replace("# Makers", "## Makers", 1)


def device_model_page() -> str:
    """Return the directives for all names of the device model."""
    from interohm import device_models

    return _directives("Device model", "The names of `interohm.device_models`.", device_models)


def _directives(title: str, text: str, package: Any) -> str:
    lines = [f"# {title}", "", text, ""]
    for name in package.__all__:
        found = getattr(package, name)
        home = getattr(found, "__module__", None)
        if home is not None and home.startswith("interohm") and hasattr(import_module(home), name):
            lines.extend([f"::: {home}.{name}", ""])
    return "\n".join(lines)
