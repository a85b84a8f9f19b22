"""What an experiment would measure: beside the intrinsic resistance, never in it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interohm.device_models import BOLTZMANN_EV_K, bulk_activation_energy_eV
from interohm.device_models.extrinsic import (
    arrhenius_factor,
    constriction_ohm_cm2,
    contact_fraction,
    effective_modulus_GPa,
)
from interohm.errors import InputError
from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.prediction.solved_cell import solve_state
from interohm.records import Insulator, Quantity, material_from
from interohm.records.cell_config import Cell, Contact, load_cell
from interohm.records.shipped import shipped_material
from interohm.report import write_contact_report, write_report
from interohm.yaml_io import validated

from .stated_energies import stated_energies

EXAMPLE = Path(__file__).parents[3] / "configs" / "examples" / "cell.yaml"
LAYERS = ["Li", "LLZO", "LiCoO2"]
INTERPHASE = {
    "conductivity": {"value_S_cm": 1e-7, "temperature_K": 320, "activation_energy_eV": 0.5},
    "initial_nm": 3,
}


def materials() -> list[Any]:
    found = [shipped_material(name) for name in LAYERS]
    assert None not in found
    return found


def cell_of(
    contacts: list[dict[str, Any]] | None = None, llzo: dict[str, Any] | None = None
) -> Cell:
    layers = [{"material": name, "thickness_nm": 20000} for name in LAYERS]
    if llzo is not None:
        layers[1]["extrinsic"] = llzo
    known = [{"barrier_eV": 0.6} | one for one in contacts or [{}, {}]]
    data = {"name": "t", "states_of_charge": [0.5], "layers": layers, "contacts": known}
    return validated(Cell, data, where="test")


def state_of(cell: Cell, samples: int = 0) -> dict[str, Any]:
    [state] = cell_document(cell, materials(), samples=samples)["states"]
    return state


def contact_of(extrinsic: dict[str, Any], **conditions: Any) -> dict[str, Any]:
    llzo_side = materials()[:2]
    given = Contact.model_validate({"barrier_eV": 0.6, "extrinsic": extrinsic})
    return contact_document(*llzo_side, contact=given, samples=0, **conditions)


def llzo_S_cm() -> float:
    solved = solve_state(cell_of(), materials(), 0)
    bulks = solved.layers[1].bulks
    assert bulks is not None
    return float(bulks[0].conductivity_S_cm)


def test_nothing_is_given_by_default() -> None:
    state = state_of(cell_of())
    assert [contact["extrinsic"] for contact in state["contacts"]] == [None, None]
    assert [layer["extrinsic"] for layer in state["layers"]] == [None, None, None]
    assert state["apparent_resistance_ohm_cm2"] is None


def test_the_intrinsic_resistance_stays_as_it_is() -> None:
    """Every number of the document but those of the extrinsic part, intervals included."""
    grains = {"grain_size_nm": 2000, "boundary": {"activation_energy_eV": 0.5}}
    partly = {
        "extrinsic": {
            "contact_fraction": {"value": 0.2, "uncertainty": 0.1},
            "spot_radius_um": 5,
            "interphase": INTERPHASE,
        }
    }
    without = state_of(cell_of(), samples=20)
    whole = copy.deepcopy(state_of(cell_of([partly, {}], grains), samples=20))
    assert whole["apparent_resistance_ohm_cm2"] > whole["area_specific_resistance_ohm_cm2"]
    assert whole["quantiles"]["log10_apparent_resistance"]["p05"] > 0
    for state in (without, whole):
        state["apparent_resistance_ohm_cm2"] = None
        state["quantiles"]["log10_apparent_resistance"] = None
        for part in (*state["contacts"], *state["layers"]):
            part["extrinsic"] = None
    assert whole == without


def test_full_contact_is_the_intrinsic_resistance() -> None:
    found = contact_of({"contact_fraction": 1, "spot_radius_um": 10})
    seen = found["extrinsic"]
    assert seen["constriction_ohm_cm2"] == 0
    intrinsic = found["resistance"]["interface_resistance_ohm_cm2"]
    assert seen["apparent_resistance_ohm_cm2"] == pytest.approx(intrinsic, rel=1e-12)


def test_spots_and_their_constriction() -> None:
    """Into the electrolyte alone: a metal spreads the current by its electrons."""
    found = contact_of({"contact_fraction": 0.1, "spot_radius_um": 10})
    seen = found["extrinsic"]
    constriction = constriction_ohm_cm2(0.1, 10.0, llzo_S_cm())
    assert seen["constriction_ohm_cm2"] == pytest.approx(constriction)
    through = found["resistance"]["interface_resistance_ohm_cm2"] / 0.1
    assert seen["apparent_resistance_ohm_cm2"] == pytest.approx(through + constriction)


def test_two_electrolytes_both_constrict() -> None:
    left, right = (shipped_material(name) for name in ("LLZO", "LiPON"))
    assert left is not None
    assert right is not None
    given = {"contact_fraction": 0.3, "spot_radius_um": 2}
    parts = [
        contact_document(*pair, samples=0, contact=Contact.model_validate({"extrinsic": given}))[
            "extrinsic"
        ]["constriction_ohm_cm2"]
        for pair in ((left, right), (right, left), (left, left), (right, right))
    ]
    assert parts[0] == pytest.approx(parts[1])
    assert parts[0] == pytest.approx((parts[2] + parts[3]) / 2)


def test_a_pressure_makes_the_real_contact() -> None:
    rough = {
        "pressure_MPa": 20,
        "rms_slope": 0.1,
        "left_modulus_GPa": 9.8,
        "right_modulus_GPa": 149.8,
    }
    modulus = effective_modulus_GPa(9.8, 0.25, 149.8, 0.25)
    seen = contact_of({"rough_contact": rough})["extrinsic"]
    assert seen["contact_fraction"] == pytest.approx(float(contact_fraction(20, modulus, 0.1)))
    soft = contact_of({"rough_contact": rough | {"hardness_GPa": 0.01}})["extrinsic"]
    assert soft["contact_fraction"] == 1


def test_an_interphase_grows_parabolically_and_by_its_own_temperature() -> None:
    growth = {"parabolic_nm2_h": 2, "activation_energy_eV": 0.7, "temperature_K": 330}
    interphase = {"conductivity": INTERPHASE["conductivity"], "growth": growth}
    seen = [
        contact_of({"interphase": interphase, "hours": hours}, temperature_K=330)["extrinsic"]
        for hours in (0, 50, 200)
    ]
    thickness = [one["interphase_thickness_nm"] for one in seen]
    assert thickness == pytest.approx([0, np.sqrt(4 * 50), np.sqrt(4 * 200)])
    sigma = 1e-7 * 320 / 330 * float(arrhenius_factor(0.5, 330, 320))
    assert seen[1]["interphase_ohm_cm2"] == pytest.approx(thickness[1] * 1e-7 / sigma)
    colder = contact_of({"interphase": interphase, "hours": 50})["extrinsic"]
    slower = float(arrhenius_factor(0.7, 300, 330))
    assert colder["interphase_thickness_nm"] == pytest.approx(np.sqrt(4 * 50 * slower))


def test_a_reaction_alone_grows_linearly() -> None:
    interphase = INTERPHASE | {"growth": {"linear_nm_h": 0.25}}
    seen = contact_of({"interphase": interphase, "hours": 100})["extrinsic"]
    assert seen["interphase_thickness_nm"] == pytest.approx(3 + 25)


def test_bricks_of_boundaries_like_the_bulk_add_their_length() -> None:
    solved = solve_state(cell_of(), materials(), 0)
    assert solved.layers[1].bulks is not None
    bulk = solved.layers[1].bulks[2]
    energy = float(bulk_activation_energy_eV(bulk))
    grains = {
        "grain_size_nm": 500,
        "boundary": {"width_nm": 2, "activation_energy_eV": energy},
    }
    layer = state_of(cell_of(llzo=grains))["layers"][1]
    alike = layer["resistance_ohm_cm2"] * 2 / 500
    assert layer["extrinsic"]["boundary_resistance_ohm_cm2"] == pytest.approx(alike, rel=1e-6)
    grains["boundary"]["activation_energy_eV"] = energy + 0.1
    slower = state_of(cell_of(llzo=grains))
    [_, layer, _] = slower["layers"]
    worse = alike * np.exp(0.1 / (BOLTZMANN_EV_K * 300))
    assert layer["extrinsic"]["boundary_resistance_ohm_cm2"] == pytest.approx(worse, rel=1e-6)
    assert slower["apparent_resistance_ohm_cm2"] == pytest.approx(
        slower["area_specific_resistance_ohm_cm2"] + worse
    )


def test_the_activation_energy_of_a_bulk_is_that_of_its_hop() -> None:
    """Of LLZO, whose defects are so many that none has to be made: E_m of its record."""
    solved = solve_state(cell_of(), materials(), 0)
    assert solved.layers[1].bulks is not None
    bulk = solved.layers[1].bulks[2]
    barriers = bulk.phase.migration_energy_eV[np.isfinite(bulk.phase.migration_energy_eV)]
    found = float(bulk_activation_energy_eV(bulk))
    assert barriers.min() - 0.01 < found < barriers.max() + 0.05


def core_ohm_cm2(width_nm: float, llzo: Any = None, **energies: float) -> float:
    grains = {"grain_size_nm": 2000, "core": {"width_nm": width_nm, "energy_eV": energies}}
    phases = materials()
    phases[1] = llzo or phases[1]
    [state] = cell_document(cell_of(llzo=grains), phases, samples=0)["states"]
    found = state["layers"][1]["extrinsic"]
    return float(found["boundary_resistance_ohm_cm2"])


def test_a_core_that_costs_nothing_adds_nothing() -> None:
    bulk = state_of(cell_of())["layers"][1]["resistance_ohm_cm2"]
    assert core_ohm_cm2(1.0, Li_i=0.0) == pytest.approx(0, abs=1e-6 * bulk)


def test_a_wide_core_is_a_phase_of_its_own() -> None:
    """Far beyond its Debye lengths, each further nanometre has the core's own conductivity."""
    # with hops of its own: those of a record with a conductivity follow from its defects
    record = material_from(stated_energies(materials()[1]), where="test")
    assert isinstance(record, Insulator)
    names = [defect.name for defect in record.defects]
    shift = 0.1
    wide, wider = (
        core_ohm_cm2(width, record, **dict.fromkeys(names, shift)) for width in (20.0, 40.0)
    )
    shifted = record.model_copy(
        update={
            "defects": [
                defect.model_copy(
                    update={
                        "formation_energy_eV": Quantity(
                            value=defect.formation_energy_eV.value + shift
                        )
                    }
                )
                for defect in record.defects
            ],
        }
    )
    solved = [
        solve_state(cell_of(), [materials()[0], one, materials()[2]], 0).layers[1].bulks
        for one in (record, shifted)
    ]
    assert solved[0] is not None
    assert solved[1] is not None
    sigma, core = (float(bulks[2].conductivity_S_cm) for bulks in (solved[0], solved[1]))
    boundaries = 20000 / 2000
    expected = boundaries * 20 * 1e-7 * (1 / core - 1 / sigma)
    assert wider - wide == pytest.approx(expected, rel=1e-3)


def test_uncertainties_of_what_is_given_are_drawn() -> None:
    fraction = {"value": 0.2, "uncertainty": 0.1, "source": "assumed", "method": "assumed"}
    cell = cell_of([{"extrinsic": {"contact_fraction": fraction}}, {}])
    seen = state_of(cell, samples=400)["contacts"][0]["extrinsic"]
    drawn = seen["quantiles"]["contact_fraction"]
    width = np.sqrt(np.log1p(0.25))
    assert drawn["p50"] == pytest.approx(0.2, rel=0.1)
    assert drawn["p05"] == pytest.approx(0.2 * np.exp(-1.645 * width), rel=0.15)
    assert drawn["p95"] <= 1
    assert set(seen["quantiles"]["log10_apparent_resistance"]) == {"p05", "p50", "p95"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "give contact_fraction, rough_contact or interphase"),
        ({"contact_fraction": 1.2}, "the share of the area that touches"),
        ({"spot_radius_um": 3}, "give contact_fraction or rough_contact"),
        ({"contact_fraction": 0.5, "hours": 3}, "nothing ages"),
        ({"interphase": {"conductivity": INTERPHASE["conductivity"]}}, "give initial_nm, growth"),
        ({"interphase": INTERPHASE | {"growth": {}}}, "give parabolic_nm2_h, linear_nm_h, or both"),
        (
            {"interphase": INTERPHASE | {"growth": {"linear_nm_h": 1, "temperature_K": 300}}},
            "belong together",
        ),
        ({"contact_fraction": 0.5, "contact_area": 3}, "contacts[0].extrinsic"),
    ],
)
def test_bad_contacts_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        cell_of([{"extrinsic": given}, {}])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"grain_size_nm": 500}, "give one of boundary and core"),
        (
            {"grain_size_nm": 1, "boundary": {"activation_energy_eV": 0.4, "width_nm": 2}},
            "does not fit",
        ),
        (
            {"grain_size_nm": 500, "core": {"width_nm": 1, "energy_eV": {"V_X": 0.1}}},
            "layers[1].extrinsic.core.energy_eV: LLZO has no defect 'V_X'",
        ),
    ],
)
def test_bad_grains_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        state_of(cell_of(llzo=given))
    assert said in str(caught.value)


def test_an_electrode_has_no_grains_that_count() -> None:
    cell = cell_of()
    grains = {"grain_size_nm": 500, "boundary": {"activation_energy_eV": 0.4}}
    data = cell.model_dump(mode="json")
    data["layers"][0]["extrinsic"] = grains
    with pytest.raises(InputError, match="Li is an electrode"):
        state_of(validated(Cell, data, where="test"))


def test_the_example_has_all_of_it_in_its_report(tmp_path: Path) -> None:
    cell = load_cell(EXAMPLE).model_copy(update={"states_of_charge": [0.0]})
    cell = cell.model_copy(update={"collectors": None})
    records = [shipped_material(layer.material) for layer in cell.layers]
    assert None not in records
    document = cell_document(cell, records, samples=0)
    [state] = document["states"]
    assert [one["extrinsic"] is None for one in state["contacts"]] == [False, False, True]
    assert state["layers"][2]["extrinsic"] is not None
    write_report(tmp_path / "cell.html", cell, records, document)
    text = (tmp_path / "cell.html").read_text()
    assert "What an experiment would measure" in text
    assert "contacts[0].extrinsic.interphase.growth.parabolic_nm2_h" in text
    assert "layers[2].extrinsic.grain_size_nm" in text


def test_a_contact_alone_has_it_in_its_report(tmp_path: Path) -> None:
    seen = contact_of({"contact_fraction": 0.3, "interphase": INTERPHASE})
    write_contact_report(tmp_path / "contact.html", materials()[:2], seen)
    assert "What an experiment would measure" in (tmp_path / "contact.html").read_text()
    plain = contact_document(*materials()[:2], samples=0)
    write_contact_report(tmp_path / "plain.html", materials()[:2], plain)
    assert "What an experiment would measure" not in (tmp_path / "plain.html").read_text()
