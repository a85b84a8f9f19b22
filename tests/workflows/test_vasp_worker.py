"""What VASP's worker makes of a path and of a dielectric response, finished runs played back."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Incar, Poscar
from vasp_writer import potcar, write_calculation, write_path

from interohm.postprocess.barriers import migration_energy
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.dielectric import static_dielectric_tensor
from interohm.workflows.engines.protocol import CalculationError, Progress
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.engines.vasp import VaspEngine, VaspRun
from interohm.workflows.engines.vasp_inputs import in_poscar_order, path_images

RESPONSE = Path(__file__).parents[1] / "data" / "calculations" / "response"
ENERGIES_EV = [-150.0, -149.7, -149.42, -149.71, -150.0]
STEP = {
    "xc": "PBE",
    "periodic_axes": 3,
    "kpoint_length_A": 4,
    "cutoff_eV": 520,
    "incar": {},
    "potcars": {"functional": "PBE_54", "symbols": {"Li": "Li", "F": "F"}},
}
POTCAR = potcar(("Li", "PAW_PBE Li 01Jan2000", 1.0), ("F", "PAW_PBE F 01Jan2000", 7.0))


def hop() -> CalculationRequest:
    """A lithium ion of LiF goes into the empty site beside it; fluorine comes first."""
    perfect = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.07), ["F", "Li"], [[0.5, 0.5, 0.5], [0, 0, 0]]
    )
    lithium = [site for site in range(8) if perfect[site].specie.symbol == "Li"]
    before = perfect.copy()
    before.remove_sites([lithium[0]])
    after = before.copy()
    after.replace(before.index(perfect[lithium[1]]), "Li", perfect[lithium[0]].frac_coords)
    steps = after.frac_coords - before.frac_coords
    end = before.frac_coords + steps - np.round(steps)
    path = {
        "images": 3,
        "spring_eV_A2": 5.0,
        "end_positions_A": before.lattice.get_cartesian_coords(end).tolist(),
    }
    settings = {**STEP, "input_set": "neb", "path": path}
    return VaspEngine().request(before, "neb", settings, -1)


def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a vasp_std on the PATH."""
    path = tmp_path / "bin" / "vasp_std"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")


pytestmark = pytest.mark.calculates


@pytest.fixture
def played_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A VASP that leaves the files of a finished path, or of one of its ends; their folder."""
    files = tmp_path / "finished"
    write_path(path_images(hop()), ENERGIES_EV, files)
    # One file by all images: no XML.
    (files / "vasprun.xml").write_text("<modeling><calculation></modeling>\n")
    script = f"""
name=$(basename $PWD)
echo $name >> {tmp_path}/calls
if [ -d 00 ]; then
    cp {files}/vasprun.xml .
    for image in 01 02 03; do cp {files}/$image/OUTCAR {files}/$image/CONTCAR \\
        {files}/$image/OSZICAR $image; done
else
    cp {files}/$name/OUTCAR .
    cp POSCAR CONTCAR
    echo '   1 F= -.15E+03 E0= -.15E+03  d E =0' > OSZICAR
    cp {files}/end.xml vasprun.xml
fi
"""
    program(tmp_path, monkeypatch, script)
    return files


def started(request: CalculationRequest, folder: Path) -> VaspRun:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "POTCAR").write_text(POTCAR)
    run = VaspEngine().start(request, folder)
    try:
        run.wait()
    finally:
        run.stop()
    return run


@pytest.fixture
def end_run(played_back: Path) -> None:
    """custodian wants a vasprun.xml of each end."""
    request = hop()
    end = Calculation(
        hash=request.hash,
        engine="vasp",
        kind="static",
        charge=-1,
        settings={"xc": "PBE", "cutoff_eV": 520, "kpoints": [1, 1, 1]},
        initial_structure=request.structure,
        structure=request.structure,
        energy_eV=-150.0,
        electrons=32,
        fermi_level_eV=0.5,
        vbm_eV=0.0,
        cbm_eV=1.0,
        max_force_eV_A=0.0,
        site_potentials_eV=[-40.0] * 7,
        ionic_steps=1,
        wall_time_s=1.0,
        versions={},
    )
    write_calculation(end, played_back / "static")
    (played_back / "static" / "vasprun.xml").rename(played_back / "end.xml")


def test_a_path_ends_in_the_document_that_was_asked_for(
    played_back: Path, end_run: None, tmp_path: Path
) -> None:
    request = hop()
    run = started(request, tmp_path / "run")
    assert run.progress() == Progress(ionic_step=2, scf_iteration=0, max_force_eV_A=None)
    found = run.result()
    assert (tmp_path / "calls").read_text().split() == ["00", "04", "run"]
    assert (found.hash, found.kind, found.charge) == (request.hash, "neb", -1)
    assert found.settings == request.settings
    assert migration_energy(found) == pytest.approx(0.58)
    assert found.path is not None
    assert len(found.path.energies_eV) == 5
    # Fluorine comes last in POSCAR and first in the request.
    assert found.final_structure.species == request.initial_structure.species
    assert found.site_potentials_eV[-1] == pytest.approx(-40.03)
    end = Incar.from_file(tmp_path / "run" / "00" / "INCAR")
    assert (end["NSW"], end["NELECT"], end.get("IMAGES")) == (0, 32, None)


def test_a_killed_path_goes_on_from_its_images(played_back: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for end in ("00", "04"):
        (folder / end).mkdir(parents=True)
        shutil.copy(played_back / end / "OUTCAR", folder / end)
    moved = hop().initial_structure
    moved.translate_sites([0], [0.01, 0, 0])
    left = Poscar(in_poscar_order(moved)).get_str()
    for image, text in (("01", left), ("02", left[:300])):
        (folder / image).mkdir()
        (folder / image / "CONTCAR").write_text(text)
    started(hop(), folder).result()
    # The ends are known; an image whose geometry is not whole begins where the path began.
    assert (tmp_path / "calls").read_text().split() == ["run"]
    assert (folder / "01" / "POSCAR").read_text() == left
    begun = Structure.from_file(folder / "02" / "POSCAR")
    assert begun.matches(path_images(hop())[2])


def test_an_unconverged_image_is_a_failure_that_names_it(
    played_back: Path, end_run: None, tmp_path: Path
) -> None:
    image = played_back / "03" / "OUTCAR"
    image.write_text(image.read_text().replace("reached required accuracy", ""))
    with pytest.raises(CalculationError, match=r"03/OUTCAR: the ions did not converge in NSW = 99"):
        started(hop(), tmp_path / "run").result()


def test_an_end_that_broke_off_is_a_failure(
    played_back: Path, end_run: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATOMATE2_VASP_CUSTODIAN_MAX_ERRORS", "1")
    end = played_back / "end.xml"
    end.write_text(end.read_text()[:2000])
    with pytest.raises(CalculationError, match=r"00/vasprun.xml: the file is cut off"):
        started(hop(), tmp_path / "run").result()
    assert (tmp_path / "calls").read_text().split()[-1] == "00"


@pytest.fixture
def response() -> Calculation:
    """That of LiF, by GPAW."""
    (file,) = RESPONSE.glob("*.json.gz")
    return Calculation.model_validate_json(gzip.decompress(file.read_bytes()))


def asked_response(response: Calculation) -> CalculationRequest:
    settings = {**STEP, "input_set": "dielectric"}
    return VaspEngine().request(response.final_structure, "dielectric", settings, 0)


def test_a_response_has_the_order_of_the_sites_that_was_asked_for(
    response: Calculation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "finished"
    write_calculation(response, files)
    program(tmp_path, monkeypatch, f"cp {files}/* .\ncp POSCAR CONTCAR\ntouch OSZICAR\n")
    request = asked_response(response)
    found = started(request, tmp_path / "run").result()
    assert (found.hash, found.kind) == (request.hash, "dielectric")
    assert np.allclose(
        static_dielectric_tensor(found), static_dielectric_tensor(response), atol=1e-3
    )
    assert found.response is not None
    assert response.response is not None
    assert np.allclose(found.response.born_charges, response.response.born_charges, atol=1e-6)
    constants = (one.response.force_constants_eV_A2 for one in (found, response) if one.response)
    assert np.allclose(*constants, atol=1e-6)


def test_a_static_calculation_is_no_response(
    response: Calculation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "finished"
    write_calculation(response.model_copy(update={"response": None, "kind": "static"}), files)
    program(tmp_path, monkeypatch, f"cp {files}/* .\ncp POSCAR CONTCAR\ntouch OSZICAR\n")
    with pytest.raises(CalculationError, match="VASP calculated no response of the ions"):
        started(asked_response(response), tmp_path / "run").result()
