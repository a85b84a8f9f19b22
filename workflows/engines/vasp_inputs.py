"""VASP's input files: INCAR by atomate2's generators, electrons by a table of valences.

pymatgen counts electrons in POTCARs, which only licensees have; the shipped table of what VASP's
data sets treat as valence lets inputs of charged cells be written and checked without them.
"""

from __future__ import annotations

import importlib
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pymatgen.core import Element, Structure

from interohm.errors import InputError
from interohm.postprocess.calculation import CalculationKind
from interohm.postprocess.vasp_method import functional_name
from interohm.yaml_io import load_yaml, write_text

from .vasp_distortions import displaced, distorted
from .vasp_kpoints import complete_for_listed, kpoints_file, mesh_in_place

if TYPE_CHECKING:
    from .request import CalculationRequest

InputSet = Literal[
    "relax",
    "tight_relax",
    "relax_atoms",
    "tight_relax_atoms",
    "static",
    "hse_relax",
    "hse_static",
    "defect_relax",
    "defect_static",
    "hse_defect_relax",
    "hse_defect_static",
    "dielectric",
    "neb",
]


@dataclass(frozen=True)
class Generator:
    """An input-set generator of atomate2, and what its calculation is for.

    Parameters
    ----------
    name : str
        Name of the class.
    kind : str
        Kind of the calculation.
    module : str
        In ``atomate2.vasp.sets``.
    options : mapping
        Options of the class, as its maker sets them.
    """

    name: str
    kind: CalculationKind
    module: str = "core"
    options: Mapping[str, Any] = field(default_factory=dict)


#: The generators of atomate2's makers, by the names that presets use.
INPUT_SETS: dict[str, Generator] = {
    "relax": Generator("RelaxSetGenerator", "cell"),
    "tight_relax": Generator("TightRelaxSetGenerator", "cell"),
    "relax_atoms": Generator("RelaxConstVolSetGenerator", "relax"),
    "tight_relax_atoms": Generator("TightRelaxConstVolSetGenerator", "relax"),
    "static": Generator("StaticSetGenerator", "static"),
    "hse_relax": Generator("HSERelaxSetGenerator", "cell"),
    "hse_static": Generator("HSEStaticSetGenerator", "static"),
    "defect_relax": Generator("ChargeStateRelaxSetGenerator", "relax", "defect"),
    "defect_static": Generator("ChargeStateStaticSetGenerator", "static", "defect"),
    "hse_defect_relax": Generator("HSEChargeStateRelaxSetGenerator", "relax", "defect"),
    "hse_defect_static": Generator("HSEChargeStateStaticSetGenerator", "static", "defect"),
    "dielectric": Generator(
        "StaticSetGenerator", "dielectric", options={"lepsilon": True, "auto_ispin": True}
    ),
    "neb": Generator("NebSetGenerator", "neb"),
}

Functional = Literal["PBE", "PBEsol", "PBE+D3", "PBE+D3(BJ)", "r2SCAN", "r2SCAN+rVV10", "HSE06"]

#: Of a meta-GGA, as the Materials Project has it; there is no +U with it.
_R2SCAN = {"GGA": None, "METAGGA": "R2SCAN", "LASPH": True, "LMIXTAU": True, "ALGO": "All"}
#: INCAR's tags of the functionals that a preset may name; the base set of atomate2 has PBEsol. Of
#: r2SCAN+rVV10: J. Ning et al., Phys. Rev. B 106, 075422 (2022).
FUNCTIONALS: dict[Functional, dict[str, Any]] = {
    "PBE": {"GGA": "PE"},
    "PBEsol": {"GGA": "PS"},
    "PBE+D3": {"GGA": "PE", "IVDW": 11},
    "PBE+D3(BJ)": {"GGA": "PE", "IVDW": 12},
    "r2SCAN": _R2SCAN,
    "r2SCAN+rVV10": {**_R2SCAN, "LUSE_VDW": True, "BPARAM": 11.95},
    "HSE06": {"GGA": "PE"},
}

#: Atoms and Å³ above which the projectors act in real space: a cell of about 100 atoms. By the
#: volume, which is the same without and with a defect.
_REAL_SPACE_ATOMS, _REAL_SPACE_A3 = 60, 1500.0


def site_order(structure: Structure) -> list[int]:
    """Return the sites in the order of POSCAR: species together, electropositive ones first."""
    places = range(len(structure))
    return sorted(places, key=lambda i: (structure[i].specie.X, structure[i].specie.symbol))


def in_poscar_order(structure: Structure) -> Structure:
    """Return the structure with its sites as POSCAR lists them, bare of other properties."""
    sites = [structure[index] for index in site_order(structure)]
    return Structure(
        structure.lattice,
        [site.specie.symbol for site in sites],
        [site.frac_coords for site in sites],
    )


def potcar_symbols(structure: Structure, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the data set of each element in the order of POSCAR.

    Parameters
    ----------
    structure : Structure
        The atoms.
    chosen : mapping of str to str
        By element; others have those of atomate2's base set.
    """
    from atomate2.vasp.sets.base import VaspInputGenerator

    base = VaspInputGenerator().config_dict["POTCAR"]
    elements = dict.fromkeys(site.specie.symbol for site in in_poscar_order(structure))
    return {element: chosen.get(element) or base.get(element, element) for element in elements}


def valence_electrons(structure: Structure, potcars: Mapping[str, Any]) -> int:
    """Return the electrons of the neutral cell.

    Parameters
    ----------
    structure : Structure
        The atoms.
    potcars : mapping
        ``functional`` and ``symbols`` by element.

    Raises
    ------
    InputError
        The table does not know a data set.
    """
    table = _valences(potcars["functional"])
    counts = structure.composition.element_composition.get_el_amt_dict()
    electrons = 0
    for element, count in counts.items():
        symbol = potcars["symbols"][element]
        if symbol not in table:
            raise InputError(
                f"the valence of the data set {symbol} is not known",
                where="potcars",
                fix=f"one of {', '.join(name for name in table if name.split('_')[0] == element)}",
            )
        electrons += round(count) * table[symbol]
    return electrons


def _valences(functional: str) -> dict[str, int]:
    path = resources.files("interohm.configs") / "valences" / f"{functional}.yaml"
    with resources.as_file(path) as file:
        return dict(load_yaml(file)["valence_electrons"])


def complete_incar(
    structure: Structure,
    kind: CalculationKind,
    settings: Mapping[str, Any],
    kpoints: Mapping[str, Any],
    potcars: Mapping[str, Any],
    charge: int,
) -> dict[str, Any]:
    """Return every tag of INCAR, by atomate2's generator and the step's own settings.

    Parameters
    ----------
    structure : Structure
        In the order of POSCAR.
    kind : str
        ``static`` also turns an input set that relaxes atoms into one that leaves them: perfect and
        defective supercells then share all other settings.
    settings : mapping
        Settings of a preset's step.
    kpoints : mapping
        k-points of the structure, from `kpoints_of`.
    potcars : mapping
        The data set of each element.
    charge : int
        NELECT is written for charged cells only.

    Raises
    ------
    InputError
        The input set does not do what the step is for.
    """
    known = INPUT_SETS[settings["input_set"]]
    own = _maker_options(settings.get("maker"))
    functional = FUNCTIONALS["PBE" if known.name.startswith("HSE") else settings["xc"]]
    theirs = own.pop("user_incar_settings", {})
    changes = {**functional, **theirs, **settings["incar"], "ENCUT": settings["cutoff_eV"]}
    options = {**own, **known.options}
    if known.kind == "neb":
        options["num_images"] = settings["path"]["images"]
        changes["SPRING"] = -settings["path"]["spring_eV_A2"]
    module = importlib.import_module(f"atomate2.vasp.sets.{known.module}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # own POTCARs are deliberate, and said in the request
        generator = getattr(module, known.name)(
            user_incar_settings=changes,
            user_kpoints_settings=mesh_in_place(kpoints),
            user_potcar_settings=dict(potcars["symbols"]),
            sort_structure=False,
            # True would have pymatgen look into POTCARs; NELECT is set below.
            use_structure_charge=False,
            **options,
        )
        incar = dict(generator.get_input_set(structure, potcar_spec=True)["INCAR"])
    if kind == "static" and known.kind == "relax":
        incar |= {"NSW": 0, "IBRION": -1}
        incar.pop("EDIFFG", None)
    elif kind != known.kind:
        raise InputError(
            f"the input set {settings['input_set']} is for {known.kind!r}, not for {kind!r}",
            where="preset",
            fix="one of " + ", ".join(name for name, one in INPUT_SETS.items() if one.kind == kind),
        )
    if incar.get("METAGGA"):
        incar = {tag: incar[tag] for tag in incar if not tag.startswith("LDAU")}
    electrons = valence_electrons(structure, potcars) - charge
    if "ISPIN" not in settings["incar"] and not _needs_spin(structure, incar, electrons):
        incar = {tag: incar[tag] for tag in incar if tag != "MAGMOM"} | {"ISPIN": 1}
    large = len(structure) >= _REAL_SPACE_ATOMS and structure.volume > _REAL_SPACE_A3
    if "LREAL" not in settings["incar"] and large:
        incar["LREAL"] = "Auto"
    _check_response(incar, kind)
    name = functional_name(incar)
    if name != settings["xc"] and not incar.get("LHFCALC"):
        raise InputError(f"INCAR asks for {name}, the preset for {settings['xc']}", where="preset")
    incar = complete_for_listed(incar, settings, kpoints)
    if charge:
        incar["NELECT"] = electrons
    return {tag: incar[tag] for tag in sorted(incar)}


def _maker_options(maker: str | None) -> dict[str, Any]:
    """Return what a maker of atomate2's sets in its input set, the generator's own fields left out.

    Raises
    ------
    InputError
        There is no such maker, or it is not one for VASP.
    """
    if maker is None:
        return {}
    from atomate2.vasp.jobs.base import BaseVaspMaker

    module, _, name = maker.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
        generator = found().input_set_generator if issubclass(found, BaseVaspMaker) else None
    except (ImportError, AttributeError, TypeError, ValueError):
        generator = None
    if generator is None:
        raise InputError(
            f"maker: {maker} is not an atomate2 maker for VASP",
            where="preset",
            fix="name its class with its module, such as atomate2.vasp.jobs.core.StaticMaker",
        )
    defaults = type(generator)()
    given = {
        one.name: getattr(generator, one.name)
        for one in fields(generator)
        if one.init and getattr(generator, one.name) != getattr(defaults, one.name)
    }
    fixed = ("user_kpoints_settings", "user_potcar_settings", "sort_structure")
    return {name: value for name, value in given.items() if name not in fixed}


def _needs_spin(structure: Structure, incar: Mapping[str, Any], electrons: int) -> bool:
    """Return whether an electron is unpaired, or an element may have a moment."""
    elements = [site.specie for site in structure]
    # In a metal no electron is left alone: it pairs with one of the next cell.
    if electrons % 2 and not all(element.is_metal for element in elements):
        return True
    return bool(incar.get("LSORBIT")) or any(map(_may_be_magnetic, elements))


def _may_be_magnetic(element: Element) -> bool:
    """Return whether an element has d or f electrons that may stay unpaired in crystals."""
    filled = element.symbol in ("Sc", "Y", "Zn", "Cd", "Hg", "La", "Lu")
    return not filled and bool(element.is_transition_metal or element.is_rare_earth)


def _check_response(incar: Mapping[str, Any], kind: CalculationKind) -> None:
    """Refuse a dielectric response that VASP would leave without its ions, or not calculate."""
    if kind != "dielectric":
        return
    if incar.get("LHFCALC") or incar.get("METAGGA"):
        raise InputError(
            "VASP's perturbation theory has no hybrid functionals and no meta-GGAs",
            where="preset: dielectric",
            fix="calculate the response with PBE or PBEsol, or give the constant with its source",
        )
    if not incar.get("LEPSILON") or incar.get("IBRION") not in (7, 8):
        raise InputError(
            "the response of electrons and ions needs LEPSILON: true and IBRION: 8",
            where="preset: dielectric",
            fix="leave them out of incar: the input set has them",
        )


#: Tags of a path, which a calculation of one end does not have.
_PATH_TAGS = ("IMAGES", "SPRING", "LCLIMB", "IOPT", "POTIM", "EDIFFG")


def end_incar(incar: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tags for a path's end by itself: its electrons, the atoms left where they are."""
    return {tag: incar[tag] for tag in incar if tag not in _PATH_TAGS} | {"NSW": 0, "IBRION": -1}


def path_images(request: CalculationRequest) -> list[Structure]:
    """Return the images of a path to begin with, its ends included, in the order of POSCAR.

    By the image-dependent pair potential (S. Smidstrup et al., J. Chem. Phys. 140, 214106 (2014)).
    """
    from ase import Atoms
    from ase.mep import NEB
    from pymatgen.io.ase import AseAtomsAdaptor

    path, before = request.settings["path"], request.initial_structure
    after = Structure(
        before.lattice, before.species, path["end_positions_A"], coords_are_cartesian=True
    )
    # Positions as they are, not wrapped into the cell: which image of an atom half a cell away is
    # the nearest would hang on the last digit.
    start, end = (
        Atoms(
            [site.specie.symbol for site in one],
            one.cart_coords,
            cell=one.lattice.matrix,
            pbc=True,
        )
        for one in map(in_poscar_order, (before, after))
    )
    images = [start, *(start.copy() for _ in range(path["images"])), end]
    NEB(images, method="improvedtangent").interpolate(method="idpp")
    return [AseAtomsAdaptor.get_structure(image) for image in images]


def write_inputs(request: CalculationRequest, folder: Path) -> None:
    """Write INCAR, KPOINTS, POSCAR and POTCAR.spec of a request into a folder.

    A path has its images in folders of their own (00, 01, ...), each with KPOINTS, as atomate2's
    maker has it: VASP with HDF5 looks for them there. The ends have INCAR, too: VASP leaves them
    out of a path, and each is a calculation by itself.
    """
    from pymatgen.io.vasp import Incar

    settings = request.settings
    structure = in_poscar_order(request.initial_structure)
    mesh = kpoints_file(structure, settings)
    if distance_A := settings.get("displacement_A"):
        # The same start for the same defect, whatever else changes.
        seed = zlib.crc32(f"{structure.formula} {request.charge}".encode())
        structure = displaced(structure, distance_A, seed=seed)
    if start := settings.get("shakenbreak"):
        structure = distorted(structure, start)
    folder.mkdir(parents=True, exist_ok=True)
    elements = dict.fromkeys(site.specie.symbol for site in structure)
    symbols = [settings["potcars"]["symbols"][element] for element in elements]
    write_text(folder / "INCAR", str(Incar(settings["incar"])))
    write_text(folder / "KPOINTS", str(mesh))
    write_text(folder / "POTCAR.spec", "\n".join(symbols) + "\n")
    if request.kind != "neb":
        write_text(folder / "POSCAR", _poscar(structure))
        return
    images = path_images(request)
    for index, image in enumerate(images):
        own = folder / f"{index:02d}"
        own.mkdir(exist_ok=True)
        write_text(own / "POSCAR", _poscar(image))
        write_text(own / "KPOINTS", str(mesh))
        if index in (0, len(images) - 1):
            write_text(own / "INCAR", str(Incar(end_incar(settings["incar"]))))


def _poscar(structure: Structure) -> str:
    from pymatgen.io.vasp import Poscar

    # Adding zero turns −0.0 into 0.0: the same crystal gives the same file.
    tidy = Structure(
        np.round(structure.lattice.matrix, 10) + 0.0,
        structure.species,
        np.round(structure.frac_coords, 10) % 1 + 0.0,
    )
    poscar = Poscar(tidy, comment=tidy.formula, sort_structure=False)
    return str(poscar.get_str(significant_figures=10))
