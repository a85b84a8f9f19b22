"""Notes for reading each figure and table of a report."""

from __future__ import annotations

#: Where an axis is logarithmic.
BELOW_ZERO = (
    " The thick line is the total; two thin lines bound its interval. A band or a thin line that "
    "meets the lower edge reaches zero: some samples have no depletion."
)
INTERVALS = (
    "Intervals are the 5 and 95 % quantiles of {samples} samples of the inputs' uncertainties, "
    "unless a figure states another number. Inputs of unknown uncertainty are held fixed."
)
LOST = " {lost} samples, of {of} states of charge together, have no solution and are left out."
NO_INTERVALS = "No input's uncertainty was sampled, so there are no intervals."
BANDS_NOTE = (
    "Contacts are magnified and the interior of layers is compressed: the scale changes along the "
    "axis (// marks compressed parts). Ticks are true distances; those with a sign are relative to "
    "the nearest contact. Bands around the levels: 5 to 95 % of the samples at each position. "
)
SPACE_CHARGE_NOTE = (
    "Each side has its own scale and is shown within the range of its space charge. Bands: 5 to "
    "95 % of the samples at each position; a band that meets the lower edge continues below it."
)
CONTACT_NOTE = (
    "Each side of the contact has its own scale. Bands around the levels: 5 to 95 % of the "
    "samples at each position. "
)
FERMI_NOTE = (
    "The Fermi level may jump at a contact, where the ion is in equilibrium and the electron is "
    "not. "
)
ION_NOTE = (
    "The mobile ion's electrochemical potential is the chemical potential of its neutral element "
    "minus the Fermi level of its electrons, mu − z E_F. It is flat where the ion is in "
    "equilibrium."
)
BUDGET_NOTE = (
    "The scale is logarithmic. Depletion is the resistance that a space charge adds where it "
    "conducts worse than the undisturbed bulk. Where it conducts better, accumulation reduces the "
    "resistance of the cell (hatched, drawn by its magnitude), but not that of an interface. The "
    "depletion in a layer that is solved as a whole is also part of the layer. Lines span 5 to "
    "95 % of the samples; a line that begins at the left edge reaches zero."
)
CAPACITANCE_NOTE = (
    " Next to a layer that is solved as a whole, the differential capacitance is the nominal "
    "one, without an interval."
)

MAP_NOTE = (
    "The map that a Kelvin probe measures, relative to the positive collector (an inert one if "
    "the cell names none). "
)
DELTA_NOTE = (
    "ΔCPD is the difference from the discharged cell; the state of charge chosen above is "
    "drawn bold, with its 5 to 95 % interval. "
)
MEASURED_NOTE = (
    "The measured map has an arbitrary offset, which is fitted to the model at each state of "
    "charge. Below are its two inferred parts: the work function if the model's Fermi level is "
    "right, and the Fermi level if the model's work function is right."
)
ARRHENIUS_NOTE = (
    "Dotted: the same contacts without space charge, where each dipole takes the whole potential "
    "drop. Activation energies are slopes of ln(R/T) over 1/T; a difference between the two "
    "reveals a space charge in an experiment. Bands and small print: 5 to 95 % of {samples}. "
    "(m of n): only the m samples with a positive resistance have an activation energy."
) + BELOW_ZERO
POLARIZATION_NOTE = (
    "Layers and space charges are ohmic; a charge transfer follows its rate law. Above the "
    "open-circuit voltage, the cell cannot be discharged at this current. Bands: 5 to 95 % of the "
    "samples."
) + BELOW_ZERO
CONTACT_CURRENT_NOTE = (
    "Space charges and a layer are ohmic; the charge transfer follows its rate law. Bands: 5 to "
    "95 % of the samples."
) + BELOW_ZERO
CONTACT_STATES_NOTE = (
    "The positive parts over the state of charge of the electrode; the requested state is "
    "marked. Bands: 5 to 95 % of {samples}."
) + BELOW_ZERO
RANKING_NOTE = (
    "The share of a prediction's variance that the uncertainty of each input explains by itself. "
    "It shows which input is worth knowing better. The rest of 100 % comes from inputs that act "
    "together and from many small ones."
)
ELECTRONS_NOTE = (
    "Barriers at an electrode go from its Fermi level to the bands at the contact; steps are "
    "right minus left. Leakage is thermionic emission over the highest point of the bands, an "
    "upper bound."
)
EXTRINSIC_NOTE = (
    "Not part of the intrinsic resistance: contact in spots only, the constriction of the current "
    "there, a growing interphase, and grain boundaries. The apparent resistance of a contact is "
    "(interface + interphase)/real contact + constriction, that of a layer intrinsic + boundaries. "
    "These numbers are only as good as the cell's description of them."
)
