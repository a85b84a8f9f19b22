"""Records from VASP folders that others ran."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pymatgen.core import Composition, Structure

from interohm.errors import InputError
from interohm.postprocess.barriers import calculated_hop
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.candidates import DefectCandidate
from interohm.postprocess.dielectric import calculated_constant
from interohm.postprocess.hubbard import hubbard_U_eV
from interohm.postprocess.materials import (
    Hop,
    InsulatorCalculations,
    insulator_record,
    metal_record,
)
from interohm.postprocess.reservoirs import ion_change, tied_elements
from interohm.records import Insulator, Metal, Quantity
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.identify import FoundDefect, identify_defect, repeat_distance
from interohm.slab_builders.slabs import facet_name

from .vasp_folders import (
    CONFIG,
    Folders,
    ImportConfig,
    ImportedInsulator,
    ImportedMetal,
    load_import,
)


def import_folder(root: str | Path) -> tuple[list[Insulator | Metal], list[Calculation]]:
    """Make the records of finished VASP folders, and return them with their calculations.

    Parameters
    ----------
    root : str or Path
        Holds the folders and ``import.yaml``.

    Raises
    ------
    InputError
        A calculation is cut off, not converged, missing, or does not go with the others.
    """
    root = Path(root)
    config = load_import(root)
    folders = Folders(root, config.ignore)
    records: list[Insulator | Metal] = []
    for phase in config.phases:
        try:
            if isinstance(phase, ImportedMetal):
                records.append(_metal(phase, config, folders))
            else:
                records.append(_insulator(phase, config, folders))
        except InputError:
            raise
        except ValueError as error:  # what the calculations lack, in the words of postprocess
            raise InputError(str(error), where=f"{root}, {phase.name}") from error
    return records, list(folders.calculations.values())


def _metal(phase: ImportedMetal, config: ImportConfig, folders: Folders) -> Metal:
    bulk, slab = _bulk_and_slab(phase, folders)
    return metal_record(
        bulk,
        slab,
        name=phase.name,
        mobile_ion=config.mobile_ion,
        ion_charge=config.ion_charge,
        surface=facet_name(phase.facet),
        ion_content=phase.ion_content,
        voltage_V=phase.voltage_V,
        uncertainties=config.uncertainties,
        provenance=_provenance(slab, folders, bulk=bulk, slab=slab),
    )


def _insulator(phase: ImportedInsulator, config: ImportConfig, folders: Folders) -> Insulator:
    if config.mobile_ion not in Composition(phase.formula).get_el_amt_dict():
        raise InputError(
            f"formula: {phase.formula} does not contain {config.mobile_ion}",
            where=f"{folders.root / CONFIG}, {phase.name}",
        )
    bulk, slab = _bulk_and_slab(phase, folders)
    role = f"{phase.name}, perfect supercell"
    supercell = folders.choose(role, phase.supercell, folders.supercells(phase.formula))
    role = f"{config.mobile_ion} metal"
    metal = folders.choose(role, phase.metal, folders.bulks(config.mobile_ion))
    flawed = folders.defects(supercell)
    _check_comparable(folders, [bulk, supercell, metal, *flawed.values()])
    crystal = Crystal.from_structure(bulk.final_structure)
    candidates = _candidates(phase, config, supercell, flawed, crystal)
    paths = _paths(phase, candidates, supercell, folders)
    response = _response(phase, folders)
    used = {f"hop of {name}": path for name, path in paths.items()}
    if response is not None:
        used["dielectric response"] = response
    provenance = _provenance(
        bulk, folders, bulk=bulk, slab=slab, supercell=supercell, metal=metal, **flawed, **used
    )
    return insulator_record(
        InsulatorCalculations(
            bulk=bulk,
            slab=slab,
            period_A=repeat_distance(crystal, phase.facet),
            supercell=supercell,
            defects=candidates,
            metal=metal,
        ),
        name=phase.name,
        mobile_ion=config.mobile_ion,
        ion_charge=config.ion_charge,
        surface=facet_name(phase.facet),
        dielectric_constant=_dielectric_constant(phase, config, response, provenance),
        saturation=phase.saturation,
        stability_window_V=phase.stability_window_V,
        hops=_hops(phase, config, supercell, paths, provenance),
        uncertainties=config.uncertainties,
        provenance=provenance,
        given_potentials_eV=phase.chemical_potentials_eV,
    )


def _response(phase: ImportedInsulator, folders: Folders) -> Calculation | None:
    if phase.dielectric_constant != "calculate":
        return None
    found = folders.responses(phase.formula)
    role = f"{phase.name}, dielectric response"
    what = f"dielectric response of {phase.formula}"
    return folders.choose(role, phase.response, found, only=what)


def _dielectric_constant(
    phase: ImportedInsulator,
    config: ImportConfig,
    response: Calculation | None,
    provenance: dict[str, Any],
) -> Quantity:
    if phase.dielectric_constant != "calculate":
        return phase.dielectric_constant
    assert response is not None  # chosen before
    assert config.uncertainties.dielectric_constant is not None  # the config was checked
    return calculated_constant(
        response, uncertainty=config.uncertainties.dielectric_constant, provenance=provenance
    )


def _paths(
    phase: ImportedInsulator,
    candidates: list[DefectCandidate],
    supercell: Calculation,
    folders: Folders,
) -> dict[str, Calculation]:
    """Return the paths of the hops that are to be read, by the names of their defects."""
    wanted = [name for name, hop in phase.hops.items() if hop.migration_energy_eV == "calculate"]
    known = folders.paths(supercell) if wanted else {}
    sublattices = {
        name: _identified(name, supercell.final_structure, path.final_structure).name
        for name, path in known.items()
    }
    defects = {one.name: one for one in candidates}
    for name in phase.hops:  # those that are given, too
        if name not in defects:
            raise InputError(
                f"hops: {name} is none of the defects",
                where=f"{CONFIG}, {phase.name}",
                fix=f"one of {', '.join(defects)}",
            )
    found = {}
    for wish in wanted:
        named, charge = phase.paths.get(wish), defects[wish].calculation.charge
        same = [name for name, one in sublattices.items() if one == defects[wish].sublattice]
        rivals = [name for name in same if known[name].charge == charge]
        # Of another charge it would be another defect's barrier.
        charged = [name for name in same if name not in rivals and named in (None, name)]
        if charged and (named is not None or not rivals):
            raise InputError(
                f"the path has the charge {known[charged[0]].charge:+d}, {wish} of "
                f"{folders.name_of(defects[wish].calculation)} has {charge:+d}",
                where=str(folders.root / charged[0]),
                fix=f"calculate the path with the charge {charge:+d}, or give the migration energy",
            )
        role, what = f"{phase.name}, hop of {wish}", f"migration path of {wish}"
        found[wish] = folders.choose(role, named, rivals, only=what)
    return found


def _hops(
    phase: ImportedInsulator,
    config: ImportConfig,
    supercell: Calculation,
    paths: dict[str, Calculation],
    provenance: dict[str, Any],
) -> dict[str, Hop]:
    hops = {name: Hop(**dict(hop)) for name, hop in phase.hops.items() if name not in paths}
    for name, path in paths.items():
        assert config.uncertainties.migration_energy is not None  # the config was checked
        distance_A = _hop_distance(name, supercell.final_structure, path)
        try:
            hops[name] = calculated_hop(
                path,
                distance_A,
                attempt_frequency_Hz=phase.hops[name].attempt_frequency_Hz,
                uncertainty=config.uncertainties.migration_energy,
                provenance=provenance,
            )
        except ValueError as error:  # no barrier, or not of a hop between equivalent sites
            folder = provenance["folders"][f"hop of {name}"]
            raise InputError(str(error), where=f"{folder}, hop of {name}") from error
    return hops


def _hop_distance(name: str, perfect: Structure, path: Calculation) -> float:
    """Return the distance of the defect's places at the path's ends, in Å."""
    begin = Structure.from_dict(path.initial_structure)
    positions = path.settings["path"]["end_positions_A"]
    end = Structure(begin.lattice, begin.species, positions, coords_are_cartesian=True)
    before, after = (_identified(name, perfect, one).position for one in (begin, end))
    return float(perfect.lattice.get_distance_and_image(before, after)[0])


def _bulk_and_slab(
    phase: ImportedInsulator | ImportedMetal, folders: Folders
) -> tuple[Calculation, Calculation]:
    bulk = folders.choose(f"{phase.name}, bulk", phase.bulk, folders.bulks(phase.formula))
    slab = folders.choose(f"{phase.name}, slab", phase.slab, folders.slabs(phase.formula))
    return bulk, slab


def _check_comparable(folders: Folders, calculations: list[Calculation]) -> None:
    """Refuse to subtract total energies of different functionals, cutoffs, data sets or +U."""
    first = calculations[0]
    for other in calculations[1:]:
        for field in ("xc", "cutoff_eV"):
            if other.settings[field] != first.settings[field]:
                raise InputError(
                    f"{field} is {other.settings[field]}, in {folders.name_of(first)} it is "
                    f"{first.settings[field]}: their total energies cannot be subtracted",
                    where=str(folders.root / folders.name_of(other)),
                )
    sets: dict[str, str] = {}
    repulsions: dict[str, dict[str, float]] = {}
    for calculation in calculations:
        for element, own in hubbard_U_eV(calculation).items():
            if repulsions.setdefault(element, own) != own:
                raise InputError(
                    f"the +U of {element} is {own or 'none'} (eV), elsewhere it is "
                    f"{repulsions[element] or 'none'}: their total energies cannot be subtracted",
                    where=str(folders.root / folders.name_of(calculation)),
                )
        for title in calculation.settings["potcars"]:
            symbol = title.split()[1]
            element = symbol.split("_")[0]
            if sets.setdefault(element, title) != title:
                raise InputError(
                    f"its data set is {title!r}, elsewhere it is {sets[element]!r}: their total "
                    "energies cannot be subtracted",
                    where=str(folders.root / folders.name_of(calculation)),
                )


def _candidates(
    phase: ImportedInsulator,
    config: ImportConfig,
    supercell: Calculation,
    flawed: dict[str, Calculation],
    crystal: Crystal,
) -> list[DefectCandidate]:
    perfect = supercell.final_structure
    cells = len(perfect) / len(crystal.conventional)
    found = {name: _identified(name, perfect, one.final_structure) for name, one in flawed.items()}
    charges = {d.name: set[int]() for d in found.values()}
    for name, defect in found.items():
        charges[defect.name].add(flawed[name].charge)
    return [
        DefectCandidate(
            # Several charge states are defects of their own, on one sublattice.
            name=defect.name
            if len(charges[defect.name]) == 1
            else f"{defect.name}_{flawed[name].charge:+d}",
            element=defect.element,
            change=defect.change,
            ion_change=_ion_change(phase, config, defect),
            sites_per_cell=round(defect.sites / cells),
            conventional_volume_A3=perfect.volume / cells,
            position=defect.position,
            calculation=flawed[name],
            replaced=defect.replaced,
            sublattice=defect.name,
        )
        for name, defect in found.items()
    ]


def _identified(folder: str, perfect: Structure, flawed: Structure) -> FoundDefect:
    try:
        return identify_defect(perfect, flawed)
    except InputError as error:
        raise InputError(error.what, where=folder, fix=error.fix) from None


def _ion_change(phase: ImportedInsulator, config: ImportConfig, defect: FoundDefect) -> float:
    """Return dn: ions added, and those that a binary compound's other element takes along.

    Elements whose chemical potential is given are in a reservoir of their own and count nothing.
    """
    added = Counter({defect.element: defect.change})
    if defect.replaced is not None:
        added[defect.replaced] -= defect.change
    given = dict.fromkeys(phase.chemical_potentials_eV, 0.0)
    tied = tied_elements([Composition(phase.formula)], config.mobile_ion)
    slopes = tied | given | {config.mobile_ion: 1.0}
    for element in added:
        if element not in slopes:
            raise InputError(
                f"{phase.name}: the chemical potential of {element} does not follow from "
                f"{config.mobile_ion} and the compound",
                where=f"{CONFIG}, chemical_potentials_eV",
                fix=f"give the total energy per atom of {element} in its reservoir",
            )
    return ion_change(added, slopes)


def _provenance(calculation: Calculation, folders: Folders, **roles: Calculation) -> dict[str, Any]:
    return {
        "engine": "vasp, imported",
        "functional": calculation.settings["xc"],
        "potcars": calculation.settings["potcars"],
        "folders": {role: folders.name_of(one) for role, one in roles.items()},
    }
