"""The server: the API, the control interface and the files, on a port of the loopback address."""

import asyncio
import contextlib
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.server import ServerState

from tests.fakes.oauth import Authority, Fault
from tests.fakes.quickbooks_online import attachments, operations, signin
from tests.fakes.quickbooks_online.asgi import Front
from tests.fakes.quickbooks_online.company import Company
from tests.fakes.quickbooks_online.fields import Json
from tests.fakes.quickbooks_online.limits import Counters, Limits
from tests.fakes.quickbooks_online.orders import Order
from tests.fakes.quickbooks_online.seed import seed
from tests.fakes.quickbooks_online.service import Service
from tests.fakes.quickbooks_online.wire import from_json, to_json

SECRET_HEADER: Final = "x-control-secret"


class AccessTokens:
    """Access tokens without a sign-in: for tests that do not care about it."""

    def __init__(self) -> None:
        self._good: dict[str, str] = {}

    def issue(self, realm: str) -> str:
        """A token that is good for a realm until it is revoked."""
        token = secrets.token_urlsafe(24)
        self._good[token] = realm
        return token

    def revoke(self, token: str) -> None:
        """End a token."""
        self._good.pop(token, None)

    def realm_of(self, token: str) -> str | None:
        """The realm that a token is good for."""
        return self._good.get(token)


class _Protocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]  # the base is chosen when the library is loaded
    """Lets an application reach its own connection, to end it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "app_state": {**kwargs["app_state"], "protocol": self}})

    def connection_made(self, transport: Any) -> None:
        """Head and body go out at once: without this the body waits 40 ms for the head to be acknowledged."""
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


class FakeQuickBooks:
    """The stand-in, to be used as a context manager: it serves in a thread of its own.

    ``authority`` adds sign-in under the maker's paths; its access tokens are good for every company here.
    """

    def __init__(
        self,
        realm: str = "9130350000000001",
        country: str = "US",
        now: Callable[[], datetime] | None = None,
        authority: Authority | None = None,
        port: int = 0,
    ) -> None:
        self.realm = realm
        self.service = Service(now)
        self.tokens = AccessTokens()
        self._ready = threading.Event()
        self.secret = secrets.token_urlsafe(16)
        self.authority = authority
        other = Starlette(routes=[*_routes(self), *(signin.routes(authority) if authority else [])])
        self.front = Front(self.service, self._realm_of, other)
        self._socket = socket.create_server(("127.0.0.1", port), backlog=512)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.open_company(realm, country)
        self._config = uvicorn.Config(
            self.front,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        self._thread: threading.Thread | None = None
        self._end: Callable[[], object] = bool

    # Serving

    def serve(self) -> None:
        """Serve in this thread until ``stop``."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        # The library's own server looks only ten times a second whether it is to stop; tests start many of these.
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        self._config.load()
        state = ServerState()
        server = await loop.create_server(
            lambda: _Protocol(config=self._config, server_state=state, app_state={}, _loop=loop), sock=self._socket
        )
        self._end = lambda: loop.call_soon_threadsafe(over.set)
        self._ready.set()
        await over.wait()
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()

    def start(self) -> "FakeQuickBooks":
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self.serve, name="fake-quickbooks-online", daemon=True)
        self._thread.start()
        self._ready.wait(10)
        return self

    def stop(self) -> None:
        """Stop serving; calls under way are cut."""
        self._end()
        if self._thread is not None:
            self._thread.join(10)
        with contextlib.suppress(OSError):
            self._socket.close()

    def __enter__(self) -> "FakeQuickBooks":
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _realm_of(self, token: str) -> str | None:
        found = self.tokens.realm_of(token)
        if found is None and self.authority is not None and self.authority.accepts(f"Bearer {token}"):
            return "*"
        return found

    # What tests use

    def open_company(self, realm: str, country: str = "US") -> Company:
        """Add a company with the usual records."""
        company = self.service.company(realm)
        company.base = self.url
        with self.service.lock:
            return seed(company, country)

    @property
    def company(self) -> Company:
        """The first company. Change it under ``service.lock`` while calls are under way."""
        return self.service.company(self.realm)

    @property
    def counters(self) -> Counters:
        """What happened so far."""
        return self.service.counters

    @property
    def limits(self) -> Limits:
        """The limits; change them at any time."""
        return self.front.limits

    def token(self, realm: str = "") -> str:
        """An access token for a company, without sign-in."""
        return self.tokens.issue(realm or self.realm)

    def order(self, what: str, **how: Any) -> Order:
        """Order a fault: see ``orders.Order``."""
        return self.front.orders.add(what, **how)

    def withdraw(self) -> None:
        """Withdraw all ordered faults."""
        self.front.orders.clear()

    def set(self, realm: str = "", **settings: Any) -> None:
        """Change settings of a company: see ``company.Settings``."""
        with self.service.lock:
            put(self.service.company(realm or self.realm).settings, settings)

    def act(self, operation: str, entity: str, body: Json, realm: str = "") -> Json:
        """Do something as a user of QuickBooks would: no limits, no faults, no counting."""
        with self.service.lock:
            company = self.service.company(realm or self.realm)
            return copy_of(operations.change(company, entity, copy_of(body), operation, "allowduplicatedocnum"))

    def documents(self, entity: str, realm: str = "", **wanted: Any) -> list[Json]:
        """Stored records by field values."""
        return self.service.documents(realm or self.realm, entity, **wanted)

    def repeats(self, name: str = "DocNumber", realm: str = "") -> dict[tuple[str, str], int]:
        """What is there more than once: (entity, value) to how often."""
        return self.service.repeats(realm or self.realm, name)

    def having(self, entity: str, text: str, realm: str = "") -> int:
        """How many records hold a text in number, note or description."""
        return self.service.having(realm or self.realm, entity, text)

    def ledger(self, realm: str = "") -> dict[str, Decimal]:
        """Account to balance, debit positive, in home currency."""
        return self.service.ledger(realm or self.realm)

    def checksum(self, key: str, realm: str = "") -> str:
        """SHA-256 of an attachment's file."""
        with self.service.lock:
            return attachments.checksum(self.service.company(realm or self.realm), key)

    def clear_counters(self) -> None:
        """Begin counting anew; calls under way stay counted as open."""
        open_now = self.service.counters.now_open
        self.service.counters = Counters(now_open=open_now, peak_open=open_now)


def copy_of(value: Json) -> Json:
    """A deep copy by way of JSON."""
    found = from_json(to_json(value))
    assert isinstance(found, dict)
    return found


def put(target: object, values: Json) -> None:
    """Set fields of a dataclass. Raises KeyError for a name that it does not have."""
    known = {field.name for field in fields(target)}  # type: ignore[arg-type]  # settings and limits are dataclasses
    for name, value in values.items():
        if name not in known:
            raise KeyError(f"There is no setting {name}; there are {', '.join(sorted(known))}.")
        setattr(target, name, Decimal(str(value)) if name == "tax_skew" else value)


def _routes(fake: FakeQuickBooks) -> list[Route]:
    async def file(request: Request) -> Response:
        company = fake.service.companies.get(request.path_params["realm"])
        content = company.files.get(request.path_params["key"]) if company else None
        return Response(content) if content is not None else Response(status_code=404)

    async def control(request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "")
        if not secrets.compare_digest(given.encode(), fake.secret.encode()):
            return Response(status_code=403)
        body = await request.body()
        ask = {**request.query_params, **(from_json(body) if body else {})}
        try:
            return Response(to_json(_control(fake, request.method, request.path_params["what"], ask)))
        except (KeyError, ValueError, TypeError) as problem:
            return JSONResponse({"problem": str(problem)}, status_code=400)

    return [
        Route("/_files/{realm}/{key}", file),
        Route("/_control/{what}", control, methods=["GET", "POST", "DELETE"]),
    ]


def _oauth(authority: Authority, ask: Json) -> Json:
    authority.order(*(Fault(name) for name in ask.get("order", [])))
    authority.advance(float(ask.get("advance", 0)))
    authority.denies = bool(ask.get("denies", authority.denies))
    if ask.get("revoke_all"):
        authority.revoke_all()
    return {"asked": authority.asked}


def _control(fake: FakeQuickBooks, method: str, what: str, ask: Json) -> Any:
    realm = ask.pop("realm", "") if what != "order" else ""
    if what == "counters":
        if method == "DELETE":
            fake.clear_counters()
        return fake.counters.as_json()
    if what == "orders":
        if method == "DELETE":
            fake.withdraw()
        elif method == "POST":
            fake.order(**{name: value for name, value in ask.items() if name not in ("seen", "struck")})
        return [order.as_json() for order in fake.front.orders.standing]
    if what == "server":
        fake.front.latency_seconds = float(ask.get("latency_seconds", fake.front.latency_seconds))
        put(fake.limits, ask.get("limits", {}))
        return {"latency_seconds": fake.front.latency_seconds}
    if what == "settings":
        fake.set(realm, **ask)
        return {}
    if what == "oauth" and fake.authority is not None:
        return _oauth(fake.authority, ask)
    if what == "token":
        return {"token": fake.token(realm)}
    if what == "act":
        return fake.act(ask["operation"], ask["entity"], ask["body"], realm)
    if what == "documents":
        return fake.documents(ask.pop("entity"), realm, **ask)
    if what == "repeats":
        found = fake.repeats(ask.get("name", "DocNumber"), realm)
        return [[entity, value, count] for (entity, value), count in found.items()]
    if what == "having":
        return fake.having(ask["entity"], ask["text"], realm)
    if what == "ledger":
        return {name: str(amount) for name, amount in fake.ledger(realm).items()}
    if what == "checksum":
        return {"sha256": fake.checksum(ask["id"], realm)}
    raise KeyError(f"There is no {what} here.")
