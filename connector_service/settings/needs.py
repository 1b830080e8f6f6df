"""Options that need something which is not there: a system does not declare it, or this version does not do it yet.

An option that would have no effect is refused with words, so that nobody relies on it.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from connector_service.contract.manifest import SourceManifest, TargetManifest
from connector_service.domain.kinds import PartyKind
from connector_service.domain.reference import ReferenceKind
from connector_service.settings.faults import Fault
from connector_service.settings.reading import Place
from connector_service.settings.schema import Options, Route, Sync
from connector_service.settings.systems import Systems

# Section, key, what was found, why it does not fit, how to mend it.
_Found = tuple[str, str, str, str, str]

# What this version does not carry out, by section, key and value: what is not done, and what is done instead. A value
# leaves this table with the change that carries it out; whether a system can do it is asked below, before this.
_KEPT = "What changes at the source is shown and kept for a person, who decides."
_PAID = "When a document is paid in the books is not read yet."
_MOVES = ("import", "export", "newest")
_DOCUMENTS_ONLY = "This version moves documents only."
_NOT_YET: Final[Mapping[tuple[str, str], Mapping[object, tuple[str, str]]]] = {
    ("options", "after_edit"): {
        "update": ("Booked documents are not updated by themselves yet.", _KEPT),
        "reissue": ("Booked documents are not taken back and issued again by themselves yet.", _KEPT),
    },
    ("options", "mark_sales_paid"): {"when_paid": (_PAID, "So no sales invoice could be marked by it.")},
    ("options", "mark_bills_paid"): {"when_paid": (_PAID, "So no vendor bill could be marked by it.")},
    ("options", "new_items_as"): {"inventory": ("New items are not made yet.", "So it would have no effect.")},
    ("options", "validate_all_tables"): {
        True: ("Lists of the package that are not in use are not checked yet.", "The lists in use are checked always.")
    },
    ("sync", "contacts"): dict.fromkeys(_MOVES, ("Customers and suppliers are not moved yet.", _DOCUMENTS_ONLY)),
    ("sync", "staff"): dict.fromkeys(_MOVES, ("Employees are not moved yet.", _DOCUMENTS_ONLY)),
}
_PARTIES: Final = {
    "contacts": frozenset({PartyKind.CUSTOMER, PartyKind.SUPPLIER}),
    "staff": frozenset({PartyKind.EMPLOYEE}),
}


def option_faults(name: str, route: Route, systems: Systems) -> Iterator[tuple[Place, Fault]]:
    """What a route asks for that its systems do not declare, where both are known, or that is not carried out yet."""
    found = list(_undeclared(route, systems))
    refused = {(section, key) for section, key, *_ in found}
    found += (fault for fault in _not_yet(route) if fault[:2] not in refused)
    for section, key, what, why, fix in found:
        place = ("routes", name, section, key)
        yield place, Fault(".".join(place), what, why, fix)


def _not_yet(route: Route) -> Iterator[_Found]:
    for (section, key), refused in _NOT_YET.items():
        part: Sync | Options = route.sync if section == "sync" else route.options
        value = getattr(part, key)
        if value in refused:
            default = type(part).model_fields[key].default
            yield section, key, *refused[value], _write(section, key, [default])


def _write(section: str, key: str, values: Collection[object]) -> str:
    """The fix that offers those of the values which are carried out."""
    refused = _NOT_YET.get((section, key), {})
    return f"Write {key} = " + " or ".join(_shown(value) for value in values if value not in refused) + "."


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def _undeclared(route: Route, systems: Systems) -> Iterator[_Found]:
    if route.source.system not in systems.sources or route.target.system not in systems.targets:
        return
    source, target = systems.source(route.source.system), systems.target(route.target.system)
    options, sync = route.options, route.sync
    for needs in (
        _kinds(sync, source, target),
        _made_from(options, source),
        _edits(options, target),
        _paid_marks(options, source, target),
        _target_options(options, target),
        _moves("contacts", sync.contacts, source, target),
        _moves("staff", sync.staff, source, target),
    ):
        yield from needs


def _kinds(sync: Sync, source: SourceManifest, target: TargetManifest) -> Iterator[_Found]:
    if sync.items and not frozenset(sync.items) & source.kinds & target.kinds:
        what = f"None of these kinds can go from {source.title} to {target.title}."
        why = f"{source.title} has: {_list(source.kinds)}. {target.title} takes: {_list(target.kinds)}."
        yield "sync", "items", what, why, "Name kinds that both have, or write items = [] to move no documents."


def _made_from(options: Options, source: SourceManifest) -> Iterator[_Found]:
    for key, value, plain in (
        ("sales_invoices_from", options.sales_invoices_from, "invoice"),
        ("vendor_bills_from", options.vendor_bills_from, "vendor_invoice"),
    ):
        if value != plain and value not in source.alternatives:
            what, why = f'Documents cannot be made from "{value}".', f"{source.title} does not have it."
            yield "options", key, what, why, f'Write {key} = "{plain}".'


def _edits(options: Options, target: TargetManifest) -> Iterator[_Found]:
    takes_back = target.void or target.delete
    fix = _write("options", "after_edit", ["ask", *["update"] * target.update, *["reissue"] * takes_back])
    if options.after_edit == "update" and not target.update:
        what, why = "A booked document cannot be updated.", f"{target.title} does not offer it."
        yield "options", "after_edit", what, why, fix
    if options.after_edit == "reissue" and not takes_back:
        what = "A booked document cannot be taken back and issued again."
        yield "options", "after_edit", what, f"{target.title} can neither void nor delete it.", fix


def _paid_marks(options: Options, source: SourceManifest, target: TargetManifest) -> Iterator[_Found]:
    for key, paid in (("mark_sales_paid", options.mark_sales_paid), ("mark_bills_paid", options.mark_bills_paid)):
        if paid != "never" and not source.mark_paid:
            what, why = "Documents cannot be marked as paid.", f"{source.title} does not take such marks."
            yield "options", key, what, why, _write("options", key, ["never"])
        elif paid == "when_paid" and not target.payments:
            what, why = (
                "When a document is paid in the books cannot be known.",
                f"{target.title} does not tell payments.",
            )
            yield "options", key, what, why, _write("options", key, ["never", "after_export"])


def _target_options(options: Options, target: TargetManifest) -> Iterator[_Found]:
    if options.new_items_as == "inventory" and ReferenceKind.ITEM not in target.write_reference:
        what, why = "New items cannot be made as inventory.", f"{target.title} does not take new items."
        yield "options", "new_items_as", what, why, 'Write new_items_as = "service".'
    tells_periods = target.locked_until or ReferenceKind.PERIOD in target.reference_kinds
    if options.closed_period == "next_open" and not tells_periods:
        what, why = "The next open period cannot be known.", f"{target.title} does not tell which periods are closed."
        yield "options", "closed_period", what, why, 'Write closed_period = "hold".'
    most = target.limits.batch_size
    if options.batch_size > most:
        what, why = f"{options.batch_size} documents in one call are too many.", f"{target.title} takes {most} at most."
        yield "options", "batch_size", what, why, f"Write {most} or less, or 0 for what {target.title} takes best."
    unsafe = [code for code in options.checks_off if code not in target.safe_checks_off]
    if unsafe:
        why = f"With {target.title} only these may be left out without harm: {_list(target.safe_checks_off)}."
        yield "options", "checks_off", f"{_list(unsafe)} cannot be switched off.", why, "Remove it from the list."


def _moves(key: str, move: str, source: SourceManifest, target: TargetManifest) -> Iterator[_Found]:
    into_source = bool(_PARTIES[key] & source.write_parties)
    into_target = bool(_PARTIES[key] & target.write_parties)
    possible = ["off"] + ["import"] * into_source + ["export"] * into_target
    fix = _write("sync", key, possible)
    if move in ("import", "newest") and not into_source:
        yield "sync", key, f'"{move}" writes {key} into {source.title}.', f"{source.title} does not take them.", fix
    if move in ("export", "newest") and not into_target:
        yield "sync", key, f'"{move}" writes {key} into {target.title}.', f"{target.title} does not take them.", fix


def _list(values: Collection[str]) -> str:
    return ", ".join(sorted(str(value) for value in values)) or "none"
