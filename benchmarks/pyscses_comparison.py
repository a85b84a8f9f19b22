"""The grid solver against pyscses (Wellock, Morgan, JOSS 4, 1209 (2019)) on one problem of both.

A plane of 1 nm between two thick grains: interstitials and vacancies of charge ±1, each on its own
sublattice, one site in a hundred taken in the bulk; interstitials cost 0.2 eV less in the plane.
pyscses states it with sites on an even grid, its continuum limit, as a grain boundary with its
`gouy-chapman` rule (the potential is 0 in the bulk); interohm as a layer between two thick phases.

pyscses 1.0.0 does not run with the SciPy and NumPy of this project; it gets an environment of its
own, which this script starts, and which the long form of `run.py` looks for::

    python3 -m venv .venv-pyscses
    .venv-pyscses/bin/pip install pyscses==1.0.0 numpy==1.26.4 scipy==1.13.1
    .venv/bin/python benchmarks/pyscses_comparison.py .venv-pyscses/bin/python

Its damping is the largest with which it converges; twice that diverges. The time is that of its
solution alone, without making its sites; interohm's holds everything, from the numbers of the
materials on.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from typing import Any

import numpy as np

TEMPERATURE_K, DIELECTRIC_CONSTANT, SITES_CM3, BULK_FRACTION = 600.0, 50.0, 3e22, 0.01
PLANE_NM, SEGREGATION_eV, HALF_WIDTH_NM = 1.0, -0.2, 5.0
GRIDS = {0.1: 0.014, 0.05: 0.014, 0.025: 0.014}
"""Spacing in nm and the damping of pyscses there."""
CONVERGENCE_V2 = 1e-14


def by_pyscses(spacing_nm: float, damping: float) -> dict[str, float]:
    """Solve with pyscses: sheet charge of one space charge, drop at the middle, time."""
    warnings.simplefilter("ignore")
    from pyscses.calculation import Calculation
    from pyscses.defect_species import DefectSpecies
    from pyscses.grid import Grid
    from pyscses.set_of_sites import Set_of_Sites
    from pyscses.site import Site

    half = round(HALF_WIDTH_NM / spacing_nm)
    x = (np.arange(-half, half) + 0.5) * spacing_nm * 1e-9
    step = spacing_nm * 1e-9
    side = np.sqrt(1.0 / (SITES_CM3 * 1e6 * step))
    kinds = {
        "interstitial": (DefectSpecies("interstitial", 1.0, BULK_FRACTION), SEGREGATION_eV),
        "vacancy": (DefectSpecies("vacancy", -1.0, BULK_FRACTION), 0.0),
    }
    inside = np.abs(x) < PLANE_NM * 0.5e-9
    sites = [
        Site(label, position, [kind], [energy if here else 0.0])
        for position, here in zip(x, inside, strict=True)
        for label, (kind, energy) in kinds.items()
    ]
    grid = Grid(x, side, side, [step, step], [step, step], Set_of_Sites(sites))
    calculation = Calculation(
        grid,
        -0.98 * HALF_WIDTH_NM * 1e-9,
        -0.9 * HALF_WIDTH_NM * 1e-9,
        damping,
        CONVERGENCE_V2,
        DIELECTRIC_CONSTANT,
        TEMPERATURE_K,
        "dirichlet",
    )
    start = time.perf_counter()
    calculation.solve("gouy-chapman")
    seconds = time.perf_counter() - start
    charge_C_m2 = np.sum(calculation.rho[~inside]) * step / 2.0
    return {
        "spacing_nm": spacing_nm,
        "seconds": seconds,
        "iterations": calculation.niter,
        "sheet_charge_e_nm2": float(charge_C_m2 * 1e-18 / 1.602176634e-19),
        "drop_V": float((calculation.phi[half - 1] + calculation.phi[half]) / 2.0),
    }


def by_interohm(segregation_eV: Any) -> tuple[Any, Any]:
    """Solve with interohm: sheet charge of the right space charge and drop at the middle, (...)."""
    from interohm.device_models import (
        BOLTZMANN_EV_K,
        Phase,
        StackLayer,
        neutral_bulk,
        solve_stack,
    )

    kT = BOLTZMANN_EV_K * TEMPERATURE_K
    energy = -kT * np.log(BULK_FRACTION / (1.0 - BULK_FRACTION))
    shifts = np.stack([np.asarray(segregation_eV), np.zeros_like(segregation_eV)], axis=-1)
    grain, plane = (
        neutral_bulk(
            Phase(
                ionization_potential_eV=5.0,
                band_gap_eV=6.0,
                dielectric_constant=DIELECTRIC_CONSTANT,
                charge=[1.0, -1.0],
                ion_change=[1.0, -1.0],
                formation_energy_eV=np.array([energy - 2.0, energy + 2.0]) + shift,
                site_density_cm3=SITES_CM3,
                electrons=False,
            ),
            temperature_K=TEMPERATURE_K,
            metal_work_function_eV=3.0,
        )
        for shift in (0.0, shifts)
    )
    solved = solve_stack(grain, [StackLayer(plane, PLANE_NM)], grain)
    layer = solved.layers[0]
    x, phi = layer.x_nm, layer.phi_V
    middle = np.argmin(np.abs(x - PLANE_NM / 2.0), axis=-1, keepdims=True)
    drop = np.take_along_axis(phi, middle, axis=-1)[..., 0] - grain.neutral_potential_V
    return -solved.right_displacement_e_nm2[..., -1], drop


def best_s(segregation_eV: Any, repeats: int) -> float:
    """Shortest time of interohm in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        by_interohm(segregation_eV)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Compare both and print the figures."""
    if sys.argv[1:] == ["--pyscses"]:
        print(json.dumps([by_pyscses(*grid) for grid in GRIDS.items()]))
        return
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    own = [sys.argv[1], __file__, "--pyscses"]
    theirs = json.loads(subprocess.run(own, check=True, capture_output=True, text=True).stdout)
    batch = 1000
    charge, drop = by_interohm(SEGREGATION_eV)
    alone_s = best_s(SEGREGATION_eV, 20)
    in_batch_s = best_s(np.linspace(1.1, 0.9, batch) * SEGREGATION_eV, 3) / batch
    for row in theirs:
        row["relative_difference_of_the_charge"] = row["sheet_charge_e_nm2"] / float(charge) - 1.0
        row["difference_of_the_drop_mV"] = 1e3 * (row["drop_V"] - float(drop))
        row["interohm_over_pyscses"] = alone_s / row["seconds"]
        row["interohm_in_a_batch_over_pyscses"] = in_batch_s / row["seconds"]
    ours = {
        "sheet_charge_e_nm2": float(charge),
        "drop_V": float(drop),
        "one_ms": 1e3 * alone_s,
        "per_stack_of_a_batch_ms": 1e3 * in_batch_s,
    }
    print(json.dumps({"interohm": ours, "pyscses": theirs}, indent=1))


if __name__ == "__main__":
    main()
