"""What went wrong, in words for a person, and sorted by what happens next."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that stands in a document's way: what, why and how to clear it."""

    code: str
    what: str
    why: str
    fix: str
    field: str = ""
    """The field of the document, with the line's number where it is one: ``line 2, account``."""
    actions: tuple[str, ...] = ()
    """Names of the actions that clear it, the main one first."""


class ConnectorError(Exception):
    """A problem that stops a step. Its subclasses say what happens next.

    ``code`` names it for machines; ``what``, ``why`` and ``fix`` are sentences for the user; ``key`` names the record.
    """

    def __init__(self, what: str, *, why: str = "", fix: str = "", code: str = "", key: str = "") -> None:
        """Keep the parts; the text of the exception is all of them."""
        self.code = code or _code_of(type(self))
        self.what = what
        self.why = why
        self.fix = fix
        self.key = key
        super().__init__(" ".join(part for part in (what, why, fix) if part))


class RetryLater(ConnectorError):
    """It goes away by itself: out of reach, throttled, busy. ``after_seconds`` says when to try again."""

    def __init__(
        self, what: str, *, why: str = "", fix: str = "", code: str = "", key: str = "", after_seconds: int = 60
    ) -> None:
        """Keep the parts and the wait."""
        super().__init__(what, why=why, fix=fix, code=code, key=key)
        self.after_seconds = after_seconds


class NeedsUser(ConnectorError):
    """A person must do something first: sign in, give a right, choose, confirm."""


class SettingsFault(NeedsUser):
    """The command or the settings are wrong; nothing was done."""


class Refused(ConnectorError):
    """The other side looked at it and said no; the same request will be refused again."""


class Conflict(ConnectorError):
    """The other side has changed in between, or has it already; look again before going on."""


class OutcomeUnknown(ConnectorError):
    """A write may or may not have happened; nothing is sent again until the target has been asked."""


class Stop(ConnectorError):
    """Going on would do harm: the route stops until a person confirms."""


class Busy(ConnectorError):
    """Another process owns the data folder, or another run owns the route."""


def _code_of(kind: type[ConnectorError]) -> str:
    name = kind.__name__
    return "".join("_" + char if char.isupper() and at else char for at, char in enumerate(name)).upper()


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs between two sides."""

    field: str
    before: str
    after: str
