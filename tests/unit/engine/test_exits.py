import pytest

from connector_service.engine.exits import (
    BUSY,
    DONE,
    INTERNAL,
    INTERRUPTED,
    NEEDS_PERSON,
    OUT_OF_REACH,
    WRONG,
    worst_of,
)


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ((), DONE),
        ((DONE, NEEDS_PERSON, DONE), NEEDS_PERSON),
        ((OUT_OF_REACH, WRONG), WRONG),
        ((NEEDS_PERSON, BUSY, OUT_OF_REACH), OUT_OF_REACH),
        ((WRONG, INTERNAL), INTERNAL),
        ((INTERRUPTED, INTERNAL), INTERRUPTED),
    ],
)
def test_several_things_end_as_the_one_that_is_mended_first(statuses: tuple[int, ...], worst: int) -> None:
    assert worst_of(statuses) == worst
