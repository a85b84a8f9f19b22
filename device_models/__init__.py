"""Material parameters in, predictions out: arrays to arrays, for one contact or a million."""

from .bulk import Bulk, bulk_activation_energy_eV, neutral_bulk
from .coated import (
    CoatedContact,
    CoatedResistance,
    coated_contact,
    coated_resistance,
)
from .conductivity_fit import FittedHop, fitted_hop, prepared_bulk
from .constants import (
    BOLTZMANN_EV_K,
    CAPACITANCE_UF_CM2,
    ELEMENTARY_CHARGE_C,
    VACUUM_PERMITTIVITY_E_V_NM,
)
from .contact import Contact, contact
from .electrode import electrode_bulk
from .electrons import RICHARDSON_A_CM2_K2, Leakage, layer_leakage, pinning_dipole_V
from .exchange_current import (
    HOST_OCCUPATION,
    ContactHop,
    charge_transfer_ohm_cm2,
    contact_hop,
    exchange_current_A_cm2,
    lattice_gas_factor,
    log_current_slopes_per_V,
)
from .finite_current import ButlerVolmer, MarcusHushChidsey, apparent_activation_energy_eV
from .first_integral.depletion import layer_depletion_ohm_cm2
from .first_integral.half_space import HalfSpace, half_space
from .first_integral.layer import Layer, layer
from .grid.depletion import grid_depletion_ohm_cm2
from .grid.gradient import EndDepletion, StackGradient, stack_gradient
from .grid.layer_charge import UNMIXING, Unmixing
from .grid.solution import LayerSolution, Stack, StackNotConverged
from .grid.stack import solve_stack
from .grid.stack_layer import GradedProfile, StackLayer
from .impedance.chain import Chain, Crossing
from .impedance.diffusion import Diffusion
from .impedance.gradient import impedance_gradient
from .impedance.response import ElectronMobility
from .impedance.segment import Segment, electrode_segment, layer_segment, thick_layer
from .impedance.shares import loss_shares
from .impedance.spectrum import Relaxations, solve_chain
from .kpfm import (
    Decomposition,
    collector_work_function_eV,
    cpd_V,
    decompose,
    delta_cpd_V,
    equilibrium_cpd_V,
)
from .layers_between import FiniteLayer, FiniteLayers, solve_finite_layers
from .memory import keep_freed_memory
from .neutral_energies import energies_from_neutrality
from .open_circuit import (
    band_edges,
    contact_class,
    electron_barrier_eV,
    fermi_level_eV,
    hole_barrier_eV,
    ion_electrochemical_potential_eV,
    metal_neutral_potential_V,
    minimum_interface_mu,
    open_circuit_voltage_V,
)
from .phase import Metal, Phase, defect_slots, stack_phases
from .profile import Profile
from .resistance import (
    LARGEST_OHM_CM2,
    LIMITING_STEPS,
    REASONS,
    ContactResistance,
    Reason,
    conductivity_S_cm,
    contact_resistance,
    is_thick,
    positive_resistance,
    side_depletion_ohm_cm2,
    side_depletion_slope_ohm_cm2_V,
    thick_space_charge,
)
from .resolution import resolution_weights
from .sensitivity import Sensitivity, first_order_sensitivity
from .validity import coulomb_coupling, filling, shortest_hop_nm
from .value_of_information import value_of_information

__all__ = [
    "BOLTZMANN_EV_K",
    "CAPACITANCE_UF_CM2",
    "ELEMENTARY_CHARGE_C",
    "HOST_OCCUPATION",
    "LARGEST_OHM_CM2",
    "LIMITING_STEPS",
    "REASONS",
    "RICHARDSON_A_CM2_K2",
    "UNMIXING",
    "VACUUM_PERMITTIVITY_E_V_NM",
    "Bulk",
    "ButlerVolmer",
    "Chain",
    "CoatedContact",
    "CoatedResistance",
    "Contact",
    "ContactHop",
    "ContactResistance",
    "Crossing",
    "Decomposition",
    "Diffusion",
    "ElectronMobility",
    "EndDepletion",
    "FiniteLayer",
    "FiniteLayers",
    "FittedHop",
    "GradedProfile",
    "HalfSpace",
    "Layer",
    "LayerSolution",
    "Leakage",
    "MarcusHushChidsey",
    "Metal",
    "Phase",
    "Profile",
    "Reason",
    "Relaxations",
    "Segment",
    "Sensitivity",
    "Stack",
    "StackGradient",
    "StackLayer",
    "StackNotConverged",
    "Unmixing",
    "apparent_activation_energy_eV",
    "band_edges",
    "bulk_activation_energy_eV",
    "charge_transfer_ohm_cm2",
    "coated_contact",
    "coated_resistance",
    "collector_work_function_eV",
    "conductivity_S_cm",
    "contact",
    "contact_class",
    "contact_hop",
    "contact_resistance",
    "coulomb_coupling",
    "cpd_V",
    "decompose",
    "defect_slots",
    "delta_cpd_V",
    "electrode_bulk",
    "electrode_segment",
    "electron_barrier_eV",
    "energies_from_neutrality",
    "equilibrium_cpd_V",
    "exchange_current_A_cm2",
    "fermi_level_eV",
    "filling",
    "first_order_sensitivity",
    "fitted_hop",
    "grid_depletion_ohm_cm2",
    "half_space",
    "hole_barrier_eV",
    "impedance_gradient",
    "ion_electrochemical_potential_eV",
    "is_thick",
    "lattice_gas_factor",
    "layer",
    "layer_depletion_ohm_cm2",
    "layer_leakage",
    "layer_segment",
    "log_current_slopes_per_V",
    "loss_shares",
    "metal_neutral_potential_V",
    "minimum_interface_mu",
    "neutral_bulk",
    "open_circuit_voltage_V",
    "pinning_dipole_V",
    "positive_resistance",
    "prepared_bulk",
    "resolution_weights",
    "shortest_hop_nm",
    "side_depletion_ohm_cm2",
    "side_depletion_slope_ohm_cm2_V",
    "solve_chain",
    "solve_finite_layers",
    "solve_stack",
    "stack_gradient",
    "stack_phases",
    "thick_layer",
    "thick_space_charge",
    "value_of_information",
]

keep_freed_memory()
