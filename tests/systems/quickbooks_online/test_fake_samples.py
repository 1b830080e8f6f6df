"""The stand-in for QuickBooks Online against the maker's schema and the recorded exchanges."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

from tests.fakes.quickbooks_online import derive_fields, fields
from tests.fakes.quickbooks_online.server import FakeQuickBooks
from tests.systems.quickbooks_online.fake_calls import SPECS, Caller, bill, invoice, recorded, shape

pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason="the maker's specification is not beside the project")


@pytest.fixture
def fake() -> Iterator[FakeQuickBooks]:
    with FakeQuickBooks() as running:
        running.limits.on = False
        running.set(custom_numbers=False)
        yield running


@pytest.fixture
def call(fake: FakeQuickBooks) -> Caller:
    return Caller(fake.url, fake.realm, fake.token())


def test_table_of_fields_is_what_the_schema_says() -> None:
    derived = derive_fields.derive(SPECS)
    assert derived["types"] == fields.TYPES
    assert {name: frozenset(values) for name, values in derived["enums"].items()} == fields.ENUMS
    assert derived["lengths"] == fields.LENGTHS


def test_lengths_stand_in_the_prose_of_the_schema() -> None:
    schema = derive_fields.Schema(SPECS)
    unfounded = [
        (name, field, limit)
        for name, limits in derive_fields.LENGTHS.items()
        for field, limit in limits.items()
        if (name, field) not in derive_fields.UNSTATED and str(limit) not in schema.prose(name, field)
    ]
    assert unfounded == []


def test_create_and_read_answer_as_recorded(call: Caller) -> None:
    made = {}
    for name, path in (("create_customer", "customer"), ("create_invoice", "invoice")):
        [exchange] = recorded(name)
        reply = call("POST", path, json.loads(exchange.body))
        assert reply.status == exchange.status
        assert reply.headers["content-type"] == exchange.content_type
        assert reply.headers["intuit_tid"]
        assert shape(reply.json) == shape(exchange.answer)
        made = reply.json.get("Invoice", {})
    assert made["TotalAmt"] == made["Balance"] == 100
    assert shape(call("GET", f"invoice/{made['Id']}").json) == shape(recorded("delete_invoice")[0].answer)


def test_delete_and_void_answer_as_recorded(call: Caller) -> None:
    gone = call.make("Invoice", invoice())
    reply = call("POST", "invoice?operation=delete", {"Id": gone["Id"], "SyncToken": "0"})
    expected = recorded("delete_invoice")[1].answer
    assert reply.json["Invoice"] == {**expected["Invoice"], "Id": gone["Id"]}
    kept = call.make("Invoice", invoice())
    reply = call("POST", "invoice?operation=void", {"Id": kept["Id"], "SyncToken": "0"})
    expected = recorded("void_invoice")[1].answer
    assert shape(reply.json) == shape(expected)
    for field in ("TotalAmt", "Balance", "PrivateNote", "SyncToken", "Line", "TxnTaxDetail"):
        assert reply.json["Invoice"][field] == expected["Invoice"][field]


def test_updates_answer_as_recorded(fake: FakeQuickBooks, call: Caller) -> None:
    before, after = recorded("update_customer")
    customer = call.make("Customer", {"DisplayName": "Doe2, Jane"})
    assert shape(customer) == shape(before.answer["Customer"])
    change = {**json.loads(after.body), "Id": customer["Id"]}
    reply = call("POST", "customer?minorversion=8", change)
    assert shape(reply.json) == shape(after.answer)
    assert (reply.json["Customer"]["SyncToken"], reply.json["Customer"]["FullyQualifiedName"]) == ("1", "Jack Moe")

    account = call.make(
        "Account", {"Name": "Fees Billed", "AccountType": "Income", "AccountSubType": "ServiceFeeIncome"}
    )
    off = call.make("Account", {"Id": account["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    _, nothing = recorded("deactivate_account")
    again = call("POST", "account", {**json.loads(nothing.body), "Id": account["Id"]})
    assert shape(again.json) == shape(nothing.answer)
    # What changes nothing leaves the version as it is.
    assert off["Name"] == again.json["Account"]["Name"] == nothing.answer["Account"]["Name"]
    assert again.json["Account"]["SyncToken"] == off["SyncToken"] == nothing.answer["Account"]["SyncToken"]

    read, whole = recorded("update_sales_receipt")
    body = json.loads(whole.body)
    body["Line"][0]["SalesItemLineDetail"]["ItemRef"] = {"value": "1"}
    receipt = call.make("SalesReceipt", {"Line": body["Line"]})
    assert shape(receipt) == shape(read.answer["SalesReceipt"])
    reply = call("POST", "salesreceipt?minorversion=4", {**body, "Id": receipt["Id"], "SyncToken": "0"})
    assert shape(reply.json) == shape(whole.answer)
    assert reply.json["SalesReceipt"]["DocNumber"] == receipt["DocNumber"]


def test_batch_answers_as_recorded(call: Caller) -> None:
    [exchange] = recorded("batch_basic")
    line = {"Description": "Custom Design", "Amount": 337.5, "DetailType": "SalesItemLineDetail"}
    line["SalesItemLineDetail"] = {"ItemRef": {"value": "1"}, "UnitPrice": 75, "Qty": 4.5}
    receipts = [call.make("SalesReceipt", {"Line": [line]}) for _ in range(2)]
    call.make("SalesReceipt", {**receipts[0], "sparse": True, "PrivateNote": "first"})
    body = json.loads(exchange.body)
    body["BatchItemRequest"][2]["SalesReceipt"]["Id"] = receipts[0]["Id"]
    reply = call("POST", "batch", body)
    vendor, gone, stale, found = reply.json["BatchItemResponse"]
    expected = exchange.answer["BatchItemResponse"]
    assert shape(vendor) == shape(expected[0])
    assert gone == expected[1]
    assert stale["Fault"]["Error"][0]["code"] == "5010"
    assert shape(stale) == shape(expected[2])
    assert stale["bId"] == "bid3"
    assert set(found) == set(expected[3])
    assert shape(found["QueryResponse"]["SalesReceipt"][0]) == shape(receipts[1])
    assert found["QueryResponse"]["maxResults"] == 2


def test_lists_answer_as_recorded(call: Caller) -> None:
    count, page, *_ = recorded("all_vendors_by_5")
    reply = call(count.method, count.path)
    assert shape(reply.json) == shape(count.answer)
    assert reply.json["QueryResponse"]["totalCount"] == 2
    reply = call(page.method, page.path)
    answer, expected = reply.json["QueryResponse"], page.answer["QueryResponse"]
    assert answer["startPosition"] == expected["startPosition"]
    assert shape(answer["Vendor"][0]) == shape(expected["Vendor"][0])
    assert call.query("select * from Bill").json["QueryResponse"] == {}


def test_change_data_answers_as_recorded(call: Caller) -> None:
    [exchange] = recorded("cdc_basic")
    call.make("Estimate", invoice())
    reply = call("GET", exchange.path)
    [wrapped] = reply.json["CDCResponse"]
    [answer] = wrapped["QueryResponse"]
    expected = exchange.answer["CDCResponse"][0]["QueryResponse"][0]
    assert set(answer) == set(expected)
    known = set(expected["Estimate"][0]) | {"LinkedTxn"}
    assert set(answer["Estimate"][0]) <= known


def test_attachments_answer_as_recorded(fake: FakeQuickBooks, call: Caller) -> None:
    [exchange] = recorded("attachment_create_for_invoice")
    kind = "multipart/form-data; boundary=-----------RubyMultipartPost-9c1abaa2ebc0a964ff482b00f4711e31"
    made = call.make("Invoice", invoice())
    content = exchange.body.replace('"value":"75"', f'"value":"{made["Id"]}"').encode()
    reply = call("POST", "upload", content, kind=kind)
    assert shape(reply.json) == shape(exchange.answer)
    attached = reply.json["AttachableResponse"][0]["Attachable"]
    assert attached["AttachableRef"][0]["EntityRef"] == {"type": "Invoice", "value": made["Id"]}
    assert len(fake.checksum(attached["Id"])) == 64
    [read] = recorded("attachment_read_attachment")
    assert shape(call("GET", f"attachable/{attached['Id']}").json) == shape(read.answer)
    [removed] = recorded("attachment_delete_attachment")
    reply = call("POST", "attachable?operation=delete", {"Id": attached["Id"]})
    assert reply.json["Attachable"] == {**removed.answer["Attachable"], "Id": attached["Id"]}
    [refused] = recorded("attachment_error_estimate")
    kind = "multipart/form-data; boundary=-----------RubyMultipartPost-d3ad65a17827740101595c352237da99"
    reply = call("POST", "upload", refused.body.encode(), kind=kind)
    assert reply.json["AttachableResponse"] == refused.answer["AttachableResponse"]


def test_refusals_are_as_recorded(call: Caller) -> None:
    [taken] = recorded("error_validation")
    call.make("Customer", {"DisplayName": "Weiskopf Consulting"})
    reply = call("POST", "vendor", json.loads(taken.body))
    assert (reply.status, reply.json["Fault"]) == (400, taken.answer["Fault"])

    [unknown] = recorded("error_400_json")
    reply = call("POST", "invoice", json.loads(unknown.body))
    mine, theirs = reply.json["Fault"]["Error"][0], unknown.answer["Fault"]["Error"][0]
    assert {**mine, "Detail": ""} == {**theirs, "Detail": ""}
    assert mine["Detail"].split("(83 known")[0][:100] == theirs["Detail"][:100]

    nowhere, odd = recorded("error_500")
    reply = call("GET", nowhere.path)
    assert {**reply.json["Fault"]["Error"][0], "Detail": ""} == {**nowhere.answer["Fault"]["Error"][0], "Detail": ""}
    assert call("GET", odd.path).json["Fault"] == odd.answer["Fault"]

    [signed_out] = recorded("error_401")
    call.token = "gone"
    reply = call("GET", signed_out.path)
    assert (reply.status, shape(reply.json)) == (401, shape(signed_out.answer))
    assert reply.json["fault"] == signed_out.answer["fault"]
    assert reply.headers["www-authenticate"] == 'Bearer realm="Intuit", error="invalid_token"'


def test_xml_is_valid_against_the_schema(fake: FakeQuickBooks, call: Caller) -> None:
    """XML is what comes without an Accept header for JSON; every entity's form is the schema's."""
    made = call.make("Invoice", invoice(DocNumber="X1", CustomerMemo={"value": "Thanks"}))
    call.make("Bill", bill())
    link = {"Amount": 40, "LinkedTxn": [{"TxnId": made["Id"], "TxnType": "Invoice"}]}
    call.make("Payment", {"CustomerRef": {"value": "1"}, "TotalAmt": 50, "Line": [link]})
    time = {"NameOf": "Employee", "EmployeeRef": {"value": "55"}, "Hours": 1, "Minutes": 30}
    call.make("TimeActivity", time)
    schema = _schema()
    names = (
        "Invoice Bill Payment TimeActivity Customer Vendor Employee Item Account TaxCode TaxRate Term Class Department"
    )
    for name in [*names.split(), "CompanyInfo", "Preferences", "TaxAgency"]:
        reply = call("GET", f"query?query=select%20*%20from%20{name}", accept="*/*")
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("application/xml")
        document = etree.fromstring(reply.body)
        assert document.find(f".//{{*}}{name}") is not None
        for field in document.findall(".//{*}CustomField"):
            # The recorded exchanges show a field without a value, which the schema does not allow.
            field.getparent().remove(field)  # type: ignore[union-attr]  # it has one
        schema.assertValid(document)
    refused = call("GET", "invoice/999", accept="application/xml")
    schema.assertValid(etree.fromstring(refused.body))
    document = etree.fromstring(call("GET", f"invoice/{made['Id']}", accept="application/xml").body)
    assert document.find("{*}Invoice").get("sparse") == "false"  # type: ignore[union-attr]
    customer = document.find("{*}Invoice/{*}CustomerRef")
    assert customer is not None
    assert (customer.get("name"), customer.text) == ("Amy's Bird Sanctuary", "1")
    # And back: an XML request with the form of an XML answer.
    answer = etree.fromstring(call("GET", f"invoice/{made['Id']}", accept="application/xml").body)
    one = answer.find("{*}Invoice")
    assert one is not None
    one.find("{*}SyncToken").text = "1"  # type: ignore[union-attr]  # the payment made it so
    one.find("{*}DocNumber").text = "X2"  # type: ignore[union-attr]
    reply = call("POST", "invoice", etree.tostring(one), kind="application/xml")
    assert reply.json["Invoice"]["DocNumber"] == "X2"
    assert reply.json["Invoice"]["Balance"] == 60


def _schema() -> Any:
    includes = "".join(
        f'<xs:include schemaLocation="{(SPECS / name).as_uri()}"/>'
        for name in ("Finance.xsd", "SalesTax.xsd", "IntuitRestServiceDef.xsd")
    )
    space = "http://schema.intuit.com/finance/v3"
    head = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{space}">'
    return etree.XMLSchema(etree.fromstring(f"{head}{includes}</xs:schema>"))
