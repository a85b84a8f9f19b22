"""The prior of contact barriers, from the measured table: its scale and how well it predicts.

One number, the scale of the half-normal prior of ΔE_c, is fitted to measured resistances and to the
barriers of calculated interfaces. Whether that is worth anything shows where each pair is predicted
by a scale that the others alone gave, beside somebody who knows nothing but the range (physics.md,
section 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_ndtr, logsumexp

from interohm.device_models import BOLTZMANN_EV_K
from interohm.prediction.contact_barrier import hop_of, pair_name
from interohm.prediction.sampling import FieldSamples
from interohm.prediction.validation import RESISTANCE, VALIDATION_SAMPLES, solve_experiment
from interohm.records.cell_config import Contact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.records.experiment import Experiment
    from interohm.records.interface import Interface

    Array = NDArray[np.float64]

#: Somebody who knows nothing but the range: log10 of Ω·cm².
UNIFORM_DECADES = (-6.0, 4.0)

#: Spread of log10 R from sample to sample of one contact, assumed: a factor of two.
MEASURED_DECADES = 0.3

#: Scales that are tried, in eV.
_SCALES_EV = np.arange(0.0, 0.5001, 0.005)


@dataclass(frozen=True)
class MeasuredPair:
    """The best measurement of one pair of phases, and the pair's samples without any ΔE_c.

    Parameters
    ----------
    name : str
    log10_measured : float
        Logarithm of the measured resistance in Ω·cm².
    one_sided : bool
        The value only bounds the intrinsic one from above.
    transfer_ohm_cm2, depletion_ohm_cm2 : array (samples,)
        Parts of the interface resistance at ΔE_c = 0.
    excess : array (samples,)
        Half-normal draws of scale 1.
    kT_eV : float
    """

    name: str
    log10_measured: float
    one_sided: bool
    transfer_ohm_cm2: Array
    depletion_ohm_cm2: Array
    excess: Array
    kT_eV: float

    def log10_resistance(self, scale_eV: Array | float) -> Array:
        """Return log10 R_if with the prior of a scale (...), shape (..., samples)."""
        raised = np.multiply.outer(np.asarray(scale_eV), self.excess / self.kT_eV) / np.log(10.0)
        with np.errstate(divide="ignore"):
            transfer = np.log10(self.transfer_ohm_cm2) + raised
            depletion = np.log10(self.depletion_ohm_cm2)
        total = np.logaddexp(transfer * np.log(10.0), depletion * np.log(10.0))
        return np.asarray(total / np.log(10.0))

    def log_score(self, scale_eV: Array | float) -> Array:
        """Return ln of the density per decade at the measured value, or of what is below it."""
        distance = (self.log10_measured - self.log10_resistance(scale_eV)) / MEASURED_DECADES
        if self.one_sided:
            terms = log_ndtr(distance)
        else:
            terms = -0.5 * distance**2 - np.log(MEASURED_DECADES * np.sqrt(2.0 * np.pi))
        return np.asarray(logsumexp(terms, axis=-1) - np.log(terms.shape[-1]))

    @property
    def uniform_log_score(self) -> float:
        """Return the same of who knows the range alone."""
        low, high = UNIFORM_DECADES
        share = (self.log10_measured - low if self.one_sided else 1.0) / (high - low)
        return float(np.log(np.clip(share, 1e-12, 1.0)))


@dataclass(frozen=True)
class CalculatedExcess:
    """ΔE_c of an interface that was calculated.

    Parameters
    ----------
    name : str
    excess_eV, uncertainty_eV : float
        Its value may be negative, where the prior's ΔE_c is not: the uncertainty tells how far.
    """

    name: str
    excess_eV: float
    uncertainty_eV: float

    def log_score(self, scale_eV: Array | float) -> Array:
        """Return ln of the density per eV: a half-normal number seen with a normal error."""
        scale = np.asarray(scale_eV)
        width = np.hypot(scale, self.uncertainty_eV)
        upper = log_ndtr(self.excess_eV * scale / (self.uncertainty_eV * width))
        normal = -0.5 * (self.excess_eV / width) ** 2 - np.log(width * np.sqrt(2.0 * np.pi))
        return np.asarray(np.log(2.0) + normal + upper)


@dataclass(frozen=True)
class HeldOut:
    """One pair, predicted by what the others say."""

    pair: MeasuredPair
    scale_eV: float
    log_score: float


@dataclass(frozen=True)
class ScaleFit:
    """The scale that everything gives, and each measured pair by the scale of the rest."""

    scale_eV: float
    lowest_eV: float
    highest_eV: float
    held_out: list[HeldOut]
    calculated: list[CalculatedExcess]

    @property
    def log_score(self) -> float:
        """Return the sum of the held-out log scores."""
        return sum(one.log_score for one in self.held_out)

    @property
    def uniform_log_score(self) -> float:
        """Return that of who knows the range alone."""
        return sum(one.pair.uniform_log_score for one in self.held_out)


def measured_pairs(
    experiments: Sequence[Experiment],
    *,
    samples: int = VALIDATION_SAMPLES,
    all_one_sided: bool = False,
) -> list[MeasuredPair]:
    """Return what is measured best of each pair: the lowest two-sided value, else the lowest.

    Parameters
    ----------
    experiments : sequence of Experiment
    samples : int
    all_one_sided : bool
        Take every value for an upper limit.
    """
    best: dict[str, tuple[bool, float, Experiment]] = {}
    for experiment in experiments:
        phases = experiment.phases()
        for measurement in experiment.measured:
            if phases is None or measurement.quantity != RESISTANCE:
                continue
            if measurement.comparison == "told" or measurement.value is None:
                continue
            one_sided = all_one_sided or measurement.comparison == "upper_bound"
            found = (one_sided, measurement.value, experiment)
            name = pair_name(*phases)
            if name not in best or found[:2] < best[name][:2]:
                best[name] = found
    pairs = []
    for name, (one_sided, value, experiment) in sorted(best.items()):
        phases = experiment.phases()
        assert phases is not None
        field_samples = FieldSamples(samples)
        solved = solve_experiment(experiment, phases, field_samples, scale_eV=0.0)
        pairs.append(
            MeasuredPair(
                name,
                float(np.log10(value)),
                one_sided,
                np.broadcast_to(solved.charge_transfer_ohm_cm2, samples),
                np.broadcast_to(solved.depletion_ohm_cm2, samples),
                hop_of(Contact(), *phases, field_samples, scale_eV=1.0).excess_barrier_eV,
                BOLTZMANN_EV_K * experiment.temperature_K,
            )
        )
    return pairs


def calculated_excesses(interfaces: Sequence[Interface]) -> list[CalculatedExcess]:
    """Return ΔE_c of the interfaces whose hop and bulks are calculated, by name.

    An interface of a crystal with itself has no excess: what it shows is the error of cells of such
    a size, whose root mean square is added to the uncertainties of those that have no control of
    their own.
    """
    hops = [
        (one, one.excess_barrier_eV.value, one.excess_barrier_eV.uncertainty)
        for one in sorted(interfaces, key=lambda one: one.name)
        if one.excess_barrier_eV is not None and one.excess_barrier_eV.uncertainty
    ]
    errors = [value for one, value, _ in hops if one.left == one.right]
    error = float(np.sqrt(np.mean(np.square(errors)))) if errors else 0.0
    return [
        CalculatedExcess(
            f"{one.left} | {one.right}",
            value,
            uncertainty if _has_control(one) else float(np.hypot(uncertainty, error)),
        )
        for one, value, uncertainty in hops
        if one.left != one.right
    ]


def _has_control(interface: Interface) -> bool:
    return "control" in interface.provenance.get("hop", {})


def fit_scale(
    pairs: Sequence[MeasuredPair], calculated: Sequence[CalculatedExcess] = ()
) -> ScaleFit:
    """Return the most likely scale, its range, and each pair's score by the scale of the rest.

    The range is where the likelihood is above exp(−1/2) of its highest, one standard deviation of
    a normal one.

    Parameters
    ----------
    pairs : sequence of MeasuredPair
    calculated : sequence of CalculatedExcess
        They count as much as a pair each.
    """
    scores = np.array([pair.log_score(_SCALES_EV) for pair in pairs])
    total = scores.sum(axis=0) + sum(one.log_score(_SCALES_EV) for one in calculated)
    likely = _SCALES_EV[total > total.max() - 0.5]
    held_out = []
    for index, pair in enumerate(pairs):
        best = int(np.argmax(total - scores[index]))
        held_out.append(HeldOut(pair, float(_SCALES_EV[best]), float(scores[index, best])))
    return ScaleFit(
        float(_SCALES_EV[np.argmax(total)]),
        float(likely[0]),
        float(likely[-1]),
        held_out,
        list(calculated),
    )
