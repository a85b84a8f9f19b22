"""VASP's k-points: a mesh, or a list, and points without weight that only band edges are read from.

A preset's step asks for them by a length, or by a rule of pymatgen's and atomate2's input sets
(``user_kpoints_settings``). A request has the outcome for its structure.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pymatgen.core import Lattice, Structure

from interohm.errors import InputError

from .gpaw import kpoint_counts

if TYPE_CHECKING:
    from pymatgen.io.vasp import Kpoints

#: Settings of a request that hold in its structure's own cell alone.
IN_THE_CELL = ("kpoint_shift", "kpoint_list", "zero_weight_kpoints")
#: What pymatgen's input sets read, and what of it gives points that have a weight.
_KEYS = (
    *("length", "reciprocal_density", "grid_density", "line_density", "kpath_kwargs"),
    *("force_gamma", "explicit", "added_kpoints"),
    *("zero_weighted_reciprocal_density", "zero_weighted_line_density"),
)
_MESHES = ("length", "reciprocal_density", "grid_density")
_WITHOUT_WEIGHT = (
    *("added_kpoints", "zero_weighted_reciprocal_density", "zero_weighted_line_density"),
)
#: Fractional; points that differ by less are one.
_SAME_POINT = 1e-5
#: VASP's own tolerance (SYMPREC), in Å.
_SYMPREC = 1e-5
#: Iterations, so that the orbitals at points without weight, which the energy does not see,
#: converge too: the advice for hybrid functionals in VASP's manual of zero weights.
_LEAST_ITERATIONS = 5


def length_of_density(density: float) -> float:
    """Return the length in Å of a mesh of that many points per volume of the reciprocal cell.

    Points along an axis: that density in Å⁻³ for each 2π/a.
    """
    return float(2 * math.pi * density ** (1 / 3))


def checked_rule(given: object) -> dict[str, Any]:
    """Return ``user_kpoints_settings`` as the fields of a step: a length, or a rule.

    Parameters
    ----------
    given : mapping
        Settings as pymatgen's input sets take them, or the dictionary of a ``Kpoints``.

    Returns
    -------
    dict
        ``kpoint_length_A`` or ``kpoints``.

    Raises
    ------
    ValueError
        It is not one of these, or its points give no energy.
    """
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"user_kpoints_settings: give a mapping with one of {', '.join(_MESHES)}")
    rule = dict(given)
    if "generation_style" in rule or "@class" in rule:
        return _checked_file(rule)
    if unknown := sorted(rule.keys() - {*_KEYS}, key=str):
        raise ValueError(
            f"user_kpoints_settings: pymatgen's input sets know no {', '.join(map(str, unknown))}; "
            f"they have {', '.join(_KEYS)}"
        )
    for name in rule.keys() & {*_MESHES, *_WITHOUT_WEIGHT, "line_density"}:
        _check_number(name, rule[name])
    for name in rule.keys() & {"force_gamma", "explicit"}:
        if not isinstance(rule[name], bool):
            raise ValueError(f"user_kpoints_settings: {name}: give true or false")
    meshes = [name for name in _MESHES if name in rule]
    if "line_density" in rule or not meshes:
        raise ValueError(
            "user_kpoints_settings: points along lines, or without weight, give no energy; give "
            "reciprocal_density for the mesh, and zero_weighted_line_density or added_kpoints "
            "for the bands"
        )
    if len(meshes) > 1:
        raise ValueError(f"user_kpoints_settings: give one of {' and '.join(meshes)}")
    centred = rule.get("force_gamma", True)
    extra = [name for name in _WITHOUT_WEIGHT if name in rule]
    if meshes == ["length"] and (extra or rule.get("explicit")):
        raise ValueError("user_kpoints_settings: length stands alone; give reciprocal_density")
    if not extra and centred and meshes != ["grid_density"]:
        value = float(rule[meshes[0]])
        return {"kpoint_length_A": value if meshes == ["length"] else length_of_density(value)}
    if not centred and meshes == ["length"]:
        raise ValueError("user_kpoints_settings: a mesh by its length is centred on Gamma")
    _made_by_pymatgen(_TRIAL, rule)
    return {"kpoints": rule}


def known_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step's ``kpoints``, as `checked_rule` made them or a preset's file has them.

    Raises
    ------
    ValueError
        They are no rule.
    """
    lists = {"counts": "Gamma", "points": "Reciprocal"}
    style = next((style for name, style in lists.items() if name in rule), None)
    if style is None:
        found = checked_rule(rule)
    else:
        known = {"counts", "shift"} if style == "Gamma" else {"points", "weights"}
        if rule.keys() != known:
            raise ValueError(f"kpoints: give {' and '.join(sorted(known))}")
        counts = [rule["counts"]] if style == "Gamma" else rule["points"]
        found = _checked_file(
            {
                "comment": "",
                "nkpoints": 0 if style == "Gamma" else len(counts),
                "generation_style": style,
                "kpoints": counts,
                "usershift": rule.get("shift", (0, 0, 0)),
                "kpts_weights": rule.get("weights"),
            }
        )
    if "kpoints" not in found:
        raise ValueError("kpoints: give kpoint_length_A for a mesh by its length or density")
    own: dict[str, Any] = found["kpoints"]
    return own


#: A crystal on which a rule is tried when a preset is read.
_TRIAL = Structure(
    Lattice([[0, 2, 2], [2, 0, 2], [2, 2, 0]]), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)


def _check_number(name: str, value: object) -> None:
    if name == "added_kpoints":
        try:
            points = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            points = np.empty(0)
        if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
            raise ValueError(
                "user_kpoints_settings: added_kpoints: give points of three fractions, as "
                "[[0.5, 0, 0]]"
            )
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:  # type: ignore[operator, arg-type]
        raise ValueError(f"user_kpoints_settings: {name}: give a number above zero")


def _checked_file(given: dict[str, Any]) -> dict[str, Any]:
    """Return a ``Kpoints`` as a rule: a mesh with its shift, or a list with its weights."""
    from pymatgen.io.vasp import Kpoints

    try:
        read = Kpoints.from_dict(given)
        style = read.style.name
        points = np.asarray(read.kpts, dtype=float)
        weights = [] if read.kpts_weights is None else [float(one) for one in read.kpts_weights]
        shift = [float(one) for one in read.kpts_shift]
    except Exception as error:  # from_dict trips in many ways over what is no Kpoints
        raise ValueError(
            f"user_kpoints_settings: this is not a Kpoints of pymatgen ({error!r})"
        ) from None
    if style == "Automatic":
        _check_number("length", float(points.flat[0]))
        return {"kpoint_length_A": float(points.flat[0])}
    if style in ("Gamma", "Monkhorst"):
        counts = points.reshape(-1, 3)[0]
        if (counts < 1).any() or (counts != np.round(counts)).any():
            raise ValueError("user_kpoints_settings: kpoints: give whole divisions, as [[4, 4, 4]]")
        return {"kpoints": _mesh([int(one) for one in counts], style, shift)}
    if style != "Reciprocal":
        raise ValueError(
            f"user_kpoints_settings: points of the style {style} give no comparable energy; "
            "give a mesh (Gamma, Monkhorst), or points in fractions of the reciprocal cell "
            "(Reciprocal) with their weights"
        )
    if points.ndim != 2 or points.shape[1] != 3 or len(weights) != len(points):
        raise ValueError("user_kpoints_settings: give each of the points a weight (kpts_weights)")
    if min(weights) < 0 or not sum(weights) > 0:
        raise ValueError(
            "user_kpoints_settings: kpts_weights: points without weight give no energy"
        )
    return {"kpoints": {"points": points.tolist(), "weights": weights}}


def _mesh(counts: list[int], style: str, shift: list[float]) -> dict[str, Any]:
    """Return a mesh by its divisions and its distance from one that is centred on Gamma.

    The scheme of Monkhorst and Pack with an even division is half a step away from it.
    """
    half = [0.5 if style == "Monkhorst" and count % 2 == 0 else 0.0 for count in counts]
    return {"counts": counts, "shift": [(a + b) % 1 for a, b in zip(half, shift, strict=True)]}


def _made_by_pymatgen(structure: Structure, rule: Mapping[str, Any]) -> Kpoints:
    """Return the points that pymatgen's input sets give a structure.

    Raises
    ------
    ValueError
        They do not take the rule.
    """
    from pymatgen.io.vasp.sets import VaspInputSet

    own = {name: value for name, value in rule.items() if name != "force_gamma"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tag KSPACING, which VASP reads alone
            found = VaspInputSet(
                structure=structure,
                config_dict={"INCAR": {}, "KPOINTS": {}, "POTCAR": {}},
                user_kpoints_settings=own,
                force_gamma=rule.get("force_gamma", True),
                sort_structure=False,
            ).kpoints
    except Exception as error:
        raise ValueError(f"user_kpoints_settings: pymatgen's input sets say: {error}") from None
    assert found is not None  # without KSPACING there are points
    return found


def kpoints_of(structure: Structure, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the points of a structure as a request has them.

    Parameters
    ----------
    structure : Structure
        In the order of POSCAR.
    settings : mapping
        Settings of a preset's step, with ``periodic_axes``; ``zero_weight_kpoints`` are further
        points.

    Returns
    -------
    dict
        ``kpoints``: divisions of the mesh, or how many points are listed. Where they are not all:
        ``kpoint_shift`` in steps of the mesh, ``kpoint_list`` (points and weights), and
        ``zero_weight_kpoints``, those of the mesh left out.
    """
    rule = settings.get("kpoints")
    extra = [list(map(float, point)) for point in settings.get("zero_weight_kpoints") or []]
    shift = [0.0, 0.0, 0.0]
    if rule is not None and "points" in rule:
        own: dict[str, Any] = {"kpoints": [f"{len(rule['points'])} listed"], "kpoint_list": rule}
        known = np.asarray(rule["points"])
    else:
        if rule is None:
            counts = kpoint_counts(
                structure, settings["kpoint_length_A"], settings["periodic_axes"]
            )
        elif "counts" in rule:
            counts, shift = list(rule["counts"]), list(rule["shift"])
        else:
            counts, shift = _counts_of(structure, rule, settings["periodic_axes"])
            if rule.keys() & {*_WITHOUT_WEIGHT}:
                made = _made_by_pymatgen(structure, rule)
                pairs = zip(made.kpts, made.kpts_weights or [], strict=True)
                extra += [list(map(float, point)) for point, weight in pairs if weight == 0]
        own = {"kpoints": counts}
        if any(shift):
            own["kpoint_shift"] = shift
        axes = [np.arange(count) + step for count, step in zip(counts, shift, strict=True)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        known = grid / np.asarray(counts)
    added: list[list[float]] = []
    for point in extra:
        steps = np.vstack([known, *(np.asarray(one)[None] for one in added)]) - point
        if np.abs(steps - np.round(steps)).max(axis=1).min() > _SAME_POINT:
            added.append([round(value, 6) + 0.0 for value in point])
    if added:
        own["zero_weight_kpoints"] = added
    return own


def _counts_of(
    structure: Structure, rule: Mapping[str, Any], periodic_axes: int
) -> tuple[list[int], list[float]]:
    """Return divisions and shift of the mesh of a rule."""
    if "reciprocal_density" in rule and rule.get("force_gamma", True):
        length_A = length_of_density(rule["reciprocal_density"])
        return kpoint_counts(structure, length_A, periodic_axes), [0.0, 0.0, 0.0]
    names = ("reciprocal_density", "grid_density", "force_gamma")
    made = _made_by_pymatgen(structure, {name: rule[name] for name in names if name in rule})
    counts = [int(one) for one in made.kpts[0]]
    counts = [*counts[:2], counts[2] if periodic_axes == 3 else 1]
    mesh = _mesh(counts, made.style.name, [float(one) for one in made.kpts_shift])
    return mesh["counts"], mesh["shift"]


def mesh_in_place(kpoints: Mapping[str, Any]) -> Kpoints:
    """Return a mesh with as many points as a request's, for who counts them to choose tags."""
    from pymatgen.io.vasp import Kpoints

    counts = [int(str(one).split()[0]) for one in kpoints["kpoints"]]
    return Kpoints.gamma_automatic(tuple([*counts, 1, 1][:3]))


def kpoints_file(structure: Structure, settings: Mapping[str, Any]) -> Kpoints:
    """Return KPOINTS of a request.

    Points without weight need all others listed: of a mesh those that no symmetry makes one, as
    VASP would find them.

    Parameters
    ----------
    structure : Structure
        In the order of POSCAR.
    settings : mapping
        A request's: `kpoints_of`, and ``incar``.
    """
    from pymatgen.io.vasp import Kpoints

    without = settings.get("zero_weight_kpoints", [])
    listed = settings.get("kpoint_list")
    counts, shift = settings["kpoints"], settings.get("kpoint_shift", [0.0, 0.0, 0.0])
    if listed is None and not without:
        file = Kpoints.gamma_automatic(tuple(counts), tuple(shift) if any(shift) else (0, 0, 0))
        file.comment = f"Gamma-centred, {'x'.join(map(str, counts))}"
        if any(shift):
            file.comment = f"{'x'.join(map(str, counts))}, moved by parts of a step"
        return file
    if listed is None:
        points, weights = _irreducible(structure, counts, shift, settings.get("incar", {}))
        comment = f"{'x'.join(map(str, counts))}"
    else:
        points, weights = listed["points"], listed["weights"]
        comment = f"{len(points)} points"
    if without:
        comment += f", and {len(without)} without weight"
    return Kpoints(
        comment=comment,
        style=Kpoints.supported_modes.Reciprocal,
        num_kpts=len(points) + len(without),
        kpts=[tuple(point) for point in [*points, *without]],
        kpts_weights=[*weights, *([0] * len(without))],
    )


def _irreducible(
    structure: Structure, counts: list[int], shift: list[float], incar: Mapping[str, Any]
) -> tuple[list[list[float]], list[int]]:
    """Return the points of a mesh that symmetry leaves, and how many each stands for."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    rotations = [np.eye(3)]
    magnetic = incar.get("LSORBIT") or incar.get("LNONCOLLINEAR")
    symmetry = int(incar.get("ISYM", -1 if magnetic else 2))
    if symmetry > 0:
        operations = SpacegroupAnalyzer(structure, symprec=_SYMPREC).get_symmetry_operations()
        rotations = [one.rotation_matrix for one in operations]
    if symmetry >= 0:  # k and −k are one
        rotations = [sign * one for one in rotations for sign in (1, -1)]
    steps = [np.arange(count) + part for count, part in zip(counts, shift, strict=True)]
    grid = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    points = grid / np.asarray(counts)
    place = {_name(point): number for number, point in enumerate(points)}
    stands_for = np.arange(len(points))
    for rotation in rotations:
        # Components of k turn by the rotation of fractional coordinates from the right.
        for number, turned in enumerate(points @ rotation):
            image = place.get(_name(turned))
            if image is not None and image < stands_for[number]:
                stands_for[number] = image
    # An orbit's first point is reached from each of its points, as rotations are a group.
    first, many = np.unique(stands_for, return_counts=True)
    wrapped = points - np.round(points)
    return (wrapped[first] + 0.0).tolist(), [int(one) for one in many]


def _name(point: np.ndarray) -> tuple[int, ...]:
    """Return a point's place in the reciprocal cell, without its last digits."""
    return tuple(int(one) for one in np.round((point % 1) / _SAME_POINT).astype(int) % 100_000)


def complete_for_listed(
    incar: Mapping[str, Any], settings: Mapping[str, Any], kpoints: Mapping[str, Any]
) -> dict[str, Any]:
    """Return INCAR for points that are listed.

    Parameters
    ----------
    incar, settings : mapping
        The tags so far, and the step that gave some of them.
    kpoints : mapping
        From `kpoints_of`.

    Raises
    ------
    InputError
        The tetrahedron method, which needs a mesh.
    """
    if not kpoints.keys() & {"kpoint_list", "zero_weight_kpoints"}:
        return dict(incar)
    if incar.get("ISMEAR") in (-4, -5, -14, -15):
        raise InputError(
            f"ISMEAR = {incar['ISMEAR']} needs a mesh of k-points, and these are listed",
            where="preset: incar",
            fix="give ISMEAR: 0 and a small SIGMA",
        )
    changed = dict(incar)
    if "zero_weight_kpoints" in kpoints and "NELMIN" not in settings["incar"]:
        changed["NELMIN"] = max(_LEAST_ITERATIONS, int(changed.get("NELMIN", 0)))
    return changed
