"""YAML files of users: safe loading, YAML 1.2 numbers, errors that name file and field."""

from __future__ import annotations

import contextlib
import datetime
import functools
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from interohm.errors import InputError
from interohm.files import atomic_file

if TYPE_CHECKING:
    from pydantic import BaseModel, TypeAdapter, ValidationError

Model = TypeVar("Model", bound="BaseModel")

_LARGEST_FILE_BYTES = 64 * 2**20
#: Of YAML, which is read much more slowly than JSON: a few megabytes take minutes.
_LARGEST_YAML_CHARACTERS = 4 * 2**20
_LARGEST_NODE_COUNT = 2_000_000
#: More of a file's faults are counted, not named.
_MOST_PROBLEMS = 30
#: A number as it is written in much of the world, but not in YAML.
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read one YAML mapping with the safe loader.

    Parameters
    ----------
    path : str or Path
        The file. YAML 1.2: ``3e22`` is a number, ``no`` is a string.

    Returns
    -------
    dict
        The mapping at the top of the file.

    Raises
    ------
    InputError
        The file is missing, empty, binary, too large, not YAML, carries a tag that asks for code, a
        key twice, or is not a mapping.
    """
    path = Path(path)
    try:
        if path.is_file() and path.stat().st_size > _LARGEST_FILE_BYTES:
            raise InputError("the file is larger than 64 MiB", where=str(path), fix="split it")
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise InputError(
            "there is no such file",
            where=str(path),
            fix=_other_ending(path)
            or "check the path; it is relative to "
            "the file that names it, or to the current folder on the command line",
        ) from None
    except IsADirectoryError:
        raise InputError("this is a folder", where=str(path), fix="name a YAML file") from None
    except UnicodeDecodeError:
        raise InputError(
            "the file is binary, not text", where=str(path), fix="give a YAML file in UTF-8"
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"cannot be read: {reason}",
            where=str(path),
            fix="check the path and its permissions",
        ) from None
    return parse_yaml(text, where=str(path))


def _other_ending(path: Path) -> str | None:
    """Return the question whether the other ending of YAML files was meant, if that file exists."""
    endings = {".yml": ".yaml", ".yaml": ".yml"}
    if path.suffix in endings and path.with_suffix(endings[path.suffix]).is_file():
        return f"did you mean {path.with_suffix(endings[path.suffix])}?"
    return None


def load_named_yaml(path: str | Path) -> dict[str, Any]:
    """Load YAML like `load_yaml`; a mapping without a ``name`` gets that of its file."""
    data = load_yaml(path)
    return data if data.get("name") is not None else {**data, "name": Path(path).stem[:128]}


def parse_yaml(text: str, *, where: str) -> dict[str, Any]:
    """Read one YAML mapping from a string; ``where`` names it in errors (see `load_yaml`)."""
    mapping = _json_mapping(text)
    if mapping is None:
        mapping = _yaml_mapping(text, where)
    plain: dict[str, Any] = _plain(mapping, "", where, 0, [_LARGEST_NODE_COUNT])
    return plain


def _json_mapping(text: str) -> dict[str, Any] | None:
    """Return the mapping that a text is as JSON, which is YAML, too; None if it is something else.

    A name that appears twice is left to the reader of YAML, which says where.
    """
    if not text.lstrip().startswith("{"):
        return None

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            raise ValueError("a name appears twice")
        return made

    try:
        read = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _yaml_mapping(text: str, where: str) -> dict[Any, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    def at(error: Any) -> str:
        mark = getattr(error, "problem_mark", None)
        return f"{where}, line {mark.line + 1}" if mark is not None else where

    if len(text) > _LARGEST_YAML_CHARACTERS:
        raise InputError(
            "the file is larger than 4 MiB", where=where, fix="split it, or write it as JSON"
        )
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _careful_constructor()
    try:
        documents = list(yaml.load_all(text))
    except DuplicateKeyError as error:
        problem = str(error.problem).split(" with value")[0]
        raise InputError(problem, where=at(error), fix="keep one of the two") from None
    except ConstructorError as error:
        raise InputError(
            f"{error.problem or 'a value that cannot be constructed'}",
            where=at(error),
            fix=error.note
            or "use plain values: numbers, text, lists and mappings, without tags and aliases",
        ) from None
    except MarkedYAMLError as error:
        problem = error.problem or error.context or "syntax error"
        raise InputError(
            f"not valid YAML: {problem}",
            where=at(error),
            fix="correct the line, or the one before it",
        ) from None
    except (YAMLError, ValueError, TypeError, RecursionError, AttributeError) as error:
        # The pure-Python parser lets a few malformed scalars escape as plain Python errors.
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"not valid YAML: {first_line}", where=where, fix="correct it") from None
    if not documents or all(document is None for document in documents):
        raise InputError("the file is empty", where=where, fix="see configs/examples/")
    if len(documents) > 1:
        raise InputError(
            "more than one document", where=where, fix="keep only the part before the ---"
        )
    if not isinstance(documents[0], dict):
        raise InputError(
            f"a mapping was expected at the top, not a {type(documents[0]).__name__}",
            where=where,
            fix="write it as 'field: value' lines; see configs/examples/",
        )
    made: dict[Any, Any] = documents[0]
    return made


@functools.cache
def _careful_constructor() -> Any:
    """Return the safe constructor, which refuses what aliases unfold to before it is built."""
    from ruamel.yaml.constructor import ConstructorError, SafeConstructor

    class CarefulConstructor(SafeConstructor):
        def construct_document(self, node: Any) -> Any:
            if _unfolded_count(node, {}) > _LARGEST_NODE_COUNT:
                raise ConstructorError(
                    None, None, "aliases (*name, <<) expanding without end", node.start_mark
                )
            return super().construct_document(node)

        def construct_mapping(self, node: Any, *args: Any, **options: Any) -> Any:
            number = _with_a_comma(node)
            if number is not None:
                raise ConstructorError(
                    None,
                    None,
                    f"{number} is not a number",
                    node.start_mark,
                    f"write {number.replace(',', '.')} with a point",
                )
            return super().construct_mapping(node, *args, **options)

    return CarefulConstructor


def _with_a_comma(node: Any) -> str | None:
    """Return the number with a decimal comma that a mapping holds; None without any.

    YAML reads ``{left: -0,5}`` as -0 and a name 5 without a value.
    """
    for (_, before), (key, value) in pairwise(node.value if node.flow_style else []):
        number = f"{before.value},{key.value}"
        # without quotes, and without a value
        is_bare = not any(getattr(one, "style", None) for one in (before, key))
        if is_bare and value.value == "" and _DECIMAL_COMMA.fullmatch(number):
            return number
    return None


def _unfolded_count(node: Any, known: dict[int, float]) -> float:
    """Return how many nodes a node is made of, those behind aliases each time they stand there."""
    if id(node) not in known:
        known[id(node)] = math.inf  # while it is counted: what contains itself has no end
        inner = node.value if isinstance(node.value, list) else []
        parts = [part for item in inner for part in (item if isinstance(item, tuple) else (item,))]
        known[id(node)] = 1 + sum(_unfolded_count(part, known) for part in parts)
    return known[id(node)]


def _plain(value: Any, field: str, where: str, depth: int, budget: list[int]) -> Any:
    """Return the value as JSON knows it; refuse what no record can hold.

    Aliases can make a small file unfold into endless data, hence the limits.
    """
    budget[0] -= 1
    if depth > 50 or budget[0] < 0:
        raise InputError(
            f"{field[:200]}: nested too deeply, or expanding without end",
            where=where,
            fix="write it without aliases (&name, *name)",
        )
    if isinstance(value, dict):
        unfolded = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise InputError(
                    f"{field or 'top'}: the name {key!r} is not text", where=where, fix="quote it"
                )
            path = f"{field}.{key}" if field else key
            unfolded[key] = _plain(item, path, where, depth + 1, budget)
        return unfolded
    if isinstance(value, (list, tuple, set)):
        return [
            _plain(item, f"{field}[{index}]", where, depth + 1, budget)
            for index, item in enumerate(value)
        ]
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{field}: {value} is not a finite number", where=where, fix="correct it")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise InputError(f"{field}: the integer is too large", where=where, fix="write it as 1e20")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        raise InputError(f"{field}: binary data", where=where, fix="write it as text")
    return value


def dump_yaml(data: dict[str, Any]) -> str:
    """Return ``data`` (plain values) as YAML text that `load_yaml` reads back identically."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]

    def written(width: int) -> str:
        yaml.width = width
        stream = io.StringIO()
        yaml.dump(data, stream)
        return stream.getvalue()

    for width in (100, 2**31):
        text = written(width)
        # ruamel breaks a line inside a key of several words, and leaves bare what begins like a
        # key in a list: then nothing reads it back.
        with contextlib.suppress(InputError):
            if parse_yaml(text, where="") == data:
                return text
    return json.dumps(data, ensure_ascii=False) + "\n"  # which is YAML, too


def write_text(path: str | Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def check_output_path(path: str | Path) -> None:
    """Raise `InputError` where no file can be written, before its contents are computed."""
    path = Path(path)
    if path.is_dir():
        raise InputError("is a folder", where=str(path), fix="name a file in it")
    if not path.parent.is_dir():
        raise InputError(
            f"cannot be written: there is no folder {path.parent}",
            where=str(path),
            fix="create the folder first, or name another",
        )


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file whole or not at all: to a temporary name beside it, then rename."""
    with atomic_output(path) as file:
        file.write(data)


@contextlib.contextmanager
def atomic_output(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file like `interohm.files.atomic_file`, with an `InputError` that names the file."""
    path = Path(path)
    try:
        with atomic_file(path) as file:
            yield file
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            fix="check the folder, its permissions and the free disk space",
        ) from None


def validated(model: type[Model], data: Any, *, where: str) -> Model:
    """Return ``data`` as an instance of ``model``, or raise an `InputError` naming each field."""
    from pydantic import ValidationError

    try:
        return model.model_validate(data)
    except ValidationError as error:
        schema = model.model_json_schema
        raise input_error(error, where=where, data=data, schema=schema) from None


def validated_as(adapter: TypeAdapter[Any], data: Any, *, where: str) -> Any:
    """Validate like `validated`, against a union of models."""
    from pydantic import ValidationError

    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        raise input_error(error, where=where, data=data, schema=adapter.json_schema) from None


#: By which pydantic tells models apart, and which it puts into the places of errors.
_KINDS = ("insulator", "metal", "electrode", "gpaw", "vasp", "number", "list", "range")

_FIXES = {
    "extra_forbidden": "remove the unknown field, or correct its name (`interohm schema` lists "
    "all fields)",
    "missing": "add the missing field (`interohm schema` lists all fields)",
    "finite_number": "give a finite number",
    "union_tag_not_found": "add `kind: insulator` or `kind: metal`",
    "union_tag_invalid": "write `kind: insulator` or `kind: metal`",
}

#: What was expected, where pydantic names a type of Python.
_EXPECTED = {
    **dict.fromkeys(("list_type", "tuple_type", "set_type"), "a list was expected"),
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "fields were expected"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number was expected"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number was expected"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false was expected"),
    "string_type": "text was expected",
    "none_required": "null was expected",
    "missing": "missing field",
    "extra_forbidden": "unknown field",
    **dict.fromkeys(
        ("union_tag_not_found", "union_tag_invalid"), "kind: neither insulator nor metal"
    ),
}

#: Fields of one place that an error lists; where there are more, none.
_LISTED_FIELDS = 8


def input_error(
    error: ValidationError,
    *,
    where: str,
    data: Any = None,
    schema: Callable[[], dict[str, Any]] = dict,
) -> InputError:
    """Turn pydantic's report into one `InputError` that names file, fields and fixes.

    Parameters
    ----------
    error : ValidationError
        Error of pydantic.
    where : str
        Place to name in errors: the file.
    data : optional
        Validated data; they distinguish fields from the kinds that pydantic inserts among them.
    schema : callable, optional
        Returns the JSON schema of what was expected: of its fields, the one that is most like an
        unknown field is suggested, else those of the same place.
    """
    schema = functools.cache(schema)  # asked for by each of many problems
    problems = []
    fixes: list[str] = []
    for item in error.errors(include_url=False):
        parts = _fields(item["loc"], data, missing=item["type"] == "missing")
        field = ""
        for part in parts:
            field += f"[{part}]" if isinstance(part, int) else (f".{part}" if field else str(part))
        message = _EXPECTED.get(item["type"], item["msg"].removeprefix("Value error, "))
        if item["type"] in ("too_long", "too_short"):
            message = _length_text(item["ctx"])
        given = item.get("input")
        if isinstance(given, (str, int, float)):
            shown = repr(given)
            message += f" (given: {shown if len(shown) < 60 else shown[:57] + '...'})"
        problems.append(f"{field}: {message}" if field else message)
        said = _said_of_fields(item, parts, schema)
        fix = (f"{field}: {said}" if field else said) if said else _FIXES.get(item["type"])
        if fix and fix not in fixes:
            fixes.append(fix)
    if len(problems) > _MOST_PROBLEMS:
        rest = len(problems) - _MOST_PROBLEMS
        problems = [*problems[:_MOST_PROBLEMS], f"and {rest} more problems"]
    fix = "; ".join(fixes) or "correct the value; the schema and configs/examples/ show what fits"
    return InputError("; ".join(problems), where=where, fix=fix)


def _length_text(given: Mapping[str, Any]) -> str:
    most = given.get("max_length")
    many = f"at least {given['min_length']}" if most is None else f"at most {most}"
    return f"{many} expected, not {given['actual_length']}"


def _said_of_fields(
    item: Mapping[str, Any], parts: Sequence[int | str], schema: Callable[[], dict[str, Any]]
) -> str | None:
    """Return which fields there are, or how a list or fields are written; None if unknown."""
    given = item["input"]
    said = _EXPECTED.get(item["type"], item["msg"])
    if isinstance(given, str) and "number was expected" in said and _DECIMAL_COMMA.fullmatch(given):
        return f"write {given.replace(',', '.')} with a point"
    if item["type"] in ("list_type", "tuple_type", "set_type"):
        if not isinstance(given, str | int | float):
            return None
        least = max((one.get("minItems", 1) for one in _schemas_at(schema(), parts)), default=1)
        return f"write [{given}{', …' * (len(str(given).split(',')) < least)}]"
    if item["type"] in ("model_type", "model_attributes_type"):
        return _how_fields_are_written(given, parts, schema())
    if item["type"] == "extra_forbidden":
        return _fields_meant(parts, schema())
    return None


def _how_fields_are_written(
    given: Any, parts: Sequence[int | str], schema: dict[str, Any]
) -> str | None:
    """Return the fields that a place needs, the first with what was given for all of them."""
    objects = [one for one in _schemas_at(schema, parts) if "properties" in one]
    # of alternatives, what all of them need
    needed = [set(one.get("required", [])) for one in objects]
    fields = [one for one in _each(objects, "required") if all(one in each for each in needed)]
    fields = fields or _each(objects[:1], "properties")[:2]
    values = ["…"] * len(fields)
    for one in _schemas_at(schema, [*parts, *fields[:1]]):
        if isinstance(given, str) and one.get("type") == "string":
            values[0] = given
    written = [f"{name}: {value}" for name, value in zip(fields, values, strict=True)]
    written += ["…"] * any(len(one) > len(fields) for one in needed)
    return f"write {{{', '.join(written)}}}" if fields else None


def _fields_meant(parts: Sequence[int | str], schema: dict[str, Any]) -> str | None:
    """Return which field was probably meant by an unknown one, else those of its place."""
    from difflib import get_close_matches

    name = str(parts[-1])
    # among those of an alternative, the field itself may be
    here = [one for one in _each(_schemas_at(schema, parts[:-1]), "properties") if one != name]
    if meant := get_close_matches(name, here, n=1, cutoff=0.75):
        return f"did you mean {meant[0]}?"
    if meant := get_close_matches(name, [*_field_names(schema)], n=1, cutoff=0.75):
        place = _place_of(meant[0], schema)
        if place != "".join("[…]" if isinstance(one, int) else f".{one}" for one in parts)[1:]:
            return f"did you mean {place}?"
    return f"the fields here are {', '.join(here)}" if 0 < len(here) <= _LISTED_FIELDS else None


def _place_of(name: str, schema: dict[str, Any]) -> str:
    """Return a field with what it belongs to, where that is a field of the whole."""
    fields = _each(_schemas_at(schema, []), "properties")
    if name in fields:
        return name
    for parts, place in (([], ""), ([0], "[…]")):
        for field in fields:
            if name in _each(_schemas_at(schema, [field, *parts]), "properties"):
                return f"{field}{place}.{name}"
    return name


def _each(schemas: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    """Return the names that some JSON schemas have under a key, each once."""
    return list(dict.fromkeys(name for one in schemas for name in one.get(key, [])))


def _schemas_at(schema: dict[str, Any], parts: Sequence[int | str]) -> list[dict[str, Any]]:
    """Return what a JSON schema says of a place, with all alternatives."""
    definitions = schema.get("$defs", {})

    def plain(one: Any) -> Iterator[dict[str, Any]]:
        """Yield what references and alternatives stand for."""
        if not isinstance(one, dict):
            return
        if "$ref" in one:
            yield from plain(definitions.get(str(one["$ref"]).rpartition("/")[2]))
        for kind in ("anyOf", "oneOf", "allOf"):
            for other in one.get(kind, []):
                yield from plain(other)
        yield one

    found = list(plain(schema))
    for part in parts:
        inner: list[Any] = []
        for one in found:
            if isinstance(part, int):
                inner += [one.get("items"), *one.get("prefixItems", [])[part : part + 1]]
            else:
                inner.append(one.get("properties", {}).get(part, one.get("additionalProperties")))
        found = [other for one in inner for other in plain(one)]
    return found


def _field_names(schema: Any) -> Iterator[str]:
    """Yield the names of all fields in a JSON schema, at any depth."""
    if isinstance(schema, list):
        for one in schema:
            yield from _field_names(one)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties":
                yield from value
            yield from _field_names(value)


def _fields(loc: tuple[int | str, ...], data: Any, *, missing: bool) -> list[int | str]:
    """Return a place in the data without the kinds of things that are no fields of it."""
    parts: list[int | str] = []
    here = data
    for index, part in enumerate(loc, start=1):
        is_field = isinstance(here, dict) and part in here
        lacks = missing and index == len(loc)
        if part in _KINDS and not (is_field or lacks):
            continue
        parts.append(part)
        if is_field or (isinstance(here, list) and isinstance(part, int) and part < len(here)):
            here = here[part]
        else:
            here = None
    return parts


def require_number(value: Any) -> Any:
    """Refuse what Python would quietly turn into a number (booleans, quoted text)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("a number was expected; write it without quotes and without a unit")
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        raise ValueError("a finite number was expected, not NaN or infinity")
    return value
