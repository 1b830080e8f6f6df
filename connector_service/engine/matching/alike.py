"""How alike two names are, as a score from 0 to 100 and in words."""

from collections import Counter
from dataclasses import dataclass
from typing import Final, NamedTuple

from rapidfuzz import fuzz

from connector_service.engine.matching.legal import Form, Stripped, strip
from connector_service.engine.matching.spelling import normal
from connector_service.engine.matching.words import close, in_full, is_initial, is_number, is_small, plain_vowels

LIKELY: Final = 85
"""From this score on two names are, in all likelihood, one party; chosen from labelled pairs (tests/unit/engine)."""
FLOOR: Final = 75
"""Where the letters are less alike than this (percent), the words are not looked at: it is no likely match."""
_BEST_TYPED: Final = 96
_OTHER_WORD: Final = 80
_OTHER_NUMBER: Final = 60
_OTHER_COUNTRY: Final = 80
_PART: Final = 70


class Alike(NamedTuple):
    """What a comparison found."""

    score: int
    reason: str


@dataclass(frozen=True, slots=True)
class Key:
    """A name as it is compared letter by letter: without forms, abbreviations in full, vowels plain."""

    words: tuple[str, ...]
    """Abbreviations in full, vowels as written."""
    plain: str
    ordered: str
    """The words sorted."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name, made ready for comparison."""

    normal: str
    stripped: Stripped
    keys: tuple[Key, ...]
    """The whole name, then those before and after words such as "trading as"."""


def key_of(words: tuple[str, ...]) -> Key:
    """The form in which words are compared."""
    full = tuple([in_full(word) for word in words])
    vowels = [plain_vowels(word) for word in full]
    return Key(full, " ".join(vowels), " ".join(sorted(vowels)))


def read(name: str) -> Name:
    """Make a name ready for comparison."""
    spelt = normal(name)
    stripped = strip(name, spelt)
    return Name(spelt, stripped, tuple(key_of(words) for words in (stripped.words, *stripped.names)))


def compare(left: Name, right: Name, places: frozenset[str] = frozenset()) -> Alike:
    """Compare two names.

    Args:
        left: One name.
        right: The other.
        places: Words that one may have and the other lack, such as the town where both are.
    """
    if left.normal == right.normal:
        return Alike(100, "the same name")
    if left.stripped.words == right.stripped.words:
        return _same_core(left.stripped, right.stripped)
    best = compare_keys(left.keys[0], right.keys[0], places)
    if len(left.keys) + len(right.keys) > 2:
        best = max(best, _by_trading_name(left, right, places))
    if best.score > _OTHER_COUNTRY and _other_country(left.stripped.forms, right.stripped.forms):
        return Alike(_OTHER_COUNTRY, f"similar, but {_instead(left.stripped.forms, right.stripped.forms)}")
    return best


def _by_trading_name(left: Name, right: Name, places: frozenset[str]) -> Alike:
    best = Alike(0, "")
    for one in left.keys:
        for other in right.keys:
            found = compare_keys(one, other, places)
            if found.score >= LIKELY:
                found = Alike(min(found.score, 95), "the same but for the trading name")
            best = max(best, found)
    return best


def _same_core(left: Stripped, right: Stripped) -> Alike:
    ours, theirs = {form.label for form in left.forms}, {form.label for form in right.forms}
    if _other_country(left.forms, right.forms):
        return Alike(_OTHER_COUNTRY, f"the same but for {_instead(left.forms, right.forms)}")
    if ours - theirs and theirs - ours:
        return Alike(92, f"the same but for {_instead(left.forms, right.forms)}")
    different = [form.label for form in (*left.forms, *right.forms) if form.label in ours ^ theirs]
    different += [word.capitalize() for word in (*left.dropped, *right.dropped) if word not in _both(left, right)]
    if different:
        return Alike(98, f"the same but for {' and '.join(dict.fromkeys(different))}")
    if ours:
        return Alike(
            99, f"the same but for how {' and '.join(dict.fromkeys(form.label for form in left.forms))} stands"
        )
    return Alike(97, "the same words in another order")


def _both(left: Stripped, right: Stripped) -> set[str]:
    return set(left.dropped) & set(right.dropped)


def _other_country(left: tuple[Form, ...], right: tuple[Form, ...]) -> bool:
    ours = frozenset[str]().union(*(form.countries for form in left))
    theirs = frozenset[str]().union(*(form.countries for form in right))
    return bool(ours and theirs) and ours.isdisjoint(theirs)


def _instead(left: tuple[Form, ...], right: tuple[Form, ...]) -> str:
    return f"{' '.join(form.label for form in right)} instead of {' '.join(form.label for form in left)}"


def letters_alike(left: Key, right: Key) -> int:
    """Percent of the letters that two names have in the same order, for the better of two orders of the words."""
    plain = fuzz.ratio(left.plain, right.plain, score_cutoff=1)
    return int(max(plain, fuzz.ratio(left.ordered, right.ordered, score_cutoff=plain)))


def compare_keys(left: Key, right: Key, places: frozenset[str] = frozenset()) -> Alike:
    """Compare the words of two names, legal forms apart."""
    if left.plain == right.plain:
        return Alike(97, "the same but for abbreviations or vowels with marks")
    if left.ordered == right.ordered:
        return Alike(97, "the same words in another order")
    letters = letters_alike(left, right)
    ours, theirs = _rest(left.words, right.words), _rest(right.words, left.words)
    if places:
        ours = [word for word in ours if word not in places]
        theirs = [word for word in theirs if word not in places]
        if not ours and not theirs:
            return Alike(92, "the same but for the town")
    if letters >= FLOOR:
        return _by_words(left, right, letters, ours, theirs)
    if places and _pair_off(ours, theirs, 1) is not None and (not ours) == (not theirs):
        return Alike(LIKELY + 1, "similar, and the same but for the town")
    if len(left.words) != len(right.words) and (not ours or not theirs):
        return Alike(max(_PART, letters), f"the same but for {_listed(ours or theirs)}")
    return Alike(letters * _OTHER_WORD // 100, f"{letters} % alike")


def _by_words(left: Key, right: Key, letters: int, ours: list[str], theirs: list[str]) -> Alike:
    joined, other = "".join(ours), "".join(theirs)
    apart = len(ours) != len(theirs) and not any(is_number(word) for word in (*ours, *theirs))
    if apart and joined and other and (joined == other or close(joined, other)):
        return Alike(_BEST_TYPED if joined == other else 90, "the same, written as one word or as several")
    common = sum(1 for word in left.words if len(word) > 1 and not is_small(word)) - sum(
        1 for word in ours if len(word) > 1 and not is_small(word)
    )
    initials = _pair_off(ours, theirs, common)
    if initials is not None:
        if initials:
            return Alike(min(max(letters, LIKELY + 1), 90), "the same but for an initial")
        score = min(max(letters, LIKELY + 1), _BEST_TYPED)
        return Alike(score, f"{score} % alike")
    numbers = [word for word in (*ours, *theirs) if is_number(word)]
    if numbers:
        return Alike(letters * _OTHER_NUMBER // 100, f"similar, but the number is another one ({_listed(numbers)})")
    score = letters * _OTHER_WORD // 100
    if not ours or not theirs:
        return Alike(max(score, _PART), f"the same but for {_listed(ours or theirs)}")
    return Alike(score, f"similar, but {_listed(ours)} is not {_listed(theirs)}")


def _rest(words: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    """The words that the other name lacks, in order."""
    left = Counter(others)
    rest = []
    for word in words:
        if left[word] > 0:
            left[word] -= 1
        else:
            rest.append(word)
    return rest


def _pair_off(ours: list[str], theirs: list[str], common: int) -> bool | None:
    """Pair words off that may be one; whether an initial was among them, or nothing where words are left over."""
    initials, open_ones, left = False, list(theirs), []
    for word in ours:
        found = next((other for other in open_ones if close(word, other)), None)
        if found is None and common > 0:
            found = next((other for other in open_ones if is_initial(word, other) or is_initial(other, word)), None)
            initials = initials or found is not None
        if found is None:
            left.append(word)
        else:
            open_ones.remove(found)
    if left and open_ones and any(not is_small(word) for word in (*left, *open_ones)):
        return None
    for word in (*left, *open_ones):
        if len(word) == 1 and word.isalpha() and common > 1:
            initials = True
        elif not is_small(word):
            return None
    return initials


def _listed(words: list[str]) -> str:
    return " ".join(word.upper() if len(word) < 3 else word.capitalize() for word in words)
