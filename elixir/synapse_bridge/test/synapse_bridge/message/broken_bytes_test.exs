defmodule SynapseBridge.Message.BrokenBytesTest do
  use ExUnit.Case, async: true

  alias MyPythonAgent.{InputData, ProcessDataRequest}
  alias Shop.Orders.{Item, Order, Quote, StockResponse}
  alias SynapseBridge.Fixtures.{Everything, Leaf, Wide}
  alias SynapseBridge.Violation

  defmodule FromSixteenOn do
    use SynapseBridge.Message

    message do
      field :count, 17, :int64, optional: true
    end
  end

  defp fault(module, bytes) do
    assert {:error, [%Violation{path: path, rule: rule}]} = module.decode(bytes)
    {path, rule}
  end

  defp bytes(%module{} = message), do: message |> module.encode() |> IO.iodata_to_binary()

  test "every truncation of a message of required fields is refused" do
    request = bytes(%ProcessDataRequest{data: %InputData{name: "Alice", age: 300}})

    for n <- 0..(byte_size(request) - 1),
        do: fault(ProcessDataRequest, binary_part(request, 0, n))

    quote = bytes(%Quote{lines: [1.0, 2.0], total: 3.0, currency: :eur, approver: nil})
    # Required lists may be empty and the approver may be nil: both may be left out.
    may_end = byte_size(bytes(%Quote{lines: [], total: 3.0, currency: :eur, approver: nil}))

    for n <- 0..(byte_size(quote) - 1), n != may_end, do: fault(Quote, binary_part(quote, 0, n))
  end

  test "a truncation inside a field is refused for every type" do
    leaf = %Leaf{name: "a", weight: 1, marks: [1, 300]}

    fields = [
      count: 300,
      size: 300,
      ratio: 1.5,
      ratio: :nan,
      text: "text",
      data: <<1, 2>>,
      color: :far,
      leaf: leaf,
      flags: [true, false],
      counts: [300, 1],
      ratios: [1.0, 2.0],
      texts: ["ab"],
      colors: [:far],
      leaves: [leaf],
      by_name: %{"a" => 300},
      series: %{7 => [1.0]},
      list: [300],
      maybe: "x",
      gaps: [1.0],
      names: ["ab"],
      far: 300,
      farther: "ab",
      farthest: true
    ]

    for {name, value} <- fields do
      whole = bytes(struct!(Everything, [{:list, nil}, {name, value}]))

      for n <- 1..(byte_size(whole) - 1)//1 do
        assert {^name, ^n, {:error, [_]}} = {name, n, Everything.decode(binary_part(whole, 0, n))}
      end
    end
  end

  test "an absent required field is named with its path" do
    assert fault(InputData, "") == {"name", "missing"}
    assert fault(InputData, <<10, 1, "a">>) == {"age", "missing"}
    assert fault(ProcessDataRequest, "") == {"data", "missing"}
    assert fault(ProcessDataRequest, <<10, 0>>) == {"data.name", "missing"}

    item = <<10, 5, "AB-12">>
    order = <<10, 1, "x", 18, byte_size(item), item::binary>>
    assert fault(Order, order) == {"items[0].unit_price", "missing"}

    # A map's key and a Python name that Elixir writes differently.
    part = <<0x7A, 6, 10, 2, "a ", 18, 0>>
    assert fault(Order, <<10, 1, "x", part::binary>>) == {~S(parts["a "].id), "missing"}
    assert fault(Order, <<106, 1, 0>>) == {"end", "wire_type"}
  end

  test "the message of a fault is for people" do
    assert {:error, [violation]} = InputData.decode(<<10, 5, "Al">>)
    assert to_string(violation) == "name: The bytes end in the middle of a value (truncated)"
  end

  test "a known field of another wire type is refused, not skipped" do
    assert fault(InputData, <<8, 1>>) == {"name", "wire_type"}
    assert fault(InputData, <<18, 1, "x">>) == {"age", "wire_type"}
    assert fault(InputData, <<21, 0::32>>) == {"age", "wire_type"}
    assert fault(Wide, <<10, 1, "x">>) == {"flag_1", "wire_type"}
    assert fault(StockResponse, <<8, 1>>) == {"result", "wire_type"}
  end

  test "tags that do not exist are refused" do
    for tag <- [0, 6, 7], do: assert(fault(Everything, <<tag>>) == {"", "field_number"})
    for tag <- [8 + 6, 8 + 7, 8 + 4], do: assert({_, "wire_type"} = fault(Everything, <<tag>>))
    assert fault(Everything, <<0x80>>) == {"", "truncated"}
    # More than 32 bits.
    assert fault(Everything, <<0x80, 0x80, 0x80, 0x80, 0x10, 0>>) == {"", "field_number"}
  end

  test "a tag with padding is read" do
    assert {:ok, %{count: 5}} = Everything.decode(<<0x90, 0x00, 5>>)
    assert {:ok, %{far: 5}} = Everything.decode(<<0xF8, 0xFF, 0x80, 0x00, 5>>)
  end

  test "a varint has at most ten bytes, and 64 bits of them" do
    nine = :binary.copy(<<0xFF>>, 9)
    assert {:ok, %{size: size}} = Everything.decode(<<24, nine::binary, 1>>)
    assert size == Bitwise.bsl(1, 64) - 1
    assert {:ok, %{size: ^size}} = Everything.decode(<<24, nine::binary, 0x7F>>)
    assert {:ok, %{count: -1}} = Everything.decode(<<16, nine::binary, 1>>)
    assert fault(Everything, <<24, nine::binary, 0x80, 0>>) == {"size", "varint_too_long"}
    assert fault(Everything, <<82, 11, nine::binary, 0x80, 0>>) == {"counts", "varint_too_long"}
    assert {:ok, %{flag: true}} = Everything.decode(<<8, nine::binary, 1>>)
  end

  test "a length beyond the end is refused" do
    assert fault(Everything, <<42, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, "x">>) == {"text", "truncated"}
    assert fault(Everything, <<98, 7, 0::56>>) == {"ratios", "truncated"}
  end

  test "strings must be UTF-8, wherever they are" do
    assert fault(Everything, <<42, 1, 0xFF>>) == {"text", "string_unicode"}
    assert fault(Everything, <<42, 3, 0xED, 0xA0, 0x80>>) == {"text", "string_unicode"}
    assert fault(Everything, <<106, 1, "a", 106, 1, 0xC0>>) == {"texts[1]", "string_unicode"}
    long = :binary.copy("x", 200) <> <<0xFF>>
    assert fault(Everything, <<42, 201, 1, long::binary>>) == {"text", "string_unicode"}
    assert fault(Everything, <<42, 200, 1, long::binary>>) == {"", "truncated"}
    assert {:ok, %{data: <<0xFF>>}} = Everything.decode(<<50, 1, 0xFF>>)

    assert fault(StockResponse, <<10, 3, 10, 1, 0xFF>>) == {"result", "string_unicode"}
  end

  test "unknown fields are skipped, groups too" do
    group = <<0xA3, 0x06, 8, 1, 0xA3, 0x06, 0xA4, 0x06, 0xA4, 0x06>>
    assert {:ok, %{count: 1}} = Everything.decode(<<group::binary, 16, 1, group::binary>>)
    # Not ended, ended by another number, too deep.
    assert fault(Everything, <<0xA3, 0x06, 8, 1>>) == {"", "truncated"}
    assert fault(Everything, <<0xA3, 0x06, 0xAC, 0x06>>) == {"", "wire_type"}
    assert fault(Everything, :binary.copy(<<0xA3, 0x06>>, 200)) == {"", "too_deep"}
  end

  test "a tag of one byte is none of two, where all numbers are beyond 15" do
    assert FromSixteenOn.decode(<<8, 2>>) == {:ok, %FromSixteenOn{count: nil}}
    assert FromSixteenOn.decode(<<8, 2, 136, 1, 5>>) == {:ok, %FromSixteenOn{count: 5}}
  end

  test "messages inside one another: 100 levels, as Python's protobuf" do
    nested = fn n -> Enum.reduce(1..n, "", fn _, inner -> field(27, inner) end) end
    assert {:ok, _} = Everything.decode(nested.(100))
    assert {path, "too_deep"} = fault(Everything, nested.(101))
    assert path == Enum.map_join(1..101, ".", fn _ -> "inner" end)
  end

  test "messages in maps: an entry is a level too" do
    nested = fn n ->
      Enum.reduce(1..n, "", fn _, inner ->
        field(1, "id") <> field(15, field(1, "k") <> field(2, inner))
      end)
    end

    assert {_, "missing"} = fault(Order, nested.(50))
    assert {_, "too_deep"} = fault(Order, nested.(51))
  end

  test "nothing in the bytes becomes an atom" do
    strange = field(13, "no such atom 1") <> field(17, field(1, "no such atom 2"))
    assert {:ok, _} = Everything.decode(strange)
    assert {:error, _} = Item.new(%{"no such atom 3" => 1})
    assert {:error, _} = Order.new(%{"currency" => "no such atom 4"})

    for n <- 1..4 do
      assert_raise ArgumentError, fn -> String.to_existing_atom("no such atom #{n}") end
    end
  end

  defp field(number, bytes) do
    alias SynapseBridge.Codec.Write
    Write.tag(number, :bytes) <> Write.varint(byte_size(bytes)) <> bytes
  end
end
