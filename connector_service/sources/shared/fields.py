"""The fields that a profile may name, and the type that each has."""

from enum import StrEnum
from typing import Final, TypeAlias

from connector_service.domain.kinds import Kind, PartyKind

AnyKind: TypeAlias = Kind | PartyKind


class Type(StrEnum):
    """What a field holds, which decides how a raw value becomes it."""

    TEXT = "a text"
    MONEY = "an amount of money"
    NUMBER = "a number"
    DATE = "a date"
    FLAG = "yes or no"
    MOMENT = "a date and time"
    CLOCK = "a time"
    MINUTES = "a number of minutes"


_ALL: Final = {"key": Type.TEXT, "changed_at": Type.MOMENT, "exported": Type.FLAG}

DOCUMENT_FIELDS: Final[dict[str, Type]] = {
    **_ALL,
    "number": Type.TEXT,
    "date": Type.DATE,
    "due_date": Type.DATE,
    "party_key": Type.TEXT,
    "party_name": Type.TEXT,
    "currency": Type.TEXT,
    "rate": Type.NUMBER,
    "total": Type.MONEY,
    "tax_total": Type.MONEY,
    "discount": Type.MONEY,
    "discount_tax_code": Type.TEXT,
    "freight": Type.MONEY,
    "freight_tax_code": Type.TEXT,
    "rounding": Type.MONEY,
    "prices_include_tax": Type.FLAG,
    "sent": Type.FLAG,
    "paid": Type.FLAG,
    "care_of_key": Type.TEXT,
    "terms": Type.TEXT,
    "project": Type.TEXT,
    "note": Type.TEXT,
}
"""Fields of an invoice, bill or credit, besides its lines."""

LINE_FIELDS: Final[dict[str, Type]] = {
    "number": Type.TEXT,
    "description": Type.TEXT,
    "quantity": Type.NUMBER,
    "unit_price": Type.NUMBER,
    "discount": Type.MONEY,
    "amount": Type.MONEY,
    "account": Type.TEXT,
    "tax_code": Type.TEXT,
    "tax_amount": Type.MONEY,
    "item": Type.TEXT,
    "cost_code": Type.TEXT,
    "project": Type.TEXT,
}
"""Fields of a line, in the order of ``Line``; a profile writes them with ``line.`` before."""

TIME_FIELDS: Final[dict[str, Type]] = {
    **_ALL,
    "number": Type.TEXT,
    "date": Type.DATE,
    "employee_key": Type.TEXT,
    "employee_name": Type.TEXT,
    "minutes": Type.MINUTES,
    "start": Type.CLOCK,
    "end": Type.CLOCK,
    "break_minutes": Type.MINUTES,
    "pay_item": Type.TEXT,
    "job": Type.TEXT,
    "customer_key": Type.TEXT,
    "item": Type.TEXT,
    "cost_code": Type.TEXT,
    "billable": Type.FLAG,
    "overtime": Type.FLAG,
    "approved": Type.FLAG,
    "note": Type.TEXT,
}
"""Fields of a time record."""

PARTY_FIELDS: Final[dict[str, Type]] = {
    "key": Type.TEXT,
    "changed_at": Type.MOMENT,
    "name": Type.TEXT,
    "company": Type.TEXT,
    "email": Type.TEXT,
    "phone": Type.TEXT,
    "tax_number": Type.TEXT,
    "street": Type.TEXT,
    "city": Type.TEXT,
    "postcode": Type.TEXT,
    "region": Type.TEXT,
    "country": Type.TEXT,
    "active": Type.FLAG,
}
"""Fields of a customer, supplier or employee."""

ALTERNATIVES: Final[dict[AnyKind, tuple[str, ...]]] = {
    Kind.SALES_INVOICE: ("packing_list",),
    Kind.VENDOR_BILL: ("receiver",),
}
"""Other records that a kind can be made from: sub-tables of the kind's table in a profile."""


def fields_of(kind: AnyKind) -> dict[str, Type]:
    """Every field that a kind has in a profile, lines' fields with ``line.`` before."""
    if isinstance(kind, PartyKind):
        return PARTY_FIELDS
    if kind is Kind.TIME_RECORD:
        return TIME_FIELDS
    return {**DOCUMENT_FIELDS, **{f"line.{name}": what for name, what in LINE_FIELDS.items()}}
