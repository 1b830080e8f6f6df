"""Records that wait until their kind is asked for: in memory while few, in a file that nobody else sees when many."""

import struct
import tempfile
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from connector_service.domain.documents import DOCUMENT_TYPES, SourceRecord, Unreadable
from connector_service.domain.kinds import Kind

_IN_MEMORY: Final = 8 * 1024 * 1024
_FRAME: Final = struct.Struct(">?I")


class Spool:
    """Records of one kind, in the order in which they were put in."""

    def __init__(self, kind: Kind) -> None:
        """Empty."""
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by ``close``
        self._encoder = msgspec.msgpack.Encoder()
        self._document: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(DOCUMENT_TYPES[kind])
        self._unreadable = msgspec.msgpack.Decoder(Unreadable)

    def add(self, record: SourceRecord) -> None:
        """Put a record in."""
        body = self._encoder.encode(record)
        self._file.write(_FRAME.pack(isinstance(record, Unreadable), len(body)))
        self._file.write(body)

    def records(self) -> Iterator[SourceRecord]:
        """All of them, once more each time."""
        place = 0
        while True:
            self._file.seek(place)
            head = self._file.read(_FRAME.size)
            if len(head) < _FRAME.size:
                return
            faulty, length = _FRAME.unpack(head)
            body = self._file.read(length)
            place = self._file.tell()
            yield (self._unreadable if faulty else self._document).decode(body)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
