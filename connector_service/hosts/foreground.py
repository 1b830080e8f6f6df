"""The service in the foreground: automatic runs and watched folders, until a signal ends it."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any, Final

from connector_service.app import App, Hooks
from connector_service.contract.source import Watching
from connector_service.domain.problems import ConnectorError
from connector_service.engine.exits import DONE, INTERNAL, INTERRUPTED, NEEDS_PERSON, status_of
from connector_service.engine.report import run_in_words
from connector_service.engine.run import Request, RunResult, issue_of
from connector_service.engine.schedule import Scheduler

PATIENCE_SECONDS: Final = 10.0
"""How long runs under way may take to end once the service is asked to stop."""
_LOOK_SECONDS: Final = 0.5
_ENDED_WELL: Final = (DONE, NEEDS_PERSON)
"""Exit statuses of a run that came to its end."""

_log = logging.getLogger(__name__)


class Foreground:
    """Runs the routes of one data folder; the caller holds its lock."""

    def __init__(self, app: App, say: Callable[[str], None]) -> None:
        """``say`` tells the person at the console what goes on."""
        self._app = app
        self._say = say
        self._stopping = threading.Event()
        self._signal = ""
        self._count = threading.Lock()
        self._last_exit: dict[str, int] = {}
        self._last_words: dict[str, str] = {}
        self.runs = 0
        """Runs that have ended."""

    def run(self) -> str:
        """Run until a signal comes; returns ``stopped``, or ``interrupted`` for Ctrl-C.

        Raises ``SettingsFaults`` before anything is begun. Runs under way end after the batch that they are at; what
        is not finished in ``PATIENCE_SECONDS`` is cut off, and goes on at the next start.
        """
        routes = self._app.loaded.settings.routes
        scheduler = Scheduler(self._run_route)
        with self._signals(), ExitStack() as watches:
            scheduler.start()
            self._tell(f"The service is running (process {os.getpid()}). Ctrl-C stops it.")
            for name, route in routes.items():
                if not route.enabled or route.sync.mode != "auto" or self._is_stopped(name):
                    self._tell(f"Route {name} does not sync by itself: it is switched off, manual or stopped.")
                    continue
                scheduler.set_route(name, route.sync.interval_seconds)
                self._watch(name, scheduler, watches)
                self._tell(f"Route {name} syncs every {route.sync.interval_seconds} seconds.")
            if not routes:
                self._tell(f"No route is set up in {self._app.paths.settings_file} yet.")
            while not self._stopping.wait(_LOOK_SECONDS):
                pass
            self._tell("Stopping: what is being sent now is finished first.")
        self._end(scheduler)
        self._tell("The service has stopped.")
        return self._signal

    def stop(self, how: str = "stopped") -> None:
        """Ask it to stop; returns at once."""
        self._signal = self._signal or how
        self._stopping.set()

    # -- routes -------------------------------------------------------------------------------------------------------

    def _is_stopped(self, name: str) -> bool:
        state = self._app.store.route_state(name)
        return state is not None and state.stopped

    def _watch(self, name: str, scheduler: Scheduler, watches: ExitStack) -> None:
        """Let a source that can tell when something has come ask for a run at once."""
        try:
            with ExitStack() as opened:
                source = opened.enter_context(self._app.route(name, peek=True)).source
                if isinstance(source, Watching):
                    watch = source.watch(lambda: scheduler.ask(name, "auto"))
                    watches.enter_context(opened.pop_all())
                    watches.callback(watch.stop)
        except (ConnectorError, OSError) as fault:
            _log.warning("Route %s: its source is not watched, and looked at at each interval only: %s", name, fault)

    def _run_route(self, name: str, mode: str) -> None:
        if self._stopping.is_set() or (mode == "auto" and self._is_stopped(name)):
            return
        try:
            result = self._app.sync(name, Request(mode=mode), Hooks(stopping=self._stopping.is_set))
        except ConnectorError as fault:
            self._app.store.open_issue(name, issue_of(fault))
            self._note(name, status_of(fault), str(fault))
        except Exception:  # noqa: BLE001 - the boundary of a run: the issue was opened, and the other routes go on
            _log.exception("Route %s: the run was ended by a fault of this program.", name)
            self._note(name, INTERNAL, "the run was ended by a fault of this program; the log has the details")
        else:
            self._note(name, result.exit, self._words(name, result))
        with self._count:
            self.runs += 1

    def _words(self, name: str, result: RunResult) -> str:
        if result.fault is not None:
            return str(result.fault)
        section = self._app.settings_of(name).target
        title = self._app.loaded.systems.target(section.system).title
        changed = result.counts.get("read", 0) - result.counts.get("unchanged", 0)
        return run_in_words(result.counts, result.totals, title) if changed else ""

    def _note(self, name: str, status: int, words: str) -> None:
        """Tell of what was done, of the first failure and of the recovery, and not of every retry."""
        before, said = self._last_exit.get(name, DONE), self._last_words.get(name)
        self._last_exit[name], self._last_words[name] = status, words
        bad = status not in _ENDED_WELL
        # What stands as it stood, such as documents that are still held, is no news at each interval.
        if (bad and before == status) or (words and words == said):
            return
        if words or (before not in _ENDED_WELL and not bad):
            _log.log(logging.WARNING if bad else logging.INFO, "Route %s: %s", name, words or "it works again.")
            self._say(f"Route {name}: {words or 'it works again.'}")

    # -- the end ------------------------------------------------------------------------------------------------------

    def _end(self, scheduler: Scheduler) -> None:
        ending = threading.Thread(target=scheduler.stop, name="ending", daemon=True)
        ending.start()
        ending.join(PATIENCE_SECONDS)
        if ending.is_alive():
            _log.warning("A run did not end in %s seconds and is cut off.", PATIENCE_SECONDS)
            self._say("A run did not end in time and is cut off; it goes on at the next start. Nothing is sent twice.")
            sys.stderr.flush()
            # The threads of a run that hangs would keep the process alive for ever; intents make this harmless.
            os._exit(INTERRUPTED if self._signal == "interrupted" else DONE)

    def _tell(self, words: str) -> None:
        _log.info(words)
        self._say(words)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        wanted: dict[Any, str] = {signal.SIGINT: "interrupted", signal.SIGTERM: "stopped"}
        if hasattr(signal, "SIGBREAK"):
            wanted[signal.SIGBREAK] = "stopped"

        def came(number: int, _frame: FrameType | None) -> None:
            self.stop(wanted[signal.Signals(number)])

        before = {number: signal.signal(number, came) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
