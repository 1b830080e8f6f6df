"""Numbered, forward-only steps of the store's layout. A step that has been released is never changed again."""

from typing import Final

from connector_service.store.migrations.m0001_first import STATEMENTS as M0001

MIGRATIONS: Final[tuple[tuple[int, tuple[str, ...]], ...]] = ((1, M0001),)
"""Version and statements of each step, in order."""

LATEST: Final = MIGRATIONS[-1][0]
"""The version that this program writes."""
