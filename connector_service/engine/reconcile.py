"""Source against books for a period, document by document, to the cent."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias

from connector_service.contract.source import Window
from connector_service.contract.target import Booked, BookedState
from connector_service.domain.documents import MoneyDocument, SourceRecord, TimeRecord, Unreadable
from connector_service.domain.identity import pair_digest
from connector_service.domain.kinds import BOOKED_STATES, Kind, State
from connector_service.domain.money import ZERO
from connector_service.engine.chunks import CHUNK, chunked
from connector_service.engine.setup import Route, external_reference

# A document may be booked on another day than its own (a closed period), so the books are read a little wider.
_MARGIN: Final = timedelta(days=31)

Others: TypeAlias = Callable[[Sequence[str]], set[str]]
"""Which of these ids in the books are documents that another route has put there."""


class Finding(StrEnum):
    """What can be wrong between the two sides."""

    MISSING = "missing"
    """At the source and exported by us, and not in the books."""
    EXTRA = "extra"
    """In the books under our reference, and not at the source."""
    TWICE = "twice"
    """In the books more than once."""
    TOTAL = "total"
    TAX = "tax"
    DATE = "date"
    NUMBER = "number"
    NOT_EXPORTED = "not_exported"
    """At the source in the period, and not exported yet."""


@dataclass(frozen=True, slots=True)
class Row:
    """One difference."""

    finding: Finding
    kind: Kind
    key: str
    number: str
    date: date | None
    source: str
    books: str
    state: str = ""
    remote_id: str = ""


@dataclass(slots=True)
class Reconciliation:
    """What was compared and what differs."""

    compared: int = 0
    equal: int = 0
    before_begin: int = 0
    """Records dated before the begin date or marked: not ours to compare."""
    by_others: int = 0
    """Documents in the books that another route has put there: not ours to compare."""
    rows: list[Row] = field(default_factory=list)
    source_totals: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    """By kind and currency, what the source has in the period (minutes for time)."""
    books_totals: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return not self.rows


def _nobody(_remote_ids: Sequence[str]) -> set[str]:
    return set()


def reconcile(route: Route, first: date, last: date, others: Others = _nobody) -> Reconciliation:
    """Compare every document of a period; writes nothing. Raises ``RetryLater`` where a side is out of reach."""
    company = route.target.company()
    pair = route.journal.find_pair(route.source.identity(), company.id)
    found = Reconciliation()
    digest = pair_digest(route.source.identity(), company.id)
    for kind in route.kinds():
        _extra(kind, _kind(route, pair, digest, kind, Window(first, last), found), others, found)
    return found


def _kind(
    route: Route, pair: int | None, digest: str, kind: Kind, window: Window, found: Reconciliation
) -> list[Booked]:
    """Compare one kind; returns what the books have beyond what the source has."""
    wide = Window(
        window.first - _MARGIN if window.first > date(1, 3, 1) else window.first,
        window.last + _MARGIN if window.last < date(9999, 11, 1) else window.last,
    )
    booked: dict[str, list[Booked]] = {}
    for one in route.target.booked(kind, wide.first, wide.last):
        if one.state is not BookedState.VOID and one.external_reference:
            booked.setdefault(one.external_reference, []).append(one)
    for chunk in chunked(_records(route, pair, kind, window)):
        known = {}
        if pair is not None:
            known = route.journal.known(pair, kind, route.made_from(kind), [record.key for record in chunk])
        for record in chunk:
            before = known.get(record.key)
            if isinstance(record, Unreadable):
                found.compared += 1
                found.rows.append(
                    Row(
                        Finding.NOT_EXPORTED,
                        kind,
                        record.key,
                        record.number,
                        record.date,
                        record.reason,
                        "",
                        "unreadable",
                    )
                )
                continue
            if before is not None and before.state in (State.MARKED, State.IGNORED):
                found.before_begin += 1
                continue
            reference = external_reference(digest, kind, route.made_from(kind), record.key)
            _compare(found, record, booked.pop(reference, []), before.state if before else None)
    return [one for rows in booked.values() for one in rows if one.date is None or window.holds(one.date)]


def _records(route: Route, pair: int | None, kind: Kind, window: Window) -> Iterator[SourceRecord]:
    """What the source has of a period; of a source that hands each record over once, what it handed over."""
    if not route.source.manifest.consumes:
        yield from route.source.read(kind, None, window)
    elif pair is not None:
        after = 0
        while held := route.journal.stored(pair, kind, route.made_from(kind), window, after, CHUNK):
            after = held[-1].known.id
            yield from (one.document for one in held if one.document is not None)


def _extra(kind: Kind, extra: list[Booked], others: Others, found: Reconciliation) -> None:
    foreign = others([one.remote_id for one in extra]) if extra else set()
    for one in extra:
        if one.remote_id in foreign:
            found.by_others += 1
            continue
        row = Row(Finding.EXTRA, kind, "", one.number, one.date, "", str(one.total or ""), "", one.remote_id)
        found.rows.append(row)
        _add(found.books_totals, kind, one.currency, one.total or ZERO)


def _compare(
    found: Reconciliation, record: MoneyDocument | TimeRecord, booked: list[Booked], state: State | None
) -> None:
    found.compared += 1
    kind = record.kind
    currency = record.currency if isinstance(record, MoneyDocument) else "minutes"
    total = record.total if isinstance(record, MoneyDocument) else Decimal(record.minutes)
    _add(found.source_totals, kind, currency, total)
    fixed: dict[str, Any] = {"kind": kind, "key": record.key, "number": record.number, "date": record.date}
    fixed["state"] = state.value if state else "new"
    if not booked:
        exported = state in BOOKED_STATES
        finding = Finding.MISSING if exported else Finding.NOT_EXPORTED
        found.rows.append(Row(finding, source=format(total, "f"), books="", **fixed))
        return
    if len(booked) > 1:
        ids = ", ".join(one.remote_id for one in booked)
        found.rows.append(Row(Finding.TWICE, source=format(total, "f"), books=ids, **fixed))
    differing = False
    for one in booked:
        _add(found.books_totals, kind, currency, one.total if one.total is not None else total)
        for finding, ours, theirs in _differing(record, total, one):
            differing = True
            found.rows.append(Row(finding, source=ours, books=theirs, remote_id=one.remote_id, **fixed))
    found.equal += not differing and len(booked) == 1


def _differing(
    record: MoneyDocument | TimeRecord, total: Decimal, booked: Booked
) -> Iterator[tuple[Finding, str, str]]:
    if booked.total is not None and booked.total != total:
        yield Finding.TOTAL, format(total, "f"), format(booked.total, "f")
    if isinstance(record, MoneyDocument) and booked.tax_total is not None and booked.tax_total != record.tax_total:
        yield Finding.TAX, format(record.tax_total, "f"), format(booked.tax_total, "f")
    if booked.date is not None and booked.date != record.date:
        yield Finding.DATE, record.date.isoformat(), booked.date.isoformat()
    if booked.number and record.number and booked.number != record.number:
        yield Finding.NUMBER, record.number, booked.number


def _add(totals: dict[str, dict[str, Decimal]], kind: Kind, currency: str, amount: Decimal) -> None:
    entry = totals.setdefault(kind.value, {})
    unit = currency or ("minutes" if kind is Kind.TIME_RECORD else "")
    entry[unit] = entry.get(unit, ZERO) + amount
