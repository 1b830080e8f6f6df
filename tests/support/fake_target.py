"""The adapter of books in memory: strict about what it is asked, and it stumbles when a test orders it."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from connector_service.contract.manifest import Idempotency, Limits, ListPolicy, TargetManifest
from connector_service.contract.target import (
    Booked,
    BookedState,
    CompanyInfo,
    Done,
    LookUp,
    Outcome,
    Payment,
    Posting,
    Prepared,
    Queued,
    Refused,
    Unknown,
)
from connector_service.domain.documents import Attachment, Document, MoneyDocument, TimeRecord
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.parties import Party
from connector_service.domain.problems import ConnectorError, NeedsUser, OutcomeUnknown, Problem, RetryLater
from connector_service.domain.problems import Refused as RefusedWhole
from connector_service.domain.reference import LinkKind, ReferenceKind, ReferenceRecord
from tests.support.fake_books import Books, Entry, Sent, decode_sent, total_told


class Stumble(Enum):
    """What can go wrong with one call of a push."""

    LOST_ANSWER = "booked, and the answer is lost"
    LOST_RAISED = "booked, and the adapter raises OutcomeUnknown"
    LOST_REQUEST = "not booked, and nobody can tell"
    SLOW = "booked a while later; until then it is not seen"
    HALF = "the first half is booked, then the answer is lost"
    ONE_UNKNOWN = "booked; the answer for the last member cannot be read"
    WRONG_COUNT = "booked; fewer answers than members"
    THROTTLED = "nothing sent"
    SIGN_IN = "nothing sent: a person must sign in"
    REFUSED_WHOLE = "the whole call is refused"


_PARTY_LISTS = (LinkKind.CUSTOMER, LinkKind.SUPPLIER, LinkKind.EMPLOYEE)
_ALL_LISTS = (
    *_PARTY_LISTS,
    LinkKind.ACCOUNT,
    LinkKind.TAX_CODE,
    LinkKind.ITEM,
    LinkKind.COST_CODE,
    LinkKind.PROJECT,
    LinkKind.TERM,
    LinkKind.PAY_ITEM,
)


def manifest(**changes: Any) -> TargetManifest:
    """What the books declare, unless a test wants it otherwise: open lists, search by our reference, one at a time."""
    plain: dict[str, Any] = {
        "system": "books",
        "title": "Books",
        "summary": "Books in memory.",
        "kinds": frozenset(Kind),
        "lists": dict.fromkeys(_ALL_LISTS, ListPolicy.OPEN),
        "idempotency": (Idempotency.EXTERNAL_REFERENCE,),
        "number_lookup": True,
        "unique_numbers": frozenset(kind for kind in Kind if kind.is_money),
        "void": True,
        "limits": Limits(batch_size=10),
    }
    if "limits" in changes and isinstance(changes["limits"], dict):
        changes = {**changes, "limits": Limits(**{"batch_size": 10, **changes["limits"]})}
    return TargetManifest(**{**plain, **changes})


@dataclass
class FakeBooks:
    """The adapter: a fresh one after each restart, over the same books."""

    books: Books
    manifest: TargetManifest = field(default_factory=manifest)
    info: CompanyInfo = field(default_factory=lambda: CompanyInfo("C1", "Company"))
    stumbles: deque[Stumble] = field(default_factory=deque)
    """What the next calls of ``push`` do, one a call."""
    faults: dict[str, list[ConnectorError]] = field(default_factory=dict)
    refuse: Callable[[Document], str | None] = lambda _document: None
    """Why the package refuses a document; ``None`` where it takes it."""
    computes: Callable[[Document], Decimal | None] = total_told
    slow_seconds: float = 30.0
    calls: Counter[str] = field(default_factory=Counter)
    batches: list[tuple[str, ...]] = field(default_factory=list)
    """Source keys of each call of ``push``."""
    most_at_once: int = 0
    during_push: Callable[[Prepared], None] = lambda _prepared: None
    during_look_up: Callable[[], None] = lambda: None
    _at_once: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, step: str, fault: ConnectorError, times: int = 1) -> None:
        """Let the next calls of a step fail: company, look_up, collect, void, reference."""
        self.faults.setdefault(step, []).extend([fault] * times)

    def _stumble(self, step: str) -> None:
        self.calls[step] += 1
        if self.faults.get(step):
            raise self.faults[step].pop(0)

    # -- the contract -------------------------------------------------------------------------------------------------

    def company(self) -> CompanyInfo:
        """The company."""
        self._stumble("company")
        return self.info

    def prepare(self, kind: Kind, postings: Sequence[Posting], idempotency_key: str) -> Prepared:
        """The documents as JSON."""
        assert 0 < len(postings) <= self.manifest.limits.batch_size, "more than the target takes in one call"
        assert kind in self.manifest.kinds
        members = [
            {
                "kind": kind.value,
                "reference": posting.external_reference,
                "party_id": _party_id(self.manifest, posting),
                "content": posting.document,
            }
            for posting in postings
        ]
        references = tuple(posting.external_reference for posting in postings)
        return Prepared(kind, msgspec.json.encode(members), references, idempotency_key)

    def push(self, prepared: Prepared) -> list[Outcome]:
        """Make the call; strict about limits and about the same document twice."""
        with self._guard:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            assert self._at_once <= self.manifest.limits.concurrent_calls, "more calls at once than the target allows"
            self.calls["push"] += 1
            stumble = self.stumbles.popleft() if self.stumbles else None
        try:
            self.during_push(prepared)
            with self._guard:
                return self._push(prepared, stumble)
        finally:
            with self._guard:
                self._at_once -= 1

    def _push(self, prepared: Prepared, stumble: Stumble | None) -> list[Outcome]:
        sent = decode_sent(prepared.body)
        assert tuple(one.reference for one in sent) == prepared.members
        self.batches.append(tuple(one.document.key for one in sent))
        if stumble is Stumble.THROTTLED:
            raise RetryLater("Too many requests.")
        if stumble is Stumble.SIGN_IN:
            raise NeedsUser("The grant is dead.", code="GRANT_DEAD")
        if Idempotency.REPLAY in self.manifest.idempotency:
            known = self._remembered(prepared.idempotency_key)
            if known is not None:
                return known
        if stumble is Stumble.LOST_REQUEST:
            return [Unknown("The connection was cut.")] * len(sent)
        if stumble is Stumble.REFUSED_WHOLE:
            raise RefusedWhole("The call was refused.", why="A member is wrong.")
        if self.manifest.queued:
            return self._enqueue(prepared, sent)
        return self._book(prepared, sent, stumble)

    def _remembered(self, key: str) -> list[Outcome] | None:
        known = self.books.answered.get(key)
        if known is None:
            return None
        ready, outcomes = known
        now = self.books.clock()
        if (now - ready).total_seconds() > self.manifest.limits.memory_seconds:
            return None
        if now < ready:
            return [Unknown("The first request is still being worked on.")] * len(outcomes)
        return outcomes

    def _book(self, prepared: Prepared, sent: list[Sent], stumble: Stumble | None) -> list[Outcome]:
        seconds = self.slow_seconds if stumble is Stumble.SLOW else 0
        outcomes: list[Outcome] = []
        for place, one in enumerate(sent):
            document = one.document
            if stumble is Stumble.HALF and place >= max(1, len(sent) // 2):
                outcomes.append(_refusal("The call was cut off before this one."))
                continue
            why = self.refuse(document)
            if why is not None:
                outcomes.append(_refusal(why))
                continue
            entry = self.books.book(document, one.reference, one.party_id, seconds)
            outcomes.append(Done(entry.remote_id, document.number, self.computes(document)))
        ready = self.books.clock() + timedelta(seconds=seconds)
        self.books.answered[prepared.idempotency_key] = (ready, outcomes)
        if stumble is Stumble.LOST_RAISED:
            raise OutcomeUnknown("The time was out.")
        if stumble in (Stumble.LOST_ANSWER, Stumble.SLOW, Stumble.HALF):
            return [Unknown("The answer was lost.")] * len(sent)
        if stumble is Stumble.ONE_UNKNOWN:
            return [*outcomes[:-1], Unknown("The answer cannot be read.")]
        return outcomes[:-1] if stumble is Stumble.WRONG_COUNT else outcomes

    def _enqueue(self, prepared: Prepared, sent: list[Sent]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for place, one in enumerate(sent):
            why = self.refuse(one.document)
            ticket = f"{prepared.idempotency_key}/{place}"
            if why is not None:
                outcomes.append(_refusal(why))
                continue
            if ticket not in self.books.fetched:
                self.books.queue[ticket] = (prepared.idempotency_key, msgspec.json.encode([one]))
            outcomes.append(Queued(ticket))
        return outcomes

    def look_up(self, questions: Sequence[LookUp]) -> list[list[Booked]]:
        """What is seen in the books."""
        self._stumble("look_up")
        self.during_look_up()
        return [self._answer(question) for question in questions]

    def _answer(self, question: LookUp) -> list[Booked]:
        now = self.books.clock()
        found = []
        for one in self.books.entries:
            if one.visible_at > now or one.document.kind is not question.kind:
                continue
            if question.external_reference:
                assert Idempotency.EXTERNAL_REFERENCE in self.manifest.idempotency, "it cannot be searched that way"
                fits = one.reference == question.external_reference
            else:
                assert question.number, "a search for no number finds everything"
                assert self.manifest.number_lookup or Idempotency.SEARCH in self.manifest.idempotency
                fits = one.document.number == question.number and question.party_id in ("", one.party_id)
            if fits:
                found.append(self._told(one))
        return found

    def _told(self, one: Entry) -> Booked:
        shows = Idempotency.EXTERNAL_REFERENCE in self.manifest.idempotency
        money = isinstance(one.document, MoneyDocument)
        return Booked(
            remote_id=one.remote_id,
            number=one.document.number,
            external_reference=one.reference if shows else "",
            party_id=one.party_id,
            date=one.document.date,
            total=one.total if money else None,
            currency=one.document.currency if isinstance(one.document, MoneyDocument) else "",
            state=one.state,
            kind=one.document.kind,
        )

    def booked(self, kind: Kind, first: date, last: date) -> Iterator[Booked]:
        """By date."""
        return iter(
            [
                replace(self._told(one), external_reference=one.reference)
                for one in self.books.entries
                if one.document.kind is kind and first <= one.document.date <= last
            ]
        )

    def collect(self, tickets: Sequence[str]) -> list[Outcome]:
        """What was fetched."""
        self._stumble("collect")
        assert all(tickets), "a member without a ticket is asked for"
        return [self.books.fetched.get(ticket) or Queued(ticket) for ticket in tickets]

    def withdraw(self, tickets: Sequence[str]) -> list[bool]:
        """Take back what was not fetched."""
        return [self.books.queue.pop(ticket, None) is not None for ticket in tickets]

    def void(self, kind: Kind, remote_id: str, reference: str, day: date) -> Outcome:
        """Void once for each reference."""
        assert self.manifest.void
        entry = next((one for one in self.books.entries if one.remote_id == remote_id), None)
        if entry is None:
            return _refusal("There is no such document.")
        if entry.state is BookedState.VOID and reference not in self.books.voids:
            return _refusal("It is void already.")
        self.books.voids[reference] = remote_id
        entry.state = BookedState.VOID
        self._stumble("void")
        return Done(remote_id)

    def attach(self, kind: Kind, remote_id: str, attachment: Attachment, content: bytes) -> None:
        """Not declared."""
        raise AssertionError("the target was asked for what it does not declare")

    def reference(self, kind: ReferenceKind, since: datetime | None) -> Iterator[ReferenceRecord]:
        """One of the lists."""
        self._stumble("reference")
        assert kind in self.manifest.reference_kinds
        assert since is None or kind in self.manifest.reference_since
        return iter(self.books.lists.get(kind, []))

    def write_party(self, kind: PartyKind, party: Party, remote_id: str = "") -> ReferenceRecord:
        """Not declared."""
        raise AssertionError("the target was asked for what it does not declare")

    def payments(self, kind: Kind, remote_ids: Sequence[str]) -> list[Payment]:
        """Not declared."""
        raise AssertionError("the target was asked for what it does not declare")

    def close(self) -> None:
        """Nothing to let go of."""


def _party_id(manifest: TargetManifest, posting: Posting) -> str:
    document = posting.document
    if isinstance(document, TimeRecord):
        role, key = LinkKind.EMPLOYEE, document.employee_key
    else:
        role = LinkKind.CUSTOMER if document.kind.is_sales else LinkKind.SUPPLIER
        key = document.party_key
    if manifest.policy(role) is ListPolicy.CLOSED:
        assert (role, key) in posting.targets, f"{role} {key} was sent without the target's id"
    return posting.target(role, key)


def _refusal(why: str) -> Refused:
    return Refused(Problem("REFUSED_BY_TARGET", "The books refused it.", why, "Correct it."))
