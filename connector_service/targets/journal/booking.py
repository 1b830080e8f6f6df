"""Booking one call: what is there already, what may not be posted, and what is appended to which file."""

import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Final

from connector_service.contract.target import Done, Outcome, Prepared, Refused
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import Problem
from connector_service.targets.journal import calls, wire
from connector_service.targets.journal.appending import Part
from connector_service.targets.journal.client import ACCOUNTS, MAIN, PARTIES, Books
from connector_service.targets.journal.index import Index
from connector_service.targets.journal.scanner import FoundAccount, FoundDocument, FoundInclude
from connector_service.targets.journal.tables import Row

_TIME: Final = Kind.TIME_RECORD.value
_PARTY_ROOTS: Final = (wire.RECEIVABLE, wire.PAYABLE, wire.TIME)


class Booking:
    """The work of one push, under the books' lock."""

    def __init__(self, books: Books, prepared: Prepared, call: calls.Call) -> None:
        """Take what is to be booked, and into which books."""
        self._books = books
        self._body = prepared.body
        self._members = prepared.members
        self._call = call

    def book(self, index: Index) -> list[Outcome]:
        """Append the members that are not there, and answer for each."""
        entries = {entry.reference: entry for entry in reversed(self._call.entries)}
        known = index.by_reference(entries)
        plain, special = index.standing([opening.found.account for opening in self._call.opens])
        outcomes: dict[str, Outcome] = {}
        fresh: list[FoundDocument] = []
        for reference in dict.fromkeys(self._members):
            entry = entries.get(reference)
            if entry is None:
                outcomes[reference] = Refused(self._call.refused.get(wire.clean(reference), _MISSING))
                continue
            # What was reversed may be booked again under its reference.
            live = [row for row in known[reference] if not row.void] if reference in known else ()
            if live:
                outcomes[reference] = _found(live[0])
            else:
                fresh.append(entry)
        for account, rows in special.items():
            fresh = self._without(fresh, account, rows, outcomes)
        if fresh:
            self._append(index, fresh, plain | special.keys())
        for entry in fresh:
            outcomes[entry.reference] = _done(entry)
        return _in_order(self._members, outcomes)

    def _append(self, index: Index, fresh: Sequence[FoundDocument], opened: Collection[str]) -> None:
        parts = []
        for file, wanted in ((ACCOUNTS, False), (PARTIES, True)):
            new = [
                opening
                for opening in self._call.opens
                if opening.found.account not in opened and opening.found.account.startswith(_PARTY_ROOTS) is wanted
            ]
            if new:
                text = b"".join(self._body[opening.offset : opening.offset + opening.length] for opening in new)
                parts.append(Part(file, text, [opening.found for opening in new]))
        years: dict[str, list[FoundDocument]] = {}
        for entry in fresh:
            years.setdefault(entry.day[:4], []).append(entry)
        kind = fresh[0].kind  # a call is of one kind
        parts += [self._part(calls.file_of(kind, year), entries) for year, entries in years.items()]
        self.append(self._books, index, parts)

    def _part(self, file: str, entries: Sequence[FoundDocument]) -> Part:
        """The entries as they stand in the body, each with the empty line before it."""
        first, last = entries[0], entries[-1]
        begin, end = first.offset - 1, last.offset + last.length
        if end - begin == sum(entry.length + 1 for entry in entries):
            return Part(file, self._body[begin:end], entries, -begin)
        texts, found, at = [], [], 0
        for entry in entries:
            texts.append(self._body[entry.offset - 1 : entry.offset + entry.length])
            found.append(entry._replace(offset=at + 1))
            at += entry.length + 1
        return Part(file, b"".join(texts), found)

    def _without(
        self,
        entries: Sequence[FoundDocument],
        account: str,
        rows: Sequence[FoundAccount],
        outcomes: dict[str, Outcome],
    ) -> list[FoundDocument]:
        """The entries that the account takes; the others are refused."""
        problem = _restricts(account)
        uses = re.compile(rb"^[ \t]+" + re.escape(account.encode()) + rb"[ \t]", re.MULTILINE)
        opened = max(row.opened for row in rows)
        closed = max(row.closed for row in rows)
        currencies = {code for row in rows for code in row.currencies.split()}
        kept = []
        for entry in entries:
            in_time = opened <= entry.day and (not closed or entry.day < closed)
            takes = in_time and (not currencies or entry.currency in currencies)
            if takes or not uses.search(self._body, entry.offset, entry.offset + entry.length):
                kept.append(entry)
            else:
                outcomes[entry.reference] = Refused(problem)
        return kept

    @staticmethod
    def append(books: Books, index: Index, parts: Sequence[Part]) -> None:
        """Append to files, after including in the main file those that it does not include yet."""
        new = [part.file for part in parts if not books.belongs(part.file)]
        if new:
            lines = "".join(f'include "{name}"\n' for name in new).encode()
            parts = [Part(MAIN, lines, [FoundInclude(name) for name in new]), *parts]
        books.append(index, parts)


_MISSING: Final = Problem(
    code="REFUSED_BY_TARGET",
    what="It does not stand in the call that was stored for it.",
    why="The stored bytes do not hold a transaction with its reference, so nothing was booked for it.",
    fix="Retry the document.",
)


def _found(row: Row) -> Done:
    if row.kind == Kind.TIME_RECORD or not row.total:
        return Done(row.reference, row.number, found=True)
    return Done(row.reference, row.number, Decimal(row.total), Decimal(row.tax) if row.tax else None, found=True)


def _done(found: FoundDocument) -> Done:
    _, _, reference, kind, number, _, _, total, tax, _ = found
    if kind == _TIME:
        return Done(reference, number)
    return Done(reference, number, Decimal(total), Decimal(tax))


def _restricts(account: str) -> Problem:
    """What a person has laid down for an account, where it is not open for everything from the first day on."""
    return Problem(
        code="REFUSED_BY_TARGET",
        what=f"The account {account} does not take it.",
        why="In the books it is opened later, closed earlier, or open for other currencies only.",
        fix=f"Change the open or close directive of {account} in the books, or link another account; then retry.",
        field="account",
    )


def _in_order(members: Sequence[str], outcomes: dict[str, Outcome]) -> list[Outcome]:
    """One answer for each member; a member named twice was booked once."""
    if len(outcomes) == len(members):
        return [outcomes[reference] for reference in members]
    answers: list[Outcome] = []
    seen: set[str] = set()
    for reference in members:
        outcome = outcomes[reference]
        if reference in seen and isinstance(outcome, Done):
            outcome = Done(outcome.remote_id, outcome.number, outcome.total, outcome.tax_total, found=True)
        seen.add(reference)
        answers.append(outcome)
    return answers
