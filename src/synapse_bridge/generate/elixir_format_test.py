"""Statements are laid out as ``mix format`` does, which is asked about thousands of them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from synapse_bridge.contract import elixir_terms
from synapse_bridge.generate.elixir_format import statement
from synapse_bridge.generate.testing import check_mix_format


def shown(source: str, indent: int = 2) -> str:
    return "\n".join(statement(source, indent=indent))


def test_what_fits_stays_on_its_line() -> None:
    source = "def stock(opts \\\\ []), do: call(:stock, %{}, opts)"
    assert shown(source) == f"  {source}"


def test_a_call_without_parentheses_aligns_its_arguments() -> None:
    source = (
        'rpc :process_data, "ProcessData", MyPythonAgent.ProcessDataRequest, '
        "MyPythonAgent.ProcessDataResponse"
    )
    assert shown(source) == (
        "  rpc :process_data,\n"
        '      "ProcessData",\n'
        "      MyPythonAgent.ProcessDataRequest,\n"
        "      MyPythonAgent.ProcessDataResponse"
    )


def test_keywords_break_one_a_line() -> None:
    source = (
        'field :sku, 1, :string, required: true, pattern: "^[A-Z]{2}$", '
        'doc: "Stock-keeping unit, such as `AB-12`."'
    )
    assert shown(source, indent=4) == (
        "    field :sku, 1, :string,\n"
        "      required: true,\n"
        '      pattern: "^[A-Z]{2}$",\n'
        '      doc: "Stock-keeping unit, such as `AB-12`."'
    )


def test_a_spec_opens_its_last_list_on_the_first_line() -> None:
    source = (
        "@spec price_order(Shop.Orders.Order.t() | map() | keyword(), [{:discount, float()} "
        "| {:currency, Shop.Orders.Currency.t()} | SynapseBridge.Client.option()]) "
        ":: {:ok, Shop.Orders.Quote.t()} | {:error, SynapseBridge.Error.t()}"
    )
    assert shown(source) == (
        "  @spec price_order(Shop.Orders.Order.t() | map() | keyword(), [\n"
        "          {:discount, float()}\n"
        "          | {:currency, Shop.Orders.Currency.t()}\n"
        "          | SynapseBridge.Client.option()\n"
        "        ]) :: {:ok, Shop.Orders.Quote.t()} | {:error, SynapseBridge.Error.t()}"
    )


@pytest.mark.parametrize("source", ["field :a, (1)", "def f(", "a +", "field ]", '"open'])
def test_other_elixir_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"Elixir|expected|term"):
        statement(source)


@pytest.mark.skipif(shutil.which("mix") is None, reason="needs Elixir")
def test_mix_format_changes_nothing(tmp_path: Path) -> None:
    statements = _Statements(seed=1)
    source = tmp_path / "statements.exs"
    blocks = [shown(statements.any(), indent=0) for _ in range(3000)]
    source.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    check_mix_format([source], tmp_path)


class _Statements:
    """Random statements of the kinds that are generated, in all lengths."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def any(self) -> str:
        kinds: tuple[Callable[[], str], ...] = (
            self.spec,
            self.field,
            self.function,
            self.rpc,
            self.value,
        )
        return self.random.choice(kinds)()

    def spec(self) -> str:
        options = [f"{{:{self.name()}, {self.type(2)}}}" for _ in range(self.small())]
        arguments = [self.type(2) for _ in range(self.small())]
        arguments.append(f"[{' | '.join([*options, 'SynapseBridge.Client.option()'])}]")
        result = self.random.choice((":ok", f"{{:ok, {self.type(3)}}}", self.type(3)))
        if self.random.random() < 0.6:
            result += " | {:error, SynapseBridge.Error.t()}"
        return f"@spec {self.name()}({', '.join(arguments)}) :: {result}"

    def field(self) -> str:
        parts = [f"field :{self.name()}", str(self.random.randint(1, 99)), self.field_type(4)]
        parts += [f"{self.name()}: {self.term(2)}" for _ in range(1 + self.small())]
        return ", ".join(parts)

    def function(self) -> str:
        names = [self.name() for _ in range(self.small())]
        values = ", ".join(f"{name}: {name}" for name in names)
        head = ", ".join([*names, self.random.choice(("opts", "opts \\\\ []"))])
        name = self.name()
        return f"def {name}({head}), do: call!(:{name}, %{{{values}}}, opts)"

    def rpc(self) -> str:
        parts = [f"rpc :{self.name()}", elixir_terms.string(self.name()), self.module()]
        parts += [self.module(), *(["result: :none"] if self.random.random() < 0.5 else [])]
        return ", ".join(parts)

    def value(self) -> str:
        parts = [f"value {self.term(0)}", str(self.random.randint(1, 99)), self.term(0)]
        parts += [f"doc: {self.term(0)}"] if self.random.random() < 0.5 else []
        return ", ".join(parts)

    def small(self) -> int:
        return self.random.choice((0, 0, 1, 1, 2, 3, 5))

    def name(self) -> str:
        letters = self.random.choices("abcdefgh_", k=self.random.choice((1, 3, 8, 20, 45)))
        return "x" + "".join(letters) + "x"

    def module(self) -> str:
        return ".".join(self.name().title().replace("_", "") for _ in range(1 + self.small()))

    def type(self, depth: int) -> str:
        leaves = ("integer()", "String.t()", "binary()", "map()", f"{self.module()}.t()")
        inner = self.type(depth - 1) if depth else ""
        nested = (
            f"[{inner}]",
            f"%{{optional(String.t()) => {inner}}}",
            f"{inner} | nil",
            f"{{:ok, {inner}}}",
        )
        union = f"{self.module()}.t() | map() | keyword()"
        types: tuple[str, ...] = (*leaves, union, *(nested if depth else ()))
        return self.random.choice(types)

    def field_type(self, depth: int) -> str:
        if not depth or self.random.random() < 0.2:
            return self.random.choice(
                (":int64", f"{{:message, {self.module()}}}", "{:int64, ge: 0, le: 100_000}")
            )
        inner = self.field_type(depth - 1)
        return self.random.choice(
            (
                f"{{:list, {inner}}}",
                f"{{:map, :string, {inner}}}",
                f"{{:nullable, {inner}}}",
                f"{{:wrapped, {inner}}}",
                f"{{{{:list, {inner}}}, min_length: 1, max_length: 3}}",
            )
        )

    def term(self, depth: int) -> str:
        text = "".join(self.random.choices("ab \"\\#{}\né€日🙂\u0301\t'", k=self.small() ** 3))
        leaves = (
            "nil",
            "true",
            elixir_terms.number(self.random.choice((0, -5, 1234567, 0.5, -1e-7, 1.5e300))),
            elixir_terms.string(text),
            elixir_terms.atom(text[:20]),
            elixir_terms.atom(self.random.choice(("<=", "nil", "in stock", "{}", "::", "a?"))),
        )
        if not depth or self.random.random() < 0.5:
            return self.random.choice(leaves)
        items = [self.term(depth - 1) for _ in range(self.small())]
        pairs = [f"{elixir_terms.string(self.name())} => {item}" for item in items]
        return self.random.choice((f"[{', '.join(items)}]", f"%{{{', '.join(pairs)}}}"))
