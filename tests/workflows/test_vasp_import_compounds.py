"""Imported compounds whose other element counts as less or more than one mobile ion."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from vasp_writer import VALENCE, write_calculation

from interohm.postprocess.calculation import Calculation, PlanarPotential
from interohm.records import Insulator
from interohm.workflows.engines.gpaw import kpoint_counts
from interohm.workflows.vasp_import import import_folder

ROOT = Path(__file__).parents[2]
ENERGY_EV = {"metal": -1.5, "compound": -17.0}
"""Per atom of the metal and per formula unit of the compound."""

MAGNESIUM_FLUORIDE = Structure.from_file(ROOT / "configs" / "structures" / "MgF2.cif")
LITHIUM_OXIDE = Structure.from_spacegroup(
    "Fm-3m", Lattice.cubic(4.62), ["O", "Li"], [[0, 0, 0], [0.25, 0.25, 0.25]]
)


@pytest.fixture(scope="module")
def template() -> Calculation:
    """A static calculation of a crystal with a gap."""
    folder = ROOT / "tests" / "data" / "calculations" / "quick"
    read = (
        Calculation.model_validate_json(gzip.decompress(path.read_bytes()))
        for path in sorted(folder.glob("*.json.gz"))
    )
    return next(one for one in read if one.kind == "static" and one.vbm_eV is not None)


def write(
    template: Calculation, structure: Structure, energy_eV: float, folder: Path, charge: int = 0
) -> None:
    height_A = structure.lattice.c
    filled_A = np.ptp(structure.cart_coords[:, 2]) + 3.0
    # 14 eV higher in vacuum, the average of all being zero
    potential_eV = np.where(np.linspace(0.0, height_A, 120, endpoint=False) < filled_A, 0.0, 14.0)
    changes: dict[str, object] = {
        "charge": charge,
        "electrons": sum(VALENCE[site.specie.symbol] for site in structure) - charge,
        "energy_eV": energy_eV,
        "settings": template.settings | {"kpoints": kpoint_counts(structure, 14.0, 3)},
        "initial_structure": structure.as_dict(),
        "structure": structure.as_dict(),
        "site_potentials_eV": [-40.0] * len(structure),
        "planar_potential": PlanarPotential(
            height_A=height_A, potential_eV=(potential_eV - potential_eV.mean()).tolist()
        ),
    }
    if len(structure.elements) == 1:
        changes |= {"vbm_eV": None, "cbm_eV": None}
    write_calculation(template.model_copy(update=changes), folder)


@pytest.mark.parametrize(
    ("crystal", "formula", "ion", "ion_charge", "other", "taken_along"),
    [
        (MAGNESIUM_FLUORIDE, "MgF2", "Mg", 2, "F", 0.5),
        (LITHIUM_OXIDE, "Li2O", "Li", 1, "O", 2.0),
    ],
    ids=["MgF2", "Li2O"],
)
def test_the_other_element_takes_its_share_of_ions(
    crystal: Structure,
    formula: str,
    ion: str,
    ion_charge: int,
    other: str,
    taken_along: float,
    template: Calculation,
    tmp_path: Path,
) -> None:
    units = len(crystal) / 3
    long = Lattice.from_parameters(*crystal.lattice.abc[:2], crystal.lattice.c + 12.0, 90, 90, 90)
    slab = Structure(long, crystal.species, crystal.cart_coords, coords_are_cartesian=True)
    perfect = crystal * (2, 2, 2)
    perfect_eV = 8 * units * ENERGY_EV["compound"]
    write(template, crystal, units * ENERGY_EV["compound"], tmp_path / "bulk")
    write(template, slab, units * ENERGY_EV["compound"] + 1.0, tmp_path / "slab")
    write(template, perfect, perfect_eV, tmp_path / "supercell")
    metal = Structure(Lattice.cubic(3.5), [ion], [[0, 0, 0]])
    write(template, metal, ENERGY_EV["metal"], tmp_path / "metal")
    charge = round(ion_charge * taken_along)
    for element, q in ((ion, -ion_charge), (other, 0), (other, charge)):
        vacant = perfect.copy()
        vacant.remove_sites([vacant.indices_from_symbol(element)[0]])
        write(template, vacant, perfect_eV + 9.0, tmp_path / "defects" / f"{element}{q}", q)
    (tmp_path / "import.yaml").write_text(
        f"{{mobile_ion: {ion}, ion_charge: {ion_charge}, phases: [{{kind: insulator, name: X, "
        f"formula: {formula}, facet: [0, 0, 1], dielectric_constant: 5.0}}]}}"
    )
    made = import_folder(tmp_path)
    assert made.failures == {}
    (record,) = made.records
    assert isinstance(record, Insulator)
    defects = {(one.sublattice, one.charge): one for one in record.defects}
    assert defects[f"V_{ion}", -ion_charge].ion_change == -1
    # q = z·dn, and a charge more or less changes no atoms
    assert defects[f"V_{other}", charge].ion_change == pytest.approx(taken_along)
    assert defects[f"V_{other}", 0].ion_change == pytest.approx(taken_along)
    # a neutral vacancy: no correction, 9 eV and the atom that leaves, in equilibrium with the metal
    ions, others = (crystal.composition[element] / units for element in (ion, other))
    atom_eV = (ENERGY_EV["compound"] - ions * ENERGY_EV["metal"]) / others
    energy = defects[f"V_{other}", 0].formation_energy_eV.value
    assert energy == pytest.approx(9.0 + atom_eV, abs=1e-6)
