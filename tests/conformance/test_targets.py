"""Every target in the one suite."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest

from connector_service.contract.manifest import TargetManifest
from connector_service.contract.registry import TARGETS, Given, open_target, target_manifest
from connector_service.contract.target import Outcome, Posting, Prepared, Target
from connector_service.domain.documents import Document, TimeRecord
from connector_service.domain.kinds import Kind
from tests.conformance.target_suite import TargetSuite
from tests.support.documents import plain


class NoVault:
    """The embedded books need no secrets."""

    def get(self, route: str, name: str) -> str | None:
        return None

    def set(self, route: str, name: str, value: str) -> None:
        raise AssertionError("the books store no secrets")

    def remove(self, route: str, name: str) -> bool:
        return False

    def names(self, route: str) -> list[str]:
        return []


class JournalUnderTest:
    """The embedded books in a folder of their own."""

    replay_is_safe = True

    def __init__(self, home: Path) -> None:
        self.home = home
        self.manifest: TargetManifest = target_manifest("journal")
        self.opened: list[Target] = []

    def open(self) -> Target:
        surroundings = Given("main", self.home, NoVault(), UTC, {})
        target = open_target("journal", {"company": "books"}, surroundings)
        self.opened.append(target)
        return target

    def posting(self, document: Document, reference: str) -> Posting:
        return Posting(document, reference)

    def refusable(self, kind: Kind, reference: str) -> Posting | None:
        document = plain(kind, 2)
        if isinstance(document, TimeRecord):
            return Posting(replace(document, date=document.date.replace(year=1899)), reference)
        return Posting(replace(document, total=document.total + Decimal("0.01")), reference)

    def lose_next_answer(self) -> bool:
        return False

    @contextlib.contextmanager
    def out_of_reach(self) -> Iterator[None]:
        books = self.home / "books"
        books.rename(self.home / "elsewhere")
        try:
            yield
        finally:
            (self.home / "elsewhere").rename(books)

    def settle(self, target: Target, prepared: Prepared, outcomes: list[Outcome]) -> list[Outcome]:
        return outcomes

    def close(self) -> None:
        for target in self.opened:
            target.close()


class TestJournal(TargetSuite):
    """The embedded books."""

    @pytest.fixture
    def target_under_test(self, tmp_path: Path) -> Iterator[JournalUnderTest]:
        under_test = JournalUnderTest(tmp_path)
        yield under_test
        under_test.close()


MEMBERS = {"journal": TestJournal}


def test_every_target_is_in_the_suite() -> None:
    assert MEMBERS.keys() == TARGETS.keys()
