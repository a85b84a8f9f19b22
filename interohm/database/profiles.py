"""The profiles of contacts and cells, which lie apart from their documents: packed in a blob."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any

from interohm.errors import InputError
from interohm.safe_documents import refuse_foreign_code
from interohm.unpacking import unpacked

Document = dict[str, Any]


def without_profiles(document: Mapping[str, Any]) -> tuple[Document, dict[str, Any]]:
    """Return the document without its fields ``profile``, and these by their paths."""
    profiles: dict[str, Any] = {}

    def walk(value: Any, path: str) -> Any:
        if isinstance(value, (float, str, int)):  # most of them: numbers of long lists
            return value
        if isinstance(value, Mapping):
            kept = {}
            for field, item in value.items():
                if field == "profile":
                    profiles[f"{path}{field}"] = item
                else:
                    kept[field] = walk(item, f"{path}{field}.")
            return kept
        if isinstance(value, (list, tuple)):
            return [walk(item, f"{path}{index}.") for index, item in enumerate(value)]
        return value

    return walk(document, ""), profiles


#: A document of more characters as JSON is too large, a part of more leaves it. A server takes 16
#: MB, of which a short number takes twelve bytes.
_LARGE_DOCUMENT, _LARGE_PART = 1_000_000, 100_000


def without_large_parts(document: Mapping[str, Any]) -> tuple[Document, dict[str, Any]]:
    """Return a document that a server takes, and the parts that had to leave it, by their paths."""

    def walk(value: Mapping[str, Any], path: str, parts: dict[str, Any]) -> Document:
        kept = dict(value)
        for field, item in value.items():
            if "." in field or _length(item) <= _LARGE_PART:
                continue
            inner: dict[str, Any] = {}
            if isinstance(item, Mapping):
                kept[field] = walk(item, f"{path}{field}.", inner)
            if _length(kept[field]) > _LARGE_PART:  # of many parts, none of them large
                del kept[field]
                inner = {f"{path}{field}": item}
            parts.update(inner)
        return kept

    parts: dict[str, Any] = {}
    if _length(document) <= _LARGE_DOCUMENT:
        return dict(document), parts
    return walk(document, "", parts), parts


def _length(value: Any) -> int:
    return len(json.dumps(value, default=str))


#: Of gzip: a fifth of the highest level's time, for a profile that is 8 % larger.
_LEVEL = 3


def packed(profiles: Mapping[str, Any]) -> bytes:
    """Return profiles by their paths as a blob, the same bytes every time.

    Raises
    ------
    ValueError
        A number is not finite.
    """
    return gzip.compress(json.dumps(profiles, allow_nan=False).encode(), _LEVEL, mtime=0)


def with_profiles(document: Document, blob: bytes, *, where: str) -> Document:
    """Put packed profiles back into their document, in place.

    Raises
    ------
    InputError
        The blob is damaged, or does not fit the document.
    """
    try:
        profiles = json.loads(unpacked(blob, ".gz", where=where))
        refuse_foreign_code(profiles, where=where)
        for path, profile in profiles.items():
            *steps, field = path.split(".")
            owner: Any = document
            for step in steps:
                owner = owner[int(step)] if isinstance(owner, list) else owner[step]
            owner[field] = profile
    except InputError:
        raise
    except (
        OSError,
        EOFError,
        zlib.error,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise InputError(
            f"the profiles are damaged: {error}",
            where=where,
            fix="predict the contact or cell and save it again",
        ) from error
    return document
