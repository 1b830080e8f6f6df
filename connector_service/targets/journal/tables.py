"""The tables of the books' index, and what is written into them and read from them."""

from typing import Final, NamedTuple

from connector_service.targets.journal.scanner import FoundAccount, FoundAttachment, FoundVoid

VERSION: Final = 2
"""An index of another version is made again."""
APPLICATION: Final = 0x434A4958
"""SQLite's application id of an index."""
SCHEMA: Final = """
create table files(
    id integer primary key, name text not null unique, size integer not null, mtime integer not null,
    inode integer not null, tail blob not null, read_to integer not null, includes text not null);
create table documents(
    id integer primary key, file integer not null, offset integer not null, length integer not null,
    reference text not null, kind text not null, number text not null, party text not null, day text not null,
    total text not null, tax text not null, currency text not null);
create index document_reference on documents(reference);
create index document_number on documents(number) where number <> '';
create index document_day on documents(kind, day);
create table voids(file integer not null, of text not null, day text not null, reference text not null);
create index void_of on voids(of);
create index void_reference on voids(reference);
create table accounts(
    file integer not null, account text not null, opened text not null, closed text not null,
    currencies text not null, kind text not null, key text not null, name text not null);
create index account_name on accounts(account);
create table attachments(file integer not null, reference text not null, path text not null);
create index attachment_path on attachments(path);
"""
INSERT_DOCUMENTS: Final = (
    "insert into documents(file, offset, length, reference, kind, number, party, day, total, tax, currency) values "
)
DOCUMENT_ROW: Final = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ROWS: Final = 50
"""Documents in one statement: a quarter faster than one by one, and more are no faster."""
INSERT: Final[dict[type, str]] = {
    FoundVoid: "insert into voids(file, of, day, reference) values (?, ?, ?, ?)",
    FoundAccount: "insert into accounts(file, account, opened, closed, currencies, kind, key, name) "
    "values (?, ?, ?, ?, ?, ?, ?, ?)",
    FoundAttachment: "insert into attachments(file, reference, path) values (?, ?, ?)",
}


class Row(NamedTuple):
    """A document with the place where it stands."""

    id: int
    file: str
    offset: int
    length: int
    reference: str
    kind: str
    number: str
    party: str
    day: str
    total: str
    tax: str
    currency: str
    void: int


SELECT_ROWS: Final = (
    "select d.id, f.name, d.offset, d.length, d.reference, d.kind, d.number, d.party, d.day, d.total, d.tax, "
    "d.currency, d.reference <> '' and exists(select 1 from voids v where v.of = d.reference) and "
    # A document that was reversed may have been booked again: as many as were reversed are void, the oldest first.
    "(select count(*) from voids v where v.of = d.reference and v.day = d.day) > (select count(*) from documents e "
    "where e.reference = d.reference and e.day = d.day and e.id < d.id) "
    "from documents d join files f on f.id = d.file "
)
