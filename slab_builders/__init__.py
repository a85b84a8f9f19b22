"""Structures in, structures out: symmetric non-polar slabs and defect supercells."""
