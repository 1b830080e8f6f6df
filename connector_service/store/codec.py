"""How content, problems and moments are written down in the store."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, cast

import msgspec

from connector_service.domain.documents import DOCUMENT_TYPES, Document, TimeRecord
from connector_service.domain.kinds import Flag, Kind
from connector_service.domain.money import to_minor
from connector_service.domain.problems import Problem

_ENCODER: Final = msgspec.json.Encoder()
_DECODERS: Final = {kind: msgspec.json.Decoder(type_) for kind, type_ in DOCUMENT_TYPES.items()}
_PROBLEMS: Final = msgspec.json.Decoder(list[Problem])

FLAG_BITS: Final[dict[Flag, int]] = {
    Flag.WRITEBACK_PENDING: 1,
    Flag.BOOKED_DIFFERS: 2,
    Flag.MARKED_SENT: 4,
    Flag.RELEASED: 8,
    Flag.BEFORE_BEGIN: 16,
}
"""The bit of each flag in the store."""


class _Names(msgspec.Struct):
    party_name: str = ""
    employee_name: str = ""


_NAMES: Final = msgspec.json.Decoder(_Names)


def encode_document(document: Document) -> str:
    """A document's content as JSON, every amount with all its digits."""
    return _ENCODER.encode(document).decode()


def decode_document(kind: Kind, text: str) -> Document:
    """The document that ``encode_document`` wrote."""
    return cast(Document, _DECODERS[kind].decode(text))


def party_name(text: str | None) -> str:
    """The party's or employee's name out of a document's content, without reading the rest."""
    if not text:
        return ""
    names = _NAMES.decode(text)
    return names.party_name or names.employee_name


def encode_problems(problems: Sequence[Problem]) -> str | None:
    """Problems as JSON; nothing for none."""
    return _ENCODER.encode(list(problems)).decode() if problems else None


def decode_problems(text: str | None) -> list[Problem]:
    """The problems that ``encode_problems`` wrote."""
    return _PROBLEMS.decode(text) if text else []


def encode_json(value: object) -> str:
    """Any plain value as JSON."""
    return _ENCODER.encode(value).decode()


def decode_json(text: str) -> Any:
    """The plain value that ``encode_json`` wrote."""
    return msgspec.json.decode(text)


def flag_bits(flags: frozenset[Flag]) -> int:
    """Flags as one number."""
    return sum(FLAG_BITS[flag] for flag in flags)


FLAG_SETS: Final = tuple(
    frozenset(flag for flag, bit in FLAG_BITS.items() if bits & bit) for bits in range(1 << len(FLAG_BITS))
)
"""The flags that each number stands for."""


def flags_of(bits: int) -> list[str]:
    """The flags that a number stands for."""
    return [flag.value for flag, bit in FLAG_BITS.items() if bits & bit]


def total_of(document: Document) -> int:
    """Minor units of a document's total; minutes of a time record."""
    return document.minutes if isinstance(document, TimeRecord) else to_minor(document.total, document.currency)


def minor_or_none(amount: Decimal | None, currency: str) -> int | None:
    """Minor units of an amount that may be missing."""
    return None if amount is None or not currency else to_minor(amount, currency)


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def parse_moment(text: str | None) -> datetime | None:
    """The moment that ``moment_text`` or ``datetime.isoformat`` wrote."""
    return datetime.fromisoformat(text) if text else None


def parse_date(text: str | None) -> date | None:
    """A date as it stands in the store."""
    return date.fromisoformat(text) if text else None
