"""The process is ended at every named point that a run of the whole product passes; a restart finishes the work."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from connector_service.contract.crashpoints import KILLED
from connector_service.domain.kinds import Kind
from tests.faults import oracle, shop
from tests.faults.conftest import Worker
from tests.support.documents import plain
from tests.support.harness import Rig, check_books, check_store

NAMES: Final = sorted(
    {
        name
        for file in (shop.ROOT / "connector_service").rglob("*.py")
        for name in re.findall(r'crash_point\(\s*"([^"]+)"', file.read_text(encoding="utf-8"))
    }
)
ELSEWHERE: Final = {
    "folder.": "tests/systems/folder",
    "oauth.": "tests/unit/http",
    # For targets that remember a key; the embedded books do not.
    "settle.before_replay": "tests/unit/engine",
    "settle.after_replay": "tests/unit/engine",
    # For targets that fetch their work themselves: below, with such a target in memory.
    "collect.": "tests/faults",
}
"""Points off the path of a run from a shop to the embedded books, and the suite that ends processes there."""
NewHome = Callable[..., Path]


@dataclass(frozen=True, slots=True)
class Scenario:
    """How a point is reached: what is prepared, and the steps during which it is passed."""

    steps: tuple[str, ...]
    prepare: Callable[[Worker, Path], None] = lambda _worker, _home: None


def _left_in_doubt(worker: Worker, home: Path) -> None:
    answer = worker(home, "sync", point="push.after_call", passing=3)
    assert answer["status"] == KILLED


def _torn_trail(worker: Worker, home: Path) -> None:
    answer = worker(home, f"grow:{20}", "sync", point="audit.written", passing=2)
    assert answer["status"] == KILLED
    (file,) = (home / "audit").glob("trail-*.jsonl")
    os.truncate(file, file.stat().st_size - 40)


def _exported(worker: Worker, home: Path) -> None:
    worker.finish(home)


RUN: Final = Scenario(("sync", "grow:20", "sync"))
SCENARIOS: Final = {
    "settle.": Scenario(("sync",), _left_in_doubt),
    "audit.cut": Scenario(("sync",), _torn_trail),
    "undo.": Scenario(("undo:Bill-00000", "undo:Invoice-00003"), _exported),
}


def scenario_of(point: str) -> Scenario:
    """The scenario of a point: a run, unless it needs another."""
    return next((one for name, one in SCENARIOS.items() if point.startswith(name)), RUN)


def _is_elsewhere(point: str) -> bool:
    return point.startswith(tuple(ELSEWHERE))


HERE: Final = [name for name in NAMES if not _is_elsewhere(name)]


def test_points_off_the_path_of_a_run_are_proved_in_their_own_suites() -> None:
    assert len(HERE) >= 20
    for point in set(NAMES) - set(HERE):
        suite = next(suite for name, suite in ELSEWHERE.items() if point.startswith(name))
        files = (shop.ROOT / suite).rglob("*.py")
        assert any(point in file.read_text(encoding="utf-8") for file in files), f"nothing in {suite} ends at {point}"


@pytest.mark.parametrize("point", HERE)
def test_ended_at_a_point(point: str, worker: Worker, new_home: NewHome) -> None:
    scenario = scenario_of(point)
    whole = new_home()
    scenario.prepare(worker, whole)
    passed = worker(whole, *scenario.steps)["passed"].get(point, 0)
    assert passed, f"{point} is not passed by its scenario"

    first = new_home()
    scenario.prepare(worker, first)
    assert worker(first, *scenario.steps, point=point)["status"] == KILLED
    _recovered_and_checked(worker, first, scenario)

    # A later passing; where files are appended to one after the other, also one among them.
    for passing in {passed, passed // 2 + 1} - {1} if point.startswith("journal.") else {passed} - {1}:
        later = new_home()
        scenario.prepare(worker, later)
        assert worker(later, *scenario.steps, point=point, passing=passing)["status"] == KILLED
        _recovered_and_checked(worker, later, scenario)
    if passed == 1:
        # Passed once in a process: then it is ended there again at the restart.
        again = new_home()
        scenario.prepare(worker, again)
        assert worker(again, *scenario.steps, point=point)["status"] == KILLED
        if point == "audit.cut":
            scenario.prepare(worker, again)
        assert worker(again, *scenario.steps, point=point)["status"] == KILLED
        _recovered_and_checked(worker, again, scenario)


def _recovered_and_checked(worker: Worker, home: Path, scenario: Scenario) -> None:
    undone = frozenset(step.partition(":")[2] for step in scenario.steps if step.startswith("undo"))
    if undone:
        # A run resumes what a crash cut off; only what was never begun is asked for again by a person.
        worker.finish(home)
    for done in worker.done(home, *scenario.steps):
        assert done.get("exit", 0) == 0, done
    worker.finish(home)
    oracle.check_books(home, undone=undone)
    oracle.check_store(home, undone=len(undone))
    oracle.check_trail(home)
    oracle.load_books(home)


@pytest.mark.parametrize("passing", [1, 2])
def test_ended_while_what_was_queued_is_collected(passing: int, tmp_path: Path) -> None:
    rig = Rig(tmp_path, target={"queued": True, "limits": {"batch_size": 2}})
    rig.shop.add(*[plain(Kind.SALES_INVOICE, place) for place in (1, 2, 3, 4)])
    rig.run()
    rig.books.fetch()
    assert rig.crash_at("collect.before_outcome", passing)
    rig.run()
    assert set(rig.states().values()) == {"exported"}
    check_store(rig)
    check_books(rig)
    rig.close()
