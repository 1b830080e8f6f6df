"""The shape of stored tokens, and what can be told of them without asking anybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

_DAY: Final = 86_400


class Tokens(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the vault holds. Moments are seconds since 1970 by this computer's clock."""

    access_token: str
    refresh_token: str = ""
    expires_at: int = 0
    obtained_at: int = 0
    refresh_expires_at: int | None = None
    connected_at: int = 0
    """When a person signed in."""
    scopes: tuple[str, ...] = ()
    company: dict[str, str] = {}
    """What the sign-in told of the company: Intuit's ``realmId``, Xero's tenant."""
    begun_at: int | None = None
    """A refresh was sent at this moment, and its answer is not stored yet."""
    dead: str = ""
    """Why the maker no longer accepts the grant; empty while it does."""

    def __repr__(self) -> str:
        return f"Tokens(expires_at={self.expires_at}, begun_at={self.begun_at}, dead={self.dead!r})"


class GivenTokens(msgspec.Struct):
    """Tokens as a person brings them."""

    access_token: str = ""
    refresh_token: str = ""
    expires_at: datetime | int | None = None
    company: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class GrantState:
    """How the connection of a route stands."""

    connected: bool
    days_left: int | None = None
    """Whole days until a new sign-in is needed if nothing is done meanwhile; ``None`` where no end is known."""
    ceiling_days: int | None = None
    """Whole days until a new sign-in is needed in any case."""
    company: Mapping[str, str] | None = None
    why: str = ""
    """Why it is not connected."""


def state_of(tokens: Tokens | None, ceiling_seconds: int | None, now_seconds: int) -> GrantState:
    """How a connection stands; ``ceiling_seconds`` after the sign-in it ends in any case."""
    if tokens is None:
        return GrantState(False, why="Nobody has signed in yet.")
    top = tokens.connected_at + ceiling_seconds if ceiling_seconds is not None and tokens.connected_at else None
    ends = [moment for moment in (tokens.refresh_expires_at, top) if moment is not None]
    return GrantState(
        not tokens.dead,
        max(0, min(ends) - now_seconds) // _DAY if ends else None,
        max(0, top - now_seconds) // _DAY if top is not None else None,
        dict(tokens.company),
        tokens.dead,
    )
