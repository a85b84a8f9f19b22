"""`interohm cell --measured-map`."""

from __future__ import annotations

import json

import pytest

CELL = """
name: map
states_of_charge: [0.0, 1.0]
layers:
  - {material: Li, thickness_nm: 100}
  - {material: LLZO, thickness_nm: 1000}
  - {material: LiCoO2, thickness_nm: 100}
"""


@pytest.mark.usefixtures("few_samples")
def test_the_closest_state_is_named(interohm, tmp_path):
    cell, measured = tmp_path / "cell.yaml", tmp_path / "map.csv"
    cell.write_text(CELL)
    charged = json.loads(interohm("cell", cell, "--json").out)["states"][1]
    assert charged["measured_map"] is None
    points = zip(charged["profile"]["x_nm"], charged["profile"]["cpd_V"], strict=True)
    # where the map jumps at a contact, either side may be meant
    inside = [(x, cpd) for x, cpd in points if min(abs(x - edge) for edge in (100, 1100)) > 1e-6]
    measured.write_text(
        "x_nm,cpd_V\n" + "\n".join(f"{x!r},{cpd + 0.5!r}" for x, cpd in inside) + "\n50,n/a\n"
    )
    ran = interohm("cell", cell, "--measured-map", measured, "--json")
    assert ran.code == 0, ran.err
    assert "closest at state of charge 1" in ran.err
    assert "left out, since a number is missing: 1" in ran.err
    assert "since a number is missing: 1" in json.loads(ran.out)["remarks"][-1]
    first, last = (state["measured_map"] for state in json.loads(ran.out)["states"])
    assert last["rms_V"] < 1e-9 < first["rms_V"]
    assert len(last["x_nm"]) == len(last["work_function_eV"]) == len(last["fermi_level_eV"])


def test_a_bad_map_ends_in_one_message(interohm, tmp_path):
    cell = tmp_path / "cell.yaml"
    cell.write_text(CELL)
    ran = interohm("cell", cell, "--measured-map", tmp_path / "missing.csv")
    assert ran.code == 2
    assert "missing.csv" in ran.err
    assert "fix:" in ran.err
    assert "Traceback" not in ran.err
