"""CSV files and XLSX workbooks, read by profile.

``[columns]`` pairs a field with a header. Headers are compared without regard to case, to white space around them and
to a star before them. Three forms go beyond the plain header: ``"User + Start date"`` joins columns by a blank, for
records that have no key of their own; ``"percent: Discount"`` reads a line's discount given per cent of quantity times
price; ``"Billable = Ja|Yes / Nee|No"`` tells the words that stand for yes and for no.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any, Final, TypeAlias

import python_calamine

from connector_service.domain.documents import SourceRecord
from connector_service.domain.kinds import Kind
from connector_service.domain.money import ZERO, is_currency, round_money
from connector_service.domain.problems import SettingsFault
from connector_service.sources.folder.safexml import plain
from connector_service.sources.folder.wire import Unfit
from connector_service.sources.folder.workbook import check_workbook
from connector_service.sources.shared.profile import KindProfile
from connector_service.sources.shared.records import RecordBuilder
from connector_service.sources.shared.values import as_text, is_nothing, number_of

Row: TypeAlias = Sequence[Any]
_Getter: TypeAlias = Callable[[Row], Any]

_PERCENT: Final = "percent:"
_JOIN: Final = " + "
_WORDS: Final = " = "
_DELIMITERS: Final = ",;\t|"
_LONGEST_CELL: Final = 1_000_000
UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
"""What a text in UTF-16 begins with, as Excel writes its "Unicode text"."""
_DROP_AGAIN: Final = "Mend the file and drop it again; records that were taken already are not taken twice."


def tables_for(name: str, tables: Iterable[KindProfile]) -> list[KindProfile]:
    """The tables of a profile whose pattern the file's name fits."""
    return [
        table
        for table in tables
        if isinstance(table.kind, Kind) and fnmatchcase(name.casefold(), (table.pattern or "*").casefold())
    ]


def csv_records(data: bytes, name: str, tables: Sequence[KindProfile], zone: tzinfo) -> Iterator[SourceRecord]:
    """The documents of a CSV file; raises ``Unfit`` where it cannot be read as the profile says."""
    fits: list[tuple[KindProfile, _Columns]] = []
    faults: list[str] = []
    for table in tables:
        try:
            rows = _csv_rows(data, table, plain(name))
            fits.append((table, _Columns(table, next(rows))))
        except StopIteration:
            faults.append("The file is empty.")
        except Unfit as fault:
            faults.append(fault.reason)
    table, columns = _only(fits, faults, name)
    rows = _csv_rows(data, table, plain(name))
    next(rows)
    yield from _records(table, columns, rows, name, zone)


def workbook_records(data: bytes, name: str, tables: Sequence[KindProfile], zone: tzinfo) -> Iterator[SourceRecord]:
    """The documents of an XLSX workbook, one table a sheet; raises ``Unfit``."""
    check_workbook(data)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets: dict[str, list[KindProfile]] = {}
        for table in tables:
            if not table.sheet or table.sheet in book.sheet_names:
                sheets.setdefault(table.sheet or book.sheet_names[0], []).append(table)
        found = False
        for sheet, candidates in sheets.items():
            content = list(_sheet_rows(book, sheet))
            fits: list[tuple[KindProfile, _Columns]] = []
            faults: list[str] = []
            for table in candidates:
                try:
                    fits.append((table, _Columns(table, content[0] if content else ())))
                except Unfit as fault:
                    faults.append(fault.reason)
            table, columns = _only(fits, faults, f"{name}, sheet {sheet}")
            yield from _records(table, columns, iter(content[1:]), name, zone)
            found = True
    except (python_calamine.CalamineError, ValueError, IndexError, OverflowError) as error:
        raise Unfit(f"The workbook is damaged: {plain(str(error))}", "Save it again as .xlsx and drop it.") from error
    if not found:
        wanted = ", ".join(f"“{table.sheet}”" for table in tables)
        raise Unfit(
            f"The workbook has no sheet {wanted}; it has {', '.join(plain(each, 40) for each in book.sheet_names)}.",
            "Name the sheet as the profile does, or mend `sheet` in the profile.",
        )


def _only(fits: list[tuple[KindProfile, "_Columns"]], faults: list[str], name: str) -> tuple[KindProfile, "_Columns"]:
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise Unfit(
            f"The file fits {len(fits)} tables of the profile: {', '.join(table.place for table, _ in fits)}.",
            "Give each table a `pattern` that fits only its own file names.",
        )
    raise Unfit(
        " ".join(dict.fromkeys(faults)) or f"No table of the profile is for a file called “{plain(name, 60)}”.",
        "Mend the header of the file, or `pattern` and [columns] of the profile, and drop the file again.",
    )


def _csv_rows(data: bytes, table: KindProfile, name: str) -> Iterator[Row]:
    encoding = table.encoding or ("utf-16" if data[:2] in UTF_16_MARKS else "utf-8-sig")
    stream = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="")
    csv.field_size_limit(_LONGEST_CELL)
    line = 0
    try:
        delimiter = table.delimiter or _delimiter(stream)
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        width = 0
        for row in reader:
            line = reader.line_num
            if not any(cell.strip() for cell in row):
                continue
            if not width:
                width = len(row)
            elif len(row) > width and any(cell.strip() for cell in row[width:]):
                raise Unfit(
                    f"{name}, line {line} has {len(row)} columns, but the header has {width}. A text with the "
                    f"separator “{delimiter}” in it must stand in quotes.",
                    _DROP_AGAIN,
                )
            yield row
    except UnicodeDecodeError as error:
        raise Unfit(
            f"{name} is not written in {encoding.removesuffix('-sig')}: a byte after line {line} does not fit.",
            "Save the file as UTF-8, or name its encoding in the profile (`encoding`), such as windows-1252.",
        ) from error
    except csv.Error as error:
        raise Unfit(f"{name} cannot be read after line {line}: {plain(str(error))}.", _DROP_AGAIN) from error


def _delimiter(stream: io.TextIOWrapper) -> str:
    head = ""
    while not head.strip():
        head = stream.readline(_LONGEST_CELL)
        if not head:
            break
    stream.seek(0)
    return max(_DELIMITERS, key=head.count)


def _sheet_rows(book: python_calamine.CalamineWorkbook, sheet: str) -> Iterator[Row]:
    for row in book.get_sheet_by_name(sheet).iter_rows():
        if not all(map(is_nothing, row)):
            yield row


@dataclass(frozen=True, slots=True)
class _Found:
    field: str
    get: _Getter


class _Columns:
    """Where the fields of a table stand in a file."""

    def __init__(self, table: KindProfile, header: Row) -> None:
        """Find every column that the table names; raises ``Unfit`` with those that are not there."""
        self._table = table
        self._at: dict[str, int] = {}
        for place, cell in enumerate(header):
            self._at.setdefault(_header(cell if isinstance(cell, str) else str(cell)), place)
        wanted: Mapping[str, str] = table.columns or {name: name for name in self._at if name}
        self._percent: _Getter | None = None
        found: list[_Found] = []
        missing: list[str] = []
        for field, text in wanted.items():
            percent = field == "line.discount" and text.casefold().startswith(_PERCENT)
            get = self._getter(text[len(_PERCENT) :] if percent else text)
            if get is None:
                missing.append(f"“{text}”")
            else:
                if percent:
                    self._percent = get
                found.append(_Found(field, get))
        if missing:
            raise Unfit(
                f"The header has no column {', '.join(missing)}, which {table.place} reads. It has: "
                f"{plain(', '.join(name for name in self._at if name), 300) or 'nothing'}.",
                "",
            )
        self.fields = tuple(each.field for each in found)
        self._getters = tuple(each.get for each in found)

    def _getter(self, text: str) -> _Getter | None:
        at = self._at.get(_header(text))
        if at is not None:
            return lambda row: row[at] if at < len(row) else ""
        if _WORDS in text:
            return self._words(*text.split(_WORDS, 1))
        parts = [self._at.get(_header(part)) for part in text.split(_JOIN)]
        if len(parts) < 2 or None in parts:
            return None
        places = [place for place in parts if place is not None]
        return lambda row: " ".join(as_text(row[place]) for place in places if place < len(row)).strip()

    def _words(self, header: str, words: str) -> _Getter | None:
        at = self._at.get(_header(header))
        if at is None:
            return None
        for_yes, _, for_no = words.partition("/")
        flags = {word.strip().casefold(): False for word in for_no.split("|")}
        flags |= {word.strip().casefold(): True for word in for_yes.split("|")}

        def get(row: Row) -> Any:
            cell = row[at] if at < len(row) else ""
            # A word that is in neither list is left for the builder to report.
            return flags.get(cell.strip().casefold(), cell) if isinstance(cell, str) else cell

        return get

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The values of the fields, row by row."""
        getters = self._getters
        if self._percent is None:
            for row in rows:
                yield tuple([get(row) for get in getters])
            return
        place = self.fields.index("line.discount")
        for row in rows:
            cells = [get(row) for get in getters]
            cells[place] = self._discount(cells, self._percent(row))
            yield tuple(cells)

    def _discount(self, cells: list[Any], percent: Any) -> Any:
        """Money from a per cent of quantity times price; what is no number is left for the builder to report."""
        if is_nothing(percent):
            return ZERO
        read = number_of(self._table.decimal, None, ZERO)
        at = {name: place for place, name in enumerate(self.fields)}
        text = percent.strip().removesuffix("%").strip() if isinstance(percent, str) else percent
        try:
            share = read(text)
            quantity = read(cells[at["line.quantity"]]) if "line.quantity" in at else Decimal(1)
            price = read(cells[at["line.unit_price"]])
        except (ValueError, KeyError):
            return percent
        currency = as_text(cells[at["currency"]]) if "currency" in at else ""
        currency = currency if is_currency(currency) else self._table.currency or "EUR"
        gross = round_money(quantity * price, currency)
        return gross - round_money(quantity * price * (100 - share) / 100, currency)


def _header(text: str) -> str:
    return " ".join(text.split()).lstrip("*").strip().casefold()


def _records(
    table: KindProfile, columns: _Columns, rows: Iterator[Row], name: str, zone: tzinfo
) -> Iterator[SourceRecord]:
    try:
        builder = RecordBuilder(table, columns.fields, zone)
    except SettingsFault as fault:
        raise Unfit(f"{fault.what} {fault.why}", "Mend the profile, and drop the file again.") from fault
    first = next(rows, None)
    if first is None:
        raise Unfit(f"{plain(name)} has a header, but no rows.", "Drop the file again when it holds records.")
    yield from builder.records(columns.rows(chain((first,), rows)))
