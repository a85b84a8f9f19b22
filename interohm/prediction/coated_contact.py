"""Contacts of thin layers, solved as a whole with the layers between two phases that are thick."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.device_models import (
    FiniteLayer,
    StackNotConverged,
    Unmixing,
    solve_finite_layers,
    thick_space_charge,
)
from interohm.errors import InputError
from interohm.prediction.solved_contact import SolvedContact

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.device_models import Bulk, StackLayer
    from interohm.prediction.contact_barrier import Hop
    from interohm.prediction.solved_contact import Side
    from interohm.records import Insulator, Metal


#: Step of the dipole for the differential capacitance of a contact with a layer.
_DIPOLE_STEP_V = 1e-4


def coated_contacts(
    materials: Sequence[Insulator | Metal],
    left_model: Bulk | models.Metal,
    layers: Sequence[StackLayer],
    right_model: Bulk | models.Metal,
    *,
    dipole_V: Sequence[Array | float],
    sheet_charge_e_nm2: Sequence[float],
    hops: Sequence[Hop],
    blocked: Sequence[bool] | None = None,
    nominal: bool,
    grid_reasons: Sequence[str] | None = None,
    left_thickness_nm: float | None = None,
    right_thickness_nm: float | None = None,
) -> tuple[list[SolvedContact], list[Array]]:
    """Solve thin layers between two phases that are thick or metals.

    Parameters
    ----------
    materials : sequence of Insulator or Metal
        The n layers and, first and last, their two neighbours: n + 2.
    left_model, right_model : Bulk or Metal
        The neighbours as the device model takes them.
    layers : sequence of n StackLayer
        The layers.
    dipole_V, sheet_charge_e_nm2 : sequence of n + 1 float
        Dipoles and sheet charges of the contacts.
    hops : sequence of n + 1 Hop
        Hops of the ion across the contacts.
    blocked : sequence of n + 1 bool, optional
        Which contacts no ion crosses.
    nominal : bool
        False for samples, which need no profiles and no differential capacitances.
    grid_reasons : sequence of n str, optional
        Why each layer is solved as a whole, as its contacts state it; default: it is not thick; an
        empty text is not said.
    left_thickness_nm, right_thickness_nm : float, optional
        Thicknesses of the neighbours; without one, an insulator counts as thick up to 10 µm.

    Returns
    -------
    contacts : list of SolvedContact
        The n + 1 contacts.
    layers_ohm_cm2 : list of array
        R_layer of the n layers.

    Raises
    ------
    InputError
        There is no solution, or a layer's defects unmix; of samples, for none of them
        (those without a solution are NaN).
    """
    names = " | ".join(material.name for material in materials)
    try:
        solved = solve_finite_layers(
            left_model,
            layers,
            right_model,
            dipole_V=dipole_V,
            sheet_charge_e_nm2=sheet_charge_e_nm2,
        )
        slopes = (
            _differential_capacitances(
                left_model, layers, right_model, dipole_V, sheet_charge_e_nm2
            )
            if nominal
            else [np.asarray(np.nan)] * len(dipole_V)
        )
    except (StackNotConverged, Unmixing) as error:
        raise InputError(
            f"the stack {names} has no solution: {error}",
            where="layers",
            fix="check thicknesses, dipoles and concentrations of these layers",
        ) from None
    phases = [left_model, *(layer.bulk for layer in layers), right_model]
    potentials = solved.potentials_V
    sides: list[Side] = [
        _outer_side(left_model, potentials[0][0]),
        *solved.layers,
        _outer_side(right_model, potentials[-1][1]),
    ]
    outer = (
        thick_space_charge(_outer(sides[0]), left_thickness_nm, right=False),
        thick_space_charge(_outer(sides[-1]), right_thickness_nm, right=True),
    )
    depletions = _depletions(sides, left_thickness_nm, right_thickness_nm)
    within = np.asarray(np.nan)
    reasons = ["", *(grid_reasons or ["is not thick"] * len(layers)), ""]
    contacts = []
    for index, (left, right) in enumerate(pairwise(materials)):
        drop = phases[index + 1].neutral_potential_V - phases[index].neutral_potential_V
        charge = solved.sheet_charge_e_nm2[..., index]
        driven = drop - dipole_V[index]
        with np.errstate(divide="ignore", invalid="ignore"):
            integral = np.abs(charge / driven) * models.CAPACITANCE_UF_CM2
        known = hops[index]
        hop = models.contact_hop(
            phases[index],
            potentials[index][0],
            phases[index + 1],
            potentials[index][1],
            areal_site_density_cm2=known.areal_site_density_cm2,
            barrier_eV=known.barrier_eV,
            excess_barrier_eV=known.excess_barrier_eV,
        )
        current = hop.exchange_current_A_cm2
        inner = next(
            phase for phase in phases[index : index + 2] if not isinstance(phase, models.Metal)
        )
        thin = [
            f"{material.name} {said}"
            for material, said, side in (
                (left, reasons[index], sides[index]),
                (right, reasons[index + 1], sides[index + 1]),
            )
            if isinstance(side, FiniteLayer) and said
        ]
        beside = [
            models.Reason(int(np.ravel(why)[0])).text
            for (_, why), end in zip(outer, (0, len(materials) - 2), strict=True)
            if index == end and np.any(why)
        ]
        contacts.append(
            SolvedContact(
                left=left,
                right=right,
                left_side=sides[index],
                right_side=sides[index + 1],
                potential_drop_V=drop,
                dipole_V=np.asarray(dipole_V[index]),
                sheet_charge_e_nm2=charge,
                capacitance_uF_cm2=np.where(driven == 0, slopes[index], integral),
                differential_capacitance_uF_cm2=slopes[index],
                space_charge_left_ohm_cm2=outer[0][0] if index == 0 else within,
                space_charge_right_ohm_cm2=outer[1][0] if index == len(materials) - 2 else within,
                depletion_left_ohm_cm2=depletions[index][1],
                depletion_right_ohm_cm2=depletions[index + 1][0],
                charge_transfer_ohm_cm2=models.charge_transfer_ohm_cm2(inner, inner, current),
                contact_barrier_eV=hop.barrier_eV,
                layer_ohm_cm2=np.asarray(np.nan),
                reason="; ".join(
                    [
                        *(
                            f"{said}: its whole resistance counts as a layer"
                            for said in dict.fromkeys(thin)
                        ),
                        *beside,
                    ]
                ),
            ).with_transfer(blocked=blocked is not None and blocked[index])
        )
    return contacts, [layer.resistance_ohm_cm2 for layer in solved.layers]


def _depletions(
    sides: Sequence[Side], left_thickness_nm: float | None, right_thickness_nm: float | None
) -> list[tuple[Array, Array]]:
    """Return the depletion of each phase at its left and at its right end."""
    found = []
    for index, side in enumerate(sides):
        if isinstance(side, FiniteLayer):
            both = side.depletion_ohm_cm2
            found.append((both[..., 0], both[..., 1]))
            continue
        thickness = left_thickness_nm if index == 0 else right_thickness_nm
        own = models.side_depletion_ohm_cm2(side, thickness)
        found.append((own, own))
    return found


def _outer(side: Side) -> models.HalfSpace | models.Metal:
    assert not isinstance(side, FiniteLayer)
    return side


def _outer_side(model: Bulk | models.Metal, potential_V: Array) -> Side:
    return model if isinstance(model, models.Metal) else models.half_space(model, potential_V)


def _differential_capacitances(
    left_model: Bulk | models.Metal,
    layers: Sequence[StackLayer],
    right_model: Bulk | models.Metal,
    dipole_V: Sequence[Array | float],
    sheet_charge_e_nm2: Sequence[float],
) -> list[Array]:
    """Step the dipole of each contact, which acts as a step of its drop with the opposite sign."""
    count = len(dipole_V)
    steps = _DIPOLE_STEP_V * np.concatenate([-np.eye(count), np.eye(count)])
    found = solve_finite_layers(
        left_model,
        layers,
        right_model,
        dipole_V=[dipole + steps[:, index] for index, dipole in enumerate(dipole_V)],
        sheet_charge_e_nm2=sheet_charge_e_nm2,
        tolerance=1e-8,
    )
    stepped = found.sheet_charge_e_nm2
    lost = np.flatnonzero(~np.all(np.isfinite(stepped), axis=-1))
    if lost.size:
        raise StackNotConverged(lost, np.full(lost.size, np.nan), 0, 0)
    return [
        np.abs(stepped[count + index, index] - stepped[index, index])
        / (2 * _DIPOLE_STEP_V)
        * models.CAPACITANCE_UF_CM2
        for index in range(count)
    ]
