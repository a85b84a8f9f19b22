"""Contacts of all electrodes with all electrolytes, each solved once, of which cells consist.

A cell of thick layers that are neutral by their ions alone is the sum of its contacts (physics.md,
section 5): ``ASR = R(negative | electrolyte) + R(electrolyte | positive)``, each with half of the
electrolyte, since its bulk then does not know which electrodes it is between. Whether that holds is
asked of each layer: ``needed_nm`` of the two contacts together must not exceed the thickness.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from interohm import device_models as models
from interohm.prediction.assembly import Surroundings
from interohm.prediction.coexisting_phases import PhaseShare, of_all_phases
from interohm.prediction.contact_barrier import Hop, known_interface, prior_median_eV
from interohm.prediction.solved_contact import ContactSolution, between_half_spaces
from interohm.screening.phase_arrays import Electrodes, Electrolytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from interohm.arrays import Array
    from interohm.prediction.sampling import FieldSamples
    from interohm.records import Insulator, Metal
    from interohm.records.interface import Interface


Some = TypeVar("Some", Electrodes, Electrolytes)

#: Contacts solved together by one thread.
_CHUNK = 4096

#: Ten Debye lengths, half for each contact. Electrons may make up a hundredth of the screening of a
#: phase that counts as neutral by its ions: within that, its Debye length depends on mu.
DEBYE_LENGTHS_EACH = 5 * 1.01


@dataclass(frozen=True)
class SideContacts:
    """Contacts of the electrodes of one side with the electrolytes; arrays (E, S) unless said.

    Columns are electrodes, each with or without a coating. A resistance is NaN where it means
    nothing.

    Parameters
    ----------
    resistance_ohm_cm2 : array
        Resistance of the interface and half of the electrolyte.
    interface_ohm_cm2 : array
        Space charge, charge transfer and coating.
    space_charge_ohm_cm2, charge_transfer_ohm_cm2, coating_ohm_cm2, bulk_ohm_cm2 : array
        These parts of it.
    potential_drop_V : array
        phi_0 of the electrolyte minus that of the electrode.
    needed_nm : array
        Thickness of the electrolyte that the contact takes; infinite where the electrolyte has no
        bulk that is neutral by its ions alone.
    conduction_band_eV, valence_band_eV : array
        Highest and lowest from the electrode to the bulk, on the common zero.
    electron_barrier_eV, hole_barrier_eV : array
        From the electrode's Fermi level into the bands at the contact.
    stability_margin_V : array
        How far inside its stability window the electrode leaves the layer that touches it; negative
        outside, NaN where no window is known.
    voltage_V, fermi_level_eV : array (S,)
        Voltages and Fermi levels of the electrodes.
    outside_of_model : array, optional
        1 where a contact is outside of the model, 0 where it is not, NaN where that is unknown
        (`interohm.screening.outside_of_model`); unknown unless given.
    """

    resistance_ohm_cm2: Array
    interface_ohm_cm2: Array
    space_charge_ohm_cm2: Array
    charge_transfer_ohm_cm2: Array
    coating_ohm_cm2: Array
    bulk_ohm_cm2: Array
    potential_drop_V: Array
    needed_nm: Array
    conduction_band_eV: Array
    valence_band_eV: Array
    electron_barrier_eV: Array
    hole_barrier_eV: Array
    stability_margin_V: Array
    voltage_V: Array
    fermi_level_eV: Array
    outside_of_model: Array = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.outside_of_model is None:
            unknown = np.full(self.resistance_ohm_cm2.shape, np.nan)
            object.__setattr__(self, "outside_of_model", unknown)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of electrolytes and of electrodes."""
        electrolytes, electrodes = self.resistance_ohm_cm2.shape
        return electrolytes, electrodes


#: The numbers of `SideContacts` that are of an electrode and an electrolyte.
OF_PAIRS = tuple(
    field.name
    for field in fields(SideContacts)
    if field.name not in ("voltage_V", "fermi_level_eV", "outside_of_model")
)


@dataclass(frozen=True)
class SideConditions:
    """Conditions that all contacts of one table share.

    Parameters
    ----------
    temperature_K : float
        Temperature.
    thickness_nm : float
        Thickness of the electrolytes.
    metal_work_function_eV : float or array (samples,)
        Work function of the mobile metal, the zero of potential.
    ion_charge : float
        z.
    positive : bool
        Which side of the cell the electrodes are on.
    """

    temperature_K: float
    thickness_nm: float
    metal_work_function_eV: Array
    ion_charge: float
    positive: bool

    def surroundings(
        self, *, electrons: bool = True, field_samples: FieldSamples | None = None
    ) -> Surroundings:
        """Return what the phases of these contacts share."""
        return Surroundings(
            self.temperature_K,
            self.metal_work_function_eV,
            self.ion_charge,
            electrons=electrons,
            field_samples=field_samples,
        )


def electrode_potentials(
    electrodes: Electrodes, conditions: SideConditions
) -> tuple[Array, Array, Array]:
    """Return mu, the neutral potential and the Fermi level of electrodes."""
    z, metal_eV = conditions.ion_charge, conditions.metal_work_function_eV
    mu = -z * electrodes.voltage_V
    phi = models.metal_neutral_potential_V(electrodes.work_function_eV, mu, metal_eV, z)
    return mu, phi, models.fermi_level_eV(mu, metal_eV, z)


def clipped_mu_eV(mu_eV: Array, reduction_V: Array, oxidation_V: Array, ion_charge: float) -> Array:
    """Return mu within stability windows; where a bound is NaN, there is none."""
    return np.fmax(np.fmin(mu_eV, -ion_charge * reduction_V), -ion_charge * oxidation_V)


def stability_margin_V(
    voltage_V: Array, reduction_V: Array, oxidation_V: Array, *, positive: bool
) -> Array:
    """Return the distance of an electrode's potential from the limit that it may cross."""
    return oxidation_V - voltage_V if positive else voltage_V - reduction_V


def resistances(
    total_ohm_cm2: Array, interface_ohm_cm2: Array, half_ohm_cm2: Array
) -> dict[str, Array]:
    """Return the resistance of an interface, and of the sum with half of the electrolyte.

    The sum is exact: it has the accumulation of the space charge, too, which the interface has not.
    """
    both = total_ohm_cm2 + half_ohm_cm2
    return {
        "resistance_ohm_cm2": np.where(np.isfinite(both), both, np.nan),
        "interface_ohm_cm2": interface_ohm_cm2,
    }


@dataclass(frozen=True)
class PairHops:
    """The hop across contacts; arrays (N,) or (N, samples), or of shape ().

    Parameters
    ----------
    barrier_eV : array
        E_b where it is known, NaN elsewhere.
    excess_barrier_eV : array
        ΔE_c where it is not.
    dipole_V : array
        From the electrode to the electrolyte.
    areal_site_density_cm2 : array
        Site density of the contact plane, NaN where it is that of the phases.
    """

    barrier_eV: Array
    excess_barrier_eV: Array
    dipole_V: Array
    areal_site_density_cm2: Array

    def take(self, index: NDArray[np.int64]) -> PairHops:
        """Select the contacts of some pairs."""
        return PairHops(
            *(
                value[index] if np.ndim(value := getattr(self, field.name)) else value
                for field in fields(self)
            )
        )


#: Where nothing is known of any pair: the median of the prior.
UNKNOWN = PairHops(np.asarray(np.nan), prior_median_eV(), np.zeros(()), np.asarray(np.nan))


def known_hops(
    metals: Sequence[Metal],
    electrolytes: Sequence[Insulator],
    interfaces: Sequence[Interface],
    *,
    positive: bool,
) -> PairHops:
    """Return what is known of all pairs, row by row as `all_contacts` has them."""
    shape = (len(electrolytes), len(metals))
    barrier, dipole, areal = np.full(shape, np.nan), np.zeros(shape), np.full(shape, np.nan)
    names = {name for one in interfaces for name in (one.left, one.right)}
    for row, electrolyte in enumerate(electrolytes):
        if electrolyte.name not in names:
            continue
        for column, metal in enumerate(metals):
            if metal.name not in names:
                continue
            left, right = (electrolyte, metal) if positive else (metal, electrolyte)
            known = known_interface(left, right, interfaces)
            if known is None:
                continue
            if known.barrier_eV is not None:
                barrier[row, column] = known.barrier_eV.value
            if known.areal_site_density_cm2 is not None:
                areal[row, column] = known.areal_site_density_cm2.value
            if known.dipole_V is not None:
                # counted from the electrode, whichever side it is on
                dipole[row, column] = known.dipole_V.value * (-1.0 if positive else 1.0)
    return PairHops(barrier.ravel(), prior_median_eV(), dipole.ravel(), areal.ravel())


def solve_pairs(
    electrodes: Electrodes,
    electrolytes: Electrolytes,
    conditions: SideConditions,
    *,
    hops: PairHops = UNKNOWN,
    bent: Sequence[PhaseShare] = (),
) -> dict[str, Array]:
    """Solve contacts of electrodes with electrolytes, row by row.

    Parameters
    ----------
    electrodes, electrolytes
        Of the same length N, or arrays (N, samples).
    conditions : SideConditions
        Conditions that all of them share.
    hops : PairHops
        Across the contacts.
    bent : sequence of PhaseShare
        The phases of the one electrode of all pairs, where it has a space charge of its own.

    Returns
    -------
    dict of array (N,) or (N, samples)
        The fields of `SideContacts` but those of electrodes alone.
    """
    mu, phi, level = electrode_potentials(electrodes, conditions)
    samples = (1,) * (mu.ndim - 1)
    reduction, oxidation, areal, own_areal = (
        values.reshape(values.shape + samples)
        for values in (
            electrolytes.reduction_V,
            electrolytes.oxidation_V,
            electrolytes.areal_site_density_cm2,
            electrodes.areal_site_density_cm2,
        )
    )
    phase = electrolytes.phase
    bulk = conditions.surroundings().bulk(
        phase, clipped_mu_eV(mu, reduction, oxidation, conditions.ion_charge)
    )
    # the same from both sides: a contact does not know which of its phases is called the left one
    factor = electrodes.hop_factor.reshape(electrodes.hop_factor.shape + samples)
    given = hops.areal_site_density_cm2
    hop = Hop(
        hops.barrier_eV,
        hops.excess_barrier_eV,
        np.where(np.isfinite(given), given, np.fmin(areal, own_areal)),
    )

    def between(
        left: models.Bulk | models.Metal, right: models.Bulk | models.Metal
    ) -> tuple[list[ContactSolution], list[Array]]:
        alone = between_half_spaces(
            left,
            right,
            dipole_V=hops.dipole_V,
            hop=hop,
            right_thickness_nm=conditions.thickness_nm,
        )
        return [alone], []

    held = PhaseShare(1.0, models.Metal(phi, factor))
    (found,), _ = of_all_phases(bent or [held], [PhaseShare(1.0, bulk)], between)
    half_space = found.right_side
    assert isinstance(half_space, models.HalfSpace)
    total, transfer = found.total_ohm_cm2, found.charge_transfer_ohm_cm2
    with np.errstate(divide="ignore"):
        half = 0.5e-7 * conditions.thickness_nm / bulk.conductivity_S_cm
    at_contact, in_bulk = (
        models.band_edges(potential, phase.ionization_potential_eV, phase.band_gap_eV)
        for potential in (half_space.contact_potential_V, bulk.neutral_potential_V)
    )
    needed = half_space.x99_nm + DEBYE_LENGTHS_EACH * bulk.debye_length_nm
    ionic = bulk.has_neutral_bulk & bulk.neutral_by_ions
    return {
        **resistances(total, found.interface_resistance_ohm_cm2, half),
        "space_charge_ohm_cm2": total - transfer,
        "charge_transfer_ohm_cm2": transfer,
        "coating_ohm_cm2": np.zeros_like(phi),
        "bulk_ohm_cm2": half,
        "potential_drop_V": found.potential_drop_V,
        "needed_nm": np.where(ionic, needed, np.inf),
        "conduction_band_eV": np.maximum(at_contact[1], in_bulk[1]),
        "valence_band_eV": np.minimum(at_contact[2], in_bulk[2]),
        "electron_barrier_eV": models.electron_barrier_eV(at_contact[1], level),
        "hole_barrier_eV": models.hole_barrier_eV(at_contact[2], level),
        "stability_margin_V": stability_margin_V(
            electrodes.voltage_V, reduction, oxidation, positive=conditions.positive
        ),
    }


def all_contacts(
    electrodes: Electrodes,
    electrolytes: Electrolytes,
    conditions: SideConditions,
    *,
    hops: PairHops = UNKNOWN,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> SideContacts:
    """Solve every electrode of one side with every electrolyte.

    Parameters
    ----------
    electrodes, electrolytes
        (S,) and (E,).
    conditions : SideConditions
        Conditions that all of them share.
    hops : PairHops
        Across all contacts, row by row.
    workers : int
        Threads.
    progress : callable, optional
        Told how many more contacts are solved, as they are.
    """
    columns, count = electrodes.voltage_V.size, electrolytes.reduction_V.size
    table = {name: np.empty(count * columns) for name in OF_PAIRS}

    def one(start: int) -> None:
        pairs = np.arange(start, min(start + _CHUNK, count * columns))
        found = solve_pairs(
            taken(electrodes, pairs % columns),
            taken(electrolytes, pairs // columns),
            conditions,
            hops=hops.take(pairs),
        )
        for name, values in found.items():
            table[name][start : start + pairs.size] = values
        if progress is not None:
            progress(pairs.size)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, range(0, count * columns, _CHUNK)))
    _, _, level = electrode_potentials(electrodes, conditions)
    return SideContacts(
        **{name: values.reshape(count, columns) for name, values in table.items()},
        voltage_V=electrodes.voltage_V,
        fermi_level_eV=level,
    )


def taken(these: Some, index: NDArray[np.int64]) -> Some:
    """Return electrodes or electrolytes at places of the batch, in that order."""
    return type(these)(**{field.name: getattr(these, field.name)[index] for field in fields(these)})


def joined(parts: list[SideContacts]) -> SideContacts:
    """Put tables of the same electrolytes beside each other: the uncoated, then coated ones."""
    return SideContacts(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts], axis=-1)
            for field in fields(SideContacts)
        }
    )
