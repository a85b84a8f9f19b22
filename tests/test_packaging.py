"""What is installed is what is in the folders, and what is optional is named where it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from interohm.errors import InputError
from interohm.extras import EXTRAS, missing_packages, require

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
STAGES = ("slab_builders", "workflows", "postprocess", "device_models", "screening", "configs")


def test_every_package_is_installed() -> None:
    """The editable install hides a package that the list lacks; a wheel does not have it."""
    tool = PROJECT["tool"]["setuptools"]
    folders = {
        folder: path.parent.relative_to(ROOT).as_posix()
        for root in ("interohm", *STAGES)
        for path in (ROOT / root).rglob("__init__.py")
        if (
            folder := ("" if root == "interohm" else "interohm.")
            + path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        )
    }
    assert set(tool["packages"]) == set(folders)
    outside = {name: path for name, path in folders.items() if not path.startswith("interohm/")}
    assert tool["package-dir"] == outside


def test_every_kind_of_data_file_is_installed() -> None:
    data = PROJECT["tool"]["setuptools"]["package-data"]
    kinds = {pattern.removeprefix("**/") for pattern in data["interohm.configs"]}
    for path in (ROOT / "configs").rglob("*"):
        if path.is_file() and path.suffix not in (".py", ".pyc", ".md"):
            assert any(path.match(kind) for kind in kinds), path


def test_extras_are_those_of_the_project() -> None:
    declared = PROJECT["project"]["optional-dependencies"]
    for extra, packages in EXTRAS.items():
        required = {line.split(">")[0] for line in declared[extra]} - {"interohm[defects]"}
        assert required == set(packages.values()), extra
    base = {line.split(">")[0] for line in PROJECT["project"]["dependencies"]}
    assert not base & {package for of in EXTRAS.values() for package in of.values()}


BLOCKED = """
import sys
for name in {modules}:
    sys.modules[name] = None
import tempfile, os
from interohm.cli import main
main({arguments})
"""

#: A command that needs an extra, with what its error names.
NEEDS = {
    "explore": (["explore", "--no-browser"], "the explorer needs dash and dash-ag-grid"),
    "parquet": (["export", "contacts", "-o", "x.parquet"], "writing Parquet needs pyarrow and"),
    "parquet, query": (["query", "table.parquet"], "reading a Parquet table needs pyarrow and"),
    "parquet, screen": (["screen", "SCREEN", "--table"], "a table of all cells needs pyarrow and"),
    "gpaw": (["run", "CAMPAIGN"], "the engine gpaw is not installed (gpaw, gpaw-data missing)"),
    "vasp": (["run", "VASP", "--dry-run"], "the engine vasp needs atomate2 and custodian"),
    "defects": (["run", "INSULATOR", "--dry-run"], "phases[1] LiF: finding the sites of defects"),
    "defects, design": (["design", "DESIGN", "--next", "x.yaml"], "--next: planning the"),
    "defects, screen": (["screen", "SCREEN", "--next", "x.yaml"], "--next: planning the"),
}


def without(extras: tuple[str, ...], arguments: list[str], folder: Path) -> tuple[int, str, str]:
    """Run a command line where some extras cannot be imported."""
    modules = [module for extra in extras for module in EXTRAS[extra]]
    environment = {**os.environ, "PYTHONPATH": "", "INTEROHM_DATA": str(folder / "data")}
    environment["XDG_CACHE_HOME"] = str(folder / "cache")
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED.format(modules=modules, arguments=arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        check=False,
    )
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize("case", NEEDS)
def test_what_is_missing_is_named_with_the_command_that_installs_it(
    case: str, tmp_path: Path
) -> None:
    extra = case.partition(",")[0]
    arguments, message = NEEDS[case]
    (tmp_path / "table.parquet").write_bytes(b"")
    lithium = ROOT / "configs/structures/Li.cif"
    for engine, preset in (("gpaw", "quick"), ("vasp", "vasp")):
        (tmp_path / f"{engine}.yaml").write_text(
            f"name: lithium\nengine: {engine}\npreset: {preset}\nmobile_ion: Li\n"
            f"metal_structure: {lithium}\nphases: [{{name: Li, kind: metal, "
            f"structure: {lithium}, facet: [1, 1, 0]}}]\n"
        )
    crystal = (
        f"\n- {{name: LiF, kind: insulator, structure: {ROOT}/configs/structures/LiF.cif, "
        "facet: [0, 0, 1], dielectric_constant: calculate}\n"
    )
    (tmp_path / "insulator.yaml").write_text(
        (tmp_path / "gpaw.yaml").read_text().replace("phases: [{", "phases:\n- {")[:-2] + crystal
    )
    places = {
        "SCREEN": str(ROOT / "configs/campaigns/screen48.yaml"),
        "DESIGN": str(ROOT / "configs/examples/design.yaml"),
        "CAMPAIGN": "gpaw.yaml",
        "VASP": "vasp.yaml",
        "INSULATOR": "insulator.yaml",
    }
    code, out, err = without((extra,), [places.get(one, one) for one in arguments], tmp_path)
    assert code == 2, err
    assert message in err
    assert f"pip install 'interohm[{extra}]'" in err
    assert out == ""
    assert not list(tmp_path.glob("x.*"))


@pytest.mark.parametrize("command", ["run", "submit"])
def test_a_dry_run_needs_no_engine(command: str, tmp_path: Path) -> None:
    lithium = ROOT / "configs/structures/Li.cif"
    (tmp_path / "lithium.yaml").write_text(
        "name: lithium\nengine: gpaw\npreset: quick\nmobile_ion: Li\n"
        f"metal_structure: {lithium}\nphases: [{{name: Li, kind: metal, "
        f"structure: {lithium}, facet: [1, 1, 0]}}]\n"
    )
    arguments = [command, str(tmp_path / "lithium.yaml"), "--dry-run"]
    folders = [tmp_path / name for name in ("with", "without")]
    for folder in folders:  # each with a cache of plans of its own
        folder.mkdir()
    with_gpaw = without((), arguments, folders[0])
    without_gpaw = without(("gpaw",), arguments, folders[1])
    assert without_gpaw[0] == 0, without_gpaw[2]
    assert without_gpaw[:2] == with_gpaw[:2]


def test_defects_without_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from pymatgen.core import Structure

    from interohm.slab_builders.defects import interstitial_sites, vacancy_sites

    crystal = Structure.from_file(ROOT / "configs/structures/LiF.cif")
    monkeypatch.setitem(sys.modules, "pymatgen.analysis.defects", None)
    for find in (vacancy_sites, interstitial_sites):
        with pytest.raises(InputError, match="pymatgen-analysis-defects") as caught:
            find(crystal, "Li")
        assert caught.value.fix == "pip install 'interohm[defects]'"


def test_a_screening_without_parquet_says_what_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "screen.yaml").write_text(
        "name: small\nnegative_electrodes: [Li]\nelectrolytes: [LLZO]\n"
        "positive_electrodes: [LiCoO2]\nelectrolyte_thickness_nm: 1e4\nsamples: 0\n"
    )
    code, out, err = without(
        ("parquet", "defects", "explore", "vasp", "gpaw"), ["screen", "screen.yaml"], tmp_path
    )
    assert code == 0, err
    assert "LLZO" in out
    assert "without contacts.parquet, which needs pyarrow and duckdb" in err
    assert not list(tmp_path.rglob("*.parquet"))


def test_an_installed_extra_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_packages("parquet") == []
    require("parquet", "a table")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert missing_packages("parquet") == ["duckdb"]
