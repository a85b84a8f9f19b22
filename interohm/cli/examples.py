"""`interohm examples`: the examples that the documentation uses, as files of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES_EXAMPLE = "Example: interohm examples configs"

#: Folders of the shipped files; their paths to one another stay as they are.
FOLDERS = (
    "campaigns",
    "designs",
    "examples",
    "interfaces",
    "maps",
    "presets",
    "structures",
    "validation",
)


def examples(
    folder: Annotated[
        Path, typer.Argument(help="Folder to write them to; it is created if necessary.")
    ],
) -> None:
    """Copy the examples of the documentation into a folder.

    Cells, campaigns, presets, designs, screenings, records, measured tables and structures, all
    with commented fields. In a folder named configs they have the paths that the documentation
    uses. Existing files are never overwritten.
    """
    from interohm.cli.output import print_line, remark

    for path in copy_examples(folder):
        print_line(str(path))
    remark(f"next: interohm cell {folder / 'examples' / 'lithium-LiPON-LCO.yaml'}")


def copy_examples(folder: Path) -> list[Path]:
    """Copy the examples and what they refer to.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.

    Returns
    -------
    list of Path
        The files, as written.

    Raises
    ------
    InputError
        One of them exists already; then nothing is written.
    """
    from importlib.resources import files

    from interohm.errors import InputError
    from interohm.yaml_io import write_bytes

    shipped = Path(str(files("interohm.configs")))
    found = sorted(
        path.relative_to(shipped)
        for name in FOLDERS
        for path in (shipped / name).rglob("*")
        if path.is_file()
    )
    if there := [str(name) for name in found if (folder / name).exists()]:
        others = f" and {len(there) - 1} other files" if len(there) > 1 else ""
        raise InputError(
            f"{there[0]}{others} already exist{'' if others else 's'}",
            where=str(folder),
            fix="name another folder; your files are not overwritten",
        )
    for name in found:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / name, (shipped / name).read_bytes())
    return [folder / name for name in found]
