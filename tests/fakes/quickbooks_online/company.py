"""One company: its settings, its records, their numbers and versions, and what was deleted when."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from tests.fakes.quickbooks_online import faults
from tests.fakes.quickbooks_online.fields import Json

PEOPLE: Final = ("Customer", "Vendor", "Employee")
TRANSACTIONS: Final = (
    "Bill",
    "BillPayment",
    "CreditMemo",
    "Estimate",
    "Invoice",
    "Payment",
    "SalesReceipt",
    "TimeActivity",
    "VendorCredit",
)
# Ids come from one sequence for all people, one for all transactions, and one for each other list.
_SEQUENCE: Final = dict.fromkeys(PEOPLE, "people") | dict.fromkeys(TRANSACTIONS, "transactions")
_FIRST: Final = {"people": 70, "transactions": 145, "Account": 100, "Item": 30, "Attachable": 5000000000000503624}
_LABELS: Final = dict.fromkeys(PEOPLE, "Names") | {
    "Item": "Items",
    "Account": "Accounts",
    "Class": "Klasses",
    "Department": "Departments",
    "Term": "Terms",
    "TaxCode": "TaxCodes",
}
_INDEXED: Final = ("DocNumber", "DisplayName", "Name", "FullyQualifiedName", "AcctNum")
CENT: Final = Decimal("0.01")
_CURRENCIES: Final = {
    "USD": "United States Dollar",
    "GBP": "British Pound Sterling",
    "EUR": "Euro",
    "AUD": "Australian Dollar",
    "CAD": "Canadian Dollar",
}


def money(amount: Decimal) -> Decimal | int:
    """An amount to the cent, half up; nothing is plain 0, as the answers have it."""
    rounded = amount.quantize(CENT, ROUND_HALF_UP)
    return rounded or 0


@dataclass(slots=True)
class Settings:
    """What the company's owner can set, and how strange the service behaves. Changeable at any time."""

    country: str = "US"
    home_currency: str = "USD"
    multi_currency: bool = False
    partner_tax: bool = True
    """US automated sales tax: the rate comes from the ship address."""
    using_sales_tax: bool = True
    custom_numbers: bool = True
    """Off: sales documents without a number get the next one."""
    warn_duplicate_numbers: bool = True
    warn_duplicate_bill_numbers: bool = True
    closing_date: str | None = None
    """Nothing may be changed that is dated on or before it."""
    allow_discount: bool = True
    allow_shipping: bool = True
    time_needs_item: bool = False
    subscription_ended: bool = False
    rounding: str = "document"
    """``document``: tax of a rate on the sum of its lines; ``line``: on each line."""
    tax_skew: Decimal = Decimal(0)
    """Added to the tax of every document that the company computes tax for: one-cent differences to order."""
    state_rates: dict[str, str] = field(default_factory=dict)
    """US automated sales tax: state to the id of its TaxRate. Seeded."""
    tax_word: str = "sales tax"
    """What the company's country calls its tax in messages."""
    user: str = "Rehearsal Bookkeeper"


class Company:
    """The records of one realm. Not locked: who serves it sees to it."""

    def __init__(self, realm: str, now: Callable[[], datetime] | None = None) -> None:
        self.realm = realm
        self.base = ""
        """Where the server stands, for addresses in answers."""
        self.settings = Settings()
        self.now = now or (lambda: datetime.now(UTC))
        self.zone = timezone(timedelta(hours=-7))
        self.records: dict[str, dict[str, Json]] = {}
        self.removed: dict[tuple[str, str], datetime] = {}
        self.changed: dict[tuple[str, str], datetime] = {}
        self.index: dict[tuple[str, str], dict[str, set[str]]] = {}
        self.people: dict[str, tuple[str, str]] = {}
        self.hidden: set[tuple[str, str]] = set()
        """What earlier items of the batch under way made: its later items cannot refer to it."""
        self.in_batch = False
        self.answers: dict[str, bytes] = {}
        """requestid to the first answer, as JSON without the time."""
        self.files: dict[str, bytes] = {}
        self.next_number = 1037
        self._last: dict[str, int] = {}
        self._stamp: tuple[datetime, str] = (datetime.min.replace(tzinfo=UTC), "")

    # Time

    def local_now(self) -> datetime:
        """The time in the company's zone."""
        return self.now().astimezone(self.zone)

    def today(self) -> str:
        """The date in the company's zone."""
        return self.local_now().date().isoformat()

    def stamp(self) -> str:
        """The time to the second, as MetaData carries it."""
        now = self.now().replace(microsecond=0)
        if self._stamp[0] != now:
            self._stamp = (now, now.astimezone(self.zone).isoformat())
        return self._stamp[1]

    # Records

    def all(self, entity: str) -> dict[str, Json]:
        """The records of an entity by id."""
        return self.records.setdefault(entity, {})

    def find(self, entity: str, key: str) -> Json:
        """A record. Raises QboFault 610."""
        found = self.records.get(entity, {}).get(key)
        if found is None:
            raise faults.deleted() if (entity, key) in self.removed else faults.not_found()
        return found

    def current(self, entity: str, body: Json, needs_token: bool = True) -> Json:
        """The record that a change is for. Raises QboFault 2020, 610 or 5010."""
        if not body.get("Id"):
            raise faults.missing("Id")
        if needs_token and "SyncToken" not in body:
            raise faults.missing("SyncToken")
        found = self.records.get(entity, {}).get(body["Id"])
        if found is None:
            raise faults.not_found()
        if "SyncToken" in body and body["SyncToken"] != found["SyncToken"]:
            raise faults.stale(self.settings.user)
        return found

    def add(self, entity: str, record: Json, key: str | None = None) -> Json:
        """Store a new record: id, version and times are put in."""
        stamp = self.stamp()
        head = {
            "domain": "QBO",
            "sparse": False,
            "Id": key or self.next_id(entity),
            "SyncToken": "0",
            "MetaData": {"CreateTime": stamp, "LastUpdatedTime": stamp},
        }
        stored = {**record, **head}
        self.all(entity)[stored["Id"]] = stored
        self.changed[entity, stored["Id"]] = self.now()
        self._enter(entity, stored)
        if self.in_batch:
            self.hidden.add((entity, stored["Id"]))
        return stored

    def replace(self, entity: str, old: Json, record: Json) -> Json:
        """Store a changed record in place of another: next version, new time of change."""
        self._leave(entity, old)
        stored = {
            **record,
            "domain": "QBO",
            "sparse": False,
            "Id": old["Id"],
            "SyncToken": str(int(old["SyncToken"]) + 1),
            "MetaData": {**old["MetaData"], "LastUpdatedTime": self.stamp()},
        }
        self.all(entity)[stored["Id"]] = stored
        self.changed[entity, stored["Id"]] = self.now()
        self._enter(entity, stored)
        return stored

    def touch(self, entity: str, record: Json, bump: bool = False) -> None:
        """Note that a record changed by itself; a balance moves the time only, a payment the version too."""
        record["MetaData"] = {**record["MetaData"], "LastUpdatedTime": self.stamp()}
        self.changed[entity, record["Id"]] = self.now()
        if bump:
            record["SyncToken"] = str(int(record["SyncToken"]) + 1)

    def remove(self, entity: str, record: Json) -> None:
        """Take a record out for good, leaving the stub that change data capture shows."""
        self._leave(entity, record)
        del self.all(entity)[record["Id"]]
        self.changed.pop((entity, record["Id"]), None)
        self.removed[entity, record["Id"]] = self.now()

    def next_id(self, entity: str) -> str:
        """A new id."""
        sequence = _SEQUENCE.get(entity, entity)
        self._last[sequence] = self._last.get(sequence, _FIRST.get(sequence, 1) - 1) + 1
        while str(self._last[sequence]) in self.records.get(entity, {}):
            self._last[sequence] += 1
        return str(self._last[sequence])

    # Indexes

    def _enter(self, entity: str, record: Json) -> None:
        for name in _INDEXED:
            value = record.get(name)
            if value is not None:
                self.index.setdefault((entity, name), {}).setdefault(value, set()).add(record["Id"])
        if entity in PEOPLE:
            self.people[str(record["DisplayName"]).casefold()] = (entity, record["Id"])

    def _leave(self, entity: str, record: Json) -> None:
        for name in _INDEXED:
            value = record.get(name)
            if value is not None:
                self.index[entity, name][value].discard(record["Id"])
        if entity in PEOPLE:
            self.people.pop(str(record["DisplayName"]).casefold(), None)

    def having(self, entity: str, name: str, values: list[str]) -> Iterator[Json] | None:
        """The records with one of the values in an indexed field; None when the field has no index."""
        store = self.all(entity)
        if name == "Id":
            return (store[value] for value in dict.fromkeys(values) if value in store)
        if name not in _INDEXED:
            return None
        index = self.index.get((entity, name), {})
        return (store[key] for value in dict.fromkeys(values) for key in index.get(value, ()))

    # References

    def refer(self, entity: str, ref: Any, name: bool = True) -> Json:
        """The record that a reference means; its name is put into the reference.

        Raises QboFault 2500 when there is none, 610 when it is inactive.
        """
        key = str(ref.get("value", ""))
        found = self.records.get(entity, {}).get(key)
        if found is None or (entity, key) in self.hidden:
            raise faults.bad_reference(_LABELS.get(entity, entity), key)
        if found.get("Active") is False:
            raise faults.not_found()
        ref.pop("type", None)
        if name:
            ref["name"] = found.get("FullyQualifiedName") or found.get("DisplayName") or found.get("Name", "")
        else:
            ref.pop("name", None)
        return found

    def currency_ref(self, code: str) -> Json:
        """A reference to a currency."""
        return {"value": code, "name": _CURRENCIES.get(code, code)}

    def rate_of(self, code: str, on: str) -> Decimal:
        """Units of home currency for one unit of a currency: the newest known rate up to a date, else 1."""
        rates = [
            r for r in self.all("ExchangeRate").values() if r["SourceCurrencyCode"] == code and r["AsOfDate"] <= on
        ]
        return Decimal(max(rates, key=lambda r: str(r["AsOfDate"]))["Rate"]) if rates else Decimal(1)

    def must_be_open(self, *dates: str | None) -> None:
        """Raises QboFault 6210 when one of the dates lies in the closed period."""
        closing = self.settings.closing_date
        if closing is not None and any(day is not None and day <= closing for day in dates):
            raise faults.period_closed()

    def must_be_writable(self) -> None:
        """Raises QboFault 6190 when the subscription has ended."""
        if self.settings.subscription_ended:
            raise faults.subscription_ended()


def days_after(day: str, days: int) -> str:
    """A date some days later."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
