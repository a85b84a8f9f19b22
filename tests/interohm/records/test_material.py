from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interohm.errors import InputError
from interohm.records import (
    DielectricQuantity,
    Insulator,
    Metal,
    Quantity,
    load_material,
    material_document,
    material_from,
    save_material,
)
from interohm.yaml_io import parse_yaml

LLZO = """
name: LLZO
kind: insulator
mobile_ion: Li
surface: "(001) Li-terminated"
ionization_potential_eV: 5.3
band_gap_eV: {value: 6.4, uncertainty: 0.3, source: somewhere, method: measured}
dielectric_constant: 50
saturation: 0.1
stability_window_V: [0.05, 2.91]
defects:
  - {name: Li_i, charge: 1, ion_change: 1, formation_energy_eV: -3.98, site_density_cm3: 3.27e22,
     sublattice: Li_i, degeneracy: 1, migration_energy_eV: 0.3, attempt_frequency_Hz: 1.0e13,
     hop_distance_nm: 0.25}
  - {name: V_Li, charge: -1, ion_change: -1, formation_energy_eV: 4.00, site_density_cm3: 3.27e22,
     sublattice: V_Li}
provenance: {anything: [1, 2]}
"""


def insulator() -> dict[str, Any]:
    return parse_yaml(LLZO, where="LLZO.yaml")


def metal() -> dict[str, Any]:
    return {
        "name": "LiCoO2",
        "kind": "metal",
        "mobile_ion": "Li",
        "states": [
            {"ion_content": 0.5, "voltage_V": 4.2, "work_function_eV": 5.3},
            {"ion_content": 1.0, "voltage_V": 3.7, "work_function_eV": 5.1},
        ],
    }


def test_the_documented_record_is_read_as_written() -> None:
    record = material_from(insulator(), where="LLZO.yaml")
    assert isinstance(record, Insulator)
    assert record.ion_charge == 1
    assert record.ionization_potential_eV.uncertainty is None
    assert record.band_gap_eV.uncertainty == 0.3
    assert record.defects[0].site_density_cm3.value == 3.27e22
    assert record.defects[1].migration_energy_eV is None
    assert record.stability_window_V is not None
    assert [bound.value for bound in record.stability_window_V] == [0.05, 2.91]


def test_a_record_comes_back_from_its_file_and_its_document(tmp_path: Path) -> None:
    for data in (insulator(), metal()):
        record = material_from(data, where="x")
        path = tmp_path / f"{record.name}.yaml"
        save_material(record, path)
        assert load_material(path) == record
        assert material_from(material_document(record), where="db") == record


def changed(path: str, value: Any) -> dict[str, Any]:
    data: Any = copy.deepcopy(metal() if path.startswith("states") else insulator())
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = data
    for parent in parents:
        place = place[parent]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("band_gap", 6.4, "band_gap: unknown field"),
        ("defects.0.site_density", 1e22, "defects[0].site_density: unknown field"),
        ("band_gap", 6.4, "band_gap: did you mean band_gap_eV?"),
        ("defects.0.hop_distance_um", 2, "hop_distance_um: did you mean hop_distance_nm?"),
        ("nonsense", 6.4, "correct its name (`interohm schema` lists"),
        ("dielectric_constant", ..., "dielectric_constant: missing field"),
        ("defects", ..., "defects: missing field"),
        ("kind", ..., "kind"),
        ("kind", "semiconductor", "kind"),
        ("defects", [], "defects"),
        ("defects.0.charge", 0.5, "defects[0].charge"),
        ("defects.0.charge", True, "defects[0].charge"),
        ("defects.0.site_density_cm3", 1e28, "per cm3"),
        ("defects.0.site_density_cm3", 3.3e22, "share the sublattice"),
        ("defects.0.name", "V_Li", "appears twice"),
        ("defects.0.hop_distance_nm", ..., "belong together"),
        ("defects.0.ion_change", 0, "only a defect that adds or removes mobile ions"),
        ("defects.0.hop_distance_nm", 2.5e-8, "give it in nm"),
        ("defects.0.attempt_frequency_Hz", 10, "give it in Hz"),
        ("band_gap_eV", float("nan"), "band_gap_eV"),
        ("band_gap_eV", float("inf"), "band_gap_eV"),
        ("band_gap_eV", "6.4", "without quotes"),
        ("band_gap_eV", "6.4 eV", "without a unit"),
        ("band_gap_eV", True, "without quotes"),
        ("band_gap_eV", {"value": 6, "uncertainty": -1}, "band_gap_eV.uncertainty"),
        ("band_gap_eV", {"value": 6, "error": 1}, "band_gap_eV.error: unknown field"),
        ("dielectric_constant", 0.5, "at least 1"),
        ("saturation", 1.5, "a fraction"),
        ("stability_window_V", [2.9, 0.05], "write [reduction, oxidation]"),
        ("mobile_ion", "Xx", "ion_charge"),
        ("name", "two words", "name"),
        ("name", "../etc/passwd", "name"),
        ("states.0.voltage_V", 3.0, "the voltage rises"),
        ("states.1.ion_content", 0.5, "in the order of their ion content"),
        ("states.1.work_function_eV", -5, "work_function_eV"),
        ("states.0.voltage_V", 4200, "in V"),
    ],
)
def test_a_wrong_field_is_named_with_a_fix(path: str, value: Any, said: str) -> None:
    data = changed(path, value)
    if said == "share the sublattice":
        data["defects"][0]["sublattice"] = "V_Li"
    with pytest.raises(InputError) as caught:
        material_from(data, where="bad.yaml")
    assert "bad.yaml" in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.fix


def test_defects_that_share_a_sublattice_agree_in_density() -> None:
    data = insulator()
    for defect in data["defects"]:
        defect["sublattice"] = "Li"
    assert isinstance(material_from(data, where="x"), Insulator)
    data["defects"][0]["site_density_cm3"] = 1e22
    with pytest.raises(InputError, match="share the sublattice"):
        material_from(data, where="x")


def test_other_ions_bring_their_charge() -> None:
    data = metal() | {"mobile_ion": "Mg"}
    assert material_from(data, where="x").ion_charge == 2
    record = material_from(metal() | {"mobile_ion": "Sc", "ion_charge": 3}, where="x")
    assert isinstance(record, Metal)
    assert record.ion_charge == 3


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*insulator(), "states"]), inner, max_size=6)
        ),
        max_leaves=15,
    )
)
def test_any_data_is_a_record_or_a_clear_error(data: Any) -> None:
    try:
        material_from(data, where="garbage.yaml")
    except InputError as error:
        assert str(error).startswith("garbage.yaml")  # noqa: PT017


def test_the_schema_takes_plain_numbers_for_quantities() -> None:
    from interohm.records import MATERIAL

    quantity = MATERIAL.json_schema()["$defs"]["Quantity"]
    kinds = [choice["type"] for choice in quantity["anyOf"]]
    assert kinds == ["number", "object"]
    assert set(quantity["anyOf"][1]["properties"]) == {"value", "uncertainty", "source", "method"}


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (9.0, 9.0),
        ([4, 5, 9], 6.0),
        ([[4, 0.5, 0], [0.5, 5, 0], [0, 0, 9]], 6.0),
        ({"tensor": [4, 5, 9], "source": "measured"}, 6.0),
        # Along the normal, for instance.
        ({"value": 9.0, "tensor": [4, 5, 9]}, 9.0),
    ],
)
def test_a_dielectric_constant_may_be_a_tensor(data: Any, value: float) -> None:
    found = DielectricQuantity.model_validate(data)
    assert found.value == value
    again = DielectricQuantity.model_validate(json.loads(json.dumps(found.model_dump(mode="json"))))
    assert again == found
    assert (found.tensor is None) == (data == 9.0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([4, 5], "three rows of three numbers"),
        ([[4, 0], [0, 5], [1, 1]], "three rows of three numbers"),
        ([0.5, 5, 9], "below 1"),
        ([[4, 1, 0], [0, 5, 0], [0, 0, 9]], "not symmetric"),
        ({"value": 40, "tensor": [4, 5, 9]}, "outside of the tensor's principal values"),
    ],
)
def test_a_tensor_that_is_none_is_refused(data: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        DielectricQuantity.model_validate(data)


@pytest.mark.parametrize(
    ("fields", "assumed"),
    [
        ({}, True),
        ({"method": "assumed"}, True),
        ({"source": "assumed (as LiF)", "method": "PBE"}, True),
        ({"source": "a paper"}, False),
        ({"method": "measured"}, False),
    ],
)
def test_a_number_that_nobody_vouches_for_is_assumed(fields, assumed):
    assert Quantity(value=1.0, **fields).assumed is assumed
