"""A process of its own on a store: ``python -m tests.unit.store.worker COMMAND FOLDER``. It prints what came of it.

``open``      opens the store as the service does.
``read``      opens it as a command that only reads does, and counts documents.
``write N``   adds documents one by one, from the number of those that are there to N.
``lock``      takes the folder's lock, says so, and waits for the end of its input.
``trylock``   takes the lock and lets go of it.
"""

import sys
from pathlib import Path

from connector_service.domain.kinds import Kind
from connector_service.domain.problems import ConnectorError
from connector_service.store.listing import Filter
from connector_service.store.lock import FolderLock
from tests.support.documents import plain
from tests.unit.store.support import Place, open_store


def main(command: str, folder: Path, many: int = 0) -> None:
    """Do it, or print the fault."""
    try:
        if command in ("lock", "trylock"):
            lock = FolderLock(folder / "engine.lock")
            lock.take(what="connector sync main")
            print("taken", flush=True)
            if command == "lock":
                sys.stdin.read()
            lock.release()
            return
        store = open_store(folder, read_only=command == "read")
        if command == "write":
            place = Place(store)
            for number in range(store.listing.count(Filter()) + 1, many + 1):
                place.add(plain(Kind.SALES_INVOICE, number))
                print(number, flush=True)
        print("documents", store.listing.count(Filter()))
        store.close()
    except ConnectorError as fault:
        print(type(fault).__name__, fault.code, fault)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int((sys.argv[3:] or ["0"])[0]))
