"""What happens where electrons do not converge: other settings, and in the end a clear failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure

from interohm.workflows.engines.gpaw import GpawEngine
from interohm.workflows.engines.protocol import CalculationError
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.presets import Preset, ScfRetry, load_preset
from interohm.yaml_io import load_yaml

TINY = Path(__file__).parents[1] / "data" / "presets" / "tiny.yaml"
MIXER = {"backend": "pulay", "beta": 0.1, "history": 5, "weight": 50}


def request(kind: str = "static", max_iterations: int = 3, **preset: Any) -> CalculationRequest:
    """LiF with too few iterations; what else the preset says."""
    data = {**load_yaml(TINY), **preset}
    step = Preset.model_validate(data).insulator.defects
    settings = step.engine_settings("PBE") | {"kpoint_length_A": 3}
    settings["scf"] = {**settings["scf"], "max_iterations": max_iterations}
    crystal = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.07), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    ).get_primitive_structure()
    crystal.translate_sites([0], [0.1, 0, 0])
    return GpawEngine().request(crystal, kind, settings, 0)


def test_retries_are_in_the_presets_and_not_in_the_hash() -> None:
    for name in ("quick", "production"):
        preset = load_preset(name)
        assert isinstance(preset, Preset)
        assert len(preset.scf_retries) == 3
        assert preset.insulator.defects.scf_retries == preset.scf_retries
    retry = {"mixer": MIXER, "max_iterations": 40}
    assert request(scf_retries=[retry]).hash == request().hash
    assert request(scf_retries=[retry]).scf_retries == [retry]
    with pytest.raises(ValidationError, match="something that it changes"):
        ScfRetry()


@pytest.mark.dft
def test_the_first_settings_that_converge_stand_in_the_result(tmp_path: Path) -> None:
    """Atoms relax with the second retry: the result is that of enough iterations, and says how."""
    hopeless = {"mixer": {**MIXER, "beta": 0.01}, "max_iterations": 4}
    patient = {"max_iterations": 100, "density_smearing_eV": 0.3}
    asked = request("relax", scf_retries=[hopeless, patient])
    run = GpawEngine().start(asked, tmp_path / "retried")
    run.wait()
    found = run.result()
    assert found.hash == asked.hash
    assert found.scf_attempts is not None
    assert [attempt.changes for attempt in found.scf_attempts] == [{}, hopeless, patient]
    assert [attempt.error for attempt in found.scf_attempts[1:]] == [
        "KohnShamConvergenceError",
        None,
    ]
    assert not (tmp_path / "retried" / "scf_attempts.json").exists()

    at_once = GpawEngine().start(request("relax", max_iterations=100), tmp_path / "at once")
    at_once.wait()
    reference = at_once.result()
    assert reference.scf_attempts is None
    assert found.energy_eV == pytest.approx(reference.energy_eV, abs=2e-3)
    assert found.ionic_steps == reference.ionic_steps > 1


@pytest.mark.dft
def test_when_nothing_converges_the_failure_says_what_was_tried(tmp_path: Path) -> None:
    hopeless = {"smearing_eV": 0.2, "max_iterations": 2}
    run = GpawEngine().start(request(scf_retries=[hopeless]), tmp_path)
    run.wait()
    with pytest.raises(CalculationError, match=r"did not converge, nor with 1 other.*worker\.log"):
        run.result()
    assert not (tmp_path / "result.json").exists()
    failure = json.loads((tmp_path / "failure.json").read_text())
    assert [attempt["changes"] for attempt in failure["attempts"]] == [{}, hopeless]
    # The next run tries all of them again.
    assert not (tmp_path / "scf_attempts.json").exists()
