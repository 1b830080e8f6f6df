"""Money is exact: minor units by ISO 4217, half up, and nothing lost on the way into the store and back."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.domain.money import (
    from_minor,
    has_minor_units,
    is_currency,
    minor_units,
    money_text,
    round_money,
    to_minor,
)

# ISO 4217 list one, column "Minor unit".
LISTED = {
    **dict.fromkeys(("JPY", "KRW", "CLP", "ISK", "VND", "XAF", "XOF", "XPF", "PYG", "UGX", "RWF", "BIF", "UYI"), 0),
    **dict.fromkeys(("EUR", "USD", "GBP", "CHF", "SEK", "CZK", "HUF", "MGA", "MRU", "TWD", "IDR", "ANG", "PLN"), 2),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
CURRENCIES = st.sampled_from(["JPY", "EUR", "KWD", "CLF"])
# Up to a thousand billion in the smallest unit: more than any document of a company, less than a column holds.
MINOR = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(("currency", "places"), LISTED.items())
def test_minor_units_are_those_of_iso_4217(currency: str, places: int) -> None:
    assert minor_units(currency) == places
    assert from_minor(1, currency) == Decimal(1).scaleb(-places)
    assert to_minor(Decimal(1), currency) == 10**places


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.005", "EUR", "0.01"),
        ("-0.005", "EUR", "-0.01"),
        ("0.004999", "EUR", "0.00"),
        ("2.675", "EUR", "2.68"),
        ("2.665", "EUR", "2.67"),
        ("0.5", "JPY", "1"),
        ("1.5", "JPY", "2"),
        ("2.5", "JPY", "3"),
        ("-2.5", "JPY", "-3"),
        ("0.0005", "KWD", "0.001"),
        ("1.00005", "CLF", "1.0001"),
        ("121", "EUR", "121.00"),
        ("1E+2", "EUR", "100.00"),
        ("0E-9", "KWD", "0.000"),
    ],
)
def test_rounding_is_half_up_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    value = Decimal(amount)
    assert str(round_money(value, currency)) == rounded
    assert money_text(value, currency) == rounded
    assert from_minor(to_minor(value, currency), currency) == Decimal(rounded)


@given(MINOR, CURRENCIES)
def test_minor_units_and_back_lose_nothing(minor: int, currency: str) -> None:
    amount = from_minor(minor, currency)
    assert to_minor(amount, currency) == minor
    assert has_minor_units(amount, currency)
    assert round_money(amount, currency) == amount
    text = money_text(amount, currency)
    assert Decimal(text) == amount
    assert "E" not in text
    assert len(text.partition(".")[2]) == minor_units(currency)


@given(MINOR, st.integers(0, 8), CURRENCIES)
def test_rounding_moves_an_amount_by_half_a_minor_unit_at_most(digits: int, places: int, currency: str) -> None:
    amount = Decimal(digits).scaleb(-places)
    rounded = round_money(amount, currency)
    off = abs(rounded - amount)
    half = Decimal(5).scaleb(-minor_units(currency) - 1)
    assert off <= half
    if off == half:
        assert abs(rounded) > abs(amount)
    assert has_minor_units(amount, currency) is (off == 0)
    assert from_minor(to_minor(amount, currency), currency) == rounded


@given(MINOR, CURRENCIES)
def test_rounding_is_the_same_whatever_the_way_of_rounding_around_it(digits: int, currency: str) -> None:
    amount = Decimal(digits).scaleb(-5)
    expected = (round_money(amount, currency), to_minor(amount, currency))
    with localcontext() as context:
        context.rounding = "ROUND_HALF_EVEN"
        assert (round_money(amount, currency), to_minor(amount, currency)) == expected


@pytest.mark.parametrize("code", ["EUR", "QQQ", "ZZZ"])
def test_three_capital_letters_are_a_currency(code: str) -> None:
    assert is_currency(code)


@pytest.mark.parametrize("code", ["", "eur", "EURO", "E1R", "€UR", "ÄÖÜ", " EUR", "EU ", "ЕUR"])
def test_anything_else_is_none(code: str) -> None:
    assert not is_currency(code)
