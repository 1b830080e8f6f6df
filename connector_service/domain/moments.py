"""Moments as JSON outputs and the store carry them."""

from datetime import UTC, datetime


def moment_text(moment: datetime) -> str:
    """A moment with a zone, in UTC to the second: ``2026-11-22T09:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
