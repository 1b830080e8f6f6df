"""Rules for documents: sales (Invoice, CreditMemo, SalesReceipt, Estimate) and purchases (Bill, VendorCredit)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from tests.fakes.quickbooks_online import faults
from tests.fakes.quickbooks_online.company import CENT, Company, days_after, money
from tests.fakes.quickbooks_online.fields import Json
from tests.fakes.quickbooks_online.tax import Result, Taxable, global_tax, spread, us_tax


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells one kind of document from another."""

    entity: str
    side: str
    """``sales`` or ``purchase``."""
    party: str
    label: str
    """How the duplicate number message calls it."""
    posts: int
    """1 raises what the party owes or is owed, -1 lowers it, 0 neither."""
    payment_types: tuple[str, ...] = ()


SALES: Final = "sales"
PURCHASE: Final = "purchase"
KINDS: Final = {
    kind.entity: kind
    for kind in (
        Kind("Invoice", SALES, "Customer", "Invoice", 1),
        Kind("CreditMemo", SALES, "Customer", "Credit Memo", -1),
        Kind("SalesReceipt", SALES, "Customer", "Sales Receipt", 0),
        Kind("Estimate", SALES, "Customer", "Estimate", 0),
        Kind("Bill", PURCHASE, "Vendor", "Bill", 1),
        Kind("VendorCredit", PURCHASE, "Vendor", "Vendor Credit", -1),
    )
}
_LINES: Final = {
    SALES: frozenset(("SalesItemLineDetail", "DiscountLineDetail", "DescriptionOnly", "SubTotalLineDetail")),
    PURCHASE: frozenset(("AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail", "DescriptionOnly")),
}
_ONLINE: Final = ("AllowIPNPayment", "AllowOnlinePayment", "AllowOnlineCreditCardPayment", "AllowOnlineACHPayment")


def complete(company: Company, kind: Kind, doc: Json, old: Json | None) -> Json:
    """A checked request body as the whole document that is stored. Raises QboFault."""
    party_name = f"{kind.party}Ref"
    if party_name not in doc and kind.entity != "SalesReceipt":
        raise faults.missing(party_name)
    if not doc.get("Line"):
        raise faults.missing("Line")
    doc.setdefault("TxnDate", company.today())
    company.must_be_open(doc["TxnDate"], old["TxnDate"] if old else None)
    party = company.refer(kind.party, doc[party_name]) if party_name in doc else {}
    if kind.side == PURCHASE:
        doc.setdefault("APAccountRef", _account(company, "AccountsPayable"))
    if kind.entity == "SalesReceipt":
        doc.setdefault("DepositToAccountRef", _account(company, "UndepositedFunds"))
    _refer_head(company, doc)
    _currency(company, doc, party)
    if kind.side == SALES:
        for name in ("BillAddr", "ShipAddr"):
            if name not in doc and name in party:
                doc[name] = dict(party[name])
    lines, parts, discount = _lines(company, kind, doc, old)
    outcome = _tax(company, kind, doc, parts)
    net = sum((part.net for part in parts), Decimal(0)) - discount
    _totals(company, kind, doc, old, lines, net, outcome)
    _due(company, kind, doc, party)
    return doc


def _account(company: Company, sub_type: str) -> Json:
    return {"value": next(a["Id"] for a in company.all("Account").values() if a["AccountSubType"] == sub_type)}


def _refer_head(company: Company, doc: Json) -> None:
    refs = (
        ("APAccountRef", "Account", True),
        ("ARAccountRef", "Account", True),
        ("DepositToAccountRef", "Account", True),
        ("DepartmentRef", "Department", True),
        ("ClassRef", "Class", True),
        ("SalesTermRef", "Term", False),
    )
    for name, entity, named in refs:
        if name in doc:
            company.refer(entity, doc[name], named)
    refer_project(company, doc)


def refer_project(company: Company, holder: Json) -> None:
    """A project is a customer that the maker's project service made."""
    if "ProjectRef" in holder:
        found = company.refer("Customer", holder["ProjectRef"])
        if not found.get("IsProject"):
            raise faults.bad_reference("Projects", holder["ProjectRef"]["value"])


def _currency(company: Company, doc: Json, party: Json) -> None:
    home = company.settings.home_currency
    theirs = party.get("CurrencyRef", {}).get("value", home)
    code = doc.get("CurrencyRef", {}).get("value", theirs)
    if code != home and not company.settings.multi_currency:
        raise faults.business("Multicurrency is not enabled for this company.")
    if code != theirs and party:
        raise faults.business("The transaction currency must be the currency of the customer or vendor.")
    doc["CurrencyRef"] = company.currency_ref(code)
    if not company.settings.multi_currency:
        doc.pop("ExchangeRate", None)
    elif code == home:
        doc["ExchangeRate"] = 1
    else:
        doc.setdefault("ExchangeRate", company.rate_of(code, doc["TxnDate"]))


def exact(name: str, amount: Any) -> Decimal:
    """An amount of a request. Raises QboFault 6000 when it has parts of a cent."""
    value = Decimal(amount)
    if value != value.quantize(CENT):
        raise faults.business(f"{name} {value} has more than 2 decimal places.")
    return value.quantize(CENT)


def _lines(company: Company, kind: Kind, doc: Json, old: Json | None) -> tuple[list[Json], list[Taxable], Decimal]:
    """The lines as stored, those that tax looks at, and the discount on the whole."""
    kept = {line["Id"] for line in (old or {}).get("Line", []) if "Id" in line}
    following = max((int(key) for key in kept), default=0)
    lines: list[Json] = []
    parts: list[Taxable] = []
    discounts: list[Json] = []
    for given in doc["Line"]:
        line, how = given, given.get("DetailType")
        if how is None:
            raise faults.missing("Line.DetailType")
        if how not in _LINES[kind.side]:
            raise faults.business(f"The line type {how} cannot be used here.")
        if how == "SubTotalLineDetail":
            continue
        if how == "DiscountLineDetail":
            discounts.append(line)
            continue
        if line.get("Id") not in kept:
            following += 1
            line = {**given, "Id": str(following)}
        line["LineNum"] = len(lines) + 1
        lines.append(line)
        if how != "DescriptionOnly":
            parts.append(_detail(company, kind, line))
    if not parts:
        raise faults.missing("Line")
    discount = _discount(company, doc, parts, discounts)
    doc["Line"] = [*lines, *discounts] if kind.side == PURCHASE else lines
    return discounts, parts, discount


def _detail(company: Company, kind: Kind, line: Json) -> Taxable:
    how = line["DetailType"]
    detail = line.get(how)
    if detail is None:
        raise faults.missing(how)
    if kind.side == SALES and "Amount" not in line and "UnitPrice" in detail and "Qty" in detail:
        line["Amount"] = money(Decimal(detail["UnitPrice"]) * Decimal(detail["Qty"]))
    if "Amount" not in line:
        raise faults.missing("Line.Amount")
    amount = exact("Line.Amount", line["Amount"])
    if "UnitPrice" in detail and "Qty" in detail and "TaxInclusiveAmt" not in detail:
        wanted = (Decimal(detail["UnitPrice"]) * Decimal(detail["Qty"])).quantize(CENT, ROUND_HALF_UP)
        if wanted != amount:
            raise faults.amount_mismatch(f"{amount:,f}")
    if how == "AccountBasedExpenseLineDetail":
        if "AccountRef" not in detail:
            raise faults.missing("AccountRef")
        account = company.refer("Account", detail["AccountRef"])
        if account["AccountType"] in ("Accounts Receivable", "Accounts Payable"):
            raise faults.bad_reference("Accounts", account["Id"], "is invalid")
    else:
        _item(company, detail)
    for name, entity in (("ClassRef", "Class"), ("CustomerRef", "Customer")):
        if name in detail:
            company.refer(entity, detail[name])
    if detail.get("BillableStatus") == "Billable" and "CustomerRef" not in detail:
        raise faults.business("A billable line needs a customer.")
    if kind.side == PURCHASE:
        detail.setdefault("BillableStatus", "NotBillable")
    refer_project(company, line)
    line["Amount"] = money(amount)
    return Taxable(line, detail, amount)


def _item(company: Company, detail: Json) -> None:
    if "ItemRef" not in detail:
        raise faults.missing("ItemRef")
    if detail["ItemRef"]["value"] == "SHIPPING_ITEM_ID":
        if not company.settings.allow_shipping:
            raise faults.business("Shipping is not enabled for this company.")
        return
    item = company.refer("Item", detail["ItemRef"])
    if item["Type"] in ("Category", "Group"):
        why = "An item in this transaction is set up as a category instead of a product or service."
        raise faults.fault("2500", "Invalid Reference Id", f"Invalid Reference Id : {why}", "Reference Id")
    if "ItemAccountRef" in detail:
        company.refer("Account", detail["ItemAccountRef"])


def _discount(company: Company, doc: Json, parts: list[Taxable], lines: list[Json]) -> Decimal:
    if not lines:
        return Decimal(0)
    if len(lines) > 1 or not company.settings.allow_discount:
        raise faults.business("This company allows no discount line, or the transaction has more than one.")
    detail = lines[0].get("DiscountLineDetail") or {}
    net = sum((part.net for part in parts), Decimal(0))
    if detail.get("PercentBased"):
        amount = (net * Decimal(detail.get("DiscountPercent", 0)) / 100).quantize(CENT, ROUND_HALF_UP)
    else:
        amount = exact("Line.Amount", lines[0].get("Amount", 0))
    if "DiscountAccountRef" in detail:
        company.refer("Account", detail["DiscountAccountRef"])
    lines[0]["Amount"] = money(amount)
    lines[0]["DiscountLineDetail"] = {"PercentBased": False, **detail}
    for part, share in zip(parts, spread(amount, [part.net for part in parts]), strict=True):
        part.discount = share
    return amount


def _tax(company: Company, kind: Kind, doc: Json, parts: list[Taxable]) -> Result:
    if company.settings.country != "US":
        return global_tax(company, doc, parts, kind.side)
    if "GlobalTaxCalculation" in doc:
        # The US form of the service has no such choice and drops it.
        del doc["GlobalTaxCalculation"]
    if kind.side == PURCHASE:
        for part in parts:
            part.detail.setdefault("TaxCodeRef", {"value": "NON"})
        return Result()
    return us_tax(company, doc, parts)


def _totals(
    company: Company, kind: Kind, doc: Json, old: Json | None, discounts: list[Json], net: Decimal, outcome: Result
) -> None:
    total = net + outcome.total
    if total < 0:
        raise faults.business("Transaction amount must be 0 or greater.")
    if kind.side == SALES:
        subtotal = net + sum((Decimal(line["Amount"]) for line in discounts), Decimal(0))
        doc["Line"] += [
            {"Amount": money(subtotal), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
            *discounts,
        ]
        doc["TxnTaxDetail"] = outcome.detail()
        doc.setdefault("ApplyTaxAfterDiscount", False)
        doc.setdefault("PrintStatus", "NeedToPrint")
        doc.setdefault("EmailStatus", "NotSet")
        doc.setdefault("CustomField", [{"DefinitionId": "1", "Name": "Crew #", "Type": "StringType"}])
    else:
        doc.pop("TxnTaxDetail", None)
        if company.settings.country != "US":
            doc["TxnTaxDetail"] = outcome.detail()
    if kind.entity == "Estimate":
        doc.setdefault("TxnStatus", "Pending")
    if kind.entity == "Invoice":
        for name in _ONLINE:
            doc.setdefault(name, False)
    links = (old or {}).get("LinkedTxn", [])
    paid = Decimal((old or {}).get("TotalAmt", 0)) - open_amount(old) if old else Decimal(0)
    if total < paid:
        raise faults.business("The payments on this transaction are more than its new amount.")
    if kind.posts:
        doc["LinkedTxn"] = links
    doc["TotalAmt"] = money(total)
    set_open(company, kind, doc, total - paid if kind.posts else Decimal(0))
    if company.settings.multi_currency:
        doc["HomeTotalAmt"] = money(total * Decimal(doc["ExchangeRate"]))


def open_amount(doc: Json | None) -> Decimal:
    """What is not paid or applied yet."""
    return Decimal((doc or {}).get("Balance", 0))


def set_open(company: Company, kind: Kind, doc: Json, amount: Decimal) -> None:
    """Put the open amount into the fields that show it."""
    if kind.entity == "Estimate":
        return
    doc["Balance"] = money(amount)
    if kind.entity == "CreditMemo":
        doc["RemainingCredit"] = money(amount)
    if company.settings.multi_currency and kind.posts:
        doc["HomeBalance"] = money(amount * Decimal(doc["ExchangeRate"]))


def _due(company: Company, kind: Kind, doc: Json, party: Json) -> None:
    if kind.entity not in ("Invoice", "Bill") or "DueDate" in doc:
        return
    term = company.all("Term").get(doc.get("SalesTermRef", {}).get("value", ""))
    days = int(term["DueDays"]) if term and "DueDays" in term else 30
    doc["DueDate"] = days_after(doc["TxnDate"], days)


def number(company: Company, kind: Kind, doc: Json, old: Json | None, duplicates: bool) -> None:
    """Give the document its number. Raises QboFault 6140 when it is taken and that is not allowed."""
    settings = company.settings
    automatic = doc.pop("AutoDocNumber", False) or doc.get("DocNumber") == "AUTO_GENERATE"
    if kind.side == SALES and (automatic or (not settings.custom_numbers and not doc.get("DocNumber") and not old)):
        while company.index.get(("Invoice", "DocNumber"), {}).get(str(company.next_number)):
            company.next_number += 1
        doc["DocNumber"] = str(company.next_number)
        company.next_number += 1
    if not doc.get("DocNumber"):
        doc.pop("DocNumber", None)
        return
    if duplicates or (old and old.get("DocNumber") == doc["DocNumber"]):
        return
    if kind.side == SALES and not (settings.custom_numbers and settings.warn_duplicate_numbers):
        return
    if kind.side == PURCHASE and not settings.warn_duplicate_bill_numbers:
        return
    for other in company.having(kind.entity, "DocNumber", [doc["DocNumber"]]) or ():
        same = kind.side == SALES or other["VendorRef"]["value"] == doc["VendorRef"]["value"]
        if same and (old is None or other["Id"] != old["Id"]):
            raise faults.duplicate_number(doc["DocNumber"], kind.label, other["Id"])


def shift(company: Company, kind: Kind, doc: Json, amount: Decimal) -> None:
    """Move the balance of a document's party by an amount, and of the customers above a job."""
    if not amount or not kind.posts:
        return
    key = doc[f"{kind.party}Ref"]["value"]
    party = company.all(kind.party).get(key)
    first = True
    while party is not None:
        if first:
            party["Balance"] = money(Decimal(party.get("Balance", 0)) + amount * kind.posts)
        if kind.party == "Customer":
            party["BalanceWithJobs"] = money(Decimal(party.get("BalanceWithJobs", 0)) + amount * kind.posts)
        company.touch(kind.party, party)
        party = company.all(kind.party).get(party.get("ParentRef", {}).get("value", ""))
        first = False


def voided(company: Company, kind: Kind, doc: Json) -> Json:
    """A document with all amounts at nothing and the note that says so."""
    if doc.get("LinkedTxn"):
        raise faults.business("Payments are applied to this transaction. Remove them before voiding it.")
    lines = []
    for line in doc["Line"]:
        how = line["DetailType"]
        detail = {**line.get(how, {})}
        for name in ("TaxInclusiveAmt", "Qty"):
            if name in detail:
                detail[name] = 0
        lines.append({**line, "Amount": 0, how: detail} if how in line else {**line, "Amount": 0})
    note = doc.get("PrivateNote")
    changed = {**doc, "PrivateNote": f"Voided - {note}" if note else "Voided", "Line": lines}
    changed |= {"TxnTaxDetail": {"TotalTax": 0}, "TotalAmt": 0}
    if company.settings.multi_currency:
        changed["HomeTotalAmt"] = 0
    set_open(company, kind, changed, Decimal(0))
    return changed
