"""A spectrum as a sum of relaxations, against one banded solve of the same grid per frequency.

Three layers between two electrodes, 70 frequencies from 1 mHz to 10 MHz. The peer is what one would
write without this package: the linearized Poisson-Nernst-Planck equations as they stand, with the
potentials of ions and of space at the nodes of the same grid, and SciPy's solve_banded at every
frequency. The second peer solves the reduced equation of this package, which has half the unknowns
and no cancellation, in the same way: over it, what is told is the gain of the relaxations alone.
Both get assembled matrices; what assembling costs is told beside.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np
from scipy.linalg import solve_banded

from interohm.arrays import Array
from interohm.device_models import (
    Bulk,
    Chain,
    Crossing,
    Phase,
    half_space,
    neutral_bulk,
    solve_chain,
    thick_layer,
)
from interohm.device_models.constants import CAPACITANCE_UF_CM2
from interohm.device_models.impedance.segment import DEGREE, PLACES, WEIGHTS
from interohm.device_models.numerics.spectral import element

FARAD_CM = CAPACITANCE_UF_CM2 * 1e-13
"""One e/(V·nm) in F/cm."""

FREQUENCIES = np.geomspace(1e-3, 1e7, 70)
SAMPLES = 200
LAYERS = ((0.3, 0.15, 3e21, 300.0), (0.8, 0.02, 3e22, 2000.0), (0.4, 0.2, 1e21, 500.0))
"""Neutral potential, formation energy, sites, thickness."""


def bulk(potential_V: Array, energy_eV: Array, sites_cm3: float) -> Bulk:
    """Two defects of charge ±1 that hop."""
    level = 2.0 + potential_V
    phase = Phase(
        ionization_potential_eV=5.0,
        band_gap_eV=6.0,
        dielectric_constant=20.0,
        charge=[1.0, -1.0],
        ion_change=[1.0, -1.0],
        formation_energy_eV=np.stack([energy_eV - level, energy_eV + level], axis=-1),
        site_density_cm3=sites_cm3,
        migration_energy_eV=[0.3, 0.35],
        hop_distance_nm=0.3,
        electrons=False,
    )
    return neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=3.0)


def cell(samples: int) -> Chain:
    """Three layers and four contacts; each sample has its own numbers."""
    random = np.random.default_rng(1)
    parts: list = [Crossing(10.0 * random.lognormal(size=samples))]
    for potential, energy, sites, thickness in LAYERS:
        noise = 0.03 * random.standard_normal((2, samples))
        phase = bulk(potential + noise[0], energy + noise[1], sites)
        ends = [half_space(phase, phase.neutral_potential_V + drop) for drop in (-0.25, 0.2)]
        parts += thick_layer(*ends, np.full(samples, thickness))
        parts.append(Crossing(10.0 * random.lognormal(size=samples)))
    return Chain(parts)


def banded(chain: Chain, sample: int = 0) -> Array:
    """Z of a sample by one banded solve of the same matrices per frequency."""
    pencil = chain.pencil
    full = [_full(band[..., sample]) for band in (pencil.energy, pencil.loss)]
    load = _times_ones(pencil.loss[..., sample])
    resistance = float(np.sum(load))
    width = pencil.loss.shape[0] - 1
    return np.array(
        [
            resistance - s * load @ solve_banded((width, width), full[0] + s * full[1], load)
            for s in 2j * np.pi * FREQUENCIES
        ]
    )


def _full(band: Array) -> Array:
    width = band.shape[0] - 1
    whole = np.zeros((2 * width + 1, band.shape[1]))
    whole[: width + 1] = band
    for d in range(1, width + 1):
        whole[width + d, :-d] = band[width - d, d:]
    return whole


def _times_ones(band: Array) -> Array:
    width = band.shape[0] - 1
    total = band[-1].copy()
    for d in range(1, width + 1):
        total[d:] += band[width - d, d:]
        total[:-d] += band[width - d, d:]
    return total


class Potentials:
    """The same cell by the potentials of ions and of space at every node, as they are written.

    Conductances and capacitances between nodes: ``(G + i omega B) y = 0`` with φ held at both ends.
    """

    def __init__(self, chain: Chain) -> None:
        one = element(DEGREE)
        values = one.to_places(PLACES)
        slopes = values @ one.derivative
        width = 2 * DEGREE + 3
        ions: list[int] = []
        entries: list[tuple[int, int, int, float]] = []
        # of every node the ion's unknown, then φ's; at a contact the ion has one on either side
        count, last_phi = 0, -1
        for part in chain.parts:
            if isinstance(part, Crossing):
                transfer = 1.0 / float(part.transfer_ohm_cm2[0])
                if last_phi >= 0 and part is not chain.parts[-1]:
                    ion, phi, other = ions[-1], last_phi, count
                    count += 1
                    ions.append(other)
                    for a, b, sign in ((ion, ion, 1), (other, other, 1), (ion, other, -1)):
                        entries.append((0, a, b, sign * transfer))
                    entries.append((0, other, ion, -transfer))
                    nodes = [(other, phi)]
                else:
                    ends = transfer
                    if last_phi < 0:
                        nodes = [(0, 1)]
                        ions.append(0)
                        count = 2
                        self.first = ends
                        entries.append((0, 0, 0, ends))
                    else:
                        entries.append((0, ions[-1], ions[-1], ends))
                last_phi = nodes[-1][1]
                continue
            metric = part.metric_nm[..., 0]
            sigma = 1.0 / part.resistivity_ohm_cm[0, 0, ..., 0]
            eps = part.permittivity_e_V_nm[..., 0] * FARAD_CM
            stored = part.capacitance_e_V_nm3[0, 0, ..., 0] * FARAD_CM * 1e14
            for e in range(metric.shape[1]):
                for _ in range(DEGREE):
                    nodes.append((count, count + 1))
                    count += 2
                here = nodes[-DEGREE - 1 :]
                cm = WEIGHTS * metric[:, e] * 1e-7
                across = WEIGHTS / (metric[:, e] * 1e-7)
                drift = np.einsum("g,gi,gj->ij", across * sigma[:, e], slopes, slopes)
                polar = np.einsum("g,gi,gj->ij", across * eps[:, e], slopes, slopes)
                mass = np.einsum("g,gi,gj->ij", cm * stored[:, e], values, values)
                for i, (v, p) in enumerate(here):
                    for j, (w, q) in enumerate(here):
                        entries.append((0, v, w, drift[i, j]))
                        entries.append((1, v, w, mass[i, j]))
                        entries.append((1, p, q, mass[i, j] + polar[i, j]))
                        entries.append((1, v, q, -mass[i, j]))
                        entries.append((1, p, w, -mass[i, j]))
            ions.append(nodes[-1][0])
            last_phi = nodes[-1][1]
        self.width, self.size, self.held = width, count, (1, last_phi)
        self.bands = np.zeros((2, 2 * width + 1, count))
        for which, a, b, value in entries:
            self.bands[which, width + a - b, b] += value

    def impedance(self) -> Array:
        """Z at every frequency by a banded solve each."""
        width, size = self.width, self.size
        z = []
        for s in 2j * np.pi * FREQUENCIES:
            whole = self.bands[0] + s * self.bands[1]
            columns = np.arange(max(0, 1 - width), min(size, 1 + width + 1))
            row = whole[width + 1 - columns, columns].copy()
            right = np.zeros(size, dtype=complex)
            right[0] = self.first
            right[columns] -= whole[width + columns - 1, 1]
            held = whole.copy()
            for one in self.held:
                near = np.arange(max(0, one - width), min(size, one + width + 1))
                held[width + one - near, near] = 0.0
                held[width + near - one, one] = 0.0
                held[width, one] = 1.0
            right[list(self.held)] = 1.0, 0.0
            y = solve_banded((width, width), held, right)
            z.append(1.0 / (row @ y[columns] + self.first * (1.0 - y[0])))
        return np.array(z)


def seconds(task: Callable[[], object], repeats: int) -> float:
    """Return the shortest time of some runs."""
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        task()
        best = min(best, time.process_time() - start)
    return float(best)


def impedance_figures(repeats: int = 3) -> dict[str, float]:
    """Times, their ratios, and errors."""
    one, many = cell(1), cell(SAMPLES)
    for chain in (one, many):
        _ = chain.pencil
    written = Potentials(one)
    ends = (FREQUENCIES[0], FREQUENCIES[-1])

    def spectrum(chain: Chain) -> Array:
        return solve_chain(chain, *ends).impedance_ohm_cm2(FREQUENCIES)

    alone = seconds(lambda: spectrum(one), repeats)
    batch = seconds(lambda: spectrum(many), max(1, repeats - 1)) / SAMPLES
    peer = seconds(lambda: banded(one), repeats)
    potentials = seconds(written.impedance, repeats)
    assembly = seconds(lambda: cell(SAMPLES).pencil, 1) / SAMPLES
    z, exact = spectrum(many), [banded(many, k) for k in range(0, SAMPLES, 20)]
    error = max(
        float(np.max(np.abs(z[20 * k] / one_exact - 1.0))) for k, one_exact in enumerate(exact)
    )
    dc = many.dc_ohm_cm2
    limits = solve_chain(many, *ends)
    geometric = np.sum(limits.resistance_ohm_cm2 / limits.time_s, axis=1) / many.pencil.geometric
    return {
        "impedance_ms": 1e3 * alone,
        "impedance_batch_ms": 1e3 * batch,
        "impedance_assembly_ms": 1e3 * assembly,
        "potentials_over_impedance": potentials / alone,
        "potentials_over_impedance_batch": potentials / batch,
        "banded_over_impedance": peer / alone,
        "banded_over_impedance_batch": peer / batch,
        "impedance_error": error,
        "impedance_from_potentials": float(
            np.max(np.abs(spectrum(one) / written.impedance() - 1.0))
        ),
        "impedance_dc_error": float(np.max(np.abs(limits.dc_ohm_cm2 / dc - 1.0))),
        "impedance_geometric_error": float(np.max(np.abs(geometric - 1.0))),
    }


if __name__ == "__main__":
    print(json.dumps(impedance_figures(), indent=1))
