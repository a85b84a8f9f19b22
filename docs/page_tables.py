"""Tables that a page of the documentation has between two marks."""

from __future__ import annotations

import sys
from pathlib import Path

from interohm.errors import InputError
from interohm.yaml_io import write_text


def print_or_write(text: str, begin: str, end: str) -> int:
    """Insert a text between the marks of the page that the command line names, or print it.

    Raises
    ------
    InputError
        If the page lacks a mark; it is left as it was.
    """
    if len(sys.argv) < 2:
        sys.stdout.write(text)
        return 0
    page = Path(sys.argv[1])
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise InputError(f"lacks the lines {begin.strip()} and {end}", where=str(page))
    write_text(page, before + begin + text + end + after)
    return 0
