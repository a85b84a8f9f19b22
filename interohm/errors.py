"""The one exception for bad input: what was wrong, where, and what to do; and one warning."""

from __future__ import annotations


class InputError(ValueError):
    """Input that the user can correct; the command line prints it and exits with code 2.

    Parameters
    ----------
    what : str
        The problem, in the user's words.
    where : str, optional
        The file and field, the option or the place where it was found.
    fix : str, optional
        How to fix it.
    """

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        self.what = what
        self.where = where
        self.fix = fix
        text = f"{where}: {what}" if where else what
        super().__init__(f"{text} (fix: {fix})" if fix else text)


class DocumentLeftOut(UserWarning):
    """A document of the database is not in the answer; the text says which and why."""
