"""Points and spans of time."""

import datetime as dt

from pydantic import AwareDatetime, BaseModel, NaiveDatetime, PastDate

UTC = dt.timezone.utc


class Moments(BaseModel):
    at: dt.datetime
    aware: AwareDatetime = dt.datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
    elsewhere: dt.datetime = dt.datetime(2024, 5, 1, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    maybe_at: dt.datetime | None = None
    ats: list[dt.datetime] = []
    ats_by_name: dict[str, dt.datetime] = {}
    maybe_ats: dict[str, dt.datetime | None] = {}
    wall: NaiveDatetime
    noon: NaiveDatetime = dt.datetime(2024, 5, 1, 12)
    maybe_wall: NaiveDatetime | None = None
    walls: list[NaiveDatetime] = []
    day: dt.date
    birthday: PastDate = dt.date(1999, 12, 31)
    maybe_day: dt.date | None = None
    days: list[dt.date] = []
    days_by_name: dict[str, dt.date] = {}
    time: dt.time
    opening: dt.time = dt.time(9, 30)
    maybe_time: dt.time | None = None
    times: list[dt.time] = []
    span: dt.timedelta
    timeout: dt.timedelta = dt.timedelta(seconds=1.5)
    back: dt.timedelta = -dt.timedelta(microseconds=1)
    maybe_span: dt.timedelta | None = None
    spans: list[dt.timedelta] = []
    spans_by_name: dict[str, dt.timedelta] = {}


EXAMPLES = [
    Moments(
        at=dt.datetime(1, 1, 1, tzinfo=UTC),
        wall=dt.datetime(1, 1, 1),
        day=dt.date(1, 1, 1),
        time=dt.time(0),
        span=dt.timedelta(0),
    ),
    Moments(
        at=dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        aware=dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        maybe_at=dt.datetime(1970, 1, 1, tzinfo=UTC),
        ats=[dt.datetime(1900, 2, 28, 1, 2, 3, 4, tzinfo=UTC)],
        ats_by_name={"a": dt.datetime(2024, 2, 29, tzinfo=UTC)},
        maybe_ats={"a": None, "b": dt.datetime(2000, 1, 1, tzinfo=UTC)},
        wall=dt.datetime(9999, 12, 31, 23, 59, 59, 999999),
        noon=dt.datetime(2024, 1, 1, 0, 0, 0, 1),
        maybe_wall=dt.datetime(2024, 1, 1),
        walls=[dt.datetime(476, 9, 4)],
        day=dt.date(9999, 12, 31),
        maybe_day=dt.date(2024, 2, 29),
        days=[dt.date(1582, 10, 4)],
        days_by_name={"a": dt.date(2000, 1, 1)},
        time=dt.time(23, 59, 59, 999999),
        maybe_time=dt.time(12),
        times=[dt.time(0, 0, 0, 1)],
        span=dt.timedelta(seconds=315_576_000_000),
        timeout=-dt.timedelta(seconds=315_576_000_000),
        maybe_span=dt.timedelta(days=-1, microseconds=1),
        spans=[dt.timedelta(microseconds=-1)],
        spans_by_name={"a": dt.timedelta(weeks=5)},
    ),
]


def shift(at: dt.datetime, by: dt.timedelta = dt.timedelta(days=1)) -> dt.datetime:
    """The moment that is so much later."""
    return at + by


def days(first: dt.date, last: dt.date | None = None) -> list[dt.date]:
    """All days from the first to the last."""
    last = last or first
    return [first + dt.timedelta(n) for n in range((last - first).days + 1)]


def between(start: dt.time, wall: NaiveDatetime) -> dt.timedelta:
    """From the start of the day's work to a moment."""
    return wall - dt.datetime.combine(wall.date(), start)


def clock(wall: NaiveDatetime) -> dict[str, dt.time]:
    """The time, by name."""
    return {"time": wall.time()}


def echo(value: Moments) -> Moments:
    """Returns the moments."""
    return value
