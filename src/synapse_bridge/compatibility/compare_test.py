"""Each rule by example; and what the examples leave out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synapse_bridge.compatibility import RULES, breaking, compare
from synapse_bridge.compatibility.conftest import History
from synapse_bridge.compatibility.examples import EXAMPLES, Example
from synapse_bridge.contract.model import (
    Contract,
    Default,
    Dynamic,
    Required,
    Reserved,
    Union,
    UnionMember,
)
from synapse_bridge.contract.types import Scalar, UnionRef
from synapse_bridge.introspect import Naming
from synapse_bridge.lock import EMPTY

# Not by two versions of a source, but by hand, below.
_OTHERS = {
    "CLIENT_SAME_MODULE",
    "SERVICE_SAME_NAME",
    "RESERVED_NO_DELETE",
    "RESERVED_RESTORED",
    "UNION_MEMBER_SAME_TAG",
}


def _title(example: Example) -> str:
    return f"{example.rules or 'nothing'}: {example.new.strip().splitlines()[-1]}"


@pytest.mark.parametrize("example", EXAMPLES, ids=_title)
def test_example(example: Example, history: History) -> None:
    old = history.version(example.old)
    lock = old.lock if example.locked else EMPTY
    new = history.version(example.new, lock, renamed=dict(example.renamed))
    findings = compare(old.contract, new.contract)
    assert {finding.rule_id for finding in findings} == set(example.rules.split())


@pytest.mark.parametrize("example", EXAMPLES, ids=_title)
def test_nothing_changes_from_a_version_to_itself(example: Example, history: History) -> None:
    contract = history.version(example.old).contract
    assert compare(contract, contract) == []


def test_every_rule_has_an_example() -> None:
    shown = {rule for example in EXAMPLES for rule in example.rules.split()}
    assert shown | _OTHERS == set(RULES)


def rules(old: Contract, new: Contract) -> list[str]:
    return [finding.rule_id for finding in compare(old, new)]


def test_another_name_of_the_service_breaks_every_client(history: History) -> None:
    source = "class M(BaseModel):\n    x: int\ndef f(m: M) -> None: ...\n"
    old = history.version(source).contract
    assert rules(old, history.version(source, naming=Naming("Store")).contract) == [
        "SERVICE_SAME_NAME",
        "CLIENT_SAME_MODULE",
    ]
    naming = Naming("Store", old.service.proto_package, old.service.proto)
    assert rules(old, history.version(source, naming=naming).contract) == ["CLIENT_SAME_MODULE"]


def test_what_is_reserved_stays_so(history: History) -> None:
    contract = history.version(
        "class M(BaseModel):\n    x: int\ndef f(m: M) -> None: ...\n"
    ).contract

    def reserving(*reserved: Reserved) -> Contract:
        messages = tuple(
            replace(message, reserved=reserved) if message.is_class else message
            for message in contract.messages
        )
        return replace(contract, messages=messages)

    assert rules(reserving(Reserved(7, "y")), contract) == ["RESERVED_NO_DELETE"]
    assert rules(reserving(Reserved(7, "x")), contract) == ["RESERVED_RESTORED"]


INT = UnionMember("int", 1, Scalar("int64"), "int", "int")
STR = UnionMember("str", 2, Scalar("string"), "str", "str")


@pytest.mark.parametrize(
    ("members", "sent", "returned"),
    [
        ((STR, INT), "", ""),
        ((INT,), "UNION_MEMBER_NO_DELETE", "RESULT_UNION_MEMBER_NO_DELETE"),
        (
            (INT, STR, UnionMember("bool", 3, Scalar("bool"))),
            "UNION_MEMBER_ADDED",
            "RESULT_UNION_MEMBER_ADDED",
        ),
        ((INT, replace(STR, number=3)), *["UNION_MEMBER_SAME_NUMBER"] * 2),
        ((INT, replace(STR, name="text", elixir="text")), *["UNION_MEMBER_SAME_TAG"] * 2),
        ((INT, replace(STR, type=Scalar("bytes"))), *["FIELD_SAME_TYPE"] * 2),
    ],
)
def test_members_of_unions(
    history: History, members: tuple[UnionMember, ...], sent: str, returned: str
) -> None:
    for source, expected in (
        ("def f(x: int) -> None: ...", sent),
        ("def f() -> int: ...", returned),
    ):
        contract = history.version(source).contract

        def having(members: tuple[UnionMember, ...], contract: Contract = contract) -> Contract:
            union = Union("m.U", "U", "Shop.U", members, reserved=(Reserved(2, "str"),))
            messages = tuple(
                replace(m, fields=tuple(replace(f, type=UnionRef("m.U")) for f in m.fields))
                for m in contract.messages
            )
            return replace(contract, messages=messages, unions=(union,))

        assert rules(having((INT, STR)), having(members)) == expected.split()


def test_a_struct_that_becomes_a_map_is_matched_otherwise(history: History) -> None:
    contract = history.version(
        "class M(BaseModel):\n    x: int\ndef f(m: M) -> None: ...\n"
    ).contract
    messages = tuple(
        replace(message, role="typed_dict") if message.is_class else message
        for message in contract.messages
    )
    assert rules(contract, replace(contract, messages=messages)) == ["STRUCT_SAME_FORM"]


def test_a_key_that_may_be_left_out_of_a_result(history: History) -> None:
    contract = history.version("class M(BaseModel):\n    x: int\ndef f() -> M: ...\n").contract

    def having(default: Default) -> Contract:
        messages = tuple(
            replace(m, role="typed_dict", fields=(replace(m.fields[0], default=default),))
            if m.is_class
            else m
            for m in contract.messages
        )
        return replace(contract, messages=messages)

    assert rules(having(Required()), having(Dynamic())) == ["RESULT_MADE_OPTIONAL"]


def test_a_class_that_is_sent_both_ways_is_held_to_both(history: History) -> None:
    source = "class M(BaseModel):\n    x: int{}\ndef f(m: M) -> M: ...\n"
    old = history.version(source.format(""))
    new = history.version(source.format(" | None"), old.lock)
    assert rules(old.contract, new.contract) == ["RESULT_MADE_OPTIONAL", "FIELD_MADE_NULLABLE"]


def test_recursive_classes_are_compared_once(history: History) -> None:
    source = "class M(BaseModel):\n    x: {}\n    more: list[M] = []\ndef f(m: M) -> M: ...\n"
    old, new = (history.version(source.format(kind)).contract for kind in ("int", "str"))
    assert rules(old, new) == ["FIELD_SAME_TYPE"]


def test_a_finding_says_where_and_what(history: History) -> None:
    old = history.version("class M(BaseModel):\n    x: int = 1\ndef f(m: M) -> None: ...\n")
    new = history.version("class M(BaseModel):\n    x: str = 'a'\ndef f(m: M) -> None: ...\n")
    (finding,) = compare(old.contract, new.contract)
    assert finding.where == f"{history.name}.M.x"
    assert finding.what == "`int` became `str`"
    assert finding.severity == "wire"
    assert breaking([finding], "source")


def test_a_safe_change_breaks_nothing(history: History) -> None:
    old = history.version("def f() -> None: ...\n").contract
    new = history.version("def f() -> None: ...\ndef g() -> None: ...\n").contract
    findings = compare(old, new)
    assert not breaking(findings, "source")
    assert breaking(findings, "safe")
