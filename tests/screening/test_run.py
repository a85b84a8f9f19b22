"""Screenings of records: the same numbers as cells one by one, files, the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from interohm.database import Database
from interohm.errors import InputError
from interohm.prediction.cell import cell_document
from interohm.screening.candidates import find_records
from interohm.screening.cells import OUTPUTS
from interohm.screening.config import ScreenConfig, load_screen
from interohm.screening.full_solves import cell_of, solve_fully
from interohm.screening.run import prepared_cells, run_screening
from interohm.screening.screening import Screening, screening_folder
from interohm.screening.tables import cells_of
from interohm.screening.uncertainty import ranking_stability
from interohm.yaml_io import dump_yaml, load_yaml

CONFIGS = Path(__file__).parents[2] / "configs"

SMALL = {
    "name": "small",
    "negative_electrodes": ["Li", "LiC6"],
    "electrolytes": ["LLZO", "LiPON"],
    "positive_electrodes": ["LiCoO2", "LiFePO4"],
    "count": 3,
    "survivors": 4,
    "samples": 200,
}


def records_of(config: ScreenConfig):
    with Database.open() as database:
        return find_records(config, database, relative_to=Path(), where="test")


def screening_of(config: ScreenConfig, tmp_path, **options) -> Screening:
    records = records_of(config)
    return Screening(config, records, screening_folder(config, records, tmp_path), **options)


def quiet(stage: str, total: int):
    return lambda more: None


@pytest.mark.parametrize(
    ("temperature", "charge", "electrons"), [(300, 0.0, True), (360, 0.5, False)]
)
def test_every_cell_is_that_of_the_cell_solver(temperature, charge, electrons):
    config = ScreenConfig.model_validate({**SMALL, "electrons": electrons})
    records = records_of(config)
    cells = cells_of(config, records, temperature, charge)
    assert cells.all_separable.all()
    every = np.arange(cells.count)
    whole = solve_fully(config, records, cells, every, temperature, charge)
    outputs = cells.at(every)
    for name, values in whole.outputs.items():
        # the cell's band diagram ends 0.025 % of a drop before the bulk
        close = 1e-3 if name.endswith("barrier_eV") else 1e-12
        np.testing.assert_allclose(outputs[name], values, rtol=1e-9, atol=close, err_msg=name)
    for index, (j, i, k) in enumerate(np.stack(cells.places(every), axis=-1).tolist()):
        described, materials = cell_of(
            config,
            records.negatives[i],
            records.electrolytes[j],
            records.positives[k],
            temperature,
            [charge],
        )
        if index % 3:
            continue
        (state,) = cell_document(described, materials, samples=2)["states"]
        for output, field in (
            ("resistance_ohm_cm2", "area_specific_resistance_ohm_cm2"),
            ("open_circuit_voltage_V", "open_circuit_voltage_V"),
        ):
            assert outputs[output][index] == pytest.approx(state[field], rel=1e-9)
        leakage = state["electronic_leakage"]
        for name in ("electron_barrier_eV", "hole_barrier_eV"):
            assert outputs[name][index] == pytest.approx(leakage[name], abs=1e-3)
        interface = state["interface_resistance_ohm_cm2"]
        assert outputs["interface_ohm_cm2"][index] == pytest.approx(interface, rel=1e-9)


@pytest.mark.parametrize(("positive", "charge"), [("LiCoO2", 0.0), ("LiFePO4", 0.5)])
def test_coated_electrodes_are_those_of_the_cell_solver(positive, charge):
    config = ScreenConfig.model_validate(
        {
            **SMALL,
            "electrolytes": ["LLZO"],
            "negative_coatings": [{"material": "LiF", "thickness_nm": 2}],
            "positive_electrodes": [positive],
            "positive_coatings": [{"material": "LiPON", "thickness_nm": 5}],
        }
    )
    records = records_of(config)
    assert [side.label for side in records.negatives] == [
        "Li",
        "LiC6",
        "Li + LiF (2 nm)",
        "LiC6 + LiF (2 nm)",
    ]
    cells = cells_of(config, records, 300.0, charge)
    assert cells.count == 8
    every = np.arange(cells.count)
    outputs = cells.at(every)
    whole = solve_fully(config, records, cells, every, 300.0, charge)
    separable = ~np.isnan(outputs["resistance_ohm_cm2"])
    assert separable.any()
    for name in ("resistance_ohm_cm2", "charge_transfer_ohm_cm2", "electron_barrier_eV"):
        np.testing.assert_allclose(
            outputs[name][separable], whole.outputs[name][separable], rtol=2e-3, err_msg=name
        )


def test_each_thickness_of_a_list_is_a_variant():
    config = ScreenConfig.model_validate(
        {**SMALL, "negative_coatings": [{"material": "LiF", "thickness_nm": [1, 2, 5, 2]}]}
    )
    labels = [side.label for side in records_of(config).negatives if side.coating is not None]
    assert labels == [
        f"{metal} + LiF ({thickness} nm)" for thickness in (1, 2, 5) for metal in ("Li", "LiC6")
    ]


def test_cells_that_are_no_sums_are_solved_whole(tmp_path):
    config = ScreenConfig.model_validate({**SMALL, "electrolytes": ["LLZO", "LiF"]})
    screening = screening_of(config, tmp_path)
    cells, counts = prepared_cells(screening, 300.0, 0.0, quiet)
    assert counts == {"not_sums": 4, "solved_whole": 4}
    assert cells.all_separable.tolist() == [True, False]
    described, materials = cell_of(
        config,
        screening.records.negatives[1],
        screening.records.electrolytes[1],
        screening.records.positives[0],
        300.0,
        [0.0],
    )
    (state,) = cell_document(described, materials, samples=2)["states"]
    assert not state["layers"][1]["thick"]
    outputs = cells.at(np.array([6]))
    assert outputs["resistance_ohm_cm2"][0] == state["area_specific_resistance_ohm_cm2"]
    # the electrolyte counts to its middle from both sides
    interface = state["interface_resistance_ohm_cm2"]
    assert outputs["interface_ohm_cm2"][0] == pytest.approx(interface, rel=1e-9)
    too_many = config.model_copy(update={"solve_whole_at_most": 3})
    cells, counts = prepared_cells(screening_of(too_many, tmp_path), 300.0, 0.0, quiet)
    assert counts == {"not_sums": 4, "solved_whole": 0}
    resistance = cells.at(np.arange(8))["resistance_ohm_cm2"]
    assert np.isnan(resistance).tolist() == [False] * 4 + [True] * 4


def test_thin_electrolytes_are_no_sums():
    config = ScreenConfig.model_validate({**SMALL, "electrolyte_thickness_nm": 0.5})
    cells = cells_of(config, records_of(config), 300.0, 0.0)
    indices, count = cells.not_separable(at_most=3)
    assert count == cells.count == 8
    assert indices.tolist() == [0, 1, 2]


def test_document_table_and_resumption(tmp_path):
    config = ScreenConfig.model_validate(
        {**SMALL, "where": "electrolyte == 'LLZO' or negative == 'Li'", "states_of_charge": [0, 1]}
    )
    screening = screening_of(config, tmp_path, table=True)
    document = run_screening(screening, quiet, length=3).document()
    first, charged = document["states"]
    assert (first["cells"], first["fitting"]) == (8, 6)
    assert charged["state_of_charge"] == 1
    best = first["best"]["resistance_ohm_cm2"]
    assert [cell["electrolyte"] for cell in best] == ["LLZO"] * 3
    assert json.loads((screening.folder / "screening.json").read_text()) == document
    assert sum(first["histograms"]["resistance_ohm_cm2"]["count"]) == 6
    table = pq.read_table(screening.folder / "300K-0" / "table")
    rows = table.to_pylist()
    assert len(rows) == 6
    cells, _ = prepared_cells(screening, 300.0, 0.0, quiet)
    outputs = cells.at(np.array([0, 1, 2, 3, 4, 5]))
    for place, row in enumerate(rows):
        assert [row[name] for name in OUTPUTS] == [outputs[name][place] for name in OUTPUTS]
    contacts = pq.read_table(screening.folder / "contacts.parquet").to_pylist()
    assert len(contacts) == 2 * 2 * (2 + 2)
    found = next(row for row in contacts if (row["left"], row["right"]) == ("LiC6", "LLZO"))
    from interohm.prediction.contact import contact_document

    materials = [screening.records.negatives[1].metal, screening.records.electrolytes[0]]
    alone = contact_document(*materials, samples=2)
    assert found["resistance_ohm_cm2"] == pytest.approx(
        alone["resistance"]["interface_resistance_ohm_cm2"]
    )
    assert found["potential_drop_V"] == pytest.approx(-alone["potential_drop_V"]) or found[
        "potential_drop_V"
    ] == pytest.approx(alone["potential_drop_V"])
    assert found["electron_barrier_eV"] == pytest.approx(alone["electrons"]["electron_barrier_eV"])
    # nothing is left to do: the same document from what is there
    stages = []
    again = run_screening(
        screening, lambda stage, total: stages.append(stage) or (lambda more: None)
    ).document()
    assert again == document
    assert "contacts" not in stages


def test_other_records_have_a_folder_of_their_own(tmp_path):
    config = ScreenConfig.model_validate(SMALL)
    records = records_of(config)
    other = config.model_copy(update={"electrons": False})
    folders = {
        screening_folder(config, records, tmp_path),
        screening_folder(config, records, tmp_path),
        screening_folder(other, records, tmp_path),
    }
    assert len(folders) == 2


def test_a_number_alone_is_a_list_of_one():
    alone = {"temperatures_K": 330, "states_of_charge": 0.5, "electrolyte_thickness_nm": 1e4}
    lists = {name: [value, value] for name, value in alone.items()}
    found = ScreenConfig.model_validate({**SMALL, **alone})
    assert found == ScreenConfig.model_validate({**SMALL, **lists})
    assert (found.temperatures_K, found.states_of_charge) == ([330.0], [0.5])
    assert ScreenConfig.model_validate(found.model_dump()) == found
    for name in alone:
        for wrong in (-1, [], [-1], "300", {"from": 1, "to": 2}):
            with pytest.raises(ValidationError, match=name):
                ScreenConfig.model_validate({**SMALL, name: wrong})


def test_a_list_of_thicknesses_screens_each(tmp_path):
    def states(thickness, folder):
        config = ScreenConfig.model_validate(
            {**SMALL, "samples": 0, "electrolyte_thickness_nm": thickness}
        )
        return run_screening(screening_of(config, tmp_path / folder), quiet)

    both = states([10_000.0, 30_000.0], "both")
    assert both.thickness_nm is None
    assert [state.electrolyte_thickness_nm for state in both.states] == [10_000.0, 30_000.0]
    assert both.states[0].conditions_text.startswith("electrolytes of 10 µm, ")
    for state, thickness in zip(both.states, (10_000.0, 30_000.0), strict=True):
        alone = states(thickness, f"{thickness:g}")
        assert alone.thickness_nm == thickness
        assert alone.states[0].best == state.best
        assert alone.states[0].contacts == state.contacts
    thin, thick = (state.best["resistance_ohm_cm2"][0] for state in both.states)
    assert thick.bulk_ohm_cm2 == pytest.approx(3 * thin.bulk_ohm_cm2)
    with pytest.raises(ValidationError, match="electrolyte_thickness_nm"):
        states([10_000.0, -1.0], "wrong")


def test_ranking_by_hand():
    # cell 1 always beats cell 0; cell 2 beats both in one sample of four and is lost in another
    values = np.array([[2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0], [0.5, 9.0, 9.0, np.nan]])
    found = ranking_stability("resistance_ohm_cm2", values, 1)
    first, second, third = found["cells"]
    assert [cell["probability_best"] for cell in found["cells"]] == [0.0, 0.75, 0.25]
    assert first["rank"]["p50"] == 2
    assert second["rank"]["p95"] > 1
    assert third["without_solution"] == 1
    assert found["kept_of_best"] == 0.0
    # ranks 2, 1, 3 have Spearman's rho 1 - 6*2/24, ranks 3, 2, 1 have -1
    assert found["rank_correlation"]["p50"] == pytest.approx(0.5)
    outside = ranking_stability("resistance_ohm_cm2", values, 1, [False, True, False])
    assert [cell["probability_best"] for cell in outside["cells"]] == [0.75, 0.0, 0.25]
    # the others rank as if it did not exist
    pair = ranking_stability("resistance_ohm_cm2", values[[0, 2]], 1)
    assert [outside["cells"][place]["rank"] for place in (0, 2)] == [
        cell["rank"] for cell in pair["cells"]
    ]
    assert outside["cells"][1]["rank"] == {"p05": 3, "p50": 3, "p95": 3}
    assert outside["kept_of_best"] == pair["kept_of_best"] == 0.75
    better_if_more = ranking_stability("open_circuit_voltage_V", values, 2)
    assert better_if_more["cells"][2]["probability_best"] == 0.5
    assert better_if_more["cells"][0]["probability_among_best"] == 1.0


def test_shared_numbers_move_cells_together(tmp_path):
    """Two cells of one electrolyte keep their order where another's may come between."""
    document = run_screening(
        screening_of(ScreenConfig.model_validate(SMALL), tmp_path), quiet
    ).document()
    ranking = document["states"][0]["rankings"]["resistance_ohm_cm2"]
    assert ranking["samples"] == 200
    assert len(ranking["cells"]) == 4
    chances = [cell["probability_best"] for cell in ranking["cells"]]
    assert sum(chances) == pytest.approx(1.0)
    spread = ranking["cells"][0]["quantiles"]
    assert spread["p05"] < ranking["cells"][0]["resistance_ohm_cm2"] < spread["p95"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"electrolytes": ["Li"]}, "Li is a metal"),
        ({"negative_electrodes": ["LLZO"]}, "LLZO is an insulator"),
        ({"electrolytes": ["LLZ"]}, "there is no material 'LLZ'"),
        ({"electrolytes": ["Xx*"]}, "no record's name matches"),
        ({"electrolytes": {"names": "all", "where": "band_gap < 0"}}, "no record is left"),
        ({"electrolytes": {"names": "all", "where": "bandgap < 0"}}, "no field 'bandgap'"),
        ({"positive_coatings": [{"material": "Li", "thickness_nm": 1}]}, "Li is a metal"),
        ({"positive_electrodes": ["Na"]}, "conducts Na"),
    ],
)
def test_refused_sets(change, message):
    config = ScreenConfig.model_validate({**SMALL, **change})
    with pytest.raises(InputError, match="(?s)" + message) as refused:
        records_of(config)
    assert "test" in (refused.value.where or "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rank_by": ["resistance"]}, "not an output"),
        ({"pareto": [["resistance_ohm_cm2"]]}, "pareto"),
        ({"count": 0}, "count"),
        ({"electrolytes": []}, "electrolytes"),
        ({"nonsense": 1}, "unknown field"),
    ],
)
def test_refused_descriptions(tmp_path, change, message):
    path = tmp_path / "bad.yaml"
    path.write_text(dump_yaml({**SMALL, **change}))
    with pytest.raises(InputError, match=message):
        load_screen(path)


def test_sets_by_pattern_and_condition():
    config = ScreenConfig.model_validate(
        {
            **SMALL,
            "electrolytes": {"names": ["Li3*", "LLZO", "Li6PS5Cl"], "where": "'S' in elements"},
            "positive_electrodes": {"names": "all", "where": "lowest_voltage > 3"},
        }
    )
    records = records_of(config)
    assert [record.name for record in records.electrolytes] == ["Li3PS4", "Li6PS5Cl"]
    with_la = {"names": ["L*"], "where": "'La' in elements and band_gap > 5"}
    found = records_of(ScreenConfig.model_validate({**SMALL, "electrolytes": with_la}))
    assert [record.name for record in found.electrolytes] == ["LLZO"]
    assert "LiFePO4" in [side.label for side in records.positives]
    assert all(side.metal.states[-1].voltage_V.value > 3 for side in records.positives)


def test_sets_by_price_class(tmp_path):
    from interohm.records.shipped import shipped_material

    with Database.open(write=True) as database:
        for name, price_class in (("LLZO", "high"), ("Li3PS4", "low")):
            record = shipped_material(name)
            provenance = {**record.provenance, "price_class": price_class}
            database.save_material(record.model_copy(update={"provenance": provenance}))
    cheap = {"names": ["LLZO", "Li3PS4", "LiPON"], "where": "price_class == 'low'"}
    found = records_of(ScreenConfig.model_validate({**SMALL, "electrolytes": cheap}))
    assert [record.name for record in found.electrolytes] == ["Li3PS4"]


def test_the_shipped_screenings_are_valid_and_the_example_has_every_field():
    shipped = load_screen(CONFIGS / "campaigns" / "screen48.yaml")
    assert records_of(shipped).reference.name == "Li"
    example = load_yaml(CONFIGS / "examples" / "screen.yaml")
    config = ScreenConfig.model_validate(example)
    assert set(example) == set(ScreenConfig.model_fields)
    records = records_of(config)
    assert len(records.negatives) == 4
    assert [record.name for record in records.electrolytes] == ["LLZO", "Li3PS4", "Li6PS5Cl"]
