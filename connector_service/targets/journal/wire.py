"""Beancount's syntax, as far as the books use it: strings, account names, numbers, links.

Source: the lexer and ``core/account.py`` of Beancount 3 (https://github.com/beancount/beancount). Whatever a source
holds, what comes out of here is one token: it cannot end a string, begin a line or name another account.
"""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Final

OPENED: Final = "1900-01-01"
"""The date on which accounts are opened; nothing can be posted before it."""
MINUTES: Final = "MINUTES"
"""The commodity of time records."""

RECEIVABLE: Final = "Assets:Receivable:"
PAYABLE: Final = "Liabilities:Payable:"
TAX: Final = "Liabilities:Tax:"
INPUT_TAX: Final = "Assets:InputTax:"
INCOME: Final = "Income:"
EXPENSES: Final = "Expenses:"
TIME: Final = "Assets:Time:"
TIME_EARNED: Final = "Equity:Time:"

UNSPECIFIED: Final = "Unspecified"
FREIGHT: Final = "Freight"
DISCOUNT: Final = "Discount"
ROUNDING: Final = "Rounding"
_RESERVED: Final = frozenset({UNSPECIFIED, FREIGHT, DISCOUNT, ROUNDING})

_MOST_DIGITS: Final = 40
_LONGEST_COMPONENT: Final = 40
_SUFFIXED: Final = re.compile(r"-x[0-9a-f]{12}\Z")
_ROOTS: Final = frozenset({"Assets", "Liabilities", "Equity", "Income", "Expenses"})
# Control characters and halves of surrogate pairs have no place in a text file; line breaks and tabs are escaped.
_UNCLEAN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SPECIAL: Final = re.compile('[\x00-\x1f\x7f-\x9f\ud800-\udfff"\\\\]')
_ESCAPES: Final = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n", ord("\t"): "\\t"}
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_UNESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "b": "\b"}
_TOKENS: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|;|[^";]+|"')
_FACT: Final = re.compile(r"([a-z][A-Za-z0-9_-]+)[ \t]*:(?![A-Za-z0-9:])(.*)", re.DOTALL)
_NUMBER: Final = re.compile(r"[-+]?[0-9][0-9,]*(?:\.[0-9]*)?")
_NOT_IN_LINK: Final = re.compile(r"[^A-Za-z0-9\-_/.]+")
# Letters of Unicode 3.2: known to every program that may read the books, however old its tables are.
_category: Final = unicodedata.ucd_3_2_0.category


def clean(text: str) -> str:
    """The text as the books can hold it: other control characters than line breaks and tabs become a mark (U+FFFD)."""
    if text.isprintable() or not _SPECIAL.search(text):
        return text
    return _UNCLEAN.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def quote(text: str) -> str:
    """The text as one string token on one line."""
    # What is printable holds no control character and no half of a surrogate pair; asking so is twice as fast.
    if (text.isprintable() and '"' not in text and "\\" not in text) or not _SPECIAL.search(text):
        return f'"{text}"'
    return f'"{clean(text).translate(_ESCAPES)}"'


def unquote(inner: bytes) -> str:
    """What stands between the quotes of a string token."""
    return _unescape(inner.decode("utf-8", "replace"))


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda found: _UNESCAPES.get(found[1], found[1]), text)


def digits(value: Decimal) -> str:
    """The number in plain digits, exactly; as a string token where it would be absurdly long."""
    if -_MOST_DIGITS < value.adjusted() < _MOST_DIGITS:
        text = format(value, "f")
        if len(text) <= _MOST_DIGITS:
            return text
    return f'"{value}"'


def link(number: str) -> str:
    """A link token for a document's number, after a space; nothing where no character may stand in one."""
    safe = _NOT_IN_LINK.sub("-", number)[:100].strip("-")
    return f" ^{safe}" if safe else ""


@lru_cache(maxsize=8192)
def component(key: str) -> str:
    """One part of an account's name for a source key: two keys never share one.

    A key that is a well-formed part stands for itself. Any other is made well-formed and ends in a digest of the key,
    an ending that no key may have of its own.
    """
    if not key:
        return UNSPECIFIED
    safe = "".join(char if _may_stand(char) else "-" for char in key[:_LONGEST_COMPONENT])
    if not _may_begin(safe[0]):
        capital = safe[0].upper()
        safe = capital + safe[1:] if len(capital) == 1 and _may_begin(capital) else "X" + safe
    if safe == key and key not in _RESERVED and not _SUFFIXED.search(key):
        return key
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"{safe.strip('-')}-x{digest}"


def _may_stand(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char == "-"
    return char > "\u00bf" and _category(char)[0] == "L"


def _may_begin(char: str) -> bool:
    return char in "0123456789" or (_may_stand(char) and _category(char) == "Lu")


def is_account(text: str) -> bool:
    """Whether the text is the full name of an account."""
    root, *parts = text.split(":")
    return (
        root in _ROOTS
        and bool(parts)
        and all(part and _may_begin(part[0]) and all(map(_may_stand, part)) for part in parts)
    )


def account(root: str, key: str, *, full_name: bool = True) -> str:
    """The account of a key below ``root``; with ``full_name``, a key that is a full account name is that account."""
    if full_name and ":" in key and is_account(key):
        return key
    return root + component(key)


def parse_number(text: str) -> Decimal | None:
    """A plain number as an editor may have left it (``-1,234.50``); ``None`` for anything else."""
    return Decimal(text.replace(",", "")) if _NUMBER.fullmatch(text) else None


def strings(line: str) -> tuple[list[str], str]:
    """The string tokens of a line, and the rest of the line without them and without a comment."""
    found: list[str] = []
    rest: list[str] = []
    for match in _TOKENS.finditer(line):
        if match[1] is not None:
            found.append(_unescape(match[1]))
        elif match[0].startswith(";"):
            break
        else:
            rest.append(match[0])
    return found, "".join(rest)


def without_comment(line: str) -> str:
    """The line up to its comment; a mark inside a string begins none."""
    for match in _TOKENS.finditer(line):
        if match[0].startswith(";"):
            return line[: match.start()]
    return line


def fact(line: str) -> tuple[str, str] | None:
    """The name and value of a line of metadata; ``None`` where it is none."""
    found = _FACT.match(line)
    if found is None:
        return None
    value = found[2].strip()
    if value.startswith('"'):
        quoted, _ = strings(value)
        return found[1], quoted[0] if quoted else ""
    return found[1], without_comment(value).strip()
