"""What is wrong with the settings, in sentences, all of it at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from connector_service.domain.problems import SettingsFault

CODE: Final = "SETTINGS_WRONG"
"""The code of every fault in the settings."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not fit."""

    place: str
    """The dotted key, such as ``routes.main.sync.interval_seconds``; empty for the file as a whole."""
    what: str
    """What was found. Never a value that may be a secret."""
    why: str
    """Why it does not fit."""
    fix: str
    """What to write instead."""
    line: int | None = None
    """Line in the file, from 1."""
    column: int | None = None
    """Column in the line, from 1, where it is known."""

    def __str__(self) -> str:
        """One paragraph: place and line, then what, why and fix."""
        at = f"line {self.line}" if self.line else ""
        at += f", column {self.column}" if self.line and self.column else ""
        head = " ".join(part for part in (self.place, f"({at})" if at else "") if part)
        return (f"{head}: " if head else "") + " ".join(part for part in (self.what, self.why, self.fix) if part)

    def at(self, line: int | None) -> "Fault":
        """The same at a line."""
        return self if self.line else replace(self, line=line)


class SettingsFaults(SettingsFault):
    """Everything that is wrong with a settings file; ``faults`` holds each."""

    def __init__(self, file: str, faults: Iterable[Fault]) -> None:
        """``file`` is the path as the user knows it."""
        self.faults: Sequence[Fault] = tuple(sorted(faults, key=lambda fault: fault.line or 0))
        count = len(self.faults)
        things = "one thing that does not fit" if count == 1 else f"{count} things that do not fit"
        super().__init__(
            f"The settings in {file} have {things}.",
            why="\n".join(f"- {fault}" for fault in self.faults),
            fix="Nothing was done. Mend the file and try again.",
            code=CODE,
        )

    def __str__(self) -> str:
        """Each fault in its own line."""
        return f"{self.what}\n{self.why}\n{self.fix}"
