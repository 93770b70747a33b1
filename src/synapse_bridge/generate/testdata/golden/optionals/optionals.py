"""Values that may be None."""

from enum import Enum

from pydantic import BaseModel, Field


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Person(BaseModel):
    name: str | None
    mood: Mood | None
    friends: list[str] | None
    nick: str | None = None
    age: int | None = 42
    title: str | None = "Dr."
    mother: "Person | None" = None
    father: "Person | None" = Field(default_factory=lambda: None)
    moods: list[Mood | None] | None = None
    pets: list[str] | None = ["cat"]
    token: bytes | None = b"?"
    scores: dict[str, int | None] | None = {"a": None}


EXAMPLES = [
    Person(name=None, mood=None, friends=None),
    Person(
        name="",
        mood=Mood.BAD,
        friends=[],
        nick="",
        age=None,
        title=None,
        mother=Person(name="m", mood=Mood.GOOD, friends=["x"]),
        father=None,
        moods=[None, Mood.GOOD],
        pets=None,
        token=None,
        scores=None,
    ),
]


def greet(person: Person | None, mood: Mood | None = Mood.GOOD) -> str | None:
    """Greets somebody, or nobody."""
    return person and person.name


def find(name: str | None) -> Person | None:
    """Finds somebody."""
    return None


def moods(names: list[str] | None) -> list[Mood] | None:
    """Their moods."""
    return None


def echo(value: Person) -> Person:
    """Returns the person."""
    return value
