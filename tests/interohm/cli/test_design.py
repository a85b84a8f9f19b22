"""`interohm design` and `interohm contact --coating`: JSON, tables, reports, campaigns, errors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from interohm.cli.tables import next_steps
from interohm.database import Database
from interohm.errors import InputError
from interohm.records import material_document
from interohm.records.cell_config import load_cell
from interohm.records.design import load_design
from interohm.records.shipped import shipped_material
from interohm.results.coated_contact import CoatedContactResult
from interohm.results.design import DesignResult, NextCalculation
from interohm.screening.config import load_screen
from interohm.workflows.campaign import dry_run, load_campaign
from interohm.workflows.cost import core_seconds
from interohm.yaml_io import dump_yaml, load_yaml

ROOT = Path(__file__).parents[3]

_TEXT = """\
name: small
between: [LiCoO2, Li3PS4]
coatings: [LiBr_001, LiCl_001]
thickness_nm: {from: 1, to: 10}
states_of_charge: [0.5]
electrons: false
samples: 60
limits: {stability_margin_V: -1}
structures: {LiBr_001: %s}
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "design.yaml"
    structure = ROOT / "configs" / "structures" / "LiBr.cif"
    path.write_text(_TEXT % structure, encoding="utf-8")
    return path


def test_json_report_and_campaign_of_a_design(interohm, config, tmp_path):
    report, campaign = tmp_path / "design.html", tmp_path / "next.yaml"
    config.write_text(config.read_text().replace("samples: 60", "samples: 30"), encoding="utf-8")
    command = ("design", config, "--json", "--report", report, "--next", campaign)
    ran = interohm(*command, "--samples", "60")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    result = DesignResult.model_validate(found)
    assert result.samples == 60
    assert [one["name"] for one in found["coatings"]] == ["LiBr_001", "LiCl_001"]
    needed = {
        "name",
        "optimum_nm",
        "largest_nm",
        "largest_nm_interval",
        "median_interval_ohm_cm2",
        "interface_resistance_ohm_cm2",
        "reacts",
        "best_probability",
    }
    assert all(needed <= set(one) for one in found["coatings"])
    assert result.next
    text = report.read_text(encoding="utf-8")
    for words in ("LiBr_001", "outside of this model", "What to do next", "Reactions and windows"):
        assert words in text
    planned = load_campaign(campaign)
    costs = re.findall(
        r"# +(\S+): (\d+) calculations?, about (\S+) core-hours", campaign.read_text()
    )
    assert [name for name, _, _ in costs] == [phase.name for phase in planned.phases]
    with Database.open() as database:
        for phase, (_, count, hours) in zip(planned.phases, costs, strict=True):
            alone = planned.model_copy(update={"phases": [phase]})
            missing = [one for one in dry_run(alone, database) if not one.found]
            assert len(missing) == int(count)
            estimate = sum(map(core_seconds, missing)) / 3600
            assert float(hours) == pytest.approx(estimate, rel=0.06)
    wanted = {one.material for one in result.next if one.core_hours is not None}
    assert {phase.name.removesuffix("_calculated") for phase in planned.phases} <= wanted


def test_a_table_for_people(interohm, config):
    ran = interohm("design", config)
    assert ran.code == 0
    # sixty samples leave a share uncertain, and one of none, too
    assert re.search(r"best of the eligible ones: .*, in \d+ ± [1-7] % of the samples", ran.out)
    for words in (
        "largest (nm) for 10 Ω·cm²",
        "median R (Ω·cm²)",
        "nominal margin left, right (V)",
        "eligible: each limit is kept in at least half of the samples",
        "by gain per core-hour",
    ):
        assert words in ran.out
    assert "eligible with stability_margin_V = -1 V on both sides" in ran.out
    assert "limited by Li3PS4 itself" in ran.out
    assert "outside of this model" in ran.out
    assert "outside of the stability window of Li3PS4" in ran.out


@pytest.mark.parametrize("most", [1, 2, 3])
def test_what_to_do_next_says_how_many_more_there_are(most):
    steps = [NextCalculation.model_construct(text=f"defects of {name}") for name in ("LiF", "LiCl")]
    *listed, last = next_steps(steps, most)
    if most == 1:
        assert listed == [f"  {steps[0].text}"]
        assert last == "  and 1 more (in --json and --report)"
    else:
        assert [*listed, last] == [f"  {one.text}" for one in steps]


def test_a_coating_without_a_window_is_told(interohm, config, tmp_path):
    """In the table, with its fix, and in the report: reason, fix and calculation."""
    record = material_document(shipped_material("LiCl_001"))
    for field in ("stability_window_V", "phase_energies"):
        record.pop(field)
    _written(tmp_path / "bare.yaml", {**record, "name": "bare"})
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("LiCl_001]", "bare.yaml]").replace("60", "30"))
    report = tmp_path / "design.html"
    ran = interohm("design", config, "--report", report)
    assert ran.code == 0, ran.err
    page = report.read_text(encoding="utf-8")
    for said in (ran.out, page):
        assert "stability unknown" in said
        assert "contacts with bare are stable, since its record has no stability window" in said
        assert "give stability_window_V there, or calculate its phase diagram" in said
    assert "best of the eligible ones: LiBr_001" in ran.out or "best: none" in ran.out
    assert "phase diagram of bare: its stability window is not known" in ran.out
    assert re.search(r"phase diagram</td>\s*<td[^>]*>bare", page)


@pytest.mark.parametrize(
    ("contact", "is_unknown"),
    [
        (("LiCoO2", "Li3PS4", "--coating", "bare.yaml:2"), True),
        (("LiCoO2", "Li3PS4", "--coating", "LiCl_001:2", "--coating", "bare.yaml:2"), True),
        (("LiCoO2", "Li3PS4", "--coating", "LiCl_001:2"), False),
        (("Li", "bare.yaml"), True),
        (("bare.yaml", "Li3PS4"), True),
        (("Li", "LiCl_001"), False),
    ],
)
def test_a_contact_without_a_window_is_told(interohm, tmp_path, monkeypatch, contact, is_unknown):
    """Coated or not, as a design says it; and in the report of a contact."""
    monkeypatch.chdir(tmp_path)
    record = material_document(shipped_material("LiCl_001"))
    for field in ("stability_window_V", "phase_energies"):
        record.pop(field)
    _written(tmp_path / "bare.yaml", {**record, "name": "bare"})
    said = interohm("contact", *contact, "--samples", "0").out
    fix = "contacts with bare are stable, since its record has no stability window: give "
    assert ("stability unknown" in said) == is_unknown
    assert said.count(fix) == is_unknown
    if "--coating" not in contact:
        report = tmp_path / "contact.html"
        interohm("contact", *contact, "--samples", "0", "--report", report)
        assert (fix in report.read_text(encoding="utf-8")) == is_unknown
    for name in ("bare.yaml", "LiCl_001", "Li"):
        shown = interohm("materials", "show", name)
        assert ("bare has no stability window" in shown.err) == (name == "bare.yaml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[LiBr_001, LiCl_001]", "[Li3PO4, Li3PO4]", "appears twice"),
        ("[LiBr_001, LiCl_001]", "[Li3PO4, LiC6]", "LiC6 is a metal"),
        ("[LiBr_001, LiCl_001]", "[Li3PS4]", "one of the two phases already"),
        ("[LiBr_001, LiCl_001]", "[nonsense]", "no material 'nonsense'"),
        ("{from: 1, to: 10}", "{from: 10, to: 1}", "not below"),
        ("[LiCoO2, Li3PS4]", "[LiCoO2, Li]", "both metals"),
        ("[LiCoO2, Li3PS4]", "[LiCoO2, Na3Zr2Si2PO12]", "conducts Na"),
        ("limits: {stability_margin_V: -1}", "limits: {barrier: 1}", "barrier"),
        ("structures: {LiBr_001: ", "structures: {LiBr_001: nowhere", "there is no file"),
    ],
)
def test_what_is_wrong_is_named(refused, config, old, new, message):
    text = config.read_text(encoding="utf-8")
    assert old in text
    config.write_text(text.replace(old, new), encoding="utf-8")
    assert message in refused("design", config)


def test_too_few_samples_are_refused(refused, config):
    assert "--samples" in refused("design", config, "--samples", "29")


def test_files_without_a_name_have_their_own(tmp_path):
    for example, load in (("design", load_design), ("cell", load_cell), ("screen", load_screen)):
        path = tmp_path / f"my-{example}.yaml"
        document = load_yaml(ROOT / "configs" / "examples" / f"{example}.yaml")
        assert load(_written(path, document)).name == document["name"]
        del document["name"]
        assert load(_written(path, document)).name == f"my-{example}"


def _written(path, document):
    path.write_text(dump_yaml(document), encoding="utf-8")
    return path


def test_shipped_designs_load():
    paths = [*(ROOT / "configs" / "designs").glob("*.yaml"), ROOT / "configs/examples/design.yaml"]
    assert len(paths) >= 3
    for path in paths:
        described = load_design(path)
        for structure in described.structures.values():
            assert (path.parent / structure).is_file()


def test_a_coated_contact(interohm):
    ran = interohm(
        "contact", "LiCoO2", "Li3PS4", "--coating", "LiNbO3:5", "--samples", "40", "--json"
    )
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    parts = (
        sum(one["resistance_ohm_cm2"] for one in found["coatings"])
        + sum(one["charge_transfer_ohm_cm2"] for one in found["contacts"])
        + found["depletion_ohm_cm2"]
    )
    assert found["interface_resistance_ohm_cm2"] == pytest.approx(parts)
    spread = found["quantiles_ohm_cm2"]
    assert spread["p05"] < spread["p50"] < spread["p95"]
    assert CoatedContactResult.model_validate(found).document() == found
    assert [one["verdict"] for one in found["contacts"]] == ["within the windows"] * 2
    assert found["outside_of_model"] is False
    assert {"LiNbO3.saturation", "Li3PS4.band_gap_eV"} <= set(found["assumed"])


def test_a_coated_contact_says_what_a_plain_one_says(interohm):
    """Charged LiCoO2 may be outside of the niobate's window, and the sulfide's is within it."""
    options = ("--soc", "1", "--samples", "300")
    table = interohm("contact", "LiCoO2", "Li3PS4", "--coating", "LiNbO3:5", *options).out
    assert "LiCoO2 | LiNbO3 (5 nm) | Li3PS4   (300 K, state of charge 1)" in table
    assert "nominal R (Ω·cm²)   median R (Ω·cm²)" in table
    plain = interohm("contact", "LiCoO2", "Li3PS4", *options).out
    words = (
        "next: ",
        "assumed, neither measured nor calculated: contact barrier of ",
        "electrode_conductivity: ",
        "outside of the stability window of ",
        "numbers of Li3PS4",
        "potentials: relative to the neutral mobile metal, record Li",
    )
    for said in words:
        assert said in plain
        assert said in table
    assert "of LiNbO3, whose limits are uncertain by 0.4 V: LiNbO3 may decompose" in table
    assert "the windows of LiNbO3 and Li3PS4 overlap by 0.6 V" in table
    assert "likely below" in table
    # without the coating, and with one that surely decomposes, no number is a recommendation
    lipon = interohm("contact", "LiCoO2", "Li3PS4", "--coating", "LiPON:5", *options).out
    assert "of LiPON: LiPON decomposes" in lipon
    assert "it decomposes" in plain
    for said, contact in ((plain, "LiCoO2 | Li3PS4"), (lipon, "LiCoO2 | LiPON")):
        assert f"{contact} is outside of this model: " in said
        assert "likely below" not in said


@pytest.mark.parametrize(
    ("left", "said"), [("LiCoO2", "(300 K, state of charge 0)"), ("Li", "(300 K)")]
)
@pytest.mark.parametrize("coating", [(), ("--coating", "LiF_001:5")])
def test_the_state_of_charge_is_told_where_there_is_one(interohm, left, said, coating):
    """Of an electrode with a curve also if it is 0; lithium metal has none."""
    ran = interohm("contact", left, "LLZO", *coating, "--samples", "0")
    assert ran.code == 0, ran.err
    assert said in ran.out


@pytest.mark.parametrize(
    ("coating", "message"),
    [
        ("LiNbO3", "not a name and a thickness"),
        ("LiNbO3:thick", "not a name and a thickness"),
        ("LiNbO3:-1", "positive"),
        ("LiC6:5", "is a metal"),
    ],
)
def test_coatings_that_make_no_sense(refused, coating, message):
    assert message in refused("contact", "LiCoO2", "Li3PS4", "--coating", coating)


def test_the_help_says_what_a_coated_contact_prints(interohm):
    said = " ".join(interohm("contact", "--help").out.split())
    assert "With --coating: the resistance with its parts" in said


def test_options_that_do_not_go_with_a_coating(refused, tmp_path):
    text = refused(
        "contact", "Li", "LLZO", "--coating", "LiF:5", "--report", tmp_path / "report.html"
    )
    assert "--report cannot be combined with --coating" in text


def test_structures_are_of_records_that_are_there(tmp_path):
    from interohm.cli.next_campaign import structures_of

    config = tmp_path / "design.yaml"
    (tmp_path / "a.cif").write_text("")
    records = ["LiCoO2", "LiCl_001", "Li2O_110", "Li2O_111", "mine"]
    found = structures_of(
        {"LiCl": "a.cif", "mine.yaml": "a.cif"}, config, records, {"mine.yaml": "mine"}
    )
    assert found == {"LiCl_001": tmp_path / "a.cif", "mine": tmp_path / "a.cif"}
    for name, said in (("Li2O", "Li2O_110 or Li2O_111"), ("LiCoO3", "LiCoO2"), ("x", "mine")):
        with pytest.raises(InputError, match="none of the records is called") as error:
            structures_of({name: "a.cif"}, config, records)
        assert said in error.value.fix
    with pytest.raises(InputError, match="there is no file"):
        structures_of({"mine": "b.cif"}, config, records)
