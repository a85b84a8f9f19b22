"""Presets that state their differences from another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from interohm.errors import InputError
from interohm.postprocess.materials import Uncertainties
from interohm.workflows.molecules import corrections_of
from interohm.workflows.presets import SHIPPED_PRESETS, Preset, load_preset


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
    shipped = (SHIPPED_PRESETS / "quick.yaml").read_text()
    (tmp_path / "base.yaml").write_text(shipped.replace("name: quick", "name: base"))
    (tmp_path / "own.yaml").write_text("name: own\nbased_on: base.yaml\n")
    own = load_preset("own.yaml", folder=tmp_path)
    assert own == load_preset("quick").model_copy(update={"name": "own"})
    (tmp_path / "base.yaml").write_text("name: base\nbased_on: quick\n")
    with pytest.raises(InputError, match=r"own\.yaml: based_on: base\.yaml is itself based on"):
        load_preset("own.yaml", folder=tmp_path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("based_on: [quick]", "based_on: .* is not a preset"),
        ("based_on: null", "based_on: None is not a preset"),
        ("based_on: own.yaml", "based_on: the preset is based on itself"),
        ("based_on: fastest", "no preset 'fastest'"),
        ("based_on: missing.yaml", "missing.yaml"),
        ("based_on: quick\ninsulator: {defects: {atoms: 3}}", r": insulator\.defects\.atoms: unkn"),
        ("engine: gpaw", "; insulator: missing field; metal: missing field"),
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


def test_what_belongs_to_a_functional_is_not_taken_over_for_another(tmp_path: Path) -> None:
    """Corrections were fitted to PBE's energies, and uncertainties estimated for PBE."""
    own = tmp_path / "own.yaml"
    head = "name: own\nbased_on: production\nxc: LDA\n"
    own.write_text(head)
    with pytest.raises(InputError, match="corrections_per_atom and uncertainties: those of prod"):
        load_preset(str(own))
    source = "source: 'assumed, LDA'"
    stated = {
        field: f"{{{unit}: 0.7, {source}}}"
        for field, unit in {
            **dict.fromkeys(Uncertainties.model_fields, "value_eV"),
            "dielectric_constant": "fraction",
        }.items()
    }
    mine = "".join(f"  {field}: {value}\n" for field, value in stated.items())
    own.write_text(f"{head}uncertainties:\n{mine}")
    with pytest.raises(InputError, match=r"own\.yaml: corrections_per_atom: those of production"):
        load_preset(str(own))
    own.write_text(f"{head}corrections_per_atom: {{}}\nuncertainties:\n{mine}")
    preset = load_preset(str(own))
    assert preset.corrections_per_atom == {}
    assert preset.uncertainties.band_gap.source == "assumed, LDA"
    # Nor is a part that the file does not state.
    own.write_text(f"{head}corrections_per_atom: {{}}\nuncertainties: {{}}\n")
    with pytest.raises(InputError, match=r"uncertainties\.band_gap: missing field"):
        load_preset(str(own))
    # The shipped ones have the functional of their base.
    derived = [path.stem for path in SHIPPED_PRESETS.glob("production_*.yaml")]
    assert len(derived) >= 5
    for name in derived:
        assert (
            load_preset(name).corrections_per_atom == load_preset("production").corrections_per_atom
        )


def test_one_correction_can_be_dropped(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "name: own\nbased_on: production\ncorrections_per_atom: {I2: []}\n"
    )
    corrections = corrections_of(load_preset("own.yaml", folder=tmp_path), ["I2", "F2"])
    assert (corrections["I2"].value_eV, corrections["I2"].uncertainty_eV) == (0, 0.5)
    assert corrections["F2"].value_eV == 0.462
