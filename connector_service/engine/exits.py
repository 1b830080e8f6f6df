"""Exit statuses: what a run stores, a command ends with, and a script asks for."""

from collections.abc import Iterable
from typing import Final

from connector_service.domain.problems import Busy, ConnectorError, NeedsUser, RetryLater, SettingsFault
from connector_service.domain.status_codes import FaultCode, IssueCode

DONE: Final = 0
NEEDS_PERSON: Final = 1
WRONG: Final = 2
OUT_OF_REACH: Final = 3
BUSY: Final = 4
INTERNAL: Final = 5
INTERRUPTED: Final = 130

# What a person typed, or set, does not fit; the other side has nothing to do with it.
_WRONG: Final = frozenset(
    {
        FaultCode.COMMAND_WRONG,
        FaultCode.NOT_FOUND,
        FaultCode.NOT_POSSIBLE_NOW,
        FaultCode.NOT_POSSIBLE_HERE,
        FaultCode.FOLDER_NOT_WRITABLE,
        FaultCode.SETTINGS_UNREADABLE,
        FaultCode.SETTINGS_NOT_WRITABLE,
        IssueCode.SETTINGS_WRONG,
    }
)

# What a person hears of first where several things end differently.
_FIRST: Final = (INTERRUPTED, INTERNAL, WRONG, OUT_OF_REACH, BUSY, NEEDS_PERSON, DONE)


def status_of(fault: ConnectorError) -> int:
    """The exit status that a fault gives to a run or a command."""
    if isinstance(fault, Busy):
        return BUSY
    if isinstance(fault, SettingsFault) or fault.code in _WRONG:
        return WRONG
    return OUT_OF_REACH if isinstance(fault, RetryLater | NeedsUser) else NEEDS_PERSON


def worst_of(statuses: Iterable[int]) -> int:
    """The exit status of several things together; ``DONE`` where there are none."""
    return min(statuses, key=_FIRST.index, default=DONE)
