"""A process that flushes once: ``python -m tests.unit.audit.flush_once FOLDER [LIMIT [kill]]``.

It prints how many lines it wrote, or the fault.
``LIMIT`` is the largest size of a file in bytes (RLIMIT_FSIZE); with ``kill`` the system ends the process there.
"""

import signal
import sys
from pathlib import Path

from connector_service.audit.flush import Flusher
from connector_service.domain.problems import ConnectorError
from tests.unit.audit.support import Outbox


def main(folder: Path, limit: int = 0, kill: bool = False) -> None:
    """Flush the outbox ``outbox.db`` beside ``audit``."""
    outbox = Outbox(folder / "outbox.db")
    if limit:
        import resource

        if kill:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        print(Flusher(outbox, folder / "audit").flush().written)
    except ConnectorError as fault:
        print(type(fault).__name__, fault.code, fault)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int((sys.argv[2:] or ["0"])[0]), sys.argv[3:] == ["kill"])
