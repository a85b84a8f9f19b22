"""The finished calculations that come with the program, by their hashes."""

from __future__ import annotations

import gzip
import json
from importlib import resources
from typing import Any

_ENDING = ".json.gz"


def shipped_hashes() -> list[str]:
    """Return the hashes of all shipped calculations."""
    folder = resources.files("interohm.configs") / "calculations"
    names = [file.name for file in folder.iterdir()]
    return sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING))


def shipped_calculation(hash: str) -> dict[str, Any] | None:
    """Return the document of a shipped calculation, or None."""
    file = resources.files("interohm.configs") / "calculations" / f"{hash}{_ENDING}"
    if not file.is_file():
        return None
    document: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return document
