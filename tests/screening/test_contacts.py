"""All contacts from arrays: one by one, in batches, by any number of threads."""

from __future__ import annotations

import numpy as np

from interohm.device_models import Phase
from interohm.screening.contacts import (
    OF_PAIRS,
    SideConditions,
    all_contacts,
    clipped_mu_eV,
    solve_pairs,
)
from interohm.screening.phase_arrays import Electrodes, Electrolytes


def sets(electrolytes: int, sides: int) -> tuple[Electrodes, Electrolytes]:
    rng = np.random.default_rng(7)
    potential, energy = rng.uniform(0.3, 2.5, electrolytes), rng.uniform(0.0, 0.3, electrolytes)
    level = 8.0 - 2.9 + potential
    phase = Phase(
        ionization_potential_eV=8.0,
        band_gap_eV=8.5,
        dielectric_constant=rng.uniform(5, 50, electrolytes),
        charge=[1.0, -1.0],
        ion_change=[1.0, -1.0],
        formation_energy_eV=np.stack([energy - level, energy + level], axis=-1),
        site_density_cm3=[3e22, 3e22],
        saturation=0.1,
        migration_energy_eV=[0.3, 0.35],
        hop_distance_nm=0.25,
    )
    unknown = np.full(electrolytes, np.nan)
    return (
        Electrodes(rng.uniform(0, 1, sides), rng.uniform(2.5, 4, sides), np.full(sides, np.nan)),
        Electrolytes(phase, rng.uniform(0, 2, electrolytes), unknown, unknown),
    )


def test_threads_make_no_difference():
    electrodes, electrolytes = sets(53, 97)
    conditions = SideConditions(300.0, 20_000.0, np.asarray(2.9), 1.0, False)
    steps = []
    one, three = (
        all_contacts(electrodes, electrolytes, conditions, workers=workers, progress=steps.append)
        for workers in (1, 3)
    )
    assert sum(steps) == 2 * 53 * 97
    assert one.shape == (53, 97)
    for name in (*OF_PAIRS, "voltage_V", "fermi_level_eV"):
        assert getattr(one, name).tobytes() == getattr(three, name).tobytes()
    assert np.isfinite(one.resistance_ohm_cm2).all()
    # a contact does not notice which others are solved with it
    row, column = 31, 64
    single = solve_pairs(
        Electrodes(*(values[[column]] for values in vars(electrodes).values())),
        Electrolytes(*(values[[row]] for values in vars(electrolytes).values())),
        conditions,
    )
    for name in OF_PAIRS:
        np.testing.assert_allclose(single[name][0], getattr(one, name)[row, column], rtol=1e-8)


def test_windows_clip_mu_and_unknown_ones_do_not():
    mu = np.array([-0.5, -2.0, -5.0])
    clipped = clipped_mu_eV(mu, np.full(3, 1.0), np.array([3.0, 3.0, 3.0]), 1.0)
    assert clipped.tolist() == [-1.0, -2.0, -3.0]
    assert clipped_mu_eV(mu, np.full(3, np.nan), np.full(3, np.nan), 2.0).tolist() == mu.tolist()
    double = clipped_mu_eV(mu, np.full(3, 1.0), np.full(3, 2.0), 2.0)
    assert double.tolist() == [-2.0, -2.0, -4.0]
