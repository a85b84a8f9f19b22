"""`interohm validate`: predictions compared with measurements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interohm.prediction.validation import Validation
    from interohm.records.experiment import Experiment

VALIDATE_EXAMPLE = "Example: interohm validate lco-lipon-haruta-2015 --json"


def validate(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Experiments; default: all shipped ones."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value, for programs.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the table to this page (.md), and a picture next to it (.svg).",
        ),
    ] = None,
) -> None:
    """Compare predictions with published measurements.

    Predicts every row of configs/validation from the shipped records. A measured resistance that
    may contain extrinsic parts is an upper limit of the intrinsic one: a prediction whose 5 %
    quantile is above it is falsified.
    """
    from interohm.cli.output import print_json, progress_bar, remark
    from interohm.prediction.validation import row_fields
    from interohm.prediction.validation import validate as compare
    from interohm.report.validation_page import check_page, write_validation_page

    if report is not None:
        check_page(report)
    experiments = _chosen(names or [])
    with progress_bar("experiments", len(experiments)) as advance:
        found = compare(experiments, progress=advance)
    fields = row_fields(found.rows)
    if as_json:
        print_json(
            {
                "rows": fields,
                "falsified": found.falsified,
                "inside_fraction": found.inside_fraction,
            }
        )
    else:
        _print_table(found)
    if report is not None:
        rows = [
            {
                **field,
                "title": row.experiment.title,
                "pair": row.pair,
                "comparison": row.measurement.comparison,
                "source": row.experiment.source,
            }
            for field, row in zip(fields, found.rows, strict=True)
        ]
        picture = write_validation_page(report, rows, _fit(experiments))
        remark(f"report: {report} with {picture}")


def _chosen(names: Sequence[str]) -> list[Experiment]:
    from interohm.errors import InputError
    from interohm.records.experiment import shipped_experiments

    known = {experiment.name: experiment for experiment in shipped_experiments()}
    for name in names:
        if name not in known:
            raise InputError(
                f"there is no experiment {name!r}",
                where="validate",
                fix=f"name one of {', '.join(known)}",
            )
    return [known[name] for name in dict.fromkeys(names or known)]


def _fit(experiments: Sequence[Experiment]) -> dict[str, Any] | None:
    """Return the prior's scale by these experiments; None of fewer than two pairs."""
    from interohm.prediction.barrier_prior import calculated_excesses, fit_scale, measured_pairs
    from interohm.records.shipped import shipped_interfaces

    pairs = measured_pairs(experiments)
    if len(pairs) < 2:
        return None
    calculated = calculated_excesses(shipped_interfaces())
    fit = fit_scale(pairs, calculated)
    one_sided = fit_scale(measured_pairs(experiments, all_one_sided=True))
    return {
        "scale_eV": fit.scale_eV,
        "range_eV": (fit.lowest_eV, fit.highest_eV),
        "measured_scale_eV": fit_scale(pairs).scale_eV,
        "one_sided_scale_eV": one_sided.scale_eV,
        "calculated": [
            {
                "pair": one.name,
                "excess_eV": one.excess_eV,
                "uncertainty_eV": one.uncertainty_eV,
                "log_score": float(one.log_score(fit.scale_eV)),
            }
            for one in fit.calculated
        ],
        "log_score": fit.log_score,
        "uniform_log_score": fit.uniform_log_score,
        "held_out": [
            {
                "pair": one.pair.name,
                "measured": 10.0**one.pair.log10_measured,
                "one_sided": one.pair.one_sided,
                "scale_eV": one.scale_eV,
                "log_score": one.log_score,
                "uniform_log_score": one.pair.uniform_log_score,
            }
            for one in fit.held_out
        ],
    }


def _print_table(found: Validation) -> None:
    from interohm.cli.output import console, table
    from interohm.results.percents import percent

    made = table("experiment", "quantity", "measured#", "5 %#", "median#", "95 %#", "verdict")
    for row in found.rows:
        numbers = (row.measurement.value, row.p05, row.p50, row.p95)
        made.add_row(
            row.experiment.name,
            ", ".join(filter(None, (row.measurement.quantity, row.measurement.place))),
            *("–" if value is None else f"{value:.3g}" for value in numbers),
            row.verdict,
        )
    console().print(made)
    inside = found.inside_fraction
    share = "nothing is comparable" if inside is None else f"{percent(inside)} of them inside"
    console().print(
        f"{len(found.rows)} number{'' if len(found.rows) == 1 else 's'}, "
        f"{len(found.comparable)} comparable: {share}, {found.falsified} falsified"
    )
