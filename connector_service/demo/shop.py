"""Writes the sample shop: a SQLite database with the tables of ``config/profiles/shop.sql``."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from connector_service.demo.catalogue import CUSTOMERS, EMPLOYEES, SUPPLIERS, Person
from connector_service.demo.drafts import Draft, all_drafts

_BY_HAND: Final = ("Exported", "Paid", "ChangedAt")
"""Columns whose change is no change of the record: what we mark, and the shop's clock itself."""
_CLOCK: Final = """
create trigger {table}Clock after update of {columns} on {table} begin
    update {table} set ChangedAt = strftime('%Y-%m-%d %H:%M:%S', 'now', 'localtime') where rowid = new.rowid;
end"""
_LINE_CLOCK: Final = """
create trigger {table}LineClock{event} after {event} on {table}Line begin
    update {table} set ChangedAt = strftime('%Y-%m-%d %H:%M:%S', 'now', 'localtime') where {key} = {row}.{key};
end"""


def write_shop(file: Path, tables: str) -> None:
    """Make the database anew; ``tables`` are the statements that make its tables. Put in place in one step."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    with closing(sqlite3.connect(fresh)) as shop:
        shop.executescript(tables)
        for table, people in (("Customer", CUSTOMERS), ("Supplier", SUPPLIERS), ("Employee", EMPLOYEES)):
            _insert(shop, table, map(_party, people))
        for draft in all_drafts():
            _insert(shop, draft.table, [draft.head])
            _insert(shop, f"{draft.table}Line", _lines(draft))
        for statement in clocks(shop):
            shop.execute(statement)
        shop.commit()
    fresh.replace(file)


def clocks(shop: sqlite3.Connection) -> Iterator[str]:
    """Triggers that note the time of each change, as a business system does, so that only what changed is read."""
    for (table,) in shop.execute("select name from sqlite_master where type = 'table' order by name").fetchall():
        columns = [row[1] for row in shop.execute(f"pragma table_info({table})")]
        if "ChangedAt" in columns:
            seen = ", ".join(name for name in columns if name not in _BY_HAND)
            yield _CLOCK.format(table=table, columns=seen)
        elif table.endswith("Line"):
            for event, row in (("update", "new"), ("insert", "new"), ("delete", "old")):
                yield _LINE_CLOCK.format(table=table.removesuffix("Line"), event=event, row=row, key=columns[0])


def _insert(shop: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        places = ", ".join("?" * len(row))
        shop.execute(f"insert into {table} ({', '.join(row)}) values ({places})", _plain(list(row.values())))  # noqa: S608


def _lines(draft: Draft) -> Iterator[dict[str, Any]]:
    key = next(iter(draft.head.items()))
    return ({key[0]: key[1], **line} for line in draft.lines)


def _plain(values: Sequence[Any]) -> list[Any]:
    return [str(one) if isinstance(one, Decimal | date) else one for one in values]


def _party(person: Person) -> dict[str, Any]:
    return {
        "Code": person.code,
        "Name": person.name,
        "Company": person.name if person.code[0] != "E" else "",
        "Email": f"{person.code.lower()}@example.com",
        "VatNo": person.vat,
        "City": person.city,
        "Country": person.country,
        "ChangedAt": "2024-01-02 08:00:00",
    }
