import pytest

from connector_service.settings import SettingsFaults, judge
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
                '[routes.main.options]\nafter_edit = "update"\nmark_sales_paid = "when_paid"\n'
                'new_items_as = "inventory"\nclosed_period = "next_open"\nbatch_size = 30\n'
                'sales_invoices_from = "packing_list"\nchecks_off = ["LINE_WITHOUT_TEXT"]\n'
                '[routes.main.sync]\ncontacts = "newest"\nstaff = "export"\n'
            ),
        ),
        (LARGE, '[routes.main.options]\nafter_edit = "reissue"\nmark_bills_paid = "after_export"\n'),
        (SMALL, '[routes.main.sync]\ncontacts = "import"\nitems = []\n'),
        (CLOCK, '[routes.main.sync]\nitems = ["sales_invoice", "time_record"]\n'),
    ],
)
def test_options_that_the_systems_serve(base: str, content: str) -> None:
    judge(base + content, "x", SYSTEMS)


def test_the_fix_offers_only_what_would_fit() -> None:
    with pytest.raises(SettingsFaults) as caught:
        judge(SMALL + '[routes.main.sync]\ncontacts = "export"\n', "x", SYSTEMS)
    assert caught.value.faults[0].fix == 'Write contacts = "off" or "import".'
    with pytest.raises(SettingsFaults) as caught:
        judge(SMALL + '[routes.main.options]\nafter_edit = "update"\n', "x", SYSTEMS)
    assert caught.value.faults[0].fix == 'Write after_edit = "ask".'
