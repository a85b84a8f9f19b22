"""Documents as flat rows: what tables, conditions and exports are made of.

A contact, a calculation and a material make one row, a cell and an impedance one for each state of
charge. Columns are the physics' names with their units, alike wherever they mean the same; what a
document does not say is None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]

_SYMBOL = re.compile(r"[A-Z][a-z]?")

#: The columns of each collection with the place of each in its document, from a state of charge
#: (of a cell) or from the document's top. Where there is no place, a function below makes it.
COLUMNS: dict[str, dict[str, str]] = {
    "materials": {
        "name": "name",
        "kind": "kind",
        "mobile_ion": "mobile_ion",
        "surface": "surface",
        "elements": "",
        "ionization_potential_eV": "ionization_potential_eV",
        "band_gap_eV": "band_gap_eV",
        "dielectric_constant": "dielectric_constant",
        "reduction_limit_V": "",
        "oxidation_limit_V": "",
        "lowest_voltage_V": "",
        "highest_voltage_V": "",
        "numbers": "",
        "assumed_numbers": "",
        "preset": "provenance.preset",
        "functional": "provenance.functional",
    },
    "contacts": {
        "left": "left",
        "right": "right",
        "temperature_K": "temperature_K",
        "state_of_charge": "state_of_charge",
        "thickness_nm": "thickness_nm",
        "resistance_ohm_cm2": "resistance.interface_resistance_ohm_cm2",
        "log10_resistance_p50": "quantiles.log10_interface_resistance.p50",
        "limiting_step": "resistance.limiting_step",
        "potential_drop_V": "potential_drop_V",
        "electron_barrier_eV": "electrons.electron_barrier_eV",
        "hole_barrier_eV": "electrons.hole_barrier_eV",
        "contact_barrier_eV": "resistance.contact_barrier_eV",
        "reaction": "reaction.verdict",
        "outside_of_model": "outside_of_model",
        "apparent_resistance_ohm_cm2": "extrinsic.apparent_resistance_ohm_cm2",
        "accumulation_ohm_cm2": "resistance.accumulation_ohm_cm2",
        "validity": "",
        "space_charge_ohm_cm2": "resistance.space_charge_ohm_cm2",
        "charge_transfer_ohm_cm2": "resistance.charge_transfer_ohm_cm2",
        "layer_ohm_cm2": "resistance.layer_ohm_cm2",
        "reason": "resistance.reason",
        "log10_resistance_p05": "quantiles.log10_interface_resistance.p05",
        "log10_resistance_p95": "quantiles.log10_interface_resistance.p95",
        "share_above_10_ohm_cm2": "quantiles.share_above_ohm_cm2.10",
        "potential_drop_p05_V": "quantiles.potential_drop_V.p05",
        "potential_drop_p95_V": "quantiles.potential_drop_V.p95",
        "sheet_charge_e_nm2": "sheet_charge_e_nm2",
        "capacitance_uF_cm2": "capacitance_uF_cm2",
        "differential_capacitance_uF_cm2": "differential_capacitance_uF_cm2",
        "conduction_band_step_eV": "electrons.conduction_band_step_eV",
        "valence_band_step_eV": "electrons.valence_band_step_eV",
        "leakage_A_cm2": "electrons.leakage_A_cm2",
    },
    "cells": {
        "cell": "",
        "temperature_K": "",
        "state_of_charge": "state_of_charge",
        "layers": "",
        "open_circuit_voltage_V": "open_circuit_voltage_V",
        "resistance_ohm_cm2": "area_specific_resistance_ohm_cm2",
        "interface_resistance_ohm_cm2": "interface_resistance_ohm_cm2",
        "apparent_resistance_ohm_cm2": "apparent_resistance_ohm_cm2",
        "electron_barrier_eV": "electronic_leakage.electron_barrier_eV",
        "hole_barrier_eV": "electronic_leakage.hole_barrier_eV",
        "leakage_A_cm2": "electronic_leakage.current_A_cm2",
        "mu_within_windows": "",
        "outside_of_model": "outside_of_model",
        "open_circuit_voltage_p05_V": "quantiles.open_circuit_voltage_V.p05",
        "open_circuit_voltage_p95_V": "quantiles.open_circuit_voltage_V.p95",
        "log10_resistance_p05": "quantiles.log10_resistance.p05",
        "log10_resistance_p50": "quantiles.log10_resistance.p50",
        "log10_resistance_p95": "quantiles.log10_resistance.p95",
    },
    "interfaces": {
        "name": "name",
        "left": "left",
        "right": "right",
        "left_surface": "left_surface",
        "right_surface": "right_surface",
        "mobile_ion": "mobile_ion",
        "dipole_V": "dipole_V",
        "barrier_eV": "barrier_eV",
        "excess_barrier_eV": "excess_barrier_eV",
        "areal_site_density_cm2": "areal_site_density_cm2",
        "preset": "provenance.preset",
        "functional": "provenance.functional",
    },
    "calculations": {
        "hash": "hash",
        "engine": "engine",
        "kind": "kind",
        "formula": "",
        "charge": "charge",
        "functional": "settings.xc",
        "electrons": "electrons",
        "energy_eV": "energy_eV",
        "fermi_level_eV": "fermi_level_eV",
        "vbm_eV": "vbm_eV",
        "cbm_eV": "cbm_eV",
        "max_force_eV_A": "max_force_eV_A",
        "ionic_steps": "ionic_steps",
        "wall_time_s": "wall_time_s",
    },
    "failures": {
        "hash": "hash",
        "engine": "engine",
        "kind": "kind",
        "formula": "",
        "charge": "charge",
        "functional": "settings.xc",
        "reason": "reason",
        "failed_at": "failed_at",
    },
    "impedances": {
        "cell": "",
        "temperature_K": "",
        "state_of_charge": "state_of_charge",
        "dc_resistance_ohm_cm2": "dc_resistance_ohm_cm2",
        "dc_resistance_p05_ohm_cm2": "quantiles.dc_resistance_ohm_cm2.p05",
        "dc_resistance_p95_ohm_cm2": "quantiles.dc_resistance_ohm_cm2.p95",
        "series_capacitance_uF_cm2": "circuit.series_capacitance_uF_cm2",
        "lowest_Hz": "",
        "highest_Hz": "",
    },
    "dynamics": {
        "cell": "cell",
        "temperature_K": "temperature_K",
        "direction": "galvanostatic.direction",
        "c_rate": "galvanostatic.c_rate",
        "current_A_cm2": "galvanostatic.current_A_cm2",
        "capacity_mAh_cm2": "galvanostatic.capacity_mAh_cm2",
        "nominal_capacity_mAh_cm2": "galvanostatic.nominal_capacity_mAh_cm2",
        "ended_by": "galvanostatic.ended_by",
        "step": "formation.step",
        "by": "formation.by",
        "state_of_charge": "formation.state_of_charge",
        "relaxation_time_s": "quasi_equilibrium.relaxation_time_s",
    },
}

_TEXTS = frozenset(
    {
        *("name", "kind", "mobile_ion", "surface", "preset", "functional"),
        *("left_surface", "right_surface"),
        *("left", "right", "limiting_step", "reaction", "reason", "cell", "hash"),
        *("engine", "formula"),
        "failed_at",
        *("direction", "ended_by", "step"),
    }
)
_LISTS = frozenset({"elements", "layers", "validity"})
_BOOLS = frozenset({"mu_within_windows", "outside_of_model"})
_INTEGERS = frozenset({"charge", "ionic_steps", "numbers", "assumed_numbers"})


def kind_of(column: str) -> type:
    """Return what a column holds: str, list (of str), bool, int or float."""
    if column in _TEXTS:
        return str
    if column in _LISTS:
        return list
    if column in _BOOLS:
        return bool
    return int if column in _INTEGERS else float


def rows_of(collection: str, document: Mapping[str, Any]) -> list[Row]:
    """Return a document's rows; every row has every column of its collection.

    Parameters
    ----------
    collection : str
        A key of `COLUMNS`.
    document : mapping
        Document as stored in the database.
    """
    if collection == "cells":
        return [_cell_row(document, state) for state in document.get("states") or ()]
    if collection == "impedances":
        return [_impedance_row(document, state) for state in document.get("states") or ()]
    row = _placed(collection, document)
    if collection == "materials":
        row.update(_of_material(document))
    elif collection == "contacts":
        row["validity"] = [doubt.get("code") for doubt in document.get("validity") or ()]
    elif collection in ("calculations", "failures"):
        row["formula"] = _formula(document)
    return [row]


def value_at(document: Any, path: str) -> Any:
    """Return the value at a dotted place of nested mappings, None where there is none."""
    for step in path.split("."):
        document = document.get(step) if isinstance(document, Mapping) else None
    return document


def sorted_rows(rows: Sequence[Row], column: str, *, descending: bool) -> list[Row]:
    """Return rows by a column, those without a value last."""
    known = [row for row in rows if row.get(column) is not None]
    unknown = [row for row in rows if row.get(column) is None]
    known.sort(key=lambda row: row[column], reverse=descending)
    return [*known, *unknown]


def _placed(collection: str, document: Mapping[str, Any]) -> Row:
    return {
        column: _number(value_at(document, path)) if path else None
        for column, path in COLUMNS[collection].items()
    }


def _number(value: Any) -> Any:
    """Return a quantity's number; every other plain value as it is, and nothing else."""
    if isinstance(value, Mapping):
        value = value.get("value")
    return value if isinstance(value, (str, int, float, bool)) else None


def _cell_row(document: Mapping[str, Any], state: Mapping[str, Any]) -> Row:
    return {
        **_placed("cells", state),
        "cell": document.get("cell"),
        "temperature_K": document.get("temperature_K"),
        "layers": [layer.get("material") for layer in state.get("layers") or ()],
        "mu_within_windows": None
        if state.get("stability_violations") is None
        else not state["stability_violations"],
    }


def _impedance_row(document: Mapping[str, Any], state: Mapping[str, Any]) -> Row:
    frequencies = state.get("frequency_Hz") or [None]
    return {
        **_placed("impedances", state),
        "cell": document.get("cell"),
        "temperature_K": document.get("temperature_K"),
        "lowest_Hz": frequencies[0],
        "highest_Hz": frequencies[-1],
    }


def _of_material(document: Mapping[str, Any]) -> Row:
    window = [_number(bound) for bound in document.get("stability_window_V") or (None, None)]
    voltages = [_number(state.get("voltage_V")) for state in document.get("states") or ()]
    quantities = list(_quantities(document))
    return {
        "elements": _elements(document),
        "reduction_limit_V": window[0],
        "oxidation_limit_V": window[-1],
        "lowest_voltage_V": min(voltages, default=None),
        "highest_voltage_V": max(voltages, default=None),
        "numbers": len(quantities),
        "assumed_numbers": sum(quantity.assumed for quantity in quantities),
    }


def _quantities(document: Mapping[str, Any]) -> list[Any]:
    from interohm.records import material_from
    from interohm.records.uncertainty import quantities

    known = material_from(document, where=f"materials, {document.get('name')}")
    return [quantity for _, quantity in quantities(known)]


def _elements(document: Mapping[str, Any]) -> list[str] | None:
    """Return the elements of a record's structure, else those that its name spells.

    A name that is no formula, as LLZO, says nothing.
    """
    from pymatgen.core import Element

    sites = value_at(document, "structure.sites")
    if isinstance(sites, list):
        found = [species["element"] for site in sites for species in site["species"]]
        return sorted({symbol[0] for name in found if (symbol := _SYMBOL.match(name))})
    symbols = set(_SYMBOL.findall(str(document.get("name", "")).split("_")[0]))
    return sorted(symbols) if all(map(Element.is_valid_symbol, symbols)) else None


def _formula(document: Mapping[str, Any]) -> str | None:
    from pymatgen.core import Composition

    sites = value_at(document, "structure.sites")
    if not isinstance(sites, list):
        return None
    amounts: dict[str, float] = {}
    for site in sites:
        for species in site["species"]:
            element = species["element"]
            amounts[element] = amounts.get(element, 0.0) + species["occu"]
    return str(Composition(amounts).reduced_formula)
