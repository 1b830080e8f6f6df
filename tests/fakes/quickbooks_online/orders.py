"""Faults to order: what is to go wrong, for which calls."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Final

WHAT: Final = frozenset(
    (
        "drop_before",  # the connection ends before anything is done
        "drop_after",  # it is done, and the connection ends before the answer
        "drop_within",  # of a batch, only the first `items` are done, and the connection ends
        "delay_before",
        "delay_after",
        "slow",  # the answer drips over `seconds`
        "status_before",  # `status` instead of doing it: 401, 403, 429, 500, 503 …
        "status_after",  # it is done, and `status` is the answer
        "truncated",  # it is done; the answer ends half way, and so does the connection
        "cut",  # it is done; the answer is whole HTTP, but half a text
        "html_before",  # a proxy answers with a page, with `status`
        "html_after",
        "xml",  # it is done; the answer is XML although JSON was asked for
        "fault_in_200",  # it is not done; HTTP 200 carries a Fault with `code`
    )
)


@dataclass(slots=True)
class Order:
    """One ordered fault. It strikes at the ``nth`` call that matches and at ``times`` in all (0: for ever)."""

    what: str
    nth: int = 1
    times: int = 1
    kind: str = ""
    """Regular expression on the kind of the call, such as ``create Invoice``, ``batch``, ``query``."""
    body: str = ""
    """Text that the body holds."""
    status: int = 503
    code: str = "10000"
    seconds: float = 0.0
    items: int = 1
    form: str = ""
    """``json`` or ``xml``: the form of a refusal, whatever was asked for."""
    seen: int = field(default=0)
    struck: int = field(default=0)

    def __post_init__(self) -> None:
        if self.what not in WHAT:
            raise ValueError(f"There is no fault {self.what!r}; there are {', '.join(sorted(WHAT))}.")

    def strikes(self, kind: str, body: bytes) -> bool:
        """Whether this call is one of those; counts it."""
        if self.times and self.struck >= self.times:
            return False
        if self.kind and not re.search(self.kind, kind):
            return False
        if self.body and self.body.encode() not in body:
            return False
        self.seen += 1
        if self.seen < self.nth:
            return False
        self.struck += 1
        return True

    def as_json(self) -> dict[str, Any]:
        """All of it, for the control interface."""
        return asdict(self)


class Orders:
    """The orders that stand. The first that strikes a call has it."""

    def __init__(self) -> None:
        self.standing: list[Order] = []

    def add(self, what: str, **how: Any) -> Order:
        """Order a fault."""
        order = Order(what, **how)
        self.standing.append(order)
        return order

    def clear(self) -> None:
        """Withdraw all."""
        self.standing.clear()

    def strike(self, kind: str, body: bytes) -> Order | None:
        """The order that has this call."""
        for order in self.standing:
            if order.strikes(kind, body):
                return order
        return None
