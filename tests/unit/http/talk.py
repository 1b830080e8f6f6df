"""A session and a server that misbehaves: what the tests of the session share."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connector_service.http.client import Session
from connector_service.http.limiter import Limiter
from connector_service.http.options import Options
from tests.unit.http.wire import Request, Script, Wire, hangs_up, reply, says

OK = reply(200, b'{"Id": "7"}')
PAGE = reply(200, b"<!DOCTYPE html><html>Gateway</html>", "text/html")
ORDER = b'{"Amount": 12.10}'


@contextmanager
def talking(
    *scripts: Script, credentials: Any = None, limiter: Limiter | None = None, **changes: Any
) -> Iterator[tuple[Session, Wire]]:
    with Wire(list(scripts)) as wire:
        known: dict[str, Any] = {"title": "Ledgerly", "base_url": wire.url, "read_seconds": 10, "retry_wait_seconds": 0}
        session = Session(Options(**known | changes), credentials=credentials, limiter=limiter)
        try:
            yield session, wire
        finally:
            session.close()


def chunked(request: Request, connection: socket.socket) -> bool:
    connection.sendall(b'HTTP/1.1 200 Said\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{"Id": "\r\n')
    return False


def drips(_: Request, connection: socket.socket) -> bool:
    connection.sendall(b"HTTP/1.1 200 Said\r\ncontent-length: 100000\r\n\r\n")
    while True:
        threading.Event().wait(0.02)
        connection.sendall(b" ")


UNKNOWN: dict[str, Script] = {
    "hangs up": hangs_up,
    "cut body": says(OK[:-4], go_on=False),
    "cut chunked body": chunked,
    "cut headers": says(b"HTTP/1.1 200 Sai", go_on=False),
    "cut JSON": says(b'HTTP/1.1 200 Said\r\n\r\n{"Id": "7', go_on=False),
    "no HTTP": says(b"SSH-2.0-OpenSSH\r\n\r\n", go_on=False),
    "drips": drips,
    "page with 200": says(PAGE),
    "page with 403": says(reply(403, b"<html>Blocked</html>", "text/html")),
    "text with 400": says(reply(400, b"Bad request", "text/plain")),
    "nothing with 400": says(reply(400, b"")),
    "nothing with 200": says(reply(200, b"")),
    "XML with 200": says(reply(200, b"<Invoice/>", "application/xml")),
    "500": says(reply(500, b'{"Fault": {}}')),
    "503": says(reply(503, b"{}", retry_after="1")),
    "504": says(reply(504, b"<html></html>", "text/html")),
    "408": says(reply(408)),
    "redirect": says(reply(302, b"", location="/elsewhere")),
    "too large": says(reply(200, b'"' + b"x" * 5000 + b'"')),
    "broken compression": says(reply(200, b"not gzip", content_encoding="gzip")),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
