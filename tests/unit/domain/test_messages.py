"""Every code speaks: what happened, why, and what to do, with every fact of the case in its place."""

import re
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connector_service.contract.manifest import ListPolicy
from connector_service.contract.target import Booked, CompanyInfo
from connector_service.domain.documents import Line
from connector_service.domain.kinds import Kind
from connector_service.domain.messages import KIND_WORDS, MESSAGES, documents, duration, problem
from connector_service.domain.problems import Problem
from connector_service.domain.reference import Link, LinkKind, ReferenceKind, ReferenceRecord
from connector_service.domain.status_codes import IssueCode, OutcomeCode, StatusCode
from connector_service.engine.checks import Checker
from connector_service.engine.matching import normal
from connector_service.engine.view import Policy, TargetList, View
from tests.support import fake_target
from tests.support.documents import plain

CODES = sorted({str(code) for codes in (StatusCode, OutcomeCode, IssueCode) for code in codes})

FACTS = {
    "after": "3",
    "aside": "state.set-aside-20260101T000000Z.db",
    "arithmetic": "The lines add up to 100.00, and the total says 121.00.",
    "before": "1,200",
    "begin": "2026-01-01",
    "code": "8000",
    "date": "2025-12-31",
    "differences": "Total was 121.00, is 122.00.",
    "document": "sales invoice INV-1",
    "documents": "3 documents were",
    "fix": "Do what clears it.",
    "found": "dated 2026-01-01, EUR 121.00, id 77",
    "home": "EUR",
    "id": "12",
    "issue": "4",
    "key": "A-17",
    "kind": "sales invoice",
    "length": "41",
    "limit": "40",
    "locked": "2026-01-31",
    "number": "INV-1",
    "other": "A-18",
    "party": "Jansen BV",
    "party_kind": "customer",
    "place": "line 2, account",
    "right": "; Jansen BV has the id 9",
    "route": "main",
    "target": "Books",
    "target_id": "7",
    "why": "This is why.",
}
"""A sample of each fact that a message may speak of."""


def placeholders(code: str) -> set[str]:
    message = MESSAGES[code]
    texts = (message.title, message.why, message.fix)
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def assert_reads_well(found: Problem) -> None:
    for text in (found.what, found.why, found.fix):
        assert not set("{}‹›") & set(text), text
        assert text == text.strip(), text
        assert "  " not in text, text
        assert not re.search(r" [.,:;]|\(\)|``|\.\.|None\b", text), text
        assert not re.search(r"\b(\w+) \1\b", text, re.IGNORECASE), text
        if text:
            assert text[0].isupper() or not text[0].isalpha(), text
            assert text[-1] in ".`", text
    assert found.what
    assert found.fix


def test_every_code_has_a_message_and_every_message_a_code() -> None:
    assert sorted(MESSAGES) == CODES


def test_codes_of_documents_and_of_issues_that_are_spelt_alike_mean_the_same() -> None:
    names: list[str] = [str(code) for codes in (StatusCode, OutcomeCode, IssueCode) for code in codes]
    # A message stands under its spelling: a second meaning of the same spelling would silently take its place.
    assert {name for name in names if names.count(name) > 1} == {"BOOKED_DIFFERS"}


@pytest.mark.parametrize("code", CODES)
def test_a_message_with_its_facts_reads_well(code: str) -> None:
    wanted = placeholders(code)
    assert wanted <= set(FACTS)
    found = problem(code, "line 2", **{name: FACTS[name] for name in wanted})
    assert_reads_well(found)
    assert (found.code, found.field, found.actions) == (code, "line 2", MESSAGES[code].actions)
    for name in wanted:
        texts = (found.what, found.why, found.fix)
        assert any(FACTS[name].lower() in text.lower() for text in texts), name


@pytest.mark.parametrize("code", [str(code) for code in StatusCode])
def test_every_check_names_an_action_that_clears_it(code: str) -> None:
    assert MESSAGES[code].actions


@pytest.mark.parametrize("code", CODES)
def test_a_message_blames_nobody_and_speaks_no_jargon(code: str) -> None:
    message = MESSAGES[code]
    said = " ".join((message.title, message.why, message.fix))
    assert not re.search(
        r"\b(error|invalid|failed|failure|illegal|fatal|abort|exception|you forgot)\b", said, re.IGNORECASE
    )
    assert "!" not in said
    words = re.sub(r"`[^`]*`", "", said)
    assert not re.search(r"\b[A-Z]{4,}\b", words), "sentence case"


def test_text_of_the_source_is_never_taken_for_a_placeholder() -> None:
    found = problem(StatusCode.PARTY_NOT_LINKED, party="{target}", party_kind="customer", target="Books")
    assert found.what == "The customer {target} is not linked to one in Books yet."


def test_counts_and_lengths_of_time() -> None:
    assert documents(0, "were") == "0 documents were"
    assert documents(1, "was") == "1 document was"
    assert documents(12345) == "12,345 documents"
    assert [duration(minutes) for minutes in (0, 5, 65, 1500, 60_000)] == [
        "0 h 00 min",
        "0 h 05 min",
        "1 h 05 min",
        "25 h 00 min",
        "1,000 h 00 min",
    ]
    assert set(KIND_WORDS) == {kind.value for kind in Kind}


# -- as the checks fill them -------------------------------------------------------------------------------------------


def target_list(kind: ReferenceKind, *rows: tuple[str, str, bool]) -> TargetList:
    records = [ReferenceRecord(kind=kind, id=row[0], code=row[0], name=row[1], active=row[2]) for row in rows]
    return TargetList(
        {one.id: one for one in records},
        {one.code: one for one in records if one.active},
        {normal(one.name): (one,) for one in records if one.active},
    )


def held_for_everything() -> Iterator[Problem]:
    """Problems that the checks find in documents that have everything wrong."""
    manifest = replace(
        fake_target.manifest(),
        lists=dict.fromkeys(LinkKind, ListPolicy.CLOSED),
        number_required=True,
        line_text_required=True,
        multi_currency=False,
        needs_rate=True,
    )
    manifest = replace(manifest, limits=replace(manifest.limits, field_lengths={"note": 3}))
    customers = target_list(ReferenceKind.CUSTOMER, ("1", "Jansen BV", True), ("2", "Old Ltd", False))
    invoice: Any = plain(Kind.SALES_INVOICE, party_key="unlinked", party_name="New Ltd", sent=False)
    line = Line(account="a", item="i", tax_code="t", cost_code="c", project="p", amount=Decimal(1))
    wrong = replace(invoice, lines=(line,), terms="30", care_of_key="agent", currency="USD", note="too long")
    view = View(
        policy=Policy(route="main", begin=date(2027, 1, 1), require_sent=True),
        manifest=manifest,
        company=CompanyInfo(id="1", name="Ours", currency="EUR", locked_until=date(2026, 12, 31)),
        links={
            (LinkKind.CUSTOMER, "wrong"): Link(LinkKind.CUSTOMER, "wrong", "99"),
            (LinkKind.CUSTOMER, "old"): Link(LinkKind.CUSTOMER, "old", "2"),
        },
        lists={LinkKind.CUSTOMER: customers},
        numbers={(Kind.SALES_INVOICE, invoice.number): ((invoice.key, ""), ("the other", ""))},
        taken={(Kind.SALES_INVOICE, invoice.number, ""): (Booked("77", invoice.number),)},
    )
    checker = Checker(view)
    cases = [
        wrong,
        replace(wrong, number=""),
        replace(wrong, party_key="old"),
        replace(wrong, party_key="wrong", party_name="Jansen BV"),
        replace(wrong, party_key="wrong"),
        plain(Kind.TIME_RECORD, approved=False, employee_key="E9", employee_name="", job="j", note="too long"),
    ]
    for document in cases:
        yield from checker.check(document, lambda key: f"reference of {key}").problems


def test_the_checks_fill_in_every_fact_that_their_messages_speak_of() -> None:
    seen = set()
    for found in held_for_everything():
        assert_reads_well(found)
        seen.add(found.code)
        # A fact that was left out would leave its blank in the text.
        message = MESSAGES[found.code]
        for template, text in zip(
            (message.title, message.why, message.fix), (found.what, found.why, found.fix), strict=True
        ):
            pattern = "".join(
                re.escape(fixed) + ("" if name is None else "(.*)" if name == "right" else "(.+)")
                for fixed, name, _, _ in string.Formatter().parse(template)
            )
            assert re.fullmatch(pattern, text, re.IGNORECASE), (found.code, text)
    assert seen == {str(code) for code in StatusCode} - {"UNREADABLE"}
