"""Store, trail or books are lost, damaged or put back from an older copy in the middle of life."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connector_service.app import App
from connector_service.contract.crashpoints import KILLED
from tests.faults import oracle, shop
from tests.faults.conftest import Worker

NewHome = Callable[..., Path]


def _drop_store(home: Path) -> None:
    for file in home.glob("state.db*"):
        file.unlink()


def _stopped(worker: Worker, home: Path) -> dict[str, Any]:
    """A run that a lost store stops: nothing is booked by it."""
    before = list(oracle.entries(home / "books"))
    (done,) = worker.done(home, "sync")
    assert done["exit"] in (1, 2, 3), done
    assert done["message"]
    assert "STORE_BEHIND" in oracle.issues(home)
    assert list(oracle.entries(home / "books")) == before
    # A second run is no way around the question.
    (again,) = worker.done(home, "sync")
    assert (again["exit"], list(oracle.entries(home / "books"))) == (done["exit"], before)
    return done


def _confirm_all(worker: Worker, home: Path) -> None:
    if not (home / "state.db").exists():
        return  # nothing was written into the trail before the crash: it is a first start
    worker.done(home, *(f"confirm:{number}" for number in oracle.issues(home).values()))


def _goes_on(worker: Worker, home: Path) -> None:
    """After a person has confirmed, everything is in the books once."""
    _confirm_all(worker, home)
    worker.finish(home)
    oracle.check(home, loaded=True)
    worker.finish(home)
    oracle.check(home)


def test_the_store_is_deleted(worker: Worker, new_home: NewHome) -> None:
    home = new_home()
    worker.finish(home)
    _drop_store(home)
    worker.done(home, "grow:20")
    _stopped(worker, home)
    _goes_on(worker, home)


@pytest.mark.parametrize("point", ["push.after_intent", "push.after_call", "push.after_outcome", "audit.written"])
@pytest.mark.parametrize("passing", [2, 4])
def test_the_store_is_deleted_after_a_crash(point: str, passing: int, worker: Worker, new_home: NewHome) -> None:
    home = new_home()
    assert worker(home, "sync", point=point, passing=passing)["status"] == KILLED
    _drop_store(home)
    if any((home / "audit").glob("trail-*.jsonl")):
        _stopped(worker, home)
    _goes_on(worker, home)


def test_the_store_is_put_back_from_an_older_copy(worker: Worker, new_home: NewHome) -> None:
    home = new_home()
    worker.finish(home)
    shutil.copy(home / "state.db", home / "copy.db")
    worker.done(home, "grow:40", "sync")
    _drop_store(home)
    (home / "copy.db").rename(home / "state.db")
    _stopped(worker, home)
    _goes_on(worker, home)


@pytest.mark.parametrize("point", ["push.after_intent", "push.after_call", "audit.written"])
def test_an_older_copy_after_a_crash(point: str, worker: Worker, new_home: NewHome) -> None:
    home = new_home()
    worker.finish(home)
    shutil.copy(home / "state.db", home / "copy.db")
    assert worker(home, "grow:40", "sync", point=point, passing=3)["status"] == KILLED
    _drop_store(home)
    (home / "copy.db").rename(home / "state.db")
    _stopped(worker, home)
    _goes_on(worker, home)


def test_store_and_trail_are_both_lost(worker: Worker, new_home: NewHome) -> None:
    home = new_home()
    # All is booked, and nothing of it is marked at the source yet.
    assert worker(home, "sync", point="writeback.after_mark")["status"] == KILLED
    shop.rows(home, "update TimeEntry set Exported = 0")
    for table in shop.MONEY:
        shop.rows(home, f"update {table.name} set Exported = 0")
    before = list(oracle.entries(home / "books"))
    _drop_store(home)
    shutil.rmtree(home / "audit")
    worker.done(home, "sync", "sync")
    assert list(oracle.entries(home / "books")) == before
    oracle.check_books(home)
    oracle.check_trail(home)


def _damage(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[1000 : len(data) // 2] = b"\xa5" * (len(data) // 2 - 1000)
    file.write_bytes(data)


def _scribble(file: Path) -> None:
    file.write_bytes(b"This is no database.\n" * 400)


def _foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("create table photos (name text)")


@pytest.mark.parametrize("harm", [_damage, _scribble, _foreign])
def test_the_store_is_not_ours_or_damaged(harm: Callable[[Path], None], worker: Worker, new_home: NewHome) -> None:
    home = new_home()
    worker.finish(home)
    worker.done(home, "grow:20")
    harm(home / "state.db")
    harmed = (home / "state.db").read_bytes()
    _stopped(worker, home)
    assert harmed in [file.read_bytes() for file in home.glob("state.set-aside*")], "the file was overwritten"
    assert "STORE_SET_ASIDE" in oracle.issues(home)
    _goes_on(worker, home)


def test_the_books_are_put_back_from_an_older_copy(worker: Worker, new_home: NewHome) -> None:
    home = new_home()
    worker.finish(home)
    shutil.copytree(home / "books", home / "copy")
    worker.done(home, "grow:40", "sync")
    later = {one.key for one in oracle.entries(home / "books")} - {one.key for one in oracle.entries(home / "copy")}
    assert len(later) == 40
    shutil.rmtree(home / "books")
    (home / "copy").rename(home / "books")

    # What is missing was booked once: whether it is to be booked again is a person's question.
    worker.done(home, "sync", "sync")
    assert not later & {one.key for one in oracle.entries(home / "books")}
    with App(home, write=True) as app:
        found = app.reconcile("main", date(2025, 1, 1), date(2026, 12, 31))
    assert {(row.key, row.finding.value) for row in found.rows} == {(key, "missing") for key in later}

    # New ones go on.
    shop.grow(home, 20, shop.LATER + 100)
    worker.done(home, "sync")
    assert len(list(oracle.entries(home / "books"))) == 80
    oracle.check_books(home, all_of_them=False, marks=False)
    oracle.check_trail(home)
    oracle.load_books(home)
