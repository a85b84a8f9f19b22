"""Flows of single phases, as jobflow's Makers: to be composed with those of others.

Each makes one job, which plans the phase where it runs and is replaced by the phase's calculations;
so a crystal may be the output of a job before. The flows are those of a campaign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jobflow import Flow, Job, Maker, OutputReference
from pydantic import BaseModel, TypeAdapter

from interohm.errors import InputError
from interohm.records import ION_CHARGES, Insulator, Metal
from interohm.records.interface import Interface
from interohm.yaml_io import validated_as

from .campaign_config import (
    SHIPPED_STRUCTURES,
    ElectrodePhase,
    InsulatorPhase,
    InterfacePhase,
    MetalPhase,
    load_structure,
)
from .context import results_of
from .phase import Neighbours
from .planning import PhaseInputs, as_structure
from .presets import load_preset

__all__ = ["ElectrodeMaker", "InsulatorMaker", "InterfaceMaker", "MetalMaker"]

#: What the record says of a structure that was handed over.
_GIVEN = "given to a Maker"

#: A crystal, or the output of a job that is one or has one.
Given = Any


@dataclass
class _PhaseMaker(Maker):
    """Base of the Makers of all phases.

    Parameters
    ----------
    name : str
        Name of the record, unless `make` gets another.
    engine : str
        Which program calculates: ``gpaw`` or ``vasp``.
    preset : str
        A shipped preset's name, or the path of a YAML file; read by `make`.
    mobile_ion : str
        Its element.
    ion_charge : int, optional
        Default: the ion's usual one.
    metal : Structure, Atoms, the output of a job or str, optional
        The mobile element's metal, whose energy per atom is mu = 0, or a file or shipped name.
        Default: the shipped one.
    database : str or Path, optional
        The project folder of the results. Default: what the settings say when `make` is called, a
        folder made absolute, or the server of every worker's own settings.
    """

    name: str = "phase"
    engine: str = "gpaw"
    preset: str = "quick"
    mobile_ion: str = "Li"
    ion_charge: int | None = None
    metal: Given | None = None
    database: str | Path | None = None

    #: What its flow ends with.
    _record: ClassVar[type[BaseModel]]

    def _job(
        self,
        phase: Any,
        structures: Mapping[str, Given],
        neighbours: Neighbours,
    ) -> Job:
        """Return the job that plans a phase."""
        preset = load_preset(self.preset, folder=Path())
        if preset.engine != self.engine:
            raise InputError(
                f"the preset {preset.name} is for {preset.engine}, not for {self.engine}",
                where="preset",
                fix=f"write engine={preset.engine!r}, or name a preset for {self.engine}",
            )
        charge = self.ion_charge or ION_CHARGES.get(self.mobile_ion)
        if charge is None:
            raise InputError(
                f"the charge of {self.mobile_ion} is not known", where="ion_charge", fix="give it"
            )
        given = {name: _given(one) for name, one in structures.items()}
        inputs = PhaseInputs(phase, preset, self.mobile_ion, charge, given, neighbours)
        all_given = [*given.values(), *neighbours.coexisting, *(neighbours.competing or ())]
        if not any(isinstance(one, OutputReference) for one in all_given):
            inputs.check(phase.name)
            inputs.check_neighbours(phase.name)
        planning = inputs.job()
        # what a later job asks for is looked up in the record's fields when the flow is made
        planning.output_schema = type(self)._record
        planning.output = OutputReference(planning.uuid, output_schema=type(self)._record)
        planning.update_metadata(results_of(self.database), dynamic=True)
        return planning

    def _metal(self) -> Given:
        if self.metal is not None and not isinstance(self.metal, str):
            return self.metal
        source = self.metal or self.mobile_ion
        if self.metal is None and not (SHIPPED_STRUCTURES / f"{source}.cif").is_file():
            raise InputError(
                f"no structure of the metal of {source} is shipped", where="metal", fix="give one"
            )
        return load_structure(source, Path(), where="metal")


@dataclass
class InsulatorMaker(_PhaseMaker):
    """Makes the flow of an insulator: electrolyte, coating or interlayer.

    Parameters
    ----------
    name, engine, preset, mobile_ion, ion_charge, metal, database
        See the fields: of all Makers.

    Examples
    --------
    >>> from interohm.workflows import InsulatorMaker
    >>> from pymatgen.core import Lattice, Structure
    >>> crystal = Structure.from_spacegroup(
    ...     "Fm-3m", Lattice.cubic(4.02), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    ... )
    >>> maker = InsulatorMaker(preset="quick")
    >>> maker.make(crystal, "LiF", facet=(0, 0, 1), dielectric_constant=9.0).name
    'LiF: plan'
    """

    name: str = "insulator"

    _record = Insulator

    def make(
        self,
        structure: Given,
        name: str | None = None,
        *,
        equilibrium_with: Mapping[str, Given] | None = None,
        competing: Mapping[str, Given] | None = None,
        **fields: Any,
    ) -> Job:
        """Return the job that plans the phase, and whose output is its record.

        Parameters
        ----------
        structure : Structure, Atoms or the output of a job
            The crystal.
        name : str, optional
            Name of the record.
        equilibrium_with : mapping of str to Structure, Atoms or output, optional
            Compounds that coexist with the phase, by names for the provenance.
        competing : mapping of str to Structure, Atoms or output, optional
            Further phases of the diagram that gives the stability window, which is then calculated.
        **fields
            The others of a campaign's insulator: ``facet``, ``dielectric_constant``, ``hops``, …

        Raises
        ------
        InputError
            A field is wrong, or something cannot be calculated, as far as it is seen now.
        """
        beside = dict(equilibrium_with or {})
        fields["equilibrium_with"] = list(beside)
        phase = _phase(InsulatorPhase, name or self.name, fields)
        rivals = None if competing is None else [_given(one) for one in competing.values()]
        neighbours = Neighbours([_given(one) for one in beside.values()], rivals)
        return self._job(phase, {"structure": structure, "metal": self._metal()}, neighbours)


@dataclass
class MetalMaker(_PhaseMaker):
    """Makes the flow of a metal at one ion content: an anode or a current collector.

    Parameters
    ----------
    name, engine, preset, mobile_ion, ion_charge, metal, database
        As `InsulatorMaker`.
    """

    name: str = "metal"

    _record = Metal

    def make(self, structure: Given, name: str | None = None, **fields: Any) -> Job:
        """Return the job that plans the phase, and whose output is its record.

        Parameters
        ----------
        structure : Structure, Atoms or the output of a job
            The crystal.
        name : str, optional
            Name of the record.
        **fields
            The others of a campaign's metal: ``facet``, ``ion_content``, ``voltage_V``, …

        Raises
        ------
        InputError
            As `InsulatorMaker.make`.
        """
        phase = _phase(MetalPhase, name or self.name, fields)
        given = {"structure": structure, "metal": self._metal()}
        return self._job(phase, given, Neighbours())


@dataclass
class ElectrodeMaker(_PhaseMaker):
    """Makes the flow of an electrode along its state of charge.

    Parameters
    ----------
    name, engine, preset, mobile_ion, ion_charge, metal, database
        As `InsulatorMaker`. The preset needs steps for electrodes, as ``production`` has them.
    """

    name: str = "electrode"
    preset: str = "production"

    _record = Metal

    def make(self, structure: Given, name: str | None = None, **fields: Any) -> Job:
        """Return the job that plans the phase, and whose output is its record.

        Parameters
        ----------
        structure : Structure, Atoms or the output of a job
            The crystal with all of its mobile ions.
        name : str, optional
            Name of the record.
        **fields
            The others of a campaign's electrode: ``states``, ``facet``, …

        Raises
        ------
        InputError
            As `InsulatorMaker.make`.
        """
        phase = _phase(ElectrodePhase, name or self.name, fields)
        given = {"structure": structure, "metal": self._metal()}
        return self._job(phase, given, Neighbours())


@dataclass
class InterfaceMaker(_PhaseMaker):
    """Makes the flow of the contact of two surfaces, joined in one cell.

    Parameters
    ----------
    name, engine, preset, mobile_ion, ion_charge, metal, database
        As `InsulatorMaker`. The preset needs settings for interfaces, as ``production`` has them.
    """

    name: str = "interface"
    preset: str = "production"

    _record = Interface

    def make(
        self,
        left: Given,
        right: Given,
        name: str | None = None,
        *,
        sides: tuple[Mapping[str, Any], Mapping[str, Any]],
        **fields: Any,
    ) -> Job:
        """Return the job that plans the interface, and whose output is its document.

        Parameters
        ----------
        left, right : Structure, Atoms or the output of a job
            The two crystals.
        name : str, optional
            Name of the document.
        sides : pair of mappings
            ``left`` and ``right`` as in a campaign: ``record``, ``kind`` and ``facet``.
        **fields
            Other fields of an interface in a campaign: ``strained``, ``max_strain``, ``hop``, …

        Raises
        ------
        InputError
            As `InsulatorMaker.make`.
        """
        described = [{**side, "structure": _GIVEN} for side in sides]
        fields |= dict(zip(("left", "right"), described, strict=True))
        phase = _phase(InterfacePhase, name or self.name, fields)
        return self._job(phase, {"left": left, "right": right}, Neighbours())


def _phase(model: Any, name: str, fields: Mapping[str, Any]) -> Any:
    whole = {**fields, "name": name}
    if model is not InterfacePhase:
        whole["structure"] = _GIVEN
    return validated_as(TypeAdapter(model), whole, where=name)


def _given(structure: Given) -> Any:
    """Return a structure, or the reference to the output in which it will be."""
    if isinstance(structure, Job | Flow):
        return structure.output
    return structure if isinstance(structure, OutputReference) else as_structure(structure)
