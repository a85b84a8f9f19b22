"""Records from task documents, which emmet makes of the files at hand."""

from __future__ import annotations

import gzip
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emmet.core.tasks import TaskDoc
from emmet.core.vasp.calculation import Calculation as EmmetCalculation
from monty.json import jsanitize
from pymatgen.io.vasp import Poscar
from vasp_writer import write_calculation

from interohm.cli import main
from interohm.database import Database
from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.dielectric import static_dielectric_tensor
from interohm.postprocess.vasp import UnusableEnergy, read_vasp
from interohm.records import Insulator, Metal
from interohm.settings import load_settings
from interohm.workflows import vasp_tasks
from interohm.workflows.vasp_folders import Finished
from interohm.workflows.vasp_import import import_folder, import_store
from interohm.workflows.vasp_tasks import calculation_of_task, path_of_task

DATA = Path(__file__).parents[1] / "data"
REAL = DATA / "vasp" / "real"
IMPORT = """
mobile_ion: Li
phases:
  - {kind: metal, name: Li, formula: Li, facet: [1, 1, 0]}
  - {kind: insulator, name: LiF, formula: LiF, facet: [0, 0, 1], dielectric_constant: 9.0}
"""


#: What pymatgen counts on in every OUTCAR, and the written ones lack.
HEAD = """   number of bands    NBANDS=     12
   total plane-waves  NPLWV =  10000
   dimension x,y,z NGXF=    60 NGYF=   60 NGZF=   60
   IBRION =     -1    ionic relax
"""
RADII = "potential at core\n  the test charge radii are     1.1206  0.7089\n"


def task_of(folder: Path, label: str) -> dict[str, Any]:
    """Return the task that emmet makes of a written folder.

    Levels and core potentials, which pymatgen does not find in what is written, are filled in.
    """
    known = read_vasp(folder)
    Poscar(known.final_structure).write_file(folder / "CONTCAR")
    outcar = (folder / "OUTCAR").read_text().replace("potential at core\n", RADII)
    (folder / "OUTCAR.task").write_text(HEAD + outcar)
    files = [Path("LOCPOT")] if (folder / "LOCPOT").exists() else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, _ = EmmetCalculation.from_vasp_files(
            folder, label, "vasprun.xml", "OUTCAR.task", "CONTCAR", volumetric_files=files
        )
    document = jsanitize(one, strict=True, enum_values=True)  # as jobflow stores it
    output = document["output"]
    output |= {"efermi": known.fermi_level_eV, "is_metal": known.vbm_eV is None}
    output |= {"vbm": known.vbm_eV, "cbm": known.cbm_eV}
    output["outcar"]["electrostatic_potential"] = known.site_potentials_eV
    return {"task_label": label, "calcs_reversed": [document]}


def store(folder: Path, tasks: dict[str, dict[str, Any]]) -> Path:
    """Write a job store, as jobflow's JSON store keeps it, and its jobflow.yaml."""
    documents = [
        {"uuid": f"{place:08d}-0000", "index": 1, "name": name, "output": task}
        for place, (name, task) in enumerate(tasks.items())
    ]
    documents.append({"uuid": "ffffffff-0000", "index": 1, "name": "other", "output": {"a": 1}})
    (folder / "jobs.json").write_text(json.dumps(documents))
    path = folder / "jobflow.yaml"
    path.write_text(
        f"JOB_STORE:\n  docs_store: {{type: JSONStore, key: uuid, paths: {folder / 'jobs.json'}}}\n"
    )
    return path


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, Any]]]:
    """Folders of a whole set, and their tasks."""
    root = tmp_path_factory.mktemp("quick")
    tasks = {}
    for place, path in enumerate(sorted((DATA / "calculations" / "quick").glob("*.json.gz"))):
        one = Calculation.model_validate_json(gzip.decompress(path.read_bytes()))
        write_calculation(one, root / "folders" / str(place))
        tasks[f"task {place}"] = task_of(root / "folders" / str(place), "static")
    (root / "folders" / "import.yaml").write_text(IMPORT)
    (root / "import.yaml").write_text(IMPORT)
    return root, tasks


def test_tasks_make_the_records_of_their_folders(
    quick: tuple[Path, dict[str, dict[str, Any]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root, tasks = quick
    path = store(root, tasks)
    made, expected = import_store(root, path, {}), import_folder(root / "folders")
    assert not made.failures
    assert not made.finished.left_out
    for own, other in zip(made.records, expected.records, strict=True):
        if isinstance(own, Metal) and isinstance(other, Metal):
            values = [[r.states[0].work_function_eV.value] for r in (own, other)]
        else:
            assert isinstance(own, Insulator)
            assert isinstance(other, Insulator)
            values = [
                [r.ionization_potential_eV.value, r.band_gap_eV.value]
                + [defect.formation_energy_eV.value for defect in r.defects]
                for r in (own, other)
            ]
        assert values[0] == pytest.approx(values[1], abs=2e-4)
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "project"))
    monkeypatch.delenv("INTEROHM_MONGODB_URI", raising=False)
    query = json.dumps({"output.task_label": "static"})
    with pytest.raises(SystemExit) as ended:
        main(["import", str(root), "--store", str(path), "--query", query])
    assert ended.value.code == 0
    with Database.open(load_settings()) as database:
        assert database.material_names() == ["Li", "LiF"]
    for asked, told in (("[1]", "is not a JSON query"), ("{'a': 1}", "is not a JSON query")):
        with pytest.raises(SystemExit) as ended:
            main(["import", str(root), "--store", str(path), "--query", asked])
        assert ended.value.code == 2
        assert told in capsys.readouterr().err
    with pytest.raises(InputError, match="none of the 1 documents that the query finds is a task"):
        import_store(root, path, {"name": "other"})


def test_a_store_that_cannot_be_read_is_named_without_its_secrets(
    quick: tuple[Path, dict[str, dict[str, Any]]], tmp_path: Path
) -> None:
    path = tmp_path / "jobflow.yaml"
    path.write_text(
        "JOB_STORE:\n  docs_store: {type: MongoURIStore, uri: 'mongodb://me:secret@['}\n"
    )
    with pytest.raises(InputError, match=r"jobflow.yaml: the store cannot be read") as told:
        import_store(quick[0], path, {})
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("folder", ["Si_double_relax"])
def test_a_real_task_is_its_folder(folder: str) -> None:
    task = jsanitize(TaskDoc.from_directory(REAL / folder), strict=True, enum_values=True)
    own, other = calculation_of_task(task, folder), read_vasp(REAL / folder)
    fields = (
        "kind",
        "charge",
        "electrons",
        "energy_eV",
        "fermi_level_eV",
        "vbm_eV",
        "cbm_eV",
        "max_force_eV_A",
        "site_potentials_eV",
        "ionic_steps",
    )
    for name in fields:
        assert getattr(own, name) == pytest.approx(getattr(other, name), abs=1e-6), name
    for name in ("xc", "method", "kpoints", "cutoff_eV", "potcars"):
        assert own.settings[name] == other.settings[name]


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("input", None, "it lacks input"),
        ("output.structure", None, "it lacks structure"),
        ("output.ionic_steps", None, "lacks output.ionic_steps with forces"),
        ("input.potcar_spec", [], "lacks input.potcar_spec"),
        ("has_vasp_completed", "failed", "VASP did not finish"),
        ("output.num_electronic_steps", [100], "electrons did not converge in NELM = 100"),
        ("input.potcar_spec", [{"titel": "PAW_PBE Si_odd 05Jan2001"}], "Si_odd is not known"),
    ],
)
def test_what_a_task_lacks_is_named(part: str, value: Any, reason: str) -> None:
    task = TaskDoc.from_directory(REAL / "Si_double_relax").model_dump(mode="json")
    place = task["calcs_reversed"][0]
    *outer, last = part.split(".")
    for name in outer:
        place = place[name]
    place[last] = value
    with pytest.raises(InputError, match=reason):
        calculation_of_task(task, "a task")


def test_a_task_of_a_fixed_density_has_no_energy() -> None:
    task = TaskDoc.from_directory(REAL / "Si_double_relax").model_dump(mode="json")
    task["calcs_reversed"][0]["input"]["incar"]["ICHARG"] = 11
    with pytest.raises(UnusableEnergy, match="ICHARG = 11"):
        calculation_of_task(task, "bands")


@pytest.mark.parametrize("thz", [False, True])
def test_the_response_of_a_task(tmp_path: Path, thz: bool) -> None:
    (file,) = (DATA / "calculations" / "response").glob("*.json.gz")
    written = Calculation.model_validate_json(gzip.decompress(file.read_bytes()))
    write_calculation(written, tmp_path / "run", thz=thz)
    task = task_of(tmp_path / "run", "dielectric")
    one = task["calcs_reversed"][0]
    expected = read_vasp(tmp_path / "run")
    assert expected.response is not None
    # What emmet takes from OUTCAR.
    one["output"]["outcar"]["born"] = expected.response.born_charges
    one["vasp_version"] = "6.4.2" if thz else "5.4.4"
    found = calculation_of_task(task, "dielectric")
    assert static_dielectric_tensor(found) == pytest.approx(
        static_dielectric_tensor(expected), abs=1e-4
    )
    del one["output"]["force_constants"]
    with pytest.raises(InputError, match=r"it lacks output.force_constants of the dielectric"):
        calculation_of_task(task, "dielectric")


def test_a_path_of_tasks() -> None:
    """The images' structures and energies are real; emmet has no task of theirs without XML."""
    ends = [
        TaskDoc.from_directory(REAL / "Si_NEB" / f"relax_endpoint_{n}").model_dump(mode="json")
        for n in (1, 2)
    ]
    calculations = [ends[0]["calcs_reversed"][0], ends[1]["calcs_reversed"][0]]
    images = []
    for number, energy in (("01", -358.10829264), ("02", -358.01855593), ("03", -358.10827223)):
        image = json.loads(json.dumps(calculations[0]))
        structure = Poscar.from_file(REAL / "Si_NEB" / "NEB" / number / "POSCAR.gz").structure
        image["output"] |= {"energy": energy, "structure": structure.as_dict()}
        images.append(image)
    whole = [calculations[0], *images, calculations[1]]
    task = {
        "image_indices": list(range(5)),
        "calculations": whole,
        "images": [one["output"]["structure"] for one in whole],
    }
    found = path_of_task(task, "path")
    assert found.path is not None
    energies = np.array(found.path.energies_eV) - found.path.energies_eV[0]
    assert energies == pytest.approx([0, 0.0687, 0.1585, 0.0688, 0], abs=5e-5)
    assert max(np.diff(found.path.coordinates_A)) < 1.0
    task["calculations"] = [None, *whole[1:]]
    with pytest.raises(InputError, match="lacks the calculations of its images or ends"):
        path_of_task(task, "path")


def test_a_task_that_names_code_is_left_out_and_named(
    quick: tuple[Path, dict[str, dict[str, Any]]],
) -> None:
    root, tasks = quick
    name, task = next(iter(tasks.items()))
    poisoned = json.loads(json.dumps(task, default=str))
    structure = poisoned["calcs_reversed"][0]["output"]["structure"]
    structure["sites"][0]["properties"] = {"m": {"@module": "interohm.__main__", "@class": "x"}}
    finished = Finished(root)
    vasp_tasks._read(name, poisoned, finished)
    assert not finished.calculations
    assert "refers to code of" in str(finished.left_out[name])
