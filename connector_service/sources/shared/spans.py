"""Times of day as lengths of time: exact across midnight and the change of the clock."""

from datetime import date, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal


def span(
    day: date, start: datetime | time | None, end: datetime | time | None
) -> tuple[datetime | None, datetime | None]:
    """Both times on their dates: a time of day stands on the record's date, an end that is not later on the next."""
    first = datetime.combine(day, start) if isinstance(start, time) else start
    if isinstance(end, time):
        base = first.date() if first else day
        last = datetime.combine(base, end)
        if first and last <= first:
            last += timedelta(days=1)
        return first, last
    return first, end


def seconds_between(start: datetime, end: datetime, zone: tzinfo) -> Decimal:
    """Seconds that really passed. In the hour that comes twice, an end before its start is the second."""
    begun = start.replace(tzinfo=zone).timestamp()
    ended = end.replace(tzinfo=zone).timestamp()
    if ended < begun:
        ended = end.replace(tzinfo=zone, fold=1).timestamp()
    return Decimal(repr(round(ended - begun, 6)))


def whole_minutes(seconds: Decimal) -> int:
    """Whole minutes, rounded half up."""
    return int((seconds / 60).to_integral_value(ROUND_HALF_UP))
