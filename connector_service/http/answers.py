"""What came back for a request, and how far it can be believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar, overload

import msgspec

from connector_service.domain.problems import ConnectorError, OutcomeUnknown, RetryLater

_T = TypeVar("_T")

# Untyped numbers with a fraction become Decimal, digit by digit; typed ones are read as their type says.
_PLAIN: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_RAW: Final = msgspec.json.Decoder(msgspec.Raw)
_DECODERS: Final[dict[Any, msgspec.json.Decoder[Any]]] = {}
_MARK: Final = b"\xef\xbb\xbf"


def to_json(value: Any) -> bytes:
    """Exact JSON: Decimal becomes a number with the digits that it has."""
    return _ENCODER.encode(value)


class Body(StrEnum):
    """What a body is, by its bytes and not only by what its header says."""

    JSON = "json"
    XML = "xml"
    HTML = "html"
    EMPTY = "empty"
    OTHER = "other"


def body_kind(body: bytes, content_type: str = "") -> Body:
    """Look at a body. JSON is told only where it is whole; a proxy's page is told apart from XML."""
    text = body.removeprefix(_MARK).lstrip()
    if not text:
        return Body.EMPTY
    if text[:1] == b"<":
        head = text[:1024].lower()
        page = b"<html" in head or b"<!doctype html" in head or "html" in content_type
        return Body.HTML if page else Body.XML
    try:
        _RAW.decode(text)
    except msgspec.DecodeError:
        return Body.OTHER
    return Body.JSON


@dataclass(slots=True)
class Answer:
    """An answer that was received whole."""

    title: str
    """Of the system, for messages."""
    write: bool
    """Whether it answers a write, so that what cannot be read leaves the outcome unknown."""
    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes = field(repr=False)
    trace_id: str = ""
    """The maker's own id of this request, for its support."""
    unreachable_code: str = "TARGET_UNREACHABLE"
    _kind: Body | None = None

    @property
    def ok(self) -> bool:
        """Whether the status is one of success; the body may still tell of a fault."""
        return 200 <= self.status < 300

    @property
    def kind(self) -> Body:
        """What the body is."""
        if self._kind is None:
            self._kind = body_kind(self.body, self.headers.get("content-type", "").lower())
        return self._kind

    @overload
    def json(self) -> Any: ...
    @overload
    def json(self, shape: type[_T]) -> _T: ...
    def json(self, shape: Any = None) -> Any:
        """The body as JSON, numbers exact; of the given shape (a msgspec Struct, a dict…).

        Raises what ``unreadable`` gives where it is not.
        """
        text = self.body.removeprefix(_MARK)
        try:
            if shape is None:
                return _PLAIN.decode(text)
            decoder = _DECODERS.get(shape)
            if decoder is None:
                decoder = _DECODERS[shape] = msgspec.json.Decoder(shape)
            return decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            place = f" ({fault})" if isinstance(fault, msgspec.ValidationError) else ""
            raise self.unreadable(f"Its answer does not have the form that was expected{place}.") from None

    def unreadable(self, why: str) -> ConnectorError:
        """The fault for an answer that cannot be understood: a write may have been carried out, a read is repeated."""
        return not_understood(self.title, self.write, why, self.unreachable_code)


def not_understood(title: str, write: bool, why: str, unreachable_code: str) -> ConnectorError:
    """``OutcomeUnknown`` for a write, ``RetryLater`` for a read."""
    if write:
        return OutcomeUnknown(
            f"It is not known whether {title} carried out what was sent.",
            why=why,
            fix="The books are asked before anything is sent again.",
        )
    return RetryLater(
        f"{title} did not give a usable answer.", why=why, fix="It is tried again by itself.", code=unreachable_code
    )
