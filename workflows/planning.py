"""Inputs of a phase's flow, and the job that makes the flow on a worker when it is due."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobflow import CURRENT_JOB, Flow, Job, Response, job
from pydantic import TypeAdapter
from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.slab_builders.cells import check_order
from interohm.slab_builders.oxidation_states import known_oxidation_states

from .barriers import hop_step
from .campaign_config import (
    ElectrodePhase,
    FacetSurvey,
    InsulatorPhase,
    InterfacePhase,
    MetalPhase,
    Phase,
)
from .context import active_database, in_a_worker_of_jobflow_remote
from .defect_plan import defect_kinds
from .electrode import electrode_flow, electrode_steps
from .engines import engine_named
from .interface import interface_flow, interface_step
from .launchpad import PLAN_NAME, PLANNED_BY
from .phase import (
    Neighbours,
    band_edges_of,
    check_dielectric,
    check_survey,
    insulator_flow,
    metal_flow,
    own_elements_alone,
)
from .presets import PRESET, AnyPreset
from .resources import for_jobflow_remote
from .signals import ending_in_order
from .steps import CRYSTAL

_PHASE: TypeAdapter[Phase] = TypeAdapter(Phase)


@dataclass(frozen=True)
class PhaseInputs:
    """Inputs of a phase's flow, complete without any file.

    Parameters
    ----------
    phase : Phase
        Its description in the campaign.
    preset : AnyPreset
        The settings of all steps.
    mobile_ion : str
        Its element.
    ion_charge : int
        Charge of the mobile ion, in elementary charges.
    structures : mapping of str to Structure
        ``structure`` and ``metal``, or ``left`` and ``right`` of an interface.
    neighbours : Neighbours
        The phases beside an insulator.
    """

    phase: Phase
    preset: AnyPreset
    mobile_ion: str
    ion_charge: int
    structures: Mapping[str, Structure]
    neighbours: Neighbours = Neighbours()  # noqa: RUF009  (it is frozen)

    def flow(self) -> Flow:
        """Return the flow; slabs and supercells are tried, and nothing is calculated.

        Raises
        ------
        InputError
            The phase cannot be calculated: a polar facet, a preset without its steps, …
        """
        phase, given = self.phase, self.structures
        ion: dict[str, Any] = {"mobile_ion": self.mobile_ion, "ion_charge": self.ion_charge}
        if isinstance(phase, InterfacePhase):
            sides = given["left"], given["right"]
            return interface_flow(phase, sides, self.preset, **ion)
        if isinstance(phase, InsulatorPhase):
            return insulator_flow(
                phase,
                given["structure"],
                given["metal"],
                self.preset,
                **ion,
                neighbours=self.neighbours,
            )
        if isinstance(phase, ElectrodePhase):
            return electrode_flow(phase, given["structure"], given["metal"], self.preset, **ion)
        return metal_flow(phase, given["structure"], self.preset, **ion)

    def check(self, where: str) -> None:
        """Refuse what cannot be calculated, as far as it is seen without slabs and supercells.

        Parameters
        ----------
        where : str
            Place of the phase, for errors.

        Raises
        ------
        InputError
            A functional or data set is missing, or a step of the preset; a structure has partial
            occupancies; the phase has not the mobile ion; oxidation states cannot be told; a
            dopant, or a hop, is of no atom of the crystal.
        """
        phase, preset = self.phase, self.preset
        for name, structure in self.structures.items():
            place = "metal_structure" if name == "metal" else f"{where}: {name}"
            self._check_elements(structure, place)
            check_order(structure, place)
        if "metal" in self.structures:
            self._check_metal(self.structures["metal"])
        if isinstance(phase, InterfacePhase):
            interface_step(phase, preset)
            for name, side in (("left", phase.left), ("right", phase.right)):
                if side.kind == "insulator":
                    with _named(f"{where}: {name}"):
                        known_oxidation_states(self.structures[name], side.oxidation_states)
            return
        structure = self.structures["structure"]
        if isinstance(phase, InsulatorPhase | MetalPhase):
            check_survey(phase, preset)
        if isinstance(phase, MetalPhase):
            return
        if self.mobile_ion not in structure.composition.element_composition.get_el_amt_dict():
            raise InputError(
                f"{phase.name} does not contain {self.mobile_ion}", where="structure, mobile_ion"
            )
        if isinstance(phase, ElectrodePhase):
            electrode_steps(phase, preset)
            return
        check_dielectric(phase, preset)
        for defect, hop in phase.hops.items():
            if hop.migration_energy_eV == "calculate":
                hop_step(phase, preset, defect)
        if not isinstance(phase.facet, FacetSurvey):
            with _named(where):
                known_oxidation_states(structure, phase.oxidation_states)

    def check_neighbours(self, where: str) -> None:
        """Refuse phases beside an insulator that cannot be calculated, and defects, as `check`."""
        phase, beside = self.phase, self.neighbours
        if not isinstance(phase, InsulatorPhase):
            return
        structure, place = self.structures["structure"], f"{where}: equilibrium_with"
        for other in beside.coexisting:
            self._check_elements(other, place)
            check_order(other, place)
        for other in own_elements_alone(beside.competing or (), structure):
            check_order(other, "phase_diagram: competing")
        compositions = [other.composition for other in beside.coexisting]
        defect_kinds(phase, structure, self.mobile_ion, self.ion_charge, compositions)

    def _check_metal(self, metal: Structure) -> None:
        """Refuse a zero of mu that is not the mobile element's metal."""
        if {one.symbol for one in metal.composition.element_composition} != {self.mobile_ion}:
            raise InputError(
                f"{metal.composition.reduced_formula} is not the metal of {self.mobile_ion}",
                where="metal",
                fix=f"give a structure that contains only {self.mobile_ion}",
            )

    def _check_elements(self, structure: Structure, where: str) -> None:
        """Report a missing functional or missing data sets before anything is calculated."""
        preset, phase = self.preset, self.phase
        steps = preset.metal if where == "metal_structure" else preset.insulator
        bulk = steps.bulk.engine_settings(preset.xc)
        asked: list[tuple[str, dict[str, Any]]] = [(preset.engine, bulk)]
        if isinstance(phase, InsulatorPhase) and where != "metal_structure":
            if getattr(preset.insulator.defects, "shakenbreak", None):
                asked.append((preset.engine, {**bulk, "shakenbreak": True}))
            if edges := band_edges_of(phase, preset):
                asked += [
                    (edges.engine, step.engine_settings(step.xc))
                    for step in (edges.reference, edges.corrected)
                ]
        for engine, settings in asked:
            try:
                engine_named(engine).check_elements(structure, settings)
            except InputError as error:
                field = where if error.where == "structure" else error.where
                raise InputError(error.what, where=field, fix=error.fix) from None

    def job(self, shared: Sequence[str] = ()) -> Job:
        """Return the job that makes the flow and is replaced by it.

        Parameters
        ----------
        shared : sequence of str
            Names of crystals and molecules that workflows of their own calculate.
        """
        beside = self.neighbours
        planning = plan_phase(
            dict(self.structures),
            phase=self.phase.model_dump(mode="json"),
            preset={**self.preset.model_dump(mode="json"), **_resources(self.preset)},
            mobile_ion=self.mobile_ion,
            ion_charge=self.ion_charge,
            neighbours={
                "coexisting": list(beside.coexisting),
                "competing": None if beside.competing is None else list(beside.competing),
                "molecules": dict(beside.molecules),
                "phase_diagram": beside.phase_diagram,
            },
            **({"shared": list(shared)} if shared else {}),
        )
        planning.name = f"{self.phase.name}{PLAN_NAME}"
        return planning


@contextlib.contextmanager
def _named(where: str) -> Iterator[None]:
    """Name the phase in errors that name one of its fields: many have the same formula."""
    try:
        yield
    except InputError as error:
        field = "" if error.where is None else f": {error.where}"
        raise InputError(error.what, where=where + field, fix=error.fix) from None


def _resources(preset: AnyPreset) -> dict[str, Any]:
    """Return what is asked of the cluster, which no dump of a preset has."""
    given = {
        kind: one.model_dump(mode="json", exclude_none=True)
        for kind, one in preset.resources.items()
    }
    return {"resources": given} if given else {}


@job
@ending_in_order()
def plan_phase(
    structures: dict[str, Structure],
    *,
    phase: dict[str, Any],
    preset: dict[str, Any],
    mobile_ion: str,
    ion_charge: int,
    neighbours: dict[str, Any],
    shared: Sequence[str] = (),
) -> Response[Any]:
    """Plan a phase, and go on with its flow.

    Parameters
    ----------
    structures, phase, preset, mobile_ion, ion_charge, neighbours
        Of `PhaseInputs`, as plain values and structures.
    shared : sequence of str
        Names of crystals and molecules that workflows of their own calculate.
    """
    with active_database():  # where results go is there, before anything is calculated
        pass
    inputs = PhaseInputs(
        phase=_PHASE.validate_python(phase),
        preset=PRESET.validate_python(preset),
        mobile_ion=mobile_ion,
        ion_charge=ion_charge,
        structures={name: as_structure(one) for name, one in structures.items()},
        neighbours=Neighbours(
            **{**neighbours, **{name: _structures(neighbours[name]) for name in _BESIDE}}
        ),
    )
    inputs.check(inputs.phase.name)
    inputs.check_neighbours(inputs.phase.name)
    flow = inputs.flow()
    for one in flow.jobs:
        if isinstance(one, Job) and one.metadata.get(CRYSTAL) in shared:
            one.function_kwargs["shared"] = True
    if in_a_worker_of_jobflow_remote():
        for one in flow.jobs:
            # its workers' scripts say it, and some shells would read what is in parentheses
            one.name = re.sub(r"[^\w ,.:+=@%/-]", "", one.name)
            if isinstance(one, Job):
                for_jobflow_remote(one)
    return Response(replace=_continued(flow))


#: Of `Neighbours`: crystals.
_BESIDE = ("coexisting", "competing")


def _structures(given: Sequence[Any] | None) -> list[Structure] | None:
    return None if given is None else [as_structure(one) for one in given]


def as_structure(given: Any) -> Structure:
    """Return a crystal: a Structure, an Atoms, or a document that has one, as atomate2 writes it.

    Raises
    ------
    InputError
        It is nothing of the kind.
    """
    if isinstance(given, Mapping):
        given = given.get("structure", given.get("atoms"))
    elif not isinstance(given, Structure):
        given = getattr(given, "structure", given)
    if isinstance(given, Structure):
        return Structure.from_sites(given.sites)
    if all(hasattr(given, name) for name in ("get_positions", "get_cell", "get_pbc")):
        from pymatgen.io.ase import AseAtomsAdaptor

        return AseAtomsAdaptor.get_structure(given)
    raise InputError(
        f"{type(given).__name__} is not a structure",
        where="structure",
        fix="give a pymatgen Structure, an ASE Atoms, or a job's output that is or has one",
    )


def _continued(flow: Flow) -> Flow:
    """Make the flow's last job, which makes its record, continue as the present job.

    Its output is then that of the job that is replaced, and needs no further job to be stored.
    """
    present, record = CURRENT_JOB.job, flow.jobs[-1]
    assert present is not None
    assert isinstance(record, Job)
    record.set_uuid(present.uuid)
    record.index = present.index + 1
    record.metadata = {**present.metadata, **record.metadata}
    flow.output = None
    # Where the launchpad takes them in part, they are found by this.
    flow.update_metadata({PLANNED_BY: present.uuid})
    return flow
