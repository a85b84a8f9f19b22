"""What is refused when a campaign is submitted, before a job of it is in any queue.

Templates make thousands of phases of one fault: it is said at once, and not by each job's failure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Lattice, Structure

from interohm.errors import InputError
from interohm.workflows import InsulatorMaker
from interohm.workflows.campaign import load_campaign
from interohm.workflows.campaign_flows import phase_inputs
from interohm.yaml_io import dump_yaml

QUANTITY = {"value": 9.0, "source": "x", "method": "assumed", "uncertainty": 1.0}
FREQUENCY = {"value": 1e13, "source": "x", "method": "assumed", "uncertainty": 0.5}
CALCULATED = {"migration_energy_eV": "calculate", "attempt_frequency_Hz": FREQUENCY}
HOP = {
    "migration_energy_eV": {"value": 0.3, "source": "x", "uncertainty": 0.1},
    "attempt_frequency_Hz": FREQUENCY,
    "hop_distance_nm": {"value": 0.3, "source": "x", "uncertainty": 0.01},
}
METAL_SIDE = {"record": "Li", "kind": "metal", "structure": "Li", "facet": [0, 0, 1]}


def rock_salt(cation: str, anion: str) -> Structure:
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.02), [cation, anion], [[0, 0, 0], [0.5] * 3]
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    mixed = rock_salt("Li", "F")
    mixed.replace(7, {"F": 0.5, "Li": 0.5})
    crystals = {"mixed": mixed, "LiPo": rock_salt("Li", "Po"), "LiMg": rock_salt("Li", "Mg")}
    for name, crystal in crystals.items():
        crystal.to(filename=str(tmp_path / f"{name}.cif"))
    return tmp_path


def submitted(folder: Path, phase: dict[str, Any], **top: Any) -> None:
    """Read a campaign of one phase as ``interohm submit`` does."""
    insulator = {
        "kind": "insulator",
        "name": "one",
        "structure": "LiF",
        "facet": [0, 0, 1],
        "dielectric_constant": QUANTITY,
    }
    whole = phase if phase.get("kind") else {**insulator, **phase}
    data = {"name": "c", "preset": "quick", "metal_structure": "Li", "phases": [whole], **top}
    path = folder / "campaign.yaml"
    path.write_text(dump_yaml(data))
    assert len(list(phase_inputs(load_campaign(path)))) == 1


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        ({"equilibrium_with": ["LiPo.cif"]}, r"phases\[0\] one: equilibrium_with: .*set of Po"),
        ({"equilibrium_with": ["mixed.cif"]}, "equilibrium_with: .*partial occupancies"),
        ({"structure": "mixed.cif"}, r"phases\[0\] one: structure: .*partial occupancies"),
        ({"structure": "LiMg.cif"}, r"phases\[0\] one: structure: LiMg: the oxidation states"),
        ({"oxidation_states": {"O": -2}}, r"phases\[0\] one: oxidation_states: LiF contains no O"),
        ({"dielectric_constant": "calculate"}, "one: dielectric_constant: .*has no step"),
        ({"hops": {"V_Li": CALCULATED}}, "one: hops, V_Li: .*no settings for migration paths"),
        ({"hops": {"V_O": HOP}}, "one: hops: V_O: the phase has no such defect.*V_F, V_Li"),
        ({"hops": {"V_Li_+1": HOP}}, "one: hops: V_Li_.1: the phase has no such defect"),
        ({"dopants": [{"element": "Na", "replaces": "K"}]}, "the crystal has no K"),
        ({"dopants": [{"element": "Mg", "replaces": "Li"}]}, "Mg_Li: .*potential of Mg"),
        (
            {
                "kind": "electrode",
                "name": "one",
                "structure": "LiCoO2",
                "facet": [1, 0, 4],
                "states": [{"ion_content": 0.5}, {"ion_content": 1.0}],
            },
            "one: preset: .*has no steps for electrodes",
        ),
        (
            {
                "kind": "interface",
                "name": "one",
                "preset": "production",
                "left": METAL_SIDE,
                "right": {**METAL_SIDE, "kind": "insulator", "structure": "LiMg.cif"},
            },
            r"phases\[0\] one: right: structure: LiMg: the oxidation states",
        ),
        (
            {
                "kind": "interface",
                "name": "one",
                "preset": "production",
                "left": METAL_SIDE,
                "right": {**METAL_SIDE, "kind": "insulator", "structure": "mixed.cif"},
            },
            r"phases\[0\] one: right: .*partial occupancies",
        ),
    ],
)
def test_what_a_phase_says(folder: Path, phase: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        submitted(folder, phase)


def test_what_competes(folder: Path) -> None:
    diagram = {"entries": "calculations", "competing": ["mixed.cif"]}
    with pytest.raises(InputError, match=r"phase_diagram: competing: .*partial occupancies"):
        submitted(folder, {}, phase_diagram=diagram)
    # of other elements than the phase's own, it is not calculated
    submitted(folder, {}, phase_diagram={**diagram, "competing": ["LiPo.cif"]})


def test_what_is_right_is_not_refused(folder: Path) -> None:
    submitted(folder, {"hops": {"V_Li": HOP, "Li_i": HOP}})
    submitted(folder, {"hops": {"V_Li_-1": HOP}, "charges": [-1, 0]})
    dopants = [{"element": "Mg", "replaces": "Li"}]
    submitted(folder, {"dopants": dopants, "equilibrium_with": ["MgF2"]})


def test_a_maker_refuses_it_too() -> None:
    maker, fields = InsulatorMaker(), {"facet": (0, 0, 1), "dielectric_constant": 9.0}
    crystal = rock_salt("Li", "F")
    with pytest.raises(InputError, match=r"equilibrium_with: .*set of Po"):
        maker.make(crystal, "LiF", equilibrium_with={"LiPo": rock_salt("Li", "Po")}, **fields)
    with pytest.raises(InputError, match="hops: V_O: the phase has no such defect"):
        maker.make(crystal, "LiF", hops={"V_O": HOP}, **fields)
