"""Cache of recent results for a structure: the plan of a phase asks for the same twice."""

from __future__ import annotations

import copy
import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from pymatgen.core import Structure

Parameters = ParamSpec("Parameters")
Made = TypeVar("Made")


def remembered(
    most: int,
) -> Callable[[Callable[Parameters, Made]], Callable[Parameters, Made]]:
    """Remember the last results of a function of structures and plain values.

    Structures are one if all their digits are. Every caller gets a copy of its own.

    Parameters
    ----------
    most : int
        Results that are kept.
    """

    def decorated(function: Callable[Parameters, Made]) -> Callable[Parameters, Made]:
        known: OrderedDict[Any, Made] = OrderedDict()
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Made:
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            key = _content(given.arguments)
            if key not in known:
                known[key] = function(*args, **kwargs)
                if len(known) > most:
                    known.popitem(last=False)
            known.move_to_end(key)
            return copy.deepcopy(known[key])

        return call

    return decorated


def _content(value: Any) -> Any:
    if isinstance(value, Structure):
        return (
            value.lattice.matrix.tobytes(),
            value.frac_coords.tobytes(),
            tuple(str(site.species) for site in value),
            tuple(str(site.properties) for site in value if site.properties),
        )
    if isinstance(value, Mapping):
        return tuple(sorted((name, _content(one)) for name, one in value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(_content, value))
    return value
