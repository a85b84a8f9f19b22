"""Predictions beside measured values: a table in Markdown, and a picture of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from interohm.errors import InputError
from interohm.report.palette import colours
from interohm.yaml_io import check_output_path, write_bytes, write_text

BEGIN, END = "<!-- validate: begin -->\n", "<!-- validate: end -->\n"
_HEAD = "# Predictions compared with measurements\n\n"
_UNITS = {
    "interface_resistance_ohm_cm2": "R (Ω·cm²)",
    "interface_resistance_ratio": "ratio of R",
    "activation_energy_eV": "E_a (eV)",
    "potential_drop_V": "drop, without sign (V)",
    "capacitance_uF_cm2": "C (µF/cm²)",
    "thickness_nm": "x90 (nm)",
    "z_real_ohm_cm2": "Re Z (Ω·cm²)",
    "process_activation_energy_eV": "E_a (eV)",
}
#: How a measured value is compared, in words.
COMPARED = {"two_sided": "both sides", "upper_bound": "upper limit", "told": "not compared"}
#: Colours of verdicts.
VERDICT_COLOURS = {
    "inside": "series-1",
    "above": "series-2",
    "below": "series-2",
    "falsified": "series-2",
    "not comparable": "series-6",
}


def check_page(path: Path) -> None:
    """Refuse a page that is no Markdown, has no place for the table, or cannot be written.

    Raises
    ------
    InputError
        The page cannot be written there.
    """
    if path.suffix != ".md":
        raise InputError(
            "the page is written in Markdown", where=str(path), fix="give it a name ending in .md"
        )
    check_output_path(path)
    _text(path)


def _text(path: Path) -> str:
    text = path.read_text(encoding="utf-8") if path.exists() else _HEAD + BEGIN + END
    if BEGIN not in text or END not in text:
        raise InputError(
            "the page has no place for the table",
            where=str(path),
            fix=f"put the lines {BEGIN.strip()} and {END.strip()} where it belongs, or name a "
            "file that is not there yet",
        )
    return text


def write_validation_page(
    path: Path, rows: Sequence[Mapping[str, Any]], fit: Mapping[str, Any] | None
) -> Path:
    """Write the table into a page, and its picture beside it; return the picture's path.

    A page that has the two marks keeps all that stands around them.

    Parameters
    ----------
    path : Path
        Ends in ``.md``.
    rows : sequence of mapping
        With ``title``, ``pair``, ``comparison`` and ``source`` beside the fields of
        ``interohm validate --json``.
    fit : mapping, optional
        Fit of the prior's scale: ``scale_eV``, ``range_eV``, ``log_score``, ``uniform_log_score``,
        ``held_out``, ``calculated``, ``measured_scale_eV`` and ``one_sided_scale_eV``.
    """
    picture = path.with_suffix(".svg")
    inner = "\n".join([*_summary(rows, picture.name), "", *_table(rows), "", *_fit(fit)]) + "\n"
    text = _text(path)
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    write_bytes(picture, _picture(rows))
    write_text(path, pattern.sub(lambda _: BEGIN + inner + END, text, count=1))
    return picture


def _summary(rows: Sequence[Mapping[str, Any]], picture: str) -> list[str]:
    compared = [row for row in rows if row["verdict"] != "not comparable"]
    inside = sum(row["verdict"] == "inside" for row in compared)
    two = sum(row["comparison"] == "two_sided" for row in compared)
    falsified = sum(row["verdict"] == "falsified" for row in compared)
    widths = [
        (_decades(row), row["pair"]) for row in compared if row["quantity"].endswith("ohm_cm2")
    ]
    lines = [
        f"Numbers: {len(rows)}. Compared: {len(compared)} ({two} on both sides, "
        f"{len(compared) - two} as upper limits). Inside: {inside}. Falsified: {falsified}.",
    ]
    if widths:
        widest, pair = max(widths)
        lines[0] += f" The widest interval of a resistance, {pair}, has {widest:.1f} decades."
    return [*lines, "", f"![Predicted intervals and measured resistances]({picture})"]


def _decades(row: Mapping[str, Any]) -> float:
    return math.log10(row["p95"] / row["p05"])


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "| what | quantity | measured | predicted: 5, 50, 95 % | compared | verdict | source |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        predicted = "–"
        if row["p50"] is not None:
            predicted = ", ".join(_short(row[name]) for name in ("p05", "p50", "p95"))
        cells = (
            row["title"].replace("|", "/"),
            ", ".join(filter(None, (_UNITS[row["quantity"]], row.get("place")))),
            "–" if row["measured"] is None else f"{row['measured']:g}",
            predicted,
            COMPARED[row["comparison"]],
            row["verdict"],
            row["source"].replace("|", "/"),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _short(value: float) -> str:
    return f"{value:.2g}" if 1e-3 <= abs(value) < 1e4 else f"{value:.0e}"


def _fit(fit: Mapping[str, Any] | None) -> list[str]:
    if fit is None:
        return []
    low, high = fit["range_eV"]
    lines = [
        "Scale of the prior of contact barriers from all pairs and the calculated barriers: "
        f"{fit['scale_eV']:.3f} eV ({low:.3f} to {high:.3f}). The measured pairs alone give "
        f"{fit['measured_scale_eV']:.3f} eV, and {fit['one_sided_scale_eV']:.3f} eV if all of them "
        "are upper limits. Sum of the log scores of the pairs, each at the scale that the others "
        f"give: {fit['log_score']:.2f}; of a uniform density: {fit['uniform_log_score']:.2f}.",
        "",
        "| pair | measured (Ω·cm²) | compared | scale from the others (eV) | log score | uniform |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in fit["held_out"]:
        lines.append(
            f"| {one['pair'].replace('|', '/')} | {_short(one['measured'])} | "
            f"{'upper limit' if one['one_sided'] else 'both sides'} | {one['scale_eV']:.3f} | "
            f"{one['log_score']:.2f} | {one['uniform_log_score']:.2f} |"
        )
    if fit["calculated"]:
        lines += ["", "| interface | calculated ΔE_c (eV) | log score |", "| --- | --- | --- |"]
    for one in fit["calculated"]:
        lines.append(
            f"| {one['pair'].replace('|', '/')} | {one['excess_eV']:+.2f} ± "
            f"{one['uncertainty_eV']:.2f} | {one['log_score']:.2f} |"
        )
    return lines


def _picture(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw intervals of the compared resistances as bars, measured values as marks."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = [
        row
        for row in rows
        if row["quantity"] == "interface_resistance_ohm_cm2" and row["verdict"] != "not comparable"
    ]
    shown.sort(key=lambda row: (row["pair"], row["measured"]))
    figure = Figure(figsize=(9.0, 1.4 + 0.34 * max(len(shown), 1)), layout="constrained")
    axes = figure.subplots()
    named = colours()
    for index, row in enumerate(shown):
        colour = named[VERDICT_COLOURS[row["verdict"]]]
        axes.plot([row["p05"], row["p95"]], [index, index], color=colour, lw=6, alpha=0.35)
        axes.plot([row["p50"]], [index], "|", color=colour, ms=13, mew=2)
        # an arrow to the left: the intrinsic value lies there or below
        mark = "o" if row["comparison"] == "two_sided" else "<"
        axes.plot([row["measured"]], [index], mark, color="black", ms=6)
    axes.set_xscale("log")
    axes.set_yticks(range(len(shown)), [row["title"] for row in shown], fontsize=8)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlabel(
        "interface resistance (Ω·cm²)\nbar: 5 to 95 %, line: median, ●: measured, ◀: upper limit"
    )
    axes.grid(axis="x", color=named["grid"], lw=0.6)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    drawn = BytesIO()
    with mpl.rc_context({"svg.hashsalt": "interohm"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()
