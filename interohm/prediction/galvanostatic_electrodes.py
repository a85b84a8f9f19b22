"""Electrodes of a run at constant current: what they hold, at which voltage, and how it spreads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interohm.device_models import ELEMENTARY_CHARGE_C, Diffusion
from interohm.prediction.impedance_chain import diffusivity_cm2_s
from interohm.prediction.sampling import Numbers
from interohm.records import Insulator, Metal
from interohm.records.cell_config import Cell, IonContentRange

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.prediction.sampling import FieldSamples


@dataclass(frozen=True)
class Host:
    """An electrode as a host of ions; arrays () or (samples, 1)."""

    metal: Metal
    discharged: float
    charged: float
    capacity_C_cm2: float | None
    """Per ion of a formula."""
    diffusion: Diffusion | None
    """Of a content: R is per charge density that one ion of a formula takes."""
    voltage: Callable[[Array], Array]
    negative: bool

    @property
    def span(self) -> float:
        """Ions of a formula that a full charge moves."""
        return abs(self.charged - self.discharged)

    def soc(self, content: Array) -> Array:
        """Return the state of charge at which the cell has this content."""
        return (content - self.discharged) / (self.charged - self.discharged)

    def content(self, soc: Array) -> Array:
        """Return the content of a state of charge."""
        return self.discharged + soc * (self.charged - self.discharged)


def _host(cell: Cell, metal: Metal, *, negative: bool, samples: FieldSamples | None) -> Host:
    from scipy.interpolate import PchipInterpolator

    layer = cell.layers[0 if negative else -1]
    low, high = metal.states[0].ion_content, metal.states[-1].ion_content
    ends = layer.ion_content or IonContentRange(
        discharged=low if negative else high, charged=high if negative else low
    )
    own = Numbers(metal, samples)
    rows = [
        own.energy("states.voltage_V", state.voltage_V, drawn_as="voltage_V")
        for state in metal.states
    ]
    contents = [state.ion_content for state in metal.states]
    if len(rows) == 1:

        def voltage(content: Array) -> Array:
            return np.asarray(np.asarray(rows[0])[..., None] + np.zeros_like(content))
    else:
        # an error shifts the curve as a whole
        nominal = np.array([state.voltage_V.value for state in metal.states])
        shift = np.asarray(rows[0]) - nominal[0]
        curve = PchipInterpolator(contents, nominal, extrapolate=False)

        def voltage(content: Array) -> Array:
            return np.asarray(curve(content) + shift[..., None])

    capacity = diffusion = None
    held, sites = metal.space_charge, metal.sites_per_formula
    if held is not None and sites is not None and ends.discharged != ends.charged:
        formulas = held.site_density_cm3.value / sites
        length = layer.thickness_nm * 1e-7
        capacity = ELEMENTARY_CHARGE_C * metal.ion_charge * formulas * length
        speed = diffusivity_cm2_s(metal, cell.temperature_K, samples)
        if speed is not None:
            time = np.atleast_1d(length**2 / speed)
            # in ions of a formula per A/cm²
            diffusion = Diffusion(time / capacity, time)
    return Host(metal, ends.discharged, ends.charged, capacity, diffusion, voltage, negative)


def hosts_of(
    cell: Cell, materials: list[Insulator | Metal], samples: FieldSamples | None
) -> list[Host]:
    """Return the negative and the positive electrode."""
    found = []
    for place in (0, -1):
        metal = materials[place]
        assert isinstance(metal, Metal)
        found.append(_host(cell, metal, negative=place == 0, samples=samples))
    return found


def reach(hosts: list[Host]) -> tuple[float, float]:
    """Return the states of charge of surfaces between which both electrodes have a voltage."""
    low, high = -0.5, 1.5
    for host in hosts:
        if not host.span:
            continue
        ends = [state.ion_content for state in (host.metal.states[0], host.metal.states[-1])]
        socs = sorted(float(host.soc(np.asarray(end))) for end in ends)
        low, high = max(low, socs[0]), min(high, socs[1])
    return min(low, 0.0), max(high, 1.0)
