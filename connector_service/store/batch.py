"""One batch of transitions, turned into few statements: the only place where a document changes its state."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from connector_service.contract.journal import Change, Context, Event, Known
from connector_service.domain.documents import SourceRecord, TimeRecord, Unreadable
from connector_service.domain.kinds import BY_PERSON_ONLY, Kind, State, may_become
from connector_service.domain.money import from_minor
from connector_service.domain.problems import Conflict
from connector_service.domain.status_codes import FaultCode
from connector_service.store.codec import (
    FLAG_SETS,
    encode_document,
    encode_problems,
    flag_bits,
    minor_or_none,
    now,
    parse_date,
    total_of,
)
from connector_service.store.database import Database

KNOWN: Final = (
    "id, kind, made_from, key, number, state, status_code, fingerprint, remote_id, generation, date, run, flags"
)
"""The columns that ``known_row`` reads."""


class WayNotAllowed(AssertionError):
    """A transition that the state machine does not have: a fault of the program, never of the data."""


def steps(before: State | None, after: State, by_person: bool) -> tuple[State, ...]:
    """The states to pass from one to the other; composite ways go through waiting, and through sending to the books."""
    start = None if before is State.GONE else before
    if start in BY_PERSON_ONLY and not by_person:
        raise WayNotAllowed(f"only a person may lead a document from {start} to {after}")
    if start is after:
        return ()
    if may_become(start, after):
        return (after,)
    for way in ((State.WAITING, after), (State.SENDING, after), (State.WAITING, State.SENDING, after)):
        path = (start, *way)
        if all(may_become(one, two) for one, two in pairwise(path) if two is not None):
            return way
    raise WayNotAllowed(f"there is no way from {before} to {after}")


def known_row(row: tuple[Any, ...]) -> Known:
    """A row of the document table, read by the columns of ``KNOWN``."""
    return Known(
        row[0],
        Kind(row[1]),
        row[2],
        row[3],
        row[4],
        State(row[5]),
        row[6],
        bytes(row[7]),
        row[8],
        row[9],
        parse_date(row[10]),
        row[11],
        FLAG_SETS[row[12]],
    )


def add_to_tallies(database: Database, pair: int, deltas: Mapping[tuple[Kind, State], int]) -> None:
    """Keep the counts by kind and state in step; inside the transaction of the change."""
    rows = [(pair, kind.value, state.value, delta) for (kind, state), delta in deltas.items() if delta]
    database.execute_many(
        "INSERT INTO tally (pair, kind, state, n) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (pair, kind, state) DO UPDATE SET n = tally.n + excluded.n",
        rows,
    )


_INSERT: Final = """
INSERT INTO document (id, pair, kind, made_from, key, number, date, party_key, currency, total, state, status_code, run,
                      fingerprint, remote_id, generation, flags, booked_total, changed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)"""

_UPDATE: Final = """
UPDATE document SET number = coalesce(?, number), date = coalesce(?, date), party_key = coalesce(?, party_key),
    currency = coalesce(?, currency), total = coalesce(?, total), state = ?, status_code = ?, run = coalesce(?, run),
    fingerprint = coalesce(?, fingerprint), remote_id = coalesce(?, remote_id), generation = generation + ?,
    flags = (flags | ?) & ~?, booked_total = coalesce(?, booked_total), changed = ?
WHERE id = ? AND state = ?"""

_ID_OF_UPDATE: Final = -2
"""Where the document's id stands among the values of an update."""

_BODY: Final = """
INSERT INTO body (document, content, newer, problems) VALUES (?, ?, ?, ?)
ON CONFLICT (document) DO UPDATE SET content = coalesce(excluded.content, body.content), newer = excluded.newer,
    problems = excluded.problems"""

_BOOKED_CONTENT: Final = frozenset({State.DRIFTED})


class Batch:
    """Collects changes of one context, then writes them with as few statements as there are shapes."""

    def __init__(self, context: Context, digest: str, next_id: int) -> None:
        """Changes in this context; new documents are numbered from ``next_id``."""
        self._context = context
        self._digest = digest
        self._next_id = next_id
        self._by_person = context.actor != "service"
        self._stamp = now().timestamp()
        self._inserts: list[tuple[Any, ...]] = []
        self._updates: list[tuple[Any, ...]] = []
        self._bodies: list[tuple[Any, ...]] = []
        self._tallies: dict[tuple[Kind, State], int] = defaultdict(int)
        self.events: list[Event] = []

    def add(self, change: Change) -> Known:
        """Take in one change; returns what will be known afterwards. Raises ``WayNotAllowed``."""
        record, known = change.record, change.known
        kind = known.kind if known else change.kind or _kind_of(record)
        before = known.state if known else None
        path = steps(before, change.after, self._by_person)
        facts = _facts(record)
        code = change.problems[0].code if change.problems else ""
        number = facts[0] if facts[0] is not None else known.number if known else ""
        after = Known(
            known.id if known else self._next_id,
            kind,
            known.made_from if known else change.made_from,
            known.key if known else _key_of(record),
            number,
            change.after,
            code,
            change.fingerprint if change.fingerprint is not None else known.fingerprint if known else b"",
            change.remote_id if change.remote_id is not None else known.remote_id if known else "",
            (known.generation if known else 0) + change.raise_generation,
            (record.date if record is not None and record.date is not None else known.date if known else None),
            self._context.run or 0,
            ((known.flags if known else frozenset()) | change.set_flags) - change.clear_flags,
        )
        if known is None:
            self._insert(change, after, facts, code)
        else:
            self._update(change, known.state, after, facts, code)
        if before is not change.after:
            self._tallies[kind, change.after] += 1
            if before is not None:
                self._tallies[kind, before] -= 1
        # A record that comes back after it was gone is a new one to the state machine.
        self._tell(change, None if before is State.GONE else before, path or (change.after,), after)
        return after

    def _insert(self, change: Change, after: Known, facts: tuple[Any, ...], code: str) -> None:
        self._next_id += 1
        number, day, party, currency, total = (
            value if value is not None else blank for value, blank in zip(facts, _BLANK, strict=True)
        )
        self._inserts.append(
            (
                after.id,
                self._context.pair,
                after.kind.value,
                after.made_from,
                after.key,
                number,
                day,
                party,
                currency,
                total,
                after.state.value,
                code,
                self._context.run or 0,
                after.fingerprint,
                after.remote_id,
                flag_bits(change.set_flags),
                minor_or_none(change.booked_total, str(currency)),
                self._stamp,
            )
        )
        self._remember(change, after)

    def _update(self, change: Change, before: State, after: Known, facts: tuple[Any, ...], code: str) -> None:
        booked = minor_or_none(change.booked_total, facts[3] or _facts(change.booked)[3] or "")
        # A drifted document keeps the facts of what was booked; what it became stands in its newer content.
        facts = (None,) * 5 if after.state in _BOOKED_CONTENT or change.keep_facts else facts
        self._updates.append(
            (
                *facts,
                after.state.value,
                code,
                self._context.run,
                change.fingerprint,
                change.remote_id,
                int(change.raise_generation),
                flag_bits(change.set_flags),
                flag_bits(change.clear_flags),
                booked,
                self._stamp,
                after.id,
                before.value,
            )
        )
        if change.record is not None or change.problems or (change.known and change.known.status_code):
            self._remember(change, after)

    def _remember(self, change: Change, after: Known) -> None:
        text = (
            None if change.record is None or isinstance(change.record, Unreadable) else encode_document(change.record)
        )
        problems = encode_problems(change.problems)
        if after.state is State.MARKED or (text is None and problems is None and change.known is None):
            return
        if after.state in _BOOKED_CONTENT:
            self._bodies.append((after.id, None, text, problems))
        else:
            self._bodies.append((after.id, text, None, problems))

    def _tell(self, change: Change, before: State | None, path: Sequence[State], after: Known) -> None:
        amount, currency = "", ""
        record = change.booked if change.booked is not None else change.record
        if record is not None and not isinstance(record, Unreadable | TimeRecord):
            currency = record.currency
            amount = str(from_minor(total_of(record), currency))
        details: dict[str, Any] = dict(change.details)
        if after.status_code:
            details["code"] = after.status_code
        if after.date is not None:
            details["date"] = after.date.isoformat()
        if after.generation:
            details["generation"] = after.generation
        if after.fingerprint and change.after in (State.EXPORTED, State.SENDING):
            details["fingerprint"] = after.fingerprint.hex()
        context, last = self._context, len(path) - 1
        for place, state in enumerate(path):
            self.events.append(
                Event(
                    state.value,
                    context.route,
                    context.actor,
                    context.run,
                    self._digest,
                    after.kind.value,
                    after.made_from,
                    after.key,
                    after.number,
                    before.value if before else "",
                    state.value,
                    amount,
                    currency,
                    after.remote_id if place == last else "",
                    details if place == last else {},
                )
            )
            before = state

    def write(self, database: Database) -> None:
        """Write everything; inside an open transaction."""
        if self._inserts:
            database.execute_many(_INSERT, self._inserts)
        if self._updates and database.execute_many(_UPDATE, self._updates) != len(self._updates):
            raise Conflict(
                "A document was changed by someone else in the same moment.",
                fix="Look at it again, and repeat what you wanted where it still fits.",
                code=FaultCode.CHANGED_MEANWHILE,
            )
        if self._bodies:
            database.execute_many(_BODY, self._bodies)
        add_to_tallies(database, self._context.pair, self._tallies)
        if self._context.run is not None:
            ids = [row[0] for row in self._inserts] + [row[_ID_OF_UPDATE] for row in self._updates]
            database.execute_many(
                "INSERT OR REPLACE INTO run_item (run, document, state, status_code, total)"
                " SELECT ?, id, state, status_code, total FROM document WHERE id = ?",
                [(self._context.run, number) for number in ids],
            )


_BLANK: Final = ("", None, "", "", 0)


def _facts(record: SourceRecord | None) -> tuple[Any, ...]:
    """Number, date, party, currency and total of a record, as the document table has them; nothing without one."""
    if record is None:
        return (None, None, None, None, None)
    day = record.date.isoformat() if record.date is not None else None
    if isinstance(record, Unreadable):
        return (record.number or None, day, None, None, None)
    if isinstance(record, TimeRecord):
        return (record.number, day, record.employee_key, "", record.minutes)
    return (record.number, day, record.party_key, record.currency, total_of(record))


def _kind_of(record: SourceRecord | None) -> Kind:
    if record is None:
        raise WayNotAllowed("a document that is not known needs its content or its kind")
    return record.kind


def _key_of(record: SourceRecord | None) -> str:
    if record is None:
        raise WayNotAllowed("a document that is not known needs its content")
    return record.key
