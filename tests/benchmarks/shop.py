"""Shops and data folders of any size for the benchmarks."""

import sqlite3
from datetime import date, timedelta
from pathlib import Path

# The plus signs keep SQLite on the index of ChangedAt, which a poll needs, and off that of the date.
QUERY = """
select h.InvoiceNo as key, h.ChangedAt as changed_at, h.Exported as exported, h.InvoiceNo as number, h.InvDate as date,
       h.DueDate as due_date, h.Cust as party_key, c.Name as party_name, h.Currency as currency, h.Total as total,
       h.Tax as tax_total, h.Sent as sent, d.LineNo as "line.number", d.Descr as "line.description",
       d.Qty as "line.quantity", d.Price as "line.unit_price", d.Amount as "line.amount", d.GL as "line.account",
       d.TaxCode as "line.tax_code"
from Invoice h join InvoiceLine d on d.InvoiceNo = h.InvoiceNo join Customer c on c.Code = h.Cust
where h.ChangedAt >= :since and +h.InvDate >= :from_date and +h.InvDate <= :to_date
order by h.ChangedAt, h.InvoiceNo, d.LineNo"""

PROFILE = f'''
[sales_invoice]
query = """{QUERY}"""
probe = "select count(*), min(InvoiceNo), max(InvoiceNo) from Invoice where InvDate >= :from_date"
'''

SETTINGS = """
[service]
timezone = "Europe/Amsterdam"
[routes.main.source]
system = "sql"
url = "sqlite:///shop.db"
profile = "shop-profile.toml"
[routes.main.target]
system = "journal"
[routes.main.sync]
begin = {begin}
[routes.main.options]
max_new_per_run = 10000000
"""

NEWEST = date(2026, 6, 30)


def day_of(number: int, count: int, per_day: int) -> date:
    """Documents spread evenly over the past, the last one on ``NEWEST``."""
    return NEWEST - timedelta(days=(count - 1 - number) // per_day)


def make_home(home: Path, documents: int, lines: int = 2, per_day: int = 100, begin: str = "2026-06-01") -> Path:
    """A data folder with settings and a shop of so many invoices."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "shop-profile.toml").write_text(PROFILE, encoding="utf-8")
    (home / "connector.toml").write_text(SETTINGS.format(begin=begin), encoding="utf-8")
    shop = sqlite3.connect(home / "shop.db")
    shop.executescript("""
        pragma synchronous = off;
        create table Customer (Code text primary key, Name text);
        create table Invoice (InvoiceNo integer primary key, ChangedAt text, Exported integer, InvDate text,
            DueDate text, Cust text, Currency text, Total numeric, Tax numeric, Sent integer);
        create table InvoiceLine (InvoiceNo integer, LineNo integer, Descr text, Qty numeric, Price numeric,
            Amount numeric, GL text, TaxCode text, primary key (InvoiceNo, LineNo)) without rowid;
    """)
    shop.executemany(
        "insert into Customer values (?, ?)", [(f"C{n:03}", f"Customer {n} & Sons B.V.") for n in range(200)]
    )
    shop.executemany(
        "insert into Invoice values (?, ?, 0, ?, ?, ?, 'EUR', ?, ?, 1)",
        (
            (
                number,
                f"{day} 10:00:00",
                str(day),
                str(day + timedelta(days=30)),
                f"C{number % 200:03}",
                60.5 * lines,
                10.5 * lines,
            )
            for number in range(documents)
            for day in (day_of(number, documents, per_day),)
        ),
    )
    shop.executemany(
        "insert into InvoiceLine values (?, ?, 'Turning and milling', 2, 25.00, 50.00, '8000', 'V21')",
        ((number, line) for number in range(documents) for line in range(1, lines + 1)),
    )
    shop.executescript("""
        create index InvoiceChanged on Invoice (ChangedAt, InvoiceNo);
        create index InvoiceDay on Invoice (InvDate);
    """)
    shop.commit()
    shop.close()
    return home
