"""Writes through the session against a server that misbehaves in every way: what is believed, what is sent again."""

from collections.abc import Mapping

import pytest

from connector_service.domain.problems import NeedsUser, OutcomeUnknown, RetryLater
from connector_service.http.answers import Body
from connector_service.http.client import Session
from connector_service.http.options import Fixed, Options
from tests.unit.http.talk import OK, ORDER, UNKNOWN, free_port, talking
from tests.unit.http.wire import Wire, reply, says


@pytest.mark.parametrize("how", UNKNOWN)
def test_a_write_without_a_clear_answer_is_unknown_and_sent_once(how: str) -> None:
    with talking(UNKNOWN[how], total_seconds=0.3, largest_answer=2000) as (session, wire):
        with pytest.raises(OutcomeUnknown) as caught:
            session.write("/invoice", body=ORDER)
        assert [request.body for request in wire.requests] == [ORDER]
    assert "Ledgerly" in caught.value.what
    assert caught.value.why


def test_a_write_that_is_not_answered_in_time_is_unknown() -> None:
    with Wire([]) as wire:
        wire.scripts.append(wire.waits)
        session = Session(Options(title="Ledgerly", base_url=wire.url, read_seconds=0.2))
        with pytest.raises(OutcomeUnknown) as caught:
            session.write("/invoice", body=ORDER)
        assert len(wire.requests) == 1
    assert "in time" in caught.value.why


def test_a_write_that_never_left_is_tried_later() -> None:
    with talking(says(OK)) as (_, wire):
        for url in (f"http://127.0.0.1:{free_port()}", "https://ledgerly.invalid", f"https://127.0.0.1:{wire.port}"):
            session = Session(Options(title="Ledgerly", base_url=url, connect_seconds=0.5))
            with pytest.raises(RetryLater) as caught:
                session.write("/invoice", body=ORDER)
            assert caught.value.code == "TARGET_UNREACHABLE"
        assert wire.requests == []


@pytest.mark.parametrize("status", [407, 502])
def test_a_proxy_that_lets_nothing_through_is_proof_that_nothing_was_sent(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Wire([says(reply(status, b"", "text/html"), go_on=False)]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        session = Session(Options(title="Ledgerly", base_url="https://books.example"))
        with pytest.raises(NeedsUser if status == 407 else RetryLater) as caught:
            session.write("/invoice", body=ORDER)
        assert [request.line for request in proxy.requests] == ["CONNECT books.example:443 HTTP/1.1"]
    assert ("HTTPS_PROXY" in caught.value.fix) == (status == 407)


def test_this_computer_is_reached_without_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with talking(says(OK)) as (session, _):
        assert session.write("/invoice").status == 200


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [
        (OK, 200, Body.JSON),
        (reply(200, b'\xef\xbb\xbf{"Id": "7"}'), 200, Body.JSON),
        (reply(204, b""), 204, Body.EMPTY),
        (reply(400, b'{"Fault": {}}'), 400, Body.JSON),
        (reply(400, b"<?xml version='1.0'?><Fault/>", "text/xml"), 400, Body.XML),
        (reply(404, b"<html>Not found</html>", "text/html", intuit_tid="1-abc"), 404, Body.HTML),
        (reply(412, b"", intuit_tid="1-abc"), 412, Body.EMPTY),
    ],
)
def test_the_system_s_own_answer_to_a_write_comes_back(content: bytes, status: int, kind: Body) -> None:
    with talking(says(content), trace_header="intuit_tid") as (session, wire):
        answer = session.write("/invoice", body=ORDER)
    assert (answer.status, answer.kind) == (status, kind)
    assert len(wire.requests) == 1


def test_a_connection_that_the_other_side_closed_is_not_used_for_a_write() -> None:
    with talking(says(OK, go_on=False), says(OK)) as (session, wire):
        session.write("/a")
        assert wire.closed.wait(20)
        session.write("/b")
        assert [request.line.split()[1] for request in wire.requests] == ["/a", "/b"]
        assert wire.connections == 2


def test_connections_are_used_again() -> None:
    with talking(says(OK)) as (session, wire):
        for _ in range(5):
            session.read("/company")
        assert wire.connections == 1


class Changing:
    """Credentials of which the first are refused."""

    def __init__(self) -> None:
        self.asked = 0

    def headers(self) -> Mapping[str, str]:
        return {"authorization": "Bearer old"}

    def renewed(self, refused: Mapping[str, str]) -> Mapping[str, str] | None:
        assert refused == {"authorization": "Bearer old"}
        self.asked += 1
        return {"authorization": "Bearer new"}


@pytest.mark.parametrize("call", ["read", "write"])
def test_after_401_the_same_request_goes_once_more_with_new_credentials(call: str) -> None:
    with talking(says(reply(401)), says(OK), credentials=Changing()) as (session, wire):
        answer = getattr(session, call)("/invoice", body=ORDER)
    assert answer.status == 200
    assert [request.headers["authorization"] for request in wire.requests] == ["Bearer old", "Bearer new"]
    assert {request.body for request in wire.requests} == {ORDER}


@pytest.mark.parametrize("call", ["read", "write"])
def test_a_second_401_comes_back(call: str) -> None:
    with talking(says(reply(401)), credentials=Changing()) as (session, wire):
        assert getattr(session, call)("/invoice").status == 401
        assert len(wire.requests) == 2
    with talking(says(reply(401)), credentials=Fixed({"x-key": "k"})) as (session, wire):
        assert getattr(session, call)("/invoice").status == 401
        assert len(wire.requests) == 1
