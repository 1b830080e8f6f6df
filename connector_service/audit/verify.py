"""Proves that no line of the trail was changed, removed, moved or cut off, and names the first place where one was.

The proof: each line carries a hash that only the holder of the key can make, over its own bytes and the hash of the
line before; sequences have no gaps; and the store remembers the last hash. It may run beside the service.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connector_service.audit.chain import KEY_EVENT, KEY_ID, Chain, Line, parse
from connector_service.audit.trail import LONGEST, Piece, file_of, find, forward, may_begin, month_of, trail_files
from connector_service.audit.verdict import Finding, Verdict, verdict
from connector_service.contract.trail import TrailOutbox

_PAGE: Final = 1000
_NOT_OURS: Final = (
    "It does not fit its seal: it was changed after it was written, or put there by somebody without the key."
)
_NO_LINE: Final = "What stands there is no line of the trail, or only a part of one."
_BEFORE_OR_HERE: Final = "It does not follow on the line before it: one of the two was changed."
_LOST: Final = "The vault had lost the key, and the trail went on with a new one. The lines after that are proved."
_OTHER: Final = "The vault was restored or holds the key of another installation. The order of the lines is right."


def verify(folder: Path, key: bytes | None, outbox: TrailOutbox) -> Verdict:
    """Check the whole trail, with the lines that still wait in the store; ``key`` is ``None`` where the vault has none.

    Reads every line once, and the rest of the trail once more where one is missing. Raises ``OSError`` where a file
    cannot be read.
    """
    walk = _Walk(folder, _Link(Chain(key) if key is not None else None))
    while True:
        fault = walk.run()
        if fault is not None:
            return fault
        found = _end(walk, outbox)
        # A flush during the check moves lines from the store to the files: then look at what came.
        if found.ok or not walk.has_grown():
            return found


class _Link:
    """How far the chain holds."""

    def __init__(self, chain: Chain | None) -> None:
        self.chain = chain
        self.sequence = 0
        self.hash = ""
        self.lines = 0
        self.ours = True
        """Whether the section is sealed with our key."""
        self.section = ("", 0, 1)
        """File, line and sequence where the section begins."""
        self.unproved = 0
        """The last sequence of the earlier sections, which another key sealed."""

    def is_genuine(self, raw: bytes) -> bool:
        """Whether our key sealed this."""
        return self.chain is not None and self.chain.genuine(raw)

    def take(self, raw: bytes, file: str, number: int) -> tuple[Finding, Line | None, str] | None:
        """Go on by this line; what is wrong with it, with the line and a reason, where it does not follow."""
        line = parse(raw)
        if line is None:
            return Finding.CHANGED, None, _NO_LINE
        genuine = self.is_genuine(raw)
        opens = line.event == KEY_EVENT or line.sequence == 1
        if opens and self.sequence + 1 == line.sequence:
            if genuine and not self.ours:
                self.unproved = self.sequence
            others = self.chain is None or line.details.get(KEY_ID) != self.chain.key_id
            if genuine or others:
                self.ours, self.section = genuine, (file, number, line.sequence)
        if genuine != self.ours:
            return Finding.CHANGED, line, _NOT_OURS
        if line.sequence == self.sequence + 1 and line.previous == self.hash:
            self.sequence, self.hash = line.sequence, line.hash
            self.lines += 1
            return None
        if line.sequence > self.sequence + 1:
            return Finding.REMOVED, line, ""
        if line.sequence <= self.sequence:
            return Finding.REPEATED, line, ""
        return (Finding.OTHER_HISTORY, line, "") if genuine else (Finding.CHANGED, line, _BEFORE_OR_HERE)


class _Walk:
    """Goes through the files, and can go on when they have grown."""

    def __init__(self, folder: Path, link: _Link) -> None:
        self.folder = folder
        self.link = link
        self.file: Path | None = None
        self.number = 0
        self.torn: Piece | None = None
        self._offset = 0

    def run(self) -> Verdict | None:
        """Take all lines from where it stands; the first fault."""
        self.torn = None
        files = trail_files(self.folder)
        for file in files:
            if self.file is not None and file < self.file:
                continue
            before, first = self.file, file != self.file
            if first:
                self.file, self.number, self._offset = file, 0, 0
            for piece in forward(file, self._offset):
                if not piece.whole and file == files[-1] and len(piece.raw) < LONGEST:
                    self.torn = piece
                    return None
                self.number += 1
                fault = self.link.take(piece.raw, file.name, self.number) if piece.whole else None
                if fault is not None or not piece.whole:
                    return self._fault(piece, before if first else file, fault or (Finding.CHANGED, None, _NO_LINE))
                self._offset = piece.offset + len(piece.raw) + 1
                first = False
        return None

    def has_grown(self) -> bool:
        """Whether there is more in the files than was looked at."""
        files = trail_files(self.folder)
        if not files:
            return False
        if self.file is None or files[-1] > self.file:
            return True
        return self.file.stat().st_size > self._offset + (len(self.torn.raw) if self.torn else 0)

    def _fault(self, piece: Piece, before: Path | None, fault: tuple[Finding, Line | None, str]) -> Verdict:
        finding, line, detail = fault
        link, expected = self.link, self.link.sequence + 1
        place, number, last = piece.file.name, self.number, 0
        if line is not None and finding is Finding.CHANGED and link.is_genuine(piece.raw):
            # Our key sealed this, and what opened the section says that it did not: that one was changed.
            place, number, expected = link.section
        elif line is not None and finding is Finding.REMOVED:
            last = line.sequence - 1
            if self._stands_later(piece, expected):
                finding = Finding.REORDERED
            elif before != piece.file and _month_between(before, piece.file):
                finding, detail = Finding.MONTHS_MISSING, _missing_months(before, piece.file)
        elif line is not None and finding is Finding.REPEATED:
            same = find(self.folder, line.sequence)
            if same is not None and same.hash != line.hash:
                finding = Finding.OTHER_HISTORY
        found = line.sequence if line is not None else 0
        return verdict(
            finding, link.lines, file=place, line=number, sequence=expected, found=found, last=last, detail=detail
        )

    def _stands_later(self, piece: Piece, sequence: int) -> bool:
        for other in self._rest(piece):
            line = parse(other.raw)
            if line is not None and line.sequence == sequence and line.previous == self.link.hash:
                return self.link.is_genuine(other.raw) or not self.link.ours
        return False

    def _rest(self, piece: Piece) -> Iterator[Piece]:
        for file in trail_files(self.folder):
            if file >= piece.file:
                yield from forward(file, piece.offset if file == piece.file else 0)


def _month_between(before: Path | None, file: Path) -> bool:
    """Whether a file may be missing between the two: a month without lines has none."""
    return before is None or _months(month_of(file)) - _months(month_of(before)) > 1


def _months(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])


def _missing_months(before: Path | None, file: Path) -> str:
    if before is None:
        return (
            f"The trail begins with {file.name}. Files of earlier months were removed, or the first lines of this one."
        )
    months = range(_months(month_of(before)) + 1, _months(month_of(file)))
    names = ", ".join(file_of(Path(), f"{(month - 1) // 12:04}-{(month - 1) % 12 + 1:02}").name for month in months)
    return f"Between {before.name} and {file.name} there may have been {names}."


def _end(walk: _Walk, outbox: TrailOutbox) -> Verdict:
    """What the end of the files and the store say of each other."""
    link, torn = copy.copy(walk.link), walk.torn
    finding = Finding.FINE
    place = (walk.file.name if walk.file is not None else "", walk.number + (torn is not None))
    if torn is not None:
        waiting = outbox.unflushed(link.sequence, 1)
        if link.take(torn.raw, *place) is None:
            finding = Finding.TORN_TAIL  # complete but for its line break
        elif may_begin(waiting[0][1].encode() if waiting else b"", torn.raw):
            finding = Finding.TORN_TAIL
        elif waiting or outbox.head()[0] <= link.sequence:
            return _say(Finding.CHANGED, link, place, sequence=link.sequence + 1, detail=_NO_LINE)
        else:
            return _say(Finding.CUT_OFF, link, place, sequence=link.sequence + 1, last=outbox.head()[0])
    return _against_store(walk, link, outbox, finding, place)


def _say(
    finding: Finding,
    link: _Link,
    place: tuple[str, int],
    sequence: int = 0,
    found: int = 0,
    last: int = 0,
    detail: str = "",
) -> Verdict:
    file, line = place
    return verdict(finding, link.lines, file=file, line=line, sequence=sequence, found=found, last=last, detail=detail)


def _against_store(walk: _Walk, link: _Link, outbox: TrailOutbox, finding: Finding, place: tuple[str, int]) -> Verdict:
    reached = link.sequence
    while waiting := outbox.unflushed(link.sequence, _PAGE):
        for sequence, line, _ in waiting:
            fault = link.take(line.encode(), "", 0)
            if fault is None:
                continue
            expected = link.sequence + 1
            if fault[0] is Finding.REMOVED and expected == reached + 1:
                return _ends_early(walk, link, place, sequence - 1)
            kind = Finding.OTHER_HISTORY if fault[0] is Finding.REPEATED else fault[0]
            return verdict(kind, link.lines, sequence=expected, last=sequence - 1, detail=fault[2])
    head, head_hash = outbox.head()
    if link.sequence < head:
        return _ends_early(walk, link, place, head)
    if link.sequence > head:
        known = find(walk.folder, head) if head else None
        parted = known is not None and known.hash != head_hash
        kind = Finding.OTHER_HISTORY if parted else Finding.STORE_OLDER
        return _say(kind, link, place, sequence=head, found=head, last=link.sequence)
    if link.hash != head_hash:
        return _say(Finding.OTHER_HISTORY, link, place, sequence=head)
    if not link.ours:
        name, number, first = link.section
        return verdict(
            Finding.KEY_CHANGED, link.lines, file=name, line=number, sequence=first, last=link.sequence, detail=_OTHER
        )
    if link.unproved:
        return _say(Finding.KEY_CHANGED, link, ("", 0), sequence=1, last=link.unproved, detail=_LOST)
    return _say(finding, link, place if finding is Finding.TORN_TAIL else ("", 0))


def _ends_early(walk: _Walk, link: _Link, place: tuple[str, int], last: int) -> Verdict:
    if walk.file is None:
        detail = "The folder holds no file of the trail, and the store has sealed lines that it has let go of."
        return verdict(
            Finding.MONTHS_MISSING,
            link.lines,
            file=walk.folder.name,
            sequence=link.sequence + 1,
            last=last,
            detail=detail,
        )
    return _say(Finding.CUT_OFF, link, place, sequence=link.sequence + 1, last=last)
