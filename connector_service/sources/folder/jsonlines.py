"""JSON lines: one document a line, with the domain's own field names and a ``kind``."""

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

import msgspec

from connector_service.domain.documents import DOCUMENT_TYPES, Line, SourceRecord, TimeRecord, Unreadable, WrongType
from connector_service.domain.kinds import Kind
from connector_service.nearest import did_you_mean
from connector_service.sources.folder.safexml import plain
from connector_service.sources.folder.wire import Unfit

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
"""Longest line, in bytes."""

_DECODERS: Final[dict[Kind, Any]] = {kind: msgspec.json.Decoder(type_) for kind, type_ in DOCUMENT_TYPES.items()}
_SHAPE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LINES: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_TEXT: Final = msgspec.json.Decoder(str)
# What a stranger's file may not name: a path of this machine could be sent out with the document.
_NOT_GIVEN: Final = ("attachments",)
_FIELDS: Final = {
    kind: [field.name for field in fields(type_) if field.name not in _NOT_GIVEN]
    for kind, type_ in DOCUMENT_TYPES.items()
}
_LINE_FIELDS: Final = [field.name for field in fields(Line)]
_AT: Final = re.compile(r"(.*?) - at `\$\.?(.*)`$", re.DOTALL)
_FIX: Final = "Mend that line and drop the file again; lines that were taken already are not taken twice."


def records(data: bytes, name: str, file_key: str, asked: Kind) -> Iterator[SourceRecord]:
    """The documents of a file called ``name``; a faulty line becomes an ``Unreadable`` that gives its number.

    ``asked`` is the kind under which a line is reported that does not tell its own, and ``file_key`` the beginning of
    its key then. Raises ``Unfit`` for a file that is not JSON lines at all.
    """
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise Unfit(
            f"Line {line} holds bytes that are not UTF-8.", "Save the file as UTF-8 and drop it again."
        ) from error
    start = 0
    place = 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        content, start = body[start:end].strip(), end + 1
        place += 1
        if content:
            yield _record(content, f"{plain(name)}, line {place}", f"{file_key} line {place}", asked)


def _record(line: bytes, label: str, key: str, asked: Kind) -> SourceRecord:
    kind, number = asked, ""
    try:
        if len(line) > MAX_LINE_BYTES:
            raise _Faulty(f"is longer than {MAX_LINE_BYTES >> 20} MB")
        shape = _SHAPE.decode(line)
        number = _text(shape, "number")
        kind = _kind(shape)
        key = _text(shape, "key") or key
        _known(shape, _FIELDS[kind], "")
        if "lines" in shape:
            for at, each in enumerate(_LINES.decode(shape["lines"]), 1):
                _known(each, _LINE_FIELDS, f"line {at}, ")
        document: SourceRecord = _DECODERS[kind].decode(line)
        if not isinstance(document, TimeRecord | Unreadable) and document.total < 0:
            raise _Faulty(
                f"`total` is negative ({document.total}); a credit is a kind of its own with positive amounts"
            )
        return document
    except _Faulty as fault:
        what = str(fault)
    except msgspec.ValidationError as fault:
        found = _AT.match(str(fault))
        what = f"the field `{found.group(2)}`: {plain(found.group(1))}" if found else plain(str(fault))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        what = f"is not a JSON object: {plain(str(fault))}"
    except WrongType as fault:
        what = plain(str(fault))
    end = "" if what.endswith((".", "?")) else "."
    return Unreadable(kind, key, f"{label}: {what}{end}", _FIX, None, number)


class _Faulty(ValueError):
    """What is wrong with a line, as the end of a sentence."""


def _text(shape: dict[str, msgspec.Raw], field: str) -> str:
    try:
        return " ".join(_TEXT.decode(shape[field]).split()) if field in shape else ""
    except msgspec.DecodeError:
        return ""


def _kind(shape: dict[str, msgspec.Raw]) -> Kind:
    given = _text(shape, "kind")
    if given not in list(Kind):
        shown = f"`kind` is “{plain(given, 30)}”" if given else "there is no `kind`"
        raise _Faulty(f"{shown}; it must be one of {', '.join(Kind)}")
    return Kind(given)


def _known(shape: dict[str, msgspec.Raw], known: list[str], where: str) -> None:
    for name in shape:
        if name in _NOT_GIVEN:
            raise _Faulty(f"{where}`{name}` cannot be given in a file; drop an e-invoice that carries them instead")
        if name not in known and not (name == "kind" and not where):
            raise _Faulty(f"{where}`{plain(name, 40)}` is not a field. {did_you_mean(name, known)}")
