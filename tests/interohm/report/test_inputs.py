"""The inputs of a prediction, as reports list them."""

from __future__ import annotations

import pytest

from interohm.records.shipped import shipped_material, shipped_names
from interohm.records.uncertainty import assumed_fields, quantities
from interohm.report.inputs import assumed_count, material_inputs


@pytest.mark.parametrize("name", shipped_names())
def test_a_number_with_a_source_is_no_default(name: str) -> None:
    """Those that a record does not give have no source, and are assumed as everywhere else."""
    material = shipped_material(name)
    assert material is not None
    assert assumed_count(material) == (
        len(assumed_fields([material])),
        len(list(quantities(material))),
    )


def test_a_measured_conductivity_is_measured() -> None:
    material = shipped_material("LLZO")
    assert material is not None
    rows = str(material_inputs(material)).split("<tr>")
    [row] = [row for row in rows if "conductivity.value_S_cm" in row]
    assert "measured" in row
    assert "default" not in row
    assert any("electron_effective_mass" in row and "default" in row for row in rows)
