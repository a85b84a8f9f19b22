"""What `interohm status` shows of few jobs and of many, without a launchpad."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from interohm.workflows.queue_state import QueuedJob

JOB = QueuedJob(
    campaign="c",
    phase="p",
    name="p: bulk",
    id="1",
    state="waits",
    since=None,
    seconds=0.0,
    tries=0,
    host=None,
    folder=None,
    reason=None,
)


@pytest.fixture
def show(interohm, monkeypatch):
    """Return a function that shows some jobs."""

    def run(jobs, *options):
        monkeypatch.setattr(
            "interohm.workflows.launchpad.open_launchpad", lambda: contextlib.nullcontext()
        )
        monkeypatch.setattr(
            "interohm.workflows.queue_state.queued_jobs", lambda pad, campaign: jobs
        )
        monkeypatch.setattr("interohm.workflows.queue_state.other_workflows", lambda pad: 0)
        ran = interohm("status", *options)
        assert ran.code == 0
        return " ".join(ran.out.replace("─", " ").split()), ran.err

    return run


def failed(number, reason):
    return replace(
        JOB,
        phase=f"p{number}",
        name=f"p{number}: bulk",
        state="failed",
        reason=reason,
        seconds=60.0,
        tries=1,
        host="node",
        folder=f"/scratch/{number}",
    )


def test_few_phases_are_listed(show):
    shown, _ = show([JOB, replace(JOB, state="done", seconds=61.0)])
    assert shown.startswith("2 jobs of 1 phase in 1 campaign: 1 waits, 1 done; run time 0:01:01")
    assert "campaign phase waits done run time c p 1 1 0:01:01" in shown


def test_failures_are_grouped_by_reason(show):
    jobs = [failed(n, f"did not converge (log: /data/{n:064x}/worker.log)") for n in range(300)]
    jobs += [failed(n, "the disk is full") for n in range(300, 340)]
    jobs += [replace(JOB, phase="p400", state="lost", seconds=5.0)]
    shown, remarks = show(jobs)
    assert shown.startswith("341 jobs of 341 phases in 1 campaign: 340 failed, 1 lost;")
    assert "campaign phase" not in shown
    assert "did not converge (log: …) 300 300 p0: bulk" in shown
    assert "the disk is full 40 40 p300: bulk" in shown
    assert "lost: its worker is silent 1 1 p: bulk" in shown
    assert shown.index("converge") < shown.index("disk") < shown.index("silent")
    assert "--failed" in remarks
    assert "campaign phase failed lost run time" in show(jobs, "--phases")[0]
    listed, _ = show(jobs, "--failed")
    assert listed.count("p3") == 51
    assert f"/data/{299:064x}/worker.log" in listed.replace(" ", "")


def test_of_many_running_jobs_some_are_listed(show):
    running = replace(JOB, state="runs", host="node", folder="/scratch/1", tries=1)
    shown, remarks = show([running] * 50)
    assert shown.count("p: bulk") == 20
    assert "and 30 more" in remarks
