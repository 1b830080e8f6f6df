"""The books in hledger's form, so that a second, independent program can check and report them.

Source: hledger's manual, "Journal format" (https://hledger.org/hledger.html). A tag's value ends at a comma and at the
line's end, and square brackets in a comment may be taken for a date: these characters are replaced in the export only.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from connector_service.domain.money import is_currency, minor_units
from connector_service.targets.journal.balances import Transaction, amounts, book_pieces, parse_transaction
from connector_service.targets.journal.scanner import FoundAccount, Piece, interpret

_PLAIN: Final = str.maketrans({",": ";", "[": "(", "]": ")", "\n": " ", "\t": " ", "\r": " "})
_TITLE: Final = str.maketrans({";": ",", "|": "/", "\n": " ", "\t": " ", "\r": " "})
_CODE: Final = str.maketrans({"(": "/", ")": "/", ";": "/", "\n": " ", "\t": " ", "\r": " "})
# Names that hledger gives a meaning of its own.
_TAKEN: Final = frozenset({"date", "date2", "type"})


def export_hledger(folder: Path, out: TextIO) -> int:
    """Write all transactions of the books, with their metadata as tags; returns how many.

    Raises ``ConnectorError`` where the books cannot be read, or a transaction has no plain amounts.
    """
    out.write("decimal-mark .\n")
    seen: set[str] = set()
    count = 0
    for name, piece in book_pieces(folder):
        found = interpret(piece.offset, piece.text)
        if isinstance(found, FoundAccount) and found.opened:
            _declare(out, found, seen)
            continue
        transaction = parse_transaction(name, piece)
        if transaction is not None:
            out.writelines(_transaction(name, piece, transaction, seen))
            count += 1
    return count


def _declare(out: TextIO, found: FoundAccount, seen: set[str]) -> None:
    if ":" not in found.account:
        out.writelines(_commodity(found.account, seen))
    elif found.account not in seen:
        seen.add(found.account)
        out.write(f"account {found.account}\n")
        out.writelines(
            f"    ; {key}:{_value(value)}\n"
            for key, value in (("name", found.name), ("kind", found.kind), ("key", found.key))
            if value
        )


def _commodity(code: str, seen: set[str]) -> Iterator[str]:
    if code not in seen:
        seen.add(code)
        places = minor_units(code) if is_currency(code) else 0
        # The mark has to stand in the sample even where no decimals follow it.
        yield f"commodity 1000.{'0' * places} {_symbol(code)}\n"


def _symbol(code: str) -> str:
    return code if code.isalpha() else f'"{code}"'


def _transaction(name: str, piece: Piece, transaction: Transaction, seen: set[str]) -> Iterator[str]:
    facts = dict(transaction.facts)
    narration = transaction.narration.translate(_TITLE).strip()
    payee = transaction.payee.translate(_TITLE).strip()
    title = f"{payee} | {narration}" if payee else narration
    payee = payee or narration  # what hledger takes for the payee where there is no bar
    lines = list(amounts(name, piece, transaction))
    for currency in {currency for _, currency, _ in lines}:
        yield from _commodity(currency, seen)
    if payee and f"payee {payee}" not in seen:
        seen.add(f"payee {payee}")
        yield f"payee {payee}\n"
    number = facts.get("number", "").translate(_CODE)
    yield f"\n{transaction.day} {transaction.flag} ({number}) {title}\n"
    for tag in transaction.tags:
        yield f"    ; {tag}:\n"
    for key, value in transaction.facts:
        yield f"    ; {_key(key)}:{_value(value)}\n"
    own = {
        place: line.facts for place, line in enumerate(line for line in transaction.lines if line.amount is not None)
    }
    for place, (account, currency, amount) in enumerate(lines):
        yield f"    {account}  {amount:f} {_symbol(currency)}\n"
        for key, value in own.get(place, ()):
            yield f"        ; {_key(key)}:{_value(value)}\n"


def _key(key: str) -> str:
    return f"{key}_" if key in _TAKEN else key


def _value(value: str) -> str:
    return value.translate(_PLAIN)
