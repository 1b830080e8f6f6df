"""Status codes: why a document may not be pushed yet, and what an issue is about. Their texts stand in ``messages``."""

from enum import StrEnum
from typing import Final


class StatusCode(StrEnum):
    """The checks, in the order in which the first failed one gives a document its status code."""

    UNREADABLE = "UNREADABLE"
    NOT_SENT = "NOT_SENT"
    NOT_APPROVED = "NOT_APPROVED"
    DATED_BEFORE_BEGIN = "DATED_BEFORE_BEGIN"
    PARTY_NOT_LINKED = "PARTY_NOT_LINKED"
    LINK_WRONG = "LINK_WRONG"
    PARTY_INACTIVE = "PARTY_INACTIVE"
    CARE_OF_NOT_LINKED = "CARE_OF_NOT_LINKED"
    EMPLOYEE_NOT_LINKED = "EMPLOYEE_NOT_LINKED"
    NUMBER_MISSING = "NUMBER_MISSING"
    NUMBER_EXISTS = "NUMBER_EXISTS"
    SAME_NUMBER_OTHER_CONTENT = "SAME_NUMBER_OTHER_CONTENT"
    ACCOUNT_NOT_MAPPED = "ACCOUNT_NOT_MAPPED"
    ITEM_NOT_MAPPED = "ITEM_NOT_MAPPED"
    TAX_NOT_MAPPED = "TAX_NOT_MAPPED"
    COST_CODE_NOT_MAPPED = "COST_CODE_NOT_MAPPED"
    PROJECT_NOT_MAPPED = "PROJECT_NOT_MAPPED"
    TERM_NOT_MAPPED = "TERM_NOT_MAPPED"
    PAY_ITEM_NOT_MAPPED = "PAY_ITEM_NOT_MAPPED"
    LINE_WITHOUT_TEXT = "LINE_WITHOUT_TEXT"
    TOTAL_MISMATCH = "TOTAL_MISMATCH"
    PERIOD_CLOSED = "PERIOD_CLOSED"
    CURRENCY_NOT_ENABLED = "CURRENCY_NOT_ENABLED"
    RATE_MISSING = "RATE_MISSING"
    FIELD_TOO_LONG = "FIELD_TOO_LONG"


ORDER: Final[dict[str, int]] = {code.value: place for place, code in enumerate(StatusCode)}
"""The place of each check."""


class OutcomeCode(StrEnum):
    """Codes beside the checks that a document can carry for what happened to it at the target or at the source."""

    REFUSED_BY_TARGET = "REFUSED_BY_TARGET"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    BOOKED_DIFFERS = "BOOKED_DIFFERS"
    CHANGED_AT_SOURCE = "CHANGED_AT_SOURCE"


class IssueCode(StrEnum):
    """What an open issue is about."""

    STORE_BEHIND = "STORE_BEHIND"
    STORE_SET_ASIDE = "STORE_SET_ASIDE"
    SOURCE_EMPTY = "SOURCE_EMPTY"
    SOURCE_SHRUNK = "SOURCE_SHRUNK"
    TOO_MANY_NEW = "TOO_MANY_NEW"
    BEGIN_DATE_NEEDED = "BEGIN_DATE_NEEDED"
    SOURCE_UNREACHABLE = "SOURCE_UNREACHABLE"
    TARGET_UNREACHABLE = "TARGET_UNREACHABLE"
    GRANT_DEAD = "GRANT_DEAD"
    SETTINGS_WRONG = "SETTINGS_WRONG"
    DOCUMENT_IN_DOUBT = "DOCUMENT_IN_DOUBT"
    DOCUMENT_DRIFTED = "DOCUMENT_DRIFTED"
    BOOKED_DIFFERS = "BOOKED_DIFFERS"
    WRITEBACK_FAILED = "WRITEBACK_FAILED"
    DISK_FULL = "DISK_FULL"
    AUDIT_BROKEN = "AUDIT_BROKEN"
    RUN_BROKE = "RUN_BROKE"


class FaultCode(StrEnum):
    """What stopped a step or a command. The fault carries its own words, as they depend on the place and the file."""

    FOLDER_NOT_WRITABLE = "FOLDER_NOT_WRITABLE"
    """The data folder, or one in it, cannot be made or written."""
    SETTINGS_UNREADABLE = "SETTINGS_UNREADABLE"
    """The settings file is not TOML, or may not be read."""
    SETTINGS_NOT_WRITABLE = "SETTINGS_NOT_WRITABLE"
    """The settings file cannot be saved; the old one is untouched."""
    VAULT_LOCKED = "VAULT_LOCKED"
    """The key store of the operating system does not answer in this session."""
    VAULT_UNREADABLE = "VAULT_UNREADABLE"
    """The vault holds something that is not ours, or is damaged."""
    VAULT_NOT_WRITABLE = "VAULT_NOT_WRITABLE"
    """A secret cannot be stored."""
    VAULT_OPEN_TO_OTHERS = "VAULT_OPEN_TO_OTHERS"
    """Other users of the computer may read a file with secrets."""
    AUDIT_KEY_UNUSABLE = "AUDIT_KEY_UNUSABLE"
    """The vault's key of the audit trail is not a key."""
    AUDIT_NOT_WRITTEN = "AUDIT_NOT_WRITTEN"
    """The audit trail could not be written for now; it is tried again."""
    DRIVER_MISSING = "DRIVER_MISSING"
    """The driver for a kind of database is not installed."""
    SIGN_IN_NEEDED = "SIGN_IN_NEEDED"
    """A secret that the system asks for is not stored yet, or is not accepted."""
    RIGHT_MISSING = "RIGHT_MISSING"
    """The user under whom a system is read or written lacks a right there."""
    NOT_POSSIBLE_NOW = "NOT_POSSIBLE_NOW"
    """An action does not fit the document's state."""
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    """A run and a person changed the same document in the same moment; the later one looks again."""
    NOT_POSSIBLE_HERE = "NOT_POSSIBLE_HERE"
    """The system does not declare what an action needs."""
    NOT_FOUND = "NOT_FOUND"
    """There is nothing under the number or name that a command gives."""
    LINKS_WRONG = "LINKS_WRONG"
    """A file of links has lines that do not fit."""
    COMMAND_WRONG = "COMMAND_WRONG"
    """A command cannot be carried out as it was typed."""
    INTERRUPTED = "INTERRUPTED"
    """A person ended a command before it was done."""
    INTERNAL_FAULT = "INTERNAL_FAULT"
    """A fault of the program ended a command; the log has it."""
