"""Processor time of whole commands, as ratios to importing NumPy in the same run."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "configs" / "examples" / "lithium-LiF-LLZO-LCO.yaml"


def processor_s(*command: str) -> float:
    """Return user and system time of a command, which has to end well."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def command_figures(repeats: int = 3) -> dict[str, object]:
    """Return the ratios, each of the least times of several runs."""
    interohm = [sys.executable, "-m", "interohm"]
    commands = {
        "numpy": [sys.executable, "-c", "import numpy"],
        "contact": [*interohm, "contact", "Li", "LLZO", "--json"],
        "certain": [*interohm, "contact", "Li", "LLZO", "--json", "--samples", "0"],
        "cell": [*interohm, "cell", str(EXAMPLE), "--json"],
    }
    times = {
        name: min(processor_s(*command) for _ in range(repeats))
        for name, command in commands.items()
    }
    return {
        "contact_over_numpy_import": times["contact"] / times["numpy"],
        "contact_without_samples_over_numpy_import": times["certain"] / times["numpy"],
        "cell_over_contact": times["cell"] / times["contact"],
    }
