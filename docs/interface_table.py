"""The tables of docs/interfaces.md, from the shipped interfaces.

``python docs/interface_table.py PAGE`` puts them between the page's marks; without a
page they are printed.
"""

from __future__ import annotations

from collections.abc import Sequence

from page_tables import print_or_write

from interohm.records.interface import Interface, load_interface
from interohm.records.shipped import SHIPPED_FOLDER

SHIPPED_INTERFACES = SHIPPED_FOLDER.parent / "interfaces"
BEGIN, END = "<!-- interfaces: begin -->\n", "<!-- interfaces: end -->"


def main() -> int:
    """Print the tables, or put them into a page."""
    return print_or_write(tables(), BEGIN, END)


def tables() -> str:
    """Return the tables as Markdown."""
    shipped = [load_interface(path) for path in sorted(SHIPPED_INTERFACES.glob("*.yaml"))]
    calculated = [one for one in shipped if "line_up" in one.provenance]
    parts = [
        _table(
            ["contact", "atoms", "area, Å²", "mean strain, %", "gap, Å", "adhesion, J/m²"],
            [_geometry(one) for one in calculated],
        ),
        _table(
            [
                "dipole, V",
                "relative to surfaces as cut",
                "relative to relaxed ones",
                "from the transferred charge",
                "middles vary by, eV",
                "Fermi level minus that of the bulk, eV",
            ],
            [_line_up(one) for one in calculated],
        ),
        _table(
            [
                "hop, eV",
                "to the left",
                "to the right",
                "error of the cell",
                "E_b, mean minus this error",
                "bulk",
                "excess",
                "charge",
                "area, Å²",
            ],
            [_hop(one) for one in calculated if one.barrier_eV is not None],
        ),
    ]
    return "\n".join(parts)


def _geometry(one: Interface) -> list[str]:
    geometry, adhesion = one.provenance["geometry"], one.provenance["work_of_adhesion_J_m2"]
    strain = sum(abs(part) for side in one.strain for part in side.principal) / 3
    return [
        f"{one.left} \\| {one.right}",
        str(geometry["atoms"]),
        f"{geometry['area_A2']:.1f}",
        f"{100 * strain:.1f}",
        f"{geometry['gap_A']:.2f}",
        f"{adhesion['from_relaxed_surfaces']:.2f}",
    ]


def _line_up(one: Interface) -> list[str]:
    line_up = one.provenance["line_up"]
    miss = line_up.get("fermi_level_off_bulk_eV")
    return [
        f"{one.left} \\| {one.right}",
        f"{line_up['dipole_beyond_surfaces_as_cut_V']:+.2f}",
        f"{line_up['dipole_beyond_relaxed_surfaces_V']:+.2f}",
        f"{one.provenance['charge_transfer']['step_V']:+.2f}",
        ", ".join(f"{middle['varies_by_eV']:.3f}" for middle in line_up["middles"]),
        "" if miss is None else f"{miss:+.3f}",
    ]


def _hop(one: Interface) -> list[str]:
    hop = one.provenance["hop"]
    rows = [f"{one.left} \\| {one.right}", f"{hop['backward_eV']:.2f}", f"{hop['forward_eV']:.2f}"]
    excess = one.excess_barrier_eV
    control = hop.get("control")
    assert one.barrier_eV is not None  # rows are of such
    bulk = ", ".join(f"{energy:.2f}" for energy in hop["bulk_barriers_eV"].values())
    return [
        *rows,
        "" if control is None else f"{control['cell_error_eV']:+.2f}",
        f"{one.barrier_eV.value:.2f}",
        bulk,
        "" if excess is None else f"{excess.value:+.2f}",
        f"{hop['charge']:+d}" if hop["charge"] else "0",
        f"{hop['area_A2']:.1f}",
    ]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [
        f"| {' | '.join(heads)} |",
        f"| --- | {' | '.join('---:' for _ in heads[1:])} |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
