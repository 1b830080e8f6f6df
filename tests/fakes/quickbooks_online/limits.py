"""The limits of the service, enforced over sliding windows, and the counters that tests read."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Limits:
    """How much is allowed. 0 lifts a limit; ``on`` False lifts all."""

    on: bool = True
    per_minute: int = 500
    per_second: int = 10
    at_once: int = 10
    batches_per_minute: int = 40


@dataclass(slots=True)
class Counters:
    """What happened so far, since the server began or counters were cleared."""

    calls: Counter[str] = field(default_factory=Counter)
    """Calls by kind: ``create Invoice``, ``batch``, ``query Customer``, ``cdc`` and so on."""
    items: Counter[str] = field(default_factory=Counter)
    """Items of batches, by the same kinds."""
    statuses: Counter[int] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    """Calls refused for a limit, by limit: per_minute, per_second, at_once, batches_per_minute."""
    faults: Counter[str] = field(default_factory=Counter)
    """Faults by code, those inside batches too."""
    replays: int = 0
    now_open: int = 0
    peak_open: int = 0
    ordered: Counter[str] = field(default_factory=Counter)
    """Ordered faults that struck, by what they did."""

    def as_json(self) -> dict[str, object]:
        """All of it, for the control interface."""
        return {
            "calls": dict(self.calls),
            "items": dict(self.items),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "throttled": dict(self.throttled),
            "faults": dict(self.faults),
            "replays": self.replays,
            "now_open": self.now_open,
            "peak_open": self.peak_open,
            "ordered": dict(self.ordered),
        }


class Gate:
    """The windows of one realm."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.clock = clock
        self.open = 0
        self._calls: deque[float] = deque()
        self._batches: deque[float] = deque()

    def refuses(self, batch: bool) -> str | None:
        """The limit that a call would break; else None, and the call is counted in. Refused calls are not."""
        limits, now = self.limits, self.clock()
        if not limits.on:
            return None
        calls, batches = self._calls, self._batches
        while calls and calls[0] <= now - 60:
            calls.popleft()
        while batches and batches[0] <= now - 60:
            batches.popleft()
        if limits.at_once and self.open >= limits.at_once:
            return "at_once"
        if limits.per_minute and len(calls) >= limits.per_minute:
            return "per_minute"
        if limits.per_second and len(calls) >= limits.per_second and calls[-limits.per_second] > now - 1:
            return "per_second"
        if batch and limits.batches_per_minute and len(batches) >= limits.batches_per_minute:
            return "batches_per_minute"
        calls.append(now)
        if batch:
            batches.append(now)
        return None
