"""One record at a time, with care: what the quick way of ``records`` cannot do, and why a record cannot be built."""

from collections.abc import Sequence
from datetime import tzinfo
from decimal import Decimal
from operator import itemgetter
from sys import intern
from typing import Any, Final, TypeAlias

from connector_service.domain.documents import DOCUMENT_TYPES, Line, SourceRecord, TimeRecord, Unreadable, WrongType
from connector_service.domain.kinds import Kind
from connector_service.domain.money import ZERO, is_currency, minor_units, round_money
from connector_service.sources.shared import values
from connector_service.sources.shared.columns import column_of
from connector_service.sources.shared.fields import LINE_FIELDS
from connector_service.sources.shared.profile import KindProfile
from connector_service.sources.shared.spans import seconds_between, span, whole_minutes
from connector_service.sources.shared.values import BadValueError, Column

Row: TypeAlias = Sequence[Any]

_FIX: Final = "Mend the record in the source system, or the table of the profile that reads it."
_CREDIT: Final = {Kind.SALES_INVOICE: Kind.SALES_CREDIT_NOTE, Kind.VENDOR_BILL: Kind.VENDOR_CREDIT}
_SHOWN_FAULTS: Final = 5


class Layout:
    """Where each field stands in a row, and the columns of documents in currencies with one number of minor units."""

    def __init__(self, table: KindProfile, fields: Sequence[str], zone: tzinfo) -> None:
        self.table = table
        self.kind = Kind(table.kind)
        self.zone = zone
        self.at = {name: place for place, name in enumerate(fields)}
        # Interned, since a call with many keywords compares each with the parameters' names, first by identity.
        self.heads = [intern(name) for name in fields if not name.startswith("line.")]
        self.lines = [name for name in (f"line.{field}" for field in LINE_FIELDS) if name in self.at]
        # With one index only, itemgetter would give the bare value.
        self.head_of = itemgetter(*(self.at[name] for name in self.heads), 0)
        self._columns: dict[int, dict[str, Column]] = {}

    def columns(self, places: int) -> dict[str, Column]:
        """The columns by field, for currencies with this number of minor units."""
        if places not in self._columns:
            step = Decimal(1).scaleb(-places)
            self._columns[places] = {name: column_of(self.table, name, self.zone, step) for name in self.at}
        return self._columns[places]

    def currency_of(self, value: Any) -> str:
        """The currency that a raw value names; whether there is such a currency is not checked."""
        return str(self.columns(2)["currency"].one(value)) if "currency" in self.at else self.table.currency


def document(layout: Layout, group: list[Row]) -> SourceRecord:
    """The document of one key's rows; raises ``BadValueError``, ``WrongType`` or ``ArithmeticError``."""
    if layout.kind is Kind.TIME_RECORD:
        return _time_record(layout, group)
    same_head(layout, group)
    currency = layout.currency_of(group[0][layout.at.get("currency", 0)])
    columns = layout.columns(minor_units(currency))
    fields: dict[str, Any] = {name: columns[name].one(group[0][layout.at[name]]) for name in layout.heads}
    lines = tuple(line for row in group if (line := _line(layout, row, columns, currency)) is not None)
    return finished(layout.kind, {**fields, "currency": currency, "lines": lines})


def finished(kind: Kind, fields: dict[str, Any]) -> SourceRecord:
    """The document of its fields, with the sums that the source does not tell; refuses a negative total."""
    lines: tuple[Line, ...] = fields["lines"]
    if "tax_total" not in fields:
        fields["tax_total"] = sum((line.tax_amount or ZERO for line in lines), ZERO)
    if "total" not in fields:
        fields["total"] = DOCUMENT_TYPES[kind](**fields, total=ZERO).computed_total()
    if fields["total"] < 0:
        raise _negative(kind, fields["total"])
    return DOCUMENT_TYPES[kind](**fields)  # type: ignore[no-any-return]


def same_head(layout: Layout, group: list[Row]) -> None:
    """Refuse rows of one key that do not agree on the document's head."""
    first = layout.head_of(group[0])
    for row in group:
        for name, left, right in zip(layout.heads, first, layout.head_of(row), strict=False):
            if left != right:
                raise BadValueError(
                    f"column `{name}` differs between its rows: {values.shown(left)} and {values.shown(right)}",
                    f"Let the profile take `{name}` from the record's head, so that all its rows agree.",
                )


def _line(layout: Layout, row: Row, columns: dict[str, Column], currency: str) -> Line | None:
    """A line, or none where a head stands without lines (a left join). A line of words only has no amount."""
    cells = {name: row[layout.at[name]] for name in layout.lines}
    if all(map(values.is_nothing, cells.values())):
        return None
    if "line.amount" in cells and _words_only(cells):
        cells["line.amount"] = ZERO
    made = {name.partition(".")[2]: columns[name].one(value) for name, value in cells.items()}
    if "amount" not in made:
        price = made["unit_price"] or ZERO
        made["amount"] = round_money(made["quantity"] * price, currency) - made.get("discount", ZERO)
    return Line(**made)


def _words_only(cells: dict[str, Any]) -> bool:
    return all(values.is_nothing(cells.get(f"line.{name}")) for name in ("amount", "quantity", "unit_price"))


def _time_record(layout: Layout, group: list[Row]) -> SourceRecord:
    if len(group) > 1:
        raise BadValueError(
            f"column `key` is the same in {len(group)} rows, and a time record is one row",
            "Let the profile give each pay item of an entry a key of its own, or join less.",
        )
    columns = layout.columns(0)
    fields: dict[str, Any] = {name: columns[name].one(group[0][at]) for name, at in layout.at.items()}
    pause = fields.pop("break_minutes", None) or ZERO
    start, end = span(fields["date"], fields.pop("start", None), fields.pop("end", None))
    worked = fields.pop("minutes", None)
    if worked is None:
        if start is None or end is None:
            raise BadValueError("column `minutes` is empty, and so is `start` or `end`: how long it took is not known")
        worked = seconds_between(start, end, layout.zone) - pause
    if worked < 0 or pause < 0:
        raise BadValueError(
            "column `minutes` comes to less than zero", "Correct the times or the break of this record at the source."
        )
    return TimeRecord(**fields, start=start, end=end, minutes=whole_minutes(worked), break_minutes=whole_minutes(pause))


def _negative(kind: Kind, total: Decimal) -> BadValueError:
    if kind in _CREDIT:
        return BadValueError(
            f"column `total` is negative ({total}): this is a credit",
            f"Let the table [{_CREDIT[kind]}] of the profile read such records, with positive amounts, and leave them "
            f"out of [{kind}].",
        )
    return BadValueError(
        f"column `total` is negative ({total}), and credits carry positive amounts",
        f"Turn the sign of the amounts in the table [{kind}] of the profile.",
    )


def explain(layout: Layout, key: str, group: list[Row], fault: Exception) -> Unreadable:
    """Why a record could not be built: every column that is at fault, or else what the builder said."""
    found: list[str] = []
    fix = fault.fix if isinstance(fault, BadValueError) else ""
    for place, row in enumerate(group, 1):
        cells = {name: row[layout.at[name]] for name in layout.lines}
        empty = all(map(values.is_nothing, cells.values()))
        for name in layout.at:
            of_line = name.startswith("line.")
            if of_line and (empty or (name == "line.amount" and _words_only(cells))):
                continue
            if place > 1 and not of_line:
                continue
            wrong = _wrong(layout, name, row[layout.at[name]])
            if wrong is not None:
                found.append(f"column `{name}`{f' of line {place}' if of_line else ''} {wrong.what}")
                fix = wrong.fix or fix
    if not found:
        found.append(fault.what if isinstance(fault, BadValueError) else str(fault))
    return unreadable(layout, key, group[0], "; ".join(found[:_SHOWN_FAULTS]), fix)


def _wrong(layout: Layout, name: str, value: Any) -> BadValueError | None:
    try:
        result = layout.columns(4)[name].one(value)
    except BadValueError as wrong:
        return wrong
    except ArithmeticError:
        return BadValueError(f"is not a finite number: {values.shown(value)}")
    if isinstance(result, Decimal) and not result.is_finite():
        return BadValueError(f"is not a finite number: {values.shown(value)}")
    if name == "currency" and not is_currency(result):
        return BadValueError(f"is not a code of three capital letters such as EUR: {values.shown(value)}")
    return None


def unreadable(layout: Layout, key: str, row: Row, what: str, fix: str = "") -> Unreadable:
    """The record that stands for one that cannot be built; without a key it is told apart by its number or its text."""
    number = _quietly(layout, "number", row) or ""
    name = key or f"(no key) {number or ' '.join(str(cell) for cell in row if not values.is_nothing(cell))[:60]}"
    reason = f"Profile {layout.table.place}, key {name}: {what}."
    if fix:
        fix = f"{fix[0].upper()}{fix[1:]}{'' if fix.endswith('.') else '.'}"
    return Unreadable(layout.kind, name.strip(), reason, fix or _FIX, _quietly(layout, "date", row), number)


def _quietly(layout: Layout, name: str, row: Row) -> Any:
    try:
        return layout.columns(2)[name].one(row[layout.at[name]])
    except (KeyError, BadValueError, WrongType):
        return None
