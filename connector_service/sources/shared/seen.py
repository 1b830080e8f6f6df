"""Which keys a pass has closed already, in little memory."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import lt


class SeenKeys:
    """Remembers keys at eight bytes and a little: a list of hashes while keys ascend, else a table of them.

    Two keys with the same 64-bit hash would be taken for one: one pass in ten million, at a million keys.
    """

    def __init__(self) -> None:
        self._hashes = array("q")
        self._last: str | None = None
        self._table = array("q")
        self._mask = 0
        self._count = 0

    def add(self, key: str) -> bool:
        """Remember a key; whether it is new."""
        return self.add_many((key,))[0]

    def add_many(self, keys: Sequence[str]) -> list[bool]:
        """Remember keys, in this order; whether each is new."""
        if not keys:
            return []
        if not self._mask:
            if (self._last is None or keys[0] > self._last) and all(map(lt, keys, islice(keys, 1, None))):
                self._last = keys[-1]
                self._hashes.extend(map(hash, keys))
                return [True] * len(keys)
            self._resize(len(self._hashes) + len(keys), self._hashes)
            self._hashes = array("q")
        if (self._count + len(keys)) * 2 > self._mask:
            self._resize(self._count + len(keys), self._table)
        return self._put(map(hash, keys))

    def _put(self, marks: Iterable[int]) -> list[bool]:
        table, mask = self._table, self._mask
        new: list[bool] = []
        for mark in marks:
            at = mark & mask
            # Zero says that a place is free, so a hash of zero takes another one.
            wanted = mark or 1
            while (there := table[at]) and there != wanted:
                at = (at + 1) & mask
            table[at] = wanted
            new.append(not there)
        self._count += sum(new)
        return new

    def _resize(self, keys: int, old: "array[int]") -> None:
        size = 1 << max(10, (keys * 3).bit_length())
        self._table = array("q", bytes(8 * size))
        self._mask = size - 1
        self._count = 0
        self._put(mark for mark in old if mark)
