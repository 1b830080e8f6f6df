"""A route between a shop and books in memory, for each test its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector_service.domain.kinds import Kind
from tests.support.harness import Rig, check_books, check_store

MakeRig = Callable[..., Rig]
INVOICE = Kind.SALES_INVOICE
BILL = Kind.VENDOR_BILL


@pytest.fixture
def make_rig(tmp_path: Path) -> Iterator[MakeRig]:
    """Makes routes; at the end of the test each must be in order, whatever was done to it."""
    made: list[Rig] = []

    def make(**changes: Any) -> Rig:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Rig(folder, **changes))
        return made[-1]

    yield make
    for rig in made:
        check_store(rig)
        check_books(rig)
        rig.close()


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    """A route with everything as it usually is."""
    return make_rig()
