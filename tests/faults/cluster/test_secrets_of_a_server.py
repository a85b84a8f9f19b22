"""What stands in the address of a server that answers shows nowhere, either."""

from __future__ import annotations

from pathlib import Path

from clusters import SECRET, Cluster

EXAMPLE = Path(__file__).parents[3] / "configs" / "examples" / "lithium-LiF-LLZO-LCO.yaml"
#: The files of the cluster that hold addresses, since users write them there.
GIVEN = ("my_launchpad.yaml", "jobflow.yaml", "environment.sh")


def test_outputs_and_files(cluster: Cluster) -> None:
    report = cluster.work / "report.html"
    said = ""
    for command in (
        ("contact", "Li", "LLZO", "--save", "--report", report, "--json"),
        ("cell", EXAMPLE, "--save", "--report", cluster.work / "cell.html"),
        ("query", "contacts", "--json"),
        ("query", "contacts", '{"$nonsense": 1}'),
        ("export", "cells", "--output", cluster.work / "cells.json"),
        ("why", "Li|LLZO"),
        ("why", "nothing"),
        ("materials", "show", "LLZO", "--json"),
        ("doctor", "--json"),
        ("migrate",),
        ("status", "--json"),
    ):
        code = 2 if command[-1] in ("nothing", '{"$nonsense": 1}') else 0
        ran = cluster.run("interohm", *command, "--debug", code=code)
        said += ran.stdout + ran.stderr
    # a user whom the server does not know
    address = cluster.uri.replace("://", f"://me:{SECRET}@")
    cluster.environment["INTEROHM_MONGODB_URI"] = address
    refused = cluster.run("interohm", "query", "contacts", "--debug", code=2)
    said += refused.stdout + refused.stderr
    assert "the MongoDB server cannot be reached" in said
    files = [path for path in cluster.folder.rglob("*") if path.is_file()]
    written = [
        path.read_bytes().decode(errors="replace") for path in files if path.name not in GIVEN
    ]
    assert report in files
    assert SECRET not in said + cluster.documents() + "".join(written)
