"""Which keys a pass has closed already, in little memory."""

from array import array
from typing import Any


class SeenKeys:
    """Which keys were closed already, at eight bytes a key: a list of hashes while keys ascend, else an open table."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._last: Any = None
        self._table: array[int] | None = None
        self._mask = 0
        self._count = 0

    def add(self, key: str) -> bool:
        """Remember a key; whether it is new. False alarms: one pass in ten million, at a million keys."""
        if self._table is None:
            if self._last is None or key > self._last:
                self._last = key
                self._hashes.append(hash(key) or 1)
                return True
            self._grow(self._hashes, 1 << max(10, (len(self._hashes) * 3).bit_length()))
            self._hashes = array("q")
        new = self._put(hash(key) or 1)
        if new and self._count * 2 > self._mask and self._table is not None:
            self._grow(self._table, (self._mask + 1) * 2)
        return new

    def _put(self, mark: int) -> bool:
        table, mask = self._table, self._mask
        assert table is not None  # noqa: S101 - made before by its only caller
        at = mark & mask
        while table[at]:
            if table[at] == mark:
                return False
            at = (at + 1) & mask
        table[at] = mark
        self._count += 1
        return True

    def _grow(self, old: "array[int]", size: int) -> None:
        self._table = array("q", bytes(8 * size))
        self._mask = size - 1
        self._count = 0
        for mark in old:
            if mark:
                self._put(mark)
