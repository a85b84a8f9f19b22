"""Every field of every file and result says what it means; its bounds are those of validation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from interohm.cli.schema import Schema, json_schema
from interohm.database.columns import UNITS
from interohm.records import material
from interohm.records.extrinsic import ContactFraction, Pressure


def objects(of: Schema) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a schema with its name."""
    schema = json_schema(of)
    for name, part in {schema.get("title", of): schema, **schema.get("$defs", {})}.items():
        if "properties" in part:
            yield str(name), part


@pytest.mark.parametrize("of", list(Schema))
def test_every_field_says_what_it_means(of: Schema) -> None:
    found = list(objects(of))
    assert found
    for name, part in found:
        assert part.get("description"), name
        assert "\n---" not in part["description"], name
        for field, described in part["properties"].items():
            meaning = described.get("description", "")
            for unit in sorted(UNITS.values(), key=len, reverse=True):
                meaning = meaning.removeprefix(f"log10 of {unit}").removeprefix(unit)
            assert len(meaning.strip(" .;,")) > 5, f"{name}.{field}: {described}"


@pytest.mark.parametrize(
    "quantity",
    [material.BandGap, material.Voltage, material.HopDistance, Pressure, ContactFraction],
)
def test_bounds_of_a_quantity_are_those_of_validation(quantity: Any) -> None:
    adapter = TypeAdapter(quantity)
    schema = adapter.json_schema()
    low, high = schema["minimum"], schema["maximum"]
    assert schema["properties"]["value"] == {"minimum": low, "maximum": high}
    for value in (low, high):
        assert adapter.validate_python(value).value == value
    for value in (low - 0.01 * abs(low), high + 0.01 * high):
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_bounds_of_plain_numbers_stand_in_the_schema() -> None:
    weight = json_schema(Schema.record)["$defs"]["Carriers"]["properties"]["weight"]
    assert (weight["exclusiveMinimum"], weight["maximum"]) == (0, 1e6)
    names = {key for of in Schema for _, part in objects(of) for key in walked(part)}
    assert not names & {"ge", "gt", "le", "lt"}


def walked(node: Any) -> Iterator[str]:
    """Every key whose value is a number."""
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, int | float):
                yield key
            yield from walked(value)
    elif isinstance(node, list):
        for value in node:
            yield from walked(value)


def test_a_class_says_of_inherited_fields_what_its_base_says() -> None:
    properties = json_schema(Schema.record)["$defs"]["Metal"]["properties"]
    assert properties["mobile_ion"]["description"] == "Element symbol of the mobile ion."
    # one entry for two names
    left, right = (
        json_schema(Schema.interface)["properties"][f"{side}_surface"]["description"]
        for side in ("left", "right")
    )
    assert left == right != ""
