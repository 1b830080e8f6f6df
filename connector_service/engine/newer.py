"""What came of a document at the source while a push of it was under way: looked at once the push is settled."""

from collections.abc import Sequence

from connector_service.contract.journal import Change, Journal, Known
from connector_service.domain.documents import Document
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import State
from connector_service.domain.messages import problem
from connector_service.domain.status_codes import OutcomeCode
from connector_service.engine.checks import label
from connector_service.engine.differences import differences, in_words


def drifted_change(known: Known, booked: Document | None, now: Document, words: str | None = None) -> Change:
    """What is booked differs from what the source says now: a person decides."""
    if words is None:
        words = in_words(differences(booked, now)) if booked is not None else ""
    found = problem(OutcomeCode.CHANGED_AT_SOURCE, document=label(now), differences=words)
    return Change(State.DRIFTED, known, now, fingerprint=known.fingerprint, problems=(found,))


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
            expanded.append(drifted_change(after, sent.get(known.id), now))
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
