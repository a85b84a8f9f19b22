"""Documents that jobs pass on, also to jobs of other flows."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pymatgen.core import Structure

from interohm.postprocess.calculation import Calculation


class CalculationDocument(BaseModel):
    """A finished calculation; potentials and what else is large stay in the database.

    Fields are found by their names in brackets, too: flows in a queue ask so.

    Parameters
    ----------
    hash : str
        Under which the database has it whole.
    structure : Structure
        After it; of a static calculation the given one.
    setting : mapping, optional
        How the stored one was turned into what was asked for; None where it is stored as it is.
    engine, kind, charge, settings
        The request.
    energy_eV : float
        Total energy of the cell.
    fermi_level_eV, vbm_eV, cbm_eV : float, optional
        Levels on the calculation's own scale; band edges of what has a gap.
    max_force_eV_A : float, optional
        At the end.
    magnetic_moments_muB : list of float, optional
        By site.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    hash: str
    structure: Structure
    setting: dict[str, Any] | None = None
    engine: str
    kind: str
    charge: int
    settings: dict[str, Any]
    energy_eV: float
    fermi_level_eV: float
    vbm_eV: float | None = None
    cbm_eV: float | None = None
    max_force_eV_A: float | None = None
    magnetic_moments_muB: list[float] | None = None

    @classmethod
    def of(
        cls, calculation: Calculation, setting: dict[str, Any] | None = None
    ) -> CalculationDocument:
        """Return a calculation's document."""
        own = {
            name: getattr(calculation, name)
            for name in cls.model_fields
            if name not in ("structure", "setting")
        }
        return cls(structure=calculation.final_structure, setting=setting, **own)

    def __getitem__(self, name: str) -> Any:
        """Return a field."""
        if name not in self:
            raise KeyError(name)
        return getattr(self, name)

    def __contains__(self, name: object) -> bool:
        """Return whether the field is given."""
        return name in type(self).model_fields and getattr(self, str(name)) is not None
