"""Who is who in an e-invoice: which side is ours, and the key under which a party is remembered."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from connector_service.domain.problems import SettingsFault
from connector_service.sources.folder.safexml import plain
from connector_service.sources.folder.wire import Id, InvoiceFacts, PartyFacts, Unfit

# Names of schemes that older files use, by their ISO 6523 or EAS codes (Peppol code list of participant identifier
# schemes; SI-UBL 1.x and UBL 2.1 examples write the names).
_SCHEMES: Final = {
    "GLN": "0088",
    "GTIN": "0160",
    "DUNS": "0060",
    "NLKVK": "0106",
    "KVK": "0106",
    "NLOIN": "0190",
    "OIN": "0190",
    "NLVAT": "9944",
    "BEVAT": "9925",
    "DEVAT": "9930",
    "FRVAT": "9957",
    "BECBE": "0208",
}
# EAS codes of 9900 and above are mostly VAT numbers by country; the value is then the VAT number itself.
_VAT_SCHEME: Final = re.compile(r"99\d\d|VA")
_NO_ID: Final = frozenset({"", "0", "NA", "NONE", "NVT", "NULL", "UNKNOWN", "XXXXXXXX"})

_NAME: Final = "NAME"

STRONG: Final = 2
WEAK: Final = 1


def normal(value: str) -> str:
    """An identifier as it is compared: letters and digits only, capitals; empty for words that stand for none."""
    bare = "".join(char for char in unicodedata.normalize("NFKC", value).upper() if char.isalnum())
    return "" if bare in _NO_ID else bare


def normal_scheme(scheme: str) -> str:
    """A scheme's ISO 6523 code where an older name is known, else the scheme as it stands."""
    bare = "".join(char for char in scheme.upper() if char.isalnum())
    return _SCHEMES.get(bare, bare)


def _name(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def party_key(party: PartyFacts) -> str:
    """The key of a party: its VAT number, else legal registration, electronic address, other number, or name.

    The order is that of how sure it is that every invoice of this party, in either syntax, carries the same one.
    """
    if vat := normal(party.vat):
        return vat
    for each in (*party.legal, *([party.endpoint] if party.endpoint else []), *party.ids):
        if value := normal(each.value):
            scheme = normal_scheme(each.scheme)
            return f"{scheme}:{value}" if scheme else value
    for number in party.tax_numbers:
        if value := normal(number):
            return value
    return f"name:{_name(party.name)}" if party.name else ""


def same_party(left: PartyFacts, right: PartyFacts) -> bool:
    """Whether two descriptions mean one party: they share an identifier, or have the same name."""
    ours = {(normal_scheme(each.scheme), normal(each.value)) for each, _ in _identifiers(left)}
    theirs = {(normal_scheme(each.scheme), normal(each.value)) for each, _ in _identifiers(right)}
    return any(value for _, value in ours & theirs)


def _identifiers(party: PartyFacts) -> Iterator[tuple[Id, int]]:
    """Every identifier with its weight: a name, or a number that somebody gave, weighs less than an official one."""
    if party.vat:
        yield Id("VA", party.vat), STRONG
    for each in party.legal:
        yield each, STRONG
    if party.endpoint:
        yield party.endpoint, STRONG
    for number in party.tax_numbers:
        yield Id("", number), STRONG
    for each in party.ids:
        yield each, STRONG if each.scheme else WEAK
    if party.name:
        yield Id(_NAME, party.name), WEAK


def described(party: PartyFacts) -> str:
    """A party's name and identifiers, for messages."""
    found = [each for each, _ in _identifiers(party) if each.scheme != _NAME]
    shown = (f"{each.scheme}:{each.value}" if each.scheme not in ("", "VA") else each.value for each in found)
    ids = [plain(each, 40) for each in dict.fromkeys(shown)]
    name = plain(party.name, 60) or "no name"
    return f"{name} ({', '.join(ids) or 'no identifier'})"


@dataclass(frozen=True, slots=True)
class Own:
    """Our own identifiers, from the setting ``party_id``."""

    ids: tuple[Id, ...]

    @classmethod
    def from_setting(cls, text: str) -> "Own":
        """Read ``NL123456789B01, 0106:12345678``; raises ``SettingsFault`` for a part without letters or digits."""
        ids = []
        for part in filter(None, (each.strip() for each in text.split(","))):
            scheme, colon, value = part.rpartition(":")
            if not normal(value):
                raise SettingsFault(
                    f"{part!r} in `party_id` is not an identifier.",
                    why="It has no letters or digits that could be compared.",
                    fix="Set `party_id` to your VAT number, as it stands on your invoices; add others after commas.",
                    code="SETTINGS_WRONG",
                )
            ids.append(Id(normal_scheme(scheme) if colon else "", normal(value)))
        return cls(tuple(ids))

    def weight(self, party: PartyFacts) -> int:
        """How surely a party is us: ``STRONG``, ``WEAK`` or 0."""
        return max((weight for each, weight in _identifiers(party) if self._has(each)), default=0)

    def _has(self, found: Id) -> bool:
        scheme, value = normal_scheme(found.scheme), normal(found.value)
        if not value:
            return False
        for own in self.ids:
            if own.value != value:
                continue
            if not own.scheme or own.scheme == scheme:
                return True
            if _VAT_SCHEME.fullmatch(own.scheme) and _VAT_SCHEME.fullmatch(scheme):
                return True
        return False

    def is_seller(self, facts: InvoiceFacts) -> bool:
        """Whether we sell (else we buy); raises ``Unfit`` where neither or both sides are us."""
        sides = f"Its seller is {described(facts.seller)}, its buyer {described(facts.buyer)}."
        if not self.ids:
            raise Unfit(
                f"Whether this is a sale or a purchase is not known, because your own identifier is not set. {sides}",
                "Set `party_id` in the route's source section to your own VAT number, as it stands in the file, and "
                "drop the file again.",
            )
        seller, buyer = self.weight(facts.seller), self.weight(facts.buyer)
        if seller == buyer:
            which = "Both sides" if seller else "Neither side"
            raise Unfit(
                f"{which} of this invoice {'have' if seller else 'has'} your identifier (`party_id`). {sides}",
                "If one side is you, put the identifier that only this side has into `party_id` in the route's source "
                "section (several with commas between them), and drop the file again."
                if not seller
                else "Put an identifier into `party_id` that only your side has, such as your VAT number.",
            )
        return seller > buyer
