"""From crystal structures to the intrinsic interface resistance of a solid-state cell."""

from __future__ import annotations

__version__ = "0.1.0"
