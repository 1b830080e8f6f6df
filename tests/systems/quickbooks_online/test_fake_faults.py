"""Limits, repeated requests, batches, ordered faults, sign-in and the control of the stand-in for QuickBooks Online."""

import base64
import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from lxml import etree

from tests.fakes.oauth import Fault
from tests.fakes.quickbooks_online import signin
from tests.fakes.quickbooks_online.control import own_process
from tests.fakes.quickbooks_online.server import FakeQuickBooks
from tests.systems.quickbooks_online.fake_calls import SPECS, Caller, Reply, bill, invoice

LOST = (http.client.RemoteDisconnected, ConnectionError)


@pytest.fixture
def fake() -> Iterator[FakeQuickBooks]:
    with FakeQuickBooks() as running:
        yield running


@pytest.fixture
def call(fake: FakeQuickBooks) -> Caller:
    return Caller(fake.url, fake.realm, fake.token())


def batch(*items: Any) -> dict[str, Any]:
    """A batch that creates."""
    found = [{"bId": f"b{n}", "operation": "create", name: body} for n, (name, body) in enumerate(items)]
    return {"BatchItemRequest": found}


# Repeated requests


def test_repeated_request_gets_the_first_answer_even_of_what_is_gone(fake: FakeQuickBooks, call: Caller) -> None:
    first = call("POST", "invoice?requestid=r-1", invoice(DocNumber="G1"))
    made = first.json["Invoice"]
    again = call("POST", "invoice?requestid=r-1", invoice(999, DocNumber="other"))
    assert again.json["Invoice"] == made
    call("POST", "invoice?operation=delete", {"Id": made["Id"], "SyncToken": "0"})
    ghost = call("POST", "invoice?requestid=r-1", invoice(DocNumber="G1"))
    assert (ghost.status, ghost.json["Invoice"]) == (200, made)
    assert fake.documents("Invoice") == []
    assert fake.counters.replays == 2
    assert call("POST", "invoice?requestid=r-2", invoice(DocNumber="G1")).json["Invoice"]["Id"] != made["Id"]
    assert call("POST", f"invoice?requestid={'x' * 51}", invoice()).code == "6000"


def test_refused_request_is_not_remembered(call: Caller) -> None:
    assert call("POST", "invoice?requestid=r", invoice(customer="999")).code == "2500"
    assert call("POST", "invoice?requestid=r", invoice()).status == 200


def test_batch_remembers_each_item_by_requestid_and_bid(fake: FakeQuickBooks, call: Caller) -> None:
    fake.order("drop_within", items=2)
    body = batch(*(("Invoice", invoice(DocNumber=f"N{n}")) for n in range(3)))
    with pytest.raises(LOST):
        call("POST", "batch?requestid=run-1", body)
    assert len(fake.documents("Invoice")) == 2
    reply = call("POST", "batch?requestid=run-1", body)
    assert [item["Invoice"]["DocNumber"] for item in reply.json["BatchItemResponse"]] == ["N0", "N1", "N2"]
    assert fake.repeats() == {}
    assert len(fake.documents("Invoice")) == 3
    body["BatchItemRequest"][0]["bId"] = "elevenchars"
    reply = call("POST", "batch?requestid=run-2", body)
    assert reply.json["BatchItemResponse"][0]["Fault"]["Error"][0]["code"] == "6000"


# Batches


def test_batch_is_serial_and_its_items_do_not_see_each_other(fake: FakeQuickBooks, call: Caller) -> None:
    body = batch(
        ("Customer", {"DisplayName": "New one"}),
        ("Vendor", {"DisplayName": "New one"}),
        ("Invoice", invoice(DocNumber="S1")),
        ("Invoice", invoice(DocNumber="S1")),
        ("Bill", bill(DocNumber="x" * 22)),
    )
    reply = call("POST", "batch", body)
    items = {item["bId"]: item for item in reply.json["BatchItemResponse"]}
    codes = {key: item.get("Fault", {}).get("Error", [{}])[0].get("code") for key, item in items.items()}
    assert codes == {"b0": None, "b1": "6240", "b2": None, "b3": "6140", "b4": "2050"}
    assert reply.status == 200
    following = str(int(items["b0"]["Customer"]["Id"]) + 1)
    unseen = batch(("Customer", {"DisplayName": "Other"}), ("Invoice", invoice(customer=following)))
    assert call("POST", "batch", unseen).json["BatchItemResponse"][1]["Fault"]["Error"][0]["code"] == "2500"
    assert call("POST", "invoice", invoice(customer=following)).status == 200
    assert call("POST", "batch", batch(*[("Invoice", invoice())] * 31)).code == "6000"
    assert fake.counters.items == {"create Customer": 2, "create Vendor": 1, "create Invoice": 3, "create Bill": 1}


def test_change_data_ends_at_a_thousand(fake: FakeQuickBooks, call: Caller) -> None:
    fake.limits.on = False
    for _ in range(34):
        call("POST", "batch", batch(*[("Invoice", invoice())] * 30))
    since = "cdc?entities=Invoice,Customer&changedSince=2026-01-01T00:00:00Z"
    invoices, customers = call("GET", since).json["CDCResponse"][0]["QueryResponse"]
    assert (invoices["maxResults"], customers) == (1000, {})
    page = call.query("select * from Invoice orderby Id startposition 1001 maxresults 1000").json["QueryResponse"]
    assert page["maxResults"] == 20
    assert call("GET", "customer/1").json["Customer"]["Balance"] == 102_000


def test_batch_voids_and_allows_duplicates_by_options(call: Caller) -> None:
    made = call.make("Invoice", invoice(DocNumber="O1"))
    body = batch(
        ("Invoice", invoice(DocNumber="O1")), ("Invoice", {"Id": made["Id"], "SyncToken": "0", "sparse": True})
    )
    body["BatchItemRequest"][0]["optionsData"] = "allowduplicatedocnum"
    body["BatchItemRequest"][1] |= {"operation": "update", "optionsData": "void"}
    double, void = call("POST", "batch", body).json["BatchItemResponse"]
    assert double["Invoice"]["DocNumber"] == "O1"
    assert (void["Invoice"]["TotalAmt"], void["Invoice"]["PrivateNote"]) == (0, "Voided")


def test_batch_in_xml(call: Caller) -> None:
    body = (
        b'<IntuitBatchRequest xmlns="http://schema.intuit.com/finance/v3">'
        b'<BatchItemRequest bId="1a" operation="create">'
        b"<Customer><DisplayName>By XML</DisplayName></Customer></BatchItemRequest></IntuitBatchRequest>"
    )
    reply = call("POST", "batch", body, accept="application/xml", kind="application/xml")
    item = etree.fromstring(reply.body).find("{*}BatchItemResponse")
    assert item is not None
    assert item.get("bId") == "1a"
    assert item.findtext("{*}Customer/{*}DisplayName") == "By XML"


# Limits


class Beat:
    """A clock of the limits that only tests move."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_limits_over_time(fake: FakeQuickBooks, call: Caller) -> None:
    beat = Beat()
    fake.front.clock = beat
    assert [call("GET", "customer/1").status for _ in range(11)] == [200] * 10 + [429]
    beat.at += 0.99
    assert call("GET", "customer/1").status == 429
    beat.at += 0.02
    assert call("GET", "customer/1").status == 200
    fake.limits.per_second, fake.limits.per_minute = 0, 15
    assert [call("GET", "customer/1").status for _ in range(5)] == [200] * 4 + [429]
    beat.at += 60
    fake.limits.batches_per_minute = 2
    query = {"BatchItemRequest": [{"bId": "1", "Query": "select * from Term"}]}
    assert [call("POST", "batch", query).status for _ in range(3)] == [200, 200, 429]
    assert call("GET", "customer/1").status == 200
    assert dict(fake.counters.throttled) == {"per_second": 2, "per_minute": 1, "batches_per_minute": 1}
    fake.limits.on = False
    assert call("POST", "batch", query).status == 200


def test_limits_are_those_that_the_maker_names(fake: FakeQuickBooks) -> None:
    limits = fake.limits
    assert (limits.per_minute, limits.per_second, limits.at_once, limits.batches_per_minute) == (500, 10, 10, 40)


def test_limit_of_calls_at_once(fake: FakeQuickBooks) -> None:
    fake.limits.at_once, fake.limits.per_second = 2, 0
    fake.front.latency_seconds = 0.3
    replies: list[Reply] = []
    start = threading.Barrier(3)

    def go() -> None:
        mine = Caller(fake.url, fake.realm, fake.token())
        start.wait()
        replies.append(mine("GET", "customer/1"))

    threads = [threading.Thread(target=go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status for reply in replies) == [200, 200, 429]
    assert fake.counters.peak_open == 3
    assert fake.counters.now_open == 0


def test_throttle_looks_as_published(fake: FakeQuickBooks, call: Caller) -> None:
    fake.order("status_before", status=429, times=2)
    reply = call("GET", "customer/1")
    assert (reply.status, reply.code) == (429, "3001")
    assert "errorCode=003001; statusCode=429" in reply.json["fault"]["error"][0]["message"]
    in_xml = call("GET", "customer/1", accept="application/xml")
    fake.order("status_before", status=403, form="xml")
    older = call("GET", "customer/1")
    for mine, name in ((in_xml, "too_many_requests_error"), (older, "throttle_exceeded_error")):
        assert etree.fromstring(mine.body).find(".//{*}Error").get("code") == "3001"  # type: ignore[union-attr]
        if SPECS.is_dir():
            sample = etree.parse(SPECS / "sample-xml" / f"{name}.xml").getroot()
            assert _texts(etree.fromstring(mine.body)) == _texts(sample)


def _texts(root: Any) -> list[Any]:
    return [
        (etree.QName(node).localname, dict(node.attrib), (node.text or "").strip())
        for node in root.iter()
        if etree.QName(node).localname != "IntuitResponse"
    ]


# Ordered faults


@pytest.mark.parametrize("what", ["drop_before", "drop_after"])
def test_connection_ends_before_or_after_the_commit(fake: FakeQuickBooks, call: Caller, what: str) -> None:
    fake.order(what, kind="create Invoice", nth=2)
    call.make("Invoice", invoice())
    with pytest.raises(LOST):
        call("POST", "invoice", invoice())
    call.make("Invoice", invoice())
    assert len(fake.documents("Invoice")) == (2 if what == "drop_before" else 3)
    assert fake.counters.ordered == {what: 1}


def test_answer_ends_half_way(fake: FakeQuickBooks, call: Caller) -> None:
    fake.order("truncated")
    with pytest.raises(http.client.IncompleteRead):
        call("POST", "invoice", invoice())
    fake.order("cut")
    with pytest.raises(json.JSONDecodeError):
        _ = call("POST", "invoice", invoice()).json
    assert len(fake.documents("Invoice")) == 2


def test_answers_of_others(fake: FakeQuickBooks, call: Caller) -> None:
    fake.order("html_before", status=502)
    reply = call("POST", "invoice", invoice())
    assert (reply.status, reply.headers["content-type"], reply.body[:6]) == (502, "text/html", b"<html>")
    fake.order("status_before", status=500)
    reply = call("POST", "invoice", invoice())
    assert (reply.status, reply.code) == (500, "10000")
    fake.order("fault_in_200", code="10000")
    reply = call("POST", "invoice", invoice())
    assert (reply.status, reply.code) == (200, "10000")
    fake.order("status_before", status=401)
    assert call("POST", "invoice", invoice()).code == "3200"
    assert fake.documents("Invoice") == []
    fake.order("status_after", status=503)
    assert call("POST", "invoice", invoice()).status == 503
    fake.order("html_after", status=200)
    assert call("POST", "invoice", invoice()).body[:6] == b"<html>"
    fake.order("xml")
    reply = call("POST", "invoice", invoice())
    assert reply.headers["content-type"].startswith("application/xml")
    assert len(fake.documents("Invoice")) == 3


def test_slow_answers_are_whole(fake: FakeQuickBooks, call: Caller) -> None:
    fake.order("slow", seconds=0.05)
    fake.order("delay_before", seconds=0.01)
    fake.order("delay_after", seconds=0.01)
    assert [call("POST", "invoice", invoice()).json["Invoice"]["TotalAmt"] for _ in range(3)] == [100] * 3
    assert fake.counters.ordered == {"slow": 1, "delay_before": 1, "delay_after": 1}


def test_order_by_body_and_for_ever(fake: FakeQuickBooks, call: Caller) -> None:
    fake.order("status_before", status=503, body="Z9", times=0)
    assert [call("POST", "invoice", invoice(DocNumber="Z9")).status for _ in range(3)] == [503] * 3
    assert call("POST", "invoice", invoice(DocNumber="Z8")).status == 200
    fake.withdraw()
    assert call("POST", "invoice", invoice(DocNumber="Z9")).status == 200
    with pytest.raises(ValueError, match="There is no fault"):
        fake.order("burn")


# Sign-in


def test_foreign_and_revoked_tokens(fake: FakeQuickBooks, call: Caller) -> None:
    fake.open_company("77")
    assert Caller(fake.url, "77", call.token)("GET", "customer/1").status == 403
    assert Caller(fake.url, "77", fake.token("77"))("GET", "customer/1").status == 200
    assert Caller(fake.url, "78", call.token)("GET", "customer/1").status == 403
    fake.tokens.revoke(call.token)
    assert call("GET", "customer/1").code == "3200"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def test_sign_in_under_the_makers_paths() -> None:
    authority = signin.authority_for("9130350000000001")
    with FakeQuickBooks(authority=authority) as fake:
        asked = {"client_id": "app", "response_type": "code", "redirect_uri": "http://localhost:1/cb", "state": "s"}
        opener = urllib.request.build_opener(_Stay)
        with pytest.raises(urllib.error.HTTPError) as sent:
            opener.open(f"{fake.url}{signin.AUTHORIZE}?{urlencode({**asked, 'scope': signin.SCOPE})}", timeout=5)
        back = parse_qs(urlsplit(sent.value.headers["Location"]).query)
        assert back["realmId"] == [fake.realm]
        form = {"grant_type": "authorization_code", "code": back["code"][0], "redirect_uri": asked["redirect_uri"]}
        granted = _token(fake, form)
        assert granted["x_refresh_token_expires_in"] == 8_640_000
        call = Caller(fake.url, fake.realm, granted["access_token"])
        assert call("GET", "companyinfo/1").status == 200
        authority.advance(3601)
        assert call("GET", "companyinfo/1").code == "3200"
        again = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
        authority.order(Fault.LOST)
        with pytest.raises(LOST):
            _token(fake, again)
        with pytest.raises(urllib.error.HTTPError):
            _token(fake, again)
        with urllib.request.urlopen(fake.url + signin.DISCOVERY, timeout=5) as page:  # noqa: S310
            assert json.loads(page.read())["token_endpoint"] == fake.url + signin.TOKEN


def _token(fake: FakeQuickBooks, form: dict[str, str]) -> Any:
    basic = base64.b64encode(b"app:app-secret").decode()
    kind = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    request = urllib.request.Request(fake.url + signin.TOKEN, urlencode(form).encode(), kind)  # noqa: S310
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - our own server
        return json.loads(answer.read())


# Control


def test_control_from_another_process() -> None:
    with own_process("--country", "GB") as remote:
        remote.server(latency_seconds=0, on=False)
        call = Caller(remote.url, remote.realm, remote.token())
        vat = {"detail": {"TaxCodeRef": {"value": "10"}}}
        call.make("Invoice", invoice(DocNumber="C1", PrivateNote="mark-7", **vat))
        remote.order("drop_after", kind="create Invoice")
        with pytest.raises(LOST):
            call("POST", "invoice", invoice(DocNumber="C2", **vat))
        assert [found["DocNumber"] for found in remote.documents("Invoice", DocNumber="C2")] == ["C2"]
        assert (remote.having("Invoice", "mark-7"), remote.repeats()) == (1, {})
        assert remote.ledger()["Sales Tax Payable"] == -40
        made = remote.act("create", "Customer", {"DisplayName": "By hand"})
        assert remote.documents("Customer", Id=made["Id"])[0]["DisplayName"] == "By hand"
        remote.set(closing_date="2099-12-31")
        assert call("POST", "invoice", invoice(**vat)).code == "6210"
        counters = remote.counters()
        assert counters["calls"] == {"create Invoice": 3}
        assert counters["ordered"] == {"drop_after": 1}
        remote.clear_counters()
        assert remote.counters()["calls"] == {}
        remote.secret = "guessed"
        with pytest.raises(urllib.error.HTTPError) as refused:
            remote.counters()
        assert refused.value.code == 403
