"""Which words of two names may be one word written twice: typing, other spellings, initials, abbreviations."""

import re
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from connector_service.engine.matching.spelling import word_set

# What people shorten, as ``normal`` writes it, and the word in full.
_IN_FULL: Final = {
    "assoc": "associates", "ass": "associates", "bldg": "building", "bros": "brothers", "const": "construction",
    "constr": "construction", "dept": "department", "dist": "distribution", "distr": "distribution",
    "elec": "electrical", "electr": "electrical", "eng": "engineering", "engg": "engineering", "ets": "etablissements",
    "gebr": "gebroeders", "gebrs": "gebroeders", "ges": "gesellschaft", "govt": "government", "grp": "group",
    "hosp": "hospital", "ind": "industries", "inds": "industries", "inst": "institute", "intl": "international",
    "int": "international", "internat": "international", "mfg": "manufacturing", "manuf": "manufacturing",
    "mfrs": "manufacturers", "mgmt": "management", "mgt": "management", "mktg": "marketing", "natl": "national",
    "ned": "nederland", "pharm": "pharmacy", "prod": "products", "prods": "products", "serv": "services",
    "servs": "services", "srv": "services", "st": "saint", "ste": "sainte", "svc": "services", "svcs": "services",
    "tech": "technology", "univ": "university", "zn": "zonen", "zns": "zonen",
}  # fmt: skip
# Words between the parts of a name, which people leave out or mistake for one another.
_SMALL: Final = word_set(
    """
    van de der den van von vom zu zum zur ten ter te t het du des del della di da do dos das la le les of the for
    and och og en et y e i & und al el
    """
)
_ROMAN: Final = word_set("i ii iii iv v vi vii viii ix x xi xii")
# First names that differ by a letter or two and are two persons.
_FIRST_NAMES: Final = word_set(
    """
    adam ada alexander alexandra alexandre andre andrea andreas andrei anna anne annie antonia antonio carl carla
    carlo carlos christian christiana christiane christina christine claude claudia claudio dan dana daniel daniela
    daniele danielle david davina denis denise dennis dominic dominique emil emilia emilie emily eric erica erik
    erika eva ewa fabian fabienne francesca francesco francis frances franz gabriel gabriela gabriele gabrielle
    georg george georges georgia gerard gerda hanna hannah hanne hannes hans heinz helen helena helene henri henrik
    henrike henry ivan ivana jaap jack jacob jakob jan jana jane janet janos jean jeanne jens jim joan joanna johan
    johann johanna john jon jose josef joseph josephine josh juan juana juli julia julian juliana juliane julie
    julien julienne julio karen karin karina karl karla kim klaas klara klaus laura lauren laurent laurence lars
    lara leo leon leona leonie linda lina lisa liam louis louisa louise luc luca lucas lucia lukas luke marc marcel
    marcela marcelle marcia marco marcus maria marian mariana marianne marie marina mario marion mark marko markus
    marta martha martin martina martine mary mats matt mia michael michaela michal michel michele michelle mike
    miles nadia nadine nicola nicolas nicole nicolo nina noah nora olaf oliver olivia olivier oscar oskar pascal
    pascale patricia patrick paul paula pauline paulo pete peter petra pia pierre piet pieter rob robert roberta
    roberto robin roman romana ron rosa rose sam samuel sandra sandro sara sarah sean silvia silvio simon simona
    simone sofia sophia sophie stefan stefana stefanie stefano stephan stephanie stephen steve steven susan susanna
    susanne sven svenja ted teresa theo thea thomas tim tina tom toni tony ulrich ulrika ulrike ute valentin
    valentina valerie valeria vera veronica victor victoria viktor viktoria vincent walter wanda werner wim yvan
    yves yvette yvonne
    """
)
_SPELLED_OUT: Final = re.compile(r"(?<![aeiouq])([aou])e(?![aeiou])|aa")
_DOUBLED: Final = re.compile(r"(.)\1+")
_SOUNDS: Final = (
    ("ph", "f"), ("th", "t"), ("ck", "k"), ("qu", "k"), ("dt", "t"), ("c", "k"), ("q", "k"), ("y", "i"), ("z", "s"),
    ("v", "f"),
)  # fmt: skip


SLIPS_FROM: Final = 6
"""The letters from which on a word may have a slip."""
_REMEMBERED: Final = 1 << 16


def in_full(word: str) -> str:
    """The word without abbreviation: "bros" is "brothers"."""
    return _IN_FULL.get(word, word)


@lru_cache(maxsize=_REMEMBERED)
def plain_vowels(word: str) -> str:
    """The word with "ae", "oe", "ue" and "aa" as one vowel, as "ä", "ö", "ü" and "å" are without their marks."""
    return _SPELLED_OUT.sub(lambda found: found[1] or "a", word)


def is_small(word: str) -> bool:
    """Whether a word only joins others, such as "van" and "of"."""
    return word in _SMALL


def is_number(word: str) -> bool:
    """Whether a word counts: digits, with or without letters, or a Roman number beyond one letter."""
    if word.isalpha():
        return len(word) > 1 and word in _ROMAN
    return any(char.isdigit() for char in word)


def is_initial(short: str, long: str) -> bool:
    """Whether the one is the first letter of the other."""
    return len(short) == 1 and len(long) > 1 and short.isalpha() and long[0] == short


def close(left: str, right: str) -> bool:
    """Whether two words that differ are, in all likelihood, one that was typed or spelt otherwise.

    The first letter must sound the same. Words of up to three letters may differ by an "s" or a double letter at the
    end, of four and five must sound the same, of six to nine may differ by one slip (a letter more, less, other or two
    swapped), longer ones by two. Numbers never differ by a slip, and neither do the first names of two persons.
    """
    if is_number(left) or is_number(right) or (left in _FIRST_NAMES and right in _FIRST_NAMES):
        return False
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) > 2 and longer in (shorter + "s", shorter + shorter[-1]):
        return True
    if len(shorter) < 4 or _other_ending(shorter, longer):
        return False
    if len(shorter) >= SLIPS_FROM and (left[0] == right[0] or sound(left)[0] == sound(right)[0]):
        slips = slips_in(shorter)
        if OSA.distance(left, right, score_cutoff=slips) <= slips:
            return True
    return sound(left) == sound(right)


def slips_in(word: str) -> int:
    """How many slips a word may have."""
    return 1 if len(word) < 10 else 2


def _other_ending(shorter: str, longer: str) -> bool:
    """Whether an ending makes it another word: Ivanov and Ivanova, Simon and Simone, Maria and Mario."""
    if longer[:-1] == shorter and (longer[-1] in "a\u0430" or (longer[-1] in "eo" and len(shorter) < 8)):
        return True
    return len(shorter) == len(longer) and shorter[:-1] == longer[:-1] and {shorter[-1], longer[-1]} <= set("aeo")


@lru_cache(maxsize=_REMEMBERED)
def sound(word: str) -> str:
    """The word with what sounds alike written alike, and no letter twice in a row."""
    text = plain_vowels(word)
    for letters, as_one in _SOUNDS:
        text = text.replace(letters, as_one)
    return _DOUBLED.sub(r"\1", text)
