"""Contacts and cells of a screening as Parquet: what is asked by the million."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from interohm.screening.cells import OUTPUTS

if TYPE_CHECKING:
    import pyarrow
    from numpy.typing import NDArray

    from interohm.screening.cells import Cells
    from interohm.screening.contact_details import ContactDetails
    from interohm.screening.contacts import SideContacts
    from interohm.screening.partial import Question

#: Rows that a reader takes or leaves together.
_ROW_GROUP = 1_048_576

#: Columns of contacts, named as in the database, with the fields that they are of.
_OF_CONTACTS = {
    "potential_drop_V": "potential_drop_V",
    "resistance_ohm_cm2": "interface_ohm_cm2",
    "space_charge_ohm_cm2": "space_charge_ohm_cm2",
    "charge_transfer_ohm_cm2": "charge_transfer_ohm_cm2",
    "layer_ohm_cm2": "coating_ohm_cm2",
    "electron_barrier_eV": "electron_barrier_eV",
    "hole_barrier_eV": "hole_barrier_eV",
    "stability_margin_V": "stability_margin_V",
}


def write_cells(
    path: Path,
    cells: Cells,
    question: Question,
    start: int,
    stop: int,
    *,
    names: Mapping[str, Sequence[str]],
    temperature_K: float,
    state_of_charge: float,
) -> None:
    """Write the cells of a range that fit the question's filter, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    conditions = {"temperature_K": temperature_K, "state_of_charge": state_of_charge}
    dictionaries = {name: pa.array(values) for name, values in names.items()}
    writer = None
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    waiting: list[pyarrow.RecordBatch] = []

    def flush() -> None:
        nonlocal writer
        rows = pa.Table.from_batches(waiting, schema)
        if writer is None:
            writer = pq.ParquetWriter(temporary, schema, compression="zstd", compression_level=1)
        writer.write_table(rows, row_group_size=_ROW_GROUP)
        waiting.clear()

    schema = pa.schema(
        [
            *((name, pa.dictionary(pa.int32(), pa.string())) for name in names),
            *((name, pa.float64()) for name in (*conditions, *OUTPUTS)),
            ("outside_of_model", pa.bool_()),
        ]
    )
    try:
        for block in cells.blocks(start, stop):
            chosen: Any = slice(None) if question.fits is None else question.fits(block)
            columns = [
                pa.DictionaryArray.from_arrays(
                    block.places[name][chosen].astype(np.int32), dictionaries[name]
                )
                for name in names
            ]
            size = len(columns[0])
            columns += [pa.array(np.full(size, value)) for value in conditions.values()]
            columns += [pa.array(block.output(name)[chosen], from_pandas=True) for name in OUTPUTS]
            unknown = block.outside_of_model_unknown[chosen]
            columns.append(pa.array(block.outside_of_model[chosen], mask=unknown))
            waiting.append(pa.record_batch(columns, schema=schema))
            if sum(batch.num_rows for batch in waiting) >= _ROW_GROUP:
                flush()
        flush()
        assert writer is not None
        writer.close()
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_contacts(
    path: Path,
    tables: Sequence[tuple[SideContacts, Sequence[str], dict[str, float]]],
    electrolytes: Sequence[str],
    *,
    details: Sequence[ContactDetails | None] | None = None,
) -> None:
    """Write all contacts of a screening, whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    tables : sequence of (SideContacts, names of its sides, conditions)
        One for each side, temperature and state of charge.
    electrolytes : sequence of str
        Their names.
    details : sequence of ContactDetails, optional
        For each table: quantiles of log10 of the resistance, and validity codes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from interohm.results.json_values import QUANTILES

    def repeated(labels: Sequence[str], places: NDArray[np.int64]) -> pyarrow.Array:
        return pa.DictionaryArray.from_arrays(places.ravel().astype(np.int32), pa.array(labels))

    parts = []
    for (table, sides, conditions), detail in zip(
        tables, details or [None] * len(tables), strict=True
    ):
        row, column = np.indices(table.shape)
        columns = {"left": repeated(sides, column), "right": repeated(electrolytes, row)}
        columns |= {name: pa.array(np.full(row.size, value)) for name, value in conditions.items()}
        columns |= {
            name: pa.array(getattr(table, field).ravel(), from_pandas=True)
            for name, field in _OF_CONTACTS.items()
        }
        columns["outside_of_model"] = pa.array(
            table.outside_of_model.ravel(), from_pandas=True
        ).cast(pa.bool_())
        for name in QUANTILES:
            values = None if detail is None else detail.log10_resistance[name]
            columns[f"log10_resistance_{name}"] = pa.array(
                np.full(row.size, np.nan) if values is None else values.ravel(), from_pandas=True
            )
        codes: list[list[str] | None] = (
            [None] * row.size if detail is None else list(chain.from_iterable(detail.validity))
        )
        columns["validity"] = pa.array(codes, pa.list_(pa.string()))
        parts.append(pa.table(columns))
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        pq.write_table(
            pa.concat_tables(parts).unify_dictionaries(),
            temporary,
            row_group_size=_ROW_GROUP // 8,
            compression="zstd",
        )
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
