"""Check, before any calculation, that a campaign's stability windows can be calculated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeAlias

from pymatgen.core import Composition

from interohm.database import Database

from .campaign_config import CampaignConfig, InsulatorPhase
from .molecules import load_molecules
from .phase_diagram import known_crystals

#: Engine, functional and cutoff (eV) of calculations whose energies are compared.
Settings: TypeAlias = tuple[str, str, float]


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
    # by phase: settings of the calculations, and the elements that only the database may have
    wanted: dict[str, tuple[Settings, set[str]]] = {}
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
            settings: Settings = (preset.engine, preset.xc, preset.insulator.bulk.cutoff_eV)
            wanted[phase.name] = settings, lacking
    # asked once for all phases of the same settings
    asked: defaultdict[Settings, set[str]] = defaultdict(set)
    for settings, lacking in wanted.values():
        asked[settings] |= lacking
    known: dict[Settings, set[str]] = {}
    for settings, elements in asked.items():
        engine, xc, cutoff_eV = settings
        crystals = known_crystals(database, engine, {"xc": xc, "cutoff_eV": cutoff_eV}, elements)
        known[settings] = _alone(one.final_structure.composition for one in crystals)
    missing = {
        name: sorted(lacking - known[settings]) for name, (settings, lacking) in wanted.items()
    }
    return {name: elements for name, elements in missing.items() if elements}


def _alone(compositions: Iterable[Composition]) -> set[str]:
    counts = [composition.get_el_amt_dict() for composition in compositions]
    return {next(iter(one)) for one in counts if len(one) == 1}
