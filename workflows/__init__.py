"""Jobflow makers and flows of one material and of a campaign, and how they are launched."""

from __future__ import annotations

from interohm.lazy_names import lazy_names

from .signals import stand_by

__all__ = ["ElectrodeMaker", "InsulatorMaker", "InterfaceMaker", "MetalMaker"]

__getattr__, __dir__ = lazy_names(__name__, dict.fromkeys(__all__, "interohm.workflows.makers"))

stand_by()
