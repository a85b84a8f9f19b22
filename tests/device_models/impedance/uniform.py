"""Uniform layers between two equal contacts, with the closed forms of their impedance."""

from __future__ import annotations

import numpy as np

from interohm.device_models import Chain, Crossing, Diffusion, Segment
from interohm.device_models.constants import CAPACITANCE_UF_CM2
from interohm.device_models.impedance.segment import PLACES
from interohm.device_models.phase import Array

FARAD_CM = CAPACITANCE_UF_CM2 * 1e-13
"""One e/(V·nm) in F/cm."""


def mesh(edges_nm: Array) -> Array:
    """dx/dξ of elements between `edges_nm`, of one sample."""
    half = np.diff(edges_nm) / 2.0
    return np.broadcast_to(half[None, :, None], (PLACES.size, half.size, 1))


def graded(length_nm: float, scale_nm: float) -> Array:
    """Ends of elements that grow from both ends of a layer."""
    steps = max(1, int(np.ceil(np.log(max(length_nm / (2.0 * scale_nm), 1.0)) / np.log(2.0))) + 3)
    grown = np.concatenate([[0.0], 2.0 ** np.arange(-float(steps), 1.0)]) / 2.0
    return length_nm * np.concatenate([grown, 1.0 - grown[-2::-1]])


def uniform(
    length_nm: float,
    permittivity: float,
    capacitance: Array,
    conductivity: Array,
    edges_nm: Array | None = None,
) -> Segment:
    """A layer of constant C and sigma, (m, m) each."""
    total = float(np.sum(capacitance))
    if edges_nm is None:
        edges_nm = graded(length_nm, float(np.sqrt(permittivity / total)))
    metric = mesh(edges_nm)

    def everywhere(matrix: Array) -> Array:
        return np.broadcast_to(matrix[:, :, None, None, None], (*matrix.shape, *metric.shape))

    return Segment(
        metric,
        np.full(metric.shape, permittivity),
        everywhere(np.asarray(capacitance)),
        everywhere(np.linalg.inv(conductivity)),
    )


def between(segments: list[Segment], transfer: float, **options: object) -> Chain:
    """Segments in a row between two equal contacts."""
    contact = Crossing(np.array([transfer]), **options)  # type: ignore[arg-type]
    return Chain([contact, *segments, contact])


def closed_form(
    frequency_Hz: Array,
    *,
    length_nm: float,
    permittivity: float,
    debye_nm: float,
    sigma: float,
    transfer: float | Array,
) -> Array:
    """Z of a uniform layer between contacts of the resistance `transfer`, infinite if blocked."""
    s = 2j * np.pi * frequency_Hz
    eps, length = permittivity * FARAD_CM, length_nm * 1e-7
    q = 1.0 + s * eps / sigma
    kappa = np.sqrt(q) / (debye_nm * 1e-7)
    admittance = q / transfer + s * eps * kappa / np.tanh(kappa * length / 2.0)
    return length / sigma / q + 2.0 / (q * admittance)


def host(resistance: float, time_s: float) -> Diffusion:
    """Solid diffusion of one sample."""
    return Diffusion(np.array([resistance]), np.array([time_s]))
