"""Keeps a route's tokens: in the vault as one secret, renewed early, by one process at a time, stored before use.

A refresh is a write at the maker: most makers take a refresh token once only. So it is noted in the vault before it is
sent, sent under a lock that all processes share, and its new tokens are stored before anybody uses them. After a crash
in between, the old token is sent again: the maker takes it where the request never arrived, or within its time of
grace. Where it does not, the grant is gone, and a person signs in again; nothing else is lost.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from connector_service.contract.crashpoints import crash_point
from connector_service.contract.vault import Vault
from connector_service.domain.problems import Busy, NeedsUser, OutcomeUnknown, RetryLater
from connector_service.files import exclusive
from connector_service.http.grants import GivenTokens, GrantState, Tokens, state_of
from connector_service.http.oauth import GrantDead, Granted, Provider

SECRET: Final = "oauth"  # noqa: S105 - the name of the secret
"""Name under which the vault keeps the tokens of a route."""

# Not used in the last seconds of its life: the maker's clock and the way there take their part.
_SKEW_SECONDS: Final = 10
# A new token that is answered by 401 within this time is not the reason.
_TOO_NEW_SECONDS: Final = 30
_TRIES: Final = 3
# Longer than a refresh takes in all its tries.
_LOCK_SECONDS: Final = 300
# After a renewal that came to nothing, while the access still lasts.
_NEXT_TRY_SECONDS: Final = 30

_log = logging.getLogger(__name__)


def lock_file(home: Path, route: str) -> Path:
    """The file by which all processes agree who renews a route's tokens."""
    return home / f"oauth-{route}.lock"


class TokenKeeper:
    """The tokens of one route; credentials for a session. Safe to use from several threads and processes."""

    def __init__(
        self,
        provider: Provider,
        renew: Callable[[str], Granted],
        *,
        vault: Vault,
        route: str,
        lock: Path,
        needs_sign_in: bool = True,
        wall: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """``renew`` gives new tokens for a refresh token (``OAuthClient.refresh``), or without one where the app itself
        has access and ``needs_sign_in`` is false (``lambda _: client.own_access()``); ``lock`` from ``lock_file``.
        """
        self._provider, self._renew, self._needs_sign_in = provider, renew, needs_sign_in
        self._vault, self._route, self._lock_file = vault, route, lock
        self._wall, self._pause = wall, pause
        self._refreshing = threading.Lock()
        self._known: Tokens | None = None
        self._not_before = 0
        self._not_stored: tuple[str, Tokens] | None = None
        """The refresh token that was exchanged, and the tokens for it that the vault did not take yet."""

    # -- as credentials -----------------------------------------------------------------------------------------------

    def headers(self) -> dict[str, str]:
        """The header for the next request; renews the token first where it is about to end.

        Raises ``NeedsUser`` where a person must sign in, ``RetryLater`` where the maker does not answer.
        """
        return {"authorization": f"Bearer {self._current().access_token}"}

    def renewed(self, refused: Mapping[str, str]) -> Mapping[str, str] | None:
        """The header with a newer token, after this one was answered by 401; ``None`` where it was new already."""
        token = refused.get("authorization", "").removeprefix("Bearer ")
        with self._refreshing, self._alone():
            tokens, now = self._load(), int(self._wall())
            if tokens.access_token == token and 0 <= now - tokens.obtained_at < _TOO_NEW_SECONDS:
                return None
            if tokens.access_token == token or not self._lasts(tokens, now):
                tokens = self._refresh(tokens)
        return {"authorization": f"Bearer {tokens.access_token}"}

    # -- connecting ---------------------------------------------------------------------------------------------------

    def connect(self, granted: Granted, company: Mapping[str, str] | None = None) -> None:
        """Store the tokens of a new sign-in in the place of those before."""
        now = int(self._wall())
        self._begin_anew(self._tokens(granted, None, now), company or {}, now)

    def set_company(self, company: Mapping[str, str]) -> None:
        """Remember which company was chosen after the sign-in."""
        with self._refreshing, self._alone():
            self._store(replace(self._load(), company=dict(company)))

    def take(self, text: str) -> None:
        """Store tokens that a person brings: ``{"access_token", "refresh_token", "expires_at"}`` as JSON.

        ``expires_at`` is seconds since 1970 or ISO 8601 with a zone. Raises ``NeedsUser`` where it is something else.
        """
        try:
            given = msgspec.json.decode(text.removeprefix("\ufeff").strip(), type=GivenTokens)
        except msgspec.DecodeError as fault:
            # What msgspec says names fields and types, never values.
            raise self._not_tokens(f"{str(fault)[:1].upper()}{str(fault)[1:]}.") from None
        if not (given.access_token or given.refresh_token):
            raise self._not_tokens("It has neither an access token nor a refresh token.")
        now = int(self._wall())
        if isinstance(given.expires_at, datetime):
            ends = int(given.expires_at.timestamp())
        else:
            ends = given.expires_at or now + (0 if given.refresh_token else self._provider.access_seconds)
        tokens = self._tokens(Granted(given.access_token, given.refresh_token, ends - now), None, now)
        # How old they are is not known, only when they end; a renewal must not be held back for that.
        obtained = min(now, ends - self._provider.access_seconds)
        self._begin_anew(replace(tokens, obtained_at=obtained), given.company, now)

    def forget(self) -> None:
        """Remove the tokens."""
        with self._refreshing, self._alone():
            self._known = self._not_stored = None
            self._vault.remove(self._route, SECRET)

    def token_to_revoke(self) -> str:
        """The token to give back at a disconnect; empty where there is none."""
        tokens = self._read()
        return "" if tokens is None else tokens.refresh_token or tokens.access_token

    def state(self) -> GrantState:
        """How the connection stands, as the vault knows it; asks nobody."""
        tokens = self._read()
        if tokens is None and not self._needs_sign_in:
            return GrantState(True)
        return state_of(tokens, self._provider.ceiling_seconds, int(self._wall()))

    # -- inside -------------------------------------------------------------------------------------------------------

    def _current(self) -> Tokens:
        tokens, now = self._known, int(self._wall())
        if tokens is not None and not tokens.dead and self._lasts(tokens, now):
            if not self._due(tokens, now) or 0 < self._not_before - now <= _NEXT_TRY_SECONDS:
                return tokens
            # Still good: one thread renews it, the others need not wait.
            if not self._refreshing.acquire(blocking=False):
                return tokens
        else:
            self._refreshing.acquire()
        try:
            with self._alone():
                return self._renewed_if_due()
        finally:
            self._refreshing.release()

    def _renewed_if_due(self) -> Tokens:
        tokens, now = self._load(), int(self._wall())
        if not self._due(tokens, now):
            return tokens
        try:
            return self._refresh(tokens)
        except RetryLater as fault:
            if not self._lasts(tokens, now):
                raise
            self._not_before = now + _NEXT_TRY_SECONDS
            _log.info("%s: the access was not renewed, and still lasts: %s", self._provider.title, fault.why)
            return tokens

    def _load(self) -> Tokens:
        """The tokens that the vault holds now; the lock is held."""
        tokens = self._read()
        if tokens is not None and self._not_stored is not None and self._not_stored[0] == tokens.refresh_token:
            # The disk was full when these came: the stored ones are used up.
            tokens = self._not_stored[1]
            self._store(tokens)
        self._not_stored = None
        if tokens is None and not self._needs_sign_in:
            tokens = self._tokens(self._renew(""), None, int(self._wall()))
            self._store(tokens)
        if tokens is None:
            self._known = None
            raise NeedsUser(
                f'Route "{self._route}" is not connected to {self._provider.title} yet.',
                why="Nobody has signed in.",
                fix=f"Connect it: `connector connect {self._route}`.",
                code="SIGN_IN_NEEDED",
            )
        if tokens.dead:
            self._known = None
            raise self._dead(tokens.dead)
        self._known = tokens
        return tokens

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            with exclusive(self._lock_file, patience_seconds=_LOCK_SECONDS):
                yield
        except Busy as fault:
            raise RetryLater(fault.what, why=fault.why, fix="It goes on by itself.") from fault
        except OSError as fault:
            raise NeedsUser(
                "The data folder cannot be written to.",
                why=f"{self._lock_file}: {fault.strerror or fault}.",
                fix="Give this account the right to write there.",
                code="FOLDER_NOT_WRITABLE",
            ) from fault

    def _refresh(self, tokens: Tokens) -> Tokens:
        """Exchange the refresh token; the lock is held."""
        now = int(self._wall())
        wait = self._provider.refresh_after_seconds
        too_soon = tokens.obtained_at + wait - now
        if 0 < too_soon <= wait:
            raise RetryLater(
                f"{self._provider.title} gives a new access only after a while.",
                why="The last one is not old enough.",
                fix="It goes on by itself.",
                after_seconds=too_soon,
            )
        if self._needs_sign_in and not tokens.refresh_token:
            raise self._bury(tokens, "The access has ended, and there is no token to renew it.")
        first = tokens.begun_at is None
        if first:
            tokens = replace(tokens, begun_at=now)
            self._store(tokens)
        crash_point("oauth.begun")
        granted = self._exchanged(tokens, first)
        crash_point("oauth.answered")
        fresh = self._tokens(granted, tokens, now)
        self._not_stored = (tokens.refresh_token, fresh)
        self._store(fresh)
        self._not_stored = None
        crash_point("oauth.stored")
        return fresh

    def _exchanged(self, tokens: Tokens, first: bool) -> Granted:
        lost: OutcomeUnknown | None = None
        for attempt in range(_TRIES):
            if attempt:
                self._pause(float(attempt))
            try:
                return self._renew(tokens.refresh_token)
            except OutcomeUnknown as fault:
                # The old token may be used up, and still works while the maker's grace lasts: at once is best.
                lost = fault
            except GrantDead as fault:
                raise self._bury(tokens, self._why_dead(tokens, first and lost is None, fault.why)) from fault
            except (RetryLater, NeedsUser):
                if first and lost is None:
                    # Nothing came of it, so there is nothing to remember.
                    self._store(replace(tokens, begun_at=None))
                raise
        why = lost.why if lost is not None else ""
        raise RetryLater(
            f"{self._provider.title} did not say whether the access was renewed.",
            why=why,
            fix="It is tried again by itself.",
            after_seconds=30,
        ) from lost

    def _why_dead(self, tokens: Tokens, clean: bool, why: str) -> str:
        if clean or tokens.begun_at is None:
            return why
        ago = max(0, int(self._wall()) - tokens.begun_at)
        return f"The answer to the last renewal was lost {ago} seconds ago, and the token before it is used up. {why}"

    def _tokens(self, granted: Granted, before: Tokens | None, now: int) -> Tokens:
        provider = self._provider
        life = provider.access_seconds if granted.expires_in_seconds is None else granted.expires_in_seconds
        ends: int | None = None
        if granted.refresh_in_seconds is not None:
            ends = now + granted.refresh_in_seconds
        elif provider.refresh_seconds is not None:
            ends = now + provider.refresh_seconds
        return Tokens(
            access_token=granted.access_token,
            # Where an answer has none, the one before stays good (RFC 6749, 6).
            refresh_token=granted.refresh_token or (before.refresh_token if before else ""),
            expires_at=now + life,
            obtained_at=now,
            refresh_expires_at=ends,
            connected_at=before.connected_at if before else 0,
            scopes=granted.scopes or (before.scopes if before else ()),
            company=before.company if before else {},
        )

    def _lasts(self, tokens: Tokens, now: int) -> bool:
        # A clock that was set back would make an old token look like one that lasts.
        return bool(tokens.access_token) and now < tokens.expires_at - _SKEW_SECONDS and now >= tokens.obtained_at - 60

    def _due(self, tokens: Tokens, now: int) -> bool:
        early = min(self._provider.refresh_early_seconds, (tokens.expires_at - tokens.obtained_at) // 5)
        due = max(tokens.expires_at - early, tokens.obtained_at + self._provider.refresh_after_seconds)
        return tokens.begun_at is not None or now >= due or not self._lasts(tokens, now)

    def _bury(self, tokens: Tokens, why: str) -> NeedsUser:
        """Remember that the grant is gone, so that the maker is not asked again; what it belonged to is kept."""
        self._store(replace(tokens, dead=why, begun_at=None))
        return self._dead(why)

    def _dead(self, why: str) -> NeedsUser:
        return NeedsUser(
            f"{self._provider.title} no longer accepts the connection.",
            why=why,
            fix=f"Connect again: `connector connect {self._route}`. Nothing is lost meanwhile.",
            code="GRANT_DEAD",
        )

    def _read(self) -> Tokens | None:
        text = self._vault.get(self._route, SECRET)
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=Tokens)
        except (msgspec.DecodeError, UnicodeError):
            raise NeedsUser(
                f'The stored sign-in of route "{self._route}" cannot be read.',
                why="It does not have the form that this version writes.",
                fix=f"Connect again: `connector connect {self._route}`.",
                code="VAULT_UNREADABLE",
            ) from None

    def _begin_anew(self, tokens: Tokens, company: Mapping[str, str], now: int) -> None:
        with self._refreshing, self._alone():
            self._not_stored = None
            self._store(replace(tokens, connected_at=now, company=dict(company)))

    def _store(self, tokens: Tokens) -> None:
        self._vault.set(self._route, SECRET, msgspec.json.encode(tokens).decode())
        self._known = tokens

    def _not_tokens(self, why: str) -> NeedsUser:
        return NeedsUser(
            "What was given is not a set of tokens.",
            why=why,
            fix='Give JSON like {"access_token": "…", "refresh_token": "…", "expires_at": 1790000000}.',
            code="SIGN_IN_NEEDED",
        )
