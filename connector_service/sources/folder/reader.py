"""What a claimed file holds, told by its content and not by its name."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import tzinfo
from hashlib import sha256
from typing import Final

from connector_service.domain.documents import Attachment, SourceRecord, Unreadable, WrongType
from connector_service.domain.kinds import Kind
from connector_service.sources.folder import jsonlines, nlcius
from connector_service.sources.folder.attachments import AttachmentStore
from connector_service.sources.folder.einvoice import read_facts
from connector_service.sources.folder.mapping import key_of, kind_of, to_document
from connector_service.sources.folder.parties import Own
from connector_service.sources.folder.pdf import invoice_inside
from connector_service.sources.folder.safexml import plain
from connector_service.sources.folder.table import UTF_16_MARKS, csv_records, tables_for, workbook_records
from connector_service.sources.folder.wire import InvoiceFacts, Unfit
from connector_service.sources.shared.profile import KindProfile

_READ: Final = "Read are e-invoices (XML, or a PDF with the XML inside), CSV and XLSX by profile, and JSON lines."
# What other files begin with, so that the reason can call them by their name.
_OTHERS: Final = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an Office file of the old form (.xls, .doc)",
        "Save it as .xlsx and drop that.",
    ),
    (b"\x1f\x8b", "a GZIP archive", "Unpack it and drop the files in it."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it and drop the files in it."),
    (b"Rar!", "a RAR archive", "Unpack it and drop the files in it."),
    (b"\x89PNG", "a picture", "Ask the sender for the e-invoice, or book it by hand."),
    (b"\xff\xd8\xff", "a picture", "Ask the sender for the e-invoice, or book it by hand."),
    (b"II*\x00", "a picture", "Ask the sender for the e-invoice, or book it by hand."),
    (b"GIF8", "a picture", "Ask the sender for the e-invoice, or book it by hand."),
    (b"{\\rtf", "a text document (RTF)", "Ask the sender for the e-invoice, or book it by hand."),
)


class FileReader:
    """Turns the bytes of a file into records."""

    def __init__(self, own: Own, tables: Sequence[KindProfile], zone: tzinfo, store: AttachmentStore) -> None:
        """``own`` tells sales from purchases, ``tables`` read CSV and XLSX, ``store`` keeps attachments."""
        self._own = own
        self._tables = tables
        self._zone = zone
        self._store = store

    def records(self, data: bytes, name: str, asked: Kind) -> Iterator[SourceRecord]:
        """The records of a file; what cannot be read is ``Unreadable``, under ``asked`` where its kind is unknown."""
        try:
            yield from self._by_content(data, name, asked)
        except Unfit as fault:
            yield Unreadable(asked, _key(name, data), fault.reason, fault.fix or _READ)

    def _by_content(self, data: bytes, name: str, asked: Kind) -> Iterator[SourceRecord]:
        head = data[:1024]
        for start, what, fix in _OTHERS:
            if head.startswith(start):
                raise Unfit(f"The file is {what}, which cannot be read.", f"{fix} {_READ}")
        if b"%PDF-" in head:
            yield self._invoice(invoice_inside(data), name, asked, data)
            return
        if head.startswith(b"PK\x03\x04"):
            yield from workbook_records(data, name, self._matching(name, "a workbook"), self._zone)
            return
        text = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
        if text.startswith(b"<"):
            yield self._invoice(data, name, asked)
        elif text.startswith(b"{"):
            yield from jsonlines.records(data, name, _key(name, data), asked)
        elif text.startswith(b"["):
            raise Unfit("The file is one JSON list.", "Write one JSON object a line, without the list around them.")
        elif b"\x00" in head and head[:2] not in UTF_16_MARKS and not any(table.encoding for table in self._tables):
            raise Unfit(f"The file is of a form that is not known here. {_READ}", "Drop one of these.")
        else:
            yield from csv_records(data, name, self._matching(name, "text"), self._zone)

    def _matching(self, name: str, what: str) -> list[KindProfile]:
        found = tables_for(name, self._tables)
        if found:
            return found
        if not self._tables:
            raise Unfit(
                f"The file is {what}, and the route has no profile that says how to read it.",
                f"Set `profile` in the route's source section, and drop the file again. {_READ}",
            )
        patterns = ", ".join(f"“{table.pattern}”" for table in self._tables)
        raise Unfit(
            f"No table of the profile is for a file of this name; they read {patterns}.",
            "Rename the file, or mend `pattern` in the profile, and drop the file again.",
        )

    def _invoice(self, data: bytes, name: str, asked: Kind, pdf: bytes = b"") -> SourceRecord:
        facts = read_facts(data)
        try:
            nlcius.check(facts)
            document = to_document(facts, self._own)
        except (Unfit, WrongType, ArithmeticError) as fault:
            return self._unreadable(facts, fault, _key(name, data), asked)
        attachments, remarks = self._store.keep(facts.embedded)
        if pdf:
            attachments.insert(0, self._picture(pdf, name, document.number))
        if not attachments and not remarks:
            return document
        note = "\n".join(filter(None, (document.note, *remarks)))
        return replace(document, attachments=tuple(attachments), note=note)

    def _picture(self, pdf: bytes, name: str, number: str) -> Attachment:
        return self._store.store(name if name.lower().endswith(".pdf") else f"{number}.pdf", "application/pdf", pdf)

    def _unreadable(self, facts: InvoiceFacts, fault: Exception, key: str, asked: Kind) -> Unreadable:
        """Reported under the invoice's own kind and key where they are known, so that a mended file takes its place."""
        kind = asked
        try:
            kind = kind_of(facts, self._own)
            key = key_of(facts)
        except Unfit:
            pass
        if isinstance(fault, Unfit):
            return Unreadable(kind, key, fault.reason, fault.fix, facts.issued, facts.number)
        return Unreadable(
            kind, key, f"A value cannot be taken over: {plain(str(fault))}.", "Ask the sender to mend it.",
            facts.issued, facts.number,
        )  # fmt: skip


def _key(name: str, data: bytes) -> str:
    """What tells a file without a key of its own from others of its name, and finds the same one again."""
    return f"{name} #{sha256(data).hexdigest()[:8]}"
