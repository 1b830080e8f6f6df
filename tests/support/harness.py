"""A route with a real store in a folder of its own, between a shop and books in memory."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connector_service.audit.chain import Chain
from connector_service.contract import crashpoints
from connector_service.contract.journal import Context, Known
from connector_service.domain.kinds import Kind, State, may_become
from connector_service.engine import actions, begin_date
from connector_service.engine.run import Request, Runner, RunResult
from connector_service.engine.setup import Route, RouteOptions
from connector_service.store.listing import DocumentRow, Filter
from connector_service.store.repository import Repository
from tests.support import fake_source, fake_target
from tests.support.fake_books import Books
from tests.support.fake_source import FakeShop
from tests.support.fake_target import FakeBooks

KEY = b"k" * 32
PERSON = "Alex"


class PowerCut(BaseException):
    """The process ends here, as far as the code can tell."""


@dataclass
class Clock:
    """Real time, that a test can move on."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, **span: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**span)


@dataclass
class Followed:
    """What has been seen of the trail, so that each check looks at the new lines only."""

    chain: Chain = field(default_factory=lambda: Chain(KEY))
    sequence: int = 0
    digest: str = ""
    states: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def follow(self, sequence: int, text: str, digest: str, kinds: set[str]) -> None:
        """One line more: it follows the one before, is genuine, and its way is one that exists."""
        line = json.loads(text)
        assert sequence == self.sequence + 1, "a gap in the trail"
        assert self.chain.genuine(text.encode()), "a line that was not sealed with the key"
        assert line.get("previous", "") == self.digest, "a line that does not follow the one before"
        self.sequence, self.digest = sequence, digest
        # Bulk events name no documents.
        if line.get("kind") not in kinds or not line.get("after") or not line.get("key"):
            return
        unit = (line.get("pair", ""), line["kind"], line["key"])
        before, after = line.get("before", ""), line["after"]
        assert before == after or may_become(State(before) if before else None, State(after)), f"{before} -> {after}"
        known = self.states.get(unit, "")
        bulk = {known, "marked", "waiting"}
        assert before in bulk or (known == "gone" and not before) or not known, f"{unit}: {known}, then from {before}"
        self.states[unit] = after


@dataclass
class Rig:
    """Everything a test of the engine needs, from the outside."""

    folder: Path
    source: dict[str, Any] = field(default_factory=dict)
    """Changes to the shop's manifest."""
    target: dict[str, Any] = field(default_factory=dict)
    """Changes to the books' manifest."""
    options: RouteOptions = field(default_factory=RouteOptions)
    clock: Clock = field(default_factory=Clock)
    name: str = "main"
    stopping: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        self.shop = FakeShop(fake_source.manifest(**self.source), self.clock)
        self.books = Books(self.clock)
        self.adapter = FakeBooks(self.books, fake_target.manifest(**self.target))
        self.store = self._open()
        self.last: RunResult | None = None
        self.trail = Followed()

    def _open(self) -> Repository:
        return Repository(self.folder / "state.db", self.folder / "backups", Chain(KEY), clock=self.clock)

    def reopen(self) -> None:
        """What a restart does: the store is opened anew, and the adapter forgets what it had in memory."""
        self.store.close()
        self.store = self._open()
        old = self.adapter
        self.adapter = FakeBooks(self.books, old.manifest, old.info, old.stumbles, refuse=old.refuse)

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    def route(self) -> Route:
        """The route as the application would hand it to the engine."""
        return Route(
            name=self.name,
            source=self.shop,
            target=self.adapter,
            journal=self.store,
            options=self.options,
            clock=self.clock,
        )

    def set(self, **options: Any) -> None:
        """Change options of the route, as an edit of the settings does."""
        self.options = replace(self.options, **options)

    def run(self, **request: Any) -> RunResult:
        """One run; nothing that a system does may come out of it as an exception."""
        runner = Runner(self.route(), Request(**request), stopping=self.stopping)
        self.last = runner.execute()
        return self.last

    def crash_at(self, point: str, passing: int = 1, **request: Any) -> bool:
        """A run that is cut off at a named point, and a restart; whether the point was passed at all."""
        return self.power_cut_in(point, lambda: self.run(**request), passing)

    def power_cut_in(self, point: str, work: Callable[[], object], passing: int = 1) -> bool:
        """Any work that is cut off at a named point, and a restart; whether the point was passed at all."""
        left = passing

        def cut(name: str) -> None:
            nonlocal left
            if name == point:
                left -= 1
                if left == 0:
                    raise PowerCut(point)

        crashpoints.set_hook(cut)
        try:
            work()
        except PowerCut:
            return True
        finally:
            crashpoints.set_hook(None)
            self.reopen()
        return False

    # -- what is seen from outside ------------------------------------------------------------------------------------

    def rows(self, **wanted: Any) -> list[DocumentRow]:
        """Documents as the lists show them."""
        return self.store.listing.documents(Filter(**wanted), 0, 100_000)

    def row(self, key: str, kind: Kind | None = None) -> DocumentRow:
        """One document by its key."""
        found = [one for one in self.rows() if one.key == key and kind in (None, one.kind)]
        assert len(found) == 1, f"{key} stands {len(found)} times in the store"
        return found[0]

    def state(self, key: str) -> State:
        """The state of one document."""
        return self.row(key).state

    def states(self) -> dict[str, str]:
        """All documents' states by key."""
        return {one.key: one.state.value for one in self.rows()}

    def codes(self, key: str) -> list[str]:
        """The codes of all problems of a document, in order."""
        return [one.code for one in self.row(key).problems]

    def issues(self) -> list[str]:
        """Codes of open issues of this route, and of all."""
        return [one.code for one in self.store.issues(None)]

    def pair(self) -> int:
        """The number of source and company."""
        found = self.store.find_pair(self.shop.name, self.adapter.info.id)
        assert found is not None
        return found

    def tallies(self) -> dict[str, int]:
        """The counts that are kept up with each change."""
        return {state.value: count for state, count in self.store.tallies(self.pair()).items()}

    def events(self) -> list[dict[str, Any]]:
        """The lines of the trail, none of which was let go of."""
        return [json.loads(line) for _, line, _ in self.store.trail.unflushed(0, 1_000_000)]

    def events_of(self, key: str) -> list[tuple[str, str]]:
        """Before and after of each event of one document."""
        kinds = {kind.value for kind in Kind}
        return [
            (one.get("before", ""), one.get("after", ""))
            for one in self.events()
            if one.get("key") == key and one.get("kind") in kinds and one.get("after")
        ]

    # -- what a person does -------------------------------------------------------------------------------------------

    def context(self) -> Context:
        """In a person's name."""
        return Context(self.name, self.pair(), None, PERSON)

    def known(self, key: str) -> Known:
        """What the store knows of a document."""
        return self.store.by_ids([self.row(key).id])[0]

    def act(self, action: str, *keys: str) -> None:
        """Retry, ignore or mark."""
        actions.put_aside(self.store, self.context(), action, [self.known(key) for key in keys])

    def settle(self, key: str, remote_id: str | None) -> None:
        """A person has looked into the books."""
        actions.settle_by_person(self.store, self.context(), self.known(key), remote_id)

    def undo(self, key: str) -> None:
        """Void it in the books."""
        actions.undo(self.store, self.context(), self.adapter, self.known(key), self.clock().date())

    def accept(self, key: str) -> None:
        """Keep what is booked."""
        actions.accept_change(self.store, self.context(), self.known(key))

    def confirm_brakes(self) -> None:
        """A person says that the source is right."""
        state = self.store.route_state(self.name)
        assert state is not None
        for issue in self.store.issues(self.name):
            if issue.confirmable:
                kind, _, count = issue.key.partition(":")
                state.accepted[kind] = int(count)
                self.store.close_issues(self.name, (issue.code,), issue.key)
        self.store.save_route_state(self.name, state)

    def release(self) -> int:
        """Release what was marked from the begin date on."""
        assert self.options.begin is not None
        return begin_date.release(self.route(), self.pair(), self.options.begin, PERSON)


def check_store(rig: Rig) -> None:
    """Whatever happened: tallies are right, the trail has no gap, and every way is one that exists."""
    if rig.store.find_pair(rig.shop.name, rig.adapter.info.id) is None:
        return
    counted = Counter(one.state.value for one in rig.rows(pair=rig.pair()))
    assert counted == Counter(rig.tallies()), "the kept counts differ from the documents"
    kinds = {kind.value for kind in Kind}
    for sequence, text, digest in rig.store.trail.unflushed(rig.trail.sequence, 1_000_000):
        rig.trail.follow(sequence, text, digest, kinds)


def check_books(rig: Rig) -> None:
    """No unit stands in the books more than once."""
    counted = Counter((one.document.kind, one.document.key) for one in rig.books.alive())
    twice = [unit for unit, count in counted.items() if count > 1]
    assert not twice, f"in the books more than once: {twice}"
