"""One request out, one answer back, or the proof that nothing was sent. The only module that imports httpx."""

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import certifi
import httpx

from connector_service import __version__
from connector_service.domain.problems import SettingsFault
from connector_service.http.options import Options
from connector_service.http.words import cause_of

# They write whole addresses, with their queries.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.ERROR)

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

# Raised before a connection carries our request. A fault of another kind may come after it.
_BEFORE: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


class Cut(Exception):
    """No whole answer came. ``sent`` is false only where it is proved that nothing of the request was sent."""

    def __init__(self, why: str, sent: bool) -> None:
        """``why`` is a sentence."""
        super().__init__(why)
        self.why, self.sent = why, sent


@dataclass(frozen=True, slots=True)
class Received:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Sending:
    """Watches a request on its way, as httpcore tells it."""

    __slots__ = ("_on_sent", "begun")

    def __init__(self, on_sent: Callable[[], None]) -> None:
        self.begun = False
        self._on_sent = on_sent

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(".send_request_headers.started"):
            # The request to a proxy for a tunnel is not ours yet.
            self.begun = self.begun or info["request"].method != b"CONNECT"
        elif self.begun and event.endswith(".send_request_body.complete"):
            self._on_sent()


class Transport:
    """Connections to the servers of one system."""

    def __init__(self, options: Options) -> None:
        """Nothing is connected yet. Raises ``SettingsFault`` for an address that is neither https nor this computer."""
        self._options = options
        self._origins = {origin(url) for url in (options.base_url, *options.other_urls)}
        calls = max(1, options.concurrent_calls)
        self._client = httpx.Client(
            headers={"user-agent": f"connector-service/{__version__}", "accept": "application/json"}
            | dict(options.headers or {}),
            timeout=httpx.Timeout(options.read_seconds, connect=options.connect_seconds),
            limits=httpx.Limits(
                max_connections=calls, max_keepalive_connections=calls, keepalive_expiry=options.idle_seconds
            ),
            verify=_certificates() if any(kind == "https" for kind, _, _ in self._origins) else _no_certificates(),
            follow_redirects=False,
            # Proxies come from the environment; what runs on this computer is reached without them.
            mounts=dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]")),
        )
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def knows(self, url: str) -> bool:
        """Whether an address is one of this system's servers."""
        return origin(url) in self._origins

    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        on_sent: Callable[[], None],
    ) -> Received:
        """Send a request and receive its answer whole; raises ``Cut``. ``on_sent``: its last byte is on its way."""
        sending = _Sending(on_sent)
        try:
            request = self._client.build_request(
                method, url, headers=headers, content=body, extensions={"trace": sending}
            )
            began = time.monotonic()
            response = self._client.send(request, stream=True)
            try:
                whole = self._receive(response, began)
            finally:
                response.close()
        except httpx.InvalidURL as fault:
            raise Cut("The address cannot be used.", False) from fault
        except (httpx.HTTPError, httpx.StreamError) as fault:
            raise Cut(cause_of(fault), sending.begun or not isinstance(fault, _BEFORE)) from fault
        return Received(response.status_code, response.headers, whole)

    def _receive(self, response: httpx.Response, began_seconds: float) -> bytes:
        options = self._options
        parts, size = [], 0
        for part in response.iter_bytes():
            size += len(part)
            if size > options.largest_answer:
                raise Cut(f"Its answer is larger than {options.largest_answer:,} bytes.", True)
            if time.monotonic() - began_seconds > options.total_seconds:
                raise Cut(f"Its answer took longer than {options.total_seconds:.0f} seconds.", True)
            parts.append(part)
        return b"".join(parts)


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address; raises ``SettingsFault`` where it is neither https nor this computer."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
        parts = parts._replace(scheme="")
    host = (parts.hostname or "").lower()
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK)):
        raise SettingsFault(
            f'The address "{parts.scheme}://{host}" cannot be used.',
            why="What is sent must be encrypted, so an address begins with https://.",
            fix="Correct it in the settings. http:// is taken for this computer only (localhost).",
            code="SETTINGS_WRONG",
        )
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80)


@cache
def _certificates() -> ssl.SSLContext:
    # The computer's own authorities, as an office's network may have its own; the public ones where it has none.
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


@cache
def _no_certificates() -> ssl.SSLContext:
    # For this computer only; loading authorities takes longer than most calls. It accepts no certificate at all.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
