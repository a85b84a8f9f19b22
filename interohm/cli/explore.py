"""`interohm explore`: the database in a browser."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from interohm.records.experiment import Experiment

EXPLORE_EXAMPLE = "Example: interohm explore --port 8050"


def explore(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the local address; 0 picks a free one.")
    ] = 8050,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Explore the database in a browser.

    Shows tables with filters, a heat map of the contacts, band diagrams and resistance budgets side
    by side, and predictions next to measured values. Only this machine can open the page. It works
    without a network and writes nothing. Keep its address secret: anyone who has it can read the
    database while the command runs.
    """
    from interohm.cli.output import remark
    from interohm.extras import require

    require("explore", "the explorer", where="interohm explore")
    from interohm.explorer.server import explorer, listen, page_that_leads_to
    from interohm.settings import load_settings

    server, address = listen(explorer(load_settings(), _predicted), port)
    remark(f"the database is at {address} until Ctrl-C")
    with contextlib.ExitStack() as opened:
        if browser:
            import webbrowser

            webbrowser.open(opened.enter_context(page_that_leads_to(address)))
        server.serve_forever()


def _predicted(
    experiments: Sequence[Experiment], progress: Callable[[int], None]
) -> list[dict[str, Any]]:
    """Return what is predicted of each measured value in turn."""
    from interohm.prediction.validation import row_fields, validate

    return row_fields(validate(experiments, progress=progress).rows)
