"""Suggestions: their order and reasons, what is known beside the name, parties of other kinds, likely matches."""

from dataclasses import replace

import pytest

from connector_service.domain.reference import ReferenceKind, ReferenceRecord
from connector_service.engine.matching.alike import LIKELY
from connector_service.engine.matching.facts import PartyFacts, domain_of, phone_id, tax_id
from connector_service.engine.matching.index import PartyIndex
from connector_service.engine.matching.suggest import Suggestion, likely_match, suggest


def record(
    name: str, key: str = "", kind: ReferenceKind = ReferenceKind.CUSTOMER, active: bool = True, **details: str
) -> ReferenceRecord:
    return ReferenceRecord(kind=kind, id=key or name, code="", name=name, active=active, details=details)


def with_details(name: str, details: dict[str, str]) -> ReferenceRecord:
    return replace(record(name), details=details)


def names(found: list[Suggestion]) -> list[str]:
    return [one.record.name for one in found]


def test_the_same_name_comes_first_then_the_same_but_for_the_form_then_the_most_alike() -> None:
    index = PartyIndex(
        [record("Globex"), record("Harper Joinrey"), record("Harper Joinery Ltd"), record("HARPER  JOINERY")]
    )
    found = suggest("Harper Joinery", index)
    assert [(one.record.name, one.score, one.reason) for one in found] == [
        ("HARPER  JOINERY", 100, "the same name"),
        ("Harper Joinery Ltd", 98, "the same but for Ltd"),
        ("Harper Joinrey", 92, "92 % alike"),
    ]


def test_the_same_tax_number_comes_before_the_same_name() -> None:
    index = PartyIndex([record("Acme"), record("Acme Nederland B.V.", tax_number="NL 8123.45.678.B01")])
    found = suggest("Acme", index, further=PartyFacts(tax_number="812345678B01"))
    assert names(found) == ["Acme Nederland B.V.", "Acme"]
    assert found[0].reason.startswith("the same VAT or tax number")
    assert found[0].score == 100


@pytest.mark.parametrize("nothing", ["", "n/a", "000000000", "0", "unknown", "-"])
def test_a_tax_number_that_says_nothing_matches_nothing(nothing: str) -> None:
    index = PartyIndex([record("Globex", tax_number=nothing)])
    assert suggest("Acme", index, further=PartyFacts(tax_number=nothing)) == []


def test_another_tax_number_makes_it_no_likely_match() -> None:
    index = PartyIndex([record("Acme", tax_number="NL812345678B01")])
    assert likely_match("Acme", index, PartyFacts(tax_number="NL998877665B01")) is None
    (found,) = suggest("Acme", index, further=PartyFacts(tax_number="NL998877665B01"))
    assert found.reason == "the same name, but another VAT or tax number"


def test_what_else_agrees_raises_a_similar_name_and_is_said() -> None:
    for details, further, words in (
        ({"email": "info@acme.test"}, PartyFacts(email="INFO@acme.test "), "the same e-mail address"),
        ({"email": "info@acme.test"}, PartyFacts(email="jan@acme.test"), "the same e-mail domain"),
        ({"phone": "+31 20 123 4567"}, PartyFacts(phone="020-1234567"), "the same telephone number"),
        ({"postcode": "1012 ab"}, PartyFacts(postcode="1012AB"), "the same postcode"),
    ):
        index = PartyIndex([with_details("Acme Tools Utrecht", details)])
        (bare,) = suggest("Acme Tools", index)
        (found,) = suggest("Acme Tools", index, further=further)
        assert found.score > bare.score
        assert found.reason == f"{words} and a similar name"


def test_an_address_at_a_provider_for_everybody_says_nothing() -> None:
    assert domain_of("someone@gmail.com") == ""
    index = PartyIndex([record("Globex", email="globex@gmail.com")])
    assert suggest("Acme", index, further=PartyFacts(email="acme@gmail.com")) == []


def test_the_same_address_under_another_name_is_shown_and_is_no_likely_match() -> None:
    index = PartyIndex([record("Globex", email="books@office.test")])
    (found,) = suggest("Pemberton", index, further=PartyFacts(email="books@office.test"))
    assert found.reason == "the same e-mail address, another name"
    assert found.score < LIKELY


def test_the_town_of_a_party_may_stand_in_its_name() -> None:
    index = PartyIndex([record("Acme Tools Utrecht", city="Utrecht")])
    assert likely_match("Acme Tools", index) is None
    found = likely_match("Acme Tools", index, PartyFacts(city="Utrecht"))
    assert found is not None
    assert found.reason == "the same but for the town"


def test_a_party_of_another_kind_or_an_inactive_one_is_marked_and_still_takes_the_name() -> None:
    supplier = record("Acme", "S1", ReferenceKind.SUPPLIER)
    employee = record("Acme", "E1", ReferenceKind.EMPLOYEE)
    old = record("Acme", "C1", active=False)
    index = PartyIndex([employee, supplier, old])
    found = suggest("Acme", index, kind=ReferenceKind.CUSTOMER)
    assert [(one.record.id, one.reason, one.linkable) for one in found] == [
        ("C1", "the same name (inactive)", False),
        ("E1", "the same name (an employee)", False),
        ("S1", "the same name (a supplier)", False),
    ]
    assert likely_match("ACME", index, kind=ReferenceKind.CUSTOMER) is not None
    assert index.exact(" acme ") == [employee, supplier, old]
    active = PartyIndex([old, replace(old, id="C2", active=True), supplier])
    assert [one.record.id for one in suggest("Acme", active, kind=ReferenceKind.CUSTOMER)] == ["C2", "C1", "S1"]


def test_nothing_is_suggested_where_nothing_is_alike() -> None:
    index = PartyIndex([record("Globex"), record("Initech")])
    assert suggest("Pemberton Electrical", index) == []
    assert likely_match("Pemberton Electrical", index) is None
    assert suggest("Pemberton", PartyIndex([])) == []


@pytest.mark.parametrize("empty", ["", "  ", "\u200b"])
def test_an_empty_name_matches_nothing_not_even_another_empty_one(empty: str) -> None:
    index = PartyIndex([record("", "1"), record("  ", "2"), record("Acme")])
    assert index.exact(empty) == []
    assert suggest(empty, index) == []


def test_a_part_of_a_long_name_is_suggested_and_is_no_likely_match() -> None:
    index = PartyIndex([record("Jansen Bouw en Onderhoud van Daken en Gevels Groningen B.V."), record("Globex")])
    (found,) = suggest("Jansen Bouw", index)
    assert LIKELY > found.score >= 55


def test_the_limit_holds_and_a_crowd_of_one_name_does_no_harm() -> None:
    index = PartyIndex([record("Acme", str(number)) for number in range(3000)])
    assert len(suggest("Acme", index, limit=3)) == 3


def test_numbers_are_compared_without_what_people_write_differently() -> None:
    assert tax_id("NL 8123.45.678.B01") == tax_id("812345678b01") != ""
    assert tax_id("DE 123 456 789") == tax_id("123456789")
    assert phone_id("+44 (0)20 7946 0018") == phone_id("020 7946 0018") != ""
    assert phone_id("112") == phone_id("000000000") == ""
