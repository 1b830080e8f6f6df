"""What is known of a party beside its name, and what it says when two agree in it."""

import re
from dataclasses import dataclass
from typing import Final, Self

from connector_service.domain.parties import Party
from connector_service.domain.reference import ReferenceRecord
from connector_service.engine.matching.spelling import normal, word_set

# Providers of addresses for everybody: that two parties use one says nothing.
_EVERYBODYS: Final = word_set(
    """
    gmail.com googlemail.com hotmail.com outlook.com live.com msn.com yahoo.com ymail.com icloud.com me.com mac.com
    aol.com proton.me protonmail.com mail.com zoho.com hotmail.nl live.nl outlook.nl ziggo.nl kpnmail.nl
    kpnplanet.nl planet.nl xs4all.nl hetnet.nl home.nl casema.nl chello.nl upcmail.nl quicknet.nl solcon.nl
    telfort.nl tele2.nl telenet.be skynet.be proximus.be scarlet.be gmx.de gmx.net gmx.at web.de t-online.de
    freenet.de arcor.de aon.at bluewin.ch hotmail.de yahoo.de posteo.de mailbox.org orange.fr wanadoo.fr free.fr
    laposte.net sfr.fr neuf.fr hotmail.fr yahoo.fr bbox.fr libero.it virgilio.it tiscali.it alice.it pec.it
    hotmail.it yahoo.it hotmail.es telefonica.net yahoo.es sapo.pt btinternet.com btopenworld.com sky.com
    virginmedia.com ntlworld.com talktalk.net hotmail.co.uk yahoo.co.uk live.co.uk outlook.co.uk blueyonder.co.uk
    tiscali.co.uk eircom.net bigpond.com bigpond.net.au optusnet.com.au iinet.net.au tpg.com.au internode.on.net
    hotmail.com.au yahoo.com.au xtra.co.nz comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net
    charter.net earthlink.net rogers.com sympatico.ca shaw.ca wp.pl o2.pl onet.pl op.pl interia.pl gazeta.pl
    telia.com bredband.net spray.se online.no frisurf.no mail.dk tdcadsl.dk stofanet.dk kolumbus.fi luukku.com
    elisanet.fi seznam.cz centrum.cz
    """
)
_NOT_DIGIT: Final = re.compile(r"\D")
_NOT_SIGN: Final = re.compile(r"[^0-9A-Z]")
_COUNTRY: Final = re.compile(r"^(?:[A-Z]{2})(?=[0-9A-Z]*\d)")
_PHONE_DIGITS: Final = 9
_LEAST_PHONE: Final = 7
_LEAST_TAX: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyFacts:
    """What tells a party beside its name, as it was typed; empty where it is not known."""

    tax_number: str = ""
    email: str = ""
    phone: str = ""
    postcode: str = ""
    city: str = ""

    @classmethod
    def of(cls, party: Party) -> Self:
        """The facts of a party of the source."""
        return cls(
            tax_number=party.tax_number,
            email=party.email,
            phone=party.phone,
            postcode=party.postcode,
            city=party.city,
        )

    @classmethod
    def of_record(cls, record: ReferenceRecord) -> Self:
        """The facts of a party of the target: the details that are named like the fields of a party."""
        return cls(**{name: record.details.get(name, "") for name in cls.__slots__})


def tax_id(number: str) -> str:
    """A VAT or other tax number in the form in which two are compared; empty where it says nothing.

    Blanks and signs are dropped, and a country's two letters in front, which people often leave out. Of numbers such as
    "0000000" and "n/a" nothing is left.
    """
    plain = _COUNTRY.sub("", _NOT_SIGN.sub("", number.upper()))
    digits = _NOT_DIGIT.sub("", plain)
    return plain if len(plain) >= _LEAST_TAX and len(set(digits)) > 1 else ""


def phone_id(number: str) -> str:
    """The last nine digits of a telephone number, which are the same with and without the country's; or empty."""
    digits = _NOT_DIGIT.sub("", number)
    return digits[-_PHONE_DIGITS:] if len(digits) >= _LEAST_PHONE and len(set(digits)) > 2 else ""


def email_id(address: str) -> str:
    """An e-mail address for comparison; empty where it is none."""
    plain = address.strip().casefold()
    return plain if "@" in plain.strip("@") else ""


def domain_of(address: str) -> str:
    """The domain of an e-mail address; empty for providers that serve everybody."""
    domain = email_id(address).rpartition("@")[2]
    return "" if domain in _EVERYBODYS else domain


def postcode_id(postcode: str) -> str:
    """A postcode for comparison: letters and digits only."""
    return _NOT_SIGN.sub("", postcode.upper())


def places(facts: PartyFacts) -> frozenset[str]:
    """The words of the party's town."""
    return frozenset(normal(facts.city).split())


@dataclass(frozen=True, slots=True)
class Agreement:
    """In what two parties agree."""

    tax: bool
    other_tax: bool
    """Both have a tax number, and not the same."""
    email: bool
    domain: bool
    phone: bool
    postcode: bool


def agreement(left: PartyFacts, right: PartyFacts) -> Agreement:
    """Compare the facts of two parties."""
    ours, theirs = tax_id(left.tax_number), tax_id(right.tax_number)
    return Agreement(
        tax=_same(ours, theirs),
        other_tax=bool(ours and theirs) and ours != theirs,
        email=_same(email_id(left.email), email_id(right.email)),
        domain=_same(domain_of(left.email), domain_of(right.email)),
        phone=_same(phone_id(left.phone), phone_id(right.phone)),
        postcode=_same(postcode_id(left.postcode), postcode_id(right.postcode)),
    )


def _same(left: str, right: str) -> bool:
    return bool(left) and left == right
