"""Intents: the record that a push is about to happen, kept until its outcome is known."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from connector_service.contract.journal import Change, Context, Intent, Known, Member
from connector_service.contract.target import Prepared
from connector_service.domain.kinds import Kind, State
from connector_service.domain.problems import Conflict
from connector_service.domain.status_codes import FaultCode
from connector_service.store.batch import KNOWN, known_row
from connector_service.store.codec import decode_json, encode_json, now
from connector_service.store.database import Database
from connector_service.store.documents import Documents

_OPEN = (State.SENDING, State.QUEUED, State.IN_DOUBT)


def encode_members(members: Sequence[Member]) -> str:
    """Members of an intent as they stand in the store."""
    return encode_json([(one.document_id, one.external_reference, one.number, one.date) for one in members])


class Intents:
    """Writes and reads intents."""

    def __init__(self, database: Database, documents: Documents, clock: Callable[[], datetime] = now) -> None:
        """Work on this store, by this clock."""
        self._database = database
        self._documents = documents
        self._clock = clock

    def begin(
        self, context: Context, purpose: str, prepared: Prepared, members: Sequence[Member], state: State
    ) -> Intent:
        """Commit an intent before the call; a push leads its documents to ``state``: sending, or queued.

        Raises ``Conflict`` where one of them no longer waits: a person was faster.
        """
        moment = self._clock()
        with self._database.write():
            cursor = self._database.execute(
                "INSERT INTO intent (pair, route, purpose, kind, idempotency_key, body, members, tickets, created,"
                " last_sent, is_open) VALUES (?, ?, ?, ?, ?, ?, ?, '[]', ?, ?, 1)",
                (
                    context.pair,
                    context.route,
                    purpose,
                    prepared.kind.value,
                    prepared.idempotency_key,
                    prepared.body,
                    encode_members(members),
                    moment.isoformat(),
                    moment.isoformat(),
                ),
            )
            number = int(cursor.lastrowid or 0)
            self._database.execute_many(
                "INSERT OR REPLACE INTO intent_member (document, intent) VALUES (?, ?)",
                [(member.document_id, number) for member in members],
            )
            if purpose == "push":
                known = self._documents.by_ids([member.document_id for member in members])
                if any(one.state is not State.WAITING for one in known):
                    raise Conflict("A document of the batch no longer waits.", code=FaultCode.CHANGED_MEANWHILE)
                details = {"intent": number}
                self._documents.apply_within(context, [Change(state, one, details=details) for one in known])
        return Intent(number, context.pair, purpose, prepared, tuple(members), moment, moment)

    def resend(self, intent: Intent) -> None:
        """Note, before the call, that the same request is sent once more."""
        with self._database.write():
            self._sent_now(intent)

    def forget(self, intent: Intent) -> None:
        """Drop the request's bytes, so that it can never be sent again."""
        with self._database.write():
            self._database.execute("UPDATE intent SET body = x'' WHERE id = ?", (intent.id,))

    def _sent_now(self, intent: Intent) -> None:
        moment = self._clock().isoformat()
        self._database.execute("UPDATE intent SET last_sent = ? WHERE id = ?", (moment, intent.id))

    def finish(self, context: Context, intent: Intent, changes: Sequence[Change]) -> list[Known]:
        """Commit outcomes; a push stays open while members of it are sending, queued or in doubt."""
        with self._database.write():
            known = self._documents.apply_within(context, changes)
            left = self._members(intent.id, _OPEN) if intent.purpose == "push" else []
            if not left:
                # The exact bytes have served: what was booked stands in the document's content and in the trail.
                self._database.execute("UPDATE intent SET is_open = 0, body = x'' WHERE id = ?", (intent.id,))
                self._database.execute("DELETE FROM intent_member WHERE intent = ?", (intent.id,))
                return known
            settled = [(one.id,) for one in known if one.state not in _OPEN]
            self._database.execute_many("DELETE FROM intent_member WHERE document = ?", settled)
            self._database.execute(
                "UPDATE intent SET tickets = ? WHERE id = ?", (encode_json(list(intent.tickets)), intent.id)
            )
            if any(change.after is State.IN_DOUBT for change in changes):
                # The answer was lost just now, or the program was ended in between: the target may be at it from now.
                self._sent_now(intent)
        return known

    def open(self, pair: int, states: Sequence[State]) -> Iterator[tuple[Intent, list[Known]]]:
        """Intents that have members in these states, each with those members, oldest first."""
        numbers = self._database.execute(
            "SELECT id FROM intent WHERE pair = ? AND is_open = 1 ORDER BY id", (pair,)
        ).fetchall()
        for (number,) in numbers:
            intent = self._read(number)
            members = self._members(number, states)
            if members:
                yield intent, members

    def _read(self, number: int) -> Intent:
        row = self._database.execute(
            "SELECT pair, purpose, kind, idempotency_key, body, members, tickets, created, last_sent FROM intent"
            " WHERE id = ?",
            (number,),
        ).fetchone()
        members = tuple(Member(*one) for one in decode_json(row[5]))
        references = tuple(member.external_reference for member in members)
        prepared = Prepared(Kind(row[2]), bytes(row[4]), references, row[3])
        created, last_sent = datetime.fromisoformat(row[7]), datetime.fromisoformat(row[8])
        return Intent(number, row[0], row[1], prepared, members, created, last_sent, tuple(decode_json(row[6])))

    def _members(self, number: int, states: Sequence[State]) -> list[Known]:
        columns = ", ".join("d." + name for name in KNOWN.split(", "))
        marks = ", ".join("?" * len(states))
        rows = self._database.execute(
            f"SELECT {columns} FROM intent_member m JOIN document d ON d.id = m.document"
            f" WHERE m.intent = ? AND d.state IN ({marks}) ORDER BY d.id",
            (number, *states),
        )
        return [known_row(row) for row in rows]
