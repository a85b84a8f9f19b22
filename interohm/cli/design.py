"""`interohm design`: which coating, how thick, and what to calculate next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from interohm.records import Insulator, Metal
    from interohm.records.design import Design
    from interohm.results.design import DesignResult

DESIGN_EXAMPLE = "Example: interohm design coatings.yaml --report design.html --next campaign.yaml"

#: Of what to do next, so many are printed.
_MOST_STEPS = 8


def design(
    config: Annotated[Path, typer.Argument(help="The design in YAML; see configs/designs/.")],
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a report to this HTML file.")
    ] = None,
    next_campaign: Annotated[
        Path | None,
        typer.Option(
            "--next",
            metavar="FILE",
            help="Write the most valuable calculations as a campaign for `interohm run`.",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=30,
            max=5000,
            help="Samples of the uncertainties (default: `samples` of the design, or 200).",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Choose a coating for a contact.

    Shows the resistance over the thickness, reactions, stability windows and barriers of each
    candidate, the probability that it is the best, and which calculation would help most to decide.
    """
    from interohm.cli.named_materials import known_interfaces
    from interohm.cli.next_campaign import check_next_campaign, structures_of
    from interohm.cli.output import print_json, progress_bar, remark
    from interohm.prediction.design import candidates_of, design_result
    from interohm.records.design import load_design
    from interohm.yaml_io import check_output_path

    if report is not None:
        check_output_path(report)
    if next_campaign is not None:
        check_next_campaign(next_campaign)
    described = load_design(config)
    if samples is not None:
        described = described.model_copy(update={"samples": samples})
    left, right, coatings, notes = _materials(described, config)
    records = {one.name: one for one in (left, right, *coatings.values())}
    structures = structures_of(
        described.structures,
        config,
        records,
        {name: material.name for name, material in coatings.items()},
    )
    with progress_bar("candidates", len(candidates_of(described))) as advance:
        result = design_result(
            described, left, right, coatings, interfaces=known_interfaces(), progress=advance
        )
    if as_json:
        print_json(result.document())
    else:
        _print(result)
    if report is not None:
        from interohm.report.design import write_design_report

        write_design_report(report, [left, *coatings.values(), right], result, remarks=notes)
        remark(f"report: {report}")
    if next_campaign is not None:
        from interohm.cli.next_campaign import write_next_campaign

        write_next_campaign(
            next_campaign,
            result.design,
            result.next,
            records,
            structures,
        )


def _materials(
    described: Design, config: Path
) -> tuple[Insulator | Metal, Insulator | Metal, dict[str, Insulator], list[str]]:
    """Return the two phases, the record of each coating by what the design calls it, and notes."""
    from interohm.cli.named_materials import find_materials
    from interohm.errors import InputError
    from interohm.records import Insulator

    names, places = list(described.between), ["between[0]", "between[1]"]
    lists = {"coatings": described.coatings}
    if described.second_layer is not None:
        lists["second_layer.coatings"] = described.second_layer.coatings
    for field, entries in lists.items():
        names += [one.material for one in entries]
        places += [f"{field}[{index}].material" for index in range(len(entries))]
    where = [f"{config}: {place}" for place in places]
    found, notes = find_materials(names, relative_to=config.parent, where=where)
    coatings: dict[str, Insulator] = {}
    for name, place, material in zip(names[2:], where[2:], found[2:], strict=True):
        if not isinstance(material, Insulator):
            raise InputError(
                f"{material.name} is a metal", where=place, fix="name an insulating coating"
            )
        if material.name in {found[0].name, found[1].name}:
            raise InputError(
                f"{material.name} is one of the two phases already",
                where=place,
                fix="leave it out of the coatings",
            )
        coatings[name] = material
    return found[0], found[1], coatings, notes


def _print(result: DesignResult) -> None:
    from interohm.cli.output import console, shown, table
    from interohm.cli.tables import next_steps
    from interohm.results.percents import sampled_number

    out = console()
    bound = result.limits["interface_resistance_ohm_cm2"]
    made = table(
        "coating",
        "optimum (nm)",
        f"largest (nm) for {bound:g} Ω·cm²#",
        "median R (Ω·cm²)",
        "5 to 95 %#",
        "electron barrier (eV)",
        "nominal margin left, right (V)#",
        "verdict",
        "keeps limits, %",
        "best, %",
        title=f"{' | '.join(result.between)}, {result.temperature_K:g} K: coatings, eligible ones "
        "first, by how often they are the best, then by median R",
    )

    def share(value: float | None) -> str:
        return "–" if value is None else sampled_number(value, result.samples)

    ranked = result.ranked()
    for one in ranked:
        spread = one.quantiles.get("interface_resistance_ohm_cm2")
        made.add_row(
            one.name,
            shown(one.optimum_nm, 3),
            one.largest_text(shown),
            shown(one.interface_resistance_ohm_cm2, 3),
            "–" if spread is None else f"{spread['p05']:.2g} … {spread['p95']:.2g}",
            shown(one.electron_barrier_eV, 3),
            ", ".join(shown(side.margin_V, 2) for side in one.sides)
            or ", ".join(shown(contact.margin_V, 2) for contact in one.contacts),
            one.verdict,
            share(one.within_limits_probability),
            "–" if one.is_never_best else share(one.best_probability),
        )
    out.print(made)
    out.print(
        "eligible: each limit is kept in at least half of the samples; keeps limits: all of them "
        "at once; resistance is no such limit; in parentheses: the 68 % interval of the largest "
        "thickness, by the sampling error of the median"
    )
    out.print(conclusion(result))
    if result.margin is not None:
        out.print(result.margin.text)
    if remark := result.windows_remark():
        out.print(remark)
    for one in ranked:
        if one.verdict_text:
            out.print(f"{one.name}: {one.verdict}, {one.verdict_text}")
    for one in result.coatings:
        if len(one.layers) > 1 or one.is_modified:
            out.print(f"{one.name} at its optimum: {one.optimum_text}")
    for text in sides_text(result):
        out.print(text)
    seen = [one for candidate in ranked for one in candidate.contacts]
    for contact in seen:
        if contact.verdict in ("reacts", "may react", "outside of a window"):
            out.print(f"  {contact.left} | {contact.right}: {contact.text}")
    if result.next:
        out.print("What to do next, by gain per core-hour, measurements last:")
        for line in next_steps(result.next, _MOST_STEPS):
            out.print(line)


def sides_text(result: DesignResult) -> list[str]:
    """Return where an outer phase itself limits the margin, which no coating can mend."""
    lines = []
    for index, phase in enumerate(result.between):
        sides = {one.name: one.sides[0 if index == 0 else -1] for one in result.coatings}
        itself = [name for name, side in sides.items() if side.limited_by == f"{phase} itself"]
        if itself:
            margin = sides[itself[0]].margin_V
            which = "any of these coatings" if len(itself) == len(sides) else ", ".join(itself)
            lines.append(
                f"margin next to {phase} with {which}: limited by {phase} itself, whose window is "
                f"{margin or 0.0:.2g} V wide"
            )
    return lines


def conclusion(result: DesignResult) -> str:
    """Return what a design says, and how far the resistance of the best one is above the limit."""
    from interohm.results.percents import sampled_percent

    named = result.named()
    if result.best is None or named is None:
        text = "best: none, since no coating is eligible"
        if any(one.verdict == "eligible" for one in result.coatings):
            text = "best: none, since no candidate keeps all limits in any sample"
        if named is not None:
            text += (
                f"; {named.name} comes closest, with the lowest resistance within all limits in "
                f"{sampled_percent(named.best_probability, result.samples)} of the samples"
            )
    else:
        size = "" if named.optimum_nm is None else f" of {named.optimum_nm:.2g} nm"
        share = sampled_percent(named.best_probability, result.samples)
        text = f"best of the eligible ones: {named.name}{size}, in {share} of the samples"
        if named.at_bound == "thinnest":
            text += " (the thinnest that was asked for: resistance grows with thickness)"
    if result.none_probability >= 0.005:
        share = sampled_percent(result.none_probability, result.samples)
        samples = "the samples" if named is None else "them"
        text += f"; in {share} of {samples} no candidate {result.keeps} all limits"
    if result.best_remark:
        text += f"\nbut {result.best_remark}"
    if other := result.more_often_best():
        text += f"\n{other}"
    return text
