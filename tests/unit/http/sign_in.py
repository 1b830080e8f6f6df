"""What the tests of tokens and sign-in share: a provider at the fake, and a keeper over a real vault file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from connector_service.http.client import Session
from connector_service.http.oauth import ClientAuth, Granted, OAuthClient, Provider
from connector_service.http.options import Options
from connector_service.http.tokens import TokenKeeper, lock_file
from connector_service.vault.file import FileVault


def provider(url: str, **changes: Any) -> Provider:
    known: dict[str, Any] = {
        "title": "Ledgerly",
        "authorize_url": f"{url}/authorize",
        "token_url": f"{url}/token",
        "revoke_url": f"{url}/revoke",
        "scopes": ("books",),
        "refresh_field": "x_refresh_token_expires_in",
    }
    return Provider(**known | changes)


def client(url: str, seconds: float = 20, **changes: Any) -> OAuthClient:
    options = Options(title="Ledgerly", base_url=url, read_seconds=seconds, total_seconds=30)
    secret = "" if changes.get("client_auth") is ClientAuth.NONE else "app-secret"
    return OAuthClient(provider(url, **changes), Session(options), "app", secret)


def keeper(
    home: Path,
    url: str,
    wall: Callable[[], float],
    *,
    pause: Callable[[float], None] = lambda _: None,
    renew: Callable[[str], Granted] | None = None,
    vault: Any = None,
    seconds: float = 20,
    needs_sign_in: bool = True,
    **changes: Any,
) -> TokenKeeper:
    known = client(url, seconds, **changes)
    return TokenKeeper(
        known.provider,
        renew or known.refresh,
        vault=vault or FileVault(home / "vault.json"),
        route="main",
        lock=lock_file(home, "main"),
        needs_sign_in=needs_sign_in,
        wall=wall,
        pause=pause,
    )


def given(answer: dict[str, Any]) -> Granted:
    return Granted(
        answer["access_token"],
        answer["refresh_token"],
        answer["expires_in"],
        answer["x_refresh_token_expires_in"],
        ("books",),
    )
