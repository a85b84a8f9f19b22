"""The colours of all figures, as the style sheet of the pages has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias

Theme: TypeAlias = Literal["light", "dark"]

#: From the least to the most of a heat map; dark text is legible on all of it.
SCALE = ((0.0, "var(--least)"), (0.5, "var(--middle)"), (1.0, "var(--most)"))


def style_sheet() -> str:
    """Return the style sheet that defines the colours."""
    return files("interohm.report").joinpath("palette.css").read_text(encoding="utf-8")


@cache
def colours(theme: Theme = "light") -> Mapping[str, str]:
    """Return the colours of a page by their names."""
    light, dark = style_sheet().split("@media")
    part = light if theme == "light" else dark
    return {name: value.strip() for name, value in re.findall(r"--([\w-]+):\s*([^;]+);", part)}


def series(count: int = 6) -> list[str]:
    """Return the colours of curves that stand side by side, for print."""
    return [colours()[f"series-{place}"] for place in range(1, count + 1)]


def coloured(value: Any, theme: Theme = "light") -> Any:
    """Replace ``var(--name)`` by its colour, everywhere in a figure."""
    if isinstance(value, str):
        name = re.fullmatch(r"var\(--([\w-]+)\)", value)
        return value if name is None else colours(theme)[name[1]]
    if isinstance(value, Mapping):
        return {key: coloured(item, theme) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [coloured(item, theme) for item in value]
    return value
