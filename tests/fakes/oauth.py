"""An authorization server on loopback, strict as RFC 6749, 7009 and 7636 want it, with faults to order.

``Authority`` decides and knows nothing of sockets, so that another fake can answer for it under its own address;
``AuthorityServer`` serves one by itself.
"""

import base64
import hashlib
import json
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

CODE_SECONDS = 300
PAGE = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1>nginx</body></html>"


class Fault(StrEnum):
    """What goes wrong with one request."""

    LOST = "lost"
    """It is carried out, and its answer never comes."""
    REFUSED = "refused"
    """The connection ends before anything is carried out."""
    SLOW = "slow"
    """It is carried out, and its answer waits until ``Authority.go_on`` is set."""
    UNAVAILABLE = "unavailable"
    """503, nothing carried out."""
    BROKEN = "broken"
    """It is carried out, and answered by 500."""
    PAGE = "page"
    """It is carried out, and a proxy answers with its own page and status 200."""
    CUT = "cut"
    """It is carried out, and half of the answer comes."""


@dataclass
class Client:
    """A registered app."""

    id: str = "app"
    secret: str = "app-secret"
    auth: str = "client_secret_basic"
    redirect_uris: tuple[str, ...] = ()
    """Any redirect to localhost where empty."""
    pkce: bool = False


@dataclass
class Token:
    """A refresh token and what became of it."""

    client: str
    family: str
    scopes: tuple[str, ...]
    used_at: float | None = None


@dataclass
class Reply:
    """An answer, and what goes wrong on its way."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None


class Authority:
    """Grants, rotates and revokes. Time only goes on by ``advance``, on top of the computer's."""

    def __init__(
        self,
        *clients: Client,
        access_seconds: int = 3600,
        refresh_seconds: int = 8_640_000,
        rotates: bool = True,
        grace_seconds: float = 0,
        reuse_revokes: bool = False,
        refresh_field: str = "x_refresh_token_expires_in",
        redirect_extra: Mapping[str, str] | None = None,
    ) -> None:
        self.clients = {client.id: client for client in clients or (Client(),)}
        self.access_seconds, self.refresh_seconds = access_seconds, refresh_seconds
        self.rotates, self.grace_seconds, self.reuse_revokes = rotates, grace_seconds, reuse_revokes
        self.refresh_field, self.redirect_extra = refresh_field, dict(redirect_extra or {})
        self.denies = False
        """Whether the person says no."""
        self.go_on = threading.Event()
        self.asked: list[tuple[str, str]] = []
        """Each request as (what, how it ended): ("refresh_token", "granted"), ("refresh_token", "invalid_grant")."""
        self._lock = threading.Lock()
        self._ahead = 0.0
        self._codes: dict[str, dict[str, Any]] = {}
        self._refresh: dict[str, Token] = {}
        self._access: dict[str, tuple[str, float]] = {}
        self._faults: deque[Fault] = deque()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead += seconds

    def now(self) -> float:
        """The time here."""
        return time.time() + self._ahead

    def order(self, *faults: Fault) -> None:
        """Let the next token requests go wrong like this, one after the other."""
        self._faults.extend(faults)

    def grant(self, client: str = "app", scopes: tuple[str, ...] = ("books",)) -> dict[str, Any]:
        """A grant without a browser, as a token answer."""
        with self._lock:
            return self._issue(client, secrets.token_hex(8), scopes)

    def revoke_all(self) -> None:
        """The person takes every grant back on the maker's page."""
        with self._lock:
            self._refresh.clear()
            self._access.clear()

    def accepts(self, authorization: str) -> bool:
        """Whether a bearer token is good now; for the fake whose API it opens."""
        kind, _, token = authorization.partition(" ")
        with self._lock:
            known = self._access.get(token)
            return kind.lower() == "bearer" and known is not None and self.now() < known[1]

    def good_refresh_tokens(self) -> list[str]:
        """Refresh tokens that were not used up."""
        with self._lock:
            return [value for value, token in self._refresh.items() if token.used_at is None]

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer ``/authorize``, ``/token``, ``/revoke``; header names in lower case."""
        path = urlsplit(target).path
        if path == "/authorize" and method == "GET":
            return self._authorize(dict(parse_qsl(urlsplit(target).query)))
        if path not in ("/token", "/revoke") or method != "POST":
            return Reply(404, b'{"error":"not_found"}')
        fault = self._faults.popleft() if self._faults and path == "/token" else None
        if fault is Fault.REFUSED:
            return Reply(0, b"", fault=fault)
        if fault is Fault.UNAVAILABLE:
            return Reply(503, b'{"error":"temporarily_unavailable"}', {"retry-after": "1"})
        with self._lock:
            reply = self._post(path, headers, body)
        reply.fault = fault
        if fault is Fault.BROKEN:
            return Reply(500, b'{"error":"server_error"}')
        if fault is Fault.PAGE:
            return Reply(200, PAGE, {"content-type": "text/html"})
        return reply

    # -- the parts of the protocol ------------------------------------------------------------------------------------

    def _authorize(self, asked: dict[str, str]) -> Reply:
        client = self.clients.get(asked.get("client_id", ""))
        redirect = asked.get("redirect_uri", "")
        known = client is not None and (
            redirect in client.redirect_uris
            or (not client.redirect_uris and urlsplit(redirect).hostname == "localhost")
        )
        if client is None or not known:
            return Reply(400, b"unknown app or redirect address")
        answer = {"state": asked["state"]} if "state" in asked else {}
        if asked.get("response_type") != "code" or (client.pkce and asked.get("code_challenge_method") != "S256"):
            answer["error"] = "invalid_request"
        elif self.denies:
            answer["error"] = "access_denied"
        else:
            code = secrets.token_urlsafe(16)
            self._codes[code] = {**asked, "until": self.now() + CODE_SECONDS, "family": secrets.token_hex(8)}
            answer |= {"code": code, **self.redirect_extra}
        return Reply(302, b"", {"location": f"{redirect}?{urlencode(answer)}"})

    def _post(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        kind = headers.get("content-type", "").split(";")[0]
        if path == "/revoke" and kind == "application/json":
            form = {str(key): str(value) for key, value in json.loads(body).items()}
        elif kind == "application/x-www-form-urlencoded":
            pairs = parse_qs(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
            if any(len(values) > 1 for values in pairs.values()):
                return self._refuse(path, "invalid_request")
            form = {name: values[0] for name, values in pairs.items()}
        else:
            return self._refuse(path, "invalid_request", "wrong content type")
        client = self._client(headers, form)
        what = form.get("grant_type", "revoke" if path == "/revoke" else "")
        if client is None:
            return self._refuse(what, "invalid_client", status=401)
        if path == "/revoke":
            return self._revoke(form.get("token", ""))
        if what == "authorization_code":
            return self._by_code(client, form)
        if what == "refresh_token":
            return self._by_refresh(client, form)
        if what == "client_credentials":
            self.asked.append((what, "granted"))
            return self._tokens({**self._issue(client.id, "", ()), "refresh_token": None})
        return self._refuse(what, "unsupported_grant_type")

    def _client(self, headers: Mapping[str, str], form: dict[str, str]) -> Client | None:
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            name, _, secret = base64.b64decode(value).decode().partition(":")
            how = "client_secret_basic"
        elif "client_secret" in form:
            name, secret, how = form.get("client_id", ""), form["client_secret"], "client_secret_post"
        else:
            name, secret, how = form.get("client_id", ""), "", "none"
        client = self.clients.get(name)
        if client is None or client.auth != how or (how != "none" and client.secret != secret):
            return None
        return client

    def _by_code(self, client: Client, form: dict[str, str]) -> Reply:
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or asked["client_id"] != client.id or self.now() > asked["until"]:
            return self._refuse("authorization_code", "invalid_grant", "code unknown, used or too old")
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return self._refuse("authorization_code", "invalid_grant", "another redirect address")
        if "code_challenge" in asked:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
                return self._refuse("authorization_code", "invalid_grant", "wrong verifier")
        self.asked.append(("authorization_code", "granted"))
        scopes = tuple(asked.get("scope", "").split())
        return self._tokens(self._issue(client.id, asked["family"], scopes))

    def _by_refresh(self, client: Client, form: dict[str, str]) -> Reply:
        token = self._refresh.get(form.get("refresh_token", ""))
        if token is None or token.client != client.id:
            return self._refuse("refresh_token", "invalid_grant", "Token invalid")
        if token.used_at is not None and self.now() - token.used_at > self.grace_seconds:
            if self.reuse_revokes:
                for value in [value for value, other in self._refresh.items() if other.family == token.family]:
                    del self._refresh[value]
            return self._refuse("refresh_token", "invalid_grant", "Token was used")
        self.asked.append(("refresh_token", "granted"))
        if not self.rotates:
            return self._tokens({**self._issue(client.id, token.family, token.scopes, False), "refresh_token": None})
        token.used_at = token.used_at or self.now()
        return self._tokens(self._issue(client.id, token.family, token.scopes))

    def _revoke(self, value: str) -> Reply:
        self.asked.append(("revoke", "granted" if value in self._refresh else "unknown"))
        token = self._refresh.pop(value, None)
        if token is not None:
            self._refresh = {key: other for key, other in self._refresh.items() if other.family != token.family}
            self._access = {key: known for key, known in self._access.items() if known[0] != token.family}
        return Reply(200, b"")

    def _issue(self, client: str, family: str, scopes: tuple[str, ...], with_refresh: bool = True) -> dict[str, Any]:
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._access[access] = (family, self.now() + self.access_seconds)
        if with_refresh and family:
            self._refresh[refresh] = Token(client, family, scopes)
        answer = {"access_token": access, "token_type": "bearer", "expires_in": self.access_seconds}
        answer |= {"refresh_token": refresh, self.refresh_field: self.refresh_seconds}
        return answer | ({"scope": " ".join(scopes)} if scopes else {})

    def _tokens(self, answer: dict[str, Any]) -> Reply:
        known = {name: value for name, value in answer.items() if value is not None}
        return Reply(200, json.dumps(known).encode(), {"cache-control": "no-store"})

    def _refuse(self, what: str, error: str, description: str = "", status: int = 400) -> Reply:
        self.asked.append((what, error))
        content = {"error": error} | ({"error_description": description} if description else {})
        return Reply(status, json.dumps(content).encode())


class AuthorityServer:
    """Serves an authority on a free port of this computer."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        handler = type("_Bound", (_Handler,), {"authority": authority})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "AuthorityServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.authority.go_on.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    authority: Authority
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("content-length", "0"))))

    def _answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.authority.handle(self.command, self.path, headers, body)
        if reply.fault in (Fault.LOST, Fault.REFUSED):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if reply.fault is Fault.SLOW:
            self.authority.go_on.wait(30)
        self.send_response(reply.status)
        for name, value in ({"content-type": "application/json"} | reply.headers).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        if reply.fault is Fault.CUT:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class has
        pass
