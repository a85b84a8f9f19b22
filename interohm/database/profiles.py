"""The profiles of contacts and cells, which lie apart from their documents: packed in a blob."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any

from interohm.database.safe_documents import refuse_foreign_code
from interohm.errors import InputError

Document = dict[str, Any]

#: What unpacking a damaged blob, or putting another document's into this one, ends with.
_DAMAGE = (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, AttributeError)


def without_profiles(document: Mapping[str, Any]) -> tuple[Document, dict[str, Any]]:
    """Return the document without its fields ``profile``, and these by their paths."""
    profiles: dict[str, Any] = {}

    def walk(value: Any, path: str) -> Any:
        if isinstance(value, Mapping):
            kept = {}
            for field, item in value.items():
                if field == "profile":
                    profiles[f"{path}{field}"] = item
                else:
                    kept[field] = walk(item, f"{path}{field}.")
            return kept
        if isinstance(value, (list, tuple)):
            return [walk(item, f"{path}{place}.") for place, item in enumerate(value)]
        return value

    return walk(document, ""), profiles


def packed(profiles: Mapping[str, Any]) -> bytes:
    """Return profiles by their paths as a blob, the same bytes every time."""
    return gzip.compress(json.dumps(profiles).encode(), mtime=0)


def with_profiles(document: Document, blob: bytes, *, where: str) -> Document:
    """Put packed profiles back into their document, in place.

    Raises
    ------
    InputError
        The blob is damaged, or does not fit the document.
    """
    try:
        profiles = json.loads(gzip.decompress(blob))
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
            fix="predict the contact or cell and save it anew",
        ) from error
    return document
