defmodule SynapseBridge.MessageTest do
  use ExUnit.Case, async: true

  alias Shop.Orders.{Item, Order}
  alias SynapseBridge.Message.Field

  defp docs(module) do
    {:docs_v1, _, _, _, %{"en" => text}, _, _} = Code.fetch_docs(module)
    text
  end

  defp compile(rows) do
    name = "SynapseBridge.MessageTest.Tried#{System.unique_integer([:positive])}"

    Code.compile_string(
      "defmodule #{name} do\nuse SynapseBridge.Message\nmessage do\n#{rows}\nend\nend"
    )
  end

  test "reflection tells the table" do
    assert Item.__synapse__(:kind) == :message

    assert [%Field{name: :sku, python: "sku", number: 1, presence: :required} = sku | _] =
             Item.__synapse__(:fields)

    assert sku.doc == "Stock-keeping unit, such as `AB-12`."
    assert %Field{python: "end"} = Enum.find(Order.__synapse__(:fields), &(&1.name == :end_))
  end

  test "required fields are enforced, the others have their defaults" do
    assert_raise ArgumentError, ~r/\[:sku, :unit_price\]/, fn -> struct!(Item, []) end

    assert Map.from_struct(struct!(Item, sku: "x", unit_price: 1.0)) ==
             %{sku: "x", unit_price: 1.0, quantity: 1, attributes: %{}, rebates: []}
  end

  test "the documentation lists the fields after the text" do
    assert docs(Item) == """
           One line of an order.

           ## Fields

             * `:sku` (`String.t()`; required; matching `^[A-Z]{2}-\\d+$`) - Stock-keeping unit, such as `AB-12`.
             * `:quantity` (`integer() | nil`; ≥ 1, ≤ 1000; default `1`)
             * `:unit_price` (`SynapseBridge.Message.double()`; required; > 0)
             * `:attributes` (`%{optional(String.t()) => String.t()} | nil`; default `%{}`)
             * `:rebates` (`[SynapseBridge.Message.double() | nil] | nil`; each item ≥ 0, each item ≤ 1; default `[]`)
           """
  end

  test "descriptions and constraints of all kinds are in the documentation" do
    assert docs(SynapseBridge.Fixtures.Described) == """
           Described.

           ## Fields

             * `:data` (`binary() | nil`; at least 1 byte, at most 2 bytes; default made by Python)
             * `:tags` (`[String.t()] | nil`; at least 1 item, each item at least 2 characters; default `["é"]`)
             * `:names` (`%{optional(String.t()) => SynapseBridge.Message.double()}`; required; at most 1 entry, each value < 1.5)
             * `:odd` (`String.t()`; required; matching `` ` ``) - Two
               lines.
           """
  end

  test "every message has a type" do
    assert {:ok, types} = Code.Typespec.fetch_types(Order)
    assert [type: {:t, _, _} = type] = types
    text = type |> Code.Typespec.type_to_quoted() |> Macro.to_string()
    assert text =~ "items: [Shop.Orders.Item.t()]"
    assert text =~ "priority: Shop.Orders.Priority.t() | nil"
    assert text =~ "token: (binary() | nil) | :unset"
    assert text =~ "parts: %{optional(String.t()) => t()} | nil"
  end

  test "a wrong row is an error that says what is wrong with which field" do
    for {rows, message} <- [
          {"field :a, 1, :int", ~r/field :a: unknown type :int: expected one of/},
          {"field :a, 1, :int64", ~r/field :a: expected exactly one of `required: true`/},
          {"field :a, 1, :int64, required: true, default: 1", ~r/expected exactly one of/},
          {"field :a, 0, :int64, required: true", ~r/a field number is an integer from 1/},
          {"field :a, 19_500, :int64, required: true", ~r/a field number is/},
          {"field :a, 1, :int64, required: true, min_length: 1",
           ~r/constraint :min_length of a int64/},
          {"field :a, 1, :string, required: true, docs: \"x\"", ~r/constraint :docs of a string/},
          {"field :a, 1, :string, required: true, min_length: -1", ~r/min_length cannot be -1/},
          {"field :a, 1, :bool, required: true, ge: 1", ~r/:ge of a bool/},
          {"field :a, 1, {:message, Item}, required: true, ge: 1", ~r/takes no constraints/},
          {"field :a, 1, {:list, {:list, :bool}}, required: true", ~r/must be {:wrapped, {:list/},
          {"field :a, 1, {:list, {:nullable, :bool}}, required: true", ~r/must be {:wrapped/},
          {"field :a, 1, {:map, {:list, :bool}, :bool}, required: true", ~r/must be {:wrapped/},
          {"field :a, 1, {:list, :bool}, default: [true]", ~r/must be {:wrapped, type}/},
          {"field :a, 1, {:list, :bool}, optional: true", ~r/must be {:wrapped, type}/}
        ] do
      assert_raise ArgumentError, message, fn -> compile(rows) end
    end
  end

  test "two fields of one number or name are an error" do
    row = "field :a, 1, :bool, required: true\n"

    for {other, message} <- [
          {"field :b, 1, :bool, required: true", ~r/two fields of the number 1/},
          {"field :a, 2, :bool, required: true", ~r/two fields of the name :a/},
          {"field :b, 2, :bool, required: true, name: \"a\"", ~r/two fields of the python "a"/}
        ] do
      assert_raise CompileError, message, fn -> compile(row <> other) end
    end
  end

  test "fields may be called like anything that the generated code uses" do
    names = ~w(rest depth io size bytes length prefix number tag path reason item fields binary
               low high raw n key value message struct error __struct)a

    rows =
      for {name, number} <- Enum.with_index(names, 1),
          do: "field #{inspect(name)}, #{number}, :int64, required: true\n"

    [{module, _}] = compile(rows)

    {:ok, message} =
      module.new(for {name, number} <- Enum.with_index(names), do: {name, number * 100})

    assert {:ok, ^message} =
             message |> module.encode() |> IO.iodata_to_binary() |> module.decode()
  end

  test "a message of 100 fields compiles in seconds and works" do
    rows =
      for n <- 1..100,
          do: "field :f#{n}, #{n}, :#{Enum.at([:int64, :string], rem(n, 2))}, required: true\n"

    {microseconds, [{module, _}]} = :timer.tc(fn -> compile(rows) end)
    assert microseconds < 60_000_000

    {:ok, message} =
      module.new(for n <- 1..100, do: {:"f#{n}", Enum.at([n * n, "#{n}"], rem(n, 2))})

    assert {:ok, ^message} =
             message |> module.encode() |> IO.iodata_to_binary() |> module.decode()
  end
end
