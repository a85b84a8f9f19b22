"""Lists of commands in `--help`: grouped by headings, each with its whole first sentence."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

#: More than any first sentence has, so that none is cut; the formatter wraps it.
_UNCUT = 1000


class GroupedHelp(TyperGroup):
    """A group whose help lists commands by their ``rich_help_panel``, in plain text."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, a section for each heading in the order of the first of its kind."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            heading = command.rich_help_panel or "Commands"
            sections.setdefault(heading, []).append((name, command.get_short_help_str(_UNCUT)))
        width = max(len(name) for rows in sections.values() for name, _ in rows)
        for heading, rows in sections.items():
            with formatter.section(heading):
                # names as wide as the longest, so that the sections' texts begin in one column
                formatter.write_dl([(name.ljust(width), text) for name, text in rows])
