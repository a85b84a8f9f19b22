"""Tables that people measure: units, names, separators and encodings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interohm.errors import InputError
from interohm.measured_curves import LENGTHS_NM, POTENTIALS_V, MeasuredCurve, read_curve
from interohm.prediction.kpfm import PLACE, POTENTIAL

CASES = Path(__file__).parents[1] / "data" / "cases" / "maps"

#: The curve that most of the cases hold.
X = [50.0, 300.0, 600.0, 900.0, 1150.0]
Y = [1.95, 1.40, 1.38, 1.36, 1.0]


def curve(path: Path) -> MeasuredCurve:
    return read_curve(path, PLACE, POTENTIAL)


def read(tmp_path: Path, text: str | bytes) -> MeasuredCurve:
    path = tmp_path / "map.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return curve(path)


@pytest.mark.parametrize(
    "name",
    [
        "um_mV.csv",
        "units_row.csv",
        "inline_units.csv",
        "swapped.csv",
        "three.csv",
        "blanks.txt",
        "quoted.csv",
        "utf16.csv",
        "comma_decimal.csv",
    ],
)
def test_cases(name: str) -> None:
    found = curve(CASES / name)
    assert found.x == pytest.approx(X[: len(found.x)])
    assert found.y == pytest.approx(Y[: len(found.y)])
    assert len(found.x) == {"three.csv": 2, "quoted.csv": 4}.get(name, 5)
    if name == "three.csv":
        assert found.y_uncertainty == pytest.approx([0.01, 0.01])
    else:
        assert found.y_uncertainty is None


HEADINGS = [
    ("x_nm,cpd_V", ",", 1, 1),
    ("Position (µm)\tCPD (mV)", "\t", 1e3, 1e-3),
    ("distance [um]; surface potential [meV]", ";", 1e3, 1e-3),
    ("x / mm,V_CPD / V", ",", 1e6, 1),
    ("depth (Å),voltage", ",", 0.1, 1),
    ("# x_um cpd_mV", " ", 1e3, 1e-3),
    ("#x_um,cpd_mV", ",", 1e3, 1e-3),
    ("x,y\n(µm),(mV)", ",", 1e3, 1e-3),
    ("µm,mV", ",", 1e3, 1e-3),
    ("a scan of Tuesday\n\nx,cpd_mV", ",", 1, 1e-3),
    ("", ",", 1, 1),
]


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (
            "sd (mV);Surface potential [mV];Distance (µm)\n8;1,5;0\n8;2;1",
            ("'Distance (µm)', in µm", "'Surface potential [mV]', in mV", "'sd (mV)', in mV"),
        ),
        ("x,cpd\n0,1\n1,2", ("'x', in nm, since it", "'cpd', in V, since it")),
        ("x,cpd\n0 um,1 mV\n1 um,2 mV", ("'x', in the units of", "'cpd', in the units of")),
        ("0,1\n1,2", ("'column 1', in nm", "'column 2', in V")),
    ],
)
def test_what_columns_were_taken_for(tmp_path: Path, text: str, taken: tuple[str, ...]) -> None:
    found = read(tmp_path, text).columns
    for told, kind, words in zip(
        found, ("position", "potential", "uncertainty")[: len(taken)], taken, strict=True
    ):
        assert told.startswith(f"{kind}: {words}")


def test_a_column_in_volt_is_not_passed_over_for_another(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="may both be the potential"):
        read(tmp_path, "pos_nm,kelvin_volt,lockin_R_V\n0,1,0.5\n1,2,0.5")
    found = read(tmp_path, "pos_nm,kelvin_volt\n0,1\n1,2")
    assert found.y == pytest.approx([1.0, 2.0])
    assert found.columns[1] == "potential: 'kelvin_volt', in volt"


@pytest.mark.parametrize(
    ("heading", "sign"),
    [
        ("x_nm,work_function_eV", -1),
        ("x_nm,Work function (eV)", -1),
        ("WF [eV];x [nm]", -1),
        ("x_nm,-CPD (V)", -1),
        ("x_nm,minus_cpd_V", -1),
        ("x / nm,−V_CPD / V", -1),
        ("x_nm,cpd_V,work_function_eV", 1),
        ("x_nm,phi_V", 1),
        ("x_nm,surface potential (eV)", 1),
    ],
)
def test_what_is_high_where_the_potential_is_low_changes_its_sign(
    tmp_path: Path, heading: str, sign: int
) -> None:
    separator = ";" if ";" in heading else ","
    heads = heading.split(separator)
    rows = [
        separator.join("0" if head.startswith("x") else value for head in heads)
        for value in ("4.5", "5")
    ]
    found = read(tmp_path, "\n".join([heading, *rows]))
    assert found.y == pytest.approx([4.5 * sign, 5.0 * sign])
    assert ("with its sign reversed" in found.columns[1]) == (sign < 0)


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("x_nm,phi_eV", "whose signs differ"),
        ("x,Φ", "whose signs differ"),
        ("x_nm,electron energy (meV)", "whose signs differ"),
        ("nm,eV", "whose signs differ"),
        ("x_nm,delta_cpd_V", "not its change"),
        ("x_nm,ΔCPD (V)", "not its change"),
        ("x_nm,surface potential_V,work_function_eV", "may both be the potential"),
        ("-x_nm,cpd_V", "is not the position"),
    ],
)
def test_a_heading_that_leaves_the_sign_open_is_refused(
    tmp_path: Path, heading: str, words: str
) -> None:
    rows = [",".join(["1"] * len(heading.split(",")))] * 2
    with pytest.raises(InputError, match=words):
        read(tmp_path, "\n".join([heading, *rows]))


@pytest.mark.parametrize(("heading", "separator", "length", "volt"), HEADINGS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_headings_and_encodings(
    tmp_path: Path,
    heading: str,
    separator: str,
    length: float,
    volt: float,
    encoding: str,
    end: str,
) -> None:
    rows = [f"{x}{separator}{y}" for x, y in ((1.5, 20), (2.5, -30.25), (4e1, 1e-2))]
    text = end.join([*heading.splitlines(), *rows, ""])
    found = read(tmp_path, text.encode(encoding))
    assert found.x == pytest.approx(np.array([1.5, 2.5, 40]) * length)
    assert found.y == pytest.approx(np.array([20, -30.25, 0.01]) * volt)


@given(
    st.lists(
        st.tuples(*[st.floats(-1e4, 1e4).map(lambda value: round(value, 6))] * 2),
        min_size=2,
        max_size=8,
    ),
    st.sampled_from(sorted(LENGTHS_NM)),
    st.sampled_from(sorted(POTENTIALS_V)),
    st.sampled_from([",", ";", "\t", " "]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    points: list[tuple[float, float]],
    length: str,
    volt: str,
    separator: str,
    swapped: bool,
    quoted: bool,
    comma: bool,
) -> None:
    """Any numbers in any units, order of columns, separator and quotes."""
    decimal = "," if comma and separator != "," else "."
    mark = '"' if quoted else ""

    def line(cells: list[str]) -> str:
        return separator.join(f"{mark}{cell}{mark}" for cell in cells[:: -1 if swapped else 1])

    rows = [line([f"{value:.6f}".replace(".", decimal) for value in point]) for point in points]
    text = "\n".join([line([f"x_{length}", f"cpd_{volt}"]), *rows])
    found = read(tmp_path_factory.mktemp("curve"), text)
    assert found.x == pytest.approx(np.array(points)[:, 0] * LENGTHS_NM[length])
    assert found.y == pytest.approx(np.array(points)[:, 1] * POTENTIALS_V[volt])


def test_other_columns_stay_out(tmp_path: Path) -> None:
    text = "height_nm,x_um,cpd_mV,phase,cpd_err\n3,1,200,7,5\n4,2,300,,6\n"
    found = read(tmp_path, text)
    assert found.x == pytest.approx([1000, 2000])
    assert found.y == pytest.approx([0.2, 0.3])
    # An uncertainty without a unit has that of its column.
    assert found.y_uncertainty == pytest.approx([0.005, 0.006])
    of_place = read(tmp_path, "x_nm,x_err_nm,cpd_V\n1,1,2\n2,1,3\n")
    assert of_place.y_uncertainty is None


def test_gaps_are_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, "x,cpd\n1,0.1\n2,nan\n3,--\n4,0.4 # the end\n\n")
    assert found.x.tolist() == [1, 4]
    assert found.gaps == 2


def test_a_table_of_gaps_is_refused(tmp_path: Path) -> None:
    message = r"map.csv, line 3: 3 of 5 lines have no number .*'2,n/a' \(fix: write the missing"
    with pytest.raises(InputError, match=message):
        read(tmp_path, 'x,cpd\n1,0.1\n2,n/a\n3,n/a\n4,"--"\n5,0.3\n')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("50,0,1,95\n60,0,1,94\n", "line 1: 4 columns without names"),
        ("x_nm,cpd_V\n50,0,1,95\n", "line 1: the heading and the numbers below it have different"),
        (
            "x_um,cpd_mV\n50;1\n60;2\n",
            "line 1: the heading and the numbers below it have different",
        ),
        ("50,1,95\n60,1,94\n", "line 1: 3 columns without names"),
        ("1\n2\n", "line 1: only one column"),
        ("x,cpd\n1,2\n3,4,5\n", "line 3: 3 columns where the first line of numbers has 2"),
        ("x,cpd\n1,2\n3,four\n", "line 3: no number: 'four'"),
        ("x,cpd\n1,2\n3,\n", "line 3: no number: ''"),
        ("x;cpd\n1;2\n3;1.234,5\n", "line 3: no number"),
        ("x;cpd\n1,5;2\n3.5;4\n", "line 3: decimal commas and decimal points"),
        ("x (ft),cpd\n1,2\n3,4\n", "line 1: 'ft' is not a known unit of a position.*nm"),
        ("x,cpd (a.u.)\n1,2\n3,4\n", "line 1: 'a.u.' is not a known unit of a potential"),
        ("x_mV,cpd\n1,2\n3,4\n", "line 1: 'mV' is not a known unit of a position"),
        ("x_inch,cpd_V\n1,2\n3,4\n", "line 1: 'inch' is not a known unit of a position.*nm"),
        ("lateral_px,cpd_V\n1,2\n3,4\n", "line 1: 'px' is not a known unit of a position"),
        ("x_nm,cpd_kV\n1,2\n3,4\n", "line 1: 'kV' is not a known unit of a potential"),
        ("x,cpd\ninch,V\n1,2\n3,4\n", "line 1: 'inch' is not a known unit of a position"),
        (
            "position_um,height_nm\n1,2\n3,4\n",
            "no column is known as the potential; the columns are 'position_um', 'height_nm'",
        ),
        (
            "current_V,cpd_V\n1,2\n3,4\n",
            "no column is known as the position; the columns are 'current_V', 'cpd_V'",
        ),
        ("x_nm,cpd_V\num,V\n1,2\n3,4\n", "line 1: the units 'nm' and 'um' stand above one column"),
        ("x,cpd\n1um,2\n3,4\n", "line 3: some numbers of this column have a unit"),
        ("x_nm,cpd\n1um,2\n3um,4\n", "line 2: '1um' is not in nm"),
        ("# all in µm and mV\n1,2\n3,4\n", "line 1: 'µm' is above the table"),
        ("place in mm\nx,cpd\n1,2\n3,4\n", "line 1: 'mm' is above the table"),
        ("a,b\n1,2\n3,4\n", "line 1: no column is known as the position"),
        ("x,position,cpd\n1,2,3\n3,4,5\n", "line 1: 'x' and 'position' may both be the position"),
        ("x,cpd,err,sigma\n1,2,3,4\n3,4,5,6\n", "line 1: 'err' and 'sigma' may both be"),
        ("x,cpd,err\n1,2,-3\n3,4,5\n", "line 2: the uncertainty -3 is negative.*never below 0"),
        ("x,cpd\n1,2\n3,1e999\n", "line 3: no finite number"),
        ("x,cpd\n1,2\n", "fewer than two points"),
        ("", "fewer than two points"),
        ("x,cpd\n", "fewer than two points"),
        (b"\x89PNG\r\n\x1a\n\x01\x02", "not text"),
    ],
)
def test_what_is_ambiguous_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, text)
    assert "map.csv" in str(caught.value)
    assert caught.value.fix


@given(st.binary(max_size=60) | st.text("0123456789,.;:eE+- \t\n\"'#xcpdnmVµ()/", max_size=80))
def test_any_text_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    try:
        found = read(tmp_path_factory.mktemp("curve"), content)
    except InputError:
        return
    assert len(found.x) == len(found.y) >= 2
    assert np.isfinite(found.x).all()
    assert np.isfinite(found.y).all()
