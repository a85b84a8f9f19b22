"""A tensor of one cell of a crystal in the axes of another one, turned against it."""

from __future__ import annotations

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from interohm.records import DielectricQuantity

from .defect_corrections import Dielectric

#: A tensor whose principal values differ by less looks the same from all sides.
_ISOTROPIC = 1e-3


def tensor_in(tensor: Dielectric, own: Structure, other: Structure) -> Dielectric:
    """Return a tensor that is given in the axes of one cell in those of another.

    Parameters
    ----------
    tensor : float or array, shape (3, 3)
        Symmetric; a constant is returned as it is.
    own, other : Structure
        Cells of one crystal, the second one possibly a supercell.

    Raises
    ------
    ValueError
        They are not cells of one crystal.
    """
    matrix = np.asarray(tensor, dtype=float)
    if matrix.ndim == 0:
        return float(matrix)
    values = np.linalg.eigvalsh(matrix)
    if values[-1] - values[0] < _ISOTROPIC * values[-1]:
        return float(np.trace(matrix) / 3)
    rotation = rotation_between(own, other)
    turned: np.ndarray = rotation.T @ matrix @ rotation
    return turned


def along_normal(
    constant: DielectricQuantity,
    own: Structure,
    conventional: Structure,
    facet: tuple[int, int, int],
) -> DielectricQuantity:
    """Return a constant with its tensor's component along the normal of a facet as the value.

    That is what the field beside a contact sees. A value that is not the mean of the tensor was
    given for itself, and stays.

    Parameters
    ----------
    constant : DielectricQuantity
    own : Structure
        In whose axes the tensor is.
    conventional : Structure
        In whose lattice the facet is.
    facet : tuple of int
    """
    if constant.tensor is None:
        return constant
    rows = np.array(constant.tensor)
    mean = float(np.trace(rows) / 3)
    if abs(constant.value - mean) > _ISOTROPIC * mean:
        return constant
    tensor = tensor_in(rows, own, conventional)
    if isinstance(tensor, float):
        return constant
    normal = conventional.lattice.reciprocal_lattice.get_cartesian_coords(facet)
    normal /= np.linalg.norm(normal)
    value = float(normal @ tensor @ normal)
    plane = "(" + "".join(map(str, facet)) + ")"
    method = (constant.method or "").removesuffix("; a third of the trace")
    spread = constant.uncertainty
    return constant.model_copy(
        update={
            "value": round(value, 3),
            "uncertainty": None if spread is None else round(spread * value / mean, 3),
            "method": f"{method}{'; ' if method else ''}along the normal of {plane}",
        }
    )


def rotation_between(own: Structure, other: Structure) -> np.ndarray:
    """Return R, shape (3, 3), that takes row vectors of one cell's axes to those of another.

    Where a symmetry of the crystal allows for several, any of them: they leave its tensors alone.
    """
    primitive, target = (cell.get_primitive_structure() for cell in (own, other))
    # Scaled: two relaxations of one crystal differ by a few thousandths.
    matcher = StructureMatcher(primitive_cell=False, scale=True, ltol=0.1, stol=0.2, angle_tol=3)
    found = matcher.get_transformation(target, primitive)
    if found is None:
        raise ValueError(
            "the dielectric tensor's cell is not that of the supercell of defects: give a number, "
            "or a tensor in the axes of this supercell's crystal"
        )
    vectors = found[0] @ primitive.lattice.matrix
    # Of the map between the two sets of vectors, its rotation alone.
    left, _, right = np.linalg.svd(np.linalg.inv(vectors) @ target.lattice.matrix)
    rotation: np.ndarray = left @ right
    return rotation
