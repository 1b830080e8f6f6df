"""Exact amounts: decimals with the minor units of ISO 4217, rounded half up."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

ZERO: Final = Decimal(0)

# ISO 4217:2015 table A.1: currencies whose minor unit is not two decimals.
_MINOR_UNITS: Final[dict[str, int]] = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_STEPS: Final[tuple[Decimal, ...]] = tuple(Decimal(1).scaleb(-places) for places in range(5))
_SCALES: Final[tuple[Decimal, ...]] = tuple(Decimal(10) ** places for places in range(5))


def minor_units(currency: str) -> int:
    """Decimal places of a currency (ISO 4217 table A.1); two for a code that the table does not list."""
    return _MINOR_UNITS.get(currency, 2)


def is_currency(code: str) -> bool:
    """Whether the text has the form of an ISO 4217 code: three capital letters."""
    return len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()


def round_money(amount: Decimal, currency: str) -> Decimal:
    """The amount in the currency's minor units, rounded half up (away from zero at the half)."""
    return amount.quantize(_STEPS[minor_units(currency)], ROUND_HALF_UP)


def has_minor_units(amount: Decimal, currency: str) -> bool:
    """Whether the amount is exact in the currency's minor units, so that rounding would change nothing."""
    return amount == amount.quantize(_STEPS[minor_units(currency)], ROUND_HALF_UP)


def to_minor(amount: Decimal, currency: str) -> int:
    """The amount as a whole number of minor units (cents), rounded half up."""
    return int((amount * _SCALES[minor_units(currency)]).to_integral_value(ROUND_HALF_UP))


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount that a whole number of minor units stands for, with all its decimals: 12100 in EUR is 121.00."""
    return Decimal(minor).scaleb(-minor_units(currency))


def money_text(amount: Decimal, currency: str) -> str:
    """The amount as plain digits with the currency's decimals, as JSON outputs carry it: ``121.00``."""
    return format(round_money(amount, currency), "f")
