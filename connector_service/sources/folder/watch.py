"""Tells that a file has come, as soon as it has settled. Where the system gives no events, it looks again and again."""

import contextlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

from connector_service.sources.folder.client import is_passing

OnFile: TypeAlias = Callable[[], None]

POLL_SECONDS: Final = 10
"""Time between two looks where there are no events."""

# File systems whose changes on the other side give no events here (Linux: names in /proc/mounts).
_REMOTE: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "fuse.rclone", "davfs", "vboxsf"}
)
_WINDOWS_REMOTE: Final = 4  # DRIVE_REMOTE (Microsoft, GetDriveTypeW)
_INTERESTING: Final = frozenset({"created", "modified", "moved", "closed"})


def is_remote(folder: Path) -> bool:
    """Whether a folder lies on another machine, as far as the system tells."""
    resolved = folder.resolve()
    if sys.platform == "win32":
        import ctypes

        drive = resolved.drive
        return drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == _WINDOWS_REMOTE
    best, kind = Path("/"), ""
    with contextlib.suppress(OSError):
        for line in Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
            parts = line.split(" ")
            if len(parts) > 2:
                mount = Path(parts[1].replace("\\040", " "))
                if resolved.is_relative_to(mount) and len(mount.parts) >= len(best.parts):
                    best, kind = mount, parts[2]
    return kind in _REMOTE


class FolderWatch(FileSystemEventHandler):
    """Calls back once a folder has been quiet for the settling time after files came or changed."""

    def __init__(self, folder: Path, on_file: OnFile, settle_seconds: float) -> None:
        """Start watching; raises ``OSError`` where the folder is not there."""
        super().__init__()
        self._folder = folder
        self._on_file = on_file
        self._settle = max(settle_seconds, 0.05) + 0.1
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self.polls = is_remote(folder)
        """Whether it looks again and again instead of being told."""
        self._observer = self._start()

    def _start(self) -> BaseObserver:
        if not self.polls:
            observer = Observer()
            observer.schedule(self, str(self._folder), recursive=False)
            try:
                observer.start()
            except OSError:  # no more watches to be had (inotify limits), or none on this file system
                self.polls = True
            else:
                return observer
        poller = PollingObserver(timeout=POLL_SECONDS)
        poller.schedule(self, str(self._folder), recursive=False)
        poller.start()
        return poller

    def on_any_event(self, event: FileSystemEvent) -> None:
        """A file came or changed: wait until nothing more happens for a while."""
        if event.event_type not in _INTERESTING or event.is_directory:
            return
        # A file that goes away into .taken/ is a move out of this folder, and none of our business.
        paths = [Path(str(event.dest_path or event.src_path))]
        if not any(path.parent == self._folder and not is_passing(path.name) for path in paths):
            return
        with self._lock:
            if self._stopped:
                return
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(self._settle, self._on_file)
            self._timer.daemon = True
            self._timer.start()

    @property
    def pending(self) -> bool:
        """Whether a file has come and is waited for to settle."""
        with self._lock:
            return self._timer is not None and self._timer.is_alive()

    def stop(self) -> None:
        """End the watch; nothing is called back after this returns."""
        with self._lock:
            self._stopped = True
            waiting, self._timer = self._timer, None
        if waiting is not None:
            waiting.cancel()
            if waiting is not threading.current_thread():
                waiting.join()
        self._observer.stop()
        self._observer.join()
