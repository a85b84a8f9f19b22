"""The flow of a campaign: its files read, its phases checked, the flows of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobflow import Flow
from pymatgen.core import Molecule, Structure

from interohm.database import Database
from interohm.errors import InputError
from interohm.extras import require

from .campaign_config import (
    CampaignConfig,
    InsulatorPhase,
    InterfacePhase,
    Phase,
)
from .engines import engine_named
from .interface import interface_plan
from .molecules import load_molecules
from .phase import REMARKS, Neighbours
from .phase_diagram import window_of_others
from .planning import PhaseInputs
from .presets import AnyPreset


def campaign_flow(config: CampaignConfig) -> Flow:
    """Return the flow of all phases.

    Raises
    ------
    InputError
        A structure, facet, preset or engine that cannot be used, named with its phase.
    """
    require_extras(config)
    return Flow([inputs.flow() for inputs in phase_inputs(config)], name=config.name)


def require_extras(config: CampaignConfig) -> None:
    """Raise InputError unless the extra that finds defects is there, where a phase has any."""
    for index, phase in enumerate(config.phases):
        if isinstance(phase, InsulatorPhase):
            where = f"phases[{index}] {phase.name}"
            require("defects", "finding the sites of defects", where=where)
            return  # of the others it is the same


def phase_inputs(config: CampaignConfig) -> Iterator[PhaseInputs]:
    """Read what the phases' flows are made of, one phase after the other, and check it.

    Raises
    ------
    InputError
        An input cannot be used, as far as this shows without slabs and supercells.
    """
    return (inputs_of(config, index) for index in range(len(config.phases)))


def inputs_of(config: CampaignConfig, index: int) -> PhaseInputs:
    """Return what one of the phases' flows is made of, as `phase_inputs` does."""
    metal = config.structure(config.metal_structure, where="metal_structure")
    _check_metal(config, metal)
    phase, neighbours = config.phases[index], Neighbours()
    where = f"phases[{index}] {phase.name}"
    if isinstance(phase, InterfacePhase):
        sides, preset = _interface_inputs(config, phase, where)
        structures = dict(zip(("left", "right"), sides, strict=True))
    else:
        structure = config.structure(phase.structure, where=f"{where}: structure")
        structures = {"structure": structure, "metal": metal}
        preset = _preset(config, phase)
    inputs = PhaseInputs(
        phase, preset, config.mobile_ion, config.ion_charge, structures, neighbours
    )
    inputs.check(where)
    if isinstance(phase, InsulatorPhase):
        phase, neighbours = _neighbours(config, phase, structures["structure"], where)
        inputs = replace(inputs, phase=phase, neighbours=neighbours)
        inputs.check_neighbours(where)
    return inputs


def _check_metal(config: CampaignConfig, metal: Structure) -> None:
    """Refuse a zero of mu that is not the mobile element's metal."""
    elements = sorted({kind.symbol for kind in metal.composition.element_composition})
    if elements != [config.mobile_ion]:
        raise InputError(
            f"{config.metal_structure} is {metal.composition.reduced_formula}; the energy per atom "
            f"of the metal of {config.mobile_ion} is the zero of all chemical potentials",
            where="metal_structure",
            fix=f"give a structure that contains only {config.mobile_ion}",
        )


def plan_remarks(phases: Sequence[Flow]) -> list[str]:
    """Return remarks about what the flows of phases leave out: facets of a survey."""
    return [line for phase in phases for line in phase.metadata.get(REMARKS, [])]


def structure_sources(config: CampaignConfig) -> dict[str, str]:
    """Return where a campaign's structures are from, each with the first field that names it."""
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
    first: dict[str, str] = {}
    for where, source in sources:
        first.setdefault(source, where)
    return first


def structure_remarks(config: CampaignConfig) -> list[str]:
    """Return remarks about repairs of a campaign's structure files, each file once."""
    return [
        f"{where}: {remark}"
        for source, where in structure_sources(config).items()
        for remark in config.structure_file(source, where=where).remarks
    ]


def _interface_inputs(
    config: CampaignConfig, phase: InterfacePhase, where: str
) -> tuple[tuple[Structure, Structure], AnyPreset]:
    preset = _preset(config, phase)
    left, right = (
        config.structure(side.structure, where=f"{where}: {name}")
        for name, side in (("left", phase.left), ("right", phase.right))
    )
    return (left, right), preset


def interface_plans(config: CampaignConfig, database: Database) -> list[str]:
    """Describe each interface's common cell and registries, and why others were left out."""
    lines = []
    for index, phase in enumerate(config.phases):
        if isinstance(phase, InterfacePhase):
            where = f"phases[{index}] {phase.name}"
            structures, preset = _interface_inputs(config, phase, where)
            lines += interface_plan(phase, structures, preset, database)
    return lines


def _neighbours(
    config: CampaignConfig, phase: InsulatorPhase, structure: Structure, where: str
) -> tuple[InsulatorPhase, Neighbours]:
    """Return the phases that an insulator's potentials and its window need, and the latter."""
    beside = [
        config.structure(source, where=f"{where}: equilibrium_with")
        for source in phase.equilibrium_with
    ]
    diagram, known = config.phase_diagram, None
    competing: list[Structure] | None = None
    molecules: dict[str, Molecule] = {}
    if diagram is not None and phase.stability_window_V is None:
        if diagram.entries == "calculations":
            competing = [
                config.structure(source, where="phase_diagram: competing")
                for source in diagram.competing
            ]
            molecules = load_molecules(diagram.molecules, config.folder)
        else:
            composition = structure.composition.element_composition
            window, known = window_of_others(
                diagram,
                config.folder,
                composition,
                config.mobile_ion,
                config.ion_charge,
                where=f"{where}: phase_diagram",
            )
            phase = phase.model_copy(update={"stability_window_V": window})
    return phase, Neighbours(beside, competing, molecules, known)


def _preset(config: CampaignConfig, phase: Phase) -> AnyPreset:
    preset = config.preset_of(phase)
    engine_named(config.engine)
    if preset.engine != config.engine:
        raise InputError(
            f"the preset {preset.name} is for the engine {preset.engine}, not for {config.engine}",
            where="preset",
            fix=f"write `engine: {preset.engine}`, or name a preset for {config.engine}",
        )
    return preset
