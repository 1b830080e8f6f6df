"""Sealing: what a line holds, what it never holds, and the key."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.audit.chain import KEY_EVENT, Chain, audit_key, parse, stored_key
from connector_service.contract.journal import Event
from connector_service.domain.kinds import State
from connector_service.domain.problems import NeedsUser
from tests.unit.audit.support import KEY, START, exported

NOON = datetime(2026, 11, 22, 9, 30, 15, 123999, tzinfo=UTC)


class MemoryVault:
    """A vault that forgets with the process."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get(self, route: str, name: str) -> str | None:
        return self.kept.get((route, name))

    def set(self, route: str, name: str, value: str) -> None:
        self.kept[route, name] = value

    def remove(self, route: str, name: str) -> bool:
        return self.kept.pop((route, name), None) is not None

    def names(self, route: str) -> Sequence[str]:
        return [name for owner, name in self.kept if owner == route]


def test_a_line_holds_what_is_said_in_order_and_nothing_empty() -> None:
    line, digest = Chain(KEY).seal(5, "ab" * 32, NOON, exported(3))
    assert line == (
        '{"time":"2026-11-22T09:30:15.123Z","sequence":5,"actor":"service","route":"main","run":7,"event":"exported",'
        '"pair":"p1","kind":"sales_invoice","key":"key-3","number":"INV-3","before":"sending","after":"exported",'
        '"amount":"3.10","currency":"EUR","remote_id":"r-3","details":{"fingerprint":"00000000000000000000000000000003",'
        f'"generation":0,"date":"2026-01-30"}},"previous":"{"ab" * 32}","hash":"{digest}"}}'
    )


def test_the_hash_can_be_checked_by_anybody_with_the_key_and_standard_tools() -> None:
    line, digest = Chain(KEY).seal(5, "ab" * 32, NOON, exported(3))
    body = line[: line.index(',"hash":')]
    assert digest == hmac.new(KEY, body.encode(), hashlib.sha256).hexdigest()


@given(st.builds(Event, event=st.text(), key=st.text(), number=st.text(), remote_id=st.text()), st.integers(1))
def test_any_text_comes_back_on_one_line(event: Event, sequence: int) -> None:
    line, digest = Chain(KEY).seal(sequence, "", NOON, event)
    assert "\n" not in line
    assert "\r" not in line
    again = parse(line.encode())
    assert again is not None
    assert (again.event, again.key, again.number, again.remote_id) == (
        event.event,
        event.key,
        event.number,
        event.remote_id,
    )
    assert (again.sequence, again.hash) == (sequence, digest)
    assert Chain(KEY).genuine(line.encode())
    assert not Chain(bytes(32)).genuine(line.encode())


def test_the_moment_is_told_in_utc_and_must_have_a_zone() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    assert json.loads(Chain(KEY).seal(2, "", east, Event("x"))[0])["time"] == "2026-11-22T09:30:15.123Z"
    with pytest.raises(ValueError, match="time zone"):
        Chain(KEY).seal(2, "", NOON.replace(tzinfo=None), Event("x"))


def test_details_hold_plain_values_and_short_lists() -> None:
    details = {"count": 3, "ids": ["1", 2], "amount": Decimal("1.10"), "day": date(2026, 1, 2), "state": State.HELD}
    line = Chain(KEY).seal(2, "", NOON, Event("x", details=details))[0]
    assert json.loads(line)["details"] == {
        "count": 3,
        "ids": ["1", 2],
        "amount": "1.10",
        "day": "2026-01-02",
        "state": "held",
    }


@pytest.mark.parametrize("value", [{"a": 1}, b"bytes", object(), [["nested"]], [{"a": 1}]])
def test_a_detail_that_is_no_plain_value_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="detail 'thing'"):
        Chain(KEY).seal(2, "", NOON, Event("x", details={"thing": value}))


def test_names_contact_data_free_text_and_secrets_never_reach_a_line() -> None:
    details = {
        **dict.fromkeys(("name", "email", "phone", "street", "iban", "message", "note", "payload"), "SECRET-1"),
        **{name: ["SECRET-2"] for name in ("password", "token", "client_secret", "api_key", "authorization")},
        "minutes": 481,
        "remark": "SECRET-3 " * 40,
        "numbers": ["SECRET-4"] * 101,
    }
    line = Chain(KEY).seal(2, "", NOON, Event("x", kind="time_record", amount="8.02", details=details))[0]
    assert "SECRET" not in line
    assert "481" not in line.partition(',"previous"')[0]
    assert "8.02" not in line
    assert KEY.hex() not in line
    assert json.loads(line)["details"]["numbers"] == "(101 entries)"


def test_the_first_line_and_a_new_section_tell_the_key_without_revealing_it() -> None:
    chain = Chain(KEY)
    ids = [
        json.loads(chain.seal(sequence, "", START, Event(event))[0]).get("details", {}).get("key_id")
        for sequence, event in ((1, "x"), (2, "x"), (3, KEY_EVENT))
    ]
    assert ids == [chain.key_id, None, chain.key_id]
    assert Chain(bytes(32)).key_id != chain.key_id
    assert len(chain.key_id) == 16


def test_the_key_is_made_once_and_kept() -> None:
    vault = MemoryVault()
    assert stored_key(vault) is None
    key = audit_key(vault)
    assert len(key) == 32
    assert audit_key(vault) == stored_key(vault) == key
    assert audit_key(MemoryVault()) != key


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "ab" * 33])
def test_what_is_no_key_is_not_replaced(text: str) -> None:
    vault = MemoryVault()
    vault.set("", "audit_key", text)
    with pytest.raises(NeedsUser) as caught:
        audit_key(vault)
    assert caught.value.code == "AUDIT_KEY_UNUSABLE"
    assert vault.get("", "audit_key") == text


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b'{"time":"', b"\0" * 80, b"[" * 5000, b'{"time":"\xff"}', b'{"time":"x"}']
)
def test_what_is_no_line_is_told_so(raw: bytes) -> None:
    assert parse(raw) is None
    assert not Chain(KEY).genuine(raw)
