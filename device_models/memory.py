"""Requests of the solvers to the memory allocator of the C library."""

from __future__ import annotations

import numpy as np

_KEPT_BYTES = 16 * 2**20


def keep_freed_memory() -> None:
    """Keep freed memory in the process for the next array instead of returning it each time.

    The solvers' arrays live for microseconds; fetching their pages from the system again and again
    takes a quarter of the time. Freeing one block that was mapped on its own raises the thresholds
    of glibc to its size and twice that (mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD, which
    are dynamic); other C libraries take no notice. The block itself is never touched.
    """
    np.empty(_KEPT_BYTES, dtype=np.uint8)
