"""The plans of a campaign's phases: made once, kept, and side by side where there are many.

A plan depends on what a campaign says of a phase, on its structures and its preset, and on those
finished calculations of the database that its own may be. The former make the name under which it
is kept. The latter are looked up again where the database has others than before, and only where
further calculations depend on the answer is the plan made anew.
"""

from __future__ import annotations

import functools
import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from interohm.database import Database
from interohm.database.shipped_calculations import shipped_hashes_with_key
from interohm.errors import InputError
from interohm.version import VERSION

from .calculations import known_as
from .campaign_config import (
    CampaignConfig,
    Phase,
    structure_path,
)
from .campaign_flows import (
    campaign_flow,
    interface_plans,
    plan_remarks,
    require_extras,
    structure_sources,
)
from .engines.request import CalculationRequest
from .equivalents import Requests
from .plan_cache import PlanCache
from .planned import PlannedCalculation, planned_calculations

#: With fewer new phases, another process would take longer to start than to plan.
_FEW = 8


@dataclass(frozen=True)
class Plan:
    """Planned calculations of a phase.

    Parameters
    ----------
    phase : str
        Its name.
    calculations : list of PlannedCalculation
        Found or not, each once.
    remarks : list of str
        Parts that the plan leaves out.
    mended : mapping of str to list of str
        Corrections made while structure files were read.
    interface : list of str
        For an interface, its common cell and registries.
    """

    phase: str
    calculations: list[PlannedCalculation]
    remarks: list[str] = field(default_factory=list)
    mended: Mapping[str, list[str]] = field(default_factory=dict)
    interface: list[str] = field(default_factory=list)


def dry_run(config: CampaignConfig, database: Database) -> list[PlannedCalculation]:
    """List a campaign's calculations and start none.

    Parameters
    ----------
    config : CampaignConfig
        The campaign.
    database : Database
        Opened for reading.

    Returns
    -------
    list of PlannedCalculation
        Phase by phase, each calculation once.
    """
    return once(plan_campaign(config, database))


def once(plans: Iterable[Plan]) -> list[PlannedCalculation]:
    """Return the calculations of plans, each once."""
    seen = Requests()
    return [
        calculation
        for plan in plans
        for calculation in plan.calculations
        if seen.first_of(calculation.request) is calculation.request
    ]


def plan_campaign(
    config: CampaignConfig,
    database: Database,
    *,
    processes: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> list[Plan]:
    """Return the plans of a campaign's phases; those that were made before are taken again.

    Parameters
    ----------
    config : CampaignConfig
        The campaign.
    database : Database
        Opened for reading.
    processes : int
        That plan side by side, where there are many new phases.
    advance : callable
        Called whenever a phase is planned.

    Raises
    ------
    InputError
        A structure, facet, preset, engine or extra that cannot be used, named with its phase.
    """
    require_extras(config)  # planning the phases before may take minutes
    names = [_name(config, phase) for phase in config.phases]
    plans: dict[int, Plan] = {}
    with PlanCache.open() as cache:
        for index, plan in _kept(cache, names, database):
            plans[index] = plan
            advance()
        new = [index for index in range(len(names)) if index not in plans]
        for index, plan, stored in _made(config, new, database, processes):
            plans[index] = plan
            if (name := names[index]) is not None:
                cache.keep(name, stored)
            advance()
    return [plans[index] for index in range(len(names))]


def kept_plans(config: CampaignConfig, database: Database) -> list[Plan]:
    """Return the plans of those phases that were planned before; none is made."""
    names = [_name(config, phase) for phase in config.phases]
    with PlanCache.open() as cache:
        return [plan for _, plan in _kept(cache, names, database)]


def mended(config: CampaignConfig, plans: Sequence[Plan]) -> list[str]:
    """Return remarks about repairs of a campaign's structure files, each file once."""
    notes = {source: lines for plan in plans for source, lines in plan.mended.items()}
    return [
        f"{where}: {line}"
        for source, where in structure_sources(config).items()
        for line in notes.get(source, [])
    ]


def _made(
    config: CampaignConfig, new: Sequence[int], database: Database, processes: int
) -> Iterator[tuple[int, Plan, dict[str, Any]]]:
    processes = min(processes, len(new) // _FEW)
    if processes < 2 or database.settings is None:
        for index in new:
            plan, stored = _plan(config, index, database)
            yield index, plan, stored
        return
    # One process imports everything, the others are copies of it.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_begin, initargs=(config, database.settings)
    ) as pool:
        futures: list[Future[Any]] = [pool.submit(_plan_here, index) for index in new]
        try:
            for future in as_completed(futures):
                index, stored = future.result()
                yield index, _plan_from(stored), stored
        finally:
            for future in futures:
                future.cancel()


_here: tuple[CampaignConfig, Database] | None = None
_until_the_end = ExitStack()


def _begin(config: CampaignConfig, settings: Any) -> None:
    global _here
    _here = config, _until_the_end.enter_context(Database.open(settings))


def _plan_here(index: int) -> tuple[int, dict[str, Any]]:
    assert _here is not None
    return index, _plan(_here[0], index, _here[1])[1]


def _plan(config: CampaignConfig, index: int, database: Database) -> tuple[Plan, dict[str, Any]]:
    """Return a phase's plan, and as it is kept."""
    alone = config.alone(config.phases[index])
    try:
        flow = campaign_flow(alone)
        calculations = planned_calculations(flow, database)
        sources = {
            source: alone.structure_file(source, where=where).remarks
            for source, where in structure_sources(alone).items()
        }
        plan = Plan(
            phase=alone.phases[0].name,
            calculations=calculations,
            remarks=plan_remarks(flow.jobs),
            mended={source: list(lines) for source, lines in sources.items() if lines},
            interface=interface_plans(alone, database),
        )
    except InputError as error:
        where = (error.where or "").replace("phases[0]", f"phases[{index}]", 1)
        raise InputError(error.what, where=where or None, fix=error.fix) from None
    return plan, _stored(plan, database)


def _stored(plan: Plan, database: Database) -> dict[str, Any]:
    rows = [
        {
            **{name: value for name, value in vars(one).items() if name != "request"},
            "request": one.request.model_dump(),
            "request_hash": one.request.hash,
            "key": one.request.key,
        }
        for one in plan.calculations
    ]
    keys = {one.request.key for one in plan.calculations}
    known = database.calculation_hashes(keys)
    return {
        **{name: value for name, value in vars(plan).items() if name != "calculations"},
        "calculations": rows,
        "known": {key: _hashes(key, known) for key in keys},
    }


def _request_from(row: Mapping[str, Any]) -> CalculationRequest:
    request = CalculationRequest(**row["request"])
    # They were made of the same content, at some cost.
    vars(request).update(hash=row["request_hash"], key=row["key"])
    return request


def _plan_from(stored: Mapping[str, Any]) -> Plan:
    calculations = []
    for row in stored["calculations"]:
        own = {k: v for k, v in row.items() if k not in ("request", "request_hash", "key")}
        request = _request_from(row)
        kpoints = tuple(own.pop("kpoints"))
        calculations.append(PlannedCalculation(**own, kpoints=kpoints, request=request))
    rest = {name: stored[name] for name in ("phase", "remarks", "mended", "interface")}
    return Plan(calculations=calculations, **rest)


def _kept(
    cache: PlanCache, names: Sequence[str | None], database: Database
) -> Iterator[tuple[int, Plan]]:
    """Yield the plans that were made before, as long as the database changes no calculation."""
    known: dict[str, list[str]] = {}
    asked = [(index, name) for index, name in enumerate(names) if name is not None]
    for first in range(0, len(asked), _TOGETHER):
        some = asked[first : first + _TOGETHER]
        found = cache.find([name for _, name in some])
        keys = {key for stored in found.values() for key in stored["known"]} - known.keys()
        known |= {key: [] for key in keys} | database.calculation_hashes(keys)
        for index, name in some:
            stored = found.get(name)
            if stored is None:
                continue
            now = {key: _hashes(key, known) for key in stored["known"]}
            changed = {key for key, before in stored["known"].items() if now[key] != before}
            if changed:
                rows = _looked_up(stored["calculations"], changed, now, database)
                if rows is None:
                    continue
                stored = {**stored, "calculations": rows, "known": now}
                cache.keep(name, stored)
            yield index, _plan_from(stored)


def _looked_up(
    rows: Sequence[Mapping[str, Any]],
    keys: Collection[str],
    now: Mapping[str, Sequence[str]],
    database: Database,
) -> list[Mapping[str, Any]] | None:
    """Return a plan's calculations, those of some keys looked up again among what is there now.

    None where another answer would change the calculations that follow from it.
    """
    looked_up = []
    for row in rows:
        if row["key"] in keys:
            hash, found = row["request_hash"], True
            if hash not in now[row["key"]]:  # in another setting: its structure is compared
                answer = known_as(database, _request_from(row))
                hash = hash if answer is None else answer.output.hash
                found = answer is not None
            if (hash, found) != (row["hash"], row["found"]):
                if row["leads_on"]:
                    return None
                row = {**row, "hash": hash, "found": found}
        looked_up.append(row)
    return looked_up


#: Plans that are read in one go.
_TOGETHER = 200


def _hashes(key: str, known: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the finished calculations of a key."""
    return sorted({*known.get(key, ()), *shipped_hashes_with_key(key)})


def _name(config: CampaignConfig, phase: Phase) -> str | None:
    """Return the name under which a phase's plan is kept; None where it cannot be told yet."""
    alone = config.alone(phase)
    sources = list(structure_sources(alone))
    diagram = config.phase_diagram
    if diagram is not None:
        sources += [one for one in diagram.molecules if one.endswith(".xyz")]
        if diagram.entries not in ("calculations", "materials_project"):
            sources.append(diagram.entries)
    try:
        files = {source: _content(config, source) for source in sources}
        preset = alone.preset_of(phase).model_dump(mode="json")
    except (InputError, OSError):
        return None  # it is said when the phase is planned
    content = {
        "made by": _versions(),
        # the campaign's name names nothing that is calculated
        "campaign": alone.model_dump(mode="json", exclude={"name", "phases"}),
        "phase": phase.model_dump(mode="json"),
        "preset": preset,
        "files": files,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _content(config: CampaignConfig, source: str) -> str:
    if (listed := config.listed(source)) is not None:
        return hashlib.sha256(listed.encode()).hexdigest()
    path, _ = structure_path(source, config.folder)
    if not os.path.isfile(path):
        structure = config.structure(source, where="structure").as_dict()
        return json.dumps(structure, sort_keys=True)
    return hashlib.sha256(path.read_bytes()).hexdigest()


#: Of other programs, those that make structures and settings of plans.
PLANNING_PACKAGES = (
    "pymatgen",
    "pymatgen-analysis-defects",
    "spglib",
    "gpaw",
    "gpaw-data",
    "atomate2",
    "shakenbreak",
)


@functools.cache
def _versions() -> list[Any]:
    """Return the versions of all that makes plans, and the state of the program's own files."""
    root = Path(__file__).parent
    files = sorted({*root.rglob("*.py"), *(root.parent / "slab_builders").glob("*.py")})
    states = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return [VERSION, *map(_version, PLANNING_PACKAGES), states]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
