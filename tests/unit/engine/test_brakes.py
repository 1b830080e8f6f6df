"""Brakes: a source that suddenly has nothing, far less or far more stops the route until a person confirms."""

from connector_service.engine.setup import RouteOptions
from tests.support.documents import plain
from tests.support.harness import Rig
from tests.unit.engine.conftest import BILL, INVOICE, MakeRig


def filled(make_rig: MakeRig, count: int = 10, **options: object) -> Rig:
    rig = make_rig(options=RouteOptions(**options))  # type: ignore[arg-type]
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, count + 1)])
    assert rig.run().exit == 0
    return rig


def test_a_source_that_is_empty_stops_the_route(make_rig: MakeRig) -> None:
    rig = filled(make_rig)
    rig.shop.records[INVOICE].clear()
    rig.shop.add(plain(BILL, 1))
    result = rig.run()
    assert (result.exit, rig.issues()) == (1, ["SOURCE_EMPTY"])
    assert result.fault is not None
    assert "BILL-1" not in [one.document.number for one in rig.books.entries], "nothing at all is sent"
    rig.confirm_brakes()
    assert rig.run().exit == 0
    assert (rig.issues(), len(rig.books.entries)) == ([], 11)


def test_a_source_that_has_under_half_stops_the_route(make_rig: MakeRig) -> None:
    rig = filled(make_rig)
    for place in range(1, 6):
        rig.shop.delete(INVOICE, f"sales_invoice-{place}")
    assert rig.run().exit == 0, "half is still fine"
    for place in range(6, 9):
        rig.shop.delete(INVOICE, f"sales_invoice-{place}")
    assert (rig.run().exit, rig.issues()) == (1, ["SOURCE_SHRUNK"])
    assert rig.run().exit == 1, "it stays until somebody confirms"
    assert [one.count for one in rig.store.issues("main")] == [2]
    assert f"connector issues confirm {rig.store.issues('main')[0].id}" in rig.store.issues("main")[0].fix


def test_it_goes_away_when_the_records_are_back(make_rig: MakeRig) -> None:
    rig = filled(make_rig)
    kept = dict(rig.shop.records[INVOICE])
    rig.shop.records[INVOICE].clear()
    rig.run()
    rig.shop.records[INVOICE].update(kept)
    assert (rig.run().exit, rig.issues()) == (0, [])


def test_too_many_at_once_stop_the_route(make_rig: MakeRig) -> None:
    rig = filled(make_rig, max_new_per_run=20)
    rig.shop.add(*[plain(INVOICE, place) for place in range(11, 31)])
    assert rig.run().exit == 0, "as many as allowed"
    rig.shop.add(*[plain(INVOICE, place) for place in range(31, 52)])
    assert (rig.run().exit, rig.issues(), len(rig.books.entries)) == (1, ["TOO_MANY_NEW"], 30)
    rig.confirm_brakes()
    rig.shop.add(plain(INVOICE, 52))
    result = rig.run()
    assert (result.exit, rig.issues(), len(rig.books.entries)) == (0, [], 52), "one more since is no new cause"


def test_too_many_on_the_first_day_stop_the_route(make_rig: MakeRig) -> None:
    rig = make_rig(options=RouteOptions(max_new_per_run=5))
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 8)])
    assert (rig.run().exit, rig.issues(), rig.books.entries) == (1, ["TOO_MANY_NEW"], [])


def test_one_notice_for_one_cause(make_rig: MakeRig) -> None:
    rig = filled(make_rig, max_new_per_run=10)
    for place in (31, 41, 51):
        rig.shop.add(*[plain(INVOICE, at) for at in range(11, place)])
        rig.run()
    assert rig.issues() == ["TOO_MANY_NEW"]


def test_a_quiet_source_is_no_cause(make_rig: MakeRig) -> None:
    rig = make_rig(source={"incremental": True})
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 11)])
    rig.run()
    for _ in range(3):
        rig.clock.forward(days=3)
        assert rig.run().exit == 0


def test_a_run_of_a_part_does_not_move_what_is_compared_with(make_rig: MakeRig) -> None:
    rig = filled(make_rig, max_new_per_run=20)
    rig.shop.add(*[plain(BILL, place) for place in range(1, 19)])
    rig.run(kinds=(INVOICE,))
    rig.shop.add(*[plain(BILL, place) for place in range(19, 30)])
    assert (rig.run().exit, rig.issues()) == (1, ["TOO_MANY_NEW"])
