"""Structures in, structures out: symmetric non-polar slabs and defect supercells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interohm.lazy_names import lazy_names

if TYPE_CHECKING:
    from interohm.slab_builders.cells import Crystal, supercell
    from interohm.slab_builders.defects import (
        defect_supercell,
        interstitial_sites,
        substitution_sites,
        vacancy_sites,
    )
    from interohm.slab_builders.electrodes import ordered_vacancies
    from interohm.slab_builders.hops import vacancy_hop
    from interohm.slab_builders.identify import identify_defect
    from interohm.slab_builders.interfaces import (
        best_match,
        find_matches,
        join,
        oriented_slab,
        sites_across,
    )
    from interohm.slab_builders.slabs import build_slab, distinct_facets, symmetric_slabs

__all__ = [
    "Crystal",
    "best_match",
    "build_slab",
    "defect_supercell",
    "distinct_facets",
    "find_matches",
    "identify_defect",
    "interstitial_sites",
    "join",
    "ordered_vacancies",
    "oriented_slab",
    "sites_across",
    "substitution_sites",
    "supercell",
    "symmetric_slabs",
    "vacancy_hop",
    "vacancy_sites",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Crystal": "interohm.slab_builders.cells",
        "best_match": "interohm.slab_builders.interfaces",
        "build_slab": "interohm.slab_builders.slabs",
        "defect_supercell": "interohm.slab_builders.defects",
        "distinct_facets": "interohm.slab_builders.slabs",
        "find_matches": "interohm.slab_builders.interfaces",
        "identify_defect": "interohm.slab_builders.identify",
        "interstitial_sites": "interohm.slab_builders.defects",
        "join": "interohm.slab_builders.interfaces",
        "ordered_vacancies": "interohm.slab_builders.electrodes",
        "oriented_slab": "interohm.slab_builders.interfaces",
        "sites_across": "interohm.slab_builders.interfaces",
        "substitution_sites": "interohm.slab_builders.defects",
        "supercell": "interohm.slab_builders.cells",
        "symmetric_slabs": "interohm.slab_builders.slabs",
        "vacancy_hop": "interohm.slab_builders.hops",
        "vacancy_sites": "interohm.slab_builders.defects",
    },
)
