"""Shapes of what goes to a database and what comes back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias

Bound: TypeAlias = str | int | date | datetime
"""A value that is bound to a parameter of a statement."""


class Dialect(StrEnum):
    """Databases whose ways are known; every other one is treated as ``odbc``, the most careful."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    MARIADB = "mariadb"
    MSSQL = "mssql"
    ODBC = "odbc"

    @property
    def compares_texts(self) -> bool:
        """Whether a text is a good bound value for a column of dates or moments, texts among them."""
        return self in (Dialect.SQLITE, Dialect.MYSQL, Dialect.MARIADB)

    @property
    def may_wrap(self) -> bool:
        """Whether a query that has an ``order by`` may stand as a sub-query."""
        return self in (Dialect.SQLITE, Dialect.POSTGRESQL, Dialect.MYSQL, Dialect.MARIADB)


@dataclass(frozen=True, slots=True)
class Answer:
    """A query's columns and its rows, streamed; it is good until the block that opened it ends."""

    fields: tuple[str, ...]
    """Names of the columns in small letters, since some databases give capitals back."""
    rows: Iterator[tuple[Any, ...]]
