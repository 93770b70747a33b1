"""What Python cannot hold is a violation with its path, whatever a validator would say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import ValidationError

from synapse_bridge.serve.unreadable import Unreadable, checked


def read(make: Any) -> dict[str, Any]:
    return checked(lambda message: make())(None)


def test_every_place_is_told() -> None:
    with pytest.raises(ValidationError) as caught:
        read(lambda: {"a": Unreadable("no date"), "b": [1, {"c": Unreadable("no time")}]})
    assert [(error["loc"], error["msg"]) for error in caught.value.errors()] == [
        (("a",), "no date"),
        (("b", 1, "c"), "no time"),
    ]


def test_a_request_after_a_refused_one_is_read() -> None:
    with pytest.raises(ValidationError):
        read(lambda: {"a": Unreadable("no date")})
    assert read(lambda: {"a": 1}) == {"a": 1}
