"""Band edges by literature or by another functional, through the flow of finished calculations."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from interohm.database import Database
from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.records import Insulator
from interohm.workflows.campaign import CampaignConfig, dry_run, load_campaign
from interohm.workflows.local import run_campaign
from interohm.workflows.presets import Preset, load_preset
from interohm.yaml_io import dump_yaml

ROOT = Path(__file__).parents[2]
QUICK = sorted((ROOT / "tests" / "data" / "calculations" / "quick").glob("*.json.gz"))


def demo(**changes: Any) -> CampaignConfig:
    """Li and LiF with changes of LiF, or of the campaign's preset."""
    config = load_campaign(ROOT / "configs" / "campaigns" / "demo.yaml")
    preset = changes.pop("preset", config.preset)
    data = config.model_dump(mode="json") | {"preset": str(preset)}
    data["phases"][1] |= changes
    changed = CampaignConfig.model_validate(data)
    changed._folder = config.folder
    return changed


def fluoride(config: CampaignConfig, database: Database) -> Insulator:
    record = run_campaign(config, database, progress=False)["LiF"]
    assert isinstance(record, Insulator)
    return record


def preset_with_edges(path: Path, **corrected: Any) -> Path:
    """The preset `quick`, with band edges by exact exchange."""
    preset = load_preset("quick")
    assert isinstance(preset, Preset)
    data = preset.model_dump(mode="json", exclude_none=True)
    bulk = {field: value for field, value in data["insulator"]["bulk"].items() if value != []}
    edges = {"reference": {**bulk, "xc": "PBE"}, "corrected": {**bulk, "xc": "EXX", **corrected}}
    data["insulator"]["edges"] = {"engine": "gpaw", **edges}
    path.write_text(dump_yaml(data | {"name": "edges"}))
    return path


def test_the_record_has_the_shift_and_says_so(database: Database, tmp_path: Path) -> None:
    for path in QUICK:
        known = Calculation.model_validate_json(gzip.decompress(path.read_bytes()))
        database.save_calculation(known.model_dump())
    plain = fluoride(demo(), database)
    shift = {
        "valence_band_eV": {"value": -2.0, "uncertainty": 0.3, "source": "a paper"},
        "conduction_band_eV": {"value": 1.0, "source": "a paper"},
    }
    given = fluoride(demo(band_edge_shift=shift), database)

    preset = preset_with_edges(tmp_path / "edges.yaml")
    named = {row.label: row for row in dry_run(demo(preset=preset), database)}
    # With the settings of the bulk the reference is the bulk, and every calculation stands once.
    assert "LiF: band edges, PBE" not in named
    planned = named["LiF: band edges, EXX"]
    assert [row.label for row in named.values() if not row.found] == [planned.label]
    assert planned.request.settings["xc"] == "EXX"
    literature = dry_run(demo(preset=preset, band_edge_shift=shift), database)
    assert all(row.found for row in literature)
    # A finished calculation of that hash: the reference's document with other edges.
    bulk = Calculation.model_validate(database.find_calculation(named["LiF: bulk"].hash))
    assert bulk.vbm_eV is not None
    assert bulk.cbm_eV is not None
    changes = {"vbm_eV": bulk.vbm_eV - 2.51, "cbm_eV": bulk.cbm_eV + 1.13}
    own = {"hash": planned.hash, "settings": planned.request.settings}
    database.save_calculation(bulk.model_copy(update=changes | own).model_dump())
    calculated = fluoride(demo(preset=preset), database)

    for record, down, up in ((given, 2.0, 1.0), (calculated, 2.51, 1.13)):
        potential = record.ionization_potential_eV.value
        assert potential == pytest.approx(plain.ionization_potential_eV.value + down, abs=1e-3)
        assert record.band_gap_eV.value == pytest.approx(plain.band_gap_eV.value + down + up, 1e-3)
        moved = record.defects[0].formation_energy_eV.value
        charge = record.defects[0].charge
        before = plain.defects[0].formation_energy_eV.value
        assert moved == pytest.approx(before - charge * down, abs=1e-3)
    source = calculated.provenance["band_edge_shift"]["valence_band_eV"]
    assert source["method"] == "calculated: gpaw, EXX minus PBE"
    assert planned.hash[:12] in source["source"]


def test_a_functional_that_needs_libxc_is_named(tmp_path: Path) -> None:
    from gpaw import cgpaw

    from interohm.workflows.campaign import campaign_flow

    campaign = demo(preset=preset_with_edges(tmp_path / "edges.yaml", xc="HSE06"))
    if hasattr(cgpaw, "lxcXCFunctional"):
        campaign_flow(campaign)
        return
    with pytest.raises(InputError, match=r"no functional HSE06.*libxc-dev"):
        campaign_flow(campaign)


def test_a_shift_without_a_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "campaign.yaml").write_text(
        (ROOT / "configs" / "campaigns" / "demo.yaml")
        .read_text()
        .replace(
            "kind: insulator",
            "kind: insulator\n    band_edge_shift: {valence_band_eV: -1, conduction_band_eV: 1}",
        )
    )
    with pytest.raises(InputError, match="give the source of the shift"):
        load_campaign(tmp_path / "campaign.yaml")
