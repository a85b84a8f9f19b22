"""Shares of a chain's relaxations in its processes, by the energy that they dissipate."""

from __future__ import annotations

import numpy as np

from ..phase import Array
from .chain import Chain, Crossing, element_matrices
from .segment import DEGREE
from .spectrum import Relaxations


def loss_shares(chain: Chain, found: Relaxations) -> Array:
    """Share of every part of the chain in what each relaxation dissipates.

    Parameters
    ----------
    chain : Chain
        Chain of one sample.
    found : Relaxations
        Relaxations of that chain.

    Returns
    -------
    array (parts, K)
        They add up to 1 minus the losses by diffusion in electrodes (`host_losses`).
    """
    assert found.modes is not None
    assert found.losses is not None
    modes, m = found.modes[0], chain.carriers
    shares = np.zeros((len(chain.parts), modes.shape[1]))
    for place, part in enumerate(chain.parts):
        first = m * chain.node_of(place)
        if isinstance(part, Crossing):
            if not part.blocked:
                shares[place] = part.transfer_ohm_cm2[0] * modes[first] ** 2
            if m == 2 and part.electrons_ohm_cm2 is not None:
                shares[place] += part.electrons_ohm_cm2[0] * modes[first + 1] ** 2
            continue
        loss = element_matrices(part)[1][..., 0]
        starts = first + m * DEGREE * np.arange(loss.shape[-1])
        places = starts[:, None, None] + m * np.arange(DEGREE + 1)[:, None] + np.arange(m)
        values = modes[places]
        shares[place] = np.einsum("eiak,ijabe,ejbk->k", values, loss, values)
    return np.asarray(shares / np.where(found.losses[0] > 0.0, found.losses[0], 1.0))
