"""XML from strangers: read without entities, without network and within bounds, and asked for exact values."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

from lxml import etree

from connector_service.sources.folder.wire import EmbeddedFile, Id, Unfit

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "utf-16": "utf-16",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "windows-1252",
    "cp1252": "windows-1252",
}
_DECLARATION: Final = re.compile(r"\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([A-Za-z0-9._:-]+)[\"'][^>]*\?>")
_BEFORE_ROOT: Final = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,24}(?:\.\d{0,12})?|\.\d{1,12})")
_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:T[\d:.]+)?(?:Z|[+-]\d{2}:\d{2})?")
_COMPACT_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{4})?")

_MENDED: Final = "Ask the sender for a file that is whole and valid, and drop that one."


def parse(data: bytes) -> etree._Element:
    """The root element of a file; raises ``Unfit`` for what is not well-formed or could do harm."""
    text = _decode(data)
    start = _BEFORE_ROOT.match(text)
    rest = text[start.end() if start else 0 :]
    if rest[:2] == "<!":
        raise Unfit(
            "The file brings its own document type (DOCTYPE). An e-invoice has none, and such a file can be built to "
            "read other files or to fill the memory, so it was not opened.",
            "Ask the sender for the invoice without a DOCTYPE.",
        )
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(rest.encode("utf-8", "surrogatepass"), parser)
    except etree.XMLSyntaxError as error:
        lines_before = text.count("\n", 0, start.end()) if start else 0
        line = (error.lineno or 1) + lines_before
        raise Unfit(f"The file is not well-formed XML: line {line}: {plain(error.msg)}", _MENDED) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unfit("The file brings its own document type (DOCTYPE).", "Ask the sender for the invoice without it.")
    return root


def _decode(data: bytes) -> str:
    encoding, mark = "", b""
    for candidate, name in _MARKS:
        if data.startswith(candidate):
            encoding, mark = name, candidate
            break
    else:
        if data[:4] in (b"<\x00?\x00", b"<\x00!\x00") or data[1:2] == b"\x00":
            encoding = "utf-16-le"
        elif data[:1] == b"\x00":
            encoding = "utf-16-be"
    body = data[len(mark) :]
    if not encoding:
        head = body[:300].decode("ascii", "replace")
        declared = _DECLARATION.match(head)
        label = declared.group(1).lower() if declared else "utf-8"
        encoding = _ENCODINGS.get(label, "")
        if not encoding or encoding == "utf-16":
            raise Unfit(
                f"The file says that it is written in {plain(label)}, which is not accepted for invoices.",
                "Ask the sender for a file in UTF-8.",
            )
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise Unfit(
            f"The file says that it is written in {encoding.upper()}, but line {line} holds bytes that are not.",
            "Ask the sender to save the file in the encoding that its first line names; UTF-8 is best.",
        ) from error
    if "\x00" in text:
        raise Unfit("The file holds zero bytes, so it is not a text file.", _MENDED)
    return text


def local_names(root: etree._Element, prefixes: tuple[str, ...], renamed: dict[str, str] | None = None) -> None:
    """Take the namespace off every element that has one of ours, so that paths stay short; others keep theirs."""
    names: dict[str, str] = {}
    for element in root.iter():
        tag = element.tag
        if not isinstance(tag, str):  # an entity reference that was left unresolved
            raise Unfit("The file uses an entity that it does not define.", _MENDED)
        name = names.get(tag)
        if name is None:
            space, _, local = tag[1:].partition("}")
            name = local if tag[0] == "{" and space.startswith(prefixes) else tag
            if renamed is not None:
                name = renamed.get(name, name)
            names[tag] = name
        element.tag = name


def plain(text: str, length: int = 120) -> str:
    """A text from a stranger's file, fit for a message: one line, no control characters, not long."""
    kept = "".join(char if char.isprintable() else " " for char in text)
    short = " ".join(kept.split())
    return short if len(short) <= length else short[: length - 1] + "…"


def text_of(element: etree._Element, path: str) -> str:
    """The text at a path with white space at both ends taken off; empty where there is none."""
    found = element.findtext(path)
    return " ".join(found.split()) if found else ""


def paragraph_of(element: etree._Element) -> str:
    """The text of an element with its line breaks kept, each line trimmed."""
    lines = (" ".join(line.split()) for line in (element.text or "").splitlines())
    return "\n".join(line for line in lines if line)


def number(raw: str | None, place: str) -> Decimal:
    """An exact decimal as XML Schema writes it; raises ``Unfit`` for anything else."""
    text = (raw or "").strip()
    if not _NUMBER.fullmatch(text):
        shown = f"“{plain(text, 40)}”" if text else "empty"
        raise Unfit(
            f"{place} is {shown}, which is not a plain number such as 1234.50.",
            "Ask the sender to write amounts with a decimal point and without thousands separators.",
        )
    return Decimal(text)


def amount_of(element: etree._Element, path: str, place: str, currency: str = "") -> Decimal | None:
    """The amount at a path, ``None`` where there is none; ``currency`` is what it must be in, where given."""
    found = element.find(path)
    return None if found is None else amount(found, place, currency)


def amount(element: etree._Element, place: str, currency: str = "") -> Decimal:
    """The amount in an element; raises ``Unfit`` if it is no number or names another currency than the document's."""
    own = element.get("currencyID")
    if own and currency and own.strip() != currency:
        raise Unfit(
            f"{place} is in {plain(own, 10)}, but the document is in {currency}.",
            "Ask the sender for an invoice with all amounts in one currency.",
        )
    return number(element.text, place)


def day(raw: str, place: str) -> date:
    """A date, as UBL (2026-11-22) or CII (20261122) writes it; raises ``Unfit``."""
    found = _DATE.fullmatch(raw.strip()) or _COMPACT_DATE.fullmatch(raw.strip())
    if found:
        try:
            return date(*(int(part) for part in found.groups()))
        except ValueError:
            pass
    shown = f"“{plain(raw, 40)}”" if raw else "empty"
    raise Unfit(f"{place} is {shown}, which is not a date such as 2026-11-22.", "Ask the sender to mend that date.")


def tax_code(category: str, rate: Decimal | None) -> str:
    """A readable code of a VAT category (UNTDID 5305) and rate: ``S/21``, ``S/9.5``; ``E``, ``AE``, ``Z`` without one.

    A rate of nil says nothing beside a category that is nil by its nature, so it is left out there: both syntaxes then
    give the same code. It stays for the standard rate (``S/0``), where it is a statement.
    """
    if not category and rate is None:
        return ""
    if rate is None or (not rate and category != "S"):
        return category
    digits = format(rate, "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{category}/{digits}"


def unit_price(price: Decimal | None, base: Decimal | None) -> Decimal | None:
    """The price of one unit from a price for ``base`` units; ``None`` where the division does not come out even."""
    if price is None or base is None or base == 1:
        return price
    if not base:
        return None
    result = price / base
    exponent = result.as_tuple().exponent
    return result if result * base == price and isinstance(exponent, int) and exponent >= -10 else None


def ids_of(found: Iterable[etree._Element]) -> tuple[Id, ...]:
    """The identifiers that elements hold, each with its scheme; empty elements give none."""
    return tuple(
        Id((each.get("schemeID") or "").strip(), " ".join((each.text or "").split()))
        for each in found
        if (each.text or "").strip()
    )


def embedded_file(reference: etree._Element, binary_at: str, uri_at: str, *names_at: str) -> EmbeddedFile:
    """What a reference to a supporting document carries or points to; its name is the first that is there."""
    binary = reference.find(binary_at)
    given = "" if binary is None else (binary.get("filename") or "")
    return EmbeddedFile(
        name=given or next((name for at in names_at if (name := text_of(reference, at))), ""),
        media_type="" if binary is None else (binary.get("mimeCode") or ""),
        base64="" if binary is None else (binary.text or ""),
        uri=text_of(reference, uri_at),
    )
