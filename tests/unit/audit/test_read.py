"""Looking up: filters, both directions, paging, and memory that does not grow with the trail."""

import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.audit.chain import Chain, Line, parse
from connector_service.audit.export import export_csv
from connector_service.audit.flush import Flusher
from connector_service.audit.read import Filter, read
from connector_service.audit.recover import compare
from connector_service.audit.trail import Piece, backward, forward
from connector_service.audit.verify import verify
from connector_service.contract.journal import Event
from tests.unit.audit.support import KEY, START, Outbox, exported, fast_folder, files_of, filled, lines_of

ACTORS = ("service", "user")
ROUTES = ("main", "branch", 'odd "route", ünïcode\n')
EVENTS = ("exported", "held")
FILTERS = st.builds(
    Filter,
    route=st.sampled_from(("", *ROUTES)),
    event=st.sampled_from(("", *EVENTS)),
    actor=st.sampled_from(("", *ACTORS)),
    key=st.sampled_from(("", "1", "7", "70")),
    since=st.none() | st.integers(-5, 130).map(lambda days: START + timedelta(days=days)),
    until=st.none() | st.integers(-5, 130).map(lambda days: START + timedelta(days=days)),
    after=st.integers(0, 130),
    before=st.none() | st.integers(0, 130),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trail of 120 lines a day apart; the clock was set back once."""
    place = tmp_path_factory.mktemp("trail")
    outbox, chain = Outbox(), Chain(KEY)
    for number in range(120):
        moment = START + timedelta(days=number - (25 if 60 <= number < 70 else 0))
        event = Event(
            EVENTS[number % 2], ROUTES[number % 3], ACTORS[number // 7 % 2], kind="sales_invoice", key=str(number % 71)
        )
        outbox.add(chain, [(moment, event)])
        if number % 11 == 0:
            Flusher(outbox, place).flush()
    Flusher(outbox, place).flush()
    return place


def plain(folder: Path, where: Filter) -> list[int]:
    """What the filter says, the long way."""
    found = []
    for line in map(parse, (raw.rstrip(b"\n") for raw in lines_of(folder))):
        assert line is not None
        moment = datetime.fromisoformat(line.time)
        if (
            (not where.route or line.route == where.route)
            and (not where.event or line.event == where.event)
            and (not where.actor or line.actor == where.actor)
            and (not where.key or line.key == where.key)
            and (where.since is None or moment >= where.since)
            and (where.until is None or moment < where.until)
            and line.sequence > where.after
            and (where.before is None or line.sequence < where.before)
        ):
            found.append(line.sequence)
    return found


@given(where=FILTERS, limit=st.none() | st.integers(0, 30))
def test_filters_say_the_same_in_both_directions(folder: Path, where: Filter, limit: int | None) -> None:
    expected = plain(folder, where)
    assert [line.sequence for line in read(folder, where, limit=limit)] == expected[:limit]
    backwards = [line.sequence for line in read(folder, where, newest_first=True, limit=limit)]
    assert backwards == expected[::-1][:limit]


def test_a_span_holds_its_first_moment_and_not_its_last(tmp_path: Path) -> None:
    filled(tmp_path, [1, 1, 1])
    span = Filter(since=START + timedelta(days=1), until=START + timedelta(days=2))
    assert [line.sequence for line in read(tmp_path, span)] == [2]


def test_a_line_comes_back_as_it_was_sealed(tmp_path: Path) -> None:
    filled(tmp_path, [0, 0])
    line = list(read(tmp_path))[1]
    assert (line.number, line.amount, line.currency, line.remote_id, line.run) == ("INV-2", "2.10", "EUR", "r-2", 7)
    assert line.details["fingerprint"] == f"{2:032x}"


def test_a_trail_not_begun_has_no_lines(tmp_path: Path) -> None:
    assert list(read(tmp_path / "none")) == []
    assert list(read(tmp_path / "none", newest_first=True)) == []


def test_what_cannot_be_read_is_shown_in_its_place(tmp_path: Path) -> None:
    filled(tmp_path, [0, 0, 0])
    lines = lines_of(tmp_path)
    files_of(tmp_path)[0].write_bytes(lines[0] + b"=rubbish\n" + lines[2])
    shown = [(line.sequence, line.event, line.details.get("offset")) for line in read(tmp_path)]
    assert shown == [(1, "exported", None), (0, "unreadable_line", len(lines[0])), (3, "exported", None)]
    assert [line.sequence for line in read(tmp_path, newest_first=True)] == [3, 0, 1]
    assert [line.sequence for line in read(tmp_path, Filter(key="key-3"))] == [3]


@given(st.lists(st.binary(max_size=40).filter(lambda raw: b"\n" not in raw)), st.booleans(), st.integers(1, 50))
def test_backwards_is_forwards_from_the_end(parts: list[bytes], broken: bool, block: int) -> None:
    with fast_folder() as home, pytest.MonkeyPatch.context() as patch:
        file = Path(home) / "trail-2026-01.jsonl"
        file.write_bytes(b"\n".join(parts) + (b"" if broken else b"\n"))
        patch.setattr("connector_service.audit.trail._BLOCK", block)
        assert list(backward(file)) == list(forward(file))[::-1]


def test_text_without_end_is_cut_in_pieces(tmp_path: Path) -> None:
    file = tmp_path / "trail-2026-01.jsonl"
    file.write_bytes(b"first\n" + b"x" * 5_000_000 + b"\nlast\n")
    for pieces in (list(forward(file)), list(backward(file))[::-1]):
        assert [pieces[0], pieces[-1]] == [Piece(file, 0, b"first", True), Piece(file, 5_000_007, b"last", True)]
        assert sum(len(piece.raw) for piece in pieces) == 5_000_009
        assert all(len(piece.raw) < 2_000_000 for piece in pieces)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> tuple[Path, Outbox, int]:
    """A trail of many lines in three months."""
    count = 1_000_000 if request.config.getoption("--long") else 15_000
    place, outbox, chain, digest = tmp_path_factory.mktemp("big"), Outbox(), Chain(KEY), ""
    sequence = 0
    for month in (1, 2, 3):
        moment = datetime(2026, month, 5, tzinfo=UTC)
        with (place / f"trail-2026-0{month}.jsonl").open("wb") as stream:
            for _ in range(count // 3):
                sequence += 1
                line, digest = chain.seal(sequence, digest, moment, exported(sequence))
                stream.write(line.encode() + b"\n")
    outbox.set_head(sequence, digest)
    return place, outbox, sequence


def peak(work: Callable[[], object]) -> int:
    """Bytes that were in use at most while this ran, above what was before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def counted(lines: Iterator[Line]) -> int:
    return sum(1 for _ in lines)


def test_memory_does_not_grow_with_the_trail(big: tuple[Path, Outbox, int], tmp_path: Path) -> None:
    place, outbox, count = big
    size = sum(file.stat().st_size for file in files_of(place))
    bound = 1_200_000  # what blocks, a decoder and the compiler of patterns need; measured without the trail
    assert size > 5 * bound
    table = tmp_path / "trail.csv"

    def all_lines() -> None:
        assert counted(read(place)) == count

    def one_key() -> None:
        assert counted(read(place, Filter(key=f"key-{count}"), newest_first=True)) == 1

    def checked() -> None:
        assert verify(place, KEY, outbox).lines == count

    def exported_table() -> None:
        with table.open("wb") as stream:
            assert export_csv(read(place, limit=50_000), stream) == min(count, 50_000)

    def started() -> None:
        assert list(Flusher(outbox, place).flush().set_aside) == []

    for work in (all_lines, one_key, checked, exported_table, started):
        assert peak(work) < bound, work.__name__


def test_the_newest_and_the_standing_cost_no_reading_of_the_rest(
    big: tuple[Path, Outbox, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, outbox, count = big
    looked_at = 0

    def counting(raw: bytes) -> Line | None:
        nonlocal looked_at
        looked_at += 1
        return parse(raw)

    for module in ("trail", "read", "recover"):
        monkeypatch.setattr(f"connector_service.audit.{module}.parse", counting)
    assert [line.sequence for line in read(place, newest_first=True, limit=3)] == [count, count - 1, count - 2]
    assert [line.sequence for line in read(place, Filter(after=count // 2), limit=1)] == [count // 2 + 1]
    assert [line.sequence for line in read(place, Filter(before=count // 2), newest_first=True, limit=1)] == [
        count // 2 - 1
    ]
    assert compare(*outbox.head(), place).value == "level"
    assert compare(count // 2, "", place).value == "different"
    assert looked_at < 15_000 if count > 100_000 else looked_at < count
