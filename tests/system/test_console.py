"""Consoles and pipes as they are: few characters, readers that go away, options in any place."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.system.conftest import Commands
from tests.system.shop import Shop

Start = Callable[..., "subprocess.Popen[bytes]"]
NAME = "Łódź ☃ & Zoë\x1b[31m"


@pytest.fixture
def hard_name(shop: Shop) -> Shop:
    """A shop whose customer has a name that few consoles can show, with a command for terminals in it."""
    shop.execute("update customer set name = ?", NAME)
    shop.add_invoice("INV-BAD", total="999.00")
    return shop


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_no_name_is_too_much_for_a_console(start: Start, hard_name: Shop, encoding: str) -> None:
    process = start("sync", "main", PYTHONIOENCODING=encoding)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, b"")
    assert b"3 of 4" in out or b"5 of 6" in out
    assert b"\x1b" not in out
    text = out.decode(encoding)
    assert "&" in text


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_json_is_exact_on_any_console(start: Start, hard_name: Shop, encoding: str) -> None:
    out, _ = start("sync", "main", "--json", PYTHONIOENCODING=encoding).communicate(timeout=60)
    parties = {one["party"] for one in json.loads(out.decode(encoding))["documents"] if one["kind"] == "sales_invoice"}
    assert parties == {NAME}


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe that closes")
def test_reader_that_goes_away_ends_nothing(start: Start, connector: Commands, shop: Shop) -> None:
    shop.execute(
        "with n(i) as (select 1 union all select i + 1 from n where i < 3000)"
        " insert into bill (number, day, supplier, total, changed)"
        " select 'N' || i, '2026-03-11', 'X', '1.00', '2026-03-11 10:00:00' from n"
    )
    process = start("sync", "main", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""
    assert connector.json("status")["routes"][0]["counts"]["exported"] == 3005


def test_home_and_json_stand_anywhere(connector: Commands, shop: Shop, start: Start) -> None:
    home = str(shop.home)
    for arguments in (
        ["--json", "--home", home, "status"],
        ["status", "--json", "--home", home],
        ["--json", "status", f"--home={home}"],
    ):
        out, err = start(*arguments, CONNECTOR_HOME="/nowhere").communicate(timeout=60)
        assert (json.loads(out)["routes"][0]["route"], err) == ("main", b"")


def test_silent_on_standard_error_in_a_pipe(start: Start, shop: Shop) -> None:
    _, err = start("sync", "main").communicate(timeout=60)
    assert err == b""


def test_help_is_plain_and_names_what_every_command_takes(connector: Commands) -> None:
    root = connector("--help")
    assert root.status == 0
    for name in ("sync", "begin", "documents", "audit", "restore"):
        assert f"\n  {name} " in root.out
    for absent in ("tray", "connect", "doctor", "sandbox", "contacts", "service"):
        assert f"\n  {absent} " not in root.out
    text = connector("sync", "--help").out
    assert "--dry-run" in text
    assert "--json" in text
    assert "settle" in connector("documents", "--help").out
