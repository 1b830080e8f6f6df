"""The query language: a parser for what the maker documents, and its evaluation.

``SELECT * | count(*) | fields FROM entity [WHERE a op b AND ...] [ORDERBY f [ASC|DESC], ...] [STARTPOSITION n]
[MAXRESULTS m]``. Operators: = < > <= >= IN LIKE, with % as the only wildcard. No OR, no JOIN, no GROUP BY.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from tests.fakes.quickbooks_online.faults import query_meaning, query_syntax
from tests.fakes.quickbooks_online.fields import ENTITIES, Json, kind_of

LARGEST: Final = 1000
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<word>[A-Za-z_][\w.]*)|(?P<number>-?\d+(?:\.\d+)?)|(?P<sign><=|>=|[=<>(),*]))"
)
_REFS: Final = frozenset(("CustomerRef", "VendorRef", "ParentRef", "SalesTermRef", "EmployeeRef", "ItemRef"))
_TEXTS: Final = frozenset(("PrivateNote", "CustomerMemo", "Description", "Notes", "Note", "PurchaseDesc", "Memo"))
_DOTTED: Final = frozenset(
    (
        "MetaData.CreateTime",
        "MetaData.LastUpdatedTime",
        "AttachableRef.EntityRef.Type",
        "AttachableRef.EntityRef.value",
        "PrimaryEmailAddr.Address",
    )
)
Test = Callable[[Json], bool]


@dataclass(slots=True)
class Query:
    """A query that was read."""

    entity: str = ""
    count: bool = False
    fields: list[str] = field(default_factory=list)
    where: list[tuple[str, str, list[str]]] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    start: int = 1
    size: int = 100


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str, int]] = []
        place = 0
        text = text.rstrip().removesuffix(";").rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                at = place + len(text[place:]) - len(text[place:].lstrip())
                raise query_syntax(text[at : at + 1], at + 1)
            kind = str(match.lastgroup)
            self.tokens.append((kind, match.group(kind), match.start(kind) + 1))
            place = match.end()
        self.tokens.append(("end", "<EOF>", len(text) + 1))
        self.at = 0

    def peek(self, word: str) -> bool:
        kind, value, _ = self.tokens[self.at]
        return kind in ("word", "sign") and value.lower() == word

    def take(self, word: str) -> bool:
        if self.peek(word):
            self.at += 1
            return True
        return False

    def need(self, word: str) -> None:
        if not self.take(word):
            self.fail()

    def value(self, *kinds: str) -> str:
        kind, value, _ = self.tokens[self.at]
        if kind not in kinds:
            self.fail()
        self.at += 1
        return re.sub(r"\\(.)", r"\1", value[1:-1]) if kind == "text" else value

    def fail(self) -> None:
        _, value, place = self.tokens[self.at]
        raise query_syntax(value, place)


def parse(text: str) -> Query:
    """Read a query. Raises QboFault 4000 where it cannot be read, 4001 where it makes no sense."""
    reader, query = _Reader(text), Query()
    reader.need("select")
    _selection(reader, query)
    reader.need("from")
    name = reader.value("word")
    if name.lower() not in ENTITIES or name.lower() == "taxservice":
        raise query_meaning(f"Invalid entity {name}")
    query.entity = ENTITIES[name.lower()]
    if reader.take("where"):
        _condition(reader, query)
        while reader.take("and"):
            _condition(reader, query)
    if reader.take("order"):
        reader.need("by")
        _ordering(reader, query)
    elif reader.take("orderby"):
        _ordering(reader, query)
    _paging(reader, query)
    if reader.tokens[reader.at][0] != "end":
        reader.fail()
    return query


def _selection(reader: _Reader, query: Query) -> None:
    if reader.take("*"):
        return
    if reader.take("count"):
        for sign in "(*)":
            reader.need(sign)
        query.count = True
        return
    query.fields.append(reader.value("word"))
    while reader.take(","):
        query.fields.append(reader.value("word"))


def _condition(reader: _Reader, query: Query) -> None:
    name = reader.value("word")
    if reader.take("in"):
        reader.need("(")
        values = [reader.value("text", "number", "word")]
        while reader.take(","):
            values.append(reader.value("text", "number", "word"))
        reader.need(")")
        query.where.append((name, "in", values))
        return
    for sign in ("<=", ">=", "=", "<", ">", "like"):
        if reader.take(sign):
            query.where.append((name, sign, [reader.value("text", "number", "word")]))
            return
    reader.fail()


def _ordering(reader: _Reader, query: Query) -> None:
    while True:
        name = reader.value("word")
        down = reader.take("desc")
        if not down:
            reader.take("asc")
        query.order.append((name, down))
        if not reader.take(","):
            return


def _paging(reader: _Reader, query: Query) -> None:
    while reader.peek("startposition") or reader.peek("maxresults"):
        start = reader.take("startposition")
        if not start:
            reader.need("maxresults")
        number = int(reader.value("number"))
        if number < 1:
            raise query_meaning(f"value {number} is too small. Min allowed value is 1")
        if start:
            query.start = number
        elif number > LARGEST:
            raise query_meaning(f"value {number} is too large. Max allowed value is {LARGEST}")
        else:
            query.size = number


def checked_kind(entity: str, name: str) -> str:
    """The kind of a field that may stand in a condition. Raises QboFault 4001 for any other."""
    kind = kind_of(entity, name[:-4] + "type" if name.endswith(".Type") else name)
    if kind is None:
        raise query_meaning(f"Property {name} not found for Entity {entity}")
    if name in _DOTTED or (kind == "type:ReferenceType" and name in _REFS):
        return "string" if kind.startswith("type:") else kind
    if "." in name or kind.startswith("type:") or kind.endswith("[]") or kind == "any" or name in _TEXTS:
        raise query_meaning(f"property '{name}' is not queryable")
    return kind


def tests_of(query: Query) -> list[Test]:
    """One test for each condition; list records that are inactive stay out unless the query speaks of Active."""
    tests = [_test(query.entity, name, sign, values) for name, sign, values in query.where]
    if kind_of(query.entity, "Active") and not any(name == "Active" for name, _, _ in query.where):
        tests.append(lambda record: record.get("Active", True) is True)
    return tests


def _test(entity: str, name: str, sign: str, values: list[str]) -> Test:
    kind = checked_kind(entity, name)
    if sign == "like":
        parts = ".*".join(re.escape(part) for part in values[0].split("%"))
        pattern = re.compile(parts, re.IGNORECASE | re.DOTALL)
        return lambda record: any(pattern.fullmatch(str(found)) is not None for found in _values(record, name))
    wanted = [_comparable(kind, value, name) for value in values]

    def passes(record: Json) -> bool:
        for found in _values(record, name):
            mine = _comparable(kind, found, name)
            if sign in ("=", "in"):
                good = mine in wanted
            else:
                good = _compare(mine, sign, wanted[0])
            if good:
                return True
        return False

    return passes


def _compare(mine: Any, sign: str, other: Any) -> bool:
    if sign == "<":
        return bool(mine < other)
    if sign == ">":
        return bool(mine > other)
    return bool(mine <= other) if sign == "<=" else bool(mine >= other)


def _values(record: Json, name: str) -> Iterable[Any]:
    found: list[Any] = [record]
    for part in name.split("."):
        key = "type" if part == "Type" and len(found) and isinstance(found[0], dict) and "type" in found[0] else part
        found = [inner.get(key) for inner in found if isinstance(inner, dict)]
        found = [inner for value in found for inner in (value if isinstance(value, list) else [value])]
    return [value["value"] if isinstance(value, dict) else value for value in found if value is not None]


def _comparable(kind: str, value: Any, name: str) -> Any:
    """A value in the form in which two of its kind compare. Raises QboFault 4001 when it is none of them."""
    try:
        if name == "Id":
            return int(value) if str(value).isdigit() else str(value)
        if kind in ("decimal", "int"):
            return Decimal(str(value))
        if kind == "boolean":
            return str(value).lower() == "true"
        if kind == "dateTime":
            when = datetime.fromisoformat(str(value))
            return when if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, InvalidOperation):
        raise query_meaning(f"value {value} is not valid for property {name}") from None
    return str(value)


def arrange(records: list[Json], query: Query) -> list[Json]:
    """The records in the order asked for; by default names by name, transactions with the newest first."""
    if not query.order:
        if "TxnDate" in (records[0] if records else {}):
            return sorted(records, key=lambda r: (r["TxnDate"], int(r["Id"])), reverse=True)
        return sorted(records, key=lambda r: (str(r.get("DisplayName", r.get("Name", ""))).casefold(), r["Id"]))
    for name, down in reversed(query.order):
        kind = checked_kind(query.entity, name)
        records = sorted(records, key=lambda r: _sortable(r, kind, name), reverse=down)
    return records


def _sortable(record: Json, kind: str, name: str) -> tuple[bool, Any]:
    values = list(_values(record, name))
    return (bool(values), _comparable(kind, values[0], name)) if values else (False, 0)


def project(record: Json, names: list[str]) -> Json:
    """The named fields of a record, with its id."""
    tops = dict.fromkeys(["Id", *(name.split(".")[0] for name in names)])
    return {"domain": "QBO", "sparse": True, **{name: record[name] for name in tops if name in record}}
