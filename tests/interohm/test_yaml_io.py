from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BeforeValidator, TypeAdapter

from interohm.errors import InputError
from interohm.yaml_io import (
    dump_yaml,
    load_yaml,
    parse_yaml,
    require_number,
    validated_as,
    write_text,
)


def test_numbers_are_those_of_yaml_1_2() -> None:
    data = parse_yaml("a: 3e22\nb: 1.0e13\nc: -4\nd: no\ne: 1_0\n", where="x.yaml")
    assert data["a"] == 3e22
    assert isinstance(data["a"], float)
    assert data["b"] == 1e13
    assert data["c"] == -4
    assert data["d"] == "no"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("- 1\n- 2\n", "a mapping was expected"),
        ("just text", "a mapping was expected"),
        ("a: [1, 2", "not valid YAML"),
        ("a: 1\na: 2\n", 'duplicate key "a"'),
        ("a: 1\n---\nb: 2\n", "more than one document"),
        ("a: .nan", "a: nan is not a finite number"),
        ("a: {b: [0, .inf]}", "a.b[1]: inf is not a finite number"),
        ("a: &x [*x]", "expanding without end"),
        ("{[1]: 2}", "is not text"),
        ("a: 99999999999999999999", "integer is too large"),
        ("a: !!python/object/apply:os.system ['touch hacked']", "tag"),
        ("a: !!python/name:os.system", "tag"),
        ("!!map/evil {a: 1}", "tag"),
        ("\x00\x01", "not valid YAML"),
    ],
)
def test_what_is_no_mapping_is_refused_with_file_and_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "input.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"input\.yaml") as caught:
        load_yaml(path)
    assert said in str(caught.value)
    assert caught.value.fix
    assert os.listdir(tmp_path) == ["input.yaml"]


def test_an_alias_bomb_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    with pytest.raises(InputError, match="expanding"):
        parse_yaml("\n".join(lines), where="bomb.yaml")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("x: {left: -0,5, right: 0.0}", "-0.5"),
        ("x: [{from: 1, to: 1,05}]", "1.05"),
        ("{a: {b: 3,250}}", "3.250"),
    ],
)
def test_a_decimal_comma_between_braces(text: str, number: str) -> None:
    with pytest.raises(InputError, match=f"line 1: .* is not a number .*write {number} with a p"):
        parse_yaml(text, where="text.yaml")


@pytest.mark.parametrize(
    "text", ["{a: 1, 5: 2}", "{5: 1}", "a: 1\n5:\n", "{a: '1', 5: }", "{a: [1], 5: }"]
)
def test_other_numbers_as_names_are_no_decimal_commas(text: str) -> None:
    with pytest.raises(InputError, match="the name 5 is not text"):
        parse_yaml(text, where="text.yaml")


def test_text_with_a_decimal_comma() -> None:
    adapter = TypeAdapter(dict[str, Annotated[float, BeforeValidator(require_number)]])
    with pytest.raises(InputError, match=r"fix: x: write -0\.5 with a point\)"):
        validated_as(adapter, {"x": "-0,5"}, where="text.yaml")
    with pytest.raises(InputError) as other:
        validated_as(adapter, {"x": "a,5"}, where="text.yaml")
    assert "point" not in str(other.value)
    with pytest.raises(InputError, match=r"write 2\.5 with a point"):
        validated_as(TypeAdapter(float), "2,5", where="text.yaml")


def test_binary_missing_and_folder(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="binary"):
        load_yaml(path)
    with pytest.raises(InputError, match="no such file"):
        load_yaml(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="folder"):
        load_yaml(tmp_path)


@pytest.mark.parametrize(("given_as", "there"), [("a.yml", "a.yaml"), ("a.yaml", "a.yml")])
def test_the_other_ending_of_a_file_is_suggested(tmp_path: Path, given_as: str, there: str) -> None:
    with pytest.raises(InputError, match=r"no such file.*check the path"):
        load_yaml(tmp_path / given_as)
    (tmp_path / there).write_text("a: 1")
    with pytest.raises(InputError, match="no such file") as raised:
        load_yaml(tmp_path / given_as)
    assert raised.value.fix == f"did you mean {tmp_path / there}?"
    with pytest.raises(InputError, match="check the path"):
        load_yaml(tmp_path / "a.json")


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abcé_", min_size=1, max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abcé_", min_size=1, max_size=5), plain, min_size=1, max_size=4))
def test_what_is_dumped_is_read_back_identically(data: dict[str, object]) -> None:
    assert parse_yaml(dump_yaml(data), where="x.yaml") == data


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_mapping_or_a_clear_error(text: str) -> None:
    try:
        data = parse_yaml(text, where="garbage.yaml")
    except InputError as error:
        assert "garbage.yaml" in str(error)  # noqa: PT017
    else:
        assert isinstance(data, dict)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "kept.yaml"
    path.write_text("old: 1\n")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new: \ud800\n")
    assert path.read_text() == "old: 1\n"
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / "absent" / "file.yaml", "a: 1\n")
    write_text(path, "new: 2\n")
    assert path.read_text() == "new: 2\n"
    assert math.isclose(path.stat().st_size, 7)


def test_long_flow_mappings_with_keys_of_several_words_are_read_back() -> None:
    data = {"calculations": {f"bulk at {x} of the sites": "0" * 64 for x in range(4)}}
    assert parse_yaml(dump_yaml(data), where="x.yaml") == data


def test_text_that_begins_like_a_key_is_read_back() -> None:
    data = {"_": ["?;"], "x": [1e-7, 2, None, True, "é"]}
    assert parse_yaml(dump_yaml(data), where="x.yaml") == data


MERGES = "a0: &a0 {k: v}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 10)
)


@pytest.mark.parametrize(
    "text",
    [
        MERGES,
        MERGES.replace("<<: [", "k: [").replace("{k: [", "[").replace("]}", "]"),
        "a: &a [*a]",
        "a: &a\n  b: *a\n",
    ],
    ids=["merges", "lists", "of itself", "in itself"],
)
def test_what_unfolds_without_end_is_refused_before_it_is_built(text):
    # building them takes minutes and the memory, or has no end
    with pytest.raises(InputError, match="expanding without end"):
        parse_yaml(text, where="test")


def test_merges_within_reason_are_read():
    read = parse_yaml("a: &a {k: 1, l: 2}\nb: {<<: *a, l: 3}\nc: [*a, *a]", where="test")
    assert read == {"a": {"k": 1, "l": 2}, "b": {"k": 1, "l": 3}, "c": [{"k": 1, "l": 2}] * 2}


@pytest.mark.parametrize(
    "text",
    ["a: " + "x" * (60 * 2**20), 'a: "' + "x " * (30 * 2**20) + '"'],
    ids=["plain", "quoted"],
)
def test_long_scalars_are_refused_before_they_are_built(text, tmp_path):
    file = tmp_path / "long.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match="larger than 4 MiB"):
        load_yaml(file)


def test_json_is_read_as_such():
    numbers = list(range(1_000_000))
    assert parse_yaml(json.dumps({"a": numbers}), where="test") == {"a": numbers}
    with pytest.raises(InputError, match='duplicate key "a"'):
        parse_yaml('{"a": 1, "a": 2}', where="test")
    with pytest.raises(InputError, match="not a finite number"):
        parse_yaml('{"a": NaN}', where="test")
    assert parse_yaml("{a: 1e3, b: no}", where="test") == {"a": 1000.0, "b": "no"}
