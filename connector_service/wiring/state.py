"""The state of service and routes, by a few cheap reads; it opens no system and imports little, so that it is fast."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connector_service import __version__
from connector_service.contract.journal import Event, RouteState
from connector_service.domain.kinds import State
from connector_service.paths import Paths
from connector_service.settings import Loaded, Route, load
from connector_service.store.database import Database
from connector_service.store.lock import FolderLock
from connector_service.store.runs import Runs
from connector_service.store.trail import Trail

SERVICE: Final = "the service"
"""What the holder of the folder's lock is called when it is the service."""


class NoSealer:
    """Stands where the store is only read."""

    def seal(self, sequence: int, previous: str, moment: datetime, event: Event) -> tuple[str, str]:
        """Never seals: who only reads records nothing."""
        raise AssertionError(f"the store is open for reading only, and {event.event} was to be recorded")


class Reading:
    """What is read of the store to tell the state."""

    def __init__(self, database: Database) -> None:
        """Read from this store."""
        self._database = database
        self.runs = Runs(database, Trail(database, NoSealer()))

    def tallies(self, pair: int) -> dict[str, int]:
        """Documents by state."""
        rows = self._database.execute("SELECT state, sum(n) FROM tally WHERE pair = ? GROUP BY state", (pair,))
        return {state: count for state, count in rows if count}


def read(home: str | Path | None) -> dict[str, Any]:
    """The state of a data folder, read only; raises ``SettingsFaults``, and ``NeedsUser`` for a store of no use."""
    paths = Paths.locate(home)
    return status(paths, load(paths.settings_file), FolderLock(paths.lock_file))


def status(paths: Paths, loaded: Loaded, lock: FolderLock, database: Database | None = None) -> dict[str, Any]:
    """The state of service and routes, as ``connector status --json`` prints it."""
    owner = lock.owner()
    running = owner is not None and owner.get("what") == SERVICE
    own = database or Database(paths.store_file, paths.backups_dir, read_only=True)
    try:
        reading = Reading(own)
        routes = [_route(reading, name, route, running) for name, route in loaded.settings.routes.items()]
    finally:
        if database is None:
            own.close()
    pid = owner.get("pid") if owner and running else None
    return {"service": {"running": running, "version": __version__, "pid": pid}, "routes": routes}


def _route(reading: Reading, name: str, route: Route, running: bool) -> dict[str, Any]:
    state: RouteState | None = reading.runs.route_state(name)
    runs = reading.runs.runs(name, 1)
    last = runs[0] if runs else None
    automatic = route.enabled and route.sync.mode == "auto" and not (state and state.stopped)
    seconds = timedelta(seconds=route.sync.interval_seconds)
    due = (last.ended + seconds) if last and last.ended and running and automatic else None
    counts = reading.tallies(state.pair) if state else {}
    return {
        "route": name,
        "mode": route.sync.mode,
        "running": automatic,
        "connected": last is not None and last.exit in (0, 1),
        "company": state.company or None if state else None,
        "last_run": {"run": last.id, "started": iso(last.started), "ended": iso(last.ended), "exit": last.exit}
        if last
        else None,
        "next_run": iso(due),
        "counts": {one.value: counts.get(one.value, 0) for one in State},
        "issues": len(reading.runs.issues(name)) + len(reading.runs.issues("")),
    }


def iso(moment: datetime | None) -> str | None:
    """A moment in UTC to the second, as JSON outputs carry it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
