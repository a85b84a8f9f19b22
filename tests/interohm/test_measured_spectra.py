"""Measured spectra: formats, units, signs, order, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interohm.errors import InputError
from interohm.measured_spectra import MeasuredSpectrum, read_spectra, read_spectrum

FILES = Path(__file__).parents[1] / "data" / "spectra"

#: The spectrum that most files hold: 10 ohm, and 100 ohm beside 1 uF.
FREQUENCY = np.logspace(5, 0, 11)
Z = 10 + 100 / (1 + 2j * np.pi * FREQUENCY * 1e-4)


def table(heading: str, columns: list[np.ndarray], separator: str = ",", mark: str = ".") -> str:
    rows = [
        separator.join(f"{value:.9e}".replace(".", mark) for value in row)
        for row in zip(*columns, strict=True)
    ]
    return "\n".join([heading, *rows]) + "\n"


def read(
    tmp_path: Path, text: str, *, name: str = "s.csv", area_cm2: float | None = 1.0
) -> MeasuredSpectrum:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_spectrum(path, area_cm2=area_cm2)


def check(found: MeasuredSpectrum, area_cm2: float = 1.0) -> None:
    assert found.frequency_Hz == pytest.approx(FREQUENCY[::-1])
    np.testing.assert_allclose(found.z_ohm_cm2, Z[::-1] * area_cm2, rtol=1e-8)


def refused(tmp_path: Path, text: str, *words: str, area_cm2: float | None = 1.0) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, text, area_cm2=area_cm2)
    for word in words:
        assert word in str(error.value)


# -- files of instruments


def test_gamry_file_of_others() -> None:
    found = read_spectrum(FILES / "eispot_data.dta", area_cm2=0.5)
    assert found.frequency_Hz == pytest.approx([0.5, 1, 5, 10, 50, 100, 500.1, 1000, 5000, 10000])
    assert found.z_ohm_cm2[-1] == pytest.approx(0.5 * (224.6075 - 3.767681j))
    assert found.z_ohm_cm2[5] == pytest.approx(0.5 * (226.2954 - 6.136346j))
    assert found.area_cm2 == 0.5
    assert len(found.sha256) == 64


def test_gamry_file_says_its_area_and_asks_for_it() -> None:
    with pytest.raises(InputError, match=r"the file says 1\.00000E\+000 cm².*--area-cm2"):
        read_spectrum(FILES / "eispot_data.dta")


def test_gamry_file_of_an_aborted_measurement_is_too_short() -> None:
    with pytest.raises(InputError, match="lines 22 to 26: the spectrum has 5 points"):
        read_spectrum(FILES / "eispot_data_curveaborted.dta", area_cm2=1)


def test_gamry_file_of_another_experiment() -> None:
    with pytest.raises(InputError, match="the file has no spectrum"):
        read_spectrum(FILES / "cv_data.dta", area_cm2=1)


@pytest.mark.parametrize(
    ("name", "points", "lowest", "highest"),
    [
        # frequency, and what the file's own columns say there, sign and all
        (
            "exampleDataBioLogic.mpt",
            43,
            (1.6895540e-02, 110.97003 - 2.3458567j),
            (1000.3201, 65.470886 - 0.38998979j),
        ),
        ("exampleDataZPlot.z", 21, (3e3, 613.68 - 137.13j), (3e5, 147.77 - 11.335j)),
        ("exampleDataZPlot_noComments.z", 31, (3e2, 1305.3 - 195.01j), (3e5, 642.62 - 85.821j)),
        (
            "exampleDataAutolab.txt",
            41,
            (0.1, 0.0345697771923854 - 0.00390292888845954j),
            (1e4, 0.013785863964281 + 0.007191946305823j),
        ),
        ("exampleDataCHInstruments.txt", 73, (0.1, 5685 - 15860j), (99610, 98.91 - 2.748j)),
        (
            "exampleData.csv",
            66,
            (3.1623e-3, 0.04949989776405 - 0.020438698544419j),
            (1e4, 0.01577148 + 0.01015747j),
        ),
    ],
)
def test_files_of_other_instruments(
    name: str, points: int, lowest: tuple[float, complex], highest: tuple[float, complex]
) -> None:
    found = read_spectrum(FILES / name, area_cm2=2.0)
    assert len(found.frequency_Hz) == points
    for place, (frequency, z) in ((0, lowest), (-1, highest)):
        assert found.frequency_Hz[place] == pytest.approx(frequency)
        assert found.z_ohm_cm2[place] == pytest.approx(2.0 * z, rel=1e-6)


def test_biologic_says_modulus_and_phase_as_well() -> None:
    path = FILES / "exampleDataBioLogic.mpt"
    found = read_spectrum(path, area_cm2=1.0)
    lines = path.read_text(encoding="latin-1").splitlines()[61:]
    rows = np.array([[float(cell) for cell in line.split()] for line in lines])[::-1]
    z = rows[:, 3] * np.exp(1j * np.radians(rows[:, 4]))
    np.testing.assert_allclose(found.z_ohm_cm2, z, rtol=1e-6)


def biologic(count: int = 1) -> str:
    cycle = np.zeros_like(FREQUENCY)
    one = table("", [FREQUENCY, Z.real, -Z.imag, abs(Z), np.degrees(np.angle(Z)), cycle], "\t")[1:]
    return (
        "EC-Lab ASCII FILE\nNb header lines : 8\n\nPotentio Electrochemical Impedance "
        "Spectroscopy\n\nElectrode surface area : 0.785 cm²\nlog freq spacing : 2, 11 points\n"
        "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\t|Z|/Ohm\tPhase(Z)/deg\tcycle number\t\n" + count * one
    )


def test_biologic(tmp_path: Path) -> None:
    check(read(tmp_path, biologic(), name="s.mpt"))
    with pytest.raises(InputError, match=r"the file says 0\.785 cm²"):
        read(tmp_path, biologic(), name="s.mpt", area_cm2=None)


def test_biologic_with_decimal_commas_and_in_latin_1(tmp_path: Path) -> None:
    head, data = biologic().split("cycle number\t\n")
    path = tmp_path / "s.mpt"
    path.write_bytes((head + "cycle number\t\n" + data.replace(".", ",")).encode("latin-1"))
    check(read_spectrum(path, area_cm2=1))


def test_loops_are_spectra_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "s.mpt"
    path.write_text(biologic(count=3), encoding="utf-8")
    spectra = read_spectra(path, area_cm2=1)
    assert len(spectra) == 3
    for spectrum in spectra:
        check(spectrum)
    with pytest.raises(InputError, match="3 sweeps"):
        read_spectrum(path, area_cm2=1)


def test_down_and_up_are_two_sweeps(tmp_path: Path) -> None:
    both = [np.concatenate([part, part[::-1]]) for part in (FREQUENCY, Z.real, Z.imag)]
    path = tmp_path / "s.csv"
    path.write_text(table("f_Hz,Zre_ohm,Zim_ohm", both), encoding="utf-8")
    spectra = read_spectra(path, area_cm2=1)
    assert len(spectra) == 2
    check(spectra[0])
    check(spectra[1])


@pytest.mark.parametrize("version", ["ZPLOT2", "ZPlotW"])
def test_zview(tmp_path: Path, version: str) -> None:
    nothing = np.zeros_like(FREQUENCY)
    columns = [FREQUENCY, nothing, nothing, nothing, Z.real, Z.imag, nothing, nothing, nothing]
    if version == "ZPLOT2":
        text = table("", columns, "\t")[1:]
        text = (
            "ZPLOT2 ASCII\n  Measured Data, ZPlot:       3.2c\n  Date:  10-12-2018\n"
            "  Freq(Hz)\tAmpl\tBias\tTime(Sec)\tZ'(a)\tZ''(b)\tGD\tErr\tRange\n"
            "End Comments\n" + text
        )
    else:
        text = table("", columns, ", ")[1:]
        text = (
            '"ZPlotW Data File: Version 3.2c"\n"Raw Data"\nDate: 12-17-2019    Time: 16:24:35\n'
            '"Frequency"\n0,3,0,1,300000,0.005\n11\n'
            "\"  Freq(Hz)    Ampl     Bias   Time(Sec)   Z'(a)    Z''(b)    GD   Err   Range\"\n"
            + text
        )
    check(read(tmp_path, text, name="s.z"))


@pytest.mark.parametrize("sheet_before", [False, True])
def test_excel(tmp_path: Path, sheet_before: bool) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    if sheet_before:
        sheet["A1"] = "Cell 7, measured on Tuesday"
        sheet = book.create_sheet("data")
    sheet.append(["Cell 7", None])
    sheet.append(["Frequency (kHz)", "Z' (kΩ)", "-Z'' (kΩ)"])
    for frequency, z in zip(FREQUENCY, Z, strict=True):
        sheet.append([frequency / 1e3, z.real / 1e3, -z.imag / 1e3])
    path = tmp_path / "s.xlsx"
    book.save(path)
    check(read_spectrum(path, area_cm2=1))


def test_excel_with_two_spectra_and_damaged(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet("b")):
        sheet.append(["f_Hz", "z_real_ohm", "z_imag_ohm"])
        for frequency, z in zip(FREQUENCY, Z, strict=True):
            sheet.append([frequency, z.real, z.imag])
    path = tmp_path / "s.xlsx"
    book.save(path)
    with pytest.raises(InputError, match="2 sheets of the workbook have a spectrum"):
        read_spectrum(path, area_cm2=1)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"[Content_Types].xml", b"[Content_Tapes].xml"))
    with pytest.raises(InputError, match="cannot read the workbook"):
        read_spectrum(path, area_cm2=1)


# -- tables of people


@pytest.mark.parametrize(
    ("heading", "factor", "sign"),
    [
        ("frequency_Hz,z_real_ohm,z_imag_ohm", 1, 1),
        ("Frequency (Hz),Z' (Ω),-Z'' (Ω)", 1, -1),
        ("f,Z',-Z''", 1, -1),
        ("freq/Hz,Re(Z)/Ohm,-Im(Z)/Ohm", 1, -1),
        ("Freq [Hz],Zreal [kOhm],Zimag [kOhm]", 1e-3, 1),
        ("Frequency,Zre,Zim", 1, 1),
        ("frequency / Hz,Z_re / mΩ,Z_im / mΩ", 1e3, 1),
        ("freq Hz,real Mohm,imaginary Mohm", 1e-6, 1),
        ("Freq/Hz, Z'/ohm, Z\"/ohm", 1, 1),
        ("# f (Hz),Re Z (Ohms),minus Im Z (Ohms)", 1, -1),
    ],
)
def test_headings(tmp_path: Path, heading: str, factor: float, sign: float) -> None:
    text = table(heading, [FREQUENCY, Z.real * factor, sign * Z.imag * factor])
    check(read(tmp_path, text))


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("ohm cm2", 1.0), ("Ω·cm²", 1.0), ("kΩ cm²", 1e-3), ("mohm*cm^2", 1e3), ("Ohm.cm2", 1.0)],
)
def test_per_area(tmp_path: Path, unit: str, factor: float) -> None:
    text = table(f"f (Hz),Z' ({unit}),Z'' ({unit})", [FREQUENCY, Z.real * factor, Z.imag * factor])
    found = read(tmp_path, text, area_cm2=None)
    check(found)
    assert found.area_cm2 is None
    refused(tmp_path, text, "per area already", area_cm2=0.5)


def test_own_heading_per_area(tmp_path: Path) -> None:
    text = table("frequency_Hz,z_real_ohm_cm2,z_imag_ohm_cm2", [FREQUENCY, Z.real, Z.imag])
    check(read(tmp_path, text, area_cm2=None))


def test_modulus_and_phase(tmp_path: Path) -> None:
    columns = [2 * np.pi * FREQUENCY, abs(Z), np.degrees(np.angle(Z))]
    check(read(tmp_path, table("omega (rad/s),|Z| (ohm),phase (deg)", columns)))
    columns[2] = -np.angle(Z)
    check(read(tmp_path, table("omega (rad/s),|Z| (ohm),-Phase (rad)", columns)))


def test_row_of_units_separators_and_no_heading(tmp_path: Path) -> None:
    columns = [FREQUENCY / 1e3, Z.real, Z.imag]
    check(read(tmp_path, table("f;Z';Z''\nkHz;ohm;ohm", columns, ";", ",")))
    columns[0] = FREQUENCY
    check(read(tmp_path, table("f Z' Z''", columns, " ")))
    check(read(tmp_path, table("f\tZ'\tZ''", columns, "\t", ",")))
    found = read(tmp_path, table("", columns).lstrip())
    check(found)
    assert "no heading" in found.remarks[0]


def test_area(tmp_path: Path) -> None:
    text = table("f_Hz,zre_ohm,zim_ohm", [FREQUENCY, Z.real, Z.imag])
    check(read(tmp_path, text, area_cm2=0.785), 0.785)
    refused(tmp_path, text, "the area of the electrode is not known", area_cm2=None)
    for area in (0.0, -1.0, np.nan, np.inf):
        refused(tmp_path, text, "area", area_cm2=area)


def test_positive_imaginary_parts_are_turned_and_told(tmp_path: Path) -> None:
    found = read(tmp_path, table("f_Hz,zre_ohm,zim_ohm", [FREQUENCY, Z.real, -Z.imag]))
    check(found)
    assert any("read as −Im Z" in remark for remark in found.remarks)
    text = table("f_Hz,zre_ohm,-zim_ohm", [FREQUENCY, Z.real, Z.imag])
    refused(tmp_path, text, "all imaginary parts are positive")


def test_the_slow_end_tells_leads_from_a_wrong_sign(tmp_path: Path) -> None:
    # More than half of the points are inductive, as of a cell of low impedance with long leads.
    z = Z + 2j * np.pi * FREQUENCY * 9.8e-3
    assert np.count_nonzero(z.imag > 0) == 6
    text = table("f_Hz,zre_ohm,zim_ohm", [FREQUENCY, z.real, z.imag])
    found = read(tmp_path, text)
    assert found.z_ohm_cm2 == pytest.approx(z[::-1])
    assert any("are inductive" in remark for remark in found.remarks)
    # A heading of the wrong sign is refused even if noise turns a point.
    noisy = Z.imag.copy()
    noisy[0] *= -1
    refused(
        tmp_path,
        table("f_Hz,zre_ohm,-zim_ohm", [FREQUENCY, Z.real, noisy]),
        "10 of 11 imaginary parts are positive",
    )


def test_the_unit_of_a_phase_is_told(tmp_path: Path) -> None:
    columns = [FREQUENCY, abs(Z), np.angle(Z, deg=True)]
    found = read(tmp_path, table("f_Hz,|Z|_ohm,phase", columns))
    check(found)
    assert any("read as degrees" in remark for remark in found.remarks)
    told = read(tmp_path, table("f_Hz,|Z|_ohm,phase_deg", columns))
    assert not any("degrees" in remark for remark in told.remarks)


def test_leads_are_told(tmp_path: Path) -> None:
    z = Z + 2j * np.pi * FREQUENCY * 1e-5
    found = read(tmp_path, table("f_Hz,zre_ohm,zim_ohm", [FREQUENCY, z.real, z.imag]))
    np.testing.assert_allclose(found.z_ohm_cm2, z[::-1], rtol=1e-8)
    assert any("inductive" in remark for remark in found.remarks)


def test_negative_real_parts(tmp_path: Path) -> None:
    columns = [FREQUENCY, -Z.real, -Z.imag]
    refused(tmp_path, table("f_Hz,zre_ohm,zim_ohm", columns), "all real parts are negative")
    check(read(tmp_path, table("f_Hz,-zre_ohm,-zim_ohm", columns)))


@given(st.permutations(range(len(FREQUENCY))), st.integers(0, len(FREQUENCY) - 1))
def test_order_and_repeats_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], twice: int
) -> None:
    # the repeated frequency twice, 1 % above and below
    rows = [[FREQUENCY[i], Z[i].real, Z[i].imag] for i in order if i != twice]
    for part in (0.99, 1.01):
        rows.append([FREQUENCY[twice], part * Z[twice].real, part * Z[twice].imag])
    folder = tmp_path_factory.mktemp("s")
    path = folder / "s.csv"
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    path.write_text(table("f_Hz,zre_ohm,zim_ohm", columns), encoding="utf-8")
    for found in read_spectra(path, area_cm2=1)[:1]:
        if len(found.frequency_Hz) == len(FREQUENCY):
            check(found)
            [told] = [remark for remark in found.remarks if "repeatedly" in remark]
            assert told.endswith("single values are up to 1 % of |Z| from them")


def test_zero_and_missing_values_are_left_out(tmp_path: Path) -> None:
    text = table("f_Hz,zre_ohm,zim_ohm", [FREQUENCY, Z.real, Z.imag])
    found = read(tmp_path, text + "0,110,0\n1e-1,nan,nan\n# end\n")
    check(found)
    assert any("without a frequency" in remark for remark in found.remarks)
    assert "1 line without a number (the first is line 14) is left out" in found.remarks


@pytest.mark.parametrize(
    ("order", "words"), [(-1, None), (1, "the frequencies descend"), (0, "not in order")]
)
def test_what_is_sorted_is_told(tmp_path: Path, order: int, words: str | None) -> None:
    places = (
        np.random.default_rng(5).permutation(len(Z)) if not order else np.arange(len(Z))[::order]
    )
    columns = [FREQUENCY[places], Z.real[places], Z.imag[places]]
    found = read(tmp_path, table("f_Hz,zre_ohm,zim_ohm", columns))
    check(found)
    assert [words in remark for remark in found.remarks if words] == ([True] if words else [])
    assert bool(found.remarks) is bool(words)


# -- what is refused


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("f (Hz),Z' (V),Z'' (V)", ("line 1", "'V' is not a known unit", "ohm")),
        ("f (s),Z' (ohm),Z'' (ohm)", ("line 1", "'s' is not a known unit", "kHz")),
        ("f (Hz),Z' (ohm cm),Z'' (ohm cm)", ("'ohm cm' is not a known unit",)),
        ("f_Hz,z_real_foo,z_imag_foo", ("line 1", "'foo' is not a known unit of the real", "kohm")),
        ("f_Hz,z_real_V,z_imag_V", ("line 1", "'V' is not a known unit of the real", "kohm")),
        (
            "f_Hz,z_real_ohm,-z_imag V",
            ("line 1", "'V' is not a known unit of the imaginary", "kohm"),
        ),
        ("frequency_s,z_real_ohm,z_imag_ohm", ("line 1", "'s' is not a known unit", "kHz")),
        ("# f_Hz,z_real_V,z_imag_V", ("line 1", "'V' is not a known unit")),
        ("f (Hz),Z' (ohm),Z'' (kohm)", ()),
        ("f (Hz),Z' (ohm cm2),Z'' (ohm)", ("different units",)),
        ("f (Hz),Z' (ohm),Y'' (S)", ("no column", "other part of the impedance")),
        ("t (s),Z' (ohm),Z'' (ohm)", ("no column", "frequency")),
        ("f (Hz),Z' (ohm),current (A)", ("no column",)),
        ("E (V),I (A),t (s)", ("no spectrum",)),
        ("f (Hz),Z' (ohm),Zre (ohm),Z'' (ohm)", ("may both be the real column",)),
    ],
)
def test_wrong_headings(tmp_path: Path, heading: str, words: tuple[str, ...]) -> None:
    columns = [FREQUENCY, Z.real, Z.imag, Z.imag][: heading.count(",") + 1]
    if not words:
        with_kohm = [FREQUENCY, Z.real, Z.imag / 1e3]
        check(read(tmp_path, table(heading, with_kohm)))
        return
    refused(tmp_path, table(heading, columns), "s.csv", *words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1e3,10,x", ("line 6", "no number: 'x'")),
        ("1e3,10", ("line 6", "does not have the 3 columns")),
        ("-1e3,10,-1", ("line 6", "-1000 Hz is negative")),
        ("changed the cable", ("line 6", "there is text between lines")),
    ],
)
def test_wrong_lines(tmp_path: Path, line: str, words: tuple[str, ...]) -> None:
    lines = table("f_Hz,zre_ohm,zim_ohm", [FREQUENCY, Z.real, Z.imag]).splitlines()
    refused(tmp_path, "\n".join([*lines[:5], line, *lines[5:]]), *words)


def test_too_short_empty_missing_and_binary(tmp_path: Path) -> None:
    lines = table("f_Hz,zre_ohm,zim_ohm", [FREQUENCY, Z.real, Z.imag]).splitlines()
    refused(tmp_path, "\n".join(lines[:4]), "lines 2 to 4", "3 points", "at least 6")
    refused(tmp_path, "", "no spectrum")
    with pytest.raises(InputError, match="cannot read"):
        read_spectrum(tmp_path / "missing.csv", area_cm2=1)
    path = tmp_path / "s.mpr"
    path.write_bytes(b"BIO-LOGIC MODULAR FILE\x1a" + bytes(range(256)))
    with pytest.raises(InputError, match="not text"):
        read_spectrum(path, area_cm2=1)


def test_two_kinds_of_decimal_marks(tmp_path: Path) -> None:
    text = table("f\tZ'\tZ''", [FREQUENCY, Z.real, Z.imag], "\t")
    lines = text.splitlines()
    lines[4] = lines[4].replace(".", ",")
    refused(tmp_path, "\n".join(lines), "line 5", "decimal commas and decimal points")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("s") / "s.txt"
    path.write_text("f_Hz,zre_ohm,zim_ohm\n" + text, encoding="utf-8")
    with pytest.raises(InputError):
        read_spectra(path, area_cm2=1)
