"""Lets calls out as fast as a system allows and never faster; one limiter for each company at a system."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, inf
from typing import Final, Protocol

from connector_service.contract.manifest import Limits
from connector_service.domain.problems import RetryLater
from connector_service.http.pace import Call, Pace
from connector_service.http.usage import Usage, UsageStore

THROTTLED_SECONDS: Final = 60
"""How long nothing is sent after a "too many calls" that does not say for how long."""


class Clock(Protocol):
    """Time and waiting; tests put their own in its place."""

    def now(self) -> float:
        """Seconds of a clock that only goes forward."""
        ...

    def wall(self) -> float:
        """Seconds since 1970."""
        ...

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Wait until the condition is told, or so many seconds at most."""
        ...


class SystemClock:
    """The computer's clock."""

    def now(self) -> float:
        """Of the finest clock: the monotonic one of Windows has steps of 16 ms under Python 3.11 and 3.12."""
        return time.perf_counter()

    def wall(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Wait for real."""
        condition.wait(seconds)


class Slot:
    """Leave to make one call."""

    __slots__ = ("_call", "_limiter")

    def __init__(self, limiter: "Limiter", call: Call) -> None:
        """Made by ``Limiter.slot``."""
        self._limiter, self._call = limiter, call

    def sent(self) -> None:
        """The request's last byte is on its way."""
        self._limiter.sent(self._call)

    def learn(self, minute_remaining: int | None, day_remaining: int | None) -> None:
        """What the answer's headers say is left."""
        self._limiter.learn(self._call, minute_remaining, day_remaining)


@dataclass(slots=True, eq=False)
class _Waiter:
    batch: bool


class Limiter:
    """Fair between threads: who came first goes first, unless only a limit that the next does not share holds it up."""

    def __init__(
        self,
        limits: Limits,
        *,
        title: str = "The system",
        store: UsageStore | None = None,
        day_reserve: int | None = None,
        patience_seconds: float = 90,
        clock: Clock | None = None,
    ) -> None:
        """Keep within ``limits``.

        ``store`` keeps the counts over restarts. ``day_reserve`` calls of the day are left to a person's manual work (a
        twentieth where it is not given). A call that would have to wait longer than ``patience_seconds`` is not made.
        """
        self.by_person = False
        """Whether a person waits for what is done now, so that the day's reserve may be used."""
        self._title, self._patience = title, patience_seconds
        self._clock: Clock = clock or SystemClock()
        self._pace = Pace(limits)
        per_day = limits.calls_per_day
        self._usage = Usage(
            store,
            per_day=per_day,
            reserve=(per_day or 0) // 20 if day_reserve is None else day_reserve,
            per_minute=limits.calls_per_minute or limits.batch_calls_per_minute,
            now_seconds=self._clock.wall(),
        )
        self._condition = threading.Condition()
        self._waiters: list[_Waiter] = []
        now = self._clock.now()
        for ago, calls, batch in self._usage.recent(self._clock.wall()):
            if self._pace.minute:
                self._pace.minute.fill(calls, now - ago)
            if self._pace.batch_minute:
                self._pace.batch_minute.fill(batch, now - ago)

    @contextmanager
    def slot(self, batch: bool = False) -> Iterator[Slot]:
        """Wait for leave to make a call, and hold it meanwhile; raises ``RetryLater`` where the wait is too long."""
        call = self._acquire(batch)
        try:
            yield Slot(self, call)
        finally:
            with self._condition:
                self._pace.ended(call, self._clock.now())
                self._condition.notify_all()

    def sent(self, call: Call) -> None:
        """A request is on its way."""
        with self._condition:
            self._pace.sent(call, self._clock.now())
            if self._waiters:
                self._condition.notify_all()

    def learn(self, call: Call, minute_remaining: int | None, day_remaining: int | None) -> None:
        """What the headers of an answer say is left; lower numbers than ours mean that others call too."""
        with self._condition:
            if minute_remaining is not None:
                self._pace.learn(call, self._clock.now(), minute_remaining)
            if day_remaining is not None:
                self._usage.learn(self._clock.wall(), day_remaining)

    def throttled(self, after_seconds: float | None = None) -> int:
        """The system took a call as one too many: send nothing for so long. Returns the seconds."""
        seconds = THROTTLED_SECONDS if after_seconds is None else after_seconds
        with self._condition:
            self._pace.pause(self._clock.now(), seconds)
            self._condition.notify_all()
        return ceil(seconds)

    def close(self) -> None:
        """Save the counts."""
        with self._condition:
            self._usage.close(self._clock.wall())

    def _acquire(self, batch: bool) -> Call:
        me = _Waiter(batch)
        with self._condition:
            self._waiters.append(me)
            try:
                while True:
                    waits = self._waits()
                    if waits.get(batch, inf) <= 0 and self._is_first(me, waits):
                        self._usage.count(self._clock.wall(), batch)
                        return self._pace.begin(self._clock.now(), batch)
                    wait = waits[batch]
                    if wait > self._patience and wait != inf:
                        raise self._too_long(wait)
                    # One that may go but is not the first, and one behind calls under way, is told when to look again.
                    self._clock.wait(self._condition, wait if 0 < wait < inf else None)
            finally:
                self._waiters.remove(me)
                self._condition.notify_all()

    def _waits(self) -> dict[bool, float]:
        now, day = self._clock.now(), self._usage.delay(self._clock.wall(), self.by_person)
        return {batch: max(day, self._pace.delay(now, batch)) for batch in {waiter.batch for waiter in self._waiters}}

    def _is_first(self, me: _Waiter, waits: dict[bool, float]) -> bool:
        return next(waiter for waiter in self._waiters if waits[waiter.batch] <= 0) is me

    def _too_long(self, wait: float) -> RetryLater:
        return RetryLater(
            f"{self._title} takes no more calls for now.",
            why="As many as it allows were made already, by this program or by others that use the same company.",
            fix="It goes on by itself.",
            after_seconds=ceil(wait),
        )


_shared: dict[tuple[str, ...], Limiter] = {}
_sharing: Final = threading.Lock()


def shared_limiter(key: tuple[str, ...], make: Callable[[], Limiter]) -> Limiter:
    """The one limiter of a company in this process: ``key`` is the system, its address and the company's id."""
    with _sharing:
        if key not in _shared:
            _shared[key] = make()
        return _shared[key]
