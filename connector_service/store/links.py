"""Links between source keys and target ids, and the target's lists as they were last pulled."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from connector_service.contract.journal import Context, Event
from connector_service.domain.reference import Link, LinkKind, ReferenceKind, ReferenceRecord
from connector_service.store.codec import decode_json, encode_json, parse_moment
from connector_service.store.database import Database
from connector_service.store.trail import Trail


class Links:
    """Writes and reads links and reference records."""

    def __init__(self, database: Database, trail: Trail) -> None:
        """Work on this store, telling this trail."""
        self._database = database
        self._trail = trail

    def links(self, pair: int) -> dict[tuple[LinkKind, str], Link]:
        """All links of a source and a company."""
        rows = self._database.execute(
            "SELECT kind, source_key, target_id, source_name, target_name, by_person FROM link WHERE pair = ?", (pair,)
        )
        return {
            (LinkKind(row[0]), row[1]): Link(LinkKind(row[0]), row[1], row[2], row[3], row[4], bool(row[5]))
            for row in rows
        }

    def save_links(self, context: Context, links: Sequence[Link]) -> None:
        """Add or change links, with their events."""
        if not links:
            return
        with self._database.write():
            self._database.execute_many(
                "INSERT OR REPLACE INTO link (pair, kind, source_key, target_id, source_name, target_name, by_person)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        context.pair,
                        link.kind.value,
                        link.source_key,
                        link.target_id,
                        link.source_name,
                        link.target_name,
                        int(link.by_person),
                    )
                    for link in links
                ],
            )
            self._trail.add(
                [
                    Event(
                        "linked",
                        route=context.route,
                        actor=context.actor,
                        run=context.run,
                        kind=link.kind.value,
                        key=link.source_key,
                        remote_id=link.target_id,
                    )
                    for link in links
                ]
            )

    def remove_link(self, context: Context, kind: LinkKind, source_key: str) -> bool:
        """Forget a link; whether there was one."""
        with self._database.write():
            cursor = self._database.execute(
                "DELETE FROM link WHERE pair = ? AND kind = ? AND source_key = ?",
                (context.pair, kind.value, source_key),
            )
            removed = cursor.rowcount > 0
            if removed:
                event = Event("unlinked", route=context.route, actor=context.actor, kind=kind.value, key=source_key)
                self._trail.add([event])
        return removed

    def reference(self, company: str, kind: ReferenceKind) -> list[ReferenceRecord]:
        """The target's list as it was last pulled."""
        rows = self._database.execute(
            "SELECT id, code, name, active, changed, details FROM reference WHERE company = ? AND kind = ?"
            " ORDER BY code, id",
            (company, kind.value),
        )
        return [
            ReferenceRecord(
                kind=kind,
                id=row[0],
                code=row[1],
                name=row[2],
                active=bool(row[3]),
                changed_at=parse_moment(row[4]),
                details=decode_json(row[5]),
            )
            for row in rows
        ]

    def save_reference(
        self,
        company: str,
        kind: ReferenceKind,
        records: Iterable[ReferenceRecord],
        whole: bool,
        moment: datetime,
        seconds: float,
    ) -> int:
        """Store pulled records; of a whole list, what did not come is no longer active. Returns how many came."""
        rows = [
            (
                company,
                kind.value,
                record.id,
                record.code,
                record.name,
                int(record.active),
                record.changed_at.isoformat() if record.changed_at else None,
                encode_json(record.details),
            )
            for record in records
        ]
        with self._database.write():
            if whole:
                self._database.execute(
                    "UPDATE reference SET active = 0 WHERE company = ? AND kind = ?", (company, kind.value)
                )
            self._database.execute_many(
                "INSERT OR REPLACE INTO reference (company, kind, id, code, name, active, changed, details)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._database.execute(
                "INSERT OR REPLACE INTO reference_pull (company, kind, pulled, seconds, n, fault)"
                " VALUES (?, ?, ?, ?, ?, '')",
                (company, kind.value, moment.isoformat(), seconds, len(rows)),
            )
        return len(rows)

    def reference_pulled(self, company: str, kind: ReferenceKind) -> datetime | None:
        """When the list was last pulled."""
        row = self._database.execute(
            "SELECT pulled FROM reference_pull WHERE company = ? AND kind = ?", (company, kind.value)
        ).fetchone()
        return parse_moment(row[0]) if row else None
