"""The faults that QuickBooks Online answers with, as exceptions.

Codes, messages and details are those of the recorded exchanges and of the maker's page of common errors. Where neither
has the wording (a request that is too big, a name with a colon), the code is the general one for business rules, 6000.
"""

from typing import Any, Final

INACTIVE: Final = (
    "Object Not Found : Something you're trying to use has been made inactive. "
    "Check the fields with accounts, customers, items, vendors or employees."
)
Problem = dict[str, str]


class QboFault(Exception):
    """One refused request: one or more errors, a fault type and an HTTP status."""

    def __init__(self, errors: list[Problem], kind: str = "ValidationFault", status: int = 400) -> None:
        super().__init__(errors[0].get("Detail", ""))
        self.errors = errors
        self.kind = kind
        self.status = status

    def body(self) -> dict[str, Any]:
        """The ``Fault`` object."""
        return {"Error": self.errors, "type": self.kind}


def problem(code: str, message: str, detail: str, element: str | None = "") -> Problem:
    """One error; ``element`` None leaves the key out, as some replies do."""
    found = {"Message": message, "Detail": detail, "code": code}
    if element is not None:
        found["element"] = element
    return found


def fault(code: str, message: str, detail: str, element: str | None = "") -> QboFault:
    """A fault with one error."""
    return QboFault([problem(code, message, detail, element)])


def business(detail: str) -> QboFault:
    """6000: a business rule."""
    message = "A business validation error has occurred while processing your request"
    return fault("6000", message, f"Business Validation Error: {detail}")


def not_found(detail: str = INACTIVE) -> QboFault:
    """610: no such object, or it is inactive."""
    return fault("610", "Object Not Found", detail)


def deleted() -> QboFault:
    """610 for a transaction that was there once."""
    return not_found("Object Not Found : Another user has deleted this transaction.")


def stale(user: str) -> QboFault:
    """5010: the SyncToken is not the current one."""
    detail = (
        f"Stale Object Error : You and {user} were working on this at the same time. "
        f"{user} finished before you did, so your work was not saved."
    )
    return fault("5010", "Stale Object Error", detail)


def bad_reference(label: str, value: str, why: str = "not found") -> QboFault:
    """2500: a reference to what does not exist or cannot stand there."""
    detail = f"Invalid Reference Id : {label} element id {value} {why}"
    return fault("2500", "Invalid Reference Id", detail, "Reference Id")


def missing(name: str) -> QboFault:
    """2020: a required property is not there."""
    message = "Required param missing, need to supply the required value for the API"
    return fault("2020", message, f"Required parameter {name} is missing in the request", name)


def unknown_field(name: str, entity: str, known: list[str]) -> Problem:
    """2010: a property that the schema does not have."""
    listed = ", ".join(f'"{field}"' for field in known)[:1000]
    detail = (
        f'Property Name:Unrecognized field "{name}" (class com.intuit.schema.finance.v3.{entity}), not marked as '
        f"ignorable ({len(known)} known properties: {listed} [truncated]])\n specified is unsupported or invalid"
    )
    return problem("2010", "Request has invalid or unsupported property", detail, None)


def bad_property(name: str, why: str) -> Problem:
    """2010: a property with a value of the wrong type."""
    detail = f"Property Name:{name} {why} specified is unsupported or invalid"
    return problem("2010", "Request has invalid or unsupported property", detail, None)


def too_long(name: str, limit: int, length: int) -> Problem:
    """2050: a text over its maximum length."""
    message = "String length is either shorter or longer than supported by specification"
    detail = (
        "String length specified does not match the supported length. "
        f"Min:0 Max:{limit:,} supported. Supplied length:{length:,}"
    )
    return problem("2050", message, detail, name)


def bad_number(name: str, value: object) -> Problem:
    """2080: not a number."""
    return problem("2080", "Illegal number format", f"{name} should be a number. Supplied value:{value}", name)


def bad_choice(name: str, value: object) -> Problem:
    """2170: a value that the enumeration does not have."""
    return problem("2170", "Invalid Enumeration", f"Invalid Enumeration : {value}", name)


def duplicate_name() -> QboFault:
    """6240: the name is taken."""
    message = "Duplicate Name Exists Error"
    return fault("6240", message, "The name supplied already exists. : null", None)


def duplicate_number(number: str, kind: str, other: str) -> QboFault:
    """6140: the document number is taken, and by whom."""
    detail = (
        "Duplicate Document Number Error : You must specify a different number. This number has already been used. "
        f"DocNumber={number} is assigned to TxnType={kind} with TxnId={other}"
    )
    return fault("6140", "Duplicate Document Number Error", detail)


def period_closed() -> QboFault:
    """6210: dated on or before the closing date."""
    detail = (
        "The account period has closed and the account books cannot be updated through the QBO Services API. "
        "Please use the QBO website to make these changes."
    )
    return fault("6210", "Account Period Closed, Cannot Update Through Services API", detail)


def subscription_ended() -> QboFault:
    """6190: the company's subscription allows no writing."""
    detail = (
        "Subscription period has ended or canceled or there was a billing problem : You can't add data to QuickBooks "
        "Online Plus because your trial or subscription period ended."
    )
    return fault("6190", "Invalid Company Status", detail)


def amount_mismatch(supplied: str) -> QboFault:
    """6070: the amount of a line is not quantity times price."""
    message = "Amount calculation incorrect in the request"
    return fault("6070", message, f"Amount is not equal to UnitPrice * Qty. Supplied value:{supplied}", "Line.Amount")


def query_syntax(token: str, column: int) -> QboFault:
    """4000: the query cannot be read."""
    detail = f'QueryParserError: Encountered "{token}" at line 1, column {column}.'
    return fault("4000", "Error parsing query", detail, None)


def query_meaning(detail: str) -> QboFault:
    """4001: the query can be read and cannot be answered."""
    return fault("4001", "Invalid query", f"QueryValidationError: {detail}", None)


def unsupported(what: str) -> QboFault:
    """500: no such operation."""
    return fault("500", "Unsupported Operation", f"Operation {what} is not supported.", None)


def bad_id(value: str) -> QboFault:
    """2030: the id in the address is not one."""
    return fault("2030", "Invalid ID", f"Id should be a valid number. Supplied value:{value}", "Id")


def gateway(status: int, code: str, name: str, detail: str, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the gateway in front answers: its lower-case JSON form, and the fault of its XML form."""
    message = f"message={name}; errorCode=00{code}; statusCode={status}"
    error = {"message": message, "detail": detail, "code": code, "element": None}
    lower: dict[str, Any] = {
        "warnings": None,
        "intuitObject": None,
        "fault": {"error": [error], "type": kind},
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "time": 0,
        "status": None,
        "cdcresponse": [],
    }
    return lower, {"Error": [{"Message": message, "Detail": detail, "code": code}], "type": kind}
