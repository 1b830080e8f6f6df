"""The writer of the trail: every line once, whole and in order, whatever ends the process or fills the disk."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.audit.chain import Chain
from connector_service.audit.flush import Flusher
from connector_service.audit.verdict import Finding
from connector_service.audit.verify import verify
from connector_service.contract.crashpoints import KILLED
from connector_service.contract.journal import Event
from connector_service.domain.problems import NeedsUser, RetryLater, Stop
from tests.unit.audit.support import KEY, Outbox, exported, fast_folder, files_of, filled, lines_of, moments

ROOT = Path(__file__).resolve().parents[3]
STEPS = [0, 1, 5, 0, 30, 2, 0, 40, 1]


def ready(home: Path, steps: list[int] | None = None) -> Outbox:
    """An outbox on disk with lines over several months, nothing flushed."""
    outbox = Outbox(home / "outbox.db")
    outbox.add(Chain(KEY), ((when, exported(number)) for number, when in enumerate(moments(steps or STEPS), 1)))
    return outbox


def flush_in_a_process(home: Path, *arguments: str, crash_at: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"CONNECTOR_CRASH_AT": crash_at} if crash_at else {})
    command = [sys.executable, "-m", "tests.unit.audit.flush_once", str(home), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


def sequences(folder: Path) -> list[int]:
    chain = Chain(KEY)
    lines = lines_of(folder)
    assert all(line.endswith(b"\n") and chain.genuine(line[:-1]) for line in lines)
    return [int(line.split(b'"sequence":')[1].split(b",")[0]) for line in lines]


def test_lines_stand_in_the_file_of_their_month_and_leave_the_outbox(tmp_path: Path) -> None:
    outbox = ready(tmp_path)
    audit = tmp_path / "audit"
    assert Flusher(outbox, audit).flush().written == len(STEPS)
    assert [file.name for file in files_of(audit)] == [
        "trail-2026-01.jsonl",
        "trail-2026-02.jsonl",
        "trail-2026-03.jsonl",
        "trail-2026-04.jsonl",
    ]
    for file in files_of(audit):
        assert {line[9:16].decode() for line in file.read_bytes().splitlines()} == {file.name[6:13]}
    assert sequences(audit) == list(range(1, len(STEPS) + 1))
    assert outbox.unflushed(0, 10) == []
    assert outbox.head()[0] == len(STEPS)
    if os.name == "posix":
        assert {file.stat().st_mode & 0o777 for file in files_of(audit)} == {0o600}
        assert audit.stat().st_mode & 0o777 == 0o700


def test_a_flusher_goes_on_where_it_left_and_writes_nothing_twice(tmp_path: Path) -> None:
    outbox = Outbox()
    flusher, chain = Flusher(outbox, tmp_path), Chain(KEY)
    for number, when in enumerate(moments(STEPS), 1):
        outbox.add(chain, [(when, exported(number))])
        assert flusher.flush().written == 1
        assert flusher.flush().written == 0
    assert sequences(tmp_path) == list(range(1, len(STEPS) + 1))


def test_more_lines_than_one_batch_are_written(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [0] * 11_000)
    assert sequences(tmp_path) == list(range(1, 11_001))
    assert outbox.unflushed(0, 1) == []


def test_a_clock_set_back_does_not_break_the_order_of_the_files(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [40, -40, 0])
    assert [file.name for file in files_of(tmp_path)] == ["trail-2026-01.jsonl", "trail-2026-03.jsonl"]
    assert sequences(tmp_path) == [1, 2, 3]
    assert verify(tmp_path, KEY, outbox).finding is Finding.FINE


@pytest.mark.parametrize("passing", [1, 2, 4])
@pytest.mark.parametrize("point", ["audit.opened", "audit.written", "audit.synced", "audit.let_go"])
def test_a_crash_at_any_step_loses_and_repeats_nothing(tmp_path: Path, point: str, passing: int) -> None:
    outbox = ready(tmp_path)
    audit = tmp_path / "audit"
    assert flush_in_a_process(tmp_path, crash_at=f"{point}:{passing}").returncode == KILLED
    assert verify(audit, KEY, outbox).finding is Finding.FINE  # what is missing in the files still waits
    assert flush_in_a_process(tmp_path).returncode == 0
    assert sequences(audit) == list(range(1, len(STEPS) + 1))
    assert outbox.unflushed(0, 10) == []
    assert verify(audit, KEY, outbox).finding is Finding.FINE


@pytest.mark.skipif(sys.platform != "linux", reason="the system ends a process at a file's size on Linux")
@pytest.mark.parametrize("room", [10, 400, 700, 1100])
def test_a_process_ended_in_the_middle_of_a_write_leaves_a_tail_that_is_mended(tmp_path: Path, room: int) -> None:
    outbox = ready(tmp_path, [0] * 5)
    audit = tmp_path / "audit"
    # SIGXFSZ ends it in the system call that writes: as sudden as kill -9, at a byte that we choose.
    assert flush_in_a_process(tmp_path, str(room), "kill").returncode < 0
    file = files_of(audit)[0]
    assert file.stat().st_size == room
    torn = verify(audit, KEY, outbox)
    assert torn.finding is Finding.TORN_TAIL
    assert torn.ok
    # The end of the process in the midst of mending changes nothing.
    assert flush_in_a_process(tmp_path, crash_at="audit.cut").returncode == KILLED
    again = Flusher(outbox, audit).flush()
    assert again.set_aside == ()
    assert sequences(audit) == [1, 2, 3, 4, 5]
    assert verify(audit, KEY, outbox).finding is Finding.FINE


@given(st.data())
def test_a_tail_torn_at_any_byte_is_mended_while_the_store_holds_the_lines(data: st.DataObject) -> None:
    with fast_folder() as home:
        tear(Path(home), data)


def tear(folder: Path, data: st.DataObject) -> None:
    outbox = filled(folder, [0, 0])
    outbox.add(Chain(KEY), ((when, exported(number)) for number, when in enumerate(moments([0, 0, 0]), 3)))
    rest = b"".join(line.encode() + b"\n" for _, line, _ in outbox.unflushed(0, 10))
    length = data.draw(st.integers(0, len(rest)))
    left = rest[:length] + b"\0" * data.draw(st.sampled_from([0, 0, 7, 4096]))
    file = files_of(folder)[0]
    with file.open("ab") as stream:
        stream.write(left)
    assert verify(folder, KEY, outbox).ok
    done = Flusher(outbox, folder).flush()
    assert sequences(folder) == [1, 2, 3, 4, 5]
    assert verify(folder, KEY, outbox).finding is Finding.FINE
    assert done.set_aside == ()


def test_text_behind_the_last_line_that_the_store_does_not_hold_is_kept_aside(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [0, 0])
    file = files_of(tmp_path)[0]
    with file.open("ab") as stream:
        stream.write(b'{"time":"2026-01-30T12')
    done = Flusher(outbox, tmp_path).flush()
    assert [copy.read_bytes() for copy in done.set_aside] == [b'{"time":"2026-01-30T12']
    assert done.cut == 22
    assert sequences(tmp_path) == [1, 2]


def test_a_last_line_without_its_line_break_gets_it_back(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [0, 0])
    file = files_of(tmp_path)[0]
    file.write_bytes(file.read_bytes()[:-1])
    outbox.add(Chain(KEY), [(next(iter(moments([0]))), exported(3))])
    assert verify(tmp_path, KEY, outbox).finding is Finding.TORN_TAIL
    assert Flusher(outbox, tmp_path).flush().set_aside == ()
    assert sequences(tmp_path) == [1, 2, 3]


def test_lines_that_are_gone_are_told_and_the_trail_goes_on(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [0, 0, 0, 0])
    file = files_of(tmp_path)[0]
    file.write_bytes(b"".join(lines_of(tmp_path)[:2]))
    outbox.add(Chain(KEY), [(next(iter(moments([0]))), exported(5))])
    assert Flusher(outbox, tmp_path).flush().missing == (3, 4)
    assert sequences(tmp_path) == [1, 2, 5]
    assert verify(tmp_path, KEY, outbox).finding is Finding.REMOVED


def test_a_last_line_that_somebody_spoilt_stays_as_evidence(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [0, 0, 0])
    file = files_of(tmp_path)[0]
    spoilt = [*lines_of(tmp_path)[:2], b"spoilt\n"]
    file.write_bytes(b"".join(spoilt))
    outbox.add(Chain(KEY), [(next(iter(moments([0]))), exported(4))])
    assert Flusher(outbox, tmp_path).flush().missing == (3, 3)
    assert lines_of(tmp_path)[:3] == spoilt
    found = verify(tmp_path, KEY, outbox)
    assert (found.finding, found.line) == (Finding.CHANGED, 3)


def test_a_file_that_was_touched_between_two_flushes_is_looked_at_again(tmp_path: Path) -> None:
    outbox, chain = Outbox(), Chain(KEY)
    flusher = Flusher(outbox, tmp_path)
    when = next(iter(moments([0])))
    outbox.add(chain, [(when, exported(1))])
    flusher.flush()
    with files_of(tmp_path)[0].open("ab") as stream:
        stream.write(b"an editor was here")
    outbox.add(chain, [(when, exported(2))])
    assert [copy.read_bytes() for copy in flusher.flush().set_aside] == [b"an editor was here"]
    assert sequences(tmp_path) == [1, 2]


def test_nothing_is_added_to_a_trail_that_the_store_does_not_know(tmp_path: Path) -> None:
    older = filled(tmp_path / "audit", [0, 0, 0])
    sequence, line, digest = 1, lines_of(tmp_path / "audit")[0], ""
    filled(tmp_path / "audit", [0, 0], outbox=older)
    before = lines_of(tmp_path / "audit")
    for restored in (0, 2, 3):
        outbox = Outbox()
        if restored:
            line = before[restored - 1]
            sequence, digest = restored, line.split(b'"hash":"')[1][:64].decode()
            outbox.set_head(sequence, digest)
        outbox.add(Chain(KEY), [(datetime(2026, 2, 1, tzinfo=UTC), Event("route_started", "main"))])
        with pytest.raises(Stop) as caught:
            Flusher(outbox, tmp_path / "audit").flush()
        assert caught.value.code == "STORE_BEHIND"
        assert len(outbox.unflushed(0, 10)) == 1
    assert lines_of(tmp_path / "audit") == before


def test_a_trail_from_another_store_of_the_same_length_is_not_continued(tmp_path: Path) -> None:
    filled(tmp_path / "other", [1, 0])
    own = filled(tmp_path / "own", [0, 1])
    own.add(Chain(KEY), [(datetime(2026, 2, 1, tzinfo=UTC), exported(3))])
    with pytest.raises(Stop):
        Flusher(own, tmp_path / "other").flush()


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are told in another way on Windows")
@pytest.mark.parametrize("room", [0, 1, 500, 1200])
def test_no_room_on_the_disk_is_said_and_loses_nothing(tmp_path: Path, room: int) -> None:
    outbox = ready(tmp_path, [0] * 9)
    if room:
        said = flush_in_a_process(tmp_path, str(room)).stdout
        assert said.startswith("RetryLater DISK_FULL")
        assert "Free some space" in said
        assert len(outbox.unflushed(0, 10)) == 9
        assert verify(tmp_path / "audit", KEY, outbox).ok
    assert flush_in_a_process(tmp_path).stdout.strip() == "9"
    assert sequences(tmp_path / "audit") == list(range(1, 10))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, check=False
        )
        if sys.platform == "linux" and os.geteuid() == 0
        else None
    )
    if made is None or made.returncode != 0:
        pytest.skip("a small disk can be mounted by root on Linux only")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_and_one_that_is_read_only(small_disk: Path) -> None:
    outbox, chain = Outbox(), Chain(KEY)
    flusher = Flusher(outbox, small_disk / "audit")
    when = next(iter(moments([0])))
    outbox.add(chain, ((when, exported(number)) for number in range(1, 51)))
    flusher.flush()
    outbox.add(chain, ((when, exported(number)) for number in range(51, 301)))
    with pytest.raises(RetryLater) as full:
        flusher.flush()
    assert full.value.code == "DISK_FULL"
    assert sequences(small_disk / "audit") == list(range(1, 51))
    assert verify(small_disk / "audit", KEY, outbox).finding is Finding.FINE

    subprocess.run(["mount", "-o", "remount,size=1m,ro", str(small_disk)], check=True)
    with pytest.raises(NeedsUser) as read_only:
        flusher.flush()
    assert read_only.value.code == "FOLDER_NOT_WRITABLE"

    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert flusher.flush().written == 250
    assert sequences(small_disk / "audit") == list(range(1, 301))
