"""Names without their legal form, title, article and trading words, and persons with their first name first."""

from dataclasses import dataclass
from typing import Final

from connector_service.engine.matching.spelling import AND, normal, word_set

# Label | countries that know the form | spellings as ``normal`` writes them, apart from those in _ONLY_AT_THE_END.
_FORMS: Final = """
B.V. | NL BE | bv; b v; besloten vennootschap; bv io; bvba
N.V. | NL BE | nv; n v; naamloze vennootschap
V.O.F. | NL BE | vof; v o f; vennootschap onder firma
C.V. | NL BE | cv; commanditaire vennootschap
maatschap | NL BE | maatschap
eenmanszaak | NL BE | eenmanszaak
coöperatie | NL BE | cooperatie ua; cooperatief ua; cooperatie; ua; cvba
stichting | NL BE | stichting
vereniging | NL BE | vereniging; vzw
GmbH | DE AT CH | gmbh; g m b h; ges mbh; gesmbh; mbh; gesellschaft mit beschrankter haftung; ggmbh
GmbH & Co. KG | DE AT | gmbh & co kg; gmbh co kg; gmbh & cokg; gmbh & co; gmbh & cie kg; gmbh & co kgaa; ug & co kg
UG | DE | ug; ug haftungsbeschrankt; unternehmergesellschaft; unternehmergesellschaft haftungsbeschrankt
AG | DE AT CH | ag; aktiengesellschaft
KG | DE AT | kg; kommanditgesellschaft; kgaa; ag & co kg; ag & co
OHG | DE AT | ohg; og; offene handelsgesellschaft
GbR | DE | gbr; gesellschaft burgerlichen rechts
e.K. | DE AT | ek; e k; ekfm; ekfr; eingetragener kaufmann; eingetragene kauffrau; eu
eG | DE AT | eg; eingetragene genossenschaft
e.V. | DE AT | ev; e v; eingetragener verein
Ltd | UK IE AU NZ CA ZA IN HK SG | ltd; limited; co ltd; co limited; company limited; company ltd; ltda
Pty Ltd | UK AU ZA SG IN | pty ltd; pty limited; proprietary limited; proprietary ltd; pty; p l; pvt ltd; pte ltd
PLC | UK IE | plc; public limited company; p l c
LLP | UK US AU | llp; limited liability partnership; l l p
LP | UK US | lp; limited partnership
CIC | UK | cic; community interest company
DAC | IE | dac; designated activity company
LLC | US | llc; l l c; limited liability company; pllc
Inc. | US CA AU | inc; incorporated
Corp. | US CA | corp; corporation
Co. | | co; company; & co; & company; & cie; cie; & compagnie; & comp
S.A. | FR BE CH LU ES PT PL RO | sa; s a; societe anonyme; sociedad anonima; spolka akcyjna; societate pe actiuni
S.A.R.L. | FR LU CH | sarl; s a r l; societe a responsabilite limitee; eurl; e u r l
S.A.S. | FR IT | sas; s a s; sasu; societe par actions simplifiee
S.N.C. | FR IT | snc; s n c
SCI | FR | sci; scp; scop; selarl
SRL | IT BE RO ES | srl; s r l; srls; societa a responsabilita limitata
S.p.A. | IT | spa; s p a; societa per azioni
S.L. | ES | sl; s l; slu; s l u; sociedad limitada; sll
Lda | PT | lda; limitada; unipessoal lda; sociedade unipessoal lda
AB | SE FI | ab; aktiebolag; a b; aktiebolaget
HB | SE | hb; handelsbolag; kb; kommanditbolag; enskild firma
AS | NO DK CZ SK TR EE | as; a s; aksjeselskap; asa; aktieselskab; akciova spolecnost
ApS | DK | aps; anpartsselskab; ivs
I/S | DK | i s; k s; p s
ENK | NO | enk; enkeltpersonforetak; ans; da
Oy | FI | oy; oyj; osakeyhtio; oy ab; ky; tmi
Sp. z o.o. | PL | sp z oo; spzoo; sp zoo; sp z o o; spolka z oo; spolka z ograniczona odpowiedzialnoscia
Sp. z o.o. sp. k. | PL | sp z oo sp k; sp z oo sp komandytowa; sp z oo spolka komandytowa; sp z oo sk
Sp. k. | PL | sp k; spk; sp komandytowa; spolka komandytowa
Sp. j. | PL | sp j; spj; sp jawna; spolka jawna; sp c; spolka cywilna; sc
s.r.o. | CZ SK | sro; s r o; spol sro; spol s ro; spol s r o; spolecnost s rucenim omezenym
Kft. | HU | kft; korlatolt felelossegu tarsasag; bt; zrt; nyrt
d.o.o. | SI HR RS BA | doo; d o o; jdoo
d.d. | SI HR BA | dd
OÜ | EE | ou; osauhing
SIA | LV | sia
UAB | LT | uab
SE | | se; societas europaea
"""
# Words of everyday names too; only the end of a name (or what stands before another form) makes them a legal form.
_ONLY_AT_THE_END: Final = word_set(
    """
    co | company | & co | & company | & comp | & compagnie | cie | & cie | ag | as | a s | ab | a b | sa | s a |
    se | sl | s l | kg | og | ou | dd | spa | s p a | da | sas | s a s | sci | scp | cv | nv | n v | b v | ug | eg
    | eu | ev | e v | ek | e k | lp | p l | cic | dac | inc | corp | sc | bt | ky | tmi | sia | hb | kb | i s
    | k s | p s | oy | as | aps | ans | ivs | ua | limited | limitada | ltda | mbh | snc | s n c | pty | stichting |
    vereniging | maatschap | cooperatie | asa | lda | corporation | incorporated | scop | enk | sp c | sp k | sp j
    """,
    "|",
)
# Written before the name: "Stichting De Hoek", "V.O.F. Jansen".
_AT_THE_START: Final = word_set(
    """
    bv | b v | nv | vof | v o f | cv | maatschap | eenmanszaak | stichting | vereniging | cooperatie | sci | sarl
    | sas | eurl | ab | oy | as | aktiebolaget | sia | uab | societe anonyme
    """,
    "|",
)
_ARTICLES: Final = word_set("the de het t la le les los las der die das il lo gli den det")
_TITLES: Final = word_set(
    """
    mr mrs ms miss messrs dr prof sir dhr mevr mw drs mevrouw heer herr frau firma fa m mme mlle monsieur madame sr
    sra pan pani
    """
)
_TRADING: Final = sorted(
    (
        tuple(words.split())
        for words in word_set(
            """
            handelend onder de naam | handelend onder | tevens handelend onder de naam | doing business as
            | trading as | d b a | dba | t a | hodn | h o d n | toodn | handelnd unter | exercant sous le nom de
            | faisant affaire sous | also trading as | aka | a k a
            """,
            "|",
        )
    ),
    key=len,
    reverse=True,
)
_LONGEST: Final = 5


@dataclass(frozen=True, slots=True)
class Form:
    """A legal form."""

    label: str
    """How it is written in a message."""
    countries: frozenset[str]
    """The countries that know it; empty for one that says nothing of the country."""


def _read_forms() -> dict[tuple[str, ...], Form]:
    forms: dict[tuple[str, ...], Form] = {}
    for row in _FORMS.strip().splitlines():
        label, countries, spellings = (part.strip() for part in row.split("|"))
        form = Form(label, frozenset(countries.split()))
        for spelling in spellings.split(";"):
            forms[tuple(spelling.split())] = form
    return forms


_BY_WORDS: Final = _read_forms()
_LAST_WORDS: Final = frozenset(words[-1] for words in _BY_WORDS)
_FIRST_WORDS: Final = frozenset(words[0] for words in _BY_WORDS)
_ANYWHERE: Final = frozenset(words for words in _BY_WORDS if " ".join(words) not in _ONLY_AT_THE_END)
_START: Final = frozenset(tuple(words.split()) for words in _AT_THE_START)
_TRADING_WORDS: Final = frozenset(words[0] for words in _TRADING)


@dataclass(frozen=True, slots=True)
class Stripped:
    """A name and what was taken off it."""

    words: tuple[str, ...]
    """What is left, in order; never empty for a name that says anything."""
    forms: tuple[Form, ...] = ()
    dropped: tuple[str, ...] = ()
    """Articles and titles."""
    names: tuple[tuple[str, ...], ...] = ()
    """With trading words: the name before and the name after them."""


def core(name: str) -> str:
    """The ``normal`` name without its legal forms, leading article or title, and words such as "trading as".

    "Smith, John" becomes "john smith". What would leave nothing is not taken off: "The Company" stays as "company".
    """
    return " ".join(strip(name).words)


def strip(name: str, spelt: str = "") -> Stripped:
    """Take legal forms, leading articles and titles, and trading words off a name; ``spelt`` is its normal form."""
    words = (spelt if spelt and "," not in name else normal(_first_name_first(name))).split()
    cut = _trading_place(words) if not _TRADING_WORDS.isdisjoint(words) else None
    if cut is None:
        return _strip(words)
    before, after = _strip(words[: cut[0]]), _strip(words[cut[1] :])
    return Stripped(
        before.words + after.words,
        before.forms + after.forms,
        before.dropped + after.dropped,
        (before.words, after.words),
    )


def _trading_place(words: list[str]) -> tuple[int, int] | None:
    """Where trading words begin and end, with a name before and after them."""
    for start in range(1, len(words) - 1):
        for marker in _TRADING:
            end = start + len(marker)
            if end < len(words) and tuple(words[start:end]) == marker:
                return start, end
    return None


def _strip(words: list[str]) -> Stripped:
    forms: list[Form] = []
    if not _FIRST_WORDS.isdisjoint(words):
        words = _without_forms(words, forms)
    dropped = []
    while len(words) > 1 and (words[0] in _ARTICLES or words[0] in _TITLES):
        dropped.append(words[0])
        words = words[1:]
        if words[0] == AND:  # "M & S": the letter was no title
            words = [dropped.pop(), *words]
            break
    return Stripped(tuple(words), tuple(forms), tuple(dropped))


def _without_forms(words: list[str], forms: list[Form]) -> list[str]:
    """The words without legal forms: at the end first, then at the start, then those that are nothing else anywhere."""
    while words[-1] in _LAST_WORDS:
        for length in range(min(_LONGEST, len(words) - 1), 0, -1):
            form = _BY_WORDS.get(tuple(words[-length:]))
            if form is not None and not _ARTICLES.issuperset(words[:-length]):
                forms.insert(0, form)
                words = words[:-length]
                if words[-1] == AND and len(words) > 1:  # what is left of "& Co"
                    words = words[:-1]
                break
        else:
            break
    for length in range(min(3, len(words) - 1), 0, -1):
        if tuple(words[:length]) in _START and words[length] != AND:
            forms.insert(0, _BY_WORDS[tuple(words[:length])])
            words = words[length:]
            break
    place = 1
    while place < len(words):
        for length in range(min(_LONGEST, len(words) - place), 0, -1):
            part = tuple(words[place : place + length])
            if part in _ANYWHERE:
                forms.append(_BY_WORDS[part])
                words = words[:place] + words[place + length :]
                break
        else:
            place += 1
    return words


def _first_name_first(name: str) -> str:
    """A name such as "Smith, John" with the first name first; other names as they are."""
    if name.count(",") != 1:
        return name
    last, first = name.split(",")
    before, after = normal(last).split(), normal(first).split()
    if not before or not after or len(before) > 3 or len(after) > 4 or AND in before or AND in after:
        return name
    if any(char.isdigit() for char in name) or any(tuple(after[-n:]) in _BY_WORDS for n in range(1, len(after) + 1)):
        return name
    return f"{first} {last}"
