"""What `materials show` says of electrodes: phi_0, screening lengths, and contradictions."""

from __future__ import annotations

import pytest
from scipy.constants import elementary_charge

from interohm.prediction.implied import implied
from interohm.records import Metal, material_document, material_from
from interohm.records.shipped import shipped_material, shipped_names


def test_phi_0_is_phi_li_less_phi_plus_v():
    """Phi_Li − Phi + V, at both ends of the curve (docs/materials.md)."""
    record = shipped_material("LiCoO2")
    zero = shipped_material("Li").states[0].work_function_eV.value
    lines = dict(implied(record).lines)
    for state in (record.states[0], record.states[-1]):
        phi = zero - state.work_function_eV.value + state.voltage_V.value
        said = lines[f"at ion content {state.ion_content:g}:"]
        assert f"voltage {state.voltage_V.value:.3f} V" in said
        assert f"phi_0 {phi:.3f} V" in said
        assert "screening length" in said
    density = record.space_charge.site_density_cm3.value
    capacity = density * 0.5 * elementary_charge / 3.6
    assert lines["capacity of the curve"] == f"{capacity:.0f} mAh/cm³"
    assert lines["holes"].startswith(f"{record.space_charge.holes_cm3.value:.2e}")


def test_electrode_without_a_space_charge_says_so():
    lines = dict(implied(shipped_material("LiC6")).lines)
    assert "no space_charge" in lines["carriers"]
    assert "zero of potential" in dict(implied(shipped_material("Li")).lines)["voltage"]


def test_shipped_electrodes_do_not_contradict_themselves():
    for name in shipped_names():
        record = shipped_material(name)
        if isinstance(record, Metal):
            assert implied(record).warnings == [], name


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"voltage_V": -0.2}, "below the mobile metal's"),
        ({"two_phase_range": [0.1, 0.99]}, "two phases in equilibrium have one voltage"),
        ({"site_density_cm3": 1e21}, "sites of Li per cm³, and its structure has"),
    ],
)
def test_contradictions_are_told(change, words):
    document = material_document(shipped_material("LiMn2O4"))
    if "voltage_V" in change:
        document["states"][-1]["voltage_V"]["value"] = change["voltage_V"]
    elif "site_density_cm3" in change:
        # a crystal with one lithium in 41 Å3
        document["space_charge"]["site_density_cm3"]["value"] = change["site_density_cm3"]
        document["structure"] = _crystal()
    else:
        document |= change
    warnings = implied(material_from(document, where="test")).warnings
    assert any(words in text for text in warnings), warnings


def _crystal():
    from pymatgen.core import Lattice, Structure

    return Structure(Lattice.cubic(3.45), ["Li", "Mn"], [[0, 0, 0], [0.5, 0.5, 0.5]]).as_dict()
