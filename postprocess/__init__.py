"""Finished calculations in, material records out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interohm.lazy_names import lazy_names

if TYPE_CHECKING:
    from interohm.postprocess.barriers import migration_energy
    from interohm.postprocess.calculation import Calculation
    from interohm.postprocess.defect_corrections import point_charge_correction, site_alignment
    from interohm.postprocess.defects import formation_energy, transition_levels
    from interohm.postprocess.dielectric import static_dielectric_tensor
    from interohm.postprocess.levels import band_edges, work_function
    from interohm.postprocess.materials import insulator_record, metal_record
    from interohm.postprocess.phase_diagram import stability_window
    from interohm.postprocess.vasp import read_vasp
    from interohm.postprocess.vasp_path import read_vasp_path
    from interohm.postprocess.vasp_response import read_response
    from interohm.postprocess.voltages import electrode_record, voltage_plateaus

__all__ = [
    "Calculation",
    "band_edges",
    "electrode_record",
    "formation_energy",
    "insulator_record",
    "metal_record",
    "migration_energy",
    "point_charge_correction",
    "read_response",
    "read_vasp",
    "read_vasp_path",
    "site_alignment",
    "stability_window",
    "static_dielectric_tensor",
    "transition_levels",
    "voltage_plateaus",
    "work_function",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Calculation": "interohm.postprocess.calculation",
        "band_edges": "interohm.postprocess.levels",
        "electrode_record": "interohm.postprocess.voltages",
        "formation_energy": "interohm.postprocess.defects",
        "insulator_record": "interohm.postprocess.materials",
        "metal_record": "interohm.postprocess.materials",
        "migration_energy": "interohm.postprocess.barriers",
        "point_charge_correction": "interohm.postprocess.defect_corrections",
        "read_response": "interohm.postprocess.vasp_response",
        "read_vasp": "interohm.postprocess.vasp",
        "read_vasp_path": "interohm.postprocess.vasp_path",
        "site_alignment": "interohm.postprocess.defect_corrections",
        "stability_window": "interohm.postprocess.phase_diagram",
        "static_dielectric_tensor": "interohm.postprocess.dielectric",
        "transition_levels": "interohm.postprocess.defects",
        "voltage_plateaus": "interohm.postprocess.voltages",
        "work_function": "interohm.postprocess.levels",
    },
)
