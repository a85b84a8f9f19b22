"""Interfaces: what a campaign plans and refuses, and two tiny ones calculated with GPAW."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure

from interohm.database import Database
from interohm.errors import InputError
from interohm.postprocess.interfaces import hop_across
from interohm.records.interface import Interface
from interohm.slab_builders.hops import after_hop, vacancy_hop
from interohm.workflows.calculations import find_calculation
from interohm.workflows.campaign import campaign_flow, dry_run, interface_plans, load_campaign
from interohm.workflows.campaign_config import CampaignConfig
from interohm.workflows.claims import claimed
from interohm.workflows.engines import engine_named
from interohm.workflows.export import write_records
from interohm.workflows.local import run_campaign
from interohm.workflows.phase_diagram import known_crystals
from interohm.workflows.presets import load_preset

from .records_alike import assert_same_record

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = Path(__file__).parents[1] / "data" / "presets" / "tiny.yaml"
SHIPPED = sorted(path.stem for path in (CONFIGS / "interfaces").glob("*.yaml"))

pytestmark = pytest.mark.filterwarnings("ignore:Issues encountered")


def side(record: str, kind: str, facet: list[int]) -> dict[str, Any]:
    structure = record.split("_")[0]
    return {"record": record, "kind": kind, "structure": structure, "facet": facet}


def campaign(preset: str | Path = TINY, **fields: Any) -> CampaignConfig:
    phase: dict[str, Any] = {
        "kind": "interface",
        "name": "contact",
        "left": side("LiH_001", "insulator", [0, 0, 1]),
        "right": side("LiF_001", "insulator", [0, 0, 1]),
        "strained": "left",
    }
    return CampaignConfig.model_validate(
        {
            "name": "interfaces",
            "preset": str(preset),
            "metal_structure": "Li",
            "phases": [phase | fields],
        }
    )


def test_a_plan_says_what_is_joined_and_why_not_otherwise(database: Database) -> None:
    lines = interface_plans(campaign("production"), database)

    assert lines[0] == (
        "contact: 24 atoms, 8.3 Å²; LiH_001 is strained by +1.1% and +1.1% in the plane (mean 0.7%)"
    )
    assert "3 of 4 lateral shifts" in lines[1]
    assert any("left out: 48 atoms, 16.6 Å², mean strain 0.7%: more atoms" in one for one in lines)
    assert any("atoms are above 100" in one for one in lines)


def test_a_plan_lists_each_calculation_of_the_contact(database: Database) -> None:
    rows = {
        row.label.removeprefix("contact: "): row
        for row in dry_run(campaign("production", hop={"lateral_A": 4.0}), database)
    }

    assert rows["contact"].atoms == rows["shift 1"].atoms == 24
    assert rows["left side alone"].atoms == rows["right side alone"].atoms == 12
    assert (rows["hop across"].kind, rows["hop across"].charge) == ("neb", -1)
    assert rows["hop across"].atoms == rows["ion before its hop"].atoms == 31
    # Both sides are cut from crystals whose cells are shipped.
    assert rows["LiH: cell"].found
    assert rows["LiF: bulk"].found
    # What is compared has one cutoff.
    assert {
        rows[name].request.settings["cutoff_eV"] for name in ("contact", "left side alone")
    } == {500}


def test_beside_a_metal_the_cell_is_neutral(database: Database) -> None:
    config = campaign(
        "production",
        left=side("Li_110", "metal", [1, 1, 0]),
        right=side("Li2O_110", "insulator", [1, 1, 0]),
        strained=None,
        hop={"lateral_A": 4.0},
    )
    assert config.phases[0].strained == "left"  # type: ignore[union-attr]

    rows = {row.label.removeprefix("contact: "): row for row in dry_run(config, database)}

    assert rows["hop across"].charge == 0
    assert rows["hop across"].request.settings["smearing_eV"] == 0.1
    assert rows["slab of Li2O_110, relaxed"].request.settings["smearing_eV"] == 0.01


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"strained": None}, "name the side that gives way"),
        ({"max_strain": 0.5}, "max_strain"),
        ({"left": side("LiF", "insulator", [0, 0, 0])}, "is no plane"),
    ],
)
def test_what_cannot_be_joined_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        campaign(**fields)


@pytest.mark.parametrize(
    ("preset", "fields", "message"),
    [
        ("quick", {}, "preset quick has no settings for interfaces"),
        (TINY, {"left": side("LiF", "insulator", [1, 1, 1])}, "polar"),
        (TINY, {"max_strain": 0.001}, r"contact: no common cell of at most 100 atoms"),
    ],
)
def test_what_the_flow_cannot_join_is_refused(
    preset: str | Path, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        campaign_flow(campaign(preset, **fields))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_interface_is_made_from_shipped_calculations(
    name: str, database: Database, tmp_path: Path
) -> None:
    config = load_campaign(CONFIGS / "campaigns" / "interfaces.yaml")
    (phase,) = (phase for phase in config.phases if phase.name == name)
    alone = config.model_copy(update={"phases": [phase]})
    alone._folder = config.folder
    rows = dry_run(alone, database)
    found = [find_calculation(database, row.hash) for row in rows]
    assert [row.label for row, one in zip(rows, found, strict=True) if one is None] == []

    (made,) = write_records(alone, [one for one in found if one is not None], tmp_path)

    assert_same_record(made, CONFIGS / "interfaces" / made.name)


def test_strained_crystals_and_stacks_are_no_phases(database: Database) -> None:
    settings = {"xc": "PBE", "cutoff_eV": 500}

    found = list(known_crystals(database, "gpaw", settings, {"Li", "F", "H"}))

    assert found
    assert {one.final_structure.composition.reduced_formula for one in found} <= {
        *("Li", "LiF", "LiH")
    }
    assert not any("cell_held" in one.settings for one in found)


@pytest.mark.dft
def test_two_halves_of_one_crystal_have_no_dipole_and_the_bulks_hop(database: Database) -> None:
    config = campaign(
        left=side("LiH_001", "insulator", [0, 0, 1]),
        right=side("LiH_001", "insulator", [0, 0, 1]),
        hop={"lateral_A": 4.0},
    )

    made = run_campaign(config, database, progress=False)["contact"]

    assert isinstance(made, Interface)
    assert made.dipole_V is not None
    assert made.barrier_eV is not None
    assert made.dipole_V.value == pytest.approx(0.0, abs=0.005)
    assert made.strain[0].normal == 0.0
    assert made.provenance["charge_transfer"]["electrons_to_left_e_nm2"] == pytest.approx(
        0, abs=0.01
    )
    # Two meshes of one crystal: its primitive cell's, and that of the slab's frame.
    assert made.provenance["line_up"]["right_above_left_eV"] == pytest.approx(0.0, abs=0.03)
    hop = made.provenance["hop"]
    assert hop["forward_eV"] == pytest.approx(hop["backward_eV"], abs=0.02)
    # The same hop in the crystal, its end by symmetry.
    contact = find_calculation(database, made.calculations["contact"])
    assert contact is not None
    assert made.barrier_eV.value == pytest.approx(bulk_hop(contact.final_structure), abs=0.03)


def bulk_hop(contact: Structure) -> float:
    """The barrier of the vacancy in the perfect crystal, in a cell of the contact's size."""
    planes = len(contact) // 2
    side = contact.lattice.a * 2**0.5
    crystal = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(side), ["Li", "H"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    crystal.make_supercell((1, 1, planes // 2))
    perfect, flat = (
        Structure(Lattice.tetragonal(side, height), crystal.species, crystal.frac_coords)
        for height in (contact.lattice.c, 0.97 * contact.lattice.c)
    )
    preset = load_preset(str(TINY))
    assert preset.interface is not None
    assert preset.interface.hop is not None
    settings = preset.interface.insulators.engine_settings(preset.xc) | {
        "kpoint_length_A": preset.interface.hop.kpoint_length_A,
        "relaxation": preset.interface.hop.ends.model_dump(mode="json"),
    }
    engine = engine_named("gpaw")
    before = perfect.copy()
    before.remove_sites([0])
    relaxed = finished(engine, before, "relax", settings).final_structure
    # Of the nearest sites one in the next plane, as across the contact.
    hop = vacancy_hop(flat, 0, Structure(flat.lattice, relaxed.species, relaxed.frac_coords))
    settings |= {
        "relaxation": preset.interface.hop.relaxation.model_dump(mode="json"),
        "path": {
            "images": 1,
            "spring_eV_A2": 1.0,
            "end_positions_A": after_hop(perfect, hop, relaxed).cart_coords.round(5).tolist(),
        },
    }
    return hop_across(finished(engine, relaxed, "neb", settings)).forward_eV


def finished(engine: Any, structure: Structure, kind: str, settings: dict[str, Any]) -> Any:
    request = engine.request(structure, kind, settings, -1)
    run = engine.start(request, claimed(request).folder)
    run.wait()
    return run.result()
