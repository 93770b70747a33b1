"""For tests: each rule by example, as sources before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Example:
    """Two versions of a module, and all the rules that say what changed.

    ``renamed`` is the configuration's, ``locked`` whether the new version has the old one's lock.
    """

    rules: str
    old: str
    new: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    locked: bool = True


def taken(old: str, new: str, rules: str, more: str = "", **options: object) -> Example:
    """A field of a model that clients send: ``old`` became ``new``."""
    model = "class M(BaseModel):\n    kept: int = 0\n    {}\ndef f(m: M) -> None: ...\n"
    return Example(rules, more + model.format(old), more + model.format(new), **options)  # type: ignore[arg-type]


def given(old: str, new: str, rules: str, more: str = "", **options: object) -> Example:
    """A field of a model that the server sends: ``old`` became ``new``."""
    model = "class M(BaseModel):\n    kept: int = 0\n    {}\ndef f() -> M: ...\n"
    return Example(rules, more + model.format(old), more + model.format(new), **options)  # type: ignore[arg-type]


def function(old: str, new: str, rules: str, more: str = "", **options: object) -> Example:
    """A signature became another."""
    head = more + "def kept() -> None: ...\n"
    return Example(rules, f"{head}{old}\n", f"{head}{new}\n", **options)  # type: ignore[arg-type]


def _enum(*names: str) -> str:
    members = "".join(f"    {name} = {value}\n" for value, name in enumerate(names, 1))
    return f"class E(enum.Enum):\n{members}"


def enums(old: tuple[str, ...], new: tuple[str, ...], rules: str, use: str, **o: object) -> Example:
    """The members of an enum became others; ``use`` is the function that has it."""
    return Example(rules, _enum(*old) + use, _enum(*new) + use, **o)  # type: ignore[arg-type]


_TAKES = "def f(e: E) -> None: ...\n"
_GIVES = "def f() -> E: ...\n"
_ERROR = (
    "class Lost(Exception):\n    def __init__(self, sku: str) -> None:\n        self.sku = sku\n"
)

EXAMPLES = (
    # functions
    function("def f() -> None: ...", "", "RPC_NO_DELETE"),
    function("", "def f() -> None: ...", "RPC_ADDED"),
    function("def f() -> None: ...", "def g() -> None: ...", "RPC_NO_DELETE RPC_ADDED"),
    function(
        "def f() -> None: ...",
        "def g() -> None: ...",
        "FUNCTION_SAME_NAME",
        renamed={"g": "f"},
    ),
    function(
        "def f(a: list[int]) -> None: ...",
        "def f(a: Iterator[int]) -> None: ...",
        "RPC_SAME_CLIENT_STREAMING FIELD_SAME_TYPE",
    ),
    function(
        "def f() -> int: ...",
        "def f() -> Iterator[int]: ...",
        "RPC_SAME_SERVER_STREAMING",
    ),
    function(
        "@synapse_bridge.method(idempotent=True)\ndef f() -> int: ...",
        "def f() -> int: ...",
        "RPC_SAME_IDEMPOTENCY_LEVEL",
    ),
    function(
        "def f() -> int: ...",
        "@synapse_bridge.method(idempotent=True)\ndef f() -> int: ...",
        "RPC_MADE_IDEMPOTENT",
    ),
    function(
        "@synapse_bridge.method(timeout=1)\ndef f() -> int: ...",
        "@synapse_bridge.method(timeout=2.5)\ndef f() -> int: ...",
        "TIMEOUT_CHANGED",
    ),
    function(
        "def f() -> None: ...",
        "@synapse_bridge.raises(Lost)\ndef f() -> None: ...",
        "EXCEPTION_ADDED",
        _ERROR,
    ),
    function(
        "@synapse_bridge.raises(Lost)\ndef f() -> None: ...",
        "def f() -> None: ...",
        "EXCEPTION_NO_DELETE STRUCT_NO_DELETE",
        _ERROR,
    ),
    # parameters
    function(
        "def f(a: int) -> None: ...",
        "def f(a: int, b: int) -> None: ...",
        "FIELD_ADDED_REQUIRED FUNCTION_SAME_ARGUMENTS",
    ),
    function("def f(a: int) -> None: ...", "def f(a: int, b: int = 1) -> None: ...", "FIELD_ADDED"),
    function(
        "def f(a: int) -> None: ...",
        "def f(a: int, b: int | None) -> None: ...",
        "FIELD_KEY_MADE_REQUIRED FUNCTION_SAME_ARGUMENTS",
    ),
    function(
        "def f(a: int, b: int = 1) -> None: ...", "def f(a: int) -> None: ...", "FIELD_NO_DELETE"
    ),
    function(
        "def f(a: int, b: int = 1) -> None: ...",
        "def f(a: int) -> None: ...",
        "FIELD_NO_DELETE MEMBER_NO_DELETE_UNLESS_RESERVED",
        locked=False,
    ),
    function(
        "def f(a: int, b: int) -> None: ...",
        "def f(b: int, a: int) -> None: ...",
        "FUNCTION_SAME_ARGUMENTS",
    ),
    function(
        "def f(a: int, b: int) -> None: ...",
        "def f(b: int, a: int) -> None: ...",
        "FIELD_SAME_NUMBER",
        locked=False,
    ),
    function(
        "def f(a: int) -> None: ...",
        "def f(a: int = 1) -> None: ...",
        "FIELD_MADE_OPTIONAL FUNCTION_SAME_ARGUMENTS",
    ),
    function(
        "def f(a: int = 1) -> None: ...",
        "def f(a: int) -> None: ...",
        "FIELD_MADE_REQUIRED FUNCTION_SAME_ARGUMENTS",
    ),
    function(
        "def f(a: int) -> None: ...", "def f(x: int) -> None: ...", "FIELD_SAME_NAME", locked=False
    ),
    function(
        "def f(a: int) -> None: ...",
        'def f(x: Annotated[int, RenamedFrom("a")]) -> None: ...',
        "FIELD_SAME_NAME",
    ),
    # results
    function("def f() -> int: ...", "def f() -> str: ...", "FIELD_SAME_TYPE"),
    function("def f() -> int: ...", "def f() -> int | None: ...", "RESULT_MADE_OPTIONAL"),
    function("def f() -> int | None: ...", "def f() -> int: ...", "RESULT_NEVER_NONE"),
    function("def f() -> int: ...", "def f() -> None: ...", "FIELD_NO_DELETE"),
    function("def f() -> None: ...", "def f() -> int: ...", "RESULT_ADDED FIELD_ADDED"),
    # fields that clients send
    taken("x: int = 1", "", "FIELD_NO_DELETE"),
    taken("", "x: int = 1", "FIELD_ADDED"),
    taken("", "x: int", "FIELD_ADDED_REQUIRED"),
    taken("", "x: list[int]", "FIELD_KEY_MADE_REQUIRED"),
    taken("", "x: Annotated[list[int], Field(min_length=1)]", "FIELD_ADDED_REQUIRED"),
    taken("x: int", "x: str", "FIELD_SAME_TYPE"),
    taken("x: int", "x: float", "FIELD_SAME_TYPE"),
    taken("x: list[int]", "x: list[str]", "FIELD_SAME_TYPE"),
    taken("x: list[int]", "x: list[int | None]", "FIELD_SAME_TYPE"),
    taken("x: dict[str, int]", "x: dict[int, int]", "FIELD_SAME_TYPE"),
    taken("x: list[int] = []", "x: list[int] = [1]", "FIELD_SAME_CARDINALITY"),
    taken("x: int | None = None", "x: int | None = 1", "FIELD_SAME_CARDINALITY"),
    taken("x: int = 1", "x: int = 2", "FIELD_SAME_DEFAULT"),
    taken("x: int = 1", "x: int = Field(default_factory=int)", "FIELD_SAME_DEFAULT"),
    taken("x: int = 1", "x: int", "FIELD_MADE_REQUIRED"),
    taken("x: int", "x: int = 1", "FIELD_MADE_OPTIONAL"),
    taken("x: int | None = None", "x: int | None", "FIELD_KEY_MADE_REQUIRED"),
    taken("x: int", "x: int | None", "FIELD_MADE_NULLABLE"),
    taken("x: int = 2", "x: int | None", "FIELD_MADE_NULLABLE FIELD_SAME_DEFAULT"),
    taken("x: list[int] = []", "x: list[int]", "FIELD_KEY_MADE_REQUIRED"),
    taken("x: int | None", "x: int", "FIELD_NOT_NULLABLE"),
    taken("x: int = 1", "x: int | None = None", "FIELD_MADE_NULLABLE FIELD_SAME_DEFAULT"),
    taken("x: int", 'y: Annotated[int, RenamedFrom("x")]', "FIELD_SAME_NAME"),
    taken("x: int", "x: Annotated[int, Field(ge=0)]", "CONSTRAINT_TIGHTENED"),
    taken("x: Annotated[int, Field(ge=0)]", "x: Annotated[int, Field(gt=-1)]", ""),
    taken(
        "x: Annotated[int, Field(ge=0)]", "x: Annotated[int, Field(gt=0)]", "CONSTRAINT_TIGHTENED"
    ),
    taken(
        "x: Annotated[int, Field(le=9)]", "x: Annotated[int, Field(lt=9)]", "CONSTRAINT_TIGHTENED"
    ),
    taken(
        "x: Annotated[int, Field(le=9)]", "x: Annotated[int, Field(le=10)]", "CONSTRAINT_LOOSENED"
    ),
    taken(
        "x: Annotated[float, Field(ge=0)]",
        "x: Annotated[float, Field(gt=0)]",
        "CONSTRAINT_TIGHTENED",
    ),
    taken(
        "x: Annotated[int, Field(multiple_of=6)]",
        "x: Annotated[int, Field(multiple_of=3)]",
        "CONSTRAINT_LOOSENED",
    ),
    taken(
        "x: Annotated[int, Field(multiple_of=3)]",
        "x: Annotated[int, Field(multiple_of=6)]",
        "CONSTRAINT_TIGHTENED",
    ),
    taken(
        "x: Annotated[str, Field(min_length=1, max_length=5)]",
        "x: Annotated[str, Field(min_length=2, max_length=6)]",
        "CONSTRAINT_TIGHTENED CONSTRAINT_LOOSENED",
    ),
    taken("x: str", 'x: Annotated[str, Field(pattern="a")]', "CONSTRAINT_TIGHTENED"),
    taken('x: Annotated[str, Field(pattern="a")]', "x: str", "CONSTRAINT_LOOSENED"),
    taken(
        "x: list[Annotated[int, Field(ge=0)]]",
        "x: list[Annotated[int, Field(ge=1)]]",
        "CONSTRAINT_TIGHTENED",
    ),
    # fields that the server sends
    given("x: int = 1", "", "FIELD_NO_DELETE"),
    given("", "x: int", "FIELD_ADDED"),
    given("x: int", "x: int = 1", ""),
    given("x: int = 1", "x: int = 2", "RESULT_DEFAULT_CHANGED"),
    given("x: int", "x: int | None", "RESULT_MADE_OPTIONAL"),
    given("x: int | None", "x: int", "RESULT_NEVER_NONE"),
    given("x: int", "x: Annotated[int, Field(ge=0)]", "RESULT_CONSTRAINT_CHANGED"),
    given("x: Annotated[int, Field(ge=0)]", "x: int", "RESULT_CONSTRAINT_CHANGED"),
    # enums
    enums(("A", "B"), ("A",), "ENUM_VALUE_NO_DELETE", _TAKES),
    enums(("A", "B"), ("A",), "RESULT_ENUM_VALUE_NO_DELETE", _GIVES),
    enums(
        ("A", "B"),
        ("A",),
        "ENUM_VALUE_NO_DELETE MEMBER_NO_DELETE_UNLESS_RESERVED",
        _TAKES,
        locked=False,
    ),
    enums(("A",), ("A", "B"), "ENUM_VALUE_ADDED", _TAKES),
    enums(("A", "B"), ("B", "A"), "", _TAKES),
    enums(("A", "B"), ("B", "A"), "ENUM_VALUE_SAME_NUMBER", _TAKES, locked=False),
    enums(("A", "B"), ("A", "C"), "ENUM_VALUE_SAME_NAME", _TAKES, renamed={"E.C": "B"}),
    taken('x: Literal["a", "b"]', 'x: Literal["a"]', "ENUM_VALUE_NO_DELETE"),
    # unions
    taken("x: int | str", "x: str | int", ""),
    taken("x: int | str", "x: int | str | bool", "UNION_MEMBER_ADDED"),
    given("x: int | str", "x: int | str | bool", "RESULT_UNION_MEMBER_ADDED"),
    taken("x: int | str | bool", "x: int | str", "UNION_MEMBER_NO_DELETE"),
    given("x: int | str | bool", "x: int | str", "RESULT_UNION_MEMBER_NO_DELETE"),
    taken(
        "x: int | str | bool",
        "x: bool | str | int",
        "UNION_MEMBER_SAME_NUMBER",
        locked=False,
    ),
    # composite types
    taken("x: tuple[int, str]", "x: tuple[int, str, int]", "FIELD_SAME_TYPE"),
    taken("x: list[int]", "x: tuple[int, ...]", ""),
    taken("x: list[int]", "x: set[int]", "FIELD_SAME_TYPE"),
    # classes
    Example(
        "STRUCT_SAME_FORM",
        "class M(BaseModel):\n    x: int\ndef f(m: M) -> None: ...\n",
        "class M(TypedDict):\n    x: int\ndef f(m: M) -> None: ...\n",
    ),
    Example(
        "RESULT_MADE_OPTIONAL",
        "class M(TypedDict):\n    x: int\ndef f() -> M: ...\n",
        "class M(TypedDict):\n    x: NotRequired[int]\ndef f() -> M: ...\n",
    ),
    Example(
        "STRUCT_NO_DELETE",
        "class M(BaseModel):\n    x: int\ndef f(m: M) -> None: ...\n",
        "class N(BaseModel):\n    x: int\ndef f(m: N) -> None: ...\n",
    ),
)
