"""Defects that begin as ShakeNBreak has it: an extra of its own, which need not be here."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from interohm.database import Database
from interohm.errors import InputError
from interohm.workflows.campaign import CampaignConfig, campaign_flow, dry_run, load_campaign
from interohm.workflows.engines.vasp_distortions import (
    distorted,
    distorted_neighbours,
    rattle_of,
    require_shakenbreak,
)
from interohm.workflows.engines.vasp_inputs import write_inputs
from interohm.workflows.vasp_presets import ShakeNBreak

HERE = importlib.util.find_spec("shakenbreak") is not None
INSTALLED = pytest.mark.skipif(not HERE, reason="ShakeNBreak is not installed")
LIF = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.06), ["Li", "F"], [[0] * 3, [0.5] * 3])


def campaign(folder: Path, *, larger: str = "") -> CampaignConfig:
    """LiF with charge states between which its defects have or lack electrons."""
    (folder / "search.yaml").write_text(
        "name: search\nbased_on: vasp\n"
        "insulator: {defects: {min_atoms: 60, shakenbreak: {bond_distortions: [-0.3, 0.4]}}}\n"
    )
    path = folder / "campaign.yaml"
    path.write_text(
        "name: search\nengine: vasp\npreset: search.yaml\nmetal_structure: Li\nphases:\n"
        "  - {name: LiF, kind: insulator, structure: LiF, facet: [0, 0, 1],\n"
        f"     dielectric_constant: 9.0, charges: [-1, 0]{larger}}}\n"
    )
    return load_campaign(path)


@pytest.mark.skipif(HERE, reason="ShakeNBreak is installed")
def test_without_the_extra_it_is_named(tmp_path: Path) -> None:
    message = r"the preset needs shakenbreak, which is not installed"
    with pytest.raises(InputError, match=message) as caught:
        campaign_flow(campaign(tmp_path))
    assert "preset: defects, shakenbreak" in str(caught.value)
    assert "pip install 'interohm[shakenbreak]'" in str(caught.value)
    # a worker of another machine says the same
    with pytest.raises(InputError, match=message):
        distorted(LIF, {"position": [0] * 3, "vacancy": True})
    with pytest.raises(InputError, match=message):
        require_shakenbreak()


def test_each_distortion_is_a_candidate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planning needs no ShakeNBreak: it acts when the inputs are written."""
    monkeypatch.setattr("interohm.workflows.engines.vasp.require_shakenbreak", lambda: None)
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    config = campaign(tmp_path, larger=", second_supercell_min_atoms: 150")
    with Database.open(write=True) as database:
        rows = {row.label: row for row in dry_run(config, database)}
    starts = {
        label.removeprefix("LiF: "): row.request.settings["shakenbreak"]
        for label, row in rows.items()
        if "shakenbreak" in row.request.settings
    }
    first = {label: start for label, start in starts.items() if "atoms" not in label}
    # V_Li of charge −1 has all ions as they were: it is rattled once.
    assert first["V_Li -1"] == {
        "position": [0.0, 0.0, 0.0],
        "vacancy": True,
        "neighbours": 0,
        "bond_distortion": 0.0,
        "rattle_A": pytest.approx(0.2, abs=0.02),
    }
    assert [first[f"V_Li +0, bonds {bonds}"]["neighbours"] for bonds in ("-30%", "+40%")] == [1, 1]
    # V_F of charge −1 has two electrons more than its ion left behind
    assert first["V_F -1, bonds +40%"]["neighbours"] == 2
    assert not first["Li_i +1"]["vacancy"]
    assert len(first) == 3 + 2 * 5
    perfect = rows["LiF: perfect supercell"].request.settings
    assert not {"shakenbreak", "displacement_A"} & perfect.keys()
    assert not any("displacement_A" in row.request.settings for row in rows.values())
    assert len(starts) == len(first) + 8  # one of each charge state


def test_how_many_neighbours_are_distorted() -> None:
    assert [distorted_neighbours(n) for n in (0, 1, -1, 4, -4, 5, -6, 8)] == [
        0,
        1,
        1,
        4,
        4,
        3,
        2,
        0,
    ]
    assert rattle_of(LIF) == pytest.approx(0.20)
    assert rattle_of(Structure(Lattice.cubic(3.0), ["Li"], [[0] * 3])) == pytest.approx(0.30)


def test_distortions_are_shares_of_bonds_each_once() -> None:
    for wrong in ([], [-0.7], [0.1, 0.1], [float("nan")]):
        with pytest.raises(ValueError, match="bond_distortions"):
            ShakeNBreak(bond_distortions=wrong)


def vacancy() -> tuple[Structure, np.ndarray]:
    cell = LIF * (2, 2, 2)
    place = cell[0].frac_coords
    cell.remove_sites([0])
    return cell, place


def start(place: np.ndarray, bond_distortion: float, *, neighbours: int, vacancy: bool = True):
    return {
        "position": place.tolist(),
        "vacancy": vacancy,
        "neighbours": neighbours,
        "bond_distortion": bond_distortion,
        "rattle_A": 0.2,
    }


def moved_by(before: Structure, after: Structure) -> np.ndarray:
    assert before.species == after.species
    steps = after.frac_coords - before.frac_coords
    return np.linalg.norm((steps - np.round(steps)) @ before.lattice.matrix, axis=1)


@INSTALLED
def test_bonds_are_stretched_and_the_other_atoms_rattled() -> None:
    pytest.importorskip("shakenbreak")
    cell, place = vacancy()
    given = start(place, 0.4, neighbours=2)
    found = distorted(cell, given)
    bond = 4.06 / 2
    distances = cell.lattice.get_all_distances(place, cell.frac_coords)[0]
    after = cell.lattice.get_all_distances(place, found.frac_coords)[0]
    stretched = np.flatnonzero(np.isclose(after, 1.4 * bond) & np.isclose(distances, bond))
    assert len(stretched) == 2
    assert {found[int(i)].specie.symbol for i in stretched} == {"F"}
    others = np.delete(moved_by(cell, found), stretched)
    assert (others > 0).all()
    # 1.6 times the width, but for moves that would bring atoms too close
    assert 0.2 < others.mean() < 0.34
    # the same every time
    assert moved_by(found, distorted(cell, given)).max() < 1e-12
    # without bonds to distort it is rattled
    rattled = distorted(cell, start(place, 0.0, neighbours=0))
    assert (moved_by(cell, rattled) > 0).all()


@INSTALLED
def test_an_atom_that_was_added_stays_where_it_is() -> None:
    cell = LIF * (2, 2, 2)
    place = np.array([0.125] * 3)
    cell.append("Li", place)
    found = distorted(cell, start(place, -0.2, neighbours=1, vacancy=False))
    moved = moved_by(cell, found)
    assert moved[-1] == pytest.approx(0, abs=1e-9)
    bond = np.sqrt(3) / 8 * 8.12
    apart = cell.lattice.get_all_distances(place, found.frac_coords)[0][:-1]
    assert np.isclose(apart, 0.8 * bond).sum() == 1


@INSTALLED
def test_atoms_on_each_other_are_refused() -> None:
    cell = LIF * (2, 2, 2)
    place = np.array([0.125] * 3)
    cell.append("Li", place)
    with pytest.raises(InputError, match=r"a bond distortion of -0\.6 .* Å apart"):
        distorted(cell, start(place, -0.6, neighbours=4, vacancy=False))


@INSTALLED
def test_the_rule_is_shakenbreaks() -> None:
    from shakenbreak.input import _calc_number_neighbours

    for electrons in range(-8, 9):
        assert distorted_neighbours(electrons) == _calc_number_neighbours(electrons)


@INSTALLED
def test_inputs_begin_distorted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    with Database.open(write=True) as database:
        rows = {row.label: row for row in dry_run(campaign(tmp_path), database)}
    request = rows["LiF: V_Li +0, bonds +40%"].request
    write_inputs(request, tmp_path / "run")
    written = Structure.from_file(tmp_path / "run" / "POSCAR")
    place = np.zeros(3)
    apart = written.lattice.get_all_distances(place, written.frac_coords)[0]
    bond = written.lattice.a * 2 / round(written.lattice.a / 2.03) / 2
    assert np.isclose(apart, 1.4 * bond, atol=0.02).any()
    assert len(written) == len(request.initial_structure)
