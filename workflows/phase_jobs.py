"""The jobs of a phase that calculate nothing: structures from structures, records from results."""

from __future__ import annotations

import math
from typing import Any, TypeAlias, TypedDict

from jobflow import JobConfig, OnMissing, job
from pymatgen.core import Structure

from interohm.database import Database
from interohm.postprocess.band_edge_shift import shift_between, with_band_edges
from interohm.postprocess.barriers import calculated_hop
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.candidates import DefectCandidate, LargerCell
from interohm.postprocess.dielectric import calculated_constant
from interohm.postprocess.materials import (
    Hop,
    InsulatorCalculations,
    insulator_record,
    metal_record,
)
from interohm.postprocess.orientation import along_normal
from interohm.postprocess.reservoirs import chemical_potentials
from interohm.postprocess.surfaces import Surface, survey, with_survey
from interohm.records import DielectricQuantity, Insulator, Metal, Quantity
from interohm.slab_builders.cells import Crystal, supercell
from interohm.slab_builders.defects import DefectSite, defect_position, defect_supercell
from interohm.slab_builders.slabs import facet_name
from interohm.slab_builders.ties import SAME_ENERGY_EV, first_of_lowest

from .calculations import calculation_of
from .campaign_config import FacetSurvey, InsulatorPhase, MetalPhase
from .context import active_database
from .defect_plan import PlannedDefect
from .molecules import corrections_of
from .phase_diagram import window_of_ours
from .presets import PRESET, AnyPreset
from .steps import known_calculation, triple
from .surfaces import Series, calculated_surfaces

Multiples = tuple[int, int, int]


@job
def repeat_cell(
    conventional: Structure, primitive: Structure, relaxed: Structure, *, multiples: Multiples
) -> Structure:
    """Return the perfect supercell of the relaxed crystal."""
    crystal = Crystal(conventional, primitive).relaxed(relaxed)
    return supercell(crystal.conventional, triple(multiples))


@job
def place_defect(
    conventional: Structure,
    primitive: Structure,
    relaxed: Structure,
    *,
    site: dict[str, Any],
    multiples: Multiples,
) -> Structure:
    """Return the supercell of the relaxed crystal with one defect."""
    crystal = Crystal(conventional, primitive).relaxed(relaxed)
    return defect_supercell(crystal.conventional, DefectSite(**site), triple(multiples))


@job(config=JobConfig(on_missing_references=OnMissing.NONE))
def place_lowest(
    conventional: Structure,
    primitive: Structure,
    relaxed: Structure,
    calculated: list[dict[str, Any] | None],
    *,
    sites: list[dict[str, Any]],
    multiples: Multiples,
    starts: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return a larger supercell with the defect on the site that had the lowest total energy.

    Parameters
    ----------
    conventional, primitive, relaxed : Structure
        The crystal's two cells as given, and the relaxed primitive one.
    calculated : list
        The candidates in the smaller supercell; failed ones are None.
    sites : list of mapping
        The candidates' sites.
    multiples : tuple of int
        Multiples of the conventional cell along its axes.
    starts : list of mapping, optional
        How each candidate would begin in this supercell.
    """
    with active_database() as database:
        found = [
            None if output is None else calculation_of(database, output) for output in calculated
        ]
    # In a dry run nothing is there yet: the first one stands for all.
    energies = [math.inf if one is None else one.energy_eV for one in found]
    if not any(calculated):
        raise RuntimeError("no candidate finished in the smaller supercell")
    index = first_of_lowest(energies, SAME_ENERGY_EV)
    crystal = Crystal(conventional, primitive).relaxed(relaxed)
    return {
        "structure": defect_supercell(
            crystal.conventional, DefectSite(**sites[index]), triple(multiples)
        ),
        "place": index,
        **({} if starts is None else {"start": starts[index]}),
    }


@job(config=JobConfig(on_missing_references=OnMissing.NONE))
def edge_points(bulk: dict[str, Any] | None) -> list[list[float]]:
    """Return the k-points of a crystal's band edges, each once; none where they are not known."""
    with active_database() as database:
        found = None if bulk is None else calculation_of(database, bulk)
    points = None if found is None else found.edge_kpoints
    return [list(point) for point in dict.fromkeys(points or ())]


@job(config=JobConfig(on_missing_references=OnMissing.NONE))
def record_metal(
    bulk: dict[str, Any],
    surfaces: list[Series],
    *,
    conventional: Structure,
    primitive: Structure,
    relaxed: Structure,
    facts: dict[str, Any],
) -> Metal:
    """Assemble and save the record of a metal."""
    _refuse_without({"bulk": bulk, "slab": _any_slab(surfaces)})
    phase = MetalPhase.model_validate(facts["phase"])
    preset = PRESET.validate_python(facts["preset"])
    crystal = Crystal(conventional, primitive).relaxed(relaxed)
    with active_database() as database:
        calculated = known_calculation(database, bulk)
        found, missing = calculated_surfaces(database, surfaces)
        seen = survey(found, calculated, crystal.conventional.lattice)
        record = metal_record(
            calculated,
            seen.stable.slab,
            name=phase.name,
            mobile_ion=facts["mobile_ion"],
            ion_charge=facts["ion_charge"],
            surface=_surface(seen.stable),
            ion_content=phase.ion_content,
            voltage_V=phase.voltage_V,
            uncertainties=preset.uncertainties,
            provenance=_provenance(preset, facts, missing),
        )
        record = with_survey(record, seen, **_survey_options(phase))
        database.save_material(record)
    return record


#: The output of a job that calculates; None where it failed.
Output: TypeAlias = dict[str, Any] | None


class InsulatorOutputs(TypedDict):
    """Outputs of an insulator's jobs.

    Parameters
    ----------
    bulk, perfect, metal : mapping or None
        Primitive cell, perfect supercell, and the metal of the mobile ion.
    surfaces : list
        The slabs of each facet and termination.
    defects : list of mapping or None
        In the order in which they were planned.
    larger : mapping, optional
        The larger supercells, if there are any.
    coexisting, edges : list of mapping or None
        Compounds in equilibrium with the phase; the two calculations of band edges, or none.
    competing : list of mapping or None, optional
        Further phases of the diagram that gives the stability window; None if none is wanted.
    molecules : mapping
        Elements of that diagram, by the molecules' names.
    response : mapping, optional
        The dielectric response, if it is calculated.
    barriers : mapping
        Path and ends of each hop, by the defect's name.
    """

    bulk: Output
    surfaces: list[Series]
    perfect: Output
    metal: Output
    defects: list[Output]
    larger: dict[str, Any] | None
    coexisting: list[Output]
    edges: list[Output]
    competing: list[Output] | None
    molecules: dict[str, Output]
    response: Output
    barriers: dict[str, dict[str, Any]]


class CrystalCells(TypedDict):
    """A crystal's cells as they were given, and the relaxed primitive one."""

    conventional: Structure
    primitive: Structure
    relaxed: Structure


class DefectPlan(TypedDict):
    """Requested defects and their supercell."""

    defects: list[dict[str, Any]]
    multiples: Multiples


@job(config=JobConfig(on_missing_references=OnMissing.NONE))
def record_insulator(
    outputs: InsulatorOutputs,
    *earlier: Any,
    cells: CrystalCells | None = None,
    plan: DefectPlan | None = None,
    facts: dict[str, Any],
    **earlier_named: Any,
) -> Insulator:
    """Assemble and save the record of an insulator.

    A candidate site that failed is left out as long as another one of the same defect is there, a
    whole defect as long as ions of both signs remain, and a path in any case; the provenance names
    what is missing.

    Parameters
    ----------
    outputs : InsulatorOutputs
        Outputs of the phase's jobs.
    cells : CrystalCells
        Cells of the phase.
    plan : DefectPlan
        Its defects.
    facts : mapping
        Phase, preset and mobile ion, with where they are from.
    earlier, earlier_named
        Outputs of jobs that an earlier version put into a queue.
    """
    if cells is None or plan is None:
        outputs, cells, plan = _of_earlier((outputs, *earlier), earlier_named)
    return _recorded_insulator(outputs, cells, plan, facts)


#: The order in which an earlier version gave the outputs.
_EARLIER_ORDER = (
    "bulk",
    "surfaces",
    "perfect",
    "metal",
    "defects",
    "larger",
    "coexisting",
    "edges",
    "competing",
)


def _of_earlier(
    outputs: tuple[Any, ...], named: dict[str, Any]
) -> tuple[InsulatorOutputs, CrystalCells, DefectPlan]:
    """Return the groups of what an earlier version gave one by one."""
    given: dict[str, Any] = dict(zip(_EARLIER_ORDER, outputs, strict=True))
    given |= {
        "molecules": named.get("molecules") or {},
        "response": named["response"],
        "barriers": named["barriers"],
    }
    found: Any = given
    return (
        found,
        {
            "conventional": named["conventional"],
            "primitive": named["primitive"],
            "relaxed": named["relaxed"],
        },
        {"defects": named["planned"], "multiples": named["multiples"]},
    )


def _recorded_insulator(
    outputs: InsulatorOutputs, cells: CrystalCells, plan: DefectPlan, facts: dict[str, Any]
) -> Insulator:
    surfaces, edges = outputs["surfaces"], outputs["edges"]
    defects, response = outputs["defects"], outputs["response"]
    multiples = plan["multiples"]
    asked = [PlannedDefect.from_dict(defect) for defect in plan["defects"]]
    there = {one.name for one, output in zip(asked, defects, strict=True) if output}
    lost = sorted({one.name for one in asked} - there)
    required = {
        "bulk": outputs["bulk"],
        "slab": _any_slab(surfaces),
        "supercell": outputs["perfect"],
        "metal": outputs["metal"],
        **{
            f"coexisting phase {index}": one
            for index, one in enumerate(outputs["coexisting"], start=1)
        },
        **{f"band edges {index}": one for index, one in enumerate(edges, start=1)},
    }
    if facts["phase"]["dielectric_constant"] == "calculate":
        required["dielectric response"] = response
    signs = {one.charge > 0 for one in asked if one.name in there and one.charge and not one.dopant}
    if len(signs) < 2:
        required |= dict.fromkeys(lost)
    _refuse_without(required)

    phase = InsulatorPhase.model_validate(facts["phase"])
    preset = PRESET.validate_python(facts["preset"])
    crystal = Crystal(cells["conventional"], cells["primitive"]).relaxed(cells["relaxed"])
    with active_database() as database:
        calculated = _finished(database, outputs["bulk"])
        beside = [_finished(database, one) for one in outputs["coexisting"]]
        reference = _finished(database, outputs["metal"])
        found, missing = calculated_surfaces(database, surfaces)
        seen = survey(
            found,
            calculated,
            crystal.conventional.lattice,
            chemical_potentials(calculated, reference, facts["mobile_ion"], beside),
        )
        window, diagram = phase.stability_window_V, facts.get("phase_diagram")
        energies = None
        if outputs["competing"] is not None:
            known = preset.uncertainties.stability_window
            window, diagram, energies = window_of_ours(
                database,
                calculated,
                [
                    reference,
                    *beside,
                    *(known_calculation(database, one) for one in outputs["competing"] if one),
                ],
                facts["mobile_ion"],
                facts["ion_charge"],
                None if known is None else known.value_eV,
                {
                    name: known_calculation(database, one)
                    for name, one in outputs["molecules"].items()
                    if one
                },
                corrections_of(preset, outputs["molecules"]),
            )
        compared, unchecked = _larger_cells(database, outputs["larger"], asked, multiples)
        paths, pathless = _calculated_hops(
            database, phase, asked, outputs["barriers"], preset, _provenance(preset, facts, [])
        )
        candidates = [
            DefectCandidate(
                name=one.name,
                element=one.site.element,
                change=one.site.change,
                ion_change=one.ion_change,
                sites_per_cell=one.site.sites_per_cell,
                conventional_volume_A3=crystal.conventional.volume,
                position=defect_position(one.site, triple(multiples)),
                calculation=known_calculation(database, output),
                replaced=one.site.replaced,
                sublattice=one.site.name,
                dopant=one.dopant,
                larger=compared.get(index),
            )
            for index, (one, output) in enumerate(zip(asked, defects, strict=True))
            if output
        ]
        record = insulator_record(
            InsulatorCalculations(
                bulk=calculated,
                slab=seen.stable.slab,
                period_A=seen.stable.period_A,
                supercell=_finished(database, outputs["perfect"]),
                defects=candidates,
                metal=reference,
                coexisting=beside,
            ),
            name=phase.name,
            mobile_ion=facts["mobile_ion"],
            ion_charge=facts["ion_charge"],
            surface=_surface(seen.stable),
            dielectric_constant=_beside_the_surface(
                _dielectric_constant(
                    database, phase, response, preset, _provenance(preset, facts, [])
                ),
                phase,
                calculated,
                crystal,
                seen.stable,
            ),
            saturation=phase.saturation,
            stability_window_V=window,
            hops=_hops(phase, asked) | paths,
            uncertainties=preset.uncertainties,
            provenance={
                **_provenance(preset, facts, [*missing, *lost, *unchecked, *pathless]),
                **({} if diagram is None else {"phase_diagram": diagram}),
            },
        )
        record = record.model_copy(update={"phase_energies": energies})
        record = with_survey(record, seen, **_survey_options(phase))
        shift = phase.band_edge_shift
        if edges:
            shift = shift_between(*(_finished(database, one) for one in edges))
        if shift is not None:
            record = with_band_edges(record, shift)
        database.save_material(record)
    return record


def _finished(database: Database, output: Output) -> Calculation:
    assert output is not None  # see _refuse_without
    return known_calculation(database, output)


def _refuse_without(required: dict[str, Any]) -> None:
    lost = [step for step, output in required.items() if output is None]
    if lost:
        raise RuntimeError(f"no record without {', '.join(lost)}, which did not finish")


def _any_slab(surfaces: list[Series]) -> dict[str, Any] | None:
    return next((one["slab"] for series in surfaces for one in series if one["slab"]), None)


def _larger_cells(
    database: Database,
    larger: dict[str, Any] | None,
    planned: list[PlannedDefect],
    multiples: Multiples,
) -> tuple[dict[int, LargerCell], list[str]]:
    """Return the larger supercells by the planned defects' places, and those that failed."""
    if larger is None:
        return {}, []
    cells, failed = {}, []
    for name, one in larger["defects"].items():
        if larger["perfect"] is None or one["calculation"] is None or one["placed"] is None:
            failed.append(f"{name} in the larger supercell")
            continue
        rivals = [index for index, defect in enumerate(planned) if defect.name == name]
        index = rivals[one["placed"]]
        cells[index] = LargerCell(
            supercell=known_calculation(database, larger["perfect"]),
            calculation=known_calculation(database, one["calculation"]),
            position=defect_position(planned[index].site, triple(larger["multiples"])),
        )
    return cells, failed


def _dielectric_constant(
    database: Database,
    phase: InsulatorPhase,
    response: dict[str, Any] | None,
    preset: AnyPreset,
    provenance: dict[str, Any],
) -> Quantity:
    if phase.dielectric_constant != "calculate":
        return phase.dielectric_constant
    assert response is not None  # no record without it
    assert preset.uncertainties.dielectric_constant is not None  # the preset has its step
    return calculated_constant(
        known_calculation(database, response),
        uncertainty=preset.uncertainties.dielectric_constant,
        provenance=provenance,
    )


def _beside_the_surface(
    constant: Quantity,
    phase: InsulatorPhase,
    bulk: Calculation,
    crystal: Crystal,
    surface: Surface,
) -> Quantity:
    """Return the constant along the surface's normal; of several surfaces the mean stays."""
    if isinstance(phase.facet, FacetSurvey) and phase.facet.level == "wulff":
        return constant
    return along_normal(
        DielectricQuantity.model_validate(constant),
        bulk.final_structure,
        crystal.conventional,
        surface.facet,
    )


def _hops(phase: InsulatorPhase, planned: list[PlannedDefect]) -> dict[str, Hop]:
    """Return the given hops by the defects' names; ``V_Li`` means its ionic charge state."""
    hops = {
        name: Hop(**dict(hop))
        for name, hop in phase.hops.items()
        if hop.migration_energy_eV != "calculate"
    }
    ionic = {one.name: one.site.name for one in planned if one.ionic}
    return hops | {name: hops[site] for name, site in ionic.items() if site in hops}


def _calculated_hops(
    database: Database,
    phase: InsulatorPhase,
    planned: list[PlannedDefect],
    barriers: dict[str, dict[str, Any]],
    preset: AnyPreset,
    provenance: dict[str, Any],
) -> tuple[dict[str, Hop], list[str]]:
    """Return the calculated hops by the defects' names, and those whose path failed."""
    hops: dict[str, Hop] = {}
    failed = []
    for name, outputs in barriers.items():
        if outputs["path"] is None or outputs["ends"] is None:
            failed.append(f"hop of {name}")
            continue
        assert preset.uncertainties.migration_energy is not None  # the preset has paths
        hop = calculated_hop(
            known_calculation(database, outputs["path"]),
            outputs["ends"]["distance_A"],
            attempt_frequency_Hz=phase.hops[name].attempt_frequency_Hz,
            uncertainty=preset.uncertainties.migration_energy,
            provenance=provenance,
        )
        hops |= {one.name: hop for one in planned if one.ionic and one.site.name == name}
    return hops, failed


def _survey_options(phase: InsulatorPhase | MetalPhase) -> dict[str, Any]:
    grown = phase.slab_convergence
    return {
        "level": phase.facet.level if isinstance(phase.facet, FacetSurvey) else "stable",
        "tolerance_eV": None if grown is None else grown.level_meV / 1000,
    }


def _provenance(preset: AnyPreset, facts: dict[str, Any], missing: list[str]) -> dict[str, Any]:
    lacking = [*facts.get("left_out", []), *missing]
    return {
        "engine": preset.engine,
        "functional": preset.xc,
        "preset": preset.name,
        "structure_source": facts["phase"]["structure"],
        **({"missing": lacking} if lacking else {}),
    }


def _surface(surface: Surface) -> str:
    return f"{facet_name(surface.facet)} {surface.termination}-terminated"
