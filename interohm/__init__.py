"""From crystal structures to the intrinsic interface resistance of a solid-state cell.

Examples
--------
>>> import interohm
>>> contact = interohm.predict_contact("Li", "LLZO", samples=0)
>>> contact.resistance.interface_resistance_ohm_cm2 > 0
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interohm.lazy_names import lazy_names
from interohm.version import VERSION

if TYPE_CHECKING:
    from interohm.api import (
        load_record,
        measured_impedance,
        predict_cell,
        predict_contact,
        predict_dynamics,
        predict_impedance,
        screen,
        shipped_records,
    )
    from interohm.database import Database
    from interohm.errors import InputError
    from interohm.measured_spectra import read_spectrum
    from interohm.prediction.measured_impedance import Measurement
    from interohm.records import Insulator, Metal
    from interohm.records.cell_config import Cell
    from interohm.results.cell import CellResult
    from interohm.results.contact import ContactResult
    from interohm.results.dynamics import DynamicsResult
    from interohm.results.impedance import ImpedanceResult
    from interohm.results.measured_impedance import MeasuredImpedanceResult
    from interohm.results.screening import ScreeningResult

__version__ = VERSION

__all__ = [
    "Cell",
    "CellResult",
    "ContactResult",
    "Database",
    "DynamicsResult",
    "ImpedanceResult",
    "InputError",
    "Insulator",
    "MeasuredImpedanceResult",
    "Measurement",
    "Metal",
    "ScreeningResult",
    "load_record",
    "measured_impedance",
    "predict_cell",
    "predict_contact",
    "predict_dynamics",
    "predict_impedance",
    "read_spectrum",
    "screen",
    "shipped_records",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Cell": "interohm.records.cell_config",
        "CellResult": "interohm.results.cell",
        "ContactResult": "interohm.results.contact",
        "Database": "interohm.database",
        "DynamicsResult": "interohm.results.dynamics",
        "ImpedanceResult": "interohm.results.impedance",
        "InputError": "interohm.errors",
        "Insulator": "interohm.records",
        "MeasuredImpedanceResult": "interohm.results.measured_impedance",
        "Measurement": "interohm.prediction.measured_impedance",
        "Metal": "interohm.records",
        "ScreeningResult": "interohm.results.screening",
        "load_record": "interohm.api",
        "measured_impedance": "interohm.api",
        "predict_cell": "interohm.api",
        "predict_contact": "interohm.api",
        "predict_dynamics": "interohm.api",
        "predict_impedance": "interohm.api",
        "read_spectrum": "interohm.measured_spectra",
        "screen": "interohm.api",
        "shipped_records": "interohm.api",
    },
)
