"""Records that are the same but for rounding, and for the setting of the structures in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Structure

from interohm.slab_builders.equivalence import settings_between
from interohm.yaml_io import load_yaml


def assert_same_record(made: Path, shipped: Path) -> None:
    """Compare two records' files: texts exactly, numbers to 2e-4, structures as what they are.

    Energies in a record have four decimals, and the last one may round either way.
    """
    _compare(load_yaml(made), load_yaml(shipped), made.stem)


def _compare(one: Any, two: Any, where: str) -> None:
    assert type(one) is type(two), where
    if isinstance(one, dict) and {"lattice", "sites"} <= one.keys():
        structures = Structure.from_dict(one), Structure.from_dict(two)
        assert next(settings_between(*structures), None) is not None, where
    elif isinstance(one, dict):
        assert one.keys() == two.keys(), f"{where}: {sorted(one.keys() ^ two.keys())}"
        for name in one:
            _compare(one[name], two[name], f"{where}.{name}")
    elif isinstance(one, list):
        assert len(one) == len(two), where
        for place, (first, second) in enumerate(zip(one, two, strict=True)):
            _compare(first, second, f"{where}[{place}]")
    elif isinstance(one, float):
        assert one == pytest.approx(two, rel=1e-4, abs=2e-4), where
    else:
        assert one == two, where
