"""Campaign of the calculations that are worth most for a choice, for `interohm run`."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymatgen.core import Composition

from interohm.errors import InputError
from interohm.records import Insulator, Metal, Quantity
from interohm.yaml_io import dump_yaml, validated, write_text

from .campaign_config import SHIPPED_STRUCTURES, CampaignConfig

if TYPE_CHECKING:
    from interohm.database import Database
    from interohm.results.design import NextCalculation

_WINDOW = "phase diagram"

#: What a campaign of an insulator gives.
_OF_INSULATORS = ("surface", "defects", "migration", "dielectric", "band gap", _WINDOW)


@dataclass(frozen=True)
class NextCampaign:
    """A campaign of what is worth calculating.

    Parameters
    ----------
    text : str
        Text of the file; what cannot be calculated without changes is a comment.
    phases : list of str
        Records whose phases the campaign calculates.
    left_out : dict
        Other records that a campaign of phases could calculate, and why this one does not.
    apart : list of str
        Calculations and measurements that no campaign of phases gives.
    structures : dict
        Files to write beside the campaign, by their names: crystals that records hold.
    """

    text: str
    phases: list[str]
    left_out: dict[str, str]
    apart: list[str]
    structures: dict[str, str]

    def write(self, path: Path) -> None:
        """Write the campaign, and the crystals that it names beside it."""
        for name, structure in self.structures.items():
            write_text(path.parent / name, structure)
        write_text(path, self.text)


def next_campaign(
    name: str,
    calculations: Sequence[NextCalculation],
    records: Mapping[str, Insulator | Metal],
    *,
    structures: Mapping[str, Path],
    folder: Path,
    database: Database,
    progress: Callable[[int, int], None] | None = None,
) -> NextCampaign:
    """Return a campaign of what is worth calculating, which runs as it stands.

    A phase is calculated as a whole, so that it takes more than the one calculation that is wanted:
    the text says the core-hours of a dry run. A phase without a known crystal, or one whose crystal
    cannot be planned, stands in the text as comments, to be completed; if all do, the campaign has
    no phase yet.

    Parameters
    ----------
    name : str
        Name of the design or screening.
    calculations : sequence of NextCalculation
        The most worthwhile first.
    records : mapping of str to Insulator or Metal
        By name.
    structures : mapping of str to Path
        Crystal structures by the record's name, where the user gives them.
    folder : Path
        In which the campaign will lie: paths are relative to it.
    database : Database
        Opened for reading; what it has already costs nothing.
    progress : callable, optional
        Called with how many phases are planned, and of how many.

    Raises
    ------
    InputError
        Nothing is worth calculating that a campaign of phases gives.
    """
    wanted: dict[str, list[NextCalculation]] = {}
    apart = []
    for one in calculations:
        if isinstance(records.get(one.material), Insulator) and one.calculation in _OF_INSULATORS:
            wanted.setdefault(one.material, []).append(one)
        else:
            apart.append(one)
    if not wanted:
        raise _nothing_to_calculate([one.text for one in apart])
    ion = next(iter(records.values())).mobile_ion
    head: dict[str, Any] = {
        "name": re.sub(r"[^A-Za-z0-9_-]+", "-", f"next-{name}").strip("-")[:64],
        "engine": "gpaw",
        "preset": "production",
        "mobile_ion": ion,
        "metal_structure": ion,
    }
    planner = _Planner(head, records, structures, folder, database)
    phases, left_out = {}, {}
    others = [one.text for one in apart]
    comments = [
        f"{'measure' if one.calculation == 'measurement' else 'by a separate campaign'}: {text}"
        for one, text in zip(apart, others, strict=True)
    ]
    for done, (material, ones) in enumerate(wanted.items()):
        if progress is not None:
            progress(done, len(wanted))
        found = planner.phase(material, ones)
        if found.lacking:
            window = next(one for one in ones if one.calculation == _WINDOW)
            ones.remove(window)
            others.append(f"{window.text}, since no energy of {', '.join(found.lacking)} is known")
            comments.append(
                f"by a separate campaign, with its elements and competing phases: {others[-1]}"
            )
            if ones:
                comments.append(_window_here(found.phase, found.lacking))
        if found.why is not None:
            left_out[material] = found
        elif ones:
            phases[material] = found
    if not phases and not left_out:
        raise _nothing_to_calculate(others)
    if planner.competing or planner.molecules:
        head["phase_diagram"] = {
            "entries": "calculations",
            "competing": sorted(planner.competing),
            "molecules": sorted(planner.molecules),
        }
    if phases:
        lines = [
            f"What is worth calculating for {name}, the most worthwhile first:",
            *(f"  {one.text}" for material in phases for one in wanted[material]),
            "What it takes (mostly within a factor of three, on one core of a desktop processor):",
            *(f"  {found.cost}" for found in phases.values()),
        ]
    else:
        lines = [
            f"Nothing can be calculated yet: no phase that is worth calculating for {name} has a",
            "crystal that can be planned. The lines at the end say what each of them needs.",
        ]
    lines += [
        "Look at facets and dielectric constants before you run it. `interohm run FILE --dry-run`",
        "lists what it would calculate.",
        *comments,
    ]
    text = "".join(f"# {line}\n" for line in lines)
    text += dump_yaml({**head, "phases": [found.phase for found in phases.values()]})
    if not phases:  # the comments below become its entries
        text = text.removesuffix(" []\n") + "\n"
    for material, found in left_out.items():
        text += f"# LEFT OUT: {material}, {found.why}. It is wanted for:\n"
        text += "".join(f"#   {one.text}\n" for one in wanted[material])
        text += "# Name its crystal and remove the leading # of these lines to calculate it, too:\n"
        entry = dump_yaml({"phases": [found.phase]}).partition("\n")[2]
        text += "".join(f"#{line}\n" for line in entry.splitlines())
    return NextCampaign(
        text,
        list(phases),
        {material: found.why or "" for material, found in left_out.items()},
        others,
        {name: text for found in phases.values() for name, text in found.files.items()},
    )


def _window_here(phase: Mapping[str, Any], lacking: Sequence[str]) -> str:
    """Return how a campaign calculates a window, of whose elements some have no energy."""
    meanwhile = f"{phase['name']} has no window meanwhile. To calculate it here, "
    if "stability_window_V" in phase:
        meanwhile = (
            f"{phase['name']} has the window of its record meanwhile. To calculate it here, remove "
            "its stability_window_V and "
        )
    return (
        f"  {meanwhile}name the CIF files of {', '.join(lacking)} and of all compounds "
        "that may form in phase_diagram: {entries: calculations, competing: [FILE.cif, …]}"
    )


def _nothing_to_calculate(others: Sequence[str]) -> InputError:
    """Say why no campaign comes of what is worth doing next."""
    if others:
        return InputError(
            "no campaign is written: no calculation of an electrolyte or a coating that can be "
            f"planned would help this choice, but {'; '.join(others)}",
            where="--next",
            fix="measure it, calculate the electrode, the interface or the phase diagram by a "
            "separate campaign, or leave --next out",
        )
    return InputError(
        "no campaign is written: no calculation was found to help this choice",
        where="--next",
        fix="leave --next out. More `samples` may distinguish smaller gains from chance. With only "
        "one candidate left, there is nothing to choose",
    )


def structure_fix(material: str) -> str:
    """Return how a crystal structure is given to a phase that lacks one."""
    return (
        f"give its crystal: `structures: {{{material}: FILE.cif}}` in the configuration, or "
        f"`structure: FILE.cif` in the record (interohm materials export {material} --output "
        f"{material}.yaml, change it, interohm materials add {material}.yaml)"
    )


@dataclass(frozen=True)
class _Planned:
    """A phase of the campaign, what it costs, and why it cannot be calculated (else None).

    A window that is wanted takes the energies of all elements: `lacking` are those without one.
    """

    phase: dict[str, Any]
    cost: str
    why: str | None
    files: dict[str, str]
    lacking: Sequence[str] = ()


class _Planner:
    """Plans one phase after another; what two phases share counts once."""

    def __init__(
        self,
        head: Mapping[str, Any],
        records: Mapping[str, Insulator | Metal],
        structures: Mapping[str, Path],
        folder: Path,
        database: Database,
    ) -> None:
        self.head, self.records, self.structures = head, records, structures
        self.folder, self.database = folder, database
        self.seen: set[str] = set()
        self.competing: set[str] = set()
        self.molecules: set[str] = set()

    def phase(self, name: str, calculations: Sequence[NextCalculation]) -> _Planned:
        """Return a phase as the campaign says it, planned as far as its crystal allows."""
        from .campaign import dry_run
        from .cost import core_seconds

        record = self.records[name]
        assert isinstance(record, Insulator)
        source, files = self._structure(record)
        phase = _phase(name, record, calculations, source or "FILE.cif")
        if source is None:
            return _Planned(phase, "", "no crystal structure of it is known", {})
        with tempfile.TemporaryDirectory() as scratch:
            folder = self.folder
            if files:  # not written yet
                folder = Path(scratch)
                for file, text in files.items():
                    (folder / file).write_text(text, encoding="utf-8")
            lacking: Sequence[str] = ()
            try:
                config = self._config(phase, folder)
                if any(one.calculation == _WINDOW for one in calculations):
                    config, lacking = self._with_window(config, phase, record)
                planned = [
                    one
                    for one in dry_run(config, self.database)
                    if not one.found and one.hash not in self.seen
                ]
            except InputError as error:
                return _Planned(phase, "", f"its crystal cannot be planned: {error.what}", {})
        if not lacking or len(calculations) > 1:  # else it is no part of the campaign
            self.seen |= {one.hash for one in planned}
        hours = sum(map(core_seconds, planned)) / 3600
        count = f"{len(planned)} calculation{'s' * (len(planned) != 1)}"
        cost = f"{phase['name']}: {count}, about {hours:.2g} core-hours"
        return _Planned(phase, cost, None, files, lacking)

    def _config(self, phase: Mapping[str, Any], folder: Path, **more: Any) -> CampaignConfig:
        campaign = {**self.head, **more, "phases": [phase]}
        return validated(CampaignConfig, campaign, where="--next").in_folder(folder)

    def _with_window(
        self, config: CampaignConfig, phase: dict[str, Any], record: Insulator
    ) -> tuple[CampaignConfig, list[str]]:
        """Return the campaign with the phase's window, or with that of the record.

        Shipped crystals and molecules compete. The elements without an energy are returned; if
        there are some, the phase keeps the window that its record states.
        """
        from .reference_elements import missing_elements

        structure = config.structure(phase["structure"], where=phase["name"])
        elements = {element.symbol for element in structure.composition.elements}
        competing = {
            path.stem
            for path in SHIPPED_STRUCTURES.glob("*.cif")
            if _elements_of(path.stem) <= elements
            and path.stem not in (structure.composition.reduced_formula, config.mobile_ion)
        }
        molecules = {
            path.stem
            for path in (SHIPPED_STRUCTURES / "molecules").glob("*.xyz")
            if _elements_of(path.stem) <= elements
        }
        diagram = {
            "entries": "calculations",
            "competing": sorted(competing),
            "molecules": sorted(molecules),
        }
        whole = self._config(phase, config.folder, phase_diagram=diagram)
        lacking = missing_elements(whole, self.database).get(phase["name"], [])
        if not lacking:
            self.competing |= competing
            self.molecules |= molecules
            return whole, []
        if record.stability_window_V is not None:
            phase["stability_window_V"] = _window_of(record.stability_window_V)
        return self._config(phase, config.folder), lacking

    def _structure(self, record: Insulator) -> tuple[str | None, dict[str, str]]:
        """Return what a campaign calls the crystal, and the file to write for it.

        The user's file, that of the record, or a shipped structure; a calculated record holds what
        was relaxed already, so that a shipped structure goes before it.
        """
        if record.name in self.structures:
            return os.path.relpath(self.structures[record.name], self.folder), {}
        shipped = _shipped(record)
        if record.structure is None or (shipped is not None and "engine" in record.provenance):
            return shipped, {}
        from pymatgen.core import Structure

        file = f"{record.name}.cif"
        return file, {file: str(Structure.from_dict(record.structure).to(fmt="cif"))}


def _shipped(record: Insulator) -> str | None:
    """Return the name of the shipped structure of a record's formula, if there is one."""
    formula = record.name.partition("_")[0]
    if record.phase_energies is not None:
        formula = record.phase_energies.composition
    known = record.provenance.get("formula", formula)
    if not isinstance(known, str) or not known.isalnum():
        return None
    return known if (SHIPPED_STRUCTURES / f"{known}.cif").is_file() else None


def _elements_of(formula: str) -> set[str]:
    return {element.symbol for element in Composition(formula).elements}


def _window_of(window: Sequence[Quantity]) -> list[dict[str, Any]]:
    return [bound.model_dump(mode="json", exclude_none=True) for bound in window]


def _phase(
    name: str, record: Insulator, calculations: Sequence[NextCalculation], structure: str
) -> dict[str, Any]:
    """Return what the campaign says of a phase."""
    kinds = {one.calculation for one in calculations}
    given = record.dielectric_constant.model_dump(mode="json", exclude_none=True)
    phase: dict[str, Any] = {
        "name": f"{name}_calculated",
        "kind": "insulator",
        "structure": structure,
        "facet": {"max_index": 1, "level": "stable"},
        "dielectric_constant": "calculate" if "dielectric" in kinds else given,
    }
    if _WINDOW not in kinds and record.stability_window_V is not None:
        phase["stability_window_V"] = _window_of(record.stability_window_V)
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
