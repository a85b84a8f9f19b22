"""What a reader needs to know to read each figure and table of a report."""

from __future__ import annotations

#: Where an axis is logarithmic.
BELOW_ZERO = (
    " The broad line is the total, with its interval between two thin ones. A shade or a thin line "
    "that meets the lower edge reaches zero: in some samples nothing is depleted."
)
INTERVALS = (
    "Intervals are the 5 and 95 % quantiles of {samples} samples of the inputs' uncertainties, "
    "unless a figure names another number; inputs of unknown uncertainty are held fixed."
)
LOST = " {lost} samples, of {of} states of charge together, have no solution and are left out."
NO_INTERVALS = "No input's uncertainty was sampled, so there are no intervals."
BANDS_NOTE = (
    "Contacts are magnified and the insides of layers compressed: the scale changes along the "
    "axis (// marks what is compressed). Ticks are true distances; those with a sign count from "
    "the nearest contact. Shades around the levels: 5 to 95 % of the samples at each place. "
)
SPACE_CHARGE_NOTE = (
    "Each side within the reach of its space charge, in its own scale. Shades: 5 to 95 % of the "
    "samples at each place; one that meets the lower edge goes on below it."
)
CONTACT_NOTE = (
    "Each side of the contact has its own scale. Shades around the levels: 5 to 95 % of the "
    "samples at each place. "
)
FERMI_NOTE = (
    "The Fermi level may jump at a contact, where the ion is in equilibrium and the electron is "
    "not. "
)
ION_NOTE = (
    "The mobile ion's electrochemical potential is the chemical potential of its neutral element "
    "without the Fermi level of its electrons, mu − z E_F: level where the ion is in equilibrium."
)
BUDGET_NOTE = (
    "On a logarithmic scale. Depletion is what a space charge adds where it conducts worse than "
    "the undisturbed bulk. Where it conducts better, accumulation takes off the sum along a cell "
    "(hatched, drawn by its magnitude), and off no interface. The depletion in a layer that is "
    "solved whole is part of the layer, too. Lines span 5 to 95 % of the samples; one that begins "
    "at the left edge reaches zero."
)
CAPACITANCE_NOTE = (
    " Beside a layer that is solved whole, the differential capacitance is of the best values "
    "alone, without an interval."
)

MAP_NOTE = (
    "What a Kelvin probe sees, relative to the positive collector (an inert one where the cell "
    "names none). "
)
DELTA_NOTE = (
    "ΔCPD is the difference from the discharged cell; the state of charge that is chosen above is "
    "drawn bold, with its interval from 5 to 95 %. "
)
MEASURED_NOTE = (
    "The constant of the measured map is free: it is moved to lie closest to the model at each "
    "state of charge. Below it stand its parts: the work function if the model's Fermi level is "
    "right, and the Fermi level if the model's work function is."
)
ARRHENIUS_NOTE = (
    "Dotted: the same contacts without space charge, where each dipole takes the whole potential "
    "drop. Activation energies are slopes of ln(R/T) over 1/T; one that changes with the space "
    "charge is how an experiment tells it. Shades and small print: 5 to 95 % of {samples}; "
    "(m of n): of the m whose resistance is positive, which alone have an activation energy."
) + BELOW_ZERO
POLARIZATION_NOTE = (
    "Layers and space charges are ohmic; a charge transfer follows its law. Above the open-circuit "
    "voltage the cell cannot be discharged at this current. Shades: 5 to 95 % of the samples."
) + BELOW_ZERO
CONTACT_CURRENT_NOTE = (
    "Space charges and a layer are ohmic; the charge transfer follows its law. Shades: 5 to 95 % "
    "of the samples."
) + BELOW_ZERO
CONTACT_STATES_NOTE = (
    "Parts that are positive, over the state of charge of the electrode; the one that is asked "
    "for is marked. Shades: 5 to 95 % of {samples}."
) + BELOW_ZERO
RANKING_NOTE = (
    "The share of a prediction's variance that each input's uncertainty explains alone: what to "
    "calculate better next. What is left to 100 % is of inputs that act together and of many small "
    "ones."
)
ELECTRONS_NOTE = (
    "Barriers at an electrode are from its Fermi level into the bands at the contact; steps are "
    "right minus left. Leakage is thermionic emission over the highest point of the bands, an "
    "upper bound."
)
EXTRINSIC_NOTE = (
    "Beside the intrinsic resistance, and not part of it: surfaces that touch in spots, the "
    "constriction of the current there, an interphase that grows, grain boundaries. Apparent is "
    "(interface + interphase)/real contact + constriction, of a layer intrinsic + boundaries. "
    "Every number is as good as what the cell's description says of it."
)
