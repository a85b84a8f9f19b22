"""Transfer of documents from a folder to a server and back: each exactly once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from interohm.database import schema
from interohm.database.database import COLLECTIONS, Database, Document, batches
from interohm.errors import InputError


@dataclass
class Transfer:
    """Outcome of a transfer, in numbers of documents.

    Parameters
    ----------
    copied : dict of int
        How many were written, by collection.
    present : int
        How many were there already.
    different : list of (collection, name)
        Documents of which the target has a different version under the same name; it is kept.
    refused : list of InputError
        Errors of documents that are damaged or malformed, or that name foreign code.
    """

    copied: dict[str, int] = field(default_factory=dict)
    present: int = 0
    different: list[tuple[str, str]] = field(default_factory=list)
    refused: list[InputError] = field(default_factory=list)


def copy_documents(
    source: Database, target: Database, progress: Callable[[int], Any] = lambda count: None
) -> Transfer:
    """Write all documents of a database into another one; the source stays as it is.

    Documents that the target already has are not touched, so an interrupted transfer continues
    where it stopped. The outputs of jobs are not copied: their results are among the calculations.

    Parameters
    ----------
    source, target : Database
        The target is open for writing.
    progress : callable, optional
        Is told again and again how many documents have been looked at.
    """
    made, count = Transfer(), 0
    for name in COLLECTIONS:
        made.copied[name] = 0
        for some in batches(source.stored_documents(name)):
            _copy(source, target, name, some, made)
            count += len(some)
            progress(count)
    return made


def _copy(
    source: Database, target: Database, name: str, documents: list[Document], made: Transfer
) -> None:
    ids = [document["_id"] for document in documents]
    there = {one["_id"]: one for one in target.stored_documents(name, ids)}
    done = set()
    if name == "failures":
        # what was calculated since has failed no more
        done = {one["_id"] for one in target.stored_documents("calculations", ids)}
    new: list[tuple[str, Document]] = []
    for document in documents:
        id = document["_id"]
        try:
            whole = source.whole(name, document)
            with schema.well_formed(f"{source.location}, {name}, {id}"):
                schema.stored(name, whole)
        except InputError as error:
            made.refused.append(error)
            continue
        known = _said(target, name, there[id]) if id in there else None
        if id in done or known == _text(whole):
            made.present += 1
        elif known is None:
            new.append((id, whole))
        else:
            made.different.append((name, str(id)))
    target.save_whole(name, new)
    made.copied[name] += len(new)


def _said(database: Database, name: str, document: Document) -> str | None:
    """Return the text of a stored document; None of one that is damaged, and written anew."""
    try:
        return _text(database.whole(name, document))
    except InputError:
        return None


def _text(document: Document) -> str:
    return json.dumps(document, sort_keys=True, default=str)
