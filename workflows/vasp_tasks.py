"""Finished calculations in a database of atomate2: its task documents, as emmet makes them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.postprocess.calculation import (
    Calculation,
    DielectricResponse,
    MigrationPath,
    PlanarPotential,
)
from interohm.postprocess.dielectric import ionic_tensor
from interohm.postprocess.hubbard import vasp_repulsions
from interohm.postprocess.vasp import (
    BandStructureRun,
    UnusableEnergy,
    kind_of,
    planar_potentials,
    refuse_without_energy,
    whole_charge,
)
from interohm.postprocess.vasp_method import differences, energy_settings
from interohm.postprocess.vasp_path import MAY_DIFFER, refuse_impossible_step, same_atoms
from interohm.postprocess.vasp_response import force_constants
from interohm.safe_documents import refuse_foreign_code
from interohm.yaml_io import load_yaml

from .engines.vasp_inputs import valence_electrons
from .vasp_folders import Finished

Document = Mapping[str, Any]


def read_store(path: Path, query: Mapping[str, Any], root: Path) -> Finished:
    """Read the tasks that a query finds in a job store, by their names and the jobs' uuids.

    Parameters
    ----------
    path : Path
        ``jobflow.yaml``, as jobflow reads it.
    query : mapping
        Query on the store's documents, as MongoDB takes it.
    root : Path
        The folder with ``import.yaml``, for messages.

    Raises
    ------
    InputError
        The store cannot be read, or the query finds no task.
    """
    finished = Finished(root)
    paths: dict[str, Document] = {}
    documents = 0
    for document in _documents(path, query):
        documents += 1
        output = document.get("output", document)
        if not isinstance(output, Mapping):
            continue
        name = _name(document, output)
        if "calcs_reversed" in output:
            _read(name, output, finished)
        elif "image_indices" in output and "calculations" in output:
            paths[name] = output
    for name, output in paths.items():
        try:
            finished.calculations[name] = path_of_task(output, name)
        except (InputError, KeyError, TypeError, IndexError, ValueError) as error:
            finished.left_out[name] = _lacking(error, name)
    if not (finished.calculations or finished.bands or finished.left_out):
        raise InputError(
            f"none of the {documents} documents that the query finds is a task of VASP",
            where=str(path),
            fix="look for outputs that have calcs_reversed, as "
            """--query '{"output.task_label": "static"}'""",
        )
    return finished


def _documents(path: Path, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    from jobflow import JobStore

    spec = load_yaml(path)
    spec = spec.get("JOB_STORE", spec)
    try:
        store = JobStore.from_dict_spec(spec)
        with store:
            found = list(store.query(dict(query), load=True))
    except Exception as error:  # of whichever database; its text may hold the address
        raise InputError(
            f"the store cannot be read ({type(error).__name__})",
            where=str(path),
            fix="check that the file is jobflow's, that its server answers, and the query",
        ) from None
    yield from found


def _structure(document: dict[str, Any], name: str) -> Structure:
    """Return a structure of a task: all of it that is decoded, and so looked through before."""
    refuse_foreign_code(document, where=name)
    return Structure.from_dict(document)


def _name(document: Document, output: Document) -> str:
    label = output.get("task_label") or document.get("name") or "task"
    own = document.get("uuid") or output.get("uuid") or output.get("task_id") or ""
    return f"{label} {str(own)[:8]}".strip()


def _read(name: str, output: Document, finished: Finished) -> None:
    # Names may repeat where jobs were run again.
    while name in finished.calculations or name in finished.bands or name in finished.left_out:
        name += "'"
    try:
        finished.calculations[name] = calculation_of_task(output, name)
    except UnusableEnergy as error:
        try:
            finished.bands[name] = band_structure_of_task(output, name)
        except (InputError, KeyError, TypeError, ValueError):
            finished.left_out[name] = error
    except (InputError, KeyError, TypeError, IndexError, ValueError) as error:
        finished.left_out[name] = _lacking(error, name)


def _lacking(error: Exception, name: str) -> InputError:
    if isinstance(error, InputError):
        return error
    what = f"it lacks {error}" if isinstance(error, KeyError) else f"it cannot be read: {error}"
    return InputError(what, where=name, fix="store the whole task, as atomate2 does by default")


def calculation_of_task(task: Document, name: str) -> Calculation:
    """Return the last calculation of a task document.

    Parameters
    ----------
    task : mapping
        A TaskDoc as plain values.
    name : str
        For messages.

    Raises
    ------
    UnusableEnergy
        The run is none of a ground state.
    InputError
        It is not converged, or something is missing, which is named.
    """
    return _calculation(_need(task, "calcs_reversed", name)[0], name)


def band_structure_of_task(task: Document, name: str) -> BandStructureRun:
    """Return the band edges of a task document."""
    one = _need(task, "calcs_reversed", name)[0]
    given, made = _need(one, "input", name), _need(one, "output", name)
    tags = _tags(given)
    vbm, cbm = _edges(made)
    if vbm is None and made.get("is_metal") is None:
        raise InputError("it lacks output.vbm and output.cbm", where=name)
    return BandStructureRun(
        hash=_hash(one),
        settings=_settings(given, made, tags),
        structure=_structure(_need(made, "structure", name), name),
        vbm_eV=vbm,
        cbm_eV=cbm,
    )


def _calculation(one: Document, name: str) -> Calculation:
    given, made = _need(one, "input", name), _need(one, "output", name)
    tags, path = _tags(given), Path(name)
    refuse_without_energy(tags, path)
    kind = kind_of(tags, path)
    structure = _structure(_need(made, "structure", name), name)
    steps = made.get("ionic_steps") or []
    _refuse_unconverged(one, made, tags, kind, name)
    settings = _settings(given, made, tags)
    electrons = float(_need(tags, "NELECT", name))
    symbols = {_symbol(title).split("_")[0]: _symbol(title) for title in settings["potcars"]}
    neutral = valence_electrons(structure, {"functional": "PBE_54", "symbols": symbols})
    forces = steps[-1].get("forces") if steps else None
    if forces is None:
        raise InputError("it lacks output.ionic_steps with forces", where=name)
    norms = np.linalg.norm(np.asarray(forces, dtype=float), axis=1)
    if not np.isfinite(norms).all():
        raise UnusableEnergy("its forces are not numbers", where=name)
    outcar = made.get("outcar") or {}
    sites = outcar.get("electrostatic_potential") or []
    if sites and len(sites) != len(structure):
        raise InputError(f"it has potentials at {len(sites)} of {len(structure)} cores", where=name)
    potentials = _potentials(made, structure)
    vbm, cbm = _edges(made)
    response = None
    if kind == "dielectric":
        response = _response(made, structure, str(one.get("vasp_version", "")), name)
    return Calculation(
        hash=_hash(one),
        engine="vasp",
        kind=kind,
        charge=whole_charge(neutral - electrons, electrons, path),
        settings=settings,
        initial_structure=_structure(given.get("structure") or made["structure"], name).as_dict(),
        structure=structure.as_dict(),
        energy_eV=float(_need(made, "energy", name)),
        electrons=electrons,
        fermi_level_eV=float(made.get("efermi") or _need(outcar, "efermi", name)),
        vbm_eV=vbm,
        cbm_eV=cbm,
        max_force_eV_A=float(norms.max()),
        planar_potential=potentials[2] if potentials else None,
        side_potentials=(potentials[0], potentials[1]) if potentials else None,
        site_potentials_eV=[float(value) for value in sites],
        response=response,
        ionic_steps=max(1, len(steps)),
        wall_time_s=float((made.get("run_stats") or {}).get("elapsed_time") or 0.0),
        versions={
            "vasp": str(one.get("vasp_version", "unknown")),
            "emmet": version("emmet-core"),
        },
    )


def path_of_task(task: Document, name: str) -> Calculation:
    """Return the migration path of a NebTaskDoc.

    Raises
    ------
    InputError
        An image is missing or not converged, or does not belong to the others.
    """
    images = _need(task, "calculations", name)
    if len(images) < 3 or any(image is None for image in images):
        raise InputError(
            "it lacks the calculations of its images or ends",
            where=name,
            fix="store them: store_calculations=True of NebTaskDoc",
        )
    read = [_calculation(image, f"{name}, image {index:02d}") for index, image in enumerate(images)]
    first, *between, last = read
    begin, end = (one.final_structure for one in (first, last))
    # An end is a calculation by itself, whose atoms may stand in another order.
    begins = _in_order(begin, task, 0)
    ends = _in_order(end, task, -1)
    structures = [begins, *(one.final_structure for one in between), ends]
    ends_differ: dict[str, list[Any]] = {}
    for one in between:
        compared = [
            {
                **other.settings["method"],
                "cutoff_eV": other.settings["cutoff_eV"],
                "NELECT": other.electrons,
                "POTCAR": other.settings["potcars"],
            }
            for other in (one, first, last)
        ]
        for other in compared[1:]:
            for what, (ours, theirs) in differences(compared[0], other).items():
                if what not in MAY_DIFFER:
                    raise InputError(
                        f"{what} of an image is {ours}, of an end {theirs}: their energies cannot "
                        "be compared",
                        where=name,
                        fix="calculate all images with the same settings",
                    )
                ends_differ[what] = [theirs, ours]
    lattice = begin.lattice.matrix
    places = [structures[0].frac_coords]
    for before, after in pairwise(structures):
        step = after.frac_coords - before.frac_coords
        places.append(places[-1] + step - np.round(step))
    steps = [(after - before) @ lattice for before, after in pairwise(places)]
    for index, step in enumerate(steps, start=1):
        refuse_impossible_step(f"{name}, image {index:02d}", step)
    saddle = max(between, key=lambda one: round(one.energy_eV, 6))
    lengths = [float(np.linalg.norm(step)) for step in steps]
    return saddle.model_copy(
        update={
            "hash": hashlib.sha256("".join(one.hash for one in read).encode()).hexdigest(),
            "kind": "neb",
            "settings": {
                **saddle.settings,
                "path": {
                    "images": len(between),
                    "end_positions_A": (places[-1] @ lattice).round(5).tolist(),
                    **({"ends_differ": ends_differ} if ends_differ else {}),
                },
            },
            "initial_structure": begins.as_dict(),
            "path": MigrationPath(
                coordinates_A=[round(float(x), 4) for x in np.cumsum([0.0, *lengths])],
                energies_eV=[one.energy_eV for one in read],
                symmetric=False,
            ),
        }
    )


def _in_order(structure: Structure, task: Document, index: int) -> Structure:
    """Return an end with its atoms as the images have them, where the task has their beginning."""
    begun = (task.get("initial_images") or [None])[index]
    neighbour = _structure(task["images"][1 if index == 0 else -2], "images")
    for other in [] if begun is None else [_structure(begun, "initial_images")]:
        order = same_atoms(other, structure)
        if order is not None:
            structure = Structure.from_sites([structure[site] for site in order])
    # emmet takes the ends' own order for that of the beginning.
    order = same_atoms(neighbour, structure, tolerance_A=2.0)
    return structure if order is None else Structure.from_sites([structure[i] for i in order])


def _tags(given: Document) -> dict[str, Any]:
    merged = {**(given.get("parameters") or {}), **(given.get("incar") or {})}
    tags = {str(tag).upper(): value for tag, value in merged.items()}
    tags.setdefault("IBRION", -1)
    return tags


def _settings(given: Document, made: Document, tags: Mapping[str, Any]) -> dict[str, Any]:
    titles = [str(one["titel"]).strip() for one in given.get("potcar_spec") or []]
    if not titles:
        raise InputError("it lacks input.potcar_spec, by which data sets are compared")
    steps = made.get("ionic_steps") or [{}]
    loops = steps[-1].get("electronic_steps") or [{}]
    whole, electrons = steps[-1].get("e_wo_entrp"), loops[-1].get("e_wo_entrp")
    added = None not in (whole, electrons) and abs(whole - electrons) > 1e-4
    method = energy_settings(tags, titles, dispersion=added)
    incar = given.get("incar") or {}
    settings = {
        "xc": method["functional"],
        "method": method,
        "cutoff_eV": float(tags.get("ENMAX") or tags["ENCUT"]),
        "kpoints": _mesh(given),
        "incar": {k: v for k, v in incar.items() if isinstance(v, (bool, int, float, str))},
        "potcars": titles,
    }
    if tags.get("LDAU"):
        elements = [_symbol(title).split("_")[0] for title in titles]
        lists = [tags.get(tag) or [] for tag in ("LDAUL", "LDAUU", "LDAUJ")]
        if found := vasp_repulsions(elements, *lists):
            settings["hubbard_U_eV"] = found
    return settings


def _mesh(given: Document) -> list[int] | list[str]:
    mesh = given.get("kpoints") or {}
    rows = mesh.get("kpoints") or []
    if str(mesh.get("generation_style")) in ("Gamma", "Monkhorst") and rows:
        return [int(count) for count in rows[0]]
    return [f"{given.get('nkpoints') or len(rows) or '?'} listed"]


def _refuse_unconverged(
    one: Document, made: Document, tags: Mapping[str, Any], kind: str, name: str
) -> None:
    completed = str(one.get("has_vasp_completed", "successful"))
    if not re.search("successful|True", completed):
        raise InputError(f"VASP did not finish ({completed})", where=name, fix="run it again")
    loops = made.get("num_electronic_steps") or [
        len(step.get("electronic_steps") or []) for step in made.get("ionic_steps") or []
    ]
    if kind == "dielectric":
        return
    if loops and loops[-1] >= int(tags.get("NELM", 60)):
        raise InputError(
            f"the electrons did not converge in NELM = {tags['NELM']} iterations",
            where=name,
            fix="raise NELM or change ALGO",
        )
    limit = int(tags.get("NSW", 0))
    if kind != "static" and limit > 1 and len(loops) >= limit:
        raise InputError(
            f"the ions did not converge in NSW = {limit} steps", where=name, fix="continue it"
        )


def _edges(made: Document) -> tuple[float | None, float | None]:
    vbm, cbm = made.get("vbm"), made.get("cbm")
    if made.get("is_metal") or vbm is None or cbm is None or cbm <= vbm:
        return None, None
    return float(vbm), float(cbm)


def _potentials(made: Document, structure: Structure) -> list[PlanarPotential] | None:
    averages = made.get("locpot")
    if not averages:
        return None
    return planar_potentials(
        [np.asarray(averages.get(str(axis), averages.get(axis))) for axis in range(3)], structure
    )


def _response(
    made: Document, structure: Structure, vasp_version: str, name: str
) -> DielectricResponse:
    known = made.get("dielectric_properties") or {}
    electronic = known.get("dielectric_tensor") or made.get("epsilon_static")
    ions = known.get("dielectric_ionic_tensor") or made.get("epsilon_ionic")
    charges = known.get("born_charges") or (made.get("outcar") or {}).get("born")
    constants = made.get("force_constants")
    parts = {
        "the electronic tensor": electronic,
        "the ionic tensor": ions,
        "the Born charges": charges,
        "output.force_constants": constants,
    }
    if missing := [what for what, part in parts.items() if not part]:
        raise InputError(
            f"it lacks {', '.join(missing)} of the dielectric response",
            where=name,
            fix="calculate it with LEPSILON and IBRION = 8, and store the whole task",
        )
    masses = np.array([float(site.specie.atomic_mass) for site in structure])
    # As pymatgen turns VASP's hessian round.
    hessian = np.array(constants).transpose(0, 2, 1, 3).reshape(3 * len(masses), -1)
    response = DielectricResponse(
        electronic=np.array(electronic).tolist(),
        born_charges=np.array(charges).tolist(),
        force_constants_eV_A2=force_constants(
            hessian, masses, in_thz2=not vasp_version.startswith(("4.", "5."))
        )
        .round(8)
        .tolist(),
    )
    own = ionic_tensor(response, structure.volume)
    difference = float(np.abs(own - np.array(ions)).max())
    if difference > 0.05 * max(1.0, float(np.abs(np.array(ions)).max())):
        raise InputError(
            f"Born charges and force constants give an ionic tensor {difference:.2g} off VASP's",
            where=name,
            fix="import the folder itself, whose files contain more",
        )
    return response


def _hash(one: Document) -> str:
    content = {"input": one.get("input"), "output": one.get("output")}
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _symbol(title: str) -> str:
    words = title.split()
    return words[1] if len(words) > 1 else words[0]


def _need(document: Document, field: str, name: str) -> Any:
    if (value := document.get(field)) is None:
        raise InputError(f"it lacks {field}", where=name, fix="store the whole task")
    return value
