"""Files that belong to an invoice: those inside it are stored beside it, those at an address are only named."""

import base64
import binascii
import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

from connector_service.contract.crashpoints import crash_point
from connector_service.domain.documents import Attachment
from connector_service.files import put_file
from connector_service.sources.folder.names import safe_name
from connector_service.sources.folder.safexml import plain
from connector_service.sources.folder.wire import EmbeddedFile

MAX_ATTACHMENT_BYTES: Final = 20 * 1024 * 1024
"""Largest file inside an invoice that is kept."""
MAX_ATTACHMENTS: Final = 50
"""Most files of one invoice that are kept."""

# The media types that EN 16931 allows inside an invoice (BT-125-1), and plain XML, each with the ending it gets.
_ENDINGS: Final = {
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "text/csv": ".csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/xml": ".xml",
    "text/xml": ".xml",
}
_ALSO: Final = {".jpg": (".jpg", ".jpeg")}
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"]{3,1900}", re.IGNORECASE)


class AttachmentStore:
    """Keeps files by their content, so that reading an invoice again writes nothing new."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made when the first file is stored."""
        self._folder = folder

    def keep(self, embedded: Iterable[EmbeddedFile]) -> tuple[list[Attachment], list[str]]:
        """Store what is inside, name what is elsewhere; the second list says what was not kept, and why."""
        kept: list[Attachment] = []
        remarks: list[str] = []
        for each in embedded:
            if len(kept) == MAX_ATTACHMENTS:
                remarks.append(
                    f"Only the first {MAX_ATTACHMENTS} attachments were kept; the file itself holds the others."
                )
                break
            if each.base64.strip():
                self._inside(each, kept, remarks)
            elif _ADDRESS.fullmatch(each.uri):
                kept.append(Attachment(plain(each.name) or "link", each.media_type, each.uri))
        return kept, remarks

    def _inside(self, each: EmbeddedFile, kept: list[Attachment], remarks: list[str]) -> None:
        name = plain(each.name, 60) or "without a name"
        media_type = each.media_type.partition(";")[0].strip().lower()
        raw = "".join(each.base64.split())
        if media_type not in _ENDINGS:
            remarks.append(
                f"Attachment “{name}” was not kept: invoices may not carry files of type {plain(media_type, 60)}."
            )
        elif len(raw) > MAX_ATTACHMENT_BYTES * 4 // 3 + 4:
            remarks.append(f"Attachment “{name}” was not kept: it is larger than {MAX_ATTACHMENT_BYTES >> 20} MB.")
        else:
            try:
                content = base64.b64decode(raw, validate=True)
            except (binascii.Error, ValueError):
                remarks.append(f"Attachment “{name}” was not kept: it is damaged (not base64).")
                return
            kept.append(self.store(each.name, media_type, content))

    def store(self, name: str, media_type: str, content: bytes) -> Attachment:
        """Keep one file's content, durably; the same content under the same name is written once."""
        digest = sha256(content).hexdigest()
        ending = _ENDINGS.get(media_type, "")
        plain_name = safe_name(name)
        if ending and not plain_name.lower().endswith(_ALSO.get(ending, (ending,))):
            plain_name += ending
        goal = self._folder / digest[:20] / plain_name
        if not goal.is_file() or goal.stat().st_size != len(content):
            goal.parent.mkdir(parents=True, exist_ok=True)
            put_file(goal, content, written=lambda _file: crash_point("folder.attachment_written"))
        return Attachment(plain_name, media_type, str(goal), len(content), digest)
