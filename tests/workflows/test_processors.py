"""A calculation is the same on every processor, and however its crystal is given.

What differs between processors, the kernels of OpenBLAS and NumPy's vector instructions, can be
chosen by environment variables, so that one machine shows what others would do.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from plan_elsewhere import VARIANTS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CAMPAIGNS = ROOT / "configs" / "campaigns"
#: All but the demo, which calculates before the user's eyes, and what is a screening.
SHIPPED = sorted(
    path.stem
    for path in CAMPAIGNS.glob("*.yaml")
    if path.stem != "demo" and "phases:" in path.read_text()
)
#: A metal, a crystal whose slab and interstitials hung on the last digit, one of low symmetry.
THREE = ["Li_110", "Li2O_111", "Li3N_100"]

#: Those that are given otherwise than in the program.
OTHERWISE = sorted(VARIANTS.keys() - {"as given"})

#: Of NumPy, on top of what every processor has; the first kernel goes without them.
FEATURES = " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))
KERNELS = ["Prescott", "Haswell", "Zen"]
if __cpu_features__.get("AVX512F") or __cpu_features__.get("X86_V4"):
    KERNELS.append("SkylakeX")
#: The oldest and the newest processor.
EXTREMES = [KERNELS[0], KERNELS[-1]]


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """Return a function that plans as a processor would, in one process, from nothing."""

    @functools.cache
    def planned(kernel: str) -> dict[str, Any]:
        asked = [f"as given={CAMPAIGNS / name}.yaml" for name in SHIPPED]
        for variant in OTHERWISE if kernel in EXTREMES else []:
            asked.append(f"{variant}={CAMPAIGNS / 'interlayers'}.yaml:{','.join(THREE)}")
            if variant in ("doubled", "turned"):
                asked += [f"{variant}={CAMPAIGNS / n}.yaml" for n in ("electrodes", "interfaces")]
        environment = os.environ | {
            "OPENBLAS_CORETYPE": kernel,
            # what another processor planned is no plan of this one
            "XDG_CACHE_HOME": str(tmp_path_factory.mktemp(kernel)),
        }
        if kernel == KERNELS[0]:
            environment["NPY_DISABLE_CPU_FEATURES"] = FEATURES
        program = Path(__file__).with_name("plan_elsewhere.py")
        ran = subprocess.run(
            [sys.executable, str(program), *asked], capture_output=True, text=True, env=environment
        )
        assert ran.returncode == 0, ran.stderr
        made: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return made

    return planned


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_shipped_campaign_finds_everything(
    plans: Callable[[str], dict[str, Any]], kernel: str
) -> None:
    assert {"electrodes", "interfaces", "interlayers", "sodium"} <= set(SHIPPED)
    plan = plans(kernel)["as given"]
    assert plan["lost"] == []
    assert plan["found"].keys() == set(SHIPPED)
    assert min(plan["found"].values()) >= 3  # a metal alone: its cell, bulk and slab


@pytest.mark.parametrize("variant", OTHERWISE)
@pytest.mark.parametrize("kernel", EXTREMES)
def test_so_does_a_crystal_that_is_given_otherwise(
    plans: Callable[[str], dict[str, Any]], variant: str, kernel: str
) -> None:
    plan = plans(kernel)[variant]
    assert plan["lost"] == []
    assert min(plan["found"].values()) > 5
