"""The service in the foreground: it syncs by itself, takes dropped files, and stops when it is told to."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.system.conftest import Commands
from tests.system.shop import Shop

Start = Callable[..., "subprocess.Popen[bytes]"]

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def until(true: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until something is so."""
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, "it did not come to be in time"
        time.sleep(0.05)


def exported(connector: Commands, route: str = "main") -> int:
    """How many documents of a route are exported."""
    routes = connector.json("status")["routes"]
    return int(next(one["counts"]["exported"] for one in routes if one["route"] == route))


@posix
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_service_syncs_by_itself_and_stops_on_a_signal(
    start: Start, connector: Commands, shop: Shop, number: int, status: int
) -> None:
    shop.set("interval_seconds = 3600", "interval_seconds = 1")
    service = start("run", "--json")
    until(lambda: exported(connector) == 5)
    state = connector.json("status")
    assert (state["service"]["running"], state["service"]["pid"]) == (True, service.pid)
    until(lambda: connector.json("status")["routes"][0]["next_run"])
    shop.add_invoice("INV-NEW", changed="2026-03-20 10:00:00")
    until(lambda: exported(connector) == 6)
    assert connector("sync", "main").status == 4
    asked = time.monotonic()
    service.send_signal(number)
    out, err = service.communicate(timeout=30)
    assert time.monotonic() - asked < 10
    assert service.returncode == status
    assert json.loads(out)["runs"] >= 2
    assert b"Traceback" not in err
    assert connector.json("status")["service"]["running"] is False
    assert connector("sync", "main").status == 0


@posix
def test_stopped_manual_and_disabled_routes_do_not_run(start: Start, connector: Commands, shop: Shop) -> None:
    text = shop.settings.read_text(encoding="utf-8")
    head, _, rest = text.partition("[routes.main.source]")
    route = "[routes.main.source]" + rest
    manual = route.replace("routes.main", "routes.manual").replace('"auto"', '"manual"').replace('"books"', '"books2"')
    off = route.replace("routes.main", "routes.off").replace('"books"', '"books3"')
    auto = route.replace("routes.main", "routes.auto").replace('"books"', '"books4"')
    shop.settings.write_text(
        "\n".join((head, route, manual, "[routes.off]\nenabled = false\n", off, auto)), encoding="utf-8"
    )
    connector("stop", "main")
    service = start("run")
    until(lambda: exported(connector, "auto") == 5)
    service.send_signal(signal.SIGTERM)
    service.communicate(timeout=30)
    runs = {one["route"]: one["last_run"] for one in connector.json("status")["routes"]}
    assert [name for name, last in runs.items() if last] == ["auto"]


@posix
def test_file_that_is_dropped_is_taken_at_once(start: Start, connector: Commands, shop: Shop) -> None:
    inbox = shop.home / "inbox"
    inbox.mkdir()
    shop.settings.write_text(
        '[routes.drop.source]\nsystem = "folder"\nfolder = "inbox"\nparty_id = "NL1"\nsettle_seconds = "0.1"\n'
        '[routes.drop.target]\nsystem = "journal"\n[routes.drop.sync]\ninterval_seconds = 3600\n',
        encoding="utf-8",
    )
    service = start("run")
    until(lambda: connector.json("status")["routes"][0]["last_run"])
    record = {"kind": "time_record", "key": "T1", "date": "2026-03-12", "employee_key": "E1", "minutes": 60}
    record |= {"pay_item": "regular"}
    (inbox / "hours.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    until(lambda: exported(connector, "drop") == 1)
    service.send_signal(signal.SIGTERM)
    service.communicate(timeout=30)
    assert service.returncode == 0
    assert [file.name for file in (inbox / "done").rglob("*") if file.is_file()]


@posix
def test_route_that_cannot_be_opened_becomes_an_issue_and_the_others_go_on(
    start: Start, connector: Commands, shop: Shop
) -> None:
    text = shop.settings.read_text(encoding="utf-8")
    head, _, rest = text.partition("[routes.main.source]")
    route = "[routes.main.source]" + rest
    broken = route.replace("routes.main", "routes.broken").replace("shop-profile.toml", "no-profile.toml")
    shop.settings.write_text("\n".join((head, route, broken)), encoding="utf-8")
    service = start("run")
    until(lambda: exported(connector) == 5)
    until(lambda: connector.json("issues", "broken")["items"])
    service.send_signal(signal.SIGTERM)
    _, err = service.communicate(timeout=30)
    assert "no-profile.toml" in connector.json("issues", "broken")["items"][0]["what"]
    assert b"Traceback" not in err


@posix
def test_issue_of_a_secret_that_was_missing_closes_itself(start: Start, connector: Commands, shop: Shop) -> None:
    shop.set("sqlite:///shop.db", "postgresql://shop:{password}@127.0.0.1:1/shop")
    service = start("run")
    until(lambda: connector.json("issues", "main")["items"])
    service.send_signal(signal.SIGTERM)
    service.communicate(timeout=30)
    assert [one["code"] for one in connector.json("issues")["items"]] == ["SIGN_IN_NEEDED"]
    shop.set("postgresql://shop:{password}@127.0.0.1:1/shop", "sqlite:///shop.db")
    assert connector("sync", "main").status == 0
    assert connector.json("issues")["items"] == []
