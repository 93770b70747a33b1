"""A quick look says that a value fits only where it does, or where protobuf refuses it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from synapse_bridge.generate import generate
from synapse_bridge.generate.testing import importable
from synapse_bridge.introspect import introspect
from synapse_bridge.serve.codec import Codec
from synapse_bridge.serve.exact import checker
from synapse_bridge.serve.exact_test import MISFITS, Colour, Item, Node, Point, Slotted
from synapse_bridge.serve.failure import ResultMismatch
from synapse_bridge.serve.quick import fits, never

LEFT_TO_PROTOBUF = {"less_than_equal", "greater_than_equal", "string_unicode"}

QUICK: list[tuple[Any, Any]] = [
    (int, 1),
    (float, 2),
    (str | None, None),
    (Colour, Colour.RED),
    (list[Colour], [Colour.RED]),
    (list[float], [0.5, 2]),
    (list[str | None], ["a", None]),
    (dict[str, list[int]], {"a": [1]}),
    (int | str, "a"),
    (Point, Point(1)),
    (Slotted, Slotted(1)),
    (Item, Item(sku="a")),
    (list[Item], [Item(sku="a")] * 2),
    (dict[str, Item | None], {"a": Item(sku="a"), "b": None}),
]

MODULE = """
from typing import Annotated, Any

from pydantic import BaseModel, Field


class Leaf(BaseModel):
    number: int = 0
    size: Annotated[int, Field(ge=0, le=2**64 - 1)] = 0
    name: str = ""
    ok: bool = True
    data: bytes = b""
    ratio: float = 0.0
    ratios: list[float] = []
    names: list[str] = []
    by_name: dict[str, int] = {}


class More(Leaf):
    more: int = 0


class Tree(BaseModel):
    leaves: list[Leaf]
    best: Leaf | None = None


def tree() -> Tree:
    raise NotImplementedError
"""

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"number": True}, "number"),
    ({"number": 1.0}, "number"),
    ({"number": None}, "number"),
    ({"number": 2**63}, "number"),
    ({"size": -1}, "size"),
    ({"size": 2**64}, "size"),
    ({"name": b"x"}, "name"),
    ({"name": "\ud800"}, "name"),
    ({"ok": 1}, "ok"),
    ({"data": "x"}, "data"),
    ({"data": bytearray(b"x")}, "data"),
    ({"ratio": True}, "ratio"),
    ({"ratio": 2**53 + 1}, "ratio"),
    ({"ratio": "1.5"}, "ratio"),
    ({"ratios": [0.5, False]}, "ratios[1]"),
    ({"ratios": (0.5,)}, "ratios"),
    ({"names": ["a", b"b"]}, "names[1]"),
    ({"names": ["a", "\ud800"]}, "names[1]"),
    ({"names": "ab"}, "names"),
    ({"by_name": {"a": True}}, "by_name.a"),
    ({"by_name": {"a": 2**63}}, "by_name.a"),
    ({"by_name": {b"a": 1}}, "by_name"),
    ({"by_name": [("a", 1)]}, "by_name"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("quick")
    (folder / "looked_at.py").write_text(MODULE)
    with importable(folder):
        for name, content in generate(introspect("looked_at")).items():
            if name.startswith("python/"):
                data = content.encode() if isinstance(content, str) else content
                (folder / Path(name).name).write_bytes(data)
        importlib.invalidate_caches()
        yield importlib.import_module("looked_at_server")


def look(annotation: Any, value: Any) -> bool:
    try:
        return fits(checker(annotation).schema)(value)
    except Exception:
        return False


@pytest.mark.parametrize(("annotation", "value"), QUICK)
def test_what_values_mostly_are_fits_at_a_look(annotation: Any, value: Any) -> None:
    assert look(annotation, value)


@pytest.mark.parametrize(("annotation", "value", "_", "rule"), MISFITS)
def test_no_misfit_does(annotation: Any, value: Any, _: Any, rule: str) -> None:
    assert not look(annotation, value) or rule in LEFT_TO_PROTOBUF


@pytest.mark.parametrize("annotation", [Node, list[Node], Node | int])
def test_there_is_no_quick_look_at_some(annotation: Any) -> None:
    assert fits(checker(annotation).schema) is never


@pytest.mark.parametrize(("held", "at"), REFUSED)
def test_whatever_is_refused_has_its_path(server: Any, held: dict[str, Any], at: str) -> None:
    codec, module = Codec(server.SERVICE.methods[0]), server.looked_at
    broken = module.Leaf.model_construct(**held)
    for tree, place in (
        (module.Tree.model_construct(leaves=[module.Leaf(), broken]), "leaves[1]"),
        (module.Tree.model_construct(leaves=[], best=broken), "best"),
    ):
        with pytest.raises(ResultMismatch) as caught:
            codec.response(tree)
        assert f"{place}.{at}" in str(caught.value)


def test_no_field_is_lost(server: Any) -> None:
    codec, module = Codec(server.SERVICE.methods[0]), server.looked_at
    lacking = module.Leaf()
    del lacking.__dict__["number"]
    for leaf, at in ((module.More(), "leaves[0]"), (lacking, "leaves[0].number")):
        with pytest.raises(ResultMismatch) as caught:
            codec.response(module.Tree.model_construct(leaves=[leaf]))
        assert at in str(caught.value)
    sent = codec.response(module.Tree(leaves=[module.Leaf(number=7, ratio=2)]))
    assert codec.response(module.Tree(leaves=[module.Leaf(number=7, ratio=2.0)])) == sent
