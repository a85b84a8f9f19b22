"""The database of a folder: many contacts saved, asked and exported, with time and memory.

``python benchmarks/database.py [CONTACTS ...]`` makes folders of 10³, 10⁴ and 10⁵ contacts, or of
those numbers, and prints one JSON object. 10⁵ take some minutes and 1 GB of disk.
"""

from __future__ import annotations

import itertools
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import interohm
from interohm.settings import Settings

WHERE = "space_charge < 1 and electron_barrier > 1"
ASKED = {
    "query": ("query", "contacts", "--where", WHERE, "--sort", "resistance", "--limit", "10"),
    "query_of_documents": ("query", "contacts", '{"left": "A3", "temperature_K": {"$gt": 0}}'),
    "export_csv": ("export", "contacts", "--output", "contacts.csv"),
    "export_parquet": ("export", "contacts", "--output", "contacts.parquet"),
}

#: Runs a command in a process of its own, which says what it took.
MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


#: Contacts that are saved with their profiles, 79 kB each as JSON.
WITH_PROFILE = 200


def contacts(count: int, *, profile: bool = False) -> Iterator[dict[str, Any]]:
    """Yield contacts with the fields of a predicted one, and other names and numbers."""
    predicted = interohm.predict_contact("Li", "LLZO", samples=0).document()
    if not profile:
        predicted["profile"] = {"x_nm": [0.0, 1.0]}
    chosen = random.Random(1)
    for number in range(count):
        resistance = {
            **predicted["resistance"],
            "interface_resistance_ohm_cm2": 10 ** chosen.uniform(-4, 6),
            "space_charge_ohm_cm2": 10 ** chosen.uniform(-4, 6),
        }
        electrons = {**predicted["electrons"], "electron_barrier_eV": chosen.uniform(0, 3)}
        names = {"left": f"A{number % 317}", "right": f"B{number}"}
        yield {**predicted, **names, "resistance": resistance, "electrons": electrons}


def asked(folder: Path, command: tuple[str, ...]) -> tuple[float, float]:
    """Return processor seconds and the peak of memory in MiB of a command, its start included."""
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, sys.executable, "-m", "interohm", *command],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    seconds, peak_MiB = map(float, ran.stdout.split())
    return seconds, peak_MiB


def save_ms(folder: Path, count: int, *, profile: bool = False) -> float:
    """Return milliseconds of processor time for each contact that is saved into a new folder."""
    documents = contacts(count, profile=profile)
    first = next(documents)  # the prediction itself is no part of it
    begun = time.process_time()
    with interohm.Database.open(Settings(data=folder), write=True) as opened:
        opened.save_contacts(itertools.chain([first], documents))
    return (time.process_time() - begun) / count * 1e3


def figures(count: int) -> dict[str, float]:
    """Return the figures of a folder with so many contacts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {
            "save_ms_per_contact": save_ms(folder / "interohm-data", count),
            "save_ms_per_contact_with_profile": save_ms(
                folder / "with-profiles", WITH_PROFILE, profile=True
            ),
        }
        found["save_peak_MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        file = folder / "interohm-data" / "interohm.sqlite"
        found["file_kB_per_contact"] = file.stat().st_size / count / 1e3
        for what, command in ASKED.items():
            seconds, peak_MiB = min(asked(folder, command) for _ in range(3))
            found |= {f"{what}_cpu_s": seconds, f"{what}_peak_MiB": peak_MiB}
    return {name: round(value, 3) for name, value in found.items()}


if __name__ == "__main__":
    sizes = [int(size) for size in sys.argv[1:]] or [10**3, 10**4, 10**5]
    json.dump({str(size): figures(size) for size in sizes}, sys.stdout, indent=1)
    print()
