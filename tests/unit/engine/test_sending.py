"""Queues, refusals, calls side by side, and persons who are faster than a push."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from connector_service.contract.manifest import Idempotency
from connector_service.contract.target import Prepared
from tests.support.documents import plain
from tests.support.fake_target import Stumble
from tests.support.harness import Rig
from tests.unit.engine.conftest import INVOICE, MakeRig

SETTLES = {"settle_after_seconds": 60, "memory_seconds": 600}
REFERENCE: dict[str, Any] = {"idempotency": (Idempotency.EXTERNAL_REFERENCE,), "limits": SETTLES}
QUEUED: dict[str, Any] = {"queued": True, "limits": {"batch_size": 3}}


def test_queued_waits_until_it_is_fetched(make_rig: MakeRig) -> None:
    rig = make_rig(target=QUEUED)
    rig.shop.add(*[plain(INVOICE, place) for place in (1, 2, 3, 4)])
    result = rig.run()
    assert (result.exit, result.counts["queued"]) == (0, 4)
    assert rig.run().counts["queued"] == 4
    assert len(rig.books.queue) == 4
    rig.books.fetch()
    rig.run()
    assert set(rig.states().values()) == {"exported"}
    assert rig.events_of("sales_invoice-1")[-2:] == [("queued", "sending"), ("sending", "exported")]


def test_tickets_belong_to_members_where_one_of_a_batch_was_refused(make_rig: MakeRig) -> None:
    rig = make_rig(target=QUEUED)
    rig.shop.add(*[plain(INVOICE, place) for place in (1, 2, 3)])
    rig.adapter.refuse = lambda document: "Wrong." if document.key == "sales_invoice-1" else None
    rig.run()
    rig.books.fetch()
    rig.run()
    assert rig.states() == {
        "sales_invoice-1": "refused",
        "sales_invoice-2": "exported",
        "sales_invoice-3": "exported",
    }
    for key in ("sales_invoice-2", "sales_invoice-3"):
        assert rig.row(key).remote_id == rig.books.by_key(key)[0].remote_id


def test_a_part_of_the_queue_is_fetched(make_rig: MakeRig) -> None:
    rig = make_rig(target=QUEUED)
    rig.shop.add(*[plain(INVOICE, place) for place in (1, 2, 3)])
    rig.run()
    kept = dict(list(rig.books.queue.items())[:1])
    for ticket in kept:
        del rig.books.queue[ticket]
    rig.books.fetch()
    rig.books.queue.update(kept)
    rig.run()
    assert sorted(rig.states().values()) == ["exported", "exported", "queued"]
    rig.books.fetch()
    rig.run()
    assert set(rig.states().values()) == {"exported"}


@pytest.mark.parametrize("point", ["push.after_intent", "push.after_call", "push.before_outcome"])
def test_a_crash_before_the_tickets_are_known_queues_nothing_twice(make_rig: MakeRig, point: str) -> None:
    rig = make_rig(target=QUEUED)
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2))
    assert rig.crash_at(point)
    rig.run()
    assert len(rig.books.queue) == 2
    rig.books.fetch()
    rig.run()
    assert (set(rig.states().values()), len(rig.books.entries)) == ({"exported"}, 2)


# -- one call for many ------------------------------------------------------------------------------------------------


def test_a_batch_that_is_refused_whole_is_tried_one_by_one(rig: Rig) -> None:
    rig.shop.add(*[plain(INVOICE, place) for place in (1, 2, 3)])
    rig.adapter.stumbles.extend([Stumble.REFUSED_WHOLE])
    rig.adapter.refuse = lambda document: "Wrong." if document.key == "sales_invoice-2" else None
    rig.run()
    assert rig.states() == {
        "sales_invoice-1": "exported",
        "sales_invoice-2": "refused",
        "sales_invoice-3": "exported",
    }
    assert [len(batch) for batch in rig.adapter.batches] == [3, 1, 1, 1]
    assert ("sending", "waiting") in rig.events_of("sales_invoice-1")


def test_one_that_is_refused_whole_by_itself_is_refused(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.stumbles.append(Stumble.REFUSED_WHOLE)
    rig.run()
    assert (rig.state("sales_invoice-1"), rig.codes("sales_invoice-1")) == ("refused", ["REFUSED_BY_TARGET"])


@pytest.mark.parametrize(
    ("stumble", "issue"), [(Stumble.THROTTLED, "TARGET_UNREACHABLE"), (Stumble.SIGN_IN, "GRANT_DEAD")]
)
def test_nothing_sent_is_nothing_in_doubt(make_rig: MakeRig, stumble: Stumble, issue: str) -> None:
    rig = make_rig(target={"limits": {"batch_size": 2}})
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 8)])
    rig.adapter.stumbles.append(stumble)
    result = rig.run()
    assert (result.exit, set(rig.states().values()), rig.issues()) == (3, {"waiting"}, [issue])
    assert len(rig.adapter.batches) == 1, "nothing more is tried in this run"
    assert rig.run().exit == 0
    assert (len(rig.books.entries), rig.issues()) == (7, [])


def test_calls_run_side_by_side_as_far_as_allowed(make_rig: MakeRig) -> None:
    rig = make_rig(target={"limits": {"batch_size": 1, "concurrent_calls": 3}})
    together = threading.Barrier(3)

    def wait_for_the_others(_prepared: Prepared) -> None:
        together.wait(20)

    rig.adapter.during_push = wait_for_the_others
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 7)])
    rig.run()
    assert (rig.adapter.most_at_once, len(rig.books.entries)) == (3, 6)
    assert set(rig.states().values()) == {"exported"}


def test_lost_answers_side_by_side(make_rig: MakeRig) -> None:
    rig = make_rig(target={**REFERENCE, "limits": {**SETTLES, "batch_size": 2, "concurrent_calls": 4}})
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 28)])
    rig.adapter.stumbles.extend([Stumble.LOST_ANSWER, Stumble.LOST_REQUEST, Stumble.HALF, Stumble.ONE_UNKNOWN] * 2)
    for _ in range(3):
        rig.run()
        rig.clock.forward(seconds=100)
    assert set(rig.states().values()) == {"exported"}
    assert len(rig.books.entries) == 27


Work = Callable[[Rig], None]


@pytest.mark.parametrize(
    ("deed", "state"), [(lambda rig: rig.act("ignore", "sales_invoice-1"), "ignored")], ids=["a person ignores it"]
)
def test_what_a_person_puts_aside_in_the_moment_of_sending_is_not_sent(rig: Rig, deed: Work, state: str) -> None:
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2))
    prepare = rig.adapter.prepare
    done: list[bool] = []

    def slowly(*args: Any) -> Any:
        if not done:
            done.append(True)
            deed(rig)
        return prepare(*args)

    rig.adapter.prepare = slowly  # type: ignore[method-assign,assignment]
    rig.run()
    assert rig.states() == {"sales_invoice-1": state, "sales_invoice-2": "exported"}
    assert len(rig.books.entries) == 1


@pytest.mark.parametrize("look", [1, 2])
def test_what_a_person_puts_aside_while_it_is_planned_stays_there(rig: Rig, look: int) -> None:
    # The books are asked for numbers when the run sees whether to read it again, and when it plans it.
    rig.shop.add(plain(INVOICE, 1, total=Decimal(1)), plain(INVOICE, 2))
    rig.run()
    rig.shop.add(plain(INVOICE, 1))
    left = look

    def meanwhile() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            rig.act("ignore", "sales_invoice-1")

    rig.adapter.during_look_up = meanwhile
    assert rig.run().fault is None
    assert left <= 0
    assert rig.states() == {"sales_invoice-1": "ignored", "sales_invoice-2": "exported"}
