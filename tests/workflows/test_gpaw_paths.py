"""Migration barriers and dielectric response with GPAW, in the smallest cells that have them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Structure

from interohm.postprocess.barriers import migration_energy
from interohm.postprocess.dielectric import mean_dielectric_constant, static_dielectric_tensor
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.hops import after_hop, vacancy_hop
from interohm.workflows.engines import engine_named
from interohm.workflows.presets import load_preset

CONFIGS = Path(__file__).parents[2] / "configs"
PRESET = Path(__file__).parents[1] / "data" / "presets" / "tiny.yaml"

pytestmark = pytest.mark.dft


def test_a_vacancy_of_lithium_oxide_hops_over_a_barrier_and_goes_on_after_a_kill(
    tmp_path: Path,
) -> None:
    perfect = Crystal.from_structure(
        Structure.from_file(CONFIGS / "structures" / "Li2O.cif")
    ).conventional
    before = perfect.copy()
    before.remove_sites([0])
    # As relaxed with these settings: the four oxygens beside the vacancy move away by 0.168 Å.
    for oxygen in perfect.get_neighbors(perfect[0], 2.2):
        away = (oxygen.coords - perfect[0].coords) / oxygen.nn_distance
        before.translate_sites([oxygen.index - 1], 0.168 * away, frac_coords=False)
    hop = vacancy_hop(perfect, 0, before)
    preset = load_preset(str(PRESET))
    step = preset.insulator.hop
    settings = {
        **preset.insulator.defects.engine_settings(preset.xc),
        "relaxation": step.relaxation.model_dump(mode="json"),
        "path": {
            "images": step.images,
            "spring_eV_A2": step.spring_eV_A2,
            "end_positions_A": after_hop(perfect, hop, before).cart_coords.round(5).tolist(),
        },
    }
    engine = engine_named("gpaw")
    request = engine.request(before, "neb", settings, -1)

    first = engine.start(request, tmp_path)
    while not (tmp_path / "status.json").exists() and not first.finished():
        time.sleep(0.05)
    first.stop()
    steps_before = (tmp_path / "status.json").read_text()
    run = engine.start(request, tmp_path)
    run.wait()
    result = run.result()

    assert '"ionic_step": 1' in steps_before
    assert result.kind == "neb"
    assert result.path is not None
    assert result.path.symmetric
    assert result.path.energies_eV[0] == pytest.approx(result.path.energies_eV[-1], abs=1e-9)
    # 0.270 eV where the path relaxes to 0.1 eV/Å, with one image and with three.
    assert migration_energy(result) == pytest.approx(0.27, abs=0.03)
    # The structure is the saddle's: the ion half-way between its two sites.
    ends = [before.cart_coords, after_hop(perfect, hop, before).cart_coords]
    ion = int(np.linalg.norm(ends[1] - ends[0], axis=1).argmax())
    saddle = result.final_structure.cart_coords[ion]
    lattice = before.lattice
    apart = [
        lattice.get_distance_and_image(
            lattice.get_fractional_coords(saddle), lattice.get_fractional_coords(end[ion])
        )[0]
        for end in ends
    ]
    assert apart[0] == pytest.approx(apart[1], abs=0.02)


def test_lithium_fluoride_screens_by_electrons_and_ions(tmp_path: Path) -> None:
    crystal = Crystal.from_structure(Structure.from_file(CONFIGS / "structures" / "LiF.cif"))
    preset = load_preset(str(PRESET))
    settings = preset.insulator.dielectric.engine_settings(preset.xc)
    engine = engine_named("gpaw")
    run = engine.start(engine.request(crystal.primitive, "dielectric", settings, 0), tmp_path)
    run.wait()
    result = run.result()
    assert result.response is not None
    # The atoms' charges are nearly the ions', +1 and -1, and add up to nothing (the sum rule).
    charges = {
        site.specie.symbol: np.array(charge)
        for site, charge in zip(result.final_structure, result.response.born_charges, strict=True)
    }
    assert np.allclose(charges["Li"], charges["Li"][0, 0] * np.eye(3), atol=1e-3)
    assert charges["Li"][0, 0] == pytest.approx(1.05, abs=0.05)
    assert np.allclose(charges["Li"] + charges["F"], 0, atol=0.03)
    # Measured 1.93 and 9.0; few k-points, a low cutoff, and the crystal's measured lattice.
    assert np.trace(result.response.electronic) / 3 == pytest.approx(1.95, abs=0.2)
    assert mean_dielectric_constant(static_dielectric_tensor(result)) == pytest.approx(8, abs=1.5)
