"""The composition root: the only place where settings, store, vault, audit trail, engine and systems meet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from connector_service import __version__
from connector_service.audit.chain import Chain, audit_key, stored_key
from connector_service.audit.flush import Flusher
from connector_service.audit.recover import Receipt, Standing, compare, receipts, section_event
from connector_service.audit.trail import last_line
from connector_service.audit.verdict import Verdict
from connector_service.audit.verify import verify
from connector_service.contract import registry
from connector_service.contract.journal import Context, Event, IssueRow, RouteState
from connector_service.contract.target import CompanyInfo
from connector_service.domain.documents import Head
from connector_service.domain.kinds import Kind, State
from connector_service.domain.messages import problem
from connector_service.domain.money import to_minor
from connector_service.domain.problems import Busy, ConnectorError, NeedsUser, Problem, SettingsFault
from connector_service.domain.status_codes import IssueCode, StatusCode
from connector_service.engine import actions, begin_date, brakes
from connector_service.engine.preview import Preview, preview
from connector_service.engine.reconcile import Reconciliation, reconcile
from connector_service.engine.run import Request, Runner, RunResult
from connector_service.engine.setup import Route, RouteOptions
from connector_service.paths import Paths
from connector_service.settings import Loaded, load
from connector_service.store.listing import DocumentRow, Filter
from connector_service.store.lock import FolderLock
from connector_service.store.receipts import ReceiptRow, put_back
from connector_service.store.repository import Repository
from connector_service.vault.choice import OpenedVault, open_vault


def _nothing(_what: str, _count: int) -> None:
    pass


@dataclass(slots=True)
class Hooks:
    """What a run tells and asks while it works."""

    progress: Callable[[str, int], None] = _nothing
    stopping: Callable[[], bool] = field(default=lambda: False)


class App:
    """One data folder, opened. Commands, API and service are thin around it."""

    def __init__(self, home: str | Path | None = None, *, write: bool = False, what: str = "a command") -> None:
        """Find the data folder; with ``write`` take its lock (``Busy`` where another process has it) and repair.

        ``what`` is told to others who find the folder taken. Raises ``ConnectorError`` where the folder or the store
        cannot be used. Settings are read when they are first asked for, so that a fault in them hides nothing else.
        """
        self.paths = Paths.locate(home)
        self.write = write
        self.lock = FolderLock(self.paths.lock_file)
        self._repository: Repository | None = None
        if write:
            self.paths.ensure()
            self.lock.take(what=what)
            try:
                self._open_store()
            except BaseException:
                self.lock.release()
                raise

    def __enter__(self) -> Self:
        """Use it as a context, so that the lock is let go."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Close, whatever happened."""
        self.close()

    def close(self) -> None:
        """Bring the trail into its files, and let go of store and lock."""
        if self._repository is not None:
            if self.write:
                self.flush()
            self._repository.close()
            self._repository = None
        self.lock.release()

    # -- parts --------------------------------------------------------------------------------------------------------

    @cached_property
    def vault(self) -> OpenedVault:
        """Where the secrets are."""
        return open_vault(self.paths.home, machine_wide=self.paths.machine_wide)

    @cached_property
    def loaded(self) -> Loaded:
        """The settings; raises ``SettingsFaults`` with everything that does not fit."""
        return load(self.paths.settings_file)

    @property
    def store(self) -> Repository:
        """The store; opened for reading only where the lock was not taken."""
        if self._repository is None:
            sealer = Chain(b"\0" * 32)
            self._repository = Repository(self.paths.store_file, self.paths.backups_dir, sealer, read_only=True)
        return self._repository

    def _open_store(self) -> None:
        chain = Chain(audit_key(self.vault))
        self._repository = store = Repository(self.paths.store_file, self.paths.backups_dir, chain)
        self._flusher = Flusher(store.trail, self.paths.audit_dir)
        if store.database.aside is not None:
            aside, why = store.database.aside, store.database.aside_reason
            store.open_issue("", problem(IssueCode.STORE_SET_ASIDE, why=f"The file {why.strip()}.", aside=aside.name))
        self._recover()
        event = section_event(store.trail, self.paths.audit_dir, chain)
        if event is not None:
            store.record(event)

    def _recover(self) -> None:
        """Put back what the audit trail knows and the store does not, and stop every route until a person confirms."""
        folder, store = self.paths.audit_dir, self.store
        sequence, digest = store.trail.head()
        standing = compare(sequence, digest, folder)
        if standing in (Standing.LEVEL, Standing.TRAIL_BEHIND):
            return
        after = sequence if standing is Standing.STORE_OLDER else 0
        last = last_line(folder)
        head = (last.sequence, last.hash) if last else (sequence, digest)
        count = put_back(store.database, store.trail, map(_receipt_row, receipts(folder, after)), head)
        words = {
            Standing.STORE_EMPTY: "The store is empty",
            Standing.STORE_OLDER: "The store is older than the trail, as after restoring a backup",
            Standing.DIFFERENT: "The store and the trail tell of different histories",
        }[standing]
        why = f"{words}. {count} receipts were put back from the trail."
        store.open_issue(
            "", problem(IssueCode.STORE_BEHIND, why=why, target="the books", issue="{issue}"), confirmable=True
        )

    def flush(self) -> None:
        """Bring what was committed into the audit trail's files; a fault becomes an issue and is tried again later."""
        try:
            self._flusher.flush()
        except ConnectorError as fault:
            found = Problem(IssueCode.AUDIT_BROKEN, fault.what, fault.why, fault.fix)
            self.store.open_issue("", found)
        else:
            self.store.close_issues("", (IssueCode.AUDIT_BROKEN,))

    # -- routes -------------------------------------------------------------------------------------------------------

    def timezone(self, route: str) -> ZoneInfo:
        """The zone in which the source's instants become dates."""
        settings = self.loaded.settings
        name = settings.routes[route].source.timezone or settings.service.timezone
        return ZoneInfo(name) if name else _local_zone()

    def options(self, name: str) -> RouteOptions:
        """A route's options in the engine's words."""
        route = self.loaded.settings.routes[name]
        options = route.options
        return RouteOptions(
            begin=route.sync.begin,
            items=route.sync.items,
            made_from=_made_from(options.sales_invoices_from, options.vendor_bills_from),
            require_sent=options.require_sent,
            approved_only=options.approved_only,
            after_edit=options.after_edit,
            mark_sales_paid=options.mark_sales_paid,
            mark_bills_paid=options.mark_bills_paid,
            auto_link=options.auto_link,
            closed_period=options.closed_period,
            stop_after_error=options.stop_after_error,
            batch_size=options.batch_size,
            burst_minutes=options.burst_minutes,
            max_new_per_run=options.max_new_per_run,
            checks_off=frozenset(StatusCode(code) for code in options.checks_off),
        )

    @contextmanager
    def route(self, name: str, peek: bool = False) -> Iterator[Route]:
        """Open a route's two systems for one piece of work; ``peek`` leaves everything at the source where it is.

        Raises ``SettingsFault`` for a route that is not there.
        """
        routes = self.loaded.settings.routes
        if name not in routes:
            known = ", ".join(sorted(routes)) or "none yet"
            raise SettingsFault(
                f'There is no route "{name}".',
                why=f"Routes in {self.paths.settings_file}: {known}.",
                fix="Name one of these, or add the route to the settings file.",
                code=IssueCode.SETTINGS_WRONG,
            )
        route, options = routes[name], self.options(name)
        alternatives = {kind.value: one for kind, one in options.made_from.items()}
        given = registry.Given(
            name, self.paths.home, self.vault, self.timezone(name), alternatives, self.paths.profile_folders, peek
        )
        source = registry.open_source(route.source.system, self.loaded.source_section(name), given)
        try:
            target = registry.open_target(route.target.system, self.loaded.target_section(name), given)
        except BaseException:
            source.close()
            raise
        flush = self.flush if self.write else _no_flush
        try:
            yield Route(name=name, source=source, target=target, journal=self.store, options=options, flush=flush)
        finally:
            source.close()
            target.close()

    def sync(self, name: str, request: Request, hooks: Hooks | None = None) -> RunResult:
        """One run, to its report; what stops it stands in the result."""
        hooks = hooks or Hooks()
        with self.route(name) as route:
            result = Runner(route, request, hooks.progress, hooks.stopping).execute()
        self.flush()
        return result

    def preview(self, name: str, request: Request) -> Preview:
        """What a run would do; nothing is written."""
        with self.route(name, peek=True) as route:
            return preview(route, request)

    def check(self, name: str) -> tuple[CompanyInfo | None, list[ConnectorError]]:
        """Reach both systems of a route and use every right that it needs, writing nothing; all faults at once."""
        company, faults = None, []
        try:
            with self.route(name, peek=True) as route:
                for step in (route.source.check, route.target.company):
                    try:
                        answer = step()
                    except ConnectorError as fault:
                        faults.append(fault)
                    else:
                        company = answer or company
        except ConnectorError as fault:
            faults.append(fault)
        return company, faults

    def reconcile(self, name: str, first: date, last: date) -> Reconciliation:
        """Source against books for a period."""
        with self.route(name, peek=True) as route:
            return reconcile(route, first, last)

    # -- begin date ---------------------------------------------------------------------------------------------------

    def would_mark(self, name: str, begin: date) -> begin_date.WouldMark:
        """What setting a begin date would mark."""
        with self.route(name, peek=True) as route:
            pair = self._pair(route)
            return begin_date.preview(route, pair, begin)[0]

    def marked_heads(self, route: Route, begin: date) -> Iterator[tuple[Kind, Head]]:
        """The records that a begin date would mark, one by one."""
        return begin_date.preview(route, self._pair(route), begin)[1]

    def set_begin(self, name: str, begin: date, release: bool, mark_source: bool, actor: str) -> dict[str, int]:
        """Apply a begin date that stands in the settings by now; returns what was marked, released, marked at source."""
        with self.route(name) as route:
            route.options = replace(route.options, begin=begin)
            runner = Runner(route, Request())
            pair, state = runner.open_route(None)
            old = state.begin
            done = {
                "marked": begin_date.apply_begin(route, pair, None, state, actor),
                "released": 0,
                "marked_at_source": 0,
            }
            if release and (old is None or begin < old):
                done["released"] = begin_date.release(route, pair, begin, actor)
            if mark_source:
                done["marked_at_source"] = begin_date.mark_at_source(route, begin)
        self.flush()
        return done

    def _pair(self, route: Route) -> int | None:
        if not self.paths.store_file.exists():
            return None
        return self.store.find_pair(route.source.identity(), route.target.company().id)

    # -- documents ----------------------------------------------------------------------------------------------------

    def documents(
        self, route: str | None, wanted: Filter, after: int, limit: int
    ) -> tuple[list[DocumentRow], int | None]:
        """A page of documents, and where the next begins."""
        if route is not None:
            state = self.store.route_state(route)
            wanted = replace(wanted, pair=state.pair if state else -1)
        rows = self.store.listing.documents(wanted, after, limit + 1)
        return rows[:limit], rows[limit - 1].id if len(rows) > limit else None

    def context_of(self, document: DocumentRow, actor: str) -> Context:
        """In whose name a person changes a document."""
        for name in self.loaded.settings.routes:
            state = self.store.route_state(name)
            if state is not None and state.pair == document.pair:
                return Context(name, document.pair, None, actor)
        return Context("", document.pair, None, actor)

    def act(self, document_id: int, action: str, actor: str, remote_id: str | None = None) -> DocumentRow:
        """What a person does to one document: retry, ignore, mark, mark-sent, accept, undo, settle."""
        row = self.store.listing.document(document_id)
        if row is None:
            raise NeedsUser(f"There is no document {document_id}.", fix="See `connector documents`.", code="NOT_FOUND")
        context, known = self.context_of(row, actor), self.store.by_ids([document_id])[0]
        if action == "settle":
            actions.settle_by_person(self.store, context, known, remote_id)
        elif action == "accept":
            actions.accept_change(self.store, context, known)
        elif action == "mark-sent":
            actions.mark_sent(self.store, context, known)
        elif action == "undo":
            with self.route(context.route) as route:
                actions.undo(self.store, context, route.target, known, datetime.now(UTC).date())
        else:
            actions.put_aside(self.store, context, action, [known])
        self.flush()
        changed = self.store.listing.document(document_id)
        return changed or row

    # -- issues -------------------------------------------------------------------------------------------------------

    def confirm(self, number: int, actor: str) -> IssueRow:
        """A person says that what an issue asks about is right; the next run goes on."""
        issue = self.store.runs.issue(number)
        if issue is None or issue.closed is not None:
            raise NeedsUser(f"There is no open issue {number}.", fix="See `connector issues`.", code="NOT_FOUND")
        if not issue.confirmable:
            raise NeedsUser(
                f"Issue {number} goes away when its cause has gone.", fix=issue.fix, code="NOT_POSSIBLE_NOW"
            )
        if issue.code in brakes.CODES:
            state = self.store.route_state(issue.route)
            if state is not None:
                kind, _, count = issue.key.partition(":")
                state.accepted[kind] = int(count)
                self.store.save_route_state(issue.route, state)
        details = {"issue": number, "code": issue.code}
        self.store.record(Event("confirmed", issue.route, actor, key=issue.key, details=details))
        self.store.close_issues(issue.route, (issue.code,), issue.key)
        self.flush()
        return issue

    # -- state --------------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """The state of service and routes, as ``connector status --json`` prints it."""
        owner = self.lock.owner()
        running = owner is not None and owner.get("what") == "the service"
        routes = []
        has_store = self.paths.store_file.exists()
        for name, route in self.loaded.settings.routes.items():
            state = self.store.route_state(name) if has_store else None
            routes.append(self._route_status(name, route.sync.mode, route.sync.interval_seconds, state, running))
        pid = owner.get("pid") if owner and running else None
        return {"service": {"running": running, "version": __version__, "pid": pid}, "routes": routes}

    def _route_status(
        self, name: str, mode: str, seconds: int, state: RouteState | None, running: bool
    ) -> dict[str, Any]:
        runs = self.store.runs.runs(name, 1) if state else []
        last = runs[0] if runs else None
        automatic = mode == "auto" and not (state and state.stopped)
        due = (last.ended + timedelta(seconds=seconds)) if last and last.ended and running and automatic else None
        counts = {one.value: count for one, count in self.store.tallies(state.pair).items()} if state else {}
        issues = len(self.store.issues(name)) + len(self.store.issues("")) if state else 0
        return {
            "route": name,
            "mode": mode,
            "running": automatic,
            "connected": last is not None and last.exit in (0, 1),
            "company": state.company if state else None,
            "last_run": {
                "run": last.id,
                "started": _iso(last.started),
                "ended": _iso(last.ended),
                "exit": last.exit,
            }
            if last
            else None,
            "next_run": _iso(due),
            "counts": {one.value: counts.get(one.value, 0) for one in State},
            "issues": issues,
        }

    def verify_audit(self) -> Verdict:
        """Whether the audit trail is whole."""
        return verify(self.paths.audit_dir, stored_key(self.vault), self.store.trail)


def _no_flush() -> None:
    pass


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _made_from(sales: str, bills: str) -> dict[Kind, str]:
    made = {}
    if sales != "invoice":
        made[Kind.SALES_INVOICE] = sales
    if bills != "vendor_invoice":
        made[Kind.VENDOR_BILL] = bills
    return made


def _local_zone() -> ZoneInfo:
    from tzlocal import get_localzone_name

    return ZoneInfo(get_localzone_name() or "UTC")


def _receipt_row(one: Receipt) -> ReceiptRow:
    from decimal import Decimal

    total = to_minor(Decimal(one.amount), one.currency) if one.amount and one.currency else 0
    return ReceiptRow(
        one.pair,
        one.kind,
        one.made_from,
        one.key,
        one.state,
        one.number,
        one.currency,
        total,
        one.remote_id,
        one.fingerprint,
        one.generation,
        one.date,
    )


__all__ = ["App", "Busy", "Hooks"]
