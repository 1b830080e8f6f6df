"""Receipts put back from the audit trail into a store that is empty, restored or older than the trail."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import islice

from connector_service.contract.journal import Member
from connector_service.contract.trail import Receipt
from connector_service.domain.identity import UnitKey, external_reference
from connector_service.domain.kinds import Flag, State
from connector_service.domain.moments import moment_text
from connector_service.domain.money import to_minor
from connector_service.store.codec import FLAG_BITS, now
from connector_service.store.database import Database
from connector_service.store.intents import encode_members
from connector_service.store.trail import Trail

_CHUNK = 1000
_IN_FLIGHT = frozenset({State.SENDING, State.QUEUED, State.IN_DOUBT})
_KEPT = frozenset({State.EXPORTED, State.DRIFTED, State.MARKED, State.IGNORED, State.UNDONE, State.MISSING})


def put_back(database: Database, trail: Trail, receipts: Iterable[Receipt], head: tuple[int, str]) -> int:
    """Write receipts into the store and go on from the trail's head; returns how many. One transaction.

    What was on its way becomes in doubt, with an intent that names it, so that it is asked for in the books before
    anything is sent. What was not sent yet is left out: the source still has it.
    """
    count = 0
    rest = iter(receipts)
    with database.write():
        while part := list(islice(rest, _CHUNK)):
            kept = [one for one in part if one.state in _KEPT or one.state in _IN_FLIGHT]
            pairs = {digest: _pair(database, digest) for digest in {one.pair for one in kept}}
            database.execute_many(_UPSERT, [_row(one, pairs[one.pair]) for one in kept])
            for one in kept:
                if one.state in _IN_FLIGHT:
                    _intent(database, one, pairs[one.pair])
            count += len(kept)
        database.execute("DELETE FROM event")
        database.execute("DELETE FROM tally")
        database.execute(
            "INSERT INTO tally SELECT pair, kind, state, count(*) FROM document GROUP BY pair, kind, state"
        )
        database.execute("UPDATE route SET cursors = '{}', ask_first = 1")
        database.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('recovered', ?)", (moment_text(now()),))
        trail.set_head(*head)
    return count


def was_recovered(database: Database) -> bool:
    """Whether this store was ever rebuilt from the trail."""
    return database.execute("SELECT 1 FROM meta WHERE name = 'recovered'").fetchone() is not None


_UPSERT = """
INSERT INTO document (pair, kind, made_from, key, number, date, party_key, currency, total, state, status_code, run,
                      fingerprint, remote_id, generation, flags, booked_total, changed)
VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?, '', 0, ?, ?, ?, ?, NULL, ?)
ON CONFLICT (pair, kind, key, made_from) DO UPDATE SET state = excluded.state, status_code = '',
    remote_id = excluded.remote_id, generation = excluded.generation, fingerprint = excluded.fingerprint,
    number = excluded.number, flags = flags & ~1 | excluded.flags"""


def _row(one: Receipt, pair: int) -> tuple[object, ...]:
    state = State.IN_DOUBT if one.state in _IN_FLIGHT else one.state
    day = one.date.isoformat() if one.date else None
    # Whether it was marked at the source the trail does not say; marking again does no harm.
    flags = FLAG_BITS[Flag.WRITEBACK_PENDING] if state in (State.EXPORTED, State.DRIFTED) else 0
    total = to_minor(Decimal(one.amount), one.currency) if one.amount and one.currency else 0
    return (
        *(pair, one.kind.value, one.made_from, one.key, one.number, day, one.currency, total, state.value),
        *(one.fingerprint, one.remote_id, one.generation, flags, now().timestamp()),
    )


def _pair(database: Database, digest: str) -> int:
    row = database.execute("SELECT id FROM pair WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        database.execute("INSERT INTO pair (source, company, digest) VALUES ('', '', ?)", (digest,))
        row = database.execute("SELECT id FROM pair WHERE digest = ?", (digest,)).fetchone()
    return int(row[0])


def _intent(database: Database, one: Receipt, pair: int) -> None:
    find = "SELECT id FROM document WHERE pair = ? AND kind = ? AND key = ? AND made_from = ?"
    document = int(database.execute(find, (pair, one.kind.value, one.key, one.made_from)).fetchone()[0])
    reference = external_reference(one.pair, UnitKey(one.kind, one.key, one.made_from))
    member = Member(document, reference, one.number)
    moment = now().isoformat()
    cursor = database.execute(
        "INSERT INTO intent (pair, route, purpose, kind, idempotency_key, body, members, tickets, created, last_sent,"
        " is_open) VALUES (?, '', 'push', ?, '', x'', ?, '[]', ?, ?, 1)",
        (pair, one.kind.value, encode_members([member]), moment, moment),
    )
    database.execute(
        "INSERT OR REPLACE INTO intent_member (document, intent) VALUES (?, ?)", (document, cursor.lastrowid)
    )
