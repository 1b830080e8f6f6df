"""Profiles: every fault at once, each with its place and the way out."""

from pathlib import Path

import pytest

from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.problems import SettingsFault
from connector_service.sources.shared.profile import Profile, load_profile, parameters, sorts_by_time

PROFILES = Path(__file__).resolve().parents[4] / "config" / "profiles"


def load(tmp_path: Path, text: str, system: str = "sql") -> Profile:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_profile(path, system)


def faults(tmp_path: Path, text: str, system: str = "sql") -> str:
    with pytest.raises(SettingsFault) as caught:
        load(tmp_path, text, system)
    assert "mine.toml" in caught.value.what
    assert caught.value.fix
    return caught.value.why


@pytest.mark.parametrize("name", ["shop", "jobboss_sql", "sqlserver"])
def test_profiles_that_come_with_the_product_are_whole(name: str) -> None:
    profile = load_profile(PROFILES / f"{name}.toml", "sql")
    assert profile.tables
    for table in profile.tables:
        # An inner join would pass records over that have no lines or no known party.
        assert " join " not in table.query.replace("left join ", "")
        assert "order by" in table.query


def test_the_shop_has_every_kind_and_every_alternative() -> None:
    profile = load_profile(PROFILES / "shop.toml", "sql")
    for kind in (*Kind, *PartyKind):
        assert profile.table(kind) is not None
    chosen = profile.chosen({"sales_invoice": "packing_list", "vendor_bill": "receiver"})
    assert "PackingList" in chosen[Kind.SALES_INVOICE].query
    assert "Receiver" in chosen[Kind.VENDOR_BILL].query
    with pytest.raises(SettingsFault, match=r"\[sales_credit_note\.packing_list\]"):
        profile.chosen({"sales_credit_note": "packing_list"})


def test_values_above_hold_for_all_tables_and_give_way_to_their_own(tmp_path: Path) -> None:
    profile = load(
        tmp_path,
        """
        title = "Mine"
        currency = "EUR"
        decimal = ","
        [sales_invoice]
        query = "select 1"
        [vendor_bill.receiver]
        query = "with x as (select 1) select * from x"
        currency = "USD"
        """,
    )
    assert profile.title == "Mine"
    invoice, bill = profile.table(Kind.SALES_INVOICE), profile.table(Kind.VENDOR_BILL, "receiver")
    assert invoice is not None
    assert bill is not None
    assert (invoice.currency, invoice.decimal, bill.currency, bill.decimal) == ("EUR", ",", "USD", ",")
    assert profile.table(Kind.VENDOR_BILL) is None
    assert invoice.place == "mine.toml, [sales_invoice]"
    assert bill.place == "mine.toml, [vendor_bill.receiver]"


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    why = faults(
        tmp_path,
        """
        curency = "EUR"
        decimal = ";"
        date_format = "%d"
        [sales_invoise]
        [sales_invoice]
        qery = "select 1"
        pattern = "*.csv"
        mark_paid = "update Invoice set Paid = 1"
        [sales_credit_note]
        query = "delete from Invoice"
        [vendor_bill]
        query = 5
        [time_record]
        query = "select 1 where a >= :sinse"
        mark_paid = "update T set P = 1 where K = :key"
        [customer]
        query = "select 1"
        mark_exported = "update T set P = 1 where K = :key"
        """,
    )
    for part in (
        "`curency` is not known. Did you mean currency?",
        "`decimal` must be a point or a comma, not ';'",
        "`date_format` must be a format with day, month and year",
        "`sales_invoise` is not known. Did you mean sales_invoice?",
        "[sales_invoice] `qery` is not known. Did you mean query?",
        "[sales_invoice] `pattern` belongs to profiles of the source system folder",
        "[sales_invoice] `mark_paid` must say which record it marks",
        "[sales_invoice] has no `query`",
        "[sales_credit_note] `query` must begin with select or with",
        "[vendor_bill] `query` must be a text in quotes, not 5",
        "[time_record] `query` uses :sinse. It may use :since and :from_date and :to_date",
        "[time_record] `mark_paid`: there is nothing of this kind to mark so",
        "[customer] `mark_exported`: there is nothing of this kind to mark so",
    ):
        assert part in why


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no table for any kind"),
        ("[sales_invoice", "not TOML"),
        ('sales_invoice = "x"', "`sales_invoice` must be a table"),
        ('[sales_invoice]\nquery = "select 1"\npacking_list = 5', "[sales_invoice.packing_list]"),
        ('[sales_invoice]\nquery = "select 1"\ntotal_from_lines = "yes"', "must be true or false"),
        ('currency = "euro"\n[sales_invoice]\nquery = "select 1"', "three capital letters"),
        ('[sales_invoice]\nsince_format = "%d-%m-%Y"\nquery = "select :since"', "does not sort by time"),
        ('[sales_invoice]\ndate_format = "%d-%m-%Y"\nquery = "select :to_date"', "does not sort by time"),
        ('[sales_invoice]\nsince_format = "unix"\nquery = "select 1"', "epoch"),
    ],
)
def test_single_faults(tmp_path: Path, text: str, said: str) -> None:
    assert said in faults(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[sales_invoice]\ncolumns = {key = "No"}', "[sales_invoice] has no `pattern`"),
        (
            '[sales_invoice]\npattern = "*.csv"\ncolumns = {kee = "No"}',
            "columns `kee` is not a field. Did you mean key?",
        ),
        ('[sales_invoice]\npattern = "*.csv"\ncolumns = {key = 1}', "columns `key` must be a text"),
        ('[sales_invoice]\npattern = "*.csv"\ndelimiter = "::"', "must be one character"),
        ('[sales_invoice]\npattern = "*.csv"\nencoding = "utf-99"', "must be an encoding"),
        ('[sales_invoice]\npattern = "*.csv"\nquery = "select 1"', "belongs to profiles of the source system sql"),
    ],
)
def test_faults_of_folder_profiles(tmp_path: Path, text: str, said: str) -> None:
    assert said in faults(tmp_path, text, "folder")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="cannot be read"):
        load_profile(tmp_path / "nosuch.toml", "sql")
    (tmp_path / "latin.toml").write_bytes(b'title = "M\xfcller"')
    with pytest.raises(SettingsFault, match="Byte 10 is not UTF-8"):
        load_profile(tmp_path / "latin.toml", "sql")


def test_a_query_may_begin_with_comments(tmp_path: Path) -> None:
    load(tmp_path, '[sales_invoice]\nquery = """-- one\n/* two */ SELECT 1"""')


def test_bound_values_in_a_statement() -> None:
    assert parameters("a >= :since and b = '10:30' and c::date = :to_date and d = '\\:x'") == ["since", "to_date"]


@pytest.mark.parametrize(
    ("form", "sorts"),
    [("%Y-%m-%d", True), ("%Y%m%d%H%M%S", True), ("%d/%m/%Y", False), ("%Y-%d-%m", False), ("%y%m%d", False)],
)
def test_forms_that_sort_by_time(form: str, sorts: bool) -> None:
    assert sorts_by_time(form) is sorts
