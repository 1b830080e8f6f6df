"""A server that says exactly the bytes it is told to, request by request, and remembers what it was sent."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


Script = Callable[[Request, socket.socket], bool | None]
"""Answers one request on its connection; ``False`` ends the connection."""


def reply(status: int, body: bytes = b"{}", kind: str = "application/json", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"content-type: {kind}", f"content-length: {len(body)}"]
    # Header names with dashes, but for the one maker that writes an underscore.
    lines += [f"{name if name == 'intuit_tid' else name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def says(content: bytes, go_on: bool = True) -> Script:
    """Answer with these bytes, and keep the connection or end it."""

    def script(_: Request, connection: socket.socket) -> bool:
        connection.sendall(content)
        return go_on

    return script


def hangs_up(_: Request, __: socket.socket) -> bool:
    return False


@dataclass
class Wire:
    """A running server; ``scripts`` are used one after the other, the last one for all that follow."""

    scripts: list[Script]
    requests: list[Request] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    """A connection was ended from this side."""
    connections: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        handler = type("_Bound", (_Handler,), {"wire": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "Wire":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def take(self, request: Request) -> Script:
        with self._lock:
            self.requests.append(request)
            return self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]

    def waits(self, _: Request, __: socket.socket) -> bool:
        """Say nothing until the test is over."""
        self.released.wait(30)
        return False


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Handler(StreamRequestHandler):
    wire: Wire

    def handle(self) -> None:
        self.wire.connections += 1
        while line := self.rfile.readline().decode("latin-1").strip():
            if not line.endswith("HTTP/1.1"):
                return
            headers: dict[str, str] = {}
            while text := self.rfile.readline().decode("latin-1").strip():
                name, _, value = text.partition(":")
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers.get("content-length", "0")))
            request = Request(line, headers, body)
            if self.wire.take(request)(request, self.connection) is False:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.wire.closed.set()
                return
