from __future__ import annotations

from pathlib import Path

import pytest

from interohm.records.shipped import SHIPPED_FOLDER

STRUCTURES = SHIPPED_FOLDER.parent / "structures"

CAMPAIGN = f"""
name: small
engine: gpaw
preset: quick
mobile_ion: Li
metal_structure: {STRUCTURES}/Li.cif
phases:
  - {{name: Li, kind: metal, structure: {STRUCTURES}/Li.cif, facet: [1, 1, 0]}}
  - name: LiF
    kind: insulator
    structure: {STRUCTURES}/LiF.cif
    facet: [0, 0, 1]
    dielectric_constant: {{value: 9.0, source: a paper, method: measured}}
"""


@pytest.fixture
def campaign(tmp_path):
    """Return the path of a valid campaign."""
    path = tmp_path / "small.yaml"
    path.write_text(CAMPAIGN)
    return path


def test_dry_run_lists_the_calculations_and_starts_none(interohm, campaign, tmp_path):
    ran = interohm("run", campaign, "--dry-run")
    assert ran.code == 0, ran.err
    assert ran.err == ""
    for words in ("Li: slab (110)", "LiF: slab (001)", "V_Li", "V_F", "64", "k-points"):
        assert words in ran.out, words
    assert "0 of them found, none started" in ran.out
    assert [path.name for path in tmp_path.rglob("*")] == ["small.yaml"]


def test_dry_run_of_many_phases_gives_totals(interohm, campaign, monkeypatch):
    monkeypatch.setattr("interohm.cli.campaigns.LISTED_PHASES", 1)
    ran = interohm("run", campaign, "--dry-run")
    assert ran.code == 0, ran.err
    assert "LiF: slab (001)" not in ran.out
    rows = [line.split() for line in ran.out.splitlines()]
    kinds = {row[0]: int(row[1]) for row in rows if len(row) == 4 and row[1].isdigit()}
    listed = interohm("run", campaign, "--dry-run", "--phases").out
    assert "LiF: slab (001)" in listed
    assert ran.out.splitlines()[-1] == listed.splitlines()[-1]
    assert {"cell", "static"} <= set(kinds)
    for kind, number in kinds.items():
        assert number == sum(f"  {kind}  " in line for line in listed.splitlines())


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("engine: gpaw", "engine: abacus", "abacus"),
        ("preset: quick", "preset: quickest", "quickest"),
        ("preset: quick", "presets: quick", "presets"),
        (f"structure: {STRUCTURES}/LiF.cif", "structure: nowhere.cif", "nowhere.cif"),
        (f"structure: {STRUCTURES}/LiF.cif", "structure: small.yaml", "small.yaml"),
        (f"structure: {STRUCTURES}/LiF.cif", "structure: mp-1138", "MP_API_KEY"),
        ("facet: [0, 0, 1]", "facet: [1, 1, 1]", "polar"),
        ("facet: [0, 0, 1]", "facet: [0, 0, 0]", "facet"),
        ("facet: [0, 0, 1]", "facet: [0, 1]", "facet"),
        ("value: 9.0", "value: .nan", "dielectric_constant"),
        ("value: 9.0", "value: -9.0", "dielectric_constant"),
        ("name: LiF", "name: Li", "Li"),
        ("mobile_ion: Li", "mobile_ion: Xx", "ion_charge"),
        (CAMPAIGN, "", "empty"),
    ],
)
@pytest.mark.parametrize("option", [["--dry-run"], []], ids=["dry", "run"])
def test_bad_campaigns_are_refused(refused, campaign, tmp_path, option, old, new, names):
    assert old in CAMPAIGN
    campaign.write_text(CAMPAIGN.replace(old, new, 1))
    message = refused("run", campaign, *option)
    assert names in message
    assert not list(Path("interohm-data").rglob("*.collection"))
