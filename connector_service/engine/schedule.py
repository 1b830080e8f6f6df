"""Automatic runs: timers and watchers only ask for a route; one worker a route carries it out."""

import threading
from collections.abc import Callable
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler

_GRACE: Final = 3600


class Scheduler:
    """Runs routes at their intervals and when they are asked for, never one route twice at a time.

    Missed runs (sleep, a clock that jumped) are made up for by one run, not by many.
    """

    def __init__(self, run: Callable[[str, str], None]) -> None:
        """``run(route, mode)`` is called in a worker thread and raises nothing."""
        self._run = run
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
        self._locks: dict[str, threading.Lock] = {}
        self._asked: set[str] = set()
        self._guard = threading.Lock()

    def start(self) -> None:
        """Begin to run what is due."""
        self._scheduler.start()

    def set_route(self, route: str, seconds: int) -> None:
        """Run a route now and then at each interval; a further call changes the interval."""
        self._scheduler.add_job(
            self._auto,
            "interval",
            seconds=seconds,
            id=route,
            args=[route],
            replace_existing=True,
            misfire_grace_time=_GRACE,
        )
        self.ask(route, "auto")

    def ask(self, route: str, mode: str) -> None:
        """Ask for a run soon; asking again while one waits changes nothing."""
        with self._guard:
            if f"{route}:{mode}" in self._asked:
                return
            self._asked.add(f"{route}:{mode}")
        self._scheduler.add_job(self._asked_for, args=[route, mode], misfire_grace_time=_GRACE)

    def stop(self) -> None:
        """No more runs are begun; waits for those under way."""
        self._scheduler.shutdown(wait=True)

    def _auto(self, route: str) -> None:
        self._exclusive(route, "auto")

    def _asked_for(self, route: str, mode: str) -> None:
        with self._guard:
            self._asked.discard(f"{route}:{mode}")
        self._exclusive(route, mode)

    def _exclusive(self, route: str, mode: str) -> None:
        with self._guard:
            lock = self._locks.setdefault(route, threading.Lock())
        if mode == "auto" and lock.locked():
            return
        with lock:
            self._run(route, mode)
