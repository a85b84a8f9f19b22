"""Records from structures: sites that are counted, energies that are converted, files that load."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition, Lattice, Structure

from interohm.device_models import neutral_bulk
from interohm.errors import InputError
from interohm.prediction.implied import implied
from interohm.prediction.sampling import phase_of
from interohm.records import Insulator, Metal, load_material, material_from
from interohm.records.kind_of import kind_of
from interohm.records.material import Conductivity
from interohm.records.new_record import (
    GivenElectrode,
    GivenNumbers,
    converted_energies,
    mobile_sublattice,
    new_electrode_text,
    new_record_text,
    parsed_conversion,
)
from interohm.records.shipped import shipped_material
from interohm.records.uncertainty import quantities
from interohm.yaml_io import parse_yaml

STRUCTURES = Path(__file__).parents[3] / "configs" / "structures"


def _salt(a: float = 4.026) -> Structure:
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(a), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )


def _record(given: GivenNumbers, structure: Structure | None = None) -> Insulator:
    text, _ = new_record_text("new", structure or _salt(), "salt.cif", "Li", given)
    document = parse_yaml(text, where="new")
    document["structure"] = None
    made = material_from(document, where="new")
    assert isinstance(made, Insulator)
    return made


def test_sites_of_rock_salt() -> None:
    found = mobile_sublattice(_salt(), "Li")
    assert found.site_density_cm3 == pytest.approx(4 / 4.026**3 * 1e24)
    assert found.nearest_nm == pytest.approx(0.4026 / np.sqrt(2))
    assert (found.orbits, found.occupied) == (1, 1.0)


def test_a_primitive_cell_has_the_same_sites() -> None:
    whole = mobile_sublattice(_salt(), "Li")
    primitive = mobile_sublattice(_salt().get_primitive_structure(), "Li")
    assert primitive.site_density_cm3 == pytest.approx(whole.site_density_cm3)
    assert primitive.nearest_nm == pytest.approx(whole.nearest_nm)


def test_sites_that_are_half_occupied() -> None:
    half = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.0), [{"Li": 0.5}, "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    found = mobile_sublattice(half, "Li")
    assert found.occupied == pytest.approx(0.5)
    assert found.site_density_cm3 == pytest.approx(4 / 64e-24)


def test_partly_occupied_sites_are_shared_between_vacancies_and_interstitials() -> None:
    """A garnet, of 24 + 16 ions on 24d and 96h: a third of the sites holds ions."""
    cell, occupied = Lattice.cubic(12.806), {"Li1": 0.802, "Li2": 0.216}
    garnet = Structure.from_spacegroup(
        "Ia-3d",
        cell,
        ["La", "Ta", "O", {"Li": occupied["Li1"]}, {"Li": occupied["Li2"]}],
        [
            [0.125, 0, 0.25],
            [0, 0, 0],
            [0.28, 0.107, 0.199],
            [0.375, 0, 0.25],
            [0.097, 0.688, 0.578],
        ],
    )
    text, _ = new_record_text("new", garnet, "garnet.cif", "Li", GivenNumbers())
    document = parse_yaml(text, where="new")
    assert document["provenance"]["formula"] == "Li5La3Ta2O12"
    density = {one["name"]: one["site_density_cm3"] for one in document["defects"]}
    ions = 24 * occupied["Li1"] + 96 * occupied["Li2"]
    per_cm3 = 1e24 / float(garnet.volume)
    assert density["V_Li"]["value"] == pytest.approx(ions * per_cm3, rel=1e-4)
    assert density["Li_i"]["value"] == pytest.approx((120 - ions) * per_cm3, rel=1e-4)
    assert "80 empty ones of the 120 sites" in density["Li_i"]["source"]


def test_the_hops_of_a_partly_occupied_lattice_are_those_assumed() -> None:
    """Without an activation energy, ions attempt 1e13 hops per second."""
    half = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.0), [{"Li": 0.8}, "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    record = _record(GivenNumbers(conductivity_S_cm=1e-4), half)
    attempts = float(np.max(phase_of(record).attempt_frequency_Hz))
    whole = float(
        np.max(phase_of(_record(GivenNumbers(conductivity_S_cm=1e-4))).attempt_frequency_Hz)
    )
    assert attempts == pytest.approx(whole, rel=0.3)


def test_the_assumed_saturation_is_that_of_shipped_electrolytes() -> None:
    """Wider than theirs, and with its reason; with three times as much, fields are triple."""
    shipped = [shipped_material(name) for name in ("LLZO", "LiPON", "Li6PS5Cl", "LiF")]
    assumed = _record(GivenNumbers()).saturation
    assert {one.saturation.value for one in shipped if isinstance(one, Insulator)} == {
        assumed.value
    }
    assert assumed.uncertainty > 0.03
    assert assumed.assumed
    assert "shipped" in (assumed.source or "")


def test_a_structure_without_the_ion_is_refused() -> None:
    with pytest.raises(InputError, match="has no Na"):
        mobile_sublattice(_salt(), "Na")


@pytest.mark.parametrize(
    "numbers",
    [
        GivenNumbers(),
        GivenNumbers(conductivity_S_cm=5e-4, activation_eV=0.40),
        GivenNumbers(conductivity_S_cm=1e-3, activation_eV=0.15, source="doi 10.1/x"),
        GivenNumbers(conductivity_S_cm=1e-6),
        GivenNumbers(gap_eV=6.0, dielectric=10.0, window_V=(0.6, 4.2), ionization_eV=7.0),
        GivenNumbers(formation_energies_eV={"V_Li": 3.6, "Li_i": -1.9}, conversion="x"),
    ],
)
def test_every_record_loads_and_has_a_neutral_bulk(numbers: GivenNumbers) -> None:
    record = _record(numbers)
    assert not [text for text in implied(record).warnings if "neutral bulk" in text]
    bulk = neutral_bulk(phase_of(record), temperature_K=300.0, metal_work_function_eV=2.9)
    assert bool(bulk.has_neutral_bulk)
    if numbers.conductivity_S_cm is not None:
        assert float(bulk.conductivity_S_cm) == pytest.approx(numbers.conductivity_S_cm, rel=1e-6)


def test_a_given_conductivity_is_what_the_record_implies() -> None:
    record = _record(GivenNumbers(conductivity_S_cm=5e-4, activation_eV=0.40))
    lines = dict(implied(record).lines)
    assert lines["conductivity"].startswith("5.00e-04 S/cm")
    assert lines["activation energy at 300 K"].startswith("0.400 eV")


@pytest.mark.parametrize("text", ['C:\\data\\#1 "x": y.cif', "a: b # c", "é ö.cif"])
def test_any_text_of_a_file_or_a_source_stays_as_it_is(text: str) -> None:
    made, _ = new_record_text("new", _salt(), text, "Li", GivenNumbers(gap_eV=6.0, source=text))
    document = parse_yaml(made, where="new")
    assert document["structure"] == text
    assert document["band_gap_eV"]["source"] == text


def test_every_number_that_is_assumed_is_said() -> None:
    text, missing = new_record_text("new", _salt(), "salt.cif", "Li", GivenNumbers())
    document = {**parse_yaml(text, where="new"), "structure": None}
    record = material_from(document, where="new")
    assumed = {field for field, known in quantities(record) if known.assumed}
    assert assumed <= set(missing)
    assert set(missing) - assumed == {"stability_window_V (unknown)", "conductivity (unknown)"}
    _, fewer = new_record_text("new", _salt(), "salt.cif", "Li", GivenNumbers(gap_eV=6.0))
    assert set(missing) - set(fewer) == {"band_gap_eV"}
    conducts = GivenNumbers(conductivity_S_cm=1e-4, carriers=("V_Li",), saturation=0.1)
    _, fewer = new_record_text("new", _salt(), "salt.cif", "Li", conducts)
    assert "conductivity.activation_energy_eV" in fewer
    assert not {"carriers", "saturation", "conductivity (unknown)"} & set(fewer)


@settings(max_examples=15, deadline=None)
@given(
    st.none() | st.floats(3.0, 10.0),
    st.none() | st.tuples(st.floats(0.0, 1.7), st.floats(0.1, 6.0)),
    st.sampled_from(["nothing", "ionization", "potential"]),
    st.sampled_from(["nothing", "conductivity", "activation"]),
    st.floats(0.0, 1.0),
)
def test_assumed_numbers_contradict_nothing_that_is_given(
    gap: float | None, window: tuple[float, float] | None, level: str, hop: str, share: float
) -> None:
    """Whatever part of a record is given, what is assumed beside it fits."""
    if gap is not None and window is not None:
        # a wider one contradicts the gap: electrons or holes outnumber the ions at its ends
        window = (window[0], min(window[1], gap - 2.4))
    numbers = GivenNumbers(
        gap_eV=gap,
        window_V=None if window is None else (window[0], window[0] + window[1]),
        ionization_eV=4.0 + (8.0 if gap is None else 3.0) * share
        if level == "ionization"
        else None,
        neutral_potential_V=0.5 + 2.0 * share if level == "potential" else None,
        conductivity_S_cm=10.0 ** (-9.0 + 7.0 * share) if hop == "conductivity" else None,
        activation_eV=0.1 + 0.7 * share if hop == "activation" else None,
    )
    record = _record(numbers)
    assert implied(record).warnings == []
    activation = dict(implied(record).lines)["activation energy at 300 K"]
    if numbers.activation_eV is not None:
        # filled sites take up to 0.04 eV off a small formation energy
        assert float(activation.split()[0]) == pytest.approx(numbers.activation_eV, abs=0.04)


def test_what_a_conductivity_leaves_open_can_be_given() -> None:
    record = _record(
        GivenNumbers(
            conductivity_S_cm=5e-4,
            activation_eV=0.4,
            carriers=("V_Li",),
            saturation=0.05,
            formation_eV=0.1,
            source="doi 10.1/x",
        )
    )
    assert [choice.defects for choice in record.carriers] == [["V_Li"]]
    assert record.saturation.value == 0.05
    assert record.neutral_formation_energy_eV is not None
    assert record.neutral_formation_energy_eV.value == 0.1
    density = next(one for one in record.defects if one.name == "V_Li").site_density_cm3
    assert density.source.startswith("4 sites of Li in 65.3 Å3")
    with pytest.raises(InputError, match="leaves nothing for the hop"):
        _record(GivenNumbers(activation_eV=0.2, formation_eV=0.3))


@pytest.mark.parametrize(
    ("formula", "kind"),
    [
        *((name, "metal") for name in ("LiCoO2", "LiFePO4", "LiMn2O4", "LiNi0.8Mn0.1Co0.1O2")),
        *((name, "metal") for name in ("LiC6", "LiIn", "Li15Si4", "LiTiS2", "Na3V2(PO4)3")),
        *((name, "insulator") for name in ("Li7La3Zr2O12", "Li1.3Al0.3Ti1.7(PO4)3", "LiNbO3")),
        *((name, "insulator") for name in ("Li6PS5Cl", "Li3PS4", "Li10GeP2S12", "Li3YCl6")),
        *((name, "insulator") for name in ("LiTaO3", "Li3N", "Li2S", "LiH", "Li3InCl6", "Li2CO3")),
        *((name, "insulator") for name in ("Li4Ti5O12", "Li3VO4", "Na3Zr2Si2PO12", "LiBH4")),
    ],
)
def test_the_kind_of_a_formula(formula: str, kind: str) -> None:
    amounts = Composition(formula).get_el_amt_dict()
    found, why = kind_of(amounts, "Na" if formula.startswith("Na") else "Li")
    assert found == kind, why


def test_an_electrode_holds_the_ions_of_its_structure() -> None:
    structure = Structure.from_file(STRUCTURES / "LiCoO2.cif")
    text, missing = new_electrode_text("new", structure, "x.cif", "Li", GivenElectrode(3.9))
    record = material_from({**parse_yaml(text, where="new"), "structure": None}, where="new")
    assert isinstance(record, Metal)
    (state,) = record.states
    assert (state.ion_content, state.voltage_V.value, record.sites_per_formula) == (1.0, 3.9, 1.0)
    assert missing == ["states[1].work_function_eV", "space_charge (unknown)"]


def test_numbers_without_a_source_are_assumed() -> None:
    bare = _record(GivenNumbers(gap_eV=6.0)).band_gap_eV
    assert bare.assumed
    sourced = _record(GivenNumbers(gap_eV=6.0, source="doi 10.1/x")).band_gap_eV
    assert not sourced.assumed
    assert sourced.source == "doi 10.1/x"


def test_converted_energies_are_those_of_a_record() -> None:
    """Energies that a shipped record has elsewhere, converted back, are its own."""
    record = shipped_material("LiF_001")
    assert isinstance(record, Insulator)
    own = {
        defect.name: defect.formation_energy_eV.value
        for defect in record.defects
        if defect.name in ("V_Li", "Li_i") and defect.formation_energy_eV is not None
    }
    level, mu = 2.7, -1.4
    charge = {"V_Li": -1, "Li_i": 1}
    published = {name: energy + charge[name] * (level - mu) for name, energy in own.items()}
    found = converted_energies(
        published, fermi_level_eV=level, mu_eV=mu, mobile_ion="Li", ion_charge=1
    )
    assert found == pytest.approx(own)


def test_a_pair_costs_the_same_wherever_it_is_counted() -> None:
    found = converted_energies(
        {"V_Li": 1.1, "Li_i": 0.6}, fermi_level_eV=3.2, mu_eV=-1.5, mobile_ion="Li", ion_charge=1
    )
    assert sum(found.values()) == pytest.approx(1.7)


def test_conversions_as_text() -> None:
    energies, level, mu = parsed_conversion("V_Li=1.1, Li_i=0.6, E_F=3.2, mu=-1.5")
    assert (energies, level, mu) == ({"V_Li": 1.1, "Li_i": 0.6}, 3.2, -1.5)
    with pytest.raises(InputError, match="not a name and a number"):
        parsed_conversion("V_Li=low")
    with pytest.raises(InputError, match="is not a defect of Li"):
        converted_energies(
            {"V_Na": 1.0}, fermi_level_eV=0.0, mu_eV=0.0, mobile_ion="Li", ion_charge=1
        )
    with pytest.raises(InputError, match="Li_i has no formation energy"):
        new_record_text(
            "new", _salt(), "x.cif", "Li", GivenNumbers(formation_energies_eV={"V_Li": 1.0})
        )


def test_a_structure_may_be_a_file(tmp_path: Path) -> None:
    text, _ = new_record_text(
        "new", Structure.from_file(STRUCTURES / "LiF.cif"), "salt.cif", "Li", GivenNumbers()
    )
    path = tmp_path / "new.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"there is no file .*salt\.cif"):
        load_material(path)
    # No file system has names so long, and asking for one is an error of its own.
    path.write_text(text.replace("salt.cif", "s" * 300), encoding="utf-8")
    with pytest.raises(InputError, match="there is no file"):
        load_material(path)
    path.write_text(text, encoding="utf-8")
    (tmp_path / "salt.cif").write_bytes((STRUCTURES / "LiF.cif").read_bytes())
    loaded = load_material(path)
    assert loaded.structure is not None
    again = Structure.from_dict(json.loads(json.dumps(loaded.structure)))
    assert again.composition.reduced_formula == "LiF"


_COSTLY = Conductivity(value_S_cm=1e-3, temperature_K=300.0, activation_energy_eV=0.05)


def test_contradictions_are_told() -> None:
    record = _record(GivenNumbers(gap_eV=2.0, window_V=(0.0, 4.0)))
    warnings = implied(record).warnings
    assert any("more than the band gap of 2 eV" in text for text in warnings)
    # told even of a record that has no hops
    conducts = GivenNumbers(2e-4, 0.4, gap_eV=2.0, window_V=(0.0, 4.0))
    lost = _record(conducts).model_copy(update={"conductivity": _COSTLY})
    texts = implied(lost).warnings
    assert any("no migration energy is left" in text for text in texts)
    assert any("more than the band gap of 2 eV" in text for text in texts)
    far = _record(GivenNumbers(formation_energies_eV={"V_Li": 30.0, "Li_i": -25.0}))
    assert any("outside of the band gap" in text for text in implied(far).warnings)
