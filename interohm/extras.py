"""The optional parts of an installation: what each needs, and how to get it."""

from __future__ import annotations

from importlib.util import find_spec

from interohm.errors import InputError

#: Each extra's modules, as they are imported, with the packages that bring them.
EXTRAS = {
    "defects": {"pymatgen.analysis.defects": "pymatgen-analysis-defects"},
    "explore": {"dash": "dash", "dash_ag_grid": "dash-ag-grid"},
    "gpaw": {"gpaw": "gpaw", "gpaw_data": "gpaw-data"},
    "parquet": {"pyarrow": "pyarrow", "duckdb": "duckdb"},
    "shakenbreak": {"shakenbreak": "shakenbreak"},
    "vasp": {"atomate2": "atomate2", "custodian": "custodian"},
}


def missing_packages(extra: str) -> list[str]:
    """Return the packages of an extra that are not installed."""
    return [package for module, package in EXTRAS[extra].items() if not _is_installed(module)]


def install_command(extra: str) -> str:
    """Return the command that installs an extra into this environment."""
    return f"pip install 'interohm[{extra}]'"


def require(extra: str, purpose: str, *, where: str | None = None, otherwise: str = "") -> None:
    """Raise InputError unless an extra is installed.

    Parameters
    ----------
    extra : str
        One of `EXTRAS`.
    purpose : str
        Part that needs the extra, as a subject: ``"a Parquet table"``.
    where : str, optional
        The command, option or field that asks for it.
    otherwise : str
        Alternative without the extra.
    """
    if missing := missing_packages(extra):
        raise InputError(
            f"{purpose} needs {' and '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed",
            where=where,
            fix=install_command(extra) + (f"; or {otherwise}" if otherwise else ""),
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent is missing
        return False
