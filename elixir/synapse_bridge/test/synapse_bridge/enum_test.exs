defmodule SynapseBridge.EnumTest do
  use ExUnit.Case, async: true

  alias Shop.Orders.{Currency, Priority}
  alias SynapseBridge.Fixtures.Color

  test "terms and numbers" do
    assert Currency.values() == [:eur, :usd]
    assert Priority.values() == [:low, :high, 7]

    for enum <- [Currency, Priority, Color], value <- enum.values() do
      assert enum.from_number(enum.to_number(value)) == value
    end

    assert Color.to_number(:far) == 300
  end

  test "a number that is not in the table is kept" do
    for number <- [0, 3, -1, 2_147_483_647] do
      assert Currency.from_number(number) == {:unknown, number}
      assert Currency.to_number({:unknown, number}) == number
    end
  end

  test "cast takes the term, the Python value and the Python name, and nothing else" do
    assert Enum.map([:eur, "€", "EUR"], &Currency.cast/1) == List.duplicate({:ok, :eur}, 3)

    assert Enum.map([:green, "it's \"green\"", "GREEN"], &Color.cast/1) ==
             List.duplicate({:ok, :green}, 3)

    assert Enum.map([:low, "low", 7], &Priority.cast/1) == [{:ok, :low}, {:ok, :low}, {:ok, 7}]

    for wrong <- ["eur", "Eur", :EUR, 1, nil, "7", {:unknown, 1}, {:unknown, :x}, {:unknown, 1.0}],
        do: assert({wrong, Currency.cast(wrong)} == {wrong, :error})
  end

  test "an unknown number can be sent back, since the server may know it" do
    assert Currency.cast({:unknown, 3}) == {:ok, {:unknown, 3}}
    assert Currency.cast({:unknown, 2_147_483_648}) == :error
  end

  test "reflection and documentation" do
    assert Currency.__synapse__(:kind) == :enum
    assert [%{term: :eur, number: 1, value: "€", name: "EUR"}, _] = Currency.__synapse__(:rows)

    {:docs_v1, _, _, _, %{"en" => text}, _, _} = Code.fetch_docs(Currency)

    assert text == """
           The Python enum `shop.orders.Currency`.

           ## Values

             * `:eur` (`'€'` in Python)
             * `:usd` (`'$'` in Python) - US dollars.
           """
  end

  test "the type has the terms and unknown numbers" do
    assert {:ok, [type: {:t, _, _} = type]} = Code.Typespec.fetch_types(Priority)

    assert type |> Code.Typespec.type_to_quoted() |> Macro.to_string() ==
             "t() :: :low | :high | 7 | {:unknown, integer()}"
  end

  test "a term or number that is there twice is an error" do
    for rows <- ["value :a, 1, 1\nvalue :a, 2, 2", "value :a, 1, 1\nvalue :b, 1, 2"] do
      source =
        "defmodule SynapseBridge.EnumTest.Twice do\nuse SynapseBridge.Enum\nenum do\n#{rows}\nend\nend"

      assert_raise CompileError, ~r/is there twice/, fn -> Code.compile_string(source) end
    end
  end
end
