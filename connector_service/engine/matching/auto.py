"""Many names at once: what may be linked without asking, and what to suggest for the rest."""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from connector_service.domain.parties import Party
from connector_service.domain.reference import ReferenceKind, ReferenceRecord
from connector_service.engine.matching.alike import LIKELY, compare, read
from connector_service.engine.matching.facts import PartyFacts, agreement, tax_id
from connector_service.engine.matching.index import MOST, PartyIndex
from connector_service.engine.matching.spelling import normal
from connector_service.engine.matching.suggest import Suggestion, rank

_SURE: Final = 98


@dataclass(frozen=True, slots=True)
class Match:
    """A party of the source and the one of the target that it is, beyond doubt."""

    party: Party
    record: ReferenceRecord
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A party of the source with what may be meant at the target, best first; nothing where nothing is likely."""

    party: Party
    suggestions: tuple[Suggestion, ...]


def auto_match(
    parties: Sequence[Party],
    index: PartyIndex,
    linked_keys: Container[tuple[ReferenceKind, str]] = frozenset(),
    linked_ids: Container[tuple[ReferenceKind, str]] = frozenset(),
) -> list[Match]:
    """The matches that are safe: one to one, of one kind, active at the target, and unambiguous on both sides.

    Safe is the same name (as ``normal`` has it), unless the two have different tax numbers; and, where no record has
    the name, the same tax number with a name that is likely the same. Nothing is matched where name and tax number lead
    to two records, where two parties lead to one record, and where two parties or two active records have the name, or
    the tax number that a match would stand on (companies of one group may share theirs).

    Args:
        parties: All parties of the source, linked ones too, since they count for what is ambiguous.
        index: The parties of the target.
        linked_keys: Kind and source key of parties that are linked already; they are not matched again.
        linked_ids: Kind and id of records that are linked already; they are not matched to another party.
    """
    kinds = [ReferenceKind(party.kind.value) for party in parties]
    spelt = [normal(party.name) for party in parties]
    names = Counter(zip(kinds, spelt, strict=True))
    numbers = Counter((kind, tax_id(party.tax_number)) for kind, party in zip(kinds, parties, strict=True))
    found: list[tuple[Match, int]] = []
    for kind, name, party in zip(kinds, spelt, parties, strict=True):
        if (kind, party.key) in linked_keys:
            continue
        if names[kind, name] > 1:
            continue
        number = tax_id(party.tax_number)
        by_name = _only(index, index.same_name(name), kind)
        by_number = _only(index, index.same_tax(number), kind)
        match = _safe(party, index, by_name, by_number, numbers[kind, number] == 1)
        if match is not None:
            found.append(match)
    claims = Counter(place for _, place in found)
    return [
        match for match, place in found if claims[place] == 1 and (match.record.kind, match.record.id) not in linked_ids
    ]


def _only(index: PartyIndex, places: Sequence[int], kind: ReferenceKind) -> list[int]:
    """Those of the places where an active record of the kind stands."""
    records = index.records
    return [place for place in places if records[place].kind is kind and records[place].active]


def _safe(
    party: Party, index: PartyIndex, by_name: list[int], by_number: list[int], only_one: bool
) -> tuple[Match, int] | None:
    """The safe match among records of the same name and of the same tax number, which one or more parties have."""
    if len(by_name) > 1:
        return None
    if by_name:
        place = by_name[0]
        record = index.records[place]
        if (by_number and place not in by_number) or _other_number(party, record):
            return None
        return Match(party, record, "the same name"), place
    if only_one and len(by_number) == 1:
        record = index.records[by_number[0]]
        if compare(read(party.name), read(record.name)).score >= LIKELY:
            return Match(party, record, "the same VAT or tax number and a similar name"), by_number[0]
    return None


def _other_number(party: Party, record: ReferenceRecord) -> bool:
    return agreement(PartyFacts.of(party), PartyFacts.of_record(record)).other_tax


def match_list(parties: Sequence[Party], index: PartyIndex, limit: int = 3) -> Iterator[Row]:
    """The likely matches of each party, one row after the other, for very many parties.

    Where the same name, the same but for the legal form, or the same tax number is found, it is not looked for similar
    ones. The best suggestion is what ``likely_match`` gives, but for rare misses among names of common syllables.
    """
    for party in parties:
        kind = ReferenceKind(party.kind.value)
        further = PartyFacts.of(party)
        wanted = read(party.name)
        found = set(index.same_name(wanted.normal)[:MOST]) | index.same_words(wanted.keys) | index.same_facts(further)
        ranked = rank(wanted, index, found, limit, further, kind, LIKELY) if found else []
        if not ranked or ranked[0].score < _SURE or not ranked[0].linkable:
            near = set[int]().union(*(index.likely(key) for key in wanted.keys)) - found
            if near:
                ranked = rank(wanted, index, found | near, limit, further, kind, LIKELY)
        yield Row(party, tuple(ranked))
