"""The disk fills up, folders may not be written, the source is locked or empty: told in words, and nothing is lost."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults import oracle, shop
from tests.faults.conftest import Worker

NewHome = Callable[..., Path]
NOBODY: Final = 65534


def _told(done: dict[str, Any], *codes: str) -> None:
    """The outcome names the cause, in words and with what to do."""
    assert done["exit"] in (2, 3), done
    assert done["code"] in codes, done
    assert len(done["message"]) > 20, done
    assert "Traceback" not in done["message"]


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 8 MB of its own."""
    folder = tmp_path_factory.mktemp("disk")
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "connector-test", str(folder)]
    if not hasattr(os, "geteuid") or os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root on Linux can mount a small disk")
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("free", [0, 32, 64, 100, 160, 240, 400, 560, 700, 800])
def test_the_disk_fills_up_in_a_run(
    free: int, small_disk: Path, worker: Worker, template: Callable[[int, int], Path]
) -> None:
    home = Path(shutil.copytree(template(60, 8), small_disk / f"home-{free}"))
    filler = small_disk / "filler"
    try:
        status = os.statvfs(small_disk)
        with filler.open("wb") as stream:
            stream.write(bytes(max(0, status.f_bavail * status.f_frsize - free * 1024)))
        (done,) = worker.done(home, "sync")
        _told(done, "DISK_FULL")
        assert not (home / "engine.lock.owner").exists()
        # Not even the end of it is lost: a second try on the full disk does no harm.
        worker.done(home, "sync")
    finally:
        filler.unlink()
    worker.finish(home)
    oracle.check(home, loaded=True)
    shutil.rmtree(home)


@pytest.mark.parametrize("limit", [20, 60, 100, 200, 270])
def test_files_may_not_grow_any_more(limit: int, worker: Worker, new_home: NewHome) -> None:
    home = new_home()
    (done,) = worker.done(home, "sync", limits={"file_size": limit * 1024})
    _told(done, "FOLDER_NOT_WRITABLE", "DISK_FULL")
    worker.finish(home)
    oracle.check(home, loaded=True)


@pytest.fixture
def for_all(new_home: NewHome) -> Path:
    """A data folder that other users can reach."""
    if not hasattr(os, "geteuid") or os.geteuid():
        pytest.skip("only root can become another user")
    home = new_home()
    for folder in (home.parent, home.parent.parent):
        folder.chmod(0o755)
    home.chmod(0o755)
    return home


def _give(folder: Path, user: int) -> None:
    for one in [folder, *folder.rglob("*")]:
        os.chown(one, user, user)


@pytest.mark.parametrize("used_before", [False, True])
def test_the_data_folder_may_not_be_written(used_before: bool, for_all: Path, worker: Worker) -> None:
    home = for_all
    if used_before:
        worker.finish(home)
        worker.done(home, "grow:20")
        _give(home, NOBODY)
        _give(home, 0)
        for one in home.rglob("*"):
            one.chmod(0o755 if one.is_dir() else 0o644)
        # What is secret stays so; it may be read by the user of the program alone.
        (home / "vault.json").chmod(0o600)
        os.chown(home / "vault.json", NOBODY, NOBODY)
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    (done,) = worker.done(home, "sync", limits={"user": NOBODY})
    _told(done, "FOLDER_NOT_WRITABLE")
    assert str(home) in done["message"] + done["fix"]
    assert {file: file.read_bytes() for file in home.rglob("*") if file.is_file()} == before
    if used_before:
        os.chown(home / "vault.json", 0, 0)
    worker.finish(home)
    oracle.check(home)


def test_the_books_may_not_be_written(for_all: Path, worker: Worker) -> None:
    home = for_all
    _give(home, NOBODY)
    assert worker.done(home, "sync", limits={"user": NOBODY})[0]["exit"] == 0
    shop.grow(home, 40, shop.LATER)
    _give(home / "books", 0)
    (done,) = worker.done(home, "sync", limits={"user": NOBODY})
    _told(done, "TARGET_UNREACHABLE")
    assert len(list(oracle.entries(home / "books"))) == 60
    _give(home, NOBODY)
    assert worker.done(home, "sync", limits={"user": NOBODY})[0]["exit"] == 0
    oracle.check(home, loaded=True)


def test_the_trail_may_not_be_written(for_all: Path, worker: Worker) -> None:
    home = for_all
    _give(home, NOBODY)
    assert worker.done(home, "sync", limits={"user": NOBODY})[0]["exit"] == 0
    shop.grow(home, 40, shop.LATER)
    _give(home / "audit", 0)
    for one in (home / "audit").iterdir():
        one.chmod(0o644)
    (home / "audit").chmod(0o755)
    worker.done(home, "sync", limits={"user": NOBODY})
    assert "AUDIT_BROKEN" in oracle.issues(home)
    _give(home, NOBODY)
    worker.done(home, "sync", limits={"user": NOBODY})
    worker.finish(home)
    assert oracle.issues(home) == {}
    oracle.check(home, loaded=True)


@pytest.mark.parametrize("lock", ["exclusive", "immediate"])
def test_the_source_is_locked(lock: str, worker: Worker, new_home: NewHome) -> None:
    home = new_home()
    with closing(sqlite3.connect(home / "shop.db", isolation_level=None)) as other:
        other.execute(f"begin {lock}")
        (done,) = worker.done(home, "sync", limits={"lock_seconds": 1})
        if lock == "exclusive":
            # Nothing can be read: nothing is booked.
            _told(done, "SOURCE_UNREACHABLE", "SOURCE_LOCKED")
            assert not (home / "books").exists() or list(oracle.entries(home / "books")) == []
        else:
            # Everything can be read, and nothing be marked: the marks are made later.
            assert (done["exit"], done["counts"]["exported"]) == (1, 60)
            assert "WRITEBACK_FAILED" in oracle.issues(home)
            other.execute("rollback")
            oracle.check_books(home, marks=False)
    worker.finish(home)
    assert oracle.issues(home) == {}
    oracle.check(home)


@pytest.mark.parametrize(("kept", "code"), [(0, "SOURCE_EMPTY"), (5, "SOURCE_SHRUNK")])
def test_a_table_of_the_source_is_emptied(kept: int, code: str, worker: Worker, new_home: NewHome) -> None:
    home = new_home()
    worker.finish(home)
    shutil.copy(home / "shop.db", home / "whole.db")
    shop.rows(home, "delete from Invoice where InvoiceNo not in (select InvoiceNo from Invoice limit ?)", kept)
    (done,) = worker.done(home, "sync")
    assert done["exit"] != 0
    assert done["message"]
    assert set(oracle.issues(home)) == {code}
    before = list(oracle.entries(home / "books"))
    assert len(before) == 60
    # Somebody puts the table back, with more in it: the route goes on by itself.
    (home / "whole.db").replace(home / "shop.db")
    worker.done(home, "grow:20")
    worker.finish(home)
    assert oracle.issues(home) == {}
    oracle.check(home)
