"""The records of the sample shop: the same ones each time, made from a seed. Nothing is written here."""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from connector_service.demo.catalogue import (
    BOUGHT,
    CUSTOMERS,
    EMPLOYEES,
    HOME_CURRENCY,
    INPUT_TAX,
    PROJECTS,
    RATES,
    SALES_TAX,
    SOLD,
    SUPPLIERS,
    TERM_DAYS,
    Person,
    Ware,
)
from connector_service.domain.money import ZERO, round_money

FIRST_DAY: Final = date(2024, 1, 2)
LAST_DAY: Final = date(2025, 12, 30)
BEGIN: Final = date(2025, 1, 1)
"""The begin date of the demo's routes: the first year is in the books already, as it were."""
HOW_MANY: Final = {"Invoice": 150, "CreditNote": 20, "Bill": 110, "SupplierCredit": 20, "TimeEntry": 60}
"""Records by table of the shop."""

MISMATCH_AT: Final = 139
"""Which sales invoice has two digits of its total swapped."""
COPY_AT: Final = 121
"""Which sales invoice lies in the drop folder too, as an e-invoice."""
UNAPPROVED_AT: Final = 56
"""Which time record nobody has approved."""

_PREFIX: Final = {"Invoice": "INV", "CreditNote": "CN", "Bill": "P", "SupplierCredit": "PC"}
_KEYS: Final = {"Invoice": "InvoiceNo", "CreditNote": "CreditNo", "Bill": "BillId", "SupplierCredit": "CreditId"}
_DATES: Final = {"Invoice": "InvDate", "CreditNote": "CreditDate", "Bill": "BillDate", "SupplierCredit": "CreditDate"}
_SECOND_YEAR: Final = 2025
_SAME_NUMBER: Final = "2025/001"
_CENTS: Final = Decimal("0.05")


@dataclass(slots=True)
class Draft:
    """One record, as the columns of its table."""

    table: str
    head: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)


class Chance:
    """Numbers that look like chance and are the same in each Python: only ``random()`` of a seed is promised to be."""

    def __init__(self, seed: str) -> None:
        """Begin with this seed."""
        self._random = random.Random(seed)  # noqa: S311 - sample data

    def below(self, limit: int) -> int:
        """A whole number from 0 up to, and without, the limit."""
        return int(self._random.random() * limit)

    def one_in(self, many: int) -> bool:
        """True once in so many times."""
        return self.below(many) == 0


def all_drafts() -> list[Draft]:
    """Every document and time record of the shop."""
    drafts = [money_draft(table, at) for table in _PREFIX for at in range(HOW_MANY[table])]
    return drafts + [time_draft(at) for at in range(HOW_MANY["TimeEntry"])]


def day_of(at: int, many: int) -> date:
    """The date of a record: they are spread evenly over two years; nothing is invoiced on a Sunday."""
    day = FIRST_DAY + timedelta(days=at * (LAST_DAY - FIRST_DAY).days // (many - 1))
    return day - timedelta(days=1) if day.isoweekday() == 7 else day


def key_of(table: str, at: int) -> str:
    """A document's own key in the shop, with the year in it: ``INV-2025-0140``."""
    return f"{_PREFIX[table]}-{day_of(at, HOW_MANY[table]).year}-{at + 1:04}"


def clock_of(day: date, at: int) -> str:
    """When a record was last changed, by the shop's clock."""
    return f"{datetime.combine(day, time(9)) + timedelta(minutes=at % 480):%Y-%m-%d %H:%M:%S}"


def money_draft(table: str, at: int) -> Draft:
    """One invoice, bill or credit with its lines; its sums are right, but for the one with swapped digits."""
    chance = Chance(f"{table}-{at}")
    sales, credit = table in ("Invoice", "CreditNote"), table in ("CreditNote", "SupplierCredit")
    parties = CUSTOMERS if sales else SUPPLIERS
    party = parties[0] if table == "Invoice" and at == COPY_AT else parties[(at * 7 + chance.below(3)) % len(parties)]
    day, plain = day_of(at, HOW_MANY[table]), table == "Invoice" and at in (COPY_AT, MISMATCH_AT)
    rate = RATES[party.currency][day.year == _SECOND_YEAR] if party.currency in RATES else None
    included = sales and party.currency == HOME_CURRENCY and not plain and chance.one_in(9)
    draft = Draft(table, {}, [])
    for number in range(1, 2 if plain or credit else 2 + chance.below(4)):
        draft.lines.append(
            _line(chance, party, rate, number, sales=sales, credit=credit, included=included, plain=plain)
        )
    extras = {} if plain or included else _extras(chance, party, rate, sales=sales, credit=credit)
    tax = sum((line["TaxAmount"] for line in draft.lines), ZERO) + extras.pop("tax", ZERO)
    total = sum((line["Amount"] for line in draft.lines), ZERO) + (ZERO if included else tax)
    total += extras.get("Freight", ZERO) - extras.get("Discount", ZERO)
    rounding = _cash_rounding(total) if included else ZERO
    key = key_of(table, at)
    draft.head = {
        _KEYS[table]: key,
        _DATES[table]: day,
        "DueDate": None if credit else day + timedelta(days=TERM_DAYS[party.terms]),
        "Cust" if sales else "Supp": party.code,
        "Currency": party.currency,
        "Rate": rate,
        "Total": total + rounding,
        "Tax": tax,
        "Rounding": rounding,
        "TaxIncluded": included,
        "Terms": "" if credit else party.terms,
        "Project": PROJECTS[chance.below(len(PROJECTS))],
        "Note": _note(chance, at, credit=credit),
        "ChangedAt": clock_of(day, at),
        **extras,
    }
    if not sales:
        draft.head["BillNo" if table == "Bill" else "CreditNo"] = _their_number(table, at, party, day)
    if table == "Invoice" and at == MISMATCH_AT:
        draft.head["Total"] = swapped(draft.head["Total"])
    return draft


def _line(
    chance: Chance,
    party: Person,
    rate: Decimal | None,
    number: int,
    *,
    sales: bool,
    credit: bool,
    included: bool,
    plain: bool,
) -> dict[str, Any]:
    wares = SOLD if sales else BOUGHT
    ware: Ware = wares[0] if plain else wares[chance.below(len(wares))]
    code = ware.tax if party.inside else ("V0" if sales else "I0")
    percent = (SALES_TAX if sales else INPUT_TAX)[code]
    price = ware.price if rate is None else round_money(ware.price / rate, party.currency)
    if included:
        price = round_money(price * (100 + percent) / 100, party.currency)
    quantity = Decimal(2) if plain else Decimal(1 + chance.below(2 if credit else 6))
    if ware.item == "HOUR":
        quantity += Decimal(chance.below(4)) / 4
    gross = round_money(price * quantity, party.currency)
    off = round_money(gross / 10, party.currency) if not plain and chance.one_in(6) else ZERO
    amount = gross - off
    base = 100 + percent if included else Decimal(100)
    return {
        "LineNo": number,
        "Descr": ware.text,
        "Qty": quantity,
        "Price": price,
        "Discount": off,
        "Amount": amount,
        "GL": ware.account,
        "TaxCode": code,
        "TaxAmount": round_money(amount * percent / base, party.currency),
        "Item": ware.item,
        "CostCode": "" if sales else ("WORKSHOP", "OFFICE")[chance.below(2)],
    }


def _extras(chance: Chance, party: Person, rate: Decimal | None, *, sales: bool, credit: bool) -> dict[str, Any]:
    """Freight and discount of the whole document, and the tax on both."""
    code = ("V" if sales else "I") + ("21" if party.inside else "0")
    percent = (SALES_TAX if sales else INPUT_TAX)[code]

    def in_currency(euros: str) -> Decimal:
        return round_money(Decimal(euros) / (rate or 1), party.currency)

    extras: dict[str, Any] = {}
    if chance.one_in(5) and not credit:
        extras |= {"Freight": in_currency("17.50"), "FreightTax": code}
    if chance.one_in(8):
        extras |= {"Discount": in_currency("7.25"), "DiscountTax": code}
    taxed = extras.get("Freight", ZERO) - extras.get("Discount", ZERO)
    return extras | {"tax": round_money(taxed * percent / 100, party.currency)}


def _cash_rounding(total: Decimal) -> Decimal:
    """What brings an amount to whole five cents, as shops in the Netherlands do with cash."""
    return (total / _CENTS).quantize(Decimal(1), ROUND_HALF_UP) * _CENTS - total


def swapped(total: Decimal) -> Decimal:
    """The amount with its first two digits swapped, as it happens while typing: 1,570.58 becomes 5,170.58."""
    text = f"{total:f}"
    return Decimal(text[1] + text[0] + text[2:])


def _their_number(table: str, at: int, party: Person, day: date) -> str:
    """The supplier's own number. Two suppliers use the same one, which is two bills."""
    if table == "Bill" and at in (60, 61):
        return _SAME_NUMBER
    forms = ("{year}-{at:05}", "F/{at}/{year}", "№ {at}", "{code}{at:06}", "Rechnung {at}")
    form = forms[int(party.code[1:]) % len(forms)]
    letter = "" if table == "Bill" else "C"
    return letter + form.format(year=day.year, at=at + 1, code=party.code)


def _note(chance: Chance, at: int, *, credit: bool) -> str:
    if credit:
        return ("Returned goods", 'Price as agreed: "less 10 %"', "Damaged; see photo & mail")[chance.below(3)]
    return "Order by telephone\nDeliver after 17:00" if at % 11 == 0 else ""


_NIGHTS: Final = {29: date(2024, 12, 31), 37: date(2025, 3, 29), 53: date(2025, 10, 25)}
"""Night shifts by place: over the change of the year, and over both changes of the clock."""


def time_draft(at: int) -> Draft:
    """One time record: hours as minutes or as times of day, with breaks, overtime and nights."""
    chance = Chance(f"TimeEntry-{at}")
    day = _NIGHTS.get(at) or day_of(at, HOW_MANY["TimeEntry"])
    billable = chance.one_in(2)
    head: dict[str, Any] = {
        "EntryNo": f"T-{at + 1:04}",
        "WorkDate": day,
        "Emp": EMPLOYEES[at % len(EMPLOYEES)].code,
        "PayItem": "REG",
        "Job": PROJECTS[3 + chance.below(3)] if billable else "",
        "Cust": CUSTOMERS[chance.below(len(CUSTOMERS))].code if billable else None,
        "Item": "HOUR" if billable else "",
        "CostCode": "WORKSHOP",
        "Billable": billable,
        "Overtime": False,
        "Approved": at != UNAPPROVED_AT,
        "ChangedAt": clock_of(day, at),
    }
    if at in _NIGHTS or at % 10 == 4:
        head |= _shift(day, time(22), day + timedelta(days=1), time(6), 30) | {
            "PayItem": "NIGHT",
            "Note": "Night shift",
        }
    elif at % 3 == 0:
        head |= _shift(day, time(8), day, time(16, 30), 30)
    elif at % 7 == 5:
        head |= {"Minutes": 95 + chance.below(60), "PayItem": "OT150", "Overtime": True, "Note": "Overtime"}
    else:
        head["Minutes"] = 240 + chance.below(241)
    return Draft("TimeEntry", head)


def _shift(first: date, start: time, last: date, end: time, pause: int) -> dict[str, Any]:
    return {
        "StartAt": f"{datetime.combine(first, start):%Y-%m-%d %H:%M:%S}",
        "EndAt": f"{datetime.combine(last, end):%Y-%m-%d %H:%M:%S}",
        "BreakMinutes": pause,
    }
