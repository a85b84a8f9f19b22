"""Finished VASP calculations of others, and what was made of them elsewhere."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from monty.serialization import loadfn
from pymatgen.analysis.defects.core import Substitution
from pymatgen.analysis.defects.thermo import DefectEntry, FormationEnergyDiagram
from pymatgen.core import PeriodicSite, Structure
from pymatgen.entries.computed_entries import ComputedStructureEntry
from pymatgen.io.vasp import Locpot, Poscar

from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation, PlanarPotential
from interohm.postprocess.defect_corrections import point_charge_correction
from interohm.postprocess.defects import (
    formation_energy,
    transition_levels,
    uncorrected_formation_energy,
)
from interohm.postprocess.levels import level_above_middle, slab_center, work_function
from interohm.postprocess.planar_defect_alignment import planar_alignment
from interohm.postprocess.potentials import vacuum_level
from interohm.postprocess.vasp import read_vasp

DATA = Path(__file__).parents[1] / "data" / "vasp"
BOHR_A = 0.529177210903
#: Edges of the supercell as sxdefectalign printed them, in bohr.
GAN_SUPERCELL_A = BOHR_A * np.array([[12.0524, 0, 0], [-6.02621, 10.4377, 0], [0, 0, 19.6243]])
CHARGES = (-2, -1, 0, 1)
Make = Callable[..., Calculation]


@pytest.fixture(scope="module")
def bulk() -> Calculation:
    return read_vasp(DATA / "Mg_Ga" / "bulk_sc")


@pytest.fixture(scope="module")
def mg_on_ga() -> dict[int, Calculation]:
    return {charge: read_vasp(DATA / "Mg_Ga" / f"q={charge}") for charge in CHARGES}


def test_what_a_folder_tells(bulk: Calculation, mg_on_ga: dict[int, Calculation]) -> None:
    assert bulk.energy_eV == pytest.approx(-209.79608873)
    assert bulk.electrons == 16 * (13 + 5)
    assert bulk.charge == 0
    assert (bulk.vbm_eV, bulk.cbm_eV) == pytest.approx((4.5715, 8.4147))
    assert bulk.fermi_level_eV == pytest.approx(4.8321, abs=0.02)
    assert bulk.settings["xc"] == "PBEsol"
    assert bulk.settings["potcars"] == ["PAW_PBE Ga_d 06Jul2010", "PAW_PBE N 08Apr2002"]
    assert bulk.versions["vasp"] == "6.3.0"
    assert len(bulk.final_structure) == 32
    for charge, defect in mg_on_ga.items():
        assert defect.charge == charge
        assert defect.kind == "relax"
        assert defect.final_structure.formula == "Mg1 Ga15 N16"
        assert 0 < defect.max_force_eV_A < 0.05
    assert len({bulk.hash, *(defect.hash for defect in mg_on_ga.values())}) == 5


def test_uncorrected_transition_levels(bulk: Calculation, mg_on_ga: dict[int, Calculation]) -> None:
    entries = loadfn(DATA / "stable_entries_Mg_Ga_N.json")
    perfect = ComputedStructureEntry(bulk.final_structure, bulk.energy_eV)
    site = PeriodicSite("Mg", bulk.final_structure[0].frac_coords, bulk.final_structure.lattice)
    defect = Substitution(bulk.final_structure, site)
    theirs = FormationEnergyDiagram(
        defect_entries=[
            DefectEntry(
                defect=defect,
                charge_state=charge,
                sc_entry=ComputedStructureEntry(found.final_structure, found.energy_eV),
            )
            for charge, found in mg_on_ga.items()
        ],
        bulk_entry=perfect,
        pd_entries=entries,
        vbm=bulk.vbm_eV,
        band_gap=bulk.cbm_eV - bulk.vbm_eV,
    )
    # The levels do not depend on the chemical potentials, the neutral defect's energy does.
    rich = theirs.chempot_limits[0]
    absolute = {str(el): theirs.dft_energies[el] + value for el, value in rich.items()}
    ours = {
        charge: uncorrected_formation_energy(
            bulk,
            found,
            added={"Mg": 1, "Ga": -1},
            chemical_potentials_eV=absolute,
            valence_band_maximum_eV=bulk.vbm_eV,
        )
        for charge, found in mg_on_ga.items()
    }
    levels = transition_levels(ours)
    kinks = theirs.get_transitions(rich, x_min=-5, x_max=10)[1:-1]
    assert [level for *_, level in levels] == pytest.approx([x for x, _ in kinks], abs=1e-6)
    assert [ours[above] + above * level for _, above, level in levels] == pytest.approx(
        [energy for _, energy in kinks], abs=1e-6
    )


def vline(charge: int, axis: int) -> np.ndarray:
    """Return what sxdefectalign wrote of the potentials: place, defect minus bulk, short range."""
    text = (DATA / "v_N_GaN" / f"q={charge}" / f"vline-eV-a{axis}.dat").read_text()
    _, _, table = text.partition("&")
    return np.array([[float(word) for word in line.split()] for line in table.split("\n") if line])


def printed(name: str, charge: int, pattern: str) -> list[float]:
    text = (DATA / "v_N_GaN" / f"q={charge}" / name).read_text()
    found = re.search(pattern, text)
    assert found is not None
    return [float(word) for word in found[1].split(",")]


@pytest.mark.parametrize("charge", [-1, 1, 2])
def test_correction_of_the_nitrogen_vacancy(charge: int) -> None:
    lattice = point_charge_correction(GAN_SUPERCELL_A, charge, 5.0)
    center = printed("corr.out", charge, r"--center (\S+)")
    differences = [vline(charge, axis)[:, 1] for axis in range(3)]
    alignment = planar_alignment(GAN_SUPERCELL_A, differences, np.array(center), charge, 5.0)
    number = r"Defect correction \(eV\): (\S+)"
    assert lattice == pytest.approx(printed("corr.out", charge, number)[0], abs=0.01)
    (theirs,) = printed("corr_align.out", charge, number)
    (shift,) = printed("corr_align.out", charge, r"--align (\S+)")
    assert alignment.shift_eV == pytest.approx(shift, abs=0.05)
    assert lattice + charge * alignment.shift_eV == pytest.approx(theirs, abs=0.05)
    assert alignment.spread_eV < 0.25


def test_planar_alignment_enters_a_formation_energy(make_calculation: Make) -> None:
    supercell = Structure(GAN_SUPERCELL_A, ["Ga"], [[0.5, 0.5, 0.5]])
    heights = 1 / np.linalg.norm(np.linalg.inv(GAN_SUPERCELL_A), axis=0)

    def cell(potentials: list[np.ndarray], **changes: object) -> Calculation:
        a, b, c = (
            PlanarPotential(height_A=height, potential_eV=list(values))
            for height, values in zip(heights, potentials, strict=True)
        )
        return make_calculation(
            supercell, site_potentials_eV=[], planar_potential=c, side_potentials=(a, b), **changes
        )

    differences = [vline(1, axis)[:, 1] for axis in range(3)]
    perfect = cell([np.zeros_like(values) for values in differences])
    vacancy = cell(differences, charge=1)
    energy = formation_energy(
        perfect,
        vacancy,
        center=np.array(printed("corr.out", 1, r"--center (\S+)")),
        added={"N": -1},
        chemical_potentials_eV={"N": 0.0},
        valence_band_maximum_eV=0.0,
        dielectric_constant=5.0,
    )
    assert energy.energy_eV == pytest.approx(0.180, abs=0.05)
    assert energy.point_charge_eV == pytest.approx(0.507, abs=0.01)


def test_a_charged_defect_without_potentials_is_refused(
    bulk: Calculation, mg_on_ga: dict[int, Calculation]
) -> None:
    with pytest.raises(ValueError, match="OUTCAR, or LOCPOT"):
        formation_energy(
            bulk,
            mg_on_ga[-1],
            center=np.zeros(3),
            added={"Mg": 1, "Ga": -1},
            chemical_potentials_eV={"Mg": 0.0, "Ga": 0.0},
            valence_band_maximum_eV=bulk.vbm_eV,
            dielectric_constant=9.0,
        )


@pytest.mark.parametrize(("facet", "published"), [("101", 7.926), ("110", 9.077)])
def test_vacuum_levels_of_tin_dioxide(make_calculation: Make, facet: str, published: float) -> None:
    folder = DATA / "slabs" / facet
    structure = Structure.from_file(folder / "POSCAR")
    values = np.loadtxt(folder / "potential.csv", delimiter=",", skiprows=1)[:, 0]
    lattice = structure.lattice.matrix
    height = structure.volume / float(np.linalg.norm(np.cross(lattice[0], lattice[1])))
    potential = PlanarPotential(height_A=height, potential_eV=values.tolist())
    slab = make_calculation(structure, planar_potential=potential)
    level = vacuum_level(potential, slab_center(slab))
    assert level == pytest.approx(published, abs=0.001)


def broken(tmp_path: Path, change: Callable[[bytes], bytes]) -> Path:
    """Return a copy of a finished folder whose vasprun.xml has been changed."""
    content = gzip.decompress((DATA / "Mg_Ga" / "q=-1" / "vasprun.xml.gz").read_bytes())
    (tmp_path / "vasprun.xml").write_bytes(change(content))
    return tmp_path


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.999])
def test_a_cut_off_run_is_no_calculation(tmp_path: Path, share: float) -> None:
    folder = broken(tmp_path, lambda content: content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"vasprun.xml: .*cut off"):
        read_vasp(folder)


def test_a_cut_off_archive_is_no_calculation(tmp_path: Path) -> None:
    packed = (DATA / "Mg_Ga" / "q=-1" / "vasprun.xml.gz").read_bytes()
    (tmp_path / "vasprun.xml.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match=r"vasprun.xml.gz: .*cut off"):
        read_vasp(tmp_path)


@pytest.mark.parametrize(
    ("tag", "value", "reason"),
    [("NSW", 5, "ions did not converge in NSW = 5"), ("NELM", 3, "electrons did not converge")],
)
def test_an_unconverged_run_is_no_calculation(
    tmp_path: Path, tag: str, value: int, reason: str
) -> None:
    def limit(content: bytes) -> bytes:
        pattern = rb'(<i type="int" name="' + tag.encode() + rb'">)\s*\d+'
        return re.sub(pattern, rb"\g<1> " + str(value).encode(), content)

    with pytest.raises(InputError, match=f"vasprun.xml: the {reason}"):
        read_vasp(broken(tmp_path, limit))


def test_files_of_two_runs_are_told_apart(tmp_path: Path) -> None:
    shutil.copy(DATA / "Mg_Ga" / "q=-1" / "vasprun.xml.gz", tmp_path)
    shutil.copy(DATA / "Mg_Ga" / "bulk_sc" / "CONTCAR.gz", tmp_path)
    with pytest.raises(InputError, match=r"CONTCAR.gz: its structure is not the last one"):
        read_vasp(tmp_path)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{tmp_path}: there is no vasprun.xml"):
        read_vasp(tmp_path)


def finished_folder(folder: Path, offset_eV: float = 0.0) -> tuple[Path, np.ndarray, np.ndarray]:
    """Put potentials of known averages beside a real run, in VASP's formats."""
    shutil.copy(DATA / "Mg_Ga" / "bulk_sc" / "vasprun.xml.gz", folder)
    structure = Structure.from_file(DATA / "Mg_Ga" / "bulk_sc" / "CONTCAR.gz")
    x, y, z = np.meshgrid(*(np.arange(n) / n for n in (6, 8, 10)), indexing="ij")
    grid = np.cos(2 * np.pi * x) + 2 * np.cos(4 * np.pi * y) + 3 * np.sin(2 * np.pi * z)
    Locpot(Poscar(structure), {"total": grid + offset_eV}).write_file(folder / "LOCPOT")
    cores = -40.0 - np.arange(len(structure)) / 100 - 60.0 * (np.arange(len(structure)) > 15)
    rows = [f"{number + 1:8d}{value:9.4f}" for number, value in enumerate(cores)]
    lines = ["".join(rows[start : start + 5]) for start in range(0, len(rows), 5)]
    head = [
        "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)",
        " average (electrostatic) potential at core",
        "  the test charge radii are     1.1206  0.7089",
        "  (the norm of the test charge is              1.0000)",
    ]
    tail = ["", " E-fermi :   4.8395", "", "                  Elapsed time (sec):      128.250", ""]
    (folder / "OUTCAR").write_text("\n".join([*head, *lines, *tail]))
    return folder, grid, cores


def test_potentials_of_a_folder(tmp_path: Path) -> None:
    folder, grid, cores = finished_folder(tmp_path)
    found = read_vasp(folder)
    assert found.planar_potential is not None
    assert found.side_potentials is not None
    along = (*found.side_potentials, found.planar_potential)
    for axis, potential in enumerate(along):
        others = tuple({0, 1, 2} - {axis})
        assert potential.potential_eV == pytest.approx(grid.mean(axis=others), abs=1e-5)
    heights = np.array([potential.height_A for potential in along])
    assert heights == pytest.approx(np.array(found.final_structure.lattice.abc))
    assert found.site_potentials_eV == pytest.approx(cores, abs=1e-4)
    assert found.wall_time_s == 128.25


def test_a_potential_with_exchange_and_correlation_serves_the_vacuum_alone(tmp_path: Path) -> None:
    folder, grid, _ = finished_folder(tmp_path, offset_eV=-11.9)
    found = read_vasp(folder)
    assert found.planar_potential is not None
    assert found.planar_potential.exchange_and_correlation
    # Eigenvalues refer to its zero, so that it is not moved.
    along = grid.mean(axis=(0, 1)) - 11.9
    assert found.planar_potential.potential_eV == pytest.approx(along, abs=1e-5)
    with pytest.raises(ValueError, match=r"holds exchange and correlation \(VASP: LVTOT\).*LVHAR"):
        level_above_middle(found, 2.0)
    with pytest.raises(ValueError, match="needs potentials"):
        formation_energy(
            found,
            found.model_copy(update={"charge": 1, "site_potentials_eV": []}),
            center=np.zeros(3),
            added={},
            chemical_potentials_eV={},
            valence_band_maximum_eV=0.0,
            dielectric_constant=9.0,
        )


def test_a_work_function_needs_no_more_than_the_vacuum(make_calculation: Make) -> None:
    """Both potentials of a slab, the whole one 8 eV deeper where its electrons are."""
    height, values = 40.0, np.zeros(80)
    values[30:50] = -10.0
    structure = Structure(np.diag([3.0, 3.0, height]), ["Li"] * 2, [[0, 0, 0.4], [0, 0, 0.6]])
    hartree = PlanarPotential(height_A=height, potential_eV=list(values - values.mean()))
    whole = PlanarPotential(
        height_A=height,
        potential_eV=list(values - values.mean() - 8.0 * (values < 0)),
        exchange_and_correlation=True,
    )
    slabs = [make_calculation(structure, planar_potential=one) for one in (hartree, whole)]
    assert work_function(slabs[0]) == pytest.approx(2.5 - 0.5)
    assert work_function(slabs[1]) == work_function(slabs[0])


@pytest.mark.parametrize("name", ["LOCPOT", "OUTCAR"])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_cut_off_potentials_are_refused(tmp_path: Path, name: str, share: float) -> None:
    folder, *_ = finished_folder(tmp_path)
    text = (folder / name).read_text()
    (folder / name).write_text(text[: int(share * len(text))])
    with pytest.raises(InputError, match=f"{name}: the file is cut off"):
        read_vasp(folder)
