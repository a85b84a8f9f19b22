"""Protocol of an engine, as the flows expect it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from interohm.postprocess.calculation import Calculation

    from .request import CalculationRequest


class CalculationError(RuntimeError):
    """A calculation that did not end in a converged result; the message says why.

    Parameters
    ----------
    message : str
        Why, in the engine's words.
    attempts : sequence of mapping
        The settings that were tried, as in `Calculation.scf_attempts`.
    """

    def __init__(self, message: str, *, attempts: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.attempts = list(attempts)


@dataclass(frozen=True)
class Progress:
    """Progress of a running calculation.

    Parameters
    ----------
    ionic_step : int
        Geometries begun.
    scf_iteration : int
        Iteration of the current geometry.
    max_force_eV_A : float, optional
        Largest force of the last finished geometry.
    """

    ionic_step: int
    scf_iteration: int
    max_force_eV_A: float | None


class Run(Protocol):
    """A calculation that has been started."""

    request: CalculationRequest

    def finished(self) -> bool:
        """Return whether the calculation has ended, successfully or not."""

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until it has ended, so long at most."""

    def progress(self) -> Progress | None:
        """Return the progress of the calculation; None before the first iteration."""

    def result(self) -> Calculation:
        """Return the finished calculation, or raise CalculationError."""

    def stop(self) -> None:
        """End it; what its folder holds lets a later run go on."""


class Engine(Protocol):
    """A program that calculates total energies, forces and potentials."""

    name: str

    def check(self) -> None:
        """Raise InputError if the engine is not there, saying how to get it."""

    def check_elements(self, structure: Structure, settings: dict[str, Any]) -> None:
        """Raise InputError where functional or data sets for a structure are missing.

        Parameters
        ----------
        structure : Structure
            The atoms.
        settings : mapping
            Settings of one step of a preset, as its ``engine_settings`` returns them.
        """

    def valence_electrons(self, structure: Structure, settings: dict[str, Any]) -> int:
        """Return the number of electrons of a neutral cell, under a request's settings."""

    def request(
        self, structure: Structure, kind: str, settings: dict[str, Any], charge: int
    ) -> CalculationRequest:
        """Return the complete request for a structure and a preset's settings of one step."""

    def start(self, request: CalculationRequest, folder: Path) -> Run:
        """Start a calculation in its folder, going on from what an earlier run left there."""
