"""The planner: records and what is known of them in, one decision for each out. It reads nothing and writes nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from hashlib import blake2b
from typing import TypeAlias

from connector_service.contract.journal import Known
from connector_service.contract.target import Booked
from connector_service.domain.documents import Document, MoneyDocument, SourceRecord, Unreadable
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import OPEN_STATES, UNDER_WAY, Flag, State
from connector_service.domain.problems import Problem
from connector_service.domain.reference import Link, LinkKind
from connector_service.domain.status_codes import StatusCode
from connector_service.engine.checks import Checker
from connector_service.engine.view import Policy, View


class Action(StrEnum):
    """What is to be done about a record."""

    PUSH = "push"
    HOLD = "hold"
    MARK = "mark"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about one record, and why."""

    action: Action
    record: SourceRecord
    known: Known | None
    after: State
    """The state in which the record is left before anything is sent."""
    changed: bool
    """Whether the store has something to remember: a transition, another content, another status code."""
    fingerprint: bytes = b""
    """Empty for a record that was not known before: it is made when the record is stored."""
    problems: tuple[Problem, ...] = ()
    targets: Mapping[tuple[LinkKind, str], str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    adopt: Booked | None = None
    book_on: date | None = None
    before_begin: bool = False
    """Marked for no other reason than its date."""
    under_way: bool = False
    """A push of it is not settled yet."""


Reference: TypeAlias = Callable[[str], str]
"""Our external reference for a key."""

_REPLANNED = frozenset({*OPEN_STATES, State.UNREADABLE})
_NEW = frozenset({None, State.GONE})
_MARKABLE = frozenset({*_REPLANNED, State.REFUSED, State.GONE})


def plan(
    records: Sequence[SourceRecord],
    known: Mapping[str, Known],
    view: View,
    reference: Reference,
) -> list[Decision]:
    """Decide about each record of one kind.

    A record that is new, open or refused-and-changed passes the checks and is pushed or held; one that was exported and
    is the same is skipped, one that has changed since is drifted; what a person or a rule put aside stays there.
    """
    checker = Checker(view)
    if view.policy.begin_is_new:
        return [_mark_or_decide(record, known.get(record.key), checker, reference, view.policy) for record in records]
    return [_decide(record, known.get(record.key), checker, reference) for record in records]


def needs_checks(record: SourceRecord, known: Known | None) -> bool:
    """Whether the planner will run the checks over a record, so that the target may have to be asked for its number."""
    if isinstance(record, Unreadable):
        return False
    if known is None or known.state in _REPLANNED or known.state is State.GONE:
        return True
    return known.state is State.REFUSED


def _decide(record: SourceRecord, known: Known | None, checker: Checker, reference: Reference) -> Decision:
    state = known.state if known else None
    if isinstance(record, Unreadable):
        return _unreadable(record, known, state)
    if state in _NEW or state in _REPLANNED:
        if record.exported and not (known and Flag.RELEASED in known.flags):
            return Decision(Action.MARK, record, known, State.MARKED, True)
        return _checked(record, known, checker, reference)
    print_ = fingerprint(record)
    if known is None:
        raise AssertionError("a record without a state is new")
    if state is State.REFUSED:
        if known.fingerprint == print_:
            return Decision(Action.SKIP, record, known, State.REFUSED, False, print_)
        return _checked(record, known, checker, reference)
    if state in (State.EXPORTED, State.DRIFTED):
        return _booked(record, known, print_)
    # What is under way stays as it was sent; what the source makes of it meanwhile is kept until the outcome is known.
    under_way = known.state in UNDER_WAY
    return Decision(Action.SKIP, record, known, known.state, False, print_, under_way=under_way)


def _mark_or_decide(
    record: SourceRecord, known: Known | None, checker: Checker, reference: Reference, policy: Policy
) -> Decision:
    early = policy.begin is not None and record.date is not None and record.date < policy.begin
    if early and (known is None or known.state in _MARKABLE):
        by_date = isinstance(record, Unreadable) or not record.exported
        return Decision(Action.MARK, record, known, State.MARKED, True, before_begin=by_date)
    return _decide(record, known, checker, reference)


def _unreadable(record: Unreadable, known: Known | None, state: State | None) -> Decision:
    found = Problem(StatusCode.UNREADABLE, record.reason, "", record.fix, actions=("retry", "ignore"))
    # The reason stands in for the content, so that the same fault seen again is nothing new.
    print_ = blake2b(record.reason.encode(), digest_size=16).digest()
    if state in _NEW or (state is State.UNREADABLE and known is not None):
        changed = known is None or known.state is not State.UNREADABLE or known.fingerprint != print_
        return Decision(Action.HOLD, record, known, State.UNREADABLE, changed, print_, (found,))
    # It was readable once: what is known of it stands, and the reason is shown where it still waits.
    if known is not None and state in OPEN_STATES:
        told = known.state is State.HELD and known.status_code == StatusCode.UNREADABLE
        return Decision(Action.HOLD, record, known, State.HELD, not told, problems=(found,))
    if known is None:
        raise AssertionError("a record without a state is new")
    return Decision(Action.SKIP, record, known, known.state, False)


def _checked(record: Document, known: Known | None, checker: Checker, reference: Reference) -> Decision:
    # What was never seen has nothing to be compared with: its fingerprint is made when it is stored.
    print_ = fingerprint(record) if known else b""
    if known and Flag.MARKED_SENT in known.flags and isinstance(record, MoneyDocument):
        record = replace(record, sent=True)
    verdict = checker.check(record, reference)
    problems = tuple(verdict.problems)
    if not (known and Flag.RELEASED in known.flags):
        problems += tuple(checker.not_known_to_be_absent(record))
    if verdict.adopt is not None:
        return Decision(
            Action.PUSH, record, known, State.EXPORTED, True, print_, adopt=verdict.adopt, targets=verdict.targets
        )
    if problems:
        code = problems[0].code
        same = known is not None and known.state is State.HELD and known.status_code == code
        changed = not (same and known is not None and known.fingerprint == print_)
        return Decision(
            Action.HOLD, record, known, State.HELD, changed, print_, problems, verdict.targets, tuple(verdict.links)
        )
    return Decision(
        Action.PUSH,
        record,
        known,
        State.WAITING,
        known is None or known.state is not State.WAITING or known.fingerprint != print_,
        print_,
        (),
        verdict.targets,
        tuple(verdict.links),
        book_on=verdict.book_on,
    )


def _booked(record: Document, known: Known, print_: bytes) -> Decision:
    if not known.fingerprint:
        # Rebuilt from the audit trail, which may not know the content: what the source says now is taken as booked.
        return Decision(Action.SKIP, record, known, known.state, True, print_)
    if known.fingerprint == print_:
        if known.state is State.DRIFTED:
            return Decision(Action.SKIP, record, known, State.EXPORTED, True, print_)
        return Decision(Action.SKIP, record, known, State.EXPORTED, False, print_)
    # The fingerprint that is kept is that of the booked content, so that a change taken back is seen.
    return Decision(Action.SKIP, record, known, State.DRIFTED, True, known.fingerprint)
