"""The shipped records and examples: sourced, consistent with what is published, complete."""

from __future__ import annotations

import re
import typing
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

import interohm.configs
from interohm.device_models import neutral_bulk, prepared_bulk
from interohm.prediction.contact import contact_document
from interohm.prediction.contact_barrier import prior_median_eV
from interohm.prediction.sampling import FieldSamples, phase_of
from interohm.records import (
    ION_CHARGES,
    Insulator,
    Metal,
    Quantity,
    SpaceCharge,
    load_material,
)
from interohm.records.cell_config import Cell, Contact, load_cell
from interohm.records.reference import is_reference
from interohm.yaml_io import load_yaml

CONFIGS = Path(interohm.configs.__file__).parent
MATERIALS = {path.stem: path for path in sorted((CONFIGS / "materials").glob("*.yaml"))}
EXAMPLES = CONFIGS / "examples"
PFD_REFERENCE = Path(__file__).parents[2] / "data" / "pfd_reference.yaml"

# The electrodes and electrolytes of the 48 cells, and NMC811.
NEGATIVE = ["Li", "LiC6", "LiSi", "LiIn"]
ELECTROLYTES = ["LLZO", "LiPON", "Li3PS4", "Li6PS5Cl"]
POSITIVE = ["LiCoO2", "LiFePO4", "LiMn2O4", "NMC811"]
# What people put between them, and other electrolytes.
COATINGS = ["LiF", "Li2CO3", "Li3PO4", "LiNbO3", "LiTaO3", "Al2O3"]
OTHERS = ["Li10GeP2S12", "Li3YCl6", "Li3InCl6", "LATP"]
SOURCED = [*ELECTROLYTES, *COATINGS, *OTHERS]

BOLTZMANN_EV_K = 8.617333262e-5
ELEMENTARY_CHARGE_C = 1.602176634e-19


def insulator(name: str) -> Insulator:
    record = load_material(MATERIALS[name])
    assert isinstance(record, Insulator)
    return record


def metal(name: str) -> Metal:
    record = load_material(MATERIALS[name])
    assert isinstance(record, Metal)
    return record


def lithium_work_function_eV() -> float:
    (state,) = metal("Li").states
    return state.work_function_eV.value


def quantities(node: object, where: str = "") -> typing.Iterator[tuple[str, Quantity]]:
    """Yield every quantity of a record with the path that leads to it."""
    if isinstance(node, Quantity):
        yield where, node
    elif isinstance(node, BaseModel):
        for field in node.model_fields_set:
            yield from quantities(getattr(node, field), f"{where}.{field}")
    elif isinstance(node, (list, tuple)):
        for place, item in enumerate(node):
            yield from quantities(item, f"{where}[{place}]")


def pair(record: Insulator) -> tuple[float, float]:
    """Return the formation energies at E_F = VBM, mu = 0 of the positive and negative defect."""
    (positive,) = (d for d in record.defects if d.charge == 1)
    (negative,) = (d for d in record.defects if d.charge == -1)
    assert (positive.ion_change, negative.ion_change) == (1, -1)
    assert positive.sublattice != negative.sublattice
    assert positive.site_density_cm3.value == negative.site_density_cm3.value
    assert positive.degeneracy == negative.degeneracy == 1
    # they follow from the neutral potential, which is what is known
    energies = phase_of(record).formation_energy_eV
    return tuple(float(energies[record.defects.index(d)]) for d in (positive, negative))


def neutral_potential_V(record: Insulator) -> float:
    positive, negative = pair(record)
    level = record.ionization_potential_eV.value
    return lithium_work_function_eV() - level + (negative - positive) / 2


def electrode_potential_V(record: Metal, ion_content: float) -> float:
    (state,) = (s for s in record.states if s.ion_content == ion_content)
    return lithium_work_function_eV() - state.work_function_eV.value + state.voltage_V.value


def test_shipped_names_are_the_file_names() -> None:
    assert {*NEGATIVE, *SOURCED, *POSITIVE} <= set(MATERIALS)
    for name, path in MATERIALS.items():
        record = load_material(path)
        # A calculated record carries its facet in the file's name: Li_110.yaml is the (110) of Li.
        assert name == record.name or name.startswith(f"{record.name}_"), path


@pytest.mark.parametrize("name", MATERIALS)
def test_every_number_has_a_source_or_says_assumed(name: str) -> None:
    found = list(quantities(load_material(MATERIALS[name])))
    assert found
    for where, quantity in found:
        assert quantity.source, f"{name}{where}: no source"
        assert quantity.method, f"{name}{where}: no method"
        said = quantity.source.startswith("assumed"), quantity.method.startswith("assumed")
        assert said in {(True, True), (False, False)}, f"{name}{where}: says assumed once"
        if quantity.assumed:
            assert quantity.uncertainty, f"{name}{where}: assumed, but no uncertainty"
            assert len(quantity.source) > len("assumed ()"), f"{name}{where}: based on what?"


@pytest.mark.parametrize("name", MATERIALS)
def test_three_standard_deviations_stay_physical(name: str) -> None:
    """What must be positive stays so at 3 sigma; a share of sites stays one in every sample."""
    positive = ("density", "frequency", "distance", "constant", "gap", "mass", "Phi")
    record = load_material(MATERIALS[name])
    if isinstance(record, Insulator):
        shares = phase_of(record, field_samples=FieldSamples(500)).saturation
        assert np.all((shares > 0) & (shares <= 1)), name
    for where, quantity in quantities(record):
        field = where.rpartition(".")[2]
        if any(word in field for word in positive):
            assert quantity.value > 3 * (quantity.uncertainty or 0.0), f"{name}{where}"


@pytest.mark.parametrize("name", ["LLZO", "LiF"])
def test_follows_from_the_published_calculation(name: str) -> None:
    systems = YAML(typ="safe").load(PFD_REFERENCE)
    (reference,) = (s for s in systems if s["name"] == name)
    record = insulator(name)
    assert sum(pair(record)) / 2 == pytest.approx(
        reference["formation_energy_neutral_eV"], abs=1e-6
    )
    assert neutral_potential_V(record) == pytest.approx(reference["neutral_potential_V"], abs=1e-6)
    assert record.dielectric_constant.value == reference["dielectric_constant"]
    assert record.saturation.value == reference["saturation"]
    assert record.defects[0].site_density_cm3.value == reference["site_density_cm3"]


def test_LiPON_is_where_it_is_published() -> None:
    assert neutral_potential_V(insulator("LiPON")) == pytest.approx(1.24, abs=1e-6)


@pytest.mark.parametrize("name", [name for name in SOURCED if name != "LATP"])
def test_bands_are_far_from_the_fermi_level(name: str) -> None:
    """Ions, not electrons, set the neutral potential over the whole stability window.

    Not in LATP, whose conduction band takes electrons where titanium is reduced.
    """
    record = insulator(name)
    above_vbm = (
        record.ionization_potential_eV.value
        + neutral_potential_V(record)
        - lithium_work_function_eV()
    )
    assert record.stability_window_V is not None
    for limit in record.stability_window_V:
        fermi_level = above_vbm - limit.value
        assert 0.7 < fermi_level < record.band_gap_eV.value - 0.7, limit.value


@pytest.mark.parametrize("name", [*ELECTROLYTES, *OTHERS, "Li3PO4", "LiNbO3", "LiTaO3", "Al2O3"])
def test_conducts_as_stated_whatever_carries_the_current(name: str) -> None:
    """The value and its activation energy hold for every choice of carriers, drawn or not.

    Within the stability window: at the potential of lithium, the Fermi level of some would lie
    above their gap.
    """
    record = insulator(name)
    stated = record.conductivity
    assert stated is not None
    assert len(record.carriers) > 1
    assert record.stability_window_V is not None
    middle_V = np.mean([limit.value for limit in record.stability_window_V])
    temperatures = stated.temperature_K + np.array([-0.5, 0.0, 0.5])
    for choice in record.carriers:
        alone = record.model_copy(update={"carriers": [choice]})
        sigma = neutral_bulk(
            phase_of(alone),
            temperature_K=temperatures,
            metal_work_function_eV=2.93,
            mu_eV=-middle_V,
        ).conductivity_S_cm
        assert sigma[1] == pytest.approx(stated.value_S_cm.value, rel=1e-6)
        slope = np.diff(np.log(sigma * temperatures)[[0, 2]]) / np.diff(1 / temperatures[[0, 2]])
        energy = -BOLTZMANN_EV_K * slope.item()
        assert energy == pytest.approx(stated.activation_energy_eV.value, abs=1e-4)
    field_samples = FieldSamples(200)
    drawn = prepared_bulk(
        phase_of(record, field_samples=field_samples),
        temperature_K=stated.temperature_K,
        mu_eV=-middle_V,
    )
    expected = field_samples.positive(name, "conductivity.value_S_cm", stated.value_S_cm)
    assert drawn.conductivity_S_cm == pytest.approx(expected, rel=1e-6)
    # a fifth of LiNbO3's: of 0.5 ± 0.12 eV, its defects cost 0.3 ± 0.2 eV
    assert field_samples.redrawn < 50


@pytest.mark.parametrize("name", SOURCED)
def test_says_what_carries_the_current(name: str) -> None:
    record = insulator(name)
    assert record.carriers
    assert record.neutral_potential_V is not None
    for choice in record.carriers:
        assert choice.source


def test_pure_LiF_conducts_less_than_any_sample_of_it() -> None:
    """Its vacancies are thermal, those of samples come from impurities: 5.7e-13 S/cm at 142 °C."""
    bulk = neutral_bulk(
        phase_of(insulator("LiF")), temperature_K=415.0, metal_work_function_eV=2.93
    )
    assert 0 < bulk.conductivity_S_cm < 5.7e-13


def test_LiCoO2_covers_its_cycle() -> None:
    states = metal("LiCoO2").states
    assert (states[0].ion_content, states[-1].ion_content) == (0.5, 1.0)
    voltages = [state.voltage_V.value for state in states]
    assert all(before > after for before, after in pairwise(voltages))
    work_functions = [state.work_function_eV.value for state in states]
    # "Much smaller" than the change of lithiated silicon, and much smaller than the voltage's.
    assert max(work_functions) - min(work_functions) < 0.5 * (voltages[0] - voltages[-1])


def test_LiPON_on_LiCoO2_as_built() -> None:
    """Photoemission 0.25 eV, KPFM 0.257 ± 0.065 V: predicted 0.26 V, by the choice of one number.

    The voltage of fully lithiated LiCoO2 is assumed, 3.15 V within its uncertainty of 0.3 V, such
    that this agreement results. At the last measured voltage (x = 0.9989) the drop is 0.0 V: the
    distance from the experiment is then 0.26 V, and no prediction of the records is better.
    """
    LiPON, LiCoO2 = neutral_potential_V(insulator("LiPON")), metal("LiCoO2")
    as_built = LiPON - electrode_potential_V(LiCoO2, 1.0)
    assert as_built == pytest.approx(0.257, abs=0.065)
    assert as_built == pytest.approx(0.26, abs=0.005)
    last_measured = LiPON - electrode_potential_V(LiCoO2, 0.9989)
    assert abs(last_measured - 0.257) == pytest.approx(0.26, abs=0.01)
    # Charged, the sign is the other one: lithium ions go from LiPON into Li0.5CoO2.
    assert LiPON - electrode_potential_V(LiCoO2, 0.5) < 0


@pytest.mark.parametrize("name", SOURCED)
def test_neutral_potential_is_the_one_in_the_record(name: str) -> None:
    record = insulator(name)
    potential, cost = record.neutral_potential_V, record.neutral_formation_energy_eV
    assert potential is not None
    assert cost is not None
    assert neutral_potential_V(record) == pytest.approx(potential.value, abs=1e-6)
    assert sum(pair(record)) / 2 == pytest.approx(cost.value, abs=1e-6)


@pytest.mark.parametrize("name", ["Li3PS4", "Li6PS5Cl"])
def test_LiCoO2_draws_more_on_sulfides_than_on_garnet(name: str) -> None:
    """Doi 10.1039/d5eb00244c: a mismatch of 0.3 to 0.5 V with sulfides, about 0.1 V with oxides."""
    for content in (0.5, 0.6, 0.7, 0.75, 0.8, 0.9):
        electrode = electrode_potential_V(metal("LiCoO2"), content)
        assert 0.3 <= electrode - neutral_potential_V(insulator(name)) <= 0.5, content
        assert 0 <= electrode - neutral_potential_V(insulator("LLZO")) <= 0.2, content


def test_documented_neutral_potentials_are_those_of_the_records() -> None:
    page = (Path(__file__).parents[3] / "docs" / "materials.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| ([-\d., ]+) \|", page, re.MULTILINE)
    assert {name for name, _ in rows} == {*NEGATIVE, *SOURCED, *POSITIVE}
    for name, documented in rows:
        record = load_material(MATERIALS[name])
        if isinstance(record, Metal):
            ends = {record.states[0].ion_content, record.states[-1].ion_content}
            found = [electrode_potential_V(record, content) for content in ends]
        else:
            found = [neutral_potential_V(record)]
        potentials = sorted(float(potential) for potential in documented.split(","))
        assert potentials == pytest.approx(sorted(found), abs=0.0051), name


def test_voltages_are_the_known_plateaus() -> None:
    def voltage_V(name: str, content: float) -> float:
        (state,) = (s for s in metal(name).states if s.ion_content == content)
        return state.voltage_V.value

    # Graphite 0.1 V in its last stage, Li–In 0.62 V, LiFePO4 3.43 V, LiMn2O4 4.1 and 4.0 V.
    assert voltage_V("LiC6", 0.9) == pytest.approx(0.1, abs=0.02)
    assert {s.voltage_V.value for s in metal("LiIn").states} == {0.62}
    assert voltage_V("LiFePO4", 0.5) == pytest.approx(3.43, abs=0.05)
    assert voltage_V("LiMn2O4", 0.3) == pytest.approx(4.13, abs=0.03)
    assert voltage_V("LiMn2O4", 0.7) == pytest.approx(4.0, abs=0.03)
    # Amorphous silicon slopes between 0.5 and 0.1 V.
    silicon = [s.voltage_V.value for s in metal("LiSi").states if 0.5 < s.ion_content < 3.6]
    assert 0.1 < min(silicon) < max(silicon) < 0.5


def test_lithiation_lowers_the_work_function_of_graphite_and_silicon() -> None:
    """It outpaces the voltage, so that a lithiated electrode shows the higher surface potential."""
    for name in ("LiC6", "LiSi"):
        empty, *_, full = metal(name).states
        change_eV = empty.work_function_eV.value - full.work_function_eV.value
        assert change_eV > empty.voltage_V.value - full.voltage_V.value
        assert full.work_function_eV.value > lithium_work_function_eV()


@pytest.mark.parametrize("name", ["Li", "Na", "Mg", "Al"])
def test_reference_metals_are_the_zero_of_their_ions(name: str) -> None:
    record = metal(name)
    assert is_reference(record)
    assert (record.mobile_ion, record.ion_charge) == (name, ION_CHARGES[name])


@pytest.mark.parametrize(
    ("left", "right"), [*product(NEGATIVE, ELECTROLYTES), *product(ELECTROLYTES, POSITIVE)]
)
@pytest.mark.parametrize("state_of_charge", [0.0, 0.5, 1.0])
def test_contacts_of_48_cells(left: str, right: str, state_of_charge: float) -> None:
    """Each has a neutral bulk, finite numbers, and a space charge thinner than any electrolyte."""
    document = contact_document(
        load_material(MATERIALS[left]),
        load_material(MATERIALS[right]),
        state_of_charge=state_of_charge,
        samples=50,
    )
    assert abs(document["potential_drop_V"]) < 3
    electrolyte = "right" if left in NEGATIVE else "left"
    assert 0.1 < document["debye_length_nm"][electrolyte] < 2
    assert 0 < document["distance_nm"][electrolyte]["x99"] < 20
    # nominal: a lattice hop, 1.5e-7 Ω·cm² at least, whose barrier is raised by the prior's median
    # (1e-4 with the 0.25 eV that its scale had)
    raised = float(np.exp(prior_median_eV() / (BOLTZMANN_EV_K * 300)))
    assert 1.5e-7 * raised < document["resistance"]["interface_resistance_ohm_cm2"] < 1e3
    found = document["quantiles"]["log10_interface_resistance"]
    assert found["samples"] == 50
    assert -8 < found["p05"] < found["p95"] < 9


def fields_present(node: object, seen: dict[type[BaseModel], set[str]]) -> None:
    """Collect per model which fields a document states."""
    if isinstance(node, BaseModel):
        seen.setdefault(type(node), set()).update(node.model_fields_set)
        for field in node.model_fields_set:
            fields_present(getattr(node, field), seen)
    elif isinstance(node, (list, tuple)):
        for item in node:
            fields_present(item, seen)


def models_within(annotation: object) -> set[type[BaseModel]]:
    """Return every pydantic model that an annotation reaches, through its own fields too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        below = (models_within(field.annotation) for field in annotation.model_fields.values())
        return {annotation}.union(*below)
    return set().union(*(models_within(part) for part in typing.get_args(annotation)))


#: Fields that exclude others of the example.
EXCLUDED: dict[type[BaseModel], set[str]] = {
    Insulator: {"neutral_potential_V", "neutral_formation_energy_eV"},
    SpaceCharge: {"electrons_cm3", "band_gap_eV"},
}


@pytest.mark.parametrize(
    ("file", "model", "load"),
    [
        ("record.yaml", Insulator, load_material),
        ("record_metal.yaml", Metal, load_material),
        ("cell.yaml", Cell, load_cell),
    ],
)
def test_example_shows_and_explains_every_field(
    file: str, model: type[BaseModel], load: typing.Callable[[Path], BaseModel]
) -> None:
    example = load(EXAMPLES / file)
    assert type(example) is model
    seen: dict[type[BaseModel], set[str]] = {}
    fields_present(example, seen)
    lines = (EXAMPLES / file).read_text(encoding="utf-8").splitlines()
    for part in models_within(model):
        fields = set(part.model_fields)
        # of fields that exclude each other, some stand as comments
        shown = seen.get(part, set())
        assert fields - shown <= EXCLUDED.get(part, set()), f"{file}: {part.__name__}"
        for field in fields:
            # a field that is left out stands as a comment, with one of its own
            place = "" if field in shown else "# "
            explained = (
                f"{place}{field}:" in line and "#" in line.partition(f"{field}:")[2]
                for line in lines
            )
            above = field in shown and any(f"{field}:" in line and "#" in line for line in lines)
            assert above or any(explained), f"{file}: no comment on {part.__name__}.{field}"


def test_example_structures_are_of_pymatgen() -> None:
    from pymatgen.core import Structure

    for file, formula in (("record.yaml", "LiF"), ("record_metal.yaml", "LiCoO2")):
        record = load_material(EXAMPLES / file)
        assert Structure.from_dict(record.structure).composition.reduced_formula == formula


def test_cells_name_shipped_records_within_their_range() -> None:
    cells = [path for path in EXAMPLES.glob("*.yaml") if "layers" in load_yaml(path)]
    assert {path.name for path in cells} >= {
        "cell.yaml",
        "lithium-LiF-LLZO-LCO.yaml",
        "lithium-LiPON-LCO.yaml",
    }
    for path in cells:
        for layer in load_cell(path).layers:
            if layer.material.endswith(".yaml"):
                record = load_material(path.parent / layer.material)
            else:
                record = load_material(MATERIALS[layer.material])
            if layer.ion_content is not None:
                assert isinstance(record, Metal)
                contents = [state.ion_content for state in record.states]
                for end in (layer.ion_content.discharged, layer.ion_content.charged):
                    assert min(contents) <= end <= max(contents)


def test_the_example_of_a_record_conducts() -> None:
    """Who starts from it sees what a contact's prediction looks like."""
    example = load_material(EXAMPLES / "record.yaml")
    lithium = metal("Li")
    document = contact_document(
        lithium, example, contact=Contact(barrier_eV=Quantity(value=0.4)), samples=0
    )
    assert document["resistance"]["reason"] is None
    assert 0.1 < document["resistance"]["interface_resistance_ohm_cm2"] < 1e4
