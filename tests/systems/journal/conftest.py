"""What the tests of the embedded books share."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from connector_service.targets.journal.adapter import JournalTarget
from tests.systems.journal.helpers import push


@pytest.fixture
def read_only() -> Callable[[Path], AbstractContextManager[None]]:
    """Makes a folder read-only for a while, also for root, whom rights do not stop: by mounting it so."""

    @contextlib.contextmanager
    def by_rights(folder: Path) -> Iterator[None]:
        paths = [folder, *folder.rglob("*")]
        modes = {path: path.stat().st_mode for path in paths}
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            yield
        finally:
            for path, mode in modes.items():
                path.chmod(mode)

    @contextlib.contextmanager
    def by_mount(folder: Path) -> Iterator[None]:
        for words in (["--bind", str(folder), str(folder)], ["-o", "remount,ro,bind", str(folder)]):
            if subprocess.run(["mount", *words], capture_output=True, check=False).returncode:
                pytest.skip("root without the right to mount cannot be kept from writing")
        try:
            yield
        finally:
            subprocess.run(["umount", folder], check=True)

    if not hasattr(os, "geteuid"):
        pytest.skip("rights of folders work differently here")
    if os.geteuid() != 0:
        return by_rights
    if shutil.which("mount") is None:
        pytest.skip("root cannot be kept from writing without mount")
    return by_mount


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with 4 MB; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "connector-test", str(folder)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def books(tmp_path: Path) -> Path:
    """The folder of the books."""
    return tmp_path / "books"


@pytest.fixture
def target(books: Path) -> JournalTarget:
    """Books with invoices 0 to 4."""
    target = JournalTarget(books)
    push(target, range(5))
    return target
