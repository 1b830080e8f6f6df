"""Which parties of the target a name may mean: ranked, with a score and the reason in plain words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from connector_service.domain.reference import ReferenceKind, ReferenceRecord
from connector_service.engine.matching.alike import LIKELY, Alike, Name, compare, read
from connector_service.engine.matching.facts import PartyFacts, agreement, places
from connector_service.engine.matching.index import MOST, PartyIndex

LEAST: Final = 55
"""Below this score nothing is suggested."""
_NOTHING: Final = PartyFacts()
_SIMILAR: Final = 60
_BEST_FUZZY: Final = 97


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A party of the target that may be meant."""

    record: ReferenceRecord
    score: int
    """0 to 100; ``alike.LIKELY`` and above is a likely match."""
    reason: str
    """In plain words: "the same but for B.V."; with "inactive" or the kind where that matters."""
    linkable: bool = True
    """Whether it is active and of the kind that was asked for. One that is not still takes the name."""


class _Rank(NamedTuple):
    """Smaller comes first."""

    tier: int
    score: int
    other_kind: bool
    inactive: bool
    name: str
    place: int


def suggest(
    name: str,
    index: PartyIndex,
    limit: int = 5,
    further: PartyFacts = _NOTHING,
    kind: ReferenceKind | None = None,
) -> list[Suggestion]:
    """The parties that a name may mean, best first.

    First those with the same tax number, then those with the same name, then those that differ in the legal form only,
    then the ones most alike. Parties of all kinds are compared, since some targets want names to be unique over all.

    Args:
        name: The name at the source.
        index: The parties of the target.
        limit: How many at most.
        further: What else is known of the party at the source.
        kind: What may be linked; others are marked as such. None for any.
    """
    wanted = read(name)
    found = index.same_facts(further) | set(index.same_name(wanted.normal)[:MOST]) | index.same_words(wanted.keys)
    if len(found) < limit or not all(index.records[place].active for place in found):
        found |= index.like(wanted.keys)
    return rank(wanted, index, found, limit, further, kind)


def likely_match(
    name: str, index: PartyIndex, further: PartyFacts = _NOTHING, kind: ReferenceKind | None = None
) -> Suggestion | None:
    """The best suggestion, where it is so good that nothing should be created unless a person confirms.

    That may be one that cannot be linked: an inactive party, or one of another kind, takes the name all the same.
    """
    best = suggest(name, index, 1, further, kind)
    return best[0] if best and best[0].score >= LIKELY else None


def rank(
    wanted: Name,
    index: PartyIndex,
    found: Iterable[int],
    limit: int,
    further: PartyFacts = _NOTHING,
    kind: ReferenceKind | None = None,
    least: int = LEAST,
) -> list[Suggestion]:
    """Score the records at these places of an index against a name, and keep the best."""
    ranked: list[tuple[_Rank, Suggestion]] = []
    for place in found:
        record = index.records[place]
        alike = _with_facts(wanted, record, further)
        if alike.score < least:
            continue
        other_kind = kind is not None and record.kind is not kind
        marks = [f"a{'n' if record.kind.value[0] in 'aeiou' else ''} {record.kind}"] if other_kind else []
        marks += [] if record.active else ["inactive"]
        reason = f"{alike.reason} ({', '.join(marks)})" if marks else alike.reason
        tier = 0 if alike.reason.startswith(_SAME_TAX) else 1
        order = _Rank(tier, -alike.score, other_kind, not record.active, record.name, place)
        ranked.append((order, Suggestion(record, alike.score, reason, not marks)))
    ranked.sort()
    return [one for _, one in ranked[:limit]]


_SAME_TAX: Final = "the same VAT or tax number"


def _with_facts(wanted: Name, record: ReferenceRecord, further: PartyFacts) -> Alike:
    if not record.details or further == _NOTHING:
        return compare(wanted, read(record.name))
    theirs = PartyFacts.of_record(record)
    alike = compare(wanted, read(record.name), places(further) | places(theirs))
    same = agreement(further, theirs)
    if same.tax:
        return Alike(100, _SAME_TAX if alike.score >= _SIMILAR else f"{_SAME_TAX}, another name")
    if same.other_tax and alike.score > LIKELY - 5:
        return Alike(LIKELY - 5, f"{alike.reason}, but another VAT or tax number")
    if alike.score >= 98:
        return alike
    similar = alike.score >= _SIMILAR
    if same.email:
        score = max(alike.score, LIKELY + 5 if similar else LEAST + 10)
        return Alike(score, f"the same e-mail address{' and a similar name' if similar else ', another name'}")
    if not similar:
        return alike
    for agrees, more, words in (
        (same.phone, 15, "the same telephone number"),
        (same.domain, 10, "the same e-mail domain"),
        (same.postcode, 5, "the same postcode"),
    ):
        if agrees:
            return Alike(min(alike.score + more, _BEST_FUZZY), f"{words} and a similar name")
    return alike
