"""A store in a folder of its own, and the folders that only some systems can make."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connector_service.store.repository import Repository
from tests.unit.store.support import Place, open_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that is empty."""
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture
def place(folder: Path) -> Iterator[Place]:
    """A new store with one source and one company."""
    made = Place(open_store(folder))
    yield made
    made.assert_in_order()
    made.store.close()


@pytest.fixture
def store(place: Place) -> Repository:
    """The store of ``place``."""
    return place.store


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 1 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False)
        if sys.platform == "linux" and os.geteuid() == 0
        else None
    )
    if made is None or made.returncode != 0:
        pytest.skip("a small disk can be mounted by root on Linux only")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


Ask = Callable[..., str]


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A data folder that other users may enter and read; pytest's own folders are closed to them."""
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        made = Path(above) / "data"
        made.mkdir(mode=0o755)
        yield made


@pytest.fixture
def as_nobody() -> Ask:
    """Runs ``python -m tests.unit.store.worker ARGUMENTS`` as a user without rights; returns what it prints."""
    setpriv = shutil.which("setpriv")
    if sys.platform == "win32" or os.geteuid() != 0 or setpriv is None:
        pytest.skip("another user can be had by root, with setpriv, only")

    def run(*arguments: object) -> str:
        user = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
        line = [setpriv, *user, sys.executable, "-m", "tests.unit.store.worker", *map(str, arguments)]
        done = subprocess.run(
            line,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=Path(__file__).parents[3],
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"},
        )
        if done.returncode in (126, 127) or "No module named" in done.stderr:
            pytest.skip("the other user may not read this program")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
