"""Each exit status, and what stands on standard output and standard error with it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector_service import __version__
from connector_service.cli import sync as sync_command
from connector_service.store.lock import FolderLock
from tests.system.conftest import Commands
from tests.system.shop import Shop


def assert_fault(answer: Any, status: int, code: str) -> dict[str, Any]:
    """One JSON document with the fault, and sentences for people beside it."""
    fault: dict[str, Any] = answer.json["error"]
    assert (answer.status, fault["code"]) == (status, code)
    assert {"code", "what", "why", "fix"} <= fault.keys()
    assert fault["what"] in answer.err
    assert "Traceback" not in answer.err
    return fault


def test_settings_faults_are_all_listed_at_once(connector: Commands, shop: Shop) -> None:
    shop.set('mode = "auto"', 'mode = "sometimes"')
    shop.set("interval_seconds = 3600", 'interval_seconds = "often"')
    shop.set('url = "sqlite:///shop.db"', 'url = "sqlite:///shop.db"\nprofil = "x"')
    for command in (["check"], ["status"], ["sync", "main"], ["run"], []):
        fault = assert_fault(connector(*command, "--json"), 2, "SETTINGS_WRONG")
        places = {one["place"] for one in fault["faults"]}
        assert places >= {"routes.main.sync.mode", "routes.main.sync.interval_seconds", "routes.main.source.profil"}
        assert all(one["line"] and one["what"] and one["fix"] for one in fault["faults"])
    assert "sometimes" in connector("check").err


def test_unknown_route(connector: Commands, shop: Shop) -> None:
    for command in (["sync", "nope"], ["begin", "nope", "2026-01-01"], ["stop", "nope"], ["links", "nope"]):
        fault = assert_fault(connector(*command, "--json"), 2, "SETTINGS_WRONG")
        assert "nope" in fault["what"]
        assert "main" in fault["why"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["sync"],
        ["sync", "main", "--colour"],
        ["sync", "main", "--kind", "letters"],
        ["sync", "main", "--from", "yesterday"],
        ["sync", "main", "--from", "2026-02-01", "--to", "2026-01-01"],
        ["begin", "main", "2026-02-30"],
        ["documents", "--state", "lost"],
        ["documents", "--code", "LOST"],
        ["documents", "settle", "1"],
        ["stop"],
        ["stop", "main", "--all"],
        ["reference", "show", "main", "item"],
        ["documents", "show", "77"],
        ["documents", "show", "INV-1"],
        ["sync", "main", "--wait", "long"],
        ["audit", "show", "--limit", "0"],
        ["systems", "main"],
        ["reconcile", "main"],
        ["documents", "retry", "77"],
        ["issues", "show", "77"],
        ["issues", "confirm", "77"],
        ["links", "remove", "main", "customer", "X"],
        ["restore"],
        ["--home"],
    ],
)
def test_what_was_typed_wrongly_gives_status_2(connector: Commands, shop: Shop, arguments: list[str]) -> None:
    answer = connector(*arguments, "--json")
    assert answer.status == 2
    assert answer.json["error"]["what"]
    assert answer.json["error"]["code"] in ("COMMAND_WRONG", "NOT_FOUND", "NOT_POSSIBLE_HERE")
    people = connector(*arguments)
    assert (people.status, people.out) == (2, "")
    assert answer.json["error"]["what"] in people.err
    assert not any(word in people.err.lower() for word in ("invalid", "integer", "input should", "argument"))


def move_shop(shop: Shop) -> Path:
    """Put the database into a folder of its own, which can go away as a network drive does."""
    drive = shop.home / "drive"
    drive.mkdir()
    (shop.home / "shop.db").rename(drive / "shop.db")
    shop.set("sqlite:///shop.db", "sqlite:///drive/shop.db")
    return drive


def test_source_out_of_reach(connector: Commands, shop: Shop) -> None:
    drive = move_shop(shop)
    assert connector("sync", "main").status == 0
    drive.rename(shop.home / "elsewhere")
    answer = connector("sync", "main", "--json")
    assert answer.status == 3
    assert answer.json["error"]["code"] == "SOURCE_UNREACHABLE"
    assert answer.json["issues"][0]["code"] == "SOURCE_UNREACHABLE"
    check = connector("check", "--json")
    assert check.status == 3
    assert check.json["routes"][0]["ok"] is False
    assert check.json["routes"][0]["faults"][0]["code"] == "SOURCE_UNREACHABLE"
    assert connector("sync", "main", "--dry-run").status == 3
    (shop.home / "elsewhere").rename(drive)
    assert connector("sync", "main").status == 0
    assert connector.json("issues")["items"] == []


def test_check_names_the_faults_of_both_sides(connector: Commands, shop: Shop) -> None:
    drive = move_shop(shop)
    assert connector("check").status == 0
    drive.rename(shop.home / "elsewhere")
    (shop.home / "books").write_text("in the way", encoding="utf-8")
    faults = connector.json("check")["routes"][0]["faults"]
    assert {one["code"] for one in faults} == {"SOURCE_UNREACHABLE", "TARGET_UNREACHABLE"}


def test_folder_in_use(connector: Commands, shop: Shop) -> None:
    lock = FolderLock(shop.home / "engine.lock")
    lock.take(what="a test")
    try:
        for command in (["sync", "main"], ["stop", "main"], ["links", "set", "main", "item", "A", "B"], ["run"]):
            assert_fault(connector(*command, "--json"), 4, "BUSY")
        assert connector("status").status == 0
        assert connector("sync", "main", "--dry-run").status == 0
        assert connector("documents").status == 0
    finally:
        lock.release()


def test_wait_goes_on_once_the_folder_is_free(
    start: Callable[..., "subprocess.Popen[bytes]"], connector: Commands, shop: Shop
) -> None:
    lock = FolderLock(shop.home / "engine.lock")
    lock.take(what="a test")
    try:
        waiting = start("sync", "main", "--json", "--wait", "60")
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1.5)
    finally:
        lock.release()
    out, _ = waiting.communicate(timeout=60)
    assert (waiting.returncode, json.loads(out)["counts"]["exported"]) == (0, 5)


def test_fault_of_the_program_is_a_sentence_and_the_log_has_it_all(
    connector: Commands, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector("secret", "set", "main", "password", given=b"hunter2-long-secret")

    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("the password was hunter2-long-secret")

    monkeypatch.setattr(sync_command, "report", broken)
    with monkeypatch.context() as patch:
        patch.setenv("CONNECTOR_SECRET_MAIN_PASSWORD", "hunter2-long-secret")
        fault = assert_fault(connector("sync", "main", "--json"), 5, "INTERNAL_FAULT")
    log = shop.home / "logs" / "connector.log"
    assert str(log) in fault["why"]
    text = log.read_text(encoding="utf-8")
    assert "ZeroDivisionError" in text
    assert "hunter2" not in text


def interrupted(process: "subprocess.Popen[bytes]", shop: Shop) -> tuple[bytes, bytes]:
    """Press Ctrl-C as soon as the run has begun to book."""
    give_up = time.monotonic() + 60
    while not list((shop.home / "books").glob("*.beancount")):
        assert time.monotonic() < give_up
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C goes to the whole console there")
def test_ctrl_c_ends_a_run_after_its_batch_and_nothing_is_lost(
    start: Callable[..., "subprocess.Popen[bytes]"], connector: Commands, shop: Shop
) -> None:
    many = 4000
    shop.execute(
        "with n(i) as (select 1 union all select i + 1 from n where i < ?)"
        " insert into bill (number, day, supplier, total, changed)"
        " select 'N' || i, '2026-03-11', 'X', '1.00', '2026-03-11 10:00:00' from n",
        many,
    )
    process = start("sync", "main", "--json")
    out, err = interrupted(process, shop)
    assert process.returncode == 130
    assert b"Traceback" not in err
    report = json.loads(out)
    assert report["counts"]["in_doubt"] == report["counts"]["sending"] == 0
    rest = connector("sync", "main", "--json")
    assert rest.status == 0
    accounts = connector.json("books", "balances", "main")["items"]
    booked = {(one["account"], one["currency"]): one["balance"] for one in accounts}
    assert booked["Liabilities:Payable:X", "EUR"] == f"-{many}.00"


def test_data_folder_that_cannot_be_made(connector: Commands, home: Path) -> None:
    home.write_text("a file in its place", encoding="utf-8")
    answer = connector("stop", "--all", "--json")
    assert (answer.status, answer.json["error"]["code"]) == (2, "FOLDER_NOT_WRITABLE")


def test_store_of_another_program_is_set_aside_and_never_overwritten(connector: Commands, shop: Shop) -> None:
    (shop.home / "state.db").write_bytes((shop.home / "shop.db").read_bytes())
    before = (shop.home / "state.db").read_bytes()
    assert connector("sync", "main").status == 1
    aside = list(shop.home.glob("state.set-aside-*.db"))
    assert [file.read_bytes() for file in aside] == [before]
    issue = connector.json("issues")["items"][0]
    assert issue["code"] == "STORE_SET_ASIDE"
    assert connector("issues", "confirm", str(issue["id"])).status == 0
    assert connector("sync", "main").status == 0


def test_version(connector: Commands) -> None:
    assert connector("--version").out == f"connector-service {__version__}\n"
    assert connector.json("--version") == {"version": __version__}


def test_connector_alone_says_the_state_and_the_next_command(connector: Commands, home: Path, shop: Shop) -> None:
    assert "Next: connector check" in connector().out
    connector("sync", "main")
    assert "Next: connector sync main" in connector().out
    assert connector.json()["next"] == "connector sync main"
    shop.settings.unlink()
    assert "connector demo" in connector().out
