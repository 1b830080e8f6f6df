"""A bar while a run is going, in a terminal only; and Ctrl-C, which ends a run after the batch that it is at."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from connector_service.domain.messages import KIND_WORDS


@contextmanager
def progress() -> Iterator[Callable[[str, int], None]]:
    """What a run tells its progress to; silent where standard error is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda _what, _count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Starting", total=None)

        def tell(what: str, count: int) -> None:
            words = f"Looking at {KIND_WORDS[what][1]}" if what in KIND_WORDS else what.capitalize()
            bar.update(task, description=words, advance=count)

        yield tell


@dataclass(slots=True)
class Interrupt:
    """Whether a person pressed Ctrl-C."""

    pressed: bool = field(default=False)

    def is_set(self) -> bool:
        """As a run asks it."""
        return self.pressed


@contextmanager
def interruptible(say: Callable[[str], None], *also: signal.Signals) -> Iterator[Interrupt]:
    """The first Ctrl-C lets the run end after its batch, the second ends it at once; nothing is lost either way.

    ``also`` are signals that count as Ctrl-C does.
    """
    found = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return

    def pressed(_number: int, _frame: FrameType | None) -> None:
        if found.pressed:
            raise KeyboardInterrupt
        found.pressed = True
        say("Stopping after what is being sent now. Press Ctrl-C again to stop at once.")

    before = {number: signal.signal(number, pressed) for number in (signal.SIGINT, *also)}
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
