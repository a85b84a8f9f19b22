"""Finished VASP folders of public test suites: every kind of run that people keep."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
from pathlib import Path

import numpy as np
import pytest

from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.comparison import energy_differences
from interohm.postprocess.defects import formation_energy
from interohm.postprocess.vasp import UnusableEnergy, read_band_structure, read_vasp
from interohm.postprocess.vasp_files import find_file
from interohm.postprocess.vasp_path import read_vasp_path
from interohm.slab_builders.identify import identify_defect

REAL = Path(__file__).parents[1] / "data" / "vasp" / "real"
YTOS_TENSOR = np.diag([40.7, 40.7, 25.2])


@pytest.mark.parametrize(
    ("folder", "functional"),
    [
        ("Si_NEB/relax_endpoint_1", "PBEsol"),
        ("Si_double_relax", "PBE"),
        ("Si_band_structure/static", "PBE"),
        ("r2scan_static", "r2SCAN"),
        ("d3_static", "r2SCAN"),
        ("vdw", "PBE+dispersion"),
    ],
)
def test_the_functional_of_a_run(folder: str, functional: str) -> None:
    found = read_vasp(REAL / folder)
    assert found.settings["xc"] == functional
    assert found.settings["method"]["functional"] == functional


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("Si_band_structure/non-scf_line", "ICHARG = 11"),
        ("Si_band_structure/non-scf_uniform", "ICHARG = 11"),
        ("hse_line", "its energy or forces are not numbers"),
        ("g0w0", "quasiparticle energies .ALGO = GW0"),
        ("bse", "excitons .ALGO = BSE"),
        ("optical_transitions", "excitons .ALGO = BSE"),
    ],
)
def test_energies_that_must_not_be_used(folder: str, reason: str) -> None:
    with pytest.raises(UnusableEnergy, match=f"{folder}/vasprun.xml.gz: .*{reason}"):
        read_vasp(REAL / folder)


def test_band_edges_of_runs_without_an_energy() -> None:
    static = read_vasp(REAL / "Si_band_structure" / "static")
    line, uniform = (
        read_band_structure(REAL / "Si_band_structure" / f"non-scf_{name}")
        for name in ("line", "uniform")
    )
    # One density: the valence band's top at Gamma is the same, the line is nearest to the minimum.
    assert static.vbm_eV == pytest.approx(line.vbm_eV, abs=1e-3)
    assert static.vbm_eV == pytest.approx(uniform.vbm_eV, abs=1e-3)
    assert line.cbm_eV == pytest.approx(6.2269)
    assert line.cbm_eV < static.cbm_eV < uniform.cbm_eV
    assert not energy_differences(static, static.model_copy(update={"settings": line.settings}))
    hybrid = read_band_structure(REAL / "hse_line")
    assert hybrid.settings["xc"] == "HSE06"
    assert hybrid.cbm_eV - hybrid.vbm_eV == pytest.approx(1.196, abs=1e-3)
    with pytest.raises(InputError, match=r"bse/vasprun.xml.gz: it calculates excitons"):
        read_band_structure(REAL / "bse")


def test_of_two_relaxations_the_last_one_counts() -> None:
    found = read_vasp(REAL / "Si_double_relax")
    assert found.energy_eV == pytest.approx(-10.84687704, abs=1e-8)
    assert find_file(REAL / "Si_double_relax", "OUTCAR").name == "OUTCAR.relax2.gz"


def test_files_of_one_folder_are_of_one_run(tmp_path: Path) -> None:
    for name in ("vasprun.xml.relax1.gz", "vasprun.xml.relax2.gz", "CONTCAR.relax2.gz"):
        shutil.copy(REAL / "Si_double_relax" / name, tmp_path)
    # Another run's, whose potentials would be of other sites.
    shutil.copy(REAL / "YTOS" / "bulk" / "OUTCAR.gz", tmp_path / "OUTCAR.relax1.gz")
    assert read_vasp(tmp_path).site_potentials_eV == []
    # A run that goes on without a suffix is the newest.
    shutil.copy(REAL / "r2scan_static" / "vasprun.xml.gz", tmp_path / "vasprun.xml.gz")
    assert read_vasp(tmp_path).settings["xc"] == "r2SCAN"


@pytest.mark.parametrize(
    "name", ["vasprun.xml", "vasprun.xml.bz2", "vasprun.xml.xz", "VASPRUN.XML.GZ", "Vasprun.xml"]
)
def test_files_under_other_names(tmp_path: Path, name: str) -> None:
    content = gzip.decompress((REAL / "r2scan_static" / "vasprun.xml.gz").read_bytes())
    pack = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    packed = pack.get(Path(name).suffix.lower(), bytes)(content)
    (tmp_path / name).write_bytes(packed)
    assert read_vasp(tmp_path).energy_eV == pytest.approx(-17.53895667)
    for share in (0.3, 0.95):
        (tmp_path / name).write_bytes(packed[: int(share * len(packed))])
        with pytest.raises(InputError, match=f"{name}: the file is cut off"):
            read_vasp(tmp_path)


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "vasprun.xml.gz").symlink_to(tmp_path / "scratch" / "vasprun.xml.gz")
    with pytest.raises(InputError, match=r"vasprun.xml.gz: it is a link to a file that is not"):
        read_vasp(tmp_path)


@pytest.fixture(scope="module")
def ytos() -> dict[str, Calculation]:
    return {name: read_vasp(REAL / "YTOS" / name) for name in ("bulk", "F_O_+1", "F_i_-1")}


@pytest.mark.parametrize(("name", "published_eV"), [("F_O_+1", 0.12699), ("F_i_-1", -0.003618)])
def test_published_corrections_in_an_anisotropic_dielectric(
    ytos: dict[str, Calculation], name: str, published_eV: float
) -> None:
    bulk, defect = ytos["bulk"], ytos[name]
    center = identify_defect(bulk.final_structure, defect.final_structure).position
    none = {"added": {}, "chemical_potentials_eV": {}, "valence_band_maximum_eV": 0.0}
    found, mean = (
        formation_energy(bulk, defect, center=center, dielectric_constant=dielectric, **none)
        for dielectric in (YTOS_TENSOR, float(np.trace(YTOS_TENSOR) / 3))
    )
    assert found.point_charge_eV + found.alignment_eV == pytest.approx(published_eV, abs=5e-5)
    # A third of the trace is 0.02 eV off.
    assert mean.point_charge_eV + mean.alignment_eV - published_eV > 0.02
    assert "beyond 11.420 Å" in str(found.alignment_region)
    assert 0 < found.alignment_spread_eV < 0.02


def test_image_energies_with_ends_elsewhere() -> None:
    found = read_vasp_path(REAL / "Si_NEB" / "NEB")
    assert found.path is not None
    energies = np.array(found.path.energies_eV) - found.path.energies_eV[0]
    assert energies == pytest.approx([0, 0.0687, 0.1585, 0.0688, 0], abs=5e-5)
    # In the order of the end's own folder the last step would be one of 33 Å.
    assert np.diff(found.path.coordinates_A) == pytest.approx([0.59] * 4, abs=2e-3)
    assert found.settings["path"]["ends_differ"] == {"PREC": ["Accurate", "Normal"]}
    assert found.settings["xc"] == "PBEsol"


def test_an_end_in_another_order_is_no_path(tmp_path: Path) -> None:
    folder = tmp_path / "NEB"
    shutil.copytree(REAL / "Si_NEB" / "NEB", folder)
    for name in ("relax_endpoint_1", "relax_endpoint_2"):
        shutil.copytree(REAL / "Si_NEB" / name, tmp_path / name)
    # As a path begins that somebody made of the end's own file.
    shutil.copy(REAL / "Si_NEB" / "relax_endpoint_2" / "CONTCAR.gz", folder / "04" / "POSCAR.gz")
    with pytest.raises(InputError, match=r"relax_endpoint_2: 24 atoms are up to 9\.4 Å away"):
        read_vasp_path(folder)
    shutil.rmtree(tmp_path / "relax_endpoint_2")
    with pytest.raises(InputError, match=r"04: there is no OUTCAR, and no calculation of this end"):
        read_vasp_path(folder)


def test_a_fractional_charge_is_refused(tmp_path: Path) -> None:
    content = lzma.decompress((REAL / "YTOS" / "F_O_+1" / "vasprun.xml.xz").read_bytes())
    changed = content.replace(b'"NELECT">   1296.00000000', b'"NELECT">   1296.50000000')
    assert changed != content
    (tmp_path / "vasprun.xml").write_bytes(changed)
    with pytest.raises(InputError, match=r"NELECT = 1296.5 leaves the cell a fractional charge"):
        read_vasp(tmp_path)
