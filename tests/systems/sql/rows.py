"""What stands in the shop of these tests, and the documents that must come out of it, each written down by itself."""

# ruff: noqa: DTZ001 - the source's own clock has no zone

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from connector_service.domain.documents import (
    Document,
    Line,
    SalesCreditNote,
    SalesInvoice,
    TimeRecord,
    VendorBill,
    VendorCredit,
)
from connector_service.domain.kinds import Kind

HARD_NAME: Final = "Łódź & Søn — 東京 \"Ltd\" 'x'; drop table Invoice; -- %s :key"
HARD_KEY: Final = "I'; -- ü%"

_AT: Final = "2026-11-20 10:00:00"
_PARTY: Final[dict[str, Any]] = {"ChangedAt": _AT}

ROWS: Final[list[tuple[str, dict[str, Any]]]] = [
    ("Customer", {"Code": "C1", "Name": HARD_NAME, "Email": "a@example.com", "Country": "NL", **_PARTY}),
    ("Customer", {"Code": "C2", "Name": "Quiet BV", "Active": 0, "ChangedAt": "2026-11-22 09:30:00"}),
    ("Supplier", {"Code": "S1", "Name": "Parts & Co", "VatNo": "NL001234567B01", **_PARTY}),
    ("Employee", {"Code": "E1", "Name": "Zoë Ångström", **_PARTY}),
    (
        "Invoice",
        {"InvoiceNo": "1001", "InvDate": "2026-11-20", "DueDate": "2026-12-20", "Cust": "C1", "Currency": "EUR"}
        | {"Total": "121.00", "Tax": "21.00", "CareOf": "C2", "Terms": "N30", "ChangedAt": _AT},
    ),
    (
        "InvoiceLine",
        {"InvoiceNo": "1001", "LineNo": 1, "Descr": "Bracket", "Qty": "3", "Price": "20.1100", "Amount": "60.33"}
        | {"GL": "8000", "TaxCode": "S21", "TaxAmount": "12.67"},
    ),
    (
        "InvoiceLine",
        {"InvoiceNo": "1001", "LineNo": 2, "Descr": "Labour", "Qty": "0.5", "Price": "79.34", "Amount": "39.67"}
        | {"GL": "8010", "TaxCode": "S21", "TaxAmount": "8.33", "Item": "LAB", "CostCode": "CC1", "Project": "P7"},
    ),
    (
        "Invoice",
        {"InvoiceNo": "1002", "InvDate": "2026-11-21", "Cust": "C2", "Currency": "USD", "Rate": "0.912345"}
        | {"Total": "0.30", "Discount": "0.10", "Freight": "0.20", "FreightTax": "Z", "Exported": 1, "Sent": 0}
        | {"ChangedAt": "2026-11-21 08:15:30"},
    ),
    (
        "InvoiceLine",
        {"InvoiceNo": "1002", "LineNo": 1, "Descr": "Washer", "Price": "0.1", "Qty": "2", "Amount": "0.20"},
    ),
    (
        "Invoice",
        {"InvoiceNo": HARD_KEY, "InvDate": "2026-11-22", "Cust": "C1", "Currency": "JPY", "Total": "15000"}
        | {"Note": HARD_NAME, "ChangedAt": "2026-11-22 23:59:59"},
    ),
    ("InvoiceLine", {"InvoiceNo": HARD_KEY, "LineNo": 1, "Descr": HARD_NAME, "Amount": "15000"}),
    (
        "CreditNote",
        {"CreditNo": "K1", "CreditDate": "2026-11-20", "Cust": "C1", "Currency": "EUR", "Total": "12.10"}
        | {"Tax": "2.10", "ChangedAt": _AT},
    ),
    ("CreditNoteLine", {"CreditNo": "K1", "LineNo": 1, "Descr": "Return", "Amount": "10", "TaxCode": "S21"}),
    (
        "Bill",
        {"BillId": "B1", "BillNo": "2026/77", "BillDate": "2026-11-19", "Supp": "S1", "Currency": "EUR"}
        | {"Total": "1234567.89", "Tax": "0", "Rounding": "-0.01", "Paid": 1, "ChangedAt": _AT},
    ),
    ("BillLine", {"BillId": "B1", "LineNo": 1, "Descr": "Steel", "Amount": "1234567.90", "Discount": "0.05"}),
    (
        "SupplierCredit",
        {"CreditId": "V1", "CreditNo": "CR-9", "CreditDate": "2026-11-19", "Supp": "S1", "Currency": "EUR"}
        | {"Total": "5", "ChangedAt": _AT},
    ),
    ("SupplierCreditLine", {"CreditId": "V1", "LineNo": 1, "Descr": "Scrap", "Amount": "5"}),
    (
        "PackingList",
        {"PackNo": "PL1", "ShipDate": "2026-11-18", "Cust": "C1", "Currency": "EUR", "Total": "7", "ChangedAt": _AT},
    ),
    ("PackingListLine", {"PackNo": "PL1", "LineNo": 1, "Descr": "Shipped", "Amount": "7"}),
    (
        "TimeEntry",
        {"EntryNo": "T1", "WorkDate": "2026-10-24", "Emp": "E1", "StartAt": "2026-10-24 22:00:00"}
        | {"EndAt": "2026-10-25 06:30:00", "BreakMinutes": 30, "PayItem": "NIGHT", "Job": "J1", "Cust": "C1"}
        | {"Billable": 1, "ChangedAt": _AT},
    ),
    (
        "TimeEntry",
        {"EntryNo": "T2", "WorkDate": "2026-11-20", "Emp": "E1", "Minutes": 95, "Overtime": 1, "Approved": 0}
        | {"ChangedAt": _AT},
    ),
]

_CHANGED: Final = datetime(2026, 11, 20, 10)
D = Decimal


def _line(number: int, description: str, amount: str, **more: Any) -> Line:
    return Line(number=str(number), description=description, amount=D(amount), **more)


DOCUMENTS: Final[dict[Kind, list[Document]]] = {
    Kind.SALES_INVOICE: [
        SalesInvoice(
            key="1001",
            number="1001",
            date=date(2026, 11, 20),
            due_date=date(2026, 12, 20),
            party_key="C1",
            party_name=HARD_NAME,
            currency="EUR",
            total=D("121"),
            tax_total=D("21"),
            care_of_key="C2",
            terms="N30",
            sent=True,
            paid=False,
            changed_at=_CHANGED,
            lines=(
                _line(
                    1,
                    "Bracket",
                    "60.33",
                    quantity=D(3),
                    unit_price=D("20.11"),
                    account="8000",
                    tax_code="S21",
                    tax_amount=D("12.67"),
                ),
                Line(
                    number="2",
                    description="Labour",
                    quantity=D("0.5"),
                    unit_price=D("79.34"),
                    amount=D("39.67"),
                    account="8010",
                    tax_code="S21",
                    tax_amount=D("8.33"),
                    item="LAB",
                    cost_code="CC1",
                    project="P7",
                ),
            ),
        ),
        SalesInvoice(
            key="1002",
            number="1002",
            date=date(2026, 11, 21),
            party_key="C2",
            party_name="Quiet BV",
            currency="USD",
            rate=D("0.912345"),
            total=D("0.30"),
            discount=D("0.10"),
            freight=D("0.20"),
            freight_tax_code="Z",
            exported=True,
            sent=False,
            paid=False,
            changed_at=datetime(2026, 11, 21, 8, 15, 30),
            lines=(_line(1, "Washer", "0.20", quantity=D(2), unit_price=D("0.1")),),
        ),
        SalesInvoice(
            key=HARD_KEY,
            number=HARD_KEY,
            date=date(2026, 11, 22),
            party_key="C1",
            party_name=HARD_NAME,
            currency="JPY",
            total=D(15000),
            note=HARD_NAME,
            sent=True,
            paid=False,
            changed_at=datetime(2026, 11, 22, 23, 59, 59),
            lines=(_line(1, HARD_NAME, "15000"),),
        ),
    ],
    Kind.SALES_CREDIT_NOTE: [
        SalesCreditNote(
            key="K1",
            number="K1",
            date=date(2026, 11, 20),
            party_key="C1",
            party_name=HARD_NAME,
            currency="EUR",
            total=D("12.10"),
            tax_total=D("2.10"),
            sent=True,
            paid=False,
            changed_at=_CHANGED,
            lines=(_line(1, "Return", "10", tax_code="S21"),),
        )
    ],
    Kind.VENDOR_BILL: [
        VendorBill(
            key="B1",
            number="2026/77",
            date=date(2026, 11, 19),
            party_key="S1",
            party_name="Parts & Co",
            currency="EUR",
            total=D("1234567.89"),
            rounding=D("-0.01"),
            paid=True,
            changed_at=_CHANGED,
            lines=(_line(1, "Steel", "1234567.90", discount=D("0.05")),),
        )
    ],
    Kind.VENDOR_CREDIT: [
        VendorCredit(
            key="V1",
            number="CR-9",
            date=date(2026, 11, 19),
            party_key="S1",
            party_name="Parts & Co",
            currency="EUR",
            total=D(5),
            paid=False,
            changed_at=_CHANGED,
            lines=(_line(1, "Scrap", "5"),),
        )
    ],
    Kind.TIME_RECORD: [
        # Summer time ends in this night: from ten to half past six are nine and a half hours, less half an hour.
        TimeRecord(
            key="T1",
            date=date(2026, 10, 24),
            employee_key="E1",
            employee_name="Zoë Ångström",
            minutes=540,
            start=datetime(2026, 10, 24, 22),
            end=datetime(2026, 10, 25, 6, 30),
            break_minutes=30,
            pay_item="NIGHT",
            job="J1",
            customer_key="C1",
            billable=True,
            approved=True,
            changed_at=_CHANGED,
        ),
        TimeRecord(
            key="T2",
            date=date(2026, 11, 20),
            employee_key="E1",
            employee_name="Zoë Ångström",
            minutes=95,
            overtime=True,
            approved=False,
            changed_at=_CHANGED,
        ),
    ],
}
"""By kind, in the order of their keys."""
