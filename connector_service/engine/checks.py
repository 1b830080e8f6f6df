"""The tests that a document passes before it may be pushed. Pure: they see a document and a view, and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from connector_service.contract.manifest import Idempotency, TaxRounding
from connector_service.contract.target import Booked, BookedState
from connector_service.domain.documents import Document, Invoice, Line, TimeRecord
from connector_service.domain.messages import KIND_WORDS, problem
from connector_service.domain.money import ZERO, has_minor_units, minor_units, money_text
from connector_service.domain.problems import Problem
from connector_service.domain.reference import Link, LinkKind, ReferenceRecord
from connector_service.domain.status_codes import ORDER, IssueCode, StatusCode
from connector_service.engine.matching import normal
from connector_service.engine.view import TargetList, View

_NOTHING: Final = TargetList()
_LINE_LISTS: Final = (
    (LinkKind.ACCOUNT, "account", StatusCode.ACCOUNT_NOT_MAPPED),
    (LinkKind.ITEM, "item", StatusCode.ITEM_NOT_MAPPED),
    (LinkKind.TAX_CODE, "tax_code", StatusCode.TAX_NOT_MAPPED),
    (LinkKind.COST_CODE, "cost_code", StatusCode.COST_CODE_NOT_MAPPED),
    (LinkKind.PROJECT, "project", StatusCode.PROJECT_NOT_MAPPED),
)
_HEAD_LISTS: Final = (
    (LinkKind.TAX_CODE, "freight_tax_code", StatusCode.TAX_NOT_MAPPED),
    (LinkKind.TAX_CODE, "discount_tax_code", StatusCode.TAX_NOT_MAPPED),
    (LinkKind.PROJECT, "project", StatusCode.PROJECT_NOT_MAPPED),
    (LinkKind.TERM, "terms", StatusCode.TERM_NOT_MAPPED),
)
_TIME_LISTS: Final = (
    (LinkKind.ITEM, "item", StatusCode.ITEM_NOT_MAPPED),
    (LinkKind.COST_CODE, "cost_code", StatusCode.COST_CODE_NOT_MAPPED),
    (LinkKind.PROJECT, "job", StatusCode.PROJECT_NOT_MAPPED),
    (LinkKind.PAY_ITEM, "pay_item", StatusCode.PAY_ITEM_NOT_MAPPED),
)


def label(document: Document) -> str:
    """What a document is called within a sentence: ``sales invoice INV-1001``."""
    return f"{KIND_WORDS[document.kind][0]} {document.number or document.key}"


@dataclass(slots=True)
class Verdict:
    """What the checks found of one document."""

    problems: list[Problem] = field(default_factory=list)
    targets: dict[tuple[LinkKind, str], str] = field(default_factory=dict)
    """The target's id for each source key whose list is closed."""
    links: list[Link] = field(default_factory=list)
    """Links that follow from an exact name, to be remembered."""
    adopt: Booked | None = None
    """Our own document, found in the books under our reference."""
    book_on: date | None = None
    """The day to book on, where the document's own lies in a closed period."""


class Checker:
    """Runs every check over documents; what depends on the view alone is worked out once."""

    def __init__(self, view: View) -> None:
        """Check against this view."""
        self._view = view
        self._policy = view.policy
        self._limits = view.manifest.limits.field_lengths
        self._closed = frozenset(kind for kind in LinkKind if view.is_closed(kind))
        self._line_lists = tuple(row for row in _LINE_LISTS if row[0] in self._closed)
        self._head_lists = tuple(row for row in _HEAD_LISTS if row[0] in self._closed)
        self._time_lists = tuple(row for row in _TIME_LISTS if row[0] in self._closed)
        self._line_text = (
            view.manifest.line_text_required and StatusCode.LINE_WITHOUT_TEXT not in view.policy.checks_off
        )
        self._facts = {"target": view.manifest.title, "route": view.policy.route}

    def check(self, document: Document, reference: Callable[[str], str]) -> Verdict:
        """Evaluate all checks; problems come in the order of the status codes. ``reference`` is ours for a key."""
        verdict = Verdict()
        if isinstance(document, TimeRecord):
            self._check_time(document, verdict)
        else:
            self._check_invoice(document, verdict, reference)
        found = verdict.problems
        if self._policy.begin is not None and document.date < self._policy.begin:
            found.append(
                self._problem(StatusCode.DATED_BEFORE_BEGIN, document, date=document.date, begin=self._policy.begin)
            )
        locked = self._view.company.locked_until
        if locked is not None and document.date <= locked:
            if self._policy.closed_period_next:
                verdict.book_on = locked + timedelta(days=1)
            else:
                found.append(self._problem(StatusCode.PERIOD_CLOSED, document, date=document.date, locked=locked))
        if self._policy.checks_off:
            verdict.problems = found = [one for one in found if one.code not in self._policy.checks_off]
        if len(found) > 1:
            found.sort(key=lambda one: ORDER[one.code])
        return verdict

    def not_known_to_be_absent(self, document: Document) -> Iterator[Problem]:
        """After the store was lost: a document that the books may hold, and that they cannot be searched for."""
        ways = self._view.manifest.idempotency
        if not self._policy.ask_first or Idempotency.EXTERNAL_REFERENCE in ways:
            return
        if Idempotency.SEARCH in ways and can_be_searched(document):
            return
        target = self._view.manifest.title
        yield Problem(
            IssueCode.STORE_BEHIND,
            f"It is not known whether {label(document)} is in {target} already.",
            f"The store was lost or restored, and {target} cannot be searched for it.",
            f"Look into {target}: mark the document as exported if it is there, retry it if it is not.",
            actions=("mark", "retry"),
        )

    def _problem(self, code: StatusCode, document: Document, field: str = "", /, **facts: object) -> Problem:
        return problem(code, field, document=label(document), key=document.key, **self._facts, **facts)

    def _check_time(self, record: TimeRecord, verdict: Verdict) -> None:
        if self._policy.approved_only and record.approved is False:
            verdict.problems.append(self._problem(StatusCode.NOT_APPROVED, record))
        self._party(
            LinkKind.EMPLOYEE,
            record.employee_key,
            record.employee_name,
            record,
            verdict,
            StatusCode.EMPLOYEE_NOT_LINKED,
        )
        if record.customer_key:
            self._party(LinkKind.CUSTOMER, record.customer_key, "", record, verdict, StatusCode.PARTY_NOT_LINKED)
        for kind, name, code in self._time_lists:
            self._mapped(kind, getattr(record, name), name, code, record, verdict)
        self._length("note", record.note, record, verdict)

    def _check_invoice(self, document: Invoice, verdict: Verdict, reference: Callable[[str], str]) -> None:
        sales = document.kind.is_sales
        if sales and self._policy.require_sent and document.sent is not True:
            verdict.problems.append(self._problem(StatusCode.NOT_SENT, document))
        role = LinkKind.CUSTOMER if sales else LinkKind.SUPPLIER
        self._party(role, document.party_key, document.party_name, document, verdict, StatusCode.PARTY_NOT_LINKED)
        if document.care_of_key:
            self._party(role, document.care_of_key, "", document, verdict, StatusCode.CARE_OF_NOT_LINKED)
        self._numbers(document, verdict, reference)
        for kind, name, code in self._head_lists:
            self._mapped(kind, getattr(document, name), name, code, document, verdict)
        for place, line in enumerate(document.lines, 1):
            if self._line_text and not line.description.strip():
                where = _place(line, place)
                verdict.problems.append(self._problem(StatusCode.LINE_WITHOUT_TEXT, document, where, place=where))
            for kind, name, code in self._line_lists:
                self._mapped(kind, getattr(line, name), f"{_place(line, place)}, {name}", code, document, verdict)
        self._needs_account(document, verdict)
        arithmetic = mismatch(document, self._policy.source_tax_rounding)
        if arithmetic:
            verdict.problems.append(self._problem(StatusCode.TOTAL_MISMATCH, document, arithmetic=arithmetic))
        self._currency(document, verdict)
        if self._limits:
            self._lengths(document, verdict)

    # -- parties and lists --------------------------------------------------------------------------------------------

    def _party(
        self, role: LinkKind, key: str, name: str, document: Document, verdict: Verdict, missing: StatusCode
    ) -> None:
        if role not in self._closed or (role, key) in verdict.targets:
            return
        listed = self._view.lists.get(role, _NOTHING)
        facts = {"party_kind": role.value, "party": name or key}
        link = self._view.links.get((role, key))
        if link is None:
            link = self._exact(role, key, name, listed)
            if link is None:
                verdict.problems.append(self._problem(missing, document, key, **facts))
                return
            verdict.links.append(link)
        record = listed.by_id.get(link.target_id)
        if record is None:
            right = self._exact(role, key, name, listed)
            words = f"; {right.target_name} has the id {right.target_id}" if right else ""
            verdict.problems.append(
                self._problem(StatusCode.LINK_WRONG, document, key, target_id=link.target_id, right=words, **facts)
            )
        elif not record.active:
            verdict.problems.append(self._problem(StatusCode.PARTY_INACTIVE, document, key, **facts))
        else:
            verdict.targets[role, key] = link.target_id

    def _exact(self, role: LinkKind, key: str, name: str, listed: TargetList) -> Link | None:
        same_as = normal(name) if self._policy.auto_link else ""
        same: tuple[ReferenceRecord, ...] = listed.by_name.get(same_as, ()) if same_as else ()
        return Link(role, key, same[0].id, name, same[0].name) if len(same) == 1 else None

    def _mapped(
        self, kind: LinkKind, key: str, place: str, code: StatusCode, document: Document, verdict: Verdict
    ) -> None:
        if not key or (kind, key) in verdict.targets:
            return
        listed = self._view.lists.get(kind, _NOTHING)
        link = self._view.links.get((kind, key))
        record = listed.by_id.get(link.target_id) if link else listed.by_code.get(key)
        if record is None or not record.active:
            verdict.problems.append(self._problem(code, document, place, code=key, place=place))
        else:
            verdict.targets[kind, key] = record.id

    def _needs_account(self, document: Invoice, verdict: Verdict) -> None:
        if LinkKind.ACCOUNT not in self._closed:
            return
        for place, line in enumerate(document.lines, 1):
            if not line.account and not line.item:
                where = _place(line, place)
                verdict.problems.append(
                    self._problem(StatusCode.ACCOUNT_NOT_MAPPED, document, where, code="(none)", place=where)
                )

    # -- numbers ------------------------------------------------------------------------------------------------------

    def _numbers(self, document: Invoice, verdict: Verdict, reference: Callable[[str], str]) -> None:
        number = document.number
        if not number:
            if self._view.manifest.number_required:
                verdict.problems.append(self._problem(StatusCode.NUMBER_MISSING, document))
            return
        carriers = self._view.numbers.get((document.kind, number), ())
        for key, party in carriers:
            if key != document.key and (document.kind.is_sales or party == document.party_key):
                verdict.problems.append(
                    self._problem(StatusCode.SAME_NUMBER_OTHER_CONTENT, document, number=number, other=key)
                )
                break
        for booked in self.taken(document, verdict):
            if booked.state is BookedState.VOID:
                continue
            if booked.external_reference and booked.external_reference == reference(document.key):
                verdict.adopt = booked
                return
            if booked.external_reference in {reference(key) for key, _ in carriers}:
                continue  # another record of the source, which was said above
            found = _in_words(booked)
            verdict.problems.append(self._problem(StatusCode.NUMBER_EXISTS, document, number=number, found=found))
            return

    def taken(self, document: Invoice, verdict: Verdict) -> tuple[Booked, ...]:
        """What the books hold under this document's number (and supplier, for bills)."""
        return self._view.taken.get((document.kind, document.number, number_scope(document, verdict)), ())

    # -- money --------------------------------------------------------------------------------------------------------

    def _currency(self, document: Invoice, verdict: Verdict) -> None:
        company, manifest, code = self._view.company, self._view.manifest, document.currency
        if not company.currency or code == company.currency:
            return
        if not manifest.multi_currency or (company.currencies and code not in company.currencies):
            verdict.problems.append(self._problem(StatusCode.CURRENCY_NOT_ENABLED, document, code=code))
        if manifest.needs_rate and document.rate is None:
            facts = {"code": code, "home": company.currency}
            verdict.problems.append(self._problem(StatusCode.RATE_MISSING, document, **facts))

    # -- lengths ------------------------------------------------------------------------------------------------------

    def _lengths(self, document: Invoice, verdict: Verdict) -> None:
        for name, value in _fields(document):
            self._length(name, value, document, verdict)

    def _length(self, name: str, value: str, document: Document, verdict: Verdict) -> None:
        limit = self._limits.get(name)
        if limit is not None and len(value) > limit:
            facts = {"place": f"the field {name}", "length": len(value), "limit": limit}
            verdict.problems.append(self._problem(StatusCode.FIELD_TOO_LONG, document, name, **facts))


def _in_words(booked: Booked) -> str:
    """What a person can tell a booked document by."""
    parts = [
        f"dated {booked.date}" if booked.date else "",
        f"{booked.currency} {booked.total:,}" if booked.total is not None and booked.currency else "",
        f"id {booked.remote_id}",
    ]
    return ", ".join(filter(None, parts))


def can_be_searched(document: Document) -> bool:
    """Whether a document says enough of itself to be told from others in the books."""
    return not isinstance(document, TimeRecord) and bool(document.number)


def number_scope(document: Document, verdict: Verdict | None = None) -> str:
    """Within what a number is unique: a supplier for bills and vendor credits, everything for sales documents."""
    if isinstance(document, TimeRecord) or document.kind.is_sales:
        return ""
    targets = verdict.targets if verdict else {}
    return targets.get((LinkKind.SUPPLIER, document.party_key), document.party_key)


def mismatch(document: Invoice, rounding: TaxRounding) -> str:
    """How the total fails to fit the parts, in words; empty where it fits to the cent.

    With tax rounded per line, the lines' tax amounts add up to the tax total exactly; with tax rounded per document
    they may be off by half a minor unit each.
    """
    currency = document.currency
    for name, amount in (("total", document.total), ("tax", document.tax_total)):
        if not has_minor_units(amount, currency):
            return f"The {name} {amount} has more decimals than {currency} has."
    if document.total < ZERO:
        return (
            f"The total is {document.total}; a document that gives back belongs among the credits, with a positive"
            " amount."
        )
    computed = document.computed_total()
    if computed != document.total:
        return (
            f"The lines, freight, discount and tax add up to {_text(computed, currency)}, and the total says"
            f" {_text(document.total, currency)}: a difference of {_text(document.total - computed, currency)}"
            f" {currency}."
        )
    return _tax_mismatch(document, rounding)


def _tax_mismatch(document: Invoice, rounding: TaxRounding) -> str:
    taxes = [line.tax_amount for line in document.lines if line.tax_amount is not None]
    if not taxes or len(taxes) != len(document.lines):
        return ""
    if (document.freight and document.freight_tax_code) or (document.discount and document.discount_tax_code):
        return ""
    off = abs(sum(taxes, ZERO) - document.tax_total)
    allowed = ZERO
    if rounding is TaxRounding.DOCUMENT:
        allowed = Decimal(5).scaleb(-minor_units(document.currency) - 1) * len(taxes)
    if off <= allowed:
        return ""
    return (
        f"The tax of the lines adds up to {sum(taxes, ZERO)}, and the tax total says {document.tax_total}"
        f" (tax is rounded per {rounding.value})."
    )


def _text(amount: Decimal, currency: str) -> str:
    return money_text(amount, currency) if has_minor_units(amount, currency) else format(amount, "f")


def _place(line: Line, place: int) -> str:
    return f"line {line.number or place}"


def _fields(document: Invoice) -> Iterator[tuple[str, str]]:
    yield "number", document.number
    yield "note", document.note
    yield "terms", document.terms
    yield "party.name", document.party_name
    for line in document.lines:
        yield "line.description", line.description
