"""Invoices in UN/CEFACT Cross Industry Invoice: EN 16931, XRechnung, Factur-X and ZUGFeRD 1 and 2, all profiles.

Paths and business terms: EN 16931-3-3 (the binding to CII D16B) and the ZUGFeRD 1.0 and 2.x specifications. The
profiles MINIMUM and BASIC WL carry no lines: ``mapping`` makes lines of their totals.
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
    InvoiceFacts,
    LineFacts,
    PartyFacts,
    TaxPart,
    Unfit,
)

FORMS: Final = ("CrossIndustryInvoice", "CrossIndustryDocument")
"""Root elements that are read: CII D16B, and ZUGFeRD 1.0, which was built on an earlier draft of it."""
NAMESPACES: Final = ("urn:un:unece:uncefact:data:", "urn:ferd:CrossIndustryDocument:")
"""What the namespaces of our elements begin with."""

# ZUGFeRD 1.0 names to those of CII D16B; what stands under header and lines alike is told apart by its parent.
_RENAMED: Final = {
    "SpecifiedExchangedDocumentContext": "ExchangedDocumentContext",
    "HeaderExchangedDocument": "ExchangedDocument",
    "SpecifiedSupplyChainTradeTransaction": "SupplyChainTradeTransaction",
    "ApplicableSupplyChainTradeAgreement": "ApplicableHeaderTradeAgreement",
    "ApplicableSupplyChainTradeDelivery": "ApplicableHeaderTradeDelivery",
    "ApplicableSupplyChainTradeSettlement": "ApplicableHeaderTradeSettlement",
    "SpecifiedSupplyChainTradeAgreement": "SpecifiedLineTradeAgreement",
    "SpecifiedSupplyChainTradeDelivery": "SpecifiedLineTradeDelivery",
    "SpecifiedSupplyChainTradeSettlement": "SpecifiedLineTradeSettlement",
    "SpecifiedTradeSettlementHeaderMonetarySummation": "Summation",
    "SpecifiedTradeSettlementLineMonetarySummation": "Summation",
    "SpecifiedTradeSettlementMonetarySummation": "Summation",
    "ApplicablePercent": "RateApplicablePercent",
}
_EMPTY: Final = etree.Element("Nothing")
_INCOMPLETE: Final = "Ask the sender for a complete invoice."
# EXTENDED profile: headings and remarks among the lines, whose amounts are not part of the total (BT-X-8).
_NO_AMOUNT: Final = ("GROUP", "INFORMATION")


def read(root: etree._Element, form: str) -> InvoiceFacts:
    """The facts of a document whose root element has the local name ``form``; raises ``Unfit``."""
    local_names(root, NAMESPACES, _RENAMED)
    head = _part(root, "ExchangedDocument")
    deal = _part(root, "SupplyChainTradeTransaction")
    agreement = _part(deal, "ApplicableHeaderTradeAgreement")
    settlement = _part(deal, "ApplicableHeaderTradeSettlement")
    code = text_of(head, "TypeCode")
    currency = text_of(settlement, "InvoiceCurrencyCode")
    if not is_currency(currency):
        shown = f"“{plain(currency, 20)}”" if currency else "missing"
        raise Unfit(f"The currency (InvoiceCurrencyCode) is {shown}; it must be a code such as EUR.", _INCOMPLETE)
    breakdown = _breakdown(settlement, currency)
    total, payable, rounding = _totals(settlement, currency)
    codes = {part.tax_code for part in breakdown}
    only_code = next(iter(codes)) if len(codes) == 1 else ""
    items = [_line(line, currency, only_code) for line in deal.iterfind("IncludedSupplyChainTradeLineItem")]
    terms = [paragraph_of(each) for each in settlement.iterfind("SpecifiedTradePaymentTerms/Description")]
    return InvoiceFacts(
        form=form,
        is_cii=True,
        customization=text_of(root, "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID"),
        number=text_of(head, "ID"),
        issued=day(text_of(head, "IssueDateTime/DateTimeString"), "The issue date (IssueDateTime)"),
        type_code=code,
        is_credit=code in CREDIT_CODES,
        self_billed=code in SELF_BILLED_CODES,
        currency=currency,
        seller=_party(agreement.find("SellerTradeParty")),
        buyer=_party(agreement.find("BuyerTradeParty")),
        payee=_optional(settlement.find("PayeeTradeParty")),
        representative=_optional(agreement.find("SellerTaxRepresentativeTradeParty")),
        due=_due(settlement),
        terms="\n".join(filter(None, terms)),
        notes=tuple(filter(None, (paragraph_of(note) for note in head.iterfind("IncludedNote/Content")))),
        project=text_of(agreement, "SpecifiedProcuringProject/ID"),
        cost=text_of(settlement, "ReceivableSpecifiedTradeAccountingAccount/ID"),
        buyer_reference=text_of(agreement, "BuyerReference"),
        order=text_of(agreement, "BuyerOrderReferencedDocument/IssuerAssignedID"),
        names_order_lines=any(item[1] for item in items),
        names_preceding=settlement.find("InvoiceReferencedDocument/IssuerAssignedID") is not None,
        payment_codes=tuple(
            text_of(means, "TypeCode") for means in settlement.iterfind("SpecifiedTradeSettlementPaymentMeans")
        ),
        lines=tuple(item[0] for item in items if item[0] is not None),
        charges=tuple(_charges(settlement, currency)),
        breakdown=breakdown,
        net_total=amount_of(settlement, "Summation/TaxBasisTotalAmount", "The total without tax", currency),
        tax_total=_tax_total(settlement, currency, breakdown),
        total=total,
        payable=payable,
        rounding=rounding,
        embedded=tuple(
            embedded_file(each, "AttachmentBinaryObject", "URIID", "Name", "IssuerAssignedID")
            for each in agreement.iterfind("AdditionalReferencedDocument")
            if text_of(each, "TypeCode")
            in ("", "916")  # 916: a supporting document (BG-24); else a tender or an object
        ),
    )


def _part(element: etree._Element, name: str) -> etree._Element:
    found = element.find(name)
    return _EMPTY if found is None else found


def _totals(settlement: etree._Element, currency: str) -> tuple[Decimal, Decimal, Decimal]:
    """Total before prepayments, amount due, rounding. MINIMUM names no prepayment: its amount due is no total."""
    with_tax = amount_of(settlement, "Summation/GrandTotalAmount", "The total with tax (GrandTotalAmount)", currency)
    if with_tax is None:
        raise Unfit("The file has no total with tax (GrandTotalAmount).", _INCOMPLETE)
    rounding = amount_of(settlement, "Summation/RoundingAmount", "The rounding (RoundingAmount)", currency) or ZERO
    due = amount_of(settlement, "Summation/DuePayableAmount", "The amount due (DuePayableAmount)", currency)
    return with_tax + rounding, with_tax if due is None else due, rounding


def _breakdown(settlement: etree._Element, currency: str) -> tuple[TaxPart, ...]:
    return tuple(
        TaxPart(
            tax_code=_tax_code(part),
            basis=amount_of(part, "BasisAmount", "A taxable amount (BasisAmount)", currency) or ZERO,
            tax=amount_of(part, "CalculatedAmount", "A tax amount (CalculatedAmount)", currency) or ZERO,
        )
        for part in settlement.iterfind("ApplicableTradeTax")
    )


def _tax_total(settlement: etree._Element, currency: str, breakdown: tuple[TaxPart, ...]) -> Decimal:
    """The tax in the document's currency (BT-110); the total in the accounting currency (BT-111) is passed over."""
    for total in settlement.iterfind("Summation/TaxTotalAmount"):
        if (total.get("currencyID") or currency).strip() == currency:
            return amount(total, "The tax total (TaxTotalAmount)")
    return sum((part.tax for part in breakdown), ZERO)


def _tax_code(element: etree._Element | None) -> str:
    if element is None:
        return ""
    rate = amount_of(element, "RateApplicablePercent", "A tax rate (RateApplicablePercent)")
    return tax_code(text_of(element, "CategoryCode"), rate)


def _due(settlement: etree._Element) -> date | None:
    raw = text_of(settlement, "SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString")
    return day(raw, "The due date (DueDateDateTime)") if raw else None


def _optional(party: etree._Element | None) -> PartyFacts | None:
    return None if party is None else _party(party)


def _party(party: etree._Element | None) -> PartyFacts:
    if party is None:
        return PartyFacts()
    registrations = ids_of(party.findall("SpecifiedTaxRegistration/ID"))
    address = _part(party, "PostalTradeAddress")
    endpoint = ids_of(party.findall("URIUniversalCommunication/URIID"))
    return PartyFacts(
        name=text_of(party, "Name") or text_of(party, "SpecifiedLegalOrganization/TradingBusinessName"),
        vat=next((each.value for each in registrations if each.scheme == "VA"), ""),
        legal=ids_of(party.findall("SpecifiedLegalOrganization/ID")),
        endpoint=endpoint[0] if endpoint else None,
        ids=ids_of([*party.findall("ID"), *party.findall("GlobalID")]),
        tax_numbers=tuple(each.value for each in registrations if each.scheme != "VA"),
        country=text_of(address, "CountryID").upper(),
        street=text_of(address, "LineOne"),
        city=text_of(address, "CityName"),
        postcode=text_of(address, "PostcodeCode"),
    )


def _charges(settlement: etree._Element, currency: str) -> list[ChargeFacts]:
    found = [_charge(each, currency) for each in settlement.iterfind("SpecifiedTradeAllowanceCharge")]
    for service in settlement.iterfind("SpecifiedLogisticsServiceCharge"):  # ZUGFeRD 1.0 and EXTENDED
        value = amount_of(service, "AppliedAmount", "A logistics charge (AppliedAmount)", currency)
        if value is not None:
            found.append(
                ChargeFacts(
                    amount=value,
                    is_charge=True,
                    tax_code=_tax_code(service.find("AppliedTradeTax")),
                    reason=text_of(service, "Description"),
                )
            )
    return found


def _charge(charge: etree._Element, currency: str) -> ChargeFacts:
    value = amount_of(charge, "ActualAmount", "An allowance or charge (ActualAmount)", currency)
    flag = text_of(charge, "ChargeIndicator/Indicator")
    if value is None or flag not in ("true", "false", "1", "0"):
        raise Unfit(
            "An allowance or charge (SpecifiedTradeAllowanceCharge) lacks its amount, or does not say which it is.",
            _INCOMPLETE,
        )
    return ChargeFacts(
        amount=value,
        is_charge=flag in ("true", "1"),
        tax_code=_tax_code(charge.find("CategoryTradeTax")),
        reason=text_of(charge, "Reason"),
    )


def _line(line: etree._Element, currency: str, only_code: str) -> tuple[LineFacts | None, bool]:
    """The line, ``None`` for a heading or remark; and whether it names a line of an order."""
    own = text_of(line, "AssociatedDocumentLineDocument/LineID")
    label = f"Line {plain(own, 20)}"
    agreement = _part(line, "SpecifiedLineTradeAgreement")
    settlement = _part(line, "SpecifiedLineTradeSettlement")
    names_order = agreement.find("BuyerOrderReferencedDocument/LineID") is not None
    net = amount_of(settlement, "Summation/LineTotalAmount", f"{label}: the amount (LineTotalAmount)", currency)
    if text_of(line, "AssociatedDocumentLineDocument/LineStatusReasonCode") in _NO_AMOUNT:
        return None, names_order
    product = _part(line, "SpecifiedTradeProduct")
    if net is None:
        if product is _EMPTY or not text_of(product, "Name"):
            return None, names_order  # ZUGFeRD 1.0: a line of notes only
        raise Unfit(f"{label} has no amount (LineTotalAmount).", _INCOMPLETE)
    allowances = charges = ZERO
    for each in settlement.iterfind("SpecifiedTradeAllowanceCharge"):
        facts = _charge(each, currency)
        if facts.is_charge:
            charges += facts.amount
        else:
            allowances += facts.amount
    quantity = line.find("SpecifiedLineTradeDelivery/BilledQuantity")
    base = agreement.find("NetPriceProductTradePrice/BasisQuantity")
    price = "NetPriceProductTradePrice/ChargeAmount"
    return (
        LineFacts(
            number=own,
            description=_description(product, line),
            quantity=Decimal(1) if quantity is None else number(quantity.text, f"{label}: the quantity"),
            amount=net,
            unit_price=unit_price(
                amount_of(agreement, price, f"{label}: the price (ChargeAmount)", currency),
                None if base is None else number(base.text, f"{label}: the base quantity (BasisQuantity)"),
            ),
            allowances=allowances,
            charges=charges,
            tax_code=_tax_code(settlement.find("ApplicableTradeTax")) or only_code,
            seller_item=text_of(product, "SellerAssignedID"),
            buyer_item=text_of(product, "BuyerAssignedID"),
            cost=text_of(settlement, "ReceivableSpecifiedTradeAccountingAccount/ID"),
        ),
        names_order,
    )


def _description(product: etree._Element, line: etree._Element) -> str:
    parts = list(dict.fromkeys(filter(None, (text_of(product, "Name"), text_of(product, "Description")))))
    return "\n".join(parts) or text_of(line, "AssociatedDocumentLineDocument/IncludedNote/Content")
