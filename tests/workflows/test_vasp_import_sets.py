"""Electrodes along their ion content, and sets of folders that complete a record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from vasp_writer import write_calculation

from interohm.database import Database
from interohm.database.shipped_calculations import shipped_calculation
from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.records import Insulator, Metal, load_material
from interohm.settings import load_settings
from interohm.workflows.vasp_import import Import, import_folder

CONFIGS = Path(__file__).parents[2] / "configs"
ELECTRODE = """
mobile_ion: Li
phases:
  - kind: electrode
    name: LCO
    formula: LiCoO2
    facet: [1, 0, 4]
    states:
      - {ion_content: 0.5, work_function_eV: {value: 5.57, source: assumed}}
      - {ion_content: 1.0}
"""
INSULATOR = """
mobile_ion: Li
phases:
  - {kind: insulator, name: own_LiF, formula: LiF, facet: [0, 0, 1], dielectric_constant: 9.0}
"""


def shipped(record: str) -> dict[str, Calculation]:
    """Return the calculations of a shipped record by their roles; defects by their names."""
    provenance = load_material(CONFIGS / "materials" / f"{record}.yaml").provenance
    hashes = dict(provenance["calculations"])
    for name, tried in provenance.get("defects", {}).items():
        hashes[name] = min(tried, key=lambda one: one["formation_energy_eV"])["calculation"]
    documents = {role: shipped_calculation(hash) for role, hash in hashes.items()}
    return {role: Calculation.model_validate(found) for role, found in documents.items()}


def write(folder: Path, text: str, calculations: dict[str, Calculation]) -> None:
    folder.mkdir(exist_ok=True)
    for name, calculation in calculations.items():
        write_calculation(calculation, folder / name)
    (folder / "import.yaml").write_text(text)


def only(made: Import) -> Insulator | Metal:
    for error in made.failures.values():
        raise error
    (record,) = made.records
    return record


@pytest.fixture
def charging(tmp_path: Path) -> Path:
    write(tmp_path / "lco", ELECTRODE, shipped("LiCoO2_PBE_U"))
    return tmp_path / "lco"


def test_an_electrode_is_that_of_the_campaign(charging: Path) -> None:
    expected = load_material(CONFIGS / "materials" / "LiCoO2_PBE_U.yaml")
    record = only(import_folder(charging))
    assert isinstance(record, Metal)
    assert isinstance(expected, Metal)
    for own, other in zip(record.states, expected.states, strict=True):
        assert own.ion_content == other.ion_content
        assert own.voltage_V.value == pytest.approx(other.voltage_V.value, abs=1e-4)
        assert own.work_function_eV.value == pytest.approx(other.work_function_eV.value, abs=0.01)
    assert record.provenance["folders"]["slab at 1"] == "slab_1"
    (charging / "import.yaml").write_text(ELECTRODE.partition("    states:")[0])
    with pytest.raises(InputError, match=r"LCO at 0.5, slab: no folder could be it"):
        only(import_folder(charging))


def test_of_several_orders_the_lowest_wins(charging: Path) -> None:
    bulk = shipped("LiCoO2_PBE_U")["bulk_0.5"]
    higher = bulk.model_copy(update={"energy_eV": bulk.energy_eV + 1.0})
    write_calculation(higher, charging / "other order")
    record = only(import_folder(charging))
    assert record.provenance["folders"]["bulk at 0.5"] == "bulk_0.5"
    assert record.provenance["orders"]["0.5"] == ["bulk_0.5", "other order"]
    run = charging / "other order" / "vasprun.xml"
    run.write_text(run.read_text().replace("<incar>", '<incar><i name="IVDW" type="int">12</i>'))
    with pytest.raises(InputError, match="cannot be decided which order has the lower energy"):
        only(import_folder(charging))


def test_one_ion_content_is_no_electrode(charging: Path) -> None:
    (charging / "import.yaml").write_text(ELECTRODE.partition("    states:")[0])
    shutil.rmtree(charging / "bulk_0.5")
    with pytest.raises(InputError, match=r"needs two ion contents, the folders have 1 "):
        only(import_folder(charging))


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with a record of LiF that was imported whole."""
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "project"))
    monkeypatch.delenv("INTEROHM_MONGODB_URI", raising=False)
    write(tmp_path / "whole", INSULATOR, shipped("LiF_001"))
    made = import_folder(tmp_path / "whole")
    with Database.open(load_settings(), write=True) as opened:
        for calculation in made.calculations:
            opened.save_calculation(calculation.model_dump())
        opened.save_material(only(made))
    return tmp_path


def complete(root: Path, name: str, calculations: dict[str, Calculation]) -> Insulator:
    write(root / name, INSULATOR, calculations)
    with Database.open(load_settings()) as opened:
        made = import_folder(root / name, opened)
    record = only(made)
    assert isinstance(record, Insulator)
    assert len(made.calculations) == len(calculations)
    return record


def test_a_slab_alone_completes_a_record(database: Path) -> None:
    slab = shipped("LiF_001")["slab"]
    potential = slab.planar_potential
    assert potential is not None
    # As if the vacuum were half an electronvolt higher.
    values = [
        value + 0.5 * (value > 0.9 * max(potential.potential_eV))
        for value in potential.potential_eV
    ]
    mean = sum(values) / len(values)
    values = [value - mean for value in values]
    changed = slab.model_copy(
        update={"planar_potential": potential.model_copy(update={"potential_eV": values})}
    )
    whole = load_material(CONFIGS / "materials" / "LiF_001.yaml")
    assert isinstance(whole, Insulator)
    record = complete(database, "slab", {"slab": changed})
    own, other = record.ionization_potential_eV.value, whole.ionization_potential_eV.value
    assert own - other == pytest.approx(0.5, abs=0.05)
    assert {d.name for d in record.defects} == {d.name for d in whole.defects}
    assert record.provenance["folders"]["slab"] == "slab"
    assert record.provenance["folders"]["bulk"].startswith("the database, ")


def test_a_defect_alone_completes_a_record(database: Path) -> None:
    vacancy = shipped("LiF_001")["V_Li"]
    supercell = shipped("LiF_001")["supercell"]
    whole = load_material(CONFIGS / "materials" / "LiF_001.yaml")
    assert isinstance(whole, Insulator)
    lower = vacancy.model_copy(update={"energy_eV": vacancy.energy_eV - 0.25})
    for name, folders in (
        ("defects", {"supercell": supercell, "V_Li": lower}),
        ("defect", {"V_Li": lower}),
    ):
        record = complete(database, name, folders)
        energies = {d.name: d.formation_energy_eV.value for d in record.defects}
        expected = {d.name: d.formation_energy_eV.value for d in whole.defects}
        assert energies.pop("V_Li") == pytest.approx(expected.pop("V_Li") - 0.25, abs=0.02)
        assert energies == pytest.approx(expected, abs=0.02)
        assert record.band_gap_eV.value == pytest.approx(whole.band_gap_eV.value, abs=1e-3)


def test_without_the_record_a_set_is_not_complete(tmp_path: Path) -> None:
    write(tmp_path / "slab", INSULATOR, {"slab": shipped("LiF_001")["slab"]})
    with pytest.raises(InputError, match=r"own_LiF, bulk: no folder could be it"):
        only(import_folder(tmp_path / "slab"))


def test_energies_of_two_engines_complete_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "project"))
    text = INSULATOR.replace("own_LiF", "LiF_001")
    with Database.open(load_settings(), write=True) as opened:
        opened.save_material(load_material(CONFIGS / "materials" / "LiF_001.yaml"))
    write(tmp_path / "one", text, {"V_Li": shipped("LiF_001")["V_Li"]})
    with Database.open(load_settings()) as opened:
        made = import_folder(tmp_path / "one", opened)
    assert "engine is vasp" in json.dumps({k: str(v) for k, v in made.failures.items()})
