"""What an e-invoice means: whose it is, which kind, which amounts."""

from decimal import Decimal
from pathlib import Path

import pytest

from connector_service.domain.kinds import Kind
from connector_service.domain.problems import NeedsUser, SettingsFault
from tests.systems.folder.drop import THEM, US, Drop, one, refused, ubl


def test_seller_is_us_gives_sales_buyer_is_us_gives_vendor(drop: Drop) -> None:
    drop.put("a.xml", ubl("S-1", seller=US, buyer=THEM))
    drop.put("b.xml", ubl("V-1"))
    sales, bill = drop.run()
    assert (sales.kind, sales.key) == (Kind.SALES_INVOICE, f"{US}/S-1")
    assert (bill.kind, bill.key) == (Kind.VENDOR_BILL, f"{THEM}/V-1")


@pytest.mark.parametrize(
    ("party_id", "kind"),
    [
        ("nl 1234.56789.b01", Kind.VENDOR_BILL),
        (f"XX0, {THEM}", Kind.SALES_INVOICE),
        (f"9944:{US}", Kind.VENDOR_BILL),
        (f"NL:VAT:{US}", Kind.VENDOR_BILL),
    ],
)
def test_party_id_is_compared_without_its_spelling(drop: Drop, party_id: str, kind: Kind) -> None:
    drop.put("a.xml", ubl())
    assert one(drop.run(drop.open(party_id=party_id))).kind is kind


ENDPOINT = '<cac:Party><cbc:EndpointID schemeID="{}">{}</cbc:EndpointID>'


@pytest.mark.parametrize(
    ("party_id", "fits"),
    [("0106:12345678", True), ("12345678", True), ("KVK:12345678", True), ("0190:12345678", False), ("1234567", False)],
)
def test_endpoint_is_matched_with_its_scheme(drop: Drop, party_id: str, fits: bool) -> None:
    buyer, seller = ENDPOINT.format("0106", "12345678"), ENDPOINT.format("0088", "98765432")
    invoice = ubl().replace("<cac:Party>", seller, 1)
    head, tail = invoice.split("<cac:AccountingCustomerParty>")
    drop.put("a.xml", f"{head}<cac:AccountingCustomerParty>{tail.replace('<cac:Party>', buyer, 1)}")
    record = one(drop.run(drop.open(party_id=party_id)))
    assert (record.kind is Kind.VENDOR_BILL and hasattr(record, "total")) is fits


def test_neither_side_is_us_names_both_and_the_setting(drop: Drop) -> None:
    drop.put("a.xml", ubl(buyer="BE0123456789"))
    record = refused(drop.run())
    assert THEM in record.reason
    assert "BE0123456789" in record.reason
    assert "party_id" in record.fix


def test_both_sides_are_us_is_refused(drop: Drop) -> None:
    drop.put("a.xml", ubl(seller=US))
    assert "Both sides" in refused(drop.run()).reason


def test_without_party_id_nothing_is_guessed(drop: Drop) -> None:
    drop.put("a.xml", ubl())
    source = drop.open(party_id="")
    with pytest.raises(NeedsUser, match="party_id"):
        source.check()
    assert "party_id" in refused(drop.run(source)).fix


@pytest.mark.parametrize("party_id", [":", "NL1, --"])
def test_party_id_without_letters_or_digits_is_a_settings_fault(drop: Drop, party_id: str) -> None:
    with pytest.raises(SettingsFault, match="party_id"):
        drop.open(party_id=party_id)


def test_negative_invoice_becomes_a_credit_with_positive_amounts(drop: Drop) -> None:
    drop.put(
        "a.xml", ubl(net="-100.00", tax="-21.00", total="-121.00").replace(">1</cbc:Invoiced", ">-1</cbc:Invoiced")
    )
    credit = one(drop.run())
    assert credit.kind is Kind.VENDOR_CREDIT
    assert (credit.total, credit.tax_total) == (Decimal("121.00"), Decimal("21.00"))
    assert (credit.lines[0].amount, credit.lines[0].quantity) == (Decimal("100.00"), Decimal(1))
    assert credit.lines[0].unit_price == Decimal("100.00")


@pytest.mark.parametrize(
    ("invoice", "why"),
    [
        (ubl(form="CreditNote", code="381", net="-100.00", tax="-21.00", total="-121.00"), "negative total"),
        (ubl(code="325"), "pro forma"),
    ],
)
def test_what_cannot_be_meant_for_the_books_is_refused(drop: Drop, invoice: str, why: str) -> None:
    drop.put("a.xml", invoice)
    assert why in refused(drop.run()).reason


@pytest.mark.parametrize(
    ("form", "code", "kind"),
    [
        ("Invoice", "386", Kind.VENDOR_BILL),
        ("Invoice", "326", Kind.VENDOR_BILL),
        ("Invoice", "384", Kind.VENDOR_BILL),
        ("Invoice", "381", Kind.VENDOR_CREDIT),
        ("CreditNote", "381", Kind.VENDOR_CREDIT),
        ("CreditNote", "", Kind.VENDOR_CREDIT),
        ("SelfBilledInvoice", "389", Kind.VENDOR_BILL),
        ("SelfBilledCreditNote", "261", Kind.VENDOR_CREDIT),
    ],
)
def test_type_gives_the_kind(drop: Drop, form: str, code: str, kind: Kind) -> None:
    drop.put("a.xml", ubl(form=form, code=code))
    assert one(drop.run()).kind is kind


def charge(amount: str, is_charge: bool, rate: str, reason: str = "Insurance") -> str:
    flag = "true" if is_charge else "false"
    return (
        f"<cac:AllowanceCharge><cbc:ChargeIndicator>{flag}</cbc:ChargeIndicator>"
        f"<cbc:AllowanceChargeReason>{reason}</cbc:AllowanceChargeReason>"
        f'<cbc:Amount currencyID="EUR">{amount}</cbc:Amount><cac:TaxCategory><cbc:ID>S</cbc:ID>'
        f"<cbc:Percent>{rate}</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory>"
        "</cac:AllowanceCharge>"
    )


def test_allowances_and_charges_of_one_tax_code_are_discount_and_freight(drop: Drop) -> None:
    charges = charge("10.00", False, "21.0") + charge("5.00", False, "21") + charge("25.00", True, "9")
    drop.put("a.xml", ubl(before_totals=charges, tax="20.10", total="130.10"))
    bill = one(drop.run())
    assert (bill.discount, bill.discount_tax_code) == (Decimal("15.00"), "S/21")
    assert (bill.freight, bill.freight_tax_code) == (Decimal("25.00"), "S/9")
    assert bill.computed_total() == bill.total


def test_charges_of_several_tax_codes_become_lines(drop: Drop) -> None:
    charges = charge("10.00", False, "21") + charge("5.00", False, "9", "Loyalty")
    drop.put("a.xml", ubl(before_totals=charges, tax="18.45", total="103.45"))
    bill = one(drop.run())
    assert bill.discount == 0
    assert [(line.amount, line.tax_code, line.description) for line in bill.lines[1:]] == [
        (Decimal("-10.00"), "S/21", "Insurance"),
        (Decimal("-5.00"), "S/9", "Loyalty"),
    ]
    assert bill.computed_total() == bill.total


def test_prepayment_does_not_lower_the_total_and_rounding_is_part_of_it(drop: Drop) -> None:
    totals = (
        '<cbc:PrepaidAmount currencyID="EUR">100.00</cbc:PrepaidAmount>'
        '<cbc:PayableRoundingAmount currencyID="EUR">-0.02</cbc:PayableRoundingAmount>'
        '<cbc:PayableAmount currencyID="EUR">21.00</cbc:PayableAmount>'
    )
    drop.put("a.xml", ubl(net="100.02", total="121.02", totals=totals))
    bill = one(drop.run())
    assert (bill.total, bill.rounding) == (Decimal("121.00"), Decimal("-0.02"))
    assert bill.computed_total() == bill.total


def test_tax_in_the_accounting_currency_is_passed_over(drop: Drop) -> None:
    second = '<cac:TaxTotal><cbc:TaxAmount currencyID="SEK">230.00</cbc:TaxAmount></cac:TaxTotal>'
    drop.put("a.xml", ubl(before_totals=second))
    assert one(drop.run()).tax_total == Decimal("21.00")


def test_amount_in_another_currency_is_refused(drop: Drop) -> None:
    drop.put("a.xml", ubl().replace('<cbc:PriceAmount currencyID="EUR">', '<cbc:PriceAmount currencyID="USD">'))
    assert "USD" in refused(drop.run()).reason


def test_fields_that_belong_to_the_buyer_stay_away_from_sales(drop: Drop) -> None:
    head = "<cbc:AccountingCost>4025</cbc:AccountingCost>"
    items = (
        "<cbc:Name>Steel plate</cbc:Name>"
        "<cac:BuyersItemIdentification><cbc:ID>OUR-1</cbc:ID></cac:BuyersItemIdentification>"
        "<cac:SellersItemIdentification><cbc:ID>THEIR-1</cbc:ID></cac:SellersItemIdentification>"
    )
    drop.put("a.xml", ubl("V", head=head).replace("<cbc:Name>Steel plate</cbc:Name>", items))
    drop.put("b.xml", ubl("S", head=head, seller=US, buyer=THEM).replace("<cbc:Name>Steel plate</cbc:Name>", items))
    sales, bill = drop.run()
    assert (bill.lines[0].item, bill.lines[0].cost_code) == ("OUR-1", "4025")
    assert (sales.lines[0].item, sales.lines[0].cost_code) == ("THEIR-1", "")


PAYEE = (
    "<cac:PayeeParty><cac:PartyIdentification><cbc:ID>{}</cbc:ID></cac:PartyIdentification>"
    "<cac:PartyName><cbc:Name>{}</cbc:Name></cac:PartyName></cac:PayeeParty>"
)


@pytest.mark.parametrize(
    ("identifier", "name", "care_of"), [("F-77", "Factoring AG", "F77"), ("X-1", "Lieferant  GmbH", "")]
)
def test_payee_other_than_the_seller_is_care_of(drop: Drop, identifier: str, name: str, care_of: str) -> None:
    drop.put("a.xml", ubl(parties=PAYEE.format(identifier, name)))
    assert one(drop.run()).care_of_key == care_of


TERMS = "<cac:PaymentTerms><cbc:Note>30 days net</cbc:Note></cac:PaymentTerms>"


def test_terms_are_a_note_beside_a_due_date_and_a_term_without_one(drop: Drop) -> None:
    drop.put("a.xml", ubl("A", before_totals=TERMS))
    dated = ubl("B", before_totals=TERMS).replace(
        "</cbc:IssueDate>", "</cbc:IssueDate><cbc:DueDate>2026-12-02</cbc:DueDate>"
    )
    drop.put("b.xml", dated)
    plain, due = drop.run()
    assert (plain.terms, plain.note, plain.due_date) == ("30 days net", "", None)
    assert (due.terms, due.note, f"{due.due_date}") == ("", "30 days net", "2026-12-02")


def test_price_that_does_not_lead_to_the_amount_is_left_out(drop: Drop) -> None:
    base = "</cbc:PriceAmount><cbc:BaseQuantity>3</cbc:BaseQuantity>"
    drop.put("a.xml", ubl("A").replace('EUR">100.00</cbc:PriceAmount>', 'EUR">1</cbc:PriceAmount>'))
    drop.put("b.xml", ubl("B").replace('EUR">100.00</cbc:PriceAmount>', f'EUR">300.00{base}'))
    drop.put("c.xml", ubl("C").replace('EUR">100.00</cbc:PriceAmount>', f'EUR">100.00{base}'))
    prices = {bill.number: bill.lines[0].unit_price for bill in drop.run()}
    assert prices == {"A": None, "B": Decimal(100), "C": None}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (">121.00</cbc:TaxInclusive", ">1,121.00</cbc:TaxInclusive", "TaxInclusiveAmount"),
        (">121.00</cbc:Payable", ">NaN</cbc:Payable", "PayableAmount"),
        (">121.00</cbc:Payable", ">1e2</cbc:Payable", "PayableAmount"),
        (">21.00</cbc:TaxAmount", "></cbc:TaxAmount", "tax"),
        ("2026-11-02", "2026-13-02", "issue date"),
        ("2026-11-02", "02-11-2026", "issue date"),
        ("<cbc:DocumentCurrencyCode>EUR", "<cbc:DocumentCurrencyCode>euro", "currency"),
        ("<cbc:ID>F-1</cbc:ID>", "<cbc:ID> </cbc:ID>", "number"),
    ],
)
def test_value_that_is_wrong_is_named(drop: Drop, old: str, new: str, place: str) -> None:
    assert old in ubl()
    drop.put("a.xml", ubl().replace(old, new))
    assert place in refused(drop.run()).reason


def test_mended_invoice_takes_the_place_of_the_refused_one(drop: Drop) -> None:
    claim = "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0"
    order = "<cac:OrderLineReference><cbc:LineID>1</cbc:LineID></cac:OrderLineReference>"
    invoice = ubl(line=order).replace("urn:cen.eu:en16931:2017", claim)
    drop.put("a.xml", invoice)
    wrong = refused(drop.run())
    assert "BR-NL-13" in wrong.reason
    reference = "<cac:OrderReference><cbc:ID>PO-7</cbc:ID></cac:OrderReference>"
    drop.put(
        "mended.xml", invoice.replace("<cac:AccountingSupplierParty>", f"{reference}<cac:AccountingSupplierParty>")
    )
    bill = one(drop.run())
    assert (bill.kind, bill.key) == (wrong.kind, wrong.key) == (Kind.VENDOR_BILL, f"{THEM}/F-1")


BINARY = (
    "<cac:AdditionalDocumentReference><cbc:ID>doc</cbc:ID><cac:Attachment>"
    '<cbc:EmbeddedDocumentBinaryObject mimeCode="{}" filename="{}">{}</cbc:EmbeddedDocumentBinaryObject>'
    "</cac:Attachment></cac:AdditionalDocumentReference>"
)
LINK = (
    "<cac:AdditionalDocumentReference><cbc:ID>doc</cbc:ID><cac:Attachment><cac:ExternalReference>"
    "<cbc:URI>{}</cbc:URI></cac:ExternalReference></cac:Attachment></cac:AdditionalDocumentReference>"
)


def test_embedded_file_name_cannot_leave_its_folder(drop: Drop) -> None:
    drop.put("a.xml", ubl(parties=BINARY.format("application/pdf", "../../../../etc/cron.d/x", "JVBERg==")))
    kept = one(drop.run()).attachments[0]
    path = Path(kept.location)
    assert path.read_bytes() == b"%PDF"
    assert path.resolve().is_relative_to((drop.folder / "done" / "attachments").resolve())
    assert path.name == "x.pdf"


def test_embedded_file_that_is_not_kept_is_said_in_the_note(drop: Drop) -> None:
    programme = BINARY.format("application/x-msdownload", "run.exe", "TVo=")
    broken = BINARY.format("application/pdf", "torn.pdf", "%%%")
    drop.put("a.xml", ubl(parties=programme + broken))
    bill = one(drop.run())
    assert not bill.attachments
    assert "run.exe" in bill.note
    assert "torn.pdf" in bill.note
    assert bill.total == Decimal("121.00")


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "/etc/passwd", "javascript:alert(1)", "C:\\secrets.txt"])
def test_only_web_addresses_are_named_as_attachments(drop: Drop, uri: str) -> None:
    drop.put("a.xml", ubl(parties=LINK.format(uri)))
    assert not one(drop.run()).attachments
