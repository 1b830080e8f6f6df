"""What a check of the trail can find, and how it says so."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from connector_service.domain.status_codes import IssueCode


class Finding(Enum):
    """What a check of the trail found first."""

    FINE = "fine"
    TORN_TAIL = "torn_tail"
    """The last append was not finished; the store still holds its lines. Harmless."""
    CHANGED = "changed"
    """A line was changed, or put in by somebody who has not the key."""
    REMOVED = "removed"
    REORDERED = "reordered"
    REPEATED = "repeated"
    MONTHS_MISSING = "months_missing"
    CUT_OFF = "cut_off"
    """The trail ends before the last line that was ever sealed, and the store does not hold the rest."""
    STORE_OLDER = "store_older"
    """The trail goes on where the store ends: the store was restored."""
    OTHER_HISTORY = "other_history"
    """Genuine lines that belong to another history than the lines before, or than the store."""
    KEY_CHANGED = "key_changed"
    """Lines were sealed with a key that is not in the vault."""


_HARMLESS: Final = frozenset({Finding.FINE, Finding.TORN_TAIL})
_STORE_BEHIND: Final = frozenset({Finding.STORE_OLDER, Finding.OTHER_HISTORY})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a check, with its words for the user."""

    finding: Finding
    lines: int
    """How many lines were found good before the place, those that wait in the store included."""
    title: str
    why: str = ""
    fix: str = ""
    file: str = ""
    """The file of the first bad line; empty where there is none, or where it waits in the store."""
    line: int = 0
    """Its number in that file, from 1."""
    sequence: int = 0
    """The sequence that was expected there, or the first that is missing."""

    @property
    def ok(self) -> bool:
        """Whether nothing needs a person."""
        return self.finding in _HARMLESS

    @property
    def code(self) -> str:
        """The code of the issue to open; empty where all is well."""
        if self.ok:
            return ""
        return IssueCode.STORE_BEHIND if self.finding in _STORE_BEHIND else IssueCode.AUDIT_BROKEN


_KEEP: Final = (
    "Copy the audit folder as it is now, and find out who could write there. A backup shows what stood there."
)
_RESTORE: Final = (
    "Put the audit folder back from its last backup. If nobody can say where the lines went, keep a copy as it is now."
)
_TOGETHER: Final = (
    "Confirm the issue STORE_BEHIND: what was booked is taken from the trail, and everything else is looked up in the "
    "target before it is sent. Or put back store and audit folder from one backup."
)

_TEXTS: Final[dict[Finding, tuple[str, str, str]]] = {
    Finding.FINE: ("The audit trail is whole: {lines} lines, none changed, removed or moved.", "", ""),
    Finding.TORN_TAIL: (
        "The audit trail is whole: {lines} lines. Only its last append was not finished.",
        "The service ended while it wrote at {where}. The store still holds what was to be written.",
        "Nothing to do: it is completed when the service writes the next time.",
    ),
    Finding.CHANGED: (
        "The audit trail was changed: {where} is not what was written there.",
        "{detail}",
        _KEEP,
    ),
    Finding.REMOVED: (
        "Lines were removed from the audit trail before {where}: {missing}.",
        "The line that stands there follows on one that is no longer there.",
        _RESTORE,
    ),
    Finding.REORDERED: (
        "Lines of the audit trail were moved: at {where} stands line {found}, where line {sequence} belongs.",
        "The line that belongs there stands further down.",
        _KEEP,
    ),
    Finding.REPEATED: (
        "A line of the audit trail stands there twice: {where} repeats line {found}.",
        "It is a genuine line, copied from its place.",
        _KEEP,
    ),
    Finding.MONTHS_MISSING: (
        "Files of the audit trail are missing before {where}: {missing}.",
        "{detail}",
        _RESTORE,
    ),
    Finding.CUT_OFF: (
        "The end of the audit trail was cut off: {missing} after {where}.",
        "They were written, and the store has let go of them since.",
        _RESTORE,
    ),
    Finding.STORE_OLDER: (
        "The store is older than the audit trail: it knows the lines up to {found}, the trail goes on to line {last}.",
        "The store was restored from a backup, or its last changes were lost with a power cut. No line was changed.",
        _TOGETHER,
    ),
    Finding.OTHER_HISTORY: (
        "The audit trail and the store tell two histories, which part at {where}.",
        "The lines are genuine, but follow on others: a store was restored and went on, or the folder is not its own.",
        _TOGETHER,
    ),
    Finding.KEY_CHANGED: (
        "{missing} of the audit trail cannot be proved: they were sealed with another key than the vault holds.",
        "{detail}",
        "Restore the vault from a backup with the other key, and check again. Without it only their order is proved.",
    ),
}


def verdict(
    finding: Finding,
    lines: int,
    *,
    file: str = "",
    line: int = 0,
    sequence: int = 0,
    found: int = 0,
    last: int = 0,
    detail: str = "",
) -> Verdict:
    """A verdict with its words. ``sequence`` to ``last`` are the lines concerned; ``found`` is what stands there."""
    where = f"{file}, line {line:,}" if file and line else file or f"line {sequence:,} (it waits in the store)"
    missing = f"line {sequence:,}" if last <= sequence else f"lines {sequence:,} to {last:,}"
    values = {
        "lines": f"{lines:,}",
        "where": where,
        "missing": missing,
        "sequence": f"{sequence:,}",
        "found": f"{found:,}",
        "last": f"{last:,}",
        "detail": detail,
    }
    title, why, fix = (text.format_map(values) for text in _TEXTS[finding])
    return Verdict(finding, lines, title[:1].upper() + title[1:], why, fix, file, line, sequence)
