"""Tax of a transaction.

US: automated sales tax by the state of the ship address (or, without it, by the tax code of the transaction); a given
TotalTax is honoured and prorated over the taxable lines. Elsewhere: a tax code on every line, amounts without tax in
``Amount`` and with it in ``TaxInclusiveAmt``.
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from tests.fakes.quickbooks_online import faults
from tests.fakes.quickbooks_online.company import CENT, Company, money
from tests.fakes.quickbooks_online.fields import Json

_PRICE: Final = Decimal("0.0000001")


@dataclass(slots=True)
class Taxable:
    """One line as tax sees it. ``detail`` is the line's detail object; amounts in the document's currency."""

    line: Json
    detail: Json
    net: Decimal
    discount: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    inside: dict[str, Decimal] = field(default_factory=dict)
    """Tax by rate that an amount with tax holds."""


@dataclass(slots=True)
class Result:
    """What was computed: total tax, its lines, and the tax code of the transaction (US)."""

    total: Decimal = Decimal(0)
    lines: list[Json] = field(default_factory=list)
    code: str | None = None

    def detail(self) -> Json:
        """The TxnTaxDetail of the answer."""
        found: Json = {"TxnTaxCodeRef": {"value": self.code}} if self.code else {}
        found["TotalTax"] = money(self.total)
        if self.lines:
            found["TaxLine"] = self.lines
        return found


def cents(amount: Decimal) -> Decimal:
    """Half up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def spread(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """An amount over weights, to the cent; the parts add up to it, the last weight takes what is left over."""
    whole = sum(weights, Decimal(0))
    if not whole:
        return [Decimal(0)] * len(weights)
    parts, used, seen = [], Decimal(0), Decimal(0)
    for weight in weights:
        seen += weight
        part = cents(total * seen / whole) - used
        used += part
        parts.append(part)
    return parts


def _tax_line(rate: Json, amount: Decimal, net: Decimal) -> Json:
    return {
        "Amount": money(amount),
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {
            "TaxRateRef": {"value": rate["Id"]},
            "PercentBased": True,
            "TaxPercent": rate["RateValue"],
            "NetAmountTaxable": money(net),
        },
    }


def us_tax(company: Company, doc: Json, lines: list[Taxable]) -> Result:
    """Sales tax of a US document. Line codes are TAX or NON only."""
    for part in lines:
        ref = part.detail.get("TaxCodeRef") or {"value": "NON"}
        if ref["value"] not in ("TAX", "NON"):
            raise faults.bad_reference("TaxCodes", ref["value"], "is invalid")
        part.detail["TaxCodeRef"] = {"value": ref["value"]}
    given: Json = doc.get("TxnTaxDetail") or {}
    taxed = [part for part in lines if part.detail["TaxCodeRef"]["value"] == "TAX"]
    rates, code = _us_rates(company, doc, given)
    if not taxed or not company.settings.using_sales_tax:
        return Result()
    after_discount = bool(doc.get("ApplyTaxAfterDiscount"))
    nets = [part.net - (part.discount if after_discount else 0) for part in taxed]
    net = sum(nets, Decimal(0))
    if "TotalTax" in given and not given.get("UseAutomatedSalesTax") and rates:
        total = Decimal(given["TotalTax"])
        parts = spread(total, [Decimal(rate["RateValue"]) for rate in rates])
    else:
        parts = [_of_rate(company, rate, nets) for rate in rates]
        if parts and company.settings.tax_skew:
            parts[0] += company.settings.tax_skew
        total = sum(parts, Decimal(0))
    for part, share in zip(taxed, spread(total, nets), strict=True):
        part.tax = share
    found = [_tax_line(rate, amount, net) for rate, amount in zip(rates, parts, strict=True)]
    return Result(total, found, code if found else None)


def _us_rates(company: Company, doc: Json, given: Json) -> tuple[list[Json], str | None]:
    if company.settings.partner_tax:
        address = doc.get("ShipAddr") or doc.get("BillAddr") or {}
        key = company.settings.state_rates.get(str(address.get("CountrySubDivisionCode", "")))
        if key is None:
            return [], None
        code = next((c["Id"] for c in company.all("TaxCode").values() if _rate_ids(c, "sales") == [key]), None)
        return [company.all("TaxRate")[key]], code
    ref = given.get("TxnTaxCodeRef")
    if not ref:
        return [], None
    code_record = company.refer("TaxCode", ref, name=False)
    return [company.all("TaxRate")[key] for key in _rate_ids(code_record, "sales")], code_record["Id"]


def _rate_ids(code: Json, side: str) -> list[str]:
    listed = code.get("SalesTaxRateList" if side == "sales" else "PurchaseTaxRateList") or {}
    return [detail["TaxRateRef"]["value"] for detail in listed.get("TaxRateDetail", [])]


def _of_rate(company: Company, rate: Json, nets: list[Decimal]) -> Decimal:
    share = Decimal(rate["RateValue"]) / 100
    if company.settings.rounding == "line":
        return sum((cents(net * share) for net in nets), Decimal(0))
    return cents(sum(nets, Decimal(0)) * share)


def global_tax(company: Company, doc: Json, lines: list[Taxable], side: str) -> Result:
    """Tax outside the US. Raises QboFault 6000 when a line has no tax code."""
    how = doc.setdefault("GlobalTaxCalculation", "TaxExcluded")
    if how == "NotApplicable" or not company.settings.using_sales_tax:
        for part in lines:
            part.detail.pop("TaxCodeRef", None)
        return Result()
    by_rate: dict[str, list[Taxable]] = {}
    for part in lines:
        ref = part.detail.get("TaxCodeRef")
        if not ref:
            word = company.settings.tax_word
            raise faults.business(f"Make sure all your transactions have a {word} rate before you save.")
        keys = _rate_ids(company.refer("TaxCode", ref, name=False), side)
        if how == "TaxInclusive":
            _take_tax_out(company, part, keys)
        for key in keys:
            by_rate.setdefault(key, []).append(part)
    total, found = Decimal(0), []
    explicit = _given_lines(doc, by_rate)
    for key, parts in by_rate.items():
        rate = company.all("TaxRate")[key]
        nets = [part.net - part.discount for part in parts]
        amount = explicit.get(key, _amount(company, rate, parts, nets, how))
        for part, share in zip(parts, spread(amount, nets), strict=True):
            part.tax += share
        total += amount
        found.append(_tax_line(rate, amount, sum(nets, Decimal(0))))
    return Result(total, found)


def _amount(company: Company, rate: Json, parts: list[Taxable], nets: list[Decimal], how: str) -> Decimal:
    if (
        how == "TaxInclusive"
        and all(rate["Id"] in part.inside for part in parts)
        and not any(p.discount for p in parts)
    ):
        # What was entered with tax stays what it is: the tax is the part of it that is not net.
        amount = sum((part.inside[rate["Id"]] for part in parts), Decimal(0))
    else:
        amount = _of_rate(company, rate, nets)
    return amount + (company.settings.tax_skew if amount else 0)


def _given_lines(doc: Json, by_rate: dict[str, Any]) -> dict[str, Decimal]:
    """Tax by rate as the request gives it; only when it gives every rate that the lines use, and their total."""
    given: Json = doc.get("TxnTaxDetail") or {}
    amounts = {
        line["TaxLineDetail"]["TaxRateRef"]["value"]: Decimal(line["Amount"])
        for line in given.get("TaxLine", [])
        if "Amount" in line and "TaxRateRef" in line.get("TaxLineDetail", {})
    }
    whole = sum(amounts.values(), Decimal(0))
    return amounts if set(amounts) == set(by_rate) and whole == Decimal(given.get("TotalTax", -1)) else {}


def _take_tax_out(company: Company, part: Taxable, keys: list[str]) -> None:
    """Amounts without tax from the amount with it, when the request gives that; price to seven places."""
    gross = part.detail.get("TaxInclusiveAmt")
    rates = [Decimal(company.all("TaxRate")[key]["RateValue"]) for key in keys]
    share = sum(rates, Decimal(0)) / 100
    if gross is None:
        part.detail["TaxInclusiveAmt"] = money(part.net * (1 + share))
        return
    part.net = cents(Decimal(gross) / (1 + share))
    part.inside = dict(zip(keys, spread(Decimal(gross) - part.net, rates), strict=True))
    part.line["Amount"] = money(part.net)
    if part.detail.get("Qty"):
        price = (part.net / Decimal(part.detail["Qty"])).quantize(_PRICE, ROUND_HALF_UP)
        part.detail["UnitPrice"] = int(price) if price == price.to_integral_value() else price
