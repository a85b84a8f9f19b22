"""What is kept of a calculation that failed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from interohm.database import Database
from interohm.postprocess.calculation import Calculation
from interohm.workflows.calculations import calculate, find_calculation
from interohm.workflows.context import using
from interohm.workflows.engines.gpaw import GpawEngine
from interohm.workflows.engines.protocol import CalculationError
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.failures import Failure, save_failure
from interohm.workflows.presets import Preset, load_preset

SHIPPED = sorted((Path(__file__).parents[2] / "configs" / "calculations").glob("*.json.gz"))


def test_one_failure_a_calculation_until_it_is_finished(database: Database) -> None:
    finished = Calculation.model_validate_json(gzip.decompress(SHIPPED[0].read_bytes()))
    request = CalculationRequest(
        engine=finished.engine,
        kind=finished.kind,
        charge=finished.charge,
        structure=finished.initial_structure,
        settings=finished.settings,
    )
    save_failure(database, request, CalculationError("a first reason"))
    attempts = [{"changes": {}, "error": "no"}, {"changes": {"smearing_eV": 0.2}, "error": "no"}]
    second = save_failure(database, request, CalculationError("a second one", attempts=attempts))
    (kept,) = database.query("failures")
    assert Failure.model_validate(kept) == second
    assert [attempt.changes for attempt in second.scf_attempts] == [{}, {"smearing_eV": 0.2}]
    (row,) = database.rows("failures", where="reason == 'a second one'")
    assert row["formula"] == finished.final_structure.composition.reduced_formula
    database.save_calculation(finished.model_dump())
    assert database.count("failures") == 0


@pytest.mark.dft
def test_a_job_of_a_queue_keeps_its_failure(database: Database) -> None:
    preset = load_preset("quick")
    assert isinstance(preset, Preset)
    settings = preset.insulator.bulk.engine_settings("PBE")
    settings |= {"scf_retries": [{"max_iterations": 1, "smearing_eV": 0.1}]}
    settings |= {"kpoint_length_A": 3, "scf": {**settings["scf"], "max_iterations": 2}}
    atom = Structure(Lattice.cubic(4), ["He"], [[0, 0, 0]])
    with using(database), pytest.raises(CalculationError, match="nor with 1 other"):
        calculate.original(atom, engine="gpaw", kind="static", settings=settings)
    (failure,) = database.query("failures")
    assert failure["hash"] == GpawEngine().request(atom, "static", settings, 0).hash
    assert failure["scf_attempts"][1]["changes"] == settings["scf_retries"][0]
    assert find_calculation(database, failure["hash"]) is None
