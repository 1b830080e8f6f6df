"""Every status code in words: title, cause and fix. English texts stand here, in one place."""

from dataclasses import dataclass
from typing import Final

from connector_service.domain.problems import Problem
from connector_service.domain.status_codes import IssueCode, OutcomeCode, StatusCode


@dataclass(frozen=True, slots=True)
class Message:
    """What a code says. Words in braces are filled in from the case at hand."""

    title: str
    why: str
    fix: str
    actions: tuple[str, ...] = ()
    """Names of the actions that clear it, the main one first."""


_AFTER: Final = "The document goes out with the next run by itself."

MESSAGES: Final[dict[str, Message]] = {
    StatusCode.UNREADABLE: Message(
        "A record at the source cannot be read as a document.",
        "{why}",
        "{fix}",
        ("retry", "ignore"),
    ),
    StatusCode.NOT_SENT: Message(
        "{document} has not been sent to the customer yet.",
        "This route books sales documents only once they are marked as sent.",
        "Mark it as sent in the source, or here. " + _AFTER,
        ("mark-sent", "ignore"),
    ),
    StatusCode.NOT_APPROVED: Message(
        "{document} is not approved yet.",
        "This route books approved time only.",
        "Approve it in the source. " + _AFTER,
        ("retry", "ignore"),
    ),
    StatusCode.DATED_BEFORE_BEGIN: Message(
        "{document} is dated {date}, before the begin date {begin}.",
        "It appeared after the records before the begin date were marked; it may be new, or in the books already.",
        "Mark it as exported if the books have it. To book it, move the begin date back: "
        "`connector begin {route} {date}`.",
        ("mark", "ignore"),
    ),
    StatusCode.PARTY_NOT_LINKED: Message(
        "The {party_kind} {party} is not linked to one in {target} yet.",
        "A document is only booked on a party that a person or an exact name has linked.",
        "Link it to an existing one, or create it in {target}.",
        ("link", "create-party"),
    ),
    StatusCode.LINK_WRONG: Message(
        "The {party_kind} {party} is linked to {target_id}, which is not in {target}.",
        "The linked id is not that of a {party_kind} in the books{right}.",
        "Change or remove the link.",
        ("link", "create-party"),
    ),
    StatusCode.PARTY_INACTIVE: Message(
        "The {party_kind} {party} is inactive in {target}.",
        "The books take no documents for an inactive party.",
        "Make it active again in {target}, or link another one.",
        ("retry", "link"),
    ),
    StatusCode.CARE_OF_NOT_LINKED: Message(
        "The care-of party {party} is not linked to one in {target} yet.",
        "{document} names it beside the party itself.",
        "Link it to an existing one, or create it in {target}.",
        ("link", "create-party"),
    ),
    StatusCode.EMPLOYEE_NOT_LINKED: Message(
        "The employee {party} is not linked to one in {target} yet.",
        "Time is only booked for an employee that is known on both sides.",
        "Link the employee to the one in {target}.",
        ("link", "create-party"),
    ),
    StatusCode.NUMBER_MISSING: Message(
        "A document has no number.",
        "The record {key} at the source has an empty number, and {target} needs one.",
        "Give it a number in the source. " + _AFTER,
        ("retry", "ignore"),
    ),
    StatusCode.NUMBER_EXISTS: Message(
        "Number {number} is in {target} already.",
        "A document with this number was not booked by this route: {found}.",
        "If it is the same document, mark this one as exported. If not, change the number in the source.",
        ("mark", "retry", "ignore"),
    ),
    StatusCode.SAME_NUMBER_OTHER_CONTENT: Message(
        "Number {number} is used twice at the source.",
        "The records {key} and {other} carry the same number.",
        "Correct the number of one of them in the source, or ignore the one that is wrong.",
        ("retry", "ignore"),
    ),
    StatusCode.ACCOUNT_NOT_MAPPED: Message(
        "The account {code} is not mapped to one in {target}.",
        "{place} of {document} uses it.",
        "Map it to an account in {target}.",
        ("map",),
    ),
    StatusCode.ITEM_NOT_MAPPED: Message(
        "The item {code} is not mapped to one in {target}.",
        "{place} of {document} uses it.",
        "Map it to an item in {target}, or create it there.",
        ("map",),
    ),
    StatusCode.TAX_NOT_MAPPED: Message(
        "The tax code {code} is not mapped to one in {target}.",
        "{place} of {document} uses it.",
        "Map it to a tax code in {target}.",
        ("map",),
    ),
    StatusCode.COST_CODE_NOT_MAPPED: Message(
        "The cost code {code} is not mapped to one in {target}.",
        "{place} of {document} uses it.",
        "Map it to a cost code in {target}.",
        ("map",),
    ),
    StatusCode.PROJECT_NOT_MAPPED: Message(
        "The project {code} is not mapped to one in {target}.",
        "{place} of {document} uses it.",
        "Map it to a project in {target}.",
        ("map",),
    ),
    StatusCode.TERM_NOT_MAPPED: Message(
        "The payment term {code} is not mapped to one in {target}.",
        "{document} uses it.",
        "Map it to a payment term in {target}.",
        ("map",),
    ),
    StatusCode.PAY_ITEM_NOT_MAPPED: Message(
        "The pay item {code} is not mapped to one in {target}.",
        "{document} uses it.",
        "Map it to a pay item in {target}.",
        ("map",),
    ),
    StatusCode.LINE_WITHOUT_TEXT: Message(
        "{place} of {document} has no text.",
        "A line without text cannot be understood in the books later.",
        "Give the line a description in the source. " + _AFTER,
        ("retry", "ignore"),
    ),
    StatusCode.TOTAL_MISMATCH: Message(
        "The total of {document} does not fit its lines.",
        "{arithmetic}",
        "Correct the document in the source. " + _AFTER,
        ("retry", "ignore"),
    ),
    StatusCode.PERIOD_CLOSED: Message(
        "{document} is dated {date}, and the books are closed up to {locked}.",
        "{target} takes nothing into a closed period.",
        "Open the period in {target}, or date the document in an open one in the source.",
        ("retry", "ignore"),
    ),
    StatusCode.CURRENCY_NOT_ENABLED: Message(
        "{target} does not use the currency {code}.",
        "{document} is in {code}, which is not switched on for this company.",
        "Switch the currency on in {target}. " + _AFTER,
        ("retry", "ignore"),
    ),
    StatusCode.RATE_MISSING: Message(
        "{document} has no exchange rate.",
        "It is in {code}, the books are in {home}, and {target} needs the rate.",
        "Enter the rate in the source. " + _AFTER,
        ("retry", "ignore"),
    ),
    StatusCode.FIELD_TOO_LONG: Message(
        "{place} of {document} is too long for {target}.",
        "It has {length} characters; {target} takes {limit}. Nothing is cut silently.",
        "Shorten it in the source. " + _AFTER,
        ("retry", "ignore"),
    ),
    OutcomeCode.REFUSED_BY_TARGET: Message(
        "{target} refused {document}.",
        "{why}",
        "{fix}",
        ("retry", "ignore"),
    ),
    OutcomeCode.OUTCOME_UNKNOWN: Message(
        "It is not known whether {document} was booked.",
        "{why}",
        "Nothing is sent again until the books have been asked. Look into {target}, then tell: "
        "`connector documents settle {id} --booked REMOTE_ID` or `--not-booked`.",
        ("settle",),
    ),
    # The code of a document and of the route's issue about all such documents: one text serves both.
    OutcomeCode.BOOKED_DIFFERS: Message(
        "{documents} booked with another total than the source has.",
        "{why}",
        "See the documents with the flag booked_differs, and correct them in {target}.",
    ),
    OutcomeCode.CHANGED_AT_SOURCE: Message(
        "{document} was changed at the source after it was exported.",
        "{differences}",
        "Decide: keep what is booked, or undo the document and export it again.",
        ("accept", "undo"),
    ),
    IssueCode.STORE_BEHIND: Message(
        "The store knows less than the audit trail.",
        "{why}",
        "Every receipt that the trail has was put back. Confirm, and each document is looked up in {target} "
        "before it is sent: `connector issues confirm {issue}`.",
    ),
    IssueCode.STORE_SET_ASIDE: Message(
        "The store's file could not be used and was set aside.",
        "{why}",
        "It was kept as {aside}. Restore a backup with `connector restore`; or, to go on with the new store, confirm: "
        "`connector issues confirm {issue}`.",
    ),
    IssueCode.SOURCE_EMPTY: Message(
        "The source suddenly has no {kind} records.",
        "It had {before}. A moved, restored or emptied database looks like this.",
        "Check the source. If it is right, confirm: `connector issues confirm {issue}`.",
    ),
    IssueCode.SOURCE_SHRUNK: Message(
        "The source suddenly has far fewer {kind} records.",
        "It has {after}, and had {before}. A moved or restored database looks like this.",
        "Check the source. If it is right, confirm: `connector issues confirm {issue}`.",
    ),
    IssueCode.TOO_MANY_NEW: Message(
        "There are {after} new {kind} records, more than {limit} at once.",
        "A wrong begin date or another database looks like this. Nothing was sent.",
        "Look with `connector sync {route} --dry-run`. If it is right, confirm: `connector issues confirm {issue}`.",
    ),
    IssueCode.BEGIN_DATE_NEEDED: Message(
        "What this route reads or writes has changed, so it needs a new begin date.",
        "{why}",
        "Set a begin date from which documents are to be booked: `connector begin {route} DATE`.",
    ),
    IssueCode.SOURCE_UNREACHABLE: Message("The source is out of reach.", "{why}", "{fix}"),
    IssueCode.TARGET_UNREACHABLE: Message("{target} is out of reach.", "{why}", "{fix}"),
    IssueCode.GRANT_DEAD: Message(
        "{target} no longer accepts the connection.",
        "{why}",
        "Connect again: `connector connect {route}`. Nothing is lost meanwhile.",
    ),
    IssueCode.SETTINGS_WRONG: Message("A setting of this route does not fit.", "{why}", "{fix}"),
    IssueCode.DOCUMENT_IN_DOUBT: Message(
        "It is not known whether {documents} booked.",
        "The answer to sending them was lost, and {target} has not confirmed them yet.",
        "They are asked for again in each run. To decide by hand: `connector documents --state in_doubt`.",
    ),
    IssueCode.DOCUMENT_DRIFTED: Message(
        "{documents} changed at the source after the export.",
        "What is booked stays as it is until a person decides.",
        "See them with `connector documents --state drifted`.",
    ),
    IssueCode.WRITEBACK_FAILED: Message(
        "Exported documents could not be marked at the source.",
        "{why}",
        "The documents are booked once and will not be sent again. Marking is tried again in each run.",
    ),
    IssueCode.DISK_FULL: Message("The data folder takes no more.", "{why}", "{fix}"),
    IssueCode.AUDIT_BROKEN: Message("The audit trail cannot be written or has been changed.", "{why}", "{fix}"),
    IssueCode.RUN_BROKE: Message(
        "A run ended by a fault of this program.",
        "{why}",
        "Nothing is sent twice. Try again; if it comes back, send the log to whoever looks after this computer.",
    ),
}
"""The message of each code."""


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""


def documents(count: int, verb: str = "") -> str:
    """A count of documents as the subject of a sentence: ``1 document was``, ``3 documents were``."""
    noun = "1 document" if count == 1 else f"{count:,} documents"
    return f"{noun} {verb}".strip()


def duration(minutes: int) -> str:
    """A length of time for people: ``1 h 05 min``."""
    return f"{minutes // 60:,} h {minutes % 60:02} min"


def problem(code: str, field: str = "", /, **facts: object) -> Problem:
    """The problem that a code stands for, with the facts of the case put into its words."""
    message = MESSAGES[code]
    known = _Blank(facts)
    texts = [text.format_map(known) for text in (message.title, message.why, message.fix)]
    what, why, fix = (text[:1].upper() + text[1:] for text in texts)
    return Problem(str(code), what, why, fix, field, message.actions)


KIND_WORDS: Final[dict[str, tuple[str, str]]] = {
    "sales_invoice": ("sales invoice", "sales invoices"),
    "sales_credit_note": ("credit note", "credit notes"),
    "vendor_bill": ("vendor bill", "vendor bills"),
    "vendor_credit": ("vendor credit", "vendor credits"),
    "time_record": ("time record", "time records"),
}
"""What each kind is called, one and many."""
