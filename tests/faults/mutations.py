"""Documents with faults: shipped examples of which a few values are lost, odd or elsewhere."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

ODD = (
    *(None, True, "", "x", "\x00", "é" * 300, "../../../etc/passwd", "mp-1", ".yaml", "nan"),
    *(0, -1, 1, 0.5, 1e308, -1e308, 1e-308, 2**62, [], {}, [[]], [None], {"": 1}),
    *({"value": 1}, {"value": -1e300, "uncertainty": 0, "source": ""}, [1, 0, 0], [0, 0, 0]),
    *(
        ["Li", "Li"],
        {"min": 1, "max": 0},
        "1 < 2 and",
        "__import__('os')",
        "Li",
        "metal",
        [0.1] * 99,
    ),
)

Step = tuple[Any, ...]


@st.composite
def mutated(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """Draw the document with one to three faults."""
    faulty = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        steps = _places(faulty)
        if not steps:
            break
        place = draw(st.sampled_from(steps))
        holder = _at(faulty, place[:-1])
        fault = draw(st.sampled_from(["odd", "odd", "gone", "elsewhere", "unknown", "twice"]))
        if fault == "odd":
            holder[place[-1]] = copy.deepcopy(draw(st.sampled_from(ODD)))
        elif fault == "gone":
            del holder[place[-1]]
        elif fault == "elsewhere":
            holder[place[-1]] = copy.deepcopy(_at(faulty, draw(st.sampled_from(steps))))
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[place[-1]]))
        else:
            name = "unknown" if fault == "unknown" else f"{place[-1]} "
            holder[name] = copy.deepcopy(holder[place[-1]])
    return faulty


def _places(value: Any, above: Step = ()) -> list[Step]:
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, list):
        items = list(enumerate(value))[:20]
    else:
        return []
    found = []
    for key, item in items:
        found += [(*above, key), *_places(item, (*above, key))]
    return found


def _at(value: Any, place: Step) -> Any:
    for key in place:
        value = value[key]
    return value
