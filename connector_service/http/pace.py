"""When the next call may go out: pure arithmetic over the calls made so far, in seconds of whatever clock is passed in.

Nobody outside knows in which windows a maker counts, sliding or fixed, nor at which moment of a call. So a call counts
as an interval: it was counted after it was started, and before its answer came (or shortly after its last byte was
sent). A call may start when fewer than the allowed number of earlier ones could have been counted within one window
before it. Then no window of that length, wherever it begins, ever holds more.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Final

from connector_service.contract.manifest import Limits

SECOND: Final = 1
MINUTE: Final = 60

# Keeps a call off the very edge of a window, whose ends two clocks never agree upon.
_EDGE_SECONDS: Final = 0.005
# A request that was sent is counted within this part of the window, if its answer takes longer than that.
_TRAVEL: Final = 25
_LONGEST_TRAVEL_SECONDS: Final = 5.0


@dataclass(slots=True, eq=False)
class Call:
    """A call under way."""

    batch: bool
    started_seconds: float
    sent_seconds: float | None = None
    used: int = 0
    """Calls within the minute when it started, itself among them."""
    place: int = 0
    """How many calls had been started, itself among them."""


@dataclass(slots=True)
class Window:
    """At most ``count`` calls within any ``length_seconds``."""

    count: int
    length_seconds: float
    spread_seconds: float = 0
    """Over how long that many calls are spread where that costs nothing, as a longer window allows no more anyway."""
    _settled: list[float] = field(default_factory=list)
    """Moments at which calls were counted at the latest, sorted."""
    _open: int = 0
    """Calls of which that moment is not known yet."""
    _starts: deque[float] = field(default_factory=deque)

    def used(self, now_seconds: float) -> int:
        """How many calls may count into a window that ends now."""
        gone = bisect_right(self._settled, now_seconds - self.length_seconds - _EDGE_SECONDS)
        del self._settled[:gone]
        return len(self._settled) + self._open

    def delay(self, now_seconds: float) -> float:
        """Seconds until a call fits in; infinite where a call under way must end first."""
        too_many = self.used(now_seconds) - self.count + 1
        wait = 0.0
        if too_many > len(self._settled):
            return inf
        if too_many > 0:
            wait = self._settled[too_many - 1] + self.length_seconds + _EDGE_SECONDS - now_seconds
        if len(self._starts) >= self.count:
            wait = max(wait, self._starts[-self.count] + self.spread_seconds - now_seconds)
        return max(wait, 0.0)

    def begin(self, now_seconds: float) -> None:
        """A call is started."""
        self._open += 1
        if self.spread_seconds:
            self._starts.append(now_seconds)
            if len(self._starts) > self.count:
                self._starts.popleft()

    def sent(self, call: Call) -> None:
        """A call's last byte is on its way."""
        if call.sent_seconds is not None:
            self._open -= 1
            insort(self._settled, call.sent_seconds + self._travel())

    def ended(self, call: Call, now_seconds: float) -> None:
        """A call's answer is there, or will never be."""
        if call.sent_seconds is None:
            self._open -= 1
        else:
            presumed = call.sent_seconds + self._travel()
            if presumed <= now_seconds:
                return
            at = bisect_left(self._settled, presumed)
            if at < len(self._settled) and self._settled[at] == presumed:
                del self._settled[at]
        insort(self._settled, now_seconds)

    def fill(self, count: int, at_seconds: float) -> None:
        """Take in calls that are not ours to follow: of another program, or of before a restart."""
        for _ in range(min(count, self.count)):
            insort(self._settled, at_seconds)

    def _travel(self) -> float:
        slack = self.spread_seconds - self.length_seconds
        return max(min(self.length_seconds / _TRAVEL, _LONGEST_TRAVEL_SECONDS), slack)


class Pace:
    """All windows of one company at one system, and how many calls are under way."""

    def __init__(self, limits: Limits) -> None:
        """``limits`` are the manifest's; what is ``None`` there is not limited."""
        self.concurrent = max(1, limits.concurrent_calls)
        self.minute = _window(limits.calls_per_minute, MINUTE)
        self._second = _window(limits.calls_per_second, SECOND)
        if self._second and self.minute:
            # Ten a second and 500 a minute are 8.3 a second in the long run: spread over 1.2 seconds, ten lose nothing
            # and leave room for calls that travel slowly.
            even = self._second.count * self.minute.length_seconds / self.minute.count
            self._second.spread_seconds = min(max(even, SECOND), 2 * SECOND)
        self.batch_minute = _window(limits.batch_calls_per_minute, MINUTE)
        self._every = tuple(window for window in (self._second, self.minute) if window)
        self._batch = (*self._every, *((self.batch_minute,) if self.batch_minute else ()))
        self._under_way = 0
        self._started = 0
        self._paused_until = -inf

    def delay(self, now_seconds: float, batch: bool) -> float:
        """Seconds until a call may start; 0 is now, infinite where one under way must end first."""
        if self._under_way >= self.concurrent:
            return inf
        waits = [window.delay(now_seconds) for window in (self._batch if batch else self._every)]
        return max(0.0, self._paused_until - now_seconds, *waits)

    def pause(self, now_seconds: float, seconds: float) -> None:
        """Start nothing for so long: the maker has said so."""
        self._paused_until = max(self._paused_until, now_seconds + seconds)

    def begin(self, now_seconds: float, batch: bool) -> Call:
        """Start a call; ``delay`` said that it may."""
        call = Call(batch, now_seconds)
        self._under_way += 1
        self._started += 1
        for window in self._windows(call):
            window.begin(now_seconds)
        call.place = self._started
        call.used = self.minute.used(now_seconds) if self.minute else 0
        return call

    def sent(self, call: Call, now_seconds: float) -> None:
        """The request is on its way."""
        if call.sent_seconds is None:
            call.sent_seconds = now_seconds
            for window in self._windows(call):
                window.sent(call)

    def ended(self, call: Call, now_seconds: float) -> None:
        """The call is over."""
        self._under_way -= 1
        for window in self._windows(call):
            window.ended(call, now_seconds)

    def learn(self, call: Call, now_seconds: float, remaining: int) -> None:
        """The answer to ``call`` says how many calls are left in the minute: others may use them up as well as we."""
        if self.minute:
            # Ours that the maker may have counted by then: those in the minute at the start, and those started since.
            ours = call.used + self._started - call.place
            self.minute.fill(self.minute.count - remaining - ours, now_seconds)

    def _windows(self, call: Call) -> tuple[Window, ...]:
        return self._batch if call.batch else self._every


def _window(count: int | None, length_seconds: int) -> Window | None:
    return Window(max(1, count), length_seconds) if count is not None else None
