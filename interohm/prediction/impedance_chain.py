"""A solved cell as the chain of which the impedance is: segments, contacts, and what each does."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.device_models import (
    CAPACITANCE_UF_CM2,
    Chain,
    Crossing,
    Diffusion,
    ElectronMobility,
    FiniteLayer,
    HalfSpace,
    Leakage,
    Segment,
    StackNotConverged,
    electrode_segment,
    fermi_level_eV,
    layer_segment,
    solve_stack,
    thick_layer,
)
from interohm.errors import InputError
from interohm.prediction.sampling import Numbers
from interohm.records import Insulator, Metal
from interohm.results.impedance import SOLID_DIFFUSION

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.prediction.sampling import FieldSamples
    from interohm.prediction.solved_cell import SolvedLayer, SolvedState
    from interohm.prediction.solved_contact import SolvedContact
    from interohm.records.cell_config import Cell

#: At which temperature a record's diffusivity is.
_DIFFUSIVITY_K = 300.0

#: Below this slope of the voltage with the ion content an electrode's content costs nothing.
_FLAT_V = 1e-6


@dataclass(frozen=True)
class Process:
    """One thing that limits the current; arrays (B,), or None where it has none.

    ``parts`` are the numbers of the chain's parts that it is of.
    """

    name: str
    where: str
    resistance_ohm_cm2: Array | None
    capacitance_uF_cm2: Array | None
    parts: tuple[int, ...] = ()

    @property
    def time_constant_s(self) -> Array | None:
        """R·C where both are positive."""
        if self.resistance_ohm_cm2 is None or self.capacitance_uF_cm2 is None:
            return None
        product = self.resistance_ohm_cm2 * self.capacitance_uF_cm2 * 1e-6
        return np.where(product > 0.0, product, np.nan)


@dataclass(frozen=True)
class CellChain:
    """The chain of a cell at one state of charge, and its processes."""

    chain: Chain
    processes: list[Process]
    blocked: str | None
    """Why no direct current flows."""


def conducts_electrons(materials: list[Insulator | Metal]) -> bool:
    """Return whether the record of an insulator says how its electrons move."""
    return any(
        isinstance(one, Insulator)
        and (one.electron_mobility_cm2_Vs is not None or one.hole_mobility_cm2_Vs is not None)
        for one in materials
    )


def cell_chain(
    cell: Cell, state: SolvedState, *, field_samples: FieldSamples | None = None
) -> CellChain:
    """Return the chain of a solved state.

    Parameters
    ----------
    cell : Cell
        The description.
    state : SolvedState
        Nominal, or of the samples of `field_samples`.
    field_samples : FieldSamples, optional
        Fields with which the samples were drawn.

    Raises
    ------
    InputError
        A stack of layers that are solved as a whole has no solution.
    """
    return _Builder(cell, state, field_samples).build()


class _Builder:
    def __init__(self, cell: Cell, state: SolvedState, field_samples: FieldSamples | None) -> None:
        self.cell, self.state, self.field_samples = cell, state, field_samples
        self.batch = 1 if field_samples is None else field_samples.samples
        materials = [layer.material for layer in state.layers]
        self.carriers = 2 if cell.electrons and conducts_electrons(materials) else 1
        self.parts: list[Crossing | Segment] = []
        self.processes: list[Process] = []
        self.whole = self._solved_whole()
        # the parts of each insulating layer, and by how much its resistance has to change
        self.layer_parts: dict[int, list[int]] = {}
        self.missing: dict[int, Array] = {}

    def flat(self, value: Array | float) -> Array:
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (self.batch,)).copy()

    def build(self) -> CellChain:
        layers, contacts = self.state.layers, self.state.contacts
        for place, layer in enumerate(layers):
            if place > 0:
                self._contact(place - 1)
            if layer.bulks is not None:
                self._insulator(place)
            elif place == 0:
                self._electrode(layer, contacts[0], left=True)
            else:
                self._electrode(layer, contacts[-1], left=False)
        if self.carriers == 1:
            self._match_resistances()
        chain = Chain(self.parts, self.carriers)
        if self.carriers == 2:
            total = chain.carriers_ohm_cm2[1, 1]
            self._process("electrons", "cell", total, None, ())
        blocked = next((one.reason for one in contacts if one.blocked), None)
        if blocked is None and not np.all(np.isfinite(chain.dc_ohm_cm2)):
            stuck = next(
                layer.material.name
                for layer in layers
                if layer.bulks is not None and not _hops(layer)
            )
            blocked = f"no defect of {stuck} has a migration energy"
        return CellChain(chain, self.processes, blocked)

    def _insulator(self, place: int) -> None:
        layer = self.state.layers[place]
        assert layer.bulks is not None
        name, electrons = layer.material.name, self._mobility(layer)
        neighbours = [self.state.layers[place + step].material.name for step in (-1, 1)]
        resistance = self.state.layer_resistance_ohm_cm2[place]
        thickness = self.flat(layer.thickness_nm)
        first = len(self.parts)
        if place in self.whole:
            segment = self.whole[place]
            self.parts.append(segment)
            self.layer_parts[place] = [first]
            capacitance = CAPACITANCE_UF_CM2 / segment.span_nm2_V_e
            self._process("layer", name, resistance, capacitance, (first,))
            return
        left, right = (
            _half_space(side, self.batch)
            for side in (
                self.state.contacts[place - 1].right_side,
                self.state.contacts[place].left_side,
            )
        )
        self.parts += thick_layer(left, right, thickness, electrons)
        self.layer_parts[place] = [first, first + 1, first + 2]
        eps = models.VACUUM_PERMITTIVITY_E_V_NM * layer.bulks[2].phase.dielectric_constant
        self._process(
            "bulk", name, resistance, CAPACITANCE_UF_CM2 * self.flat(eps) / thickness, (first + 1,)
        )
        before, behind = self.state.contacts[place - 1 : place + 1]
        for step, side, beside, part in (
            (0, left, neighbours[0], before.space_charge_right_ohm_cm2),
            (2, right, neighbours[1], behind.space_charge_left_ohm_cm2),
        ):
            self._process(
                "space charge",
                f"{name} at {beside}",
                part,
                side.differential_capacitance_uF_cm2,
                (first + step,),
            )

    def _electrode(self, layer: SolvedLayer, contact: SolvedContact, *, left: bool) -> None:
        side = contact.left_side if left else contact.right_side
        if not isinstance(side, HalfSpace):
            return
        own = _half_space(side, self.batch)
        eps = models.VACUUM_PERMITTIVITY_E_V_NM * own.bulk.phase.dielectric_constant
        zero = np.zeros(self.batch)
        end = Crossing(
            zero,
            zero if self.carriers == 2 else None,
            behind_nm2_V_e=layer.thickness_nm / eps,
        )
        held = None
        if self.carriers == 2:
            held = ElectronMobility(zero, zero, [self.flat(layer.material.ion_charge)])
        segment = electrode_segment(own, held)
        self.parts += [end, segment.mirrored()] if left else [segment, end]
        part = contact.space_charge_left_ohm_cm2 if left else contact.space_charge_right_ohm_cm2
        if np.any(np.isfinite(part) & (part != 0.0)):
            self._process(
                "space charge",
                f"{layer.material.name}, electrode",
                part,
                own.differential_capacitance_uF_cm2,
                (len(self.parts) - 1,),
            )

    def _contact(self, place: int) -> None:
        contact, pair = self.state.contacts[place], self.state.layers[place : place + 2]
        name = f"{pair[0].material.name} | {pair[1].material.name}"
        host = next((layer for layer in pair if isinstance(layer.material, Metal)), None)
        diffusion = None if host is None or contact.blocked else self._diffusion(host)
        transfer = self.flat(contact.charge_transfer_ohm_cm2)
        whole = transfer + self._left_to_contact(place)
        inner = place if pair[0].bulks is not None else place + 1
        below = np.minimum(whole, 0.0)
        self.missing[inner] = self.missing.get(inner, np.zeros(self.batch)) + below
        whole = np.maximum(whole, 0.0)
        stuck = any(layer.bulks is not None and not _hops(layer) for layer in pair)
        if contact.blocked or stuck:
            # beside a phase without hops nothing arrives
            transfer = whole = np.zeros(self.batch)
        electrons = None
        if self.carriers == 2:
            electrons = np.zeros(self.batch)
            if host is not None:
                electrons = self._emission(contact, pair, host)
        number = len(self.parts)
        self.parts.append(Crossing(whole, electrons, contact.blocked, diffusion))
        capacitance = self.flat(contact.differential_capacitance_uF_cm2)
        self._process(
            "charge transfer",
            name,
            None if contact.blocked or stuck else transfer,
            capacitance if np.any(np.isfinite(capacitance)) else None,
            (number,),
        )
        if diffusion is not None and host is not None:
            self.processes.append(
                Process(
                    SOLID_DIFFUSION,
                    host.material.name,
                    diffusion.resistance_ohm_cm2 / 3.0,
                    diffusion.capacitance_F_cm2 * 1e6,
                    (),
                )
            )

    def _match_resistances(self) -> None:
        """Scale the resistivity of layers whose sum along the cell is not that of their profile.

        So it is where the ends of a layer conduct differently, as mu differs, by which the cell
        takes the mean; and beside phases that coexist, which divide the current.
        """
        for place, numbers in self.layer_parts.items():
            segments = [self.parts[number] for number in numbers]
            own = sum(s.resistance_ohm_cm2[0, 0] for s in segments if isinstance(s, Segment))
            change = self.missing.get(place, np.zeros(self.batch))
            if place not in self.whole:
                bulk = self.state.layer_resistance_ohm_cm2[place]
                assert bulk is not None
                before, behind = self.state.contacts[place - 1 : place + 1]
                sides = before.right_side, behind.left_side
                # of the profile; what coexisting phases change is the contact's
                target = bulk + sum(
                    side.space_charge_ohm_cm2 for side in sides if isinstance(side, HalfSpace)
                )
                change = change + self.flat(target) - own
            with np.errstate(divide="ignore", invalid="ignore"):
                factor = 1.0 + change / own
            factor = np.where(np.isfinite(factor) & (factor > 0.0), factor, 1.0)
            for number, segment in zip(numbers, segments, strict=True):
                assert isinstance(segment, Segment)
                scaled = segment.resistivity_ohm_cm * factor
                self.parts[number] = replace(segment, resistivity_ohm_cm=scaled)

    def _left_to_contact(self, place: int) -> Array:
        """Return the contact's resistance beyond charge transfer and the profiles of its two sides.

        Of phases of an electrode that coexist, the profiles are those of the largest share; an
        electrode's accumulation is no profile of positive resistances.
        """
        contact, rest = self.state.contacts[place], np.zeros(self.batch)
        for layer, side, part in (
            (self.state.layers[place], contact.left_side, contact.space_charge_left_ohm_cm2),
            (self.state.layers[place + 1], contact.right_side, contact.space_charge_right_ohm_cm2),
        ):
            if not isinstance(side, HalfSpace):
                continue
            if layer.bulks is None:
                own = electrode_segment(_half_space(side, self.batch)).resistance_ohm_cm2[0, 0]
            else:
                own = self.flat(side.space_charge_ohm_cm2)
            difference = self.flat(part) - own
            rest += np.where(np.isfinite(difference), difference, 0.0)
        for step in (0, 1):
            thin, beside = place + step, self.state.layers[place + 1 - step]
            if thin in self.whole and len(beside.phases) > 1:
                resistance = self.state.layer_resistance_ohm_cm2[thin]
                assert resistance is not None
                difference = self.flat(resistance) - self.whole[thin].resistance_ohm_cm2[0, 0]
                rest += np.where(np.isfinite(difference), difference, 0.0)
        return rest

    def _process(
        self,
        name: str,
        where: str,
        resistance: Array | None,
        capacitance: Array | None,
        parts: tuple[int, ...],
    ) -> None:
        self.processes.append(
            Process(
                name,
                where,
                None if resistance is None else self.flat(resistance),
                None if capacitance is None else self.flat(capacitance),
                parts,
            )
        )

    def _mobility(self, layer: SolvedLayer) -> ElectronMobility | None:
        if self.carriers == 1:
            return None
        material = layer.material
        assert isinstance(material, Insulator)
        assert layer.bulks is not None
        numbers = Numbers(material, self.field_samples)
        found = []
        for name in ("electron_mobility_cm2_Vs", "hole_mobility_cm2_Vs"):
            given = getattr(material, name)
            found.append(self.flat(0.0 if given is None else numbers.positive(name, given)))
        phase = layer.bulks[2].phase
        held = material.ion_charge * phase.ion_change
        return ElectronMobility(
            found[0], found[1], [self.flat(held[..., d]) for d in range(held.shape[-1])]
        )

    def _emission(
        self, contact: SolvedContact, pair: list[SolvedLayer], host: SolvedLayer
    ) -> Array:
        """kT/J of electrons and holes between an electrode and the bands at the contact."""
        on_left = pair[0] is host
        layer = pair[1] if on_left else pair[0]
        side = contact.right_side if on_left else contact.left_side
        assert layer.bulks is not None
        bulk = layer.bulks[0 if on_left else 1]
        if isinstance(side, FiniteLayer):
            phi = side.potentials_V[..., 0 if on_left else -1]
        else:
            assert isinstance(side, HalfSpace)
            phi = side.contact_potential_V
        level = fermi_level_eV(
            host.mu_eV[0], self.state.metal_work_function_eV, layer.material.ion_charge
        )
        above = level + bulk.phase.ionization_potential_eV + phi
        leakage = Leakage(
            bulk.phase.band_gap_eV - above,
            above,
            bulk.temperature_K,
            bulk.phase.electron_mass,
            bulk.phase.hole_mass,
        )
        return np.minimum(self.flat(leakage.resistance_ohm_cm2), 1e100)

    def _diffusion(self, host: SolvedLayer) -> Diffusion | None:
        material = host.material
        assert isinstance(material, Metal)
        given, sites = material.chemical_diffusivity_cm2_s, material.sites_per_formula
        if given is None or material.space_charge is None or sites is None:
            return None
        assert host.ion_content is not None
        numbers = Numbers(material, self.field_samples)
        diffusivity = diffusivity_cm2_s(material, self.cell.temperature_K, self.field_samples)
        assert diffusivity is not None
        density = numbers.positive(
            "space_charge.site_density_cm3", material.space_charge.site_density_cm3
        )
        slope = max(voltage_slope_V(material, host.ion_content), _FLAT_V)
        length_cm = host.thickness_nm * 1e-7
        # of one ion more per formula, (density/sites) formulas per volume
        per_density = slope * sites / density
        charge_C = models.ELEMENTARY_CHARGE_C * material.ion_charge
        resistance = per_density * length_cm / (charge_C * diffusivity)
        return Diffusion(self.flat(resistance), self.flat(length_cm**2 / diffusivity))

    def _solved_whole(self) -> dict[int, Segment]:
        """Segments of the layers that are not thick, by their place."""
        state, found = self.state, {}
        anchors = [place for place, is_thick in enumerate(state.thick) if is_thick]
        given = self.cell.contacts
        for first, last in pairwise(anchors):
            inner = range(first + 1, last)
            if not inner:
                continue
            layers = [state.layers[place].grid_layer for place in inner]
            sheets = [
                given[place].sheet_charge_e_nm2 if given else 0.0 for place in range(first, last)
            ]
            try:
                stack = solve_stack(
                    state.layers[first].end(right=True)[0].model,
                    [layer for layer in layers if layer is not None],
                    state.layers[last].end(right=False)[0].model,
                    dipole_V=[state.contacts[place].dipole_V for place in range(first, last)],
                    sheet_charge_e_nm2=sheets,
                )
            except StackNotConverged as error:
                raise InputError(
                    f"no solution of {', '.join(state.layers[i].material.name for i in inner)}: "
                    f"{error}",
                    where="layers",
                    fix="check thicknesses, dipoles and concentrations of these layers",
                ) from None
            for place, solution in zip(inner, stack.layers, strict=True):
                segment = layer_segment(solution, self._mobility(state.layers[place]))
                if segment.metric_nm.shape[-1] < self.batch:
                    segment = segment.spread(self.batch)
                found[place] = segment
        return found


def diffusivity_cm2_s(
    metal: Metal, temperature_K: float, field_samples: FieldSamples | None = None
) -> Array | None:
    """Return the chemical diffusivity of an electrode at a temperature, None where unknown."""
    given = metal.chemical_diffusivity_cm2_s
    if given is None:
        return None
    numbers = Numbers(metal, field_samples)
    diffusivity = numbers.positive("chemical_diffusivity_cm2_s", given)
    barrier = metal.diffusivity_activation_energy_eV
    if barrier is not None:
        energy = numbers.energy("diffusivity_activation_energy_eV", barrier)
        change = 1.0 / temperature_K - 1.0 / _DIFFUSIVITY_K
        diffusivity = diffusivity * np.exp(-energy / models.BOLTZMANN_EV_K * change)
    return np.asarray(diffusivity)


def voltage_slope_V(metal: Metal, ion_content: float) -> float:
    """Return −dV/dx of an electrode's curve, per ion of its formula."""
    if len(metal.states) == 1:
        return 0.0
    from scipy.interpolate import PchipInterpolator

    contents = [state.ion_content for state in metal.states]
    voltages = [state.voltage_V.value for state in metal.states]
    return float(-PchipInterpolator(contents, voltages).derivative()(ion_content))


def _hops(layer: SolvedLayer) -> bool:
    assert layer.bulks is not None
    return bool(np.any(np.isfinite(layer.bulks[2].phase.migration_energy_eV)))


def _half_space(side: object, batch: int) -> HalfSpace:
    """Return the same half space in the batch shape (batch,)."""
    assert isinstance(side, HalfSpace)
    flat = [
        np.broadcast_to(getattr(side, field.name), (batch,))
        for field in fields(side)
        if field.name != "bulk"
    ]
    return HalfSpace(side.bulk.ravel((batch,)), *flat)
