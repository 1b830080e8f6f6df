"""Real files of real producers: every valid one is read to the cent, every invalid one refused with its reason.

What is expected is taken from the files by XPath on local names, which shares nothing with the readers.
"""

import io
import re
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdf
import pytest
from lxml import etree

from connector_service.domain.documents import DOCUMENT_TYPES
from connector_service.domain.kinds import Kind
from tests.systems.folder.drop import SAMPLES, Drop, one, refused

FOLDERS = (
    "peppol-bis-billing-3",
    "en16931-ubl",
    "en16931-cii",
    "ubl-2.1-oasis",
    "si-ubl",
    "xrechnung",
    "factur-x",
)
ALL = sorted(
    path
    for folder in FOLDERS
    for path in (SAMPLES / folder).glob("*")
    if path.suffix.lower() in (".xml", ".pdf") and SAMPLES.is_dir()
)
INVALID = [path for path in ALL if "_error_" in path.name]
VALID = [path for path in ALL if path not in INVALID]
# The lines and totals of this one do not agree: an allowance of 10.00 is in the payable amount and nowhere else.
SUMS_DO_NOT_HOLD = {"UBL-CreditNote-2.0-Example.xml": Decimal("117.50")}
# Names and numbers were blackened: only the seller's registration, with its scheme, tells the sides apart.
BLACKENED = {"XRechnung-O.xml": "0189:XX"}
SIDES = [(path, side) for path in VALID for side in (0, 1) if side == 0 or path.name not in BLACKENED]

pytestmark = pytest.mark.skipif(not ALL, reason="the folder of shared test input is not beside the repository")


def path_of(names: str) -> str:
    """``//Party/ID`` by local names, whatever the namespaces."""
    return re.sub(r"(?<=[/\[])([A-Z]\w+)", r"*[local-name()='\1']", names)


def texts(root: etree._Element, names: str) -> list[str]:
    found = root.xpath(path_of(names))
    assert isinstance(found, list)
    return [" ".join((each.text or "").split()) for each in found if isinstance(each, etree._Element)]


def xml_of(path: Path) -> etree._Element:
    data = path.read_bytes()
    if path.suffix.lower() == ".pdf":
        attachments = pypdf.PdfReader(io.BytesIO(data)).attachments
        data = next(content[0] for name, content in attachments.items() if name.endswith(".xml"))
    return etree.fromstring(data)


class Expected:
    """What a file says, by XPath."""

    def __init__(self, path: Path) -> None:
        root = xml_of(path)
        self.is_cii = etree.QName(root).localname.startswith("CrossIndustry")
        head = "//ExchangedDocument" if texts(root, "//ExchangedDocument") else "//HeaderExchangedDocument"
        if self.is_cii:
            self.number = texts(root, f"{head}/ID")[0]
            self.code = texts(root, f"{head}/TypeCode")[0]
            self.date = texts(root, f"{head}/IssueDateTime/DateTimeString")[0]
            self.currency = texts(root, "//InvoiceCurrencyCode")[0]
            rounding = texts(root, "//RoundingAmount") or ["0"]
            self.total = Decimal(texts(root, "//GrandTotalAmount")[0]) + Decimal(rounding[0])
            self.tax = self._cii_tax(root)
            self.lines = len(texts(root, "//IncludedSupplyChainTradeLineItem"))
            self.sides = [self._cii_ids(root, side) for side in ("SellerTradeParty", "BuyerTradeParty")]
        else:
            self.number = texts(root, "/*/ID")[0]
            self.code = (texts(root, "/*/InvoiceTypeCode") + texts(root, "/*/CreditNoteTypeCode") + [""])[0]
            self.date = texts(root, "/*/IssueDate")[0].replace("-", "")
            found = root.xpath(path_of("/*/LegalMonetaryTotal/PayableAmount"))
            assert isinstance(found, list)
            payable = found[0]
            assert isinstance(payable, etree._Element)
            self.currency = payable.get("currencyID") or ""
            prepaid = texts(root, "/*/LegalMonetaryTotal/PrepaidAmount") or ["0"]
            self.total = Decimal(payable.text or "") + Decimal(prepaid[0])
            tax = texts(root, f"/*/TaxTotal[TaxSubtotal]/TaxAmount[@currencyID='{self.currency}']") or ["0"]
            self.tax = sum(map(Decimal, tax), Decimal(0))
            self.lines = len(texts(root, "/*/InvoiceLine")) + len(texts(root, "/*/CreditNoteLine"))
            self.sides = [self._ubl_ids(root, side) for side in ("AccountingSupplierParty", "AccountingCustomerParty")]
        name = etree.QName(root).localname
        self.is_credit = ("Credit" in name or self.code in ("381", "261")) or self.total < 0

    @staticmethod
    def _cii_tax(root: etree._Element) -> Decimal:
        currency = texts(root, "//InvoiceCurrencyCode")[0]
        stated = texts(root, f"//TaxTotalAmount[not(@currencyID) or @currencyID='{currency}']")
        parts = texts(root, "//ApplicableHeaderTradeSettlement/ApplicableTradeTax/CalculatedAmount")
        return Decimal(stated[0]) if stated else sum(map(Decimal, parts), Decimal(0))

    @staticmethod
    def _cii_ids(root: etree._Element, side: str) -> list[str]:
        inside = ("SpecifiedTaxRegistration/ID", "SpecifiedLegalOrganization/ID", "URIUniversalCommunication/URIID")
        return [text for each in (*inside, "GlobalID", "ID", "Name") for text in texts(root, f"//{side}/{each}")]

    @staticmethod
    def _ubl_ids(root: etree._Element, side: str) -> list[str]:
        inside = ("PartyTaxScheme/CompanyID", "PartyLegalEntity/CompanyID", "EndpointID", "PartyIdentification/ID")
        names = ("PartyLegalEntity/RegistrationName", "PartyName/Name")
        return [text for each in (*inside, *names) for text in texts(root, f"/*/{side}/Party/{each}")]

    def own_id(self, side: int) -> str:
        """An identifier that only one side has."""
        theirs = {re.sub(r"\W", "", each) for each in self.sides[1 - side]}
        bare = {each: re.sub(r"\W", "", each) for each in self.sides[side]}
        found = (each for each, value in bare.items() if value and value not in theirs and "," not in each)
        return next(found, "")


def read(drop: Drop, path: Path, party_id: str) -> Any:
    (drop.folder / path.name).write_bytes(path.read_bytes())
    return one(drop.run(drop.open(party_id=party_id)))


@pytest.mark.parametrize(
    ("path", "side"), SIDES, ids=[f"{path.name} as {('seller', 'buyer')[side]}" for path, side in SIDES]
)
def test_valid_sample_is_read_to_the_cent(drop: Drop, path: Path, side: int) -> None:
    expected = Expected(path)
    document = read(drop, path, BLACKENED.get(path.name) or expected.own_id(side))
    assert type(document) in DOCUMENT_TYPES.values(), document
    assert document.kind.is_sales is (side == 0)
    assert document.kind.is_credit is expected.is_credit
    assert document.number == expected.number
    assert document.date.strftime("%Y%m%d") == expected.date
    assert document.currency == expected.currency
    assert document.total == abs(expected.total)
    assert document.tax_total == abs(expected.tax)
    assert document.computed_total() == SUMS_DO_NOT_HOLD.get(path.name, document.total)
    assert len(document.lines) >= max(1, expected.lines)
    assert all(line.description for line in document.lines)
    assert document.party_key
    assert path.name in drop.names("done")
    assert not drop.names("rejected")


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.name)
def test_invalid_sample_is_refused_with_the_rule_that_it_breaks(drop: Drop, path: Path) -> None:
    rule = re.search(r"BR-NL-\d+", path.name)
    assert rule
    (drop.folder / path.name).write_bytes(path.read_bytes())
    record = refused(drop.run(drop.open(party_id="NL1111.11.111.B.01")))
    assert rule.group() in record.reason
    assert drop.names("rejected") == [path.name, f"{path.name}.reason.txt"]
    reason = (drop.folder / "rejected" / f"{path.name}.reason.txt").read_text(encoding="utf-8")
    assert rule.group() in reason
    assert record.fix in reason


PAIRS = [path for path in VALID if path.name.endswith("_ubl.xml")]
# In this pair the seller's VAT number is another one in each file.
OTHER_SELLER = {"01.21a-INVOICE_ubl.xml": {"key", "party_key"}}


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.name)
def test_both_syntaxes_of_an_invoice_give_the_same_document(drop: Drop, path: Path) -> None:
    other = path.with_name(path.name.replace("_ubl", "_uncefact"))
    left = read(drop, path, Expected(path).own_id(1))
    right = read(drop, other, Expected(other).own_id(1))
    different = {each.name for each in fields(left) if getattr(left, each.name) != getattr(right, each.name)}
    assert different == OTHER_SELLER.get(path.name, set())


def test_xml_and_pdf_of_one_invoice_are_one_unit(drop: Drop) -> None:
    names = ("factur-x-en16931.xml", "invoice_EN16931.pdf", "factur-x-basic.xml")
    keys = {read(drop, SAMPLES / "factur-x" / name, "FR11123456782").key for name in names}
    assert keys == {"FR11123456782/F20260023"}


def test_pdf_is_kept_as_attachment(drop: Drop) -> None:
    path = SAMPLES / "factur-x" / "zugferd_2p0_EN16931_Einfach.pdf"
    document = read(drop, path, Expected(path).own_id(1))
    kept = document.attachments[0]
    assert (kept.name, kept.media_type, kept.size) == (path.name, "application/pdf", path.stat().st_size)
    assert Path(kept.location).read_bytes() == path.read_bytes()


def test_self_billed_credit_note_keeps_the_roles_of_seller_and_buyer(drop: Drop) -> None:
    path = SAMPLES / "ubl-2.1-oasis" / "UBL-SelfBilledCreditNote-2.1-Example.xml"
    document = read(drop, path, "DK12345")
    assert document.kind is Kind.SALES_CREDIT_NOTE
    assert document.key == "BE54321/DK12345/TOSL108"
    assert document.care_of_key == "UKCH:6411982340"
    assert document.rounding == Decimal("0.30")


def test_embedded_file_and_link_become_attachments(drop: Drop) -> None:
    path = SAMPLES / "si-ubl" / "SI-UBL-1.1-ok-full-multiple-currencies.xml"
    document = read(drop, path, "NL33432423432")
    link, inside = document.attachments
    assert link.location == "http://www.suppliersite.eu/sheet001.html"
    assert inside.name == "Drawing.pdf"
    assert Path(inside.location).read_bytes().startswith(b"%PDF-1.4")
    assert document.project == "3434j34"
