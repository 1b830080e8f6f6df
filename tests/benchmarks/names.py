"""Parties of any number for the benchmarks: names as they stand in real lists, written by two people."""

import random

from connector_service.domain.kinds import PartyKind
from connector_service.domain.parties import Party
from connector_service.domain.reference import ReferenceKind, ReferenceRecord


def _words(text: str) -> list[str]:
    return text.split()


_STARTS = _words("""
Aal Aar Ab Ach Ad Al Am An Ar Ash Bak Bal Ban Bar Bau Beck Ben Berg Bern Black Blom Boer Bol Bos Brad Bram Brand Bren
Brink Broad Bron Bur Cal Cam Car Cas Chal Chap Clar Col Con Coop Cor Cran Craw Dal Dan Dav Deck Del Den Dijk Don Dor
Drak Dub Dun Eck Ed Ei El Ell Em Eng Er Es Fair Fal Far Fel Fen Fisch Flem For Frank Fre Ful Gal Gar Ger Gil God Gra
Green Grif Gros Haar Hal Ham Han Har Haw Heck Hen Her Hil Hof Hol Hor Huis Hun Jack Jan Jen Joh Kal Kam Kar Kel Ken
Kir Klein Kne Koh Kol Kow Kra Kui Lam Lan Lar Law Leb Lef Lind Lock Lor Lub Mac Mal Mar Mat Meis Mer Mey Mid Mol Mor
Mul Nel Neu New Nor Now Oak Oost Or Pal Par Pat Pem Pet Phil Pol Pre Prin Ram Ras Ray Red Rein Rich Riv Rob Ros Roth
Rus Sal Sam Sand Schaf Schmid Schrei Schul Sel Shel Sim Smit Som Stan Steen Stev Stir Stol Sut Tal Tan Tay Ter Thom
Thorn Til Tim Tor Tur Ul Van Ver Vis Vog Vol Wag Wal War Web Wei Wel West Whit Wil Win Wol Wood Zim Zol
""")
_MIDDLES = ["", "", "", "en", "er", "in", "el", "or", "an", "ing", "ol", "ar", "ow", "is", "em", "et"]
_ENDS = _words("""
berg sen son mann man burg ton ham ley stra ink ers ema sma aard feld stein hof brook wood well worth ford ski wicz ov
quist strom dal gren lund aux ier eau ault eron ini elli etti ez os as house horst kamp meyer huizen veld dijk
""")
_TRADES = _words("""
Bouw Bouwbedrijf Techniek Transport Logistiek Advies Installaties Schilders Tuinen Metaal Elektro Service Services
Engineering Joinery Plumbing Roofing Electrical Motors Foods Trading Systems Solutions Consulting Design Media Print
Packaging Tools Machining Precision Steel Timber Glass Windows Cleaning Security Catering Bakery Farms Marine Metallbau
Maschinenbau Elektrotechnik Heizungsbau Bau Handel Spedition Menuiserie Transports Plomberie Bygg Maskin Stolarstwo
""")
_FORMS = ["B.V.", "BV", "V.O.F.", "GmbH", "GmbH & Co. KG", "AG", "Ltd", "Limited", "LLC", "Inc.", "Pty Ltd", "SARL"]
_FORMS += ["AB", "AS", "Sp. z o.o.", "", "", "", ""]
_FIRST_NAMES = _words("""
Jan Piet Karin Anna Thomas Sophie Peter Maria Hans Ingrid John Emily Oliver Grace Jack Charlotte Pierre Camille Lars
Astrid Tomasz Agnieszka Willem Femke Dirk Sabine Stefan Julia Mark Laura David Sarah
""")
_TOWNS = _words("""
Amsterdam Utrecht Rotterdam Zwolle Hamburg Berlin Essen Leeds Bristol Boston Dallas Sydney Perth Lyon Lille Oslo Bergen
Malmö Krakow Gdansk
""")


def make_names(count: int, seed: int = 1) -> list[str]:
    """So many names, nearly all different: firms by a family's name, by an invented one, and persons."""
    chance = random.Random(seed)
    return [_name(chance) for _ in range(count)]


def _family(chance: random.Random) -> str:
    return chance.choice(_STARTS) + chance.choice(_MIDDLES) + chance.choice(_ENDS)


def _name(chance: random.Random) -> str:
    kind = chance.random()
    family = _family(chance)
    if kind < 0.25:
        return f"{chance.choice(_FIRST_NAMES)} {chance.choice(['', '', '', 'van ', 'de ', 'van der '])}{family}"
    if kind < 0.35:
        parts = [f"{family} & {_family(chance)}"]
    elif kind < 0.45:
        parts = [f"{family} {chance.choice(_TRADES)} {chance.choice(_TOWNS)}"]
    elif kind < 0.5:
        parts = [f"{chance.choice(_TRADES)} {family}"]
    else:
        parts = [f"{family} {chance.choice(_TRADES)}"]
    return " ".join([*parts, chance.choice(_FORMS)]).strip()


def typed_again(name: str, chance: random.Random) -> str:
    """The name as somebody else would write it: the same, in another spelling, with another form, or with a slip."""
    kind = chance.random()
    if kind < 0.25:
        return name
    if kind < 0.4:
        return chance.choice([name.upper(), name.replace("&", "and"), name.replace(".", ""), f" {name}  "])
    if kind < 0.55:
        for form in sorted(filter(None, _FORMS), key=len, reverse=True):
            if name.endswith(f" {form}"):
                return name.removesuffix(f" {form}")
        return f"{name} {chance.choice(_FORMS)}".strip()
    words = name.split()
    if kind < 0.65:
        return f"{words[-1]}, {' '.join(words[:-1])}" if len(words) == 2 else " ".join(reversed(words))
    return _slip(_slip(name, chance) if kind > 0.9 else name, chance)


def _slip(name: str, chance: random.Random) -> str:
    at = chance.randrange(1, max(2, len(name) - 1))
    letter = chance.choice("aeinrst")
    return chance.choice(
        [
            name[:at] + name[at + 1 :],
            name[:at] + letter + name[at:],
            name[:at] + letter + name[at + 1 :],
            name[: at - 1] + name[at : at + 1] + name[at - 1] + name[at + 1 :],
        ]
    )


def make_parties(count: int, known: float = 0.7, seed: int = 1) -> tuple[list[Party], list[ReferenceRecord]]:
    """Customers of a source and of a target; so large a part of the source's stand at the target, typed again."""
    chance = random.Random(seed + 1)
    names = make_names(count + int(count * (1 - known)), seed)
    theirs, others = names[:count], names[count:]
    ours = [typed_again(name, chance) for name in theirs[: count - len(others)]] + others
    chance.shuffle(ours)
    parties = [Party(kind=PartyKind.CUSTOMER, key=f"C{at}", name=name) for at, name in enumerate(ours)]
    records = [
        ReferenceRecord(kind=ReferenceKind.CUSTOMER, id=str(at), code="", name=name) for at, name in enumerate(theirs)
    ]
    return parties, records
