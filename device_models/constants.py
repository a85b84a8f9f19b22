"""Constants of nature in the units of the model: V, eV, nm, K and elementary charges.

CODATA 2018; in these units a sheet charge comes in e/nm², a field in V/nm and a charge
density in e/nm³, so that no power of ten hides in an equation.
"""

from __future__ import annotations

BOLTZMANN_EV_K = 8.617333262145179e-05
ELEMENTARY_CHARGE_C = 1.602176634e-19
VACUUM_PERMITTIVITY_E_V_NM = 0.0552634935805711
"""eps_0 in elementary charges per volt and nanometre."""

CM3_PER_NM3 = 1e-21
"""A density of one per cm³, per nm³."""

CAPACITANCE_UF_CM2 = 16.02176634
"""One elementary charge per nm² and volt, in µF/cm²."""

NM_CM = 1e-7
"""One nanometre in centimetres."""

BAND_DENSITY_CM3_K32 = 4829366079143931.0
"""Effective density of states 2·(2π·m_e·k·T/h²)^(3/2) at 1 K, per cm³ (times T^(3/2))."""
