"""What decorators note on a function."""

from __future__ import annotations

import functools
from typing import Any

import pytest

import synapse_bridge
from synapse_bridge.declaration import CODES, declaration


class Gone(Exception): ...


class Desk:
    @synapse_bridge.raises(Gone, code="NOT_FOUND")
    @synapse_bridge.method(timeout="2m", idempotent=True)
    @synapse_bridge.raises(ValueError)
    def open(self) -> None: ...


def test_decorators_add_up_and_show_through_methods_and_other_decorators() -> None:
    @functools.wraps(Desk.open)
    def wrapped() -> None: ...

    for function in (Desk.open, Desk().open, wrapped):
        found = declaration(function)
        assert (found.timeout_ms, found.idempotent) == (120_000, True)
        assert found.raises == (Gone, ValueError)
        assert found.codes == {Gone: "NOT_FOUND"}
    assert declaration(len).raises == ()


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        ((int,), {}, "no exception class"),
        (("Gone",), {}, "no exception class"),
        ((Gone,), {"code": "GONE"}, "no gRPC code; there are CANCELLED"),
    ],
)
def test_what_cannot_be_declared(arguments: Any, options: Any, error: str) -> None:
    with pytest.raises((TypeError, ValueError), match=error):
        synapse_bridge.raises(*arguments, **options)


def test_the_codes_are_grpcs() -> None:
    grpc = pytest.importorskip("grpc")
    numbers = {code.value[0]: code.name for code in grpc.StatusCode}
    assert tuple(numbers[number] for number in range(1, 17)) == CODES
