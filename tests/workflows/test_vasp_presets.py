"""The preset of VASP, and what is refused in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from interohm.errors import InputError
from interohm.workflows.presets import PRESET, load_preset

SHIPPED = (Path(__file__).parents[2] / "configs" / "presets" / "vasp.yaml").read_text()


def test_the_shipped_preset_passes_through_a_job() -> None:
    preset = load_preset("vasp")
    assert preset.engine == "vasp"
    assert PRESET.validate_python(preset.model_dump(mode="json")) == preset


@pytest.mark.parametrize(
    ("given", "changed", "reason"),
    [
        ("xc: PBE\n", "xc: PBE0\n", "xc: .*PBEsol"),
        ("LVHAR: true, LAECHG: false, LCHARG: false, AMIN", "AMIN", "a slab needs LVHAR: true"),
        ("cutoff_eV: 520  ", "cutoff_eV: 400  ", "need one cutoff_eV"),
        ("input_set: defect_relax", "input_set: defects", "input_set: .*defect_relax"),
        ("symbols: {Li: Li_sv}", "symbols: [Li_sv]", "potcars.symbols"),
        ("engine: vasp", "engine: qe", "engine: there are no presets for 'qe'"),
        ("  migration_energy: {value_eV: 0.1", "  #", "migration_energy is calculated"),
        ("  dielectric_constant: {fraction", "  #", "dielectric_constant is calculated"),
        ("  voltage: {value_eV: 0.3", "  #", "voltage is calculated"),
        ("    min_atoms: 200\n", "", r"defects.min_atoms: missing field"),
    ],
)
def test_a_wrong_preset_is_refused(given: str, changed: str, reason: str, tmp_path: Path) -> None:
    assert given in SHIPPED
    (tmp_path / "own.yaml").write_text(SHIPPED.replace(given, changed))
    with pytest.raises(InputError, match=reason):
        load_preset("own.yaml", folder=tmp_path)
