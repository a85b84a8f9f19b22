"""Contacts of a screening that are outside of the model."""

from __future__ import annotations

import itertools

import numpy as np

from interohm.prediction.contact import contact_result
from interohm.records import Insulator, Metal
from interohm.records.shipped import shipped_material, shipped_names
from interohm.screening.candidates import CoatableElectrode
from interohm.screening.outside_of_model import outside_contacts, outside_of_side
from interohm.screening.phase_arrays import electrodes_of

_NEGATIVE, _POSITIVE = ("Li", "LiC6", "LiIn"), ("LiCoO2", "LiFePO4", "NMC811")


def _lithium_phases() -> list[Insulator]:
    found = [shipped_material(name) for name in shipped_names()]
    return [one for one in found if isinstance(one, Insulator) and one.mobile_ion == "Li"]


def test_all_at_once_is_one_by_one():
    """Windows for all pairs, energies, coatings; of every shipped phase of lithium."""
    electrolytes = _lithium_phases()
    assert any(one.phase_energies is not None for one in electrolytes)
    # what happens to these is unknown, unless energies say it
    electrolytes += [one.model_copy(update={"stability_window_V": None}) for one in electrolytes]
    for names, positive in ((_NEGATIVE, False), (_POSITIVE, True)):
        metals = [shipped_material(name) for name in names]
        coating = shipped_material("LiNbO3")
        sides = [
            *(CoatableElectrode(metal, None, 0.0) for metal in metals),
            CoatableElectrode(metals[0], coating, 5.0),
        ]
        for charge in (0.0, 0.5, 1.0):
            volts = electrodes_of([side.metal for side in sides], charge, positive=positive)
            found = outside_contacts(sides, electrolytes, volts.voltage_V)
            alone = [
                [
                    outside_of_side(side, electrolyte, float(voltage))
                    for side, voltage in zip(sides, volts.voltage_V, strict=True)
                ]
                for electrolyte in electrolytes
            ]
            expected = np.array(alone, dtype=float)
            np.testing.assert_array_equal(found, expected)
            assert {0.0, 1.0} <= set(found.ravel().tolist())
            assert np.isnan(found).any()


def test_a_screening_says_the_same_of_a_contact_as_its_prediction():
    for electrode, name in itertools.product(("Li", "LiCoO2"), ("LLZO", "Li6PS5Cl", "LiF_001")):
        metal, electrolyte = shipped_material(electrode), shipped_material(name)
        assert isinstance(metal, Metal)
        assert isinstance(electrolyte, Insulator)
        positive = electrode == "LiCoO2"
        side = CoatableElectrode(metal, None, 0.0)
        volts = electrodes_of([metal], 1.0, positive=positive).voltage_V
        pair = (electrolyte, metal) if positive else (metal, electrolyte)
        predicted = contact_result(*pair, samples=0, state_of_charge=1.0)
        found = outside_contacts([side], [electrolyte], volts)[0, 0]
        assert found == predicted.outside_of_model
