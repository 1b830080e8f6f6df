"""What a person in the shop would do about the documents that the demo holds, as a change of its database."""

from typing import Final

from connector_service.demo.drafts import MISMATCH_AT, UNAPPROVED_AT, key_of, money_draft, swapped, time_draft

_CHANGED_AT: Final = 145
_SET_TOTAL: Final = "update Invoice set Total = {total} where InvoiceNo = '{key}'"
_APPROVE: Final = "update TimeEntry set Approved = 1 where EntryNo = '{key}'"
_ADD_NOTE: Final = "update Invoice set Note = 'Paid in cash' where InvoiceNo = '{key}'"


def corrections() -> dict[str, str]:
    """By the document's key: the statement that puts it right in the shop."""
    invoice, entry = key_of("Invoice", MISMATCH_AT), time_draft(UNAPPROVED_AT).head["EntryNo"]
    right = swapped(money_draft("Invoice", MISMATCH_AT).head["Total"])
    return {
        invoice: _SET_TOTAL.format(total=right, key=invoice),
        entry: _APPROVE.format(key=entry),
    }


def some_change() -> tuple[str, str]:
    """A statement that changes an invoice after its export, and the invoice's number."""
    number = key_of("Invoice", _CHANGED_AT)
    return _ADD_NOTE.format(key=number), number
