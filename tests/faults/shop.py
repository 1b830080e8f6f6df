"""A shop of any size with all kinds of documents, in the tables of the shipped profile, and a data folder around it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
TABLES: Final = ROOT / "config" / "profiles" / "shop.sql"

SETTINGS: Final = """
[service]
timezone = "Europe/Amsterdam"

[routes.main.source]
system = "sql"
url = "sqlite:///shop.db"
profile = "shop.toml"

[routes.main.target]
system = "journal"
company = "books"
currency = "EUR"

[routes.main.sync]
mode = "manual"

[routes.main.options]
batch_size = {batch_size}
"""


@dataclass(frozen=True, slots=True)
class Table:
    """How one kind of money document stands in the shop, and which part of all documents it is."""

    name: str
    kind: str
    key: str
    number: str
    day: str
    party: str
    account: str
    part: int


MONEY: Final = (
    Table("Invoice", "sales_invoice", "InvoiceNo", "InvoiceNo", "InvDate", "Cust", "8000", 40),
    Table("CreditNote", "sales_credit_note", "CreditNo", "CreditNo", "CreditDate", "Cust", "8000", 15),
    Table("Bill", "vendor_bill", "BillId", "BillNo", "BillDate", "Supp", "4000", 25),
    Table("SupplierCredit", "vendor_credit", "CreditId", "CreditNo", "CreditDate", "Supp", "4000", 10),
)
TIME_PART: Final = 10
FIRST_DAY: Final = date(2025, 12, 1)
"""Documents of each kind begin here, four a day, so that 200 lie in two years and so in two files of the books."""
_PER_DAY: Final = 4
LATER: Final = 400
"""Numbers of what is added to a shop later begin here."""


def make_home(home: Path, documents: int, batch_size: int = 40) -> Path:
    """A data folder with settings and a shop of so many documents, a tenth of them time records."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "connector.toml").write_text(SETTINGS.format(batch_size=batch_size), encoding="utf-8")
    with closing(sqlite3.connect(home / "shop.db")) as shop, shop:
        shop.executescript(TABLES.read_text(encoding="utf-8"))
        for table, prefix in (("Customer", "C"), ("Supplier", "S"), ("Employee", "E")):
            people = [(f"{prefix}{at}", f"{table} {at} & Sons", f"{FIRST_DAY} 08:00:00") for at in range(20)]
            shop.executemany(f"insert into {table} (Code, Name, ChangedAt) values (?, ?, ?)", people)
    grow(home, documents)
    return home


def grow(home: Path, documents: int, first: int = 0) -> None:
    """Add so many documents of all kinds in one step; ``first`` tells their keys from those that are there."""
    with closing(sqlite3.connect(home / "shop.db", timeout=30)) as shop, shop:
        for table in MONEY:
            _add_money(shop, table, range(first, first + documents * table.part // 100))
        _add_time(shop, range(first, first + documents * TIME_PART // 100))


def _changed(at: int) -> str:
    return f"{FIRST_DAY + timedelta(days=at // _PER_DAY)} {10 + at % _PER_DAY}:00:00"


def _add_money(shop: sqlite3.Connection, table: Table, places: Sequence[int]) -> None:
    heads, lines = [], []
    names = (*dict.fromkeys((table.key, table.number)), table.day, table.party)
    for at in places:
        # Odd cents, another amount in each document: one that is booked with its neighbour's amount is found out.
        first, second = Decimal(10007 + 13 * at) / 100, Decimal(2503 + 7 * at) / 100
        tax = ((first + second) * 21 / 100).quantize(Decimal("0.01"))
        key, day = f"{table.name}-{at:05}", FIRST_DAY + timedelta(days=at // _PER_DAY)
        currency, rate = ("USD", "0.920000") if at % 7 == 3 else ("EUR", None)
        number = key if table.key == table.number else f"Their-{table.name}-{at:05}"
        party = f"{'C' if table.party == 'Cust' else 'S'}{at % 20}"
        own = (key,) if table.key == table.number else (key, number)
        heads.append((*own, str(day), party, currency, rate, str(first + second + tax), str(tax), _changed(at)))
        code = "V21" if table.party == "Cust" else "I21"
        lines += [(key, 1, str(first), table.account, code), (key, 2, str(second), table.account, code)]
    if heads:
        columns = ", ".join([*names, "Currency", "Rate", "Total", "Tax", "ChangedAt"])
        marks = ", ".join("?" * len(heads[0]))
        shop.executemany(f"insert into {table.name} ({columns}) values ({marks})", heads)
        into = f"insert into {table.name}Line ({table.key}, LineNo, Descr, Amount, GL, TaxCode)"
        shop.executemany(f"{into} values (?, ?, 'Turning and milling', ?, ?, ?)", lines)


def _add_time(shop: sqlite3.Connection, places: Sequence[int]) -> None:
    days = {at: str(FIRST_DAY + timedelta(days=at // _PER_DAY)) for at in places}
    rows = [(f"T-{at:05}", days[at], f"E{at % 20}", 15 + at, _changed(at)) for at in places]
    into = "insert into TimeEntry (EntryNo, WorkDate, Emp, Minutes, PayItem, ChangedAt)"
    shop.executemany(f"{into} values (?, ?, ?, ?, 'regular', ?)", rows)


def has_grown(home: Path, first: int) -> bool:
    """Whether the documents from ``first`` on have been added."""
    return bool(rows(home, "select 1 from Invoice where InvoiceNo = ?", f"Invoice-{first:05}"))


def rows(home: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Read or change the shop."""
    with closing(sqlite3.connect(home / "shop.db", timeout=30)) as shop, shop:
        return shop.execute(sql, values).fetchall()


@dataclass(frozen=True, slots=True)
class Record:
    """What the shop says of one document."""

    kind: str
    key: str
    number: str
    amount: Decimal
    """Total in the document's currency, or minutes of a time record."""
    currency: str
    marked: bool


def records(home: Path) -> Iterator[Record]:
    """Every document of the shop, read by statements that are none of the product's."""
    for table in MONEY:
        sql = f"select {table.key}, {table.number}, cast(Total as text), Currency, Exported from {table.name}"
        for key, number, total, currency, marked in rows(home, sql):
            yield Record(table.kind, key, number, Decimal(total), currency, bool(marked))
    for key, minutes, marked in rows(home, "select EntryNo, Minutes, Exported from TimeEntry"):
        yield Record("time_record", key, key, Decimal(minutes), "", bool(marked))
