"""Takes secrets and e-mail addresses out of text before it is logged or leaves the machine.

Three nets, one behind the other: the secrets that the vault has handed out, in every spelling in which they travel;
places where a secret stands by its form (headers, addresses, ``password=``); and what looks like a token or an address
by itself. Every pattern runs in linear time, since the text may come from the other side. Rather too much is taken out
than too little.
"""

import html
import json
import re
import threading
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final
from urllib.parse import quote, quote_plus

HIDDEN: Final = "[hidden]"
"""Stands where a secret was."""
EMAIL: Final = "[e-mail]"
"""Stands where an e-mail address was."""

SHORTEST: Final = 4
"""Known secrets shorter than this are hidden only where their place shows them: they are in half of all words."""

_WORDS: Final = (
    r"password|passwd|passwort|pwd|passphrase|secret|token|ticket|api[_-]?key|private[_-]?key|subscription[_-]?key"
    r"|access[_-]?key|credentials?|assertion|code[_-]?verifier|signature"
)
# What may stand between a name and its value: quotes (escaped too, or of bytes), a colon, an equals sign or an arrow.
_BETWEEN: Final = r"""\\{0,4}(?:["']\s{0,8},|["']?\s{0,8}(?:=>|[:=]))\s{0,8}(?:b(?=["']))?"""
_VALUE: Final = r"""\\{0,4}(?:"(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?|\{[^{}\n]*+\}|[^\s&;<>]++)"""
_LINE: Final = r"""\\{0,4}(?:"(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?|[^\r\n"']++)"""

_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:(?!-----END).)*+(?:-----END[A-Z ]{0,40}-----)?", re.DOTALL
)
_HEADER: Final = re.compile(
    r"(?i)((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|api-key|ocp-apim-subscription-key|x-csrf-token|x-auth-token)"
    rf"({_BETWEEN}){_LINE}"
)
_NAMED: Final = re.compile(rf"(?i)({_WORDS})((?![_-]?ur[li])[\w-]{{0,40}}{_BETWEEN}){_VALUE}")
_ELEMENT: Final = re.compile(rf"(?i)(<[\w:-]{{0,40}}(?:{_WORDS})[\w-]{{0,40}}(?:\s[^<>]{{0,200}})?>)[^<]++")
_QUERY: Final = re.compile(r"(?i)([?&](?:code|state|sig|key|id_token|hmac)=)[^&\s\"'#]++")
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic|negotiate)(\s{1,8}|%20|\+)[^\s\"',;]++")
_WEB_TOKEN: Final = re.compile(r"\beyJ[\w-]{6,}+\.[\w-]*+(?:\.[\w-]*+){0,3}")
_EMAIL: Final = re.compile(
    r"""(?:"[^"\n]{1,64}"|(?<![\w.+'*/=?^`{|}~!#$&-])[\w.+'*/=?^`{|}~!#$&-]++)@(?:\[[\da-fA-F.:]{2,45}\]|[\w-]++(?:\.[\w-]++)*+)"""
)
_QUOTED_EMAIL: Final = re.compile(r"(?i)(?<![\w.+-])[\w.+-]++%40[\w-]++(?:\.[\w-]++)*+")
_CHUNK: Final = re.compile(r"\S++")


class Redactor:
    """Knows the secrets that have passed and hides them; safe to use from several threads."""

    def __init__(self) -> None:
        """Begin without known secrets; the patterns work from the start."""
        self._lock = threading.Lock()
        self._spellings: set[str] = set()
        self._known: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Hide this secret from now on, in each spelling in which it may turn up."""
        new = {spelling for spelling in _spellings(secret) if len(spelling) >= SHORTEST} - self._spellings
        if not new:
            return
        with self._lock:
            self._spellings |= new
            longest_first = sorted(self._spellings, key=len, reverse=True)
            self._known = re.compile("|".join(map(re.escape, longest_first)))

    def __call__(self, text: str) -> str:
        """The text without secrets and e-mail addresses."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        if "-----BEGIN" in text:
            text = _PRIVATE_KEY.sub(HIDDEN, text)
        text = _HEADER.sub(_keep_name, text)
        if "<" in text:
            text = _ELEMENT.sub(rf"\1{HIDDEN}", text)
        text = _NAMED.sub(_keep_name, text)
        if "=" in text:
            text = _QUERY.sub(rf"\1{HIDDEN}", text)
        text = _BEARER.sub(rf"\1 {HIDDEN}", text)
        if "eyJ" in text:
            text = _WEB_TOKEN.sub(HIDDEN, text)
        if "@" in text:
            if "://" in text:
                text = _CHUNK.sub(_without_user, text)
            text = _EMAIL.sub(EMAIL, text)
        return _QUOTED_EMAIL.sub(EMAIL, text) if "%40" in text else text

    def value(self, name: str, value: object) -> object:
        """A named value without secrets: hidden as a whole where the name is that of a secret."""
        if re.search(_WORDS, name, re.IGNORECASE) and not name.lower().endswith("url"):
            return HIDDEN
        if value is None or isinstance(value, (bool, int, Decimal, date)):
            return value
        if isinstance(value, Mapping):
            return {self(str(key)): self.value(str(key), inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value("", inner) for inner in value]
        return self(value if isinstance(value, str) else str(value))


def _spellings(secret: str) -> set[str]:
    """A secret as it stands in text, an address, a form, JSON, XML, a Python literal; its long lines by themselves."""
    plain = {
        secret,
        secret.strip(),
        *(line.strip() for line in secret.splitlines() if len(line.strip()) >= 2 * SHORTEST),
    }
    found = set(plain)
    for text in plain:
        escaped = text.encode("utf-8", "surrogatepass")
        found |= {
            quote(escaped, safe=""),
            quote(escaped),
            quote_plus(escaped),
            html.escape(text),
            html.escape(text, quote=False),
        }
        found |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
    return found


def _keep_name(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}{HIDDEN}"


def _without_user(found: re.Match[str]) -> str:
    """An address without what stands between :// and the last @: a password may itself hold @, / or #."""
    chunk = found[0]
    head, separator, rest = chunk.partition("://")
    _, at, host = rest.rpartition("@")
    return f"{head}{separator}{HIDDEN}@{host}" if separator and at else chunk
