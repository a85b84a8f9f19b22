"""Features that vary along a layer of a cell, in the form of the grid solver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interohm.device_models import (
    BOLTZMANN_EV_K,
    CAPACITANCE_UF_CM2,
    UNMIXING,
    GradedProfile,
    StackLayer,
)
from interohm.errors import InputError

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.device_models import Bulk
    from interohm.records import Insulator
    from interohm.records.cell_config import Layer


def unmixing_temperature_K(layer: Layer, insulator: Insulator) -> float:
    """Return the temperature at and below which an attraction separates a layer's defects."""
    saturation = min(insulator.saturation.value, 1.0)
    strongest_eV = min(layer.interaction_eV.values(), default=0.0)
    return max(strongest_eV * saturation / (UNMIXING * BOLTZMANN_EV_K), 0.0)


def check_features(
    layer: Layer, insulator: Insulator, *, temperature_K: float, field: str, where: str
) -> None:
    """Raise `InputError` where a layer's features do not fit its record."""
    known = [defect.name for defect in insulator.defects]
    named = [("interaction_eV", name) for name in layer.interaction_eV]
    for number, core in enumerate(layer.core_layers):
        named += [(f"core_layers[{number}].energy_eV", name) for name in core.energy_eV]
    if layer.extrinsic is not None and layer.extrinsic.core is not None:
        named += [("extrinsic.core.energy_eV", name) for name in layer.extrinsic.core.energy_eV]
    for place, name in named:
        if name not in known:
            raise InputError(
                f"{field}.{place}: {insulator.name} has no defect {name!r}",
                where=where,
                fix=f"name one of {', '.join(known)}",
            )
    sublattices = [defect.sublattice for defect in insulator.defects]
    for defect in insulator.defects:
        attracts = layer.interaction_eV.get(defect.name, 0.0) < 0.0
        if attracts and sublattices.count(defect.sublattice) > 1:
            raise InputError(
                f"{field}.interaction_eV.{defect.name}: it attracts, but other defects of "
                f"{insulator.name} share its sublattice {defect.sublattice!r}",
                where=where,
                fix="give a repulsion, a positive number; an attraction needs a sublattice of the "
                "defect's own in the record",
            )
    lowest_K = unmixing_temperature_K(layer, insulator)
    if temperature_K <= lowest_K:
        saturation = min(insulator.saturation.value, 1.0)
        limit_eV = UNMIXING * BOLTZMANN_EV_K * temperature_K / saturation
        strongest = min(layer.interaction_eV, key=layer.interaction_eV.__getitem__)
        raise InputError(
            f"{field}.interaction_eV.{strongest}: {layer.interaction_eV[strongest]:g} eV is not "
            f"above -4 kT/saturation = {limit_eV:.3g} eV: the defects separate into a dense and a "
            "dilute phase, which a continuous profile cannot show",
            where=where,
            fix=f"give more than {limit_eV:.3g}, or a temperature_K above {lowest_K:.4g}",
        )


def stack_layer(
    layer: Layer, insulator: Insulator, bulk: Bulk, mu_eV: tuple[Array, Array]
) -> StackLayer:
    """Return an insulating layer as the grid solver takes it, mu linear along it.

    Parameters
    ----------
    layer : Layer
        The layer's description.
    insulator : Insulator
        Its record.
    bulk : Bulk
        The phase at the layer's mean mu, with the layer's uniform dopants.
    mu_eV : tuple of array
        mu at the layer's two ends.
    """
    thickness_nm = layer.thickness_nm
    left_eV, right_eV = (np.asarray(mu)[..., None] for mu in mu_eV)

    def mu_along(distance_nm: Array) -> Array:
        return np.asarray(left_eV + (right_eV - left_eV) * distance_nm / thickness_nm)

    doping, poled, follows = (
        layer.doping_profile,
        layer.polarization_profile,
        layer.susceptibility_profile,
    )
    fixed_e_nm2 = layer.polarization_uC_cm2 / CAPACITANCE_UF_CM2
    names = [defect.name for defect in insulator.defects]
    return StackLayer(
        bulk,
        thickness_nm,
        fixed_charge_cm3=0.0
        if doping is None
        else GradedProfile(
            np.array(doping.distance_nm), np.array(doping.donors_minus_acceptors_cm3)
        ),
        energy_shift_eV=[_core(layer, name) for name in names] if layer.core_layers else None,
        interaction_eV=np.array([layer.interaction_eV.get(name, 0.0) for name in names])
        if layer.interaction_eV
        else None,
        polarization_e_nm2=fixed_e_nm2
        if poled is None
        else GradedProfile(
            np.array(poled.distance_nm),
            fixed_e_nm2 + np.array(poled.polarization_uC_cm2) / CAPACITANCE_UF_CM2,
        ),
        susceptibility=layer.susceptibility
        if follows is None
        else GradedProfile(
            np.array(follows.distance_nm), layer.susceptibility + np.array(follows.susceptibility)
        ),
        mu_eV=mu_along,
    )


def _core(layer: Layer, defect: str) -> GradedProfile:
    """Formation energy of one defect along the layer, with a jump where a core layer ends."""
    x, shift = [0.0, layer.thickness_nm], [0.0, 0.0]
    for core in layer.core_layers:
        energy_eV = core.energy_eV.get(defect, 0.0)
        edge = core.width_nm if core.contact == "left" else layer.thickness_nm - core.width_nm
        if core.contact == "left":
            x, shift = [0.0, edge, edge, *x[1:]], [energy_eV, energy_eV, *shift]
        else:
            x, shift = [*x[:-1], edge, edge, layer.thickness_nm], [*shift, energy_eV, energy_eV]
    return GradedProfile(np.array(x), np.array(shift))
