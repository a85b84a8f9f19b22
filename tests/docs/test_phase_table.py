"""docs/phases.md says what the shipped records say."""

from __future__ import annotations

import re
from pathlib import Path

import phase_table
import pytest

from interohm.errors import InputError
from interohm.records import Insulator, Metal
from interohm.records.shipped import shipped_material
from interohm.yaml_io import load_yaml, validated

PAGE = Path(__file__).parents[2] / "docs" / "phases.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tables() -> str:
    return phase_table.tables()


def test_the_page_has_the_tables_of_the_shipped_records(tables: str) -> None:
    shown = TEXT.partition(phase_table.BEGIN)[2].partition(phase_table.END)[0]
    assert shown == tables, "make it again: python docs/phase_table.py docs/phases.md"


def test_every_source_is_used_and_named() -> None:
    path = phase_table.PUBLISHED
    published = validated(phase_table.Published, load_yaml(path), where=str(path))
    pairs = [pair for of_phase in published.values.values() for pair in of_phase.values()]
    used = {one.source for pair in pairs for one in [*pair.calculated, *pair.measured]}
    assert used == set(published.sources)


def test_a_page_without_marks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    monkeypatch.setattr("sys.argv", ["phase_table", str(page)])
    with pytest.raises(InputError, match="lacks the lines"):
        phase_table.main()
    page.write_text(f"above\n{phase_table.BEGIN}old\n{phase_table.END}\nbelow\n")
    assert phase_table.main() == 0
    assert page.read_text().startswith(f"above\n{phase_table.BEGIN}## Lithium\n")
    assert page.read_text().endswith(f"{phase_table.END}\nbelow\n")


def test_the_choices_that_move_the_level_of_LiF() -> None:
    """Each line of the page's table, from the record's own provenance."""
    record, zero, other = (shipped_material(name) for name in ("LiF_001", "Li_110", "Li_100"))
    assert isinstance(record, Insulator)
    assert isinstance(zero, Metal)
    assert isinstance(other, Metal)
    energy = {defect.name: defect.formation_energy_eV.value for defect in record.defects}
    work_function = zero.states[0].work_function_eV.value
    level = record.ionization_potential_eV.value
    as_cut = record.provenance["surfaces"][0]["as_cut"]
    cell = {name: found[0] for name, found in record.provenance["defects"].items()}

    def both(names: tuple[str, str], *parts: str) -> tuple[float, float]:
        negative, positive = (energy[n] - sum(cell[n][part] for part in parts) for n in names)
        return (negative - positive) / 2 + work_function - level, (negative + positive) / 2

    schottky = ("V_Li", "V_F")
    alignment, lattice = "potential_alignment_eV", "point_charge_correction_eV"
    potential, formation = both(schottky)
    expected = {
        "as shipped": (potential, formation),
        "without the alignment": both(schottky, alignment),
        "without any correction": both(schottky, alignment, lattice),
        "lithium interstitials": both(("V_Li", "Li_i")),
        "surface of LiF as cut": (potential + level - as_cut["level_eV"], formation),
        "Li (100) as zero": (
            potential + other.states[0].work_function_eV.value - work_function,
            formation,
        ),
        "lithium's measured": (potential + 2.93 - work_function, formation),
    }
    for choice, (phi, energy_eV) in expected.items():
        (line,) = re.findall(rf"^\| {re.escape(choice)}.*\| (.*) \| (.*) \|$", TEXT, re.MULTILINE)
        assert [float(cell) for cell in line] == pytest.approx([phi, energy_eV], abs=0.0051)
