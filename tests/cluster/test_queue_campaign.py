"""A campaign on a real queue: GPAW inside Slurm's jobs, results on a server, workers killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from clusters import Cluster, relaxing, wait_for
from pymatgen.core import Lattice, Structure

DATA = Path(__file__).parents[1] / "data"


def campaign(folder: Path) -> Path:
    """Write two surfaces of lithium, whose cell begins far from its equilibrium.

    Coarse as no real preset: it is the queue that is tested.
    """
    preset = (DATA / "presets" / "tiny.yaml").read_text()
    for cutoff, lower in (("400", "300"), ("350", "250")):
        preset = preset.replace(f"cutoff_eV: {cutoff}", f"cutoff_eV: {lower}")
    # small steps, so that there are some to be stopped in
    preset = preset.replace("curvature_eV_A2: 5}", "curvature_eV_A2: 20}")
    (folder / "preset.yaml").write_text(preset)
    Structure(Lattice.cubic(3.9), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]]).to(
        str(folder / "Li.cif")
    )
    path = folder / "campaign.yaml"
    path.write_text(
        "name: surfaces\npreset: preset.yaml\nmetal_structure: Li.cif\nphases:\n"
        "  - {name: Li_110, kind: metal, structure: Li.cif, facet: [1, 1, 0]}\n"
        "  - {name: Li_100, kind: metal, structure: Li.cif, facet: [1, 0, 0]}\n"
    )
    return path


def test_workers_that_end_before_their_calculation(cluster: Cluster, tmp_path: Path) -> None:
    config = campaign(tmp_path)
    assert "4 calculations, about" in cluster.interohm("submit", config, "--dry-run")
    assert cluster.interohm("submit", config).count("added") == 3
    assert cluster.interohm("submit", config).count("queued") == 3

    # Both phases begin with the cell of lithium: one worker calculates it, the other one plans both
    # phases, whose jobs wait for it away from their core.
    cluster.queue_jobs("rlaunch rapidfire")
    cluster.launch(2)
    worker, folder = relaxing(cluster)
    os.kill(worker, signal.SIGKILL)
    # The other worker sees that nobody calculates it any more, and goes on in the same folder.
    other, same = relaxing(cluster, but=worker)
    assert same == folder
    os.kill(other, signal.SIGTERM)
    cluster.wait_until_idle()  # it takes no other job
    # The job of the first one is lost until somebody asks for it; that of the second one is not.
    wait_for(lambda: [job for job in cluster.status().values() if job["state"] == "lost"])
    assert cluster.interohm("rerun") == "1 jobs ready again\n"
    assert not [job for job in cluster.status().values() if job["state"] == "lost"]
    cluster.launch(1)
    cluster.wait_until_idle()

    jobs = cluster.status()
    assert any(job["tries"] > 1 for job in jobs.values())
    assert {job["state"] for job in jobs.values()} == {"done"}, jobs
    assert sorted(record["name"] for record in cluster.results("materials")) == ["Li_100", "Li_110"]
    assert len(cluster.results("calculations")) == 4
    steps = (folder / "relaxation.log").read_text()
    assert steps.count("Step ") in (2, 3)  # the second worker may end before its first step
    (cell,) = [one for one in cluster.results("calculations") if one["kind"] == "cell"]
    # Each of the two who were ended lost one geometry at most.
    assert cell["ionic_steps"] <= steps.count("BFGS:") <= cell["ionic_steps"] + 2
    assert cluster.interohm("submit", config).count("done") == 3

    everything = cluster.documents() + "".join(
        path.read_text()
        for pattern in ("**/*.out", "**/*.error", "**/*.json", "**/*.log", "**/*.script")
        for path in cluster.folder.glob(pattern)
    )
    assert "Li_110: slab (110)" in everything
    for secret in cluster.secrets:
        assert secret not in everything
