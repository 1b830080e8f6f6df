import dataclasses
from typing import get_args

import pytest

from connector_service.engine.setup import RouteOptions
from connector_service.settings import Options, SettingsFaults, Sync, judge
from tests.unit.settings.systems_for_tests import SMALL, SYSTEMS

LARGE = SMALL.replace('system = "journal"', 'system = "quickbooks_online"\ncompany = "1"')
CLOCK = '[routes.main.source]\nsystem = "clock"\n[routes.main.target]\nsystem = "journal"\n'


@pytest.mark.parametrize(
    ("base", "key", "value", "title"),
    [
        (SMALL, "options.after_edit", '"update"', "Embedded books"),
        (SMALL, "options.after_edit", '"reissue"', "Embedded books"),
        (SMALL, "options.mark_sales_paid", '"when_paid"', "Embedded books"),
        (CLOCK, "options.mark_bills_paid", '"after_export"', "Time clock"),
        (SMALL, "options.new_items_as", '"inventory"', "Embedded books"),
        (SMALL, "options.closed_period", '"next_open"', "Embedded books"),
        (LARGE, "options.batch_size", "31", "QuickBooks Online"),
        (LARGE, "options.vendor_bills_from", '"receiver"', "SQL database"),
        (CLOCK, "options.sales_invoices_from", '"packing_list"', "Time clock"),
        (LARGE, "options.checks_off", '["LINE_WITHOUT_TEXT", "TOTAL_MISMATCH"]', "QuickBooks Online"),
        (CLOCK, "sync.contacts", '"import"', "Time clock"),
        (SMALL, "sync.contacts", '"newest"', "Embedded books"),
        (LARGE, "sync.staff", '"newest"', "SQL database"),
        (SMALL, "sync.staff", '"export"', "Embedded books"),
        (LARGE, "sync.items", '["time_record"]', "QuickBooks Online"),
        (CLOCK, "sync.items", '["sales_invoice"]', "Time clock"),
    ],
)
def test_an_option_that_a_system_does_not_serve(base: str, key: str, value: str, title: str) -> None:
    section, name = key.split(".")
    with pytest.raises(SettingsFaults) as caught:
        judge(f"{base}[routes.main.{section}]\n{name} = {value}\n", "x", SYSTEMS)
    (fault,) = caught.value.faults
    assert fault.place == f"routes.main.{key}"
    assert fault.line == base.count("\n") + 2
    assert title in str(fault)
    assert fault.fix


@pytest.mark.parametrize(
    ("base", "content"),
    [
        (
            LARGE,
            (
                '[routes.main.options]\nafter_edit = "ask"\nmark_sales_paid = "never"\n'
                'new_items_as = "service"\nclosed_period = "next_open"\nbatch_size = 30\n'
                'sales_invoices_from = "packing_list"\nchecks_off = ["LINE_WITHOUT_TEXT"]\n'
                'validate_all_tables = false\n[routes.main.sync]\ncontacts = "off"\nstaff = "off"\n'
            ),
        ),
        (LARGE, '[routes.main.options]\nmark_bills_paid = "after_export"\n'),
        (SMALL, "[routes.main.sync]\nitems = []\n"),
        (CLOCK, '[routes.main.sync]\nitems = ["sales_invoice", "time_record"]\n'),
    ],
)
def test_options_that_the_systems_serve(base: str, content: str) -> None:
    judge(base + content, "x", SYSTEMS)


@pytest.mark.parametrize(
    ("key", "value", "words", "fix"),
    [
        ("options.after_edit", '"update"', "kept for a person", 'Write after_edit = "ask".'),
        ("options.after_edit", '"reissue"', "kept for a person", 'Write after_edit = "ask".'),
        ("options.mark_sales_paid", '"when_paid"', "not read yet", 'Write mark_sales_paid = "never".'),
        ("options.mark_bills_paid", '"when_paid"', "not read yet", 'Write mark_bills_paid = "never".'),
        ("options.new_items_as", '"inventory"', "not made yet", 'Write new_items_as = "service".'),
        ("options.validate_all_tables", "true", "not checked yet", "Write validate_all_tables = false."),
        ("sync.contacts", '"import"', "not moved yet", 'Write contacts = "off".'),
        ("sync.contacts", '"export"', "not moved yet", 'Write contacts = "off".'),
        ("sync.contacts", '"newest"', "not moved yet", 'Write contacts = "off".'),
        ("sync.staff", '"export"', "not moved yet", 'Write staff = "off".'),
    ],
)
def test_an_option_that_would_have_no_effect_is_refused(key: str, value: str, words: str, fix: str) -> None:
    section, name = key.split(".")
    with pytest.raises(SettingsFaults) as caught:
        judge(f"{LARGE}[routes.main.{section}]\n{name} = {value}\n", "x", SYSTEMS)
    (fault,) = caught.value.faults
    assert fault.place == f"routes.main.{key}"
    assert words in str(fault)
    assert fault.fix == fix


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ('[routes.main.sync]\ncontacts = "export"\n', 'Write contacts = "off".'),
        ('[routes.main.options]\nafter_edit = "update"\n', 'Write after_edit = "ask".'),
        (
            '[routes.main.options]\nmark_sales_paid = "when_paid"\n',
            'Write mark_sales_paid = "never" or "after_export".',
        ),
    ],
)
def test_the_fix_offers_only_what_would_fit(line: str, fix: str) -> None:
    with pytest.raises(SettingsFaults) as caught:
        judge(SMALL + line, "x", SYSTEMS)
    assert [fault.fix for fault in caught.value.faults] == [fix]


_IN_THE_WIRING = {"mode", "interval_seconds", "begin", "items", "sales_invoices_from", "vendor_bills_from"}


def test_no_option_is_taken_that_nothing_carries_out() -> None:
    reaches_the_engine = {field.name for field in dataclasses.fields(RouteOptions)} | _IN_THE_WIRING
    idle = [
        (section, name, field)
        for section, model in (("sync", Sync), ("options", Options))
        for name, field in model.model_fields.items()
        if name not in reaches_the_engine
    ]
    assert idle
    for section, name, field in idle:
        choices = ["true"] if field.annotation is bool else [f'"{one}"' for one in get_args(field.annotation)]
        for choice in choices:
            if choice != f'"{field.default}"':
                with pytest.raises(SettingsFaults):
                    judge(f"{LARGE}[routes.main.{section}]\n{name} = {choice}\n", "x", SYSTEMS)
