"""Text of others: names that are what they look like, and what a terminal may be given.

A character may move the cursor, reorder its neighbours or not be seen at all.
"""

from __future__ import annotations

import unicodedata

#: Letters, marks and symbols that nobody sees: blanks that count as letters, joiners, selectors of
#: a variant. Those that reorder text or have no width are of the category Cf.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
)


#: Control and format characters, lone surrogates, what no character is, and separators of lines.
_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def printable(text: str) -> str:
    """Return a text for a terminal or a table: what would act there stands as its escape."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in _CATEGORIES
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def unprintable(text: str) -> str | None:
    """Return the first character of a text that cannot be seen or changes others; None: all fit."""
    for character in text:
        if character == " ":
            continue
        if not character.isprintable() or character in _INVISIBLE:
            return character
    return None


def described(character: str) -> str:
    """Return a character as it can be printed: its number and its Unicode name."""
    name = unicodedata.name(character, "control character")
    return f"U+{ord(character):04X} ({name.lower()})"


def check_visible(text: str) -> str:
    """Return a text; raise ValueError if a character cannot be seen or reorders others."""
    found = unprintable(text)
    if found is not None:
        raise ValueError(f"it has the invisible character {described(found)}; remove it")
    return text


def check_name(name: str) -> str:
    """Return a name; raise ValueError where it could be taken for something else."""
    check_visible(name)
    if name.startswith("-"):
        raise ValueError("it begins with -, as options do; begin it with a letter or a digit")
    if ".." in name:
        raise ValueError("it contains '..', as paths do; write one dot")
    return name
