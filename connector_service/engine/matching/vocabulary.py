"""The words of many names, and which names hold a word or one that it may be by a slip of typing."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from connector_service.engine.matching.alike import Key
from connector_service.engine.matching.words import SLIPS_FROM, is_small, slips_in, sound

_END: Final = 3
_COMMON: Final = 400
"""A word that stands in more names than this finds nothing alone, and is remembered with what it may be."""
_MOST: Final = 6000


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
        self._pairs = _Ends(word for word in self._joined if word not in self._entries)
        self._common: dict[str, frozenset[int]] = {}

    def entries(self, word: str) -> list[int]:
        """Where exactly this word stands."""
        return self._entries.get(word, [])

    def near(self, key: Key) -> Iterable[int]:
        """Where the two rarest words of a name stand, or what they may be by a slip."""
        words = list(dict.fromkeys(key.plain.split()))
        telling = [word for word in words if len(word) > 1 and not is_small(word)] or words
        holding = [self._holding(word) for word in telling]
        found: set[int] = set()
        for word in words:
            found.update(self._joined.get(word, ()))
        for one, other in pairwise(words):
            found.update(self._entries.get(one + other, ()))
        if not all(holding):  # a word that is none over there may be two, or part of one
            for word in words:
                found.update(entry for pair in self._pairs.close_to(word) for entry in self._joined[pair])
            for one, other in pairwise(words):
                found.update(entry for word in self._words.close_to(one + other) for entry in self._entries[word])
        by_rarity = sorted(filter(None, holding), key=len)[:2]
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
    """Words by what a slip leaves: beginning, or first and last letters, with the length; or the sound of the whole."""

    def __init__(self, words: Iterable[str]) -> None:
        self._begins: dict[str, list[str]] = {}
        self._ends: dict[str, list[str]] = {}
        self._sounds: dict[str, list[str]] = {}
        for word in words:
            if len(word) > _END:
                heard = sound(word)
                self._sounds.setdefault(heard, []).append(word)
                if len(word) >= SLIPS_FROM:
                    self._begins.setdefault(word[:_END] + chr(len(word)), []).append(word)
                    self._ends.setdefault(heard[0] + word[-_END:] + chr(len(word)), []).append(word)

    def close_to(self, word: str) -> set[str]:
        """The words that this one may be, and a few more that ``close`` refuses; itself not counted."""
        if len(word) < _END:
            return set()
        heard = sound(word)
        maybe = set(self._sounds.get(heard, ()))
        if len(word) >= SLIPS_FROM:
            begin, ends = word[:_END], heard[0] + word[-_END:]
            slips = slips_in(word)
            for length in range(len(word) - slips, len(word) + slips + 1):
                for choices in (self._begins.get(begin + chr(length)), self._ends.get(ends + chr(length))):
                    if choices:
                        hits = process.extract(
                            word, choices, scorer=OSA.distance, score_cutoff=slips, limit=None, processor=None
                        )
                        maybe.update(hit for hit, _, _ in hits)
        maybe.discard(word)
        return maybe
