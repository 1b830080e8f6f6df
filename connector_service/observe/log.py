"""The readable log: one rotating file, kept for the days that the settings say, written through loguru.

Stack traces go to the file only; the console gets sentences. Text that comes from elsewhere cannot forge an entry: each
entry begins at the left edge with its time, and further lines of the same entry are indented.
"""

import contextlib
import logging
import os
import threading
import time
import traceback
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from connector_service.observe.controls import CONTROL
from connector_service.observe.redact import Redactor

if TYPE_CHECKING:
    from loguru import Message, Record

LARGEST: Final = 20_000_000
"""Bytes after which a log file is put aside, besides once a day."""
LONGEST: Final = 20_000
"""Characters of an entry that are written; the rest is counted."""

# What every record of the standard library has; whatever else it has was given by `extra=`.
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# A record that cannot be put together, for instance with too few values for its text.
_BAD_RECORD: Final = (TypeError, ValueError, LookupError, AttributeError)

_LEVELS: Final = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
# Nanoseconds until a file that is too large but could not be put aside is tried again.
_AGAIN_AFTER: Final = 60_000_000_000

_lock = threading.Lock()


def set_up(
    log_file: Path | None,
    *,
    retention_days: int = 400,
    redactor: Redactor | None = None,
    console: TextIO | None = None,
    console_level: str = "WARNING",
    level: str = "INFO",
    on_trouble: Callable[[OSError], None] = lambda _: None,
) -> Callable[[], None]:
    """Take what is logged from now on into ``log_file`` and, as plain sentences, to ``console``; returns what ends it.

    Files are put aside by day and size and removed after ``retention_days``. ``on_trouble`` hears when the log begins
    to be out of order (disk full, no rights): logging never stops the work. Another call replaces what was set up.
    """
    from loguru import logger  # takes 60 ms, and many commands log nothing

    redactor = redactor or Redactor()
    with _lock:
        logger.remove()
        logger.configure(patcher=partial(_clean, redactor))
        if log_file is not None:
            try:
                _add_file(log_file, retention_days, redactor, level)
            except OSError as fault:
                on_trouble(fault)
        if console is not None:
            writer = partial(_to_console, console)
            logger.add(writer, level=console_level, format=_sentence, colorize=False, backtrace=False, diagnose=False)
        bridge = _Bridge(on_trouble)
        root = logging.getLogger()
        for handler in [found for found in root.handlers if isinstance(found, _Bridge)]:
            root.removeHandler(handler)
        root.addHandler(bridge)
        # Libraries tell what goes wrong; only our own parts tell what goes on.
        root.setLevel(logging.WARNING)
        logging.getLogger("connector_service").setLevel(level)
        logging.raiseExceptions = False
        threading.excepthook = _thread_ended
    return partial(_end, bridge)


def _add_file(log_file: Path, retention_days: int, redactor: Redactor, level: str) -> None:
    from loguru import logger

    logger.add(
        log_file,
        level=level,
        format=partial(_entry, redactor),
        rotation=_Rotation(),
        retention=timedelta(days=retention_days),
        encoding="utf-8",
        errors="backslashreplace",
        opener=_private,
        backtrace=False,
        diagnose=False,  # it would write the values of variables
        catch=False,  # it would print a stack trace to the console; the bridge hears of it instead
    )


def _end(bridge: "_Bridge") -> None:
    from loguru import logger

    with _lock:
        if bridge in logging.getLogger().handlers:
            logging.getLogger().removeHandler(bridge)
            logger.remove()
            threading.excepthook = threading.__excepthook__


class _Bridge(logging.Handler):
    """Hands records of the standard library to loguru."""

    def __init__(self, on_trouble: Callable[[OSError], None]) -> None:
        super().__init__()
        self._on_trouble = on_trouble
        self._in_order = True

    def emit(self, record: logging.LogRecord) -> None:
        from loguru import logger

        try:
            message = record.getMessage()
        except _BAD_RECORD:
            message = f"{record.msg} {record.args}"
        given = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        level: str | int = record.levelname if record.levelname in _LEVELS else record.levelno
        bound = logger.bind(**given).patch(partial(_named, record.name)).opt(exception=record.exc_info)
        for last in (False, True):
            try:
                bound.log(level, "{}", message)
            except OSError as fault:
                # Once more: a file that could not be put aside, since somebody reads it, can still be written.
                if last and self._in_order:
                    self._in_order = False
                    self._on_trouble(fault)
            else:
                self._in_order = True
                return


class _Rotation:
    """True when the file is of another day than the entry, or too large."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._not_before = 0

    def __call__(self, message: "Message", file: TextIO) -> bool:
        today = message.record["time"].date()
        size = os.fstat(file.fileno()).st_size
        if self._day is None:
            # A file that is there from before: the day of its last entry.
            last = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime).astimezone().date()
            self._day = last if size else today
        another_day, self._day = self._day != today, today
        too_large = size + len(message) > LARGEST and time.monotonic_ns() >= self._not_before
        if too_large:
            self._not_before = time.monotonic_ns() + _AGAIN_AFTER
        return bool(size) and (another_day or too_large)


def _named(name: str, record: "Record") -> None:
    record["name"] = name


def _clean(redactor: Redactor, record: "Record") -> None:
    record["message"] = _shown(redactor(record["message"]))
    record["extra"] = {str(key): redactor.value(str(key), value) for key, value in record["extra"].items()}


def _entry(redactor: Redactor, record: "Record") -> str:
    """One entry of the file, as a template that loguru fills."""
    text = record["message"]
    if record["extra"]:
        text += "  " + " ".join(_shown(f"{key}={value}") for key, value in record["extra"].items())
    exception = record["exception"]
    if exception is not None and exception.type is not None:
        trace = "".join(traceback.format_exception(exception.type, exception.value, exception.traceback))
        text += "\n" + _shown(redactor(trace.rstrip()))
    fields: dict[str, Any] = record  # type: ignore[assignment]
    fields["text"] = text.replace("\n", "\n    ")
    return "{time:YYYY-MM-DD HH:mm:ss.SSS Z} | {level: <8} | {name} | {text}\n"


def _sentence(record: "Record") -> str:
    """What the console gets: the message, without a stack trace."""
    return "{message}\n"


def _shown(text: str) -> str:
    """Text whose control characters can be seen and do nothing, cut where it is very long."""
    text = text.replace("\r\n", "\n")
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text) - LONGEST} more characters)"
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def _to_console(console: TextIO, message: str) -> None:
    # A console that was closed, or that lacks a character, must not end a run.
    with contextlib.suppress(OSError, ValueError):
        console.write(message)
        console.flush()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is SystemExit or ended.exc_value is None:
        return
    name = ended.thread.name if ended.thread else "?"
    logging.getLogger("connector_service").critical(
        "A part of the service ended unexpectedly: %s.", name, exc_info=ended.exc_value
    )
