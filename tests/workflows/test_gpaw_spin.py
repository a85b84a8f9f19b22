"""On-site repulsion and spin: where they enter a request, and what a calculation makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Lattice, Structure

from interohm.errors import InputError
from interohm.workflows.engines.gpaw import GpawEngine
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.presets import Preset, load_preset
from interohm.yaml_io import load_yaml

QUICK = Path(__file__).parents[2] / "configs" / "presets" / "quick.yaml"


def rock_salt(metal: str, anion: str, lattice_constant_A: float) -> Structure:
    lattice = Lattice.cubic(lattice_constant_A)
    sites = [[0, 0, 0], [0.5, 0.5, 0.5]]
    crystal = Structure.from_spacegroup("Fm-3m", lattice, [metal, anion], sites)
    return crystal.get_primitive_structure()


def quick() -> Preset:
    preset = load_preset("quick")
    assert isinstance(preset, Preset)
    return preset


def request(structure: Structure, **changes: Any) -> CalculationRequest:
    settings = quick().insulator.bulk.engine_settings("PBE") | changes
    return GpawEngine().request(structure, "static", settings, 0)


@pytest.mark.parametrize(
    ("structure", "repulsion", "moments"),
    [
        (rock_salt("Ni", "O", 4.17), {"Ni": {"d": 6.2}}, {"Ni": 5.0}),
        (rock_salt("Ni", "S", 4.9), None, {"Ni": 5.0}),
        (rock_salt("Li", "F", 4.03), None, None),
        (rock_salt("Mg", "O", 4.21), None, None),
        (Structure(Lattice.cubic(2.86), ["Fe"], [[0, 0, 0]]), None, {"Fe": 5.0}),
    ],
    ids=["NiO", "NiS", "LiF", "MgO", "Fe"],
)
def test_repulsion_in_oxides_and_spin_with_transition_metals(
    structure: Structure, repulsion: object, moments: object
) -> None:
    settings = request(structure).settings
    assert settings.get("hubbard_U_eV") == repulsion
    assert settings.get("magnetic_moments_muB") == moments


def test_a_preset_without_them_gives_other_phases_the_same_hash(tmp_path: Path) -> None:
    data = load_yaml(QUICK)
    del data["hubbard_U"], data["magnetic_moments"]
    step = Preset.model_validate(data).insulator.bulk.engine_settings("PBE")
    for structure, same in ((rock_salt("Li", "F", 4.03), True), (rock_salt("Ni", "O", 4.2), False)):
        bare = GpawEngine().request(structure, "static", step, 0)
        assert (bare.hash == request(structure).hash) is same


def test_a_preset_passes_through_a_job() -> None:
    preset = quick()
    assert Preset.model_validate(preset.model_dump(mode="json")) == preset
    assert preset.metal.bulk.hubbard_U == preset.insulator.defects.hubbard_U == preset.hubbard_U


@pytest.mark.parametrize(
    ("given", "changed", "reason"),
    [
        ("Co: {d: 3.32}", "Co: {g: 3.32}", "hubbard_U.*Co"),
        ("Co: {d: 3.32}", "Co: {d: -1}", "hubbard_U.*Co"),
        ("Co: 0.6", "cobalt: 0.6", "magnetic_moments.*cobalt"),
    ],
)
def test_a_wrong_preset_is_refused(given: str, changed: str, reason: str, tmp_path: Path) -> None:
    text = QUICK.read_text()
    assert given in text
    (tmp_path / "own.yaml").write_text(text.replace(given, changed))
    with pytest.raises(InputError, match=reason):
        load_preset("own.yaml", folder=tmp_path)


@pytest.mark.dft
def test_nickel_oxide_is_a_magnetic_insulator(tmp_path: Path) -> None:
    """The two spin channels fill different numbers of bands."""
    oxide = rock_salt("Ni", "O", 4.17)
    run = GpawEngine().start(request(oxide, kpoint_length_A=6, cutoff_eV=350), tmp_path)
    run.wait()
    found = run.result()
    assert found.magnetic_moments_muB is not None
    assert found.magnetic_moments_muB[0] == pytest.approx(1.8, abs=0.15)
    assert found.vbm_eV is not None
    assert found.cbm_eV is not None
    # 2.0 eV with a denser mesh. Counted without spin, 16 electrons would fill 8 bands of each.
    assert 1.0 < found.cbm_eV - found.vbm_eV < 3.5
    assert found.vbm_eV < found.fermi_level_eV < found.cbm_eV
