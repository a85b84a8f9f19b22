"""A stand-in for VASP that leaves the files of a relaxation that has ended."""

from __future__ import annotations

from pathlib import Path

from pymatgen.io.vasp import Poscar
from vasp_writer import write_calculation

from interohm.database import Database
from interohm.postprocess.calculation import Calculation
from interohm.workflows.calculations import find_calculation
from interohm.workflows.campaign import dry_run, load_campaign

CAMPAIGN = Path(__file__).parents[2] / "configs" / "campaigns" / "interlayers.yaml"

#: What atomate2 reads, which is none of what the engine reads.
OUTCAR = """
 vasp.6.4.2 20Jul23 (build Jan 01 2024 00:00:00) complex
   IBRION =      2    ionic relax: 0-MD 1-quasi-New 2-CG
   k-points  NKPTS =      1   number of bands    NBANDS=      8
 total plane-waves  NPLWV =   4096
    total drift:                                0.000000      0.000000      0.000000
 dimension x,y,z NGXF=    32 NGYF=   32 NGZF=   32
"""


def relaxed_already(name: str, folder: Path) -> Path:
    """Write a program that leaves a shipped phase's relaxed cell, in which nothing moved.

    Parameters
    ----------
    name : str
        Of the phase, in the campaign of interlayers.
    folder : Path
        For the program and the files.
    """
    done, files = shipped_cell(name), folder / "finished"
    write_calculation(done, files)
    (files / "OUTCAR").write_text(OUTCAR)
    Poscar(done.final_structure).write_file(files / "CONTCAR")
    (files / "OSZICAR").write_text("   1 F= -.19E+01 E0= -.19E+01  d E =0\n")
    program = folder / "vasp_std"
    program.write_text(f"#!/bin/sh\ncp {files}/* .\n")
    program.chmod(0o755)
    return program


def shipped_cell(name: str) -> Calculation:
    """Return the relaxation of a phase's cell, as VASP would begin where it ended."""
    config = load_campaign(CAMPAIGN)
    (phase,) = [one for one in config.phases if one.name == name]
    with Database.open() as database:
        plan = dry_run(config.alone(phase), database)
        (cell,) = [one for one in plan if one.label == f"{name}: cell"]
        found = find_calculation(database, cell.hash)
    assert found is not None
    return found.model_copy(update={"structure": cell.request.structure})
