from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from interohm.errors import InputError
from interohm.workflows.campaign import campaign_flow, load_campaign, structure_remarks
from interohm.workflows.campaign_config import load_structure
from interohm.yaml_io import dump_yaml, load_yaml

ROOT = Path(__file__).parents[2]
CAMPAIGN = ROOT / "configs" / "campaigns" / "demo.yaml"
#: Campaigns that calculate phases; others screen finished ones.
CALCULATED = [
    path
    for path in sorted((ROOT / "configs" / "campaigns").glob("*.yaml"))
    if "phases" in load_yaml(path)
]


def written(tmp_path: Path, **changes: Any) -> Path:
    """The demo's campaign with fields of its second phase, or of itself, changed."""
    data = load_yaml(CAMPAIGN)
    data["metal_structure"] = str(ROOT / "configs/structures/Li.cif")
    for phase in data["phases"]:
        phase["structure"] = str(ROOT / "configs" / "structures" / f"{phase['name']}.cif")
    for field, value in changes.items():
        owner = data["phases"][1] if field in data["phases"][1] or field == "hop" else data
        owner[field] = value
    path = tmp_path / "campaign.yaml"
    path.write_text(dump_yaml(data))
    return path


@pytest.mark.parametrize("shipped", CALCULATED, ids=lambda path: path.stem)
def test_shipped_campaigns_make_flows(shipped: Path) -> None:
    config = load_campaign(shipped)
    flow = campaign_flow(config)
    assert [sub.name for sub in flow.jobs] == [phase.name for phase in config.phases]


def test_the_example_with_every_field_loads() -> None:
    path = ROOT / "configs" / "examples" / "campaign.yaml"
    config = load_campaign(path)
    insulator = next(phase for phase in config.phases if phase.kind == "insulator")
    for model, data in ((config, load_yaml(path)), (insulator, load_yaml(path)["phases"][1])):
        assert set(data) == set(type(model).model_fields)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"facet": [0, 0, 0]}, r"phases\[1\].*facet.*not a plane"),
        ({"facet": [0, 0]}, r"phases\[1\].*facet"),
        ({"facet": [0, 0, 1.5]}, r"phases\[1\].*facet"),
        ({"dielectric_constant": 0.5}, "dielectric_constant"),
        ({"dielectric_constant": float("nan")}, "dielectric_constant"),
        ({"name": "Li"}, "appears twice"),
        ({"hop": {}}, "unknown field"),
        ({"stability_window_V": [1]}, "stability_window_V"),
        ({"ion_charge": 0}, "ion_charge"),
        ({"mobile_ion": "Xx"}, "charge number"),
        ({"phases": []}, "phases"),
    ],
)
def test_wrong_fields_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_campaign(written(tmp_path, **changes))
    assert "campaign.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"facet": [1, 1, 1]}, "polar"),
        ({"structure": "missing.cif"}, r"phases\[1\] LiF: structure: there is no structure file"),
        ({"structure": "é" * 300}, "there is no structure file"),
        ({"preset": "slow"}, "no preset 'slow'"),
        ({"engine": "abinit"}, "no engine 'abinit'"),
        (
            {"mobile_ion": "Na", "metal_structure": str(ROOT / "configs/structures/Na.cif")},
            "does not contain Na",
        ),
    ],
)
def test_what_cannot_be_calculated_is_refused_before(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    config = load_campaign(written(tmp_path, **changes))
    with pytest.raises(InputError, match=message):
        campaign_flow(config)


def test_a_materials_project_id_needs_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MP_API_KEY", "INTEROHM_MATERIALS_PROJECT_KEY"):
        monkeypatch.delenv(name, raising=False)
    config = load_campaign(written(tmp_path, structure="mp-1138"))
    with pytest.raises(InputError, match="no key is set"):
        campaign_flow(config)


def test_a_file_that_is_no_structure(tmp_path: Path) -> None:
    shutil.copy(CAMPAIGN, tmp_path / "LiF.cif")
    config = load_campaign(written(tmp_path, structure="LiF.cif"))
    with pytest.raises(InputError, match="lists no atoms"):
        campaign_flow(config)


CASES = ROOT / "tests" / "data" / "cases"


@pytest.mark.parametrize(
    ("name", "message", "fix"),
    [
        ("c_metal4", r"phases\[0\] p_metal4: structure.*no element symbols", "VASP 5"),
        (
            "c_wrongmetal",
            "metal_structure: LiH is LiH; .* zero of all chemical potentials",
            "only",
        ),
        ("c_lioh", "declares the formula Li1 H1 O1.*lists Li2 O2", "all atoms"),
    ],
)
def test_campaigns_that_went_wrong(name: str, message: str, fix: str) -> None:
    config = load_campaign(CASES / "campaigns" / f"{name}.yaml")
    with pytest.raises(InputError, match=message) as caught:
        campaign_flow(config)
    assert fix in (caught.value.fix or "")


def test_a_garnet_is_planned(tmp_path: Path) -> None:
    """192 atoms, which are their own supercell; Li has three sites."""
    garnet = ROOT / "tests" / "data" / "structures" / "Li7La3Zr2O12.cif"
    phase = {"name": "LLZO", "kind": "insulator", "structure": str(garnet), "facet": [1, 0, 0]}
    data = {"name": "llzo", "preset": "production", "metal_structure": "Li"}
    path = tmp_path / "llzo.yaml"
    path.write_text(dump_yaml({**data, "phases": [{**phase, "dielectric_constant": 50.0}]}))
    flow = campaign_flow(load_campaign(path))
    assert [sub.name for sub in flow.jobs] == ["LLZO"]


def test_what_was_mended_is_said_once(tmp_path: Path) -> None:
    config = load_campaign(CASES / "campaigns" / "c_li2o2.yaml")
    (remark,) = structure_remarks(config)
    assert "Li2O2.cif: 12 coordinates near 1/3 or 2/3 are taken as exact" in remark


def test_a_data_block_is_named(tmp_path: Path) -> None:
    text = (ROOT / "configs" / "structures" / "LiF.cif").read_text()
    both = text + "\n" + text.replace("data_LiF", "data_other")
    (tmp_path / "both.cif").write_text(both)
    with pytest.raises(InputError, match="2 structures, in the data blocks LiF, other") as caught:
        load_structure("both.cif", tmp_path, where="structure")
    assert "both.cif#LiF" in (caught.value.fix or "")
    found = load_structure("both.cif#other", tmp_path, where="structure")
    assert found.composition.reduced_formula == "LiF"
