"""Screening of made-up phases: contacts, all cells, the best, fronts, counts; and questions.

``python benchmarks/screen.py ELECTROLYTES NEGATIVES POSITIVES`` prints one JSON object; `run.py`
starts it as a process of its own, whose peak of memory is that of a screening.
"""

from __future__ import annotations

import heapq
import json
import math
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import resource

import numpy as np
from first_integrals import THREADS, METAL_eV, draw

from interohm.database.parquet import query_table
from interohm.device_models import Phase
from interohm.screening.cells import Cells
from interohm.screening.config import ScreenConfig
from interohm.screening.contacts import (
    SideConditions,
    SideContacts,
    all_contacts,
    solve_pairs,
    taken,
)
from interohm.screening.parquet import write_cells, write_contacts
from interohm.screening.partial import Partial, Question
from interohm.screening.phase_arrays import Electrodes, Electrolytes
from interohm.screening.stream import run_ranges

THICKNESS_NM, TEMPERATURE_K = 20_000.0, 300.0
IP_eV, GAP_eV = 8.0, 8.5

#: Cells of the plain loops.
SOLVED_ONE_BY_ONE, SUMMED_ONE_BY_ONE = 100, 200_000


def electrodes(count: int, voltages_V: tuple[float, float], seed: int) -> Electrodes:
    """Electrodes of random voltages and work functions."""
    rng = np.random.default_rng(seed)
    return Electrodes(
        rng.uniform(*voltages_V, count), rng.uniform(2.5, 5.0, count), np.full(count, np.nan)
    )


def electrolytes(count: int) -> Electrolytes:
    """Thick electrolytes of wide gaps, random potentials, formation energies and windows."""
    rng = np.random.default_rng(4)
    potential, energy, dielectric = draw(count, seed=5)
    level = IP_eV - METAL_eV + potential
    return Electrolytes(
        Phase(
            ionization_potential_eV=IP_eV,
            band_gap_eV=GAP_eV,
            dielectric_constant=dielectric,
            charge=[1.0, -1.0],
            ion_change=[1.0, -1.0],
            formation_energy_eV=np.stack([energy - level, energy + level], axis=-1),
            site_density_cm3=[3e22, 3e22],
            saturation=0.1,
            migration_energy_eV=np.stack([rng.uniform(0.2, 0.5, count)] * 2, axis=-1),
            hop_distance_nm=0.25,
        ),
        rng.uniform(0.0, 2.0, count),
        rng.uniform(2.0, 5.0, count),
        np.full(count, np.nan),
    )


def conditions(*, positive: bool) -> SideConditions:
    """Conditions of the contacts of one side."""
    return SideConditions(TEMPERATURE_K, THICKNESS_NM, np.asarray(METAL_eV), 1.0, positive)


def question() -> Question:
    """Return the default question of `interohm screen`."""
    fields = ScreenConfig.model_fields
    return Question(
        rank_by=tuple(fields["rank_by"].default),
        count=fields["survivors"].default,
        fronts=tuple(tuple(group) for group in fields["pareto"].default),
        counted=tuple(fields["histograms"].default),
    )


def screen(size: tuple[int, int, int], folder: Path) -> tuple[Cells, Partial]:
    """Screen arrays of phases, up to the answer for all cells."""
    number, negatives, positives = size
    insulators = electrolytes(number)
    sides: list[SideContacts] = [
        all_contacts(metals, insulators, conditions(positive=positive), workers=THREADS)
        for metals, positive in (
            (electrodes(negatives, (0.0, 1.0), 1), False),
            (electrodes(positives, (3.0, 4.5), 2), True),
        )
    ]
    cells = Cells(*sides, THICKNESS_NM)
    return cells, run_ranges(cells, question(), folder, workers=THREADS)


def cells_solved_one_by_one(size: tuple[int, int, int]) -> float:
    """Cells a second of a plain loop that solves the contacts of each cell."""
    number, negatives, positives = size
    insulators = electrolytes(number)
    metals = electrodes(negatives, (0.0, 1.0), 1), electrodes(positives, (3.0, 4.5), 2)
    rng = np.random.default_rng(6)
    best = np.inf
    start = time.perf_counter()
    for _ in range(SOLVED_ONE_BY_ONE):
        one = np.array([rng.integers(number)])
        total = 0.0
        for side, count, positive in ((0, negatives, False), (1, positives, True)):
            found = solve_pairs(
                taken(metals[side], np.array([rng.integers(count)])),
                taken(insulators, one),
                conditions(positive=positive),
            )
            total += float(found["resistance_ohm_cm2"][0])
        best = min(best, total)
    return SOLVED_ONE_BY_ONE / (time.perf_counter() - start)


def cells_summed_one_by_one(cells: Cells) -> float:
    """Cells a second of a plain loop that knows the contacts.

    It keeps the best hundred and counts four outputs in bins, but looks for no fronts.
    """
    fields = ("resistance_ohm_cm2", "conduction_band_eV", "stability_margin_V")
    negative, positive = (
        [getattr(side, field).tolist() for field in fields]
        for side in (cells.negative, cells.positive)
    )
    voltages = cells.negative.voltage_V.tolist(), cells.positive.voltage_V.tolist()
    level = cells.negative.fermi_level_eV.tolist()
    bins: list[Counter[int]] = [Counter() for _ in range(4)]
    heap = [-float("inf")] * 100
    start = time.perf_counter()
    for count in range(SUMMED_ONE_BY_ONE):
        row, k = divmod(count, cells.shape[2])
        j, i = divmod(row, cells.shape[1])
        resistance = negative[0][j][i] + positive[0][j][k]
        barrier = max(negative[1][j][i], positive[1][j][k]) - level[i]
        margin = min(negative[2][j][i], positive[2][j][k])
        voltage = voltages[1][k] - voltages[0][i]
        if -resistance > heap[0]:
            heapq.heapreplace(heap, -resistance)
        bins[0][int(8 * math.log2(resistance))] += 1
        for index, value in enumerate((barrier, margin, voltage), start=1):
            bins[index][int(50 * value)] += 1
    return SUMMED_ONE_BY_ONE / (time.perf_counter() - start)


def query_figures(cells: Cells, folder: Path) -> dict[str, float]:
    """Questions to a million contacts, and to 1e8 cells: one file of 2e6 under fifty names."""
    number, negatives, positives = cells.shape
    names = {
        "negative": [f"N{index}" for index in range(negatives)],
        "electrolyte": [f"E{index}" for index in range(number)],
        "positive": [f"P{index}" for index in range(positives)],
    }
    repeats = -(-1_000_000 // (number * (negatives + positives)))
    tables = [
        (side, names[of], {"temperature_K": 300.0 + repeat, "state_of_charge": 0.0})
        for repeat in range(repeats)
        for side, of in ((cells.negative, "negative"), (cells.positive, "positive"))
    ]
    contacts = folder / "contacts.parquet"
    write_contacts(contacts, tables, names["electrolyte"])
    table = folder / "table"
    table.mkdir()
    first = table / "0.parquet"
    rows = min(2_000_000, cells.count)
    conditions = {"temperature_K": 300.0, "state_of_charge": 0.0}
    write_cells(first, cells, Question(), 0, rows, names=names, **conditions)
    for index in range(1, 50):
        os.link(first, table / f"{index}.parquet")

    middle = float(np.median(cells.at(np.arange(10_000))["resistance_ohm_cm2"]))
    contacts_s, contacts_cpu_s = best_of(
        contacts, "space_charge < 1 and electron_barrier_eV > 1", tries=10
    )
    # some thousand rows that lie everywhere, so that no part of the files can be left out
    rows_s, rows_cpu_s = best_of(
        table, f"resistance < {middle} and 3.2 < open_circuit_voltage < 3.20005", limit=0, tries=1
    )
    return {
        "query_contacts": repeats * number * (negatives + positives),
        "query_contacts_ms": 1e3 * contacts_s,
        "query_contacts_cpu_ms": 1e3 * contacts_cpu_s,
        "query_rows": 50 * rows,
        "query_rows_s": rows_s,
        "query_rows_cpu_s": rows_cpu_s,
        "query_peak_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    }


def best_of(path: Path, where: str, *, limit: int = 50, tries: int) -> tuple[float, float]:
    """Seconds and seconds of processor time of a question to a table."""
    times = []
    for _ in range(tries):
        wall, cpu = time.perf_counter(), time.process_time()
        query_table(path, where, limit=limit, threads=THREADS)
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    walls, cpus = zip(*times, strict=True)
    return min(walls), min(cpus)


def main() -> None:
    """Screen cells of the given numbers of phases and print the figures."""
    size = tuple(int(argument) for argument in sys.argv[1:4])
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        cells, part = screen(size, Path(folder))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert part.cells == cells.count
    # before the lists of the plain loops
    peak_MiB = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    rate = cells.count / wall
    figures = {
        "screen_cells": cells.count,
        "screen_s": wall,
        "screen_cpu_s": cpu,
        "screen_cells_per_s": rate,
        "screen_over_loop": rate / cells_solved_one_by_one(size),
        "screen_over_loop_of_sums": rate / cells_summed_one_by_one(cells),
        "screen_not_sums": cells.not_separable(at_most=0)[1],
        "screen_peak_MiB": peak_MiB,
    }
    with tempfile.TemporaryDirectory() as folder:
        figures |= query_figures(cells, Path(folder))
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main()
