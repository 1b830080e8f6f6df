"""A fingerprint changes when, and only when, what is booked changes; a reference stays the same for ever."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connector_service.domain.documents import Attachment, Document, Line
from connector_service.domain.identity import UnitKey, external_reference, fingerprint, pair_digest
from connector_service.domain.kinds import Kind
from tests.support.documents import plain
from tests.support.strategies import documents, lines, time_records

NOT_BOOKED: dict[str, Any] = {
    "key": "another key",
    "party_name": "Renamed Ltd",
    "employee_name": "Renamed",
    "sent": True,
    "paid": True,
    "approved": True,
    "exported": True,
    "changed_at": datetime(2026, 5, 5, 12, tzinfo=UTC),
    "attachments": (Attachment("scan.pdf", "application/pdf", "/scan.pdf"),),
}
"""The source's own marks and names, with another value than a plain document has."""


def other(value: Any, name: str) -> Any:
    """Another value of the same kind: what an edit in the source might make of it."""
    match value:
        case bool():
            return not value
        case str():
            return "USD" if name == "currency" else value + "x"
        case int():
            return value + 1
        case Decimal():
            return value + Decimal("0.01")
        case datetime():
            return value + timedelta(minutes=1)
        case date():
            return value + timedelta(days=1)
        case None if name in ("start", "end"):
            return datetime(2026, 1, 1, 8)  # noqa: DTZ001 - local time of the source
        case None if name == "due_date":
            return date(2026, 1, 1)
        case None:
            return Decimal(0)
        case tuple():
            return (*value, Line())
    raise AssertionError(f"{name} has a type that this test does not know")


@given(documents())
def test_every_booked_field_and_no_other_changes_it(document: Document) -> None:
    before = fingerprint(document)
    assert len(before) == 16
    for field in fields(document):
        value = getattr(document, field.name)
        if field.name in NOT_BOOKED:
            assert fingerprint(replace(document, **{field.name: NOT_BOOKED[field.name]})) == before
        else:
            assert fingerprint(replace(document, **{field.name: other(value, field.name)})) != before, field.name


@given(st.lists(lines("EUR"), min_size=1, max_size=3), st.data())
def test_every_field_of_every_line_changes_it(given_lines: list[Line], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(given_lines) - 1))
    line = given_lines[place]

    def printed(*new: Line) -> bytes:
        return fingerprint(plain(Kind.VENDOR_BILL, lines=(*given_lines[:place], *new, *given_lines[place + 1 :])))

    before = printed(line)
    for field in fields(line):
        changed = replace(line, **{field.name: other(getattr(line, field.name), field.name)})
        assert printed(changed) != before, field.name
    assert printed() != before
    assert printed(line, line) != before


@given(documents(), st.data())
def test_it_changes_when_and_only_when_some_booked_field_does(document: Document, data: st.DataObject) -> None:
    names = data.draw(st.sets(st.sampled_from([field.name for field in fields(document)])))
    edits = {name: other(getattr(document, name), name) for name in names - set(NOT_BOOKED)}
    marks = {name: NOT_BOOKED[name] for name in names & set(NOT_BOOKED)}
    assert (fingerprint(replace(document, **edits, **marks)) == fingerprint(document)) is (not edits)


@pytest.mark.parametrize("text", ["121", "121.0", "121.00", "1.21E+2", "12100E-2", "0121", "121.0000000000"])
def test_the_same_amount_in_another_spelling_is_no_change(text: str) -> None:
    def made(amount: Decimal) -> Document:
        line = Line(quantity=amount, unit_price=amount, discount=amount, amount=amount, tax_amount=amount)
        names = ("total", "tax_total", "discount", "freight", "rounding", "rate")
        edits: dict[str, Any] = dict.fromkeys(names, amount)
        return plain(Kind.SALES_INVOICE, lines=(line,), **edits)

    assert fingerprint(made(Decimal(text))) == fingerprint(made(Decimal(121)))
    assert fingerprint(made(Decimal(text) + Decimal("0.0001"))) != fingerprint(made(Decimal(121)))


@pytest.mark.parametrize("text", ["0", "-0", "0.00", "-0.00", "0E+3", "0E-9"])
def test_nothing_is_nothing_in_every_spelling(text: str) -> None:
    assert fingerprint(plain(Kind.VENDOR_BILL, freight=Decimal(text))) == fingerprint(plain(Kind.VENDOR_BILL))


def test_ten_is_not_one_and_a_hundred_is_not_ten() -> None:
    prints = {
        fingerprint(plain(Kind.SALES_INVOICE, total=Decimal(text)))
        for text in ("1", "10", "100", "1000", "0.1", "0.01", "10.1", "-1", "-10", "1E+4")
    }
    assert len(prints) == 10


HOSTILE = st.text("ab\\fl\x1f\x1e", max_size=4)
TEXTS = ("pay_item", "job", "customer_key", "item", "cost_code", "note", "number", "employee_key")


@given(st.tuples(*[HOSTILE] * len(TEXTS)), st.tuples(*[HOSTILE] * len(TEXTS)))
def test_separators_in_texts_cannot_make_two_time_records_equal(one: tuple[str, ...], two: tuple[str, ...]) -> None:
    def made(values: tuple[str, ...]) -> Document:
        edits: dict[str, Any] = dict(zip(TEXTS, values, strict=True))
        return plain(Kind.TIME_RECORD, **edits)

    assert (fingerprint(made(one)) == fingerprint(made(two))) is (one == two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"job": "a\x1fb", "customer_key": "c"}, {"job": "a", "customer_key": "b\x1fc"}),
        ({"job": "a\x1e", "customer_key": ""}, {"job": "a", "customer_key": "\x1e"}),
        ({"job": "\x1f", "customer_key": ""}, {"job": "", "customer_key": "\x1f"}),
        ({"job": "\x1f\\f"}, {"job": "\\f\x1f"}),
        ({"job": "\x1f"}, {"job": "\\f"}),
        ({"job": "\x1e"}, {"job": "\\l"}),
        ({"job": "\x1f", "item": "\\f"}, {"job": "\x1f", "item": "\\\\f"}),
    ],
)
def test_a_separator_does_not_move_a_field(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert fingerprint(plain(Kind.TIME_RECORD, **one)) != fingerprint(plain(Kind.TIME_RECORD, **two))


def test_a_separator_makes_neither_a_line_nor_a_field_of_one() -> None:
    first = Line(description="a", amount=Decimal(1))
    second = Line(description="b", amount=Decimal(2))
    plain_two = plain(Kind.SALES_INVOICE, lines=(first, second))
    # The text of the second line, put behind a separator into the last field of the first.
    tail = "\x1e" + "\x1f".join(("", "b", "1", "", "0", "2", "", "", "", "", "", ""))
    disguised = plain(Kind.SALES_INVOICE, lines=(replace(first, project=tail),))
    assert fingerprint(plain_two) != fingerprint(disguised)
    noted = plain(Kind.SALES_INVOICE, lines=(), note="n" + tail)
    assert fingerprint(noted) != fingerprint(plain(Kind.SALES_INVOICE, lines=(second,), note="n"))
    moved = [
        plain(Kind.SALES_INVOICE, lines=(replace(first, item="a\x1fb", cost_code="c"),)),
        plain(Kind.SALES_INVOICE, lines=(replace(first, item="a", cost_code="b\x1fc"),)),
    ]
    assert fingerprint(moved[0]) != fingerprint(moved[1])


# What stands in stores that are in use: a change of these would show every document as edited.
GOLDEN = {
    Kind.SALES_INVOICE: "c1c8ab36fc513c803f47c18c3b79c428",
    Kind.SALES_CREDIT_NOTE: "b0ac96ab2ed0da539056e9eba7df43fc",
    Kind.VENDOR_BILL: "f410223c99b6a2076ed33dae102cd891",
    Kind.VENDOR_CREDIT: "371f809882951e3b557d906e3dc632f4",
    Kind.TIME_RECORD: "d06b7eeb6005f5c9a907b08020e16446",
}


@pytest.mark.parametrize("kind", Kind)
def test_fingerprints_are_those_of_every_earlier_version(kind: Kind) -> None:
    assert fingerprint(plain(kind)).hex() == GOLDEN[kind]


PAIR = "077230c48eab67c5"


def test_references_are_those_of_every_earlier_version() -> None:
    assert pair_digest("sql:shop", "company-1") == PAIR
    unit = UnitKey(Kind.SALES_INVOICE, "K1")
    assert external_reference(PAIR, unit) == "a66bd437-9aa7-8534-09bb-a6c092ae065b"
    received = UnitKey(Kind.VENDOR_BILL, "K1", "receiver")
    assert external_reference(PAIR, received) == "313eef26-ea1b-07c6-6272-03e9b875b8cd"


@dataclass(frozen=True)
class Unit:
    """All that makes a unit the same unit."""

    source: str
    company: str
    kind: Kind
    made_from: str
    key: str

    def reference(self) -> str:
        return external_reference(pair_digest(self.source, self.company), UnitKey(self.kind, self.key, self.made_from))


PART = st.text("ab\x1f\\", max_size=3)
UNITS = st.builds(Unit, PART, PART, st.sampled_from(Kind), PART, PART)


@given(UNITS, UNITS)
def test_a_reference_belongs_to_one_unit_of_one_source_in_one_company(one: Unit, two: Unit) -> None:
    assert (one.reference() == two.reference()) is (one == two)


@given(UNITS, PART)
def test_each_part_of_a_unit_makes_another_reference(unit: Unit, text: str) -> None:
    for name in ("source", "company", "made_from", "key"):
        assert replace(unit, **{name: getattr(unit, name) + "!"}).reference() != unit.reference()
    assert len({replace(unit, kind=kind).reference() for kind in Kind}) == len(Kind)
    assert replace(unit, key=text).reference() == replace(unit, key=text).reference()


@given(time_records())
def test_hours_that_moved_are_a_change_even_where_their_length_is_not(record: Any) -> None:
    assume(record.start is not None)
    later = replace(record, start=record.start + timedelta(hours=1), end=record.end + timedelta(hours=1))
    assert fingerprint(later) != fingerprint(record)
