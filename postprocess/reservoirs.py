"""Chemical potentials that coexisting phases tie to the one of the mobile ion.

Every compound in equilibrium gives one linear equation, ``Σ n_i·mu_i = E``. With as many compounds
as there are other elements, each mu follows the mobile ion's: ``mu_i = mu_i(0) + s_i·mu``. In LiF
s_F = −1; beside MgF2, s_Mg = 2. A defect that adds n_i atoms then has dn = ``Σ n_i·s_i``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pymatgen.core import Composition

from .calculation import Calculation


def tied_elements(compositions: Sequence[Composition], mobile_ion: str) -> dict[str, float]:
    """Return the slopes s_i, by element, the mobile ion's own (1) among them.

    Elements that the compounds leave free are left out.

    Parameters
    ----------
    compositions : sequence of Composition
        Compositions of the coexisting compounds.
    mobile_ion : str
        Its element.

    Raises
    ------
    ValueError
        More compounds than can coexist at every chemical potential of the mobile ion.
    """
    ions = [-_counts(one).get(mobile_ion, 0.0) for one in compositions]
    return {mobile_ion: 1.0, **_solved(compositions, mobile_ion, ions)}


def chemical_potentials(
    compound: Calculation,
    metal: Calculation,
    mobile_ion: str,
    coexisting: Sequence[Calculation] = (),
) -> dict[str, float]:
    """Return total energies per atom of the elements at mu = 0.

    The mobile element is in its metal; the others are in equilibrium with the compound and the
    coexisting ones. Elements that these leave free (those of a ternary compound without another
    one beside it) are left out.
    """
    free = metal.energy_per_atom_eV
    compounds = [compound, *coexisting]
    compositions = [one.final_structure.composition for one in compounds]
    rest = [
        one.energy_eV - _counts(composition).get(mobile_ion, 0.0) * free
        for one, composition in zip(compounds, compositions, strict=True)
    ]
    return {mobile_ion: free, **_solved(compositions, mobile_ion, rest)}


def ion_change(added: Mapping[str, int], slopes: Mapping[str, float]) -> float:
    """Return dn of a defect, the ions that the other elements take along included.

    Parameters
    ----------
    added : mapping of str to int
        Atoms by element, negative where removed.
    slopes : mapping of str to float
        From `tied_elements`.
    """
    # Adding zero turns −0.0 into 0.0.
    return round(sum(n * slopes[element] for element, n in added.items()), 9) + 0.0


def _counts(composition: Composition) -> dict[str, float]:
    return dict(composition.element_composition.get_el_amt_dict())


def _solved(
    compositions: Sequence[Composition], mobile_ion: str, values: Sequence[float]
) -> dict[str, float]:
    """Solve ``Σ n_i·x_i = value`` over the other elements; return those that are determined."""
    counts = [_counts(composition) for composition in compositions]
    elements = sorted({element for one in counts for element in one} - {mobile_ion})
    if not elements:
        return {}
    matrix = np.array([[one.get(element, 0.0) for element in elements] for one in counts])
    rank = int(np.linalg.matrix_rank(matrix))
    if rank < len(compositions):
        names = ", ".join(composition.reduced_formula for composition in compositions)
        raise ValueError(f"{names} coexist at a single chemical potential only")
    solution, *_ = np.linalg.lstsq(matrix, np.asarray(values, dtype=float))
    # An element is determined if no direction that the equations leave free moves it.
    projector = np.linalg.pinv(matrix) @ matrix
    return {
        element: float(solution[index])
        for index, element in enumerate(elements)
        if abs(projector[index, index] - 1) < 1e-9
    }
