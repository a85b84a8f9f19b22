"""Ions of charge 2 and 3 through contacts and cells, against formulas that stand here alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.constants import Boltzmann, elementary_charge, epsilon_0
from scipy.integrate import quad, solve_bvp
from scipy.optimize import brentq
from scipy.special import expit

from interohm.device_models import Phase, neutral_bulk
from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.records import Quantity, material_document, material_from
from interohm.records.cell_config import Cell, Contact
from interohm.records.shipped import shipped_material
from interohm.yaml_io import validated

KT_V = Boltzmann * 300.0 / elementary_charge
WORK_FUNCTION_eV, IP_eV, GAP_eV, EPSILON = 3.66, 6.0, 7.0, 12.0
PHI_0_V, FORMATION_eV = 1.1, 0.25
SITES_CM3, SATURATION, AREAL_CM2 = 3e22, 0.1, 1e15
HOP_NM, ATTEMPT_HZ = 0.3, 1e13
MIGRATION_eV = {"i": 0.4, "v": 0.45}
PERMITTIVITY = epsilon_0 * EPSILON / elementary_charge * 1e-9  # e/(V·nm)
LEVEL_eV = IP_eV - WORK_FUNCTION_eV

IONS = pytest.mark.parametrize(("ion", "z"), [("Mg", 2), ("Al", 3)])


def metal(ion, name=None, voltages=(0.0,), work_function_eV=WORK_FUNCTION_eV):
    states = [
        {"ion_content": place + 0.5, "voltage_V": voltage, "work_function_eV": work_function_eV}
        for place, voltage in enumerate(voltages)
    ]
    fields = {"name": name or ion, "kind": "metal", "mobile_ion": ion, "states": states}
    return material_from(fields, where="test")


def insulator(ion, z, name="electrolyte", phi_0_V=PHI_0_V, **fields):
    """A vacancy of charge −z and an interstitial of charge +z, as many of each at phi_0."""
    defects = [
        {
            "name": kind,
            "charge": sign * z,
            "ion_change": sign,
            "formation_energy_eV": FORMATION_eV - sign * z * (LEVEL_eV + phi_0_V),
            "site_density_cm3": SITES_CM3,
            "sublattice": kind,
            "migration_energy_eV": MIGRATION_eV[kind],
            "attempt_frequency_Hz": ATTEMPT_HZ,
            "hop_distance_nm": HOP_NM,
        }
        for kind, sign in (("i", 1), ("v", -1))
    ]
    record = {
        "name": name,
        "kind": "insulator",
        "mobile_ion": ion,
        "ionization_potential_eV": IP_eV,
        "band_gap_eV": GAP_eV,
        "dielectric_constant": EPSILON,
        "saturation": SATURATION,
        "areal_site_density_cm2": AREAL_CM2,
        "defects": defects,
    }
    return material_from(record | fields, where="test")


def occupations(z, phi_V):
    """Shares of the sites taken by interstitials and by vacancies at a potential."""
    drop = np.asarray(phi_V) - PHI_0_V
    level = np.log(SATURATION) + FORMATION_eV / KT_V
    return [SATURATION * expit(-level - sign * z * drop / KT_V) for sign in (1.0, -1.0)]


def density_e_nm3(z, phi_V):
    interstitials, vacancies = occupations(z, phi_V)
    return z * SITES_CM3 * 1e-21 * (interstitials - vacancies)


def conductivity_S_cm(z, phi_V):
    total = 0.0
    for kind, share in zip("iv", occupations(z, phi_V), strict=True):
        diffusivity = (HOP_NM * 1e-7) ** 2 * ATTEMPT_HZ * np.exp(-MIGRATION_eV[kind] / KT_V) / 6.0
        carriers = SITES_CM3 * share * (1.0 - share)
        total += z**2 * elementary_charge * diffusivity * carriers / KT_V
    return total


def energy_e_V_nm3(z, phi_V):
    """∫ rho dphi from phi to phi_0, which is eps/2 times the square of the field."""
    return quad(
        lambda phi: density_e_nm3(z, phi), phi_V, PHI_0_V, epsabs=0.0, epsrel=1e-11, limit=200
    )[0]


@pytest.mark.parametrize(("ion", "z"), [("Zn", 2), ("Mg", 2)])
def test_a_neutral_potential_refers_to_the_shipped_metal_or_else_to_the_own(ion, z):
    fields = material_document(insulator(ion, z))
    for defect in fields["defects"]:
        del defect["formation_energy_eV"]
    fields["neutral_potential_V"] = {"value": 1.2}
    fields["neutral_formation_energy_eV"] = {"value": FORMATION_eV}
    record = material_from(fields, where="test")
    document = contact_document(metal(ion), record, electrons=False, samples=0)
    # the zero is the own metal's: another work function moves the vacuum level, not the defects
    shipped = shipped_material(ion) or metal(ion)
    moved = WORK_FUNCTION_eV - shipped.states[0].work_function_eV.value
    assert document["neutral_potential_V"]["right"] == pytest.approx(1.2 + moved, abs=1e-9)


@IONS
def test_a_space_charge_is_that_of_the_quadrature(ion, z):
    document = contact_document(metal(ion), insulator(ion, z), electrons=False)
    assert document["potential_drop_V"] == pytest.approx(PHI_0_V, abs=1e-9)
    sheet = np.sqrt(2.0 * PERMITTIVITY * energy_e_V_nm3(z, 0.0))
    assert document["sheet_charge_e_nm2"] == pytest.approx(sheet, rel=1e-7)
    share = occupations(z, PHI_0_V)[0]
    # one site type of each sign, z² in the screening, saturation within it
    screening = 2.0 * z**2 * SITES_CM3 * 1e-21 * share * (1.0 - share / SATURATION)
    debye_nm = np.sqrt(PERMITTIVITY * KT_V / screening)
    assert document["debye_length_nm"]["right"] == pytest.approx(debye_nm, rel=1e-7)


@IONS
def test_resistances_are_those_of_the_formulas(ion, z):
    barrier_eV = 0.5
    document = contact_document(
        metal(ion),
        insulator(ion, z),
        electrons=False,
        contact=Contact(barrier_eV=Quantity(value=barrier_eV)),
    )["resistance"]
    bulk_ohm_cm = 1.0 / conductivity_S_cm(z, PHI_0_V)

    def extra(phi_V):
        field = np.sqrt(2.0 * energy_e_V_nm3(z, phi_V) / PERMITTIVITY)
        return (1.0 / conductivity_S_cm(z, phi_V) - bulk_ohm_cm) / field

    # what is left out next to phi_0 is linear in the distance to it
    space_charge = quad(
        extra, 0.0, PHI_0_V - 1e-5, epsabs=0.0, epsrel=1e-8, limit=400, points=[0.9, 1.0, 1.05]
    )[0]
    space_charge += 1e-5 * extra(PHI_0_V - 1e-5)
    assert document["space_charge_ohm_cm2"] == pytest.approx(space_charge * 1e-7, rel=1e-5)
    # interstitials carry the ion at the contact, where they gather
    share = occupations(z, 0.0)[0]
    rate_Hz = ATTEMPT_HZ / 6.0 * np.exp(-barrier_eV / KT_V) * np.sqrt(share * (1.0 - share))
    exchange_A_cm2 = z * elementary_charge * AREAL_CM2 * rate_Hz
    assert document["charge_transfer_ohm_cm2"] == pytest.approx(
        KT_V / (z * exchange_A_cm2), rel=1e-8
    )


@IONS
def test_a_thin_layer_is_that_of_a_boundary_value_problem(ion, z):
    thickness_nm = 4.0
    document = contact_document(
        metal(ion), insulator(ion, z), electrons=False, thickness_nm=thickness_nm
    )
    mesh = np.concatenate([[0.0], np.geomspace(1e-3, thickness_nm, 80)])
    guess = PHI_0_V * (1.0 - np.exp(-mesh))
    solved = solve_bvp(
        lambda x, y: np.stack([y[1], -density_e_nm3(z, y[0]) / PERMITTIVITY]),
        lambda a, b: np.array([a[0], b[0] - PHI_0_V]),
        mesh,
        np.stack([guess, PHI_0_V * np.exp(-mesh)]),
        tol=1e-8,
        max_nodes=50_000,
    )
    assert solved.success
    # all charge right of the contact ends the field that enters the layer
    assert document["sheet_charge_e_nm2"] == pytest.approx(PERMITTIVITY * solved.y[1, 0], rel=1e-6)


@IONS
def test_two_electrolytes_are_neutral_together(ion, z):
    left, right = insulator(ion, z, "one", 0.7), insulator(ion, z, "other", 1.1)
    cell = validated(
        Cell,
        {
            "name": "two",
            "electrons": False,
            "states_of_charge": [0.0],
            "layers": [
                {"material": ion, "thickness_nm": 1e3},
                {"material": "one", "thickness_nm": 1e3},
                {"material": "other", "thickness_nm": 1e3},
                {"material": "electrode", "thickness_nm": 1e3},
            ],
        },
        where="test",
    )
    phases = [metal(ion), left, right, metal(ion, "electrode", (2.0, 1.0), 4.5)]
    state = cell_document(cell, phases)["states"][0]
    middle = state["contacts"][1]
    assert middle["potential_drop_V"] == pytest.approx(0.4, abs=1e-9)
    # of equal phases each takes half of the drop
    half = quad(lambda phi: density_e_nm3(z, phi), PHI_0_V - 0.2, PHI_0_V, epsrel=1e-11)[0]
    assert middle["sheet_charge_e_nm2"] == pytest.approx(np.sqrt(2.0 * PERMITTIVITY * half))


@IONS
def test_a_cell_has_the_levels_of_its_electrodes(ion, z):
    cell = validated(
        Cell,
        {
            "name": "cell",
            "states_of_charge": [0.0, 1.0],
            "layers": [
                {"material": ion, "thickness_nm": 1e3},
                {"material": "electrolyte", "thickness_nm": 2e3},
                {"material": "electrode", "thickness_nm": 1e3},
            ],
        },
        where="test",
    )
    electrolyte = insulator(ion, z, stability_window_V=[0.5, 1.5])
    electrode = metal(ion, "electrode", (2.0, 1.2), 4.5)
    document = cell_document(cell, [metal(ion), electrolyte, electrode])
    json.dumps(document, allow_nan=False)
    for state, voltage in zip(document["states"], (1.2, 2.0), strict=True):
        assert state["open_circuit_voltage_V"] == pytest.approx(voltage)
        profile = state["profile"]
        mu_eV, fermi_eV = profile["mu_eV"], profile["fermi_level_eV"]
        assert -(mu_eV[-1] - mu_eV[0]) / z == pytest.approx(voltage)
        assert fermi_eV[0] - fermi_eV[-1] == pytest.approx(voltage)
        assert [mu_eV[-1] / z - fermi_eV[-1], -fermi_eV[0]] == pytest.approx([WORK_FUNCTION_eV] * 2)
        inside = [m for x, m in zip(profile["x_nm"], mu_eV, strict=True) if 1e3 < x < 3e3]
        ends = [-z * min(max(end, 0.5), 1.5) for end in (0.0, voltage)]
        assert [inside[0], inside[-1]] == pytest.approx(ends, abs=2e-2)
        drops = [contact["potential_drop_V"] for contact in state["contacts"]]
        assert drops[0] == pytest.approx(PHI_0_V, abs=1e-6)
        assert sum(drops) == pytest.approx(WORK_FUNCTION_eV - 4.5 + voltage)
        for contact in state["contacts"]:
            barriers = contact["electrons"]
            assert barriers["electron_barrier_eV"] + barriers["hole_barrier_eV"] == (
                pytest.approx(GAP_eV)
            )
        alone = contact_document(metal(ion), electrolyte)["resistance"]
        assert state["contacts"][0]["resistance"]["total_ohm_cm2"] == pytest.approx(
            alone["total_ohm_cm2"], rel=1e-6
        )
        small = state["polarization"]["resistance_ohm_cm2"][0]
        assert small == pytest.approx(state["area_specific_resistance_ohm_cm2"], rel=1e-3)
        current_A_cm2 = state["polarization"]["current_A_cm2"][0]
        for contact, law in zip(state["contacts"], state["polarization"]["contacts"], strict=True):
            transfer = contact["resistance"]["charge_transfer_ohm_cm2"]
            assert law["overpotential_V"][0] == pytest.approx(transfer * current_A_cm2, rel=1e-3)


@IONS
def test_mu_of_a_layer_is_z_times_its_voltage(ion, z):
    cell = validated(
        Cell,
        {
            "name": "fixed",
            "states_of_charge": [0.0],
            "layers": [
                {"material": ion, "thickness_nm": 1e3},
                {
                    "material": "electrolyte",
                    "thickness_nm": 2e3,
                    "fermi_level": {"extrinsic_mu_eV": -1.8 * z},
                },
                {"material": "electrode", "thickness_nm": 1e3},
            ],
        },
        where="test",
    )
    electrolyte = insulator(ion, z, stability_window_V=[0.5, 1.5])
    phases = [metal(ion), electrolyte, metal(ion, "electrode", (2.0, 1.2), 4.5)]
    (violation,) = cell_document(cell, phases)["states"][0]["stability_violations"]
    assert violation["voltage_V"] == pytest.approx([1.8, 1.8])


@IONS
def test_a_vacancy_that_keeps_an_electron_follows_mu(ion, z):
    """A defect whose charge is not z·dn sees (q/z − dn)·mu (physics.md, section 4)."""
    mu_eV = -1.4 * z
    charges, changes = np.array([z, -z, 1.0 - z]), np.array([1.0, -1.0, -1.0])
    energies = np.array([0.3, 0.3, 0.3 + 0.7]) - charges * (LEVEL_eV + 1.0)
    bulk = neutral_bulk(
        Phase(
            ionization_potential_eV=IP_eV,
            band_gap_eV=GAP_eV,
            dielectric_constant=EPSILON,
            charge=charges,
            ion_change=changes,
            formation_energy_eV=energies,
            site_density_cm3=SITES_CM3,
            electrons=False,
        ),
        temperature_K=300.0,
        metal_work_function_eV=WORK_FUNCTION_eV,
        mu_eV=mu_eV,
        ion_charge=z,
    )

    def concentrations(phi_V):
        cost = energies + charges * (LEVEL_eV + phi_V) + (charges / z - changes) * mu_eV
        return SITES_CM3 / (1.0 + np.exp(cost / KT_V))

    phi_0_V = brentq(lambda phi: charges @ concentrations(phi), 0.0, 2.0, xtol=1e-14)
    assert bulk.neutral_potential_V == pytest.approx(phi_0_V, abs=1e-9)
    assert bulk.concentrations_cm3 == pytest.approx(concentrations(phi_0_V), rel=1e-6)
