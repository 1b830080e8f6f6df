"""One process owns a data folder; its lock ends with it, however it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector_service.domain.problems import Busy
from connector_service.store.lock import FolderLock


@contextmanager
def other_process(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds the lock until its input ends."""
    line = [sys.executable, "-m", "tests.unit.store.worker", "lock", str(folder)]
    with subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_second_process_is_told_who_is_at_it(folder: Path) -> None:
    lock = FolderLock(folder / "engine.lock")
    with other_process(folder) as process:
        with pytest.raises(Busy) as caught:
            lock.take(what="connector begin")
        assert caught.value.code == "BUSY"
        assert f"Process {process.pid} (connector sync main)" in caught.value.why
        assert str(folder) in caught.value.why
        assert "--wait" in caught.value.fix
        owner = lock.owner()
        assert owner is not None
        assert (owner["pid"], owner["what"]) == (process.pid, "connector sync main")
        # To have asked, or to let go of what one does not hold, changes nothing.
        lock.release()
        with pytest.raises(Busy):
            FolderLock(folder / "engine.lock").take()


def test_the_lock_ends_with_its_process(folder: Path) -> None:
    lock = FolderLock(folder / "engine.lock")
    with other_process(folder) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0
    assert lock.owner() is None
    lock.take(what="next")
    lock.release()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")
def test_the_lock_ends_with_kill_9_and_its_note_names_nobody(folder: Path) -> None:
    lock = FolderLock(folder / "engine.lock")
    with other_process(folder) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    assert lock.owner() is None
    lock.take(what="next")
    owner = lock.owner()
    assert owner is not None
    assert (owner["pid"], owner["what"]) == (os.getpid(), "next")
    lock.release()
    assert lock.owner() is None


def test_within_one_process_it_is_taken_once(folder: Path) -> None:
    first, second = FolderLock(folder / "engine.lock"), FolderLock(folder / "engine.lock")
    first.take(what="service")
    with pytest.raises(Busy, match=f"Process {os.getpid()} \\(service\\)"):
        second.take(what="command")
    first.release()
    second.take(what="command")
    second.release()


@pytest.mark.parametrize("note", ["", "not JSON", "[]", '"text"', "{}", '{"what": "sync"}'])
def test_a_note_that_says_nothing_does_not_hide_that_the_lock_is_held(folder: Path, note: str) -> None:
    with other_process(folder):
        (folder / "engine.lock.owner").write_text(note, encoding="utf-8")
        with pytest.raises(Busy, match="Another process is working with"):
            FolderLock(folder / "engine.lock").take()


def test_nobody_holds_what_nobody_took(folder: Path) -> None:
    assert FolderLock(folder / "engine.lock").owner() is None
    assert list(folder.iterdir()) == []
