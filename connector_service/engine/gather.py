"""Gathers what the planner is to see: by bulk statements and one look-up for a whole chunk, never one per document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from connector_service.contract.journal import Known
from connector_service.contract.manifest import ListPolicy
from connector_service.contract.target import Booked, CompanyInfo, LookUp
from connector_service.domain.documents import SourceRecord, TimeRecord, Unreadable
from connector_service.domain.kinds import Kind, State
from connector_service.domain.reference import LIST_OF, Link, LinkKind, ReferenceKind, ReferenceRecord
from connector_service.engine.checks import Checker, number_scope
from connector_service.engine.matching import normal
from connector_service.engine.plan import needs_checks
from connector_service.engine.setup import Route
from connector_service.engine.view import Policy, TargetList, View

_PUT_ASIDE = (State.IGNORED, State.GONE)


@dataclass(slots=True)
class Gatherer:
    """Builds views; what does not change during a run is read once, and only when a record needs it."""

    route: Route
    pair: int | None
    company: CompanyInfo
    begin_is_new: bool = False
    ask_first: bool = False
    _base: View | None = field(default=None)
    _planned: dict[tuple[Kind, str], list[tuple[str, str]]] = field(default_factory=dict)

    def base(self) -> View:
        """The view without numbers."""
        if self._base is None:
            journal, manifest = self.route.journal, self.route.target.manifest
            links = journal.links(self.pair) if self.pair is not None else {}
            closed = [kind for kind in LinkKind if manifest.policy(kind) is ListPolicy.CLOSED]
            lists = {kind: _indexed(journal.reference(self.company.id, LIST_OF[kind])) for kind in closed}
            self._base = View(
                policy(self.route, self.begin_is_new, self.ask_first), manifest, self.company, links, lists
            )
        return self._base

    def add_links(self, links: Sequence[Link]) -> None:
        """Links that were made while planning are known to the chunks that follow."""
        if links:
            base = self.base()
            merged = {**base.links, **{(link.kind, link.source_key): link for link in links}}
            self._base = replace(base, links=merged)

    def add_numbers(self, records: Sequence[SourceRecord]) -> None:
        """Numbers of records that were planned and not stored are known to the chunks that follow: for a preview."""
        for one in records:
            if one.number and not isinstance(one, TimeRecord | Unreadable):
                self._planned.setdefault((one.kind, one.number), []).append((one.key, one.party_key))

    def view(self, kind: Kind, records: Sequence[SourceRecord], known: Mapping[str, Known]) -> View:
        """The view for one chunk of records of one kind."""
        base = self.base()
        if kind is Kind.TIME_RECORD:
            return base
        checked = [one for one in records if not isinstance(one, Unreadable) and needs_checks(one, known.get(one.key))]
        numbers = self._numbers(kind, checked)
        taken = self._taken(kind, checked, base)
        return replace(base, numbers=numbers, taken=taken)

    def _numbers(
        self, kind: Kind, records: Sequence[SourceRecord]
    ) -> dict[tuple[Kind, str], tuple[tuple[str, str], ...]]:
        by_number: dict[tuple[Kind, str], list[tuple[str, str]]] = {}
        for one in records:
            if one.number and not isinstance(one, TimeRecord | Unreadable):
                by_number.setdefault((kind, one.number), []).append((one.key, one.party_key))
        for at, carriers in by_number.items():
            carriers.extend(self._planned.get(at, []))
        if self.pair is not None and by_number:
            stored = self.route.journal.same_numbers(self.pair, kind, [number for _, number in by_number])
            own = {one.key for one in records}  # what these carry now counts, not what they carried when last read
            for number, rows in stored.items():
                by_number[kind, number] += [
                    (key, party) for key, party, state in rows if state not in _PUT_ASIDE and key not in own
                ]
        # One carrier is the rule, and no news to the planner.
        return {at: tuple(rows) for at, rows in by_number.items() if len({key for key, _ in rows}) > 1}

    def _taken(
        self, kind: Kind, records: Sequence[SourceRecord], base: View
    ) -> dict[tuple[Kind, str, str], tuple[Booked, ...]]:
        if not base.manifest.number_lookup or kind not in base.manifest.unique_numbers:
            return {}
        checker = Checker(base)
        questions: dict[tuple[Kind, str, str], LookUp] = {}
        for one in records:
            if isinstance(one, TimeRecord | Unreadable) or not one.number:
                continue
            scope = number_scope(one, checker.check(one, _no_reference) if base.lists else None)
            questions[kind, one.number, scope] = LookUp(kind, number=one.number, party_id=scope)
        if not questions:
            return {}
        answers = self.route.target.look_up(list(questions.values()))
        return {at: tuple(found) for at, found in zip(questions, answers, strict=True) if found}


def _no_reference(_key: str) -> str:
    return ""


def _indexed(records: Sequence[ReferenceRecord]) -> TargetList:
    by_name: dict[str, tuple[ReferenceRecord, ...]] = {}
    for record in records:
        if record.active:
            name = normal(record.name)
            by_name[name] = (*by_name.get(name, ()), record)
    return TargetList(
        {record.id: record for record in records},
        {record.code: record for record in records if record.active and record.code},
        by_name,
    )


def policy(route: Route, begin_is_new: bool = False, ask_first: bool = False) -> Policy:
    """What the settings of a route ask of the planner."""
    options = route.options
    return Policy(
        route=route.name,
        begin=options.begin,
        begin_is_new=begin_is_new,
        ask_first=ask_first,
        require_sent=options.require_sent,
        approved_only=options.approved_only,
        auto_link=options.auto_link == "exact",
        closed_period_next=options.closed_period == "next_open",
        checks_off=options.checks_off,
        source_tax_rounding=route.source.manifest.tax_rounding,
    )


def closed_lists(route: Route) -> list[ReferenceKind]:
    """The lists that must be pulled before anything can be checked."""
    manifest = route.target.manifest
    wanted = {LIST_OF[kind] for kind in LinkKind if manifest.policy(kind) is ListPolicy.CLOSED}
    return [kind for kind in ReferenceKind if kind in wanted & manifest.reference_kinds]
