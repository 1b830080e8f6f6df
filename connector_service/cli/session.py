"""What every command has: the data folder, the way it prints, and the opened product."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, cast

import typer

from connector_service.cli.output import Out
from connector_service.domain.problems import Busy, ConnectorError

if TYPE_CHECKING:
    from connector_service.app import App
    from connector_service.observe import Redactor
    from connector_service.paths import Paths

LOG_DAYS: Final = 400
"""How long the readable log is kept where the settings cannot be read."""
_PAUSE_SECONDS: Final = 0.2


@dataclass(slots=True)
class Session:
    """One call of the command line."""

    home: str | None
    out: Out
    redactor: "Redactor | None" = None
    """Knows the secrets that this call has used."""

    @property
    def as_json(self) -> bool:
        """Whether one JSON document is asked for."""
        return self.out.as_json

    @contextmanager
    def reading(self) -> Iterator["App"]:
        """The product, opened for reading; the service may go on beside it."""
        from connector_service.app import App

        with App(self.home) as app:
            self.redactor = app.redactor
            yield app

    @contextmanager
    def writing(
        self, what: str, wait_seconds: float = 0.0, first: "Callable[[Paths], None] | None" = None
    ) -> Iterator["App"]:
        """The product under the folder's lock, with its log; raises ``Busy`` where another holds it for so long."""
        from connector_service.app import App

        with _patiently(lambda: App(self.home, write=True, what=what, first=first), wait_seconds) as app:
            from connector_service.observe import set_up

            self.redactor = app.redactor
            try:
                days = app.loaded.settings.service.log_retention_days
            except ConnectorError:  # what is wrong with the settings is for the command to tell
                days = LOG_DAYS
            file = app.paths.log_file
            end = set_up(file, retention_days=days, redactor=app.redactor, on_trouble=self._no_log)
            try:
                yield app
            finally:
                end()

    def _no_log(self, fault: OSError) -> None:
        self.out.note(f"The log cannot be written ({fault.strerror or fault}). The work goes on.")


def _patiently(opened: "Callable[[], App]", wait_seconds: float) -> "App":
    give_up = time.monotonic() + wait_seconds
    while True:
        try:
            return opened()
        except Busy:
            if time.monotonic() >= give_up:
                raise
        time.sleep(_PAUSE_SECONDS)


def session_of(ctx: typer.Context) -> Session:
    """The session of a command."""
    return cast(Session, ctx.obj)


def day(text: str) -> date:
    """A date as people type it here."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f'"{text}" is not a date; write it like 2026-01-31.') from None


def asked(session: Session, question: str) -> bool:
    """Whether a person at a terminal says yes; false where nobody can be asked."""
    import sys

    if session.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
