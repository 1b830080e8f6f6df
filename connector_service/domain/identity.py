"""What makes a unit the same unit, and how a change of its content is seen."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Final
from uuid import UUID

from connector_service.domain.documents import Document, Line, TimeRecord
from connector_service.domain.kinds import Kind
from connector_service.domain.money import ZERO

_SEPARATOR: Final = "\x1f"
_LINE_SEPARATOR: Final = "\x1e"


@dataclass(frozen=True, slots=True)
class UnitKey:
    """A unit within one source and one target company: its kind, where it is made from, and its key there."""

    kind: Kind
    key: str
    made_from: str = ""
    """Empty for the kind's own records; else the alternative, such as ``packing_list`` or ``receiver``."""


def _number(value: Decimal | None) -> str:
    if value is None:
        return ""
    if value is ZERO:
        return "0"
    text = str(value)
    # 121, 121.0 and 121.00 are one amount: a driver that changes its mind about zeros is not an edit.
    if text[-1] == "0" or "E" in text:
        text = format(value, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text if text not in ("", "-0") else "0"
    return text


def _joined(values: tuple[str, ...]) -> str:
    text = _SEPARATOR.join(values)
    if text.count(_SEPARATOR) == len(values) - 1 and _LINE_SEPARATOR not in text:
        return text
    # A text that holds a separator itself could pass for two fields. The separator in front, one more than plain
    # fields have, keeps what is escaped apart from what merely looks so.
    return _SEPARATOR + _SEPARATOR.join(map(_escaped, values))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(_SEPARATOR, "\\f").replace(_LINE_SEPARATOR, "\\l")


def _line(line: Line) -> str:
    return _joined(
        (
            line.number,
            line.description,
            _number(line.quantity),
            _number(line.unit_price),
            _number(line.discount),
            _number(line.amount),
            line.account,
            line.tax_code,
            _number(line.tax_amount),
            line.item,
            line.cost_code,
            line.project,
        )
    )


def _moment(value: date | datetime | None) -> str:
    return "" if value is None else value.isoformat()


def canonical(document: Document) -> str:
    """The booked content of a document as one text, without the source's own marks (sent, paid, exported)."""
    if isinstance(document, TimeRecord):
        return _joined(
            (
                document.number,
                document.date.isoformat(),
                document.employee_key,
                str(document.minutes),
                _moment(document.start),
                _moment(document.end),
                str(document.break_minutes),
                document.pay_item,
                document.job,
                document.customer_key,
                document.item,
                document.cost_code,
                "1" if document.billable else "",
                "1" if document.overtime else "",
                document.note,
            )
        )
    head = _joined(
        (
            document.number,
            document.date.isoformat(),
            _moment(document.due_date),
            document.party_key,
            document.currency,
            _number(document.rate),
            _number(document.total),
            _number(document.tax_total),
            _number(document.discount),
            document.discount_tax_code,
            _number(document.freight),
            document.freight_tax_code,
            _number(document.rounding),
            "1" if document.prices_include_tax else "",
            document.care_of_key,
            document.terms,
            document.project,
            document.note,
        )
    )
    return _LINE_SEPARATOR.join((head, *map(_line, document.lines)))


def fingerprint(document: Document) -> bytes:
    """Sixteen bytes that change when, and only when, the booked content changes."""
    return blake2b(canonical(document).encode(), digest_size=16).digest()


def pair_digest(source_identity: str, company: str) -> str:
    """A text that stands for a source and a company: the same on every machine and for every store."""
    return blake2b(_joined((source_identity, company)).encode(), digest_size=8).hexdigest()


def external_reference(pair_digest: str, unit: UnitKey) -> str:
    """Our own reference of a unit: the same for ever, so that it is found in the books without our store."""
    text = _joined((pair_digest, unit.kind.value, unit.made_from, unit.key))
    return str(UUID(bytes=blake2b(text.encode(), digest_size=16, person=b"connector-unit").digest()))
