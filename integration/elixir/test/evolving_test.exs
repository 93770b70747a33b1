defmodule EvolvingTest do
  # The client of the first release. The suite runs with the server of the first release, and with
  # that of the second, in which everything has another place and much another name.
  use ExUnit.Case

  alias Evolving.{Item, Receipt}
  alias Integration.Server

  setup_all do
    start_supervised!({Evolving, Server.channel()})
    :ok
  end

  test "what is sent is understood, and comes back" do
    item = %Item{sku: "a-1", size: 3, color: :green}

    assert {:ok, %Receipt{total: 6, item: ^item, note: nil}} = Evolving.price(item)
    assert {:ok, %Receipt{total: 30}} = Evolving.price(item, factor: 10)
  end

  test "what is left out has the same default" do
    assert {:ok, %Receipt{total: 2, item: %Item{size: 1, color: :red}}} =
             Evolving.price(%{sku: "a-1"})
  end

  test "enum values mean what they meant, and new ones are said to be unknown" do
    assert {:ok, [:red, :green | new]} = Evolving.colors()
    assert Enum.all?(new, &match?({:unknown, _}, &1))
  end
end
