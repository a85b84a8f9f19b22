"""`interohm doctor`: what works on this machine, and what is missing."""

from __future__ import annotations

from typing import Annotated

import typer

DOCTOR_EXAMPLE = "Example: interohm doctor"


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check engines, database and queue.

    Lists what works, what is missing and how to install it.
    """
    from interohm.cli.installation_checks import examine
    from interohm.cli.output import console, print_json, table

    checks = examine()
    if as_json:
        print_json({"checks": [check._asdict() for check in checks]})
    else:
        made = table("", "part", "found", "to get it")
        for check in checks:
            made.add_row(check.status, check.part, check.found, check.fix)
        console().print(made)
    if any(check.status == "broken" for check in checks):
        raise typer.Exit(1)
