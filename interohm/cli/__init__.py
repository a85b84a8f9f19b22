"""The command line: `interohm --help`.

The modules here declare commands; what a command needs is imported when it runs, so that none waits
for another's imports.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from interohm.cli import (
    campaigns,
    design,
    doctor,
    dynamics,
    examples,
    explore,
    impedance,
    imports,
    init_cluster,
    interfaces,
    kpfm,
    materials,
    predictions,
    query,
    queue,
    schema,
    screen,
    validate,
    why,
)
from interohm.cli.grouped_help import GroupedHelp
from interohm.cli.output import documents_left_out_are_named, prepare_streams, remark
from interohm.errors import InputError
from interohm.version import VERSION

if TYPE_CHECKING:
    from pydantic import ValidationError

app = typer.Typer(
    name="interohm",
    cls=GroupedHelp,
    help="From crystal structures, by density functional theory, to the intrinsic interface "
    "resistance of a solid-state cell.",
    epilog="Example: interohm contact Li LLZO --temperature 350",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
#: The headings of `--help`, in its order, with the commands under each: name, example, function.
_COMMANDS: dict[str, tuple[tuple[str, str, Callable[..., None]], ...]] = {
    "Predict": (
        ("contact", predictions.CONTACT_EXAMPLE, predictions.contact),
        ("cell", predictions.CELL_EXAMPLE, predictions.cell),
        ("impedance", impedance.IMPEDANCE_EXAMPLE, impedance.impedance),
        ("dynamics", dynamics.DYNAMICS_EXAMPLE, dynamics.dynamics),
        ("screen", screen.SCREEN_EXAMPLE, screen.screen),
        ("design", design.DESIGN_EXAMPLE, design.design),
        ("kpfm", kpfm.KPFM_EXAMPLE, kpfm.kpfm),
        ("validate", validate.VALIDATE_EXAMPLE, validate.validate),
    ),
    "Calculate": (
        ("run", campaigns.RUN_EXAMPLE, campaigns.run),
        ("import", imports.IMPORT_EXAMPLE, imports.import_),
    ),
    "Database": (
        ("query", query.QUERY_EXAMPLE, query.query),
        ("export", query.EXPORT_EXAMPLE, query.export),
        ("why", why.WHY_EXAMPLE, why.why),
        ("explore", explore.EXPLORE_EXAMPLE, explore.explore),
        ("migrate", query.MIGRATE_EXAMPLE, query.migrate),
    ),
    "Cluster": (
        ("init-cluster", init_cluster.INIT_CLUSTER_EXAMPLE, init_cluster.init_cluster),
        ("submit", queue.SUBMIT_EXAMPLE, queue.submit),
        ("status", queue.STATUS_EXAMPLE, queue.status),
        ("rerun", queue.RERUN_EXAMPLE, queue.rerun),
    ),
    "Help": (
        ("examples", examples.EXAMPLES_EXAMPLE, examples.examples),
        ("schema", schema.SCHEMA_EXAMPLE, schema.schema),
        ("doctor", doctor.DOCTOR_EXAMPLE, doctor.doctor),
    ),
}
for _heading, _commands in _COMMANDS.items():
    for _name, _example, _command in _commands:
        app.command(_name, epilog=_example, rich_help_panel=_heading)(_command)
app.add_typer(materials.app, name="materials", rich_help_panel="Database")
app.add_typer(interfaces.app, name="interfaces", rich_help_panel="Database")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"interohm {VERSION}")
        raise typer.Exit


@app.callback()
def _global_options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (anywhere on the line).")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a fault of the program, 2 a fault of the input.

    130 is Ctrl-C; a reader of the output that leaves early makes it 1, without a word.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    prepare_streams()
    try:
        with documents_left_out_are_named():
            app(
                args=[argument for argument in given if argument != "--debug"],
                prog_name="interohm",
            )
    except InputError as error:
        _explain(error, debug=debug)
        code = 2
    except KeyboardInterrupt:
        code = _aborted()
    except BrokenPipeError:
        # what is still buffered is written where nobody minds
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        explained = InputError(
            error.strerror or str(error),
            where=str(error.filename or "output"),
            fix="check the path, its permissions and the free disk space",
        )
        explained.__cause__ = error
        _explain(explained, debug=debug)
        code = 2
    except Exception as error:
        code = _unexpected(error, debug=debug)
    else:
        code = 0
    sys.exit(code)


def _explain(error: InputError, *, debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exception(error)
    where = f"{error.where}: " if error.where else ""
    remark(f"interohm: {where}{error.what}")
    if error.fix:
        remark(f"fix: {error.fix}")


def _aborted() -> int:
    remark("\nAborted!")
    return 130


def _unexpected(error: Exception, *, debug: bool) -> int:
    from pydantic import ValidationError

    cause: BaseException | None = error
    while cause is not None:
        # a Ctrl-C while libraries are imported, of which some make an error of their own
        if isinstance(cause, KeyboardInterrupt):
            return _aborted()
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, ValidationError):
        _explain(_as_input_error(error), debug=debug)
        return 2
    if debug:
        import traceback

        traceback.print_exception(error)
    text = str(error).splitlines()[0] if str(error) else ""
    remark(
        f"interohm: internal error: {type(error).__name__}: {text}\n"
        "fix: run it again with --debug and report the output"
    )
    return 1


def _as_input_error(error: ValidationError) -> InputError:
    from interohm.yaml_io import input_error

    return input_error(error, where=error.title)
