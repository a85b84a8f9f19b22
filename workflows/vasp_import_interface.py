"""The document of an interface from finished calculations: joined cell, free slabs, a path."""

from __future__ import annotations

import math
from typing import Any

from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.comparison import energy_differences
from interohm.postprocess.interfaces import dipole_V, hop_across, middle_of_side
from interohm.postprocess.levels import level_above_middle, slab_thickness
from interohm.records import Quantity
from interohm.records.interface import Interface

from .interface_record import BULK_LIKE_EV
from .vasp_folders import Finished, said
from .vasp_import_config import CONFIG, ImportConfig, ImportedInterface, ImportedSide

_SIDES = ("left", "right")


def interface(phase: ImportedInterface, config: ImportConfig, finished: Finished) -> Interface:
    """Return the document: the dipole by macroscopic averages, the barrier of the path across.

    Raises
    ------
    InputError
        A folder is missing or has no potential, the calculations are of different methods, or the
        cell is not as high as what is said of it.
    """
    joined = finished.choose(f"{phase.name}, contact", phase.contact, [])
    slabs = {name: _slab(phase, name, joined, finished) for name in _SIDES}
    sides = {"left": phase.left, "right": phase.right}
    potential = joined.planar_potential
    if potential is None or potential.exchange_and_correlation:
        raise InputError(
            "it has no purely electrostatic potential",
            where=finished.path_of(joined),
            fix="calculate LOCPOT with LVHAR = .TRUE. and without LVTOT",
        )
    for name, side in sides.items():
        if not 0.0 <= side.middle_A < potential.height_A:
            raise InputError(
                f"{name}.middle_A: {side.middle_A:g} Å lies outside of the cell of "
                f"{phase.contact}, which is {potential.height_A:.2f} Å high",
                where=f"{finished.root / CONFIG}, {phase.name}",
                fix="give the height of this side's middle above the cell's floor",
            )
    middles = {
        n: middle_of_side(potential, s.middle_A, s.period_A, slab_thickness(slabs[n]))
        for n, s in sides.items()
    }
    vacuum = {n: level_above_middle(slabs[n], s.period_A) for n, s in sides.items()}
    step = dipole_V(middles["left"], middles["right"], vacuum["left"], vacuum["right"])
    assumed = config.uncertainties.interface_dipole
    assert assumed is not None  # the defaults have one
    spread = [middle.spread_eV for middle in middles.values()]
    functional = joined.settings["xc"]
    barrier = _barrier(phase, config, finished)
    return Interface(
        name=phase.name,
        left=phase.left.record,
        right=phase.right.record,
        left_surface=phase.left.surface,
        right_surface=phase.right.surface,
        mobile_ion=config.mobile_ion,
        dipole_V=Quantity(
            value=round(step, 3),
            uncertainty=round(math.hypot(assumed.value_eV, *spread), 3),
            source=f"folder {finished.name_of(joined)}; uncertainty: {assumed.source}, and by how "
            "much the middles are no bulk",
            method=f"calculated: vasp, imported, {functional}",
        ),
        areal_site_density_cm2=phase.areal_site_density_cm2,
        calculations={
            "contact": joined.hash,
            **{f"slab, {name}": slab.hash for name, slab in slabs.items()},
            **({} if barrier is None else {"hop": barrier[1].hash}),
        },
        provenance={
            "engine": "vasp, imported",
            "functional": functional,
            "potcars": joined.settings["potcars"],
            "folders": {
                "contact": finished.name_of(joined),
                **{f"slab, {name}": finished.name_of(slab) for name, slab in slabs.items()},
                **({} if barrier is None else {"hop": finished.name_of(barrier[1])}),
            },
            "line_up": {
                "middles": [
                    {
                        "average_eV": round(middle.average_eV, 3),
                        "varies_by_eV": round(middle.spread_eV, 3),
                        "bulk_like": middle.spread_eV <= BULK_LIKE_EV,
                    }
                    for middle in middles.values()
                ]
            },
            **({} if barrier is None else {"hop": barrier[2]}),
        },
        barrier_eV=None if barrier is None else barrier[0],
    )


def _slab(
    phase: ImportedInterface, name: str, joined: Calculation, finished: Finished
) -> Calculation:
    """Return the free slab of one side, by the method of the joined cell."""
    side: ImportedSide = getattr(phase, name)
    slab = finished.choose(f"{phase.name}, {name} slab", side.slab, [])
    if slab.planar_potential is None:
        raise InputError(
            "a free slab without a potential has no vacuum level",
            where=finished.path_of(slab),
            fix="calculate it with LVHAR = .TRUE., which writes LOCPOT",
        )
    if differ := energy_differences(slab, joined):
        raise InputError(
            f"it differs from {finished.name_of(joined)}: {said(differ)}; their potentials cannot "
            "be compared",
            where=finished.path_of(slab),
            fix="calculate both with the same settings",
        )
    return slab


def _barrier(
    phase: ImportedInterface, config: ImportConfig, finished: Finished
) -> tuple[Quantity, Calculation, dict[str, Any]] | None:
    """Return the mean barrier of the path across, the path, and both ways."""
    if phase.hop is None:
        return None
    path = finished.choose(f"{phase.name}, hop across", phase.hop, [])
    if path.kind != "neb":
        raise InputError(
            f"hop: {phase.hop} is not a path",
            where=finished.path_of(path),
            fix="name a folder with the images 00, 01, ...",
        )
    finished.use_ends(path)
    both = hop_across(path)
    assumed = config.uncertainties.migration_energy
    assert assumed is not None  # the defaults have one
    quantity = Quantity(
        value=round(both.mean_eV, 3),
        uncertainty=assumed.value_eV,
        source=f"folder {finished.name_of(path)}; uncertainty: {assumed.source}",
        method=f"calculated: vasp, imported, {path.settings['xc']}, charge {path.charge:+d}; mean "
        "of both ways",
    )
    ways = {"forward_eV": round(both.forward_eV, 3), "backward_eV": round(both.backward_eV, 3)}
    return quantity, path, {**ways, "charge": path.charge, "atoms": len(path.final_structure)}
