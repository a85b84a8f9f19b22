"""A campaign as FireWorks workflows: one a phase, each added once."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal

from jobflow import Flow, Job
from pymatgen.core import Structure

from interohm.database import Database
from interohm.slab_builders.cells import primitive_cell
from interohm.slab_builders.equivalence import settings_between

from .campaign_config import CampaignConfig, InterfacePhase
from .campaign_flows import inputs_of, phase_inputs
from .launchpad import METADATA, PATIENCE_MS, WAITS_FOR, is_empty
from .plan_cache import PlanCache
from .plans import kept_plans
from .queue_repair import in_batches, utc
from .shared import SharedCalculation, Sharing, digest_of

if TYPE_CHECKING:
    from fireworks import LaunchPad, Workflow

#: Fields of a phase that say where its crystals are read from; what is read counts.
_STRUCTURES: dict[str, Any] = {"structure": True, "left": {"structure"}, "right": {"structure"}}

_ENDED_WELL = ("COMPLETED", "ARCHIVED")

#: Phases that are added in one go.
_BATCH = 200

#: A workflow without its jobs is so long taken for one that is being added.
_LONGEST_SUBMISSION_S = 120.0


@dataclass(frozen=True)
class Submission:
    """Outcome of submitting a phase.

    Parameters
    ----------
    phase : str
        Its name.
    outcome : {"added", "queued", "failed", "done"}
        ``queued`` and ``failed`` were submitted before; ``done`` is in the database.
    jobs : int
        Number of jobs of its workflow; 0 if it needs none.
    """

    phase: str
    outcome: Literal["added", "queued", "failed", "done"]
    jobs: int


@dataclass(frozen=True)
class PhasePlan:
    """A phase (or a screening) by itself: its flow, and what tells it from all others.

    Parameters
    ----------
    name : str
        Name of the phase or the screening.
    make_flow : callable
        Returns its jobs; of a phase the one that plans it.
    key : str
        SHA-256 of what decides the phase's calculations, of its crystals the elements alone.
    done : bool
        Whether the database has all of them, and the record.
    recorded : bool
        Whether it has the record; done, too, if a workflow of this key has ended.
    crystals : dict of str to Structure
        Primitive cells by the campaign's fields. Of equal keys, those are one whose crystals are.
    earlier_key : str
        Key as versions of the program before 0.2 made it, with all digits of the files' structures.
    shared : bool
        Not a phase, but what several need; of other campaigns, too.
    """

    name: str
    make_flow: Callable[[], Flow | Job]
    key: str
    done: bool
    recorded: bool = False
    crystals: dict[str, Structure] = field(default_factory=dict)
    earlier_key: str = ""
    shared: bool = False


def phases_to_submit(
    config: CampaignConfig, database: Database, *, advance: Callable[[], None] = lambda: None
) -> list[PhasePlan]:
    """Return each phase with the job that plans it; slabs and supercells are left to that.

    Jobs that several phases need come first, with their calculations.

    Parameters
    ----------
    config : CampaignConfig
        The campaign.
    database : Database
        Opened for reading.
    advance : callable
        Called after each phase.

    Raises
    ------
    InputError
        An input cannot be used, as far as this shows without slabs and supercells.
    """
    # one pass over the database, however many phases there are
    records = set(database.material_names())
    joined = (isinstance(phase, InterfacePhase) for phase in config.phases)
    interfaces = {one.name for one in database.interfaces()} if any(joined) else set()
    recorded = [
        phase
        for phase in config.phases
        if phase.name in (interfaces if isinstance(phase, InterfacePhase) else records)
    ]
    kept = kept_plans(config.model_copy(update={"phases": recorded}), database)
    done = {plan.phase for plan in kept if all(one.found for one in plan.calculations)}
    recorded_names = {phase.name for phase in recorded}
    plans: list[PhasePlan] = []
    sharing = Sharing()
    with PlanCache.open() as cache:
        for phase, inputs in zip(config.phases, phase_inputs(config), strict=True):
            sharing.add(len(plans), inputs)
            alone = config.alone(phase)
            structures = {
                "metal_structure" if name == "metal" else name: structure
                for name, structure in inputs.structures.items()
            }
            crystals = {name: _primitive(one, cache) for name, one in structures.items()}
            plans.append(
                PhasePlan(
                    name=phase.name,
                    make_flow=functools.partial(_planning_job, config, len(plans), sharing),
                    key=_key(alone, crystals),
                    done=phase.name in done,
                    recorded=phase.name in recorded_names,
                    crystals=crystals,
                    earlier_key=_earlier_key(alone, structures),
                )
            )
            advance()
        shared = [
            _shared_plan(one, cache)
            for one, phases in sharing.shared()
            if not all(plans[number].done for number in phases)
        ]
    return [*shared, *plans]


def _planning_job(config: CampaignConfig, index: int, sharing: Sharing) -> Job:
    return inputs_of(config, index).job(sharing.of_phase(index))


def _shared_plan(one: SharedCalculation, cache: PlanCache) -> PhasePlan:
    """Return a calculation that phases share as what is submitted beside them."""
    content, crystals = one.content, {}
    if isinstance(content, Structure):
        crystals = {"structure": _primitive(content, cache)}
        atoms: Any = crystals["structure"].composition.get_el_amt_dict()
    else:
        atoms = digest_of(content)
    said = {"shared": one.name, "settings": one.settings(), "atoms": atoms}
    return PhasePlan(
        name=f"{one.name} (shared)",
        make_flow=one.flow,
        key=hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest(),
        done=False,
        recorded=True,  # once its workflow has ended, it is in the database
        crystals=crystals,
        shared=True,
    )


#: Read from a file each time otherwise.
_version = functools.cache(metadata.version)


def _primitive(structure: Structure, cache: PlanCache) -> Structure:
    """Return the primitive cell of a structure, which is found once."""
    content = [structure.lattice.matrix.tolist(), structure.frac_coords.tolist()]
    content += [[site.specie.symbol for site in structure], _version("spglib")]
    name = f"primitive {hashlib.sha256(json.dumps(content).encode()).hexdigest()}"
    found = cache.find([name]).get(name)
    if found is not None:
        return Structure.from_dict(found)
    made = primitive_cell(structure)
    cache.keep(name, made.as_dict())
    return made


def submit(
    campaign: str,
    plans: Sequence[PhasePlan],
    launchpad: LaunchPad,
    *,
    advance: Callable[[int], None] = lambda count: None,
) -> list[Submission]:
    """Add phases to the launchpad, those apart that are there or done already.

    Parameters
    ----------
    campaign : str
        Its name.
    plans : sequence of PhasePlan
        The phases to submit.
    launchpad : LaunchPad
        The queue.
    advance : callable
        Called with the number of phases that are settled.

    Returns
    -------
    list of Submission
        One a phase.
    """
    _initialize(launchpad)
    before = _submitted(launchpad, [plan for plan in plans if not plan.done])

    def earlier(plan: PhasePlan) -> Submission | None:
        present = [one for one in before[id(plan)] if one["state"] not in _ENDED_WELL]
        if present:
            outcome: Any = "failed" if present[0]["state"] == "FIZZLED" else "queued"
            return Submission(plan.name, outcome, len(present[0]["nodes"]))
        if plan.recorded and any(one["state"] == "COMPLETED" for one in before[id(plan)]):
            return Submission(plan.name, "done", 0)
        return None

    done = settled(plans, earlier, lambda some: _add(launchpad, campaign, some), advance)
    join_campaign(launchpad.workflows, campaign, plans)
    return done


def join_campaign(collection: Any, campaign: str, plans: Sequence[PhasePlan]) -> None:
    """Add what plans share, which another campaign may have submitted, to this campaign, too."""
    if keys := [plan.key for plan in plans if plan.shared]:
        collection.update_many(
            {f"metadata.{METADATA}.key": {"$in": keys}},
            {"$addToSet": {f"metadata.{METADATA}.campaign": campaign}},
        )


def settled(
    plans: Sequence[PhasePlan],
    earlier: Callable[[PhasePlan], Submission | None],
    add: Callable[[Sequence[PhasePlan]], Sequence[Submission]],
    advance: Callable[[int], None],
) -> list[Submission]:
    """Return what becomes of phases in a queue: those are added that are not there yet.

    Parameters
    ----------
    plans : sequence of PhasePlan
        The phases.
    earlier : callable
        Outcome of an earlier submission of a phase; None if the phase is to be added.
    add : callable
        Adds several phases at once.
    advance : callable
        Called with the number of phases that are settled.
    """
    found: dict[int, Submission] = {}
    new = []
    for plan in plans:
        before = Submission(plan.name, "done", 0) if plan.done else earlier(plan)
        if before is None:
            new.append(plan)
        else:
            found[id(plan)] = before
    advance(len(found))
    for first in range(0, len(new), _BATCH):
        some = new[first : first + _BATCH]
        found |= {id(plan): added for plan, added in zip(some, add(some), strict=True)}
        advance(len(found))
    return [found[id(plan)] for plan in plans]


def workflow(campaign: str, plan: PhasePlan) -> Workflow:
    """Return the phase as a workflow: no store in its jobs, so that workers take their own."""
    from jobflow.managers.fireworks import flow_to_workflow

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Some jobs are not connected")
        return flow_to_workflow(
            plan.make_flow(),
            name=f"{campaign}: {plan.name}",
            metadata={METADATA: described(campaign, plan)},
        )


def described(campaign: str, plan: PhasePlan) -> dict[str, Any]:
    """Return what a queue keeps of a phase, to know it again."""
    return {
        "campaign": [campaign] if plan.shared else campaign,
        "phase": plan.name,
        "key": plan.key,
        "crystals": {name: one.as_dict() for name, one in plan.crystals.items()},
    }


def _add(launchpad: LaunchPad, campaign: str, plans: Sequence[PhasePlan]) -> list[Submission]:
    """Add phases; of what somebody else adds at the same moment the earlier one stays."""
    made = [workflow(campaign, plan) for plan in plans]
    with contextlib.redirect_stderr(io.StringIO()):  # a bar of its own
        launchpad.bulk_add_wfs(made)
    present = _submitted(launchpad, plans)
    submissions, late = [], []
    for plan, one in zip(plans, made, strict=True):
        nodes = list(one.id_fw)
        first = next(one for one in present[id(plan)] if one["state"] not in _ENDED_WELL)
        if min(first["nodes"]) == min(nodes):
            submissions.append(Submission(plan.name, "added", len(nodes)))
        else:
            late += nodes
            submissions.append(Submission(plan.name, "queued", len(first["nodes"])))
    _remove(launchpad, late)
    return submissions


def _submitted(launchpad: LaunchPad, plans: Sequence[PhasePlan]) -> dict[int, list[dict[str, Any]]]:
    """Return the workflows of phases, the earliest first."""
    keys = [key for plan in plans for key in (plan.key, plan.earlier_key)]
    found = _whole(
        launchpad,
        in_batches(
            launchpad.workflows,
            f"metadata.{METADATA}.key",
            keys,
            {},
            {"nodes": 1, "state": 1, "created_on": 1, f"metadata.{METADATA}": 1},
        ),
    )
    return of_plans(plans, found, lambda one: min(one["nodes"]))


def of_plans(
    plans: Sequence[PhasePlan],
    submitted: Iterable[dict[str, Any]],
    order: Callable[[dict[str, Any]], float],
) -> dict[int, list[dict[str, Any]]]:
    """Return which of a queue's documents are of which plans.

    By the plans' ``id()``, as two phases may have one key.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for one in submitted:
        found.setdefault(one["metadata"][METADATA]["key"], []).append(one)
    return {
        id(plan): sorted(
            (
                one
                for key in {plan.key, plan.earlier_key}
                for one in found.get(key, [])
                if _same_crystals(plan, one["metadata"][METADATA])
            ),
            key=order,
        )
        for plan in plans
    }


def _whole(launchpad: LaunchPad, workflows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return workflows that have their jobs, and remove those that have not.

    A workflow is written before its jobs, so that no worker finds a job without one. Whoever was
    killed between the two left one that would never run.
    """
    found = [dict(one) for one in workflows]
    nodes = [node for one in found for node in one["nodes"]]
    there = {
        job["fw_id"] for job in in_batches(launchpad.fireworks, "fw_id", nodes, {}, {"fw_id": 1})
    }
    now, whole, torn = datetime.now(UTC), [], []
    for one in found:
        old = (now - utc(one["created_on"])).total_seconds() > _LONGEST_SUBMISSION_S
        if old and not there.issuperset(one["nodes"]):
            torn += one["nodes"]
        else:
            whole.append(one)
    _remove(launchpad, torn)
    return whole


def _remove(launchpad: LaunchPad, nodes: Sequence[int]) -> None:
    """Remove workflows that nobody has begun, with all their jobs."""
    if nodes:
        launchpad.fireworks.delete_many({"fw_id": {"$in": list(nodes)}})
        launchpad.workflows.delete_many({"nodes": {"$in": list(nodes)}})


def _same_crystals(plan: PhasePlan, submitted: Mapping[str, Any]) -> bool:
    """Return whether a workflow with the plan's key has the same crystals, if it names them."""
    return all(
        _is_crystal(plan.crystals[name], one) for name, one in submitted.get("crystals", {}).items()
    )


def _is_crystal(crystal: Structure, document: Mapping[str, Any]) -> bool:
    if crystal.lattice.matrix.tolist() == document["lattice"]["matrix"] and [
        (site.specie.symbol, site.frac_coords.tolist()) for site in crystal
    ] == [(site["label"], site["abc"]) for site in document["sites"]]:
        return True
    return next(settings_between(crystal, Structure.from_dict(document)), None) is not None


def _initialize(launchpad: LaunchPad) -> None:
    """Give an empty launchpad its counters and indexes, as ``lpad reset`` would."""
    if is_empty(launchpad):
        counters = {"next_fw_id": 1, "next_launch_id": 1}
        launchpad.fw_id_assigner.update_one({"_id": -1}, {"$setOnInsert": counters}, upsert=True)
        launchpad.tuneup(bkground=False)
    for said in ("key", "campaign"):
        launchpad.workflows.create_index(f"metadata.{METADATA}.{said}")
    launchpad.fireworks.create_index("spec._tasks.job.uuid")
    for said in ("key", "claim"):  # of the few that wait
        launchpad.fireworks.create_index(f"spec.{WAITS_FOR}.{said}", sparse=True)


def index_outputs() -> None:
    """Make the index by which jobflow looks outputs of jobs up, on the server of its settings.

    Where that server does not answer there is none: `interohm doctor` says so.
    """
    from jobflow import SETTINGS
    from maggma.stores import MemoryStore, MongoStore
    from pymongo.errors import PyMongoError

    store = SETTINGS.JOB_STORE.docs_store
    if not isinstance(store, MongoStore) or isinstance(store, MemoryStore):
        return
    patience = {"serverSelectionTimeoutMS": PATIENCE_MS}
    store.mongoclient_kwargs = {**patience, **store.mongoclient_kwargs}
    with contextlib.suppress(PyMongoError):
        store.connect()
        with contextlib.closing(store):
            store._collection.create_index([("uuid", 1), ("index", 1)])


def _sources(alone: CampaignConfig) -> dict[str, str]:
    (phase,) = alone.phases
    if isinstance(phase, InterfacePhase):
        own = {"left": phase.left.structure, "right": phase.right.structure}
    else:
        own = {"structure": phase.structure}
    return {**own, "metal_structure": alone.metal_structure}


def _key(alone: CampaignConfig, crystals: Mapping[str, Structure]) -> str:
    (phase,) = alone.phases
    config = alone.model_dump(mode="json", exclude={"metal_structure", "phases"})
    content = {
        "config": config | {"phase": _said(phase.model_dump(mode="json", exclude=_STRUCTURES))},
        "preset": _preset_of(alone),
        "atoms": {name: one.composition.get_el_amt_dict() for name, one in crystals.items()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _said(content: Any) -> Any:
    """Leave out later fields that are not given, so that keys stay as they were."""
    if isinstance(content, dict):
        return {
            name: _said(value)
            for name, value in content.items()
            if name != "oxidation_states" or value is not None
        }
    return [_said(value) for value in content] if isinstance(content, list) else content


def _earlier_key(alone: CampaignConfig, structures: Mapping[str, Structure]) -> str:
    content = {
        "config": _said(alone.model_dump(mode="json")),
        "preset": _preset_of(alone),
        **{name: structure.as_dict() for name, structure in structures.items()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _preset_of(alone: CampaignConfig) -> dict[str, Any]:
    (phase,) = alone.phases
    return alone.preset_of(phase).model_dump(mode="json")
