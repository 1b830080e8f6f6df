"""Documents as a bookkeeper knows them. Constructors refuse wrong types; whether sums fit is a check, not a type."""

from dataclasses import dataclass
from datetime import date as Date  # noqa: N812 - the field is called date, so the type needs another name
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, ClassVar, Final, TypeAlias

from connector_service.domain.kinds import Kind
from connector_service.domain.money import ZERO, is_currency

MOST_DIGITS: Final = 14
"""Digits of a number before its point: with four decimals it still is a whole number of 64 bits in minor units."""
MOST_MINUTES: Final = 10**9
"""Minutes of a time record, for the same reason."""

_TEXT: Final = (str,)
_TEXT_OR_NONE: Final = (str, type(None))
_MONEY: Final = (Decimal,)
_MONEY_OR_NONE: Final = (Decimal, type(None))
_FLAG: Final = (bool,)
_FLAG_OR_NONE: Final = (bool, type(None))
_INSTANT_OR_NONE: Final = (datetime, type(None))


class WrongType(TypeError):
    """A field was given a value of a type that it cannot have; ``field`` names it."""

    def __init__(self, owner: str, field: str, wanted: str, value: object) -> None:
        """Say which field of which record wanted what, and what it was given."""
        self.field = field
        super().__init__(f"{owner}.{field} must be {wanted}, not {type(value).__name__} ({value!r:.80})")


_Rules: TypeAlias = tuple[tuple[str, tuple[type, ...]], ...]


class _TypeCheck:
    """Checks a record's fields at the price of one look-up once a combination of types has been seen to be right."""

    __slots__ = ("_decimals", "_getter", "_good", "_rules")

    def __init__(self, rules: _Rules) -> None:
        self._rules = rules
        self._getter = attrgetter(*(name for name, _ in rules))
        self._decimals = tuple(at for at, (_, kinds) in enumerate(rules) if Decimal in kinds)
        self._good: set[tuple[type, ...]] = set()

    def __call__(self, record: object) -> None:
        values = self._getter(record)
        types = tuple(map(type, values))
        if types not in self._good:
            self._look_closely(record, values)
            self._good.add(types)
        for at in self._decimals:
            value = values[at]
            if value is not None and not (value.is_finite() and value.adjusted() < MOST_DIGITS):
                wanted = f"a finite number of at most {MOST_DIGITS} digits before the point"
                raise WrongType(type(record).__name__, self._rules[at][0], wanted, value)

    def _look_closely(self, record: object, values: tuple[object, ...]) -> None:
        for (name, kinds), value in zip(self._rules, values, strict=True):
            # Exact classes: bool is an int and datetime is a date, and neither may pass for the other.
            if type(value) not in kinds:
                wanted = " or ".join("nothing" if kind is type(None) else kind.__name__ for kind in kinds)
                raise WrongType(type(record).__name__, name, wanted, value)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to a document, by reference: the bytes stay where they are until they are sent."""

    name: str
    media_type: str
    location: str
    """A path or an address that the source can open."""
    size: int | None = None
    """Bytes."""
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice, bill or credit."""

    number: str = ""
    description: str = ""
    quantity: Decimal = Decimal(1)
    unit_price: Decimal | None = None
    discount: Decimal = ZERO
    """Money, not per cent; already taken off ``amount``."""
    amount: Decimal = ZERO
    """Net of ``discount`` and, unless the document's prices include tax, without tax."""
    account: str = ""
    tax_code: str = ""
    tax_amount: Decimal | None = None
    item: str = ""
    cost_code: str = ""
    project: str = ""

    _check: ClassVar = _TypeCheck(
        (
            ("number", _TEXT),
            ("description", _TEXT),
            ("quantity", _MONEY),
            ("unit_price", _MONEY_OR_NONE),
            ("discount", _MONEY),
            ("amount", _MONEY),
            ("account", _TEXT),
            ("tax_code", _TEXT),
            ("tax_amount", _MONEY_OR_NONE),
            ("item", _TEXT),
            ("cost_code", _TEXT),
            ("project", _TEXT),
        )
    )

    def __post_init__(self) -> None:
        """Refuse wrong types (``WrongType``)."""
        self._check(self)


@dataclass(frozen=True, slots=True)
class MoneyDocument:
    """What the four documents with an amount have in common. All amounts are positive, also those of credits.

    ``total`` = lines + ``freight`` - ``discount`` + ``tax_total`` + ``rounding``; where ``prices_include_tax``, the
    lines carry their tax already and ``tax_total`` is not added. ``rate`` is units of the company's home currency for
    one unit of the document's.
    """

    kind: ClassVar[Kind]

    key: str
    date: Date
    party_key: str
    currency: str
    total: Decimal
    number: str = ""
    due_date: Date | None = None
    party_name: str = ""
    rate: Decimal | None = None
    tax_total: Decimal = ZERO
    discount: Decimal = ZERO
    discount_tax_code: str = ""
    freight: Decimal = ZERO
    freight_tax_code: str = ""
    rounding: Decimal = ZERO
    """Payable rounding, part of ``total``."""
    prices_include_tax: bool = False
    sent: bool | None = None
    """Whether the document went out to the customer; ``None`` where the source does not know."""
    paid: bool | None = None
    care_of_key: str = ""
    terms: str = ""
    project: str = ""
    note: str = ""
    lines: tuple[Line, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    changed_at: datetime | None = None
    exported: bool = False
    """Whether the source says that this was exported already, by whomever."""

    _check: ClassVar = _TypeCheck(
        (
            ("key", _TEXT),
            ("number", _TEXT),
            ("date", (Date,)),
            ("due_date", (Date, type(None))),
            ("party_key", _TEXT),
            ("party_name", _TEXT),
            ("currency", _TEXT),
            ("rate", _MONEY_OR_NONE),
            ("total", _MONEY),
            ("tax_total", _MONEY),
            ("discount", _MONEY),
            ("discount_tax_code", _TEXT),
            ("freight", _MONEY),
            ("freight_tax_code", _TEXT),
            ("rounding", _MONEY),
            ("prices_include_tax", _FLAG),
            ("sent", _FLAG_OR_NONE),
            ("paid", _FLAG_OR_NONE),
            ("care_of_key", _TEXT),
            ("terms", _TEXT),
            ("project", _TEXT),
            ("note", _TEXT),
            ("lines", (tuple,)),
            ("attachments", (tuple,)),
            ("changed_at", _INSTANT_OR_NONE),
            ("exported", _FLAG),
        )
    )

    def __post_init__(self) -> None:
        """Refuse wrong types (``WrongType``), an empty key and a currency that is not an ISO 4217 code."""
        self._check(self)
        if not self.key:
            raise WrongType(type(self).__name__, "key", "a text that is not empty", self.key)
        if not is_currency(self.currency):
            raise WrongType(
                type(self).__name__, "currency", "a code of three capital letters such as EUR", self.currency
            )

    def computed_total(self) -> Decimal:
        """What ``total`` should be by the parts that the document names."""
        net = sum((line.amount for line in self.lines), ZERO)
        tax = ZERO if self.prices_include_tax else self.tax_total
        return net + self.freight - self.discount + tax + self.rounding


@dataclass(frozen=True, slots=True)
class SalesInvoice(MoneyDocument):
    """An invoice to a customer."""

    kind: ClassVar[Kind] = Kind.SALES_INVOICE


@dataclass(frozen=True, slots=True)
class SalesCreditNote(MoneyDocument):
    """A credit note to a customer."""

    kind: ClassVar[Kind] = Kind.SALES_CREDIT_NOTE


@dataclass(frozen=True, slots=True)
class VendorBill(MoneyDocument):
    """A bill from a supplier."""

    kind: ClassVar[Kind] = Kind.VENDOR_BILL


@dataclass(frozen=True, slots=True)
class VendorCredit(MoneyDocument):
    """A credit from a supplier."""

    kind: ClassVar[Kind] = Kind.VENDOR_CREDIT


@dataclass(frozen=True, slots=True)
class TimeRecord:
    """Hours of one employee on one pay item: one source entry times one pay item is one unit."""

    kind: ClassVar[Kind] = Kind.TIME_RECORD

    key: str
    date: Date
    employee_key: str
    minutes: int
    """Whole minutes worked, breaks taken off."""
    number: str = ""
    employee_name: str = ""
    start: datetime | None = None
    """Local time in the source's time zone, without an offset."""
    end: datetime | None = None
    break_minutes: int = 0
    pay_item: str = ""
    job: str = ""
    customer_key: str = ""
    item: str = ""
    cost_code: str = ""
    billable: bool = False
    overtime: bool = False
    approved: bool | None = None
    """``None`` where the source knows no approval."""
    note: str = ""
    changed_at: datetime | None = None
    exported: bool = False

    _check: ClassVar = _TypeCheck(
        (
            ("key", _TEXT),
            ("number", _TEXT),
            ("date", (Date,)),
            ("employee_key", _TEXT),
            ("employee_name", _TEXT),
            ("minutes", (int,)),
            ("start", _INSTANT_OR_NONE),
            ("end", _INSTANT_OR_NONE),
            ("break_minutes", (int,)),
            ("pay_item", _TEXT),
            ("job", _TEXT),
            ("customer_key", _TEXT),
            ("item", _TEXT),
            ("cost_code", _TEXT),
            ("billable", _FLAG),
            ("overtime", _FLAG),
            ("approved", _FLAG_OR_NONE),
            ("note", _TEXT),
            ("changed_at", _INSTANT_OR_NONE),
            ("exported", _FLAG),
        )
    )

    def __post_init__(self) -> None:
        """Refuse wrong types (``WrongType``), an empty key, and minutes that are negative or beyond all measure."""
        self._check(self)
        if not self.key:
            raise WrongType("TimeRecord", "key", "a text that is not empty", self.key)
        if not 0 <= self.minutes < MOST_MINUTES:
            raise WrongType("TimeRecord", "minutes", f"zero or more and below {MOST_MINUTES:,}", self.minutes)


Document: TypeAlias = SalesInvoice | SalesCreditNote | VendorBill | VendorCredit | TimeRecord
Invoice: TypeAlias = SalesInvoice | SalesCreditNote | VendorBill | VendorCredit

DOCUMENT_TYPES: Final[dict[Kind, type[Any]]] = {
    Kind.SALES_INVOICE: SalesInvoice,
    Kind.SALES_CREDIT_NOTE: SalesCreditNote,
    Kind.VENDOR_BILL: VendorBill,
    Kind.VENDOR_CREDIT: VendorCredit,
    Kind.TIME_RECORD: TimeRecord,
}
"""The class of each kind."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A source row that cannot be a document, with the reason; it is kept and shown, and the others go on."""

    kind: Kind
    key: str
    """The row's key, or what else tells it apart (a file's name, a row number) where it has none."""
    reason: str
    """A sentence that names the place: profile, kind, column, key, value."""
    fix: str
    date: Date | None = None
    number: str = ""


SourceRecord: TypeAlias = Document | Unreadable


@dataclass(frozen=True, slots=True)
class Head:
    """The few facts by which a record older than the begin date is marked without reading it whole."""

    key: str
    number: str
    date: Date
    party_key: str
    currency: str
    total_minor: int
    """Minor units of the currency; minutes for a time record."""
