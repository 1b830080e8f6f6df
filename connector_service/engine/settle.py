"""What is in doubt is asked for in the target, in the ways its manifest declares, before anything is sent for it again."""

from collections.abc import Sequence
from dataclasses import replace

from connector_service.contract.crashpoints import crash_point
from connector_service.contract.journal import Change, Context, Intent, Known
from connector_service.contract.manifest import Idempotency
from connector_service.contract.target import Booked, BookedState, Done, LookUp, Outcome, Queued, Refused, Unknown
from connector_service.domain.documents import Document, TimeRecord
from connector_service.domain.kinds import State
from connector_service.domain.messages import problem
from connector_service.domain.status_codes import OutcomeCode
from connector_service.engine.push import exported_change, outcome_change
from connector_service.engine.setup import Route


def settle(route: Route, pair: int, run: int) -> int:
    """Settle what an earlier call or a crash left open; returns how many documents stay in doubt.

    Raises ``RetryLater`` or ``NeedsUser`` where the target cannot be asked now.
    """
    left = 0
    context = route.context(pair, run)
    for intent, members in list(route.journal.open_intents(pair, (State.SENDING, State.IN_DOUBT))):
        left += _settle_intent(route, context, intent, members)
    return left


def _settle_intent(route: Route, context: Context, intent: Intent, members: Sequence[Known]) -> int:
    cut_off = [one for one in members if one.state is State.SENDING]
    if cut_off:
        why = "The program was ended between sending it and hearing the answer."
        facts = {"target": route.target.manifest.title, "why": why}
        changes = [
            Change(
                State.IN_DOUBT,
                one,
                problems=(problem(OutcomeCode.OUTCOME_UNKNOWN, document=one.number or one.key, id=one.id, **facts),),
            )
            for one in cut_off
        ]
        route.journal.finish_intent(context, intent, changes, len(members))
        members = route.journal.by_ids([one.id for one in members])
    content = route.journal.content([one.id for one in members])
    outcomes = _ask(route, intent, members, content)
    changes = []
    for one in members:
        outcome = outcomes.get(one.id)
        if outcome is None:
            # Proved not to be booked: the next try is a new one for the target.
            changes.append(Change(State.WAITING, one, raise_generation=True, details={"settled": "not booked"}))
        elif isinstance(outcome, Refused):
            changes.append(Change(State.WAITING, one, raise_generation=True, details={"settled": "refused"}))
        elif isinstance(outcome, Done):
            document = content.get(one.id)
            if document is None:
                changes.append(Change(State.EXPORTED, one, remote_id=outcome.remote_id, details={"found": True}))
            else:
                changes.append(exported_change(route, one, document, replace(outcome, found=True)))
    open_ids = [one.id for one in members if isinstance(outcomes.get(one.id), Unknown)]
    left = len(members) - len(changes)
    crash_point("settle.before_outcome")
    route.journal.finish_intent(context, intent, changes, left)
    route.journal.touch(context, open_ids)
    return left


def _ask(
    route: Route, intent: Intent, members: Sequence[Known], content: dict[int, Document]
) -> dict[int, Outcome | None]:
    """By document: its outcome, ``None`` where it is proved not to be booked, ``Unknown`` where nobody can tell yet."""
    manifest = route.target.manifest
    age = (route.clock() - intent.created).total_seconds()
    places = {member.document_id: place for place, member in enumerate(intent.members)}
    for way in manifest.idempotency:
        if way is Idempotency.REPLAY and intent.prepared.body and age < manifest.limits.memory_seconds:
            outcomes = route.target.push(intent.prepared)
            if len(outcomes) == len(intent.members):
                return {one.id: outcomes[places[one.id]] for one in members}
        elif way in (Idempotency.EXTERNAL_REFERENCE, Idempotency.SEARCH):
            found, asked = _search(route, intent, members, content, way)
            answers: dict[int, Outcome | None] = dict(found)
            if age < manifest.limits.settle_after_seconds:
                still = Unknown(f"{manifest.title} may still be working on it.")
                return {one.id: answers.get(one.id) or still for one in members}
            dark = Unknown(f"{manifest.title} cannot be searched for it.")
            return {one.id: answers.get(one.id) if one.id in asked else dark for one in members}
    return {one.id: Unknown(f"{manifest.title} cannot be asked what became of it.") for one in members}


def _search(
    route: Route, intent: Intent, members: Sequence[Known], content: dict[int, Document], way: Idempotency
) -> tuple[dict[int, Done], set[int]]:
    """What was found, and which documents could be asked for at all."""
    references = {member.document_id: member.external_reference for member in intent.members}
    questions, asked = [], []
    for one in members:
        document = content.get(one.id)
        by_reference = way is Idempotency.EXTERNAL_REFERENCE
        if by_reference or (document is not None and not isinstance(document, TimeRecord)):
            questions.append(question(one, document, references[one.id], by_reference))
            asked.append(one)
    answers = route.target.look_up(questions)
    found = {}
    for one, asked_for, booked in zip(asked, questions, answers, strict=True):
        match = the_one(asked_for, booked)
        if match is not None:
            found[one.id] = Done(match.remote_id, match.number, match.total, match.tax_total, found=True)
    return found, {one.id for one in asked}


def question(known: Known, document: Document | None, reference: str, by_reference: bool) -> LookUp:
    """How the books are asked for a document: by our reference, or by what it says."""
    if by_reference or document is None or isinstance(document, TimeRecord):
        return LookUp(known.kind, external_reference=reference)
    return LookUp(
        known.kind,
        number=document.number,
        date=document.date,
        total=document.total,
        currency=document.currency,
    )


def the_one(question: LookUp, booked: Sequence[Booked]) -> Booked | None:
    """The document that answers the question; a void one does not, nor one that only shares its number."""
    for one in booked:
        if one.state is BookedState.VOID:
            continue
        if question.external_reference:
            if one.external_reference == question.external_reference:
                return one
        elif one.total in (None, question.total) and one.date in (None, question.date):
            return one
    return None


def collect(route: Route, pair: int, run: int) -> int:
    """Take in what became of queued documents; returns how many still wait in the target's queue."""
    if not route.target.manifest.queued:
        return 0
    left = 0
    context = route.context(pair, run)
    for intent, members in list(route.journal.open_intents(pair, (State.QUEUED,))):
        outcomes = (
            route.target.collect(intent.tickets) if intent.tickets else route.target.push(intent.prepared)
        )  # without tickets a crash came between the intent and the queue: the same bytes are queued now
        content = route.journal.content([one.id for one in members])
        places = {member.document_id: place for place, member in enumerate(intent.members)}
        changes, tickets = [], list(intent.tickets)
        for one in members:
            outcome = outcomes[places[one.id]]
            if isinstance(outcome, Queued):
                left += 1
                if not intent.tickets:
                    tickets.append(outcome.ticket)
            elif one.id in content:
                changes.append(outcome_change(route, one, content[one.id], outcome))
        still_open = len(members) - sum(change.after is not State.IN_DOUBT for change in changes)
        route.journal.finish_intent(context, replace(intent, tickets=tuple(tickets)), changes, still_open)
    return left
