"""The rules that SI-UBL 2.0 / NLCIUS adds to EN 16931 for files that claim to follow it; the fatal ones, BR-NL-1 to 13.

Source: gebruiksinstructie basisfactuur 1.0 (stpe.nl), pages 87 and on. Rules with numbers above 13 are advice there.
"""

from typing import Final

from connector_service.sources.folder.wire import Id, InvoiceFacts, PartyFacts, Unfit

_CLAIMS: Final = ("urn:fdc:nen.nl:nlcius:v1.0", "urn:fdc:nen.nl:gaccount:v1.0")
_DUTCH_REGISTERS: Final = ("0106", "0190")
_TYPES: Final = ("380", "381", "384", "389")
_MEANS: Final = ("30", "48", "49", "57", "58", "59")
_FIX: Final = "Ask the supplier to mend this and to send the invoice again."


def check(facts: InvoiceFacts) -> None:
    """Raise ``Unfit`` with the rules that the document breaks; documents that do not claim NLCIUS are left alone."""
    if not any(claim in facts.customization for claim in _CLAIMS):
        return
    broken = _for_all(facts)
    if facts.seller.country == "NL":
        broken += _for_dutch_sellers(facts)
    if broken:
        raise Unfit(f"The invoice claims to follow the Dutch rules (NLCIUS) and does not: {' '.join(broken)}", _FIX)


def _for_all(facts: InvoiceFacts) -> list[str]:
    if facts.names_order_lines and not facts.order:
        return ["BR-NL-13: it names lines of an order, but not the order."]
    return []


def _for_dutch_sellers(facts: InvoiceFacts) -> list[str]:
    dutch_buyer = facts.buyer.country == "NL"
    representative = facts.representative
    # A type code that does not fit the root element can only be seen in UBL, which has a root for each.
    misnamed = not facts.is_cii and (facts.type_code == "381") != (facts.form == "CreditNote")
    pays_nothing = facts.payable <= 0 or (facts.form == "CreditNote" if not facts.is_cii else facts.type_code == "381")
    rules = (
        (
            not _registered(facts.seller.legal),
            "BR-NL-1: a Dutch supplier must give its KvK or OIN number (0106, 0190).",
        ),
        (not (facts.buyer_reference or facts.order), "BR-NL-2: it names neither a buyer reference nor an order."),
        (not _addressed(facts.seller), "BR-NL-3: the supplier's street, city or postcode is missing."),
        (dutch_buyer and not _addressed(facts.buyer), "BR-NL-4: the customer's street, city or postcode is missing."),
        (
            representative is not None and representative.country == "NL" and not _addressed(representative),
            "BR-NL-5: the tax representative's street, city or postcode is missing.",
        ),
        (facts.type_code not in _TYPES, "BR-NL-7: its type is not one of 380, 381, 384, 389."),
        (misnamed, "BR-NL-8: type 381 and the form CreditNote go together."),
        (
            facts.type_code == "384" and not facts.names_preceding,
            "BR-NL-9: a corrective invoice must name the invoice that it corrects.",
        ),
        (
            dutch_buyer and not _registered(facts.buyer.legal),
            "BR-NL-10: a Dutch customer must be named with its KvK or OIN number (0106, 0190).",
        ),
        (not pays_nothing and not facts.payment_codes, "BR-NL-11: the means of payment (PaymentMeans) are missing."),
        (
            any(code not in _MEANS for code in facts.payment_codes),
            "BR-NL-12: the means of payment must be one of 30, 48, 49, 57, 58, 59.",
        ),
    )
    return [what for is_broken, what in rules if is_broken]


def _registered(ids: tuple[Id, ...]) -> bool:
    return any(each.scheme in _DUTCH_REGISTERS and each.value for each in ids)


def _addressed(party: PartyFacts) -> bool:
    return bool(party.street and party.city and party.postcode)
