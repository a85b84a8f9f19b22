"""Interfaces: what a campaign plans and refuses, and two tiny ones calculated with GPAW."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from scipy.integrate import quad
from scipy.interpolate import CubicSpline

from interohm.database import Database
from interohm.errors import InputError
from interohm.postprocess.interfaces import hop_across
from interohm.records.interface import Interface
from interohm.records.shipped import shipped_interfaces
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.hops import after_hop, vacancy_hop
from interohm.slab_builders.interfaces import best_match, find_matches, join
from interohm.workflows.calculations import find_calculation
from interohm.workflows.campaign import campaign_flow, dry_run, interface_plans, load_campaign
from interohm.workflows.campaign_config import CampaignConfig
from interohm.workflows.claims import claimed
from interohm.workflows.engines import engine_named
from interohm.workflows.export import write_records
from interohm.workflows.interface_jobs import side_of
from interohm.workflows.interface_record import _cell_error_eV
from interohm.workflows.local import run_campaign
from interohm.workflows.phase_diagram import known_crystals
from interohm.workflows.presets import load_preset

from .records_alike import assert_same_record

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = Path(__file__).parents[1] / "data" / "presets" / "tiny.yaml"
SHIPPED = sorted(path.stem for path in (CONFIGS / "interfaces").glob("*.yaml"))

pytestmark = pytest.mark.filterwarnings("ignore:Issues encountered")


def side(record: str, kind: str, facet: list[int]) -> dict[str, Any]:
    structure = record.split("_")[0]
    return {"record": record, "kind": kind, "structure": structure, "facet": facet}


def campaign(preset: str | Path = TINY, **fields: Any) -> CampaignConfig:
    phase: dict[str, Any] = {
        "kind": "interface",
        "name": "contact",
        "left": side("LiH_001", "insulator", [0, 0, 1]),
        "right": side("LiF_001", "insulator", [0, 0, 1]),
        "strained": "left",
    }
    return CampaignConfig.model_validate(
        {
            "name": "interfaces",
            "preset": str(preset),
            "metal_structure": "Li",
            "phases": [phase | fields],
        }
    )


def test_a_plan_says_what_is_joined_and_why_not_otherwise(database: Database) -> None:
    lines = interface_plans(campaign("production"), database)

    assert lines[0] == (
        "contact: 24 atoms, 8.3 Å²; LiH_001 is strained by +1.1 and +1.1 % in the plane "
        "(mean 0.7 %)"
    )
    assert "3 of 4 lateral shifts" in lines[1]
    assert any("left out: 48 atoms, 16.6 Å², mean strain 0.7%: more atoms" in one for one in lines)
    assert any("atoms are above 100" in one for one in lines)


def test_a_plan_lists_each_calculation_of_the_contact(database: Database) -> None:
    rows = {
        row.label.removeprefix("contact: "): row
        for row in dry_run(campaign("production", hop={"lateral_A": 4.0}), database)
    }

    assert rows["contact"].atoms == rows["shift 1"].atoms == 24
    assert rows["left side alone"].atoms == rows["right side alone"].atoms == 12
    assert (rows["hop across"].kind, rows["hop across"].charge) == ("neb", -1)
    assert rows["hop across"].atoms == rows["ion before its hop"].atoms == 31
    # Both sides are cut from crystals whose cells are shipped.
    assert rows["LiH: cell"].found
    assert rows["LiF: bulk"].found
    # What is compared has one cutoff.
    assert {
        rows[name].request.settings["cutoff_eV"] for name in ("contact", "left side alone")
    } == {500}


def test_beside_a_metal_the_cell_is_neutral(database: Database) -> None:
    config = campaign(
        "production",
        left=side("Li_110", "metal", [1, 1, 0]),
        right=side("Li2O_110", "insulator", [1, 1, 0]),
        strained=None,
        hop={"lateral_A": 4.0},
    )
    assert config.phases[0].strained == "left"  # type: ignore[union-attr]

    rows = {row.label.removeprefix("contact: "): row for row in dry_run(config, database)}

    assert rows["hop across"].charge == 0
    assert rows["hop across"].request.settings["smearing_eV"] == 0.1
    assert rows["slab of Li2O_110, relaxed"].request.settings["smearing_eV"] == 0.01


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"strained": None}, "name the side that is strained"),
        ({"max_strain": 0.5}, "max_strain"),
        ({"left": side("LiF", "insulator", [0, 0, 0])}, "is not a plane"),
    ],
)
def test_what_cannot_be_joined_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        campaign(**fields)


@pytest.mark.parametrize(
    ("preset", "fields", "message"),
    [
        ("quick", {}, "preset quick has no settings for interfaces"),
        (TINY, {"left": side("LiF", "insulator", [1, 1, 1])}, "polar"),
        (TINY, {"max_strain": 0.001}, r"contact: no common cell of at most 100 atoms"),
    ],
)
def test_what_the_flow_cannot_join_is_refused(
    preset: str | Path, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        campaign_flow(campaign(preset, **fields))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_interface_is_made_from_shipped_calculations(
    name: str, database: Database, tmp_path: Path
) -> None:
    config = load_campaign(CONFIGS / "campaigns" / "interfaces.yaml")
    (phase,) = (phase for phase in config.phases if phase.name == name)
    alone = config.model_copy(update={"phases": [phase]})
    alone._folder = config.folder
    rows = dry_run(alone, database)
    found = [find_calculation(database, row.hash) for row in rows]
    assert [row.label for row, one in zip(rows, found, strict=True) if one is None] == []

    (made,) = write_records(alone, [one for one in found if one is not None], tmp_path)

    assert_same_record(made, CONFIGS / "interfaces" / made.name)


def test_a_control_takes_the_cells_error_off_a_barrier(database: Database) -> None:
    (control,) = (one for one in shipped_interfaces() if one.name == "LiF_001-LiF_001")
    assert control.barrier_eV is not None
    assert control.excess_barrier_eV is not None
    (bulk,) = control.provenance["hop"]["bulk_barriers_eV"].values()
    error = _cell_error_eV(control.name, 16.6, -1, database)

    assert error == pytest.approx(control.barrier_eV.value - bulk, abs=1e-3)
    (corrected,) = (one for one in shipped_interfaces() if one.name == "LiH_001-LiF_001")
    hop = corrected.provenance["hop"]
    assert corrected.barrier_eV is not None
    as_calculated = (hop["forward_eV"] + hop["backward_eV"]) / 2
    assert corrected.barrier_eV.value == pytest.approx(as_calculated - error, abs=2e-3)
    assert _cell_error_eV("nobody", 16.6, -1, database) is None


@pytest.mark.parametrize(
    ("name", "area_A2", "charge", "message"),
    [
        ("LiH_001-LiF_001", 16.6, -1, "it joins LiH_001 and LiF_001"),
        ("LiF_001-LiF_001", 33.1, -1, "16.6 Å² and charge -1, this one in 33.1 Å²"),
        ("LiF_001-LiF_001", 16.6, 0, r"this one in 16.6 Å² and \+0"),
    ],
)
def test_a_control_of_another_cell_is_refused(
    name: str, area_A2: float, charge: int, message: str, database: Database
) -> None:
    with pytest.raises(InputError, match=message):
        _cell_error_eV(name, area_A2, charge, database)


def test_strained_crystals_and_stacks_are_no_phases(database: Database) -> None:
    settings = {"xc": "PBE", "cutoff_eV": 500}

    found = list(known_crystals(database, "gpaw", settings, {"Li", "F", "H"}))

    assert found
    assert {one.final_structure.composition.reduced_formula for one in found} <= {
        *("Li", "LiF", "LiH")
    }
    assert not any("cell_held" in one.settings for one in found)


@pytest.mark.dft
def test_two_halves_of_one_crystal_have_no_dipole_and_the_bulks_hop(database: Database) -> None:
    config = campaign(
        left=side("LiH_001", "insulator", [0, 0, 1]),
        right=side("LiH_001", "insulator", [0, 0, 1]),
        hop={"lateral_A": 4.0},
    )

    made = run_campaign(config, database, progress=False)["contact"]

    assert isinstance(made, Interface)
    assert made.dipole_V is not None
    assert made.barrier_eV is not None
    assert made.dipole_V.value == pytest.approx(0.0, abs=0.005)
    assert made.strain[0].normal == 0.0
    assert made.provenance["charge_transfer"]["electrons_to_left_e_nm2"] == pytest.approx(
        0, abs=0.01
    )
    # Two meshes of one crystal: its primitive cell's, and that of the slab's frame.
    assert made.provenance["line_up"]["right_above_left_eV"] == pytest.approx(0.0, abs=0.03)
    hop = made.provenance["hop"]
    assert hop["forward_eV"] == pytest.approx(hop["backward_eV"], abs=0.02)
    # The same hop in the crystal, its end by symmetry.
    contact = find_calculation(database, made.calculations["contact"])
    assert contact is not None
    assert made.barrier_eV.value == pytest.approx(bulk_hop(contact.final_structure), abs=0.03)


def bulk_hop(contact: Structure) -> float:
    """The barrier of the vacancy in the perfect crystal, in a cell of the contact's size."""
    planes = len(contact) // 2
    side = contact.lattice.a * 2**0.5
    crystal = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(side), ["Li", "H"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    crystal.make_supercell((1, 1, planes // 2))
    perfect, flat = (
        Structure(Lattice.tetragonal(side, height), crystal.species, crystal.frac_coords)
        for height in (contact.lattice.c, 0.97 * contact.lattice.c)
    )
    preset = load_preset(str(TINY))
    assert preset.interface is not None
    assert preset.interface.hop is not None
    settings = preset.interface.insulators.engine_settings(preset.xc) | {
        "kpoint_length_A": preset.interface.hop.kpoint_length_A,
        "relaxation": preset.interface.hop.ends.model_dump(mode="json"),
    }
    engine = engine_named("gpaw")
    before = perfect.copy()
    before.remove_sites([0])
    relaxed = finished(engine, before, "relax", settings).final_structure
    # Of the nearest sites one in the next plane, as across the contact.
    hop = vacancy_hop(flat, 0, Structure(flat.lattice, relaxed.species, relaxed.frac_coords))
    settings |= {
        "relaxation": preset.interface.hop.relaxation.model_dump(mode="json"),
        "path": {
            "images": 1,
            "spring_eV_A2": 1.0,
            "end_positions_A": after_hop(perfect, hop, relaxed).cart_coords.round(5).tolist(),
        },
    }
    return hop_across(finished(engine, relaxed, "neb", settings)).forward_eV


def finished(engine: Any, structure: Structure, kind: str, settings: dict[str, Any]) -> Any:
    request = engine.request(structure, kind, settings, -1)
    run = engine.start(request, claimed(request).folder)
    run.wait()
    return run.result()


@pytest.mark.dft
def test_a_strained_pair_lines_up_as_other_evaluations_have_it(database: Database) -> None:
    config = campaign()

    made = run_campaign(config, database, progress=False)["contact"]

    assert isinstance(made, Interface)
    assert made.dipole_V is not None
    found = {what: find_calculation(database, hash) for what, hash in made.calculations.items()}
    joined, left, right = (
        found[what] for what in ("contact", "slab as cut, left", "slab as cut, right")
    )
    assert joined is not None
    assert left is not None
    assert right is not None
    (strain,) = made.strain
    assert strain.principal == pytest.approx((0.0107, 0.0107), abs=0.008)

    periods = [structure_period(one.final_structure) for one in (left, right)]
    cut = [one.planar_potential for one in (left, right)]
    depths = [
        one.potential_eV[0] - average(one.potential_eV, one.height_A, one.height_A / 2, period)
        for one, period in zip(cut, periods, strict=True)
    ]

    def by_hand(potential: Any, height_A: float) -> float:
        averages = [
            average(potential, height_A, height_A * share, period)
            for share, period in zip((0.0, 0.5), periods, strict=True)
        ]
        return (averages[0] + depths[0]) - (averages[1] + depths[1])

    whole = joined.planar_potential
    assert made.dipole_V.value == pytest.approx(
        by_hand(whole.potential_eV, whole.height_A), abs=0.01
    )
    # Rigid slabs: between one contact's two vacua the outer levels differ by the dipole, directly.
    # Sides of two planes are no bulk, which costs 0.3 V.
    joint, shift, gap_A = joint_of(made, config, database)
    sandwich = joint.sandwich(shift, gap_A)
    rigid = by_hand(planar(sandwich), sandwich.lattice.c)
    apart = joint.with_vacuum(shift, gap_A, 10.0)
    beyond = planar(apart, poissonsolver={"dipolelayer": "xy"})
    inside = round(2.2 / apart.lattice.c * beyond.size)  # past the step of the layer itself
    assert rigid == pytest.approx(beyond[inside] - beyond[-inside], abs=0.35)
    assert rigid > 0.2


def average(potential: Any, height_A: float, middle_A: float, period_A: float) -> float:
    """The average over a period in real space instead of by Fourier's series."""
    values = np.array(list(potential) * 3)
    step = height_A / len(potential)
    spline = CubicSpline((np.arange(values.size) - values.size / 3) * step, values)
    return quad(lambda z: float(spline(middle_A + z)), -period_A / 2, period_A / 2)[0] / period_A


def structure_period(slab: Structure) -> float:
    heights = np.unique(slab.cart_coords[:, 2].round(2))
    return float(np.diff(heights).mean())


def joint_of(
    made: Interface, config: CampaignConfig, database: Database
) -> tuple[Any, list[float], float]:
    """The two slabs as the flow joined them, with their lateral shift and gap."""
    cells = {row.label: row for row in dry_run(config, database)}
    slabs = []
    for formula in ("LiH", "LiF"):
        crystal = Crystal.from_structure(
            Structure.from_file(CONFIGS / "structures" / f"{formula}.cif")
        )
        relaxed = find_calculation(database, cells[f"{formula}: cell"].hash)
        assert relaxed is not None
        spec = {
            "facet": [0, 0, 1],
            "conventional": crystal.conventional,
            "primitive": crystal.primitive,
        }
        slabs.append(side_of(spec, relaxed.final_structure, thickness_A=3))
    limits = {"max_strain": 0.06, "max_atoms": 100}
    match = best_match(find_matches(*slabs, strained="left", **limits), **limits)
    geometry = made.provenance["geometry"]
    joint = join(*slabs, match, normal_strain=made.strain[0].normal)
    return joint, geometry["shift"], geometry["gap_A"]


def planar(cell: Structure, **poisson: Any) -> np.ndarray:
    """The potential of a cell, averaged in planes; open along z with a dipole layer."""
    from gpaw.new.ase_interface import GPAW

    bare = AseAtomsAdaptor.get_atoms(cell)
    pbc = (True, True, not poisson)
    atoms = Atoms(bare.symbols, bare.positions, cell=bare.cell, pbc=pbc)
    atoms.calc = GPAW(
        mode={"name": "pw", "ecut": 350},
        xc="PBE",
        kpts={"size": (2, 2, 1), "gamma": True},
        occupations={"name": "fermi-dirac", "width": 0.01},
        convergence={"energy": 1e-4, "density": 1e-4, "eigenstates": 1e-6},
        txt=None,
        **poisson,
    )
    atoms.get_potential_energy()
    return np.asarray(atoms.calc.get_electrostatic_potential().mean(axis=(0, 1)))
