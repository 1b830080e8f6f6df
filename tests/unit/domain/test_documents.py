"""Documents refuse what they cannot hold, and know what their parts add up to."""

from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.domain.documents import (
    DOCUMENT_TYPES,
    Document,
    Line,
    MoneyDocument,
    SalesInvoice,
    TimeRecord,
    WrongType,
)
from connector_service.domain.kinds import Kind
from tests.support.documents import plain
from tests.support.strategies import documents, money_documents


class Two(IntEnum):
    """A whole number to Python, and none to us."""

    TWO = 2


class Text(str):
    """A text to Python, that may write itself in another way than it compares."""

    __slots__ = ()


SAMPLES: dict[type, Any] = {
    str: "text",
    int: 7,
    bool: True,
    float: 1.5,
    Decimal: Decimal("1.5"),
    date: date(2026, 1, 31),
    datetime: datetime(2026, 1, 31, 12, tzinfo=UTC),
    tuple: (),
    list: [],
    bytes: b"text",
    Two: Two.TWO,
    Text: Text("text"),
    type(None): None,
}
"""One value of each type that a careless source might hand over."""

RECORDS: list[Any] = [Line(), *(plain(kind) for kind in Kind)]
FIELDS = [
    pytest.param(record, field.name, id=f"{type(record).__name__}.{field.name}")
    for record in RECORDS
    for field in fields(record)
]


def allowed(record: Any, name: str) -> set[type]:
    """The types that a field is annotated with."""
    hint = get_type_hints(type(record))[name]
    parts = {hint} if isinstance(hint, type) else set(get_args(hint))
    return {tuple} if hint is not tuple and getattr(hint, "__origin__", None) is tuple else parts


@pytest.mark.parametrize(("record", "name"), FIELDS)
def test_each_field_takes_exactly_the_types_that_it_is_annotated_with(record: Any, name: str) -> None:
    right = allowed(record, name)
    assert right <= set(SAMPLES)
    for kind, value in SAMPLES.items():
        if kind in right:
            fitting = "EUR" if name == "currency" else value
            assert getattr(replace(record, **{name: fitting}), name) is fitting
            continue
        with pytest.raises(WrongType) as caught:
            replace(record, **{name: value})
        assert caught.value.field == name
        assert f"{type(record).__name__}.{name} must be " in str(caught.value)
        assert kind.__name__ in str(caught.value)


NUMBERS = [
    pytest.param(record, field.name, id=f"{type(record).__name__}.{field.name}")
    for record in RECORDS
    for field in fields(record)
    if Decimal in allowed(record, field.name)
]


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+14", "-1E+14", "1E+999999"])
@pytest.mark.parametrize(("record", "name"), NUMBERS)
def test_a_number_is_finite(record: Any, name: str, value: str) -> None:
    with pytest.raises(WrongType, match=f"{name} must be a finite number"):
        replace(record, **{name: Decimal(value)})


@pytest.mark.parametrize("kind", Kind)
def test_a_document_has_a_key(kind: Kind) -> None:
    with pytest.raises(WrongType, match="key must be a text that is not empty"):
        plain(kind, key="")


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "€", "E1R"])
@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.is_money])
def test_a_currency_is_an_iso_code(kind: Kind, currency: str) -> None:
    with pytest.raises(WrongType, match="currency must be a code of three capital letters such as EUR"):
        plain(kind, currency=currency)


def test_minutes_are_neither_negative_nor_beyond_measure() -> None:
    assert getattr(plain(Kind.TIME_RECORD, minutes=0), "minutes", None) == 0
    for minutes in (-1, 10**9, 2**64):
        with pytest.raises(WrongType, match="minutes must be zero or more"):
            plain(Kind.TIME_RECORD, minutes=minutes)


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: type(one).__name__)
def test_what_is_made_stays_as_it_is(record: Any) -> None:
    for field in fields(record):
        with pytest.raises(FrozenInstanceError):
            setattr(record, field.name, getattr(record, field.name))


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_has_its_class(kind: Kind) -> None:
    assert DOCUMENT_TYPES[kind].kind is kind
    assert plain(kind).kind is kind


def invoice(**more: Any) -> SalesInvoice:
    return SalesInvoice(key="1", date=date(2026, 1, 1), party_key="C1", currency="EUR", total=Decimal(0), **more)


LINES = (Line(amount=Decimal("60.00")), Line(amount=Decimal("40.01"), discount=Decimal(5)))


@pytest.mark.parametrize(
    ("parts", "total"),
    [
        ({}, "0"),
        ({"lines": LINES}, "100.01"),
        ({"lines": LINES, "tax_total": Decimal("21.00")}, "121.01"),
        ({"lines": LINES, "tax_total": Decimal("17.36"), "prices_include_tax": True}, "100.01"),
        ({"lines": LINES, "freight": Decimal(10), "discount": Decimal("2.50")}, "107.51"),
        ({"lines": LINES, "rounding": Decimal("-0.01")}, "100.00"),
        (
            {
                "lines": LINES,
                "tax_total": Decimal(21),
                "freight": Decimal(10),
                "discount": Decimal(3),
                "rounding": Decimal("0.04"),
            },
            "128.05",
        ),
    ],
)
def test_what_the_parts_add_up_to(parts: dict[str, Any], total: str) -> None:
    assert invoice(**parts).computed_total() == Decimal(total)


@given(money_documents(), st.integers(-10_000, 10_000))
def test_each_part_counts_once_and_to_the_cent(document: MoneyDocument, cents: int) -> None:
    more, base = Decimal(cents).scaleb(-2), document.computed_total()

    def moved(**changes: Any) -> Decimal:
        return replace(document, **changes).computed_total() - base

    assert moved(lines=(*document.lines, Line(amount=more))) == more
    assert moved(freight=document.freight + more) == more
    assert moved(discount=document.discount + more) == -more
    assert moved(rounding=document.rounding + more) == more
    assert moved(tax_total=document.tax_total + more) == (0 if document.prices_include_tax else more)
    assert moved(lines=document.lines[::-1]) == 0
    assert moved(total=document.total + more) == 0
    included = replace(document, prices_include_tax=not document.prices_include_tax).computed_total()
    assert abs(included - base) == abs(document.tax_total)


@given(documents())
def test_a_document_can_be_made_again_from_its_fields(document: Document) -> None:
    again = type(document)(**{field.name: getattr(document, field.name) for field in fields(document)})
    assert again == document
    assert isinstance(document, TimeRecord) or document.total == document.computed_total()
