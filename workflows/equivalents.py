"""A calculation that is known in another setting: found by what it is, and turned to what is asked.

Two requests are one calculation if their coarse keys agree, their structures are the same up to
lattice translations, symmetry and the order of equal atoms, and their meshes of k-points are one.
The result keeps the hash under which it is stored; everything in it that has a direction, a place
or an order of atoms is given in the setting of the request.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

import numpy as np
from pymatgen.core import Lattice, Structure

from interohm.calculation_key import MACHINE_TAGS
from interohm.postprocess.calculation import (
    Calculation,
    DielectricResponse,
    KPoint,
    PlanarPotential,
)
from interohm.slab_builders.equivalence import (
    TOLERANCE_A,
    Setting,
    same_mesh,
    settings_between,
)

from .engines.request import CalculationRequest
from .engines.vasp_kpoints import IN_THE_CELL

#: Å; forces of some hundredths of an eV/Å leave the ends of a path as far from each other where
#: symmetry makes them equal, and which one of them was taken does not matter.
_PATH_TOLERANCE_A = 0.05


#: Relative; above what `settings_between` grants to any cell.
SAME_VOLUME = 0.01


def setting_of(asked: CalculationRequest, other: CalculationRequest) -> Setting | None:
    """Return how the other request becomes the asked one, None if they are two calculations."""
    if asked.key != other.key:
        return None
    if asked.settings.keys() & {*IN_THE_CELL}:
        return None  # what is listed in fractions of one cell is not listed in those of another
    if abs(asked.volume_A3 / other.volume_A3 - 1) > SAME_VOLUME:
        return None  # no need to make structures of them
    structures = asked.initial_structure, other.initial_structure
    settings: Iterable[Setting] = settings_between(*structures)
    if "path" in asked.settings:
        to_the_end = [(_to_the_end(asked), _to_the_end(other))]
        settings = itertools.chain.from_iterable(
            settings_between(
                *structures, displacements=to_the_end, displacement_tolerance_A=tolerance_A
            )
            for tolerance_A in (TOLERANCE_A, _PATH_TOLERANCE_A)
        )
    mesh, stored = asked.settings.get("kpoints"), other.settings.get("kpoints")
    for setting in settings:
        if mesh is None or stored is None:
            if mesh == stored:
                return setting
        elif same_mesh(setting, mesh, stored):
            return setting
    return None


def _to_the_end(request: CalculationRequest) -> np.ndarray:
    end = np.asarray(request.settings["path"]["end_positions_A"])
    return np.asarray(end - request.initial_structure.cart_coords)


def request_of_calculation(calculation: Calculation) -> CalculationRequest:
    """Return what the engine was asked for when it calculated this."""
    return CalculationRequest(
        engine=calculation.engine,
        kind=calculation.kind,
        charge=calculation.charge,
        structure=calculation.initial_structure,
        settings=calculation.settings,
    )


def as_requested(setting: CalculationRequest, request: CalculationRequest) -> CalculationRequest:
    """Return the request of one setting with what another one tells the machine and the electrons.

    Parameters
    ----------
    setting, request : CalculationRequest
        The same calculation. From ``request`` come `MACHINE_TAGS` and ``scf_retries``.
    """
    settings = dict(setting.settings)
    if "incar" in settings:
        own = {t: v for t, v in settings["incar"].items() if t.upper() not in MACHINE_TAGS}
        new = {t: v for t, v in request.settings["incar"].items() if t.upper() in MACHINE_TAGS}
        settings["incar"] = own | new
    return CalculationRequest(
        **{**setting.model_dump(), "settings": settings, "scf_retries": request.scf_retries}
    )


class Requests:
    """Requests that are known, each of which stands for all that are the same calculation."""

    def __init__(self, known: Iterable[CalculationRequest] = ()) -> None:
        self._by_hash: dict[str, CalculationRequest] = {}
        #: By volume, so that of thousands with one key few are compared.
        self._by_key: dict[str, list[tuple[float, CalculationRequest]]] = {}
        for request in known:
            self.first_of(request)

    def first_of(self, request: CalculationRequest) -> CalculationRequest:
        """Return the earlier request of the same calculation, or this one, known from now on."""
        if (found := self._by_hash.get(request.hash)) is not None:
            return found
        rivals, volume = self._by_key.setdefault(request.key, []), request.volume_A3
        first, end = (
            bisect(rivals, volume * (1 + side * SAME_VOLUME), key=itemgetter(0))
            for bisect, side in ((bisect_left, -1), (bisect_right, 1))
        )
        same = (one for _, one in rivals[first:end] if setting_of(request, one) is not None)
        if (found := next(same, None)) is None:
            found = request
            insort(rivals, (volume, request), key=itemgetter(0))
        self._by_hash[request.hash] = found
        return found


def setting_document(setting: Setting) -> dict[str, Any]:
    """Return a setting as plain values, for a job's output."""
    return {
        "cell": setting.cell.tolist(),
        "rotation": setting.rotation.tolist(),
        "translation": setting.translation.tolist(),
        "sites": setting.sites.tolist(),
    }


def setting_from(document: Mapping[str, Any]) -> Setting:
    """Return the setting that a job's output holds."""
    return Setting(**{name: np.asarray(values) for name, values in document.items()})


def in_setting(calculation: Calculation, setting: Setting) -> Calculation:
    """Return a calculation as it is in another setting of its structure.

    Parameters
    ----------
    calculation : Calculation
        The one that is stored.
    setting : Setting
        From `settings_between`, with the calculation's initial structure as the other one.

    Returns
    -------
    Calculation
        Under the same hash. Planar potentials normal to axes that are none of the calculation's
        own are left out.
    """
    before = Structure.from_dict(calculation.initial_structure)
    initial = _moved(before, setting)
    final = _moved(calculation.final_structure, setting)
    if calculation.kind != "cell":
        final = Structure(initial.lattice, final.species, final.frac_coords)
    # Each atom in the image of the cell that its relaxation ended in, next to where it began.
    steps = final.frac_coords - initial.frac_coords
    final = Structure(final.lattice, final.species, final.frac_coords - np.round(steps))
    c, a, b = (_turned_potential(calculation, setting, axis) for axis in (2, 0, 1))
    site_potentials, moments = calculation.site_potentials_eV, calculation.magnetic_moments_muB
    return calculation.model_copy(
        update={
            "initial_structure": initial.as_dict(),
            "structure": final.as_dict(),
            "edge_kpoints": _turned_kpoints(calculation, setting),
            "planar_potential": c,
            "side_potentials": None if a is None or b is None else (a, b),
            "site_potentials_eV": [site_potentials[site] for site in setting.sites]
            if site_potentials
            else [],
            "magnetic_moments_muB": None
            if moments is None
            else [moments[site] for site in setting.sites],
            "response": _turned_response(calculation.response, setting),
        }
    )


def _turned_kpoints(calculation: Calculation, setting: Setting) -> tuple[KPoint, KPoint] | None:
    """Return the band edges' k-points: components of k go as the lattice vectors do."""
    if calculation.edge_kpoints is None:
        return None
    first, second = (
        tuple(round(float(value), 6) + 0.0 for value in setting.cell @ np.asarray(point))
        for point in calculation.edge_kpoints
    )
    return first, second  # type: ignore[return-value]


def _moved(structure: Structure, setting: Setting) -> Structure:
    lattice = Lattice(setting.cell @ structure.lattice.matrix @ setting.rotation)
    places = setting.fractional(structure.frac_coords)[setting.sites]
    return Structure(lattice, [structure[int(site)].specie for site in setting.sites], places)


def _turned_potential(
    calculation: Calculation, setting: Setting, axis: int
) -> PlanarPotential | None:
    """Return the potential normal to two of the asked vectors, along the third one's height."""
    normal_to = (*(calculation.side_potentials or (None, None)), calculation.planar_potential)
    along = np.round(np.linalg.inv(setting.cell)[:, axis]).astype(int)
    own = np.flatnonzero(along)
    potential = normal_to[own[0]] if own.size == 1 else None
    if potential is None:
        return None
    values = np.asarray(potential.potential_eV)
    if along[own[0]] < 0:
        values = np.roll(values[::-1], 1)  # the first point stays at 0
    points = setting.translation[axis] * values.size
    whole = round(float(points))
    if abs(points - whole) * potential.height_A / values.size < 1e-3:
        values = np.roll(values, whole)
    else:
        waves = np.fft.rfftfreq(values.size) * values.size
        phases = np.exp(-2j * np.pi * waves * setting.translation[axis])
        values = np.fft.irfft(np.fft.rfft(values) * phases, n=values.size)
    turned = [round(float(value), 6) for value in values]
    moved: PlanarPotential = potential.model_copy(update={"potential_eV": turned})
    return moved


def _turned_response(
    response: DielectricResponse | None, setting: Setting
) -> DielectricResponse | None:
    if response is None:
        return None
    turn, sites = setting.rotation, setting.sites
    charges = np.asarray(response.born_charges)[sites]
    constants = np.asarray(response.force_constants_eV_A2)[sites][:, :, sites]
    return DielectricResponse(
        electronic=(turn.T @ np.asarray(response.electronic) @ turn).tolist(),
        born_charges=(turn.T @ charges @ turn).tolist(),
        force_constants_eV_A2=np.einsum("ka,ikjl,lb->iajb", turn, constants, turn).tolist(),
    )
