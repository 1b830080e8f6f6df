"""The books after a process was ended at any step, by a crash, a full disk or a power cut."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from connector_service.contract import crashpoints
from connector_service.contract.target import Done, LookUp, Posting
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import RetryLater
from connector_service.targets.journal import appending
from connector_service.targets.journal.adapter import JournalTarget
from connector_service.targets.journal.appending import Part
from tests.conftest import ROOT
from tests.support.documents import plain
from tests.systems.journal.names import reference
from tests.systems.journal.oracle import expected, grouped, read

STEPS = [
    "journal.before_pending",
    "journal.after_pending",
    "journal.half_appended",
    "journal.after_append",
    "journal.after_clear",
    "journal.before_index",
    "journal.before_rows",
]
"""Every named place in an append, in their order."""


def worker(folder: Path, first: int, last: int, size: int = 3, crash_at: str = "") -> subprocess.Popen[str]:
    """Start a process that pushes invoices."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if crash_at:
        environment["CONNECTOR_CRASH_AT"] = crash_at
    command = [sys.executable, "-m", "tests.systems.journal.worker", str(folder), str(first), str(last), str(size)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Its exit status and what it said."""
    said, _ = process.communicate(timeout=60)
    return process.returncode, said.splitlines()


def test_every_place_is_named_here() -> None:
    code = "".join(path.read_text() for path in (ROOT / "connector_service/targets/journal").glob("*.py"))
    assert set(re.findall(r'crash_point\("(.+?)"\)', code)) == set(STEPS)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("time_round", [1, 4, 8])
def test_a_crash_at_any_step_loses_nothing_and_doubles_nothing(tmp_path: Path, step: str, time_round: int) -> None:
    books = tmp_path / "books"
    status, said = finished(worker(books, 0, 12, crash_at=f"{step}:{time_round}"))
    assert status in (crashpoints.KILLED, 0)
    done = [line.split()[1] for line in said if line.startswith("Done")]
    if (books / "main.beancount").exists():
        # What was answered as done is there, whole, before anything else is written.
        before = JournalTarget(books)
        asked = [LookUp(Kind.SALES_INVOICE, external_reference=one) for one in (*done, "CS-never")]
        assert [len(found) for found in before.look_up(asked)] == [1] * len(done) + [0]
        before.close()
        assert read(books).errors == []
    status, said = finished(worker(books, 0, 12))
    assert status == 0
    assert [line.split()[0] for line in said] == ["Done"] * 12
    seen = read(books)
    assert seen.errors == []
    assert seen.references == Counter(reference(place) for place in range(12))
    assert grouped(seen.accounts()) == expected(plain(Kind.SALES_INVOICE, place) for place in range(12))


def test_a_crash_at_a_step_really_happens(tmp_path: Path) -> None:
    for step in STEPS:
        status, _ = finished(worker(tmp_path / step, 0, 12, crash_at=f"{step}:2"))
        assert status == crashpoints.KILLED, step


def test_killed_at_random_moments(tmp_path: Path, long_run: bool) -> None:
    chance = Random(7)
    for turn in range(200 if long_run else 4):
        books = tmp_path / f"books-{turn}"
        rounds = 0
        while True:
            process = worker(books, 0, 60, size=2)
            assert process.stdout is not None
            if rounds < 3:
                # Wait for its first word, so that the moment lies within the work, not within the start.
                process.stdout.readline()
                time.sleep(chance.random() / 50)
                process.send_signal(signal.SIGKILL)
            status, _ = finished(process)
            rounds += 1
            if status == 0:
                break
        seen = read(books)
        assert seen.errors == []
        assert seen.references == Counter(reference(place) for place in range(60))


def test_a_full_disk_leaves_nothing_half_written(small_disk: Path) -> None:
    books, filler = small_disk / "books", small_disk / "filler"
    places = set(range(4))
    assert finished(worker(books, 0, 4))[0] == 0
    first = 100
    for room in (0, 4096, 16384, 65536, 131072):
        free = os.statvfs(small_disk)
        filler.write_bytes(b"x" * max(0, free.f_bavail * free.f_frsize - room))
        status, said = finished(worker(books, first, first + 300, size=room // 20000 + 1))
        assert (status, said[-1]) == (1, "fault RetryLater DISK_FULL")
        done = [line.split()[1] for line in said if line.startswith("Done")]
        seen = read(books)
        assert seen.errors == []
        assert seen.references == Counter([*map(reference, places), *done])
        filler.unlink()
        # With room again, the documents that were told to be tried later are booked once.
        assert finished(worker(books, first, first + 300, size=50))[0] == 0
        places |= set(range(first, first + 300))
        first += 300
    assert read(books).references == Counter(map(reference, places))


def test_a_disk_that_fills_in_the_middle_of_a_call_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = JournalTarget(tmp_path / "books")
    target.push(target.prepare(Kind.SALES_INVOICE, [Posting(plain(Kind.SALES_INVOICE, 1), reference(1))], ""))
    before = {path.name: path.read_bytes() for path in (tmp_path / "books").glob("*.beancount")}
    written = 0

    def full(handle: int, data: bytes | memoryview) -> None:
        # The note passes; the disk is full when the second half of the call's last file comes.
        nonlocal written
        written += 1
        if written == 7:
            os.write(handle, memoryview(data)[:10])
            raise OSError(28, "No space left on device")
        os.write(handle, data)

    monkeypatch.setattr(appending, "write_all", full)
    posts = [
        Posting(
            plain(Kind.SALES_INVOICE, place, date=plain(Kind.SALES_INVOICE, place).date.replace(year=2025 + place % 2)),
            reference(place),
        )
        for place in (2, 3)
    ]
    with pytest.raises(RetryLater) as caught:
        target.push(target.prepare(Kind.SALES_INVOICE, posts, ""))
    assert caught.value.code == "DISK_FULL"
    monkeypatch.undo()
    after = {path.name: path.read_bytes() for path in (tmp_path / "books").glob("*.beancount")}
    assert {name: text for name, text in after.items() if text} == before
    outcomes = target.push(target.prepare(Kind.SALES_INVOICE, posts, ""))
    assert all(isinstance(outcome, Done) and not outcome.found for outcome in outcomes)
    assert read(tmp_path / "books").errors == []


def torn(folder: Path, data: bytes, left: bytes) -> None:
    """The state after a power cut in an append of ``data`` to ``a.beancount`` of which ``left`` reached the disk."""
    folder.mkdir(exist_ok=True)
    path = folder / "a.beancount"
    path.write_bytes(b"; old\n")
    appending._note(folder, [("a.beancount", path.stat().st_size, data)])
    path.write_bytes(b"; old\n" + left)
    appending.repair(folder)


FIRST, SECOND = b'\n2026-01-01 * "one"\n  A:B  1 EUR\n', b'\n2026-01-02 * "two"\n  A:B  2 EUR\n'


@pytest.mark.parametrize("length", [0, 1, 5, len(FIRST) - 1, len(FIRST), len(FIRST) + 1, len(FIRST + SECOND) - 1])
@pytest.mark.parametrize("zeros", [0, 3])
def test_a_torn_end_is_cut_back_to_the_last_whole_transaction(tmp_path: Path, length: int, zeros: int) -> None:
    data = FIRST + SECOND
    left = (data[:length] + b"\0" * zeros)[: len(data) - 1]
    torn(tmp_path, data, left)
    whole = FIRST if length > len(FIRST) else b""
    assert (tmp_path / "a.beancount").read_bytes() == b"; old\n" + whole
    assert not appending.has_pending(tmp_path)


def test_a_whole_append_stays(tmp_path: Path) -> None:
    torn(tmp_path, FIRST + SECOND, FIRST + SECOND)
    assert (tmp_path / "a.beancount").read_bytes() == b"; old\n" + FIRST + SECOND


@pytest.mark.parametrize(
    "left", [FIRST + b'\n2026-05-05 * "by hand"\n', FIRST[:9] + b"X", FIRST + SECOND + b"; more\n", b"; other\n"]
)
def test_what_somebody_else_wrote_is_left_alone(tmp_path: Path, left: bytes) -> None:
    torn(tmp_path, FIRST + SECOND, left)
    assert (tmp_path / "a.beancount").read_bytes() == b"; old\n" + left


def test_a_torn_note_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.beancount"
    path.write_bytes(b"; old\n")
    appending._note(tmp_path, [("a.beancount", 0, b"; new")])
    note = tmp_path / ".pending"
    whole = note.read_bytes()
    for length in range(len(whole)):
        note.write_bytes(whole[:length])
        if appending.has_pending(tmp_path):
            appending.repair(tmp_path)
        assert path.read_bytes() == b"; old\n"


def test_a_later_note_is_not_confused_by_a_longer_one_before(tmp_path: Path) -> None:
    appending.append(tmp_path, [Part("a.beancount", b"x" * 500)])
    appending._note(tmp_path, [("a.beancount", 500, b"short\n")])
    (tmp_path / "a.beancount").write_bytes(b"x" * 500 + b"sho")
    appending.repair(tmp_path)
    assert (tmp_path / "a.beancount").read_bytes() == b"x" * 500
