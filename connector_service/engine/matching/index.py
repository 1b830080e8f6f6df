"""The parties of the target, indexed so that those like a given one are found without looking at all."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Final

from rapidfuzz import fuzz, process

from connector_service.domain.reference import ReferenceRecord
from connector_service.engine.matching.alike import FLOOR, Key, key_of
from connector_service.engine.matching.facts import PartyFacts, domain_of, email_id, phone_id, tax_id
from connector_service.engine.matching.legal import strip
from connector_service.engine.matching.spelling import normal
from connector_service.engine.matching.vocabulary import Vocabulary

MOST: Final = 200
"""How many records that are the same in something are looked at; with more of one kind nobody could choose anyway."""
_SCAN_CUTOFF: Final = 55
_SCAN_MOST: Final = 60


class PartyIndex:
    """Customers, suppliers and employees of a target, active or not, to be compared with.

    What is built: names by their spelling and without legal forms at once, everything for fuzzy comparison when it is
    first needed. Memory grows with the number of names (about 3 KB each).
    """

    def __init__(self, records: Iterable[ReferenceRecord]) -> None:
        """Index these records; the order is kept where nothing else decides."""
        self.records: Sequence[ReferenceRecord] = tuple(records)
        self.owners: list[int] = []
        """For each entry the place of its record; a record with a trading name has several entries."""
        self._plain: list[str] = []
        self._ordered: list[str] = []
        self._by_normal: dict[str, list[int]] = {}
        self._by_ordered: dict[str, list[int]] = {}
        for place, record in enumerate(self.records):
            spelt = normal(record.name)
            self._by_normal.setdefault(spelt, []).append(place)
            stripped = strip(record.name, spelt)
            for words in (stripped.words, *stripped.names):
                key = key_of(words)
                self._by_ordered.setdefault(key.ordered, []).append(place)
                self.owners.append(place)
                self._plain.append(key.plain)
                self._ordered.append(key.ordered)

    def exact(self, name: str) -> list[ReferenceRecord]:
        """The records of any kind whose name is the same, be it spelt otherwise; none for an empty name."""
        return [self.records[place] for place in self.same_name(normal(name))]

    def same_name(self, spelt: str) -> list[int]:
        """Places of the records with this ``normal`` name; none for an empty one."""
        return self._by_normal.get(spelt, []) if spelt else []

    def same_words(self, keys: Iterable[Key]) -> set[int]:
        """Places of the records with the same words in any order, legal forms apart."""
        found: set[int] = set()
        for key in keys:
            if key.ordered:
                found.update(self._by_ordered.get(key.ordered, [])[:MOST])
        return found

    def same_tax(self, number: str) -> list[int]:
        """Places of the records with this number, as ``tax_id`` has it; none for an empty one."""
        return self._facts[0].get(number, []) if number else []

    def same_facts(self, facts: PartyFacts) -> set[int]:
        """Places of the records that agree in tax number, e-mail address or its domain, or telephone."""
        found: set[int] = set()
        for value, where in zip(_facts_of(facts), self._facts, strict=True):
            if value:
                found.update(where.get(value, [])[:MOST])
        return found

    def like(self, keys: Iterable[Key]) -> set[int]:
        """Places of the records that look most like a name, or hold its rarest word. Looks at all: for one name."""
        found: set[int] = set()
        for key in keys:
            if not key.ordered:
                continue
            for text, choices in ((key.plain, self._plain), (key.ordered, self._ordered)):
                hits = process.extract(
                    text, choices, scorer=fuzz.ratio, score_cutoff=_SCAN_CUTOFF, limit=_SCAN_MOST, processor=None
                )
                found.update(self.owners[entry] for _, _, entry in hits)
            lists = [self._vocabulary.entries(word) for word in dict.fromkeys(key.ordered.split())]
            for entries in sorted(filter(None, lists), key=len)[:2]:
                if len(entries) <= MOST:
                    found.update(self.owners[entry] for entry in entries)
        return found

    def likely(self, key: Key) -> set[int]:
        """Places of the records that may be a likely match by their letters. Looks at a few: for many names.

        A likely match has a counterpart for each word, so it is among those that hold the rarest word, or one that it
        may be by a slip. Two words are tried, since one may be an initial or part of a longer word over there.
        """
        near = self._vocabulary.near(key)
        if not near:
            return set()
        entries = list(near)
        pick = itemgetter(*entries, entries[0])  # one more, since it gives no tuple for one alone
        found: set[int] = set()
        for text, texts in ((key.plain, self._plain), (key.ordered, self._ordered)):
            choices = pick(texts)[:-1]
            hits = process.extract(text, choices, scorer=fuzz.ratio, score_cutoff=FLOOR, limit=None, processor=None)
            found.update(self.owners[entries[at]] for _, _, at in hits)
        return found

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self._plain)

    @cached_property
    def _facts(self) -> tuple[dict[str, list[int]], ...]:
        found: tuple[dict[str, list[int]], ...] = ({}, {}, {}, {})
        for place, record in enumerate(self.records):
            if record.details:
                for value, where in zip(_facts_of(PartyFacts.of_record(record)), found, strict=True):
                    if value:
                        where.setdefault(value, []).append(place)
        return found


def _facts_of(facts: PartyFacts) -> tuple[str, str, str, str]:
    return tax_id(facts.tax_number), email_id(facts.email), domain_of(facts.email), phone_id(facts.phone)
