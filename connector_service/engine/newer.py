"""What came of a document at the source while a push of it was under way: looked at once the push is settled."""

from collections.abc import Sequence

from connector_service.contract.journal import Change, Journal, Known
from connector_service.domain.documents import Document, Unreadable
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import State
from connector_service.domain.messages import problem
from connector_service.domain.problems import Problem
from connector_service.domain.status_codes import OutcomeCode
from connector_service.engine.checks import label
from connector_service.engine.differences import differences, in_words
from connector_service.engine.plan import Decision


def drift_in_words(journal: Journal, decisions: Sequence[Decision]) -> dict[int, str | None]:
    """By document: in what it differs from what is booked; ``None`` where that was noted before."""
    ids = [one.known.id for one in decisions if one.known]
    booked, newer = journal.content(ids), journal.content(ids, newer=True)
    found: dict[int, str | None] = {}
    for one in decisions:
        if one.known is None or isinstance(one.record, Unreadable):
            continue
        before, noted = booked.get(one.known.id), newer.get(one.known.id)
        if noted is not None and fingerprint(noted) == fingerprint(one.record):
            found[one.known.id] = None
        else:
            found[one.known.id] = _words(before, one.record)
    return found


def _words(booked: Document | None, now: Document) -> str:
    return in_words(differences(booked, now)) if booked is not None else ""


def drifted(now: Document, words: str) -> Problem:
    """The problem of a document that was changed at the source after it was exported."""
    return problem(OutcomeCode.CHANGED_AT_SOURCE, document=label(now), differences=words)


def drifted_change(known: Known, now: Document, words: str) -> Change:
    """What is booked differs from what the source says now: a person decides."""
    return Change(State.DRIFTED, known, now, fingerprint=known.fingerprint, problems=(drifted(now, words),))


def with_newer(journal: Journal, changes: Sequence[Change]) -> list[Change]:
    """Outcomes of a push, followed by what the source has made of the documents meanwhile.

    A booked document that has changed is drifted; one that was not booked goes on with its new content.
    """
    ids = [change.known.id for change in changes if change.known is not None]
    newer, sent = journal.content(ids, newer=True), journal.content(ids)
    expanded: list[Change] = []
    for change in changes:
        expanded.append(change)
        known = change.known
        now = newer.get(known.id) if known is not None else None
        if known is None or now is None or fingerprint(now) == known.fingerprint:
            continue
        after = known._replace(state=change.after, flags=(known.flags | change.set_flags) - change.clear_flags)
        if change.after is State.EXPORTED:
            expanded.append(drifted_change(after, now, _words(sent.get(known.id), now)))
        elif change.after is State.REFUSED:
            expanded.append(Change(State.WAITING, after, now, fingerprint=fingerprint(now)))
        elif change.after is State.WAITING:
            expanded[-1] = Change(
                State.WAITING,
                known,
                now,
                fingerprint=fingerprint(now),
                raise_generation=change.raise_generation,
                details=change.details,
            )
    return expanded
