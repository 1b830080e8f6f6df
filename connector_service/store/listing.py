"""What people and machines are shown of the store: documents and reports, page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from connector_service.domain.kinds import BOOKED_STATES, Flag, Kind, State
from connector_service.domain.money import from_minor
from connector_service.domain.problems import Problem
from connector_service.store.codec import FLAG_BITS, decode_problems, flags_of, parse_date, party_name
from connector_service.store.database import Database

_COLUMNS: Final = (
    "d.id, d.kind, d.key, d.number, d.date, d.party_key, d.currency, d.total, d.state, d.status_code, d.remote_id,"
    " d.flags, d.made_from, d.booked_total, b.content, b.problems, d.pair"
)


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document as lists show it."""

    id: int
    kind: Kind
    key: str
    number: str
    date: date | None
    party: str
    currency: str
    total: Decimal
    """Minutes for a time record."""
    state: State
    status_code: str
    remote_id: str
    flags: tuple[str, ...]
    made_from: str
    booked_total: Decimal | None
    problems: tuple[Problem, ...]
    pair: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents to list; empty fields leave nothing out."""

    pair: int | None = None
    states: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    run: int | None = None
    text: str = ""
    first: date | None = None
    last: date | None = None
    flag: Flag | None = None

    def sql(self) -> tuple[str, list[Any]]:
        """The condition and its values."""
        parts: list[str] = ["1 = 1"]
        values: list[Any] = []
        if self.pair is not None:
            parts.append("d.pair = ?")
            values.append(self.pair)
        for column, wanted in (("d.state", self.states), ("d.status_code", self.codes), ("d.kind", self.kinds)):
            if wanted:
                parts.append(f"{column} IN ({', '.join('?' * len(wanted))})")
                values += wanted
        for sign, day in ((">=", self.first), ("<=", self.last)):
            if day is not None:
                parts.append(f"d.date {sign} ?")
                values.append(day.isoformat())
        if self.flag is not None:
            parts.append(f"d.flags & {FLAG_BITS[self.flag]} <> 0")
        if self.run is not None:
            parts.append("(d.id IN (SELECT document FROM run_item WHERE run = ?) OR d.run = ?)")
            values += [self.run, self.run]
        if self.text:
            parts.append("(d.number LIKE ? OR d.key LIKE ? OR d.party_key LIKE ?)")
            values += [f"%{self.text}%"] * 3
        return " AND ".join(parts), values


class Listing:
    """Reads for lists and reports."""

    def __init__(self, database: Database) -> None:
        """Work on this store."""
        self._database = database

    def documents(self, wanted: Filter, after: int = 0, limit: int = 100) -> list[DocumentRow]:
        """Documents by id, the next ``limit`` after one."""
        condition, values = wanted.sql()
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM document d LEFT JOIN body b ON b.document = d.id"
            f" WHERE {condition} AND d.id > ? ORDER BY d.id LIMIT ?",
            (*values, after, limit),
        )
        return [_row(row) for row in rows]

    def count(self, wanted: Filter) -> int:
        """How many documents fit."""
        condition, values = wanted.sql()
        row = self._database.execute(f"SELECT count(*) FROM document d WHERE {condition}", values).fetchone()
        return int(row[0])

    def document(self, number: int) -> DocumentRow | None:
        """One document."""
        row = self._database.execute(
            f"SELECT {_COLUMNS} FROM document d LEFT JOIN body b ON b.document = d.id WHERE d.id = ?", (number,)
        ).fetchone()
        return _row(row) if row else None

    def of_run(self, run: int) -> Iterator[DocumentRow]:
        """Every document that a run touched, with its state after it, streamed."""
        after = 0
        while True:
            rows = self._database.execute(
                f"SELECT {_COLUMNS}, i.state, i.status_code FROM document d"
                " LEFT JOIN run_item i ON i.document = d.id AND i.run = ?"
                " LEFT JOIN body b ON b.document = d.id"
                " WHERE d.id > ? AND (d.run = ? OR i.run IS NOT NULL) ORDER BY d.id LIMIT 1000",
                (run, after, run),
            ).fetchall()
            for row in rows:
                changed = (*row[:8], row[17] or row[8], row[18] if row[18] is not None else row[9], *row[10:17])
                yield _row(changed)
            if len(rows) < 1000:
                return
            after = rows[-1][0]

    def run_counts(self, run: int) -> dict[str, int]:
        """How many documents a run left in each state."""
        counts: dict[str, int] = {}
        for query in (
            "SELECT state, count(*) FROM run_item WHERE run = ? GROUP BY state",
            "SELECT state, sum(n) FROM run_bulk WHERE run = ? GROUP BY state",
        ):
            for state, count in self._database.execute(query, (run,)):
                counts[state] = counts.get(state, 0) + count
        return counts

    def run_totals(self, run: int) -> dict[str, dict[str, dict[str, str]]]:
        """By kind and currency, the amount that the run looked at and the amount that stands exported after it.

        What is marked or ignored is not in scope and not counted. Time records count minutes.
        """
        totals: dict[str, dict[str, dict[str, int]]] = {}
        rows = self._database.execute(
            "SELECT d.kind, d.currency, i.state, sum(i.total) FROM run_item i JOIN document d ON d.id = i.document"
            " WHERE i.run = ? AND i.state NOT IN ('marked', 'ignored', 'unreadable', 'gone')"
            " GROUP BY d.kind, d.currency, i.state",
            (run,),
        )
        for kind, currency, state, total in rows:
            unit = currency or ("minutes" if kind == Kind.TIME_RECORD else "")
            entry = totals.setdefault(kind, {}).setdefault(unit, {"source": 0, "exported": 0})
            entry["source"] += total
            # What changed at the source later stands in the books as it was booked.
            if state in BOOKED_STATES:
                entry["exported"] += total
        return {
            kind: {
                unit: {
                    side: str(value) if unit == "minutes" else str(from_minor(value, unit))
                    for side, value in sides.items()
                }
                for unit, sides in units.items()
            }
            for kind, units in totals.items()
        }

    def of_other_sources(self, source: str, company: str, remote_ids: Sequence[str]) -> set[str]:
        """Which of these ids in the books are documents that another source has put into the same company."""
        found: set[str] = set()
        for at in range(0, len(remote_ids), 500):
            part = remote_ids[at : at + 500]
            rows = self._database.execute(
                "SELECT d.remote_id FROM document d JOIN pair p ON p.id = d.pair WHERE p.company = ? AND p.source <> ?"
                f" AND d.remote_id IN ({', '.join('?' * len(part))})",
                (company, source, *part),
            )
            found.update(row[0] for row in rows)
        return found

    def pairs(self) -> Sequence[tuple[int, str, str]]:
        """Every source and company that the store knows."""
        return self._database.execute("SELECT id, source, company FROM pair ORDER BY id").fetchall()


def _row(row: tuple[Any, ...]) -> DocumentRow:
    kind, currency = Kind(row[1]), row[6]
    return DocumentRow(
        id=row[0],
        kind=kind,
        key=row[2],
        number=row[3],
        date=parse_date(row[4]),
        party=party_name(row[14]) or row[5],
        currency=currency,
        total=from_minor(row[7], currency) if currency else Decimal(row[7]),
        state=State(row[8]),
        status_code=row[9],
        remote_id=row[10],
        flags=tuple(flags_of(row[11])),
        made_from=row[12],
        booked_total=from_minor(row[13], currency) if row[13] is not None and currency else None,
        problems=tuple(decode_problems(row[15])),
        pair=row[16],
    )
