"""Which place keeps the secrets, and the environment variables that go before it."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from connector_service.contract.vault import Vault
from connector_service.domain.problems import NeedsUser, SettingsFault
from connector_service.vault.environment import EnvironmentSecrets
from connector_service.vault.file import IN_FILE, IN_KEY_STORE, FileVault

CHOICE_VARIABLE: Final = "CONNECTOR_VAULT"
"""Environment variable that forces the place: ``file`` or ``keyring``."""


class Place(Vault, Protocol):
    """A place that keeps secrets and can say where that is."""

    def describe(self) -> str:
        """Where the secrets are, as the end of the sentence "Secrets are kept …"."""
        ...


class OpenedVault:
    """The vault of one data folder: environment variables first, then the place that keeps what is set."""

    def __init__(
        self, place: Place, environment: EnvironmentSecrets, reason: str, on_secret: Callable[[str], None]
    ) -> None:
        """``on_secret`` hears each secret that passes, so that the log can leave it out."""
        self._place, self._environment, self._reason, self._on_secret = place, environment, reason, on_secret
        for value in environment.values():
            on_secret(value)

    def get(self, route: str, name: str) -> str | None:
        """The secret, or ``None``; raises ``NeedsUser`` when its place cannot be read."""
        value = self._environment.get(route, name)
        if value is None:
            value = self._place.get(route, name)
        if value:
            self._on_secret(value)
        return value

    def set(self, route: str, name: str, value: str) -> None:
        """Store a secret; it is durable when this returns. An environment variable still goes before it."""
        self._on_secret(value)
        self._place.set(route, name, value)

    def remove(self, route: str, name: str) -> bool:
        """Forget a stored secret; whether there was one. An environment variable stays."""
        return self._place.remove(route, name)

    def names(self, route: str) -> Sequence[str]:
        """Names of a route's secrets, those of environment variables too."""
        return sorted({*self._place.names(route), *self._environment.names(route)})

    def overriding_variable(self, route: str, name: str) -> str | None:
        """The environment variable that goes before the stored secret, if it is set."""
        return self._environment.variable_set(route, name)

    def describe(self) -> str:
        """One sentence that says where the secrets live, and why there."""
        return f"Secrets are kept {self._place.describe()}{self._reason}."


def open_vault(
    vault_file: Path,
    *,
    machine_wide: bool = False,
    environ: Mapping[str, str] | None = None,
    on_secret: Callable[[str], None] = lambda _: None,
) -> OpenedVault:
    """The vault of a data folder; ``vault_file`` in it holds the secrets where no key store does.

    A computer-wide service has no signed-in user whose key store could be open, so it uses the file. Secrets stay where
    they were put first: the place does not change because a key store happens to be out of reach, or back.
    Raises ``SettingsFault`` for a choice that is not known or not to be had.
    """
    environ = os.environ if environ is None else environ
    environment = EnvironmentSecrets(environ)
    file = FileVault(vault_file)
    choice = environ.get(CHOICE_VARIABLE, "").strip().lower()
    if choice not in ("", "file", "keyring"):
        raise SettingsFault(
            f'{CHOICE_VARIABLE} is "{choice}".',
            why="It says where secrets are kept, and that is file or keyring.",
            fix=f"Set {CHOICE_VARIABLE} to file or keyring, or remove it.",
            code="SETTINGS_WRONG",
        )
    if choice == "file":
        return OpenedVault(file, environment, f", as {CHOICE_VARIABLE} says", on_secret)
    if not choice and machine_wide:
        return OpenedVault(file, environment, ", as the service belongs to no single user", on_secret)
    kept = "" if choice else file.kept_in()
    if kept == IN_FILE:
        return OpenedVault(file, environment, ", where they were put before", on_secret)
    place = _key_store(vault_file.parent, file)
    if place is not None:
        return OpenedVault(place, environment, f", as {CHOICE_VARIABLE} says" if choice else "", on_secret)
    if choice:
        raise SettingsFault(
            f"{CHOICE_VARIABLE} is keyring, but this account has no key store that can be used.",
            why="On Linux a key store needs a desktop session with GNOME Keyring or KWallet.",
            fix=f"Set {CHOICE_VARIABLE} to file, or sign in to a desktop session.",
            code="SETTINGS_WRONG",
        )
    if kept == IN_KEY_STORE:
        return OpenedVault(OutOfReach(), environment, "", on_secret)
    return OpenedVault(file, environment, ", as this account has no key store that can be used", on_secret)


class OutOfReach:
    """Stands for a key store that keeps the secrets but is not there now, as in a session without a desktop."""

    def get(self, route: str, name: str) -> str | None:
        """Never answers: raises ``NeedsUser``."""
        raise self._fault()

    def set(self, route: str, name: str, value: str) -> None:
        """Never stores: raises ``NeedsUser``."""
        raise self._fault()

    def remove(self, route: str, name: str) -> bool:
        """Never removes: raises ``NeedsUser``."""
        raise self._fault()

    def names(self, route: str) -> Sequence[str]:
        """Never answers: raises ``NeedsUser``."""
        raise self._fault()

    def describe(self) -> str:
        """Where the secrets are."""
        return "in the key store of this account, which cannot be reached from this session"

    def _fault(self) -> NeedsUser:
        return NeedsUser(
            "The secrets are in the key store of this account, which cannot be reached from this session.",
            why="They were stored from a desktop session, and this one has no key store.",
            fix=f"Run this from the desktop session; or set {CHOICE_VARIABLE} to file and store the secrets again.",
            code="VAULT_LOCKED",
        )


def _key_store(home: Path, file: FileVault) -> Place | None:
    from connector_service.vault.key_store import open_key_store  # loads keyring, which takes 70 ms

    return open_key_store(home, file.note_key_store)
