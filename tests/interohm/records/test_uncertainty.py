"""Numbers of records after a measurement: what was assumed stays so unless it is determined."""

from __future__ import annotations

import pytest

from interohm.records import Quantity
from interohm.records.uncertainty import updated_quantity


@pytest.mark.parametrize(
    ("before", "share", "assumed"),
    [
        ({"value": 1.0, "uncertainty": 0.2, "source": "assumed: as oxides have"}, 0.6, True),
        ({"value": 1.0, "uncertainty": 0.2, "method": "assumed"}, 0.6, True),
        ({"value": 1.0, "uncertainty": 0.2, "method": "assumed"}, 0.5, False),
        ({"value": 1.0, "uncertainty": 0.2}, 0.6, True),
        (1.0, 0.6, True),
        ({"value": 1.0, "uncertainty": 0.2, "source": "doi", "method": "measured"}, 0.6, False),
        # an update of an update
        ({"value": 1.0, "source": "a.csv", "method": "assumed, updated from a map"}, 0.9, True),
        ({"value": 1.0, "source": "a.csv", "method": "updated from a map"}, 0.9, False),
    ],
)
def test_what_was_assumed_stays_so_unless_it_is_determined(before, share, assumed):
    found = updated_quantity(
        before, 1.1, 0.12, share=share, source="b.csv", method="updated from a map"
    )
    quantity = Quantity.model_validate(found)
    assert quantity.assumed is assumed
    assert (quantity.value, quantity.uncertainty, quantity.source) == (1.1, 0.12, "b.csv")
    assert quantity.method.endswith("updated from a map")
