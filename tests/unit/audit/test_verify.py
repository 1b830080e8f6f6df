"""What a check of the trail finds: any one thing that is done to the files has its name and its place."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connector_service.audit.chain import Chain
from connector_service.audit.flush import Flusher
from connector_service.audit.recover import section_event
from connector_service.audit.trail import file_of
from connector_service.audit.verdict import Finding, Verdict
from connector_service.audit.verify import verify
from connector_service.contract.journal import Event
from tests.unit.audit.support import KEY, Outbox, exported, fast_folder, files_of, filled, lines_of, moments

OTHER_KEY = bytes(range(1, 33))
STEPS = st.lists(st.sampled_from([0, 0, 1, 20, 33]), min_size=2, max_size=9)


class Placed(NamedTuple):
    file: Path
    line: int
    raw: bytes


class Trail:
    """A trail of some months, with its store, to do something to."""

    def __init__(self, folder: Path, steps: list[int]) -> None:
        self.folder = folder
        self.outbox = filled(folder, steps)
        self.lines = [
            Placed(file, number, raw)
            for file in files_of(folder)
            for number, raw in enumerate(file.read_bytes().splitlines(keepends=True), 1)
        ]

    def rewrite(self, raws: list[tuple[Path, bytes]]) -> None:
        for file in files_of(self.folder):
            file.write_bytes(b"".join(raw for owner, raw in raws if owner == file))

    def check(self) -> Verdict:
        return verify(self.folder, KEY, self.outbox)

    def at(self, found: Verdict) -> tuple[str, int]:
        return found.file, found.line

    def place(self, index: int) -> tuple[str, int]:
        return self.lines[index].file.name, self.lines[index].line


@pytest.fixture(scope="session")
def trail() -> Iterator[Callable[[list[int]], Trail]]:
    with fast_folder() as home:
        yield lambda steps: Trail(Path(tempfile.mkdtemp(dir=home)), steps)


Make = Callable[[list[int]], Trail]


@given(STEPS)
def test_a_trail_that_nobody_touched_is_fine(trail: Make, steps: list[int]) -> None:
    found = trail(steps).check()
    assert (found.finding, found.ok, found.lines, found.code) == (Finding.FINE, True, len(steps), "")


@given(STEPS, st.data())
def test_a_changed_byte_is_found_in_its_line(trail: Make, steps: list[int], data: st.DataObject) -> None:
    made = trail(steps)
    index = data.draw(st.integers(0, len(steps) - 1))
    raw = made.lines[index].raw
    at = data.draw(st.integers(0, len(raw) - 1))
    byte = data.draw(st.integers(0, 255))
    assume(byte != raw[at])
    changed = raw[:at] + bytes([byte]) + raw[at + 1 :]
    made.rewrite([(line.file, changed if place == index else line.raw) for place, line in enumerate(made.lines)])
    found = made.check()
    last_break = index == len(steps) - 1 and at == len(raw) - 1
    assert found.finding is (Finding.CUT_OFF if last_break else Finding.CHANGED)
    assert made.at(found) == made.place(index)
    assert found.code == "AUDIT_BROKEN"
    assert found.title
    assert found.why
    assert found.fix


@given(STEPS, st.data())
def test_a_removed_line_is_found_where_the_next_one_stands(trail: Make, steps: list[int], data: st.DataObject) -> None:
    made = trail(steps)
    index = data.draw(st.integers(0, len(steps) - 1))
    made.rewrite([(line.file, line.raw) for place, line in enumerate(made.lines) if place != index])
    found = made.check()
    if index == len(steps) - 1:
        assert found.finding is Finding.CUT_OFF
        return
    name, number = made.place(index + 1)
    same_file = made.lines[index].file == made.lines[index + 1].file
    assert made.at(found) == (name, number - 1 if same_file else number)
    assert found.sequence == index + 1
    inside = same_file and made.lines[index].line > 1
    # At the edge of a file nobody can tell whether its lines or a file before it were taken away; the message says so.
    assert found.finding is Finding.REMOVED or (not inside and found.finding is Finding.MONTHS_MISSING)


@given(STEPS, st.data())
def test_two_lines_that_were_exchanged_are_found(trail: Make, steps: list[int], data: st.DataObject) -> None:
    made = trail(steps)
    one = data.draw(st.integers(0, len(steps) - 2))
    two = data.draw(st.integers(one + 1, len(steps) - 1))
    raws = [line.raw for line in made.lines]
    raws[one], raws[two] = raws[two], raws[one]
    made.rewrite([(line.file, raw) for line, raw in zip(made.lines, raws, strict=True)])
    found = made.check()
    assert (found.finding, made.at(found)) == (Finding.REORDERED, made.place(one))


@given(STEPS, st.data())
def test_a_line_that_was_moved_is_found(trail: Make, steps: list[int], data: st.DataObject) -> None:
    made = trail(steps)
    source, goal = data.draw(st.permutations(range(len(steps))))[:2]
    raws = [line.raw for line in made.lines]
    raws.insert(goal, raws.pop(source))
    made.rewrite([(line.file, raw) for line, raw in zip(made.lines, raws, strict=True)])
    found = made.check()
    assert (found.finding, made.at(found)) == (Finding.REORDERED, made.place(min(source, goal)))


@given(STEPS, st.data())
def test_a_line_that_stands_twice_is_found(trail: Make, steps: list[int], data: st.DataObject) -> None:
    made = trail(steps)
    index = data.draw(st.integers(0, len(steps) - 1))
    after = data.draw(st.integers(index, len(steps) - 1))
    raws = [(line.file, line.raw) for line in made.lines]
    raws.insert(after + 1, (made.lines[after].file, made.lines[index].raw))
    made.rewrite(raws)
    found = made.check()
    name, number = made.place(after)
    assert (found.finding, made.at(found)) == (Finding.REPEATED, (name, number + 1))


@given(STEPS, st.data())
def test_a_trail_cut_off_at_any_byte_is_found(trail: Make, steps: list[int], data: st.DataObject) -> None:
    made = trail(steps)
    index = data.draw(st.integers(0, len(steps) - 1))
    length = data.draw(st.integers(0, len(made.lines[index].raw) - 1))
    for file in files_of(made.folder):
        if file > made.lines[index].file:
            file.unlink()
    kept = [(line.file, line.raw) for line in made.lines[:index]]
    made.rewrite([*kept, (made.lines[index].file, made.lines[index].raw[:length])])
    found = made.check()
    if length == len(made.lines[index].raw) - 1 and index == len(steps) - 1:
        assert found.finding is Finding.TORN_TAIL  # only the line break is gone
    else:
        assert found.finding is Finding.CUT_OFF
        assert found.sequence in (index + 1, index + 2)


@given(STEPS, st.integers(0, 8))
def test_a_forged_line_is_found(trail: Make, steps: list[int], where: int) -> None:
    made = trail(steps)
    index = min(where, len(steps) - 1)
    previous = made.lines[index].raw.split(b'"hash":"')[1][:64].decode()
    forged, _ = Chain(OTHER_KEY).seal(index + 2, previous, datetime(2026, 1, 30, tzinfo=UTC), exported(99))
    raws = [(line.file, line.raw) for line in made.lines]
    raws.insert(index + 1, (made.lines[index].file, forged.encode() + b"\n"))
    made.rewrite(raws)
    found = made.check()
    name, number = made.place(index)
    assert (found.finding, made.at(found)) == (Finding.CHANGED, (name, number + 1))


@pytest.mark.parametrize(
    ("gone", "finding", "named"),
    [
        (0, Finding.MONTHS_MISSING, "trail-2026-02.jsonl"),
        (1, Finding.MONTHS_MISSING, "trail-2026-03.jsonl"),
        (3, Finding.CUT_OFF, "trail-2026-03.jsonl"),
    ],
)
def test_a_missing_month_is_named(tmp_path: Path, gone: int, finding: Finding, named: str) -> None:
    outbox = filled(tmp_path, [0, 5, 0, 28, 0, 28, 0])
    files = files_of(tmp_path)
    assert len(files) == 4
    files[gone].unlink()
    found = verify(tmp_path, KEY, outbox)
    assert (found.finding, found.file) == (finding, named)
    if gone == 1:
        assert "trail-2026-02.jsonl" in found.why


def test_a_folder_without_files_is_told_from_a_trail_not_begun(tmp_path: Path) -> None:
    assert verify(tmp_path / "none", KEY, Outbox()).finding is Finding.FINE
    outbox = filled(tmp_path / "audit", [0, 0])
    for file in files_of(tmp_path / "audit"):
        file.unlink()
    found = verify(tmp_path / "audit", KEY, outbox)
    assert (found.finding, found.sequence) == (Finding.MONTHS_MISSING, 1)


def test_a_restored_store_is_told_from_tampering(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [0, 0])
    head = outbox.head()
    filled(tmp_path, [0, 0, 0], outbox=outbox)
    restored = Outbox()
    restored.set_head(*head)
    found = verify(tmp_path, KEY, restored)
    assert (found.finding, found.code) == (Finding.STORE_OLDER, "STORE_BEHIND")
    assert verify(tmp_path, KEY, Outbox()).finding is Finding.STORE_OLDER
    restored.set_head(head[0], "0" * 64)
    assert verify(tmp_path, KEY, restored).finding is Finding.OTHER_HISTORY
    restored.set_head(5, "0" * 64)
    assert verify(tmp_path, KEY, restored).finding is Finding.OTHER_HISTORY


def test_two_histories_in_one_trail_are_told(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [0, 0])
    head = outbox.head()
    filled(tmp_path, [0, 0], outbox=outbox)
    restored = Outbox()
    restored.set_head(*head)
    restored.add(Chain(KEY), [(datetime(2026, 2, 1, tzinfo=UTC), exported(77))])
    with files_of(tmp_path)[0].open("ab") as stream:
        stream.write(restored.unflushed(0, 1)[0][1].encode() + b"\n")
    found = verify(tmp_path, KEY, outbox)
    assert (found.finding, found.line) == (Finding.OTHER_HISTORY, 5)


def test_lines_that_wait_in_the_store_are_checked_too(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [0, 0])
    outbox.add(Chain(KEY), ((when, exported(number)) for number, when in enumerate(moments([0, 0]), 3)))
    assert verify(tmp_path, KEY, outbox).lines == 4
    with outbox.database:
        outbox.database.execute("UPDATE event SET line = replace(line, '4.10', '9.10') WHERE sequence = 4")
    found = verify(tmp_path, KEY, outbox)
    assert (found.finding, found.sequence, found.file) == (Finding.CHANGED, 4, "")
    assert "waits in the store" in found.title
    with outbox.database:
        outbox.database.execute("UPDATE event SET line = replace(line, '9.10', '4.10') WHERE sequence = 4")
        outbox.database.execute("DELETE FROM event WHERE sequence = 3")
    assert verify(tmp_path, KEY, outbox).finding is Finding.CUT_OFF
    with outbox.database:
        outbox.database.execute("DELETE FROM event")
    found = verify(tmp_path, KEY, outbox)
    assert (found.finding, found.sequence) == (Finding.CUT_OFF, 3)


# -- the key ----------------------------------------------------------------------------------------------------------


def renewed(folder: Path, outbox: Outbox, key: bytes) -> None:
    """Start the service with another key, and go on."""
    event = section_event(outbox, folder, Chain(key))
    assert event is not None
    outbox.add(Chain(key), [(datetime(2026, 2, 1, tzinfo=UTC), event)])
    assert section_event(outbox, folder, Chain(key)) is None
    filled(folder, [0, 0], key, outbox)
    assert section_event(outbox, folder, Chain(key)) is None


def test_a_lost_key_is_told_from_tampering(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [0, 0, 0])
    assert section_event(outbox, tmp_path, Chain(KEY)) is None
    assert section_event(Outbox(), tmp_path, Chain(KEY)) is None
    for key in (None, OTHER_KEY):
        found = verify(tmp_path, key, outbox)
        assert (found.finding, found.sequence, found.lines) == (Finding.KEY_CHANGED, 1, 3)
    renewed(tmp_path, outbox, OTHER_KEY)
    found = verify(tmp_path, OTHER_KEY, outbox)
    assert (found.finding, found.lines, found.title[:12]) == (Finding.KEY_CHANGED, 6, "Lines 1 to 3")
    # With the first key back in the vault, the new section is the one that cannot be proved.
    found = verify(tmp_path, KEY, outbox)
    assert (found.finding, found.sequence, found.line) == (Finding.KEY_CHANGED, 4, 1)
    renewed(tmp_path, outbox, bytes(range(2, 34)))
    assert verify(tmp_path, bytes(range(2, 34)), outbox).title[:12] == "Lines 1 to 6"


def test_no_section_begins_where_the_trail_is_not_the_stores_own(tmp_path: Path) -> None:
    filled(tmp_path / "other", [1, 0], OTHER_KEY)
    own = filled(tmp_path / "own", [0, 0])
    assert section_event(own, tmp_path / "other", Chain(KEY)) is None


@pytest.mark.parametrize("index", [3, 4, 5])
def test_a_change_behind_a_new_key_is_found(tmp_path: Path, index: int) -> None:
    outbox = filled(tmp_path, [0, 0, 0])
    renewed(tmp_path, outbox, OTHER_KEY)
    lines = lines_of(tmp_path)
    lines[index] = lines[index].replace(b'"actor":"service"', b'"actor":"nobody!"')
    lines[index] = lines[index].replace(Chain(OTHER_KEY).key_id.encode(), b"0" * 16)
    split = len(files_of(tmp_path)[0].read_bytes().splitlines())
    for file, part in zip(files_of(tmp_path), (lines[:split], lines[split:]), strict=True):
        file.write_bytes(b"".join(part))
    found = verify(tmp_path, OTHER_KEY, outbox)
    assert (found.finding, found.file, found.line) == (Finding.CHANGED, "trail-2026-02.jsonl", index - 2)


def test_the_order_of_lines_under_a_lost_key_is_still_checked(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [0] * 5)
    lines = lines_of(tmp_path)
    file = files_of(tmp_path)[0]
    file.write_bytes(b"".join([*lines[:2], lines[3], lines[2], lines[4]]))
    assert verify(tmp_path, None, outbox).finding is Finding.REORDERED
    file.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    assert verify(tmp_path, None, outbox).finding is Finding.REMOVED
    file.write_bytes(b"".join([*lines[:2], lines[2].replace(lines[2][-67:-3], b"0" * 64), *lines[3:]]))
    found = verify(tmp_path, None, outbox)
    assert (found.finding, found.line) == (Finding.CHANGED, 4)


def test_a_section_that_somebody_invents_is_found(tmp_path: Path) -> None:
    outbox = filled(tmp_path, [0] * 5)
    lines = lines_of(tmp_path)
    previous = lines[2].split(b'"hash":"')[1][:64].decode()
    forged, _ = Chain(OTHER_KEY).seal(4, previous, datetime(2026, 1, 30, tzinfo=UTC), Event("audit_key_changed"))
    file = files_of(tmp_path)[0]
    file.write_bytes(b"".join([*lines[:3], forged.encode() + b"\n", lines[4]]))
    found = verify(tmp_path, KEY, outbox)
    assert (found.finding, found.line) == (Finding.CHANGED, 4)
    file.write_bytes(b"".join([*lines[:3], forged.encode() + b"\n"]))
    assert not verify(tmp_path, KEY, outbox).ok


# -- beside the running service ----------------------------------------------------------------------------------------


class Flushing(Outbox):
    """A store whose lines are flushed to the files just before somebody looks into it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.armed = False

    def unflushed(self, after: int, limit: int) -> list[tuple[int, str, str]]:
        if self.armed:
            self.armed = False
            Flusher(self, self.folder).flush()
        return super().unflushed(after, limit)


@pytest.mark.parametrize("torn", [False, True])
def test_a_flush_during_the_check_is_no_fault(tmp_path: Path, torn: bool) -> None:
    outbox = Flushing(tmp_path)
    filled(tmp_path, [0, 0], outbox=outbox)
    outbox.add(Chain(KEY), ((when, exported(number)) for number, when in enumerate(moments([0, 40, 0]), 3)))
    if torn:
        with file_of(tmp_path, "2026-01").open("ab") as stream:
            stream.write(outbox.unflushed(0, 1)[0][1][:50].encode())
    outbox.armed = True
    found = verify(tmp_path, KEY, outbox)
    assert (found.finding, found.lines) == (Finding.FINE, 5)
