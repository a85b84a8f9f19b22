"""The page around figures and tables: one HTML file that loads nothing from anywhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from interohm.report.palette import style_sheet
from interohm.report.tables import Markup, markup, shown
from interohm.version import VERSION

if TYPE_CHECKING:
    Figure = dict[str, Any]

#: Whatever a browser might still try to load is forbidden.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)


def page(
    title: str,
    body: Sequence[Markup],
    figures: dict[str, Figure],
    states_of_charge: Sequence[float],
) -> str:
    """Return the whole file.

    Parameters
    ----------
    title : str
        Heading and window title.
    body : sequence of Markup
        Content between heading and footer.
    figures : dict
        Plotly figures by the names that `figure` put into the body.
    states_of_charge : sequence of float
        The slider's steps.
    """
    folder = files("interohm.report")
    style = style_sheet() + folder.joinpath("report.css").read_text(encoding="utf-8")
    # heat maps, bars and curves: a third of what the whole library has
    drawing = folder.joinpath("plotly_js", "plotly-cartesian.min.js").read_text(encoding="utf-8")
    script = folder.joinpath("report.js").read_text(encoding="utf-8")
    drawn, parts_twice = _once(figures)
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{escape(title)} – interohm</title>\n<style>{style}</style>",
        "</head>\n<body>\n<main>",
        f"<h1>{escape(title)}</h1>",
        *body,
        "<noscript><p>The figures need JavaScript; the tables do not.</p></noscript>",
        f"<footer>interohm {escape(VERSION)}, {date}</footer>\n</main>",
        _json("figures", drawn),
        _json("repeated", parts_twice),
        _json("charges", [shown(charge) for charge in states_of_charge]),
        f"<script>{drawing}</script>\n<script>{script}</script>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


#: Length of a text from which on a reference to it is clearly shorter.
_SHORTEST = 24


def _once(value: Any) -> tuple[Any, list[Any]]:
    """Return a value whose repeated parts are references, and the list that they refer to.

    Half of a page's figures is said more than once: places, styles, and curves that do not depend
    on the state of charge. ``{"again": 3}`` stands for entry 3; entries may refer to others.
    """
    texts: dict[int, str] = {}
    seen: Counter[str] = Counter()

    def count(part: Any) -> None:
        text = texts[id(part)] = _text(part)
        if len(text) < _SHORTEST:
            return
        seen[text] += 1
        if seen[text] == 1 and isinstance(part, list | dict):
            for inner in part if isinstance(part, list) else part.values():
                if isinstance(inner, list | dict | str):
                    count(inner)

    count(value)
    places: dict[str, int] = {}
    repeated: list[Any] = []

    def refer(part: Any) -> Any:
        if not isinstance(part, list | dict | str):
            return part
        text = texts.get(id(part)) or _text(part)
        if seen[text] < 2:
            return inside(part)
        if text not in places:
            places[text] = len(repeated)
            repeated.append(None)
            repeated[places[text]] = inside(part)
        return {"again": places[text]}

    def inside(part: Any) -> Any:
        if isinstance(part, list):
            return [refer(one) for one in part]
        if isinstance(part, dict):
            return {name: refer(one) for name, one in part.items()}
        return part

    return inside(value), repeated


def _text(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def _json(name: str, value: Any) -> str:
    """Return data for the script; no text in it can end the element that it stands in."""
    text = _text(value)
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f'<script type="application/json" id="{name}">{text}</script>'


def figure(name: str, description: str, *, least_px: int | None = None) -> Markup:
    """Return the place of a figure; the description is for those who cannot see it.

    With ``least_px``, it stands above the figure, too, which scrolls on a narrower page.
    """
    style = "" if least_px is None else f' style="min-width: {least_px}px"'
    place = (
        f'<div class="figure" data-figure="{name}" role="img" '
        f'aria-label="{escape(description)}"{style}></div>'
    )
    if least_px is None:
        return Markup(place)
    return Markup(f'<p class="above">{escape(description)}</p><div class="scroll">{place}</div>')


def section(heading: str, *content: Markup, note: str = "") -> Markup:
    """Return a heading with what belongs to it."""
    remark = f'<p class="note">{escape(note)}</p>' if note else ""
    return Markup(f"<section><h2>{escape(heading)}</h2>{remark}{''.join(content)}</section>")


def slider(states_of_charge: Sequence[float], opens_at: int = 0) -> Markup:
    """Return the control of the state of charge: one step each; nothing for a single state.

    The page opens at the step ``opens_at``.
    """
    if len(states_of_charge) < 2:
        return Markup("")
    marks = "".join(
        f'<option value="{index}" label="{shown(charge)}"></option>'
        for index, charge in enumerate(states_of_charge)
    )
    return Markup(
        '<div class="control"><label for="state">State of charge (0 discharged, 1 charged)</label>'
        f'<output id="charge" for="state">{shown(states_of_charge[opens_at])}</output>'
        f'<input type="range" id="state" min="0" max="{len(states_of_charge) - 1}" step="1" '
        f'value="{opens_at}" list="states" autocomplete="off">'
        f'<datalist id="states">{marks}</datalist></div>'
    )


def keys(values: Sequence[tuple[str, str, str]], state: int | None = None) -> Markup:
    """Return the numbers that matter most: label, value, remark; of one state of charge."""
    cards = "".join(
        f'<div class="key"><span>{escape(label)}</span><b>{markup(value)}</b>'
        f"<span>{markup(remark)}</span></div>"
        for label, value, remark in values
    )
    attributes = "" if state is None else f' data-state="{state}" data-kind="only"'
    return Markup(f'<div{attributes}><div class="keys">{cards}</div></div>')


def findings(lines: Sequence[str]) -> Markup:
    """Return what the reader must know first; nothing if there is nothing."""
    if not lines:
        return Markup("")
    items = "".join(f"<li>{markup(line)}</li>" for line in lines)
    return Markup(f'<div class="findings" role="note"><p>Caution</p><ul>{items}</ul></div>')


def lead(text: str) -> Markup:
    """Return the sentence below the heading."""
    return Markup(f'<p class="lead">{markup(text)}</p>')
