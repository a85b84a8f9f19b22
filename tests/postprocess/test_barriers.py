"""Migration energies from paths, and the hop that a record gets."""

from __future__ import annotations

from typing import Any

import pytest
from pymatgen.core import Lattice, Structure

from interohm.postprocess.barriers import calculated_hop, migration_energy
from interohm.postprocess.calculation import Calculation, MigrationPath
from interohm.postprocess.materials import Uncertainty
from interohm.records import Quantity


def path(energies_eV: list[float], **changes: Any) -> Calculation:
    structure = Structure(Lattice.cubic(4.0), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    document = {
        "hash": "1" * 64,
        "engine": "gpaw",
        "kind": "neb",
        "charge": -1,
        "settings": {"xc": "PBE", "cutoff_eV": 500, "kpoints": [1, 1, 1]},
        "initial_structure": structure.as_dict(),
        "structure": structure.as_dict(),
        "energy_eV": max(energies_eV),
        "electrons": 8,
        "fermi_level_eV": 0.0,
        "max_force_eV_A": 0.0,
        "site_potentials_eV": [],
        "ionic_steps": 3,
        "wall_time_s": 1.0,
        "versions": {},
        "path": MigrationPath(
            coordinates_A=[float(place) for place in range(len(energies_eV))],
            energies_eV=energies_eV,
            symmetric=False,
        ).model_dump(),
    }
    return Calculation.model_validate(document | changes)


def test_the_barrier_is_the_highest_image_above_the_beginning() -> None:
    assert migration_energy(path([-10.0, -9.8, -9.7, -10.02])) == pytest.approx(0.3)


def test_the_record_gets_energy_distance_and_the_given_frequency() -> None:
    hop = calculated_hop(
        path([-10.0, -9.75, -10.0]),
        2.31,
        attempt_frequency_Hz=Quantity(value=1e13),
        uncertainty=Uncertainty(value_eV=0.05, source="a test"),
        provenance={"preset": "production"},
    )
    assert hop.migration_energy_eV.value == pytest.approx(0.25)
    assert hop.migration_energy_eV.uncertainty == 0.05
    assert "111111111111" in str(hop.migration_energy_eV.source)
    assert "preset production" in str(hop.migration_energy_eV.method)
    assert hop.hop_distance_nm.value == pytest.approx(0.231)
    assert hop.attempt_frequency_Hz.value == 1e13


def test_ends_that_do_not_rest_make_no_barrier() -> None:
    with pytest.raises(ValueError, match="no barrier"):
        migration_energy(path([-10.0, -10.2, -10.1]))
    with pytest.raises(ValueError, match="not a migration path"):
        migration_energy(path([-10.0, -9.0, -10.0], path=None))


@pytest.mark.parametrize(
    ("last", "told"), [(-9.7, r"ends 0\.300 eV above its beg"), (-10.3, r"ends 0\.300 eV below")]
)
def test_ends_are_equivalent(last: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        migration_energy(path([-10.0, -9.7, -9.4, -9.6, last]))


@pytest.mark.parametrize(("incar", "said"), [({"LCLIMB": True}, False), ({"IBRION": 1}, True)])
def test_a_band_without_a_climbing_image_says_so(incar: dict[str, Any], said: bool) -> None:
    settings = {"xc": "PBE", "cutoff_eV": 520, "kpoints": [1, 1, 1], "incar": incar}
    hop = calculated_hop(
        path([-10.0, -9.75, -10.0], engine="vasp", settings=settings),
        2.31,
        attempt_frequency_Hz=Quantity(value=1e13),
        uncertainty=Uncertainty(value_eV=0.05, source="a test"),
        provenance={},
    )
    assert ("may lie below the saddle" in str(hop.migration_energy_eV.method)) is said
