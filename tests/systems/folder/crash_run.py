"""One run over a drop folder in a process of its own, for tests that end it in the middle.

It stands for the engine: what is committed goes, synced, into a file of keys, and only then the source is told.
"""

import os
import sys
from pathlib import Path

from connector_service.contract.source import Window
from connector_service.domain.documents import Unreadable
from connector_service.domain.kinds import Kind
from tests.systems.folder.drop import Drop


def main(home: Path) -> None:
    """Read all kinds; commit each record if it is new."""
    store = home / "store.txt"
    known = set(store.read_text().splitlines()) if store.exists() else set()
    source = Drop(home).open()
    for kind in Kind:
        for record in source.read(kind, None, Window()):
            unit = f"{kind} {record.key}{' unreadable' if isinstance(record, Unreadable) else ''}"
            if unit not in known:
                known.add(unit)
                with store.open("a") as stream:
                    stream.write(unit + "\n")
                    stream.flush()
                    os.fsync(stream.fileno())
            source.taken(kind, [record.key])
    source.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
