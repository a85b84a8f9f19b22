"""`import interohm`: a dozen names, each with an example that runs, and errors that help."""

from __future__ import annotations

import doctest
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import interohm
from interohm import api
from interohm.database import database as database_module
from interohm.records import save_material
from interohm.records.shipped import shipped_material

ROOT = Path(__file__).parents[2]


def examples() -> dict[str, doctest.DocTest]:
    found = {}
    for module in (interohm, api):
        for test in doctest.DocTestFinder(recurse=module is api).find(module):
            if test.examples:
                found[test.name] = test
    for test in doctest.DocTestFinder().find(database_module.Database, "Database"):
        if test.examples:
            found[test.name] = test
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran = doctest.DocTestRunner().run(EXAMPLES[name])
    assert ran.attempted
    assert ran.failed == 0, capsys.readouterr().out


def test_every_name_is_there_and_has_words() -> None:
    assert len(interohm.__all__) <= 24
    shown = "".join(example.source for test in EXAMPLES.values() for example in test.examples)
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    for name in interohm.__all__:
        assert getattr(interohm, name).__doc__
        assert name in dir(interohm)
        assert f"interohm.{name}" in shown + page, name
    with pytest.raises(AttributeError, match="predict_nothing"):
        interohm.predict_nothing  # noqa: B018


def test_the_import_is_cheap() -> None:
    code = "import sys, interohm; print([m for m in ('numpy', 'pydantic') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["slab_builders", "postprocess"])
def test_the_stages_export_theirs(package: str) -> None:
    module = importlib.import_module(f"interohm.{package}")
    for name in module.__all__:
        assert getattr(module, name).__doc__
        assert name in dir(module)


@pytest.fixture(scope="module")
def contact() -> Any:
    return interohm.predict_contact("Li", shipped_material("LLZO"), samples=30)


def test_a_contact_is_that_of_the_command_line(interohm: Any) -> None:
    import interohm as front

    printed = json.loads(interohm("contact", "Li", "LLZO", "--json").out)
    assert front.predict_contact("Li", "LLZO").document() == printed


def test_names_paths_and_records_are_the_same(tmp_path: Path, contact: Any) -> None:
    path = tmp_path / "garnet.yaml"
    save_material(shipped_material("LLZO"), path)
    by_path = interohm.predict_contact(interohm.load_record("Li"), path, samples=30)
    assert by_path.document() == contact.document()


def test_a_contact_is_drawn_reported_and_tabled(contact: Any, tmp_path: Path) -> None:
    figure = contact.plot()
    names = [trace.name for trace in figure.data]
    assert "conduction band edge" in names
    contact.report(tmp_path / "contact.html")
    assert "Li | LLZO" in (tmp_path / "contact.html").read_text(encoding="utf-8")
    frame = contact.to_frame()
    assert frame.shape[0] == 1
    assert frame["resistance.total_ohm_cm2"][0] == contact.resistance.total_ohm_cm2
    curves = contact.profile.to_frame()
    assert len(curves) == len(contact.profile.x_nm)
    assert curves["concentrations_cm3.Li_i"].min() > 0
    assert "interface resistance" in repr(contact)
    assert len(repr(contact)) < 200
    assert "<table>" in contact._repr_html_()
    assert "<script" not in contact._repr_html_()


def test_a_result_that_was_kept_says_what_its_report_needs(contact: Any, tmp_path: Path) -> None:
    kept = interohm.ContactResult.read(contact.document())
    assert kept.plot().data
    with pytest.raises(interohm.InputError, match="does not hold its records"):
        kept.report(tmp_path / "contact.html")
    pair = [interohm.load_record(name) for name in ("Li", "LLZO")]
    kept.with_records(*pair).report(tmp_path / "contact.html")
    assert (tmp_path / "contact.html").exists()


def test_a_cell_is_drawn_reported_and_tabled(tmp_path: Path) -> None:
    layers = [{"material": name, "thickness_nm": 500} for name in ("Li", "garnet", "LiCoO2")]
    described = {"name": "small <cell>", "states_of_charge": [0.0, 1.0], "layers": layers}
    with pytest.raises(interohm.InputError, match=r"layers\[1\]\.material"):
        interohm.predict_cell(described, samples=0)
    records = ["Li", shipped_material("LLZO"), "LiCoO2"]
    cell = interohm.predict_cell(described, records=records, samples=0)
    assert cell.plot().data
    assert cell.plot(0.0).to_dict() != cell.plot(1.0).to_dict()
    with pytest.raises(interohm.InputError, match="state_of_charge"):
        cell.plot(0.3)
    cell.report(tmp_path / "cell.html")
    assert "small &lt;cell&gt;" in (tmp_path / "cell.html").read_text(encoding="utf-8")
    assert cell.to_frame()["state_of_charge"].tolist() == [0.0, 1.0]
    assert "small &lt;cell&gt;" in cell._repr_html_()


def test_what_is_kept_hides_what_is_shipped_and_says_so() -> None:
    own = shipped_material("LLZO").model_copy(update={"surface": "(110)"})
    with interohm.Database.open(write=True) as database:
        database.save_material(own)
    with pytest.warns(UserWarning, match="hides the shipped LLZO"):
        assert interohm.load_record("LLZO") == own


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: interohm.predict_contact(3, "LLZO"), "left"),
        (lambda: interohm.predict_contact("Li", None), "right"),
        (lambda: interohm.predict_contact("Li", "LZO"), "right"),
        (lambda: interohm.predict_contact("Li", "LLZO", temperature_K="warm"), "temperature_K"),
        (lambda: interohm.predict_contact("Li", "LLZO", temperature_K=-3), "temperature_K"),
        (lambda: interohm.predict_contact("Li", "LLZO", state_of_charge=2), "state_of_charge"),
        (lambda: interohm.predict_contact("Li", "LLZO", thickness_nm=[1]), "thickness_nm"),
        (lambda: interohm.predict_contact("Li", "LLZO", barrier_eV="0.3 eV"), "barrier_eV"),
        (lambda: interohm.predict_contact("Li", "LLZO", samples=1.5), "samples"),
        (lambda: interohm.predict_contact("Li", "LLZO", samples=True), "samples"),
        (lambda: interohm.predict_contact("Li", "LiCoO2"), "contact"),
        (lambda: interohm.predict_cell(4), "cell"),
        (lambda: interohm.predict_cell({"name": "none"}), "cell"),
        (lambda: interohm.predict_cell("nowhere.yaml"), "nowhere"),
        (lambda: interohm.screen([]), "screening"),
        (lambda: interohm.screen({}), "screening"),
        (lambda: interohm.load_record(["Li"]), "name_or_path"),
        (lambda: interohm.load_record("nothing"), "record"),
        (lambda: interohm.ContactResult.read({"left": 1}), "result"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, where: str) -> None:
    with pytest.raises(interohm.InputError) as refused:
        call()
    assert where in str(refused.value)
    assert refused.value.fix
