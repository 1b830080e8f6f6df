"""What every account of the books stands at, read from the files alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from connector_service.domain.problems import NeedsUser
from connector_service.targets.journal import wire
from connector_service.targets.journal.client import MAIN, expand
from connector_service.targets.journal.faults import translate
from connector_service.targets.journal.scanner import Piece, head, includes, pieces


class Balance(NamedTuple):
    """The sum of an account's postings in one commodity; debit is positive. Time stands in ``MINUTES``."""

    account: str
    currency: str
    balance: Decimal


@dataclass(frozen=True, slots=True)
class BookLine:
    """One posting of a transaction, with its own metadata and comments."""

    account: str
    amount: Decimal | None
    """``None`` where it is left out and follows from the others."""
    currency: str
    rest: str
    """What follows the amount: a price or a cost."""
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction as it stands in the books."""

    day: str
    flag: str
    payee: str
    narration: str
    tags: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    lines: tuple[BookLine, ...]


def balances(folder: Path) -> list[Balance]:
    """Every account's balance, by account and currency. Raises ``ConnectorError`` where the books cannot be read."""
    sums: dict[tuple[str, str], Decimal] = {}
    for name, piece in book_pieces(folder):
        transaction = parse_transaction(name, piece)
        if transaction is None:
            continue
        for account, currency, amount in amounts(name, piece, transaction):
            sums[account, currency] = sums.get((account, currency), Decimal(0)) + amount
    return [Balance(account, currency, total) for (account, currency), total in sorted(sums.items())]


def book_pieces(folder: Path) -> Iterator[tuple[str, Piece]]:
    """The directives of all files of the books, with the name of each file, as the includes lead to them."""
    waiting, seen = [MAIN], set()
    try:
        while waiting:
            name = waiting.pop(0)
            if name in seen or not (folder / name).is_file():
                continue
            seen.add(name)
            with (folder / name).open("rb") as stream:
                for piece in pieces(stream):
                    yield name, piece
                    for found in includes(piece.text):
                        waiting += expand(folder, name, found.pattern)
    except OSError as fault:
        raise translate(fault, folder) from fault
    if not seen:
        raise NeedsUser(
            f"There are no books in {folder}.",
            why=f"The folder holds no file {MAIN}.",
            fix="Sync the route once, or name the folder that holds the books as target.company.",
            code="TARGET_UNREACHABLE",
        )


def amounts(name: str, piece: Piece, transaction: Transaction) -> Iterator[tuple[str, str, Decimal]]:
    """Account, currency and amount of each posting; one that is left out is worked out from the others."""
    weights: dict[str, Decimal] = {}
    open_line: BookLine | None = None
    for line in transaction.lines:
        if line.amount is None:
            if open_line is not None or line.rest:
                raise _not_plain(name, piece, transaction, line)
            open_line = line
            continue
        yield line.account, line.currency, line.amount
        currency, weight = _weight(name, piece, transaction, line)
        weights[currency] = weights.get(currency, Decimal(0)) + weight
    if open_line is not None:
        for currency, weight in weights.items():
            if weight:
                yield open_line.account, currency, -weight


def _weight(name: str, piece: Piece, transaction: Transaction, line: BookLine) -> tuple[str, Decimal]:
    """What a posting counts for in the transaction's balance: its amount, or its price where it has one."""
    assert line.amount is not None  # noqa: S101 - the caller has looked
    words = line.rest.split()
    if not words:
        return line.currency, line.amount
    price = wire.parse_number(words[1]) if len(words) == 3 and words[0] in ("@", "@@") else None
    if price is None:
        raise _not_plain(name, piece, transaction, line)
    return words[2], line.amount * price if words[0] == "@" else price.copy_sign(line.amount)


def _not_plain(name: str, piece: Piece, transaction: Transaction, line: BookLine) -> NeedsUser:
    return NeedsUser(
        "A transaction in the books cannot be added up here.",
        why=f"In {name}, on {transaction.day} ({transaction.narration:.60}), byte {piece.offset}: the "
        f"posting to {line.account} has an amount that is not a plain number, or a cost.",
        fix="Write the amount out as a number, or look at the balances in Fava or with bean-query.",
        code="NOT_POSSIBLE_HERE",
    )


def parse_transaction(name: str, piece: Piece) -> Transaction | None:
    """A transaction's parts; ``None`` for any other directive."""
    begin = head(piece.text)
    if begin is None or begin.word in (b"open", b"close", b"commodity", b"document"):
        return None
    lines = piece.text.decode("utf-8", "replace").split("\n")
    strings, rest = wire.strings(lines[0])
    facts: list[tuple[str, str]] = []
    tags = tuple(word[1:] for word in rest.split() if word.startswith("#"))
    postings: list[tuple[str, list[tuple[str, str]]]] = []
    for line in lines[1:]:
        text = line.strip()
        if not line[:1].isspace() or not text or text.startswith(";"):
            continue
        fact = wire.fact(text)
        if fact is not None:
            (postings[-1][1] if postings else facts).append(fact)
        elif not text.startswith(("#", "^")):
            postings.append((text, []))
    return Transaction(
        begin.day,
        "!" if begin.word == b"!" else "*",
        strings[0] if len(strings) > 1 else "",
        strings[-1] if strings else "",
        tags,
        tuple(facts),
        tuple(_line(text, tuple(own)) for text, own in postings),
    )


def _line(text: str, facts: tuple[tuple[str, str], ...]) -> BookLine:
    words = wire.without_comment(text).split()
    if words and words[0] in ("*", "!"):
        words = words[1:]
    account = words[0] if words else ""
    amount = wire.parse_number(words[1]) if len(words) > 2 else None
    if amount is None:
        return BookLine(account, None, "", " ".join(words[1:]), facts)
    return BookLine(account, amount, words[2], " ".join(words[3:]), facts)
