"""Functions become methods: which of them, and how each parameter travels."""

from __future__ import annotations

import pytest

from synapse_bridge.contract.model import Dynamic, Literally, Parameter, Required
from synapse_bridge.contract.types import ListOf, MessageRef, Scalar
from synapse_bridge.introspect import IntrospectionError, introspect
from synapse_bridge.introspect.conftest import Read, Refuse, Write


def names(read: Read, source: str) -> list[str]:
    return [method.name for method in read(source).service.methods]


def test_all_decides_which_functions_are_called(read: Read) -> None:
    assert names(
        read,
        """
        __all__ = ["b", "A", "_c"]
        class A: pass
        def a() -> int: ...
        def b() -> int: ...
        def _c() -> int: ...
        """,
    ) == ["b", "_c"]


def test_without_all_public_typed_functions_of_the_module_are(read: Read) -> None:
    assert names(
        read,
        """
        from textwrap import dedent
        from os.path import join
        import functools
        def b() -> int: ...
        def untyped(): ...
        def a(x: int) -> int: ...
        def _private() -> int: ...
        class Callable:
            def __call__(self) -> int: ...
        instance = Callable()
        @functools.cache
        def cached(x: int) -> int: ...
        @functools.wraps(a)
        def wrapped(*args, **kwargs): ...
        """,
    ) == ["b", "a", "cached", "wrapped"]


def test_named_functions_come_in_the_given_order(write: Write) -> None:
    module = write("""
        from os.path import basename
        def a() -> int: ...
        def _b() -> int: ...
    """)
    contract = introspect(module, ["_b", "a"])
    assert [(m.name, m.elixir, m.proto) for m in contract.service.methods] == [
        ("_b", "b", "B"),
        ("a", "a", "A"),
    ]


def test_methods_of_an_instance(write: Write) -> None:
    module = write("""
        from pydantic import BaseModel
        class Base:
            def inherited(self, x: int) -> int: ...
            def _hidden(self) -> int: ...
        class Desk(Base):
            def __init__(self, name: str) -> None: ...
            def own(self, x: int, *, y: str = "a") -> None: ...
            @staticmethod
            def static(x: int) -> int: ...
            @classmethod
            def of_class(cls, x: int) -> int: ...
            @property
            def value(self) -> int: ...
            async def later(self) -> int: ...
        class Office:
            desk = Desk("a")
        office = Office()
        class Model(BaseModel):
            x: int = 1
            def double(self) -> int: ...
        model = Model()
    """)
    contract = introspect(f"{module}:office.desk")
    assert [m.function for m in contract.service.methods] == [
        "office.desk.inherited",
        "office.desk.own",
        "office.desk.static",
        "office.desk.of_class",
        "office.desk.later",
    ]
    own = contract.service.methods[1]
    assert own.parameters == (Parameter("x", "positional"), Parameter("y", "keyword"))
    assert own.request == f"{module}.office.desk.own#request"
    assert own.source == f"{module}.py:8"
    assert contract.service.methods[4].is_async
    assert [m.name for m in introspect(f"{module}:model").service.methods] == ["double"]


def test_how_parameters_are_passed(read: Read) -> None:
    contract = read("""
        def f(a: int, b: int = 1, /, c: str = "x", *, d: bool, e: float = 2) -> None: ...
    """)
    method = contract.service.methods[0]
    assert method.parameters == (
        Parameter("a", "positional", "by_position"),
        Parameter("b", "keyword", "by_position"),
        Parameter("c", "keyword"),
        Parameter("d", "keyword"),
        Parameter("e", "keyword"),
    )
    fields = contract.message(method.request).fields
    assert [(f.name, f.number, f.default) for f in fields] == [
        ("a", 1, Required()),
        ("b", 2, Literally(1)),
        ("c", 3, Literally("x")),
        ("d", 4, Required()),
        ("e", 5, Literally(2.0)),
    ]


def test_defaults_of_parameters_follow_the_same_rule_as_those_of_fields(read: Read) -> None:
    contract = read("""
        from typing import Annotated
        from pydantic import Field
        NOTHING = object()
        def f(a: int = None, b: Annotated[int, Field(ge=0)] = -1, c: list[int] = NOTHING,
              d: list[int] = []) -> None: ...
    """)
    fields = contract.message(contract.service.methods[0].request).fields
    assert [f.default for f in fields] == [Dynamic(), Dynamic(), Dynamic(), Literally([])]


def test_results(read: Read) -> None:
    contract = read("""
        def nothing() -> None: ...
        def several(x: int) -> "list[int]":
            '''Gives several.

            Returns:
                All of them.
            '''
        async def later() -> int: ...
    """)
    nothing, several, later = contract.service.methods
    assert nothing.result is None
    assert contract.message(nothing.response).fields == ()
    (field,) = contract.message(several.response).fields
    assert (field.name, field.number, field.type, field.doc) == (
        "result",
        1,
        ListOf(Scalar("int64")),
        "All of them.",
    )
    assert (several.is_async, later.is_async) == (False, True)


def test_docs_of_parameters(read: Read) -> None:
    contract = read("""
        from typing import Annotated
        from pydantic import Field
        def f(a: int, b: Annotated[int, Field(description="Described.")], c: int) -> None:
            '''Does it.

            Args:
                a: The first.
                b: Not this.
            '''
    """)
    fields = contract.message(contract.service.methods[0].request).fields
    assert [f.doc for f in fields] == ["The first.", "Described.", ""]


def test_docstrings_keep_their_inner_indentation_and_become_encodable(read: Read) -> None:
    contract = read(r"""
        class Base:
            def f(self) -> None:
                '''Of the base.'''
        class Desk(Base):
            def f(self) -> None: ...
            def g(self) -> None:
                '''Code::

                    if x:
                        y \ud800

                That was it.
                '''
        desk = Desk()
        f = desk.f
        g = desk.g
        __all__ = ["f", "g"]
    """)
    f, g = contract.service.methods
    assert f.doc.summary == "Of the base."
    assert (g.doc.summary, g.doc.description) == (
        "Code::",
        "    if x:\n        y \\ud800\n\nThat was it.",
    )


def test_decorated_functions_are_read_as_they_were_written(read: Read) -> None:
    contract = read("""
        import functools
        from pydantic import BaseModel, validate_call
        class A(BaseModel):
            x: int
        def logged(function):
            @functools.wraps(function)
            def inner(*args, **kwargs):
                return function(*args, **kwargs)
            return inner
        @logged
        @logged
        def f(a: "A") -> int: ...
        @validate_call
        def g(a: A) -> int: ...
    """)
    module = contract.service.module
    f, g = contract.service.methods
    assert contract.message(f.request).fields[0].type == MessageRef(f"{module}.A")
    assert (f.source, g.source) == (f"{module}.py:13", f"{module}.py:15")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(x): ...\n__all__ = ['f']", ["m.py:1: parameter `x` of `f`", "write `x: …`"]),
        ("def f(\n  x: int,\n  y,\n) -> int: ...", ["m.py:3: parameter `y` of `f`"]),
        ("def f(x: int): ...", ["m.py:1: result of `f`", "`-> None`"]),
        ("def f(*xs: int) -> int: ...", ["`*xs`", "write `xs: list[…]`"]),
        ("def f(**xs: int) -> int: ...", ["`**xs`", "write `xs: dict[str, …]`"]),
        ("def f(x: None) -> int: ...", ["only a result may be `None`"]),
        ("def f(größe: int) -> int: ...", ["rename `größe`"]),
        ("def f(_: int) -> int: ...", ["needs a letter"]),
        (
            "def f(x: 'int', y: 'list[Missing]') -> int: ...",
            ["m.py:1: parameter `y` of `f`: `list[Missing]`", "`Missing` is not defined"],
        ),
        ("def f(x: 'typing.Lst') -> int: ...\nimport typing", ["Lst"]),
        ("def f(x: 'int int') -> int: ...", ["SyntaxError"]),
        (
            "from pydantic import Field\ndef f(x: int = Field(1, ge=0)) -> int: ...",
            ["m.py:2: parameter `x` of `f`: `int`", "Annotated[…, Field(…)]"],
        ),
        (
            "from pydantic import Field\nfrom typing import Annotated\n"
            "def f(x: Annotated[int, Field(default=1)]) -> int: ...",
            ["m.py:3: parameter `x` of `f`", "write the default after `=`"],
        ),
        (
            "from pydantic import Field\nfrom typing import Annotated\n"
            "def f(x: Annotated[int, Field(alias='y')]) -> int: ...",
            ["rename the parameter"],
        ),
        ("async def f() -> int:\n    yield 1", ["m.py:1: result of `f`", "`-> AsyncIterator[…]`"]),
        ("def f() -> int:\n    yield 1", ["m.py:1: result of `f`", "it yields"]),
        (
            "import functools\ndef logged(f):\n  @functools.wraps(f)\n"
            "  def inner(*a): return f(*a)\n  return inner\n@logged\nasync def f() -> int: ...",
            ["m.py:7: function `f`", "decorator", "`async def`"],
        ),
        ("x = 1", ["m.py: `m` has no public function with annotations"]),
        ("def f(x): ...", ["m.py: `m` has no public function with annotations"]),
    ],
)
def test_what_cannot_be_called_is_refused(refuse: Refuse, source: str, words: list[str]) -> None:
    text = refuse(source)
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("target", "functions", "words"),
    [
        ("", ["quot"], ["has no function `quot`", "did you mean `quote`?"]),
        ("", ["zzz"], ["has no function `zzz`", "it has: `quote`, `price`"]),
        ("", ["Desk"], ["`Desk` is not a function but a class"]),
        ("", ["limit"], ["`limit` is not a function but `int`"]),
        (":Desk", [], ["is a class", "name an instance"]),
        (":quote", [], ["is a function", "--function quote"]),
        (":dask", [], ["has no `dask`", "did you mean `desk`?"]),
        (":desk.drawer", [], ["has no `desk.drawer`"]),
        (":limit", [], ["has no public function"]),
        (":desk", ["opn"], ["did you mean `open`?"]),
    ],
)
def test_a_wrong_selection_is_told(
    write: Write, target: str, functions: list[str], words: list[str]
) -> None:
    module = write("""
        limit = 5
        class Desk:
            def open(self, x: int) -> int: ...
        desk = Desk()
        def quote(x: int) -> int: ...
        def price(x: int) -> int: ...
    """)
    with pytest.raises(IntrospectionError) as caught:
        introspect(module + target, functions)
    for word in words:
        assert word in str(caught.value)
