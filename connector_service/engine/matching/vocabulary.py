"""The words of many names, and which names hold a word or one that it may be by a slip of typing."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from connector_service.engine.matching.alike import Key
from connector_service.engine.matching.words import SLIPS_FROM, is_small, slips_in, sound

_END: Final = 3
_COMMON: Final = 400
"""A word that stands in more names than this finds nothing alone, and is remembered with what it may be."""
_MOST: Final = 1200
"""With a word that stands in more names than this, and no other that has a counterpart, nothing is looked at."""


class Vocabulary:
    """An index of texts by their words."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Index texts, which are known by their place."""
        self._entries: dict[str, list[int]] = {}
        self._joined: dict[str, list[int]] = {}
        """By two neighbouring words written as one."""
        for entry, text in enumerate(texts):
            words = text.split()
            for word in dict.fromkeys(words):
                self._entries.setdefault(word, []).append(entry)
            for one, other in pairwise(words):
                self._joined.setdefault(one + other, []).append(entry)
        self._words = _Ends(self._entries)
        self._pairs = _Ends((word for word in self._joined if word not in self._entries), by_sound=False)
        self._common: dict[str, frozenset[int]] = {}

    def entries(self, word: str) -> list[int]:
        """Where exactly this word stands."""
        return self._entries.get(word, [])

    def near(self, key: Key) -> Iterable[int]:
        """Where the two rarest words of a name stand, or what they may be by a slip."""
        words = list(dict.fromkeys(key.plain.split()))
        telling = [word for word in words if len(word) > 1 and not is_small(word)] or words
        holding = {word: self._holding(word) for word in telling}
        found: set[int] = set()
        for word in words:
            found.update(self._joined.get(word, ()))
            if not holding.get(word, True):  # what is no word over there may be two
                found.update(entry for pair in self._pairs.close_to(word) for entry in self._joined[pair])
        for one, other in pairwise(words):
            both = one + other
            found.update(self._entries.get(both, ()))
            if not holding.get(one, True) or not holding.get(other, True):  # or part of one
                found.update(entry for word in self._words.close_to(both) for entry in self._entries[word])
        by_rarity = sorted(filter(None, holding.values()), key=len)[:2]
        if not by_rarity:
            return found
        rarest, next_one = by_rarity[0], by_rarity[-1]
        if len(rarest) > _COMMON:
            if len(by_rarity) > 1:
                found |= rarest & next_one
            elif len(rarest) <= _MOST:
                found |= rarest
        else:
            found |= rarest
            if len(next_one) <= _COMMON:
                found |= next_one
        return found

    def _holding(self, word: str) -> frozenset[int]:
        """Where the word stands, or one that it may be."""
        known = self._common.get(word)
        if known is not None:
            return known
        maybe = self._words.close_to(word)
        if word in self._entries:
            maybe.add(word)
        holding = frozenset(entry for one in maybe for entry in self._entries[one])
        if len(holding) > _COMMON:
            self._common[word] = holding
        return holding


class _Ends:
    """Words by what slips leave: a word less one letter; the beginning or end of a long one; the sound of the whole."""

    def __init__(self, words: Iterable[str], by_sound: bool = True) -> None:
        self._begins: dict[str, list[str]] = {}
        self._ends: dict[str, list[str]] = {}
        self._sounds: dict[str, list[str]] = {}
        self._middling: list[str] = []
        for word in words:
            if len(word) > _END:
                if by_sound:
                    self._sounds.setdefault(sound(word), []).append(word)
                if slips_in(word) > 1:
                    self._begins.setdefault(word[:_END] + chr(len(word)), []).append(word)
                    self._ends.setdefault(_first(word) + word[-_END:] + chr(len(word)), []).append(word)
                if len(word) >= SLIPS_FROM and (slips_in(word) == 1 or slips_in(word[1:]) == 1):
                    self._middling.append(word)
        # Two arrays instead of a dictionary: there are ten forms of each word, and most are of no other.
        forms = sorted((hash(form), at) for at, word in enumerate(self._middling) for form in _less_one(word))
        self._forms = array("q", (form for form, _ in forms))
        self._form_of = array("L", (at for _, at in forms))

    def close_to(self, word: str) -> set[str]:
        """The words that this one may be, and a few more that ``close`` refuses; itself not counted."""
        if len(word) < _END:
            return set()
        maybe = set(self._sounds.get(sound(word), ()))
        if len(word) >= SLIPS_FROM:
            if slips_in(word) == 1:
                maybe.update(self._one_slip(word))
            else:
                maybe.update(self._two_slips(word))
                if slips_in(word[1:]) == 1:
                    maybe.update(self._one_slip(word))
        maybe.discard(word)
        return maybe

    def _one_slip(self, word: str) -> Iterator[str]:
        forms = self._forms
        for form in map(hash, _less_one(word)):
            at = bisect_left(forms, form)
            while at < len(forms) and forms[at] == form:
                yield self._middling[self._form_of[at]]
                at += 1

    def _two_slips(self, word: str) -> Iterator[str]:
        begin, ends = word[:_END], _first(word) + word[-_END:]
        slips = slips_in(word)
        for length in range(len(word) - slips, len(word) + slips + 1):
            for choices in (self._begins.get(begin + chr(length)), self._ends.get(ends + chr(length))):
                if choices:
                    hits = process.extract(word, choices, scorer=OSA.distance, score_cutoff=slips, limit=None)
                    for hit, _, _ in hits:
                        yield hit


def _first(word: str) -> str:
    """What the first letter sounds like."""
    return sound(word[:2])[0]


def _less_one(word: str) -> set[str]:
    """The word, and what is left of it without one of its letters."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
