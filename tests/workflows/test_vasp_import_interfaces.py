"""Interfaces from VASP folders: the calculations of the shipped contact, as VASP leaves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Structure
from vasp_writer import write_calculation, write_path

from interohm.database.shipped_calculations import shipped_calculation
from interohm.postprocess.calculation import Calculation
from interohm.records.shipped import shipped_interfaces
from interohm.workflows import vasp_import
from interohm.yaml_io import dump_yaml

SHIPPED = next(one for one in shipped_interfaces() if one.name == "LiH_001-LiF_001")
FOLDERS = {"contact": "contact", "slab as cut, left": "LiH", "slab as cut, right": "LiF"}


def calculated(role: str) -> Calculation:
    return Calculation.model_validate(shipped_calculation(SHIPPED.calculations[role]))


def described(**changes: Any) -> dict[str, Any]:
    contact = calculated("contact")
    heights = contact.final_structure.cart_coords[:, 2]
    height = contact.final_structure.lattice.c
    fluorine = [site.specie.symbol == "F" for site in contact.final_structure]
    right = float(heights[fluorine].mean())
    # the other side's middle lies half a cell away
    phase = {
        "kind": "interface",
        "name": "LiH-LiF",
        "left": {
            "record": "LiH",
            "slab": "LiH",
            "middle_A": (right + height / 2) % height,
            "period_A": period_of("slab as cut, left"),
        },
        "right": {
            "record": "LiF",
            "slab": "LiF",
            "middle_A": right,
            "period_A": period_of("slab as cut, right"),
        },
        "contact": "contact",
    }
    return {"mobile_ion": "Li", "phases": [phase | changes]}


def period_of(role: str) -> float:
    """The distance of the planes: each of rock salt's (001) has all of its species."""
    heights = np.unique(calculated(role).final_structure.cart_coords[:, 2].round(3))
    return float(np.diff(heights).mean())


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for role, name in FOLDERS.items():
        write_calculation(calculated(role), tmp_path / name)
    return tmp_path


def imported(root: Path, **changes: Any) -> vasp_import.Import:
    (root / "import.yaml").write_text(dump_yaml(described(**changes)))
    return vasp_import.import_folder(root)


def test_the_dipole_of_a_finished_contact_is_that_of_the_campaign(folders: Path) -> None:
    made = imported(folders)

    assert not made.failures
    (found,) = made.interfaces
    assert found.dipole_V is not None
    # the folders' slabs are as cut
    expected = SHIPPED.provenance["line_up"]["dipole_beyond_surfaces_as_cut_V"]
    assert found.dipole_V.value == pytest.approx(expected, abs=0.01)
    assert found.left, found.right == ("LiH", "LiF")
    assert [one["bulk_like"] for one in found.provenance["line_up"]["middles"]] == [True, True]
    assert found.provenance["folders"]["slab, right"] == "LiF"
    assert found.barrier_eV is None
    assert made.finished.unused == []


def test_the_path_across_gives_the_mean_of_both_ways(folders: Path) -> None:
    path = calculated("hop")
    assert path.path is not None
    energies = list(path.path.energies_eV)
    ends = [
        Structure.from_sites(
            sorted(calculated(role).final_structure, key=lambda site: site.specie.symbol)
        )
        for role in ("hop, before", "hop, after")
    ]
    images = ends[0].interpolate(ends[1], nimages=len(energies) - 1)
    write_path(images, energies, folders / "hop")

    made = imported(folders, hop="hop")

    assert not made.failures
    (found,) = made.interfaces
    assert found.barrier_eV is not None
    top = max(energies)
    mean = (top - energies[0] + top - energies[-1]) / 2
    assert found.barrier_eV.value == pytest.approx(mean, abs=0.002)
    assert found.provenance["hop"]["charge"] == -1


def test_what_an_interface_lacks_is_named(folders: Path) -> None:
    (folders / "LiF" / "LOCPOT").unlink()

    made = imported(folders)

    assert "no vacuum level" in str(made.failures["LiH-LiF"])
    assert made.interfaces == []


def test_slabs_of_another_functional_are_refused(folders: Path) -> None:
    run = folders / "LiH" / "vasprun.xml"
    run.write_text(run.read_text().replace('name="GGA">PE<', 'name="GGA">PS<'))

    made = imported(folders)

    assert "cannot be compared" in str(made.failures["LiH-LiF"])


def test_a_middle_outside_of_the_cell_is_refused(folders: Path) -> None:
    side = described()["phases"][0]["left"] | {"middle_A": 99.0}

    made = imported(folders, left=side)

    assert "left.middle_A: 99 Å lies outside" in str(made.failures["LiH-LiF"])
