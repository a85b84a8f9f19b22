"""Requests to an engine, their names, and the keys by which equal ones are found again."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Structure

from interohm.calculation_key import calculation_key
from interohm.postprocess.calculation import CalculationKind


class CalculationRequest(BaseModel):
    """One calculation, complete: nothing else reaches the engine.

    Parameters
    ----------
    engine : str
        Which program calculates.
    kind : str
        ``cell`` (relax cell and atoms), ``relax`` (atoms) or ``static``.
    charge : int
        In elementary charges.
    structure : mapping
        A pymatgen Structure.
    settings : mapping
        The engine's, all of them, k-points counted out.
    scf_retries : list of mapping
        Changes of the settings where the electrons do not converge, one after the other. They are
        no part of the hash: what was changed stands in the result.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: str
    kind: CalculationKind
    charge: int
    structure: dict[str, Any]
    settings: dict[str, Any]
    scf_retries: list[dict[str, Any]] = Field(default_factory=list)

    @property
    def initial_structure(self) -> Structure:
        """Initial structure."""
        return Structure.from_dict(self.structure)

    @cached_property
    def volume_A3(self) -> float:
        """Volume of the initial cell."""
        return abs(float(np.linalg.det(self.structure["lattice"]["matrix"])))

    @cached_property
    def key(self) -> str:
        """Coarse key, equal for all requests that may be this calculation."""
        return calculation_key(
            engine=self.engine,
            kind=self.kind,
            charge=self.charge,
            settings=self.settings,
            structure=self.structure,
        )

    @cached_property
    def hash(self) -> str:
        """SHA-256 of what decides the result: the name under which it is stored.

        Positions count to 1e-5 Å, so that a structure may pass through files and databases. The
        same calculation in another setting, or rounded otherwise, has another hash; it is found by
        comparison (`interohm.workflows.equivalents`).
        """
        structure = self.initial_structure
        content = {
            "engine": self.engine,
            "kind": self.kind,
            "charge": self.charge,
            "settings": self.settings,
            "lattice_A": _rounded(structure.lattice.matrix.tolist()),
            "species": [site.specie.symbol for site in structure],
            "positions_A": _rounded(structure.cart_coords.tolist()),
        }
        text = json.dumps(content, sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _rounded(rows: list[list[float]]) -> list[list[float]]:
    # Adding zero turns −0.0 into 0.0, which JSON would tell apart.
    return [[round(value, 5) + 0.0 for value in row] for row in rows]
