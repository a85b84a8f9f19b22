"""Structures from files: what cannot be right is refused, what was mended is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter

from interohm.errors import InputError
from interohm.slab_builders.structure_files import read_structure

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "data" / "cases" / "structures"
SHIPPED = sorted((ROOT / "configs" / "structures").glob("*.cif"))


def rock_salt() -> Structure:
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )


def cif(
    *atoms: str,
    formula: str | None = None,
    units: int | None = None,
    group: int = 225,
    name: str = "x",
    a: float = 4.03,
    c: float | None = None,
    gamma: float = 90,
    extra: str = "",
) -> str:
    """A CIF of a space group whose operations are not listed."""
    lines = [f"data_{name}"]
    lines += [
        f"_cell_length_{axis} {length}" for axis, length in zip("abc", (a, a, c or a), strict=True)
    ]
    lines += [
        f"_cell_angle_{one} {angle}"
        for one, angle in zip(("alpha", "beta", "gamma"), (90, 90, gamma), strict=True)
    ]
    if group:
        lines.append(f"_space_group_IT_number {group}")
    if formula:
        lines.append(f"_chemical_formula_sum '{formula}'")
    if units:
        lines.append(f"_cell_formula_units_Z {units}")
    lines += [extra] if extra else []
    lines += ["loop_", "_atom_site_label", "_atom_site_type_symbol"]
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"]
    lines += ["_atom_site_occupancy", *atoms]
    return "\n".join(lines) + "\n"


LITHIUM, FLUORINE = "Li1 Li 0 0 0 1", "F1 F 0.5 0.5 0.5 1"


def read(tmp_path: Path, text: str, name: str = "x.cif", block: str | None = None):
    path = tmp_path / name
    path.write_text(text)
    return read_structure(path, block, where="structure")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_structures_are_read(path: Path) -> None:
    found = read_structure(path, where="structure")
    assert found.structure.is_ordered
    assert all("1/3" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("name", "group", "density", "bonds"),
    [
        ("LiTaO3", "R3c", 7.41, {"Ta-O": [1.89, 2.07], "Li-O": [2.08, 2.29]}),
        ("Al2O3", "R-3c", 3.98, {"Al-O": [1.86, 1.97]}),
        ("LiAlO2", "R-3m", 3.41, {"Al-O": [1.91], "Li-O": [2.11]}),
        ("Li2CO3", "C2/c", 2.10, {"C-O": [1.27, 1.29], "Li-O": [1.89, 1.95, 1.98, 2.03]}),
        ("Li6PS5Cl", "F-43m", 1.87, {"P-S": [2.05], "Li-S": [2.26, 2.27]}),
    ],
)
def test_shipped_coatings_are_the_published_crystals(
    name: str, group: str, density: float, bonds: dict[str, list[float]]
) -> None:
    """Space group, density in g/cm³, and all distances of neighbours in Å."""
    crystal = read_structure(ROOT / "configs" / "structures" / f"{name}.cif", where="x").structure
    assert crystal.get_space_group_info(symprec=1e-3)[0] == group
    assert crystal.density == pytest.approx(density, abs=0.02)
    for bond, lengths in bonds.items():
        one, other = bond.split("-")
        found = {
            round(neighbour.nn_distance, 2)
            for site in crystal
            if site.specie.symbol == one
            for neighbour in crystal.get_neighbors(site, 2.6)
            if neighbour.specie.symbol == other
        }
        assert sorted(found) == pytest.approx(lengths, abs=0.011)


@pytest.mark.parametrize(
    ("name", "message", "fix"),
    [
        ("POSCAR_vasp4", "no element symbols", "VASP 5"),
        ("POSCAR_vasp4_li", "no element symbols", "VASP 5"),
        ("LiOH_noH.cif", "Li1 H1 O1.*lists Li2 O2.*hydrogens are missing", "all atoms"),
        ("occ2.cif", "site of Li1 is occupied 2 times", "add up to 1"),
        ("li3n_33.cif", "Li1 at .0.33, 0.67, 0. .*rounded", "write 0.333333 0.666667 0.000000"),
    ],
)
def test_files_that_went_wrong(name: str, message: str, fix: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_structure(CASES / name, where="phases[0] x: structure")
    assert name in caught.value.what
    assert fix in (caught.value.fix or "")
    assert caught.value.where == "phases[0] x: structure"


POSCAR = """LiF
4.03
0 .5 .5
.5 0 .5
.5 .5 0
{symbols}1 1
{mode}Direct
0 0 0{first}
.5 .5 .5{second}
"""


def poscar(symbols: str = "", mode: str = "", first: str = "", second: str = "") -> str:
    return POSCAR.format(symbols=symbols, mode=mode, first=first, second=second)


def test_elements_of_a_poscar(tmp_path: Path) -> None:
    """In their line, after the coordinates, or in the POTCAR that VASP would take them from."""
    for text in (poscar("Li F\n"), poscar(first=" Li", second=" F")):
        assert read(tmp_path, text, "POSCAR").structure.formula == "Li1 F1"
    flags = poscar("Li F\n", "Selective dynamics\n", " T T T", " F F F")
    assert read(tmp_path, flags, "POSCAR").structure.formula == "Li1 F1"
    for text in (
        poscar(first=" T T T", second=" F F F"),
        poscar(first=" F F F", second=" F F F"),
        poscar(mode="Selective dynamics\n", first=" T T T", second=" F F F"),
    ):
        with pytest.raises(InputError, match="no element symbols"):
            read(tmp_path, text, "x.vasp")


@pytest.mark.parametrize(
    ("formula", "units"),
    [("Li4 F4", 4), ("Li4 F4", None), ("Li F", 4), ("Li F", None), ("F1 Li1", 4), ("?", 4)],
)
def test_formulas_that_agree(tmp_path: Path, formula: str, units: int | None) -> None:
    found = read(tmp_path, cif(LITHIUM, FLUORINE, formula=formula, units=units))
    assert found.structure.formula == "Li4 F4"
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("formula", "units"),
    [("Li F", 8), ("Li8 F8", None), ("Li8 F8", 8), ("Li2 F", 4), ("Li F O", 4), ("Na F", 4)],
)
def test_formulas_that_do_not(tmp_path: Path, formula: str, units: int | None) -> None:
    with pytest.raises(InputError, match=r"declares the formula .* lists Li4 F4"):
        read(tmp_path, cif(LITHIUM, FLUORINE, formula=formula, units=units))


def test_several_structures_in_a_file(tmp_path: Path) -> None:
    one = cif(LITHIUM, FLUORINE, name="first")
    two = cif("Na1 Na 0 0 0 1", "Cl1 Cl 0.5 0.5 0.5 1", name="second", a=5.64)
    empty = "data_global\n_journal_year 2001\n"
    assert read(tmp_path, empty + one).structure.formula == "Li4 F4"
    with pytest.raises(
        InputError, match="2 structures, in the data blocks first, second"
    ) as caught:
        read(tmp_path, empty + one + two)
    assert "x.cif#first" in (caught.value.fix or "")
    assert read(tmp_path, empty + one + two, block="second").structure.formula == "Na4 Cl4"
    with pytest.raises(InputError, match="no data block 'third'"):
        read(tmp_path, one + two, block="third")
    with pytest.raises(InputError, match="several data blocks of the name 'first'"):
        read(tmp_path, one + one, block="first")
    with pytest.raises(InputError, match="no data blocks"):
        read(tmp_path, poscar("Li F\n"), "POSCAR", block="first")
    with pytest.raises(InputError, match="lists no atoms"):
        read(tmp_path, empty)


def test_sites_that_coincide(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"occupied 2 times: Li1 \(1\) and F1 \(1\)"):
        read(tmp_path, cif(LITHIUM, "F1 F 0 0 0 1"))
    # By symmetry: both are the one site of the centred cell.
    with pytest.raises(InputError, match="occupied 2 times"):
        read(tmp_path, cif(LITHIUM, "Li2 Li 0.5 0.5 0 1", FLUORINE))
    with pytest.raises(InputError, match="Å apart"):
        read(tmp_path, poscar("Li F\n").replace(".5 .5 .5", ".01 0 0"), "POSCAR")
    # Mixed sites are ones that add up to 1; they are refused for what they are, later.
    mixed = read(tmp_path, cif("Li1 Li 0 0 0 0.5", "Na1 Na 0 0 0 0.5", FLUORINE))
    assert not mixed.structure.is_ordered


@pytest.mark.parametrize("digits", [2, 3])
@pytest.mark.parametrize("group", ["P6/mmm", "P6_3/mmc"])
def test_rounded_thirds(tmp_path: Path, digits: int, group: str) -> None:
    """The fix, written down, gives the crystal."""
    third, two = round(1 / 3, digits), round(2 / 3, digits)
    z = 0 if group == "P6/mmm" else 0.25
    text = cif(
        f"Li1 Li {third} {two} {z} 1",
        "N1 N 0 0 0 1",
        group={"P6/mmm": 191, "P6_3/mmc": 194}[group],
        a=3.65,
        c=3.87,
        gamma=120,
    )
    with pytest.raises(InputError, match="rounded") as caught:
        read(tmp_path, text)
    written = (caught.value.fix or "").removeprefix("write ")
    mended = read(tmp_path, text.replace(f"{third} {two} {z}", written)).structure
    exact = Structure.from_spacegroup(
        group, Lattice.hexagonal(3.65, 3.87), ["Li", "N"], [[1 / 3, 2 / 3, z], [0, 0, 0]]
    )
    assert mended.composition == exact.composition


def test_a_space_group_without_its_operations(tmp_path: Path) -> None:
    alone = "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'"
    with pytest.raises(InputError, match="space group 225, but lists no symmetry operation"):
        read(tmp_path, cif(LITHIUM, FLUORINE, extra=alone))
    found = read(tmp_path, cif(LITHIUM, FLUORINE, group=0))
    assert found.structure.formula == "Li1 F1"
    assert "taken as P 1" in found.remarks[0]
    assert read(tmp_path, cif(LITHIUM, FLUORINE, group=1, extra=alone)).remarks == ()


def test_what_is_no_element(tmp_path: Path) -> None:
    attached = cif(LITHIUM, FLUORINE).replace(
        "occupancy\n", "occupancy\n_atom_site_attached_hydrogens\n"
    )
    attached = attached.replace(" 1\n", " 1 1\n")
    with pytest.raises(InputError, match="hydrogens are attached"):
        read(tmp_path, attached)
    with pytest.raises(InputError, match="is not an element"):
        read(tmp_path, cif("Wat1 Wat 0 0 0 1", FLUORINE))
    with pytest.raises(InputError):
        read(tmp_path, cif("Q1 Q 0 0 0 1", FLUORINE))


def test_what_pymatgen_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.cif"
    for symprec in (None, 0.01):
        CifWriter(rock_salt(), symprec=symprec).write_file(path)
        found = read_structure(path, where="structure")
        assert (found.structure.formula, found.remarks) == ("Li4 F4", ())
