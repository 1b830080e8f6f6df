"""From the facts of an e-invoice to a document, to the cent; pure."""

import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from connector_service.domain.documents import DOCUMENT_TYPES, Attachment, Invoice, Line
from connector_service.domain.kinds import Kind
from connector_service.domain.money import ZERO, round_money
from connector_service.sources.folder.parties import Own, party_key, same_party
from connector_service.sources.folder.wire import PRO_FORMA, ChargeFacts, InvoiceFacts, LineFacts, Unfit

_KINDS: Final = {
    (True, False): Kind.SALES_INVOICE,
    (True, True): Kind.SALES_CREDIT_NOTE,
    (False, False): Kind.VENDOR_BILL,
    (False, True): Kind.VENDOR_CREDIT,
}


def kind_of(facts: InvoiceFacts, own: Own) -> Kind:
    """Sale or purchase, invoice or credit; raises ``Unfit`` where the file does not tell for sure.

    Seller and buyer keep their roles in a self-billed document (EN 16931, 3.2), so that only these decide: what our
    customer makes out in our name is a sale. An invoice with a negative total is a credit.
    """
    if facts.type_code == PRO_FORMA:
        raise Unfit(
            "This is a pro forma invoice (type 325), which is an offer and is not booked.",
            "Drop the invoice itself when it comes.",
        )
    if facts.is_credit and facts.total < 0:
        raise Unfit(
            f"This is a credit note with a negative total ({facts.total} {facts.currency}). It may mean that money is "
            "given back or that it is asked for, and senders do both.",
            "Ask the sender which is meant, and for a credit note with a positive total or an invoice.",
        )
    return _KINDS[own.is_seller(facts), facts.is_credit or facts.total < 0]


def key_of(facts: InvoiceFacts) -> str:
    """What makes it the same document however often it is dropped: who gave the number, and the number.

    The number identifies an invoice uniquely for the one who gives it (Directive 2006/112/EC, article 226 (2)): the
    seller. A self-billed one has a number that the buyer gives, perhaps from a series for each seller, so that both are
    in its key. Raises ``Unfit`` where one of them is missing.
    """
    seller, number = party_key(facts.seller), _number(facts)
    issuer = seller
    if facts.self_billed:
        buyer = party_key(facts.buyer)
        issuer = f"{buyer}/{seller}" if buyer and seller else ""
    if not issuer or not number:
        what = "its number (ID)" if issuer else "who gave it its number"
        raise Unfit(
            f"The invoice does not name {what}, so that it could not be told from others.",
            "Ask the sender for an invoice with its number and with the seller's name or VAT number.",
        )
    return f"{issuer}/{number}"


def _number(facts: InvoiceFacts) -> str:
    return unicodedata.normalize("NFC", facts.number)


def to_document(facts: InvoiceFacts, own: Own, attachments: Sequence[Attachment] = ()) -> Invoice:
    """The document that the facts are; raises ``Unfit``."""
    kind = kind_of(facts, own)
    sign = Decimal(-1) if facts.total < 0 else Decimal(1)
    party = facts.buyer if kind.is_sales else facts.seller
    other_payee = facts.payee is not None and not same_party(facts.payee, facts.seller)
    fields: dict[str, Any] = {
        "key": key_of(facts),
        "number": _number(facts),
        "date": facts.issued,
        "due_date": facts.due,
        "party_key": party_key(party),
        "party_name": party.name,
        "currency": facts.currency,
        "total": sign * facts.total,
        "tax_total": sign * facts.tax_total,
        "rounding": sign * facts.rounding,
        "care_of_key": party_key(facts.payee) if facts.payee is not None and other_payee else "",
        "project": facts.project,
        "attachments": tuple(attachments),
        **_terms_and_note(facts),
    }
    if not fields["party_key"]:
        side = "buyer" if kind.is_sales else "seller"
        raise Unfit(f"The invoice does not say who the {side} is.", f"Ask the sender to name the {side}.")
    if facts.lines:
        lines = [_line(line, facts, kind, sign) for line in facts.lines]
        fields |= _discount_and_freight(facts, sign, lines)
    else:
        lines = _lines_of_totals(facts, kind, sign)
    return DOCUMENT_TYPES[kind](**fields, lines=tuple(lines))  # type: ignore[no-any-return]


def _terms_and_note(facts: InvoiceFacts) -> dict[str, str]:
    """Payment terms are free text here. Beside a due date they are nothing to look up, and become part of the note."""
    notes = list(dict.fromkeys(facts.notes))
    if facts.terms and (facts.due is not None or "\n" in facts.terms):
        return {"terms": "", "note": "\n".join((*notes, facts.terms))}
    return {"terms": facts.terms, "note": "\n".join(notes)}


def _line(line: LineFacts, facts: InvoiceFacts, kind: Kind, sign: Decimal) -> Line:
    discount = line.allowances - line.charges
    price = line.unit_price
    # A net charge is no discount, and a price that does not lead to the amount would mislead a target that multiplies.
    if discount < 0 or (
        price is not None
        and abs(round_money(line.quantity * price - discount, facts.currency) - line.amount) > Decimal("0.01")
    ):
        price, discount = None, max(discount, ZERO)
    return Line(
        number=line.number,
        description=line.description,
        quantity=sign * line.quantity,
        unit_price=price,
        discount=sign * discount,
        amount=sign * line.amount,
        tax_code=line.tax_code,
        # Each party has its own item numbers, and the accounting reference is the buyer's.
        item=line.seller_item if kind.is_sales else line.buyer_item,
        cost_code="" if kind.is_sales else line.cost or facts.cost,
        project=facts.project,
    )


def _discount_and_freight(facts: InvoiceFacts, sign: Decimal, lines: list[Line]) -> dict[str, Any]:
    """Header discount and freight where each has one tax code; what has several becomes lines."""
    fields: dict[str, Any] = {}
    for name, is_charge in (("discount", False), ("freight", True)):
        found = [each for each in facts.charges if each.is_charge is is_charge and each.amount]
        if len({each.tax_code for each in found}) == 1:
            fields[name] = sign * sum((each.amount for each in found), ZERO)
            fields[f"{name}_tax_code"] = found[0].tax_code
        else:
            lines += [_charge_line(each, sign, facts.project) for each in found]
    return fields


def _charge_line(charge: ChargeFacts, sign: Decimal, project: str) -> Line:
    amount = sign * (charge.amount if charge.is_charge else -charge.amount)
    description = charge.reason or ("Charge" if charge.is_charge else "Allowance")
    return Line(description=description, amount=amount, tax_code=charge.tax_code, project=project)


def _lines_of_totals(facts: InvoiceFacts, kind: Kind, sign: Decimal) -> list[Line]:
    """Lines for a document without: one a row of the VAT breakdown (BASIC WL), or one in all (MINIMUM)."""
    net = facts.net_total if facts.net_total is not None else facts.total - facts.rounding - facts.tax_total
    cost = "" if kind.is_sales else facts.cost
    if facts.breakdown and sum((part.basis for part in facts.breakdown), ZERO) == net:
        return [
            Line(
                number=str(place),
                description=f"Invoice {facts.number}, taxed as {part.tax_code or 'not said'}",
                amount=sign * part.basis,
                tax_code=part.tax_code,
                cost_code=cost,
                project=facts.project,
            )
            for place, part in enumerate(facts.breakdown, 1)
        ]
    return [
        Line(
            number="1",
            description=f"Invoice {facts.number}, total without tax",
            amount=sign * net,
            cost_code=cost,
            project=facts.project,
        )
    ]
