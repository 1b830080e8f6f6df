"""What is written down is read back the same: to the last digit, to the last character."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.domain.documents import Attachment, Document, Line
from connector_service.domain.kinds import Flag, Kind, State
from connector_service.domain.messages import problem
from connector_service.domain.money import round_money
from connector_service.domain.problems import Problem
from connector_service.domain.status_codes import StatusCode
from connector_service.store.codec import (
    FLAG_SETS,
    decode_document,
    decode_problems,
    encode_document,
    encode_problems,
    flag_bits,
    flags_of,
    party_name,
    total_of,
)
from tests.support.documents import plain
from tests.support.strategies import documents, texts
from tests.unit.store.support import Place


def spelt(document: Any) -> list[str]:
    """Every field as Python writes it: 1.0 and 1.00 are equal, and are not the same digits."""
    return [repr(getattr(document, field.name)) for field in fields(document)]


@given(documents())
def test_every_document_comes_back_digit_by_digit(document: Document) -> None:
    text = encode_document(document)
    again = decode_document(document.kind, text)
    assert type(again) is type(document)
    assert spelt(again) == spelt(document)
    name = getattr(document, "party_name", "") or getattr(document, "employee_name", "")
    assert party_name(text) == name
    json.loads(text)


FULL: dict[str, Any] = {
    "sent": True,
    "paid": False,
    "exported": True,
    "rate": Decimal("1.0950"),
    "changed_at": datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=timezone(timedelta(hours=2))),
    "attachments": (
        Attachment("scan é.pdf", "application/pdf", "/in/scan.pdf", 2**40, "ab" * 32),
        Attachment("", "", ""),
    ),
    "lines": (Line(quantity=Decimal("1E-9"), unit_price=Decimal("-0.0000"), amount=Decimal("123456789012.3400")),),
    "total": Decimal("99999999999999.99"),
}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.is_money])
def test_a_document_with_every_field_filled_comes_back(kind: Kind) -> None:
    document: Any = plain(kind, **FULL)
    again: Any = decode_document(kind, encode_document(document))
    assert again == document
    assert [str(getattr(again.lines[0], name)) for name in ("quantity", "unit_price", "amount")] == [
        "1E-9",
        "-0.0000",
        "123456789012.3400",
    ]
    assert again.changed_at.utcoffset() == document.changed_at.utcoffset()


def test_a_local_time_stays_without_a_zone() -> None:
    begin = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001 - the source's local time has none
    record = plain(Kind.TIME_RECORD, start=begin, end=begin + timedelta(hours=1), changed_at=datetime.now(UTC))
    assert decode_document(Kind.TIME_RECORD, encode_document(record)) == record


@given(st.lists(st.builds(Problem, texts(), texts(), texts(), texts(), texts(), st.tuples(texts())), max_size=3))
def test_problems_come_back(given_problems: list[Problem]) -> None:
    text = encode_problems(given_problems)
    assert (text is None) is (not given_problems)
    assert decode_problems(text) == given_problems


@given(st.sets(st.sampled_from(Flag)))
def test_flags_come_back(flags: set[Flag]) -> None:
    bits = flag_bits(frozenset(flags))
    assert FLAG_SETS[bits] == flags
    assert flags_of(bits) == [flag.value for flag in Flag if flag in flags]


def test_totals_are_whole_minor_units() -> None:
    assert total_of(plain(Kind.SALES_INVOICE)) == 12101
    assert total_of(plain(Kind.VENDOR_BILL, currency="JPY", total=Decimal(121))) == 121
    assert total_of(plain(Kind.VENDOR_BILL, currency="KWD", total=Decimal("1.234"))) == 1234
    assert total_of(plain(Kind.TIME_RECORD, 15)) == 45


def test_the_store_gives_back_content_and_problems(place: Place) -> None:
    store = place.store
    given_documents = [plain(kind, 3, note="a\x00b\u2028'\"; drop table body; --") for kind in Kind]
    found = problem(StatusCode.NOT_SENT, "line 1", document="it")
    known = place.add(*given_documents, state=State.HELD, problems=(found,))
    assert list(store.content([one.id for one in known]).values()) == given_documents
    assert {store.listing.document(one.id).problems for one in known} == {(found,)}  # type: ignore[union-attr]
    for one, document in zip(known, given_documents, strict=True):
        row = store.listing.document(one.id)
        assert row is not None
        wanted = Decimal(document.minutes) if document.kind is Kind.TIME_RECORD else document.total  # type: ignore[union-attr]
        assert (row.kind, row.key, row.date, row.total) == (document.kind, document.key, document.date, wanted)


def test_a_drifted_document_keeps_what_is_booked_beside_what_it_became(place: Place) -> None:
    document: Any = plain(Kind.SALES_INVOICE)
    (known,) = place.add(document)
    (known,) = place.lead([known], State.EXPORTED)
    changed = replace(document, number="INV-X", total=Decimal("200.00"))
    (known,) = place.lead([known], State.DRIFTED, record=changed)
    assert place.store.content([known.id]) == {known.id: document}
    assert place.store.content([known.id], newer=True) == {known.id: changed}
    row = place.store.listing.document(known.id)
    assert row is not None
    assert (row.number, row.total) == ("INV-1", Decimal("121.01"))


@pytest.mark.parametrize("currency", ["JPY", "EUR", "KWD", "CLF"])
def test_the_largest_amounts_have_room_in_the_store(place: Place, currency: str) -> None:
    most = Decimal("99999999999999.9999")
    (known,) = place.add(plain(Kind.VENDOR_BILL, currency=currency, total=most))
    row = place.store.listing.document(known.id)
    assert row is not None
    assert row.total == round_money(most, currency)
    minutes = 10**9 - 1
    (known,) = place.add(plain(Kind.TIME_RECORD, minutes=minutes))
    row = place.store.listing.document(known.id)
    assert row is not None
    assert row.total == minutes
