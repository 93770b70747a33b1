"""Names that mean something to Python, protobuf or Elixir, all used by an innocent user."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum as PythonEnum
from typing import Literal

from pydantic import BaseModel


class Kernel(BaseModel):
    """Shares its name with the module that every Elixir module imports."""

    end: str = "end"
    do: int = 1
    nil: bool = False
    fn: float | None = None


class String(BaseModel):
    """Shares its name with an Elixir module that generated code mentions."""

    value: str
    values: list[str] = []


class Map(BaseModel):
    """Has the field names that protobuf's Python classes and wrapper messages use."""

    items: list[int] = []
    entries: dict[str, int] = {}
    value: Kernel | None = None
    DESCRIPTOR: int = 0
    Clear: str = ""
    HasField: bool = False


class Any(BaseModel):
    """Shares its name with what a generated server imports from ``typing``."""

    self: str = "self"
    message: str = "message"
    request: str = "request"
    pb: str = "pb"
    serve: str = "serve"
    len: str = "len"
    oneof: str = "oneof"
    repeated: str = "repeated"
    package: str = "package"


@dataclass
class Request:
    """Shares its name with nothing, but looks like it."""

    new: int = 1
    encode: int = 2
    t: int = 3


class Service(BaseModel):
    """Shares its name with the runtime's own description of a service."""

    name: str
    result: Any | None = None


class CallRequest(BaseModel):
    """Has the name that the request of :func:`call` would have."""

    text: str


class Mode(PythonEnum):
    """Members that are reserved words, or start like the enum."""

    NIL = "nil"
    TRUE = "true"
    END = "end"
    MODE_ON = "on"
    UNSPECIFIED = ""


def call(value: CallRequest) -> CallRequest:
    """Shares its name with a function that clients have."""
    return value


def rpc(opts: int, timeout: str = "t", channel: str = "c", metadata: int = 0) -> str:
    """Has parameters that are options of every call."""
    return f"{opts} {timeout} {channel} {metadata}"


def child_spec(child: Kernel) -> Kernel:
    """Shares its name with a function that clients have."""
    return child


def inspect(value: String) -> String:
    """Shares its name with a function of Kernel."""
    return value


def send(self: Map, message: Any) -> tuple_of_both:
    """Shares its name with a function of Kernel; its parameters are called as Python's are."""
    return tuple_of_both(self, message)


@dataclass
class tuple_of_both:
    """A class in small letters."""

    first: Map
    second: Any


def unquote(request: Request, response: Service, context: int) -> Service:
    """Shares its name with a special form."""
    return response.model_copy(update={"name": f"{response.name} {request.new} {context}"})


def alias(mode: Mode, literal: Literal["nil", "do", "a b", "é", "", 7, True]) -> list[Mode]:
    """Has an enum and a literal of odd values."""
    return [mode, Mode(literal) if literal == "nil" else Mode.UNSPECIFIED]


def raise_(kwargs: dict[str, int], args: list[int]) -> int:
    """Ends in an underscore."""
    return sum(args) + sum(kwargs.values())


def main(argv: list[str] = []) -> list[str]:  # noqa: B006 - a default as users write them
    """Shares its name with a server's entry point."""
    return argv


def bytes(text: str) -> dict[str, int]:
    """Shares its name with a type of Python's."""
    return {text: len(text)}
