"""JSON and XML: reading request bodies and writing answers.

The XML form follows the schema: attributes, text content and the order of elements come from the table of fields.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from lxml import etree

from tests.fakes.quickbooks_online.faults import QboFault, unsupported
from tests.fakes.quickbooks_online.fields import TYPES, Json

NAMESPACE: Final = "http://schema.intuit.com/finance/v3"
JSON_TYPE: Final = "application/json;charset=utf-8"
XML_TYPE: Final = "application/xml;charset=utf-8"
_ENCODE: Final = msgspec.json.Encoder(decimal_format="number").encode
_DECODE: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
_NAMES: Final[Any] = {None: NAMESPACE}
_WRAPPERS: Final = {
    "QueryResponse": ("startPosition", "maxResults", "totalCount"),
    "BatchItemResponse": ("bId",),
    "Fault": ("type",),
    "Error": ("code", "element"),
}


def moment(when: datetime) -> str:
    """A time as answers carry it: milliseconds, with offset."""
    return when.isoformat(timespec="milliseconds")


def to_json(value: Any) -> bytes:
    """A JSON text; Decimal as a number with its own digits."""
    return _ENCODE(value)


def from_json(body: bytes) -> Any:
    """A JSON text as Python values, numbers with a point as Decimal. Raises QboFault when it is none."""
    try:
        return _DECODE(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise unsupported(f"com.fasterxml.jackson.core.JsonParseException: {problem}") from None


def to_xml(payload: Json, when: str) -> bytes:
    """``IntuitResponse`` around a payload, which is the same as for JSON without the time."""
    root = etree.Element(f"{{{NAMESPACE}}}IntuitResponse", nsmap=_NAMES, time=when)
    for name, value in payload.items():
        _append(root, name, value)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)


def _append(parent: Any, name: str, value: Any) -> None:
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict) and set(part) == {"Fault"} and name == "AttachableResponse":
            _append(etree.SubElement(parent, f"{{{NAMESPACE}}}{name}"), "Fault", part["Fault"])
        else:
            _element(parent, name, part, name)


def _element(parent: Any, name: str, value: Any, type_name: str) -> None:
    node = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    if not isinstance(value, dict):
        node.text = _text(value)
        return
    known = TYPES.get(type_name)
    if known is None:
        attributes = _WRAPPERS.get(name, ())
        for field, content in value.items():
            if field in attributes:
                node.set(field, _text(content))
            else:
                _append(node, field, content)
        return
    for field, kind in known.items():
        if field not in value:
            continue
        content = value[field]
        if kind.startswith("@"):
            node.set(field, _text(content))
        elif kind.startswith("#"):
            node.text = _text(content)
        else:
            inner = kind.removesuffix("[]").removeprefix("type:")
            for part in content if isinstance(content, list) else [content]:
                _element(node, field, part, inner)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # XML has no place for control characters, and the maker's service drops them.
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "", f"{value:f}" if isinstance(value, Decimal) else str(value))


def from_xml(body: bytes) -> tuple[str, Json]:
    """Entity name and body of an XML request, in the JSON form. Raises QboFault when it cannot be read."""
    try:
        root = etree.fromstring(body, _PARSER)
    except etree.XMLSyntaxError as problem:
        raise unsupported(f"org.xml.sax.SAXParseException: {problem}") from None
    name = etree.QName(root).localname
    return name, _read(root, name)


def batch_from_xml(body: bytes) -> Json:
    """An ``IntuitBatchRequest`` in the JSON form."""
    try:
        root = etree.fromstring(body, _PARSER)
    except etree.XMLSyntaxError as problem:
        raise unsupported(f"org.xml.sax.SAXParseException: {problem}") from None
    items: list[Json] = []
    for node in root:
        item: Json = {str(name): value for name, value in node.attrib.items()}
        for child in node:
            name = etree.QName(child).localname
            item[name] = _read(child, name) if name in TYPES else (child.text or "")
        items.append(item)
    return {"BatchItemRequest": items}


def _read(node: Any, type_name: str) -> Any:
    known = TYPES.get(type_name)
    if known is None:
        return node.text or ""
    found: Json = {str(name): value for name, value in node.attrib.items()}
    if "value" in known and known["value"].startswith("#"):
        found["value"] = (node.text or "").strip()
        return found
    for child in node:
        name = etree.QName(child).localname
        kind = known.get(name, "any")
        value = _read(child, kind.removesuffix("[]").removeprefix("type:"))
        if kind.endswith("[]"):
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found


def answer(payload: Json, when: str, as_json: bool) -> tuple[bytes, str]:
    """Body and content type of an answer."""
    if as_json:
        return to_json({**payload, "time": when}), JSON_TYPE
    return to_xml(payload, when), XML_TYPE


def fault_answer(fault: QboFault, when: str, as_json: bool) -> tuple[bytes, str]:
    """Body and content type of a refusal."""
    return answer({"Fault": fault.body()}, when, as_json)
