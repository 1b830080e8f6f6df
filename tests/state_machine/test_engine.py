"""Both sides of a route at once: whatever happens, in whatever order, nothing is booked twice and nothing is lost."""

import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from connector_service.contract.manifest import Idempotency, Limits
from connector_service.contract.target import BookedState
from connector_service.domain.documents import MoneyDocument, TimeRecord, Unreadable
from connector_service.domain.kinds import Kind, State
from connector_service.domain.problems import Conflict, RetryLater
from connector_service.engine.setup import RouteOptions
from tests.conftest import ROOT
from tests.support.documents import plain, total_of
from tests.support.fake_target import Stumble
from tests.support.harness import Rig, check_books, check_store

KINDS: Final = (Kind.SALES_INVOICE, Kind.VENDOR_BILL, Kind.TIME_RECORD)
PLACES: Final = tuple(range(1, 6))
DAYS: Final = (date(2026, 1, 10), date(2026, 2, 10), date(2026, 3, 10))
BEGINS: Final = (None, date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
REMEMBERS: Final = 600
SETTLES: Final = 60.0
SLOW: Final = 40.0
WAITS: Final = (0.0, 1.0, SLOW, SETTLES, REMEMBERS + 1.0, 200_000.0)
"""Seconds that pass before a run."""
WAYS: Final[dict[str, dict[str, Any]]] = {
    "replay": {"idempotency": (Idempotency.REPLAY, Idempotency.PERSON)},
    "replay, then reference": {"idempotency": (Idempotency.REPLAY, Idempotency.EXTERNAL_REFERENCE)},
    "reference": {"idempotency": (Idempotency.EXTERNAL_REFERENCE,)},
    "search": {"idempotency": (Idempotency.SEARCH, Idempotency.PERSON)},
    "person": {"idempotency": (Idempotency.PERSON,)},
    "queued": {"idempotency": (Idempotency.EXTERNAL_REFERENCE,), "queued": True},
}
UNKNOWN: Final = (Stumble.LOST_REQUEST, Stumble.SLOW, Stumble.LOST_ANSWER, Stumble.HALF)
POINTS: Final = sorted(
    {
        name
        for file in (ROOT / "connector_service" / "engine").glob("*.py")
        for name in re.findall(r'crash_point\("([^"]+)"\)', file.read_text(encoding="utf-8"))
    }
)

CHANGES: Final = (
    *("add", "add", "add", "edit", "edit", "miscount", "renumber", "say exported"),
    *("spoil", "mend", "delete"),
)

kinds = st.sampled_from(KINDS)
places = st.sampled_from(PLACES)


def _renumbered(kind: Kind, other: int, _record: Any) -> dict[str, Any]:
    return {"number": plain(kind, other).number}


def key_of(kind: Kind, place: int) -> str:
    return plain(kind, place).key


class TwoSides(RuleBasedStateMachine):
    """A shop, books and the engine between them."""

    @initialize(
        way=st.sampled_from(sorted(WAYS)),
        incremental=st.booleans(),
        marks=st.booleans(),
        batch=st.integers(1, 3),
        calls=st.integers(1, 2),
        lookup=st.booleans(),
        known=st.sets(st.tuples(kinds, places, st.sampled_from(DAYS)), max_size=8),
    )
    def start(
        self,
        way: str,
        incremental: bool,
        marks: bool,
        batch: int,
        calls: int,
        lookup: bool,
        known: set[tuple[Kind, int, date]],
    ) -> None:
        # A disk in memory where there is one: power cuts are played here, not had.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="two-sides-", dir=memory))
        limits = Limits(
            batch_size=batch, concurrent_calls=calls, memory_seconds=REMEMBERS, settle_after_seconds=int(SETTLES)
        )
        self.rig = Rig(
            self.folder,
            source={"kinds": frozenset(KINDS), "incremental": incremental, "mark_exported": marks},
            target={"kinds": frozenset(KINDS), "limits": limits, "number_lookup": lookup, **WAYS[way]},
            options=RouteOptions(),
        )
        self.rig.adapter.slow_seconds = SLOW
        self.way = way
        self.touched_by_hand: set[tuple[Kind, str]] = set()
        """What a person has changed in the books, or has accepted: its total is not ours to compare."""
        for kind, place, day in sorted(known):
            self._add(kind, place, day)

    def teardown(self) -> None:
        if hasattr(self, "rig"):
            self.rig.close()
            shutil.rmtree(self.folder)

    # -- the source ---------------------------------------------------------------------------------------------------

    @rule(
        changes=st.lists(
            st.tuples(st.sampled_from(CHANGES), kinds, places, st.sampled_from(DAYS), st.integers(1, 5)),
            min_size=1,
            max_size=5,
        )
    )
    def things_happen_in_the_shop(self, changes: list[tuple[str, Kind, int, date, int]]) -> None:
        for change, kind, place, day, amount in changes:
            if change == "add":
                self._add(kind, place, day)
            elif change == "edit":
                self._edit(kind, place, amount)
            elif change == "miscount":
                self._change(kind, place, lambda one: {} if isinstance(one, TimeRecord) else {"total": one.total + 1})
            elif change == "renumber":
                self._change(kind, place, partial(_renumbered, kind, amount))
            elif change == "say exported":
                self._change(kind, place, lambda _one: {"exported": True})
            elif change == "spoil":
                self._spoil(kind, place)
            elif change == "mend":
                self._mend(kind, place, day)
            else:
                self.rig.shop.records[kind].pop(key_of(kind, place), None)

    def _add(self, kind: Kind, place: int, day: date) -> None:
        if key_of(kind, place) not in self.rig.shop.records[kind]:
            self.rig.shop.add(plain(kind, place, date=day))

    def _change(self, kind: Kind, place: int, change: Callable[[Any], dict[str, Any]]) -> None:
        record = self.rig.shop.records[kind].get(key_of(kind, place))
        if record is not None and not isinstance(record, Unreadable):
            self.rig.shop.edit(kind, record.key, **change(record))

    def _edit(self, kind: Kind, place: int, cents: int) -> None:
        def more(record: Any) -> dict[str, Any]:
            if isinstance(record, TimeRecord):
                return {"minutes": record.minutes + cents}
            extra = Decimal(cents) / 100
            lines = (*record.lines[:-1], replace(record.lines[-1], amount=record.lines[-1].amount + extra))
            return {"lines": lines, "total": record.total + extra}

        self._change(kind, place, more)

    def _spoil(self, kind: Kind, place: int) -> None:
        if key_of(kind, place) in self.rig.shop.records[kind]:
            self.rig.shop.add(Unreadable(kind, key_of(kind, place), "The amount is no number.", "Correct it."))

    def _mend(self, kind: Kind, place: int, day: date) -> None:
        if isinstance(self.rig.shop.records[kind].get(key_of(kind, place)), Unreadable):
            self.rig.shop.add(plain(kind, place, date=day))

    # -- the books ----------------------------------------------------------------------------------------------------

    @rule(place=st.integers(0, 20), delete=st.booleans())
    def behind_our_back(self, place: int, delete: bool) -> None:
        seen = [one for one in self.rig.books.alive() if one.visible_at <= self.rig.clock()]
        if seen:
            one = seen[place % len(seen)]
            self.touched_by_hand.add((one.document.kind, one.document.key))
            if delete:
                self.rig.books.entries.remove(one)
            else:
                self.rig.books.void_by_hand(one)

    @precondition(lambda self: self.way == "queued")
    @rule()
    def fetch(self) -> None:
        self.rig.books.fetch()

    @rule(kind=kinds, place=places)
    def refuse(self, kind: Kind, place: int) -> None:
        wrong = key_of(kind, place)
        self.rig.adapter.refuse = lambda document: "It is wrong." if document.key == wrong else None

    # -- runs ---------------------------------------------------------------------------------------------------------

    @rule(stumbles=st.lists(st.sampled_from(UNKNOWN), min_size=1, max_size=3), cents=st.integers(1, 5), kind=kinds)
    def run_that_leaves_doubt_and_an_edit(self, stumbles: list[Stumble], cents: int, kind: Kind) -> None:
        self._add(kind, cents, DAYS[2])
        self.run(stumbles, 0.0)
        for place in PLACES:
            if self._some(place, State.IN_DOUBT) == key_of(kind, place):
                self._edit(kind, place, cents)

    @rule(stumbles=st.lists(st.sampled_from(list(Stumble)), max_size=3), seconds=st.sampled_from(WAITS))
    def run(self, stumbles: list[Stumble], seconds: float) -> None:
        self.rig.clock.forward(seconds=seconds)
        if self.way == "queued":  # what waits in a queue of our own cannot be lost on the way
            stumbles = [one for one in stumbles if one in (Stumble.THROTTLED, Stumble.SIGN_IN, Stumble.REFUSED_WHOLE)]
        self.rig.adapter.stumbles.extend(stumbles)
        self.rig.run()
        self.rig.adapter.stumbles.clear()

    @rule(step=st.sampled_from(["read", "read_keys", "mark", "probe", "heads"]), after=st.integers(0, 3))
    def run_with_a_source_that_fails(self, step: str, after: int) -> None:
        self.rig.shop.break_after = after
        self.rig.shop.fail(step, RetryLater("The shop is out of reach."))
        self.rig.run()
        self.rig.shop.faults.clear()

    @rule(step=st.sampled_from(["company", "look_up", "collect"]))
    def run_with_a_target_that_fails(self, step: str) -> None:
        self.rig.adapter.fail(step, RetryLater("The books are out of reach."))
        self.rig.run()
        self.rig.adapter.faults.clear()

    @rule(point=st.sampled_from(POINTS), passing=st.integers(1, 3), stumble=st.none() | st.sampled_from(list(Stumble)))
    def crash(self, point: str, passing: int, stumble: Stumble | None) -> None:
        if stumble is not None and self.way != "queued":
            self.rig.adapter.stumbles.append(stumble)
        note(f"reached: {self.rig.crash_at(point, passing)}")
        self.rig.adapter.slow_seconds = SLOW
        self.rig.adapter.stumbles.clear()

    @rule(first=st.sampled_from(DAYS), last=st.sampled_from(DAYS), kind=st.none() | kinds)
    def run_a_window(self, first: date, last: date, kind: Kind | None) -> None:
        self.rig.run(first=min(first, last), last=max(first, last), kinds=(kind,) if kind else ())

    @rule(begin=st.sampled_from(BEGINS), release=st.booleans(), stop=st.booleans())
    def settings_change(self, begin: date | None, release: bool, stop: bool) -> None:
        self.rig.set(begin=begin, stop_after_error=stop)
        if release and begin is not None and self._opened():
            self.rig.release()

    # -- a person -----------------------------------------------------------------------------------------------------

    def _opened(self) -> bool:
        return self.rig.store.find_pair("shop", "C1") is not None

    def _some(self, place: int, *states: State) -> str | None:
        rows = [one for one in self.rig.rows() if one.state in states] if self._opened() else []
        return rows[place % len(rows)].key if rows else None

    @rule(
        deeds=st.lists(
            st.tuples(st.sampled_from(["retry", "ignore", "mark", "settle", "accept"]), st.integers(0, 20)),
            min_size=1,
            max_size=3,
        )
    )
    def a_person_decides(self, deeds: list[tuple[str, int]]) -> None:
        put_aside = (State.WAITING, State.HELD, State.REFUSED, State.UNREADABLE)
        from_states = {
            "retry": (*put_aside[1:], State.MARKED, State.IGNORED, State.UNDONE),
            "ignore": put_aside,
            "mark": put_aside,
            "settle": (State.IN_DOUBT,),
            "accept": (State.DRIFTED,),
        }
        for deed, place in deeds:
            key = self._some(place, *from_states[deed])
            if key is None:
                continue
            if deed == "settle":
                # Who looks into the books waits until the package has come to an end with what it was sent.
                self.rig.clock.forward(seconds=SLOW + 1)
                booked = self.rig.books.by_key(key)
                self.rig.settle(key, booked[0].remote_id if booked else None)
            elif deed == "accept":
                self.touched_by_hand.add((self.rig.row(key).kind, key))
                self.rig.accept(key)
            else:
                self.rig.act(deed, key)

    @rule(place=st.integers(0, 20), cut=st.sampled_from(["", "undo.after_intent", "undo.after_call"]))
    def undo(self, place: int, cut: str) -> None:
        key = self._some(place, State.EXPORTED, State.DRIFTED)
        if key is None or (self.rig.row(key).kind, key) in self.touched_by_hand:
            return
        try:
            self.rig.power_cut_in(cut, lambda: self.rig.undo(key))
        except Conflict:
            note("the books refused to void it")
        self.rig.adapter.slow_seconds = SLOW

    # -- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_booked_twice_and_the_trail_is_whole(self) -> None:
        if hasattr(self, "rig"):
            check_books(self.rig)
            check_store(self.rig)

    @rule(seconds=st.sampled_from(WAITS))
    def everything_is_in_order_after_a_good_run(self, seconds: float) -> None:
        self.rig.clock.forward(seconds=seconds)
        self.rig.set(stop_after_error=False)
        result = self.rig.run()
        if result.fault is not None and any(issue.confirmable for issue in self.rig.store.issues("main")):
            self.rig.confirm_brakes()
            result = self.rig.run()
        assert result.fault is None, result.fault
        self._every_record_is_in_one_state()
        self._totals_agree()

    def _every_record_is_in_one_state(self) -> None:
        stored = Counter((one.kind, one.key) for one in self.rig.rows())
        states = {(one.kind, one.key): one.state for one in self.rig.rows()}
        for kind in KINDS:
            for key in self.rig.shop.records[kind]:
                assert stored[kind, key] == 1, f"{kind} {key} is in the store {stored[kind, key]} times"
                state = states[kind, key]
                assert state not in (State.GONE, State.WAITING, State.SENDING), f"{kind} {key} was left {state}"

    def _totals_agree(self) -> None:
        for row in self.rig.rows():
            record = self.rig.shop.records[row.kind].get(row.key)
            unit = (row.kind, row.key)
            alive = [one for one in self.rig.books.by_key(row.key) if one.document.kind is row.kind]
            if row.state in (State.EXPORTED, State.DRIFTED) and unit not in self.touched_by_hand:
                assert len(alive) == 1, f"{row.key} counts as {row.state} and stands {len(alive)} times in the books"
                assert alive[0].remote_id == row.remote_id
            if row.state is State.EXPORTED and unit not in self.touched_by_hand and alive:
                if record is not None and not isinstance(record, Unreadable):
                    assert alive[0].total == total_of(record), f"{row.key} has another total in the books"
                if isinstance(record, MoneyDocument):
                    assert row.total == alive[0].total
            if row.state in (State.HELD, State.REFUSED, State.UNREADABLE, State.GONE, State.WAITING, State.UNDONE):
                seen = [one for one in alive if one.state is not BookedState.VOID]
                assert not seen, f"{row.key} counts as {row.state} and stands in the books"


def test_two_sides(long_run: bool, pytestconfig: pytest.Config) -> None:
    examples, steps = (3000, 80) if long_run else (40, 40) if pytestconfig.getoption("--quick") else (400, 50)
    run_state_machine_as_test(
        TwoSides,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=not long_run,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_machine_knows_the_crash_points() -> None:
    assert len(POINTS) >= 15
    assert {"push.after_call", "settle.before_outcome", "undo.after_call"} <= set(POINTS)
