"""Links as CSV: what is written can be read, and every fault has its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.domain.reference import Link, LinkKind
from connector_service.wiring.links import LinksFault, read_links, write_links

text = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=20)
filled = text.filter(lambda one: bool(one.strip()))
links = st.lists(
    st.builds(Link, st.sampled_from(LinkKind), filled, filled.map(str.strip), text, text, by_person=st.just(True)),
    unique_by=lambda link: (link.kind, link.source_key),
    max_size=8,
)


@given(links)
def test_what_is_written_is_read(some: list[Link]) -> None:
    data = "".join(write_links(some)).encode()
    assert sorted(read_links(data, "file"), key=repr) == sorted(some, key=repr)


def faults(data: bytes) -> list[str]:
    with pytest.raises(LinksFault) as found:
        read_links(data, "file")
    return [line.removeprefix("- ") for line in found.value.why.splitlines()]


def test_every_line_that_does_not_fit_is_told() -> None:
    data = b"kind,source_key,target_id\nparty,1,2\ncustomer,,\nitem,A\n\nitem,B,1\nitem,B,2\nitem,B,1\n"
    assert [fault.partition(":")[0] for fault in faults(data)] == ["line 2", "line 3", "line 3", "line 4", "line 7"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "lacks kind, source_key, target_id"),
        (b"customer,C1,1\n", "lacks kind"),
        (b"kind,source_key,target_id,colour\n", "not known: colour"),
        (b"kind,kind,source_key,target_id\n", "kind twice"),
        ("kind,source_key,target_id\nitem,é,1\n".encode("latin-1"), "line 2: there is a character that is not UTF-8"),
        ("kind;source_key;target_id\n".encode("utf-16"), "UTF-8"),
        (b'kind,source_key,target_id\nitem,"A,1\n', "not CSV"),
    ],
)
def test_file_of_another_form(data: bytes, words: str) -> None:
    assert words in faults(data)[0]


def test_columns_may_stand_in_any_order_behind_a_byte_order_mark() -> None:
    data = "\ufefftarget_id,kind,source_key\r\n7,item,A\r\n".encode()
    assert read_links(data, "file") == [Link(LinkKind.ITEM, "A", "7", by_person=True)]
