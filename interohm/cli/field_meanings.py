"""The meaning of each field of a file or a result, taken from where the field is defined.

A field has a description of its own (``Field(description=...)``), or stands in the section of
parameters of its class or of one that the class inherits from.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

_SECTION = re.compile(r"^(?:Parameters|Attributes)\n-+\n", re.M)
_ENTRY = re.compile(r"^(\w[\w, ]*)(?: : .*)?\n((?: {4}.*\n?|\n(?= {4}))+)", re.M)


#: Bounds behind a validator, which pydantic leaves under its own names.
_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}


class DocumentedSchema(GenerateJsonSchema):
    """A JSON schema in which every field says what it means and what it may be."""

    def generate(self, schema: Any, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        """Generate the schema."""
        found: JsonSchemaValue = _with_bounds(super().generate(schema, mode))
        return found

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Describe the fields of a model."""
        return _documented(super().model_schema(schema), schema["cls"])

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        """Describe the fields of a typed dictionary."""
        return _documented(super().typed_dict_schema(schema), schema.get("cls"))


def _with_bounds(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_bounds(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        _BOUNDS.get(key, key) if isinstance(one, int | float) else key: _with_bounds(one)
        for key, one in node.items()
    }


def _documented(json_schema: JsonSchemaValue, cls: Any) -> JsonSchemaValue:
    summary, meanings = described(cls)
    if summary:
        json_schema["description"] = summary
    for name, field in json_schema.get("properties", {}).items():
        if name in meanings:
            field.setdefault("description", meanings[name])
    return json_schema


def described(cls: Any) -> tuple[str, dict[str, str]]:
    """Return what the docstrings of a class (numpydoc) say of it and of its fields.

    Parameters
    ----------
    cls : type
        A class; those that it inherits from describe fields that it does not.

    Returns
    -------
    (str, dict of str to str)
        The text above the section of parameters, and the meaning of each field by its name.
    """
    meanings: dict[str, str] = {}
    for one in reversed([*_bases(cls)]):
        meanings |= _meanings(one)
    own = _SECTION.split(inspect.cleandoc(cls.__doc__ or ""))[0].strip() if cls else ""
    return own, meanings


def _bases(cls: Any) -> tuple[Any, ...]:
    # typed dictionaries have no bases but in this attribute
    above = getattr(cls, "__orig_bases__", ()) if not hasattr(cls, "model_fields") else ()
    own = getattr(cls, "__mro__", ())
    return (*own, *(base for each in above for base in _bases(each)))


def _meanings(cls: Any) -> dict[str, str]:
    """Return what the section of parameters of one class says of each name."""
    _, *sections = _SECTION.split(inspect.cleandoc(cls.__dict__.get("__doc__") or ""))
    meanings: dict[str, str] = {}
    for section in sections:
        for entry in _ENTRY.finditer(section):
            text = " ".join(entry[2].split())
            meanings |= dict.fromkeys(re.split(r",\s*", entry[1]), text)
    return meanings
