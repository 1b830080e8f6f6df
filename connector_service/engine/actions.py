"""What a person does to one document: retry, ignore, mark, settle, undo, accept."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Final
from uuid import uuid4

from connector_service.contract.crashpoints import crash_point
from connector_service.contract.journal import Change, Context, Intent, Journal, Known, Member
from connector_service.contract.target import Done, Prepared, Refused, Target, Unknown
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import Flag, State
from connector_service.domain.problems import Conflict, NeedsUser, Problem
from connector_service.engine.newer import with_newer

PUT_ASIDE: Final = {"retry": State.WAITING, "ignore": State.IGNORED, "mark": State.MARKED}
"""Actions that lead a document to a state, by name."""

_FROM = {
    "retry": {State.REFUSED, State.HELD, State.UNREADABLE, State.MARKED, State.IGNORED, State.UNDONE, State.MISSING},
    "ignore": {State.WAITING, State.HELD, State.REFUSED, State.UNREADABLE},
    "mark": {State.WAITING, State.HELD, State.REFUSED, State.UNREADABLE},
}


def put_aside(journal: Journal, context: Context, action: str, documents: Sequence[Known]) -> list[Known]:
    """Retry, ignore or mark documents; refuses all where one is in a state that has no such way (``Conflict``)."""
    for one in documents:
        if one.state not in _FROM[action]:
            allowed = ", ".join(sorted(_FROM[action]))
            raise Conflict(
                f"Document {one.id} is {one.state}, so it cannot be given the action {action}.",
                why=f"That is for documents that are {allowed}.",
                fix="See what can be done with it: `connector documents show " + str(one.id) + "`.",
                code="NOT_POSSIBLE_NOW",
            )
    # What a person releases goes out although the source may say that it was exported.
    released = frozenset({Flag.RELEASED}) if action == "retry" else frozenset()
    pending = frozenset({Flag.WRITEBACK_PENDING, Flag.BEFORE_BEGIN})
    details = {"action": action}
    changes = [
        Change(PUT_ASIDE[action], one, set_flags=released, clear_flags=pending, details=details) for one in documents
    ]
    return journal.apply(context, changes)


def mark_sent(journal: Journal, context: Context, document: Known) -> Known:
    """A person says that a held document went out to the customer: from now on it counts as sent."""
    if document.state not in (State.HELD, State.WAITING) or not document.kind.is_sales:
        raise Conflict(f"Document {document.id} does not wait for being sent.", code="NOT_POSSIBLE_NOW")
    flags = frozenset({Flag.MARKED_SENT})
    return journal.apply(context, [Change(State.WAITING, document, set_flags=flags, details={"action": "mark-sent"})])[
        0
    ]


def settle_by_person(journal: Journal, context: Context, document: Known, remote_id: str | None) -> Known:
    """A person has looked into the books: booked with this id, or (``None``) not booked."""
    if document.state is not State.IN_DOUBT:
        raise Conflict(
            f"Document {document.id} is {document.state}, not in doubt.",
            fix="Only a document that is in doubt needs to be settled.",
            code="NOT_POSSIBLE_NOW",
        )
    for intent, members in list(journal.open_intents(context.pair, (State.IN_DOUBT, State.SENDING, State.QUEUED))):
        if document.id not in {one.id for one in members}:
            continue
        details = {"settled": "by a person"}
        if remote_id is None:
            journal.forget_request(intent)
            change = Change(State.WAITING, document, raise_generation=True, details=details)
        else:
            content = journal.content([document.id]).get(document.id)
            # Whether the source takes a mark is seen when the marks are made.
            pending = frozenset({Flag.WRITEBACK_PENDING})
            change = Change(
                State.EXPORTED, document, remote_id=remote_id, set_flags=pending, details=details, booked=content
            )
        return journal.finish_intent(context, intent, with_newer(journal, [change]))[-1]
    raise Conflict(f"Document {document.id} has nothing open to be settled.", code="NOT_POSSIBLE_NOW")


def accept_change(journal: Journal, context: Context, document: Known) -> Known:
    """A person keeps what is booked although the source has changed: the new content counts as seen."""
    if document.state is not State.DRIFTED:
        raise Conflict(f"Document {document.id} has not changed since it was exported.", code="NOT_POSSIBLE_NOW")
    newer = journal.content([document.id], newer=True).get(document.id)
    change = Change(
        State.EXPORTED,
        document,
        newer,
        keep_facts=True,
        booked=journal.content([document.id]).get(document.id),
        fingerprint=fingerprint(newer) if newer else None,
        details={"accepted": "the change at the source, as booked"},
    )
    return journal.apply(context, [change])[0]


def undo(journal: Journal, context: Context, target: Target, document: Known, day: date) -> Known:
    """Void one document in the books, under an intent of its own; refuses what the package does not permit."""
    if document.state not in (State.EXPORTED, State.DRIFTED):
        raise Conflict(f"Document {document.id} is {document.state}; only an exported one can be undone.")
    if not target.manifest.void:
        raise NeedsUser(
            f"{target.manifest.title} cannot void documents for us.",
            fix="Void or credit it there by hand, then mark it here.",
            code="NOT_POSSIBLE_HERE",
        )
    for begun, members in list(journal.open_intents(context.pair, (document.state,))):
        if begun.purpose == "void" and document.id in {one.id for one in members}:
            # Asked for before and not heard of: the same request is repeated, for it may have been carried out.
            return finish_undo(journal, context, target, begun, document, day)
    reference = f"void-{uuid4().hex}"
    prepared = Prepared(document.kind, document.remote_id.encode(), (reference,), reference)
    member = Member(document.id, reference, document.number)
    intent = journal.begin_intent(context, "void", prepared, [member], State.EXPORTED)
    crash_point("undo.after_intent")
    return finish_undo(journal, context, target, intent, document, day)


def finish_undo(
    journal: Journal, context: Context, target: Target, intent: Intent, document: Known, day: date
) -> Known:
    """Make the call of a void; the intent's reference makes a repeat after a crash harmless."""
    reference = intent.members[0].external_reference
    outcome = target.void(document.kind, intent.prepared.body.decode(), reference, day)
    crash_point("undo.after_call")
    if isinstance(outcome, Done):
        # What is undone must not be marked as exported at the source any more.
        newer = journal.content([document.id], newer=True).get(document.id)
        undone = Change(
            State.UNDONE,
            document,
            newer,  # what it has become at the source is what may go out again
            fingerprint=fingerprint(newer) if newer else None,
            clear_flags=frozenset({Flag.WRITEBACK_PENDING}),
        )
        return journal.finish_intent(context, intent, [undone])[0]
    if isinstance(outcome, Refused):
        journal.finish_intent(context, intent, [])
        raise _refused(outcome.problem)
    why = outcome.reason if isinstance(outcome, Unknown) else ""
    raise Conflict(
        f"It is not known whether document {document.number or document.key} was voided.",
        why=why,
        fix="Try again: the same request is repeated, and is harmless if it was carried out before.",
        code="OUTCOME_UNKNOWN",
    )


def _refused(problem: Problem) -> Conflict:
    return Conflict(problem.what, why=problem.why, fix=problem.fix, code=problem.code)


def resume_undos(journal: Journal, context: Context, target: Target, day: date) -> None:
    """Repeat the voids that a crash cut off between the intent and its outcome."""
    for intent, members in list(journal.open_intents(context.pair, (State.EXPORTED, State.DRIFTED))):
        if intent.purpose == "void" and members:
            # A refused or still unknown void concerns its own document; the others go on.
            with suppress(Conflict):
                finish_undo(journal, context, target, intent, members[0], day)
