"""The form of a name in which spellings that are safe to call the same are equal."""

import re
import unicodedata
from typing import Final

AND: Final = "&"
"""How ``normal`` writes the word "and" of any language between two other words."""

_AND_WORDS: Final = frozenset({"and", "en", "und", "et", "og", "och", "+", AND})
# Deleted, not replaced: "O'Brien" and "OBrien" are one name. Before decomposition, which makes a blank of some of them.
_APOSTROPHES: Final = "'`\u00b4\u2018\u2019\u201a\u201b\u02b9\u02bb\u02bc\u02bd\u02c8\u2032\uff07\u0092"
_DECORATION: Final = "®™©℠"
# Letters that no decomposition leads back to the plain one that people type instead.
_LETTERS: Final = {
    "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t", "\u0131": "i",
    "ŋ": "n", "ĸ": "k", "ß": "ss", "\u017f": "s", "ɖ": "d", "ə": "e",
}  # fmt: skip
# Signs that tell names apart ("A+ Cleaning", "C# Training") and so stay.
_KEPT_SIGNS: Final = frozenset("#%@+.")
# Marks are dropped from Latin and Greek letters, and from the Cyrillic ye; elsewhere they make another letter.
_MARKED: Final = re.compile(
    "([a-z\u00e6\u0153\u00f8\u0142\u0111\u00f0\u00fe\u0127\u0167\u0131\u014b\u017f"
    "\u0180-\u02af\u0370-\u03ff\u0435])[\u0300-\u036f]+"
)
_LETTER: Final = r"[^\W\d_]"
# "B.V.", "J.P. Morgan": a full stop between two single letters joins them. Not with a blank: "V.O.F. J. Jansen".
_INITIALS: Final = re.compile(rf"(?<![^\W_])({_LETTER})\.(?={_LETTER}(?![^\W_]))")
_JOINED: Final = re.compile(r"(?<=[^\W_])\+(?=[^\W_])")


class _FirstTable(dict[int, str | int]):
    """What ``str.translate`` does before decomposition; worked out for a character when it is first seen."""

    def __missing__(self, code: int) -> str | int:
        char = chr(code)
        if char in _APOSTROPHES or char in _DECORATION or unicodedata.category(char) == "Cf" or char == "\ufe0f":
            value: str | int = ""
        else:
            value = _LETTERS.get(char, code)
        self[code] = value
        return value


class _LastTable(dict[int, str | int]):
    """What ``str.translate`` does after decomposition: what separates words becomes a blank."""

    def __missing__(self, code: int) -> str | int:
        char = chr(code)
        if char == "&":
            value: str | int = " & "
        elif char in _KEPT_SIGNS:
            value = code
        elif unicodedata.category(char)[0] in "PZC" or char in "|~^<>=\u00a6\u00ac\u2044\u2212":
            value = " "
        else:
            value = _LETTERS.get(char, code)
        self[code] = value
        return value


def word_set(text: str, separator: str | None = None) -> frozenset[str]:
    """The words of a text, or what stands between separators, as a set."""
    return frozenset(" ".join(part.split()) for part in text.split(separator))


_FIRST: Final = _FirstTable()
_LAST: Final = _LastTable()


def normal(name: str) -> str:
    """A name without what people spell differently, for comparison only.

    Dropped are case, accents (and what is special about ß, ø, ł, æ …), blanks and other invisible characters beyond one
    blank between words, punctuation, quotes, full-width and other compatibility forms; full stops between initials
    ("B.V." is "bv"); and the difference between "&", "+", "and", "en", "und", "et", "og", "och" between two words.

    Kept are the words and their order, digits and what separates them ("1-2" is not "12"), legal forms, articles, and
    signs that tell names apart ("A+", "C#"). Marks on letters that are not Latin or Greek are kept too, since they make
    another letter there. A name of nothing but punctuation stays as it is, so that no two such names meet in an empty
    one. Applied twice it gives the same as applied once.
    """
    text = name.casefold()
    if "&" in text:
        text = text.replace("&amp;", "&")
    text = text.translate(_FIRST)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).casefold().translate(_FIRST)
        text = unicodedata.normalize("NFKC", _MARKED.sub(r"\1", text))
    text = text.translate(_LAST)
    if "+" in text:
        text = _JOINED.sub(" & ", text)
    if "." in text:
        text = _INITIALS.sub(r"\1", text).replace(".", " ")
    words = text.split()
    for place in range(1, len(words) - 1):
        if words[place] in _AND_WORDS:
            words[place] = AND
    return " ".join(words) or _bare(name)


def _bare(name: str) -> str:
    """A name of nothing but punctuation, without invisible characters."""
    shown = "".join(char for char in name.casefold() if unicodedata.category(char) != "Cf")
    return " ".join(shown.split())
