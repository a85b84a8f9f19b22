"""Conditions: one text, four readings that agree."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.database.conditions import parse_where
from interohm.database.criteria import matcher
from interohm.errors import InputError

COLUMNS = {
    "left": "left",
    "space_charge_ohm_cm2": "resistance.space_charge_ohm_cm2",
    "electron_barrier_eV": "electrons.electron_barrier_eV",
    "temperature_K": "temperature_K",
    "thick": "thick",
    "elements": "elements",
}
ROWS = [
    {
        "left": "Li",
        "resistance": {"space_charge_ohm_cm2": 0.5},
        "electrons": {"electron_barrier_eV": 1.5},
        "temperature_K": 300.0,
        "thick": True,
        "elements": ["Li"],
    },
    {
        "left": "LiF",
        "resistance": {"space_charge_ohm_cm2": 20},
        "electrons": {"electron_barrier_eV": None},
        "temperature_K": 350.0,
        "thick": False,
        "elements": ["Li", "F"],
    },
    {
        "left": "LiCoO2",
        "resistance": {},
        "electrons": {"electron_barrier_eV": 0.2},
        "temperature_K": 400,
        "thick": None,
        "elements": ["Li", "Co", "O"],
    },
    {"left": 'O\'Brien "x"; DROP TABLE t'},
]


def flat(row):
    def at(place):
        value = row
        for step in place.split("."):
            value = (value or {}).get(step)
        return value

    return {column: at(place) for column, place in COLUMNS.items()}


def chosen_by_evaluation(text):
    condition = parse_where(text, COLUMNS)
    return [place for place, row in enumerate(ROWS) if condition.holds(row)]


def chosen_by_flat_evaluation(text):
    condition = parse_where(text, list(COLUMNS))
    return [place for place, row in enumerate(ROWS) if condition.holds(flat(row))]


@pytest.fixture(scope="module")
def sqlite_table():
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    names = ", ".join(f'"{column}"' for column in COLUMNS)
    connection.execute(f"CREATE TABLE rows (place, {names})")
    for place, row in enumerate(ROWS):
        values = [json.dumps(one) if isinstance(one, list) else one for one in flat(row).values()]
        connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", [place, *values])
    return connection


@pytest.fixture(scope="module")
def table():
    connection = duckdb.connect()
    connection.execute(
        'CREATE TABLE rows (place INTEGER, "left" VARCHAR, space_charge_ohm_cm2 DOUBLE, '
        "electron_barrier_eV DOUBLE, temperature_K DOUBLE, thick BOOLEAN, elements VARCHAR[])"
    )
    for place, row in enumerate(ROWS):
        values = [place, *flat(row).values()]
        connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    return connection


def chosen_by_mongodb(text):
    fits = matcher(parse_where(text, COLUMNS).mongodb())
    return [place for place, row in enumerate(ROWS) if fits(row)]


def chosen_by_sqlite(text, table):
    written, parameters = parse_where(text, list(COLUMNS), kinds=KINDS.get).sqlite({"elements"})
    found = table.execute(f"SELECT place FROM rows WHERE {written} ORDER BY place", parameters)
    return [place for (place,) in found.fetchall()]


def chosen_by_sql(text, table):
    written, parameters = parse_where(text, list(COLUMNS)).sql()
    found = table.execute(f"SELECT place FROM rows WHERE {written} ORDER BY place", parameters)
    return [place for (place,) in found.fetchall()]


CASES = {
    "space_charge < 1 and electron_barrier_eV > 1": [0],
    "space_charge_ohm_cm2 < 1": [0],
    "resistance.space_charge_ohm_cm2 < 1": [0],
    "1 > space_charge": [0],
    "not space_charge < 1": [1],
    "not (space_charge < 1 or temperature > 375)": [1],
    "not not space_charge < 1": [0],
    "space_charge != 20": [0],
    "space_charge == 20": [1],
    "space_charge == 20.0": [1],
    "space_charge > -1e3": [0, 1],
    "space_charge > +0.5": [1],
    "300 < temperature <= 400": [1, 2],
    "not 300 < temperature <= 350": [0, 2],
    "left == 'Li'": [0],
    "left != 'Li'": [1, 2, 3],
    "left in ['Li', 'LiF']": [0, 1],
    "left not in ('Li', 'LiF')": [2, 3],
    "not left in ['Li', 'LiF']": [2, 3],
    "left in []": [],
    "left not in []": [0, 1, 2, 3],
    "temperature not in []": [0, 1, 2],
    "temperature in {300, 350.0}": [0, 1],
    "temperature not in [300]": [1, 2],
    "thick": [0],
    "not thick": [1],
    "thick != True": [1],
    "space_charge": [],
    "not space_charge": [0, 1],
    "space_charge == True": [],
    "space_charge != True": [0, 1],
    "left": [],
    "left == False": [],
    "temperature == True or left == 'Li'": [0],
    "thick == False": [1],
    "thick is None": [2, 3],
    "thick is not None": [0, 1],
    "not thick is None": [0, 1],
    "'Co' in elements": [2],
    "'Co' not in elements": [0, 1],
    "not 'F' in elements": [0, 2],
    "left == 'O\\'Brien \"x\"; DROP TABLE t'": [3],
    "left == 'é' or\n temperature == 400": [2],
    "temperature < 1e999": [0, 1, 2],
    "temperature < 99999999999999999999999999": [0, 1, 2],
}


#: What collections refuse, whose columns say what they hold.
OF_OTHER_KINDS = (
    *("space_charge", "not space_charge", "space_charge == True", "space_charge != True"),
    *("left", "left == False", "temperature == True or left == 'Li'"),
)


@pytest.mark.parametrize("text", CASES)
def test_all_readings_choose_the_same(text, table, sqlite_table):
    assert chosen_by_evaluation(text) == CASES[text]
    assert chosen_by_mongodb(text) == CASES[text]
    if "resistance." not in text:
        assert chosen_by_flat_evaluation(text) == CASES[text]
        assert chosen_by_sql(text, table) == CASES[text]
        if text not in OF_OTHER_KINDS:
            assert chosen_by_sqlite(text, sqlite_table) == CASES[text]


def comparisons():
    numbers = st.sampled_from(["0.5", "20", "1.5", "300", "-1", "350.0"])
    names = st.sampled_from(["space_charge", "electron_barrier", "temperature"])
    relations = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    simple = st.builds("{} {} {}".format, names, relations, numbers)
    chained = st.builds("{} < {} <= {}".format, numbers, names, numbers)
    texts = st.sampled_from(["left == 'LiF'", "left in ['Li', 'x']", "'O' in elements", "thick"])
    missing = st.builds("{} is None".format, names)
    return st.one_of(simple, chained, texts, missing)


def conditions():
    return st.recursive(
        comparisons(),
        lambda inner: st.one_of(
            st.builds("({} and {})".format, inner, inner),
            st.builds("({} or {})".format, inner, inner),
            st.builds("not {}".format, inner),
        ),
        max_leaves=8,
    )


@settings(max_examples=150, deadline=None)
@given(text=conditions())
def test_any_condition_is_read_alike(text, table, sqlite_table):
    chosen = chosen_by_evaluation(text)
    assert chosen == chosen_by_mongodb(text)
    assert chosen == chosen_by_sql(text, table)
    assert chosen == chosen_by_sqlite(text, sqlite_table)
    # nothing is chosen by a condition and by its negation
    assert not set(chosen) & set(chosen_by_evaluation(f"not ({text})"))


def test_nan_is_missing_and_kinds_do_not_mix():
    assert not parse_where("x < 1", ["x"]).holds({"x": math.nan})
    assert not parse_where("x != 1", ["x"]).holds({"x": math.nan})
    assert parse_where("x is None", ["x"]).holds({"x": math.nan})
    assert not parse_where("x < 1", ["x"]).holds({"x": "a"})
    assert not parse_where("x == 1", ["x"]).holds({"x": True})
    assert parse_where("x == 1", ["x"]).holds({"x": 1.0})


def test_only_parameters_carry_what_the_user_wrote():
    text, parameters = parse_where('left == "\'; DROP TABLE rows; --"', ["left"]).sql()
    assert text == '"left" = ?'
    assert parameters == ["'; DROP TABLE rows; --"]


def test_columns_that_a_condition_asks():
    condition = parse_where("space_charge < 1 or not left == 'Li'", COLUMNS)
    assert condition.columns() == {"space_charge_ohm_cm2", "left"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("space_chrage < 1", "did you mean space_charge_ohm_cm2"),
        ("left == 'é' and nosuch > 1", "no field 'nosuch' at character 17"),
        ("nosuch.deeper > 1", "no field 'nosuch.deeper'"),
        ("temperature = 3", "character"),
        ("temperature < 3 & left == 'a'", "'3 & left'"),
        ("(temperature < 3) & (left == 'a')", "word 'and'"),
        ("(temperature < 3) | (left == 'a')", "word 'or'"),
        ("temperature < electron_barrier", "two fields"),
        ("1 < 2", "no field"),
        ("3", "not a comparison"),
        ("'text'", "not a comparison"),
        ("temperature + 1 < 3", "no field"),
        ("temperature == None", "'is None'"),
        ("temperature is 3", "write =="),
        ("temperature < -'a'", "number"),
        ("temperature < 1j", "number or a text"),
        ("left == b'a'", "number or a text"),
        ("left == '\\ud800'", "number or a text"),
        ("left == 'a\\x00'", "number or a text"),
        ("left in 'Li'", "list in brackets"),
        ("left in [['Li']]", "number or a text"),
        ("temperature < 3 if thick else 4", "not a comparison"),
        ("__import__('os').system('x')", "not a comparison"),
        ("left == __import__('os')", "number or a text"),
        ("left == f'{1}'", "number or a text"),
        ("(lambda: 1)() < temperature", "number or a text"),
        ("[x for x in elements]", "not a comparison"),
        ("left.__class__ == 'a'", "no field 'left.__class__'"),
        ("(left := 'a') == 'a'", "no field"),
        ("elements[0] == 'Li'", "no field is compared"),
        ("not " * 200 + "thick", "deeply"),
        ("(" * 300 + "thick" + ")" * 300, "not understood"),
        ("-" * 5000 + "1 < temperature", "n"),
        ("thick and " * 5000 + "thick", "10000 characters"),
        ("temperature < 3\x00", "not understood"),
    ],
)
def test_what_is_no_condition_is_explained(text, says):
    with pytest.raises(InputError) as caught:
        parse_where(text, COLUMNS)
    assert says in f"{caught.value.what} {caught.value.fix}"
    assert caught.value.where == "--where"


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_is_a_condition_or_an_error(text):
    with contextlib.suppress(InputError):
        parse_where(text, COLUMNS)


@pytest.mark.parametrize("text", ["(yield)", "*left", "await left", "{**left}", "[].append(left)"])
def test_python_that_is_no_condition(text):
    with pytest.raises(InputError):
        parse_where(text, COLUMNS)


KINDS = {
    **dict.fromkeys(("space_charge_ohm_cm2", "electron_barrier_eV", "temperature_K"), float),
    "left": str,
    "thick": bool,
    "elements": list,
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("space_charge", "space_charge_ohm_cm2 is neither true nor false: compare it"),
        ("not space_charge", "space_charge_ohm_cm2 is neither true nor false"),
        ("left and thick", "left is neither true nor false"),
        ("elements", "elements is neither true nor false"),
        ("space_charge == True", "space_charge_ohm_cm2 holds numbers, not truth values"),
        ("space_charge < '1'", "holds numbers, not texts"),
        ("left in ['Li', 1]", "left holds texts, not numbers"),
        ("thick == 1", "thick holds truth values, not numbers"),
        ("'a' in left", "left is not a list"),
        ("1 in elements", "elements holds texts, not numbers"),
    ],
)
def test_what_a_column_cannot_be_compared_with(text, said):
    with pytest.raises(InputError, match=said):
        parse_where(text, list(COLUMNS), kinds=KINDS.get)


def test_a_number_alone_means_the_same_everywhere(tmp_path, refused):
    """Of the database, of a table and of a screening's cells."""
    from interohm.database import Database
    from interohm.database.parquet import query_table
    from interohm.screening.filters import cell_filter
    from interohm.settings import Settings

    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "table.parquet"
    parquet.write_table(pyarrow.table({"space_charge_ohm_cm2": [1.0, 0.5]}), path)
    with Database.open(Settings(data=tmp_path / "data")) as database:
        asked = [
            lambda: database.rows("contacts", "space_charge"),
            lambda: query_table(path, "space_charge"),
            lambda: cell_filter("resistance", {}, where="--where"),
        ]
        for ask in asked:
            with pytest.raises(InputError, match="is neither true nor false: compare it"):
                ask()
    assert "neither true nor false" in refused("query", "contacts", "--where", "space_charge")
    assert "neither true nor false" in refused("query", path, "--where", "space_charge")
