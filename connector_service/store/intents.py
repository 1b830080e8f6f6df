"""Intents: the record that a push is about to happen, kept until its outcome is known."""

from collections.abc import Iterator, Sequence

from connector_service.contract.journal import Change, Context, Intent, Known, Member
from connector_service.contract.target import Prepared
from connector_service.domain.kinds import Kind, State
from connector_service.store.batch import KNOWN, known_row
from connector_service.store.codec import decode_json, encode_json, moment_text, now, parse_moment
from connector_service.store.database import Database
from connector_service.store.documents import Documents


class Intents:
    """Writes and reads intents."""

    def __init__(self, database: Database, documents: Documents) -> None:
        """Work on this store."""
        self._database = database
        self._documents = documents

    def begin(
        self, context: Context, purpose: str, prepared: Prepared, members: Sequence[Member], state: State
    ) -> Intent:
        """Commit an intent before the call; a push leads its documents to ``state``: sending, or queued."""
        moment = now()
        with self._database.write():
            cursor = self._database.execute(
                "INSERT INTO intent (pair, route, purpose, kind, idempotency_key, body, members, tickets, created, is_open)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, '[]', ?, 1)",
                (
                    context.pair,
                    context.route,
                    purpose,
                    prepared.kind.value,
                    prepared.idempotency_key,
                    prepared.body,
                    encode_json([(member.document_id, member.external_reference, member.number) for member in members]),
                    moment_text(moment),
                ),
            )
            number = int(cursor.lastrowid or 0)
            self._database.execute_many(
                "INSERT OR REPLACE INTO intent_member (document, intent) VALUES (?, ?)",
                [(member.document_id, number) for member in members],
            )
            if purpose == "push":
                known = self._documents.by_ids([member.document_id for member in members])
                details = {"intent": number}
                self._documents.apply_within(context, [Change(state, one, details=details) for one in known])
        return Intent(number, context.pair, purpose, prepared, tuple(members), moment)

    def finish(self, context: Context, intent: Intent, changes: Sequence[Change], open_members: int) -> list[Known]:
        """Commit outcomes; the intent stays open while members of it are in doubt or queued."""
        with self._database.write():
            known = self._documents.apply_within(context, changes)
            if not open_members:
                # The exact bytes have served: what was booked stands in the document's content and in the trail.
                self._database.execute("UPDATE intent SET is_open = 0, body = x'' WHERE id = ?", (intent.id,))
                self._database.execute("DELETE FROM intent_member WHERE intent = ?", (intent.id,))
            else:
                settled = [(one.id,) for one in known if one.state not in (State.IN_DOUBT, State.QUEUED, State.SENDING)]
                self._database.execute_many("DELETE FROM intent_member WHERE document = ?", settled)
                self._database.execute(
                    "UPDATE intent SET tickets = ? WHERE id = ?", (encode_json(list(intent.tickets)), intent.id)
                )
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

    def of_document(self, document: int) -> Intent | None:
        """The open intent of a document, if it has one."""
        row = self._database.execute("SELECT intent FROM intent_member WHERE document = ?", (document,)).fetchone()
        return self._read(row[0]) if row else None

    def _read(self, number: int) -> Intent:
        row = self._database.execute(
            "SELECT pair, purpose, kind, idempotency_key, body, members, tickets, created FROM intent WHERE id = ?",
            (number,),
        ).fetchone()
        members = tuple(Member(*one) for one in decode_json(row[5]))
        references = tuple(member.external_reference for member in members)
        prepared = Prepared(Kind(row[2]), bytes(row[4]), references, row[3])
        created = parse_moment(row[7]) or now()
        return Intent(number, row[0], row[1], prepared, members, created, tuple(decode_json(row[6])))

    def _members(self, number: int, states: Sequence[State]) -> list[Known]:
        columns = ", ".join("d." + name for name in KNOWN.split(", "))
        marks = ", ".join("?" * len(states))
        rows = self._database.execute(
            f"SELECT {columns} FROM intent_member m JOIN document d ON d.id = m.document"
            f" WHERE m.intent = ? AND d.state IN ({marks}) ORDER BY d.id",
            (number, *states),
        )
        return [known_row(row) for row in rows]
