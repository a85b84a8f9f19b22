"""Named arrays in a file, whole or not at all."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from interohm.yaml_io import write_bytes


def save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays to a file (NumPy's npz)."""
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    write_bytes(path, stream.getvalue())


def load_arrays(path: Path) -> dict[str, Any] | None:
    """Return the arrays of a file; None where there is none, or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
