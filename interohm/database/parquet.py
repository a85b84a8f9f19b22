"""Questions to tables by the million: Parquet files, asked through DuckDB.

Only the parsed condition reaches the database, as SQL with parameters, and nothing but the given
files can be read by it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interohm.database.columns import resolve_column, unknown_column
from interohm.database.conditions import parse_where
from interohm.errors import InputError
from interohm.extras import require

if TYPE_CHECKING:
    import duckdb

#: What a question may take beside the rest of the program.
_MEMORY = "1500MB"

_NUMBERS = (
    *("DOUBLE", "FLOAT", "DECIMAL", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "HUGEINT"),
    *("UINTEGER", "UBIGINT", "USMALLINT", "UTINYINT", "UHUGEINT"),
)


@dataclass(frozen=True)
class Answer:
    """Rows of a table.

    Parameters
    ----------
    columns : dict of str
        All columns of the table with DuckDB's types.
    rows : list of dict
        Those that were asked for, in order.
    more : bool
        Whether further rows fit, beyond the limit.
    asked : set of str
        The columns that the question names.
    """

    columns: dict[str, str]
    rows: list[dict[str, Any]]
    more: bool
    asked: set[str]

    def is_number(self, column: str) -> bool:
        """Return whether a column holds numbers."""
        return _is_number(self.columns[column])


def _is_number(type_name: str) -> bool:
    return type_name.startswith(_NUMBERS) and not type_name.endswith("]")


def _kind(type_name: str) -> type | None:
    """Return what a column of DuckDB's holds, as conditions ask; None: something else."""
    if _is_number(type_name):
        return float
    return {"VARCHAR": str, "BOOLEAN": bool, "VARCHAR[]": list}.get(
        "VARCHAR" if type_name.startswith("ENUM") else type_name
    )


def is_table(name: str) -> bool:
    """Return whether a name is that of a Parquet file or of a folder, rather than a collection."""
    return name.endswith(".parquet") or os.sep in name or Path(name).is_dir()


def table_files(path: Path) -> list[str]:
    """Return the Parquet files that a path means: itself, or all in a folder.

    Raises
    ------
    InputError
        There are none.
    """
    if path.is_file():
        return [str(path)]
    found = sorted(str(file) for file in path.rglob("*.parquet") if file.name[0] != ".")
    if not found:
        raise InputError(
            "there is no such table" if not path.exists() else "the folder has no Parquet file",
            where=str(path),
            fix="name a Parquet file, or a folder of them, as `interohm screen --table` writes",
        )
    if any(sign in file for file in found for sign in "*?["):
        raise InputError(
            "a file name contains one of * ? [, which are wildcards",
            where=str(path),
            fix="rename the file or its folder",
        )
    return found


def query_table(
    path: Path,
    where: str | None = None,
    *,
    sort: str | None = None,
    limit: int = 0,
    threads: int | None = None,
) -> Answer:
    """Query a table.

    Parameters
    ----------
    path : Path
        A Parquet file, or a folder of files with the same columns.
    where : str, optional
        A condition on the columns, ``"resistance < 1 and electron_barrier_eV > 1"``.
    sort : str, optional
        A column, with a minus before it for descending; rows without a value come last.
    limit : int
        At most that many rows; 0 for all.
    threads : int, optional
        Default: one a core.

    Raises
    ------
    InputError
        No such table, an unknown column, a condition that is not understood, or the extra
        ``parquet`` is not installed.
    """
    files = table_files(path)
    require("parquet", "reading a Parquet table", where=str(path))
    import duckdb

    try:
        with _connection(files, threads) as connection:
            described = connection.execute("DESCRIBE FROM read_parquet(?)", [files]).fetchall()
            columns = {name: kind for name, kind, *_ in described}
            text, asked = "TRUE", set()
            values: list[Any] = []
            if where is not None:
                condition = parse_where(
                    where, list(columns), kinds=lambda column: _kind(columns[column])
                )
                text, values = condition.sql()
                asked = condition.columns()
            query = f"FROM read_parquet(?) WHERE {text}"
            if sort is not None:
                column = resolve_column(sort.removeprefix("-"), columns)
                if column is None:
                    raise unknown_column(sort.removeprefix("-"), columns, where="--sort")
                asked = {*asked, column}
                quoted = '"' + column.replace('"', '""') + '"'
                query += f" ORDER BY {quoted} {'DESC' if sort[0] == '-' else 'ASC'} NULLS LAST"
            if limit:
                query += " LIMIT ?"
                values = [*values, limit + 1]
            found = connection.execute(query, [files, *values])
            names = [column[0] for column in found.description]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    except duckdb.Error as error:
        raise InputError(
            f"the table cannot be read: {str(error).splitlines()[0]}",
            where=str(path),
            fix="check that the condition matches the types of the columns, and that all files "
            "are Parquet with the same columns",
        ) from None
    kept = rows[:limit] if limit else rows
    return Answer(columns, kept, len(kept) < len(rows), asked)


def _connection(files: list[str], threads: int | None) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that can read the given files and nothing else."""
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": _MEMORY,
            "threads": threads or len(os.sched_getaffinity(0)),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    connection.execute("SET allowed_paths = ?", [files])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection
