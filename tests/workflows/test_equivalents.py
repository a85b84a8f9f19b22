"""A calculation in another setting is the same one, and its result is given in that setting."""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jobflow import Flow
from pymatgen.core import Structure
from scipy.stats import special_ortho_group

from interohm.calculation_key import MACHINE_TAGS
from interohm.database import Database
from interohm.database.shipped_calculations import shipped_calculation, shipped_hashes
from interohm.files import open_plain
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.defect_corrections import point_charge_correction
from interohm.postprocess.potentials import macroscopic_average
from interohm.slab_builders.equivalence import settings_between
from interohm.workflows.calculations import calculate, calculation_of, known_as
from interohm.workflows.claim_file import CLAIM, taken
from interohm.workflows.claims import claimed
from interohm.workflows.context import using
from interohm.workflows.display import Display
from interohm.workflows.engines import engine_named
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.equivalents import (
    Requests,
    in_setting,
    request_of_calculation,
    setting_of,
)
from interohm.workflows.local import run_flow

ROOT = Path(__file__).parents[2]
SHIPPED = [Calculation.model_validate(shipped_calculation(hash)) for hash in shipped_hashes()]


def one_of(kind: str, charge: int, atoms: int) -> Calculation:
    return next(
        one
        for one in SHIPPED
        if (one.kind, one.charge, len(one.structure["sites"])) == (kind, charge, atoms)
    )


def changed(request: CalculationRequest, **changes: Any) -> CalculationRequest:
    """Another request; `model_copy` would keep the cached hash."""
    return CalculationRequest(**{**request.model_dump(), **changes})


def turned(request: CalculationRequest, seed: int, cell: Any = None) -> CalculationRequest:
    """The request with another cell, origin, orientation and order of the atoms."""
    random = np.random.default_rng(seed)
    matrix = np.eye(3, dtype=int) if cell is None else np.array(cell)
    structure = request.initial_structure
    turn = special_ortho_group.rvs(3, random_state=seed)
    order = random.permutation(len(structure))
    shift = random.random(3)
    lattice = matrix @ structure.lattice.matrix @ turn
    back = np.linalg.inv(matrix)
    moved = Structure(
        lattice,
        [structure[int(site)].specie for site in order],
        (structure.frac_coords @ back + shift)[order],
    )
    settings = dict(request.settings)
    permuted = np.abs(matrix).sum() == 3
    assert permuted or len(set(settings["kpoints"])) == 1
    if permuted:
        settings["kpoints"] = (np.abs(matrix) @ settings["kpoints"]).tolist()
    if "path" in settings:
        steps = settings["path"]["end_positions_A"] - structure.cart_coords
        ends = moved.cart_coords + (steps @ turn)[order]
        settings["path"] = settings["path"] | {"end_positions_A": ends.tolist()}
    return changed(request, structure=moved.as_dict(), settings=settings)


@pytest.mark.parametrize("known", SHIPPED, ids=lambda one: f"{one.kind}-{one.hash[:8]}")
def test_every_shipped_calculation_is_found_in_another_setting(
    known: Calculation, database: Database
) -> None:
    request = request_of_calculation(known)
    asked = turned(request, seed=1, cell=[[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    assert asked.hash != request.hash
    assert asked.key == request.key
    found = known_as(database, asked)
    assert found is not None
    assert found.calculation.energy_eV == pytest.approx(known.energy_eV, abs=1e-9)
    initial = Structure.from_dict(found.calculation.initial_structure)
    assert np.allclose(initial.lattice.matrix, asked.initial_structure.lattice.matrix, atol=1e-3)
    steps = initial.frac_coords - asked.initial_structure.frac_coords
    tolerance_A = 0.05 if known.kind == "neb" else 1e-3
    assert np.abs((steps - np.round(steps)) @ initial.lattice.matrix).max() < tolerance_A
    # What the job hands on leads to the same result again.
    assert calculation_of(database, found.output) in (found.calculation, None)


def test_what_is_another_calculation_is_not_found(database: Database) -> None:
    known = one_of("relax", -1, 63)
    request = request_of_calculation(known)
    moved = request.initial_structure
    moved.translate_sites([5], [0.01, 0, 0], frac_coords=False)
    settings = request.settings
    others = {
        "an atom moved": {"structure": moved.as_dict()},
        "another charge": {"charge": 0},
        "another kind": {"kind": "static"},
        "another mesh": {"settings": settings | {"kpoints": [2, 1, 1]}},
        "another cutoff": {"settings": settings | {"cutoff_eV": 501.0}},
        "another engine": {"engine": "vasp"},
    }
    for what, changes in others.items():
        assert known_as(database, changed(request, **changes)) is None, what
    assert known_as(database, request) is not None


def test_a_path_to_another_neighbour_is_another_path(database: Database) -> None:
    known = next(one for one in SHIPPED if one.kind == "neb")
    request = request_of_calculation(known)
    assert known_as(database, turned(request, seed=3)) is not None
    path = request.settings["path"]
    steps = np.asarray(path["end_positions_A"]) - request.initial_structure.cart_coords
    hop = int(np.linalg.norm(steps, axis=1).argmax())
    steps[hop] *= 0.9
    ends = (request.initial_structure.cart_coords + steps).tolist()
    settings = request.settings | {"path": path | {"end_positions_A": ends}}
    assert known_as(database, changed(request, settings=settings)) is None


def test_the_result_is_given_in_the_setting_that_was_asked() -> None:
    """Each quantity against one that does not depend on the setting."""
    known = one_of("relax", -1, 63)
    asked = turned(request_of_calculation(known), seed=7, cell=[[0, 1, 0], [0, 0, -1], [1, 0, 0]])
    setting = setting_of(asked, request_of_calculation(known))
    assert setting is not None
    found = in_setting(known, setting)
    before, after = (one.final_structure for one in (known, found))
    # The potential at each nucleus belongs to its surroundings.
    for place in (0, 17, 40):
        other = int(setting.sites[place])
        here, there = after.distance_matrix[place], before.distance_matrix[other]
        assert np.allclose(np.sort(here), np.sort(there), atol=1e-6)
        assert found.site_potentials_eV[place] == known.site_potentials_eV[other]
        assert after[place].specie == before[other].specie
    # How far each atom moved does not depend on the setting, nor does a lattice sum.
    moved = [
        np.linalg.norm(
            one.final_structure.cart_coords
            - Structure.from_dict(one.initial_structure).cart_coords,
            axis=1,
        )
        for one in (known, found)
    ]
    inside = moved[0] < 2  # not through a border of the cell
    assert np.allclose(np.sort(moved[1])[: inside.sum()], np.sort(moved[0][inside]), atol=1e-6)
    sums = [
        point_charge_correction(one.final_structure.lattice.matrix, 1, 9.0)
        for one in (known, found)
    ]
    assert sums[0] == pytest.approx(sums[1], abs=1e-9)


def test_a_turned_slab_has_its_potential_where_its_atoms_are() -> None:
    known = next(
        one for one in SHIPPED if one.kind == "static" and len(one.structure["sites"]) == 30
    )
    asked = turned(request_of_calculation(known), seed=11, cell=[[0, 1, 0], [1, 0, 0], [0, 0, -1]])
    setting = setting_of(asked, request_of_calculation(known))
    assert setting is not None
    assert known.planar_potential is not None
    told = known.planar_potential.model_copy(update={"exchange_and_correlation": True})
    known = known.model_copy(update={"planar_potential": told})
    found = in_setting(known, setting)
    assert known.planar_potential is not None
    assert found.planar_potential is not None
    assert found.planar_potential.exchange_and_correlation
    for one in (known, found):
        assert one.planar_potential is not None
        values = np.asarray(one.planar_potential.potential_eV)
        heights = one.final_structure.frac_coords[:, 2] % 1 * values.size
        nearest = values[np.round(heights).astype(int) % values.size]
        # Nuclei attract electrons: the potential is low at the planes of atoms.
        assert nearest.mean() < values.mean() - 3
    spread = [np.ptp(macroscopic_average(one.planar_potential, 2.0)) for one in (known, found)]  # type: ignore[arg-type]
    assert spread[0] == pytest.approx(spread[1], abs=0.01)


def test_a_potential_that_nobody_calculated_is_left_out() -> None:
    known = one_of("relax", -1, 63)
    request = request_of_calculation(known)
    cell = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    structure = request.initial_structure
    permuted = Structure(
        cell @ structure.lattice.matrix, structure.species, structure.frac_coords @ cell.T
    )
    # A cubic crystal with a defect is the same along each axis only by its symmetry.
    for setting in settings_between(permuted, structure):
        found = in_setting(known, setting)
        own = np.flatnonzero(np.round(np.linalg.inv(setting.cell)[:, 2]))
        assert (found.planar_potential is not None) == (own.tolist() == [2])


def test_a_turned_response_is_the_same_tensor() -> None:
    known = next(one for one in SHIPPED if one.kind == "dielectric")
    assert known.response is not None
    for seed in (2, 5):
        asked = turned(request_of_calculation(known), seed)
        setting = setting_of(asked, request_of_calculation(known))
        assert setting is not None
        found = in_setting(known, setting).response
        assert found is not None
        assert np.allclose(
            np.linalg.eigvalsh(found.electronic), np.linalg.eigvalsh(known.response.electronic)
        )
        size = 3 * len(known.response.born_charges)
        matrices = [
            np.reshape(one.force_constants_eV_A2, (size, size)) for one in (known.response, found)
        ]
        # Finite differences leave them a little asymmetric.
        stiffness = [np.linalg.eigvalsh(matrix + matrix.T) for matrix in matrices]
        assert np.allclose(*stiffness, atol=1e-8)
        for charge, site in zip(found.born_charges, setting.sites, strict=True):
            own = np.asarray(known.response.born_charges[site])
            assert np.trace(charge) == pytest.approx(np.trace(own))
            assert np.allclose(charge, setting.rotation.T @ own @ setting.rotation)


def test_what_an_earlier_version_saved_is_found(database: Database, tmp_path: Path) -> None:
    """Its rows have no key; they get one when a database that may be written is looked through."""
    (path, *_) = sorted((ROOT / "tests" / "data" / "calculations" / "quick").glob("*.json.gz"))
    known = Calculation.model_validate(json.loads(gzip.decompress(path.read_bytes())))
    asked = turned(request_of_calculation(known), seed=4)
    assert known_as(database, asked) is None
    database.save_calculation(known.model_dump())
    collection = database._writable().collection("calculations")
    stored = collection.find_one({"_id": known.hash})
    rows = [{name: row[name] for name in row if name != "key"} for row in stored["rows"]]
    collection.replace_one({"_id": known.hash}, {**stored, "rows": rows})
    with Database.open() as reading:
        assert known_as(reading, asked) is not None
    assert "key" not in collection.find_one({"_id": known.hash})["rows"][0]
    assert known_as(database, asked) is not None
    assert collection.find_one({"_id": known.hash})["rows"][0]["key"] == asked.key
    assert "key" not in database.rows("calculations")[0]


def test_two_workers_make_one_calculation_in_one_folder(database: Database) -> None:
    known = one_of("relax", -1, 63)
    first = request_of_calculation(known)
    second = turned(first, seed=9)
    mine = claimed(first)
    theirs = claimed(second)
    assert mine.request == first
    assert theirs.folder == mine.folder
    assert theirs.request.hash == first.hash
    other = changed(first, charge=0)
    assert claimed(other).folder != mine.folder
    # What one worker tells the machine and the electrons is no part of the calculation.
    patient = changed(second, scf_retries=[{"max_iterations": 999}])
    assert claimed(patient).request.scf_retries == patient.scf_retries


def test_a_launcher_waits_for_another_node_and_takes_its_result(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both share the folder and the database; this one asks in another setting."""
    monkeypatch.setenv("INTEROHM_FORBID_CALCULATIONS", "1")
    known = one_of("static", 0, 2)
    settings = {name: one for name, one in known.settings.items() if name != "kpoints"}
    settings |= {"cutoff_eV": 123.0, "kpoint_length_A": 20.0, "periodic_axes": 3}
    first = engine_named("gpaw").request(
        request_of_calculation(known).initial_structure, "static", settings, 0
    )
    finished = known.model_copy(update={"hash": first.hash, "settings": dict(first.settings)})
    asked = turned(first, seed=4).initial_structure
    job = calculate(asked, engine="gpaw", kind="static", settings=settings)
    elsewhere = claimed(first)
    elsewhere.folder.mkdir(parents=True)
    failures: list[dict[str, str]] = []

    def launch() -> None:
        with using(database), Display.on_standard_error(False) as display:
            failures.append(run_flow(Flow([job]), database, workers=1, display=display))

    launcher = threading.Thread(target=launch, daemon=True)
    with open_plain(elsewhere.folder / CLAIM) as claim:
        assert taken(claim)
        launcher.start()
        launcher.join(3)
        assert launcher.is_alive(), str(failures)
        database.save_calculation(finished.model_dump())
    launcher.join(60)
    assert failures == [{}]
    assert not (elsewhere.folder / "request.json").exists()


def test_tags_that_only_tune_a_machine_make_no_other_calculation() -> None:
    known = one_of("static", 0, 2)
    incar = {"ENCUT": 520, "NELM": 100, "NCORE": 4, "KPAR": 2, "LWAVE": False}
    settings = known.settings | {"incar": incar}
    request = changed(request_of_calculation(known), settings=settings)
    tuned = {**incar, "NCORE": 8, "KPAR": 1, "LPLANE": True}
    other = changed(request, settings=settings | {"incar": tuned})
    assert setting_of(other, request) is not None
    assert Requests([request]).first_of(other) is request
    finer = changed(request, settings=settings | {"incar": {**incar, "ENCUT": 600}})
    assert setting_of(finer, request) is None
    assert "ENCUT" not in MACHINE_TAGS
