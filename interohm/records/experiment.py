"""Measurements of one contact, or published models of it, with the records that describe it.

Read from ``configs/validation/*.yaml``; `interohm validate` compares it with what is predicted.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from interohm.errors import InputError
from interohm.records.cell_config import Cell, Contact
from interohm.records.material import (
    Insulator,
    Kelvin,
    Material,
    Metal,
    Number,
    RecordName,
    _Model,
)
from interohm.records.shipped import SHIPPED_FOLDER, shipped_material
from interohm.yaml_io import load_yaml, validated

EXPERIMENTS_FOLDER = SHIPPED_FOLDER.parent / "validation"

#: Quantities that a prediction has; a ratio of two resistances is only shown.
MeasuredQuantity: TypeAlias = Literal[
    "interface_resistance_ohm_cm2",
    "interface_resistance_ratio",
    "activation_energy_eV",
    "potential_drop_V",
    "capacitance_uF_cm2",
    "thickness_nm",
    "z_real_ohm_cm2",
    "process_activation_energy_eV",
]

#: Those of the spectrum of a whole cell, and what each needs to know.
SPECTRUM_QUANTITIES = {
    "z_real_ohm_cm2": "frequency_Hz",
    "process_activation_energy_eV": "process",
}

#: ``two_sided``: the value lies where the prediction says, or not. ``upper_bound``: it may hold
#: extrinsic parts or be a limit, so that it only bounds the intrinsic one from above. ``told``: of
#: something else than a clean contact, or of a number that set the records; nothing is compared.
Comparison: TypeAlias = Literal["two_sided", "upper_bound", "told"]


class Measurement(_Model):
    """One number.

    Parameters
    ----------
    quantity : str
        Quantity that was measured. ``thickness_nm`` is that of the space charge in the
        electrolyte, ``potential_drop_V`` has no sign, ``activation_energy_eV`` is that of the
        interface resistance. The spectrum of a ``cell`` has ``z_real_ohm_cm2`` at one frequency,
        and ``process_activation_energy_eV`` of the resistance of one process.
    value : float, optional
        Measured value. None where the publication gives a trend but no number.
    comparison : {"two_sided", "upper_bound", "told"}
        How the prediction is compared: ``two_sided`` with the value itself; ``upper_bound`` only
        from below, where the measurement may contain extrinsic parts; ``told`` not at all, because
        the contact is not clean or the number was used to set the records.
    frequency_Hz : float, optional
        Frequency of ``z_real_ohm_cm2``.
    process : str, optional
        Process of ``process_activation_energy_eV``: ``bulk``, ``space charge``,
        ``charge transfer`` or ``layer``, summed over the cell.
    """

    quantity: MeasuredQuantity
    value: Annotated[Number, Field(gt=0)] | None = None
    comparison: Comparison = "told"
    frequency_Hz: Annotated[Number, Field(gt=0)] | None = None
    process: Literal["bulk", "space charge", "charge transfer", "layer"] | None = None

    @property
    def place(self) -> str:
        """Process or frequency that the row refers to; empty for a contact."""
        if self.frequency_Hz is not None:
            return f"{self.frequency_Hz:g} Hz"
        return self.process or ""

    @model_validator(mode="after")
    def _spectrum_says_where(self) -> Measurement:
        for quantity, field in SPECTRUM_QUANTITIES.items():
            given = getattr(self, field) is not None
            if given != (self.quantity == quantity):
                raise ValueError(
                    f"{field} belongs to {quantity}: " + ("leave it out" if given else "give it")
                )
        return self

    @model_validator(mode="after")
    def _compared_has_a_value(self) -> Measurement:
        if self.value is None and self.comparison != "told":
            raise ValueError(f"value: {self.comparison} compares a number; give it")
        return self


class Experiment(_Model):
    """A published experiment or model.

    Parameters
    ----------
    name : str
        Name of the file without ``.yaml``.
    title : str
        Title for reports.
    electrode, electrolyte : str, optional
        Name of a record, from `materials` or shipped. Without both there is no prediction.
    state_of_charge : float, optional
        State of charge of the electrode. None: not stated; half charged is assumed.
    temperature_K : float
        Temperature of the measurement.
    measured : list of Measurement
        Published numbers.
    materials : list of record
        Records that the experiment or model needs and that are not shipped.
    contact : Contact
        Statements of the model about the contact itself.
    cell : Cell, optional
        Whole cell whose spectrum was measured, at one state of charge.
    preparation : str
        How the contact was made.
    source : str
        Publication: authors, journal, DOI.
    read_in : {"abstract", "text"}
        Part of the publication in which the numbers were read.
    remarks : str
        Anything else that a reader must know.
    """

    name: RecordName
    title: Annotated[str, Field(min_length=1, max_length=200)]
    electrode: RecordName | None = None
    electrolyte: RecordName | None = None
    state_of_charge: Annotated[Number, Field(ge=0, le=1)] | None = None
    temperature_K: Kelvin
    measured: Annotated[list[Measurement], Field(min_length=1)]
    materials: list[Material] = Field(default_factory=list)
    contact: Contact = Field(default_factory=Contact)
    cell: Cell | None = None
    preparation: str
    source: Annotated[str, Field(min_length=10)]
    read_in: Literal["abstract", "text"]
    remarks: str = ""

    @model_validator(mode="after")
    def _compared_is_predicted(self) -> Experiment:
        spectrum = [one for one in self.measured if one.quantity in SPECTRUM_QUANTITIES]
        if spectrum and (self.cell is None or len(self.cell.states_of_charge) != 1):
            raise ValueError(
                f"{spectrum[0].quantity} is of a cell's spectrum: give cell, with one state of "
                "charge"
            )
        compared = [
            one.quantity
            for one in self.measured
            if one.comparison != "told" and one not in spectrum
        ]
        if compared and (self.electrode is None or self.electrolyte is None):
            raise ValueError(
                f"{compared[0]} is compared, but electrode or electrolyte is missing: name both, "
                "or make its comparison 'told'"
            )
        if "interface_resistance_ratio" in compared:
            raise ValueError(
                "interface_resistance_ratio cannot be compared: make its comparison 'told'"
            )
        return self

    def phases(self) -> tuple[Insulator | Metal, Insulator | Metal] | None:
        """Return electrode and electrolyte; None where one of them has no record.

        Raises
        ------
        InputError
            A name is of no record.
        """
        if self.electrode is None or self.electrolyte is None:
            return None
        return self._record(self.electrode), self._record(self.electrolyte)

    def layers(self) -> list[Insulator | Metal]:
        """Return the record of each layer of `cell`; none without a cell.

        Raises
        ------
        InputError
            A name is of no record.
        """
        return [] if self.cell is None else [self._record(one.material) for one in self.cell.layers]

    def _record(self, name: str) -> Insulator | Metal:
        own = {material.name: material for material in self.materials}
        material = own.get(name) or shipped_material(name)
        if material is None:
            raise InputError(
                f"there is no record {name!r} among its materials or the shipped ones",
                where=f"experiment {self.name}",
                fix="add it to materials, or leave out the name",
            )
        return material


def load_experiment(path: str | Path) -> Experiment:
    """Read one experiment from a YAML file.

    Raises
    ------
    InputError
        With every field that is wrong, and how to mend it.
    """
    return validated(Experiment, load_yaml(path), where=str(path))


@cache
def shipped_experiments() -> list[Experiment]:
    """Return all shipped experiments and models, by name."""
    return [load_experiment(path) for path in sorted(EXPERIMENTS_FOLDER.glob("*.yaml"))]
