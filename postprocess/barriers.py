"""Migration energies from calculated paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interohm.records import Quantity

from .calculation import Calculation
from .materials import Hop, Uncertainty, calculated_quantity, method_of

_NM_PER_A = 0.1
#: eV; ends of a hop between equivalent sites that differ more are not both relaxed.
_SAME_ENDS_EV = 0.03
_PLAIN_BAND = "no climbing image (LCLIMB): the highest one may lie below the saddle"


def migration_energy(path: Calculation) -> float:
    """Return the highest energy of a path above its beginning, in eV.

    Raises
    ------
    ValueError
        The calculation has no path, its highest image is an end (the ions do not rest there), or
        its ends are not equivalent.
    """
    if path.path is None:
        raise ValueError(f"calculation {path.hash[:12]} is not a migration path")
    energies = path.path.energies_eV
    highest = max(energies)
    if highest in (energies[0], energies[-1]):
        raise ValueError(
            f"the path {path.hash[:12]} has no barrier: an end is its highest image; relax the "
            "ends to smaller forces"
        )
    if abs(rise := energies[-1] - energies[0]) > _SAME_ENDS_EV:
        raise ValueError(
            f"the path {path.hash[:12]} ends {abs(rise):.3f} eV {'above' if rise > 0 else 'below'} "
            "its beginning: an end is not relaxed, or its site is not equivalent; a record's hop "
            "is between equivalent sites"
        )
    return highest - energies[0]


def calculated_hop(
    path: Calculation,
    distance_A: float,
    *,
    attempt_frequency_Hz: Quantity,
    uncertainty: Uncertainty,
    provenance: Mapping[str, Any],
) -> Hop:
    """Return the hop of a mobile ion by a defect from a calculated path.

    Parameters
    ----------
    path : Calculation
        The path of the hop.
    distance_A : float
        Between the two sites of the crystal.
    attempt_frequency_Hz : Quantity
        A barrier says nothing of it.
    uncertainty : Uncertainty
        Uncertainty of the migration energy.
    provenance : mapping
        Provenance of the record.
    """
    energy = calculated_quantity(migration_energy(path), uncertainty, path, provenance)
    incar = path.settings.get("incar")
    if incar is not None and not incar.get("LCLIMB"):
        energy = energy.model_copy(update={"method": f"{energy.method}; {_PLAIN_BAND}"})
    for name, (ends, images) in path.settings.get("path", {}).get("ends_differ", {}).items():
        what = f"the ends with {name} = {ends}, the images with {name} = {images}"
        energy = energy.model_copy(update={"method": f"{energy.method}; {what}"})
    return Hop(
        migration_energy_eV=energy,
        attempt_frequency_Hz=attempt_frequency_Hz,
        hop_distance_nm=Quantity(
            value=round(distance_A * _NM_PER_A, 5),
            source=f"relaxed structure of the supercell of calculation {path.hash[:12]}",
            method=method_of(path, provenance),
        ),
    )
