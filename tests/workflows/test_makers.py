"""Flows of single phases, composed with jobs of others, and run by jobflow itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from finished_relaxation import relaxed_already, shipped_cell
from jobflow import Flow, JobStore, job, run_locally
from monty.json import MontyDecoder, jsanitize
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

import interohm
from interohm.database import Database
from interohm.errors import InputError
from interohm.settings import Settings
from interohm.slab_builders.cells import Crystal
from interohm.workflows import ElectrodeMaker, InsulatorMaker, InterfaceMaker, MetalMaker
from interohm.workflows.campaign import (
    CampaignConfig,
    dry_run,
    load_campaign,
    memory_store,
    planned_calculations,
)
from interohm.workflows.context import using
from interohm.workflows.documents import CalculationDocument
from interohm.workflows.presets import load_preset
from interohm.workflows.steps import bulk_jobs

ROOT = Path(__file__).parents[2]
STRUCTURES = ROOT / "configs" / "structures"
TINY = str(ROOT / "tests" / "data" / "presets" / "tiny.yaml")
LITHIUM = {"facet": (1, 1, 0)}
#: All calculations of lithium's (110) with it are shipped.
SHIPPED = "production_relaxed"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("INTEROHM_DATA", "INTEROHM_MONGODB_URI"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def crystal(name: str) -> Structure:
    return Structure.from_file(STRUCTURES / f"{name}.cif")


def planned(planning: Any, database: Database) -> set[str]:
    """Return the requests of a flow that a Maker's job is replaced by."""
    return set(kinds_planned(planning, database))


def kinds_planned(
    planning: Any, database: Database, store: JobStore | None = None
) -> dict[str, str]:
    """Return the requests of that flow, with the kinds of their calculations."""
    with using(database):
        flow = planning.run(store or memory_store()).replace
    return {one.request.hash: one.kind for one in planned_calculations(flow, database)}


def test_a_makers_flow_is_that_of_a_campaign(tiny: CampaignConfig, database: Database) -> None:
    metal, insulator = tiny.phases
    fields = [
        phase.model_dump(mode="json", exclude={"name", "structure", "kind"}, exclude_none=True)
        for phase in (metal, insulator)
    ]
    made = planned(MetalMaker(preset=TINY).make(crystal("Li"), "Li", **fields[0]), database)
    made |= planned(InsulatorMaker(preset=TINY).make(crystal("LiF"), "LiF", **fields[1]), database)
    assert made == {one.request.hash for one in dry_run(tiny, database)}


def test_an_interface_and_an_electrode(database: Database) -> None:
    shipped = load_campaign(ROOT / "configs" / "campaigns" / "interfaces.yaml")
    phase = shipped.phases[0]
    sides: Any = [
        one.model_dump(mode="json", exclude={"structure"}) for one in (phase.left, phase.right)
    ]
    fields = phase.model_dump(mode="json", exclude={"name", "left", "right", "kind", "preset"})
    crystals = [
        shipped.structure(one.structure, where="structure") for one in (phase.left, phase.right)
    ]
    maker = InterfaceMaker(preset=phase.preset or shipped.preset)
    alone = shipped.alone(phase)
    made = planned(maker.make(*crystals, phase.name, sides=sides, **fields), database)
    assert made == {one.request.hash for one in dry_run(alone, database)}
    states = [{"ion_content": 0.5, "work_function_eV": 5.0}, {"ion_content": 1.0}]
    electrode = ElectrodeMaker().make(crystal("LiCoO2"), facet=(1, 0, 4), states=states)
    assert electrode.name == "electrode: plan"
    given = {"name": "electrode", "kind": "electrode", "structure": "LiCoO2", "facet": (1, 0, 4)}
    config = CampaignConfig.model_validate(
        {
            "name": "same",
            "preset": "production",
            "metal_structure": "Li",
            "phases": [{**given, "states": states}],
        }
    )
    assert planned(electrode, database) == {one.request.hash for one in dry_run(config, database)}


def test_in_an_empty_folder(empty_folder: Path) -> None:
    """Each job runs in a folder of its own; results go where they went when the flow was made."""
    flow = Flow([MetalMaker(preset=SHIPPED).make(crystal("Li"), "Li", **LITHIUM)])
    responses = run_locally(flow, create_folders=True, ensure_success=True, log=False)
    last = responses[flow.jobs[0].uuid]
    record = last[max(last)].output
    assert isinstance(record, interohm.Metal)
    (data,) = [path for path in empty_folder.iterdir() if not path.name.startswith("job_")]
    assert data.name == "interohm-data"
    with Database.open(Settings(data=data)) as database:
        found = database.material("Li")
    assert found is not None
    documents = [
        response.output
        for own in responses.values()
        for response in own.values()
        if isinstance(response.output, CalculationDocument)
    ]
    assert len(documents) == 3  # cell, bulk, slab
    assert all(one.energy_eV < 0 and one.structure and one.settings["xc"] for one in documents)
    stored = MontyDecoder().process_decoded(jsanitize(documents[0], strict=True))
    assert stored == documents[0]
    assert stored["hash"] == documents[0].hash
    assert "setting" not in stored
    assert found == record
    # as it comes from a job store; the last digits of its structure are made anew
    again = MontyDecoder().process_decoded(jsanitize(record, strict=True))
    apart = {"structure": None}
    assert again.model_copy(update=apart) == record.model_copy(update=apart)
    assert Structure.from_dict(again.structure) == Structure.from_dict(record.structure)
    assert not list(empty_folder.rglob("job_*/interohm-data"))


def test_all_crystals_may_be_atoms_or_outputs(database: Database) -> None:
    """The metal's and those beside the phase, too."""
    fields = {"facet": (0, 0, 1), "dielectric_constant": 9.0}
    lithium, fluoride, magnesium = (crystal(name) for name in ("Li", "LiF", "MgF2"))
    dopants = [{"element": "Mg", "replaces": "Li"}]

    def made(metal: Any, structure: Any, beside: Any) -> Any:
        return InsulatorMaker(preset=TINY, metal=metal).make(
            structure, "LiF", equilibrium_with={"MgF2": beside}, dopants=dopants, **fields
        )

    expected = planned(made(lithium, fluoride, magnesium), database)
    atoms = [AseAtomsAdaptor.get_atoms(one) for one in (lithium, fluoride, magnesium)]
    assert planned(made(*atoms), database) == expected
    store, before = memory_store(), of_another("structure")
    run_locally(before, store=store, log=False)
    own = made(before.output, fluoride, magnesium)
    assert set(kinds_planned(own, database, store)) == expected
    with pytest.raises(InputError, match="LiF is not the metal of Li"):
        made(fluoride, fluoride, magnesium)


@job
def sums_up(
    energy_eV: float, levels: list[float], name: str, structure: Structure, states: list[Any]
) -> Any:
    """Stand for a flow of another that reads results."""
    return [energy_eV, *levels, name, structure, states[0].work_function_eV.value]


def test_outputs_are_read_by_flows_of_others() -> None:
    lithium = load_preset(SHIPPED)
    relaxed, _ = bulk_jobs(Crystal.from_structure(crystal("Li")), lithium, "metal", "Li")
    phase = MetalMaker(preset=SHIPPED).make(crystal("Li"), "Li", **LITHIUM)
    cell, record = relaxed.output, phase.output
    levels, states = [cell.fermi_level_eV], record.states
    after = sums_up(cell.energy_eV, levels, record.name, record.structure, states)
    responses = run_locally([relaxed, phase, after], ensure_success=True, log=False)
    energy_eV, fermi_level_eV, name, structure, work_function_eV = responses[after.uuid][1].output
    document = responses[relaxed.uuid][1].output
    assert (energy_eV, fermi_level_eV) == (document.energy_eV, document.fermi_level_eV)
    assert name == "Li"
    assert 2 < work_function_eV < 4
    assert structure.matches(document.structure)
    for output, field in ((cell, "energy"), (record, "band_gap_eV")):
        with pytest.raises(AttributeError, match=field):
            getattr(output, field)


@job
def of_another(kind: str) -> Any:
    """Stand for a relaxation of another workflow."""
    structure = crystal("Li")
    if kind == "structure":
        return structure
    if kind == "atoms":
        return {"atoms": AseAtomsAdaptor.get_atoms(structure, msonable=True)}
    return {"energy": -1.9, "structure": structure}


@pytest.mark.parametrize("kind", ["structure", "document", "atoms"])
def test_after_a_job_of_another(tmp_path: Path, kind: str) -> None:
    before = of_another(kind)
    own = MetalMaker(preset=SHIPPED, database=tmp_path / "own").make(before.output, "Li", **LITHIUM)
    responses = run_locally([before, own], create_folders=True, ensure_success=True, log=False)
    assert set(responses) >= {before.uuid, own.uuid}
    with Database.open(Settings(data=tmp_path / "own")) as database:
        assert database.material_names() == ["Li"]


def test_where_results_go_is_decided_when_the_flow_is_made(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEROHM_DATA", "here")
    made = MetalMaker(preset=SHIPPED).make(crystal("Li"), "Li", **LITHIUM)
    monkeypatch.setenv("INTEROHM_DATA", "there")
    run_locally(made, create_folders=True, ensure_success=True, log=False)
    assert (empty_folder / "here").is_dir()
    assert not list(empty_folder.rglob("there"))


def test_a_missing_server_is_refused_before_anything_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uri = "mongodb://me:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=50"
    monkeypatch.setenv("INTEROHM_MONGODB_URI", uri)
    made = MetalMaker().make(crystal("Li"), "Li", **LITHIUM)
    assert "hunter2" not in json.dumps(made.as_dict(), default=str)
    monkeypatch.delenv("INTEROHM_MONGODB_URI")
    with pytest.raises(InputError, match="no database server is set"):
        run_locally(made, raise_immediately=True, log=False)


def test_a_worker_elsewhere_makes_no_folder_of_its_own(empty_folder: Path) -> None:
    made = MetalMaker().make(crystal("Li"), "Li", **LITHIUM)
    made.metadata["fw_id"] = 1  # as jobflow has it where FireWorks runs a job
    (folder,) = empty_folder.iterdir()
    folder.rmdir()  # on another machine it is not
    with pytest.raises(InputError, match="not on the machine of this worker"):
        run_locally(made, raise_immediately=True, log=False)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MetalMaker().make(crystal("Li"), "Li"), "Li: .*facet: missing field"),
        (lambda: MetalMaker().make("Li.cif", "Li", **LITHIUM), "str is not a structure"),
        (lambda: MetalMaker(engine="vasp").make(crystal("Li"), **LITHIUM), "is for gpaw, not for"),
        (lambda: MetalMaker(metal="LiF").make(crystal("Li"), **LITHIUM), "not the metal of Li"),
        (
            lambda: InsulatorMaker().make(
                crystal("NaCl"), facet=(0, 0, 1), dielectric_constant=6.0
            ),
            "does not contain Li",
        ),
    ],
)
def test_what_is_refused_when_a_flow_is_made(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


@pytest.fixture
def vasp(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(relaxed_already(request.param, tmp_path / "vasp"))


@pytest.mark.calculates
@pytest.mark.parametrize("vasp", ["Li_110"], indirect=True)
def test_after_a_relaxation_of_atomate2(tmp_path: Path, vasp: str) -> None:
    """The program is a stand-in; inputs, parsing and the flow are atomate2's own."""
    relax = relaxation("Li", vasp)
    own = MetalMaker(preset=SHIPPED, database=tmp_path / "own").make(
        relax.output.structure, "Li", **LITHIUM
    )
    responses = run_locally([relax, own], create_folders=True, raise_immediately=True, log=False)
    assert responses[relax.uuid][1].output.structure.composition.reduced_formula == "Li"
    with Database.open(Settings(data=tmp_path / "own")) as database:
        assert database.material_names() == ["Li"]


@pytest.mark.calculates
@pytest.mark.parametrize("vasp", ["LiF_001"], indirect=True)
def test_the_documented_flow_is_planned(tmp_path: Path, vasp: str) -> None:
    """An insulator by VASP after atomate2's relaxation, as in docs/clusters.md."""
    relax, store = relaxation("LiF", vasp), memory_store()
    own = InsulatorMaker(engine="vasp", preset="vasp", database=tmp_path / "own").make(
        relax.output.structure, "LiF", facet=(0, 0, 1), dielectric_constant="calculate"
    )
    run_locally(relax, create_folders=True, raise_immediately=True, log=False, store=store)
    with Database.open(Settings(data=tmp_path / "own"), write=True) as database:
        after = kinds_planned(own, database, store)
        relaxed = shipped_cell("LiF_001").final_structure
        maker = InsulatorMaker(engine="vasp", preset="vasp", database=tmp_path / "own")
        direct = maker.make(relaxed, "LiF", facet=(0, 0, 1), dielectric_constant="calculate")
        assert set(after) == planned(direct, database)
    assert set(after.values()) >= {"cell", "static", "relax", "dielectric"}


def relaxation(name: str, vasp: str) -> Any:
    """Return atomate2's relaxation of a crystal by the stand-in."""
    from atomate2.vasp.jobs.core import RelaxMaker

    return RelaxMaker(
        run_vasp_kwargs={"job_type": "direct", "vasp_cmd": vasp},
        write_input_set_kwargs={"potcar_spec": True},
    ).make(crystal(name))
