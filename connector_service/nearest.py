"""The known word that a misspelt one is meant to be: for settings, profiles and files of records."""

from collections.abc import Iterable
from typing import Final

_ALIKE: Final = 66
"""How alike, of 100, a known word must be to be offered for a misspelt one: "key" for "kei"."""
_BEGINNING: Final = 4
"""Letters that a word must share with the beginning of another to be offered for it."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that a misspelt one is meant to be, or an empty text."""
    from rapidfuzz import fuzz, process  # only where something is misspelt

    wanted = {name: name.lower().replace("-", "_") for name in known}
    plain = word.lower().replace("-", "_")
    found = process.extractOne(plain, wanted, scorer=fuzz.ratio, score_cutoff=_ALIKE)
    if found:
        return str(found[2])
    longer = [name for name, spelt in wanted.items() if len(spelt) >= _BEGINNING and plain.startswith(spelt)]
    shorter = [name for name, spelt in wanted.items() if len(plain) >= _BEGINNING and spelt.startswith(plain)]
    return min(longer or shorter, key=len, default="")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence that offers the nearest known word, or lists all where none is near. Words stand without quotes."""
    names = sorted(known)
    near = nearest(word, names)
    return f"Did you mean {near}?" if near else f"Known are: {', '.join(names)}."
