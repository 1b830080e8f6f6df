"""Catches the redirect at the end of a sign-in: a server on this computer that lives for one answer."""

import html
import secrets
import socket
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from connector_service.domain.problems import ConnectorError, NeedsUser
from connector_service.http.oauth import Redirect, from_pasted

PATH: Final = "/oauth/callback"
"""Path of the redirect address, as it is registered with the makers: ``http://localhost:PORT/oauth/callback``."""

_LONGEST: Final = 16_384
_PATIENCE_SECONDS: Final = 10

_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:20vh auto;padding:0 1rem}}
:root{{color-scheme:light dark}}</style></head><body><h1>{title}</h1><p>{text}</p></body></html>
"""


def catch_redirect(port: int, path: str, state: str, timeout_seconds: float, title: str = "The system") -> Redirect:
    """Wait for the redirect of the sign-in whose state this is, and answer it with a page in plain words.

    It listens on this computer only. Requests for other paths, other hosts' names or another sign-in are turned away
    and do not end the wait. Raises ``NeedsUser`` where access was denied, no answer came in time, or the port is taken.
    """
    with RedirectCatcher(port, path, state, title) as catcher:
        return catcher.wait(timeout_seconds)


class RedirectCatcher:
    """The same in two steps, for who opens the browser in between: it listens from the start."""

    def __init__(self, port: int, path: str, state: str, title: str = "The system") -> None:
        """Listen; port 0 takes any free one, which ``port`` tells."""
        self._path, self._state, self._title = path, state, title
        self._done = threading.Event()
        self._outcome: Redirect | ConnectorError | None = None
        self._lock = threading.Lock()
        self._servers = list(self._listen(port))
        self.port = int(self._servers[0].server_address[1])
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
            for server in self._servers
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "RedirectCatcher":
        """Use it as a context, so that the port is let go."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def wait(self, timeout_seconds: float) -> Redirect:
        """The redirect; raises ``NeedsUser``."""
        if not self._done.wait(timeout_seconds) or self._outcome is None:
            raise NeedsUser(
                "The sign-in was not finished in time.",
                why=f"No answer came back from {self._title} within {timeout_seconds:.0f} seconds.",
                fix="Begin it again. If the browser ended on a page that cannot be shown, copy its address and use"
                " `connector connect ROUTE --paste`.",
                code="SIGN_IN_NEEDED",
            )
        if isinstance(self._outcome, ConnectorError):
            raise self._outcome
        return self._outcome

    def answer(self, host: str, target: str) -> tuple[int, str, str]:
        """Status, title and text for a request; the right one ends the wait."""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        if name.lower() not in ("localhost", "127.0.0.1", "[::1]"):
            return 403, "Not here", "This address answers for this computer only."
        parts = urlsplit(target)
        if parts.path != self._path:
            return 404, "Nothing is here", "This address only waits for the end of a sign-in."
        given = parse_qs(parts.query, keep_blank_values=True).get("state", [""])[0]
        if not secrets.compare_digest(given.encode(), self._state.encode()):
            return 400, "Not this sign-in", "This answer belongs to another sign-in. Go back to the page opened last."
        with self._lock:
            if self._outcome is not None:
                return 200, "Already done", "You can close this page."
            try:
                self._outcome = from_pasted(target, self._state, self._title)
            except NeedsUser as fault:
                self._outcome = fault
        if isinstance(self._outcome, ConnectorError):
            return 200, "Not connected", f"{self._outcome.what} {self._outcome.fix} You can close this page."
        return 200, "Signed in", "You can close this page and go back to Connector Service, which goes on by itself."

    def answered(self) -> None:
        """A page has been sent; if it was that of the right request, the wait ends."""
        if self._outcome is not None:
            self._done.set()

    def _listen(self, port: int) -> Iterable[ThreadingTCPServer]:
        handler = type("_Bound", (_Handler,), {"catcher": self})
        try:
            first = _Server(("127.0.0.1", port), handler)
        except OSError as fault:
            raise NeedsUser(
                f"Port {port} of this computer is taken.",
                why=f"The sign-in comes back there, and another program uses it ({fault.strerror or fault}).",
                fix="Stop that program, or use `connector connect ROUTE --paste`.",
                code="NOT_POSSIBLE_NOW",
            ) from fault
        yield first
        # Some systems know "localhost" by its newer address only; where it is not there, the older one does.
        try:
            yield _Server6(("::1", first.server_address[1]), handler)
        except OSError:
            return


class _Server(ThreadingTCPServer):
    # One thread a connection: browsers open some that they do not use, and the answer must not wait behind them.
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = False  # on Windows it would let two programs listen on one port

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a browser that closed its connection is no news


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    catcher: RedirectCatcher
    timeout = _PATIENCE_SECONDS
    server_version = "connector-service"
    sys_version = ""

    def do_GET(self) -> None:
        if len(self.path) > _LONGEST:
            status, title, text = 414, "Too long", "This address is too long."
        else:
            status, title, text = self.catcher.answer(self.headers.get("host", ""), self.path)
        page = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
        self.send_response(status)
        for name, value in (
            ("content-type", "text/html; charset=utf-8"),
            ("content-length", str(len(page))),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
            ("connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(page)
            self.wfile.flush()
        finally:
            self.catcher.answered()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class has
        pass  # the address holds the code
