"""Models and dataclasses become messages, with defaults that both sides agree on."""

from __future__ import annotations

from pathlib import Path

import pytest

from synapse_bridge.contract.model import Contract, Dynamic, Field, Literally, Message, Required
from synapse_bridge.contract.types import Constraints, ListOf, MessageRef, Nullable, Scalar
from synapse_bridge.introspect import IntrospectionError, introspect
from synapse_bridge.introspect.conftest import Read, Refuse

PRELUDE = """
import dataclasses, enum
from dataclasses import InitVar, dataclass, field
from typing import Annotated, ClassVar, Literal
import pydantic
from pydantic import *

class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"

class Tag(str, enum.Enum):
    A = "a"
"""
LINES = PRELUDE.count("\n")


def message(contract: Contract, name: str) -> Message:
    return contract.message(f"{contract.service.module}.{name}")


def fields(read: Read, body: str) -> dict[str, Field]:
    """The fields of a class ``M``."""
    contract = read(f"{PRELUDE}{body}\ndef f(x: M) -> None: ...\n")
    return {field.name: field for field in message(contract, "M").fields}


def refused(refuse: Refuse, body: str) -> str:
    return refuse(f"{PRELUDE}{body}\ndef f(x: M) -> None: ...\n")


MODEL = "class M(BaseModel):\n"
DATACLASS = "@dataclass\nclass M:\n"
PYDANTIC_DATACLASS = "@pydantic.dataclasses.dataclass\nclass M:\n"


@pytest.mark.parametrize("head", [MODEL, DATACLASS, PYDANTIC_DATACLASS])
def test_fields_come_in_declaration_order_with_their_constraints(read: Read, head: str) -> None:
    found = fields(
        read,
        f"""{head}
    b: int
    a: Annotated[str, Field(min_length=1, description="A text.")]
    n: 'M | None' = None
    c: list[float] = {"field(default_factory=list)" if "dataclass" in head else "[]"}
    k: ClassVar[int] = 1
""",
    )
    assert [(f.name, f.number) for f in found.values()] == [("b", 1), ("a", 2), ("n", 3), ("c", 4)]
    assert found["a"].type == Scalar("string", Constraints(min_length=1))
    assert found["a"].doc == "A text."
    assert isinstance(found["n"].type, Nullable)
    assert isinstance(found["n"].type.inner, MessageRef)
    assert found["c"].type == ListOf(Scalar("double"))
    assert [f.default for f in found.values()] == [
        Required(),
        Required(),
        Literally(None),
        Literally([]),
    ]


@pytest.mark.parametrize(
    ("field", "default"),
    [
        ("x: int = 5", Literally(5)),
        ("x: int = -(2**63)", Literally(-(2**63))),
        ("x: int = 2**63", Dynamic()),
        ("x: int = '5'", Dynamic()),
        ("x: int = True", Dynamic()),
        ("x: int = None", Dynamic()),
        ("x: int = Field(default=-1, ge=0)", Dynamic()),
        ("x: int = Field(3, ge=0)", Literally(3)),
        ("x: int | None = Field(-1, ge=0)", Dynamic()),
        ("x: int = Field(default_factory=lambda: 1)", Dynamic()),
        ("x: float = 0", Literally(0.0)),
        ("x: float = 1.5", Literally(1.5)),
        ("x: float = 2**53 + 1", Dynamic()),
        ("x: float = 10**400", Dynamic()),
        ("x: float = float('nan')", Dynamic()),
        ("x: float = float('inf')", Dynamic()),
        ("x: bool = False", Literally(False)),
        ("x: bool = 0", Dynamic()),
        ("x: str = 'ä'", Literally("ä")),
        (r"x: str = '\ud800'", Dynamic()),
        ("x: str = Tag.A", Dynamic()),
        ("x: bytes = b'a'", Dynamic()),
        ("x: int | None = None", Literally(None)),
        ("x: int | None = 7", Literally(7)),
        ("x: list[int] = [1, 2]", Literally([1, 2])),
        ("x: list[int] = Field(default_factory=list)", Literally([])),
        ("x: list[int] = Field(default_factory=list, min_length=1)", Dynamic()),
        ("x: list[int] = (1, 2)", Dynamic()),
        ("x: list[int] = Field(default_factory=lambda: [])", Dynamic()),
        ("x: list[int] | None = Field(default_factory=list)", Dynamic()),
        ("x: list[list[int | None]] = [[None], []]", Literally([[None], []])),
        ("x: dict[str, int] = {'a': 1}", Literally({"a": 1})),
        ("x: dict[str, int] = Field(default_factory=dict)", Literally({})),
        ("x: dict[int, bool] = {1: True}", Literally({"1": True})),
        ("x: dict[bool, int] = {True: 1}", Literally({"true": 1})),
        ("x: Colour = Colour.BLUE", Literally("BLUE")),
        ("x: Colour = 'b'", Dynamic()),
        ("x: Tag = Tag.A", Literally("A")),
        ("x: list[Colour] = [Colour.RED]", Literally(["RED"])),
        ("x: Literal['a', 'b c'] = 'b c'", Literally("b c")),
        ("x: Literal['a', True] = True", Literally("True")),
        ("x: Literal[1, 2] = 2", Literally("2")),
        ("x: Literal['a'] = 'z'", Dynamic()),
        ("x: Literal[1] = True", Dynamic()),
        ("x: Annotated[str, AfterValidator(str.upper)] = 'a'", Dynamic()),
        ("x: Annotated[str, AfterValidator(str.upper)] = 'A'", Literally("A")),
    ],
)
def test_a_default_is_literal_only_if_sending_it_changes_nothing(
    read: Read, field: str, default: object
) -> None:
    found = fields(read, f"{MODEL}    {field}\n")["x"].default
    assert found == default
    if isinstance(default, Literally) and isinstance(found, Literally):
        assert type(found.value) is type(default.value)


def test_a_default_that_is_a_model_is_pythons(read: Read) -> None:
    found = fields(
        read, "class N(BaseModel):\n    a: int = 1\nclass M(BaseModel):\n    n: N = N()\n"
    )
    assert found["n"].default == Dynamic()


VALIDATOR = """
    @field_validator("x", mode="{}")
    @classmethod
    def check(cls, value):
        return value
"""
MODEL_VALIDATOR = """
    @model_validator(mode="{}")
    {}
"""


@pytest.mark.parametrize(
    ("validator", "constrained", "default"),
    [
        ("", True, Literally(1)),
        (VALIDATOR.format("after"), True, Dynamic()),
        (VALIDATOR.format("before"), False, Dynamic()),
        (VALIDATOR.format("wrap").replace("value):", "value, handler):"), False, Dynamic()),
        (VALIDATOR.format("plain"), False, Dynamic()),
        (VALIDATOR.format("before").replace('"x"', '"*"'), False, Dynamic()),
        (VALIDATOR.format("before").replace('"x"', '"y"'), True, Literally(1)),
        (
            MODEL_VALIDATOR.format("before", "@classmethod\n    def check(cls, value): ..."),
            False,
            Dynamic(),
        ),
        (MODEL_VALIDATOR.format("after", "def check(self): return self"), True, Literally(1)),
    ],
)
def test_validators_decide_what_the_client_may_check_and_know(
    read: Read, validator: str, constrained: bool, default: object
) -> None:
    found = fields(read, f"{MODEL}    x: int = Field(1, ge=0)\n    y: int = 2\n{validator}")["x"]
    assert found.type == Scalar("int64", Constraints(ge=0) if constrained else Constraints())
    assert found.default == default


@pytest.mark.parametrize(
    ("setting", "constraints"),
    [
        ("str_strip_whitespace=True", Constraints()),
        ("str_to_lower=True", Constraints()),
        ("regex_engine='python-re'", Constraints(max_length=3)),
        ("str_min_length=1", Constraints(min_length=1, max_length=3, pattern="a")),
        ("str_max_length=9", Constraints(max_length=3, pattern="a")),
    ],
)
def test_the_configuration_of_a_model_counts(
    read: Read, setting: str, constraints: Constraints
) -> None:
    found = fields(
        read,
        f"{MODEL}    model_config = ConfigDict({setting})\n"
        "    x: str = Field(pattern='a', max_length=3)\n",
    )
    assert found["x"].type == Scalar("string", constraints)


@pytest.mark.parametrize(
    "setting",
    ["extra='forbid'", "extra='ignore'", "strict=True", "frozen=True", "use_enum_values=True"],
)
def test_harmless_settings_are_fine(read: Read, setting: str) -> None:
    found = fields(read, f"{MODEL}    model_config = ConfigDict({setting})\n    x: int\n")
    assert list(found) == ["x"]


def test_fields_are_named_as_in_python_whatever_their_aliases(read: Read) -> None:
    found = fields(
        read,
        f"{MODEL}    a: int = Field(alias='x')\n"
        "    b: int = Field(validation_alias=AliasChoices('y', AliasPath('z', 0)))\n",
    )
    assert [(f.name, f.proto, f.elixir) for f in found.values()] == [
        ("a", "a", "a"),
        ("b", "b", "b"),
    ]


def test_inherited_fields_come_first(read: Read) -> None:
    found = fields(read, "class B(BaseModel):\n    b: int\nclass M(B):\n    a: int\n    b: int\n")
    assert list(found) == ["b", "a"]


def test_docs_come_from_descriptions_and_docstrings(read: Read) -> None:
    contract = read(f'''{PRELUDE}
class M(BaseModel):
    """A model.

    More of it.

    Attributes:
        a: From the docstring.
        b: Not this one.
    """
    model_config = ConfigDict(use_attribute_docstrings=True)
    a: int
    b: int = Field(description="Described.")
    typo: int = Field(1, description=("With a comma after it.",))
    c: int
    """After the field."""

@dataclass
class D:
    x: int

class Colours(enum.Enum):
    """Colours."""
    RED = 1
    """Like blood."""
    BLUE = 2

def f(x: M, d: D, c: Colours) -> None: ...
''')
    found = message(contract, "M")
    assert found.doc == "A model.\n\nMore of it."
    assert [field.doc for field in found.fields] == [
        "From the docstring.",
        "Described.",
        "",
        "After the field.",
    ]
    assert message(contract, "D").doc == ""
    enum = contract.enums[0]
    assert (enum.doc, [m.doc for m in enum.members]) == ("Colours.", ["Like blood.", ""])


def test_recursive_and_mutually_recursive_models(read: Read) -> None:
    contract = read("""
        from __future__ import annotations
        from dataclasses import dataclass
        from pydantic import BaseModel
        class Tree(BaseModel):
            children: list[Tree] = []
            leaf: Leaf | None = None
        @dataclass
        class Leaf:
            tree: dict[str, Tree]
        def f(x: Tree) -> None: ...
    """)
    assert [m.name.partition(".")[2] for m in contract.messages if m.module] == ["Leaf", "Tree"]


def test_nested_classes_are_named_after_both(read: Read) -> None:
    contract = read("""
        from pydantic import BaseModel
        class Outer(BaseModel):
            class Inner(BaseModel):
                x: int
            inner: Inner
        def f(x: Outer) -> None: ...
    """)
    inner = message(contract, "Outer.Inner")
    assert (inner.proto, inner.module) == ("OuterInner", contract.service.module)


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        (f"{MODEL}    x: int = Field(1, exclude=True)\n", 2, ["field `M.x`: `int`", "exclude"]),
        (f"{DATACLASS}    x: int = field(default=1, init=False)\n", 3, ["`M.x`", "init=False"]),
        (f"{DATACLASS}    x: InitVar[int]\n", 2, ["class `M`", "InitVar"]),
        (f"{PYDANTIC_DATACLASS}    x: InitVar[int]\n", 3, ["`M.x`", "InitVar"]),
        (f"{MODEL}    größe: int\n", 2, ["field `M.größe`", "rename `größe`"]),
        (
            f"{MODEL}    x: int = Field(alias='y')\n"
            "    def __init__(self, **kw): super().__init__(**kw)\n",
            2,
            ["`M.x`", "alias"],
        ),
        (f"{MODEL}    x: None\n", 2, ["field `M.x`: `None`", "leave it out"]),
        (
            f"{MODEL}    x: int\n    y: 'Missing'\n",
            3,
            ["field `M.y`: `Missing`", "`Missing` is not defined", "import or define it"],
        ),
        (f"{DATACLASS}    x: 'Missing'\n", 3, ["field `M.x`", "`Missing` is not defined"]),
    ],
)
def test_what_would_change_values_is_refused(
    refuse: Refuse, body: str, line: int, words: list[str]
) -> None:
    text = refused(refuse, body)
    assert f"m.py:{LINES + line}: " in text
    for word in words:
        assert word in text


def test_a_class_whose_module_is_hidden_by_its_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "hidden_shop" / "models"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("from .models import models as models\n")
    (package / "__init__.py").touch()
    (package / "models.py").write_text(
        "from pydantic import BaseModel\n\nclass Item(BaseModel):\n    name: str\n"
    )
    (tmp_path / "hiding.py").write_text(
        "from hidden_shop.models.models import Item\n\ndef f(item: Item) -> None: ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(IntrospectionError) as refused:
        introspect("hiding")
    assert "`hidden_shop.models.models.Item`: something else has the name" in str(refused.value)


def test_a_class_that_cannot_be_reached_by_its_name_is_refused(refuse: Refuse) -> None:
    text = refuse("""
        from pydantic import BaseModel, create_model
        def make():
            class Local(BaseModel):
                x: int
            return Local
        Local = make()
        Other = create_model("Hidden", x=(int, ...))
        def f(x: Local) -> None: ...
        def g(x: Other) -> None: ...
    """)
    assert "m.py:9: parameter `x` of `f`: `Local`" in text
    assert "m.py:10: parameter `x` of `g`: `Other`" in text
    assert "at the top of its module" in text


def test_all_refusals_come_together_in_the_order_of_the_source(refuse: Refuse) -> None:
    text = refuse("""
        from pydantic import BaseModel
        class A(BaseModel):
            x: complex
            y: type[int]
        def f(a: A, b: complex, c) -> None: ...
        def g(*args: int, **kwargs: int) -> complex: ...
    """)
    lines = [line.partition(":")[2] for line in text.splitlines() if line.startswith("m.py")]
    assert [line.partition(": ")[0] for line in lines] == ["4", "5", "6", "6", "7", "7", "7"]
    assert "`*args`" in text
    assert "`**kwargs`" in text


def test_an_init_of_the_class_may_take_names_where_the_class_takes_them(read: Read) -> None:
    init = "    def __init__(self, **kw): super().__init__(**kw)\n"
    contract = read(f"""
from pydantic import BaseModel, ConfigDict, Field
class Same(BaseModel):
    x: int = Field(alias="x")
{init}
class Named(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    x: int = Field(alias="y")
{init}
def f(same: Same, named: Named) -> None: ...
""")
    assert [[field.name for field in m.fields] for m in contract.messages if m.module] == [
        ["x"],
        ["x"],
    ]
