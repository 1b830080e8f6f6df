"""The state of service and routes, by a few cheap reads; it opens no system and imports little, so that it is fast."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connector_service import __version__
from connector_service.contract.journal import Event
from connector_service.domain.kinds import State
from connector_service.domain.moments import moment_text
from connector_service.paths import Paths
from connector_service.settings import Loaded, Route, load
from connector_service.store.database import Database
from connector_service.store.documents import Documents
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
        trail = Trail(own, NoSealer())
        runs, documents = Runs(own, trail), Documents(own, trail)
        routes = [_route(runs, documents, name, route, running) for name, route in loaded.settings.routes.items()]
    finally:
        if database is None:
            own.close()
    pid = owner.get("pid") if owner and running else None
    return {"service": {"running": running, "version": __version__, "pid": pid}, "routes": routes}


def _route(runs: Runs, documents: Documents, name: str, route: Route, running: bool) -> dict[str, Any]:
    state = runs.route_state(name)
    last = next(iter(runs.runs(name, 1)), None)
    automatic = route.enabled and route.sync.mode == "auto" and not (state and state.stopped)
    seconds = timedelta(seconds=route.sync.interval_seconds)
    due = (last.ended + seconds) if last and last.ended and running and automatic else None
    counts = documents.tallies(state.pair) if state else {}
    return {
        "route": name,
        "mode": route.sync.mode,
        "running": automatic,
        "connected": last is not None and last.exit in (0, 1),
        "company": state.company or None if state else None,
        "last_run": {"run": last.id, "started": _text(last.started), "ended": _text(last.ended), "exit": last.exit}
        if last
        else None,
        "next_run": _text(due),
        "counts": {one.value: counts.get(one, 0) for one in State},
        "issues": len(runs.issues(name)) + len(runs.issues("")),
    }


def _text(moment: datetime | None) -> str | None:
    return moment_text(moment) if moment else None
