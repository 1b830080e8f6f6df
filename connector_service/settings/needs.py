"""Options that need something of a route's systems: what is not declared is refused, and the fault says so."""

from collections.abc import Collection, Iterator
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

_PARTIES: Final = {
    "contacts": frozenset({PartyKind.CUSTOMER, PartyKind.SUPPLIER}),
    "staff": frozenset({PartyKind.EMPLOYEE}),
}


def option_faults(name: str, route: Route, systems: Systems) -> Iterator[tuple[Place, Fault]]:
    """What a route asks for that its source or its target does not declare; nothing where one of them is not known."""
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
        for section, key, what, why, fix in needs:
            place = ("routes", name, section, key)
            yield place, Fault(".".join(place), what, why, fix)


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
    if options.after_edit == "update" and not target.update:
        other = '"ask" or "reissue"' if takes_back else '"ask"'
        what, why = "A booked document cannot be updated.", f"{target.title} does not offer it."
        yield "options", "after_edit", what, why, f"Write after_edit = {other}."
    if options.after_edit == "reissue" and not takes_back:
        other = '"ask" or "update"' if target.update else '"ask"'
        what = "A booked document cannot be taken back and issued again."
        yield (
            "options",
            "after_edit",
            what,
            f"{target.title} can neither void nor delete it.",
            f"Write after_edit = {other}.",
        )


def _paid_marks(options: Options, source: SourceManifest, target: TargetManifest) -> Iterator[_Found]:
    for key, paid in (("mark_sales_paid", options.mark_sales_paid), ("mark_bills_paid", options.mark_bills_paid)):
        if paid != "never" and not source.mark_paid:
            what, why = "Documents cannot be marked as paid.", f"{source.title} does not take such marks."
            yield "options", key, what, why, f'Write {key} = "never".'
        elif paid == "when_paid" and not target.payments:
            what = "When a document is paid in the books cannot be known."
            yield (
                "options",
                key,
                what,
                f"{target.title} does not tell payments.",
                f'Write {key} = "never" or "after_export".',
            )


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
    fix = f"Write {key} = " + " or ".join(f'"{choice}"' for choice in possible) + "."
    if move in ("import", "newest") and not into_source:
        yield "sync", key, f'"{move}" writes {key} into {source.title}.', f"{source.title} does not take them.", fix
    if move in ("export", "newest") and not into_target:
        yield "sync", key, f'"{move}" writes {key} into {target.title}.', f"{target.title} does not take them.", fix


def _list(values: Collection[str]) -> str:
    return ", ".join(sorted(str(value) for value in values)) or "none"
