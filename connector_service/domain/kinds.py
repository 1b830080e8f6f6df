"""The kinds of documents and parties, and the states that a document can be in."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a document is."""

    SALES_INVOICE = "sales_invoice"
    SALES_CREDIT_NOTE = "sales_credit_note"
    VENDOR_BILL = "vendor_bill"
    VENDOR_CREDIT = "vendor_credit"
    TIME_RECORD = "time_record"

    @property
    def is_sales(self) -> bool:
        """Whether the other party is a customer."""
        return self in (Kind.SALES_INVOICE, Kind.SALES_CREDIT_NOTE)

    @property
    def is_credit(self) -> bool:
        """Whether the document gives back: a credit note or a vendor credit."""
        return self in (Kind.SALES_CREDIT_NOTE, Kind.VENDOR_CREDIT)

    @property
    def is_money(self) -> bool:
        """Whether the document has an amount of money; a time record has minutes instead."""
        return self is not Kind.TIME_RECORD


class PartyKind(StrEnum):
    """What a party is."""

    CUSTOMER = "customer"
    SUPPLIER = "supplier"
    EMPLOYEE = "employee"


class State(StrEnum):
    """Where a document is; every record in scope is in exactly one of these."""

    WAITING = "waiting"
    HELD = "held"
    UNREADABLE = "unreadable"
    QUEUED = "queued"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    REFUSED = "refused"
    EXPORTED = "exported"
    DRIFTED = "drifted"
    MARKED = "marked"
    IGNORED = "ignored"
    UNDONE = "undone"
    MISSING = "missing"
    GONE = "gone"


class Flag(StrEnum):
    """What stands beside the state."""

    WRITEBACK_PENDING = "writeback_pending"
    BOOKED_DIFFERS = "booked_differs"
    MARKED_SENT = "marked_sent"
    """A person said that it went out to the customer."""
    RELEASED = "released"
    """A person led it back to waiting, whatever the source says of its being exported."""
    BEFORE_BEGIN = "before_begin"
    """Marked for no other reason than its date: a release may lead it back."""


_W = State.WAITING
TRANSITIONS: Final[dict[State | None, frozenset[State]]] = {
    None: frozenset({_W, State.MARKED, State.UNREADABLE}),
    State.UNREADABLE: frozenset({_W, State.MARKED, State.IGNORED, State.GONE}),
    _W: frozenset({State.HELD, State.SENDING, State.QUEUED, State.MARKED, State.IGNORED, State.GONE}),
    State.HELD: frozenset({_W, State.MARKED, State.IGNORED, State.GONE}),
    State.QUEUED: frozenset({State.SENDING, _W}),
    State.SENDING: frozenset({State.EXPORTED, State.REFUSED, State.IN_DOUBT, _W}),
    State.IN_DOUBT: frozenset({State.EXPORTED, _W}),
    State.REFUSED: frozenset({_W, State.MARKED, State.IGNORED, State.GONE}),
    State.EXPORTED: frozenset({State.DRIFTED, State.UNDONE, State.MISSING}),
    State.DRIFTED: frozenset({State.EXPORTED, State.UNDONE}),
    State.MARKED: frozenset({_W}),
    State.IGNORED: frozenset({_W}),
    State.UNDONE: frozenset({_W}),
    State.MISSING: frozenset({_W}),
    State.GONE: frozenset(),
}
"""The only ways between states. From marked, ignored, undone and missing only a person leads a document back."""

BY_PERSON_ONLY: Final = frozenset({State.MARKED, State.IGNORED, State.UNDONE, State.MISSING})

OPEN_STATES: Final = (State.WAITING, State.HELD)
"""What the planner looks at again in every run."""

UNDER_WAY: Final = frozenset({State.SENDING, State.QUEUED, State.IN_DOUBT})
"""States in which a push is not settled: nothing more may be sent for the document."""

BOOKED_STATES: Final = frozenset({State.EXPORTED, State.DRIFTED})
"""States in which the document stands in the books by our hand."""


def may_become(before: State | None, after: State) -> bool:
    """Whether the state machine has a way from one state to the other; ``None`` is a record not seen before."""
    return after in TRANSITIONS[before]
