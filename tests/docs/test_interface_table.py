from __future__ import annotations

from pathlib import Path

import interface_table
import pytest

from interohm.errors import InputError

PAGE = Path(__file__).parents[2] / "docs" / "interfaces.md"


def test_the_page_has_the_tables_of_the_shipped_interfaces() -> None:
    assert interface_table.tables() in PAGE.read_text(encoding="utf-8")


def test_a_page_without_marks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("# no marks\n")
    monkeypatch.setattr("sys.argv", ["interface_table", str(page)])
    with pytest.raises(InputError, match="lacks the lines"):
        interface_table.main()
    assert page.read_text() == "# no marks\n"
