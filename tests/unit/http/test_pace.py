"""The pace: no window ever holds more than it may, and a backlog comes near that."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_service.contract.manifest import Limits
from connector_service.http.pace import Pace
from tests.unit.http.clock import most_within

QUICKBOOKS = Limits(concurrent_calls=10, calls_per_second=10, calls_per_minute=500, batch_calls_per_minute=40)
XERO = Limits(concurrent_calls=5, calls_per_minute=60, calls_per_day=5000)
WINDOWS = ((1.0, "calls_per_second"), (60.0, "calls_per_minute"))


@dataclass
class Made:
    """A call as the other side saw it: the moment at which it was counted lies anywhere between start and end."""

    start: float
    end: float
    counted: float
    batch: bool


Ask = Callable[[float], tuple[bool, float, float]]
"""The next call at a moment: batch or not, how long it takes, where in between it is counted (0 to 1)."""


def simulate(limits: Limits, seconds: float, calls: Ask, first: float = 0.0, told_sent: bool = True) -> list[Made]:
    """Work off an endless backlog by a clock of our own: each call starts at the first moment that the pace allows."""
    pace, now, made = Pace(limits), first, []
    events: list[tuple[float, int, Callable[[float], None]]] = []
    serial = 0

    def at(moment: float, what: Callable[[float], None]) -> None:
        nonlocal serial
        serial += 1
        heapq.heappush(events, (moment, serial, what))

    waiting = calls(now)
    while now < first + seconds:
        batch, latency, where = waiting
        wait = pace.delay(now, batch)
        if wait <= 0:
            call = pace.begin(now, batch)
            end = now + latency
            sent = now + latency * where
            made.append(Made(now, end, sent, batch))
            if told_sent:
                at(sent, lambda moment, call=call: pace.sent(call, moment))  # type: ignore[misc]
            at(end, lambda moment, call=call: pace.ended(call, moment))  # type: ignore[misc]
            waiting = calls(now)
            continue
        moment = min(now + wait, events[0][0] if events else inf)
        assert moment < inf, "it waits for nothing"
        now = moment
        while events and events[0][0] <= now:
            heapq.heappop(events)[2](now)
    return made


def assert_kept(limits: Limits, made: list[Made]) -> None:
    for length, name in WINDOWS:
        allowed = getattr(limits, name)
        if allowed is not None:
            assert most_within([call.counted for call in made], length) <= allowed
    if limits.batch_calls_per_minute is not None:
        batches = [call.counted for call in made if call.batch]
        assert most_within(batches, 60.0) <= limits.batch_calls_per_minute
    edges = sorted([(call.start, 1) for call in made] + [(call.end, -1) for call in made])
    under_way = 0
    for _, step in edges:
        under_way += step
        assert under_way <= limits.concurrent_calls


def greedy(limits: Limits, seconds: float, latency: float, batch: bool) -> int:
    """How many calls the limits allow to who knows everything: each as early as windows of starts and slots allow."""
    rules = [(1.0, limits.calls_per_second), (60.0, limits.calls_per_minute)]
    rules += [(60.0, limits.batch_calls_per_minute)] if batch else []
    starts: list[float] = []
    while True:
        earliest = starts[-1] if starts else 0.0
        for length, count in rules:
            if count is not None and len(starts) >= count:
                earliest = max(earliest, starts[-count] + length)
        if len(starts) >= limits.concurrent_calls:
            earliest = max(earliest, starts[-limits.concurrent_calls] + latency)
        if earliest >= seconds:
            return len(starts)
        starts.append(earliest)


limits_of = st.builds(
    Limits,
    concurrent_calls=st.integers(1, 12),
    calls_per_second=st.none() | st.integers(1, 15),
    calls_per_minute=st.none() | st.integers(1, 200),
    batch_calls_per_minute=st.none() | st.integers(1, 40),
)


@given(limits_of, st.integers(), st.floats(0.001, 8), st.booleans())
@settings(max_examples=40)
def test_no_window_ever_holds_more(limits: Limits, seed: int, slowest: float, told_sent: bool) -> None:
    chance = random.Random(seed)
    if told_sent:
        # The other side counts a request when its last byte is there, which we know to the moment.
        calls = simulate(
            limits, 150, lambda _: (chance.random() < 0.3, chance.uniform(0.001, slowest), chance.random())
        )
        assert_kept(limits, calls)
    else:
        # Nothing is known but start and end: wherever in between each is counted, no window holds more.
        calls = simulate(
            limits, 65, lambda _: (chance.random() < 0.3, chance.uniform(0.001, slowest), 0), told_sent=False
        )
        for call in calls:
            call.counted = chance.choice((call.start, call.end, chance.uniform(call.start, call.end)))
        assert_kept(limits, calls)


@pytest.mark.parametrize(("limits", "jitter", "seconds"), [(QUICKBOOKS, 0.19, 70), (XERO, 2.3, 600)])
@given(seed=st.integers())
@settings(max_examples=30)
def test_slow_ways_to_the_maker_stay_within_its_windows(
    limits: Limits, jitter: float, seconds: float, seed: int
) -> None:
    chance = random.Random(seed)
    calls = simulate(limits, seconds, lambda _: (False, chance.uniform(0.2, 8), 0))
    for call in calls:
        call.counted = min(call.end, call.start + chance.choice((0, jitter)))
    assert_kept(limits, calls)


@pytest.mark.parametrize("latency", [0.02, 0.2, 1.0, 5.0])
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(
    "limits",
    [
        QUICKBOOKS,
        XERO,
        Limits(concurrent_calls=3),
        Limits(concurrent_calls=10, calls_per_second=10),
        Limits(concurrent_calls=4, calls_per_minute=100),
        Limits(concurrent_calls=1, calls_per_minute=60),
    ],
)
def test_a_backlog_keeps_every_allowed_slot_busy(limits: Limits, batch: bool, latency: float) -> None:
    made = simulate(limits, 300, lambda _: (batch, latency, 0.002 / latency))
    assert_kept(limits, made)
    assert len(made) >= 0.95 * greedy(limits, 300, latency, batch)


def test_reads_are_not_held_up_by_the_limit_of_batches() -> None:
    pace = Pace(Limits(concurrent_calls=5, calls_per_minute=100, batch_calls_per_minute=2))
    for _ in range(2):
        pace.ended(pace.begin(0, True), 0)
    assert pace.delay(0, True) > 59
    assert pace.delay(0, False) == 0


def test_calls_of_others_are_seen_in_the_headers() -> None:
    pace = Pace(Limits(concurrent_calls=5, calls_per_minute=60))
    call = pace.begin(0, False)
    pace.learn(call, 0.2, 10)
    pace.ended(call, 0.2)
    # 50 were counted there and one of them is ours: 10 are left.
    left = 0
    while pace.delay(0.3, False) == 0:
        pace.ended(pace.begin(0.3, False), 0.3)
        left += 1
    assert left == 10


def test_own_calls_are_not_taken_for_those_of_others() -> None:
    pace = Pace(Limits(concurrent_calls=5, calls_per_minute=60))
    made = 0
    while pace.delay(0, False) == 0 and made < 60:
        call = pace.begin(0, False)
        made += 1
        pace.learn(call, 0, 60 - made)
        pace.ended(call, 0)
    assert made == 60
