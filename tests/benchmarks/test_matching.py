"""Matching very many names: against all pairs on a sample, how long it takes, and how that grows."""

from rapidfuzz import fuzz, process

from connector_service.domain.parties import Party
from connector_service.domain.reference import ReferenceRecord
from connector_service.engine.matching.alike import FLOOR, LIKELY, compare, read
from connector_service.engine.matching.auto import auto_match, match_list
from connector_service.engine.matching.index import PartyIndex
from connector_service.engine.matching.suggest import rank, suggest
from tests.benchmarks.conftest import Figures, seconds_of
from tests.benchmarks.names import make_parties


def all_pairs(parties: list[Party], records: list[ReferenceRecord]) -> set[tuple[str, str]]:
    """Key and id of every pair at or above the threshold: all pairs by their letters, then by what decides."""
    theirs = [read(record.name) for record in records]
    found = set()
    for party in parties:
        ours = read(party.name)
        near: set[int] = set()
        for text, texts in (
            (ours.keys[0].plain, [name.keys[0].plain for name in theirs]),
            (ours.keys[0].ordered, [name.keys[0].ordered for name in theirs]),
        ):
            hits = process.extract(text, texts, scorer=fuzz.ratio, score_cutoff=FLOOR, limit=None)
            near.update(place for _, _, place in hits)
        found |= {(party.key, records[place].id) for place in near if compare(ours, theirs[place]).score >= LIKELY}
    return found


def test_recall_against_all_pairs(figures: Figures) -> None:
    parties, records = make_parties(2000)
    brute = all_pairs(parties, records)
    index = PartyIndex(records)
    found = set()
    for party in parties:
        name = read(party.name)
        near = index.same_words(name.keys).union(*(index.likely(key) for key in name.keys))
        for one in rank(name, index, near, len(records), least=LIKELY):
            found.add((party.key, one.record.id))
    assert len(brute) > 1000
    recall = len(brute & found) / len(brute)
    figures.add("matching 2,000 names with 2,000, recall", recall, "of the pairs", "all pairs", "at least 0.995")
    assert found <= brute
    assert recall >= 0.995


def test_matching_very_many_names(figures: Figures) -> None:
    seconds: dict[int, float] = {}
    for count in (10_000, 100_000):
        parties, records = make_parties(count)

        def work(parties: list[Party] = parties, records: list[ReferenceRecord] = records) -> None:
            index = PartyIndex(records)
            assert len(auto_match(parties, index)) > len(parties) * 0.2
            assert sum(bool(row.suggestions) for row in match_list(parties, index)) > len(parties) * 0.5

        seconds[count] = seconds_of(work)
    name = "matching 100,000 names with 100,000"
    figures.add(name, seconds[100_000], "s", "the clock", "under 30 s")
    figures.add(name, seconds[100_000] / seconds[10_000], "times", "10,000 with 10,000", "100 would be every pair")


def test_suggestions_for_one_name_among_very_many(figures: Figures) -> None:
    parties, records = make_parties(100_000)
    index = PartyIndex(records)
    suggest(parties[0].name, index)
    seconds = seconds_of(lambda: [suggest(party.name, index) for party in parties[:50]])
    figures.add("suggestions for one name among 100,000", seconds / 50 * 1000, "ms", "the clock", "under 100 ms")
