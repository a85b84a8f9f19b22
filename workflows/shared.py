"""Calculations that several phases of a campaign need: workflows of their own, beside the phases'.

A phase's own flow has their jobs, too. These find the results, wait for them, or fail with the
reason for which the shared calculation failed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from jobflow import Flow, JobConfig
from pymatgen.core import Molecule, Structure

from interohm.slab_builders.cells import Crystal

from .campaign_config import ElectrodePhase, InsulatorPhase, MetalPhase
from .molecules import molecule_jobs
from .phase import kind_of, own_elements_alone, own_molecules
from .planning import PhaseInputs
from .presets import AnyPreset
from .steps import bulk_jobs, crystal_name

#: Before all that may wait for them: FireWorks' and jobflow-remote's names for it.
_FIRST = {"_priority": 1, "priority": 1}


@dataclass(frozen=True)
class SharedCalculation:
    """A crystal or molecule that phases need.

    Parameters
    ----------
    name : str
        Name, as in its jobs.
    kind : {"insulator", "metal", "molecule"}
        Whose steps of the preset it is calculated with.
    content : Structure or Molecule
        The structure to calculate.
    preset : AnyPreset
        Preset of the phases that need it.
    """

    name: str
    kind: Literal["insulator", "metal", "molecule"]
    content: Structure | Molecule
    preset: AnyPreset

    def flow(self) -> Flow:
        """Return its jobs, which come before those of phases."""
        if self.kind == "molecule":
            name = self.name.partition(":")[0]
            jobs = list(molecule_jobs({name: self.content}, self.preset).values())
        else:
            crystal = Crystal.from_structure(self.content)
            jobs = list(bulk_jobs(crystal, self.preset, self.kind, self.name))
        for job in jobs:
            job.config = JobConfig(manager_config={**job.config.manager_config, **_FIRST})
        return Flow(jobs, name=self.name)

    def settings(self) -> dict[str, Any]:
        """Return with what it is calculated, as plain values."""
        preset = self.preset
        steps: dict[str, Any]
        if self.kind == "molecule":
            steps = {"relax": preset.molecule}
        else:
            own = preset.metal if self.kind == "metal" else preset.insulator
            steps = {"cell": own.cell, "bulk": own.bulk}
        return {
            "engine": preset.engine,
            "kind": self.kind,
            **{name: step.engine_settings(preset.xc) for name, step in steps.items()},
        }


def needed_by(inputs: PhaseInputs) -> Iterator[SharedCalculation]:
    """Yield what a phase needs and another one may need, too."""
    phase, preset, given = inputs.phase, inputs.preset, inputs.structures
    crystals: list[tuple[Literal["insulator", "metal"], Structure]] = []
    if isinstance(phase, MetalPhase):
        crystals.append(("metal", given["structure"]))
    if isinstance(phase, InsulatorPhase | ElectrodePhase):
        crystals.append(("metal", given["metal"]))
    if isinstance(phase, InsulatorPhase):
        beside, own = inputs.neighbours, given["structure"]
        crystals.append(("insulator", own))
        others = [*beside.coexisting, *own_elements_alone(beside.competing or (), own)]
        crystals += [(kind_of(other), other) for other in others]
        if preset.molecule is not None:
            for name, molecule in own_molecules(beside.molecules, own).items():
                yield SharedCalculation(f"{name}: molecule", "molecule", molecule, preset)
    for kind, structure in crystals:
        yield SharedCalculation(crystal_name(structure, kind), kind, structure, preset)


class Sharing:
    """Phases that need the same calculations, identified by their exact content."""

    def __init__(self) -> None:
        #: With the object itself, so that no other one gets its ``id()``.
        self._made: dict[tuple[int, str], tuple[Any, str]] = {}
        self._first: dict[tuple[str, ...], SharedCalculation] = {}
        self._phases: dict[tuple[str, ...], set[int]] = {}
        self._needs: dict[int, list[tuple[str, ...]]] = {}

    def add(self, number: int, inputs: PhaseInputs) -> None:
        """Note what a phase needs."""
        for one in needed_by(inputs):
            key = (one.name, one.kind, self._digest(one.content), self._of_preset(one))
            self._first.setdefault(key, one)
            self._phases.setdefault(key, set()).add(number)
            self._needs.setdefault(number, []).append(key)

    def of_phase(self, number: int) -> list[str]:
        """Return the names of what a phase shares with others, when all have been added."""
        keys = self._needs.get(number, ())
        return sorted({key[0] for key in keys if len(self._phases[key]) > 1})

    def shared(self) -> list[tuple[SharedCalculation, set[int]]]:
        """Return what more than one phase needs, and which phases do."""
        return [
            (one, self._phases[key])
            for key, one in self._first.items()
            if len(self._phases[key]) > 1
        ]

    def _of_preset(self, one: SharedCalculation) -> str:
        return self._once(one.preset, one.kind, lambda: json.dumps(one.settings()))

    def _digest(self, content: Structure | Molecule) -> str:
        return self._once(content, "", lambda: digest_of(content))

    def _once(self, what: Any, beside: str, make: Callable[[], str]) -> str:
        """Return what is made of an object; files and presets are read once, and are one object."""
        kept = self._made.get((id(what), beside))
        if kept is None:
            kept = self._made[id(what), beside] = (what, make())
        return kept[1]


def digest_of(content: Structure | Molecule) -> str:
    """Return a hash of what a crystal or molecule is, to the last digit."""
    lattice = content.lattice.matrix.tolist() if isinstance(content, Structure) else None
    sites = [[site.species_string, *site.coords.tolist()] for site in content]
    return hashlib.sha256(json.dumps([lattice, sites]).encode()).hexdigest()
