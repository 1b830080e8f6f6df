"""Customer payments and bill payments, and the open amounts that they settle."""

from decimal import Decimal
from typing import Final

from tests.fakes.quickbooks_online import faults
from tests.fakes.quickbooks_online.company import Company, money
from tests.fakes.quickbooks_online.fields import Json
from tests.fakes.quickbooks_online.transactions import KINDS, exact, open_amount, set_open, shift

PARTIES: Final = {"Payment": "Customer", "BillPayment": "Vendor"}
_SETTLES: Final = {"Payment": ("Invoice", "CreditMemo"), "BillPayment": ("Bill", "VendorCredit")}


def complete(company: Company, entity: str, doc: Json, old: Json | None) -> Json:
    """A checked request body as the whole payment. Call ``settle`` after it is stored. Raises QboFault."""
    party = PARTIES[entity]
    if f"{party}Ref" not in doc:
        raise faults.missing(f"{party}Ref")
    if "TotalAmt" not in doc:
        raise faults.business("You must set a transaction amount.")
    doc.setdefault("TxnDate", company.today())
    company.must_be_open(doc["TxnDate"], old["TxnDate"] if old else None)
    owner = company.refer(party, doc[f"{party}Ref"])
    code = owner.get("CurrencyRef", {}).get("value", company.settings.home_currency)
    doc["CurrencyRef"] = company.currency_ref(code)
    if company.settings.multi_currency:
        doc.setdefault("ExchangeRate", company.rate_of(code, doc["TxnDate"]))
    else:
        doc.pop("ExchangeRate", None)
    total = exact("TotalAmt", doc["TotalAmt"])
    used = _lines(company, entity, doc)
    if used > total or (entity == "BillPayment" and used != total):
        raise faults.business("The amount applied does not fit the amount of the payment.")
    doc["TotalAmt"] = money(total)
    if entity == "Payment":
        doc["UnappliedAmt"] = money(total - used)
        doc.setdefault("ProcessPayment", False)
        if "DepositToAccountRef" not in doc:
            doc["DepositToAccountRef"] = {"value": _account(company, "UndepositedFunds")}
        company.refer("Account", doc["DepositToAccountRef"], name=False)
    else:
        _pay_from(company, doc)
    return doc


def _account(company: Company, sub_type: str) -> str:
    return str(next(a["Id"] for a in company.all("Account").values() if a.get("AccountSubType") == sub_type))


def _pay_from(company: Company, doc: Json) -> None:
    how = doc.get("PayType")
    if how is None:
        raise faults.missing("PayType")
    holder, name = ("CheckPayment", "BankAccountRef") if how == "Check" else ("CreditCardPayment", "CCAccountRef")
    if name not in doc.get(holder, {}):
        raise faults.missing(f"{holder}.{name}")
    company.refer("Account", doc[holder][name])
    if how == "Check":
        doc[holder].setdefault("PrintStatus", "NotSet")


def _lines(company: Company, entity: str, doc: Json) -> Decimal:
    """Check what the payment is applied to; the amount that it uses up, credits taken off."""
    used = Decimal(0)
    for line in doc.setdefault("Line", []):
        links = line.get("LinkedTxn") or []
        if len(links) != 1 or "Amount" not in line:
            raise faults.missing("Line.LinkedTxn" if "Amount" in line else "Line.Amount")
        kind, target = _target(company, entity, links[0])
        amount = exact("Line.Amount", line["Amount"])
        party = f"{PARTIES[entity]}Ref"
        if target[party]["value"] != doc[party]["value"]:
            raise faults.business("The transaction to be paid belongs to somebody else.")
        if amount > open_amount(target) or amount < 0:
            raise faults.business("The amount applied is more than the open balance of the transaction.")
        line["Amount"] = money(amount)
        used += amount * KINDS[kind].posts
    return used


def _target(company: Company, entity: str, link: Json) -> tuple[str, Json]:
    kind, key = str(link.get("TxnType", "")), str(link.get("TxnId", ""))
    if kind not in _SETTLES[entity]:
        raise faults.business(f"A {entity} cannot be applied to {kind or 'nothing'}.")
    if key not in company.all(kind) or (kind, key) in company.hidden:
        raise faults.bad_reference("Transactions", key)
    return kind, company.all(kind)[key]


def settle(company: Company, entity: str, payment: Json, sign: int) -> None:
    """Apply a stored payment to what it pays (1), or take it off again (-1)."""
    shown = "Payment" if entity == "Payment" else f"BillPayment{payment['PayType']}"
    for line in payment.get("Line", []):
        link = line["LinkedTxn"][0]
        kind = KINDS[link["TxnType"]]
        target = company.all(kind.entity).get(link["TxnId"])
        if target is None:
            continue
        amount = Decimal(line["Amount"]) * sign
        set_open(company, kind, target, open_amount(target) - amount)
        mine = {"TxnId": payment["Id"], "TxnType": shown}
        others = [other for other in target.get("LinkedTxn", []) if other != mine]
        target["LinkedTxn"] = [*others, mine] if sign > 0 else others
        company.touch(kind.entity, target, bump=True)
        shift(company, kind, target, -amount)
    if entity == "Payment":
        # What is not applied yet is the customer's credit.
        shift(company, KINDS["CreditMemo"], payment, Decimal(payment["UnappliedAmt"]) * sign)


def voided(doc: Json) -> Json:
    """A payment that pays nothing."""
    note = doc.get("PrivateNote")
    changed = {**doc, "PrivateNote": f"Voided - {note}" if note else "Voided", "Line": [], "TotalAmt": 0}
    if "UnappliedAmt" in doc:
        changed["UnappliedAmt"] = 0
    return changed
