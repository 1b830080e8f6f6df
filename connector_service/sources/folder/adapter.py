"""A drop folder as a source: claimed files are parsed once, and their records handed out kind by kind."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from connector_service.contract.crashpoints import crash_point
from connector_service.contract.manifest import SourceManifest
from connector_service.contract.registry import Surroundings
from connector_service.contract.source import Probe, Window
from connector_service.domain.documents import Head, SourceRecord, Unreadable
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.messages import KIND_WORDS
from connector_service.domain.parties import Party
from connector_service.domain.problems import NeedsUser, SettingsFault
from connector_service.sources.folder.attachments import AttachmentStore
from connector_service.sources.folder.client import DropFolder, Taken
from connector_service.sources.folder.manifest import MANIFEST
from connector_service.sources.folder.parties import Own
from connector_service.sources.folder.reader import FileReader
from connector_service.sources.folder.spool import Spool
from connector_service.sources.folder.watch import FolderWatch, OnFile
from connector_service.sources.folder.wire import NotYet, Unfit
from connector_service.sources.shared.heads import head_of
from connector_service.sources.shared.profile import KindProfile, load_profile

MAX_FAULTS_TOLD: Final = 200
"""Most faults of one file that its reason names; the store has them all."""


@dataclass(slots=True)
class _File:
    """A claimed file on its way: it is put away when everything that it held has been committed."""

    taken: Taken
    waiting: set[tuple[Kind, str]] = field(default_factory=set)
    records: int = 0
    faults: list[str] = field(default_factory=list)
    more_faults: int = 0
    whole: bool = False


@dataclass(slots=True)
class _Pass:
    """One look at the folder: parsed at the first kind that is asked for, the other kinds spooled."""

    first: Kind
    files: list[_File] = field(default_factory=list)
    spools: dict[Kind, Spool] = field(default_factory=dict)
    served: set[Kind] = field(default_factory=set)
    holders: dict[tuple[Kind, str], list[_File]] = field(default_factory=dict)
    contents: dict[tuple[Kind, str], bytes] = field(default_factory=dict)
    committed: set[tuple[Kind, str]] = field(default_factory=set)
    parsed: bool = False


class FolderSource:
    """Implements ``contract.source.Source`` for a drop folder."""

    manifest: SourceManifest = MANIFEST

    def __init__(
        self, drop: DropFolder, own: Own, tables: Sequence[KindProfile], surroundings: Surroundings, profile: str = ""
    ) -> None:
        """Touches nothing yet; ``profile`` is the profile's name, for the identity."""
        self._drop = drop
        self._own = own
        self._profile = profile
        self._tables = tuple(tables)
        self._zone = surroundings.timezone
        self._items = surroundings.items
        self._scratch = TemporaryDirectory(prefix="connector-") if surroundings.peek else None
        kept = Path(self._scratch.name) if self._scratch else drop.attachments
        self._reader = FileReader(own, self._tables, self._zone, AttachmentStore(kept))
        self._pass: _Pass | None = None
        self._rewound = False

    def identity(self) -> str:
        """The same for every drop folder: an invoice that lies in two folders is one invoice. Tables go by profile."""
        return f"folder:{self._profile}" if self._profile else "folder"

    def check(self) -> None:
        """See that the folder can be used and that something can be read from it."""
        self._drop.check()
        if not self._own.ids and not self._tables:
            raise NeedsUser(
                "The drop folder cannot tell sales from purchases.",
                why="`party_id` is empty in the route's source section.",
                fix="Set `party_id` to your own VAT number, as it stands in e-invoices; add others after commas.",
                code="SETTINGS_WRONG",
            )

    def kinds(self) -> frozenset[Kind]:
        """All: what a file holds is seen when it comes."""
        return MANIFEST.kinds

    def can_mark(self, kind: Kind, paid: bool) -> bool:
        """Never: files are not written to."""
        return False

    def read(self, kind: Kind, since: datetime | None, window: Window) -> Iterator[SourceRecord]:
        """The records of one kind in the files that lie there. Those outside the window stay for another run."""
        for record in self._records(kind):
            if record.date is None or window.holds(record.date):
                yield record

    def read_keys(self, kind: Kind, keys: Sequence[tuple[str, date]]) -> Iterator[SourceRecord]:
        """Nothing: a file is handed over once. The manifest says so (``consumes``), and the store has the content."""
        return iter(())

    def heads(self, kind: Kind, window: Window) -> Iterator[Head]:
        """The facts by which the records that lie there now are marked."""
        for record in self._records(kind):
            if not isinstance(record, Unreadable) and window.holds(record.date):
                yield head_of(record)

    def probe(self, kind: Kind, window: Window) -> Probe | None:
        """None: what lies in the folder says nothing about how much there was."""
        return None

    def mark(self, kind: Kind, keys: Sequence[str], paid: bool) -> None:
        """Nothing can be marked (``can_mark``)."""

    def taken(self, kind: Kind, keys: Sequence[str]) -> None:
        """Put away the files of which all records have been committed: to done/, or to rejected/ with the reason."""
        if self._pass is None:
            return
        for key in keys:
            self._pass.committed.add((kind, key))
            for file in self._pass.holders.pop((kind, key), ()):
                file.waiting.discard((kind, key))
                self._put_away(file)

    def read_parties(self, kind: PartyKind, since: datetime | None) -> Iterator[Party]:
        """None."""
        return iter(())

    def write_parties(self, kind: PartyKind, parties: Iterable[Party]) -> None:
        """Not declared."""

    def close(self) -> None:
        """Let go of what is spooled; claimed files are found again."""
        self._forget()
        if self._scratch is not None:
            self._scratch.cleanup()

    def rewind(self) -> None:
        """Read what lies in done/ and rejected/ again with the next reading, and leave it there."""
        self._forget()
        self._rewound = True

    def watch(self, on_news: OnFile) -> FolderWatch:
        """Start telling, from a thread of its own, that files have come and settled; ``stop()`` ends it."""
        return FolderWatch(self._drop.folder, on_news, self._drop.settle_seconds)

    def _forget(self) -> None:
        if self._pass is not None:
            for spool in self._pass.spools.values():
                spool.close()
        self._pass = None

    def _records(self, kind: Kind) -> Iterator[SourceRecord]:
        now = self._pass
        if now is None or not now.parsed or kind in now.served:
            self._forget()
            again = list(self._drop.put_away()) if self._rewound else []
            self._rewound = False
            now = self._pass = _Pass(kind, [_File(taken) for taken in [*again, *self._drop.take()]])
            now.served.add(kind)
            yield from self._parse(now)
            return
        now.served.add(kind)
        if kind in now.spools:
            yield from now.spools[kind].records()

    def _parse(self, now: _Pass) -> Iterator[SourceRecord]:
        for file in now.files:
            try:
                for record in self._file_records(file, now.first):
                    if not self._is_new(now, file, record):
                        continue
                    kind = record.kind
                    if kind is now.first:
                        yield record
                    else:
                        if kind not in now.spools:
                            now.spools[kind] = Spool(kind)
                        now.spools[kind].add(record)
            except NotYet:
                continue  # still being written, or gone: it is looked at again in the next run
            file.whole = True
            crash_point("folder.parsed")
            self._put_away(file)
        now.parsed = True

    def _file_records(self, file: _File, asked: Kind) -> Iterator[SourceRecord]:
        try:
            data = self._drop.read(file.taken)
        except Unfit as fault:
            yield Unreadable(asked, file.taken.name, fault.reason, fault.fix)
            return
        for record in self._reader.records(data, file.taken.name, asked):
            yield record if record.kind in self._items else self._not_moved(record, asked)

    def _not_moved(self, record: SourceRecord, asked: Kind) -> Unreadable:
        """A record of a kind that the route leaves out is told about, and not left lying where nobody looks."""
        one, many = KIND_WORDS[record.kind]
        return Unreadable(
            asked,
            record.key,
            f"It is a {one}, and this route does not move {many}.",
            f'Add "{record.kind}" to `items` of the route and drop the file again, or book it by hand.',
            record.date,
            record.number,
        )

    def _is_new(self, now: _Pass, file: _File, record: SourceRecord) -> bool:
        """Note what a file still waits for; whether the record says something that no other file has said already."""
        unit = (record.kind, record.key)
        file.records += 1
        if isinstance(record, Unreadable):
            content = blake2b(record.reason.encode(), digest_size=16).digest()
            if len(file.faults) < MAX_FAULTS_TOLD:
                file.faults.append(f"{record.reason}\n  {record.fix}")
            else:
                file.more_faults += 1
        else:
            content = fingerprint(record)
        new = now.contents.get(unit) != content
        now.contents[unit] = content
        # The engine commits while it reads: what it has in the store already it will not be told about again.
        if unit not in file.waiting and (new or unit not in now.committed):
            now.committed.discard(unit)
            file.waiting.add(unit)
            now.holders.setdefault(unit, []).append(file)
        return new

    def _put_away(self, file: _File) -> None:
        if not file.whole or file.waiting:
            return
        if file.faults:
            self._drop.reject(file.taken, self._reason(file))
        else:
            self._drop.finish(file.taken)

    def _reason(self, file: _File) -> str:
        good = file.records - len(file.faults) - file.more_faults
        day = datetime.now(self._zone)
        lines = [f"{file.taken.name} was set aside on {day:%Y-%m-%d} at {day:%H:%M}.", ""]
        if good:
            lines += [f"{good} of its {file.records} records were taken; they need not be dropped again.", ""]
        lines += [f"- {fault}" for fault in file.faults]
        if file.more_faults:
            lines.append(f"- And {file.more_faults} more, which the page lists.")
        return "\n".join(lines) + "\n"


def open_source(section: dict[str, str], surroundings: Surroundings) -> FolderSource:
    """Make the source from a route's section; raises ``SettingsFault``."""
    name = section.get("folder", "").strip()
    if not name:
        raise SettingsFault(
            "The route has no drop folder.",
            why="`folder` is empty in its source section.",
            fix='Set it, such as folder = "inbox"; it is relative to the data folder.',
            code="SETTINGS_WRONG",
        )
    folder = Path(surroundings.home, name)
    if not Path(name).is_absolute():
        folder.mkdir(parents=True, exist_ok=True)
    tables: list[KindProfile] = []
    profile = section.get("profile", "").strip()
    if profile:
        read = load_profile(surroundings.find_profile(profile), "folder")
        tables = list(read.chosen(surroundings.alternatives).values())
        profile = Path(read.name).stem
    settle = _number(section, "settle_seconds", 0, 3600)
    megabytes = _number(section, "max_file_megabytes", 0.001, 4096)
    drop = DropFolder(folder, surroundings.timezone, settle, int(megabytes * 1024 * 1024), surroundings.peek)
    return FolderSource(drop, Own.from_setting(section.get("party_id", "")), tables, surroundings, profile)


def _number(section: dict[str, str], name: str, least: float, most: float) -> float:
    default = next(each.default for each in MANIFEST.settings if each.name == name)
    text = str(section.get(name, "")).strip() or default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise SettingsFault(
            f"`{name}` is {text!r}.",
            why="It is not a number that can be used here.",
            fix=f"Set it to a number from {least:g} to {most:g}, or leave it out for {default}.",
            code="SETTINGS_WRONG",
        )
    return value
