"""Hypothesis strategies for the domain: documents that are valid, with sums that fit, and hostile text."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from connector_service.domain.documents import DOCUMENT_TYPES, Document, Line, MoneyDocument, TimeRecord
from connector_service.domain.kinds import Kind
from connector_service.domain.money import ZERO, from_minor

CURRENCIES = ("EUR", "USD", "GBP", "JPY", "KWD")
"""With two, none and three decimals."""

NASTY = (
    'say "hi"',
    "back\\slash\\",
    "two\nlines",
    "dos\r\nlines",
    "tab\tbed",
    '"\n2026-01-01 open Assets:Injected',
    '\\"\n  Assets:Injected  1.00 EUR',
    "; comment",
    "nul\x00byte",
    "bell\x07",
    "line\u2028separator\u2029",
    "\ufeffbom",
    "\u202eright to left",
    "é vs e\u0301",
    "日本語",
    "ß",
    "=1+1",
    "a:b, c:d [2026-99-99]",
    "(code) | payee",
    "A-B",
    "A B",
    "Income:Sales",
    "Discount",
    "C:\\temp\\new",
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
    "'; drop table invoice; --",
    "x" * 5000,
    " leading and trailing ",
    "🧾" * 3,
)
"""Text that breaks what is not careful."""


def texts(max_size: int = 20) -> st.SearchStrategy[str]:
    """Ordinary text, any text, and text that was made to do harm; never half of a surrogate pair."""
    return st.one_of(
        st.text("abcXYZ 019-_./", max_size=max_size),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=max_size),
        st.sampled_from(NASTY),
    )


def keys() -> st.SearchStrategy[str]:
    """Keys of parties, accounts and codes: never empty."""
    return st.one_of(st.text("ABab019- _.:", min_size=1, max_size=8), texts().filter(bool))


def dates() -> st.SearchStrategy[date]:
    """Dates of documents, mostly of two neighbouring years."""
    return st.one_of(st.dates(date(2025, 1, 1), date(2026, 12, 31)), st.dates(date(1900, 1, 1), date(2100, 12, 31)))


def money(currency: str, smallest: int = -100_000, largest: int = 10_000_000) -> st.SearchStrategy[Decimal]:
    """Amounts in whole minor units of a currency; the bounds are in minor units."""
    return st.integers(smallest, largest).map(lambda minor: from_minor(minor, currency))


@st.composite
def lines(draw: st.DrawFn, currency: str) -> Line:
    """One line; its tax amount is given or left open."""
    code = st.one_of(st.just(""), st.sampled_from(["V21", "V9", "V0"]), keys())
    return Line(
        number=draw(st.one_of(st.just(""), st.integers(1, 99).map(str))),
        description=draw(texts()),
        quantity=draw(st.decimals("-999", "999", places=3)),
        unit_price=draw(st.none() | st.decimals("-999", "9999", places=4)),
        discount=draw(st.just(ZERO) | money(currency, 0, 1000)),
        amount=draw(money(currency)),
        account=draw(st.one_of(st.just(""), st.sampled_from(["8000", "4000"]), keys())),
        tax_code=draw(code),
        tax_amount=draw(st.none() | money(currency, -1000, 100_000)),
        item=draw(st.just("") | texts()),
        cost_code=draw(st.just("") | texts()),
        project=draw(st.just("") | texts()),
    )


@st.composite
def money_documents(draw: st.DrawFn, kind: Kind | None = None) -> MoneyDocument:
    """An invoice, bill or credit whose parts add up to its total, and whose total is not negative."""
    kind = kind or draw(st.sampled_from([kind for kind in Kind if kind.is_money]))
    currency = draw(st.sampled_from(CURRENCIES))
    parts = tuple(draw(st.lists(lines(currency), max_size=4)))
    told = sum((line.tax_amount or ZERO for line in parts), ZERO)
    day = draw(dates())
    small = st.just(ZERO) | money(currency, 0, 5000)
    fields: dict[str, Any] = {
        "key": draw(keys()),
        "number": draw(texts()),
        "date": day,
        "due_date": draw(st.none() | st.integers(0, 60).map(lambda days: day + timedelta(days))),
        "party_key": draw(st.sampled_from(["C1", "C2"]) | keys()),
        "party_name": draw(texts()),
        "currency": currency,
        "rate": draw(st.none() | st.decimals("0.0001", "9999", places=6)),
        "tax_total": told + draw(st.one_of(st.just(ZERO), money(currency, -2, 2), money(currency, 0, 100_000))),
        "discount": draw(small),
        "discount_tax_code": draw(st.sampled_from(["", "V21"])),
        "freight": draw(small),
        "freight_tax_code": draw(st.sampled_from(["", "V21"])),
        "rounding": draw(st.just(ZERO) | money(currency, -4, 4)),
        "prices_include_tax": draw(st.booleans()),
        "care_of_key": draw(st.just("") | texts()),
        "terms": draw(st.just("") | texts()),
        "project": draw(st.just("") | texts()),
        "note": draw(st.just("") | texts()),
        "lines": parts,
        "total": ZERO,
    }
    total = DOCUMENT_TYPES[kind](**fields).computed_total()
    if total < 0:
        fields["rounding"] -= total
        total = ZERO
    made: MoneyDocument = DOCUMENT_TYPES[kind](**{**fields, "total": total})
    return made


@st.composite
def time_records(draw: st.DrawFn) -> TimeRecord:
    """A time record, with or without the hours between which it lies."""
    day = draw(dates())
    minutes = draw(st.integers(0, 24 * 60))
    begin = draw(st.none() | st.integers(0, 23).map(lambda hour: datetime.combine(day, time(hour))))
    return TimeRecord(
        key=draw(keys()),
        number=draw(st.just("") | texts()),
        date=day,
        employee_key=draw(st.sampled_from(["E1", "E2"]) | keys()),
        employee_name=draw(texts()),
        minutes=minutes,
        start=begin,
        end=None if begin is None else begin + timedelta(minutes=minutes),
        pay_item=draw(st.sampled_from(["", "regular"]) | texts()),
        job=draw(st.just("") | texts()),
        customer_key=draw(st.just("") | texts()),
        item=draw(st.just("") | texts()),
        cost_code=draw(st.just("") | texts()),
        billable=draw(st.booleans()),
        overtime=draw(st.booleans()),
        note=draw(st.just("") | texts()),
    )


def documents(kind: Kind | None = None) -> st.SearchStrategy[Document]:
    """A document of one kind, or of any."""
    if kind is Kind.TIME_RECORD:
        return time_records()
    money_only: st.SearchStrategy[Any] = money_documents(kind)
    return money_only if kind is not None else st.one_of(money_only, time_records())
