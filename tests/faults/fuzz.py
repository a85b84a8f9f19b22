"""A fuzzer, guided by coverage, on the files that users write: what Hypothesis does not come upon.

A program, with libFuzzer's options: ``python tests/faults/fuzz.py examples/cell.yaml
-max_total_time=600``. It needs Atheris: ``pip install 'interohm[fuzz]'``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))
with atheris.instrument_imports(include=["interohm"]):
    from test_malformed_configs import faults_of


def main() -> None:
    """Fuzz the kind of file that the first argument names."""
    program, name, *options = sys.argv
    # Long enough for Hypothesis to draw a whole document's faults from.
    length = ["-max_len=4096", "-len_control=0"]
    atheris.Setup([program, *length, *options], faults_of(name).hypothesis.fuzz_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
