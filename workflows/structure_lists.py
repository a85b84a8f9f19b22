"""Structures of a campaign that come from a list: a file, a folder, or a database of others."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.safe_documents import refuse_foreign_code
from interohm.slab_builders.structure_files import read_structure

from .materials_project import structures_by_ids

#: Files of a folder that are structures, by their endings.
_STRUCTURE_ENDINGS = (".cif", ".poscar", ".vasp")

_LARGEST_LIST_BYTES = 4 * 2**30

#: What an answer of an OPTIMADE provider may have at most, and how long it may take.
_LARGEST_ANSWER_BYTES, _PATIENCE_S = 256 * 2**20, 60.0

#: Of a structure, by the standard's names.
_OPTIMADE_FIELDS = ("lattice_vectors", "cartesian_site_positions", "species", "species_at_sites")


class _List(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MaterialsProjectList(_List):
    """Structures of the Materials Project.

    Parameters
    ----------
    materials_project : list of str
        Their ids, fetched in one request; they are the phases' names.
    """

    materials_project: Annotated[
        list[Annotated[str, Field(pattern=r"^mp-\d+$")]], Field(min_length=1, max_length=100_000)
    ]


class OptimadeList(_List):
    """Structures of a provider that speaks OPTIMADE (https://www.optimade.org).

    Parameters
    ----------
    optimade : str
        The provider: an alias such as ``mp``, ``cod`` or ``alexandria``, or the address of its API.
    filter : str
        Filter in OPTIMADE's language, such as ``elements HAS ALL "Li","F" AND nsites<=8``.
    at_most : int
        A query with more structures is refused.
    """

    optimade: Annotated[str, Field(min_length=1)]
    filter: Annotated[str, Field(min_length=1)]
    at_most: Annotated[int, Field(ge=1, le=100_000)] = 1000


#: A file or a folder, relative to the campaign's file, or what is asked of a database.
StructureList = str | MaterialsProjectList | OptimadeList


class Listed(NamedTuple):
    """A structure of a list.

    Parameters
    ----------
    name : str
        Name of its phase.
    source : str
        Origin of the structure, for the provenance; a file's path if it is one of a folder.
    content : str, optional
        The structure as JSON; None for a file.
    """

    name: str
    source: str
    content: str | None


def listed_structures(given: StructureList, folder: Path, *, where: str) -> Iterator[Listed]:
    """Yield the structures of a list.

    Parameters
    ----------
    given : str or mapping
        See `StructureList`.
    folder : Path
        Folder of the campaign's file.
    where : str
        Place to name in errors.

    Raises
    ------
    InputError
        There is no such file, one of its structures cannot be read, or a database does not answer.
    """
    if isinstance(given, MaterialsProjectList):
        found = structures_by_ids(given.materials_project, where=where)
        for identifier, structure in found.items():
            yield Listed(identifier, identifier, _content(structure))
    elif isinstance(given, OptimadeList):
        yield from _of_optimade(given, where)
    else:
        yield from _of_file(given, folder, where)


def _content(structure: Structure) -> str:
    return str(structure.to_json())


def _of_file(source: str, folder: Path, where: str) -> Iterator[Listed]:
    path = folder / source
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if _is_structure(one))
        if not files:
            raise InputError(
                f"the folder {path} has no structures", where=where, fix="put CIF or POSCAR into it"
            )
        for file in files:
            yield Listed(file.stem, f"{source.rstrip('/')}/{file.name}", None)
        return
    if not path.is_file():
        raise InputError(
            f"there is no file or folder {path}",
            where=where,
            fix="give JSON lines, a table (CSV, JSON, parquet), a folder of CIFs, or "
            "`{materials_project: [mp-1138]}`, relative to the campaign's file",
        )
    if path.stat().st_size > _LARGEST_LIST_BYTES:
        raise InputError(f"{path} is larger than 4 GiB", where=where, fix="split it")
    rows = _lines(path, where) if path.suffix in (".jsonl", ".ndjson") else _frame(path, where)
    for place, row in rows:
        structure = _structure(row.get("structure"), place)
        name = row.get("name") or structure.composition.reduced_formula
        yield Listed(str(name), f"{source}#{name}", _content(structure))


def _is_structure(path: Path) -> bool:
    return path.name.lower().endswith(_STRUCTURE_ENDINGS) or path.name.startswith("POSCAR")


def _lines(path: Path, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        try:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                place = f"{where}: {path}, line {number}"
                try:
                    read = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise InputError(f"no JSON: {error}", where=place, fix="correct it") from None
                if isinstance(read, dict) and "lattice" in read:  # a structure and nothing else
                    read = {"structure": read, "name": (read.get("properties") or {}).get("name")}
                if not isinstance(read, dict):
                    raise InputError(
                        "no structure with its name",
                        where=place,
                        fix='write {"name": "LiF", "structure": {…}}, where the structure is what '
                        "pymatgen's as_dict() gives",
                    )
                yield place, read
        except UnicodeDecodeError:
            raise InputError(
                f"{path} is binary, not text", where=where, fix="give JSON lines in UTF-8"
            ) from None


def _frame(path: Path, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    import pandas as pd

    readers: dict[str, Any] = {
        ".csv": pd.read_csv,
        ".parquet": pd.read_parquet,
        ".json": pd.read_json,
    }
    if path.suffix not in readers:
        raise InputError(
            f"{path}: lists do not end in {path.suffix or 'nothing'}",
            where=where,
            fix=f"one of .jsonl, {', '.join(readers)}, or a folder of CIFs (pickles can run code "
            "and are not read)",
        )
    try:
        frame = readers[path.suffix](path)
    except Exception as error:  # as many kinds as there are readers
        raise InputError(
            f"{path} cannot be read as a table: {error}",
            where=where,
            fix="write it by pandas, with the columns name and structure",
        ) from None
    if "structure" not in frame.columns:
        raise InputError(
            f"{path} has no column `structure`, but {', '.join(map(str, frame.columns[:8]))}",
            where=where,
            fix="name the column of structures (JSON or CIF) `structure`, that of names `name`",
        )
    named = "name" in frame.columns
    for number, row in enumerate(frame.to_dict("records"), start=1):
        name = row["name"] if named and isinstance(row["name"], str | int) else None
        yield f"{where}: {path}, row {number}", {"structure": row["structure"], "name": name}


def _structure(given: Any, place: str) -> Structure:
    """Return the structure of pymatgen's JSON, as text or read already, or of a CIF's text."""
    if isinstance(given, str) and not given.lstrip().startswith("{"):
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "structure.cif"
            path.write_text(given, encoding="utf-8")
            return read_structure(path, where=place).structure
    try:
        document = json.loads(given) if isinstance(given, str) else given
        document = json.loads(json.dumps(document, default=_plain))
        refuse_foreign_code(document, where=place)
        return Structure.from_dict(document)
    except InputError:
        raise
    except Exception as error:  # whatever is no structure fails in its own way
        raise InputError(
            f"no structure ({type(error).__name__}: {error})",
            where=place,
            fix="give what pymatgen's as_dict() gives, or the text of a CIF",
        ) from None


def _plain(value: Any) -> Any:
    """Return arrays, as parquet has them, as lists."""
    return value.tolist()


def _of_optimade(query: OptimadeList, where: str) -> Iterator[Listed]:
    from pymatgen.ext.optimade import OptimadeRester

    base = OptimadeRester.aliases.get(query.optimade, query.optimade)
    if not base.startswith(("https://", "http://")):
        raise InputError(
            f"there is no OPTIMADE provider {query.optimade!r}",
            where=where,
            fix=f"one of {', '.join(sorted(OptimadeRester.aliases))}, or the address of its API",
        )
    url = urljoin(base.rstrip("/") + "/", "v1/structures")
    asked: dict[str, Any] | None = {
        "filter": query.filter,
        "response_fields": ",".join(_OPTIMADE_FIELDS),
        "page_limit": min(100, query.at_most),
    }
    count = 0
    while url:
        answer = _answer(url, asked, where)
        for entry in answer["data"]:
            count += 1
            if count > query.at_most:
                raise InputError(
                    f"the query has more than {query.at_most} structures",
                    where=where,
                    fix="narrow the filter, or raise at_most",
                )
            identifier = str(entry.get("id"))
            structure = _of_entry(entry, f"{where}: {query.optimade} {identifier}")
            name = re.sub(r"[^A-Za-z0-9._+-]+", "_", identifier)
            yield Listed(name, f"optimade:{query.optimade}/{identifier}", _content(structure))
        following = (answer.get("links") or {}).get("next")
        following = following.get("href") if isinstance(following, dict) else following
        if following and urlsplit(following).hostname != urlsplit(url).hostname:
            raise InputError(
                f"{urlsplit(url).hostname} refers to {urlsplit(following).hostname} for further "
                "pages",
                where=where,
                fix="query that provider instead",
            )
        url, asked = following, None  # the link has the question in it
    if not count:
        raise InputError(
            f"{query.optimade} has no structures for this filter: {query.filter}",
            where=where,
            fix="try it in a browser, or widen it",
        )


def _answer(url: str, asked: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
    import requests

    host = urlsplit(url).hostname
    try:
        with contextlib.closing(
            requests.get(url, params=asked, timeout=_PATIENCE_S, stream=True)
        ) as response:
            content = response.raw.read(_LARGEST_ANSWER_BYTES + 1, decode_content=True)
        if len(content) > _LARGEST_ANSWER_BYTES:
            raise InputError(f"{host} answers with more than 256 MiB", where=where)
        answer = json.loads(content)
    except (requests.RequestException, OSError) as error:
        raise InputError(
            f"{host} does not answer: {type(error).__name__}",
            where=where,
            fix="check the address and the network, or try it again later",
        ) from None
    except ValueError:
        raise InputError(
            f"{host} does not answer with JSON (status {response.status_code})",
            where=where,
            fix="give the address of an OPTIMADE API, without /v1",
        ) from None
    if response.status_code != 200 or not isinstance(answer, dict) or "data" not in answer:
        errors = answer.get("errors") if isinstance(answer, dict) else None
        said = "; ".join(str(one.get("detail")) for one in errors or [] if isinstance(one, dict))
        raise InputError(
            f"{host} refuses the query (status {response.status_code})"
            + (f": {said}" if said else ""),
            where=where,
            fix='correct the filter; an example is `elements HAS ALL "Li","F"`',
        )
    return answer


def _of_entry(entry: Mapping[str, Any], place: str) -> Structure:
    """Return an entry's structure; its sites are named by species, which have their elements."""
    try:
        fields = entry["attributes"]
        symbols = {one["name"]: one["chemical_symbols"] for one in fields["species"]}
        shares = {one["name"]: one.get("concentration") for one in fields["species"]}
        species = [
            dict(zip(symbols[name], shares[name] or [1.0], strict=True))
            for name in fields["species_at_sites"]
        ]
        return Structure(
            fields["lattice_vectors"],
            species,
            fields["cartesian_site_positions"],
            coords_are_cartesian=True,
        )
    except Exception as error:  # a vacancy, a missing field, …
        raise InputError(
            f"not a crystal of known atoms ({type(error).__name__}: {error})",
            where=place,
            fix="leave it out by the filter",
        ) from None
