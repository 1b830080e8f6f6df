"""From a maker's refusal to words and to what happens next."""

import pytest

from connector_service.domain.problems import (
    Conflict,
    ConnectorError,
    NeedsUser,
    OutcomeUnknown,
    Refused,
    RetryLater,
)
from connector_service.http.refusals import Refusals, Rule, Said

TABLE = Refusals(
    "Ledgerly",
    {
        "5010": Rule(Conflict, "It was changed in {title}.", "It is read again."),
        (400, "6190"): Rule(
            NeedsUser, "The subscription to {title} has ended.", "Renew it.", code="TARGET_UNREACHABLE"
        ),
        "6240": Rule(Refused, "The name is in use in {title}.", "Rename it.", why="{detail}", actions=("link",)),
        503: Rule(RetryLater, "{title} is being looked after.", "It goes on by itself.", after_seconds=600),
    },
    route="main",
)


@pytest.mark.parametrize(
    ("said", "kind", "what"),
    [
        (Said(400, "5010", "Stale Object"), Conflict, "It was changed in Ledgerly."),
        (Said(400, "6190"), NeedsUser, "The subscription to Ledgerly has ended."),
        (Said(403, "6190"), NeedsUser, "Ledgerly does not allow this user to do that."),
        (Said(0, "6240", "Duplicate Name"), Refused, "The name is in use in Ledgerly."),
        (Said(401), NeedsUser, "Ledgerly no longer accepts the connection."),
        (Said(404), Refused, "Ledgerly does not know what was asked for."),
        (Said(409), Conflict, "It was changed in Ledgerly in the meantime."),
        (Said(412), Conflict, "It was changed in Ledgerly in the meantime."),
        (Said(422, "x"), Refused, "Ledgerly refused it."),
        (Said(429), RetryLater, "Ledgerly takes no more calls for now."),
        (Said(500), RetryLater, "Ledgerly is in trouble itself."),
        (Said(503), RetryLater, "Ledgerly is being looked after."),
    ],
)
def test_the_best_rule_decides(said: Said, kind: type[ConnectorError], what: str) -> None:
    fault = TABLE.fault(said, key="INV-1")
    assert type(fault) is kind
    assert (fault.what, fault.key) == (what, "INV-1")
    assert fault.why
    assert fault.fix


def test_trouble_at_a_write_leaves_the_outcome_unknown_whatever_the_table_says() -> None:
    assert type(TABLE.fault(Said(503), write=True)) is OutcomeUnknown
    assert type(TABLE.fault(Said(400, "5010"), write=True)) is Conflict


def test_sign_in_and_waiting_are_told_with_step_and_time() -> None:
    assert "`connector connect main`" in TABLE.fault(Said(401)).fix
    assert TABLE.fault(Said(401)).code == "GRANT_DEAD"
    waiting = TABLE.fault(Said(503))
    assert isinstance(waiting, RetryLater)
    assert waiting.after_seconds == 600


def test_general_trouble_of_a_source_has_its_own_code() -> None:
    assert Refusals("Shop", unreachable_code="SOURCE_UNREACHABLE").fault(Said(500)).code == "SOURCE_UNREACHABLE"


def test_the_maker_s_words_are_quoted_and_kept_short() -> None:
    problem = TABLE.problem([Said(400, "2010", "Bad  line", "Line 2"), Said(400, "2050", "Too long.")])
    assert problem.code == "REFUSED_BY_TARGET"
    assert (
        problem.why == "It says: Bad line. Line 2. (code 2010, status 400) It says: Too long. (code 2050, status 400)"
    )
    assert len(TABLE.problem([Said(400, "", "x" * 9000)]).why) < 600
    assert TABLE.problem([]).what == "Ledgerly refused it."
    assert TABLE.problem([Said(400)]).why == "It gives no reason. (status 400)"


def test_a_rule_may_have_actions_and_the_maker_s_braces_do_no_harm() -> None:
    problem = TABLE.problem([Said(400, "6240", "{title}", "the name {0} {x} is taken", "DisplayName")])
    assert problem.actions == ("link",)
    assert problem.why == "the name {0} {x} is taken"
    assert problem.field == "DisplayName"
