"""Records from real calculations: Li and LiF as the preset `quick` calculated them."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Structure

from interohm.device_models import neutral_bulk
from interohm.postprocess.calculation import Calculation, ScfAttempt
from interohm.postprocess.candidates import DefectCandidate
from interohm.postprocess.defects import formation_energy, valence_band_in_supercell
from interohm.postprocess.levels import band_edges, work_function
from interohm.postprocess.materials import (
    Hop,
    InsulatorCalculations,
    Uncertainties,
    insulator_record,
    method_of,
)
from interohm.postprocess.reservoirs import chemical_potentials
from interohm.prediction.sampling import FieldSamples, phase_of
from interohm.records import (
    Defect,
    DielectricQuantity,
    Insulator,
    Quantity,
    material_document,
    material_from,
)

SOME = {"value_eV": 0.2, "source": "a test"}
UNCERTAINTIES = Uncertainties.model_validate(
    dict.fromkeys(("ionization_potential", "band_gap", "formation_energy", "work_function"), SOME)
)


def candidates(calculations: dict[str, Calculation]) -> list[DefectCandidate]:
    volume = 4 * calculations["Li1F1 static 0"].final_structure.volume
    perfect = calculations["Li32F32 static 0"].final_structure
    # Name, element, atoms and ions added, sites, place in the 2x2x2 supercell, calculation.
    rows = [
        ("V_Li", "Li", -1, -1.0, 4, None, "Li31F32 relax -1"),
        ("Li_i", "Li", 1, 1.0, 8, [0.375, 0.125, 0.375], "Li33F32 relax 1"),
        ("V_F", "F", -1, 1.0, 4, None, "Li32F31 relax 1"),
    ]
    return [
        DefectCandidate(
            name,
            element,
            change,
            ions,
            sites,
            volume,
            hole(perfect, calculations[key]) if at is None else np.array(at),
            calculations[key],
        )
        for name, element, change, ions, sites, at, key in rows
    ]


def hole(perfect: Structure, vacancy: Calculation) -> np.ndarray:
    """The site that the unrelaxed vacancy lacks."""
    rest = Structure.from_dict(vacancy.initial_structure)
    away = perfect.lattice.get_all_distances(perfect.frac_coords, rest.frac_coords).min(axis=1)
    return perfect.frac_coords[int(away.argmax())]


def record(calculations: dict[str, Calculation], defects: list[DefectCandidate]) -> Insulator:
    slab = calculations["Li6F6 static 0"]
    return insulator_record(
        InsulatorCalculations(
            bulk=calculations["Li1F1 static 0"],
            slab=slab,
            period_A=float(np.sqrt(2) * slab.final_structure.lattice.a),
            supercell=calculations["Li32F32 static 0"],
            defects=defects,
            metal=calculations["Li1 static 0"],
        ),
        name="LiF",
        mobile_ion="Li",
        ion_charge=1,
        surface="(001)",
        dielectric_constant=Quantity(value=9.0),
        saturation=Quantity(value=1.0),
        stability_window_V=None,
        hops={"V_Li": Hop(Quantity(value=0.7), Quantity(value=1e13), Quantity(value=0.287))},
        uncertainties=UNCERTAINTIES,
        provenance={"preset": "quick"},
    )


def test_lithium_fluoride(calculations: dict[str, Calculation]) -> None:
    made = record(calculations, candidates(calculations))
    assert 7.2 < made.ionization_potential_eV.value < 7.6
    assert 8.8 < made.band_gap_eV.value < 9.4
    energy = {d.name: d.formation_energy_eV.value for d in made.defects}
    # As `interohm run` made them.
    expected = {"V_Li": 7.0289, "Li_i": -3.7849, "V_F": -4.8560}
    assert energy == pytest.approx(expected, abs=2e-3)
    assert 2.1 < energy["V_Li"] + energy["V_F"] < 2.3  # the Schottky pair
    assert energy["V_Li"] + energy["Li_i"] > 2.6  # the Frenkel pair costs more
    phi_metal = work_function(calculations["Li6 static 0"])
    neutral = phi_metal - made.ionization_potential_eV.value
    neutral += (energy["V_Li"] - energy["V_F"]) / 2
    assert 1.2 < neutral < 1.9
    assert made.ionization_potential_eV.uncertainty == 0.2
    assert "350 eV" in (made.ionization_potential_eV.method or "")
    densities = {d.name: d.site_density_cm3.value for d in made.defects}
    assert densities["V_Li"] == pytest.approx(4 / 67.08e-24, rel=1e-3)
    assert densities["Li_i"] == pytest.approx(2 * densities["V_Li"], rel=1e-4)
    conducting = {d.name for d in made.defects if d.migration_energy_eV is not None}
    assert conducting == {"V_Li"}
    assert material_from(material_document(made), where="here") == made


def test_levels_share_the_errors_of_what_they_are_made_from(
    calculations: dict[str, Calculation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the valence band leaves the neutral level below vacuum; each is counted once."""
    plain = record(calculations, candidates(calculations))
    assert plain.shared_errors == []
    shared = {"valence_band": {**SOME, "value_eV": 0.1}, "mobile_metal": {**SOME, "value_eV": 0.15}}
    monkeypatch.setattr(
        sys.modules[__name__],
        "UNCERTAINTIES",
        Uncertainties.model_validate({**UNCERTAINTIES.model_dump(exclude_none=True), **shared}),
    )
    made = record(calculations, candidates(calculations))
    valence, metal = made.shared_errors
    energy = "defects[{}].formation_energy_eV".format
    assert valence.moves == {
        "ionization_potential_eV": -1,
        "band_gap_eV": -1,
        energy("V_Li"): -1,
        energy("Li_i"): 1,
        energy("V_F"): 1,
    }
    assert metal.moves == {energy("V_Li"): 1, energy("Li_i"): -1, energy("V_F"): -1}
    # each number is as uncertain as without the split
    for one, split in zip(plain.defects, made.defects, strict=True):
        assert one.formation_energy_eV is not None
        assert split.formation_energy_eV is not None
        total = np.hypot(split.formation_energy_eV.uncertainty, 0.15)
        assert total == pytest.approx(one.formation_energy_eV.uncertainty, abs=1e-3)
    assert np.hypot(made.band_gap_eV.uncertainty, 0.1) == pytest.approx(0.2, abs=1e-3)
    only_valence = made.model_copy(
        update={"shared_errors": [valence], "defects": [_certain(one) for one in made.defects]}
    )
    only_valence = only_valence.model_copy(
        update={
            "ionization_potential_eV": Quantity(value=made.ionization_potential_eV.value),
            "dielectric_constant": DielectricQuantity(value=9.0),
            "electrons": False,
        }
    )
    phase = phase_of(only_valence, field_samples=FieldSamples(50))
    assert np.ptp(phase.ionization_potential_eV) > 0.2
    bulk = neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=3.0)
    assert np.ptp(bulk.neutral_potential_V) < 1e-9


def _certain(defect: Defect) -> Defect:
    assert defect.formation_energy_eV is not None
    return defect.model_copy(
        update={"formation_energy_eV": Quantity(value=defect.formation_energy_eV.value)}
    )


def test_lithium(calculations: dict[str, Calculation]) -> None:
    assert 2.9 < work_function(calculations["Li6 static 0"]) < 3.4


def test_the_lowest_candidate_is_the_defect(calculations: dict[str, Calculation]) -> None:
    defects = candidates(calculations)
    higher = defects[0].calculation.model_copy(
        update={"energy_eV": defects[0].calculation.energy_eV + 0.5, "hash": "f" * 64}
    )
    rival = DefectCandidate(**{**vars(defects[0]), "calculation": higher, "sites_per_cell": 99})
    made = record(calculations, [rival, *defects])
    assert made.defects == record(calculations, defects).defects
    first, second = (entry["formation_energy_eV"] for entry in made.provenance["defects"]["V_Li"])
    assert first - second == pytest.approx(0.5, abs=1e-3)


def test_dopants_stand_beside_the_defects(calculations: dict[str, Calculation]) -> None:
    """They do not move at a device's temperature."""
    *own, last = candidates(calculations)
    made = record(calculations, [*own, replace(last, dopant=True)])
    assert [defect.name for defect in made.defects] == ["V_Li", "Li_i"]
    (dopant,) = made.provenance["dopants"]
    whole = {d.name: d for d in record(calculations, [*own, last]).defects}["V_F"]
    assert Defect.model_validate(dopant) == whole
    assert material_from(material_document(made), where="here") == made


def test_charge_states_share_a_sublattice_if_they_share_sites(
    calculations: dict[str, Calculation],
) -> None:
    first, *others = candidates(calculations)
    charged = replace(first, name="V_Li_-1", sublattice="V_Li")
    neutral = replace(
        charged,
        name="V_Li_+0",
        calculation=first.calculation.model_copy(update={"charge": 0, "electrons": 255.0}),
    )
    made = record(calculations, [charged, neutral, *others])
    ours = [defect for defect in made.defects if defect.name.startswith("V_Li")]
    assert {defect.sublattice for defect in ours} == {"V_Li"}
    # An odd number of electrons: two directions of the spin.
    assert [defect.degeneracy for defect in ours] == [1, 2]
    assert list(made.provenance["transition_levels"]) == ["V_Li"]
    apart = record(calculations, [charged, replace(neutral, sites_per_cell=8), *others])
    places = [d.sublattice for d in apart.defects if d.name.startswith("V_Li")]
    assert places == ["V_Li, 4 sites", "V_Li, 8 sites"]


def test_the_shift_of_a_whole_cell_is_taken_out(calculations: dict[str, Calculation]) -> None:
    """A charged cell whose potential's zero moves has another energy and the same defect."""
    vacancy = candidates(calculations)[0]
    bulk, perfect = calculations["Li1F1 static 0"], calculations["Li32F32 static 0"]
    potentials = chemical_potentials(bulk, calculations["Li1 static 0"], "Li")
    moved = vacancy.calculation.model_copy(
        update={
            "energy_eV": vacancy.calculation.energy_eV - vacancy.calculation.charge * 0.3,
            "site_potentials_eV": [v + 0.3 for v in vacancy.calculation.site_potentials_eV],
        }
    )
    energies = [
        formation_energy(
            perfect,
            cell,
            center=vacancy.position,
            added={"Li": -1},
            chemical_potentials_eV=potentials,
            valence_band_maximum_eV=valence_band_in_supercell(bulk, perfect),
            dielectric_constant=9.0,
        ).energy_eV
        for cell in (vacancy.calculation, moved)
    ]
    assert energies[0] == pytest.approx(energies[1], abs=1e-9)


def test_chemical_potentials_add_up_to_the_compound(calculations: dict[str, Calculation]) -> None:
    bulk, metal = calculations["Li1F1 static 0"], calculations["Li1 static 0"]
    potentials = chemical_potentials(bulk, metal, "Li")
    assert potentials["Li"] == metal.energy_eV
    assert potentials["Li"] + potentials["F"] == pytest.approx(bulk.energy_eV)


def test_a_metal_is_no_insulator(calculations: dict[str, Calculation]) -> None:
    with pytest.raises(ValueError, match="no band gap"):
        band_edges(calculations["Li1 static 0"], calculations["Li6 static 0"], 2.4)


@pytest.mark.parametrize(
    ("element", "charge", "small", "large"),
    [("Li", -1, "Li31F32", "Li63F64"), ("F", 1, "Li32F31", "Li64F63")],
)
def test_two_supercells_agree(
    calculations: dict[str, Calculation], element: str, charge: int, small: str, large: str
) -> None:
    """A simple cube of 64 atoms and a face-centred cell of 128: other lattice term, same energy."""
    bulk = calculations["Li1F1 static 0"]
    potentials = chemical_potentials(bulk, calculations["Li1 static 0"], "Li")
    results = []
    for atoms, formula in ((32, small), (64, large)):
        perfect = calculations[f"Li{atoms}F{atoms} static 0"]
        vacancy = calculations[f"{formula} relax {charge}"]
        results.append(
            formation_energy(
                perfect,
                vacancy,
                center=hole(perfect.final_structure, vacancy),
                added={element: -1},
                chemical_potentials_eV=potentials,
                valence_band_maximum_eV=valence_band_in_supercell(bulk, perfect),
                dielectric_constant=9.0,
            )
        )
    first, second = results
    assert first.point_charge_eV - second.point_charge_eV > 0.04
    assert first.energy_eV == pytest.approx(second.energy_eV, abs=0.03)
    if element == "F":
        # Here the alignment matters: the point charges alone leave five times as much.
        bare = [result.energy_eV - result.alignment_eV for result in results]
        assert abs(bare[0] - bare[1]) > 0.1


def test_a_smearing_that_was_kept_is_said(calculations: dict[str, Calculation]) -> None:
    bulk = calculations["Li1F1 static 0"]
    attempts = [ScfAttempt(changes={}, error="no"), ScfAttempt(changes={"smearing_eV": 0.2})]
    widened = bulk.model_copy(update={"scf_attempts": attempts})
    assert method_of(widened, {}) == f"{method_of(bulk, {})}, smearing 0.2 instead of 0.01 eV"
    damped = bulk.model_copy(update={"scf_attempts": [ScfAttempt(changes={"max_iterations": 9})]})
    assert method_of(damped, {}) == method_of(bulk, {})
