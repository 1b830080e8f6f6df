"""What exists is documented, and what is documented exists: codes and settings."""

from collections.abc import Iterator

from connector_service.domain.kinds import Kind
from connector_service.domain.messages import KIND_WORDS, MESSAGES
from connector_service.domain.problems import ConnectorError
from connector_service.domain.status_codes import FaultCode, IssueCode, OutcomeCode, StatusCode
from connector_service.settings.example import example_text
from tests.architecture.text_rules import codes_in, forbidden_words
from tests.architecture.tree import ROOT, product_sources

CODES = {*StatusCode, *OutcomeCode, *IssueCode}


def test_every_code_has_a_message_and_every_message_a_code() -> None:
    assert set(MESSAGES) == {str(code) for code in CODES}


def test_messages_say_what_why_and_what_to_do() -> None:
    for code, message in MESSAGES.items():
        for part in (message.title, message.why, message.fix):
            assert part.strip(), f"{code} leaves a part empty"
            assert part[0].isupper() or part[0] == "{", f"{code}: {part}"
            assert not forbidden_words(part), f"{code}: {part}"


def test_every_code_written_in_the_product_is_known() -> None:
    own = {_upper(kind.__name__) for kind in _subclasses(ConnectorError)}
    known = {str(code) for code in (*CODES, *FaultCode)} | own
    faults = [
        f"{module}:{line} uses {code}, which domain/status_codes.py does not name"
        for module, source in product_sources()
        for line, code in codes_in(source)
        if code.isupper() and code not in known
    ]
    assert not faults, "\n".join(faults)


def test_every_fault_code_is_used() -> None:
    written = {code for _module, source in product_sources() for _line, code in codes_in(source)}
    whole = "\n".join(source for _module, source in product_sources())
    idle = [code for code in FaultCode if code not in written and f"FaultCode.{code}" not in whole]
    assert not idle


def _subclasses(kind: type[ConnectorError]) -> Iterator[type[ConnectorError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def _upper(name: str) -> str:
    return "".join("_" + sign if sign.isupper() and at else sign for at, sign in enumerate(name)).upper()


def test_every_kind_has_words() -> None:
    assert set(KIND_WORDS) == {str(kind) for kind in Kind}


def test_example_settings_are_what_the_schema_says() -> None:
    text = (ROOT / "config" / "connector.example.toml").read_text(encoding="utf-8")
    assert text == example_text(), "run the command that its head names, to write it anew"


def test_code_reader_finds_literals() -> None:
    source = 'problem("A_CODE")\nraise Stop("x", code="B_CODE")\nproblem(code)\nstop(StatusCode.X)\n'
    assert [code for _line, code in codes_in(source)] == ["A_CODE", "B_CODE"]


def test_word_list() -> None:
    assert forbidden_words("An Error came up; the value is invalid.") == ["Error", "invalid"]
    assert forbidden_words("The terror is over.") == []
