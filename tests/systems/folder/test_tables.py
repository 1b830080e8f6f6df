"""CSV, XLSX and JSON lines."""

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from connector_service.domain.kinds import Kind
from tests.systems.folder.drop import SAMPLES, Drop, one, refused

XERO = SAMPLES / "xero-csv" / "SalesInvoiceTemplate.header-only.csv"
TOGGL = SAMPLES / "timesheet-csv" / "toggl-detailed-ja.csv"
needs_samples = pytest.mark.skipif(
    not XERO.exists(), reason="the folder of shared test input is not beside the repository"
)

SHOP = """
date_format = "%d.%m.%Y"
decimal = ","
[sales_invoice]
pattern = "sales*"
currency = "EUR"
[sales_invoice.columns]
key = "No"
number = "No"
date = "Date"
party_key = "Customer"
total = "Total"
"line.description" = "Text"
"line.amount" = "Amount"
"line.tax_amount" = "Tax"
[vendor_bill]
pattern = "bills*"
currency = "EUR"
total_from_lines = true
sheet = "Bills"
[vendor_bill.columns]
key = "No"
date = "Date"
party_key = "Supplier"
"line.amount" = "Amount"
"""
SALES = """No;Date;Customer;Total;Text;Amount;Tax
1;02.11.2026;C1;1.331,00;Steel;1.000,00;210,00
1;02.11.2026;C1;1.331,00;Work;100,00;21,00
"""


@pytest.fixture
def shop(drop: Drop) -> Drop:
    (drop.home / "shop.toml").write_text(SHOP)
    drop.section["profile"] = "shop"
    return drop


def xero_row(header: str, **values: str) -> str:
    columns = [name.lstrip("*") for name in header.strip().split(",")]
    assert set(values) <= set(columns)
    return ",".join(values.get(name, "") for name in columns) + "\n"


@needs_samples
def test_xero_template_with_rows(drop: Drop) -> None:
    header = XERO.read_text(encoding="utf-8-sig").splitlines()[0]
    head = {
        "ContactName": "Acme Ltd", "InvoiceNumber": "INV-7", "InvoiceDate": "02/11/2026", "DueDate": "02/12/2026",
        "Total": "228.00", "Currency": "GBP", "AccountCode": "200", "TaxType": "20% (VAT on Income)",
    }  # fmt: skip
    rows = xero_row(header, **head, Description="Plate", Quantity="2", UnitAmount="100", Discount="10", TaxAmount="36")
    rows += xero_row(header, **head, Description="Work", Quantity="1", UnitAmount="10.00", TaxAmount="2.00")
    drop.put("SalesInvoices.csv", f"{header}\n{rows}")
    invoice = one(drop.run(drop.open(profile="xero_sales_invoices_csv")))
    assert (invoice.kind, invoice.key, invoice.date) == (Kind.SALES_INVOICE, "INV-7", date(2026, 11, 2))
    assert (invoice.total, invoice.tax_total, invoice.currency) == (Decimal(228), Decimal(38), "GBP")
    assert (invoice.lines[0].discount, invoice.lines[0].amount) == (Decimal(20), Decimal(180))
    assert (invoice.lines[0].account, invoice.lines[0].tax_code) == ("200", "20% (VAT on Income)")
    assert invoice.computed_total() == invoice.total


@needs_samples
def test_xero_template_without_rows_is_refused(drop: Drop) -> None:
    drop.put("invoices.csv", XERO.read_bytes())
    assert "no rows" in refused(drop.run(drop.open(profile="xero_sales_invoices_csv"))).reason


@needs_samples
def test_toggl_report(drop: Drop) -> None:
    drop.put("toggl.csv", TOGGL.read_bytes())
    sleep, play = drop.run(drop.open(profile="toggl_time_csv"))
    assert (sleep.kind, sleep.minutes, sleep.date) == (Kind.TIME_RECORD, 480, date(2014, 6, 23))
    assert (play.minutes, play.start, play.job) == (720, datetime(2014, 6, 23, 10, 0), "娯楽")  # noqa: DTZ001
    assert sleep.employee_key == play.employee_key == "ちぃといつ"
    assert (sleep.billable, sleep.customer_key) == (False, "第3領域")
    assert sleep.key != play.key


@needs_samples
def test_toggl_word_that_is_not_known_is_refused_and_the_others_go_on(drop: Drop) -> None:
    text = TOGGL.read_text(encoding="utf-8-sig").replace("いいえ", "はい", 1).replace("いいえ", "vielleicht", 1)
    drop.put("toggl.csv", text)
    yes, unknown = drop.run(drop.open(profile="toggl_time_csv"))
    assert yes.billable is True
    assert "vielleicht" in unknown.reason
    assert drop.names("rejected") == ["toggl.csv", "toggl.csv.reason.txt"]


@pytest.mark.parametrize(
    ("encoding", "setting"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("windows-1252", 'encoding = "windows-1252"'),
        ("utf-16", 'encoding = "utf-16"'),
    ],
)
def test_csv_is_read_in_the_encoding_of_the_profile(shop: Drop, encoding: str, setting: str) -> None:
    (shop.home / "shop.toml").write_text(setting + SHOP)
    shop.put("sales.csv", SALES.replace("Steel", "Größe").encode(encoding))
    invoice = one(shop.run())
    assert invoice.lines[0].description == "Größe"
    assert (invoice.total, invoice.computed_total(), len(invoice.lines)) == (Decimal(1331), Decimal(1331), 2)


def test_file_name_is_no_part_of_the_key(shop: Drop) -> None:
    shop.put("sales.csv", SALES)
    shop.put("Sales (2).csv", SALES.replace("\n", "\r\n"))
    assert one(shop.run()).key == "1"
    assert shop.names("done") == ["Sales (2).csv", "sales.csv"]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("sales.csv", SALES.replace("Customer", "Client"), "“Customer”"),
        ("sales.csv", SALES.replace("Steel", "Größe").encode("latin-1"), "not written in utf-8"),
        ("sales.csv", SALES.replace("Steel", "St;eel"), "line 2 has 8 columns"),
        ("sales.csv", SALES.replace("Steel", '"Steel'), "cannot be read after line"),
        ("sales.csv", SALES.replace("1.000,00", "1,000.00"), "1,000.00"),
        ("other.csv", SALES, "sales*"),
    ],
)
def test_table_that_cannot_be_read_says_why(shop: Drop, name: str, content: str | bytes, why: str) -> None:
    shop.put(name, content)
    assert why in refused(shop.run()).reason


def book(sheets: dict[str, list[list[Any]]]) -> bytes:
    workbook = openpyxl.Workbook()
    assert workbook.active is not None
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


BILLS: list[list[Any]] = [
    ["No", "Date", "Supplier", "Amount"],
    [1001, date(2026, 11, 2), "S1", 0.1],
    [1001, date(2026, 11, 2), "S1", 0.2],
    [None, None, None, None],
    ["A-2", date(2026, 11, 3), "S2", 19.99],
]


def test_workbook_gives_exact_amounts_and_whole_keys(shop: Drop) -> None:
    shop.put("bills.xlsx", book({"Cover": [["x"]], "Bills": BILLS}))
    first, second = shop.run()
    assert (first.key, first.total, first.date) == ("1001", Decimal("0.30"), date(2026, 11, 2))
    assert (second.key, second.total) == ("A-2", Decimal("19.99"))


def test_workbook_without_the_sheet_is_refused(shop: Drop) -> None:
    shop.put("bills.xlsx", book({"Cover": BILLS}))
    assert "“Bills”" in refused(shop.run()).reason


def test_damaged_workbook_is_refused(shop: Drop) -> None:
    whole = book({"Bills": BILLS})
    for cut in (100, len(whole) // 2, len(whole) - 30):
        shop.put(f"bills{cut}.xlsx", whole[:cut])
    assert all("damaged" in record.reason for record in shop.run())
    shop.put("bills.xlsx", b"PK\x03\x04garbage")
    assert refused(shop.run()).reason


LINE = (
    '{"kind": "sales_invoice", "key": "1001", "number": "1001", "date": "2026-11-20", "party_key": "C1",'
    ' "currency": "EUR", "total": %s, "tax_total": "0.10", "lines": [{"description": "a", "amount": 0.2}]%s}'
)


def test_json_lines_keep_exact_decimals(drop: Drop) -> None:
    time = '{"kind":"time_record","key":"t","date":"2026-11-20","employee_key":"E","minutes":95,'
    time += '"start":"2026-11-20T22:15:00"}'
    drop.put("a.jsonl", "\ufeff" + LINE % ("0.30", "") + "\r\n\r\n" + time)
    invoice, record = drop.run()
    assert (invoice.total, invoice.computed_total()) == (Decimal("0.30"), Decimal("0.30"))
    assert (record.minutes, record.start) == (95, datetime(2026, 11, 20, 22, 15))  # noqa: DTZ001
    assert drop.names("done") == ["a.jsonl"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not a JSON object"),
        ('{"kind": "invoice", "key": "1"}', "“invoice”"),
        ('{"key": "1"}', "no `kind`"),
        (LINE % ('"x"', ""), "`total`"),
        (LINE % ("true", ""), "`total`"),
        (LINE % ("-1", ""), "negative"),
        (LINE % ("1", ', "duedate": "2026-12-01"'), "`duedate` is not a field. Did you mean due_date?"),
        (LINE % ("1", ', "lines": [{"amont": 1}]'), "line 1, `amont` is not a field. Did you mean amount?"),
        (LINE % ("1", ', "attachments": [{"name": "a", "media_type": "b", "location": "/etc/passwd"}]'), "attachments"),
        ((LINE % ("1", "")).replace("EUR", "euro"), "currency"),
        ((LINE % ("1", "")).replace('"2026-11-20"', '"20.11.2026"'), "date"),
        ((LINE % ("1", "")).replace('"key": "1001"', '"key": ""'), "key"),
        ((LINE % ('"NaN"', "")), "total"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "line 1"),
    ],
)
def test_faulty_json_line_is_named_and_the_others_go_on(drop: Drop, line: str, why: str) -> None:
    drop.put("a.jsonl", f"{line}\n{LINE % ('2', '')}".replace('"key": "1001"', '"key": "1002"', line.count("1002")))
    records = drop.run()
    faulty = next(record for record in records if not hasattr(record, "total"))
    assert why in faulty.reason
    assert "line 1" in faulty.reason
    assert sum(hasattr(record, "total") for record in records) == 1
