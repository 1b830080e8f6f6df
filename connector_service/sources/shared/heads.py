"""The few facts of a record by which it is marked, without building the record."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, tzinfo
from decimal import Decimal
from itertools import compress, islice
from operator import attrgetter, ne
from typing import Any, Final, TypeAlias

from connector_service.domain.documents import Document, Head, TimeRecord
from connector_service.domain.kinds import Kind
from connector_service.domain.money import is_currency, minor_units, to_minor
from connector_service.sources.shared import values
from connector_service.sources.shared.columns import column_of
from connector_service.sources.shared.profile import KindProfile
from connector_service.sources.shared.seen import SeenKeys
from connector_service.sources.shared.spans import whole_minutes
from connector_service.sources.shared.values import BadValueError

Row: TypeAlias = Sequence[Any]

_NOTHING: Final = object()
_BATCH: Final = 500
_SURE: Final = 10**15
_DATE: Final = attrgetter("date")
_KEY: Final = attrgetter("key")


def head_of(document: Document) -> Head:
    """The head of a document that is there already."""
    if isinstance(document, TimeRecord):
        return Head(document.key, document.number, document.date, document.employee_key, "", document.minutes)
    total = to_minor(document.total, document.currency)
    return Head(document.key, document.number, document.date, document.party_key, document.currency, total)


def head_fields(table: KindProfile) -> tuple[str, ...]:
    """Columns that heads are made from, in the order in which ``HeadBuilder`` wants them.

    Not every table has them all: see ``has_heads``.
    """
    if table.kind is Kind.TIME_RECORD:
        return ("key", "number", "date", "employee_key", "minutes")
    return ("key", "number", "date", "party_key", "currency", "total")


def has_heads(table: KindProfile, fields: Sequence[str]) -> bool:
    """Whether heads can be made from a table's columns alone; else they need the whole records.

    A time record with ``start`` may have no minutes in the column.
    """
    optional = {"number", *(["currency"] if table.currency else [])}
    return "start" not in fields and all(name in fields for name in head_fields(table) if name not in optional)


class HeadBuilder:
    """Makes heads from rows of the columns that ``head_fields`` names, of which some may be missing."""

    def __init__(self, table: KindProfile, fields: Sequence[str], zone: tzinfo) -> None:
        """Look at the columns once; ``fields`` are the names of the rows' columns."""
        self._table = table
        self._at = [fields.index(name) if name in fields else None for name in head_fields(table)]
        self._columns = [column_of(table, name, zone, Decimal(1)) for name in head_fields(table)]
        self._money = [
            values.needed(values.number_of(table.decimal, Decimal(1).scaleb(-places), None)) for places in range(5)
        ]
        self._seen = SeenKeys()

    def heads(self, rows: Iterable[Row], first: date, last: date) -> Iterator[Head]:
        """One head a key dated within the window, both ends included; rows that cannot be a record are left out."""
        key = self._at[0] or 0
        source = iter(rows)
        before: Any = _NOTHING
        while batch := list(islice(source, _BATCH)):
            keys = [before, *(row[key] for row in batch)]
            before = keys[-1]
            # Rows of one key stand together, so that a repeated key is nearly always that of the row before.
            fresh = list(compress(batch, map(ne, keys, islice(keys, 1, None))))
            if fresh:
                yield from self._batch(fresh, first, last)

    def _batch(self, rows: list[Row], first: date, last: date) -> Iterable[Head]:
        try:
            heads = self._quick(rows)
        except (BadValueError, ArithmeticError, TypeError, KeyError, ValueError):
            heads = [head for row in rows if (head := self._single(row)) is not None]
        if heads and not (first <= min(map(_DATE, heads)) and max(map(_DATE, heads)) <= last):
            heads = [head for head in heads if first <= head.date <= last]
        return compress(heads, self._seen.add_many(list(map(_KEY, heads))))

    def _single(self, row: Row) -> Head | None:
        try:
            return self._quick([row])[0]
        except (BadValueError, ArithmeticError, TypeError, KeyError, ValueError):
            return None

    def _quick(self, rows: list[Row]) -> list[Head]:
        cells = list(zip(*rows, strict=True))
        columns: list[Sequence[Any]] = [
            [""] * len(rows) if at is None else column.many(cells[at])
            for at, column in zip(self._at, self._columns, strict=True)
            if column is not self._columns[-1] or self._table.kind is Kind.TIME_RECORD
        ]
        keys, numbers, days, parties, *rest = columns
        if None in days:
            raise BadValueError("is empty")
        if self._table.kind is Kind.TIME_RECORD:
            currencies: Sequence[str] = [""] * len(rows)
            totals = [whole_minutes(seconds) for seconds in rest[0]]
        else:
            currencies = rest[0] if self._at[4] is not None else [self._table.currency] * len(rows)
            totals = self._minor(cells[self._at[5] or 0], set(currencies), currencies)
        if min(totals) < 0:
            raise BadValueError("is negative")
        return list(map(Head, keys, numbers, days, parties, currencies, totals))

    def _minor(self, cells: Sequence[Any], different: set[str], currencies: Sequence[str]) -> list[int]:
        if not all(map(is_currency, different)):
            raise BadValueError("is not a currency")
        if len(different) == 1 and set(map(type, cells)) <= {int, float}:
            scale = 10 ** minor_units(currencies[0])
            minor = [round(value * scale) for value in cells]
            # As in ``values.number_of``: where the quotient is the value again, nothing is rounded.
            if [value / scale for value in minor] == list(cells) and max(map(abs, minor)) < _SURE:
                return minor
        return [
            to_minor(self._money[minor_units(currency)].one(value), currency)
            for value, currency in zip(cells, currencies, strict=True)
        ]
