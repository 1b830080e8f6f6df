"""Secrets in a file of the data folder that its owner alone may read."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from connector_service.domain.problems import NeedsUser
from connector_service.files import exclusive, refuse_if_shared, replace_file

IN_FILE: Final = "file"
"""The file itself holds the secrets."""
IN_KEY_STORE: Final = "key store"
"""The file only notes that the secrets were put into the key store of the operating system."""

_VERSION: Final = 1

_Secrets = dict[str, dict[str, str]]


class FileVault:
    """``vault.json``: rights 0600 (Windows: the account, Administrators, SYSTEM), replaced in one durable step."""

    def __init__(self, path: Path) -> None:
        """Nothing is read or made before it is needed."""
        self._path = path

    def kept_in(self) -> str:
        """Where secrets were put before: ``IN_FILE``, ``IN_KEY_STORE``, or empty where none were."""
        content = self._load()
        return "" if content is None else str(content.get("kept_in", IN_FILE))

    def note_key_store(self) -> None:
        """Remember that secrets were put into the key store, so that they are not looked for elsewhere later."""
        with self._only_writer():
            if self._load() is None:
                self._store({"version": _VERSION, "kept_in": IN_KEY_STORE})

    def get(self, route: str, name: str) -> str | None:
        """The secret, or ``None``; raises ``NeedsUser`` when the file is open to others or cannot be read."""
        return self._read().get(route, {}).get(name)

    def set(self, route: str, name: str, value: str) -> None:
        """Store a secret; it is durable when this returns. Raises ``NeedsUser`` when it cannot be written."""
        with self._only_writer():
            secrets = self._read()
            secrets.setdefault(route, {})[name] = value
            self._write(secrets)

    def remove(self, route: str, name: str) -> bool:
        """Forget a secret; whether there was one."""
        if self.get(route, name) is None:
            return False
        with self._only_writer():
            secrets = self._read()
            there = secrets.get(route, {}).pop(name, None) is not None
            if there:
                self._write({key: names for key, names in secrets.items() if names})
        return there

    def names(self, route: str) -> Sequence[str]:
        """Names of the secrets stored for a route."""
        return sorted(self._read().get(route, {}))

    def describe(self) -> str:
        """Where the secrets are."""
        return f"in the file {self._path}, which only this account may read"

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        # Each writes the whole file: of two processes that do so at once, one would take back the other's secret.
        try:
            with exclusive(self._path.with_name(f"{self._path.name}.lock")):
                yield
        except OSError as fault:
            raise self._not_written(fault) from fault

    def _read(self) -> _Secrets:
        content = self._load() or {}
        secrets = content.get("secrets", {})
        if not _is_secrets(secrets):
            raise self._unusable(None)
        return cast(_Secrets, secrets)

    def _load(self) -> dict[str, Any] | None:
        try:
            refuse_if_shared(self._path, "The file with the secrets")
            content = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as fault:
            raise self._unusable(fault) from None  # the fault's text may quote the file
        if isinstance(content, dict) and content.get("version") == _VERSION:
            return content
        raise self._unusable(None)

    def _write(self, secrets: _Secrets) -> None:
        self._store({"version": _VERSION, "secrets": secrets})

    def _store(self, content: dict[str, Any]) -> None:
        # Only ASCII is written, so that any text, even half a surrogate pair, comes back as it was.
        try:
            replace_file(self._path, json.dumps(content, indent=1).encode("ascii"), private=True)
        except OSError as fault:
            raise self._not_written(fault) from fault

    def _not_written(self, fault: OSError) -> NeedsUser:
        return NeedsUser(
            "The secret could not be stored; the secrets stored before are unchanged.",
            why=f"The system says about {self._path}: {fault.strerror or fault}.",
            fix="Make room on the disk, or give this account the right to write there; then store it again.",
            code="VAULT_NOT_WRITABLE",
        )

    def _unusable(self, fault: Exception | None) -> NeedsUser:
        system = fault.strerror if isinstance(fault, OSError) else None
        return NeedsUser(
            f"The file with the secrets cannot be used: {self._path}.",
            why=f"The system says: {system}." if system else "It does not have the form that this version writes.",
            fix="Restore it from a backup; or move it away and store each secret again:"
            " connector secret set ROUTE NAME.",
            code="VAULT_UNREADABLE",
        )


def _is_secrets(content: object) -> bool:
    return isinstance(content, dict) and all(
        isinstance(names, dict) and all(isinstance(value, str) for value in names.values())
        for names in content.values()
    )
