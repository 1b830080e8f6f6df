"""What the stand-in for QuickBooks Online refuses, computes and keeps."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.quickbooks_online.seed import add_project
from tests.fakes.quickbooks_online.server import FakeQuickBooks
from tests.systems.quickbooks_online.fake_calls import Caller, bill, invoice

START = datetime(2026, 3, 31, 12, tzinfo=UTC)


class Clock:
    """The time of the service."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> Iterator[FakeQuickBooks]:
    with FakeQuickBooks(now=clock) as running:
        running.limits.on = False
        yield running


@pytest.fixture
def call(fake: FakeQuickBooks) -> Caller:
    return Caller(fake.url, fake.realm, fake.token())


@pytest.mark.parametrize(
    ("entity", "body", "code"),
    [
        ("invoice", invoice(Colour="red"), "2010"),
        ("invoice", {"Invoice": invoice()}, "2010"),
        ("invoice", invoice(detail={"Colour": "red"}), "2010"),
        ("invoice", invoice(DocNumber="1" * 22), "2050"),
        ("invoice", invoice(CustomerMemo={"value": "x" * 1001}), "2050"),
        ("invoice", invoice(TxnDate="31/03/2026"), "2010"),
        ("invoice", invoice(EmailStatus="Perhaps"), "2170"),
        ("invoice", invoice("ten"), "2080"),
        ("invoice", invoice(10.005), "6000"),
        ("invoice", invoice(20.01, detail={"UnitPrice": 10, "Qty": 2}), "6070"),
        ("invoice", {"CustomerRef": {"value": "1"}}, "2020"),
        ("invoice", {"Line": invoice()["Line"]}, "2020"),
        ("invoice", invoice(customer="999"), "2500"),
        ("invoice", invoice(detail={"ItemRef": {"value": "77"}}), "2500"),
        ("invoice", invoice(detail={"TaxCodeRef": {"value": "9"}}), "2500"),
        ("invoice", invoice(ProjectRef={"value": "1"}), "2500"),
        ("invoice", invoice(CurrencyRef={"value": "EUR"}), "6000"),
        ("bill", bill(detail={"AccountRef": {"value": "84"}}), "2500"),
        ("customer", {"DisplayName": "a:b"}, "6000"),
        ("customer", {"Notes": "who?"}, "2020"),
        ("customer", {"DisplayName": "x", "PrimaryPhone": {"FreeFormNumber": "1" * 22}}, "2050"),
        ("item", {"Name": "Bolt", "Type": "Inventory", "IncomeAccountRef": {"value": "1"}}, "2020"),
        ("taxcode", {"Name": "New"}, "500"),
        ("payment", {"CustomerRef": {"value": "1"}}, "6000"),
        ("timeactivity", {"NameOf": "Employee", "Hours": 1}, "2020"),
        ("timeactivity", {"NameOf": "Employee", "EmployeeRef": {"value": "55"}, "Hours": 1, "Minutes": 75}, "6000"),
        ("nonsense", {}, "500"),
    ],
)
def test_refuses_what_the_specification_does_not_know(call: Caller, entity: str, body: Any, code: str) -> None:
    reply = call("POST", entity, body)
    assert (reply.status, reply.code) == (400, code)


def test_broken_json_and_other_content_are_refused(call: Caller) -> None:
    assert call("POST", "invoice", b'{"Line": [').code == "500"
    assert call("POST", "invoice", b"a=b", kind="application/x-www-form-urlencoded").code == "500"


def test_names_are_unique_over_all_people_and_freed_when_retired(call: Caller) -> None:
    made = call.make("Customer", {"DisplayName": "Acme"})
    for entity in ("customer", "vendor", "employee"):
        assert call("POST", entity, {"DisplayName": "acme"}).code == "6240"
    off = call.make("Customer", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    assert off["DisplayName"] == "Acme (deleted)"
    call.make("Vendor", {"DisplayName": "Acme"})
    reply = call("POST", "invoice", invoice(customer=made["Id"]))
    assert reply.code == "610"
    assert "made inactive" in reply.json["Fault"]["Error"][0]["Detail"]


def test_document_numbers_are_unique_where_the_company_wants_it(fake: FakeQuickBooks, call: Caller) -> None:
    made = call.make("Invoice", invoice(DocNumber="A-1"))
    reply = call("POST", "invoice", invoice(DocNumber="A-1"))
    assert reply.code == "6140"
    detail = reply.json["Fault"]["Error"][0]["Detail"]
    assert f"DocNumber=A-1 is assigned to TxnType=Invoice with TxnId={made['Id']}" in detail
    call.make("Invoice", invoice(DocNumber="A-1"), "?include=allowduplicatedocnum")
    assert fake.repeats() == {("Invoice", "A-1"): 2}
    call.make("Bill", bill(DocNumber="A-1"))
    call.make("Bill", bill(DocNumber="A-1", vendor="46"))
    assert call("POST", "bill", bill(DocNumber="A-1")).code == "6140"
    assert "DocNumber" not in call.make("Invoice", invoice())
    assert call.make("Invoice", invoice(DocNumber="AUTO_GENERATE"))["DocNumber"].isdigit()
    fake.set(custom_numbers=False)
    first, second = (int(call.make("Invoice", invoice())["DocNumber"]) for _ in range(2))
    assert second == first + 1


def test_sparse_updates_keep_and_whole_updates_clear(call: Caller) -> None:
    made = call.make("Invoice", invoice(DocNumber="U1", PrivateNote="mine", CustomerMemo={"value": "hello"}))
    key = {"Id": made["Id"], "SyncToken": "0"}
    sparse = call.make("Invoice", {**key, "sparse": True, "PrivateNote": "yours"})
    assert (sparse["CustomerMemo"], sparse["PrivateNote"]) == ({"value": "hello"}, "yours")
    assert (sparse["SyncToken"], sparse["TotalAmt"]) == ("1", 100)
    assert call("POST", "invoice", {**key, "sparse": True, "PrivateNote": "late"}).code == "5010"
    whole = call.make("Invoice", {**key, **invoice(30), "SyncToken": "1"})
    assert "CustomerMemo" not in whole
    assert (whole["DocNumber"], whole["TotalAmt"], whole["Balance"]) == ("U1", 30, 30)
    assert call("POST", "invoice", {**invoice(), "Id": made["Id"]}).code == "2020"
    assert call("POST", "invoice?operation=delete", {**key, "SyncToken": "2"}).status == 200
    reply = call("GET", f"invoice/{made['Id']}")
    assert (reply.code, "deleted" in reply.json["Fault"]["Error"][0]["Detail"]) == ("610", True)


def test_closed_period_and_ended_subscription(fake: FakeQuickBooks, call: Caller) -> None:
    made = call.make("Invoice", invoice(TxnDate="2026-02-10"))
    fake.set(closing_date="2026-02-28")
    assert call("POST", "invoice", invoice(TxnDate="2026-02-28")).code == "6210"
    move = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "TxnDate": "2026-03-02"}
    assert call("POST", "invoice", move).code == "6210"
    assert call("POST", "invoice?operation=delete", {"Id": made["Id"], "SyncToken": "0"}).code == "6210"
    prefs = call("GET", "preferences").json["Preferences"]
    assert prefs["AccountingInfoPrefs"]["BookCloseDate"] == "2026-02-28"
    call.make("Invoice", invoice(TxnDate="2026-03-01"))
    fake.set(subscription_ended=True)
    assert call("POST", "customer", {"DisplayName": "New"}).code == "6190"
    assert call("GET", "customer/1").status == 200


def test_us_sales_tax_by_address_or_as_given(fake: FakeQuickBooks, call: Caller) -> None:
    taxed = {"detail": {"TaxCodeRef": {"value": "TAX"}}}
    made = call.make("Invoice", invoice(Decimal("325.75"), **taxed))
    assert made["TxnTaxDetail"] == {
        "TxnTaxCodeRef": {"value": "2"},
        "TotalTax": Decimal("26.06"),
        "TaxLine": [
            {
                "Amount": Decimal("26.06"),
                "DetailType": "TaxLineDetail",
                "TaxLineDetail": {
                    "TaxRateRef": {"value": "3"},
                    "PercentBased": True,
                    "TaxPercent": 8,
                    "NetAmountTaxable": Decimal("325.75"),
                },
            }
        ],
    }
    assert made["TotalAmt"] == Decimal("351.81")
    given = call.make("Invoice", invoice(100, TxnTaxDetail={"TotalTax": 7.77}, **taxed))
    assert (given["TxnTaxDetail"]["TotalTax"], given["TotalAmt"]) == (Decimal("7.77"), Decimal("107.77"))
    own = {"TotalTax": 7.77, "UseAutomatedSalesTax": True}
    assert call.make("Invoice", invoice(100, TxnTaxDetail=own, **taxed))["TotalAmt"] == 108
    away = {"ShipAddr": {"Line1": "25 Court St.", "CountrySubDivisionCode": "AZ"}}
    assert call.make("Invoice", invoice(100, **away, **taxed))["TotalAmt"] == Decimal("109.10")
    fake.set(tax_skew="0.01")
    assert call.make("Invoice", invoice(100, **taxed))["TotalAmt"] == Decimal("108.01")
    ledger = fake.ledger()
    assert ledger["Sales Tax Payable"] == -(Decimal("26.06") + Decimal("7.77") + 8 + Decimal("9.10") + Decimal("8.01"))
    assert sum(ledger.values()) == 0


def test_tax_outside_the_us(clock: Clock) -> None:
    with FakeQuickBooks(country="AU", now=clock) as fake:
        fake.limits.on = False
        call = Caller(fake.url, fake.realm, fake.token())
        reply = call("POST", "invoice", invoice())
        assert reply.code == "6000"
        assert "GST rate before you save" in reply.json["Fault"]["Error"][0]["Detail"]
        gst = {"TaxCodeRef": {"value": "10"}}
        made = call.make("Invoice", invoice(Decimal("99.95"), detail=gst))
        assert (made["TxnTaxDetail"]["TotalTax"], made["TotalAmt"]) == (10, Decimal("109.95"))
        # As a company in Sydney shows it: 450 with tax is 409.09 and 40.91.
        detail = {**gst, "TaxInclusiveAmt": 450, "Qty": 450, "UnitPrice": 1}
        made = call.make("Invoice", invoice(Decimal("409.09"), detail=detail, GlobalTaxCalculation="TaxInclusive"))
        line = made["Line"][0]
        assert (line["Amount"], line["SalesItemLineDetail"]["UnitPrice"]) == (Decimal("409.09"), Decimal("0.9090889"))
        assert (made["TxnTaxDetail"]["TotalTax"], made["TotalAmt"]) == (Decimal("40.91"), 450)
        made = call.make("Invoice", invoice(50, GlobalTaxCalculation="NotApplicable"))
        assert made["TotalAmt"] == 50
        made = call.make("Bill", bill(200, detail=gst))
        assert (made["TxnTaxDetail"]["TotalTax"], made["Balance"]) == (20, 220)
        # Four lines of 0.15 at 10 %: on the whole 0.06, line by line 0.08.
        lines = invoice(Decimal("0.15"), detail=gst)["Line"] * 4
        assert call.make("Invoice", {**invoice(), "Line": lines})["TotalAmt"] == Decimal("0.66")
        fake.set(rounding="line")
        assert call.make("Invoice", {**invoice(), "Line": lines})["TotalAmt"] == Decimal("0.68")
        assert sum(fake.ledger().values()) == 0


def test_currency(fake: FakeQuickBooks, call: Caller) -> None:
    fake.set(multi_currency=True)
    call.make("CompanyCurrency", {"Code": "EUR"})
    call.make("ExchangeRate", {"SourceCurrencyCode": "EUR", "Rate": 1.25, "AsOfDate": "2026-01-01"})
    reply = call("GET", "exchangerate?sourcecurrencycode=EUR&asofdate=2026-02-01")
    assert reply.json["ExchangeRate"]["Rate"] == Decimal("1.25")
    who = call.make("Customer", {"DisplayName": "Euro GmbH", "CurrencyRef": {"value": "EUR"}})["Id"]
    made = call.make("Invoice", invoice(100, who))
    assert (made["ExchangeRate"], made["HomeTotalAmt"], made["TotalAmt"]) == (Decimal("1.25"), 125, 100)
    assert call.make("Invoice", invoice(100, who, ExchangeRate=1.1))["HomeTotalAmt"] == 110
    assert call("POST", "invoice", invoice(100, who, CurrencyRef={"value": "USD"})).code == "6000"
    assert fake.ledger() == {"Accounts Receivable (A/R)": 235, "Services": -235}


def test_payments_settle_and_let_go(fake: FakeQuickBooks, call: Caller) -> None:
    made = call.make("Invoice", invoice(100))
    link = {"Amount": 60, "LinkedTxn": [{"TxnId": made["Id"], "TxnType": "Invoice"}]}
    body = {"CustomerRef": {"value": "1"}, "TotalAmt": 80, "Line": [link]}
    paid = call.make("Payment", body)
    assert paid["UnappliedAmt"] == 20
    after = call("GET", f"invoice/{made['Id']}").json["Invoice"]
    assert (after["Balance"], after["SyncToken"]) == (40, "1")
    assert after["LinkedTxn"] == [{"TxnId": paid["Id"], "TxnType": "Payment"}]
    assert call("GET", "customer/1").json["Customer"]["Balance"] == 20
    assert call("POST", "payment", body).code == "6000"
    assert call("POST", "invoice?operation=void", {"Id": made["Id"], "SyncToken": "1"}).code == "6000"
    key = {"Id": paid["Id"], "SyncToken": "0"}
    assert call("POST", "payment?operation=void", key).code == "500"
    assert call("POST", "payment", {**key, **body, "TotalAmt": 10}).code == "6000"
    assert call("GET", f"invoice/{made['Id']}").json["Invoice"]["Balance"] == 40
    void = call("POST", "payment?operation=update&include=void", {**key, "sparse": True}).json["Payment"]
    assert (void["TotalAmt"], void["PrivateNote"]) == (0, "Voided")
    assert call("GET", f"invoice/{made['Id']}").json["Invoice"]["Balance"] == 100
    assert call("GET", "customer/1").json["Customer"]["Balance"] == 100
    owed = call.make("Bill", bill(75))
    check = {"PayType": "Check", "CheckPayment": {"BankAccountRef": {"value": "35"}}, "TotalAmt": 75}
    link = {"Amount": 75, "LinkedTxn": [{"TxnId": owed["Id"], "TxnType": "Bill"}]}
    call.make("BillPayment", {"VendorRef": {"value": "56"}, **check, "Line": [link]})
    after = call("GET", f"bill/{owed['Id']}").json["Bill"]
    assert (after["Balance"], after["LinkedTxn"][0]["TxnType"]) == (0, "BillPaymentCheck")
    assert call("GET", "vendor/56").json["Vendor"]["Balance"] == 0
    expected = {"Accounts Receivable (A/R)": 100, "Services": -100, "Advertising": 75, "Checking": -75}
    assert fake.ledger() == expected
    # Bills, credits and time have no void; only what the maker lists has.
    assert call("POST", "bill?operation=void", {"Id": owed["Id"], "SyncToken": "1"}).code == "500"


def test_credit_is_applied_by_a_payment_of_nothing(fake: FakeQuickBooks, call: Caller) -> None:
    made, credit = call.make("Invoice", invoice(100)), call.make("CreditMemo", invoice(30))
    assert (credit["RemainingCredit"], call("GET", "customer/1").json["Customer"]["Balance"]) == (30, 70)
    lines = [
        {"Amount": 30, "LinkedTxn": [{"TxnId": found["Id"], "TxnType": kind}]}
        for found, kind in ((made, "Invoice"), (credit, "CreditMemo"))
    ]
    call.make("Payment", {"CustomerRef": {"value": "1"}, "TotalAmt": 0, "Line": lines})
    assert call("GET", f"creditmemo/{credit['Id']}").json["CreditMemo"]["RemainingCredit"] == 0
    assert call("GET", f"invoice/{made['Id']}").json["Invoice"]["Balance"] == 70
    assert call("GET", "customer/1").json["Customer"]["Balance"] == 70
    change = {**invoice(20), "Id": made["Id"], "SyncToken": "1"}
    assert call("POST", "invoice", change).code == "6000"
    assert call.make("Invoice", {**change, **invoice(50)})["Balance"] == 20
    assert fake.ledger() == {"Accounts Receivable (A/R)": 20, "Services": -20}


def test_jobs_and_projects(fake: FakeQuickBooks, call: Caller) -> None:
    job = call.make("Customer", {"DisplayName": "Kitchen", "Job": True, "ParentRef": {"value": "1"}})
    assert job["FullyQualifiedName"] == "Amy's Bird Sanctuary:Kitchen"
    call.make("Invoice", invoice(100, job["Id"]))
    above = call("GET", "customer/1").json["Customer"]
    assert (above["Balance"], above["BalanceWithJobs"]) == (0, 100)
    assert "IsProject" not in call.make("Customer", {"DisplayName": "No project", "IsProject": True})
    with fake.service.lock:
        project = add_project(fake.company, "1", "Aviary")
    made = call.make("Invoice", invoice(ProjectRef={"value": project["Id"]}))
    assert made["ProjectRef"]["name"] == "Amy's Bird Sanctuary:Aviary"


def test_tax_codes_are_made_by_the_tax_service(call: Caller) -> None:
    rate = {"TaxRateName": "County", "RateValue": 2.5, "TaxAgencyId": "1", "TaxApplicableOn": "Sales"}
    made = call("POST", "taxservice/taxcode", {"TaxCode": "County", "TaxRateDetails": [rate]}).json
    found = call("GET", f"taxcode/{made['TaxCodeId']}").json["TaxCode"]
    [detail] = found["SalesTaxRateList"]["TaxRateDetail"]
    assert detail["TaxRateRef"]["value"] == made["TaxRateDetails"][0]["TaxRateId"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("select * from Invoice where TotalAmt > '1' or Balance > '1'", "4000"),
        ("select * from Invoice, Bill", "4000"),
        ("select * from Invoice join Customer", "4000"),
        ("select * from Invoice where", "4000"),
        ("select * from Customer where DisplayName = 'O''Neil'", "4000"),
        ("delete from Invoice", "4000"),
        ("select * from Nonsense", "4001"),
        ("select * from Invoice where Colour = 'red'", "4001"),
        ("select * from Invoice where PrivateNote = 'x'", "4001"),
        ("select * from Invoice where Line.Amount = '1'", "4001"),
        ("select * from Invoice where DepartmentRef = '1'", "4001"),
        ("select * from Invoice startposition 0", "4001"),
        ("select * from Invoice maxresults 1001", "4001"),
    ],
)
def test_query_language_has_its_bounds(call: Caller, text: str, code: str) -> None:
    reply = call.query(text)
    assert (reply.status, reply.code) == (400, code)


def test_queries(call: Caller) -> None:
    for number, amount in enumerate((10, 20, 30, 40), 1):
        call.make("Invoice", invoice(amount, DocNumber=f"Q{number}", TxnDate=f"2026-03-0{number}"))
    call.make("Customer", {"DisplayName": "O'Neil (100 %)"})

    def numbers(rest: str) -> list[str]:
        return [
            found["DocNumber"] for found in call.query(f"select * from Invoice {rest}").json["QueryResponse"]["Invoice"]
        ]

    assert numbers("") == ["Q4", "Q3", "Q2", "Q1"]
    assert numbers("where DocNumber in ('Q1', 'Q3') orderby DocNumber") == ["Q1", "Q3"]
    assert numbers("WHERE TotalAmt >= '20' AND TotalAmt < '40' ORDERBY TotalAmt DESC") == ["Q3", "Q2"]
    assert numbers("orderby TxnDate startposition 2 maxresults 2") == ["Q2", "Q3"]
    assert numbers("where DocNumber like '%3' and CustomerRef = '1'") == ["Q3"]
    assert call.query("select count(*) from Invoice where Balance > '15'").json["QueryResponse"] == {"totalCount": 3}
    found = call.query("select * from Customer where DisplayName = 'O\\'Neil (100 %)'").json["QueryResponse"]
    assert found["maxResults"] == 1
    row = call.query("select DisplayName from Customer where Id = '1'").json["QueryResponse"]["Customer"][0]
    assert row == {"domain": "QBO", "sparse": True, "Id": "1", "DisplayName": "Amy's Bird Sanctuary"}
    since = (START - timedelta(seconds=1)).isoformat()
    assert call.query(f"select * from Bill where MetaData.LastUpdatedTime > '{since}'").json["QueryResponse"] == {}


def test_inactive_records_are_only_found_when_asked_for(call: Caller) -> None:
    made = call.make("Class", {"Name": "Old"})
    call.make("Class", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    assert call.query("select * from Class").json["QueryResponse"]["maxResults"] == 2
    assert call.query("select * from Class where Active in (true, false)").json["QueryResponse"]["maxResults"] == 3


def test_change_data(clock: Clock, call: Caller) -> None:
    kept, gone = (call.make("Invoice", invoice()) for _ in range(2))
    clock.at += timedelta(days=1)
    since = clock.at.isoformat().replace("+00:00", "Z")
    call.make("Invoice", {"Id": kept["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "new"})
    call("POST", "invoice?operation=delete", {"Id": gone["Id"], "SyncToken": "0"})
    answers = call("GET", f"cdc?entities=Invoice,Bill&changedSince={since}").json["CDCResponse"][0]["QueryResponse"]
    by_id = {found["Id"]: found for found in answers[0]["Invoice"]}
    assert by_id[gone["Id"]]["status"] == "Deleted"
    assert set(by_id[gone["Id"]]) == {"domain", "status", "Id", "MetaData"}
    assert (by_id[kept["Id"]]["PrivateNote"], answers[1]) == ("new", {})
    clock.at += timedelta(days=40)
    answers = call("GET", f"cdc?entities=Invoice&changedSince={since}").json["CDCResponse"][0]["QueryResponse"]
    assert answers == [{}]
    assert call("GET", "cdc?entities=Nonsense&changedSince=2026-01-01").code == "4001"


def test_attachment_comes_back_as_it_went(fake: FakeQuickBooks, call: Caller) -> None:
    content = bytes(range(256)) + b"\r\n--not the boundary\r\n"
    about = b'{"AttachableRef":[{"EntityRef":{"type":"Vendor","value":"56"}}],"FileName":"a.bin"}'
    form = b"Content-Disposition: form-data; name="
    body = b'--xyz\r\n%s"file_metadata_01"\r\nContent-Type: application/json\r\n\r\n%s' % (form, about)
    body += b'\r\n--xyz\r\n%s"file_content_01"; filename="a.bin"\r\n\r\n%s\r\n--xyz--\r\n' % (form, content)
    reply = call("POST", "upload", body, kind="multipart/form-data; boundary=xyz")
    made = reply.json["AttachableResponse"][0]["Attachable"]
    assert made["Size"] == len(content)
    assert fake.checksum(made["Id"]) == hashlib.sha256(content).hexdigest()
    address = call("GET", f"download/{made['Id']}").body.decode()
    assert address == made["TempDownloadUri"]
    call.connection.request("GET", address.removeprefix(fake.url))
    assert call.connection.getresponse().read() == content
    asked = "AttachableRef.EntityRef.Type = 'Vendor' and AttachableRef.EntityRef.value = '56'"
    assert call.query(f"select * from Attachable where {asked}").json["QueryResponse"]["maxResults"] == 1
