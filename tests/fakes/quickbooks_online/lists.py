"""Rules for list records: people, items, accounts, taxes, dimensions, terms, currencies; and for time activities."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from tests.fakes.quickbooks_online import faults
from tests.fakes.quickbooks_online.company import PEOPLE, Company
from tests.fakes.quickbooks_online.fields import Json
from tests.fakes.quickbooks_online.transactions import refer_project

Rule = Callable[[Company, Json, Json | None], None]
_NAMES: Final = ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
_PARENTS: Final = {"Class": "SubClass", "Department": "SubDepartment", "Account": "SubAccount", "Item": "SubItem"}
_CLASSIFICATION: Final = {
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Expense": "Expense",
    "Other Expense": "Expense",
    "Cost of Goods Sold": "Expense",
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
    "Equity": "Equity",
}


def complete(company: Company, entity: str, record: Json, old: Json | None) -> Json:
    """A checked request body as the whole record that is stored. Raises QboFault."""
    if entity in PEOPLE:
        _person(company, entity, record, old)
    elif entity in RULES:
        if entity != "CompanyCurrency" and not record.get("Name"):
            raise faults.missing("Name")
        record.setdefault("Active", True)
        _retire(company, entity, "Name", record, old)
        RULES[entity](company, record, old)
        if entity != "Item" or record.get("Type") != "Category":
            _unique(company, entity, record, old)
    return record


def _person(company: Company, entity: str, record: Json, old: Json | None) -> None:
    parts = " ".join(str(record[name]) for name in _NAMES if record.get(name))
    name = record.get("DisplayName") or parts
    if not name:
        raise faults.missing("DisplayName")
    if any(sign in name for sign in ":\t\n"):
        raise faults.business("A name cannot contain a colon (:), a tab or a new line.")
    record["DisplayName"] = name
    record.setdefault("Active", True)
    _retire(company, entity, "DisplayName", record, old)
    owner = company.people.get(str(record["DisplayName"]).casefold())
    if owner is not None and (old is None or owner != (entity, old["Id"])):
        raise faults.duplicate_name()
    if not record.get("PrintOnCheckName"):
        record["PrintOnCheckName"] = record.get("CompanyName") or name
    code = record.get("CurrencyRef", {}).get("value", company.settings.home_currency)
    if old and entity != "Employee" and code != old["CurrencyRef"]["value"]:
        raise faults.business("The currency of a customer or vendor cannot be changed.")
    if code != company.settings.home_currency and not company.settings.multi_currency:
        raise faults.business("Multicurrency is not enabled for this company.")
    if code != company.settings.home_currency and not _known_currency(company, code):
        raise faults.bad_reference("Currencies", code)
    for field, target in (("SalesTermRef", "Term"), ("TermRef", "Term"), ("APAccountRef", "Account")):
        if field in record:
            company.refer(target, record[field], name=False)
    if entity == "Employee":
        record.setdefault("BillableTime", False)
        return
    record["CurrencyRef"] = company.currency_ref(code)
    record["Balance"] = (old or {}).get("Balance", 0)
    if entity == "Vendor":
        record.setdefault("Vendor1099", False)
    else:
        _customer(company, record, old)


def _known_currency(company: Company, code: str) -> bool:
    return any(found["Code"] == code and found["Active"] for found in company.all("CompanyCurrency").values())


def _customer(company: Company, record: Json, old: Json | None) -> None:
    # Projects are made by another service of the maker; here the mark can only be read.
    if old and old.get("IsProject"):
        record["IsProject"] = True
    else:
        record.pop("IsProject", None)
    if record.get("Job") and "ParentRef" not in record:
        raise faults.missing("ParentRef")
    record["Job"] = "ParentRef" in record
    record.setdefault("Taxable", True)
    record.setdefault("BillWithParent", False)
    record.setdefault("PreferredDeliveryMethod", "Print")
    record["BalanceWithJobs"] = (old or {}).get("BalanceWithJobs", 0)
    record["FullyQualifiedName"] = record["DisplayName"]
    if "ParentRef" in record:
        parent = company.refer("Customer", record["ParentRef"])
        record["FullyQualifiedName"] = f"{parent['FullyQualifiedName']}:{record['DisplayName']}"
        record["Level"] = int(parent.get("Level", 0)) + 1
        if record["Level"] > 4:
            raise faults.business("Jobs can be nested four deep.")
    if record["Taxable"] and company.settings.country == "US" and company.settings.using_sales_tax:
        record.setdefault("DefaultTaxCodeRef", {"value": "2"})


def _retire(company: Company, entity: str, field: str, record: Json, old: Json | None) -> None:
    """A record that is made inactive gets a name that frees its own."""
    if old is None or not old.get("Active", True) or record.get("Active") is not False or field not in record:
        return
    base = str(record[field])
    if base.endswith("(deleted)"):
        return
    index = company.index.get((entity, field), {})
    name, count = f"{base} (deleted)", 0
    while index.get(name) or (entity in PEOPLE and name.casefold() in company.people):
        count += 1
        name = f"{base} (deleted {count})"
    record[field] = name


def _unique(company: Company, entity: str, record: Json, old: Json | None) -> None:
    field = "Code" if entity == "CompanyCurrency" else "FullyQualifiedName" if entity in _PARENTS else "Name"
    mine = str(record[field]).casefold()
    if entity in ("Account", "Item", "Class", "Department") and old is None:
        # Thousands of them may come: the index answers most cases.
        exact = company.index.get((entity, field), {}).get(str(record[field]))
        taken = bool(exact)
    else:
        taken = any(
            str(other[field]).casefold() == mine and (old is None or other["Id"] != old["Id"])
            for other in company.all(entity).values()
        )
    if taken:
        raise faults.duplicate_name()


def _nested(entity: str, company: Company, record: Json) -> None:
    record["FullyQualifiedName"] = record["Name"]
    flag = _PARENTS[entity]
    if "ParentRef" in record:
        parent = company.refer(entity, record["ParentRef"])
        record["FullyQualifiedName"] = f"{parent['FullyQualifiedName']}:{record['Name']}"
        record[flag] = True
    elif entity == "Item":
        record.pop(flag, None)
    else:
        record[flag] = False


def _item(company: Company, record: Json, old: Json | None) -> None:
    _nested("Item", company, record)
    record.setdefault("Type", "Service")
    if record["Type"] not in ("Service", "Inventory", "NonInventory", "Category", "Group"):
        raise faults.QboFault([faults.bad_choice("Type", record["Type"])])
    needed = ["IncomeAccountRef"] if record["Type"] in ("Service", "Inventory") else []
    if record["Type"] == "Inventory":
        needed += ["AssetAccountRef", "ExpenseAccountRef", "InvStartDate", "QtyOnHand", "TrackQtyOnHand"]
    if record["Type"] == "NonInventory" and "IncomeAccountRef" not in record and "ExpenseAccountRef" not in record:
        needed = ["IncomeAccountRef"]
    for field in needed:
        if field not in record:
            raise faults.missing(field)
    if record["Type"] == "Inventory" and not record["TrackQtyOnHand"]:
        raise faults.business("An inventory item must track the quantity on hand.")
    for field in ("IncomeAccountRef", "ExpenseAccountRef", "AssetAccountRef"):
        if field in record:
            company.refer("Account", record[field])
    if record["Type"] != "Category":
        record.setdefault("Taxable", False)
        record.setdefault("UnitPrice", 0)
        record.setdefault("PurchaseCost", 0)
        record.setdefault("TrackQtyOnHand", False)


def _account(company: Company, record: Json, old: Json | None) -> None:
    _nested("Account", company, record)
    if "AccountType" not in record:
        raise faults.missing("AccountType")
    record["Classification"] = _CLASSIFICATION.get(record["AccountType"], "Asset")
    record.setdefault("AccountSubType", record["AccountType"].replace(" ", ""))
    number = record.get("AcctNum")
    taken = company.index.get(("Account", "AcctNum"), {}).get(str(number), set()) if number else set()
    if taken - {(old or {}).get("Id", "")}:
        raise faults.fault(
            "6000", "Duplicate account number", "Business Validation Error: The account number is taken."
        )
    record.setdefault("CurrencyRef", company.currency_ref(company.settings.home_currency))
    record.setdefault("CurrentBalance", 0)
    record.setdefault("CurrentBalanceWithSubAccounts", 0)


def _term(company: Company, record: Json, old: Json | None) -> None:
    if "DueDays" in record:
        record["Type"] = "STANDARD"
    elif "DayOfMonthDue" in record:
        record["Type"] = "DATE_DRIVEN"
    else:
        raise faults.missing("DueDays")


def _currency(company: Company, record: Json, old: Json | None) -> None:
    if not company.settings.multi_currency:
        raise faults.business("Multicurrency is not enabled for this company.")
    if not record.get("Code"):
        raise faults.missing("Code")
    record["Name"] = company.currency_ref(record["Code"])["name"]


RULES: Final[dict[str, Rule]] = {
    "Item": _item,
    "Account": _account,
    "Class": lambda company, record, _: _nested("Class", company, record),
    "Department": lambda company, record, _: _nested("Department", company, record),
    "Term": _term,
    "CompanyCurrency": _currency,
}


def complete_time(company: Company, doc: Json, old: Json | None) -> Json:
    """A checked request body as the whole time activity. Raises QboFault."""
    doc.setdefault("TxnDate", company.today())
    company.must_be_open(doc["TxnDate"], old["TxnDate"] if old else None)
    who = doc.get("NameOf")
    if who not in ("Employee", "Vendor"):
        raise faults.missing("NameOf")
    if f"{who}Ref" not in doc:
        raise faults.missing(f"{who}Ref")
    company.refer(who, doc[f"{who}Ref"])
    for field, entity in (("CustomerRef", "Customer"), ("ItemRef", "Item"), ("ClassRef", "Class")):
        if field in doc:
            company.refer(entity, doc[field])
    if "DepartmentRef" in doc:
        company.refer("Department", doc["DepartmentRef"])
    refer_project(company, doc)
    _duration(doc)
    billable = doc.setdefault("BillableStatus", "NotBillable")
    if billable == "HasBeenBilled" and (old or {}).get("BillableStatus") != "HasBeenBilled":
        raise faults.QboFault([faults.bad_choice("BillableStatus", "HAS_BEEN_BILLED")])
    if billable == "Billable" and "CustomerRef" not in doc:
        raise faults.business("A billable time activity needs a customer.")
    if "ItemRef" not in doc and (company.settings.time_needs_item or billable == "Billable"):
        raise faults.missing("ItemRef")
    doc.setdefault("Taxable", False)
    doc["HourlyRate"] = doc.get("HourlyRate", 0)
    return doc


def _duration(doc: Json) -> None:
    spans = "StartTime" in doc and "EndTime" in doc
    if not spans and "Hours" not in doc and "Minutes" not in doc:
        raise faults.missing("Hours")
    if not spans:
        doc.setdefault("Hours", 0)
        doc.setdefault("Minutes", 0)
    elif doc["EndTime"] <= doc["StartTime"]:
        raise faults.business("The end time must be after the start time.")
    for field, most in (("Hours", 9999), ("Minutes", 59), ("Seconds", 59), ("BreakMinutes", 59)):
        if not 0 <= int(doc.get(field, 0)) <= most:
            raise faults.business(f"{field} must be between 0 and {most}.")


def tax_service(company: Company, body: Json) -> Json:
    """Make a tax code with its rates: the only way to make either. Raises QboFault."""
    if not body.get("TaxCode"):
        raise faults.missing("TaxCode")
    if not body.get("TaxRateDetails"):
        raise faults.missing("TaxRateDetails")
    if any(code["Name"].casefold() == body["TaxCode"].casefold() for code in company.all("TaxCode").values()):
        raise faults.duplicate_name()
    lists: dict[str, list[Json]] = {"Sales": [], "Purchase": []}
    for detail in body["TaxRateDetails"]:
        side = detail.setdefault("TaxApplicableOn", "Sales")
        rate = _tax_rate(company, detail)
        detail |= {"TaxRateId": rate["Id"], "RateValue": rate["RateValue"], "TaxRateName": rate["Name"]}
        ref = {"TaxRateRef": {"value": rate["Id"], "name": rate["Name"]}, "TaxTypeApplicable": "TaxOnAmount"}
        lists.setdefault(side, []).append({**ref, "TaxOrder": 0})
    record = {
        "Name": body["TaxCode"],
        "Description": body["TaxCode"],
        "Active": True,
        "Taxable": True,
        "TaxGroup": True,
        "SalesTaxRateList": {"TaxRateDetail": lists["Sales"]},
        "PurchaseTaxRateList": {"TaxRateDetail": lists["Purchase"]},
    }
    return {**body, "TaxCodeId": company.add("TaxCode", record)["Id"]}


def _tax_rate(company: Company, detail: Json) -> Json:
    if detail.get("TaxRateId"):
        return company.find("TaxRate", detail["TaxRateId"])
    for field in ("TaxRateName", "RateValue", "TaxAgencyId"):
        if field not in detail:
            raise faults.missing(f"TaxRateDetails.{field}")
    agency = company.find("TaxAgency", detail["TaxAgencyId"])
    if any(rate["Name"].casefold() == detail["TaxRateName"].casefold() for rate in company.all("TaxRate").values()):
        raise faults.duplicate_name()
    return company.add(
        "TaxRate",
        {
            "Name": detail["TaxRateName"],
            "Description": detail["TaxRateName"],
            "Active": True,
            "RateValue": Decimal(detail["RateValue"]),
            "AgencyRef": {"value": agency["Id"]},
            "SpecialTaxType": "NONE",
            "DisplayType": "ReadOnly",
        },
    )
