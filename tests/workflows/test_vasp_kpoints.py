"""K-points of VASP's requests: rules of pymatgen's input sets, and points without weight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Kpoints
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.database import Database
from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.vasp import UnusableEnergy, read_vasp
from interohm.slab_builders.equivalence import settings_between
from interohm.workflows.campaign import dry_run, load_campaign
from interohm.workflows.engines import engine_named
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.engines.vasp_inputs import write_inputs
from interohm.workflows.engines.vasp_kpoints import kpoints_file
from interohm.workflows.engines.vasp_worker import as_requested
from interohm.workflows.equivalents import in_setting, setting_of
from interohm.workflows.vasp_presets import VaspStep

ROOT = Path(__file__).parents[2]
REAL = ROOT / "tests" / "data" / "vasp" / "real"
POTCARS = {"functional": "PBE_54", "symbols": {"Li": "Li_sv"}}
LIF = Structure(
    Lattice([[0, 2.03, 2.03], [2.03, 0, 2.03], [2.03, 2.03, 0]]),
    ["Li", "F"],
    [[0, 0, 0], [0.5, 0.5, 0.5]],
)
HEXAGONAL = Structure.from_spacegroup(
    "P6/mmm",
    Lattice.hexagonal(3.65, 3.88),
    ["Li", "Li", "N"],
    [[1 / 3, 2 / 3, 0], [0, 0, 0.5], [0] * 3],
)
GRID = {"comment": "", "nkpoints": 0, "generation_style": "Gamma", "kpoints": [[4, 4, 2]]}


def step(mesh: object, **incar: object) -> VaspStep:
    return VaspStep.model_validate(
        {
            "input_set": "static",
            "cutoff_eV": 400,
            "kpoint_length_A": 20,
            "potcars": POTCARS,
            "incar": {"ISMEAR": 0, **incar},
            **({} if mesh is None else {"user_kpoints_settings": mesh}),
        }
    )


def request(
    mesh: object = None, structure: Structure = LIF, *, axes: int = 3, **more: Any
) -> CalculationRequest:
    incar = more.pop("incar", {})
    settings = step(mesh, **incar).engine_settings("PBE", periodic_axes=axes) | more
    return engine_named("vasp").request(structure, "static", settings, 0)


@pytest.mark.parametrize(
    ("mesh", "expected"),
    [
        ({"length": 12}, {"kpoints": [6, 6, 6]}),
        # as pymatgen: 7000 points per atom of a cell of 2 atoms
        ({"grid_density": 7000}, {"kpoints": [15, 15, 15]}),
        (GRID, {"kpoints": [4, 4, 2]}),
        (
            GRID | {"generation_style": "Monkhorst"},
            {"kpoints": [4, 4, 2], "kpoint_shift": [0.5] * 3},
        ),
        (
            GRID | {"kpoints": [[4, 3, 2]], "generation_style": "Monkhorst"},
            {"kpoints": [4, 3, 2], "kpoint_shift": [0.5, 0.0, 0.5]},
        ),
        (
            Kpoints(
                style=Kpoints.supported_modes.Reciprocal,
                num_kpts=2,
                kpts=[(0, 0, 0), (0.5, 0, 0)],
                kpts_weights=[1, 3],
            ).as_dict(),
            {
                "kpoints": ["2 listed"],
                "kpoint_list": {
                    "points": [[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]],
                    "weights": [1.0, 3.0],
                },
            },
        ),
        (Kpoints.automatic(12).as_dict(), {"kpoints": [6, 6, 6]}),
        # Gamma and a point of the mesh need no place of their own.
        (
            {
                "reciprocal_density": 20,
                "added_kpoints": [[0, 0, 0], [0.123, 0, 0.5], [-0.25, 0, 1]],
            },
            {"kpoints": [8, 8, 8], "zero_weight_kpoints": [[0.123, 0.0, 0.5]]},
        ),
    ],
)
def test_what_pymatgens_input_sets_take(mesh: dict[str, Any], expected: dict[str, Any]) -> None:
    settings = request(mesh).settings
    own = {name: settings[name] for name in settings if "kpoint" in name}
    assert own == expected
    # a preset goes through jobs as plain values
    passed = step(mesh).model_dump(mode="json")
    assert VaspStep.model_validate(passed) == step(mesh)


@pytest.mark.parametrize(
    "mesh",
    [
        {"grid_density": 3000},
        {"grid_density": 3000, "force_gamma": False},
        {"reciprocal_density": 60, "force_gamma": False},
        {"grid_density": 700, "zero_weighted_line_density": 5},
        {"grid_density": 700, "zero_weighted_reciprocal_density": 90},
        {"grid_density": 700, "added_kpoints": [[0.1, 0.2, 0.3]]},
    ],
)
def test_the_points_are_those_of_atomate2(mesh: dict[str, Any]) -> None:
    from atomate2.vasp.sets.core import StaticSetGenerator

    theirs_of = {name: value for name, value in mesh.items() if name != "force_gamma"}
    theirs = (
        StaticSetGenerator(
            user_kpoints_settings=theirs_of,
            force_gamma=mesh.get("force_gamma", True),
            use_structure_charge=False,
        )
        .get_input_set(LIF, potcar_spec=True)
        .kpoints
    )
    settings = request(mesh).settings
    divisions = np.array(settings["kpoints"])
    ours = kpoints_file(LIF, settings)
    assert weights_of(ours, divisions) == weights_of(theirs, divisions)


def weights_of(file: Kpoints, mesh: np.ndarray) -> list[tuple[float, ...]]:
    """The weights of a mesh's points, and the points without weight that are none of its own."""
    if file.style.name != "Reciprocal":
        return [
            (float(count), step) for count, step in zip(file.kpts[0], file.kpts_shift, strict=True)
        ]
    pairs = list(zip(np.array(file.kpts), file.kpts_weights, strict=True))
    beside = {
        tuple(np.round(point % 1, 4) % 1)
        for point, weight in pairs
        if weight == 0 and np.abs(point * mesh - np.round(point * mesh)).max() > 1e-4
    }
    return [(float(weight),) for weight in sorted(w for _, w in pairs if w > 0)] + sorted(beside)


@pytest.mark.parametrize(
    ("mesh", "reason"),
    [
        (25, "give a mapping"),
        ({}, "give a mapping"),
        ({"grid": 7}, "know no grid; they have length"),
        ({"length": 20, "grid_density": 7}, "give one of length and grid_density"),
        ({"reciprocal_density": -1}, "reciprocal_density: give a number above zero"),
        ({"reciprocal_density": "dense"}, "reciprocal_density: give a number above zero"),
        ({"grid_density": float("nan")}, "grid_density: give a number above zero"),
        ({"line_density": 20}, "points along lines, or without weight, give no energy"),
        ({"line_density": 20, "reciprocal_density": 64}, "points along lines"),
        ({"added_kpoints": [[0, 0, 0]]}, "points along lines, or without weight"),
        ({"zero_weighted_line_density": 20}, "points along lines, or without weight"),
        ({"reciprocal_density": 64, "added_kpoints": [[0, 0]]}, "points of three fractions"),
        ({"reciprocal_density": 64, "added_kpoints": 3}, "points of three fractions"),
        ({"length": 20, "added_kpoints": [[0, 0, 0]]}, "length stands alone"),
        ({"length": 20, "force_gamma": False}, "centred on Gamma"),
        ({"reciprocal_density": 64, "force_gamma": 1}, "force_gamma: give true or false"),
        (
            {
                "reciprocal_density": 6,
                "zero_weighted_line_density": 5,
                "kpath_kwargs": {"path_type": "x"},
            },
            "pymatgen's input sets say",
        ),
        (GRID | {"kpoints": [[4, 4, 0]]}, "whole divisions"),
        (GRID | {"kpoints": [[4.5, 4, 4]]}, "whole divisions"),
        (
            GRID | {"generation_style": "Line_mode", "kpoints": [[0, 0, 0]]},
            "no comparable energy",
        ),
        (
            GRID | {"generation_style": "Cartesian", "kpoints": [[0, 0, 0]]},
            "no comparable energy",
        ),
        (GRID | {"generation_style": "Reciprocal"}, "each of the points a weight"),
        (
            GRID | {"generation_style": "Reciprocal", "kpoints": [[0, 0, 0]], "kpts_weights": [0]},
            "without weight give no energy",
        ),
        ({"generation_style": "nonsense"}, "this is not a Kpoints of pymatgen"),
    ],
)
def test_points_that_give_no_energy_are_refused(mesh: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        step(mesh)


def test_a_mesh_of_even_divisions_may_lie_beside_gamma() -> None:
    cubic = Structure(Lattice.cubic(4), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    even = request({"grid_density": 450, "force_gamma": False}, cubic)
    assert even.settings["kpoints"] == [6, 6, 6]
    assert even.settings["kpoint_shift"] == [0.5, 0.5, 0.5]
    file = kpoints_file(cubic, even.settings)
    assert (file.style.name, file.kpts_shift) == ("Gamma", (0.5, 0.5, 0.5))


def test_a_step_has_one_kind_of_points() -> None:
    plain = step(None).model_dump(mode="json")
    for changed in (
        plain | {"kpoint_length_A": None},
        plain | {"kpoints": {"counts": [4, 4, 4], "shift": [0, 0, 0]}},
        plain | {"kpoint_length_A": None, "kpoints": {"counts": [4, 4, 4]}},
        plain | {"kpoint_length_A": None, "kpoints": {"length": 20}},
    ):
        with pytest.raises(ValueError, match=r"give kpoint_length_A|give counts and shift"):
            VaspStep.model_validate(changed)


def test_a_slab_has_one_point_along_its_normal() -> None:
    slab = Structure(Lattice.tetragonal(4, 30), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0]])
    for mesh in ({"grid_density": 9000}, {"reciprocal_density": 500}):
        assert request(mesh, slab, axes=2).settings["kpoints"][2] == 1


@settings(deadline=None, max_examples=25)
@given(
    counts=st.tuples(*[st.integers(1, 5)] * 3),
    crystal=st.sampled_from([LIF, HEXAGONAL, LIF.copy().perturb(0.05)]),
)
def test_symmetry_leaves_as_many_points_as_spglib(
    counts: tuple[int, int, int], crystal: Structure
) -> None:
    mesh = {"kpoints": list(counts), "zero_weight_kpoints": [[0.111, 0.0, 0.0]]}
    file = kpoints_file(crystal, mesh)
    weights = file.kpts_weights
    assert weights[-1] == 0
    assert sum(weights) == np.prod(counts)
    analyzer = SpacegroupAnalyzer(crystal, symprec=1e-5)
    if counts[0] == counts[1] == counts[2]:  # with other counts the mesh lacks the symmetry
        theirs = analyzer.get_ir_reciprocal_mesh(counts)
        assert sorted(weights[:-1]) == sorted(weight for _, weight in theirs)
    # without symmetry k and −k are one, or not even these
    pairs = kpoints_file(crystal, mesh | {"incar": {"ISYM": 0}}).kpts_weights
    assert set(pairs) <= {0, 1, 2}
    alone = kpoints_file(crystal, mesh | {"incar": {"LSORBIT": True}}).kpts_weights
    assert len(alone) == np.prod(counts) + 1


def test_points_without_weight_stand_in_the_files(tmp_path: Path) -> None:
    edge = [0.413043, 0.0, 0.413043]
    asked = request(zero_weight_kpoints=[edge, [0, 0, 0]])
    assert asked.settings["zero_weight_kpoints"] == [edge]
    assert asked.settings["incar"]["NELMIN"] == 5
    write_inputs(asked, tmp_path)
    file = Kpoints.from_file(tmp_path / "KPOINTS")
    assert file.style.name == "Reciprocal"
    assert file.kpts[-1] == pytest.approx(edge)
    assert file.kpts_weights[-1] == 0
    assert sum(file.kpts_weights) == np.prod(asked.settings["kpoints"])
    # what the step says of it counts
    own = request(zero_weight_kpoints=[edge], incar={"NELMIN": 7})
    assert own.settings["incar"]["NELMIN"] == 7
    # points of the mesh alone change nothing
    assert request(zero_weight_kpoints=[[0, 0, 0]]).hash == request().hash
    assert asked.hash != request().hash
    with pytest.raises(InputError, match="ISMEAR = -5 needs a mesh"):
        request(zero_weight_kpoints=[edge], incar={"ISMEAR": -5})


def test_listed_points_are_those_of_one_cell() -> None:
    """A calculation is not taken for that of another cell in which its points are others."""
    turned = Structure(LIF.lattice, ["Li", "F"], [[0.25] * 3, [0.75] * 3])
    assert setting_of(request(structure=turned), request()) is not None
    points = {"zero_weight_kpoints": [[0.1, 0.2, 0.3]]}
    assert setting_of(request(structure=turned, **points), request(**points)) is None


def test_edges_are_read_from_all_points_and_the_energy_from_those_with_weight(
    tmp_path: Path,
) -> None:
    """HSE06 of silicon by atomate2: 16 points of the mesh, 164 along lines without weight."""
    with pytest.raises(UnusableEnergy, match="energy or forces are not numbers"):
        read_vasp(REAL / "hse_line")
    found = read_vasp(REAL / "hse_line", without_forces=True)
    assert found.settings["xc"] == "HSE06"
    assert found.settings["kpoints"] == ["16 listed", "164 without weight"]
    assert found.cbm_eV - found.vbm_eV == pytest.approx(1.196, abs=1e-3)
    valence, conduction = found.edge_kpoints
    assert valence == (0.0, 0.0, 0.0)
    assert conduction == pytest.approx((0.413, 0.0, 0.413), abs=1e-3)
    assert found.energy_eV == pytest.approx(-12.56405026)
    assert found.max_force_eV_A is None
    # the mesh alone, as a run without these points has it
    static = read_vasp(REAL / "Si_band_structure" / "static")
    assert static.edge_kpoints == ((0.0, 0.0, 0.0), (0.4, 0.4, 0.0))
    assert static.max_force_eV_A is not None


def test_a_worker_takes_a_run_with_points_without_weight() -> None:
    found = read_vasp(REAL / "hse_line", without_forces=True)
    settings = {
        "input_set": "hse_static",
        "cutoff_eV": 400,
        "kpoint_length_A": 15,
        "potcars": {"functional": "PBE_54", "symbols": {}},
        "incar": {"ISMEAR": 0},
        "periodic_axes": 3,
        "xc": "HSE06",
        "zero_weight_kpoints": [list(point) for point in found.edge_kpoints],
    }
    asked = engine_named("vasp").request(found.final_structure, "static", settings, 0)
    assert as_requested(found, asked).cbm_eV == found.cbm_eV


def test_a_campaign_compares_band_edges_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off the coarse mesh, the conduction band's point of the bulk goes into both functionals."""
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    path = tmp_path / "campaign.yaml"
    path.write_text(
        "name: edges\nengine: vasp\npreset: vasp\nmetal_structure: Li\nphases:\n"
        "  - {name: LiF, kind: insulator, structure: LiF, facet: [0, 0, 1],\n"
        "     dielectric_constant: 9.0}\n"
    )
    config = load_campaign(path)
    with Database.open(write=True) as database:
        rows = {row.label: row for row in dry_run(config, database)}
        hybrid = rows["LiF: band edges, HSE06"].request
        assert "zero_weight_kpoints" not in hybrid.settings
        bulk = read_vasp(REAL / "d3_static").model_copy(
            update={
                "hash": rows["LiF: bulk"].hash,
                "settings": rows["LiF: bulk"].request.settings,
                "initial_structure": rows["LiF: bulk"].request.structure,
                "structure": rows["LiF: bulk"].request.structure,
                "edge_kpoints": ((0.0, 0.0, 0.0), (0.45, 0.0, 0.45)),
            }
        )
        database.save_calculation(bulk.model_dump())
        rows = {row.label: row for row in dry_run(config, database)}
    assert rows["LiF: bulk"].found
    for label in ("LiF: band edges, HSE06", "LiF: band edges, PBE"):
        settings = rows[label].request.settings
        assert settings["zero_weight_kpoints"] == [[0.45, 0.0, 0.45]]
        assert settings["kpoints"] == hybrid.settings["kpoints"]
    stored = Calculation.model_validate(bulk.model_dump())
    assert stored.edge_kpoints == bulk.edge_kpoints


def test_the_edges_points_turn_with_the_cell() -> None:
    """In Cartesian coordinates k turns as the crystal does, whatever vectors its cell has."""
    other = read_vasp(REAL / "d3_static")
    given = other.final_structure
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    cell = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]])
    lattice = Lattice(cell @ given.lattice.matrix @ turn)
    asked = Structure(lattice, given.species, given.frac_coords @ np.linalg.inv(cell))
    setting = next(iter(settings_between(asked, Structure.from_dict(other.initial_structure))))
    points = ((0.1, 0.2, 0.3), (0.5, 0.0, 0.0))
    turned = in_setting(other.model_copy(update={"edge_kpoints": points}), setting)
    for before, after in zip(points, turned.edge_kpoints, strict=True):
        k = np.array(before) @ given.lattice.reciprocal_lattice.matrix @ setting.rotation
        assert np.array(after) @ lattice.reciprocal_lattice.matrix == pytest.approx(k, abs=1e-4)


@pytest.mark.dft
def test_gpaw_says_where_the_edges_are() -> None:
    """Silicon on a mesh of 4: valence band at Gamma, conduction band at X."""
    from ase.build import bulk
    from gpaw import GPAW, PW, FermiDirac

    from interohm.workflows.engines.gpaw_output import _edges

    silicon = bulk("Si", "diamond", a=5.43)
    silicon.calc = GPAW(
        mode=PW(200),
        xc="PBE",
        kpts={"size": (4, 4, 4), "gamma": True},
        occupations=FermiDirac(0.02),
        nbands=8,
        txt=None,
    )
    silicon.get_potential_energy()
    vbm, cbm, points = _edges(silicon.calc, 8.0, 0.02)
    assert 0.4 < cbm - vbm < 0.8
    assert points[0] == (0.0, 0.0, 0.0)
    assert sorted(abs(one) for one in points[1]) == [0.0, 0.5, 0.5]
