"""Fixtures of the drop folder's tests."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systems.folder.drop import Drop


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    """A drop folder in a data folder of its own."""
    return Drop(tmp_path)


@pytest.fixture
def humble(tmp_path: Path) -> Iterator[Drop]:
    """A drop folder under an account that has no more rights than others, also where root runs the tests."""
    if sys.platform == "win32":
        pytest.skip("rights are given differently on Windows")
    if os.geteuid() != 0:
        yield Drop(tmp_path)
        return
    home = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
    drop = Drop(home)
    nobody = 65534
    for path in (home, drop.folder):
        os.chown(path, nobody, nobody)
    os.seteuid(nobody)
    try:
        yield drop
    finally:
        os.seteuid(0)
        shutil.rmtree(home)
