"""What reports warn of."""

from __future__ import annotations

from interohm.report.findings import _unknown_resistances
from interohm.results.cell import CellLayer


def test_layers_without_a_resistance_are_told_apart() -> None:
    layers = [
        CellLayer(material="LiF_001", thickness_nm=5.0),
        CellLayer(material="LLZO", thickness_nm=30.0, resistance_ohm_cm2=1.0),
        CellLayer(material="Li2O_110", thickness_nm=7.0),
    ]
    (line,) = _unknown_resistances([], layers)
    names = "LiF_001 (5 nm), Li2O_110 (7 nm)"
    assert line == f"{names}: no resistance, since nothing conducts in it"
