"""Records from VASP calculations that others ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Composition, Structure

from interohm.database import Database
from interohm.database.schema import well_formed
from interohm.database.shipped_calculations import shipped_calculation
from interohm.errors import InputError
from interohm.postprocess.barriers import calculated_hop
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.candidates import DefectCandidate
from interohm.postprocess.comparison import (
    coarse_mesh,
    energy_differences,
    supercell_differences,
)
from interohm.postprocess.dielectric import calculated_constant
from interohm.postprocess.materials import (
    Hop,
    InsulatorCalculations,
    insulator_record,
    metal_record,
)
from interohm.postprocess.orientation import along_normal, tensor_in
from interohm.postprocess.reservoirs import ion_change, tied_elements
from interohm.records import DielectricQuantity, Insulator, Metal
from interohm.records.interface import Interface
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.identify import FoundDefect, identify_defect, repeat_distance
from interohm.slab_builders.slabs import facet_name

from .vasp_folders import Finished, Report, read_folders, said
from .vasp_import_config import (
    CONFIG,
    ImportConfig,
    ImportedElectrode,
    ImportedInsulator,
    ImportedInterface,
    ImportedMetal,
    load_import,
)
from .vasp_import_electrode import electrode
from .vasp_import_interface import interface
from .vasp_tasks import read_store


@dataclass(frozen=True)
class Import:
    """Records and calculations made of finished runs.

    Parameters
    ----------
    records : list of Insulator or Metal
        Those that were made.
    interfaces : list of Interface
        Likewise.
    finished : Finished
        Folders that were read, that were left out, and that belong to no record.
    failures : mapping of str to InputError
        Why a phase has no record, by its name.
    """

    records: list[Insulator | Metal]
    finished: Finished
    failures: dict[str, InputError] = field(default_factory=dict)
    interfaces: list[Interface] = field(default_factory=list)

    @property
    def calculations(self) -> list[Calculation]:
        """All usable calculations."""
        return list(self.finished.calculations.values())


def import_folder(
    root: str | Path, database: Database | None = None, report: Report | None = None
) -> Import:
    """Make the records of finished VASP finished.

    A folder that cannot be used is left out, and a phase that lacks something has no record; both
    are named in what is returned.

    Parameters
    ----------
    root : str or Path
        Holds the folders and ``import.yaml``.
    database : Database, optional
        Opened for reading: a record of the same name in it lends the calculations that the folders
        do not have.
    report : callable, optional
        Told how many of how many folders are read.

    Raises
    ------
    InputError
        ``import.yaml`` is wrong, or there is nothing of VASP's.
    """
    root = Path(root)
    config = load_import(root)
    return make_records(config, read_folders(root, config.ignore, report), database)


def import_store(
    root: str | Path, store: Path, query: Mapping[str, Any], database: Database | None = None
) -> Import:
    """Make the records of finished tasks in a database of atomate2's.

    Parameters
    ----------
    root : str or Path
        Holds ``import.yaml``, which names tasks where it would name folders.
    store : Path
        ``jobflow.yaml``.
    query : mapping
        Finds the tasks among the store's documents.
    database : Database, optional
        As in `import_folder`.

    Raises
    ------
    InputError
        ``import.yaml`` is wrong, the store cannot be read, or the query finds no task.
    """
    root = Path(root)
    config = load_import(root)
    return make_records(config, read_store(store, query, root), database)


def make_records(config: ImportConfig, finished: Finished, database: Database | None) -> Import:
    """Make the records of finished calculations (see `import_folder`)."""
    records: list[Insulator | Metal] = []
    interfaces: list[Interface] = []
    failures: dict[str, InputError] = {}
    for phase in config.phases:
        before = set(finished.used)
        try:
            if isinstance(phase, ImportedMetal):
                records.append(_metal(phase, config, finished))
            elif isinstance(phase, ImportedElectrode):
                records.append(electrode(phase, config, finished))
            elif isinstance(phase, ImportedInterface):
                interfaces.append(interface(phase, config, finished))
            else:
                known = _known(database, phase.name)
                records.append(_insulator(phase, config, finished, known))
            continue
        except InputError as error:
            failures[phase.name] = error
        except ValueError as error:  # what the calculations lack, in the words of postprocess
            failures[phase.name] = InputError(str(error), where=f"{finished.root}, {phase.name}")
        finished.used = before
    return Import(records, finished, failures, interfaces)


@dataclass(frozen=True)
class _Known:
    """The calculations of a record that is in the database, by their roles."""

    roles: dict[str, Calculation] = field(default_factory=dict)
    defects: list[Calculation] = field(default_factory=list)


def _known(database: Database | None, name: str) -> _Known:
    record = None if database is None else database.material(name)
    if database is None or not isinstance(record, Insulator):
        return _Known()
    provenance = record.provenance
    roles = dict(provenance.get("calculations", {}))
    tried = provenance.get("defects", {})
    hashes = [one["calculation"] for several in tried.values() for one in several]
    wanted = [*roles.values(), *hashes]
    documents = database.find_calculations(wanted)
    found: dict[str, Calculation] = {}
    for hash in wanted:
        document = documents.get(hash) or shipped_calculation(hash)
        if document is not None:
            with well_formed(f"{database.location}, calculations, {hash[:12]}"):
                found[hash] = Calculation.model_validate(document)
    return _Known(
        {role: found[hash] for role, hash in roles.items() if hash in found},
        [found[hash] for hash in hashes if hash in found],
    )


def _metal(phase: ImportedMetal, config: ImportConfig, finished: Finished) -> Metal:
    bulk, slab = _bulk_and_slab(phase, finished, _Known())
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
        provenance=_provenance(slab, finished, bulk=bulk, slab=slab),
    )


def _insulator(
    phase: ImportedInsulator, config: ImportConfig, finished: Finished, known: _Known
) -> Insulator:
    if config.mobile_ion not in Composition(phase.formula).get_el_amt_dict():
        raise InputError(
            f"formula: {phase.formula} does not contain {config.mobile_ion}",
            where=f"{finished.root / CONFIG}, {phase.name}",
        )
    bulk, slab = _bulk_and_slab(phase, finished, known)
    supercell = finished.choose(
        f"{phase.name}, perfect supercell",
        phase.supercell,
        finished.supercells(phase.formula),
        known=known.roles.get("supercell"),
    )
    metal = finished.choose(
        f"{config.mobile_ion} metal",
        phase.metal,
        finished.bulks(config.mobile_ion),
        only=f"bulk of {config.mobile_ion} alone, whose energy is the zero of mu",
        rivals=finished.doubtful_bulks(config.mobile_ion) if phase.metal is None else (),
        known=known.roles.get("metal"),
    )
    flawed = finished.defects(supercell)
    finished.used.update(flawed)
    flawed |= _known_defects(supercell, flawed, known)
    check_comparable(finished, [bulk, supercell, metal, *flawed.values()])
    _check_supercells(finished, supercell, list(flawed.values()))
    crystal = Crystal.from_structure(bulk.final_structure)
    candidates = _candidates(phase, config, supercell, flawed, crystal)
    paths = _paths(phase, candidates, supercell, finished)
    response = _response(phase, finished)
    used = {f"hop of {name}": path for name, path in paths.items()}
    if response is not None:
        used["dielectric response"] = response
    provenance = _provenance(
        bulk, finished, bulk=bulk, slab=slab, supercell=supercell, metal=metal, **flawed, **used
    )
    if missing := finished.doubtful_defects(supercell):
        provenance["missing"] = {name: finished.left_out[name].what for name in missing}
    record = insulator_record(
        InsulatorCalculations(
            bulk=_with_bands(bulk, phase, finished, provenance),
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
        dielectric_constant=along_normal(
            DielectricQuantity.model_validate(
                _dielectric_constant(phase, config, bulk, response, provenance)
            ),
            bulk.final_structure,
            crystal.conventional,
            phase.facet,
        ),
        saturation=phase.saturation,
        stability_window_V=phase.stability_window_V,
        hops=_hops(phase, config, supercell, paths, provenance),
        uncertainties=config.uncertainties,
        provenance=provenance,
        given_potentials_eV=phase.chemical_potentials_eV,
    )
    _refuse_one_sign(record, finished)
    return record


def _refuse_one_sign(record: Insulator, finished: Finished) -> None:
    """Refuse defects of one sign, between which nothing is neutral, as campaigns do."""
    charges = {defect.name: defect.charge for defect in record.defects}
    if len({charge > 0 for charge in charges.values() if charge}) == 2:
        return
    there = ", ".join(f"{name} ({charge:+d})" for name, charge in charges.items())
    lost = "; ".join(f"{name}: {error.what}" for name, error in finished.left_out.items())
    raise InputError(
        f"its defects do not include ions of both signs: {there}"
        + (f"; left out: {lost}" if lost else ""),
        where=f"{finished.root}, {record.name}",
        fix="give the defects of the other sign, of the mobile ion or of another one",
    )


def _known_defects(
    supercell: Calculation, flawed: dict[str, Calculation], known: _Known
) -> dict[str, Calculation]:
    """Return the database's defects in the same supercell that the folders do not have."""
    cell = supercell.final_structure
    there = {(one.final_structure.composition, one.charge) for one in flawed.values()}
    found = {}
    for calculation in known.defects:
        structure = calculation.final_structure
        same_cell = structure.lattice == cell.lattice
        other = (structure.composition, calculation.charge) not in there
        if same_cell and other and not energy_differences(supercell, calculation):
            found[f"the database, {calculation.hash[:12]}"] = calculation
    return found


def _with_bands(
    bulk: Calculation, phase: ImportedInsulator, finished: Finished, provenance: dict[str, Any]
) -> Calculation:
    """Return the bulk with the edges of its band structures, where there are any.

    They are on the scale of one potential: the highest valence and the lowest conduction band over
    all k-points count; a static bulk's own, too.
    """
    names = finished.band_structures(bulk, phase.bands)
    edges = [(run.vbm_eV, run.cbm_eV) for run in (finished.bands[name] for name in names)]
    if bulk.kind == "static":
        edges.append((bulk.vbm_eV, bulk.cbm_eV))
    tops = [vbm for vbm, cbm in edges if vbm is not None and cbm is not None]
    bottoms = [cbm for vbm, cbm in edges if vbm is not None and cbm is not None]
    if not names or len(tops) < len(edges):
        return bulk
    provenance["folders"]["band edges"] = names
    changes = {"vbm_eV": max(tops), "cbm_eV": min(bottoms), "edge_kpoints": None}
    return bulk.model_copy(update=changes)


def _response(phase: ImportedInsulator, finished: Finished) -> Calculation | None:
    if phase.dielectric_constant != "calculate":
        return None
    found = finished.responses(phase.formula)
    role = f"{phase.name}, dielectric response"
    what = f"dielectric response of {phase.formula}"
    return finished.choose(role, phase.response, found, only=what)


def _dielectric_constant(
    phase: ImportedInsulator,
    config: ImportConfig,
    bulk: Calculation,
    response: Calculation | None,
    provenance: dict[str, Any],
) -> DielectricQuantity:
    if phase.dielectric_constant != "calculate":
        return phase.dielectric_constant
    assert response is not None  # chosen before
    assert config.uncertainties.dielectric_constant is not None  # the config was checked
    constant = calculated_constant(
        response, uncertainty=config.uncertainties.dielectric_constant, provenance=provenance
    )
    # The record's structure, whose axes the tensor is in, is the bulk's.
    tensor = np.asarray(
        tensor_in(np.array(constant.tensor), response.final_structure, bulk.final_structure)
    )
    if tensor.ndim == 0:
        return constant
    rows = [[round(float(part), 3) + 0.0 for part in row] for row in tensor]
    return DielectricQuantity.model_validate({**constant.model_dump(), "tensor": rows})


def _paths(
    phase: ImportedInsulator,
    candidates: list[DefectCandidate],
    supercell: Calculation,
    finished: Finished,
) -> dict[str, Calculation]:
    """Return the paths of the hops that are to be read, by the names of their defects."""
    wanted = [name for name, hop in phase.hops.items() if hop.migration_energy_eV == "calculate"]
    known = finished.paths(supercell) if wanted else {}
    sublattices = {
        name: _identified(name, supercell.final_structure, path.final_structure).name
        for name, path in known.items()
    }
    defects = {one.name: one for one in candidates}
    for name in phase.hops:  # those that are given, too
        if name not in defects:
            raise InputError(
                f"hops: {name} is not one of the defects",
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
                f"{finished.name_of(defects[wish].calculation)} has {charge:+d}",
                where=str(finished.root / charged[0]),
                fix=f"calculate the path with the charge {charge:+d}, or give the migration energy",
            )
        role, what = f"{phase.name}, hop of {wish}", f"migration path of {wish}"
        found[wish] = finished.choose(role, named, rivals, only=what)
        finished.use_ends(found[wish])
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
    phase: ImportedInsulator | ImportedMetal, finished: Finished, known: _Known
) -> tuple[Calculation, Calculation]:
    bulks, before = finished.bulks(phase.formula), known.roles.get("bulk")
    if before is not None and bulks and phase.bulk is None:
        # Where defects alone are imported, their supercell is not the crystal's smallest cell.
        smallest = len(finished.calculations[bulks[0]].structure["sites"])
        bulks = bulks if smallest <= len(before.structure["sites"]) else []
    bulk = finished.choose(
        f"{phase.name}, bulk",
        phase.bulk,
        bulks,
        rivals=finished.doubtful_bulks(phase.formula),
        known=before,
    )
    slab = finished.choose(
        f"{phase.name}, slab",
        phase.slab,
        finished.slabs(phase.formula),
        rivals=finished.doubtful_slabs(phase.formula),
        known=known.roles.get("slab"),
    )
    return bulk, slab


def check_comparable(finished: Finished, calculations: Sequence[Calculation]) -> None:
    """Refuse to subtract total energies that depend on something else, too, and name it."""
    compared: list[Calculation] = []
    elements: set[str] = set()
    for other in calculations:
        for first in compared:
            for name, (ours, theirs) in energy_differences(other, first).items():
                raise InputError(
                    f"{name} is {ours}, in {finished.name_of(first)} it is {theirs}: their total "
                    "energies cannot be subtracted",
                    where=finished.path_of(other),
                    fix="calculate both with the same settings",
                )
        # Enough to compare the next ones with: the first, and what brings another element.
        own = set(other.final_structure.composition.element_composition.get_el_amt_dict())
        if not own <= elements:
            compared.append(other)
            elements |= own
    for calculation in calculations:
        if (what := coarse_mesh(calculation)) is not None:
            raise InputError(what, where=finished.path_of(calculation), fix="use more k-points")


def _check_supercells(
    finished: Finished, supercell: Calculation, flawed: Sequence[Calculation]
) -> None:
    for calculation in flawed:
        if differ := supercell_differences(calculation, supercell):
            raise InputError(
                f"it differs from the perfect supercell {finished.name_of(supercell)}: "
                f"{said(differ)}",
                where=finished.path_of(calculation),
                fix="calculate both with the same settings",
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


def _provenance(
    calculation: Calculation, finished: Finished, **roles: Calculation
) -> dict[str, Any]:
    return {
        "engine": "vasp, imported",
        "functional": calculation.settings["xc"],
        "potcars": calculation.settings["potcars"],
        "folders": {role: finished.name_of(one) for role, one in roles.items()},
    }
