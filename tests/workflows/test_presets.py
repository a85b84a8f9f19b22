"""Presets that state their differences from another one."""

from __future__ import annotations

from pathlib import Path

import pytest
from interohm.workflows.presets import SHIPPED_PRESETS, Preset, load_preset

from interohm.errors import InputError


def test_only_what_is_stated_differs(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "name: own\n"
        "based_on: production\n"
        "insulator: {defects: {min_atoms: 128, relaxation: {force_tolerance_eV_A: 0.01}}}\n"
    )
    own, base = load_preset("own.yaml", folder=tmp_path), load_preset("production")
    assert isinstance(own, Preset)
    assert isinstance(base, Preset)
    defects = base.insulator.defects
    assert defects.min_atoms != 128
    relaxation = defects.relaxation.model_copy(update={"force_tolerance_eV_A": 0.01})
    changed = defects.model_copy(update={"min_atoms": 128, "relaxation": relaxation})
    insulator = base.insulator.model_copy(update={"defects": changed})
    assert own == base.model_copy(update={"name": "own", "insulator": insulator})


def test_the_base_may_be_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("name: base\nbased_on: quick\nxc: PBEsol\n")
    base = load_preset("base.yaml", folder=tmp_path)
    assert base == load_preset("quick").model_copy(update={"name": "base", "xc": "PBEsol"})
    (tmp_path / "own.yaml").write_text("name: own\nbased_on: base.yaml\n")
    with pytest.raises(InputError, match=r"own\.yaml: based_on: base\.yaml is itself based on"):
        load_preset("own.yaml", folder=tmp_path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("based_on: [quick]", "based_on: .* is no preset"),
        ("based_on: null", "based_on: None is no preset"),
        ("based_on: own.yaml", "based_on: the preset is based on itself"),
        ("based_on: fastest", "no preset 'fastest'"),
        ("based_on: missing.yaml", "missing.yaml"),
        ("based_on: quick\ninsulator: {defects: {atoms: 3}}", "atoms: "),
        ("based_on: quick\ninsulator: 3", "given: 3"),
    ],
)
def test_a_wrong_base_is_refused(line: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(f"name: own\n{line}\n")
    with pytest.raises(InputError, match=reason):
        load_preset("own.yaml", folder=tmp_path)


def test_what_is_changed_has_a_name_of_its_own(tmp_path: Path) -> None:
    """By its name alone a record says what it was calculated with."""
    rough = "insulator: {defects: {relaxation: {force_tolerance_eV_A: 0.5}}}\n"
    own = tmp_path / "own.yaml"
    own.write_text(f"based_on: production\n{rough}")
    with pytest.raises(InputError, match="name: missing field"):
        load_preset(str(own))
    for name in ("production", "quick"):
        own.write_text(f"name: {name}\nbased_on: production\n{rough}")
        with pytest.raises(InputError, match=f"name: {name} is the shipped preset"):
            load_preset(str(own))
    shipped = SHIPPED_PRESETS / "production.yaml"
    own.write_text(shipped.read_text().replace("min_atoms: 64", "min_atoms: 32"))
    with pytest.raises(InputError, match="name: production is the shipped preset"):
        load_preset(str(own))
    own.write_text(f"# A copy.\n{shipped.read_text()}")
    assert load_preset(str(own)) == load_preset("production") == load_preset(str(shipped))
