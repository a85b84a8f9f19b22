"""A cell at constant current: its voltage over time, and what takes its part of it.

Physics.md, section 13. Ions diffuse in the electrodes; space charges, charge transfer and layers
are those of the content at the electrodes' surfaces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from interohm.device_models import BOLTZMANN_EV_K, ButlerVolmer, FiniteLayer, MarcusHushChidsey
from interohm.errors import InputError
from interohm.prediction.galvanostatic_electrodes import Host, hosts_of, reach
from interohm.prediction.impedance_chain import voltage_slope_V
from interohm.prediction.polarization import charge_transfer
from interohm.prediction.quasi_equilibrium import quasi_equilibrium_fields
from interohm.prediction.solved_cell import SolvedState, solve_state
from interohm.records import Insulator, Metal
from interohm.records.cell_config import Cell, ExtrinsicControl, IonContentRange
from interohm.results.impedance import SOLID_DIFFUSION
from interohm.results.json_values import column_quantiles, number, numbers, quantiles

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.prediction.sampling import FieldSamples

Direction = Literal["discharge", "charge"]

#: States of charge at which the cell is solved, nominally and with samples.
_SOLVED, _SOLVED_SAMPLES = 25, 9

#: Points in time.
_EARLY, _LATER = 40, 160

#: Biot numbers beyond which diffusion or reaction controls.
_DIFFUSION, _REACTION = 10.0, 0.1


@dataclass(frozen=True)
class _Table:
    """Resistances of a cell over its state of charge, from a few solved states."""

    soc: Array
    states: list[SolvedState]

    def over(self, of: Callable[[SolvedState], Array], soc: Array, *, log: bool = False) -> Array:
        """Interpolate a number of the solved states at states of charge (T,), (T,) or (S, T)."""
        from scipy.interpolate import PchipInterpolator

        rows = np.stack(
            np.broadcast_arrays(*(np.asarray(of(state), dtype=float) for state in self.states))
        )
        usable = bool(np.all(rows > 0.0)) and log
        rows = np.log(rows) if usable else rows
        at = np.clip(soc, self.soc[0], self.soc[-1])
        if rows.ndim == 1:
            found = PchipInterpolator(self.soc, rows)(at)
        elif at.ndim == 1:
            found = PchipInterpolator(self.soc, rows, axis=0)(at).T
        else:
            found = np.stack(
                [
                    PchipInterpolator(self.soc, own)(place)
                    for own, place in zip(rows.T, at, strict=True)
                ]
            )
        return np.asarray(np.exp(found) if usable else found)


def at_contents(cell: Cell, materials: list[Insulator | Metal], soc: float) -> Cell:
    """Return the cell with one state, of a state of charge that may lie beyond 0 and 1."""
    layers = []
    for layer, material in zip(cell.layers, materials, strict=True):
        control = layer.fermi_level
        if isinstance(control, ExtrinsicControl) and isinstance(control.extrinsic_mu_eV, list):
            order = np.argsort(cell.states_of_charge)
            known = np.array(cell.states_of_charge)[order], np.array(control.extrinsic_mu_eV)[order]
            held = control.model_copy(update={"extrinsic_mu_eV": float(np.interp(soc, *known))})
            layer = layer.model_copy(update={"fermi_level": held})
        if isinstance(material, Metal):
            low, high = material.states[0].ion_content, material.states[-1].ion_content
            first = material is materials[0]
            ends = layer.ion_content or IonContentRange(
                discharged=low if first else high, charged=high if first else low
            )
            content = ends.discharged + soc * (ends.charged - ends.discharged)
            content = float(np.clip(content, low, high))
            one = IonContentRange(discharged=content, charged=content)
            layer = layer.model_copy(update={"ion_content": one})
        layers.append(layer)
    return cell.model_copy(update={"layers": layers, "states_of_charge": [0.5]})


def galvanostatic_fields(
    cell: Cell,
    materials: list[Insulator | Metal],
    c_rate: float,
    direction: Direction,
    *,
    cut_off_V: float | None = None,
    field_samples: FieldSamples | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Return a discharge or a charge at constant current.

    Parameters
    ----------
    cell : Cell
        The description.
    materials : list of Insulator or Metal
        The record of each layer.
    c_rate : float
        1 passes the capacity of the electrode that holds less within an hour.
    direction : "discharge" or "charge"
        From charged to discharged, or the other way.
    cut_off_V : float, optional
        Voltage at which it ends.
    field_samples : FieldSamples, optional
        For intervals.
    progress : callable, optional
        Told how many of `steps` are done.

    Raises
    ------
    InputError
        No electrode says how many ions it holds; the voltage at rest is beyond the cut-off from
        the start; or a state of charge has no solution.
    """
    told = progress or (lambda done: None)
    hosts = hosts_of(cell, materials, None)
    _check_cut_off(hosts, cut_off_V, direction)
    known = [one.capacity_C_cm2 * one.span for one in hosts if one.capacity_C_cm2 is not None]
    if not known:
        raise InputError(
            "no electrode's record states how many ions it holds, so a C-rate does not define a "
            "current",
            where="layers",
            fix="give sites_per_formula and space_charge.site_density_cm3 in an electrode's record",
        )
    capacity = min(known)
    current = c_rate * capacity / 3600.0
    low, high = reach(hosts)
    table = _table(cell, materials, np.linspace(low, high, _SOLVED), None, told, 0)
    full = 3600.0 / c_rate
    # early times resolve diffusion
    early = np.geomspace(1e-6 * full, 1e-2 * full, _EARLY)
    time = np.concatenate([[0.0], early, np.linspace(1e-2 * full, full, _LATER)[1:]])
    run = _Run(cell, hosts, table, current, capacity, direction)
    end, why = run.end(time, cut_off_V)
    time = np.append(time[time < end], end)
    found = run.at(time)
    middle = found.parts_at(time.size // 2)
    spread, capacities = None, None
    if field_samples is not None:
        sampled = _table(
            cell,
            materials,
            np.linspace(low, high, _SOLVED_SAMPLES),
            field_samples,
            told,
            _SOLVED,
            thick=table.states[0].thick,
        )
        many = _Run(
            cell,
            hosts_of(cell, materials, field_samples),
            sampled,
            current,
            capacity,
            direction,
            field_samples,
        ).at(time)
        spread = column_quantiles(_kept_at_cut_off(many.voltage_V, cut_off_V, direction))
        capacities = quantiles(
            _sampled_end(many.voltage_V, time, cut_off_V, direction) * current / 3.6
        )
    control = [_control(cell, one, run, found) for one in hosts]
    slow = [
        f"{row['material']}, {row['thickness_nm']:g} nm"
        for state in table.states[1:-1]
        for row in quasi_equilibrium_fields(cell, state)["layers"]
        if row["relaxation_time_s"] is None
        or (row["follows_up_to_c_rate"] is not None and row["follows_up_to_c_rate"] < c_rate)
    ]
    return {
        "direction": direction,
        "c_rate": c_rate,
        "current_A_cm2": current,
        "cut_off_V": cut_off_V,
        "nominal_capacity_mAh_cm2": capacity / 3.6,
        "capacity_mAh_cm2": end * current / 3.6,
        "ended_by": why,
        "time_s": numbers(time),
        "capacity_passed_mAh_cm2": numbers(time * current / 3.6),
        "state_of_charge": numbers(found.soc),
        "voltage_V": numbers(found.voltage_V),
        "open_circuit_voltage_V": numbers(found.rest_V),
        "overpotentials": [
            {"name": name, "where": where, "overpotential_V": numbers(values)}
            for name, where, values in found.parts
        ],
        "electrodes": [
            {
                "material": one.metal.name,
                "side": "negative" if one.negative else "positive",
                "mean_content": numbers(np.broadcast_to(mean, time.shape)),
                "surface_content": numbers(np.broadcast_to(surface, time.shape)),
                **said,
            }
            for one, (mean, surface), said in zip(hosts, found.contents, control, strict=True)
        ],
        "damkoehler_number": _damkoehler(middle),
        "limited_by": max(middle, key=lambda part: part[2])[:2] if middle else None,
        "space_charges_follow": not slow,
        "slow_layers": list(dict.fromkeys(slow)),
        "quantiles": None
        if spread is None or field_samples is None
        else {
            "voltage_V": spread,
            "capacity_mAh_cm2": capacities,
            "samples": field_samples.samples,
        },
    }


def _check_cut_off(hosts: list[Host], cut_off_V: float | None, direction: Direction) -> None:
    if cut_off_V is None:
        return
    falling = direction == "discharge"
    negative, positive = (
        float(one.voltage(np.array([one.charged if falling else one.discharged]))[0])
        for one in hosts
    )
    rest = positive - negative
    # what is not finite is on no side
    if np.isfinite(cut_off_V) and (cut_off_V < rest if falling else cut_off_V > rest):
        return
    side, other, option = (
        ("below", "charge", "--charge, charge=True")
        if falling
        else ("above", "discharge", "without --charge, charge=False")
    )
    raise InputError(
        f"{cut_off_V:g} V is not {side} the open-circuit voltage of {rest:.4g} V with which the "
        f"{direction} begins, so the run would end at once",
        where="--cut-off (cut_off_V)",
        fix=f"give a voltage {side} {rest:.4g} V, or {other} the cell ({option})",
    )


def steps(samples: int) -> int:
    """Return how many steps a run takes."""
    return _SOLVED + (_SOLVED_SAMPLES if samples else 0)


def _table(
    cell: Cell,
    materials: list[Insulator | Metal],
    soc: Array,
    samples: FieldSamples | None,
    told: Callable[[int], None],
    done: int,
    thick: list[bool] | None = None,
) -> _Table:
    states: list[SolvedState] = []
    for one in soc:
        at = at_contents(cell, materials, float(one))
        # a layer is thick at all states or at none, so that its parts are the same
        held = thick if thick is not None else (states[0].thick if states else None)
        states.append(solve_state(at, materials, 0, field_samples=samples, thick=held))
        done += 1
        told(done)
    return _Table(soc, states)


@dataclass(frozen=True)
class _Course:
    """A run at times (T,); arrays (T,) or (samples, T)."""

    soc: Array
    voltage_V: Array
    rest_V: Array
    parts: list[tuple[str, str, Array]]
    contents: list[tuple[Array, Array]]

    def parts_at(self, place: int) -> list[tuple[str, str, float]]:
        """Return the overpotentials at one time."""
        return [
            (name, where, float(values[place]))
            for name, where, values in self.parts
            if np.isfinite(values[place])
        ]


@dataclass(frozen=True)
class _Run:
    cell: Cell
    hosts: list[Host]
    table: _Table
    current_A_cm2: float
    capacity_C_cm2: float
    direction: Direction
    samples: FieldSamples | None = None

    def at(self, time_s: Array) -> _Course:
        """Return the cell at times (T,)."""
        sign = 1.0 if self.direction == "discharge" else -1.0
        soc, contents, surfaces, voltages = self._electrodes(time_s, sign)
        rest = voltages[1][0] - voltages[0][0]
        parts = self._ohmic(soc, surfaces)
        for host, (mean, surface) in zip(self.hosts, voltages, strict=True):
            if host.diffusion is not None:
                lost = sign * ((surface - mean) if host.negative else (mean - surface))
                parts.append((SOLID_DIFFUSION, host.metal.name, lost))
        total = np.sum(np.broadcast_arrays(*(part[2] for part in parts)), axis=0)
        return _Course(soc, rest - sign * total, rest, parts, contents)

    def _electrodes(
        self, time_s: Array, sign: float
    ) -> tuple[Array, list[tuple[Array, Array]], list[Array], list[tuple[Array, Array]]]:
        """State of charge; of both electrodes contents, states of charge of surfaces, voltages."""
        start = 1.0 if sign > 0.0 else 0.0
        passed = self.current_A_cm2 * time_s
        soc = start - sign * passed / self.capacity_C_cm2
        contents, surfaces, voltages = [], [], []
        for host in self.hosts:
            # ions leave the negative electrode on discharge
            way = -sign if host.negative else sign
            if not host.span:
                mean = np.full_like(soc, host.discharged)
            elif host.capacity_C_cm2 is None:
                mean = host.content(soc)
            else:
                mean = host.content(np.asarray(start)) + way * passed / host.capacity_C_cm2
            surface = mean
            if host.diffusion is not None:
                beyond = way * self.current_A_cm2 * host.diffusion.step_ohm_cm2(time_s)
                surface = mean + (beyond[0] if self.samples is None else beyond)
            contents.append((mean, surface))
            surfaces.append(host.soc(surface) if host.span else soc)
            voltages.append((host.voltage(mean), host.voltage(surface)))
        return soc, contents, surfaces, voltages

    def _ohmic(self, soc: Array, surfaces: list[Array]) -> list[tuple[str, str, Array]]:
        """Overpotentials of layers, space charges and charge transfers."""
        parts: list[tuple[str, str, Array]] = []
        first = self.table.states[0]
        last, current = len(first.layers) - 1, self.current_A_cm2
        for place, layer in enumerate(first.layers):
            if place > 0:
                parts += self._contact(place - 1, soc, surfaces)
            if layer.bulks is None:
                continue
            here = soc
            if not first.thick[place]:
                here = surfaces[1] if place == last - 1 else surfaces[0] if place == 1 else soc
            values = self.table.over(_layer_of(place), here, log=True)
            name = "bulk" if first.thick[place] else "layer"
            parts.append((name, layer.material.name, current * values))
        return parts

    def _contact(
        self, place: int, soc: Array, surfaces: list[Array]
    ) -> list[tuple[str, str, Array]]:
        contact = self.table.states[0].contacts[place]
        count = len(self.table.states[0].contacts)
        here = surfaces[0] if place == 0 else surfaces[1] if place == count - 1 else soc
        if count == 1:
            here = soc
        name = f"{contact.left.name} | {contact.right.name}"
        parts: list[tuple[str, str, Array]] = []
        names = (contact.left.name, contact.right.name)
        for field, side, (material, beside) in (
            ("space_charge_left_ohm_cm2", contact.left_side, names),
            ("space_charge_right_ohm_cm2", contact.right_side, names[::-1]),
        ):
            # that of a layer which is solved as a whole is part of the layer's
            if isinstance(side, FiniteLayer):
                continue
            values = self.table.over(_contact_part(place, field), here)
            if np.any(values):
                parts.append(
                    ("space charge", f"{material} at {beside}", self.current_A_cm2 * values)
                )
        law = charge_transfer(contact, self.cell.temperature_K, self.samples)
        resistance = self.table.over(
            lambda state: state.contacts[place].charge_transfer_ohm_cm2, here, log=True
        )
        lost = np.full(np.shape(resistance), np.nan)
        if law is not None:
            lost = _transfer_V(law, self.cell, resistance, self.current_A_cm2)
        return [*parts, ("charge transfer", name, lost)]

    def end(self, time_s: Array, cut_off_V: float | None) -> tuple[float, str]:
        """Return the time at which the run is over, and the reason."""
        falling = self.direction == "discharge"

        def left(time: float) -> float:
            """Voltage above the cut-off, negative beyond."""
            value = float(self.at(np.array([0.0, time])).voltage_V[1])
            assert cut_off_V is not None
            return (value - cut_off_V) if falling else (cut_off_V - value)

        found = self.at(time_s)
        bad = np.flatnonzero(~np.isfinite(found.voltage_V))
        last, why = time_s.size - 1, "capacity"
        if bad.size:
            last, why = int(bad[0]) - 1, "surface"
            lost = [part for part in found.parts if not np.isfinite(part[2][bad[0]])]
            if lost and lost[0][0] != SOLID_DIFFUSION:
                why = "current"
            if last < 0:
                raise InputError(
                    f"no voltage at this current: {lost[0][0] if lost else 'diffusion'} of "
                    f"{lost[0][1] if lost else 'an electrode'} has no overpotential",
                    where="c_rate",
                    fix="choose a lower C-rate, or see what `interohm cell` reports about the "
                    "contacts",
                )
        end = float(time_s[last])
        if bad.size and why == "surface":
            end = self._surface_end(end, float(time_s[last + 1]))
        if cut_off_V is None:
            return end, why
        values = found.voltage_V[: last + 1]
        below = np.flatnonzero(values < cut_off_V if falling else values > cut_off_V)
        if not below.size:
            if end > time_s[last] and left(end) < 0.0:
                below = np.array([last + 1])
            else:
                return end, why
        from scipy.optimize import brentq

        k = int(below[0])
        if k == 0:
            return float(time_s[1]), "cut-off voltage"
        upper = float(time_s[k]) if k <= last else end
        return float(brentq(left, float(time_s[k - 1]), upper, rtol=1e-10)), "cut-off voltage"

    def _surface_end(self, low: float, high: float) -> float:
        """Return the last moment at which the electrodes' surfaces are within their curves."""
        sign = 1.0 if self.direction == "discharge" else -1.0

        def of_hosts(time: float) -> list[tuple[Array, Array]]:
            return self._electrodes(np.array([time]), sign)[3]

        for _ in range(60):
            middle = 0.5 * (low + high)
            if all(np.isfinite(surface[0]) for _, surface in of_hosts(middle)):
                low = middle
            else:
                high = middle
        return low


def _layer_of(place: int) -> Callable[[SolvedState], Array]:
    return lambda state: _known(state.layer_resistance_ohm_cm2[place])


def _contact_part(place: int, field: str) -> Callable[[SolvedState], Array]:
    return lambda state: _known(getattr(state.contacts[place], field))


def _known(value: Array | None) -> Array:
    return np.zeros(()) if value is None else np.nan_to_num(np.asarray(value), nan=0.0)


def _transfer_V(
    law: ButlerVolmer | MarcusHushChidsey, cell: Cell, resistance: Array, current: float
) -> Array:
    """Overpotential with the exchange current of each time."""
    volt = BOLTZMANN_EV_K * cell.temperature_K / law.ion_charge
    with np.errstate(divide="ignore", invalid="ignore"):
        exchange = np.asarray(volt / resistance)
    changed = replace(law, exchange_current_A_cm2=exchange)
    found = changed.overpotential_V(np.asarray(current))
    # one that resists nothing loses nothing
    return np.where(resistance == 0.0, 0.0, found)


def _control(cell: Cell, host: Host, run: _Run, found: _Course) -> dict[str, Any]:
    """Return whether diffusion or reaction controls an electrode."""
    none = {"diffusion_number": None, "biot_number": None, "control": None}
    if host.diffusion is None or host.capacity_C_cm2 is None:
        return none
    time = float(host.diffusion.time_s[0])
    number_S = run.current_A_cm2 * time / (host.capacity_C_cm2 * host.span)
    middle = found.contents[0 if host.negative else 1][0][len(found.soc) // 2]
    slope = voltage_slope_V(host.metal, float(middle))
    drop = float(host.diffusion.resistance_ohm_cm2[0]) * slope / 3.0
    contact = run.table.states[len(run.table.states) // 2].contacts[0 if host.negative else -1]
    transfer = float(contact.charge_transfer_ohm_cm2)
    with np.errstate(divide="ignore", invalid="ignore"):
        biot = number(np.divide(drop, transfer))
    control = None
    if biot is not None:
        control = "diffusion" if biot > _DIFFUSION else "reaction" if biot < _REACTION else "both"
    return {"diffusion_number": number(number_S), "biot_number": biot, "control": control}


def _damkoehler(parts: list[tuple[str, str, float]]) -> float | None:
    """Return the Damköhler number: the bulk of the layers over all interfaces."""
    bulk = sum(value for name, _, value in parts if name == "bulk")
    interfaces = sum(
        value for name, _, value in parts if name in ("charge transfer", "layer", "space charge")
    )
    return number(bulk / interfaces) if interfaces > 0.0 else None


def _kept_at_cut_off(voltage_V: Array, cut_off_V: float | None, direction: Direction) -> Array:
    """Return voltages (S, T) of samples that stay at the cut-off once they have reached it."""
    if cut_off_V is None:
        return voltage_V
    beyond = voltage_V < cut_off_V if direction == "discharge" else voltage_V > cut_off_V
    return np.where(np.logical_or.accumulate(beyond, axis=1), cut_off_V, voltage_V)


def _sampled_end(
    voltage_V: Array, time_s: Array, cut_off_V: float | None, direction: Direction
) -> Array:
    """Return when each sample (S, T) ends at the cut-off or its curves, at most the nominal end."""
    ends = np.full(voltage_V.shape[0], time_s[-1])
    for k, row in enumerate(voltage_V):
        over = ~np.isfinite(row)
        if cut_off_V is not None:
            over |= row < cut_off_V if direction == "discharge" else row > cut_off_V
        first = np.flatnonzero(over)
        if first.size:
            ends[k] = time_s[max(int(first[0]) - 1, 0)]
    return ends
