"""What a design says is worth calculating, as a campaign that `interohm run` takes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interohm.errors import InputError
from interohm.records import Insulator, Metal
from interohm.yaml_io import dump_yaml, validated

from .campaign_config import SHIPPED_STRUCTURES, CampaignConfig

if TYPE_CHECKING:
    from interohm.database import Database
    from interohm.results.design import DesignResult, NextCalculation

#: What a campaign of an insulator gives.
_OF_INSULATORS = ("surface", "defects", "migration", "dielectric", "band gap", "phase diagram")


def next_campaign(
    result: DesignResult,
    records: Mapping[str, Insulator | Metal],
    *,
    structures: Mapping[str, Path],
    folder: Path,
    database: Database,
) -> str:
    """Return the text of a campaign; what it cannot calculate stands in it as a comment.

    So do the core-hours of each phase, which are those of a dry run: a phase has more than the one
    calculation that is wanted.

    Parameters
    ----------
    result : DesignResult
        With the calculations, the most worthwhile first.
    records : mapping of str to Insulator or Metal
        By name.
    structures : mapping of str to Path
        Crystal structures by the record's name, where the user gives them.
    folder : Path
        In which the campaign will lie: paths are relative to it.
    database : Database
        Opened for reading; what it has already costs nothing.

    Raises
    ------
    InputError
        Nothing is worth calculating, or no structure is known of any phase.
    """
    wanted: dict[str, list[NextCalculation]] = {}
    comments = []
    missing = []
    for one in result.next:
        record = records.get(one.material)
        if one.calculation == "measurement":
            comments.append(f"measure: {one.text}")
        elif isinstance(record, Insulator) and one.calculation in _OF_INSULATORS:
            source = _structure(record, structures, folder)
            if source is None:
                missing.append(one.material)
                comments.append(f"no structure of {one.material}: {one.text}")
            else:
                wanted.setdefault(one.material, []).append(one)
        else:
            comments.append(f"by a campaign of its own: {one.text}")
    if not wanted:
        names = ", ".join(dict.fromkeys(missing))
        raise InputError(
            f"no crystal structure of {names} is known"
            if missing
            else "no calculation of a phase would help this choice",
            where="--next",
            fix=f"name their CIFs in the design: structures: {{{missing[0]}: FILE.cif}}"
            if missing
            else "see `next` in --json; a settled choice needs no further calculation",
        )
    ion = next(iter(records.values())).mobile_ion
    phases = [
        _phase(name, records[name], calculations, structures, folder)
        for name, calculations in wanted.items()
    ]
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", f"next-{result.design}").strip("-")
    campaign = {
        "name": name,
        "engine": "gpaw",
        "preset": "production",
        "mobile_ion": ion,
        "metal_structure": ion,
        "phases": phases,
    }
    config = validated(CampaignConfig, campaign, where="--next").in_folder(folder)
    why = [one.text for calculations in wanted.values() for one in calculations]
    head = [
        f"What is worth calculating for the design {result.design}, the most worthwhile first:",
        *(f"  {text}" for text in why),
        "What it takes (mostly within a factor of three, on one core of a desktop processor):",
        *(f"  {line}" for line in _costs(config, database)),
        "Look at facets and dielectric constants before you run it. `interohm run FILE --dry-run`",
        "lists what it would calculate.",
        *comments,
    ]
    return "".join(f"# {line}\n" for line in head) + dump_yaml(campaign)


def _costs(config: CampaignConfig, database: Database) -> list[str]:
    """Return the core-hours of each phase in words; what two phases share counts once."""
    from .campaign import dry_run
    from .cost import core_seconds

    lines, seen = [], set()
    for phase in config.phases:
        planned = [
            one
            for one in dry_run(config.alone(phase), database)
            if not one.found and one.hash not in seen
        ]
        seen |= {one.hash for one in planned}
        hours = sum(map(core_seconds, planned)) / 3600
        lines.append(f"{phase.name}: {len(planned)} calculations, about {hours:.2g} core-hours")
    return lines


def _structure(record: Insulator, structures: Mapping[str, Path], folder: Path) -> str | None:
    """Return what a campaign calls the crystal: the user's file, or a shipped structure."""
    if record.name in structures:
        return os.path.relpath(structures[record.name], folder)
    formula = record.name.partition("_")[0]
    if record.phase_energies is not None:
        formula = record.phase_energies.composition
    known = record.provenance.get("formula", formula)
    if isinstance(known, str) and known.isalnum():
        path = SHIPPED_STRUCTURES / f"{known}.cif"
        return known if path.is_file() else None
    return None


def _phase(
    name: str,
    record: Insulator | Metal,
    calculations: Sequence[NextCalculation],
    structures: Mapping[str, Path],
    folder: Path,
) -> dict[str, Any]:
    assert isinstance(record, Insulator)
    kinds = {one.calculation for one in calculations}
    given = record.dielectric_constant.model_dump(mode="json", exclude_none=True)
    phase: dict[str, Any] = {
        "name": f"{name}_calculated",
        "kind": "insulator",
        "structure": _structure(record, structures, folder),
        "facet": {"max_index": 1, "level": "stable"},
        "dielectric_constant": "calculate" if "dielectric" in kinds else given,
    }
    if "phase diagram" not in kinds and record.stability_window_V is not None:
        phase["stability_window_V"] = [
            bound.model_dump(mode="json", exclude_none=True) for bound in record.stability_window_V
        ]
    vacancy = next((one for one in record.defects if one.name.startswith("V_")), None)
    if "migration" in kinds and vacancy is not None and vacancy.attempt_frequency_Hz is not None:
        phase["hops"] = {
            f"V_{record.mobile_ion}": {
                "migration_energy_eV": "calculate",
                "attempt_frequency_Hz": vacancy.attempt_frequency_Hz.model_dump(
                    mode="json", exclude_none=True
                ),
            }
        }
    return phase
