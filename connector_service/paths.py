r"""Every file and folder that the product touches, per operating system.

The data folder ("home") is, in this order: ``--home``, ``CONNECTOR_HOME``, the computer-wide folder for a service,
the user's own folder when settings stand in it, the computer-wide folder when settings stand in it, else the user's.
So a user's commands find the data of a service that was installed for the whole computer.

=========  ============================================  ================================
system     user                                          whole computer (service)
=========  ============================================  ================================
Windows    %LOCALAPPDATA%\connector-service              %PROGRAMDATA%\connector-service
Linux      ~/.local/share/connector-service              /var/lib/connector-service
macOS      ~/Library/Application Support/connector-…     /Library/Application Support/…
=========  ============================================  ================================
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connector_service.domain.problems import NeedsUser

HOME_VARIABLE: Final = "CONNECTOR_HOME"
"""Environment variable that names the data folder."""

_NAME: Final = "connector-service"
_SETTINGS: Final = "connector.toml"
_SYSTEM: str = sys.platform


@dataclass(frozen=True, slots=True)
class Paths:
    """The places inside one data folder. Nothing is made before ``ensure``."""

    home: Path
    """The data folder, absolute."""
    machine_wide: bool = False
    """Whether the folder belongs to a service for the whole computer and not to one user."""

    @classmethod
    def locate(
        cls, home: str | Path | None = None, *, service: bool = False, environ: Mapping[str, str] | None = None
    ) -> "Paths":
        """Find the data folder: ``home`` is the value of ``--home``, ``service`` true for a computer-wide service."""
        environ = os.environ if environ is None else environ
        machine, given = machine_home(), home or environ.get(HOME_VARIABLE, "")
        if given:
            folder = _absolute(Path(given))
        elif service:
            folder = machine
        else:
            user = user_home()
            only_machine = _has_settings(machine) and not _has_settings(user)
            folder = machine if only_machine else user
        return cls(folder, machine_wide=service or folder == machine)

    @property
    def settings_file(self) -> Path:
        """What the user sets: ``connector.toml``."""
        return self.home / _SETTINGS

    @property
    def store_file(self) -> Path:
        """The embedded database."""
        return self.home / "state.db"

    @property
    def lock_file(self) -> Path:
        """Held by the one engine process that owns the folder."""
        return self.home / "engine.lock"

    @property
    def api_token_file(self) -> Path:
        """The administrator's token of the local API."""
        return self.home / "api-token"

    @property
    def vault_file(self) -> Path:
        """Secrets, where no key store of the operating system keeps them."""
        return self.home / "vault.json"

    @property
    def audit_dir(self) -> Path:
        """The audit trail, a file a month."""
        return self.home / "audit"

    @property
    def log_dir(self) -> Path:
        """The readable log."""
        return self.home / "logs"

    @property
    def log_file(self) -> Path:
        """The log that is being written now."""
        return self.log_dir / "connector.log"

    @property
    def backups_dir(self) -> Path:
        """Copies of the store."""
        return self.home / "backups"

    @property
    def reports_dir(self) -> Path:
        """Reports and exports that a user asked for."""
        return self.home / "reports"

    def ensure(self) -> "Paths":
        """Make the folders, for their owner only (POSIX 0700); raises ``NeedsUser`` when that cannot be done."""
        for folder in (self.home, self.audit_dir, self.log_dir, self.backups_dir, self.reports_dir):
            try:
                if not folder.is_dir():
                    folder.parent.mkdir(parents=True, exist_ok=True)
                    folder.mkdir(mode=0o700, exist_ok=True)
            except OSError as fault:
                raise NeedsUser(
                    f"The folder {folder} could not be made.",
                    why=f"The system says: {fault.strerror or fault}.",
                    fix=f"Let this account write there, or name another folder by --home or {HOME_VARIABLE}.",
                    code="FOLDER_NOT_WRITABLE",
                ) from fault
        return self


def user_home() -> Path:
    """The default data folder of the signed-in user."""
    from platformdirs import user_data_path  # takes 15 ms, and most starts do not need it

    return user_data_path(_NAME, appauthor=False, roaming=False)


def machine_home() -> Path:
    """The data folder of a service that runs for the whole computer."""
    if _SYSTEM == "linux":
        return Path("/var/lib") / _NAME  # where systemd's StateDirectory= puts it
    from platformdirs import site_data_path

    return site_data_path(_NAME, appauthor=False)


def shipped_config() -> Path:
    """The folder with profiles and examples that came with the product: in the wheel, or in the repository."""
    package = Path(__file__).resolve().parent
    in_wheel = package / "_config"
    return in_wheel if in_wheel.is_dir() else package.parent / "config"


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - links stay as the user wrote them


def _has_settings(folder: Path) -> bool:
    try:
        return (folder / _SETTINGS).is_file()
    except OSError:
        return False
