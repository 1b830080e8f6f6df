"""The session of one system: what may be repeated is repeated, and what was sent is never believed without proof."""

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

import stamina

from connector_service.domain.problems import ConnectorError, NeedsUser, RetryLater
from connector_service.http.answers import Answer, Body, not_understood
from connector_service.http.limiter import Limiter
from connector_service.http.options import Credentials, Options
from connector_service.http.transport import Cut, Transport
from connector_service.http.words import retry_after, shown_path

_log = logging.getLogger(__name__)
# The first failure and the recovery are logged here; stamina would log every try.
logging.getLogger("stamina").setLevel(logging.ERROR)

_REDIRECTS: Final = 3
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_AGAIN: Final = frozenset({408, 425})


class _Again(Exception):
    """A read is worth another try; ``fault`` is raised if there is none."""

    def __init__(self, fault: ConnectorError) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str] | None
    body: bytes | None
    write: bool
    batch: bool
    logged_path: str


class Session:
    """Calls to one system. Safe to use from as many threads as it has concurrent calls."""

    def __init__(
        self, options: Options, *, credentials: Credentials | None = None, limiter: Limiter | None = None
    ) -> None:
        """Nothing is connected yet. Raises ``SettingsFault`` for an address that is neither https nor this computer."""
        self.options = options
        self._credentials, self._limiter = credentials, limiter
        self._base = options.base_url.rstrip("/")
        self._transport = Transport(options)
        self._state = threading.Lock()
        self._out_of_reach = False

    def close(self) -> None:
        """Close the connections, and save the counts of calls."""
        self._transport.close()
        if self._limiter is not None:
            self._limiter.close()

    def read(
        self,
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        expect: Body | None = Body.JSON,
        logged_path: str = "",
    ) -> Answer:
        """Ask for something; repeated freely. ``method`` POST is for a question whose text is in the body.

        ``path`` is behind the base address, or a whole address that the system gave (the next page). The answer has a
        status of 2xx and a body of the expected kind (``None``: any), or 4xx from the system itself. ``logged_path``
        stands in the log where the path holds a name.

        Raises ``RetryLater`` where there was no such answer after all tries, or too many calls were made.
        """
        asked = self._asked(method, path, params, headers, body, False, False, logged_path)
        waits = self.options.retry_wait_seconds
        tries = stamina.retry_context(
            on=_Again,
            attempts=self.options.attempts,
            timeout=self.options.total_seconds,
            wait_initial=waits,
            wait_max=waits * 20,
            wait_jitter=waits,
        )
        try:
            for attempt in tries:
                with attempt:
                    return self._read_once(asked, expect)
        except _Again as given_up:
            self._note(given_up.fault)
            raise given_up.fault from given_up.__cause__
        raise AssertionError("stamina always tries at least once")

    def write(
        self,
        path: str,
        *,
        method: str = "POST",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        expect: Body | None = Body.JSON,
        batch: bool = False,
        logged_path: str = "",
    ) -> Answer:
        """Change something; sent once. Answers 2xx with a body of the expected kind, or 4xx from the system itself.

        After 401 the credentials are renewed and the same request is sent once more: that status says that the request
        was not applied (RFC 9110, 15.5.2). A second 401 is returned.

        Raises ``RetryLater`` where it is proved that nothing was carried out: no connection came about, or there were
        too many calls (429). Raises ``OutcomeUnknown`` in every other case: time-out, cut answer, 5xx, a redirect, a
        body that is not of the expected kind, a refusal that is not the system's own (a proxy's page).
        """
        asked = self._asked(method, path, params, headers, body, True, batch, logged_path)
        try:
            answer = self._authorised(asked)
        except Cut as cut:
            fault = self._unknown(cut.why) if cut.sent else self._unreachable(cut.why)
            self._note(fault)
            raise fault from cut.__cause__
        self._refuse_throttled(answer)
        if answer.status >= 500 or answer.status in _AGAIN:
            raise self._unknown(f"It answered with status {answer.status}.")
        if answer.ok and not _fits(answer, expect):
            raise self._unknown(f"Its answer is {_article(answer.kind)}, not {expect}.")
        if not answer.ok and not self._is_own(answer):
            raise self._unknown(f"Something between here and {self.options.title} answered (status {answer.status}).")
        self._note(None)
        return answer

    # -- inside -------------------------------------------------------------------------------------------------------

    def _asked(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        write: bool,
        batch: bool,
        logged_path: str,
    ) -> _Request:
        whole = path.startswith(("http://", "https://"))
        if whole and not self._transport.knows(path):
            raise self._foreign(path)
        url = path if whole else self._base + path
        if params:
            url += f"{'&' if '?' in url else '?'}{urlencode(params, quote_via=quote)}"
        return _Request(method, url, headers, body, write, batch, logged_path)

    def _read_once(self, asked: _Request, expect: Body | None) -> Answer:
        try:
            answer = self._authorised(asked)
            for _ in range(_REDIRECTS):
                if answer.status not in _MOVED:
                    break
                answer = self._authorised(self._redirected(asked, answer))
        except Cut as cut:
            raise _Again(self._unreachable(cut.why)) from cut.__cause__
        try:
            self._refuse_throttled(answer)
        except RetryLater as throttled:
            # The limiter holds the next try back for so long, or says that it would take too long.
            if self._limiter is None:
                raise
            raise _Again(throttled) from None
        if answer.status >= 500 or answer.status in _AGAIN:
            raise _Again(self._unreachable(f"It answered with status {answer.status}."))
        if (answer.ok and not _fits(answer, expect)) or (not answer.ok and not self._is_own(answer)):
            raise _Again(answer.unreadable(f"It gave {_article(answer.kind)} with status {answer.status}."))
        self._note(None)
        return answer

    def _redirected(self, asked: _Request, answer: Answer) -> _Request:
        url = urljoin(asked.url, answer.headers.get("location", ""))
        if not self._transport.knows(url):
            raise self._foreign(url)
        return replace(asked, url=url)

    def _authorised(self, asked: _Request) -> Answer:
        if self._credentials is None:
            return self._exchange(asked, {})
        proof = self._credentials.headers()
        answer = self._exchange(asked, proof)
        if answer.status == 401:
            other = self._credentials.renewed(proof)
            if other is not None:
                return self._exchange(asked, other)
        return answer

    def _exchange(self, asked: _Request, proof: Mapping[str, str]) -> Answer:
        limiter, options = self._limiter, self.options
        headers = {**(asked.headers or {}), **proof}
        with limiter.slot(asked.batch) if limiter is not None else nullcontext() as slot:
            began = time.perf_counter()
            on_sent = slot.sent if slot is not None else _nothing
            try:
                got = self._transport.call(asked.method, asked.url, headers, asked.body, on_sent)
            except Cut as cut:
                self._log(asked, "no answer", began, "")
                if cut.why.startswith("407"):
                    raise self._proxy_wants_sign_in() from cut
                raise
            if slot is not None:
                slot.learn(_left(got.headers, options.minute_left_header), _left(got.headers, options.day_left_header))
        trace = got.headers.get(options.trace_header, "")[:100] if options.trace_header else ""
        self._log(asked, str(got.status), began, trace)
        if got.status == 407:
            raise self._proxy_wants_sign_in()
        return Answer(options.title, asked.write, got.status, got.headers, got.body, trace, options.unreachable_code)

    def _is_own(self, answer: Answer) -> bool:
        # A refusal counts as the system's own if it is in one of its languages or carries its id; a redirect never.
        return answer.status >= 400 and (answer.kind in (Body.JSON, Body.XML) or bool(answer.trace_id))

    def _refuse_throttled(self, answer: Answer) -> None:
        options = self.options
        if answer.status != 429 and not (options.throttled is not None and options.throttled(answer)):
            return
        after = retry_after(answer.headers.get("retry-after", ""), time.time())
        seconds = self._limiter.throttled(after) if self._limiter is not None else int(after or 60)
        raise RetryLater(
            f"{options.title} takes no more calls for now.",
            why="It says that too many were made, by this program or by others that use the same company.",
            fix="It goes on by itself.",
            after_seconds=seconds,
        )

    def _unreachable(self, why: str) -> ConnectorError:
        return RetryLater(
            f"{self.options.title} is out of reach.",
            why=why,
            fix="It is tried again by itself. If it lasts, check this computer's connection to the internet.",
            code=self.options.unreachable_code,
        )

    def _unknown(self, why: str) -> ConnectorError:
        return not_understood(self.options.title, True, why, self.options.unreachable_code)

    def _foreign(self, url: str) -> ConnectorError:
        return RetryLater(
            f"{self.options.title} pointed to another server.",
            why=f"It named {urlsplit(url).hostname}, and nothing of this company is sent there.",
            fix="If the network asks for a sign-in on a page of its own, sign in there; it goes on by itself.",
            code=self.options.unreachable_code,
        )

    def _proxy_wants_sign_in(self) -> ConnectorError:
        return NeedsUser(
            "The network's proxy wants a user name and a password.",
            why=f"It let nothing through to {self.options.title}.",
            fix="Set them in the environment variable HTTPS_PROXY of the service (http://name:password@host:port).",
            code=self.options.unreachable_code,
        )

    def _note(self, fault: ConnectorError | None) -> None:
        """Write the first failure and the recovery to the log, not every one between."""
        with self._state:
            changed, self._out_of_reach = self._out_of_reach != (fault is not None), fault is not None
        if changed and fault is not None:
            _log.warning("%s cannot be reached: %s", self.options.title, fault.why)
        elif changed:
            _log.info("%s can be reached again.", self.options.title)

    def _log(self, asked: _Request, outcome: str, began: float, trace: str) -> None:
        if _log.isEnabledFor(logging.DEBUG):
            milliseconds = (time.perf_counter() - began) * 1000
            path = shown_path(asked.url, asked.logged_path)
            tail = f" {trace}" if trace else ""
            _log.debug("%s %s: %s in %.0f ms%s", asked.method, path, outcome, milliseconds, tail)


def _fits(answer: Answer, expect: Body | None) -> bool:
    return expect is None or answer.kind is expect or answer.status == 204


def _nothing() -> None:
    pass


def _left(headers: Mapping[str, str], header: str) -> int | None:
    value = headers.get(header, "") if header else ""
    return int(value) if value.isdecimal() else None


def _article(kind: Body) -> str:
    return {Body.EMPTY: "empty", Body.HTML: "a web page", Body.OTHER: "cut off or of a foreign form"}.get(kind, kind)
