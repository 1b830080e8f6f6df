"""Documents built from flat rows, many at once: a batch of rows is turned column by column, which costs the least.

A batch with anything out of the ordinary in it is done again record by record (``singly``), so that one bad record
costs time and nothing else.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import tzinfo
from itertools import compress, count, islice, repeat
from operator import itemgetter, ne
from typing import Any, Final

from connector_service.domain.documents import DOCUMENT_TYPES, Line, SourceRecord, WrongType
from connector_service.domain.kinds import Kind
from connector_service.domain.money import minor_units
from connector_service.sources.shared import singly, values
from connector_service.sources.shared.columns import check_fields, line_default
from connector_service.sources.shared.fields import LINE_FIELDS
from connector_service.sources.shared.profile import KindProfile
from connector_service.sources.shared.seen import SeenKeys
from connector_service.sources.shared.singly import Layout, Row
from connector_service.sources.shared.values import BadValueError

_BATCH: Final = 500
"""Rows of a batch."""
_FAULTS: Final = (BadValueError, WrongType, ArithmeticError)


class RecordBuilder:
    """Builds the documents of one table from rows whose columns are ``fields``, rows of one key beside each other.

    One builder is good for one pass: it remembers which keys it has closed, and a key that comes again is unreadable.
    """

    def __init__(self, table: KindProfile, fields: Sequence[str], zone: tzinfo) -> None:
        """Look at the columns once; raises ``SettingsFault`` (see ``check_fields``)."""
        check_fields(table, fields)
        self._layout = Layout(table, fields, zone)
        self._key = itemgetter(self._layout.at["key"])
        self._seen = SeenKeys()
        names = self._layout.heads
        self._currency = names.index("currency") if "currency" in names else None
        # A table without a total, a tax or an amount column has sums to make, and a time record a length.
        self._plain = self._layout.kind is not Kind.TIME_RECORD and all(
            name in self._layout.at for name in ("total", "tax_total", "line.amount")
        )

    def records(self, rows: Iterable[Row], wanted: Collection[str] | None = None) -> Iterator[SourceRecord]:
        """One record a key, in the order of the rows; with ``wanted``, only these keys."""
        source = iter(rows)
        rest: list[Row] = []
        while batch := list(islice(source, _BATCH)):
            batch = rest + batch
            last = self._key(batch[-1])
            cut = len(batch) - 1
            while cut and self._key(batch[cut - 1]) == last:
                cut -= 1
            rest = batch[cut:]
            yield from self._batch(batch[:cut], wanted)
        yield from self._batch(rest, wanted)

    def _batch(self, rows: list[Row], wanted: Collection[str] | None) -> Iterable[SourceRecord]:
        if not rows:
            return ()
        keys = list(map(self._key, rows))
        starts = [0, *compress(count(1), map(ne, keys, islice(keys, 1, None)))]
        if self._plain and wanted is None:
            made = self._quick(rows, keys, starts)
            if made is not None:
                return made
        ends = [*islice(starts, 1, None), len(rows)]
        singles = (self._single(rows[start:end], wanted) for start, end in zip(starts, ends, strict=True))
        return (record for record in singles if record is not None)

    def _single(self, group: list[Row], wanted: Collection[str] | None) -> SourceRecord | None:
        layout = self._layout
        try:
            key = values.as_text(self._key(group[0]))
        except BadValueError as fault:
            key, what = "", f"column `key` {fault.what}"
        else:
            what = "column `key` is empty, and must have a value"
        if wanted is not None and key not in wanted:
            return None
        if not key:
            return singly.unreadable(layout, "", group[0], what)
        if not self._seen.add(key):
            return self._apart(key, group[0])
        try:
            return singly.document(layout, group)
        except _FAULTS as fault:
            return singly.explain(layout, key, group, fault)

    def _apart(self, key: str, row: Row) -> SourceRecord:
        return singly.unreadable(
            self._layout,
            key,
            row,
            "its rows do not stand together",
            "Order the rows of this table of the profile by key, then by line",
        )

    def _quick(self, rows: list[Row], keys: list[Any], starts: list[int]) -> list[SourceRecord] | None:
        """The documents of a batch in which nothing is out of the ordinary, or ``None``."""
        layout = self._layout
        heads = list(map(layout.head_of, rows))
        # Rows whose head is not that of the row before must be those whose key is not either.
        if list(map(ne, heads, islice(heads, 1, None))) != list(map(ne, keys, islice(keys, 1, None))):
            return None
        firsts = [heads[start] for start in starts]
        try:
            raw = {heads[start][self._currency] for start in starts} if self._currency is not None else {None}
            places = {minor_units(layout.currency_of(value)) for value in raw}
            if len(places) != 1:
                return None
            documents = self._documents(rows, firsts, starts, places.pop())
        except (*_FAULTS, KeyError, TypeError):
            return None
        new = self._seen.add_many([document.key for document in documents])
        if all(new):
            return documents
        return [
            document if fresh else self._apart(document.key, rows[start])
            for document, fresh, start in zip(documents, new, starts, strict=True)
        ]

    def _documents(
        self, rows: list[Row], firsts: list[tuple[Any, ...]], starts: list[int], places: int
    ) -> list[SourceRecord]:
        layout = self._layout
        columns = layout.columns(places)
        cells = list(zip(*rows, strict=True))
        parts = [
            columns[name].many(cells[layout.at[name]]) if name in layout.at else repeat(line_default(name))
            for name in (f"line.{field}" for field in LINE_FIELDS)
        ]
        lines = list(map(Line, *parts))
        made: dict[str, Iterable[Any]] = {
            name: columns[name].many(raw) for name, raw in zip(layout.heads, zip(*firsts, strict=True), strict=False)
        }
        if "currency" not in layout.at:
            made["currency"] = [layout.table.currency] * len(starts)
        made["lines"] = [tuple(lines[a:b]) for a, b in zip(starts, [*islice(starts, 1, None), len(rows)], strict=True)]
        make = DOCUMENT_TYPES[layout.kind]
        # By position: a call with names would cost a dictionary a document.
        ordered = [made.get(field.name) or repeat(field.default) for field in fields(make)]
        documents = list(map(make, *ordered))
        if any(document.total < 0 for document in documents):
            raise BadValueError("is negative")
        return documents
