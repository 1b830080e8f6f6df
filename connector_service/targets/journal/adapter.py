"""The embedded books as a target."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, NoReturn, TextIO

from connector_service.contract.manifest import TargetManifest
from connector_service.contract.registry import Surroundings
from connector_service.contract.target import (
    Booked,
    BookedState,
    CompanyInfo,
    Done,
    LookUp,
    Outcome,
    Payment,
    Posting,
    Prepared,
    Refused,
    Unknown,
)
from connector_service.domain import problems
from connector_service.domain.documents import Attachment
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.money import is_currency
from connector_service.domain.parties import Party
from connector_service.domain.problems import Problem
from connector_service.domain.reference import ReferenceKind, ReferenceRecord
from connector_service.files import SHARED, put_file
from connector_service.targets.journal import calls, wire
from connector_service.targets.journal.appending import HalfWritten, Part
from connector_service.targets.journal.balances import Balance, balances
from connector_service.targets.journal.booking import Booking
from connector_service.targets.journal.client import DOCUMENTS, MAIN, Books
from connector_service.targets.journal.company import BooksHead, found_books, seen_books
from connector_service.targets.journal.hledger import export_hledger
from connector_service.targets.journal.index import Index
from connector_service.targets.journal.manifest import MANIFEST
from connector_service.targets.journal.scanner import FoundAttachment, FoundDocument
from connector_service.targets.journal.tables import Row

_PAGE: Final = 1000
_NOT_IN_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
_PARTY_LISTS: Final = {
    ReferenceKind.CUSTOMER: (wire.RECEIVABLE, PartyKind.CUSTOMER),
    ReferenceKind.SUPPLIER: (wire.PAYABLE, PartyKind.SUPPLIER),
    ReferenceKind.EMPLOYEE: (wire.TIME, PartyKind.EMPLOYEE),
}


def open_target(section: dict[str, str], surroundings: Surroundings) -> "JournalTarget":
    """The books that a route's section names. Nothing is read yet; raises ``SettingsFault`` for a wrong currency."""
    currency = section.get("currency", "")
    if currency and not is_currency(currency):
        raise problems.SettingsFault(
            f"{currency!r} is not a currency.",
            why="The home currency of the books is a code of three capital letters (ISO 4217).",
            fix="Write a code such as EUR as target.currency, or leave it out.",
            code="SETTINGS_WRONG",
        )
    return JournalTarget(surroundings.home / (section.get("company") or "books"), currency, peek=surroundings.peek)


class JournalTarget:
    """Writes the embedded books, and finds in them what was written."""

    manifest: TargetManifest = MANIFEST

    def __init__(self, folder: Path, currency: str = "", patience: int = 10, *, peek: bool = False) -> None:
        """Name the folder; ``patience`` is how many seconds another program's hold is waited for.

        With ``peek`` books that are not there yet are not made: they are then looked at as empty ones.
        """
        self.books = Books(folder, patience)
        self._peek = peek
        self._currency = currency
        self._head: BooksHead | None = None

    def company(self) -> CompanyInfo:
        """The books, made where the folder is empty or missing; proves that they can be written."""
        self._head = (seen_books if self._peek else found_books)(self.books, self._currency)
        return CompanyInfo(id=self._head.id, name=self._head.title, currency=self._head.currency)

    def _is_to_be_made(self) -> bool:
        return self._peek and not (self.books.folder / MAIN).is_file()

    def prepare(self, kind: Kind, postings: Sequence[Posting], idempotency_key: str) -> Prepared:
        """The text of the transactions, in order, after the accounts that they use."""
        return calls.build(kind, postings, idempotency_key)

    def push(self, prepared: Prepared) -> list[Outcome]:
        """Append what the books do not hold yet; what they hold already is answered as found."""
        try:
            call = calls.read(prepared.body)
        except ValueError as fault:
            raise problems.NeedsUser(
                "The stored bytes of a call to the books are damaged.",
                why=f"They cannot be read ({fault}), so nothing was booked.",
                fix="Restore the data folder from a backup, or send its documents again as new bookings.",
                code="INTERNAL_FAULT",
            ) from fault
        self._find_books(call)
        booking = Booking(self.books, prepared, call)
        try:
            return self.books.change(booking.book, in_series=True)
        except HalfWritten as fault:
            return [Unknown(f"Writing broke off and could not be taken back ({fault}).")] * len(prepared.members)

    def _find_books(self, call: calls.Call) -> None:
        if self._head is not None and not (self.books.folder / MAIN).is_file():
            raise problems.RetryLater(
                "The books are not there any more.",
                why=f"The file {MAIN} was in {self.books.folder} a while ago.",
                fix="Put the folder back, or connect its drive; it is tried again.",
                code="TARGET_UNREACHABLE",
            )
        if self._head is not None and self._head.currency:
            return
        used = [entry.currency for entry in call.entries if entry.currency != wire.MINUTES]
        if self._head is None or used:
            self._head = found_books(self.books, self._currency or max(sorted(set(used)), key=used.count, default=""))

    def look_up(self, questions: Sequence[LookUp]) -> list[list[Booked]]:
        """Answer from the index, which is brought up to date with the files first."""
        if not questions or self._is_to_be_made():
            return [[] for _ in questions]

        def ask(index: Index) -> list[list[Booked]]:
            references = index.by_reference(q.external_reference for q in questions if _is_clean(q.external_reference))
            numbers = index.by_number(wire.clean(q.number) for q in questions if q.number and not q.external_reference)
            answers: list[list[Booked]] = []
            for question in questions:
                if question.external_reference:
                    rows = references.get(question.external_reference, [])
                else:
                    rows = [
                        row
                        for row in numbers.get(wire.clean(question.number), [])
                        if row.kind == question.kind and question.party_id in ("", row.party)
                    ]
                answers.append([_booked(row) for row in rows])
            return answers

        return self.books.ask(ask)

    def booked(self, kind: Kind, first: date, last: date) -> Iterator[Booked]:
        """Stream documents of a kind in the order of their dates."""
        after = (first.isoformat(), 0)
        while not self._is_to_be_made():
            rows = self.books.ask(partial(Index.page, kind=kind.value, after=after, last=last.isoformat(), limit=_PAGE))
            yield from map(_booked, rows)
            if len(rows) < _PAGE:
                return
            after = (rows[-1].day, rows[-1].id)

    def void(self, kind: Kind, remote_id: str, reference: str, day: date) -> Outcome:
        """Append the reversing transaction, unless the document is reversed already."""

        def work(index: Index) -> Outcome:
            row = _the_document(index, kind, remote_id)
            if row is None:
                return Refused(_not_there(remote_id))
            if row.void or index.void_with(wire.clean(reference)) == remote_id:
                return Done(remote_id, row.number, found=True)
            text = self.books.read(row.file, row.offset, row.length)
            reversed_ = calls.reversal(text, _as_found(row), reference, day.isoformat())
            if reversed_ is None:
                return Refused(
                    Problem(
                        code="REFUSED_BY_TARGET",
                        what="Its transaction was changed by hand so that it cannot be reversed by itself.",
                        why=f"In {row.file} it has postings whose amount is left out or is not a plain number.",
                        fix="Reverse it in the books by hand, or write its amounts out, then try again.",
                    )
                )
            target = calls.file_of(row.kind, day.isoformat())
            Booking.append(self.books, index, [Part(target, b"\n" + reversed_[0], [reversed_[1]])])
            return Done(remote_id, row.number)

        try:
            return self.books.change(work)
        except HalfWritten as fault:
            return Unknown(f"Writing broke off and could not be taken back ({fault}).")

    def attach(self, kind: Kind, remote_id: str, attachment: Attachment, content: bytes) -> None:
        """Copy the file into the books' folder and name it there; the same file twice is one."""
        digest = sha256(content).hexdigest()
        if attachment.sha256 and attachment.sha256.lower() != digest:
            raise problems.Conflict(
                f"The file {attachment.name} is not attached, because it has changed.",
                why="Its content is not what the document was read with.",
                fix="Read the document again from the source, then attach it.",
                code="CHANGED_AT_SOURCE",
            )

        def work(index: Index) -> None:
            row = _the_document(index, kind, remote_id)
            if row is None:
                problem = _not_there(remote_id)
                raise problems.Refused(problem.what, why=problem.why, fix=problem.fix, code=problem.code)
            name = _NOT_IN_NAME.sub("-", Path(attachment.name.replace("\\", "/")).name)[-80:].lstrip(".") or "file"
            path = f"{DOCUMENTS}/{row.day[:4]}/{digest[:16]}-{wire.component(row.reference)}-{name}"
            self._store(path, content)
            if index.has_attachment(path):
                return
            text = self.books.read(row.file, row.offset, row.length).decode("utf-8", "replace")
            accounts = (line.split()[0] for line in text.split("\n")[1:] if line[:1].isspace() and line.strip())
            account = next((name for name in accounts if wire.is_account(name)), "")
            line = (
                f"\n{row.day} document {account} {wire.quote(path)}{wire.link(row.number)}\n"
                f"  reference: {wire.quote(row.reference)}\n  sha256: {wire.quote(digest)}\n"
            )
            part = Part(calls.file_of(row.kind, row.day), line.encode(), [FoundAttachment(row.reference, path)])
            Booking.append(self.books, index, [part])

        try:
            self.books.change(work)
        except HalfWritten as fault:
            raise problems.OutcomeUnknown(
                f"Whether {attachment.name} is attached is not known.",
                why=f"Writing broke off and could not be taken back ({fault}).",
                fix="Attach it again: the same file is never attached twice.",
            ) from fault

    def _store(self, name: str, content: bytes) -> None:
        path = self.books.folder / name
        if path.is_file() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        put_file(path, content, rights=SHARED, written=partial(_must_hold, content))

    def reference(self, kind: ReferenceKind, since: datetime | None) -> Iterator[ReferenceRecord]:
        """Accounts and parties that are open in the books."""
        if kind not in MANIFEST.reference_kinds or since is not None:
            _undeclared(f"list {kind.value} records" + (" by their date of change" if since else ""))
        after = ""
        while not self._is_to_be_made():
            rows = self.books.ask(partial(Index.accounts, after=after, limit=_PAGE))
            for row in rows:
                is_party = row.account.startswith((wire.RECEIVABLE, wire.PAYABLE, wire.TIME))
                if kind is ReferenceKind.ACCOUNT and not is_party:
                    yield ReferenceRecord(
                        kind=kind, id=row.account, code=row.account, name=row.name or row.key, active=not row.closed
                    )
                elif kind is not ReferenceKind.ACCOUNT and row.account.startswith(_PARTY_LISTS[kind][0]):
                    key = row.key or row.account
                    yield ReferenceRecord(
                        kind=kind, id=key, code=key, name=row.name or row.key or row.account, active=not row.closed
                    )
            if len(rows) < _PAGE:
                return
            after = rows[-1].account

    def collect(self, tickets: Sequence[str]) -> list[Outcome]:
        """Not declared: nothing is queued."""
        return [] if not tickets else _undeclared("queue requests")

    def withdraw(self, tickets: Sequence[str]) -> list[bool]:
        """Not declared: nothing is queued."""
        return [] if not tickets else _undeclared("queue requests")

    def write_party(self, kind: PartyKind, party: Party, remote_id: str = "") -> ReferenceRecord:
        """Not declared: parties come into the books with their documents."""
        _undeclared(f"write a {kind.value} by itself")

    def payments(self, kind: Kind, remote_ids: Sequence[str]) -> list[Payment]:
        """Not declared: the books know no payments of single documents."""
        _undeclared("tell payments")

    def balances(self) -> list[Balance]:
        """What every account stands at."""
        return balances(self.books.folder)

    def export(self, out: TextIO) -> int:
        """All transactions in hledger's form."""
        return export_hledger(self.books.folder, out)

    def close(self) -> None:
        """Let go of the index."""
        self.books.close()


def _must_hold(content: bytes, file: Path) -> None:
    if sha256(file.read_bytes()).digest() != sha256(content).digest():
        raise OSError(f"what was read back from {file.name} is not what was written")


def _undeclared(what: str) -> NoReturn:
    raise problems.Refused(
        f"The embedded books cannot {what}.",
        why="They do not have this function.",
        fix="Switch off the option that asks for it.",
        code="NOT_POSSIBLE_HERE",
    )


def _not_there(remote_id: str) -> Problem:
    return Problem(
        code="REFUSED_BY_TARGET",
        what=f"The document {remote_id} is not in the books.",
        why="No transaction there carries this reference; it may have been deleted by hand.",
        fix="Nothing is left to do in the books; look the document up again.",
    )


def _the_document(index: Index, kind: Kind, remote_id: str) -> Row | None:
    rows = index.by_reference([remote_id]).get(remote_id, []) if _is_clean(remote_id) else []
    # One that is not reversed goes first.
    return next((row for row in sorted(rows, key=lambda row: row.void) if row.kind == kind), None)


def _is_clean(reference: str) -> bool:
    return bool(reference) and wire.clean(reference) == reference  # nothing else is ever booked


def _as_found(row: Row) -> FoundDocument:
    return FoundDocument(*row[2:12])


def _booked(row: Row) -> Booked:
    is_time = row.kind == Kind.TIME_RECORD
    return Booked(
        remote_id=row.reference or row.number,
        number=row.number,
        external_reference=row.reference,
        party_id=row.party,
        date=_day(row.day),
        total=Decimal(row.total) if row.total else None,
        tax_total=Decimal(row.tax) if row.tax and not is_time else None,
        currency="" if is_time else row.currency,
        state=BookedState.VOID if row.void else BookedState.OPEN,
        kind=Kind(row.kind) if row.kind in Kind.__members__.values() else None,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None  # a date that an editor left and no calendar has
