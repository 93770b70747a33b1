"""What a person sees of a contract."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from synapse_bridge.contract.schema import from_json
from synapse_bridge.describe import describe

TESTDATA = Path(__file__).parent / "introspect" / "testdata"


def shown(width: int, contract_file: Path = TESTDATA / "orders.contract.json") -> str:
    contract = from_json(contract_file.read_bytes())
    text = io.StringIO()
    Console(file=text, width=width).print(describe(contract))
    return text.getvalue()


def test_the_description_of_a_real_module() -> None:
    assert shown(160) == (TESTDATA / "orders.txt").read_text("utf-8")


@pytest.mark.parametrize(
    "part",
    [
        "def tail(name: str, last: int = 10) -> Iterator[Line]",
        "async def echo(items: AsyncIterator[int | None]) -> AsyncIterator[int | None]",
        "Streams.tail(name, opts \\\\ []) :: {:ok, Enumerable.t(Streams.Line.t())} | "
        "{:error, Streams.NoSuchLog.t() | SynapseBridge.Error.t()}",
        "Streams.discard(opts) :: :ok | {:error, ",
        "streams.NoSuchLog → Streams.NoSuchLog error",
        "a stream",
    ],
)
def test_streams_and_exceptions_are_shown(part: str) -> None:
    golden = Path(__file__).parent / "generate" / "testdata" / "golden" / "streams"
    assert part in shown(400, golden / "contract.json")


@pytest.mark.parametrize(
    "part",
    [
        "def price(order: Order, rate: float = 1.0, ",
        "currency: Currency = Currency.EUR",
        "async def walk(tree: Tree, depth: int = 10) -> list[int]",
        "Orders.price(order, opts) :: {:ok, Orders.Money.t()}",
        "Orders.forget(order_id, opts \\\\ []) :: :ok | {:error, SynapseBridge.Error.t()}",
        "Literal['web', 'shop', 'phone-order']",
        "items: min_length=1",
        "Python's",
        "'phone-order'",
        "The currencies that we take.",
    ],
)
def test_both_languages_are_shown(part: str) -> None:
    assert part in shown(400)
