"""Runs, issues and what a route remembers between runs."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from connector_service.contract.journal import Event, IssueRow, RouteState, RunRow
from connector_service.domain.moments import moment_text
from connector_service.domain.problems import Problem
from connector_service.store.codec import decode_json, encode_json, now, parse_date, parse_moment
from connector_service.store.database import Database
from connector_service.store.trail import Trail

_RUN = "id, route, mode, dry_run, started, ended, exit, counts, totals, message"
_ISSUE = "id, route, code, what, why, fix, key, opened, confirmable, n, closed"


class Runs:
    """Writes and reads runs, issues and route states."""

    def __init__(self, database: Database, trail: Trail) -> None:
        """Work on this store, telling this trail."""
        self._database = database
        self._trail = trail

    # -- routes -------------------------------------------------------------------------------------------------------

    def route_state(self, route: str) -> RouteState | None:
        """What a route remembers; ``None`` before its first run."""
        row = self._database.execute(
            "SELECT pair, source, company, made_from, begin, cursors, probes, accepted, ask_first, stopped"
            " FROM route WHERE name = ?",
            (route,),
        ).fetchone()
        if row is None:
            return None
        return RouteState(
            row[0],
            row[1],
            row[2],
            row[3],
            parse_date(row[4]),
            decode_json(row[5]),
            decode_json(row[6]),
            decode_json(row[7]),
            bool(row[8]),
            bool(row[9]),
        )

    def save_route_state(self, route: str, state: RouteState, event: Event | None = None) -> None:
        """Remember it, with an event where a person or a rule changed something."""
        with self._database.write():
            self._database.execute(
                "INSERT OR REPLACE INTO route (name, pair, source, company, made_from, begin, cursors, probes,"
                " accepted, ask_first, stopped) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    route,
                    state.pair,
                    state.source_identity,
                    state.company,
                    state.made_from,
                    state.begin.isoformat() if state.begin else None,
                    encode_json(state.cursors),
                    encode_json(state.probes),
                    encode_json(state.accepted),
                    int(state.ask_first),
                    int(state.stopped),
                ),
            )
            if event:
                self._trail.add([event])

    # -- runs ---------------------------------------------------------------------------------------------------------

    def start_run(self, route: str, mode: str, dry_run: bool, first: date | None, last: date | None) -> RunRow:
        """Begin a run; runs of the route that a crash left open are closed."""
        started = moment_text(now())
        with self._database.write():
            self._database.execute(
                "UPDATE run SET ended = ?, exit = 5, message = ? WHERE route = ? AND ended IS NULL",
                (started, "The run was cut off before its end.", route),
            )
            cursor = self._database.execute(
                "INSERT INTO run (route, mode, dry_run, first, last, started, counts, totals, message)"
                " VALUES (?, ?, ?, ?, ?, ?, '{}', '{}', '')",
                (route, mode, int(dry_run), _iso(first), _iso(last), started),
            )
            number = int(cursor.lastrowid or 0)
        return RunRow(number, route, mode, dry_run, parse_moment(started) or now(), None, None, {}, {})

    def end_run(
        self, run: int, exit_status: int, counts: Mapping[str, int], totals: Mapping[str, Any], message: str
    ) -> None:
        """Close a run with what it did."""
        with self._database.write():
            self._database.execute(
                "UPDATE run SET ended = ?, exit = ?, counts = ?, totals = ?, message = ? WHERE id = ?",
                (moment_text(now()), exit_status, encode_json(dict(counts)), encode_json(dict(totals)), message, run),
            )

    def runs(self, route: str | None, limit: int = 20) -> list[RunRow]:
        """The newest runs first."""
        rows = self._database.execute(
            f"SELECT {_RUN} FROM run WHERE (? IS NULL OR route = ?) ORDER BY id DESC LIMIT ?", (route, route, limit)
        )
        return [_run(row) for row in rows]

    def run(self, number: int) -> RunRow | None:
        """One run by its number."""
        row = self._database.execute(f"SELECT {_RUN} FROM run WHERE id = ?", (number,)).fetchone()
        return _run(row) if row else None

    # -- issues -------------------------------------------------------------------------------------------------------

    def open_issue(self, route: str, problem: Problem, key: str = "", confirmable: bool = False) -> IssueRow:
        """Open an issue, or count it up where the same (route, code, key) is open: one notice per cause."""
        with self._database.write():
            row = self._database.execute(
                "SELECT id FROM issue WHERE route = ? AND code = ? AND key = ? AND closed IS NULL",
                (route, problem.code, key),
            ).fetchone()
            if row:
                self._database.execute(
                    "UPDATE issue SET what = ?, why = ?, fix = ?, n = n + 1 WHERE id = ?",
                    (problem.what, problem.why, problem.fix.replace("{issue}", str(row[0])), row[0]),
                )
                number = int(row[0])
            else:
                cursor = self._database.execute(
                    "INSERT INTO issue (route, code, key, what, why, fix, confirmable, n, opened)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)",
                    (
                        route,
                        problem.code,
                        key,
                        problem.what,
                        problem.why,
                        problem.fix,
                        int(confirmable),
                        moment_text(now()),
                    ),
                )
                number = int(cursor.lastrowid or 0)
                fix = problem.fix.replace("{issue}", str(number))
                self._database.execute("UPDATE issue SET fix = ? WHERE id = ?", (fix, number))
                self._trail.add(
                    [Event("issue_opened", route=route, key=key, details={"code": problem.code, "issue": number})]
                )
            found = self.issue(number)
        if found is None:
            raise AssertionError("an issue that was just written must be there")
        return found

    def close_issues(self, route: str, codes: Sequence[str], key: str | None = None, actor: str = "service") -> int:
        """Close open issues whose cause has gone; all of a code, or the one with that key."""
        closed = 0
        for row in self.issues(route):
            if row.code in codes and (key is None or row.key == key):
                with self._database.write():
                    self._database.execute("UPDATE issue SET closed = ? WHERE id = ?", (moment_text(now()), row.id))
                    details = {"code": row.code, "issue": row.id}
                    self._trail.add([Event("issue_closed", route=route, actor=actor, key=row.key, details=details)])
                closed += 1
        return closed

    def issues(self, route: str | None, include_closed: bool = False) -> list[IssueRow]:
        """Issues, oldest first."""
        rows = self._database.execute(
            f"SELECT {_ISSUE} FROM issue WHERE (? IS NULL OR route = ?) AND (? OR closed IS NULL) ORDER BY id",
            (route, route, int(include_closed)),
        )
        return [_issue(row) for row in rows]

    def issue(self, number: int) -> IssueRow | None:
        """One issue by its number."""
        row = self._database.execute(f"SELECT {_ISSUE} FROM issue WHERE id = ?", (number,)).fetchone()
        return _issue(row) if row else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _run(row: tuple[Any, ...]) -> RunRow:
    return RunRow(
        row[0],
        row[1],
        row[2],
        bool(row[3]),
        parse_moment(row[4]) or now(),
        parse_moment(row[5]),
        row[6],
        decode_json(row[7]),
        decode_json(row[8]),
        row[9],
    )


def _issue(row: tuple[Any, ...]) -> IssueRow:
    return IssueRow(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        row[6],
        parse_moment(row[7]) or now(),
        bool(row[8]),
        row[9],
        parse_moment(row[10]),
    )
