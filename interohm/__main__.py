"""`python -m interohm`: the command line without its console script."""

from __future__ import annotations

from interohm.cli import main

main()
