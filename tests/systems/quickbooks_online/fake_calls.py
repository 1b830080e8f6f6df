"""A caller of the stand-in, and a reader of the recorded exchanges that it is held against."""

import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urlsplit

from tests.conftest import SHARED

SPECS: Final = SHARED / "specs" / "qbo"
SAMPLES: Final = SPECS / "sample-http"


@dataclass(slots=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)

    @property
    def code(self) -> str:
        """The first code of a fault."""
        found = self.json
        if "fault" in found:
            return str(found["fault"]["error"][0]["code"])
        return str(found["Fault"]["Error"][0]["code"])


class Caller:
    """Calls one company over one connection."""

    def __init__(self, url: str, realm: str, token: str) -> None:
        self.at = urlsplit(url)
        self.realm = realm
        self.token = token
        self.connection = http.client.HTTPConnection(str(self.at.hostname), self.at.port, timeout=20)

    def __call__(
        self, method: str, path: str, body: Any = None, accept: str = "application/json", kind: str = "application/json"
    ) -> Reply:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept}
        content: bytes | None = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body, default=float).encode()
            headers["Content-Type"] = kind
        self.connection.request(method, f"/v3/company/{self.realm}/{path}", content, headers)
        try:
            answer = self.connection.getresponse()
            return Reply(answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()})
        except (http.client.HTTPException, OSError):
            self.connection.close()
            raise

    def make(self, entity: str, body: Any, options: str = "") -> Any:
        """Create, and give back the record."""
        reply = self("POST", f"{entity.lower()}{options}", body)
        assert reply.status == 200, reply.body
        return reply.json[entity]

    def query(self, text: str) -> Reply:
        return self("GET", f"query?query={quote(text)}")


def invoice(amount: Any = 100, customer: Any = "1", **more: Any) -> dict[str, Any]:
    """An invoice of one line."""
    detail = {"ItemRef": {"value": "1"}, **more.pop("detail", {})}
    line = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    return {"Line": [line], "CustomerRef": {"value": customer}, **more}


def bill(amount: Any = 100, vendor: Any = "56", **more: Any) -> dict[str, Any]:
    """A bill of one line."""
    detail = {"AccountRef": {"value": "7"}, **more.pop("detail", {})}
    line = {"Amount": amount, "DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": detail}
    return {"Line": [line], "VendorRef": {"value": vendor}, **more}


@dataclass(slots=True)
class Exchange:
    """One recorded exchange."""

    method: str
    path: str
    """Behind the company."""
    body: str
    status: int
    answer: Any
    content_type: str


def recorded(name: str) -> list[Exchange]:
    """The exchanges of one recording."""
    return list(_exchanges((SAMPLES / f"{name}.yml").read_text(encoding="utf-8")))


def _exchanges(text: str) -> Iterator[Exchange]:
    for block in text.split("\n- request:")[1:]:
        method = re.search(r"method: (\w+)", block)
        uri = re.search(r"uri: \S+?/v3/(?:company/-COMPANY_ID-/)?(\S+)", block)
        status = re.search(r"code: (\d+)", block)
        kinds = re.findall(r"Content-Type:\s+- (.+)", block)
        strings = [_scalar(block[match.end() :]) for match in re.finditer(r"\n      string: ", block)]
        assert method is not None
        assert uri is not None
        assert status is not None
        answer = json.loads(strings[1], parse_float=Decimal)
        yield Exchange(method[1].upper(), uri[1], strings[0], int(status[1]), answer, kinds[-1])


def _scalar(text: str) -> str:
    """A quoted scalar of YAML, folded lines put together."""
    if text.startswith("'"):
        found = re.match(r"'((?:[^']|'')*)'", text)
        assert found is not None
        return re.sub(r"\n\s+", " ", found[1]).replace("''", "'")
    found = re.match(r'"((?:[^"\\]|\\.)*)"', text, re.DOTALL)
    assert found is not None
    joined = re.sub(r"\n\s+", " ", re.sub(r"\\\n\s*\\?", "", found[1]))
    return joined.replace("\\r", "\r").replace("\\n", "\n").replace('\\"', '"').replace("\\ ", " ")


def shape(value: Any) -> Any:
    """The form of an answer: names and kinds of values, without the values."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in sorted(value.items())}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return "number" if isinstance(value, Decimal | int) and not isinstance(value, bool) else type(value).__name__
