"""The flow of a campaign, and what it would calculate."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobflow import Flow, Job, JobStore
from maggma.stores import MemoryStore
from monty.json import jsanitize
from pymatgen.core import Molecule, Structure

from interohm.database import Database
from interohm.errors import InputError

from .calculations import known_as, request_of
from .campaign_config import (
    CampaignConfig,
    ElectrodePhase,
    InsulatorPhase,
    InterfacePhase,
    MetalPhase,
    load_campaign,
    load_structure,
    load_structure_file,
)
from .context import using
from .electrode import electrode_flow
from .electrode_jobs import record_electrode
from .engines import engine_named
from .engines.request import CalculationRequest
from .equivalents import Requests
from .interface import interface_flow, interface_plan
from .interface_record import record_interface
from .molecules import load_molecules
from .phase import REMARKS, Neighbours, band_edges_of, insulator_flow, metal_flow
from .phase_diagram import window_of_others
from .phase_jobs import record_insulator, record_metal
from .presets import AnyPreset, load_preset

__all__ = ["CampaignConfig", "PlannedCalculation", "campaign_flow", "dry_run", "load_campaign"]


#: The jobs that make a record; they need finished calculations.
_RECORDS = tuple(
    job.original for job in (record_insulator, record_metal, record_electrode, record_interface)
)


@dataclass(frozen=True)
class PlannedCalculation:
    """One calculation of a campaign.

    Parameters
    ----------
    label : str
        Phase and step.
    hash : str
        Of the calculation that is found, else of the request; preliminary while the structure that
        it starts from is not calculated yet.
    kind : str
        What is calculated.
    charge : int
        Of the cell, in elementary charges.
    atoms, electrons : int
        How many the calculation has.
    kpoints : tuple of int
        Divisions of the mesh; of listed points their number.
    found : bool
        Whether database or program have it already.
    request : CalculationRequest
        What the engine would be asked for.
    """

    label: str
    hash: str
    kind: str
    charge: int
    atoms: int
    electrons: int
    kpoints: tuple[int, ...]
    found: bool
    request: CalculationRequest


def campaign_flow(config: CampaignConfig) -> Flow:
    """Return the flow of all phases.

    Raises
    ------
    InputError
        A structure, facet, preset or engine that cannot be used, named with its phase.
    """
    metal = load_structure(config.metal_structure, config.folder, where="metal_structure")
    _check_metal(config, metal)
    flows = []
    for index, phase in enumerate(config.phases):
        if isinstance(phase, InterfacePhase):
            flows.append(_interface(config, index, phase, metal))
            continue
        where = f"phases[{index}] {phase.name}: structure"
        structure = load_structure(phase.structure, config.folder, where=where)
        preset = _preset(config, phase.preset)
        _check_elements(phase, structure, metal, preset, where)
        ion: dict[str, Any] = {"mobile_ion": config.mobile_ion, "ion_charge": config.ion_charge}
        if isinstance(phase, InsulatorPhase):
            flows.append(_insulator(config, index, phase, structure, metal, preset))
        elif isinstance(phase, ElectrodePhase):
            flows.append(electrode_flow(phase, structure, metal, preset, **ion))
        else:
            flows.append(metal_flow(phase, structure, preset, **ion))
    return Flow(flows, name=config.name)


def _check_metal(config: CampaignConfig, metal: Structure) -> None:
    """Refuse a zero of mu that is not the mobile element's metal."""
    elements = sorted({kind.symbol for kind in metal.composition.element_composition})
    if elements != [config.mobile_ion]:
        raise InputError(
            f"{config.metal_structure} is {metal.composition.reduced_formula}; the energy per atom "
            f"of the metal of {config.mobile_ion} is the zero of all chemical potentials",
            where="metal_structure",
            fix=f"give a structure that holds {config.mobile_ion} alone",
        )


def plan_remarks(phases: Sequence[Flow]) -> list[str]:
    """Say what the flows of phases leave out: facets of a survey."""
    return [line for phase in phases for line in phase.metadata.get(REMARKS, [])]


def structure_remarks(config: CampaignConfig) -> list[str]:
    """Say what was mended in the files of a campaign's structures, each file once."""
    sources = [("metal_structure", config.metal_structure)]
    for index, phase in enumerate(config.phases):
        where = f"phases[{index}] {phase.name}"
        if isinstance(phase, InterfacePhase):
            sources += [(where, side.structure) for side in (phase.left, phase.right)]
            continue
        sources.append((where, phase.structure))
        if isinstance(phase, InsulatorPhase):
            sources += [(where, source) for source in phase.equilibrium_with]
    if config.phase_diagram is not None:
        sources += [("phase_diagram", source) for source in config.phase_diagram.competing]
    remarks = []
    for source, where in {source: where for where, source in reversed(sources)}.items():
        read = load_structure_file(source, config.folder, where=where)
        remarks += [f"{where}: {remark}" for remark in read.remarks]
    return remarks


def _interface(config: CampaignConfig, index: int, phase: InterfacePhase, metal: Structure) -> Flow:
    """Return an interface's flow."""
    structures, preset = _interface_inputs(config, index, phase)
    for name, structure in zip(("left", "right"), structures, strict=True):
        where = f"phases[{index}] {phase.name}: {name}"
        _check_elements(phase, structure, metal, preset, where)
    return interface_flow(
        phase,
        structures,
        preset,
        mobile_ion=config.mobile_ion,
        ion_charge=config.ion_charge,
    )


def _interface_inputs(
    config: CampaignConfig, index: int, phase: InterfacePhase
) -> tuple[tuple[Structure, Structure], AnyPreset]:
    preset = _preset(config, phase.preset)
    left, right = (
        load_structure(side.structure, config.folder, where=f"phases[{index}] {phase.name}: {name}")
        for name, side in (("left", phase.left), ("right", phase.right))
    )
    return (left, right), preset


def interface_plans(config: CampaignConfig, database: Database) -> list[str]:
    """Say of each interface which common cell and registries it has, and why not others."""
    lines = []
    for index, phase in enumerate(config.phases):
        if isinstance(phase, InterfacePhase):
            structures, preset = _interface_inputs(config, index, phase)
            lines += interface_plan(phase, structures, preset, database)
    return lines


def _insulator(
    config: CampaignConfig,
    index: int,
    phase: InsulatorPhase,
    structure: Structure,
    metal: Structure,
    preset: AnyPreset,
) -> Flow:
    """Return an insulator's flow, with the phases that its potentials and its window need."""
    where = f"phases[{index}] {phase.name}"
    ion: dict[str, Any] = {"mobile_ion": config.mobile_ion, "ion_charge": config.ion_charge}
    beside = [
        load_structure(source, config.folder, where=f"{where}: equilibrium_with")
        for source in phase.equilibrium_with
    ]
    diagram, known = config.phase_diagram, None
    competing: list[Structure] | None = None
    molecules: dict[str, Molecule] = {}
    if diagram is not None and phase.stability_window_V is None:
        if diagram.entries == "calculations":
            competing = [
                load_structure(source, config.folder, where="phase_diagram: competing")
                for source in diagram.competing
            ]
            molecules = load_molecules(diagram.molecules, config.folder)
        else:
            composition = structure.composition.element_composition
            window, known = window_of_others(
                diagram, config.folder, composition, **ion, where=f"{where}: phase_diagram"
            )
            phase = phase.model_copy(update={"stability_window_V": window})
    return insulator_flow(
        phase,
        structure,
        metal,
        preset,
        **ion,
        neighbours=Neighbours(beside, competing, molecules, known),
    )


def _check_elements(
    phase: InsulatorPhase | MetalPhase | ElectrodePhase | InterfacePhase,
    structure: Structure,
    metal: Structure,
    preset: AnyPreset,
    where: str,
) -> None:
    """Say that functional or data sets are missing before anything is calculated."""
    asked = [
        (where, structure, preset.engine, preset.insulator.bulk.engine_settings(preset.xc)),
        ("metal_structure", metal, preset.engine, preset.metal.bulk.engine_settings(preset.xc)),
    ]
    defects = preset.insulator.defects
    if isinstance(phase, InsulatorPhase) and getattr(defects, "shakenbreak", None):
        asked.append((where, structure, preset.engine, {**asked[0][3], "shakenbreak": True}))
    if isinstance(phase, InsulatorPhase) and (edges := band_edges_of(phase, preset)):
        for step in (edges.reference, edges.corrected):
            asked.append((where, structure, edges.engine, step.engine_settings(step.xc)))
    for name, one, engine, settings in asked:
        try:
            engine_named(engine).check_elements(one, settings)
        except InputError as error:
            field = name if error.where == "structure" else error.where
            raise InputError(error.what, where=field, fix=error.fix) from None


def _preset(config: CampaignConfig, name: str | None) -> AnyPreset:
    preset = load_preset(name or config.preset, folder=config.folder)
    engine_named(config.engine)
    if preset.engine != config.engine:
        raise InputError(
            f"the preset {preset.name} is for the engine {preset.engine}, not for {config.engine}",
            where="preset",
            fix=f"write `engine: {preset.engine}`, or name a preset for {config.engine}",
        )
    return preset


def jobs_in_order(flow: Flow) -> list[tuple[Job, list[str]]]:
    """Return the flow's jobs, each after those whose output it needs, and the latter's uuids."""
    with warnings.catch_warnings():
        # Phases are independent of each other, which jobflow finds worth a warning.
        warnings.filterwarnings("ignore", message="Some jobs are not connected")
        return list(flow.iterflow())


def memory_store() -> JobStore:
    """Return a store for the outputs of one run's jobs.

    They are references into the database (which is where results live), or follow from them.
    """
    store = JobStore(MemoryStore(), additional_stores={})
    store.connect()
    return store


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
        In the order of the flow, each calculation once.
    """
    return planned_calculations(campaign_flow(config), database)


def planned_calculations(flow: Flow, database: Database) -> list[PlannedCalculation]:
    """List a flow's calculations, each once, and start none; the flow stays as it is."""
    with using(database):
        return list(_planned(flow, database))


def _planned(flow: Flow, database: Database) -> Iterator[PlannedCalculation]:
    store = memory_store()
    seen = Requests()
    for job, _ in jobs_in_order(flow):
        if job.function in _RECORDS:
            continue
        # A copy: running the job itself would write today's structures into it.
        resolved = job.resolve_args(store, inplace=False)
        request = request_of(resolved)
        if request is None:
            resolved.run(store)
            continue
        found = known_as(database, request)
        structure = request.initial_structure
        # What is not calculated yet goes on with the structure that it starts from.
        planned = {"hash": request.hash, "structure": structure}
        output = planned if found is None else found.output
        _store_output(store, job, output)
        if seen.first_of(request) is not request:
            continue
        neutral = engine_named(request.engine).valence_electrons(structure, request.settings)
        yield PlannedCalculation(
            label=job.name,
            hash=output["hash"],
            kind=request.kind,
            charge=request.charge,
            atoms=len(structure),
            electrons=neutral - request.charge,
            kpoints=_divisions(request.settings["kpoints"]),
            found=found is not None,
            request=request,
        )


def _divisions(kpoints: Sequence[int | str]) -> tuple[int, ...]:
    """Return the divisions of a mesh; of points that are listed, as ``12 listed``, their number."""
    return tuple(int(str(one).split()[0]) for one in kpoints)


def _store_output(store: JobStore, job: Job, output: dict[str, object]) -> None:
    document = {
        "uuid": job.uuid,
        "index": job.index,
        "output": jsanitize(output, strict=True),
        "completed_at": datetime.now().isoformat(),
        "metadata": {},
        "hosts": [],
        "name": job.name,
    }
    store.update(document, key=["uuid", "index"])
