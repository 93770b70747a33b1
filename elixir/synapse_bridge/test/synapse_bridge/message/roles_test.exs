defmodule SynapseBridge.Message.RolesTest do
  # TypedDicts, exceptions, extra, computed and streamed fields, secrets, converters, containers.
  use ExUnit.Case, async: true

  alias SynapseBridge.Fixtures.{
    Bounded,
    Cat,
    Celsius,
    Containers,
    Holder,
    Kinds,
    Open,
    Options,
    OutOfStock,
    Upload
  }

  alias SynapseBridge.{RandomValues, Violation}

  defp violations(module, input) do
    assert {:error, violations} = module.new(input)
    Enum.map(violations, &{&1.path, &1.rule})
  end

  defp round(module, input) do
    assert {:ok, value} = module.new(input)
    assert module.decode(bytes(module, value)) == {:ok, value}
    value
  end

  defp bytes(module, value), do: value |> module.encode() |> IO.iodata_to_binary()

  defp fault(module, bytes) do
    assert {:error, [%Violation{path: path, rule: rule}]} = module.decode(bytes)
    {path, rule}
  end

  describe "a TypedDict" do
    test "is a map with atom keys; an absent key stays absent" do
      assert round(Options, name: "x", since: nil) == %{name: "x", since: nil}

      full = %{name: "x", since: nil, size: 1, note: nil, tags: [], pet: %Cat{}}
      assert round(Options, full) == full
      assert round(Options, Map.new(full, fn {k, v} -> {Atom.to_string(k), v} end)) == full
    end

    test "takes no nil for an absent key, and no struct" do
      assert violations(Options, name: "x", since: nil, size: nil) == [{"size", "int_type"}]

      assert violations(Options, name: "x", sinse: nil) == [
               {"since", "missing"},
               {"sinse", "extra_forbidden"}
             ]

      assert violations(Options, %Cat{}) == [{"", "dict_type"}]
      assert fault(Options, "") == {"name", "missing"}
    end

    test "has a type of required and optional keys" do
      {:ok, [type: type]} = Code.Typespec.fetch_types(Options)
      text = type |> Code.Typespec.type_to_quoted() |> Macro.to_string()
      assert text =~ ~r"name(:|\)? =>) String\.t\(\)"
      assert text =~ "optional(:size) => integer()"
    end
  end

  describe "a model with extra keys" do
    test "keeps those that are strings" do
      assert round(Open, %{"name" => "x", "size" => 1, "extra" => [nil]}) ==
               %Open{name: "x", extra: %{"size" => 1, "extra" => [nil]}}

      assert round(Open, name: "x", extra: %{"size" => 1}).extra == %{"size" => 1}

      assert round(Open, %{:name => "x", :extra => %{"a" => 1}, "b" => 2}).extra ==
               %{"a" => 1, "b" => 2}

      assert round(Open, name: "x").extra == %{}
    end

    test "refuses atoms, which are misspelt, and keys that are fields" do
      assert violations(Open, name: "x", size: 1) == [{"size", "extra_forbidden"}]
      assert violations(Open, name: "x", extra: %{"name" => "y"}) == [{"name", "multiple_values"}]
      assert violations(Open, name: "x", extra: %{size: 1}) == [{"size", "string_type"}]
      assert violations(Open, name: "x", extra: [1]) == [{"", "dict_type"}]
      assert violations(Open, %{"size" => self()}) == [{"name", "missing"}, {"size", "any_type"}]
      assert violations(Open, %Open{name: "x", extra: %{"a" => :b}}) == [{"a", "any_type"}]
    end

    test "says where what came is wrong, without the name of the map" do
      assert fault(Open, <<10, 1, "x", 26, 5, 10, 1, "k", 18, 0>>) == {"k", "any_kind"}
    end
  end

  describe "a computed field" do
    test "comes from Python alone" do
      assert {:ok, %{full_name: "X"} = open} = Open.decode(<<10, 1, "x", 18, 1, "X">>)
      assert {:ok, %{full_name: nil}} = Open.decode(<<10, 1, "x">>)

      # Kept in the struct, never sent, taken from nowhere else.
      assert Open.new(open) == {:ok, open}
      assert bytes(Open, open) == <<10, 1, "x">>
      assert {:ok, %{full_name: nil}} = Open.new(name: "x", full_name: nil)
      assert violations(Open, name: "x", full_name: "X") == [{"full_name", "extra_forbidden"}]
    end
  end

  describe "an exception" do
    test "is raised and rescued, and has the fields of Python's" do
      error =
        assert_raise OutOfStock, "gone", fn -> raise OutOfStock, sku: "A", message: "gone" end

      assert error == %OutOfStock{sku: "A", left: 0, message: "gone"}
      assert Exception.message(%OutOfStock{sku: "A"}) =~ ~s(sku: "A")
      assert OutOfStock.decode(<<10, 1, "A", 16, 3>>) == {:ok, %OutOfStock{sku: "A", left: 3}}
      assert Exception.exception?(error)
    end
  end

  describe "a streamed field" do
    test "is left out of a request, and is all there is to an item" do
      assert {:ok, %Upload{chunk: :unset} = request} = Upload.new(name: "x")
      assert bytes(Upload, request) == <<10, 1, "x">>

      assert {:ok, item} = Upload.__item__([1, 2], 7)
      assert IO.iodata_to_binary(item) == <<18, 4, 10, 2, 1, 2>>
      assert {:invalid, [%{path: "chunk[7][1]", rule: "int_type"}]} = Upload.__item__([1, "2"], 7)
    end
  end

  describe "a secret" do
    setup do
      %{kinds: RandomValues.message(Kinds) |> Map.put(:secret_string, "hunter2")}
    end

    test "is not shown by inspect", %{kinds: kinds} do
      refute inspect(kinds) =~ "hunter2"
      assert inspect(kinds) =~ "bigint: "

      {:ok, containers} =
        Containers.new(days: [], pair: {1, nil}, secrets: %{"hunter2" => "hunter3"})

      refute inspect(containers) =~ "hunter"
    end

    test "in a union or a map is not shown where it hangs in a struct" do
      {:ok, value} = Holder.new(name: "n", login: {:str, "hunter2"})
      assert inspect(value) == ~s|#SynapseBridge.Fixtures.Holder<name: "n", ...>|
    end

    test "is not in a violation, neither as a value nor as a key", %{kinds: kinds} do
      {:error, violations} =
        Kinds.new(%{kinds | secret_string: {:not, "hunter2"}, secret_bytes: 1})

      assert [%{path: "secret_string"}, %{path: "secret_bytes"}] = violations
      refute inspect(violations) =~ "hunter2"

      {:error, violations} = Containers.new(days: [], pair: {1, nil}, secrets: %{"hunter2" => 1})
      assert [%{path: ~S(secrets["**********"])}] = violations

      entry = <<10, 7, "hunter2">>
      bytes = <<34, 2, 8, 1, 0x92, 1, byte_size(entry) + 2>> <> entry <> <<16, 0>>
      assert {:error, [%{path: path}]} = Containers.decode(bytes)
      refute path =~ "hunter"
    end

    test "is not in the error of a struct that was not checked", %{kinds: kinds} do
      error =
        assert_raise ArgumentError, fn -> Kinds.encode(%{kinds | secret_string: ["hunter2"]}) end

      refute Exception.message(error) =~ "hunter2"
    end
  end

  describe "a converter" do
    test "has its own type in Elixir, and says what is wrong" do
      warm = %Celsius{degrees: 20.5}

      assert round(Containers, days: [], pair: {1, nil}, temperatures: [warm]).temperatures == [
               warm
             ]

      assert violations(Containers, days: [], pair: {1, nil}, temperatures: [warm, 5]) ==
               [{"temperatures[1]", "value_error"}]

      assert {:error, [violation]} = Containers.decode(<<34, 2, 8, 1, 0x82, 1, 11, 5, -1::64, 0>>)
      assert violation.path == "temperatures"

      minus_one = :binary.copy(<<0xFF>>, 9) <> <<1>>
      bytes = <<34, 2, 8, 1, 0x82, 1, 11, 5, minus_one::binary>>
      assert {:error, [violation]} = Containers.decode(bytes)
      assert violation.path == "temperatures[1]"
      assert violation.message == "There is nothing below absolute zero"
    end
  end

  describe "a set" do
    test "takes a MapSet, or a list without duplicates" do
      set = MapSet.new([1, 2])
      assert round(Containers, days: [], pair: {1, nil}, numbers: set).numbers == set
      assert round(Containers, days: [], pair: {1, nil}, numbers: [1, 2]).numbers == set

      assert violations(Containers, days: [~D[2024-01-01], ~D[2024-01-01]], pair: {1, nil}) == [
               {"days", "duplicate_item"}
             ]

      assert violations(Containers, days: [1], pair: {1, nil}) == [{"days[0]", "date_type"}]
    end

    test "with an item twice on the wire is refused" do
      day = <<18, 6, 8, 1, 16, 1, 24, 1>>
      assert fault(Containers, day <> day <> <<34, 2, 8, 1>>) == {"days", "duplicate_item"}
      assert fault(Containers, <<10, 2, 5, 5, 34, 2, 8, 1>>) == {"numbers", "duplicate_item"}
    end
  end

  describe "a tuple" do
    test "has as many items as its type" do
      assert round(Containers, days: [], pair: {1, "x"}).pair == {1, "x"}
      assert violations(Containers, days: [], pair: {1}) == [{"pair[1]", "missing"}]
      assert violations(Containers, days: [], pair: {1, 2, 3}) == [{"pair", "too_long"}]
      assert violations(Containers, days: [], pair: [1, "x"]) == [{"pair", "tuple_type"}]
    end

    test "that lacks an item on the wire is refused with its place" do
      assert fault(Containers, <<34, 0>>) == {"pair[0]", "missing"}
      assert fault(Containers, <<34, 2, 10, 0>>) == {"pair[0]", "wire_type"}
      assert fault(Containers, <<34, 5, 8, 1, 18, 1, 0xFF>>) == {"pair[1]", "string_unicode"}
    end
  end

  describe "a map" do
    test "has keys of any kind" do
      by_day = %{~D[2024-01-01] => "1.50"}
      by_pair = %{{1, "a"} => %Cat{}}
      input = [days: [], pair: {1, nil}, by_day: by_day, by_pair: by_pair]
      assert %{by_day: ^by_day, by_pair: ^by_pair} = round(Containers, input)
    end

    test "with a key twice is refused, as input and on the wire" do
      assert violations(Containers, days: [], pair: {1, nil}, by_color: %{:red => 1, "RED" => 2}) ==
               [{"by_color", "duplicate_key"}]

      entry = <<10, 6, 8, 1, 16, 1, 24, 1, 18, 1, "1">>
      field = <<0x52, byte_size(entry)>> <> entry

      assert {"by_day" <> _, "duplicate_key"} =
               fault(Containers, field <> field <> <<34, 2, 8, 1>>)
    end
  end

  test "fields are documented with what they are for" do
    {:docs_v1, _, _, _, %{"en" => doc}, _, _} = Code.fetch_docs(Open)
    assert doc =~ "`:full_name` (`String.t() | nil`; computed by Python, never sent)"
    assert doc =~ "`:extra` (`%{optional(String.t()) => term()}`; the keys that are no fields)"

    {:docs_v1, _, _, _, %{"en" => doc}, _, _} = Code.fetch_docs(Bounded)
    assert doc =~ "at most 400 items, each item finite"
    assert doc =~ "`:token` (`binary()`; required; at least 2 bytes)"
    assert doc =~ "`:pair` (`{integer(), boolean()}`; required)"
    assert doc =~ "NaN and infinities too"
  end

  test "a row with a role that does not fit is an error" do
    for {row, message} <- [
          {"field :a, 1, :int64, computed: true, required: true", ~r/no other presence/},
          {"field :a, 1, :int64, computed: true, streamed: true", ~r/at most one of/},
          {"field :a, 1, {:map, :int64, :any}, extra: true", ~r/is a {:map, :string, type}/},
          {"field :a, 1, {:set, :int64}, optional: true", ~r/must be {:wrapped, type}/},
          {"field :a, 1, {:set, {:set, :int64}}, required: true", ~r/must be {:wrapped/},
          {"field :a, 1, :uuid, required: true, min_length: 1", ~r/min_length of a uuid/}
        ] do
      source = "defmodule SynapseBridge.RolesTest.M do
        use SynapseBridge.Message
        message do
          #{row}
        end
      end"

      assert_raise ArgumentError, message, fn -> Code.compile_string(source) end
    end
  end
end
