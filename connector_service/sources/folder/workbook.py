"""Whether an XLSX file can be opened without harm: what it unpacks to, and how large its sheets claim to be."""

import io
import re
import zipfile
import zlib
from typing import Final

from connector_service.sources.folder.wire import Unfit

MAX_UNPACKED_BYTES: Final = 300 * 1024 * 1024
"""All parts of a workbook together, unpacked."""
MAX_PARTS: Final = 2_000
"""Parts of a workbook."""
MAX_CELLS: Final = 20_000_000
"""Rows times columns of one sheet: the reader makes room for all of them, also for empty ones."""

_CHUNK: Final = 1 << 18
_OVERLAP: Final = 64
_REFERENCE: Final = re.compile(rb"""\br\s*=\s*["']([A-Z]{0,3})(\d{1,10})["']""")
_FIX: Final = "Save the table as a new workbook or as CSV, and drop that."


def check_workbook(data: bytes) -> None:
    """Raise ``Unfit`` for a file that is no workbook or would fill the memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            if "xl/workbook.xml" not in names:
                raise Unfit(
                    "The file is a ZIP archive, but not an XLSX workbook.",
                    "Unpack it and drop the files in it one by one.",
                )
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
                raise _bomb()
            left = MAX_UNPACKED_BYTES
            for part in parts:
                left = _check_part(data, part, left)
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, NotImplementedError, RuntimeError) as error:
        raise Unfit("The workbook is damaged, or protected with a password.", _FIX) from error


def _bomb() -> Unfit:
    return Unfit(
        f"The workbook would take more than {MAX_UNPACKED_BYTES >> 20} MB when unpacked, so it was not opened.",
        _FIX,
    )


def _check_part(data: bytes, part: zipfile.ZipInfo, left: int) -> int:
    """Unpack a part piece by piece, without trusting the size that it states; returns what is left of the bound."""
    start = part.header_offset
    head = data[start : start + 30]
    if len(head) < 30 or head[:4] != b"PK\x03\x04" or part.flag_bits & 1:
        raise zipfile.BadZipFile("no local header")
    start += 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    packed = memoryview(data)[start : start + part.compress_size]
    extent = _Extent() if part.filename.startswith("xl/worksheets/") else None
    if part.compress_type == zipfile.ZIP_STORED:
        left -= len(packed)
        if extent:
            extent.look(bytes(packed))
    elif part.compress_type == zipfile.ZIP_DEFLATED:
        unpacker = zlib.decompressobj(-15)
        piece = unpacker.decompress(packed, _CHUNK)
        while piece:
            left -= len(piece)
            if left < 0:
                raise _bomb()
            if extent:
                extent.look(piece)
            piece = unpacker.decompress(unpacker.unconsumed_tail, _CHUNK)
    else:
        raise zipfile.BadZipFile("packed in a way that workbooks are not")
    if left < 0:
        raise _bomb()
    return left


class _Extent:
    """The largest row and column that a sheet names."""

    def __init__(self) -> None:
        self._row = self._column = 1
        self._tail = b""

    def look(self, piece: bytes) -> None:
        """Take the next piece; raises ``Unfit`` once the sheet is too large."""
        text = self._tail + piece
        for letters, digits in _REFERENCE.findall(text):
            self._row = max(self._row, int(digits))
            column = 0
            for letter in letters:
                column = column * 26 + letter - 64
            self._column = max(self._column, column)
        self._tail = text[-_OVERLAP:]
        if self._row * self._column > MAX_CELLS:
            raise Unfit(
                f"A sheet of the workbook reaches to row {self._row} and column {self._column}, which is more than can "
                "be read at once.",
                "Delete the empty rows and columns after the table, or save it as CSV, and drop that.",
            )
