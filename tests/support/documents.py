"""Plain documents of each kind, for tests that need some and do not care about the details."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from connector_service.domain.documents import DOCUMENT_TYPES, Document, Line, TimeRecord
from connector_service.domain.kinds import Kind

FIRST_DAY = date(2026, 1, 15)
"""The date of the first document that ``plain`` makes."""


def plain(kind: Kind, place: int = 1, **changes: Any) -> Document:
    """The document number ``place`` of a kind: two lines with tax, or a time record; each has its own total."""
    prefix = {"sales_invoice": "INV", "sales_credit_note": "CN", "vendor_bill": "BILL", "vendor_credit": "VC"}.get(kind)
    day = FIRST_DAY + timedelta(days=place % 28)
    if kind is Kind.TIME_RECORD:
        record = TimeRecord(
            key=f"T{place}",
            date=day,
            employee_key=f"E{place % 3}",
            employee_name=f"Employee {place % 3}",
            minutes=30 + place,
            pay_item="regular",
            note=f"Shift {place}",
        )
        return replace(record, **changes)
    sales = kind.is_sales
    extra = Decimal(place) / 100
    lines = (
        Line(
            number="1",
            description="Milling",
            quantity=Decimal(2),
            unit_price=Decimal("30.00"),
            amount=Decimal("60.00"),
            account="8000" if sales else "4000",
            tax_code="V21",
            tax_amount=Decimal("12.60"),
        ),
        Line(
            number="2",
            description=f"Transport of order {place}",
            amount=Decimal("40.00") + extra,
            account="8100" if sales else "4100",
            tax_code="V21",
            tax_amount=Decimal("8.40"),
        ),
    )
    fields: dict[str, Any] = {
        "key": f"{kind}-{place}",
        "number": f"{prefix}-{place}",
        "date": day,
        "due_date": day + timedelta(days=30),
        "party_key": f"{'C' if sales else 'S'}{place % 5}",
        "party_name": f"{'Customer' if sales else 'Supplier'} {place % 5}",
        "currency": "EUR",
        "total": Decimal("121.00") + extra,
        "tax_total": Decimal("21.00"),
        "lines": lines,
    }
    made: Document = DOCUMENT_TYPES[kind](**{**fields, **changes})
    return made


def total_of(document: Document) -> Decimal:
    """What a document comes to: money, or minutes."""
    return Decimal(document.minutes) if isinstance(document, TimeRecord) else document.total
