"""An ``allow:`` list goes for the function that it names, and for no other."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_bridge.serve.loading import CannotServe
from synapse_bridge.serve.options import Options
from synapse_bridge.serve.rules import Rules
from synapse_bridge.serve.service import Method, Service

NOTHING: Any = None


def price() -> None: ...


def _hidden() -> None: ...


def rules(
    lists: dict[str, tuple[str, ...]], *, module: str = "shop", **options: Any
) -> dict[str, Any]:
    """The lists of the methods ``Price``, ``PriceAgain`` (the same function) and ``Other``."""
    functions = {"Price": price, "PriceAgain": price, "Other": _hidden}
    methods = tuple(
        Method(name, function, NOTHING, NOTHING, NOTHING) for name, function in functions.items()
    )
    service = Service(name="s", file=NOTHING, contract="", methods=methods, module=module)
    found = Rules(service, Options(authenticator="m:f", methods={"shop": lists}, **options))
    return {name: found.rule(f"/s/{name}").allow for name in functions}


def test_a_list_names_a_function_as_its_module_does() -> None:
    assert rules({"price": ("a",)}) == {
        "Price": frozenset("a"),
        "PriceAgain": None,
        "Other": None,
    }
    assert rules({"price_again": ("a", "b"), "other": ()}, allow=("c",)) == {
        "Price": frozenset("c"),
        "PriceAgain": frozenset("ab"),
        "Other": frozenset(),
    }


def test_a_list_may_name_a_function_by_its_own_name() -> None:
    assert rules({"_hidden": ("a",)})["Other"] == frozenset("a")


def test_a_list_that_goes_for_nothing_is_refused() -> None:
    with pytest.raises(CannotServe, match="no function prise: did you mean price"):
        rules({"prise": ("a",)})
    with pytest.raises(CannotServe, match="does not say which module"):
        rules({"price": ("a",)}, module="")
