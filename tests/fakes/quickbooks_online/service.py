"""The service without HTTP: a call goes in, an answer comes out. One lock keeps calls and onlookers apart."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs

from tests.fakes.quickbooks_online import attachments, faults, ledger, lists, operations
from tests.fakes.quickbooks_online.company import Company
from tests.fakes.quickbooks_online.fields import ENTITIES, Json, accept
from tests.fakes.quickbooks_online.limits import Counters
from tests.fakes.quickbooks_online.wire import (
    answer,
    batch_from_xml,
    fault_answer,
    from_json,
    from_xml,
    moment,
    to_json,
)

BATCH_ITEMS: Final = 30
REQUEST_ID: Final = 50
BATCH_REQUEST_ID: Final = 36
BATCH_ID: Final = 10
"""Where a requestid is given. Source of the three: the maker's note on request ids of April 2015."""


@dataclass(slots=True)
class Call:
    """One HTTP request, as far as the service is concerned."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes = b""
    content_type: str = ""
    accept: str = ""
    kind: str = ""
    rest: list[str] = field(default_factory=list)
    """The parts of the path behind the company."""
    stop_after: int | None = None
    """A batch is to stop after so many items, as if the service died there."""

    @property
    def as_json(self) -> bool:
        """Whether the answer is to be JSON; XML is the default of the service."""
        return "json" in self.accept


@dataclass(slots=True)
class Answer:
    """Status, body and content type."""

    status: int
    body: bytes
    content_type: str


def call_of(method: str, raw_path: str, query: bytes, headers: dict[bytes, bytes], body: bytes) -> Call:
    """A call from the parts of an HTTP request."""
    asked = {name.lower(): values[0] for name, values in parse_qs(query.decode("latin-1"), True).items()}
    call = Call(
        method,
        raw_path,
        asked,
        body,
        headers.get(b"content-type", b"").decode("latin-1"),
        headers.get(b"accept", b"").decode("latin-1"),
    )
    call.rest = [part for part in raw_path.split("/")[4:] if part]
    call.kind = _kind(call)
    return call


def _kind(call: Call) -> str:
    first = call.rest[0].lower() if call.rest else ""
    if first in ("batch", "cdc", "upload", "download", "taxservice"):
        return first
    if first == "query":
        words = call.query.get("query", call.body.decode("utf-8", "replace")).split()
        lower = [word.lower() for word in words]
        name = words[lower.index("from") + 1] if "from" in lower and lower.index("from") + 1 < len(words) else "?"
        return f"query {ENTITIES.get(name.lower(), name)}"
    entity = ENTITIES.get(first, first)
    if call.method == "GET":
        return f"read {entity}"
    operation = call.query.get("operation", "")
    if "void" in call.query.get("include", ""):
        operation = "void"
    has_id = b'"Id"' in call.body or b"<Id>" in call.body
    return f"{operation or ('update' if has_id else 'create')} {entity}"


class Service:
    """All companies, the counters and what makes answers."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self.lock = threading.RLock()
        self.companies: dict[str, Company] = {}
        self.counters = Counters()
        self._now = now
        self._tid = itertools.count(1)

    def company(self, realm: str) -> Company:
        """The company of a realm; an empty one is made when there is none."""
        with self.lock:
            if realm not in self.companies:
                self.companies[realm] = Company(realm, self._now)
            return self.companies[realm]

    def tid(self) -> str:
        """A new value for the ``intuit_tid`` header."""
        number = next(self._tid)
        return f"1-{number:08x}-{number * 0x9E3779B97F4A7C15 % (1 << 96):024x}"

    def handle(self, realm: str, call: Call) -> Answer:
        """Do what a call asks for."""
        with self.lock:
            company = self.companies[realm]
            when = moment(company.local_now())
            try:
                payload = self._do(company, call)
            except faults.QboFault as fault:
                self.counters.faults.update(problem["code"] for problem in fault.errors)
                return Answer(fault.status, *fault_answer(fault, when, call.as_json))
            if isinstance(payload, str):
                return Answer(200, payload.encode(), "text/plain")
            return Answer(200, *answer(payload, when, call.as_json))

    def _do(self, company: Company, call: Call) -> Json | str:
        first = call.rest[0].lower() if call.rest else ""
        minor = call.query.get("minorversion", "75")
        if not minor.isdigit():
            raise faults.fault("2010", "Invalid minor version", f"minorversion {minor} is not a number", None)
        if call.method == "GET":
            return self._get(company, call, first)
        if call.method != "POST":
            raise faults.unsupported(call.method)
        if first == "query" and len(call.rest) == 1:
            return {"QueryResponse": operations.query(company, call.body.decode())}
        if first == "batch" and len(call.rest) == 1:
            return self._batch(company, call)
        key = call.query.get("requestid", "")
        if len(key) > REQUEST_ID:
            raise _long_request_id(key)
        if key and key in company.answers:
            self.counters.replays += 1
            return _stored(company.answers[key])
        payload = self._post(company, call, first)
        if key:
            company.answers[key] = to_json(payload)
        return payload

    def _get(self, company: Company, call: Call, first: str) -> Json | str:
        if first == "query" and len(call.rest) == 1:
            return {"QueryResponse": operations.query(company, call.query.get("query", ""))}
        if first == "cdc" and len(call.rest) == 1:
            return operations.changes(company, call.query.get("entities", ""), call.query.get("changedsince", ""))
        if first == "download" and len(call.rest) == 2:
            if call.rest[1] not in company.files:
                raise faults.not_found()
            return f"{company.base}/_files/{company.realm}/{call.rest[1]}"
        if first == "exchangerate" and len(call.rest) == 1:
            return {"ExchangeRate": _rate(company, call.query)}
        if first == "preferences" and len(call.rest) == 1:
            return {"Preferences": operations.read(company, "Preferences", "1")}
        if first in ENTITIES and len(call.rest) == 2:
            return {ENTITIES[first]: operations.read(company, ENTITIES[first], call.rest[1])}
        raise _no_resource(company, call)

    def _post(self, company: Company, call: Call, first: str) -> Json:
        if first == "upload" and len(call.rest) == 1:
            return attachments.upload(company, call.content_type, call.body)
        if first == "taxservice" and [part.lower() for part in call.rest] == ["taxservice", "taxcode"]:
            company.must_be_writable()
            return lists.tax_service(company, accept("TaxService", from_json(call.body)))
        if first not in ENTITIES or first == "taxservice" or len(call.rest) != 1:
            raise _no_resource(company, call)
        entity = ENTITIES[first]
        operation = call.query.get("operation", "").lower()
        body = _body(call, entity)
        return {entity: operations.change(company, entity, body, operation, call.query.get("include", ""))}

    def _batch(self, company: Company, call: Call) -> Json:
        given = batch_from_xml(call.body) if "xml" in call.content_type else from_json(call.body)
        items = given.get("BatchItemRequest") if isinstance(given, dict) else None
        if not isinstance(items, list) or not items:
            raise faults.missing("BatchItemRequest")
        if len(items) > BATCH_ITEMS:
            raise faults.business(f"A batch can hold {BATCH_ITEMS} items; this one holds {len(items)}.")
        key = call.query.get("requestid", "")
        company.in_batch = True
        try:
            return {"BatchItemResponse": [self._item(company, item, key) for item in items[: call.stop_after]]}
        finally:
            company.in_batch = False
            company.hidden.clear()

    def _item(self, company: Company, item: Json, request_id: str) -> Json:
        mark = {"bId": str(item["bId"])} if "bId" in item else {}
        # Each item is remembered by itself: its key is the requestid with the bId behind it.
        key = request_id + mark.get("bId", "") if request_id else ""
        try:
            if key and key in company.answers:
                self.counters.replays += 1
                return {**_stored(company.answers[key]), **mark}
            if request_id and (len(request_id) > BATCH_REQUEST_ID or len(mark.get("bId", "")) > BATCH_ID):
                raise _long_request_id(key)
            payload, writes = self._item_payload(company, item)
        except faults.QboFault as fault:
            self.counters.faults.update(problem["code"] for problem in fault.errors)
            return {"Fault": fault.body(), **mark}
        if key and writes:
            company.answers[key] = to_json(payload)
        return {**payload, **mark}

    def _item_payload(self, company: Company, item: Json) -> tuple[Json, bool]:
        if "Query" in item:
            self.counters.items["query"] += 1
            return {"QueryResponse": operations.query(company, str(item["Query"]))}, False
        if "CDCQuery" in item:
            asked = item["CDCQuery"]
            return operations.changes(company, str(asked.get("Entities")), str(asked.get("ChangedSince"))), False
        names = [name for name in item if name not in ("bId", "operation", "optionsData")]
        if len(names) != 1 or names[0].lower() not in ENTITIES or ENTITIES[names[0].lower()] != names[0]:
            raise faults.unsupported(f"batch item with {', '.join(names) or 'nothing'}")
        operation = str(item.get("operation", "")).lower()
        if not operation:
            raise faults.missing("operation")
        self.counters.items[f"{operation} {names[0]}"] += 1
        options = str(item.get("optionsData", ""))
        return {names[0]: operations.change(company, names[0], item[names[0]], operation, options)}, True

    # For onlookers

    def documents(self, realm: str, entity: str, **wanted: Any) -> list[Json]:
        """The stored records of an entity whose fields have the values given, as copies."""
        with self.lock:
            found = [
                r for r in self.company(realm).all(entity).values() if all(r.get(n) == v for n, v in wanted.items())
            ]
            return [_stored(to_json(record)) for record in found]

    def repeats(self, realm: str, name: str = "DocNumber") -> dict[tuple[str, str], int]:
        """Values of a field that more than one document of an entity has, with their number: booked twice?"""
        with self.lock:
            count: Counter[tuple[str, str]] = Counter()
            for entity, store in self.company(realm).records.items():
                count.update((entity, str(r[name])) for r in store.values() if name in r)
            return {key: number for key, number in count.items() if number > 1}

    def having(self, realm: str, entity: str, text: str) -> int:
        """How many records of an entity have a text in DocNumber, PrivateNote or Description."""
        with self.lock:
            fields = ("DocNumber", "PrivateNote", "Description")
            store = self.company(realm).all(entity)
            return sum(any(text in str(record.get(name, "")) for name in fields) for record in store.values())

    def ledger(self, realm: str) -> dict[str, Decimal]:
        """Account to balance in home currency, debit positive."""
        with self.lock:
            return ledger.totals(self.company(realm))


def _stored(body: bytes) -> Json:
    found = from_json(body)
    assert isinstance(found, dict)
    return found


def _long_request_id(key: str) -> faults.QboFault:
    return faults.business(
        f"You cannot enter more than {REQUEST_ID} characters in the request_id field. "
        f"You tried entering {key[:10]}..., which is {len(key)} characters."
    )


def _body(call: Call, entity: str) -> Any:
    if "xml" in call.content_type:
        name, body = from_xml(call.body)
        if name != entity:
            raise faults.unsupported(f"{name} at the address of {entity}")
        return body
    if "json" not in call.content_type:
        raise faults.unsupported(f"content type {call.content_type or 'of no kind'}")
    return from_json(call.body)


def _rate(company: Company, asked: dict[str, str]) -> Json:
    code, on = asked.get("sourcecurrencycode", ""), asked.get("asofdate", company.today())
    if not code:
        raise faults.missing("sourcecurrencycode")
    rates = [r for r in company.all("ExchangeRate").values() if r["SourceCurrencyCode"] == code and r["AsOfDate"] <= on]
    if not rates:
        raise faults.not_found()
    return max(rates, key=lambda r: str(r["AsOfDate"]))


def _no_resource(company: Company, call: Call) -> faults.QboFault:
    where = f"/v3/company/{company.realm}/" + "/".join(call.rest)
    return faults.unsupported(
        f"Could not find resource for relative : {where} of full path: https://qbo.local/qbo{where}"
    )
