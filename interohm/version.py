"""The version, for whatever is written and told with it."""

from __future__ import annotations

VERSION = "0.1.0"
