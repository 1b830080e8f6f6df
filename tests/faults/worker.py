"""A process that has everything imported and does each piece of work in a fork of itself, so that a kill is cheap.

It reads one order a line from standard input, as JSON, and writes one answer a line. The forks are the processes that
are ended: at a named point, or from outside by kill -9 after so many seconds.
"""

import gc
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from connector_service.app import App, Filter
from connector_service.contract.crashpoints import KILLED, set_hook
from connector_service.domain.kinds import State
from connector_service.domain.problems import ConnectorError
from connector_service.engine.run import Request
from connector_service.sources.sql import client
from tests.faults import shop


def do(home: Path, step: str) -> dict[str, Any]:
    """One step of an order; what the product says against it is in the answer."""
    verb, _, argument = step.partition(":")
    try:
        if verb == "grow":
            if not shop.has_grown(home, shop.LATER):
                shop.grow(home, int(argument), shop.LATER)
            return {}
        with App(home, write=True) as app:
            if verb == "undo":
                return _undo(app, argument)
            if verb == "confirm":
                app.confirm(int(argument), "Alex")
                return {}
            result = app.sync("main", Request())
            fault = result.fault.code if result.fault else ""
            return {"exit": result.exit, "counts": result.counts, "message": result.message, "code": fault}
    except ConnectorError as fault:
        return {"exit": 3, "code": fault.code, "message": str(fault), "fix": fault.fix, "raised": True}


def _undo(app: App, key: str) -> dict[str, Any]:
    rows, _ = app.documents("main", Filter(states=(State.EXPORTED, State.UNDONE), text=key), 0, 10)
    row = next(one for one in rows if one.key == key)
    if row.state is State.EXPORTED:
        app.act(row.id, "undo", "Alex")
    return {}


def in_fork(order: dict[str, Any], answer: int) -> None:
    """Do the steps of an order; never returns."""
    passed: Counter[str] = Counter()

    def at_point(name: str) -> None:
        passed[name] += 1
        if name == order.get("point") and passed[name] == order.get("passing", 1):
            os._exit(KILLED)

    status = 70
    try:
        set_hook(at_point)
        limits = order.get("limits")
        if limits:
            _limit(**limits)
        done = [do(Path(order["home"]), step) for step in order["steps"]]
        with os.fdopen(answer, "w", encoding="utf-8") as pipe:
            json.dump({"steps": done, "passed": passed}, pipe)
        status = 0
    except BaseException:  # noqa: BLE001 - a fork must never return into the loop of its parent
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


def _limit(user: int | None = None, file_size: int | None = None, lock_seconds: int | None = None) -> None:
    """Work as another user, with files of so many bytes at most, or with so much patience for a locked source."""
    import resource

    if lock_seconds is not None:
        client._LOCK = lock_seconds  # type: ignore[misc]  # half a minute otherwise
    if file_size is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)


def carry_out(order: dict[str, Any]) -> dict[str, Any]:
    """Fork, wait or kill, and tell how it ended."""
    reading, writing = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if not child:
        os.close(reading)
        in_fork(order, writing)
    os.close(writing)
    text = b""
    # The pipe ends with the process: of whatever it dies.
    until = began + order["kill_after"] if order.get("kill_after") is not None else None
    while True:
        left = None if until is None else max(0.0, until - time.monotonic())
        if not select.select([reading], [], [], left)[0]:
            os.kill(child, signal.SIGKILL)
            until = None
            continue
        block = os.read(reading, 1 << 16)
        if not block:
            break
        text += block
    os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    told = json.loads(text) if status == 0 else {}
    return {"status": status, "seconds": time.monotonic() - began, **told}


def main() -> None:
    """Warm up by one whole run, then take orders until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warm = Path(tempfile.mkdtemp())
    try:
        shop.make_home(warm, 20)
        done = do(warm, "sync")
        assert done["exit"] == 0, done
    finally:
        shutil.rmtree(warm)
    gc.collect()
    gc.freeze()
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(carry_out(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
