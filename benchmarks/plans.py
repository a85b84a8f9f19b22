"""Processor time for a phase: planned, planned again, submitted, submitted again.

``python benchmarks/plans.py [PHASES ...]`` writes campaigns of 100 and 1000 rock salts (or of those
numbers), brings up the tests' database server, and prints one JSON object. ``--submit`` leaves the
plans out. Plans are made on one core: the time of processes beside this one would not count.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from pathlib import Path

from pymatgen.core import Lattice, Structure

from interohm.yaml_io import dump_yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "cluster"))
from clusters import Cluster
from mongo_server import MongoServer

QUANTITY = {"value": 9.0, "source": "assumed", "method": "assumed", "uncertainty": 1.0}


def campaign(folder: Path, phases: int) -> Path:
    """Write a campaign of lithium halides with lattices of their own."""
    places = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    places += [[0.5, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    with (folder / "halides.jsonl").open("w") as file:
        for number in range(phases):
            halogen = ("F", "Cl", "Br", "I")[number % 4]
            lattice = Lattice.cubic(4.0 + 2.0 * number / phases)
            crystal = Structure(lattice, ["Li"] * 4 + [halogen] * 4, places).as_dict()
            file.write(json.dumps({"name": f"phase{number}", "structure": crystal}) + "\n")
    template = {"kind": "insulator", "facet": [0, 0, 1], "dielectric_constant": QUANTITY}
    content = {"name": f"many{phases}", "preset": "quick", "metal_structure": "Li"}
    path = folder / "campaign.yaml"
    path.write_text(dump_yaml({**content, "structures": "halides.jsonl", "template": template}))
    return path


def figures(cluster: Cluster, config: Path, phases: int, acts: dict[str, list[str]]) -> dict:
    """Return milliseconds of processor time for each phase, the start of the command apart."""
    one = campaign_of_one(config.parent / "one")
    for words in acts.values():
        seconds(cluster, "submit", one, *words)
    start = seconds(cluster, "submit", one)
    made: dict[str, float] = {}
    for act, words in acts.items():
        took = seconds(cluster, "submit", config, *words) - start
        made[act] = round(1000 * took / phases, 2)
    made["peak_MiB"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    return made


def campaign_of_one(folder: Path) -> Path:
    """Write a campaign of one phase, which takes as long as a command takes to start."""
    folder.mkdir()
    return campaign(folder, 1)


def seconds(cluster: Cluster, *words: object) -> float:
    """Return the processor time of a command and of all that it started."""
    before = os.times()
    cluster.run("interohm", *words, seconds=36_000)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )


def main() -> None:
    """Measure, and print the figures."""
    words = [word for word in sys.argv[1:] if word != "--submit"]
    acts = {"submit": [], "submit again": []}
    if "--submit" not in sys.argv:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        acts = {"dry run": ["--dry-run"], "dry run again": ["--dry-run"], **acts}
    found = {}
    for phases in [int(word) for word in words] or [100, 1000]:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            server = MongoServer(folder / "documents.mv")
            server.start()
            try:
                os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
                cluster = Cluster(None, server.uri, folder / "cluster", "interohm_benchmark")
                config = campaign(folder, phases)
                found[str(phases)] = figures(cluster, config, phases, acts)
            finally:
                server.stop()
    json.dump(found, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
