"""Campaigns whose structures come from a list; databases of others are servers on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from interohm.errors import InputError
from interohm.workflows.campaign import load_campaign
from interohm.workflows.campaign_flows import phase_inputs
from interohm.yaml_io import dump_yaml

TEMPLATE = {
    "kind": "insulator",
    "facet": [0, 0, 1],
    "dielectric_constant": {"value": 9, "source": "x", "method": "assumed", "uncertainty": 1},
}
HALOGENS = {"LiF": 4.02, "LiCl": 5.14, "LiBr": 5.50}


def halide(name: str) -> Structure:
    lattice = Lattice.cubic(HALOGENS[name])
    return Structure.from_spacegroup("Fm-3m", lattice, ["Li", name[2:]], [[0, 0, 0], [0.5] * 3])


def written(folder: Path, structures: Any, **changes: Any) -> Path:
    path = folder / "campaign.yaml"
    data = {"name": "list", "preset": "quick", "metal_structure": "Li", "template": TEMPLATE}
    path.write_text(dump_yaml({**data, "structures": structures, **changes}))
    return path


def read(path: Path) -> dict[str, Structure]:
    """Return the structures of a campaign's phases, as its flows are made of them."""
    config = load_campaign(path)
    assert all(phase.facet == (0, 0, 1) for phase in config.phases)
    return {one.phase.name: one.structures["structure"] for one in phase_inputs(config)}


def rows() -> list[dict[str, Any]]:
    return [{"name": name, "structure": halide(name).as_dict()} for name in HALOGENS]


def write_lines(path: Path) -> None:
    path.write_text("\n".join(json.dumps(row) for row in rows()) + "\n\n")


def write_bare_lines(path: Path) -> None:
    path.write_text("\n".join(json.dumps(row["structure"]) for row in rows()))


def write_json(path: Path) -> None:
    pd.DataFrame(rows()).to_json(path)


def write_csv_of_json(path: Path) -> None:
    frame = pd.DataFrame(rows())
    frame.assign(structure=frame["structure"].map(json.dumps), band_gap_eV=1.0).to_csv(path)


def write_csv_of_cifs(path: Path) -> None:
    texts = [{"name": name, "structure": halide(name).to(fmt="cif")} for name in HALOGENS]
    pd.DataFrame(texts).to_csv(path, index=False)


def write_parquet(path: Path) -> None:
    frame = pd.DataFrame(rows())
    frame.assign(structure=frame["structure"].map(json.dumps)).to_parquet(path)


def write_folder(path: Path) -> None:
    path.mkdir()
    for name in HALOGENS:
        halide(name).to(filename=str(path / f"{name}.cif"))
    (path / "notes.txt").write_text("no structure")


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("list.jsonl", write_lines),
        ("list.jsonl", write_bare_lines),
        ("list.json", write_json),
        ("list.csv", write_csv_of_json),
        ("list.csv", write_csv_of_cifs),
        ("list.parquet", write_parquet),
        ("folder", write_folder),
    ],
)
def test_files(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    found = read(written(tmp_path, name))
    assert set(found) == set(HALOGENS)
    for formula, structure in found.items():
        assert structure.composition.reduced_formula == formula
        assert structure.lattice.a == pytest.approx(HALOGENS[formula], abs=1e-6)


def test_a_list_beside_phases(tmp_path: Path) -> None:
    write_lines(tmp_path / "list.jsonl")
    metal = {"name": "Li", "kind": "metal", "structure": "Li", "facet": [1, 1, 0]}
    config = load_campaign(written(tmp_path, "list.jsonl", phases=[metal]))
    assert [phase.name for phase in config.phases] == ["Li", *HALOGENS]
    assert config.phases[1].structure == "list.jsonl#LiF"  # what its record will say


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("list.jsonl", "{}\n", r"list.jsonl, line 1: no structure"),
        ("list.jsonl", "\n[1\n", r"list.jsonl, line 2: no JSON"),
        ("list.jsonl", "3\n", r"list.jsonl, line 1: no structure with its name"),
        (
            "list.jsonl",
            '{"structure": {"@module": "os", "@class": "system", "lattice": 1}}',
            "refers to code",
        ),
        ("list.csv", "name,energy\na,1\n", "no column `structure`, but name, energy"),
        ("list.csv", "name,structure\na,nothing\n", "row 1"),
        ("list.pkl", "x", "lists do not end in .pkl"),
        ("list.parquet", "x", "cannot be read as a table"),
    ],
)
def test_what_is_no_list(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        load_campaign(written(tmp_path, name))


def test_names_that_stand_twice_and_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file or folder"):
        load_campaign(written(tmp_path, "nowhere.jsonl"))
    write_lines(tmp_path / "list.jsonl")
    with (tmp_path / "list.jsonl").open("a") as file:
        file.write(json.dumps(rows()[0]) + "\n")
    with pytest.raises(InputError, match="'LiF' appears twice"):
        load_campaign(written(tmp_path, "list.jsonl"))
    with pytest.raises(InputError, match="structures, template: give both"):
        load_campaign(written(tmp_path, "list.jsonl", template=None))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no structures"):
        load_campaign(written(tmp_path, "empty"))


class Answers(BaseHTTPRequestHandler):
    """Speaks OPTIMADE, and as much of the Materials Project's language as is asked here."""

    asked: list[str]

    def do_GET(self) -> None:
        """Answer a query."""
        self.asked.append(self.path)
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path.startswith("/materials/summary"):
            ids = query["material_ids"].split(",")
            known = dict(zip(("mp-1138", "mp-22905", "mp-23259"), HALOGENS, strict=True))
            found = [
                {"material_id": one, "structure": halide(known[one]).as_dict()}
                for one in ids
                if one in known
            ]
            self._say(200, {"data": found})
        elif url.path != "/api/v1/structures":
            self._say(404, {"errors": [{"detail": "not here"}]})
        elif "broken" in query.get("filter", ""):
            self._say(400, {"errors": [{"detail": "the filter cannot be parsed"}]})
        elif "nothing" in query.get("filter", ""):
            self._say(200, {"data": []})
        else:
            page = int(query.get("page", 0))
            names = list(HALOGENS)[page : page + 1]
            following = f"http://{self.headers['Host']}{url.path}?page={page + 1}"
            more = page + 1 < len(HALOGENS)
            data = [optimade_entry(name) for name in names]
            self._say(200, {"data": data, "links": {"next": {"href": following} if more else None}})

    def _say(self, status: int, document: Any) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


def optimade_entry(name: str) -> dict[str, Any]:
    structure = halide(name)
    symbols = [site.specie.symbol for site in structure]
    return {
        "id": f"halides/{name}",
        "type": "structures",
        "attributes": {
            "lattice_vectors": structure.lattice.matrix.tolist(),
            "cartesian_site_positions": structure.cart_coords.tolist(),
            "species_at_sites": [f"{symbol}1" for symbol in symbols],
            "species": [
                {"name": f"{symbol}1", "chemical_symbols": [symbol], "concentration": [1.0]}
                for symbol in dict.fromkeys(symbols)
            ],
        },
    }


@pytest.fixture
def server() -> Iterator[str]:
    Answers.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as answering:
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{answering.server_port}"
        answering.shutdown()


def test_an_optimade_query(tmp_path: Path, server: str) -> None:
    query = {"optimade": f"{server}/api", "filter": 'elements HAS ALL "Li"'}
    found = read(written(tmp_path, query))
    assert set(found) == {f"halides_{name}" for name in HALOGENS}
    assert found["halides_LiCl"].composition.reduced_formula == "LiCl"
    assert len(Answers.asked) == len(HALOGENS)  # a page each
    config = load_campaign(written(tmp_path, query))
    assert config.phases[0].structure == f"optimade:{server}/api/halides/LiF"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"filter": "broken"}, r"refuses the query \(status 400\): the filter cannot be parsed"),
        ({"filter": "nothing"}, "no structures for this filter"),
        ({"at_most": 2}, "more than 2 structures"),
        ({"optimade": "nowhere"}, "no OPTIMADE provider 'nowhere'"),
        ({"optimade": "http://127.0.0.1:1/api"}, "127.0.0.1 does not answer"),
        ({"optimade": "SERVER/elsewhere"}, "status 404"),
    ],
)
def test_an_optimade_query_without_an_answer(
    tmp_path: Path, server: str, changes: dict[str, Any], message: str
) -> None:
    query = {"optimade": f"{server}/api", "filter": "nsites<9"} | changes
    query["optimade"] = query["optimade"].replace("SERVER", server)
    with pytest.raises(InputError, match=message):
        load_campaign(written(tmp_path, query))


def test_ids_of_the_materials_project_in_one_request(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pymatgen.ext import matproj

    query = {"materials_project": ["mp-1138", "mp-22905", "mp-23259"]}
    for name in ("MP_API_KEY", "INTEROHM_MATERIALS_PROJECT_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=r"3 structures must be fetched .*no key is set"):
        load_campaign(written(tmp_path, query))
    monkeypatch.setenv("MP_API_KEY", "k" * 32)
    monkeypatch.setitem(matproj.SETTINGS, "PMG_MAPI_ENDPOINT", f"{server}/")
    found = read(written(tmp_path, query))
    assert {name: one.composition.reduced_formula for name, one in found.items()} == {
        "mp-1138": "LiF",
        "mp-22905": "LiCl",
        "mp-23259": "LiBr",
    }
    assert len(Answers.asked) == 1
    with pytest.raises(InputError, match="has no mp-9"):
        load_campaign(written(tmp_path, {"materials_project": ["mp-1138", "mp-9"]}))
    monkeypatch.setitem(matproj.SETTINGS, "PMG_MAPI_ENDPOINT", "http://127.0.0.1:1/")
    with pytest.raises(InputError, match="could not be fetched"):
        load_campaign(written(tmp_path, query))
