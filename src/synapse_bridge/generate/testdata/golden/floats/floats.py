"""Numbers with a fraction."""

import math
from typing import Annotated

from pydantic import BaseModel, Field


class Measurement(BaseModel):
    value: float
    scale: Annotated[float, Field(gt=0, le=1e300)] = 1
    error: Annotated[float, Field(ge=-0.5, lt=0.5, multiple_of=0.25)] | None = None
    tiny: float = 1.5e-07
    large: float = 1234567.25
    unknown: float = math.nan
    upper: float = math.inf
    lower: float = -math.inf


EXAMPLES = [
    Measurement(value=0.1, unknown=0),
    Measurement(value=-0.0, scale=1e300, error=0.25, unknown=5e-324, upper=1e308, lower=-2.5),
]


def average(values: list[float], weight: float = 1.0) -> float:
    """The mean of some values."""
    return sum(values) / len(values) * weight


def echo(value: Measurement) -> Measurement:
    """Returns the measurement."""
    return value
