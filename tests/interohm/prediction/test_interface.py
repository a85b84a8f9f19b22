"""The interface resistance of contacts and cells: barrier, sum, what is known, what to doubt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from interohm.device_models import BOLTZMANN_EV_K
from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.prediction.contact_barrier import (
    EXCESS_BARRIER_SCALE_EV,
    hop_of,
    interface_numbers,
    known_interface,
    with_known_interface,
)
from interohm.prediction.electrodes import host_factor, host_occupations
from interohm.prediction.sampling import FieldSamples, phase_of
from interohm.prediction.sensitivity import next_to_learn
from interohm.records import Insulator, Metal, Quantity, material_document, material_from
from interohm.records.cell_config import Cell, Contact
from interohm.records.interface import Interface, interface_from, interface_hash
from interohm.records.shipped import shipped_interfaces, shipped_material

from .stated_energies import stated_energies


def shipped(name: str, **fields: Any) -> Any:
    record = shipped_material(name)
    assert record is not None
    if not fields:
        return record
    if fields.get("space_charge", ...) is None:  # diffusion into it has no meaning then
        diffusion = ("chemical_diffusivity_cm2_s", "diffusivity_activation_energy_eV")
        fields = {**dict.fromkeys(diffusion), **fields}
    return material_from({**material_document(record), **fields}, where="test")


def barrier(value: float, **fields: Any) -> Contact:
    return Contact(barrier_eV=Quantity(value=value, **fields))


def cell_of(layers: list[tuple[str, float]], **fields: Any) -> Cell:
    return Cell.model_validate(
        {
            "name": "test",
            "states_of_charge": [0.5],
            "layers": [{"material": name, "thickness_nm": nm} for name, nm in layers],
            **fields,
        }
    )


BENDS = {
    "sites_per_formula": 1,
    "space_charge": {
        "dielectric_constant": 13,
        "site_density_cm3": 3.1e22,
        "holes_cm3": 1e20,
        "conductivity_S_cm": 1e-7,
    },
}


@pytest.mark.parametrize(
    ("layers", "records"),
    [
        ([("Li", 200), ("LLZO", 2000), ("LiCoO2", 300)], {}),
        ([("Li", 200), ("LLZO", 2000), ("LiCoO2", 300)], {"LiCoO2": BENDS}),
        ([("Li", 200), ("LLZO", 2000), ("LiPON", 3), ("LiCoO2", 300)], {}),
        ([("Li", 200), ("LiPON", 2), ("LLZO", 2000), ("LiPON", 900), ("LiCoO2", 300)], {}),
        ([("Li", 200), ("LLZO", 2000), ("LiFePO4", 300)], {}),
        ([("Li", 200), ("LLZO", 2000), ("LiPON", 3), ("LiFePO4", 300)], {}),
    ],
)
def test_a_cell_is_the_sum_of_interfaces_accumulation_and_bulk(
    layers: list[tuple[str, float]], records: dict[str, Any]
) -> None:
    materials = [shipped(name, **records.get(name, {})) for name, _ in layers]
    (state,) = cell_document(cell_of(layers), materials, samples=0)["states"]
    interfaces = [one["resistance"]["interface_resistance_ohm_cm2"] for one in state["contacts"]]
    accumulation = [one["resistance"]["accumulation_ohm_cm2"] for one in state["contacts"]]
    bulk = [layer["resistance_ohm_cm2"] or 0.0 for layer in state["layers"]]
    assert min(interfaces) > 0
    assert max(accumulation) <= 0
    total = sum(interfaces) + sum(accumulation) + sum(bulk)
    assert total == pytest.approx(state["area_specific_resistance_ohm_cm2"], rel=1e-9)
    assert state["interface_resistance_ohm_cm2"] == pytest.approx(sum(interfaces), rel=1e-12)
    assert state["accumulation_ohm_cm2"] == pytest.approx(sum(accumulation), rel=1e-9)


def test_a_given_barrier_is_used_as_it_is() -> None:
    """Also below the bulk's; R falls by exp(−ΔE/kT)."""
    pair = shipped("Li"), shipped("LLZO")
    found = [
        contact_document(*pair, contact=barrier(value), samples=0)["resistance"]
        for value in (0.5, 0.4, 0.1)
    ]
    assert [one["contact_barrier_eV"] for one in found] == [0.5, 0.4, 0.1]
    transfers = [one["charge_transfer_ohm_cm2"] for one in found]
    kT = BOLTZMANN_EV_K * 300.0
    assert transfers[1] / transfers[0] == pytest.approx(np.exp(-0.1 / kT), rel=1e-9)
    assert transfers[2] / transfers[1] == pytest.approx(np.exp(-0.3 / kT), rel=1e-9)


def test_without_any_the_barrier_is_the_bulks_and_a_half_normal_excess() -> None:
    document = contact_document(shipped("Li"), shipped("LLZO"), samples=0)
    assert document["contact_barrier_assumed"]
    # the median of a half-normal above the barrier that the bulk's conductivity asks for
    (bulk_eV,) = set(phase_of(shipped("LLZO")).migration_energy_eV.tolist())
    expected = bulk_eV + EXCESS_BARRIER_SCALE_EV * float(ndtri(0.75))
    assert document["resistance"]["contact_barrier_eV"] == pytest.approx(expected)
    field_samples = FieldSamples(100_000)
    hop = hop_of(Contact(), shipped("Li"), shipped("LLZO"), field_samples)
    quantiles = np.quantile(hop.excess_barrier_eV, [0.05, 0.5, 0.95])
    half_normal = EXCESS_BARRIER_SCALE_EV * ndtri(0.5 + 0.5 * np.array([0.05, 0.5, 0.95]))
    assert quantiles == pytest.approx(half_normal, abs=0.004)
    assert np.min(hop.excess_barrier_eV) >= 0.0
    # one draw for a pair, whichever is on the left; another for another pair
    mirrored = hop_of(Contact(), shipped("LLZO"), shipped("Li"), field_samples)
    assert np.array_equal(mirrored.excess_barrier_eV, hop.excess_barrier_eV)
    other = hop_of(Contact(), shipped("Li"), shipped("LiPON"), field_samples)
    assert abs(np.corrcoef(other.excess_barrier_eV, hop.excess_barrier_eV)[0, 1]) < 0.02


def test_the_prior_is_what_to_learn_next() -> None:
    """Where it is known what carries the current, and what a carrier costs; that comes first."""
    garnet = shipped("LLZO")
    document = contact_document(shipped("Li"), garnet, samples=1000)
    assert document["next"]["text"].startswith("choice of carriers of LLZO, ")
    cost = Quantity(value=garnet.neutral_formation_energy_eV.value)
    settled = garnet.model_copy(
        update={"carriers": garnet.carriers[:1], "neutral_formation_energy_eV": cost}
    )
    document = contact_document(shipped("Li"), settled, samples=1000)
    assert document["next"]["field"] == "contact_barrier_eV"
    assert document["next"]["text"].startswith("contact barrier of Li | LLZO, ")
    known = contact_document(shipped("Li"), settled, contact=barrier(0.5), samples=1000)
    ranked = known["sensitivity"]["log10_interface_resistance"]
    assert "contact_barrier_eV" not in {one["field"] for one in ranked}
    # in the words of a design, and which number it is
    first = {"material": "LLZO", "field": "neutral_formation_energy_eV", "variance_share": 0.5}
    told = next_to_learn({"log10_interface_resistance": [first]})
    assert told is not None
    assert told["text"] == "defects of LLZO (neutral_formation_energy_eV), 50 % of the variance"
    assert not known["contact_barrier_assumed"]


def test_intervals_are_of_all_samples() -> None:
    found = contact_document(shipped("LiCoO2"), shipped("LiPON"), samples=300)["quantiles"]
    assert found["log10_interface_resistance"]["samples"] == 300
    assert found["lost_samples"] == 0
    above = found["share_above_ohm_cm2"]
    assert list(above) == ["1", "10", "100", "10000"]
    assert sorted(above.values(), reverse=True) == list(above.values())


def test_what_never_conducts_counts_as_capped() -> None:
    document = material_document(shipped("LLZO"))
    del document["conductivity"], document["carriers"]
    for defect in document["defects"]:
        for field in ("attempt_frequency_Hz", "hop_distance_nm"):
            del defect[field]
    dead = material_from(document, where="test")
    found = contact_document(shipped("Li"), dead, samples=50)
    assert found["resistance"]["interface_resistance_ohm_cm2"] == 1e300
    assert found["quantiles"]["log10_interface_resistance"]["p05"] == pytest.approx(300.0)


def interface(**fields: Any) -> Interface:
    common = {"name": "one", "left": "Li", "right": "LLZO", "mobile_ion": "Li"}
    return interface_from({**common, **fields}, where="test")


def test_a_known_interface_is_of_its_surfaces_and_of_either_order() -> None:
    lithium, llzo = shipped("Li"), shipped("LLZO")
    assert isinstance(llzo, Insulator)
    any_surface = interface(barrier_eV=0.5, dipole_V=0.3)
    assert known_interface(lithium, llzo, [any_surface]) == any_surface
    mirrored = known_interface(llzo, lithium, [any_surface])
    assert mirrored is not None
    assert mirrored.dipole_V is not None
    assert mirrored.dipole_V.value == -0.3
    assert known_interface(lithium, shipped("LiPON"), [any_surface]) is None
    own = interface(barrier_eV=0.5, right_surface=llzo.surface)
    assert known_interface(lithium, llzo, [own]) == own
    other = interface(barrier_eV=0.5, right_surface="(110)")
    assert known_interface(lithium, llzo, [other]) is None
    # the first that fits: the database's before the shipped ones
    second = interface(name="two", barrier_eV=0.7)
    found = known_interface(lithium, llzo, [other, second, any_surface])
    assert found is not None
    assert (found.name, found.barrier_eV) == ("two", second.barrier_eV)
    # what it lacks is the next one's: a dipole alone hides no barrier, and each is told
    used = interface_numbers(Contact(), llzo, lithium, [other, second, any_surface])
    assert [(one["field"], one["value"], one["interface"]) for one in used] == [
        ("barrier_eV", 0.7, "two"),
        ("dipole_V", -0.3, "one"),
    ]
    assert [one["hash"] for one in used] == [interface_hash(second), interface_hash(any_surface)]
    used = interface_numbers(barrier(0.6), lithium, llzo, [any_surface])
    assert [one["field"] for one in used] == ["dipole_V"]
    assert found.dipole_V == any_surface.dipole_V
    only = interface(name="three", dipole_V=0.1)
    found = known_interface(llzo, lithium, [only, any_surface])
    assert found is not None
    assert found.dipole_V is not None
    assert found.barrier_eV is not None
    assert (found.dipole_V.value, found.barrier_eV.value) == (-0.1, 0.5)


def test_what_is_given_with_a_contact_wins() -> None:
    lithium, llzo = shipped("Li"), shipped("LLZO")
    known = [interface(barrier_eV=0.5, dipole_V=0.3, areal_site_density_cm2=1e15)]
    filled = with_known_interface(Contact(), lithium, llzo, known)
    assert filled.barrier_eV == Quantity(value=0.5)
    assert filled.dipole_V == Quantity(value=0.3)
    assert filled.areal_site_density_cm2 == Quantity(value=1e15)
    # a dipole from there replaces pinning and facets
    pinned = Contact(pinning_factor=0.5, left_facet_eV=0.1)
    filled = with_known_interface(pinned, lithium, llzo, known)
    assert (filled.pinning_factor, filled.left_facet_eV) == (1.0, 0.0)
    own = Contact(dipole_V=Quantity(value=0.0), pinning_factor=0.5, left_facet_eV=0.1)
    filled = with_known_interface(own, lithium, llzo, known)
    assert filled.dipole_V == Quantity(value=0.0)
    assert (filled.pinning_factor, filled.left_facet_eV) == (0.5, 0.1)
    assert with_known_interface(barrier(0.6), lithium, llzo, known).barrier_eV == Quantity(
        value=0.6
    )


def test_a_known_interface_enters_contacts_and_cells_alike() -> None:
    known = [interface(barrier_eV=0.55, dipole_V={"value": 0.2, "uncertainty": 0.1})]
    lithium, llzo, oxide = (shipped(name) for name in ("Li", "LLZO", "LiCoO2"))
    alone = contact_document(lithium, llzo, interfaces=known, samples=200)
    assert alone["resistance"]["contact_barrier_eV"] == 0.55
    assert alone["dipole_V"] == 0.2
    assert not alone["contact_barrier_assumed"]
    mirrored = contact_document(llzo, lithium, interfaces=known, samples=0)
    assert mirrored["dipole_V"] == -0.2
    assert mirrored["resistance"]["interface_resistance_ohm_cm2"] == pytest.approx(
        alone["resistance"]["interface_resistance_ohm_cm2"], rel=1e-9
    )
    described = cell_of([("Li", 200), ("LLZO", 2000), ("LiCoO2", 300)])
    (state,) = cell_document(described, [lithium, llzo, oxide], interfaces=known, samples=0)[
        "states"
    ]
    first, second = state["contacts"]
    assert first["interface_numbers"] == alone["interface_numbers"]
    assert [one["interface"] for one in first["interface_numbers"]] == ["one", "one"]
    assert second["interface_numbers"] == []
    assert first["resistance"]["contact_barrier_eV"] == 0.55
    assert first["dipole_V"] == 0.2
    assert second["contact_barrier_assumed"]
    # its uncertainty is drawn
    ranked = alone["sensitivity"]["potential_drop_V"]
    assert alone["quantiles"]["sheet_charge_e_nm2"]["p05"] < alone["sheet_charge_e_nm2"]
    assert ranked is not None


def test_shipped_interfaces_are_of_shipped_records() -> None:
    """Each is used by the contact of its two records, in both orders."""
    found = shipped_interfaces()
    assert found
    for one in found:
        left, right = shipped(one.left), shipped(one.right)
        for pair, sign in (((left, right), 1.0), ((right, left), -1.0)):
            document = contact_document(*pair, samples=0)
            if one.barrier_eV is not None:
                barrier_eV = document["resistance"]["contact_barrier_eV"]
                assert barrier_eV == pytest.approx(one.barrier_eV.value)
            if one.dipole_V is not None:
                assert document["dipole_V"] == pytest.approx(sign * one.dipole_V.value)


@pytest.mark.parametrize("given_V", [0.88, 0.835])
@pytest.mark.parametrize(
    ("relaxed", "dipole_V", "uncertainty"),
    [
        ((True, True), 0.835, 0.1),
        ((False, False), 0.88, 0.1),
        ((None, True), 0.835, 0.1),  # a literature record or a metal beside it
        ((None, None), None, 0.1),  # as given
        ((True, False), None, 0.11),
    ],
)
def test_a_dipole_is_relative_to_surfaces_as_the_records_have_them(
    given_V: float,
    relaxed: tuple[bool | None, bool | None],
    dipole_V: float | None,
    uncertainty: float,
) -> None:
    left, right = (surface_of(shipped("LiF_001"), one) for one in relaxed)
    line_up = {"dipole_beyond_surfaces_as_cut_V": 0.88, "dipole_beyond_relaxed_surfaces_V": 0.835}
    known = interface(
        left="LiF_001",
        right="LiF_001",
        dipole_V={"value": given_V, "uncertainty": 0.1},
        provenance={"line_up": line_up},
    )
    expected = given_V if dipole_V is None else dipole_V
    found = known_interface(left, right, [known])
    assert found is not None
    assert found.dipole_V is not None
    assert found.dipole_V.value == expected
    assert found.dipole_V.uncertainty == pytest.approx(uncertainty, abs=1e-3)
    (told,) = interface_numbers(Contact(), left, right, [known])
    assert (told["value"], told["hash"]) == (expected, interface_hash(known))
    # a dipole that somebody wrote into the document instead is left alone
    own = known.model_copy(update={"dipole_V": Quantity(value=0.2)})
    found = known_interface(left, right, [own])
    assert found is not None
    assert found.dipole_V == Quantity(value=0.2)


def surface_of(record: Insulator | Metal, relaxed: bool | None) -> Insulator | Metal:
    """A record whose level is that of a relaxed surface, of one as cut, or of neither."""
    cut = {"level_eV": 7.2, "surface_energy_J_m2": 0.3, "calculation": "0" * 64}
    surfaces = {None: {}, False: {"surfaces": [cut]}, True: {"surfaces": [{"as_cut": cut}]}}
    return record.model_copy(update={"provenance": surfaces[relaxed]})


def test_no_ion_crosses_a_blocked_contact() -> None:
    blocked = Contact(ion_transfer="blocked")
    document = contact_document(shipped("Li"), shipped("LLZO"), contact=blocked, samples=20)
    resistance = document["resistance"]
    for field in ("interface_resistance_ohm_cm2", "charge_transfer_ohm_cm2", "total_ohm_cm2"):
        assert resistance[field] is None
    assert "blocked" in resistance["reason"]
    # the static profile is that of free transfer
    free = contact_document(shipped("Li"), shipped("LLZO"), samples=0)
    assert document["potential_drop_V"] == free["potential_drop_V"]
    assert document["sheet_charge_e_nm2"] == free["sheet_charge_e_nm2"]
    described = cell_of(
        [("Li", 200), ("LLZO", 2000), ("LiCoO2", 300)],
        contacts=[{"ion_transfer": "blocked"}, {}],
    )
    materials = [shipped(name) for name in ("Li", "LLZO", "LiCoO2")]
    (state,) = cell_document(described, materials, samples=0)["states"]
    assert state["area_specific_resistance_ohm_cm2"] is None
    assert "blocked" in state["contacts"][0]["resistance"]["reason"]
    assert state["contacts"][1]["resistance"]["interface_resistance_ohm_cm2"] > 0


def test_two_phases_of_a_host_bring_their_own_occupations() -> None:
    """Not their mean: LiFePO4 half-way is as empty and as full as at both ends."""
    host = shipped("LiFePO4", sites_per_formula=1, two_phase_range=[0.03, 0.9])
    assert isinstance(host, Metal)
    assert host_occupations(host, 0.465) == [(0.03, pytest.approx(0.5)), (0.9, pytest.approx(0.5))]
    expected = 0.5 * (np.sqrt(0.03 * 0.97) + np.sqrt(0.9 * 0.1))
    assert host_factor(host, 0.465) == pytest.approx(expected)
    assert host_factor(host, 0.95) == pytest.approx(np.sqrt(0.95 * 0.05))
    single = shipped("LiFePO4", two_phase_range=None)
    assert isinstance(single, Metal)
    assert host_factor(single, 0.5) == pytest.approx(0.5)
    no_sites = {"sites_per_formula": None, "two_phase_range": None, "space_charge": None}
    bare = shipped("LiFePO4", **no_sites)
    assert isinstance(bare, Metal)
    assert host_factor(bare, 0.5) == 1.0


def flat_host(**fields: Any) -> Any:
    """Return LiFePO4 with a plateau from end to end, whose phases may be had alone."""
    states = [
        {"ion_content": content, "voltage_V": 3.4, "work_function_eV": 4.83}
        for content in (0.05, 0.89)
    ]
    return shipped("LiFePO4", states=states, **fields)


@pytest.mark.parametrize("thickness_nm", [None, 4.0])
@pytest.mark.parametrize("electrolyte", ["LLZO", "LATP"])
def test_phases_that_coexist_conduct_side_by_side(
    thickness_nm: float | None, electrolyte: str
) -> None:
    """Each with the occupation, the charge and the resistance that it has alone."""
    asked: dict[str, Any] = {"thickness_nm": thickness_nm, "samples": 0}
    other = shipped(electrolyte)
    alone = [
        contact_document(flat_host(two_phase_range=None), other, state_of_charge=soc, **asked)
        for soc in (0.0, 1.0)
    ]
    both = contact_document(
        flat_host(two_phase_range=[0.05, 0.89]), other, state_of_charge=0.3, **asked
    )
    shares = (0.7, 0.3)
    assert [one["share"] for one in both["coexisting_phases"]] == [
        pytest.approx(0.3),
        pytest.approx(0.7),
    ]
    assert [one["ion_content"] for one in both["coexisting_phases"]] == [0.05, 0.89]
    assert all(one["coexisting_phases"] == [] for one in alone)

    def mean(values: list[float]) -> float:
        return sum(share * value for share, value in zip(shares, values, strict=True))

    resistances = [one["resistance"] for one in alone]
    whole = both["resistance"]
    parallel = 1.0 / mean([1.0 / one["interface_resistance_ohm_cm2"] for one in resistances])
    assert whole["interface_resistance_ohm_cm2"] == pytest.approx(parallel, rel=1e-9)
    parts = ("charge_transfer_ohm_cm2", "depletion_left_ohm_cm2", "depletion_right_ohm_cm2")
    assert sum(whole[part] for part in parts) == pytest.approx(parallel, rel=1e-9)
    if thickness_nm is None:
        rest = mean([one["accumulation_ohm_cm2"] for one in resistances])
        assert whole["accumulation_ohm_cm2"] == pytest.approx(rest, rel=1e-9)
    else:
        # of the layer, what is depleted beside the electrode counts as in the contact
        rest = mean([one["layer_ohm_cm2"] - one["depletion_right_ohm_cm2"] for one in resistances])
        left = whole["layer_ohm_cm2"] - whole["depletion_right_ohm_cm2"]
        assert left == pytest.approx(rest, rel=1e-9)
    for field in ("sheet_charge_e_nm2", "differential_capacitance_uF_cm2"):
        assert both[field] == pytest.approx(mean([one[field] for one in alone]), rel=1e-6)


def test_a_two_phase_electrode_changes_steadily_with_its_charge() -> None:
    """The resistance does not jump where the other phase becomes the larger one."""
    lithium_iron = shipped("LiFePO4")
    charges = np.linspace(0.47, 0.57, 5)
    found = [
        contact_document(lithium_iron, shipped("LLZO"), state_of_charge=float(soc), samples=0)
        for soc in charges
    ]
    logs = np.log10([one["resistance"]["interface_resistance_ohm_cm2"] for one in found])
    assert np.all(np.diff(logs) > 0.0)
    assert np.max(np.diff(logs)) < 0.05


def test_a_blocked_contact_of_two_phases_has_no_resistance() -> None:
    blocked = Contact(ion_transfer="blocked")
    found = contact_document(
        shipped("LiFePO4"), shipped("LLZO"), contact=blocked, state_of_charge=0.4, samples=20
    )
    assert found["resistance"]["interface_resistance_ohm_cm2"] is None
    assert found["resistance"]["reason"] == ("ion transfer is blocked: no ion crosses this contact")
    assert found["quantiles"]["lost_samples"] == 0


def test_the_occupation_of_the_host_slows_the_hop() -> None:
    llzo = shipped("LLZO")
    bare = shipped("LiCoO2", sites_per_formula=None, space_charge=None)
    bare = contact_document(bare, llzo, state_of_charge=1.0, samples=0)
    # without a space charge: one that bends has the occupation at its plane
    host = shipped("LiCoO2", space_charge=None)
    found = contact_document(host, llzo, state_of_charge=1.0, samples=0)
    # half filled when charged
    ratio = (
        found["resistance"]["charge_transfer_ohm_cm2"]
        / bare["resistance"]["charge_transfer_ohm_cm2"]
    )
    assert ratio == pytest.approx(2.0)
    full = contact_document(host, llzo, state_of_charge=0.0, samples=0)
    assert "occupation" in {doubt["code"] for doubt in full["validity"]}


def test_an_electrode_that_bends_takes_its_share() -> None:
    llzo = shipped("LLZO")
    held = contact_document(shipped("LiCoO2", space_charge=None), llzo, samples=0)
    host = shipped("LiCoO2", **BENDS)
    bent = contact_document(host, llzo, state_of_charge=0.5, samples=60)
    assert bent["debye_length_nm"]["left"] > 0
    assert bent["distance_nm"]["left"]["x90"] > 0
    assert bent["resistance"]["space_charge_left_ohm_cm2"] != 0
    codes = {doubt["code"] for doubt in held["validity"]}
    assert "held_electrode" in codes
    assert "held_electrode" not in {doubt["code"] for doubt in bent["validity"]}
    assert bent["quantiles"]["log10_interface_resistance"]["samples"] == 60
    quiet = {**BENDS, "space_charge": {**BENDS["space_charge"]}}  # type: ignore[dict-item]
    del quiet["space_charge"]["conductivity_S_cm"]
    silent = contact_document(shipped("LiCoO2", **quiet), llzo, state_of_charge=0.5, samples=0)
    assert silent["resistance"]["space_charge_left_ohm_cm2"] == 0
    silent_codes = {doubt["code"]: doubt["text"] for doubt in silent["validity"]}
    assert "has a space charge, which adds no resistance" in silent_codes["electrode_conductivity"]
    assert "held_electrode" not in silent_codes


def test_doubts_name_what_is_beyond_the_model() -> None:
    # with all of the drop on the other side, as an electrode without these two has it
    held = shipped("LiCoO2", sites_per_formula=None, space_charge=None)
    codes = {
        doubt["code"]: doubt["text"]
        for doubt in contact_document(held, shipped("LiPON"), samples=0)["validity"]
    }
    assert set(codes) == {
        "field",
        "continuum",
        "coupling",
        "window",
        "saturation",
        "held_electrode",
    }
    assert "V/nm" in codes["field"]
    bends = contact_document(shipped("LiCoO2"), shipped("LiPON"), samples=0)["validity"]
    assert "held_electrode" not in {doubt["code"] for doubt in bends}
    (why,) = [doubt["text"] for doubt in bends if doubt["code"] == "electrode_conductivity"]
    assert "adds no resistance" in why
    quiet = contact_document(shipped("Li"), shipped("LiF"), samples=0)["validity"]
    assert "coupling" not in {doubt["code"] for doubt in quiet}
    thin = contact_document(shipped("Li"), shipped("LLZO"), thickness_nm=3.0, samples=0)
    assert "field" in {doubt["code"] for doubt in thin["validity"]}


def test_a_frequency_that_no_lattice_has_is_told() -> None:
    llzo = shipped("LLZO")
    fast = [
        defect.model_copy(update={"attempt_frequency_Hz": Quantity(value=3e14)})
        for defect in llzo.defects
    ]
    documents = [
        contact_document(shipped("Li"), one, samples=0)
        for one in (llzo, llzo.model_copy(update={"defects": fast, "conductivity": None}))
    ]
    told = [[doubt["code"] for doubt in one["validity"]] for one in documents]
    assert "frequency" not in told[0]
    assert "frequency" in told[1]


def test_a_common_shift_of_the_valence_band_leaves_the_resistance_alone() -> None:
    """phi_0, R and their intervals, of a contact in which no electrons matter."""
    document = stated_energies(shipped("LLZO"))
    document["electrons"] = False
    document["ionization_potential_eV"] = {"value": 6.3}
    moves = {
        "ionization_potential_eV": -1,
        "defects[Li_i].formation_energy_eV": 1,
        "defects[V_Li].formation_energy_eV": -1,
    }
    plain = material_from(document, where="test")
    shared = [{"name": "valence_band", "uncertainty_eV": 0.3, "moves": moves}]
    moved = material_from({**document, "shared_errors": shared}, where="test")
    found = [
        contact_document(shipped("Li"), record, samples=300, contact=barrier(0.4))
        for record in (plain, moved)
    ]
    for field in ("potential_drop_V", "log10_interface_resistance"):
        without, with_shift = (one["quantiles"][field] for one in found)
        for name in ("p05", "p50", "p95"):
            assert with_shift[name] == pytest.approx(without[name], rel=1e-7)
    # alone, the ionization potential would move them
    alone = [{**shared[0], "moves": {"ionization_potential_eV": -1}}]
    other = material_from({**document, "shared_errors": alone}, where="test")
    wide = contact_document(shipped("Li"), other, samples=300, contact=barrier(0.4))
    drop = wide["quantiles"]["potential_drop_V"]
    assert drop["p95"] - drop["p05"] > 0.5


@pytest.mark.parametrize("electrode", ["Li", "LiIn", "LiCoO2", "LiFePO4"])
@pytest.mark.parametrize("electrolyte", ["LLZO", "LiPON", "Li6PS5Cl", "Li2O_110"])
def test_every_thick_contact_has_a_positive_interface_resistance(
    electrode: str, electrolyte: str
) -> None:
    """Whatever accumulates, and in every sample, at every state of charge and temperature."""
    document = contact_document(shipped(electrode), shipped(electrolyte), samples=20)
    states = [document, *document["over_state_of_charge"]]
    for state in states:
        assert state["resistance"]["interface_resistance_ohm_cm2"] > 0
        spread = state["quantiles"]["log10_interface_resistance"]
        assert (
            spread["samples"] == state["quantiles"]["samples"] - state["quantiles"]["lost_samples"]
        )
        assert state["quantiles"]["resistance_ohm_cm2"]["interface_resistance_ohm_cm2"]["p05"] > 0
    swept = document["temperature_sweep"]["area_specific"]["resistance_ohm_cm2"]
    assert all(value is not None and value > 0 for value in swept)
