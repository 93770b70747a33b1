defmodule EchoValuesTest do
  @moduledoc "What goes in comes out: every kind of value, to the ends of its range."

  use ExUnit.Case

  import Integration.Refused

  alias Echo.{Everything, Point}
  alias Integration.{Random, Server}
  alias SynapseBridge.Error

  setup_all do
    start_supervised!({Echo, Server.channel()})
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
end
