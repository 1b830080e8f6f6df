"""E-invoices of the demo as UBL 2.1 files in the form of Peppol BIS Billing 3.

The order of the elements and which of them must be there: OASIS UBL 2.1 and Peppol BIS Billing 3 (EN 16931).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from lxml import etree

from connector_service.demo.catalogue import OUR_NAME, OUR_REGISTRATION, OUR_VAT
from connector_service.demo.drafts import Draft
from connector_service.domain.money import ZERO, round_money

_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_CAC: Final = f"{_UBL}CommonAggregateComponents-2"
_CBC: Final = f"{_UBL}CommonBasicComponents-2"
_CUSTOMIZATION: Final = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_PROFILE: Final = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_INVOICE_CODE: Final = "380"
_CREDIT_CODE: Final = "381"
_TRANSFER: Final = "30"
_REVERSE_CHARGE: Final = "AE"
_EXPORT: Final = "G"
_REASONS: Final = {_REVERSE_CHARGE: "VATEX-EU-AE", _EXPORT: "VATEX-EU-G"}
"""Why no tax is charged, by category (VATEX code list of EN 16931)."""
_POWER_FILE: Final = "energie-2025-11"
_IBAN: Final = "NL91ABNA0417164300"
"""The account that the IBAN registry prints as its Dutch example."""


@dataclass(frozen=True, slots=True)
class Trader:
    """One side of an e-invoice."""

    name: str
    vat: str
    scheme: str
    """Scheme of its electronic address, of the Peppol code list."""
    endpoint: str
    registration: str
    street: str
    city: str
    postcode: str
    country: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line."""

    text: str
    quantity: Decimal
    price: Decimal
    category: str = "S"
    percent: Decimal = Decimal(21)

    @property
    def amount(self) -> Decimal:
        """Quantity times price, in cents."""
        return round_money(self.quantity * self.price, "EUR")


@dataclass(frozen=True, slots=True)
class EInvoice:
    """What one file says."""

    number: str
    issued: date
    seller: Trader
    buyer: Trader
    rows: tuple[Row, ...]
    currency: str = "EUR"
    days: int = 30
    """Until it is due."""
    credit_for: str = ""
    """Number of the invoice that it gives back; empty for an invoice."""
    allowance: Decimal = ZERO
    charge: Decimal = ZERO
    note: str = ""

    def taxes(self) -> dict[tuple[str, Decimal], tuple[Decimal, Decimal]]:
        """Taxed amount and tax by category and rate; tax is rounded once for each (EN 16931, BR-CO-17)."""
        bases: dict[tuple[str, Decimal], Decimal] = {}
        for row in self.rows:
            bases[row.category, row.percent] = bases.get((row.category, row.percent), ZERO) + row.amount
        first = next(iter(bases))
        bases[first] += self.charge - self.allowance
        return {key: (base, round_money(base * key[1] / 100, self.currency)) for key, base in bases.items()}


US: Final = Trader(
    OUR_NAME, OUR_VAT, "0106", OUR_REGISTRATION, OUR_REGISTRATION, "Kade 12", "Rotterdam", "3011 AA", "NL"
)
_SCHOOL: Final = Trader(
    "Basisschool 't Startblok",
    "NL000000012B01",
    "0106",
    "87654321",
    "87654321",
    "Schoolplein 1",
    "Gouda",
    "2801 AB",
    "NL",
)
_HOTEL: Final = Trader(
    "Hôtel de l'Étang & Spa", "BE0000000196", "0208", "0000000196", "0000000196", "Rue du Lac 8", "Liège", "4000", "BE"
)
_STEEL: Final = Trader(
    "Rahmenbau Süd GmbH", "DE123456789", "9930", "DE123456789", "HRB 1234", "Am Damm 3", "Ulm", "89073", "DE"
)
_POWER: Final = Trader(
    "Energie Delta NV", "NL000000024B01", "0106", "23456789", "23456789", "Dijk 200", "Rotterdam", "3012 CD", "NL"
)
_PAINT: Final = Trader(
    'Verf "Regenboog" & Zn.',
    "NL000000036B01",
    "0106",
    "34567890",
    "34567890",
    "Havenweg 7",
    "Schiedam",
    "3115 EF",
    "NL",
)
_ENAMEL: Final = Trader(
    "Farbwerk Glarus AG",
    "CHE123456789",
    "9927",
    "CHE123456789",
    "CHE-123.456.789",
    "Landstrasse 5",
    "Glarus",
    "8750",
    "CH",
)


def einvoices(copied: Draft) -> dict[str, bytes]:
    """The ten files by name; ``copied`` is an invoice of the shop that comes as an e-invoice, too."""
    distinct = {**dict(_sales()), "copy-of-our-invoice": _copy(copied), **dict(_bills())}
    files = {f"{name}.xml": render(one) for name, one in distinct.items()}
    # The same bill again, as it comes when a supplier sends it by e-mail and by the network: other name, other bytes.
    again = etree.fromstring(files[f"{_POWER_FILE}.xml"])
    etree.indent(again, "\t")
    files["Fwd Factuur november (2).xml"] = etree.tostring(again, xml_declaration=True, encoding="UTF-8") + b"\n"
    return files


def _row(text: str, quantity: str, price: str, category: str = "S", percent: int = 21) -> Row:
    return Row(text, Decimal(quantity), Decimal(price), category, Decimal(percent))


def _sales() -> Iterator[tuple[str, EInvoice]]:
    """What we sold through a web shop of its own, and what came back."""
    school = EInvoice(
        "WEB-2025-0031",
        date(2025, 9, 1),
        US,
        _SCHOOL,
        (_row("Children's bike, 20 inch", "12", "189.50"), _row("Lessons in traffic, hour", "6", "45.15", percent=9)),
    )
    yield "web-2025-0031", school
    hired = _row("Hire of e-bikes", "14", "75.00", _REVERSE_CHARGE, 0)
    yield "web-2025-0032", EInvoice("WEB-2025-0032", date(2025, 9, 22), US, _HOTEL, (hired,))
    kits = (_row("Repair kits", "25", "7.99"), _row("Pumps, 8 bar", "5", "19.33"))
    freight = Decimal("6.95")
    third = EInvoice(
        "WEB-2025-0033", date(2025, 10, 13), US, _SCHOOL, kits, charge=freight, note="Delivery at the side door"
    )
    yield "web-2025-0033", third
    cracked = _row("Children's bike, 20 inch: frame cracked", "1", "189.50")
    back = EInvoice("WEB-C-2025-0004", date(2025, 10, 20), US, _SCHOOL, (cracked,), credit_for=school.number)
    yield "web-credit-0004", back


def _bills() -> Iterator[tuple[str, EInvoice]]:
    """What suppliers sent: with tax, without it from abroad, with a discount, in another currency."""
    power = _row("Electricity, kWh", "1893", "0.2417")
    yield _POWER_FILE, EInvoice("2025-11/884213", date(2025, 11, 28), _POWER, US, (power,), days=14)
    steel = (
        _row("Rahmen, Stahl, 54 cm", "20", "118.40", _REVERSE_CHARGE, 0),
        _row("Gabeln", "20", "31.05", _REVERSE_CHARGE, 0),
    )
    yield "RG-70551", EInvoice("RG 70551", date(2025, 8, 4), _STEEL, US, steel)
    paint = (_row("Lak RAL 5010, liter", "7.5", "23.98"), _row("Schuurpapier, vel", "40", "0.85"))
    yield "verf-311", EInvoice("311", date(2025, 7, 14), _PAINT, US, paint, allowance=Decimal("10.00"))
    enamel = _row("Emaille, kg", "4", "61.35", _EXPORT, 0)
    yield "GL-10992", EInvoice("10992", date(2025, 12, 1), _ENAMEL, US, (enamel,), currency="CHF")


def _copy(draft: Draft) -> EInvoice:
    """One of the shop's own invoices as the e-invoice that went to the customer."""
    cafe = Trader("Café De Kade", "", "0106", "45678901", "45678901", "Kade 3", "Rotterdam", "3011 AB", "NL")
    rows = tuple(Row(line["Descr"], line["Qty"], line["Price"]) for line in draft.lines)
    days = (draft.head["DueDate"] - draft.head["InvDate"]).days
    return EInvoice(draft.head["InvoiceNo"], draft.head["InvDate"], US, cafe, rows, days=days)


def render(one: EInvoice) -> bytes:
    """The file's bytes."""
    form = "CreditNote" if one.credit_for else "Invoice"
    root = etree.fromstring(f'<{form} xmlns="{_UBL}{form}-2" xmlns:cac="{_CAC}" xmlns:cbc="{_CBC}"/>')
    due = one.issued + timedelta(days=one.days)
    root.extend([_b("CustomizationID", _CUSTOMIZATION), _b("ProfileID", _PROFILE), _b("ID", one.number)])
    root.append(_b("IssueDate", one.issued.isoformat()))
    if one.credit_for:
        root.append(_b("CreditNoteTypeCode", _CREDIT_CODE))
    else:
        root.extend([_b("DueDate", due.isoformat()), _b("InvoiceTypeCode", _INVOICE_CODE)])
    if one.note:
        root.append(_b("Note", one.note))
    root.extend([_b("DocumentCurrencyCode", one.currency), _b("BuyerReference", "Purchasing")])
    if one.credit_for:
        root.append(_a("BillingReference", _a("InvoiceDocumentReference", _b("ID", one.credit_for))))
    root.append(_a("AccountingSupplierParty", _party(one.seller)))
    root.append(_a("AccountingCustomerParty", _party(one.buyer)))
    root.append(_a("Delivery", _b("ActualDeliveryDate", one.issued.isoformat()), _delivered(one.buyer)))
    root.append(_payment(one, due))
    root.extend(_allowances(one))
    root.append(_tax_total(one))
    root.append(_totals(one))
    root.extend(_lines(one))
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _a(tag: str, *children: etree._Element) -> etree._Element:
    """An element that holds others."""
    element = etree.Element(f"{{{_CAC}}}{tag}")
    element.extend(children)
    return element


def _b(tag: str, text: str, **attributes: str) -> etree._Element:
    """An element that holds a text."""
    element = etree.Element(f"{{{_CBC}}}{tag}", attributes)
    element.text = text
    return element


def _payment(one: EInvoice, due: date) -> etree._Element:
    means = _a("PaymentMeans", _b("PaymentMeansCode", _TRANSFER))
    if one.credit_for:  # a credit note has its due date here (UBL 2.1)
        means.append(_b("PaymentDueDate", due.isoformat()))
    means.extend([_b("PaymentID", one.number), _a("PayeeFinancialAccount", _b("ID", _IBAN))])
    return means


def _party(who: Trader) -> etree._Element:
    party = _a(
        "Party",
        _b("EndpointID", who.endpoint, schemeID=who.scheme),
        _a("PartyName", _b("Name", who.name)),
        _a(
            "PostalAddress",
            _b("StreetName", who.street),
            _b("CityName", who.city),
            _b("PostalZone", who.postcode),
            _a("Country", _b("IdentificationCode", who.country)),
        ),
    )
    if who.vat:
        party.append(_a("PartyTaxScheme", _b("CompanyID", who.vat), _a("TaxScheme", _b("ID", "VAT"))))
    scheme = {"schemeID": who.scheme} if who.registration == who.endpoint else {}
    party.append(_a("PartyLegalEntity", _b("RegistrationName", who.name), _b("CompanyID", who.registration, **scheme)))
    return party


def _delivered(buyer: Trader) -> etree._Element:
    return _a("DeliveryLocation", _a("Address", _a("Country", _b("IdentificationCode", buyer.country))))


def _category(tag: str, category: str, percent: Decimal, *, why: bool = False) -> etree._Element:
    found = _a(tag, _b("ID", category), _b("Percent", f"{percent:f}"))
    if why and category in _REASONS:
        found.append(_b("TaxExemptionReasonCode", _REASONS[category]))
    found.append(_a("TaxScheme", _b("ID", "VAT")))
    return found


def _money(tag: str, value: Decimal, currency: str) -> etree._Element:
    return _b(tag, f"{value:f}", currencyID=currency)


def _allowances(one: EInvoice) -> Iterator[etree._Element]:
    category, percent = one.rows[0].category, one.rows[0].percent
    for is_charge, amount in (("false", one.allowance), ("true", one.charge)):
        if amount:
            yield _a(
                "AllowanceCharge",
                _b("ChargeIndicator", is_charge),
                _b("AllowanceChargeReason", "Freight" if is_charge == "true" else "Discount"),
                _money("Amount", amount, one.currency),
                _category("TaxCategory", category, percent),
            )


def _tax_total(one: EInvoice) -> etree._Element:
    taxes = one.taxes()
    total = _a("TaxTotal", _money("TaxAmount", sum((tax for _, tax in taxes.values()), ZERO), one.currency))
    for (category, percent), (base, tax) in taxes.items():
        total.append(
            _a(
                "TaxSubtotal",
                _money("TaxableAmount", base, one.currency),
                _money("TaxAmount", tax, one.currency),
                _category("TaxCategory", category, percent, why=True),
            )
        )
    return total


def _totals(one: EInvoice) -> etree._Element:
    lines = sum((row.amount for row in one.rows), ZERO)
    net = lines - one.allowance + one.charge
    gross = net + sum((tax for _, tax in one.taxes().values()), ZERO)
    totals = _a(
        "LegalMonetaryTotal",
    )
    for tag, value in (
        ("LineExtensionAmount", lines),
        ("TaxExclusiveAmount", net),
        ("TaxInclusiveAmount", gross),
        ("AllowanceTotalAmount", one.allowance),
        ("ChargeTotalAmount", one.charge),
        ("PayableAmount", gross),
    ):
        if value or tag not in ("AllowanceTotalAmount", "ChargeTotalAmount"):
            totals.append(_money(tag, value, one.currency))
    return totals


def _lines(one: EInvoice) -> Iterator[etree._Element]:
    tag, quantity = ("CreditNoteLine", "CreditedQuantity") if one.credit_for else ("InvoiceLine", "InvoicedQuantity")
    for place, row in enumerate(one.rows, 1):
        yield _a(
            tag,
            _b("ID", str(place)),
            _b(quantity, f"{row.quantity:f}", unitCode="C62"),
            _money("LineExtensionAmount", row.amount, one.currency),
            _a("Item", _b("Name", row.text), _category("ClassifiedTaxCategory", row.category, row.percent)),
            _a("Price", _money("PriceAmount", row.price, one.currency)),
        )
