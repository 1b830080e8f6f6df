"""What can be done to the records of a company: create, update, delete, void, read, query, change data capture."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tests.fakes.quickbooks_online import faults, lists, payments, seed, transactions
from tests.fakes.quickbooks_online.company import TRANSACTIONS, Company
from tests.fakes.quickbooks_online.fields import ENTITIES, Json, accept
from tests.fakes.quickbooks_online.query import Query, arrange, parse, project, tests_of

CDC_DAYS: Final = 30
CDC_OBJECTS: Final = 1000
_READ_ONLY: Final = frozenset(("domain", "status", "MetaData", "sparse", "SyncToken", "Id"))
_COMPUTED: Final = ("Balance", "HomeBalance", "HomeTotalAmt", "RemainingCredit", "UnappliedAmt", "LinkedTxn", "Level")
_FIXED: Final = frozenset(("TaxCode", "TaxRate", "CompanyInfo", "Preferences"))
_BY_INCLUDE: Final = frozenset(("Invoice", "SalesReceipt", "Payment", "BillPayment"))
"""What ``operation=update`` with ``include=void`` (in a batch: ``optionsData``) voids; ``operation=void``: Invoice."""


def create(company: Company, entity: str, body: Json, duplicates: bool = False) -> Json:
    """Store a new record and give it back. Raises QboFault."""
    company.must_be_writable()
    if entity in _FIXED:
        raise faults.unsupported(f"create {entity}")
    record = {name: value for name, value in accept(entity, body).items() if name not in _READ_ONLY}
    for name in _COMPUTED:
        record.pop(name, None)
    if entity == "ExchangeRate":
        return _exchange_rate(company, record)
    if entity == "Attachable":
        return company.add(entity, link(company, record))
    if entity == "TaxAgency":
        if not record.get("DisplayName"):
            raise faults.missing("DisplayName")
        return company.add(entity, {"TaxTrackedOnPurchases": False, "TaxTrackedOnSales": True, **record})
    record = _complete(company, entity, record, None)
    if entity in transactions.KINDS:
        transactions.number(company, transactions.KINDS[entity], record, None, duplicates)
    stored = company.add(entity, record)
    _post(company, entity, stored)
    return stored


def _complete(company: Company, entity: str, record: Json, old: Json | None) -> Json:
    if entity in transactions.KINDS:
        return transactions.complete(company, transactions.KINDS[entity], record, old)
    if entity in payments.PARTIES:
        return payments.complete(company, entity, record, old)
    if entity == "TimeActivity":
        return lists.complete_time(company, record, old)
    return lists.complete(company, entity, record, old)


def _post(company: Company, entity: str, stored: Json) -> None:
    if entity in transactions.KINDS:
        transactions.shift(company, transactions.KINDS[entity], stored, transactions.open_amount(stored))
    elif entity in payments.PARTIES:
        payments.settle(company, entity, stored, 1)


def _exchange_rate(company: Company, record: Json) -> Json:
    for name in ("SourceCurrencyCode", "Rate"):
        if name not in record:
            raise faults.missing(name)
    record.setdefault("TargetCurrencyCode", company.settings.home_currency)
    record.setdefault("AsOfDate", company.today())
    for old in list(company.all("ExchangeRate").values()):
        if (old["SourceCurrencyCode"], old["AsOfDate"]) == (record["SourceCurrencyCode"], record["AsOfDate"]):
            return company.replace("ExchangeRate", old, record)
    return company.add("ExchangeRate", record)


def update(company: Company, entity: str, body: Json, duplicates: bool = False) -> Json:
    """Change a record: whole, or with ``sparse`` only the fields that are given. Raises QboFault."""
    company.must_be_writable()
    if entity in _FIXED:
        raise faults.unsupported(f"update {entity}")
    given = accept(entity, body)
    old = company.current(entity, given)
    change = {name: value for name, value in given.items() if name not in _READ_ONLY}
    for name in _COMPUTED:
        change.pop(name, None)
    if entity == "Attachable":
        return company.replace(entity, old, link(company, {**old, **change}))
    if given.get("sparse"):
        change = _merged(entity, old, change)
    elif entity in transactions.KINDS and "DocNumber" in old:
        # A whole update without a number keeps the number.
        change.setdefault("DocNumber", old["DocNumber"])
    if entity in payments.PARTIES:
        return _change_payment(company, entity, old, change)
    record = _complete(company, entity, change, old)
    if entity in transactions.KINDS:
        kind = transactions.KINDS[entity]
        transactions.number(company, kind, record, old, duplicates)
        stored = company.replace(entity, old, record)
        transactions.shift(company, kind, old, -transactions.open_amount(old))
        transactions.shift(company, kind, stored, transactions.open_amount(stored))
        return stored
    if entity not in TRANSACTIONS and _same(old, record):
        return old
    return company.replace(entity, old, record)


def _merged(entity: str, old: Json, change: Json) -> Json:
    kept = {name: value for name, value in old.items() if name not in _READ_ONLY and name not in _COMPUTED}
    if entity in transactions.KINDS and "Line" not in change:
        kept["Line"] = [_copy(line) for line in old["Line"]]
    elif "Line" in kept:
        kept["Line"] = [_copy(line) for line in old.get("Line", [])]
    if "TxnTaxDetail" in kept and "TxnTaxDetail" not in change and "Line" in change:
        # New lines want new tax.
        kept.pop("TxnTaxDetail")
    return {**{name: _copy(value) for name, value in kept.items()}, **change}


def _copy(value: object) -> object:
    if isinstance(value, dict):
        return {name: _copy(part) for name, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value


def _same(old: Json, new: Json) -> bool:
    """Whether a list record would not change at all: then it keeps its version, as the recorded exchanges show."""
    return {n: v for n, v in old.items() if n not in _READ_ONLY} == {
        n: v for n, v in new.items() if n not in _READ_ONLY
    }


def _change_payment(company: Company, entity: str, old: Json, change: Json | None) -> Json:
    """Take the old payment off what it paid and put the new one on; None voids it. All of it or nothing."""
    tokens = {
        (link_["TxnType"], link_["TxnId"]): company.all(link_["TxnType"]).get(link_["TxnId"], {}).get("SyncToken")
        for line in old.get("Line", [])
        for link_ in line["LinkedTxn"]
    }
    payments.settle(company, entity, old, -1)
    try:
        record = payments.voided(old) if change is None else payments.complete(company, entity, change, old)
    except faults.QboFault:
        payments.settle(company, entity, old, 1)
        for (kind, key), token in tokens.items():
            if token is not None:
                company.all(kind)[key]["SyncToken"] = token
        raise
    stored = company.replace(entity, old, record)
    payments.settle(company, entity, stored, 1)
    return stored


def delete(company: Company, entity: str, body: Json) -> Json:
    """Remove a transaction or attachment for good. Raises QboFault."""
    company.must_be_writable()
    if entity not in TRANSACTIONS and entity != "Attachable":
        raise faults.unsupported(f"delete {entity}")
    given = accept(entity, body)
    old = company.current(entity, given, needs_token=entity != "Attachable")
    if entity in TRANSACTIONS:
        company.must_be_open(old["TxnDate"])
    if entity in transactions.KINDS:
        transactions.shift(company, transactions.KINDS[entity], old, -transactions.open_amount(old))
    elif entity in payments.PARTIES:
        payments.settle(company, entity, old, -1)
    company.remove(entity, old)
    company.files.pop(old["Id"], None)
    return {"domain": "QBO", "status": "Deleted", "Id": old["Id"]}


def void(company: Company, entity: str, body: Json) -> Json:
    """Bring a transaction to nothing and keep it. Raises QboFault."""
    company.must_be_writable()
    given = accept(entity, body)
    old = company.current(entity, given)
    company.must_be_open(old["TxnDate"])
    if entity in payments.PARTIES:
        return _change_payment(company, entity, old, None)
    kind = transactions.KINDS[entity]
    record = transactions.voided(company, kind, old)
    transactions.shift(company, kind, old, -transactions.open_amount(old))
    return company.replace(entity, old, record)


def change(company: Company, entity: str, body: Any, operation: str, include: str) -> Json:
    """The operation that a request or an item of a batch asks for. Raises QboFault."""
    wants = {part.strip() for part in include.split(",")}
    if operation == "void" or "void" in wants:
        if entity != "Invoice" if operation == "void" else operation != "update" or entity not in _BY_INCLUDE:
            raise faults.unsupported(f"void {entity}")
        return void(company, entity, body)
    if operation == "delete":
        return delete(company, entity, body)
    duplicates = "allowduplicatedocnum" in wants
    if operation == "update" or (operation == "" and isinstance(body, dict) and body.get("Id")):
        return update(company, entity, body, duplicates)
    if operation in ("create", ""):
        return create(company, entity, body, duplicates)
    raise faults.unsupported(operation)


def link(company: Company, record: Json) -> Json:
    """Check what an attachment is linked to. Raises QboFault 6000 when that is not there."""
    for ref in record.get("AttachableRef", []):
        target = ref.get("EntityRef")
        if not target:
            continue
        kind, key = str(target.get("type", "")), str(target.get("value", ""))
        if key not in company.all(ENTITIES.get(kind.lower(), kind)):
            raise faults.business(f"The entity {kind} {key} that you are trying to link does not exist. {kind} {key}")
        ref.setdefault("IncludeOnSend", False)
    return record


def read(company: Company, entity: str, key: str) -> Json:
    """One record. Raises QboFault 2030 or 610."""
    if not key.isdigit() and entity not in ("TaxCode", "CompanyCurrency"):
        raise faults.bad_id(key)
    if entity in seed.PAGES:
        seed.refresh(company)
        return company.find(entity, "1")
    return company.find(entity, key)


def query(company: Company, text: str) -> Json:
    """The ``QueryResponse`` of a query. Raises QboFault 4000 or 4001."""
    asked = parse(text)
    if asked.entity in seed.PAGES:
        seed.refresh(company)
    tests = tests_of(asked)
    records = [record for record in _candidates(company, asked) if all(test(record) for test in tests)]
    if asked.count:
        return {"totalCount": len(records)}
    page = arrange(records, asked)[asked.start - 1 : asked.start - 1 + asked.size]
    if not page:
        return {}
    if asked.fields:
        page = [project(record, asked.fields) for record in page]
    return {asked.entity: page, "startPosition": asked.start, "maxResults": len(page)}


def _candidates(company: Company, asked: Query) -> list[Json]:
    for name, sign, values in asked.where:
        if sign in ("=", "in"):
            found = company.having(asked.entity, name, values)
            if found is not None:
                return list(found)
    return list(company.all(asked.entity).values())


def changes(company: Company, entities: str, since: str) -> Json:
    """The ``CDCResponse``: what changed since a moment, no more than 30 days back and 1000 objects in all.

    Raises QboFault 4001 for what cannot be read.
    """
    try:
        begin = datetime.fromisoformat(since)
    except ValueError:
        raise faults.query_meaning(f"changedSince {since} is not a date and time") from None
    if begin.tzinfo is None:
        begin = begin.replace(tzinfo=company.zone)
    begin = max(begin, company.now() - timedelta(days=CDC_DAYS)).replace(microsecond=0)
    names = [name.strip() for name in entities.split(",") if name.strip()]
    if not names or any(name.lower() not in ENTITIES for name in names):
        raise faults.query_meaning(f"Invalid entity list {entities}")
    answers, left = [], CDC_OBJECTS
    for name in names:
        entity = ENTITIES[name.lower()]
        found = _changed(company, entity, begin)[:left]
        left -= len(found)
        answers.append({entity: found, "startPosition": 1, "maxResults": len(found)} if found else {})
    return {"CDCResponse": [{"QueryResponse": answers}]}


def _changed(company: Company, entity: str, begin: datetime) -> list[Json]:
    """The newest first: who takes a full reply for the whole of it misses the oldest."""
    found: list[tuple[datetime, Json]] = []
    store = company.all(entity)
    for (kind, key), when in company.changed.items():
        if kind == entity and when >= begin:
            found.append((when, store[key]))
    for (kind, key), when in company.removed.items():
        if kind == entity and when >= begin:
            stamp = when.replace(microsecond=0).astimezone(company.zone).isoformat()
            stub = {"domain": "QBO", "status": "Deleted", "Id": key, "MetaData": {"LastUpdatedTime": stamp}}
            found.append((when, stub))
    found.sort(key=lambda pair: (pair[0], int(pair[1]["Id"]) if pair[1]["Id"].isdigit() else 0), reverse=True)
    return [record for _, record in found]


def balance_of(company: Company, entity: str, key: str) -> Decimal:
    """What a customer owes, or what is owed to a vendor."""
    return Decimal(company.find(entity, key).get("Balance", 0))
