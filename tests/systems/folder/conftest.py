"""Fixtures of the drop folder's tests."""

from pathlib import Path

import pytest

from tests.systems.folder.drop import Drop


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    """A drop folder in a data folder of its own."""
    return Drop(tmp_path)
