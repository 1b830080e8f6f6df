"""A clock of our own, and a look at windows."""

import threading


class FakeClock:
    """Time that goes on when somebody waits for it. Waiting for other threads is real, as it ends by their doing."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.time

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        if seconds is None:
            condition.wait(20)
        else:
            self.waits.append(seconds)
            self.time += seconds


def most_within(moments: list[float], length: float) -> int:
    """The most that any window of this length holds, wherever it begins."""
    moments = sorted(moments)
    most, first = 0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= length:
            first += 1
        most = max(most, last - first + 1)
    return most
