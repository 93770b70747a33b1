defmodule EchoTest do
  use ExUnit.Case

  alias Echo.{Bounded, Everything, Point, Presence}
  alias Integration.{Random, Server}
  alias SynapseBridge.{Channel, Error, Violation}

  setup_all do
    start_supervised!({Echo, target: Server.target()})
    :ok
  end

  @max_int64 9_223_372_036_854_775_807
  @min_int64 -9_223_372_036_854_775_808
  @max_uint64 18_446_744_073_709_551_615

  describe "bool" do
    test "is carried" do
      assert Echo.echo_bool(true) == {:ok, true}
      assert Echo.echo_bool(false) == {:ok, false}
    end

    test "refuses what is only like one" do
      for value <- [nil, 0, 1, "true", :yes], do: assert_refused(Echo.echo_bool(value), "value")
    end
  end

  describe "int" do
    test "is carried to both ends of its range" do
      for value <- [0, 1, -1, 127, 128, 2 ** 31, -(2 ** 31), 2 ** 53 + 1, @max_int64, @min_int64] do
        assert Echo.echo_int(value) == {:ok, value}
      end
    end

    test "is refused beyond them, and never wraps around" do
      for value <- [@max_int64 + 1, @min_int64 - 1, 2 ** 64, 10 ** 30] do
        assert_refused(Echo.echo_int(value), "value")
      end
    end

    test "refuses floats, booleans and numbers as text" do
      for value <- [1.0, true, "1", nil], do: assert_refused(Echo.echo_int(value), "value")
    end

    test "from 0 to 2^64-1 where the bounds say so" do
      for value <- [0, @max_int64, @max_int64 + 1, @max_uint64] do
        assert Echo.echo_uint64(value) == {:ok, value}
      end

      assert_refused(Echo.echo_uint64(@max_uint64 + 1), "value")
      assert_refused(Echo.echo_uint64(-1), "value")
    end
  end

  describe "float" do
    test "is carried bit by bit" do
      for value <- [0.0, -0.0, 0.1, 1.7976931348623157e308, 5.0e-324, -2.2250738585072014e-308] do
        assert {:ok, echo} = Echo.echo_float(value)
        assert <<echo::float>> == <<value::float>>
      end
    end

    test "is carried where Elixir has no float for it" do
      for value <- [:nan, :infinity, :negative_infinity] do
        assert Echo.echo_float(value) == {:ok, value}
      end
    end

    test "may be given as an integer" do
      assert Echo.echo_float(3) === {:ok, 3.0}
    end

    test "refuses other atoms and numbers as text" do
      for value <- [:inf, "0.1", true, nil], do: assert_refused(Echo.echo_float(value), "value")
    end
  end

  describe "str" do
    test "is carried, whatever it holds" do
      for value <- ["", " ", "\0", "a\r\n\t", "ÄÖÜß", "日本語", "e\u0301", "👩‍👩‍👧", "\u{10FFFF}", "שלום"] do
        assert Echo.echo_str(value) == {:ok, value}
      end
    end

    test "of 10 MB is carried" do
      value = String.duplicate("0123456789äbcdef", 625_000)
      assert byte_size(value) > 10_000_000
      assert {:ok, ^value} = Echo.echo_str(value, timeout: 30_000)
      assert Echo.length(value, timeout: 30_000) == {:ok, 10_000_000}
      assert {:ok, answer} = Echo.repeat("x", 10_000_000, timeout: 30_000)
      assert byte_size(answer) == 10_000_000
    end

    test "refuses what is not UTF-8" do
      for value <- [<<0xFF>>, <<0xED, 0xA0, 0x80>>, "abc" <> <<0xC3>>] do
        assert_refused(Echo.echo_str(value), "value")
      end
    end

    test "refuses atoms and charlists" do
      for value <- [:text, ~c"text", nil, 1], do: assert_refused(Echo.echo_str(value), "value")
    end
  end

  test "bytes are carried, whatever they are" do
    for value <- ["", <<0>>, :binary.list_to_bin(Enum.to_list(0..255)), <<0xFF, 0xFE>>] do
      assert Echo.echo_bytes(value) == {:ok, value}
    end

    assert_refused(Echo.echo_bytes(<<1::3>>), "value")
  end

  test "a function without parameters and result is :ok" do
    assert Echo.echo_none() == :ok
    assert Echo.echo_none!() == :ok
    assert Echo.echo_none(timeout: 5_000) == :ok
  end

  describe "list" do
    test "is carried, empty or long" do
      for value <- [[], [0], [@min_int64, -1, 0, 1, @max_int64], Enum.to_list(1..100_000)] do
        assert Echo.echo_ints(value) == {:ok, value}
      end
    end

    test "of floats is carried with what is not finite" do
      value = [:nan, 1.5, :infinity, -0.5, :negative_infinity]
      assert Echo.echo_floats(value) == {:ok, value}
    end

    test "of strings keeps empty ones" do
      assert Echo.echo_strs(["", "a", ""]) == {:ok, ["", "a", ""]}
    end

    test "tells which item is wrong" do
      assert_refused(Echo.echo_ints([1, "2", 3]), "value[1]")
      assert_refused(Echo.echo_ints([1, nil]), "value[1]")
      assert_refused(Echo.echo_ints(%{}), "value")
    end

    test "of lists is carried" do
      for value <- [[], [[]], [["a"], [], ["b", "c"]]] do
        assert Echo.echo_nested_list(value) == {:ok, value}
      end

      assert_refused(Echo.echo_nested_list([["a"], ["b", :c]]), "value[1][1]")
    end

    test "keeps None apart from zero" do
      assert Echo.echo_list_of_optional([0, nil, 1, nil]) == {:ok, [0, nil, 1, nil]}
    end
  end

  describe "dict" do
    test "is carried, empty or not" do
      for value <- [%{}, %{"" => 0.0, "ä b" => -1.5, "c" => :infinity}] do
        assert Echo.echo_dict(value) == {:ok, value}
      end
    end

    test "has integer keys to both ends of their range" do
      value = %{0 => "zero", @max_int64 => <<0xFF>>, @min_int64 => ""}
      assert Echo.echo_dict_by_int(value) == {:ok, value}
    end

    test "has boolean keys" do
      assert Echo.echo_dict_by_bool(%{true => "yes", false => ""}) ==
               {:ok, %{true => "yes", false => ""}}
    end

    test "holds lists of messages" do
      value = %{"none" => [], "some" => [%Point{x: 1.0, y: -0.5, label: "ä"}, %Point{x: 0.0}]}
      assert Echo.echo_dict_of_lists(value) == {:ok, value}
    end

    test "keeps None apart from empty at each depth" do
      value = %{"none" => nil, "empty" => %{}, "some" => %{1 => nil, 2 => "", 3 => "c"}}
      assert Echo.echo_dict_of_optional(value) == {:ok, value}
    end

    test "tells which value is wrong" do
      assert_refused(Echo.echo_dict(%{"a" => 1.0, "key" => "2"}), "value.key")
      assert_refused(Echo.echo_dict(%{"odd key" => "2"}), ~s(value["odd key"]))
      assert_refused(Echo.echo_dict_by_int(%{7 => 8}), "value[7]")
    end
  end

  describe "Optional" do
    test "keeps None apart from zero" do
      for value <- [nil, 0, 7], do: assert(Echo.echo_optional_int(value) == {:ok, value})
    end

    test "keeps None apart from an empty list" do
      for value <- [nil, [], [0]], do: assert(Echo.echo_optional_list(value) == {:ok, value})
    end

    test "keeps None apart from an empty dict" do
      for value <- [nil, %{}, %{"a" => 0}] do
        assert Echo.echo_optional_dict(value) == {:ok, value}
      end
    end
  end

  describe "Enum and Literal" do
    test "are atoms" do
      for value <- [:red, :dark_green], do: assert(Echo.echo_colour(value) == {:ok, value})
      for value <- [:off, :low, :high], do: assert(Echo.echo_level(value) == {:ok, value})
      for value <- [:small, :"x-large"], do: assert(Echo.echo_literal(value) == {:ok, value})
      assert Echo.echo_levels([:high, :off, :low]) == {:ok, [:high, :off, :low]}
    end

    test "may be given by Python's value or name" do
      for value <- ["g", "DARK_GREEN"], do: assert(Echo.echo_colour(value) == {:ok, :dark_green})
      assert Echo.echo_literal("x-large") == {:ok, :"x-large"}
    end

    test "refuse every other value" do
      for value <- [:green, "green", nil, 99],
          do: assert_refused(Echo.echo_colour(value), "value")

      assert_refused(Echo.echo_levels([:off, :on]), "value[1]")
    end
  end

  test "a dataclass is a struct" do
    assert Echo.echo_point(%{x: 1}) == {:ok, %Point{x: 1.0, y: 0.0, label: nil}}
    assert Echo.echo_point(%Point{x: 1.0, y: 2.0, label: ""}) |> elem(1) |> Map.get(:label) == ""
  end

  describe "a model with every kind of value" do
    @everything %{
      a_bool: false,
      an_int: 0,
      a_float: 0.0,
      a_str: "",
      some_bytes: "",
      a_colour: :red,
      a_level: :off,
      a_literal: :small,
      a_point: %{x: 0.0},
      ints: [],
      points: [],
      by_str: %{},
      by_int: %{},
      by_bool: %{}
    }

    test "is carried when all is zero or empty" do
      value = Everything.new!(@everything)
      assert Echo.echo_everything(@everything) == {:ok, value}
    end

    test "is carried when nothing is" do
      value =
        Everything.new!(%{
          a_bool: true,
          an_int: @min_int64,
          a_float: :nan,
          a_str: "ä",
          some_bytes: <<0xFF>>,
          a_colour: :dark_green,
          a_level: :high,
          a_literal: :large,
          a_point: %{x: 1.5, y: :infinity, label: "p"},
          ints: [@max_int64],
          points: [%{x: 1.0}, %{x: 2.0, label: ""}],
          by_str: %{"ä" => 1},
          by_int: %{-1 => "a"},
          by_bool: %{true => %{x: 3.0}}
        })

      assert Echo.echo_everything(value) == {:ok, value}
    end

    test "is carried, whatever it holds" do
      values = for _ <- 1..200, do: Everything.new!(random_everything())

      for {value, echo} <- Enum.zip(values, Task.await_many(Enum.map(values, &echo_later/1))) do
        assert echo == {:ok, value}
      end
    end

    test "names each missing field" do
      assert {:error, %Error{violations: violations}} = Echo.echo_everything(%{})
      assert Enum.all?(violations, &(&1.rule == "missing" and &1.message == "Field required"))

      assert Enum.sort(Enum.map(violations, & &1.path)) ==
               Enum.sort(for {key, _} <- @everything, do: "value.#{key}")
    end
  end

  describe "absent, empty and None" do
    @required %{
      nullable: nil,
      items: [],
      items_nullable: nil,
      entries: %{},
      entries_nullable: nil
    }

    test "what is left out gets Python's default" do
      assert Echo.seen!(@required) == %{
               "nullable" => "None",
               "none_by_default" => "None",
               "seven_by_default" => "7",
               "made_or_none" => "8",
               "number" => "9",
               "made" => "10",
               "enum" => "<Colour.DARK_GREEN: 'g'>",
               "nullable_enum" => "<Colour.RED: 'r'>",
               "items" => "[]",
               "items_empty" => "[]",
               "items_made" => "[]",
               "items_default" => "[1, 2]",
               "items_not_empty" => "[3]",
               "items_nullable" => "None",
               "items_none" => "None",
               "items_or_none" => "[4]",
               "entries" => "{}",
               "entries_empty" => "{}",
               "entries_default" => "{'a': 1}",
               "entries_nullable" => "None",
               "entries_none" => "None",
               "point" => "None",
               "point_made" => "Point(x=1.0, y=0.0, label=None)"
             }
    end

    test "what is given as nil is None" do
      nullable = ~w(nullable none_by_default seven_by_default made_or_none nullable_enum
        items_nullable items_none items_or_none entries_nullable entries_none point)

      value = Map.merge(@required, Map.new(nullable, &{String.to_existing_atom(&1), nil}))
      seen = Echo.seen!(value)
      assert for(name <- nullable, seen[name] != "None", do: name) == []
    end

    test "what is given empty is empty" do
      lists = ~w(items items_empty items_made items_default items_nullable items_none
        items_or_none)

      maps = ~w(entries entries_empty entries_default entries_nullable entries_none)

      value =
        @required
        |> Map.merge(Map.new(lists, &{String.to_existing_atom(&1), []}))
        |> Map.merge(Map.new(maps, &{String.to_existing_atom(&1), %{}}))

      seen = Echo.seen!(value)
      assert for(name <- lists, seen[name] != "[]", do: name) == []
      assert for(name <- maps, seen[name] != "{}", do: name) == []
      assert_refused(Echo.seen(Map.put(value, :items_not_empty, [])), "value.items_not_empty")
    end

    test "what is given is kept, zero and false too" do
      value =
        Map.merge(@required, %{
          nullable: 0,
          none_by_default: 0,
          seven_by_default: 0,
          made_or_none: 0,
          number: 0,
          made: 0,
          enum: :red,
          nullable_enum: :dark_green,
          items_nullable: [0],
          items_none: [0],
          items_or_none: [0],
          entries_none: %{"" => 0},
          point: %{x: 0.0},
          point_made: %{x: 0.0, label: ""}
        })

      seen = Echo.seen!(value)

      for name <- ~w(nullable none_by_default seven_by_default made_or_none number made) do
        assert {name, seen[name]} == {name, "0"}
      end

      for name <- ~w(items_nullable items_none items_or_none) do
        assert {name, seen[name]} == {name, "[0]"}
      end

      assert seen["enum"] == "<Colour.RED: 'r'>"
      assert seen["nullable_enum"] == "<Colour.DARK_GREEN: 'g'>"
      assert seen["entries_none"] == "{'': 0}"
      assert seen["point"] == "Point(x=0.0, y=0.0, label=None)"
      assert seen["point_made"] == "Point(x=0.0, y=0.0, label='')"
    end

    test "the answer tells them apart as well" do
      assert {:ok, %Presence{} = echo} =
               Echo.echo_presence(Map.merge(@required, %{seven_by_default: nil, items_none: []}))

      assert %Presence{nullable: nil, seven_by_default: nil, items_none: []} = echo
      assert %Presence{items_nullable: nil, entries_none: nil, point: nil} = echo
      assert %Presence{made_or_none: 8, made: 10, items_or_none: [4]} = echo
      assert %Presence{items_default: [1, 2], point_made: %Point{x: 1.0}} = echo
      assert Echo.echo_presence(echo) == {:ok, echo}
    end
  end

  describe "parameters" do
    test "with a default are options" do
      assert Echo.seen_parameters(nil) ==
               {:ok,
                %{
                  "required" => "None",
                  "seven" => "7",
                  "items" => "[1]",
                  "end" => "'end'",
                  "timeout" => "None",
                  "entries" => "None"
                }}
    end

    test "keep None, empty and reserved names apart" do
      assert Echo.seen_parameters(0,
               seven: nil,
               items: [],
               end_: "",
               timeout_: 1.5,
               entries: %{},
               timeout: 5_000
             ) ==
               {:ok,
                %{
                  "required" => "0",
                  "seven" => "None",
                  "items" => "[]",
                  "end" => "''",
                  "timeout" => "1.5",
                  "entries" => "{}"
                }}
    end

    test "that do not exist are refused" do
      assert {:error, %Error{code: :invalid_argument, violations: [violation]}} =
               Echo.seen_parameters(1, sevn: 7)

      assert %Violation{path: "sevn", rule: "unexpected_keyword_argument"} = violation
    end
  end

  describe "constraints" do
    test "let through what they allow" do
      # Only Python knows the default of a field of bytes.
      assert Echo.echo_bounded(%{}) == {:ok, Bounded.new!(%{raw: ""})}
      edges = %{ge: 0, le: 10, even: -4, short: "", few: [], raw: <<1, 2, 3, 4>>}
      assert Echo.echo_bounded(edges) == {:ok, Bounded.new!(edges)}
    end

    @beyond %{
      ge: -1,
      gt: 0.0,
      le: 11,
      lt: 10,
      even: 3,
      short: "äöüß",
      long: "äö",
      word: "no word",
      few: [1, -1, 2],
      some: %{},
      raw: "12345"
    }

    test "are checked before anything is sent, each with pydantic's rule" do
      assert {:error, %Error{code: :invalid_argument, violations: violations}} =
               Echo.echo_bounded(@beyond, channel: :nowhere)

      assert Map.new(violations, &{&1.path, &1.rule}) == %{
               "value.ge" => "greater_than_equal",
               "value.gt" => "greater_than",
               "value.le" => "less_than_equal",
               "value.lt" => "less_than",
               "value.even" => "multiple_of",
               "value.short" => "string_too_long",
               "value.long" => "string_too_short",
               "value.word" => "string_pattern_mismatch",
               "value.few" => "too_long",
               "value.some" => "too_short",
               "value.raw" => "bytes_too_long"
             }
    end
  end

  describe "a result that does not fit its annotation" do
    test "is an error that says where, not something else" do
      for text <- ["null", "5", "[]", ~S("\ud800"), ~S("a\udfffz")] do
        assert {:error, %Error{code: :internal} = error} = Echo.trust_str(text)
        assert Exception.message(error) =~ "result"
      end

      assert Echo.trust_str(~S("\ud83d\ude00")) == {:ok, "😀"}
    end

    test "is found inside lists and dataclasses" do
      assert {:ok, [%Point{x: 1.0, y: 0.0, label: nil}]} = Echo.trust_points(~S([{"x": 1.0}]))

      for {point, place} <- [
            {~S({"x": "1"}), "result[1].x"},
            {~S({"x": null}), "result[1].x"},
            {~S({"x": 1, "label": 7}), "result[1].label"}
          ] do
        assert {:error, %Error{code: :internal} = error} =
                 Echo.trust_points(~s([{"x": 1.0}, #{point}]))

        assert Exception.message(error) =~ place
      end
    end
  end

  test "a struct is checked again when it is sent" do
    spoiled = %{Point.new!(%{x: 1.0}) | y: "2"}
    assert {:error, %Error{violations: [violation]}} = Echo.echo_point(spoiled)
    assert %Violation{path: "value.y", rule: "float_type"} = violation
  end

  describe "the server, asked by a client that checks nothing," do
    test "reports constraints in the same words" do
      beyond = struct(Bounded, %{@beyond | few: [1, 2, 3]})
      assert {:error, %Error{} = here} = Echo.echo_bounded(beyond)
      there = ask_unchecked("EchoBounded", %Echo.EchoBoundedRequest{value: beyond})

      assert there.code == :invalid_argument
      assert Enum.sort(there.violations) == Enum.sort(here.violations)
    end

    test "reports constraints of items and entries in the same words" do
      beyond = struct(Bounded, few: [1, -1], some: %{"ok" => 1, "odd key" => 6})
      assert {:error, %Error{} = here} = Echo.echo_bounded(beyond)
      there = ask_unchecked("EchoBounded", %Echo.EchoBoundedRequest{value: beyond})

      assert Enum.sort(there.violations) == Enum.sort(here.violations)

      assert Enum.sort(Enum.map(here.violations, & &1.path)) == [
               "value.few[1]",
               ~s(value.some["odd key"])
             ]
    end

    test "reports what is missing in the same words" do
      assert {:error, %Error{} = here} = Echo.echo_point(%{})
      assert {:error, status} = unary("EchoPoint", <<0x0A, 0>>)
      assert Error.from_status(status).violations == here.violations

      assert {:error, status} = unary("EchoPoint", "")

      assert [%Violation{path: "value", rule: "missing"}] = Error.from_status(status).violations
    end

    test "refuses a number that is no member of an enum, and names the place" do
      levels = %Echo.EchoLevelsRequest{value: [:off, {:unknown, 99}]}
      assert %Error{code: :invalid_argument} = error = ask_unchecked("EchoLevels", levels)
      assert [%Violation{path: "value[1]"}] = error.violations
    end

    test "reads an absent list as empty" do
      # A repeated field cannot be absent: none is the same as empty.
      assert {:ok, bytes, _} = unary("EchoInts", "")
      assert Echo.EchoIntsResponse.decode(bytes) == {:ok, %Echo.EchoIntsResponse{result: []}}
    end

    test "skips fields that it does not know" do
      bytes = [Echo.EchoIntRequest.encode(%Echo.EchoIntRequest{value: 7}), <<0x7A, 3, "new">>]
      assert {:ok, bytes, _} = unary("EchoInt", bytes)
      assert Echo.EchoIntResponse.decode(bytes) == {:ok, %Echo.EchoIntResponse{result: 7}}
    end

    test "survives what is no message" do
      for bytes <- [<<0xFF>>, <<0x0A, 0xFF, 0xFF>>, :binary.copy(<<0x80>>, 1000)] do
        assert {:error, status} = unary("EchoStr", bytes)
        assert Error.from_status(status).code in [:invalid_argument, :internal]
      end

      assert Echo.echo_str("still here") == {:ok, "still here"}
    end

    test "tells that a method does not exist" do
      assert {:error, status} = unary("EchoNothing", "")
      assert Error.from_status(status).code == :unimplemented
    end
  end

  defp echo_later(value), do: Task.async(fn -> Echo.echo_everything(value) end)

  defp random_everything do
    %{
      a_bool: Random.bool(),
      an_int: Random.int(),
      a_float: Random.double(),
      a_str: Random.text(),
      some_bytes: Random.bytes(),
      a_colour: Enum.random([:red, :dark_green]),
      a_level: Enum.random([:off, :low, :high]),
      a_literal: Enum.random([:small, :large]),
      a_point: random_point(),
      ints: Random.list(&Random.int/0, 300),
      points: Random.list(&random_point/0),
      by_str: Random.map(&Random.text/0, &Random.int/0),
      by_int: Random.map(&Random.int/0, &Random.text/0),
      by_bool: Random.map(&Random.bool/0, &random_point/0)
    }
  end

  defp random_point do
    %{x: Random.double(), y: Random.double(), label: Random.maybe(&Random.text/0)}
  end

  defp ask_unchecked(method, request) do
    assert {:error, status} = unary(method, request.__struct__.encode(request))
    Error.from_status(status)
  end

  defp unary(method, bytes),
    do: Channel.unary(Echo, "/echo.v1.EchoService/#{method}", bytes, timeout: 10_000)

  defp assert_refused(answer, path) do
    assert {:error, %Error{code: :invalid_argument, violations: violations}} = answer
    assert path in Enum.map(violations, & &1.path)
  end
end
