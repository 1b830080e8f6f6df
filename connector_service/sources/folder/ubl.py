"""Invoices and credit notes in UBL 2: Peppol BIS 3, SI-UBL 1.1 and 2.0 (NLCIUS), XRechnung, EN 16931, plain UBL.

Paths and business terms: EN 16931-3-2 (the binding to UBL) and OASIS UBL 2.1.
"""

from datetime import date
from decimal import Decimal
from typing import Final

from lxml import etree

from connector_service.domain.money import ZERO, is_currency
from connector_service.sources.folder.safexml import (
    amount,
    amount_of,
    day,
    embedded_file,
    ids_of,
    local_names,
    number,
    paragraph_of,
    plain,
    tax_code,
    text_of,
    unit_price,
)
from connector_service.sources.folder.wire import (
    CREDIT_CODES,
    SELF_BILLED_CODES,
    ChargeFacts,
    EmbeddedFile,
    InvoiceFacts,
    LineFacts,
    PartyFacts,
    TaxPart,
    Unfit,
)

NAMESPACE: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
"""What the namespace of every UBL 2 element begins with."""
FORMS: Final = {
    "Invoice": False,
    "CreditNote": True,
    "SelfBilledInvoice": False,
    "SelfBilledCreditNote": True,
}
"""Root elements that are read, and whether each gives back."""

_INCOMPLETE: Final = "Ask the sender for a complete invoice."
_SUBJECT_LENGTH: Final = 5


def read(root: etree._Element, form: str) -> InvoiceFacts:
    """The facts of a document whose root element has the local name ``form``; raises ``Unfit``."""
    local_names(root, (NAMESPACE,))
    code = text_of(root, "InvoiceTypeCode") or text_of(root, "CreditNoteTypeCode")
    currency = _currency(root)
    breakdown = _breakdown(root, currency)
    codes = {part.tax_code for part in breakdown}
    only_code = next(iter(codes)) if len(codes) == 1 else ""
    order = root.find("OrderReference")
    tax_total = _tax_total(root, currency)
    total, payable, rounding = _totals(root, currency)
    return InvoiceFacts(
        form=form,
        is_cii=False,
        customization=text_of(root, "CustomizationID"),
        number=text_of(root, "ID"),
        issued=day(text_of(root, "IssueDate"), "The issue date (IssueDate)"),
        type_code=code,
        is_credit=FORMS[form] or code in CREDIT_CODES,
        self_billed=form.startswith("SelfBilled") or code in SELF_BILLED_CODES,
        currency=currency,
        seller=_party(root.find("AccountingSupplierParty/Party")),
        buyer=_party(root.find("AccountingCustomerParty/Party")),
        payee=_optional(root.find("PayeeParty")),
        representative=_optional(root.find("TaxRepresentativeParty")),
        due=_due(root),
        terms="\n".join(filter(None, (paragraph_of(note) for note in root.iterfind("PaymentTerms/Note")))),
        notes=tuple(filter(None, (_note(note) for note in root.iterfind("Note")))),
        project=text_of(root, "ProjectReference/ID"),
        cost=text_of(root, "AccountingCost") or text_of(root, "AccountingCostCode"),
        buyer_reference=text_of(root, "BuyerReference"),
        order="" if order is None else text_of(order, "ID"),
        names_order_lines=_is_there(
            root, "InvoiceLine/OrderLineReference/LineID", "CreditNoteLine/OrderLineReference/LineID"
        ),
        names_preceding=_is_there(root, "BillingReference/InvoiceDocumentReference/ID"),
        payment_codes=tuple(text_of(means, "PaymentMeansCode") for means in root.iterfind("PaymentMeans")),
        lines=tuple(_line(line, currency, only_code) for line in root if line.tag in ("InvoiceLine", "CreditNoteLine")),
        charges=tuple(_charge(charge, currency) for charge in root.iterfind("AllowanceCharge")),
        breakdown=breakdown,
        net_total=amount_of(root, "LegalMonetaryTotal/TaxExclusiveAmount", "The total without tax", currency),
        tax_total=tax_total,
        total=total,
        payable=payable,
        rounding=rounding,
        embedded=tuple(_embedded(reference) for reference in root.iterfind("AdditionalDocumentReference")),
    )


def _is_there(root: etree._Element, *paths: str) -> bool:
    return any(root.find(path) is not None for path in paths)


def _currency(root: etree._Element) -> str:
    currency = text_of(root, "DocumentCurrencyCode")
    if not currency:  # UBL 2.0 may leave it out; the payable amount always has one
        payable = root.find("LegalMonetaryTotal/PayableAmount")
        currency = "" if payable is None else (payable.get("currencyID") or "").strip()
    if not is_currency(currency):
        shown = f"“{plain(currency, 20)}”" if currency else "missing"
        raise Unfit(f"The currency (DocumentCurrencyCode) is {shown}; it must be a code such as EUR.", _INCOMPLETE)
    return currency


def _tax_total(root: etree._Element, currency: str) -> Decimal:
    """The tax in the document's currency; a second total in the accounting currency (BT-111) is passed over."""
    found = [
        total
        for total in root.iterfind("TaxTotal")
        if (each := total.find("TaxAmount")) is not None and (each.get("currencyID") or currency).strip() == currency
    ]
    # Where the accounting currency is the document's own, only one of the two totals has a breakdown (BR-CO-14, 15).
    broken_down = [total for total in found if total.find("TaxSubtotal") is not None] or found
    return sum((amount_of(total, "TaxAmount", "The tax total", currency) or ZERO for total in broken_down), ZERO)


def _totals(root: etree._Element, currency: str) -> tuple[Decimal, Decimal, Decimal]:
    """Total before prepayments, payable amount, and payable rounding."""
    totals = root.find("LegalMonetaryTotal")
    if totals is None:
        raise Unfit("The file has no totals (LegalMonetaryTotal).", _INCOMPLETE)
    payable = amount_of(totals, "PayableAmount", "The payable amount (PayableAmount)", currency)
    if payable is None:
        raise Unfit("The file has no payable amount (LegalMonetaryTotal/PayableAmount).", _INCOMPLETE)
    prepaid = amount_of(totals, "PrepaidAmount", "The prepaid amount (PrepaidAmount)", currency) or ZERO
    place = "The payable rounding (PayableRoundingAmount)"
    rounding = amount_of(totals, "PayableRoundingAmount", place, currency) or ZERO
    with_tax = amount_of(totals, "TaxInclusiveAmount", "The total with tax (TaxInclusiveAmount)", currency)
    if with_tax is None or payable + prepaid == with_tax:
        # UBL 2.0 has no total with tax, and the examples of plain UBL 2.1 have the rounding in it already.
        return payable + prepaid, payable, rounding
    return with_tax + rounding, payable, rounding


def _breakdown(root: etree._Element, currency: str) -> tuple[TaxPart, ...]:
    parts = []
    for subtotal in root.iterfind("TaxTotal/TaxSubtotal"):
        taxed = subtotal.find("TaxableAmount")
        if taxed is None or (taxed.get("currencyID") or currency).strip() != currency:
            continue
        parts.append(
            TaxPart(
                tax_code=_tax_code(subtotal.find("TaxCategory"), subtotal),
                basis=amount(taxed, "A taxable amount"),
                tax=amount_of(subtotal, "TaxAmount", "A tax amount") or ZERO,
            )
        )
    return tuple(parts)


def _tax_code(category: etree._Element | None, beside: etree._Element | None = None) -> str:
    if category is None:
        return ""
    percent = category.find("Percent")
    if percent is None and beside is not None:
        percent = beside.find("Percent")  # UBL 2.0: the rate stands beside the category
    rate = None if percent is None or not (percent.text or "").strip() else number(percent.text, "A tax rate (Percent)")
    return tax_code(text_of(category, "ID"), rate)


def _due(root: etree._Element) -> date | None:
    for path in ("DueDate", "PaymentMeans/PaymentDueDate", "PaymentTerms/PaymentDueDate"):
        raw = text_of(root, path)
        if raw:
            return day(raw, f"The due date ({path})")
    return None


def _note(note: etree._Element) -> str:
    text = paragraph_of(note)
    # Peppol and XRechnung put the note's subject code (BT-21) before it: #ADU#text.
    if text.startswith("#") and text[4:_SUBJECT_LENGTH] == "#":
        return text[_SUBJECT_LENGTH:].strip()
    return text


def _optional(party: etree._Element | None) -> PartyFacts | None:
    return None if party is None else _party(party)


def _party(party: etree._Element | None) -> PartyFacts:
    if party is None:
        return PartyFacts()
    vat, others = "", []
    for scheme in party.iterfind("PartyTaxScheme"):
        company = text_of(scheme, "CompanyID")
        if company and not vat and "VAT" in text_of(scheme, "TaxScheme/ID").upper():
            vat = company
        elif company:
            others.append(company)
    address = party.find("PostalAddress")
    endpoint = ids_of(party.findall("EndpointID"))
    return PartyFacts(
        name=text_of(party, "PartyLegalEntity/RegistrationName")
        or text_of(party, "PartyName/Name")
        or " ".join(filter(None, (text_of(party, "Person/FirstName"), text_of(party, "Person/FamilyName")))),
        vat=vat,
        legal=ids_of(party.findall("PartyLegalEntity/CompanyID")),
        endpoint=endpoint[0] if endpoint else None,
        ids=ids_of(party.findall("PartyIdentification/ID")),
        tax_numbers=tuple(others),
        country="" if address is None else text_of(address, "Country/IdentificationCode").upper(),
        street="" if address is None else text_of(address, "StreetName"),
        city="" if address is None else text_of(address, "CityName"),
        postcode="" if address is None else text_of(address, "PostalZone"),
    )


def _charge(charge: etree._Element, currency: str) -> ChargeFacts:
    value = amount_of(charge, "Amount", "An allowance or charge (AllowanceCharge/Amount)", currency)
    if value is None:
        raise Unfit("An allowance or charge (AllowanceCharge) has no amount.", _INCOMPLETE)
    return ChargeFacts(
        amount=value,
        is_charge=_is_true(text_of(charge, "ChargeIndicator")),
        tax_code=_tax_code(charge.find("TaxCategory")),
        reason=text_of(charge, "AllowanceChargeReason"),
    )


def _is_true(text: str) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise Unfit(
            f"An allowance or charge says neither true nor false, but “{plain(text, 20)}”, where it must say which it "
            "is (ChargeIndicator).",
            _INCOMPLETE,
        )
    return text in ("true", "1")


def _line(line: etree._Element, currency: str, only_code: str) -> LineFacts:
    own = text_of(line, "ID")
    label = f"Line {plain(own, 20)}"
    net = amount_of(line, "LineExtensionAmount", f"{label}: the amount (LineExtensionAmount)", currency)
    if net is None:
        raise Unfit(f"{label} has no amount (LineExtensionAmount).", _INCOMPLETE)
    quantity = line.find("InvoicedQuantity")
    if quantity is None:
        quantity = line.find("CreditedQuantity")
    allowances = charges = ZERO
    for each in line.iterfind("AllowanceCharge"):
        facts = _charge(each, currency)
        if facts.is_charge:
            charges += facts.amount
        else:
            allowances += facts.amount
    item = line.find("Item")
    category = line.find("Item/ClassifiedTaxCategory")
    if category is None:
        category = line.find("TaxTotal/TaxSubtotal/TaxCategory")
    base = line.find("Price/BaseQuantity")
    return LineFacts(
        number=own,
        description=_description(item, line),
        quantity=Decimal(1) if quantity is None else number(quantity.text, f"{label}: the quantity"),
        amount=net,
        unit_price=unit_price(
            amount_of(line, "Price/PriceAmount", f"{label}: the price (PriceAmount)", currency),
            None if base is None else number(base.text, f"{label}: the base quantity (BaseQuantity)"),
        ),
        allowances=allowances,
        charges=charges,
        tax_code=_tax_code(category, line.find("TaxTotal/TaxSubtotal")) or only_code,
        seller_item=text_of(line, "Item/SellersItemIdentification/ID"),
        buyer_item=text_of(line, "Item/BuyersItemIdentification/ID"),
        cost=text_of(line, "AccountingCost") or text_of(line, "AccountingCostCode"),
    )


def _description(item: etree._Element | None, line: etree._Element) -> str:
    name = "" if item is None else text_of(item, "Name")
    more = [] if item is None else [" ".join((each.text or "").split()) for each in item.iterfind("Description")]
    parts = list(dict.fromkeys(part for part in (name, *more) if part))
    return "\n".join(parts) or text_of(line, "Note")


def _embedded(reference: etree._Element) -> EmbeddedFile:
    names = ("DocumentDescription", "DocumentType", "ID")
    return embedded_file(
        reference, "Attachment/EmbeddedDocumentBinaryObject", "Attachment/ExternalReference/URI", *names
    )
