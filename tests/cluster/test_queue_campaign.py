"""A campaign on a real queue: GPAW inside Slurm's jobs, results on a server, workers killed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from clusters import Cluster, wait_for

DATA = Path(__file__).parents[1] / "data"


def campaign(folder: Path) -> Path:
    """Write the tests' smallest campaign, with cutoffs too low for anything but a queue."""
    preset = (DATA / "presets" / "tiny.yaml").read_text()
    for cutoff, lower in (("1000", "500"), ("400", "300"), ("350", "250")):
        preset = preset.replace(f"cutoff_eV: {cutoff}", f"cutoff_eV: {lower}")
    (folder / "preset.yaml").write_text(preset)
    text = (DATA / "campaigns" / "tiny.yaml").read_text()
    text = text.replace("../presets/tiny.yaml", "preset.yaml")
    path = folder / "campaign.yaml"
    path.write_text(text.replace("../../..", str(DATA.parents[1])))
    return path


def test_a_campaign_with_killed_workers(cluster: Cluster, tmp_path: Path) -> None:
    config = campaign(tmp_path)
    planned = cluster.interohm("submit", config, "--dry-run")
    assert "10 calculations, about" in planned
    assert cluster.results("calculations") == []
    assert cluster.interohm("submit", config).count("added") == 2
    assert cluster.interohm("submit", config).count("queued") == 2

    cluster.queue_jobs("rlaunch rapidfire")
    cluster.launch(2)
    killed = relaxing(cluster)
    os.kill(worker_of(killed), signal.SIGKILL)
    cluster.launch(1)
    told = relaxing(cluster, but=killed)
    os.kill(worker_of(told), signal.SIGTERM)
    wait_for(lambda: [job for job in cluster.status().values() if job["tries"] > 1])
    (goes_on,) = [job for job in cluster.status().values() if job["tries"] > 1]
    assert goes_on["state"] in ("ready", "runs", "done")
    wait_for(lambda: [job for job in cluster.status().values() if job["state"] == "lost"])
    assert cluster.interohm("rerun") == "1 jobs ready again\n"
    cluster.wait_until_idle()

    jobs = cluster.status()
    assert {job["state"] for job in jobs.values()} == {"done"}, jobs
    assert sorted(record["name"] for record in cluster.results("materials")) == ["Li", "LiF"]
    assert len(cluster.results("calculations")) == 10
    for folder in (cluster.data / "scratch").iterdir():
        log = folder / "relaxation.log"
        begun = log.read_text().count("Step ") if log.exists() else 1
        # Two phases ask for the metal's cell, and each calculates it for neither.
        assert begun == (2 if folder in (killed, told) else 1), folder
    assert cluster.interohm("submit", config).count("done") == 2

    everything = cluster.documents() + "".join(
        path.read_text()
        for pattern in ("**/*.out", "**/*.error", "**/*.json", "**/*.log", "**/*.script")
        for path in cluster.folder.glob(pattern)
    )
    assert "V_F" in everything
    for secret in cluster.secrets:
        assert secret not in everything


def relaxing(cluster: Cluster, but: Path | None = None) -> Path:
    """Return the folder of a relaxation that has a geometry behind it, and goes on."""
    found: list[Path] = []

    def look() -> bool:
        for status in cluster.data.glob("scratch/*/status.json"):
            folder = status.parent
            kind = json.loads((folder / "request.json").read_text())["kind"]
            if kind == "relax" and folder != but and worker_of(folder):
                found.append(folder)
        return bool(found)

    wait_for(look)
    return found[0]


def worker_of(folder: Path) -> int:
    """Return the process that launched the calculation of a folder; 0 if it has ended."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode().split("\0")
            if str(folder) in command:
                return int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return 0
