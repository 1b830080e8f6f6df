"""From what a system answers to the problem that a person reads: each system fills the same table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connector_service.domain.problems import (
    Conflict,
    ConnectorError,
    NeedsUser,
    OutcomeUnknown,
    Problem,
    Refused,
    RetryLater,
)

_LONGEST: Final = 500
_GENERAL: Final = "TARGET_UNREACHABLE"


@dataclass(frozen=True, slots=True)
class Said:
    """A refusal in a system's own words."""

    status: int = 0
    """HTTP status; 0 where the refusal is of one document within an answer."""
    code: str = ""
    """The maker's own code."""
    message: str = ""
    detail: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a refusal means: its class says what happens next, its texts what a person reads.

    Texts may hold ``{title}``, ``{code}``, ``{message}``, ``{detail}`` and ``{field}``; an empty ``why`` is the maker's
    own words.
    """

    raises: type[ConnectorError]
    what: str
    fix: str
    why: str = ""
    code: str = ""
    after_seconds: int = 60
    actions: tuple[str, ...] = ("retry",)


_SIGN_IN: Final = Rule(
    NeedsUser,
    "{title} no longer accepts the connection.",
    "Connect again: `connector connect {route}`. Nothing is lost meanwhile.",
    code="GRANT_DEAD",
)
_NO_RIGHT: Final = Rule(
    NeedsUser,
    "{title} does not allow this user to do that.",
    "Give the user that connected the route that right, or connect with another: `connector connect {route}`.",
    code=_GENERAL,
)
_CHANGED: Final = Rule(Conflict, "It was changed in {title} in the meantime.", "It is read again by itself.")
_BY_STATUS: Final[dict[int, Rule]] = {
    401: _SIGN_IN,
    402: Rule(
        NeedsUser, "The subscription to {title} does not allow this.", "Look at the subscription in {title}.",
        code=_GENERAL,
    ),
    403: _NO_RIGHT,
    404: Rule(Refused, "{title} does not know what was asked for.", "Look for it there; it may have been removed."),
    409: _CHANGED,
    412: _CHANGED,
    429: Rule(RetryLater, "{title} takes no more calls for now.", "It goes on by itself."),
}  # fmt: skip
_REFUSED: Final = Rule(Refused, "{title} refused it.", "Correct what it names, in the source or in {title}.")
_TROUBLE: Final = Rule(RetryLater, "{title} is in trouble itself.", "It is tried again by itself.", code=_GENERAL)


class Refusals:
    """The table of one system."""

    def __init__(
        self,
        title: str,
        rules: Mapping[str | int | tuple[int, str], Rule] | None = None,
        *,
        route: str = "ROUTE",
        unreachable_code: str = "TARGET_UNREACHABLE",
    ) -> None:
        """``rules`` by status and the maker's code, by the code, or by the status; they are looked for in that order.

        A source gives ``SOURCE_UNREACHABLE`` as the code of general trouble.
        """
        self._title, self._route, self._unreachable = title, route, unreachable_code
        self._rules = dict(rules or {})

    def rule(self, said: Said) -> Rule:
        """The rule that fits best; there is always one."""
        for key in ((said.status, said.code), said.code, said.status):
            if key in self._rules:
                return self._rules[key]
        if said.status >= 500:
            return _TROUBLE
        return _BY_STATUS.get(said.status, _REFUSED)

    def fault(self, said: Said, *, key: str = "", write: bool = False) -> ConnectorError:
        """The fault to raise. A 5xx to a ``write`` leaves its outcome unknown, whatever the table says."""
        rule = self.rule(said)
        what, why, fix = self._texts(rule, said)
        if write and said.status >= 500:
            return OutcomeUnknown(f"It is not known whether {self._title} carried out what was sent.", why=why, key=key)
        code = self._unreachable if rule.code == _GENERAL else rule.code
        if issubclass(rule.raises, RetryLater):
            return rule.raises(what, why=why, fix=fix, code=code, key=key, after_seconds=rule.after_seconds)
        return rule.raises(what, why=why, fix=fix, code=code, key=key)

    def problem(self, said: Sequence[Said]) -> Problem:
        """What stands in one document's way, as the target's refusal: the first rule's words, all of the maker's."""
        first = said[0] if said else Said()
        rule = self.rule(first)
        what, why, fix = self._texts(rule, first)
        others = [_own_words(one) for one in said[1:]]
        why = " ".join([why, *(text for text in others if text and text not in why)])
        return Problem("REFUSED_BY_TARGET", what, why, fix, first.field, rule.actions)

    def _texts(self, rule: Rule, said: Said) -> tuple[str, str, str]:
        known = {
            "title": self._title,
            "route": self._route,
            "code": said.code,
            "message": _short(said.message),
            "detail": _short(said.detail),
            "field": said.field,
        }
        why = rule.why.format_map(known).strip() or _own_words(said)
        return rule.what.format_map(known), why, rule.fix.format_map(known)


def _own_words(said: Said) -> str:
    parts = [_short(said.message)]
    if said.detail and said.detail not in said.message:
        parts.append(_short(said.detail))
    text = " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)
    marks = [mark for mark in (said.code and f"code {said.code}", said.status and f"status {said.status}") if mark]
    told = f"It says: {text}" if text else "It gives no reason."
    return f"{told} ({', '.join(marks)})" if marks else told


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
