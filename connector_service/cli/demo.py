"""``connector demo``: a sample shop and a folder of e-invoices, synced into books of its own."""

import signal
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from connector_service.cli.faults import INTERRUPTED, worst_of, wrong
from connector_service.cli.groups import command, new_app
from connector_service.cli.session import Session, session_of
from connector_service.demo import place
from connector_service.domain.problems import Busy, ConnectorError

if TYPE_CHECKING:
    from connector_service.app import App
    from connector_service.engine.run import RunResult

app: typer.Typer = new_app()

TARGET: Final = "journal"
"""The only target that the demo can set up by itself."""
_SLICE_SECONDS: Final = 0.2


@command(app)
def demo(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Sync once and end.")] = False,
    target: Annotated[str, typer.Option(metavar="SYSTEM", help="Where documents are booked: journal.")] = TARGET,
    # There is no page yet that these could be about; scripts that name them already go on.
    no_browser: Annotated[bool, typer.Option("--no-browser", hidden=True)] = False,
    port: Annotated[int, typer.Option("--port", hidden=True)] = 0,
) -> int:
    """Try it: a sample shop and a folder of e-invoices, synced into books of their own; Ctrl-C ends it."""
    session = session_of(ctx)
    _known_target(target)
    if session.as_json and not once:
        raise wrong("--json tells of one sync, and the demo goes on until it is ended.", fix="Add --once.")
    paths = place.demo_paths(session.home)
    session.home = str(paths.home)
    is_new = not place.is_made(paths)
    place.claim(paths)
    results, interrupted, seconds = _first_sync(session, is_new, once)
    if interrupted:
        return INTERRUPTED
    return worst_of(result.exit for result in results.values()) if once else _stay(session, results, seconds)


def _known_target(target: str) -> None:
    from connector_service.contract.registry import TARGETS

    if target == TARGET:
        return
    known = target in TARGETS
    raise wrong(
        f"The demo cannot book into {target} by itself." if known else f'There is no target system "{target}".',
        f"{target} needs an account of yours; a route for it is set up in connector.toml."
        if known
        else f"Targets that the product has: {', '.join(sorted(TARGETS))}.",
        f"Leave --target out, or say --target {TARGET}.",
    )


def _first_sync(session: Session, is_new: bool, once: bool) -> "tuple[dict[str, RunResult], bool, int]":
    """The report of each route, whether Ctrl-C was pressed, and the seconds between two automatic runs."""
    from connector_service.app import Hooks
    from connector_service.cli.demo_story import Story
    from connector_service.cli.progress import interruptible, progress
    from connector_service.engine.run import Request

    results: dict[str, RunResult] = {}
    with session.writing("the demo", first=lambda paths: place.make(paths, session.out.note)) as opened:
        with interruptible(session.out.note) as stop, progress() as tell:
            for route in place.ROUTES:
                if not stop.pressed:
                    results[route] = opened.sync(route, Request(), Hooks(tell, stop.is_set))
        if session.as_json:
            session.out.document(_json(opened, results))
        else:
            Story(session.out, opened).tell(results, is_new, 0 if once else _interval(opened))
        return results, stop.pressed, _interval(opened)


def _interval(opened: "App") -> int:
    return min(opened.settings_of(route).sync.interval_seconds for route in place.ROUTES)


def _json(opened: "App", results: "dict[str, RunResult]") -> dict[str, Any]:
    from connector_service.cli.sync import report_parts

    counts: dict[str, int] = {}
    reports = []
    for route, result in results.items():
        head, documents, tail = report_parts(opened, route, result)
        reports.append({**head, "documents": list(documents), **tail})
        for state, count in head["counts"].items():
            counts[state] = counts.get(state, 0) + count
    return {"counts": counts, "routes": reports}


# -- staying ----------------------------------------------------------------------------------------------------------


def _stay(session: Session, results: "dict[str, RunResult]", seconds: int) -> int:
    """Sync at each interval until Ctrl-C; the folder is free in between, so that other commands can work on it."""
    from connector_service.cli.progress import interruptible

    watcher = Watcher(session, results, seconds)
    session.out.close()  # what was said must be seen while the demo goes on, in a pipe too
    with interruptible(lambda _words: None, signal.SIGTERM) as stop:
        while not _sleep(watcher.interval_seconds, stop.is_set):
            try:
                watcher.turn(stop.is_set)
            except Busy:
                continue  # another command is at work; the next turn comes soon
            except ConnectorError as fault:
                watcher.stopped_by("The demo", str(fault))
    session.out.say("The demo has ended. Its folder stays; start it again to go on.")
    return INTERRUPTED


class Watcher:
    """Runs the routes in turn, and tells in a line each time something happened."""

    def __init__(self, session: Session, results: "dict[str, RunResult]", seconds: int) -> None:
        """What ``results`` say has been told already."""
        self._session = session
        self._waiting = {route: _waiting(result) for route, result in results.items()}
        self._fault = {route: result.message for route, result in results.items()}
        self.interval_seconds = seconds
        """Time until the next turn, as the settings say."""

    def turn(self, stopped: Callable[[], bool]) -> None:
        """One automatic run of each route that is not stopped; raises ``Busy`` where the folder is in use."""
        from connector_service.app import Hooks
        from connector_service.engine.run import Request

        with self._session.writing("the demo's automatic sync") as opened:
            self.interval_seconds = _interval(opened)
            for route in place.ROUTES:
                state = opened.store.route_state(route)
                if stopped() or (state is not None and state.stopped):
                    continue
                try:
                    result = opened.sync(route, Request(mode="auto"), Hooks(stopping=stopped))
                except ConnectorError as fault:
                    self.stopped_by(route, str(fault))
                else:
                    self._result(route, result)

    def _result(self, route: str, result: "RunResult") -> None:
        from connector_service.engine.report import run_in_words

        self.stopped_by(route, result.message)
        waiting, before = _waiting(result), self._waiting.get(route, 0)
        self._waiting[route] = waiting
        if not result.message and (waiting > before or _news(result)):
            self._say(route, run_in_words(result.counts, result.totals, "the books"))

    def stopped_by(self, route: str, message: str) -> None:
        """Tell what stops a route, once, and when it has gone."""
        before, self._fault[route] = self._fault.get(route, ""), message
        if message != before:
            self._say(route, message or "It works again.")

    def _say(self, route: str, words: str) -> None:
        self._session.out.say(f"{datetime.now().astimezone():%H:%M:%S}  {route}: {words}")
        self._session.out.close()


def _waiting(result: "RunResult") -> int:
    """How many documents wait for a person."""
    from connector_service.engine.report import FOR_A_PERSON

    return sum(result.counts.get(state, 0) for state in FOR_A_PERSON)


def _news(result: "RunResult") -> bool:
    """Whether a run changed anything but what waits for a person, and is looked at in each run."""
    from connector_service.engine.report import FOR_A_PERSON

    quiet = {"read", "unchanged", *FOR_A_PERSON}
    return any(count for state, count in result.counts.items() if state not in quiet)


def _sleep(seconds: float, stopped: Callable[[], bool]) -> bool:
    """Wait, in slices that Ctrl-C can end on every system; whether the end was asked for."""
    until = time.monotonic() + seconds
    while not stopped() and time.monotonic() < until:
        time.sleep(_SLICE_SECONDS)
    return stopped()
