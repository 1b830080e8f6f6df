"""Named places at which a test can end the process, as a power cut would."""

import os
from collections.abc import Callable
from typing import Final

_ARMED: Final = os.environ.get("CONNECTOR_CRASH_AT", "")
_name, _, _count = _ARMED.partition(":")
_left = int(_count) if _count.isdigit() else 1
_hook: Callable[[str], None] | None = None

KILLED: Final = 137
"""Exit status of a process ended here: what a shell reports for kill -9."""


def set_hook(hook: Callable[[str], None] | None) -> None:
    """Let tests be told of each point as it is passed; what the hook raises goes up from there."""
    global _hook
    _hook = hook


def crash_point(name: str) -> None:
    """End the process at once if ``CONNECTOR_CRASH_AT`` is this name (``name:3``: at its third passing)."""
    global _left
    if _hook is not None:
        _hook(name)
    if _name and name == _name:
        _left -= 1
        if _left <= 0:
            os._exit(KILLED)
