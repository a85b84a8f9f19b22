"""`interohm interfaces`, and the barrier of a contact on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from interohm.records.interface import interface_hash, load_interface

EXAMPLE = Path(__file__).parents[3] / "configs/examples/interface.yaml"


def test_interfaces_are_added_listed_and_shown(interohm, tmp_path):
    before = interohm("interfaces", "list").out
    assert "LiH_001-LiF_001" in before  # it is shipped
    assert "added to" in interohm("interfaces", "add", str(EXAMPLE)).err
    listed = interohm("interfaces", "list").out
    assert "LiF-LLZO-example" in listed
    assert "database" in listed
    known = json.loads(interohm("interfaces", "list", "--json").out)
    (found,) = [one for one in known if one["from"] == "database"]
    assert all(one["from"] == "shipped" for one in known if one is not found)
    assert found["barrier_eV"]["value"] == 0.55
    shown = interohm("interfaces", "show", "LiF-LLZO-example").out
    assert "barrier_eV" in shown
    assert "assumed (example)" in shown
    document = json.loads(interohm("interfaces", "show", "LiF-LLZO-example", "--json").out)
    assert document["areal_site_density_cm2"] == 1.1e15
    assert "replaced in" in interohm("interfaces", "add", str(EXAMPLE)).err


def test_a_contact_uses_what_the_database_knows_of_it(interohm):
    interohm("interfaces", "add", str(EXAMPLE))
    known = load_interface(EXAMPLE)
    assert known.barrier_eV is not None
    found = json.loads(interohm("contact", "LiF", "LLZO", "--json").out)
    assert found["resistance"]["contact_barrier_eV"] == known.barrier_eV.value
    # and says so, with its hash
    used = {one["field"]: one for one in found["interface_numbers"]}
    assert set(used) == {"barrier_eV", "dipole_V", "areal_site_density_cm2"}
    assert used["barrier_eV"]["interface"] == known.name
    assert used["barrier_eV"]["hash"] == interface_hash(known)
    printed = interohm("contact", "LiF", "LLZO", "--samples", 0, "--report", "report.html").out
    page = Path("report.html").read_text(encoding="utf-8")
    for text in (printed, page):
        assert known.name in text
        assert interface_hash(known)[:12] in text
    # what is given wins
    given = json.loads(interohm("contact", "LiF", "LLZO", "--barrier-eV", "0.7", "--json").out)
    assert given["resistance"]["contact_barrier_eV"] == 0.7
    assert given["dipole_V"] == 0.2
    assert "barrier_eV" not in {one["field"] for one in given["interface_numbers"]}


def test_wrong_interfaces_and_barriers_are_refused(interohm, refused, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: a\nleft: Li\nright: LLZO\nmobile_ion: Li\n", encoding="utf-8")
    assert "give at least one of dipole_V" in refused("interfaces", "add", EXAMPLE, wrong)
    listed = interohm("interfaces", "list").out
    assert "Li | LLZO" not in listed
    assert listed.count("shipped") == len([line for line in listed.splitlines() if "_" in line])
    assert "no interface" in refused("interfaces", "show", "nothing")
    assert "--barrier-eV" in refused("contact", "Li", "LLZO", "--barrier-eV", "-1")
