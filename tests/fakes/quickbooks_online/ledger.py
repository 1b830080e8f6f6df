"""The general ledger of a company, worked out from its documents when somebody asks. In home currency."""

from collections import defaultdict
from decimal import Decimal

from tests.fakes.quickbooks_online.company import Company
from tests.fakes.quickbooks_online.fields import Json
from tests.fakes.quickbooks_online.tax import cents


def totals(company: Company) -> dict[str, Decimal]:
    """Account name to balance, debit positive. The sum of all is nothing."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entity, sign in (("Invoice", 1), ("SalesReceipt", 1), ("CreditMemo", -1)):
        for doc in company.all(entity).values():
            _sale(company, entity, doc, sign, found)
    for entity, sign in (("Bill", 1), ("VendorCredit", -1)):
        for doc in company.all(entity).values():
            _purchase(company, doc, sign, found)
    for doc in company.all("Payment").values():
        amount = _home(doc, doc["TotalAmt"])
        found[_name(company, doc["DepositToAccountRef"]["value"])] += amount
        found[_type(company, "Accounts Receivable")] -= amount
    for doc in company.all("BillPayment").values():
        amount = _home(doc, doc["TotalAmt"])
        check = doc["PayType"] == "Check"
        ref = doc["CheckPayment"]["BankAccountRef"] if check else doc["CreditCardPayment"]["CCAccountRef"]
        found[_name(company, ref["value"])] -= amount
        found[_type(company, "Accounts Payable")] += amount
    return {name: amount for name, amount in sorted(found.items()) if amount}


def _home(doc: Json, amount: object) -> Decimal:
    return cents(Decimal(str(amount)) * Decimal(doc.get("ExchangeRate", 1)))


def _name(company: Company, key: str) -> str:
    return str(company.all("Account")[key]["FullyQualifiedName"])


def _type(company: Company, kind: str) -> str:
    return next(str(a["FullyQualifiedName"]) for a in company.all("Account").values() if a["AccountType"] == kind)


def _sub_type(company: Company, kind: str) -> str:
    accounts = company.all("Account").values()
    return next(str(a["FullyQualifiedName"]) for a in accounts if a.get("AccountSubType") == kind)


def _sale(company: Company, entity: str, doc: Json, sign: int, found: defaultdict[str, Decimal]) -> None:
    if entity == "SalesReceipt":
        main = _name(company, doc["DepositToAccountRef"]["value"])
    else:
        main = _type(company, "Accounts Receivable")
    parts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in doc["Line"]:
        if line["DetailType"] == "SalesItemLineDetail":
            parts[_income(company, line["SalesItemLineDetail"])] -= _home(doc, line["Amount"])
        elif line["DetailType"] == "DiscountLineDetail":
            ref = line["DiscountLineDetail"].get("DiscountAccountRef")
            name = _name(company, ref["value"]) if ref else _sub_type(company, "DiscountsRefundsGiven")
            parts[name] += _home(doc, line["Amount"])
    _post(company, doc, main, parts, -1, sign, found)


def _income(company: Company, detail: Json) -> str:
    if "ItemAccountRef" in detail:
        return _name(company, detail["ItemAccountRef"]["value"])
    item = company.all("Item").get(detail["ItemRef"]["value"], {})
    if "IncomeAccountRef" in item:
        return _name(company, item["IncomeAccountRef"]["value"])
    return _sub_type(company, "ServiceFeeIncome")


def _purchase(company: Company, doc: Json, sign: int, found: defaultdict[str, Decimal]) -> None:
    parts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in doc["Line"]:
        if line["DetailType"] == "AccountBasedExpenseLineDetail":
            ref = line["AccountBasedExpenseLineDetail"]["AccountRef"]
        elif line["DetailType"] == "ItemBasedExpenseLineDetail":
            item = company.all("Item")[line["ItemBasedExpenseLineDetail"]["ItemRef"]["value"]]
            ref = item.get("AssetAccountRef") or item.get("ExpenseAccountRef") or item["IncomeAccountRef"]
        else:
            continue
        parts[_name(company, ref["value"])] += _home(doc, line["Amount"])
    _post(company, doc, _name(company, doc["APAccountRef"]["value"]), parts, 1, sign, found)


def _post(
    company: Company,
    doc: Json,
    main: str,
    parts: dict[str, Decimal],
    side: int,
    sign: int,
    found: defaultdict[str, Decimal],
) -> None:
    total = _home(doc, doc["TotalAmt"])
    tax = _home(doc, doc.get("TxnTaxDetail", {}).get("TotalTax", 0))
    found[main] -= total * side * sign
    for name, amount in parts.items():
        found[name] += amount * sign
    if tax:
        found[_sub_type(company, "SalesTaxPayable")] += tax * side * sign
    # A foreign document's parts may miss its total by cents of home currency.
    rest = total * side - sum(parts.values(), Decimal(0)) - tax * side
    if rest:
        found[_sub_type(company, "ExchangeGainOrLoss")] += rest * sign
