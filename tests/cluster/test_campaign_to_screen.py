"""From nothing to a screened table: six phases on the queue, killed in the middle, then asked."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from clusters import Cluster, relaxing, wait_for

CAMPAIGNS = Path(__file__).parents[1] / "data" / "campaigns"
CAMPAIGN = CAMPAIGNS / "six_phases.yaml"
SCREEN = CAMPAIGNS / "six_phases_screen.yaml"
PHASES = {
    *("tiny_Li_110", "tiny_Li_100"),
    *("tiny_LiF_001", "tiny_LiF_110", "tiny_LiH_001", "tiny_LiH_110"),
}
BARRIER = "electron_barrier_eV"
#: Workflows of what they share: cells and bulks of lithium, LiF and LiH.
SHARED = 3
CALCULATIONS = 20
#: Longest wait for a part of them: a minute on two free cores, more on busy ones.
PATIENCE_S = 900


def test_from_nothing_to_a_screened_table(cluster: Cluster, tmp_path: Path) -> None:
    submit_and_stop(cluster)
    go_on(cluster)
    folder = screen(cluster, tmp_path / "screen.html")
    ask(cluster, folder)
    predict_a_cell(cluster, tmp_path)


def submit_and_stop(cluster: Cluster) -> None:
    """Submit the campaign, and end all of its workers in the middle."""
    planned = cluster.interohm("submit", CAMPAIGN, "--dry-run")
    assert f"{CALCULATIONS} calculations, about" in planned
    assert cluster.interohm("submit", CAMPAIGN).count("added") == len(PHASES) + SHARED
    assert cluster.results("calculations") == []
    cluster.queue_jobs("rlaunch rapidfire")
    cluster.launch(2)

    # One worker dies as with its node, the other one's job is cancelled.
    early = CALCULATIONS // 4
    wait_for(lambda: len(cluster.results("calculations")) >= early, PATIENCE_S)
    worker, _ = relaxing(cluster)
    os.kill(worker, signal.SIGKILL)
    cluster.run("scancel", "--me")
    cluster.wait_until_idle()
    wait_for(lambda: "runs" not in states(cluster))
    stopped = states(cluster)
    assert stopped["lost"] == 1, stopped  # the cancelled one went back into the queue
    assert stopped["failed"] == 0, stopped
    assert stopped["ready"] >= 1, stopped
    assert early <= len(cluster.results("calculations")) < CALCULATIONS


def go_on(cluster: Cluster) -> None:
    """Let other workers finish what was stopped: all of it, and nothing twice."""
    assert cluster.interohm("rerun") == "1 jobs ready again\n"
    cluster.launch(2)
    cluster.wait_until_idle(PATIENCE_S)
    assert set(states(cluster)) == {"done"}
    done = Counter(one["hash"] for one in cluster.results("calculations"))
    assert (len(done), max(done.values())) == (CALCULATIONS, 1)
    assert cluster.results("failures") == []
    assert sorted(record["name"] for record in cluster.results("materials")) == sorted(PHASES)
    assert cluster.interohm("submit", CAMPAIGN).count("done") == len(PHASES) + SHARED


def states(cluster: Cluster) -> Counter[str]:
    """Return how many jobs are in each state."""
    return Counter(job["state"] for job in cluster.status().values())


def screen(cluster: Cluster, report: Path) -> Path:
    """Screen the calculated phases with shipped ones; return the screening's folder."""
    printed = cluster.interohm("screen", SCREEN, "--table", "--save", "--report", report, "--json")
    document = json.loads(printed)
    (state,) = document["states"]
    # two faces of lithium, bare or with one of four coatings, two electrolytes, two electrodes
    assert (state["cells"], state["without_resistance"]) == (2 * 5 * 2 * 2, 0)
    # cells known to be within the model come first
    best = [
        (cell["outside_of_model"] is not False, cell["resistance_ohm_cm2"])
        for cell in state["best"]["resistance_ohm_cm2"]
    ]
    assert len(best) == 5
    assert best == sorted(best)
    barriers = [cell["outside_of_model"] is not False for cell in state["best"][BARRIER]]
    assert barriers == sorted(barriers)
    assert "tiny_LiF_001 (2 nm)" in report.read_text()
    return Path(document["folder"])


def ask(cluster: Cluster, folder: Path) -> None:
    """Ask the database and the screening's tables."""

    def query(*arguments: object) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(cluster.interohm("query", *arguments, "--json"))
        return rows

    fluorides = query("materials", "--where", "'F' in elements and kind == 'insulator'")
    assert {row["name"] for row in fluorides} == {"tiny_LiF_001", "tiny_LiF_110"}
    table = folder / "300K-0" / "table"
    bare = query(table, "--where", "negative == 'tiny_Li_110'", "--sort", "resistance")
    assert len(bare) == 4
    coated = query(table, "--where", "coating > 0 and electron_barrier > 2")
    assert coated
    assert all("(2 nm)" in row["negative"] for row in coated)
    # no electron passes lithium fluoride, with the widest gap of them all
    assert "tiny_LiF" in max(query(table), key=lambda row: row[BARRIER])["negative"]
    # `screen --save` predicted the best cells whole: the same numbers by another solver
    rows = [
        (row["outside_of_model"] is not False, row["resistance_ohm_cm2"]) for row in query(table)
    ]
    best = sorted(resistance for _, resistance in sorted(rows)[:5])
    kept = sorted(row["resistance_ohm_cm2"] for row in query("cells", "--sort", "resistance"))[:5]
    assert kept == pytest.approx(best, rel=1e-5)


def predict_a_cell(cluster: Cluster, folder: Path) -> None:
    """Predict a cell of calculated and shipped phases, and ask where it comes from."""
    config, report = folder / "cell.yaml", folder / "cell.html"
    config.write_text(
        "name: six-phases\nstates_of_charge: [0.0, 1.0]\nlayers:\n"
        "  - {material: tiny_Li_110, thickness_nm: 1000}\n"
        "  - {material: tiny_LiF_001, thickness_nm: 2}\n"
        "  - {material: LLZO, thickness_nm: 20000}\n"
        "  - {material: LiCoO2, thickness_nm: 1000}\n"
    )
    cluster.interohm("cell", config, "--save", "--report", report)
    assert "Resistance budget" in report.read_text()
    (origin,) = json.loads(cluster.interohm("why", "six-phases", "--json"))
    records = {part["name"]: part for part in origin["parts"] if part["kind"] == "record"}
    done = {one["hash"] for one in cluster.results("calculations")}
    named: set[str] = set()
    for name in ("tiny_Li_110", "tiny_LiF_001"):
        assert records[name]["status"] == "the one that was used"
        parts = [part for part in records[name]["parts"] if part["kind"] == "calculation"]
        assert {part["found"] for part in parts} == {"database"}
        named |= {part["name"] for part in parts}
    assert named <= done
    assert len(named) == 8  # bulk and slab of either, LiF's supercell and three defects
