"""How a session behaves, and what proves to a system who calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from connector_service.http.answers import Answer


class Credentials(Protocol):
    """What proves to a system who calls."""

    def headers(self) -> Mapping[str, str]:
        """Headers for the next request; raises ``NeedsUser`` or ``RetryLater`` where there are none."""
        ...

    def renewed(self, refused: Mapping[str, str]) -> Mapping[str, str] | None:
        """Others, after these were answered by 401; ``None`` where there can be none."""
        ...


class Fixed:
    """Credentials that do not change: an API key, a user name with its password."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """Send these headers."""
        self._headers = headers

    def headers(self) -> Mapping[str, str]:
        """The headers."""
        return self._headers

    def renewed(self, refused: Mapping[str, str]) -> Mapping[str, str] | None:
        """There are no others."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a session behaves; the defaults fit most systems."""

    title: str
    """Of the system, for messages."""
    base_url: str
    """Origin and, where all paths share one, its path. https, but for this computer."""
    other_urls: tuple[str, ...] = ()
    """Further addresses that belong to the same system; requests to any other are refused."""
    headers: Mapping[str, str] | None = None
    concurrent_calls: int = 1
    connect_seconds: float = 10
    read_seconds: float = 60
    """How long the system may be silent."""
    total_seconds: float = 180
    """How long an answer may take in all; one that drips in slowly is given up."""
    idle_seconds: float = 15
    """After how long an unused connection is closed: before the other side does so while a request is on its way."""
    largest_answer: int = 64_000_000
    """Bytes."""
    attempts: int = 5
    """Tries of a read."""
    retry_wait_seconds: float = 0.5
    """Before the second try of a read; it grows from try to try, with chance in it."""
    trace_header: str = ""
    """The header in which the maker gives its own id of a request (``intuit_tid``, ``xero-correlation-id``)."""
    minute_left_header: str = ""
    """The header that says how many calls are left in the minute."""
    day_left_header: str = ""
    throttled: Callable[[Answer], bool] | None = None
    """Tells that an answer other than 429 means "too many calls"."""
    unreachable_code: str = "TARGET_UNREACHABLE"
