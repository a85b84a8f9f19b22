"""What a report's page holds, for the tests."""

from __future__ import annotations

import json
import re
from typing import Any


def figures_of(html: str) -> dict[str, Any]:
    """Return a page's figures, with what it says only once put back into all of its places."""
    figures, repeated = (
        json.loads(re.search(rf'id="{name}">(.*?)</script>', html)[1])
        for name in ("figures", "repeated")
    )

    def whole(value: Any) -> Any:
        if isinstance(value, list):
            return [whole(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "again" in value:
            return whole(repeated[value["again"]])
        return {name: whole(one) for name, one in value.items()}

    return whole(figures)
