"""Words about a call: for people, and for the log, which gets no query values, bodies, tokens or names."""

import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlsplit


def shown_path(url: str, logged_path: str) -> str:
    """Host and path of an address, with the names of its query values and without the values."""
    parts = urlsplit(url)
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    query = f"?{'&'.join(names)}" if names else ""
    return f"{parts.netloc.rpartition('@')[2]}{logged_path or parts.path}{query}"


def retry_after(value: str, now_seconds: float) -> float | None:
    """Seconds that a ``Retry-After`` header asks for: a number, or a date (RFC 9110, 10.2.3); ``None`` for neither."""
    value = value.strip()
    if value.isdecimal():
        return min(float(value), 86_400.0)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, moment.timestamp() - now_seconds), 86_400.0)


def cause_of(fault: BaseException) -> str:
    """Why no answer came, in a sentence for a bookkeeper."""
    seen: BaseException | None = fault
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return (
                f"Its certificate is not accepted: {seen.verify_message}. A wrong date on this computer, or a program"
                " that looks into encrypted traffic, causes this."
            )
        seen = seen.__cause__ or seen.__context__
    text = str(fault).strip().rstrip(".")
    name = type(fault).__name__
    if name.endswith("Timeout"):
        return "The connection took too long." if name.startswith("Connect") else "No answer came in time."
    return f"{text[:1].upper()}{text[1:]}." if text else "The connection was cut."
