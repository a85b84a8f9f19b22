"""Check, before any calculation, that a campaign's stability windows can be calculated."""

from __future__ import annotations

from collections.abc import Iterable

from pymatgen.core import Composition

from interohm.database import Database

from .campaign_config import CampaignConfig, InsulatorPhase
from .molecules import load_molecules
from .phase_diagram import known_crystals


def missing_elements(config: CampaignConfig, database: Database) -> dict[str, list[str]]:
    """Return the elements whose own energies a window lacks, by the phases' names.

    Neither the campaign nor the database nor the program has them, so that the record will have no
    stability window.

    Parameters
    ----------
    config : CampaignConfig
        The campaign.
    database : Database
        Opened for reading.

    Raises
    ------
    InputError
        A structure, molecule or preset that cannot be used.
    """
    diagram = config.phase_diagram
    if diagram is None or diagram.entries != "calculations":
        return {}
    folder = config.folder
    common = _alone(
        [
            *(
                config.structure(source, where="phase_diagram: competing").composition
                for source in diagram.competing
            ),
            *(one.composition for one in load_molecules(diagram.molecules, folder).values()),
            config.structure(config.metal_structure, where="metal_structure").composition,
        ]
    )
    lacking_by_phase: dict[str, set[str]] = {}
    settings_of: dict[str, tuple[str, str, float]] = {}
    for phase in config.phases:
        if not isinstance(phase, InsulatorPhase) or phase.stability_window_V is not None:
            continue
        where = f"{phase.name}: structure"
        own = config.structure(phase.structure, where=where).composition
        beside = _alone(
            config.structure(source, where=f"{phase.name}: equilibrium_with").composition
            for source in phase.equilibrium_with
        )
        lacking = set(own.get_el_amt_dict()) - common - beside
        if lacking:
            preset = config.preset_of(phase)
            settings_of[phase.name] = preset.engine, preset.xc, preset.insulator.bulk.cutoff_eV
            lacking_by_phase[phase.name] = lacking
    # asked once for all phases of the same settings
    known: dict[tuple[str, str, float], set[str]] = {}
    for settings in set(settings_of.values()):
        engine, xc, cutoff_eV = settings
        asked = set().union(
            *(own for name, own in lacking_by_phase.items() if settings_of[name] == settings)
        )
        crystals = known_crystals(database, engine, {"xc": xc, "cutoff_eV": cutoff_eV}, asked)
        known[settings] = _alone(one.final_structure.composition for one in crystals)
    return {
        name: sorted(own - known[settings_of[name]])
        for name, own in lacking_by_phase.items()
        if own - known[settings_of[name]]
    }


def _alone(compositions: Iterable[Composition]) -> set[str]:
    counts = [composition.get_el_amt_dict() for composition in compositions]
    return {next(iter(one)) for one in counts if len(one) == 1}
