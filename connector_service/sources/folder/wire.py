"""What the readers find in a file, before it becomes a document: the facts of an e-invoice in either syntax.

Names in brackets (BT-1, BG-20 …) are those of the European standard EN 16931-1, to which both syntaxes are bound.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from connector_service.domain.money import ZERO

CREDIT_CODES: Final = frozenset(
    {"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"}
)
"""Document types that give back (UNTDID 1001, as EN 16931 sorts its subset into invoices and credit notes)."""
SELF_BILLED_CODES: Final = frozenset({"261", "389", "471", "473", "500", "501", "502", "527"})
"""Document types that the buyer issues in the seller's name (UNTDID 1001)."""
PRO_FORMA: Final = "325"
"""A pro forma invoice (UNTDID 1001): an offer in the form of an invoice, which is not booked."""


class Unfit(Exception):
    """A file, or a part of it, that cannot become a document: why, and what to do."""

    def __init__(self, reason: str, fix: str) -> None:
        """Both are sentences for the person who dropped the file."""
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


class NotYet(Exception):
    """A file that is not whole yet, or has gone: it is left alone until the next look."""


class Id(NamedTuple):
    """An identifier of a party, and the scheme that gave it (an ISO 6523 code, or what the file says) or none."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyFacts:
    """A seller, buyer, payee or tax representative."""

    name: str = ""
    vat: str = ""
    """VAT identifier (BT-31, BT-48)."""
    legal: tuple[Id, ...] = ()
    """Legal registration (BT-30, BT-47)."""
    endpoint: Id | None = None
    """Electronic address (BT-34, BT-49)."""
    ids: tuple[Id, ...] = ()
    """Other identifiers (BT-29, BT-46)."""
    tax_numbers: tuple[str, ...] = ()
    """Tax registrations that are not for VAT (BT-32)."""
    country: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeFacts:
    """An allowance or charge on the document (BG-20, BG-21)."""

    amount: Decimal
    """Without tax."""
    is_charge: bool
    tax_code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """One line (BG-25)."""

    number: str
    description: str
    quantity: Decimal
    amount: Decimal
    """Net amount of the line (BT-131): allowances and charges of the line are in it."""
    unit_price: Decimal | None = None
    """Net price for one unit: the price divided by its base quantity, where that comes out even."""
    allowances: Decimal = ZERO
    charges: Decimal = ZERO
    tax_code: str = ""
    seller_item: str = ""
    buyer_item: str = ""
    cost: str = ""
    """The buyer's accounting reference (BT-133)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFile:
    """A supporting document (BG-24): inside the file, or at an address that is never fetched."""

    name: str
    media_type: str
    base64: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxPart:
    """A row of the VAT breakdown (BG-23)."""

    tax_code: str
    basis: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFacts:
    """One e-invoice or credit note, amounts as the file states them, sign and all."""

    form: str
    """Name of the root element, for messages and rules."""
    is_cii: bool
    customization: str
    """Specification identifier (BT-24)."""
    number: str
    issued: date
    type_code: str
    is_credit: bool
    self_billed: bool
    currency: str
    seller: PartyFacts
    buyer: PartyFacts
    payee: PartyFacts | None = None
    representative: PartyFacts | None = None
    due: date | None = None
    terms: str = ""
    notes: tuple[str, ...] = ()
    project: str = ""
    cost: str = ""
    """The buyer's accounting reference for the whole document (BT-19)."""
    buyer_reference: str = ""
    order: str = ""
    names_order_lines: bool = False
    names_preceding: bool = False
    payment_codes: tuple[str, ...] = ()
    lines: tuple[LineFacts, ...] = ()
    charges: tuple[ChargeFacts, ...] = ()
    breakdown: tuple[TaxPart, ...] = ()
    net_total: Decimal | None = None
    """Total without tax (BT-109)."""
    tax_total: Decimal = ZERO
    """Tax in the document's currency (BT-110)."""
    total: Decimal
    """With tax and payable rounding, before prepayments (BT-112 + BT-114)."""
    payable: Decimal = ZERO
    rounding: Decimal = ZERO
    embedded: tuple[EmbeddedFile, ...] = field(default=())
