"""What several phases need is calculated once; a job that waits for it leaves its core."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jobflow import CURRENT_JOB, Job, OutputReference
from pymatgen.core import Lattice, Structure

from interohm.database import Database
from interohm.files import open_plain
from interohm.workflows import submission, waiting
from interohm.workflows.calculations import SharedCalculationError, calculate, is_calculation
from interohm.workflows.campaign import campaign_flow, jobs_in_order, load_campaign, memory_store
from interohm.workflows.claim_file import CLAIM, hold, is_free, taken
from interohm.workflows.claims import claimed
from interohm.workflows.context import using
from interohm.workflows.engines.gpaw import GpawEngine
from interohm.workflows.engines.protocol import CalculationError
from interohm.workflows.failures import save_failure
from interohm.workflows.launchpad import WAITS_FOR
from interohm.workflows.local import shared_first
from interohm.workflows.presets import load_preset

STEPS = ("cell", "bulk")
CAMPAIGNS = Path(__file__).parents[1] / "data" / "campaigns"
LITHIUM = Structure(Lattice.cubic(3.2), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path))
    monkeypatch.delenv("INTEROHM_MONGODB_URI", raising=False)
    yield
    CURRENT_JOB.reset()


def lithium(**fields: Any) -> Job:
    preset = load_preset("quick")
    settings = preset.metal.bulk.engine_settings(preset.xc)
    job = calculate(LITHIUM, engine="gpaw", kind="static", settings=settings, **fields)
    job.name = "Li metal: bulk"
    return job


def test_what_two_phases_need_has_a_workflow_of_its_own(database: Database) -> None:
    config = load_campaign(CAMPAIGNS / "six_phases.yaml")
    plans = submission.phases_to_submit(config, database)
    assert [plan.name for plan in plans if plan.shared] == [
        *("Li metal (shared)", "LiF (shared)", "LiH (shared)")
    ]
    assert [plan.name for plan in plans if not plan.shared] == [one.name for one in config.phases]
    for plan, steps in zip(plans, ("Li metal", "LiF", "LiH"), strict=False):
        flow = plan.make_flow()
        assert [job.name for job in flow.jobs] == [f"{steps}: cell", f"{steps}: bulk"]
        assert {job.config.manager_config["_priority"] for job in flow.jobs} == {1}
    again = submission.phases_to_submit(load_campaign(CAMPAIGNS / "six_phases.yaml"), database)
    assert [plan.key for plan in again] == [plan.key for plan in plans]

    # in a phase's own flow their jobs calculate nothing where that workflow failed
    (plan,) = [plan for plan in plans if plan.name == "tiny_LiF_001"]
    with using(database):
        flow = plan.make_flow().run(memory_store()).replace
    shared = {job.name for job in flow.jobs if job.function_kwargs.get("shared")}
    assert shared == {f"{name}: {step}" for name in ("tiny_LiF_001", "Li metal") for step in STEPS}
    alone = config.alone(config.phases[2])
    (plan,) = submission.phases_to_submit(alone, database)
    assert plan.make_flow().function_kwargs.get("shared") is None


def test_in_a_local_run_the_shared_ones_go_first() -> None:
    flow = campaign_flow(load_campaign(CAMPAIGNS / "six_phases.yaml"))
    jobs = shared_first(jobs_in_order(flow))
    first = [job for job, _ in jobs][: 2 * 10]  # six own crystals, and lithium for four of them
    assert all(is_calculation(job) and job.name.endswith((": cell", ": bulk")) for job in first)
    assert not any(job.name.endswith((": cell", ": bulk")) for job, _ in jobs[len(first) :])
    known: set[str] = set()
    for job, parents in jobs:
        assert known.issuperset(parents)
        known.add(job.uuid)
        if job.name.endswith("bulk"):
            assert isinstance(job.function_args[0], OutputReference)


def test_a_job_whose_calculation_another_one_makes_goes_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "in_a_worker_of_jobflow_remote", lambda: True)
    monkeypatch.setattr(GpawEngine, "start", lambda *_: pytest.fail("it was begun"))
    job = lithium()
    request = GpawEngine().request(LITHIUM, "static", job.function_kwargs["settings"], 0)
    folder = claimed(request).folder
    folder.mkdir()
    with using(database), open_plain(folder / CLAIM) as held:
        assert taken(held)
        for index, holder in ((2, "the first one"), (3, "")):
            hold(held, holder)
            (job,) = job.run(memory_store()).replace.jobs
            assert (job.name, job.index) == ("Li metal: bulk", index)
            waits = {"key": request.key, "job": holder or "another job"}
            assert job.metadata[WAITS_FOR] == {**waits, "claim": str(folder / CLAIM)}
            assert not is_free(folder / CLAIM)
    assert is_free(folder / CLAIM)
    assert not is_free(folder / "elsewhere" / CLAIM)  # on another machine's disk, perhaps


def test_a_shared_calculation_that_failed_fails_with_its_reason(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    def start(*_: Any) -> Any:
        begun.append(1)
        raise CalculationError("its own")

    monkeypatch.setattr(GpawEngine, "start", start)
    owner = lithium()
    with using(database):
        with pytest.raises(CalculationError, match="its own"):
            owner.run(memory_store())
        for _ in range(2):
            with pytest.raises(SharedCalculationError, match=r"^Li metal: bulk: its own$"):
                lithium(shared=True).run(memory_store())
        assert len(begun) == 1
        # of its own failures a job thinks nothing
        with pytest.raises(CalculationError, match=r"^its own$"):
            lithium().run(memory_store())
        assert len(begun) == 2
        # told in another setting, too
        turned = LITHIUM.copy()
        turned.translate_sites([0, 1], [0.5, 0.0, 0.0])
        other = lithium(shared=True)
        other.function_args = (turned,)
        with pytest.raises(SharedCalculationError):
            other.run(memory_store())
        (failure,) = database.query("failures")
        database.forget_failures(["of another", failure["job"]])
        assert database.count("failures") == 0
        with pytest.raises(CalculationError, match=r"^its own$"):
            lithium(shared=True).run(memory_store())


def test_failures_of_earlier_versions_are_no_reason(database: Database) -> None:
    request = GpawEngine().request(LITHIUM, "static", lithium().function_kwargs["settings"], 0)
    failure = save_failure(database, request, CalculationError("long ago"))
    assert (failure.label, failure.job) == (None, None)
    database.save_failure(failure.model_dump(exclude={"key", "label", "job"}))
    assert database.failures_with_key(request.key) == []
