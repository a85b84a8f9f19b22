"""Speed and memory of what the first integrals give: half-space contacts and finite layers."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from interohm.arrays import Array
from interohm.device_models import (
    Metal,
    Phase,
    contact,
    contact_resistance,
    layer,
    neutral_bulk,
)

THREADS = 2
CHUNK = 8192
METAL_eV, IP_eV, TEMPERATURE_K = 2.9, 5.3, 300.0


def phases(parameters: Array, *, sites_cm3: float = 3e22) -> Phase:
    """Solid electrolytes with an interstitial and a vacancy, from rows (3, N).

    The rows are the neutral potential (V), the formation energy at neutrality (eV) and the
    dielectric constant.
    """
    potential, energy, dielectric = parameters
    level = IP_eV - METAL_eV + potential
    return Phase(
        ionization_potential_eV=IP_eV,
        band_gap_eV=6.0,
        dielectric_constant=dielectric,
        charge=[1.0, -1.0],
        ion_change=[1.0, -1.0],
        formation_energy_eV=np.stack([energy - level, energy + level], axis=-1),
        site_density_cm3=[sites_cm3, sites_cm3],
        saturation=0.1,
        migration_energy_eV=[0.3, 0.35],
        hop_distance_nm=0.25,
    )


def draw(count: int, *, energies_eV: tuple[float, float] = (0.0, 0.3), seed: int = 0) -> Array:
    """Random parameters (3, count) of phases that are thick in contact with the metal."""
    rng = np.random.default_rng(seed)
    return np.stack(
        [rng.uniform(0.3, 2.5, count), rng.uniform(*energies_eV, count), rng.uniform(5, 50, count)]
    )


def half_space_contacts(parameters: Array) -> Array:
    """Sheet charge, capacitance, total resistance and its reason of metal contacts, (4, N)."""
    bulk = neutral_bulk(
        phases(parameters), temperature_K=TEMPERATURE_K, metal_work_function_eV=METAL_eV
    )
    found = contact(Metal(0.0), bulk)
    parts = contact_resistance(found)
    return np.stack(
        [
            found.sheet_charge_e_nm2,
            found.capacitance_uF_cm2,
            parts.total_ohm_cm2,
            parts.reason.astype(float),
        ]
    )


def two_sided_contacts(parameters: Array) -> Array:
    """Return contacts of two electrolytes, each with its neighbour in the batch."""
    bulk = neutral_bulk(
        phases(parameters), temperature_K=TEMPERATURE_K, metal_work_function_eV=METAL_eV
    )
    half = bulk.shape[0] // 2
    found = contact(bulk[:half], bulk[half:])
    parts = contact_resistance(found)
    return np.stack([found.sheet_charge_e_nm2, found.capacitance_uF_cm2, parts.total_ohm_cm2])


def finite_layers(parameters: Array) -> Array:
    """End charges and R_layer of coatings 5 nm thick, (3, N)."""
    bulk = neutral_bulk(
        phases(parameters, sites_cm3=6e22),
        temperature_K=TEMPERATURE_K,
        metal_work_function_eV=METAL_eV,
    )
    found = layer(bulk, 0.0, 1.5, 5.0)
    return np.stack(
        [
            *np.moveaxis(found.sheet_charge_e_nm2, -1, 0),
            found.resistance_ohm_cm2,
        ]
    )


def in_chunks(
    function: Callable[[Array], Array], parameters: Array, *, rows: int, per: int = 1
) -> Array:
    """Apply a function chunk by chunk on two threads; memory beyond the result stays flat.

    The function makes one column of `rows` numbers from each `per` columns of the parameters.
    """
    count = parameters.shape[1]
    chunk = min(CHUNK, count // (2 * THREADS))
    result = np.empty((rows, count // per))

    def one(start: int) -> None:
        part = function(parameters[:, start : start + chunk])
        result[:, start // per : start // per + part.shape[1]] = part

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(0, count, chunk)))
    return result


def rates(
    function: Callable[[Array], Array], parameters: Array, *, rows: int, repeats: int, per: int = 1
) -> tuple[float, float]:
    """Best rates of several runs: columns (or groups of `per`) a second, and a CPU second.

    The rate per second of processor time tells how fast the code is on a machine that is shared.
    """
    in_chunks(function, parameters[:, : 2 * CHUNK], rows=rows, per=per)
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        in_chunks(function, parameters, rows=rows, per=per)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    count = parameters.shape[1] / per
    return count / min(walls), count / min(cpus)


def exponentials_per_cpu_s(repeats: int = 5) -> float:
    """Exponentials that NumPy does in a second of processor time, arrays in the cache."""
    values = np.random.default_rng(0).uniform(-30.0, 30.0, CHUNK)
    out = np.empty_like(values)
    times = []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(500):
            np.exp(values, out=out)
        times.append(time.process_time() - start)
    return 500 * CHUNK / min(times)


def first_integral_figures(
    *, contacts: int = 65536, layers: int = 8192, repeats: int = 3
) -> dict[str, float]:
    """Rates of this run."""
    cases = {
        "half_space_contacts": (half_space_contacts, draw(contacts), 4, 1),
        "two_sided_contacts": (two_sided_contacts, draw(contacts), 3, 2),
        "finite_layers": (finite_layers, draw(layers, energies_eV=(0.0, 1.0), seed=1), 3, 1),
    }
    figures = {"exponentials_per_cpu_s": exponentials_per_cpu_s()}
    for name, (function, parameters, rows, per) in cases.items():
        wall, cpu = rates(function, parameters, rows=rows, repeats=repeats, per=per)
        figures[f"{name}_per_s"], figures[f"{name}_per_cpu_s"] = wall, cpu
        figures[f"{name}_per_exponential"] = cpu / figures["exponentials_per_cpu_s"]
    return figures
