"""The shipped structures, as crystals."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymatgen.core import Structure

from interohm.slab_builders.cells import Crystal

STRUCTURES = Path(__file__).parents[2] / "configs" / "structures"


@pytest.fixture
def crystal(request: pytest.FixtureRequest) -> Crystal:
    """The crystal that the test's parameter names."""
    return Crystal.from_structure(Structure.from_file(STRUCTURES / f"{request.param}.cif"))
