"""A store with one source and one company, and what must hold of it at any time."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector_service.audit.chain import Chain
from connector_service.contract.journal import Change, Context, Known
from connector_service.domain.documents import Document
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import State, may_become
from connector_service.store.repository import Repository

KEY = bytes(range(32))
PERSON = "Alex"


def open_store(folder: Path, read_only: bool = False) -> Repository:
    """The store in a data folder."""
    return Repository(folder / "state.db", folder / "backups", Chain(KEY), read_only)


@dataclass
class Place:
    """A store, and changes to it in the name of one route."""

    store: Repository
    pair: int = field(init=False)

    def __post_init__(self) -> None:
        self.pair = self.store.pair("sql:shop", "C1")

    def context(self, actor: str = "service", run: int | None = None) -> Context:
        """In whose name."""
        return Context("main", self.pair, run, actor)

    def start_run(self) -> int:
        """A run of the route."""
        return self.store.start_run("main", "manual", False, None, None).id

    def add(
        self, *documents: Document, state: State = State.WAITING, run: int | None = None, **more: Any
    ) -> list[Known]:
        """New documents in a state."""
        changes = [Change(state, record=one, fingerprint=fingerprint(one), **more) for one in documents]
        return self.store.apply(self.context(run=run), changes)

    def lead(self, known: Sequence[Known], *states: State, actor: str = PERSON, **more: Any) -> list[Known]:
        """Known documents through states."""
        for state in states:
            known = self.store.apply(self.context(actor), [Change(state, one, **more) for one in known])
        return list(known)

    def counted(self) -> Counter[State]:
        """Documents by state, counted one by one."""
        rows = self.store.database.execute("SELECT state FROM document WHERE pair = ?", (self.pair,))
        return Counter(State(row[0]) for row in rows)

    def events(self) -> list[dict[str, Any]]:
        """The lines of the trail that wait."""
        return [json.loads(line) for _, line, _ in self.store.trail.unflushed(0, 100_000)]

    def content(self) -> list[tuple[Any, ...]]:
        """Everything that the store holds, row by row."""
        return dump(self.store.database.path)

    def assert_in_order(self) -> None:
        """Tallies equal counts; the trail has no gap, is chained, and tells only of ways that exist."""
        assert self.store.tallies(self.pair) == dict(self.counted())
        lines = self.store.trail.unflushed(0, 1_000_000)
        assert [one[0] for one in lines] == list(range(1, len(lines) + 1))
        previous, last = "", dict[tuple[str, ...], str]()
        for _, text, digest in lines:
            line = json.loads(text)
            assert line.get("previous", "") == previous
            previous = digest
            if line.get("key") and "after" in line:
                unit = (line["pair"], line["kind"], line.get("made_from", ""), line["key"])
                before, after = line.get("before"), line["after"]
                # A document that stays where it is may tell of a new reason.
                assert before == after or may_become(State(before) if before else None, State(after)), line
                assert before is None or last.get(unit, before) == before, line
                last[unit] = after
        assert self.store.trail.head() == (len(lines), previous)


def dump(path: Path) -> list[tuple[Any, ...]]:
    """Every row of every table of a store, read by SQLite alone."""
    with closing(sqlite3.connect(path)) as file:
        names = [row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return [(name, *row) for name in names for row in file.execute(f"SELECT * FROM {name} ORDER BY 1, 2")]


def keys(known: Iterable[Known]) -> list[str]:
    """Their keys, in order."""
    return [one.key for one in known]
