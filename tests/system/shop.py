"""A small shop in a SQLite file with a profile and settings of its own, as a user would have them."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TABLES: Final = """
create table customer (code text primary key, name text not null);
create table invoice (
    number text primary key, day text not null, customer text not null, currency text not null, total text not null,
    tax text not null, sent integer not null default 1, exported integer not null default 0, changed text not null);
create table invoice_line (number text, line integer, text text, amount text, account text, tax_code text);
create table bill (
    id integer primary key, number text, day text not null, supplier text not null, total text not null,
    changed text not null);
create table entry (
    id integer primary key, employee text, day text not null, minutes integer not null, approved integer not null,
    changed text not null);
"""

PROFILE: Final = '''
[sales_invoice]
query = """
select h.number as key, h.changed as changed_at, h.exported as exported, h.number as number, h.day as date,
       h.customer as party_key, c.name as party_name, h.currency as currency, h.total as total, h.tax as tax_total,
       h.sent as sent, d.line as "line.number", d.text as "line.description", d.amount as "line.amount",
       d.account as "line.account", d.tax_code as "line.tax_code"
from invoice h join invoice_line d on d.number = h.number join customer c on c.code = h.customer
where h.changed >= :since and h.day >= :from_date and h.day <= :to_date
order by h.number, d.line"""
probe = "select count(*), min(number), max(number) from invoice"
mark_exported = "update invoice set exported = 1 where number = :key"

[vendor_bill]
query = """
select id as key, changed as changed_at, number, day as date, supplier as party_key, supplier as party_name,
       'EUR' as currency, total, 'Goods' as "line.description", total as "line.amount", '4000' as "line.account"
from bill where changed >= :since and day >= :from_date and day <= :to_date order by id"""
probe = "select count(*), min(id), max(id) from bill"

[time_record]
query = """
select id as key, changed as changed_at, employee as employee_key, employee as employee_name, day as date, minutes,
       approved, 'regular' as pay_item
from entry where changed >= :since and day >= :from_date and day <= :to_date order by id"""
'''

SETTINGS: Final = """
[service]
timezone = "Europe/Amsterdam"

[routes.main.source]
system = "sql"
url = "sqlite:///shop.db"
profile = "shop-profile.toml"

[routes.main.target]
system = "journal"
company = "books"
currency = "EUR"

[routes.main.sync]
mode = "auto"
interval_seconds = 3600
items = ["sales_invoice", "vendor_bill", "time_record"]
"""


@dataclass(frozen=True, slots=True)
class Shop:
    """A data folder with a shop in it."""

    home: Path

    @property
    def settings(self) -> Path:
        """Its settings file."""
        return self.home / "connector.toml"

    def execute(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Change or read the shop's database."""
        with closing(sqlite3.connect(self.home / "shop.db")) as connection, connection:
            return connection.execute(sql, values).fetchall()

    def add_invoice(self, number: str, **changes: Any) -> None:
        """Add an invoice with two lines."""
        row = {
            "number": number,
            "day": "2026-03-10",
            "customer": "C1",
            "currency": "EUR",
            "total": "121.00",
            "tax": "21.00",
            "sent": 1,
            "exported": 0,
            "changed": "2026-03-10 12:00:00",
            **changes,
        }
        self.execute(f"insert into invoice ({', '.join(row)}) values ({', '.join('?' * len(row))})", *row.values())
        for line, (text, amount) in enumerate((("Milling", "60.00"), ("Transport", "40.00")), 1):
            self.execute("insert into invoice_line values (?, ?, ?, ?, '8000', 'V21')", number, line, text, amount)

    def add_bill(self, number: str, total: str = "50.00", day: str = "2026-03-11") -> None:
        """Add a vendor bill."""
        statement = "insert into bill (number, day, supplier, total, changed) values (?, ?, 'Iron & Co', ?, ?)"
        self.execute(statement, number, day, total, f"{day} 12:00:00")

    def add_entry(self, minutes: int, approved: int = 1) -> None:
        """Add hours of an employee."""
        statement = "insert into entry (employee, day, minutes, approved, changed) values ('E1', '2026-03-12', ?, ?, ?)"
        self.execute(statement, minutes, approved, "2026-03-12 12:00:00")

    def set(self, old: str, new: str) -> None:
        """Change the settings file."""
        text = self.settings.read_text(encoding="utf-8")
        assert old in text
        self.settings.write_text(text.replace(old, new), encoding="utf-8")


def make_shop(home: Path, invoices: int = 3) -> Shop:
    """A shop with so many invoices of EUR 121.00, one bill of EUR 50.00 and 90 minutes of work."""
    home.mkdir(parents=True, exist_ok=True)
    shop = Shop(home)
    with closing(sqlite3.connect(home / "shop.db")) as connection:
        connection.executescript(TABLES)
    (home / "shop-profile.toml").write_text(PROFILE, encoding="utf-8")
    shop.settings.write_text(SETTINGS, encoding="utf-8")
    shop.execute("insert into customer values ('C1', 'Acme BV')")
    for number in range(1, invoices + 1):
        shop.add_invoice(f"INV-{number:03}")
    shop.add_bill("B-77")
    shop.add_entry(90)
    return shop
