"""The stand-in in a process of its own, and its control interface over HTTP."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).resolve().parents[3]


class Remote:
    """What ``server.FakeQuickBooks`` offers to tests, for a server in another process."""

    def __init__(self, url: str, secret: str, realm: str) -> None:
        self.url = url
        self.secret = secret
        self.realm = realm

    def ask(self, method: str, what: str, /, **values: Any) -> Any:
        """One request to the control interface. Raises urllib.error.HTTPError when it is refused."""
        request = urllib.request.Request(  # noqa: S310 - the address is that of our own server
            f"{self.url}/_control/{what}",
            json.dumps(values, default=str).encode(),
            {"x-control-secret": self.secret, "content-type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read(), parse_float=Decimal)

    def token(self, realm: str = "") -> str:
        """An access token, without sign-in."""
        return str(self.ask("POST", "token", realm=realm)["token"])

    def counters(self) -> dict[str, Any]:
        """See ``limits.Counters``."""
        return dict(self.ask("GET", "counters"))

    def clear_counters(self) -> None:
        """Begin counting anew."""
        self.ask("DELETE", "counters")

    def order(self, what: str, **how: Any) -> None:
        """Order a fault: see ``orders.Order``."""
        self.ask("POST", "orders", what=what, **how)

    def withdraw(self) -> None:
        """Withdraw all ordered faults."""
        self.ask("DELETE", "orders")

    def server(self, latency_seconds: float | None = None, **limits: Any) -> None:
        """Set latency and limits: see ``limits.Limits``."""
        latency = {} if latency_seconds is None else {"latency_seconds": latency_seconds}
        self.ask("POST", "server", limits=limits, **latency)

    def oauth(self, **what: Any) -> dict[str, Any]:
        """Faults of sign-in to ``order``, seconds to ``advance``, ``denies``, ``revoke_all``; what was ``asked``."""
        return dict(self.ask("POST", "oauth", **what))

    def set(self, realm: str = "", **settings: Any) -> None:
        """Change a company's settings: see ``company.Settings``."""
        self.ask("POST", "settings", realm=realm, **settings)

    def act(self, operation: str, entity: str, body: dict[str, Any], realm: str = "") -> dict[str, Any]:
        """Do something as a user of QuickBooks would."""
        return dict(self.ask("POST", "act", operation=operation, entity=entity, body=body, realm=realm))

    def documents(self, entity: str, realm: str = "", **wanted: Any) -> list[dict[str, Any]]:
        """Stored records by field values."""
        return list(self.ask("POST", "documents", entity=entity, realm=realm, **wanted))

    def repeats(self, name: str = "DocNumber", realm: str = "") -> dict[tuple[str, str], int]:
        """What is there more than once."""
        return {(entity, value): count for entity, value, count in self.ask("POST", "repeats", name=name, realm=realm)}

    def having(self, entity: str, text: str, realm: str = "") -> int:
        """How many records hold a text in number, note or description."""
        return int(self.ask("POST", "having", entity=entity, text=text, realm=realm))

    def ledger(self, realm: str = "") -> dict[str, Decimal]:
        """Account to balance, debit positive."""
        return {name: Decimal(amount) for name, amount in self.ask("POST", "ledger", realm=realm).items()}


@contextmanager
def own_process(*options: str) -> Iterator[Remote]:
    """A server in a process of its own, ended with the block."""
    command = [sys.executable, "-m", "tests.fakes.quickbooks_online", *options]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            about = json.loads(process.stdout.readline())
            yield Remote(about["url"], about["secret"], about["realm"])
        finally:
            process.kill()
