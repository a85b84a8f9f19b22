"""The finished calculations that come with the program, by their hashes."""

from __future__ import annotations

import functools
import gzip
import json
from importlib import resources
from typing import Any

_ENDING = ".json.gz"

#: The hashes of the calculations of each coarse key.
KEYS_FILE = "keys.json"


def shipped_hashes() -> list[str]:
    """Return the hashes of all shipped calculations."""
    folder = resources.files("interohm.configs") / "calculations"
    names = [file.name for file in folder.iterdir()]
    return sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING))


@functools.cache
def _keys() -> dict[str, list[str]]:
    file = resources.files("interohm.configs") / "calculations" / KEYS_FILE
    keys: dict[str, list[str]] = json.loads(file.read_text())
    return keys


def shipped_hashes_with_key(key: str) -> list[str]:
    """Return the hashes of the shipped calculations of a coarse key."""
    return _keys().get(key, [])


def shipped_with_key(key: str) -> list[dict[str, Any]]:
    """Return the documents of the shipped calculations of a coarse key, by hash."""
    found = [shipped_calculation(hash) for hash in shipped_hashes_with_key(key)]
    return [document for document in found if document is not None]


def shipped_calculation(hash: str) -> dict[str, Any] | None:
    """Return the document of a shipped calculation, or None."""
    file = resources.files("interohm.configs") / "calculations" / f"{hash}{_ENDING}"
    if not file.is_file():
        return None
    document: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return document
