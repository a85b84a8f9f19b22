"""A calculation is the same on every processor, and however its crystal is given.

What differs between processors, the kernels of OpenBLAS and NumPy's vector instructions, can be
chosen by environment variables, so that one machine shows what others would do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from plan_elsewhere import VARIANTS

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

FEATURES = " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))
KERNELS = ["Haswell", "Zen", "Prescott"]
if __cpu_features__.get("AVX512F") or __cpu_features__.get("X86_V4"):
    KERNELS.append("SkylakeX")


def planned(variant: str, *campaigns: str, **environment: str) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).with_name("plan_elsewhere.py")), variant]
    for campaign in campaigns:
        name, colon, phases = campaign.partition(":")
        command.append(f"{CAMPAIGNS / name}.yaml{colon}{phases}")
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"} | environment
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    plan: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return plan


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_shipped_campaign_finds_everything(kernel: str) -> None:
    assert {"electrodes", "interfaces", "interlayers", "sodium"} <= set(SHIPPED)
    plan = planned("as given", *SHIPPED, OPENBLAS_CORETYPE=kernel)
    assert plan["lost"] == []
    assert plan["found"].keys() == set(SHIPPED)
    assert min(plan["found"].values()) > 5


@pytest.mark.parametrize("variant", sorted(VARIANTS))
@pytest.mark.parametrize("kernel", [KERNELS[0], KERNELS[-1]])
def test_so_does_a_crystal_that_is_given_otherwise(variant: str, kernel: str) -> None:
    environment = {"OPENBLAS_CORETYPE": kernel}
    if kernel == KERNELS[0]:
        environment["NPY_DISABLE_CPU_FEATURES"] = FEATURES
    campaigns = [f"interlayers:{','.join(THREE)}"]
    if variant in ("doubled", "turned"):
        campaigns += ["electrodes", "interfaces"]
    plan = planned(variant, *campaigns, **environment)
    assert plan["lost"] == []
    assert min(plan["found"].values()) > 5
