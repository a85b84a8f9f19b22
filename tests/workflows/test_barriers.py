"""What a campaign that wants barriers and dielectric constants calculated plans, and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from interohm.database import Database
from interohm.errors import InputError
from interohm.workflows.campaign import dry_run
from interohm.workflows.campaign_config import CampaignConfig

CONFIGS = Path(__file__).parents[2] / "configs"


def campaign(hop: dict[str, Any], preset: str = "production", name: str = "V_Li") -> CampaignConfig:
    phase = {
        "name": "Li2O_111",
        "kind": "insulator",
        "structure": "../structures/Li2O.cif",
        "facet": [1, 1, 1],
        "interstitial_sites": [[0.5, 0.5, 0.5]],
        "dielectric_constant": "calculate",
        "hops": {name: {"attempt_frequency_Hz": 1e13, **hop}},
    }
    config = CampaignConfig.model_validate(
        {
            "name": "barriers",
            "preset": preset,
            "metal_structure": "../structures/Li.cif",
            "phases": [phase],
        }
    )
    config._folder = CONFIGS / "campaigns"
    return config


def test_a_path_goes_from_the_vacancy_to_its_neighbour(database: Database) -> None:
    rows = {
        row.label.removeprefix("Li2O_111: "): row
        for row in dry_run(campaign({"migration_energy_eV": "calculate"}), database)
    }
    hop, vacancy = rows["hop of V_Li"].request, rows["V_Li -1"]
    # The vacancy's relaxed supercell is shipped: the path begins with it, not with the crystal.
    assert vacancy.found
    assert (hop.kind, hop.charge, rows["hop of V_Li"].atoms) == ("neb", -1, 95)
    end = np.array(hop.settings["path"]["end_positions_A"])
    moved = np.linalg.norm(end - hop.initial_structure.cart_coords, axis=1)
    ion = int(moved.argmax())
    assert hop.initial_structure[ion].specie.symbol == "Li"
    # Nearest lithium sites of antifluorite are a/2 apart, and the ion leans towards the vacancy.
    assert 1.5 < moved[ion] < 2.35
    assert np.sort(moved)[-2] < 0.5
    # Everything else is as for the defects, so that energies compare.
    for setting in ("cutoff_eV", "kpoints", "xc", "smearing_eV", "scf"):
        assert hop.settings[setting] == vacancy.request.settings[setting]
    response = rows["dielectric response"].request
    assert (response.kind, len(response.initial_structure)) == ("dielectric", 3)


def test_what_cannot_be_calculated_is_said(database: Database) -> None:
    wanted = {"migration_energy_eV": "calculate"}
    with pytest.raises(InputError, match="Li_i is not one of the phase's vacancies"):
        dry_run(campaign(wanted, name="Li_i"), database)
    with pytest.raises(InputError, match="quick has no step for the dielectric response"):
        dry_run(campaign(wanted, preset="quick"), database)


def test_a_given_hop_belongs_to_a_defect_of_the_phase(database: Database) -> None:
    given = {"migration_energy_eV": 0.3, "hop_distance_nm": 0.2}
    with pytest.raises(InputError, match="V_Lx: the phase has no such defect") as caught:
        dry_run(campaign(given, name="V_Lx"), database)
    assert "V_Li" in str(caught.value.fix)


@pytest.mark.parametrize(
    "hop",
    [{"migration_energy_eV": "calculate", "hop_distance_nm": 0.2}, {"migration_energy_eV": 0.3}],
)
def test_a_distance_belongs_to_a_given_energy_alone(hop: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="give hop_distance_nm with a migration energy"):
        campaign(hop)
