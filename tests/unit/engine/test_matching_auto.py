"""Many names at once: what is linked without asking, what is left alone, and that looking at a few finds the same."""

import random

import pytest

from connector_service.domain.kinds import PartyKind
from connector_service.domain.parties import Party
from connector_service.domain.reference import ReferenceKind, ReferenceRecord
from connector_service.engine.matching.alike import LIKELY
from connector_service.engine.matching.auto import auto_match, match_list
from connector_service.engine.matching.index import PartyIndex
from connector_service.engine.matching.suggest import likely_match
from tests.benchmarks.names import make_names, make_parties

CUSTOMER, SUPPLIER = ReferenceKind.CUSTOMER, ReferenceKind.SUPPLIER


def party(key: str, name: str, kind: PartyKind = PartyKind.CUSTOMER, tax_number: str = "") -> Party:
    return Party(kind=kind, key=key, name=name, tax_number=tax_number)


def record(
    key: str, name: str, kind: ReferenceKind = CUSTOMER, active: bool = True, tax_number: str = ""
) -> ReferenceRecord:
    return ReferenceRecord(
        kind=kind, id=key, code="", name=name, active=active, details={"tax_number": tax_number} if tax_number else {}
    )


def pairs(parties: list[Party], records: list[ReferenceRecord], **linked: frozenset) -> list[tuple[str, str]]:
    return [(match.party.key, match.record.id) for match in auto_match(parties, PartyIndex(records), **linked)]


def test_the_same_name_is_linked_however_it_is_spelt() -> None:
    assert pairs([party("A", "Müller & Söhne B.V.")], [record("1", "MULLER and  Sohne BV")]) == [("A", "1")]


@pytest.mark.parametrize(
    ("parties", "records"),
    [
        ([party("A", "Acme")], []),
        ([], [record("1", "Acme")]),
        ([party("A", "Acme")], [record("1", "Acme B.V.")]),  # likely, and not sure
        ([party("A", "Hawthorne")], [record("1", "Hawthorn")]),
        ([party("A", "Acme")], [record("1", "Acme"), record("2", "ACME")]),  # two at the target
        ([party("A", "Acme"), party("B", "acme")], [record("1", "Acme")]),  # two at the source
        ([party("A", "Acme")], [record("1", "Acme", SUPPLIER)]),
        ([party("A", "Acme")], [record("1", "Acme", active=False)]),
        ([party("A", "")], [record("1", "")]),
        ([party("A", "?")], [record("1", "")]),
        ([party("A", "Acme", tax_number="NL812345678B01")], [record("1", "Acme", tax_number="NL998877665B01")]),
        (
            [party("A", "Acme", tax_number="NL812345678B01")],
            [record("1", "Acme"), record("2", "Globex", tax_number="NL812345678B01")],
        ),
        ([party("A", "Acme", tax_number="NL812345678B01")], [record("1", "Globex", tax_number="NL812345678B01")]),
        (
            [party("A", "Acme", tax_number="NL812345678B01"), party("B", "Acme B.V.", tax_number="812345678B01")],
            [record("1", "Acme BV Nederland", tax_number="NL812345678B01")],
        ),
        (  # one by its name, the other by its number
            [party("A", "Acme"), party("B", "Acme B.V.", tax_number="812345678B01")],
            [record("1", "Acme", tax_number="NL812345678B01")],
        ),
    ],
)
def test_what_is_not_sure_is_left_alone(parties: list[Party], records: list[ReferenceRecord]) -> None:
    assert pairs(parties, records) == []


def test_the_same_tax_number_with_a_name_that_is_likely_the_same_is_linked() -> None:
    found = pairs(
        [party("A", "Acme", tax_number="812345678B01")], [record("1", "Acme BV", tax_number="NL812345678B01")]
    )
    assert found == [("A", "1")]


def test_companies_of_a_group_with_one_tax_number_are_linked_by_their_names() -> None:
    number = "NL812345678B01"
    found = pairs(
        [party("A", "Acme Bouw", tax_number=number), party("B", "Acme Beheer", tax_number=number)],
        [record("1", "Acme Beheer", tax_number=number), record("2", "Acme Bouw", tax_number=number)],
    )
    assert found == [("A", "2"), ("B", "1")]


def test_an_inactive_record_of_the_same_name_does_not_stand_in_the_way() -> None:
    assert pairs([party("A", "Acme")], [record("1", "Acme", active=False), record("2", "Acme")]) == [("A", "2")]


def test_a_customer_and_a_supplier_of_one_name_each_find_their_own() -> None:
    found = pairs(
        [party("A", "Acme"), party("B", "Acme", PartyKind.SUPPLIER)],
        [record("1", "Acme", SUPPLIER), record("2", "Acme")],
    )
    assert found == [("A", "2"), ("B", "1")]


def test_what_is_linked_already_is_not_linked_again() -> None:
    parties, records = [party("A", "Acme")], [record("1", "Acme")]
    assert pairs(parties, records, linked_keys=frozenset({(CUSTOMER, "A")})) == []
    assert pairs(parties, records, linked_ids=frozenset({(CUSTOMER, "1")})) == []
    assert pairs(parties, records, linked_ids=frozenset({(SUPPLIER, "1")})) == [("A", "1")]


def test_a_party_that_is_linked_already_still_makes_its_name_ambiguous() -> None:
    parties = [party("A", "Acme"), party("B", "Acme")]
    assert pairs(parties, [record("1", "Acme")], linked_keys=frozenset({(CUSTOMER, "A")})) == []


def test_no_record_is_given_to_two_parties() -> None:
    parties, records = make_parties(1000, seed=5)
    doubled = parties + [party(f"D{one.key}", one.name.upper()) for one in parties[::7]]
    found = pairs(doubled, records)
    assert len(found) > 100
    assert len({key for key, _ in found}) == len({target for _, target in found}) == len(found)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Hawthrone Joinery", "Hawthorne Joinery"),
        ("Hawtorne Joinery", "Hawthorne Joinery"),
        ("Installatietechniek Joinery", "Instalatietechnek Joinery"),
        ("Katherine Joinery", "Catherine Joinery"),
        ("Joinery, Blackwood", "Blackwod Joinery"),
        ("Bright Side Joinery", "Brightside Joinery"),
        ("Brightside Joinery", "Bright Side Joinery"),
        ("J. Whitfield Joinery", "John Whitfield Joinery"),
        ("Zbigniew Joinery Oakham", "Z. Joinery Oakham"),
    ],
)
def test_one_is_found_in_a_crowd_that_shares_its_common_word(ours: str, theirs: str) -> None:
    crowd = [record(str(number), f"{name} Joinery") for number, name in enumerate(make_names(1500))]
    (row,) = match_list([party("A", ours)], PartyIndex([*crowd, record("wanted", theirs)]))
    assert [one.record.id for one in row.suggestions] == ["wanted"]


def test_the_list_finds_the_same_best_match_as_looking_at_all() -> None:
    parties, records = make_parties(1500, seed=3)
    random.Random(1).shuffle(parties)
    index = PartyIndex(records)
    found = 0
    for row in match_list(parties[:400], index):
        best = likely_match(row.party.name, index, kind=CUSTOMER)
        assert (row.suggestions[0].record if row.suggestions else None) == (best.record if best else None)
        assert all(one.score >= LIKELY for one in row.suggestions)
        found += bool(row.suggestions)
    assert found > 150
