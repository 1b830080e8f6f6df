"""Processes that ask for the access at the same moment, at a time given, and print the header; tests start it."""

import multiprocessing
import os
import sys
from multiprocessing.synchronize import Barrier
from pathlib import Path

from connector_service.domain.problems import ConnectorError
from tests.unit.http.sign_in import keeper


def ask(start: Barrier | None, home: str, url: str, now: float, grace: int) -> None:
    tokens = keeper(Path(home), url, lambda: now, grace_seconds=grace)
    if start is not None:
        start.wait(60)
    try:
        text = tokens.headers()["authorization"]
    except ConnectorError as fault:
        text = fault.code
    os.write(1, f"{text}\n".encode())  # whole lines, whoever else writes


def main(home: str, url: str, now: str, grace: str, count: str) -> None:
    if count == "1":
        ask(None, home, url, float(now), int(grace))
        return
    if "fork" in multiprocessing.get_all_start_methods():
        multiprocessing.set_start_method("fork")  # starts fastest, and this process has no threads
    start = multiprocessing.Barrier(int(count))
    arguments = (start, home, url, float(now), int(grace))
    children = [multiprocessing.Process(target=ask, args=arguments) for _ in range(int(count))]
    for child in children:
        child.start()
    for child in children:
        child.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
