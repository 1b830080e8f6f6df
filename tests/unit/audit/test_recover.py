"""Receipts from the trail, and how it stands to a store."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from connector_service.audit.chain import Chain
from connector_service.audit.flush import Flusher
from connector_service.audit.recover import Standing, compare, receipts
from connector_service.audit.trail import last_line
from connector_service.contract.journal import Event
from connector_service.contract.trail import Receipt
from connector_service.domain.kinds import Kind, State
from tests.unit.audit.support import KEY, Outbox, files_of, filled, lines_of

DAY = datetime(2026, 1, 30, tzinfo=UTC)


def told(folder: Path, events: list[Event]) -> Outbox:
    """A trail of these events, ten days apart."""
    outbox = Outbox()
    outbox.add(Chain(KEY), ((DAY + timedelta(days=10 * place), event) for place, event in enumerate(events)))
    Flusher(outbox, folder).flush()
    return outbox


def step(
    key: str,
    before: str,
    after: str,
    number: str = "",
    amount: str = "",
    remote_id: str = "",
    kind: str = "sales_invoice",
    pair: str = "p1",
    **details: object,
) -> Event:
    return Event(
        after,
        "main",
        pair=pair,
        kind=kind,
        key=key,
        number=number,
        before=before,
        after=after,
        amount=amount,
        currency="EUR" if amount else "",
        remote_id=remote_id,
        details=details,
    )


EVENTS = [
    Event("run_started", "main"),
    step("1", "", "waiting", number="INV-1", amount="121.00", date="2026-01-29"),
    step("2", "", "waiting", number="INV-2", date="2026-01-28"),
    step("1", "waiting", "sending", fingerprint="aa" * 16),
    Event("linked", "main", kind="customer", key="1", after="x", remote_id="c-9"),
    step("1", "sending", "exported", fingerprint="bb" * 16, remote_id="r-1", generation=0),
    step("2", "waiting", "sending", fingerprint="cc" * 16),
    step("2", "sending", "waiting", generation=1),
    step("1", "", "marked", kind="vendor_bill", pair="p2"),
    Event("begin_date", "main", pair="p1", kind="sales_invoice", after="marked", details={"count": 12}),
    step("9", "", "no_state"),
]


def test_the_last_word_on_each_document(tmp_path: Path) -> None:
    told(tmp_path, EVENTS)
    assert list(receipts(tmp_path)) == [
        Receipt(
            "p1",
            Kind.SALES_INVOICE,
            "",
            "1",
            State.EXPORTED,
            6,
            number="INV-1",
            amount="121.00",
            currency="EUR",
            remote_id="r-1",
            fingerprint=bytes.fromhex("bb" * 16),
            date=date(2026, 1, 29),
        ),
        Receipt(
            "p1",
            Kind.SALES_INVOICE,
            "",
            "2",
            State.WAITING,
            8,
            number="INV-2",
            fingerprint=bytes.fromhex("cc" * 16),
            generation=1,
            date=date(2026, 1, 28),
        ),
        Receipt("p2", Kind.VENDOR_BILL, "", "1", State.MARKED, 9),
    ]


@pytest.mark.parametrize("after", range(12))
def test_only_what_came_after_a_sequence(tmp_path: Path, after: int) -> None:
    told(tmp_path, EVENTS)
    last = {(one.pair, one.key): one.sequence for one in receipts(tmp_path, after)}
    assert last == {
        unit: number for unit, number in {("p1", "1"): 6, ("p1", "2"): 8, ("p2", "1"): 9}.items() if number > after
    }


def test_details_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    told(tmp_path, [step("1", "", "waiting", fingerprint="xy", date="29 January", generation="two")])
    (receipt,) = receipts(tmp_path)
    assert (receipt.fingerprint, receipt.date, receipt.generation) == (b"", None, 0)


def test_how_a_trail_stands_to_its_store(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    assert compare(0, "", audit) is Standing.LEVEL
    assert compare(3, "ab" * 32, audit) is Standing.TRAIL_BEHIND
    outbox = filled(audit, [0, 20])
    older = outbox.head()
    assert compare(*older, audit) is Standing.LEVEL
    filled(audit, [0, 40, 0], outbox=outbox)
    assert compare(*outbox.head(), audit) is Standing.LEVEL
    assert compare(*older, audit) is Standing.STORE_OLDER
    assert compare(0, "", audit) is Standing.STORE_EMPTY
    assert compare(6, "ab" * 32, audit) is Standing.TRAIL_BEHIND
    assert compare(5, "ab" * 32, audit) is Standing.DIFFERENT
    assert compare(2, "ab" * 32, audit) is Standing.DIFFERENT
    # A tail that a crash has torn does not count.
    last = files_of(audit)[-1]
    last.write_bytes(last.read_bytes()[:-9])
    assert compare(*outbox.head(), audit) is Standing.TRAIL_BEHIND


def test_a_store_that_takes_over_the_head_of_the_trail_goes_on_without_a_break(tmp_path: Path) -> None:
    filled(tmp_path, [0, 20, 30])
    last = last_line(tmp_path)
    assert last is not None
    fresh = Outbox()
    fresh.set_head(last.sequence, last.hash)
    filled(tmp_path, [60, 0], outbox=fresh)
    assert len(lines_of(tmp_path)) == 5
    assert compare(*fresh.head(), tmp_path) is Standing.LEVEL
