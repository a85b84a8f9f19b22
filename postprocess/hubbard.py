"""The +U of calculations, element by element: energies with and without it do not compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pymatgen.core import Element

from .calculation import Calculation

#: Effective U in eV by element and shell.
Repulsions = Mapping[str, Mapping[str, float]]
#: By VASP's LDAUL; −1 is none.
_SHELLS = {0: "s", 1: "p", 2: "d", 3: "f"}


def hubbard_U_eV(calculation: Calculation) -> dict[str, dict[str, float]]:
    """Return U by shell for each element of a calculation; an empty mapping where it has none."""
    elements = calculation.final_structure.composition.element_composition.get_el_amt_dict()
    settings = calculation.settings
    found: Repulsions = settings.get("hubbard_U_eV", {})
    tags = settings.get("incar", {})
    if not found and tags.get("LDAU"):
        # In the order of the POSCAR that the program writes.
        ordered = sorted(elements, key=lambda symbol: (Element(symbol).X, symbol))
        found = vasp_repulsions(
            ordered, tags.get("LDAUL", []), tags.get("LDAUU", []), tags.get("LDAUJ", [])
        )
    return {element: dict(found.get(element, {})) for element in elements}


def vasp_repulsions(
    elements: Sequence[str],
    shells: Sequence[float],
    repulsions_eV: Sequence[float],
    exchanges_eV: Sequence[float] = (),
) -> dict[str, dict[str, float]]:
    """Return U − J of VASP's LDAUL, LDAUU and LDAUJ; elements without are left out.

    Parameters
    ----------
    elements, shells, repulsions_eV : sequence
        One for each species of POSCAR.
    exchanges_eV : sequence of float
        Zero where there are fewer than species.
    """
    exchanges = [*exchanges_eV, *[0.0] * len(elements)]
    found: dict[str, dict[str, float]] = {}
    for element, shell, U, J in zip(elements, shells, repulsions_eV, exchanges, strict=False):
        if shell in _SHELLS and round(U - J, 6):
            found.setdefault(element, {})[_SHELLS[int(shell)]] = round(float(U - J), 6)
    return found
