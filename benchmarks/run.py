"""Speed and memory of the device model: one JSON object on standard output.

``python benchmarks/run.py`` is the short form (`make bench`, under 50 s); ``--long`` repeats more,
adds larger batches and pyscses if its environment is there, see README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

os.environ.setdefault("OMP_NUM_THREADS", "1")

PYSCSES = Path(__file__).parents[1] / ".venv-pyscses" / "bin" / "python"
"""Of the environment that `pyscses_comparison.py` says how to make."""


def main() -> None:
    """Run the benchmarks and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="more repeats, larger batches")
    long = parser.parse_args().long

    from first_integrals import draw, first_integral_figures, half_space_contacts, in_chunks

    figures: dict[str, object] = dict(
        first_integral_figures(
            contacts=524288 if long else 65536,
            layers=65536 if long else 16384,
            repeats=5 if long else 3,
        )
    )
    before_MiB = peak_MiB()
    many = 4_194_304 if long else 524_288
    result = in_chunks(half_space_contacts, draw(many), rows=4)
    inputs_and_results_MiB = (result.nbytes + 3 * 8 * many) / 2**20
    figures["memory_beyond_arrays_MiB"] = peak_MiB() - before_MiB - inputs_and_results_MiB
    from stack import stack_figures

    figures |= stack_figures() if long else stack_figures(repeats=2)
    from impedance import impedance_figures

    figures |= impedance_figures(5 if long else 2)
    from dynamics import dynamics_figures

    figures |= dynamics_figures()
    figures["peak_MiB"] = peak_MiB()
    figures |= screen_figures((1000, 1000, 1000) if long else (200, 700, 715))
    from commands import command_figures

    figures |= command_figures(5 if long else 2)
    if long and PYSCSES.exists():
        figures["pyscses_comparison"] = figures_of("pyscses_comparison.py", str(PYSCSES))
    elif long:
        print(
            f"pyscses is left out, as there is no {PYSCSES}: the docstring of "
            "benchmarks/pyscses_comparison.py says how to make it",
            file=sys.stderr,
        )
    json.dump(figures, sys.stdout, indent=1)
    print()


def screen_figures(size: tuple[int, int, int]) -> dict[str, object]:
    """Run a screening in its own process, whose peak memory is measured."""
    return figures_of("screen.py", *map(str, size))


def figures_of(script: str, *arguments: str) -> dict[str, object]:
    """Return what a script beside this one prints."""
    command = [sys.executable, str(Path(__file__).with_name(script)), *arguments]
    figures: dict[str, object] = json.loads(subprocess.run(command, stdout=PIPE, check=True).stdout)
    return figures


def peak_MiB() -> float:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


if __name__ == "__main__":
    main()
