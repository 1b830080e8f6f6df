"""The trail as a table for a spreadsheet program."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any, BinaryIO, Final

import msgspec

from connector_service.audit.chain import Line

COLUMNS: Final = Line.__struct_fields__
"""The columns, in their order: all members of a line."""

# What a spreadsheet program takes for a formula (OWASP, "CSV Injection"), also behind blanks and quotes, in full-width
# form, and after a separator: one that expects semicolons splits our cells there.
_FORMULA: Final = r"[\s\"]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r]"
_BEGINS: Final = re.compile(_FORMULA)
_SEPARATED: Final = re.compile(rf"([;\t\r\n])(?={_FORMULA})")
_SEPARATOR: Final = re.compile(r"[;\t\r\n]")
_NEGATIVE: Final = re.compile(r"-\d+(\.\d+)?", re.ASCII)


def export_csv(lines: Iterable[Line], stream: BinaryIO) -> int:
    """Write the lines as CSV (UTF-8 with a byte order mark, comma, a header line); returns how many.

    A cell that a spreadsheet program would take for a formula gets an apostrophe before it; a negative number stays
    one. Lines are written as they come. The stream stays open. Raises ``OSError`` where it cannot be written.
    """
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=False)
    count = 0
    try:
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        writer.writerow(COLUMNS)
        for line in lines:
            writer.writerow([_cell(getattr(line, name)) for name in COLUMNS])
            count += 1
        text.flush()
    finally:
        text.detach()
    return count


def _cell(value: Any) -> str:
    if value is None or value == {}:
        return ""
    text = msgspec.json.encode(value).decode() if isinstance(value, dict) else str(value)
    if _BEGINS.match(text) and not _NEGATIVE.fullmatch(text):
        text = "'" + text
    return _SEPARATED.sub(r"\1'", text) if _SEPARATOR.search(text) else text
