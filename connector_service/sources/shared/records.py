"""Documents built from flat rows: raw tuples in, domain records out, in one pass, with no dictionary a line."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import tzinfo
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final

from connector_service.domain.documents import DOCUMENT_TYPES, Line, SourceRecord, TimeRecord, Unreadable, WrongType
from connector_service.domain.kinds import Kind
from connector_service.domain.money import ZERO, is_currency, minor_units, round_money
from connector_service.sources.shared import values
from connector_service.sources.shared.columns import check_fields, converter, line_default
from connector_service.sources.shared.fields import LINE_FIELDS, Type, fields_of
from connector_service.sources.shared.profile import KindProfile
from connector_service.sources.shared.seen import SeenKeys
from connector_service.sources.shared.spans import seconds_between, span, whole_minutes
from connector_service.sources.shared.values import BadValueError, Converter

Row = Sequence[Any]

_NOTHING: Final = object()
_FIX: Final = "Mend the record in the source system, or the table of the profile that reads it."
_CREDIT: Final = {Kind.SALES_INVOICE: Kind.SALES_CREDIT_NOTE, Kind.VENDOR_BILL: Kind.VENDOR_CREDIT}


class _Plan:
    """Getters and converters of the fields that a table has, for currencies with one number of minor units."""

    __slots__ = ("convert", "get", "names")

    def __init__(self, columns: dict[str, int], converters: dict[str, Converter]) -> None:
        self.names = tuple(columns)
        at = tuple(columns.values())
        # With one index only, itemgetter would give the bare value; the second is left over and not looked at.
        self.get: Callable[[Row], tuple[Any, ...]] = itemgetter(*at, *(at if len(at) == 1 else ()))
        self.convert = tuple(converters[name] for name in columns)


class RecordBuilder:
    """Builds the documents of one table from rows whose columns are ``fields``, rows of one key beside each other."""

    def __init__(self, table: KindProfile, fields: Sequence[str], zone: tzinfo) -> None:
        """Look at the columns once; raises ``SettingsFault`` (see ``check_fields``)."""
        check_fields(table, fields)
        self._table = table
        self._kind = Kind(table.kind)
        self._zone = zone
        self._at = {name: place for place, name in enumerate(fields)}
        self._types = fields_of(table.kind)
        self._plans: dict[int, tuple[_Plan, _Plan | None]] = {}
        self._currency = converter(table, "currency", Type.TEXT, zone, ZERO)
        self._lines = [name for name in (f"line.{field}" for field in LINE_FIELDS) if name in self._at]
        self._seen = SeenKeys()
        self._arrange = self._arrangement()

    def _arrangement(self) -> Callable[[list[Any]], tuple[Any, ...]]:
        """Puts a line's values, followed by the defaults, into the order of ``Line``."""
        order = [f"line.{field}" for field in LINE_FIELDS]
        self._missing = [line_default(name) for name in order if name not in self._at]
        given = [*self._lines, *(name for name in order if name not in self._at)]
        return itemgetter(*(given.index(name) for name in order))

    def records(self, rows: Iterable[Row], wanted: Collection[str] | None = None) -> Iterator[SourceRecord]:
        """One record a key, in the order of the rows; with ``wanted``, only these keys."""
        at = self._at["key"]
        current: Any = _NOTHING
        group: list[Row] = []
        for row in rows:
            if row[at] == current:
                group.append(row)
                continue
            if group and (record := self._close(group, wanted)) is not None:
                yield record
            current = row[at]
            group = [row]
        if group and (record := self._close(group, wanted)) is not None:
            yield record

    def _close(self, group: list[Row], wanted: Collection[str] | None) -> SourceRecord | None:
        try:
            key = values.as_text(group[0][self._at["key"]])
        except BadValueError as fault:
            return self._unreadable("", group, f"column `key` {fault.what}", fault.fix)
        if wanted is not None and key not in wanted:
            return None
        if not key:
            return self._unreadable("", group, "column `key` is empty, and must have a value")
        if not self._seen.add(key):
            return self._unreadable(
                key, group, "its rows do not stand together", "Order the rows of this table of the profile by key."
            )
        try:
            if self._kind is Kind.TIME_RECORD:
                return self._time_record(group)
            return self._document(group)
        except (BadValueError, WrongType, ArithmeticError) as fault:
            return self._explain(key, group, fault)

    def _plan(self, places: int) -> tuple[_Plan, _Plan | None]:
        if places not in self._plans:
            step = Decimal(1).scaleb(-places)
            heads = {name: at for name, at in self._at.items() if not name.startswith("line.")}
            lines = {name: self._at[name] for name in self._lines}
            made = {
                name: converter(self._table, name, self._types[name], self._zone, step) for name in (*heads, *lines)
            }
            self._plans[places] = (_Plan(heads, made), _Plan(lines, made) if lines else None)
        return self._plans[places]

    def _document(self, group: list[Row]) -> SourceRecord:
        first = group[0]
        at = self._at.get("currency")
        currency = self._currency(None if at is None else first[at])
        head, body = self._plan(minor_units(currency))
        raw = head.get(first)
        for row in group:
            if head.get(row) != raw:
                raise self._differs(group, head)
        fields = dict(
            zip(head.names, [convert(value) for convert, value in zip(head.convert, raw, strict=False)], strict=True)
        )
        lines = self._body(group, body, currency) if body else ()
        fields["currency"] = currency
        fields["lines"] = lines
        if "tax_total" not in fields:
            fields["tax_total"] = sum((line.tax_amount or ZERO for line in lines), ZERO)
        if "total" not in fields:
            made = DOCUMENT_TYPES[self._kind](**fields, total=ZERO)
            fields["total"] = made.computed_total()
        if fields["total"] < 0:
            raise self._negative(fields["total"])
        return DOCUMENT_TYPES[self._kind](**fields)  # type: ignore[no-any-return]

    def _body(self, group: list[Row], plan: _Plan, currency: str) -> tuple[Line, ...]:
        get, converts, arrange, missing = plan.get, plan.convert, self._arrange, self._missing
        if "line.amount" not in self._at:
            return tuple(line for row in group if (line := self._computed(get(row), plan, currency)))
        try:
            return tuple(
                [
                    Line(
                        *arrange([convert(value) for convert, value in zip(converts, get(row), strict=False)] + missing)
                    )
                    for row in group
                ]
            )
        except BadValueError:
            return tuple(line for row in group if (line := self._careful(get(row), plan)))

    def _careful(self, raw: tuple[Any, ...], plan: _Plan) -> Line | None:
        """A line, one that is text only, or none where a header stands without lines (a left join)."""
        cells = dict(zip(plan.names, raw, strict=False))
        if all(map(values.is_nothing, cells.values())):
            return None
        wordy = all(values.is_nothing(cells.get(name)) for name in ("line.amount", "line.quantity", "line.unit_price"))
        if wordy:
            cells["line.amount"] = ZERO
        return Line(*self._arrange([c(v) for c, v in zip(plan.convert, cells.values(), strict=True)] + self._missing))

    def _computed(self, raw: tuple[Any, ...], plan: _Plan, currency: str) -> Line | None:
        """A line whose amount the source does not tell: quantity times price, rounded, less the discount."""
        if all(map(values.is_nothing, raw)):
            return None
        line = Line(*self._arrange([c(v) for c, v in zip(plan.convert, raw, strict=False)] + self._missing))
        amount = round_money(line.quantity * (line.unit_price or ZERO), currency) - line.discount
        made = [getattr(line, name) for name in LINE_FIELDS]
        made[list(LINE_FIELDS).index("amount")] = amount
        return Line(*made)

    def _time_record(self, group: list[Row]) -> SourceRecord:
        if len(group) > 1:
            raise BadValueError(
                f"stands in {len(group)} rows, and a time record is one row",
                "Let the profile give each pay item of an entry its own key, or join less.",
            )
        head, _ = self._plan(0)
        cells = [convert(value) for convert, value in zip(head.convert, head.get(group[0]), strict=False)]
        fields = dict(zip(head.names, cells, strict=True))
        pause = fields.pop("break_minutes", None) or ZERO
        start, end = span(fields["date"], fields.pop("start", None), fields.pop("end", None), self._zone)
        worked = fields.pop("minutes", None)
        if worked is None:
            if start is None or end is None:
                raise BadValueError("is empty, and so is one of `start` and `end`: how long it took is not known")
            worked = seconds_between(start, end, self._zone) - pause
        if worked < 0 or pause < 0:
            raise BadValueError(
                "comes to less than zero", "Correct the times or the break of this record at the source."
            )
        return TimeRecord(
            **fields, start=start, end=end, minutes=whole_minutes(worked), break_minutes=whole_minutes(pause)
        )

    def _negative(self, total: Decimal) -> BadValueError:
        if self._kind in _CREDIT:
            credit = _CREDIT[self._kind]
            return BadValueError(
                f"is negative ({total}): this is a credit",
                f"Let the table [{credit}] of the profile read such records, with positive amounts, and leave them out "
                f"of [{self._kind}].",
            )
        return BadValueError(
            f"is negative ({total}), and credits carry positive amounts",
            f"Turn the sign of the amounts in the table [{self._kind}] of the profile.",
        )

    def _differs(self, group: list[Row], head: _Plan) -> BadValueError:
        first = head.get(group[0])
        for row in group:
            for name, left, right in zip(head.names, first, head.get(row), strict=False):
                if left != right:
                    return BadValueError(
                        f"column `{name}` differs between its rows: {values.shown(left)} and {values.shown(right)}",
                        f"Let the profile take `{name}` from the record's head, or name it `line.{name}`.",
                    )
        return BadValueError("its rows differ")

    def _explain(self, key: str, group: list[Row], fault: Exception) -> Unreadable:
        """Find every column that is at fault; done only for records that cannot be built."""
        found: list[str] = []
        fix = getattr(fault, "fix", "")
        for place, row in enumerate(group, 1):
            for name, at in self._at.items():
                line = name.startswith("line.")
                if place > 1 and not line:
                    continue
                wrong = self._wrong(name, row[at], row)
                if wrong is not None:
                    found.append(f"column `{name}`{f' of line {place}' if line else ''} {wrong.what}")
                    fix = wrong.fix or fix
        if not found:
            what = fault.what if isinstance(fault, BadValueError) else str(fault)
            subject = "" if what.startswith(("column", "its")) else f"column `{_SUBJECT.get(self._kind, 'total')}` "
            found.append(f"{subject}{what}")
        return self._unreadable(key, group, "; ".join(found[:5]), fix)

    def _wrong(self, name: str, value: Any, row: Row) -> BadValueError | None:
        try:
            result = converter(self._table, name, self._types[name], self._zone, Decimal("0.0001"))(value)
        except BadValueError as wrong:
            if name == "line.amount" and values.is_nothing(value):
                others = [row[self._at[other]] for other in ("line.quantity", "line.unit_price") if other in self._at]
                return wrong if not all(map(values.is_nothing, others)) else None
            return wrong
        except ArithmeticError:
            return BadValueError(f"is not a finite number: {values.shown(value)}")
        if isinstance(result, Decimal) and not result.is_finite():
            return BadValueError(f"is not a finite number: {values.shown(value)}")
        if name == "currency" and not is_currency(result):
            return BadValueError(f"is not a code of three capital letters such as EUR: {values.shown(value)}")
        return None

    def _unreadable(self, key: str, group: list[Row], what: str, fix: str = "") -> Unreadable:
        number = self._quietly("number", group[0]) or ""
        day = self._quietly("date", group[0])
        name = key or f"(no key) {number or ' '.join(str(cell) for cell in group[0] if cell is not None)[:60]}".strip()
        if fix:
            fix = f"{fix[0].upper()}{fix[1:]}{'' if fix.endswith('.') else '.'}"
        return Unreadable(
            self._kind, name, f"Profile {self._table.place}, key {name}: {what}.", fix or _FIX, day, number
        )

    def _quietly(self, name: str, row: Row) -> Any:
        at = self._at.get(name)
        if at is None:
            return None
        try:
            return converter(self._table, name, self._types[name], self._zone, ZERO)(row[at])
        except BadValueError:
            return None


_SUBJECT: Final = {Kind.TIME_RECORD: "minutes"}
