"""Names that mean the same: what is equal, what is left of a name, and how well the labelled pairs are told apart."""

import csv
import unicodedata
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.engine.matching import core, normal
from connector_service.engine.matching.alike import LIKELY, compare, read
from connector_service.engine.matching.words import close


class Pair(NamedTuple):
    """Two names that a person has judged."""

    part: str
    """The thresholds were chosen with one part; the other was judged before anything was measured with it."""
    label: str
    """``exact``: safe to link without asking. ``likely``: ask before creating. ``no``: two parties."""
    what: str
    left: str
    right: str


PAIRS = [
    Pair(**row)
    for row in csv.DictReader(Path(__file__).with_name("pairs.csv").read_text(encoding="utf-8").splitlines())
]


def test_there_are_enough_pairs_and_hard_ones_of_each_label() -> None:
    assert len(PAIRS) >= 300
    assert len({frozenset((pair.left, pair.right)) for pair in PAIRS if pair.left != pair.right}) == len(PAIRS)
    for label, least in (("exact", 40), ("likely", 150), ("no", 150)):
        assert sum(pair.label == label for pair in PAIRS) >= least


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.left}|{pair.right}")
def test_names_are_equal_where_that_is_safe_and_nowhere_else(pair: Pair) -> None:
    assert (normal(pair.left) == normal(pair.right)) == (pair.label == "exact")


@pytest.mark.parametrize(("part", "precision", "recall"), [("chosen", 0.96, 0.97), ("held out", 0.88, 0.88)])
def test_likely_matches_are_told_from_others(
    part: str, precision: float, recall: float, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [pair for pair in PAIRS if pair.part == part]
    found = [pair for pair in pairs if compare(read(pair.left), read(pair.right)).score >= LIKELY]
    right = sum(pair.label != "no" for pair in found)
    wanted = sum(pair.label != "no" for pair in pairs)
    with capsys.disabled():
        print(f"\n{part}: {len(pairs)} pairs, precision {right / len(found):.3f}, recall {right / wanted:.3f}")
    assert right / len(found) >= precision
    assert right / wanted >= recall


def test_no_other_threshold_tells_them_apart_better() -> None:
    pairs = [pair for pair in PAIRS if pair.part == "chosen"]
    scored = [(compare(read(pair.left), read(pair.right)).score, pair.label != "no") for pair in pairs]

    def faults(threshold: int) -> int:
        return sum((score >= threshold) != same for score, same in scored)

    assert faults(LIKELY) == min(map(faults, range(50, 101)))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.left}|{pair.right}")
def test_it_does_not_matter_which_name_is_whose(pair: Pair) -> None:
    one, other = (compare(read(pair.left), read(pair.right)), compare(read(pair.right), read(pair.left)))
    assert one.score == other.score


TEXTS = st.one_of(
    st.text(),
    st.text(alphabet="ab.&+ '’´-é ßIİΑά\u0301\u0308ガ1½&andenetund;,\u200b", max_size=14),
    st.sampled_from([name for pair in PAIRS for name in (pair.left, pair.right)]),
)


@given(TEXTS)
def test_the_normal_form_of_a_normal_form_is_itself(name: str) -> None:
    assert normal(normal(name)) == normal(name)


@given(TEXTS)
def test_only_a_name_of_nothing_is_empty(name: str) -> None:
    seen = "".join(char for char in name if unicodedata.category(char) != "Cf").split()
    assert bool(normal(name)) == bool(seen)
    assert bool(core(name)) == bool(normal(name))


@given(TEXTS, TEXTS)
def test_scores_stay_within_their_bounds_and_only_equal_names_reach_the_top(left: str, right: str) -> None:
    score = compare(read(left), read(right)).score
    assert 0 <= score <= 100
    assert (score == 100) == (normal(left) == normal(right))


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("Acme B.V.", "acme"),
        ("B.V. Acme", "acme"),
        ("Acme BV Amsterdam", "acme amsterdam"),
        ("Müller GmbH & Co. KG", "muller"),
        ("Nowak Sp. z o.o. Sp. k.", "nowak"),
        ("Acme Holdings (Pty) Ltd", "acme holdings"),
        ("Novo Skibe A/S", "novo skibe"),
        ("Strojírna Novák, spol. s r.o.", "strojirna novak"),
        ("Oy Metsä Ab", "metsa"),
        ("Smith & Co", "smith"),
        ("Smith, John", "john smith"),
        ("Berg, J. van den", "j van den berg"),
        ("Acme, Inc.", "acme"),
        ("Dr. E. Brandt", "e brandt"),
        ("Jansen Holding B.V. t/a Jansen Bouw", "jansen holding jansen bouw"),
        ("V.O.F. J. Jansen", "j jansen"),
        # What would leave nothing, or the wrong thing, stays.
        ("B.V.", "bv"),
        ("Co", "co"),
        ("The Company", "company"),
        ("The The", "the"),
        ("M & S", "m & s"),
        ("Smith T/A", "smith t a"),
        ("Shell 1, 2", "shell 1 2"),
        ("—", "—"),
        ("", ""),
    ],
)
def test_the_core_of_a_name(name: str, rest: str) -> None:
    assert core(name) == rest


@pytest.mark.parametrize(
    ("left", "right", "reason"),
    [
        ("acme bv", "Acme B.V.", "the same name"),
        ("Acme", "Acme B.V.", "the same but for B.V."),
        ("The Kettle", "Kettle Ltd", "the same but for Ltd and The"),
        ("Acme Ltd", "Acme Limited", "the same but for how Ltd stands"),
        ("Acme B.V.", "Acme N.V.", "the same but for N.V. instead of B.V."),
        ("Acme Ltd", "Acme GmbH", "the same but for GmbH instead of Ltd"),
        ("Smith, Mary Jane", "Jane Mary Smith", "the same words in another order"),
        ("Harper Joinery", "Harper Joinrey", "92 % alike"),
        ("Bright Side Windows", "Brightside Windows", "the same, written as one word or as several"),
        ("J. Whitfield", "John Whitfield", "the same but for an initial"),
        ("Tan Trust T/A Tan's Bakery", "Tan's Bakery", "the same but for the trading name"),
        ("Shell Station 12", "Shell Station 21", "similar, but the number is another one (12 21)"),
        ("Jansen Bouw Groningen", "Jansen Bouw", "the same but for Groningen"),
        ("Jan van den Berg", "Jaap van den Berg", "similar, but Jan is not Jaap"),
    ],
)
def test_the_reason_says_what_differs(left: str, right: str, reason: str) -> None:
    assert compare(read(left), read(right)).reason == reason


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("hawthorne", "hawthrone", True),
        ("installatietechniek", "instalatietchniek", True),
        ("catherine", "katherine", True),
        ("mueller", "muller", True),
        ("wit", "witt", True),
        ("sons", "son", True),
        ("jansen", "hansen", False),
        ("hall", "hill", False),
        ("christian", "christina", False),
        ("julian", "juliane", False),
        ("ivanov", "ivanova", False),
        ("rossi", "rosso", False),
        ("dachtechnik", "heiztechnik", False),
        ("1234567", "1234568", False),
        ("vii", "viii", False),
    ],
)
def test_one_word_is_told_from_two(left: str, right: str, same: bool) -> None:
    assert close(left, right) is close(right, left) is same
