"""Migration paths of VASP: what is read, and what is refused."""

from __future__ import annotations

import gzip
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from vasp_writer import LOOP, iteration, outcar, write_path

from interohm.errors import InputError
from interohm.postprocess.barriers import migration_energy
from interohm.postprocess.vasp_path import image_folders, read_vasp_path

ENERGIES_EV = [-150.0, -149.7, -149.42, -149.71, -150.0]


def hop() -> list[Structure]:
    """A lithium ion of LiF goes straight into the empty site beside it."""
    crystal = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.07), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    perfect = Structure.from_sites(sorted(crystal, key=lambda site: site.specie.X))
    end = perfect[1].frac_coords - np.round(perfect[1].frac_coords - perfect[0].frac_coords)
    images = []
    for share in np.linspace(0, 1, 5):
        image = perfect.copy()
        # Across the cell's border, as ions do.
        place = (1 - share) * end + share * perfect[0].frac_coords
        image.replace(1, "Li", place % 1)
        image.remove_sites([0])
        images.append(image)
    return images


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    write_path(hop(), ENERGIES_EV, tmp_path / "hop")
    return tmp_path / "hop"


def test_a_path_is_its_images_and_its_highest_one(finished: Path) -> None:
    found = read_vasp_path(finished)
    assert (found.kind, found.charge, found.electrons) == ("neb", -1, 3 * 1 + 4 * 7 + 1)
    assert found.path is not None
    assert found.path.energies_eV == pytest.approx(ENERGIES_EV)
    assert migration_energy(found) == pytest.approx(0.58)
    assert found.path.coordinates_A == pytest.approx(4.07 / 2**0.5 * np.linspace(0, 1, 5), abs=1e-3)
    assert found.energy_eV == ENERGIES_EV[2]
    ion = found.final_structure[0].frac_coords
    assert ion == pytest.approx(hop()[2][0].frac_coords, abs=1e-4)
    end = np.array(found.settings["path"]["end_positions_A"])
    start = np.array([site["xyz"] for site in found.initial_structure["sites"]])
    assert np.linalg.norm(end - start, axis=1).max() == pytest.approx(4.07 / 2**0.5, abs=1e-3)
    assert found.fermi_level_eV == 1.25
    assert found.site_potentials_eV[:2] == [-40.01, -40.02]
    assert found.ionic_steps == 4
    assert found.wall_time_s == 3 * 61.5
    assert (found.settings["xc"], found.settings["cutoff_eV"]) == ("PBE", 520)
    assert (found.settings["kpoints"], found.settings["path"]["images"]) == ([1, 1, 1], 3)
    assert found.settings["potcars"] == ["PAW_PBE Li 01Jan2000", "PAW_PBE F 01Jan2000"]
    assert found.versions["vasp"] == "6.4.2, VTST 4.2"


def test_files_may_be_compressed(finished: Path) -> None:
    plain = read_vasp_path(finished)
    for path in [path for path in finished.rglob("*") if path.is_file()]:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert read_vasp_path(finished) == plain


def test_only_a_folder_of_images_is_a_path(finished: Path) -> None:
    assert len(image_folders(finished)) == 5
    assert image_folders(finished / "01") == []
    shutil.rmtree(finished / "02")
    assert image_folders(finished) == []
    with pytest.raises(InputError, match=r"hop: it has no images 00, 01"):
        read_vasp_path(finished)


def test_numbered_runs_are_a_path_where_images_are_asked_for(finished: Path) -> None:
    for place in sorted(finished.glob("0?")):
        (place / "vasprun.xml").write_text('<i type="int" name="NSW">    99</i>')
    assert len(image_folders(finished)) == 5
    (finished / "INCAR").write_text("ENCUT = 520; NSW = 99\nIMAGES = 0\n")
    assert image_folders(finished) == []
    (finished / "INCAR").write_text("ENCUT = 520; IMAGES = 3\n")
    assert len(image_folders(finished)) == 5
    (finished / "INCAR").unlink()
    assert image_folders(finished) == []
    (finished / "01" / "vasprun.xml").write_text('<i type="int" name="IMAGES">     3</i>')
    assert len(image_folders(finished)) == 5


@pytest.mark.parametrize(
    ("image", "pattern", "text", "reason"),
    [
        ("02", "Elapsed time", "", "02/OUTCAR: the file is cut off"),
        ("03", LOOP, "", "03/OUTCAR: the electrons did not converge"),
        ("00", LOOP, "", "00/OUTCAR: the electrons did not converge"),
        ("02", iteration(4, 2), iteration(4, 60), "02/OUTCAR: the electrons did not converge"),
        (
            "01",
            " reached required accuracy",
            "",
            "01/OUTCAR: the ions did not converge in NSW = 99",
        ),
        ("01", "VTST: version", "", "INCAR has LCLIMB and IOPT, and VASP was built without"),
        ("02", "NSW    =     99", "NSW    =      0", "02/OUTCAR: the image was not relaxed"),
        (
            "04",
            "ENCUT  =  520.0",
            "ENCUT  =  400.0",
            "04/OUTCAR: ENCUT is 400.0, in 00 it is 520.0",
        ),
        ("00", "PAW_PBE Li 01", "PAW_PBE Li_sv 01", "POTCAR is .*Li 01.*, in 00 it is .*Li_sv"),
        (
            "02",
            "4.070000000",
            "4.170000000",
            "02/OUTCAR: its cell or atoms are not those of POSCAR",
        ),
        (
            "02",
            "ions per type =               3 4",
            "ions per type =               3 5",
            "its cell",
        ),
        ("02", "      0.00000      0.00000", "  **********   **********", "the file is cut off"),
    ],
)
def test_no_image_may_be_unfinished_or_another(
    finished: Path, image: str, pattern: str, text: str, reason: str
) -> None:
    path = finished / image / "OUTCAR"
    whole = path.read_text()
    # What VASP writes at every step is wrong at the last one.
    before, found, after = whole.rpartition(pattern)
    assert found
    path.write_text(before + text + after)
    with pytest.raises(InputError, match=reason):
        read_vasp_path(finished)


def test_all_images_have_the_same_U(finished: Path) -> None:
    lines = (
        " LDA+U is selected, type is set to LDAUTYPE =  2\n"
        "   angular momentum for each species LDAUL =    -1    1\n"
        "   U (eV)           for each species LDAUU =   0.0  3.0\n"
        "   J (eV)           for each species LDAUJ =   0.0  0.5\n   ENCUT  ="
    )
    for path in sorted(finished.glob("0?/OUTCAR")):
        path.write_text(path.read_text().replace("   ENCUT  =", lines))
    assert read_vasp_path(finished).settings["hubbard_U_eV"] == {"F": {"p": 2.5}}
    path.write_text(path.read_text().replace("LDAUU =   0.0  3.0", "LDAUU =   0.0  4.0"))
    with pytest.raises(InputError, match=r"04/OUTCAR: LDAUU is .*3\.5.*, in 00 it is .*2\.5"):
        read_vasp_path(finished)


def test_an_end_needs_a_calculation_of_where_the_path_begins(finished: Path) -> None:
    start = hop()[0]
    start.translate_sites([3], [0.02, 0, 0])
    (finished / "00" / "OUTCAR").write_text(outcar(start, -150.1, charge=-1))
    with pytest.raises(InputError, match="00/OUTCAR: its atoms are not at the positions of POSCAR"):
        read_vasp_path(finished)
    (finished / "00" / "OUTCAR").unlink()
    with pytest.raises(InputError, match=r"00: there is no OUTCAR.*of a separate calculation"):
        read_vasp_path(finished)


def test_plain_vasp_relaxes_a_path_without_climbing(finished: Path) -> None:
    incar = finished / "INCAR"
    incar.write_text(re.sub("LCLIMB|IOPT", "#", incar.read_text()))
    for outcar_file in finished.glob("0?/OUTCAR"):
        outcar_file.write_text(outcar_file.read_text().replace("VTST: version", ""))
    assert migration_energy(read_vasp_path(finished)) == pytest.approx(0.58)
