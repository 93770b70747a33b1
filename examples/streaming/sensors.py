"""Readings of thermometers: a stream out, a stream in, and both."""

import math
from collections import deque
from collections.abc import AsyncIterator, Iterator

from pydantic import BaseModel


class Reading(BaseModel):
    sensor: str
    celsius: float


class Summary(BaseModel):
    count: int
    mean: float
    warmest: Reading


class NoReadings(Exception):
    """There is nothing to summarize."""


def measure(sensor: str) -> Iterator[Reading]:
    """What a thermometer shows, on and on."""
    step = 0
    while True:
        yield Reading(sensor=sensor, celsius=round(20 + 5 * math.sin(step / 10), 2))
        step += 1


def summarize(readings: Iterator[Reading]) -> Summary:
    """What many readings come to.

    Raises:
        NoReadings: There are none.
    """
    count, total, warmest = 0, 0.0, None
    for reading in readings:
        count += 1
        total += reading.celsius
        if warmest is None or reading.celsius > warmest.celsius:
            warmest = reading
    if warmest is None:
        raise NoReadings("no thermometer has shown anything")
    return Summary(count=count, mean=total / count, warmest=warmest)


async def smooth(readings: AsyncIterator[Reading], *, window: int = 3) -> AsyncIterator[Reading]:
    """The mean of the last few readings, for each reading as it comes."""
    last: deque[float] = deque(maxlen=window)
    async for reading in readings:
        last.append(reading.celsius)
        yield Reading(sensor=reading.sensor, celsius=round(sum(last) / len(last), 2))
