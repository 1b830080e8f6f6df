"""The lines of the trail: what stands in one, and the keyed hash that chains each to the one before.

A line is a compact JSON object. Its last two members are ``previous``, the hash of the line before (empty in the
first), and ``hash``: HMAC-SHA256 (RFC 2104, FIPS 180-4) under the audit key over everything of the line that stands
before ``hash``, byte by byte, ``previous`` included. So one changed byte anywhere is seen, and a line says where it
belongs.
"""

import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import msgspec

from connector_service.contract.journal import Event
from connector_service.contract.vault import Vault
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import NeedsUser

KEY_NAME: Final = "audit_key"
"""The name of the key in the vault, under the empty route."""
KEY_BYTES: Final = 32
"""Length of the key: as long as the hash, the least that RFC 2104 advises."""
KEY_EVENT: Final = "audit_key_changed"
"""The event that opens a new section of the chain: the lines from here on are sealed with another key."""
KEY_ID: Final = "key_id"
"""The detail, in the first line of a section, that tells which key seals it."""
LEFT_OUT: Final = "(left out)"
"""What stands in the place of a detail that the trail does not hold."""

_LONGEST_TEXT: Final = 200
_LONGEST_LIST: Final = 100
# Details under these names would hold names, contact data, free text, hours of staff or secrets.
_NOT_KEPT: Final = frozenset(
    {
        *("name", "party_name", "source_name", "target_name", "employee_name", "customer_name", "supplier_name"),
        *("company_name", "contact", "email", "phone", "mobile", "street", "city", "postcode", "address", "iban"),
        *("bank_account", "tax_number", "birth_date", "note", "description", "text", "message", "what", "why", "fix"),
        *("minutes", "hours", "start", "end", "wage", "pay_rate", "body", "request", "response", "payload"),
        *("password", "secret", "client_secret", "token", "access_token", "refresh_token", "api_key", "authorization"),
        *("subscription_key", "cookie", "username", "old_value", "new_value"),
    }
)
_PLAIN: Final = frozenset({int, bool, float, Decimal, date, datetime, type(None)})
_HASH_TAIL: Final = len(',"hash":"') + 64 + len('"}')


class Line(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One line of the trail. Members that are empty are left out of the file."""

    time: str = ""
    """UTC, to the millisecond: ``2026-11-22T09:00:00.000Z``."""
    sequence: int = 0
    actor: str = ""
    route: str = ""
    run: int | None = None
    event: str = ""
    pair: str = ""
    kind: str = ""
    made_from: str = ""
    key: str = ""
    number: str = ""
    before: str = ""
    after: str = ""
    amount: str = ""
    currency: str = ""
    remote_id: str = ""
    details: dict[str, Any] = {}
    previous: str = ""
    hash: str = ""


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Line).decode


def parse(raw: bytes) -> Line | None:
    """The line that these bytes are, or ``None`` where they are none. Says nothing about whether it is genuine."""
    if not raw.startswith(b'{"time":"'):  # also keeps a hostile depth of brackets away from the decoder
        return None
    try:
        line = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return line if line.sequence > 0 and len(line.hash) == 64 else None


def key_id(key: bytes) -> str:
    """Eight bytes in hex that tell keys apart and reveal nothing of them."""
    return hmac.digest(key, b"connector-service audit key", "sha256")[:8].hex()


def stored_key(vault: Vault) -> bytes | None:
    """The key from the vault, ``None`` where there is none. Raises ``NeedsUser`` where what stands there is no key."""
    text = vault.get("", KEY_NAME)
    if text is None:
        return None
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise NeedsUser(
            "The key of the audit trail cannot be used.",
            why="What the vault holds under its name is not a key of 64 hexadecimal digits.",
            fix="Restore the vault from a backup. Without one, remove the secret audit_key: a new key is made, and the "
            "trail goes on in a new section.",
            code="AUDIT_KEY_UNUSABLE",
        )
    return key


def audit_key(vault: Vault) -> bytes:
    """The key from the vault; made there when it has none. See ``section_event`` for a key that was lost."""
    key = stored_key(vault)
    if key is None:
        key = secrets.token_bytes(KEY_BYTES)
        vault.set("", KEY_NAME, key.hex())
    return key


class Chain:
    """Seals events with one key, and tells whether a line was sealed with it. Implements ``journal.Sealer``."""

    def __init__(self, key: bytes) -> None:
        """Use this key. Raises ``ValueError`` where it has another length than ``KEY_BYTES``."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"the audit key has {KEY_BYTES} bytes, not {len(key)}")
        self._keyed = hmac.new(key, digestmod="sha256")
        self.key_id = key_id(key)

    def seal(self, sequence: int, previous: str, moment: datetime, event: Event) -> tuple[str, str]:
        """The line of an event and its hash.

        Details are held to keys, numbers, amounts and ids: what goes by the name of something personal or secret is
        left out, a long text or list is replaced by its length, and a time record's amount (hours of staff) is dropped.
        Raises ``ValueError`` for a moment without a time zone, ``TypeError`` for a detail that is no plain value.
        """
        details = _guarded(event.details) if event.details else {}
        if sequence == 1 or event.event == KEY_EVENT:
            details = {**details, KEY_ID: self.key_id}
        line = Line(
            time=moment_text(moment),
            sequence=sequence,
            actor=event.actor,
            route=event.route,
            run=event.run,
            event=event.event,
            pair=event.pair,
            kind=event.kind,
            made_from=event.made_from,
            key=event.key,
            number=event.number,
            before=event.before,
            after=event.after,
            amount="" if event.kind == Kind.TIME_RECORD else event.amount,
            currency=event.currency,
            remote_id=event.remote_id,
            details=details,
        )
        body = b'%b,"previous":"%b"' % (_encode(line)[:-1], previous.encode())
        digest = self._digest(body)
        return f'{body.decode()},"hash":"{digest}"}}', digest

    def genuine(self, raw: bytes) -> bool:
        """Whether these bytes are a line that was sealed with this key and not changed since."""
        digest = self._digest(raw[:-_HASH_TAIL])
        return hmac.compare_digest(raw[-_HASH_TAIL:], b',"hash":"%b"}' % digest.encode())

    def _digest(self, body: bytes) -> str:
        keyed = self._keyed.copy()
        keyed.update(body)
        return keyed.hexdigest()


def moment_text(moment: datetime) -> str:
    """The moment in UTC to the millisecond, as lines carry it; such texts sort as the moments do."""
    if moment.tzinfo is not UTC:
        if moment.tzinfo is None:
            raise ValueError("a moment in the audit trail needs a time zone")
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"


def _guarded(details: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in details.items():
        if name in _NOT_KEPT:
            kept[name] = LEFT_OUT
        elif isinstance(value, list | tuple | set | frozenset):
            short = len(value) <= _LONGEST_LIST
            kept[name] = [_plain(name, one) for one in value] if short else f"({len(value)} entries)"
        else:
            kept[name] = _plain(name, value)
    return kept


def _plain(name: str, value: object) -> object:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else f"({len(value)} characters)"
    if type(value) in _PLAIN:
        return value
    raise TypeError(f"the detail {name!r} of an audit event is a {type(value).__name__}, not a plain value")
