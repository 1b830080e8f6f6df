"""Documents in the store: what is known, and the one place where a document changes its state."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

from connector_service.contract.journal import Change, Context, Event, Held, Known
from connector_service.contract.source import Window
from connector_service.domain.documents import Document, Head
from connector_service.domain.kinds import Flag, Kind, State
from connector_service.store.batch import KNOWN, Batch, add_to_tallies, known_row
from connector_service.store.codec import FLAG_BITS, decode_document, encode_document, encode_json, now
from connector_service.store.database import Database
from connector_service.store.trail import Trail

_CHUNK: Final = 500
# Spelled as in the partial index, which SQLite takes only then.
_OPEN: Final = "state NOT IN ('exported', 'marked', 'ignored', 'undone', 'gone')"


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for at in range(0, len(values), _CHUNK):
        yield values[at : at + _CHUNK]


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


class Documents:
    """Reads and changes documents."""

    def __init__(self, database: Database, trail: Trail) -> None:
        """Work on this store, telling this trail."""
        self._database = database
        self._trail = trail
        self._digests: dict[int, str] = {}

    # -- what is known ------------------------------------------------------------------------------------------------

    def known(self, pair: int, kind: Kind, made_from: str, keys: Sequence[str]) -> dict[str, Known]:
        """What is known of these keys, by one statement per few hundred."""
        found: dict[str, Known] = {}
        for part in _chunks(keys):
            for row in self._database.execute(
                f"SELECT {KNOWN} FROM document WHERE pair = ? AND kind = ? AND made_from = ?"
                f" AND key IN ({_marks(part)})",
                (pair, kind.value, made_from, *part),
            ):
                found[row[3]] = known_row(row)
        return found

    def by_ids(self, document_ids: Sequence[int]) -> list[Known]:
        """What is known of documents, by their numbers in the store."""
        found = []
        for part in _chunks(document_ids):
            rows = self._database.execute(
                f"SELECT {KNOWN} FROM document WHERE id IN ({_marks(part)}) ORDER BY id", part
            )
            found += [known_row(row) for row in rows]
        return found

    def same_numbers(self, pair: int, kind: Kind, numbers: Sequence[str]) -> dict[str, list[tuple[str, str, State]]]:
        """By number: key, party and state of every unit that carries it; marked ones are left out."""
        found: dict[str, list[tuple[str, str, State]]] = defaultdict(list)
        for part in _chunks(numbers):
            for number, key, party, state in self._database.execute(
                "SELECT number, key, party_key, state FROM document"
                f" WHERE pair = ? AND kind = ? AND number IN ({_marks(part)}) AND number <> '' AND state <> 'marked'",
                (pair, kind.value, *part),
            ):
                found[number].append((key, party, State(state)))
        return found

    def open_documents(self, pair: int, states: Sequence[State], after: int, limit: int) -> list[Held]:
        """Documents in these states by id, the next ``limit`` after one, with their content."""
        condition = f"d.pair = ? AND d.state IN ({_marks(states)}) AND {_OPEN.replace('state', 'd.state')}"
        return self._with_content(condition, (pair, *states), after, limit)

    def stored(self, pair: int, kind: Kind, made_from: str, window: Window, after: int, limit: int) -> list[Held]:
        """Documents of a window with their content, as they were last read or booked; by id, after one, so many."""
        condition = "d.pair = ? AND d.kind = ? AND d.made_from = ? AND d.date BETWEEN ? AND ?"
        days = (window.first.isoformat(), window.last.isoformat())
        return self._with_content(condition, (pair, kind.value, made_from, *days), after, limit)

    def _with_content(self, condition: str, values: tuple[Any, ...], after: int, limit: int) -> list[Held]:
        rows = self._database.execute(
            f"SELECT {', '.join('d.' + name for name in KNOWN.split(', '))}, b.content"
            " FROM document d LEFT JOIN body b ON b.document = d.id"
            f" WHERE {condition} AND d.id > ? ORDER BY d.id LIMIT ?",
            (*values, after, limit),
        ).fetchall()
        return [Held(known_row(row), decode_document(Kind(row[1]), row[13]) if row[13] else None) for row in rows]

    def content(self, document_ids: Sequence[int], newer: bool = False) -> dict[int, Document]:
        """The content of documents as it was last read or booked; with ``newer`` as it changed after that."""
        column = "newer" if newer else "content"
        found: dict[int, Document] = {}
        for part in _chunks(document_ids):
            for number, kind, text in self._database.execute(
                f"SELECT d.id, d.kind, b.{column} FROM document d JOIN body b ON b.document = d.id"
                f" WHERE d.id IN ({_marks(part)}) AND b.{column} IS NOT NULL",
                part,
            ):
                found[number] = decode_document(Kind(kind), text)
        return found

    def known_count(self, pair: int, kind: Kind, window: Window) -> int:
        """How many units of a kind the store knows; within a window where it is not open to both sides."""
        if window.is_open:
            row = self._database.execute(
                "SELECT sum(n) FROM tally WHERE pair = ? AND kind = ?", (pair, kind.value)
            ).fetchone()
        else:
            row = self._database.execute(
                "SELECT count(*) FROM document WHERE pair = ? AND kind = ? AND date BETWEEN ? AND ?",
                (pair, kind.value, window.first.isoformat(), window.last.isoformat()),
            ).fetchone()
        return int(row[0] or 0)

    def unseen(self, pair: int, kind: Kind, made_from: str, window: Window, run: int) -> list[Known]:
        """Documents not yet pushed, dated in the window, that the run has neither read nor touched."""
        # A row that cannot be read may have no date: it lies in no window but the open one.
        dated = "" if window.is_open else " AND date BETWEEN ? AND ?"
        days = () if window.is_open else (window.first.isoformat(), window.last.isoformat())
        rows = self._database.execute(
            f"SELECT {KNOWN} FROM document WHERE pair = ? AND kind = ? AND made_from = ?"
            f" AND state IN ('waiting', 'held', 'refused', 'unreadable') AND {_OPEN} AND run <> ?{dated}",
            (pair, kind.value, made_from, run, *days),
        )
        return [known_row(row) for row in rows]

    def tallies(self, pair: int) -> dict[State, int]:
        """Documents by state, kept up with every change."""
        rows = self._database.execute("SELECT state, sum(n) FROM tally WHERE pair = ? GROUP BY state", (pair,))
        return {State(state): count for state, count in rows if count}

    def pending_writebacks(self, pair: int, limit: int) -> list[Known]:
        """Exported documents whose mark at the source is still to be made."""
        rows = self._database.execute(
            f"SELECT {KNOWN} FROM document WHERE pair = ? AND flags & 3 <> 0 AND flags & 1 <> 0 ORDER BY id LIMIT ?",
            (pair, limit),
        )
        return [known_row(row) for row in rows]

    def flagged(self, pair: int, flag: Flag) -> int:
        """How many documents have a flag that an index counts: ``writeback_pending`` or ``booked_differs``."""
        row = self._database.execute(
            "SELECT count(*) FROM document WHERE pair = ? AND flags & 3 <> 0 AND flags & ? <> 0",
            (pair, FLAG_BITS[flag]),
        ).fetchone()
        return int(row[0])

    # -- changes ------------------------------------------------------------------------------------------------------

    def digest(self, pair: int) -> str:
        """The text that stands for source and company in the trail."""
        if pair not in self._digests:
            row = self._database.execute("SELECT digest FROM pair WHERE id = ?", (pair,)).fetchone()
            self._digests[pair] = row[0]
        return self._digests[pair]

    def apply(self, context: Context, changes: Sequence[Change]) -> list[Known]:
        """Commit transitions with their events and tallies in one transaction; refuses a way that does not exist."""
        with self._database.write():
            return self.apply_within(context, changes)

    def apply_within(self, context: Context, changes: Sequence[Change]) -> list[Known]:
        """As ``apply``, inside a transaction that is open already."""
        if not changes:
            return []
        batch = Batch(context, self.digest(context.pair), self._next_id())
        result = [batch.add(change) for change in changes]
        batch.write(self._database)
        self._trail.add(batch.events)
        return result

    def _next_id(self) -> int:
        return int(self._database.execute("SELECT coalesce(max(id), 0) FROM document").fetchone()[0]) + 1

    def keep_newer(self, newer: Mapping[int, Document | None]) -> None:
        """Remember what the source says now of documents whose push is under way; ``None``: the same as was sent."""
        rows = [(encode_document(document) if document else None, number) for number, document in newer.items()]
        with self._database.write():
            self._database.execute_many("UPDATE body SET newer = ? WHERE document = ?", rows)

    def touch(self, context: Context, document_ids: Sequence[int]) -> None:
        """Note that the run looked at documents and left them as they are, so that its report lists them."""
        if not document_ids or context.run is None:
            return
        with self._database.write():
            for part in _chunks(document_ids):
                self._database.execute(
                    "INSERT OR REPLACE INTO run_item (run, document, state, status_code, total)"
                    f" SELECT ?, id, state, status_code, total FROM document WHERE id IN ({_marks(part)})",
                    (context.run, *part),
                )
                self._database.execute(
                    f"UPDATE document SET run = ? WHERE id IN ({_marks(part)})", (context.run, *part)
                )

    def clear_writebacks(self, context: Context, document_ids: Sequence[int]) -> None:
        """The marks have been made at the source; one event tells of all."""
        with self._database.write():
            for part in _chunks(document_ids):
                self._database.execute(f"UPDATE document SET flags = flags & ~1 WHERE id IN ({_marks(part)})", part)
            details = {
                "count": len(document_ids),
                "first": min(document_ids, default=0),
                "last": max(document_ids, default=0),
            }
            self._trail.add(
                [Event("marked_at_source", route=context.route, actor=context.actor, run=context.run, details=details)]
            )

    # -- bulk ---------------------------------------------------------------------------------------------------------

    def mark_heads(self, context: Context, kind: Kind, made_from: str, heads: Iterable[Head], begin: date) -> int:
        """Mark records dated before the begin date: one transaction, one event with count, range and digest."""
        counted = _Counted(context, kind, made_from, heads)
        with self._database.write():
            before = self._markable(context.pair, kind)
            marked = self._database.execute_many(_MARK, counted.rows())
            if marked <= 0:
                return 0
            after = self._markable(context.pair, kind)
            moved = {state: after.get(state, 0) - count for state, count in before.items()}
            add_to_tallies(
                self._database, context.pair, {(kind, State.MARKED): marked} | {(kind, s): n for s, n in moved.items()}
            )
            if context.run is not None:
                self._database.execute(
                    "INSERT INTO run_bulk (run, kind, state, n, totals) VALUES (?, ?, 'marked', ?, ?)",
                    (context.run, kind.value, marked, encode_json(dict(counted.totals))),
                )
            details = {"begin": begin.isoformat(), "count": marked, **counted.details()}
            self._trail.add([self._bulk_event("begin_date", context, kind, made_from, None, State.MARKED, details)])
        return marked

    def _markable(self, pair: int, kind: Kind) -> dict[State, int]:
        rows = self._database.execute(
            "SELECT state, count(*) FROM document WHERE pair = ? AND kind = ?"
            f" AND state IN ('waiting', 'held', 'refused', 'unreadable') AND {_OPEN} GROUP BY state",
            (pair, kind.value),
        )
        return {State(state): count for state, count in rows}

    def _bulk_event(
        self,
        name: str,
        context: Context,
        kind: Kind,
        made_from: str,
        before: State | None,
        after: State,
        details: dict[str, Any],
    ) -> Event:
        return Event(
            name,
            route=context.route,
            actor=context.actor,
            run=context.run,
            pair=self.digest(context.pair),
            kind=kind.value,
            made_from=made_from,
            before=before.value if before else "",
            after=after.value,
            details=details,
        )

    def release_marked(self, context: Context, kind: Kind, window: Window) -> int:
        """Lead documents of a window that were marked for their date only back to waiting; one event with the count."""
        by_date = FLAG_BITS[Flag.BEFORE_BEGIN]
        with self._database.write():
            cursor = self._database.execute(
                f"UPDATE document SET state = 'waiting', run = 0, flags = flags & ~{by_date}"
                f" WHERE pair = ? AND kind = ? AND state = 'marked' AND flags & {by_date} <> 0"
                " AND date BETWEEN ? AND ?",
                (context.pair, kind.value, window.first.isoformat(), window.last.isoformat()),
            )
            released = int(cursor.rowcount)
            if released:
                moved = {(kind, State.MARKED): -released, (kind, State.WAITING): released}
                add_to_tallies(self._database, context.pair, moved)
                details = {"first": window.first.isoformat(), "last": window.last.isoformat(), "count": released}
                self._trail.add([self._bulk_event("released", context, kind, "", State.MARKED, State.WAITING, details)])
        return released


_MARK: Final = f"""
INSERT INTO document (pair, kind, made_from, key, number, date, party_key, currency, total, state, status_code, run,
                      fingerprint, remote_id, generation, flags, booked_total, changed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'marked', '', ?, x'', '', 0, {FLAG_BITS[Flag.BEFORE_BEGIN]}, NULL, ?)
ON CONFLICT (pair, kind, key, made_from) DO UPDATE SET state = 'marked', status_code = '', run = excluded.run,
    changed = excluded.changed, flags = (document.flags & ~{FLAG_BITS[Flag.RELEASED]}) | excluded.flags
WHERE document.state IN ('waiting', 'held', 'refused', 'unreadable')"""


class _Counted:
    """Turns heads into rows while counting them, so that nothing is held in memory."""

    def __init__(self, context: Context, kind: Kind, made_from: str, heads: Iterable[Head]) -> None:
        self._heads = heads
        self._fixed = (context.pair, kind.value, made_from)
        self._tail = (context.run or 0, now().timestamp())
        self.count = 0
        self.totals: dict[str, int] = defaultdict(int)
        self._first: date | None = None
        self._last: date | None = None
        self._digest = blake2b(digest_size=16)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        fixed, tail, totals = self._fixed, self._tail, self.totals
        heads = iter(self._heads)
        while part := list(islice(heads, 5000)):
            days = [head.date for head in part]
            texts = {day: day.isoformat() for day in set(days)}
            low, high = min(texts), max(texts)
            self._first = low if self._first is None else min(self._first, low)
            self._last = high if self._last is None else max(self._last, high)
            self.count += len(part)
            self._digest.update("\n".join([head.key for head in part]).encode())
            for head in part:
                totals[head.currency] += head.total_minor
                yield (
                    *fixed,
                    head.key,
                    head.number,
                    texts[head.date],
                    head.party_key,
                    head.currency,
                    head.total_minor,
                    *tail,
                )

    def details(self) -> dict[str, Any]:
        return {
            "first": self._first.isoformat() if self._first else "",
            "last": self._last.isoformat() if self._last else "",
            "seen": self.count,
            "keys_digest": self._digest.hexdigest(),
        }
