"""Reads through the session, limits, addresses, numbers and the log."""

import threading
from decimal import Decimal
from email.utils import format_datetime

import msgspec
import pytest

from connector_service.contract.manifest import Limits
from connector_service.domain.problems import OutcomeUnknown, RetryLater, SettingsFault
from connector_service.http.answers import Answer, to_json
from connector_service.http.client import Session
from connector_service.http.limiter import Limiter
from connector_service.http.options import Fixed, Options
from connector_service.http.words import retry_after
from tests.unit.http.clock import FakeClock
from tests.unit.http.talk import OK, ORDER, UNKNOWN, talking
from tests.unit.http.wire import Wire, reply, says


def throttled(answer: Answer) -> bool:
    return answer.status == 403 and b"3001" in answer.body


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (reply(429, b"{}", retry_after="7"), 7),
        (reply(429, b"<html>Slow down</html>", "text/html"), 60),
        (reply(403, b'{"code": "3001"}'), 60),
    ],
)
def test_too_many_calls_are_proof_that_a_write_was_refused(content: bytes, seconds: int) -> None:
    clock = FakeClock()
    began = clock.time
    limiter = Limiter(Limits(), clock=clock)
    with talking(says(content), says(OK), limiter=limiter, throttled=throttled) as (session, wire):
        with pytest.raises(RetryLater) as caught:
            session.write("/invoice", body=ORDER)
        assert caught.value.after_seconds == seconds
        assert len(wire.requests) == 1
        session.write("/invoice", body=ORDER)
        assert clock.time - began == pytest.approx(seconds)


def test_a_read_waits_out_too_many_calls_by_itself() -> None:
    clock = FakeClock()
    began = clock.time
    limiter = Limiter(Limits(), clock=clock)
    with talking(says(reply(429, b"{}", retry_after="20")), says(OK), limiter=limiter) as (session, _):
        assert session.read("/company").status == 200
    assert clock.time - began == pytest.approx(20)


def test_a_read_does_not_wait_for_tomorrow() -> None:
    limiter = Limiter(Limits(), clock=FakeClock())
    with talking(says(reply(429, b"{}", retry_after="40000")), says(OK), limiter=limiter) as (session, wire):
        with pytest.raises(RetryLater) as caught:
            session.read("/company")
        assert caught.value.after_seconds == 40000
        assert len(wire.requests) == 1


@pytest.mark.parametrize("how", [how for how in UNKNOWN if how != "redirect"])
def test_a_read_is_asked_again_until_it_is_answered(how: str) -> None:
    with talking(
        UNKNOWN[how], UNKNOWN[how], says(OK), total_seconds=0.3 if how == "drips" else 20, largest_answer=2000
    ) as (session, wire):
        if how == "drips":
            # The time for all tries is up.
            with pytest.raises(RetryLater):
                session.read("/company")
        else:
            assert session.read("/company").json() == {"Id": "7"}
            assert len(wire.requests) == 3


def test_a_read_that_is_never_answered_is_told_in_words() -> None:
    with talking(says(reply(500)), attempts=3, unreachable_code="SOURCE_UNREACHABLE") as (session, wire):
        with pytest.raises(RetryLater) as caught:
            session.read("/company")
        assert len(wire.requests) == 3
    assert caught.value.code == "SOURCE_UNREACHABLE"
    assert "status 500" in caught.value.why


def test_a_refused_read_is_not_asked_again() -> None:
    with talking(says(reply(404, b'{"Fault": {}}'))) as (session, wire):
        assert session.read("/company").status == 404
        assert len(wire.requests) == 1


def test_redirects_stay_with_the_system() -> None:
    with talking(says(reply(307, b"", location="/v2/company")), says(OK)) as (session, wire):
        assert session.read("/company").status == 200
        assert [request.line.split()[1] for request in wire.requests] == ["/company", "/v2/company"]
    with Wire([says(OK)]) as other:
        credentials = Fixed({"authorization": "Bearer secret"})
        away = says(reply(302, b"", location=f"{other.url}/login"))
        with talking(away, credentials=credentials) as (session, _), pytest.raises(RetryLater) as caught:
            session.read("/company")
        assert other.requests == []
    assert "127.0.0.1" in caught.value.why


def test_whole_addresses_are_taken_only_of_the_system_s_own_servers() -> None:
    with Wire([says(OK)]) as own, Wire([says(OK)]) as other:
        session = Session(Options(title="Ledgerly", base_url=f"{own.url}/v3", other_urls=()))
        assert session.read(f"{own.url}/v3/next?page=2").status == 200
        for call in (session.read, session.write):
            with pytest.raises(RetryLater):
                call(f"{other.url}/v3/next")
        assert other.requests == []


@pytest.mark.parametrize(
    "url", ["http://books.example", "http://192.168.1.4", "ftp://localhost", "books.example", "", "http://localhost:x"]
)
def test_addresses_without_encryption_are_refused(url: str) -> None:
    with pytest.raises(SettingsFault) as caught:
        Session(Options(title="Ledgerly", base_url=url))
    assert "https://" in caught.value.why


def test_parameters_are_added_to_the_address() -> None:
    with talking(says(OK)) as (session, wire):
        session.read("/query?minorversion=75", params={"query": "select * from Item where Name = 'a&b'"})
    assert wire.requests[0].line == (
        "GET /query?minorversion=75&query=select%20%2A%20from%20Item%20where%20Name%20%3D%20%27a%26b%27 HTTP/1.1"
    )
    assert wire.requests[0].headers["user-agent"].startswith("connector-service/")
    assert wire.requests[0].headers["accept"] == "application/json"


def test_cookies_are_not_kept() -> None:
    with talking(says(reply(200, set_cookie="session=1; Path=/")), says(OK)) as (session, wire):
        session.read("/a")
        session.read("/b")
        assert "cookie" not in wire.requests[1].headers


class Invoice(msgspec.Struct):
    total: Decimal


def test_numbers_keep_every_digit() -> None:
    text = b'{"total": 12345678901234567890.10, "qty": 3}'
    with talking(says(reply(200, text))) as (session, _):
        answer = session.read("/invoice")
        assert answer.json(Invoice).total == Decimal("12345678901234567890.10")
        plain = answer.json()
        assert str(plain["total"]) == "12345678901234567890.10"
        assert type(plain["qty"]) is int
    assert to_json({"a": Decimal("12.10")}) == b'{"a":12.10}'


def test_an_answer_of_another_form_is_unknown_to_a_write_and_repeatable_to_a_read() -> None:
    with talking(says(reply(200, b'{"total": "many"}'))) as (session, _):
        with pytest.raises(OutcomeUnknown):
            session.write("/invoice").json(Invoice)
        with pytest.raises(RetryLater) as caught:
            session.read("/invoice").json(Invoice)
    assert "total" in caught.value.why


def test_what_is_left_is_read_from_the_headers() -> None:
    clock = FakeClock()
    began = clock.time
    limiter = Limiter(Limits(calls_per_minute=60), clock=clock)
    left = says(reply(200, x_minlimit_remaining="2"))
    with talking(left, says(OK), limiter=limiter, minute_left_header="X-MinLimit-Remaining") as (session, _):
        for _ in range(3):
            session.read("/company")
        assert clock.time - began == pytest.approx(0, abs=1)
        session.read("/company")
    assert clock.time - began >= 59


def test_the_log_holds_no_content_and_tells_trouble_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="connector_service.http.client")
    scripts = [says(reply(200, b'{"Name": "Acme BV"}', intuit_tid="1-abc")), *[says(reply(500))] * 4, says(OK)]
    with talking(
        *scripts, credentials=Fixed({"authorization": "Bearer hidden"}), attempts=2, trace_header="intuit_tid"
    ) as (session, wire):
        session.write("/v3/attach/Jane.pdf", params={"requestid": "r-1"}, body=b"Acme", logged_path="/v3/attach/{name}")
        for _ in range(2):
            with pytest.raises(RetryLater):
                session.read("/v3/query", params={"query": "select Jane"})
        session.read("/v3/company")
    text = caplog.text
    for secret in ("Jane", "Acme", "hidden", "r-1", "select"):
        assert secret not in text
    assert f"POST 127.0.0.1:{wire.port}/v3/attach/{{name}}?requestid: 200 in " in text
    assert " ms 1-abc" in text
    assert text.count("cannot be reached") == 1
    assert text.count("can be reached again") == 1
    assert [record.levelname for record in caplog.records if "reached" in record.message] == ["WARNING", "INFO"]


def test_many_threads_share_one_session() -> None:
    with talking(says(OK), concurrent_calls=4, limiter=Limiter(Limits(concurrent_calls=4))) as (session, wire):
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda: answers.extend(session.write("/a").status for _ in range(10)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert answers == [200] * 80
        assert wire.connections <= 4


def test_retry_after() -> None:
    from datetime import UTC, datetime

    moment = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    assert retry_after("30", 0) == 30
    assert retry_after(format_datetime(moment, usegmt=True), moment.timestamp() - 90) == 90
    assert retry_after(format_datetime(moment, usegmt=True), moment.timestamp() + 5) == 0
    assert retry_after("999999999", 0) == 86_400
    assert [retry_after(text, 0) for text in ("", "soon", "-5", "1.5")] == [None] * 4
