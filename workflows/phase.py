"""The flow of one phase: relaxed cell, band edges, surfaces, defects, record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from jobflow import Flow, Job
from pymatgen.core import Molecule, Structure

from interohm.errors import InputError
from interohm.slab_builders.cells import Crystal, supercell_multiples
from interohm.slab_builders.defects import defect_position

from .barriers import barrier_jobs
from .calculations import calculate
from .campaign_config import FacetSurvey, InsulatorPhase, MetalPhase
from .defect_plan import PlannedDefect, check_hops, planned_defects, with_distortions
from .engines.vasp_distortions import distorted_neighbours, rattle_of
from .molecules import molecule_jobs
from .phase_jobs import (
    Multiples,
    edge_points,
    place_defect,
    place_lowest,
    record_insulator,
    record_metal,
    repeat_cell,
)
from .presets import AnyBandEdges, AnyPreset
from .resources import ask_for
from .steps import bulk_jobs, calculation_job
from .surfaces import PlannedSurfaces, planned_surfaces, surface_jobs

#: In a flow's metadata: what its plan says beside its calculations.
REMARKS = "remarks"


def metal_flow(
    phase: MetalPhase, structure: Structure, preset: AnyPreset, *, mobile_ion: str, ion_charge: int
) -> Flow:
    """Return the flow of a metal: cell, bulk, slabs, record."""
    crystal = Crystal.from_structure(structure)
    check_survey(phase, preset)
    cell, bulk = bulk_jobs(crystal, preset, "metal", phase.name)
    step = preset.metal.slab
    cuts = planned_surfaces(phase, crystal.conventional, step)
    slabs, surfaces = surface_jobs(phase, crystal, cell, preset, step, cuts)
    record = record_metal(
        bulk.output,
        surfaces,
        conventional=crystal.conventional,
        primitive=crystal.primitive,
        relaxed=cell.output["structure"],
        facts=_facts(phase, preset, mobile_ion, ion_charge, cuts),
    )
    record.name = f"{phase.name}: record"
    return Flow(
        [cell, bulk, *slabs, record],
        name=phase.name,
        output=record.output,
        metadata={REMARKS: cuts.remarks(phase.name)},
    )


@dataclass(frozen=True)
class Neighbours:
    """The phases that an insulator's chemical potentials and stability window refer to.

    Parameters
    ----------
    coexisting : sequence of Structure
        Compounds in equilibrium with the phase.
    competing : sequence of Structure, optional
        Further phases of the diagram that gives the stability window; None: it is given, or none
        is wanted.
    molecules : mapping
        Elements of that diagram, by the molecules' names; those that the phase lacks are left out.
    phase_diagram : mapping, optional
        Provenance of a window that is known already.
    """

    coexisting: Sequence[Structure] = ()
    competing: Sequence[Structure] | None = None
    molecules: Mapping[str, Molecule] = field(default_factory=dict)
    phase_diagram: dict[str, Any] | None = None


def insulator_flow(
    phase: InsulatorPhase,
    structure: Structure,
    metal: Structure,
    preset: AnyPreset,
    *,
    mobile_ion: str,
    ion_charge: int,
    neighbours: Neighbours,
) -> Flow:
    """Return the flow of an insulator: cell, bulk, slabs, supercells, record.

    Parameters
    ----------
    phase : InsulatorPhase
        Its description in the campaign.
    structure, metal : Structure
        Structure of the phase, and of the mobile element's metal.
    preset : AnyPreset
        The settings of all steps.
    mobile_ion : str
        Its element.
    ion_charge : int
        Charge number of the mobile ion.
    neighbours : Neighbours
        The phases beside it.

    Raises
    ------
    InputError
        The surface is polar, the phase does not contain the mobile ion, or a chemical potential is
        missing.
    """
    crystal = Crystal.from_structure(structure)
    check_survey(phase, preset)
    cell, bulk = bulk_jobs(crystal, preset, "insulator", phase.name)
    step = preset.insulator.slab
    cuts = planned_surfaces(phase, crystal.conventional, step)
    slabs, surfaces = surface_jobs(phase, crystal, cell, preset, step, cuts)
    metal_cell, metal_bulk = bulk_jobs(
        Crystal.from_structure(metal), preset, "metal", f"{mobile_ion} metal"
    )
    edges = _edges_jobs(phase, cell, bulk, preset)
    rivals = own_elements_alone(neighbours.competing or (), crystal.conventional)
    beside = [job for other in neighbours.coexisting for job in _reference_jobs(other, preset)]
    against = [job for other in rivals for job in _reference_jobs(other, preset)]
    gases = own_molecules(neighbours.molecules, crystal.conventional)
    elements = molecule_jobs(gases, preset)
    planned = planned_defects(
        phase,
        crystal.conventional,
        mobile_ion,
        ion_charge,
        [other.composition for other in neighbours.coexisting],
    )
    check_hops(phase, planned)
    search = getattr(preset.insulator.defects, "shakenbreak", None)
    if search is not None:
        planned = with_distortions(planned, search.bond_distortions)
    multiples = supercell_multiples(crystal.conventional, preset.insulator.defects.min_atoms)
    supercells = _Supercells(phase, preset, crystal, cell, multiples, "")
    for defect in planned:
        supercells.add(defect, _label(defect, planned))
    larger = _larger_supercells(phase, preset, crystal, cell, planned, supercells)
    response = _response_job(phase, cell, preset)
    paths, barriers = barrier_jobs(
        phase, preset, crystal, cell, planned, supercells.flawed, multiples
    )
    record = record_insulator(
        {
            "bulk": bulk.output,
            "surfaces": surfaces,
            "perfect": supercells.perfect.output,
            "metal": metal_bulk.output,
            "defects": [defect.output for defect in supercells.flawed],
            "larger": None if larger is None else larger.outputs(),
            "coexisting": [bulk.output for bulk in beside[1::2]],
            "edges": [job.output for job in edges[-2:]],
            "competing": None
            if neighbours.competing is None
            else [job.output for job in against[1::2]],
            "molecules": {name: job.output for name, job in elements.items()},
            "response": None if response is None else response.output,
            "barriers": barriers,
        },
        cells={
            "conventional": crystal.conventional,
            "primitive": crystal.primitive,
            "relaxed": cell.output["structure"],
        },
        plan={"defects": [defect.as_dict() for defect in planned], "multiples": multiples},
        facts={
            **_facts(phase, preset, mobile_ion, ion_charge, cuts),
            **(
                {}
                if neighbours.phase_diagram is None
                else {"phase_diagram": neighbours.phase_diagram}
            ),
        },
    )
    record.name = f"{phase.name}: record"
    return Flow(
        # Supercells take longest: in this order they are started first.
        [
            cell,
            *supercells.jobs(),
            *([] if larger is None else larger.jobs()),
            *paths,
            *([] if response is None else [response]),
            *slabs,
            bulk,
            metal_cell,
            metal_bulk,
            *beside,
            *against,
            *elements.values(),
            *edges,
            record,
        ],
        name=phase.name,
        output=record.output,
        metadata={REMARKS: cuts.remarks(phase.name)},
    )


@dataclass
class _Supercells:
    """The jobs of one size of supercells."""

    phase: InsulatorPhase
    preset: AnyPreset
    crystal: Crystal
    cell: Job
    multiples: Multiples
    size: str
    names: list[str] = field(default_factory=list)
    placed: list[Job] = field(default_factory=list)
    flawed: list[Job] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = self.preset.insulator.defects.engine_settings(self.preset.xc)
        self.cells = (self.crystal.conventional, self.crystal.primitive)
        self.relaxed = self.cell.output["structure"]
        self.repeated = repeat_cell(*self.cells, self.relaxed, multiples=self.multiples)
        self.repeated.name = f"{self.phase.name}: supercell{self.size}"
        self.perfect = calculation_job(
            f"{self.phase.name}: perfect supercell{self.size}",
            self.repeated.output,
            self.preset,
            "static",
            self.settings,
        )

    def add(self, defect: PlannedDefect, label: str) -> None:
        """Place a defect on its site."""
        own = place_defect(
            *self.cells, self.relaxed, site=defect.site.as_dict(), multiples=self.multiples
        )
        own.name = f"{self.phase.name}: place {defect.site.name}"
        start = shakenbreak_start(defect, self.multiples, self.crystal.conventional)
        self._calculate(own, own.output, defect, label, start)

    def add_lowest(self, rivals: list[PlannedDefect], outputs: list[Any], label: str) -> None:
        """Place a defect on that of its sites which had the lowest energy."""
        found = [
            shakenbreak_start(rival, self.multiples, self.crystal.conventional) for rival in rivals
        ]
        starts = None if None in found else found
        own = place_lowest(
            *self.cells,
            self.relaxed,
            outputs,
            sites=[rival.site.as_dict() for rival in rivals],
            multiples=self.multiples,
            starts=starts,
        )
        own.name = f"{self.phase.name}: place {rivals[0].name}{self.size}"
        start = None if starts is None else own.output["start"]
        self._calculate(own, own.output["structure"], rivals[0], label, start)

    def _calculate(
        self, own: Job, structure: Any, defect: PlannedDefect, label: str, start: Any
    ) -> None:
        self.names.append(defect.name)
        self.placed.append(own)
        self.flawed.append(
            calculation_job(
                f"{self.phase.name}: {label}{self.size}",
                structure,
                self.preset,
                "relax",
                self.settings if start is None else {**self.settings, "shakenbreak": start},
                defect.charge,
            )
        )

    def jobs(self) -> list[Job]:
        """Return the defects' jobs, then the perfect supercell's."""
        return [*self.placed, *self.flawed, self.repeated, self.perfect]

    def outputs(self) -> dict[str, Any]:
        """Return what the record needs of the larger supercells."""
        return {
            "multiples": self.multiples,
            "perfect": self.perfect.output,
            "defects": {
                name: {"placed": placed.output["place"], "calculation": flawed.output}
                for name, placed, flawed in zip(self.names, self.placed, self.flawed, strict=True)
            },
        }


def _larger_supercells(
    phase: InsulatorPhase,
    preset: AnyPreset,
    crystal: Crystal,
    cell: Job,
    planned: list[PlannedDefect],
    smaller: _Supercells,
) -> _Supercells | None:
    if phase.second_supercell_min_atoms is None:
        return None
    multiples = supercell_multiples(crystal.conventional, phase.second_supercell_min_atoms)
    atoms = [
        len(crystal.conventional) * many[0] * many[1] * many[2]
        for many in (smaller.multiples, multiples)
    ]
    if atoms[1] <= atoms[0]:
        raise InputError(
            f"{phase.name}: the second supercell has {atoms[1]} atoms, the first one {atoms[0]}",
            where="second_supercell_min_atoms",
            fix=f"ask for more than {atoms[0]} atoms",
        )
    larger = _Supercells(phase, preset, crystal, cell, multiples, f", {atoms[1]} atoms")
    for name in dict.fromkeys(defect.name for defect in planned):
        rivals = [index for index, defect in enumerate(planned) if defect.name == name]
        first = planned[rivals[0]]
        larger.add_lowest(
            [planned[index] for index in rivals],
            [smaller.flawed[index].output for index in rivals],
            f"{first.site.name} {first.charge:+d}",
        )
    return larger


def _label(defect: PlannedDefect, planned: list[PlannedDefect]) -> str:
    rivals = [other.site for other in planned if other.name == defect.name]
    rank = list(dict.fromkeys(rivals)).index(defect.site) + 1
    site = f" (site {rank})" if rank > 1 else ""
    bonds = f", bonds {defect.bond_distortion:+.0%}" if defect.bond_distortion else ""
    return f"{defect.site.name} {defect.charge:+d}{site}{bonds}"


def shakenbreak_start(
    defect: PlannedDefect, multiples: Multiples, conventional: Structure
) -> dict[str, Any] | None:
    """Return how ShakeNBreak lets a defect's relaxation begin, None where it has no part in it."""
    if defect.bond_distortion is None:
        return None
    return {
        "position": [round(float(x), 6) for x in defect_position(defect.site, multiples)],
        "vacancy": defect.site.change < 0,
        "neighbours": distorted_neighbours(defect.missing_electrons),
        "bond_distortion": defect.bond_distortion,
        "rattle_A": rattle_of(conventional),
    }


def _reference_jobs(structure: Structure, preset: AnyPreset) -> tuple[Job, Job]:
    """Return cell and bulk of a compound."""
    label = structure.composition.reduced_formula
    return bulk_jobs(Crystal.from_structure(structure), preset, kind_of(structure), label)


def kind_of(structure: Structure) -> Literal["insulator", "metal"]:
    """Return whose steps a neighbour is calculated with: a metal's if all its elements are."""
    return "metal" if all(element.is_metal for element in structure.elements) else "insulator"


def own_elements_alone(others: Iterable[Structure], structure: Structure) -> list[Structure]:
    """Return those crystals that hold no element but a phase's own: they compete with it."""
    own = set(structure.composition.element_composition.get_el_amt_dict())
    return [
        other
        for other in others
        if set(other.composition.element_composition.get_el_amt_dict()) <= own
    ]


def own_molecules(molecules: Mapping[str, Molecule], structure: Structure) -> dict[str, Molecule]:
    """Return those molecules that hold no element but a phase's own."""
    own = set(structure.composition.element_composition.get_el_amt_dict())
    return {
        name: molecule
        for name, molecule in molecules.items()
        if set(molecule.composition.get_el_amt_dict()) <= own
    }


def band_edges_of(phase: InsulatorPhase, preset: AnyPreset) -> AnyBandEdges | None:
    """Return the two functionals of a phase's band edges, None where literature moves them."""
    return None if phase.band_edge_shift is not None else preset.insulator.edges


def check_dielectric(phase: InsulatorPhase, preset: AnyPreset) -> None:
    """Refuse a dielectric constant that the preset cannot calculate."""
    if phase.dielectric_constant == "calculate" and preset.insulator.dielectric is None:
        raise InputError(
            f"the preset {preset.name} has no step for the dielectric response",
            where=f"{phase.name}: dielectric_constant",
            fix="give the preset `insulator.dielectric`, or the constant with its source",
        )


def _response_job(phase: InsulatorPhase, cell: Job, preset: AnyPreset) -> Job | None:
    """Return the job of the dielectric response, None where the constant is given."""
    check_dielectric(phase, preset)
    step = preset.insulator.dielectric
    if phase.dielectric_constant != "calculate" or step is None:
        return None
    return calculation_job(
        f"{phase.name}: dielectric response",
        cell.output["structure"],
        preset,
        "dielectric",
        step.engine_settings(preset.xc),
    )


def _edges_jobs(phase: InsulatorPhase, cell: Job, bulk: Job, preset: AnyPreset) -> list[Job]:
    """Return the jobs of the band edges with two functionals, which are the last two.

    VASP has the points where the bulk's edges are beside the mesh, which may be coarse then.
    """
    edges = band_edges_of(phase, preset)
    if edges is None:
        return []
    jobs: list[Job] = []
    beside: dict[str, Any] = {}
    if edges.engine == "vasp":
        points = edge_points(bulk.output)
        points.name = f"{phase.name}: k-points of the band edges"
        jobs.append(points)
        beside = {"zero_weight_kpoints": points.output}
    for step in (edges.reference, edges.corrected):
        job = calculate(
            cell.output["structure"],
            engine=edges.engine,
            kind="static",
            settings={**step.engine_settings(step.xc), **beside},
        )
        job.name = f"{phase.name}: band edges, {step.xc}"
        jobs.append(ask_for(job, preset.resources, "static"))
    return jobs


def check_survey(phase: InsulatorPhase | MetalPhase, preset: AnyPreset) -> None:
    """Refuse a survey of facets whose surface energies would not cancel."""
    steps = preset.metal if phase.kind == "metal" else preset.insulator
    if isinstance(phase.facet, FacetSurvey) and steps.slab.cutoff_eV != steps.bulk.cutoff_eV:
        raise InputError(
            f"{phase.name}: surface energies need slab and bulk at one cutoff_eV",
            where="preset",
            fix=f"give {phase.kind}.slab the cutoff_eV of {phase.kind}.bulk",
        )


def _facts(
    phase: InsulatorPhase | MetalPhase,
    preset: AnyPreset,
    mobile_ion: str,
    ion_charge: int,
    surfaces: PlannedSurfaces,
) -> dict[str, Any]:
    return {
        "phase": phase.model_dump(mode="json"),
        "preset": preset.model_dump(mode="json"),
        "mobile_ion": mobile_ion,
        "ion_charge": ion_charge,
        "left_out": surfaces.missing,
    }
