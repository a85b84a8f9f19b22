"""An electrode's flow: what it plans, what it refuses, and the shipped one made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from records_alike import assert_same_record

from interohm.database import Database
from interohm.errors import InputError
from interohm.workflows.calculations import find_calculation
from interohm.workflows.campaign import dry_run
from interohm.workflows.campaign_config import CampaignConfig, load_campaign
from interohm.workflows.engines.vasp_inputs import write_inputs
from interohm.workflows.export import write_records

CONFIGS = Path(__file__).parents[2] / "configs"


def campaign(**changes: Any) -> CampaignConfig:
    shipped = load_campaign(CONFIGS / "campaigns" / "electrodes.yaml")
    phase = shipped.phases[0].model_dump(mode="json") | changes
    config = CampaignConfig.model_validate(shipped.model_dump(mode="json") | {"phases": [phase]})
    config._folder = shipped.folder
    return config


def test_the_shipped_record_is_made_from_the_shipped_calculations(
    database: Database, tmp_path: Path
) -> None:
    config = campaign()
    rows = dry_run(config, database)
    assert [row.label for row in rows if not row.found] == []
    found = [find_calculation(database, row.hash) for row in rows]
    (made,) = write_records(config, [one for one in found if one is not None], tmp_path)
    assert_same_record(made, CONFIGS / "materials" / made.name)


def test_lithium_cobalt_oxide_is_low_spin_and_orders_charge_when_half_empty(
    database: Database,
) -> None:
    bulks = {
        row.label: find_calculation(database, row.hash)
        for row in dry_run(campaign(), database)
        if row.label.endswith("bulk")
    }
    full, half = (bulks[f"LiCoO2_PBE_U at {x}: bulk"] for x in ("1", "0.5"))
    metal = bulks["Li metal: bulk"]
    # The measured mean from 0.5 to 1 is 3.93 V; PBE+U lacks dispersion, which adds 0.2 to 0.5 V.
    voltage = -(full.energy_eV - half.energy_eV / 2 - metal.energy_per_atom_eV / 2) / 0.5
    assert voltage == pytest.approx(3.64, abs=0.01)
    # Co3+ has no moment; half-filled, one cobalt of two is Co4+ with one unpaired electron.
    assert np.allclose(full.magnetic_moments_muB, 0, atol=0.01)
    assert half.magnetic_moments_muB[:2] == pytest.approx([1.10, 0.0], abs=0.02)
    assert full.cbm_eV - full.vbm_eV == pytest.approx(2.80, abs=0.01)
    # The measured monoclinic cell: 2.81, 4.87, 5.06 Å, 108.7° (Reimers and Dahn, 1992).
    a, b, c = half.final_structure.lattice.abc
    assert (a, b, c) == pytest.approx((2.81, 4.87, 5.06), rel=0.025)


def test_orders_compete_and_slabs_are_cut_along_one_facet(database: Database) -> None:
    states = [{"ion_content": 0.5}, {"ion_content": 1.0}]
    config = campaign(states=states, facet=[1, 0, 4], most_orders=3, surface=None)
    rows = {row.label.removeprefix("LiCoO2_PBE_U at "): row for row in dry_run(config, database)}
    assert [name for name in rows if "order" in name] == [
        "0.5: order 1",
        "0.5: order 2",
        "0.5: order 3",
        "1: order 1",
    ]
    full, half = rows["1: slab (104)"], rows["0.5: slab (104)"]
    assert full.request.initial_structure.composition.reduced_formula == "LiCoO2"
    assert half.request.initial_structure.composition.reduced_formula == "Li(CoO2)2"
    # The same plane of the host: its repeat unit doubles with the order of the vacancies.
    areas = [
        np.linalg.norm(np.cross(*row.request.initial_structure.lattice.matrix[:2]))
        for row in (half, full)
    ]
    assert areas[0] / areas[1] == pytest.approx(2, abs=0.05)


def test_vasp_gets_the_same_orders_with_its_own_repulsion(
    database: Database, tmp_path: Path
) -> None:
    config = campaign().model_copy(update={"engine": "vasp", "preset": "vasp"})
    config._folder = CONFIGS / "campaigns"
    rows = {row.label: row for row in dry_run(config, database)}
    write_inputs(rows["LiCoO2_PBE_U at 0.5: order 1"].request, tmp_path)
    incar = (tmp_path / "INCAR").read_text()
    assert "LDAUU = 0 3.32 0" in incar
    assert "ISIF = 3" in incar
    assert "MAGMOM = 7*0.6" in incar


def test_a_preset_without_steps_for_electrodes_is_refused(database: Database) -> None:
    with pytest.raises(InputError, match="quick has no steps for electrodes"):
        dry_run(campaign(preset="quick"), database)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"facet": None}, "give facet"),
        ({"states": [{"ion_content": 1.0, "work_function_eV": 5}] * 2}, "appears twice"),
        ({"states": [{"ion_content": 1.0, "work_function_eV": 5}]}, "at least 2"),
        ({"facet": [0, 0, 0]}, "not a plane"),
    ],
)
def test_wrong_fields_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        campaign(**changes)
