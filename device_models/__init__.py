"""Material parameters in, predictions out: arrays to arrays, for one contact or a million."""

from .bulk import Bulk, neutral_bulk
from .coated import CoatedContact, CoatedResistance, coated_contact, coated_resistance
from .constants import BOLTZMANN_EV_K, CAPACITANCE_UF_CM2
from .contact import Contact, contact
from .half_space import HalfSpace, half_space
from .layer import Layer, layer
from .open_circuit import (
    band_edges,
    contact_class,
    electron_barrier_eV,
    fermi_level_eV,
    hole_barrier_eV,
    metal_neutral_potential_V,
    minimum_interface_mu,
    open_circuit_voltage_V,
)
from .phase import Metal, Phase, defect_slots, stack_phases
from .profile import Profile
from .resistance import (
    LIMITING_STEPS,
    REASONS,
    ContactResistance,
    conductivity_S_cm,
    contact_resistance,
    exchange_current_A_cm2,
    is_thick,
)
from .stack import StackNotConverged, solve_stack
from .stack_layer import GradedProfile, StackLayer
from .stack_solution import LayerSolution, Stack

__all__ = [
    "BOLTZMANN_EV_K",
    "CAPACITANCE_UF_CM2",
    "LIMITING_STEPS",
    "REASONS",
    "Bulk",
    "CoatedContact",
    "CoatedResistance",
    "Contact",
    "ContactResistance",
    "GradedProfile",
    "HalfSpace",
    "Layer",
    "LayerSolution",
    "Metal",
    "Phase",
    "Profile",
    "Stack",
    "StackLayer",
    "StackNotConverged",
    "band_edges",
    "coated_contact",
    "coated_resistance",
    "conductivity_S_cm",
    "contact",
    "contact_class",
    "contact_resistance",
    "defect_slots",
    "electron_barrier_eV",
    "exchange_current_A_cm2",
    "fermi_level_eV",
    "half_space",
    "hole_barrier_eV",
    "is_thick",
    "layer",
    "metal_neutral_potential_V",
    "minimum_interface_mu",
    "neutral_bulk",
    "open_circuit_voltage_V",
    "solve_stack",
    "stack_phases",
]
