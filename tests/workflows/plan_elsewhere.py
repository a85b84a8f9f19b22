"""Plans campaigns as another processor would, on structures as another user would give them.

``python plan_elsewhere.py VARIANT=CAMPAIGN[:PHASE,...] ...`` plans campaigns with their structures
changed, and prints what of each variant is not found. A process of its own, since the kernels of
OpenBLAS and NumPy's features are chosen when a process begins; one for all variants, since it takes
as long to begin as to plan.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure
from scipy.stats import special_ortho_group

from interohm.database import Database
from interohm.settings import Settings
from interohm.workflows.campaign import dry_run, load_campaign
from interohm.workflows.campaign_config import CampaignConfig, load_structure

#: Noise of lattice and positions, and what is done besides.
VARIANTS = {
    "as given": (0.0, ()),
    "1e-12": (1e-12, ()),
    "1e-9": (1e-9, ()),
    "permuted": (1e-11, ("order",)),
    "moved": (1e-10, ("origin", "order")),
    "reduced": (1e-9, ("reduced", "origin")),
    "doubled": (1e-9, ("doubled", "order", "origin")),
    "turned": (1e-9, ("sheared", "turned", "order", "origin")),
    "left-handed": (1e-10, ("swapped", "turned", "order")),
}


def changed(structure: Structure, variant: str, random: np.random.Generator) -> Structure:
    noise, steps = VARIANTS[variant]
    found = structure.copy()
    if "reduced" in steps:
        found = found.get_reduced_structure()
    if "doubled" in steps:
        found.make_supercell([[1, 1, 0], [0, 1, 0], [0, 1, 2]])
    if "sheared" in steps:  # another basis of the same lattice
        found.make_supercell([[1, 2, 0], [0, 1, -1], [1, 2, 1]])
    if "swapped" in steps:
        found.make_supercell([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    places = found.frac_coords + noise * random.standard_normal((len(found), 3))
    if "origin" in steps:
        places = places + random.random(3)
    order = random.permutation(len(found)) if "order" in steps else np.arange(len(found))
    turn = special_ortho_group.rvs(3, random_state=7) if "turned" in steps else np.eye(3)
    lattice = found.lattice.matrix @ turn * (1 + noise * random.standard_normal((3, 3)))
    return Structure(lattice, [found[int(site)].specie for site in order], places[order])


def campaign_elsewhere(path: Path, folder: Path, variant: str, phases: list[str]) -> CampaignConfig:
    """Write the campaign's structures, changed, with all digits, and return what names them."""
    whole = load_campaign(path)
    random = np.random.default_rng(sorted(VARIANTS).index(variant))
    written: dict[str, str] = {}

    def elsewhere(source: str) -> str:
        if source not in written:
            structure = load_structure(source, whole.folder, where=source)
            written[source] = f"structure{len(written)}.json"
            (folder / written[source]).write_text(
                json.dumps(changed(structure, variant, random).as_dict())
            )
        return written[source]

    chosen = [phase for phase in whole.phases if not phases or phase.name in phases]
    update = {
        "metal_structure": elsewhere(whole.metal_structure),
        "phases": [
            phase.model_copy(
                update={
                    side: getattr(phase, side).model_copy(
                        update={"structure": elsewhere(getattr(phase, side).structure)}
                    )
                    for side in ("left", "right")
                }
                if phase.kind == "interface"
                else {"structure": elsewhere(phase.structure)}
            )
            for phase in chosen
        ],
    }
    if phases:
        update["phase_diagram"] = None
    config = whole.model_copy(update=update)
    config._folder = folder
    return config


def main() -> None:
    warnings.simplefilter("ignore")
    plans: dict[str, dict[str, Any]] = {}
    for argument in sys.argv[1:]:
        variant, _, asked = argument.partition("=")
        plan = plans.setdefault(variant, {"found": {}, "lost": []})
        name, _, phases = asked.partition(":")
        chosen = phases.split(",") if phases else []
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            config = (
                load_campaign(Path(name))
                if variant == "as given" and not chosen
                else campaign_elsewhere(Path(name), folder, variant, chosen)
            )
            with Database.open(Settings(data=folder / "none")) as database:
                rows = dry_run(config, database)
        plan["found"][Path(name).stem] = sum(row.found for row in rows)
        plan["lost"] += [f"{config.name}: {row.label}" for row in rows if not row.found]
    print(json.dumps(plans))


if __name__ == "__main__":
    main()
