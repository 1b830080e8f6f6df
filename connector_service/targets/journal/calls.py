"""One call's bytes: Beancount text, with the accounts it uses first and its documents in order. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from connector_service.contract.target import Posting, Prepared
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import Problem
from connector_service.targets.journal import wire
from connector_service.targets.journal.mapping import Accounts, CannotBook, Entry, transaction
from connector_service.targets.journal.scanner import Found, FoundAccount, FoundDocument, FoundVoid

_TRAILER: Final = b"; connector-service: "


class Opening(msgspec.Struct, array_like=True, frozen=True):
    """Where the text stands that opens an account, and what it says."""

    offset: int
    length: int
    found: FoundAccount


class Call(msgspec.Struct):
    """What stands in a call's bytes; it is their last line, so that booking need not read the text again."""

    opens: list[Opening]
    entries: list[FoundDocument]
    """In order; each has an empty line before it."""
    refused: dict[str, Problem]
    """By external reference: why the books cannot take it."""


_decoder: Final = msgspec.json.Decoder(Call)


def build(kind: Kind, postings: Sequence[Posting], idempotency_key: str) -> Prepared:
    """The bytes for these postings; of documents that cannot be booked they hold the reason."""
    accounts = Accounts()
    booked: list[tuple[bytes, Posting, Entry]] = []
    call = Call([], [], {})
    for posting in postings:
        try:
            entry = transaction(posting, accounts)
        except CannotBook as refusal:
            call.refused[wire.clean(posting.external_reference)] = refusal.problem
            continue
        booked.append((entry.text.encode(), posting, entry))
    pieces: list[bytes] = []
    at = 0
    for opening, account in accounts.opens.values():
        text = opening.encode()
        pieces += (b"\n", text)
        call.opens.append(Opening(at, len(text) + 1, account))
        at += len(text) + 1
    kind_name = kind.value
    for text, posting, entry in booked:
        pieces += (b"\n", text)
        document, length = posting.document, len(text)
        call.entries.append(
            FoundDocument(
                at + 1,
                length,
                posting.external_reference,
                kind_name,
                wire.clean(document.number),
                entry.party,
                document.date.isoformat(),
                entry.total,
                entry.tax,
                entry.currency,
            )
        )
        at += length + 1
    pieces += (b"\n", _TRAILER, msgspec.json.encode(call), b"\n")
    members = tuple(posting.external_reference for posting in postings)
    return Prepared(kind=kind, body=b"".join(pieces), members=members, idempotency_key=idempotency_key)


def read(body: bytes) -> Call:
    """What stands in a call's bytes; raises ``ValueError`` where they are not such bytes."""
    last = body.rfind(b"\n", 0, -1) + 1
    if not body.startswith(_TRAILER, last):
        raise ValueError("these bytes are not a call to the embedded books")
    return _decoder.decode(body[last + len(_TRAILER) :])


def file_of(kind: str, day: str) -> str:
    """The file in which a document of this kind and date stands: one a year, and one a year for time."""
    year = day.partition("-")[0]
    return f"time-{year}.beancount" if kind == Kind.TIME_RECORD else f"{year}.beancount"


def reversal(text: bytes, found: FoundDocument, reference: str, day: str) -> tuple[bytes, Found] | None:
    """The transaction that reverses another as the books have it now; ``None`` where its amounts are not plain."""
    postings: list[str] = []
    first, *others = text.decode("utf-8", "replace").split("\n")
    names, _ = wire.strings(first)
    for line in others:
        words = line.partition(";")[0].split()
        if not line[:1].isspace() or not words or (words[0].endswith(":") and words[0][:1].islower()):
            continue
        words = words[1:] if words[0] in ("*", "!") else words
        number = wire.parse_number(words[1]) if len(words) == 3 else None
        if number is None or not wire.is_account(words[0]):
            return None
        postings.append(f"  {words[0]}  {number.copy_negate():f} {words[2]}\n")
    title = " ".join(filter(None, ("Reversal of", found.kind.replace("_", " "), found.number)))
    payee = wire.quote(names[0]) + " " if len(names) > 1 else ""
    head = (
        f"{day} * {payee}{wire.quote(title)}{wire.link(found.number)} #void\n"
        f"  void_of: {wire.quote(found.reference)}\n  void_day: {found.day}\n"
        f"  void_reference: {wire.quote(reference)}\n"
    )
    return (head + "".join(postings)).encode(), FoundVoid(found.reference, found.day, wire.clean(reference))
