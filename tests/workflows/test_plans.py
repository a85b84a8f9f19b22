"""Plans that were made before are taken again as long as nothing that they depend on changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from interohm.database import Database
from interohm.database.shipped_calculations import shipped_calculation, shipped_hashes
from interohm.errors import InputError
from interohm.workflows import plan_cache, plans
from interohm.workflows.campaign import (
    CampaignConfig,
    campaign_flow,
    load_campaign,
    plan_campaign,
    planned_calculations,
)
from interohm.workflows.engines.request import CalculationRequest
from interohm.yaml_io import dump_yaml, load_yaml

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "data" / "campaigns" / "tiny.yaml"
QUANTITY = {"value": 9.0, "source": "assumed", "method": "assumed", "uncertainty": 1.0}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The phases that were planned anew."""
    names: list[str] = []
    real = plans._plan

    def counted(config: CampaignConfig, index: int, database: Database) -> Any:
        names.append(config.phases[index].name)
        return real(config, index, database)

    monkeypatch.setattr(plans, "_plan", counted)
    return names


def rows(planned: list[plans.Plan]) -> list[tuple[Any, ...]]:
    return [
        (plan.phase, one.label, one.hash, one.request.hash, one.request.key, one.kpoints, one.found)
        for plan in planned
        for one in plan.calculations
    ]


@pytest.fixture
def lithium(tmp_path: Path) -> Path:
    """The metal of the tiny campaign, with files of its own."""
    data = load_yaml(TINY)
    for name in ("presets/tiny.yaml", "structures/Li.cif"):
        source = ROOT / ("configs" if "Li" in name else "tests/data") / name
        (tmp_path / Path(name).name).write_bytes(source.read_bytes())
    data |= {"preset": "tiny.yaml", "metal_structure": "Li.cif", "phases": data["phases"][:1]}
    data["phases"][0]["structure"] = "Li.cif"
    path = tmp_path / "campaign.yaml"
    path.write_text(dump_yaml(data))
    return path


def test_a_kept_plan_is_the_plan(tiny: CampaignConfig, database: Database, made: list[str]) -> None:
    """Of the whole flow, too: its jobs gone through at once."""
    first = plan_campaign(tiny, database)
    assert made == ["Li", "LiF"]
    again = plan_campaign(load_campaign(TINY), database)
    assert made == ["Li", "LiF"]
    assert rows(again) == rows(first)
    at_once = {one.request.hash for one in planned_calculations(campaign_flow(tiny), database)}
    assert {request for _, _, _, request, *_ in rows(first)} == at_once


def test_of_a_changed_field_the_plan_is_made_anew(
    lithium: Path, database: Database, made: list[str]
) -> None:
    (before,) = plan_campaign(load_campaign(lithium), database)
    data = load_yaml(lithium)
    data["phases"][0]["facet"] = [1, 0, 0]
    lithium.write_text(dump_yaml(data))
    (after,) = plan_campaign(load_campaign(lithium), database)
    assert made == ["Li", "Li"]
    assert before.calculations[-1].label != after.calculations[-1].label
    for name, old, new in (("Li.cif", "3.51", "3.61"), ("tiny.yaml", ": 400", ": 300")):
        path = lithium.parent / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        (changed,) = plan_campaign(load_campaign(lithium), database)
        assert rows([changed]) != rows([after]), name
    assert len(made) == 4
    data["name"] = "another"
    lithium.write_text(dump_yaml(data))
    plan_campaign(load_campaign(lithium), database)
    assert len(made) == 4


def test_of_another_version_the_plan_is_made_anew(
    lithium: Path, database: Database, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_campaign(load_campaign(lithium), database)
    monkeypatch.setattr(plans, "_versions", lambda: ["another spglib"])
    plan_campaign(load_campaign(lithium), database)
    assert made == ["Li", "Li"]


@pytest.mark.parametrize("package", ["pymatgen", "spglib", "pymatgen-analysis-defects"])
def test_versions_are_part_of_a_plans_name(
    lithium: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    config = load_campaign(lithium)
    before, real = plans._name(config, config.phases[0]), plans._version
    monkeypatch.setattr(
        plans, "_version", lambda name: "another" if name == package else real(name)
    )
    monkeypatch.setattr(plans, "_versions", plans._versions.__wrapped__)
    assert before is not None
    assert plans._name(config, config.phases[0]) != before


def calculated(request: CalculationRequest) -> dict[str, Any]:
    """Return any finished calculation, with a request of its own."""
    document = shipped_calculation(shipped_hashes()[0])
    assert document is not None
    structure = request.structure
    return {
        **document,
        **{name: getattr(request, name) for name in ("engine", "kind", "charge", "settings")},
        "hash": request.hash,
        "initial_structure": structure,
        "structure": structure,
        "site_potentials_eV": [0.0] * len(structure["sites"]),
        "magnetic_moments_muB": None,
        "response": None,
        "path": None,
    }


def test_what_is_calculated_meanwhile_is_found(
    lithium: Path, database: Database, made: list[str]
) -> None:
    """Only where calculations follow from it is the plan made anew."""
    config = load_campaign(lithium)
    (before,) = plan_campaign(config, database)
    cell, bulk, *_ = before.calculations
    assert [one.leads_on for one in before.calculations] == [True, False, False]
    assert not any(one.found for one in before.calculations)

    # a calculation of other atoms in other places that may be one of these, and is not
    moved = cell.request.initial_structure.copy()
    moved.scale_lattice(1.3 * moved.volume)
    other = CalculationRequest(**{**cell.request.model_dump(), "structure": moved.as_dict()})
    assert other.key == cell.request.key
    database.save_calculation(calculated(other))
    (after,) = plan_campaign(config, database)
    assert rows([after]) == rows([before])

    database.save_calculation(calculated(bulk.request))
    (after,) = plan_campaign(config, database)
    assert [one.found for one in after.calculations] == [False, True, False]
    assert made == ["Li"]

    database.save_calculation(calculated(cell.request))
    (after,) = plan_campaign(config, database)
    assert after.calculations[0].found
    assert made == ["Li", "Li"]
    kept = plan_campaign(config, database)
    assert made == ["Li", "Li"]
    plan_cache.cache_file().unlink()
    assert rows(plan_campaign(config, database)) == rows(kept)


def test_many_phases_are_planned_side_by_side(
    lithium: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "_FEW", 2)
    data = load_yaml(lithium)
    one = data["phases"][0]
    facets = [(h, k, l) for h in range(3) for k in range(3) for l in range(3) if h + k + l][:4]
    data["phases"] = [
        {**one, "name": f"Li_{number}", "facet": list(facet)} for number, facet in enumerate(facets)
    ]
    lithium.write_text(dump_yaml(data))
    config, ticks = load_campaign(lithium), []
    together = plan_campaign(config, database, processes=2, advance=lambda: ticks.append(1))
    assert len(ticks) == len(facets)
    plan_cache.cache_file().unlink()
    assert rows(together) == rows(plan_campaign(config, database))
    # a fault is named with its phase
    data["phases"][3] |= {"structure": "nowhere.cif"}
    lithium.write_text(dump_yaml(data))
    with pytest.raises(
        InputError, match=r"phases\[3\] Li_3: structure: there is no structure file"
    ):
        plan_campaign(load_campaign(lithium), database)


def test_a_cache_that_cannot_be_used_costs_time_only(
    lithium: Path, database: Database, made: list[str]
) -> None:
    path = plan_cache.cache_file()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 1000)
    first = plan_campaign(load_campaign(lithium), database)
    path.unlink()
    path.mkdir()
    assert rows(plan_campaign(load_campaign(lithium), database)) == rows(first)
    assert made == ["Li", "Li"]


def test_a_hundred_thousand_names_are_compared(tmp_path: Path) -> None:
    """No phase is compared with all others."""
    metal = {"kind": "metal", "structure": "Li", "facet": [1, 1, 0]}
    phases = [{**metal, "name": f"p{number}"} for number in range(20_000)]
    data = {"name": "many", "preset": "quick", "metal_structure": "Li", "phases": phases}
    assert len(CampaignConfig.model_validate(data).phases) == 20_000
    phases[-1]["name"] = "p0"
    with pytest.raises(ValueError, match="'p0' appears twice"):
        CampaignConfig.model_validate(data)
