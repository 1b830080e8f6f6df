"""Documents that need a person, grouped by cause, with the fix and the command to press."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from connector_service.cli.output import Out, plural
from connector_service.domain.kinds import Kind, State
from connector_service.domain.messages import KIND_WORDS, duration
from connector_service.domain.money import round_money
from connector_service.domain.problems import Problem
from connector_service.engine.report import FOR_A_PERSON, Row

_SHOWN: Final = 5

_COMMANDS: Final = {
    "retry": "connector documents retry {id}",
    "ignore": "connector documents ignore {id}",
    "mark": "connector documents mark {id}",
    "mark-sent": "connector documents mark-sent {id}",
    "accept": "connector documents accept {id}",
    "undo": "connector documents undo {id}",
    "settle": "connector documents settle {id} --booked REMOTE_ID (or --not-booked)",
}
# A code of these is cleared by a link of this kind; the problem's field is the source key where it is a party.
_LINKED: Final = {
    "PARTY_NOT_LINKED": "",
    "LINK_WRONG": "",
    "PARTY_INACTIVE": "",
    "CARE_OF_NOT_LINKED": "",
    "EMPLOYEE_NOT_LINKED": "employee",
    "ACCOUNT_NOT_MAPPED": "account",
    "ITEM_NOT_MAPPED": "item",
    "TAX_NOT_MAPPED": "tax_code",
    "COST_CODE_NOT_MAPPED": "cost_code",
    "PROJECT_NOT_MAPPED": "project",
    "TERM_NOT_MAPPED": "term",
    "PAY_ITEM_NOT_MAPPED": "pay_item",
}


@dataclass(slots=True)
class _Cause:
    count: int = 0
    rows: list[Row] = field(default_factory=list)


class Causes:
    """Takes rows one by one and keeps a few of each cause, so that a long run needs no memory."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._groups: dict[tuple[State, str], _Cause] = {}

    def take(self, row: Row) -> None:
        """Look at one document."""
        if row.state not in FOR_A_PERSON:
            return
        code = row.problems[0].code if row.problems else ""
        group = self._groups.setdefault((row.state, code), _Cause())
        group.count += 1
        if len(group.rows) < _SHOWN:
            group.rows.append(row)

    def take_all(self, rows: Iterable[Row]) -> "Causes":
        """Look at many."""
        for row in rows:
            self.take(row)
        return self

    def say(self, out: Out, route: str) -> None:
        """The groups, the largest first: what, why, fix and command."""
        for (state, code), group in sorted(self._groups.items(), key=lambda one: -one[1].count):
            first = group.rows[0].problems[0] if group.rows[0].problems else None
            title = f"{plural(group.count, 'document')} {str(state).replace('_', ' ')}"
            out.say()
            out.say(f"{title} ({code})" if code else title)
            # What all share is said once below; what differs is said with each document.
            problems = [row.problems[0] for row in group.rows if row.problems]
            one_why = len({problem.why for problem in problems}) == 1
            one_fix = len({problem.fix for problem in problems}) == 1
            for row in group.rows:
                if not row.problems:
                    out.say(f"  {label(row)}")
                    continue
                found = row.problems[0]
                out.say(f"  {label(row)}: {found.what}")
                for part in ("" if one_why else found.why, "" if one_fix else found.fix):
                    if part:
                        out.say(f"    {part}")
            if group.count > len(group.rows):
                out.say(f"  and {group.count - len(group.rows):,} more: {_list_command(route, state, code)}")
            if first is None:
                continue
            for part in (first.why if one_why else "", first.fix if one_fix else ""):
                if part:
                    out.say(f"  {part}")
            command = command_for(first, route, group.rows[0])
            if command:
                out.say(f"  Press: {command}")


def label(row: Row) -> str:
    """A document in a few words: its number here, kind, number, party and amount."""
    number = f"{row.id} " if row.id else ""
    parts = (f"{number}{KIND_WORDS[row.kind][0]} {row.number or row.key}", row.party, amount(row))
    return ", ".join(part for part in parts if part)


def amount(row: Row) -> str:
    """The amount with its currency, or the time."""
    if row.kind is Kind.TIME_RECORD:
        return duration(int(row.total))
    if not row.currency:
        return ""
    return f"{row.currency} {round_money(row.total, row.currency):,}"


def command_for(found: Problem, route: str, row: Row) -> str:
    """The command that clears a problem; empty where it is cleared elsewhere."""
    kind = _LINKED.get(found.code)
    if kind is not None:
        party = kind in ("", "employee")
        role = kind or ("customer" if row.kind.is_sales or row.kind is Kind.TIME_RECORD else "supplier")
        key = found.field if party and found.field else "SOURCE_KEY"
        return f"connector links set {route} {role} {_quoted(key)} TARGET_ID"
    action = next((one for one in found.actions if one in _COMMANDS), "")
    if action == "retry" and row.state is not State.REFUSED:
        return f"connector sync {route}"  # every run looks again at what is held
    return _COMMANDS[action].format(id=row.id) if action and row.id else ""


def _quoted(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() else '"' + key.replace('"', '\\"') + '"'


def _list_command(route: str, state: State, code: str) -> str:
    return f"connector documents {route} --state {state}" + (f" --code {code}" if code else "")
