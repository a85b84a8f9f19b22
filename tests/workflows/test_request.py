from __future__ import annotations

import json

import pytest
from pymatgen.core import Lattice, Structure

from interohm.errors import InputError
from interohm.workflows.engines import engine_named
from interohm.workflows.engines.gpaw import GpawEngine, kpoint_counts
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.presets import load_preset


def lithium_fluoride(a: float = 4.03) -> Structure:
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(a), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )


def request(structure: Structure, charge: int = 0, **changes: object) -> CalculationRequest:
    preset = load_preset("quick")
    settings = preset.insulator.bulk.engine_settings(preset.xc) | changes
    return GpawEngine().request(structure, "static", settings, charge)


def test_the_hash_survives_files_and_rounding() -> None:
    original = request(lithium_fluoride())
    again = CalculationRequest.model_validate(json.loads(original.model_dump_json()))
    nudged = lithium_fluoride()
    nudged.translate_sites([0], [1e-8, 0, -1e-8], to_unit_cell=False)
    assert original.hash == again.hash == request(nudged).hash


@pytest.mark.parametrize(
    "other",
    [
        request(lithium_fluoride(4.031)),
        request(lithium_fluoride(), charge=1),
        request(lithium_fluoride(), xc="LDA"),
        request(lithium_fluoride(), cutoff_eV=400),
        request(lithium_fluoride(), kpoint_length_A=30),
    ],
    ids=["lattice", "charge", "functional", "cutoff", "kpoints"],
)
def test_the_hash_knows_what_matters(other: CalculationRequest) -> None:
    assert other.hash != request(lithium_fluoride()).hash


def test_kpoints_follow_their_length() -> None:
    cube = lithium_fluoride(4.0)
    assert kpoint_counts(cube, 8.0, 3) == [2, 2, 2]
    assert kpoint_counts(cube, 8.1, 3) == [3, 3, 3]
    assert kpoint_counts(cube, 3.0, 3) == [1, 1, 1]
    assert kpoint_counts(cube, 12.0, 2) == [3, 3, 1]
    # The primitive cell's planes are a/√3 apart.
    assert kpoint_counts(cube.get_primitive_structure(), 9.0, 3) == [4, 4, 4]


def test_valence_electrons_are_those_of_the_datasets() -> None:
    assert GpawEngine().valence_electrons(lithium_fluoride(), {}) == 4 * (1 + 7)


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(InputError, match="abinit"):
        engine_named("abinit")


def test_presets() -> None:
    quick, production = load_preset("quick"), load_preset("production")
    assert quick.insulator.defects.cutoff_eV < production.insulator.defects.cutoff_eV
    with pytest.raises(InputError, match="quick"):
        load_preset("slow")
    with pytest.raises(InputError, match="no such file"):
        load_preset("missing.yaml")
