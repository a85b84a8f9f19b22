"""Dielectric responses of VASP: what is read, and what is refused."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from vasp_writer import LOOP, PERTURBATIONS, iteration, write_calculation

from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.dielectric import static_dielectric_tensor
from interohm.postprocess.vasp import read_vasp

RESPONSE = Path(__file__).parents[1] / "data" / "calculations" / "response"


@pytest.fixture(scope="module")
def ours() -> Calculation:
    """The response of LiF that GPAW calculated."""
    (file,) = RESPONSE.glob("*.json.gz")
    return Calculation.model_validate_json(gzip.decompress(file.read_bytes()))


@pytest.fixture
def finished(ours: Calculation, tmp_path: Path) -> Path:
    write_calculation(ours, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize("thz", [False, True])
def test_the_tensor_is_the_one_that_was_written(
    ours: Calculation, tmp_path: Path, thz: bool
) -> None:
    write_calculation(ours, tmp_path / "run", thz=thz)
    found = read_vasp(tmp_path / "run")
    assert found.kind == "dielectric"
    tensor = static_dielectric_tensor(found)
    assert np.allclose(tensor, static_dielectric_tensor(ours), atol=1e-4)
    assert np.trace(tensor) / 3 == pytest.approx(8.887, abs=1e-3)


def test_rows_of_a_born_charge_are_directions_of_the_field(
    ours: Calculation, tmp_path: Path
) -> None:
    assert ours.response is not None
    charges = np.array(ours.response.born_charges)
    # A crystal of low symmetry: a displacement along y gives a dipole along x, and not vice versa.
    charges[:, 0, 1] += [0.2, -0.2]
    response = ours.response.model_copy(update={"born_charges": charges.tolist()})
    write_calculation(ours.model_copy(update={"response": response}), tmp_path / "run")
    found = read_vasp(tmp_path / "run").response
    assert found is not None
    assert np.abs(np.array(found.born_charges)[:, 0, 1]) == pytest.approx(0.2, abs=1e-3)
    assert np.abs(np.array(found.born_charges)[:, 1, 0]) == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("loop", range(len(PERTURBATIONS) + 1))
@pytest.mark.parametrize("version", [5, 6])
def test_no_loop_may_end_before_it_converged(finished: Path, loop: int, version: int) -> None:
    outcar = finished / "OUTCAR"
    *parts, end = outcar.read_text().split(LOOP)
    if version == 5:  # says the same as of a loop that converged
        parts[loop] = parts[loop].replace(iteration(1, 2), iteration(1, 60))
    ends = [LOOP] * len(parts)
    if version == 6:
        ends[loop] = "----- aborting loop EDIFF was not reached (unconverged) -----\n"
    outcar.write_text("".join(part + end for part, end in zip(parts, ends, strict=True)) + end)
    with pytest.raises(InputError, match=r"OUTCAR: the electrons did not converge in 1 of 11"):
        read_vasp(finished)


def replace(path: Path, pattern: str, text: str) -> None:
    found = path.read_text()
    changed = re.sub(pattern, text, found, count=1, flags=re.DOTALL)
    assert changed != found
    path.write_text(changed)


@pytest.mark.parametrize(
    ("pattern", "text", "reason"),
    [
        (r'<varray name="epsilon_ion".*?</varray>', "", "it has no epsilon_ion"),
        (r"<dynmat>.*?</dynmat>", "", "it has no hessian"),
        (r'<array name="born_charges".*?</array>', "", "it has no born_charges"),
        (
            r'(name="hessian" >).*?(</varray>)',  # as with one of two atoms held
            r"\1<v>1 0 0</v><v>0 1 0</v><v>0 0 1</v>\2",
            "force constants of 1 of 2 atoms",
        ),
        (r'(name="epsilon_ion" ><v>)\d', r"\g<1>9", "an ionic tensor .* off VASP's"),
        (r"</calculation>.*", "", "vasprun.xml: the file is cut off"),
        # Frequencies squared where VASP says nothing of their unit: 244 times too soft.
        (r"<dynmat>", '<dynmat><i type="string" name="unit">THz^2</i>', "an ionic tensor"),
        (r'name="IBRION">8', 'name="IBRION">6', "IBRION = 6"),
    ],
)
def test_a_part_that_is_missing_or_wrong_is_named(
    finished: Path, pattern: str, text: str, reason: str
) -> None:
    vasprun = finished / "vasprun.xml"
    if "IBRION" in pattern:  # in <parameters>, which come after <incar>
        vasprun.write_text(re.sub(pattern, text, vasprun.read_text()))
    else:
        replace(vasprun, pattern, text)
    with pytest.raises(InputError, match=reason):
        read_vasp(finished)


def test_without_outcar_nobody_knows_whether_it_converged(finished: Path) -> None:
    outcar = finished / "OUTCAR"
    whole = outcar.read_text()
    outcar.write_text(whole[:-60])
    with pytest.raises(InputError, match="OUTCAR: the file is cut off"):
        read_vasp(finished)
    outcar.unlink()
    with pytest.raises(InputError, match="OUTCAR: it is missing or contains no linear response"):
        read_vasp(finished)


def test_an_unstable_crystal_has_no_constant(ours: Calculation, tmp_path: Path) -> None:
    assert ours.response is not None
    constants = -np.array(ours.response.force_constants_eV_A2)
    response = ours.response.model_copy(update={"force_constants_eV_A2": constants.tolist()})
    write_calculation(ours.model_copy(update={"response": response}), tmp_path / "run")
    with pytest.raises(InputError, match=r"vasprun.xml: the crystal is unstable"):
        read_vasp(tmp_path / "run")
