"""Secrets in the operating system's key store: Windows Credential Manager, macOS Keychain, Secret Service, KWallet.

Each entry has its own service name, ``connector-service/<data folder>/<route>/<name>``, where the data folder is a
digest of its path, so that two data folders do not mix. Windows takes at most 2,560 bytes an entry, kept as UTF-16
(Microsoft, ``CREDENTIALW``: ``CRED_MAX_CREDENTIAL_BLOB_SIZE``), and OAuth tokens can be longer: a long secret lies in
parts of a new generation and becomes the secret by one write of its head entry, so that a crash leaves the old one or
the new one.
"""

import hashlib
import json
import os
import secrets
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from connector_service.domain.problems import NeedsUser

_SERVICE: Final = "connector-service"
# 600 code points are at most 1,200 UTF-16 units or 2,400 bytes of UTF-8: within 2,560 bytes either way.
_PART: Final = 600
_WHOLE, _PARTS = "s:", "p:"
# Not the name of any secret: names are not empty.
_INDEX: Final = ""
# Back ends that keep nothing, and those that keep it readable for anybody, have a lower priority (keyring, "priority").
_REAL: Final = 1


class KeyStoreVault:
    """Secrets of one data folder in a key store."""

    def __init__(self, store: KeyringBackend, home: Path, on_first_set: Callable[[], None] = lambda: None) -> None:
        """``store`` keeps the entries; ``home`` tells them from another folder's; ``on_first_set`` notes the place."""
        self._store, self._on_first_set = store, on_first_set
        folder = os.path.normcase(home.resolve())
        self._folder = hashlib.sha256(folder.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self._lock = threading.Lock()

    def get(self, route: str, name: str) -> str | None:
        """The secret, or ``None``; raises ``NeedsUser`` when the key store is locked or lost a part."""
        with self._speaking():
            head = self._entry(route, name)
            return None if head is None else self._join(route, name, head)

    def set(self, route: str, name: str, value: str) -> None:
        """Store a secret; raises ``NeedsUser`` when the key store does not take it."""
        with self._lock, self._speaking():
            names = self._names(route)
            if name not in names:
                self._on_first_set()
                # Listed first: a name without a secret does no harm, a secret that nobody lists would stay for ever.
                self._put(route, _INDEX, json.dumps(sorted({*names, name})))
            self._put(route, name, value)

    def remove(self, route: str, name: str) -> bool:
        """Forget a secret; whether there was one."""
        with self._lock, self._speaking():
            head = self._entry(route, name)
            if head is not None:
                self._delete(route, name)
                self._drop_parts(route, name, head)
            names = self._names(route)
            if name in names:
                self._put(route, _INDEX, json.dumps([other for other in names if other != name]))
            return head is not None

    def names(self, route: str) -> Sequence[str]:
        """Names of the secrets stored for a route."""
        with self._speaking():
            return [name for name in self._names(route) if self._entry(route, name) is not None]

    def describe(self) -> str:
        """Where the secrets are."""
        return f"in the key store of this account ({self._store.name})"

    def _names(self, route: str) -> list[str]:
        head = self._entry(route, _INDEX)
        listed = json.loads(self._join(route, _INDEX, head)) if head is not None else []
        return [str(name) for name in listed]

    def _put(self, route: str, name: str, value: str) -> None:
        before = self._entry(route, name)
        if len(value) <= _PART - len(_WHOLE):
            head = _WHOLE + value
        else:
            generation = secrets.token_hex(4)
            parts = [value[at : at + _PART] for at in range(0, len(value), _PART)]
            for number, part in enumerate(parts):
                self._store.set_password(self._service(route, name, generation, number), _SERVICE, part)
            head = f"{_PARTS}{generation}:{len(parts)}:{_digest(value)}"
        self._store.set_password(self._service(route, name), _SERVICE, head)
        if before is not None:
            self._drop_parts(route, name, before)

    def _join(self, route: str, name: str, head: str) -> str:
        if head.startswith(_WHOLE):
            return head.removeprefix(_WHOLE)
        generation, count, digest = head.removeprefix(_PARTS).split(":")
        parts = [
            self._store.get_password(self._service(route, name, generation, number), _SERVICE) or ""
            for number in range(int(count))
        ]
        value = "".join(parts)
        if _digest(value) != digest:
            raise NeedsUser(
                f'The secret "{name}" of route "{route}" is not whole in the key store.',
                why="A part of it was removed or changed by another program.",
                fix=f"Store it again: connector secret set {route} {name}.",
                code="VAULT_UNREADABLE",
            )
        return value

    def _drop_parts(self, route: str, name: str, head: str) -> None:
        if head.startswith(_PARTS):
            generation, count, _ = head.removeprefix(_PARTS).split(":")
            for number in range(int(count)):
                service = self._service(route, name, generation, number)
                if self._store.get_password(service, _SERVICE) is not None:
                    self._store.delete_password(service, _SERVICE)

    def _entry(self, route: str, name: str) -> str | None:
        return self._store.get_password(self._service(route, name), _SERVICE)

    def _delete(self, route: str, name: str) -> None:
        self._store.delete_password(self._service(route, name), _SERVICE)

    def _service(self, route: str, name: str, generation: str = "", number: int = 0) -> str:
        part = f"#{generation}.{number}" if generation else ""
        return f"{_SERVICE}/{self._folder}/{route}/{name}{part}"

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except _foreign_faults() as fault:
            raise NeedsUser(
                "The key store of this account did not give or take a secret.",
                why=f"{self._store.name} answered: {str(fault) or type(fault).__name__}.",
                fix="Unlock the key store (sign in to the desktop) and try again. On a computer without one, set"
                " CONNECTOR_VAULT to file and store the secrets again.",
                code="VAULT_LOCKED",
            ) from fault


def open_key_store(home: Path, on_first_set: Callable[[], None] = lambda: None) -> KeyStoreVault | None:
    """The account's key store for this data folder, or ``None`` where there is no real one."""
    store = keyring.get_keyring()
    return KeyStoreVault(store, home, on_first_set) if is_real(store) else None


def is_real(store: KeyringBackend) -> bool:
    """Whether a back end keeps secrets safely: not ``fail``, ``null``, a plain file, or a chain of none."""
    if type(store).__module__ == "keyring.backends.chainer":
        links: list[KeyringBackend] = list(getattr(store, "backends", ()))  # the first one takes what is set
        return bool(links) and is_real(links[0])
    try:
        return bool(store.priority >= _REAL)
    except (RuntimeError, KeyringError):  # how a back end says that it cannot work here
        return False


def _foreign_faults() -> tuple[type[Exception], ...]:
    """What back ends raise besides ``KeyringError``; their modules are loaded only where they are in use."""
    found: list[type[Exception]] = [KeyringError, OSError]
    for module, name in (("pywintypes", "error"), ("secretstorage.exceptions", "SecretStorageException")):
        fault = getattr(sys.modules.get(module), name, None)
        if fault is not None:
            found.append(fault)
    return tuple(found)


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]
