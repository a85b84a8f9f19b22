"""Names of functionals by VASP's tags, and what else changes an energy."""

from __future__ import annotations

from typing import Any

import pytest

from interohm.postprocess.vasp_method import differences, energy_settings, functional_name

LDA, PW91, PBE = ["PAW Al 17Apr2003"], ["PAW_GGA Al 05Jan2001"], ["PAW_PBE Al 04Jan2001"]


@pytest.mark.parametrize(
    ("tags", "titles", "name"),
    [
        ({}, PBE, "PBE"),
        ({"GGA": "--"}, LDA, "LDA"),
        ({"GGA": "--"}, PW91, "PW91"),
        ({"GGA": "Ps"}, LDA, "PBEsol"),
        ({"METAGGA": "R2scan", "GGA": "--"}, PBE, "r2SCAN"),
        ({"METAGGA": "Rscan"}, PBE, "rSCAN"),
        ({"METAGGA": "Scan", "LUSE_VDW": True, "BPARAM": 15.7}, PBE, "SCAN+rVV10"),
        ({"METAGGA": "R2SCAN", "LUSE_VDW": True, "BPARAM": 11.95}, PBE, "r2SCAN+rVV10"),
        ({"METAGGA": "--"}, PBE, "PBE"),
        ({"IVDW": 11}, PBE, "PBE+D3"),
        ({"IVDW": 12, "METAGGA": "R2scan"}, PBE, "r2SCAN+D3(BJ)"),
        ({"IVDW": 99}, PBE, "PBE+IVDW=99"),
        ({"LVDW": True}, PBE, "PBE+D2"),
        # The tags of VASP's manual for each.
        ({"GGA": "RE", "LUSE_VDW": True, "AGGAC": 0.0}, PBE, "vdW-DF"),
        ({"GGA": "OR", "LUSE_VDW": True, "AGGAC": 0.0}, PBE, "optPBE-vdW"),
        ({"GGA": "BO", "LUSE_VDW": True, "PARAM1": 0.1833}, PBE, "optB88-vdW"),
        ({"GGA": "MK", "LUSE_VDW": True, "PARAM1": 0.1234}, PBE, "optB86b-vdW"),
        ({"GGA": "ML", "LUSE_VDW": True, "ZAB_VDW": -1.8867}, PBE, "vdW-DF2"),
        ({"GGA": "MK", "LUSE_VDW": True, "ZAB_VDW": -1.8867}, PBE, "rev-vdW-DF2"),
        ({"GGA": "ML", "LUSE_VDW": True, "BPARAM": 6.3}, PBE, "rVV10"),
        ({"LHFCALC": True, "HFSCREEN": 0.2}, PBE, "HSE06"),
        ({"LHFCALC": True, "HFSCREEN": 0.2, "GGA": "PS"}, PBE, "HSEsol"),
        ({"LHFCALC": True}, PBE, "PBE0"),
        ({"LHFCALC": True, "AEXX": 0.32, "HFSCREEN": 0.2}, PBE, "HSE06(a=0.32)"),
        ({"LHFCALC": True, "AEXX": 1.0}, PBE, "Hartree-Fock"),
    ],
)
def test_functionals_by_their_tags(tags: dict[str, Any], titles: list[str], name: str) -> None:
    assert functional_name(tags, titles) == name


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"METAGGA": "SCAN"}, "functional"),
        ({"IVDW": 12}, "functional"),
        ({"LSORBIT": True}, "spin-orbit coupling"),
        ({"PREC": "Normal"}, "PREC"),
        ({"LASPH": False}, "LASPH"),
        ({"LHFCALC": True, "HFSCREEN": 0.2, "NKRED": 2}, "NKRED"),
        ({"EFIELD": 0.1}, "EFIELD"),
        ({"LDIPOL": True}, "LDIPOL"),
    ],
)
def test_what_changes_an_energy_is_named(changed: dict[str, Any], named: str) -> None:
    plain = {"PREC": "Accurate", "LASPH": True, "GGA": "PE"}
    assert named in differences(energy_settings(plain, PBE), energy_settings(plain | changed, PBE))


def test_what_leaves_an_energy_alone_is_no_difference() -> None:
    plain = {"PREC": "Accurate", "LASPH": True}
    same = {"PREC": "accura", "LASPH": "T", "GGA": "Pe", "NCORE": 4, "KPAR": 2, "AEXX": 0.0}
    assert not differences(energy_settings(plain, PBE), energy_settings(same, PBE))
