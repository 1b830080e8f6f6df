"""Reports: what a run did, or would do, in the words and the JSON that page, command line and API share."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, Protocol

from connector_service.contract.journal import IssueRow, RunRow
from connector_service.domain.kinds import Kind, State
from connector_service.domain.messages import duration
from connector_service.domain.moments import moment_text
from connector_service.domain.money import money_text
from connector_service.domain.problems import Problem

COUNTED: Final = tuple(state.value for state in State)
"""The states that ``counts`` of a report has, each even where it is zero."""
FOR_A_PERSON: Final = (State.HELD, State.REFUSED, State.IN_DOUBT, State.UNREADABLE, State.DRIFTED)
"""States in which a document waits for a person."""


class Row(Protocol):
    """A document as a report shows it: from the store, or planned only."""

    @property
    def id(self) -> int | None:
        """Its number in the store; none before it is there."""
        ...

    @property
    def kind(self) -> Kind:
        """Its kind."""
        ...

    @property
    def key(self) -> str:
        """Its key at the source."""
        ...

    @property
    def number(self) -> str:
        """Its number."""
        ...

    @property
    def date(self) -> date | None:
        """Its date."""
        ...

    @property
    def party(self) -> str:
        """The party's or employee's name, or key where the name is not known."""
        ...

    @property
    def currency(self) -> str:
        """Its currency; empty for time."""
        ...

    @property
    def total(self) -> Decimal:
        """Its total; minutes for time."""
        ...

    @property
    def state(self) -> State:
        """Its state."""
        ...

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What stands in its way."""
        ...

    @property
    def remote_id(self) -> str:
        """Its id in the books."""
        ...

    @property
    def flags(self) -> tuple[str, ...]:
        """Its flags."""
        ...


def problem_json(found: Problem) -> dict[str, Any]:
    """One problem."""
    return {
        "code": found.code,
        "what": found.what,
        "why": found.why,
        "fix": found.fix,
        "field": found.field or None,
        "actions": list(found.actions),
    }


def document_json(row: Row, action: str = "") -> dict[str, Any]:
    """One document of a report or a list; amounts as text with all their decimals."""
    first = row.problems[0] if row.problems else None
    shown: dict[str, Any] = {
        "id": row.id,
        "kind": row.kind.value,
        "key": row.key,
        "number": row.number,
        "date": row.date.isoformat() if row.date else None,
        "party": row.party,
        "currency": row.currency or None,
        "total": money_text(row.total, row.currency) if row.currency else None,
    }
    if row.kind is Kind.TIME_RECORD:
        shown["minutes"] = int(row.total)
    shown |= {
        "state": row.state.value,
        "status_code": first.code if first else None,
        "problems": [problem_json(one) for one in row.problems],
        "message": first.what if first else None,
        "remote_id": row.remote_id or None,
        "flags": list(row.flags),
    }
    if action:
        shown["action"] = action
    return shown


def issue_json(row: IssueRow) -> dict[str, Any]:
    """One issue."""
    return {
        "id": row.id,
        "route": row.route or None,
        "code": row.code,
        "what": row.what,
        "why": row.why,
        "fix": row.fix,
        "key": row.key or None,
        "opened": moment_text(row.opened),
        "count": row.count,
        "confirmable": row.confirmable,
    }


def counts_json(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts with every state, so that a reader need not ask whether one is there."""
    shown = {"read": counts.get("read", 0), "unchanged": counts.get("unchanged", 0)}
    return shown | {state: counts.get(state, 0) for state in COUNTED}


def report_head(row: RunRow, seconds: float) -> dict[str, Any]:
    """A report without its documents and issues, which may be many and are streamed by the caller."""
    return {
        "route": row.route,
        "run": row.id or None,
        "mode": row.mode,
        "dry_run": row.dry_run,
        "started": moment_text(row.started),
        "seconds": round(seconds, 3),
        "counts": counts_json(row.counts),
        "totals": row.totals,
    }


def sum_up(rows: Iterable[Row]) -> tuple[dict[str, int], dict[str, Any]]:
    """Counts by state and totals by kind and currency of planned documents: what would be exported counts as such."""
    counts: dict[str, int] = {}
    sums: dict[str, dict[str, dict[str, Decimal]]] = {}
    for row in rows:
        counts[row.state] = counts.get(row.state, 0) + 1
        if row.state in (State.MARKED, State.IGNORED, State.UNREADABLE, State.GONE):
            continue
        unit = row.currency or ("minutes" if row.kind is Kind.TIME_RECORD else "")
        entry = sums.setdefault(row.kind.value, {}).setdefault(unit, {"source": Decimal(0), "exported": Decimal(0)})
        entry["source"] += row.total
        if row.state in (State.EXPORTED, State.WAITING):
            entry["exported"] += row.total
    totals = {
        kind: {
            unit: {side: money_text(value, unit) if unit != "minutes" else str(value) for side, value in sides.items()}
            for unit, sides in units.items()
        }
        for kind, units in sums.items()
    }
    return counts, totals


def run_in_words(counts: Mapping[str, int], totals: Mapping[str, Any], target: str, planned: bool = False) -> str:
    """What a run did, or would do, with its numbers: "117 of 120 exported, 2 held. EUR 10.00 of EUR 12.00."."""
    known = counts_json(counts)
    exported = known[State.WAITING] if planned else known[State.EXPORTED]
    done = "would be exported" if planned else "exported"
    aside = known[State.MARKED] + known[State.IGNORED] + known[State.GONE]
    scope = sum(known[state] for state in COUNTED) - aside
    parts = [f"{exported:,} of {scope:,} {done}"] if scope else []
    words = _WORDS | {State.REFUSED: f"refused by {target}"}
    shown = [state for state in COUNTED if known[state] and state in words and not (planned and state == State.WAITING)]
    parts += [f"{known[state]:,} {words[State(state)]}" for state in shown]
    if not parts:
        looked = (
            f"{known['read']:,} read, none of them new or changed" if known["read"] else "no record is new or changed"
        )
        return f"Nothing to do: {looked}."
    amounts = list(_amounts(totals)) if scope else []
    return f"{', '.join(parts)}." + (f" {', '.join(amounts)}." if amounts else "")


_WORDS: Final[dict[State, str]] = {
    State.HELD: "held",
    State.UNREADABLE: "unreadable",
    State.IN_DOUBT: "in doubt",
    State.WAITING: "waiting for the next run",
    State.QUEUED: "queued",
    State.DRIFTED: "changed at the source since their export",
    State.UNDONE: "undone",
    State.MISSING: "missing in the books",
    State.MARKED: "marked as exported before",
    State.IGNORED: "ignored",
    State.GONE: "gone at the source",
}


def _amounts(totals: Mapping[str, Any]) -> Iterator[str]:
    """By currency over all kinds of money, then time: what is exported of what the source has."""
    sums: dict[str, list[Decimal]] = {}
    for units in totals.values():
        for unit, sides in units.items():
            entry = sums.setdefault(unit, [Decimal(0), Decimal(0)])
            entry[0] += Decimal(sides["exported"])
            entry[1] += Decimal(sides["source"])
    minutes = sums.pop("minutes", None)
    for unit, (exported, source) in sorted(sums.items()):
        yield f"{unit} {exported:,} of {unit} {source:,}"
    if minutes:
        yield f"{duration(int(minutes[0]))} of {duration(int(minutes[1]))} of time"
