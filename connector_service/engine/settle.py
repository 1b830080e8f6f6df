"""What is in doubt is asked for in the target, in the ways its manifest declares, before anything is sent again."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeAlias

from connector_service.contract.crashpoints import crash_point
from connector_service.contract.journal import Change, Context, Intent, Known
from connector_service.contract.manifest import Idempotency, ListPolicy
from connector_service.contract.target import Booked, BookedState, Done, LookUp, Outcome, Queued, Refused, Unknown
from connector_service.domain.documents import Document, TimeRecord
from connector_service.domain.kinds import Flag, State
from connector_service.domain.messages import problem
from connector_service.domain.problems import OutcomeUnknown
from connector_service.domain.problems import Refused as RefusedError
from connector_service.domain.reference import LinkKind
from connector_service.domain.status_codes import OutcomeCode
from connector_service.engine.checks import can_be_searched
from connector_service.engine.newer import with_newer
from connector_service.engine.push import exported_change, must_write_back, outcome_change, tickets_of
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
        route.journal.finish_intent(context, intent, changes)
        members = route.journal.by_ids([one.id for one in members])
        intent = replace(intent, last_sent=max(intent.last_sent, route.clock()))
    content = route.journal.content([one.id for one in members])
    outcomes = _ask(route, context, intent, members, content)
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
                flags = frozenset({Flag.WRITEBACK_PENDING} if must_write_back(route, one.kind) else ())
                found = {"found": True}
                changes.append(Change(State.EXPORTED, one, remote_id=outcome.remote_id, set_flags=flags, details=found))
            else:
                changes.append(exported_change(route, one, document, replace(outcome, found=True)))
    settled = {change.known.id for change in changes if change.known}
    open_ids = [one.id for one in members if one.id not in settled]
    crash_point("settle.before_outcome")
    if changes:
        route.journal.finish_intent(context, intent, with_newer(route.journal, changes))
    route.journal.touch(context, open_ids)
    return len(open_ids)


def _ask(
    route: Route, context: Context, intent: Intent, members: Sequence[Known], content: dict[int, Document]
) -> dict[int, Outcome | None]:
    """By document: its outcome, ``None`` where it is proved not to be booked, ``Unknown`` where nobody can tell yet."""
    manifest = route.target.manifest
    for way in manifest.idempotency:
        if way is Idempotency.REPLAY:
            outcomes = _replay(route, intent, members)
            if outcomes is not None:
                return outcomes
        elif way in (Idempotency.EXTERNAL_REFERENCE, Idempotency.SEARCH):
            found, asked = _search(route, context, intent, members, content, way)
            answers: dict[int, Outcome | None] = dict(found)
            if (route.clock() - intent.last_sent).total_seconds() < manifest.limits.settle_after_seconds:
                still = Unknown(f"{manifest.title} may still be working on it.")
                return {one.id: answers.get(one.id) or still for one in members}
            dark = Unknown(f"{manifest.title} cannot be searched for it.")
            return {one.id: answers.get(one.id) if one.id in asked else dark for one in members}
    return {one.id: Unknown(f"{manifest.title} cannot be asked what became of it.") for one in members}


def _replay(route: Route, intent: Intent, members: Sequence[Known]) -> dict[int, Outcome | None] | None:
    """Send the same bytes under the same key again; ``None`` where that is not, or no longer, a way to ask.

    Only while the target is sure to remember the key, and only while the bytes are kept: they are not once a person has
    said of a member that it was not booked, since that one goes out in another call.
    """
    limits = route.target.manifest.limits
    old = (route.clock() - intent.created).total_seconds() >= limits.memory_seconds
    if old or not intent.prepared.body:
        return None
    route.journal.resend_intent(intent)
    crash_point("settle.before_replay")
    outcomes: list[Outcome]
    try:
        outcomes = route.target.push(intent.prepared)
    except OutcomeUnknown as fault:
        outcomes = [Unknown(str(fault))] * len(intent.members)
    except RefusedError:
        # Refused whole now, under the key of the first call: neither of the two has booked anything.
        return dict.fromkeys((one.id for one in members), None)
    crash_point("settle.after_replay")
    if len(outcomes) != len(intent.members):
        reason = f"{len(outcomes)} answers came for {len(intent.members)} documents."
        outcomes = [Unknown(reason)] * len(intent.members)
    if any(isinstance(one, Unknown) for one in outcomes):
        route.journal.resend_intent(intent)
    places = {member.document_id: place for place, member in enumerate(intent.members)}
    return {one.id: outcomes[places[one.id]] for one in members}


def _search(
    route: Route,
    context: Context,
    intent: Intent,
    members: Sequence[Known],
    content: dict[int, Document],
    way: Idempotency,
) -> tuple[dict[int, Done], set[int]]:
    """What was found, and which documents could be asked for at all."""
    by_id = {member.document_id: member for member in intent.members}
    parties = party_ids(route, context.pair)
    questions, asked = [], []
    for one in members:
        document, member = content.get(one.id), by_id[one.id]
        if way is Idempotency.EXTERNAL_REFERENCE:
            questions.append(LookUp(one.kind, external_reference=member.external_reference))
        elif document is not None and can_be_searched(document):
            day = date.fromisoformat(member.date) if member.date else document.date
            questions.append(question(document, day, parties))
        else:
            continue
        asked.append(one)
    answers = route.target.look_up(questions) if questions else []
    found = {}
    for one, asked_for, booked in zip(asked, questions, answers, strict=True):
        match = the_one(asked_for, booked)
        if match is not None:
            found[one.id] = Done(match.remote_id, match.number, match.total, match.tax_total, found=True)
    return found, {one.id for one in asked}


PartyIds: TypeAlias = Callable[[Document], str]
"""The target's id of a document's party; empty where that is not known."""


def party_ids(route: Route, pair: int) -> PartyIds:
    """How parties are called in the target: as they are linked, or by their own key where the list is open."""
    links = route.journal.links(pair)

    def find(document: Document) -> str:
        if isinstance(document, TimeRecord):
            return ""
        role = LinkKind.CUSTOMER if document.kind.is_sales else LinkKind.SUPPLIER
        policy = route.target.manifest.policy(role)
        if policy is ListPolicy.CLOSED:
            link = links.get((role, document.party_key))
            return link.target_id if link else ""
        return document.party_key if policy is ListPolicy.OPEN else ""

    return find


def question(document: Document, day: date | None, parties: PartyIds) -> LookUp:
    """How the books are asked for a document by what it says; without a day, whatever day it was booked on."""
    if isinstance(document, TimeRecord):
        raise AssertionError("a time record says too little of itself to be searched")
    return LookUp(
        document.kind,
        number=document.number,
        party_id=parties(document),
        date=day,
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
        elif (
            one.total in (None, question.total)
            and (one.date is None or question.date in (None, one.date))
            and (not one.party_id or question.party_id in ("", one.party_id))
        ):
            return one
    return None


def collect(route: Route, pair: int, run: int) -> int:
    """Take in what became of queued documents; returns how many still wait in the target's queue."""
    if not route.target.manifest.queued:
        return 0
    left = 0
    context = route.context(pair, run)
    for intent, members in list(route.journal.open_intents(pair, (State.QUEUED,))):
        left += _collect_intent(route, context, intent, members)
    return left


def _collect_intent(route: Route, context: Context, intent: Intent, members: Sequence[Known]) -> int:
    places = {member.document_id: place for place, member in enumerate(intent.members)}
    if intent.tickets:
        tickets = {one.id: intent.tickets[places[one.id]] for one in members}
        answers = route.target.collect(list(tickets.values()))
        outcomes = dict(zip(tickets, answers, strict=True))
    else:
        # A crash came between the intent and its tickets: the same bytes under the same key answer with the same ones.
        route.journal.resend_intent(intent)
        again = route.target.push(intent.prepared)
        if len(again) != len(intent.members):
            return len(members)
        intent = replace(intent, tickets=tickets_of(again))
        outcomes = {one.id: again[places[one.id]] for one in members}
    content = route.journal.content([one.id for one in members])
    changes, still = [], []
    for one in members:
        outcome = outcomes[one.id]
        if isinstance(outcome, Queued):
            still.append(one.id)
        elif one.id in content:
            changes.append(outcome_change(route, one, content[one.id], outcome))
    crash_point("collect.before_outcome")
    route.journal.finish_intent(context, intent, with_newer(route.journal, changes))
    route.journal.touch(context, still)
    return len(still)
