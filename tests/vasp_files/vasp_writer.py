"""Calculation documents and paths written down as VASP leaves them, in its files' format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pymatgen.core import Element, Structure
from pymatgen.io.vasp import Locpot, Poscar

from interohm.postprocess.calculation import Calculation

VALENCE = {"H": 1.0, "Li": 1.0, "F": 7.0, "O": 6.0, "Mg": 2.0, "Co": 9.0}
#: eV/(Å² u) in THz².
THZ2 = 15.633302**2
NELM = "   NELM   =     60;   NELMIN=  2; NELMDL= -5     # of ELM steps\n"
LOOP = "------------------------ aborting loop because EDIFF is reached -------------------------\n"
END = "                  Elapsed time (sec):       61.500\n"
#: The perturbations of IBRION = 8 with LEPSILON, as OUTCAR announces them.
PERTURBATIONS = (
    *[" Linear response G [H, r] |phi>, progress :\n"] * 3,
    *[" Linear response to external field (no local field effect), progress :\n"] * 3,
    *[" Linear response to external field, progress :\n"] * 3,
    " Linear response progress:\n  Degree of freedom:   1/  1\n",
)


def potcar(*data_sets: tuple[str, str, float]) -> str:
    """Return the header lines that engine and custodian read; the data themselves are VASP's.

    ``data_sets`` have an element, a title and the valence electrons each.
    """
    return "".join(
        f"  {title}\n   {zval:.12f}\n parameters from PSCTR are:\n"
        f"   VRHFIN ={element}: valence\n   LEXCH  = PE\n   TITEL  = {title}\n"
        f"   POMASS =   1.000; ZVAL   = {zval:7.3f}    mass and valenz\n"
        " END of PSCTR-controll parameters\n local part\n   0.0 0.0\n End of Dataset\n"
        for element, title, zval in data_sets
    )


def rows(values: np.ndarray, tag: str = "v") -> str:
    return "".join(f"<{tag}>{' '.join(f'{x:.10f}' for x in row)}</{tag}>\n" for row in values)


def species_together(found: Calculation) -> list[int]:
    """Return the sites in the order of POSCAR, Li before F."""
    given = found.final_structure
    return sorted(range(len(given)), key=lambda i: given[i].specie.symbol, reverse=True)


def response_part(found: Calculation, structure: Structure, *, thz: bool) -> str:
    """Return the response as VASP 5 writes it; ``thz``: as VASP 6 does."""
    assert found.response is not None
    response = found.response.reordered(species_together(found))
    charges = np.array(response.born_charges)
    drift = charges - charges.mean(axis=0)
    masses = np.repeat([float(site.specie.atomic_mass) for site in structure], 3)
    constants = np.array(response.force_constants_eV_A2).reshape(len(masses), len(masses))
    # The textbook's way, all modes but those of translation, against which the reader is tested.
    inverse = np.linalg.pinv((constants + constants.T) / 2, rcond=1e-2)
    dipoles = drift.transpose(1, 0, 2).reshape(3, -1)
    ions = 180.95128 / structure.volume * dipoles @ inverse @ dipoles.T
    hessian = -constants / np.sqrt(np.outer(masses, masses)) * (THZ2 if thz else 1)
    unit = '<i name="unit" type="string">THz^2 </i>' if thz else ""
    sets = "".join(f"<set>{rows(charge)}</set>" for charge in charges)
    return (
        f'<varray name="epsilon" >{rows(np.array(response.electronic))}</varray>\n'
        f'<array name="born_charges" ><dimension dim="1">ion</dimension><set>{sets}</set></array>\n'
        f'<dynmat>{unit}<varray name="hessian" >{rows(hessian)}</varray></dynmat>\n'
        f'<varray name="epsilon_ion" >{rows(ions)}</varray>\n'
    )


def vasprun(found: Calculation, structure: Structure, *, thz: bool = False) -> str:
    """Return what VASP would have written of a calculation."""
    elements = list(dict.fromkeys(site.specie.symbol for site in structure))
    counts = [structure.composition[element] for element in elements]
    metal = found.vbm_eV is None
    levels = [(found.fermi_level_eV, 0.5)] if metal else [(found.vbm_eV, 1.0), (found.cbm_eV, 0.0)]
    relaxing = found.kind in ("cell", "relax")
    cell = (
        f'<crystal><varray name="basis">{rows(structure.lattice.matrix)}</varray></crystal>\n'
        f'<varray name="positions">{rows(structure.frac_coords)}</varray>'
    )
    forces = np.zeros((len(structure), 3))
    forces[0, 0] = found.max_force_eV_A
    tags = {
        "NSW": 99 * relaxing,
        "NELM": 60,
        "IBRION": 2 if relaxing else -1,
        "ISIF": 2,
        "ISPIN": 1,
        "NBANDS": len(levels),
    }
    response = ""
    if found.response is not None:
        tags |= {"NSW": 1, "IBRION": 8}
        response = response_part(found, structure, thz=thz)
    whole = "".join(f'<i type="int" name="{tag}">{value}</i>\n' for tag, value in tags.items())
    whole += f'<i type="logical" name="LEPSILON">{"T" if response else "F"}</i>\n'
    energy = "".join(
        f'<i name="{name}">{found.energy_eV:.8f}</i>'
        for name in ("e_fr_energy", "e_wo_entrp", "e_0_energy")
    )
    loop = f"<scstep><energy>{energy}</energy></scstep>"
    if response:  # the last step of the ground state, before those of the perturbations, has more
        loop += f'{loop}<scstep><energy><i name="alphaZ">0.0</i>{energy}</energy></scstep>{loop}'
    mesh = " ".join(str(count) for count in found.settings["kpoints"])
    types = "".join(
        f"<rc><c>{count:g}</c><c>{element}</c><c>{Element(element).atomic_mass:.8f}</c>"
        f"<c>{VALENCE[element]}</c><c>PAW_PBE {element} 01Jan2000</c></rc>"
        for element, count in zip(elements, counts, strict=True)
    )
    atoms = "".join(
        f"<rc><c>{site.specie.symbol}</c><c>{elements.index(site.specie.symbol) + 1}</c></rc>"
        for site in structure
    )
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
<generator><i name="program" type="string">vasp</i>
<i name="version" type="string">6.4.2</i></generator>
<incar><i type="string" name="GGA">PE</i>{whole}</incar>
<kpoints><generation param="Gamma"><v type="int" name="divisions">{mesh}</v>
<v name="usershift">0 0 0</v></generation>
<varray name="kpointlist"><v>0 0 0</v></varray><varray name="weights"><v>1</v></varray></kpoints>
<parameters><separator name="all">{whole}<i type="string" name="GGA">PE</i>
<i name="ENMAX">{found.settings["cutoff_eV"]}</i><i name="NELECT">{found.electrons}</i>
<i type="logical" name="LHFCALC">F</i></separator></parameters>
<atominfo><atoms>{len(structure)}</atoms><types>{len(elements)}</types>
<array name="atoms"><dimension dim="1">ion</dimension><field type="string">element</field>
<field type="int">atomtype</field><set>{atoms}</set></array>
<array name="atomtypes"><dimension dim="1">type</dimension><field type="int">atomspertype</field>
<set>{types}</set></array></atominfo>
<structure name="initialpos">{cell}</structure>
<calculation>{loop}<structure>{cell}</structure>
<varray name="forces">{rows(forces)}</varray>{response}<energy>{energy}</energy>
<eigenvalues><array><set><set comment="spin 1"><set comment="kpoint 1">
{rows(np.array(levels), "r")}</set></set></set></array></eigenvalues>
<dos><i name="efermi">{found.fermi_level_eV:.8f}</i></dos></calculation>
<structure name="finalpos">{cell}</structure>
</modeling>
"""


def iteration(step: int, number: int) -> str:
    return f"--------------------------------- Iteration {step:6d}({number:4d})  ----------------\n"


def core_potentials(values: list[float]) -> str:
    lines = "".join(f"{number:8d}{value:9.4f}\n" for number, value in enumerate(values, start=1))
    return (
        " average (electrostatic) potential at core\n"
        f"  (the norm of the test charge is              1.0000)\n{lines}\n"
    )


def write_calculation(found: Calculation, folder: Path, *, thz: bool = False) -> None:
    """Write vasprun.xml, LOCPOT and OUTCAR of a calculation, species together."""
    given = found.final_structure
    order = species_together(found)
    structure = Structure.from_sites([given[i] for i in order])
    folder.mkdir(parents=True)
    (folder / "vasprun.xml").write_text(vasprun(found, structure, thz=thz))
    if found.planar_potential is not None:
        planes = np.array(found.planar_potential.potential_eV)
        grid = np.broadcast_to(planes, (2, 2, planes.size))
        Locpot(Poscar(structure), {"total": grid}).write_file(folder / "LOCPOT")
    cores = core_potentials([found.site_potentials_eV[i] for i in order])
    steps = iteration(1, 1) + iteration(1, 2)
    headings = ("", *PERTURBATIONS) if found.response else ("",)
    loops = "".join(heading + steps + LOOP for heading in headings)
    (folder / "OUTCAR").write_text(NELM + cores + loops + END)


def outcar(
    structure: Structure,
    energy_eV: float,
    *,
    charge: int,
    steps: int = 0,
    forces_eV_A: np.ndarray | None = None,
) -> str:
    """Return the OUTCAR of a supercell; with ``steps``, of an image that VTST relaxed."""
    elements = list(dict.fromkeys(site.specie.symbol for site in structure))
    counts = [int(structure.composition[element]) for element in elements]
    electrons = sum(n * VALENCE[el] for n, el in zip(counts, elements, strict=True)) - charge
    titles = "".join(f"   TITEL  = PAW_PBE {element} 01Jan2000\n" for element in elements)
    lattice = "".join(
        "".join(f"{x:13.9f}" for x in [*vector, 0, 0, 0]) + "\n"
        for vector in structure.lattice.matrix
    )
    forces = np.zeros((len(structure), 3)) if forces_eV_A is None else forces_eV_A
    atoms = "".join(
        "".join(f"{x:13.5f}" for x in place) + "    " + "".join(f"{x:14.6f}" for x in force) + "\n"
        for place, force in zip(structure.cart_coords, forces, strict=True)
    )
    valences = "".join(f"{VALENCE[element]:7.2f}" for element in elements)
    head = f""" vasp.6.4.2 20Jul23 (build Jan 01 2024 00:00:00) complex
{titles}
{" VTST: version 4.2, (11/26/22)" if steps else ""}
   k-points           NKPTS =      1   k-points in BZ     NKDIM =      1
   ions per type =               {" ".join(str(count) for count in counts)}
   ENCUT  =  520.0 eV  38.22 Ry    6.18 a.u.
{NELM}   NSW    =     {99 if steps else 0}    number of steps for IOM
  Ionic Valenz
   ZVAL   ={valences}
   NELECT =  {electrons:10.4f}    total number of electrons
   GGA     =    PE    GGA type
   LHFCALC =     F    Hartree Fock is set to
   AEXX    =    0.0000 exact exchange contribution
"""
    step = f"""
{iteration(1, 1)}
  energy without entropy =   {energy_eV + 1:.8f}  energy(sigma->0) =   {energy_eV + 1:.8f}
{iteration(1, 2)}{core_potentials([-40.0 - n / 100 for n in range(1, len(structure) + 1)])}
 E-fermi :   1.2500     XC(G=0):  -1.6652     alpha+bet : -0.5051

{LOOP}
      direct lattice vectors                 reciprocal lattice vectors
{lattice}
 POSITION                                       TOTAL-FORCE (eV/Angst)
 -----------------------------------------------------------------------------------
{atoms} -----------------------------------------------------------------------------------
  energy  without entropy=   {energy_eV:.8f}  energy(sigma->0) =   {energy_eV:.8f}
"""
    numbered = [step.replace("Iteration      1(", f"Iteration {n + 1:6d}(") for n in range(steps)]
    relaxed = " reached required accuracy - stopping structural energy minimisation\n"
    return head + ("".join(numbered) + relaxed if steps else step) + END


def write_path(images: list[Structure], energies_eV: list[float], folder: Path) -> None:
    """Write the images of a path of a vacancy of charge −1, and their ends."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "INCAR").write_text(
        "ENCUT = 520\nIMAGES = 3\nLCLIMB = .TRUE.\nIOPT = 1\nSPRING = -5\n"
    )
    (folder / "KPOINTS").write_text("mesh\n0\nGamma\n1 1 1\n")
    for number, (image, energy) in enumerate(zip(images, energies_eV, strict=True)):
        place = folder / f"{number:02d}"
        place.mkdir(exist_ok=True)
        between = 0 < number < len(images) - 1
        Poscar(image).write_file(place / "POSCAR")
        (place / "OUTCAR").write_text(outcar(image, energy, charge=-1, steps=4 * between))
        if between:
            Poscar(image).write_file(place / "CONTCAR")
            (place / "OSZICAR").write_text("DAV:   1    0.1E+01\n   1 F= -.20E+03 E0= -.20E+03\n")
