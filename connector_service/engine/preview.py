"""What a run would do, by the same planner, writing nothing on either side."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connector_service.contract.journal import RouteState
from connector_service.contract.source import FIRST_DATE, Window
from connector_service.contract.target import CompanyInfo
from connector_service.domain.documents import MoneyDocument, SourceRecord, TimeRecord, Unreadable
from connector_service.domain.identity import pair_digest
from connector_service.domain.kinds import OPEN_STATES, Kind, State
from connector_service.domain.problems import Problem, Stop
from connector_service.domain.status_codes import IssueCode
from connector_service.engine import brakes
from connector_service.engine.begin_date import moves_forward
from connector_service.engine.chunks import CHUNK, chunked
from connector_service.engine.gather import Gatherer
from connector_service.engine.newer import drift_in_words, drifted
from connector_service.engine.plan import Action, Decision, plan
from connector_service.engine.run import Request
from connector_service.engine.setup import Route, external_reference


@dataclass(frozen=True, slots=True)
class Planned:
    """A document and what would be done with it."""

    id: int | None
    kind: Kind
    key: str
    number: str
    date: date | None
    party: str
    currency: str
    total: Decimal
    state: State
    problems: tuple[Problem, ...]
    remote_id: str
    flags: tuple[str, ...]
    action: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The plan of a run."""

    documents: list[Planned]
    read: int
    unchanged: int
    brakes: list[Problem]
    """Brakes that would stop the run before it sends anything."""


def preview(route: Route, request: Request) -> Preview:
    """Plan a run and write nothing; raises what a run would stop at before it reads."""
    for issue in route.journal.issues(None):
        if issue.code == IssueCode.STORE_BEHIND:
            raise Stop(issue.what, why=issue.why, fix=issue.fix, code=issue.code)
    company = route.target.company()
    pair = route.journal.find_pair(route.source.identity(), company.id)
    state = route.journal.route_state(route.name)
    begin_is_new = moves_forward(route.options.begin, state.begin if state else None)
    ask_first = state.ask_first if state is not None and state.pair else route.journal.was_recovered()
    pulled: list[brakes.Brake] = []
    if state is not None or not begin_is_new:
        from_state = state or _fresh(pair, company)
        pulled = brakes.probe(route, pair, from_state)[1]
    digest = pair_digest(route.source.identity(), company.id)
    planner = _Planner(route, pair, digest, Gatherer(route, pair, company, begin_is_new, ask_first))
    kinds = [kind for kind in route.kinds() if not request.kinds or kind in request.kinds]
    for kind in kinds:
        for chunk in chunked(route.source.read(kind, None, request.window or Window())):
            planner.take(kind, chunk)
    planner.waiting(kinds)
    return Preview(planner.planned, planner.read, planner.unchanged, [one.problem for one in pulled])


def _fresh(pair: int | None, company: CompanyInfo) -> RouteState:
    return RouteState(pair or 0, company=company.id)


class _Planner:
    def __init__(self, route: Route, pair: int | None, digest: str, gatherer: Gatherer) -> None:
        self._route, self._pair, self._digest, self._gatherer = route, pair, digest, gatherer
        self._seen: set[tuple[Kind, str]] = set()
        self.planned: list[Planned] = []
        self.read = 0
        self.unchanged = 0

    def take(self, kind: Kind, records: list[SourceRecord]) -> None:
        route, made_from = self._route, self._route.made_from(kind)
        known = {}
        if self._pair is not None:
            known = route.journal.known(self._pair, kind, made_from, [record.key for record in records])
        view = self._gatherer.view(kind, records, known)
        decisions = plan(records, known, view, lambda key: external_reference(self._digest, kind, made_from, key))
        self._gatherer.add_links([link for decision in decisions for link in decision.links])
        sent = [one.record for one in decisions if one.action in (Action.PUSH, Action.HOLD)]
        self._gatherer.add_numbers(sent)
        words = drift_in_words(route.journal, [one for one in decisions if one.after is State.DRIFTED])
        for decision in decisions:
            if (kind, decision.record.key) in self._seen:
                continue
            self._seen.add((kind, decision.record.key))
            self.read += 1
            known_drift = decision.known is not None and words.get(decision.known.id, "") is None
            standing = decision.after is State.REFUSED
            if decision.action is Action.SKIP and (known_drift or not (decision.changed or standing)):
                self.unchanged += 1
                continue
            problems = decision.problems
            if decision.after is State.DRIFTED and decision.known and not isinstance(decision.record, Unreadable):
                problems = (drifted(decision.record, words.get(decision.known.id) or ""),)
            self.planned.append(_planned(decision, problems))

    def waiting(self, kinds: list[Kind]) -> None:
        if self._pair is None:
            return
        after = 0
        while held := self._route.journal.open_documents(self._pair, OPEN_STATES, after, CHUNK):
            after = held[-1].known.id
            for kind in kinds:
                rows = [one for one in held if one.known.kind is kind and (kind, one.known.key) not in self._seen]
                records: list[SourceRecord] = [one.document for one in rows if one.document is not None]
                missing = [(one.known.key, one.known.date or FIRST_DATE) for one in rows if one.document is None]
                if missing and not self._route.source.manifest.consumes:
                    records += list(self._route.source.read_keys(kind, missing))
                for chunk in chunked(records):
                    self.take(kind, chunk)


def _planned(decision: Decision, problems: tuple[Problem, ...]) -> Planned:
    record, known = decision.record, decision.known
    party, currency, total = "", "", Decimal(0)
    if isinstance(record, MoneyDocument):
        party, currency, total = record.party_name or record.party_key, record.currency, record.total
    elif isinstance(record, TimeRecord):
        party, total = record.employee_name or record.employee_key, Decimal(record.minutes)
    day = record.date
    return Planned(
        known.id if known else None,
        record.kind,
        record.key,
        record.number,
        day,
        party,
        currency,
        total,
        decision.after,
        problems,
        known.remote_id if known else "",
        (),
        "skip" if isinstance(record, Unreadable) and decision.action is Action.SKIP else decision.action.value,
    )
