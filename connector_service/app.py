"""The composition root: the only place where settings, store, vault, audit trail, engine and systems meet."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from connector_service.audit.chain import Chain, audit_key, stored_key
from connector_service.audit.flush import Flusher
from connector_service.audit.verdict import Verdict
from connector_service.audit.verify import verify
from connector_service.contract import registry
from connector_service.contract.journal import Context, Event, IssueRow, RouteState
from connector_service.contract.target import Bookkeeping, CompanyInfo
from connector_service.domain.kinds import Flag, State
from connector_service.domain.messages import problem
from connector_service.domain.problems import ConnectorError, Problem, SettingsFault
from connector_service.domain.reference import ReferenceKind
from connector_service.domain.status_codes import IssueCode
from connector_service.engine import begin_date
from connector_service.engine.opening import open_route
from connector_service.engine.preview import Preview, preview
from connector_service.engine.reconcile import Reconciliation, reconcile
from connector_service.engine.reference import lists_to_pull, own_books, pull
from connector_service.engine.run import Request, Runner, RunResult
from connector_service.engine.setup import Route
from connector_service.observe import Redactor
from connector_service.paths import Paths, shipped_config
from connector_service.settings import Loaded, load
from connector_service.settings import Route as RouteSettings
from connector_service.settings.save import Value, set_value
from connector_service.store.listing import DocumentRow, Filter
from connector_service.store.lock import FolderLock
from connector_service.store.repository import Repository
from connector_service.vault.choice import OpenedVault, open_vault
from connector_service.wiring import decisions, secrets
from connector_service.wiring import state as state_module
from connector_service.wiring.options import route_options
from connector_service.wiring.recovery import recover

__all__ = ["App", "DocumentRow", "Filter", "Hooks"]


def _nothing(_what: str, _count: int) -> None:
    pass


@dataclass(slots=True)
class Hooks:
    """What a run tells and asks while it works."""

    progress: Callable[[str, int], None] = _nothing
    stopping: Callable[[], bool] = field(default=lambda: False)


class App:
    """One data folder, opened. Commands, API and service are thin around it."""

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        write: bool = False,
        what: str = "a command",
        first: Callable[[Paths], None] | None = None,
    ) -> None:
        """Find the data folder; with ``write`` take its lock (``Busy`` where another process has it) and repair.

        ``what`` is told to others who find the folder taken; ``first`` is done under the lock before the store is
        opened. Raises ``ConnectorError`` where the folder or the store cannot be used. Settings are read when they are
        first asked for, so that a fault in them hides nothing else.
        """
        self.paths = Paths.locate(home)
        self.write = write
        # A run makes and drops documents by the thousand; looking for cycles among them each 700 costs a tenth of it.
        gc.set_threshold(50_000, 20, 20)
        self.lock = FolderLock(self.paths.lock_file)
        self._repository: Repository | None = None
        self._flushing = Lock()
        self.redactor = Redactor()
        """Hears of each secret that is used, so that the log leaves it out."""
        if write:
            self.paths.ensure()
            self.lock.take(what=what)
            try:
                if first is not None:
                    first(self.paths)
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
        try:
            if self._repository is not None and self.write:
                self.flush()
        finally:
            # Also where the disk is full: who comes next must find the folder free.
            if self._repository is not None:
                self._repository.close()
                self._repository = None
            self.lock.release()

    # -- parts --------------------------------------------------------------------------------------------------------

    @cached_property
    def vault(self) -> OpenedVault:
        """Where the secrets are."""
        return open_vault(self.paths.vault_file, machine_wide=self.paths.machine_wide, on_secret=self.redactor.add)

    @cached_property
    def loaded(self) -> Loaded:
        """The settings; raises ``SettingsFaults`` with everything that does not fit."""
        return load(self.paths.settings_file)

    @property
    def store(self) -> Repository:
        """The store; opened for reading only where the lock was not taken."""
        if self._repository is None:
            sealer = state_module.NoSealer()
            self._repository = Repository(self.paths.store_file, self.paths.backups_dir, sealer, read_only=True)
        return self._repository

    def _open_store(self) -> None:
        chain = Chain(audit_key(self.vault))
        self._repository = store = Repository(self.paths.store_file, self.paths.backups_dir, chain)
        self._flusher = Flusher(store.trail, self.paths.audit_dir)
        recover(store, self.paths.audit_dir, chain)

    def flush(self) -> None:
        """Bring what was committed into the audit trail's files; a fault becomes an issue and is tried again later."""
        try:
            with self._flushing:
                done = self._flusher.flush()
        except ConnectorError as fault:
            found = Problem(IssueCode.AUDIT_BROKEN, fault.what, fault.why, fault.fix)
            self.store.open_issue("", found)
        else:
            # What was cut off and kept aside, or is missing, stays an issue until a person has looked at it.
            if done.set_aside or done.missing:
                what = "its end was not ours"
                if done.missing:
                    first, last = done.missing
                    what = f"line {first} is missing" if first == last else f"lines {first} to {last} are missing"
                fix = "See `connector audit verify`, which names the place."
                self.store.open_issue(
                    "",
                    problem(IssueCode.AUDIT_BROKEN, why=f"In the trail {what}.", fix=fix),
                    "changed",
                    confirmable=True,
                )
            self.store.close_issues("", (IssueCode.AUDIT_BROKEN,), "")

    # -- routes -------------------------------------------------------------------------------------------------------

    def settings_of(self, name: str) -> RouteSettings:
        """The settings of a route; raises ``SettingsFault`` for one that is not there."""
        routes = self.loaded.settings.routes
        if name not in routes:
            known = ", ".join(sorted(routes)) or "none yet"
            raise SettingsFault(
                f'There is no route "{name}".',
                why=f"Routes in {self.paths.settings_file}: {known}.",
                fix="Name one of these, or add the route to the settings file.",
                code=IssueCode.SETTINGS_WRONG,
            )
        return routes[name]

    def set(self, key: str, value: Value) -> None:
        """Change one setting in the file; raises ``SettingsFaults`` where it does not fit."""
        self.__dict__["loaded"] = set_value(self.paths.settings_file, key, value)

    @contextmanager
    def route(self, name: str, peek: bool = False) -> Iterator[Route]:
        """Open a route's two systems for one piece of work; ``peek`` leaves both sides as they are.

        Raises ``SettingsFault`` for a route that is not there.
        """
        route = self.settings_of(name)
        options = route_options(route)
        alternatives = {kind.value: one for kind, one in options.made_from.items()}
        given = registry.Given(
            name,
            self.paths.home,
            self.vault,
            self.loaded.timezone(name),
            alternatives,
            (shipped_config() / "profiles",),
            peek,
            frozenset(options.items),
        )
        source = registry.open_source(route.source.system, self.loaded.source_section(name), given)
        try:
            target = registry.open_target(route.target.system, self.loaded.target_section(name), given)
        except BaseException:
            source.close()
            raise
        flush = self.flush if self.write else _no_flush
        try:
            yield Route(
                name=name,
                source=source,
                target=target,
                journal=self.store,
                options=options,
                timezone=given.timezone,
                flush=flush,
            )
        finally:
            source.close()
            target.close()

    def sync(self, name: str, request: Request, hooks: Hooks | None = None) -> RunResult:
        """One run, to its report; what stops it stands in the result."""
        hooks = hooks or Hooks()
        try:
            with self.route(name) as route:
                result = Runner(route, request, hooks.progress, hooks.stopping).execute()
        except Exception as fault:
            if not isinstance(fault, ConnectorError):
                self.store.open_issue(name, problem(IssueCode.RUN_BROKE, why=f"{type(fault).__name__}."))
            raise
        finally:
            self.flush()
        return result

    def preview(self, name: str, request: Request) -> Preview:
        """What a run would do; nothing is written."""
        with self.route(name, peek=True) as route:
            return preview(route, request)

    def check(self, name: str) -> tuple[CompanyInfo | None, list[ConnectorError]]:
        """Reach both systems of a route and use every right that it needs, writing nothing; all faults at once."""
        company, faults = None, secrets.missing(name, self.settings_of(name), self.vault)
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
            names = (route.source.identity(), route.target.company().id)
            return reconcile(route, first, last, lambda ids: self.store.listing.of_other_sources(*names, ids))

    def remembered(self, name: str) -> RouteState | None:
        """What a route remembers; ``None`` before its source and company are known."""
        self.settings_of(name)
        state = self.store.route_state(name)
        return state if state is not None and state.pair else None

    def context(self, name: str, actor: str) -> Context:
        """In whose name a person changes what a route remembers; asks both sides for their names at first."""
        state = self.remembered(name)
        if state is None:
            with self.route(name) as route:
                _, _, state = open_route(route, None)
        return Context(name, state.pair, None, actor)

    def set_stopped(self, name: str, stopped: bool, actor: str) -> None:
        """Stop or start the automatic runs of a route; it holds until it is changed. Other runs stay allowed."""
        self.settings_of(name)
        state = self.store.route_state(name) or RouteState(0)
        if state.stopped != stopped:
            state.stopped = stopped
            event = Event("route_stopped" if stopped else "route_started", name, actor)
            self.store.save_route_state(name, state, event)
            self.flush()

    def pull(self, name: str, kinds: Sequence[ReferenceKind]) -> dict[ReferenceKind, int]:
        """Pull lists of the target (all that it has where none is named); returns how many records came of each."""
        with self.route(name) as route:
            lists = lists_to_pull(route.target.manifest, kinds)
            return pull(route, route.target.company().id, lists)

    @contextmanager
    def books(self, name: str) -> Iterator[Bookkeeping]:
        """The books that a route's target keeps itself; raises ``SettingsFault`` where it keeps none."""
        with self.route(name, peek=True) as route:
            yield own_books(route.target)

    # -- begin date ---------------------------------------------------------------------------------------------------

    def would_mark(self, name: str, begin: date, mark_source: bool = False) -> begin_date.WouldMark:
        """What setting a begin date would mark; raises ``SettingsFault`` where the source cannot be marked as asked."""
        with self.route(name, peek=True) as route:
            if mark_source:
                begin_date.refuse_unless_markable(route)
            pair = self._pair(route)
            return begin_date.preview(route, pair, begin)

    def would_release(self, name: str, begin: date) -> int:
        """How many marked records a release from this date on would lead back to waiting."""
        state = self.remembered(name)
        marked = Filter(state.pair, (State.MARKED,), first=begin, flag=Flag.BEFORE_BEGIN) if state else None
        return self.store.listing.count(marked) if marked else 0

    def set_begin(self, name: str, begin: date, release: bool, mark_source: bool, actor: str) -> dict[str, int]:
        """Apply a begin date that stands in the settings by now; returns how many were marked, released, and so on."""
        with self.route(name) as route:
            route.options = replace(route.options, begin=begin)
            _, pair, state = open_route(route, None)
            done = {
                "marked": begin_date.apply_begin(route, pair, None, state, actor),
                "released": 0,
                "marked_at_source": 0,
            }
            if release:
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

    def document(self, number: int) -> DocumentRow:
        """One document; raises ``NeedsUser`` where there is none of this number."""
        return decisions.found(self.store, number)

    def context_of(self, document: DocumentRow, actor: str) -> Context:
        """In whose name a person changes a document."""
        for name in self.loaded.settings.routes:
            state = self.store.route_state(name)
            if state is not None and state.pair == document.pair:
                return Context(name, document.pair, None, actor)
        return Context("", document.pair, None, actor)

    def act(self, document_id: int, action: str, actor: str, remote_id: str | None = None) -> DocumentRow:
        """What a person does to one document: retry, ignore, mark, mark-sent, accept, undo, settle."""
        row = self.document(document_id)
        decisions.act(self.store, self.context_of(row, actor), row, action, remote_id, self.route)
        self.flush()
        return self.document(document_id)

    # -- issues -------------------------------------------------------------------------------------------------------

    def confirm(self, number: int, actor: str) -> IssueRow:
        """A person says that what an issue asks about is right; the next run goes on."""
        issue = decisions.confirm(self.store, number, actor)
        self.flush()
        return issue

    # -- state --------------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """The state of service and routes, as ``connector status --json`` prints it."""
        return state_module.status(self.paths, self.loaded, self.lock, self.store.database)

    def verify_audit(self) -> Verdict:
        """Whether the audit trail is whole."""
        return verify(self.paths.audit_dir, stored_key(self.vault), self.store.trail)


def _no_flush() -> None:
    pass
