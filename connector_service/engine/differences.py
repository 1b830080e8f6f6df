"""What differs between two readings of one document, field by field, in words."""

from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from typing import Final

from connector_service.domain.documents import Document, Line, MoneyDocument
from connector_service.domain.problems import Difference

_NOT_BOOKED: Final = frozenset(
    {"key", "sent", "paid", "exported", "changed_at", "approved", "party_name", "employee_name"}
)


def differences(before: Document, after: Document) -> list[Difference]:
    """The fields that differ, the document's own first, then line by line."""
    found = list(_fields(before, after, ""))
    if isinstance(before, MoneyDocument) and isinstance(after, MoneyDocument):
        for place in range(max(len(before.lines), len(after.lines))):
            old = before.lines[place] if place < len(before.lines) else None
            new = after.lines[place] if place < len(after.lines) else None
            where = f"line {(new or old or Line()).number or place + 1}"
            if old is None or new is None:
                found.append(Difference(where, _line(old), _line(new)))
            else:
                found += _fields(old, new, f"{where}, ")
    return found


def in_words(found: list[Difference], most: int = 4) -> str:
    """One sentence that names the first few differences."""
    parts = [f"{one.field} was {one.before or 'empty'}, is {one.after or 'empty'}" for one in found[:most]]
    if len(found) > most:
        parts.append(f"and {len(found) - most} more")
    return "; ".join(parts) + "." if parts else ""


def _fields(before: Document | Line, after: Document | Line, where: str) -> Iterator[Difference]:
    for field in fields(before):
        name = field.name
        if name in _NOT_BOOKED or name in ("lines", "attachments"):
            continue
        old, new = getattr(before, name), getattr(after, name, None)
        if old != new:
            yield Difference(where + name, _text(old), _text(new))


def _text(value: object) -> str:
    if value is None:
        return ""
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _line(line: Line | None) -> str:
    return "" if line is None else f"{line.description} {_text(line.amount)}".strip()
