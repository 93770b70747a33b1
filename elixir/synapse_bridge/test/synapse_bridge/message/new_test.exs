defmodule SynapseBridge.Message.NewTest do
  use ExUnit.Case, async: true

  alias MyPythonAgent.{InputData, ProcessDataRequest}
  alias Shop.Orders.{Address, Order, PriceOrderRequest, StockRequest}
  alias SynapseBridge.Fixtures.Everything
  alias SynapseBridge.Violation

  defp violations(module, input) do
    assert {:error, violations} = module.new(input)
    for %Violation{path: path, rule: rule} <- violations, do: {path, rule}
  end

  defp item(changes \\ %{}), do: Map.merge(%{sku: "AB-12", unit_price: 2.5}, changes)

  defp order(changes \\ %{}),
    do: Map.merge(%{id: "o-1", items: [item()], bill_to: nil}, changes)

  test "takes a struct, maps with atom or string keys, a keyword list, and any mixture" do
    expected = {:ok, %ProcessDataRequest{data: %InputData{name: "Alice", age: 30}}}

    for data <- [
          %InputData{name: "Alice", age: 30},
          %{name: "Alice", age: 30},
          %{"name" => "Alice", "age" => 30},
          %{"name" => "Alice", age: 30},
          [name: "Alice", age: 30]
        ] do
      assert ProcessDataRequest.new(%{data: data}) == expected
      assert ProcessDataRequest.new(%{"data" => data}) == expected
      assert ProcessDataRequest.new(data: data) == expected
    end
  end

  test "the first of two equal keys of a keyword list counts" do
    assert {:ok, %{name: "first"}} = InputData.new(name: "first", age: 1, name: "second")
  end

  test "an empty keyword list is an empty map" do
    assert violations(InputData, []) == [{"name", "missing"}, {"age", "missing"}]
    assert StockRequest.new([]) == {:ok, %StockRequest{}}
  end

  test "new! returns the struct, or raises everything" do
    assert InputData.new!(name: "Alice", age: 30) == %InputData{name: "Alice", age: 30}

    error = assert_raise SynapseBridge.Error, fn -> InputData.new!(name: 1) end
    assert error.code == :invalid_argument

    assert Exception.message(error) ==
             "invalid_argument: name: Input should be a valid string (string_type); " <>
               "age: Field required (missing)"
  end

  test "structs are checked again, at every level" do
    wrong = %InputData{name: nil, age: "thirty"}
    assert violations(InputData, wrong) == [{"name", "missing"}, {"age", "int_type"}]

    assert violations(ProcessDataRequest, %ProcessDataRequest{data: wrong}) ==
             [{"data.name", "missing"}, {"data.age", "int_type"}]
  end

  test "what is no message is refused" do
    for wrong <- [
          1,
          "x",
          :x,
          nil,
          [1],
          [{"name", "x"}],
          {:name, "x"},
          %Address{street: "", city: ""}
        ] do
      assert {wrong, violations(InputData, wrong)} == {wrong, [{"", "model_type"}]}
    end

    assert {:error, [violation]} = ProcessDataRequest.new(data: 1)
    assert violation.path == "data"
    assert violation.message == "Input should be a valid dictionary or instance of InputData"
  end

  test "unknown keys are refused: a typo must not vanish" do
    assert violations(InputData, %{"odd key" => 3, 7 => 4, name: "x", age: 1, agee: 2}) ==
             [{"[7]", "extra_forbidden"}, {"agee", "extra_forbidden"}] ++
               [{~S(["odd key"]), "extra_forbidden"}]

    assert violations(ProcessDataRequest, data: [name: "x", age: 1, nam: 2]) ==
             [{"data.nam", "extra_forbidden"}]
  end

  test "the name that an unknown key may be meant to be is given" do
    for {input, text} <- [
          {%{name: "x", age: 1, agee: 2}, "did you mean :age?"},
          {%{"name" => "x", "age" => 1, "nmae" => 2}, ~S(did you mean "name"?)},
          {%{"name" => "x", "age" => 1, "colour" => 2}, "Extra inputs are not permitted"},
          {%{"name" => "x", "age" => 1, <<0xFF>> => 2}, "Extra inputs are not permitted"},
          {%{"name" => "x", "age" => 1, 7 => 2}, "Extra inputs are not permitted"}
        ] do
      assert {:error, [%{rule: "extra_forbidden", message: message}]} = InputData.new(input)
      assert String.ends_with?(message, text)
    end
  end

  test "a field that is given by two names is given once too often" do
    assert violations(InputData, %{:name => "x", "name" => "y", :age => 1}) ==
             [{"name", "extra_forbidden"}]
  end

  test "a field whose Python name Elixir cannot write has both names; paths have Python's" do
    assert {:ok, %{end_: 5}} = Order.new(order(%{end_: 5}))
    assert {:ok, %{end_: 5}} = Order.new(order(%{"end_" => 5}))
    assert {:ok, %{end_: 5}} = Order.new(order(%{"end" => 5}))
    assert violations(Order, order(%{end_: "x"})) == [{"end", "int_type"}]
  end

  test "literal defaults are in the struct, the others are left to Python" do
    assert {:ok, order} = Order.new(order())
    assert {order.currency, order.note, order.tags, order.gift} == {:eur, "none", ["new"], false}
    assert {order.created_by, order.token, order.matrix} == {nil, :unset, :unset}
    assert hd(order.items).quantity == 1
  end

  test "nil means not sent where it is no value, None where it is, and is missing where required" do
    assert {:ok, order} =
             Order.new(order(%{currency: nil, created_by: nil, note: nil, token: nil}))

    assert {order.currency, order.created_by, order.note, order.token} == {nil, nil, nil, nil}

    # Fields 3 and 12 are absent, 7 and 8 are wrappers without a value.
    bytes = IO.iodata_to_binary(Order.encode(order))
    assert bytes =~ <<58, 0, 66, 0>>
    assert {:ok, %{currency: :eur, created_by: nil, note: nil, token: nil}} = Order.decode(bytes)

    assert violations(Order, order(%{id: nil, items: nil})) ==
             [{"id", "missing"}, {"items", "missing"}]

    assert violations(Order, order(%{tags: [nil], grid: [nil], parts: %{"x" => nil}})) ==
             [{"tags[0]", "string_type"}, {"grid[0]", "list_type"}, {"parts.x", "model_type"}]
  end

  test ":unset is for fields whose default only Python knows and that can be None" do
    assert {:ok, %{token: :unset}} = Order.new(order(%{token: :unset}))
    assert violations(Order, order(%{note: :unset})) == [{"note", "string_type"}]
    assert violations(Order, order(%{created_by: :unset})) == [{"created_by", "string_type"}]
  end

  test "a required field that can be None must be given" do
    assert violations(Order, Map.delete(order(), :bill_to)) == [{"bill_to", "missing"}]
    assert {:ok, %{bill_to: nil}} = Order.new(order())
  end

  test "every violation is listed, in the order of the fields" do
    input =
      order(%{
        id: "",
        items: [item(%{sku: "ab"}), 7, item(%{quantity: 0, rebates: [nil, 2, "x"]})],
        currency: "GBP",
        ship_to: %{street: "", zip: "123"},
        grid: [[1], [1, 2, 3, 4], ["x"]],
        parts: %{"odd key" => order(%{gift: 1})},
        scores: %{5 => [1, "x"]}
      })

    assert violations(PriceOrderRequest, order: input, discount: 1.5) == [
             {"order.id", "string_too_short"},
             {"order.items[0].sku", "string_pattern_mismatch"},
             {"order.items[1]", "model_type"},
             {"order.items[2].quantity", "greater_than_equal"},
             {"order.items[2].rebates[1]", "less_than_equal"},
             {"order.items[2].rebates[2]", "float_type"},
             {"order.currency", "enum"},
             {"order.ship_to.street", "string_too_short"},
             {"order.ship_to.city", "missing"},
             {"order.ship_to.zip", "string_pattern_mismatch"},
             {"order.grid[1]", "too_long"},
             {"order.grid[2][0]", "int_type"},
             {~S(order.parts["odd key"].gift), "bool_type"},
             {"order.scores[5][1]", "float_type"},
             {"discount", "less_than_equal"}
           ]
  end

  test "nothing is coerced" do
    for {field, values} <- [
          flag: [0, 1, "true", nil: 1],
          count: ["30", 30.0, true, :one],
          size: ["30", 30.0, false],
          ratio: ["1.5", true, :inf],
          text: [1, :text, ~c"text", true],
          data: [1, [1, 2], :x],
          texts: ["x", %{}, {1}, 1],
          by_name: [[a: 1], [], "x", 1],
          leaf: ["x", 1]
        ],
        value <- values do
      assert {^field, ^value, [{path, _}]} =
               {field, value, violations(Everything, %{field => value})}

      assert path == Atom.to_string(field)
    end
  end

  test "keys of maps are checked too" do
    assert violations(Everything, by_name: %{1 => 1}) == [{"by_name[1]", "string_type"}]
    assert violations(Everything, by_name: %{eur: 1}) == [{"by_name.eur", "string_type"}]
    assert violations(Everything, by_number: %{"x" => ""}) == [{"by_number.x", "int_type"}]

    assert violations(Everything, series: %{-1 => [:x]}) ==
             [{"series[-1]", "greater_than_equal"}, {"series[-1][0]", "float_type"}]

    assert violations(Everything, by_flag: %{1 => %{}, true => 5}) ==
             [{"by_flag[1]", "bool_type"}, {"by_flag[1]", "model_type"}]

    assert [{"by_name[" <> _, "string_type"}] = violations(Everything, by_name: %{{1, 2} => 1})
    assert [{_, "string_unicode"}] = violations(Everything, by_name: %{<<0xFF>> => 1})
  end

  test "lists that are no proper lists are refused" do
    assert violations(Everything, counts: [1 | 2]) == [{"counts", "list_type"}]
    assert violations(Everything, ratios: [1.0 | 2.0]) == [{"ratios", "list_type"}]
  end

  test "integers become floats, special floats stay atoms" do
    assert {:ok, %{ratio: ratio, ratios: ratios}} =
             Everything.new(ratio: 3, ratios: [1, 2.5, :nan, :infinity])

    assert ratio === 3.0
    assert ratios === [1.0, 2.5, :nan, :infinity]

    assert {:ok, %{items: [%{unit_price: price}]}} =
             Order.new(order(%{items: [item(%{unit_price: 3})]}))

    assert price === 3.0
  end

  test "enums take the term, the Python value and the Python name" do
    for value <- [:usd, "$", "USD"],
        do: assert({:ok, %{currency: :usd}} = Order.new(order(%{currency: value})))

    for value <- [7, :low, "low"],
        do: assert({:ok, %{priority: _}} = Order.new(order(%{priority: value})))

    assert violations(Order, order(%{currency: :gbp, priority: 8})) ==
             [{"currency", "enum"}, {"priority", "literal_error"}]
  end

  test "what is nested deeper than Python reads is refused here" do
    nested = fn n, innermost -> Enum.reduce(1..n, innermost, fn _, i -> %{inner: i} end) end
    assert {:ok, deep} = Everything.new(nested.(100, %{list: nil}))

    assert {:ok, _} = deep |> Everything.encode() |> IO.iodata_to_binary() |> Everything.decode()

    assert {path, "too_deep"} = List.last(violations(Everything, nested.(101, %{})))
    assert path == Enum.map_join(1..101, ".", fn _ -> "inner" end)

    # Wrappers and map entries are messages as well.
    assert {:ok, _} = Everything.new(nested.(99, %{list: [1], by_name: %{"a" => 1}}))

    assert [{_, "too_deep"}, {list, "too_deep"}, {_, "too_deep"}] =
             violations(Everything, nested.(100, %{table: %{}, by_name: %{"a" => 1}}))

    # Its default.
    assert String.ends_with?(list, ".inner.list")

    assert [{path, "too_deep"}] = violations(Everything, nested.(99, %{series: %{1 => []}}))
    assert String.ends_with?(path, ".series[1]")
  end

  test "encoding a struct that new/1 would refuse says so instead of sending it" do
    for wrong <- [
          %Everything{count: "x"},
          %Everything{count: Bitwise.bsl(1, 63)},
          %Everything{size: -1},
          %Everything{ratio: :x},
          %Everything{flag: 1},
          %Everything{counts: [1.0]},
          %Everything{flags: [nil]}
        ] do
      assert_raise ArgumentError, ~r/Build the struct with new\/1/, fn ->
        Everything.encode(wrong)
      end
    end
  end
end
