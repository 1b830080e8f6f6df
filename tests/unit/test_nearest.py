import pytest

from connector_service.nearest import did_you_mean, nearest

KNOWN = ["key", "date", "due_date", "currency", "interval_seconds", "port"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [("kei", "key"), ("curency", "currency"), ("Due-Date", "due_date"), ("interval", "interval_seconds"), ("zzz", "")],
)
def test_a_misspelt_word_is_known_again(word: str, meant: str) -> None:
    assert nearest(word, KNOWN) == meant


def test_the_sentence_offers_one_word_or_all() -> None:
    assert did_you_mean("duedate", KNOWN) == "Did you mean due_date?"
    assert did_you_mean("zzz", KNOWN) == "Known are: currency, date, due_date, interval_seconds, key, port."
