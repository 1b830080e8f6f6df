"""Documents to Beancount transactions, and tax to its accounts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from connector_service.contract.target import Posting
from connector_service.domain.documents import Invoice, Line, TimeRecord
from connector_service.domain.kinds import Kind
from connector_service.domain.money import ZERO, from_minor, has_minor_units, minor_units, round_money, to_minor
from connector_service.domain.problems import Problem
from connector_service.domain.reference import LinkKind
from connector_service.targets.journal import wire
from connector_service.targets.journal.scanner import FoundAccount

TITLES: Final = {
    Kind.SALES_INVOICE: "Sales invoice",
    Kind.SALES_CREDIT_NOTE: "Sales credit note",
    Kind.VENDOR_BILL: "Vendor bill",
    Kind.VENDOR_CREDIT: "Vendor credit",
    Kind.TIME_RECORD: "Time record",
}
"""What a kind is called in the narration."""

_TAGS: Final = {kind: kind.value.replace("_", "-") for kind in Kind}
_LARGEST: Final = 15
_FINEST: Final = 8


class CannotBook(Exception):
    """The books cannot take this document; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem."""
        self.problem = problem
        super().__init__(problem.what)


@dataclass(slots=True)
class Accounts:
    """The accounts and commodities that a call uses, with the text that opens each, in the order of first use."""

    opens: dict[str, tuple[str, FoundAccount]] = field(default_factory=dict)

    def use(self, account: str, kind: str = "", key: str = "", name: str = "") -> str:
        """Note that an account is used, with what its ``open`` directive keeps; returns the account."""
        if account not in self.opens:
            found = FoundAccount(account, wire.OPENED, "", "", kind, wire.clean(key), wire.clean(name))
            facts: list[str] = []
            _note(facts, "  ", ("kind", kind), ("key" if kind else "code", key), ("name", name))
            self.opens[account] = (f"{wire.OPENED} open {account}\n{''.join(facts)}", found)
        return account

    def commodity(self, code: str) -> None:
        """Note that a commodity is used."""
        if code not in self.opens:
            found = FoundAccount(code, wire.OPENED, "", "", "", "", "")
            self.opens[code] = (f"{wire.OPENED} commodity {code}\n", found)


@dataclass(frozen=True, slots=True)
class Entry:
    """One document's transaction, and what the books will find in it."""

    text: str
    party: str
    total: str
    tax: str
    currency: str


def transaction(posting: Posting, accounts: Accounts) -> Entry:
    """One document's transaction, ending in a line break; raises ``CannotBook``."""
    document = posting.document
    if not posting.external_reference or wire.clean(posting.external_reference) != posting.external_reference:
        raise CannotBook(_problem("Its external reference is empty or holds control characters.", "external_reference"))
    if document.date.isoformat() < wire.OPENED:
        raise CannotBook(_problem(f"It is dated {document.date.isoformat()}, before the books begin.", "date"))
    if isinstance(document, TimeRecord):
        return _time(posting, document, accounts)
    _check_amounts(document)
    if document.computed_total() != document.total:
        raise CannotBook(
            Problem(
                code="TOTAL_MISMATCH",
                what="Its lines, freight, discount and tax do not add up to its total.",
                why=f"They come to {document.computed_total()} {document.currency}, "
                f"and the total is {document.total} {document.currency}.",
                fix="Correct the document in the source, then retry.",
                field="total",
            )
        )
    return _invoice(posting, document, accounts)


def _problem(what: str, field_name: str) -> Problem:
    return Problem(
        code="REFUSED_BY_TARGET",
        what=what,
        why=f"The embedded books hold dates from {wire.OPENED} on, and amounts of up to {_LARGEST} digits with at most "
        f"{_FINEST} decimals.",
        fix="Correct the document in the source, then retry.",
        field=field_name,
    )


def _check_amounts(document: Invoice) -> None:
    # Beancount adds with 28 digits: what is larger or finer than this would no longer add up exactly.
    _check(document.total, "total")
    _check(document.tax_total, "tax_total")
    _check(document.discount, "discount")
    _check(document.freight, "freight")
    _check(document.rounding, "rounding")
    for place, line in enumerate(document.lines, 1):
        _check(line.amount, "line {}, amount", place)
        if line.tax_amount is not None:
            _check(line.tax_amount, "line {}, tax_amount", place)


def _check(value: Decimal, field_name: str, place: int = 0) -> None:
    if value and (value.adjusted() >= _LARGEST or value != round(value, _FINEST)):
        what = "An amount is too large or has too many decimals."
        raise CannotBook(_problem(what, field_name.format(place)))


def _note(out: list[str], indent: str, *facts: tuple[str, str]) -> None:
    out += [f"{indent}{key}: {wire.quote(value)}\n" for key, value in facts if value]


def _head(posting: Posting, payee: str, tags: str) -> str:
    document = posting.document
    narration = f"{TITLES[document.kind]} {document.number}" if document.number else TITLES[document.kind]
    if document.note:
        narration += f": {document.note}"
    return (
        f"{document.date.isoformat()} * {wire.quote(payee)} {wire.quote(narration)}"
        f"{wire.link(document.number)} #{_TAGS[document.kind]}{tags}\n"
        f"  reference: {wire.quote(posting.external_reference)}\n"
        f'  kind: "{document.kind.value}"\n'
        f"  key: {wire.quote(document.key)}\n"
    )


def _time(posting: Posting, record: TimeRecord, accounts: Accounts) -> Entry:
    key = posting.target(LinkKind.EMPLOYEE, record.employee_key)
    linked = (LinkKind.EMPLOYEE, record.employee_key) in posting.targets
    employee = accounts.use(
        wire.account(wire.TIME, key, full_name=linked and key.startswith(wire.TIME)),
        "employee",
        key,
        record.employee_name,
    )
    pay_item = posting.target(LinkKind.PAY_ITEM, record.pay_item)
    earned = accounts.use(wire.account(wire.TIME_EARNED, pay_item, full_name=False), "", pay_item)
    accounts.commodity(wire.MINUTES)
    tags = (" #billable" if record.billable else "") + (" #overtime" if record.overtime else "")
    out = [_head(posting, record.employee_name or record.employee_key, tags)]
    _note(
        out,
        "  ",
        ("number", record.number),
        ("party", key),
        ("pay_item", pay_item),
        ("job", record.job),
        ("customer", posting.target(LinkKind.CUSTOMER, record.customer_key)),
        ("item", posting.target(LinkKind.ITEM, record.item)),
        ("cost_code", posting.target(LinkKind.COST_CODE, record.cost_code)),
        ("begins", "" if record.start is None else record.start.isoformat(sep=" ")),
        ("ends", "" if record.end is None else record.end.isoformat(sep=" ")),
    )
    if record.break_minutes:
        out.append(f"  break_minutes: {record.break_minutes}\n")
    _check(Decimal(record.minutes), "minutes")
    out.append(
        f"  billable: {str(record.billable).upper()}\n  overtime: {str(record.overtime).upper()}\n"
        f"  {employee}  {record.minutes} {wire.MINUTES}\n  {earned}  {-record.minutes} {wire.MINUTES}\n"
    )
    return Entry("".join(out), wire.clean(key), str(record.minutes), "", wire.MINUTES)


def _invoice(posting: Posting, document: Invoice, accounts: Accounts) -> Entry:
    kind, currency = document.kind, document.currency
    is_sales = kind.is_sales
    party_kind = LinkKind.CUSTOMER if is_sales else LinkKind.SUPPLIER
    root = wire.RECEIVABLE if is_sales else wire.PAYABLE
    key = posting.target(party_kind, document.party_key)
    linked = (party_kind, document.party_key) in posting.targets
    party = accounts.use(
        wire.account(root, key, full_name=linked and key.startswith(root)),
        party_kind.value,
        key,
        document.party_name,
    )
    accounts.commodity(currency)
    total, tax = _amount(document.total, currency), _amount(document.tax_total, currency)
    out = [_head(posting, document.party_name or document.party_key, "")]
    _note(out, "  ", ("number", document.number), ("party", key))
    if document.due_date is not None:
        out.append(f"  due: {document.due_date.isoformat()}\n")
    out.append(f"  total: {total} {currency}\n  tax_total: {tax} {currency}\n")
    if document.rate is not None:
        out.append(f"  rate: {wire.digits(document.rate)}\n")
    if document.prices_include_tax:
        out.append("  prices_include_tax: TRUE\n")
    if document.terms or document.care_of_key or document.project:
        _note(
            out,
            "  ",
            ("terms", posting.target(LinkKind.TERM, document.terms)),
            ("care_of", posting.target(party_kind, document.care_of_key)),
            ("project", posting.target(LinkKind.PROJECT, document.project)),
        )
    # The party's side of an invoice and of a vendor credit is a debit; all other amounts have the other sign.
    debit = kind in (Kind.SALES_INVOICE, Kind.VENDOR_CREDIT)

    def post(account: str, value: Decimal, *, with_party: bool = False) -> None:
        signed = value if debit == with_party else value.copy_negate()
        out.append(f"  {account}  {_amount(signed, currency)} {currency}\n")

    post(party, document.total, with_party=True)
    split = split_tax(document)
    result = wire.INCOME if is_sales else wire.EXPENSES
    for line, net in zip(document.lines, split.nets, strict=True):
        code = posting.target(LinkKind.ACCOUNT, line.account)
        post(accounts.use(wire.account(result, code), "", code if ":" not in code else ""), net)
        _line_facts(out, posting, line)
    if document.freight or split.freight:
        post(accounts.use(result + wire.FREIGHT), split.freight)
    if document.discount:
        post(accounts.use(result + wire.DISCOUNT), document.discount, with_party=True)
    taxes = wire.TAX if is_sales else wire.INPUT_TAX
    for tax_code, amount in split.taxes.items():
        code = posting.target(LinkKind.TAX_CODE, tax_code)
        post(accounts.use(wire.account(taxes, code, full_name=code.startswith(taxes)), "", code), amount)
    if document.rounding:
        post(accounts.use(result + wire.ROUNDING), document.rounding)
    return Entry("".join(out), wire.clean(key), total, tax, currency)


def _amount(value: Decimal, currency: str) -> str:
    """The amount with all decimals of its currency, as books have it; with more where it has more."""
    text, places = f"{value:f}", minor_units(currency)
    if places and text[-places - 1 : -places] == ".":
        return text  # it has them, as nearly all have
    shown = round_money(value, currency)
    return f"{shown:f}" if shown == value else text


def _line_facts(out: list[str], posting: Posting, line: Line) -> None:
    _note(out, "    ", ("line", line.number), ("description", line.description))
    out.append(f"    quantity: {wire.digits(line.quantity)}\n")
    if line.unit_price is not None:
        out.append(f"    price: {wire.digits(line.unit_price)}\n")
    if line.discount:
        out.append(f"    discount: {wire.digits(line.discount)}\n")
    if line.item or line.cost_code or line.project:
        _note(
            out,
            "    ",
            ("item", posting.target(LinkKind.ITEM, line.item)),
            ("cost_code", posting.target(LinkKind.COST_CODE, line.cost_code)),
            ("line_project", posting.target(LinkKind.PROJECT, line.project)),
        )
    _note(out, "    ", ("account", line.account), ("tax_code", line.tax_code))
    if line.tax_amount is not None:
        out.append(f"    tax_amount: {wire.digits(line.tax_amount)}\n")


@dataclass(frozen=True, slots=True)
class TaxSplit:
    """A document's tax by code, and what is left of its lines and freight without it."""

    taxes: dict[str, Decimal]
    """By the source's tax code; they add up to ``tax_total`` exactly."""
    nets: tuple[Decimal, ...]
    """The lines' amounts without tax."""
    freight: Decimal


def split_tax(document: Invoice) -> TaxSplit:
    """Tax by tax code as the lines tell it; what they leave open goes where it can belong.

    The rest of ``tax_total`` that no line names goes to the code of freight or discount, else to the one code that the
    lines without a tax amount share, else, where it is no more than rounding, to the code with the most tax, else to
    an account of its own for tax without a code.
    """
    taxes: dict[str, Decimal] = {}
    for line in document.lines:
        if line.tax_amount is not None and line.tax_amount:
            taxes[line.tax_code] = taxes.get(line.tax_code, ZERO) + line.tax_amount
    rest = document.tax_total - sum(taxes.values(), ZERO)
    if rest:
        code = _code_of_rest(document, taxes, rest)
        taxes[code] = taxes.get(code, ZERO) + rest
    taxes = {code: amount for code, amount in taxes.items() if amount}
    if not document.prices_include_tax:
        return TaxSplit(taxes, tuple(line.amount for line in document.lines), document.freight)
    nets = [line.amount - (line.tax_amount or ZERO) for line in document.lines]
    # The whole tax is inside the lines' amounts, so what no line names is taken off the lines that name none.
    open_lines = [at for at, line in enumerate(document.lines) if line.tax_amount is None]
    if not rest:
        return TaxSplit(taxes, tuple(nets), document.freight)
    if not nets or (not open_lines and document.freight and document.freight_tax_code):
        return TaxSplit(taxes, tuple(nets), document.freight - rest)
    places = open_lines or [max(range(len(nets)), key=lambda at: abs(nets[at]))]
    for at, share in zip(places, _shares(rest, [nets[at] for at in places], document.currency), strict=True):
        nets[at] -= share
    return TaxSplit(taxes, tuple(nets), document.freight)


def _code_of_rest(document: Invoice, taxes: dict[str, Decimal], rest: Decimal) -> str:
    without_amount = {line.tax_code for line in document.lines if line.tax_amount is None and line.tax_code}
    if len(without_amount) == 1:
        return without_amount.pop()
    if without_amount:
        return ""
    # Half a cent a line is what rounding by line and by document can differ in.
    tolerance = from_minor(len(document.lines) + 1, document.currency) / 2
    if taxes and abs(rest) <= tolerance:
        return max(taxes, key=lambda code: abs(taxes[code]))
    if document.freight and document.freight_tax_code:
        return document.freight_tax_code
    if document.discount and document.discount_tax_code:
        return document.discount_tax_code
    codes = {line.tax_code for line in document.lines if line.tax_code}
    return codes.pop() if len(codes) == 1 else ""


def _shares(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The amount shared out by weight in whole minor units; the shares add up to it exactly."""
    whole = sum(weights, ZERO)
    if not whole or not has_minor_units(amount, currency):
        return [amount, *([ZERO] * (len(weights) - 1))]
    shares: list[Decimal] = []
    weight, given = ZERO, ZERO
    for part in weights:
        weight += part
        reached = from_minor(to_minor(amount * weight / whole, currency), currency)
        shares.append(reached - given)
        given = reached
    return shares
