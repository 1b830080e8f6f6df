"""What stands in a file of the books, streamed: documents, reversals, accounts, attachments, includes.

It reads what any editor or formatter may have left, by the metadata that the transactions carry; it is not a check of
the books. A file is read in pieces, so memory does not grow with it. A directive begins at a date in the first column;
a dated line inside a string over several lines is taken for one too.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import BinaryIO, Final, NamedTuple, TypeAlias

from connector_service.domain.kinds import Kind
from connector_service.targets.journal.wire import unquote

PIECE: Final = 1 << 20
"""Bytes read at a time."""

_BEGIN: Final = re.compile(rb"^(?=\d{4,}[-/]\d{1,2}[-/]\d{1,2}[ \t])", re.MULTILINE)
_HEAD: Final = re.compile(
    rb"(\d{4,})[-/](\d{1,2})[-/](\d{1,2})[ \t]+(open|close|commodity|document|txn|[*!&#?%A-Z])[ \t\r\n]*"
)
_INCLUDE: Final = re.compile(rb'^include[ \t]+"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_META: Final = re.compile(
    rb"^[ \t]+(reference|kind|key|name|code|number|party|total|tax_total|void_of|void_day|void_reference)[ \t]*:[ \t]*"
    rb'(?:"((?:[^"\\]|\\.)*)"|([^\s";][^\n;]*))',
    re.MULTILINE,
)
_POSTING: Final = re.compile(rb"^[ \t]+[A-Z*!]", re.MULTILINE)
_SUMMED: Final = re.compile(
    rb"^[ \t]+(?:[*!][ \t]+)?(?=[AL])"
    rb"(Assets:Receivable|Liabilities:Payable|Assets:Time|Liabilities:Tax|Assets:InputTax):\S+"
    rb"(?:[ \t]+([-+]?[\d,]+(?:\.\d*)?)[ \t]+([A-Z][A-Z0-9'._-]*)[ \t]*(?=[\r\n;]|\Z))?",
    re.MULTILINE,
)
_TAX_ACCOUNTS: Final = frozenset({b"Liabilities:Tax", b"Assets:InputTax"})
_AMOUNT: Final = re.compile(r"([-+]?[\d,]+(?:\.\d*)?)[ \t]+([A-Z][A-Z0-9'._-]*)")
_OPEN: Final = re.compile(rb'([^\s";]+)[ \t]*([A-Z0-9\'._, \t-]*)')
_CLOSE: Final = re.compile(rb"(\S+)")
_DOCUMENT: Final = re.compile(rb'\S+[ \t]+"((?:[^"\\]|\\.)*)"')
_DEBIT: Final = frozenset({Kind.SALES_INVOICE, Kind.VENDOR_CREDIT, Kind.TIME_RECORD})
_KINDS: Final[dict[str, Kind]] = {kind.value: kind for kind in Kind}


class Piece(NamedTuple):
    """One dated directive with what follows it up to the next, and the place where it begins."""

    offset: int
    text: bytes


class FoundDocument(NamedTuple):
    """A document that stands in the books, with amounts as its postings have them."""

    offset: int
    length: int
    reference: str
    kind: str
    number: str
    party: str
    day: str
    total: str
    tax: str
    currency: str


class FoundVoid(NamedTuple):
    """A transaction that reverses a document."""

    of: str
    """The document's external reference."""
    day: str
    """The document's date."""
    reference: str


class FoundAccount(NamedTuple):
    """An account that is opened, or closed (then ``closed`` is its date and ``opened`` is empty).

    A commodity that is declared is told as one too; its name has no colon.
    """

    account: str
    opened: str
    closed: str
    currencies: str
    kind: str
    key: str
    name: str


class FoundAttachment(NamedTuple):
    """A file that belongs to a document."""

    reference: str
    path: str


class FoundInclude(NamedTuple):
    """Another file that belongs to the books."""

    pattern: str


Found: TypeAlias = FoundDocument | FoundVoid | FoundAccount | FoundAttachment | FoundInclude
"""What a directive can say."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first words of a directive."""

    day: str
    word: bytes
    end: int


def pieces(stream: BinaryIO, base: int = 0) -> Iterator[Piece]:
    """The directives of a file, in order. What stands before the first comes first, if there is anything.

    The stream stands at ``base`` bytes from the file's beginning.
    """
    rest = b""
    while data := stream.read(PIECE):
        if not base and not rest and data.startswith(codecs.BOM_UTF8):
            data = b"\n\n\n" + data[3:]
        rest += data
        begins = [found.start() for found in _BEGIN.finditer(rest)]
        last = 0
        for begin in begins:
            if begin > last:
                yield Piece(base + last, rest[last:begin])
                last = begin
        base += last
        rest = rest[last:]
    if rest:
        yield Piece(base, rest)


def head(text: bytes) -> Head | None:
    """The date and the word of a directive; ``None`` for what is not dated or is of no interest here."""
    found = _HEAD.match(text)
    if found is None:
        return None
    year, month, day, word = found.groups()
    return Head(f"{year.decode()}-{month.decode():0>2}-{day.decode():0>2}", word, found.end())


def scan(stream: BinaryIO, base: int = 0) -> Iterator[Found]:
    """What stands in a file from where the stream stands: ``base`` bytes from the file's beginning."""
    for offset, text in pieces(stream, base):
        found = interpret(offset, text)
        if found is not None:
            yield found
        yield from includes(text)


def includes(text: bytes) -> Iterator[FoundInclude]:
    """The files that a stretch of text includes."""
    if b"include" in text:
        for match in _INCLUDE.finditer(text):
            yield FoundInclude(unquote(match[1]))


def interpret(offset: int, text: bytes) -> Found | None:
    """What one directive says; ``None`` for what is of no interest here."""
    begin = head(text)
    if begin is None:
        return None
    if begin.word in (b"open", b"commodity"):
        return _account(text, begin)
    if begin.word == b"close":
        name = _CLOSE.match(text, begin.end)
        return FoundAccount(name[1].decode("utf-8", "replace"), "", begin.day, "", "", "", "") if name else None
    facts = _facts(text)
    if begin.word == b"document":
        path = _DOCUMENT.match(text, begin.end)
        return FoundAttachment(facts.get("reference", ""), unquote(path[1])) if path else None
    if "void_of" in facts:
        return FoundVoid(facts["void_of"], facts.get("void_day", ""), facts.get("void_reference", ""))
    kind = _KINDS.get(facts.get("kind", ""))
    if "reference" in facts or (kind is not None and "number" in facts):
        return _document(offset, text, begin, facts, kind)
    return None


def _facts(text: bytes) -> dict[str, str]:
    facts: dict[str, str] = {}
    posting = _POSTING.search(text)  # what follows it are the postings' own facts
    for key, quoted, bare in _META.findall(text, 0, posting.start() if posting else len(text)):
        facts.setdefault(key.decode(), unquote(quoted) if not bare else bare.decode("utf-8", "replace").strip())
    return facts


def _account(text: bytes, begin: Head) -> FoundAccount | None:
    found = _OPEN.match(text, begin.end)
    if found is None:
        return None
    facts = _facts(text)
    return FoundAccount(
        found[1].decode("utf-8", "replace"),
        begin.day,
        "",
        b" ".join(found[2].replace(b",", b" ").split()).decode(),
        facts.get("kind", ""),
        facts.get("key", facts.get("code", "")),
        facts.get("name", ""),
    )


def _document(offset: int, text: bytes, begin: Head, facts: dict[str, str], kind: Kind | None) -> FoundDocument:
    total, tax, currency = Decimal(0), Decimal(0), ""
    known = kind is not None
    for root, amount, commodity in _SUMMED.findall(text):
        if not amount:
            known = False
            break
        value = Decimal(amount.replace(b",", b"").decode())
        if root in _TAX_ACCOUNTS:
            tax -= value
        else:
            total += value
            currency = commodity.decode()
    if not known or not currency:
        return _as_told(offset, text, begin, facts)
    if kind not in _DEBIT:
        total, tax = total.copy_negate(), tax.copy_negate()
    told = _as_told(offset, text, begin, facts)
    if told.total and Decimal(told.total) == total:
        return told  # a line may stand on a tax account too, so the sum is used only where somebody changed amounts
    tax_text = "" if kind is Kind.TIME_RECORD else format(tax, "f")
    return told._replace(total=format(total, "f"), tax=tax_text, currency=currency)


def _as_told(offset: int, text: bytes, begin: Head, facts: dict[str, str]) -> FoundDocument:
    """A document whose postings tell no plain amount: what its metadata say counts."""
    total = _AMOUNT.match(facts.get("total", ""))
    tax = _AMOUNT.match(facts.get("tax_total", ""))
    return FoundDocument(
        offset,
        len(text.rstrip()) + 1,
        facts.get("reference", ""),
        facts.get("kind", ""),
        facts.get("number", ""),
        facts.get("party", ""),
        begin.day,
        total[1].replace(",", "") if total else "",
        tax[1].replace(",", "") if tax else "",
        total[2] if total else "",
    )
