"""Arrays of any library of the array-API standard, for arithmetic that needs nothing of NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .phase import Array

_NUMPYS_OWN = (np.ndarray, np.generic, float, int, list, tuple)


def arrays_of(*values: ArrayLike) -> tuple[Any, list[Array]]:
    """Bring values to floating-point arrays of the one library that any of them is of.

    Parameters
    ----------
    *values : array (...)
        Arrays of one library (CuPy, JAX, torch, ...), numbers, lists.

    Returns
    -------
    xp : namespace
        The library's functions by the names of the standard; NumPy's for numbers and lists alone.
    arrays : list of array
        The values; floating-point arrays stay what they are.
    """
    if all(isinstance(value, _NUMPYS_OWN) for value in values):
        # NumPy 2 follows the standard itself
        return np, [
            value
            if isinstance(value, np.ndarray) and value.dtype.kind == "f"
            else np.asarray(value, dtype=np.float64)
            for value in values
        ]
    # to import it takes as long as to solve some contacts
    from array_api_compat import array_namespace, is_array_api_obj

    known = [value for value in values if is_array_api_obj(value)]
    xp = array_namespace(*known) if known else array_namespace(np.empty(0))

    def as_floats(value: Any) -> Any:
        if is_array_api_obj(value) and xp.isdtype(value.dtype, "real floating"):
            return value
        return xp.asarray(value, dtype=xp.float64)

    return xp, [as_floats(value) for value in values]
