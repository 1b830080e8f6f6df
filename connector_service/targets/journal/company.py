"""The books' own identity and first lines, in ``main.beancount``."""

import errno
import os
import re
import uuid
from dataclasses import dataclass
from typing import Final

from connector_service.domain.problems import NeedsUser
from connector_service.targets.journal import wire
from connector_service.targets.journal.appending import HalfWritten, Part
from connector_service.targets.journal.client import ACCOUNTS, MAIN, PARTIES, Books
from connector_service.targets.journal.faults import translate
from connector_service.targets.journal.index import Index
from connector_service.targets.journal.scanner import FoundInclude, pieces

_OWN_TITLE: Final = "Embedded books"
_TITLE: Final = re.compile(rb'^option[ \t]+"title"[ \t]+"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_CURRENCY: Final = re.compile(rb'^option[ \t]+"operating_currency"[ \t]+"([A-Z]{3})"', re.MULTILINE)
_ID: Final = re.compile(rb'^\S+[ \t]+custom[ \t]+"connector-service"[ \t]+"books"[ \t]+"([^"\\]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BooksHead:
    """What the main file says of the books."""

    id: str
    """Made once with the books and kept in them, so that a moved folder is the same company and a new one another."""
    title: str
    currency: str


def found_books(books: Books, currency: str) -> BooksHead:
    """Read the head of the books, and make what is missing of it. Proves that the folder can be written.

    Raises ``NeedsUser`` where the main file is gone but others are there, and ``ConnectorError`` for disk faults.
    """
    folder = books.folder
    try:
        if not folder.exists() and folder.parent.is_dir():
            folder.mkdir()
    except OSError as fault:
        raise translate(fault, folder) from fault
    try:
        return books.change(lambda index: _head(books, index, currency))
    except HalfWritten as fault:
        raise translate(OSError(str(fault)), folder) from fault


def seen_books(books: Books, currency: str) -> BooksHead:
    """Read the head of the books and change nothing; without an identity where they are still to be made.

    Raises ``NeedsUser`` where they could not be written.
    """
    folder = books.folder
    place = folder if folder.exists() else folder.parent
    if not place.is_dir():
        raise translate(NotADirectoryError(errno.ENOTDIR, "there is no such folder"), place)
    if not os.access(place, os.W_OK):
        raise translate(PermissionError(errno.EACCES, "no right to write"), place)
    try:
        return BooksHead("", folder.name, currency) if _are_to_be_made(books) else _read(books)
    except OSError as fault:
        raise translate(fault, folder) from fault


def _are_to_be_made(books: Books) -> bool:
    """Whether the folder holds no books yet; raises ``NeedsUser`` where their main file is gone."""
    main = books.folder / MAIN
    # Empty ones are what is left where the making of new books was broken off.
    others = [path.name for path in books.folder.glob("*.beancount") if path.name != MAIN and path.stat().st_size]
    empty = not main.exists() or not main.stat().st_size
    if empty and others:
        raise NeedsUser(
            f"The file {MAIN} of the books is missing.",
            why=f"{books.folder} holds {', '.join(sorted(others)[:3])}, but not the file that includes them.",
            fix=f"Put {MAIN} back from a backup; or, for new books, name an empty folder as target.company.",
            code="TARGET_UNREACHABLE",
        )
    return empty


def _head(books: Books, index: Index, currency: str) -> BooksHead:
    if _are_to_be_made(books):
        _begin(books, index, currency)
    head = _read(books)
    if not head.id:
        # Books that somebody keeps already: they are given an identity and are otherwise left as they are.
        books.append(index, [Part(MAIN, b"\n" + _identity())])
        head = _read(books)
    if currency and not head.currency and head.title == _OWN_TITLE:
        # New books learn their home currency from their first documents; books of somebody's own are left as they are.
        books.append(index, [Part(MAIN, f'option "operating_currency" "{currency}"\n'.encode())])
        head = _read(books)
    return head


def _identity() -> bytes:
    return f'{wire.OPENED} custom "connector-service" "books" "{uuid.uuid4().hex}"\n'.encode()


def _begin(books: Books, index: Index, currency: str) -> None:
    lines = [f'option "title" "{_OWN_TITLE}"\n']
    if currency:
        lines.append(f'option "operating_currency" "{currency}"\n')
    includes = [ACCOUNTS, PARTIES]
    lines += ["\n", *(f'include "{name}"\n' for name in includes), "\n"]
    main = "".join(lines).encode() + _identity()
    books.append(
        index,
        [
            Part(MAIN, main, [FoundInclude(name) for name in includes]),
            Part(ACCOUNTS, b"; Accounts and commodities, opened as the first document uses them. You may edit this.\n"),
            Part(PARTIES, b"; Accounts of customers, suppliers and employees, with their names and source keys.\n"),
        ],
    )


def _read(books: Books) -> BooksHead:
    title, currency, identity = b"", b"", b""
    with (books.folder / MAIN).open("rb") as stream:
        for piece in pieces(stream):
            for pattern in (_TITLE, _CURRENCY, _ID):
                found = pattern.search(piece.text)
                if found is None:
                    continue
                if pattern is _TITLE:
                    title = title or found[1]
                elif pattern is _CURRENCY:
                    currency = currency or found[1]
                else:
                    identity = identity or found[1]
    return BooksHead(identity.decode(), wire.unquote(title) or books.folder.name, currency.decode())
