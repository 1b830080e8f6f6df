"""What is true of shop, books, store and trail after everything: told by means that are none of the product's."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from beancount import loader

from connector_service.app import App
from tests.faults import shop

_HEAD: Final = re.compile(r"^\d{4}-\d\d-\d\d [*!] ")
_META: Final = re.compile(r'^  ([a-z_]+): "?(.*?)"?$')
_POSTING: Final = re.compile(r"^  ((?:Assets|Liabilities)[:A-Za-z0-9-]+)\s+(-?[\d.]+) ([A-Z]+)")
_AMOUNT_OF: Final = ("Assets:Receivable:", "Liabilities:Payable:", "Assets:Time:")


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction of the books that came from a document."""

    kind: str
    key: str
    number: str
    total: Decimal
    currency: str
    posted: Decimal
    """On the account of the party, without its sign; for a time record, minutes."""
    reference: str


def entries(books: Path) -> Iterator[Entry]:
    """Read the files' text, line by line."""
    for file in sorted(books.glob("*.beancount")):
        meta: dict[str, str] | None = None
        posted = Decimal(0)
        for line in [*file.read_text(encoding="utf-8").split("\n"), ""]:
            if _HEAD.match(line):
                assert meta is None, f"{file.name}: a transaction begins within another: {line}"
                meta, posted = {}, Decimal(0)
            elif meta is None:
                continue
            elif not line.strip():
                if "key" in meta or "void_of" in meta:
                    yield _entry(meta, posted)
                meta = None
            elif found := _META.match(line):
                meta.setdefault(found[1], found[2])
            elif (found := _POSTING.match(line)) and found[1].startswith(_AMOUNT_OF):
                posted += Decimal(found[2])


def _entry(meta: dict[str, str], posted: Decimal) -> Entry:
    if "void_of" in meta:
        return Entry("void", meta["void_of"], meta["void_of"], abs(posted), "", abs(posted), meta["void_reference"])
    total, _, currency = meta.get("total", "").partition(" ")
    amount, number = Decimal(total) if total else abs(posted), meta.get("number", meta["key"])
    return Entry(meta["kind"], meta["key"], number, amount, currency, abs(posted), meta["reference"])


def check_books(
    home: Path, *, all_of_them: bool = True, marks: bool = True, undone: frozenset[str] = frozenset()
) -> None:
    """Each document of the shop once in the books, to the cent, marked at the source; none that it does not have.

    ``undone`` are the keys of those that are taken back there, each by one reversal of the same amount.
    """
    booked = list(entries(home / "books"))
    times = Counter((one.kind, one.key) for one in booked)
    assert [unit for unit, count in times.items() if count > 1] == [], "booked twice"
    numbers = Counter((one.kind, one.number) for one in booked)
    assert [number for number, count in numbers.items() if count > 1] == [], "a number stands twice"
    voids = {one.key: one for one in booked if one.kind == "void"}
    in_books = {(one.kind, one.key): one for one in booked if one.kind != "void"}
    taken_back = {one.key: one for one in in_books.values() if one.reference in voids}
    assert frozenset(taken_back) == undone
    assert len(voids) == len(undone)
    assert all(voids[one.reference].posted == one.posted for one in taken_back.values())
    in_shop = {(one.kind, one.key): one for one in shop.records(home)}
    assert in_books.keys() <= in_shop.keys()
    if all_of_them:
        assert in_shop.keys() - in_books.keys() == set(), "lost"
    for unit, entry in in_books.items():
        record = in_shop[unit]
        assert (entry.number, entry.total, entry.currency) == (record.number, record.amount, record.currency)
        assert entry.posted == record.amount, unit
        if marks:
            assert record.marked, f"{unit} is booked and not marked at the source"
    if marks:
        assert {unit for unit, one in in_shop.items() if one.marked} <= in_books.keys(), "marked and not booked"


def check_store(home: Path, *, exported: bool = True, undone: int = 0) -> None:
    """Tallies equal states; nothing is on its way; with ``exported``, every document of the shop is, but the undone."""
    with closing(sqlite3.connect(f"file:{home / 'state.db'}?mode=ro", uri=True)) as store:
        states = set(store.execute("select kind, state, count(*) from document group by pair, kind, state"))
        tallies = set(store.execute("select kind, state, n from tally where n <> 0"))
        assert tallies == states
        assert store.execute("select count(*) from intent where is_open").fetchone() == (0,)
        known = Counter(dict(store.execute("select state, count(*) from document group by 1").fetchall()))
        if exported:
            assert known == Counter(exported=sum(1 for _ in shop.records(home)) - undone, undone=undone)


def check_trail(home: Path) -> None:
    """The audit trail proves itself whole."""
    with App(home, write=True) as app:
        verdict = app.verify_audit()
    assert verdict.ok, verdict


def load_books(home: Path) -> None:
    """Beancount itself loads the books without a complaint."""
    _, faults, _ = loader.load_file(str(home / "books" / "main.beancount"))
    assert faults == []


def check(home: Path, *, loaded: bool = False) -> None:
    """All of it, for a home in which everything should be exported by now."""
    check_books(home)
    check_store(home)
    check_trail(home)
    if loaded:
        load_books(home)


def issues(home: Path) -> dict[str, int]:
    """Open issues: their number by code."""
    with closing(sqlite3.connect(f"file:{home / 'state.db'}?mode=ro", uri=True)) as store:
        return dict(store.execute("select code, id from issue where closed is null").fetchall())
