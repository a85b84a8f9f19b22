"""The document of an interface, from its finished calculations."""

from __future__ import annotations

import math
from typing import Any

from jobflow import JobConfig, OnMissing, job

from interohm.database import Database
from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.candidates import require_relaxed
from interohm.postprocess.interfaces import (
    Middle,
    charge_transfer,
    dipole_V,
    hop_across,
    middle_of_side,
    work_of_adhesion_J_m2,
)
from interohm.postprocess.levels import level_above_middle, slab_thickness
from interohm.postprocess.materials import method_of
from interohm.records import Insulator, Quantity
from interohm.records.interface import Interface, InterfaceStrain
from interohm.records.shipped import shipped_interfaces, shipped_material

from .campaign_config import InterfacePhase, InterfaceSide
from .context import active_database
from .presets import PRESET, AnyPreset
from .steps import known_calculation

#: eV; a middle whose average varies by more is no bulk.
BULK_LIKE_EV = 0.05
_CM2_PER_A2 = 1e-16
#: By how much the areas of a hop's cell and of its control's may differ, strain included.
_SAME_AREA = 0.1


@job(config=JobConfig(on_missing_references=OnMissing.NONE))
def record_interface(
    edges: list[dict[str, Any] | None],
    free: list[dict[str, Any] | None],
    joined: dict[str, Any] | None,
    alone: list[dict[str, Any] | None],
    matched: dict[str, Any],
    settled: dict[str, Any],
    registry: dict[str, Any],
    contact: dict[str, Any],
    hop: dict[str, Any] | None,
    other: dict[str, Any] | None,
    *,
    facts: dict[str, Any],
) -> Interface:
    """Assemble and save the document of an interface.

    Parameters
    ----------
    edges : list
        The bulk of both sides, one of them strained.
    free : list
        Slabs of the left side as cut and relaxed, then of the right one.
    joined : mapping
        The relaxed contact.
    alone : list
        Its sides alone.
    matched, settled, registry, contact : mapping
        The choices made along the way.
    hop : mapping, optional
        Outputs of the hop's jobs; a path that failed leaves the document without a barrier.
    other : mapping, optional
        The same in a cell of another width.
    facts : mapping
        Phase, preset and mobile ion, as they were asked for.
    """
    needed = {"bulk": edges, "slab": free, "contact": [joined], "side alone": alone}
    for what, outputs in needed.items():
        if any(output is None for output in outputs):
            raise RuntimeError(f"{what} is missing")
    phase = InterfacePhase.model_validate(facts["interface"])
    preset = PRESET.validate_python(facts["preset"])
    with active_database() as database:
        found = _Calculated(
            phase=phase,
            edges=[known_calculation(database, one) for one in edges if one],
            free=[known_calculation(database, one) for one in free if one],
            joined=known_calculation(database, joined or {}),
            alone=[known_calculation(database, one) for one in alone if one],
            settled=settled,
            contact=contact,
        )
        record = _interface(found, matched, registry, preset, facts)
        if hop is not None:
            record = _with_hop(record, phase, hop, other, preset, database)
        database.save_interface(record)
    return record


class _Calculated:
    """The calculations of one interface, and what follows from them."""

    def __init__(
        self,
        *,
        phase: InterfacePhase,
        edges: list[Calculation],
        free: list[Calculation],
        joined: Calculation,
        alone: list[Calculation],
        settled: dict[str, Any],
        contact: dict[str, Any],
    ) -> None:
        for one in (joined, free[1], free[3]):
            require_relaxed(one)
        self.phase, self.edges, self.joined, self.alone = phase, edges, joined, alone
        self.as_cut, self.relaxed = free[::2], free[1::2]
        self.settled, self.contact = settled, contact
        assert joined.planar_potential is not None
        self.potential = joined.planar_potential
        self.left_A, self.contact_A, self.right_A = contact["heights_A"]
        self.middles = [
            middle_of_side(self.potential, height, period, slab_thickness(slab))
            for height, period, slab in zip(
                (self.left_A, self.right_A), settled["periods_A"], self.as_cut, strict=True
            )
        ]

    def vacuum_eV(self, slabs: list[Calculation]) -> list[float]:
        """Return the vacuum level above the middle of each free slab."""
        periods = self.settled["periods_A"]
        return [level_above_middle(slab, p) for slab, p in zip(slabs, periods, strict=True)]

    def dipole(self, slabs: list[Calculation]) -> float:
        (left, right), (left_eV, right_eV) = self.middles, self.vacuum_eV(slabs)
        return dipole_V(left, right, left_eV, right_eV)

    def edge_eV(self, index: int) -> float:
        """Return the Fermi level of a metal, the valence band's maximum of an insulator."""
        bulk = self.edges[index]
        if (self.phase.left, self.phase.right)[index].kind == "metal":
            return bulk.fermi_level_eV
        if bulk.vbm_eV is None:
            raise ValueError(f"the bulk of calculation {bulk.hash[:12]} has no band gap")
        return bulk.vbm_eV

    def line_up_eV(self) -> float:
        """Return the level of the right side above that of the left one."""
        return (self.middles[1].average_eV + self.edge_eV(1)) - (
            self.middles[0].average_eV + self.edge_eV(0)
        )

    def fermi_miss_eV(self) -> float | None:
        """Return by how much the contact's Fermi level is not that of the metal's bulk."""
        for index, side in enumerate((self.phase.left, self.phase.right)):
            if side.kind == "metal":
                own = self.middles[index].average_eV + self.edge_eV(index)
                return self.joined.fermi_level_eV - own
        return None

    def adhesion_J_m2(self, slabs: list[Calculation]) -> float:
        sides = list(zip(slabs, self.contact["repeats"], strict=True))
        return work_of_adhesion_J_m2(self.joined, sides, self.contact["area_A2"], 2)


def _interface(
    found: _Calculated,
    matched: dict[str, Any],
    registry: dict[str, Any],
    preset: AnyPreset,
    facts: dict[str, Any],
) -> Interface:
    phase, settled, contact = found.phase, found.settled, found.contact
    provenance = {"preset": preset.name}
    # to meV, and 0 instead of −0
    cut, relaxed = (round(found.dipole(one), 3) + 0.0 for one in (found.as_cut, found.relaxed))
    # The records' levels are those of surfaces as cut, unless the preset relaxes them.
    refers = "relaxed" if preset.insulator.slab.relaxation is not None else "as cut"
    miss = found.fermi_miss_eV()
    parts = [*(middle.spread_eV for middle in found.middles), abs(miss or 0.0)]
    assumed = preset.uncertainties.interface_dipole
    assert assumed is not None  # the preset has interfaces
    moved = charge_transfer(
        found.potential,
        *(one.planar_potential for one in found.alone),  # type: ignore[arg-type]
        left_middle_A=found.left_A,
        contact_A=found.contact_A,
        right_middle_A=found.right_A,
    )
    names = [phase.left.record, phase.right.record]
    return Interface(
        name=phase.name,
        left=names[0],
        right=names[1],
        left_surface=matched["surfaces"][0],
        right_surface=matched["surfaces"][1],
        mobile_ion=facts["mobile_ion"],
        dipole_V=Quantity(
            value=relaxed if refers == "relaxed" else cut,
            uncertainty=round(math.hypot(assumed.value_eV, *parts), 3),
            source=f"calculation {found.joined.hash[:12]}, beyond surfaces {refers}; uncertainty: "
            f"{assumed.source}, and by how much the middles are no bulk",
            method=method_of(found.joined, provenance),
        ),
        strain=[
            InterfaceStrain(
                side=phase.strained,
                principal=tuple(matched["match"]["principal"]),
                normal=settled["normal"],
            )
        ],
        calculations={
            "contact": found.joined.hash,
            **_by_side("bulk", found.edges),
            **_by_side("slab as cut", found.as_cut),
            **_by_side("slab relaxed", found.relaxed),
            **_by_side("alone", found.alone),
        },
        provenance={
            "engine": preset.engine,
            "functional": preset.xc,
            "preset": preset.name,
            "versions": found.joined.versions,
            "geometry": {
                "atoms": len(found.joined.structure["sites"]),
                "area_A2": round(contact["area_A2"], 3),
                "shift": [round(one, 4) for one in registry["shift"]],
                "shifts_above_lowest_eV": registry["above_lowest_eV"],
                "shifts_left_out": settled["left_out"],
                "gap_A": contact["gap_A"],
                "gap_bracketed": contact["bracketed"],
                "height_bracketed": settled["bracketed"],
                "common_cells_left_out": matched["left_out"],
            },
            "line_up": {
                "levels": [_level_name(phase.left), _level_name(phase.right)],
                "right_above_left_eV": round(found.line_up_eV(), 3),
                "dipole_beyond_surfaces_as_cut_V": cut,
                "dipole_beyond_relaxed_surfaces_V": relaxed,
                "middles": [_middle(middle) for middle in found.middles],
                **({} if miss is None else {"fermi_level_off_bulk_eV": round(miss, 3)}),
            },
            "charge_transfer": {
                "electrons_to_left_e_nm2": round(moved.to_left_e_nm2, 3),
                "step_V": round(moved.step_V, 3),
            },
            "work_of_adhesion_J_m2": {
                "from_surfaces_as_cut": round(found.adhesion_J_m2(found.as_cut), 3),
                "from_relaxed_surfaces": round(found.adhesion_J_m2(found.relaxed), 3),
            },
        },
    )


def _by_side(what: str, calculations: list[Calculation]) -> dict[str, str]:
    return {
        f"{what}, {side}": one.hash
        for side, one in zip(("left", "right"), calculations, strict=True)
    }


def _level_name(side: InterfaceSide) -> str:
    level = "Fermi level" if side.kind == "metal" else "valence-band maximum"
    return f"{level} of {side.record}"


def _middle(middle: Middle) -> dict[str, Any]:
    spread = round(middle.spread_eV, 3)
    return {
        "average_eV": round(middle.average_eV, 3),
        "varies_by_eV": spread,
        "bulk_like": spread <= BULK_LIKE_EV,
    }


def _with_hop(
    record: Interface,
    phase: InterfacePhase,
    hop: dict[str, Any],
    other: dict[str, Any] | None,
    preset: AnyPreset,
    database: Database,
) -> Interface:
    """Add the barrier of the hop across, or say that its path failed."""
    if hop["path"] is None or hop["placed"] is None:
        return _without(record, "hop across")
    path = known_calculation(database, hop["path"])
    ends = [known_calculation(database, end) for end in hop["ends"]]
    for end in ends:
        require_relaxed(end)
    placed = hop["placed"]
    assumed = preset.uncertainties.migration_energy
    assert assumed is not None  # the preset has paths
    barrier_eV = hop_across(path).mean_eV
    uncertain, why = assumed.value_eV, assumed.source
    elsewhere: dict[str, Any] = {}
    assert phase.hop is not None  # there is a hop
    if phase.hop.control is not None:
        error_eV = _cell_error_eV(phase.hop.control, placed["area_A2"], path.charge, database)
        if error_eV is None:
            return _without(record, f"control of the hop, {phase.hop.control}")
        barrier_eV -= error_eV
        uncertain = round(math.hypot(uncertain, error_eV / 2), 3)
        why += f"; half of the cell's error of {error_eV:+.3f} eV, taken off (assumed)"
        elsewhere["control"] = {"name": phase.hop.control, "cell_error_eV": error_eV}
    if other is not None and other["path"] is not None:
        second = known_calculation(database, other["path"])
        there_eV, there = hop_across(second).mean_eV, f"{other['placed']['area_A2']:.1f} Å²"
        if phase.hop.control is None:
            uncertain = round(math.hypot(uncertain, there_eV - barrier_eV), 3)
            why += f"; {there_eV - barrier_eV:+.3f} eV in a cell of {there}"
        else:  # its own error is not known: it shows where the barrier goes with the cell
            why += f"; as calculated in a cell of {there} {there_eV:.3f} eV"
        elsewhere["other_cell"] = _hop_provenance(other["placed"], second)
    bulk = _bulk_barriers(phase, record.mobile_ion, database)
    method = (
        f"{method_of(path, {'preset': preset.name})}, charge {path.charge:+d}, one vacancy in "
        f"{placed['planes'][1]} sites of the right plane; mean of both ways"
    )
    source = f"calculation {path.hash[:12]}; uncertainty: {why}"
    update: dict[str, Any] = {
        "barrier_eV": Quantity(
            value=round(barrier_eV, 3),
            uncertainty=uncertain,
            source=source,
            method=method,
        ),
        "areal_site_density_cm2": Quantity(
            value=float(f"{min(placed['planes']) / placed['area_A2'] / _CM2_PER_A2:.4g}"),
            source=f"relaxed crystals of calculation {path.hash[:12]}",
            method="sites of the sparser plane next to the contact",
        ),
        "calculations": {
            **record.calculations,
            "hop": path.hash,
            "hop, before": ends[0].hash,
            "hop, after": ends[1].hash,
        },
        "provenance": {
            **record.provenance,
            "hop": {
                "direction": "forward: from the left side into a vacancy on the right",
                **_hop_provenance(placed, path),
                "bulk_barriers_eV": {name: round(energy.value, 3) for name, energy in bulk.items()},
                **elsewhere,
            },
        },
    }
    if bulk:
        mean = sum(energy.value for energy in bulk.values()) / len(bulk)
        spread = math.hypot(uncertain, *(energy.uncertainty or 0.0 for energy in bulk.values()))
        update["excess_barrier_eV"] = Quantity(
            value=round(barrier_eV - mean, 3),
            uncertainty=round(spread, 3),
            source=f"{source}; bulk: records {' and '.join(bulk)}",
            method="barrier_eV less the mean of the bulk's hops",
        )
    return record.model_copy(update=update)


def _without(record: Interface, what: str) -> Interface:
    """Return a record that says what it lacks."""
    return record.model_copy(update={"provenance": {**record.provenance, "missing": [what]}})


def _cell_error_eV(control: str, area_A2: float, charge: int, database: Database) -> float | None:
    """Return what the hop between two halves of one crystal has beyond the bulk's; None: unknown.

    Raises
    ------
    InputError
        The control is of two crystals, or its cell is another one.
    """
    shipped = {one.name: one for one in shipped_interfaces()}
    found = database.interface(control) or shipped.get(control)
    if found is None or found.excess_barrier_eV is None:
        return None
    where = f"hop: control {control}"
    if found.left != found.right:
        raise InputError(
            f"it joins {found.left} and {found.right}",
            where=where,
            fix="give an interface of one crystal with itself",
        )
    hop = found.provenance["hop"]
    if abs(hop["area_A2"] / area_A2 - 1) > _SAME_AREA or hop["charge"] != charge:
        raise InputError(
            f"its hop was calculated in a cell of {hop['area_A2']:.1f} Å² and charge "
            f"{hop['charge']:+d}, this one in {area_A2:.1f} Å² and {charge:+d}",
            where=where,
            fix="give both the same lateral_A",
        )
    return found.excess_barrier_eV.value


def _hop_provenance(placed: dict[str, Any], path: Calculation) -> dict[str, Any]:
    barrier = hop_across(path)
    assert path.path is not None
    return {
        "forward_eV": round(barrier.forward_eV, 3),
        "backward_eV": round(barrier.backward_eV, 3),
        "energies_eV": [round(one - path.path.energies_eV[0], 3) for one in path.path.energies_eV],
        "charge": path.charge,
        "atoms": len(path.structure["sites"]),
        "distance_A": round(placed["distance_A"], 3),
        "area_A2": round(placed["area_A2"], 3),
        "vacancies_per_sites_of_planes": [f"1/{one}" for one in placed["planes"]],
    }


def _bulk_barriers(phase: InterfacePhase, ion: str, database: Database) -> dict[str, Quantity]:
    """Return the migration energies of the ion's vacancy in the insulators, by record."""
    found = {}
    for side in (phase.left, phase.right):
        material = database.material(side.record) or shipped_material(side.record)
        if isinstance(material, Insulator):
            for defect in material.defects:
                if defect.name == f"V_{ion}" and defect.migration_energy_eV is not None:
                    found[side.record] = defect.migration_energy_eV
    return found
