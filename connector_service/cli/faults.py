"""What stops a command, and with which exit status it ends."""

from connector_service.domain.problems import SettingsFault
from connector_service.domain.status_codes import FaultCode
from connector_service.engine.exits import (
    BUSY,
    DONE,
    INTERNAL,
    INTERRUPTED,
    NEEDS_PERSON,
    OUT_OF_REACH,
    WRONG,
    status_of,
    worst_of,
)

__all__ = [
    "BUSY",
    "DONE",
    "INTERNAL",
    "INTERRUPTED",
    "NEEDS_PERSON",
    "OUT_OF_REACH",
    "WRONG",
    "not_read",
    "not_written",
    "status_of",
    "worst_of",
    "wrong",
]


def wrong(what: str, why: str = "", fix: str = "") -> SettingsFault:
    """A command that cannot be carried out as it was typed."""
    return SettingsFault(what, why=why, fix=fix, code=FaultCode.COMMAND_WRONG)


def not_read(file: str, fault: OSError) -> SettingsFault:
    """A file that a command names cannot be read."""
    return wrong(f"The file {file} cannot be read.", why=f"The system says: {fault.strerror or fault}.")


def not_written(file: str, fault: OSError) -> SettingsFault:
    """A file that a command names cannot be written."""
    return wrong(f"The file {file} cannot be written.", why=f"The system says: {fault.strerror or fault}.")
