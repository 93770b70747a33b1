"""Streams, contexts and deadlines in signatures."""

from __future__ import annotations

import pytest

from synapse_bridge.contract.model import Streamed
from synapse_bridge.contract.types import Constraints, ListOf, Nullable, Scalar
from synapse_bridge.introspect import Calls, IntrospectionError, introspect
from synapse_bridge.introspect.conftest import Read, Refuse, Write

INT = Scalar("int64")
HEAD = """
from collections.abc import *
from typing import Annotated, Any
import contextlib, functools, typing
from pydantic import Field
import synapse_bridge
from synapse_bridge import Context
"""


@pytest.mark.parametrize(
    ("source", "is_async"),
    [
        ("def f() -> Iterator[int]: yield 1", False),
        ("def f() -> Iterable[int]: yield 1", False),
        ("def f() -> Generator[int, None, None]: yield 1", False),
        ("def f() -> Generator[int, Any, None]: yield 1", False),
        ("def f() -> typing.Iterator[int]: return iter([1])", False),
        ("def f() -> Annotated[Iterator[int], 'x']: yield 1", False),
        ("type_ = Iterator[int]\ndef f() -> type_: yield 1", False),
        ("async def f() -> AsyncIterator[int]: yield 1", True),
        ("async def f() -> AsyncIterable[int]: yield 1", True),
        ("async def f() -> AsyncGenerator[int, None]: yield 1", True),
        ("async def f() -> AsyncIterator[int]: ...", True),
        ("async def f() -> Iterator[int]: ...", True),
        ("def f() -> AsyncIterator[int]: ...", True),
        (
            "def logged(g):\n  @functools.wraps(g)\n  def inner(): return g()\n  return inner\n"
            "@logged\ndef f() -> Iterator[int]: yield 1",
            False,
        ),
    ],
)
def test_a_result_may_be_a_stream(read: Read, source: str, is_async: bool) -> None:
    methods = read(f"{HEAD}\n{source}\n__all__ = ['f']").service.methods
    (method,) = methods
    assert (method.streams_result, method.result, method.is_async) == (True, INT, is_async)
    assert method.stream is None


@pytest.mark.parametrize("kind", ["Iterator[int]", "Generator[int, None, None]"])
def test_a_parameter_may_be_a_stream(read: Read, kind: str) -> None:
    contract = read(f"{HEAD}\ndef f(a: str, items: {kind}, b: int = 1) -> int: ...")
    (method,) = contract.service.methods
    request = contract.message(method.request)
    assert method.stream == "items"
    assert [(f.name, f.number) for f in request.fields] == [("a", 1), ("items", 2), ("b", 3)]
    assert (request.fields[1].type, request.fields[1].default) == (INT, Streamed())
    assert [p.kind for p in method.parameters] == ["positional", "positional", "keyword"]


@pytest.mark.parametrize("kind", ["AsyncIterator", "AsyncIterable"])
def test_an_async_function_takes_an_async_stream(read: Read, kind: str) -> None:
    (method,) = read(f"{HEAD}\nasync def f(*, items: {kind}[int]) -> None: ...").service.methods
    assert (method.stream, method.is_async) == ("items", True)
    assert [p.kind for p in method.parameters] == ["keyword"]


def test_items_have_their_own_type_and_constraints(read: Read) -> None:
    source = """
    def f(items: Iterator[Annotated[int, Field(ge=0)]]) -> Iterator[list[int | None]]:
        yield []
    """
    contract = read(HEAD + source.replace("\n    ", "\n"))
    (method,) = contract.service.methods
    assert contract.message(method.request).fields[0].type == Scalar("int64", Constraints(ge=0))
    assert method.result == ListOf(Nullable(INT))


@pytest.mark.parametrize("hint", ["Context", "Context | None", "synapse_bridge.Context"])
def test_a_context_is_no_parameter_of_the_client(read: Read, hint: str) -> None:
    contract = read(f"{HEAD}\ndef f(a: int, call: {hint}, b: int) -> int: ...")
    (method,) = contract.service.methods
    assert method.context == "call"
    assert [(f.name, f.number) for f in contract.message(method.request).fields] == [
        ("a", 1),
        ("b", 2),
    ]
    assert [p.name for p in method.parameters] == ["a", "b"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f() -> list[int]: yield 1", ["result of `f`", "one by one", "`-> Iterator[…]`"]),
        ("async def f() -> Iterator[int]: yield 1", ["`-> AsyncIterator[…]`"]),
        ("def f() -> AsyncIterator[int]: yield 1", ["`-> Iterator[…]`"]),
        ("def f() -> Iterator: yield 1", ["does not say what the items are", "`Iterator[…]`"]),
        ("def f() -> Generator[int, str, None]: yield 1", ["sent into", "`Iterator[…]`"]),
        ("def f() -> Generator[int, None, int]: yield 1", ["returns in the end"]),
        ("async def f() -> AsyncGenerator[int, int]: yield 1", ["`AsyncIterator[…]`"]),
        ("def f() -> Iterator[None]: yield", ["result of `f`"]),
        ("def f() -> Iterator[Iterator[int]]: yield", ["a whole result or a whole parameter"]),
        ("def f(x: list[Iterator[int]]) -> int: ...", ["else write `list[…]`"]),
        ("def f(x: Iterator[int] | None) -> int: ...", ["a whole result or a whole parameter"]),
        ("def f(x: Iterator[int], y: Iterator[int]) -> int: ...", ["`x` is a stream already"]),
        ("def f(x: Iterator[int] = iter(())) -> int: ...", ["has no default"]),
        ("async def f(x: Iterator[int]) -> int: ...", ["block the event loop", "AsyncIterator"]),
        ("def f(x: AsyncIterator[int]) -> int: ...", ["only an `async` function can read it"]),
        ("def f(x: Context, y: Context) -> int: ...", ["`x` is the context already"]),
        (
            "@contextlib.contextmanager\ndef f() -> Iterator[int]: yield 1",
            ["it is a context manager"],
        ),
        ("def f() -> Iterator[int]: ...\ndef f_stream() -> int: ...", ["becomes `f_stream`"]),
    ],
)
def test_what_cannot_stream_is_refused(refuse: Refuse, source: str, words: list[str]) -> None:
    text = refuse(HEAD + source)
    for word in words:
        assert word in text


def test_calls_are_as_the_decorator_says_and_the_configuration(write: Write) -> None:
    module = write(
        HEAD
        + """
@synapse_bridge.method(timeout="1.5s", idempotent=True)
def f() -> int: ...

class Desk:
    @synapse_bridge.method(timeout=2)
    def f(self) -> int: ...

desk = Desk()
"""
    )
    (method,) = introspect(module, ["f"]).service.methods
    assert (method.timeout_ms, method.idempotent) == (1500, True)
    (method,) = introspect(f"{module}:desk", ["f"]).service.methods
    assert (method.timeout_ms, method.idempotent) == (2000, False)
    calls = {"f": Calls(timeout_ms=10, idempotent=False)}
    (method,) = introspect(module, ["f"], calls=calls).service.methods
    assert (method.timeout_ms, method.idempotent) == (10, False)
    with pytest.raises(IntrospectionError, match=r"`methods` has `g`, which does not exist"):
        introspect(module, ["f"], calls={"g": Calls()})
