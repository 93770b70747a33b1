"""Which exceptions a function declares, and what of them crosses."""

from __future__ import annotations

import pytest

from synapse_bridge.contract.model import Contract, Required
from synapse_bridge.contract.types import ListOf, Nullable, Scalar
from synapse_bridge.introspect import Calls, IntrospectionError, introspect
from synapse_bridge.introspect.conftest import Read, Refuse, Write

INT, STR = Scalar("int64"), Scalar("string")
HEAD = """
import dataclasses, typing, pydantic
import synapse_bridge
"""


def declared(contract: Contract) -> list[str]:
    (method,) = contract.service.methods
    return [name.rpartition(".")[2] for name in method.raises]


def fields(contract: Contract, name: str = "E") -> dict[str, object]:
    """The types of an exception's fields."""
    (message,) = (m for m in contract.messages if m.name.endswith(f".{name}"))
    assert message.role == "error"
    assert all(isinstance(field.default, Required) for field in message.fields)
    return {field.name: field.type for field in message.fields}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("sku: str\n  missing: int", {"sku": STR, "missing": INT}),
        ("pass", {}),
        (
            "def __init__(self, sku: str, hint: str, n: int | None = None):\n"
            "    self.sku = sku\n    self.n = n",
            {"sku": STR, "n": Nullable(INT)},
        ),
        (
            "kind: typing.ClassVar[str] = 'x'\n  grpc_code = 'ABORTED'\n  _own: int\n  n: int",
            {"n": INT},
        ),
        ("args: tuple\n  n: list[int]", {"n": ListOf(INT)}),
    ],
)
def test_fields_are_annotations_and_typed_attributes(
    read: Read, body: str, expected: dict[str, object]
) -> None:
    source = f"class E(Exception):\n  {body}\n@synapse_bridge.raises(E)\ndef f() -> int: ..."
    assert fields(read(HEAD + source)) == expected


@pytest.mark.parametrize("decorator", ["dataclasses.dataclass", "pydantic.dataclasses.dataclass"])
def test_a_dataclass_may_be_an_exception(read: Read, decorator: str) -> None:
    source = f"@{decorator}\nclass E(Exception):\n  n: int\n  text: str = ''\n"
    found = read(f"{HEAD}{source}@synapse_bridge.raises(E)\ndef f() -> int: ...")
    assert fields(found) == {"n": INT, "text": STR}


def test_fields_are_inherited(read: Read) -> None:
    source = """
class Base(Exception):
    a: int
    def __init__(self, b: str) -> None:
        self.b = b

class E(Base):
    \"\"\"What went wrong.

    Attributes:
        c: The last one.
    \"\"\"
    def __init__(self, c: int) -> None:
        super().__init__("b")
        self.c: int = c

@synapse_bridge.raises(E)
def f() -> int: ...
"""
    contract = read(HEAD + source)
    assert fields(contract) == {"a": INT, "b": STR, "c": INT}
    (message,) = (m for m in contract.messages if m.role == "error")
    assert message.doc == "What went wrong."
    assert message.fields[2].doc == "The last one."
    assert (message.proto, message.elixir.rpartition(".")[2]) == ("E", "E")


def test_a_docstring_declares_what_its_module_has(read: Read) -> None:
    source = '''
class Mine(Exception):
    n: int

class Odd(Exception):
    lock: type

class errors:
    class Nested(Exception):
        pass

def f() -> int:
    """Does it.

    Raises:
        Mine: Sometimes.
        errors.Nested: At times.
        Odd: It holds what cannot cross, so this is prose.
        ValueError: Python's own are prose, too.
        Unknown: As is what is not there.
        HEAD: And what is no exception.
    """
    return 1
'''
    contract = read(HEAD + source)
    assert declared(contract) == ["Mine", "Nested"]
    assert {m.name.rpartition(".")[2] for m in contract.messages if m.role == "error"} == {
        "Mine",
        "Nested",
    }


def test_the_decorator_declares_even_pythons_own(read: Read) -> None:
    source = """
class Mine(Exception): ...

@synapse_bridge.raises(ValueError)
@synapse_bridge.raises(Mine, KeyError)
def f() -> int: ...
"""
    assert declared(read(HEAD + source)) == ["ValueError", "Mine", "KeyError"]


def test_the_configuration_declares(write: Write) -> None:
    module = write(f"{HEAD}class Mine(Exception): ...\ndef f() -> int: ...")
    calls = {"f": Calls(raises=["Mine", "subprocess.TimeoutExpired", "json.JSONDecodeError"])}
    contract = introspect(module, calls=calls)
    assert declared(contract) == ["Mine", "TimeoutExpired", "JSONDecodeError"]
    for wrong in ("Missing", "dataclasses", "no.such.Thing"):
        with pytest.raises(IntrospectionError, match=f"raises `{wrong}`, which is no exception"):
            introspect(module, calls={"f": Calls(raises=[wrong])})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("lock: type", ["field `E.lock`", "`type`"]),
        ("grpc_code = 'WRONG'", ["class `E`", "'WRONG', which is no gRPC code", "ABORTED"]),
        ("n: 'Missing'", ["`Missing` is not defined"]),
    ],
)
def test_a_declared_exception_that_cannot_cross_is_refused(
    refuse: Refuse, body: str, words: list[str]
) -> None:
    source = f"class E(Exception):\n  {body}\n@synapse_bridge.raises(E)\ndef f() -> int: ..."
    text = refuse(HEAD + source)
    for word in words:
        assert word in text


def test_an_exception_is_no_value(refuse: Refuse) -> None:
    source = "@dataclasses.dataclass\nclass E(Exception):\n  n: int\ndef f(e: E) -> int: ..."
    assert "is an exception" in refuse(HEAD + source)
