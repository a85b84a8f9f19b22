"""Slabs of several sizes and facets, from the campaign to the record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interohm.database import Database
from interohm.errors import InputError
from interohm.records import Metal, load_material
from interohm.workflows.campaign import (
    CampaignConfig,
    PlannedCalculation,
    campaign_flow,
    dry_run,
    load_campaign,
    plan_remarks,
)
from interohm.workflows.campaign_config import MetalPhase
from interohm.workflows.local import CampaignError, run_campaign

CONFIGS = Path(__file__).parents[2] / "configs"
DFT = pytest.mark.dft


def lithium(tiny: CampaignConfig, **fields: Any) -> CampaignConfig:
    """The campaign's lithium alone, with fields of its phase changed."""
    phase = MetalPhase.model_validate({**tiny.phases[0].model_dump(mode="json"), **fields})
    config = tiny.model_copy(update={"phases": [phase]})
    config._folder = tiny.folder
    return config


def test_a_plan_lists_every_slab_that_there_may_be(
    tiny: CampaignConfig, database: Database
) -> None:
    grown = {"level_meV": 20, "max_slabs": 4}
    rows = dry_run(lithium(tiny, slab_convergence=grown), database)
    slabs = [row for row in rows if "slab" in row.label]
    assert len(slabs) == 4
    # Levels that are not known yet count as moving: each slab is thicker than the one before.
    atoms = [row.atoms for row in slabs]
    assert atoms == sorted(set(atoms))
    every = dry_run(lithium(tiny, facet={"max_index": 1}), database)
    labels = {row.label for row in every if "slab" in row.label}
    assert labels == {"Li: slab (100)", "Li: slab (110)", "Li: slab (111)"}


MIXED = Path(__file__).parents[1] / "data" / "cases" / "structures" / "NaLi31F32.cif"


def survey_of_thin_slabs(folder: Path, thickness_A: float) -> CampaignConfig:
    """All low facets of NaLi31F32, cut as thin as that."""
    (folder / "thin.yaml").write_text(
        f"name: thin\nbased_on: quick\ninsulator: {{slab: {{thickness_A: {thickness_A}}}}}\n"
    )
    path = folder / "survey.yaml"
    path.write_text(
        "name: survey\npreset: thin.yaml\nmetal_structure: Li\nphases:\n"
        f"  - {{name: mixed, kind: insulator, structure: {MIXED}, dielectric_constant: 9.0,\n"
        "     facet: {max_index: 1}}\n"
    )
    return load_campaign(path)


def test_a_facet_that_is_too_thin_fails_alone(tmp_path: Path) -> None:
    """Of slabs of 8 Å that of (110) has enough planes, that of (100) too few."""
    flow = campaign_flow(survey_of_thin_slabs(tmp_path, 8.0))
    thin, polar = plan_remarks(flow.jobs)
    assert thin.startswith(
        "mixed: the facet (100) is left out: NaLi31F32 (100): a slab of 8 Å is too thin"
    )
    assert "raise thickness_A of the preset's slab to " in thin
    assert polar == "mixed: polar (Tasker type III), and left out: (111)"
    jobs = flow.jobs[0].jobs
    slabs = [job.name for job in jobs if job.name.startswith("mixed: slab")]
    assert slabs
    assert all(name.startswith("mixed: slab (110)") for name in slabs)
    (missing,) = jobs[-1].function_kwargs["facts"]["left_out"]
    assert missing.startswith("slab (100): NaLi31F32 (100): a slab of 8 Å")


def test_a_survey_of_nothing_but_thin_slabs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a slab of 5 Å is too thin"):
        campaign_flow(survey_of_thin_slabs(tmp_path, 5.0))


def test_a_survey_needs_energies_that_compare(
    tiny: CampaignConfig, database: Database, tmp_path: Path
) -> None:
    text = Path(tiny.folder / tiny.preset).read_text()
    head, slab = text.rsplit("  slab:\n    cutoff_eV: 350", 1)
    preset = tmp_path / "uneven.yaml"
    preset.write_text(f"{head}  slab:\n    cutoff_eV: 300{slab}")
    with pytest.raises(InputError, match=r"surface energies.*metal\.slab"):
        dry_run(lithium(tiny, facet={"max_index": 1}, preset=str(preset)), database)


@pytest.mark.parametrize("loose", ["", "_dense", "_loose"])
def test_a_preset_that_relaxes_surfaces_keeps_them_as_cut(database: Database, loose: str) -> None:
    """Beside the relaxed slab stands the one that the preset without it calculates."""

    def plan(preset: str) -> dict[str, PlannedCalculation]:
        campaign = load_campaign(CONFIGS / "campaigns" / "interlayers.yaml")
        (phase,) = (phase for phase in campaign.phases if phase.name == "LiF_001")
        alone = campaign.model_copy(
            update={"phases": [phase.model_copy(update={"preset": preset})]}
        )
        alone._folder = campaign.folder
        return {row.label: row for row in dry_run(alone, database)}

    cut, relaxed = plan(f"production{loose}"), plan(f"production_relaxed{loose}")
    slab, before = "LiF_001: slab (001)", "LiF_001: slab (001) as cut"
    assert relaxed.keys() - cut.keys() == {before}
    assert relaxed[slab].kind == "relax"
    assert relaxed[before].hash == cut[slab].hash
    # All else is as in the preset without it.
    assert {row.hash for row in cut.values()} == {
        row.hash for label, row in relaxed.items() if label != slab
    }


@DFT
def test_a_series_ends_when_the_level_stays(tiny: CampaignConfig, database: Database) -> None:
    """Three slabs do for a wide tolerance; the other places of the chain cost nothing."""
    config = lithium(tiny, slab_convergence={"level_meV": 500, "max_slabs": 6})
    record = run_campaign(config, database, progress=False)["Li"]
    assert isinstance(record, Metal)
    (surface,) = record.provenance["surfaces"]
    assert surface["converged"] is True
    first, thicker, emptier = surface["series"]
    assert thicker["thickness_A"] > first["thickness_A"]
    assert thicker["vacuum_A"] == first["vacuum_A"]
    assert emptier["thickness_A"] == thicker["thickness_A"]
    assert emptier["vacuum_A"] > thicker["vacuum_A"]
    assert database.count("calculations") == 5  # cell, bulk, three slabs
    assert record.provenance["calculations"]["slab"] == emptier["calculation"]
    assert surface["level_eV"] == record.states[0].work_function_eV.value
    assert 0.2 < surface["surface_energy_J_m2"] < 0.8
    assert not [row for row in dry_run(config, database) if not row.found]


def test_a_facet_that_failed_is_missed_and_the_others_count(
    database: Database, block: Callable[[PlannedCalculation], None]
) -> None:
    """Lithium's shipped slabs (100) and (110); the one of (111) cannot start."""
    campaign = load_campaign(CONFIGS / "campaigns" / "interlayers.yaml")
    config = lithium(campaign, facet={"max_index": 1, "level": "wulff"}, name="Li")
    (absent,) = [row for row in dry_run(config, database) if not row.found]
    assert absent.label == "Li: slab (111)"
    block(absent)
    with pytest.raises(CampaignError, match=r"Li: slab \(111\)"):
        run_campaign(config, database, progress=False)
    record = database.material("Li")
    assert isinstance(record, Metal)
    assert record.provenance["missing"] == ["slab (111)"]
    rows = {tuple(row["facet"]): row for row in record.provenance["surfaces"]}
    assert set(rows) == {(1, 0, 0), (1, 1, 0)}
    for facet, shipped in (((1, 0, 0), "Li_100"), ((1, 1, 0), "Li_110")):
        own = load_material(CONFIGS / "materials" / f"{shipped}.yaml")
        assert isinstance(own, Metal)
        assert rows[facet]["level_eV"] == own.states[0].work_function_eV.value
    mean = sum(row["wulff_area_fraction"] * row["level_eV"] for row in rows.values())
    assert record.states[0].work_function_eV.value == pytest.approx(mean, abs=1e-3)
    assert record.surface == "(100) Li-terminated"  # the stable one
