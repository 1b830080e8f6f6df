"""What differs between two readings of a document is named: the field, the line, before and after."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.domain.documents import Document, Line
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import Difference
from connector_service.engine.differences import differences, in_words
from tests.support.documents import plain
from tests.support.strategies import documents, lines

INVOICE: Any = plain(Kind.SALES_INVOICE)


def with_lines(*lines: Line) -> Any:
    return replace(INVOICE, lines=lines)


@given(documents())
def test_a_document_does_not_differ_from_itself(document: Document) -> None:
    assert differences(document, replace(document)) == []
    assert in_words([]) == ""


TEXTS = ("number", "note", "pay_item", "job", "terms", "project", "party_key", "employee_key", "party_name")


@given(documents(), st.sets(st.sampled_from(TEXTS)))
def test_exactly_the_booked_fields_that_changed_are_named(document: Document, names: set[str]) -> None:
    edits = {name: getattr(document, name) + "x" for name in names if hasattr(document, name)}
    changed = replace(document, **edits)
    found = differences(document, changed)
    assert {one.field for one in found} == set(edits) - {"party_name"}
    assert all(one.after == one.before + "x" for one in found)
    assert bool(found) is (fingerprint(document) != fingerprint(changed))


@given(st.lists(lines("EUR"), max_size=3), st.lists(lines("EUR"), max_size=3))
def test_lines_differ_exactly_where_their_fingerprints_do(one: list[Line], two: list[Line]) -> None:
    before, after = with_lines(*one), with_lines(*two)
    assert bool(differences(before, after)) is (fingerprint(before) != fingerprint(after))


@pytest.mark.parametrize(
    ("name", "value", "before", "after"),
    [
        ("number", "INV-2", "INV-1", "INV-2"),
        ("total", Decimal("1E+2"), "121.01", "100"),
        ("due_date", None, "2026-02-15", ""),
        ("rate", Decimal("1.10"), "", "1.10"),
        ("prices_include_tax", True, "False", "True"),
        ("note", "thanks", "", "thanks"),
    ],
)
def test_a_field_is_named_with_both_values(name: str, value: object, before: str, after: str) -> None:
    assert differences(INVOICE, replace(INVOICE, **{name: value})) == [Difference(name, before, after)]


def test_the_marks_and_names_of_the_source_are_no_difference() -> None:
    changed = replace(INVOICE, sent=True, paid=True, exported=True, party_name="Other", key="other")
    assert differences(INVOICE, changed) == []
    assert differences(plain(Kind.TIME_RECORD), plain(Kind.TIME_RECORD, approved=True, employee_name="Other")) == []


def test_an_amount_in_another_spelling_is_no_difference() -> None:
    assert differences(INVOICE, replace(INVOICE, tax_total=Decimal("21.000"))) == []


def test_a_field_of_a_line_is_named_by_the_number_of_the_line() -> None:
    first, second = INVOICE.lines
    numbered = with_lines(first, replace(second, number="20"))
    changed = with_lines(first, replace(second, number="20", account="9999"))
    assert differences(numbered, changed) == [Difference("line 20, account", "8100", "9999")]
    bare = with_lines(replace(first, number=""), second)
    changed = with_lines(replace(first, number="", amount=Decimal("61.00")), second)
    assert differences(bare, changed) == [Difference("line 1, amount", "60.00", "61.00")]


def test_lines_that_came_or_went_are_named() -> None:
    first, second = INVOICE.lines
    assert differences(INVOICE, with_lines(first)) == [Difference("line 2", "Transport of order 1 40.01", "")]
    assert differences(with_lines(first), INVOICE) == [Difference("line 2", "", "Transport of order 1 40.01")]
    assert differences(INVOICE, with_lines(first, second, Line(description="Extra", amount=Decimal("5.00")))) == [
        Difference("line 3", "", "Extra 5.00")
    ]


def test_in_words_the_first_few_stand_in_one_sentence() -> None:
    found = differences(INVOICE, replace(INVOICE, number="INV-9", note="new", due_date=None))
    assert in_words(found) == "number was INV-1, is INV-9; due_date was 2026-02-15, is empty; note was empty, is new."
    many = [Difference(f"field{n}", "a", "b") for n in range(6)]
    assert in_words(many).endswith("field3 was a, is b; and 2 more.")
    assert "field4" not in in_words(many)
